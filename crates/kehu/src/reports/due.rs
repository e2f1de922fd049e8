//! Reports that nobody has made in time: their makers are told once.

use store::Tx;

use super::model::{Made, Place};
use super::review::{people, tell};
use crate::app::App;
use crate::cases::Ground;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::jobs::{self, Kind, Outcome, Recurring, Task, Work};
use crate::policies;

const REMIND: &str = "reports.remind";
/// Looked for at most so often, in milliseconds.
const EVERY: Millis = 10 * 60_000;

/// What background work there is.
pub const JOBS: &[Kind] = &[Kind { name: REMIND, run: remind_job, on_dead: |_, _, _, _| Ok(()) }];

/// What recurs.
pub const RECURRING: &[Recurring] = &[recur];

fn recur(tx: &mut Tx<'_>, _: &Zone, now: Millis) -> store::Result<()> {
    let published =
        "SELECT COUNT(*) FROM (SELECT 1 FROM policy_versions WHERE state = 'published' LIMIT 1) some";
    if tx.count(published, &[])? == 0 {
        return Ok(());
    }
    let recent = tx.count(
        "SELECT COUNT(*) FROM jobs WHERE kind = $1 AND (state IN ('waiting', 'running') OR run_at > $2)",
        &[REMIND.into(), (now - EVERY).into()],
    )?;
    if recent == 0 {
        jobs::enqueue(tx, REMIND, 0, now)?;
    }
    Ok(())
}

fn remind_job(app: App, _: Task) -> Work {
    Box::pin(async move {
        remind(&app).await?;
        Ok(Outcome::Done)
    })
}

/// Tells the makers of every report whose time has passed that it was not made: for the job, commands and tests. Only of
/// periods that began after its regulation was in force.
pub async fn remind(app: &App) -> Result<(), AppError> {
    let ground = Ground::of(app).await?;
    app.db
        .write(move |tx| {
            for (_, policy) in policies::in_force(tx, ground.now)? {
                let since: Option<Millis> = tx.value(
                    "SELECT MIN(effective_at) FROM policy_versions WHERE policy = $1 AND state = 'published'",
                    &[(&policy.id).into()],
                )?;
                for report in &policy.reports {
                    let place = Place::find(tx, &ground, &policy.id, &report.id, None)?;
                    let Some((first, _)) = place.period.instants(&ground.calendar) else { continue };
                    let is_late = place.due(&ground).is_some_and(|due| ground.now > due);
                    if is_late && since.is_some_and(|since| since <= first) {
                        remind_of(tx, &ground, &place)?;
                    }
                }
            }
            Ok::<_, AppError>(())
        })
        .await
}

fn remind_of(tx: &mut Tx<'_>, ground: &Ground, place: &Place) -> Result<(), AppError> {
    if Made::of(tx, place, "")?.is_some() {
        return Ok(());
    }
    let first = place.period.first.to_string();
    let new = tx.exec(
        "INSERT INTO report_reminders (policy, report, first_day, told_at) VALUES ($1,$2,$3,$4)
         ON CONFLICT (policy, report, first_day) DO NOTHING",
        &[(&place.policy.id).into(), (&place.report().id).into(), (&first).into(), ground.now.into()],
    )?;
    if new == 1 {
        let makers = people(tx, ground, place, &place.report().made_by)?;
        let text = format!("《{}》{}还没有制表,已过期限", place.report().title, place.title());
        tell(tx, ground, place, &makers, "report_due", &text)?;
    }
    Ok(())
}
