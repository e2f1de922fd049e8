//! Counts that are kept, not scanned: each change adds or takes away in its own transaction, so that a workbench or
//! a list's total costs the same at any size. Each is kept for everybody, by owner, by unit and by both, so that what
//! lies within a person's data scope can be summed. One row a writer slot, so that writers do not wait for each other.

use std::collections::BTreeMap;

use store::{Conn, Tx, Value};

use crate::access::{Actor, Object, Verb};
use crate::ids::{PersonId, UnitId};

/// What shall be added to which count. Equal counts are added up before they are written.
#[derive(Debug, Default)]
pub struct Deltas(BTreeMap<(&'static str, i64, i64, String), i64>);

/// Stands for "whoever the owner is" and "whichever the unit is".
pub const EVERYBODY: i64 = 0;
/// Stands for "no owner".
pub const NOBODY: i64 = -1;

impl Deltas {
    /// Adds `by` to the count `name` of `key`, for owner and unit and for everybody.
    pub fn add(
        &mut self,
        name: &'static str,
        key: &str,
        (owner, unit): (Option<PersonId>, Option<UnitId>),
        by: i64,
    ) {
        let owner = owner.map_or(NOBODY, |p| p.0);
        let mut add = |owner, unit| {
            *self.0.entry((name, owner, unit, key.to_owned())).or_default() += by;
        };
        add(EVERYBODY, EVERYBODY);
        add(owner, EVERYBODY);
        if let Some(unit) = unit {
            add(EVERYBODY, unit.0);
            add(owner, unit.0);
        }
    }

    /// Writes them down.
    pub fn apply(self, tx: &mut Tx<'_>) -> store::Result<()> {
        let slot = tx.slot();
        let rows: Vec<Vec<Value<'_>>> = self
            .0
            .into_iter()
            .filter(|(_, by)| *by != 0)
            .map(|((name, owner, unit, key), by)| {
                vec![name.into(), key.into(), owner.into(), unit.into(), slot.into(), by.into()]
            })
            .collect();
        tx.insert_rows(
            "INSERT INTO counters (name, key, owner_id, unit_id, slot, n)",
            &rows,
            "ON CONFLICT (name, owner_id, unit_id, key, slot) DO UPDATE SET n = counters.n + excluded.n",
        )
        .map(drop)
    }
}

/// Whose customers are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    Everybody,
    /// Those of these owners together with those of these units.
    Of {
        /// Owners; `PersonId(NOBODY)` for customers without one.
        owners: Vec<PersonId>,
        /// Units.
        units: Vec<UnitId>,
    },
}

impl Whose {
    /// Those of one owner.
    pub fn owner(owner: PersonId) -> Self {
        Self::Of { owners: vec![owner], units: Vec::new() }
    }

    /// The customers an actor may read, as far as they can be told by owner and unit. `None` where they cannot:
    /// scopes with conditions, grants on single customers, exclusions.
    pub fn within(actor: &Actor) -> Option<Self> {
        if actor.sees_all_customers() {
            return Some(Self::Everybody);
        }
        let rights = &actor.rights;
        let is_plain = rights.granted.is_empty() && rights.excluded.is_empty();
        match rights.whole(Object::Customer, Verb::Read) {
            _ if !is_plain => None,
            None => Some(Self::Of { owners: Vec::new(), units: Vec::new() }),
            Some(whole) if whole.everything || !whole.conditions.is_empty() => None,
            Some(whole) => Some(Self::Of { owners: whole.owners.clone(), units: whole.units.clone() }),
        }
    }

    /// The condition that a customer is one of these, by the columns `owner_id` and `unit_id` of `alias`.
    pub fn is_of_sql(&self, alias: &str) -> String {
        let Self::Of { owners, units } = self else { return "TRUE".into() };
        /// SQLite sorts the values of an IN anew in each execution.
        const LONG: usize = 16;
        let among = |column: &str, ids: &mut dyn Iterator<Item = i64>| {
            let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
            match ids.len() {
                0 => None,
                1..=LONG => Some(format!("{alias}.{column} IN ({})", ids.join(", "))),
                _ => Some(format!("one_of({alias}.{column}, '{}')", ids.join(","))),
            }
        };
        let either: Vec<String> = [
            among("owner_id", &mut owners.iter().map(|o| o.0)),
            among("unit_id", &mut units.iter().map(|u| u.0)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if either.is_empty() { "FALSE".into() } else { either.join(" OR ") }
    }

    /// The rows to sum, each with the sign it counts with.
    fn parts(&self) -> Vec<(String, &'static str)> {
        let list = |ids: &mut dyn Iterator<Item = i64>| {
            let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
            (!ids.is_empty()).then(|| ids.join(", "))
        };
        match self {
            Self::Everybody => vec![("owner_id = 0 AND unit_id = 0".into(), "n")],
            Self::Of { owners, units } => {
                let owners = list(&mut owners.iter().map(|o| o.0));
                let units = list(&mut units.iter().map(|u| u.0));
                let mut parts = Vec::new();
                if let Some(owners) = &owners {
                    parts.push((format!("owner_id IN ({owners}) AND unit_id = 0"), "n"));
                }
                if let Some(units) = &units {
                    parts.push((format!("owner_id = 0 AND unit_id IN ({units})"), "n"));
                }
                // Customers of these owners in these units were counted twice.
                if let (Some(owners), Some(units)) = (&owners, &units) {
                    parts.push((format!("owner_id IN ({owners}) AND unit_id IN ({units})"), "-n"));
                }
                parts
            }
        }
    }
}

/// The counts of one name by key. Keys with a count of 0 are left out.
pub fn by_key(conn: &mut Conn<'_>, name: &str, whose: &Whose) -> store::Result<Vec<(String, i64)>> {
    let parts = whose.parts();
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(of, n)| format!("SELECT key, {n} AS n FROM counters WHERE name = $1 AND {of}"))
        .collect();
    conn.rows(
        &format!(
            "SELECT key, CAST(SUM(n) AS BIGINT) FROM ({}) parts GROUP BY key HAVING SUM(n) <> 0 ORDER BY key",
            parts.join(" UNION ALL ")
        ),
        &[name.into()],
    )
}

/// One count.
pub fn one(conn: &mut Conn<'_>, name: &str, key: &str, whose: &Whose) -> store::Result<i64> {
    let parts = whose.parts();
    if parts.is_empty() {
        return Ok(0);
    }
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(of, n)| format!("SELECT {n} AS n FROM counters WHERE name = $1 AND key = $2 AND {of}"))
        .collect();
    let sql = format!("SELECT CAST(SUM(n) AS BIGINT) FROM ({}) parts", parts.join(" UNION ALL "));
    Ok(conn.value::<Option<i64>>(&sql, &[name.into(), key.into()])?.flatten().unwrap_or(0))
}

/// How many customers lie within an actor's sight (`whose`, from [`Whose::within`]), and how many there are. Asked once
/// for as long as his rights are held: it may be off by what has changed since.
pub fn share(conn: &mut Conn<'_>, actor: &Actor, whose: &Whose) -> store::Result<(i64, i64)> {
    if let Some(known) = actor.rights.share.get() {
        return Ok(*known);
    }
    let all = one(conn, "customers", "", &Whose::Everybody)?;
    let within = one(conn, "customers", "", whose)?;
    Ok(*actor.rights.share.get_or_init(|| (within, all)))
}
