//! Who may do what: one decision function, and the same rule as a SQL condition for lists.
//!
//! Two built-in roles prove the path: an administrator may do everything; a staff member works with the customers in
//! his data scope. Everything that hangs on a customer (contacts, assets, activities, files, audit rows, search hits,
//! exports) is decided by that customer.

use std::sync::Arc;

use crate::error::AppError;
use crate::i18n::{Lang, Text};
use crate::ids::PersonId;
use crate::text;

/// What a person is in the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything and administers the system.
    Administrator,
    /// Works with customers.
    Staff,
}

impl Role {
    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Staff => "staff",
        }
    }
    /// The role of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "administrator" => Some(Self::Administrator),
            "staff" => Some(Self::Staff),
            _ => None,
        }
    }
    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Administrator => "管理员",
            Self::Staff => "员工",
        }
    }
}

/// Which customers a staff member works with (数据范围).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataScope {
    /// Every customer (全部).
    All,
    /// The customers he owns (本人).
    Own,
}

impl DataScope {
    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Own => "own",
        }
    }
    /// The scope of a stored name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "own" => Some(Self::Own),
            _ => None,
        }
    }
    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::All => "全部客户",
            Self::Own => "本人负责的客户",
        }
    }
}

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
    /// His role.
    pub role: Role,
    /// His data scope; without effect for administrators.
    pub scope: DataScope,
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
            role: Role::Administrator,
            scope: DataScope::All,
            via: Via::CommandLine,
            ip: String::new(),
            request_id: store::format_id(store::new_id()),
            lang: Lang::Zh,
            must_change_password: false,
        })
    }

    /// Whether he administers the system.
    pub fn is_administrator(&self) -> bool {
        self.role == Role::Administrator
    }

    /// Whether every customer is in his scope.
    pub fn sees_all_customers(&self) -> bool {
        self.is_administrator() || self.scope == DataScope::All
    }
}

/// What somebody wants to do with a customer or with what hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// See it: page, list, search, API.
    Read,
    /// Change it or what hangs on it.
    Update,
    /// Take it away (it can be brought back).
    Delete,
    /// Give it to another owner.
    Assign,
    /// Take it out of the system as a file.
    Export,
}

/// What the decision needs to know of a customer.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Who owns it.
    pub owner_id: Option<PersonId>,
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
pub fn decide(actor: &Actor, verb: Verb, facts: &Facts) -> Decision {
    if actor.is_administrator() {
        return Decision::Permit;
    }
    if actor.scope == DataScope::Own && facts.owner_id != Some(actor.person_id) {
        return Decision::Hide;
    }
    match verb {
        Verb::Read | Verb::Update | Verb::Export => Decision::Permit,
        Verb::Delete => Decision::Refuse(text!("只有管理员可以删除客户")),
        Verb::Assign => Decision::Refuse(text!("只有管理员可以更换负责人")),
    }
}

/// The same rule about reading as a condition on `customers` under the alias `alias`; without parameters, as the
/// actor's id is a number of ours.
pub fn readable_sql(actor: &Actor, alias: &str) -> String {
    if actor.sees_all_customers() {
        "TRUE".into()
    } else {
        format!("{alias}.owner_id = {}", actor.person_id.0)
    }
}

/// Permits or turns the decision into the error to answer with. `id` is the customer's.
pub fn require(actor: &Actor, verb: Verb, facts: &Facts, id: i64) -> Result<(), AppError> {
    match decide(actor, verb, facts) {
        Decision::Permit => Ok(()),
        Decision::Hide => Err(AppError::Hidden { object: "customer", id }),
        Decision::Refuse(text) => Err(AppError::Forbidden(text)),
    }
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
mod tests {
    use super::*;

    fn actor(role: Role, scope: DataScope, id: i64) -> Actor {
        let mut facts = (*Actor::command_line()).clone();
        facts.person_id = PersonId(id);
        facts.role = role;
        facts.scope = scope;
        Actor::new(facts)
    }

    #[test]
    fn staff_with_own_scope_does_not_know_other_peoples_customers() {
        let staff = actor(Role::Staff, DataScope::Own, 7);
        let mine = Facts { owner_id: Some(PersonId(7)) };
        let others = Facts { owner_id: Some(PersonId(8)) };
        let nobodys = Facts { owner_id: None };
        assert_eq!(decide(&staff, Verb::Read, &mine), Decision::Permit);
        for verb in [Verb::Read, Verb::Update, Verb::Delete, Verb::Assign, Verb::Export] {
            assert_eq!(decide(&staff, verb, &others), Decision::Hide);
            assert_eq!(decide(&staff, verb, &nobodys), Decision::Hide);
        }
        assert!(matches!(decide(&staff, Verb::Delete, &mine), Decision::Refuse(_)));
        let administrator = actor(Role::Administrator, DataScope::Own, 9);
        assert_eq!(decide(&administrator, Verb::Delete, &others), Decision::Permit);
    }
}
