//! Counts that are kept, not scanned: each change adds or takes away in its own transaction, so that a workbench or
//! a list's total costs the same at any size. One row a writer slot, so that writers do not wait for each other.

use std::collections::BTreeMap;

use store::{Conn, Tx, Value};

use crate::ids::PersonId;

/// What shall be added to which count. Equal counts are added up before they are written.
#[derive(Debug, Default)]
pub struct Deltas(BTreeMap<(&'static str, i64, String), i64>);

/// Stands for "whoever the owner is".
pub const EVERYBODY: i64 = 0;
/// Stands for "no owner".
pub const NOBODY: i64 = -1;

impl Deltas {
    /// Adds `by` to the count `name` of `key`, for the owner and for everybody.
    pub fn add(&mut self, name: &'static str, key: &str, owner: Option<PersonId>, by: i64) {
        for owner in [EVERYBODY, owner.map_or(NOBODY, |p| p.0)] {
            *self.0.entry((name, owner, key.to_owned())).or_default() += by;
        }
    }

    /// Writes them down.
    pub fn apply(self, tx: &mut Tx<'_>) -> store::Result<()> {
        let slot = tx.slot();
        let rows: Vec<Vec<Value<'_>>> = self
            .0
            .into_iter()
            .filter(|(_, by)| *by != 0)
            .map(|((name, owner, key), by)| {
                vec![name.into(), key.into(), owner.into(), slot.into(), by.into()]
            })
            .collect();
        tx.insert_rows(
            "INSERT INTO counters (name, key, owner_id, slot, n)",
            &rows,
            "ON CONFLICT (name, owner_id, key, slot) DO UPDATE SET n = counters.n + excluded.n",
        )
        .map(drop)
    }
}

/// The counts of one name by key; of one owner, or of everybody for `None`. Keys with a count of 0 are left out.
pub fn by_key(conn: &mut Conn<'_>, name: &str, owner: Option<PersonId>) -> store::Result<Vec<(String, i64)>> {
    conn.rows(
        "SELECT key, CAST(SUM(n) AS BIGINT) FROM counters WHERE name = $1 AND owner_id = $2
         GROUP BY key HAVING SUM(n) <> 0 ORDER BY key",
        &[name.into(), owner.map_or(EVERYBODY, |p| p.0).into()],
    )
}

/// One count.
pub fn one(conn: &mut Conn<'_>, name: &str, key: &str, owner: Option<PersonId>) -> store::Result<i64> {
    Ok(conn
        .value::<Option<i64>>(
            "SELECT CAST(SUM(n) AS BIGINT) FROM counters WHERE name = $1 AND owner_id = $2 AND key = $3",
            &[name.into(), owner.map_or(EVERYBODY, |p| p.0).into(), key.into()],
        )?
        .flatten()
        .unwrap_or(0))
}
