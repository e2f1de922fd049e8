//! 操作日志 and 登录日志: read, exported and verified by administrators. Doing so is itself recorded.

mod api;
mod export;
mod list;
mod logins;
mod pages;
mod words;

use utoipa_axum::routes;

use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/audit", Need::Administrator, pages::index)
        .get("/admin/audit/export", Need::Administrator, export::csv)
        .post("/admin/audit/verify", Need::Administrator, pages::verify_chains)
        .get("/admin/logins", Need::Administrator, logins::index)
        .api(Need::Administrator, routes!(api::list_audit))
}
