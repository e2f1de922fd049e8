//! What may be written and what not, what it answers, and that on known values the answers are CEL's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cel::{Context, Program};
use proptest::prelude::*;

use super::*;
use crate::case::{Case, Done};
use crate::cast::{Cast, CastWorld};
use crate::world::World;

/// 2026-09-28 16:20 in China.
const NOW: i64 = 1_790_583_600_000;
const HOUR: i64 = 3_600_000;

fn fields() -> Vec<(String, Ty)> {
    let columns: Arc<[(String, Ty)]> = Arc::from([
        ("name".to_owned(), Ty::Text),
        ("price".to_owned(), Ty::Money),
        ("n".to_owned(), Ty::Int),
    ]);
    let demand = Ty::Choice(Arc::from(["退货".to_owned(), "换货".to_owned()]));
    [
        ("amount", Ty::Money),
        ("count", Ty::Int),
        ("share", Ty::Number),
        ("note", Ty::Text),
        ("demand", demand.clone()),
        ("demands", Ty::list(demand)),
        ("on", Ty::Date),
        ("at", Ty::Time),
        ("is_big", Ty::Bool),
        ("store", Ty::Ref(Kind::Unit)),
        ("customer", Ty::Ref(Kind::Customer)),
        ("helper", Ty::Ref(Kind::Person)),
        ("lines", Ty::list(Ty::Row(columns))),
    ]
    .map(|(name, ty)| (name.to_owned(), ty))
    .into()
}

struct Stage {
    fields: Vec<(String, Ty)>,
    settings: BTreeMap<String, (Ty, Value)>,
    roles: BTreeMap<String, RoleNames>,
    outcomes: Vec<(String, Vec<String>)>,
    forms: Vec<FormNames>,
    steps: Vec<(String, Vec<String>)>,
    vocabulary: Vocabulary,
    world: CastWorld,
    case: Case,
}

fn stage() -> Stage {
    let fields = fields();
    let forms = vec![FormNames::new("complaint", "投诉", &fields)];
    let role = |posts: &[&str], at: Option<&str>| RoleNames {
        posts: posts.iter().map(|post| (*post).to_owned()).collect(),
        at: at.map(str::to_owned),
    };
    let mut vocabulary = Vocabulary::default();
    let (person, unit) = (Ty::Ref(Kind::Person), Ty::Ref(Kind::Unit));
    let facts =
        |all: &[(&str, Ty)]| all.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect::<Facts>();
    let of_person = [("name", Ty::Text), ("unit", unit.clone()), ("superior", person.clone())];
    vocabulary.facts.insert(Kind::Person, facts(&of_person));
    vocabulary
        .facts
        .insert(Kind::Unit, facts(&[("name", Ty::Text), ("parent", unit), ("head", person.clone())]));
    vocabulary.facts.insert(Kind::Customer, facts(&[("class", Ty::Text), ("owner", person)]));
    vocabulary.posts = ["店长", "店员", "总经理"].map(str::to_owned).into();
    let cast: Cast = toml::from_str(
        "unit = [{ name = '公司', head = '白总' }, { name = '一店', in = '公司', head = '任店长' },
                 { name = '二店', in = '公司' }]
         person = [{ name = '白总', posts = ['总经理'], unit = '公司' },
                   { name = '任店长', posts = ['店长'], unit = '一店' },
                   { name = '店员甲', posts = ['店员'], unit = '一店' }, { name = '店员乙', posts = ['店员'], unit = '二店' }]
         roster = [{ name = '夜班', people = ['店员乙'], days = { '2026-09-30' = ['店员甲', '店员乙'] } }]
         record = [{ kind = 'customer', name = '张三公司', facts = { class = 'A', owner = '店员甲' } }]",
    )
    .unwrap();
    let line = |name: &str, price: i64, n: i64| {
        let row = [("name", Value::text(name)), ("price", Value::Money(price)), ("n", Value::Int(n))];
        Value::Row(Arc::new(row.map(|(name, value)| (name.to_owned(), value)).into()))
    };
    let case = Case {
        form: "complaint".into(),
        id: "c1".into(),
        number: "TS-1".into(),
        values: vec![
            Value::Money(50_050),
            Value::Int(3),
            Value::Number(0.5),
            Value::text("冰箱不制冷"),
            Value::text("退货"),
            Value::texts(["退货"]),
            Value::Date("2026-09-30".parse().unwrap()),
            Value::Time(NOW - 90 * 60_000),
            Value::Bool(true),
            Value::text("一店"),
            Value::text("张三公司"),
            Value::text("店员甲"),
            Value::list([line("冰箱", 199_900, 1), line("滤芯", 4_950, 2)]),
        ],
        opened_at: NOW - 2 * HOUR,
        creator: Some("店员甲".into()),
        owner: Some("店员甲".into()),
        unit: Some("一店".into()),
        customer: Some("张三公司".into()),
        step: "verify".into(),
        marks: vec!["overdue".into()],
        entered: BTreeMap::from([("verify".to_owned(), NOW - HOUR)]),
        done: BTreeMap::from([("accept".to_owned(), Done { at: NOW - HOUR, times: 2, by: None })]),
        ..Case::default()
    };
    Stage {
        fields,
        settings: BTreeMap::from([
            ("limit".to_owned(), (Ty::Money, Value::Money(50_000))),
            ("open_point".to_owned(), (Ty::Int, Value::Null)),
        ]),
        roles: BTreeMap::from([
            ("clerk".to_owned(), role(&["店员"], Some("case.store"))),
            ("boss".to_owned(), role(&["总经理"], None)),
            ("ring".to_owned(), role(&["店员"], Some("size(role('ring')) > 0 ? case.store : case.store"))),
            ("egg".to_owned(), role(&["店员"], Some("size(role('hen')) > 0 ? case.store : case.store"))),
            ("hen".to_owned(), role(&["店员"], Some("size(role('egg')) > 0 ? case.store : case.store"))),
        ]),
        outcomes: vec![("complaint".into(), vec!["已结案".into()])],
        forms,
        steps: vec![("verify".into(), vec!["accept".into()])],
        vocabulary,
        world: CastWorld::new(cast, workday::Calendar::mainland()),
        case,
    }
}

impl Stage {
    fn names(&self) -> Names<'_> {
        Names {
            fields: Some(&self.fields),
            event: None,
            settings: &self.settings,
            roles: &self.roles,
            outcomes: &self.outcomes,
            forms: &self.forms,
            one: None,
            steps: &self.steps,
            vocabulary: &self.vocabulary,
        }
    }

    fn compile(&self, source: &str) -> Result<Expr, Problem> {
        compile(source, &self.names(), &Wanted::Anything)
    }

    fn value(&self, source: &str) -> Value {
        let expr = self.compile(source).unwrap_or_else(|problem| panic!("{source}: {problem:?}"));
        expr.value(&Env::new(NOW, &self.world).case(&self.case).actor(Some("店员甲")))
    }

    fn holds(&self, source: &str) -> bool {
        let expr = compile(source, &self.names(), &Wanted::Condition);
        let expr = expr.unwrap_or_else(|problem| panic!("{source}: {problem:?}"));
        expr.holds(&Env::new(NOW, &self.world).case(&self.case).actor(Some("店员甲")))
    }

    fn without_values(mut self) -> Self {
        self.case.values.fill(Value::Null);
        self
    }
}

#[test]
fn a_wrong_expression_is_refused_with_the_place_and_a_reason_in_chinese() {
    let stage = stage();
    for (source, column, says) in [
        ("case.amout > 500", 5, "没有叫“amout”的字段；是不是“amount”"),
        ("case.is_big && case.zzzzzz", 20, "可用的有：amount"),
        ("settings.limits", 9, "是不是“limit”"),
        ("amount > 500", 1, "字段要写成 case.amount"),
        ("zzz", 1, "没有叫“zzz”的名称"),
        ("case", 1, "后面要写点号"),
        ("event.x", 6, "这里没有事件"),
        ("case.amount > '多'", 13, "金额不能和文字比较"),
        ("case.is_big + 1", 13, "是否和整数不能这样计算"),
        ("case.demand < '退货'", 13, "选项不能比较大小"),
        ("case.demand == '退款'", 13, "“退款”不在选项里：退货、换货"),
        ("case.demand in ['退货', '退款']", 13, "“退款”不在选项里"),
        ("case.on > '明天'", 9, "日期要写成 '2026-09-28'"),
        ("case.count ? 1 : 2", 5, "这里要写一个判断，现在是整数"),
        ("case.note.contains(1)", 19, "只能用于文字"),
        ("case.demands.contains('退货')", 22, "列表请写 '…' in 列表"),
        ("case.amount in case.lines.map(l, l.n)", 13, "金额不会在多个整数里"),
        ("case.lines.exists(l, l.prise > 1)", 23, "没有叫“prise”的列；是不是“price”"),
        ("case.lines.exists(l, l.n)", 18, "逐项判断里要写一个判断"),
        ("case.count.exists(l, true)", 18, "只能用于列表"),
        ("[1, 'a']", 1, "列表里混有整数和文字"),
        ("case.store.boss", 11, "没有叫“boss”的部门的内容"),
        ("case.count.x", 11, "整数后面不能写“.x”"),
        ("sized(case.note)", 6, "没有叫“sized”的函数；是不是“size”"),
        ("min(case.note, 1)", 4, "min 的写法是 min(a, b)，现在给的是（文字、整数）"),
        ("role('clark')", 5, "没有叫“clark”的角色；是不是“clerk”"),
        ("role(case.note)", 5, "role 里要写角色代号"),
        ("holders('店小二')", 8, "没有叫“店小二”的岗位"),
        ("entered('verfy')", 8, "没有叫“verfy”的步骤；是不是“verify”"),
        ("times('acept')", 6, "是不是“accept”"),
        ("earlier('amount')", 8, "“amount”不行"),
        ("has_case('complaint', '结案', case.customer)", 9, "没有叫“结案”的结果；是不是“已结案”"),
        ("case.amount > 500 ， true", 19, "“，”是中文标点，请改用英文的 ,"),
        ("case.demand == “退货”", 16, "是中文标点"),
        ("（case.is_big）", 1, "请改用英文的 ("),
        ("case.demand == 退货", 16, "文字内容要加英文引号"),
        ("case.demand = '退货'", 13, "判断相等要写两个等号"),
        ("case.is_big & true", 13, "读不懂"),
        ("(case.is_big", 1, "括号“(”没有闭合"),
        ("case.is_big)", 12, "多了一个“)”"),
        ("case.note == 'a", 15, "引号没有闭合"),
        ("case.note == \"a\n\"", 16, "引号没有闭合"),
        ("{'a': 1}", 1, "不支持“{”"),
        ("case.lines[0].n", 11, "没有叫"),
        ("case.lines.exists(a, case.lines.exists(b, case.lines.exists(c, true)))", 60, "最多套两层"),
        ("1u == 1u", 1, "不支持这种写法"),
        ("  ", 1, "请填写表达式"),
        ("1 +", 4, "读不懂"),
        ("case.is_big case.is_big", 13, "读不懂"),
        ("99999999999999999999", 1, "读不懂"),
    ] {
        let problem = stage.compile(source).expect_err(source);
        assert!(problem.text.contains(says), "{source}: {}", problem.text);
        assert_eq!(problem.column, column, "{source}: {}", problem.text);
    }
}

#[test]
fn what_is_wanted_is_told_where_something_else_is_written() {
    let stage = stage();
    let says =
        |source: &str, wanted: Wanted| compile(source, &stage.names(), &wanted).expect_err(source).text;
    assert!(says("case.amount", Wanted::Condition).contains("这里要写一个判断，现在是金额"));
    assert!(says("case.note", Wanted::People).contains("现在是文字"));
    assert!(says("case.note", Wanted::Value(Ty::Money)).contains("这里要金额，现在是文字"));
    // A share put into a whole number would lose its fraction silently.
    assert!(says("case.share", Wanted::Value(Ty::Int)).contains("这里要整数，现在是数字"));
    assert!(compile("round(case.share)", &stage.names(), &Wanted::Value(Ty::Int)).is_ok());
    assert!(
        people("role:clerk, role:nobody", &stage.names())
            .expect_err("no role")
            .text
            .contains("没有叫“nobody”的角色")
    );
    let nowhere = Names { fields: None, ..stage.names() };
    assert!(
        compile("case.note", &nowhere, &Wanted::Anything).expect_err("no case").text.contains("这里没有单据")
    );
}

#[test]
fn endless_nesting_and_endless_text_are_refused_at_once_on_a_small_stack() {
    let begun = Instant::now();
    let huge = "case.is_big || ".repeat(700_000);
    assert!(huge.len() > 10_000_000);
    let mut sources = vec![
        huge,
        format!("{}case.is_big{}", "(".repeat(33), ")".repeat(33)),
        format!("case.lines{}", ".map(l, l)".repeat(150)),
        format!("{}true", "case.lines.all(x, ".repeat(60)),
        vec!["case.is_big"; 140].join(" && "),
        format!("{}1{}", "min(1, ".repeat(40), ")".repeat(40)),
        format!("{}true", "true ? true : ".repeat(120)),
        format!("case.note == \"{}\"", "客".repeat(3_000)),
    ];
    for part in [
        "(", "[", "!", "-", "!(", "a.", ".a", "[0]", "a[", "has(", "1==", "a&&", "a?b:", "\"", "'", "\\",
        "客", "\u{0}", "//",
    ] {
        sources.push(part.repeat(LONGEST / part.chars().count()));
        sources.push(format!("{}1", part.repeat((LONGEST - 1) / part.chars().count())));
    }
    for source in sources {
        let run = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
            let length = source.chars().count();
            let column = stage().compile(&source).expect_err("refused").column;
            assert!((1..=length + 1).contains(&column), "{column} of {length}");
        });
        run.unwrap().join().unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    // The deepest that is allowed is answered on a small stack too.
    let deepest = format!("{}case.is_big{}", "!(".repeat(29), ")".repeat(29));
    let run =
        std::thread::Builder::new().stack_size(1 << 19).spawn(move || assert!(!stage().holds(&deepest)));
    run.unwrap().join().unwrap();
}

#[test]
fn roles_whose_units_go_in_circles_are_refused_and_do_not_overflow_the_stack() {
    let mut stage = stage();
    for role in ["ring", "hen"] {
        let text = people(&format!("role:{role}"), &stage.names()).expect_err(role).text;
        assert!(text.contains("又用到它自己"), "{text}");
    }
    // Each names the one before twice: without a common limit that would be 2^30.
    for number in 0..30 {
        let at = format!("size(role('r{0}')) > size(role('r{0}')) ? case.store : case.store", number - 1);
        let at = if number == 0 { "case.store".to_owned() } else { at };
        stage.roles.insert(format!("r{number}"), RoleNames { posts: ["店员".into()].into(), at: Some(at) });
    }
    let begun = Instant::now();
    assert!(people("role:r1", &stage.names()).is_ok());
    let text = people("role:r29", &stage.names()).expect_err("too much").text;
    assert!(text.contains("嵌套太深") || text.contains("太复杂"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_answer_never_takes_long_and_what_takes_too_long_does_not_hold() {
    let mut stage = stage();
    let Value::List(lines) = stage.case.values[12].clone() else { panic!("lines") };
    stage.case.values[12] = Value::list(lines.iter().cycle().take(500).cloned());
    stage.case.values[3] = Value::text("长".repeat(20_000));
    let begun = Instant::now();
    assert!(!stage.holds("case.lines.all(a, case.lines.all(b, a.n + b.n > 0))"), "too many steps");
    // Nor does its opposite: it is not known.
    assert!(!stage.holds("!case.lines.all(a, case.lines.all(b, a.n + b.n > 0))"));
    assert!(
        !stage.holds("!case.lines.exists(a, case.lines.exists(b, case.note.contains('短' + case.note)))")
    );
    assert_eq!(stage.value("case.lines.map(a, case.lines.map(b, case.note + 'x'))"), Value::Null);
    assert_eq!(stage.value("case.lines.map(a, case.lines.map(b, case.lines + case.lines))"), Value::Null);
    assert!(stage.holds("case.lines.all(a, a.n > 0 && a.price > 1)"), "a table of 500 lines is no problem");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_number_beside_money_is_yuan() {
    let stage = stage();
    for yes in [
        "case.amount > 500",
        "case.amount > 500.49 && case.amount < 500.51",
        "case.amount == 500.5",
        "500 < case.amount",
        "case.amount in [500.5, 3]",
        "500.5 in [case.amount]",
        "case.amount in [case.amount, 500]",
        "case.amount > settings.limit",
        "case.amount + 1 == 501.5",
        "case.amount * 2 == 1001",
        "case.amount / 2 == 250.25",
        "case.amount / settings.limit > 1.0",
        "max(case.amount, 501) == 501",
        "sum(case.lines.map(l, l.price * l.n)) == 2098",
        "(case.is_big ? case.amount : 0) == 500.5",
        "-case.amount < 0",
        "abs(-case.amount) == case.amount",
    ] {
        assert!(stage.holds(yes), "{yes}");
    }
    // Half a cent goes away from zero, as written and not as binary fractions have it.
    let money = |source: &str| {
        let expr = compile(source, &stage.names(), &Wanted::Value(Ty::Money)).unwrap();
        expr.value(&Env::new(NOW, &stage.world).case(&stage.case))
    };
    assert_eq!(money("1.005"), Value::Money(101));
    assert_eq!(money("0.145"), Value::Money(15));
    assert_eq!(money("-1.005"), Value::Money(-101));
    assert_eq!(money("1.0049"), Value::Money(100));
    assert_eq!(money("case.lines.exists(l, l.price * 0.1 == 4.95) ? 1 : 0"), Value::Money(100));
    assert_eq!(money("12.5 * case.count"), Value::Money(3_750));
    assert_eq!(money("99999999999999999.0"), Value::Null);
}

#[test]
fn days_times_and_working_days_are_those_of_the_calendar() {
    let stage = stage();
    for yes in [
        "case.on == '2026-09-30' && case.on > '2026-09-29' && case.on <= '2026-09-30'",
        "case.on in ['2026-09-30'] && '2026-09-30' in [case.on]",
        "date(now) == '2026-09-28' && year(now) == 2026 && month(case.on) == 9 && day(case.on) == 30",
        "minutes_between(case.at, now) == 90 && hours_between(case.at, now) == 2",
        "days_between(now, case.on) == 2 && days_between(case.on, now) == -2",
        // 1 to 7 October are holidays, and Saturday 10 October is worked.
        "workdays_between(case.on, now) == -2 && workdays_between(now, case.on) == 2",
        "case.at < now && case.opened_at < entered('verify') && done('accept') == entered('verify')",
        "times('accept') == 2 && case.step == 'verify' && case.is_open && 'overdue' in case.marks",
    ] {
        assert!(stage.holds(yes), "{yes}");
    }
}

#[test]
fn people_are_found_by_role_post_unit_and_relation() {
    let stage = stage();
    let who = |source: &str| {
        let expr = people(source, &stage.names()).unwrap_or_else(|problem| panic!("{source}: {problem:?}"));
        expr.value(&Env::new(NOW, &stage.world).case(&stage.case).actor(Some("店员乙"))).as_texts()
    };
    assert_eq!(who("role:clerk"), ["店员甲"], "those of the case's unit");
    assert_eq!(who("role('clerk', case.store.parent)"), Vec::<String>::new());
    assert_eq!(who("role:clerk, role:boss"), ["店员甲", "白总"]);
    assert_eq!(who("role:clerk，role:boss"), ["店员甲", "白总"]);
    assert_eq!(who("holders('店员')"), ["店员甲", "店员乙"]);
    assert_eq!(who("head(case.store)"), ["任店长"]);
    assert_eq!(who("superior(case.helper)"), ["任店长"]);
    assert_eq!(who("superior(superior(case.helper))"), ["白总"]);
    assert_eq!(
        who("[case.owner, case.customer.owner, actor] + role('boss')"),
        ["店员甲", "店员甲", "店员乙", "白总"]
    );
    assert_eq!(who("on_duty('夜班')"), ["店员乙"]);
    assert_eq!(who("on_duty('夜班', case.on)"), ["店员甲", "店员乙"]);
    assert_eq!(who("on_duty('夜班', date(case.opened_at))"), ["店员乙"]);
    assert_eq!(who("on_duty('白班', case.on)"), Vec::<String>::new());
    assert_eq!(who("case.is_big ? [case.helper] : []"), ["店员甲"]);
    assert!(stage.holds("under(case.store, case.store.parent) && !under(case.store.parent, case.store)"));
    assert!(stage.holds("case.customer.class == 'A' && unit_of(case.helper) == case.store"));
}

#[test]
fn what_is_not_known_is_null_and_no_order_holds_for_it() {
    let stage = stage().without_values();
    for yes in [
        "case.amount == null && case.note == '' && !has(case.note) && !has(case.lines)",
        "!(case.amount > 1) && !(case.amount <= 1) && !(case.amount == 0)",
        "case.amount + 1 == null && case.count * 2 == null && -case.count == null",
        "!case.is_big && case.is_big != true && case.is_big != false",
        "!(case.demand in ['退货']) && !('退货' in case.demands)",
        "size(case.note) == 0 && size(case.lines) == 0 && sum(case.lines.map(l, l.n)) == 0",
        "case.lines.all(l, false) && !case.lines.exists(l, true)",
        "!case.note.contains('x') && !(case.at < now) && days_between(case.on, now) == null",
        "case.store.head == null && superior(case.helper) == null && !under(case.store, case.store)",
        "min(case.count, 1) == null && settings.open_point == null && !(settings.open_point > 1)",
        "!has_case('complaint', '已结案', case.customer) && earlier('demand') == 0",
        "(has(case.amount) ? case.amount : 0) == 0",
    ] {
        assert!(stage.holds(yes), "{yes}");
    }
    let names = stage.names();
    let nobody = compile("case.helper", &names, &Wanted::People).unwrap();
    assert!(nobody.value(&Env::new(NOW, &stage.world).case(&stage.case)).as_texts().is_empty());
}

#[test]
fn arithmetic_that_has_no_answer_is_not_known() {
    let stage = stage();
    for unknown in [
        "1 / 0",
        "1 % 0",
        "9223372036854775807 + 1",
        "case.share / 0.0",
        "case.amount / 0",
        "0.0 / 0.0",
        "case.amount * 1e300",
    ] {
        assert_eq!(stage.value(unknown), Value::Null, "{unknown}");
    }
    assert_eq!(stage.value("7 / 2"), Value::Int(3));
    assert_eq!(stage.value("-7 % 3"), Value::Int(-1));
    assert_eq!(stage.value("7 / 2.0"), Value::Number(3.5));
    assert_eq!(stage.value("round(2.5) + round(-2.5)"), Value::Int(0));
    assert_eq!(stage.value("'a' + 'b'"), Value::text("ab"));
}

#[test]
fn every_line_of_a_table_can_be_asked() {
    let stage = stage();
    for yes in [
        "case.lines.exists(l, l.name == '滤芯' && l.n == 2)",
        "case.lines.all(l, l.price > 49)",
        "case.lines.exists_one(l, l.n > 1)",
        "size(case.lines.filter(l, l.n > 1)) == 1",
        "sum(case.lines.map(l, l.n)) == 3",
        "case.lines.exists(a, case.lines.exists(b, a.n < b.n && a.price > b.price))",
        "case.demands.exists(case, case == '退货')",
    ] {
        assert!(stage.holds(yes), "{yes}");
    }
    let source = "case.lines.map(l, l.price)";
    assert_eq!(stage.compile(source).unwrap().ty(), &Ty::list(Ty::Money));
}

#[test]
fn other_cases_are_asked_about() {
    let mut stage = stage();
    let form = crate::engine::tests::form_of(&[("demand", Ty::Text), ("store", Ty::Ref(Kind::Unit))]);
    for (id, store, opened_at) in
        [("c0", "一店", 1), ("c1", "一店", 2), ("c2", "二店", 3), ("c3", "一店", NOW + 1)]
    {
        let values = vec![Value::text("退货"), Value::text(store)];
        let outcome = Some("已结案".to_owned());
        let customer = (id == "c2").then(|| "张三公司".to_owned());
        let case = Case {
            form: "complaint".into(),
            id: id.into(),
            opened_at,
            values,
            outcome,
            customer,
            ..Case::default()
        };
        stage.world.remember(&form, &case);
    }
    assert_eq!(
        stage.value("earlier('demand', 'store')"),
        Value::Int(1),
        "neither itself nor one opened later"
    );
    assert_eq!(stage.value("earlier('demand')"), Value::Int(2));
    assert!(stage.holds("has_case('complaint', '已结案', case.customer)"));
}

#[test]
fn expressions_tell_what_they_read() {
    let stage = stage();
    let fields = |source: &str| stage.compile(source).unwrap().fields().to_vec();
    assert_eq!(fields("case.count > 1 && case.amount > 1 || case.count < 9"), [0, 1]);
    assert_eq!(fields("size(role('clerk')) > 0"), [9], "the role's unit is read too");
    let outside = |source: &str| stage.compile(source).unwrap().looks_outside();
    assert!(!outside("case.closed_at") && !outside("has(case.at) ? case.at : done('accept')"));
    assert!(outside("now") && outside("case.customer.class == 'A'") && outside("earlier('demand') > 0"));
    assert_eq!(stage.compile(" case.count ").unwrap().source(), " case.count ");
}

/// A random expression over the variables below, in its type: CEL's own text.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Int,
    Text,
    Bool,
    Ints,
    Texts,
}

fn random(of: Of, depth: u32) -> BoxedStrategy<String> {
    let leaf: BoxedStrategy<String> = match of {
        Of::Int => prop_oneof![
            (-9_i64..10).prop_map(|n| format!("({n})")),
            Just("case.i".into()),
            Just("case.j".into())
        ]
        .boxed(),
        Of::Text => prop_oneof![
            proptest::sample::select(vec!["''", "'a'", "'ab'", "\"b\"", "'客户'", "'户'"])
                .prop_map(str::to_owned),
            Just("case.s".into()),
            Just("case.t".into())
        ]
        .boxed(),
        Of::Bool => prop_oneof![Just("true".into()), Just("false".into()), Just("case.b".into())].boxed(),
        Of::Ints => {
            prop_oneof![Just("[1, 2, 3]".into()), Just("[-1]".into()), Just("case.is".into())].boxed()
        }
        Of::Texts => prop_oneof![Just("['a', '客户']".into()), Just("case.ts".into())].boxed(),
    };
    if depth == 0 {
        return leaf;
    }
    let r = move |of| random(of, depth - 1);
    let order = || proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let equal = || proptest::sample::select(vec!["==", "!="]);
    match of {
        Of::Int => prop_oneof![
            2 => leaf,
            2 => (r(Of::Int), proptest::sample::select(vec!["+", "-"]), r(Of::Int)).prop_map(|(a, o, b)| format!("({a} {o} {b})")),
            1 => (r(Of::Int), -3_i64..4).prop_map(|(a, b)| format!("({a} * ({b}))")),
            1 => (r(Of::Int), proptest::sample::select(vec!["/ 2", "/ (-3)", "% 3", "% (-2)"])).prop_map(|(a, b)| format!("({a} {b})")),
            1 => r(Of::Int).prop_map(|a| format!("-({a})")),
            1 => r(Of::Ints).prop_map(|a| format!("size({a})")),
            1 => (r(Of::Bool), r(Of::Int), r(Of::Int)).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
        ]
        .boxed(),
        Of::Text => prop_oneof![
            2 => leaf,
            1 => (r(Of::Text), r(Of::Text)).prop_map(|(a, b)| format!("({a} + {b})")),
            1 => (r(Of::Bool), r(Of::Text), r(Of::Text)).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
        ]
        .boxed(),
        Of::Bool => prop_oneof![
            1 => leaf,
            2 => (r(Of::Int), order(), r(Of::Int)).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            2 => (r(Of::Text), order(), r(Of::Text)).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            1 => (r(Of::Bool), equal(), r(Of::Bool)).prop_map(|(a, o, b)| format!("({a}) {o} ({b})")),
            1 => (r(Of::Ints), equal(), r(Of::Ints)).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            2 => (r(Of::Bool), r(Of::Bool)).prop_map(|(a, b)| format!("({a}) && ({b})")),
            2 => (r(Of::Bool), r(Of::Bool)).prop_map(|(a, b)| format!("({a}) || ({b})")),
            1 => r(Of::Bool).prop_map(|a| format!("!({a})")),
            1 => (r(Of::Int), r(Of::Ints)).prop_map(|(a, b)| format!("({a} in {b})")),
            1 => (r(Of::Text), r(Of::Texts)).prop_map(|(a, b)| format!("({a} in {b})")),
            1 => (r(Of::Text), proptest::sample::select(vec!["startsWith", "endsWith", "contains"]), r(Of::Text))
                .prop_map(|(a, m, b)| format!("{a}.{m}({b})")),
            1 => (r(Of::Ints), proptest::sample::select(vec!["all", "exists", "exists_one"]), order(), r(Of::Int))
                .prop_map(|(l, e, o, b)| format!("{l}.{e}(x, x {o} {b})")),
            1 => (r(Of::Texts), proptest::sample::select(vec!["all", "exists"]), r(Of::Text))
                .prop_map(|(l, e, b)| format!("{l}.{e}(y, {b}.contains(y))")),
        ]
        .boxed(),
        Of::Ints => prop_oneof![
            2 => leaf,
            1 => (r(Of::Int), r(Of::Int)).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (r(Of::Ints), r(Of::Ints)).prop_map(|(a, b)| format!("({a} + {b})")),
            1 => (r(Of::Ints), -2_i64..3).prop_map(|(l, n)| format!("{l}.map(x, x + ({n}))")),
            1 => (r(Of::Ints), order(), -2_i64..3).prop_map(|(l, o, n)| format!("{l}.filter(x, x {o} ({n}))")),
        ]
        .boxed(),
        Of::Texts => prop_oneof![2 => leaf, 1 => (r(Of::Text), r(Of::Text)).prop_map(|(a, b)| format!("[{a}, {b}]"))].boxed(),
    }
}

fn of_cel(value: &cel::Value) -> Value {
    match value {
        cel::Value::Bool(value) => Value::Bool(*value),
        cel::Value::Int(value) => Value::Int(*value),
        cel::Value::String(value) => Value::text(value.as_str()),
        cel::Value::List(items) => Value::list(items.iter().map(of_cel)),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn on_known_values_the_answers_are_those_of_cel(
        source in prop_oneof![4 => random(Of::Bool, 3), 1 => random(Of::Int, 3), 1 => random(Of::Ints, 3), 1 => random(Of::Text, 3)],
        (i, j) in (-5_i64..6, -5_i64..6),
        (s, t) in ("[ab]{1,2}", "客户|户|b"),
        b: bool,
        is in proptest::collection::vec(-3_i64..4, 1..4),
        ts in proptest::collection::vec("[ab]{1,2}|客户", 1..4),
    ) {
        let fields: Vec<(String, Ty)> = [("i", Ty::Int), ("j", Ty::Int), ("s", Ty::Text), ("t", Ty::Text), ("b", Ty::Bool),
            ("is", Ty::list(Ty::Int)), ("ts", Ty::list(Ty::Text))].map(|(n, ty)| (n.to_owned(), ty)).into();
        let world = crate::world::Nowhere;
        let stage = Names { fields: Some(&fields), event: None, settings: &BTreeMap::new(), roles: &BTreeMap::new(),
            outcomes: &[], forms: &[], one: None, steps: &[], vocabulary: &Vocabulary::default() };
        // The grammar is theirs, but longer or deeper ones than ours takes are refused.
        let Ok(expr) = compile(&source, &stage, &Wanted::Anything).inspect_err(|problem| {
            assert!(problem.text.contains("最多"), "{source}: {problem:?}");
        }) else { return Ok(()) };
        let values = vec![Value::Int(i), Value::Int(j), Value::text(&s), Value::text(&t), Value::Bool(b),
            Value::list(is.iter().copied().map(Value::Int)), Value::texts(&ts)];
        let case = Case { values, ..Case::default() };
        let ours = expr.value(&Env::new(0, &world as &dyn World).case(&case));

        let program = Program::compile(&source).map_err(|e| TestCaseError::fail(format!("{source}: {e:?}")))?;
        let mut context = Context::default();
        let mut known: std::collections::HashMap<String, cel::Value> = std::collections::HashMap::new();
        known.insert("i".into(), i.into());
        known.insert("j".into(), j.into());
        known.insert("s".into(), s.as_str().into());
        known.insert("t".into(), t.as_str().into());
        known.insert("b".into(), b.into());
        known.insert("is".into(), is.clone().into());
        known.insert("ts".into(), ts.clone().into());
        context.add_variable_from_value("case", known);
        let theirs = program.execute(&context).map_err(|e| TestCaseError::fail(format!("{source}: {e:?}")))?;
        prop_assert_eq!(ours, of_cel(&theirs), "{}", source);
    }

    #[test]
    fn no_text_panics(source in "(case\\.|lines|amount|note|in|has|size|role|&&|\\|\\||==|<|\\(|\\)|\\[|\\]|\"|'|,|\\.|!|-|1|\\\\|客|“| |\\?|:|x|exists\\(x,|\\PC){0,30}") {
        let stage = stage();
        match stage.compile(&source) {
            Ok(expr) => drop(expr.value(&Env::new(NOW, &stage.world).case(&stage.case))),
            Err(problem) => prop_assert!((1..=source.chars().count() + 1).contains(&problem.column)),
        }
    }
}

#[test]
fn other_cases_are_asked_for_sampled_and_put_into_lines() {
    let mut stage = stage();
    let fields: Vec<(&str, Ty)> = stage.fields.iter().map(|(name, ty)| (name.as_str(), ty.clone())).collect();
    let form = crate::engine::tests::form_of(&fields);
    let place = |name: &str| form.field(name).expect("a field");
    for number in 0..20_i64 {
        let mut case = Case {
            form: "complaint".into(),
            id: format!("k{number:02}"),
            number: format!("TS-{number}"),
            opened_at: number,
            step: "verify".into(),
            values: vec![Value::Null; form.fields.len()],
            ..Case::default()
        };
        case.values[place("store")] = Value::text(if number % 2 == 0 { "一店" } else { "二店" });
        case.values[place("at")] = Value::Time(NOW + number * 86_400_000);
        case.values[place("amount")] = Value::Money(100 * number);
        if number >= 10 {
            (case.outcome, case.closed_at) = (Some("已结案".into()), Some(NOW));
        }
        stage.world.remember(&form, &case);
    }
    stage.case.id = "k00".into();
    assert_eq!(stage.value("size(open_cases('complaint'))"), Value::Int(9), "without itself");
    assert_eq!(stage.value("size(open_cases('complaint', 'store', case.store))"), stage.value("4 + 0"));
    assert_eq!(stage.value("open_cases('complaint', 'store', null).map(k, k.self)"), Value::list([]));
    let days = "cases_between('complaint', 'at', date(now), date(now), 'store', case.store)";
    assert_eq!(stage.value(&format!("size({days})")), Value::Int(0), "only itself lies on that day");
    let all = "cases_between('complaint', 'at', now, last_of_month(now))";
    let found = stage.value(&format!("{all}.map(k, k.self)"));
    assert_eq!(found.as_texts().first().map(String::as_str), Some("k01"));
    assert_eq!(
        stage.value(&format!("{all}.all(k, k.at >= now && date(k.at) <= last_of_month(now))")),
        Value::Bool(true)
    );
    assert!(
        stage.holds("first(open_cases('complaint')).amount == 1 && first(open_cases('complaint')).is_open")
    );
    // The same seed draws the same ones, another one others, and never more than there are.
    let drawn = |seed: &str, count: usize| {
        stage.value(&format!("sample(open_cases('complaint').map(k, k.self), {count}, '{seed}')")).as_texts()
    };
    assert_eq!(drawn("a", 3), drawn("a", 3));
    assert_eq!((drawn("a", 3).len(), drawn("a", 50).len(), drawn("a", 0).len()), (3, 9, 0));
    let seeds: std::collections::BTreeSet<Vec<String>> = (0..40).map(|n| drawn(&n.to_string(), 3)).collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    (0..300).flat_map(|n| drawn(&n.to_string(), 3)).for_each(|id| *times.entry(id).or_default() += 1);
    assert!(times.len() == 9 && times.values().all(|n| (60..150).contains(n)), "evenly: {times:?}");
    // As lines of a table, with the columns' own types.
    let lines = "sample(open_cases('complaint'), 2, 'a').rows(k, 'name', k.number, 'price', 3, 'n', 1)";
    let names = stage.names();
    let wanted = Wanted::Value(stage.fields[12].1.clone());
    let expr = compile(lines, &names, &wanted).expect("lines");
    let value = expr.value(&Env::new(NOW, &stage.world).case(&stage.case));
    let Value::List(rows) = value else { panic!("{value:?}") };
    assert_eq!(rows.len(), 2);
    let Value::Row(row) = &rows[0] else { panic!("{rows:?}") };
    assert_eq!((&row["price"], &row["n"]), (&Value::Money(300), &Value::Int(1)));
    assert_eq!(expr.compared(), []);
    let asked = compile(days, &names, &Wanted::Anything).expect("cases");
    assert_eq!(asked.compared().len(), 2, "{:?}", asked.compared());
    for (wrong, says) in [
        ("open_cases('gone')", "没有叫“gone”的表单"),
        ("open_cases('complaint', 'amount', 5)", "不能按金额查找单据"),
        ("open_cases('complaint', 'store')", "open_cases 的写法"),
        ("cases_between('complaint', 'note', now, now)", "不是日期或时间"),
        ("open_cases('complaint').rows(k, 'a')", "rows 的写法"),
        ("first([])", "first 的写法"),
    ] {
        let problem = stage.compile(wrong).expect_err(wrong);
        assert!(
            problem.text.contains(says) || problem.text.contains("open_cases('表单'"),
            "{wrong}: {problem:?}"
        );
    }
    let short =
        compile("open_cases('complaint').rows(k, 'gone', 1)", &names, &wanted).expect_err("no such column");
    assert!(short.text.contains("没有叫“gone”的列"), "{short:?}");
}

#[test]
fn the_first_free_time_lies_between_what_is_planned() {
    let stage = stage();
    let at = |minutes: i64| Value::Time(NOW + minutes * 60_000);
    assert_eq!(stage.value("free_at([], 60)"), at(0));
    assert_eq!(stage.value("free_at([now], 60)"), at(60));
    assert_eq!(stage.value("free_at([now, now], 30)"), at(30));
    assert_eq!(stage.value("free_at([now], 0)"), Value::Null);
}
