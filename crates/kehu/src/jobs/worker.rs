//! Claiming and running jobs.

use std::sync::Arc;
use std::time::Duration;

use store::Engine;
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinHandle;

use super::{Kind, Outcome, TRIES, Task, chores, pause};
use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;
use crate::files;
use crate::ids::JobId;

/// How long a claimed job belongs to its worker without a sign of life, in milliseconds.
const LEASE: Millis = 30_000;
/// Jobs that run at once in a server, so that one long import does not keep everybody waiting.
const WORKERS: usize = 2;
/// How often a server looks for jobs others enqueued or whose pause is over.
const LOOK: Duration = Duration::from_secs(2);
/// How often a server looks for recurring work that is due.
const RECUR: Duration = Duration::from_secs(60);
/// How long a stopping server waits for its jobs to come to a safe place.
const PATIENCE: Duration = Duration::from_secs(20);

/// The running workers.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Lets running jobs come to a safe place and ends.
    pub async fn stop(self) {
        // Receivers live in the workers; when they are gone already there is nobody to tell.
        let _ = self.stop.send(true);
        for worker in self.workers {
            if tokio::time::timeout(PATIENCE, worker).await.is_err() {
                tracing::warn!("a background job did not stop in time; it goes on at the next start");
            }
        }
    }
}

/// Starts the workers of a server.
pub fn start(app: &App) -> Running {
    let (stop, stopping) = watch::channel(false);
    let mut workers = vec![
        tokio::spawn(housekeeping(app.clone(), stopping.clone())),
        tokio::spawn(recur(app.clone(), stopping.clone())),
    ];
    // Nobody claims before what the last run left is released, or a claim of this run would be taken away again.
    let released = Arc::new(OnceCell::new());
    for _ in 0..WORKERS {
        workers.push(tokio::spawn(work(app.clone(), stopping.clone(), Arc::clone(&released))));
    }
    Running { stop, workers }
}

/// Runs every job that is due, and those they enqueue, until none is left: for tests.
pub async fn run_all(app: &App) -> Result<(), AppError> {
    let (_stop, stopping) = watch::channel(false);
    let me = worker_name();
    while let Some(job) = claim(app, &me).await? {
        run(app, job, &stopping).await?;
    }
    Ok(())
}

fn worker_name() -> Arc<str> {
    format!("{}-{}", std::process::id(), store::format_id(store::new_id())).into()
}

async fn housekeeping(app: App, mut stopping: watch::Receiver<bool>) {
    loop {
        let now = app.now();
        if let Err(error) = app.db.write::<_, store::Error, _>(move |tx| chores::all(tx, now)).await {
            tracing::warn!(%error, "chores were not done");
        }
        if let Err(error) = files::purge(&app).await {
            tracing::warn!(%error, "files taken away were not removed");
        }
        let every = Duration::from_millis(chores::EVERY.unsigned_abs());
        let is_ending = tokio::select! {
            _ = tokio::time::sleep(every) => false,
            _ = stopping.changed() => true,
        };
        app.write_role_uses().await;
        if is_ending {
            return;
        }
    }
}

/// Looks whether recurring work is due, until the server stops.
async fn recur(app: App, mut stopping: watch::Receiver<bool>) {
    loop {
        begin_recurring(&app).await;
        tokio::select! {
            _ = tokio::time::sleep(RECUR) => {}
            _ = stopping.changed() => return,
        }
    }
}

/// Enqueues the recurring work that is due now; what fails is tried again a minute later.
pub async fn begin_recurring(app: &App) {
    for recurring in app.hooks.recurring {
        let (zone, now) = (app.zone.clone(), app.now());
        if let Err(error) = app.db.write(move |tx| recurring(tx, &zone, now)).await {
            tracing::warn!(%error, "recurring work could not be enqueued");
        }
    }
    app.jobs_waiting.notify_one();
}

/// On SQLite there is one server: whatever still runs in the table was left by its killed predecessor.
async fn release_after_crash(app: &App) -> Result<(), AppError> {
    if app.db.engine() == Engine::Sqlite {
        app.db
            .write::<_, AppError, _>(|tx| {
                Ok(tx.exec("UPDATE jobs SET lease_until = 0 WHERE state = 'running' AND worker <> ''", &[])?)
            })
            .await?;
    }
    Ok(())
}

async fn work(app: App, mut stopping: watch::Receiver<bool>, released: Arc<OnceCell<()>>) {
    if let Err(error) = released.get_or_try_init(|| release_after_crash(&app)).await {
        tracing::warn!(%error, "jobs of the last run wait until their leases are over");
    }
    let me = worker_name();
    while !*stopping.borrow() {
        let claimed = match has_due(&app).await {
            Ok(false) => Ok(None),
            Ok(true) => claim(&app, &me).await,
            Err(error) => Err(error),
        };
        match claimed {
            Ok(Some(job)) => {
                // Another one may wait for the other worker.
                app.jobs_waiting.notify_one();
                if let Err(error) = run(&app, job, &stopping).await {
                    tracing::warn!(%error, "the end of a job could not be written down; it runs again");
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "jobs could not be claimed"),
        }
        tokio::select! {
            () = app.jobs_waiting.notified() => {}
            _ = tokio::time::sleep(LOOK) => {}
            _ = stopping.changed() => {}
        }
    }
}

const DUE: &str = "(state = 'waiting' AND run_at <= $1) OR (state = 'running' AND lease_until < $1)";

async fn has_due(app: &App) -> Result<bool, AppError> {
    let now = app.now();
    app.db
        .read(move |conn| {
            let found: Option<i64> =
                conn.value(&format!("SELECT id FROM jobs WHERE {DUE} LIMIT 1"), &[now.into()])?;
            Ok(found.is_some())
        })
        .await
}

struct Claimed {
    id: JobId,
    kind: String,
    subject_id: i64,
    attempts: i64,
    worker: Arc<str>,
}

async fn claim(app: &App, me: &Arc<str>) -> Result<Option<Claimed>, AppError> {
    let (now, worker) = (app.now(), Arc::clone(me));
    app.db
        .write(move |tx| {
            let lock = if tx.engine() == Engine::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
            let sql = format!(
                "UPDATE jobs SET state = 'running', lease_until = $2, worker = $3, attempts = attempts + 1
                 WHERE id = (SELECT id FROM jobs WHERE {DUE} ORDER BY run_at, id LIMIT 1 {lock})
                 RETURNING id, kind, subject_id, attempts"
            );
            let found: Option<(JobId, String, i64, i64)> =
                tx.row(&sql, &[now.into(), (now + LEASE).into(), (&*worker).into()])?;
            Ok(found.map(|(id, kind, subject_id, attempts)| Claimed {
                id,
                kind,
                subject_id,
                attempts,
                worker: Arc::clone(&worker),
            }))
        })
        .await
}

/// Runs a claimed job and writes down how it ended.
async fn run(app: &App, job: Claimed, stopping: &watch::Receiver<bool>) -> Result<(), AppError> {
    let outcome = match app.hooks.jobs.iter().find(|k| k.name == job.kind) {
        Some(kind) if job.attempts <= TRIES => perform(app, &job, *kind, stopping).await,
        // Its server was killed again and again while it ran: it may be the reason.
        Some(_) => Err(AppError::Internal("the server ended while the job ran, every time".into())),
        None => Err(AppError::Internal(format!("no feature knows jobs of kind {}", job.kind))),
    };
    let now = app.now();
    let kind = app.hooks.jobs.iter().find(|k| k.name == job.kind).copied();
    if let Err(error) = &outcome {
        tracing::warn!(job = %job.id, kind = job.kind, tries = job.attempts, %error, "a job failed");
    }
    app.db
        .write(move |tx| {
            let mine = "WHERE id = $1 AND worker = $2 AND state = 'running'";
            let (id, worker) = (job.id.into(), (&*job.worker).into());
            match &outcome {
                Ok(Outcome::Done) => tx.exec(
                    &format!("UPDATE jobs SET state = 'done', finished_at = $3, last_error = '' {mine}"),
                    &[id, worker, now.into()],
                )?,
                Ok(Outcome::Interrupted) => tx.exec(
                    &format!(
                        "UPDATE jobs SET state = 'waiting', run_at = $3, attempts = attempts - 1, worker = '' {mine}"
                    ),
                    &[id, worker, now.into()],
                )?,
                Err(error) if job.attempts < TRIES && kind.is_some() && !error.is_final() => tx.exec(
                    &format!("UPDATE jobs SET state = 'waiting', run_at = $3, last_error = $4, worker = '' {mine}"),
                    &[id, worker, (now + pause(job.attempts)).into(), error.to_string().into()],
                )?,
                Err(error) => {
                    let reason = error.to_string();
                    let given_up = tx.exec(
                        &format!("UPDATE jobs SET state = 'dead', finished_at = $3, last_error = $4 {mine}"),
                        &[id, worker, now.into(), (&reason).into()],
                    )?;
                    if let Some(kind) = kind.filter(|_| given_up > 0) {
                        (kind.on_dead)(tx, job.subject_id, error, now)?;
                    }
                    given_up
                }
            };
            Ok(())
        })
        .await
}

/// Does the work on a task of its own, so that a panic ends only this try, and keeps the lease while it lasts.
async fn perform(
    app: &App,
    job: &Claimed,
    kind: Kind,
    stopping: &watch::Receiver<bool>,
) -> Result<Outcome, AppError> {
    let task = Task { job_id: job.id, subject_id: job.subject_id, stopping: stopping.clone() };
    let mut work = tokio::spawn((kind.run)(app.clone(), task));
    let beat = Duration::from_millis((LEASE / 3).unsigned_abs());
    loop {
        tokio::select! {
            ended = &mut work => {
                return ended.unwrap_or_else(|error| Err(AppError::Internal(format!("the job panicked: {error}"))));
            }
            () = tokio::time::sleep(beat) => {
                if let Err(error) = prolong(app, job).await {
                    tracing::debug!(%error, "a lease could not be prolonged");
                }
            }
        }
    }
}

async fn prolong(app: &App, job: &Claimed) -> Result<(), AppError> {
    let (id, worker, until) = (job.id, Arc::clone(&job.worker), app.now() + LEASE);
    app.db
        .write(move |tx| {
            tx.exec(
                "UPDATE jobs SET lease_until = $3 WHERE id = $1 AND worker = $2 AND state = 'running'",
                &[id.into(), (&*worker).into(), until.into()],
            )?;
            Ok(())
        })
        .await
}
