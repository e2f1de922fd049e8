//! What is done with a penalty. Each act holds it until its transaction ends and is based on the version its doer saw, so
//! that of two decisions at once one wins and the other is told.

use serde_json::{Value as Json, json};
use store::{Tx, Value};

use super::load::load;
use super::model::{Decision, Penalty, State};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::cases::Ground;
use crate::error::AppError;
use crate::ids::PenaltyId;
use crate::input::{Kind, clean_value};
use crate::{events, text};

/// Longest reason, and longest words to a decision.
const LONGEST: usize = 1_000;

/// A penalty that is held, and as whom the actor decides on it.
fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: PenaltyId,
) -> Result<(Penalty, Actor), AppError> {
    let found = hold_for_anybody(tx, actor, ground, id)?;
    let by = found.decider(actor).ok_or_else(|| {
        AppError::Forbidden(if found.person_id == actor.person_id {
            text!("不能办理对自己的处罚；如有异议，请在申诉期内申诉")
        } else {
            text!("只有制度指定的确认人和系统管理员可以办理这项处罚")
        })
    })?;
    Ok((found, by))
}

fn hold_for_anybody(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: PenaltyId,
) -> Result<Penalty, AppError> {
    let lock = tx.for_change();
    tx.value::<i64>(&format!("SELECT version FROM penalties WHERE id = $1 {lock}"), &[id.into()])?;
    load(tx, actor, ground, id)
}

/// Why nothing more is done in a state.
fn settled(found: &Penalty) -> AppError {
    AppError::Conflict(match found.state() {
        State::Proposed => text!("这项处罚还没有确认，也没有人申诉"),
        State::Appealed => text!("这项处罚正在申诉，请先裁决申诉"),
        State::Confirmed => text!("这项处罚已经确认"),
        State::Cancelled => text!("这项处罚已经撤销"),
    })
}

fn require_version(found: &Penalty, version: i64) -> Result<(), AppError> {
    if found.version == version { Ok(()) } else { Err(AppError::Stale) }
}

fn words(raw: &str, field: &str) -> Result<String, AppError> {
    clean_value(Kind::Lines, LONGEST, raw).map_err(|text| AppError::field(field, text))
}

fn reason(raw: &str) -> Result<String, AppError> {
    let reason = words(raw, "reason")?;
    if reason.is_empty() { Err(AppError::field("reason", text!("请写明理由"))) } else { Ok(reason) }
}

/// Changes columns of a penalty whose version is still the one that was held, and whether it waits for a decision.
fn change(
    tx: &mut Tx<'_>,
    found: &Penalty,
    waits: bool,
    columns: &str,
    values: &[Value<'_>],
) -> Result<(), AppError> {
    let mut params = vec![found.id.into(), found.version.into()];
    params.extend_from_slice(values);
    let sql = format!("UPDATE penalties SET version = version + 1, {columns} WHERE id = $1 AND version = $2");
    if tx.exec(&sql, &params)? == 0 {
        return Err(AppError::Stale);
    }
    let sql = "UPDATE penalty_people SET waits = $2 WHERE penalty_id = $1";
    tx.exec(sql, &[found.id.into(), waits.into()])?;
    Ok(())
}

/// Who did it, for the trail and for notices: a delegate with whom he acts for.
fn by_name(by: &Actor, ground: &Ground) -> String {
    let behalf = by.acting_for.and_then(|person| ground.directory.member(person));
    behalf.map_or_else(|| by.name.clone(), |member| format!("{}（代{}）", by.name, member.name))
}

/// The rest of an act: its line in the trail, its event and its row in the log.
fn note(
    tx: &mut Tx<'_>,
    by: &Actor,
    ground: &Ground,
    found: &Penalty,
    said: &str,
    (kind, entry): (&'static str, &Entry<'_>),
) -> Result<(), AppError> {
    found.of().note(tx, by, ground.now, said)?;
    let customer = found.customer_id.map_or(0, |customer| customer.0);
    events::emit(tx, by, ground.now, kind, "penalty", found.id.0, customer)?;
    audit::record(tx, by, ground.now, &entry.customer(customer))?;
    Ok(())
}

/// What the log tells: before, and after with a state and more.
fn facts(found: &Penalty, state: State, more: &[(&str, &str)]) -> (Json, Json) {
    let before = json!({ "state": found.state().code() });
    let mut after = found.facts();
    after["state"] = state.code().into();
    for (key, value) in more {
        if !value.is_empty() {
            after[*key] = (*value).into();
        }
    }
    (before, after)
}

/// Confirms a proposed penalty; whoever it hits is told, and until when he may still appeal.
pub fn confirm(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: PenaltyId,
    version: i64,
    note_text: &str,
) -> Result<Penalty, AppError> {
    let (found, by) = hold(tx, actor, ground, id)?;
    if found.state() != State::Proposed {
        return Err(settled(&found));
    }
    require_version(&found, version)?;
    let words = words(note_text, "note")?;
    change(
        tx,
        &found,
        false,
        "state = 'confirmed', decided_by = $3, decided_at = $4, note = $5",
        &[by.person_id.into(), ground.now.into(), (&words).into()],
    )?;
    let (title, amount, name) = (&found.title, found.amount(), by_name(&by, ground));
    let appeal = match found.appeal_until {
        Some(until) if ground.now <= until => {
            format!("。如有异议，最迟 {} 提出申诉", ground.zone.minute(until))
        }
        _ => String::new(),
    };
    let said = format!("{name}确认了对您的处罚“{title}” {amount}{appeal}");
    found.of().tell(tx, ground, &[found.person_id], by.person_id, &said)?;
    let said = format!("确认处罚“{title}”：{} {amount}{}", found.person, on_behalf(&by, ground));
    let (before, after) = facts(&found, State::Confirmed, &[("note", &words)]);
    let entry = Entry::of("penalty.confirmed", "penalty", id.0).change(&before, &after);
    note(tx, &by, ground, &found, &said, ("penalty.confirmed", &entry))?;
    load(tx, actor, ground, id)
}

/// Cancels a penalty with a reason: a proposed one by whoever decides on it, a confirmed one, to put a mistake right, by
/// administrators only. Whoever it would have hit is told.
pub fn cancel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: PenaltyId,
    version: i64,
    reason_text: &str,
) -> Result<Penalty, AppError> {
    let (found, by) = hold(tx, actor, ground, id)?;
    match found.state() {
        State::Proposed => {}
        State::Confirmed if actor.is_administrator() => {}
        State::Confirmed => {
            return Err(AppError::Forbidden(text!("已经确认的处罚，只有系统管理员可以撤销")));
        }
        State::Appealed | State::Cancelled => return Err(settled(&found)),
    }
    require_version(&found, version)?;
    let reason = reason(reason_text)?;
    change(
        tx,
        &found,
        false,
        "state = 'cancelled', decided_by = $3, decided_at = $4, note = $5",
        &[by.person_id.into(), ground.now.into(), (&reason).into()],
    )?;
    let (title, amount, name) = (&found.title, found.amount(), by_name(&by, ground));
    let said = format!("{name}撤销了对您的处罚“{title}” {amount}：{reason}");
    found.of().tell(tx, ground, &[found.person_id], by.person_id, &said)?;
    let said = format!("撤销处罚“{title}”：{} {amount}{}", found.person, on_behalf(&by, ground));
    let (before, after) = facts(&found, State::Cancelled, &[("reason", &reason)]);
    let entry = Entry::of("penalty.cancelled", "penalty", id.0).change(&before, &after);
    note(tx, &by, ground, &found, &said, ("penalty.cancelled", &entry))?;
    load(tx, actor, ground, id)
}

/// Appeals against a penalty: only whoever it hits, once, and until the time its regulation gives, that instant included.
/// Those who decide on it are told; until they have, it is not final.
pub fn appeal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: PenaltyId,
    version: i64,
    reason_text: &str,
) -> Result<Penalty, AppError> {
    let found = hold_for_anybody(tx, actor, ground, id)?;
    if found.person_id != actor.person_id {
        return Err(AppError::Forbidden(text!("只有被处罚的本人可以申诉")));
    }
    if found.decided == State::Cancelled {
        return Err(settled(&found));
    }
    if found.appeal.is_some() {
        return Err(AppError::Conflict(text!("每项处罚只能申诉一次，您已经申诉过")));
    }
    let Some(until) = found.appeal_until else {
        return Err(AppError::Conflict(text!("制度没有给这项处罚规定申诉")));
    };
    if ground.now > until {
        let until = ground.zone.minute(until);
        return Err(AppError::Conflict(text!("申诉期已于 {} 截止，不能再申诉", until)));
    }
    require_version(&found, version)?;
    let reason = reason(reason_text)?;
    change(tx, &found, true, "appealed_at = $3, appeal_reason = $4", &[ground.now.into(), (&reason).into()])?;
    let (title, amount) = (&found.title, found.amount());
    let said = format!("{}对处罚“{title}” {amount} 提出申诉，等您裁决", found.person);
    found.of().tell(tx, ground, &found.deciders, found.person_id, &said)?;
    let said = format!("{}对处罚“{title}” {amount} 提出申诉", found.person);
    let (before, after) = facts(&found, State::Appealed, &[("reason", &reason)]);
    let entry = Entry::of("penalty.appealed", "penalty", id.0).change(&before, &after);
    note(tx, actor, ground, &found, &said, ("penalty.appealed", &entry))?;
    load(tx, actor, ground, id)
}

/// Decides on an appeal, with a reason: the penalty stands, which also confirms it, or is taken back. Whoever appealed is
/// told.
pub fn decide_appeal(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: PenaltyId,
    version: i64,
    (decision, reason_text): (Decision, &str),
) -> Result<Penalty, AppError> {
    let (found, by) = hold(tx, actor, ground, id)?;
    if found.state() != State::Appealed {
        return Err(match &found.appeal {
            Some(_) => AppError::Conflict(text!("这项申诉已经裁决")),
            None => settled(&found),
        });
    }
    require_version(&found, version)?;
    let reason = reason(reason_text)?;
    let state = match decision {
        Decision::Upheld => State::Confirmed,
        Decision::Withdrawn => State::Cancelled,
    };
    // Who confirmed it before stays on record; where nobody had, it is whoever decides now.
    change(
        tx,
        &found,
        false,
        "state = $3, appeal_outcome = $4, appeal_decided_by = $5, appeal_decided_at = $6, appeal_note = $7,
           decided_by = COALESCE(decided_by, $5), decided_at = COALESCE(decided_at, $6)",
        &[
            state.code().into(),
            decision.code().into(),
            by.person_id.into(),
            ground.now.into(),
            (&reason).into(),
        ],
    )?;
    let (title, amount, name) = (&found.title, found.amount(), by_name(&by, ground));
    let (told, noted) = match decision {
        Decision::Upheld => ("没有采纳您的申诉，维持处罚", "维持处罚"),
        Decision::Withdrawn => ("采纳了您的申诉，撤销处罚", "采纳申诉，撤销处罚"),
    };
    let said = format!("{name}{told}“{title}” {amount}：{reason}");
    found.of().tell(tx, ground, &[found.person_id], by.person_id, &said)?;
    let said = format!("{noted}“{title}”：{} {amount}{}", found.person, on_behalf(&by, ground));
    let (before, after) = facts(&found, state, &[("reason", &reason)]);
    let (kind, entry) = match decision {
        Decision::Upheld => ("penalty.upheld", Entry::of("penalty.upheld", "penalty", id.0)),
        Decision::Withdrawn => ("penalty.withdrawn", Entry::of("penalty.withdrawn", "penalty", id.0)),
    };
    note(tx, &by, ground, &found, &said, (kind, &entry.change(&before, &after)))?;
    load(tx, actor, ground, id)
}

/// For the trail, which names the doer itself.
fn on_behalf(by: &Actor, ground: &Ground) -> String {
    let behalf = by.acting_for.and_then(|person| ground.directory.member(person));
    behalf.map_or_else(String::new, |member| format!("（代{}）", member.name))
}
