//! The log for programs: `/api/v1/audit`, administrators only.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value as Json, json};

use super::list::{AuditQuery, note, read};
use crate::app::App;
use crate::audit::Written;
use crate::clock::rfc3339;
use crate::error::AppError;
use crate::web::api::{Problem, json_reply, limit, page_of};
use crate::web::{Auditor, QueryData};

/// One thing that happened.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AuditBody {
    /// Id.
    id: String,
    /// When (UTC).
    at: String,
    /// Id of the person; null for the command line and for unknown people.
    actor_id: Option<String>,
    /// His name at that time.
    actor_name: String,
    /// `session`, `token`, `command_line` or `job`.
    via: String,
    /// Address of the other side.
    ip: String,
    /// Identifies the request.
    request_id: String,
    /// What: `customer.updated` …
    action: String,
    /// To what kind of thing.
    object: String,
    /// To which one; null for none.
    object_id: Option<String>,
    /// The customer it belongs to; null for none.
    customer_id: Option<String>,
    /// Values before, null when there were none.
    before: Option<serde_json::Value>,
    /// Values after, null when there were none.
    after: Option<serde_json::Value>,
    /// `ok`, `denied` or `failed`.
    result: String,
}

/// A page of the log, newest first.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AuditList {
    /// The rows.
    items: Vec<AuditBody>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// Read the audit log
///
/// Newest first. Administrators only; reading is itself recorded.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(
        ("person" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a person"),
        ("action" = Option<String>, Query, pattern = "^[a-z_.]{0,60}$", description = "An action, or its beginning with a dot: customer."),
        ("object" = Option<String>, Query, pattern = "^[a-z_.]{0,60}$", description = "A kind of object"),
        ("customer" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a customer"),
        ("result" = Option<String>, Query, pattern = "^[a-z_.]{0,60}$", description = "ok, denied or failed"),
        ("from" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description = "First day, YYYY-MM-DD"),
        ("to" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description = "Last day, YYYY-MM-DD"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Cursor from next"),
    ),
    responses(
        (status = 200, body = AuditList),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not an administrator", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "A parameter cannot be accepted", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn list_audit(
    State(app): State<App>,
    Auditor(actor): Auditor,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let query = AuditQuery { before: None, ..AuditQuery::read(&asked, &app.zone)?.of(&actor) };
    let (limit, noted, now) = (limit(asked.find("limit"))?, query.clone(), app.now());
    app.db.write(move |tx| note(tx, &actor, "audit.read", &noted, now)).await?;
    let page = app.db.read(move |conn| read(conn, &query, limit)).await?;
    let next = page.rows.last().filter(|_| page.has_older).map(|r| store::format_id(r.id));
    Ok(json_reply(&page_of(page.rows.iter().map(json_of).collect(), next, None)))
}

fn json_of(row: &Written) -> Json {
    let id = |id: i64| (id != 0).then(|| store::format_id(id));
    let values = |text: &str| serde_json::from_str::<Json>(text).unwrap_or(Json::Null);
    json!({
        "id": store::format_id(row.id), "at": rfc3339(row.at), "actor_id": id(row.actor_id),
        "actor_name": row.actor_name, "via": row.via, "ip": row.ip, "request_id": row.request_id,
        "action": row.action, "object": row.object, "object_id": id(row.object_id),
        "customer_id": id(row.customer_id), "before": values(&row.before), "after": values(&row.after),
        "result": row.result,
    })
}
