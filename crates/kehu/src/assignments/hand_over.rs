//! Handing over what somebody leaves behind: the tasks he has go to a successor, or back to those who gave them.

use store::{Conn, Tx};

use super::give::{move_to, record, reload, step};
use super::grant::{end_right, give_right_if_possible};
use super::load::held_by;
use super::model::{Assignment, Ground, Target};
use super::statistics::{self, Figure};
use crate::access::Actor;
use crate::error::AppError;
use crate::ids::PersonId;
use crate::org;

/// What became of the tasks of one who leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// Went to the successor.
    pub taken_over: usize,
    /// Went back to their givers.
    pub returned: usize,
    /// Given by him and not over: the successor is their giver now.
    pub given: usize,
}

/// How many tasks a person has that wait for him, and how many he gave that are not over.
pub fn open_of(conn: &mut Conn<'_>, person: PersonId) -> store::Result<(i64, i64)> {
    let held = conn.count(
        "SELECT COUNT(*) FROM assignments WHERE receiver_id = $1 AND state IN ('open', 'taken')",
        &[person.into()],
    )?;
    let given = conn.count(
        "SELECT COUNT(*) FROM assignments WHERE giver_id = $1 AND state IN ('open', 'taken', 'returned')",
        &[person.into()],
    )?;
    Ok((held, given))
}

/// Hands over every open task of `from`: to `to`, or without a successor back to their givers. What the successor gave
/// himself, or must keep out of, goes back too. The caller has decided that it may be done; call `forget_sessions`
/// afterwards.
pub fn hand_over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    from: PersonId,
    to: Option<PersonId>,
) -> Result<Handed, AppError> {
    let mut handed = Handed::default();
    // What he gave first: who takes over what he gave does not also get it as his own task.
    if let Some(to) = to {
        handed.given = take_place_of_giver(tx, actor, ground, from, to)?;
    }
    for task in held_by(tx, from)? {
        end_right(tx, actor, &task, ground.now)?;
        let to = match (to, task.customer_id) {
            (Some(to), _) if to == task.giver_id => None,
            (Some(to), Some(customer)) if org::is_excluded(tx, customer, to)? => None,
            (to, _) => to,
        };
        match to {
            Some(to) => {
                over(tx, actor, ground, &task, to)?;
                handed.taken_over += 1;
            }
            None => {
                back(tx, actor, ground, &task)?;
                handed.returned += 1;
            }
        }
    }
    Ok(handed)
}

fn over(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    task: &Assignment,
    to: PersonId,
) -> Result<(), AppError> {
    let target = Target::Person(to);
    move_to(tx, ground, task, &target, task.due)?;
    step(tx, actor, ground.now, task.id, "handed_over", Some(&target), "")?;
    let new = reload(tx, task.id)?;
    // It counts where it is done: once, from when it was given.
    statistics::note(tx, task, Figure::Given, -1, task.given_at)?;
    statistics::note(tx, &new, Figure::Given, 1, task.given_at)?;
    give_right_if_possible(tx, actor, ground, &new)?;
    Ok(record(tx, actor, ground, "assignment.handed_over", &new, Some(task))?)
}

fn back(tx: &mut Tx<'_>, actor: &Actor, ground: &Ground, task: &Assignment) -> Result<(), AppError> {
    tx.exec(
        "UPDATE assignments SET state = 'returned', ended_at = $2, updated_at = $2, version = version + 1
         WHERE id = $1",
        &[task.id.into(), ground.now.into()],
    )?;
    step(tx, actor, ground.now, task.id, "returned", None, "办理人离职，没有指定接手的人")?;
    let new = reload(tx, task.id)?;
    statistics::note(tx, &new, Figure::Bounced, 1, ground.now)?;
    Ok(record(tx, actor, ground, "assignment.returned", &new, Some(task))?)
}

/// Replies to what he gave go to the successor.
fn take_place_of_giver(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    from: PersonId,
    to: PersonId,
) -> Result<usize, AppError> {
    let ids: Vec<(crate::ids::AssignmentId,)> = tx.rows(
        "SELECT id FROM assignments WHERE giver_id = $1 AND state IN ('open', 'taken', 'returned')
           AND (receiver_id IS NULL OR receiver_id <> $2) ORDER BY id LIMIT 10000",
        &[from.into(), to.into()],
    )?;
    for (id,) in &ids {
        let old = reload(tx, *id)?;
        tx.exec(
            "UPDATE assignments SET giver_id = $2, updated_at = $3, version = version + 1 WHERE id = $1",
            &[(*id).into(), to.into(), ground.now.into()],
        )?;
        step(tx, actor, ground.now, *id, "giver_changed", Some(&Target::Person(to)), "")?;
        let new = reload(tx, *id)?;
        record(tx, actor, ground, "assignment.giver_changed", &new, Some(&old))?;
    }
    Ok(ids.len())
}
