//! Delegations (代理): somebody acts for somebody else for a time, with his rights, but never as an administrator.

use serde_json::json;
use store::{Conn, Tx};

use super::load::load_delegation;
use super::model::{Acting, LONGEST_ABSENCE, Span};
use super::word;
use crate::access::{Actor, Delegation, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::{Millis, rfc3339};
use crate::error::AppError;
use crate::ids::{DelegationId, PersonId};
use crate::{events, org, text};

/// A delegation to be made.
#[derive(Clone, Debug)]
pub struct NewDelegation {
    /// Who is away.
    pub from_id: PersonId,
    /// Who acts for him.
    pub to_id: PersonId,
    /// From when; now without one.
    pub starts_at: Option<Millis>,
    /// Until before when.
    pub ends_at: Millis,
    /// Why, 1–200 characters.
    pub reason: String,
}

/// Lets `to_id` act for `from_id`: for himself, or for whoever keeps the organisation and may grant roles for anybody
/// else. Nobody gives himself the rights of others that way. At most 366 days, not in the past; nobody acts for somebody who acts for
/// him at the same time. Call `forget_sessions` afterwards.
pub fn delegate(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: &NewDelegation,
    now: Millis,
) -> Result<Acting, AppError> {
    if actor.person_id != new.from_id {
        require_may(actor, Object::Organisation, Verb::Update)?;
        if actor.person_id == new.to_id && !actor.is_administrator() {
            return Err(AppError::Forbidden(text!("不能指定自己代理别人，请由本人或管理员指定")));
        }
        require_granter(tx, actor)?;
    }
    let reason = word("reason", &new.reason, 200)?;
    if reason.is_empty() {
        return Err(AppError::field("reason", text!("请填写代理的原因，例如“出差”")));
    }
    if new.from_id == new.to_id {
        return Err(AppError::field("to_id", text!("代理人不能是本人，请另选一位同事")));
    }
    let span = Span::new(new.starts_at.unwrap_or(now), new.ends_at);
    check_span(span, now)?;
    // One delegation after the other: two people could else make each other their delegates at once.
    let lock = format!("SELECT epoch FROM rights_state WHERE id = 1{}", tx.for_change());
    tx.rows::<(i64,)>(&lock, &[])?;
    for (field, person) in [("from_id", new.from_id), ("to_id", new.to_id)] {
        let is_active: Option<bool> =
            tx.value("SELECT is_active FROM people WHERE id = $1", &[person.into()])?;
        match is_active {
            Some(true) => {}
            Some(false) => return Err(AppError::field(field, text!("这位员工已停用，请另选一位在用的同事"))),
            None => return Err(AppError::field(field, text!("没有这位员工"))),
        }
    }
    let others: Vec<(PersonId, PersonId)> = tx.rows(
        "SELECT from_id, to_id FROM delegations
         WHERE revoked_at IS NULL AND starts_at < $4 AND ends_at > $3
           AND ((from_id = $1 AND to_id = $2) OR (from_id = $2 AND to_id = $1))",
        &[new.from_id.into(), new.to_id.into(), span.starts_at.into(), span.ends_at.into()],
    )?;
    if others.iter().any(|(from, _)| *from == new.from_id) {
        return Err(AppError::Conflict(text!(
            "这段时间已由同一位同事代理，请换一段时间，或先结束原来的代理"
        )));
    }
    if !others.is_empty() {
        return Err(AppError::Conflict(text!("这段时间对方正由本人代理，两人不能互相代理，请另选一位同事")));
    }
    let id = DelegationId::new();
    tx.exec(
        "INSERT INTO delegations (id, from_id, to_id, starts_at, ends_at, reason, created_at, created_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
        &[
            id.into(),
            new.from_id.into(),
            new.to_id.into(),
            span.starts_at.into(),
            span.ends_at.into(),
            (&reason).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    org::rights_changed(tx)?;
    events::emit(tx, actor, now, "delegation.created", "delegation", id.0, 0)?;
    let delegation = Delegation {
        id,
        from_id: new.from_id,
        to_id: new.to_id,
        starts_at: span.starts_at,
        ends_at: span.ends_at,
    };
    let acting = Acting { delegation, reason, revoked_at: None };
    let after = facts(&acting);
    audit::record(tx, actor, now, &Entry::of("delegation.created", "delegation", id.0).after(&after))?;
    Ok(acting)
}

/// Whoever names a delegate for another passes the other's rights on. A superior may not: whoever keeps people could make
/// himself one.
fn require_granter(conn: &mut Conn<'_>, actor: &Actor) -> Result<(), AppError> {
    if require_may(actor, Object::Role, Verb::Update).is_ok() {
        return Ok(());
    }
    Err(AppError::Forbidden(text!(
        "代理人会得到委托人的权限。替别人指定代理人须有“角色与授权”的修改权限；请由本人指定，或由系统管理员（{}）办理",
        org::administrators(conn)?
    )))
}

fn check_span(span: Span, now: Millis) -> Result<(), AppError> {
    if span.starts_at < now {
        return Err(AppError::field("starts_at", text!("开始时间不能早于现在，留空则立即开始")));
    }
    if span.ends_at <= span.starts_at {
        return Err(AppError::field("ends_at", text!("结束时间要晚于开始时间")));
    }
    if span.ends_at - span.starts_at > LONGEST_ABSENCE || span.starts_at - now > LONGEST_ABSENCE {
        return Err(AppError::field("ends_at", text!("代理最长 {} 天，且须在 {} 天内开始", 366, 366)));
    }
    Ok(())
}

/// Ends a delegation before its time: for the one who is away, or whoever keeps the organisation. Others who know of
/// it are refused; to everybody else it does not exist. Call `forget_sessions` afterwards.
pub fn revoke(tx: &mut Tx<'_>, actor: &Actor, id: DelegationId, now: Millis) -> Result<(), AppError> {
    let acting = load_delegation(tx, id)?;
    let delegation = &acting.delegation;
    if actor.person_id != delegation.from_id {
        if actor.person_id != delegation.to_id && !actor.may(Object::Organisation, Verb::Update) {
            return Err(AppError::NotFound);
        }
        require_may(actor, Object::Organisation, Verb::Update)?;
    }
    let done = tx.exec(
        "UPDATE delegations SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND ends_at > $2",
        &[id.into(), now.into()],
    )?;
    if done == 0 {
        return Err(AppError::Conflict(text!("这项代理已经结束，不用再撤销")));
    }
    org::rights_changed(tx)?;
    events::emit(tx, actor, now, "delegation.revoked", "delegation", id.0, 0)?;
    let before = facts(&acting);
    let mut entry = Entry::of("delegation.revoked", "delegation", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

/// Ends every delegation from or to somebody who leaves; the caller has decided that he does.
pub fn end_delegations_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    now: Millis,
) -> Result<(), AppError> {
    let ended: Vec<(DelegationId, PersonId, PersonId, Millis, Millis, String)> = tx.rows(
        "UPDATE delegations SET revoked_at = $2
         WHERE (from_id = $1 OR to_id = $1) AND revoked_at IS NULL AND ends_at > $2
         RETURNING id, from_id, to_id, starts_at, ends_at, reason",
        &[person.into(), now.into()],
    )?;
    for (id, from_id, to_id, starts_at, ends_at, reason) in ended {
        let delegation = Delegation { id, from_id, to_id, starts_at, ends_at };
        let before = facts(&Acting { delegation, reason, revoked_at: None });
        events::emit(tx, actor, now, "delegation.revoked", "delegation", id.0, 0)?;
        let mut entry = Entry::of("delegation.revoked", "delegation", id.0);
        entry.before = Some(&before);
        audit::record(tx, actor, now, &entry)?;
    }
    Ok(())
}

fn facts(acting: &Acting) -> serde_json::Value {
    let d = &acting.delegation;
    json!({
        "from_id": d.from_id, "to_id": d.to_id, "starts_at": rfc3339(d.starts_at), "ends_at": rfc3339(d.ends_at),
        "reason": acting.reason,
    })
}
