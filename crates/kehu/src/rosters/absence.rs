//! Absences (请假, 外出, 出差, 培训): entered by the person himself or by whoever keeps the organisation.

use serde_json::json;
use store::Tx;

use super::model::{Absence, LONGEST_ABSENCE, Span};
use super::{check_time, hold_people, word};
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone, rfc3339};
use crate::error::AppError;
use crate::ids::{AbsenceId, PersonId};
use crate::{events, text};

/// An absence to be entered.
#[derive(Clone, Debug)]
pub struct NewAbsence {
    /// Who.
    pub person_id: PersonId,
    /// Code or name of the kind.
    pub kind: String,
    /// When.
    pub span: Span,
    /// Anything else, at most 200 characters.
    pub note: String,
}

/// Enters an absence; one that overlaps another of the same person is refused. Shifts within it stay and are shown as
/// conflicts.
pub fn add_absence(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    new: &NewAbsence,
    zone: &Zone,
    now: Millis,
) -> Result<Absence, AppError> {
    if actor.person_id != new.person_id {
        require_may(actor, Object::Organisation, Verb::Update)?;
    }
    let Some(kind) = catalogue.dictionary("absence_kind").find(&new.kind) else {
        return Err(AppError::field("kind", text!("没有这个值，请从列出的值中选择")));
    };
    let note = word("note", &new.note, 200)?;
    let span = new.span;
    check_time("starts_at", span.starts_at)?;
    check_time("ends_at", span.ends_at)?;
    if span.ends_at <= span.starts_at {
        return Err(AppError::field("ends_at", text!("结束时间要晚于开始时间")));
    }
    if span.ends_at - span.starts_at > LONGEST_ABSENCE {
        return Err(AppError::field("ends_at", text!("一次最长 {} 天，更长的请分几次填写", 366)));
    }
    hold_people(tx, &[new.person_id])?;
    let is_active: Option<bool> =
        tx.value("SELECT is_active FROM people WHERE id = $1", &[new.person_id.into()])?;
    if is_active != Some(true) {
        return Err(AppError::field("person_id", text!("没有这位员工，或者他已停用")));
    }
    if let Some(other) = super::load::absences(tx, Some(new.person_id), span)?.first() {
        let name = catalogue.dictionary("absence_kind").title(&other.kind, actor.lang).to_owned();
        return Err(AppError::Conflict(text!(
            "这段时间已登记{}：{}，请先删除原来的记录",
            name,
            other.span.shown(zone)
        )));
    }
    let absence =
        Absence { id: AbsenceId::new(), person_id: new.person_id, kind: kind.code.clone(), span, note };
    tx.exec(
        "INSERT INTO absences (id, person_id, kind, starts_at, ends_at, note, created_at, created_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
        &[
            absence.id.into(),
            absence.person_id.into(),
            (&absence.kind).into(),
            span.starts_at.into(),
            span.ends_at.into(),
            (&absence.note).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    events::emit(tx, actor, now, "absence.created", "absence", absence.id.0, 0)?;
    let after = facts(&absence);
    audit::record(tx, actor, now, &Entry::of("absence.created", "absence", absence.id.0).after(&after))?;
    Ok(absence)
}

/// Takes an absence away: for the person himself or whoever keeps the organisation; to others it does not exist.
pub fn remove_absence(tx: &mut Tx<'_>, actor: &Actor, id: AbsenceId, now: Millis) -> Result<(), AppError> {
    let absence: Absence = tx
        .row(
            "SELECT id, person_id, kind, starts_at, ends_at, note FROM absences WHERE id = $1",
            &[id.into()],
        )?
        .ok_or(AppError::NotFound)?;
    if actor.person_id != absence.person_id && !actor.may(Object::Organisation, Verb::Update) {
        return Err(AppError::NotFound);
    }
    if tx.exec("DELETE FROM absences WHERE id = $1", &[id.into()])? == 0 {
        return Err(AppError::NotFound);
    }
    events::emit(tx, actor, now, "absence.deleted", "absence", id.0, 0)?;
    let before = facts(&absence);
    let mut entry = Entry::of("absence.deleted", "absence", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn facts(absence: &Absence) -> serde_json::Value {
    json!({
        "person_id": absence.person_id, "kind": absence.kind, "starts_at": rfc3339(absence.span.starts_at),
        "ends_at": rfc3339(absence.span.ends_at), "note": absence.note,
    })
}
