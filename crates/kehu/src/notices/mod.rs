//! What people are told: written in the transaction of what they are told of, read by them alone. `mail` sends the same
//! by mail.

mod api;
mod web;

use store::{Conn, FromRow, Row, Tx, Value};

use crate::access::{self, Actor};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CaseId, NoticeId, PenaltyId, PersonId};
use crate::web::Routes;

/// Pages and API of notices.
pub fn routes(routes: Routes) -> Routes {
    web::routes(api::routes(routes))
}

/// What somebody shall be told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tell<'a> {
    /// What kind: `warned`, `breached`, `urged` …
    pub kind: &'a str,
    /// The text, in the company's language.
    pub text: &'a str,
    /// The clause it rests on, with `policy`; empty without one.
    pub clause: &'a str,
    /// Short name of the regulation.
    pub policy: &'a str,
    /// The case it is about.
    pub case_id: Option<CaseId>,
    /// The penalty it is about.
    pub penalty_id: Option<PenaltyId>,
}

/// Tells each of these people something.
pub fn tell<'a>(
    tx: &mut Tx<'_>,
    at: Millis,
    all: impl IntoIterator<Item = (PersonId, Tell<'a>)>,
) -> store::Result<()> {
    let rows: Vec<Vec<Value<'_>>> = all
        .into_iter()
        .map(|(person, told)| {
            vec![
                NoticeId::new().into(),
                person.into(),
                at.into(),
                told.kind.into(),
                told.text.into(),
                told.clause.into(),
                told.policy.into(),
                told.case_id.into(),
                told.penalty_id.into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO notices (id, person_id, at, kind, text, clause, policy, case_id, penalty_id)";
    tx.insert_rows(sql, &rows, "").map(drop)
}

/// Something a person was told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// When.
    pub at: Millis,
    /// What kind: `warned`, `breached`, `urged` …
    pub kind: String,
    /// The text.
    pub text: String,
    /// The clause.
    pub clause: String,
    /// The policy of the clause.
    pub policy: String,
    /// The case it is about.
    pub case_id: Option<CaseId>,
    /// The penalty it is about.
    pub penalty_id: Option<PenaltyId>,
    /// When he read it.
    pub read_at: Option<Millis>,
}

impl FromRow for Notice {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            text: row.get(3)?,
            clause: row.get(4)?,
            policy: row.get(5)?,
            case_id: row.get(6)?,
            read_at: row.get(7)?,
            penalty_id: row.get(8)?,
        })
    }
}

/// The actor's notices, the newest first. They tell of cases: whoever may not handle customer information reads none.
pub fn list(
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
pub fn unread(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<i64> {
    conn.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM notices WHERE person_id = $1 AND read_at IS NULL LIMIT 1000) unread",
        &[actor.person_id.into()],
    )
}

/// Whether he has not read something about a case.
pub fn has_unread(conn: &mut Conn<'_>, actor: &Actor, case: CaseId) -> store::Result<bool> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM notices WHERE person_id = $1 AND read_at IS NULL AND case_id = $2 LIMIT 1) unread";
    Ok(conn.count(sql, &[actor.person_id.into(), case.into()])? > 0)
}

/// He has read them all; of a case, those of it.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, case: Option<CaseId>, now: Millis) -> store::Result<u64> {
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
