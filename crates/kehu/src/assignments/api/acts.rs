//! What is done with a task: claim, closure, return, withdrawal, reassignment.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
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

/// A request to do something with a task its sender may see: whoever may not know it learns nothing of what a change
/// would need.
struct Act {
    app: App,
    actor: Actor,
    ground: Ground,
    headers: HeaderMap,
    id: AssignmentId,
    /// The body as it was sent, to know it again.
    request: String,
    body: Map<String, Json>,
}

impl FromRequest<App> for Act {
    type Rejection = AppError;
    async fn from_request(request: Request, app: &App) -> Result<Self, AppError> {
        let (mut parts, body) = request.into_parts();
        let actor = Actor::from_request_parts(&mut parts, app).await?;
        let id = Path::<String>::from_request_parts(&mut parts, app).await;
        let id = id.map_err(|_| AppError::NotFound)?.0;
        let headers = parts.headers.clone();
        let JsonBody(body) = JsonBody::from_request(Request::from_parts(parts, body), app).await?;
        let id: AssignmentId = path_id(&id)?;
        let ground = Ground::of(app).await?;
        let (reader, of) = (actor.clone(), ground.clone());
        app.db.read(move |conn| require_seen(conn, &reader, &of, id)).await?;
        let request = Json::Object(body.clone()).to_string();
        Ok(Self { app: app.clone(), actor, ground, headers, id, request, body })
    }
}

impl Act {
    /// Takes the one text out of the body, empty when absent; nothing else may be there.
    fn only_text(&mut self, key: &str) -> Result<String, AppError> {
        let mut errors = Vec::new();
        let text = text_in(&mut self.body, key, &mut errors).unwrap_or_default();
        refuse_rest(&self.body, &[], &mut errors);
        refuse(errors)?;
        Ok(text)
    }

    /// Does it, once for an `Idempotency-Key`.
    async fn run(
        self,
        name: &str,
        act: impl Fn(&mut Tx<'_>, &Actor, &Ground, AssignmentId) -> Result<Assignment, AppError> + Send + 'static,
    ) -> Result<Reply, AppError> {
        let Self { app, actor, ground, headers, id, request, .. } = self;
        let (by, reader, of) = (actor.clone(), actor.clone(), ground.clone());
        let path = format!("/api/v1/assignments/{id}/{name}");
        let may_see = move |tx: &mut Tx<'_>, _: &Json| require_seen(tx, &reader, &of, id);
        let done = write_once(&app, &actor, &headers, &["POST", &path, &request], may_see, move |tx, _| {
            let task = act(tx, &by, &ground, id)?;
            Ok(Reply::ok(whole(tx, &by, &ground, &task)?, task.version))
        })
        .await;
        app.forget_sessions();
        done
    }
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
async fn claim_assignment(act: Act) -> Result<Reply, AppError> {
    let mut errors = Vec::new();
    refuse_rest(&act.body, &[], &mut errors);
    refuse(errors)?;
    act.run("claim", take).await
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
async fn close_assignment(mut act: Act) -> Result<Reply, AppError> {
    let reply = act.only_text("reply")?;
    act.run("closure", move |tx, by, ground, id| finish(tx, by, ground, id, &reply)).await
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
async fn return_assignment(mut act: Act) -> Result<Reply, AppError> {
    let reason = act.only_text("reason")?;
    act.run("return", move |tx, by, ground, id| send_back(tx, by, ground, id, &reason)).await
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
async fn withdraw_assignment(mut act: Act) -> Result<Reply, AppError> {
    let reason = act.only_text("reason")?;
    act.run("withdrawal", move |tx, by, ground, id| withdraw(tx, by, ground, id, &reason)).await
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
async fn reassign_assignment(mut act: Act) -> Result<Reply, AppError> {
    let mut errors = Vec::new();
    let to = target_in(&mut act.body, &mut errors);
    let due = text_in(&mut act.body, "due", &mut errors).filter(|due| !due.is_empty());
    let note = text_in(&mut act.body, "note", &mut errors).unwrap_or_default();
    refuse_rest(&act.body, &[], &mut errors);
    refuse(errors)?;
    let again = Again { to, due, note };
    act.run("reassignment", move |tx, by, ground, id| give_again(tx, by, ground, id, &again)).await
}
