//! Deadlines: warning, breach, pauses, and the very last instant.

use super::*;

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
