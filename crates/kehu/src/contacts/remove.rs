//! Taking a contact away, and bringing it back.

use store::Tx;

use super::MOST;
use super::create::set_primary;
use super::load::{load, load_removed};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::{REQUIREMENTS, Requirements};
use crate::clock::Millis;
use crate::customers::{CONTACT, Customer, Kind};
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId};
use crate::{customers, events, settings, text};

/// Takes a contact away; answers whose it was. When it was the primary one, the oldest other contact becomes primary.
/// The last one of an organisation stays while the company requires one (VF-04).
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ContactId,
    version: Option<i64>,
    now: Millis,
) -> Result<CustomerId, AppError> {
    let contact = load(tx, actor, Verb::Update, id)?;
    if version.is_some_and(|v| v != contact.version) {
        return Err(AppError::Stale);
    }
    let customer = customers::load_for(tx, actor, Object::Contact, Verb::Update, contact.customer_id)?;
    require_another(tx, &customer, id)?;
    let done = tx.exec(
        "UPDATE contacts SET deleted_at = $3, is_primary = FALSE, version = version + 1, updated_at = $3,
           updated_by = $4 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[id.into(), contact.version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    if contact.is_primary {
        let oldest: Option<Option<ContactId>> = tx.value(
            "SELECT MIN(id) FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL",
            &[contact.customer_id.into()],
        )?;
        if let Some(next) = oldest.flatten() {
            set_primary(tx, actor, contact.customer_id, next, true, now)?;
        }
    }
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "contact.deleted", "contact", id.0, customer.id.0)?;
    let before = contact.facts();
    let mut entry = Entry::of("contact.deleted", "contact", id.0).customer(customer.id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(customer.id)
}

/// Refuses to leave an organisation without a contact where the company requires one.
fn require_another(tx: &mut Tx<'_>, customer: &Customer, id: ContactId) -> Result<(), AppError> {
    let required: Requirements = settings::get(tx, REQUIREMENTS)?;
    if customer.kind != Kind::Organisation || !required.to_save.iter().any(|key| key == CONTACT) {
        return Ok(());
    }
    let other = tx.value::<i64>(
        "SELECT id FROM contacts WHERE customer_id = $1 AND id <> $2 AND deleted_at IS NULL LIMIT 1",
        &[customer.id.into(), id.into()],
    )?;
    if other.is_none() {
        return Err(AppError::Conflict(text!(
            "公司规定企业客户必须有联系人，不能删除最后一位；请先新增另一位联系人"
        )));
    }
    Ok(())
}

/// Brings back a contact that was taken away; answers whose it is. It is primary again only when nobody else is.
pub fn restore(tx: &mut Tx<'_>, actor: &Actor, id: ContactId, now: Millis) -> Result<CustomerId, AppError> {
    let mut contact = load_removed(tx, actor, id)?;
    let customer = customers::load_for(tx, actor, Object::Contact, Verb::Update, contact.customer_id)?;
    let known = tx.count(
        "SELECT COUNT(*) FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL",
        &[customer.id.into()],
    )?;
    if known >= MOST {
        return Err(AppError::Conflict(text!("一个客户最多 {} 位联系人，请先删除不再联系的人", MOST)));
    }
    contact.is_primary = known == 0;
    let done = tx.exec(
        "UPDATE contacts SET deleted_at = NULL, is_primary = $3, version = version + 1, updated_at = $4, updated_by = $5
         WHERE id = $1 AND version = $2 AND deleted_at IS NOT NULL",
        &[id.into(), contact.version.into(), contact.is_primary.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "contact.restored", "contact", id.0, customer.id.0)?;
    let after = contact.facts();
    let entry = Entry::of("contact.restored", "contact", id.0).customer(customer.id.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(customer.id)
}
