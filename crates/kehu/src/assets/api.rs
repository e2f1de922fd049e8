//! Assets in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value as Json;
use store::Tx;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa_axum::routes;

use super::load::ListQuery;
use super::model::{AssetKind, REMARK};
use super::{Asset, Draft, create, list, load, remove, update};
use crate::access::{Actor, Verb};
use crate::app::App;
use crate::contacts::api_parts::{
    ChangeProblems, CreateProblems, ReadProblems, customer_id, described, id_schema, path_id, sees_customer,
    take_customer,
};
use crate::error::AppError;
use crate::ids::AssetId;
use crate::text;
use crate::web::api::{Based, Reply, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_assets, create_asset))
        .api(Need::SignedIn, routes!(show_asset, update_asset, remove_asset))
}

/// An asset as it is sent.
pub struct AssetBody;
/// A new asset: `customer_id`, `kind` and `details` must be there.
pub struct AssetInput;
/// A change of an asset: names may be absent; null or empty text takes a value away.
pub struct AssetChange;

/// A page of assets.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AssetList {
    /// The assets.
    #[schema(value_type = Vec<AssetBody>)]
    items: Vec<Json>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// The fields of every kind in `details`; which of them an asset has is decided by its kind.
fn object() -> ObjectBuilder {
    let details = AssetKind::ALL.iter().fold(ObjectBuilder::new(), |o, kind| described(o, kind.fields()));
    let kinds = AssetKind::ALL.map(AssetKind::code);
    described(ObjectBuilder::new(), &REMARK)
        .property("kind", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(kinds)))
        .property("details", details.additional_properties(Some(AdditionalProperties::FreeForm(false))))
}

impl utoipa::PartialSchema for AssetBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        object()
            .property("id", id_schema())
            .property("customer_id", id_schema())
            .property("name", text())
            .property("code", text())
            .property("version", ObjectBuilder::new().schema_type(Type::Integer))
            .property("created_at", text())
            .property("updated_at", text())
            .required("id")
            .required("customer_id")
            .required("kind")
            .required("version")
            .into()
    }
}
impl utoipa::ToSchema for AssetBody {}

impl utoipa::PartialSchema for AssetInput {
    fn schema() -> RefOr<Schema> {
        object()
            .property("customer_id", id_schema())
            .required("customer_id")
            .required("kind")
            .required("details")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}
impl utoipa::ToSchema for AssetInput {}

impl utoipa::PartialSchema for AssetChange {
    fn schema() -> RefOr<Schema> {
        object().additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
    }
}
impl utoipa::ToSchema for AssetChange {}

fn kind(query: &QueryData) -> Result<Option<AssetKind>, AppError> {
    let named = |code| {
        AssetKind::named(code)
            .ok_or_else(|| AppError::field("kind", text!("种类只能是 vehicle、room、meter 或 product")))
    };
    query.find("kind").filter(|k| !k.is_empty()).map(named).transpose()
}

fn reply(asset: &Asset) -> Reply {
    Reply::ok(asset.json(), asset.version)
}

/// Lists assets, newest change first.
#[utoipa::path(
    get, path = "/api/v1/assets", tag = "assets",
    params(
        ("customer_id" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Only those of this customer"),
        ("kind" = Option<String>, Query, description = "vehicle, room, meter or product"),
        ("q" = Option<String>, Query, description = "Part of a name or number", max_length = 100),
        ("limit" = Option<i64>, Query, description = "How many", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "Cursor from next"),
    ),
    responses((status = 200, description = "A page of assets", body = AssetList), ReadProblems)
)]
async fn list_assets(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let asked = ListQuery {
        customer: customer_id(&query)?,
        kind: kind(&query)?,
        q: query.get("q").to_owned(),
        after: query.find("after").filter(|t| !t.is_empty()).map(str::to_owned),
        limit: limit(query.find("limit"))?,
    };
    let (assets, next) = app.db.read(move |conn| list(conn, &actor, &asked)).await?;
    Ok(json_reply(&page_of(assets.iter().map(Asset::json).collect(), next, None)))
}

/// Adds an asset to a customer.
#[utoipa::path(
    post, path = "/api/v1/assets", tag = "assets",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = AssetInput,
    responses((status = 201, description = "The new asset", body = AssetBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_asset(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let customer = take_customer(&mut body)?;
    let draft = Draft::from_json(body, None).map_err(AppError::Invalid)?;
    let person = actor.clone();
    let may_see = sees_customer(&actor);
    write_once(&app, &person, &headers, &["POST", "/api/v1/assets", &request], may_see, move |tx, now| {
        let asset = create(tx, &actor, customer, &draft, now)?;
        Ok(Reply::created(asset.json(), asset.version))
    })
    .await
}

/// Shows an asset.
#[utoipa::path(
    get, path = "/api/v1/assets/{id}", tag = "assets",
    params(("id" = inline(AssetId), Path)),
    responses((status = 200, description = "The asset", body = AssetBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_asset(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: AssetId = path_id(&id)?;
    let asset = app.db.read(move |conn| load(conn, &actor, Verb::Read, id)).await?;
    Ok(reply(&asset))
}

/// Changes an asset.
#[utoipa::path(
    patch, path = "/api/v1/assets/{id}", tag = "assets",
    params(("id" = inline(AssetId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = AssetChange,
    responses((status = 200, description = "The asset as it now is", body = AssetBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_asset(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<AssetId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let now = app.now();
    let change = move |tx: &mut Tx<'_>| {
        let kind = load(tx, &actor, Verb::Update, id)?.kind;
        let draft = Draft::from_json(body.clone(), Some(kind)).map_err(AppError::Invalid)?;
        update(tx, &actor, id, Some(version), &draft, now)
    };
    let asset = app.db.write(change).await?;
    Ok(reply(&asset))
}

/// Takes an asset away.
#[utoipa::path(
    delete, path = "/api/v1/assets/{id}", tag = "assets",
    params(("id" = inline(AssetId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_asset(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<AssetId>,
) -> Result<Reply, AppError> {
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}
