//! What is owed, for somebody: lists by tab, filtered, paged by key.

use std::collections::HashMap;

use store::{Conn, FromRow, Row};

use super::model::{Per, Standing};
use super::teams;
use crate::access::Actor;
use crate::cases::Ground;
use crate::clock::Millis;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::ids::{CustomerId, DutyId, PersonId, PolicyVersionId, TeamId, UnitId};
use crate::query::Conditions;
use crate::text;

/// Which ones.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Where they stand; done ones with those done late.
    pub standing: Standing,
    /// Of this policy.
    pub policy: String,
    /// This duty of the policy.
    pub duty: String,
    /// With this clause among those they rest on.
    pub clause: String,
    /// Of this unit or one below it.
    pub unit: Option<UnitId>,
    /// That this person has to do.
    pub person: Option<PersonId>,
    /// Behind this place.
    pub after: Option<String>,
    /// How many.
    pub limit: usize,
}

/// Something owed in a period.
#[derive(Clone, Debug)]
pub struct Owed {
    /// Its id.
    pub id: DutyId,
    /// The policy's short name.
    pub policy: String,
    /// The version it was opened under.
    pub version_id: PolicyVersionId,
    /// The duty's name in it.
    pub duty: String,
    /// What people read.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// Who owes it.
    pub per: Per,
    /// The unit, person or customer; 0 for the company.
    pub subject_id: i64,
    /// The customer, as the reader may see him.
    pub customer: Option<Box<Customer>>,
    /// The unit it belongs to.
    pub unit_id: Option<UnitId>,
    /// The period, as people write it.
    pub period: String,
    /// The last instant in time.
    pub due_at: Millis,
    /// How often it must be done.
    pub times: i64,
    /// How often it was.
    pub done: i64,
    /// When the last that was needed came.
    pub done_at: Option<Millis>,
    /// Where it stands.
    pub standing: Standing,
    /// Who has to do it.
    pub people: Vec<PersonId>,
}

struct Found(Owed, TeamId);

impl FromRow for Found {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let owed = Owed {
            id: row.get(0)?,
            policy: row.get(1)?,
            version_id: row.get(2)?,
            duty: row.get(3)?,
            title: row.get(4)?,
            clause: row.get(5)?,
            per: Per::named(&row.get::<String>(6)?),
            subject_id: row.get(7)?,
            customer: None,
            unit_id: row.get(8)?,
            period: row.get(9)?,
            due_at: row.get(10)?,
            times: row.get(11)?,
            done: row.get(12)?,
            done_at: row.get(13)?,
            standing: Standing::named(&row.get::<String>(14)?),
            people: Vec::new(),
        };
        Ok(Self(owed, row.get(15)?))
    }
}

/// The condition on `duties d` of what an actor may read; ids only.
pub(super) fn visible_sql(actor: &Actor, ground: &Ground) -> String {
    if actor.is_administrator() {
        return "TRUE".to_owned();
    }
    let (directory, day) = (&ground.directory, &ground.day);
    let mut people: Vec<i64> = vec![actor.person_id.0];
    people.extend(actor.rights.acts_for.iter().map(|(from, _)| from.0));
    people.extend(directory.subordinates(actor.person_id, day).iter().map(|person| person.0));
    let led = directory.units().filter(|unit| unit.head_id == Some(actor.person_id));
    let mut units: Vec<i64> = led.flat_map(|unit| directory.tree(unit.id)).map(|unit| unit.0).collect();
    units.sort_unstable();
    units.dedup();
    let list = |ids: &[i64]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let of_units =
        if units.is_empty() { String::new() } else { format!(" OR one_of(d.unit_id, '{}')", list(&units)) };
    format!("(d.team_id IN ({}){of_units})", teams_of(&list(&people)))
}

fn teams_of(people: &str) -> String {
    format!("SELECT t.team_id FROM duty_team_people t WHERE t.person_id IN ({people})")
}

/// What the actor may read of what is owed: what is open or missed by due time, what is done the latest first; with the
/// place of the next page.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    query: &ListQuery,
) -> Result<(Vec<Owed>, Option<String>), AppError> {
    let mut all = Conditions::default();
    all.and(visible_sql(actor, ground));
    let is_done = matches!(query.standing, Standing::Done | Standing::Late);
    if is_done {
        all.and("d.standing IN ('done', 'late')");
    } else {
        all.equal("d.standing", query.standing.code());
    }
    for (column, value) in [("r.policy", &query.policy), ("r.duty", &query.duty)] {
        if !value.is_empty() {
            all.equal(column, value.clone());
        }
    }
    let clause: String = query.clause.chars().filter(|c| !matches!(c, '%' | '_' | '\\' | ' ')).collect();
    if !clause.is_empty() {
        let place = all.bind(format!("%,{clause},%"));
        all.and(format!(
            "',' || REPLACE(REPLACE(REPLACE(r.clause, ' ', ''), '，', ','), '、', ',') || ',' LIKE {place}"
        ));
    }
    if let Some(unit) = query.unit {
        let units: Vec<String> = ground.directory.tree(unit).iter().map(|unit| unit.0.to_string()).collect();
        all.and(format!("one_of(d.unit_id, '{}')", units.join(",")));
    }
    if let Some(person) = query.person {
        all.and(format!("d.team_id IN ({})", teams_of(&person.0.to_string())));
    }
    if let Some(after) = &query.after {
        let (due, id) = place_in(after)?;
        let (due, id) = (all.bind(due), all.bind(id));
        let beyond = if is_done { "<" } else { ">" };
        all.and(format!("(d.due_at {beyond} {due} OR (d.due_at = {due} AND d.id {beyond} {id}))"));
    }
    let order = if is_done { "d.due_at DESC, d.id DESC" } else { "d.due_at, d.id" };
    let sql = format!(
        "SELECT d.id, r.policy, r.version_id, r.duty, r.title, r.clause, r.per, d.subject_id, d.unit_id, r.period_title,
           d.due_at, r.times, d.done, d.done_at, d.standing, d.team_id
         FROM duties d JOIN duty_rounds r ON r.id = d.round_id WHERE {} ORDER BY {order} LIMIT {}",
        all.sql(),
        query.limit + 1
    );
    let mut found: Vec<Found> = conn.rows(&sql, &all.params)?;
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let next = found.last().filter(|_| more).map(|Found(owed, _)| format!("{}.{}", owed.due_at, owed.id));
    Ok((complete(conn, actor, found)?, next))
}

fn place_in(after: &str) -> Result<(i64, i64), AppError> {
    let read = || {
        let (due, id) = after.split_once('.')?;
        Some((due.parse().ok()?, store::parse_id(id).ok()?))
    };
    read().ok_or_else(|| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))
}

/// The people and customers of a page.
fn complete(conn: &mut Conn<'_>, actor: &Actor, found: Vec<Found>) -> Result<Vec<Owed>, AppError> {
    let mut ids: Vec<TeamId> = found.iter().map(|Found(_, team)| *team).collect();
    ids.sort_unstable();
    ids.dedup();
    let teams = teams::people(conn, &ids)?;
    let of = found.iter().filter(|Found(owed, _)| owed.per == Per::Customer);
    let customers: HashMap<CustomerId, Customer> =
        customers::shown(conn, actor, of.map(|Found(owed, _)| CustomerId(owed.subject_id)))?;
    Ok(found
        .into_iter()
        .map(|Found(mut owed, team)| {
            owed.people = teams.get(&team).cloned().unwrap_or_default();
            if owed.per == Per::Customer {
                owed.customer = customers.get(&CustomerId(owed.subject_id)).cloned().map(Box::new);
            }
            owed
        })
        .collect())
}
