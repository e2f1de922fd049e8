//! A condition after checking: two-valued, typed, with everything CEL leaves open decided.

use std::sync::Arc;

use super::schema::{Source, Type};
use crate::clock::Millis;
use crate::ids::PersonId;

/// A field a condition may name.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// As written in a condition.
    pub name: String,
    /// What it holds.
    pub kind: Type,
    /// Its value in SQL. Text and lists are never NULL.
    pub sql: String,
    /// Whether `sql` may be NULL, which means "unknown".
    pub is_nullable: bool,
    /// Whether both engines order it by code points.
    pub is_sortable: bool,
    /// Where it is in a customer.
    pub source: Source,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Column(Arc<Column>),
    /// Characters of a text, items of a list.
    Size(Arc<Column>),
    Literal(Literal),
}

/// A value written in a condition, of the type of what it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Also dates.
    Text(String),
    Int(i64),
    Number(f64),
    Bool(bool),
    Time(Millis),
    Person(PersonId),
    /// Whoever asks.
    Me,
    /// `""` or `null`; only between parsing and fitting to a column.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The same seen from the other side.
    pub fn flipped(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Start,
    End,
    Anywhere,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Always(bool),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    /// The column has a value.
    Known(Arc<Column>),
    /// An order holds only between known values.
    Compare(Operand, Comparison, Operand),
    /// The operand is one of at least one literal.
    OneOf(Operand, Vec<Literal>),
    /// A text column has the text, which is not empty, at this place.
    HasPart(Arc<Column>, Part, String),
    /// A list column has this item.
    HasItem(Arc<Column>, String),
}

impl Node {
    pub fn not(self) -> Self {
        match self {
            Self::Always(value) => Self::Always(!value),
            other => Self::Not(Box::new(other)),
        }
    }
}
