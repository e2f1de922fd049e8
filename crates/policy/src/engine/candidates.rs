//! Who is proposed for a person of a form, the best first: whom to send to a repair, who takes over a customer.

use std::cmp::Ordering;

use super::{Moment, Refused, Run, Why};
use crate::case::Case;
use crate::model::Policy;
use crate::value::Value;

/// Somebody who is proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Who.
    pub person: String,
    /// What speaks for him, by the field's `ranks`.
    pub values: Vec<Value>,
}

impl Policy {
    /// Whoever may be chosen in a field, the best first; equals stay in the order in which the organisation names them.
    /// `values` are what is filled beside it so far. Nobody for a field that proposes nobody.
    pub fn candidates(
        &self,
        case: &Case,
        field: &str,
        values: Vec<(usize, Value)>,
        moment: Moment<'_>,
    ) -> Result<Vec<Candidate>, Refused> {
        let mut run = Run::new(self, case, moment)?;
        for (place, value) in values {
            run.put(place, value);
        }
        run.compute();
        let found = run.form.field(field).and_then(|place| run.form.fields.get(place));
        let Some(field) = found else {
            return Err(Refused::new(Why::Unknown, "表单里没有这个字段"));
        };
        let value =
            |person: &str, rank: &crate::model::Rank| rank.by.value(&run.env().one(Value::text(person)));
        let mut all: Vec<Candidate> = run
            .people_of(field.among.as_ref())
            .into_iter()
            .map(|person| Candidate {
                values: field.ranks.iter().map(|rank| value(&person, rank)).collect(),
                person,
            })
            .collect();
        all.sort_by(|a, b| {
            let pairs = field.ranks.iter().zip(a.values.iter().zip(&b.values));
            let by_rank = pairs.map(|(rank, (a, b))| better(a, b, rank.most_first));
            by_rank.fold(Ordering::Equal, Ordering::then)
        });
        Ok(all)
    }
}

/// Which comes first; what is not known comes last.
fn better(a: &Value, b: &Value, most_first: bool) -> Ordering {
    let number = |value: &Value| match value {
        // Yes before no.
        Value::Bool(value) => Some(f64::from(u8::from(!value))),
        Value::Int(value) | Value::Money(value) | Value::Time(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        Value::Date(day) => Some(f64::from(day.year()) * 400.0 + f64::from(day.day_of_year())),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) if most_first => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
