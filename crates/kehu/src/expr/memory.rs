//! A condition in memory: the checked tree as plain CEL, answered by the CEL interpreter.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, ListExpr, LiteralValue, operators};
use cel::{Context, Value};
use serde_json::Value as Json;

use super::lower::ENV;
use super::node::{Column, Comparison, Literal, Node, Operand, Part};
use super::schema::{Source, Type};
use super::sql::must_be_known;
use crate::customers::Customer;
use crate::ids::PersonId;

/// The variable of whoever asks.
const ME: &str = "me";

/// A condition ready to be answered. The connectives are ours: checked parts are true or false and never fail, and the
/// interpreter would need tens of kilobytes of stack for each level.
#[derive(Clone, Debug)]
pub enum Program {
    Part(IdedExpr),
    Not(Box<Program>),
    And(Box<Program>, Box<Program>),
    Or(Box<Program>, Box<Program>),
}

/// Prepares a condition.
pub fn program(node: &Node) -> Program {
    match node {
        Node::Not(inner) => Program::Not(Box::new(program(inner))),
        Node::And(left, right) => Program::And(Box::new(program(left)), Box::new(program(right))),
        Node::Or(left, right) => Program::Or(Box::new(program(left)), Box::new(program(right))),
        part => Program::Part(part_of(part)),
    }
}

impl Program {
    fn holds(&self, context: &Context<'_, '_>) -> bool {
        match self {
            // A checked condition has no way to fail; if it did, the customer would not be among the answers.
            Self::Part(part) => matches!(context.resolve(part), Ok(Value::Bool(true))),
            Self::Not(inner) => !inner.holds(context),
            Self::And(left, right) => left.holds(context) && right.holds(context),
            Self::Or(left, right) => left.holds(context) || right.holds(context),
        }
    }
}

/// One part as plain CEL.
fn part_of(node: &Node) -> IdedExpr {
    match node {
        Node::Always(value) => literal(&Literal::Bool(*value)),
        Node::Not(inner) => call(operators::LOGICAL_NOT, vec![part_of(inner)]),
        Node::And(left, right) => call(operators::LOGICAL_AND, vec![part_of(left), part_of(right)]),
        Node::Or(left, right) => call(operators::LOGICAL_OR, vec![part_of(left), part_of(right)]),
        Node::Known(column) => known(column),
        Node::Compare(left, how, right) => {
            let operator = match how {
                Comparison::Equal => operators::EQUALS,
                Comparison::Less => operators::LESS,
                Comparison::LessOrEqual => operators::LESS_EQUALS,
                Comparison::Greater => operators::GREATER,
                Comparison::GreaterOrEqual => operators::GREATER_EQUALS,
            };
            let compared = call(operator, vec![operand(left), operand(right)]);
            if *how == Comparison::Equal {
                return compared;
            }
            let guards = [left, right].into_iter().filter_map(must_be_known).map(known);
            guards.fold(compared, |all, guard| call(operators::LOGICAL_AND, vec![guard, all]))
        }
        Node::OneOf(value, literals) => {
            let items = literals.iter().map(literal).collect();
            call(operators::IN, vec![operand(value), node_of(Cel::List(ListExpr::new(items)))])
        }
        Node::HasPart(column, part, text) => {
            let name = match part {
                Part::Start => "startsWith",
                Part::End => "endsWith",
                Part::Anywhere => "contains",
            };
            node_of(Cel::Call(CallExpr {
                func_name: name.into(),
                target: Some(Box::new(variable(&column.name))),
                args: vec![literal(&Literal::Text(text.clone()))],
            }))
        }
        Node::HasItem(column, item) => {
            call(operators::IN, vec![literal(&Literal::Text(item.clone())), variable(&column.name)])
        }
    }
}

/// Whether the customer fulfils the program.
pub fn matches(
    program: &Program,
    columns: &[Arc<Column>],
    customer: &Customer,
    me: Option<PersonId>,
) -> bool {
    let mut context = Context::with_env(Arc::clone(&ENV));
    for column in columns {
        context.add_variable_from_value(column.name.as_str(), value_of(customer, column));
    }
    // An id is never this text, so that `me` without a person equals nobody, not "nobody".
    let me = me.map_or_else(|| "-".to_owned(), |person| person.to_string());
    context.add_variable_from_value(ME, text(me));
    program.holds(&context)
}

fn node_of(expr: Cel) -> IdedExpr {
    IdedExpr { id: 0, expr }
}

fn call(name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    node_of(Cel::Call(CallExpr { func_name: name.into(), target: None, args }))
}

fn variable(name: &str) -> IdedExpr {
    node_of(Cel::Ident(name.into()))
}

fn operand(operand: &Operand) -> IdedExpr {
    match operand {
        Operand::Column(column) => variable(&column.name),
        Operand::Size(column) => call("size", vec![variable(&column.name)]),
        Operand::Literal(value) => literal(value),
    }
}

fn literal(value: &Literal) -> IdedExpr {
    node_of(match value {
        Literal::Me => Cel::Ident(ME.into()),
        Literal::Text(text) => Cel::Literal(LiteralValue::String(text.clone().into())),
        Literal::Person(person) => Cel::Literal(LiteralValue::String(person.to_string().into())),
        Literal::Int(number) | Literal::Time(number) => Cel::Literal(LiteralValue::Int((*number).into())),
        Literal::Number(number) => Cel::Literal(LiteralValue::Double((*number).into())),
        Literal::Bool(value) => Cel::Literal(LiteralValue::Boolean((*value).into())),
        Literal::Unknown => Cel::Literal(LiteralValue::Null),
    })
}

fn known(column: &Column) -> IdedExpr {
    let nothing = match column.kind {
        Type::Text | Type::Date | Type::Person => literal(&Literal::Text(String::new())),
        Type::TextList => {
            let size = call("size", vec![variable(&column.name)]);
            return call(operators::GREATER, vec![size, literal(&Literal::Int(0))]);
        }
        _ => literal(&Literal::Unknown),
    };
    call(operators::NOT_EQUALS, vec![variable(&column.name), nothing])
}

fn text(value: impl Into<String>) -> Value {
    Value::String(Arc::new(value.into()))
}

fn texts(all: impl Iterator<Item = String>) -> Value {
    Value::List(Arc::new(all.map(text).collect()))
}

fn value_of(customer: &Customer, column: &Column) -> Value {
    match &column.source {
        Source::Field(field) => text(customer.get(*field)),
        Source::Number => text(customer.number.as_str()),
        Source::Kind => text(customer.kind.code()),
        Source::Owner => text(customer.owner_id.map(|id| id.to_string()).unwrap_or_default()),
        Source::Tags => texts(customer.tags.iter().cloned()),
        Source::Completeness => Value::Int(customer.completeness),
        Source::Version => Value::Int(customer.version),
        Source::CreatedAt => Value::Int(customer.created_at),
        Source::UpdatedAt => Value::Int(customer.updated_at),
        Source::LastActivityAt => customer.last_activity_at.map_or(Value::Null, Value::Int),
        Source::Custom(key) => custom_value(column.kind, customer.custom.get(key)),
    }
}

fn custom_value(kind: Type, value: Option<&Json>) -> Value {
    match kind {
        Type::Number => value.and_then(Json::as_f64).map_or(Value::Null, Value::Float),
        Type::Bool => value.and_then(Json::as_bool).map_or(Value::Null, Value::Bool),
        Type::TextList => {
            let items = value.and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
            texts(items.iter().filter_map(Json::as_str).map(str::to_owned))
        }
        _ => text(value.and_then(Json::as_str).unwrap_or_default()),
    }
}
