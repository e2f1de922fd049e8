//! A condition as SQL: one text for both engines, two-valued, every value bound.
//!
//! Only what means the same on both is used. LIKE is not (SQLite ignores the case of ASCII letters), nor is ordering
//! of text that is not COLLATE "C", nor any function that takes JSON apart.

use store::Value;

use super::node::{Column, Comparison, Literal, Node, Operand, Part};
use super::schema::Type;
use crate::ids::PersonId;
use crate::query::Conditions;

/// Lists longer than this become one bound text.
const MOST_PLACES: usize = 6;
/// Stands between the items of a packed list; no stored text has it.
const SEPARATOR: char = '\u{1f}';
/// An id nobody has.
const NOBODY: PersonId = PersonId(-1);

/// See `Expr::sql`.
pub fn sql(node: &Node, me: Option<PersonId>, conditions: &mut Conditions) -> String {
    Writer { conditions, me: me.unwrap_or(NOBODY), bound: Vec::new() }.node(node)
}

/// How many places a condition takes.
pub fn distinct_values(node: &Node) -> usize {
    let mut conditions = Conditions::default();
    sql(node, Some(NOBODY), &mut conditions);
    conditions.params.len()
}

struct Writer<'c> {
    conditions: &'c mut Conditions,
    me: PersonId,
    bound: Vec<(Value<'static>, String)>,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node) -> String {
        match node {
            Node::Always(true) => "(1 = 1)".into(),
            Node::Always(false) => "(1 = 0)".into(),
            Node::Not(inner) => format!("(NOT {})", self.node(inner)),
            Node::And(left, right) => format!("({} AND {})", self.node(left), self.node(right)),
            Node::Or(left, right) => format!("({} OR {})", self.node(left), self.node(right)),
            Node::Known(column) => known(column),
            Node::Compare(left, how, right) => self.compare(left, *how, right),
            Node::OneOf(operand, literals) => self.one_of(operand, literals),
            Node::HasPart(column, part, text) => self.has_part(column, *part, text),
            Node::HasItem(column, item) => {
                let place = self.bind(Value::Owned(item_text(item)));
                let list = plain_quotes(&column.sql);
                format!("(replace({list}, {place}, '') <> {list})")
            }
        }
    }

    /// A place for the value, with its type; equal values share one.
    fn bind(&mut self, value: Value<'static>) -> String {
        if let Some((_, place)) = self.bound.iter().find(|(bound, _)| *bound == value) {
            return place.clone();
        }
        let place = self.conditions.bind(value.clone());
        // PostgreSQL would guess the type from the neighbourhood, and guess differently at each use.
        let typed = match &value {
            Value::Int(_) => format!("CAST({place} AS BIGINT)"),
            Value::Real(_) => format!("CAST({place} AS DOUBLE PRECISION)"),
            _ => format!("CAST({place} AS TEXT)"),
        };
        self.bound.push((value, typed.clone()));
        typed
    }

    fn literal(&mut self, literal: &Literal) -> String {
        match literal {
            Literal::Text(text) => self.bind(Value::Owned(text.clone())),
            Literal::Int(value) | Literal::Time(value) => self.bind(Value::Int(*value)),
            Literal::Number(value) => self.bind(Value::Real(*value)),
            Literal::Person(person) => self.bind(Value::Int(person.0)),
            Literal::Me => self.bind(Value::Int(self.me.0)),
            // Answered by `compare`; checked conditions hold neither elsewhere.
            Literal::Bool(value) => if *value { "(1 = 1)" } else { "(1 = 0)" }.into(),
            Literal::Unknown => "NULL".into(),
        }
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Column(column) => column.sql.clone(),
            Operand::Size(column) if column.kind == Type::TextList => {
                // Every item stands between two quotes.
                let list = plain_quotes(&column.sql);
                format!("((length({list}) - length(replace({list}, '\"', ''))) / 2)")
            }
            Operand::Size(column) => format!("length({})", column.sql),
            Operand::Literal(literal) => self.literal(literal),
        }
    }

    fn compare(&mut self, left: &Operand, how: Comparison, right: &Operand) -> String {
        let sign = match how {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        };
        let (a, b) = match (left, right) {
            (Operand::Column(column), Operand::Literal(Literal::Bool(value))) => {
                // JSON's true is 1 in SQLite and 'true' in PostgreSQL.
                let words = if *value { "('1', 'true')" } else { "('0', 'false')" };
                return format!("({} IS NOT NULL AND {} IN {words})", column.sql, column.sql);
            }
            _ => (self.operand(left), self.operand(right)),
        };
        if how == Comparison::Equal {
            return match (nullable(left), nullable(right)) {
                (false, false) => format!("({a} = {b})"),
                (true, false) => format!("({a} IS NOT NULL AND {a} = {b})"),
                (false, true) => format!("({b} IS NOT NULL AND {a} = {b})"),
                (true, true) => format!("({a} IS NOT DISTINCT FROM {b})"),
            };
        }
        let mut all: Vec<String> = [left, right].into_iter().filter_map(must_be_known).map(known).collect();
        all.push(format!("{a} {sign} {b}"));
        format!("({})", all.join(" AND "))
    }

    fn one_of(&mut self, operand: &Operand, literals: &[Literal]) -> String {
        if let Operand::Column(column) = operand
            && column.kind == Type::Bool
        {
            let each: Vec<String> = literals
                .iter()
                .map(|l| self.compare(operand, Comparison::Equal, &Operand::Literal(l.clone())))
                .collect();
            return format!("({})", each.join(" OR "));
        }
        let value = self.operand(operand);
        let listed = match packed(literals, self.me) {
            Some(text) if literals.len() > MOST_PLACES => {
                let place = self.bind(Value::Owned(text));
                let separator = self.bind(Value::Owned(SEPARATOR.to_string()));
                format!(
                    "replace({place}, {separator} || CAST({value} AS TEXT) || {separator}, '') <> {place}"
                )
            }
            _ => {
                let places: Vec<String> = literals.iter().map(|l| self.literal(l)).collect();
                format!("{value} IN ({})", places.join(", "))
            }
        };
        if nullable(operand) { format!("({value} IS NOT NULL AND {listed})") } else { format!("({listed})") }
    }

    fn has_part(&mut self, column: &Column, part: Part, text: &str) -> String {
        let (value, place, length) =
            (&column.sql, self.bind(Value::Owned(text.into())), text.chars().count());
        match part {
            Part::Start => format!("(substr({value}, 1, {length}) = {place})"),
            Part::End => format!(
                "(length({value}) >= {length} AND substr({value}, length({value}) - {length} + 1) = {place})"
            ),
            Part::Anywhere => format!("(replace({value}, {place}, '') <> {value})"),
        }
    }
}

fn known(column: &Column) -> String {
    match column.kind {
        Type::Text | Type::Date => format!("({} <> '')", column.sql),
        Type::TextList => format!("({} <> '[]')", column.sql),
        _ => format!("({} IS NOT NULL)", column.sql),
    }
}

fn nullable(operand: &Operand) -> bool {
    matches!(operand, Operand::Column(column) if column.is_nullable)
}

/// The column whose unknown value must not take part in an order.
pub fn must_be_known(operand: &Operand) -> Option<&Column> {
    match operand {
        Operand::Column(column) if column.is_nullable || matches!(column.kind, Type::Text | Type::Date) => {
            Some(column)
        }
        _ => None,
    }
}

/// A list as one text, each item between separators. Numbers have no text both engines agree on.
fn packed(literals: &[Literal], me: PersonId) -> Option<String> {
    let mut text = String::from(SEPARATOR);
    for literal in literals {
        match literal {
            Literal::Text(item) => text.push_str(item),
            Literal::Int(item) | Literal::Time(item) => text.push_str(&item.to_string()),
            Literal::Person(person) => text.push_str(&person.0.to_string()),
            Literal::Me => text.push_str(&me.0.to_string()),
            Literal::Number(_) | Literal::Bool(_) | Literal::Unknown => return None,
        }
        text.push(SEPARATOR);
    }
    Some(text)
}

/// What takes the place of `\\` and `\"` inside JSON text, so that every quote left is the edge of an item. JSON text
/// has no raw control characters.
const ESCAPES: [(&str, &str); 2] = [("\\\\", "\u{1}"), ("\\\"", "\u{2}")];

fn plain_quotes(list: &str) -> String {
    ESCAPES.iter().fold(list.to_owned(), |sql, (from, to)| format!("replace({sql}, '{from}', '{to}')"))
}

/// An item as it stands in the JSON text of a list after `plain_quotes`, with its quotes.
fn item_text(item: &str) -> String {
    let quoted = serde_json::Value::from(item).to_string();
    let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    format!("\"{}\"", ESCAPES.iter().fold(inner.to_owned(), |text, (from, to)| text.replace(from, to)))
}
