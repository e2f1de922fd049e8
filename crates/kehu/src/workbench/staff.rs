//! The workbench of those who keep the organisation and see no customers: who is here, who comes, who goes.

use jiff::ToSpan;
use jiff::civil::Date;
use store::Conn;

use crate::access::{Actor, Object, Verb};
use crate::ids::PersonId;

/// Lines of each list.
const LINES: i64 = 8;
/// How far back a new post counts as news.
const NEWS_DAYS: i64 = 30;

/// Somebody who takes a post.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub name: String,
    /// Name of the unit.
    pub unit: String,
    /// The post (a code).
    pub post: String,
    /// From which day, `YYYY-MM-DD`.
    pub starts_on: String,
}

/// Somebody who is going to leave.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Who.
    pub person_id: PersonId,
    /// His name.
    pub name: String,
    /// His last working day, `YYYY-MM-DD`.
    pub left_on: String,
}

/// What the organisation looks like today.
#[derive(Clone, Debug)]
pub struct Staff {
    /// People who may sign in.
    pub people: i64,
    /// Units that are open.
    pub units: i64,
    /// Of the people, those without a post today.
    pub without_post: i64,
    /// How many are going to leave.
    pub leaving: i64,
    /// Posts taken within the last month or later on, the latest first.
    pub taken: Vec<Taken>,
    /// Who is going to leave, the next first.
    pub next_to_leave: Vec<Leaving>,
}

/// Whether somebody's workbench is about the organisation: he keeps it, and no role lets him see customers.
pub fn is_for(actor: &Actor) -> bool {
    actor.may(Object::Organisation, Verb::Update) && !actor.rights.has_any(Object::Customer, Verb::Read)
}

/// Reads it for a day. The tables are as large as the staff: some thousands of rows.
pub fn staff(conn: &mut Conn<'_>, today: Date) -> store::Result<Staff> {
    let day = today.to_string();
    let since = today.saturating_sub(NEWS_DAYS.days()).to_string();
    let taken: Vec<(PersonId, String, String, String, String)> = conn.rows(
        "SELECT p.id, p.name, u.name, o.post, o.starts_on FROM positions o
         JOIN people p ON p.id = o.person_id JOIN units u ON u.id = o.unit_id
         WHERE o.starts_on >= $1 AND (o.ends_on = '' OR o.ends_on >= $2) AND p.is_active
         ORDER BY o.starts_on DESC, o.id DESC LIMIT $3",
        &[since.into(), (&day).into(), LINES.into()],
    )?;
    let next: Vec<(PersonId, String, String)> = conn.rows(
        "SELECT id, name, left_on FROM people WHERE is_active AND left_on >= $1 ORDER BY left_on, id LIMIT $2",
        &[(&day).into(), LINES.into()],
    )?;
    Ok(Staff {
        people: conn.count("SELECT COUNT(*) FROM people WHERE is_active", &[])?,
        units: conn
            .count("SELECT COUNT(*) FROM units WHERE closed_on = '' OR closed_on > $1", &[(&day).into()])?,
        without_post: conn.count(
            "SELECT COUNT(*) FROM people p WHERE p.is_active AND NOT EXISTS (SELECT 1 FROM positions o
             WHERE o.person_id = p.id AND o.starts_on <= $1 AND (o.ends_on = '' OR o.ends_on >= $1))",
            &[(&day).into()],
        )?,
        leaving: conn
            .count("SELECT COUNT(*) FROM people WHERE is_active AND left_on >= $1", &[(&day).into()])?,
        taken: taken
            .into_iter()
            .map(|(person_id, name, unit, post, starts_on)| Taken { person_id, name, unit, post, starts_on })
            .collect(),
        next_to_leave: next
            .into_iter()
            .map(|(person_id, name, left_on)| Leaving { person_id, name, left_on })
            .collect(),
    })
}
