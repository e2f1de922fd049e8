//! Penalties and how their amounts follow.

use super::*;

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

/// An amount that cannot be reckoned is told; one of nothing is a penalty that is switched off.
#[test]
fn a_penalty_that_cannot_be_reckoned_does_not_go_unnoticed() {
    let uncounted = |play: &Play| {
        play.effects.iter().any(|e| matches!(e, Effect::Uncounted { title, .. } if !title.is_empty()))
    };
    for (written, amount, expected) in [
        ("amount = \"50\"", "amount = \"50 - 50\"", false),
        ("amount = \"50\"", "amount = \"50 - 70\"", true),
        ("amount = \"50\"", "amount = \"50\"\ncount = \"1 / 0\"", true),
    ] {
        assert!(ARCHIVES.contains(written), "{written}");
        let mut play = Play::new(&ARCHIVES.replacen(written, amount, 1));
        play.now = T0 + 35 * DAY;
        play.open("sale", "顾问甲", &[("delivered_at", Value::Time(T0 + 35 * DAY))]).expect("opened");
        let at = play.wakes_at().expect("a deadline");
        play.tick_at(at);
        assert_eq!((amounts(&play), uncounted(&play)), (vec![], expected), "{amount}");
    }
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
amount = "2.51 / 2"
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
