//! Reading reports to superiors.

use store::{Conn, FromRow, Row};

use super::model::Briefing;
use crate::access::{self, Actor};
use crate::error::AppError;
use crate::ids::BriefingId;

/// SELECT and FROM of a `Briefing`.
const SELECT: &str =
    "SELECT b.id, b.person_id, COALESCE(p.name, ''), b.superior_id, COALESCE(s.name, ''), b.starts_on,
       b.ends_on, b.figures, b.analysis, b.suggestions, b.sent_at, b.read_at, b.version, b.updated_at
     FROM briefings b LEFT JOIN people p ON p.id = b.person_id LEFT JOIN people s ON s.id = b.superior_id";

impl FromRow for Briefing {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            person: row.get(2)?,
            superior_id: row.get(3)?,
            superior: row.get(4)?,
            starts_on: row.get(5)?,
            ends_on: row.get(6)?,
            figures: serde_json::from_value(row.get(7)?).unwrap_or_default(),
            analysis: row.get(8)?,
            suggestions: row.get(9)?,
            sent_at: row.get(10)?,
            read_at: row.get(11)?,
            version: row.get(12)?,
            updated_at: row.get(13)?,
        })
    }
}

/// A report the actor wrote or was sent. Reports tell of customers: whoever may not handle customer information reads
/// none.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, id: BriefingId) -> Result<Briefing, AppError> {
    access::require_unbarred(actor)?;
    let found: Option<Briefing> = conn.row(&format!("{SELECT} WHERE b.id = $1"), &[id.into()])?;
    let found = found.ok_or(AppError::NotFound)?;
    if [found.person_id, found.superior_id].contains(&actor.person_id) {
        Ok(found)
    } else {
        Err(AppError::Hidden { object: "briefing", id: id.0 })
    }
}

/// Whose reports a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbox {
    /// Those the actor wrote.
    Sent,
    /// Those he was sent.
    Received,
}

/// The newest of the actor's reports.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    inbox: Inbox,
    limit: usize,
) -> Result<Vec<Briefing>, AppError> {
    access::require_unbarred(actor)?;
    let column = match inbox {
        Inbox::Sent => "person_id",
        Inbox::Received => "superior_id",
    };
    let sql = format!("{SELECT} WHERE b.{column} = $1 ORDER BY b.id DESC LIMIT $2");
    Ok(conn.rows(&sql, &[actor.person_id.into(), (limit as i64).into()])?)
}
