//! Files that are too large, too deep, endless or broken at random: refused with file, line and a reason in Chinese, or
//! run to an end, in bounded time and without a panic.

use std::time::{Duration, Instant};

use policy::{LARGEST_FILE, MOST_PROBLEMS, Problem, SourceFile, scenario};
use proptest::prelude::*;

mod support;

use support::{shipped, vocabulary};

/// Generous: a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(30);

const SMALL: &str = r#"[policy]
id = "small"
title = "小制度"
version = "1"
[[clause]]
id = "1"
text = "一"
[[form]]
id = "slip"
title = "单据"
by = "holders('经办')"
fill = ["amount"]
[[form.field]]
id = "amount"
title = "金额"
type = "money"
[[step]]
id = "write"
title = "填写"
by = "case.creator"
next = "ask"
clause = "1"
[[step]]
id = "ask"
title = "审批"
next = "done"
clause = "1"
[step.approve]
[[step.approve.stage]]
by = "superior(case.creator)"
[step.approve.timeout]
within = "1h"
then = "escalate"
[[step]]
id = "done"
title = "结束"
kind = "end"
clause = "1"
"#;

fn file(name: &str, text: impl Into<String>) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

fn soon<T>(what: &str, body: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let answer = body();
    assert!(begun.elapsed() < SOON, "{what} took {:?}", begun.elapsed());
    answer
}

fn refused(what: &str, files: &[SourceFile]) -> Vec<Problem> {
    let checked = soon(what, || policy::check(files, &Default::default(), &vocabulary()));
    let problems = checked.err().unwrap_or_else(|| panic!("{what} was accepted"));
    assert!(!problems.is_empty() && problems.len() <= MOST_PROBLEMS, "{what}");
    problems
}

/// Refused in this file, on the line where this part stands, for this reason.
fn is_refused(what: &str, text: &str, part: &str, says: &str) {
    let line = 1 + text[..text.find(part).unwrap_or_else(|| panic!("{part}"))].matches('\n').count();
    let problems = refused(what, &[file("policy.toml", text)]);
    let found = problems.iter().find(|problem| problem.text.contains(says));
    let found = found.unwrap_or_else(|| panic!("{what}: {problems:?}"));
    assert_eq!((found.file.as_str(), found.line), ("policy.toml", line), "{what}: {found}");
}

fn changed(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replacen(from, to, 1)
}

#[test]
fn files_of_ten_megabytes_are_refused_at_once() {
    let megabytes = |unit: &str| unit.repeat(10 * 1024 * 1024 / unit.len() + 1);
    let comment = format!("{SMALL}# {}", megabytes("长"));
    let clauses = format!("{SMALL}{}", megabytes("[[clause]]\nid = \"2\"\ntext = \"二\"\n"));
    let brackets = format!("{SMALL}x = {}", megabytes("["));
    let condition = changed("superior(case.creator)", &megabytes("true || "));
    for (what, text) in
        [("comment", comment), ("clauses", clauses), ("brackets", brackets), ("condition", condition)]
    {
        assert!(text.len() > 10_000_000 && text.len() > LARGEST_FILE);
        let problems = refused(what, &[file("policy.toml", text)]);
        assert_eq!(problems[0].to_string(), "policy.toml: 文件太大，最多 512 KiB，请拆成几个文件", "{what}");
    }
    let files = [file("policy.toml", SMALL), file("scenarios/huge.toml", megabytes("[[given]]\n"))];
    let reports = soon("a scenario", || scenario::run(&files, &vocabulary()));
    assert_eq!(reports[0].failures, [(0, "文件太大，最多 512 KiB".to_owned())]);
    let cast = [file("policy.toml", SMALL), file("scenarios/cast.toml", megabytes("[[unit]]\n"))];
    let reports = soon("a cast", || scenario::run(&cast, &vocabulary()));
    assert_eq!(reports[0].failures, [(0, "文件太大，最多 512 KiB".to_owned())]);
}

#[test]
fn files_full_of_typos_are_told_in_time() {
    let part = |faults: &str| format!("[[form]]\nid = \"f\"\ntitle = \"单\"\nby = \"actor\"\n{faults}");
    let unknown: String = (0..40).map(|n| format!("nope{n} = 1\n")).collect();
    let types = "number = 1\nsubject = 2\nfield = 3\nfill = 4\nlist = 5\n";
    for faults in [unknown.as_str(), types] {
        let file_of = |name: &str| {
            let count = LARGEST_FILE / part(faults).len() - 1;
            file(name, part(faults).repeat(count))
        };
        let files = [file("policy.toml", SMALL), file_of("a.toml"), file_of("b.toml"), file_of("c.toml")];
        let problems = refused("typos", &files);
        assert_eq!(problems.len(), MOST_PROBLEMS);
        assert!(problems.iter().all(|problem| problem.file == "a.toml"), "{}", problems[99]);
    }
}

#[test]
fn endless_conditions_are_refused_where_they_stand() {
    let who = "superior(case.creator)";
    let long = "case.creator == actor || ".repeat(4_000) + "true";
    is_refused("long", &changed(who, &long), "by = \"case.creator == actor", "表达式太长");
    let deep = format!("{}actor{}", "(".repeat(900), ")".repeat(900));
    is_refused("deep", &changed(who, &deep), "by = \"((((", "嵌套太深");
    let signs = format!("{}true", "!".repeat(1_500));
    is_refused("signs", &changed(who, &signs), "by = \"!!!!", "嵌套太深");
    let chain = format!("actor{}", ".superior".repeat(200));
    is_refused("chain", &changed(who, &chain), "by = \"actor.superior.superior", "嵌套太深");
    let terms = format!("[{}1]", "1,".repeat(450));
    is_refused("terms", &changed(who, &terms), "by = \"[1,1,1", "表达式太复杂");
    let loops = "open_cases('slip').filter(a, open_cases('slip').exists(b, open_cases('slip').exists(c, true))).map(a, a.creator)";
    is_refused("loops", &changed(who, loops), "by = \"open_cases", "最多套两层");
}

#[test]
fn tables_with_gaps_overlaps_and_clauses_without_effect_are_refused_where_they_stand() {
    let table = |rows: &str| {
        let text = changed("[[step.approve.stage]]\nby = \"superior(case.creator)\"\n", "");
        let text = text.replace("[step.approve]\n", "[step.approve]\nauthority = \"limits\"\n");
        format!("{text}[[authority]]\nid = \"limits\"\ntitle = \"核决表\"\nclause = \"1\"\n{rows}")
    };
    let row = |when: &str| format!("[[authority.row]]\nwhen = \"{when}\"\nby = [\"holders('主管')\"]\n");
    let gap = table(&(row("case.amount < 500") + &row("case.amount > 500")));
    is_refused("gap", &gap, "[[authority]]", "有空档：金额为500.00 元时没有审批人");
    let overlap = table(&(row("case.amount <= 500") + &row("case.amount >= 500")));
    is_refused("overlap", &overlap, "[[authority]]", "有重叠：金额为500.00 元时第 1 行和第 2 行都成立");
    let many: String = (0..400).map(|n| row(&format!("case.amount == {n}"))).collect();
    is_refused("many rows", &table(&many), "[[authority]]", "核决表“核决表”有空档");
    let idle = format!("{SMALL}[[clause]]\nid = \"2\"\ntext = \"二\"\n");
    is_refused("idle", &idle, "[[clause]]\nid = \"2\"", "条款“2”没有落实");
}

/// Superiors and units in rings, and times far away: a scenario ends all the same.
#[test]
fn rings_in_the_organisation_and_endless_timers_come_to_an_end() {
    let cast = r#"
[[unit]]
name = "甲部"
in = "乙部"
[[unit]]
name = "乙部"
in = "甲部"
[[person]]
name = "小甲"
posts = ["经办"]
unit = "甲部"
superior = "小乙"
[[person]]
name = "小乙"
unit = "乙部"
superior = "小丙"
[[person]]
name = "小丙"
unit = "乙部"
superior = "小甲"
"#;
    let story = r#"title = "环"
[[given]]
at = "2026-09-28 09:00"
by = "小甲"
case = { amount = 1 }
[[when]]
by = "小甲"
[[then]]
step = "ask"
tasks = ["小乙"]
[[then]]
at = "2027-09-28 09:00"
step = "ask"
"#;
    let files = |policy: &str| {
        [file("policy.toml", policy), file("scenarios/cast.toml", cast), file("scenarios/ring.toml", story)]
    };
    for policy in [
        SMALL.to_owned(),
        changed("then = \"escalate\"", "then = \"remind\""),
        changed("by = \"superior(case.creator)\"", "by = \"holders('没有', case.unit)\""),
    ] {
        let reports = soon("a ring", || scenario::run(&files(&policy), &vocabulary()));
        let failures = &reports[0].failures;
        let ends = failures.is_empty()
            || failures
                .iter()
                .all(|(line, text)| *line > 0 && (text.contains("待办人") || text.contains("定时器")));
        assert!(ends, "{failures:?}");
    }
    // A reminder each minute for two years.
    let minute = changed("within = \"1h\"", "within = \"1min\"").replace("escalate", "remind");
    let far = story.replace("2027-09-28", "2028-09-28");
    let files =
        [file("policy.toml", minute), file("scenarios/cast.toml", cast), file("scenarios/far.toml", far)];
    let reports = soon("far away", || scenario::run(&files, &vocabulary()));
    assert_eq!(reports[0].failures[0].1, "定时器响了太多次");
}

#[derive(Clone, Debug)]
enum Change {
    Cut(usize, usize),
    Twice(usize, usize),
    Put(usize, char),
    Word(usize, usize),
    Lines(usize, usize),
}

/// What people and machines break: characters, words of another place, lines out of their order.
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
            Change::Word(at, word) if !words.is_empty() => {
                let at = place(at);
                characters.splice(at..at, words[word % words.len()].chars());
            }
            Change::Word(..) => {}
            Change::Lines(one, other) => {
                let text: String = characters.iter().collect();
                let mut lines: Vec<&str> = text.split('\n').collect();
                let count = lines.len();
                lines.swap(one % count, other % count);
                characters = lines.join("\n").chars().collect();
            }
        }
    }
    characters.into_iter().collect()
}

fn change() -> impl Strategy<Value = Change> {
    let signs =
        proptest::sample::select(vec!['"', '[', ']', '=', '\n', '{', '}', '\'', '(', '.', '\0', '-', '9']);
    prop_oneof![
        (any::<usize>(), 1_usize..40).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<usize>(), 1_usize..200).prop_map(|(at, length)| Change::Twice(at, length)),
        (any::<usize>(), prop_oneof![signs, any::<char>()]).prop_map(|(at, c)| Change::Put(at, c)),
        (any::<usize>(), any::<usize>()).prop_map(|(at, word)| Change::Word(at, word)),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Change::Lines(one, other)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn shipped_files_broken_at_random_never_panic_and_are_told_quickly(
        policy in any::<usize>(), which in any::<usize>(), changes in proptest::collection::vec(change(), 1..6),
    ) {
        let all = shipped();
        let (_, mut files) = all[policy % all.len()].clone();
        let which = which % files.len();
        let (name, text) = (files[which].name.clone(), broken(&files[which].text, &changes));
        files[which].text = text;
        // One scenario is enough, the broken one if it is one.
        let is_scenario = |name: &str| name.starts_with("scenarios/") && name != "scenarios/cast.toml";
        let shown = if is_scenario(&name) {
            name.clone()
        } else {
            files.iter().find(|file| is_scenario(&file.name)).map_or_else(String::new, |file| file.name.clone())
        };
        files.retain(|file| !is_scenario(&file.name) || file.name == shown);
        let checked = soon("the check", || policy::check(&files, &Default::default(), &vocabulary()));
        if let Err(problems) = &checked {
            prop_assert!(!problems.is_empty() && problems.len() <= MOST_PROBLEMS);
            for problem in problems {
                let file = files.iter().find(|file| file.name == problem.file);
                let lines = file.map_or(0, |file| file.text.split('\n').count());
                prop_assert!(problem.line <= lines && !problem.text.is_empty(), "{}", problem);
            }
        }
        for report in soon("a scenario", || scenario::run(&files, &vocabulary())) {
            for (line, text) in &report.failures {
                let file = files.iter().find(|file| file.name == report.file);
                let lines = file.map_or(0, |file| file.text.split('\n').count());
                prop_assert!(*line <= lines && !text.is_empty(), "{}:{}: {}", report.file, line, text);
            }
        }
    }
}
