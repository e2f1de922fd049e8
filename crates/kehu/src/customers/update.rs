//! Changing a customer.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};
use store::{Tx, Value};

use super::create::{count, is_active, is_open, name_sort, no_such_unit};
use super::fields::{Field, SPECS};
use super::index::reindex;
use super::load::load_for;
use super::model::{Customer, Draft, clean, completeness};
use super::withhold::{refused, withhold};
use crate::access::{self, Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::counters::Deltas;
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId, UnitId};
use crate::{events, org, regions, text};

/// Changes a customer whose version is still `version` (`None` takes whatever it is, for imports and batches). A
/// change that changes nothing writes nothing. Search document, keys, counts, event and audit row go with it.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: CustomerId,
    version: Option<i64>,
    draft: &Draft,
    now: Millis,
) -> Result<Customer, AppError> {
    let old = load_for(tx, actor, Object::Customer, Verb::Update, id)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    if draft.kind.is_some_and(|k| k != old.kind) {
        return Err(AppError::field("kind", text!("客户性质建档后不能更改，请新建客户")));
    }
    if draft.number.as_ref().is_some_and(|n| n.trim() != old.number) {
        return Err(AppError::field("number", text!("客户编号建档后不能更改")));
    }
    let mut draft = draft.clone();
    let refused = refused(actor, &old, &mut draft);
    if !refused.is_empty() {
        return Err(AppError::Invalid(refused));
    }
    let draft = &draft;
    let cleaned = clean(catalogue, old.kind, draft, Some(&old), now).map_err(AppError::Invalid)?;
    let mut new = old.clone();
    for (field, value) in cleaned.fields {
        new.values.set(field, value);
    }
    if new.get(Field::Class).is_empty() && !old.get(Field::Class).is_empty() {
        return Err(AppError::field("class", text!("每个客户都要有一个类别，请选择")));
    }
    if let Some(tags) = cleaned.tags {
        new.tags = tags;
    }
    for (key, value) in cleaned.custom.into_iter().flatten() {
        if value.is_null() {
            new.custom.remove(&key);
        } else {
            new.custom.insert(key, value);
        }
    }
    if let Some(owner) = draft.owner_id.filter(|o| *o != old.owner_id) {
        access::require(actor, Object::Customer, Verb::Assign, &old.facts())?;
        if let Some(person) = owner
            && !is_active(tx, person)?
        {
            return Err(AppError::field("owner_id", text!("没有这位员工，或者他已停用")));
        }
        if let Some(person) = owner
            && org::is_excluded(tx, id, person)?
        {
            return Err(AppError::field("owner_id", text!("这位员工须对这个客户回避，不能成为负责人")));
        }
        new.owner_id = owner;
        if let Some(owner) = owner.filter(|_| draft.unit_id.is_none()) {
            // A customer that comes to somebody comes to his unit; whoever works in none leaves it where it is.
            new.unit_id = org::main_unit(tx, owner, now)?.or(old.unit_id);
        }
    }
    if let Some(unit) = draft.unit_id.filter(|u| *u != old.unit_id) {
        access::require(actor, Object::Customer, Verb::Assign, &old.facts())?;
        if !is_open(tx, unit)? {
            return Err(AppError::Invalid(vec![no_such_unit()]));
        }
        new.unit_id = unit;
    }
    new.completeness = completeness(new.kind, &new.values, has_contact(tx, id)?);
    let (before, after) = difference(&old, &new);
    if after.is_empty() && new.completeness == old.completeness {
        return Ok(withhold(actor, old));
    }
    new.version += 1;
    new.updated_at = now;
    new.updated_by = actor.person_id;
    write(tx, &old, &new)?;
    if before.keys().any(|key| INDEXED.contains(&key.as_str())) {
        reindex(tx, &new)?;
    }
    recount(tx, &old, &new)?;
    events::emit(tx, actor, now, "customer.updated", "customer", id.0, id.0)?;
    if old.owner_id != new.owner_id {
        let facts = json!({ "from": old.owner_id, "to": new.owner_id }).to_string();
        let kind = "customer.owner_changed";
        events::emit_with(tx, actor.person_id, now, kind, "customer", id.0, id.0, &facts)?;
    }
    let (before, after) = (Json::Object(before), Json::Object(after));
    audit::record(tx, actor, now, &Entry::of_customer("customer.updated", id.0).change(&before, &after))?;
    Ok(withhold(actor, new))
}

/// What the search document or the duplicate keys hold.
const INDEXED: [&str; 10] = [
    "name",
    "short_name",
    "phone",
    "landline",
    "credit_code",
    "id_number",
    "email",
    "wechat",
    "owner_id",
    "unit_id",
];

/// The changed values, before and after.
fn difference(old: &Customer, new: &Customer) -> (Map<String, Json>, Map<String, Json>) {
    let (mut before, mut after) = (Map::new(), Map::new());
    let mut note = |key: &str, was: Json, is: Json| {
        if was != is {
            before.insert(key.to_owned(), was);
            after.insert(key.to_owned(), is);
        }
    };
    for spec in &SPECS {
        if old.values[spec.field] != new.values[spec.field] {
            note(spec.key, old.values[spec.field].into(), new.values[spec.field].into());
        }
    }
    note("owner_id", json!(old.owner_id), json!(new.owner_id));
    note("unit_id", json!(old.unit_id), json!(new.unit_id));
    note("tags", json!(old.tags), json!(new.tags));
    for key in old.custom.keys().chain(new.custom.keys()) {
        let value = |c: &Customer| c.custom.get(key).cloned().unwrap_or(Json::Null);
        note(&format!("custom.{key}"), value(old), value(new));
    }
    (before, after)
}

fn write(tx: &mut Tx<'_>, old: &Customer, new: &Customer) -> Result<(), AppError> {
    static UPDATE: LazyLock<String> = LazyLock::new(|| {
        let fields: Vec<String> =
            SPECS.iter().enumerate().map(|(n, s)| format!("{} = ${}", s.key, n + 12)).collect();
        format!(
            "UPDATE customers SET owner_id = $3, name_sort = $4, province = $5, tags = $6, custom = $7,
             completeness = $8, updated_at = $9, updated_by = $10, unit_id = $11, version = version + 1, {}
             WHERE id = $1 AND version = $2",
            fields.join(", ")
        )
    });
    let mut params: Vec<Value<'_>> = vec![
        new.id.into(),
        old.version.into(),
        new.owner_id.into(),
        name_sort(new.name()).into(),
        regions::province(new.get(Field::Region)).into(),
        json!(new.tags).into(),
        Json::Object(new.custom.clone()).into(),
        new.completeness.into(),
        new.updated_at.into(),
        new.updated_by.into(),
        new.unit_id.into(),
    ];
    params.extend(new.values.0.iter().map(Value::from));
    if tx.exec(&UPDATE, &params)? == 0 { Err(AppError::Stale) } else { Ok(()) }
}

fn recount(tx: &mut Tx<'_>, old: &Customer, new: &Customer) -> store::Result<()> {
    let mut deltas = Deltas::default();
    count(&mut deltas, old, -1);
    count(&mut deltas, new, 1);
    deltas.apply(tx)
}

fn has_contact(tx: &mut Tx<'_>, id: CustomerId) -> store::Result<bool> {
    let found = tx.value::<i64>(
        "SELECT id FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 1",
        &[id.into()],
    )?;
    Ok(found.is_some())
}

/// Brings search document, keys and completeness up to date after contacts or assets of a customer changed. The
/// customer's own version stays: nobody changed it.
pub fn refresh_completeness(tx: &mut Tx<'_>, customer: &Customer) -> Result<(), AppError> {
    reindex(tx, customer)?;
    let mut new = customer.clone();
    new.completeness = completeness(customer.kind, &customer.values, has_contact(tx, customer.id)?);
    if new.completeness != customer.completeness {
        tx.exec(
            "UPDATE customers SET completeness = $2 WHERE id = $1",
            &[customer.id.into(), new.completeness.into()],
        )?;
        recount(tx, customer, &new)?;
    }
    Ok(())
}

/// Notes the newest dealing with a customer, and when the next one is planned (`None` leaves the plan).
pub fn touch_after_activity(
    tx: &mut Tx<'_>,
    id: CustomerId,
    happened_at: Millis,
    next_contact_on: Option<&str>,
) -> store::Result<()> {
    tx.exec(
        "UPDATE customers SET last_activity_at = CASE WHEN last_activity_at > $2 THEN last_activity_at ELSE $2 END
         WHERE id = $1",
        &[id.into(), happened_at.into()],
    )?;
    if let Some(date) = next_contact_on {
        tx.exec("UPDATE customers SET next_contact_on = $2 WHERE id = $1", &[id.into(), date.into()])?;
    }
    Ok(())
}

/// Counts a customer's open needs anew. Call it after a need was added, done, reopened, changed or taken away.
pub fn refresh_open_needs(tx: &mut Tx<'_>, id: CustomerId) -> store::Result<()> {
    let known: Option<(Option<PersonId>, Option<UnitId>, i64)> = tx.row(
        "SELECT owner_id, unit_id, open_needs FROM customers WHERE id = $1 AND deleted_at IS NULL",
        &[id.into()],
    )?;
    let Some((owner, unit, before)) = known else { return Ok(()) };
    let now = tx.count(
        "SELECT COUNT(*) FROM activities
         WHERE customer_id = $1 AND kind = 'need' AND done_at IS NULL AND deleted_at IS NULL",
        &[id.into()],
    )?;
    if now == before {
        return Ok(());
    }
    tx.exec("UPDATE customers SET open_needs = $2 WHERE id = $1", &[id.into(), now.into()])?;
    let mut deltas = Deltas::default();
    deltas.add("customers.open_needs", "", (owner, unit), now - before);
    deltas.apply(tx)
}
