//! The command menu (Ctrl-K), the page of results and the API's search.

use std::ops::Range;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hanzi::search::Matcher;
use serde_json::json;

use super::{Hit, find_customers};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::customers::{Field, ListQuery};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::web::api::{json_reply, limit, page_of};
use crate::web::{Need, Page, QueryData, Routes, Shell, html};
use crate::{customers, org};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/search/menu", Need::SignedIn, show_menu)
        .get("/search", Need::SignedIn, show_results)
        .api(Need::SignedIn, utoipa_axum::routes!(search_all))
}

/// Customers the command menu shows.
const IN_MENU: usize = 8;
/// Customers the page of results shows.
const ON_PAGE: usize = 50;
/// Characters of a query that are looked at.
const LONGEST: usize = 200;

/// A part of a text, and whether the query found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) is_marked: bool,
}

/// Cuts a text at its marks.
pub(crate) fn pieces(text: &str, marks: &[Range<usize>]) -> Vec<Piece> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut add = |range: Range<usize>, is_marked| {
        if let Some(part) = text.get(range).filter(|p| !p.is_empty()) {
            all.push(Piece { text: part.to_owned(), is_marked });
        }
    };
    for mark in marks {
        add(at..mark.start, false);
        add(mark.clone(), true);
        at = mark.end;
    }
    add(at..text.len(), false);
    all
}

/// The tag's colour (see `ui::tag`) for a colour of the dictionaries, which are named after Tabler's palette.
pub(crate) fn pill(colour: &str) -> &'static str {
    match colour {
        "blue" | "azure" | "indigo" => "blue",
        "green" | "lime" | "teal" => "green",
        "yellow" | "orange" | "amber" => "amber",
        "red" | "pink" => "red",
        "cyan" => "cyan",
        "purple" | "plum" => "plum",
        _ => "",
    }
}

/// One found customer as the menu and the page show it.
struct Found {
    id: String,
    number: String,
    icon: &'static str,
    name: Vec<Piece>,
    /// What matched when the name did not.
    because: Option<(&'static str, Vec<Piece>)>,
    class: String,
    class_colour: &'static str,
    region: String,
    owner: String,
}

impl Found {
    fn new(hit: &Hit, catalogue: &Catalogue, owners: &Owners, l: Lang) -> Self {
        let customer = &hit.customer;
        let class = customer.get(Field::Class);
        let classes = catalogue.dictionary("customer_class");
        Self {
            id: customer.id.to_string(),
            number: customer.number.clone(),
            icon: if customer.kind == customers::Kind::Person { "user" } else { "building" },
            name: pieces(customer.name(), &hit.name_marks),
            because: hit.because.as_ref().map(|(title, text, marks)| (*title, pieces(text, marks))),
            class: classes.title(class, l).to_owned(),
            class_colour: classes.entry(class).map_or("", |e| pill(&e.colour)),
            region: customer.get(Field::Region).replace('/', " "),
            owner: customer.owner_id.and_then(|id| owners.get(&id).cloned()).unwrap_or_default(),
        }
    }
}

type Owners = std::collections::HashMap<crate::ids::PersonId, String>;

/// A page or an action of the menu.
struct Place {
    title: Vec<Piece>,
    note: String,
    href: String,
    icon: &'static str,
}

type Action = (&'static str, &'static str, &'static str, Option<(Object, Verb)>);

/// (source text, address, icon, the permission it needs)
const ACTIONS: [Action; 10] = [
    ("新增客户", "/customers/new", "user-plus", Some((Object::Customer, Verb::Create))),
    ("导入客户", "/imports", "file-import", Some((Object::Customer, Verb::Import))),
    ("客户统计", "/customers/statistics", "chart-bar", None),
    ("我的待办", "/tasks", "checklist", None),
    ("今日需联系", "/tasks?tab=today", "phone-call", None),
    ("档案待完善", "/tasks?tab=dossiers", "clipboard-list", None),
    ("个人设置", "/me", "user", None),
    ("使用手册", "/help", "books", None),
    ("人员管理", "/admin/people", "users-group", Some((Object::Organisation, Verb::Update))),
    ("操作日志", "/admin/audit", "history", Some((Object::Audit, Verb::Read))),
];

/// The places an actor may go to and that fit the words, best first; the common ones for no words.
async fn places(app: &App, actor: &Actor, words: &str) -> Result<Vec<Place>, AppError> {
    let l = actor.lang;
    let mut all: Vec<(String, String, String, &'static str)> = ACTIONS
        .iter()
        .filter(|(.., need)| need.is_none_or(|(object, verb)| actor.may(object, verb)))
        .map(|(zh, href, icon, _)| (l.t(zh).to_owned(), (*zh).to_owned(), (*href).to_owned(), *icon))
        .collect();
    if words.is_empty() {
        all.truncate(5);
    }
    for item in app.menu(actor, "/search").await? {
        let lines = if item.children.is_empty() { vec![item] } else { item.children };
        for line in lines.into_iter().filter(|line| !line.href.is_empty()) {
            let icon = if line.icon.is_empty() { "settings" } else { line.icon };
            if all.iter().all(|(_, _, href, _)| *href != line.href) && !words.is_empty() {
                all.push((line.title.clone(), line.title, line.href, icon));
            }
        }
    }
    let matcher = Matcher::new(words);
    let mut ranked: Vec<(u32, Place)> = all
        .into_iter()
        .filter_map(|(title, zh, href, icon)| {
            let score = if words.is_empty() {
                0
            } else {
                // In English the Chinese name still finds the page.
                matcher.score(&title).max(matcher.score(&zh))?
            };
            let marks = if words.is_empty() { Vec::new() } else { matcher.highlight(&title) };
            Some((score, Place { title: pieces(&title, &marks), note: String::new(), href, icon }))
        })
        .collect();
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    Ok(ranked.into_iter().map(|(_, place)| place).take(8).collect())
}

#[derive(Template)]
#[template(path = "search/menu.html")]
struct MenuPage {
    l: Lang,
    customers_title: &'static str,
    found: Vec<Found>,
    places: Vec<Place>,
    words: String,
}

fn words_of(query: &QueryData) -> String {
    query.get("q").trim().chars().take(LONGEST).collect()
}

async fn show_menu(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let (l, words) = (actor.lang, words_of(&query));
    let catalogue = app.catalogue().await?;
    let hits = {
        let (actor, words) = (actor.clone(), words.clone());
        app.db.read(move |conn| menu_hits(conn, &actor, &words)).await?
    };
    let found = hits.iter().map(|hit| Found::new(hit, &catalogue, &Owners::new(), l)).collect();
    let places = places(&app, &actor, &words).await?;
    let customers_title = if words.is_empty() { "最近更新的客户" } else { "客户" };
    html(&MenuPage { l, customers_title, found, places, words })
}

/// What the menu offers: the best hits, or before anything is typed the customers worked on last.
fn menu_hits(conn: &mut store::Conn<'_>, actor: &Actor, words: &str) -> Result<Vec<Hit>, AppError> {
    if !words.is_empty() {
        return find_customers(conn, actor, words, IN_MENU);
    }
    let mut query = ListQuery { limit: 5, ..ListQuery::default() };
    if !actor.is_administrator() {
        query.owner = Some(Some(actor.person_id));
    }
    let mut recent = customers::list(conn, actor, &query)?;
    if recent.items.is_empty() && query.owner.take().is_some() {
        // Whoever owns none is offered what is in his sight.
        recent = customers::list(conn, actor, &query)?;
    }
    Ok(recent
        .items
        .into_iter()
        .map(|customer| Hit { customer, name_marks: Vec::new(), because: None })
        .collect())
}

#[derive(Template)]
#[template(path = "search/results.html")]
struct ResultsPage {
    l: Lang,
    shell: Shell,
    words: String,
    list_href: String,
    found: Vec<Found>,
    places: Vec<Place>,
    is_full: bool,
}

async fn show_results(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let words = words_of(&query);
    let catalogue = app.catalogue().await?;
    let (hits, owners) = {
        let (actor, words) = (actor.clone(), words.clone());
        app.db
            .read(move |conn| {
                let hits = find_customers(conn, &actor, &words, ON_PAGE)?;
                let owners = if hits.is_empty() { Owners::new() } else { org::person_names(conn)? };
                Ok::<_, AppError>((hits, owners))
            })
            .await?
    };
    let found: Vec<Found> = hits.iter().map(|hit| Found::new(hit, &catalogue, &owners, page.l)).collect();
    let places = if words.is_empty() { Vec::new() } else { places(&app, &actor, &words).await? };
    let address = form_urlencoded::Serializer::new(String::new()).append_pair("q", &words).finish();
    html(&ResultsPage {
        l: page.l,
        shell: page.shell(&[("工作台", "/"), ("搜索", "/search")]),
        list_href: format!("/customers?{address}"),
        is_full: found.len() >= ON_PAGE,
        words,
        found,
        places,
    })
}

/// Finds what somebody types: Chinese characters, full pinyin, initials, or mixed; digits of numbers and phones (also
/// the last four), plates, VINs. The best come first; more than 120 are never answered.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "search",
    params(
        ("q" = Option<String>, Query, description = "Characters, pinyin, initials or digits; 200 characters are looked at"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "Hits at the most, 50 when absent"),
    ),
    responses(
        (status = 200, description = "The hits, best first", body = serde_json::Value, example = json!({
            "items": [{
                "kind": "customer", "id": "01kbp2w4n7q3x", "number": "KH000123", "name": "广州天江科技有限公司",
                "because": { "title": "联系人", "text": "张三 13800138000" }
            }],
            "next": null
        })),
        (status = 401, description = "No valid token"),
        (status = 422, description = "limit is not 1–200"),
        (status = 503, description = "Too busy, try again"),
    )
)]
async fn search_all(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    const MOST: usize = 120;
    let (words, limit) = (words_of(&query), limit(query.find("limit"))?.min(MOST));
    let hits = app.db.read(move |conn| find_customers(conn, &actor, &words, limit)).await?;
    let items = hits
        .iter()
        .map(|hit| {
            let because =
                hit.because.as_ref().map(|(title, text, _)| json!({ "title": title, "text": text }));
            json!({
                "kind": "customer",
                "id": hit.customer.id,
                "number": hit.customer.number,
                "name": hit.customer.name(),
                "because": because,
            })
        })
        .collect();
    Ok(json_reply(&page_of(items, None, None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_marks_and_nothing_is_lost() {
        let all = pieces("广州天江", &[0..3, 6..9]);
        let words: Vec<_> = all.iter().map(|p| (p.text.as_str(), p.is_marked)).collect();
        assert_eq!(words, [("广", true), ("州", false), ("天", true), ("江", false)]);
        assert_eq!(pieces("", &[]), []);
        assert_eq!(pieces("张三", &[]).len(), 1);
    }
}
