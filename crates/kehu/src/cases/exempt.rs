//! The register of exemptions (豁免): who was exempted from which refusal of which clause, by whom, why, until when.

use policy::expr::Env;
use serde_json::json;
use store::{Conn, FromRow, Row, Tx};

use super::load::hold;
use super::world::{Ground, with_world};
use crate::access::{self, Actor};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CaseId, ExemptionId, PersonId};
use crate::input::{Kind, clean_value};
use crate::text;

/// Longest reason.
const LONGEST: usize = 500;
/// Longest time an exemption holds.
const MOST_DAYS: i64 = 366;

/// An exemption.
#[derive(Clone, Debug)]
pub struct Exemption {
    /// Its id.
    pub id: ExemptionId,
    /// The policy.
    pub policy: String,
    /// The refusal's name.
    pub refusal: String,
    /// The clause.
    pub clause: String,
    /// The case it is for.
    pub case_id: CaseId,
    /// Why.
    pub reason: String,
    /// Who gave it.
    pub given_by: PersonId,
    /// When.
    pub given_at: Millis,
    /// Until when.
    pub until_at: Millis,
    /// When it was taken back.
    pub revoked_at: Option<Millis>,
}

impl FromRow for Exemption {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            policy: row.get(1)?,
            refusal: row.get(2)?,
            clause: row.get(3)?,
            case_id: row.get(4)?,
            reason: row.get(5)?,
            given_by: row.get(6)?,
            given_at: row.get(7)?,
            until_at: row.get(8)?,
            revoked_at: row.get(9)?,
        })
    }
}

const COLUMNS: &str =
    "id, policy, refusal, clause, subject_id, reason, given_by, given_at, until_at, revoked_at";

/// Exempts a case from a refusal of its regulation: whoever the refusal says may, and nobody where it names nobody.
pub fn exempt(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
    refusal: &str,
    reason: &str,
    until: Millis,
) -> Result<Exemption, AppError> {
    let loaded = hold(tx, actor, ground, id)?;
    let reason = clean_value(Kind::Line, LONGEST, reason).map_err(|text| AppError::field("reason", text))?;
    if reason.is_empty() {
        return Err(AppError::field("reason", text!("请写明豁免的理由")));
    }
    if until <= ground.now || until > ground.now + MOST_DAYS * 86_400_000 {
        return Err(AppError::field("until", text!("豁免要有期限，最长 {} 天", MOST_DAYS)));
    }
    let found = loaded.policy.refusals.iter().find(|known| known.id == refusal);
    let Some(found) = found else {
        return Err(AppError::field("refusal", text!("制度里没有这项禁止")));
    };
    let Some(who) = &found.exempt_by else {
        return Err(AppError::Forbidden(text!("这一条款不允许豁免")));
    };
    let me = actor.person_id.to_string();
    let may = with_world(tx, ground, &loaded.policy.id, |world| {
        let env = Env::new(ground.now, world).case(&loaded.state).actor(Some(&me));
        who.value(&env).as_texts().contains(&me)
    })?;
    if !may {
        return Err(AppError::Forbidden(text!("只有条款指定的人可以豁免")));
    }
    let new = ExemptionId::new();
    tx.exec(
        "INSERT INTO exemptions (id, policy, refusal, clause, subject_id, reason, given_by, given_at, until_at)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
        &[
            new.into(),
            (&loaded.policy.id).into(),
            refusal.into(),
            (&found.clause).into(),
            id.into(),
            (&reason).into(),
            actor.person_id.into(),
            ground.now.into(),
            until.into(),
        ],
    )?;
    tx.exec(
        "INSERT INTO case_trail (id, case_id, at, actor_id, kind, text, clause) VALUES ($1,$2,$3,$4,'exempted',$5,$6)",
        &[
            store::new_id().into(),
            id.into(),
            ground.now.into(),
            actor.person_id.into(),
            format!("豁免至 {}：{reason}", ground.zone.minute(until)).into(),
            (&found.clause).into(),
        ],
    )?;
    let customer = loaded.case.customer_id.map_or(0, |customer| customer.0);
    let after = json!({
        "case": loaded.case.number, "refusal": refusal, "clause": found.clause, "reason": reason,
        "until": crate::clock::rfc3339(until),
    });
    audit::record(
        tx,
        actor,
        ground.now,
        &Entry::of("case.exempted", "case", id.0).customer(customer).after(&after),
    )?;
    crate::events::emit(tx, actor, ground.now, "case.exempted", "case", id.0, customer)?;
    let row = tx.row(&format!("SELECT {COLUMNS} FROM exemptions WHERE id = $1"), &[new.into()])?;
    row.ok_or(AppError::NotFound)
}

/// The exemptions of a case the actor may read, the newest first.
pub fn exemptions_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
) -> Result<Vec<Exemption>, AppError> {
    access::require_unbarred(actor)?;
    super::load::load(conn, actor, ground, id)?;
    let sql = format!("SELECT {COLUMNS} FROM exemptions WHERE subject_id = $1 ORDER BY id DESC LIMIT 200");
    Ok(conn.rows(&sql, &[id.into()])?)
}
