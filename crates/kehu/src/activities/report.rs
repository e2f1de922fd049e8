//! Counts by kind and the needs of a period: what the page of activities shows, and what somebody reports to his
//! superior about (DU-06, see `briefings`).

use store::Conn;

use super::list::{ListQuery, Listed, conditions, select};
use super::model::ActivityKind;
use crate::access::Actor;
use crate::error::AppError;

/// Needs a report lists at the most.
pub const MOST_NEEDS: i64 = 1_000;

/// Activities of a period that an actor may read.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many of each kind, in the order of kinds; kinds without any are left out.
    pub counts: Vec<(ActivityKind, i64)>,
    /// All of them.
    pub total: i64,
    /// Needs of the period, open ones first, oldest first.
    pub needs: Vec<Listed>,
    /// How many needs of the period are still open.
    pub open: i64,
}

/// Counts what `query` asks for; its kind, place and limit do not matter.
pub fn report(conn: &mut Conn<'_>, actor: &Actor, query: &ListQuery) -> Result<Report, AppError> {
    let of_all = ListQuery { kind: None, only_open: false, after: None, ..query.clone() };
    let all = conditions(conn, actor, &of_all)?;
    let rows: Vec<(String, i64)> = conn.rows(
        &format!(
            "SELECT a.kind, COUNT(*) FROM activities a JOIN customers c ON c.id = a.customer_id WHERE {} GROUP BY a.kind",
            all.sql()
        ),
        &all.params,
    )?;
    let counts: Vec<(ActivityKind, i64)> = ActivityKind::ALL
        .into_iter()
        .filter_map(|kind| rows.iter().find(|(code, _)| code == kind.code()).map(|(_, n)| (kind, *n)))
        .collect();
    let needs_query = ListQuery { kind: Some(ActivityKind::Need), ..of_all };
    let mut needs = conditions(conn, actor, &needs_query)?;
    let limit = needs.bind(MOST_NEEDS);
    let sql = format!(
        "{} WHERE {} ORDER BY CASE WHEN a.done_at IS NULL THEN 0 ELSE 1 END, a.happened_at, a.id LIMIT {limit}",
        select(),
        needs.sql()
    );
    let needs: Vec<Listed> = conn.rows(&sql, &needs.params)?;
    Ok(Report {
        total: counts.iter().map(|(_, n)| n).sum(),
        open: needs.iter().filter(|n| n.activity.is_open()).count() as i64,
        counts,
        needs,
    })
}
