//! Changing a contact.

use store::{Tx, Value};

use super::create::release_primary;
use super::load::load;
use super::model::{Contact, Draft};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::ContactId;
use crate::input::difference;
use crate::{customers, events, text};

/// Changes a contact whose version is still `version` (`None` takes whatever it is). The primary contact stays primary
/// until another takes the place: `is_primary: false` on it is refused. Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ContactId,
    version: Option<i64>,
    draft: &Draft,
    now: Millis,
) -> Result<Contact, AppError> {
    let old = load(tx, actor, Verb::Update, id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let fields = customers::require(tx, actor, Object::Contact, Verb::Update, old.customer_id)?;
    let mut draft = draft.clone();
    old.refuse_withheld(&fields, &mut draft).map_err(AppError::Invalid)?;
    let values = draft.clean(false).map_err(AppError::Invalid)?;
    if old.is_primary && draft.is_primary == Some(false) {
        return Err(AppError::field("is_primary", text!("请把另一位联系人设为主要联系人，这一位会自动让出")));
    }
    let mut new = old.clone();
    new.take(values);
    new.is_primary = draft.is_primary.unwrap_or(old.is_primary);
    let (before, after) = difference(&old.facts(), &new.facts());
    if before == after {
        return Ok(old.withheld(&fields));
    }
    new.version += 1;
    new.updated_at = now;
    if new.is_primary && !old.is_primary {
        release_primary(tx, actor, &new, now)?;
    }
    let mut params: Vec<Value<'_>> =
        vec![id.into(), old.version.into(), new.is_primary.into(), now.into(), actor.person_id.into()];
    params.extend(new.texts().map(Value::from));
    let done = tx.exec(
        "UPDATE contacts SET is_primary = $3, updated_at = $4, updated_by = $5, name = $6, title = $7,
           department = $8, phone = $9, landline = $10, email = $11, wechat = $12, birthday = $13, remark = $14,
           version = version + 1 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &params,
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let customer = customers::load_for(tx, actor, Object::Contact, Verb::Update, new.customer_id)?;
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "contact.updated", "contact", id.0, customer.id.0)?;
    let entry = Entry::of("contact.updated", "contact", id.0).customer(customer.id.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(new.withheld(&fields))
}
