//! What forms and filters propose while one types: divisions, colleagues, customers that may be the same.

use std::sync::LazyLock;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::reply;
use crate::access::Actor;
use crate::app::App;
use crate::customers::{self, Kind};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
use crate::regions;
use crate::web::QueryData;

/// Proposals at the most.
const MOST: usize = 12;

#[derive(Template)]
#[template(path = "customers/options.html")]
struct Options {
    l: Lang,
    options: Vec<Proposal>,
}

struct Proposal {
    value: String,
    label: String,
    note: String,
}

/// A division as it is searched.
struct Searched {
    path: &'static str,
    name: &'static str,
    pinyin: String,
    initials: String,
}

/// Every division, provinces first, then their cities, then the counties.
static DIVISIONS: LazyLock<Vec<Searched>> = LazyLock::new(|| {
    let mut level: Vec<&'static regions::Region> = regions::children("").collect();
    let mut all = Vec::new();
    while !level.is_empty() {
        all.extend(level.iter().map(|region| Searched {
            path: region.path,
            name: region.name,
            pinyin: hanzi::readings::full(region.name),
            initials: hanzi::readings::initials(region.name),
        }));
        level = level.iter().flat_map(|region| regions::children(region.path)).collect();
    }
    all
});

/// Divisions for a few characters, pinyin or initials; below a chosen one its parts; the provinces for nothing.
fn divisions(q: &str) -> Vec<&'static str> {
    let q = q.trim().to_lowercase();
    if q.is_empty() {
        return regions::children("").map(|r| r.path).take(40).collect();
    }
    let mut found: Vec<&'static str> = Vec::new();
    let mut add = |path: &'static str| {
        if found.len() < MOST && !found.contains(&path) {
            found.push(path);
        }
    };
    let plain: String = q.chars().filter(|c| !c.is_whitespace() && *c != '/').collect();
    if let Ok(region) = regions::resolve(&q) {
        add(region.path);
        regions::children(region.path).for_each(|r| add(r.path));
    }
    let starts = |s: &&Searched| {
        s.name.starts_with(&plain) || s.initials.starts_with(&plain) || s.pinyin.starts_with(&plain)
    };
    DIVISIONS.iter().filter(starts).for_each(|s| add(s.path));
    DIVISIONS.iter().filter(|s| s.path.replace('/', "").contains(&plain)).for_each(|s| add(s.path));
    if let Err(unknown) = regions::resolve(&q) {
        unknown.suggestions.iter().filter_map(|path| regions::find(path)).for_each(|r| add(r.path));
    }
    found
}

pub(super) async fn find_regions(actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let q: String = query.get("q").chars().take(40).collect();
    let found = tokio::task::spawn_blocking(move || divisions(&q))
        .await
        .map_err(|e| AppError::Internal(e.to_string()))?;
    let options = found
        .into_iter()
        .map(|path| Proposal { value: path.to_owned(), label: path.replace('/', " "), note: String::new() })
        .collect();
    reply(&Options { l: actor.lang, options }, axum::http::StatusCode::OK)
}

/// Colleagues who may own a customer, by name, pinyin, initials or sign-in name.
pub(super) async fn find_owners(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    let q: String = query.get("q").chars().filter(|c| !c.is_control()).take(40).collect();
    let escaped = q.trim().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let found: Vec<(PersonId, String, String)> = app
        .db
        .read(move |conn| {
            conn.rows(
                "SELECT id, name, title FROM people WHERE is_active = TRUE
                   AND (name_search LIKE $1 ESCAPE '!' OR name LIKE $1 ESCAPE '!') ORDER BY id LIMIT $2",
                &[format!("%{escaped}%").into(), (MOST as i64).into()],
            )
        })
        .await?;
    let options =
        found.into_iter().map(|(id, label, note)| Proposal { value: id.to_string(), label, note }).collect();
    reply(&Options { l: actor.lang, options }, axum::http::StatusCode::OK)
}

#[derive(Template)]
#[template(path = "customers/duplicates.html")]
struct Duplicates {
    l: Lang,
    found: Vec<Same>,
    alike: Vec<Nearly>,
    has_hidden: bool,
}

/// A customer with nearly the same name.
struct Nearly {
    id: CustomerId,
    name: String,
    number: String,
    percent: String,
    is_sound: bool,
    is_address: bool,
}

struct Same {
    id: CustomerId,
    name: String,
    number: String,
    by: String,
}

/// Customers with the same name, phone or code, or nearly the same name (see `customers::find_same`).
pub(super) async fn duplicates(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    let kind = Kind::named(query.get("for_kind")).unwrap_or(Kind::Organisation);
    let except = query.get("except").parse().ok();
    let (l, now) = (actor.lang, app.now());
    let customers::Same { found, alike, has_hidden } = app
        .db
        .read(move |conn| customers::find_same(conn, &actor, kind, |field| query.get(field), except, now))
        .await?;
    let found = found
        .into_iter()
        .map(|(customer, keyed)| Same {
            id: customer.id,
            name: customer.name().to_owned(),
            by: l.t(keyed.title()).to_owned(),
            number: customer.number,
        })
        .collect();
    let alike = alike
        .into_iter()
        .map(|alike| Nearly {
            id: alike.customer.id,
            name: alike.customer.name().to_owned(),
            percent: format!("{:.0}%", alike.score * 100.0),
            is_sound: alike.is_sound,
            is_address: alike.is_address,
            number: alike.customer.number,
        })
        .collect();
    reply(&Duplicates { l, found, alike, has_hidden }, axum::http::StatusCode::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_are_found_by_characters_pinyin_and_initials() {
        assert!(divisions("天河").contains(&"广东省/广州市/天河区"));
        assert!(divisions("thq").contains(&"广东省/广州市/天河区"));
        assert!(divisions("guangzhou").contains(&"广东省/广州市"));
        assert_eq!(divisions("广东省 广州市")[0], "广东省/广州市");
        assert!(divisions("").contains(&"北京市"));
        assert!(divisions("没有这个地方").is_empty());
    }
}
