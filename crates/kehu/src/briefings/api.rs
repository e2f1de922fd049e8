//! Reports to superiors in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa_axum::routes;

use super::model::FIELDS;
use super::{Briefing, Draft, Inbox, Period, correct, ground, list, load, read, send};
use crate::access::Actor;
use crate::app::App;
use crate::contacts::api_parts::{
    ChangeProblems, CreateProblems, ReadProblems, described, id_schema, path_id,
};
use crate::error::{AppError, FieldError};
use crate::ids::BriefingId;
use crate::text;
use crate::web::api::{Based, Reply, id_in, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_briefings, send_briefing))
        .api(Need::SignedIn, routes!(show_briefing, correct_briefing))
        .api(Need::SignedIn, routes!(read_briefing))
}

/// A report to a superior as it is sent.
pub struct BriefingBody;
/// A new report: all of it must be there.
pub struct BriefingInput;
/// A correction of a report: names may be absent.
pub struct BriefingChange;

/// The newest reports of the caller.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct BriefingList {
    /// The reports, newest first.
    #[schema(value_type = Vec<BriefingBody>)]
    items: Vec<Json>,
    /// Always null.
    next: Option<String>,
}

fn text_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn day_schema() -> ObjectBuilder {
    text_schema().pattern(Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
}

fn figures_schema() -> ObjectBuilder {
    let integer = || ObjectBuilder::new().schema_type(Type::Integer);
    let by_kind = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(integer()));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "Activities of the period the writer may read, as counted when it was sent or corrected",
        ))
        .property("total", integer())
        .property("needs", integer())
        .property("open", integer().description(Some("Needs nobody had met yet")))
        .property("by_kind", by_kind)
}

impl utoipa::PartialSchema for BriefingBody {
    fn schema() -> RefOr<Schema> {
        let object = described(ObjectBuilder::new(), &FIELDS)
            .property("id", id_schema())
            .property("person_id", id_schema())
            .property("person", text_schema().description(Some("Name of the writer")))
            .property("superior_id", id_schema())
            .property("superior", text_schema().description(Some("Name of the superior")))
            .property("starts_on", day_schema())
            .property("ends_on", day_schema())
            .property("figures", figures_schema())
            .property("sent_at", text_schema())
            .property(
                "read_at",
                ObjectBuilder::new()
                    .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                    .description(Some("When the superior read it; from then on it cannot be corrected")),
            )
            .property("version", ObjectBuilder::new().schema_type(Type::Integer))
            .property("updated_at", text_schema());
        let required = ["id", "person_id", "superior_id", "starts_on", "ends_on", "figures", "version"];
        required.into_iter().fold(object, ObjectBuilder::required).into()
    }
}
impl utoipa::ToSchema for BriefingBody {}

impl utoipa::PartialSchema for BriefingInput {
    fn schema() -> RefOr<Schema> {
        let object = described(ObjectBuilder::new(), &FIELDS)
            .property("starts_on", text_schema().description(Some("First day, YYYY-MM-DD")))
            .property(
                "ends_on",
                text_schema().description(Some("Last day, YYYY-MM-DD; none that is to come")),
            )
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let required = ["starts_on", "ends_on", "analysis", "suggestions"];
        required.into_iter().fold(object, ObjectBuilder::required).into()
    }
}
impl utoipa::ToSchema for BriefingInput {}

impl utoipa::PartialSchema for BriefingChange {
    fn schema() -> RefOr<Schema> {
        described(ObjectBuilder::new(), &FIELDS)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}
impl utoipa::ToSchema for BriefingChange {}

fn reply(briefing: &Briefing) -> Reply {
    Reply::ok(briefing.json(), briefing.version)
}

/// Takes the period out of the body of a new report.
fn take_period(app: &App, body: &mut Map<String, Json>) -> Result<Period, AppError> {
    let mut errors = Vec::new();
    let mut day = |name: &str| match body.remove(name) {
        Some(Json::String(text)) => text,
        _ => {
            errors.push(FieldError::new(name, text!("请填写日期，例如 2026-09-28")));
            String::new()
        }
    };
    let (from, to) = (day("starts_on"), day("ends_on"));
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    Period::read(&from, &to, app.today()).map_err(AppError::Invalid)
}

/// List reports to superiors
///
/// The newest the caller wrote, or with `box=received` those he was sent.
#[utoipa::path(
    get, path = "/api/v1/briefings", tag = "briefings",
    params(
        ("box" = Option<String>, Query, pattern = "^(sent|received)?$", description = "sent (also when absent) or received"),
        ("limit" = Option<i64>, Query, description = "How many", minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "The reports", body = BriefingList), ReadProblems)
)]
async fn list_briefings(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    let inbox = match query.get("box") {
        "" | "sent" => Inbox::Sent,
        "received" => Inbox::Received,
        _ => return Err(AppError::field("box", text!("box 只能是 sent 或 received"))),
    };
    let limit = limit(query.find("limit"))?;
    let found = app.db.read(move |conn| list(conn, &actor, inbox, limit)).await?;
    Ok(json_reply(&page_of(found.iter().map(Briefing::json).collect(), None, None)))
}

/// Send a report to one's superior
///
/// About problems and needs of customers in a period, with suggestions; the superior is told. 409 when the period has one
/// already, or when the caller reports to nobody.
#[utoipa::path(
    post, path = "/api/v1/briefings", tag = "briefings",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = BriefingInput,
    responses((status = 201, description = "The new report", body = BriefingBody, headers(("ETag" = String))), CreateProblems)
)]
async fn send_briefing(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let period = take_period(&app, &mut body)?;
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let ground = ground(&app, &actor, &period).await?;
    let (person, reader) = (actor.clone(), actor.clone());
    let may_see = move |tx: &mut store::Tx<'_>, body: &Json| load(tx, &reader, id_in(body, "id")?).map(drop);
    write_once(&app, &person, &headers, &["POST", "/api/v1/briefings", &request], may_see, move |tx, now| {
        let briefing = send(tx, &actor, &period, &draft, &ground, now)?;
        Ok(Reply::created(briefing.json(), briefing.version))
    })
    .await
}

/// Read a report to a superior
///
/// For its writer and the superior it was sent to.
#[utoipa::path(
    get, path = "/api/v1/briefings/{id}", tag = "briefings",
    params(("id" = inline(BriefingId), Path)),
    responses((status = 200, description = "The report", body = BriefingBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_briefing(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: BriefingId = path_id(&id)?;
    let briefing = app.db.read(move |conn| load(conn, &actor, id)).await?;
    Ok(reply(&briefing))
}

/// Correct a report
///
/// Only its writer, until the superior has read it; its figures are counted anew.
#[utoipa::path(
    patch, path = "/api/v1/briefings/{id}", tag = "briefings",
    params(("id" = inline(BriefingId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = BriefingChange,
    responses((status = 200, description = "The report as it now is", body = BriefingBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn correct_briefing(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<BriefingId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let reader = actor.clone();
    let known = app.db.read(move |conn| load(conn, &reader, id)).await?;
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let period = Period::read(&known.starts_on, &known.ends_on, app.today()).map_err(AppError::Invalid)?;
    let (ground, now) = (ground(&app, &actor, &period).await?, app.now());
    let briefing = app.db.write(move |tx| correct(tx, &actor, id, version, &draft, &ground, now)).await?;
    Ok(reply(&briefing))
}

/// Note that a report was read
///
/// By the superior it was sent to; its writer is told and can correct it no more. Noting it again changes nothing.
#[utoipa::path(
    put, path = "/api/v1/briefings/{id}/reading", tag = "briefings",
    params(("id" = inline(BriefingId), Path)),
    responses((status = 200, description = "The report as it now is", body = BriefingBody, headers(("ETag" = String))), ReadProblems)
)]
async fn read_briefing(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let (id, now): (BriefingId, _) = (path_id(&id)?, app.now());
    let briefing = app.db.write(move |tx| read(tx, &actor, id, now)).await?;
    Ok(reply(&briefing))
}
