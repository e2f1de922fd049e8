//! The regulations shipped in `policies/`: each is in order, and each of its scenarios holds.

use policy::SourceFile;
use policy::scenario;

#[path = "../examples/support/vocabulary.rs"]
mod vocabulary;

/// All files of all policies, by the name of their folder.
fn shipped() -> Vec<(String, Vec<SourceFile>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let mut files = Vec::new();
        for (within, folder) in [("", entry.path()), ("scenarios/", entry.path().join("scenarios"))] {
            for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                if name.ends_with(".toml") {
                    let text = std::fs::read_to_string(file.path()).expect("readable");
                    files.push(SourceFile { name: format!("{within}{name}"), text });
                }
            }
        }
        if !files.is_empty() {
            files.sort_by(|a, b| a.name.cmp(&b.name));
            all.push((entry.file_name().to_string_lossy().into_owned(), files));
        }
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

#[test]
fn every_policy_is_in_order_and_every_scenario_holds() {
    let vocabulary = vocabulary::vocabulary();
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
