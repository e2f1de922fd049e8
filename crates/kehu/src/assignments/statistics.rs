//! How tasks go, by process and by unit: given, done in time, done late, bounced. The counts are kept with every change
//! (`counters`), by month.

use std::collections::BTreeMap;

use store::{Conn, Tx};

use super::model::Assignment;
use crate::clock::{Millis, month_of};
use crate::counters::{self, Deltas, Whose};
use crate::error::AppError;
use crate::ids::{ProcessId, UnitId};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// Given, and given again.
    Given,
    /// Done before its time was over.
    InTime,
    /// Done too late.
    Late,
    /// Sent back.
    Bounced,
}

impl Figure {
    const ALL: [Self; 4] = [Self::Given, Self::InTime, Self::Late, Self::Bounced];

    fn name(self) -> &'static str {
        match self {
            Self::Given => "assignments.given",
            Self::InTime => "assignments.in_time",
            Self::Late => "assignments.late",
            Self::Bounced => "assignments.bounced",
        }
    }
}

/// Counts something that happened to a task at a time.
pub(super) fn note(
    tx: &mut Tx<'_>,
    task: &Assignment,
    figure: Figure,
    by: i64,
    at: Millis,
) -> Result<(), AppError> {
    let process = task.process_id.map_or_else(String::new, |p| p.to_string());
    let unit = Some(task.answers_unit_id).filter(|u| u.0 != 0);
    let mut deltas = Deltas::default();
    deltas.add(figure.name(), &format!("{}/{process}", month_of(at)), (None, unit), by);
    Ok(deltas.apply(tx)?)
}

/// The figures of a unit, a process, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Given, and given again.
    pub given: i64,
    /// Done before their time was over.
    pub in_time: i64,
    /// Done too late.
    pub late: i64,
    /// Sent back.
    pub bounced: i64,
}

impl Figures {
    fn add(&mut self, figure: Figure, n: i64) {
        match figure {
            Figure::Given => self.given += n,
            Figure::InTime => self.in_time += n,
            Figure::Late => self.late += n,
            Figure::Bounced => self.bounced += n,
        }
    }

    /// Of a hundred that were done, how many in time; `None` while none were.
    pub fn punctuality(self) -> Option<i64> {
        let done = self.in_time + self.late;
        (done > 0).then(|| self.in_time * 100 / done)
    }
}

/// How tasks go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// By unit.
    pub by_unit: BTreeMap<UnitId, Figures>,
    /// By process; `None` for tasks that name none.
    pub by_process: BTreeMap<Option<ProcessId>, Figures>,
    /// All of them.
    pub total: Figures,
}

/// The figures of the months from `first` (`2026-09`) to `last`, of these units or, without a choice, of everybody. Of
/// what was given to a post, only everybody's figures count what nobody has taken yet.
pub fn statistics(
    conn: &mut Conn<'_>,
    units: Option<&[UnitId]>,
    (first, last): (&str, &str),
) -> store::Result<Statistics> {
    let mut found = Statistics::default();
    let is_within = |month: &str| (first.is_empty() || month >= first) && (last.is_empty() || month <= last);
    for figure in Figure::ALL {
        let whose = match units {
            None => Whose::Everybody,
            Some(units) => Whose::Of { owners: Vec::new(), units: units.to_vec() },
        };
        for (key, n) in counters::by_key(conn, figure.name(), &whose)? {
            let (month, process) = key.split_once('/').unwrap_or((&key, ""));
            if is_within(month) {
                found.by_process.entry(process.parse().ok()).or_default().add(figure, n);
                found.total.add(figure, n);
            }
        }
        let rows: Vec<(UnitId, String, i64)> = conn.rows(
            "SELECT unit_id, key, CAST(SUM(n) AS BIGINT) FROM counters
             WHERE name = $1 AND owner_id = 0 AND unit_id <> 0 GROUP BY unit_id, key",
            &[figure.name().into()],
        )?;
        for (unit, key, n) in rows {
            let month = key.split('/').next().unwrap_or_default();
            if is_within(month) && units.is_none_or(|all| all.contains(&unit)) {
                found.by_unit.entry(unit).or_default().add(figure, n);
            }
        }
    }
    Ok(found)
}
