//! What a person arranges about a list: which columns in which order, and filters saved under a name (方案), for himself
//! or for everybody.

mod api;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use store::{Conn, FromRow, Row, Tx};

use crate::access::Actor;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, ViewId};
use crate::text;
use crate::web::{FormData, Need, Page, Routes, html, toast};

/// The lists there are, with the address of each.
const LISTS: [(&str, &str); 1] = [("customers", "/customers")];

/// Parts of an address that belong to a moment, not to a saved view.
const PASSING: [&str; 4] = ["after", "drawer", "deleted", "view"];

/// What one person set for one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Visible columns in order; empty for the usual ones.
    pub columns: Vec<String>,
}

/// What the person set for this list; the usual when nothing.
pub fn settings(conn: &mut Conn<'_>, actor: &Actor, list: &str) -> store::Result<Settings> {
    let kept: Option<serde_json::Value> = conn.value(
        "SELECT settings FROM list_settings WHERE person_id = $1 AND list = $2",
        &[actor.person_id.into(), list.into()],
    )?;
    Ok(kept.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default())
}

/// Keeps what the person set. His own taste: no audit row.
pub fn keep_settings(
    tx: &mut Tx<'_>,
    actor: &Actor,
    list: &str,
    settings: &Settings,
    now: Millis,
) -> Result<(), AppError> {
    let json = serde_json::to_value(settings).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "INSERT INTO list_settings (person_id, list, settings, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (person_id, list) DO UPDATE SET settings = $3, updated_at = $4",
        &[actor.person_id.into(), list.into(), json.into(), now.into()],
    )?;
    Ok(())
}

/// Filters under a name.
#[derive(Clone, Debug)]
pub struct SavedView {
    /// Its id.
    pub id: ViewId,
    /// Whose.
    pub person_id: PersonId,
    /// Name.
    pub name: String,
    /// Query string of the list.
    pub query: String,
    /// Whether everybody sees it.
    pub is_shared: bool,
}

impl FromRow for SavedView {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            name: row.get(2)?,
            query: row.get(3)?,
            is_shared: row.get(4)?,
        })
    }
}

impl SavedView {
    /// Whether this person may take it away: his own, and for administrators shared ones too.
    pub fn may_remove(&self, actor: &Actor) -> bool {
        self.person_id == actor.person_id || (self.is_shared && actor.is_administrator())
    }
}

/// The person's own views and the shared ones, oldest first.
pub fn views(conn: &mut Conn<'_>, actor: &Actor, list: &str) -> store::Result<Vec<SavedView>> {
    conn.rows(
        "SELECT id, person_id, name, query, is_shared FROM saved_views
         WHERE list = $1 AND (person_id = $2 OR is_shared = TRUE) ORDER BY id LIMIT 300",
        &[list.into(), actor.person_id.into()],
    )
}

/// Saves filters under a name, 1–20 characters, `query` at most 4,000 bytes; a view of the same name of the same person is replaced. At most 50 a person and list.
pub fn save_view(
    tx: &mut Tx<'_>,
    actor: &Actor,
    list: &str,
    name: &str,
    query: &str,
    is_shared: bool,
    now: Millis,
) -> Result<SavedView, AppError> {
    const MOST: i64 = 50;
    let name = &*hanzi::normal::visible(name);
    if name.is_empty() || name.chars().count() > 20 || name.chars().any(char::is_control) {
        return Err(AppError::field("name", text!("请填写方案名称，最多 20 个字")));
    }
    if query.len() > 4_000 {
        return Err(AppError::field("query", text!("筛选条件太长，请减少后再保存")));
    }
    tx.exec(
        "DELETE FROM saved_views WHERE list = $1 AND person_id = $2 AND name = $3",
        &[list.into(), actor.person_id.into(), name.into()],
    )?;
    let own = tx.count(
        "SELECT COUNT(*) FROM saved_views WHERE list = $1 AND person_id = $2",
        &[list.into(), actor.person_id.into()],
    )?;
    if own >= MOST {
        return Err(AppError::Conflict(text!("最多保存 {} 个方案，请先删除不用的", MOST)));
    }
    let id = ViewId::new();
    tx.exec(
        "INSERT INTO saved_views (id, person_id, list, name, query, is_shared, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            id.into(),
            actor.person_id.into(),
            list.into(),
            name.into(),
            query.into(),
            is_shared.into(),
            now.into(),
        ],
    )?;
    let after = serde_json::json!({ "list": list, "name": name, "query": query, "is_shared": is_shared });
    audit::record(tx, actor, now, &Entry::of("view.saved", "view", id.0).after(&after))?;
    Ok(SavedView {
        id,
        person_id: actor.person_id,
        name: name.to_owned(),
        query: query.to_owned(),
        is_shared,
    })
}

/// Takes a view away.
pub fn remove_view(tx: &mut Tx<'_>, actor: &Actor, id: ViewId, now: Millis) -> Result<String, AppError> {
    let found: Option<(PersonId, String, String, bool, String)> = tx
        .row("SELECT person_id, name, query, is_shared, list FROM saved_views WHERE id = $1", &[id.into()])?;
    let (person_id, name, query, is_shared, list) = found.ok_or(AppError::NotFound)?;
    let view = SavedView { id, person_id, name, query, is_shared };
    if !view.may_remove(actor) {
        // Somebody else's private view must look as if it did not exist.
        return Err(if view.is_shared {
            AppError::Forbidden(text!("只能删除自己保存的方案"))
        } else {
            AppError::NotFound
        });
    }
    tx.exec("DELETE FROM saved_views WHERE id = $1", &[id.into()])?;
    let before = serde_json::json!({ "list": list, "name": view.name, "query": view.query });
    let mut entry = Entry::of("view.removed", "view", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(list)
}

/// The menu of saved views, as the list pages show it.
#[derive(Template)]
#[template(path = "customers/views.html")]
pub struct ViewsMenu {
    /// Language.
    pub l: Lang,
    /// Name of the list.
    pub list: &'static str,
    /// Its address.
    pub href: &'static str,
    /// Each view and whether this person may take it away.
    pub views: Vec<(SavedView, bool)>,
    /// What is wrong with a view just sent.
    pub error: String,
}

impl ViewsMenu {
    /// The menu for a person.
    pub fn load(conn: &mut Conn<'_>, actor: &Actor, list: &str) -> Result<Self, AppError> {
        let (list, href) = known(list)?;
        let views = views(conn, actor, list)?;
        let views = views
            .into_iter()
            .map(|v| {
                let may = v.may_remove(actor);
                (v, may)
            })
            .collect();
        Ok(Self { l: actor.lang, list, href, views, error: String::new() })
    }
}

fn known(list: &str) -> Result<(&'static str, &'static str), AppError> {
    LISTS.into_iter().find(|(name, _)| *name == list).ok_or(AppError::NotFound)
}

/// The query string of the page htmx asks from, without what belongs to a moment.
pub fn current_query(headers: &HeaderMap) -> Result<FormData, AppError> {
    let address = headers.get("hx-current-url").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let query = address.split_once('?').map_or("", |(_, rest)| rest.split('#').next().unwrap_or_default());
    lasting(query)
}

/// A query string without what belongs to a moment.
fn lasting(query: &str) -> Result<FormData, AppError> {
    let mut data = FormData::parse(query.as_bytes())?;
    data.0.retain(|(name, value)| !value.is_empty() && !PASSING.contains(&name.as_str()));
    Ok(data)
}

/// A query string as a saved view keeps it.
fn saved_query(query: &str) -> Result<String, AppError> {
    Ok(lasting(query.trim_start_matches('?'))?.with(&[]))
}

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = routes.post("/lists/{list}/views", Need::SignedIn, save).post(
        "/lists/views/{id}/remove",
        Need::SignedIn,
        remove,
    );
    api::routes(routes)
}

async fn save(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(list): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (list, href) = known(&list)?;
    let query = if page.is_htmx { current_query(&headers)? } else { lasting(form.get("query"))? }.with(&[]);
    let (name, is_shared, now) = (form.get("name").trim().to_owned(), form.is_ticked("is_shared"), app.now());
    let (me, kept, called) = (actor.clone(), query.clone(), name.clone());
    let saved = app.db.write(move |tx| save_view(tx, &me, list, &called, &kept, is_shared, now)).await;
    let error = match saved {
        Ok(_) if !page.is_htmx => return Ok(crate::web::redirect(false, &format!("{href}?{query}"))),
        Ok(_) => String::new(),
        Err(AppError::Invalid(errors)) => errors.first().map(|e| e.text.to(actor.lang)).unwrap_or_default(),
        Err(AppError::Conflict(text)) => text.to(actor.lang),
        Err(other) => return Err(other),
    };
    let is_refused = !error.is_empty();
    let me = actor.clone();
    let mut menu = app.db.read(move |conn| ViewsMenu::load(conn, &me, list)).await?;
    menu.error = error;
    let mut response = html(&menu)?;
    if is_refused {
        *response.status_mut() = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    }
    Ok(toast(response, &actor.lang.f("已保存方案“{}”", &[&name]), None))
}

async fn remove(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<ViewId>,
) -> Result<Response, AppError> {
    let (me, now) = (actor.clone(), app.now());
    let list = app.db.write(move |tx| remove_view(tx, &me, id, now)).await?;
    let (_, href) = known(&list)?;
    if !page.is_htmx {
        return Ok(crate::web::redirect(false, href));
    }
    let me = actor.clone();
    let menu = app.db.read(move |conn| ViewsMenu::load(conn, &me, &list)).await?;
    Ok(toast(html(&menu)?, actor.lang.t("方案已删除"), None))
}
