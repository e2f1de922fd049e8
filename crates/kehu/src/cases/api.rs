//! Cases in the JSON API: lists, opening, acting, deciding, and what waits for the caller. What may be done with a case
//! follows from the regulation it is carried out under.

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use policy::engine::{Moment, Verdict};
use policy::model::{Field, FieldKind, Form};
use policy::value::Value;
use serde_json::{Map, Value as Json, json};
use store::{Conn, Tx};
use utoipa_axum::routes;

use super::load::{Loaded, hold};
use super::model::{Case, CaseTask, Trail};
use super::{
    Done, Exemption, Ground, ListQuery, Place, act, decide, exempt, exemptions_of, list, load, open,
    tasks_of, trail_of, with_world,
};
use crate::access::Actor;
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems};
use crate::error::{AppError, FieldError};
use crate::ids::{CaseId, CaseTaskId, CustomerId, ExemptionId, PersonId, PolicyVersionId, UnitId};
use crate::input::{check_query, refuse, refuse_rest};
use crate::text;
use crate::web::api::{Reply, id_in, if_match_given, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_cases, create_case))
        .api(Need::SignedIn, routes!(show_case))
        .api(Need::SignedIn, routes!(act_on_case))
        .api(Need::SignedIn, routes!(decide_case))
        .api(Need::SignedIn, routes!(list_exemptions, create_exemption))
        .api(Need::SignedIn, routes!(list_case_tasks))
}

/// A case.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CaseBody {
    /// Id.
    id: CaseId,
    /// Number.
    number: String,
    /// What it is called.
    subject: String,
    /// Short name of its policy.
    policy: String,
    /// The version of the policy it is carried out under.
    policy_version_id: PolicyVersionId,
    /// Short name of its form.
    form: String,
    /// The step it is at.
    step: String,
    /// What the step is called.
    step_title: String,
    /// Whether it has not ended.
    is_open: bool,
    /// How it ended; empty while it is open.
    outcome: String,
    /// Marks, such as `overdue`.
    marks: Vec<String>,
    /// Its customer.
    customer_id: Option<CustomerId>,
    /// Its unit.
    unit_id: Option<UnitId>,
    /// Who answers for it.
    owner_id: Option<PersonId>,
    /// Who opened it; null when an event did.
    creator_id: Option<PersonId>,
    /// The case that opened it.
    parent_id: Option<CaseId>,
    /// When it was opened.
    opened_at: String,
    /// When it ended.
    closed_at: Option<String>,
    /// The next of its deadlines.
    due_at: Option<String>,
    /// Counts what happened to it.
    version: i64,
    /// The values of its fields, by name; money in cents. Fields the caller may not see are absent. Only with a single
    /// case.
    values: Option<Map<String, Json>>,
    /// What the caller may do now. Only with a single case.
    actions: Option<Vec<ActionBody>>,
    /// Whether the caller has to decide now. Only with a single case.
    may_decide: Option<bool>,
    /// Who has to act now. Only with a single case.
    waiting_for: Option<Vec<PersonId>>,
    /// Its deadlines. Only with a single case.
    deadlines: Option<Vec<DeadlineBody>>,
    /// What happened to it, the oldest first. Only with a single case.
    trail: Option<Vec<TrailBody>>,
}

/// Something that may be done.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ActionBody {
    /// Its name.
    id: String,
    /// What stands on the button.
    title: String,
    /// Fields that must be filled.
    fill: Vec<String>,
    /// Fields that may be filled.
    offer: Vec<String>,
    /// The clause.
    clause: String,
}

/// A deadline of a case.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DeadlineBody {
    /// Its name.
    id: String,
    /// What it is called.
    title: String,
    /// The last instant in time.
    due_at: String,
    /// `running`, `met` or `breached`.
    standing: String,
    /// When it was met.
    met_at: Option<String>,
    /// The clause.
    clause: String,
}

/// Something that happened.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct TrailBody {
    /// When.
    at: String,
    /// Who; null for time and events.
    actor_id: Option<PersonId>,
    /// What kind.
    kind: String,
    /// In Chinese.
    text: String,
    /// The clauses it rests on.
    clause: String,
}

/// A page of cases.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CaseList {
    /// The cases.
    items: Vec<CaseBody>,
    /// Cursor of the next page; null at the end.
    next: Option<String>,
}

/// A case to be opened.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct CaseInput {
    /// The values of its fields, by name: money in cents or as text in yuan, times RFC 3339 or local, records by id.
    values: Map<String, Json>,
}

/// A button that is pressed.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct CaseActInput {
    /// The action's name.
    action: String,
    /// The values it takes.
    values: Option<Map<String, Json>>,
}

/// What an approver or the requester does in an approval.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct CaseDecisionInput {
    /// `approve`, `reject`, `return`, `add_before`, `add_after`, `reassign`, `withdraw`, `urge` or `recuse`.
    verdict: String,
    /// What is said; needed to reject, return and recuse. At most 2,000 characters.
    comment: Option<String>,
    /// The step it is returned to.
    to: Option<String>,
    /// Whom it is added or reassigned to.
    people: Option<Vec<PersonId>>,
    /// Values the approver fills.
    values: Option<Map<String, Json>>,
}

/// Something of a case that waits for the caller.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CaseTaskBody {
    /// Id.
    id: CaseTaskId,
    /// `act`, `decide` or `copy`.
    kind: String,
    /// The step.
    step_title: String,
    /// Since when.
    opened_at: String,
    /// When it was done.
    done_at: Option<String>,
    /// The case.
    case: CaseBody,
}

/// What waits for the caller.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CaseTaskList {
    /// The to-dos.
    items: Vec<CaseTaskBody>,
    /// Always null: the list is short.
    next: Option<String>,
}

fn told(case: &Case) -> Json {
    json!({
        "id": case.id, "number": case.number, "subject": case.subject, "policy": case.policy,
        "policy_version_id": case.version_id, "form": case.form, "step": case.step, "step_title": case.step_title,
        "is_open": case.is_open, "outcome": case.outcome, "marks": case.marks, "customer_id": case.customer_id,
        "unit_id": case.unit_id, "owner_id": case.owner_id, "creator_id": case.creator_id,
        "parent_id": case.parent_id, "opened_at": rfc3339(case.opened_at), "closed_at": case.closed_at.map(rfc3339),
        "due_at": case.due_at.map(rfc3339), "version": case.version,
    })
}

fn trail_json(line: &Trail) -> Json {
    json!({
        "at": rfc3339(line.at), "actor_id": line.actor_id, "kind": line.kind, "text": line.text,
        "clause": line.clause,
    })
}

/// A value for the API: times as RFC 3339.
fn value_json(field: &Field, value: &Value) -> Json {
    match (field.kind, value) {
        (FieldKind::Time, Value::Time(at)) => Json::from(rfc3339(*at)),
        (_, value) => value.to_json(),
    }
}

/// A case with all that hangs on it, as the actor may see it.
pub(super) fn whole(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    loaded: &Loaded,
) -> Result<Json, AppError> {
    let me = actor.person_id.to_string();
    let (hidden, actions, may_decide) = with_world(conn, ground, &loaded.policy.id, |world| {
        let moment = Moment { now: ground.now, actor: Some(&me), world };
        let hidden = if actor.is_administrator() {
            Vec::new()
        } else {
            loaded.policy.hidden_fields(&loaded.form, &loaded.state, Some(&me), ground.now, world)
        };
        let actions: Vec<Json> = loaded
            .policy
            .actions(&loaded.state, moment)
            .into_iter()
            .map(|action| {
                let names = |places: &[usize]| names_of(&loaded.form, places);
                let step = loaded.form.step(&loaded.state.step).map_or("", |step| step.clause.as_str());
                json!({
                    "id": action.id, "title": action.title, "fill": names(&action.fill),
                    "offer": names(&action.offer), "clause": action.clause.as_deref().unwrap_or(step),
                })
            })
            .collect();
        (hidden, actions, loaded.policy.may_decide(&loaded.state, moment))
    })?;
    let mut values = Map::new();
    for (place, (field, value)) in loaded.form.fields.iter().zip(&loaded.state.values).enumerate() {
        if value.is_known() && !hidden.contains(&place) {
            values.insert(field.id.clone(), value_json(field, value));
        }
    }
    let deadlines: Vec<Json> = loaded
        .state
        .clocks
        .iter()
        .filter_map(|(id, clock)| {
            let deadline = loaded.form.deadline(id)?;
            let standing = match clock.standing {
                policy::case::Standing::Running => "running",
                policy::case::Standing::Met => "met",
                policy::case::Standing::Breached => "breached",
            };
            Some(json!({
                "id": id, "title": deadline.title, "due_at": rfc3339(clock.due), "standing": standing,
                "met_at": clock.met_at.map(rfc3339), "clause": deadline.clause,
            }))
        })
        .collect();
    let hidden_titles: Vec<String> = hidden
        .iter()
        .filter_map(|place| loaded.form.fields.get(*place))
        .map(|f| format!("{}：", f.title))
        .collect();
    let trail: Vec<Json> = trail_of(conn, actor, loaded)?
        .iter()
        .filter(|line| {
            line.kind != "changed" || !hidden_titles.iter().any(|title| line.text.starts_with(title))
        })
        .map(trail_json)
        .collect();
    let mut body = told(&loaded.case);
    body["values"] = values.into();
    body["actions"] = actions.into();
    body["may_decide"] = may_decide.into();
    body["waiting_for"] = loaded.state.assigned.clone().into();
    body["deadlines"] = deadlines.into();
    body["trail"] = trail.into();
    Ok(body)
}

fn names_of(form: &Form, places: &[usize]) -> Vec<String> {
    places.iter().filter_map(|place| form.fields.get(*place)).map(|field| field.id.clone()).collect()
}

/// Lists cases of a form
///
/// Those the caller may read, the newest first.
#[utoipa::path(
    get, path = "/api/v1/cases/{form}", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("open" = Option<String>, Query, pattern = "^(true|false)?$", description = "Only open, or only ended ones"),
        ("step" = Option<String>, Query, max_length = 60, description = "Only at this step"),
        ("mark" = Option<String>, Query, max_length = 60, description = "Only with this mark, such as overdue"),
        ("customer_id" = Option<String>, Query, description = "Only of this customer"),
        ("q" = Option<String>, Query, max_length = 100, description = "Begin of the number, or part of the subject"),
        ("after" = Option<String>, Query, description = "The cursor `next` of the page before"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "A page of cases", body = CaseList), ReadProblems)
)]
async fn list_cases(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(form): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))?;
    let (query, after) = query_of(form, &asked)?;
    let ground = Ground::of(&app).await?;
    let (items, next) = app
        .db
        .read(move |conn| {
            let known =
                super::act::form_in_force(conn, &ground, query.form.as_deref().unwrap_or_default()).is_ok();
            let (found, next) = list(conn, &actor, &ground, &query, after, limit)?;
            if found.is_empty() && !known {
                return Err(AppError::NotFound);
            }
            Ok::<_, AppError>((found.iter().map(told).collect(), next.map(|place| place.0.to_string())))
        })
        .await?;
    Ok(json_reply(&page_of(items, next, None)))
}

fn query_of(form: String, asked: &QueryData) -> Result<(ListQuery, Option<Place>), AppError> {
    let is_open = match asked.get("open") {
        "" => None,
        "true" => Some(true),
        "false" => Some(false),
        _ => return Err(AppError::field("open", text!("open 只能是 true 或 false"))),
    };
    check_query(asked.get("q"))?;
    let some = |name| asked.word(name, 60).map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
    let id = |name: &'static str| match asked.get(name) {
        "" => Ok(None),
        text => {
            text.parse().map(Some).map_err(|_| AppError::field(name, text!("不是有效的编号，应为 13 个字符")))
        }
    };
    let after: Option<CaseId> = id("after")?.map(|id: CaseId| id);
    let query = ListQuery {
        form: Some(form),
        is_open,
        step: some("step")?,
        mark: some("mark")?,
        customer: id("customer_id")?.map(|id: CaseId| CustomerId(id.0)),
        text: asked.get("q").to_owned(),
        ..ListQuery::default()
    };
    Ok((query, after.map(Place)))
}

/// The `values` of a body: an object, empty when absent.
fn values_in(body: &mut Map<String, Json>, errors: &mut Vec<FieldError>) -> Map<String, Json> {
    match body.remove("values") {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(values)) => values,
        Some(_) => {
            errors.push(FieldError::new("values", text!("values 要是 字段代号: 值")));
            Map::new()
        }
    }
}

fn text_in(body: &mut Map<String, Json>, key: &str, errors: &mut Vec<FieldError>) -> String {
    match body.remove(key) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text,
        Some(_) => {
            errors.push(FieldError::new(key, text!("这里要用文字")));
            String::new()
        }
    }
}

/// Does something to a case, once for an `Idempotency-Key`, and answers it as it is then.
async fn write(
    app: &App,
    actor: Actor,
    headers: &HeaderMap,
    (path, request, created): (&str, &str, bool),
    body: impl Fn(&mut Tx<'_>, &Actor, &Ground) -> Result<Done, AppError> + Send + 'static,
) -> Result<Reply, AppError> {
    let ground = Ground::of(app).await?;
    let (by, seen, of) = (actor.clone(), actor.clone(), ground.clone());
    let request = ["POST", path, request];
    let may_see = move |tx: &mut Tx<'_>, body: &Json| load(tx, &seen, &of, id_in(body, "id")?).map(drop);
    let done = write_once(app, &actor, headers, &request, may_see, move |tx, _| {
        let done = body(tx, &by, &ground)?;
        let loaded = load(tx, &by, &ground, done.id)?;
        let whole = whole(tx, &by, &ground, &loaded)?;
        Ok(if created {
            Reply::created(whole, loaded.case.version)
        } else {
            Reply::ok(whole, loaded.case.version)
        })
    })
    .await;
    app.jobs_waiting.notify_one();
    done
}

/// Opens a case
///
/// Whoever the regulation says may. What must be filled, and what is refused, says the regulation in force.
#[utoipa::path(
    post, path = "/api/v1/cases/{form}", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    request_body = CaseInput,
    responses((status = 201, description = "The case", body = CaseBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_case(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(form): Path<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let values = values_in(&mut body, &mut errors);
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let path = format!("/api/v1/cases/{form}");
    write(&app, actor, &headers, (&path, &request, true), move |tx, actor, ground| {
        open(tx, actor, ground, &form, &values)
    })
    .await
}

/// Shows a case with its trail
#[utoipa::path(
    get, path = "/api/v1/cases/{form}/{id}", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("id" = inline(CaseId), Path),
    ),
    responses((status = 200, description = "The case", body = CaseBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_case(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((form, id)): Path<(String, String)>,
) -> Result<Reply, AppError> {
    let id = case_id(&id)?;
    let ground = Ground::of(&app).await?;
    app.db
        .read(move |conn| {
            let loaded = of_form(load(conn, &actor, &ground, id)?, &form)?;
            let body = whole(conn, &actor, &ground, &loaded)?;
            Ok(Reply::ok(body, loaded.case.version))
        })
        .await
}

fn case_id(id: &str) -> Result<CaseId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

fn of_form(loaded: Loaded, form: &str) -> Result<Loaded, AppError> {
    if loaded.case.form == form { Ok(loaded) } else { Err(AppError::NotFound) }
}

/// Acts on a case
///
/// Presses one of the buttons its step offers the caller (`actions` of the case). Who comes second is refused: the case
/// is at another step then (409). With `If-Match` it is done only to the case as the caller saw it: 412 when anything
/// has happened to it since, even if the step is still the same. It may be left out.
#[utoipa::path(
    post, path = "/api/v1/cases/{form}/{id}/actions", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("id" = inline(CaseId), Path),
        ("If-Match" = Option<String>, Header, description = "The ETag this is based on; 412 when the case has changed since. May be left out"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    request_body = CaseActInput,
    responses((status = 200, description = "The case", body = CaseBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn act_on_case(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((form, id)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let id = case_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let action = text_in(&mut body, "action", &mut errors);
    let values = values_in(&mut body, &mut errors);
    if action.is_empty() && errors.is_empty() {
        errors.push(FieldError::new("action", text!("请写明动作")));
    }
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let seen = if_match_given(&headers)?;
    let path = format!("/api/v1/cases/{form}/{id}/actions");
    write(&app, actor, &headers, (&path, &request, false), move |tx, actor, ground| {
        of_form(hold(tx, actor, ground, id)?, &form)?.require_version(seen)?;
        act(tx, actor, ground, id, &action, &values)
    })
    .await
}

/// Decides in an approval
///
/// Agrees, refuses, returns it to an earlier step, adds approvers, lets somebody else decide, takes the request back,
/// asks for speed, or steps aside. With `If-Match` only on the case as the caller saw it: 412 when anything has happened
/// to it since. It may be left out.
#[utoipa::path(
    post, path = "/api/v1/cases/{form}/{id}/decisions", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("id" = inline(CaseId), Path),
        ("If-Match" = Option<String>, Header, description = "The ETag this is based on; 412 when the case has changed since. May be left out"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    request_body = CaseDecisionInput,
    responses((status = 200, description = "The case", body = CaseBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn decide_case(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((form, id)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let id = case_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let [verdict, comment, to] = ["verdict", "comment", "to"].map(|key| text_in(&mut body, key, &mut errors));
    let people = people_in(&mut body, &mut errors);
    let values = values_in(&mut body, &mut errors);
    let verdict = verdict_of(&verdict, to, people).unwrap_or_else(|error| {
        errors.push(error);
        Verdict::Urge
    });
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let seen = if_match_given(&headers)?;
    let path = format!("/api/v1/cases/{form}/{id}/decisions");
    write(&app, actor, &headers, (&path, &request, false), move |tx, actor, ground| {
        of_form(hold(tx, actor, ground, id)?, &form)?.require_version(seen)?;
        decide(tx, actor, ground, id, &verdict, &comment, &values)
    })
    .await
}

fn people_in(body: &mut Map<String, Json>, errors: &mut Vec<FieldError>) -> Vec<String> {
    let all = match body.remove("people") {
        None | Some(Json::Null) => return Vec::new(),
        Some(Json::Array(all)) if all.len() <= 50 => all,
        Some(_) => {
            errors.push(FieldError::new("people", text!("people 要是人员编号的列表，最多 50 个")));
            return Vec::new();
        }
    };
    let mut people = Vec::new();
    for person in all {
        match person.as_str().and_then(|id| id.parse::<PersonId>().ok()) {
            Some(id) => people.push(id.to_string()),
            None => errors.push(FieldError::new("people", text!("不是有效的编号，应为 13 个字符"))),
        }
    }
    people
}

/// An exemption from a refusal.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ExemptionBody {
    /// Id.
    id: ExemptionId,
    /// Name of the refusal in its policy.
    refusal: String,
    /// The clause.
    clause: String,
    /// Why.
    reason: String,
    /// Who gave it.
    given_by: PersonId,
    /// When.
    given_at: String,
    /// Until when.
    until: String,
    /// When it was taken back.
    revoked_at: Option<String>,
}

/// The exemptions of a case.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ExemptionList {
    /// The newest first.
    items: Vec<ExemptionBody>,
    /// Always null.
    next: Option<String>,
}

/// An exemption to be given.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ExemptionInput {
    /// Name of the refusal in the case's policy.
    refusal: String,
    /// Why; 1–500 characters.
    reason: String,
    /// Until when: RFC 3339 or local; at most 366 days ahead.
    until: String,
}

fn exemption_json(exemption: &Exemption) -> Json {
    json!({
        "id": exemption.id, "refusal": exemption.refusal, "clause": exemption.clause, "reason": exemption.reason,
        "given_by": exemption.given_by, "given_at": rfc3339(exemption.given_at), "until": rfc3339(exemption.until_at),
        "revoked_at": exemption.revoked_at.map(rfc3339),
    })
}

/// Lists the exemptions of a case
#[utoipa::path(
    get, path = "/api/v1/cases/{form}/{id}/exemptions", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("id" = inline(CaseId), Path),
    ),
    responses((status = 200, description = "The exemptions", body = ExemptionList), ReadProblems)
)]
async fn list_exemptions(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((form, id)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let id = case_id(&id)?;
    let ground = Ground::of(&app).await?;
    let found = app
        .db
        .read(move |conn| {
            of_form(load(conn, &actor, &ground, id)?, &form)?;
            exemptions_of(conn, &actor, &ground, id)
        })
        .await?;
    Ok(json_reply(&page_of(found.iter().map(exemption_json).collect(), None, None)))
}

/// Exempts a case from a refusal
///
/// Whoever the clause names, with a reason and an end.
#[utoipa::path(
    post, path = "/api/v1/cases/{form}/{id}/exemptions", tag = "cases",
    params(
        ("form" = String, Path, pattern = "^[a-z][a-z0-9_-]{0,59}$", description = "Short name of the form"),
        ("id" = inline(CaseId), Path),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    request_body = ExemptionInput,
    responses((status = 201, description = "The exemption", body = ExemptionBody), ChangeProblems)
)]
async fn create_exemption(
    Shared(app): Shared<App>,
    actor: Actor,
    Path((form, id)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let id = case_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let [refusal, reason, until] =
        ["refusal", "reason", "until"].map(|key| text_in(&mut body, key, &mut errors));
    refuse_rest(&body, &[], &mut errors);
    let ground = Ground::of(&app).await?;
    let until = until
        .parse::<jiff::Timestamp>()
        .map(|at| at.as_millisecond())
        .ok()
        .or_else(|| ground.zone.parse(&until));
    if until.is_none() {
        errors.push(FieldError::new("until", text!("时间要写成 2026-09-28 16:20")));
    }
    refuse(errors)?;
    let until = until.unwrap_or_default();
    let (by, seen, of) = (actor.clone(), actor.clone(), ground.clone());
    let path = format!("/api/v1/cases/{form}/{id}/exemptions");
    let may_see = move |tx: &mut Tx<'_>, _: &Json| load(tx, &seen, &of, id).map(drop);
    write_once(&app, &actor, &headers, &["POST", &path, &request], may_see, move |tx, _| {
        of_form(load(tx, &by, &ground, id)?, &form)?;
        let given = exempt(tx, &by, &ground, id, &refusal, &reason, until)?;
        Ok(Reply::created(exemption_json(&given), 1))
    })
    .await
}

/// The verdict of this name; shared with the pages.
pub(crate) fn verdict_of(name: &str, to: String, people: Vec<String>) -> Result<Verdict, FieldError> {
    let one = || people.first().cloned().unwrap_or_default();
    Ok(match name {
        "approve" => Verdict::Approve,
        "reject" => Verdict::Reject,
        "return" => Verdict::Return(to),
        "add_before" => Verdict::AddBefore(people),
        "add_after" => Verdict::AddAfter(people),
        "reassign" => Verdict::Reassign(one()),
        "withdraw" => Verdict::Withdraw,
        "urge" => Verdict::Urge,
        "recuse" => Verdict::Recuse,
        _ => {
            let text = text!(
                "verdict 只能是 approve、reject、return、add_before、add_after、reassign、withdraw、urge 或 recuse"
            );
            return Err(FieldError::new("verdict", text));
        }
    })
}

/// Lists what waits for the caller
///
/// His own to-dos in cases; with `done` what he or others did of them; with `copies` what he got a copy of.
#[utoipa::path(
    get, path = "/api/v1/case-tasks", tag = "cases",
    params(
        ("done" = Option<String>, Query, pattern = "^1?$", description = "1 for those that are done"),
        ("copies" = Option<String>, Query, pattern = "^1?$", description = "1 for copies"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "The to-dos", body = CaseTaskList), ReadProblems)
)]
async fn list_case_tasks(
    Shared(app): Shared<App>,
    actor: Actor,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))? as i64;
    for name in ["done", "copies"] {
        if !matches!(asked.get(name), "" | "1") {
            return Err(AppError::field(name, text!("只能是 1，或不写")));
        }
    }
    let (done, copies) = (asked.is_ticked("done"), asked.is_ticked("copies"));
    let found: Vec<CaseTask> = app.db.read(move |conn| tasks_of(conn, &actor, copies, done, limit)).await?;
    let items = found
        .iter()
        .map(|task| {
            json!({
                "id": task.id, "kind": task.kind.code(), "step_title": task.step_title,
                "opened_at": rfc3339(task.opened_at), "done_at": task.done_at.map(rfc3339), "case": told(&task.case),
            })
        })
        .collect();
    Ok(json_reply(&page_of(items, None, None)))
}
