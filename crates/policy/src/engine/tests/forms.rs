//! What is filled in, and what is kept of it.

use super::*;

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

#[test]
fn what_is_wrong_in_a_line_is_told_with_its_row_and_column() {
    let policy = policy(
        r#"
[[form]]
id = "claim"
title = "报销"
by = "holders('经办')"
[[form.field]]
id = "lines"
title = "费用明细"
type = "lines"
[[form.field.column]]
id = "note"
title = "说明"
type = "text"
[[form.field.column]]
id = "amount"
title = "金额"
type = "money"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
"#,
    );
    let json = serde_json::json!({ "lines": [{ "note": "餐", "amount": "10" }, { "note": "车", "amount": "十元" }] });
    let refused = read_values(&policy.forms[0], json.as_object().unwrap(), &|_| None).unwrap_err();
    assert_eq!(refused.text, "“费用明细”：第 2 行的“金额”：请填写金额，例如 128.50");
}
