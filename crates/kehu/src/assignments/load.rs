//! Reading tasks, their steps and what waits for a person.

use store::{Conn, Tx};

use super::grant::SOURCE;
use super::model::{Assignment, Counts, Ground, SELECT};
use super::sight::Sight;
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
    let sight = Sight::of(actor, &ground.directory, &ground.day);
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
    /// To which unit, for giving.
    pub unit: String,
    /// To which post, for giving.
    pub post: String,
    /// To whom, for giving and handing over.
    pub receiver: String,
    /// Reply, reason or note.
    pub note: String,
}

type StepRow = (Millis, String, String, String, String, String, String);

/// What happened to a task the caller has [found](find), the oldest first.
pub fn steps(conn: &mut Conn<'_>, id: AssignmentId) -> store::Result<Vec<Step>> {
    let rows: Vec<StepRow> = conn.rows(
        "SELECT s.at, s.kind, COALESCE(b.name, ''), COALESCE(u.name, ''), s.post, COALESCE(r.name, ''), s.note
         FROM assignment_steps s LEFT JOIN people b ON b.id = s.by_id LEFT JOIN people r ON r.id = s.receiver_id
           LEFT JOIN units u ON u.id = s.unit_id
         WHERE s.assignment_id = $1 ORDER BY s.id LIMIT 500",
        &[id.into()],
    )?;
    Ok(rows
        .into_iter()
        .map(|(at, kind, by, unit, post, receiver, note)| Step { at, kind, by, unit, post, receiver, note })
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

/// The units and posts from which a person takes tasks on a day, from the database: for where no organisation is at
/// hand.
fn places(conn: &mut Conn<'_>, actor: &Actor, day: &str) -> store::Result<(Vec<UnitId>, Vec<String>)> {
    let held: Vec<(UnitId, String)> = conn.rows(
        "SELECT unit_id, post FROM positions WHERE person_id = $1 AND starts_on <= $2
           AND (ends_on = '' OR ends_on >= $2)",
        &[actor.person_id.into(), day.into()],
    )?;
    let heads: Vec<(UnitId,)> =
        conn.rows("SELECT id FROM units WHERE head_id = $1", &[actor.person_id.into()])?;
    let mut units: Vec<UnitId> =
        held.iter().map(|(u, _)| *u).chain(heads.into_iter().map(|(u,)| u)).collect();
    units.sort_unstable();
    units.dedup();
    let mut posts: Vec<String> = held.into_iter().map(|(_, post)| post).collect();
    posts.sort();
    posts.dedup();
    Ok((units, posts))
}

/// What waits for a person: a condition on `assignments a` for each index it is found by.
fn waiting_parts(conn: &mut Conn<'_>, actor: &Actor, day: &str) -> store::Result<Vec<String>> {
    let (units, posts) = places(conn, actor, day)?;
    let mut parts = vec![format!("a.receiver_id = {} AND a.state IN ('open', 'taken')", actor.person_id.0)];
    if !units.is_empty() {
        let units: Vec<String> = units.iter().map(|u| u.0.to_string()).collect();
        parts.push(format!(
            "a.unit_id IN ({}) AND a.state = 'open' AND a.receiver_id IS NULL",
            units.join(", ")
        ));
    }
    if !posts.is_empty() {
        // Codes of the dictionary.
        let posts: Vec<String> = posts.iter().map(|p| format!("'{}'", p.replace('\'', "''"))).collect();
        parts.push(format!(
            "a.post <> '' AND a.post IN ({}) AND a.state = 'open' AND a.receiver_id IS NULL",
            posts.join(", ")
        ));
    }
    if !actor.is_administrator() && !actor.rights.excluded.is_empty() {
        let kept_out: Vec<String> = actor.rights.excluded.iter().map(i64::to_string).collect();
        let kept_out = kept_out.join(", ");
        for part in &mut parts {
            *part = format!("{part} AND (a.customer_id IS NULL OR a.customer_id NOT IN ({kept_out}))");
        }
    }
    Ok(parts)
}

/// How much waits for a person on a day: what he has or could take, and what came back to him.
pub fn counts(conn: &mut Conn<'_>, actor: &Actor, day: &str) -> store::Result<Counts> {
    let parts = waiting_parts(conn, actor, day)?;
    let all: Vec<String> = parts
        .iter()
        .map(|part| format!("SELECT id FROM (SELECT a.id FROM assignments a WHERE {part} LIMIT 1000) part"))
        .collect();
    let waiting = conn.count(&format!("SELECT COUNT(*) FROM ({}) waiting", all.join(" UNION ")), &[])?;
    let returned = conn.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM assignments WHERE giver_id = $1 AND state = 'returned' LIMIT 1000) back",
        &[actor.person_id.into()],
    )?;
    Ok(Counts { waiting, returned })
}

/// What waits for a person on a day, the most pressing first: what came back to him, then by due date. At most `limit`.
pub fn waiting(
    conn: &mut Conn<'_>,
    actor: &Actor,
    day: &str,
    limit: usize,
) -> store::Result<Vec<Assignment>> {
    let mut parts = waiting_parts(conn, actor, day)?;
    parts.push(format!("a.giver_id = {} AND a.state = 'returned'", actor.person_id.0));
    let mut found: Vec<Assignment> = Vec::new();
    for part in parts {
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
