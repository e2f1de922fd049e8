//! Penalties (罚则): amounts, doubling, replacing, repeating until put right.

use super::{Effect, Run};
use crate::case::Fine;
use crate::model::{Measure, Penalty};
use crate::value::{Millis, Value, rounded};

/// Most that one penalty may come to, in cents or hundredths of a point; more is a mistake in the policy.
pub(crate) const MOST: f64 = 1.0e13;
/// Most repetitions made up for in one go; the rest comes with the next.
const MOST_AT_ONCE: usize = 60;

impl Run<'_> {
    /// The penalties something brings that happened at this time.
    pub(super) fn penalties(&mut self, on: &str, at: Millis) {
        let policy = self.policy;
        let due: Vec<&Penalty> = policy
            .penalties
            .iter()
            .filter(|penalty| penalty.on == on)
            .filter(|penalty| penalty.when.as_ref().is_none_or(|when| when.holds(&self.env())))
            .collect();
        for penalty in &due {
            // One that takes the place of another leaves no room for it.
            if due.iter().any(|other| other.replaces.as_ref() == Some(&penalty.id)) {
                continue;
            }
            for person in self.people(&penalty.whom) {
                self.fine(penalty, &person, at);
            }
        }
    }

    fn fine(&mut self, penalty: &Penalty, person: &str, at: Millis) {
        let env = self.env();
        let base = match penalty.amount.value(&env) {
            Value::Money(cents) => cents as f64,
            Value::Number(points) => points * 100.0,
            Value::Int(points) => points as f64 * 100.0,
            _ => return self.uncounted(penalty),
        };
        let count = match penalty.count.as_ref().map(|count| count.value(&env)) {
            None => 1,
            Some(Value::Int(count)) => count,
            Some(_) => return self.uncounted(penalty),
        };
        // An amount of nothing is a penalty that the company's settings switch off.
        if count <= 0 || base == 0.0 {
            return;
        }
        let (factor, times) = match &penalty.multiply {
            Some((from, by, together)) => {
                let earlier = self.moment.world.penalties_in_month(person, together, self.moment.now);
                let now = self.effects.iter().filter(|effect| {
                    matches!(effect, Effect::Penalty { penalty, whom, .. } if whom == person && together.contains(penalty))
                });
                let times = earlier + i64::try_from(now.count()).unwrap_or(0) + 1;
                (if times >= i64::from(*from) { *by } else { 1.0 }, times)
            }
            None => (1.0, 1),
        };
        let amount = rounded(base * count as f64 * factor);
        if !(0.0..=MOST).contains(&amount) {
            return self.uncounted(penalty);
        }
        let amount = amount as i64;
        self.propose(penalty, person, amount, count, factor, times);
        let next_at = self.again(penalty, at);
        if next_at.is_some() {
            let (penalty, whom) = (penalty.id.clone(), person.to_owned());
            self.case.fines.push(Fine { penalty, whom, amount, times: 1, next_at });
        }
    }

    /// What its amount or its number comes to cannot be told: that must not go unnoticed.
    fn uncounted(&mut self, penalty: &Penalty) {
        let (title, clause) = (penalty.title.clone(), penalty.clause.clone());
        let told = Effect::Uncounted { title, clause };
        // Once, however many people it is for.
        if !self.effects.contains(&told) {
            self.effects.push(told);
        }
    }

    fn again(&self, penalty: &Penalty, from: Millis) -> Option<Millis> {
        let calendar = self.moment.world.calendar(self.case.unit.as_deref());
        let within = penalty.repeat?;
        // A day for putting it right has passed when its last instant has: what comes again begins with that instant, or,
        // where the time ends with it as a month does, after it.
        let after = |from| calendar.due_at(from, within, &[]).ok().map(|due| due.saturating_add(1));
        let is_later = |at: &Millis| *at > from;
        after(from.saturating_sub(1)).filter(is_later).or_else(|| after(from).filter(is_later))
    }

    fn propose(&mut self, penalty: &Penalty, person: &str, amount: i64, count: i64, factor: f64, times: i64) {
        let calendar = self.moment.world.calendar(self.case.unit.as_deref());
        let appeal_until =
            penalty.appeal.and_then(|within| calendar.due_at(self.moment.now, within, &[]).ok());
        let confirm_by = self.people_of(penalty.confirm_by.as_ref());
        self.effects.push(Effect::Penalty {
            penalty: penalty.id.clone(),
            whom: person.to_owned(),
            amount,
            measure: penalty.measure,
            count,
            factor,
            times,
            confirm_by,
            appeal_until,
            clause: penalty.clause.clone(),
        });
    }

    /// Penalties that come again while nothing was put right: one for each time that has passed, also when nobody looked
    /// for a while.
    pub(super) fn fines(&mut self) {
        let policy = self.policy;
        for place in 0..self.case.fines.len() {
            let Some(mut fine) = self.case.fines.get(place).cloned() else { continue };
            if fine.next_at.is_none() {
                continue;
            }
            let penalty = policy.penalties.iter().find(|penalty| penalty.id == fine.penalty);
            match penalty
                .filter(|penalty| !penalty.until.as_ref().is_some_and(|until| until.holds(&self.env())))
            {
                Some(penalty) => self.repeat(penalty, &mut fine),
                // Put right, or the policy does not know it any more.
                None => fine.next_at = None,
            }
            if let Some(slot) = self.case.fines.get_mut(place) {
                *slot = fine;
            }
        }
    }

    fn repeat(&mut self, penalty: &Penalty, fine: &mut Fine) {
        for _ in 0..MOST_AT_ONCE {
            let Some(at) = fine.next_at.filter(|at| *at <= self.moment.now) else { return };
            fine.times += 1;
            // The same amount again, and it counts as one more of the month.
            self.propose(penalty, &fine.whom, fine.amount, 1, 1.0, fine.times);
            fine.next_at = self.again(penalty, at);
        }
    }
}

impl Measure {
    /// An amount for people: `50.00 元`, `2 分`.
    pub fn in_chinese(self, amount: i64) -> String {
        match self {
            Self::Money => format!("{} 元", crate::value::yuan(amount)),
            Self::Points => {
                format!("{} 分", crate::value::yuan(amount).trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}
