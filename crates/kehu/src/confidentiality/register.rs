//! Putting people into the register and taking them out: for those who grant roles. Felt at the next request.

use serde_json::json;
use store::Tx;

use super::model::MOST_AT_ONCE;
use crate::access::{Actor, Directory, Object, Unit, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::ids::{HandlerId, PersonId};
use crate::input::{self, Kind};
use crate::{events, org, text};

/// Everybody who may sign in.
pub(super) fn everybody(tx: &mut Tx<'_>) -> store::Result<Vec<PersonId>> {
    let rows: Vec<(PersonId,)> = tx.rows("SELECT id FROM people WHERE is_active = TRUE ORDER BY id", &[])?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Everybody who works in a unit or below it on a day and may sign in; refused when that is nobody.
pub(super) fn people_in(
    directory: &Directory,
    unit: Option<&Unit>,
    day: &str,
) -> Result<Vec<PersonId>, AppError> {
    let unit = unit.ok_or_else(|| AppError::field("unit", text!("没有这个部门")))?;
    let mut people: Vec<PersonId> = directory
        .tree(unit.id)
        .into_iter()
        .flat_map(|unit| directory.positions_in(unit, day))
        .map(|position| position.person_id)
        .filter(|person| directory.member(*person).is_some_and(|member| member.is_active))
        .collect();
    people.sort_unstable();
    people.dedup();
    if people.is_empty() {
        return Err(AppError::field("unit", text!("这个部门现在没有人任职")));
    }
    Ok(people)
}

/// Registers people; those who are in the register already stay as they are. Refused for people who are not there, and
/// for oneself but for administrators, which the log tells. Answers how many are new.
pub fn register(
    tx: &mut Tx<'_>,
    actor: &Actor,
    people: &[PersonId],
    note: &str,
    now: Millis,
) -> Result<usize, AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let note = input::clean_value(Kind::Line, 200, note)
        .map_err(|text| AppError::Invalid(vec![FieldError::new("note", text)]))?;
    if people.is_empty() {
        return Err(AppError::field("person_id", text!("请选择要登记的人员或部门")));
    }
    if people.len() > MOST_AT_ONCE {
        return Err(AppError::field("unit", text!("一次最多登记 {} 人，请按部门分几次登记", MOST_AT_ONCE)));
    }
    org::hold_administrators(tx)?;
    let mut added = 0;
    for person in people {
        let known = org::load_person(tx, *person)?.filter(|p| p.is_active);
        let known =
            known.ok_or_else(|| AppError::field("person_id", text!("没有这位员工，或者他已停用、已离职")))?;
        let is_own = org::require_another(tx, actor, *person)?;
        let id = HandlerId::new();
        let done = tx.exec(
            "INSERT INTO information_handlers (id, person_id, note, registered_at, registered_by)
             SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS
               (SELECT 1 FROM information_handlers WHERE person_id = $2 AND ended_at IS NULL)",
            &[id.into(), (*person).into(), (&note).into(), now.into(), actor.person_id.into()],
        )?;
        if done == 0 {
            continue;
        }
        added += 1;
        events::emit(tx, actor, now, "confidentiality.registered", "person", person.0, 0)?;
        let after = org::mark(json!({ "name": known.name, "note": note }), is_own);
        let entry = Entry::of("confidentiality.registered", "person", person.0).after(&after);
        audit::record(tx, actor, now, &entry)?;
    }
    if added > 0 {
        org::rights_changed(tx)?;
    }
    Ok(added)
}

/// Takes somebody out of the register; what he signed stays. Answers his name.
pub fn end(tx: &mut Tx<'_>, actor: &Actor, id: HandlerId, now: Millis) -> Result<String, AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let found: Option<(PersonId, String)> = tx.row(
        "SELECT h.person_id, p.name FROM information_handlers h JOIN people p ON p.id = h.person_id
         WHERE h.id = $1 AND h.ended_at IS NULL",
        &[id.into()],
    )?;
    let (person, name) = found.ok_or(AppError::NotFound)?;
    let done = tx.exec(
        "UPDATE information_handlers SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL",
        &[id.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::NotFound);
    }
    note_end(tx, actor, person, &name, now)?;
    Ok(name)
}

/// Takes somebody who leaves out of the register, if he is in it; the caller has decided that he does.
pub fn end_registration_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    name: &str,
    now: Millis,
) -> Result<(), AppError> {
    let ended = tx.exec(
        "UPDATE information_handlers SET ended_at = $2, ended_by = $3 WHERE person_id = $1 AND ended_at IS NULL",
        &[person.into(), now.into(), actor.person_id.into()],
    )?;
    if ended > 0 {
        note_end(tx, actor, person, name, now)?;
    }
    Ok(())
}

fn note_end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    name: &str,
    now: Millis,
) -> Result<(), AppError> {
    org::rights_changed(tx)?;
    events::emit(tx, actor, now, "confidentiality.ended", "person", person.0, 0)?;
    let before = json!({ "name": name });
    let mut entry = Entry::of("confidentiality.ended", "person", person.0);
    entry.before = Some(&before);
    Ok(audit::record(tx, actor, now, &entry)?)
}
