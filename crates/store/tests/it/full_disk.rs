//! A full disk: nothing is acknowledged that is not there, and work goes on once there is room.

use store::Error;

use crate::kit::{Kit, on_sqlite, options};

const SPACE: &str = "CREATE TABLE blobs (id INTEGER PRIMARY KEY, b BLOB NOT NULL)";

async fn write(kit: &Kit, id: i64) -> Result<u64, Error> {
    kit.db.write(move |tx| tx.exec("INSERT INTO blobs VALUES ($1, zeroblob(100000))", &[id.into()])).await
}

async fn limit(kit: &Kit, pages: i64) {
    kit.db.write(move |tx| tx.count(&format!("PRAGMA max_page_count = {pages}"), &[])).await.unwrap();
}

#[test]
fn nothing_is_acknowledged_and_it_works_again() {
    on_sqlite(&options(), async |kit| {
        kit.schema(&[SPACE]).await;
        limit(kit, 200).await;
        let tasks: Vec<_> = (0..40)
            .map(|id| {
                let db = kit.db.clone();
                tokio::spawn(async move {
                    let sql = "INSERT INTO blobs VALUES ($1, zeroblob(100000))";
                    db.write(move |tx| tx.exec(sql, &[id.into()])).await
                })
            })
            .collect();
        let mut acknowledged = Vec::new();
        for (id, task) in tasks.into_iter().enumerate() {
            match task.await.unwrap() {
                Ok(_) => acknowledged.push((id as i64,)),
                Err(Error::Full) => {}
                Err(error) => panic!("{error}"),
            }
        }
        let kept =
            kit.db.read(|conn| conn.rows::<(i64,)>("SELECT id FROM blobs ORDER BY id", &[])).await.unwrap();
        assert_eq!(kept, acknowledged);
        assert!(kept.len() < 40);
        assert!(!kit.db.is_failed(), "a full disk is not a broken one");
        let more = "INSERT INTO blobs VALUES (-1, zeroblob(10000000))";
        assert!(matches!(kit.db.write(move |tx| tx.exec(more, &[])).await, Err(Error::Full)));
        assert!(kit.db.is_full());
        limit(kit, 1_000_000).await;
        write(kit, 100).await.unwrap();
        assert!(!kit.db.is_full());
        assert_eq!(kit.count("SELECT COUNT(*) FROM blobs").await, kept.len() as i64 + 1);
        assert_eq!(
            kit.db.read(|c| c.value::<String>("PRAGMA integrity_check", &[])).await.unwrap().unwrap(),
            "ok"
        );
    });
}

/// SQLite may roll the whole transaction back by itself; a body that goes on must not commit the rest on its own.
#[test]
fn a_body_that_goes_on_after_a_full_disk_keeps_nothing() {
    on_sqlite(&options(), async |kit| {
        kit.schema(&[SPACE]).await;
        limit(kit, 100).await;
        let outcome = kit
            .db
            .write(|tx| {
                for id in 0..20i64 {
                    let _ = tx.savepoint(|tx| {
                        let sql = "INSERT INTO blobs VALUES ($1, zeroblob($2))";
                        tx.exec(sql, &[id.into(), (if id == 5 { 10_000_000i64 } else { 1000 }).into()])
                    });
                }
                Ok::<_, Error>(())
            })
            .await;
        assert!(matches!(outcome, Err(Error::Full)), "{outcome:?}");
        assert_eq!(kit.count("SELECT COUNT(*) FROM blobs").await, 0);
    });
}
