//! Changing an asset.

use store::Tx;

use super::load::load;
use super::model::{Asset, Draft};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::AssetId;
use crate::input::difference;
use crate::{customers, events, text};

/// Changes an asset whose version is still `version` (`None` takes whatever it is). Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: AssetId,
    version: Option<i64>,
    draft: &Draft,
    now: Millis,
) -> Result<Asset, AppError> {
    let old = load(tx, actor, Verb::Update, id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    if draft.kind != old.kind {
        return Err(AppError::field("kind", text!("资产的种类不能更改，请另外新增")));
    }
    let mut new = old.clone();
    new.take(draft.clean(false).map_err(AppError::Invalid)?);
    if let Some(error) = new.lacking() {
        return Err(AppError::Invalid(vec![error]));
    }
    let (before, after) = difference(&old.facts(), &new.facts());
    if before == after {
        return Ok(old);
    }
    new.version += 1;
    new.updated_at = now;
    let done = tx.exec(
        "UPDATE assets SET name = $3, code = $4, details = $5, started_on = $6, ends_on = $7, remark = $8,
           updated_at = $9, updated_by = $10, version = version + 1
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[
            id.into(),
            old.version.into(),
            (&new.name).into(),
            (&new.code).into(),
            serde_json::Value::Object(new.details.clone()).into(),
            new.started_on().into(),
            new.ends_on().into(),
            (&new.remark).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let customer = customers::load_for(tx, actor, Object::Asset, Verb::Update, new.customer_id)?;
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "asset.updated", "asset", id.0, customer.id.0)?;
    let entry = Entry::of("asset.updated", "asset", id.0).customer(customer.id.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(new)
}
