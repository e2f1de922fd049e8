//! Taking an activity away, and bringing it back.

use store::Tx;

use super::create::count;
use super::load::{load, load_removed};
use super::update::require_author;
use crate::access::{Actor, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{ActivityId, CustomerId};
use crate::{customers, events};

/// Takes an activity away, its files with it; answers whose it was. The customer's newest dealing is found anew.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ActivityId,
    version: Option<i64>,
    now: Millis,
) -> Result<CustomerId, AppError> {
    let activity = load(tx, actor, Verb::Update, id)?;
    require_author(actor, &activity)?;
    if version.is_some_and(|v| v != activity.version) {
        return Err(AppError::Stale);
    }
    let done = tx.exec(
        "UPDATE activities SET deleted_at = $3, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[id.into(), activity.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let customer = activity.customer_id;
    tx.exec(
        "UPDATE files SET deleted_at = $2 WHERE object = 'activity' AND object_id = $1 AND deleted_at IS NULL",
        &[id.into(), now.into()],
    )?;
    tx.exec(
        "UPDATE customers SET last_activity_at =
           (SELECT MAX(happened_at) FROM activities WHERE customer_id = $1 AND deleted_at IS NULL) WHERE id = $1",
        &[customer.into()],
    )?;
    count(tx, &activity, -1)?;
    events::emit(tx, actor, now, "activity.deleted", "activity", id.0, customer.0)?;
    let before = activity.facts();
    let mut entry = Entry::of("activity.deleted", "activity", id.0).customer(customer.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(customer)
}

/// Brings back an activity that was taken away, and those of its files that went with it and are still kept; answers
/// whose it is.
pub fn restore(tx: &mut Tx<'_>, actor: &Actor, id: ActivityId, now: Millis) -> Result<CustomerId, AppError> {
    let activity = load_removed(tx, actor, id)?;
    require_author(actor, &activity)?;
    tx.exec(
        "UPDATE files SET deleted_at = NULL WHERE object = 'activity' AND object_id = $1 AND purged_at IS NULL
           AND deleted_at = (SELECT deleted_at FROM activities WHERE id = $1)",
        &[id.into()],
    )?;
    let done = tx.exec(
        "UPDATE activities SET deleted_at = NULL, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NOT NULL",
        &[id.into(), activity.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let customer = activity.customer_id;
    customers::touch_after_activity(tx, customer, activity.happened_at, None)?;
    count(tx, &activity, 1)?;
    events::emit(tx, actor, now, "activity.restored", "activity", id.0, customer.0)?;
    let after = activity.facts();
    let entry = Entry::of("activity.restored", "activity", id.0).customer(customer.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(customer)
}
