//! The SQL and the in-memory answer agree, row by row, on every engine; and a wrong condition is refused with the
//! place and a reason.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value as Json, json};
use store::{Db, Location, Options};

use super::*;
use crate::catalogue::{CustomField, CustomKind};
use crate::customers::{COLUMNS, Field, Kind};
use crate::ids::{CustomFieldId, CustomerId};

const PEOPLE: [i64; 3] = [1_001, 1_002, 1_003];

/// Texts that trip up careless SQL: quotes, LIKE's signs, cases, escapes, characters of several bytes.
const TEXTS: [&str; 22] = [
    "",
    "a",
    "A",
    "ab",
    "AB",
    "b",
    "a%b",
    "a_b",
    "%",
    "_",
    "!",
    "a!b",
    "'",
    "a'b",
    "\"",
    "a\"b",
    "\\",
    "a\\",
    "\\\"",
    "广州",
    "广州天江😀",
    "𠮷a",
];
const ITEMS: [&str; 12] = ["a", "b", "ab", "a\"b", "\"", "\\", "a\\", "b]", "]", "[]", "大 客户", "a, b"];
const DATES: [&str; 5] = ["", "1999-12-31", "2026-09-28", "2026-09-29", "2030-01-01"];
const NUMBERS: [f64; 8] = [-3.0, -0.5, 0.0, 0.1, 1.0, 2.5, 1e15, 9.007_199_254_740_993e15];
const TIMES: [i64; 4] = [0, 1_790_524_799_999, 1_790_524_800_000, 1_900_000_000_000];

fn custom_fields() -> Vec<CustomField> {
    [
        ("f_text", "备用文字", CustomKind::Text),
        ("f_num", "合同金额", CustomKind::Number),
        ("f_num2", "已收金额", CustomKind::Number),
        ("f_day", "签约日期", CustomKind::Date),
        ("f_one", "等第", CustomKind::Choice),
        ("f_many", "兴趣", CustomKind::Choices),
        ("f_yes", "是否会员", CustomKind::YesNo),
    ]
    .into_iter()
    .map(|(key, title, kind)| CustomField {
        id: CustomFieldId(1),
        key: key.into(),
        title: title.into(),
        kind,
        choices: Vec::new(),
        applies_to: String::new(),
        help: String::new(),
        is_required: false,
        is_active: true,
        version: 1,
    })
    .collect()
}

fn schema() -> Schema {
    Schema::customers(&custom_fields())
}

fn pick<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> + Clone {
    proptest::sample::select(all)
}

fn items() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::btree_set(pick(&ITEMS).prop_map(str::to_owned), 0..4)
        .prop_map(|s| s.into_iter().collect())
}

fn customer() -> impl Strategy<Value = Customer> {
    let custom = (
        proptest::option::of(pick(&TEXTS[1..])),
        proptest::option::of(pick(&NUMBERS)),
        proptest::option::of(pick(&NUMBERS)),
        proptest::option::of(pick(&DATES[1..])),
        proptest::option::of(items()),
        proptest::option::of(any::<bool>()),
        any::<bool>(),
    )
        .prop_map(|(text, number, other, day, many, yes, writes_null)| {
            let mut custom = Map::new();
            let mut put = |key: &str, value: Option<Json>| match value {
                Some(value) => drop(custom.insert(key.into(), value)),
                None if writes_null => drop(custom.insert(key.into(), Json::Null)),
                None => {}
            };
            put("f_text", text.map(Json::from));
            // As `check_custom` keeps numbers.
            let kept = |n: f64| if n.fract() == 0.0 { Json::from(n as i64) } else { Json::from(n) };
            put("f_num", number.map(kept));
            put("f_num2", other.map(kept));
            put("f_day", day.map(Json::from));
            put("f_one", text.map(Json::from));
            put("f_many", many.map(Json::from));
            put("f_yes", yes.map(Json::from));
            custom
        });
    let texts = proptest::collection::vec(pick(&TEXTS), crate::customers::fields::COUNT);
    let days = (pick(&DATES), pick(&DATES), pick(&DATES));
    let rest = (
        proptest::option::of(pick(&PEOPLE)),
        any::<bool>(),
        0..=100i64,
        proptest::option::of(pick(&TIMES)),
        pick(&TIMES),
        1..4i64,
    );
    (texts, days, custom, items(), rest).prop_map(|(texts, days, custom, tags, rest)| {
        let (owner, is_person, completeness, last_activity_at, at, version) = rest;
        let mut customer = Customer {
            id: CustomerId(0),
            number: String::new(),
            kind: if is_person { Kind::Person } else { Kind::Organisation },
            owner_id: owner.map(PersonId),
            unit_id: None,
            values: Default::default(),
            tags,
            custom,
            completeness,
            last_activity_at,
            open_needs: 0,
            version,
            created_at: at,
            created_by: PersonId(PEOPLE[0]),
            updated_at: at + version,
            updated_by: PersonId(PEOPLE[0]),
            deleted_at: None,
            withheld: Default::default(),
        };
        for (spec, text) in crate::customers::SPECS.iter().zip(texts) {
            customer.values.set(spec.field, text.into());
        }
        for (field, day) in
            [(Field::Birthday, days.0), (Field::FirstContactOn, days.1), (Field::NextContactOn, days.2)]
        {
            customer.values.set(field, day.into());
        }
        customer
    })
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// A condition as a person writes it.
fn source() -> impl Strategy<Value = String> {
    let text_field = || {
        pick(&[
            "name",
            "phone",
            "remark",
            "class",
            "region",
            "custom.f_text",
            "custom[\"等第\"]",
            "number",
            "kind",
        ])
    };
    let sortable = || pick(&["number", "class", "level", "region", "kind"]);
    let date_field = || pick(&["birthday", "next_contact_on", "first_contact_on", "custom.f_day"]);
    let time_field = || pick(&["created_at", "updated_at", "last_activity_at"]);
    let number_field = || pick(&["custom.f_num", "custom[\"已收金额\"]"]);
    let list_field = || pick(&["tags", "custom.f_many"]);
    let equality = || pick(&["==", "!="]);
    let order = || pick(&["<", "<=", ">", ">=", "==", "!="]);
    let strict = || pick(&["<", "<=", ">", ">="]);
    let any_field = || {
        prop_oneof![
            text_field(),
            date_field(),
            time_field(),
            number_field(),
            list_field(),
            Just("owner_id"),
            Just("custom.f_yes"),
            Just("completeness")
        ]
    };
    let text = || pick(&TEXTS).prop_map(quoted);
    let person = || {
        prop_oneof![
            Just("me".to_owned()),
            Just("\"\"".to_owned()),
            Just("null".to_owned()),
            pick(&PEOPLE).prop_map(|id| quoted(&PersonId(id).to_string()))
        ]
    };
    let number = || {
        pick(&NUMBERS).prop_map(|n| if n.fract() == 0.0 { format!("{}", n as i64) } else { n.to_string() })
    };
    let instant = || pick(&TIMES).prop_map(|t| format!("timestamp(\"{}\")", crate::clock::rfc3339(t)));
    let joined = |all: Vec<String>| all.join(", ");
    let leaf = prop_oneof![
        4 => (text_field(), equality(), text()).prop_map(|(f, o, v)| format!("{f} {o} {v}")),
        1 => (text(), equality(), text_field()).prop_map(|(v, o, f)| format!("{v} {o} {f}")),
        2 => (sortable(), strict(), pick(&TEXTS[1..])).prop_map(|(f, o, v)| format!("{f} {o} {}", quoted(v))),
        1 => (sortable(), order(), sortable()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        4 => (text_field(), pick(&["startsWith", "endsWith", "contains"]), text())
            .prop_map(|(f, m, v)| format!("{f}.{m}({v})")),
        3 => (text_field(), proptest::collection::vec(text(), 0..12))
            .prop_map(move |(f, l)| format!("{f} in [{}]", joined(l))),
        2 => (date_field(), strict(), pick(&DATES[1..])).prop_map(|(f, o, v)| format!("{f} {o} {}", quoted(v))),
        1 => (date_field(), equality(), pick(&DATES)).prop_map(|(f, o, v)| format!("{f} {o} {}", quoted(v))),
        1 => (date_field(), order(), date_field()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        1 => date_field().prop_map(|f| format!("{f}.startsWith(\"2026-09\")")),
        2 => (time_field(), order(), instant()).prop_map(|(f, o, v)| format!("{f} {o} {v}")),
        1 => (time_field(), strict()).prop_map(|(f, o)| format!("{f} {o} \"2026-09-28\"")),
        1 => (time_field(), order(), time_field()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        3 => (number_field(), order(), number()).prop_map(|(f, o, v)| format!("{f} {o} {v}")),
        1 => (number_field(), order(), number_field()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        1 => (number_field(), proptest::collection::vec(number(), 0..9))
            .prop_map(move |(f, l)| format!("{f} in [{}]", l.join(", "))),
        2 => (pick(&["completeness", "version"]), order(), 0..100i64).prop_map(|(f, o, v)| format!("{f} {o} {v}")),
        1 => proptest::collection::vec(0..100i64, 0..12).prop_map(|l| format!("completeness in {l:?}")),
        2 => (equality(), person()).prop_map(|(o, v)| format!("owner_id {o} {v}")),
        1 => proptest::collection::vec(person(), 0..9).prop_map(|l| format!("owner_id in [{}]", l.join(", "))),
        3 => (pick(&ITEMS), list_field()).prop_map(|(v, f)| format!("{} in {f}", quoted(v))),
        2 => (list_field(), order(), 0..4i64).prop_map(|(f, o, v)| format!("size({f}) {o} {v}")),
        1 => (text_field(), order(), 0..4i64).prop_map(|(f, o, v)| format!("size({f}) {o} {v}")),
        1 => (text_field(), order(), list_field()).prop_map(|(a, o, b)| format!("size({a}) {o} size({b})")),
        3 => any_field().prop_map(|f| format!("has({f})")),
        1 => Just("custom.f_yes".to_owned()),
        1 => (equality(), pick(&["true", "false", "null"])).prop_map(|(o, v)| format!("custom.f_yes {o} {v}")),
        1 => Just("custom.f_yes in [true, null]".to_owned()),
        1 => pick(&["true", "false"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || !({b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn insert(db: &Db, customers: Vec<Customer>) {
    db.write_blocking(move |tx| -> store::Result<()> {
        for id in PEOPLE {
            tx.exec(
                "INSERT INTO people (id, username, name, name_search, password_hash, security_stamp, created_at, updated_at)
                 VALUES ($1, $2, 'n', 'n', 'x', 1, 1, 1)",
                &[id.into(), id.to_string().into()],
            )?;
        }
        for c in &customers {
            let mut columns = vec!["id", "number", "kind", "owner_id", "tags", "custom", "completeness"];
            columns.extend(["last_activity_at", "version", "created_at", "created_by", "updated_at", "updated_by"]);
            columns.push("name_sort");
            let mut values: Vec<store::Value<'_>> = vec![
                c.id.into(),
                (&c.number).into(),
                c.kind.code().into(),
                c.owner_id.into(),
                json!(c.tags).into(),
                Json::Object(c.custom.clone()).into(),
                c.completeness.into(),
                c.last_activity_at.into(),
                c.version.into(),
                c.created_at.into(),
                c.created_by.into(),
                c.updated_at.into(),
                c.updated_by.into(),
                c.name().into(),
            ];
            for spec in &crate::customers::SPECS {
                columns.push(spec.key);
                values.push(c.get(spec.field).into());
            }
            let places: Vec<String> = (1..=columns.len()).map(|n| format!("${n}")).collect();
            let sql = format!("INSERT INTO customers ({}) VALUES ({})", columns.join(", "), places.join(", "));
            tx.exec(&sql, &values)?;
        }
        Ok(())
    })
    .unwrap();
}

/// Fills a fresh database with random customers and asks it random conditions.
fn prove_on(location: &Location) {
    let db = Db::open(
        location,
        &Options { readers: 1, writers: 1, queue: 64, allow_unsafe: true, ..Options::default() },
    )
    .unwrap();
    store::migrate(&db, crate::schema::MIGRATIONS).unwrap();
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    let mut customers = proptest::collection::vec(customer(), 150).new_tree(&mut runner).unwrap().current();
    for (n, customer) in customers.iter_mut().enumerate() {
        customer.id = CustomerId(n as i64 + 1);
        // Numbers are unique; some are prefixes of others, with both cases.
        customer.number = format!("{}{n}", ["a", "A", "K-", "k_"][n % 4]);
    }
    insert(&db, customers);
    let select = format!("SELECT {} FROM customers c ORDER BY c.id", *COLUMNS);
    let customers: Vec<Customer> = db.read_blocking(move |conn| conn.rows(&select, &[])).unwrap();
    assert_eq!(customers.len(), 150);
    let schema = schema();
    let answers = RefCell::new(BTreeSet::new());
    let strategy = (source(), proptest::option::of(pick(&PEOPLE)));
    let outcome = runner.run(&strategy, |(source, me)| {
        let me = me.map(PersonId);
        let expr = match Expr::compile(&source, &schema) {
            Ok(expr) => expr,
            Err(problem) => return Err(TestCaseError::fail(format!("{source}: {problem}"))),
        };
        let expr = me.map_or(expr.clone(), |me| expr.with_me(me));
        let mut conditions = Conditions::default();
        let condition = expr.sql(&mut conditions);
        let sql = format!("SELECT c.id FROM customers c WHERE {condition} ORDER BY c.id");
        let asked = sql.clone();
        let found: Result<Vec<(CustomerId,)>, store::Error> =
            db.read_blocking(move |conn| conn.rows(&asked, &conditions.params));
        let found: Vec<CustomerId> = found
            .map_err(|e| TestCaseError::fail(format!("{e}: {sql}")))?
            .into_iter()
            .map(|(id,)| id)
            .collect();
        let expected: Vec<CustomerId> =
            customers.iter().filter(|c| expr.matches(c, None)).map(|c| c.id).collect();
        prop_assert_eq!(&found, &expected, "{}", sql);
        // Never NULL: what is not in the answer is in the answer to the opposite.
        let mut conditions = Conditions::default();
        let sql = format!("SELECT COUNT(*) FROM customers c WHERE NOT {}", expr.sql(&mut conditions));
        let others = db.read_blocking(move |conn| conn.count(&sql, &conditions.params)).unwrap();
        prop_assert_eq!(others as usize, customers.len() - found.len(), "{} is NULL somewhere", condition);
        answers.borrow_mut().insert(found.len());
        Ok(())
    });
    outcome.unwrap();
    let answers = answers.into_inner();
    assert!(answers.len() > 50, "conditions that select nearly nothing prove nothing: {answers:?}");
}

#[test]
fn sql_and_memory_agree_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    prove_on(&Location::Sqlite(folder.path().join("expr.db")));
}

#[test]
fn sql_and_memory_agree_on_postgres() {
    let Ok(url) = std::env::var("KEHU_TEST_POSTGRES") else {
        println!("skipped: KEHU_TEST_POSTGRES is not set");
        return;
    };
    let name = format!("expr_{}", store::new_id());
    let server = Db::open(
        &Location::parse(&url).unwrap(),
        &Options { readers: 1, writers: 1, queue: 4, allow_unsafe: true, ..Options::default() },
    )
    .unwrap();
    let create = format!("CREATE SCHEMA {name}");
    server.write_blocking(move |tx| tx.exec(&create, &[])).unwrap();
    let sign = if url.contains('?') { '&' } else { '?' };
    let inside = format!("{url}{sign}options=-csearch_path%3D{name}");
    let outcome = std::panic::catch_unwind(|| prove_on(&Location::Postgres(inside)));
    let drop_it = format!("DROP SCHEMA {name} CASCADE");
    server.write_blocking(move |tx| tx.exec(&drop_it, &[])).unwrap();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn problem(source: &str) -> (String, usize) {
    let problem = Expr::compile(source, &schema()).expect_err(source);
    (problem.text.to_string(), problem.column)
}

#[test]
fn a_wrong_condition_is_refused_with_place_and_reason() {
    for (source, column, says) in [
        ("", 1, "请填写条件"),
        ("phne == \"1\"", 1, "phone"),
        ("level == \"A\" && clas == \"x\"", 17, "class"),
        ("name == \"广州天江\" && clas == \"x\"", 19, "class"),
        ("custom.f_nun > 3", 7, "custom.f_num"),
        ("custom[\"没有\"] == 1", 7, "没有字段"),
        ("zzzzzz == 1", 1, "没有字段“zzzzzz”"),
        ("name", 1, "has(name)"),
        ("name > \"a\"", 8, "不能比大小"),
        ("owner_id < me", 12, "不能比大小"),
        ("owner_id == \"张三\"", 13, "13 位"),
        ("completeness == \"x\"", 17, "整数"),
        ("completeness >= 59.5", 17, "整数"),
        ("birthday == \"昨天\"", 13, "日期请写成"),
        ("birthday < \"\"", 12, "空值"),
        ("created_at == \"2026-09-28\"", 15, "划定范围"),
        ("created_at > \"x\"", 14, "时间请写成"),
        ("timestamp(\"x\") < created_at", 11, "时间请写成"),
        ("tags == []", 6, "in"),
        ("tags == \"a\"", 9, "'...' in tags"),
        ("tags.contains(\"a\")", 1, "'...' in tags"),
        ("\",\" in tags", 1, "逗号"),
        ("3 in tags", 1, "文字"),
        ("name.matches(\"a+\")", 13, "正则"),
        ("tags.exists(t, t == \"a\")", 12, "'标签' in tags"),
        ("name.lower() == \"a\"", 11, "没有函数"),
        ("completeness + 1 > 3", 14, "加减乘除"),
        ("completeness > 3 ? true : false", 18, "不支持 ? :"),
        ("level = \"A\"", 7, "=="),
        ("level == \"A\" & kind == \"person\"", 14, "&&"),
        ("level == “A”", 10, "英文"),
        ("level == \"A", 10, "引号没有闭合"),
        ("(level == \"A\"", 1, "没有闭合"),
        ("level == \"A\")", 13, "多了一个"),
        ("客户名称 == \"A\"", 1, "name 是“客户名称”"),
        ("level == 重要", 10, "英文引号"),
        ("level == r\"A\"", 10, "引号前面"),
        ("level == \"\"\"A\"\"\"", 12, "缺少运算符"),
        ("1 == 1", 3, "至少有一边"),
        ("1 < completeness < 3", 18, "拆开"),
        ("name == completeness", 6, "不能比较"),
        ("level in [name]", 11, "具体的值"),
        ("level == \"a\\u0000\"", 10, "控制字符"),
        ("level == \"a\" level", 14, "读不懂"),
        ("level == \"广州\" level", 15, "读不懂"),
        ("completeness == 5u", 17, "不支持"),
        ("completeness == 99999999999999999999", 17, "读不懂"),
    ] {
        let (text, at) = problem(source);
        assert!(text.contains(says), "{source}: {text}");
        assert_eq!(at, column, "{source}: {text}");
    }
}

#[test]
fn sizes_are_bounded_and_no_input_overflows_the_stack() {
    let ok = |source: String| Expr::compile(&source, &schema()).map(drop);
    assert_eq!(ok(format!("{}level == \"A\"{}", "(".repeat(32), ")".repeat(32))), Ok(()));
    assert!(ok(format!("{}level == \"A\"{}", "(".repeat(33), ")".repeat(33))).is_err());
    assert_eq!(ok(format!("{}true", "!".repeat(20))), Ok(()));
    let items = |n: usize| (0..n).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(ok(format!("completeness in [{}]", items(200))), Ok(()));
    assert!(ok(format!("completeness in [{}]", items(201))).is_err());
    assert_eq!(ok(vec!["name==\"a\""; 120].join("||")), Ok(()));
    assert!(problem(&vec!["has(name)"; 170].join("||")).0.contains("太复杂"));
    let values = |n: usize| (0..n).map(|n| format!("name==\"{n}\"")).collect::<Vec<_>>().join("||");
    assert_eq!(ok(values(MOST_VALUES)), Ok(()));
    assert!(problem(&values(MOST_VALUES + 1)).0.contains("in [...]"));
    assert_eq!(ok(format!("name == \"{}\"", "客".repeat(LONGEST - 10))), Ok(()));
    assert!(problem(&format!("name == \"{}\"", "客".repeat(LONGEST - 9))).0.contains("太长"));
    for part in [
        "(",
        "[",
        "!",
        "-",
        "!(",
        "![",
        "a.",
        "a.a(",
        ".a",
        "[0]",
        "(0)",
        "a[",
        "a(",
        "has(",
        "1==",
        "a in ",
        "a<",
        "a&&",
        "a||",
        "\"",
        "\"\"",
        "'",
        "\\",
        "a,",
        "{",
        "a?",
        "a?b:",
        "1-",
        "客",
        "\u{0}",
        "\r\n",
        "//",
        "a==b)==(",
        "(a)",
        "[a]",
        "1.",
        "0x",
        "1e",
        "\"a\" in ",
        "custom[",
    ] {
        for tail in ["", "a", ")", "1"] {
            let count = (LONGEST - tail.len()) / part.chars().count();
            let source = format!("{}{tail}", part.repeat(count));
            // A server's thread is no larger than this.
            let run = std::thread::Builder::new()
                .stack_size(1 << 20)
                .spawn(move || ok_or_problem(&source))
                .unwrap();
            run.join().unwrap();
        }
    }
}

#[test]
fn the_deepest_condition_is_answered_on_a_small_stack() {
    let source = format!("{}level == \"A\" && custom.f_num < 3{}", "true && (".repeat(28), ")".repeat(28));
    let customer = customer().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let run = std::thread::Builder::new().stack_size(1 << 19).spawn(move || {
        let expr = Expr::compile(&source, &schema()).unwrap();
        assert!(expr.sql(&mut Conditions::default()).len() > source.len());
        expr.matches(&customer, None)
    });
    run.unwrap().join().unwrap();
}

fn ok_or_problem(source: &str) {
    let schema = schema();
    if let Err(problem) = Expr::compile(source, &schema) {
        assert!((1..=source.chars().count() + 1).contains(&problem.column), "{source}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(source in "(name|tags|custom|me|in|has|size|&&|\\|\\||==|<|\\(|\\)|\\[|\\]|\"|'|,|\\.|!|-|1|\\\\|客|“| |\\PC){0,40}") {
        ok_or_problem(&source);
    }
}

/// What the generator does not write down: the meaning itself.
#[test]
fn conditions_mean_what_a_person_expects() {
    let mut runner = TestRunner::deterministic();
    let mut c = customer().new_tree(&mut runner).unwrap().current();
    c.values = Default::default();
    c.values.set(Field::Name, "广州天江科技".into());
    c.values.set(Field::Region, "广东省/广州市".into());
    c.owner_id = Some(PersonId(PEOPLE[0]));
    c.tags = vec!["重点".into()];
    c.custom = Map::new();
    c.custom.insert("f_num".into(), json!(100));
    c.completeness = 40;
    c.last_activity_at = None;
    // 2026-09-28 00:00 in China.
    c.created_at = 1_790_524_800_000;
    let is = |source: &str| Expr::compile(source, &schema()).unwrap().matches(&c, Some(PersonId(PEOPLE[0])));
    for source in [
        "phone == \"\"",
        "phone == null && !has(phone)",
        "has(name) && name.startsWith(\"广州\") && size(name) == 6",
        "region.startsWith(\"广东省\")",
        "owner_id == me && owner_id in [me]",
        "\"重点\" in tags && !(\"重\" in tags) && size(tags) == 1",
        "custom[\"合同金额\"] == 100.0 && custom.f_num >= 100",
        "!(birthday < \"2000-01-01\") && !(birthday >= \"2000-01-01\") && birthday != \"2000-01-01\"",
        "!has(last_activity_at) || last_activity_at < \"2026-09-01\"",
        "!(last_activity_at < \"2026-09-01\")",
        "created_at >= \"2026-09-28\" && created_at < \"2026-09-28 00:01\"",
        "created_at == timestamp(\"2026-09-28T00:00:00+08:00\")",
        "!custom.f_yes && custom.f_yes != true && custom.f_yes != false",
        "40 <= completeness && completeness in [1, 40]",
        "custom.f_num in [1, 100]",
        "(level == \"A\") == false",
    ] {
        assert!(is(source), "{source}");
    }
    for source in [
        "custom.f_num2 < 5",
        "custom.f_num2 == 0",
        "name == \"广州\"",
        "name.contains(\"天 江\")",
        "owner_id == \"\"",
    ] {
        assert!(!is(source), "{source}");
    }
    let nobody = Expr::compile("owner_id == me", &schema()).unwrap();
    assert!(!nobody.matches(&c, None));
    assert!(nobody.with_me(PersonId(PEOPLE[0])).matches(&c, None));
}

#[test]
fn values_are_bound_and_fields_are_told() {
    let expr =
        Expr::compile("name == \"x'; DROP\" && custom[\"合同金额\"] > 3 && name != \"x'; DROP\"", &schema())
            .unwrap();
    let mut conditions = Conditions::default();
    conditions.equal("c.kind", "person");
    let sql = expr.sql(&mut conditions);
    assert!(!sql.contains("DROP") && sql.contains("$2") && sql.contains("$3"), "{sql}");
    assert_eq!(conditions.params.len(), 3);
    assert_eq!(expr.fields().collect::<Vec<_>>(), ["name", "custom.f_num"]);
    let mut strange = custom_fields();
    strange[0].key = "f_a' OR 1=1".into();
    assert!(Schema::customers(&strange).names().all(|(name, _)| !name.contains('\'')));
}

#[test]
fn every_message_has_its_english() {
    use crate::i18n::Lang;
    for source in ["name > 'a'", "name", "completeness == 'x'", "phne == ''", "level == “A”", "tags == 'a'"]
    {
        let place = Expr::compile(source, &schema()).expect_err(source).place();
        assert!(place.to(Lang::En).starts_with("Character "), "{place}");
        assert_ne!(place.to(Lang::En), place.to(Lang::Zh));
    }
    for (_, kind) in schema().names() {
        assert_ne!(Lang::En.t(kind.title()), kind.title());
    }
}
