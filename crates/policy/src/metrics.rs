//! Figures over cases.

use crate::case::Case;
use crate::expr::{Env, Expr};
use crate::model::{Metric, MetricKind};
use crate::value::{Millis, Value};
use crate::world::World;

/// What cases come to in one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Cases that count.
    pub over: i64,
    /// Cases of them that are good.
    pub of: i64,
    /// The sum of their values.
    pub sum: f64,
}

impl Tally {
    /// The figure; none when nothing counts.
    pub fn figure(self, kind: MetricKind) -> Option<f64> {
        let over = self.over as f64;
        match kind {
            MetricKind::Rate => (self.over > 0).then(|| self.of as f64 / over),
            MetricKind::Count => Some(over),
            MetricKind::Sum => Some(self.sum),
            MetricKind::Mean => (self.over > 0).then(|| self.sum / over),
        }
    }

    /// Two together.
    pub fn and(self, other: Self) -> Self {
        Self { over: self.over + other.over, of: self.of + other.of, sum: self.sum + other.sum }
    }
}

/// A time, or the beginning of a day.
pub(crate) fn instant(at: &Expr, env: &Env<'_>) -> Option<Millis> {
    match at.value(env) {
        Value::Time(at) => Some(at),
        Value::Date(day) => {
            env.world().calendar(None).at(day.to_datetime(jiff::civil::Time::midnight())).ok()
        }
        _ => None,
    }
}

impl Metric {
    /// The time that puts the case into a period; none when it belongs to no period yet.
    pub fn at(&self, case: &Case, now: Millis, world: &dyn World) -> Option<Millis> {
        instant(&self.at, &Env::new(now, world).case(case))
    }

    /// What one case adds.
    pub fn tally(&self, case: &Case, now: Millis, world: &dyn World) -> Tally {
        let env = || Env::new(now, world).case(case);
        if self.over.as_ref().is_some_and(|over| !over.holds(&env())) {
            return Tally::default();
        }
        let of = self.of.as_ref().is_some_and(|of| of.holds(&env()));
        let sum = match self.value.as_ref().map(|value| value.value(&env())) {
            Some(Value::Int(value)) => value as f64,
            Some(Value::Number(value)) => value,
            Some(Value::Money(cents)) => cents as f64 / 100.0,
            // A case without a value is no zero: it does not count for means and sums.
            Some(_) => return Tally::default(),
            None => 0.0,
        };
        Tally { over: 1, of: i64::from(of), sum }
    }
}
