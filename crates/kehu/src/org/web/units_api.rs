//! Units for programs: `/api/v1/units`. Everybody who is signed in may know the organisation.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::clock::parse_date;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, UnitId};
use crate::input::{refuse, refuse_rest, shorten};
use crate::org::{self, Moment, UnitDraft, UnitRecord};
use crate::text;
use crate::web::api::{Based, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Organiser, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_units))
        .api(Need::May(Object::Organisation, Verb::Update), routes!(create_unit))
        .api(Need::SignedIn, routes!(show_unit))
        .api(Need::May(Object::Organisation, Verb::Update), routes!(update_unit, close_unit))
}

/// A unit.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct UnitBody {
    /// Id.
    id: UnitId,
    /// The unit above it.
    parent_id: Option<UnitId>,
    /// Code of the dictionary `unit_kind`.
    kind: String,
    /// Name.
    name: String,
    /// Short code, or null.
    code: Option<String>,
    /// Who leads it.
    head_id: Option<PersonId>,
    /// Order among its neighbours.
    position: i64,
    /// First day.
    opened_on: String,
    /// The day it was closed, null while it is open.
    closed_on: Option<String>,
    /// Whether it is open.
    is_open: bool,
    /// Counts changes.
    version: i64,
}

/// Units; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct UnitList {
    /// The units, each before those below it.
    items: Vec<UnitBody>,
    /// Always null.
    next: Option<String>,
}

/// A new unit.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct UnitInput {
    /// Name, 1–60 characters without a slash.
    name: String,
    /// Code or name of the dictionary `unit_kind`.
    kind: String,
    /// Short code, at most 30 characters without spaces and slashes; null or empty for none.
    code: Option<String>,
    /// The unit above it; null for a topmost one.
    parent_id: Option<UnitId>,
    /// Who leads it.
    head_id: Option<PersonId>,
    /// Order among its neighbours, 0–100,000; behind all of them when absent.
    position: Option<i64>,
}

/// A change of a unit; absent names stay as they are.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct UnitPatch {
    /// Name.
    name: Option<String>,
    /// Code or name of the dictionary `unit_kind`.
    kind: Option<String>,
    /// Short code; null or empty takes it away.
    code: Option<String>,
    /// The unit above it; null makes it a topmost one.
    parent_id: Option<UnitId>,
    /// Who leads it; null for nobody.
    head_id: Option<PersonId>,
    /// Order among its neighbours.
    position: Option<i64>,
    /// `true` opens a closed unit again, alone in the body; to close one use DELETE.
    is_open: Option<bool>,
}

fn json_of(unit: &UnitRecord) -> Json {
    let text = |t: &str| if t.is_empty() { Json::Null } else { t.into() };
    json!({
        "id": unit.id, "parent_id": unit.parent_id, "kind": unit.kind, "name": unit.name, "code": text(&unit.code),
        "head_id": unit.head_id, "position": unit.position, "opened_on": unit.opened_on,
        "closed_on": text(&unit.closed_on), "is_open": unit.is_open(), "version": unit.version,
    })
}

fn reply(unit: &UnitRecord) -> Reply {
    Reply::ok(json_of(unit), unit.version)
}

/// Text in a body; null is empty text.
pub(super) fn take_text(
    body: &mut Map<String, Json>,
    key: &'static str,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    match body.remove(key)? {
        Json::Null => Some(String::new()),
        Json::String(text) => Some(text),
        _ => {
            errors.push(FieldError::new(key, text!("这里要用文字")));
            None
        }
    }
}

/// An id or null in a body.
pub(super) fn take_id<T: std::str::FromStr>(
    body: &mut Map<String, Json>,
    key: &'static str,
    errors: &mut Vec<FieldError>,
) -> Option<Option<T>> {
    match body.remove(key)? {
        Json::Null => return Some(None),
        Json::String(text) => {
            if let Ok(id) = text.parse() {
                return Some(Some(id));
            }
        }
        _ => {}
    }
    errors.push(FieldError::new(key, text!("不是有效的编号，应为 13 个字符")));
    None
}

/// Yes or no in a body.
pub(super) fn take_bool(
    body: &mut Map<String, Json>,
    key: &'static str,
    errors: &mut Vec<FieldError>,
) -> Option<bool> {
    match body.remove(key)? {
        Json::Bool(value) => Some(value),
        _ => {
            errors.push(FieldError::new(key, text!("只能是 true 或 false")));
            None
        }
    }
}

const READ_ONLY: [&str; 4] = ["id", "version", "opened_on", "closed_on"];

fn draft(mut body: Map<String, Json>) -> Result<UnitDraft, AppError> {
    let mut errors = Vec::new();
    let draft = UnitDraft {
        name: take_text(&mut body, "name", &mut errors),
        kind: take_text(&mut body, "kind", &mut errors),
        code: take_text(&mut body, "code", &mut errors),
        parent_id: take_id(&mut body, "parent_id", &mut errors),
        head_id: take_id(&mut body, "head_id", &mut errors),
        position: match body.remove("position") {
            None | Some(Json::Null) => None,
            Some(value) => {
                let number = value.as_i64();
                if number.is_none() {
                    errors.push(FieldError::new("position", text!("顺序为 0–{} 的整数", 100_000)));
                }
                number
            }
        },
    };
    refuse_rest(&body, &READ_ONLY, &mut errors);
    refuse(errors)?;
    Ok(draft)
}

/// The day of `?on=`; empty for now.
pub(super) fn day_asked(asked: &QueryData) -> Result<Option<String>, AppError> {
    match asked.get("on") {
        "" => Ok(None),
        text => parse_date(text).map(Some).ok_or_else(|| {
            AppError::field("on", text!("“{}”不是日期，请用 2026-09-28 的写法", shorten(text)))
        }),
    }
}

/// Lists units
///
/// Each before those below it. With `on` as they stood at the end of that day; codes and order are always today's.
#[utoipa::path(
    get, path = "/api/v1/units", tag = "units",
    params(
        ("on" = Option<String>, Query, description = "A day, YYYY-MM-DD; today when absent"),
        ("closed" = Option<bool>, Query, description = "Closed ones too"),
    ),
    responses((status = 200, description = "The units", body = UnitList), ReadProblems)
)]
async fn list_units(State(app): State<App>, _: Actor, asked: QueryData) -> Result<Response, AppError> {
    let day = day_asked(&asked)?;
    let with_closed = match asked.get("closed") {
        "" | "false" => false,
        "true" => true,
        _ => return Err(AppError::field("closed", text!("只能是 true 或 false"))),
    };
    let mut units = app
        .db
        .read(move |conn| match &day {
            Some(day) => org::units_as_of(conn, day),
            None => org::list_units(conn),
        })
        .await?;
    units.retain(|u| with_closed || u.is_open());
    let items = org::in_tree_order(&units).into_iter().map(|(_, u)| json_of(u)).collect();
    Ok(json_reply(&page_of(items, None, None)))
}

/// Adds a unit
///
/// For whoever keeps the organisation; it is open from today on.
#[utoipa::path(
    post, path = "/api/v1/units", tag = "units",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = UnitInput,
    responses((status = 201, description = "The new unit", body = UnitBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_unit(
    State(app): State<App>,
    Organiser(actor): Organiser,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let draft = draft(body)?;
    let (person, catalogue, zone) = (actor.clone(), app.catalogue().await?, app.zone.clone());
    let request = ["POST", "/api/v1/units", &request];
    // Everybody may know the organisation.
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let done = write_once(&app, &person, &headers, &request, may_see, move |tx, now| {
        let unit = org::create_unit(tx, &actor, &catalogue, &draft, &Moment::new(now, &zone))?;
        Ok(Reply::created(json_of(&unit), unit.version))
    })
    .await;
    app.forget_sessions();
    done
}

/// Shows a unit.
#[utoipa::path(
    get, path = "/api/v1/units/{id}", tag = "units",
    params(("id" = inline(UnitId), Path)),
    responses((status = 200, description = "The unit", body = UnitBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_unit(State(app): State<App>, _: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: UnitId = path_id(&id)?;
    let unit = app.db.read(move |conn| org::load_unit(conn, id)).await?.ok_or(AppError::NotFound)?;
    Ok(reply(&unit))
}

/// Changes, moves or reopens a unit
///
/// For whoever keeps the organisation. Who sees what follows from the very next request.
#[utoipa::path(
    patch, path = "/api/v1/units/{id}", tag = "units",
    params(("id" = inline(UnitId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = UnitPatch,
    responses((status = 200, description = "The unit as it now is", body = UnitBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_unit(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Based { id, version }: Based<UnitId>,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let version = Some(version);
    let mut errors = Vec::new();
    let opens = take_bool(&mut body, "is_open", &mut errors);
    if opens == Some(false) || (opens.is_some() && !body.is_empty()) {
        errors
            .push(FieldError::new("is_open", text!("恢复部门时只能单独提交 is_open: true；撤销请用 DELETE")));
    }
    refuse(errors)?;
    let draft = draft(body)?;
    let (catalogue, at) = (app.catalogue().await?, app.moment());
    let done = app
        .db
        .write(move |tx| match opens {
            Some(_) => org::reopen_unit(tx, &actor, id, version, &at),
            None => org::change_unit(tx, &actor, &catalogue, id, version, &draft, &at),
        })
        .await;
    app.forget_sessions();
    done.map(|unit| reply(&unit))
}

/// Closes a unit
///
/// It stays in the history and can be opened again. 409 while units below it are open or posts in it are not over.
#[utoipa::path(
    delete, path = "/api/v1/units/{id}", tag = "units",
    params(("id" = inline(UnitId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Closed"), ChangeProblems)
)]
async fn close_unit(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Based { id, version }: Based<UnitId>,
) -> Result<Reply, AppError> {
    let version = Some(version);
    let at = app.moment();
    let done = app.db.write(move |tx| org::close_unit(tx, &actor, id, version, &at)).await;
    app.forget_sessions();
    done.map(|_| Reply::done())
}
