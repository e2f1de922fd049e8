//! A database moves from one engine to the other and back without a difference.

use std::ops::ControlFlow;

use serde_json::json;
use store::{Error, Migration, Value};

use crate::kit::{Kit, options};

const SCHEMA: &[Migration] = &[Migration {
    name: "0001_all",
    sql: "CREATE TABLE parents (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL
);
CREATE TABLE everything (
    id BIGINT PRIMARY KEY,
    parent_id BIGINT REFERENCES parents (id),
    t TEXT,
    r DOUBLE PRECISION,
    b BOOLEAN,
    j JSONB
);
",
}];
const TABLES: &[&str] = &["parents", "everything"];

fn fill(kit: &Kit) {
    kit.db
        .write_blocking(|tx| {
            tx.exec("INSERT INTO parents (id, name) VALUES ($1, $2)", &[1.into(), "集团".into()])?;
            let texts = [
                "",
                "张三",
                "O'Brien \"x\"",
                "😀\r\n\t\\",
                "{not json",
                "[1, 2",
                "{\"a\": 1.0}",
                "n",
                "null",
            ];
            let reals = [0.0, -0.0, 0.1, 1e300, -2.5, f64::INFINITY];
            let jsons = [
                json!({"b": 1, "a": [1.0, 100.0, 1e20, 0.5, -0.0, null], "客": "😀\"'"}),
                json!([]),
                json!("text"),
                json!(null),
                json!({"deep": {"z": {"y": [{"x": true}]}}}),
            ];
            for n in 0..1234usize {
                let null = n % 7 == 0;
                let keep = |value: Value<'static>| if null { Value::Null } else { value };
                tx.exec(
                    "INSERT INTO everything (id, parent_id, t, r, b, j) VALUES ($1, $2, $3, $4, $5, $6)",
                    &[
                        store::new_id().into(),
                        keep(1.into()),
                        keep(texts[n % texts.len()].to_owned().into()),
                        keep(reals[n % reals.len()].into()),
                        keep((n % 2 == 0).into()),
                        keep(jsons[n % jsons.len()].clone().into()),
                    ],
                )?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
}

fn copy(from: &Kit, to: &Kit) -> store::CopyReport {
    store::migrate(&to.db, SCHEMA).unwrap();
    let report = store::copy_tables(&from.db, &to.db, TABLES, |_, _| ControlFlow::Continue(())).unwrap();
    assert!(report.is_equal(), "{report:#?}");
    assert_eq!(report.tables[1].to.0, 1234);
    report
}

#[test]
fn there_and_back() {
    let first = Kit::sqlite(&options());
    store::migrate(&first.db, SCHEMA).unwrap();
    fill(&first);
    let second = Kit::postgres(&options()).unwrap_or_else(|| Kit::sqlite(&options()));
    let third = Kit::sqlite(&options());
    let there = copy(&first, &second);
    let back = copy(&second, &third);
    assert_eq!(there.tables, back.tables);
}

#[test]
fn a_difference_shows() {
    let first = Kit::sqlite(&options());
    store::migrate(&first.db, SCHEMA).unwrap();
    fill(&first);
    let digest = |kit: &Kit| kit.db.read_blocking(|conn| store::digest_table(conn, "everything")).unwrap();
    let before = digest(&first);
    for change in [
        "UPDATE everything SET t = '李四' WHERE id = (SELECT MAX(id) FROM everything)",
        "UPDATE everything SET t = NULL WHERE id = (SELECT MIN(id) FROM everything WHERE t = '')",
        "UPDATE everything SET j = '{\"a\": 2}' WHERE id = (SELECT MAX(id) FROM everything)",
        "DELETE FROM everything WHERE id = (SELECT MIN(id) FROM everything)",
    ] {
        let last = digest(&first);
        first.db.write_blocking(move |tx| tx.exec(change, &[])).unwrap();
        assert_ne!(digest(&first), last, "{change}");
    }
    assert_ne!(digest(&first), before);
}

#[test]
fn a_target_that_is_not_empty_is_refused() {
    let (first, second) = (Kit::sqlite(&options()), Kit::sqlite(&options()));
    for kit in [&first, &second] {
        store::migrate(&kit.db, SCHEMA).unwrap();
    }
    fill(&second);
    let refused =
        store::copy_tables(&first.db, &second.db, TABLES, |_, _| ControlFlow::Continue(())).map(drop);
    assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
}

#[test]
fn a_copy_is_of_one_instant_whoever_writes_meanwhile() {
    for from in [Some(Kit::sqlite(&options())), Kit::postgres(&options())].into_iter().flatten() {
        store::migrate(&from.db, SCHEMA).unwrap();
        fill(&from);
        let before = from.db.read_blocking(|conn| store::digest_table(conn, "everything")).unwrap();
        let to = Kit::sqlite(&options());
        store::migrate(&to.db, SCHEMA).unwrap();
        let others = from.db.clone();
        let report = store::copy_tables(&from.db, &to.db, TABLES, move |table, _| {
            // A child of a parent the copy does not have, and a change of a row it has not reached.
            let id = store::new_id();
            let written = others.write_blocking(move |tx| {
                tx.exec("INSERT INTO parents (id, name) VALUES ($1, '后来')", &[id.into()])?;
                tx.exec("INSERT INTO everything (id, parent_id) VALUES ($1, $1)", &[id.into()])?;
                tx.exec("UPDATE everything SET t = '改' WHERE id = (SELECT MAX(id) FROM everything)", &[])
            });
            assert!(written.is_ok(), "{table}: {written:?}");
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(report.is_equal(), "{report:#?}");
        assert_eq!(report.tables[1].to, before);
        let now = from.db.read_blocking(|conn| store::digest_table(conn, "everything")).unwrap();
        assert_ne!(now, before, "the others did write");
    }
}

#[test]
fn a_copy_that_is_cancelled_says_so() {
    let (first, second) = (Kit::sqlite(&options()), Kit::sqlite(&options()));
    for kit in [&first, &second] {
        store::migrate(&kit.db, SCHEMA).unwrap();
    }
    fill(&first);
    let ended = store::copy_tables(&first.db, &second.db, TABLES, |_, _| ControlFlow::Break(())).map(drop);
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
    let file = first.path().parent().unwrap().join("copy.sqlite");
    let ended = first.db.copy_to_file(&file, |_, _| ControlFlow::Break(()));
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
}

#[test]
fn a_file_is_copied_while_others_write_and_read_where_nothing_may_be_written() {
    let kit = Kit::sqlite(&options());
    store::migrate(&kit.db, SCHEMA).unwrap();
    fill(&kit);
    // Larger than one step, so that others come in between.
    kit.db
        .write_blocking(|tx| {
            for _ in 0..200 {
                let text = "客".repeat(50_000);
                let values = [store::new_id().into(), text.into()];
                tx.exec("INSERT INTO everything (id, t) VALUES ($1, $2)", &values)?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    let before = kit.db.read_blocking(|conn| store::digest_table(conn, "everything")).unwrap();
    let folder = kit.path().parent().unwrap().join("copies, 100% ?#");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("copy.sqlite");
    let others = kit.db.clone();
    let (heard, hear) = std::sync::mpsc::channel();
    kit.db
        .copy_to_file(&file, move |done, all| {
            heard.send((done, all)).unwrap();
            let id = store::new_id();
            others
                .write_blocking(move |tx| tx.exec("INSERT INTO everything (id) VALUES ($1)", &[id.into()]))
                .unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    let steps: Vec<(u64, u64)> = hear.iter().collect();
    assert!(steps.len() > 2, "{steps:?}");
    assert!(steps.windows(2).all(|w| w[0].0 < w[1].0), "it never began anew: {steps:?}");
    let copied = store::read_file(&file, |conn| {
        let whole: Option<String> = conn.value("PRAGMA integrity_check", &[])?;
        assert_eq!(whole.as_deref(), Some("ok"));
        assert!(conn.size_bytes()? > 20_000_000);
        store::digest_table(conn, "everything")
    });
    assert_eq!(copied.unwrap(), before);
    let beside: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(beside, ["copy.sqlite"]);
    let missing = store::read_file(&folder.join("none"), |conn| conn.count("SELECT 1", &[])).map(drop);
    assert!(matches!(missing, Err(Error::Config(_))), "{missing:?}");
}
