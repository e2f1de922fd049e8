//! Adding, changing and taking away processes; for whoever keeps the organisation.

use store::Tx;

use super::load::load;
use super::model::{Draft, Process};
use crate::access::{Actor, Directory, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::ProcessId;
use crate::input::difference;
use crate::{events, text};

/// Processes of a company at the most.
pub const MOST: i64 = 300;

/// Adds a process with its parts.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (directory, catalogue): (&Directory, &Catalogue),
    draft: &Draft,
    now: Millis,
) -> Result<Process, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    if tx.count("SELECT COUNT(*) FROM processes WHERE deleted_at IS NULL", &[])? >= MOST {
        return Err(AppError::Conflict(text!("最多 {} 个流程，请先删除不再使用的", MOST)));
    }
    let blank = Process {
        id: ProcessId::new(),
        code: String::new(),
        title: String::new(),
        note: String::new(),
        duties: Vec::new(),
        version: 1,
        updated_at: now,
    };
    let process = draft.applied(&blank, directory, catalogue).map_err(AppError::Invalid)?;
    tx.exec(
        "INSERT INTO processes (id, code, title, note, version, created_at, created_by, updated_at, updated_by)
         VALUES ($1,$2,$3,$4,1,$5,$6,$5,$6)",
        &[
            process.id.into(),
            (&process.code).into(),
            (&process.title).into(),
            (&process.note).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )
    .map_err(taken)?;
    write_duties(tx, &process)?;
    events::emit(tx, actor, now, "process.created", "process", process.id.0, 0)?;
    let after = process.facts(directory, catalogue);
    audit::record(tx, actor, now, &Entry::of("process.created", "process", process.id.0).after(&after))?;
    Ok(process)
}

/// Changes a process whose version is still `version` (`None` takes whatever it is). Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: (&Directory, &Catalogue),
    id: ProcessId,
    version: Option<i64>,
    draft: &Draft,
    now: Millis,
) -> Result<Process, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let old = load(tx, id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let mut new = draft.applied(&old, known.0, known.1).map_err(AppError::Invalid)?;
    let (before, after) = difference(&old.facts(known.0, known.1), &new.facts(known.0, known.1));
    if before == after && old.duties == new.duties {
        return Ok(old);
    }
    new.version += 1;
    new.updated_at = now;
    let done = tx
        .exec(
            "UPDATE processes SET code = $3, title = $4, note = $5, updated_at = $6, updated_by = $7,
               version = version + 1 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
            &[
                id.into(),
                old.version.into(),
                (&new.code).into(),
                (&new.title).into(),
                (&new.note).into(),
                now.into(),
                actor.person_id.into(),
            ],
        )
        .map_err(taken)?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    if new.duties != old.duties {
        tx.exec("DELETE FROM process_duties WHERE process_id = $1", &[id.into()])?;
        write_duties(tx, &new)?;
    }
    events::emit(tx, actor, now, "process.updated", "process", id.0, 0)?;
    audit::record(tx, actor, now, &Entry::of("process.updated", "process", id.0).change(&before, &after))?;
    Ok(new)
}

/// Takes a process away. Tasks that name it keep its name; those who were informed of them are no longer.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (directory, catalogue): (&Directory, &Catalogue),
    id: ProcessId,
    version: Option<i64>,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    let process = load(tx, id)?;
    if version.is_some_and(|v| v != process.version) {
        return Err(AppError::Stale);
    }
    let done = tx.exec(
        "UPDATE processes SET deleted_at = $3, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[id.into(), process.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    tx.exec("DELETE FROM process_duties WHERE process_id = $1", &[id.into()])?;
    events::emit(tx, actor, now, "process.deleted", "process", id.0, 0)?;
    let before = process.facts(directory, catalogue);
    let mut entry = Entry::of("process.deleted", "process", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn write_duties(tx: &mut Tx<'_>, process: &Process) -> store::Result<()> {
    let rows = process
        .duties
        .iter()
        .map(|(party, duty)| {
            let (unit, post) = party.columns();
            vec![process.id.into(), unit.into(), post.into(), duty.code().into()]
        })
        .collect::<Vec<_>>();
    tx.insert_rows("INSERT INTO process_duties (process_id, unit_id, post, duty)", &rows, "").map(drop)
}

fn taken(error: store::Error) -> AppError {
    if error.is_unique("processes_code_key") {
        AppError::field("code", text!("已有这个编码的流程，请换一个编码"))
    } else {
        error.into()
    }
}
