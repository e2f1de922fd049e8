//! What a person may do, worked out from his roles.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::Facts;
use super::objects::{Object, Verb};
use super::register::Bar;
use super::role::{FieldRule, Role};
use crate::clock::Millis;
use crate::ids::{PersonId, RoleId, UnitId};

/// A condition over a record, made by the floor that knows the record's fields. SQL and memory agree.
pub trait Condition: Debug + Send + Sync {
    /// Whether a record (a `customers::Customer`) fulfils it, when `me` asks.
    fn holds(&self, record: &dyn Any, me: PersonId) -> bool;
    /// The same over `customers c`, without parameters, never NULL.
    fn sql(&self, me: PersonId) -> String;
}

/// Where a role comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It belongs to a post he holds.
    Post {
        /// Where.
        unit_id: UnitId,
        /// Code of the post.
        post: String,
    },
    /// It was given to him himself.
    Direct,
    /// He acts for somebody.
    Delegated {
        /// For whom.
        from: PersonId,
        /// Until before when.
        until: Millis,
    },
}

/// A role somebody has.
#[derive(Clone, Debug)]
pub struct Held {
    /// The role.
    pub role: Arc<Role>,
    /// What "his unit" means in it.
    pub units: Vec<UnitId>,
    /// Whom "himself" means in it: the one acted for, when he acts for somebody.
    pub of: PersonId,
    /// Where it comes from.
    pub why: Why,
}

/// Which customers a permission reaches, worked out.
#[derive(Clone, Debug)]
pub enum Extent {
    /// Every one.
    Everything,
    /// Those of these owners, sorted.
    Owners(Vec<PersonId>),
    /// Those of these units, sorted.
    Units(Vec<UnitId>),
    /// Those that fulfil a condition as this person asks it.
    Where(Arc<dyn Condition>, PersonId),
}

impl Extent {
    /// The customers of these owners.
    pub fn owners(mut owners: Vec<PersonId>) -> Self {
        owners.sort_unstable();
        owners.dedup();
        Self::Owners(owners)
    }

    /// The customers of these units.
    pub fn units(mut units: Vec<UnitId>) -> Self {
        units.sort_unstable();
        units.dedup();
        Self::Units(units)
    }

    /// Whether a record is within it.
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Owners(owners) => facts.owner_id.is_some_and(|o| owners.binary_search(&o).is_ok()),
            Self::Units(units) => facts.unit_id.is_some_and(|u| units.binary_search(&u).is_ok()),
            Self::Where(condition, me) => facts.record.is_some_and(|r| condition.holds(r, *me)),
        }
    }
}

/// What one role of a person reaches with one permission.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Place of the role in `Rights::held`.
    pub held: usize,
    /// Which customers.
    pub extent: Extent,
}

/// What several roles reach together.
#[derive(Clone, Debug, Default)]
pub struct Whole {
    /// Every customer.
    pub everything: bool,
    /// Customers of these owners, sorted.
    pub owners: Vec<PersonId>,
    /// Customers of these units, sorted.
    pub units: Vec<UnitId>,
    /// Customers that fulfil one of these conditions.
    pub conditions: Vec<(Arc<dyn Condition>, PersonId)>,
}

impl Whole {
    fn of(reaches: &[Reach]) -> Self {
        let mut whole = Self::default();
        for reach in reaches {
            match &reach.extent {
                Extent::Everything => whole.everything = true,
                Extent::Owners(owners) => whole.owners.extend(owners),
                Extent::Units(units) => whole.units.extend(units),
                Extent::Where(condition, me) => whole.conditions.push((Arc::clone(condition), *me)),
            }
        }
        whole.owners.sort_unstable();
        whole.owners.dedup();
        whole.units.sort_unstable();
        whole.units.dedup();
        whole
    }

    /// Whether a record is within it.
    pub fn covers(&self, facts: &Facts<'_>) -> bool {
        self.everything
            || facts.owner_id.is_some_and(|o| self.owners.binary_search(&o).is_ok())
            || facts.unit_id.is_some_and(|u| self.units.binary_search(&u).is_ok())
            || facts.record.is_some_and(|r| self.conditions.iter().any(|(c, me)| c.holds(r, *me)))
    }
}

/// Which of somebody's roles were used since that was last asked: a bit a place in `Rights::held`, the first 64.
#[derive(Debug, Default)]
pub struct Used(AtomicU64);

impl Clone for Used {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

/// The rights of a person at a time.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// His roles.
    pub held: Vec<Held>,
    /// Whether he may do everything.
    pub is_administrator: bool,
    /// The unit of his main post.
    pub main_unit: Option<UnitId>,
    /// Grants on single customers: bundles by the customer's id.
    pub granted: HashMap<i64, Vec<Arc<Role>>>,
    /// Customers whose records he must not take part in.
    pub excluded: BTreeSet<i64>,
    /// How many customers he sees, and how many there are; counted once for as long as these rights are held, as it only
    /// decides how a statement is written.
    pub share: OnceLock<(i64, i64)>,
    /// Until before when they hold: a delegation begins or ends then, or a grant on a customer ends. `None` when none
    /// does.
    pub holds_until: Option<Millis>,
    /// For whom he acts, and until before when.
    pub acts_for: Vec<(PersonId, Millis)>,
    /// What keeps him from all customers, whatever his roles say.
    pub bar: Option<Bar>,
    /// Whether roles or shares would let him reach customers, were he not barred.
    pub loses_customers: bool,
    used: Used,
    reaches: HashMap<(Object, Verb), Vec<Reach>>,
    wholes: HashMap<(Object, Verb), Whole>,
    /// Objects some role of his has field rules for.
    ruled: BTreeSet<Object>,
}

impl Rights {
    pub(super) fn new(
        held: Vec<Held>,
        reaches: HashMap<(Object, Verb), Vec<Reach>>,
        main_unit: Option<UnitId>,
        is_administrator: bool,
    ) -> Self {
        let wholes = reaches.iter().map(|(key, reaches)| (*key, Whole::of(reaches))).collect();
        let ruled = held.iter().flat_map(|h| h.role.fields.keys().map(|(object, _)| *object)).collect();
        Self { held, is_administrator, main_unit, reaches, wholes, ruled, ..Self::default() }
    }

    /// The rights of the administrator.
    pub fn everything() -> Self {
        Self { is_administrator: true, ..Self::default() }
    }

    /// With what keeps him from all customers: then no role reaches one, and only administration is left.
    pub fn barred(mut self, bar: Option<Bar>) -> Self {
        if bar.is_some() {
            self.loses_customers =
                self.is_administrator || self.reaches.keys().any(|(object, _)| object.is_about_customers());
            self.reaches.retain(|(object, _), _| !object.is_about_customers());
            self.wholes.retain(|(object, _), _| !object.is_about_customers());
            self.granted.clear();
        }
        self.bar = bar;
        self
    }

    /// Whether he may do everything with an object: administrators, unless they are barred from customers.
    pub fn permits_all(&self, object: Object) -> bool {
        self.is_administrator && (self.bar.is_none() || !object.is_about_customers())
    }

    /// Adds the grants on single records; none for whoever is barred from customers.
    pub fn with_records(mut self, granted: HashMap<i64, Vec<Arc<Role>>>, excluded: BTreeSet<i64>) -> Self {
        self.loses_customers |= self.bar.is_some() && !granted.is_empty();
        let granted = if self.bar.is_some() { HashMap::new() } else { granted };
        let bundles = granted.values().flatten();
        self.ruled.extend(bundles.flat_map(|role| role.fields.keys().map(|(object, _)| *object)));
        self.granted = granted;
        self.excluded = excluded;
        self
    }

    /// What the roles reach together with a permission; nothing when no role has it.
    pub fn whole(&self, object: Object, verb: Verb) -> Option<&Whole> {
        self.wholes.get(&(object, verb))
    }

    /// What each role reaches with a permission.
    pub fn reaches(&self, object: Object, verb: Verb) -> &[Reach] {
        self.reaches.get(&(object, verb)).map_or(&[], Vec::as_slice)
    }

    /// Whether a bundle granted on this customer has the permission.
    pub fn is_granted(&self, object: Object, verb: Verb, customer: i64) -> bool {
        !self.granted.is_empty()
            && self
                .granted
                .get(&customer)
                .is_some_and(|bundles| bundles.iter().any(|b| b.grants.contains_key(&(object, verb))))
    }

    /// The customers on which a granted bundle has the permission, in order of ids.
    pub fn granted_with(&self, object: Object, verb: Verb) -> Vec<i64> {
        let has = |bundles: &Vec<Arc<Role>>| bundles.iter().any(|b| b.grants.contains_key(&(object, verb)));
        let mut ids: Vec<i64> =
            self.granted.iter().filter(|(_, bundles)| has(bundles)).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a record is within a permission, exclusions apart.
    pub fn covers(&self, object: Object, verb: Verb, facts: &Facts<'_>) -> bool {
        self.permits_all(object)
            || self.whole(object, verb).is_some_and(|w| w.covers(facts))
            || self.is_granted(object, verb, facts.id)
    }

    /// Whether a permission is there for anything at all: for buttons and menus.
    pub fn has_any(&self, object: Object, verb: Verb) -> bool {
        self.permits_all(object)
            || self.wholes.contains_key(&(object, verb))
            || self.granted.values().flatten().any(|b| b.grants.contains_key(&(object, verb)))
    }

    /// Notes that a permission was exercised: his roles that give it, on the record when there is one.
    pub(super) fn note_use(&self, object: Object, verb: Verb, facts: Option<&Facts<'_>>) {
        let place = |n: usize| if n < 64 { 1_u64 << n } else { 0 };
        let bits = if self.is_administrator {
            let held = self.held.iter().enumerate().filter(|(_, h)| h.role.is_administrator());
            held.fold(0, |bits, (n, _)| bits | place(n))
        } else {
            let reaches = self.reaches(object, verb).iter();
            let reaching = reaches.filter(|r| facts.is_none_or(|facts| r.extent.covers(facts)));
            reaching.fold(0, |bits, r| bits | place(r.held))
        };
        // Mostly nothing is new: then the other threads' caches are left alone.
        if self.used.0.load(Ordering::Relaxed) & bits != bits {
            self.used.0.fetch_or(bits, Ordering::Relaxed);
        }
    }

    /// The roles of his own that were exercised since this was last asked; not those he acts with for others.
    pub fn take_used(&self) -> Vec<RoleId> {
        if self.used.0.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let bits = self.used.0.swap(0, Ordering::Relaxed);
        let held = self.held.iter().take(64).enumerate();
        let used = held.filter(|(n, h)| bits & (1 << n) != 0 && !matches!(h.why, Why::Delegated { .. }));
        let mut roles: Vec<RoleId> = used.map(|(_, h)| h.role.id).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// Whether some condition must be asked, so that a decision needs the record itself.
    pub fn asks_conditions(&self) -> bool {
        self.wholes.values().any(|w| !w.conditions.is_empty())
    }

    /// Whether any field of an object is withheld from him anywhere.
    pub fn has_field_rules(&self, object: Object) -> bool {
        !self.is_administrator && self.ruled.contains(&object)
    }

    /// The rules for the fields of an object on one record: of the roles that let him see it, the widest counts.
    pub fn fields<'r>(&'r self, object: Object, facts: &Facts<'_>) -> Fields<'r> {
        if !self.has_field_rules(object) {
            return Fields { object, roles: None };
        }
        let by_role = self.reaches(object, Verb::Read).iter().filter(|r| r.extent.covers(facts));
        let mut roles: Vec<&Role> = by_role.filter_map(|r| self.held.get(r.held)).map(|h| &*h.role).collect();
        let bundles = self.granted.get(&facts.id).into_iter().flatten();
        roles.extend(bundles.filter(|b| b.grants.contains_key(&(object, Verb::Read))).map(|b| &**b));
        Fields { object, roles: Some(roles) }
    }

    /// The narrowest rule for a field on any record he may see: what he may filter, sort and search by must be at
    /// least `Read` everywhere, or the order would tell what is masked.
    pub fn narrowest(&self, object: Object, field: &str) -> FieldRule {
        if !self.has_field_rules(object) {
            return FieldRule::Edit;
        }
        let by_role = self.reaches(object, Verb::Read).iter().filter_map(|r| self.held.get(r.held));
        let bundles =
            self.granted.values().flatten().filter(|b| b.grants.contains_key(&(object, Verb::Read)));
        let roles = by_role.map(|h| &*h.role).chain(bundles.map(|b| &**b));
        roles.map(|role| role.field(object, field)).min().unwrap_or(FieldRule::Hidden)
    }
}

/// The rules for the fields of one record.
#[derive(Clone, Debug)]
pub struct Fields<'r> {
    object: Object,
    /// The roles that let him see the record; `None` when nothing is withheld.
    roles: Option<Vec<&'r Role>>,
}

impl Fields<'_> {
    /// Whether nothing at all is withheld.
    pub fn is_open(&self) -> bool {
        self.roles.is_none()
    }

    /// The fields some of these roles have a rule for; a field may be named more than once.
    pub fn ruled(&self) -> impl Iterator<Item = &str> {
        let roles = self.roles.iter().flatten();
        roles
            .flat_map(|role| role.fields.keys())
            .filter(|(object, _)| *object == self.object)
            .map(|(_, field)| field.as_str())
    }

    /// The rule for a field.
    pub fn rule(&self, field: &str) -> FieldRule {
        match &self.roles {
            None => FieldRule::Edit,
            Some(roles) => {
                roles.iter().map(|r| r.field(self.object, field)).max().unwrap_or(FieldRule::Hidden)
            }
        }
    }
}
