//! The engine: a function of a policy, a case, an event and the time. It reads no clock and keeps nothing: the same
//! inputs give the same effects, so that a regulation can be tested, explained, and replayed on last quarter's events.

mod act;
mod approve;
mod candidates;
mod clock;
mod effect;
mod penalty;
#[cfg(test)]
pub(crate) mod tests;
mod texts;

pub(crate) use penalty::MOST as MOST_PENALTY;

pub use act::read_values;
pub use candidates::Candidate;
pub use effect::{Effect, Refused, Why};
pub use texts::shown;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::case::Case;
use crate::expr::{Env, Expr};
use crate::model::{Action, Form, Policy, Step, StepKind, Way};
use crate::value::{Kind, Millis, Ty, Value};
use crate::world::World;

/// When, by whom, and in which company something happens.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The time.
    pub now: Millis,
    /// Who acts; nobody when time passes or an event comes.
    pub actor: Option<&'a str>,
    /// The organisation around.
    pub world: &'a dyn World,
}

/// A case after something happened, and what followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The case as it is now.
    pub case: Case,
    /// What followed, in order.
    pub effects: Vec<Effect>,
}

/// What an approver, or the requester, does in an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Agrees (同意).
    Approve,
    /// Refuses (驳回).
    Reject,
    /// Returns it to an earlier step (退回).
    Return(String),
    /// Adds approvers who decide before him (前加签).
    AddBefore(Vec<String>),
    /// Adds approvers who decide after this stage (后加签).
    AddAfter(Vec<String>),
    /// Lets somebody else decide in his place (转办).
    Reassign(String),
    /// Takes the request back (撤回).
    Withdraw,
    /// Asks for speed (催办).
    Urge,
    /// Steps aside because he is concerned himself (回避).
    Recuse,
}

/// Steps a case may take by itself before it counts as going in circles.
const MOST_HOPS: usize = 40;

/// Most superiors one above the other; more is a ring.
const HIGHEST_LADDER: usize = 50;

/// A case on its way through one event.
struct Run<'a> {
    policy: &'a Policy,
    form: &'a Arc<Form>,
    case: Case,
    effects: Vec<Effect>,
    moment: Moment<'a>,
    hops: usize,
    /// Who asked in the approval that has just been agreed to: he asks in the next one too.
    asked_by: Option<String>,
}

impl<'a> Run<'a> {
    fn new(policy: &'a Policy, case: &Case, moment: Moment<'a>) -> Result<Self, Refused> {
        let Some(form) = policy.form(&case.form) else {
            return Err(Refused::new(Why::Unknown, "制度里没有这种单据了"));
        };
        Ok(Self { policy, form, case: case.clone(), effects: Vec::new(), moment, hops: 0, asked_by: None })
    }

    fn env(&self) -> Env<'_> {
        Env::new(self.moment.now, self.moment.world).case(&self.case).actor(self.moment.actor)
    }

    fn step(&self) -> Result<&'a Step, Refused> {
        self.form.step(&self.case.step).ok_or_else(|| Refused::new(Why::Unknown, "制度里没有这个步骤了"))
    }

    /// Who may not take part (回避).
    fn excluded(&self) -> Vec<String> {
        self.policy.excluded(self.form, &self.case, self.moment.now, self.moment.world)
    }

    /// Whoever must keep away is told so, whatever else he may do.
    fn keep_away(&self) -> Result<(), Refused> {
        let excluded = self.excluded();
        if self.moment.actor.is_some_and(|actor| excluded.iter().any(|one| one == actor)) {
            return Err(Refused::new(Why::NotYours, "您与这件事有关，应当回避"));
        }
        Ok(())
    }

    /// People, each once, without those who may not take part.
    fn people(&self, who: &Expr) -> Vec<String> {
        let env = self.env();
        let excluded = self.excluded();
        let mut people: Vec<String> = Vec::new();
        for person in who.value(&env).as_texts() {
            if !people.contains(&person) && !excluded.contains(&person) {
                people.push(person);
            }
        }
        people
    }

    fn people_of(&self, who: Option<&Expr>) -> Vec<String> {
        who.map_or_else(Vec::new, |who| self.people(who))
    }

    fn put(&mut self, field: usize, value: Value) {
        let value = self.kept(field, value);
        if let Some(slot) = self.case.values.get_mut(field)
            && *slot != value
        {
            let from = std::mem::replace(slot, value.clone());
            self.effects.push(Effect::Changed { field, from, to: value });
        }
    }

    /// A value as it will be when the case is read again: nothing is `Null`, and a whole number in a field of numbers is
    /// a number.
    fn kept(&self, field: usize, value: Value) -> Value {
        match value {
            Value::Int(whole) if self.form.fields.get(field).is_some_and(|field| field.ty == Ty::Number) => {
                Value::Number(whole as f64)
            }
            Value::List(items) if items.iter().any(|item| !item.is_known()) => {
                self.kept(field, Value::list(items.iter().filter(|item| item.is_known()).cloned()))
            }
            value if !value.is_known() => Value::Null,
            value => value,
        }
    }

    /// Values set by a policy, each seeing those before it.
    fn set(&mut self, set: &[(usize, Expr)], event: Option<&BTreeMap<String, Value>>) {
        for (field, expr) in set {
            let mut env = self.env();
            if let Some(facts) = event {
                env = env.event(facts);
            }
            let value = expr.value(&env);
            self.put(*field, value);
        }
    }

    /// Fields that are computed, and what the head of a case takes from its fields.
    fn compute(&mut self) {
        let form = Arc::clone(self.form);
        for (place, field) in form.fields.iter().enumerate() {
            if let Some(expr) = &field.value {
                let value = expr.value(&self.env());
                self.put(place, value);
            }
            for column in &field.columns {
                let Some(expr) = &column.value else { continue };
                let (Some(Value::List(rows)), Value::List(all)) =
                    (self.case.values.get(place), expr.value(&self.env()))
                else {
                    continue;
                };
                let rows = rows.iter().zip(all.iter()).map(|(row, value)| match row {
                    Value::Row(row) => {
                        let mut row = (**row).clone();
                        row.insert(column.id.clone(), value.clone());
                        Value::Row(Arc::new(row))
                    }
                    other => other.clone(),
                });
                let rows = Value::list(rows);
                self.put(place, rows);
            }
        }
        let text = |case: &Case, place: Option<usize>| {
            place.and_then(|place| case.values.get(place)).and_then(Value::as_text).map(str::to_owned)
        };
        self.case.customer = text(&self.case, form.customer);
        if form.unit.is_some() {
            self.case.unit = text(&self.case, form.unit);
        }
        if let Some(owner) = &form.owner
            && let Some(owner) = owner.value(&self.env()).as_texts().into_iter().next()
        {
            self.case.owner = Some(owner);
        }
        // What an event opens belongs where its owner does.
        if form.unit.is_none()
            && self.case.unit.is_none()
            && let Some(owner) = &self.case.owner
        {
            let unit = self.moment.world.fact(Kind::Person, owner, "unit");
            self.case.unit = unit.as_text().map(str::to_owned);
        }
    }

    fn way(&self, ways: &[Way], event: Option<&BTreeMap<String, Value>>) -> Option<usize> {
        let mut env = self.env();
        if let Some(facts) = event {
            env = env.event(facts);
        }
        ways.iter().find(|way| way.when.as_ref().is_none_or(|when| when.holds(&env))).map(|way| way.to)
    }

    /// The case comes to a step.
    fn enter(&mut self, step: usize) {
        let form = Arc::clone(self.form);
        let Some(step) = form.steps.get(step) else { return };
        self.hops += 1;
        let came_from = std::mem::replace(&mut self.case.step, step.id.clone());
        self.case.approval = None;
        self.case.entered.insert(step.id.clone(), self.moment.now);
        self.effects.push(Effect::Entered { step: step.id.clone(), clause: step.clause.clone() });
        let copied = self.people_of(step.copy_to.as_ref());
        if !copied.is_empty() {
            self.effects.push(Effect::Copied { people: copied, clause: step.clause.clone() });
        }
        self.notices(&format!("{}.enter:{}", form.id, step.id));
        if self.hops > MOST_HOPS {
            return self.nobody(step, None);
        }
        match step.kind {
            StepKind::Task => {
                let people = self.people_of(step.by.as_ref());
                if people.is_empty() {
                    self.nobody(step, step.by.as_ref())
                } else {
                    self.assign(step, people)
                }
            }
            StepKind::Approval => self.ask(step, came_from),
            StepKind::Wait => self.assign(step, Vec::new()),
            StepKind::End => {
                self.assign(step, Vec::new());
                self.close(step.outcome.clone());
            }
        }
    }

    fn assign(&mut self, step: &Step, people: Vec<String>) {
        self.case.assigned.clone_from(&people);
        self.effects.push(Effect::Tasks { step: step.id.clone(), people, clause: step.clause.clone() });
    }

    /// Nobody can act here: the administrators of policies are asked.
    fn nobody(&mut self, step: &Step, who: Option<&Expr>) {
        self.tell_nobody(step, who);
        let people = self.administrators();
        self.assign(step, people);
    }

    fn tell_nobody(&mut self, step: &Step, who: Option<&Expr>) {
        let why = who.and_then(|who| who.why_nobody(&self.env(), self.form));
        self.effects.push(Effect::Nobody { step: step.id.clone(), why, clause: step.clause.clone() });
    }

    /// The administrators of policies. Where all of them must keep away, whoever is highest above the owner stands in,
    /// so that no case is left to nobody.
    fn administrators(&self) -> Vec<String> {
        let excluded = self.excluded();
        let mut all = self.moment.world.administrators();
        all.retain(|person| !excluded.contains(person));
        if all.is_empty() {
            all.extend(self.highest_above(&excluded));
        }
        all
    }

    fn highest_above(&self, excluded: &[String]) -> Option<String> {
        let mut person = self.case.owner.clone().or_else(|| self.case.creator.clone())?;
        let mut highest = None;
        for _ in 0..HIGHEST_LADDER {
            let superior = self.moment.world.fact(Kind::Person, &person, "superior");
            let Some(superior) = superior.as_text().filter(|superior| *superior != person) else { break };
            person = superior.to_owned();
            if !excluded.contains(&person) {
                highest = Some(person.clone());
            }
        }
        highest
    }

    fn close(&mut self, outcome: String) {
        self.case.closed_at = Some(self.moment.now);
        self.case.outcome = Some(outcome.clone());
        self.case.approval = None;
        self.case.assigned.clear();
        self.effects.push(Effect::Closed { outcome });
    }

    /// What every event ends with: computed fields, deadlines, penalties that go on.
    fn finish(mut self) -> Outcome {
        self.compute();
        self.clocks();
        // A breach may have moved the case on, which other deadlines run from or wait for.
        let mut hops = 0;
        while hops != self.hops && self.hops <= MOST_HOPS {
            hops = self.hops;
            self.clocks();
        }
        self.fines();
        Outcome { case: self.case, effects: self.effects }
    }

    /// Whether the actor is one of these, or acts for one of them: then for whom.
    fn acts_as(&self, people: &[String]) -> Option<Option<String>> {
        let actor = self.moment.actor?;
        self.keep_away().ok()?;
        if people.iter().any(|person| person == actor) {
            return Some(None);
        }
        let world = self.moment.world;
        let now = self.moment.now;
        people
            .iter()
            .find(|person| world.delegate_of(person, now).as_deref() == Some(actor))
            .cloned()
            .map(Some)
    }
}

impl Policy {
    /// What the actor may do with the case now, beside deciding in an approval.
    pub fn actions<'p>(&'p self, case: &Case, moment: Moment<'_>) -> Vec<&'p Action> {
        let (Some(form), true) = (self.form(&case.form), case.is_open()) else { return Vec::new() };
        let Some(step) = form.step(&case.step).filter(|step| step.kind == StepKind::Task) else {
            return Vec::new();
        };
        let Ok(run) = Run::new(self, case, moment) else { return Vec::new() };
        step.actions.iter().filter(|action| run.may(step, action).is_some() && run.is_there(action)).collect()
    }

    /// When the engine has to be asked again though nothing happens.
    pub fn wakes_at(&self, case: &Case, world: &dyn World) -> Option<Millis> {
        clock::wakes_at(self, case, world)
    }
}
