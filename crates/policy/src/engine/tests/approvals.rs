//! Approvals: in order, together, added to, handed on, withdrawn, and what happens when the time is up.

use super::*;

pub(super) fn claim(approve: &str) -> Play {
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

pub(super) const IN_ORDER: &str = r#"
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
