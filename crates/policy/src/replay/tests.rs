//! A draft tried on what was done: where it goes the same way, and every way in which it does not.

use proptest::prelude::*;
use workday::Calendar;

use super::*;
use crate::cast::CastWorld;
use crate::engine::Why;
use crate::engine::tests::{cast, policy};

/// Monday 2026-09-28 09:00 in China.
const T0: Millis = 1_790_557_200_000;
const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// A claim: written by the clerk, asked of a superior, within two days, or it costs.
const CLAIM: &str = r#"
[[form]]
id = "claim"
title = "报销单"
by = "holders('经办')"
fill = ["amount"]
offer = ["note"]
[[form.field]]
id = "amount"
title = "金额"
type = "money"
[[form.field]]
id = "note"
title = "说明"
type = "text"
[[form.field]]
id = "paid_at"
title = "付款时间"
type = "time"
[[step]]
id = "write"
title = "填写"
by = "case.creator"
next = "ask"
clause = "1"
[[step]]
id = "ask"
title = "审批"
next = "pay"
clause = "1"
[step.approve]
return = ["write"]
[[step.approve.stage]]
by = "holders('主管')"
title = "主管"
[[step]]
id = "pay"
title = "付款"
by = "holders('财务')"
clause = "1"
[[step.action]]
id = "paid"
title = "已付"
set = { paid_at = "now" }
next = "done"
[[step]]
id = "done"
title = "结束"
kind = "end"
outcome = "已付款"
clause = "1"
[[deadline]]
id = "in-time"
title = "两天付款"
from = "case.opened_at"
within = "2d"
until = "case.paid_at"
clause = "1"
[deadline.breach]
mark = "overdue"
title = "逾期"
[[penalty]]
id = "late"
title = "付款迟延"
on = "deadline:in-time"
whom = "case.creator"
amount = "20"
clause = "1"
"#;

fn deed(at: Millis, who: &str, what: What) -> Deed {
    Deed { at, actor: Some(who.to_owned()), what, values: Map::new() }
}

/// Opened, sent, agreed to, paid after so many hours.
fn claimed(hours: i64, cents: i64) -> Vec<Deed> {
    let mut open = deed(T0, "小甲", What::Open);
    open.values = Map::from_iter([("amount".to_owned(), cents.into()), ("note".to_owned(), "车费".into())]);
    vec![
        open,
        deed(T0 + HOUR, "小甲", What::Act("write.submit".into())),
        deed(T0 + 2 * HOUR, "主管", What::Decide(Verdict::Approve, String::new())),
        deed(T0 + hours * HOUR, "财务一", What::Act("paid".into())),
    ]
}

fn tried(draft: &str, deeds: &[Deed]) -> Replayed {
    let (own, other) = (policy(CLAIM), policy(draft));
    let world = CastWorld::new(cast(), Calendar::mainland());
    let origin = Origin { form: "claim", id: "c1", number: "N1" };
    replay((&own, &other), origin, deeds, T0 + 10 * DAY, &world)
}

fn changes(draft: &str, deeds: &[Deed]) -> Vec<Change> {
    match tried(draft, deeds) {
        Replayed::Alike(changes) => changes,
        Replayed::Unlike(refused) => panic!("{refused:?}"),
    }
}

#[test]
fn the_same_regulation_changes_nothing() {
    for hours in [5, 48, 60] {
        assert_eq!(changes(CLAIM, &claimed(hours, 60_000)), []);
    }
}

#[test]
fn a_shorter_deadline_is_told_with_what_it_would_have_cost() {
    let draft = CLAIM.replace("within = \"2d\"", "within = \"1d\"");
    // Paid after exactly a day: the last instant is in time.
    let moved = |changes: &[Change]| {
        matches!(changes, [Change::Due { before: Some(before), after: Some(after), .. }]
        if *before == T0 + 2 * DAY && *after == T0 + DAY)
    };
    assert!(moved(&changes(&draft, &claimed(24, 60_000))));
    let found = changes(&draft, &claimed(25, 60_000));
    assert!(moved(&found[..1]), "{found:?}");
    assert_eq!(
        found[1..],
        [
            Change::Kept { title: "两天付款".into(), clause: "1".into(), after: false },
            Change::Penalty {
                title: "付款迟延".into(),
                clause: "1".into(),
                whom: "小甲".into(),
                measure: Measure::Money,
                before: 0,
                after: 2_000,
            },
        ]
    );
    // And the other way round.
    let longer = CLAIM.replace("within = \"2d\"", "within = \"3d\"");
    let found = changes(&longer, &claimed(60, 60_000));
    assert!(found.contains(&Change::Kept { title: "两天付款".into(), clause: "1".into(), after: true }));
}

#[test]
fn other_approvers_are_told_and_what_the_old_ones_did_is_refused() {
    let joint = CLAIM.replace(
        "by = \"holders('主管')\"\ntitle",
        "by = \"holders('主管') + holders('经理')\"\nmode = \"all\"\ntitle",
    );
    let found = changes(&joint, &claimed(5, 60_000));
    let asked = Change::Asked {
        step: "审批".into(),
        clause: "1".into(),
        before: vec!["主管".into()],
        after: vec!["主管".into(), "经理".into()],
    };
    assert!(found.contains(&asked), "{found:?}");
    // One agreement is not enough: the payment is not there yet.
    assert!(matches!(found.last(), Some(Change::Refused { deed: 3, refused }) if refused.why == Why::NotNow));
    let moved = CLAIM.replace("by = \"holders('主管')\"\ntitle", "by = \"holders('经理')\"\ntitle");
    let found = changes(&moved, &claimed(5, 60_000));
    assert!(
        matches!(found.last(), Some(Change::Refused { deed: 2, refused }) if refused.why == Why::NotYours)
    );
}

#[test]
fn a_new_refusal_cites_its_clause() {
    let draft = format!(
        "{CLAIM}\n[[refusal]]\nid = \"too-much\"\non = \"claim.open\"\nwhen = \"case.amount > 500\"\nmessage = \"超过限额\"\nclause = \"1\"\n"
    );
    assert_eq!(changes(&draft, &claimed(5, 50_000)), [], "exactly the limit is within it");
    let found = changes(&draft, &claimed(5, 50_001));
    let [Change::Refused { deed: 0, refused }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((&refused.why, refused.clause.as_deref()), (&Why::Clause, Some("1")));
}

#[test]
fn what_a_draft_asks_for_no_more_is_not_put_in() {
    let draft = CLAIM.replace("offer = [\"note\"]\n", "");
    assert_eq!(changes(&draft, &claimed(5, 60_000)), []);
}

#[test]
fn a_case_ends_elsewhere() {
    let draft = CLAIM.replace("outcome = \"已付款\"", "outcome = \"已结清\"");
    let found = changes(&draft, &claimed(5, 60_000));
    assert_eq!(found, [Change::Stands { before: "已付款".into(), after: "已结清".into() }]);
}

#[test]
fn a_case_that_its_own_version_does_not_do_again_tells_nothing() {
    let mut deeds = claimed(5, 60_000);
    // Whoever agreed has another post today.
    deeds[2].actor = Some("小乙".into());
    assert!(matches!(tried(CLAIM, &deeds), Replayed::Unlike(refused) if refused.why == Why::NotYours));
    let draft = CLAIM.replace("within = \"2d\"", "within = \"1d\"");
    assert!(matches!(tried(&draft, &deeds), Replayed::Unlike(_)));
    assert!(matches!(tried(CLAIM, &[]), Replayed::Alike(changes) if changes.is_empty()));
}

#[test]
fn time_that_has_passed_since_the_last_deed_counts() {
    let deeds = claimed(5, 60_000);
    let draft = CLAIM.replace("within = \"2d\"", "within = \"20d\"");
    // Never paid: under its own version it is late by now, under the draft not yet.
    let found = changes(&draft, &deeds[..3]);
    assert!(found.contains(&Change::Kept { title: "两天付款".into(), clause: "1".into(), after: true }));
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    let people = proptest::collection::vec("[0-9A-Z]{1,13}", 0..4);
    prop_oneof![
        Just(Verdict::Approve),
        Just(Verdict::Reject),
        Just(Verdict::Withdraw),
        Just(Verdict::Urge),
        Just(Verdict::Recuse),
        "[a-z-]{1,12}".prop_map(Verdict::Return),
        "[0-9A-Z]{1,13}".prop_map(Verdict::Reassign),
        people.clone().prop_map(Verdict::AddBefore),
        people.prop_map(Verdict::AddAfter),
    ]
}

fn any_fact() -> impl Strategy<Value = crate::value::Value> {
    use crate::value::Value;
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<i64>().prop_map(Value::Time),
        "[^\u{0}]{0,20}".prop_map(|text| Value::text(&text)),
    ]
}

fn any_what() -> impl Strategy<Value = What> {
    prop_oneof![
        Just(What::Open),
        "[a-z.-]{1,20}".prop_map(What::Act),
        (any_verdict(), ".{0,20}").prop_map(|(verdict, comment)| What::Decide(verdict, comment)),
        ("[a-z.]{1,20}", proptest::collection::btree_map("[a-z]{1,8}", any_fact(), 0..4))
            .prop_map(|(event, facts)| What::Hear(event, facts)),
    ]
}

proptest! {
    #[test]
    fn a_deed_is_read_as_it_was_written(
        at in any::<i64>(),
        actor in proptest::option::of("[0-9A-Z]{13}"),
        what in any_what(),
        note in ".{0,20}",
    ) {
        let values = if note.is_empty() { Map::new() } else { Map::from_iter([("note".to_owned(), Json::from(note))]) };
        let deed = Deed { at, actor, what, values };
        let text = deed.to_json().to_string();
        let read = Deed::from_json(at, deed.actor.clone(), &serde_json::from_str(&text).unwrap());
        prop_assert_eq!(read, Some(deed));
    }

    #[test]
    fn what_is_no_deed_is_none(text in ".{0,60}") {
        let json: Json = serde_json::from_str(&text).unwrap_or(Json::String(text));
        prop_assert_eq!(Deed::from_json(0, None, &json), None);
    }
}
