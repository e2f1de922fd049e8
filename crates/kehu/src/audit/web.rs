//! 操作日志 and 登录日志: read, exported and verified by administrators. Doing so is itself recorded.

mod api;
mod export;
mod list;
mod logins;
mod pages;
mod words;

pub use export::exported;

use utoipa_axum::routes;

use crate::access::{Object, Verb};
use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/audit", Need::May(Object::Audit, Verb::Read), pages::index)
        .get("/admin/audit/export", Need::May(Object::Audit, Verb::Read), export::csv)
        .post("/admin/audit/verify", Need::May(Object::Audit, Verb::Read), pages::verify_chains)
        .get("/admin/logins", Need::May(Object::Audit, Verb::Read), logins::index)
        .api(Need::May(Object::Audit, Verb::Read), routes!(api::list_audit))
}
