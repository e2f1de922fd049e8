//! On which day somebody last exercised a role of his, for reviews: gathered in memory, written in batches of what is
//! new on a day, at most once a minute. A killed server loses at most what the last minute brought; the next use on
//! that day notes it again.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use store::{Tx, Value};

use crate::clock::Millis;
use crate::ids::{PersonId, RoleId};

/// Pause between two batches, in milliseconds.
const EVERY: Millis = 60_000;
/// Pairs remembered at the most; beyond them everything is forgotten and noted anew.
const PLACES: usize = 100_000;

/// Who used which role.
pub(crate) type Pair = (PersonId, RoleId);

/// What one server has seen today.
#[derive(Debug, Default)]
pub struct RoleUses(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    day: String,
    /// What stands in the database, or will with the next batch.
    known: BTreeSet<Pair>,
    waiting: BTreeSet<Pair>,
    written_at: Option<Millis>,
}

impl RoleUses {
    /// Notes that a person used these roles on a day; answers whether a batch is due.
    pub(crate) fn note(&self, person: PersonId, roles: &[RoleId], day: &str, now: Millis) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.day != day || seen.known.len() >= PLACES {
            seen.day = day.to_owned();
            seen.known.clear();
        }
        for role in roles {
            if seen.known.insert((person, *role)) {
                seen.waiting.insert((person, *role));
            }
        }
        !seen.waiting.is_empty() && seen.written_at.is_none_or(|at| !(0..EVERY).contains(&(now - at)))
    }

    /// Takes the batch that waits, with the day it is of.
    pub(crate) fn take(&self, now: Millis) -> (Vec<Pair>, String) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.written_at = Some(now);
        (std::mem::take(&mut seen.waiting).into_iter().collect(), seen.day.clone())
    }

    /// Puts a batch back that could not be written.
    pub(crate) fn put_back(&self, batch: Vec<Pair>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting.extend(batch);
    }
}

/// Writes a batch.
pub(crate) fn write_uses(tx: &mut Tx<'_>, batch: &[Pair], day: &str) -> store::Result<()> {
    let rows: Vec<Vec<Value<'_>>> =
        batch.iter().map(|(person, role)| vec![(*person).into(), (*role).into(), day.into()]).collect();
    tx.insert_rows(
        "INSERT INTO role_uses (person_id, role_id, used_on)",
        &rows,
        "ON CONFLICT (person_id, role_id) DO UPDATE SET used_on = excluded.used_on",
    )
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_written_once_a_day_and_a_batch_once_a_minute() {
        let uses = RoleUses::default();
        let (li, sales, granting) = (PersonId(1), RoleId(7), RoleId(8));
        assert!(uses.note(li, &[sales], "2026-09-28", 0));
        assert_eq!(uses.take(0), (vec![(li, sales)], "2026-09-28".to_owned()));
        assert!(!uses.note(li, &[sales], "2026-09-28", EVERY), "nothing new");
        assert!(!uses.note(li, &[granting], "2026-09-28", EVERY - 1), "too early");
        assert!(uses.note(li, &[], "2026-09-28", EVERY));
        let (batch, _) = uses.take(EVERY);
        assert_eq!(batch, [(li, granting)]);
        uses.put_back(batch);
        assert!(uses.note(li, &[sales], "2026-09-29", 2 * EVERY), "another day");
        assert_eq!(uses.take(2 * EVERY).0.len(), 2);
    }
}
