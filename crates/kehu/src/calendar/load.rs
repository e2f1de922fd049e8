//! Reading marks. Everybody who is signed in may know which days the company works.

use std::collections::BTreeMap;

use jiff::civil::Date;
use store::Conn;

use super::model::{Kind, Mark, Marked, Marks};
use crate::clock::Millis;
use crate::ids::PersonId;

/// Everything the company says.
pub fn marks(conn: &mut Conn<'_>) -> store::Result<Marks> {
    let rows: Vec<(String, String, String)> =
        conn.rows("SELECT day, kind, name FROM calendar_days WHERE kind <> '' ORDER BY day", &[])?;
    let mark = |(day, kind, name): (String, String, String)| {
        Some((day.parse().ok()?, Mark { kind: Kind::named(&kind)?, name }))
    };
    let years: Vec<(i64,)> = conn.rows("SELECT year FROM calendar_years WHERE is_entered = TRUE", &[])?;
    Ok(Marks {
        days: rows.into_iter().filter_map(mark).collect(),
        years: years.into_iter().filter_map(|(year,)| i16::try_from(year).ok()).collect(),
    })
}

/// Every day from `first` to `last` that was ever marked.
pub fn between(conn: &mut Conn<'_>, first: Date, last: Date) -> store::Result<BTreeMap<Date, Marked>> {
    let rows: Vec<(String, String, String, i64, Millis, PersonId)> = conn.rows(
        "SELECT day, kind, name, version, updated_at, updated_by FROM calendar_days WHERE day >= $1 AND day <= $2",
        &[first.to_string().into(), last.to_string().into()],
    )?;
    let marked = |(day, kind, name, version, at, by): (String, String, String, i64, Millis, PersonId)| {
        let day: Date = day.parse().ok()?;
        let mark = Kind::named(&kind).map(|kind| Mark { kind, name });
        Some((day, Marked { day, mark, version, updated: Some((at, by)) }))
    };
    Ok(rows.into_iter().filter_map(marked).collect())
}

/// A day as the company has marked it.
pub fn day(conn: &mut Conn<'_>, day: Date) -> store::Result<Marked> {
    let known = between(conn, day, day)?.remove(&day);
    Ok(known.unwrap_or(Marked { day, mark: None, version: 0, updated: None }))
}

/// Counts the changes of all marks and years: what a form about many days is based on.
pub fn version(conn: &mut Conn<'_>) -> store::Result<i64> {
    let days = conn.count("SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM calendar_days", &[])?;
    let years = conn.count("SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM calendar_years", &[])?;
    Ok(days + years)
}
