//! The recurring work: periods begin, proofs are read, reminders and ends come. Safe to run twice.

use store::Tx;

use super::{close, evidence, open};
use crate::app::App;
use crate::cases::Ground;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::jobs::{self, Kind, Outcome, Recurring, Task, Work};

const KEEP: &str = "duties.keep";

/// What background work there is.
pub const JOBS: &[Kind] = &[Kind { name: KEEP, run: keep_job, on_dead: |_, _, _, _| Ok(()) }];

/// What recurs.
pub const RECURRING: &[Recurring] = &[recur];

/// Enqueues the work when a period may have begun, a round wakes or an event is unread, and none is under way.
fn recur(tx: &mut Tx<'_>, _: &Zone, now: Millis) -> store::Result<()> {
    let waiting = "SELECT COUNT(*) FROM (SELECT 1 FROM duty_rounds WHERE wakes_at <= $1 OR state = 'opening' LIMIT 1) due";
    let is_due =
        open::must_look(tx, now)? || tx.count(waiting, &[now.into()])? > 0 || evidence::is_behind(tx, now)?;
    if !is_due {
        return Ok(());
    }
    let under_way = tx.count(
        "SELECT COUNT(*) FROM jobs WHERE kind = $1 AND state IN ('waiting', 'running')",
        &[KEEP.into()],
    )?;
    if under_way == 0 {
        jobs::enqueue(tx, KEEP, 0, now)?;
    }
    Ok(())
}

fn keep_job(app: App, task: Task) -> Work {
    Box::pin(async move {
        let stopping = || task.is_stopping();
        Ok(if keep(&app, &stopping).await? { Outcome::Done } else { Outcome::Interrupted })
    })
}

/// Does all that is due now: for commands and tests.
pub async fn run_due(app: &App) -> Result<(), AppError> {
    keep(app, &|| false).await.map(drop)
}

/// In this order: a period is open before its proofs are read, and they are read before it ends. `false` when it was
/// told to stop between two transactions.
async fn keep(app: &App, is_stopping: &(impl Fn() -> bool + Sync)) -> Result<bool, AppError> {
    let ground = Ground::of(app).await?;
    let of = ground.clone();
    app.db.write(move |tx| open::look(tx, &of)).await?;
    for id in app.db.read(open::opening).await? {
        loop {
            if is_stopping() {
                return Ok(false);
            }
            let of = ground.clone();
            if !app.db.write(move |tx| open::open_batch(tx, &of, id)).await? {
                break;
            }
        }
    }
    loop {
        if is_stopping() {
            return Ok(false);
        }
        let of = ground.clone();
        if !app.db.write(move |tx| evidence::read_outbox(tx, &of)).await? {
            break;
        }
    }
    let now = ground.now;
    for id in app.db.read(move |conn| close::due(conn, now)).await? {
        loop {
            if is_stopping() {
                return Ok(false);
            }
            let of = ground.clone();
            if !app.db.write(move |tx| close::wake(tx, &of, id)).await? {
                break;
            }
        }
    }
    Ok(true)
}
