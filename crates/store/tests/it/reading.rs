//! What readers see.

use std::ops::ControlFlow;

use store::Error;
use tokio::sync::oneshot;

use crate::kit::{INSERT, TABLE, both};

#[test]
fn reads_see_committed_rows_only() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let (inside, wait_inside) = std::sync::mpsc::channel();
        let (go, wait_go) = std::sync::mpsc::channel::<()>();
        let wait_go = std::sync::Mutex::new(wait_go);
        let db = kit.db.clone();
        let writing = tokio::spawn(async move {
            db.write(move |tx| {
                tx.exec(INSERT, &[1.into(), 1.into()])?;
                inside.send(()).unwrap();
                wait_go.lock().unwrap().recv().unwrap();
                tx.count("SELECT COUNT(*) FROM t", &[])
            })
            .await
        });
        tokio::task::spawn_blocking(move || wait_inside.recv().unwrap()).await.unwrap();
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 0, "the row is not committed yet");
        go.send(()).unwrap();
        assert_eq!(writing.await.unwrap().unwrap(), 1, "the writer sees its own row");
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 1, "read your writes");
    });
}

#[test]
fn a_snapshot_stands_still_and_a_read_moves_on() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        for (frozen, expected) in [(true, (0, 0)), (false, (1, 2))] {
            let (first, first_seen) = oneshot::channel();
            let (go, wait_go) = std::sync::mpsc::channel::<()>();
            let body = move |conn: &mut store::Conn<'_>| {
                let before = conn.count("SELECT COUNT(*) FROM t", &[])?;
                first.send(()).unwrap();
                wait_go.recv().unwrap();
                Ok::<_, Error>((before, conn.count("SELECT COUNT(*) FROM t", &[])?))
            };
            let db = kit.db.clone();
            let reading =
                tokio::spawn(
                    async move { if frozen { db.snapshot(body).await } else { db.read(body).await } },
                );
            first_seen.await.unwrap();
            kit.add(store::new_id(), 1).await.unwrap();
            go.send(()).unwrap();
            assert_eq!(reading.await.unwrap().unwrap(), expected);
        }
    });
}

#[test]
fn readers_cannot_write() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let refused =
            kit.db.read(|conn| conn.rows::<(i64,)>("INSERT INTO t VALUES (1, 1) RETURNING id", &[])).await;
        assert!(matches!(refused, Err(Error::Sql(_))), "{refused:?}");
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 0);
    });
}

#[test]
fn a_failed_or_panicking_read_leaves_its_reader_alive() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        kit.add(1, 1).await.unwrap();
        for _ in 0..6 {
            let refused = kit.db.read(|conn| conn.count("SELECT nonsense FROM t", &[])).await;
            assert!(matches!(refused, Err(Error::Sql(_))), "{refused:?}");
            let body = |conn: &mut store::Conn<'_>| -> Result<i64, Error> {
                conn.each("SELECT n FROM t", &[], |_| -> Result<ControlFlow<()>, Error> {
                    panic!("in a row")
                })?;
                Ok(0)
            };
            assert!(matches!(kit.db.read(body).await, Err(Error::Panicked)));
            assert!(matches!(kit.db.snapshot(body).await, Err(Error::Panicked)));
            let refused = kit.db.snapshot(|conn| conn.count("SELECT nonsense FROM t", &[])).await;
            assert!(matches!(refused, Err(Error::Sql(_))), "{refused:?}");
            assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 1);
        }
    });
}

#[test]
fn going_through_rows_can_end_early() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let rows: Vec<_> = (1..=2000i64).map(|n| vec![n.into(), n.into()]).collect();
        kit.db.write(move |tx| tx.insert_rows("INSERT INTO t (id, n)", &rows, "")).await.unwrap();
        let seen = kit
            .db
            .read(|conn| {
                let mut seen = Vec::new();
                conn.each("SELECT n FROM t ORDER BY n", &[], |row| {
                    seen.push(row.get::<i64>(0)?);
                    Ok::<_, Error>(if seen.len() == 3 {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                })?;
                // The same connection goes on at once.
                seen.push(conn.count("SELECT COUNT(*) FROM t", &[])?);
                Ok::<_, Error>(seen)
            })
            .await
            .unwrap();
        assert_eq!(seen, [1, 2, 3, 2000]);
    });
}

#[test]
fn statements_survive_a_change_of_the_schema() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        kit.add(1, 5).await.unwrap();
        // Every reader and writer has the statement prepared.
        for _ in 0..8 {
            assert_eq!(kit.count("SELECT n FROM t").await, 5);
            let through = kit.db.write(|tx| tx.rows::<(i64, i64)>("SELECT * FROM t", &[])).await.unwrap();
            assert_eq!(through, [(1, 5)]);
            let through = kit.db.read(|conn| conn.rows::<(i64, i64)>("SELECT * FROM t", &[])).await.unwrap();
            assert_eq!(through, [(1, 5)]);
        }
        kit.schema(&["ALTER TABLE t ADD COLUMN more TEXT NOT NULL DEFAULT 'x'"]).await;
        for _ in 0..8 {
            let rows =
                kit.db.read(|conn| conn.rows::<(i64, i64, String)>("SELECT * FROM t", &[])).await.unwrap();
            assert_eq!(rows, [(1, 5, "x".to_owned())]);
            let rows =
                kit.db.write(|tx| tx.rows::<(i64, i64, String)>("SELECT * FROM t", &[])).await.unwrap();
            assert_eq!(rows, [(1, 5, "x".to_owned())]);
        }
    });
}
