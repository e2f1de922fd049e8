//! The register of those who handle customer information in the JSON API: who is in it and has signed which version, and
//! putting people in and taking them out. Nobody signs through the API: a person reads and signs himself.

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use super::register::people_in;
use super::{Entry, RegisterQuery, State, end, list, register, text_in_force, texts};
use crate::access::{Directory, Object, Verb};
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{ChangeProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{HandlerId, PersonId, UnitId};
use crate::input::{check_query, refuse, refuse_rest};
use crate::org::{HANDLERS, HandlerRules};
use crate::settings;
use crate::text;
use crate::web::api::{Reply, json_reply, limit, page_of, write_once};
use crate::web::{Granter, JsonBody, Need, QueryData, Routes};

/// People named one by one in a request at the most.
const MOST_NAMED: usize = 200;

pub(super) fn routes(routes: Routes) -> Routes {
    let grants = Need::May(Object::Role, Verb::Update);
    routes
        .api(grants, routes!(list_handlers, register_handlers))
        .api(grants, routes!(list_confidentiality_texts))
        .api(grants, routes!(end_handler))
}

/// Somebody who handles customer information, or did.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct HandlerBody {
    /// Id of the entry.
    id: HandlerId,
    /// Who.
    person_id: PersonId,
    /// His name.
    person: String,
    /// Whether he may sign in.
    is_active: bool,
    /// The unit of his main post now.
    unit_id: Option<UnitId>,
    /// `signed` (the text in force), `waiting` or `ended`.
    state: String,
    /// What for.
    note: String,
    /// Since when.
    registered_at: String,
    /// Name of who registered him.
    registered_by: String,
    /// Until when; null while he is in the register.
    ended_at: Option<String>,
    /// Name of who took him out.
    ended_by: Option<String>,
    /// The newest version he signed.
    signed_version: Option<i64>,
    /// When.
    signed_at: Option<String>,
}

/// A page of the register.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct HandlerList {
    /// The entries, the newest first.
    items: Vec<HandlerBody>,
    /// Cursor of the next page; null at the end.
    next: Option<String>,
    /// How many there are.
    total: i64,
    /// Whether whoever is not in it, or has not signed, reaches no customer.
    is_on: bool,
    /// The version in force; null before there is one.
    version_in_force: Option<i64>,
}

/// Whom to register: people, or everybody who works in a unit or below it now.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct HandlersInput {
    /// 1–200 people, or
    person_ids: Option<Vec<PersonId>>,
    /// a unit.
    unit_id: Option<UnitId>,
    /// What for; at most 200 characters.
    note: Option<String>,
}

/// How many were registered.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct HandlersAdded {
    /// How many are new; those who were in the register stay as they are.
    added: usize,
}

/// A version of the text that is signed.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ConfidentialityText {
    /// Counts from 1; the largest is in force.
    version: i64,
    /// Its title.
    title: String,
    /// Its words.
    body: String,
    /// When it was published.
    published_at: String,
    /// Name of who published it.
    published_by: String,
    /// How many people signed it.
    signatures: i64,
}

/// Every version of the text.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ConfidentialityTextList {
    /// The newest first, at most 200.
    items: Vec<ConfidentialityText>,
    /// Always null.
    next: Option<String>,
}

fn no_id(field: &'static str) -> AppError {
    AppError::field(field, text!("不是有效的编号，应为 13 个字符"))
}

fn wanted(asked: &QueryData, directory: &Directory) -> Result<RegisterQuery, AppError> {
    check_query(asked.get("q"))?;
    let units = match asked.get("unit_id") {
        "" => Vec::new(),
        text => {
            let unit: UnitId = text.parse().map_err(|_| no_id("unit_id"))?;
            let unit =
                directory.unit(unit).ok_or_else(|| AppError::field("unit_id", text!("没有这个部门")))?;
            directory.tree(unit.id)
        }
    };
    let state = match asked.get("state") {
        "" => None,
        code => Some(
            State::named(code)
                .ok_or_else(|| AppError::field("state", text!("state 只能是 signed、waiting 或 ended")))?,
        ),
    };
    let after = match asked.get("after") {
        "" => None,
        text => {
            Some(text.parse().map_err(|_| AppError::field("after", text!("after 须是上一页给出的 next")))?)
        }
    };
    Ok(RegisterQuery { q: asked.get("q").to_owned(), units, state, after })
}

fn told(entry: &Entry, in_force: i64, directory: &Directory, day: &str) -> Json {
    json!({
        "id": entry.id, "person_id": entry.person_id, "person": entry.person, "is_active": entry.is_active,
        "unit_id": directory.main_unit(entry.person_id, day), "state": entry.state(in_force).code(),
        "note": entry.note, "registered_at": rfc3339(entry.registered_at), "registered_by": entry.registered_by,
        "ended_at": entry.ended_at.map(rfc3339), "ended_by": entry.ended_at.map(|_| &entry.ended_by),
        "signed_version": (entry.signed_version > 0).then_some(entry.signed_version),
        "signed_at": entry.signed_at.map(rfc3339),
    })
}

/// Lists who handles customer information
///
/// Who is in the register, since when and by whom, and which version each signed. Everybody in it now when no state is
/// asked for.
#[utoipa::path(
    get, path = "/api/v1/handlers", tag = "confidentiality",
    params(
        ("q" = Option<String>, Query, max_length = 100, description = "A part of the name, or its pinyin"),
        ("unit_id" = Option<String>, Query, description = "Only people who work in this unit or below it now"),
        ("state" = Option<String>, Query, pattern = "^(signed|waiting|ended)?$", description = "signed: the text in force; waiting: not yet; ended: not in the register any more"),
        ("after" = Option<String>, Query, description = "The cursor `next` of the page before"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "A page of the register", body = HandlerList), ReadProblems)
)]
async fn list_handlers(
    Shared(app): Shared<App>,
    Granter(actor): Granter,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))?;
    let (directory, day) = (app.directory().await?, app.today().to_string());
    let query = wanted(&asked, &directory)?;
    let on = day.clone();
    let (rules, text, (mut entries, total)) = app
        .db
        .read(move |conn| {
            let rules: HandlerRules = settings::get(conn, HANDLERS)?;
            Ok::<_, AppError>((rules, text_in_force(conn)?, list(conn, &actor, &query, &on, limit + 1)?))
        })
        .await?;
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| has_more).map(|entry| entry.id.to_string());
    let version = text.map(|text| text.version);
    let told = |entry| told(entry, version.unwrap_or(0), &directory, &day);
    let mut page = page_of(entries.iter().map(told).collect(), next, Some(total));
    (page["is_on"], page["version_in_force"]) = (rules.is_on.into(), version.into());
    Ok(json_reply(&page))
}

/// Lists the versions of the text
///
/// That people sign, with how many signed each.
#[utoipa::path(
    get, path = "/api/v1/handlers/texts", tag = "confidentiality",
    responses((status = 200, description = "Every version", body = ConfidentialityTextList), ReadProblems)
)]
async fn list_confidentiality_texts(Shared(app): Shared<App>, _: Granter) -> Result<Response, AppError> {
    let all = app.db.read(texts).await?;
    let items = all.iter().map(|text| {
        json!({
            "version": text.version, "title": text.title, "body": text.body,
            "published_at": rfc3339(text.published_at), "published_by": text.published_by,
            "signatures": text.signatures,
        })
    });
    Ok(json_reply(&page_of(items.collect(), None, None)))
}

/// Whom a body names, and what for.
fn chosen(
    mut body: Map<String, Json>,
    directory: &Directory,
    day: &str,
) -> Result<(Vec<PersonId>, String), AppError> {
    let mut errors = Vec::new();
    let people: Option<Vec<PersonId>> = match body.remove("person_ids") {
        None | Some(Json::Null) => None,
        Some(Json::Array(ids)) if (1..=MOST_NAMED).contains(&ids.len()) => {
            let read: Option<Vec<PersonId>> = ids.iter().map(|id| id.as_str()?.parse().ok()).collect();
            if read.is_none() {
                errors.push(FieldError::new("person_ids", text!("不是有效的编号，应为 13 个字符")));
            }
            read
        }
        Some(_) => {
            errors.push(FieldError::new("person_ids", text!("请给出 1–{} 个人员的编号", MOST_NAMED)));
            None
        }
    };
    let unit = match body.remove("unit_id") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) if text.parse::<UnitId>().is_ok() => text.parse::<UnitId>().ok(),
        Some(_) => {
            errors.push(FieldError::new("unit_id", text!("不是有效的编号，应为 13 个字符")));
            None
        }
    };
    let note = match body.remove("note") {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text,
        Some(_) => {
            errors.push(FieldError::new("note", text!("这里要用文字")));
            String::new()
        }
    };
    refuse_rest(&body, &[], &mut errors);
    if errors.is_empty() && people.is_some() == unit.is_some() {
        errors.push(FieldError::new("person_ids", text!("请选择要登记的人员或部门，只能给出其中一种")));
    }
    refuse(errors)?;
    match (people, unit) {
        (Some(people), _) => Ok((people, note)),
        (None, unit) => {
            let unit = unit.and_then(|unit| directory.unit(unit));
            Ok((people_in(directory, unit, day).map_err(to_ids)?, note))
        }
    }
}

/// Errors of the register under the names of the API.
fn to_ids(error: AppError) -> AppError {
    let AppError::Invalid(mut errors) = error else { return error };
    for error in &mut errors {
        match error.field.as_str() {
            "unit" => error.field = "unit_id".into(),
            "person_id" => error.field = "person_ids".into(),
            _ => {}
        }
    }
    AppError::Invalid(errors)
}

/// Registers people
///
/// Those who are in the register stay as they are. Nobody registers himself but an administrator. They sign themselves.
#[utoipa::path(
    post, path = "/api/v1/handlers", tag = "confidentiality",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = HandlersInput,
    responses((status = 201, description = "Registered", body = HandlersAdded), ChangeProblems)
)]
async fn register_handlers(
    Shared(app): Shared<App>,
    Granter(actor): Granter,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let (people, note) = chosen(body, &*app.directory().await?, &app.today().to_string())?;
    let request = ["POST", "/api/v1/handlers", &request];
    let by = actor.clone();
    let done = write_once(
        &app,
        &actor,
        &headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            let added = register(tx, &by, &people, &note, now).map_err(to_ids)?;
            Ok(Reply { version: None, ..Reply::created(json!({ "added": added }), 0) })
        },
    )
    .await;
    app.forget_sessions();
    done
}

/// Takes somebody out of the register
///
/// What he signed stays on record.
#[utoipa::path(
    delete, path = "/api/v1/handlers/{id}", tag = "confidentiality",
    params(("id" = inline(HandlerId), Path)),
    responses((status = 204, description = "Taken out"), ChangeProblems)
)]
async fn end_handler(
    Shared(app): Shared<App>,
    Granter(actor): Granter,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: HandlerId = path_id(&id)?;
    let now = app.now();
    let done = app.db.write(move |tx| end(tx, &actor, id, now)).await;
    app.forget_sessions();
    done.map(|_| Reply::done())
}
