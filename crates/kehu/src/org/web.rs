//! 组织 and 人员: the pages of those who keep the organisation, and the same for programs.

mod api;
mod flows;
mod import;
mod pages;
mod positions;
mod positions_api;
mod unit_customers;
mod units;
mod units_api;

pub(crate) use pages::part_or_page;
use utoipa_axum::routes;

use crate::access::{Object, Verb};
use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = units::routes(routes);
    let routes = positions::routes(routes);
    let routes = flows::routes(routes);
    let routes = import::routes(routes);
    let routes = units_api::routes(routes);
    let routes = positions_api::routes(routes);
    routes
        .get("/admin/people", Need::May(Object::Organisation, Verb::Update), pages::index)
        .post("/admin/people", Need::May(Object::Organisation, Verb::Update), pages::add)
        .get("/admin/people/new", Need::May(Object::Organisation, Verb::Update), pages::new)
        .get("/admin/people/{id}", Need::May(Object::Organisation, Verb::Update), pages::show)
        .post("/admin/people/{id}", Need::May(Object::Organisation, Verb::Update), pages::change)
        .post("/admin/people/{id}/active", Need::May(Object::Organisation, Verb::Update), pages::set_active)
        .post(
            "/admin/people/{id}/password",
            Need::May(Object::Organisation, Verb::Update),
            pages::reset_password,
        )
        .post(
            "/admin/people/{id}/end-sessions",
            Need::May(Object::Organisation, Verb::Update),
            pages::end_sessions,
        )
        .api(Need::SignedIn, routes!(api::list_people))
        .api(Need::May(Object::Organisation, Verb::Update), routes!(api::create_person))
        .api(Need::SignedIn, routes!(api::show_person))
        .api(Need::May(Object::Organisation, Verb::Update), routes!(api::update_person))
}
