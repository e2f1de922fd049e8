//! Reading penalties: one, lists, sums, and what waits for a decision.

use std::collections::HashMap;

use policy::model::Measure;
use store::{Conn, FromRow, Row, Value};

use super::model::{Appeal, Decision, Penalty, State, measure_named};
use crate::access::{Actor, Directory};
use crate::cases::{ADMINISTRATORS, Ground, readable_sql, subject_sql};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CaseId, PenaltyId, PersonId};

/// Rows of a file at the most; narrower conditions give the rest.
pub const MOST_EXPORTED: usize = 20_000;
/// Penalties of one case that are listed.
const MOST_OF_CASE: usize = 50;

impl FromRow for Penalty {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let number: Option<String> = row.get(22)?;
        let appealed_at: Option<Millis> = row.get(16)?;
        let decided: String = row.get(12)?;
        let appeal = match appealed_at {
            Some(at) => Some(Appeal {
                at,
                reason: row.get(17)?,
                decision: Decision::named(&row.get::<String>(18)?),
                decided_by: row.get(19)?,
                decided_at: row.get(20)?,
                note: row.get(21)?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.get(0)?,
            policy: row.get(1)?,
            penalty: row.get(2)?,
            title: row.get(3)?,
            clause: row.get(4)?,
            person_id: row.get(5)?,
            person: row.get(6)?,
            case_id: row.get(7)?,
            at: row.get(8)?,
            month: row.get(9)?,
            measure: measure_named(&row.get::<String>(10)?),
            amount: row.get(11)?,
            decided: State::named(&decided).unwrap_or(State::Proposed),
            decided_by: row.get(13)?,
            decided_at: row.get(14)?,
            note: row.get(15)?,
            appeal,
            case: match number {
                Some(number) => Some((number, row.get(23)?)),
                None => None,
            },
            count: row.get(24)?,
            factor: row.get(25)?,
            times: row.get(26)?,
            appeal_until: row.get(27)?,
            version: row.get(28)?,
            customer_id: row.get(29)?,
            deciders: Vec::new(),
        })
    }
}

/// SELECT and FROM of a `Penalty` for an actor: the case is named where he may read it.
fn select(actor: &Actor, ground: &Ground) -> String {
    // Cases tell of customers: whoever may not handle customer information reads none.
    let readable = if actor.rights.bar.is_some() { "FALSE".to_owned() } else { readable_sql(actor, ground) };
    let subject = subject_sql(actor);
    format!(
        "SELECT p.id, p.policy, p.penalty, p.title, p.clause, p.person_id, COALESCE(n.name, ''), p.case_id, p.at, p.month,
           p.measure, p.amount, p.state, p.decided_by, p.decided_at, p.note, p.appealed_at, p.appeal_reason,
           p.appeal_outcome, p.appeal_decided_by, p.appeal_decided_at, p.appeal_note, k.number, {subject}, p.count,
           p.factor, p.times, p.appeal_until, p.version,
           (SELECT c.customer_id FROM cases c WHERE c.id = p.case_id)
         FROM penalties p LEFT JOIN people n ON n.id = p.person_id
           LEFT JOIN cases k ON k.id = p.case_id AND {readable}"
    )
}

/// Ids as a list in SQL.
fn listed(people: impl IntoIterator<Item = PersonId>) -> String {
    people.into_iter().map(|person| person.0.to_string()).collect::<Vec<_>>().join(",")
}

/// As whom an actor decides: himself, those he acts for, and the administrators when he is one.
fn selves(actor: &Actor) -> String {
    let acts_for = actor.rights.acts_for.iter().map(|(from, _)| *from);
    let administrators = actor.is_administrator().then_some(ADMINISTRATORS);
    listed(std::iter::once(actor.person_id).chain(acts_for).chain(administrators))
}

/// Everybody below a person: who reports to him, and who holds a post in a unit he leads or below it.
fn below(actor: &Actor, directory: &Directory, day: &str) -> Vec<PersonId> {
    let me = actor.person_id;
    let mut found = directory.subordinates(me, day);
    let led = directory.units().filter(|unit| unit.head_id == Some(me));
    let units = led.flat_map(|unit| directory.tree(unit.id));
    found.extend(units.flat_map(|unit| directory.positions_in(unit, day)).map(|post| post.person_id));
    found.retain(|person| *person != me);
    found.sort_unstable();
    found.dedup();
    found
}

/// The condition on `penalties p` of those an actor may know of. Whoever may not handle customer information knows of his
/// own only: what is said about others may tell of customers.
fn sight_sql(actor: &Actor, ground: &Ground) -> String {
    let me = actor.person_id.0;
    if actor.rights.bar.is_some() {
        return format!("p.person_id = {me}");
    }
    if actor.is_administrator() {
        return "TRUE".to_owned();
    }
    let below = below(actor, &ground.directory, &ground.day);
    let below = if below.is_empty() {
        String::new()
    } else {
        format!(" OR one_of(p.person_id, '{}')", listed(below))
    };
    format!(
        "(p.person_id = {me} OR EXISTS (SELECT 1 FROM penalty_people w WHERE w.penalty_id = p.id
            AND w.person_id IN ({})){below})",
        selves(actor)
    )
}

/// A penalty the actor may know of; whatever he may not is like nothing, with a row in the log.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, ground: &Ground, id: PenaltyId) -> Result<Penalty, AppError> {
    let sql = format!("{} WHERE p.id = $1 AND {}", select(actor, ground), sight_sql(actor, ground));
    let Some(found) = conn.row::<Penalty>(&sql, &[id.into()])? else {
        let exists = conn.count("SELECT COUNT(*) FROM penalties WHERE id = $1", &[id.into()])? > 0;
        return Err(if exists {
            AppError::Hidden { object: "penalty", id: id.0 }
        } else {
            AppError::NotFound
        });
    };
    Ok(with_deciders(conn, vec![found])?.remove(0))
}

fn with_deciders(conn: &mut Conn<'_>, mut found: Vec<Penalty>) -> store::Result<Vec<Penalty>> {
    if found.is_empty() {
        return Ok(found);
    }
    let ids: Vec<String> = found.iter().map(|penalty| penalty.id.0.to_string()).collect();
    let sql = format!(
        "SELECT penalty_id, person_id FROM penalty_people WHERE penalty_id IN ({}) ORDER BY penalty_id, person_id",
        ids.join(",")
    );
    let mut of: HashMap<PenaltyId, Vec<PersonId>> = HashMap::new();
    for (penalty, person) in conn.rows::<(PenaltyId, PersonId)>(&sql, &[])? {
        of.entry(penalty).or_default().push(person);
    }
    for penalty in &mut found {
        penalty.deciders = of.remove(&penalty.id).unwrap_or_default();
    }
    Ok(found)
}

/// Which of the penalties an actor may know of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// His own.
    Mine,
    /// Those that wait for his decision.
    ToDo,
    /// All of them.
    #[default]
    All,
}

impl Place {
    /// All of them, as they are offered.
    pub const ALL: [Self; 3] = [Self::Mine, Self::ToDo, Self::All];

    /// In addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::ToDo => "todo",
            Self::All => "all",
        }
    }

    /// The place of this code.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.code() == code)
    }
}

/// Which penalties.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Whose.
    pub place: Place,
    /// In this state.
    pub state: Option<State>,
    /// Of this month, `2026-09`.
    pub month: Option<String>,
    /// That hit this person.
    pub person: Option<PersonId>,
    /// Whose name or title has it.
    pub text: String,
}

/// The conditions of a query on `penalties p` and `people n`; its parameters are added to `params`.
fn conditions(actor: &Actor, ground: &Ground, query: &ListQuery, params: &mut Vec<Value<'_>>) -> String {
    let mut all = vec![sight_sql(actor, ground)];
    match query.place {
        Place::Mine => all.push(format!("p.person_id = {}", actor.person_id.0)),
        Place::ToDo => all.push(format!(
            "p.person_id <> {} AND p.id IN (SELECT w.penalty_id FROM penalty_people w WHERE w.person_id IN ({})
               AND w.waits = TRUE)",
            actor.person_id.0,
            selves(actor)
        )),
        Place::All => {}
    }
    const OPEN: &str = "(p.appealed_at IS NOT NULL AND p.appeal_decided_at IS NULL)";
    if let Some(state) = query.state {
        all.push(match state {
            State::Appealed => OPEN.to_owned(),
            state => format!("p.state = '{}' AND NOT {OPEN}", state.code()),
        });
    }
    if let Some(month) = &query.month {
        params.push(month.clone().into());
        all.push(format!("p.month = ${}", params.len()));
    }
    if let Some(person) = query.person {
        params.push(person.into());
        all.push(format!("p.person_id = ${}", params.len()));
    }
    let text: String =
        query.text.trim().chars().filter(|c| !matches!(c, '%' | '_' | '\\')).take(60).collect();
    if !text.is_empty() {
        params.push(text.into());
        let n = params.len();
        all.push(format!("(n.name LIKE '%' || ${n} || '%' OR p.title LIKE '%' || ${n} || '%')"));
    }
    all.join(" AND ")
}

/// A page of penalties, the newest first, and where it goes on.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    query: &ListQuery,
    after: Option<PenaltyId>,
    limit: usize,
) -> Result<(Vec<Penalty>, Option<PenaltyId>), AppError> {
    let mut params = Vec::new();
    let mut conditions = conditions(actor, ground, query, &mut params);
    if let Some(after) = after {
        params.push(after.into());
        conditions.push_str(&format!(" AND p.id < ${}", params.len()));
    }
    params.push((limit as i64 + 1).into());
    let sql =
        format!("{} WHERE {conditions} ORDER BY p.id DESC LIMIT ${}", select(actor, ground), params.len());
    let mut found: Vec<Penalty> = conn.rows(&sql, &params)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(|penalty| penalty.id) } else { None };
    Ok((with_deciders(conn, found)?, next))
}

/// All penalties of a query for a file, the newest first, at most `MOST_EXPORTED`; without those who decide on them.
pub fn all_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    query: &ListQuery,
) -> Result<Vec<Penalty>, AppError> {
    let mut params = Vec::new();
    let conditions = conditions(actor, ground, query, &mut params);
    let sql =
        format!("{} WHERE {conditions} ORDER BY p.id DESC LIMIT {MOST_EXPORTED}", select(actor, ground));
    Ok(conn.rows(&sql, &params)?)
}

/// The penalties of a case that an actor may know of, the oldest first, at most fifty.
pub fn of_case(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    case: CaseId,
) -> Result<Vec<Penalty>, AppError> {
    let sql = format!(
        "{} WHERE p.case_id = $1 AND {} ORDER BY p.id LIMIT {MOST_OF_CASE}",
        select(actor, ground),
        sight_sql(actor, ground)
    );
    Ok(conn.rows(&sql, &[case.into()])?)
}

/// What one person's penalties of a month come to. What was cancelled counts for nothing.
#[derive(Clone, Debug)]
pub struct Sum {
    /// Whom they hit.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// The month.
    pub month: String,
    /// In what it is counted.
    pub measure: Measure,
    /// How many stand for good.
    pub final_count: i64,
    /// What these come to: to be deducted.
    pub final_amount: i64,
    /// How many are not decided for good yet.
    pub open_count: i64,
    /// What these would come to.
    pub open_amount: i64,
}

impl FromRow for Sum {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            person_id: row.get(0)?,
            person: row.get(1)?,
            month: row.get(2)?,
            measure: measure_named(&row.get::<String>(3)?),
            final_count: row.get(4)?,
            final_amount: row.get(5)?,
            open_count: row.get(6)?,
            open_amount: row.get(7)?,
        })
    }
}

/// Sums by person, month and measure, the latest month first.
pub fn sums(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    query: &ListQuery,
    limit: usize,
) -> Result<Vec<Sum>, AppError> {
    let mut params = Vec::new();
    let conditions = conditions(actor, ground, query, &mut params);
    params.push(ground.now.into());
    let now = params.len();
    params.push((limit as i64).into());
    // As `Penalty::is_final`.
    let stands = format!(
        "(p.state = 'confirmed' AND (p.appeal_decided_at IS NOT NULL
           OR (p.appealed_at IS NULL AND (p.appeal_until IS NULL OR p.appeal_until < ${now}))))"
    );
    let sql = format!(
        "SELECT f.person_id, f.name, f.month, f.measure, SUM(CASE WHEN f.stands THEN 1 ELSE 0 END),
           CAST(SUM(CASE WHEN f.stands THEN f.amount ELSE 0 END) AS BIGINT),
           SUM(CASE WHEN f.stands THEN 0 ELSE 1 END),
           CAST(SUM(CASE WHEN f.stands THEN 0 ELSE f.amount END) AS BIGINT)
         FROM (SELECT p.person_id, COALESCE(n.name, '') AS name, p.month, p.measure, p.amount, {stands} AS stands
               FROM penalties p LEFT JOIN people n ON n.id = p.person_id
               WHERE {conditions} AND p.state <> 'cancelled') f
         GROUP BY f.person_id, f.name, f.month, f.measure
         ORDER BY f.month DESC, f.name, f.person_id, f.measure LIMIT ${}",
        params.len()
    );
    Ok(conn.rows(&sql, &params)?)
}

/// How many penalties wait for the actor's decision, counted up to 1,000.
pub fn waiting_count(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<i64> {
    if actor.rights.bar.is_some() {
        return Ok(0);
    }
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT DISTINCT w.penalty_id FROM penalty_people w
           JOIN penalties p ON p.id = w.penalty_id
           WHERE w.person_id IN ({}) AND w.waits = TRUE AND p.person_id <> $1 LIMIT 1000) waiting",
        selves(actor)
    );
    conn.count(&sql, &[actor.person_id.into()])
}
