//! Stories of small regulations: approvals, deadlines, penalties, and that time passing is told truthfully.

mod approvals;
mod deadlines;
mod following;
mod forms;
mod penalties;
mod waking;

use std::collections::BTreeMap;

use workday::Calendar;

use super::*;
use crate::case::{Seat, Standing};
use crate::cast::{Cast, CastWorld};
use crate::expr::{Expr, Vocabulary};
use crate::model::{Field, FieldKind, Measure, Template};
use crate::value::{Kind, Ty};
use crate::{Settings, SourceFile, check};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;
/// Monday 2026-09-28 09:00 in China.
const T0: Millis = 1_790_557_200_000;

/// A form with these fields and nothing else.
pub(crate) fn form_of(fields: &[(&str, Ty)]) -> Form {
    let field = |(id, ty): &(&str, Ty)| Field {
        id: (*id).to_owned(),
        title: (*id).to_owned(),
        kind: FieldKind::Text,
        ty: ty.clone(),
        options: Vec::new(),
        columns: Vec::new(),
        form: None,
        value: None,
        among: None,
        ranks: Vec::new(),
        min: None,
        max: None,
        help: String::new(),
        by_name: false,
        seen_by: None,
        not_on: Vec::new(),
        clause: None,
    };
    Form {
        id: "complaint".into(),
        title: String::new(),
        number: String::new(),
        by: Expr::nobody(),
        customer: None,
        unit: None,
        owner: None,
        readers: None,
        excluded: None,
        fields: fields.iter().map(field).collect(),
        fill: Vec::new(),
        offer: Vec::new(),
        set: Vec::new(),
        list: Vec::new(),
        compared: Vec::new(),
        copies: Vec::new(),
        subject: Template::default(),
        clause: None,
        steps: Vec::new(),
        deadlines: Vec::new(),
    }
}

pub(crate) fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let (person, unit) = (Ty::Ref(Kind::Person), Ty::Ref(Kind::Unit));
    let facts = |all: &[(&str, Ty)]| all.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
    let of_person = [("name", Ty::Text), ("unit", unit.clone()), ("superior", person.clone())];
    vocabulary.facts.insert(Kind::Person, facts(&of_person));
    vocabulary.facts.insert(Kind::Unit, facts(&[("name", Ty::Text), ("head", person)]));
    vocabulary.facts.insert(Kind::Customer, facts(&[("filed_at", Ty::Time)]));
    vocabulary
        .events
        .insert("paid".into(), facts(&[("amount", Ty::Money), ("customer", Ty::Ref(Kind::Customer))]));
    vocabulary
}

const HEAD: &str = r#"
[policy]
id = "t"
title = "试验制度"
version = "1"
[[clause]]
id = "1"
text = "一"
"#;

pub(crate) fn policy(text: &str) -> Policy {
    let file = SourceFile { name: "policy.toml".into(), text: format!("{HEAD}{text}") };
    check(&[file], &Settings::new(), &vocabulary()).unwrap_or_else(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", problems.join("\n"))
    })
}

pub(crate) fn cast() -> Cast {
    toml::from_str(
        "unit = [{ name = '公司' }]
         person = [
            { name = '小甲', posts = ['经办'], superior = '主管', unit = '公司' },
            { name = '小乙', posts = ['经办'], superior = '主管' },
            { name = '主管', posts = ['主管'], superior = '经理' },
            { name = '经理', posts = ['经理'], superior = '总经理' },
            { name = '总经理', posts = ['总经理'] },
            { name = '财务一', posts = ['财务'], superior = '财务主管' },
            { name = '财务二', posts = ['财务'], superior = '财务主管', delegate = '代理' },
            { name = '财务主管', superior = '总经理' },
            { name = '代理', posts = ['代理岗'] }, { name = '顾问甲', posts = ['顾问'] }, { name = '档案员', posts = ['档案'] },
            { name = '客户总监', posts = ['总监'] },
            { name = '管理员', administers = true }]",
    )
    .unwrap()
}

/// A case on its way, with the last effects.
struct Play {
    policy: Policy,
    world: CastWorld,
    now: Millis,
    case: Case,
    effects: Vec<Effect>,
}

impl Play {
    fn new(text: &str) -> Self {
        let world = CastWorld::new(cast(), Calendar::mainland());
        Self { policy: policy(text), world, now: T0, case: Case::default(), effects: Vec::new() }
    }

    fn open(&mut self, form: &str, who: &str, values: &[(&str, Value)]) -> Result<(), Refused> {
        let values = self.values(form, values);
        let outcome = self.policy.open(form, "c1", "N1", values, self.moment(who))?;
        self.take(outcome);
        Ok(())
    }

    fn values(&self, form: &str, values: &[(&str, Value)]) -> Vec<(usize, Value)> {
        let form = self.policy.form(form).expect("a form");
        values.iter().map(|(name, value)| (form.field(name).expect("a field"), value.clone())).collect()
    }

    fn moment<'m>(&'m self, who: &'m str) -> Moment<'m> {
        Moment { now: self.now, actor: (!who.is_empty()).then_some(who), world: &self.world }
    }

    fn take(&mut self, outcome: Outcome) {
        self.case = outcome.case;
        self.effects = outcome.effects;
        for effect in &self.effects {
            if let Effect::Penalty { penalty, whom, .. } = effect {
                self.world.penalise(whom, penalty, self.now);
            }
        }
        self.is_written_and_read_again();
    }

    fn is_written_and_read_again(&self) {
        let form = self.policy.form(&self.case.form).expect("a form");
        let text = self.case.to_json(form).to_string();
        let read = Case::from_json(form, &serde_json::from_str(&text).expect("JSON"));
        assert_eq!(read.as_ref(), Some(&self.case));
    }

    fn try_act(&self, who: &str, action: &str, values: &[(&str, Value)]) -> Result<Outcome, Refused> {
        self.policy.act(&self.case, action, self.values(&self.case.form, values), self.moment(who))
    }

    fn act(&mut self, who: &str, action: &str, values: &[(&str, Value)]) {
        let outcome =
            self.try_act(who, action, values).unwrap_or_else(|refused| panic!("{who} {action}: {refused:?}"));
        self.take(outcome);
    }

    fn try_decide(&self, who: &str, verdict: Verdict) -> Result<Outcome, Refused> {
        self.policy.decide(&self.case, &verdict, "理由", Vec::new(), self.moment(who))
    }

    fn decide(&mut self, who: &str, verdict: Verdict) {
        let outcome = self.try_decide(who, verdict.clone());
        self.take(outcome.unwrap_or_else(|refused| panic!("{who} {verdict:?}: {refused:?}")));
    }

    fn yes(&mut self, who: &str) {
        self.decide(who, Verdict::Approve);
    }

    /// Refused for this reason; `decide` takes the case by reference, so that nothing can have changed.
    fn may_not(&self, who: &str, verdict: Verdict) -> Refused {
        let result = self.try_decide(who, verdict.clone());
        result.err().unwrap_or_else(|| panic!("{who} could {verdict:?}"))
    }

    fn tick_at(&mut self, now: Millis) {
        self.now = now;
        let outcome = self.policy.tick(&self.case, self.moment("")).expect("a tick");
        self.take(outcome);
    }

    fn hear(&mut self, event: &str, facts: &[(&str, Value)]) {
        let facts: BTreeMap<String, Value> =
            facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let outcome = self.policy.happened(&self.case, event, &facts, self.moment("")).expect("an event");
        self.take(outcome);
    }

    fn wakes_at(&self) -> Option<Millis> {
        self.policy.wakes_at(&self.case, &self.world)
    }

    fn clock(&self, id: &str) -> &crate::case::Clock {
        &self.case.clocks[id]
    }

    fn count(&self, is: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| is(effect)).count()
    }

    fn seats(&self) -> Vec<Seat> {
        self.case
            .approval
            .iter()
            .flat_map(|approval| &approval.rounds)
            .flat_map(|round| round.seats.clone())
            .collect()
    }
}
