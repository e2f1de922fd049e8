//! What only a server can do to us: collide, cut connections, change under us.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store::{Error, Options};

use crate::kit::{INSERT, Kit, TABLE, on_postgres, options};

/// Runs a statement beside the store.
async fn beside(kit: &Kit, sql: &'static str) {
    let url = kit.url().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        client.simple_query(sql).unwrap();
    });
    ran.await.unwrap();
}

const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[test]
fn a_body_runs_again_after_a_collision() {
    on_postgres(&options(), async |kit| {
        kit.schema(&[TABLE]).await;
        kit.add(1, 0).await.unwrap();
        let runs = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (db, runs) = (kit.db.clone(), Arc::clone(&runs));
                tokio::spawn(async move {
                    db.write(move |tx| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        tx.exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", &[])?;
                        let n = tx.count("SELECT n FROM t WHERE id = 1", &[])?;
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        tx.exec("UPDATE t SET n = $1 WHERE id = 1", &[(n + 1).into()])
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(kit.count("SELECT n FROM t").await, 4, "no update is lost");
        assert!(runs.load(Ordering::SeqCst) > 4, "somebody ran twice");
    });
}

/// A deadlock inside a savepoint is not a bad row: the whole body runs again.
#[test]
fn a_deadlock_inside_a_savepoint_runs_the_body_again() {
    on_postgres(&options(), async |kit| {
        kit.schema(&[TABLE]).await;
        kit.add(1, 0).await.unwrap();
        kit.add(2, 0).await.unwrap();
        let add = |first: i64, second: i64| {
            let db = kit.db.clone();
            async move {
                db.write(move |tx| {
                    let sql = "UPDATE t SET n = n + 1 WHERE id = $1";
                    tx.exec(sql, &[first.into()])?;
                    std::thread::sleep(std::time::Duration::from_millis(100));
                    tx.savepoint(|tx| tx.exec(sql, &[second.into()]))
                })
                .await
            }
        };
        let (a, b) = tokio::join!(add(1, 2), add(2, 1));
        a.unwrap();
        b.unwrap();
        assert_eq!(kit.count("SELECT CAST(SUM(n) AS BIGINT) FROM t").await, 4);
    });
}

#[test]
fn cut_connections_are_opened_again() {
    on_postgres(&Options { writers: 1, readers: 1, ..options() }, async |kit| {
        kit.schema(&[TABLE]).await;
        kit.add(1, 1).await.unwrap();
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 1);
        beside(kit, CUT).await;
        kit.add(2, 1).await.unwrap();
        // Readers ask a connection that lay idle before they trust it.
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 2);
    });
}

#[test]
fn a_connection_cut_in_the_middle_leaves_nothing() {
    on_postgres(&Options { writers: 1, readers: 1, ..options() }, async |kit| {
        kit.schema(&[TABLE]).await;
        let outcome = kit
            .db
            .write(|tx| {
                tx.exec(INSERT, &[1.into(), 1.into()])?;
                tx.rows::<(bool,)>("SELECT pg_terminate_backend(pg_backend_pid())", &[])?;
                tx.exec(INSERT, &[2.into(), 1.into()])
            })
            .await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
        kit.add(3, 1).await.unwrap();
        let left = kit.db.read(|conn| conn.rows::<(i64,)>("SELECT id FROM t", &[])).await.unwrap();
        assert_eq!(left, [(3,)]);
        // A read that is cut says so, and the next one has a connection again.
        let cut = kit
            .db
            .read(|conn| conn.rows::<(bool,)>("SELECT pg_terminate_backend(pg_backend_pid())", &[]))
            .await;
        assert!(matches!(cut, Err(Error::Unavailable(_))), "{cut:?}");
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 1);
    });
}

/// The limit on a read's time belongs to the connection: a new one has it too.
#[test]
fn a_connection_opened_again_keeps_the_limit_on_reads() {
    let limit = std::time::Duration::from_millis(300);
    on_postgres(&Options { writers: 1, readers: 1, read_limit: limit, ..options() }, async |kit| {
        assert_eq!(kit.count("SELECT CAST(1 AS BIGINT)").await, 1);
        beside(kit, CUT).await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let slow = kit.db.read(|conn| conn.rows::<(i64,)>("SELECT 1::bigint FROM pg_sleep(5)", &[])).await;
        assert!(matches!(slow, Err(Error::Busy)), "{slow:?}");
    });
}

#[test]
fn a_server_gone_for_good_answers_unavailable() {
    on_postgres(&options(), async |kit| {
        kit.schema(&[TABLE]).await;
        let name = kit.url().rsplit('/').next().unwrap().to_owned();
        let server = std::env::var("KEHU_TEST_POSTGRES").unwrap();
        tokio::task::spawn_blocking(move || {
            let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
            client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
        })
        .await
        .unwrap();
        for _ in 0..2 {
            assert!(matches!(kit.add(1, 1).await, Err(Error::Unavailable(_))));
        }
    });
}

#[test]
fn many_different_statements_do_not_pile_up() {
    on_postgres(&Options { readers: 1, ..options() }, async |kit| {
        for n in 0..1200 {
            assert_eq!(
                kit.db
                    .read(move |conn| conn.count(&format!("SELECT CAST({n} AS BIGINT)"), &[]))
                    .await
                    .unwrap(),
                n
            );
        }
        assert!(kit.count("SELECT COUNT(*) FROM pg_prepared_statements").await <= 513);
    });
}

#[test]
fn a_server_that_may_lose_what_it_acknowledged_is_refused_unless_that_is_allowed() {
    on_postgres(&options(), async |kit| {
        let url = format!("{}?options=-csynchronous_commit%3Doff", kit.url());
        let open = |options: Options| {
            let location = store::Location::parse(&url).unwrap();
            tokio::task::spawn_blocking(move || store::Db::open(&location, &options).map(drop))
        };
        let refused = open(Options { allow_unsafe: false, ..options() }).await.unwrap();
        let Err(Error::Unsafe(settings)) = refused else { panic!("{refused:?}") };
        assert!(settings.contains("synchronous_commit"), "{settings}");
        open(options()).await.unwrap().unwrap();
        open(Options { is_read_only: true, allow_unsafe: false, ..options() }).await.unwrap().unwrap();
    });
}
