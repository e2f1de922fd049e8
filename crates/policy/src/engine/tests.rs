//! Stories of small regulations: approvals, deadlines, penalties, and that time passing is told truthfully.

use std::collections::BTreeMap;

use proptest::prelude::*;
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

// ---------------------------------------------------------------- approvals

fn claim(approve: &str) -> Play {
    let mut play = Play::new(&format!(
        r#"
[[role]]
id = "clerk"
title = "经办"
posts = ["经办", "主管"]
[[form]]
id = "claim"
title = "报销单"
by = "role:clerk"
excluded = "case.target"
fill = ["amount"]
offer = ["target", "note"]
[[form.field]]
id = "amount"
title = "金额"
type = "money"
[[form.field]]
id = "target"
title = "涉及人员"
type = "person"
[[form.field]]
id = "note"
title = "说明"
type = "text"
[[step]]
id = "write"
title = "填写"
by = "case.creator"
offer = ["target"]
next = "ask"
clause = "1"
[[step]]
id = "ask"
title = "审批"
next = "done"
copy_to = "holders('总经理')"
clause = "1"
{approve}
[[step]]
id = "done"
title = "结束"
kind = "end"
outcome = "同意"
clause = "1"
"#
    ));
    play.open("claim", "小甲", &[("amount", Value::Money(60_000))]).expect("opened");
    play
}

fn asked(approve: &str) -> Play {
    let mut play = claim(approve);
    play.act("小甲", "write.submit", &[]);
    play
}

/// An application that is asked for at its opening.
const ASKED_AT_ONCE: &str = r#"
[[form]]
id = "leave"
title = "申请单"
by = "holders('代理岗') + holders('经办')"
fill = ["days", "day"]
[[form.field]]
id = "days"
title = "天数"
type = "number"
[[form.field]]
id = "day"
title = "日期"
type = "date"
[[step]]
id = "ask"
title = "审批"
next = "done"
clause = "1"
[step.approve]
may = ["withdraw"]
[[step.approve.stage]]
by = "holders('财务')"
title = "财务"
[[step]]
id = "done"
title = "结束"
kind = "end"
outcome = "同意"
clause = "1"
"#;

fn leave(who: &str) -> Play {
    let mut play = Play::new(ASKED_AT_ONCE);
    let day = "2026-09-28".parse().expect("a day");
    play.open("leave", who, &[("days", Value::Number(1.0)), ("day", Value::Date(day))]).expect("opened");
    play
}

#[test]
fn what_was_asked_for_at_its_opening_ends_when_it_is_withdrawn() {
    let mut play = leave("小甲");
    play.decide("小甲", Verdict::Withdraw);
    assert_eq!((play.case.outcome.as_deref(), play.case.closed_at), (Some("撤回"), Some(T0)));
    assert!(play.case.assigned.is_empty());
    assert_eq!(play.may_not("财务一", Verdict::Approve).why, Why::Closed);
}

#[test]
fn nobody_agrees_to_his_own_request_in_the_place_of_another() {
    // 财务二 is away; whoever acts for him may decide, but not on what he asked for himself.
    let mut play = leave("小甲");
    play.yes("代理");
    assert_eq!(play.case.outcome.as_deref(), Some("同意"));
    let play = leave("代理");
    let refused = play.may_not("代理", Verdict::Approve);
    assert_eq!((refused.why, refused.text.as_str()), (Why::NotYours, "这是您自己提交的，不能代别人审批"));
    assert!(!play.policy.may_decide(&play.case, play.moment("代理")));
}

#[test]
fn numbers_and_days_beyond_all_use_are_refused_at_their_field() {
    let mut play = Play::new(ASKED_AT_ONCE);
    let day = |text: &str| Value::Date(text.parse().expect("a day"));
    for (days, on, said) in [
        (1e9, "2026-09-28", "“天数”太大，请核对；最多 100000000"),
        (-1e9, "2026-09-28", "“天数”太大，请核对；最多 100000000"),
        (1.0, "0026-09-28", "“日期”的年份应在 1900 至 2099 之间"),
        (1.0, "2100-01-01", "“日期”的年份应在 1900 至 2099 之间"),
    ] {
        let refused = play.open("leave", "小甲", &[("days", Value::Number(days)), ("day", day(on))]);
        assert_eq!(refused.expect_err("refused").fields[0].1, said);
    }
    play.open("leave", "小甲", &[("days", Value::Number(1e8)), ("day", day("2099-12-31"))]).expect("opened");
}

const IN_ORDER: &str = r#"
[step.approve]
return = ["write"]
may = ["add", "reassign", "withdraw"]
[[step.approve.stage]]
by = "holders('主管')"
title = "主管"
[[step.approve.stage]]
by = "holders('财务')"
mode = "all"
title = "财务会签"
[[step.approve.stage]]
by = "holders('总经理')"
when = "case.amount > 500"
title = "总经理"
"#;

#[test]
fn stages_are_asked_one_after_the_other_and_each_once() {
    let mut play = asked(IN_ORDER);
    assert_eq!(play.case.assigned, ["主管"]);
    assert!(play.effects.contains(&Effect::Copied { people: vec!["总经理".into()], clause: "1".into() }));
    for early in ["财务一", "总经理", "小甲", "代理"] {
        assert_eq!(play.may_not(early, Verdict::Approve).why, Why::NotYours, "{early}");
        assert!(!play.policy.may_decide(&play.case, play.moment(early)));
    }
    play.yes("主管");
    assert_eq!(play.case.assigned, ["财务一", "财务二"]);
    assert!(play.may_not("主管", Verdict::Approve).text.contains("财务一、财务二"));
    play.yes("财务一");
    assert_eq!(play.case.assigned, ["财务二"], "everybody of a joint stage has to agree");
    assert_eq!(play.may_not("财务一", Verdict::Approve).text, "您已经审批过了");
    play.yes("财务二");
    assert_eq!(play.case.assigned, ["总经理"]);
    play.yes("总经理");
    assert_eq!(play.case.outcome.as_deref(), Some("同意"));
    let late = play.may_not("总经理", Verdict::Approve);
    assert_eq!((late.why, late.text.as_str()), (Why::Closed, "单据已经结束，不能再审批"));
    assert_eq!(play.try_act("小甲", "write.submit", &[]).err().map(|r| r.why), Some(Why::Closed));
}

#[test]
fn a_stage_with_a_condition_is_left_out_where_it_does_not_hold() {
    let mut play = asked(&IN_ORDER.replace("case.amount > 500", "case.amount > 600"));
    for who in ["主管", "财务一", "财务二"] {
        play.yes(who);
    }
    assert_eq!(play.case.outcome.as_deref(), Some("同意"), "600.00 is not more than 600");
}

#[test]
fn one_no_ends_a_joint_stage_and_wants_a_reason() {
    let mut play = asked(IN_ORDER);
    play.yes("主管");
    let silent = play.policy.decide(&play.case, &Verdict::Reject, " ", Vec::new(), play.moment("财务一"));
    assert_eq!(
        silent.err().map(|refused| refused.fields),
        Some(vec![("comment".into(), "请写明理由".into())])
    );
    play.decide("财务一", Verdict::Reject);
    assert_eq!(play.case.outcome.as_deref(), Some("驳回"));
    assert!(play.case.assigned.is_empty() && play.case.approval.is_none());
    assert_eq!(play.may_not("财务二", Verdict::Approve).why, Why::Closed);
}

#[test]
fn one_yes_is_enough_where_any_may_decide() {
    let mut play =
        asked("[step.approve]\nreject = \"write\"\n[[step.approve.stage]]\nby = \"holders('财务')\"");
    assert_eq!(play.case.assigned, ["财务一", "财务二"]);
    play.yes("财务二");
    assert_eq!(play.case.outcome.as_deref(), Some("同意"));
    let mut play =
        asked("[step.approve]\nreject = \"write\"\n[[step.approve.stage]]\nby = \"holders('财务')\"");
    play.decide("财务一", Verdict::Reject);
    assert_eq!(play.case.step, "write", "a refusal leads where the regulation says");
    assert_eq!(play.case.assigned, ["小甲"]);
}

#[test]
fn approvers_are_added_before_and_after_and_the_stage_put_aside_last_comes_back_first() {
    let mut play = asked(IN_ORDER);
    play.decide("主管", Verdict::AddBefore(vec!["经理".into()]));
    assert_eq!(play.case.assigned, ["经理"]);
    assert_eq!(play.may_not("主管", Verdict::Approve).why, Why::NotYours);
    play.decide("经理", Verdict::AddBefore(vec!["小乙".into()]));
    play.yes("小乙");
    assert_eq!(play.case.assigned, ["经理"], "whoever asked for advice hears it first");
    play.yes("经理");
    assert_eq!(play.case.assigned, ["主管"]);
    play.decide("主管", Verdict::AddAfter(vec!["财务主管".into(), "经理".into()]));
    assert_eq!(play.case.assigned, ["主管"]);
    play.yes("主管");
    assert_eq!(play.case.assigned, ["财务主管", "经理"], "before the stages of the regulation go on");
    play.yes("财务主管");
    play.yes("经理");
    assert_eq!(play.case.assigned, ["财务一", "财务二"]);
    let nobody = play.may_not("财务一", Verdict::AddBefore(vec!["没有此人".into()]));
    assert_eq!(nobody.text, "没有这个人");
    assert_eq!(play.may_not("财务一", Verdict::AddBefore(Vec::new())).text, "请选择人员");
    assert!(play.may_not("财务一", Verdict::AddBefore(vec!["财务二".into()])).text.contains("已经是审批人"));
    assert!(
        play.may_not("财务一", Verdict::AddAfter(vec!["小甲".into()])).text.contains("不能审批自己的事项")
    );
}

#[test]
fn nobody_can_add_approvers_for_ever() {
    let mut play = asked(IN_ORDER);
    let mut added = 0;
    while let Ok(outcome) = play.try_decide("主管", Verdict::AddAfter(vec!["经理".into()])) {
        play.take(outcome);
        added += 1;
        assert!(added <= 60);
    }
    assert!(play.may_not("主管", Verdict::AddAfter(vec!["经理".into()])).text.contains("加签太多"));
    play.yes("主管");
    for _ in 0..added {
        play.yes("经理");
    }
    assert_eq!(play.case.assigned, ["财务一", "财务二"]);
}

#[test]
fn it_is_returned_only_to_the_steps_the_regulation_names() {
    let mut play = asked(IN_ORDER);
    assert_eq!(play.may_not("主管", Verdict::Return("done".into())).text, "不能退回到这一步");
    assert_eq!(play.may_not("主管", Verdict::Return("nowhere".into())).why, Why::NotNow);
    play.yes("主管");
    play.decide("财务一", Verdict::Return("write".into()));
    assert_eq!((play.case.step.as_str(), &play.case.assigned), ("write", &vec!["小甲".to_owned()]));
    assert!(
        play.effects
            .iter()
            .any(|e| matches!(e, Effect::Moved { what: "退回", comment, .. } if comment.contains("理由")))
    );
    play.act("小甲", "write.submit", &[]);
    assert_eq!(play.case.assigned, ["主管"], "it begins anew");
}

#[test]
fn only_the_requester_withdraws_and_only_before_anyone_decided() {
    let mut play = asked(IN_ORDER);
    assert_eq!(play.may_not("主管", Verdict::Withdraw).text, "只有提交的人可以撤回");
    assert_eq!(play.may_not("小乙", Verdict::Withdraw).why, Why::NotYours);
    play.decide("小甲", Verdict::Withdraw);
    assert_eq!(play.case.step, "write");
    assert_eq!(play.may_not("小甲", Verdict::Withdraw).why, Why::NotNow);
    play.act("小甲", "write.submit", &[]);
    play.yes("主管");
    assert_eq!(play.may_not("小甲", Verdict::Withdraw).text, "已经有人审批，不能撤回");
    let play = asked("[step.approve]\n[[step.approve.stage]]\nby = \"holders('主管')\"");
    assert_eq!(play.may_not("小甲", Verdict::Withdraw).text, "这项审批不能撤回");
    assert_eq!(play.may_not("主管", Verdict::Reassign("经理".into())).text, "这项审批不能转办");
    assert_eq!(play.may_not("主管", Verdict::AddAfter(vec!["经理".into()])).text, "这项审批不能加签");
}

#[test]
fn a_reassigned_approval_belongs_to_somebody_else_alone() {
    let mut play = asked(IN_ORDER);
    play.decide("主管", Verdict::Reassign("经理".into()));
    assert_eq!(play.case.assigned, ["经理"]);
    assert_eq!(play.may_not("主管", Verdict::Approve).why, Why::NotYours);
    assert!(play.may_not("经理", Verdict::Reassign("小甲".into())).text.contains("不能审批自己的事项"));
    play.yes("经理");
    assert_eq!(play.case.assigned, ["财务一", "财务二"]);
}

#[test]
fn what_a_delegate_does_is_noted_on_behalf_of_whom() {
    let mut play = asked(IN_ORDER);
    play.yes("主管");
    assert!(play.policy.may_decide(&play.case, play.moment("代理")));
    play.yes("代理");
    let seat = play.seats().into_iter().find(|seat| seat.person == "财务二").expect("a seat");
    assert_eq!((seat.verdict, seat.decided_by.as_deref()), (Some(true), Some("代理")));
    assert_eq!(play.case.assigned, ["财务一"]);
    assert_eq!(play.may_not("代理", Verdict::Approve).text, "您已经审批过了");
}

#[test]
fn anybody_but_whoever_has_to_act_may_ask_for_speed() {
    let mut play = asked(IN_ORDER);
    assert_eq!(play.may_not("主管", Verdict::Urge).text, "这件事正由您办理");
    play.decide("小甲", Verdict::Urge);
    assert_eq!(play.effects, [Effect::Urged { people: vec!["主管".into()], comment: "理由".into() }]);
}

fn timed(then: &str) -> Play {
    asked(&format!(
        "[step.approve]\nmay = [\"add\"]\n[[step.approve.stage]]\nby = \"holders('财务')\"\nmode = \"all\"\n
[step.approve.timeout]\nwithin = \"24h\"\nthen = \"{then}\""
    ))
}

#[test]
fn time_is_up_one_millisecond_after_the_boundary_and_not_at_it() {
    for then in ["remind", "approve", "reject", "escalate"] {
        let mut play = timed(then);
        assert_eq!(play.wakes_at(), Some(T0 + DAY + 1), "{then}");
        play.tick_at(T0 + DAY);
        assert_eq!(play.effects, [], "{then}: at the boundary it is still in time");
        play.tick_at(T0 + DAY + 1);
        assert_ne!(play.effects, [], "{then}");
        let before = play.case.clone();
        play.tick_at(T0 + DAY + 1);
        assert_eq!((&play.case, &play.effects), (&before, &Vec::new()), "{then}: once is enough");
    }
}

#[test]
fn when_the_time_is_up_the_regulation_decides() {
    let mut play = timed("remind");
    play.yes("财务一");
    play.tick_at(T0 + DAY + 1);
    assert_eq!(play.effects, [Effect::Urged { people: vec!["财务二".into()], comment: "审批已超时".into() }]);
    assert_eq!(play.wakes_at(), Some(T0 + 2 * DAY + 2), "and again");

    let mut play = timed("approve");
    play.tick_at(T0 + DAY + 1);
    assert_eq!(play.case.outcome.as_deref(), Some("同意"));
    assert_eq!(play.count(|e| matches!(e, Effect::Decided { verdict: true, by_rule: true, .. })), 2);

    let mut play = timed("reject");
    play.yes("财务一");
    play.tick_at(T0 + DAY + 1);
    assert_eq!(play.case.outcome.as_deref(), Some("驳回"));

    let mut play = timed("escalate");
    play.yes("财务一");
    play.tick_at(T0 + DAY + 1);
    assert_eq!(play.case.assigned, ["财务主管"], "once, though he is the superior of both");
    assert_eq!(play.may_not("财务二", Verdict::Approve).why, Why::NotYours);
    assert_eq!(play.wakes_at(), None);
    play.yes("财务主管");
    assert_eq!(play.case.outcome.as_deref(), Some("同意"));
}

#[test]
fn every_stage_has_its_own_time() {
    let mut play = timed("reject");
    play.now += 23 * HOUR;
    play.decide("财务一", Verdict::AddAfter(vec!["经理".into()]));
    play.yes("财务一");
    play.yes("财务二");
    assert_eq!(play.wakes_at(), Some(T0 + 23 * HOUR + DAY + 1));
}

#[test]
fn where_nobody_approves_it_stands_still_until_an_administrator_names_somebody() {
    let approve = "[step.approve]\n[[step.approve.stage]]\nby = \"holders('董事')\"
[[step.approve.stage]]\nby = \"holders('主管')\"\n[step.approve.timeout]\nwithin = \"1h\"\nthen = \"approve\"";
    let mut play = asked(approve);
    let why = Some("“董事”在公司里没有任职的人".to_owned());
    assert!(play.effects.contains(&Effect::Nobody { step: "ask".into(), why, clause: "1".into() }));
    assert_eq!(play.case.assigned, ["管理员"]);
    assert_eq!(play.wakes_at(), None, "nobody's silence is no consent");
    assert!(play.may_not("管理员", Verdict::Approve).text.contains("没有找到审批人"));
    assert_eq!(play.may_not("小乙", Verdict::Reassign("小乙".into())).why, Why::NotNow);
    assert!(play.may_not("管理员", Verdict::Reassign("小甲".into())).text.contains("不能审批自己的事项"));
    assert!(play.policy.may_decide(&play.case, play.moment("管理员")));
    play.decide("管理员", Verdict::Reassign("总经理".into()));
    assert_eq!(play.case.assigned, ["总经理"]);
    play.yes("总经理");
    assert_eq!(play.case.assigned, ["主管"], "the other stages follow");
}

#[test]
fn where_nobody_approves_the_stage_is_skipped_or_the_administrators_decide_if_the_regulation_says_so() {
    let stages =
        "[[step.approve.stage]]\nby = \"holders('董事')\"\n[[step.approve.stage]]\nby = \"holders('主管')\"";
    let play = asked(&format!("[step.approve]\nempty = \"skip\"\n{stages}"));
    assert_eq!(play.case.assigned, ["主管"]);
    assert!(
        play.effects.iter().any(|e| matches!(e, Effect::Moved { what: "该级没有审批人，按规定跳过", .. }))
    );
    let mut play = asked(&format!("[step.approve]\nempty = \"escalate\"\n{stages}"));
    assert_eq!(play.case.assigned, ["管理员"]);
    play.yes("管理员");
    assert_eq!(play.case.assigned, ["主管"]);
}

#[test]
fn a_table_of_authority_that_is_silent_is_no_consent() {
    let table = r#"
[step.approve]
authority = "limits"
[[authority]]
id = "limits"
title = "核决表"
clause = "1"
[[authority.row]]
when = "case.amount <= 500"
by = ["holders('主管')"]
[[authority.row]]
when = "case.amount > 500"
by = ["holders('主管')", "holders('总经理')"]
"#;
    let mut play = asked(table);
    play.yes("主管");
    assert_eq!(play.case.assigned, ["总经理"]);
    let mut play = claim(table);
    play.case.values[0] = Value::Null;
    play.act("小甲", "write.submit", &[]);
    assert_eq!((play.case.step.as_str(), play.case.is_open()), ("ask", true));
    assert_eq!(play.case.assigned, ["管理员"]);
}

#[test]
fn whoever_agreed_before_is_not_asked_again_if_the_regulation_says_so() {
    let stages = "[[step.approve.stage]]\nby = \"holders('主管')\"\n[[step.approve.stage]]\nby = \"holders('主管') + holders('经理')\"\nmode = \"all\"
[[step.approve.stage]]\nby = \"holders('经理')\"";
    let mut play = asked(&format!("[step.approve]\nsame_person = \"skip\"\n{stages}"));
    play.yes("主管");
    assert_eq!(play.case.assigned, ["经理"]);
    assert!(
        play.effects
            .iter()
            .any(|e| matches!(e, Effect::Decided { seat, by_rule: true, .. } if seat == "主管"))
    );
    play.yes("经理");
    assert_eq!(play.case.outcome.as_deref(), Some("同意"), "the third stage was agreed to in the second");
    let mut play = asked(&format!("[step.approve]\n{stages}"));
    play.yes("主管");
    assert_eq!(play.case.assigned, ["主管", "经理"]);
}

#[test]
fn nobody_approves_his_own_request() {
    let stage = "[[step.approve.stage]]\nby = \"holders('经办') + [case.creator]\"";
    let play = asked(&format!("[step.approve]\n{stage}"));
    assert_eq!(play.case.assigned, ["小乙", "主管"], "his superior decides instead");
    let play = asked(&format!("[step.approve]\nrequester = \"skip\"\n{stage}"));
    assert_eq!(play.case.assigned, ["小乙"]);
    let play = asked(&format!("[step.approve]\nrequester = \"allow\"\n{stage}"));
    assert_eq!(play.case.assigned, ["小甲", "小乙"]);
    // Nor in a second approval, which the first approver's yes leads to.
    let two = "[step.approve]\n[[step.approve.stage]]\nby = \"holders('主管')\"
[[step]]\nid = \"second\"\ntitle = \"再审\"\nnext = \"done\"\nclause = \"1\"
[step.approve]\n[[step.approve.stage]]\nby = \"[case.creator, superior(case.creator)]\"";
    let mut play = Play::new(&TWO.replace("TWO", two));
    play.open("claim", "小甲", &[]).expect("opened");
    play.act("小甲", "write.submit", &[]);
    play.yes("主管");
    assert_eq!(play.case.step, "second");
    assert_eq!(play.case.approval.as_ref().and_then(|a| a.requester.as_deref()), Some("小甲"));
    assert_eq!(play.case.assigned, ["主管"], "not 小甲, and 主管 though he agreed to the first");
}

const TWO: &str = r#"
[[form]]
id = "claim"
title = "报销单"
by = "holders('经办')"
[[step]]
id = "write"
title = "填写"
by = "case.creator"
next = "ask"
clause = "1"
[[step]]
id = "ask"
title = "审批"
next = "second"
clause = "1"
TWO
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
"#;

#[test]
fn whoever_is_concerned_steps_aside_and_his_superior_decides() {
    let mut play = asked(IN_ORDER);
    play.decide("主管", Verdict::Recuse);
    assert_eq!(play.case.assigned, ["经理"]);
    assert_eq!(play.may_not("主管", Verdict::Approve).why, Why::NotYours);
    play.decide("经理", Verdict::Recuse);
    play.decide("总经理", Verdict::Recuse);
    assert_eq!(play.case.assigned, ["管理员"], "above him there is nobody");
    assert_eq!(play.wakes_at(), None);
    play.decide("管理员", Verdict::Reassign("财务主管".into()));
    play.yes("财务主管");
    play.decide("财务一", Verdict::Recuse);
    assert_eq!(play.case.assigned, ["财务二"], "whoever is left decides");
}

#[test]
fn excluded_people_do_not_act_and_are_neither_added_nor_given_a_seat() {
    let with_target = |approve: &str, target: &str| {
        let mut play = claim(approve);
        play.act("小甲", "write.submit", &[("target", Value::text(target))]);
        play
    };
    // Whoever the stage names is passed over, also when he is the delegate.
    let mut play = with_target(IN_ORDER, "财务一");
    play.yes("主管");
    assert_eq!(play.case.assigned, ["财务二"]);
    assert_eq!(play.may_not("财务一", Verdict::Approve).text, "您与这件事有关，应当回避");
    assert!(play.may_not("财务二", Verdict::Reassign("财务一".into())).text.contains("应当回避"));
    assert!(play.may_not("财务二", Verdict::AddBefore(vec!["财务一".into()])).text.contains("应当回避"));
    assert!(play.may_not("财务一", Verdict::Urge).text.contains("应当回避"));
    let mut play = with_target(IN_ORDER, "代理");
    play.yes("主管");
    assert_eq!(play.may_not("代理", Verdict::Approve).why, Why::NotYours);
    assert!(!play.policy.may_decide(&play.case, play.moment("代理")));
    // As a superior he is passed over too: when time is up, when an approver steps aside, for the requester.
    let timeout = IN_ORDER.to_owned() + "[step.approve.timeout]\nwithin = \"24h\"\nthen = \"escalate\"";
    let mut play = with_target(&timeout, "经理");
    play.tick_at(T0 + DAY + 1);
    assert_eq!(play.case.assigned, ["主管"]);
    play.decide("主管", Verdict::Recuse);
    assert_eq!(play.case.assigned, ["管理员"]);
    let play = with_target("[step.approve]\n[[step.approve.stage]]\nby = \"[case.creator]\"", "主管");
    assert_eq!(play.case.assigned, ["管理员"]);
    // Administrators are no exception, and whoever was given the task before it concerned him loses it.
    let play = with_target("[step.approve]\n[[step.approve.stage]]\nby = \"holders('无人')\"", "管理员");
    assert_eq!(play.case.assigned, ["总经理"], "the highest above the owner stands in");
    let mut play = claim(IN_ORDER);
    let target = play.policy.form("claim").and_then(|form| form.field("target")).expect("a field");
    play.case.values[target] = Value::text("小甲");
    assert!(play.policy.actions(&play.case, play.moment("小甲")).is_empty());
    assert!(play.try_act("小甲", "write.submit", &[]).expect_err("refused").text.contains("回避"));
    // Nor does he open it.
    let mut play = claim(IN_ORDER);
    let about_himself = [("amount", Value::Money(1)), ("target", Value::text("小乙"))];
    assert!(play.open("claim", "小乙", &about_himself).expect_err("refused").text.contains("回避"));
}

#[test]
fn acts_at_the_wrong_time_or_by_the_wrong_person_are_refused() {
    let mut play = claim(IN_ORDER);
    assert_eq!(play.may_not("主管", Verdict::Approve).why, Why::NotNow);
    assert_eq!(play.try_act("小乙", "write.submit", &[]).err().map(|r| r.why), Some(Why::NotYours));
    assert_eq!(play.try_act("小甲", "ask.approved", &[]).err().map(|r| r.why), Some(Why::NotNow));
    let wrong = play.try_act("小甲", "write.submit", &[("note", Value::text("晚了"))]).expect_err("refused");
    assert_eq!(wrong.fields, [("note".into(), "“说明”这一步不能填写".into())]);
    play.act("小甲", "write.submit", &[]);
    assert_eq!(play.try_act("小甲", "write.submit", &[]).err().map(|r| r.why), Some(Why::NotNow));
    let mut play = claim(IN_ORDER);
    assert_eq!(play.open("claim", "代理", &[]).expect_err("refused").why, Why::NotYours);
    let empty = play.open("claim", "小甲", &[]).expect_err("refused");
    assert_eq!(empty.fields, [("amount".into(), "请填写“金额”".into())]);
}

#[test]
fn a_process_that_goes_in_circles_by_itself_is_handed_to_the_administrators() {
    let text = TWO
        .replace("next = \"second\"", "next = [{ to = \"done\", when = \"case.stop\" }, { to = \"ask\" }]");
    let text = text
        .replace("TWO", "[step.approve]\nempty = \"skip\"\n[[step.approve.stage]]\nby = \"holders('董事')\"");
    let text = text.replace(
        "[[step]]\nid = \"write\"",
        "[[form.field]]\nid = \"stop\"\ntitle = \"停\"\ntype = \"bool\"\n[[step]]\nid = \"write\"",
    );
    let mut play = Play::new(&text);
    play.open("claim", "小甲", &[]).expect("opened");
    play.act("小甲", "write.submit", &[]);
    assert_eq!((play.case.step.as_str(), &play.case.assigned), ("ask", &vec!["管理员".to_owned()]));
    assert_eq!(play.wakes_at(), None);
}

// ---------------------------------------------------------------- deadlines

const JOB: &str = r#"
[[form]]
id = "job"
title = "任务单"
by = "holders('经办')"
customer = "customer"
offer = ["base_at", "customer", "finished_at", "applies"]
set = { base_at = "has(case.base_at) ? case.base_at : now" }
[[form.field]]
id = "base_at"
title = "起算"
type = "time"
[[form.field]]
id = "customer"
title = "客户"
type = "customer"
[[form.field]]
id = "waits"
title = "等待客户"
type = "bool"
[[form.field]]
id = "finished_at"
title = "完成时间"
type = "time"
[[form.field]]
id = "applies"
title = "适用"
type = "choice"
options = ["是", "否"]
[[step]]
id = "do"
title = "办理"
by = "case.creator"
clause = "1"
[[step.action]]
id = "change"
title = "修改"
offer = ["base_at", "waits", "applies", "finished_at"]
[[step.action]]
id = "finish"
title = "完成"
next = "done"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
[[deadline]]
id = "in-time"
title = "两天办完"
from = "case.base_at"
within = "2d"
until = "case.finished_at"
when = "case.applies != '否'"
pause = "case.waits"
warn = ["-1h", "-1d"]
tell = "holders('主管')"
clause = "1"
[deadline.breach]
mark = "overdue"
title = "逾期"
notify = "holders('经理')"
[[deadline.escalate]]
after = "1h"
notify = "holders('经理')"
[[deadline.escalate]]
after = "1d"
notify = "holders('总经理')"
"#;

fn job() -> Play {
    let mut play = Play::new(JOB);
    play.open("job", "小甲", &[]).expect("opened");
    play
}

#[test]
fn a_deadline_warns_once_each_time_and_breaches_once_after_its_last_instant() {
    let mut play = job();
    let due = T0 + 2 * DAY;
    assert_eq!((play.clock("in-time").due, play.clock("in-time").standing), (due, Standing::Running));
    let is_warning = |e: &Effect| matches!(e, Effect::Warned { people, .. } if *people == ["小甲", "主管"]);
    let is_breach = |e: &Effect| matches!(e, Effect::Breached { people, .. } if *people == ["小甲", "经理"]);
    // Written in any order, they come in the order of time.
    for at in [due - DAY, due - HOUR] {
        assert_eq!(play.wakes_at(), Some(at));
        play.tick_at(at - 1);
        assert_eq!(play.effects, []);
        play.tick_at(at);
        assert_eq!(play.count(is_warning), 1);
        play.tick_at(at + 1);
        assert_eq!(play.effects, []);
    }
    play.tick_at(due);
    assert_eq!(play.effects, [], "the last instant is in time");
    assert_eq!(play.wakes_at(), Some(due + 1));
    play.tick_at(due + 1);
    assert_eq!(play.count(is_breach), 1);
    assert_eq!(play.case.marks, ["overdue"]);
    for (rung, at) in [(1, due + HOUR), (2, due + DAY)] {
        assert_eq!(play.wakes_at(), Some(at));
        play.tick_at(at);
        assert_eq!(play.count(|e| matches!(e, Effect::Escalated { rung: r, .. } if *r == rung)), 1);
        assert_eq!(play.count(is_breach), 0);
    }
    assert_eq!(play.wakes_at(), None);
}

#[test]
fn a_deadline_met_at_its_last_instant_is_met_in_time_and_never_rings_again() {
    let mut play = job();
    play.now = T0 + 2 * DAY;
    play.act("小甲", "change", &[("finished_at", Value::Time(play.now))]);
    assert_eq!((play.clock("in-time").standing, play.wakes_at()), (Standing::Met, None));
    assert!(play.case.marks.is_empty());
    play.tick_at(T0 + 9 * DAY);
    assert_eq!(play.effects, []);
}

#[test]
fn met_late_it_stays_breached_and_the_ladder_ends() {
    let mut play = job();
    play.tick_at(T0 + 2 * DAY + 1);
    play.act("小甲", "change", &[("finished_at", Value::Time(play.now))]);
    let clock = play.clock("in-time");
    assert_eq!((clock.standing, clock.met_at), (Standing::Breached, Some(play.now)));
    assert!(play.effects.iter().any(|e| matches!(e, Effect::Met { in_time: false, .. })));
    assert_eq!(play.wakes_at(), None);
    // Late without a tick in between it breaches all the same, once.
    let mut play = job();
    play.now = T0 + 2 * DAY + 1;
    play.act("小甲", "change", &[("finished_at", Value::Time(play.now))]);
    assert_eq!(play.count(|e| matches!(e, Effect::Breached { .. })), 1);
    assert_eq!(play.count(|e| matches!(e, Effect::Escalated { .. } | Effect::Warned { .. })), 0);
    assert_eq!(play.case.marks, ["overdue"]);
}

#[test]
fn what_was_done_before_the_deadline_begins_meets_it_at_once() {
    let mut play = Play::new(JOB);
    play.open("job", "小甲", &[("finished_at", Value::Time(T0 - HOUR))]).expect("opened");
    assert_eq!(play.clock("in-time").standing, Standing::Met);
    let mut play = Play::new(JOB);
    let late = [("base_at", Value::Time(T0 - 5 * DAY)), ("finished_at", Value::Time(T0 - HOUR))];
    play.open("job", "小甲", &late).expect("opened");
    assert_eq!(play.clock("in-time").standing, Standing::Breached);
    assert_eq!(play.wakes_at(), None);
}

#[test]
fn a_deadline_moves_with_its_base_and_warns_anew() {
    let mut play = job();
    play.tick_at(T0 + DAY);
    assert_eq!(play.clock("in-time").warned, 1);
    play.act("小甲", "change", &[("base_at", Value::Time(T0 + DAY))]);
    assert_eq!(play.clock("in-time").due, T0 + 3 * DAY);
    assert!(play.effects.iter().any(|e| matches!(e, Effect::Due { due, .. } if *due == T0 + 3 * DAY)));
    assert_eq!(play.wakes_at(), Some(T0 + 2 * DAY));
    // Moved into the past, it breaches at once.
    play.act("小甲", "change", &[("base_at", Value::Time(T0 - 9 * DAY))]);
    assert_eq!(play.case.marks, ["overdue"]);
}

#[test]
fn while_it_waits_for_the_customer_the_clock_stands_still() {
    let mut play = job();
    play.now = T0 + HOUR;
    play.act("小甲", "change", &[("waits", Value::Bool(true))]);
    assert_eq!(play.wakes_at(), None);
    play.tick_at(T0 + 9 * DAY);
    assert_eq!((&play.effects, play.clock("in-time").standing), (&Vec::new(), Standing::Running));
    play.act("小甲", "change", &[("waits", Value::Bool(false))]);
    assert_eq!(play.clock("in-time").due, T0 + 2 * DAY + 9 * DAY - HOUR);
    assert_eq!(play.wakes_at(), Some(play.clock("in-time").due - DAY));
    // Met while it stands still, what it stood still does not count.
    let mut play = job();
    play.now = T0 + HOUR;
    play.act("小甲", "change", &[("waits", Value::Bool(true))]);
    play.now = T0 + 9 * DAY;
    play.act("小甲", "change", &[("finished_at", Value::Time(play.now))]);
    assert_eq!(play.clock("in-time").standing, Standing::Met);
}

#[test]
fn a_deadline_that_applies_no_more_is_dropped_but_a_breach_stays() {
    let mut play = job();
    play.act("小甲", "change", &[("applies", Value::text("否"))]);
    assert_eq!(play.effects.last(), Some(&Effect::Dropped { deadline: "in-time".into() }));
    assert_eq!((play.case.clocks.len(), play.wakes_at()), (0, None));
    play.act("小甲", "change", &[("applies", Value::text("是"))]);
    assert_eq!(play.clock("in-time").due, T0 + 2 * DAY);
    play.tick_at(T0 + 2 * DAY + 1);
    play.act("小甲", "change", &[("applies", Value::text("否"))]);
    assert_eq!(play.clock("in-time").standing, Standing::Breached);
    let rung = play.wakes_at().expect("the ladder goes on");
    play.tick_at(rung);
    assert_eq!(play.count(|e| matches!(e, Effect::Escalated { .. })), 1, "what wakes does something");
}

#[test]
fn what_only_the_case_could_do_is_not_waited_for_after_its_end() {
    let mut play = job();
    play.act("小甲", "finish", &[]);
    assert!(play.effects.contains(&Effect::Dropped { deadline: "in-time".into() }));
    assert_eq!((play.wakes_at(), play.case.clocks.len()), (None, 0));
    play.tick_at(T0 + 9 * DAY);
    assert_eq!((&play.effects, play.case.marks.len()), (&Vec::new(), 0));
    // Breached before, it climbs no further rung.
    let mut play = job();
    play.tick_at(T0 + 2 * DAY + 1);
    play.act("小甲", "finish", &[]);
    assert_eq!((play.wakes_at(), play.case.marks.len()), (None, 1));
    // What a record tells may still come: filing after the end.
    let text = JOB.replace("until = \"case.finished_at\"", "until = \"case.customer.filed_at\"");
    let mut play = Play::new(&text);
    play.open("job", "小甲", &[("customer", Value::text("张三公司"))]).expect("opened");
    play.act("小甲", "finish", &[]);
    assert_eq!(play.wakes_at(), Some(T0 + DAY));
    play.world.set_fact(Kind::Customer, "张三公司", "filed_at", Value::Time(T0 + HOUR));
    play.tick_at(T0 + 2 * HOUR);
    assert_eq!(play.clock("in-time").standing, Standing::Met);
}

#[test]
fn a_breach_moves_a_waiting_case_on_and_an_event_does_so_before() {
    let text = r#"
[[form]]
id = "debt"
title = "催款"
by = "holders('经办')"
offer = ["paid"]
[[form.field]]
id = "paid"
title = "已收"
type = "money"
[[step]]
id = "wait"
title = "等待回款"
kind = "wait"
clause = "1"
[[step.on]]
event = "paid"
when = "event.amount > 100"
set = { paid = "event.amount" }
next = "done"
[[step.on]]
event = "deadline:pay"
next = "dun"
[[step]]
id = "dun"
title = "催收"
by = "holders('主管')"
next = "done"
clause = "1"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
[[deadline]]
id = "pay"
title = "三天内回款"
from = "case.opened_at"
within = "3d"
until = "case.closed_at"
clause = "1"
[[deadline]]
id = "dun-in-time"
title = "一小时内催收"
from = "entered('dun')"
within = "1h"
until = "done('dun.submit')"
clause = "1"
"#;
    let mut play = Play::new(text);
    play.open("debt", "小甲", &[]).expect("opened");
    play.hear("paid", &[("amount", Value::Money(9_900))]);
    assert_eq!(play.case.step, "wait", "99 is not more than 100");
    play.hear("paid", &[("amount", Value::Money(10_001))]);
    assert_eq!((play.case.step.as_str(), &play.case.values[0]), ("done", &Value::Money(10_001)));
    play.hear("paid", &[("amount", Value::Money(5))]);
    assert_eq!(play.effects, [], "an ended case hears nothing");
    let mut play = Play::new(text);
    play.open("debt", "小甲", &[]).expect("opened");
    play.tick_at(T0 + 3 * DAY + 1);
    assert_eq!((play.case.step.as_str(), &play.case.assigned), ("dun", &vec!["主管".to_owned()]));
    assert_eq!(play.clock("dun-in-time").due, T0 + 3 * DAY + 1 + HOUR, "its own deadline began with it");
}

// ---------------------------------------------------------------- what wakes

#[derive(Clone, Debug)]
struct RandomDeadline {
    within: &'static str,
    warn: Vec<&'static str>,
    rungs: Vec<&'static str>,
}

fn deadlines() -> impl Strategy<Value = Vec<RandomDeadline>> {
    let within = proptest::sample::select(vec![
        "10min",
        "24h",
        "2d",
        "3wd",
        "8wh",
        "1mo",
        "eom",
        "next-workday 10:00",
    ]);
    let warn =
        proptest::sample::subsequence(vec!["-30min", "-2h", "-1d", "-1wd", "-3d"], 0..=4).prop_shuffle();
    let rungs = proptest::sample::subsequence(vec!["30min", "5h", "1d", "2wd"], 0..=3).prop_shuffle();
    let one = (within, warn, rungs).prop_map(|(within, warn, rungs)| RandomDeadline { within, warn, rungs });
    proptest::collection::vec(one, 1..4)
}

fn written(all: &[RandomDeadline], timeout: &str) -> String {
    let mut text = format!(
        r#"
[[form]]
id = "job"
title = "任务单"
by = "holders('经办')"
[[step]]
id = "ask"
title = "审批"
next = "done"
clause = "1"
[step.approve]
[[step.approve.stage]]
by = "holders('财务')"
mode = "all"
[step.approve.timeout]
within = "36h"
then = "{timeout}"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
[[penalty]]
id = "late"
title = "逾期"
on = "deadline:d0"
whom = "case.creator"
amount = "50"
repeat = "1wd"
until = "!case.is_open"
clause = "1"
"#
    );
    for (number, one) in all.iter().enumerate() {
        text += &format!(
            "[[deadline]]\nid = \"d{number}\"\ntitle = \"时限\"\nfrom = \"case.opened_at\"\nwithin = \"{}\"\nuntil = \"done('ask.approved')\"\nwarn = {:?}\nclause = \"1\"\n[deadline.breach]\nmark = \"m{number}\"\n",
            one.within, one.warn
        );
        for rung in &one.rungs {
            text += &format!("[[deadline.escalate]]\nafter = \"{rung}\"\nnotify = \"holders('经理')\"\n");
        }
    }
    text
}

/// What a late tick must agree on with ticks in time. Not what bears the time of the tick itself: when a step was entered
/// and when a silent approver counted as having decided; nor the order in which marks that were due long ago were set.
fn lasting(case: &Case) -> Case {
    let mut case = case.clone();
    case.marks.sort_unstable();
    case.entered.clear();
    case.approval = None;
    case
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Ticking whenever `wakes_at` says and ticking once much later end the same, but for two things that are meant: a
    /// warning that comes after the breach is pointless and not given, and reminders that nobody sent are not made up for.
    #[test]
    fn what_wakes_does_something_each_time_and_everything_exactly_once(
        all in deadlines(), start in 0_i64..400 * 24, timeout in proptest::sample::select(vec!["remind", "escalate"]),
    ) {
        let mut play = Play::new(&written(&all, timeout));
        play.now = T0 - 200 * DAY + start * HOUR;
        let opened_at = play.now;
        play.open("job", "小甲", &[]).expect("opened");
        let at_opening = play.case.clone();
        let mut effects: Vec<(Millis, Effect)> = play.effects.iter().map(|e| (opened_at, e.clone())).collect();
        // No longer than what one late tick makes up for.
        let horizon = opened_at + 75 * DAY;
        let mut ticks = 0;
        while let Some(at) = play.wakes_at().filter(|at| *at <= horizon) {
            prop_assert!(at > play.now, "time goes on: {at} after {}", play.now);
            let before = play.case.clone();
            play.tick_at(at - 1);
            prop_assert_eq!(&play.case, &before, "nothing happens before its time");
            play.tick_at(at);
            prop_assert!(!play.effects.is_empty(), "what wakes does something");
            effects.extend(play.effects.iter().map(|e| (at, e.clone())));
            ticks += 1;
            prop_assert!(ticks < 400);
        }
        let calendar = Calendar::mainland();
        for (number, one) in all.iter().enumerate() {
            let id = format!("d{number}");
            let due = play.clock(&id).due;
            let told = |is: &dyn Fn(&Effect) -> bool| effects.iter().filter(|(_, e)| is(e)).map(|(at, _)| *at).collect::<Vec<_>>();
            let warnings = told(&|e| matches!(e, Effect::Warned { deadline, .. } if *deadline == id));
            let mut expected: Vec<Millis> =
                one.warn.iter().map(|w| calendar.warn_at(due, w.parse().expect("a warning")).expect("a time").max(opened_at)).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(warnings, expected, "{} warns {:?}", one.within, &one.warn);
            let breaches = told(&|e| matches!(e, Effect::Breached { deadline, .. } if *deadline == id));
            prop_assert_eq!(breaches, vec![due + 1]);
            for rung in 1..=one.rungs.len() {
                let climbed = told(&|e| matches!(e, Effect::Escalated { deadline, rung: r, .. } if *deadline == id && *r == rung));
                prop_assert_eq!(climbed.len(), 1, "{:?}", &one.rungs);
            }
        }
        let mut late = Play::new(&written(&all, timeout));
        late.case = at_opening;
        late.tick_at(horizon);
        play.now = horizon;
        prop_assert_eq!(lasting(&late.case), lasting(&play.case));
        let fines = |effects: &[Effect]| effects.iter().filter(|e| matches!(e, Effect::Penalty { .. })).count();
        let in_time: Vec<Effect> = effects.into_iter().map(|(_, e)| e).collect();
        prop_assert_eq!(fines(&late.effects), fines(&in_time), "no penalty is lost");
        prop_assert!(fines(&in_time) > 20);
        // Put right, everything comes to rest.
        while late.case.is_open() {
            let who = late.case.assigned[0].clone();
            late.yes(&who);
        }
        prop_assert_eq!((late.case.is_open(), late.wakes_at()), (false, None));
    }

    /// Whatever people try, in whatever order: never a panic, what is refused changes nothing, what is stored is read again.
    #[test]
    fn random_runs_never_panic_and_every_state_is_written_and_read_again(
        seed in proptest::collection::vec((0_usize..14, 0_usize..13, 0_usize..13, 0_i64..40), 1..40),
        timeout in proptest::sample::select(vec!["remind", "escalate", "approve", "reject"]),
    ) {
        let people = ["小甲", "小乙", "主管", "经理", "总经理", "财务一", "财务二", "财务主管", "代理", "顾问甲", "管理员", "没有此人", ""];
        let approve = format!("{IN_ORDER}[step.approve.timeout]\nwithin = \"24h\"\nthen = \"{timeout}\"");
        let mut play = claim(&approve);
        for (what, who, other, hours) in seed {
            play.now += hours * HOUR;
            let (who, other) = (people[who], people[other].to_owned());
            let verdict = match what {
                0..=2 => Verdict::Approve,
                3 => Verdict::Reject,
                4 => Verdict::Return("write".into()),
                5 => Verdict::AddBefore(vec![other, "经理".into()]),
                6 => Verdict::AddAfter(vec![other]),
                7 => Verdict::Reassign(other),
                8 => Verdict::Withdraw,
                9 => Verdict::Urge,
                10 => Verdict::Recuse,
                11 => {
                    let target = [("target", Value::text(&other))];
                    if let Ok(outcome) = play.try_act("小甲", "write.submit", &target) {
                        play.take(outcome);
                    }
                    continue;
                }
                _ => {
                    play.tick_at(play.now);
                    continue;
                }
            };
            // Whoever has the task first, so that runs get somewhere.
            let first = play.case.assigned.first().cloned().unwrap_or_default();
            let who = if hours % 3 > 0 { first.as_str() } else { who };
            if let Ok(outcome) = play.try_decide(who, verdict) {
                play.take(outcome);
            }
            let is_waiting = play.case.is_open() && play.case.assigned.is_empty();
            prop_assert!(!is_waiting, "somebody always has to act: {:?}", play.case);
        }
    }
}

// ---------------------------------------------------------------- what follows a step

#[test]
fn an_approval_opens_cases_gives_out_events_and_sets_values_in_the_order_written() {
    let mut play = Play::new(
        r#"
[[form]]
id = "asked"
title = "申请"
by = "holders('经办')"
[[form.field]]
id = "a"
title = "甲"
type = "int"
[[form.field]]
id = "z"
title = "乙"
type = "int"
[[step]]
id = "ask"
form = "asked"
title = "审批"
next = "done"
open = [{ form = "noted", set = { sum = "case.a" } }]
emit = ["asked.agreed"]
set = { z = "2", a = "case.z * 10" }
clause = "1"
[step.approve]
[[step.approve.stage]]
by = "holders('主管')"
[[step]]
id = "done"
form = "asked"
title = "结束"
kind = "end"
clause = "1"
[[form]]
id = "noted"
title = "备忘"
by = "holders('经办')"
fill = ["sum"]
[[form.field]]
id = "sum"
title = "合计"
type = "int"
[[step]]
id = "wait"
form = "noted"
title = "等"
kind = "wait"
clause = "1"
[[step.on]]
event = "asked.agreed"
next = "kept"
[[step]]
id = "kept"
form = "noted"
title = "留存"
kind = "end"
clause = "1"
"#,
    );
    play.open("asked", "小甲", &[]).expect("opened");
    assert_eq!(play.count(|effect| matches!(effect, Effect::Open { .. } | Effect::Emitted { .. })), 0);
    play.yes("主管");
    assert_eq!(play.case.values, [Value::Int(20), Value::Int(2)], "z is set before a");
    let values = vec![("sum".to_owned(), Value::Int(20))];
    assert!(play.effects.contains(&Effect::Open { form: "noted".into(), values }));
    assert!(play.effects.contains(&Effect::Emitted { event: "asked.agreed".into() }));
}

#[test]
fn a_role_whose_unit_nobody_filled_in_finds_nobody_and_the_trail_says_so() {
    let text = r#"
[[role]]
id = "finance"
title = "财务"
posts = ["财务"]
at = "case.office"
[[form]]
id = "bill"
title = "账单"
by = "holders('经办')"
offer = ["office"]
[[form.field]]
id = "office"
title = "管理处"
type = "unit"
[[step]]
id = "pay"
title = "付款"
by = "role:finance"
next = "ask"
clause = "1"
[[step]]
id = "ask"
title = "审批"
next = "done"
clause = "1"
[step.approve]
[[step.approve.stage]]
by = "role:finance"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
"#;
    let mut play = Play::new(text);
    play.open("bill", "小甲", &[]).expect("opened");
    let why = Some("“财务”要在管理处里找，而它没有填".to_owned());
    let nobody = |step: &str| Effect::Nobody { step: step.into(), why: why.clone(), clause: "1".into() };
    assert_eq!(play.case.assigned, ["管理员"]);
    assert!(play.effects.contains(&nobody("pay")), "{:?}", play.effects);
    play.act("管理员", "pay.submit", &[]);
    assert_eq!(play.case.assigned, ["管理员"]);
    assert!(play.effects.contains(&nobody("ask")), "{:?}", play.effects);
    // With a unit that has nobody it is the same, but for the reason.
    let mut play = Play::new(text);
    play.open("bill", "小甲", &[("office", Value::text("公司"))]).expect("opened");
    let why = Some("“财务”在公司没有任职的人".to_owned());
    assert!(play.effects.contains(&Effect::Nobody { step: "pay".into(), why, clause: "1".into() }));
}

#[test]
fn a_refusal_that_can_name_nobody_says_what_is_missing_and_who_puts_it_right() {
    let mut play = Play::new(
        r#"
[[role]]
id = "finance"
title = "财务"
posts = ["财务"]
at = "case.office"
[[form]]
id = "bill"
title = "账单"
by = "role:finance"
offer = ["office"]
[[form.field]]
id = "office"
title = "管理处"
type = "unit"
[[step]]
id = "kept"
form = "bill"
title = "留存"
kind = "end"
clause = "1"
[[form]]
id = "note"
title = "便条"
by = "holders('经办')"
[[step]]
id = "pay"
form = "note"
title = "付款"
by = "[case.creator]"
clause = "1"
[[step.action]]
id = "paid"
title = "付清"
by = "holders('出纳')"
next = "done"
[[step.action]]
id = "seen"
title = "过目"
by = "holders('财务')"
next = "done"
[[step]]
id = "done"
form = "note"
title = "结束"
kind = "end"
clause = "1"
"#,
    );
    let refused = play.open("bill", "小甲", &[]).expect_err("refused");
    assert_eq!(
        (refused.why, refused.text.as_str()),
        (Why::NotYours, "您不能开《账单》；应由财务开，但管理处没有填，请先填上")
    );
    let refused = play.open("bill", "小甲", &[("office", Value::text("公司"))]).expect_err("refused");
    assert_eq!(refused.text, "您不能开《账单》；应由财务开，但公司没有任职的人，请管理员在组织里补上");
    play.open("note", "小甲", &[]).expect("opened");
    let said = |action: &str| play.try_act("小甲", action, &[]).err().map(|refused| refused.text);
    let nobody = "“付清”应由出纳办理，但公司里没有任职的人，请管理员在组织里补上";
    assert_eq!(said("paid").as_deref(), Some(nobody));
    assert_eq!(said("seen").as_deref(), Some("“过目”由财务一、财务二办理"));
}

// ---------------------------------------------------------------- penalties

/// The archive rules of a car dealer (一车一档), as far as they punish.
const ARCHIVES: &str = r#"
[[form]]
id = "sale"
title = "销售档案移交"
by = "holders('顾问')"
offer = ["delivered_at", "unsigned"]
[[form.field]]
id = "delivered_at"
title = "交车时间"
type = "time"
[[form.field]]
id = "unsigned"
title = "无签名项数"
type = "int"
[[step]]
id = "hand"
title = "移交"
by = "case.creator"
next = "check"
clause = "1"
[[step]]
id = "check"
form = "sale"
title = "检查"
by = "holders('档案')"
fill = ["unsigned"]
next = "done"
clause = "1"
[[step]]
id = "done"
title = "归档"
kind = "end"
clause = "1"
[[deadline]]
id = "sale-in-time"
title = "交车后三个工作日"
from = "case.delivered_at"
within = "3wd"
until = "done('hand.submit')"
clause = "1"
[[penalty]]
id = "sale-late"
title = "迟交"
on = "deadline:sale-in-time"
whom = "case.creator"
amount = "50"
multiply = { from = 2, by = 2.0, together = ["sale-unsigned"] }
confirm_by = "holders('总监')"
clause = "1"
[[penalty]]
id = "sale-unsigned"
title = "无用户签名"
on = "sale.check.submit"
when = "case.unsigned > 0"
whom = "case.creator"
amount = "20"
count = "case.unsigned"
multiply = { from = 2, by = 2.0, together = ["sale-late"] }
appeal = "3wd"
clause = "1"
"#;

fn amounts(play: &Play) -> Vec<i64> {
    let amount = |effect: &Effect| match effect {
        Effect::Penalty { amount, .. } => Some(*amount),
        _ => None,
    };
    play.effects.iter().filter_map(amount).collect()
}

#[test]
fn three_violations_of_a_sales_adviser_in_a_month_cost_230_yuan() {
    let mut play = Play::new(ARCHIVES);
    // 2026-11-02 is a Monday; three working days end with Thursday.
    let monday = T0 + 35 * DAY;
    let late = |play: &mut Play, delivered_at: Millis| {
        play.now = delivered_at;
        play.open("sale", "顾问甲", &[("delivered_at", Value::Time(delivered_at))]).expect("opened");
        let at = play.wakes_at().expect("a deadline");
        play.tick_at(at);
        amounts(play)
    };
    assert_eq!(late(&mut play, monday), [5_000]);
    let Some(Effect::Penalty { confirm_by, whom, measure: Measure::Money, .. }) =
        play.effects.iter().find(|e| matches!(e, Effect::Penalty { .. })).cloned()
    else {
        panic!("no penalty")
    };
    assert_eq!((confirm_by, whom.as_str()), (vec!["客户总监".to_owned()], "顾问甲"));
    // The same car, handed in now with two items not signed: 20 × 2 × 2.
    play.act("顾问甲", "hand.submit", &[]);
    play.act("档案员", "check.submit", &[("unsigned", Value::Int(2))]);
    assert_eq!(amounts(&play), [8_000]);
    assert_eq!(late(&mut play, monday + 14 * DAY), [10_000]);
    // Next month it begins anew, and nothing to object to costs nothing.
    assert_eq!(late(&mut play, monday + 35 * DAY), [5_000]);
    play.act("顾问甲", "hand.submit", &[]);
    play.act("档案员", "check.submit", &[("unsigned", Value::Int(0))]);
    assert_eq!(amounts(&play), Vec::<i64>::new());
}

const SERVICE: &str = r#"
[[form]]
id = "visit"
title = "售后档案移交"
by = "holders('顾问')"
[[form.field]]
id = "contact_checked"
title = "已核对联系人"
type = "bool"
[[form.field]]
id = "defects"
title = "缺陷"
type = "lines"
[[form.field.column]]
id = "kind"
title = "缺陷种类"
type = "choice"
options = ["不完整", "无用户签名", "无内部签名"]
[[step]]
id = "check"
title = "检查"
by = "holders('档案')"
clause = "1"
[[step.action]]
id = "object"
title = "有缺陷"
offer = ["contact_checked", "defects"]
[[step.action]]
id = "put-right"
title = "已改正"
next = "done"
[[step]]
id = "done"
title = "归档"
kind = "end"
clause = "1"
[[penalty]]
id = "contact"
title = "未核对联系人"
on = "visit.object"
when = "!case.contact_checked"
whom = "case.creator"
amount = "50"
multiply = { from = 3, by = 2.0, together = ["defects"] }
clause = "1"
[[penalty]]
id = "defects"
title = "纸质档案不完整"
on = "visit.object"
when = "size(case.defects) > 0"
whom = "case.creator"
amount = "sum(case.defects.map(d, d.kind == '无用户签名' ? 50 : 20))"
multiply = { from = 3, by = 2.0, together = ["contact"] }
repeat = "1wd"
until = "!case.is_open"
clause = "1"
"#;

fn defects(kinds: &[&str]) -> Value {
    Value::list(kinds.iter().map(|kind| {
        Value::Row(std::sync::Arc::new(BTreeMap::from([("kind".to_owned(), Value::text(kind))])))
    }))
}

#[test]
fn three_violations_of_a_service_adviser_in_a_month_cost_280_yuan() {
    let mut play = Play::new(SERVICE);
    let mut total = Vec::new();
    let none = [("contact_checked", Value::Bool(false))];
    for _ in 0..2 {
        play.open("visit", "顾问甲", &[]).expect("opened");
        play.act("档案员", "object", &none);
        total.extend(amounts(&play));
    }
    play.open("visit", "顾问甲", &[]).expect("opened");
    let all =
        [("contact_checked", Value::Bool(true)), ("defects", defects(&["不完整", "不完整", "无用户签名"]))];
    play.act("档案员", "object", &all);
    total.extend(amounts(&play));
    assert_eq!(total, [5_000, 5_000, 18_000]);
    // Not put right, the same amount comes again for each working day that passes: from Monday to Wednesday, then over
    // the holidays of October nothing.
    for day in [29, 30] {
        let at = play.wakes_at().expect("it comes again");
        let local = Calendar::mainland().local(at - 1).expect("a time");
        assert_eq!((local.day(), local.month()), (day, 9));
        play.tick_at(at - 1);
        assert_eq!(amounts(&play), Vec::<i64>::new());
        play.tick_at(at);
        assert_eq!(amounts(&play), [18_000]);
    }
    let at = play.wakes_at().expect("and again");
    assert_eq!(Calendar::mainland().local(at - 1).expect("a time").date().to_string(), "2026-10-08");
    play.now = at - 1;
    play.act("档案员", "put-right", &[]);
    assert_eq!((amounts(&play), play.wakes_at()), (Vec::new(), None));
}

#[test]
fn days_nobody_looked_are_made_up_for() {
    let mut play = Play::new(SERVICE);
    play.open("visit", "顾问甲", &[]).expect("opened");
    let all = [("contact_checked", Value::Bool(true)), ("defects", defects(&["无内部签名"]))];
    play.act("档案员", "object", &all);
    assert_eq!(amounts(&play), [2_000]);
    play.tick_at(T0 + 3 * DAY);
    assert_eq!(amounts(&play), [2_000, 2_000], "Tuesday and Wednesday have passed");
}

#[test]
fn one_penalty_takes_the_place_of_another_and_fractions_are_whole_cents() {
    let text = SERVICE.split("[[penalty]]").next().expect("a form").to_owned()
        + r#"
[[penalty]]
id = "small"
title = "缺陷"
on = "visit.object"
whom = "case.creator"
amount = "20"
count = "size(case.defects)"
clause = "1"
[[penalty]]
id = "large"
title = "重大缺陷"
on = "visit.object"
when = "case.defects.exists(d, d.kind == '无用户签名')"
whom = "case.creator"
amount = "100 / 3.0"
replaces = "small"
clause = "1"
[[penalty]]
id = "points"
title = "扣分"
on = "visit.object"
whom = "[case.creator, case.creator]"
amount = "1.255"
measure = "points"
clause = "1"
"#;
    let mut play = Play::new(&text);
    play.open("visit", "顾问甲", &[]).expect("opened");
    play.act("档案员", "object", &[("defects", defects(&["不完整", "不完整"]))]);
    assert_eq!(amounts(&play), [4_000, 126], "each person once");
    play.act("档案员", "object", &[("defects", defects(&["不完整", "无用户签名"]))]);
    assert_eq!(amounts(&play), [3_333, 126], "33.33, and in the place of 40");
    assert_eq!(Measure::Points.in_chinese(126), "1.26 分");
    play.act("档案员", "object", &[("defects", defects(&[]))]);
    assert_eq!(amounts(&play), [126], "none of nothing");
}

// ---------------------------------------------------------------- forms

#[test]
fn what_is_filled_is_kept_within_its_bounds_and_a_clause_goes_before_a_missing_field() {
    let text = r#"
[[form]]
id = "gift"
title = "礼品"
by = "holders('经办')"
fill = ["price"]
offer = ["things"]
[[form.field]]
id = "price"
title = "单价"
type = "money"
min = 0
max = 500
[[form.field]]
id = "things"
title = "明细"
type = "lines"
max = 2
[[form.field.column]]
id = "name"
title = "名称"
type = "text"
max = 3
[[form.field]]
id = "double"
title = "两份"
type = "money"
value = "case.price * 2"
[[form.field]]
id = "list"
title = "核对"
type = "checklist"
options = ["甲", "乙"]
[[step]]
id = "give"
title = "赠送"
by = "case.creator"
fill = ["list"]
next = "done"
clause = "1"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
[[refusal]]
id = "too-much"
on = "gift.give.submit"
when = "case.double > 300"
message = "超过 300 元的礼品不能赠送"
exempt_by = "holders('总经理')"
clause = "1"
"#;
    let mut play = Play::new(text);
    let wrong = |values: &[(&str, Value)]| play_open_error(text, values);
    assert_eq!(wrong(&[("price", Value::Money(-1))]), "“单价”至少 0.00 元");
    assert_eq!(wrong(&[("price", Value::Money(50_001))]), "“单价”最多 500.00 元");
    assert_eq!(wrong(&[("price", Value::Money(1)), ("double", Value::Money(9))]), "“两份”这一步不能填写");
    let thing = |name: &str| {
        Value::Row(std::sync::Arc::new(BTreeMap::from([("name".to_owned(), Value::text(name))])))
    };
    assert_eq!(
        wrong(&[("price", Value::Money(1)), ("things", Value::list([thing("茶"), thing("大茶壶一个")]))]),
        "第 2 行：“名称”最多 3 个字"
    );
    assert_eq!(
        wrong(&[
            ("price", Value::Money(1)),
            ("things", Value::list([thing("茶"), thing("茶"), thing("茶")]))
        ]),
        "“明细”最多 2 项"
    );
    play.open("gift", "小甲", &[("price", Value::Money(20_000))]).expect("opened");
    assert_eq!(play.case.value(play.policy.form("gift").expect("a form"), "double"), &Value::Money(40_000));
    let refused = play.try_act("小甲", "give.submit", &[]).expect_err("refused");
    assert_eq!(
        (refused.why, refused.refusal.as_deref(), refused.exempt_by.to_vec()),
        (Why::Clause, Some("too-much"), vec!["总经理".to_owned()])
    );
    play.world.exempt("too-much", "c1", T0);
    let refused =
        play.try_act("小甲", "give.submit", &[("list", Value::texts(["甲"]))]).expect_err("refused");
    assert_eq!(refused.text, "“核对”要逐项勾选");
    play.act("小甲", "give.submit", &[("list", Value::texts(["甲", "乙"]))]);
    assert!(!play.case.is_open());
}

fn play_open_error(text: &str, values: &[(&str, Value)]) -> String {
    Play::new(text).open("gift", "小甲", values).expect_err("refused").text
}

#[test]
fn a_case_that_was_stored_keeps_texts_choices_and_numbers_as_they_were() {
    let old = form_of(&[
        ("a", Ty::Text),
        ("b", Ty::Choice(["甲".to_owned()].into())),
        ("c", Ty::Number),
        ("gone", Ty::Int),
    ]);
    let values =
        vec![Value::text(" 两边有空格 "), Value::text("甲"), Value::Number(0.1 + 0.2), Value::Int(1)];
    let case = Case { form: "complaint".into(), values: values.clone(), ..Case::default() };
    let json: serde_json::Value = serde_json::from_str(&case.to_json(&old).to_string()).expect("JSON");
    assert_eq!(Case::from_json(&old, &json).expect("a case").values, values);
    // The next version offers other choices and has other fields: what was chosen stays.
    let new = form_of(&[("new", Ty::Bool), ("b", Ty::Choice(["乙".to_owned()].into())), ("a", Ty::Text)]);
    let read = Case::from_json(&new, &json).expect("a case");
    assert_eq!(read.values, [Value::Null, Value::text("甲"), Value::text(" 两边有空格 ")]);
    assert_eq!(Case::from_json(&new, &serde_json::json!({"form": 1})), None);
}
