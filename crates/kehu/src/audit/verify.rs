//! Checks the audit chains row by row: `kehu audit verify`.

use std::collections::HashMap;
use std::ops::ControlFlow;

use store::{Conn, FromRow};

use super::{COLUMNS, Written};

/// What is wrong with a chain, at the first place it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A row's content does not give its hash: it was edited, swapped or inserted.
    Altered {
        /// Sequence number of the row.
        seq: i64,
    },
    /// A sequence number is missing: a row was deleted.
    Missing {
        /// The number that should have come.
        seq: i64,
    },
    /// The last row is not the one the head names: the tail was cut or rows were added behind the head's back.
    Tail {
        /// What the head says.
        head: i64,
        /// The last row found.
        last: i64,
    },
}

impl Problem {
    /// In words, for the command line.
    pub fn zh(&self) -> String {
        match self {
            Self::Altered { seq } => format!("第 {seq} 条被改动"),
            Self::Missing { seq } => format!("缺少第 {seq} 条"),
            Self::Tail { head, last } => format!("链头记有 {head} 条，实际 {last} 条"),
        }
    }
}

/// One chain, checked.
#[derive(Clone, Debug)]
pub struct ChainReport {
    /// Number of the writer slot.
    pub chain: i64,
    /// Rows read.
    pub rows: i64,
    /// Hash of its last row.
    pub head: String,
    /// The first problem, if any.
    pub problem: Option<Problem>,
}

/// Reads every row in order; memory does not grow with their number.
pub fn verify(conn: &mut Conn<'_>) -> store::Result<Vec<ChainReport>> {
    let mut known: HashMap<i64, (i64, String)> =
        super::heads(conn)?.into_iter().map(|(c, s, h)| (c, (s, h))).collect();
    let mut reports: Vec<ChainReport> = Vec::new();
    conn.each(&format!("SELECT {COLUMNS} FROM audit_log ORDER BY chain, seq"), &[], |row| {
        let written = Written::from_row(row)?;
        let stored: String = row.get(16)?;
        if reports.last().is_none_or(|r| r.chain != written.chain) {
            reports.push(ChainReport { chain: written.chain, rows: 0, head: String::new(), problem: None });
        }
        if let Some(report) = reports.last_mut() {
            if report.problem.is_none() {
                if written.seq != report.rows + 1 {
                    report.problem = Some(Problem::Missing { seq: report.rows + 1 });
                } else if written.hash(&report.head) != stored {
                    report.problem = Some(Problem::Altered { seq: written.seq });
                }
            }
            report.rows += 1;
            report.head = stored;
        }
        Ok::<_, store::Error>(ControlFlow::Continue(()))
    })?;
    for report in &mut reports {
        let (seq, hash) = known.remove(&report.chain).unwrap_or_default();
        if report.problem.is_none() && (seq != report.rows || hash != report.head) {
            report.problem = Some(Problem::Tail { head: seq, last: report.rows });
        }
    }
    // A head without any row: everything was deleted.
    reports.extend(known.into_iter().filter(|(_, (seq, _))| *seq > 0).map(|(chain, (seq, hash))| {
        ChainReport { chain, rows: 0, head: hash, problem: Some(Problem::Tail { head: seq, last: 0 }) }
    }));
    Ok(reports)
}
