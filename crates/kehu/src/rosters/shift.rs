//! Adding, changing and taking away one shift, for whoever plans the roster. What stands against it is named; a person
//! who is away, gone, on another shift or without the rest the roster asks for cannot be put on it. A new shift is a
//! draft; what becomes of a published one is noted for the people concerned, and swaps it was part of are off.

use serde_json::json;
use store::Tx;

use super::load::{Judge, Which, load, load_shift};
use super::model::{Conflict, LONGEST_SHIFT, MINUTE, Planned, Shift, Span};
use super::plan::planner;
use super::publish::{ChangeKind, note_change};
use super::swap::{hold_shifts, void_swaps};
use super::{check_time, hold_people, hold_roster, word};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone, rfc3339};
use crate::error::AppError;
use crate::i18n::{Lang, Text};
use crate::ids::{PersonId, RosterId, ShiftId, SwapId};
use crate::input::difference;
use crate::{events, text};

/// What is said of a shift; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct ShiftDraft {
    /// Who.
    pub person_id: Option<PersonId>,
    /// From when.
    pub starts_at: Option<Millis>,
    /// Until before when.
    pub ends_at: Option<Millis>,
    /// Anything else, at most 200 characters.
    pub note: Option<String>,
}

/// Adds a shift to a roster.
pub fn add_shift(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    roster: RosterId,
    draft: &ShiftDraft,
    zone: &Zone,
    now: Millis,
) -> Result<Shift, AppError> {
    let (_, actor) = &planner(tx, actor, roster)?;
    hold_roster(tx, roster)?;
    let missing = |field: &'static str| AppError::field(field, text!("请填写这一项"));
    let shift = Shift {
        id: ShiftId::new(),
        roster_id: roster,
        person_id: draft.person_id.ok_or_else(|| missing("person_id"))?,
        span: Span::new(
            draft.starts_at.ok_or_else(|| missing("starts_at"))?,
            draft.ends_at.ok_or_else(|| missing("ends_at"))?,
        ),
        note: word("note", draft.note.as_deref().unwrap_or_default(), 200)?,
        version: 1,
        published_at: None,
        changed_at: None,
    };
    hold_people(tx, &[shift.person_id])?;
    require_room(tx, catalogue, &shift, None, zone)?;
    insert(tx, actor, std::slice::from_ref(&shift), now)?;
    Ok(shift)
}

/// Changes a shift whose version is still `version`.
#[expect(clippy::too_many_arguments, reason = "who, by what, which, what, and when")]
pub fn update_shift(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: ShiftId,
    version: Option<i64>,
    draft: &ShiftDraft,
    zone: &Zone,
    now: Millis,
) -> Result<Shift, AppError> {
    hold_shifts(tx, id, None)?;
    let old = load_shift(tx, id)?;
    let (_, actor) = &planner(tx, actor, old.roster_id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let mut new = old.clone();
    new.person_id = draft.person_id.unwrap_or(old.person_id);
    new.span =
        Span::new(draft.starts_at.unwrap_or(old.span.starts_at), draft.ends_at.unwrap_or(old.span.ends_at));
    if let Some(note) = &draft.note {
        new.note = word("note", note, 200)?;
    }
    let (before, after) = difference(&facts(&old), &facts(&new));
    if before == after {
        return Ok(old);
    }
    hold_people(tx, &[old.person_id, new.person_id])?;
    if (new.person_id, new.span) != (old.person_id, old.span) {
        require_room(tx, catalogue, &new, Some(id), zone)?;
    }
    new.version += 1;
    new.changed_at = old.published_at.map(|_| now);
    let done = tx.exec(
        "UPDATE shifts SET person_id = $3, starts_at = $4, ends_at = $5, note = $6, updated_at = $7, changed_at = $8,
           version = version + 1 WHERE id = $1 AND version = $2",
        &[
            id.into(),
            old.version.into(),
            new.person_id.into(),
            new.span.starts_at.into(),
            new.span.ends_at.into(),
            (&new.note).into(),
            now.into(),
            new.changed_at.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    if (new.person_id, new.span) != (old.person_id, old.span) {
        void_swaps(tx, actor, id, None, now)?;
    }
    note_change(tx, actor, ChangeKind::Changed, &old, Some(&new), now)?;
    events::emit(tx, actor, now, "shift.updated", "shift", id.0, 0)?;
    let entry = Entry::of("shift.updated", "shift", id.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(new)
}

/// Takes a shift away.
pub fn remove_shift(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ShiftId,
    version: Option<i64>,
    now: Millis,
) -> Result<Shift, AppError> {
    hold_shifts(tx, id, None)?;
    let shift = load_shift(tx, id)?;
    let (_, actor) = &planner(tx, actor, shift.roster_id)?;
    if version.is_some_and(|v| v != shift.version) {
        return Err(AppError::Stale);
    }
    let done =
        tx.exec("DELETE FROM shifts WHERE id = $1 AND version = $2", &[id.into(), shift.version.into()])?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    void_swaps(tx, actor, id, None, now)?;
    note_change(tx, actor, ChangeKind::Removed, &shift, None, now)?;
    note_removed(tx, actor, &shift, now)?;
    Ok(shift)
}

/// The event and the audit row of a shift that was taken away.
pub(super) fn note_removed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    shift: &Shift,
    now: Millis,
) -> Result<(), AppError> {
    events::emit(tx, actor, now, "shift.deleted", "shift", shift.id.0, 0)?;
    let before = facts(shift);
    let mut entry = Entry::of("shift.deleted", "shift", shift.id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

/// Gives a shift to another person who was judged before, or takes him off it for another one in an exchange. Written
/// with its event, its audit row and what the people concerned are told; swaps it was part of besides `except` are
/// off. Refused when the shift is not the first person's any more.
pub(super) fn hand_shift(
    tx: &mut Tx<'_>,
    actor: &Actor,
    old: &Shift,
    to: PersonId,
    kind: ChangeKind,
    except: Option<SwapId>,
    now: Millis,
) -> Result<Shift, AppError> {
    let new = Shift {
        person_id: to,
        version: old.version + 1,
        changed_at: old.published_at.map(|_| now),
        ..old.clone()
    };
    let done = tx.exec(
        "UPDATE shifts SET person_id = $3, changed_at = $4, updated_at = $5, version = version + 1
         WHERE id = $1 AND version = $2",
        &[old.id.into(), old.version.into(), to.into(), new.changed_at.into(), now.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    void_swaps(tx, actor, old.id, except, now)?;
    note_change(tx, actor, kind, old, Some(&new), now)?;
    events::emit(tx, actor, now, "shift.updated", "shift", old.id.0, 0)?;
    let (before, after) = difference(&facts(old), &facts(&new));
    let action = if kind == ChangeKind::Swapped { "shift.swapped" } else { "shift.given" };
    audit::record(tx, actor, now, &Entry::of(action, "shift", old.id.0).change(&before, &after))?;
    Ok(new)
}

/// Writes checked shifts with their events and audit rows.
pub(super) fn insert(tx: &mut Tx<'_>, actor: &Actor, shifts: &[Shift], now: Millis) -> Result<(), AppError> {
    let rows: Vec<Vec<store::Value<'_>>> = shifts
        .iter()
        .map(|s| {
            vec![
                s.id.into(),
                s.roster_id.into(),
                s.person_id.into(),
                s.span.starts_at.into(),
                s.span.ends_at.into(),
                (&s.note).into(),
                now.into(),
                actor.person_id.into(),
                now.into(),
            ]
        })
        .collect();
    tx.insert_rows(
        "INSERT INTO shifts (id, roster_id, person_id, starts_at, ends_at, note, created_at, created_by, updated_at)",
        &rows,
        "",
    )?;
    let told: Vec<_> = shifts.iter().map(|s| ("shift.created", "shift", s.id.0, 0)).collect();
    events::emit_all(tx, actor, now, &told)?;
    let facts: Vec<serde_json::Value> = shifts.iter().map(facts).collect();
    let entries: Vec<Entry<'_>> = shifts
        .iter()
        .zip(&facts)
        .map(|(s, f)| Entry::of("shift.created", "shift", s.id.0).after(f))
        .collect();
    audit::record_all(tx, actor, now, &entries)?;
    Ok(())
}

/// What is wrong with a span of a shift, at its field.
pub(super) fn check_span(span: Span) -> Result<(), AppError> {
    check_time("starts_at", span.starts_at)?;
    check_time("ends_at", span.ends_at)?;
    if span.ends_at < span.starts_at + MINUTE {
        return Err(AppError::field("ends_at", text!("结束时间要晚于开始时间")));
    }
    if span.ends_at - span.starts_at > LONGEST_SHIFT {
        return Err(AppError::field("ends_at", text!("一个班次最长 {} 天，更长的请分几个班次", 7)));
    }
    Ok(())
}

/// Refuses a shift that something stands against; its person must be held already.
fn require_room(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    shift: &Shift,
    except: Option<ShiftId>,
    zone: &Zone,
) -> Result<(), AppError> {
    check_span(shift.span)?;
    let roster = load(tx, shift.roster_id)?;
    let judge = Judge::load(tx, &roster, &[shift.person_id], shift.span, Which::Planned, zone)?;
    let planned = Planned { person_id: shift.person_id, span: shift.span };
    let Some(found) = judge.conflicts(&planned, except, zone) else {
        return Err(AppError::field("person_id", text!("没有这位员工")));
    };
    let said: Vec<Text> = found
        .iter()
        .filter(|c| c.is_blocking())
        .map(|c| put(tx, catalogue, &planned, c, false, zone))
        .collect::<store::Result<_>>()?;
    if said.is_empty() {
        return Ok(());
    }
    Err(refusal(&said))
}

/// What stands against a shift, as the error to answer with.
pub(super) fn refusal(said: &[Text]) -> AppError {
    let both = |l: Lang| {
        said.iter().map(|t| t.to(l)).collect::<Vec<_>>().join(if l == Lang::Zh { "；" } else { "; " })
    };
    AppError::Conflict(Text::Both(both(Lang::Zh), both(Lang::En)))
}

/// A conflict in words; without the reasons of absences for colleagues.
pub(super) fn put(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    planned: &Planned,
    conflict: &Conflict,
    is_for_colleagues: bool,
    zone: &Zone,
) -> store::Result<Text> {
    let name: Option<String> =
        tx.value("SELECT name FROM people WHERE id = $1", &[planned.person_id.into()])?;
    let roster: Option<String> = match conflict {
        Conflict::Double(_, id) | Conflict::Rest(_, id, _) => {
            tx.value("SELECT name FROM rosters WHERE id = $1", &[(*id).into()])?
        }
        _ => None,
    };
    let kind = match conflict {
        Conflict::Absent(_, code) => catalogue.dictionary("absence_kind").title(code, Lang::Zh).to_owned(),
        Conflict::Unskilled(code) => catalogue.dictionary("skill").title(code, Lang::Zh).to_owned(),
        _ => String::new(),
    };
    let (name, roster) = (name.unwrap_or_default(), roster.unwrap_or_default());
    Ok(if is_for_colleagues {
        conflict.text_for_colleagues(&name, &kind, &roster, zone)
    } else {
        conflict.text(&name, &kind, &roster, zone)
    })
}

fn facts(shift: &Shift) -> serde_json::Value {
    json!({
        "roster_id": shift.roster_id, "person_id": shift.person_id, "starts_at": rfc3339(shift.span.starts_at),
        "ends_at": rfc3339(shift.span.ends_at), "note": shift.note,
    })
}
