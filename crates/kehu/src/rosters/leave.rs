//! The shifts of somebody who leaves the company: to a successor, or taken off so that their time shows as a gap.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use store::Tx;

use super::hold_people;
use super::load::{Judge, SHIFT, Which, load};
use super::model::{Conflict, Planned, Roster, Shift};
use super::publish::{ChangeKind, note_change};
use super::shift::{hand_shift, note_removed};
use super::swap::void_swaps;
use crate::access::Actor;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId};

/// What became of the shifts of somebody who leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// Shifts the successor has now.
    pub given: usize,
    /// Shifts that were taken off; nobody has them.
    pub open: usize,
}

/// Takes the shifts of a person that begin at or after `from` off him, drafts too: each goes to the successor when
/// nothing stands against it, else it is taken away. Every one leaves its audit row, and published ones are told to the
/// successor. The caller has made sure that the actor keeps the organisation.
pub fn hand_over_shifts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person: PersonId,
    successor: Option<PersonId>,
    from: Millis,
    zone: &Zone,
    now: Millis,
) -> Result<Handed, AppError> {
    let mut people = vec![person];
    people.extend(successor);
    hold_people(tx, &people)?;
    let sql = format!(
        "SELECT {SHIFT} FROM shifts s WHERE s.person_id = $1 AND s.starts_at >= $2 ORDER BY s.starts_at, s.id{}",
        tx.for_change()
    );
    let coming: Vec<Shift> = tx.rows(&sql, &[person.into(), from.into()])?;
    let mut rosters: HashMap<RosterId, Roster> = HashMap::new();
    let mut handed = Handed::default();
    for shift in coming {
        if let Some(to) = successor {
            let roster = match rosters.entry(shift.roster_id) {
                Slot::Occupied(known) => known.into_mut(),
                Slot::Vacant(slot) => slot.insert(load(tx, shift.roster_id)?),
            };
            let judge = Judge::load(tx, roster, &[to], shift.span, Which::Planned, zone)?;
            let found = judge.conflicts(&Planned { person_id: to, span: shift.span }, None, zone);
            if found.is_some_and(|c| !c.iter().any(Conflict::is_blocking)) {
                hand_shift(tx, actor, &shift, to, ChangeKind::Given, None, now)?;
                handed.given += 1;
                continue;
            }
        }
        tx.exec("DELETE FROM shifts WHERE id = $1", &[shift.id.into()])?;
        void_swaps(tx, actor, shift.id, None, now)?;
        note_change(tx, actor, ChangeKind::Given, &shift, None, now)?;
        note_removed(tx, actor, &shift, now)?;
        handed.open += 1;
    }
    Ok(handed)
}
