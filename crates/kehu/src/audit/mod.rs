//! The audit log: who did what to what, when and from where, with the values before and after, written in the
//! transaction of the change itself and chained by hashes. Rows are never changed or removed by the application.
//!
//! There is one chain a writer slot, so that PostgreSQL's writers do not wait for each other at the head. A row's hash
//! covers the hash before it; the heads are kept apart, so that a cut tail is seen.

mod verify;

pub mod web;

pub use verify::{ChainReport, Problem, verify};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use store::Tx;

use crate::access::Actor;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What: `customer.created`, `login.failed`, `access.denied` …
    pub action: &'static str,
    /// To what kind of thing.
    pub object: &'static str,
    /// To which one; 0 for none.
    pub object_id: i64,
    /// The customer it belongs to; 0 for none.
    pub customer_id: i64,
    /// Changed values before; `None` when there were none.
    pub before: Option<&'a Json>,
    /// Changed values after.
    pub after: Option<&'a Json>,
    /// `ok` or `denied` or `failed`.
    pub result: &'static str,
}

impl<'a> Entry<'a> {
    /// Something that succeeded, of a customer.
    pub fn of_customer(action: &'static str, customer_id: i64) -> Self {
        Self {
            action,
            object: "customer",
            object_id: customer_id,
            customer_id,
            before: None,
            after: None,
            result: "ok",
        }
    }

    /// Something that succeeded, of another object.
    pub fn of(action: &'static str, object: &'static str, object_id: i64) -> Self {
        Self { action, object, object_id, customer_id: 0, before: None, after: None, result: "ok" }
    }

    /// With the values after.
    pub fn after(mut self, after: &'a Json) -> Self {
        self.after = Some(after);
        self
    }

    /// With the values before and after.
    pub fn change(mut self, before: &'a Json, after: &'a Json) -> Self {
        self.before = Some(before);
        self.after = Some(after);
        self
    }

    /// Belonging to a customer.
    pub fn customer(mut self, customer_id: i64) -> Self {
        self.customer_id = customer_id;
        self
    }

    /// With another result than `ok`.
    pub fn result(mut self, result: &'static str) -> Self {
        self.result = result;
        self
    }
}

/// Writes one row. Call it in the transaction of the change. On whose behalf it was done stands among the values after.
pub fn record(tx: &mut Tx<'_>, actor: &Actor, now: Millis, entry: &Entry<'_>) -> store::Result<()> {
    record_all(tx, actor, now, std::slice::from_ref(entry))
}

/// Writes several rows with one reading and one writing of the chain's head.
pub fn record_all(tx: &mut Tx<'_>, actor: &Actor, now: Millis, entries: &[Entry<'_>]) -> store::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let chain = tx.slot();
    let (mut seq, mut hash) = claim_head(tx, chain, entries.len() as i64)?;
    let mut written = Vec::with_capacity(entries.len());
    for entry in entries {
        seq += 1;
        let after = match actor.acting_for {
            None => entry.after.map(Json::to_string),
            Some(person) => Some(on_behalf(entry.after, person).to_string()),
        };
        let row = Written {
            id: store::new_id(),
            chain,
            seq,
            at: now,
            actor_id: actor.person_id.0,
            actor_name: actor.name.clone(),
            via: actor.via.code().to_owned(),
            ip: actor.ip.clone(),
            request_id: actor.request_id.clone(),
            action: entry.action.to_owned(),
            object: entry.object.to_owned(),
            object_id: entry.object_id,
            customer_id: entry.customer_id,
            before: entry.before.map(Json::to_string).unwrap_or_default(),
            after: after.unwrap_or_default(),
            result: entry.result.to_owned(),
        };
        hash = row.hash(&hash);
        written.push((row, hash.clone()));
    }
    insert(tx, &written)?;
    tx.exec("UPDATE audit_heads SET hash = $2 WHERE chain = $1", &[chain.into(), (&hash).into()])?;
    Ok(())
}

/// A denial, as the log keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    action: &'static str,
    object: &'static str,
    object_id: i64,
}

impl Denial {
    /// `None` for errors that deny nobody anything.
    pub fn of(error: &AppError) -> Option<Self> {
        let (action, object, object_id) = match error {
            AppError::Hidden { object, id } => ("access.hidden", *object, *id),
            AppError::Forbidden(_) => ("access.refused", "route", 0),
            _ => return None,
        };
        Some(Self { action, object, object_id })
    }

    /// Writes its row; `place` says where it was: a path, or the name of an act.
    pub fn record(&self, tx: &mut Tx<'_>, actor: &Actor, now: Millis, place: &str) -> store::Result<()> {
        let after = json!({ "path": place.chars().take(300).collect::<String>() });
        let customer = if self.object == "customer" { self.object_id } else { 0 };
        let entry = Entry::of(self.action, self.object, self.object_id).customer(customer).after(&after);
        record(tx, actor, now, &entry.result("denied"))
    }
}

/// Notes a denial that is about to be answered with something else (the reason in a form, "does not exist"), so that
/// nothing else notes it. Lasts though the transaction may be taken back. Nothing for other errors. Handlers outside of
/// a transaction call `web::note_denial`.
pub fn note_denial(tx: &mut Tx<'_>, actor: &Actor, now: Millis, error: &AppError, place: &'static str) {
    if let Some(denial) = Denial::of(error) {
        let actor = actor.clone();
        tx.lasting(move |tx| denial.record(tx, &actor, now, place));
    }
}

/// The values after, with the one on whose behalf it was done.
fn on_behalf(after: Option<&Json>, person: PersonId) -> Json {
    let mut values = after.and_then(Json::as_object).cloned().unwrap_or_default();
    values.insert("acting_for".into(), json!(person));
    Json::Object(values)
}

/// Where the chains end: chain, number of the last row, its hash.
pub fn heads(conn: &mut store::Conn<'_>) -> store::Result<Vec<(i64, i64, String)>> {
    conn.rows("SELECT chain, seq, hash FROM audit_heads ORDER BY chain", &[])
}

/// Moves the head on by `count` (which locks it until the transaction ends) and answers where it stood.
fn claim_head(tx: &mut Tx<'_>, chain: i64, count: i64) -> store::Result<(i64, String)> {
    const CLAIM: &str = "UPDATE audit_heads SET seq = seq + $2 WHERE chain = $1 RETURNING seq, hash";
    if let Some((seq, hash)) = tx.row::<(i64, String)>(CLAIM, &[chain.into(), count.into()])? {
        return Ok((seq - count, hash));
    }
    tx.exec(
        "INSERT INTO audit_heads (chain, seq, hash) VALUES ($1, 0, '') ON CONFLICT (chain) DO NOTHING",
        &[chain.into()],
    )?;
    let (seq, hash) =
        tx.row::<(i64, String)>(CLAIM, &[chain.into(), count.into()])?.ok_or(store::Error::NoRow)?;
    Ok((seq - count, hash))
}

/// A row as it stands in the table.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) id: i64,
    pub(crate) chain: i64,
    pub(crate) seq: i64,
    pub(crate) at: Millis,
    pub(crate) actor_id: i64,
    pub(crate) actor_name: String,
    pub(crate) via: String,
    pub(crate) ip: String,
    pub(crate) request_id: String,
    pub(crate) action: String,
    pub(crate) object: String,
    pub(crate) object_id: i64,
    pub(crate) customer_id: i64,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) result: String,
}

/// Columns in the order `Written` is read.
pub(crate) const COLUMNS: &str = "id, chain, seq, at, actor_id, actor_name, via, ip, request_id, action, object, \
                                  object_id, customer_id, before, after, result, hash";

/// How many columns those are.
pub(crate) const WIDTH: usize = 17;

impl Written {
    /// SHA-256 over the hash before and every field, each with its length, so that no two rows read alike.
    pub(crate) fn hash(&self, previous: &str) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(previous.as_bytes());
        for number in
            [self.id, self.chain, self.seq, self.at, self.actor_id, self.object_id, self.customer_id]
        {
            part(&number.to_be_bytes());
        }
        for text in [
            &self.actor_name,
            &self.via,
            &self.ip,
            &self.request_id,
            &self.action,
            &self.object,
            &self.before,
            &self.after,
            &self.result,
        ] {
            part(text.as_bytes());
        }
        hex(&hash.finalize())
    }
}

/// Inserts rows with their hashes.
fn insert(tx: &mut Tx<'_>, rows: &[(Written, String)]) -> store::Result<()> {
    let rows: Vec<Vec<store::Value<'_>>> = rows
        .iter()
        .map(|(row, hash)| {
            vec![
                row.id.into(),
                row.chain.into(),
                row.seq.into(),
                row.at.into(),
                row.actor_id.into(),
                (&row.actor_name).into(),
                (&row.via).into(),
                (&row.ip).into(),
                (&row.request_id).into(),
                (&row.action).into(),
                (&row.object).into(),
                row.object_id.into(),
                row.customer_id.into(),
                (&row.before).into(),
                (&row.after).into(),
                (&row.result).into(),
                hash.into(),
            ]
        })
        .collect();
    tx.insert_rows(&format!("INSERT INTO audit_log ({COLUMNS})"), &rows, "").map(drop)
}

impl store::FromRow for Written {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            chain: row.get(1)?,
            seq: row.get(2)?,
            at: row.get(3)?,
            actor_id: row.get(4)?,
            actor_name: row.get(5)?,
            via: row.get(6)?,
            ip: row.get(7)?,
            request_id: row.get(8)?,
            action: row.get(9)?,
            object: row.get(10)?,
            object_id: row.get(11)?,
            customer_id: row.get(12)?,
            before: row.get(13)?,
            after: row.get(14)?,
            result: row.get(15)?,
        })
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        text.push(DIGITS[usize::from(b >> 4)] as char);
        text.push(DIGITS[usize::from(b & 15)] as char);
    }
    text
}
