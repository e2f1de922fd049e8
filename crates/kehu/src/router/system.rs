//! Routes that belong to no feature: health, metrics, assets, the OpenAPI document.

use std::any::Any;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, SecurityRequirement};

use crate::app::App;
use crate::error::AppError;
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

/// Ready means: the database answers and storage has not failed.
async fn ready(State(app): State<App>) -> Result<&'static str, AppError> {
    if app.db.is_failed() {
        return Err(AppError::Unavailable);
    }
    app.db.read(|conn| conn.count("SELECT COUNT(*) FROM company", &[])).await?;
    Ok("ok\n")
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
    let body = format!(
        "# TYPE kehu_jobs_open gauge\nkehu_jobs_open {waiting}\n# TYPE kehu_jobs_dead gauge\nkehu_jobs_dead {dead}\n\
         # TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory}\n\
         # TYPE kehu_storage_failed gauge\nkehu_storage_failed {failed}\n"
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

/// Adds title and security to the collected paths.
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
    api.components = Some(components);
    api.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    api
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
