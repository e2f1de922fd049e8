//! How well a regulation is kept, clause by clause: deadlines met and missed, what was refused, who was exempted, what
//! was fined. Only what hangs on cases the reader may read is counted.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use store::{Conn, FromRow, Row};

use super::registers::{exemptions_sql, refusals_sql};
use crate::access::{Actor, Directory, require_unbarred};
use crate::cases::{Ground, readable_sql, subject_sql};
use crate::clock::{Millis, Zone};
use crate::duties;
use crate::error::AppError;
use crate::ids::{CaseId, UnitId};

/// Most rows behind a number that are listed.
pub const MOST_ROWS: usize = 500;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// This month.
    Month,
    /// The month before.
    LastMonth,
    /// This quarter.
    Quarter,
    /// This year.
    Year,
}

impl Period {
    /// All of them, as they are offered.
    pub const ALL: [Self; 4] = [Self::Month, Self::LastMonth, Self::Quarter, Self::Year];

    /// In addresses.
    pub fn code(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::LastMonth => "last-month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// In a word (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Month => "本月",
            Self::LastMonth => "上月",
            Self::Quarter => "本季度",
            Self::Year => "本年",
        }
    }

    /// The period of this code; this month when there is none.
    pub fn named(code: &str) -> Self {
        Self::ALL.into_iter().find(|period| period.code() == code).unwrap_or(Self::Month)
    }

    /// First day, and the first day after it.
    pub fn days(self, today: Date) -> (Date, Date) {
        let month = today.first_of_month();
        let (first, months) = match self {
            Self::Month => (month, 1),
            Self::LastMonth => (month.saturating_sub(1.month()), 1),
            Self::Quarter => (month.saturating_sub(i64::from((today.month() - 1) % 3).months()), 3),
            Self::Year => (today.first_of_year(), 12),
        };
        (first, first.saturating_add(months.months()))
    }

    /// `days` as instants, the second not in it.
    pub fn bounds(self, today: Date, zone: &Zone) -> (Millis, Millis) {
        let (first, after) = self.days(today);
        (zone.day(first).0, zone.day(after).0)
    }
}

/// The figures of a clause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Deadlines kept.
    pub met: i64,
    /// Deadlines missed, or met too late.
    pub breached: i64,
    /// Deadlines that still run.
    pub running: i64,
    /// Acts refused.
    pub refusals: i64,
    /// Exemptions given.
    pub exemptions: i64,
    /// Penalties that were not cancelled.
    pub penalties: i64,
    /// Duties of periods done in time.
    pub duties_done: i64,
    /// Duties missed, or done late.
    pub duties_missed: i64,
    /// Duties still to be done.
    pub duties_open: i64,
}

impl Figures {
    /// All deadlines.
    pub fn deadlines(&self) -> i64 {
        self.met + self.breached + self.running
    }

    /// All duties.
    pub fn duties(&self) -> i64 {
        self.duties_done + self.duties_missed + self.duties_open
    }

    /// The share kept of those that have been decided, in whole per cent; `None` before one has.
    pub fn punctuality(&self) -> Option<i64> {
        let decided = self.met + self.breached;
        (decided > 0).then(|| self.met * 100 / decided)
    }

    fn add(&mut self, kind: &str, n: i64) {
        match kind {
            "met" => self.met += n,
            "breached" => self.breached += n,
            "running" => self.running += n,
            "refusal" => self.refusals += n,
            "exemption" => self.exemptions += n,
            "duty_done" => self.duties_done += n,
            "duty_missed" => self.duties_missed += n,
            "duty_open" => self.duties_open += n,
            _ => self.penalties += n,
        }
    }
}

/// Whether an actor may look at compliance at all: administrators and heads of units.
pub fn may_see(actor: &Actor, directory: &Directory) -> bool {
    actor.is_administrator() || directory.units().any(|unit| unit.head_id == Some(actor.person_id))
}

/// The units a person leads, with everything below them, as a list for `one_of`.
pub(super) fn led_units(actor: &Actor, ground: &Ground) -> String {
    let led = ground.directory.units().filter(|unit| unit.head_id == Some(actor.person_id));
    let mut units: Vec<UnitId> = led.flat_map(|unit| ground.directory.tree(unit.id)).collect();
    units.sort_unstable();
    units.dedup();
    units.iter().map(|unit| unit.0.to_string()).collect::<Vec<_>>().join(",")
}

/// The condition that a column of clauses, cited one beside the other (`第十一条, 第十七条`), has the one of `$4`.
pub(super) fn cites(column: &str) -> String {
    format!("',' || REPLACE(REPLACE(REPLACE({column}, ' ', ''), '，', ','), '、', ',') || ',' LIKE $4")
}

/// What `cites` looks for; any clause when it is empty.
pub(super) fn citing(clause: &str) -> String {
    let clause: String = clause.chars().filter(|c| !matches!(c, '%' | '_' | '\\' | ' ')).collect();
    if clause.is_empty() { "%".to_owned() } else { format!("%,{clause},%") }
}

/// The figures of a policy by clause, all of its versions together. What cites several clauses counts for each.
pub fn figures(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &str,
    (from, to): (Millis, Millis),
) -> store::Result<BTreeMap<String, Figures>> {
    let readable = readable_sql(actor, ground);
    let refusals = refusals_sql(actor, ground);
    let subject = exemptions_sql(actor, ground);
    let statements = [
        // Met too late is missed.
        format!(
            "SELECT d.clause, CASE WHEN d.standing = 'met' AND d.met_at > d.due_at THEN 'breached' ELSE d.standing END,
               COUNT(*) FROM case_deadlines d JOIN cases k ON k.id = d.case_id
             WHERE d.policy = $1 AND d.due_at >= $2 AND d.due_at < $3 AND {readable}
             GROUP BY d.clause, CASE WHEN d.standing = 'met' AND d.met_at > d.due_at THEN 'breached' ELSE d.standing END"
        ),
        format!(
            "SELECT r.clause, 'refusal', COUNT(*) FROM refusals r
             WHERE r.policy = $1 AND r.at >= $2 AND r.at < $3 AND {refusals} GROUP BY r.clause"
        ),
        format!(
            "SELECT e.clause, 'exemption', COUNT(*) FROM exemptions e
             WHERE e.policy = $1 AND e.given_at >= $2 AND e.given_at < $3 AND {subject} GROUP BY e.clause"
        ),
        format!(
            "SELECT p.clause, 'penalty', COUNT(*) FROM penalties p JOIN cases k ON k.id = p.case_id
             WHERE p.policy = $1 AND p.at >= $2 AND p.at < $3 AND p.state <> 'cancelled' AND {readable}
             GROUP BY p.clause"
        ),
    ];
    let mut all: BTreeMap<String, Figures> = BTreeMap::new();
    let mut found: Vec<(String, String, i64)> = Vec::new();
    for sql in statements {
        found.extend(conn.rows::<(String, String, i64)>(&sql, &[policy.into(), from.into(), to.into()])?);
    }
    for (clauses, (done, missed, open)) in duties::counts(conn, actor, ground, policy, (from, to))? {
        let kinds = [("duty_done", done), ("duty_missed", missed), ("duty_open", open)];
        found.extend(kinds.map(|(kind, n)| (clauses.clone(), kind.to_owned(), n)));
    }
    for (clauses, kind, n) in found {
        let clauses = clauses.split([',', '，', '、']).map(str::trim).filter(|clause| !clause.is_empty());
        for clause in clauses {
            all.entry(clause.to_owned()).or_default().add(&kind, n);
        }
    }
    Ok(all)
}

/// What stands behind a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Deadlines: all, or those of a standing.
    Deadlines(Option<&'static str>),
    /// Penalties.
    Penalties,
}

/// A case behind a number.
#[derive(Clone, Debug)]
pub struct BehindRow {
    /// The case.
    pub case_id: CaseId,
    /// Its number.
    pub number: String,
    /// What it is called.
    pub subject: String,
    /// The step it is at, or how it ended.
    pub step: String,
    /// The deadline or the penalty.
    pub title: String,
    /// When it was due, or when the penalty came.
    pub at: Millis,
    /// When it was met.
    pub met_at: Option<Millis>,
    /// `met`, `breached`, `running`; of a penalty its state, `appealed` while an appeal is open.
    pub standing: String,
}

impl FromRow for BehindRow {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            case_id: row.get(0)?,
            number: row.get(1)?,
            subject: row.get(2)?,
            step: row.get(3)?,
            title: row.get(4)?,
            at: row.get(5)?,
            met_at: row.get(6)?,
            standing: row.get(7)?,
        })
    }
}

/// The cases behind a number that the actor may read, the earliest first, at most `MOST_ROWS`. They tell of customers:
/// whoever may not handle customer information is refused.
pub fn behind(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    (policy, clause): (&str, &str),
    (from, to): (Millis, Millis),
    what: Behind,
) -> Result<Vec<BehindRow>, AppError> {
    require_unbarred(actor)?;
    let readable = readable_sql(actor, ground);
    let subject = subject_sql(actor);
    let step = "CASE WHEN k.is_open THEN k.step_title ELSE k.outcome END";
    let sql = match what {
        Behind::Deadlines(standing) => {
            let is_late = "d.standing = 'breached' OR (d.standing = 'met' AND d.met_at > d.due_at)";
            let of = match standing {
                Some("breached") => format!("AND ({is_late})"),
                Some("met") => "AND d.standing = 'met' AND d.met_at <= d.due_at".to_owned(),
                Some(_) => "AND d.standing = 'running'".to_owned(),
                None => String::new(),
            };
            format!(
                "SELECT k.id, k.number, {subject}, {step}, d.title, d.due_at, d.met_at,
                   CASE WHEN {is_late} THEN 'breached' ELSE d.standing END
                 FROM case_deadlines d JOIN cases k ON k.id = d.case_id
                 WHERE d.policy = $1 AND d.due_at >= $2 AND d.due_at < $3 AND {} {of} AND {readable}
                 ORDER BY d.due_at, k.id LIMIT {MOST_ROWS}",
                cites("d.clause")
            )
        }
        Behind::Penalties => format!(
            "SELECT k.id, k.number, {subject}, {step}, p.title, p.at, CAST(NULL AS BIGINT),
               CASE WHEN p.appealed_at IS NOT NULL AND p.appeal_decided_at IS NULL THEN 'appealed' ELSE p.state END
             FROM penalties p JOIN cases k ON k.id = p.case_id
             WHERE p.policy = $1 AND p.at >= $2 AND p.at < $3 AND p.state <> 'cancelled' AND {} AND {readable}
             ORDER BY p.at, k.id LIMIT {MOST_ROWS}",
            cites("p.clause")
        ),
    };
    Ok(conn.rows(&sql, &[policy.into(), from.into(), to.into(), (&citing(clause)).into()])?)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn periods_are_whole_months_of_the_calendar() {
        let today = date(2026, 9, 28);
        for (period, first, after) in [
            (Period::Month, date(2026, 9, 1), date(2026, 10, 1)),
            (Period::LastMonth, date(2026, 8, 1), date(2026, 9, 1)),
            (Period::Quarter, date(2026, 7, 1), date(2026, 10, 1)),
            (Period::Year, date(2026, 1, 1), date(2027, 1, 1)),
        ] {
            assert_eq!(period.days(today), (first, after), "{period:?}");
            assert_eq!(Period::named(period.code()), period);
        }
        assert_eq!(Period::LastMonth.days(date(2026, 1, 31)).0, date(2025, 12, 1));
        assert_eq!(Period::Quarter.days(date(2026, 12, 31)).0, date(2026, 10, 1));
    }
}
