//! Backups in the JSON API; administrators only.

use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value as Json;
use utoipa_axum::routes;

use super::model::Backup;
use super::{Origin, act, list, load, web};
use crate::app::App;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::ids::BackupId;
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, limit, page_of, write_once};
use crate::web::{Administrator, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::Administrator, routes!(list_backups))
        .api(Need::Administrator, routes!(create_backup))
        .api(Need::Administrator, routes!(show_backup, remove_backup))
        .api(Need::Administrator, routes!(show_backup_content))
        .api(Need::Administrator, routes!(verify_backup))
        .api(Need::Administrator, routes!(cancel_backup))
}

/// A backup as it is sent.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct BackupBody {
    /// Id.
    id: String,
    /// `waiting`, `running`, `done`, `failed` or `cancelled`.
    state: String,
    /// `manual`, `schedule` or `command`.
    origin: String,
    /// Name of its file; null until it is done.
    file_name: Option<String>,
    /// Bytes.
    size: i64,
    /// Customers in it.
    customers: i64,
    /// Attached files in it.
    attachments: i64,
    /// Attached files that had been lost or altered on the server before.
    missing_attachments: i64,
    /// What is being done: `database`, `files` or `check`; null when nothing is.
    step: Option<String>,
    /// How much of the step is done.
    progress: i64,
    /// The whole step.
    total: i64,
    /// Why it failed, or what is wrong with it (Chinese).
    problem: Option<String>,
    /// What the last verification found: `ok`, `damaged` or `failed`; `waiting` while one is under way; null for none.
    verification: Option<String>,
    /// When that was (UTC).
    verified_at: Option<String>,
    /// When it was asked for (UTC).
    created_at: String,
    /// By whom; null for the schedule and the command line.
    created_by: Option<String>,
    /// When it ended (UTC).
    finished_at: Option<String>,
    /// Counts what people did to it.
    version: i64,
}

/// A page of backups, newest first.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct BackupList {
    /// The backups.
    items: Vec<BackupBody>,
    /// Cursor of the next page.
    next: Option<String>,
}

fn accepted(backup: &Backup) -> Reply {
    Reply { status: StatusCode::ACCEPTED, ..Reply::ok(backup.json(), backup.version) }
}

/// List the backups
///
/// Newest first. Administrators only.
#[utoipa::path(
    get, path = "/api/v1/backups", tag = "backups",
    params(
        ("limit" = Option<u8>, Query, minimum = 1, maximum = 200, description = "How many, 50 when absent"),
        ("after" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "The cursor of the page before")
    ),
    responses((status = 200, description = "The backups", body = BackupList), ReadProblems)
)]
async fn list_backups(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    query: QueryData,
) -> Result<Response, AppError> {
    let most = limit(query.find("limit"))?;
    let before = match query.find("after").filter(|t| !t.is_empty()) {
        None => None,
        Some(text) => Some(
            text.parse::<BackupId>()
                .map_err(|_| AppError::field("after", text!("不是有效的编号，应为 13 个字符")))?,
        ),
    };
    let mut found = app.db.read(move |conn| list(conn, &actor, before, most + 1)).await?;
    let has_more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| has_more).map(|b| b.id.to_string());
    Ok(json_reply(&page_of(found.iter().map(Backup::json).collect(), next, None)))
}

/// Make a backup
///
/// In the background; read it again to see how far it got. 409 while another is under way.
#[utoipa::path(
    post, path = "/api/v1/backups", tag = "backups",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    responses((status = 202, description = "The backup that will be made", body = BackupBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_backup(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let person = actor.clone();
    let request = ["POST", "/api/v1/backups", ""];
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let reply = write_once(&app, &person, &headers, &request, may_see, move |tx, now| {
        let backup = act::begin(tx, &actor, Origin::Manual, now)?;
        backup.as_ref().map(accepted).ok_or(AppError::Unavailable)
    })
    .await?;
    app.jobs_waiting.notify_one();
    Ok(reply)
}

/// Show a backup
#[utoipa::path(
    get, path = "/api/v1/backups/{id}", tag = "backups",
    params(("id" = inline(BackupId), Path)),
    responses((status = 200, description = "The backup", body = BackupBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_backup(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: BackupId = path_id(&id)?;
    let backup = app.db.read(move |conn| load(conn, &actor, id)).await?;
    Ok(Reply::ok(backup.json(), backup.version))
}

/// Delete a backup
///
/// Its file goes too. 409 while it is being made.
#[utoipa::path(
    delete, path = "/api/v1/backups/{id}", tag = "backups",
    params(("id" = inline(BackupId), Path), ("If-Match" = Option<String>, Header, description = "The ETag; without it 428")),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
async fn remove_backup(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let id: BackupId = path_id(&id)?;
    let (version, now) = (if_match(&headers)?, app.now());
    let backup = app.db.write(move |tx| act::remove(tx, &actor, id, Some(version), now)).await?;
    act::remove_file(&app, &backup).await?;
    Ok(Reply::done())
}

/// Download a backup
///
/// The whole company in one file; recorded in the log.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}/content", tag = "backups",
    params(("id" = inline(BackupId), Path)),
    responses(
        (status = 200, description = "The bytes", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 409, description = "It is not done, or its file is not in the folder of backups any more"),
        ReadProblems
    )
)]
async fn show_backup_content(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    web::send(&app, &actor, path_id(&id)?).await
}

/// Verify a backup
///
/// Reads all of it back in the background; read the backup again to see what was found.
#[utoipa::path(
    put, path = "/api/v1/backups/{id}/verification", tag = "backups",
    params(("id" = inline(BackupId), Path)),
    responses(
        (status = 202, description = "The backup that will be verified", body = BackupBody, headers(("ETag" = String))),
        (status = 409, description = "It is not done"),
        ReadProblems
    )
)]
async fn verify_backup(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let (id, now): (BackupId, _) = (path_id(&id)?, app.now());
    let backup = app.db.write(move |tx| act::request_verification(tx, &actor, id, now)).await?;
    app.jobs_waiting.notify_one();
    Ok(accepted(&backup))
}

/// Stop a backup
///
/// One that is being made ends at its next safe place and leaves nothing.
#[utoipa::path(
    put, path = "/api/v1/backups/{id}/cancellation", tag = "backups",
    params(("id" = inline(BackupId), Path)),
    responses(
        (status = 202, description = "The backup that will end", body = BackupBody, headers(("ETag" = String))),
        (status = 409, description = "It has ended already"),
        ReadProblems
    )
)]
async fn cancel_backup(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let (id, now): (BackupId, _) = (path_id(&id)?, app.now());
    let backup = app.db.write(move |tx| act::cancel(tx, &actor, id, now)).await?;
    Ok(accepted(&backup))
}
