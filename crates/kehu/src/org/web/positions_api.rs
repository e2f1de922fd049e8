//! Posts held for programs: `/api/v1/people/{id}/positions`. Colleagues' posts are never hidden.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use super::units_api::{take_bool, take_id, take_text};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, PositionId, UnitId};
use crate::input::{refuse, refuse_rest};
use crate::org::{self, Moment, NewPosition, PositionChange, PositionRecord};
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Organiser, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_positions))
        .api(Need::May(Object::Organisation, Verb::Update), routes!(create_position))
        .api(Need::May(Object::Organisation, Verb::Update), routes!(update_position))
}

/// A post held.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PositionBody {
    /// Id.
    id: PositionId,
    /// Who holds it.
    person_id: PersonId,
    /// Where.
    unit_id: UnitId,
    /// Code of the dictionary `post`.
    post: String,
    /// Whether it is the main one.
    is_main: bool,
    /// Whom he reports to in it; null for the head of the unit.
    superior_id: Option<PersonId>,
    /// First day.
    starts_on: String,
    /// Last day; null until further notice.
    ends_on: Option<String>,
    /// Counts changes.
    version: i64,
}

/// Posts of a person; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PositionList {
    /// The posts, past ones too, the newest first.
    items: Vec<PositionBody>,
    /// Always null.
    next: Option<String>,
}

/// A post to be given.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct PositionInput {
    /// Where.
    unit_id: UnitId,
    /// Code or name of the dictionary `post`.
    post: String,
    /// First day, YYYY-MM-DD; today when absent or null.
    starts_on: Option<String>,
    /// Last day; null until further notice.
    ends_on: Option<String>,
    /// Whether it becomes the main one; a person's only post does anyhow.
    is_main: Option<bool>,
    /// Whom he reports to; null for the head of the unit.
    superior_id: Option<PersonId>,
}

/// A change of a post; absent names stay as they are.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub struct PositionPatch {
    /// First day.
    starts_on: Option<String>,
    /// Last day; null until further notice.
    ends_on: Option<String>,
    /// `true` makes it the main one.
    is_main: Option<bool>,
    /// Whom he reports to; null for the head of the unit.
    superior_id: Option<PersonId>,
}

fn json_of(position: &PositionRecord) -> Json {
    let ends_on = Some(&position.ends_on).filter(|d| !d.is_empty());
    json!({
        "id": position.id, "person_id": position.person_id, "unit_id": position.unit_id, "post": position.post,
        "is_main": position.is_main, "superior_id": position.superior_id, "starts_on": position.starts_on,
        "ends_on": ends_on, "version": position.version,
    })
}

const READ_ONLY: [&str; 3] = ["id", "person_id", "version"];

fn new_position(mut body: Map<String, Json>) -> Result<NewPosition, AppError> {
    let mut errors = Vec::new();
    let unit_id = take_id(&mut body, "unit_id", &mut errors).flatten();
    if unit_id.is_none() && errors.is_empty() {
        errors.push(FieldError::new("unit_id", text!("请选择部门")));
    }
    let is_main = if body.get("is_main").is_some_and(Json::is_null) {
        body.remove("is_main");
        None
    } else {
        take_bool(&mut body, "is_main", &mut errors)
    };
    let new = NewPosition {
        unit_id: unit_id.unwrap_or(UnitId(0)),
        post: take_text(&mut body, "post", &mut errors).unwrap_or_default(),
        starts_on: take_text(&mut body, "starts_on", &mut errors).filter(|d| !d.is_empty()),
        ends_on: take_text(&mut body, "ends_on", &mut errors).unwrap_or_default(),
        is_main: is_main.unwrap_or(false),
        superior_id: take_id(&mut body, "superior_id", &mut errors).flatten(),
    };
    refuse_rest(&body, &READ_ONLY, &mut errors);
    refuse(errors)?;
    Ok(new)
}

/// Lists the posts a person holds and held
#[utoipa::path(
    get, path = "/api/v1/people/{id}/positions", tag = "people",
    params(("id" = inline(PersonId), Path)),
    responses((status = 200, description = "The posts", body = PositionList), ReadProblems)
)]
async fn list_positions(
    State(app): State<App>,
    _: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let held = app
        .db
        .read(move |conn| {
            org::load_person(conn, id)?.ok_or(AppError::NotFound)?;
            Ok::<_, AppError>(org::list_positions(conn, id)?)
        })
        .await?;
    Ok(json_reply(&page_of(held.iter().map(json_of).collect(), None, None)))
}

/// Gives a person a post
///
/// For whoever keeps the organisation; a post that brings roles the person does not have, for whoever may grant roles
/// too. What he may do and see follows from the very next request.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/positions", tag = "people",
    params(
        ("id" = inline(PersonId), Path),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    request_body = PositionInput,
    responses((status = 201, description = "The post", body = PositionBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_position(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: PersonId = path_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let new = new_position(body)?;
    let (person, catalogue, zone) = (actor.clone(), app.catalogue().await?, app.zone.clone());
    let path = format!("/api/v1/people/{id}/positions");
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let done = write_once(&app, &person, &headers, &["POST", &path, &request], may_see, move |tx, now| {
        let made = org::add_position(tx, &actor, &catalogue, id, &new, &Moment::new(now, &zone))?;
        Ok(Reply::created(json_of(&made), made.version))
    })
    .await;
    app.forget_sessions();
    done
}

/// Ends a post, makes it the main one, or names another superior
#[utoipa::path(
    patch, path = "/api/v1/people/{id}/positions/{position}", tag = "people",
    params(
        ("id" = inline(PersonId), Path),
        ("position" = inline(PositionId), Path),
        ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428"),
    ),
    request_body = PositionPatch,
    responses((status = 200, description = "The post as it now is", body = PositionBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_position(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Path((id, position)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let (id, position): (PersonId, PositionId) = (path_id(&id)?, path_id(&position)?);
    let version = Some(if_match(&headers)?);
    let mut errors = Vec::new();
    let change = PositionChange {
        starts_on: take_text(&mut body, "starts_on", &mut errors),
        ends_on: take_text(&mut body, "ends_on", &mut errors),
        is_main: take_bool(&mut body, "is_main", &mut errors),
        superior_id: take_id(&mut body, "superior_id", &mut errors),
    };
    refuse_rest(&body, &["id", "person_id", "version", "unit_id", "post"], &mut errors);
    refuse(errors)?;
    let at = app.moment();
    let done = app
        .db
        .write(move |tx| {
            // A post of somebody else is not found here.
            org::load_position(tx, position)?.filter(|p| p.person_id == id).ok_or(AppError::NotFound)?;
            org::change_position(tx, &actor, position, version, &change, &at)
        })
        .await;
    app.forget_sessions();
    done.map(|changed| Reply::ok(json_of(&changed), changed.version))
}
