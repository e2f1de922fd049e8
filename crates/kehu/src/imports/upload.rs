//! Taking a file in and deciding what shall become of it.

use std::collections::HashMap;

use serde_json::json;
use sheets::Header;
use store::{Conn, Tx};

use super::check::Report;
use super::mapping::{self, Target};
use super::model::{Import, OnDuplicate, State, choices_json, load, load_any};
use super::reader::{self, Peek, Place, Source};
use crate::access::{self, Actor, Object, Verb, Via};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::customers::Keyed;
use crate::error::AppError;
use crate::files::{self, Received, Stored};
use crate::ids::{ImportId, PersonId};
use crate::{jobs, org, text};

/// What is decided about an import before it runs.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// A code a column; `None` takes what is guessed.
    pub mapping: Option<Vec<String>>,
    /// About customers there already.
    pub on_duplicate: OnDuplicate,
    /// By what they are recognised; empty leaves it to the system.
    pub match_on: Vec<Keyed>,
    /// Owner of new customers; administrators only.
    pub owner_id: Option<PersonId>,
    /// Only check.
    pub is_dry_run: bool,
}

/// Children that look into uploads at once: each may take its share of memory.
static LOOKING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(2);

/// Looks into a received file: headings and first rows, or what is wrong with it.
pub async fn peek(received: &Received, place: &Place) -> Result<Peek, AppError> {
    let (path, name) = (received.path().to_owned(), received.name.clone());
    look(Source { path, name, place: place.clone() }).await
}

async fn look(source: Source) -> Result<Peek, AppError> {
    let _turn = LOOKING.acquire().await.map_err(|_| AppError::Unavailable)?;
    tokio::task::spawn_blocking(move || reader::peek(&source.path, &source.name, &source.place))
        .await
        .map_err(|e| AppError::Internal(format!("looking into an upload: {e}")))?
}

/// Writes the row of a new import, in the transaction that stores its file. Columns are matched as guessed and, for
/// somebody at the pages who sees it before anything happens, as he matched them before.
pub fn insert(
    tx: &mut Tx<'_>,
    actor: &Actor,
    stored: &Stored,
    peek: &Peek,
    catalogue: &Catalogue,
    now: Millis,
) -> Result<Import, AppError> {
    let id = ImportId::new();
    let file = files::save(tx, actor, stored, files::Place::Import(id), now)?;
    let guessed = guess(tx, actor, peek, catalogue)?;
    let header = serde_json::to_value(&peek.header).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "INSERT INTO imports (id, object, state, file_id, file_name, file_hash, header, sample, mapping, via, created_at,
           created_by) VALUES ($1, 'customers', 'uploaded', $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            id.into(),
            file.id.into(),
            (&file.name).into(),
            (&file.sha256).into(),
            header.into(),
            json!(peek.sample).into(),
            json!(guessed).into(),
            actor.via.code().into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    let after = json!({ "file": file.name, "size": file.size, "sha256": file.sha256 });
    audit::record(tx, actor, now, &Entry::of("import.uploaded", "import", id.0).after(&after))?;
    load_any(tx, id)?.ok_or(AppError::NotFound)
}

/// What the columns mean, as far as can be told before anybody says.
fn guess(
    tx: &mut Tx<'_>,
    actor: &Actor,
    peek: &Peek,
    catalogue: &Catalogue,
) -> Result<Vec<String>, AppError> {
    let remembered = match actor.via {
        Via::Session => mapping::remembered(tx, actor.person_id, &peek.header)?,
        _ => HashMap::new(),
    };
    let mut guessed = mapping::guess(&peek.header, &remembered, catalogue);
    mapping::settle(&mut guessed, &peek.header, &remembered, &peek.sample);
    Ok(guessed.iter().map(Target::code).collect())
}

/// Looks into another table of an import's file before it has begun; its columns are guessed anew.
///
/// # Errors
/// At `sheet` or `header_row` when there is none such; the import is as before then.
pub async fn turn_to(app: &App, actor: &Actor, id: ImportId, place: Place) -> Result<Import, AppError> {
    let (own, reader) = (actor.clone(), app.clone());
    let source = app
        .db
        .read(move |conn| {
            let import = load_open(conn, &own, id)?;
            let file = files::load(conn, &own, Verb::Read, import.file_id)?;
            Ok::<_, AppError>(import.source(files::store_path(&reader, &file)))
        })
        .await?;
    let peek = look(Source { place, ..source }).await?;
    let (catalogue, actor, now) = (app.catalogue().await?, actor.clone(), app.now());
    app.db
        .write(move |tx| {
            let import = load_open(tx, &actor, id)?;
            let guessed = guess(tx, &actor, &peek, &catalogue)?;
            let header = serde_json::to_value(&peek.header).map_err(|e| AppError::Internal(e.to_string()))?;
            tx.exec(
                "UPDATE imports SET state = 'uploaded', header = $2, sample = $3, mapping = $4,
                   version = version + 1 WHERE id = $1",
                &[id.into(), header.into(), json!(peek.sample).into(), json!(guessed).into()],
            )?;
            configured(tx, &actor, &import, now)
        })
        .await
}

/// An import that has not begun.
fn load_open(conn: &mut Conn<'_>, actor: &Actor, id: ImportId) -> Result<Import, AppError> {
    let import = load(conn, actor, id)?;
    if !matches!(import.state, State::Uploaded | State::Checked) {
        return Err(AppError::Conflict(text!("这次导入已经开始，不能再改")));
    }
    Ok(import)
}

/// Notes in the log what was decided otherwise than before; answers the import as it is now.
fn configured(tx: &mut Tx<'_>, actor: &Actor, before: &Import, now: Millis) -> Result<Import, AppError> {
    let import = load_any(tx, before.id)?.ok_or(AppError::NotFound)?;
    let (old, new) = (choices_json(before), choices_json(&import));
    if old != new {
        let entry = Entry::of("import.configured", "import", import.id.0).change(&old, &new);
        audit::record(tx, actor, now, &entry)?;
    }
    Ok(import)
}

/// Stores a received file as a new import.
pub async fn take(app: &App, actor: &Actor, received: Received, place: &Place) -> Result<Import, AppError> {
    access::require_may(actor, Object::Customer, Verb::Import)?;
    let peek = peek(&received, place).await?;
    let (catalogue, actor, now) = (app.catalogue().await?, actor.clone(), app.now());
    files::attach(app, received, move |tx, stored| insert(tx, &actor, stored, &peek, &catalogue, now)).await
}

/// Sets what was decided; only before the import has begun. What differs from what was decided or guessed before is in
/// the log.
pub fn choose(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ImportId,
    choices: &Choices,
    catalogue: &Catalogue,
    now: Millis,
) -> Result<Import, AppError> {
    let import = load_open(tx, actor, id)?;
    let header: &Header =
        import.header.as_ref().ok_or_else(|| AppError::Conflict(text!("这个文件没有表头")))?;
    let codes = choices.mapping.as_ref().unwrap_or(&import.mapping);
    let targets = mapping::parse(codes, header.columns.len(), catalogue)?;
    if let Some(owner) = choices.owner_id {
        if !actor.may(Object::Customer, Verb::Assign) && owner != actor.person_id {
            return Err(AppError::field("owner_id", access::refusal(Object::Customer, Verb::Assign)));
        }
        if org::load_person(tx, owner)?.is_none_or(|p| !p.is_active) {
            return Err(AppError::field("owner_id", text!("没有这位员工，或者他已停用")));
        }
    }
    let codes: Vec<String> = targets.iter().map(Target::code).collect();
    let match_on: Vec<&str> = choices.match_on.iter().map(|k| k.code()).collect();
    tx.exec(
        "UPDATE imports SET state = 'uploaded', mapping = $2, on_duplicate = $3, match_on = $4, owner_id = $5,
           is_dry_run = $6, version = version + 1 WHERE id = $1",
        &[
            id.into(),
            json!(codes).into(),
            choices.on_duplicate.code().into(),
            json!(match_on).into(),
            choices.owner_id.into(),
            choices.is_dry_run.into(),
        ],
    )?;
    configured(tx, actor, &import, now)
}

/// Sends an import to the background: to be checked or to be run. How a person at the pages matched the columns of what
/// he runs is remembered for him. Call `app.jobs_waiting.notify_one()` afterwards.
pub fn send(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ImportId,
    is_check: bool,
    catalogue: &Catalogue,
    now: Millis,
) -> Result<Import, AppError> {
    let import = load_open(tx, actor, id)?;
    let (state, kind) = if is_check { (State::Checking, super::CHECK) } else { (State::Running, super::RUN) };
    begin(tx, &import, state, now)?;
    if let (false, Via::Session, Some(header)) = (is_check, actor.via, &import.header) {
        let targets = mapping::parse(&import.mapping, header.columns.len(), catalogue)?;
        mapping::remember(tx, actor.person_id, (header, &import.sample), &targets, catalogue, now)?;
    }
    jobs::enqueue(tx, kind, id.0, now)?;
    audit::record(
        tx,
        actor,
        now,
        &Entry::of(if is_check { "import.checked" } else { "import.started" }, "import", id.0),
    )?;
    load_any(tx, id)?.ok_or(AppError::NotFound)
}

/// Starts an import without a job: the command does the work itself.
pub fn begin_by_command(
    tx: &mut Tx<'_>,
    actor: &Actor,
    import: &Import,
    now: Millis,
) -> Result<(), AppError> {
    begin(tx, import, State::Running, now)?;
    Ok(audit::record(tx, actor, now, &Entry::of("import.started", "import", import.id.0))?)
}

fn begin(tx: &mut Tx<'_>, import: &Import, state: State, now: Millis) -> Result<(), AppError> {
    let begun = tx.exec(
        "UPDATE imports SET state = $2, started_at = $3, heard_at = $3, is_cancel_wanted = FALSE, read_rows = 0, version = version + 1
         WHERE id = $1 AND state = $4",
        &[import.id.into(), state.code().into(), now.into(), import.state.code().into()],
    )?;
    if begun != 1 {
        return Err(AppError::Stale);
    }
    // What the check doubted is counted anew while rows are written.
    if state == State::Running {
        let report = Report {
            doubts: Default::default(),
            kept: Default::default(),
            guessed: Default::default(),
            ..import.report.clone()
        };
        if report != import.report {
            super::model::save_report(tx, import.id, &report)?;
        }
    }
    Ok(())
}

/// Asks a running check or import to stop at its next batch; what was written stays.
pub fn cancel(tx: &mut Tx<'_>, actor: &Actor, id: ImportId, now: Millis) -> Result<Import, AppError> {
    let import = load(tx, actor, id)?;
    match import.state {
        // The command stops at its next batch; if it was killed, nobody else would ever end it.
        State::Running if import.is_by_command => {
            tx.exec(
                "UPDATE imports SET state = 'cancelled', finished_at = $2, version = version + 1 WHERE id = $1",
                &[id.into(), now.into()],
            )?;
        }
        State::Checking | State::Running => {
            tx.exec(
                "UPDATE imports SET is_cancel_wanted = TRUE, version = version + 1 WHERE id = $1",
                &[id.into()],
            )?;
        }
        State::Uploaded | State::Checked => {
            tx.exec(
                "UPDATE imports SET state = 'cancelled', finished_at = $2, version = version + 1 WHERE id = $1",
                &[id.into(), now.into()],
            )?;
        }
        _ => return Err(AppError::Conflict(text!("这次导入已经结束"))),
    }
    audit::record(tx, actor, now, &Entry::of("import.cancelled", "import", id.0))?;
    load_any(tx, id)?.ok_or(AppError::NotFound)
}
