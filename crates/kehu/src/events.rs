//! The outbox: what happened, written in the transaction of the change, in the order of ids. Regulations, live pages
//! and integrations read it from there.

use store::Tx;

use crate::access::Actor;
use crate::clock::Millis;
use crate::ids::PersonId;

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
    emit_by(tx, actor.person_id, now, kind, object, object_id, customer_id)
}

/// `emit` for what nobody in particular did: the person is 0 then.
pub fn emit_by(
    tx: &mut Tx<'_>,
    by: PersonId,
    now: Millis,
    kind: &'static str,
    object: &'static str,
    object_id: i64,
    customer_id: i64,
) -> store::Result<()> {
    emit_with(tx, by, now, kind, object, object_id, customer_id, "")
}

/// `emit_by` with more that the event tells, as a JSON object.
#[expect(clippy::too_many_arguments, reason = "each is a column of the outbox")]
pub fn emit_with(
    tx: &mut Tx<'_>,
    by: PersonId,
    now: Millis,
    kind: &'static str,
    object: &'static str,
    object_id: i64,
    customer_id: i64,
    facts: &str,
) -> store::Result<()> {
    tx.exec(
        "INSERT INTO events (id, at, kind, object, object_id, customer_id, actor_id, facts)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8)",
        &[
            store::new_id().into(),
            now.into(),
            kind.into(),
            object.into(),
            object_id.into(),
            customer_id.into(),
            by.into(),
            facts.into(),
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
