//! The regulations shipped in `policies/`: each is in order, and each of its scenarios holds.

use policy::scenario;

mod support;

use support::{shipped, vocabulary};

#[test]
fn every_policy_is_in_order_and_every_scenario_holds() {
    let vocabulary = vocabulary();
    let mut failures = Vec::new();
    let policies = shipped();
    assert!(policies.len() >= 3);
    for (name, files) in policies {
        match policy::check(&files, &Default::default(), &vocabulary) {
            Ok(policy) => assert_eq!(policy.id, name, "a policy is called as its folder"),
            Err(problems) => {
                failures.extend(problems.iter().map(|problem| format!("{name}/{problem}")));
                continue;
            }
        }
        for report in scenario::run(&files, &vocabulary) {
            let said = report.failures.iter();
            failures.extend(said.map(|(line, text)| format!("{name}/{}:{line}: {text}", report.file)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What people read of a policy as a whole: who made it, who explains it, since when it holds.
// covers: RT-19, VF-25
#[test]
fn every_policy_tells_who_enacted_and_who_explains_it_and_since_when() {
    let entry = |name: &str| {
        let (_, files) = shipped().into_iter().find(|(known, _)| known == name).expect("shipped");
        let policy = policy::check(&files, &Default::default(), &vocabulary()).expect("in order");
        policy::show::show(&policy)
    };
    let has = |text: &str, lines: &[&str]| {
        for line in lines {
            assert!(text.lines().any(|known| known.trim() == *line), "{line}: {text}");
        }
    };
    let complaints = entry("retail-complaints");
    has(
        &complaints,
        &["《门店客户投诉处理办法》 1.0 版", "解释：行政人事部", "批准：总经理", "施行：2024-07-01"],
    );
    assert!(complaints.contains("第二十八条 施行与解释"), "{complaints}");
    let customers = entry("vip-customers");
    has(&customers, &["《VIP客户管理办法》 1.0 版", "解释：市场推广部", "批准：总经理", "施行：2013-07-01"]);
    assert!(customers.contains("1.9 解释与施行"), "{customers}");
}
