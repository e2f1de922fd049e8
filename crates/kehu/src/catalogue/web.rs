//! 字典 and 客户字段: the administrators' pages, and both for programs.

mod api;
mod entries;
mod fields;
mod fields_api;

use crate::access::{Object, Verb};
use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = routes
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
        .post("/admin/fields/{id}", Need::May(Object::Catalogue, Verb::Update), fields::change);
    fields_api::routes(api::routes(routes))
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
