//! What was done to cases, kept as it was done: a draft of their regulation is tried on it.

use std::collections::HashMap;

use policy::replay::Deed;
use serde_json::Value as Json;
use store::{Conn, Tx};

use crate::clock::Millis;
use crate::ids::{CaseId, DeedId, PersonId};

/// Deeds of one reading at the most.
const MOST: i64 = 20_000;

/// Keeps a deed, in the transaction that did it.
pub(super) fn keep(tx: &mut Tx<'_>, case: CaseId, deed: &Deed) -> store::Result<()> {
    let actor: Option<PersonId> = deed.actor.as_ref().and_then(|actor| actor.parse().ok());
    tx.exec(
        "INSERT INTO case_deeds (id, case_id, at, actor_id, body) VALUES ($1, $2, $3, $4, $5)",
        &[DeedId::new().into(), case.into(), deed.at.into(), actor.into(), deed.to_json().to_string().into()],
    )?;
    Ok(())
}

/// The deeds of these cases, each case's in order; a case with one that cannot be read has none. Decide about the cases
/// first.
pub(super) fn of_cases(conn: &mut Conn<'_>, cases: &[CaseId]) -> store::Result<HashMap<CaseId, Vec<Deed>>> {
    type Kept = (CaseId, Millis, Option<PersonId>, String);
    let mut all: HashMap<CaseId, Option<Vec<Deed>>> = HashMap::new();
    if cases.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<String> = cases.iter().map(|id| id.0.to_string()).collect();
    let kept: Vec<Kept> = conn.rows(
        &format!(
            "SELECT case_id, at, actor_id, body FROM case_deeds WHERE case_id IN ({}) ORDER BY case_id, id LIMIT {MOST}",
            ids.join(", ")
        ),
        &[],
    )?;
    for (case, at, actor, body) in kept {
        let json: Json = serde_json::from_str(&body).unwrap_or_default();
        let deed = Deed::from_json(at, actor.map(|actor| actor.to_string()), &json);
        let known = all.entry(case).or_insert_with(|| Some(Vec::new()));
        *known = known.take().zip(deed).map(|(mut deeds, deed)| {
            deeds.push(deed);
            deeds
        });
    }
    Ok(all.into_iter().filter_map(|(case, deeds)| Some((case, deeds?))).collect())
}
