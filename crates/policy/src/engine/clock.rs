//! Deadlines: when they begin, move, stand still, are met, and pass. Each warning, breach and rung happens once.

use jiff::civil::Time;
use workday::{Calendar, Pause};

use super::{Effect, Run};
use crate::case::{Case, Clock, Standing};
use crate::expr::{Env, Expr};
use crate::model::{Deadline, Policy};
use crate::value::{Millis, Value};
use crate::world::World;

impl Run<'_> {
    /// Brings all deadlines of the case up to now.
    pub(super) fn clocks(&mut self) {
        let form = std::sync::Arc::clone(self.form);
        for deadline in &form.deadlines {
            self.clock(deadline);
        }
    }

    fn clock(&mut self, deadline: &Deadline) {
        let env = self.env();
        let applies = deadline.when.as_ref().is_none_or(|when| when.holds(&env));
        let from = if applies { instant(&deadline.from, &env, true) } else { None };
        let until = instant(&deadline.until, &env, false);
        let pauses = deadline.pause.as_ref().is_some_and(|pause| pause.holds(&env)) && self.case.is_open();
        let known = self.case.clocks.remove(&deadline.id);
        let Some(from) = from else {
            match known {
                Some(clock) if clock.standing == Standing::Running => self.drop(deadline),
                // A breach that happened stays what it was, with what follows from it.
                Some(clock) if clock.met_at.is_none() => {
                    let clock = self.is_late(deadline, clock, until);
                    self.case.clocks.insert(deadline.id.clone(), clock);
                }
                Some(clock) => drop(self.case.clocks.insert(deadline.id.clone(), clock)),
                None => {}
            }
            return;
        };
        let is_over = is_over(&self.case, deadline) && until.is_none();
        let mut clock = match known {
            Some(clock) => clock,
            None if is_over => return,
            None => {
                let clock = Clock {
                    from,
                    due: Millis::MIN,
                    standing: Standing::Running,
                    met_at: None,
                    paused_at: None,
                    pauses: Vec::new(),
                    warned: 0,
                    escalated: 0,
                };
                self.starts(deadline, clock, from)
            }
        };
        if clock.standing == Standing::Running {
            clock = self.runs(deadline, clock, from, pauses);
            clock = self.is_met(deadline, clock, until);
        }
        if clock.standing == Standing::Running && is_over && self.moment.now <= clock.due {
            return self.drop(deadline);
        }
        if clock.standing == Standing::Running && clock.paused_at.is_none() {
            clock = self.passes(deadline, clock);
        }
        if clock.standing == Standing::Breached && clock.met_at.is_none() {
            clock = self.is_late(deadline, clock, until);
        }
        self.case.clocks.insert(deadline.id.clone(), clock);
    }

    fn drop(&mut self, deadline: &Deadline) {
        self.effects.push(Effect::Dropped { deadline: deadline.id.clone() });
    }

    fn starts(&mut self, deadline: &Deadline, mut clock: Clock, from: Millis) -> Clock {
        clock.due = self.due(deadline, from, &[]);
        self.tell_due(deadline, &clock);
        clock
    }

    fn due(&self, deadline: &Deadline, from: Millis, pauses: &[(Millis, Millis)]) -> Millis {
        let pauses: Vec<Pause> = pauses.iter().map(|(from, to)| Pause { start: *from, end: *to }).collect();
        let calendar = self.moment.world.calendar(self.case.unit.as_deref());
        // Beyond the calendar's years nothing is ever due.
        calendar.due_at(from, deadline.within, &pauses).unwrap_or(Millis::MAX)
    }

    fn tell_due(&mut self, deadline: &Deadline, clock: &Clock) {
        self.effects.push(Effect::Due {
            deadline: deadline.id.clone(),
            from: clock.from,
            due: clock.due,
            clause: deadline.clause.clone(),
        });
    }

    /// Moves with what it runs from, and stands still.
    fn runs(&mut self, deadline: &Deadline, mut clock: Clock, from: Millis, pauses: bool) -> Clock {
        let now = self.moment.now;
        let mut moved = false;
        if clock.from != from {
            clock.from = from;
            clock.warned = 0;
            moved = true;
        }
        match (clock.paused_at, pauses) {
            (None, true) => {
                clock.paused_at = Some(now);
                self.effects.push(Effect::Paused { deadline: deadline.id.clone(), paused: true });
            }
            (Some(since), false) => {
                clock.paused_at = None;
                if since < now {
                    clock.pauses.push((since, now));
                }
                self.effects.push(Effect::Paused { deadline: deadline.id.clone(), paused: false });
                moved = true;
            }
            _ => {}
        }
        if moved {
            clock.due = self.due(deadline, clock.from, &clock.pauses);
            self.tell_due(deadline, &clock);
        }
        clock
    }

    fn is_met(&mut self, deadline: &Deadline, mut clock: Clock, until: Option<Millis>) -> Clock {
        let Some(at) = until else { return clock };
        clock.met_at = Some(at);
        if let Some(since) = clock.paused_at.filter(|since| *since < at) {
            // Met while it stood still: what stood still until then does not count.
            clock.pauses.push((since, at));
            clock.due = self.due(deadline, clock.from, &clock.pauses);
            clock.paused_at = None;
        }
        let in_time = at <= clock.due;
        if in_time {
            clock.standing = Standing::Met;
        } else {
            clock = self.breach(deadline, clock);
        }
        self.effects.push(Effect::Met {
            deadline: deadline.id.clone(),
            at,
            in_time,
            clause: deadline.clause.clone(),
        });
        clock
    }

    fn is_late(&mut self, deadline: &Deadline, mut clock: Clock, until: Option<Millis>) -> Clock {
        if let Some(at) = until {
            clock.met_at = Some(at);
            let clause = deadline.clause.clone();
            self.effects.push(Effect::Met { deadline: deadline.id.clone(), at, in_time: false, clause });
            return clock;
        }
        while let Some((after, who)) = deadline.escalate.get(clock.escalated) {
            let calendar = self.moment.world.calendar(self.case.unit.as_deref());
            let at = calendar.due_at(clock.due, *after, &[]).unwrap_or(Millis::MAX);
            let until = if is_over(&self.case, deadline) { self.case.closed_at } else { None };
            if self.moment.now < at || until.is_some_and(|closed_at| closed_at < at) {
                break;
            }
            clock.escalated += 1;
            let people = self.people(who);
            let clause = deadline.clause.clone();
            self.effects.push(Effect::Escalated {
                deadline: deadline.id.clone(),
                rung: clock.escalated,
                people,
                clause,
            });
        }
        clock
    }

    /// Warnings that have come, and the breach.
    fn passes(&mut self, deadline: &Deadline, mut clock: Clock) -> Clock {
        let now = self.moment.now;
        // A later warning makes the earlier ones pointless, and a breach all of them.
        let calendar = self.moment.world.calendar(self.case.unit.as_deref());
        let came = warnings(calendar, deadline, clock.due).iter().filter(|at| **at <= now).count();
        if came > clock.warned {
            clock.warned = came;
            if now <= clock.due {
                let mut people = self.case.assigned.clone();
                people.extend(self.people_of(deadline.tell.as_ref()));
                let clause = deadline.clause.clone();
                self.effects.push(Effect::Warned {
                    deadline: deadline.id.clone(),
                    people: once(people),
                    clause,
                });
            }
        }
        if now > clock.due {
            clock = self.breach(deadline, clock);
        }
        clock
    }

    fn breach(&mut self, deadline: &Deadline, mut clock: Clock) -> Clock {
        clock.standing = Standing::Breached;
        let mut people = self.case.assigned.clone();
        people.extend(self.people_of(deadline.notify.as_ref()));
        let clause = deadline.clause.clone();
        self.effects.push(Effect::Breached { deadline: deadline.id.clone(), people: once(people), clause });
        if let Some((mark, title)) = &deadline.mark
            && !self.case.marks.contains(mark)
        {
            self.case.marks.push(mark.clone());
            self.effects.push(Effect::Marked { mark: mark.clone(), title: title.clone() });
        }
        let on = format!("deadline:{}", deadline.id);
        self.notices(&on);
        self.penalties(&on, clock.due.saturating_add(1));
        self.hear(&on, &std::collections::BTreeMap::new());
        clock
    }
}

/// Whether what the deadline waits for can never be done any more: the case has ended, and nothing else would do it.
fn is_over(case: &Case, deadline: &Deadline) -> bool {
    !case.is_open() && !deadline.until.looks_outside()
}

/// When it warns, the earliest first.
fn warnings(calendar: &Calendar, deadline: &Deadline, due: Millis) -> Vec<Millis> {
    let at = |before: &workday::Before| calendar.warn_at(due, *before).unwrap_or(Millis::MAX);
    let mut all: Vec<Millis> = deadline.warn.iter().map(at).collect();
    all.sort_unstable();
    all
}

fn once(people: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    people.into_iter().for_each(|person| {
        if !all.contains(&person) {
            all.push(person);
        }
    });
    all
}

/// The instant an expression of a time or a day means. A day stands for its beginning where a deadline begins (the
/// checker makes such deadlines count whole days), and for its last instant where something is done on it.
fn instant(expr: &Expr, env: &Env<'_>, starts: bool) -> Option<Millis> {
    match expr.value(env) {
        Value::Time(at) => Some(at),
        Value::Date(day) => {
            let time = if starts { Time::midnight() } else { Time::constant(23, 59, 59, 999_000_000) };
            env.world().calendar(None).at(day.to_datetime(time)).ok()
        }
        _ => None,
    }
}

/// The next time something happens to the case by itself.
pub(super) fn wakes_at(policy: &Policy, case: &Case, world: &dyn World) -> Option<Millis> {
    let form = policy.form(&case.form)?;
    let calendar = world.calendar(case.unit.as_deref());
    let mut times: Vec<Millis> = Vec::new();
    for deadline in &form.deadlines {
        let Some(clock) = case.clocks.get(&deadline.id) else { continue };
        match clock.standing {
            Standing::Running if clock.paused_at.is_none() => {
                times.push(clock.due.saturating_add(1));
                times.extend(warnings(calendar, deadline, clock.due).get(clock.warned));
            }
            Standing::Breached if clock.met_at.is_none() && !is_over(case, deadline) => {
                let rung = deadline.escalate.get(clock.escalated);
                times.extend(rung.and_then(|(after, _)| calendar.due_at(clock.due, *after, &[]).ok()));
            }
            _ => {}
        }
    }
    let times_out = form.step(&case.step).and_then(|step| step.approve.as_ref()?.timeout).is_some();
    let approval = case.approval.as_ref().filter(|approval| times_out && !approval.is_stuck);
    times.extend(approval.and_then(|approval| approval.due).map(|due| due.saturating_add(1)));
    times.extend(case.fines.iter().filter_map(|fine| fine.next_at));
    times.into_iter().min().filter(|at| *at < Millis::MAX)
}
