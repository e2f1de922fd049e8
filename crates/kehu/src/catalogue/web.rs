//! 字典 and 客户字段: the administrators' pages, and both for programs.

mod api;
mod entries;
mod fields;

use utoipa_axum::routes;

use crate::web::{Need, Routes};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/dictionaries", Need::Administrator, entries::index)
        .get("/admin/dictionaries/{name}/new", Need::Administrator, entries::new)
        .post("/admin/dictionaries/{name}", Need::Administrator, entries::add)
        .post("/admin/dictionaries/{name}/order", Need::Administrator, entries::order)
        .get("/admin/entries/{id}", Need::Administrator, entries::show)
        .post("/admin/entries/{id}", Need::Administrator, entries::change)
        .get("/admin/fields", Need::Administrator, fields::index)
        .get("/admin/fields/new", Need::Administrator, fields::new)
        .post("/admin/fields", Need::Administrator, fields::add)
        .post("/admin/fields/order", Need::Administrator, fields::order)
        .post("/admin/fields/required", Need::Administrator, fields::require)
        .get("/admin/fields/{id}", Need::Administrator, fields::show)
        .post("/admin/fields/{id}", Need::Administrator, fields::change)
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
