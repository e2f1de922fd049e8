//! What follows a step: cases opened, events given out, values set, and who is named.

use super::*;

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
