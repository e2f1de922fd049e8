//! What a role reaches, and what changes when a draft of it is saved: worked out from the same directory and the same
//! decision as everything else, before anything is written.

use std::collections::HashMap;
use std::sync::Arc;

use store::Conn;

use super::load::holders;
use super::model::Checked;
use crate::access::{Actor, ActorFacts, Directory, Held, Object, Rights, Role, Via, readable_sql};
use crate::clock::Millis;
use crate::customers::{self, Customer, ListQuery, Total};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, RoleId};
use crate::org;

/// People whose counts are worked out at once.
pub const MOST_PEOPLE: usize = 20;
/// Names shown of what is gained or lost.
pub const MOST_SAMPLES: usize = 10;

/// What a change means for one person.
#[derive(Clone, Debug)]
pub struct ForPerson {
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub name: String,
    /// Customers he reads now.
    pub before: Total,
    /// Customers he would read.
    pub after: Total,
    /// Names of customers he would gain, as the asking person may see them.
    pub gained: Vec<String>,
    /// Names of customers he would lose.
    pub lost: Vec<String>,
}

/// What a change means.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// How many active people have the role.
    pub people: usize,
    /// What it means for the first of them, or for the chosen one.
    pub each: Vec<ForPerson>,
}

/// A person's rights as they are, or with another definition of one role, with his grants on single customers.
pub fn rights_of(
    conn: &mut Conn<'_>,
    directory: &Directory,
    person: PersonId,
    draft: Option<&Checked>,
    (day, now): (&str, Millis),
) -> store::Result<Rights> {
    let mut held = directory.held_roles(person, day, now);
    if let Some(draft) = draft {
        replace(&mut held, &draft.role);
    }
    let none = HashMap::new();
    let more = draft.map_or(&none, |d| &d.conditions);
    let rights = directory.rights_with(held, directory.main_unit(person, day), day, more);
    let bar = directory.bar(person, rights.is_administrator);
    let rights = rights.barred(bar);
    let records = org::load_records(conn, person, now)?;
    let mut granted = HashMap::<i64, Vec<Arc<Role>>>::new();
    for (customer, role) in records.granted {
        let bundle = match draft {
            Some(draft) if draft.role.id == role => Some(Arc::new(draft.role.clone())),
            _ => directory.role(role).cloned(),
        };
        granted.entry(customer).or_default().extend(bundle.filter(|r| r.is_bundle));
    }
    Ok(rights.with_records(granted, records.excluded))
}

fn replace(held: &mut [Held], role: &Role) {
    for held in held.iter_mut().filter(|h| h.role.id == role.id) {
        held.role = Arc::new(role.clone());
    }
}

/// Somebody with these rights, to ask the loaders what he would reach. Nothing is done in his name.
pub fn as_person(person: PersonId, rights: Rights) -> Actor {
    Actor::new(ActorFacts {
        person_id: person,
        username: String::new(),
        name: String::new(),
        rights: Arc::new(rights),
        via: Via::Job,
        ip: String::new(),
        request_id: String::new(),
        lang: Lang::Zh,
        must_change_password: false,
        acting_for: None,
    })
}

/// What changes when a draft is saved: for one holder, or for the first twenty. `reader` sees names only of customers
/// he may read himself.
pub fn effect(
    conn: &mut Conn<'_>,
    reader: &Actor,
    directory: &Directory,
    draft: &Checked,
    chosen: Option<PersonId>,
    (day, now): (&str, Millis),
) -> Result<Effect, AppError> {
    let all = holders(directory, draft.role.id, day);
    let people = all.len();
    let asked: Vec<PersonId> = match chosen {
        Some(person) => all.into_iter().filter(|p| *p == person).collect(),
        None => all.into_iter().take(MOST_PEOPLE).collect(),
    };
    let mut each = Vec::new();
    for person in asked {
        let was = as_person(person, rights_of(conn, directory, person, None, (day, now))?);
        let is = as_person(person, rights_of(conn, directory, person, Some(draft), (day, now))?);
        let query = ListQuery { limit: 1, ..ListQuery::default() };
        let mut one = ForPerson {
            person_id: person,
            name: directory.member(person).map_or_else(String::new, |m| m.name.clone()),
            before: customers::counted_by(conn, &was, &query)?,
            after: customers::counted_by(conn, &is, &query)?,
            gained: Vec::new(),
            lost: Vec::new(),
        };
        let (before, after) = (readable_sql(&was, Object::Customer), readable_sql(&is, Object::Customer));
        if before != after {
            one.gained = sample(conn, reader, &after, &before)?;
            one.lost = sample(conn, reader, &before, &after)?;
        }
        each.push(one);
    }
    Ok(Effect { people, each })
}

/// Names of living customers within one condition and outside another, as the reader sees them.
fn sample(conn: &mut Conn<'_>, reader: &Actor, within: &str, outside: &str) -> Result<Vec<String>, AppError> {
    let readable = readable_sql(reader, Object::Customer);
    let sql = format!(
        "SELECT {} FROM customers c WHERE c.deleted_at IS NULL AND {readable} AND ({within})
           AND NOT COALESCE(({outside}), FALSE) ORDER BY c.id DESC LIMIT {MOST_SAMPLES}",
        *customers::COLUMNS
    );
    let found: Vec<Customer> = conn.rows(&sql, &[])?;
    Ok(found.into_iter().map(|c| customers::withhold(reader, c).name().to_owned()).collect())
}

/// What a role alone reaches for one of its holders: how many customers, and the names of ten the reader may see.
pub fn reach(
    conn: &mut Conn<'_>,
    reader: &Actor,
    directory: &Directory,
    role: RoleId,
    person: PersonId,
    (day, now): (&str, Millis),
) -> Result<(Total, Vec<String>), AppError> {
    let mut held = directory.held_roles(person, day, now);
    held.retain(|h| h.role.id == role);
    let rights = directory.rights_of(held, directory.main_unit(person, day), day);
    let alone = as_person(person, rights);
    let query = ListQuery { limit: 1, ..ListQuery::default() };
    let total = customers::counted_by(conn, &alone, &query)?;
    Ok((total, sample(conn, reader, &readable_sql(&alone, Object::Customer), "FALSE")?))
}
