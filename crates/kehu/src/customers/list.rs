//! Lists of customers: filtered, sorted, paged by key, only what the actor may read.

use std::ops::ControlFlow;

use serde_json::Value as Json;
use store::{Conn, Value};

use super::fields::Field;
use super::load::{COLUMNS, read_row};
use super::model::{Customer, Kind};
use super::withhold::{require_visible, withhold};
use crate::access::{self, Actor, Object, Verb};
use crate::clock::Millis;
use crate::counters::{self, Whose};
use crate::error::AppError;
use crate::expr::Expr;
use crate::ids::{CustomerId, ImportId, PersonId};
use crate::query::{self, Conditions, Cursor, SortKey};
use crate::search::{self, Asked};

/// What a list may be sorted by: (name, column, holds an integer).
pub const OFFERED_SORTS: &[(&str, &str, bool)] = &[
    ("updated_at", "c.updated_at", true),
    ("created_at", "c.created_at", true),
    ("name", "c.name_sort", false),
    ("number", "c.number", false),
    ("class", "c.class", false),
    ("level", "c.level", false),
    ("region", "c.region", false),
    ("completeness", "c.completeness", true),
    ("next_contact_on", "c.next_contact_on", false),
];

/// What is asked of a list. Empty means "no condition".
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Characters, pinyin, initials, digits: see `search`.
    pub q: String,
    /// Person or organisation.
    pub kind: Option<Kind>,
    /// Exact values of dictionary fields: any of them.
    pub choices: Vec<(Field, Vec<String>)>,
    /// Values of classification schemes: any of each scheme's, all of the schemes.
    pub marks: Vec<(String, Vec<String>)>,
    /// Path of a division; everything inside it.
    pub region: String,
    /// Owner; `Some(None)` for customers without one.
    pub owner: Option<Option<PersonId>>,
    /// A tag.
    pub tag: String,
    /// Made in `[from, to)`.
    pub created: (Option<Millis>, Option<Millis>),
    /// Changed in `[from, to)`.
    pub updated: (Option<Millis>, Option<Millis>),
    /// Only dossiers with something missing (`true`) or complete ones (`false`).
    pub incomplete: Option<bool>,
    /// Next contact planned on this date or before.
    pub due_by: String,
    /// Made by this import.
    pub import: Option<ImportId>,
    /// Only those on which the actor may do this as well as read them.
    pub only: Option<Verb>,
    /// A condition in CEL.
    pub filter: Option<Expr>,
    /// The order; the newest change first when empty, or best recency when searching.
    pub sort: Vec<SortKey>,
    /// Rows a page, 1–200.
    pub limit: usize,
    /// The place to go on from.
    pub after: Option<String>,
}

/// How many customers a list has in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exact(i64),
    /// This many or more: counting further would cost more than the page.
    AtLeast(i64),
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct CustomerPage {
    /// The customers in order.
    pub items: Vec<Customer>,
    /// Place of the next page, if there is one.
    pub next: Option<String>,
    /// Place of the page before, if there is one.
    pub previous: Option<String>,
}

/// The conditions of a query, with the access decision's own.
pub fn condition_of(actor: &Actor, query: &ListQuery) -> Result<Conditions, AppError> {
    require_all_visible(actor, query)?;
    let mut all = Conditions::default();
    all.and("c.deleted_at IS NULL");
    if !actor.sees_all_customers() {
        all.and(access::readable_sql(actor, Object::Customer));
    }
    if let Some(verb) = query.only {
        all.and(access::reach_sql(actor, Object::Customer, verb));
    }
    if let Some(kind) = query.kind {
        all.equal("c.kind", kind.code());
    }
    for (field, values) in &query.choices {
        let column = format!("c.{}", field.key());
        match values.as_slice() {
            [] => {}
            [one] => all.equal(&column, one.clone()),
            many => {
                let places: Vec<String> = many.iter().map(|v| all.bind(v.clone())).collect();
                all.and(format!("{column} IN ({})", places.join(", ")));
            }
        }
    }
    for (scheme, values) in query.marks.iter().filter(|(_, values)| !values.is_empty()) {
        let scheme = all.bind(scheme.clone());
        let places: Vec<String> = values.iter().map(|v| all.bind(v.clone())).collect();
        all.and(format!(
            "c.id IN (SELECT customer_id FROM customer_marks WHERE scheme = {scheme} AND value IN ({}))",
            places.join(", ")
        ));
    }
    if !query.region.is_empty() {
        if query.region.contains('/') {
            let (exact, from, to) = (
                all.bind(query.region.clone()),
                all.bind(format!("{}/", query.region)),
                all.bind(format!("{}0", query.region)),
            );
            all.and(format!("(c.region = {exact} OR (c.region >= {from} AND c.region < {to}))"));
        } else {
            all.equal("c.province", query.region.clone());
        }
    }
    match query.owner {
        Some(Some(person)) => all.equal("c.owner_id", person),
        Some(None) => all.and("c.owner_id IS NULL"),
        None => {}
    }
    if !query.tag.is_empty() {
        // Tags hold no quote or backslash, so a quoted tag stands in the list's text only as itself.
        let place = all.bind(Json::from(query.tag.as_str()).to_string());
        all.and(format!("replace(CAST(c.tags AS TEXT), {place}, '') <> CAST(c.tags AS TEXT)"));
    }
    for (column, (from, to)) in [("c.created_at", query.created), ("c.updated_at", query.updated)] {
        if let Some(from) = from {
            let place = all.bind(from);
            all.and(format!("{column} >= {place}"));
        }
        if let Some(to) = to {
            let place = all.bind(to);
            all.and(format!("{column} < {place}"));
        }
    }
    match query.incomplete {
        Some(true) => all.and("c.completeness < 100"),
        Some(false) => all.and("c.completeness >= 100"),
        None => {}
    }
    if !query.due_by.is_empty() {
        let place = all.bind(query.due_by.clone());
        all.and(format!("c.next_contact_on <> '' AND c.next_contact_on <= {place}"));
    }
    if let Some(import) = query.import {
        all.equal("c.import_id", import);
    }
    if let Some(filter) = &query.filter {
        let sql = filter.clone().with_me(actor.person_id).sql(&mut all);
        all.and(sql);
    }
    Ok(all)
}

/// Refuses what would tell a value the actor may not see: filters and orders over fields that are withheld from him.
fn require_all_visible(actor: &Actor, query: &ListQuery) -> Result<(), AppError> {
    if !actor.rights.has_field_rules(Object::Customer) {
        return Ok(());
    }
    for (field, _) in query.choices.iter().filter(|(_, values)| !values.is_empty()) {
        require_visible(actor, field.key(), field.key())?;
    }
    if !query.region.is_empty() {
        require_visible(actor, "region", "region")?;
    }
    if !query.due_by.is_empty() {
        require_visible(actor, "next_contact_on", "due_by")?;
    }
    for name in query.filter.iter().flat_map(Expr::fields) {
        require_visible(actor, name, "filter")?;
    }
    for key in query.sort.iter().filter(|key| Field::named(key.name).is_some()) {
        require_visible(actor, key.name, "sort")?;
    }
    Ok(())
}

/// A page of the list, each customer as the actor may see it. Where parts of customers are withheld from him, a search
/// finds only by what he sees: hits that only a withheld value explains are left out.
pub fn list(conn: &mut Conn<'_>, actor: &Actor, query: &ListQuery) -> Result<CustomerPage, AppError> {
    let is_search = !query.q.trim().is_empty();
    if !is_search || !search::is_restricted(actor) {
        let mut page = page(conn, actor, query)?;
        page.items = page.items.into_iter().map(|c| withhold(actor, c)).collect();
        return Ok(page);
    }
    // A few pages at the most: enough to fill one where most hits are seen, and bounded where none is.
    const ROUNDS: usize = 4;
    let limit = query.limit.clamp(1, 200);
    let keys = keys_of(query)?;
    let mut asked = ListQuery { limit: 200, ..query.clone() };
    let mut found = CustomerPage { items: Vec::new(), next: None, previous: None };
    for round in 0..ROUNDS {
        let page = page(conn, actor, &asked)?;
        if round == 0 {
            found.previous = page.previous;
        }
        let mut rest = page.items.into_iter();
        for customer in rest.by_ref() {
            let place = place_of(&customer, &keys, false);
            if let Some(seen) = search::seen(conn, actor, &query.q, customer)? {
                found.items.push(seen);
            }
            found.next = Some(place);
            if found.items.len() == limit {
                break;
            }
        }
        if rest.len() == 0 && page.next.is_none() {
            found.next = None;
        }
        if found.items.len() == limit || found.next.is_none() {
            break;
        }
        asked.after = found.next.clone();
    }
    Ok(found)
}

fn keys_of(query: &ListQuery) -> Result<Vec<SortKey>, AppError> {
    if query.sort.is_empty() && query.q.trim().is_empty() {
        return query::parse_sort("-updated_at", OFFERED_SORTS);
    }
    Ok(query.sort.clone())
}

fn place_of(customer: &Customer, keys: &[SortKey], backwards: bool) -> String {
    let values = keys.iter().map(|key| sort_value(customer, key.name)).collect();
    Cursor::new(values, customer.id.0, backwards).encode()
}

/// The ids of all customers in an actor's sight as a statement, where these are few; `None` where it is cheaper to walk
/// everything in order and leave out what he may not see. Of `all` customers a walk passes `all / n` for each of a
/// page's rows, gathering touches all `n`.
pub fn narrow_sql(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<Option<String>> {
    /// Rows a page usually has.
    const PAGE: i64 = 50;
    let Some(whose @ Whose::Of { .. }) = Whose::within(actor) else { return Ok(None) };
    let (within, all) = counters::share(conn, actor, &whose)?;
    let Whose::Of { owners, units } = &whose else { return Ok(None) };
    if within.saturating_mul(within) > all.saturating_mul(PAGE) {
        return Ok(None);
    }
    let list =
        |ids: &mut dyn Iterator<Item = i64>| ids.map(|id| id.to_string()).collect::<Vec<_>>().join(", ");
    let parts: Vec<String> = [
        ("owner_id", list(&mut owners.iter().map(|o| o.0))),
        ("unit_id", list(&mut units.iter().map(|u| u.0))),
    ]
    .into_iter()
    .filter(|(_, ids)| !ids.is_empty())
    .map(|(column, ids)| format!("SELECT id FROM customers WHERE deleted_at IS NULL AND {column} IN ({ids})"))
    .collect();
    Ok(Some(if parts.is_empty() {
        "SELECT id FROM customers WHERE FALSE".into()
    } else {
        parts.join(" UNION ")
    }))
}

/// Whether a single owner's or unit's customers are all an actor sees: an index has these in the order of a list.
fn is_alone(actor: &Actor) -> bool {
    matches!(Whose::within(actor), Some(Whose::Of { owners, units }) if owners.len() + units.len() < 2)
}

/// A page of the list with whole customers.
fn page(conn: &mut Conn<'_>, actor: &Actor, query: &ListQuery) -> Result<CustomerPage, AppError> {
    let mut conditions = condition_of(actor, query)?;
    let limit = query.limit.clamp(1, 200);
    let engine = conn.engine();
    let is_search = !query.q.trim().is_empty();
    let keys = keys_of(query)?;
    let (mut from, mut id_column) = ("customers c".to_owned(), "c.id");
    if is_search {
        let Some(Asked { text, within }) = search::asked(conn, actor, &query.q)? else {
            return Ok(CustomerPage { items: Vec::new(), next: None, previous: None });
        };
        let place = conditions.bind(text.clone());
        if keys.is_empty() {
            let found = search::matching(conn, &text, &place, &within)?;
            conditions.and(found.condition);
            (from, id_column) = (found.from, found.id_column);
        } else {
            let (id, matches) = (search::id_column(engine), search::matches_sql(engine, &place));
            conditions.and(format!("c.id IN (SELECT {id} FROM search_docs WHERE {matches})"));
        }
    }
    let cursor = query.after.as_deref().map(|text| Cursor::decode(text, &keys)).transpose()?;
    let backwards = cursor.as_ref().is_some_and(|c| c.backwards);
    if let Some(cursor) = &cursor {
        query::behind(&mut conditions, &keys, id_column, cursor);
    }
    let order = query::order_by(&keys, id_column, backwards);
    let place = conditions.bind(limit as i64 + 1);
    let gathered = if is_search || is_alone(actor) { None } else { narrow_sql(conn, actor)? };
    let sql = match gathered {
        Some(ids) => format!(
            "SELECT {} FROM (SELECT c.id FROM ({ids}) within JOIN customers c ON c.id = within.id
               WHERE {} ORDER BY {order} LIMIT {place}) page JOIN customers c ON c.id = page.id ORDER BY {order}",
            *COLUMNS,
            conditions.sql()
        ),
        None => format!(
            "SELECT {} FROM {from} WHERE {} ORDER BY {order} LIMIT {place}",
            *COLUMNS,
            conditions.sql()
        ),
    };
    let mut items: Vec<Customer> = conn.rows(&sql, &conditions.params)?;
    let has_more = items.len() > limit;
    items.truncate(limit);
    if backwards {
        items.reverse();
    }
    let next = if has_more || backwards { items.last().map(|c| place_of(c, &keys, false)) } else { None };
    let previous = if (backwards && has_more) || (cursor.is_some() && !backwards) {
        items.first().map(|c| place_of(c, &keys, true))
    } else {
        None
    };
    Ok(CustomerPage { items, next, previous })
}

fn sort_value(customer: &Customer, name: &str) -> Json {
    match name {
        "updated_at" => customer.updated_at.into(),
        "created_at" => customer.created_at.into(),
        "completeness" => customer.completeness.into(),
        "number" => (&*customer.number).into(),
        "name" => super::create::name_sort(customer.name()).into(),
        key => Field::named(key).map_or(Json::Null, |f| customer.get(f).into()),
    }
}

/// How many customers the query finds: from the kept counts where one fits, else counted up to 1,000.
pub fn counted_by(conn: &mut Conn<'_>, actor: &Actor, query: &ListQuery) -> Result<Total, AppError> {
    if let Some(exact) = kept_count(conn, actor, query)? {
        return Ok(Total::Exact(exact));
    }
    const MOST: i64 = 1_000;
    let is_search = !query.q.trim().is_empty();
    if is_search && search::is_restricted(actor) {
        // Counting would tell how many hits only a withheld value explains.
        let all = list(conn, actor, &ListQuery { limit: 200, after: None, ..query.clone() })?;
        let seen = all.items.len() as i64;
        return Ok(if all.next.is_some() { Total::AtLeast(seen) } else { Total::Exact(seen) });
    }
    // Only living customers have a search document, so whoever sees them all needs no look at the customers.
    let is_search_alone =
        is_search && actor.sees_all_customers() && is_plain(query) && asks_no_counted_value(query);
    let mut conditions = if is_search_alone { Conditions::default() } else { condition_of(actor, query)? };
    let mut from = "customers c".to_owned();
    if is_search {
        let engine = conn.engine();
        let Some(asked) = search::asked(conn, actor, &query.q)? else { return Ok(Total::Exact(0)) };
        let place = conditions.bind(asked.text);
        if is_search_alone {
            conditions.and(search::matches_sql(engine, &place));
            from = "search_docs".into();
        } else {
            let found = search::matching_few(engine, &place, &asked.within, false);
            conditions.and(found.condition);
            from = found.from;
        }
    }
    let place = conditions.bind(MOST + 1);
    let sql =
        format!("SELECT COUNT(*) FROM (SELECT 1 FROM {from} WHERE {} LIMIT {place}) found", conditions.sql());
    let found = conn.count(&sql, &conditions.params)?;
    Ok(if found > MOST { Total::AtLeast(MOST) } else { Total::Exact(found) })
}

/// Whether nothing is asked for whose customers are not counted by value, apart from words.
fn is_plain(query: &ListQuery) -> bool {
    query.region.is_empty()
        && query.marks.is_empty()
        && query.tag.is_empty()
        && query.created == (None, None)
        && query.updated == (None, None)
        && query.due_by.is_empty()
        && query.import.is_none()
        && query.only.is_none()
        && query.filter.is_none()
}

fn asks_no_counted_value(query: &ListQuery) -> bool {
    query.kind.is_none()
        && query.owner.is_none()
        && query.incomplete.is_none()
        && query.choices.iter().all(|(_, values)| values.is_empty())
}

/// The kept count that answers the query, if it asks for nothing or for one counted value only.
pub(super) fn kept_count(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
) -> store::Result<Option<i64>> {
    if !is_plain(query) || !query.q.trim().is_empty() {
        return Ok(None);
    }
    let Some(within) = Whose::within(actor) else { return Ok(None) };
    let owner = query.owner.map(|owner| owner.unwrap_or(PersonId(counters::NOBODY)));
    let whose = match (within, owner) {
        (within, None) => within,
        (Whose::Everybody, Some(owner)) => Whose::owner(owner),
        (Whose::Of { owners, .. }, Some(owner)) if owners.contains(&owner) => Whose::owner(owner),
        (Whose::Of { units, .. }, Some(_)) if units.is_empty() => return Ok(Some(0)),
        // Of that owner only what lies in these units.
        _ => return Ok(None),
    };
    let mut asked: Vec<(&str, String)> = Vec::new();
    if let Some(kind) = query.kind {
        asked.push(("customers.kind", kind.code().into()));
    }
    if let Some(incomplete) = query.incomplete {
        asked.push(("customers.complete", if incomplete { "no" } else { "yes" }.into()));
    }
    for (field, values) in query.choices.iter().filter(|(_, values)| !values.is_empty()) {
        match (field, values.as_slice()) {
            (Field::Class, [one]) => asked.push(("customers.class", one.clone())),
            (Field::Level, [one]) => asked.push(("customers.level", one.clone())),
            (Field::Source, [one]) => asked.push(("customers.source", one.clone())),
            _ => return Ok(None),
        }
    }
    match asked.as_slice() {
        [] => counters::one(conn, "customers", "", &whose).map(Some),
        [(name, key)] => counters::one(conn, name, key, &whose).map(Some),
        _ => Ok(None),
    }
}

/// The ids of a whole query's customers as the actor may see them, in order: for work that then loads them bit by bit
/// with `some`, so that no reader is held for long. Ends early, with what there is, once `is_wanted` says no.
pub fn ids_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
    is_wanted: impl Fn() -> bool,
) -> Result<Vec<CustomerId>, AppError> {
    let mut found = Vec::new();
    let Some(conditions) = condition_with_text(conn, actor, query)? else { return Ok(found) };
    let sql = format!("SELECT c.id FROM customers c WHERE {} ORDER BY c.id", conditions.sql());
    conn.each(&sql, &conditions.params, |row| {
        found.push(row.get(0)?);
        Ok::<_, AppError>(if is_wanted() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(found)
}

/// Those of the customers `ids_of` found for a query that are still there and that the actor may still see, with the
/// values they have now, in order of id.
pub fn some(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
    ids: &[CustomerId],
) -> Result<Vec<Customer>, AppError> {
    // One statement text whatever the number, so that it stays prepared.
    const AT_ONCE: usize = 50;
    let mut conditions = vec!["c.deleted_at IS NULL".to_owned()];
    if !actor.sees_all_customers() {
        conditions.push(access::readable_sql(actor, Object::Customer));
    }
    if let Some(verb) = query.only {
        conditions.push(access::reach_sql(actor, Object::Customer, verb));
    }
    let places: Vec<String> = (1..=AT_ONCE).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT {} FROM customers c WHERE c.id IN ({}) AND {} ORDER BY c.id",
        *COLUMNS,
        places.join(", "),
        conditions.join(" AND ")
    );
    let seen = Seen::new(actor, query);
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(AT_ONCE) {
        let params: Vec<Value<'_>> = (0..AT_ONCE).map(|n| chunk[n.min(chunk.len() - 1)].into()).collect();
        conn.each(&sql, &params, |row| {
            found.extend(seen.take(actor, read_row(row)?));
            Ok::<_, AppError>(ControlFlow::Continue(()))
        })?;
    }
    Ok(found)
}

/// Whether what a search found shows in what the actor may see of it.
struct Seen {
    matcher: Option<hanzi::search::Matcher>,
}

impl Seen {
    fn new(actor: &Actor, query: &ListQuery) -> Self {
        let is_restricted = !query.q.trim().is_empty() && search::is_restricted(actor);
        Self { matcher: is_restricted.then(|| hanzi::search::Matcher::new(&query.q)) }
    }

    fn take(&self, actor: &Actor, customer: Customer) -> Option<Customer> {
        let customer = withhold(actor, customer);
        let shows = self.matcher.as_ref().is_none_or(|matcher| search::is_seen(matcher, &customer));
        shows.then_some(customer)
    }
}

/// The condition of a query with its search text; `None` when the text finds nothing.
fn condition_with_text(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
) -> Result<Option<Conditions>, AppError> {
    let mut conditions = condition_of(actor, query)?;
    if !query.q.trim().is_empty() {
        let engine = conn.engine();
        let Some(asked) = search::asked(conn, actor, &query.q)? else { return Ok(None) };
        let place = conditions.bind(asked.text);
        let matches = search::matches_sql(engine, &place);
        conditions
            .and(format!("c.id IN (SELECT {} FROM search_docs WHERE {matches})", search::id_column(engine)));
    }
    Ok(Some(conditions))
}

/// The customers of a whole query one by one as the actor may see them, in order of id. Memory stays bounded; `each`
/// runs on a reader and must not wait for anything, least of all for another reader.
pub fn each(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
    mut each: impl FnMut(Customer) -> Result<ControlFlow<()>, AppError>,
) -> Result<(), AppError> {
    let Some(conditions) = condition_with_text(conn, actor, query)? else { return Ok(()) };
    let sql = format!("SELECT {} FROM customers c WHERE {} ORDER BY c.id", *COLUMNS, conditions.sql());
    let seen = Seen::new(actor, query);
    conn.each(&sql, &conditions.params, |row| match seen.take(actor, read_row(row)?) {
        Some(customer) => each(customer),
        None => Ok(ControlFlow::Continue(())),
    })
}
