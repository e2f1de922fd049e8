//! Activities in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value as Json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa_axum::routes;

use super::list::ListQuery;
use super::model::FIELDS;
use super::{Activity, ActivityKind, Draft, create, list, load, remove, update};
use crate::access::{Actor, Verb};
use crate::app::App;
use crate::clock::{Millis, parse_date};
use crate::contacts::api_parts::{
    ChangeProblems, CreateProblems, ReadProblems, customer_id, described, id_schema, path_id, sees_customer,
    take_customer,
};
use crate::error::AppError;
use crate::ids::ActivityId;
use crate::text;
use crate::web::api::{Based, Reply, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_activities, create_activity))
        .api(Need::SignedIn, routes!(show_activity, update_activity, remove_activity))
}

/// An activity as it is sent.
pub struct ActivityBody;
/// A new activity: `customer_id`, `kind` and a `subject` or `body` must be there.
pub struct ActivityInput;
/// A change of an activity: names may be absent; null or empty text takes a value away.
pub struct ActivityChange;

/// A page of activities.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ActivityList {
    /// The activities.
    #[schema(value_type = Vec<ActivityBody>)]
    items: Vec<Json>,
    /// Cursor of the next page.
    next: Option<String>,
}

fn text_or_null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn common() -> ObjectBuilder {
    let kinds = ActivityKind::ALL.map(ActivityKind::code);
    described(ObjectBuilder::new(), &FIELDS)
        .property("kind", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(kinds)))
        .property("contact_id", text_or_null())
        .property("happened_at", text_or_null().description(Some("RFC 3339, or the company's local time")))
}

fn written() -> ObjectBuilder {
    common()
        .property("next_contact_on", text_or_null().description(Some("Planned next contact, YYYY-MM-DD")))
        .property(
            "is_done",
            ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Boolean, Type::Null])),
        )
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

impl utoipa::PartialSchema for ActivityBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        common()
            .property("id", id_schema())
            .property("customer_id", id_schema())
            .property("done_at", text_or_null())
            .property("done_by", text_or_null())
            .property("version", ObjectBuilder::new().schema_type(Type::Integer))
            .property("created_by", text())
            .property("created_at", text())
            .property("updated_at", text())
            .required("id")
            .required("customer_id")
            .required("kind")
            .required("version")
            .into()
    }
}
impl utoipa::ToSchema for ActivityBody {}

impl utoipa::PartialSchema for ActivityInput {
    fn schema() -> RefOr<Schema> {
        written().property("customer_id", id_schema()).required("customer_id").required("kind").into()
    }
}
impl utoipa::ToSchema for ActivityInput {}

impl utoipa::PartialSchema for ActivityChange {
    fn schema() -> RefOr<Schema> {
        written().into()
    }
}
impl utoipa::ToSchema for ActivityChange {}

fn reply(activity: &Activity) -> Reply {
    Reply::ok(activity.json(), activity.version)
}

/// The query of a list from an address: `customer_id`, `kind`, `author`, `from`, `to` (days, both included), `open`.
pub(super) fn list_query(app: &App, query: &QueryData) -> Result<ListQuery, AppError> {
    let given = |name: &str| query.find(name).map(str::trim).filter(|t| !t.is_empty());
    let day = |name: &'static str| -> Result<Option<(Millis, Millis)>, AppError> {
        let Some(text) = given(name) else { return Ok(None) };
        let date = parse_date(text).and_then(|d| d.parse().ok());
        let date = date.ok_or_else(|| AppError::field(name, text!("请填写日期，例如 2026-09-28")))?;
        Ok(Some(app.zone.day(date)))
    };
    let kind = given("kind")
        .map(|code| ActivityKind::named(code).ok_or_else(|| AppError::field("kind", text!("没有这种动态"))));
    let author =
        given("author").map(|id| id.parse().map_err(|_| AppError::field("author", text!("没有这位员工"))));
    Ok(ListQuery {
        customer: customer_id(query)?,
        kind: kind.transpose()?,
        author: author.transpose()?,
        from: day("from")?.map(|(start, _)| start),
        until: day("to")?.map(|(_, end)| end),
        only_open: query.is_ticked("open"),
        after: given("after").map(str::to_owned),
        limit: limit(query.find("limit"))?,
    })
}

/// List activities
///
/// Those of customers the caller may read, newest first.
#[utoipa::path(
    get, path = "/api/v1/activities", tag = "activities",
    params(
        ("customer_id" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Only those of this customer"),
        ("kind" = Option<String>, Query, description = "Only this kind"),
        ("author" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Only those written by this person"),
        ("from" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description = "First day, YYYY-MM-DD"),
        ("to" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description = "Last day, YYYY-MM-DD"),
        ("open" = Option<String>, Query, example = "1", description = "1: only needs nobody has met yet"),
        ("limit" = Option<i64>, Query, description = "How many", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "Cursor from next"),
    ),
    responses((status = 200, description = "A page of activities", body = ActivityList), ReadProblems)
)]
async fn list_activities(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    let asked = list_query(&app, &query)?;
    let (found, next) = app.db.read(move |conn| list(conn, &actor, &asked)).await?;
    Ok(json_reply(&page_of(found.iter().map(|l| l.activity.json()).collect(), next, None)))
}

/// Note an activity
#[utoipa::path(
    post, path = "/api/v1/activities", tag = "activities",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ActivityInput,
    responses((status = 201, description = "The new activity", body = ActivityBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_activity(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let customer = take_customer(&mut body)?;
    let draft = Draft::from_json(body, &app.zone).map_err(AppError::Invalid)?;
    let (catalogue, person) = (app.catalogue().await?, actor.clone());
    let may_see = sees_customer(&actor);
    write_once(&app, &person, &headers, &["POST", "/api/v1/activities", &request], may_see, move |tx, now| {
        let activity = create(tx, &actor, &catalogue, customer, &draft, now)?;
        Ok(Reply::created(activity.json(), activity.version))
    })
    .await
}

/// Read an activity
#[utoipa::path(
    get, path = "/api/v1/activities/{id}", tag = "activities",
    params(("id" = inline(ActivityId), Path)),
    responses((status = 200, description = "The activity", body = ActivityBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_activity(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: ActivityId = path_id(&id)?;
    let activity = app.db.read(move |conn| load(conn, &actor, Verb::Read, id)).await?;
    Ok(reply(&activity))
}

/// Change an activity
///
/// Words only by its author or an administrator; `is_done` of a need by everybody who works with the customer.
#[utoipa::path(
    patch, path = "/api/v1/activities/{id}", tag = "activities",
    params(("id" = inline(ActivityId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = ActivityChange,
    responses((status = 200, description = "The activity as it now is", body = ActivityBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_activity(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<ActivityId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let draft = Draft::from_json(body, &app.zone).map_err(AppError::Invalid)?;
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let activity =
        app.db.write(move |tx| update(tx, &actor, &catalogue, id, Some(version), &draft, now)).await?;
    Ok(reply(&activity))
}

/// Delete an activity
///
/// Only its author or an administrator; its files go with it.
#[utoipa::path(
    delete, path = "/api/v1/activities/{id}", tag = "activities",
    params(("id" = inline(ActivityId), Path), ("If-Match" = Option<String>, Header, description = "The ETag; without it 428")),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
async fn remove_activity(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<ActivityId>,
) -> Result<Reply, AppError> {
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}
