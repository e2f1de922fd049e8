//! What the checker refuses, where and why; and that no files, however broken, make it panic or take long.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::engine::tests::vocabulary;

/// A small policy that is in order.
const GOOD: &str = r#"[policy]
id = "gifts"
title = "礼品办法"
version = "1"
[[clause]]
id = "1"
text = "礼品由主管审批"
[[setting]]
id = "limit"
title = "上限"
type = "money"
default = 500
min = 0
clause = "1"
[[role]]
id = "clerk"
title = "经办"
posts = ["经办"]
[[form]]
id = "gift"
title = "礼品单"
by = "role:clerk"
fill = ["price"]
[[form.field]]
id = "price"
title = "金额"
type = "money"
[[form.field]]
id = "kind"
title = "种类"
type = "choice"
options = ["茶", "酒"]
[[step]]
id = "ask"
title = "审批"
next = "done"
clause = "1"
[step.approve]
authority = "limits"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
[[authority]]
id = "limits"
title = "核决表"
clause = "1"
[[authority.row]]
when = "case.price <= settings.limit"
by = ["holders('主管')"]
[[authority.row]]
when = "case.price > settings.limit"
by = ["holders('总经理')"]
[[deadline]]
id = "in-time"
title = "三天"
from = "case.opened_at"
within = "3d"
until = "case.closed_at"
clause = "1"
"#;

fn file(name: &str, text: impl Into<String>) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

fn problems_of(files: &[SourceFile]) -> Vec<Problem> {
    check(files, &Settings::new(), &vocabulary()).map_or_else(|problems| problems, |_| Vec::new())
}

fn problems(text: &str) -> Vec<String> {
    problems_of(&[file("policy.toml", text)]).iter().map(ToString::to_string).collect()
}

/// The line on which a part of the text stands.
fn line(text: &str, part: &str) -> usize {
    line_of(text, text.find(part).unwrap_or_else(|| panic!("{part}")))
}

/// Exactly this is wrong, in this place.
fn is_refused(text: &str, at: &str, says: &str) {
    let all = problems(text);
    let expected = format!("policy.toml:{}: ", line(text, at));
    assert_eq!(all.len(), 1, "{says}: {all:#?}");
    assert!(all[0].starts_with(&expected) && all[0].contains(says), "{expected}{says}: {}", all[0]);
}

fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    GOOD.replacen(from, to, 1)
}

#[test]
fn a_policy_in_order_is_accepted_and_keeps_what_was_written() {
    let policy = check(&[file("policy.toml", GOOD)], &Settings::new(), &vocabulary()).expect("in order");
    assert_eq!((policy.id.as_str(), policy.forms.len(), policy.clauses.len()), ("gifts", 1, 1));
    assert_eq!(policy.citing("1").len(), 5);
    let settings = Settings::from([("limit".to_owned(), serde_json::json!("800"))]);
    let policy = check(&[file("policy.toml", GOOD)], &settings, &vocabulary()).expect("in order");
    assert_eq!(policy.settings[0].value, crate::value::Value::Money(80_000));
}

#[test]
fn the_company_names_its_own_posts_for_a_role() {
    let clerk = |value: serde_json::Value| {
        let settings = Settings::from([("role.clerk".to_owned(), value)]);
        check(&[file("policy.toml", GOOD)], &settings, &vocabulary())
    };
    let role = clerk(serde_json::json!(["前台", "客服"])).expect("in order").roles.remove(0);
    assert_eq!(
        (role.posts, role.default),
        (vec!["前台".to_owned(), "客服".to_owned()], vec!["经办".to_owned()])
    );
    let role = clerk(serde_json::Value::Null).expect("in order").roles.remove(0);
    assert_eq!(role.posts, role.default);
    for wrong in
        [serde_json::json!([]), serde_json::json!("前台"), serde_json::json!([""]), serde_json::json!([1])]
    {
        let problems = clerk(wrong).expect_err("refused");
        assert!(problems[0].to_string().contains("1–30 个名称的列表"), "{}", problems[0]);
    }
    // With the company's posts known, those it names must be among them; those of the regulation no longer.
    let known = crate::expr::Vocabulary { posts: vec!["前台".to_owned()], ..vocabulary() };
    let of = |settings: &Settings| check(&[file("policy.toml", GOOD)], settings, &known);
    let problems = of(&Settings::new()).expect_err("refused");
    assert!(problems.iter().any(|p| p.to_string().contains("没有岗位“经办”；可在参数里")), "{problems:?}");
    let own = Settings::from([("role.clerk".to_owned(), serde_json::json!(["前台"]))]);
    let others: Vec<String> = of(&own).err().unwrap_or_default().iter().map(ToString::to_string).collect();
    assert!(others.iter().all(|text| !text.contains("经办")), "{others:?}");
}

#[test]
fn names_that_are_not_known_are_told_with_their_place() {
    is_refused(
        &changed("case.price <=", "case.prise <="),
        "case.prise",
        "第 5 个字：没有叫“prise”的字段；是不是“price”？",
    );
    is_refused(&changed("role:clerk", "role:clark"), "role:clark", "没有叫“clark”的角色");
    is_refused(
        &changed("fill = [\"price\"]", "fill = [\"prise\"]"),
        "fill = [\"prise\"]",
        "表单“gift”里没有字段“prise”",
    );
    is_refused(
        &changed("authority = \"limits\"", "authority = \"limit\""),
        "authority = \"limit\"",
        "没有核决表“limit”",
    );
    is_refused(
        &changed("within = \"3d\"", "within = \"{days}d\""),
        "within = \"{days}d\"",
        "没有叫“days”的参数",
    );
    is_refused(&changed("within = \"3d\"", "within = \"3x\""), "within = \"3x\"", "时限“3x”");
    is_refused(
        &changed("type = \"choice\"", "type = \"chioce\""),
        "type = \"chioce\"",
        "“chioce”不认识，可以写：text、long",
    );
    let to = changed("next = \"done\"", "next = \"end\"");
    assert!(
        problems(&to).iter().any(|p| p.contains("没有步骤“end”；可用的有：ask、done")),
        "{:?}",
        problems(&to)
    );
    let refusal =
        "[[refusal]]\nid = \"no\"\non = \"gift.give\"\nwhen = \"true\"\nmessage = \"不行\"\nclause = \"1\"\n";
    is_refused(
        &format!("{GOOD}{refusal}"),
        "on = \"gift.give\"",
        "表单“gift”没有动作“give”；可用的有：open、ask.approved",
    );
    is_refused(
        &format!("{GOOD}{}", refusal.replace("gift.give", "gone.by")),
        "on = \"gone.by\"",
        "没有事件“gone.by”",
    );
    is_refused(
        &format!("{GOOD}{}", refusal.replace("gift.give", "deadline:late")),
        "on = \"deadline:late\"",
        "没有时限“late”",
    );
    is_refused(
        &format!("{GOOD}{}", refusal.replace("gift.give", "paid")),
        "on = \"paid\"",
        "只能拒绝表单里的动作",
    );
}

#[test]
fn wrong_types_are_told() {
    is_refused(
        &changed("case.price > settings.limit", "case.price > case.kind"),
        "case.price > case.kind",
        "金额不能和选项比较",
    );
    is_refused(
        &changed("from = \"case.opened_at\"", "from = \"case.price\""),
        "[[deadline]]",
        "这里要时间或日期",
    );
    is_refused(&changed("by = \"role:clerk\"", "by = \"case.kind\""), "by = \"case.kind\"", "这里要写人员");
    is_refused(&changed("default = 500", "default = \"many\""), "default = ", "参数“上限”的默认值不是金额");
    is_refused(&changed("default = 500", "default = -1"), "[[setting]]", "参数“上限”是 -1，不能小于 0");
    let company = Settings::from([("limit".to_owned(), serde_json::json!("much"))]);
    let all = check(&[file("policy.toml", GOOD)], &company, &vocabulary()).expect_err("refused");
    assert!(all.iter().any(|p| p.text.contains("参数“上限”的值不对：请填写金额")), "{all:?}");
    is_refused(&changed("title = \"礼品单\"", "title = 3"), "title = 3", "类型不对");
}

#[test]
fn every_step_is_reached_and_every_case_can_end() {
    let lost = format!(
        "{GOOD}[[step]]\nid = \"lost\"\ntitle = \"孤岛\"\nby = \"role:clerk\"\nnext = \"done\"\nclause = \"1\"\n"
    );
    is_refused(&lost, "[[step]]\nid = \"lost\"", "步骤“孤岛”（lost）永远走不到");
    let trap = changed(
        "next = \"done\"",
        "next = [{ to = \"trap\", when = \"case.kind == '茶'\" }, { to = \"done\" }]",
    );
    let trap = format!(
        "{trap}[[step]]\nid = \"trap\"\ntitle = \"死胡同\"\nby = \"role:clerk\"\nnext = \"trap\"\nclause = \"1\"\n"
    );
    is_refused(&trap, "[[step]]\nid = \"trap\"", "步骤“死胡同”（trap）走不到结束，单据会永远停在这里");
    let gap = changed(
        "next = \"done\"",
        "next = [{ to = \"done\", when = \"case.kind == '茶'\" }, { to = \"ask\", when = \"case.kind == '水'\" }]",
    );
    assert!(problems(&gap).iter().any(|p| p.contains("“水”不在选项里：茶、酒")), "{:?}", problems(&gap));
    let gap = changed(
        "next = \"done\"",
        "next = [{ to = \"done\", when = \"case.kind == '茶'\" }, { to = \"ask\", when = \"case.price < 3\" }]",
    );
    is_refused(&gap, "[[step]]\nid = \"ask\"", "步骤“审批”的“同意”：金额为3.00 元、种类为“酒”时没有去向");
    let vague = changed(
        "next = \"done\"",
        "next = [{ to = \"done\", when = \"superior(case.owner) == actor\" }, { to = \"ask\", when = \"case.price < 3\" }]",
    );
    is_refused(&vague, "[[step]]\nid = \"ask\"", "请在最后写一个没有条件的去向");
    let rest =
        changed("next = \"done\"", "next = [{ to = \"done\" }, { to = \"ask\", when = \"case.price < 3\" }]");
    is_refused(&rest, "next = [{ to", "没有条件的去向要写在最后");
}

#[test]
fn gaps_and_overlaps_of_a_table_of_authority_are_told_with_an_example() {
    is_refused(
        &changed("case.price > settings.limit", "case.price > 600"),
        "[[authority]]",
        "核决表“核决表”有空档：金额为500.01 元时没有审批人",
    );
    is_refused(
        &changed("case.price <= settings.limit", "case.price < settings.limit"),
        "[[authority]]",
        "有空档：金额为500.00 元时没有审批人",
    );
    is_refused(
        &changed("case.price > settings.limit", "case.price >= 500"),
        "[[authority]]",
        "有重叠：金额为500.00 元时第 1 行和第 2 行都成立",
    );
    is_refused(
        &changed("case.price > settings.limit", "case.price * 2 > 1000"),
        "[[authority]]",
        "请在最后写一行没有条件的其余情况",
    );
    assert_eq!(problems(&changed("when = \"case.price > settings.limit\"\n", "")), Vec::<String>::new());
    let kinds = changed("case.price > settings.limit", "case.price > 500 && case.kind in ['茶']");
    is_refused(&kinds, "[[authority]]", "种类为“酒”时没有审批人");
    let last = changed("when = \"case.price <= settings.limit\"\n", "");
    is_refused(&last, "[[authority]]", "没有条件的一行要写在最后");
}

#[test]
fn clauses_and_what_carries_them_out_belong_together() {
    let alone = changed("[[setting]]", "[[clause]]\nid = \"2\"\ntext = \"没有落实\"\n[[setting]]");
    is_refused(&alone, "[[clause]]\nid = \"2\"", "条款“2”没有落实");
    is_refused(
        &changed("until = \"case.closed_at\"\nclause = \"1\"", "until = \"case.closed_at\""),
        "[[deadline]]",
        "缺少“clause”",
    );
    is_refused(
        &changed("kind = \"end\"\nclause = \"1\"", "kind = \"end\"\nclause = \"9\""),
        "clause = \"9\"",
        "没有条款“9”",
    );
    is_refused(&changed("text = \"礼品由主管审批\"", "text = \" \""), "[[clause]]", "条款“1”没有内容");
}

#[test]
fn nothing_is_written_twice() {
    let twice = |part: &str, says: &str| {
        let text = format!("{GOOD}{part}");
        let all = problems(&text);
        assert!(all.iter().any(|p| p.contains(says)), "{says}: {all:?}");
    };
    twice("[[clause]]\nid = \"1\"\ntext = \"又\"\n", "条款“1”写了两次");
    twice("[[form]]\nid = \"gift\"\ntitle = \"又\"\nby = \"role:clerk\"\n", "表单“gift”写了两次");
    twice("[[step]]\nid = \"done\"\ntitle = \"又\"\nkind = \"end\"\nclause = \"1\"\n", "步骤“done”写了两次");
    twice("[[role]]\nid = \"clerk\"\ntitle = \"又\"\nposts = [\"x\"]\n", "角色“clerk”写了两次");
    twice(
        "[[setting]]\nid = \"limit\"\ntitle = \"又\"\ntype = \"int\"\ndefault = 1\nclause = \"1\"\n",
        "参数“limit”写了两次",
    );
    twice(
        "[[deadline]]\nid = \"in-time\"\ntitle = \"又\"\nfrom = \"case.opened_at\"\nwithin = \"1d\"\nuntil = \"case.closed_at\"\nclause = \"1\"\n",
        "时限“in-time”写了两次",
    );
    is_refused(
        &format!("{GOOD}[[form.field]]\nid = \"kind\"\ntitle = \"又\"\ntype = \"text\"\n"),
        "[[form.field]]\nid = \"kind\"\ntitle = \"又\"",
        "字段“kind”写了两次",
    );
    let all = problems_of(&[
        file("policy.toml", GOOD),
        file("more.toml", "\n[policy]\nid = \"b\"\ntitle = \"乙\"\nversion = \"2\""),
    ]);
    assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["more.toml:2: [policy] 只能写一次"]);
    assert!(
        problems(&changed("version = \"1\"", "version = \"1\"\nversion = \"2\""))
            .iter()
            .any(|p| p.contains("写了两次"))
    );
}

#[test]
fn what_the_format_does_not_know_is_told_with_what_it_knows() {
    is_refused(
        &changed("version = \"1\"", "version = \"1\"\nverzion = \"2\""),
        "verzion",
        "不认识“verzion”，是不是“version”？",
    );
    is_refused(&changed("[[deadline]]", "[[dedline]]"), "[[dedline]]", "不认识“dedline”，是不是“deadline”？");
    is_refused(&changed("id = \"gifts\"", "id = "), "id = ", "“id”的等号后面没有值");
    is_refused(
        &changed("id = \"gifts\"", "id = \"Gifts 2\""),
        "id = \"Gifts 2\"",
        "代号“Gifts 2”要用小写英文字母开头",
    );
    assert_eq!(
        problems("[[clause]]\nid = \"1\"\ntext = \"一\""),
        ["policy.toml: 缺少 [policy]：制度的代号、名称和版本"]
    );
}

#[test]
fn parts_that_belong_to_no_form_are_not_silently_left_out() {
    let deadline = "[[deadline]]\nid = \"more\"\nform = \"gone\"\ntitle = \"x\"\nfrom = \"case.opened_at\"\nwithin = \"1d\"\nuntil = \"case.closed_at\"\nclause = \"1\"\n";
    is_refused(&format!("{GOOD}{deadline}"), "form = \"gone\"", "没有表单“gone”");
    let two = format!("{GOOD}[[form]]\nid = \"other\"\ntitle = \"另一张\"\nby = \"role:clerk\"\n");
    let all = problems(&two);
    assert!(all.iter().filter(|p| p.contains("请写明 form")).count() >= 3, "{all:?}");
}

#[test]
fn what_could_never_work_is_refused() {
    let timeout = changed(
        "authority = \"limits\"\n",
        "authority = \"limits\"\n[step.approve.timeout]\nwithin = \"0d\"\nthen = \"remind\"\n",
    );
    is_refused(&timeout, "within = \"0d\"", "数量应在1至100000之间");
    let penalty = "[[penalty]]\nid = \"late\"\ntitle = \"迟\"\non = \"deadline:in-time\"\nwhom = \"case.owner\"\namount = \"50\"\nclause = \"1\"\n";
    is_refused(
        &format!("{GOOD}{penalty}repeat = \"1wd\"\n"),
        "[[penalty]]",
        "重复的罚则要写明改正的条件 until",
    );
    is_refused(
        &format!("{GOOD}{penalty}repeat = \"0d\"\nuntil = \"true\"\n"),
        "repeat = \"0d\"",
        "数量应在1至100000之间",
    );
    is_refused(&format!("{GOOD}{penalty}multiply = {{ from = 1, by = 2.0 }}\n"), "multiply", "from ≥ 2");
    for (amount, said) in [
        ("-20", "数额要大于 0，最多两位小数，现在是 -20"),
        ("0", "数额要大于 0"),
        ("20.555", "数额要大于 0，最多两位小数"),
        ("999999999999", "数额要大于 0"),
        ("20元", "数额只写数字，不写单位，例如 20"),
    ] {
        let line = format!("amount = \"{amount}\"");
        is_refused(&format!("{GOOD}{}", penalty.replace("amount = \"50\"", &line)), &line, said);
    }
    let give = "[[step]]\nid = \"give\"\ntitle = \"发放\"\nby = \"role:clerk\"\nclause = \"1\"\n[[step.action]]\nid = \"given\"\ntitle = \"已发\"\nnext = \"done\"\n[[step.action]]\nid = \"back\"\ntitle = \"退回\"\nnext = \"nowhere\"\n";
    let text = format!("{}{give}", changed("next = \"done\"", "next = \"give\""));
    is_refused(&text, "next = \"nowhere\"", "没有步骤“nowhere”");
    is_refused(&changed("default = 500", "default = \"很多\""), "default = \"很多\"", "默认值不是");
    let named = |line: &str| changed("fill = [\"price\"]", &format!("fill = [\"price\"]\n{line}"));
    is_refused(&named("subject = \"{case.prise}\""), "subject = ", "prise");
    is_refused(&named("number = \"LP-{x}{n:4}\""), "number = ", "编号规则里不认识");
    is_refused(
        &changed("[\"茶\", \"酒\"]", "[\"茶\", \"茶\"]"),
        "[[form.field]]\nid = \"kind\"",
        "选项“茶”写了两次",
    );
    let trigger = "[[trigger]]\non = \"paid\"\nopen = \"gift\"\nset = { kind = \"'茶'\" }\nclause = \"1\"\n";
    is_refused(&format!("{GOOD}{trigger}"), "[[trigger]]", "打开的《礼品单》要填“金额”，请写进 set");
    let column = "[[form.field]]\nid = \"all\"\ntitle = \"明细\"\ntype = \"lines\"\n[[form.field.column]]\nid = \"a\"\ntitle = \"甲\"\ntype = \"int\"\nseen_by = \"role:clerk\"\n";
    let text = changed("[[step]]", &format!("{column}[[step]]"));
    is_refused(&text, "[[form.field.column]]", "明细的列不能写 seen_by");
    let named = "[[form.field]]\nid = \"who\"\ntitle = \"谁\"\ntype = \"text\"\nby_name = true\n";
    let text = changed("[[step]]", &format!("{named}[[step]]"));
    is_refused(&text, "[[form.field]]\nid = \"who\"", "by_name 用于客户字段");
    let text = changed("[[step]]", "[[step]]\nopens_customer = true");
    is_refused(&text, "[[step]]\nopens_customer", "opens_customer 用于由人办理的步骤");
    is_refused(
        &changed("id = \"kind\"", "id = \"owner\""),
        "[[form.field]]\nid = \"owner\"",
        "是单据自有的名称",
    );
}

#[test]
fn which_period_a_case_counts_for_is_told_by_a_day_of_its_form() {
    let form =
        "[[form.field]]\nid = \"month\"\ntitle = \"月份\"\ntype = \"date\"\n[[form.field]]\nid = \"kind\"";
    let good = GOOD.replacen("[[form.field]]\nid = \"kind\"", form, 1);
    let duty = "[[duty]]\nid = \"count\"\ntitle = \"盘点\"\nper = \"company\"\nevery = \"month\"\ndue = \"0d\"\nby = \"role:clerk\"\nevidence = \"form:gift\"\nevidence_on = \"month\"\nclause = \"1\"\n";
    let text = format!("{good}{duty}");
    let policy = check(&[file("policy.toml", &text)], &Settings::new(), &vocabulary()).expect("in order");
    assert_eq!(policy.duties[0].evidence_on.as_deref(), Some("month"));
    for (from, to, said) in [
        ("evidence_on = \"month\"", "evidence_on = \"gone\"", "表单“gift”里没有字段“gone”"),
        ("evidence_on = \"month\"", "evidence_on = \"price\"", "evidence_on 要写日期或时间字段"),
    ] {
        let all = problems(&text.replace(from, to));
        assert!(all.len() == 1 && all[0].contains(said), "{all:?}");
    }
}

#[test]
fn a_duty_is_due_at_the_end_of_its_period_and_as_often_as_a_setting_says() {
    let duty = "[[setting]]\nid = \"often\"\ntitle = \"次数\"\ntype = \"int\"\ndefault = 3\nclause = \"1\"\n[[duty]]\nid = \"count\"\ntitle = \"盘点\"\nper = \"company\"\nevery = \"month\"\ndue = \"0d\"\nby = \"role:clerk\"\nevidence = \"form:gift\"\ntimes = \"{often}\"\nclause = \"1\"\n";
    let policy = |text: &str, company: &Settings| check(&[file("policy.toml", text)], company, &vocabulary());
    let text = format!("{GOOD}{duty}");
    let built = policy(&text, &Settings::new()).expect("in order");
    assert_eq!(built.duties[0].times, 3);
    let calendar = workday::Calendar::mainland();
    let september =
        crate::periods::Period::of(crate::model::Every::Month, "2026-09-15".parse().expect("a day"));
    let due = september.due(built.duties[0].due, &calendar).expect("a time");
    assert_eq!(calendar.local(due).expect("a time").to_string(), "2026-09-30T23:59:59.999");
    let company = Settings::from([("often".to_owned(), serde_json::json!(5))]);
    assert_eq!(policy(&text, &company).expect("in order").duties[0].times, 5);
    let number = text.replace("times = \"{often}\"", "times = 2");
    assert_eq!(policy(&number, &company).expect("in order").duties[0].times, 2);
    for wrong in ["times = 0", "times = \"{gone}\"", "times = \"many\"", "times = true"] {
        let all = problems(&text.replace("times = \"{often}\"", wrong));
        assert!(all.iter().all(|p| p.starts_with("policy.toml:")) && !all.is_empty(), "{wrong}: {all:?}");
    }
}

#[test]
fn the_day_from_which_it_holds_is_a_day() {
    let day = |text: &str| changed("version = \"1\"", &format!("version = \"1\"\nin_force = \"{text}\""));
    assert_eq!(problems(&day("2013-07-01")), Vec::<String>::new());
    is_refused(&day("20xx-07-01"), "[policy]", "施行日期 in_force 要写成");
}

#[test]
fn roles_that_name_each_other_are_refused() {
    let ring = "posts = [\"经办\"]\nat = \"size(role('chief')) > 0 ? case.unit : case.unit\"\n[[role]]\nid = \"chief\"\ntitle = \"主管\"\nposts = [\"主管\"]\nat = \"size(role('clerk')) > 0 ? case.unit : case.unit\"";
    let all = problems(&changed("posts = [\"经办\"]", ring));
    assert!(all.iter().any(|p| p.contains("又用到它自己")), "{all:?}");
}

#[test]
fn sizes_are_bounded() {
    let begun = Instant::now();
    let huge = format!("{GOOD}# {}", "x".repeat(LARGEST_FILE));
    assert_eq!(problems(&huge), ["policy.toml: 文件太大，最多 512 KiB，请拆成几个文件"]);
    let files: Vec<SourceFile> = (0..=MOST_FILES).map(|n| file(&format!("f{n}.toml"), "")).collect();
    assert_eq!(
        problems_of(&files).iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["policy.toml: 文件太多，最多 400 个"]
    );
    let clauses: String =
        (0..=MOST_PARTS).map(|n| format!("[[clause]]\nid = \"c{n}\"\ntext = \"x\"\n")).collect();
    assert!(problems(&format!("{GOOD}{clauses}")).iter().any(|p| p.contains("[[clause]] 太多，最多 500 个")));
    let fields: String = (0..=MOST_PARTS)
        .map(|n| format!("[[form.field]]\nid = \"f{n}\"\ntitle = \"x\"\ntype = \"int\"\n"))
        .collect();
    assert!(
        problems(&changed("[[step]]", &format!("{fields}[[step]]"))).iter().any(|p| p.contains("字段太多"))
    );
    // Many mistakes are told, but not without end.
    let wrong: String = (0..400).map(|n| format!("[[clause]]\nid = \"c{n}\"\ntext = \" \"\n")).collect();
    assert_eq!(problems(&format!("{GOOD}{wrong}")).len(), MOST_PROBLEMS);
    // Deep nesting neither overflows the stack nor is accepted.
    for deep in ["[".repeat(50_000), "{a=".repeat(50_000), "a.".repeat(50_000), "[[a.".repeat(9_000)] {
        let text = format!("{GOOD}x = {deep}");
        let run = std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(move || assert!(!problems(&text).is_empty()));
        run.unwrap().join().unwrap();
    }
    // A table that could be asked about without end.
    let rows: String = (0..400)
        .map(|n| format!("[[authority.row]]\nwhen = \"case.price == {n}\"\nby = [\"role:clerk\"]\n"))
        .collect();
    let table = changed("[[deadline]]", &format!("{rows}[[deadline]]"));
    let many: String = (0..100)
        .map(|n| format!("[[authority]]\nid = \"t{n}\"\ntitle = \"x\"\nclause = \"1\"\n{rows}"))
        .collect();
    assert!(!problems(&table).is_empty());
    assert!(!problems(&format!("{GOOD}{many}")[..LARGEST_FILE.min(GOOD.len() + many.len())]).is_empty());
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// The policy of the shops' complaints, as it is shipped.
pub(crate) fn complaints() -> Vec<SourceFile> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/retail-complaints");
    let names =
        ["policy.toml", "clauses.toml", "forms.toml", "process.toml", "reports.toml", "standards.toml"];
    names.map(|name| file(name, std::fs::read_to_string(format!("{folder}/{name}")).expect(name))).into()
}

#[derive(Clone, Debug)]
enum Change {
    Cut(usize, usize),
    Twice(usize, usize),
    Put(usize, char),
    Word(usize, usize),
}

/// What people and machines break: bytes, lines, words of another place.
fn broken(text: &str, changes: &[Change]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    for change in changes {
        let place = |at: usize| at % (characters.len() + 1);
        match *change {
            Change::Cut(at, length) => {
                let at = place(at);
                characters.drain(at..(at + length).min(characters.len()));
            }
            Change::Twice(at, length) => {
                let at = place(at);
                let part = characters[at..(at + length).min(characters.len())].to_vec();
                characters.splice(at..at, part);
            }
            Change::Put(at, c) => characters.insert(place(at), c),
            Change::Word(at, word) => {
                let at = place(at);
                characters.splice(at..at, words[word % words.len()].chars());
            }
        }
    }
    characters.into_iter().collect()
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 1_usize..40).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<usize>(), 1_usize..200).prop_map(|(at, length)| Change::Twice(at, length)),
        (
            any::<usize>(),
            prop_oneof![
                proptest::sample::select(vec![
                    '"', '[', ']', '=', '\n', '{', '}', '\'', '(', '.', '\0', '-', '9'
                ]),
                any::<char>()
            ]
        )
            .prop_map(|(at, c)| Change::Put(at, c)),
        (any::<usize>(), any::<usize>()).prop_map(|(at, word)| Change::Word(at, word)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn broken_files_never_panic_and_are_told_quickly(which in 0_usize..6, changes in proptest::collection::vec(change(), 1..6)) {
        let mut files = complaints();
        files[which].text = broken(&files[which].text, &changes);
        let begun = Instant::now();
        let result = check(&files, &Settings::new(), &vocabulary());
        prop_assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        if let Err(problems) = result {
            prop_assert!(!problems.is_empty() && problems.len() <= MOST_PROBLEMS);
            for problem in problems {
                let file = files.iter().find(|file| file.name == problem.file);
                let lines = file.map_or(0, |file| file.text.split('\n').count());
                prop_assert!(problem.line <= lines && !problem.text.is_empty(), "{}", problem);
            }
        }
    }
}
