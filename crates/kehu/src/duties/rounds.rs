//! Periods of duties and the share of them that was done, against the target.

use std::collections::BTreeMap;

use store::{Conn, FromRow, Row};

use super::list::visible_sql;
use crate::access::Actor;
use crate::cases::Ground;
use crate::clock::Millis;
use crate::ids::{PolicyVersionId, RoundId};

/// A period of a duty, with what the reader sees of it.
#[derive(Clone, Debug)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// The policy's short name.
    pub policy: String,
    /// The version it was opened under.
    pub version_id: PolicyVersionId,
    /// The duty's name.
    pub duty: String,
    /// What people read.
    pub title: String,
    /// The clause.
    pub clause: String,
    /// The period, as people write it.
    pub period: String,
    /// The last instant in time.
    pub due_at: Millis,
    /// The share to reach.
    pub target: Option<f64>,
    /// Whether its time has passed.
    pub is_closed: bool,
    /// How many owe it.
    pub total: i64,
    /// Who did it in time.
    pub done: i64,
    /// Who did it late.
    pub late: i64,
    /// Who has not done it though it was due.
    pub missed: i64,
}

impl Round {
    /// The share done in time, in whole per cent, rounded down; `None` when nobody owed it.
    pub fn share(&self) -> Option<i64> {
        (self.total > 0).then(|| self.done * 100 / self.total)
    }

    /// Whether the target is reached; `None` where there is none.
    pub fn reaches(&self) -> Option<bool> {
        let target = self.target?;
        (self.total > 0).then_some(self.done as f64 >= target * self.total as f64 - 1e-9)
    }
}

impl FromRow for Round {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            policy: row.get(1)?,
            version_id: row.get(2)?,
            duty: row.get(3)?,
            title: row.get(4)?,
            clause: row.get(5)?,
            period: row.get(6)?,
            due_at: row.get(7)?,
            target: row.get(8)?,
            is_closed: row.get::<String>(9)? == "closed",
            total: row.get(10)?,
            done: row.get(11)?,
            late: row.get(12)?,
            missed: row.get(13)?,
        })
    }
}

/// The latest rounds, at most `limit`, of a policy and a duty where they are named. Administrators see the kept counts;
/// others count what they may read, and see no round in which that is nothing.
pub fn rounds(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    (policy, duty): (&str, &str),
    limit: usize,
) -> store::Result<Vec<Round>> {
    let head = "r.id, r.policy, r.version_id, r.duty, r.title, r.clause, r.period_title, r.due_at, r.target, r.state";
    let which = "($1 = '' OR r.policy = $1) AND ($2 = '' OR r.duty = $2) ORDER BY r.due_at DESC, r.id DESC";
    let sql = if actor.is_administrator() {
        format!(
            "SELECT {head}, r.total, r.done, r.late, r.missed FROM duty_rounds r WHERE {which} LIMIT {limit}"
        )
    } else {
        let of = |standing: &str| {
            format!("COALESCE(SUM(CASE WHEN d.standing = '{standing}' THEN 1 ELSE 0 END), 0)")
        };
        format!(
            "SELECT {head}, COUNT(*), {}, {}, {} FROM duties d JOIN
               (SELECT * FROM duty_rounds r WHERE {which} LIMIT {limit}) r ON r.id = d.round_id
             WHERE {} GROUP BY {head} ORDER BY r.due_at DESC, r.id DESC",
            of("done"),
            of("late"),
            of("missed"),
            visible_sql(actor, ground)
        )
    };
    conn.rows(&sql, &[policy.into(), duty.into()])
}

/// What compliance counts of a policy's duties that fall due in a time: done in time, missed or late, and still open, by
/// the clauses as they are cited.
pub fn counts(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &str,
    (from, to): (Millis, Millis),
) -> store::Result<BTreeMap<String, (i64, i64, i64)>> {
    let sql = if actor.is_administrator() {
        "SELECT r.clause, CAST(SUM(r.done) AS BIGINT), CAST(SUM(r.late + r.missed) AS BIGINT),
           CAST(SUM(r.total - r.done - r.late - r.missed) AS BIGINT)
         FROM duty_rounds r WHERE r.policy = $1 AND r.due_at >= $2 AND r.due_at < $3 GROUP BY r.clause"
            .to_owned()
    } else {
        format!(
            "SELECT r.clause, COALESCE(SUM(CASE WHEN d.standing = 'done' THEN 1 ELSE 0 END), 0),
               COALESCE(SUM(CASE WHEN d.standing IN ('late', 'missed') THEN 1 ELSE 0 END), 0),
               COALESCE(SUM(CASE WHEN d.standing = 'open' THEN 1 ELSE 0 END), 0)
             FROM duty_rounds r JOIN duties d ON d.round_id = r.id
             WHERE r.policy = $1 AND r.due_at >= $2 AND r.due_at < $3 AND {} GROUP BY r.clause",
            visible_sql(actor, ground)
        )
    };
    let rows: Vec<(String, i64, i64, i64)> = conn.rows(&sql, &[policy.into(), from.into(), to.into()])?;
    Ok(rows.into_iter().map(|(clause, done, missed, open)| (clause, (done, missed, open))).collect())
}
