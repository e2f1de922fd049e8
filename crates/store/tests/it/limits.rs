//! Queues, reads and the write-ahead log have limits.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use store::{Error, Options};

use crate::kit::{INSERT, TABLE, both_with, on_sqlite, options};

#[test]
fn a_full_queue_answers_busy_and_recovers() {
    both_with(&Options { writers: 1, readers: 1, queue: 2, ..options() }, async |kit| {
        kit.schema(&[TABLE]).await;
        let (running, is_running) = channel();
        let (go, wait_go) = channel::<()>();
        let wait_go = Mutex::new(wait_go);
        let db = kit.db.clone();
        let blocking = tokio::spawn(async move {
            db.write(move |_| {
                running.send(()).unwrap();
                wait_go.lock().unwrap().recv().unwrap();
                Ok::<_, Error>(())
            })
            .await
        });
        tokio::task::spawn_blocking(move || is_running.recv().unwrap()).await.unwrap();
        let (outcomes, _) = tokio::join!(
            async { tokio::join!(kit.add(1, 1), kit.add(2, 1), kit.add(3, 1), kit.add(4, 1)) },
            async { go.send(()).unwrap() }
        );
        assert!(outcomes.0.is_ok() && outcomes.1.is_ok());
        assert!(matches!(outcomes.2, Err(Error::Busy)) && matches!(outcomes.3, Err(Error::Busy)));
        blocking.await.unwrap().unwrap();
        kit.add(5, 1).await.unwrap();
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 3);
    });
}

#[test]
fn a_read_that_takes_too_long_is_ended() {
    both_with(&Options { read_limit: Duration::from_millis(300), ..options() }, async |kit| {
        let endless =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
        let ended = kit.db.read(move |conn| conn.count(endless, &[])).await;
        assert!(matches!(ended, Err(Error::Busy)), "{ended:?}");
        let ended = kit.db.snapshot(move |conn| conn.count(endless, &[])).await;
        assert!(matches!(ended, Err(Error::Busy)), "{ended:?}");
        assert_eq!(kit.count("SELECT CAST(1 AS BIGINT)").await, 1);
    });
}

/// A reader in another process that never ends: the log stops growing, changes are refused, and go on afterwards.
#[test]
fn the_write_ahead_log_stays_bounded_with_a_parked_reader() {
    on_sqlite(&Options { log_limit: 8 << 20, ..options() }, async |kit| {
        kit.schema(&["CREATE TABLE blobs (id INTEGER PRIMARY KEY, b BLOB NOT NULL)"]).await;
        let size = || std::fs::metadata(kit.log()).map_or(0, |m| m.len());
        let write = async |id: i64| {
            kit.db
                .write(move |tx| {
                    let sql = "INSERT INTO blobs VALUES ($1, zeroblob(1000000)) ON CONFLICT (id) DO UPDATE SET b = zeroblob(1000001)";
                    tx.exec(sql, &[(id % 5).into()])
                })
                .await
        };
        write(0).await.unwrap();
        let parked = rusqlite::Connection::open(kit.path()).unwrap();
        parked.execute_batch("BEGIN; SELECT COUNT(*) FROM blobs").unwrap();
        let mut refused = 0;
        for id in 0..20 {
            match write(id).await {
                Ok(_) => {}
                Err(Error::Busy) => {
                    refused += 1;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
            assert!(size() <= 11 << 20, "{}", size());
        }
        assert_eq!(refused, 1);
        parked.execute_batch("COMMIT").unwrap();
        for id in 0..30 {
            write(id).await.unwrap();
        }
        assert!(size() <= 11 << 20, "{}", size());
    });
}

/// Without anybody in the way the log is kept small beside the writes.
#[test]
fn the_write_ahead_log_is_emptied_along_the_way() {
    on_sqlite(&Options { log_limit: 4 << 20, ..options() }, async |kit| {
        kit.schema(&[TABLE, "CREATE TABLE blobs (b BLOB NOT NULL)"]).await;
        for n in 0..60 {
            kit.db
                .write(move |tx| {
                    tx.exec(INSERT, &[n.into(), n.into()])?;
                    tx.exec("INSERT INTO blobs VALUES (zeroblob(500000))", &[])
                })
                .await
                .unwrap();
        }
        let size = std::fs::metadata(kit.log()).map_or(0, |m| m.len());
        assert!(size <= 8 << 20, "{size}");
    });
}
