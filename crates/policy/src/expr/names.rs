//! The names an expression may use, and their types.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Builtin;
use crate::value::{Kind, Ty, Value};

/// Names with their types.
pub type Facts = Vec<(String, Ty)>;

/// What the application around the engine can tell: facts of records and of events. The engine knows no customer.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// What may follow a reference: `case.customer.class`, `case.owner.superior`.
    pub facts: BTreeMap<Kind, Facts>,
    /// Events of the application and the facts they carry.
    pub events: BTreeMap<String, Facts>,
    /// The posts (岗位) of the organisation; none means that any name is allowed.
    pub posts: Vec<String>,
}

/// A role as an expression needs it.
#[derive(Clone, Debug)]
pub struct RoleNames {
    /// The posts that fill it.
    pub posts: Arc<[String]>,
    /// The unit it is looked for in, as an expression of the form.
    pub at: Option<String>,
}

/// A form as questions about its cases need it.
#[derive(Clone, Debug)]
pub struct FormNames {
    /// Its name.
    pub id: String,
    /// What people read.
    pub title: String,
    /// What each of its cases tells: its fields, and what every case knows.
    pub columns: Arc<[(String, Ty)]>,
}

impl FormNames {
    /// A form with these fields.
    pub fn new(id: &str, title: &str, fields: &[(String, Ty)]) -> Self {
        let mut columns = fields.to_vec();
        for name in CASE_FACTS.iter().chain(&["unit", "customer"]) {
            if let Some((_, ty)) = builtin(name)
                && !columns.iter().any(|(known, _)| known == name)
            {
                columns.push(((*name).to_owned(), ty));
            }
        }
        Self { id: id.to_owned(), title: title.to_owned(), columns: columns.into() }
    }
}

/// Everything in reach at one place of a policy.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// The form's fields; none where there is no case.
    pub fields: Option<&'a [(String, Ty)]>,
    /// The facts of the event in question.
    pub event: Option<&'a [(String, Ty)]>,
    /// The settings, already with the company's values.
    pub settings: &'a BTreeMap<String, (Ty, Value)>,
    /// The roles.
    pub roles: &'a BTreeMap<String, RoleNames>,
    /// The forms of the policy and how their cases may end.
    pub outcomes: &'a [(String, Vec<String>)],
    /// The forms of the policy, whose cases can be asked for.
    pub forms: &'a [FormNames],
    /// The item of a list that is gone through, where there is one: `one`.
    pub one: Option<&'a Ty>,
    /// The steps of the form and their actions.
    pub steps: &'a [(String, Vec<String>)],
    /// What the application can tell.
    pub vocabulary: &'a Vocabulary,
}

/// What every case knows beside its form, `case.NAME`, and no field may be called. A form may have fields `customer` and
/// `unit` of its own: they are what the case is about.
pub const CASE_FACTS: &[&str] =
    &["self", "number", "opened_at", "closed_at", "creator", "owner", "step", "outcome", "marks", "is_open"];

pub(super) fn builtin(name: &str) -> Option<(Builtin, Ty)> {
    Some(match name {
        "self" => (Builtin::Itself, Ty::Ref(Kind::Case)),
        "number" => (Builtin::Number, Ty::Text),
        "opened_at" => (Builtin::OpenedAt, Ty::Time),
        "closed_at" => (Builtin::ClosedAt, Ty::Time),
        "creator" => (Builtin::Creator, Ty::Ref(Kind::Person)),
        "owner" => (Builtin::Owner, Ty::Ref(Kind::Person)),
        "unit" => (Builtin::Unit, Ty::Ref(Kind::Unit)),
        "customer" => (Builtin::Customer, Ty::Ref(Kind::Customer)),
        "step" => (Builtin::Step, Ty::Text),
        "outcome" => (Builtin::Outcome, Ty::Text),
        "marks" => (Builtin::Marks, Ty::list(Ty::Text)),
        "is_open" => (Builtin::IsOpen, Ty::Bool),
        _ => return None,
    })
}
