//! Who may do what: one decision function, and the same rule as a SQL condition for lists, from the same data.
//!
//! A person has roles through his posts, himself, or because he acts for somebody; a role permits verbs on objects,
//! each within a data scope, and has rules for single fields. What hangs on a customer (contacts, assets, activities,
//! files, audit rows, search hits, exports) is decided by that customer: whoever may not read the customer does not
//! know any of it. On top come grants on single customers (shares, open approvals) and exclusions (回避).
//!
//! Nothing here knows the database or a clock: `Directory` is a snapshot, `Rights` is worked out from it, and both
//! `decide` and `reach_sql` read only `Rights`.

mod directory;
mod explain;
mod objects;
mod register;
mod rights;
mod role;

pub use directory::{Compile, DEEPEST, Delegation, DirectRole, Directory, Member, Parts, Position, Unit};
pub use explain::{Reason, explain};
pub use objects::{Object, Verb};
pub use register::{Bar, Register};
pub use rights::{Condition, Extent, Fields, Held, Reach, Rights, Whole, Why};
pub use role::{ADMINISTRATOR, ADMINISTRATOR_ID, FieldRule, Role, STAFF_ALL_ID, STAFF_ID, Scope};

use std::any::Any;
use std::sync::Arc;

use crate::error::AppError;
use crate::i18n::{Lang, Text};
use crate::ids::{PersonId, UnitId};
use crate::text;

/// By which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A person in a browser.
    Session,
    /// A program with a token.
    Token,
    /// The command line on the server.
    CommandLine,
    /// A background job acting for a person.
    Job,
}

impl Via {
    /// The name in the audit log.
    pub fn code(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::CommandLine => "command_line",
            Self::Job => "job",
        }
    }
}

/// Who is asking: handed to every loader and action. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Actor(Arc<ActorFacts>);

/// What is known about the one who asks.
#[derive(Clone, Debug)]
pub struct ActorFacts {
    /// The person, or id 0 for the command line.
    pub person_id: PersonId,
    /// Sign-in name.
    pub username: String,
    /// The name people read.
    pub name: String,
    /// What he may do.
    pub rights: Arc<Rights>,
    /// The door.
    pub via: Via,
    /// Address of the other side, empty for the command line.
    pub ip: String,
    /// Identifies the request in reply, log and audit.
    pub request_id: String,
    /// Language of the answers.
    pub lang: Lang,
    /// Whether he must choose a new password first.
    pub must_change_password: bool,
    /// On whose behalf this is done; `None` for his own. The log says so.
    pub acting_for: Option<PersonId>,
}

impl std::ops::Deref for Actor {
    type Target = ActorFacts;
    fn deref(&self) -> &ActorFacts {
        &self.0
    }
}

impl Actor {
    /// An actor with these facts.
    pub fn new(facts: ActorFacts) -> Self {
        Self(Arc::new(facts))
    }

    /// The one at the server's command line: whoever may run commands there may do everything.
    pub fn command_line() -> Self {
        Self::new(ActorFacts {
            person_id: PersonId(0),
            username: "command-line".into(),
            name: "命令行".into(),
            rights: Arc::new(Rights::everything()),
            via: Via::CommandLine,
            ip: String::new(),
            request_id: store::format_id(store::new_id()),
            lang: Lang::Zh,
            must_change_password: false,
            acting_for: None,
        })
    }

    /// Nobody in particular: what is done by the clock and by regulations.
    pub fn system() -> Self {
        let mut facts = (*Self::command_line()).clone();
        facts.username = "system".into();
        facts.name = "系统".into();
        facts.via = Via::Job;
        Self::new(facts)
    }

    /// Somebody who is not signed in: nothing is his to do; the log keeps what he calls himself and from where he came.
    pub fn stranger(username: &str, ip: &str, request_id: &str) -> Self {
        Self::new(ActorFacts {
            person_id: PersonId(0),
            username: username.to_owned(),
            name: String::new(),
            rights: Arc::new(Rights::default()),
            via: Via::Session,
            ip: ip.to_owned(),
            request_id: request_id.to_owned(),
            lang: Lang::Zh,
            must_change_password: false,
            acting_for: None,
        })
    }

    /// Whether somebody is himself, or one he acts for now.
    pub fn stands_for(&self, person: PersonId) -> bool {
        self.person_id == person || self.rights.acts_for.iter().any(|(from, _)| *from == person)
    }

    /// The same, doing something on behalf of somebody he [stands for](Self::stands_for).
    pub fn on_behalf_of(&self, person: PersonId) -> Self {
        if person == self.person_id {
            return self.clone();
        }
        Self::new(ActorFacts { acting_for: Some(person), ..ActorFacts::clone(self) })
    }

    /// Whether he administers the system.
    pub fn is_administrator(&self) -> bool {
        self.rights.is_administrator
    }

    /// Whether every customer is in his sight.
    pub fn sees_all_customers(&self) -> bool {
        self.rights.permits_all(Object::Customer)
            || (self.rights.excluded.is_empty()
                && self.rights.whole(Object::Customer, Verb::Read).is_some_and(|w| w.everything))
    }

    /// Whether he has a permission on anything at all: for menus and buttons. The decision is made on the record.
    pub fn may(&self, object: Object, verb: Verb) -> bool {
        self.rights.has_any(object, verb)
    }
}

/// What the decision needs to know of a customer.
#[derive(Clone, Copy, Default)]
pub struct Facts<'a> {
    /// Its id; 0 for one that is about to be made.
    pub id: i64,
    /// Who owns it.
    pub owner_id: Option<PersonId>,
    /// Which unit it belongs to.
    pub unit_id: Option<UnitId>,
    /// The customer itself, for scopes with a condition; without it such a scope does not reach it.
    pub record: Option<&'a dyn Any>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Permit,
    /// The actor may not even know it: answer as if it did not exist.
    Hide,
    /// He may see it but not do this.
    Refuse(Text),
}

/// The one access decision about a customer and everything that hangs on it.
pub fn decide(actor: &Actor, object: Object, verb: Verb, facts: &Facts<'_>) -> Decision {
    let rights = &actor.rights;
    if rights.permits_all(object) {
        rights.note_use(object, verb, None);
        return Decision::Permit;
    }
    if rights.excluded.contains(&facts.id) {
        return Decision::Hide;
    }
    let covers = |object, verb| rights.covers(object, verb, facts);
    if verb != Verb::Create && !covers(Object::Customer, Verb::Read) {
        return Decision::Hide;
    }
    if verb != Verb::Create && object != Object::Customer && !covers(object, Verb::Read) {
        return Decision::Hide;
    }
    if covers(object, verb) {
        rights.note_use(object, verb, Some(facts));
        Decision::Permit
    } else {
        Decision::Refuse(missing(actor, object, verb))
    }
}

/// Why a permission is missing: what bars him from all customers, else that no role has it.
fn missing(actor: &Actor, object: Object, verb: Verb) -> Text {
    match actor.rights.bar {
        Some(bar) if object.is_about_customers() => bar.text(),
        _ => refusal(object, verb),
    }
}

/// Why a permission is missing, and what to do.
pub fn refusal(object: Object, verb: Verb) -> Text {
    let both = |l: Lang| {
        l.f("您的角色没有“{}{}”的权限，如有需要请联系管理员", &[&l.t(verb.title()), &l.t(object.title())])
    };
    Text::Both(both(Lang::Zh), both(Lang::En))
}

/// The same rule as a condition on `customers c`: which customers a permission reaches, without parameters (ids are
/// numbers of ours). May be NULL where owner or unit is not known, which WHERE takes as "no".
pub fn reach_sql(actor: &Actor, object: Object, verb: Verb) -> String {
    let rights = &actor.rights;
    if rights.permits_all(object) {
        return "TRUE".into();
    }
    let mut any: Vec<String> = Vec::new();
    let granted = rights.granted_with(object, verb);
    let whole = rights.whole(object, verb);
    let is_alone = granted.is_empty()
        && rights.excluded.is_empty()
        && whole.is_some_and(|w| w.conditions.is_empty() && w.owners.len() + w.units.len() == 1);
    // A single owner or unit is found by its index. A wider reach is only a filter: the plus keeps the index of the
    // list's order in use, which SQLite would give up for gathering and sorting everything within reach.
    let plus = if is_alone { "" } else { "+" };
    if let Some(whole) = whole {
        if whole.everything {
            any.push("TRUE".into());
        } else {
            any.extend(one_of(plus, "owner_id", whole.owners.iter().map(|o| o.0)));
            any.extend(one_of(plus, "unit_id", whole.units.iter().map(|u| u.0)));
            any.extend(whole.conditions.iter().map(|(condition, me)| condition.sql(*me)));
        }
    }
    if !any.iter().any(|part| part == "TRUE") {
        any.extend(one_of("", "id", granted.into_iter()));
    }
    let reach = match any.as_slice() {
        [] => "FALSE".into(),
        [one] => one.clone(),
        _ if any.iter().any(|part| part == "TRUE") => "TRUE".into(),
        _ => format!("({})", any.join(" OR ")),
    };
    match one_of("", "id", rights.excluded.iter().copied()) {
        Some(excluded) => format!("({reach} AND NOT {excluded})"),
        None => reach,
    }
}

/// `+c.unit_id IN (1, 2)`, or the same as a call for a list that would be long; nothing for no ids.
fn one_of(plus: &str, column: &str, ids: impl Iterator<Item = i64>) -> Option<String> {
    /// SQLite sorts the values of an IN anew in each execution, PostgreSQL parses each as an expression.
    const LONG: usize = 16;
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    match ids.as_slice() {
        [] => None,
        [id] => Some(format!("{plus}c.{column} = {id}")),
        _ if ids.len() > LONG => Some(format!("one_of(c.{column}, '{}')", ids.join(","))),
        _ => Some(format!("{plus}c.{column} IN ({})", ids.join(", "))),
    }
}

/// Which customers the actor may read, or on which of them what hangs there, as a condition on `customers c`.
pub fn readable_sql(actor: &Actor, object: Object) -> String {
    let customers = reach_sql(actor, Object::Customer, Verb::Read);
    if object == Object::Customer {
        return customers;
    }
    let parts = reach_sql(actor, object, Verb::Read);
    match (customers.as_str(), parts.as_str()) {
        (one, other) if one == other || other == "TRUE" => customers,
        ("TRUE", _) => parts,
        _ => format!("({customers} AND {parts})"),
    }
}

/// Permits or turns the decision into the error to answer with.
pub fn require(actor: &Actor, object: Object, verb: Verb, facts: &Facts<'_>) -> Result<(), AppError> {
    match decide(actor, object, verb, facts) {
        Decision::Permit => Ok(()),
        Decision::Hide => Err(AppError::Hidden { object: "customer", id: facts.id }),
        Decision::Refuse(text) => Err(AppError::Forbidden(text)),
    }
}

/// For permissions that are there or not: administration, imports.
pub fn require_may(actor: &Actor, object: Object, verb: Verb) -> Result<(), AppError> {
    if !actor.may(object, verb) {
        return Err(AppError::Forbidden(missing(actor, object, verb)));
    }
    actor.rights.note_use(object, verb, None);
    Ok(())
}

/// Refuses whoever is barred from all customers: for what is shown or done without a decision on each of them.
pub fn require_unbarred(actor: &Actor) -> Result<(), AppError> {
    actor.rights.bar.map_or(Ok(()), |bar| Err(AppError::Forbidden(bar.text())))
}

/// For everything that belongs to the administration.
pub fn require_administrator(actor: &Actor) -> Result<(), AppError> {
    if actor.is_administrator() {
        Ok(())
    } else {
        Err(AppError::Forbidden(text!("只有管理员可以使用这项功能")))
    }
}

#[cfg(test)]
mod tests;
