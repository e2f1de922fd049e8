//! 字典 and 客户字段: the administrators' pages, and both for programs.

mod api;
mod entries;
mod fields;

use utoipa_axum::routes;

use crate::access::{Object, Verb};
use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/dictionaries", Need::May(Object::Catalogue, Verb::Update), entries::index)
        .get("/admin/dictionaries/{name}/new", Need::May(Object::Catalogue, Verb::Update), entries::new)
        .post("/admin/dictionaries/{name}", Need::May(Object::Catalogue, Verb::Update), entries::add)
        .post("/admin/dictionaries/{name}/order", Need::May(Object::Catalogue, Verb::Update), entries::order)
        .get("/admin/entries/{id}", Need::May(Object::Catalogue, Verb::Update), entries::show)
        .post("/admin/entries/{id}", Need::May(Object::Catalogue, Verb::Update), entries::change)
        .get("/admin/fields", Need::May(Object::Catalogue, Verb::Update), fields::index)
        .get("/admin/fields/new", Need::May(Object::Catalogue, Verb::Update), fields::new)
        .post("/admin/fields", Need::May(Object::Catalogue, Verb::Update), fields::add)
        .post("/admin/fields/order", Need::May(Object::Catalogue, Verb::Update), fields::order)
        .post("/admin/fields/required", Need::May(Object::Catalogue, Verb::Update), fields::require)
        .get("/admin/fields/{id}", Need::May(Object::Catalogue, Verb::Update), fields::show)
        .post("/admin/fields/{id}", Need::May(Object::Catalogue, Verb::Update), fields::change)
        .api(Need::SignedIn, routes!(api::list_dictionaries))
        .api(Need::SignedIn, routes!(api::list_fields))
}

/// The pill for a colour of the Tabler palette.
fn pill(colour: &str) -> &'static str {
    match colour {
        "blue" | "azure" | "indigo" => "blue",
        "green" | "lime" | "teal" => "green",
        "yellow" | "orange" => "amber",
        "red" | "pink" => "red",
        "cyan" => "cyan",
        "purple" => "plum",
        _ => "",
    }
}
