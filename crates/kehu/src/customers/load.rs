//! Reading one customer for an actor.

use std::sync::LazyLock;

use store::{Conn, Row};

use super::fields::SPECS;
use super::model::{Customer, Kind, Values};
use super::withhold::{Withheld, withhold};
use crate::access::{self, Actor, Facts, Fields, Object, Verb};
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId, UnitId};

/// The columns `read_row` expects, under the alias `c`.
pub static COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let mut columns =
        "c.id, c.number, c.kind, c.owner_id, c.tags, c.custom, c.completeness, c.last_activity_at, \
                       c.version, c.created_at, c.created_by, c.updated_at, c.updated_by, c.deleted_at, c.open_needs, c.unit_id"
            .to_owned();
    for spec in &SPECS {
        columns.push_str(", c.");
        columns.push_str(spec.key);
    }
    columns
});

const FIRST_FIELD: usize = 16;

/// Reads a row selected with `COLUMNS`.
pub fn read_row(row: &Row<'_>) -> store::Result<Customer> {
    let mut values = Values::default();
    for (n, value) in values.0.iter_mut().enumerate() {
        *value = row.get(FIRST_FIELD + n)?;
    }
    let custom = match row.get::<serde_json::Value>(5)? {
        serde_json::Value::Object(custom) => custom,
        _ => serde_json::Map::new(),
    };
    Ok(Customer {
        id: row.get(0)?,
        number: row.get(1)?,
        kind: if row.get::<String>(2)? == "person" { Kind::Person } else { Kind::Organisation },
        owner_id: row.get(3)?,
        tags: serde_json::from_value(row.get(4)?).unwrap_or_default(),
        custom,
        completeness: row.get(6)?,
        last_activity_at: row.get(7)?,
        version: row.get(8)?,
        created_at: row.get(9)?,
        created_by: row.get(10)?,
        updated_at: row.get(11)?,
        updated_by: row.get(12)?,
        deleted_at: row.get(13)?,
        open_needs: row.get(14)?,
        unit_id: row.get(15)?,
        values,
        withheld: Withheld::default(),
    })
}

impl store::FromRow for Customer {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        read_row(row)
    }
}

/// A customer the actor may read, as he may see it; one he may not know is `Hidden`.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, id: CustomerId) -> Result<Customer, AppError> {
    Ok(withhold(actor, load_for(conn, actor, Object::Customer, Verb::Read, id)?))
}

/// A living customer on which the actor may do `verb` to `object`, whole: nothing is withheld, so it must not leave the
/// program as it is. To change it or what hangs on it, it stays as it is read until the transaction ends: its counts,
/// completeness and main contact follow from what was read.
pub fn load_for(
    conn: &mut Conn<'_>,
    actor: &Actor,
    object: Object,
    verb: Verb,
    id: CustomerId,
) -> Result<Customer, AppError> {
    static SELECT: LazyLock<String> = LazyLock::new(|| {
        format!("SELECT {} FROM customers c WHERE c.id = $1 AND c.deleted_at IS NULL", *COLUMNS)
    });
    let found = match lock(conn, verb) {
        "" => conn.row(&SELECT, &[id.into()])?,
        lock => conn.row(&format!("{}{lock}", *SELECT), &[id.into()])?,
    };
    let customer: Customer = found.ok_or(AppError::NotFound)?;
    access::require(actor, object, verb, &customer.facts())?;
    Ok(customer)
}

/// A customer the actor may change, as he may see it: for forms.
pub fn load_to_edit(conn: &mut Conn<'_>, actor: &Actor, id: CustomerId) -> Result<Customer, AppError> {
    Ok(withhold(actor, load_for(conn, actor, Object::Customer, Verb::Update, id)?))
}

/// Whether the actor may do `verb` to `object` on a living customer, without loading it whole where that is not needed;
/// answers the rules for the object's fields.
pub fn require<'a>(
    conn: &mut Conn<'_>,
    actor: &'a Actor,
    object: Object,
    verb: Verb,
    id: CustomerId,
) -> Result<Fields<'a>, AppError> {
    if actor.rights.asks_conditions() {
        let customer = load_for(conn, actor, object, verb, id)?;
        return Ok(actor.rights.fields(object, &customer.facts()));
    }
    let lock = lock(conn, verb);
    let sql = format!("SELECT owner_id, unit_id FROM customers WHERE id = $1 AND deleted_at IS NULL{lock}");
    let found: Option<(Option<PersonId>, Option<UnitId>)> = conn.row(&sql, &[id.into()])?;
    let (owner_id, unit_id) = found.ok_or(AppError::NotFound)?;
    let facts = Facts { id: id.0, owner_id, unit_id, record: None };
    access::require(actor, object, verb, &facts)?;
    Ok(actor.rights.fields(object, &facts))
}

fn lock(conn: &Conn<'_>, verb: Verb) -> &'static str {
    if matches!(verb, Verb::Read | Verb::Export) { "" } else { conn.for_change() }
}
