//! Processes and who answers for what in them, in the JSON API. Everybody who is signed in may read.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json};
use utoipa_axum::routes;

use super::{Draft, Duty, Party, Process, create, list, load, remove, update};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{ProcessId, UnitId};
use crate::input::{refuse, refuse_rest, take_text};
use crate::text;
use crate::web::api::{Based, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Organiser, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Need::May(Object::Organisation, Verb::Update);
    routes
        .api(Need::SignedIn, routes!(list_processes))
        .api(keep, routes!(create_process))
        .api(Need::SignedIn, routes!(show_process))
        .api(keep, routes!(update_process, remove_process))
}

/// One part in a process: `unit_id` or `post` says whose.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ProcessDutyBody {
    /// A unit; null when a post has it.
    unit_id: Option<UnitId>,
    /// Code of a post; null when a unit has it.
    post: Option<String>,
    /// `responsible` (R), `accountable` (A), `consulted` (C) or `informed` (I).
    duty: String,
}

/// A process and who answers for what in it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ProcessBody {
    /// Id.
    id: ProcessId,
    /// Short name.
    code: String,
    /// Name.
    title: String,
    /// Anything else.
    note: String,
    /// Who has which part.
    duties: Vec<ProcessDutyBody>,
    /// Counts changes.
    version: i64,
    /// Changed when.
    updated_at: String,
}

/// All processes; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ProcessList {
    /// The processes, by their codes.
    items: Vec<ProcessBody>,
    /// Always null.
    next: Option<String>,
}

/// A new process.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ProcessInput {
    /// 1–20 letters, digits, `-` and `_`, once in the company.
    code: String,
    /// 1–60 characters.
    title: String,
    /// At most 500 characters.
    note: Option<String>,
    /// At most 60; exactly one `accountable` and at least one `responsible`.
    duties: Vec<ProcessDutyBody>,
}

/// A change of a process; absent names stay as they are.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ProcessPatch {
    /// Short name.
    code: Option<String>,
    /// Name.
    title: Option<String>,
    /// Anything else.
    note: Option<String>,
    /// All of them.
    duties: Option<Vec<ProcessDutyBody>>,
}

fn reply(process: &Process) -> Reply {
    Reply::ok(process.json(), process.version)
}

fn draft(mut body: Map<String, Json>) -> Result<Draft, AppError> {
    let mut errors = Vec::new();
    let [code, title, note] = ["code", "title", "note"].map(|key| take_text(&mut body, key, &mut errors));
    let duties = body.remove("duties").map(|value| duties(&value)).transpose();
    let duties = duties.unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    refuse_rest(&body, &["id", "version", "updated_at"], &mut errors);
    refuse(errors)?;
    Ok(Draft { code, title, note, duties })
}

fn duties(value: &Json) -> Result<Vec<(Party, Duty)>, FieldError> {
    let wrong = || {
        FieldError::new(
            "duties",
            text!(
                "duties 是列表，每项有 unit_id 或 post，以及 duty：responsible、accountable、consulted 或 informed"
            ),
        )
    };
    let all = value.as_array().ok_or_else(wrong)?;
    all.iter()
        .map(|one| {
            let one = one.as_object().ok_or_else(wrong)?;
            let is_known = |key: &String| ["unit_id", "post", "duty"].contains(&key.as_str());
            let text = |key: &str| match one.get(key) {
                None | Some(Json::Null) => Some(""),
                Some(value) => value.as_str(),
            };
            let duty = text("duty").and_then(Duty::named).ok_or_else(wrong)?;
            let party = match (text("unit_id"), text("post")) {
                (Some(unit), Some("")) => unit.parse().ok().map(Party::Unit),
                (Some(""), Some(post)) => Party::read(&format!("post:{post}")),
                _ => None,
            };
            if !one.keys().all(is_known) {
                return Err(wrong());
            }
            Ok((party.ok_or_else(wrong)?, duty))
        })
        .collect()
}

/// Lists processes
///
/// All of them, with who is responsible, approves, is consulted and is informed.
#[utoipa::path(
    get, path = "/api/v1/processes", tag = "processes",
    responses((status = 200, description = "All processes", body = ProcessList), ReadProblems)
)]
async fn list_processes(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let all = app.db.read(list).await?;
    Ok(json_reply(&page_of(all.iter().map(Process::json).collect(), None, None)))
}

/// Adds a process
#[utoipa::path(
    post, path = "/api/v1/processes", tag = "processes",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ProcessInput,
    responses((status = 201, description = "The new process", body = ProcessBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_process(
    State(app): State<App>,
    Organiser(actor): Organiser,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let draft = draft(body)?;
    let (directory, catalogue, by) = (app.directory().await?, app.catalogue().await?, actor.clone());
    let request = ["POST", "/api/v1/processes", &request];
    // Everybody may read processes.
    write_once(
        &app,
        &actor,
        &headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            let process = create(tx, &by, (&directory, &catalogue), &draft, now)?;
            Ok(Reply::created(process.json(), process.version))
        },
    )
    .await
}

/// Shows a process
#[utoipa::path(
    get, path = "/api/v1/processes/{id}", tag = "processes",
    params(("id" = inline(ProcessId), Path)),
    responses((status = 200, description = "The process", body = ProcessBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_process(State(app): State<App>, _: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: ProcessId = path_id(&id)?;
    let process = app.db.read(move |conn| load(conn, id)).await?;
    Ok(reply(&process))
}

/// Changes a process
#[utoipa::path(
    patch, path = "/api/v1/processes/{id}", tag = "processes",
    params(("id" = inline(ProcessId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = ProcessPatch,
    responses((status = 200, description = "The process as it now is", body = ProcessBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_process(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Based { id, version }: Based<ProcessId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let draft = draft(body)?;
    let (directory, catalogue, now) = (app.directory().await?, app.catalogue().await?, app.now());
    let process = app
        .db
        .write(move |tx| update(tx, &actor, (&directory, &catalogue), id, Some(version), &draft, now))
        .await?;
    Ok(reply(&process))
}

/// Takes a process away
///
/// Tasks that name it keep its name.
#[utoipa::path(
    delete, path = "/api/v1/processes/{id}", tag = "processes",
    params(("id" = inline(ProcessId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_process(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Based { id, version }: Based<ProcessId>,
) -> Result<Reply, AppError> {
    let (directory, catalogue, now) = (app.directory().await?, app.catalogue().await?, app.now());
    app.db.write(move |tx| remove(tx, &actor, (&directory, &catalogue), id, Some(version), now)).await?;
    Ok(Reply::done())
}
