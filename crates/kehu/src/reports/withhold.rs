//! A report as somebody may see it: the regulation gives it to its makers and reviewers, but not what the fields of its
//! form, an exclusion (回避) or the rights on customers keep from them.

use std::collections::{HashMap, HashSet};

use policy::case::Case;
use policy::model::Form;
use policy::value::Kind;
use store::Conn;

use super::model::{Place, Sheet};
use crate::access::Actor;
use crate::cases::{Ground, kept_out_sql, with_world};
use crate::customers;
use crate::error::AppError;
use crate::ids::{CaseId, CustomerId};

/// What stands where something is kept from the reader.
const KEPT: &str = "—";
/// Cases asked for at once.
const BATCH: usize = 500;

/// A case of a register: its customer, whether the reader must keep out of it, and what it holds.
type Known = (CaseId, Option<CustomerId>, bool, String);

/// Takes from a register what `actor` may not see: every cell of a case he must keep out of, fields that others see, the
/// customers he may not read.
pub(super) fn for_reader(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    place: &Place,
    sheet: &mut Sheet,
) -> Result<(), AppError> {
    let Some((register, wanted)) = sheet.register.as_mut().zip(place.report().register.as_ref()) else {
        return Ok(());
    };
    let Some(form) = place.policy.form(&wanted.form) else { return Ok(()) };
    for rows in register.rows.chunks_mut(BATCH) {
        let ids: Vec<CaseId> = rows.iter().filter_map(|row| row.case.parse().ok()).collect();
        let kept = kept_cells(conn, actor, ground, place, form, &wanted.columns, &ids)?;
        for row in rows {
            let Some(kept) = row.case.parse().ok().and_then(|id: CaseId| kept.get(&id)) else { continue };
            for (cell, _) in row.cells.iter_mut().zip(kept).filter(|(_, is_kept)| **is_kept) {
                KEPT.clone_into(cell);
            }
        }
    }
    Ok(())
}

/// Of each case, which columns are kept from the reader.
fn kept_cells(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    place: &Place,
    form: &std::sync::Arc<Form>,
    columns: &[Option<usize>],
    ids: &[CaseId],
) -> Result<HashMap<CaseId, Vec<bool>>, AppError> {
    let list: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    if list.is_empty() {
        return Ok(HashMap::new());
    }
    let out = kept_out_sql(actor);
    let sql =
        format!("SELECT k.id, k.customer_id, {out}, k.body FROM cases k WHERE k.id IN ({})", list.join(","));
    let known: Vec<Known> = conn.rows(&sql, &[])?;
    let seen = customers::shown(conn, actor, known.iter().filter_map(|(_, customer, _, _)| *customer))?;
    let refers: HashSet<usize> =
        (0..form.fields.len()).filter(|n| form.fields[*n].kind.reference() == Some(Kind::Customer)).collect();
    let is_guarded = !actor.is_administrator()
        && columns.iter().flatten().any(|n| form.fields.get(*n).is_some_and(|field| field.seen_by.is_some()));
    let me = actor.person_id.to_string();
    with_world(conn, ground, &place.policy.id, |world| {
        let kept = |(id, customer, is_out, body): &Known| {
            let case = is_guarded.then(|| Case::from_json(form, &serde_json::from_str(body).ok()?)).flatten();
            let hidden = case.map_or_else(Vec::new, |case| {
                place.policy.hidden_fields(form, &case, Some(&me), ground.now, world)
            });
            let is_strange = customer.is_some_and(|customer| !seen.contains_key(&customer));
            let is_kept = |column: &Option<usize>| {
                *is_out || column.is_some_and(|n| hidden.contains(&n) || (is_strange && refers.contains(&n)))
            };
            (*id, columns.iter().map(is_kept).collect())
        };
        known.iter().map(kept).collect()
    })
}
