//! Penalties in the JSON API: lists, one of them, and what those concerned do with it.

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json};
use store::Tx;
use utoipa_axum::routes;

use super::{Decision, ListQuery, Penalty, Place, State, appeal, cancel, confirm, decide_appeal, list, load};
use crate::access::Actor;
use crate::app::App;
use crate::cases::Ground;
use crate::contacts::api_parts::{ChangeProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{CaseId, PenaltyId, PersonId};
use crate::input::{check_query, refuse, refuse_rest, take_text};
use crate::text;
use crate::web::api::{Based, Reply, id_in, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_penalties))
        .api(Need::SignedIn, routes!(show_penalty))
        .api(Need::SignedIn, routes!(confirm_penalty))
        .api(Need::SignedIn, routes!(cancel_penalty))
        .api(Need::SignedIn, routes!(appeal_penalty))
        .api(Need::SignedIn, routes!(decide_penalty_appeal))
}

/// A penalty.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PenaltyBody {
    /// Id.
    id: PenaltyId,
    /// Short name of its policy.
    policy: String,
    /// Its name in the policy.
    penalty: String,
    /// What people call it.
    title: String,
    /// The clause.
    clause: String,
    /// Whom it hits.
    person_id: PersonId,
    /// His name.
    person: String,
    /// The case it comes from; null when the caller may not read it.
    case: Option<PenaltyCaseBody>,
    /// When it came.
    at: String,
    /// The month it counts for, such as 2026-09.
    month: String,
    /// `money` or `points`.
    measure: String,
    /// Cents, or hundredths of a point: all of it.
    amount: i64,
    /// For how many.
    count: i64,
    /// The factor of doubling.
    factor: f64,
    /// Which one of the person's in its month, or which repetition.
    times: i64,
    /// `proposed`, `appealed`, `confirmed` or `cancelled`.
    state: String,
    /// Whether it stands for good: confirmed, and no appeal is open or can still come.
    is_final: bool,
    /// The last instant an appeal is in time; null when the policy knows none.
    appeal_until: Option<String>,
    /// Who decides on it; none when only administrators do.
    deciders: Vec<PersonId>,
    /// Who confirmed or cancelled it.
    decided_by: Option<PersonId>,
    /// When.
    decided_at: Option<String>,
    /// What he said.
    note: String,
    /// The appeal.
    appeal: Option<PenaltyAppealBody>,
    /// What the caller may do now: `confirmation`, `cancellation`, `appeal`, `appeal-decision`.
    acts: Vec<String>,
    /// Counts what happened to it.
    version: i64,
}

/// The case of a penalty.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PenaltyCaseBody {
    /// Id.
    id: CaseId,
    /// Number.
    number: String,
    /// What it is called.
    subject: String,
}

/// The appeal against a penalty.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PenaltyAppealBody {
    /// When.
    at: String,
    /// Why.
    reason: String,
    /// `upheld` (the penalty stands) or `withdrawn` (it is taken back); null until it is decided.
    decision: Option<String>,
    /// By whom.
    decided_by: Option<PersonId>,
    /// When.
    decided_at: Option<String>,
    /// In his words.
    note: String,
}

/// A page of penalties.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PenaltyList {
    /// The penalties, newest first.
    items: Vec<PenaltyBody>,
    /// Cursor of the next page; null at the end.
    next: Option<String>,
}

/// What is said when a penalty is confirmed.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PenaltyConfirmationInput {
    /// At most 1,000 characters.
    note: Option<String>,
}

/// Why a penalty is cancelled, or appealed against.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PenaltyReasonInput {
    /// At most 1,000 characters.
    reason: String,
}

/// What is decided on an appeal.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PenaltyAppealDecisionInput {
    /// `upheld` (the penalty stands) or `withdrawn` (it is taken back).
    decision: String,
    /// At most 1,000 characters.
    reason: String,
}

/// List penalties
///
/// Those the caller may know of, the newest first: his own, those he decides on, those of people below him; all for
/// administrators.
#[utoipa::path(
    get, path = "/api/v1/penalties", tag = "penalties",
    params(
        ("place" = Option<String>, Query, pattern = "^(mine|todo|all)?$", description = "mine: his own; todo: those that wait for his decision; all when absent"),
        ("state" = Option<String>, Query, pattern = "^(proposed|appealed|confirmed|cancelled)?$", description = "Only in this state"),
        ("month" = Option<String>, Query, pattern = "^([0-9]{4}-(0[1-9]|1[0-2]))?$", description = "Only of this month, such as 2026-09"),
        ("person_id" = Option<String>, Query, description = "Only those that hit this person"),
        ("q" = Option<String>, Query, max_length = 100, description = "Part of the person's name or of the title"),
        ("after" = Option<String>, Query, description = "The cursor `next` of the page before"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "A page of penalties", body = PenaltyList), ReadProblems)
)]
async fn list_penalties(
    Shared(app): Shared<App>,
    actor: Actor,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))?;
    let (query, after) = query_of(&asked)?;
    let ground = Ground::of(&app).await?;
    let (items, next) = app
        .db
        .read(move |conn| {
            let (found, next) = list(conn, &actor, &ground, &query, after, limit)?;
            let items = found.iter().map(|penalty| penalty.json(&actor, ground.now)).collect();
            Ok::<_, AppError>((items, next.map(|next| next.to_string())))
        })
        .await?;
    Ok(json_reply(&page_of(items, next, None)))
}

fn query_of(asked: &QueryData) -> Result<(ListQuery, Option<PenaltyId>), AppError> {
    check_query(asked.get("q"))?;
    let place = match asked.get("place") {
        "" => Place::All,
        code => Place::named(code)
            .ok_or_else(|| AppError::field("place", text!("place 只能是 mine、todo 或 all")))?,
    };
    let state = match asked.get("state") {
        "" => None,
        code => Some(State::named(code).ok_or_else(|| {
            AppError::field("state", text!("state 只能是 proposed、appealed、confirmed 或 cancelled"))
        })?),
    };
    let month = match asked.get("month") {
        "" => None,
        text => Some(
            super::web::month(text).ok_or_else(|| AppError::field("month", text!("月份要写成 2026-09")))?,
        ),
    };
    let person = id_of(asked, "person_id")?;
    let after = id_of(asked, "after")?;
    Ok((ListQuery { place, state, month, person, text: asked.get("q").to_owned() }, after))
}

fn id_of<T: std::str::FromStr>(asked: &QueryData, name: &'static str) -> Result<Option<T>, AppError> {
    match asked.get(name) {
        "" => Ok(None),
        text => {
            text.parse().map(Some).map_err(|_| AppError::field(name, text!("不是有效的编号，应为 13 个字符")))
        }
    }
}

/// Show a penalty
#[utoipa::path(
    get, path = "/api/v1/penalties/{id}", tag = "penalties",
    params(("id" = inline(PenaltyId), Path)),
    responses((status = 200, description = "The penalty", body = PenaltyBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_penalty(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: PenaltyId = path_id(&id)?;
    let ground = Ground::of(&app).await?;
    app.db
        .read(move |conn| {
            let found = load(conn, &actor, &ground, id)?;
            Ok(Reply::ok(found.json(&actor, ground.now), found.version))
        })
        .await
}

/// Does something with a penalty, once for an `Idempotency-Key`, and answers it as it is then.
async fn write(
    app: &App,
    actor: Actor,
    headers: &HeaderMap,
    (id, act, request): (PenaltyId, &str, &str),
    body: impl Fn(&mut Tx<'_>, &Actor, &Ground) -> Result<Penalty, AppError> + Send + 'static,
) -> Result<Reply, AppError> {
    let ground = Ground::of(app).await?;
    let (by, seen, of) = (actor.clone(), actor.clone(), ground.clone());
    let path = format!("/api/v1/penalties/{id}/{act}");
    let may_see = move |tx: &mut Tx<'_>, body: &Json| load(tx, &seen, &of, id_in(body, "id")?).map(drop);
    write_once(app, &actor, headers, &["POST", &path, request], may_see, move |tx, _| {
        let done = body(tx, &by, &ground)?;
        Ok(Reply::ok(done.json(&by, ground.now), done.version))
    })
    .await
}

/// The only text of a body.
fn only(mut body: Map<String, Json>, key: &str) -> Result<String, AppError> {
    let mut errors = Vec::new();
    let text = take_text(&mut body, key, &mut errors).unwrap_or_default();
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    Ok(text)
}

/// Confirm a penalty
///
/// By one of its deciders, whoever acts for him, or an administrator; never by whoever it hits. 409 when it is not
/// proposed any more.
#[utoipa::path(
    post, path = "/api/v1/penalties/{id}/confirmation", tag = "penalties",
    params(("id" = inline(PenaltyId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this is based on; without it 428"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PenaltyConfirmationInput,
    responses((status = 200, description = "The penalty as it now is", body = PenaltyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn confirm_penalty(
    Shared(app): Shared<App>,
    actor: Actor,
    Based { id, version }: Based<PenaltyId>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let note = only(body, "note")?;
    write(&app, actor, &headers, (id, "confirmation", &request), move |tx, actor, ground| {
        confirm(tx, actor, ground, id, version, &note)
    })
    .await
}

/// Cancel a penalty
///
/// A proposed one by whoever may confirm it, a confirmed one by administrators only. Cancelled penalties count for
/// nothing.
#[utoipa::path(
    post, path = "/api/v1/penalties/{id}/cancellation", tag = "penalties",
    params(("id" = inline(PenaltyId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this is based on; without it 428"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PenaltyReasonInput,
    responses((status = 200, description = "The penalty as it now is", body = PenaltyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn cancel_penalty(
    Shared(app): Shared<App>,
    actor: Actor,
    Based { id, version }: Based<PenaltyId>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let reason = only(body, "reason")?;
    write(&app, actor, &headers, (id, "cancellation", &request), move |tx, actor, ground| {
        cancel(tx, actor, ground, id, version, &reason)
    })
    .await
}

/// Appeal against a penalty
///
/// By whoever it hits, once, until `appeal_until` (that instant included); 409 afterwards. Until the appeal is decided the
/// penalty is not final.
#[utoipa::path(
    post, path = "/api/v1/penalties/{id}/appeal", tag = "penalties",
    params(("id" = inline(PenaltyId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this is based on; without it 428"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PenaltyReasonInput,
    responses((status = 200, description = "The penalty as it now is", body = PenaltyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn appeal_penalty(
    Shared(app): Shared<App>,
    actor: Actor,
    Based { id, version }: Based<PenaltyId>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let reason = only(body, "reason")?;
    write(&app, actor, &headers, (id, "appeal", &request), move |tx, actor, ground| {
        appeal(tx, actor, ground, id, version, &reason)
    })
    .await
}

/// Decide on an appeal
///
/// By whoever may confirm the penalty. What is upheld is confirmed, what is withdrawn counts for nothing.
#[utoipa::path(
    post, path = "/api/v1/penalties/{id}/appeal-decision", tag = "penalties",
    params(("id" = inline(PenaltyId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this is based on; without it 428"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PenaltyAppealDecisionInput,
    responses((status = 200, description = "The penalty as it now is", body = PenaltyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn decide_penalty_appeal(
    Shared(app): Shared<App>,
    actor: Actor,
    Based { id, version }: Based<PenaltyId>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let decision = take_text(&mut body, "decision", &mut errors).unwrap_or_default();
    let reason = take_text(&mut body, "reason", &mut errors).unwrap_or_default();
    let decision = Decision::named(&decision);
    if decision.is_none() {
        errors.push(FieldError::new("decision", text!("decision 只能是 upheld 或 withdrawn")));
    }
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let decision = decision.ok_or(AppError::NotFound)?;
    write(&app, actor, &headers, (id, "appeal-decision", &request), move |tx, actor, ground| {
        decide_appeal(tx, actor, ground, id, version, (decision, &reason))
    })
    .await
}
