//! Notices in the JSON API: the caller's own.

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use utoipa_axum::routes;

use super::{list, read};
use crate::access::Actor;
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{CreateProblems, ReadProblems};
use crate::error::AppError;
use crate::ids::{CaseId, NoticeId, PenaltyId};
use crate::text;
use crate::web::api::{Reply, json_reply, limit, page_of, write_once};
use crate::web::{Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Need::SignedIn, routes!(list_notices)).api(Need::SignedIn, routes!(read_all_notices))
}

/// Something the caller was told.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct NoticeBody {
    /// Id.
    id: NoticeId,
    /// When.
    at: String,
    /// What kind.
    kind: String,
    /// The text.
    text: String,
    /// The clause it rests on.
    clause: String,
    /// The case it is about.
    case_id: Option<CaseId>,
    /// The penalty it is about.
    penalty_id: Option<PenaltyId>,
    /// When it was read.
    read_at: Option<String>,
}

/// What the caller was told.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct NoticeList {
    /// The notices, the newest first.
    items: Vec<NoticeBody>,
    /// Always null: the list ends at 200.
    next: Option<String>,
}

/// Lists what the caller was told
#[utoipa::path(
    get, path = "/api/v1/notices", tag = "notices",
    params(
        ("unread" = Option<String>, Query, pattern = "^1?$", description = "1 for unread ones only"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "The notices", body = NoticeList), ReadProblems)
)]
async fn list_notices(
    Shared(app): Shared<App>,
    actor: Actor,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))? as i64;
    if !matches!(asked.get("unread"), "" | "1") {
        return Err(AppError::field("unread", text!("只能是 1，或不写")));
    }
    let unread = asked.is_ticked("unread");
    let found = app.db.read(move |conn| list(conn, &actor, unread, limit)).await?;
    let items = found
        .iter()
        .map(|notice| {
            json!({
                "id": notice.id, "at": rfc3339(notice.at), "kind": notice.kind, "text": notice.text,
                "clause": notice.clause, "case_id": notice.case_id, "penalty_id": notice.penalty_id,
                "read_at": notice.read_at.map(rfc3339),
            })
        })
        .collect();
    Ok(json_reply(&page_of(items, None, None)))
}

/// Marks all notices of the caller as read
#[utoipa::path(
    post, path = "/api/v1/notices/reading", tag = "notices",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    responses((status = 204, description = "They are read"), CreateProblems)
)]
async fn read_all_notices(
    Shared(app): Shared<App>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let by = actor.clone();
    write_once(
        &app,
        &actor,
        &headers,
        &["POST", "/api/v1/notices/reading"],
        |_, _| Ok(()),
        move |tx, now| {
            read(tx, &by, None, now)?;
            Ok(Reply::done())
        },
    )
    .await
}
