//! Conditions in CEL, the one expression language: checked once against a `Schema`, then answered by the database
//! (`Expr::sql`) or in memory (`Expr::matches`), always alike.
//!
//! A condition is a subset of CEL: fields compared with literals or with each other, `in`, `has`, `size`,
//! `startsWith`, `endsWith`, `contains`, joined by `&&`, `||`, `!`. Where plain CEL would leave a person guessing, an
//! unknown value has one meaning: it equals only `""` and `null`, and no order holds for it, so `birthday < "2000-01-01"`
//! does not find customers whose birthday nobody knows.

mod lower;
mod memory;
mod node;
mod scan;
mod schema;
mod sql;

#[cfg(test)]
mod tests;

pub use schema::{Schema, Type};

use std::sync::Arc;

use crate::customers::Customer;
use crate::i18n::Text;
use crate::ids::PersonId;
use crate::query::{Conditions, inline};
use node::{Column, Node};

/// Most characters of a condition.
pub const LONGEST: usize = 2_000;
/// Deepest nesting of brackets and of operations.
pub const DEEPEST: usize = 32;
/// Most names, literals and operations.
pub const MOST_NODES: usize = 500;
/// Most items of a list.
pub const MOST_ITEMS: usize = 200;
/// Most different values bound into one statement. The store takes 64; the rest is for the list around the condition.
pub const MOST_VALUES: usize = 40;

/// Why a condition cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong and what to write instead.
    pub text: Text,
    /// Where: the character in the source, counted from 1.
    pub column: usize,
}

impl Problem {
    fn new(text: Text, column: usize) -> Self {
        Self { text, column }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.place())
    }
}
impl std::error::Error for Problem {}

impl Problem {
    /// The text with its position before it, for a form with one line of input.
    pub fn place(&self) -> Text {
        use crate::i18n::Lang;
        let both = |lang: Lang| lang.f("第 {} 个字:{}", &[&self.column, &self.text.to(lang)]);
        Text::Both(both(Lang::Zh), both(Lang::En))
    }
}

impl From<Problem> for crate::error::AppError {
    fn from(problem: Problem) -> Self {
        Self::field("filter", problem.place())
    }
}

/// A checked condition. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Expr {
    node: Arc<Node>,
    program: Arc<memory::Program>,
    columns: Arc<[Arc<Column>]>,
    me: Option<PersonId>,
}

impl Expr {
    /// Reads and checks a condition. Everything that could go wrong later is refused here.
    pub fn compile(source: &str, schema: &Schema) -> Result<Self, Problem> {
        scan::check(source, schema)?;
        let (node, columns) = lower::lower(source, schema)?;
        let values = sql::distinct_values(&node);
        if values > MOST_VALUES {
            return Err(Problem::new(
                crate::text!(
                    "条件里的值太多,最多 {} 个不同的值,现在 {} 个;同一字段的多个值请写成 字段 in [...]",
                    MOST_VALUES,
                    values
                ),
                1,
            ));
        }
        let program = Arc::new(memory::program(&node));
        Ok(Self { node: Arc::new(node), program, columns: columns.into(), me: None })
    }

    /// Says who `me` is. Without it `owner_id == me` holds for nobody.
    pub fn with_me(mut self, me: PersonId) -> Self {
        self.me = Some(me);
        self
    }

    /// The condition as SQL over `customers c`, never NULL, its values bound to `conditions`. The same text serves both
    /// engines. The caller adds it with `Conditions::and`.
    pub fn sql(&self, conditions: &mut Conditions) -> String {
        sql::sql(&self.node, self.me, conditions)
    }

    /// Whether the customer fulfils the condition; `me` goes before the person of `with_me`. The custom values must be
    /// those of the schema's fields, as `check_custom` lets them in.
    pub fn matches(&self, customer: &Customer, me: Option<PersonId>) -> bool {
        memory::matches(&self.program, &self.columns, customer, me.or(self.me))
    }

    /// `sql` without parameters: for the scopes of roles, which stand in every statement.
    fn inline_sql(&self, me: PersonId) -> String {
        let mut conditions = Conditions::default();
        let sql = sql::sql(&self.node, Some(me), &mut conditions);
        inline(&sql, &conditions.params)
    }

    /// The names of the fields the condition reads: who may not see one of them must not filter by it.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| c.name.as_str())
    }
}

impl crate::access::Condition for Expr {
    fn holds(&self, record: &dyn std::any::Any, me: PersonId) -> bool {
        record.downcast_ref::<Customer>().is_some_and(|customer| self.matches(customer, Some(me)))
    }

    fn sql(&self, me: PersonId) -> String {
        self.inline_sql(me)
    }
}
