//! Gaps and overlaps of tables of authority: every condition is asked about samples just below, at and just above each
//! number it names, and each choice. For conditions that compare fields with constants this finds every gap.

use std::collections::BTreeMap;

use jiff::ToSpan;

use super::read::{Parts, Problems};
use crate::case::Case;
use crate::expr::{Env, Expr};
use crate::model::{Form, Policy};
use crate::value::{Ty, Value, yuan};
use crate::world::Nowhere;

/// Most samples looked at for one table.
const MOST_SAMPLES: usize = 20_000;

pub fn check(policy: &Policy, parts: &Parts, problems: &mut Problems<'_>) {
    for (table, part) in policy.authorities.iter().zip(&parts.authority) {
        let Some(form) = policy.form(&table.form) else { continue };
        let conditions: Vec<Option<&Expr>> = table.rows.iter().map(|(when, _)| when.as_ref()).collect();
        let has_rest = conditions.last().is_some_and(Option::is_none);
        match look(form, &conditions) {
            None if has_rest => {}
            None => problems.add(
                &part.place(),
                format!("核决表“{}”的条件核对不了有无空档，请在最后写一行没有条件的其余情况", table.title),
            ),
            Some(findings) => {
                if let Some(example) = findings.gap {
                    problems
                        .add(&part.place(), format!("核决表“{}”有空档：{example}时没有审批人", table.title));
                }
                if let Some((first, second, example)) = findings.overlap {
                    problems.add(
                        &part.place(),
                        format!(
                            "核决表“{}”有重叠：{example}时第 {first} 行和第 {second} 行都成立",
                            table.title
                        ),
                    );
                }
            }
        }
    }
}

/// Whether something may happen that no condition answers.
pub enum Gap {
    /// No.
    None,
    /// Yes, for example this.
    Example(String),
    /// Not to be told.
    Unknown,
}

/// The gap of a list of ways. No ways at all is no gap: the case stays.
pub fn gap_of(form: &Form, conditions: &[Option<&Expr>]) -> Gap {
    if conditions.is_empty() || conditions.iter().any(Option::is_none) {
        return Gap::None;
    }
    match look(form, conditions) {
        None => Gap::Unknown,
        Some(Findings { gap: Some(example), .. }) => Gap::Example(example),
        Some(_) => Gap::None,
    }
}

struct Findings {
    gap: Option<String>,
    overlap: Option<(usize, usize, String)>,
}

/// `None` when the conditions depend on more than fields compared with constants.
fn look(form: &Form, conditions: &[Option<&Expr>]) -> Option<Findings> {
    let mut samples: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
    for condition in conditions.iter().flatten() {
        for (field, value) in condition.atoms()? {
            samples.entry(field).or_default().push(value);
        }
    }
    let samples: Vec<(usize, Vec<Value>)> = samples
        .into_iter()
        .map(|(field, values)| {
            (field, around(&form.fields.get(field).map_or(Ty::Null, |f| f.ty.clone()), values))
        })
        .collect();
    let count = samples.iter().try_fold(1_usize, |count, (_, values)| count.checked_mul(values.len()))?;
    if count > MOST_SAMPLES {
        return None;
    }
    let mut case = Case { values: vec![Value::Null; form.fields.len()], ..Case::default() };
    let mut findings = Findings { gap: None, overlap: None };
    for number in 0..count {
        let mut rest = number;
        for (field, values) in &samples {
            case.values[*field] = values[rest % values.len()].clone();
            rest /= values.len();
        }
        let env = Env::new(0, &Nowhere).case(&case);
        let mut holding = Vec::new();
        for (row, condition) in conditions.iter().enumerate() {
            // The rest is whatever nothing above holds for.
            let holds = condition.map_or(holding.is_empty(), |condition| condition.holds(&env));
            if holds {
                holding.push(row + 1);
            }
        }
        match holding.as_slice() {
            [] if findings.gap.is_none() => findings.gap = Some(describe(form, &case, &samples)),
            [first, second, ..] if findings.overlap.is_none() => {
                findings.overlap = Some((*first, *second, describe(form, &case, &samples)));
            }
            _ => {}
        }
    }
    Some(findings)
}

/// The values worth looking at.
fn around(ty: &Ty, named: Vec<Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut add = |value: Value| {
        if !all.contains(&value) {
            all.push(value);
        }
    };
    match ty {
        Ty::Bool => [true, false].into_iter().for_each(|value| add(Value::Bool(value))),
        Ty::Choice(options) => options.iter().for_each(|option| add(Value::text(option))),
        _ => {
            for value in named {
                match value {
                    Value::Int(n) => {
                        [n.saturating_sub(1), n, n.saturating_add(1)].map(|n| add(Value::Int(n)))
                    }
                    Value::Money(n) => {
                        [n.saturating_sub(1), n, n.saturating_add(1)].map(|n| add(Value::Money(n)))
                    }
                    Value::Number(n) => [n - 1e-6 - n.abs() * 1e-9, n, n + 1e-6 + n.abs() * 1e-9]
                        .map(|n| add(Value::Number(n))),
                    Value::Date(day) => [
                        day.checked_sub(1.day()).unwrap_or(day),
                        day,
                        day.checked_add(1.day()).unwrap_or(day),
                    ]
                    .map(|day| add(Value::Date(day))),
                    Value::Null => [Value::Null, Value::text("x"), Value::Null].map(&mut add),
                    other => [other, Value::text("其他"), Value::Null].map(&mut add),
                };
            }
        }
    }
    all
}

fn describe(form: &Form, case: &Case, samples: &[(usize, Vec<Value>)]) -> String {
    let parts: Vec<String> = samples
        .iter()
        .filter_map(|(field, _)| {
            Some(format!("{}为{}", form.fields.get(*field)?.title, show(&case.values[*field])))
        })
        .collect();
    if parts.is_empty() { "任何情况".to_owned() } else { parts.join("、") }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "空".into(),
        Value::Bool(value) => if *value { "是" } else { "否" }.into(),
        Value::Int(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Money(cents) => format!("{} 元", yuan(*cents)),
        Value::Text(text) => format!("“{text}”"),
        Value::Date(date) => date.to_string(),
        other => other.to_json().to_string(),
    }
}
