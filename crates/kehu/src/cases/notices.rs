//! What people were told.

use store::{Conn, Tx};

use super::model::Notice;
use crate::access::{self, Actor};
use crate::clock::Millis;
use crate::error::AppError;

/// The actor's notices, the newest first. They tell of cases: whoever may not handle customer information reads none.
pub fn notices_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    unread_only: bool,
    limit: i64,
) -> Result<Vec<Notice>, AppError> {
    access::require_unbarred(actor)?;
    let unread = if unread_only { "AND read_at IS NULL" } else { "" };
    let found = conn.rows(
        &format!(
            "SELECT id, at, kind, text, clause, policy, case_id, read_at, penalty_id FROM notices
             WHERE person_id = $1 {unread} ORDER BY id DESC LIMIT $2"
        ),
        &[actor.person_id.into(), limit.into()],
    )?;
    Ok(found)
}

/// How many he has not read, counted up to 1,000.
pub fn unread_notices(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<i64> {
    conn.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM notices WHERE person_id = $1 AND read_at IS NULL LIMIT 1000) unread",
        &[actor.person_id.into()],
    )
}

/// Whether he has not read something about a case.
pub fn has_unread(conn: &mut Conn<'_>, actor: &Actor, case: crate::ids::CaseId) -> store::Result<bool> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM notices WHERE person_id = $1 AND read_at IS NULL AND case_id = $2 LIMIT 1) unread";
    Ok(conn.count(sql, &[actor.person_id.into(), case.into()])? > 0)
}

/// He has read them all; of a case, those of it.
pub fn read_notices(
    tx: &mut Tx<'_>,
    actor: &Actor,
    case: Option<crate::ids::CaseId>,
    now: Millis,
) -> store::Result<u64> {
    let mut params = vec![actor.person_id.into(), now.into()];
    let of = match case {
        Some(case) => {
            params.push(case.into());
            "AND case_id = $3"
        }
        None => "",
    };
    tx.exec(
        &format!("UPDATE notices SET read_at = $2 WHERE person_id = $1 AND read_at IS NULL {of}"),
        &params,
    )
}
