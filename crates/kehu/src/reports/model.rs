//! What a report holds.

use std::sync::Arc;

use policy::Policy;
use policy::model::Report;
use policy::periods::Period;
use serde::{Deserialize, Serialize};
use store::{Conn, FromRow, Row as DbRow};

use crate::cases::Ground;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, PolicyVersionId, ReportId};
use crate::policies;

/// A report of a regulation in force, and the period it is about.
#[derive(Clone, Debug)]
pub struct Place {
    /// The version in force.
    pub version_id: PolicyVersionId,
    /// The regulation.
    pub policy: Arc<Policy>,
    /// Where the report stands among the regulation's.
    pub number: usize,
    /// The days it is about.
    pub period: Period,
}

impl Place {
    /// The report of this name, of the period that a day (`YYYY-MM-DD`) lies in; of the one before today's when no day is
    /// named.
    pub fn find(
        conn: &mut Conn<'_>,
        ground: &Ground,
        policy: &str,
        report: &str,
        day: Option<&str>,
    ) -> Result<Self, AppError> {
        let found = policies::in_force(conn, ground.now)?.into_iter().find(|(_, known)| known.id == policy);
        let (version_id, policy) = found.ok_or(AppError::NotFound)?;
        let number = policy.reports.iter().position(|known| known.id == report).ok_or(AppError::NotFound)?;
        let every = policy.reports[number].every;
        let today: jiff::civil::Date = ground.day.parse().map_err(|_| AppError::NotFound)?;
        let period = match day {
            None => Period::of(every, today).before(every),
            Some(day) => {
                let day = day.parse::<jiff::civil::Date>().ok();
                let day = day.filter(|day| (2000..=2100).contains(&day.year())).ok_or(AppError::NotFound)?;
                Period::of(every, day)
            }
        };
        Ok(Self { version_id, policy, number, period })
    }

    /// The report.
    pub fn report(&self) -> &Report {
        &self.policy.reports[self.number]
    }

    /// When it has to be made.
    pub fn due(&self, ground: &Ground) -> Option<Millis> {
        self.period.due(self.report().due, &ground.calendar)
    }

    /// Whether it may be made now: after its period; one that is due by the end of its period from the last day on.
    pub fn may_be_made(&self, ground: &Ground) -> bool {
        let Some((_, end)) = self.period.instants(&ground.calendar) else { return false };
        let is_due_within = self.due(ground).is_some_and(|due| due <= end);
        ground.now > end || (is_due_within && ground.day >= self.period.last.to_string())
    }

    /// The period in words: 2026年9月.
    pub fn title(&self) -> String {
        self.period.in_chinese(self.report().every)
    }
}

/// What was counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sheet {
    /// The figures.
    pub figures: Vec<Figure>,
    /// The list of cases.
    pub register: Option<Register>,
}

/// A figure of a period.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What it is called.
    pub title: String,
    /// Its clause.
    pub clause: String,
    /// The whole.
    pub all: String,
    /// What was counted for it: 9 / 10.
    pub of: String,
    /// The goal in words; empty without one.
    pub goal: String,
    /// Whether the goal was reached; nothing to say without a goal or cases.
    pub is_reached: Option<bool>,
    /// What it is broken down by.
    pub by: Vec<String>,
    /// The parts.
    pub groups: Vec<Group>,
}

/// A part of a figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// What it is the part of: a unit, a person.
    pub labels: Vec<String>,
    /// Its figure.
    pub value: String,
    /// What was counted for it.
    pub of: String,
}

/// A list of cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Register {
    /// What stands above the columns.
    pub columns: Vec<String>,
    /// The cases in the order of their times.
    pub rows: Vec<Row>,
    /// Totals of columns; empty cells elsewhere.
    pub totals: Vec<String>,
    /// Whether there were more than are listed.
    pub is_cut: bool,
}

/// A case in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The case.
    pub case: String,
    /// Its cells.
    pub cells: Vec<String>,
}

/// What a reviewer said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: Millis,
    /// What he said.
    pub comment: String,
}

/// A report that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its id.
    pub id: ReportId,
    /// The version it was made under.
    pub version_id: PolicyVersionId,
    /// Whether the last reviewer has agreed; without reviewers from the beginning.
    pub is_locked: bool,
    /// What was counted.
    pub sheet: Sheet,
    /// Who agreed so far, in order.
    pub steps: Vec<Step>,
    /// Who made it.
    pub made_by: PersonId,
    /// When.
    pub made_at: Millis,
    /// Counts what happened to it.
    pub row_version: i64,
    /// Why a reviewer sent it back; empty unless it waits to be made anew.
    pub returned: String,
}

impl FromRow for Made {
    fn from_row(row: &DbRow<'_>) -> store::Result<Self> {
        let state: String = row.get(2)?;
        Ok(Self {
            id: row.get(0)?,
            version_id: row.get(1)?,
            is_locked: state == "locked",
            sheet: serde_json::from_str(&row.get::<String>(3)?).unwrap_or_default(),
            steps: serde_json::from_str(&row.get::<String>(4)?).unwrap_or_default(),
            made_by: row.get(5)?,
            made_at: row.get(6)?,
            row_version: row.get(7)?,
            returned: row.get(8)?,
        })
    }
}

impl Made {
    /// The report of a place, if it was made; `lock` holds its row.
    pub(super) fn of(conn: &mut Conn<'_>, place: &Place, lock: &str) -> store::Result<Option<Self>> {
        let sql = format!(
            "SELECT id, version_id, state, body, steps, made_by, made_at, row_version, returned FROM reports
             WHERE policy = $1 AND report = $2 AND first_day = $3 {lock}"
        );
        let first = place.period.first.to_string();
        conn.row(&sql, &[(&place.policy.id).into(), (&place.report().id).into(), (&first).into()])
    }
}
