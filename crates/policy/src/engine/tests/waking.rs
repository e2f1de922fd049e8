//! What time does to a case: it wakes when it says it will, and as often as it says.

use proptest::prelude::*;

use super::approvals::{IN_ORDER, claim};
use super::*;

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
