//! `cargo run -p policy --example policy -- policies/NAME`: checks a policy and runs its scenarios.
use policy::expr::Vocabulary;
use policy::value::{Kind, Ty};

fn main() {
    let dir = std::env::args().nth(1).expect("a folder");
    let mut files = Vec::new();
    for folder in ["", "scenarios/"] {
        let Ok(entries) = std::fs::read_dir(format!("{dir}/{folder}")) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".toml") {
                let text = std::fs::read_to_string(entry.path()).expect("readable");
                files.push(policy::SourceFile { name: format!("{folder}{name}"), text });
            }
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let vocabulary = vocabulary();
    let checked = policy::check(&files, &Default::default(), &vocabulary);
    match &checked {
        Err(problems) => {
            problems.iter().for_each(|problem| println!("{problem}"));
            std::process::exit(1);
        }
        Ok(policy) => println!("{} {} ok", policy.title, policy.version),
    }
    let reports = policy::scenario::run(&files, &vocabulary);
    let mut clauses = std::collections::BTreeSet::new();
    let mut bad = 0;
    for report in &reports {
        println!(
            "{} {} {} {:?}",
            if report.is_green() { "ok  " } else { "FAIL" },
            report.file,
            report.title,
            report.covers
        );
        for (line, text) in &report.failures {
            println!("     {}:{line}: {text}", report.file);
            bad += 1;
        }
        clauses.extend(report.clauses.iter().cloned());
    }
    let policy = checked.expect("checked");
    for clause in &policy.clauses {
        let by: Vec<String> =
            policy.citing(&clause.id).iter().map(|(what, title)| format!("{what}:{title}")).collect();
        let standard = policy.citing(&clause.id).iter().all(|(what, _)| *what == "规范");
        let mark = if clauses.contains(&clause.id) {
            "+"
        } else if standard {
            "s"
        } else {
            "-"
        };
        println!("{mark} {} {}", clause.id, by.join(" | "));
    }
    println!("{} scenarios, {bad} failures", reports.len());
    std::process::exit(i32::from(bad > 0));
}

fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let facts = |all: &[(&str, Ty)]| {
        all.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect::<Vec<_>>()
    };
    let (person, unit, customer) = (Ty::Ref(Kind::Person), Ty::Ref(Kind::Unit), Ty::Ref(Kind::Customer));
    vocabulary.facts.insert(
        Kind::Person,
        facts(&[
            ("name", Ty::Text),
            ("unit", unit.clone()),
            ("superior", person.clone()),
            ("posts", Ty::list(Ty::Text)),
            ("skills", Ty::list(Ty::Text)),
            ("active", Ty::Bool),
        ]),
    );
    vocabulary.facts.insert(
        Kind::Unit,
        facts(&[("name", Ty::Text), ("parent", unit.clone()), ("head", person.clone()), ("kind", Ty::Text)]),
    );
    vocabulary.facts.insert(
        Kind::Customer,
        facts(&[
            ("name", Ty::Text),
            ("number", Ty::Text),
            ("kind", Ty::Text),
            ("class", Ty::Text),
            ("level", Ty::Text),
            ("region", Ty::Text),
            ("status", Ty::Text),
            ("owner", person.clone()),
            ("unit", unit.clone()),
            ("created_at", Ty::Time),
            ("archive_number", Ty::Text),
            ("filed_at", Ty::Time),
            ("marks", Ty::list(Ty::Text)),
        ]),
    );
    vocabulary.facts.insert(
        Kind::Asset,
        facts(&[("name", Ty::Text), ("kind", Ty::Text), ("customer", customer.clone())]),
    );
    vocabulary.facts.insert(Kind::Contact, facts(&[("name", Ty::Text), ("customer", customer.clone())]));
    vocabulary.facts.insert(
        Kind::Case,
        facts(&[
            ("number", Ty::Text),
            ("step", Ty::Text),
            ("outcome", Ty::Text),
            ("owner", person.clone()),
            ("creator", person.clone()),
            ("unit", unit.clone()),
            ("customer", customer.clone()),
            ("opened_at", Ty::Time),
            ("closed_at", Ty::Time),
            ("is_open", Ty::Bool),
        ]),
    );
    let mut event =
        |name: &str, all: &[(&str, Ty)]| drop(vocabulary.events.insert(name.to_owned(), facts(all)));
    let on_customer = [
        ("customer", customer.clone()),
        ("actor", person.clone()),
        ("owner", person.clone()),
        ("unit", unit.clone()),
    ];
    event("customer.created", &on_customer);
    event("customer.updated", &on_customer);
    event(
        "customer.owner_changed",
        &[
            ("customer", customer.clone()),
            ("actor", person.clone()),
            ("from", person.clone()),
            ("to", person.clone()),
            ("unit", unit.clone()),
        ],
    );
    event("contact.created", &on_customer);
    event(
        "activity.created",
        &[
            ("customer", customer.clone()),
            ("actor", person.clone()),
            ("kind", Ty::Text),
            ("owner", person.clone()),
            ("unit", unit.clone()),
            ("at", Ty::Time),
        ],
    );
    event("person.left", &[("person", person.clone()), ("unit", unit.clone())]);
    event("person.transferred", &[("person", person.clone()), ("unit", unit.clone())]);
    event(
        "customer.handed_over",
        &[("customer", customer.clone()), ("from", person.clone()), ("to", person.clone()), ("unit", unit)],
    );
    vocabulary
}
