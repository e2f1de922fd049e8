//! Migrations run once, in order, and refuse a schema they do not know.

use store::{Db, Engine, Error, Migration, Result};

use crate::kit::both;

const FIRST: Migration = Migration {
    name: "0001_first",
    sql: "CREATE TABLE things (
    id BIGINT PRIMARY KEY,
    name TEXT COLLATE \"C\" NOT NULL,
    is_good BOOLEAN NOT NULL DEFAULT TRUE,
    weight DOUBLE PRECISION,
    more JSONB NOT NULL DEFAULT '{}',
    raw BYTEA
);
-- only sqlite
CREATE TABLE engines (name TEXT) STRICT;
INSERT INTO engines VALUES ('sqlite');
-- end
-- only postgres
CREATE TABLE engines (name TEXT, only_here BOOLEAN);
INSERT INTO engines VALUES ('postgres', TRUE);
-- end
",
};
const SECOND: Migration =
    Migration { name: "0002_second", sql: "ALTER TABLE things ADD COLUMN colour TEXT NOT NULL DEFAULT '';" };
const CHANGED: Migration =
    Migration { name: "0001_first", sql: "CREATE TABLE things (id BIGINT PRIMARY KEY);" };
const BROKEN: Migration = Migration {
    name: "0003_broken",
    sql: "CREATE TABLE half (id BIGINT PRIMARY KEY);\nCREATE UNIQUE INDEX things_colour_key ON things (colour);",
};

async fn migrate(db: &Db, migrations: &'static [Migration]) -> Result<Vec<&'static str>> {
    let db = db.clone();
    tokio::task::spawn_blocking(move || store::migrate(&db, migrations)).await.unwrap()
}

#[test]
fn each_runs_once() {
    both(async |kit| {
        assert_eq!(migrate(&kit.db, &[FIRST]).await.unwrap(), ["0001_first"]);
        assert!(migrate(&kit.db, &[FIRST]).await.unwrap().is_empty());
        assert_eq!(migrate(&kit.db, &[FIRST, SECOND]).await.unwrap(), ["0002_second"]);
        assert!(migrate(&kit.db, &[FIRST, SECOND]).await.unwrap().is_empty());
        let name = if kit.db.engine() == Engine::Sqlite { "sqlite" } else { "postgres" };
        let found = kit.db.read(|conn| conn.value::<String>("SELECT name FROM engines", &[])).await.unwrap();
        assert_eq!(found.as_deref(), Some(name));
        kit.schema(&["INSERT INTO things (id, name) VALUES (1, '甲')"]).await;
        let row = kit
            .db
            .read(|conn| {
                conn.row::<(String, bool, Option<f64>, serde_json::Value, String)>(
                    "SELECT name, is_good, weight, more, colour FROM things",
                    &[],
                )
            })
            .await
            .unwrap();
        assert_eq!(row, Some(("甲".into(), true, None, serde_json::json!({}), String::new())));
    });
}

#[test]
fn an_unknown_or_changed_one_is_refused() {
    both(async |kit| {
        migrate(&kit.db, &[FIRST, SECOND]).await.unwrap();
        let older = migrate(&kit.db, &[FIRST]).await;
        assert!(matches!(older, Err(Error::Schema(_))), "{older:?}");
        let edited = migrate(&kit.db, &[CHANGED, SECOND]).await;
        assert!(matches!(edited, Err(Error::Schema(_))), "{edited:?}");
    });
}

#[test]
fn a_failing_one_leaves_nothing_and_says_so() {
    both(async |kit| {
        migrate(&kit.db, &[FIRST, SECOND]).await.unwrap();
        kit.schema(&["INSERT INTO things (id, name) VALUES (1, '甲'), (2, '乙')"]).await;
        let broken = migrate(&kit.db, &[FIRST, SECOND, BROKEN]).await;
        assert!(matches!(broken, Err(Error::Constraint { .. })), "{broken:?}");
        kit.schema(&["CREATE TABLE half (id BIGINT PRIMARY KEY)"]).await;
        assert_eq!(kit.count("SELECT COUNT(*) FROM schema_migrations").await, 2);
    });
}

#[test]
fn many_servers_may_start_at_once() {
    both(async |kit| {
        // The register's creation is what collides, and only now and then: a few fresh starts.
        for _ in 0..10 {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let db = kit.db.clone();
                    tokio::spawn(async move { migrate(&db, &[FIRST, SECOND]).await })
                })
                .collect();
            let mut ran = 0;
            for task in tasks {
                ran += task.await.unwrap().unwrap().len();
            }
            assert_eq!(ran, 2);
            assert_eq!(kit.count("SELECT COUNT(*) FROM engines").await, 1);
            kit.schema(&["DROP TABLE schema_migrations", "DROP TABLE engines", "DROP TABLE things"]).await;
        }
    });
}
