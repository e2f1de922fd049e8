//! What is done with a task: claim, closure, return, withdrawal, reassignment.

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Map, Value as Json};
use store::Tx;
use utoipa_axum::routes;

use super::{AssignmentBody, target_in, text_in, whole};
use crate::access::Actor;
use crate::app::App;
use crate::assignments::model::{Again, Assignment, Ground};
use crate::assignments::{finish, give_again, require_seen, send_back, take, withdraw};
use crate::contacts::api_parts::{ChangeProblems, path_id};
use crate::error::AppError;
use crate::ids::{AssignmentId, PersonId, UnitId};
use crate::input::{refuse, refuse_rest};
use crate::web::api::{Reply, write_once};
use crate::web::{JsonBody, Need, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(claim_assignment))
        .api(Need::SignedIn, routes!(close_assignment))
        .api(Need::SignedIn, routes!(return_assignment))
        .api(Need::SignedIn, routes!(withdraw_assignment))
        .api(Need::SignedIn, routes!(reassign_assignment))
}

/// Nothing needs to be said.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimInput {}

/// What is said to it.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ClosureInput {
    /// What was done; 1–2,000 characters.
    reply: String,
}

/// What is said to it.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ReturnInput {
    /// Why; 1–500 characters.
    reason: String,
}

/// What is said to it.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct WithdrawalInput {
    /// Why; at most 500 characters.
    reason: Option<String>,
}

/// To whom it goes now: `person_id` or `unit_id`, or neither when its process decides.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ReassignmentInput {
    /// A person, or
    person_id: Option<PersonId>,
    /// a unit.
    unit_id: Option<UnitId>,
    /// A day or a time; the old one when absent.
    due: Option<String>,
    /// At most 500 characters.
    note: Option<String>,
}

/// Does something with a task, once for an `Idempotency-Key`.
async fn act(
    app: &App,
    actor: Actor,
    headers: &HeaderMap,
    (id, path): (AssignmentId, &str),
    request: &str,
    body: impl Fn(&mut Tx<'_>, &Actor, &Ground) -> Result<Assignment, AppError> + Send + 'static,
) -> Result<Reply, AppError> {
    let ground = Ground::of(app).await?;
    let (by, seen, of) = (actor.clone(), actor.clone(), ground.clone());
    let path = format!("/api/v1/assignments/{id}/{path}");
    let request = ["POST", &path, request];
    let may_see = move |tx: &mut Tx<'_>, _: &Json| require_seen(tx, &seen, &of, id);
    let done = write_once(app, &actor, headers, &request, may_see, move |tx, _| {
        let task = body(tx, &by, &ground)?;
        Ok(Reply::ok(whole(tx, &by, &ground, &task)?, task.version))
    })
    .await;
    app.forget_sessions();
    done
}

/// Whoever may not know a task learns nothing of what a change would need.
async fn seen(app: &App, actor: &Actor, id: AssignmentId) -> Result<(), AppError> {
    let (ground, actor) = (Ground::of(app).await?, actor.clone());
    app.db.read(move |conn| require_seen(conn, &actor, &ground, id)).await
}

/// The one text of a body, empty when absent.
fn one_text(mut body: Map<String, Json>, key: &str) -> Result<String, AppError> {
    let mut errors = Vec::new();
    let text = text_in(&mut body, key, &mut errors).unwrap_or_default();
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    Ok(text)
}

/// Takes a task
///
/// Its receiver, or of a unit or post the first who does; he gets the right on its customer.
#[utoipa::path(
    post, path = "/api/v1/assignments/{id}/claim", tag = "assignments",
    params(("id" = inline(AssignmentId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ClaimInput,
    responses((status = 200, description = "The task as it now is", body = AssignmentBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn claim_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: AssignmentId = path_id(&id)?;
    seen(&app, &actor, id).await?;
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    act(&app, actor, &headers, (id, "claim"), &request, move |tx, by, ground| take(tx, by, ground, id)).await
}

/// Closes a task with a reply
///
/// Its receiver; the right on the customer ends.
#[utoipa::path(
    post, path = "/api/v1/assignments/{id}/closure", tag = "assignments",
    params(("id" = inline(AssignmentId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ClosureInput,
    responses((status = 200, description = "The task as it now is", body = AssignmentBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn close_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: AssignmentId = path_id(&id)?;
    seen(&app, &actor, id).await?;
    let request = Json::Object(body.clone()).to_string();
    let text = one_text(body, "reply")?;
    act(&app, actor, &headers, (id, "closure"), &request, move |tx, by, ground| {
        finish(tx, by, ground, id, &text)
    })
    .await
}

/// Sends a task back to its giver
///
/// Its receiver, or the head of its unit while nobody has taken it. It counts as bounced; the right on the customer ends.
#[utoipa::path(
    post, path = "/api/v1/assignments/{id}/return", tag = "assignments",
    params(("id" = inline(AssignmentId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ReturnInput,
    responses((status = 200, description = "The task as it now is", body = AssignmentBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn return_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: AssignmentId = path_id(&id)?;
    seen(&app, &actor, id).await?;
    let request = Json::Object(body.clone()).to_string();
    let text = one_text(body, "reason")?;
    act(&app, actor, &headers, (id, "return"), &request, move |tx, by, ground| {
        send_back(tx, by, ground, id, &text)
    })
    .await
}

/// Withdraws a task
///
/// Its giver, or an administrator, while it is not done; the right on the customer ends.
#[utoipa::path(
    post, path = "/api/v1/assignments/{id}/withdrawal", tag = "assignments",
    params(("id" = inline(AssignmentId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = WithdrawalInput,
    responses((status = 200, description = "The task as it now is", body = AssignmentBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn withdraw_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: AssignmentId = path_id(&id)?;
    seen(&app, &actor, id).await?;
    let request = Json::Object(body.clone()).to_string();
    let text = one_text(body, "reason")?;
    act(&app, actor, &headers, (id, "withdrawal"), &request, move |tx, by, ground| {
        withdraw(tx, by, ground, id, &text)
    })
    .await
}

/// Gives a task to somebody else
///
/// Its giver, or an administrator, while it is not over: also one that was returned. Whoever had it has it no longer.
#[utoipa::path(
    post, path = "/api/v1/assignments/{id}/reassignment", tag = "assignments",
    params(("id" = inline(AssignmentId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ReassignmentInput,
    responses((status = 200, description = "The task as it now is", body = AssignmentBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn reassign_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let id: AssignmentId = path_id(&id)?;
    seen(&app, &actor, id).await?;
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let to = target_in(&mut body, &mut errors);
    let due = text_in(&mut body, "due", &mut errors).filter(|due| !due.is_empty());
    let note = text_in(&mut body, "note", &mut errors).unwrap_or_default();
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let again = Again { to, due, note };
    act(&app, actor, &headers, (id, "reassignment"), &request, move |tx, by, ground| {
        give_again(tx, by, ground, id, &again)
    })
    .await
}
