//! The frame around every page.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use store::Conn;

use crate::access::{Actor, Directory};
use crate::error::AppError;
use crate::ids::CustomerId;

/// What `layout/shell.html` and `layout/plain.html` show.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Name of the company, or of the product before set-up.
    pub company: String,
    /// Whether this is the demonstration.
    pub demo: bool,
    /// Who is signed in.
    pub user_name: String,
    /// What he is.
    pub role_title: String,
    /// For whom he acts, and until when, a line each.
    pub acting: Vec<String>,
    /// Whether he administers the system.
    pub is_administrator: bool,
    /// Path of the page.
    pub path: String,
    /// `auto`, `light` or `dark`.
    pub theme: String,
    /// `normal` or `compact` rows.
    pub density: String,
    /// Whether the menu is folded.
    pub narrow: bool,
    /// The menu.
    pub menu: Vec<MenuItem>,
    /// Where the page stands.
    pub crumbs: Vec<Crumb>,
    /// How much waits for this person.
    pub todo_count: i64,
    /// How many notices he has not read.
    pub notice_count: i64,
}

/// One line of the menu.
#[derive(Clone, Debug, Default)]
pub struct MenuItem {
    /// Shown text.
    pub title: String,
    /// Where it leads; empty for a group.
    pub href: String,
    /// Name of an icon in `web/icons`.
    pub icon: &'static str,
    /// Letter after G on the keyboard, or empty.
    pub go: &'static str,
    /// Whether the page is here.
    pub active: bool,
    /// A number beside it; 0 shows nothing.
    pub count: i64,
    /// Lines below it.
    pub children: Vec<MenuItem>,
}

/// Work that has an entry of its own in the menu: its short name, and what people call it.
pub type Module = (String, String);

/// One step of the breadcrumb.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// Shown text.
    pub title: String,
    /// Where it leads; `None` for the page itself.
    pub href: Option<String>,
}

/// One tab.
#[derive(Clone, Debug)]
pub struct Tab {
    /// Shown text.
    pub title: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is open.
    pub active: bool,
    /// A count beside it.
    pub count: Option<i64>,
}

/// What the shell shows of the features above it.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// The menu for an actor on a path, with the modules of the company, and whether it is the demonstration.
    pub menu: fn(&Actor, &str, &[Module], bool) -> Vec<MenuItem>,
    /// The modules of the company at a moment.
    pub modules: fn(&mut Conn<'_>, crate::clock::Millis) -> store::Result<Vec<Module>>,
    /// How much waits for an actor at a moment of a day (`YYYY-MM-DD`).
    pub todo_count: fn(&mut Conn<'_>, &Actor, &str, crate::clock::Millis) -> store::Result<i64>,
    /// How many tasks about a customer are open that an actor sees, in an organisation on a day.
    pub tasks_about: fn(&mut Conn<'_>, &Actor, &Directory, &str, CustomerId) -> store::Result<i64>,
    /// How many open cases of a customer an actor may read.
    pub cases_about: fn(&mut Conn<'_>, &Actor, &Directory, &str, CustomerId) -> store::Result<i64>,
    /// How many notices an actor has not read.
    pub unread_notices: fn(&mut Conn<'_>, &Actor) -> store::Result<i64>,
    /// Whether the page of a path holds customer information.
    pub holds_customers: fn(&str) -> bool,
    /// The kinds of background jobs the features above have.
    pub jobs: &'static [crate::jobs::Kind],
    /// The work of theirs that recurs.
    pub recurring: &'static [crate::jobs::Recurring],
    /// What an administrator may set, one list a feature.
    pub parameters: &'static [&'static [crate::settings::Parameter]],
}

/// Renders a template as a page.
pub fn html(template: &impl Template) -> Result<Response, AppError> {
    let body = template.render().map_err(|e| AppError::Internal(format!("template: {e}")))?;
    Ok(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response())
}

/// Sends the browser elsewhere after a form: with a redirect, or for htmx with its own header.
pub fn redirect(is_htmx: bool, to: &str) -> Response {
    let Ok(value) = HeaderValue::from_str(&escape_location(to)) else {
        return StatusCode::NO_CONTENT.into_response();
    };
    if is_htmx {
        (StatusCode::OK, [(HeaderName::from_static("hx-redirect"), value)]).into_response()
    } else {
        (StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response()
    }
}

/// Adds a message that the next page shows for a moment: a cookie that scripts read and take away.
pub fn flash(mut response: Response, text: &str) -> Response {
    let mut cookie = String::from("toast=");
    for byte in text.bytes().take(1000) {
        if byte.is_ascii_alphanumeric() {
            cookie.push(byte as char);
        } else {
            cookie.push_str(&format!("%{byte:02X}"));
        }
    }
    cookie.push_str("; Path=/; Max-Age=60; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Adds a message that the page shows for a moment; `undo` is a path to POST to.
pub fn toast(response: Response, text: &str, undo: Option<&str>) -> Response {
    trigger(
        response,
        "toast",
        serde_json::json!({ "text": text, "kind": "good", "undo": undo.unwrap_or_default() }),
    )
}

/// After a form was saved: in the drawer beside a list, closes it, says `text` and has the list asked for again;
/// elsewhere goes to `to` and says it there.
pub fn saved(headers: &axum::http::HeaderMap, to: &str, text: &str) -> Response {
    let is_htmx = headers.contains_key("hx-request");
    let address = headers.get("hx-current-url").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !is_htmx || !(address.contains("?drawer=") || address.contains("&drawer=")) {
        return flash(redirect(is_htmx, to), text);
    }
    let response = (StatusCode::OK, [("hx-reswap", "none")]).into_response();
    let response = toast(response, text, None);
    trigger(trigger(response, "closeDrawer", serde_json::json!({})), "refreshList", serde_json::json!({}))
}

/// Adds an event for the page's scripts (`refreshList`, `clearSelection`, `closeDrawer` …); keeps those already there.
pub fn trigger(mut response: Response, event: &str, detail: serde_json::Value) -> Response {
    let name = HeaderName::from_static("hx-trigger");
    let mut events: serde_json::Map<String, serde_json::Value> = response
        .headers()
        .get(&name)
        .and_then(|v| serde_json::from_slice(v.as_bytes()).ok())
        .unwrap_or_default();
    events.insert(event.to_owned(), detail);
    // Header values are ASCII: other characters travel as JSON escapes.
    let mut ascii = String::new();
    for c in serde_json::Value::Object(events).to_string().chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    if let Ok(value) = HeaderValue::from_str(&ascii) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Keeps an address inside this site and inside ASCII.
fn escape_location(to: &str) -> String {
    let local = if to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\") { to } else { "/" };
    let mut escaped = String::with_capacity(local.len());
    for byte in local.bytes() {
        if byte.is_ascii_graphic() {
            escaped.push(byte as char);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_never_leaves_this_site() {
        for (to, expected) in [
            ("/customers?q=张", "/customers?q=%E5%BC%A0"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
        ] {
            assert_eq!(escape_location(to), expected);
        }
    }
}
