//! Taking a task, doing it, sending it back, withdrawing it.

use store::Tx;

use super::give::{record, reload, require_giver, require_open, step};
use super::grant::{end_right, give_right_if_possible};
use super::load::hold;
use super::model::{Assignment, Ground, LONGEST_REASON, LONGEST_TEXT, State, clean};
use super::statistics::{self, Figure};
use crate::access::Actor;
use crate::error::AppError;
use crate::ids::{AssignmentId, UnitId};
use crate::input::{Kind, refuse};
use crate::text;

/// Takes a task: its receiver, or of a unit or post the first who does; a delegate takes it for the one he acts for. Who
/// has it then gets the right on its customer now; call `forget_sessions` afterwards.
pub fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
) -> Result<Assignment, AppError> {
    let task = hold(tx, actor, ground, id)?;
    require_open(&task)?;
    let sight = ground.sight(actor);
    let Some(taker) = sight.taker(&task) else {
        return Err(match (task.state, task.receiver_id) {
            (State::Taken, Some(id)) if id == actor.person_id => {
                AppError::Conflict(text!("您已经领取了这项任务"))
            }
            (State::Taken, Some(_)) => AppError::Conflict(text!("“{}”已经领取了这项任务", task.receiver)),
            (State::Returned, _) => AppError::Conflict(text!("这项任务已经退回，要等交办人重新交办")),
            _ => AppError::Forbidden(text!("这项任务不是交给您或您的部门的，不能领取")),
        });
    };
    let by = actor.on_behalf_of(taker);
    let mut answers = task.answers_unit_id;
    if answers.0 == 0 {
        answers = ground.directory.main_unit(taker, &ground.day).unwrap_or(UnitId(0));
    }
    tx.exec(
        "UPDATE assignments SET receiver_id = $2, answers_unit_id = $3, state = 'taken', taken_at = $4,
           updated_at = $4, version = version + 1 WHERE id = $1",
        &[id.into(), taker.into(), answers.into(), ground.now.into()],
    )?;
    step(tx, &by, ground.now, id, "taken", None, "")?;
    let new = reload(tx, id)?;
    if answers != task.answers_unit_id {
        // Given to a post: only now it is known in whose figures it counts.
        statistics::note(tx, &task, Figure::Given, -1, task.given_at)?;
        statistics::note(tx, &new, Figure::Given, 1, task.given_at)?;
    }
    if task.receiver_id.is_none() {
        give_right_if_possible(tx, &by, ground, &new)?;
    }
    record(tx, &by, ground, "assignment.taken", &new, Some(&task))?;
    Ok(new)
}

/// Refuses whoever neither has a task nor acts for who has it; answers him on that one's behalf.
fn require_receiver(actor: &Actor, task: &Assignment) -> Result<Actor, AppError> {
    require_open(task)?;
    if task.state == State::Returned {
        return Err(AppError::Conflict(text!("这项任务已经退回，要等交办人重新交办")));
    }
    match task.receiver_id {
        Some(id) if actor.stands_for(id) => Ok(actor.on_behalf_of(id)),
        Some(_) => Err(AppError::Forbidden(text!("这项任务由“{}”办理，只有他可以办结或退回", task.receiver))),
        None => Err(AppError::Conflict(text!("请先领取这项任务"))),
    }
}

/// Closes a task with a reply: its receiver. His right on the customer ends; call `forget_sessions` afterwards.
pub fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
    reply: &str,
) -> Result<Assignment, AppError> {
    let task = hold(tx, actor, ground, id)?;
    let actor = &require_receiver(actor, &task)?;
    let mut errors = Vec::new();
    let reply = clean("reply", Kind::Lines, LONGEST_TEXT, reply, &mut errors);
    refuse(errors)?;
    if reply.is_empty() {
        return Err(AppError::field("reply", text!("请写明办理结果，再办结")));
    }
    tx.exec(
        "UPDATE assignments SET state = 'done', reply = $2, ended_at = $3, taken_at = COALESCE(taken_at, $3),
           updated_at = $3, version = version + 1 WHERE id = $1",
        &[id.into(), (&reply).into(), ground.now.into()],
    )?;
    step(tx, actor, ground.now, id, "done", None, &reply)?;
    end_right(tx, actor, &task, ground.now)?;
    let new = reload(tx, id)?;
    let figure = if new.is_late(ground.now) { Figure::Late } else { Figure::InTime };
    statistics::note(tx, &new, figure, 1, ground.now)?;
    record(tx, actor, ground, "assignment.done", &new, Some(&task))?;
    Ok(new)
}

/// Sends a task back to its giver with a reason: its receiver, or the head of its unit while nobody has taken it. It
/// counts as bounced; the right on the customer ends (call `forget_sessions` afterwards).
pub fn send_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
    reason: &str,
) -> Result<Assignment, AppError> {
    let task = hold(tx, actor, ground, id)?;
    let sight = ground.sight(actor);
    let actor = &match sight.head(&task) {
        Some(head) => actor.on_behalf_of(head),
        None => require_receiver(actor, &task)?,
    };
    let reason = reason_of(reason, true)?;
    tx.exec(
        "UPDATE assignments SET state = 'returned', ended_at = $2, updated_at = $2, version = version + 1
         WHERE id = $1",
        &[id.into(), ground.now.into()],
    )?;
    step(tx, actor, ground.now, id, "returned", None, &reason)?;
    end_right(tx, actor, &task, ground.now)?;
    let new = reload(tx, id)?;
    statistics::note(tx, &new, Figure::Bounced, 1, ground.now)?;
    record(tx, actor, ground, "assignment.returned", &new, Some(&task))?;
    Ok(new)
}

/// Withdraws a task that is not done: its giver, or an administrator. The right on the customer ends (call
/// `forget_sessions` afterwards).
pub fn withdraw(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
    reason: &str,
) -> Result<Assignment, AppError> {
    let task = hold(tx, actor, ground, id)?;
    let actor = &require_giver(actor, &task)?;
    require_open(&task)?;
    let reason = reason_of(reason, false)?;
    tx.exec(
        "UPDATE assignments SET state = 'withdrawn', ended_at = $2, updated_at = $2, version = version + 1
         WHERE id = $1",
        &[id.into(), ground.now.into()],
    )?;
    step(tx, actor, ground.now, id, "withdrawn", None, &reason)?;
    end_right(tx, actor, &task, ground.now)?;
    let new = reload(tx, id)?;
    record(tx, actor, ground, "assignment.withdrawn", &new, Some(&task))?;
    Ok(new)
}

fn reason_of(raw: &str, is_required: bool) -> Result<String, AppError> {
    let mut errors = Vec::new();
    let reason = clean("reason", Kind::Lines, LONGEST_REASON, raw, &mut errors);
    refuse(errors)?;
    if reason.is_empty() && is_required {
        return Err(AppError::field("reason", text!("请写明退回的原因，例如“不属于本部门的职责”")));
    }
    Ok(reason)
}
