//! Taking a customer away, and bringing it back.

use std::sync::LazyLock;

use store::{Conn, FromRow, Row, Tx};

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
use crate::ids::{CustomerId, PersonId};
use crate::{events, numbering, search, text};

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

/// A customer in the recycle bin.
#[derive(Debug)]
pub struct Deleted {
    /// Its id.
    pub id: CustomerId,
    /// Its name.
    pub name: String,
    /// The number it had.
    pub number: String,
    /// When it was taken away.
    pub at: Millis,
    /// By whom; nobody when an import was undone from the command line.
    pub by: Option<PersonId>,
}

impl FromRow for Deleted {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, number: row.get(2)?, at: row.get(3)?, by: row.get(4)? })
    }
}

impl Deleted {
    /// Where the list goes on behind this one.
    pub fn cursor(&self) -> String {
        format!("{}-{}", self.at, self.id)
    }
}

/// What was taken away, the latest first, at most `limit` behind a cursor; administrators only. `Invalid` for a cursor
/// that is none.
pub fn deleted(
    conn: &mut Conn<'_>,
    actor: &Actor,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Deleted>, AppError> {
    require_administrator(actor)?;
    require_unbarred(actor)?;
    let (at, id) = match after {
        None => (i64::MAX, i64::MAX),
        Some(after) => after
            .split_once('-')
            .and_then(|(at, id)| Some((at.parse().ok()?, store::parse_id(id).ok()?)))
            .ok_or_else(|| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))?,
    };
    Ok(conn.rows(
        "SELECT id, name, number, deleted_at, deleted_by FROM customers
         WHERE deleted_at IS NOT NULL AND (deleted_at < $1 OR (deleted_at = $1 AND id < $2))
         ORDER BY deleted_at DESC, id DESC LIMIT $3",
        &[at.into(), id.into(), (limit as i64).into()],
    )?)
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
