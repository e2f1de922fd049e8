//! Reading a case for somebody.

use std::sync::Arc;

use policy::Policy;
use policy::model::Form;
use serde_json::Value as Json;
use store::{Conn, FromRow, Row, Tx};

use super::model::{COLUMNS, Case, WIDTH};
use super::unseen::hide_in_cases;
use super::world::Ground;
use crate::access::{self, Actor, Directory};
use crate::error::AppError;
use crate::ids::{CaseId, PersonId, UnitId};
use crate::policies;

/// A case with the regulation it is carried out under.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What lists know.
    pub case: Case,
    /// What the engine knows.
    pub state: policy::case::Case,
    /// The policy in the case's version.
    pub policy: Arc<Policy>,
    /// Its form.
    pub form: Arc<Form>,
}

impl Loaded {
    /// Refuses whoever saw another version of the case than this one; he need not say what he saw.
    pub(super) fn require_version(&self, seen: Option<i64>) -> Result<(), AppError> {
        if seen.is_none_or(|seen| seen == self.case.version) { Ok(()) } else { Err(AppError::Stale) }
    }
}

struct Stored(Case, String);

impl FromRow for Stored {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self(Case::from_row(row)?, row.get(WIDTH)?))
    }
}

/// Whoever the actor is at this moment: himself, and those he acts for.
pub(super) fn selves(actor: &Actor) -> Vec<PersonId> {
    std::iter::once(actor.person_id).chain(actor.rights.acts_for.iter().map(|(from, _)| *from)).collect()
}

/// The condition on `cases k` of what an actor may read; ids only, so it goes into any statement as it is.
pub fn readable_sql(actor: &Actor, ground: &Ground) -> String {
    readable_in(actor, &ground.directory, &ground.day)
}

/// The condition on `cases k` that an actor must keep out of a case (回避): the regulation says so, or he must keep out of
/// its customer's record. It holds for administrators too.
pub fn kept_out_sql(actor: &Actor) -> String {
    let me = actor.person_id.0;
    let mut out = format!(
        "EXISTS (SELECT 1 FROM case_people x WHERE x.case_id = k.id AND x.person_id = {me} AND x.part = 'excluded')"
    );
    if !actor.rights.excluded.is_empty() {
        let customers: Vec<String> = actor.rights.excluded.iter().map(i64::to_string).collect();
        out += &format!(" OR one_of(COALESCE(k.customer_id, 0), '{}')", customers.join(","));
    }
    format!("({out})")
}

/// The same as `readable_sql` in an organisation on a day.
pub(super) fn readable_in(actor: &Actor, directory: &Directory, day: &str) -> String {
    let selves: Vec<String> = selves(actor).iter().map(|person| person.0.to_string()).collect();
    let selves = selves.join(",");
    let me = actor.person_id.0;
    let out = format!("NOT {}", kept_out_sql(actor));
    if actor.is_administrator() {
        return out;
    }
    let units: Vec<String> = led_units(actor, directory).iter().map(|unit| unit.0.to_string()).collect();
    let below: Vec<String> =
        directory.subordinates(actor.person_id, day).iter().map(|person| person.0.to_string()).collect();
    let below = if below.is_empty() {
        String::new()
    } else {
        format!(" OR one_of(k.owner_id, '{}')", below.join(","))
    };
    let led = if units.is_empty() {
        String::new()
    } else {
        format!(" OR one_of(k.unit_id, '{}')", units.join(","))
    };
    // Whoever has to decide on a penalty judges by the case it comes from, until it is decided; nobody on his own.
    let judged = format!(
        "k.id IN (SELECT q.case_id FROM penalty_people w JOIN penalties q ON q.id = w.penalty_id
           WHERE w.person_id IN ({selves}) AND w.waits = TRUE AND q.person_id <> {me})"
    );
    format!(
        "({out} AND (EXISTS (SELECT 1 FROM case_people p WHERE p.case_id = k.id AND p.person_id IN ({selves})
            AND p.part <> 'excluded')
          OR EXISTS (SELECT 1 FROM customers o WHERE o.id = k.customer_id AND o.owner_id = {me}
            AND o.deleted_at IS NULL) OR {judged}{led}{below}))"
    )
}

/// The units a person leads, with everything below them.
fn led_units(actor: &Actor, directory: &Directory) -> Vec<UnitId> {
    let led = directory.units().filter(|unit| unit.head_id == Some(actor.person_id));
    let mut all: Vec<UnitId> = led.flat_map(|unit| directory.tree(unit.id)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A case the actor may read; whatever he may not is like nothing, with a row in the log.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, ground: &Ground, id: CaseId) -> Result<Loaded, AppError> {
    find(conn, actor, ground, id, "")
}

/// `load`, and nobody else changes it until the transaction ends.
pub(super) fn hold(tx: &mut Tx<'_>, actor: &Actor, ground: &Ground, id: CaseId) -> Result<Loaded, AppError> {
    let lock = tx.for_change();
    find(tx, actor, ground, id, lock)
}

fn find(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
    lock: &str,
) -> Result<Loaded, AppError> {
    // Cases tell of customers: whoever may not handle customer information reads none.
    access::require_unbarred(actor)?;
    let readable = readable_sql(actor, ground);
    let sql = format!("SELECT {COLUMNS}, k.body FROM cases k WHERE k.id = $1 AND {readable} {lock}");
    let Some(stored) = conn.row::<Stored>(&sql, &[id.into()])? else {
        let exists = conn.count("SELECT COUNT(*) FROM cases WHERE id = $1", &[id.into()])? > 0;
        return Err(if exists { AppError::Hidden { object: "case", id: id.0 } } else { AppError::NotFound });
    };
    let mut loaded = whole(conn, stored)?;
    hide_in_cases(conn, actor, std::iter::once(&mut loaded.case))?;
    Ok(loaded)
}

/// A case for the system itself: timers and events, not people.
pub(super) fn hold_for_timer(tx: &mut Tx<'_>, id: CaseId) -> Result<Option<Loaded>, AppError> {
    let lock = tx.for_change();
    let sql = format!("SELECT {COLUMNS}, k.body FROM cases k WHERE k.id = $1 {lock}");
    match tx.row::<Stored>(&sql, &[id.into()])? {
        Some(stored) => whole(tx, stored).map(Some),
        None => Ok(None),
    }
}

fn whole(conn: &mut Conn<'_>, Stored(case, body): Stored) -> Result<Loaded, AppError> {
    let policy = policies::load(conn, case.version_id)?;
    let broken = || AppError::Internal(format!("case {} cannot be read", case.id));
    let form = policy.form(&case.form).cloned().ok_or_else(broken)?;
    let json: Json = serde_json::from_str(&body).map_err(|_| broken())?;
    let state = policy::case::Case::from_json(&form, &json).ok_or_else(broken)?;
    Ok(Loaded { case, state, policy, form })
}
