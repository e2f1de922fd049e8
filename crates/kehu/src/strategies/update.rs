//! Changing a service strategy.

use store::{Tx, Value};

use super::create::{columns, require_free_group, taken_meanwhile};
use super::load::load;
use super::model::{Draft, Strategy};
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::AppError;
use crate::events;
use crate::ids::StrategyId;
use crate::input::difference;

/// Changes a strategy whose version is still `version` (`None` takes whatever it is). Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: StrategyId,
    version: Option<i64>,
    draft: &Draft,
    now: Millis,
) -> Result<Strategy, AppError> {
    require_may(actor, Object::Strategy, Verb::Update)?;
    let old = load(tx, id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let mut new = draft.applied(&old, catalogue, false).map_err(AppError::Invalid)?;
    let (before, after) = difference(&old.facts(), &new.facts());
    if before == after {
        return Ok(old);
    }
    require_free_group(tx, &new)?;
    new.version += 1;
    new.updated_at = now;
    let mut params: Vec<Value<'_>> = vec![id.into(), old.version.into(), now.into(), actor.person_id.into()];
    params.extend(columns(&new));
    let done = tx
        .exec(
            "UPDATE service_strategies SET updated_at = $3, updated_by = $4, kind = $5, class = $6, level = $7,
               name = $8, needs = $9, content = $10, rhythm_days = $11, channel = $12, post = $13, valid_from = $14,
               note = $15, version = version + 1 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
            &params,
        )
        .map_err(taken_meanwhile)?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    events::emit(tx, actor, now, "strategy.updated", "strategy", id.0, 0)?;
    let entry = Entry::of("strategy.updated", "strategy", id.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(new)
}
