//! Parameters in the JSON API; administrators only.

use axum::extract::{Path, State as Extract};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value as Json, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, SchemaType, Type};
use utoipa_axum::routes;

use super::{Kind, Parameter, State, change, find, history, load, load_all};
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{ChangeProblems, ReadProblems};
use crate::error::AppError;
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, page_of};
use crate::web::{Administrator, JsonBody, Need, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::Administrator, routes!(list_parameters))
        .api(Need::Administrator, routes!(show_parameter, update_parameter))
        .api(Need::Administrator, routes!(list_parameter_changes))
}

/// A parameter as it is sent.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ParameterBody {
    /// Its stable name.
    name: String,
    /// What people call it (Chinese).
    title: String,
    /// Under which heading the page lists it (Chinese).
    group: String,
    /// What it does (Chinese).
    help: String,
    /// `whole`, `flag` or `time`.
    kind: String,
    /// What it holds: a whole number, true or false, or `HH:MM`.
    value: serde_json::Value,
    /// What it holds when nobody set it.
    default: serde_json::Value,
    /// Whether somebody set it.
    is_set: bool,
    /// What a whole number counts (Chinese); null for other kinds.
    unit: Option<String>,
    /// The least whole number; null for other kinds.
    min: Option<i64>,
    /// The most; null for other kinds.
    max: Option<i64>,
    /// Counts the changes.
    version: i64,
    /// When it was changed last (UTC); null for never.
    updated_at: Option<String>,
    /// By whom; null for nobody and for the command line.
    updated_by: Option<String>,
}

/// All parameters; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ParameterList {
    /// The parameters.
    items: Vec<ParameterBody>,
    /// Always null.
    next: Option<String>,
}

/// A change of a parameter.
pub struct ParameterChange;

impl utoipa::PartialSchema for ParameterChange {
    fn schema() -> RefOr<Schema> {
        let kinds = [Type::Integer, Type::Boolean, Type::String, Type::Null];
        let value = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter(kinds))
            .description(Some("What it shall hold; null lets the default hold again"));
        ObjectBuilder::new()
            .property("value", value)
            .required("value")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}
impl utoipa::ToSchema for ParameterChange {}

/// One change that was made.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ParameterChanged {
    /// When (UTC).
    at: String,
    /// Name of him who made it.
    by: String,
    /// What was set before; null for the default.
    before: serde_json::Value,
    /// What was set; null for the default.
    after: serde_json::Value,
}

/// The changes of a parameter.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ParameterHistory {
    /// The changes, newest first, at most 50.
    items: Vec<ParameterChanged>,
    /// Always null.
    next: Option<String>,
}

fn body(state: &State) -> Json {
    let parameter = state.parameter;
    let (unit, min, max) = match parameter.kind {
        Kind::Whole { unit, min, max, .. } => (Some(unit), Some(min), Some(max)),
        _ => (None, None, None),
    };
    json!({
        "name": parameter.name,
        "title": parameter.title,
        "group": parameter.group,
        "help": parameter.help,
        "kind": parameter.kind_code(),
        "value": state.value,
        "default": parameter.default_value(),
        "is_set": state.is_set,
        "unit": unit,
        "min": min,
        "max": max,
        "version": state.version,
        "updated_at": state.updated.map(|(at, _)| rfc3339(at)),
        "updated_by": state.updated.and_then(|(_, by)| (by.0 != 0).then_some(by)),
    })
}

fn named(app: &App, name: &str) -> Result<&'static Parameter, AppError> {
    find(app.hooks.parameters, name).ok_or(AppError::NotFound)
}

/// List the parameters
///
/// All of them, in the order of the page. Administrators only.
#[utoipa::path(
    get, path = "/api/v1/parameters", tag = "parameters",
    responses((status = 200, description = "All parameters", body = ParameterList), ReadProblems)
)]
async fn list_parameters(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
) -> Result<Response, AppError> {
    let parameters = app.hooks.parameters;
    let all = app.db.read(move |conn| load_all(conn, &actor, parameters)).await?;
    Ok(json_reply(&page_of(all.iter().map(body).collect(), None, None)))
}

/// Show a parameter
#[utoipa::path(
    get, path = "/api/v1/parameters/{name}", tag = "parameters",
    params(("name" = String, Path, pattern = "^[a-z_.]{1,60}$", description = "Its stable name")),
    responses((status = 200, description = "The parameter", body = ParameterBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_parameter(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(name): Path<String>,
) -> Result<Reply, AppError> {
    let parameter = named(&app, &name)?;
    let state = app.db.read(move |conn| load(conn, &actor, parameter)).await?;
    Ok(Reply::ok(body(&state), state.version))
}

/// Change a parameter
///
/// Null lets its default hold again.
#[utoipa::path(
    patch, path = "/api/v1/parameters/{name}", tag = "parameters",
    params(
        ("name" = String, Path, pattern = "^[a-z_.]{1,60}$", description = "Its stable name"),
        ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")
    ),
    request_body = ParameterChange,
    responses((status = 200, description = "The parameter as it now is", body = ParameterBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_parameter(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonBody(mut sent): JsonBody,
) -> Result<Reply, AppError> {
    let parameter = named(&app, &name)?;
    let version = if_match(&headers)?;
    let value = sent.remove("value").ok_or_else(|| AppError::field("value", text!("请填写 value")))?;
    if let Some((name, _)) = sent.iter().next() {
        return Err(AppError::field(name, text!("没有这个字段")));
    }
    let now = app.now();
    let state = app
        .db
        .write(move |tx| {
            let value = (!value.is_null()).then_some(&value);
            change(tx, &actor, parameter, value, Some(version), now)
        })
        .await?;
    Ok(Reply::ok(body(&state), state.version))
}

/// List the changes of a parameter
#[utoipa::path(
    get, path = "/api/v1/parameters/{name}/changes", tag = "parameters",
    params(("name" = String, Path, pattern = "^[a-z_.]{1,60}$", description = "Its stable name")),
    responses((status = 200, description = "The changes, newest first", body = ParameterHistory), ReadProblems)
)]
async fn list_parameter_changes(
    Extract(app): Extract<App>,
    Administrator(actor): Administrator,
    Path(name): Path<String>,
) -> Result<Response, AppError> {
    let parameter = named(&app, &name)?;
    let changes = app.db.read(move |conn| history(conn, &actor, parameter)).await?;
    let items = changes
        .iter()
        .map(|c| json!({ "at": rfc3339(c.at), "by": c.by, "before": c.before, "after": c.after }))
        .collect();
    Ok(json_reply(&page_of(items, None, None)))
}
