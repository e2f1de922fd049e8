//! Why somebody can or cannot see or do something: which role, post, scope, grant or exclusion decided.

use super::Facts;
use super::objects::{Object, Verb};
use super::register::Bar;
use super::rights::{Held, Rights};
use super::role::{Role, Scope};

/// One thing that speaks for or against.
#[derive(Clone, Debug)]
pub enum Reason<'r> {
    /// He is kept from all customers; nothing else counts.
    Barred(Bar),
    /// He may do everything.
    Administrator,
    /// He must not take part in this record; nothing else counts.
    Excluded,
    /// A role has the permission and reaches the record.
    Reached(&'r Held, Scope),
    /// A role has the permission, but the record is outside its scope.
    Outside(&'r Held, Scope),
    /// A role of his does not have the permission.
    Lacking(&'r Held),
    /// A bundle granted on this customer has the permission.
    Granted(&'r Role),
}

impl Reason<'_> {
    /// Whether it permits.
    pub fn permits(&self) -> bool {
        matches!(self, Self::Administrator | Self::Reached(..) | Self::Granted(_))
    }
}

/// What each role, grant and exclusion says to a permission on a record: what decides comes first.
pub fn explain<'r>(rights: &'r Rights, object: Object, verb: Verb, facts: &Facts<'_>) -> Vec<Reason<'r>> {
    if let Some(bar) = rights.bar.filter(|_| object.is_about_customers()) {
        return vec![Reason::Barred(bar)];
    }
    let mut reasons = Vec::new();
    if rights.is_administrator {
        reasons.push(Reason::Administrator);
    }
    if rights.excluded.contains(&facts.id) {
        reasons.push(Reason::Excluded);
    }
    for (n, held) in rights.held.iter().enumerate().filter(|(_, h)| !h.role.is_administrator()) {
        let Some(scope) = held.role.grants.get(&(object, verb)) else {
            reasons.push(Reason::Lacking(held));
            continue;
        };
        let mut reaches = rights.reaches(object, verb).iter().filter(|r| r.held == n);
        reasons.push(if reaches.any(|r| r.extent.covers(facts)) {
            Reason::Reached(held, scope.clone())
        } else {
            Reason::Outside(held, scope.clone())
        });
    }
    let bundles = rights.granted.get(&facts.id).into_iter().flatten();
    reasons.extend(bundles.filter(|b| b.grants.contains_key(&(object, verb))).map(|b| Reason::Granted(b)));
    reasons.sort_by_key(|r| match r {
        Reason::Barred(_) | Reason::Administrator | Reason::Excluded => 0,
        Reason::Reached(..) | Reason::Granted(_) => 1,
        Reason::Outside(..) => 2,
        Reason::Lacking(_) => 3,
    });
    reasons
}
