//! Taking a customer away, and bringing it back.

use std::sync::LazyLock;

use store::Tx;

use super::create::{count, insert_error};
use super::index::reindex;
use super::load::{COLUMNS, load_for};
use super::model::Customer;
use super::withhold::withhold;
use crate::access::{Actor, Object, Verb, require_administrator, require_unbarred};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::counters::Deltas;
use crate::error::AppError;
use crate::ids::CustomerId;
use crate::{events, numbering, search};

/// Takes a customer out of every list and search. What hangs on it stays and comes back with `restore`.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CustomerId,
    version: Option<i64>,
    now: Millis,
) -> Result<(), AppError> {
    let customer = load_for(tx, actor, Object::Customer, Verb::Delete, id)?;
    take_away(tx, actor, customer, version, now)
}

/// Takes away a customer that was made by mistake and that nobody changed since: whoever may change it may do that.
pub fn take_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: CustomerId,
    version: i64,
    now: Millis,
) -> Result<(), AppError> {
    let customer = load_for(tx, actor, Object::Customer, Verb::Update, id)?;
    take_away(tx, actor, customer, Some(version), now)
}

fn take_away(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: Customer,
    version: Option<i64>,
    now: Millis,
) -> Result<(), AppError> {
    let id = customer.id;
    if version.is_some_and(|v| v != customer.version) {
        return Err(AppError::Stale);
    }
    let done = tx.exec(
        "UPDATE customers SET deleted_at = $3, deleted_by = $4, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2",
        &[id.into(), customer.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    search::remove(tx, id.0)?;
    tx.exec("DELETE FROM customer_keys WHERE customer_id = $1", &[id.into()])?;
    let mut deltas = Deltas::default();
    count(&mut deltas, &customer, -1);
    deltas.apply(tx)?;
    events::emit(tx, actor, now, "customer.deleted", "customer", id.0, id.0)?;
    let before = serde_json::json!({ "number": customer.number, "name": customer.name() });
    let mut entry = Entry::of_customer("customer.deleted", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

/// A customer that came back.
#[derive(Debug)]
pub struct Restored {
    /// As the actor sees it.
    pub customer: Customer,
    /// Who has taken its number meanwhile; then it came back with a new one.
    pub taken_by: Option<CustomerId>,
}

/// Brings a customer back; administrators only. Numbers do not change afterwards, so a customer whose number was taken
/// meanwhile gets a new one at once.
pub fn restore(tx: &mut Tx<'_>, actor: &Actor, id: CustomerId, now: Millis) -> Result<Restored, AppError> {
    static SELECT: LazyLock<String> = LazyLock::new(|| {
        format!("SELECT {} FROM customers c WHERE c.id = $1 AND c.deleted_at IS NOT NULL", *COLUMNS)
    });
    require_administrator(actor)?;
    require_unbarred(actor)?;
    let sql = format!("{}{}", *SELECT, tx.for_change());
    let mut customer: Customer = tx.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)?;
    let taken_by: Option<CustomerId> = tx.value(
        "SELECT id FROM customers WHERE number = $1 AND deleted_at IS NULL",
        &[(&customer.number).into()],
    )?;
    let before = serde_json::json!({ "number": customer.number });
    if taken_by.is_some() {
        customer.number = numbering::written(numbering::take(tx, "customer", 1)?);
    }
    let after = serde_json::json!({ "number": customer.number });
    tx.exec(
        "UPDATE customers SET deleted_at = NULL, deleted_by = NULL, number = $4, version = version + 1,
           updated_at = $2, updated_by = $3 WHERE id = $1",
        &[id.into(), now.into(), actor.person_id.into(), (&customer.number).into()],
    )
    .map_err(|error| insert_error(error, &customer.number))?;
    customer.version += 1;
    customer.deleted_at = None;
    reindex(tx, &customer)?;
    let mut deltas = Deltas::default();
    count(&mut deltas, &customer, 1);
    deltas.apply(tx)?;
    events::emit(tx, actor, now, "customer.restored", "customer", id.0, id.0)?;
    let mut entry = Entry::of_customer("customer.restored", id.0);
    if taken_by.is_some() {
        entry = entry.change(&before, &after);
    }
    audit::record(tx, actor, now, &entry)?;
    Ok(Restored { customer: withhold(actor, customer), taken_by })
}
