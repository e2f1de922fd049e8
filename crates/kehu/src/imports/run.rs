//! The import itself: batches of rows, each one transaction with customers, notes about the rows, counts and the place
//! reached, so that an import killed anywhere goes on without losing or doubling a row.

use std::sync::Arc;

use serde_json::json;
use store::Tx;

use super::batch::{Batch, Counts, Halt};
use super::check::Report;
use super::model::{Import, State, load_any, stored_problem};
use super::plan::Plan;
use super::reader::{self, Message, Source};
use crate::access::{Actor, ActorFacts, Verb, Via};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::{Lang, Text};
use crate::ids::{ImportId, PersonId};
use crate::jobs::{Outcome, Task};
use crate::{events, files, numbering, text};

/// What a job begins with.
pub struct Start {
    /// The import.
    pub import: Import,
    /// Its settings.
    pub plan: Plan,
    /// Its file.
    pub source: Source,
}

/// Loads an import that is in the state its job expects; `None` when there is nothing to do any more.
pub async fn begin(app: &App, id: ImportId, state: State) -> Result<Option<Start>, AppError> {
    let catalogue = app.catalogue().await?;
    let import = app.db.read(move |conn| load_any(conn, id)).await?;
    let Some(import) = import.filter(|i| i.state == state) else { return Ok(None) };
    let own = app.clone();
    let actor = actor_of(app, import.created_by).await;
    let outcome = app
        .db
        .read(move |conn| {
            let actor = actor?;
            let file = files::load(conn, &actor, Verb::Read, import.file_id)?;
            let source = import.source(files::store_path(&own, &file));
            let plan = Plan::new(conn, &import, actor, catalogue)?;
            Ok(Some(Start { import, plan, source }))
        })
        .await;
    match outcome {
        // A field was retired, the person has left: trying again does not help.
        Err(error @ (AppError::Invalid(_) | AppError::NotFound | AppError::Forbidden(_))) => {
            fail(app, id, state, error.words(), app.now()).await?;
            Ok(None)
        }
        other => other,
    }
}

/// The person an import is done for, with the rights he has now and in his language: the import writes words of ours
/// into remarks.
pub async fn actor_of(app: &App, person: PersonId) -> Result<Actor, AppError> {
    let actor = app.actor_for(person, Via::Job).await?;
    let actor = actor.ok_or_else(|| AppError::Forbidden(text!("导入人已停用，不能继续导入")))?;
    let lang: Option<String> = app
        .db
        .read(move |conn| conn.value("SELECT lang FROM people WHERE id = $1", &[person.into()]))
        .await
        .map_err(|error: store::Error| AppError::from(error))?;
    let lang = Lang::named(&lang.unwrap_or_default());
    Ok(Actor::new(ActorFacts { lang, ..ActorFacts::clone(&actor) }))
}

/// Ends an import that cannot go on, with its audit row.
pub async fn fail(app: &App, id: ImportId, from: State, reason: Text, now: Millis) -> Result<(), AppError> {
    app.db.write(move |tx| Ok(end_as_failed(tx, id, from, &reason, now)?)).await
}

/// Nobody in particular does it: the person may be the reason, as one who has left.
fn end_as_failed(
    tx: &mut Tx<'_>,
    id: ImportId,
    from: State,
    reason: &Text,
    now: Millis,
) -> store::Result<()> {
    let ended = tx.exec(
        "UPDATE imports SET state = 'failed', problem = $3, finished_at = COALESCE(finished_at, $4),
           version = version + 1 WHERE id = $1 AND state = $2",
        &[id.into(), from.code().into(), stored_problem(reason).into(), now.into()],
    )?;
    if ended == 0 {
        return Ok(());
    }
    let (before, after) =
        (json!({ "state": from.code() }), json!({ "state": "failed", "reason": reason.to(Lang::Zh) }));
    let entry = Entry::of("import.failed", "import", id.0).change(&before, &after).result("failed");
    audit::record(tx, &Actor::system(), now, &entry)
}

/// The job.
pub async fn job(app: App, task: Task) -> Result<Outcome, AppError> {
    let id = ImportId(task.subject_id);
    let Some(start) = begin(&app, id, State::Running).await? else { return Ok(Outcome::Done) };
    run(&app, start, &task, |_| ()).await
}

/// Runs an import from the place it reached; `progress` hears the counts after every batch.
pub async fn run(
    app: &App,
    start: Start,
    task: &Task,
    mut progress: impl FnMut(&Counts),
) -> Result<Outcome, AppError> {
    let Start { import, plan, source } = start;
    let (id, now) = (import.id, app.now());
    if import.last_row == 0 && plan.has_numbers() {
        keep_clear(app, &plan, source.clone()).await?;
    }
    if !plan.notes().is_empty() {
        let told = plan.clone();
        app.db
            .write(move |tx| keep_in_report(tx, id, |report| report.doubts.add_notes(told.notes())))
            .await?;
    }
    let reading = plan.clone();
    let mut batches = reader::batches(source, import.last_row, move |row| reading.read(row, now));
    let (mut place, mut total) = (import.last_row, Counts::of(&import));
    let columns: Arc<[String]> = import.columns().into();
    while let Some(message) = batches.recv().await {
        match message? {
            Message::Batch(works) => {
                let works = Arc::new(works);
                let next = works.last().map_or(place, |w| w.number);
                let batch = Batch {
                    id,
                    plan: plan.clone(),
                    works,
                    columns: Arc::clone(&columns),
                    from: place,
                    to: next,
                    now: app.now(),
                };
                match batch.write(app).await {
                    Ok(counts) => total.add(counts),
                    Err(Halt::Error(error)) => return Err(error),
                    Err(Halt::NotMine | Halt::Again) => return stop_if_wanted(app, id, &plan).await,
                }
                place = next;
                progress(&total);
                if task.is_stopping() {
                    return Ok(Outcome::Interrupted);
                }
            }
            Message::Warning(problem) => {
                app.db
                    .write(move |tx| keep_in_report(tx, id, |report| report.doubts.add_file(&problem)))
                    .await?;
            }
            Message::End => {
                finish(app, id, &plan, State::Done, None).await?;
                return Ok(Outcome::Done);
            }
            Message::Failed(problem) => {
                finish(app, id, &plan, State::Failed, Some(reader::words(&problem))).await?;
                return Ok(Outcome::Done);
            }
        }
    }
    Err(AppError::Internal("the reading thread ended without a word".into()))
}

/// Notes the numbers of the system's own series in the file, so that no row without a number gets one that stands
/// further down.
async fn keep_clear(app: &App, plan: &Plan, source: Source) -> Result<(), AppError> {
    let reading = plan.clone();
    let mut serials = reader::batches(source, 0, move |row| reading.serial(&row.cells));
    let mut given = Vec::new();
    while let Some(message) = serials.recv().await {
        match message? {
            Message::Batch(batch) => given.extend(batch.into_iter().flatten()),
            // What is wrong with the file is said when its rows are written.
            Message::Warning(_) => {}
            Message::End | Message::Failed(_) => break,
        }
    }
    if given.is_empty() {
        return Ok(());
    }
    Ok(app.db.write(move |tx| numbering::note_given(tx, "customer", &mut given.clone())).await?)
}

/// Adds to what is known of the rows of a running import; kept with it, so that one that is killed goes on counting.
pub(super) fn keep_in_report(
    tx: &mut Tx<'_>,
    id: ImportId,
    add: impl FnOnce(&mut Report),
) -> Result<(), AppError> {
    let Some(mut import) = load_any(tx, id)? else { return Ok(()) };
    let before = import.report.clone();
    add(&mut import.report);
    if import.report != before {
        super::model::save_report(tx, id, &import.report)?;
    }
    Ok(())
}

async fn stop_if_wanted(app: &App, id: ImportId, plan: &Plan) -> Result<Outcome, AppError> {
    let is = app.db.read(move |conn| Ok::<_, AppError>(load_any(conn, id)?)).await?;
    match is {
        Some(import) if import.state == State::Running && import.is_cancel_wanted => {
            finish(app, id, plan, State::Cancelled, None).await?;
            Ok(Outcome::Done)
        }
        // A worker thought dead still writes: come again when it has ended.
        Some(import) if import.state == State::Running => Err(AppError::Unavailable),
        _ => Ok(Outcome::Done),
    }
}

/// Ends a running import, with its audit row.
async fn finish(
    app: &App,
    id: ImportId,
    plan: &Plan,
    state: State,
    problem: Option<Text>,
) -> Result<(), AppError> {
    let (actor, now) = (plan.actor().clone(), app.now());
    let problem = problem.as_ref().map(stored_problem).unwrap_or_default();
    app.db
        .write(move |tx| {
            let ended = tx.exec(
                "UPDATE imports SET state = $2, problem = $3, finished_at = $4, version = version + 1,
                   total = CASE WHEN $2 = 'done' THEN read_rows ELSE total END
                 WHERE id = $1 AND state = 'running'",
                &[id.into(), state.code().into(), (&problem).into(), now.into()],
            )?;
            if ended == 1
                && let Some(import) = load_any(tx, id)?
            {
                let after = json!({
                    "state": state.code(), "file": import.file_name, "read": import.read, "created": import.created,
                    "updated": import.updated, "skipped": import.skipped, "failed": import.failed,
                });
                audit::record(tx, &actor, now, &Entry::of("import.finished", "import", id.0).after(&after))?;
                events::emit(tx, &actor, now, "import.finished", "import", id.0, 0)?;
            }
            Ok(())
        })
        .await
}

/// Notes that the job of an import was given up: with the reason when a person can do something about it.
pub fn give_up(tx: &mut Tx<'_>, id: i64, error: &AppError, now: Millis) -> store::Result<()> {
    tracing::error!(import = %ImportId(id), %error, "an import was given up");
    for state in [State::Undoing, State::Checking, State::Running] {
        let problem = match state {
            _ if error.is_final() => error.words(),
            State::Undoing => {
                text!("系统多次尝试都没有成功，撤销没有做完。请联系管理员查看服务器日志，之后可以再撤销一次")
            }
            _ => {
                text!("系统多次尝试都没有成功，已停止。请联系管理员查看服务器日志，之后可以重新导入同一文件")
            }
        };
        end_as_failed(tx, ImportId(id), state, &problem, now)?;
    }
    Ok(())
}
