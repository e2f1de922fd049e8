//! The daily backup: when it is due, and how many are kept.

use store::{Conn, Tx};

use super::act::{Origin, begin, remove, remove_file};
use super::model::{Backup, COLUMNS};
use super::run::system;
use super::{AT, DAILY, KEEP};
use crate::app::App;
use crate::clock::{Millis, Zone};
use crate::error::AppError;

/// Enqueues the daily backup when it is due: for `jobs::Recurring`.
pub(super) fn recur(tx: &mut Tx<'_>, zone: &Zone, now: Millis) -> store::Result<()> {
    let Some(due) = due(tx, zone, now)? else { return Ok(()) };
    match begin(tx, &system(), Origin::Schedule(due), now) {
        Ok(_) => Ok(()),
        // One that is under way; the next look is in a minute.
        Err(AppError::Conflict(_)) => Ok(()),
        Err(error) => Err(store::Error::Sql(error.to_string())),
    }
}

/// The instant a backup is due for and has not been asked for; it may have passed while no server ran. Nothing is due
/// for a time before the company began, or before the schedule was changed.
pub(super) fn due(conn: &mut Conn<'_>, zone: &Zone, now: Millis) -> store::Result<Option<Millis>> {
    if !DAILY.flag(conn)? {
        return Ok(None);
    }
    let last = latest(zone, AT.time(conn)?, now);
    let begun: Option<Millis> = conn.value("SELECT created_at FROM company WHERE id = 1", &[])?;
    let changed: Option<Millis> = conn.value(
        "SELECT updated_at FROM settings WHERE name IN ($1, $2) ORDER BY updated_at DESC LIMIT 1",
        &[DAILY.name.into(), AT.name.into()],
    )?;
    let asked: Option<Millis> = conn.value(
        "SELECT scheduled_for FROM backups WHERE scheduled_for IS NOT NULL ORDER BY scheduled_for DESC LIMIT 1",
        &[],
    )?;
    let Some(begun) = begun else { return Ok(None) };
    let after = begun.max(changed.unwrap_or(0)).max(asked.unwrap_or(0));
    Ok((last > after).then_some(last))
}

/// The last time this time of day was, at `now` or before.
fn latest(zone: &Zone, time: jiff::civil::Time, now: Millis) -> Millis {
    let today = zone.date(now);
    let at = zone.at(today.to_datetime(time));
    if at <= now {
        return at;
    }
    let yesterday = today.yesterday().unwrap_or(today);
    zone.at(yesterday.to_datetime(time))
}

/// Takes away scheduled backups beyond those to be kept, oldest first, after a newer one was made and read back. What
/// people asked for stays until somebody deletes it.
pub(super) async fn prune(app: &App) -> Result<(), AppError> {
    let now = app.now();
    let gone = app
        .db
        .write(move |tx| {
            let keep = KEEP.whole(tx)?;
            let sql = format!(
                "SELECT {COLUMNS} FROM backups WHERE origin = 'schedule' AND state = 'done' AND deleted_at IS NULL
                 ORDER BY id DESC LIMIT 1000"
            );
            let all: Vec<Backup> = tx.rows(&sql, &[])?;
            // Damaged ones do not count: there shall be so many good ones.
            let mut good = 0;
            let mut gone = Vec::new();
            for backup in all {
                if good >= keep {
                    gone.push(remove(tx, &system(), backup.id, None, now)?);
                }
                good += i64::from(backup.is_good());
            }
            Ok::<_, AppError>(gone)
        })
        .await?;
    for backup in gone {
        remove_file(app, &backup).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_time_of_day_is_today_or_yesterday() {
        let zone = Zone::default();
        let at = |text: &str| zone.parse(text).unwrap();
        let time = jiff::civil::time(2, 30, 0, 0);
        for (now, latest_) in [
            ("2026-09-28 02:29", "2026-09-27 02:30"),
            ("2026-09-28 02:30", "2026-09-28 02:30"),
            ("2026-09-28 16:20", "2026-09-28 02:30"),
            ("2026-03-01 00:00", "2026-02-28 02:30"),
        ] {
            assert_eq!(latest(&zone, time, at(now)), at(latest_), "{now}");
        }
    }
}
