//! Taking a service strategy away.

use store::Tx;

use super::load::load;
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::events;
use crate::ids::StrategyId;

/// Takes a strategy away; its customers fall to the next wider one, and its group is free again.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: StrategyId,
    version: Option<i64>,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Strategy, Verb::Update)?;
    let strategy = load(tx, id)?;
    if version.is_some_and(|v| v != strategy.version) {
        return Err(AppError::Stale);
    }
    let done = tx.exec(
        "UPDATE service_strategies SET deleted_at = $3, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[id.into(), strategy.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    events::emit(tx, actor, now, "strategy.deleted", "strategy", id.0, 0)?;
    let before = strategy.facts();
    let mut entry = Entry::of("strategy.deleted", "strategy", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}
