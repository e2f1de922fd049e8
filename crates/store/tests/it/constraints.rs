//! A broken rule has the same kind and name on both engines.

use store::{Constraint, Error, Migration};

use crate::kit::both;

const SCHEMA: &[Migration] = &[Migration {
    name: "0001_rules",
    sql: "CREATE TABLE parents (
    id BIGINT PRIMARY KEY
);
CREATE TABLE rules (
    id BIGINT PRIMARY KEY,
    number TEXT NOT NULL,
    code TEXT,
    kind TEXT NOT NULL DEFAULT 'a' CHECK (kind IN ('a', 'b')),
    amount BIGINT NOT NULL DEFAULT 0 CONSTRAINT amount_is_not_negative CHECK (amount >= 0),
    parent_id BIGINT REFERENCES parents (id)
);
CREATE UNIQUE INDEX rules_number_key ON rules (number);
CREATE UNIQUE INDEX rules_code_kind_key ON rules (code, kind);
CREATE TABLE pairs (
    a BIGINT NOT NULL,
    b TEXT NOT NULL,
    PRIMARY KEY (a, b)
);
INSERT INTO rules (id, number, code) VALUES (1, 'A', 'x');
INSERT INTO pairs (a, b) VALUES (1, 'x');
",
}];

#[test]
fn names_are_equal() {
    both(async |kit| {
        let db = kit.db.clone();
        tokio::task::spawn_blocking(move || store::migrate(&db, SCHEMA)).await.unwrap().unwrap();
        for (sql, kind, name) in [
            ("INSERT INTO rules (id, number) VALUES (2, 'A')", Constraint::Unique, "rules_number_key"),
            (
                "INSERT INTO rules (id, number, code) VALUES (2, 'B', 'x')",
                Constraint::Unique,
                "rules_code_kind_key",
            ),
            ("INSERT INTO rules (id, number) VALUES (1, 'B')", Constraint::Unique, "rules_pkey"),
            ("INSERT INTO pairs (a, b) VALUES (1, 'x')", Constraint::Unique, "pairs_pkey"),
            (
                "INSERT INTO rules (id, number, parent_id) VALUES (2, 'B', 9)",
                Constraint::ForeignKey,
                "foreign_key",
            ),
            (
                "INSERT INTO rules (id, number, kind) VALUES (2, 'B', 'c')",
                Constraint::Check,
                "rules_kind_check",
            ),
            (
                "INSERT INTO rules (id, number, amount) VALUES (2, 'B', -1)",
                Constraint::Check,
                "amount_is_not_negative",
            ),
            ("INSERT INTO rules (id, number) VALUES (2, NULL)", Constraint::Check, "rules_number_not_null"),
        ] {
            let broken = kit.db.write(move |tx| tx.exec(sql, &[])).await;
            let Err(Error::Constraint { kind: found, name: called }) = broken else {
                panic!("{sql}: {broken:?}");
            };
            assert_eq!((found, called.as_str()), (kind, name), "{sql}");
        }
        assert_eq!(kit.count("SELECT COUNT(*) FROM rules").await, 1);
    });
}
