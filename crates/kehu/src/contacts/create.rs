//! Adding a contact.

use store::{Tx, Value};

use super::MOST;
use super::model::{Contact, Draft};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId};
use crate::{customers, events, text};

/// Adds a contact to a customer. The first one becomes primary; a later one that asks for it takes the place over.
/// Search document, keys and completeness of the customer, event and audit row go with it.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    draft: &Draft,
    now: Millis,
) -> Result<Contact, AppError> {
    let customer = customers::load_for(tx, actor, Object::Contact, Verb::Update, customer)?;
    let values = draft.clean(true).map_err(AppError::Invalid)?;
    let known = tx.count(
        "SELECT COUNT(*) FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL",
        &[customer.id.into()],
    )?;
    if known >= MOST {
        return Err(AppError::Conflict(text!("一个客户最多 {} 位联系人，请先删除不再联系的人", MOST)));
    }
    let mut contact = Contact {
        id: ContactId::new(),
        customer_id: customer.id,
        name: String::new(),
        title: String::new(),
        department: String::new(),
        phone: String::new(),
        landline: String::new(),
        email: String::new(),
        wechat: String::new(),
        birthday: String::new(),
        remark: String::new(),
        is_primary: known == 0 || draft.is_primary == Some(true),
        version: 1,
        created_at: now,
        created_by: actor.person_id,
        updated_at: now,
    };
    contact.take(values);
    if contact.is_primary {
        release_primary(tx, actor, &contact, now)?;
    }
    let mut params: Vec<Value<'_>> = vec![contact.id.into(), customer.id.into()];
    params.extend(contact.texts().map(Value::from));
    params.extend([contact.is_primary.into(), now.into(), actor.person_id.into()]);
    tx.exec(
        "INSERT INTO contacts (id, customer_id, name, title, department, phone, landline, email, wechat, birthday,
           remark, is_primary, version, created_at, created_by, updated_at, updated_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,1,$13,$14,$13,$14)",
        &params,
    )?;
    customers::refresh_completeness(tx, &customer)?;
    events::emit(tx, actor, now, "contact.created", "contact", contact.id.0, customer.id.0)?;
    let after = contact.facts();
    let entry = Entry::of("contact.created", "contact", contact.id.0).customer(customer.id.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    let fields = actor.rights.fields(Object::Contact, &customer.facts());
    Ok(contact.withheld(&fields))
}

/// Takes the place of the primary contact away from whoever else has it.
pub(super) fn release_primary(
    tx: &mut Tx<'_>,
    actor: &Actor,
    contact: &Contact,
    now: Millis,
) -> store::Result<()> {
    let others: Vec<(ContactId,)> = tx.rows(
        "SELECT id FROM contacts WHERE customer_id = $1 AND id <> $2 AND is_primary AND deleted_at IS NULL LIMIT 500",
        &[contact.customer_id.into(), contact.id.into()],
    )?;
    for (other,) in others {
        set_primary(tx, actor, contact.customer_id, other, false, now)?;
    }
    Ok(())
}

/// Makes a contact the primary one or takes the place from him, because of what happened to another. Event and audit
/// row go with it.
pub(super) fn set_primary(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    id: ContactId,
    is_primary: bool,
    now: Millis,
) -> store::Result<()> {
    tx.exec(
        "UPDATE contacts SET is_primary = $2, version = version + 1, updated_at = $3, updated_by = $4 WHERE id = $1",
        &[id.into(), is_primary.into(), now.into(), actor.person_id.into()],
    )?;
    events::emit(tx, actor, now, "contact.updated", "contact", id.0, customer.0)?;
    let before = serde_json::json!({ "is_primary": !is_primary });
    let after = serde_json::json!({ "is_primary": is_primary });
    let entry = Entry::of("contact.updated", "contact", id.0).customer(customer.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)
}
