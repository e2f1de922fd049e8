//! Transactions: joined commits, savepoints, failures that undo themselves and nothing else.

use store::{Db, Error, Tx, Value};

use crate::kit::{INSERT, TABLE, both};

#[test]
fn many_writers_at_once_are_all_durable_and_one_failure_undoes_itself() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let tasks: Vec<_> = (0..64i64)
            .map(|n| {
                let db = kit.db.clone();
                tokio::spawn(async move {
                    db.write(move |tx| {
                        tx.exec(INSERT, &[n.into(), n.into()])?;
                        tx.exec(INSERT, &[(1000 + n).into(), n.into()])?;
                        match n {
                            13 => Err(Error::Config("the body says no".into())),
                            17 => tx.exec(INSERT, &[n.into(), 0.into()]).map(drop),
                            19 => panic!("a bug"),
                            _ => Ok(()),
                        }
                    })
                    .await
                })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            let outcome = task.await.unwrap();
            match n {
                13 => assert!(matches!(outcome, Err(Error::Config(_))), "{outcome:?}"),
                17 => assert!(outcome.unwrap_err().is_unique("t_pkey")),
                19 => assert!(matches!(outcome, Err(Error::Panicked)), "{outcome:?}"),
                _ => outcome.unwrap(),
            }
        }
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 61 * 2);
        assert_eq!(kit.count("SELECT COUNT(*) FROM t WHERE n IN (13, 17, 19)").await, 0);
        // Another process sees them too: the file, or the server, has them.
        let again = {
            let location = kit.location.clone();
            tokio::task::spawn_blocking(move || {
                let db = Db::open(&location, &crate::kit::options())?;
                db.read_blocking(|conn| conn.count("SELECT COUNT(*) FROM t", &[]))
            })
        };
        assert_eq!(again.await.unwrap().unwrap(), 61 * 2);
    });
}

#[test]
fn a_panicking_body_leaves_its_writer_alive() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        for n in 0..8 {
            let outcome = kit
                .db
                .write(move |tx| -> Result<(), Error> {
                    tx.savepoint(|tx| {
                        tx.exec(INSERT, &[n.into(), 1.into()])?;
                        panic!("inside a savepoint")
                    })
                })
                .await;
            assert!(matches!(outcome, Err(Error::Panicked)));
            kit.add(100 + n, 1).await.unwrap();
        }
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 8);
    });
}

/// Imports lean on this: a bad row costs only itself.
#[test]
fn a_savepoint_takes_back_its_own_changes_only() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let bad = kit
            .db
            .write(|tx| {
                let mut bad = Vec::new();
                for n in 0..10i64 {
                    let row = tx.savepoint(|tx| {
                        tx.exec(INSERT, &[n.into(), n.into()])?;
                        // An inner failure that the outer step survives.
                        let inner = tx.savepoint(|tx| tx.exec(INSERT, &[n.into(), 0.into()]));
                        assert!(inner.unwrap_err().is_unique("t_pkey"));
                        match n % 3 {
                            0 => tx.exec(INSERT, &[n.into(), 0.into()]).map(drop),
                            1 => Err(Error::NoRow),
                            _ => Ok(()),
                        }
                    });
                    if row.is_err() {
                        bad.push(n);
                    }
                }
                Ok::<_, Error>(bad)
            })
            .await
            .unwrap();
        assert_eq!(bad, [0, 1, 3, 4, 6, 7, 9]);
        let kept =
            kit.db.read(|conn| conn.rows::<(i64,)>("SELECT id FROM t ORDER BY id", &[])).await.unwrap();
        assert_eq!(kept, [(2,), (5,), (8,)]);
    });
}

/// PostgreSQL gives up a transaction at its first error and would answer COMMIT with a quiet ROLLBACK.
#[test]
fn a_swallowed_error_cannot_be_acknowledged() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        kit.add(1, 1).await.unwrap();
        let swallow = |tx: &mut Tx<'_>| -> Result<(), Error> {
            tx.exec(INSERT, &[2.into(), 2.into()])?;
            let _ = tx.exec(INSERT, &[1.into(), 2.into()]);
            // Refused with the first error, like everything after it.
            assert!(tx.exec(INSERT, &[3.into(), 2.into()]).unwrap_err().is_unique("t_pkey"));
            assert!(tx.savepoint(|_| Ok::<_, Error>(())).unwrap_err().is_unique("t_pkey"));
            assert!(tx.count("SELECT COUNT(*) FROM t", &[]).unwrap_err().is_unique("t_pkey"));
            Ok(())
        };
        assert!(kit.db.write(swallow).await.unwrap_err().is_unique("t_pkey"));
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 1);

        // Inside a savepoint: only the savepoint is lost.
        let outcome = kit
            .db
            .write(move |tx| {
                tx.exec(INSERT, &[5.into(), 5.into()])?;
                assert!(tx.savepoint(swallow).unwrap_err().is_unique("t_pkey"));
                tx.exec(INSERT, &[6.into(), 5.into()])
            })
            .await;
        assert_eq!(outcome.unwrap(), 1);
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 3);
    });
}

#[test]
fn many_rows_go_in_with_one_call() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let rows: Vec<Vec<Value<'static>>> = (0..10_007i64).map(|n| vec![n.into(), (n * 2).into()]).collect();
        let sent = rows.clone();
        let changed =
            kit.db.write(move |tx| tx.insert_rows("INSERT INTO t (id, n)", &sent, "")).await.unwrap();
        assert_eq!(changed, 10_007);
        let tail = "ON CONFLICT (id) DO UPDATE SET n = excluded.n + 1";
        let changed =
            kit.db.write(move |tx| tx.insert_rows("INSERT INTO t (id, n)", &rows, tail)).await.unwrap();
        assert_eq!(changed, 10_007);
        assert_eq!(kit.count("SELECT CAST(SUM(n) AS BIGINT) FROM t").await, 10_006 * 10_007 + 10_007);
        assert_eq!(kit.db.write(|tx| tx.insert_rows("INSERT INTO t (id, n)", &[], "")).await.unwrap(), 0);
    });
}

#[test]
fn writers_know_their_slot() {
    both(async |kit| {
        let mut slots = Vec::new();
        for _ in 0..8 {
            slots.push(kit.db.write(|tx| Ok::<_, Error>(tx.slot())).await.unwrap());
        }
        let most = if kit.db.engine() == store::Engine::Sqlite { 0 } else { 3 };
        assert!(slots.iter().all(|slot| (0..=most).contains(slot)), "{slots:?}");
    });
}

/// That somebody was refused is known though what he did was taken back.
#[test]
fn what_lasts_is_written_though_its_transaction_is_taken_back() {
    both(async |kit| {
        kit.schema(&[TABLE]).await;
        let note = |n: i64| move |tx: &mut Tx<'_>| tx.exec(INSERT, &[(1000 + n).into(), n.into()]).map(drop);
        for n in 0..4 {
            let outcome = kit
                .db
                .write(move |tx| {
                    tx.exec(INSERT, &[n.into(), n.into()])?;
                    tx.lasting(note(n));
                    match n {
                        0 => Ok(()),
                        1 => Err(Error::Config("refused".into())),
                        // A statement that failed has ended the transaction.
                        2 => tx.exec(INSERT, &[n.into(), n.into()]).map(drop),
                        _ => panic!("a bug"),
                    }
                })
                .await;
            assert_eq!(outcome.is_ok(), n == 0);
        }
        assert_eq!(kit.count("SELECT COUNT(*) FROM t WHERE id < 4").await, 1);
        assert_eq!(kit.count("SELECT COUNT(*) FROM t WHERE id >= 1000").await, 4);
        // One that cannot be written costs only itself, and the next write is as good as ever.
        let refused = kit
            .db
            .write(move |tx| {
                tx.lasting(note(0));
                Err::<(), _>(Error::Config("refused".into()))
            })
            .await;
        assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
        kit.add(500, 1).await.unwrap();
        // Inside a savepoint that is taken back it lasts too.
        let kept = kit
            .db
            .write(move |tx| {
                let step = tx.savepoint(|tx| {
                    tx.lasting(note(7));
                    Err::<(), _>(Error::Config("refused".into()))
                });
                assert!(step.is_err());
                Ok::<_, Error>(())
            })
            .await;
        kept.unwrap();
        assert_eq!(kit.count("SELECT COUNT(*) FROM t WHERE id = 1007").await, 1);
    });
}
