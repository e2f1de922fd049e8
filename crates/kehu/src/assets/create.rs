//! Adding an asset.

use serde_json::Map;
use store::Tx;

use super::MOST;
use super::model::{Asset, Draft};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{AssetId, CustomerId};
use crate::{customers, events, text};

/// Adds an asset to a customer. The customer's search document, event and audit row go with it. The same number at
/// another customer is no error: ask `twins` to warn.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    draft: &Draft,
    now: Millis,
) -> Result<Asset, AppError> {
    let customer = customers::load_for(tx, actor, Object::Asset, Verb::Update, customer)?;
    let cleaned = draft.clean(true).map_err(AppError::Invalid)?;
    let known = tx.count(
        "SELECT COUNT(*) FROM assets WHERE customer_id = $1 AND deleted_at IS NULL",
        &[customer.id.into()],
    )?;
    if known >= MOST {
        return Err(AppError::Conflict(text!("一个客户最多 {} 项资产，请先删除不再需要的", MOST)));
    }
    let mut asset = Asset {
        id: AssetId::new(),
        customer_id: customer.id,
        kind: draft.kind,
        name: String::new(),
        code: String::new(),
        details: Map::new(),
        remark: String::new(),
        version: 1,
        created_at: now,
        created_by: actor.person_id,
        updated_at: now,
    };
    asset.take(cleaned);
    if let Some(error) = asset.lacking() {
        return Err(AppError::Invalid(vec![error]));
    }
    tx.exec(
        "INSERT INTO assets (id, customer_id, kind, name, code, details, started_on, ends_on, remark, version,
           created_at, created_by, updated_at, updated_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,1,$10,$11,$10,$11)",
        &[
            asset.id.into(),
            customer.id.into(),
            asset.kind.code().into(),
            (&asset.name).into(),
            (&asset.code).into(),
            serde_json::Value::Object(asset.details.clone()).into(),
            asset.started_on().into(),
            asset.ends_on().into(),
            (&asset.remark).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "asset.created", "asset", asset.id.0, customer.id.0)?;
    let after = asset.facts();
    let entry = Entry::of("asset.created", "asset", asset.id.0).customer(customer.id.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(asset)
}
