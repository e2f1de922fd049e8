//! Making a customer.

use std::collections::HashSet;
use std::sync::LazyLock;

use store::{Conn, Tx, Value};

use super::fields::{Field, SPECS};
use super::index::index_new;
use super::model::{Customer, Draft, Values, clean, completeness, is_forbidden};
use super::numbers;
use super::withhold::{Withheld, refused_new, withhold};
use crate::access::{self, Actor, Facts, Object, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, month_of};
use crate::counters::Deltas;
use crate::error::{AppError, FieldError};
use crate::ids::{CustomerId, ImportId, PersonId, UnitId};
use crate::{events, numbering, org, regions, text};

/// Makes a customer, for whoever may; it is his own unless he may assign customers and names another owner. It belongs
/// to the named unit, else to that of the owner's main post. Writes the number, the search document, the duplicate keys, the counts, the event and the audit row with
/// it. Answers the customer as the actor sees it.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    draft: &Draft,
    import: Option<ImportId>,
    now: Millis,
) -> Result<Customer, AppError> {
    let kind = draft.kind.ok_or_else(|| AppError::field("kind", text!("请选择客户性质：个人或企业")))?;
    let mut errors = Vec::new();
    let cleaned = clean(catalogue, kind, draft, None, now).unwrap_or_else(|e| {
        errors.extend(e);
        Default::default()
    });
    let wanted = draft.number.as_deref().map(str::trim).unwrap_or_default();
    if let Some(error) = check_number(wanted) {
        errors.push(error);
    }
    let owner_id = match check_owner(tx, actor, draft.owner_id)? {
        Ok(owner) => owner,
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let unit_id = match draft.unit_id {
        Some(unit) => match check_unit(tx, actor, owner_id, unit)? {
            Ok(unit) => unit,
            Err(error) => {
                errors.push(error);
                None
            }
        },
        None => owner_id.map(|o| org::main_unit(tx, o, now)).transpose()?.flatten(),
    };
    let will_be = Facts { id: 0, owner_id, unit_id, record: None };
    if let access::Decision::Refuse(text) = access::decide(actor, Object::Customer, Verb::Create, &will_be) {
        return Err(AppError::Forbidden(text));
    }
    errors.extend(refused_new(actor, &will_be, draft));
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
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
    let number = if wanted.is_empty() {
        numbering::written(numbers::take(tx, 1)?)
    } else {
        numbers::note_given(tx, [wanted])?;
        wanted.to_owned()
    };
    let customer = Customer {
        id: CustomerId::new(),
        number,
        kind,
        owner_id,
        unit_id,
        completeness: completeness(kind, &values, false),
        values,
        tags: cleaned.tags.unwrap_or_default(),
        custom: cleaned
            .custom
            .map(|c| c.into_iter().filter(|(_, v)| !v.is_null()).collect())
            .unwrap_or_default(),
        last_activity_at: None,
        open_needs: 0,
        version: 1,
        created_at: now,
        created_by: actor.person_id,
        updated_at: now,
        updated_by: actor.person_id,
        deleted_at: None,
        withheld: Withheld::default(),
    };
    insert(tx, &customer, import, !wanted.is_empty())?;
    index_new(tx, &customer)?;
    let mut deltas = Deltas::default();
    count(&mut deltas, &customer, 1);
    deltas.apply(tx)?;
    events::emit(tx, actor, now, "customer.created", "customer", customer.id.0, customer.id.0)?;
    let after = facts(&customer);
    audit::record(tx, actor, now, &Entry::of_customer("customer.created", customer.id.0).after(&after))?;
    Ok(withhold(actor, customer))
}

/// A new customer without a class is a potential one (VF-02: every customer has exactly one class).
pub(super) const DEFAULT_CLASS: &str = "potential";

pub(super) fn check_number(number: &str) -> Option<FieldError> {
    let bad = number.chars().count() > 40
        || number.chars().any(|c| {
            c.is_control() || c.is_whitespace() || is_forbidden(c) || hanzi::normal::is_invisible(c)
        });
    if bad {
        return Some(FieldError::new("number", text!("客户编号最多 40 个字符，不含空格；留空由系统编号")));
    }
    numbering::is_too_large(number).then(|| {
        FieldError::new(
            "number",
            text!(
                "“KH”开头的客户编号最多 12 位数字，太大会打乱系统编号；请改小、换一个开头，或留空由系统编号"
            ),
        )
    })
}

/// The owner a new customer gets: the given one if the actor may assign, else the actor himself.
fn check_owner(
    tx: &mut Tx<'_>,
    actor: &Actor,
    wanted: Option<Option<PersonId>>,
) -> Result<Result<Option<PersonId>, FieldError>, AppError> {
    let own = (actor.person_id.0 != 0).then_some(actor.person_id);
    let Some(wanted) = wanted else { return Ok(Ok(own)) };
    if wanted == own {
        return Ok(Ok(own));
    }
    if let Some(text) = may_not_assign(actor, own) {
        return Ok(Err(FieldError::new("owner_id", text)));
    }
    match wanted {
        None => Ok(Ok(None)),
        Some(person) => Ok(if is_active(tx, person)? {
            Ok(Some(person))
        } else {
            Err(FieldError::new("owner_id", text!("没有这位员工，或者他已停用")))
        }),
    }
}

/// Why the actor may not give a new customer to somebody else.
fn may_not_assign(actor: &Actor, own: Option<PersonId>) -> Option<crate::i18n::Text> {
    let facts = Facts { owner_id: own, unit_id: actor.rights.main_unit, ..Facts::default() };
    let may = actor.rights.covers(Object::Customer, Verb::Assign, &facts);
    (!may).then(|| access::refusal(Object::Customer, Verb::Assign))
}

/// The unit a new customer gets, if the actor may name one and it is open.
fn check_unit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    owner: Option<PersonId>,
    unit: Option<UnitId>,
) -> Result<Result<Option<UnitId>, FieldError>, AppError> {
    if unit == actor.rights.main_unit {
        return Ok(Ok(unit));
    }
    if let Some(text) = may_not_assign(actor, owner) {
        return Ok(Err(FieldError::new("unit_id", text)));
    }
    is_open(tx, unit).map(|open| if open { Ok(unit) } else { Err(no_such_unit()) }).map_err(Into::into)
}

pub(super) fn no_such_unit() -> FieldError {
    FieldError::new("unit_id", text!("没有这个部门，或者它已撤销"))
}

pub(super) fn is_open(tx: &mut Tx<'_>, unit: Option<UnitId>) -> store::Result<bool> {
    let Some(unit) = unit else { return Ok(true) };
    let closed: Option<String> = tx.value("SELECT closed_on FROM units WHERE id = $1", &[unit.into()])?;
    Ok(closed.is_some_and(|day| day.is_empty()))
}

pub(super) fn is_active(tx: &mut Tx<'_>, person: PersonId) -> store::Result<bool> {
    let found: Option<bool> = tx.value("SELECT is_active FROM people WHERE id = $1", &[person.into()])?;
    Ok(found == Some(true))
}

fn insert(
    tx: &mut Tx<'_>,
    customer: &Customer,
    import: Option<ImportId>,
    is_number_given: bool,
) -> Result<(), AppError> {
    static INSERT: LazyLock<String> = LazyLock::new(|| {
        let keys: Vec<&str> = SPECS.iter().map(|s| s.key).collect();
        let places: Vec<String> = (1..=FIXED + keys.len()).map(|n| format!("${n}")).collect();
        format!(
            "INSERT INTO customers (id, number, kind, owner_id, name_sort, province, tags, custom, completeness,
             import_id, version, created_at, created_by, updated_at, updated_by, unit_id, {}) VALUES ({})",
            keys.join(", "),
            places.join(", ")
        )
    });
    const FIXED: usize = 16;
    let mut params: Vec<Value<'_>> = vec![
        customer.id.into(),
        (&customer.number).into(),
        customer.kind.code().into(),
        customer.owner_id.into(),
        name_sort(customer.name()).into(),
        regions::province(customer.get(Field::Region)).into(),
        serde_json::json!(customer.tags).into(),
        serde_json::Value::Object(customer.custom.clone()).into(),
        customer.completeness.into(),
        import.into(),
        customer.version.into(),
        customer.created_at.into(),
        customer.created_by.into(),
        customer.updated_at.into(),
        customer.updated_by.into(),
        customer.unit_id.into(),
    ];
    params.extend(customer.values.0.iter().map(Value::from));
    tx.exec(&INSERT, &params).map_err(|error| numbers::refused(error, &customer.number, is_number_given))?;
    Ok(())
}

/// Why a customer could not be inserted.
pub(super) fn insert_error(error: store::Error, number: &str) -> AppError {
    if error.is_unique("customers_number_key") {
        AppError::Invalid(vec![number_taken(number)])
    } else {
        error.into()
    }
}

/// What is said of a number that another living customer has.
pub fn number_taken(number: &str) -> FieldError {
    FieldError::new("number", text!("客户编号“{}”已被使用，请换一个或留空", number))
}

/// Those of these numbers that living customers have, whoever may read them: a number is one customer's alone.
pub fn taken_numbers(conn: &mut Conn<'_>, wanted: &[&str]) -> store::Result<HashSet<String>> {
    // One statement text whatever the number, so that it stays prepared.
    const AT_ONCE: usize = 50;
    static SELECT: LazyLock<String> = LazyLock::new(|| {
        let places: Vec<String> = (1..=AT_ONCE).map(|n| format!("${n}")).collect();
        format!("SELECT number FROM customers WHERE number IN ({}) AND deleted_at IS NULL", places.join(", "))
    });
    let mut taken = HashSet::new();
    for chunk in wanted.chunks(AT_ONCE) {
        let params: Vec<Value<'_>> =
            (0..AT_ONCE).map(|n| Value::Text(chunk[n.min(chunk.len() - 1)])).collect();
        let found: Vec<(String,)> = conn.rows(&SELECT, &params)?;
        taken.extend(found.into_iter().map(|(number,)| number));
    }
    Ok(taken)
}

/// Names sort by pinyin, then by characters.
pub(super) fn name_sort(name: &str) -> String {
    let mut sort = hanzi::readings::full(name);
    sort.truncate(sort.char_indices().nth(60).map_or(sort.len(), |(i, _)| i));
    sort.push(' ');
    sort.extend(name.chars().take(40));
    sort
}

/// Adds a customer to the kept counts, or takes it away with `by` -1.
pub(super) fn count(deltas: &mut Deltas, customer: &Customer, by: i64) {
    let of = (customer.owner_id, customer.unit_id);
    let class = customer.get(Field::Class);
    let province = regions::province(customer.get(Field::Region));
    deltas.add("customers", "", of, by);
    deltas.add("customers.kind", customer.kind.code(), of, by);
    deltas.add("customers.class", class, of, by);
    deltas.add("customers.level", customer.get(Field::Level), of, by);
    deltas.add("customers.source", customer.get(Field::Source), of, by);
    deltas.add("customers.class_province", &format!("{class}/{province}"), of, by);
    deltas.add("customers.complete", if customer.completeness >= 100 { "yes" } else { "no" }, of, by);
    deltas.add("customers.created_month", &month_of(customer.created_at), of, by);
    deltas.add("customers.open_needs", "", of, by * customer.open_needs);
}

/// What the audit row of a new customer holds: every value given.
pub(super) fn facts(customer: &Customer) -> serde_json::Value {
    let mut facts = serde_json::Map::new();
    facts.insert("number".into(), (&*customer.number).into());
    facts.insert("kind".into(), customer.kind.code().into());
    for spec in SPECS.iter().filter(|s| !customer.values[s.field].is_empty()) {
        facts.insert(spec.key.into(), customer.values[spec.field].into());
    }
    facts.insert("owner_id".into(), serde_json::json!(customer.owner_id));
    if customer.unit_id.is_some() {
        facts.insert("unit_id".into(), serde_json::json!(customer.unit_id));
    }
    if !customer.tags.is_empty() {
        facts.insert("tags".into(), serde_json::json!(customer.tags));
    }
    if !customer.custom.is_empty() {
        facts.insert("custom".into(), serde_json::Value::Object(customer.custom.clone()));
    }
    serde_json::Value::Object(facts)
}
