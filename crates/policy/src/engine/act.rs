//! Opening a case, acting on it, events that come from outside, time that passes.

use std::collections::BTreeMap;

use super::{Effect, Moment, Outcome, Refused, Run, Why};
use crate::case::{Case, Done};
use crate::expr::Env;
use crate::model::{Action, Field, FieldKind, Form, Open, Policy, Require, Step, StepKind};
use crate::value::{Kind, Value, yuan};

/// Most lines of a table, and most items of a list.
const MOST_ITEMS: usize = 500;
/// Largest number, and largest amount in yuan, of a field that says no larger one itself: a product of both, and a sum of
/// such products, is still counted in cents.
const LARGEST: f64 = 1e8;
/// Years a date may lie in.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2099;
/// Times there is a calendar for: from 1990 to the end of 2099, UTC.
const TIMES: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;

/// Most characters of a text.
const MOST_CHARACTERS: usize = 20_000;

impl Policy {
    /// Opens a case. `values` are by the place of the field; whatever they lack of what must be filled is refused.
    pub fn open(
        &self,
        form: &str,
        id: &str,
        number: &str,
        values: Vec<(usize, Value)>,
        moment: Moment<'_>,
    ) -> Result<Outcome, Refused> {
        let Some(form) = self.form(form) else {
            return Err(Refused::new(Why::Unknown, "没有这种单据"));
        };
        let case = Case {
            form: form.id.clone(),
            id: id.to_owned(),
            number: number.to_owned(),
            values: vec![Value::Null; form.fields.len()],
            opened_at: moment.now,
            creator: moment.actor.map(str::to_owned),
            owner: moment.actor.map(str::to_owned),
            unit: moment.actor.and_then(|actor| {
                moment.world.fact(Kind::Person, actor, "unit").as_text().map(str::to_owned)
            }),
            ..Case::default()
        };
        let mut run = Run::new(self, &case, moment)?;
        // Nor does anybody read the form when an event opens it: the policy may put in anything.
        let may: Vec<usize> = match moment.actor {
            Some(_) => form.fill.iter().chain(&form.offer).copied().collect(),
            None => (0..form.fields.len()).collect(),
        };
        run.fill(values, &may)?;
        run.compute();
        // Only what was filled tells whom the case concerns.
        run.keep_away()?;
        // Who may can depend on what was filled: the shop, the customer. Nobody acts when an event opens it: then the
        // policy itself has decided that it may.
        let people = run.people(&form.by);
        if moment.actor.is_some() && run.acts_as(&people).is_none() {
            // Where it cannot be told yet, what is missing goes first.
            if people.is_empty() {
                run.complete(&form.fill, &[])?;
            }
            let who = run.by_whom(&people, Some(&form.by), "开");
            return Err(Refused::new(Why::NotYours, format!("您不能开《{}》；{who}", form.title)));
        }
        run.complete(&form.fill, &[])?;
        run.refuse(&format!("{}.open", form.id))?;
        run.effects.insert(0, Effect::Opened);
        run.set(&form.set, None);
        run.compute();
        run.notices(&format!("{}.open", form.id));
        run.penalties(&format!("{}.open", form.id), moment.now);
        run.enter(0);
        Ok(run.finish())
    }

    /// Presses a button.
    pub fn act(
        &self,
        case: &Case,
        action: &str,
        values: Vec<(usize, Value)>,
        moment: Moment<'_>,
    ) -> Result<Outcome, Refused> {
        let mut run = Run::new(self, case, moment)?;
        if !case.is_open() {
            return Err(Refused::new(Why::Closed, "单据已经结束，不能再办理"));
        }
        let step = run.step()?;
        let found =
            step.actions.iter().find(|known| known.id == action).filter(|_| step.kind == StepKind::Task);
        let Some(action) = found else {
            return Err(Refused::new(
                Why::NotNow,
                format!("单据现在在“{}”，没有这个动作；请刷新后再办理", step.title),
            ));
        };
        run.keep_away()?;
        let Some(on_behalf_of) = run.may(step, action) else {
            let who = action.by.as_ref().or(step.by.as_ref());
            let who = run.by_whom(&run.who(step, action), who, "办理");
            return Err(Refused::new(Why::NotYours, format!("“{}”{who}", action.title)));
        };
        if !run.is_there(action) {
            return Err(Refused::new(Why::NotNow, format!("现在还不能“{}”", action.title)));
        }
        run.put_in(action, values)?;
        // A clause that forbids goes before a form that is not complete: whoever is refused should not fill it first.
        let on = format!("{}.{}", run.form.id, action.id);
        run.refuse(&on)?;
        run.complete(&action.fill, &action.require)?;
        let clause = action.clause.clone().unwrap_or_else(|| step.clause.clone());
        run.effects.push(Effect::Did { action: action.id.clone(), on_behalf_of, clause });
        run.carry_out(action, &on);
        Ok(run.finish())
    }

    /// Time has passed: warnings, breaches, ladders, timeouts. Nothing that was done before is done again.
    pub fn tick(&self, case: &Case, moment: Moment<'_>) -> Result<Outcome, Refused> {
        let mut run = Run::new(self, case, moment)?;
        run.timeout();
        Ok(run.finish())
    }

    /// An event of the application that may move an open case on.
    pub fn happened(
        &self,
        case: &Case,
        event: &str,
        facts: &BTreeMap<String, Value>,
        moment: Moment<'_>,
    ) -> Result<Outcome, Refused> {
        let mut run = Run::new(self, case, moment)?;
        run.hear(event, facts);
        Ok(run.finish())
    }

    /// Whether a policy forbids something of the application. `of` is the record an exemption may stand for.
    pub fn judge(
        &self,
        event: &str,
        facts: &BTreeMap<String, Value>,
        of: &str,
        moment: Moment<'_>,
    ) -> Result<(), Refused> {
        for refusal in self.refusals.iter().filter(|refusal| refusal.on == event) {
            let env = Env::new(moment.now, moment.world).event(facts).actor(moment.actor);
            // Where nobody may exempt, no exemption counts.
            let is_exempt = || {
                refusal.exempt_by.is_some() && moment.world.is_exempt(&self.id, &refusal.id, of, moment.now)
            };
            if refusal.when.holds(&env) && !is_exempt() {
                let exempt_by =
                    refusal.exempt_by.as_ref().map_or_else(Vec::new, |who| who.value(&env).as_texts());
                return Err(Refused {
                    clause: Some(refusal.clause.clone()),
                    refusal: Some(refusal.id.clone()),
                    exempt_by: exempt_by.into(),
                    ..Refused::new(Why::Clause, refusal.message.clone())
                });
            }
        }
        Ok(())
    }

    /// The cases an event opens: form and first values.
    pub fn triggered(
        &self,
        event: &str,
        facts: &BTreeMap<String, Value>,
        moment: Moment<'_>,
    ) -> Vec<(String, Vec<(usize, Value)>)> {
        let env = || Env::new(moment.now, moment.world).event(facts).actor(moment.actor);
        self.triggers
            .iter()
            .filter(|trigger| {
                trigger.on == event && trigger.when.as_ref().is_none_or(|when| when.holds(&env()))
            })
            .map(|trigger| {
                let values = trigger.set.iter().map(|(field, expr)| (*field, expr.value(&env()))).collect();
                (trigger.form.clone(), values)
            })
            .collect()
    }
}

impl Run<'_> {
    /// Who may press a button.
    pub(super) fn who(&self, step: &Step, action: &Action) -> Vec<String> {
        match &action.by {
            Some(by) => self.people(by),
            None => {
                // Whoever was given the task keeps it though he has changed his post; whoever has the post now may too.
                let mut people = self.case.assigned.clone();
                people.extend(self.people_of(step.by.as_ref()));
                people
            }
        }
    }

    pub(super) fn may(&self, step: &Step, action: &Action) -> Option<Option<String>> {
        self.acts_as(&self.who(step, action))
    }

    pub(super) fn is_there(&self, action: &Action) -> bool {
        action.when.as_ref().is_none_or(|when| when.holds(&self.env()))
    }

    /// Puts in what an action takes.
    fn put_in(&mut self, action: &Action, values: Vec<(usize, Value)>) -> Result<(), Refused> {
        let wanted = action.require.iter().flat_map(|require| &require.fill);
        let may: Vec<usize> = action.fill.iter().chain(&action.offer).chain(wanted).copied().collect();
        self.fill(values, &may)?;
        self.compute();
        Ok(())
    }

    /// What an approver fills when he agrees; all that must be filled, or what he likes.
    pub(super) fn fill_in(
        &mut self,
        action: &Action,
        values: Vec<(usize, Value)>,
        is_all: bool,
    ) -> Result<(), Refused> {
        self.put_in(action, values)?;
        self.refuse(&format!("{}.{}", self.form.id, action.id))?;
        if is_all { self.complete(&action.fill, &action.require) } else { Ok(()) }
    }

    /// Puts in what was filled, checked field by field.
    fn fill(&mut self, values: Vec<(usize, Value)>, may: &[usize]) -> Result<(), Refused> {
        let form = std::sync::Arc::clone(self.form);
        let mut wrong = Vec::new();
        for (place, value) in values {
            let Some(field) = form.fields.get(place) else { continue };
            if !may.contains(&place) || field.value.is_some() {
                if self.case.values.get(place) != Some(&value) {
                    wrong.push((field.id.clone(), format!("“{}”这一步不能填写", field.title)));
                }
                continue;
            }
            match fits(field, &value) {
                Ok(()) => self.put(place, value),
                Err(text) => wrong.push((field.id.clone(), text)),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(incomplete(wrong)) }
    }

    /// Whether everything that must be filled is.
    fn complete(&self, fill: &[usize], require: &[Require]) -> Result<(), Refused> {
        let env = self.env();
        let mut wanted: Vec<(usize, Option<&str>)> = fill.iter().map(|field| (*field, None)).collect();
        for require in require.iter().filter(|require| require.when.holds(&env)) {
            wanted.extend(require.fill.iter().map(|field| (*field, require.clause.as_deref())));
        }
        let mut missing: Vec<(String, String)> = Vec::new();
        let mut clause = None;
        for (place, cited) in wanted {
            let (Some(field), Some(value)) = (self.form.fields.get(place), self.case.values.get(place))
            else {
                continue;
            };
            let is_there = match field.kind {
                // A checklist is complete when everything on it is ticked.
                FieldKind::Checklist => value.as_texts().len() == field.options.len(),
                _ => value.is_known(),
            };
            if !is_there && !missing.iter().any(|(known, _)| *known == field.id) {
                clause = clause.or(cited).or(field.clause.as_deref());
                missing.push((
                    field.id.clone(),
                    match field.kind {
                        FieldKind::Checklist => format!("“{}”要逐项勾选", field.title),
                        FieldKind::Signature => format!("请签名：{}", field.title),
                        _ => format!("请填写“{}”", field.title),
                    },
                ));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refused { clause: clause.map(str::to_owned), ..incomplete(missing) })
    }

    /// Whether a clause forbids it.
    fn refuse(&self, on: &str) -> Result<(), Refused> {
        for refusal in self.policy.refusals.iter().filter(|refusal| refusal.on == on) {
            let world = self.moment.world;
            if !refusal.when.holds(&self.env()) {
                continue;
            }
            let of = if self.case.id.is_empty() {
                self.case.customer.as_deref()
            } else {
                Some(self.case.id.as_str())
            };
            let is_exempt = |of: &str| world.is_exempt(&self.policy.id, &refusal.id, of, self.moment.now);
            // Where nobody may exempt, no exemption counts.
            if refusal.exempt_by.is_some() && of.is_some_and(is_exempt) {
                continue;
            }
            return Err(Refused {
                clause: Some(refusal.clause.clone()),
                refusal: Some(refusal.id.clone()),
                exempt_by: self.people_of(refusal.exempt_by.as_ref()).into(),
                ..Refused::new(Why::Clause, refusal.message.clone())
            });
        }
        Ok(())
    }

    /// What a button does once it may be pressed.
    pub(super) fn carry_out(&mut self, action: &Action, on: &str) {
        let by = self.moment.actor.map(str::to_owned);
        let done = self.case.done.entry(action.id.clone()).or_insert(Done { at: 0, times: 0, by: None });
        *done = Done { at: self.moment.now, times: done.times.saturating_add(1), by };
        self.set(&action.set, None);
        self.compute();
        for open in &action.open {
            self.open_others(open);
        }
        self.effects.extend(action.emit.iter().map(|event| Effect::Emitted { event: event.clone() }));
        self.notices(on);
        self.penalties(on, self.moment.now);
        if let Some(step) = self.way(&action.next, None) {
            self.enter(step);
        }
    }

    /// Another case, or one for each item of a list.
    fn open_others(&mut self, open: &Open) {
        let items = match open.each.as_ref().map(|each| each.value(&self.env())) {
            None => vec![Value::Null],
            Some(Value::List(items)) => items.iter().take(MOST_ITEMS).cloned().collect(),
            Some(_) => Vec::new(),
        };
        for item in items {
            // Each is asked with a budget of its own.
            let env = || self.env().one(item.clone());
            if open.when.as_ref().is_none_or(|when| when.holds(&env())) {
                let value = |(field, expr): &(String, crate::expr::Expr)| (field.clone(), expr.value(&env()));
                let values = open.set.iter().map(value).collect();
                self.effects.push(Effect::Open { form: open.form.clone(), values });
            }
        }
    }

    /// An event the step waits for.
    pub(super) fn hear(&mut self, event: &str, facts: &BTreeMap<String, Value>) {
        if !self.case.is_open() {
            return;
        }
        let form = std::sync::Arc::clone(self.form);
        let Some(step) = form.step(&self.case.step) else { return };
        for on in step.on.iter().filter(|on| on.event == event) {
            let holds = on.when.as_ref().is_none_or(|when| when.holds(&self.env().event(facts)));
            if holds {
                self.set(&on.set, Some(facts));
                self.compute();
                if let Some(step) = self.way(&on.next, Some(facts)) {
                    self.enter(step);
                }
                return;
            }
        }
    }
}

fn incomplete(fields: Vec<(String, String)>) -> Refused {
    let text = fields.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(";");
    Refused { fields, ..Refused::new(Why::Fields, text) }
}

/// Whether a value is within what its field takes.
fn fits(field: &Field, value: &Value) -> Result<(), String> {
    if !value.is_known() {
        return Ok(());
    }
    let size = match value {
        Value::Int(value) => *value as f64,
        Value::Number(value) => *value,
        Value::Money(cents) => *cents as f64 / 100.0,
        Value::Text(text) => {
            let length = text.chars().count();
            if length > MOST_CHARACTERS {
                return Err(format!("“{}”太长，最多 {MOST_CHARACTERS} 个字", field.title));
            }
            length as f64
        }
        Value::List(items) => {
            if items.len() > MOST_ITEMS {
                return Err(format!("“{}”太多，最多 {MOST_ITEMS} 项", field.title));
            }
            for (number, item) in items.iter().enumerate() {
                if let Value::Row(row) = item {
                    for column in &field.columns {
                        let value = row.get(&column.id).cloned().unwrap_or_default();
                        fits(column, &value).map_err(|text| format!("第 {} 行：{text}", number + 1))?;
                    }
                }
            }
            items.len() as f64
        }
        // Where the calendar ends, a deadline could not be told any more.
        Value::Date(date) if !YEARS.contains(&date.year()) => {
            return Err(format!("“{}”的年份应在 {} 至 {} 之间", field.title, YEARS.start(), YEARS.end()));
        }
        Value::Time(at) if !TIMES.contains(at) => {
            return Err(format!("“{}”应在 1990 年至 2099 年之间", field.title));
        }
        _ => return Ok(()),
    };
    let is_number = matches!(value, Value::Int(_) | Value::Number(_) | Value::Money(_));
    if is_number && field.max.is_none() && size.abs() > LARGEST {
        return Err(format!("“{}”太大，请核对；最多 {LARGEST}", field.title));
    }
    let (min, max) = match field.kind {
        FieldKind::Rating => (Some(1.0), Some(field.max.unwrap_or(5.0))),
        _ => (field.min, field.max),
    };
    let show = |bound: f64| match value {
        Value::Money(_) => format!("{} 元", yuan((bound * 100.0).round() as i64)),
        Value::Text(_) => format!("{bound} 个字"),
        Value::List(_) => format!("{bound} 项"),
        _ => bound.to_string(),
    };
    if let Some(min) = min.filter(|min| size < *min) {
        return Err(format!("“{}”至少 {}", field.title, show(min)));
    }
    if let Some(max) = max.filter(|max| size > *max) {
        return Err(format!("“{}”最多 {}", field.title, show(max)));
    }
    Ok(())
}

/// What is wrong in a list of rows, with its row and column.
fn wrong_cell(
    field: &Field,
    json: &serde_json::Value,
    local: &dyn Fn(&str) -> Option<crate::value::Millis>,
) -> Option<String> {
    for (n, row) in json.as_array()?.iter().enumerate() {
        for column in &field.columns {
            let Some(cell) = row.get(&column.id) else { continue };
            if let Err(text) = column.ty.read(cell, local) {
                return Some(format!("第 {} 行的“{}”：{text}", n + 1, column.title));
            }
        }
    }
    None
}

/// The values a form's fields get from the JSON of a face, by name. Unknown names and wrong values are told by field.
pub fn read_values(
    form: &Form,
    json: &serde_json::Map<String, serde_json::Value>,
    local: &dyn Fn(&str) -> Option<crate::value::Millis>,
) -> Result<Vec<(usize, Value)>, Refused> {
    let mut values = Vec::new();
    let mut wrong = Vec::new();
    for (name, value) in json {
        let Some(place) = form.field(name) else {
            wrong.push((name.clone(), format!("表单里没有字段“{name}”")));
            continue;
        };
        let field = &form.fields[place];
        match field.ty.read(value, local) {
            Ok(value) => values.push((place, value)),
            Err(text) => {
                let text = wrong_cell(field, value, local).unwrap_or(text);
                wrong.push((name.clone(), format!("“{}”：{text}", field.title)));
            }
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(incomplete(wrong)) }
}
