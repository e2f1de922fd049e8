//! Time passing: deadlines that come near or pass, approvals that time out, events nobody has read yet.

use policy::engine::Moment;
use store::Tx;

use super::act::{Place, finish, refuse_with};
use super::hear;
use super::load::hold_for_timer;
use super::world::{Ground, with_world};
use crate::app::App;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::CaseId;
use crate::jobs::{self, Kind, Outcome, Recurring, Task, Work};

const TICK: &str = "cases.tick";
/// Cases woken at once.
const BATCH: i64 = 100;

/// What background work there is.
pub const JOBS: &[Kind] = &[Kind { name: TICK, run: tick_job, on_dead: |_, _, _, _| Ok(()) }];

/// What recurs.
pub const RECURRING: &[Recurring] = &[recur];

/// Enqueues the work when a case is due to wake or an event is unread, and none is under way.
fn recur(tx: &mut Tx<'_>, _: &Zone, now: Millis) -> store::Result<()> {
    let due = tx.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM cases WHERE wakes_at <= $1 LIMIT 1) due",
        &[now.into()],
    )?;
    if due == 0 && !hear::is_behind(tx)? {
        return Ok(());
    }
    let under_way = tx.count(
        "SELECT COUNT(*) FROM jobs WHERE kind = $1 AND state IN ('waiting', 'running')",
        &[TICK.into()],
    )?;
    if under_way == 0 {
        jobs::enqueue(tx, TICK, 0, now)?;
    }
    Ok(())
}

fn tick_job(app: App, task: Task) -> Work {
    Box::pin(async move {
        loop {
            if task.is_stopping() {
                return Ok(Outcome::Interrupted);
            }
            if !run_once(&app).await? {
                return Ok(Outcome::Done);
            }
        }
    })
}

/// Does all that is due now: for commands and tests. Timers fire in the order of their times.
pub async fn run_due(app: &App) -> Result<(), AppError> {
    while run_once(app).await? {}
    Ok(())
}

/// A batch of events and of cases; says whether there may be more.
async fn run_once(app: &App) -> Result<bool, AppError> {
    let ground = Ground::of(app).await?;
    let of = ground.clone();
    let more = app.db.write(move |tx| hear::read_outbox(tx, &of)).await?;
    let now = ground.now;
    let due: Result<Vec<(CaseId,)>, store::Error> = app
        .db
        .read(move |conn| {
            conn.rows(
                "SELECT id FROM cases WHERE wakes_at <= $1 ORDER BY wakes_at, id LIMIT $2",
                &[now.into(), BATCH.into()],
            )
        })
        .await;
    let due = due?;
    let count = due.len() as i64;
    for (id,) in due {
        let ground = ground.clone();
        app.db.write(move |tx| wake(tx, &ground, id)).await?;
    }
    Ok(more || count == BATCH)
}

/// Tells a case what time it is. It may have been woken by another server meanwhile; then nothing is left to do.
fn wake(tx: &mut Tx<'_>, ground: &Ground, id: CaseId) -> Result<(), AppError> {
    let Some(loaded) = hold_for_timer(tx, id)? else { return Ok(()) };
    let (outcome, wakes_at) = with_world(tx, ground, &loaded.policy.id, |world| {
        let moment = Moment { now: ground.now, actor: None, world };
        let outcome = loaded.policy.tick(&loaded.state, moment);
        let wakes_at = outcome.as_ref().ok().and_then(|outcome| loaded.policy.wakes_at(&outcome.case, world));
        (outcome, wakes_at)
    })?;
    let outcome = outcome.map_err(|refused| refuse_with(ground, &loaded.policy, refused))?;
    if outcome.effects.is_empty() && outcome.case == loaded.state {
        tx.exec("UPDATE cases SET wakes_at = $2 WHERE id = $1", &[id.into(), wakes_at.into()])?;
        return Ok(());
    }
    let place = Place {
        policy: &loaded.policy,
        version_id: loaded.case.version_id,
        form: &loaded.form,
        parent: loaded.case.parent_id,
        id,
    };
    finish(tx, None, ground, &place, Some(&loaded.state), &outcome, false, 0)
}
