//! 人员: the administrators' pages, and colleagues' names for programs.

mod api;
mod pages;

pub(crate) use pages::part_or_page;
use utoipa_axum::routes;

use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/people", Need::Administrator, pages::index)
        .post("/admin/people", Need::Administrator, pages::add)
        .get("/admin/people/new", Need::Administrator, pages::new)
        .get("/admin/people/{id}", Need::Administrator, pages::show)
        .post("/admin/people/{id}", Need::Administrator, pages::change)
        .post("/admin/people/{id}/active", Need::Administrator, pages::set_active)
        .post("/admin/people/{id}/password", Need::Administrator, pages::reset_password)
        .post("/admin/people/{id}/end-sessions", Need::Administrator, pages::end_sessions)
        .api(Need::SignedIn, routes!(api::list_people))
        .api(Need::Administrator, routes!(api::create_person))
        .api(Need::SignedIn, routes!(api::show_person))
        .api(Need::Administrator, routes!(api::update_person))
}
