//! Tasks people give to each other, in the JSON API. Everybody reads those he sees; what he may do with one follows from
//! his part in it.

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use store::Conn;
use utoipa_axum::routes;

use super::give::read_priority;
use super::model::{Assignment, Draft, Ground, Patch, Right, State, Target};
use super::{ListQuery, Place, find, give, list, require_seen, right_of, steps, update};
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, customer_id, path_id};
use crate::customers;
use crate::error::{AppError, FieldError};
use crate::ids::{AssignmentId, CustomerId, PersonId, ProcessId, RoleId, UnitId};
use crate::input::{check_query, refuse, refuse_rest};
use crate::text;
use crate::web::api::{Based, Reply, id_in, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

mod acts;
mod company;

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .api(Need::SignedIn, routes!(list_assignments, create_assignment))
        .api(Need::SignedIn, routes!(show_assignment, update_assignment));
    company::routes(acts::routes(routes))
}

/// A person by id and name.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct NamedPerson {
    /// Id.
    id: PersonId,
    /// Name.
    name: String,
}

/// A customer as the caller may see it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct NamedCustomer {
    /// Id.
    id: CustomerId,
    /// Number.
    number: String,
    /// Name.
    name: String,
}

/// A task somebody gave.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AssignmentBody {
    /// Id.
    id: AssignmentId,
    /// What it is.
    title: String,
    /// More about it.
    body: String,
    /// Whether it is about a customer.
    has_customer: bool,
    /// The customer it is about; null without one, and for those who may not read it.
    customer: Option<NamedCustomer>,
    /// The process it belongs to.
    process_id: Option<ProcessId>,
    /// Who gave it.
    giver: NamedPerson,
    /// The unit it was given to.
    unit_id: Option<UnitId>,
    /// Its name; empty without one.
    unit: String,
    /// Code of the post it was given to; null for none.
    post: Option<String>,
    /// Who has it; null until somebody takes it.
    receiver: Option<NamedPerson>,
    /// For whom the caller acts with it, when it is not his own; null otherwise.
    acting_for: Option<NamedPerson>,
    /// `open`, `taken`, `done`, `returned` or `withdrawn`.
    state: String,
    /// `normal`, `high` or `urgent`.
    priority: String,
    /// Before when it must be done.
    due_at: String,
    /// Whether only a day was named; `due_at` is then its end.
    is_due_by_day: bool,
    /// Whether it is overdue, or was done too late.
    is_late: bool,
    /// The bundle its receiver gets on the customer while it is open; null for none.
    role_id: Option<RoleId>,
    /// What was answered.
    reply: String,
    /// When it was given, the last time.
    given_at: String,
    /// When it was taken.
    taken_at: Option<String>,
    /// When it was done, returned or withdrawn.
    ended_at: Option<String>,
    /// Counts changes.
    version: i64,
    /// Until when its receiver has the right on the customer now; null for none. Only with a single task.
    right_until: Option<String>,
    /// What happened to it, the oldest first. Only with a single task.
    steps: Option<Vec<StepBody>>,
}

/// Something that happened to a task.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct StepBody {
    /// When.
    at: String,
    /// `given`, `taken`, `done`, `returned`, `withdrawn`, `given_again`, `handed_over`, `giver_changed` or `changed`.
    kind: String,
    /// Name of who did it.
    by: String,
    /// Name of the one on whose behalf; null for his own.
    acting_for: Option<String>,
    /// To whom: name of a person, a unit or a post; empty when nobody got it.
    to: String,
    /// Reply, reason or note.
    note: String,
}

/// A page of tasks.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AssignmentList {
    /// The tasks.
    items: Vec<AssignmentBody>,
    /// Cursor of the next page; null at the end.
    next: Option<String>,
}

/// A task to be given.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct AssignmentInput {
    /// 1–80 characters.
    title: String,
    /// At most 2,000 characters.
    body: Option<String>,
    /// The customer it is about; the caller must be able to read it.
    customer_id: Option<CustomerId>,
    /// The process it belongs to: without a receiver it goes to whoever is responsible there.
    process_id: Option<ProcessId>,
    /// To this person, or
    person_id: Option<PersonId>,
    /// to this unit.
    unit_id: Option<UnitId>,
    /// A day `2026-09-30`, or a time: RFC 3339 or local to the company. At most 366 days ahead.
    due: String,
    /// `normal` when absent.
    priority: Option<String>,
    /// Id or code of the bundle its receiver gets on the customer; null for none, absent for the company's usual one as
    /// far as the caller may grant it.
    role: Option<String>,
}

/// A change of a task by its giver; absent names stay as they are.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct AssignmentPatch {
    /// 1–80 characters.
    title: Option<String>,
    /// At most 2,000 characters.
    body: Option<String>,
    /// A day or a time.
    due: Option<String>,
    /// `normal`, `high` or `urgent`.
    priority: Option<String>,
}

/// Tasks as the API sends them; of customers only what the actor may see.
pub(crate) fn told(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    tasks: &[Assignment],
) -> Result<Vec<Json>, AppError> {
    let (sight, now) = (ground.sight(actor), ground.now);
    let shown = customers::shown(conn, actor, tasks.iter().filter_map(|t| t.customer_id))?;
    let named = |id: PersonId, name: &str| json!({ "id": id, "name": name });
    Ok(tasks
        .iter()
        .map(|t| {
            let customer = t.customer_id.and_then(|id| shown.get(&id)).filter(|c| c.deleted_at.is_none());
            json!({
                "id": t.id, "title": t.title, "body": t.body, "has_customer": t.customer_id.is_some(),
                "customer": customer.map(|c| json!({ "id": c.id, "number": c.number, "name": c.name() })),
                "process_id": t.process_id, "giver": named(t.giver_id, &t.giver), "unit_id": t.unit_id,
                "unit": t.unit, "post": Some(&t.post).filter(|p| !p.is_empty()),
                "receiver": t.receiver_id.map(|id| named(id, &t.receiver)),
                "acting_for": ground.acted_for(&sight, t).map(|(id, name)| named(id, name)), "state": t.state.code(),
                "priority": t.priority.code(), "due_at": rfc3339(t.due.at), "is_due_by_day": t.due.is_by_day,
                "is_late": t.is_late(now), "role_id": t.role_id, "reply": t.reply,
                "given_at": rfc3339(t.given_at), "taken_at": t.taken_at.map(rfc3339),
                "ended_at": t.ended_at.map(rfc3339), "version": t.version,
            })
        })
        .collect())
}

/// One task with its history.
fn whole(conn: &mut Conn<'_>, actor: &Actor, ground: &Ground, task: &Assignment) -> Result<Json, AppError> {
    let mut body = told(conn, actor, ground, std::slice::from_ref(task))?.pop().unwrap_or(Json::Null);
    let steps: Vec<Json> = steps(conn, task.id)?
        .into_iter()
        .map(|s| {
            let to = [s.receiver, s.unit, s.post].into_iter().find(|to| !to.is_empty()).unwrap_or_default();
            let acting_for = Some(s.acting_for).filter(|name| !name.is_empty());
            json!({ "at": rfc3339(s.at), "kind": s.kind, "by": s.by, "acting_for": acting_for, "to": to, "note": s.note })
        })
        .collect();
    body["steps"] = steps.into();
    body["right_until"] = right_of(conn, task.id, ground.now)?.map(rfc3339).into();
    Ok(body)
}

/// Takes a text out of a body; `None` when absent, null is empty.
fn text_in(body: &mut Map<String, Json>, key: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    match body.remove(key)? {
        Json::Null => Some(String::new()),
        Json::String(text) => Some(text),
        _ => {
            errors.push(FieldError::new(key, text!("这里要用文字")));
            None
        }
    }
}

/// Takes an id out of a body; absent and null are none.
fn id_of<T: std::str::FromStr>(
    body: &mut Map<String, Json>,
    key: &str,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    match body.remove(key)? {
        Json::Null => return None,
        Json::String(text) => {
            if let Ok(id) = text.parse() {
                return Some(id);
            }
        }
        _ => {}
    }
    errors.push(FieldError::new(key, text!("不是有效的编号，应为 13 个字符")));
    None
}

/// To whom: a person or a unit, not both.
fn target_in(body: &mut Map<String, Json>, errors: &mut Vec<FieldError>) -> Option<Target> {
    let person = id_of(body, "person_id", errors).map(Target::Person);
    let unit = id_of(body, "unit_id", errors).map(Target::Unit);
    if person.is_some() && unit.is_some() {
        errors.push(FieldError::new("unit_id", text!("只能交给一个人或一个部门，请去掉一个")));
    }
    person.or(unit)
}

fn draft(mut body: Map<String, Json>, directory: &Directory) -> Result<Draft, AppError> {
    let mut errors = Vec::new();
    let right = match body.remove("role") {
        None => Right::Usual,
        Some(Json::Null) => Right::Nothing,
        Some(Json::String(role)) => {
            let id = role.parse::<RoleId>().ok();
            let bundles = directory.roles();
            let bundle = bundles.iter().find(|r| r.is_bundle && (r.code == role || Some(r.id) == id));
            match bundle {
                Some(bundle) => Right::Bundle(bundle.id),
                None => {
                    errors.push(FieldError::new("role", text!("没有这种共享权限，请从列出的中选择")));
                    Right::Nothing
                }
            }
        }
        Some(_) => {
            errors.push(FieldError::new("role", text!("这里要用文字")));
            Right::Nothing
        }
    };
    let [title, text, due, priority] = ["title", "body", "due", "priority"]
        .map(|key| text_in(&mut body, key, &mut errors).unwrap_or_default());
    let priority = read_priority(&priority).unwrap_or_else(|error| {
        errors.push(error);
        Default::default()
    });
    let draft = Draft {
        title,
        body: text,
        customer: id_of(&mut body, "customer_id", &mut errors),
        process: id_of(&mut body, "process_id", &mut errors),
        to: target_in(&mut body, &mut errors),
        due,
        priority,
        right,
    };
    refuse_rest(&body, &READ_ONLY, &mut errors);
    refuse(errors)?;
    Ok(draft)
}

const READ_ONLY: [&str; 8] =
    ["id", "version", "state", "giver", "receiver", "given_at", "taken_at", "ended_at"];

/// Lists tasks people gave
///
/// `place` says whose: `mine` (the caller's to do, his unit's and his post's), `given` (by the caller), `people` (of
/// those below him), `informed` (his unit or post is informed of), `seen` (all of these). What is not over comes by due date, everything else
/// the newest first.
#[utoipa::path(
    get, path = "/api/v1/assignments", tag = "assignments",
    params(
        ("place" = Option<String>, Query, pattern = "^(mine|given|people|informed|seen)?$", description = "mine when absent"),
        ("state" = Option<String>, Query, pattern = "^(open|taken|done|returned|withdrawn|all)?$", description = "A state, or all; what is not over when absent"),
        ("late" = Option<String>, Query, pattern = "^1?$", description = "1 for overdue ones only"),
        ("process_id" = Option<String>, Query, description = "Only those of this process"),
        ("customer_id" = Option<String>, Query, description = "Only those about this customer"),
        ("q" = Option<String>, Query, max_length = 100, description = "Words in the title"),
        ("after" = Option<String>, Query, description = "The cursor `next` of the page before"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "A page of tasks", body = AssignmentList), ReadProblems)
)]
async fn list_assignments(
    Shared(app): Shared<App>,
    actor: Actor,
    asked: QueryData,
) -> Result<Response, AppError> {
    let mut query = list_query(&asked)?;
    query.limit = limit(asked.find("limit"))?;
    let ground = Ground::of(&app).await?;
    let (items, next) = app
        .db
        .read(move |conn| {
            let (found, next) = list(conn, &actor, &ground, &query)?;
            Ok::<_, AppError>((told(conn, &actor, &ground, &found)?, next))
        })
        .await?;
    Ok(json_reply(&page_of(items, next, None)))
}

/// What an address asks for; everything but how many.
pub(super) fn list_query(asked: &QueryData) -> Result<ListQuery, AppError> {
    let place = match asked.get("place") {
        "" => Place::Mine,
        code => Place::named(code).ok_or_else(|| {
            AppError::field("place", text!("place 只能是 mine、given、people、informed 或 seen"))
        })?,
    };
    let state = match asked.get("state") {
        "" | "all" => None,
        code => Some(State::named(code).ok_or_else(|| {
            AppError::field("state", text!("state 只能是 open、taken、done、returned、withdrawn 或 all"))
        })?),
    };
    let process = match asked.get("process_id") {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|_| AppError::field("process_id", text!("不是有效的编号，应为 13 个字符")))?,
        ),
    };
    check_query(asked.get("q"))?;
    if !matches!(asked.get("late"), "" | "1") {
        return Err(AppError::field("late", text!("late 只能是 1，或不写")));
    }
    Ok(ListQuery {
        place,
        state,
        every_state: asked.get("state") == "all",
        only_late: asked.is_ticked("late"),
        process,
        customer: customer_id(asked)?,
        q: asked.get("q").to_owned(),
        after: asked.find("after").filter(|a| !a.is_empty()).map(str::to_owned),
        limit: 50,
    })
}

/// Gives a task to a person or a unit
///
/// One that names a process goes to whoever is responsible there. About a customer, its receiver gets a bundle on that
/// customer for as long as the task is open, never more than the caller may grant.
#[utoipa::path(
    post, path = "/api/v1/assignments", tag = "assignments",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = AssignmentInput,
    responses((status = 201, description = "The task", body = AssignmentBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let ground = Ground::of(&app).await?;
    let draft = draft(body, &ground.directory)?;
    let (by, seen, of) = (actor.clone(), actor.clone(), ground.clone());
    let request = ["POST", "/api/v1/assignments", &request];
    let may_see = move |tx: &mut store::Tx<'_>, body: &Json| require_seen(tx, &seen, &of, id_in(body, "id")?);
    let done = write_once(&app, &actor, &headers, &request, may_see, move |tx, _| {
        let task = give(tx, &by, &ground, &draft)?;
        Ok(Reply::created(whole(tx, &by, &ground, &task)?, task.version))
    })
    .await;
    app.forget_sessions();
    done
}

/// Shows a task with its history
#[utoipa::path(
    get, path = "/api/v1/assignments/{id}", tag = "assignments",
    params(("id" = inline(AssignmentId), Path)),
    responses((status = 200, description = "The task", body = AssignmentBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: AssignmentId = path_id(&id)?;
    let ground = Ground::of(&app).await?;
    app.db
        .read(move |conn| {
            let task = find(conn, &actor, &ground, id)?;
            Ok(Reply::ok(whole(conn, &actor, &ground, &task)?, task.version))
        })
        .await
}

/// Changes a task
///
/// Its giver, or an administrator, while it is not over. Another due date moves the end of the right on the customer.
#[utoipa::path(
    patch, path = "/api/v1/assignments/{id}", tag = "assignments",
    params(("id" = inline(AssignmentId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = AssignmentPatch,
    responses((status = 200, description = "The task as it now is", body = AssignmentBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_assignment(
    Shared(app): Shared<App>,
    actor: Actor,
    Based { id, version }: Based<AssignmentId>,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let mut errors = Vec::new();
    let [title, text, due, priority] =
        ["title", "body", "due", "priority"].map(|key| text_in(&mut body, key, &mut errors));
    let priority = priority.map(|code| read_priority(&code)).transpose().unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    refuse_rest(&body, &READ_ONLY, &mut errors);
    refuse(errors)?;
    let patch = Patch { title, body: text, due, priority };
    let ground = Ground::of(&app).await?;
    let done = app
        .db
        .write(move |tx| {
            let task = update(tx, &actor, &ground, id, Some(version), &patch)?;
            Ok(Reply::ok(whole(tx, &actor, &ground, &task)?, task.version))
        })
        .await;
    app.forget_sessions();
    done
}
