//! Giving a task, giving it to somebody else, changing what it says.

use serde_json::json;
use store::Tx;

use super::grant::{bundle_for, end_right, give_right, give_right_if_possible};
use super::load::hold;
use super::model::{
    Again, Assignment, Draft, Due, Ground, LONGEST_REASON, LONGEST_TEXT, LONGEST_TITLE, Patch, Priority,
    SELECT, State, Target, clean, due_text, read_due,
};
use super::statistics::{self, Figure};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::customers;
use crate::error::{AppError, FieldError};
use crate::ids::{AssignmentId, PersonId, ProcessId, UnitId};
use crate::input::{Kind, difference, refuse};
use crate::processes::{self, Duty, Party, Process};
use crate::{events, text};

/// Tasks of one giver that wait at the most.
const MOST_OF_GIVER: i64 = 2_000;

/// Gives a task: anybody who is signed in, to any active person or open unit. With a process it goes to whoever is
/// responsible there. About a customer only by who may read it; its receiver gets the right at once, of a unit
/// whoever takes it.
pub fn give(tx: &mut Tx<'_>, actor: &Actor, ground: &Ground, draft: &Draft) -> Result<Assignment, AppError> {
    let mut errors = Vec::new();
    let title = clean("title", Kind::Line, LONGEST_TITLE, &draft.title, &mut errors);
    if title.is_empty() && errors.is_empty() {
        errors.push(FieldError::new("title", text!("请用一句话写明要办的事")));
    }
    let body = clean("body", Kind::Lines, LONGEST_TEXT, &draft.body, &mut errors);
    let due = read_due(&draft.due, &ground.zone, ground.now);
    let due = take(due, &mut errors)?;
    let process = match draft.process {
        None => None,
        Some(id) => take(load_process(tx, id), &mut errors)?,
    };
    let to = take(target(tx, actor, ground, process.as_ref(), draft.to.as_ref()), &mut errors)?;
    let mut role_id = None;
    if let Some(id) = draft.customer {
        let whole = customers::load_for(tx, actor, Object::Customer, Verb::Read, id)?;
        role_id = take(bundle_for(tx, actor, ground, &whole, draft.right), &mut errors)?.flatten();
    } else if matches!(draft.right, super::model::Right::Bundle(_)) {
        errors.push(FieldError::new("role", text!("没有选客户，不需要授权")));
    }
    refuse(errors)?;
    let (Some(due), Some(to)) = (due, to) else { return Err(AppError::Internal("nothing refused".into())) };
    let waiting = tx.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM assignments WHERE giver_id = $1
           AND state IN ('open', 'taken', 'returned') LIMIT 2001) open",
        &[actor.person_id.into()],
    )?;
    if waiting >= MOST_OF_GIVER {
        return Err(AppError::Conflict(text!(
            "您交办的任务已有 {} 件没有办结，请先处理或撤回一些",
            MOST_OF_GIVER
        )));
    }
    let id = AssignmentId::new();
    let (receiver, unit, post) = columns(&to);
    let answers = answering(ground, &to);
    tx.exec(
        "INSERT INTO assignments (id, title, body, customer_id, process_id, giver_id, unit_id, post, receiver_id,
           answers_unit_id, state, priority, due_at, is_due_by_day, role_id, given_at, created_at, updated_at)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,'open',$11,$12,$13,$14,$15,$15,$15)",
        &[
            id.into(),
            (&title).into(),
            (&body).into(),
            draft.customer.into(),
            draft.process.into(),
            actor.person_id.into(),
            unit.into(),
            post.into(),
            receiver.into(),
            answers.into(),
            draft.priority.number().into(),
            due.at.into(),
            due.is_by_day.into(),
            role_id.into(),
            ground.now.into(),
        ],
    )?;
    step(tx, actor, ground.now, id, "given", Some(&to), "")?;
    let task = reload(tx, id)?;
    statistics::note(tx, &task, Figure::Given, 1, ground.now)?;
    give_right(tx, actor, ground, &task).map_err(to_receiver)?;
    record(tx, actor, ground, "assignment.given", &task, None)?;
    Ok(task)
}

/// Gives a task that is not over to somebody else: its giver, or an administrator. Whoever had it has it no longer.
pub fn give_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
    again: &Again,
) -> Result<Assignment, AppError> {
    let task = hold(tx, actor, ground, id)?;
    let actor = &require_giver(actor, &task)?;
    require_open(&task)?;
    let mut errors = Vec::new();
    let note = clean("note", Kind::Lines, LONGEST_REASON, &again.note, &mut errors);
    let due = match &again.due {
        Some(text) => take(read_due(text, &ground.zone, ground.now), &mut errors)?,
        None if task.due.at <= ground.now => {
            errors.push(FieldError::new("due", text!("原来的完成期限已过，请填写新的完成期限")));
            None
        }
        None => Some(task.due),
    };
    let process = match task.process_id.map(|id| processes::load(tx, id)) {
        // One that was taken away restricts nothing any more.
        None | Some(Err(AppError::NotFound)) => None,
        Some(found) => Some(found?),
    };
    let to = take(target(tx, actor, ground, process.as_ref(), again.to.as_ref()), &mut errors)?;
    refuse(errors)?;
    let (Some(due), Some(to)) = (due, to) else { return Err(AppError::Internal("nothing refused".into())) };
    end_right(tx, actor, &task, ground.now)?;
    move_to(tx, ground, &task, &to, due)?;
    step(tx, actor, ground.now, id, "given_again", Some(&to), &note)?;
    let new = reload(tx, id)?;
    statistics::note(tx, &new, Figure::Given, 1, ground.now)?;
    // What the giver could grant when he gave it he may not be able to grant any more: the task goes on without.
    give_right_if_possible(tx, actor, ground, &new)?;
    record(tx, actor, ground, "assignment.given_again", &new, Some(&task))?;
    Ok(new)
}

/// Changes what a task says, while it is not over: its giver, or an administrator, if its version is still `version`.
/// Another due date moves the end of the right on the customer. Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: AssignmentId,
    version: Option<i64>,
    patch: &Patch,
) -> Result<Assignment, AppError> {
    let old = hold(tx, actor, ground, id)?;
    let actor = &require_giver(actor, &old)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    require_open(&old)?;
    let mut errors = Vec::new();
    let mut new = old.clone();
    if let Some(title) = &patch.title {
        new.title = clean("title", Kind::Line, LONGEST_TITLE, title, &mut errors);
        if new.title.is_empty() && errors.is_empty() {
            errors.push(FieldError::new("title", text!("请用一句话写明要办的事")));
        }
    }
    if let Some(body) = &patch.body {
        new.body = clean("body", Kind::Lines, LONGEST_TEXT, body, &mut errors);
    }
    // A date that has passed may stay as it is.
    if let Some(text) = patch.due.as_deref().filter(|text| text.trim() != due_text(old.due, &ground.zone))
        && let Some(due) = take(read_due(text, &ground.zone, ground.now), &mut errors)?
    {
        new.due = due;
    }
    new.priority = patch.priority.unwrap_or(old.priority);
    refuse(errors)?;
    let (before, after) = difference(&facts(ground, &old), &facts(ground, &new));
    if before == after {
        return Ok(old);
    }
    tx.exec(
        "UPDATE assignments SET title = $2, body = $3, due_at = $4, is_due_by_day = $5, priority = $6,
           updated_at = $7, version = version + 1 WHERE id = $1",
        &[
            id.into(),
            (&new.title).into(),
            (&new.body).into(),
            new.due.at.into(),
            new.due.is_by_day.into(),
            new.priority.number().into(),
            ground.now.into(),
        ],
    )?;
    let said = changed_words(&old, &new, ground);
    step(tx, actor, ground.now, id, "changed", None, &said)?;
    if new.due != old.due && old.state.is_waiting() {
        end_right(tx, actor, &old, ground.now)?;
        give_right_if_possible(tx, actor, ground, &new)?;
    }
    events::emit(tx, actor, ground.now, "assignment.updated", "assignment", id.0, of_customer(&new))?;
    let entry = Entry::of("assignment.updated", "assignment", id.0).customer(of_customer(&new));
    audit::record(tx, actor, ground.now, &entry.change(&before, &after))?;
    reload(tx, id)
}

/// What a change says in the history.
fn changed_words(old: &Assignment, new: &Assignment, ground: &Ground) -> String {
    let mut said = Vec::new();
    if old.title != new.title {
        said.push(format!("标题：{} → {}", old.title, new.title));
    }
    if old.due != new.due {
        let (was, is) = (due_text(old.due, &ground.zone), due_text(new.due, &ground.zone));
        said.push(format!("完成期限：{was} → {is}"));
    }
    if old.priority != new.priority {
        said.push(format!("优先级：{} → {}", old.priority.title(), new.priority.title()));
    }
    if old.body != new.body {
        said.push("内容有修改".to_owned());
    }
    said.join("；")
}

/// Notes a refusal among the others; what is no refusal of fields ends at once.
fn take<T>(result: Result<T, AppError>, errors: &mut Vec<FieldError>) -> Result<Option<T>, AppError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(AppError::Invalid(more)) => {
            errors.extend(more);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

fn load_process(tx: &mut Tx<'_>, id: ProcessId) -> Result<Process, AppError> {
    processes::load(tx, id).map_err(|error| match error {
        AppError::NotFound => AppError::field("process_id", text!("没有这个流程，请重新选择")),
        other => other,
    })
}

/// Errors of the grant belong to the field that names the receiver.
fn to_receiver(error: AppError) -> AppError {
    match error {
        AppError::Invalid(mut errors) => {
            for error in errors.iter_mut().filter(|e| e.field == "person_id") {
                error.field = "to".into();
            }
            AppError::Invalid(errors)
        }
        other => other,
    }
}

/// To whom a task really goes. A process decides, or restricts the choice to whoever is responsible in it.
fn target(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    process: Option<&Process>,
    wished: Option<&Target>,
) -> Result<Target, AppError> {
    let wrong = |text| AppError::field("to", text);
    let Some(wished) = wished else {
        let Some(process) = process else {
            return Err(wrong(text!("请选择交给谁：一位同事或一个部门")));
        };
        let responsible: Vec<&Party> = process.having(Duty::Responsible).collect();
        return match responsible.as_slice() {
            [Party::Unit(unit)] => open_unit(ground, *unit),
            [Party::Post(post)] => held_post(ground, post),
            _ => Err(wrong(text!("“{}”由几个部门或岗位负责，请在“交给”里选定其中一个", process.title))),
        };
    };
    let target = match wished {
        Target::Person(id) if *id == actor.person_id || actor.acting_for == Some(*id) => {
            return Err(wrong(text!("不能交给自己，请选择同事或部门")));
        }
        Target::Person(id) => {
            let person = crate::org::load_person(tx, *id)?.filter(|p| p.is_active && p.left_on.is_empty());
            if person.is_none() {
                return Err(wrong(text!("没有这位员工，或者他已停用、将要离职，请另选一位")));
            }
            wished.clone()
        }
        Target::Unit(id) => open_unit(ground, *id)?,
        Target::Post(post) => {
            let leads = process.is_some_and(|p| p.having(Duty::Responsible).any(|r| is_post(r, post)));
            if !leads {
                return Err(wrong(text!("只有按流程才能交给岗位，请选择同事或部门")));
            }
            return held_post(ground, post);
        }
    };
    if let Some(process) = process
        && !process.having(Duty::Responsible).any(|party| is_within(ground, party, &target))
    {
        return Err(wrong(text!(
            "“{}”不由对方负责；请留空，由系统送到负责的部门或岗位，或者不选流程",
            process.title
        )));
    }
    Ok(target)
}

fn is_post(party: &Party, code: &str) -> bool {
    matches!(party, Party::Post(post) if post == code)
}

/// Whether a target is a party, or works there.
fn is_within(ground: &Ground, party: &Party, target: &Target) -> bool {
    match (party, target) {
        (Party::Unit(unit), Target::Unit(id)) => unit == id,
        (Party::Post(post), Target::Post(code)) => post == code,
        (Party::Unit(unit), Target::Person(id)) => {
            let leads = ground.directory.unit(*unit).is_some_and(|u| u.head_id == Some(*id));
            leads || ground.directory.positions(*id, &ground.day).iter().any(|p| p.unit_id == *unit)
        }
        (Party::Post(post), Target::Person(id)) => {
            ground.directory.positions(*id, &ground.day).iter().any(|p| p.post == *post)
        }
        _ => false,
    }
}

fn open_unit(ground: &Ground, id: UnitId) -> Result<Target, AppError> {
    let unit = ground.directory.unit(id).filter(|u| !u.is_closed);
    let unit = unit.ok_or_else(|| AppError::field("to", text!("没有这个部门，或者它已撤销，请另选一个")))?;
    let is_active = |id: PersonId| ground.directory.member(id).is_some_and(|m| m.is_active);
    let has_people = unit.head_id.is_some_and(is_active)
        || ground.directory.positions_in(id, &ground.day).iter().any(|p| is_active(p.person_id));
    if !has_people {
        return Err(AppError::field(
            "to",
            text!("“{}”没有负责人也没有在岗的人，没有人能领取；请另选部门或直接交给同事", unit.name),
        ));
    }
    Ok(Target::Unit(id))
}

fn held_post(ground: &Ground, post: &str) -> Result<Target, AppError> {
    let units: Vec<UnitId> = ground.directory.units().map(|u| u.id).collect();
    if ground.directory.holders(post, &units, &ground.day).is_empty() {
        return Err(AppError::field(
            "to",
            text!("负责的岗位现在没有人担任，请直接交给同事，或先在组织里任职"),
        ));
    }
    Ok(Target::Post(post.to_owned()))
}

/// Receiver, unit and post of a target.
fn columns(to: &Target) -> (Option<PersonId>, Option<UnitId>, &str) {
    match to {
        Target::Person(id) => (Some(*id), None, ""),
        Target::Unit(id) => (None, Some(*id), ""),
        Target::Post(code) => (None, None, code),
    }
}

/// The unit whose figures a target counts in; 0 for a post until somebody takes the task.
fn answering(ground: &Ground, to: &Target) -> UnitId {
    match to {
        Target::Person(id) => ground.directory.main_unit(*id, &ground.day).unwrap_or(UnitId(0)),
        Target::Unit(id) => *id,
        Target::Post(_) => UnitId(0),
    }
}

/// Writes down that a task lies with somebody else now, open again.
pub(super) fn move_to(
    tx: &mut Tx<'_>,
    ground: &Ground,
    task: &Assignment,
    to: &Target,
    due: Due,
) -> Result<(), AppError> {
    let (receiver, unit, post) = columns(to);
    tx.exec(
        "UPDATE assignments SET receiver_id = $2, unit_id = $3, post = $4, answers_unit_id = $5, due_at = $6,
           is_due_by_day = $7, state = 'open', given_at = $8, taken_at = NULL, ended_at = NULL, updated_at = $8,
           version = version + 1 WHERE id = $1",
        &[
            task.id.into(),
            receiver.into(),
            unit.into(),
            post.into(),
            answering(ground, to).into(),
            due.at.into(),
            due.is_by_day.into(),
            ground.now.into(),
        ],
    )?;
    Ok(())
}

/// Writes one step of the history.
pub(super) fn step(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Millis,
    id: AssignmentId,
    kind: &'static str,
    to: Option<&Target>,
    note: &str,
) -> store::Result<()> {
    let (receiver, unit, post) = to.map_or((None, None, ""), columns);
    tx.exec(
        "INSERT INTO assignment_steps (id, assignment_id, at, kind, by_id, for_id, unit_id, post, receiver_id, note)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
        &[
            store::new_id().into(),
            id.into(),
            now.into(),
            kind.into(),
            actor.person_id.into(),
            actor.acting_for.into(),
            unit.into(),
            post.into(),
            receiver.into(),
            note.into(),
        ],
    )
    .map(drop)
}

/// Event and audit row of something that happened to a task.
pub(super) fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    action: &'static str,
    task: &Assignment,
    before: Option<&Assignment>,
) -> store::Result<()> {
    events::emit(tx, actor, ground.now, action, "assignment", task.id.0, of_customer(task))?;
    let after = facts(ground, task);
    let entry = Entry::of(action, "assignment", task.id.0).customer(of_customer(task));
    match before.map(|old| difference(&facts(ground, old), &after)) {
        None => audit::record(tx, actor, ground.now, &entry.after(&after)),
        Some((before, after)) => audit::record(tx, actor, ground.now, &entry.change(&before, &after)),
    }
}

/// What the audit log keeps of a task.
fn facts(ground: &Ground, task: &Assignment) -> serde_json::Value {
    let unit = task.unit_id.map(|u| ground.unit_name(u));
    json!({
        "title": task.title, "body": task.body, "process": task.process, "giver_id": task.giver_id,
        "unit": unit, "post": task.post, "receiver_id": task.receiver_id, "state": task.state.title(),
        "priority": task.priority.title(), "due": due_text(task.due, &ground.zone), "reply": task.reply,
    })
}

fn of_customer(task: &Assignment) -> i64 {
    task.customer_id.map_or(0, |c| c.0)
}

/// A task as it now is.
pub(super) fn reload(tx: &mut Tx<'_>, id: AssignmentId) -> Result<Assignment, AppError> {
    tx.row(&format!("{SELECT} WHERE a.id = $1"), &[id.into()])?.ok_or(AppError::NotFound)
}

/// Refuses whoever is neither the giver, nor acts for him, nor an administrator; answers him on the giver's behalf.
pub(super) fn require_giver(actor: &Actor, task: &Assignment) -> Result<Actor, AppError> {
    if actor.stands_for(task.giver_id) {
        Ok(actor.on_behalf_of(task.giver_id))
    } else if actor.is_administrator() {
        Ok(actor.clone())
    } else {
        Err(AppError::Forbidden(text!("只有交办人可以修改、改派或撤回这项任务")))
    }
}

/// Refuses what is over.
pub(super) fn require_open(task: &Assignment) -> Result<(), AppError> {
    match task.state {
        State::Done => Err(AppError::Conflict(text!("这项任务已经办结，请刷新页面查看"))),
        State::Withdrawn => Err(AppError::Conflict(text!("这项任务已经撤回，请刷新页面查看"))),
        State::Open | State::Taken | State::Returned => Ok(()),
    }
}

/// The priority of a name as sent; empty is the usual one.
pub(super) fn read_priority(text: &str) -> Result<Priority, FieldError> {
    match text {
        "" => Ok(Priority::Normal),
        code => Priority::named(code).ok_or_else(|| {
            FieldError::new("priority", text!("优先级只能是 normal（一般）、high（重要）或 urgent（紧急）"))
        }),
    }
}
