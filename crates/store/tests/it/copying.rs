//! A database moves from one engine to the other and back without a difference.

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
    let report = store::copy_tables(&from.db, &to.db, TABLES, |_, _| {}).unwrap();
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
    let refused = store::copy_tables(&first.db, &second.db, TABLES, |_, _| {}).map(drop);
    assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
}
