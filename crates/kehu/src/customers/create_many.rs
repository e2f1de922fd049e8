//! Making many customers in one transaction: for imports. What needs no database is done before, on another thread;
//! what remains is one statement a table for all of them.

use std::collections::HashMap;
use std::sync::LazyLock;

use hanzi::search::Document;
use serde_json::{Map, Value as Json, json};
use store::{Tx, Value};

use super::create::{DEFAULT_CLASS, check_number, count, facts, name_sort};
use super::fields::{Field, SPECS};
use super::index::{keys, words};
use super::model::{Customer, Draft, Kind, Values, clean, completeness};
use super::numbers;
use super::withhold::{Withheld, refused_new};
use crate::access::{self, Actor, Facts, Object, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::counters::Deltas;
use crate::error::{AppError, FieldError};
use crate::ids::{ContactId, CustomerId, ImportId, PersonId, UnitId};
use crate::{events, numbering, org, regions, search};

/// The contact person a new customer comes with. Values are checked already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstContact {
    /// Name, never empty.
    pub name: String,
    /// Job title.
    pub title: String,
    /// Department.
    pub department: String,
    /// Phone.
    pub phone: String,
    /// Mail address.
    pub email: String,
}

/// A customer ready to be written.
#[derive(Clone, Debug)]
pub struct Prepared {
    customer: Customer,
    contact: Option<FirstContact>,
    document: Document,
    name_sort: String,
    facts: Map<String, Json>,
}

impl Prepared {
    /// The customer as it will be stored; its number is empty when the system shall make one.
    pub fn customer(&self) -> &Customer {
        &self.customer
    }
}

/// Checks a draft and does everything that needs no database. `owner` was checked by the caller: he is active, and the
/// actor may give customers to him.
pub fn prepare(
    catalogue: &Catalogue,
    actor: &Actor,
    kind: Kind,
    draft: &Draft,
    owner: Option<PersonId>,
    contact: Option<FirstContact>,
    now: Millis,
) -> Result<Prepared, Vec<FieldError>> {
    let number = draft.number.as_deref().map(str::trim).unwrap_or_default();
    let mut errors: Vec<FieldError> = check_number(number).into_iter().collect();
    errors.extend(refused_new(actor, &Facts { owner_id: owner, ..Facts::default() }, draft));
    let cleaned = clean(catalogue, kind, draft, None, now).unwrap_or_else(|more| {
        errors.extend(more);
        Default::default()
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut values = Values::default();
    for (field, value) in cleaned.fields {
        values.set(field, value);
    }
    if values[Field::Class].is_empty()
        && catalogue.dictionary("customer_class").entry(DEFAULT_CLASS).is_some_and(|e| e.is_active)
    {
        values.set(Field::Class, DEFAULT_CLASS.into());
    }
    let customer = Customer {
        id: CustomerId::new(),
        number: number.to_owned(),
        kind,
        owner_id: owner,
        unit_id: None,
        completeness: completeness(kind, &values, contact.is_some()),
        open_needs: 0,
        values,
        tags: cleaned.tags.unwrap_or_default(),
        custom: cleaned
            .custom
            .map(|c| c.into_iter().filter(|(_, v)| !v.is_null()).collect())
            .unwrap_or_default(),
        last_activity_at: None,
        version: 1,
        created_at: now,
        created_by: actor.person_id,
        updated_at: now,
        updated_by: actor.person_id,
        deleted_at: None,
        withheld: Withheld::default(),
    };
    let mut document = words(&customer);
    if let Some(contact) = &contact {
        document = document.piece(&contact.name).piece(&contact.phone);
    }
    let facts = match facts(&customer) {
        Json::Object(facts) => facts,
        _ => Map::new(),
    };
    Ok(Prepared { name_sort: name_sort(customer.name()), customer, contact, document, facts })
}

/// Writes them all, each with number, keys, search document, counts, event, audit row and contact, in the order given.
/// The first one that cannot be written fails them all.
pub fn create_many(
    tx: &mut Tx<'_>,
    actor: &Actor,
    all: &[&Prepared],
    import: Option<ImportId>,
    now: Millis,
) -> Result<(), AppError> {
    if all.is_empty() {
        return Ok(());
    }
    let numbers = give_numbers(tx, all)?;
    let units = units_of(tx, all, now)?;
    for (prepared, unit_id) in all.iter().zip(&units) {
        let customer = &prepared.customer;
        let will_be = Facts { id: 0, owner_id: customer.owner_id, unit_id: *unit_id, record: Some(customer) };
        access::require(actor, Object::Customer, Verb::Create, &will_be)?;
    }
    insert_customers(tx, all, &numbers, &units, import)?;
    insert_keys(tx, all, &numbers)?;
    let documents: Vec<(i64, Document)> = all
        .iter()
        .zip(&numbers)
        .zip(&units)
        .map(|((p, number), unit)| {
            // Whose it is, and a number the system made, are not yet in the document.
            let document = search::tagged(p.document.clone(), p.customer.owner_id, *unit);
            let document = if p.customer.number.is_empty() { document.piece(number) } else { document };
            (p.customer.id.0, document)
        })
        .collect();
    search::put_new(tx, &documents)?;
    let mut deltas = Deltas::default();
    for (prepared, unit_id) in all.iter().zip(&units) {
        count(&mut deltas, &Customer { unit_id: *unit_id, ..prepared.customer.clone() }, 1);
    }
    deltas.apply(tx)?;
    let contacts = insert_contacts(tx, all)?;
    let mut happened: Vec<(&'static str, &'static str, i64, i64)> =
        all.iter().map(|p| ("customer.created", "customer", p.customer.id.0, p.customer.id.0)).collect();
    happened.extend(contacts.iter().map(|(id, p)| ("contact.created", "contact", id.0, p.customer.id.0)));
    events::emit_all(tx, actor, now, &happened)?;
    let mut after: Vec<Json> = Vec::with_capacity(all.len() + contacts.len());
    for ((prepared, number), unit) in all.iter().zip(&numbers).zip(&units) {
        let mut facts = prepared.facts.clone();
        facts.insert("number".into(), number.as_str().into());
        if unit.is_some() {
            facts.insert("unit_id".into(), json!(unit));
        }
        after.push(Json::Object(facts));
    }
    after.extend(contacts.iter().map(|(_, p)| contact_facts(p.contact.as_ref())));
    let entries: Vec<Entry<'_>> = happened
        .iter()
        .zip(&after)
        .map(|((action, object, id, customer), after)| {
            Entry::of(action, object, *id).customer(*customer).after(after)
        })
        .collect();
    audit::record_all(tx, actor, now, &entries)?;
    Ok(())
}

fn give_numbers(tx: &mut Tx<'_>, all: &[&Prepared]) -> Result<Vec<String>, AppError> {
    let wanting = all.iter().filter(|p| p.customer.number.is_empty()).count() as i64;
    numbers::note_given(tx, all.iter().map(|p| p.customer.number.as_str()))?;
    let mut next = numbers::take(tx, wanting)?;
    Ok(all
        .iter()
        .map(|p| {
            if p.customer.number.is_empty() {
                next += 1;
                numbering::written(next - 1)
            } else {
                p.customer.number.clone()
            }
        })
        .collect())
}

/// The units of the owners' main posts.
fn units_of(tx: &mut Tx<'_>, all: &[&Prepared], now: Millis) -> store::Result<Vec<Option<UnitId>>> {
    let mut known: HashMap<PersonId, Option<UnitId>> = HashMap::new();
    all.iter()
        .map(|prepared| match prepared.customer.owner_id {
            None => Ok(None),
            Some(owner) => match known.get(&owner) {
                Some(unit) => Ok(*unit),
                None => {
                    let unit = org::main_unit(tx, owner, now)?;
                    known.insert(owner, unit);
                    Ok(unit)
                }
            },
        })
        .collect()
}

fn insert_customers(
    tx: &mut Tx<'_>,
    all: &[&Prepared],
    numbers: &[String],
    units: &[Option<UnitId>],
    import: Option<ImportId>,
) -> Result<(), AppError> {
    static INSERT: LazyLock<String> = LazyLock::new(|| {
        let keys: Vec<&str> = SPECS.iter().map(|s| s.key).collect();
        format!(
            "INSERT INTO customers (id, number, kind, owner_id, name_sort, province, tags, custom, completeness,
             import_id, version, created_at, created_by, updated_at, updated_by, unit_id, {})",
            keys.join(", ")
        )
    });
    let rows: Vec<Vec<Value<'_>>> = all
        .iter()
        .zip(numbers)
        .zip(units)
        .map(|((prepared, number), unit)| {
            let customer = &prepared.customer;
            let mut row: Vec<Value<'_>> = Vec::with_capacity(16 + SPECS.len());
            row.extend([
                customer.id.into(),
                number.into(),
                customer.kind.code().into(),
                customer.owner_id.into(),
                (&prepared.name_sort).into(),
                regions::province(customer.get(Field::Region)).into(),
                json!(customer.tags).into(),
                Json::Object(customer.custom.clone()).into(),
                customer.completeness.into(),
                import.into(),
                customer.version.into(),
                customer.created_at.into(),
                customer.created_by.into(),
                customer.updated_at.into(),
                customer.updated_by.into(),
                (*unit).into(),
            ]);
            row.extend(customer.values.0.iter().map(Value::from));
            row
        })
        .collect();
    let only = if let [one] = numbers { one.as_str() } else { "" };
    let is_given = all.iter().any(|p| !p.customer.number.is_empty());
    tx.insert_rows(&INSERT, &rows, "").map_err(|error| numbers::refused(error, only, is_given))?;
    Ok(())
}

fn insert_keys(tx: &mut Tx<'_>, all: &[&Prepared], numbers: &[String]) -> store::Result<()> {
    let mut rows: Vec<Vec<Value<'_>>> = Vec::with_capacity(all.len() * 5);
    for (prepared, number) in all.iter().zip(numbers) {
        let customer = &prepared.customer;
        let phones: Vec<String> = prepared.contact.iter().map(|c| c.phone.clone()).collect();
        for (keyed, key) in keys(customer.kind, number, &customer.values, &phones) {
            rows.push(vec![keyed.code().into(), Value::Owned(key), customer.id.into()]);
        }
    }
    tx.insert_rows(
        "INSERT INTO customer_keys (kind, key, customer_id)",
        &rows,
        "ON CONFLICT (kind, key, customer_id) DO NOTHING",
    )
    .map(drop)
}

fn insert_contacts<'p>(
    tx: &mut Tx<'_>,
    all: &[&'p Prepared],
) -> store::Result<Vec<(ContactId, &'p Prepared)>> {
    let with: Vec<(ContactId, &Prepared)> =
        all.iter().filter(|p| p.contact.is_some()).map(|p| (ContactId::new(), *p)).collect();
    let mut rows: Vec<Vec<Value<'_>>> = Vec::with_capacity(with.len());
    for (id, prepared) in &with {
        let (Some(contact), customer) = (&prepared.contact, &prepared.customer) else { continue };
        rows.push(vec![
            (*id).into(),
            customer.id.into(),
            (&contact.name).into(),
            (&contact.title).into(),
            (&contact.department).into(),
            (&contact.phone).into(),
            (&contact.email).into(),
            true.into(),
            1_i64.into(),
            customer.created_at.into(),
            customer.created_by.into(),
            customer.created_at.into(),
            customer.created_by.into(),
        ]);
    }
    tx.insert_rows(
        "INSERT INTO contacts (id, customer_id, name, title, department, phone, email, is_primary, version,
         created_at, created_by, updated_at, updated_by)",
        &rows,
        "",
    )?;
    Ok(with)
}

fn contact_facts(contact: Option<&FirstContact>) -> Json {
    let Some(contact) = contact else { return Json::Null };
    let mut facts = Map::new();
    for (key, value) in [
        ("name", &contact.name),
        ("title", &contact.title),
        ("department", &contact.department),
        ("phone", &contact.phone),
        ("email", &contact.email),
    ] {
        if !value.is_empty() {
            facts.insert(key.into(), value.as_str().into());
        }
    }
    facts.insert("is_primary".into(), true.into());
    Json::Object(facts)
}
