//! Which roles somebody does not have would let him do or see something: for whoever has to decide whom to give what.

use crate::access::{Directory, Facts, FieldRule, Held, Object, Rights, Verb, Why};
use crate::ids::{PersonId, RoleId};
use std::sync::Arc;

/// A role somebody does not have, as it would be if it were given to him for the units he works in.
pub struct Candidate {
    /// The role with what "his unit" would mean.
    pub held: Held,
    rights: Rights,
}

/// What one of them would do for a permission on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gain {
    /// With it he could.
    Enough,
    /// It reaches the record, but he still could not see what it hangs on.
    NeedsMore,
    /// It does not reach the record.
    OutOfReach,
}

/// Every role a person does not have, bundles and administration left out.
pub fn candidates(directory: &Directory, person: PersonId, own: &Rights, day: &str) -> Vec<Candidate> {
    let mut units = Vec::new();
    for position in directory.positions(person, day) {
        if !units.contains(&position.unit_id) {
            units.push(position.unit_id);
        }
    }
    let main_unit = directory.main_unit(person, day);
    let has = |role: RoleId| own.held.iter().any(|held| held.role.id == role);
    let roles = directory.roles().into_iter();
    roles
        .filter(|role| !role.is_bundle && !role.is_administrator() && !has(role.id))
        .map(|role| {
            let held = Held { role: Arc::clone(role), units: units.clone(), of: person, why: Why::Direct };
            let rights = directory.rights_of(vec![held.clone()], main_unit, day);
            Candidate { held, rights }
        })
        .collect()
}

impl Candidate {
    /// What it would do for a permission beside what he has; `None` when it does not have the permission.
    pub fn gain(&self, own: &Rights, object: Object, verb: Verb, facts: &Facts<'_>) -> Option<Gain> {
        self.held.role.grants.get(&(object, verb))?;
        if !self.rights.covers(object, verb, facts) {
            return Some(Gain::OutOfReach);
        }
        let sees =
            |object| own.covers(object, Verb::Read, facts) || self.rights.covers(object, Verb::Read, facts);
        let is_enough = sees(Object::Customer) && (object == Object::Customer || sees(object));
        Some(if is_enough { Gain::Enough } else { Gain::NeedsMore })
    }

    /// The rule it has for a field of a record it would let him see; `None` when it would not.
    pub fn rule(&self, object: Object, field: &str, facts: &Facts<'_>) -> Option<FieldRule> {
        self.rights.covers(object, Verb::Read, facts).then(|| self.held.role.field(object, field))
    }
}
