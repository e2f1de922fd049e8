//! Taking an asset away, and bringing it back.

use store::Tx;

use super::MOST;
use super::load::{load, load_removed};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{AssetId, CustomerId};
use crate::{customers, events, text};

/// Takes an asset away; answers whose it was.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: AssetId,
    version: Option<i64>,
    now: Millis,
) -> Result<CustomerId, AppError> {
    let asset = load(tx, actor, Verb::Update, id)?;
    if version.is_some_and(|v| v != asset.version) {
        return Err(AppError::Stale);
    }
    let done = tx.exec(
        "UPDATE assets SET deleted_at = $3, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[id.into(), asset.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let customer = customers::load_for(tx, actor, Object::Asset, Verb::Update, asset.customer_id)?;
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "asset.deleted", "asset", id.0, customer.id.0)?;
    let before = asset.facts();
    let mut entry = Entry::of("asset.deleted", "asset", id.0).customer(customer.id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(customer.id)
}

/// Brings back an asset that was taken away; answers whose it is.
pub fn restore(tx: &mut Tx<'_>, actor: &Actor, id: AssetId, now: Millis) -> Result<CustomerId, AppError> {
    let asset = load_removed(tx, actor, id)?;
    let customer = customers::load_for(tx, actor, Object::Asset, Verb::Update, asset.customer_id)?;
    let known = tx.count(
        "SELECT COUNT(*) FROM assets WHERE customer_id = $1 AND deleted_at IS NULL",
        &[customer.id.into()],
    )?;
    if known >= MOST {
        return Err(AppError::Conflict(text!("一个客户最多 {} 项资产，请先删除不再需要的", MOST)));
    }
    let done = tx.exec(
        "UPDATE assets SET deleted_at = NULL, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NOT NULL",
        &[id.into(), asset.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "asset.restored", "asset", id.0, customer.id.0)?;
    let after = asset.facts();
    let entry = Entry::of("asset.restored", "asset", id.0).customer(customer.id.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(customer.id)
}
