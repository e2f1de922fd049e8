//! Service strategies in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value as Json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa_axum::routes;

use super::model::FIELDS;
use super::{Draft, Strategy, create, list, load, remove, update};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::{
    ChangeProblems, CreateProblems, ReadProblems, described, id_schema, path_id,
};
use crate::error::AppError;
use crate::ids::StrategyId;
use crate::web::api::{Based, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Routes, Strategist};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_strategies))
        .api(Need::May(Object::Strategy, Verb::Update), routes!(create_strategy))
        .api(Need::SignedIn, routes!(show_strategy))
        .api(Need::May(Object::Strategy, Verb::Update), routes!(update_strategy, remove_strategy))
}

/// A service strategy as it is sent: null in `kind`, `class` and `level` means "any", elsewhere "not said".
pub struct StrategyBody;
/// A new service strategy: `name`, `content` and one of `kind`, `class`, `level` must be there.
pub struct StrategyInput;
/// A change of a service strategy: every name may be absent; null or empty text takes a value away.
pub struct StrategyChange;

/// All service strategies; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct StrategyList {
    /// The strategies, the wide ones first.
    #[schema(value_type = Vec<StrategyBody>)]
    items: Vec<Json>,
    /// Always null.
    next: Option<String>,
}

impl utoipa::PartialSchema for StrategyBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        described(ObjectBuilder::new(), &FIELDS)
            .property("id", id_schema())
            .property("version", ObjectBuilder::new().schema_type(Type::Integer))
            .property("created_at", text())
            .property("updated_at", text())
            .required("id")
            .required("name")
            .required("content")
            .required("version")
            .into()
    }
}
impl utoipa::ToSchema for StrategyBody {}

impl utoipa::PartialSchema for StrategyInput {
    fn schema() -> RefOr<Schema> {
        described(ObjectBuilder::new(), &FIELDS)
            .required("name")
            .required("content")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}
impl utoipa::ToSchema for StrategyInput {}

impl utoipa::PartialSchema for StrategyChange {
    fn schema() -> RefOr<Schema> {
        described(ObjectBuilder::new(), &FIELDS)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}
impl utoipa::ToSchema for StrategyChange {}

fn reply(strategy: &Strategy) -> Reply {
    Reply::ok(strategy.json(), strategy.version)
}

/// Lists service strategies
///
/// All of them, the wide groups first. Everybody who is signed in may read them.
#[utoipa::path(
    get, path = "/api/v1/service-strategies", tag = "service-strategies",
    responses((status = 200, description = "All service strategies", body = StrategyList), ReadProblems)
)]
async fn list_strategies(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let all = app.db.read(list).await?;
    Ok(json_reply(&page_of(all.iter().map(Strategy::json).collect(), None, None)))
}

/// Adds a service strategy for a group of customers
///
/// 409 when the same nature, class and level have one already.
#[utoipa::path(
    post, path = "/api/v1/service-strategies", tag = "service-strategies",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = StrategyInput,
    responses((status = 201, description = "The new strategy", body = StrategyBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_strategy(
    State(app): State<App>,
    Strategist(actor): Strategist,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let (person, catalogue) = (actor.clone(), app.catalogue().await?);
    let request = ["POST", "/api/v1/service-strategies", &request];
    // Everybody may read strategies.
    write_once(
        &app,
        &person,
        &headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            let strategy = create(tx, &actor, &catalogue, &draft, now)?;
            Ok(Reply::created(strategy.json(), strategy.version))
        },
    )
    .await
}

/// Shows a service strategy.
#[utoipa::path(
    get, path = "/api/v1/service-strategies/{id}", tag = "service-strategies",
    params(("id" = inline(StrategyId), Path)),
    responses((status = 200, description = "The strategy", body = StrategyBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_strategy(State(app): State<App>, _: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: StrategyId = path_id(&id)?;
    let strategy = app.db.read(move |conn| load(conn, id)).await?;
    Ok(reply(&strategy))
}

/// Changes a service strategy.
#[utoipa::path(
    patch, path = "/api/v1/service-strategies/{id}", tag = "service-strategies",
    params(("id" = inline(StrategyId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = StrategyChange,
    responses((status = 200, description = "The strategy as it now is", body = StrategyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_strategy(
    State(app): State<App>,
    Strategist(actor): Strategist,
    Based { id, version }: Based<StrategyId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let strategy =
        app.db.write(move |tx| update(tx, &actor, &catalogue, id, Some(version), &draft, now)).await?;
    Ok(reply(&strategy))
}

/// Takes a service strategy away.
#[utoipa::path(
    delete, path = "/api/v1/service-strategies/{id}", tag = "service-strategies",
    params(("id" = inline(StrategyId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_strategy(
    State(app): State<App>,
    Strategist(actor): Strategist,
    Based { id, version }: Based<StrategyId>,
) -> Result<Reply, AppError> {
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}
