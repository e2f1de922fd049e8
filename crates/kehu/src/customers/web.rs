//! The pages of customers: list, batches, forms, the card in drawer and page, changes in place, recycle bin.

mod batch;
mod columns;
mod display;
mod form;
mod history;
mod index;
mod inline;
mod query;
mod recycle;
mod show;
mod suggest;

pub use query::{CHOICE_FILTERS, DEFAULT_LIMIT, PARAMETERS, list_query};

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Field;
use crate::catalogue::Catalogue;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::web::{Choice, Need, Routes, html};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers", Need::SignedIn, index::index)
        .post("/customers/columns", Need::SignedIn, index::set_columns)
        .get("/customers/new", Need::SignedIn, form::new)
        .post("/customers/new", Need::SignedIn, form::switch)
        .post("/customers", Need::SignedIn, form::create)
        .post("/customers/validate", Need::SignedIn, form::validate)
        .get("/customers/duplicates", Need::SignedIn, suggest::duplicates)
        .get("/customers/owners", Need::SignedIn, suggest::find_owners)
        .get("/regions", Need::SignedIn, suggest::find_regions)
        .get("/customers/{id}/edit", Need::SignedIn, form::edit)
        .post("/customers/{id}/edit", Need::SignedIn, form::change)
        .get("/customers/{id}", Need::SignedIn, show::show)
        .get("/customers/{id}/fields/{key}", Need::SignedIn, inline::open)
        .post("/customers/{id}/fields/{key}", Need::SignedIn, inline::save)
        .post("/customers/{id}/delete", Need::SignedIn, show::delete)
        .post("/customers/{id}/restore", Need::Administrator, show::restore)
        .get("/admin/recycle", Need::Administrator, recycle::list)
        .post("/customers/batch/{action}", Need::SignedIn, batch::run)
}

/// Columns whose cells are edited in place in the list.
const INLINE_FIELDS: [&str; 8] =
    ["class", "level", "phone", "source", "industry", "next_contact_on", "short_name", "email"];

/// Whether htmx will put the answer into a part of the page, so that the part alone is answered.
fn wants_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request")
        && headers.get("hx-request-type").is_none_or(|v| v != "full")
        && !headers.contains_key("hx-history-restore-request")
}

/// A template with a status; page and part have the same address, so caches must tell them apart.
fn reply(template: &impl Template, status: StatusCode) -> Result<Response, AppError> {
    let mut response = html(template)?;
    *response.status_mut() = status;
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("HX-Request, HX-Request-Type"));
    Ok(response)
}

/// Adds events for the page's scripts, such as a toast, to an answer.
fn trigger(mut response: Response, events: &serde_json::Value) -> Response {
    // Header values are ASCII: other characters travel as JSON escapes.
    let mut ascii = String::new();
    for c in events.to_string().chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            ascii.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    if let Ok(value) = HeaderValue::from_str(&ascii) {
        response.headers_mut().insert(HeaderName::from_static("hx-trigger"), value);
    }
    response
}

/// The values a select of a dictionary field offers.
fn dictionary_choices(catalogue: &Catalogue, field: Field, l: Lang) -> Vec<Choice> {
    let Some(name) = field.spec().dictionary() else { return Vec::new() };
    let active = catalogue.dictionary(name).active();
    active.map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() }).collect()
}
