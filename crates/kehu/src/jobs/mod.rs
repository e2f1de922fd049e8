//! Background jobs: rows of a table, enqueued in the transaction that wants the work, claimed with a lease, tried again
//! with growing pauses and given up after eight tries, or at once when another try cannot help. A job may run more than once (its server may be killed), so its
//! work must be able to go on where it stopped.

mod chores;
mod worker;

pub use worker::{Running, begin_recurring, run_all, start};

use std::future::Future;
use std::pin::Pin;

use store::{Conn, Tx};
use tokio::sync::watch;

use crate::app::App;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::JobId;

/// What an administrator may set.
pub const PARAMETERS: &[crate::settings::Parameter] = chores::PARAMETERS;

/// Work that recurs: called about once a minute on every server in a transaction of its own, it looks whether it is due
/// and enqueues its job. Several servers may call it at the same moment.
pub type Recurring = fn(&mut Tx<'_>, &Zone, Millis) -> store::Result<()>;

/// What a job does.
pub type Work = Pin<Box<dyn Future<Output = Result<Outcome, AppError>> + Send>>;

/// A kind of job; the features hand theirs to `App::new` with the hooks.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The name in the table: `import.run`.
    pub name: &'static str,
    /// Does the work for a subject. An error is tried again later, unless it is final (`AppError::is_final`): then the
    /// job is given up at once.
    pub run: fn(App, Task) -> Work,
    /// Notes at the subject that its job was given up, in the transaction that gives it up.
    pub on_dead: fn(&mut Tx<'_>, i64, &AppError, Millis) -> store::Result<()>,
}

/// How the work of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The server is stopping: go on at the next start. Does not count as a try.
    Interrupted,
}

/// What the work knows of its job.
#[derive(Clone, Debug)]
pub struct Task {
    /// The job.
    pub job_id: JobId,
    /// What it is about: the import, the file …
    pub subject_id: i64,
    stopping: watch::Receiver<bool>,
}

impl Task {
    /// Whether the server is stopping: long work ends at its next safe place with `Interrupted`.
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Until it is sent `true`, for threads that cannot await.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    /// A task that no worker runs and nobody stops: for commands that do the work themselves.
    pub fn alone(subject_id: i64) -> Self {
        let (_, stopping) = watch::channel(false);
        Self { job_id: JobId(0), subject_id, stopping }
    }
}

/// Puts a job into the queue, in the caller's transaction. Call `app.jobs_waiting.notify_one()` after the commit.
pub fn enqueue(tx: &mut Tx<'_>, kind: &'static str, subject_id: i64, now: Millis) -> store::Result<JobId> {
    enqueue_at(tx, kind, subject_id, now, now)
}

/// `enqueue` for work that must not begin before `at`.
pub fn enqueue_at(
    tx: &mut Tx<'_>,
    kind: &'static str,
    subject_id: i64,
    at: Millis,
    now: Millis,
) -> store::Result<JobId> {
    let id = JobId::new();
    tx.exec(
        "INSERT INTO jobs (id, kind, subject_id, state, run_at, created_at) VALUES ($1, $2, $3, 'waiting', $4, $5)",
        &[id.into(), kind.into(), subject_id.into(), at.into(), now.into()],
    )?;
    Ok(id)
}

/// Why the last try of the work on something failed that will be tried again; `None` when none has.
pub fn trouble(conn: &mut Conn<'_>, subject_id: i64) -> store::Result<Option<String>> {
    let last: Option<String> = conn.value(
        "SELECT last_error FROM jobs WHERE subject_id = $1 AND state = 'waiting' AND last_error <> ''
         ORDER BY id DESC LIMIT 1",
        &[subject_id.into()],
    )?;
    Ok(last.map(|text| text.chars().take(200).collect()))
}

/// Tries before a job is given up.
pub const TRIES: i64 = 8;

/// The pause after so many failed tries: 2 s, 8 s, 32 s … at most an hour.
fn pause(tries: i64) -> Millis {
    let doubled = u32::try_from(tries.clamp(1, 10) * 2 - 1).unwrap_or(1);
    2_i64.pow(doubled).saturating_mul(1_000).min(3_600_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_an_hour() {
        let pauses: Vec<i64> = (1..=TRIES).map(pause).collect();
        assert_eq!(pauses[..3], [2_000, 8_000, 32_000]);
        assert!(pauses.windows(2).all(|w| w[0] <= w[1]));
        assert_eq!(pause(0), 2_000);
        assert_eq!(pause(i64::MAX / 4), 3_600_000);
    }
}
