//! What was done to a case, done again under another version of its regulation: what a draft would have changed.
//!
//! Both versions are run side by side on the same deeds in the same world, so that only the regulation differs. The
//! world is today's: a case whose deeds are refused today even under its own version tells nothing and is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::case::{Case, Standing};
use crate::engine::{Effect, Moment, Outcome, Refused, Verdict};
use crate::model::{Action, Form, Measure, Policy};
use crate::value::{Millis, Value};
use crate::world::World;

/// Most timers that fire between two deeds; what goes beyond is left out in both versions alike.
const MOST_TIMERS: usize = 500;

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// It was opened.
    Open,
    /// A button was pressed.
    Act(String),
    /// An approver, or the requester, did something to the approval.
    Decide(Verdict, String),
    /// It heard an event that its step waited for.
    Hear(String, BTreeMap<String, Value>),
}

/// Something done to a case, as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// When.
    pub at: Millis,
    /// By whom; nobody when an event did.
    pub actor: Option<String>,
    /// What.
    pub what: What,
    /// The values given with it, by the names of the form's fields, as `Value::to_json` writes them.
    pub values: Map<String, Json>,
}

impl Deed {
    /// The values of a deed by the names of their fields.
    pub fn named(form: &Form, values: &[(usize, Value)]) -> Map<String, Json> {
        let known = values.iter().filter_map(|(place, value)| Some((form.fields.get(*place)?, value)));
        known.map(|(field, value)| (field.id.clone(), value.to_json())).collect()
    }

    /// As JSON, for storing beside its time and actor.
    pub fn to_json(&self) -> Json {
        let mut json = match &self.what {
            What::Open => json!({ "do": "open" }),
            What::Act(action) => json!({ "do": "act", "action": action }),
            What::Decide(verdict, comment) => {
                json!({ "do": "decide", "verdict": verdict_json(verdict), "comment": comment })
            }
            What::Hear(event, facts) => {
                let facts: Map<String, Json> =
                    facts.iter().map(|(name, value)| (name.clone(), fact_json(value))).collect();
                json!({ "do": "hear", "event": event, "facts": facts })
            }
        };
        if !self.values.is_empty() {
            json["values"] = Json::Object(self.values.clone());
        }
        json
    }

    /// What `to_json` wrote; `None` for anything else.
    pub fn from_json(at: Millis, actor: Option<String>, json: &Json) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let what = match json["do"].as_str()? {
            "open" => What::Open,
            "act" => What::Act(text("action")?),
            "decide" => What::Decide(verdict_of(&json["verdict"])?, text("comment")?),
            "hear" => {
                let facts = json["facts"].as_object()?;
                let facts = facts.iter().map(|(name, value)| (name.clone(), fact_of(value))).collect();
                What::Hear(text("event")?, facts)
            }
            _ => return None,
        };
        let values = json["values"].as_object().cloned().unwrap_or_default();
        Some(Self { at, actor, what, values })
    }
}

fn verdict_json(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::Approve => json!({ "is": "approve" }),
        Verdict::Reject => json!({ "is": "reject" }),
        Verdict::Return(step) => json!({ "is": "return", "step": step }),
        Verdict::AddBefore(people) => json!({ "is": "add_before", "people": people }),
        Verdict::AddAfter(people) => json!({ "is": "add_after", "people": people }),
        Verdict::Reassign(to) => json!({ "is": "reassign", "to": to }),
        Verdict::Withdraw => json!({ "is": "withdraw" }),
        Verdict::Urge => json!({ "is": "urge" }),
        Verdict::Recuse => json!({ "is": "recuse" }),
    }
}

fn verdict_of(json: &Json) -> Option<Verdict> {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let people = || {
        let all = json["people"].as_array()?;
        all.iter().map(|person| person.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    };
    Some(match json["is"].as_str()? {
        "approve" => Verdict::Approve,
        "reject" => Verdict::Reject,
        "return" => Verdict::Return(text("step")?),
        "add_before" => Verdict::AddBefore(people()?),
        "add_after" => Verdict::AddAfter(people()?),
        "reassign" => Verdict::Reassign(text("to")?),
        "withdraw" => Verdict::Withdraw,
        "urge" => Verdict::Urge,
        "recuse" => Verdict::Recuse,
        _ => return None,
    })
}

/// Facts of events are texts, ids and times; a time must not come back as a number.
fn fact_json(value: &Value) -> Json {
    match value {
        Value::Time(at) => json!({ "at": at }),
        other => other.to_json(),
    }
}

fn fact_of(json: &Json) -> Value {
    match json {
        Json::String(text) => Value::text(text),
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Number(number.as_f64().unwrap_or_default()), Value::Int)
        }
        Json::Object(at) => at.get("at").and_then(Json::as_i64).map_or(Value::Null, Value::Time),
        _ => Value::Null,
    }
}

/// A case whose deeds are done again.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'o> {
    /// Its form.
    pub form: &'o str,
    /// Its id.
    pub id: &'o str,
    /// Its number.
    pub number: &'o str,
}

/// What the other version would have done otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A deed that was done would have been refused; what follows it is not told.
    Refused {
        /// Which deed, from 0.
        deed: usize,
        /// Why.
        refused: Refused,
    },
    /// The case would stand, or have ended, elsewhere: where it is in words.
    Stands {
        /// Under its own version.
        before: String,
        /// Under the other.
        after: String,
    },
    /// A deadline would end at another time, or be there, or not.
    Due {
        /// What it is called.
        title: String,
        /// Its clause.
        clause: String,
        /// Under its own version.
        before: Option<Millis>,
        /// Under the other.
        after: Option<Millis>,
    },
    /// A deadline that was kept would have passed, or the other way round.
    Kept {
        /// What it is called.
        title: String,
        /// Its clause.
        clause: String,
        /// Whether the other version counts it as kept.
        after: bool,
    },
    /// Others would have been asked at a step.
    Asked {
        /// The step.
        step: String,
        /// Its clause.
        clause: String,
        /// Under its own version.
        before: Vec<String>,
        /// Under the other.
        after: Vec<String>,
    },
    /// Somebody's penalties would be others: sums in cents, or hundredths of a point.
    Penalty {
        /// What it is called.
        title: String,
        /// Its clause.
        clause: String,
        /// Whom it hits.
        whom: String,
        /// In what.
        measure: Measure,
        /// Under its own version.
        before: i64,
        /// Under the other.
        after: i64,
    },
    /// Another number of cases would have been opened.
    Opens {
        /// Their form.
        form: String,
        /// Under its own version.
        before: i64,
        /// Under the other.
        after: i64,
    },
}

/// What doing a case again has shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Replayed {
    /// Not even its own version does it again today: who may, or a record, has changed since.
    Unlike(Refused),
    /// What changes; nothing when both go the same way.
    Alike(Vec<Change>),
}

/// Does the deeds of a case again under its own version and under another, up to a time, and tells the difference.
/// Deterministic: the same deeds in the same world give the same answer.
pub fn replay(
    (own, other): (&Policy, &Policy),
    origin: Origin<'_>,
    deeds: &[Deed],
    until: Millis,
    world: &dyn World,
) -> Replayed {
    let after = Course::run(other, origin, deeds, until, world);
    // Where the other refuses, both are compared as they stood before.
    let (compared, until) = match &after.refused {
        Some((deed, _)) => (&deeds[..*deed], deeds[*deed].at),
        None => (deeds, until),
    };
    let before = Course::run(own, origin, compared, until, world);
    if let Some((_, refused)) = before.refused {
        return Replayed::Unlike(refused);
    }
    if let Some((deed, _)) = &after.refused {
        // It was done, or it would not have been kept; only who may do it today can have changed.
        let mut own_way = before.clone();
        if let Some(refused) = own_way.take_deed(own, origin, &deeds[*deed], world) {
            return Replayed::Unlike(refused);
        }
    }
    let mut changes = before.compare(own, &after, other);
    if let Some((deed, refused)) = after.refused {
        changes.push(Change::Refused { deed, refused });
    }
    Replayed::Alike(changes)
}

/// A case on its way through its deeds.
#[derive(Clone, Debug, Default)]
struct Course {
    case: Option<Case>,
    refused: Option<(usize, Refused)>,
    /// By penalty and whom: in what, and how much.
    penalties: BTreeMap<(String, String), (Measure, i64)>,
    opened: BTreeMap<String, i64>,
    /// Whoever was asked at a step, whenever the case came to it.
    asked: BTreeMap<String, BTreeSet<String>>,
}

impl Course {
    fn run(policy: &Policy, origin: Origin<'_>, deeds: &[Deed], until: Millis, world: &dyn World) -> Self {
        let mut course = Self::default();
        for (place, deed) in deeds.iter().enumerate() {
            course.let_time_pass(policy, deed.at, world);
            if let Some(refused) = course.take_deed(policy, origin, deed, world) {
                course.refused = Some((place, refused));
                return course;
            }
        }
        course.let_time_pass(policy, until, world);
        course
    }

    fn let_time_pass(&mut self, policy: &Policy, until: Millis, world: &dyn World) {
        for _ in 0..MOST_TIMERS {
            let Some(case) = &self.case else { return };
            let Some(now) = policy.wakes_at(case, world).filter(|at| *at <= until) else { return };
            let Ok(outcome) = policy.tick(case, Moment { now, actor: None, world }) else { return };
            if outcome.effects.is_empty() && outcome.case == *case {
                return;
            }
            self.keep(outcome);
        }
    }

    /// Does a deed; the refusal when it is refused.
    fn take_deed(
        &mut self,
        policy: &Policy,
        origin: Origin<'_>,
        deed: &Deed,
        world: &dyn World,
    ) -> Option<Refused> {
        let moment = Moment { now: deed.at, actor: deed.actor.as_deref(), world };
        let form = policy.form(origin.form);
        let values = form.map_or_else(Vec::new, |form| values_of(form, self.case.as_ref(), deed));
        let outcome = match (&deed.what, &self.case) {
            (What::Open, _) => policy.open(origin.form, origin.id, origin.number, values, moment),
            (_, None) => return None,
            (What::Act(action), Some(case)) => policy.act(case, action, values, moment),
            (What::Decide(verdict, comment), Some(case)) => {
                policy.decide(case, verdict, comment, values, moment)
            }
            (What::Hear(event, facts), Some(case)) => policy.happened(case, event, facts, moment),
        };
        match outcome {
            Ok(outcome) => {
                self.keep(outcome);
                None
            }
            Err(refused) => Some(refused),
        }
    }

    fn keep(&mut self, outcome: Outcome) {
        for effect in outcome.effects {
            match effect {
                Effect::Penalty { penalty, whom, amount, measure, .. } => {
                    self.penalties.entry((penalty, whom)).or_insert((measure, 0)).1 += amount;
                }
                Effect::Open { form, .. } => *self.opened.entry(form).or_default() += 1,
                Effect::Tasks { step, people, .. } if !people.is_empty() => {
                    self.asked.entry(step).or_default().extend(people);
                }
                _ => {}
            }
        }
        self.case = Some(outcome.case);
    }

    fn compare(&self, own: &Policy, after: &Self, other: &Policy) -> Vec<Change> {
        let mut changes = Vec::new();
        if let (Some(was), Some(is)) = (&self.case, &after.case) {
            let (before, after) = (stands(own, was), stands(other, is));
            if before != after {
                changes.push(Change::Stands { before, after });
            }
            clocks(own, was, other, is, &mut changes);
        }
        for step in keys(&self.asked, &after.asked) {
            let people = |course: &Self| -> Vec<String> {
                course.asked.get(step).map_or_else(Vec::new, |people| people.iter().cloned().collect())
            };
            let (before, after) = (people(self), people(after));
            // A step that only one of them comes to shows in where the case stands.
            if before != after && !before.is_empty() && !after.is_empty() {
                let found = |policy: &Policy| {
                    let steps = policy.forms.iter().flat_map(|form| &form.steps);
                    steps
                        .into_iter()
                        .find(|known| known.id == *step)
                        .map(|s| (s.title.clone(), s.clause.clone()))
                };
                let (step, clause) = found(other).or_else(|| found(own)).unwrap_or_default();
                changes.push(Change::Asked { step, clause, before, after });
            }
        }
        for key in keys(&self.penalties, &after.penalties) {
            let sum = |course: &Self| course.penalties.get(key).map_or(0, |(_, amount)| *amount);
            let (before, after_sum) = (sum(self), sum(after));
            if before != after_sum {
                let (penalty, whom) = key;
                let measure = after.penalties.get(key).or(self.penalties.get(key)).map(|(m, _)| *m);
                let find = |policy: &Policy| {
                    let known = policy.penalties.iter().find(|known| known.id == *penalty);
                    known.map(|known| (known.title.clone(), known.clause.clone()))
                };
                let (title, clause) = find(other).or_else(|| find(own)).unwrap_or_default();
                changes.push(Change::Penalty {
                    title,
                    clause,
                    whom: whom.clone(),
                    measure: measure.unwrap_or(Measure::Money),
                    before,
                    after: after_sum,
                });
            }
        }
        for form in keys(&self.opened, &after.opened) {
            let count = |course: &Self| course.opened.get(form).copied().unwrap_or(0);
            let (before, after) = (count(self), count(after));
            if before != after {
                let known = other.form(form).or_else(|| own.form(form));
                let form = known.map_or_else(|| form.clone(), |form| form.title.clone());
                changes.push(Change::Opens { form, before, after });
            }
        }
        changes
    }
}

fn keys<'k, K: Ord, V, W>(one: &'k BTreeMap<K, V>, two: &'k BTreeMap<K, W>) -> BTreeSet<&'k K> {
    one.keys().chain(two.keys()).collect()
}

/// Where a case stands, in words.
fn stands(policy: &Policy, case: &Case) -> String {
    if let Some(outcome) = &case.outcome {
        return outcome.clone();
    }
    let step = policy.form(&case.form).and_then(|form| form.step(&case.step));
    step.map_or_else(|| case.step.clone(), |step| step.title.clone())
}

fn clocks(own: &Policy, was: &Case, other: &Policy, is: &Case, changes: &mut Vec<Change>) {
    for id in keys(&was.clocks, &is.clocks) {
        let find = |policy: &Policy| {
            let form = policy.form(&was.form)?;
            let deadline = form.deadlines.iter().find(|deadline| deadline.id == *id)?;
            Some((deadline.title.clone(), deadline.clause.clone()))
        };
        let (title, clause) = find(other).or_else(|| find(own)).unwrap_or_default();
        let (before, after) = (was.clocks.get(id), is.clocks.get(id));
        let due = |clock: Option<&crate::case::Clock>| clock.map(|clock| clock.due);
        if due(before) != due(after) {
            changes.push(Change::Due {
                title: title.clone(),
                clause: clause.clone(),
                before: due(before),
                after: due(after),
            });
        }
        if let (Some(before), Some(after)) = (before, after) {
            let passed = |standing: Standing| standing == Standing::Breached;
            if passed(before.standing) != passed(after.standing) {
                changes.push(Change::Kept { title, clause, after: !passed(after.standing) });
            }
        }
    }
}

/// The values of a deed as far as this version asks for them there: what it asks for no more is not put in.
fn values_of(form: &Form, case: Option<&Case>, deed: &Deed) -> Vec<(usize, Value)> {
    let step = case.and_then(|case| form.step(&case.step));
    let of_action = |action: &Action| -> Vec<usize> {
        let wanted = action.require.iter().flat_map(|require| &require.fill);
        action.fill.iter().chain(&action.offer).chain(wanted).copied().collect()
    };
    let may: Option<Vec<usize>> = match &deed.what {
        What::Open if deed.actor.is_some() => Some(form.fill.iter().chain(&form.offer).copied().collect()),
        What::Open => None,
        What::Act(action) => {
            step.and_then(|step| step.actions.iter().find(|known| known.id == *action)).map(of_action)
        }
        What::Decide(..) => step.and_then(|step| step.actions.first()).map(of_action),
        What::Hear(..) => Some(Vec::new()),
    };
    let given = deed.values.iter().filter_map(|(name, json)| {
        let place = form.field(name)?;
        let field = &form.fields[place];
        let is_asked = may.as_ref().is_none_or(|may| may.contains(&place));
        (is_asked && field.value.is_none()).then(|| (place, field.ty.stored(json)))
    });
    given.collect()
}

#[cfg(test)]
mod tests;
