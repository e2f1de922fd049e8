//! Reading tasks, their steps and what waits for a person.

use store::{Conn, Tx};

use super::grant::SOURCE;
use super::model::{Assignment, Counts, Ground, SELECT};
use super::sight::{Seat, ids};
use crate::access::Actor;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{AssignmentId, PersonId, UnitId};

/// A task the actor may see; one he may not know is `Hidden`.
pub fn find(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
) -> Result<Assignment, AppError> {
    let task: Option<Assignment> = conn.row(&format!("{SELECT} WHERE a.id = $1"), &[id.into()])?;
    seen(conn, actor, ground, task.ok_or(AppError::NotFound)?)
}

/// `find`, to change it: it stays as it is read until the transaction ends.
pub(super) fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
) -> Result<Assignment, AppError> {
    let lock = format!("SELECT id FROM assignments WHERE id = $1{}", tx.for_change());
    tx.row::<(AssignmentId,)>(&lock, &[id.into()])?.ok_or(AppError::NotFound)?;
    find(tx, actor, ground, id)
}

fn seen(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    task: Assignment,
) -> Result<Assignment, AppError> {
    let sight = ground.sight(actor);
    if sight.sees(conn, &task)? {
        Ok(task)
    } else {
        Err(AppError::Hidden { object: "assignment", id: task.id.0 })
    }
}

/// Refuses like [`find`] whoever may not see a task.
pub fn require_seen(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
) -> Result<(), AppError> {
    find(conn, actor, ground, id).map(drop)
}

/// One thing that happened to a task.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Millis,
    /// `given`, `taken`, `done`, `returned`, `withdrawn`, `given_again`, `handed_over` or `changed`.
    pub kind: String,
    /// Who did it.
    pub by: String,
    /// On whose behalf; empty for his own.
    pub acting_for: String,
    /// To which unit, for giving.
    pub unit: String,
    /// To which post, for giving.
    pub post: String,
    /// To whom, for giving and handing over.
    pub receiver: String,
    /// Reply, reason or note.
    pub note: String,
}

type StepRow = (Millis, String, String, String, String, String, String, String);

/// What happened to a task the caller has [found](find), the oldest first.
pub fn steps(conn: &mut Conn<'_>, id: AssignmentId) -> store::Result<Vec<Step>> {
    let rows: Vec<StepRow> = conn.rows(
        "SELECT s.at, s.kind, COALESCE(b.name, ''), COALESCE(u.name, ''), s.post, COALESCE(r.name, ''), s.note,
           COALESCE(f.name, '')
         FROM assignment_steps s LEFT JOIN people b ON b.id = s.by_id LEFT JOIN people r ON r.id = s.receiver_id
           LEFT JOIN people f ON f.id = s.for_id LEFT JOIN units u ON u.id = s.unit_id
         WHERE s.assignment_id = $1 ORDER BY s.id LIMIT 500",
        &[id.into()],
    )?;
    Ok(rows
        .into_iter()
        .map(|(at, kind, by, unit, post, receiver, note, acting_for)| Step {
            at,
            kind,
            by,
            acting_for,
            unit,
            post,
            receiver,
            note,
        })
        .collect())
}

/// Until when the receiver of a task has the right on its customer; `None` when he has none now.
pub fn right_of(conn: &mut Conn<'_>, id: AssignmentId, now: Millis) -> store::Result<Option<Millis>> {
    let ends_at: Option<Option<i64>> = conn.value(
        "SELECT MAX(ends_at) FROM customer_grants
         WHERE source = $1 AND source_id = $2 AND revoked_at IS NULL AND ends_at > $3",
        &[SOURCE.into(), id.0.into(), now.into()],
    )?;
    Ok(ends_at.flatten())
}

/// Where a person and those he acts for stand on a day, from the database: for where no organisation is at hand.
fn seats(conn: &mut Conn<'_>, actor: &Actor, day: &str) -> store::Result<Vec<Seat>> {
    let people: Vec<PersonId> =
        std::iter::once(actor.person_id).chain(actor.rights.acts_for.iter().map(|(from, _)| *from)).collect();
    let list = ids(people.iter().map(|p| p.0));
    let held: Vec<(PersonId, UnitId, String)> = conn.rows(
        &format!(
            "SELECT person_id, unit_id, post FROM positions WHERE person_id IN ({list}) AND starts_on <= $1
               AND (ends_on = '' OR ends_on >= $1)"
        ),
        &[day.into()],
    )?;
    let heads: Vec<(PersonId, UnitId)> =
        conn.rows(&format!("SELECT head_id, id FROM units WHERE head_id IN ({list})"), &[])?;
    let seat = |person: PersonId| {
        let his = held.iter().filter(|(of, ..)| *of == person).map(|(_, unit, post)| (*unit, post.clone()));
        let led: Vec<UnitId> = heads.iter().filter(|(of, _)| *of == person).map(|(_, unit)| *unit).collect();
        Seat::new(person, his.collect(), &led)
    };
    Ok(people.into_iter().map(seat).collect())
}

/// What waits for a person and for those he acts for (what they have or could take, and what came back to them): two
/// lists of conditions on `assignments a`, one for each index they are found by.
fn waiting_parts(conn: &mut Conn<'_>, actor: &Actor, day: &str) -> store::Result<(Vec<String>, Vec<String>)> {
    let (mut waiting, mut returned) = (Vec::new(), Vec::new());
    for seat in seats(conn, actor, day)? {
        let person = seat.person.0;
        waiting.push(format!("a.receiver_id = {person} AND a.state IN ('open', 'taken')"));
        waiting.extend(seat.free_parts());
        returned.push(format!("a.giver_id = {person} AND a.state = 'returned'"));
    }
    if !actor.is_administrator() && !actor.rights.excluded.is_empty() {
        let kept_out = ids(actor.rights.excluded.iter().copied());
        for part in waiting.iter_mut().chain(&mut returned) {
            *part = format!("{part} AND (a.customer_id IS NULL OR a.customer_id NOT IN ({kept_out}))");
        }
    }
    Ok((waiting, returned))
}

/// How many tasks fulfil one of the conditions; of each at most 1,000 are counted.
fn count_any(conn: &mut Conn<'_>, parts: &[String]) -> store::Result<i64> {
    let all: Vec<String> = parts
        .iter()
        .map(|part| format!("SELECT id FROM (SELECT a.id FROM assignments a WHERE {part} LIMIT 1000) part"))
        .collect();
    conn.count(&format!("SELECT COUNT(*) FROM ({}) found", all.join(" UNION ")), &[])
}

/// How much waits for a person on a day, and for those he acts for: what he has or could take, and what came back to him.
pub fn counts(conn: &mut Conn<'_>, actor: &Actor, day: &str) -> store::Result<Counts> {
    let (waiting, returned) = waiting_parts(conn, actor, day)?;
    Ok(Counts { waiting: count_any(conn, &waiting)?, returned: count_any(conn, &returned)? })
}

/// What waits for a person on a day, and for those he acts for, the most pressing first: what came back, then by due
/// date. At most `limit`.
pub fn waiting(
    conn: &mut Conn<'_>,
    actor: &Actor,
    day: &str,
    limit: usize,
) -> store::Result<Vec<Assignment>> {
    let (waiting, returned) = waiting_parts(conn, actor, day)?;
    let mut found: Vec<Assignment> = Vec::new();
    for part in waiting.into_iter().chain(returned) {
        let sql = format!("{SELECT} WHERE {part} ORDER BY a.due_at, a.id LIMIT {limit}");
        for task in conn.rows::<Assignment>(&sql, &[])? {
            if found.iter().all(|f| f.id != task.id) {
                found.push(task);
            }
        }
    }
    found.sort_by_key(|t| (t.state.is_waiting(), t.due.at, t.id));
    found.truncate(limit);
    Ok(found)
}

/// Tasks a person has that wait for him: for whoever hands them over.
pub(super) fn held_by(conn: &mut Conn<'_>, person: PersonId) -> store::Result<Vec<Assignment>> {
    let sql = format!(
        "{SELECT} WHERE a.receiver_id = $1 AND a.state IN ('open', 'taken') ORDER BY a.id LIMIT 10000"
    );
    conn.rows(&sql, &[person.into()])
}
