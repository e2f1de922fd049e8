//! Time passing: deadlines that come near or pass, approvals that time out, events nobody has read yet.

use policy::engine::{Effect, Moment};
use store::Tx;

use super::act::{Place, finish};
use super::hear;
use super::load::{Loaded, hold_for_timer};
use super::refuse::refuse_with;
use super::world::{Ground, with_world};
use crate::app::App;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::CaseId;
use crate::jobs::{self, Kind, Outcome, Recurring, Task, Work};

const TICK: &str = "cases.tick";
/// Cases woken at once.
const BATCH: i64 = 100;
/// How long a timer waits that did nothing and would come again at once.
const AGAIN: Millis = 60_000;
/// Most timers of one case that fire in one transaction.
const MOST_AT_ONCE: usize = 200;

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

/// A batch of events and of cases; says whether there may be more. A case that cannot be woken does not keep the others
/// asleep: its error comes when they are done.
async fn run_once(app: &App) -> Result<bool, AppError> {
    let ground = Ground::of(app).await?;
    let of = ground.clone();
    let more = app.db.write(move |tx| hear::read_outbox(tx, &of)).await?;
    let now = ground.now;
    let (mut after, mut failed, mut any) = ((Millis::MIN, CaseId(0)), None, false);
    loop {
        let (at, id) = after;
        let due: Vec<(Millis, CaseId)> = app
            .db
            .read(move |conn| {
                conn.rows::<(Millis, CaseId)>(
                    "SELECT wakes_at, id FROM cases WHERE wakes_at <= $1 AND (wakes_at > $2 OR (wakes_at = $2 AND id > $3))
                     ORDER BY wakes_at, id LIMIT $4",
                    &[now.into(), at.into(), id.into(), BATCH.into()],
                )
            })
            .await
            .map_err(|error: store::Error| error)?;
        let Some(last) = due.last() else { break };
        after = *last;
        for (_, id) in due {
            let ground = ground.clone();
            match app.db.write(move |tx| catch_up(tx, &ground, id)).await {
                Ok(caught) => any |= caught != Caught::Already,
                Err(error) => {
                    tracing::warn!(case = %id, %error, "a case could not be woken");
                    failed.get_or_insert(error);
                }
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        // What was woken may have opened cases that are due already.
        None => Ok(more || any),
    }
}

/// Where a case stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    /// Nothing was due.
    Already,
    /// What was due has been done.
    Up,
    /// More is due than one transaction does.
    Behind,
}

/// Does to a case what is due by now, each timer at its own time, in order: it may have been woken by another server
/// meanwhile, then nothing is left to do. The same whoever calls it first, the job or a person who acts.
pub(super) fn catch_up(tx: &mut Tx<'_>, ground: &Ground, id: CaseId) -> Result<Caught, AppError> {
    let mut caught = Caught::Already;
    for _ in 0..MOST_AT_ONCE {
        let lock = tx.for_change();
        let wakes_at: Option<Option<Millis>> =
            tx.value(&format!("SELECT wakes_at FROM cases WHERE id = $1 {lock}"), &[id.into()])?;
        let Some(at) = wakes_at.flatten().filter(|at| *at <= ground.now) else { return Ok(caught) };
        let Some(loaded) = hold_for_timer(tx, id)? else { return Ok(caught) };
        fire(tx, ground, &loaded, at)?;
        caught = Caught::Up;
    }
    Ok(Caught::Behind)
}

/// Tells a case that the time has come. A timer that would come again at once waits a minute.
fn fire(tx: &mut Tx<'_>, ground: &Ground, loaded: &Loaded, at: Millis) -> Result<(), AppError> {
    let then = ground.timer(at);
    let id = loaded.case.id;
    let (outcome, wakes_at) = with_world(tx, &then, &loaded.policy.id, |world| {
        let outcome = loaded.policy.tick(&loaded.state, Moment { now: at, actor: None, world });
        let wakes_at = outcome.as_ref().ok().and_then(|outcome| loaded.policy.wakes_at(&outcome.case, world));
        (outcome, wakes_at)
    })?;
    let mut outcome = outcome.map_err(|refused| refuse_with(ground, &loaded.policy, refused))?;
    if outcome.effects.is_empty() && outcome.case == loaded.state {
        let next = wakes_at.map(|next| if next <= at { ground.noted_at + AGAIN } else { next });
        tx.exec("UPDATE cases SET wakes_at = $2 WHERE id = $1", &[id.into(), next.into()])?;
        return Ok(());
    }
    // Nobody is warned of what has passed meanwhile: the breach follows.
    let clocks = outcome.case.clocks.clone();
    outcome.effects.retain(|effect| match effect {
        Effect::Warned { deadline, .. } => clocks.get(deadline).is_none_or(|clock| clock.due >= ground.now),
        _ => true,
    });
    let place = Place {
        policy: &loaded.policy,
        version_id: loaded.case.version_id,
        form: &loaded.form,
        parent: loaded.case.parent_id,
        id,
    };
    finish(tx, None, &then, &place, Some(&loaded.state), &outcome, None, 0)
}
