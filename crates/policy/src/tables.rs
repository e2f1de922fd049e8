//! What a report holds for a period: its figures by group with the cases behind each, and its list of cases with totals.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::expr::Env;
use crate::metrics::Tally;
use crate::model::{Form, Metric, Policy, Report};
use crate::periods::Period;
use crate::value::{Kind, Millis, Value};
use crate::world::World;

/// A report of one period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Its figures, by what it is broken down by; groups in the order of their names.
    pub groups: Vec<Group>,
    /// Its list of cases, the first first.
    pub lines: Vec<Line>,
}

/// The figures of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What it is about, by the report's `by`.
    pub by: Vec<Value>,
    /// The figures, by the name of the metric, each with the ids of the cases that count.
    pub figures: BTreeMap<String, (Tally, Vec<String>)>,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is about, by the report's `by`.
    pub by: Vec<Value>,
    /// The case.
    pub case: String,
    /// The values, by the register's columns.
    pub values: Vec<Value>,
}

impl Policy {
    /// A report of a period over these cases, which may be more than belong to it: all of the forms it is about.
    pub fn table<'c>(
        &self,
        report: &Report,
        period: Period,
        cases: impl IntoIterator<Item = &'c Case>,
        now: Millis,
        world: &dyn World,
    ) -> Table {
        let Some((first, last)) = period.instants(world.calendar(None)) else { return Table::default() };
        let is_in = |at: Option<Millis>| at.is_some_and(|at| (first..=last).contains(&at));
        let metrics: Vec<&Metric> = report
            .metrics
            .iter()
            .filter_map(|id| self.metrics.iter().find(|metric| metric.id == *id))
            .collect();
        let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
        let mut lines: Vec<(Millis, Line)> = Vec::new();
        for case in cases {
            let Some(form) = self.form(&case.form) else { continue };
            let by: Vec<Value> = report.by.iter().map(|name| group_of(form, case, name)).collect();
            for metric in metrics.iter().filter(|metric| metric.form == case.form) {
                if !is_in(metric.at(case, now, world)) {
                    continue;
                }
                let tally = metric.tally(case, now, world);
                if tally.over == 0 {
                    continue;
                }
                let names = report.by.iter().zip(&by).map(|(name, value)| named(form, name, value, world));
                let group = groups
                    .entry(names.collect())
                    .or_insert_with(|| Group { by: by.clone(), figures: BTreeMap::new() });
                let figure = group.figures.entry(metric.id.clone()).or_default();
                figure.0 = figure.0.and(tally);
                figure.1.push(case.id.clone());
            }
            let Some(register) = report.register.as_ref().filter(|register| register.form == case.form)
            else {
                continue;
            };
            let env = || Env::new(now, world).case(case);
            let at = crate::metrics::instant(&register.at, &env());
            if is_in(at) && register.when.as_ref().is_none_or(|when| when.holds(&env())) {
                let values = register.columns.iter().map(|column| match column {
                    Some(place) => case.values.get(*place).cloned().unwrap_or_default(),
                    None => Value::text(&case.number),
                });
                let line = Line { by, case: case.id.clone(), values: values.collect() };
                lines.push((at.unwrap_or(first), line));
            }
        }
        lines.sort_by(|(a, x), (b, y)| (a, &x.case).cmp(&(b, &y.case)));
        Table {
            groups: groups.into_values().collect(),
            lines: lines.into_iter().map(|(_, line)| line).collect(),
        }
    }
}

/// What a case belongs to by `unit`, `owner` or a field; nothing where its form has no such field.
fn group_of(form: &Form, case: &Case, name: &str) -> Value {
    if let Some(place) = form.field(name) {
        return case.values.get(place).cloned().unwrap_or_default();
    }
    match name {
        "unit" => case.unit.clone().into(),
        "owner" => case.owner.clone().into(),
        _ => Value::Null,
    }
}

/// By what it stands in the list.
fn named(form: &Form, name: &str, value: &Value, world: &dyn World) -> String {
    let kind = match form.field(name).and_then(|place| form.fields.get(place)?.kind.reference()) {
        Some(kind) => Some(kind),
        None if name == "unit" => Some(Kind::Unit),
        None if name == "owner" => Some(Kind::Person),
        None => None,
    };
    match (value, kind) {
        // The name sorts, the id tells two of one name apart.
        (Value::Text(id), Some(kind)) => format!("{}\0{id}", world.name(kind, id)),
        (Value::Null, _) => String::new(),
        (value, _) => value.compared().unwrap_or_else(|| value.to_json().to_string()),
    }
}
