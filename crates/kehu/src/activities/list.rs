//! Lists of activities: of one customer, of a person, of everybody the actor may read.

use store::{Conn, FromRow, Row};

use super::load::COLUMNS;
use super::model::{Activity, ActivityKind};
use crate::access::{self, Actor, Object, Verb};
use crate::clock::Millis;
use crate::customers;
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId};
use crate::query::{Conditions, Cursor, SortKey, behind, order_by};

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only this kind.
    pub kind: Option<ActivityKind>,
    /// Only those written by this person.
    pub author: Option<PersonId>,
    /// Happened at or after.
    pub from: Option<Millis>,
    /// Happened before.
    pub until: Option<Millis>,
    /// Only needs nobody has met yet.
    pub only_open: bool,
    /// Behind this place.
    pub after: Option<String>,
    /// How many, 1–200.
    pub limit: usize,
}

/// An activity with the names a list shows.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The activity.
    pub activity: Activity,
    /// Name of its customer.
    pub customer: String,
    /// Name of its author.
    pub author: String,
    /// Name of the contact, or empty.
    pub contact: String,
}

impl FromRow for Listed {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            activity: Activity::from_row(row)?,
            customer: row.get(17)?,
            author: row.get(18)?,
            contact: row.get(19)?,
        })
    }
}

/// SELECT and FROM of a `Listed`.
pub(super) fn select() -> String {
    format!(
        "SELECT {COLUMNS}, c.name, COALESCE(p.name, ''), COALESCE(t.name, '') FROM activities a
         JOIN customers c ON c.id = a.customer_id LEFT JOIN people p ON p.id = a.created_by
         LEFT JOIN contacts t ON t.id = a.contact_id"
    )
}

/// The order of lists.
pub(super) const ORDER: [SortKey; 1] =
    [SortKey { name: "happened_at", column: "a.happened_at", is_integer: true, descending: true }];

/// The conditions of a query, for activities the actor may read.
pub(super) fn conditions(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
) -> Result<Conditions, AppError> {
    let mut conditions = Conditions::default();
    conditions.and("a.deleted_at IS NULL AND c.deleted_at IS NULL");
    conditions.and(access::readable_sql(actor, Object::Activity));
    if let Some(customer) = query.customer {
        customers::require(conn, actor, Object::Activity, Verb::Read, customer)?;
        conditions.equal("a.customer_id", customer.0);
    }
    if let Some(kind) = query.kind {
        conditions.equal("a.kind", kind.code().to_owned());
    }
    if let Some(author) = query.author {
        conditions.equal("a.created_by", author.0);
    }
    if let Some(from) = query.from {
        let place = conditions.bind(from);
        conditions.and(format!("a.happened_at >= {place}"));
    }
    if let Some(until) = query.until {
        let place = conditions.bind(until);
        conditions.and(format!("a.happened_at < {place}"));
    }
    if query.only_open {
        conditions.and("a.kind = 'need' AND a.done_at IS NULL");
    }
    Ok(conditions)
}

/// The activities the actor may read, newest first, and the place of the next page.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
) -> Result<(Vec<Listed>, Option<String>), AppError> {
    let mut conditions = conditions(conn, actor, query)?;
    if let Some(after) = &query.after {
        behind(&mut conditions, &ORDER, "a.id", &Cursor::decode(after, &ORDER)?);
    }
    let limit = conditions.bind(query.limit as i64 + 1);
    let sql = format!(
        "{} WHERE {} ORDER BY {} LIMIT {limit}",
        select(),
        conditions.sql(),
        order_by(&ORDER, "a.id", false)
    );
    let mut found: Vec<Listed> = conn.rows(&sql, &conditions.params)?;
    let has_more = found.len() > query.limit;
    found.truncate(query.limit);
    if is_restricted(actor) {
        withhold_names(conn, actor, &mut found.iter_mut().collect::<Vec<_>>())?;
    }
    let next = found
        .last()
        .filter(|_| has_more)
        .map(|last| Cursor::new(vec![last.activity.happened_at.into()], last.activity.id.0, false).encode());
    Ok((found, next))
}

/// Whether names of customers or contacts may be withheld from an actor who reads an activity.
pub(super) fn is_restricted(actor: &Actor) -> bool {
    let rights = &actor.rights;
    let [activities, contacts] =
        [Object::Activity, Object::Contact].map(|object| access::reach_sql(actor, object, Verb::Read));
    rights.has_field_rules(Object::Customer)
        || rights.has_field_rules(Object::Contact)
        || (contacts != "TRUE" && contacts != activities)
}

/// Shows the names of customers and contacts as the actor may see them.
pub(super) fn withhold_names(
    conn: &mut Conn<'_>,
    actor: &Actor,
    all: &mut [&mut Listed],
) -> Result<(), AppError> {
    let shown = customers::shown(conn, actor, all.iter().map(|l| l.activity.customer_id))?;
    for listed in all {
        let Some(customer) = shown.get(&listed.activity.customer_id) else { continue };
        listed.customer = customer.name().to_owned();
        let facts = customer.facts();
        listed.contact = if actor.rights.covers(Object::Contact, Verb::Read, &facts) {
            let rule = actor.rights.fields(Object::Contact, &facts).rule("name");
            customers::shown_value(rule, "name", &listed.contact)
        } else {
            String::new()
        };
    }
    Ok(())
}
