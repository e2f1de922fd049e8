//! Marking days, taking marks away, and saying that a year is entered in full; for administrators, as every deadline of
//! the company moves with it. Whoever commits forgets the calendar in memory afterwards (`App::forget_calendar`).

use jiff::civil::Date;
use serde_json::json;
use store::Tx;

use super::load;
use super::model::{FIRST, LAST, Line, Mark, Marked, lines};
use crate::access::{Actor, require_administrator};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::{events, text};

/// Marked days of a company at the most.
pub const MOST: i64 = 5_000;

/// Marks the days of lines, all or nothing, if the calendar is still as `version` counts it (`None` takes whatever it
/// is). Answers how many days were changed; changing none writes nothing.
pub fn mark(
    tx: &mut Tx<'_>,
    actor: &Actor,
    lines: &[Line],
    version: Option<i64>,
    now: Millis,
) -> Result<usize, AppError> {
    require_administrator(actor)?;
    require_version(tx, version)?;
    let wanted: Vec<(Date, Option<Mark>)> =
        lines.iter().flat_map(|line| line.days().map(|day| (day, Some(line.mark.clone())))).collect();
    write(tx, actor, &wanted, now)
}

/// Takes the marks of days away, as `mark` makes them.
pub fn unmark(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (first, last): (Date, Date),
    version: Option<i64>,
    now: Millis,
) -> Result<usize, AppError> {
    require_administrator(actor)?;
    require_version(tx, version)?;
    let known = load::between(tx, first, last)?;
    let wanted: Vec<(Date, Option<Mark>)> = known.into_keys().map(|day| (day, None)).collect();
    write(tx, actor, &wanted, now)
}

/// Marks one day whose version is still `version`.
pub fn put(
    tx: &mut Tx<'_>,
    actor: &Actor,
    day: Date,
    mark: &Mark,
    version: i64,
    now: Millis,
) -> Result<Marked, AppError> {
    require_administrator(actor)?;
    if load::day(tx, day)?.version != version {
        return Err(AppError::Stale);
    }
    write(tx, actor, &[(day, Some(mark.clone()))], now)?;
    Ok(load::day(tx, day)?)
}

/// Takes the mark of one day away, whose version is still `version`; one that has none is not found.
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, day: Date, version: i64, now: Millis) -> Result<(), AppError> {
    require_administrator(actor)?;
    let known = load::day(tx, day)?;
    if known.mark.is_none() {
        return Err(AppError::NotFound);
    }
    if known.version != version {
        return Err(AppError::Stale);
    }
    write(tx, actor, &[(day, None)], now).map(drop)
}

/// Says that the whole arrangement of a year is entered, or that it is not.
pub fn set_year(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: i16,
    is_entered: bool,
    version: Option<i64>,
    now: Millis,
) -> Result<(), AppError> {
    require_administrator(actor)?;
    require_version(tx, version)?;
    if !(FIRST.year()..=LAST.year()).contains(&year) {
        return Err(AppError::field("year", text!("请填写 2000 到 2100 之间的年份")));
    }
    let sql = "SELECT is_entered FROM calendar_years WHERE year = $1";
    let was: bool = tx.value(sql, &[i64::from(year).into()])?.unwrap_or_default();
    if was == is_entered {
        return Ok(());
    }
    tx.exec(
        "INSERT INTO calendar_years (year, is_entered, version, updated_at, updated_by) VALUES ($1, $2, 1, $3, $4)
         ON CONFLICT (year) DO UPDATE SET is_entered = $2, updated_at = $3, updated_by = $4,
           version = calendar_years.version + 1",
        &[i64::from(year).into(), is_entered.into(), now.into(), actor.person_id.into()],
    )?;
    let (before, after) =
        (json!({ "year": year, "is_entered": was }), json!({ "year": year, "is_entered": is_entered }));
    let number = i64::from(year);
    if is_entered {
        events::emit(tx, actor, now, "calendar.year_entered", "calendar", number, 0)?;
        let entry = Entry::of("calendar.year_entered", "calendar", number).change(&before, &after);
        audit::record(tx, actor, now, &entry)?;
    } else {
        events::emit(tx, actor, now, "calendar.year_reopened", "calendar", number, 0)?;
        let entry = Entry::of("calendar.year_reopened", "calendar", number).change(&before, &after);
        audit::record(tx, actor, now, &entry)?;
    }
    Ok(())
}

fn require_version(tx: &mut Tx<'_>, version: Option<i64>) -> Result<(), AppError> {
    match version {
        Some(version) if version != load::version(tx)? => Err(AppError::Stale),
        _ => Ok(()),
    }
}

/// Writes what differs from what is there, with one row of the log and one event.
fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    wanted: &[(Date, Option<Mark>)],
    now: Millis,
) -> Result<usize, AppError> {
    let days = || wanted.iter().map(|(day, _)| *day);
    let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(0) };
    let known = load::between(tx, first, last)?;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut changed = 0;
    for (day, mark) in wanted {
        let old = known.get(day);
        let was = old.and_then(|old| old.mark.as_ref());
        if was == mark.as_ref() {
            continue;
        }
        let (kind, name) = mark.as_ref().map_or(("", ""), |mark| (mark.kind.code(), mark.name.as_str()));
        let done = tx.exec(
            "INSERT INTO calendar_days (day, kind, name, version, updated_at, updated_by) VALUES ($1, $2, $3, 1, $4, $5)
             ON CONFLICT (day) DO UPDATE SET kind = $2, name = $3, updated_at = $4, updated_by = $5,
               version = calendar_days.version + 1 WHERE calendar_days.version = $6",
            &[
                day.to_string().into(),
                kind.into(),
                name.into(),
                now.into(),
                actor.person_id.into(),
                old.map_or(0, |old| old.version).into(),
            ],
        )?;
        if done == 0 {
            return Err(AppError::Stale);
        }
        changed += 1;
        before.extend(was.map(|was| (*day, was.clone())));
        after.extend(mark.as_ref().map(|mark| (*day, mark.clone())));
    }
    if changed == 0 {
        return Ok(0);
    }
    if tx.count("SELECT COUNT(*) FROM calendar_days WHERE kind <> ''", &[])? > MOST {
        return Err(AppError::Conflict(text!("最多标注 {} 天，请先取消不再需要的", MOST)));
    }
    before.sort_by_key(|(day, _)| *day);
    after.sort_by_key(|(day, _)| *day);
    let is_marked = !after.is_empty();
    let told = |days: &[(Date, Mark)]| {
        let lines: Vec<String> = lines(days).iter().map(ToString::to_string).collect();
        json!({ "days": lines })
    };
    let (before, after) = (told(&before), told(&after));
    let number = number_of(first);
    if is_marked {
        events::emit(tx, actor, now, "calendar.marked", "calendar", number, 0)?;
        let entry = Entry::of("calendar.marked", "calendar", number).change(&before, &after);
        audit::record(tx, actor, now, &entry)?;
    } else {
        events::emit(tx, actor, now, "calendar.unmarked", "calendar", number, 0)?;
        let entry = Entry::of("calendar.unmarked", "calendar", number).change(&before, &after);
        audit::record(tx, actor, now, &entry)?;
    }
    Ok(changed)
}

/// The number a day goes by in the log, where objects have numbers: 20270205. A year is its own.
fn number_of(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}
