//! The organisation and its roles at one instant, in memory: who holds which post, who is whose superior, and what a
//! person may do. Pure: no database, no clock; days and times are arguments. A few thousand people take a few
//! megabytes; it is read anew when `rights_state.epoch` has moved on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::objects::{Object, Verb};
use super::register::{Bar, Register};
use super::rights::{Condition, Extent, Held, Reach, Rights, Why};
use super::role::{Role, Scope};
use crate::clock::Millis;
use crate::ids::{DelegationId, PersonId, PositionId, RoleId, UnitId};

/// Deepest organisation that is walked; deeper ones are refused when they are made.
pub const DEEPEST: usize = 32;

/// A unit (部门).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its id.
    pub id: UnitId,
    /// The unit above it.
    pub parent_id: Option<UnitId>,
    /// Code of the dictionary `unit_kind`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its short code, or empty.
    pub code: String,
    /// Who leads it.
    pub head_id: Option<PersonId>,
    /// Order among its neighbours.
    pub position: i64,
    /// Whether it is closed.
    pub is_closed: bool,
}

/// A post held by a person in a unit (任职).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its id.
    pub id: PositionId,
    /// Who.
    pub person_id: PersonId,
    /// Where.
    pub unit_id: UnitId,
    /// Code of the dictionary `post`.
    pub post: String,
    /// Whether it is his main one.
    pub is_main: bool,
    /// Whom he reports to in this post, where that is not the unit's head.
    pub superior_id: Option<PersonId>,
    /// First day.
    pub starts_on: String,
    /// Last day; empty until further notice.
    pub ends_on: String,
}

impl Position {
    /// Whether it is held on a day.
    pub fn is_on(&self, day: &str) -> bool {
        self.starts_on.as_str() <= day && (self.ends_on.is_empty() || day <= self.ends_on.as_str())
    }
}

/// A person as far as rights are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// His name.
    pub name: String,
    /// Whether he may sign in.
    pub is_active: bool,
}

/// Somebody acts for somebody else for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Its id.
    pub id: DelegationId,
    /// Who is away.
    pub from_id: PersonId,
    /// Who acts for him.
    pub to_id: PersonId,
    /// From when.
    pub starts_at: Millis,
    /// Until before when.
    pub ends_at: Millis,
}

/// A role a person has himself, not through a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectRole {
    /// Who.
    pub person_id: PersonId,
    /// Which.
    pub role_id: RoleId,
    /// The unit "his unit" means; `None` for the units he works in.
    pub unit_id: Option<UnitId>,
    /// Last day; empty until further notice.
    pub ends_on: String,
}

/// What a directory is made of.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Moves on with every change.
    pub epoch: i64,
    /// Every unit, closed ones too.
    pub units: Vec<Unit>,
    /// Every person.
    pub people: Vec<(PersonId, Member)>,
    /// Every position that is not over yet.
    pub positions: Vec<Position>,
    /// Every delegation that is not over yet.
    pub delegations: Vec<Delegation>,
    /// Every role.
    pub roles: Vec<Role>,
    /// Roles that come with posts.
    pub post_roles: Vec<(String, RoleId)>,
    /// Roles people have themselves.
    pub person_roles: Vec<DirectRole>,
    /// Who may handle customer information.
    pub register: Register,
}

/// Compiles the condition of a scope; `None` when it cannot be used any more: it then holds for nothing.
pub type Compile<'f> = &'f dyn Fn(&str) -> Option<Arc<dyn Condition>>;

/// See the module.
#[derive(Debug, Default)]
pub struct Directory {
    /// Moves on with every change.
    pub epoch: i64,
    units: HashMap<UnitId, Unit>,
    children: HashMap<Option<UnitId>, Vec<UnitId>>,
    people: HashMap<PersonId, Member>,
    positions: Vec<Position>,
    of_person: HashMap<PersonId, Vec<usize>>,
    in_unit: HashMap<UnitId, Vec<usize>>,
    delegations: HashMap<PersonId, Vec<Delegation>>,
    roles: HashMap<RoleId, Arc<Role>>,
    conditions: HashMap<String, Arc<dyn Condition>>,
    post_roles: HashMap<String, Vec<RoleId>>,
    person_roles: HashMap<PersonId, Vec<DirectRole>>,
    register: Register,
    reports: Mutex<Option<(String, Arc<Reports>)>>,
}

/// Who reports directly to whom on a day.
type Reports = HashMap<PersonId, Vec<PersonId>>;

impl Directory {
    /// Puts the parts in order.
    pub fn new(parts: Parts, compile: Compile<'_>) -> Self {
        let mut this = Self { epoch: parts.epoch, ..Self::default() };
        let mut units = parts.units;
        units.sort_by_key(|u| (u.position, u.id));
        for unit in units {
            this.children.entry(unit.parent_id).or_default().push(unit.id);
            this.units.insert(unit.id, unit);
        }
        this.people = parts.people.into_iter().collect();
        for (n, position) in parts.positions.iter().enumerate() {
            this.of_person.entry(position.person_id).or_default().push(n);
            this.in_unit.entry(position.unit_id).or_default().push(n);
        }
        this.positions = parts.positions;
        for delegation in parts.delegations {
            this.delegations.entry(delegation.to_id).or_default().push(delegation);
        }
        for role in &parts.roles {
            for scope in role.grants.values() {
                if let Scope::Condition(source) = scope
                    && let Some(condition) = compile(source)
                {
                    this.conditions.insert(source.clone(), condition);
                }
            }
        }
        this.roles = parts.roles.into_iter().map(|r| (r.id, Arc::new(r))).collect();
        for (post, role) in parts.post_roles {
            this.post_roles.entry(post).or_default().push(role);
        }
        this.register = parts.register;
        for direct in parts.person_roles {
            this.person_roles.entry(direct.person_id).or_default().push(direct);
        }
        this
    }

    /// A unit.
    pub fn unit(&self, id: UnitId) -> Option<&Unit> {
        self.units.get(&id)
    }

    /// The units directly below one, or the topmost ones, in order.
    pub fn children(&self, of: Option<UnitId>) -> impl Iterator<Item = &Unit> {
        self.children.get(&of).into_iter().flatten().filter_map(|id| self.units.get(id))
    }

    /// A unit and every unit below it.
    pub fn tree(&self, top: UnitId) -> Vec<UnitId> {
        let mut found = vec![top];
        let mut seen = HashSet::from([top]);
        let mut at = 0;
        while let Some(&unit) = found.get(at) {
            for child in self.children.get(&Some(unit)).into_iter().flatten() {
                if seen.insert(*child) {
                    found.push(*child);
                }
            }
            at += 1;
        }
        found
    }

    /// A unit and the units above it, from below.
    pub fn line(&self, from: UnitId) -> Vec<&Unit> {
        let mut found = Vec::new();
        let mut at = Some(from);
        while let Some(unit) = at.and_then(|id| self.units.get(&id)) {
            if found.len() >= DEEPEST {
                break;
            }
            found.push(unit);
            at = unit.parent_id;
        }
        found
    }

    /// The names of a unit and those above it, from the top: `集团 / 物业公司 / 一管理处`.
    pub fn path(&self, unit: UnitId) -> String {
        let names: Vec<&str> = self.line(unit).iter().rev().map(|u| u.name.as_str()).collect();
        names.join(" / ")
    }

    /// A person.
    pub fn member(&self, person: PersonId) -> Option<&Member> {
        self.people.get(&person)
    }

    /// The posts a person holds on a day, the main one first.
    pub fn positions(&self, person: PersonId, day: &str) -> Vec<&Position> {
        let mut held: Vec<&Position> = self
            .of_person
            .get(&person)
            .into_iter()
            .flatten()
            .filter_map(|n| self.positions.get(*n))
            .filter(|p| p.is_on(day))
            .collect();
        held.sort_by_key(|p| (!p.is_main, p.id));
        held
    }

    /// The posts held in a unit on a day.
    pub fn positions_in(&self, unit: UnitId, day: &str) -> Vec<&Position> {
        let all = self.in_unit.get(&unit).into_iter().flatten().filter_map(|n| self.positions.get(*n));
        all.filter(|p| p.is_on(day)).collect()
    }

    /// The unit of a person's main post on a day.
    pub fn main_unit(&self, person: PersonId, day: &str) -> Option<UnitId> {
        self.positions(person, day).first().map(|p| p.unit_id)
    }

    /// Whom somebody reports to in a post: the one named there, else the head of the unit, or of the next unit above
    /// whose head is somebody else. `None` at the top.
    pub fn superior_in(&self, position: &Position) -> Option<PersonId> {
        let is_other = |id: &PersonId| {
            *id != position.person_id && self.people.get(id).is_some_and(|member| member.is_active)
        };
        position
            .superior_id
            .filter(is_other)
            .or_else(|| self.line(position.unit_id).into_iter().find_map(|u| u.head_id.filter(is_other)))
    }

    /// Whom a person reports to in his main post.
    pub fn superior(&self, person: PersonId, day: &str) -> Option<PersonId> {
        self.positions(person, day).first().and_then(|p| self.superior_in(p))
    }

    /// His superior, that one's superior and so on; nobody twice.
    pub fn superiors(&self, person: PersonId, day: &str) -> Vec<PersonId> {
        let mut found: Vec<PersonId> = Vec::new();
        let mut at = person;
        while let Some(next) = self.superior(at, day) {
            if next == person || found.contains(&next) || found.len() >= DEEPEST {
                break;
            }
            found.push(next);
            at = next;
        }
        found
    }

    /// Everybody below a person, through whatever post, not himself; in order of ids.
    pub fn subordinates(&self, person: PersonId, day: &str) -> Vec<PersonId> {
        let reports = self.reports(day);
        let mut found = BTreeSet::new();
        let mut open = vec![person];
        while let Some(at) = open.pop() {
            for below in reports.get(&at).into_iter().flatten() {
                if *below != person && found.insert(*below) {
                    open.push(*below);
                }
            }
        }
        found.into_iter().collect()
    }

    fn reports(&self, day: &str) -> Arc<Reports> {
        let mut held = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, reports)) = &*held
            && of == day
        {
            return Arc::clone(reports);
        }
        let mut reports = Reports::new();
        for position in self.positions.iter().filter(|p| p.is_on(day)) {
            if let Some(superior) = self.superior_in(position) {
                let below = reports.entry(superior).or_default();
                if !below.contains(&position.person_id) {
                    below.push(position.person_id);
                }
            }
        }
        let reports = Arc::new(reports);
        *held = Some((day.to_owned(), Arc::clone(&reports)));
        reports
    }

    /// Who holds a post on a day in one of these units, active people only, in the order of the units.
    pub fn holders(&self, post: &str, units: &[UnitId], day: &str) -> Vec<PersonId> {
        let mut found: Vec<PersonId> = Vec::new();
        for unit in units {
            for position in self.positions_in(*unit, day).into_iter().filter(|p| p.post == post) {
                let is_active = self.people.get(&position.person_id).is_some_and(|m| m.is_active);
                if is_active && !found.contains(&position.person_id) {
                    found.push(position.person_id);
                }
            }
        }
        found
    }

    /// Who holds a post in a unit, or in the nearest unit above it where anybody does.
    pub fn nearest_holders(&self, post: &str, unit: UnitId, day: &str) -> Vec<PersonId> {
        let line: Vec<UnitId> = self.line(unit).iter().map(|u| u.id).collect();
        line.into_iter().map(|u| self.holders(post, &[u], day)).find(|h| !h.is_empty()).unwrap_or_default()
    }

    /// Who acts for a person at a time.
    pub fn delegates(&self, of: PersonId, now: Millis) -> Vec<PersonId> {
        let all = self.delegations.values().flatten();
        all.filter(|d| d.from_id == of && d.starts_at <= now && now < d.ends_at).map(|d| d.to_id).collect()
    }

    /// For whom a person acts at a time, and until before when: people who may sign in.
    pub fn acts_for(&self, person: PersonId, now: Millis) -> Vec<(PersonId, Millis)> {
        let his = self.delegations.get(&person).into_iter().flatten();
        let on = his.filter(|d| d.starts_at <= now && now < d.ends_at);
        let active = on.filter(|d| self.people.get(&d.from_id).is_some_and(|m| m.is_active));
        active.map(|d| (d.from_id, d.ends_at)).collect()
    }

    /// A role.
    pub fn role(&self, id: RoleId) -> Option<&Arc<Role>> {
        self.roles.get(&id)
    }

    /// Every role, built-in ones first, then by name.
    pub fn roles(&self) -> Vec<&Arc<Role>> {
        let mut all: Vec<&Arc<Role>> = self.roles.values().collect();
        all.sort_by(|a, b| (!a.is_builtin, &a.name, a.id).cmp(&(!b.is_builtin, &b.name, b.id)));
        all
    }

    /// The roles that come with a post.
    pub fn roles_of_post(&self, post: &str) -> &[RoleId] {
        self.post_roles.get(post).map_or(&[], Vec::as_slice)
    }

    /// Every post that brings roles.
    pub fn posts_with_roles(&self) -> impl Iterator<Item = (&str, &[RoleId])> {
        self.post_roles.iter().map(|(post, roles)| (post.as_str(), roles.as_slice()))
    }

    /// The roles a person has on a day, with where each comes from; not those he acts with for others.
    pub fn own_roles(&self, person: PersonId, day: &str) -> Vec<Held> {
        let positions = self.positions(person, day);
        let mut held = Vec::new();
        let mut units: Vec<UnitId> = Vec::new();
        for position in &positions {
            if !units.contains(&position.unit_id) {
                units.push(position.unit_id);
            }
            for role in self.roles_of_post(&position.post).iter().filter_map(|id| self.roles.get(id)) {
                let why = Why::Post { unit_id: position.unit_id, post: position.post.clone() };
                held.push(Held { role: Arc::clone(role), units: vec![position.unit_id], of: person, why });
            }
        }
        for direct in self.person_roles.get(&person).into_iter().flatten() {
            if !direct.ends_on.is_empty() && direct.ends_on.as_str() < day {
                continue;
            }
            let Some(role) = self.roles.get(&direct.role_id) else { continue };
            let units = direct.unit_id.map_or_else(|| units.clone(), |u| vec![u]);
            held.push(Held { role: Arc::clone(role), units, of: person, why: Why::Direct });
        }
        held
    }

    /// Every role a person has from a day on, also what begins later; not those he acts with for others.
    pub fn roles_from(&self, person: PersonId, day: &str) -> BTreeSet<RoleId> {
        let all = self.of_person.get(&person).into_iter().flatten().filter_map(|n| self.positions.get(*n));
        let living = all.filter(|p| p.ends_on.is_empty() || p.ends_on.as_str() >= day);
        let mut found: BTreeSet<RoleId> =
            living.flat_map(|p| self.roles_of_post(&p.post).iter().copied()).collect();
        let direct = self.person_roles.get(&person).into_iter().flatten();
        found.extend(direct.filter(|d| d.ends_on.is_empty() || d.ends_on.as_str() >= day).map(|d| d.role_id));
        found
    }

    /// What keeps a person from all customers, whatever his roles say.
    pub fn bar(&self, person: PersonId, is_administrator: bool) -> Option<Bar> {
        self.register.bar(person, is_administrator)
    }

    /// Whether the company asks people to be registered before they handle customer information.
    pub fn asks_registration(&self) -> bool {
        self.register.is_on
    }

    /// What a person may do on a day at a time: the union of the roles of his posts, his own roles, and the roles of
    /// those he acts for at that time. Grants on single records are added by the caller.
    pub fn rights(&self, person: PersonId, day: &str, now: Millis) -> Rights {
        let mut rights = self.rights_of(self.held_roles(person, day, now), self.main_unit(person, day), day);
        let of_his = self.delegations.get(&person).into_iter().flatten();
        let turns = of_his.flat_map(|d| [d.starts_at, d.ends_at]).filter(|at| *at > now);
        rights.holds_until = turns.min();
        rights.acts_for = self.acts_for(person, now);
        let bar = self.bar(person, rights.is_administrator);
        rights.barred(bar)
    }

    /// The roles a person has on a day, and those he acts with for others at a time.
    pub fn held_roles(&self, person: PersonId, day: &str, now: Millis) -> Vec<Held> {
        let mut held = self.own_roles(person, day);
        for (from, until) in self.acts_for(person, now) {
            // Administration is never delegated: it would pass on the right to grant rights.
            let lent = self.own_roles(from, day);
            let lent = lent.into_iter().filter(|h| !h.role.is_administrator());
            held.extend(lent.map(|h| Held { why: Why::Delegated { from, until }, ..h }));
        }
        held
    }

    /// The rights that roles give; also for a draft of a role that nobody has yet.
    pub fn rights_of(&self, held: Vec<Held>, main_unit: Option<UnitId>, day: &str) -> Rights {
        self.rights_with(held, main_unit, day, &HashMap::new())
    }

    /// `rights_of` where a draft has conditions no stored role has: `more` holds them compiled, by source.
    pub fn rights_with(
        &self,
        held: Vec<Held>,
        main_unit: Option<UnitId>,
        day: &str,
        more: &HashMap<String, Arc<dyn Condition>>,
    ) -> Rights {
        let mut reaches: HashMap<(Object, Verb), Vec<Reach>> = HashMap::new();
        let is_administrator = held.iter().any(|h| h.role.is_administrator());
        for (n, held) in held.iter().enumerate().filter(|(_, h)| !h.role.is_bundle) {
            for (&(object, verb), scope) in &held.role.grants {
                let extent = self.extent(scope, held, day, more);
                reaches.entry((object, verb)).or_default().push(Reach { held: n, extent });
            }
        }
        Rights::new(held, reaches, main_unit, is_administrator)
    }

    fn extent(
        &self,
        scope: &Scope,
        held: &Held,
        day: &str,
        more: &HashMap<String, Arc<dyn Condition>>,
    ) -> Extent {
        match scope {
            Scope::All => Extent::Everything,
            Scope::Units(units) => Extent::units(units.clone()),
            Scope::UnitTree => Extent::units(held.units.iter().flat_map(|u| self.tree(*u)).collect()),
            Scope::Unit => Extent::units(held.units.clone()),
            Scope::Own => Extent::owners(vec![held.of]),
            Scope::Team => {
                let mut owners = self.subordinates(held.of, day);
                owners.push(held.of);
                Extent::owners(owners)
            }
            Scope::Condition(source) => match self.conditions.get(source).or_else(|| more.get(source)) {
                Some(condition) => Extent::Where(Arc::clone(condition), held.of),
                None => Extent::owners(Vec::new()),
            },
        }
    }

    /// Every person, in no particular order.
    pub fn people(&self) -> impl Iterator<Item = (PersonId, &Member)> {
        self.people.iter().map(|(id, member)| (*id, member))
    }

    /// Every unit, in no particular order.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }
}
