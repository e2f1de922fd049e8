//! The registers behind two numbers: what was refused to whom, and who was exempted from what.

use store::{Conn, FromRow, Row};

use super::load::{MOST_ROWS, cites, citing, led_units};
use crate::access::{Actor, require_unbarred};
use crate::cases::{Ground, readable_sql, subject_sql};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CaseId, PersonId, RefusalId, UnitId};

/// Something a clause refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Its id.
    pub id: RefusalId,
    /// When.
    pub at: Millis,
    /// The clauses.
    pub clause: String,
    /// The refusal's name in its policy.
    pub refusal: String,
    /// Who was refused.
    pub person_id: Option<PersonId>,
    /// His unit at that time.
    pub unit_id: Option<UnitId>,
    /// What he was about to do.
    pub what: String,
    /// The case, where the reader may read it.
    pub case: Option<(CaseId, String, String)>,
}

/// An exemption from a refusal.
#[derive(Clone, Debug)]
pub struct Exempted {
    /// When it was given.
    pub given_at: Millis,
    /// The clauses.
    pub clause: String,
    /// The refusal's name in its policy.
    pub refusal: String,
    /// By whom.
    pub given_by: PersonId,
    /// Until when.
    pub until_at: Millis,
    /// When it was taken back.
    pub revoked_at: Option<Millis>,
    /// Why.
    pub reason: String,
    /// The case, where the reader may read it.
    pub case: Option<(CaseId, String, String)>,
}

fn case_in(row: &Row<'_>, first: usize) -> store::Result<Option<(CaseId, String, String)>> {
    let id: Option<CaseId> = row.get(first)?;
    Ok(match id {
        Some(id) => Some((id, row.get(first + 1)?, row.get(first + 2)?)),
        None => None,
    })
}

impl FromRow for Refusal {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            clause: row.get(2)?,
            refusal: row.get(3)?,
            person_id: row.get(4)?,
            unit_id: row.get(5)?,
            what: row.get(6)?,
            case: case_in(row, 7)?,
        })
    }
}

impl FromRow for Exempted {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            given_at: row.get(0)?,
            clause: row.get(1)?,
            refusal: row.get(2)?,
            given_by: row.get(3)?,
            until_at: row.get(4)?,
            revoked_at: row.get(5)?,
            reason: row.get(6)?,
            case: case_in(row, 7)?,
        })
    }
}

/// The condition on `refusals r`, which hang on events, not always on cases: administrators see all, heads those of
/// their units, everybody those on cases he may read.
pub(super) fn refusals_sql(actor: &Actor, ground: &Ground) -> String {
    if actor.is_administrator() {
        return "TRUE".to_owned();
    }
    let readable = readable_sql(actor, ground);
    let mut sql = format!("EXISTS (SELECT 1 FROM cases k WHERE k.id = r.subject_id AND {readable})");
    let units = led_units(actor, ground);
    if !units.is_empty() {
        sql.push_str(&format!(" OR one_of(r.unit_id, '{units}')"));
    }
    format!("({sql})")
}

/// The condition on `exemptions e`: those of cases the reader may read.
pub(super) fn exemptions_sql(actor: &Actor, ground: &Ground) -> String {
    if actor.is_administrator() {
        return "TRUE".to_owned();
    }
    let readable = readable_sql(actor, ground);
    format!("EXISTS (SELECT 1 FROM cases k WHERE k.id = e.subject_id AND {readable})")
}

/// What a policy refused in a time, the newest first, at most `MOST_ROWS`; of one clause, or of all when it is empty.
/// Cases are named, so whoever may not handle customer information is refused himself.
pub fn refusals(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    (policy, clause): (&str, &str),
    (from, to): (Millis, Millis),
) -> Result<Vec<Refusal>, AppError> {
    require_unbarred(actor)?;
    let (readable, subject) = (readable_sql(actor, ground), subject_sql(actor));
    let sql = format!(
        "SELECT r.id, r.at, r.clause, r.refusal, r.person_id, r.unit_id, r.what, k.id, k.number, {subject}
         FROM refusals r LEFT JOIN cases k ON k.id = r.subject_id AND {readable}
         WHERE r.policy = $1 AND r.at >= $2 AND r.at < $3 AND {} AND {}
         ORDER BY r.at DESC, r.id DESC LIMIT {MOST_ROWS}",
        cites("r.clause"),
        refusals_sql(actor, ground)
    );
    Ok(conn.rows(&sql, &[policy.into(), from.into(), to.into(), (&citing(clause)).into()])?)
}

/// Who was exempted from the refusals of a policy in a time, as `refusals`.
pub fn exemptions(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    (policy, clause): (&str, &str),
    (from, to): (Millis, Millis),
) -> Result<Vec<Exempted>, AppError> {
    require_unbarred(actor)?;
    let (readable, subject) = (readable_sql(actor, ground), subject_sql(actor));
    let sql = format!(
        "SELECT e.given_at, e.clause, e.refusal, e.given_by, e.until_at, e.revoked_at, e.reason, k.id, k.number,
           {subject}
         FROM exemptions e LEFT JOIN cases k ON k.id = e.subject_id AND {readable}
         WHERE e.policy = $1 AND e.given_at >= $2 AND e.given_at < $3 AND {} AND {}
         ORDER BY e.given_at DESC, e.id DESC LIMIT {MOST_ROWS}",
        cites("e.clause"),
        exemptions_sql(actor, ground)
    );
    Ok(conn.rows(&sql, &[policy.into(), from.into(), to.into(), (&citing(clause)).into()])?)
}
