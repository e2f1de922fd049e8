//! Classification schemes: which value of a scheme a customer carries, or which several.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};
use store::{Conn, Tx};

use super::load::load_for;
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::CustomerId;
use crate::{events, text};

/// Values by scheme.
pub type Marks = BTreeMap<String, Vec<String>>;

/// The values of a customer by scheme. Decide about the customer first.
pub fn of_customer(conn: &mut Conn<'_>, id: CustomerId) -> store::Result<Marks> {
    Ok(marks_of(conn, [id])?.remove(&id).unwrap_or_default())
}

/// The values of customers by scheme; those without any are left out. Decide about the customers first.
pub fn marks_of(
    conn: &mut Conn<'_>,
    ids: impl IntoIterator<Item = CustomerId>,
) -> store::Result<HashMap<CustomerId, Marks>> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.0.to_string()).collect();
    let mut all: HashMap<CustomerId, Marks> = HashMap::new();
    for chunk in ids.chunks(100) {
        let sql = format!(
            "SELECT customer_id, scheme, value FROM customer_marks WHERE customer_id IN ({})
             ORDER BY customer_id, scheme, value",
            chunk.join(", ")
        );
        let rows: Vec<(CustomerId, String, String)> = conn.rows(&sql, &[])?;
        for (id, scheme, value) in rows {
            all.entry(id).or_default().entry(scheme).or_default().push(value);
        }
    }
    Ok(all)
}

/// The schemes by which some customer is classified, in their order.
pub fn schemes_used(conn: &mut Conn<'_>, catalogue: &Catalogue) -> store::Result<Vec<String>> {
    let mut used = Vec::new();
    for name in catalogue.customer_schemes() {
        let sql = "SELECT customer_id FROM customer_marks WHERE scheme = $1 LIMIT 1";
        if conn.value::<i64>(sql, &[name.into()])?.is_some() {
            used.push(name.clone());
        }
    }
    Ok(used)
}

/// Whether the actor may classify a customer by a scheme, and customers are classified by it.
pub fn require(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: CustomerId,
    scheme: &str,
) -> Result<(), AppError> {
    load_for(tx, actor, Object::Customer, Verb::Update, id)?;
    if !catalogue.customer_schemes().any(|name| name == scheme) {
        return Err(AppError::NotFound);
    }
    Ok(())
}

/// Gives a customer these values of a scheme and takes the others of it away; none takes all away. A scheme with a
/// single choice takes one. Setting what is already set writes nothing.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: CustomerId,
    scheme: &str,
    values: &[String],
    now: Millis,
) -> Result<(), AppError> {
    require(tx, actor, catalogue, id, scheme)?;
    let dictionary = catalogue.dictionary(scheme);
    let before = of_customer(tx, id)?.remove(scheme).unwrap_or_default();
    let mut wanted: Vec<String> = values.iter().filter(|v| !v.is_empty()).cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.len() > 1 && !dictionary.is_multiple {
        return Err(AppError::field("values", text!("“{}”只能选一项", dictionary.word())));
    }
    for value in &wanted {
        // A retired value may stay where it is.
        let is_known = dictionary.entry(value).is_some_and(|e| e.is_active || before.contains(value));
        if !is_known {
            return Err(AppError::field("values", text!("请从列出的值中选择")));
        }
    }
    if wanted == before {
        return Ok(());
    }
    for value in before.iter().filter(|v| !wanted.contains(v)) {
        tx.exec(
            "DELETE FROM customer_marks WHERE customer_id = $1 AND scheme = $2 AND value = $3",
            &[id.into(), scheme.into(), value.into()],
        )?;
    }
    for value in wanted.iter().filter(|v| !before.contains(v)) {
        tx.exec(
            "INSERT INTO customer_marks (customer_id, scheme, value, set_at, set_by) VALUES ($1, $2, $3, $4, $5)",
            &[id.into(), scheme.into(), value.into(), now.into(), actor.person_id.into()],
        )?;
    }
    events::emit(tx, actor, now, "customer.marked", "customer", id.0, id.0)?;
    let key = format!("mark.{scheme}");
    let (before, after): (Json, Json) = (json!({ &key: before }), json!({ &key: wanted }));
    audit::record(tx, actor, now, &Entry::of_customer("customer.marked", id.0).change(&before, &after))?;
    Ok(())
}
