//! The work: a backup or a verification in a thread of its own, its progress written down, its end recorded.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use store::{Db, Tx};

use super::create::{Made, Order, Progress, Step, create};
use super::load::load_any;
use super::model::{Backup, State, Verification};
use super::{act, schedule, verify};
use crate::access::{Actor, Via};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::files;
use crate::ids::{BackupId, PersonId};
use crate::jobs::{Outcome, Task};
use crate::text;

/// How often progress is written down and the wish to stop is looked for.
const EVERY: Duration = Duration::from_millis(700);

/// The one a backup is made for: the person, with the rights he has now, or the system.
pub(super) async fn actor_of(app: &App, person: PersonId) -> Result<Actor, AppError> {
    if person.0 == 0 {
        return Ok(system());
    }
    let actor = app.actor_for(person, Via::Job).await?;
    actor.ok_or_else(|| AppError::Forbidden(text!("要求备份的人已停用，不再继续")))
}

/// Nobody in particular: what is done by the clock.
pub(super) fn system() -> Actor {
    let mut facts = (*Actor::command_line()).clone();
    facts.username = "system".into();
    facts.name = "系统".into();
    facts.via = Via::Job;
    Actor::new(facts)
}

/// Writes progress down now and then and tells whether to go on.
struct Reporter {
    db: Db,
    id: BackupId,
    last: Mutex<Instant>,
    is_wanted: AtomicBool,
    stopping: tokio::sync::watch::Receiver<bool>,
    tell: Box<dyn Fn(Step, u64, u64) + Send + Sync>,
}

impl Reporter {
    fn hear(&self, step: Step, done: u64, total: u64) -> bool {
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() < EVERY {
                return self.is_wanted.load(Ordering::Relaxed) && !*self.stopping.borrow();
            }
            *last = Instant::now();
        }
        (self.tell)(step, done, total);
        let (id, code) = (self.id, step.code());
        let (done, total) =
            (i64::try_from(done).unwrap_or(i64::MAX), i64::try_from(total).unwrap_or(i64::MAX));
        let told = self.db.write_blocking(move |tx| {
            tx.exec(
                "UPDATE backups SET step = $2, progress = $3, total = $4 WHERE id = $1",
                &[id.into(), code.into(), done.into(), total.into()],
            )?;
            load_any(tx, id)
        });
        match told {
            // Taken away, or somebody wants it to stop.
            Ok(backup) => {
                let goes_on = backup.is_some_and(|b| !b.is_cancel_wanted);
                self.is_wanted.store(goes_on, Ordering::Relaxed);
            }
            Err(error) => tracing::debug!(%error, "the progress of a backup could not be written down"),
        }
        self.is_wanted.load(Ordering::Relaxed) && !*self.stopping.borrow()
    }
}

fn reporter(
    app: &App,
    id: BackupId,
    task: &Task,
    tell: impl Fn(Step, u64, u64) + Send + Sync + 'static,
) -> Arc<Reporter> {
    Arc::new(Reporter {
        db: app.db.clone(),
        id,
        last: Mutex::new(Instant::now()),
        is_wanted: AtomicBool::new(true),
        stopping: task.stopping(),
        tell: Box::new(tell),
    })
}

/// Makes a backup that was asked for, and writes down how it ended. `tell` hears the progress now and then.
pub async fn run(
    app: &App,
    task: &Task,
    tell: impl Fn(Step, u64, u64) + Send + Sync + 'static,
) -> Result<Outcome, AppError> {
    let (id, now) = (BackupId(task.subject_id), app.now());
    let Some(backup) = app.db.read(move |conn| load_any(conn, id)).await? else { return Ok(Outcome::Done) };
    if !backup.state.is_open() {
        return Ok(Outcome::Done);
    }
    let actor = actor_of(app, backup.created_by).await?;
    if backup.is_cancel_wanted {
        end(app, &actor, &backup, End::Cancelled).await?;
        return Ok(Outcome::Done);
    }
    app.db
        .write(move |tx| {
            tx.exec("UPDATE backups SET state = 'running', step = 'database' WHERE id = $1", &[id.into()])
        })
        .await?;
    let reporter = reporter(app, id, task, tell);
    let order = Order {
        db: app.db.clone(),
        files: app.config.data_dir.join(files::FOLDER),
        folder: app.config.backups_dir.clone(),
        id: id.0,
        by: if backup.created_by.0 == 0 { backup.origin.clone() } else { actor.name.clone() },
        now,
        zone: app.zone.clone(),
    };
    let progress: Progress = Arc::new(move |step, done, total| reporter.hear(step, done, total));
    let made = blocking(move || create(&order, &progress)).await;
    match made {
        Ok(Some(made)) => {
            end(app, &actor, &backup, End::Made(Box::new(made))).await?;
            if backup.origin == "schedule" {
                schedule::prune(app).await?;
            }
            Ok(Outcome::Done)
        }
        Ok(None) if task.is_stopping() => Ok(Outcome::Interrupted),
        Ok(None) => {
            end(app, &actor, &backup, End::Cancelled).await?;
            Ok(Outcome::Done)
        }
        // What goes on at the moment will be over: the worker tries again, a command does not.
        Err(error @ (AppError::Busy(_) | AppError::Unavailable)) if task.job_id.0 != 0 => Err(error),
        Err(error) => {
            tracing::error!(%error, backup = %id, "a backup failed");
            end(app, &actor, &backup, End::Failed(error.to_string())).await?;
            if task.job_id.0 == 0 { Err(error) } else { Ok(Outcome::Done) }
        }
    }
}

/// How a backup ended.
enum End {
    Made(Box<Made>),
    Cancelled,
    Failed(String),
}

async fn end(app: &App, actor: &Actor, backup: &Backup, end: End) -> Result<(), AppError> {
    let (actor, id, origin, now) = (actor.clone(), backup.id, backup.origin.clone(), app.now());
    app.db
        .write(move |tx| match &end {
            End::Made(made) => made_it(tx, &actor, id, &origin, made, now),
            End::Cancelled => close(tx, id, State::Cancelled, "", now),
            End::Failed(reason) => {
                close(tx, id, State::Failed, reason, now)?;
                let after = json!({ "reason": reason });
                let entry = Entry::of("backup.created", "backup", id.0).after(&after).result("failed");
                Ok(audit::record(tx, &actor, now, &entry)?)
            }
        })
        .await
}

fn made_it(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: BackupId,
    origin: &str,
    made: &Made,
    now: Millis,
) -> Result<(), AppError> {
    let files = made.manifest.files;
    let customers = made.manifest.tables.get("customers").copied().unwrap_or_default();
    let size = i64::try_from(made.size).unwrap_or(i64::MAX);
    tx.exec(
        "UPDATE backups SET state = 'done', file_name = $2, size = $3, customers = $4, attachments = $5, missing = $6,
           step = '', progress = 0, total = 0, problem = '', verification = 'ok', verified_at = $7, finished_at = $7
         WHERE id = $1",
        &[
            id.into(),
            (&made.name).into(),
            size.into(),
            (customers as i64).into(),
            (files.count as i64).into(),
            (files.missing as i64).into(),
            now.into(),
        ],
    )?;
    // Commands that began before this one held the folder were killed.
    tx.exec(
        "UPDATE backups SET state = 'failed', problem = $2, finished_at = $3
         WHERE state = 'running' AND origin = 'command' AND id < $1",
        &[id.into(), "备份被中断，没有留下文件".into(), now.into()],
    )?;
    let after = json!({
        "file": made.name,
        "size": size,
        "origin": origin,
        "customers": customers,
        "attachments": files.count,
        "missing": files.missing,
    });
    let entry = Entry::of("backup.created", "backup", id.0).after(&after);
    Ok(audit::record(tx, actor, now, &entry)?)
}

/// Ends a backup of which nothing is left.
fn close(tx: &mut Tx<'_>, id: BackupId, state: State, problem: &str, now: Millis) -> Result<(), AppError> {
    let problem: String = problem.trim().chars().take(500).collect();
    tx.exec(
        "UPDATE backups SET state = $2, problem = $3, step = '', progress = 0, total = 0, finished_at = $4
         WHERE id = $1 AND state IN ('waiting', 'running')",
        &[id.into(), state.code().into(), problem.into(), now.into()],
    )?;
    Ok(())
}

/// Notes that a backup's job was given up.
pub(super) fn give_up(tx: &mut Tx<'_>, id: i64, error: &AppError, now: Millis) -> store::Result<()> {
    let reason: String = error.to_string().trim().chars().take(500).collect();
    let closed = tx.exec(
        "UPDATE backups SET state = 'failed', problem = $2, step = '', progress = 0, total = 0, finished_at = $3
         WHERE id = $1 AND state IN ('waiting', 'running')",
        &[id.into(), (&reason).into(), now.into()],
    )?;
    if closed > 0 {
        let after = json!({ "reason": reason });
        let entry = Entry::of("backup.created", "backup", id).after(&after).result("failed");
        audit::record(tx, &system(), now, &entry)?;
    }
    Ok(())
}

/// Notes that a verification's job was given up.
pub(super) fn give_up_verification(
    tx: &mut Tx<'_>,
    id: i64,
    error: &AppError,
    _: Millis,
) -> store::Result<()> {
    let reason: String = error.to_string().trim().chars().take(500).collect();
    tx.exec(
        "UPDATE backups SET verification = 'failed', problem = $2, step = '', progress = 0, total = 0
         WHERE id = $1 AND verification = 'waiting'",
        &[id.into(), reason.into()],
    )
    .map(drop)
}

/// Reads a finished backup back and writes down what was found.
pub(super) async fn run_verification(app: &App, task: &Task) -> Result<Outcome, AppError> {
    let id = BackupId(task.subject_id);
    let Some(backup) = app.db.read(move |conn| load_any(conn, id)).await? else { return Ok(Outcome::Done) };
    if backup.verification != Verification::Waiting {
        return Ok(Outcome::Done);
    }
    let (path, folder) = (act::path(app, &backup), app.config.backups_dir.clone());
    let reporter = reporter(app, id, task, |_, _, _| {});
    let report = match path.filter(|p| p.is_file()) {
        None => verify::Report {
            problems: vec!["备份文件已不在备份目录里".into()],
            ..verify::Report::default()
        },
        Some(path) => {
            let looked = blocking(move || {
                verify::verify(&path, &folder, &mut |done, all| reporter.hear(Step::Check, done, all))
            });
            match looked.await? {
                Some(report) => report,
                None if task.is_stopping() => return Ok(Outcome::Interrupted),
                None => return Ok(Outcome::Done),
            }
        }
    };
    let (actor, now) = (system(), app.now());
    app.db.write(move |tx| note_verification(tx, &actor, id, &report, now)).await?;
    Ok(Outcome::Done)
}

/// Writes down what a verification found.
pub fn note_verification(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: BackupId,
    report: &verify::Report,
    now: Millis,
) -> Result<(), AppError> {
    let problem: String = report.problems.join("；").chars().take(500).collect();
    let (verification, result) = if report.is_good() { ("ok", "ok") } else { ("damaged", "failed") };
    tx.exec(
        "UPDATE backups SET verification = $2, verified_at = $3, problem = $4, step = '', progress = 0, total = 0
         WHERE id = $1",
        &[id.into(), verification.into(), now.into(), (&problem).into()],
    )?;
    let after = json!({ "problems": report.problems.len(), "reason": problem });
    let entry = Entry::of("backup.verified", "backup", id.0).after(&after).result(result);
    Ok(audit::record(tx, actor, now, &entry)?)
}

/// Runs long work on files off the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| AppError::Internal(format!("backup: {e}")))?
}
