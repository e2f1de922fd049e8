//! Running one scenario.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use workday::Calendar;

use super::{Given, Report, Scenario, TableOf, Then, When, empty};
use crate::case::{Case, Standing};
use crate::cast::{Cast, CastWorld, fact};
use crate::check::line_of;
use crate::engine::{Effect, Moment, Outcome, Refused, Verdict};
use crate::expr::Vocabulary;
use crate::metrics::Tally;
use crate::model::{Form, Measure, Policy};
use crate::periods::Period;
use crate::value::{Kind, Millis, Value, yuan};
use crate::world::World;
use crate::{Settings, SourceFile, check};

/// Most timers that fire between two lines; more is a mistake in the policy.
const MOST_TIMERS: usize = 10_000;

pub fn run(
    file: &SourceFile,
    scenario: Scenario,
    files: &[SourceFile],
    cast: &Cast,
    vocabulary: &Vocabulary,
    base: &Result<Policy, Vec<crate::Problem>>,
) -> Report {
    let mut report = Report { title: scenario.title.clone(), covers: scenario.covers.clone(), ..empty(file) };
    let settings: Settings =
        scenario.settings.iter().map(|(name, value)| (name.clone(), json(value))).collect();
    let own;
    let checked = if settings.is_empty() {
        base
    } else {
        own = check(files, &settings, vocabulary);
        &own
    };
    let policy = match checked {
        Ok(policy) => policy,
        Err(problems) => {
            let text = problems.first().map_or_else(String::new, ToString::to_string);
            report.failures.push((0, format!("制度本身有问题：{text}")));
            return report;
        }
    };
    let calendar = match Calendar::parse_overrides(&scenario.calendar) {
        Ok(days) => Calendar::builder().company(days).build(),
        Err(error) => {
            report.failures.push((0, format!("calendar:{error}")));
            return report;
        }
    };
    let mut clauses: BTreeSet<String> = BTreeSet::new();
    for name in scenario.settings.keys() {
        let setting = policy.settings.iter().find(|setting| setting.id == *name);
        clauses.extend(setting.and_then(|setting| setting.clause.clone()));
    }
    let mut stage = Stage {
        policy,
        world: CastWorld::new(cast.clone().with(scenario.cast.clone()), calendar),
        now: Millis::MIN,
        cases: Vec::new(),
        recent: Vec::new(),
        clauses,
        refused: None,
        opened: BTreeMap::new(),
    };
    for (at, line) in lines(&scenario) {
        let result = match line {
            Line::Given(given) => stage.given(given),
            Line::When(when) => stage.when(when),
            Line::Then(then) => stage.then(then),
        };
        if let Err(text) = result {
            report.failures.push((line_of(&file.text, at), text));
            // What follows rests on what went wrong.
            break;
        }
    }
    let mut clauses = BTreeSet::new();
    for cited in &stage.clauses {
        clauses.extend(cited.split([',', '，', '、']).map(|clause| clause.trim().to_owned()));
    }
    report.clauses = clauses;
    report
}

enum Line<'s> {
    Given(&'s Given),
    When(&'s When),
    Then(&'s Then),
}

/// In the order they are written.
fn lines(scenario: &Scenario) -> Vec<(usize, Line<'_>)> {
    let given = scenario.given.iter().map(|line| (line.span().start, Line::Given(line.get_ref())));
    let when = scenario.when.iter().map(|line| (line.span().start, Line::When(line.get_ref())));
    let then = scenario.then.iter().map(|line| (line.span().start, Line::Then(line.get_ref())));
    let mut all: Vec<(usize, Line<'_>)> = given.chain(when).chain(then).collect();
    all.sort_by_key(|(at, _)| *at);
    all
}

fn json(value: &toml::Value) -> Json {
    match value {
        toml::Value::String(text) => Json::from(text.clone()),
        toml::Value::Integer(value) => Json::from(*value),
        toml::Value::Float(value) => Json::from(*value),
        toml::Value::Boolean(value) => Json::from(*value),
        toml::Value::Datetime(at) => Json::from(at.to_string()),
        toml::Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        toml::Value::Table(table) => {
            Json::Object(table.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
    }
}

/// Values of a form as written in a scenario: money in yuan.
fn values(form: &Form, table: &toml::Table, world: &CastWorld) -> Result<Vec<(usize, Value)>, String> {
    let local = |text: &str| read_time(world, text);
    let mut all = Vec::new();
    for (name, value) in table {
        let Some(place) = form.field(name) else {
            return Err(format!("表单“{}”里没有字段“{name}”", form.id));
        };
        let json = money(&json(value), &form.fields[place].ty);
        match form.fields[place].ty.read(&json, &local) {
            Ok(value) => all.push((place, value)),
            Err(text) => return Err(format!("字段“{name}”：{text}")),
        }
    }
    Ok(all)
}

/// Numbers for amounts become text, which is read as yuan.
fn money(json: &Json, ty: &crate::value::Ty) -> Json {
    use crate::value::Ty;
    match (ty, json) {
        (Ty::Money, Json::Number(yuan)) => Json::from(yuan.to_string()),
        (Ty::List(of), Json::Array(items)) => Json::Array(items.iter().map(|item| money(item, of)).collect()),
        (Ty::Row(columns), Json::Object(row)) => Json::Object(
            row.iter()
                .map(|(name, value)| {
                    let ty = columns.iter().find(|(known, _)| known == name).map(|(_, ty)| ty);
                    (name.clone(), ty.map_or_else(|| value.clone(), |ty| money(value, ty)))
                })
                .collect(),
        ),
        _ => json.clone(),
    }
}

fn read_time(world: &CastWorld, text: &str) -> Option<Millis> {
    let local = text.trim().replace(' ', "T").parse::<jiff::civil::DateTime>().ok()?;
    world.calendar(None).at(local).ok()
}

struct Stage<'p> {
    policy: &'p Policy,
    world: CastWorld,
    now: Millis,
    cases: Vec<(String, Case)>,
    /// What followed since the last `then`, with the case it happened to.
    recent: Vec<(usize, Effect)>,
    clauses: BTreeSet<String>,
    refused: Option<Refused>,
    opened: BTreeMap<String, usize>,
}

type Held = Result<(), String>;

impl Stage<'_> {
    fn moment<'m>(&'m self, by: &'m str) -> Moment<'m> {
        Moment { now: self.now, actor: (!by.is_empty()).then_some(by), world: &self.world }
    }

    /// Moves the clock; what is due on the way happens at its time.
    fn move_to(&mut self, at: &str) -> Held {
        if at.is_empty() {
            return Ok(());
        }
        let Some(at) = read_time(&self.world, at) else {
            return Err(format!("时间“{at}”要写成 2026-09-28 16:20"));
        };
        if at < self.now {
            return Err("时间倒退了".to_owned());
        }
        for _ in 0..MOST_TIMERS {
            let wakes = self
                .cases
                .iter()
                .enumerate()
                .filter_map(|(place, (_, case))| Some((self.policy.wakes_at(case, &self.world)?, place)));
            let Some((when, place)) = wakes.filter(|(when, _)| *when <= at).min() else {
                self.now = at;
                return Ok(());
            };
            self.now = self.now.max(when);
            let before = self.cases[place].1.clone();
            let outcome = self.policy.tick(&before, self.moment("")).map_err(|refused| refused.text)?;
            if outcome.case == before && outcome.effects.is_empty() {
                return Err(format!("单据“{}”的定时器不停地响，却什么也没有发生", self.cases[place].0));
            }
            self.take(place, outcome)?;
        }
        Err("定时器响了太多次".to_owned())
    }

    fn take(&mut self, place: usize, outcome: Outcome) -> Held {
        self.cases[place].1 = outcome.case;
        if let Some(form) = self.policy.form(&self.cases[place].1.form) {
            self.world.remember(form, &self.cases[place].1);
        }
        self.note(place, &outcome.effects);
        for effect in outcome.effects {
            let follow = effect.clone();
            self.recent.push((place, effect));
            match follow {
                Effect::Penalty { penalty, whom, .. } => self.world.penalise(&whom, &penalty, self.now),
                Effect::Open { form, values } => {
                    let Some(built) = self.policy.form(&form).cloned() else { continue };
                    let values = values
                        .into_iter()
                        .filter_map(|(field, value)| Some((built.field(&field)?, value)))
                        .collect();
                    self.open(&form, values, "", "")?;
                }
                Effect::Emitted { event } => {
                    let facts = self.cases[place].1.facts(None);
                    self.spread(&event, &facts)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The clauses that effects cite.
    fn note(&mut self, place: usize, effects: &[Effect]) {
        let case = &self.cases[place].1;
        if let Some(form) = self.policy.form(&case.form) {
            self.clauses.extend(form.clause.clone());
            for (field, value) in form.fields.iter().zip(&case.values) {
                if value.is_known() {
                    self.clauses.extend(field.clause.clone());
                }
            }
            if case.closed_at.is_some() {
                self.clauses.extend(form.copies.iter().filter_map(|copy| copy.clause.clone()));
            }
            if let Some(authority) =
                form.step(&case.step).and_then(|step| step.approve.as_ref()?.authority.clone())
            {
                let table = self.policy.authorities.iter().find(|table| table.id == authority);
                self.clauses.extend(table.map(|table| table.clause.clone()));
            }
        }
        self.clauses.extend(effects.iter().filter_map(clause_of).map(str::to_owned));
    }

    fn open(&mut self, form: &str, values: Vec<(usize, Value)>, by: &str, name: &str) -> Result<(), String> {
        let count = self.opened.entry(form.to_owned()).or_insert(0);
        *count += 1;
        let number = format!("{form}-{count}");
        let id = if name.is_empty() { number.clone() } else { name.to_owned() };
        let outcome = self.policy.open(form, &id, &number, values, self.moment(by));
        match outcome {
            Ok(outcome) => {
                self.cases.push((id, outcome.case.clone()));
                self.take(self.cases.len() - 1, outcome)
            }
            Err(refused) => {
                self.refused = Some(refused.clone());
                Err(refused.text)
            }
        }
    }

    /// An event for the policy: cases waiting for it, then triggers.
    fn spread(&mut self, event: &str, facts: &BTreeMap<String, Value>) -> Held {
        for place in 0..self.cases.len() {
            let before = self.cases[place].1.clone();
            if !before.is_open() {
                continue;
            }
            let outcome = self.policy.happened(&before, event, facts, self.moment("")).map_err(|r| r.text)?;
            if !outcome.effects.is_empty() {
                self.take(place, outcome)?;
            }
        }
        for (form, values) in self.policy.triggered(event, facts, self.moment("")) {
            let trigger =
                self.policy.triggers.iter().find(|trigger| trigger.on == event && trigger.form == form);
            self.clauses.extend(trigger.map(|trigger| trigger.clause.clone()));
            self.open(&form, values, "", "")?;
        }
        Ok(())
    }

    fn expect(&mut self, result: Held, refused: Option<&toml::Value>) -> Held {
        match (result, refused) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(_)) => Err("应当被拒绝，却通过了".to_owned()),
            (Err(text), None) => Err(match self.refused.take().and_then(|refused| refused.clause) {
                Some(clause) => format!("被拒绝（条款 {clause}）：{text}"),
                None => text,
            }),
            (Err(text), Some(wanted)) => {
                let Some(refused) = self.refused.take() else { return Err(text) };
                self.clauses.extend(refused.clause.clone());
                match wanted {
                    toml::Value::Boolean(true) => Ok(()),
                    toml::Value::String(clause) if refused.clause.as_ref() == Some(clause) => Ok(()),
                    other => Err(format!(
                        "应当依条款 {other} 被拒绝，实际是{}：{}",
                        refused
                            .clause
                            .map_or_else(|| "（没有条款）".to_owned(), |clause| format!("条款 {clause}")),
                        refused.text
                    )),
                }
            }
        }
    }

    fn given(&mut self, given: &Given) -> Held {
        self.move_to(&given.at)?;
        let result = match &given.case {
            Some(table) => {
                let mut table = table.clone();
                let form = match table.remove("form") {
                    Some(toml::Value::String(form)) => form,
                    _ => match self.policy.forms.as_slice() {
                        [only] => only.id.clone(),
                        _ => return Err("请写明 form".to_owned()),
                    },
                };
                let Some(built) = self.policy.form(&form).cloned() else {
                    return Err(format!("没有表单“{form}”"));
                };
                let values = values(&built, &table, &self.world)?;
                self.known(&given.by)?;
                self.open(&form, values, &given.by, &given.name)
            }
            None if !given.event.is_empty() => {
                let facts =
                    given.facts.iter().map(|(name, value)| (name.clone(), self.fact(value))).collect();
                self.tell(&given.event, &facts, "", &given.by)
            }
            None => return Err("given 要写 case 或 event".to_owned()),
        };
        self.expect(result, given.refused.as_ref())
    }

    fn known(&self, person: &str) -> Held {
        if person.is_empty() || self.world.knows(person) {
            Ok(())
        } else {
            Err(format!("没有叫“{person}”的人"))
        }
    }

    /// A fact; text that is a time becomes one.
    fn fact(&self, value: &toml::Value) -> Value {
        match value {
            toml::Value::String(text) if text.len() == 16 => {
                read_time(&self.world, text).map_or_else(|| fact(value), Value::Time)
            }
            other => fact(other),
        }
    }

    /// An event of the application, unless the policy refuses it.
    fn tell(&mut self, event: &str, facts: &BTreeMap<String, Value>, of: &str, by: &str) -> Held {
        if let Err(refused) = self.policy.judge(event, facts, of, self.moment(by)) {
            let text = refused.text.clone();
            self.refused = Some(refused);
            return Err(text);
        }
        self.spread(event, facts)
    }

    fn place(&self, name: &str) -> Result<usize, String> {
        if name.is_empty() {
            return self.cases.len().checked_sub(1).ok_or_else(|| "还没有单据".to_owned());
        }
        let found = self.cases.iter().rposition(|(known, _)| known == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = self.cases.iter().map(|(known, _)| known.as_str()).collect();
            format!("没有叫“{name}”的单据；已有：{}", known.join("、"))
        })
    }

    fn when(&mut self, when: &When) -> Held {
        self.move_to(&when.at)?;
        self.known(&when.by)?;
        if !when.record.is_empty() {
            let (kind, id) = when.record.split_once(':').unwrap_or(("customer", when.record.as_str()));
            let kind = match kind {
                "person" => Kind::Person,
                "unit" => Kind::Unit,
                "contact" => Kind::Contact,
                "asset" => Kind::Asset,
                "case" => Kind::Case,
                _ => Kind::Customer,
            };
            for (name, value) in &when.facts {
                let value = self.fact(value);
                self.world.set_fact(kind, id, name, value);
            }
            return Ok(());
        }
        if !when.exempt.is_empty() {
            let of = if when.of.is_empty() {
                self.cases[self.place(&when.case)?].1.id.clone()
            } else {
                when.of.clone()
            };
            let until =
                if when.until.is_empty() { Some(Millis::MAX) } else { read_time(&self.world, &when.until) };
            self.world.exempt(&when.exempt, &of, until.ok_or("until 要写成时间")?);
            return Ok(());
        }
        if !when.event.is_empty() {
            let facts = when.facts.iter().map(|(name, value)| (name.clone(), self.fact(value))).collect();
            let result = self.tell(&when.event, &facts, &when.of, &when.by);
            return self.expect(result, when.refused.as_ref());
        }
        let place = self.place(&when.case)?;
        let case = self.cases[place].1.clone();
        let Some(form) = self.policy.form(&case.form).cloned() else { return Err("没有表单".to_owned()) };
        let filled = values(&form, &when.fill, &self.world)?;
        let outcome = if when.decide.is_empty() {
            let action = self.action(&form, &case, &when.action)?;
            self.policy.act(&case, &action, filled, self.moment(&when.by))
        } else {
            let one = || when.people.first().cloned().unwrap_or_default();
            let verdict = match when.decide.as_str() {
                "approve" => Verdict::Approve,
                "reject" => Verdict::Reject,
                "return" => Verdict::Return(when.to.clone()),
                "add-before" => Verdict::AddBefore(when.people.clone()),
                "add-after" => Verdict::AddAfter(when.people.clone()),
                "reassign" => Verdict::Reassign(one()),
                "withdraw" => Verdict::Withdraw,
                "urge" => Verdict::Urge,
                "recuse" => Verdict::Recuse,
                other => return Err(format!("不认识 decide = \"{other}\"")),
            };
            self.policy.decide(&case, &verdict, &when.comment, filled, self.moment(&when.by))
        };
        let result = match outcome {
            Ok(outcome) => self.take(place, outcome),
            Err(refused) => {
                let text = refused.text.clone();
                self.refused = Some(refused);
                Err(text)
            }
        };
        self.expect(result, when.refused.as_ref())
    }

    /// The action meant: `submit` of the step the case is at when nothing is said.
    fn action(&self, form: &Form, case: &Case, action: &str) -> Result<String, String> {
        if !action.is_empty() && action != "submit" {
            return Ok(action.to_owned());
        }
        match form.step(&case.step).map(|step| step.actions.as_slice()) {
            Some([only]) => Ok(only.id.clone()),
            _ => Err(format!("步骤“{}”没有唯一的动作，请写明 do", case.step)),
        }
    }

    fn then(&mut self, then: &Then) -> Held {
        self.move_to(&then.at)?;
        let recent = std::mem::take(&mut self.recent);
        self.figures(then)?;
        for (form, count) in &then.cases {
            let there = self.cases.iter().filter(|(_, case)| case.form == *form).count();
            same(&format!("“{form}”的单据数"), there, *count)?;
        }
        for (duty, wanted) in &then.duty {
            self.duty(duty, wanted)?;
        }
        if let Some(forms) = &then.opened {
            let opened: Vec<String> = recent
                .iter()
                .filter_map(|(_, effect)| match effect {
                    Effect::Open { form, .. } => Some(form.clone()),
                    _ => None,
                })
                .collect();
            same("打开的单据", &opened, forms)?;
        }
        if let Some(wanted) = &then.fined {
            same("罚则", &fines(&recent), wanted)?;
        }
        for table in &then.table {
            self.table(table)?;
        }
        self.told(then, &recent)?;
        if self.cases.is_empty() {
            return Ok(());
        }
        let place = self.place(&then.case)?;
        self.cited(then, &recent)?;
        let case = &self.cases[place].1;
        let Some(form) = self.policy.form(&case.form) else { return Err("没有表单".to_owned()) };
        if !then.step.is_empty() {
            same("步骤", case.step.as_str(), then.step.as_str())?;
        }
        if !then.outcome.is_empty() {
            same("结果", case.outcome.as_deref().unwrap_or("（未结束）"), then.outcome.as_str())?;
        }
        if let Some(open) = then.open {
            same("未结束", case.is_open(), open)?;
        }
        for mark in &then.marks {
            same(&format!("标记“{mark}”"), case.marks.contains(mark), true)?;
        }
        for mark in &then.no_marks {
            same(&format!("标记“{mark}”"), case.marks.contains(mark), false)?;
        }
        if let Some(overdue) = then.overdue {
            same("逾期", case.clocks.values().any(|clock| clock.standing == Standing::Breached), overdue)?;
        }
        if let Some(tasks) = &then.tasks {
            let (mut now, mut wanted) = (case.assigned.clone(), tasks.clone());
            now.sort();
            wanted.sort();
            same("待办人", &now, &wanted)?;
        }
        for (deadline, wanted) in &then.due {
            let Some(clock) = case.clocks.get(deadline) else {
                return Err(format!("时限“{deadline}”没有开始"));
            };
            same(&format!("时限“{deadline}”到期"), self.minute(clock.due).as_str(), wanted.as_str())?;
        }
        for (deadline, wanted) in &then.met {
            let standing = case.clocks.get(deadline).filter(|clock| clock.met_at.is_some());
            let Some(clock) = standing else { return Err(format!("时限“{deadline}”还没有完成")) };
            same(&format!("时限“{deadline}”按时"), clock.standing == Standing::Met, *wanted)?;
        }
        for (place, wanted) in values(form, &then.values, &self.world)? {
            let value = case.values.get(place).cloned().unwrap_or_default();
            same(&format!("字段“{}”", form.fields[place].id), &value, &wanted)?;
        }
        if let Some(offered) = &then.offered {
            let filled = values(form, &offered.fill, &self.world)?;
            let found = self.policy.candidates(case, &offered.field, filled, self.moment(&then.by));
            let found = found.map_err(|refused| refused.text)?;
            let people: Vec<String> = found.into_iter().map(|candidate| candidate.person).collect();
            same(&format!("“{}”的人选", offered.field), &people, &offered.people)?;
        }
        let readers = self.policy.readers(form, case, self.now, &self.world);
        for (people, wanted) in [(&then.readers, true), (&then.no_readers, false)] {
            for person in people {
                same(&format!("{person}可以看"), readers.contains(person), wanted)?;
            }
        }
        let moment = self.moment(&then.by);
        if let Some(can) = &then.can {
            let mut now: Vec<String> =
                self.policy.actions(case, moment).iter().map(|action| action.id.clone()).collect();
            let mut wanted = can.clone();
            now.sort();
            wanted.sort();
            same(&format!("{}可做的动作", then.by), &now, &wanted)?;
        }
        for action in &then.cannot {
            let may = self.policy.actions(case, moment).iter().any(|known| known.id == *action);
            same(&format!("{}可以“{action}”", then.by), may, false)?;
        }
        if !then.hidden.is_empty() {
            let person = (!then.by.is_empty()).then_some(then.by.as_str());
            let hidden = self.policy.hidden_fields(form, case, person, self.now, &self.world);
            for field in &then.hidden {
                let is_hidden = form.field(field).is_some_and(|place| hidden.contains(&place));
                same(&format!("字段“{field}”不可见"), is_hidden, true)?;
            }
        }
        Ok(())
    }

    fn cited(&mut self, then: &Then, recent: &[(usize, Effect)]) -> Held {
        let wanted: Vec<String> = match &then.cites {
            None => return Ok(()),
            Some(toml::Value::String(one)) => vec![one.clone()],
            Some(toml::Value::Array(all)) => {
                all.iter().filter_map(|c| c.as_str().map(str::to_owned)).collect()
            }
            Some(_) => return Err("cites 要写条款号".to_owned()),
        };
        let cited: Vec<&str> = recent
            .iter()
            .filter_map(|(_, effect)| clause_of(effect))
            .flat_map(|clauses| clauses.split(','))
            .collect();
        for clause in wanted {
            if !cited.contains(&clause.as_str()) {
                return Err(format!("没有依据条款“{clause}”的处理；依据过的有：{}", cited.join("、")));
            }
        }
        Ok(())
    }

    fn told(&self, then: &Then, recent: &[(usize, Effect)]) -> Held {
        let told: Vec<&String> = recent.iter().flat_map(|(_, effect)| told_by(effect)).collect();
        for person in &then.notified {
            if !told.contains(&person) {
                let told: Vec<&str> = told.iter().map(|person| person.as_str()).collect();
                return Err(format!("没有通知{person}；通知过：{}", told.join("、")));
            }
        }
        for person in &then.not_notified {
            if told.contains(&person) {
                return Err(format!("不应通知{person}"));
            }
        }
        let says =
            |effect: &Effect| matches!(effect, Effect::Notice { text, .. } if text.contains(&then.says));
        if !then.says.is_empty() && !recent.iter().any(|(_, effect)| says(effect)) {
            return Err(format!("没有含“{}”的通知", then.says));
        }
        Ok(())
    }

    fn figures(&mut self, then: &Then) -> Held {
        for (id, wanted) in &then.figures {
            let Some(metric) = self.policy.metrics.iter().find(|metric| metric.id == *id) else {
                return Err(format!("没有指标“{id}”"));
            };
            self.clauses.insert(metric.clause.clone());
            let mut tally = Tally::default();
            for (_, case) in self.cases.iter().filter(|(_, case)| case.form == metric.form) {
                if metric.at(case, self.now, &self.world).is_some() {
                    tally = tally.and(metric.tally(case, self.now, &self.world));
                }
            }
            let figure = tally.figure(metric.kind);
            if figure.is_none_or(|figure| (figure - wanted).abs() > 1e-6) {
                return Err(format!("指标“{id}”应为 {wanted}，实际是 {figure:?}（{tally:?}）"));
            }
        }
        Ok(())
    }

    /// What a report holds for the period that day lies in.
    fn table(&mut self, wanted: &TableOf) -> Held {
        let Some(report) = self.policy.reports.iter().find(|report| report.id == wanted.report) else {
            return Err(format!("没有报表“{}”", wanted.report));
        };
        self.clauses.insert(report.clause.clone());
        let day = wanted.on.parse().map_err(|_| format!("日期“{}”不对", wanted.on))?;
        let cases = self.cases.iter().map(|(_, case)| case);
        let table = self.policy.table(report, Period::of(report.every, day), cases, self.now, &self.world);
        if let Some(unknown) = wanted.by.keys().find(|name| !report.by.contains(name)) {
            return Err(format!("报表“{}”不按“{unknown}”分", wanted.report));
        }
        let is_meant = |by: &[Value]| {
            let pairs = report.by.iter().zip(by);
            pairs.into_iter().all(|(name, value)| {
                wanted.by.get(name).is_none_or(|wanted| value.as_text().unwrap_or_default() == wanted)
            })
        };
        let what = format!("“{}”{}{:?}", wanted.report, wanted.metric, wanted.by);
        if !wanted.metric.is_empty() {
            let metric = self.policy.metrics.iter().find(|metric| metric.id == wanted.metric);
            let Some(metric) = metric.filter(|metric| report.metrics.contains(&metric.id)) else {
                return Err(format!("报表“{}”里没有指标“{}”", wanted.report, wanted.metric));
            };
            self.clauses.insert(metric.clause.clone());
            let mut tally = Tally::default();
            let mut cases: Vec<String> = Vec::new();
            for group in table.groups.iter().filter(|group| is_meant(&group.by)) {
                if let Some((more, counted)) = group.figures.get(&metric.id) {
                    tally = tally.and(*more);
                    cases.extend(counted.iter().cloned());
                }
            }
            let figure = tally.figure(metric.kind);
            match &wanted.figure {
                None => {}
                Some(toml::Value::String(_)) => same(&what, figure, None)?,
                Some(number) => {
                    let number = number.as_float().or_else(|| number.as_integer().map(|n| n as f64));
                    if figure.zip(number).is_none_or(|(is, wanted)| (is - wanted).abs() > 1e-6) {
                        return Err(format!("{what}应为 {number:?}，实际是 {figure:?}（{tally:?}）"));
                    }
                }
            }
            same(&format!("{what}的分母"), tally.over, wanted.over.unwrap_or(tally.over))?;
            same(&format!("{what}的分子"), tally.of, wanted.of.unwrap_or(tally.of))?;
            if let Some(wanted) = &wanted.cases {
                let mut wanted = wanted.clone();
                cases.sort();
                wanted.sort();
                same(&format!("{what}的单据"), &cases, &wanted)?;
            }
        }
        let lines: Vec<_> = table.lines.iter().filter(|line| is_meant(&line.by)).collect();
        if let Some(wanted) = &wanted.lines {
            let cases: Vec<String> = lines.iter().map(|line| line.case.clone()).collect();
            same(&format!("{what}的清单"), &cases, wanted)?;
        }
        for (column, wanted) in &wanted.totals {
            let register = report.register.as_ref().ok_or("报表没有清单")?;
            let place = self.policy.form(&register.form).and_then(|form| form.field(column));
            let place = register.columns.iter().position(|known| known.is_some() && *known == place);
            let (Some(place), true) = (
                place,
                place.is_some_and(|p| register.columns[p].is_some_and(|f| register.totals.contains(&f))),
            ) else {
                return Err(format!("清单没有合计“{column}”"));
            };
            let sum: f64 = lines
                .iter()
                .map(|line| match line.values.get(place) {
                    Some(Value::Money(cents)) => *cents as f64 / 100.0,
                    Some(Value::Int(value)) => *value as f64,
                    Some(Value::Number(value)) => *value,
                    _ => 0.0,
                })
                .sum();
            if (sum - wanted).abs() > 1e-6 {
                return Err(format!("{what}“{column}”合计应为 {wanted}，实际是 {sum}"));
            }
        }
        Ok(())
    }

    /// `ID 2026-09-15` with the period that day lies in.
    fn duty(&mut self, line: &str, wanted: &str) -> Held {
        let (id, day) = line.rsplit_once(' ').ok_or("要写成 \"代号 2026-09-15\"")?;
        let day = day.parse().map_err(|_| format!("日期“{day}”不对"))?;
        let duty = self
            .policy
            .duties
            .iter()
            .find(|duty| duty.id == id)
            .map(|duty| (duty.every, duty.due, &duty.clause));
        let report = self.policy.reports.iter().find(|report| report.id == id);
        let found = duty.or(report.map(|report| (report.every, report.due, &report.clause)));
        let Some((every, due, clause)) = found else {
            return Err(format!("没有周期职责或报表“{id}”"));
        };
        self.clauses.insert(clause.clone());
        let due = Period::of(every, day).due(due, self.world.calendar(None)).ok_or("算不出到期时间")?;
        same(&format!("“{id}”到期"), self.minute(due).as_str(), wanted)
    }

    fn minute(&self, at: Millis) -> String {
        let local = self.world.calendar(None).local(at);
        local.map_or_else(|_| "（永不）".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, wanted: T) -> Held {
    if is == wanted { Ok(()) } else { Err(format!("{what}应为 {wanted:?}，实际是 {is:?}")) }
}

fn fines(recent: &[(usize, Effect)]) -> Vec<String> {
    let fine = |effect: &Effect| match effect {
        Effect::Penalty { whom, amount, measure, .. } => {
            let amount = yuan(*amount);
            let amount = amount.trim_end_matches('0').trim_end_matches('.');
            let unit = if *measure == Measure::Points { "分" } else { "" };
            Some(format!("{whom} {amount}{unit}"))
        }
        _ => None,
    };
    recent.iter().filter_map(|(_, effect)| fine(effect)).collect()
}

/// Whoever hears of an effect.
fn told_by(effect: &Effect) -> &[String] {
    match effect {
        Effect::Tasks { people, .. }
        | Effect::Warned { people, .. }
        | Effect::Breached { people, .. }
        | Effect::Escalated { people, .. }
        | Effect::Notice { people, .. }
        | Effect::Copied { people, .. }
        | Effect::Urged { people, .. }
        | Effect::Moved { people, .. } => people,
        Effect::Penalty { confirm_by, .. } => confirm_by,
        _ => &[],
    }
}

fn clause_of(effect: &Effect) -> Option<&str> {
    match effect {
        Effect::Did { clause, .. }
        | Effect::Entered { clause, .. }
        | Effect::Nobody { clause, .. }
        | Effect::Uncounted { clause, .. }
        | Effect::Due { clause, .. }
        | Effect::Met { clause, .. }
        | Effect::Warned { clause, .. }
        | Effect::Breached { clause, .. }
        | Effect::Escalated { clause, .. }
        | Effect::Copied { clause, .. }
        | Effect::Penalty { clause, .. } => Some(clause),
        Effect::Notice { clause, .. } => clause.as_deref(),
        _ => None,
    }
}
