//! The outbox: what happened, written in the transaction of the change, in the order of ids. Regulations, live pages
//! and integrations read it from there.

use store::Tx;

use crate::access::Actor;
use crate::clock::Millis;

/// Notes that something happened to an object of a customer (`customer.created`, `contact.updated` …).
pub fn emit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Millis,
    kind: &'static str,
    object: &'static str,
    object_id: i64,
    customer_id: i64,
) -> store::Result<()> {
    tx.exec(
        "INSERT INTO events (id, at, kind, object, object_id, customer_id, actor_id) VALUES ($1,$2,$3,$4,$5,$6,$7)",
        &[
            store::new_id().into(),
            now.into(),
            kind.into(),
            object.into(),
            object_id.into(),
            customer_id.into(),
            actor.person_id.into(),
        ],
    )
    .map(drop)
}

/// Notes many things at once: (kind, object, object id, customer id).
pub fn emit_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Millis,
    all: &[(&'static str, &'static str, i64, i64)],
) -> store::Result<()> {
    let rows: Vec<Vec<store::Value<'_>>> = all
        .iter()
        .map(|(kind, object, object_id, customer_id)| {
            vec![
                store::new_id().into(),
                now.into(),
                (*kind).into(),
                (*object).into(),
                (*object_id).into(),
                (*customer_id).into(),
                actor.person_id.into(),
            ]
        })
        .collect();
    tx.insert_rows("INSERT INTO events (id, at, kind, object, object_id, customer_id, actor_id)", &rows, "")
        .map(drop)
}
