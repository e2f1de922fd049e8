//! Expressions: the conditions, people and values a policy writes, in CEL (Common Expression Language, google/cel-spec).
//!
//! The grammar is the `cel` crate's. Types and answers are ours, because that library has no type checker and no
//! budget, and because a regulation needs answers that cannot fail: what is not known is `null`; no order holds for it,
//! arithmetic with it stays unknown, and a condition that comes out unknown does not hold. Division by zero and overflow
//! are unknown too. On known values the answers are CEL's (`tests.rs` compares them).
//!
//! A number beside an amount of money is yuan: `case.amount > 500` is more than 500.00.

mod check;
mod eval;
mod names;
mod parse;
#[cfg(test)]
mod tests;
mod words;

pub use check::{Wanted, compile, people};
pub(crate) use check::{hint, nearest};
pub use eval::Env;
pub use names::{CASE_FACTS, Facts, FormNames, Names, RoleNames, Vocabulary};
pub use parse::{DEEPEST, LONGEST};
pub(crate) use words::of_value;

use std::sync::Arc;

use crate::value::{Kind, Ty, Value};

/// Most names, literals and operations of an expression.
pub const MOST_NODES: usize = 400;
/// Most steps one answer may take; an expression that needs more comes out unknown. A table of 200 lines looked at
/// line by line takes some 2,000.
pub const BUDGET: u32 = 100_000;

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong and what to write instead, in Chinese.
    pub text: String,
    /// Where: the character in the source, counted from 1.
    pub column: usize,
    /// What is not known, and its name, when that is what is wrong: it may be wrong in many places.
    pub(crate) unknown: Option<(String, String)>,
}

impl Problem {
    fn new(text: impl Into<String>, column: usize) -> Self {
        Self { text: text.into(), column, unknown: None }
    }

    fn of(self, what: &str, name: &str) -> Self {
        Self { unknown: Some((what.to_owned(), name.to_owned())), ..self }
    }
}

/// A checked expression. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Expr {
    source: Arc<str>,
    node: Arc<Node>,
    ty: Ty,
    fields: Arc<[usize]>,
    compared: Arc<[(String, String)]>,
}

impl Expr {
    /// Nobody: an expression of no people.
    pub(crate) fn nobody() -> Self {
        Self {
            source: Arc::from("[]"),
            node: Arc::new(Node::List(Vec::new())),
            ty: Ty::people(),
            fields: Arc::from([]),
            compared: Arc::from([]),
        }
    }

    /// The text it was read from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it answers.
    pub fn ty(&self) -> &Ty {
        &self.ty
    }

    /// The fields of the form it reads, by their place.
    pub fn fields(&self) -> &[usize] {
        &self.fields
    }

    /// The fields by which it asks for other cases, with their form; no form for the case's own.
    pub(crate) fn compared(&self) -> &[(String, String)] {
        &self.compared
    }

    /// Its answer.
    pub fn value(&self, env: &Env<'_>) -> Value {
        let value = eval::value(&self.node, env);
        if env.is_spent() { Value::Null } else { value }
    }

    /// Whether the condition holds.
    pub fn holds(&self, env: &Env<'_>) -> bool {
        self.value(env).is_true()
    }

    /// Whether it holds for cases of the event's customer only: `event.customer == case.customer`, alone or with more that
    /// must hold too. `field` is where the form keeps the customer.
    pub fn asks_for_customer(&self, field: Option<usize>) -> bool {
        self.node.asks_for_customer(field)
    }

    /// Whether its answer can change though nothing happens to the case: by a record, another case or the time.
    pub(crate) fn looks_outside(&self) -> bool {
        self.node.looks_outside()
    }

    /// The comparisons of fields with constants in it, for the checker's samples; `None` when it depends on anything
    /// else.
    pub(crate) fn atoms(&self) -> Option<Vec<(usize, Value)>> {
        let mut atoms = Vec::new();
        self.node.atoms(&mut atoms).then_some(atoms)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arith {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Start,
    End,
    Anywhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Each {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Func {
    Size,
    Has,
    Min,
    Max,
    Abs,
    Round,
    Sum,
    DateOf,
    Year,
    Month,
    Day,
    MinutesBetween,
    HoursBetween,
    DaysBetween,
    WorkdaysBetween,
    Entered,
    Done,
    Times,
    OnDuty,
    OnDutyOn,
    Under,
    Earlier,
    HasCase,
    CustomersOf,
    FirstOfMonth,
    LastOfMonth,
    FreeAt,
    Sample,
    First,
}

/// Cases of a form.
#[derive(Clone, Debug, PartialEq)]
struct Cases {
    form: String,
    title: String,
    columns: Arc<[(String, Ty)]>,
    is_open: bool,
    between: Option<(String, Ty, Node, Node)>,
    same: Vec<(String, Node)>,
}

/// What the case itself knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Itself,
    Number,
    OpenedAt,
    ClosedAt,
    Creator,
    Owner,
    Unit,
    Customer,
    Step,
    Outcome,
    Marks,
    IsOpen,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Const(Value),
    Field(usize),
    Builtin(Builtin),
    Event(Arc<str>),
    Now,
    Actor,
    Local(usize),
    Column(Box<Node>, Arc<str>),
    Fact(Box<Node>, Kind, Arc<str>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Equal(Box<Node>, Box<Node>),
    Order(Order, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    HasPart(Part, Box<Node>, Box<Node>),
    Arith(Arith, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    ToMoney(Box<Node>),
    List(Vec<Node>),
    Call(Func, Vec<Node>),
    /// Whoever holds one of these posts, in this unit or anywhere.
    Holders(Arc<[String]>, Option<Box<Node>>),
    Each(Each, Box<Node>, usize, Box<Node>),
    /// A line for each item of a list, with these columns.
    Rows(Box<Node>, usize, Vec<(Arc<str>, Ty, Node)>),
    Cases(Box<Cases>),
}

impl Node {
    fn asks_for_customer(&self, field: Option<usize>) -> bool {
        let is_event = |node: &Self| matches!(node, Self::Event(name) if &**name == "customer");
        let is_case = |node: &Self| match node {
            Self::Builtin(which) => *which == Builtin::Customer,
            Self::Field(place) => field == Some(*place),
            _ => false,
        };
        match self {
            Self::And(a, b) => a.asks_for_customer(field) || b.asks_for_customer(field),
            Self::Equal(a, b) => (is_event(a) && is_case(b)) || (is_case(a) && is_event(b)),
            _ => false,
        }
    }

    fn looks_outside(&self) -> bool {
        match self {
            Self::Const(_) | Self::Field(_) | Self::Builtin(_) | Self::Local(_) => false,
            Self::Event(_)
            | Self::Now
            | Self::Actor
            | Self::Fact(..)
            | Self::Holders(..)
            | Self::Cases(_) => true,
            Self::Column(inner, _) | Self::Not(inner) | Self::Negate(inner) | Self::ToMoney(inner) => {
                inner.looks_outside()
            }
            Self::And(a, b)
            | Self::Or(a, b)
            | Self::Equal(a, b)
            | Self::Order(_, a, b)
            | Self::In(a, b)
            | Self::HasPart(_, a, b)
            | Self::Arith(_, a, b)
            | Self::Each(_, a, _, b) => a.looks_outside() || b.looks_outside(),
            Self::If(a, b, c) => a.looks_outside() || b.looks_outside() || c.looks_outside(),
            Self::List(items) => items.iter().any(Self::looks_outside),
            Self::Rows(list, _, columns) => {
                list.looks_outside() || columns.iter().any(|(.., node)| node.looks_outside())
            }
            Self::Call(func, args) => {
                use Func::*;
                matches!(func, OnDuty | OnDutyOn | Under | Earlier | HasCase | CustomersOf | FreeAt)
                    || args.iter().any(Self::looks_outside)
            }
        }
    }

    /// The first holders of posts that name nobody, and the unit they are looked for in.
    fn holders_of_nobody(&self, env: &Env<'_>) -> Option<(&[String], Option<&Node>)> {
        match self {
            Self::Holders(posts, unit) => {
                let is_empty = eval::value(self, env).as_texts().is_empty();
                is_empty.then_some((&**posts, unit.as_deref()))
            }
            Self::Arith(_, a, b) => a.holders_of_nobody(env).or_else(|| b.holders_of_nobody(env)),
            Self::If(test, yes, no) => {
                if eval::value(test, env).is_true() { yes } else { no }.holders_of_nobody(env)
            }
            Self::Each(Each::Filter, list, ..) => list.holders_of_nobody(env),
            Self::List(items) => items.iter().find_map(|item| item.holders_of_nobody(env)),
            _ => None,
        }
    }

    /// Gathers `field op constant` comparisons; false when there is anything else that may vary.
    fn atoms(&self, atoms: &mut Vec<(usize, Value)>) -> bool {
        match self {
            Self::Const(_) => true,
            Self::Field(field) => {
                atoms.push((*field, Value::Bool(true)));
                true
            }
            Self::Not(inner) => inner.atoms(atoms),
            Self::And(left, right) | Self::Or(left, right) => left.atoms(atoms) && right.atoms(atoms),
            Self::If(a, b, c) => a.atoms(atoms) && b.atoms(atoms) && c.atoms(atoms),
            Self::Equal(left, right) | Self::Order(_, left, right) => match (&**left, &**right) {
                (Self::Field(field), Self::Const(value)) | (Self::Const(value), Self::Field(field)) => {
                    atoms.push((*field, value.clone()));
                    true
                }
                (Self::Const(_), Self::Const(_)) => true,
                _ => false,
            },
            Self::In(left, right) => match (&**left, &**right) {
                (Self::Field(field), Self::Const(Value::List(items))) => {
                    atoms.extend(items.iter().map(|item| (*field, item.clone())));
                    true
                }
                _ => false,
            },
            Self::Call(Func::Has, args) => match args.as_slice() {
                [Self::Field(field)] => {
                    atoms.push((*field, Value::Null));
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }
}
