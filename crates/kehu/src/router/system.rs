//! Routes that belong to no feature: health, metrics, assets, the OpenAPI document.

use std::any::Any;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

use crate::app::App;
use crate::error::AppError;
use crate::web::api::{Problem, ProblemField};
use crate::web::{Need, Routes, assets};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/livez", Need::Public, live)
        .get("/readyz", Need::Public, ready)
        .get("/metrics", Need::Public, metrics)
        .get("/assets/{*path}", Need::Public, assets::serve)
        .get("/api/openapi.json", Need::Public, document)
}

async fn live() -> &'static str {
    "ok\n"
}

/// How long the database may take to answer before a server counts as not ready.
const READY: Duration = Duration::from_secs(2);

/// Ready means: the database answers soon and storage has not failed.
async fn ready(State(app): State<App>) -> Result<&'static str, AppError> {
    if app.db.is_failed() {
        return Err(AppError::Unavailable);
    }
    let asked = app.db.read(|conn| conn.count("SELECT COUNT(*) FROM company", &[]));
    match tokio::time::timeout(READY, asked).await {
        Ok(answer) => answer.map(|_| "ok\n").map_err(AppError::from),
        Err(_) => Err(AppError::Unavailable),
    }
}

/// Prometheus text. Only numbers that tell nothing of customers' content; open like the health checks.
async fn metrics(State(app): State<App>) -> Result<Response, AppError> {
    let (waiting, dead) = app
        .db
        .read(|conn| {
            Ok::<_, store::Error>((
                conn.count("SELECT COUNT(*) FROM jobs WHERE state IN ('waiting', 'running')", &[])?,
                conn.count("SELECT COUNT(*) FROM jobs WHERE state = 'dead'", &[])?,
            ))
        })
        .await?;
    let memory = resident_bytes();
    let failed = i64::from(app.db.is_failed());
    let full = i64::from(app.db.is_full());
    let body = format!(
        "# TYPE kehu_jobs_open gauge\nkehu_jobs_open {waiting}\n# TYPE kehu_jobs_dead gauge\nkehu_jobs_dead {dead}\n\
         # TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory}\n\
         # TYPE kehu_storage_failed gauge\nkehu_storage_failed {failed}\n\
         # TYPE kehu_storage_full gauge\nkehu_storage_full {full}\n"
    );
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], body).into_response())
}

/// Memory of this process, 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok()));
    pages.unwrap_or(0) * 4096
}

async fn document() -> Response {
    static JSON: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| super::openapi().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()).into_response()
}

/// Adds title, security and the problems every call may have to the collected paths.
pub(super) fn describe(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("kehu")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("客户管理系统接口。修改记录时带 If-Match，重复提交时带 Idempotency-Key。"))
        .build();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    let components = api.components.take().unwrap_or_else(|| ComponentsBuilder::new().build());
    let mut components = components;
    components.security_schemes.insert("token".into(), bearer.into());
    components.schemas.insert(Problem::name().into_owned(), Problem::schema());
    components.schemas.insert(ProblemField::name().into_owned(), ProblemField::schema());
    api.components = Some(components);
    api.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        describe_problems(operation);
        operation.parameters.iter_mut().flatten().for_each(describe_parameter);
    }
    api
}

/// What stands in the document itself; nothing of ours is referred to, but for schemas.
fn inline<T>(entry: &RefOr<T>) -> Option<&T> {
    match entry {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

/// Parameters are never null, for addresses and headers have no null, and their texts never contain NUL.
fn describe_parameter(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { return };
    if let SchemaType::Array(kinds) = &mut schema.schema_type {
        kinds.retain(|kind| *kind != Type::Null);
        if let [only] = kinds.as_slice() {
            schema.schema_type = SchemaType::Type(only.clone());
        }
    }
    if schema.schema_type == SchemaType::Type(Type::String) && parameter.parameter_in == ParameterIn::Query {
        schema.pattern.get_or_insert_with(|| "^[^\\u0000]*$".to_owned());
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Adds what an operation's form makes possible: extractors, the database and the protection around all routes answer
/// the same everywhere. What the operation itself says of a status stays.
fn describe_problems(operation: &mut Operation) {
    let parameters: Vec<&Parameter> = operation.parameters.iter().flatten().filter_map(inline).collect();
    let has = |place: ParameterIn| parameters.iter().any(|p| p.parameter_in == place);
    let has_header =
        |name: &str| parameters.iter().any(|p| p.parameter_in == ParameterIn::Header && p.name == name);
    let (has_body, has_key) = (operation.request_body.is_some(), has_header("Idempotency-Key"));
    let (has_path, has_query, has_version) =
        (has(ParameterIn::Path), has(ParameterIn::Query), has_header("If-Match"));
    let possible = [
        ("400", "The body cannot be read", has_body),
        ("401", "No valid token", true),
        ("403", "Not allowed, or a new password must be chosen first", true),
        ("404", "There is none, or the caller may not know it", has_path),
        ("408", "The body came too slowly", has_body),
        ("409", "The same Idempotency-Key is being worked on", has_key),
        ("412", "Somebody changed it meanwhile", has_version),
        ("413", "Too large", has_body || has_query),
        ("415", "Another content type is needed", has_body),
        ("422", "A value cannot be accepted", has_body || has_query || has_key),
        ("428", "If-Match is missing", has_version),
        ("500", "A mistake of the server; nothing was saved", true),
        ("503", "Busy; try again", true),
        ("507", "The disk is full", has_body || has_key || has_version),
    ];
    let responses = &mut operation.responses.responses;
    for (status, text, _) in possible.into_iter().filter(|(.., is_possible)| *is_possible) {
        let new = || RefOr::T(ResponseBuilder::new().description(text).build());
        responses.entry(status.to_owned()).or_insert_with(new);
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if response.content.is_empty() && status.starts_with(['4', '5']) {
            let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
            response.content.insert("application/problem+json".to_owned(), problem.into());
        }
    }
}

/// A panic in a handler becomes an ordinary internal error.
pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let text = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_default();
    let mut response = AppError::Internal(format!("panicked: {text}")).into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
