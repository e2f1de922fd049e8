//! Every route of the application, in one list of features.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::web::{RouteInfo, Routes};
use crate::{
    activities, assets, assignments, audit, auth, backups, briefings, calendar, cases, catalogue, compliance,
    confidentiality, contacts, customers, demo, duties, files, imports, lists, mail, maintenance, notices,
    org, penalties, policies, prints, processes, reports, roles, rosters, search, settings, shares,
    strategies, tasks, web, workbench,
};

mod system;

/// Largest body of an ordinary form or API call, in bytes.
const BODY: usize = 1 << 20;

/// The routes of all features.
pub fn routes() -> Routes {
    let routes = system::routes(Routes::default());
    let routes = auth::web::routes(routes);
    let routes = workbench::routes(routes);
    let routes = customers::web::routes(routes);
    let routes = customers::api::routes(routes);
    let routes = contacts::routes(routes);
    let routes = assets::routes(routes);
    let routes = activities::routes(routes);
    let routes = files::routes(routes);
    let routes = imports::routes(routes);
    let routes = tasks::routes(routes);
    let routes = search::web::routes(routes);
    let routes = lists::routes(routes);
    let routes = org::web::routes(routes);
    let routes = catalogue::web::routes(routes);
    let routes = strategies::routes(routes);
    let routes = roles::routes(routes);
    let routes = confidentiality::routes(routes);
    let routes = shares::routes(routes);
    let routes = rosters::routes(routes);
    let routes = processes::routes(routes);
    let routes = assignments::routes(routes);
    let routes = notices::routes(routes);
    let routes = policies::routes(routes);
    let routes = cases::routes(routes);
    let routes = penalties::routes(routes);
    let routes = duties::routes(routes);
    let routes = mail::routes(routes);
    let routes = compliance::routes(routes);
    let routes = reports::routes(routes);
    let routes = briefings::routes(routes);
    let routes = prints::routes(routes);
    let routes = demo::routes(routes);
    let routes = maintenance::routes(routes);
    let routes = settings::routes(routes);
    let routes = calendar::routes(routes);
    let routes = backups::routes(routes);
    audit::web::routes(routes)
}

/// The table of routes: method, path, who may.
pub fn table() -> Vec<RouteInfo> {
    routes().table
}

/// The OpenAPI document of the API.
pub fn openapi() -> OpenApi {
    system::describe(routes().finish().1)
}

/// The whole service.
pub fn build(app: &App) -> Router {
    let (router, ..) = routes().finish();
    router
        .layer(DefaultBodyLimit::max(BODY))
        .layer(CatchPanicLayer::custom(system::panicked))
        .layer(from_fn_with_state(app.clone(), web::around))
        .layer(CompressionLayer::new().br(true).gzip(true))
        .with_state(app.clone())
}
