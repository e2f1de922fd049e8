//! The settings durability rests on hold for readers and the writer.

use store::Error;

use crate::kit::{on_sqlite, options};

#[test]
fn sqlite_runs_with_the_settings_durability_needs() {
    on_sqlite(&options(), async |kit| {
        for (name, wanted) in [
            ("journal_mode", "wal"),
            ("synchronous", "2"),
            ("foreign_keys", "1"),
            ("trusted_schema", "0"),
            ("cell_size_check", "1"),
            ("secure_delete", "1"),
            ("temp_store", "2"),
            ("busy_timeout", "5000"),
        ] {
            let sql = format!(
                "SELECT CAST({} AS TEXT) FROM pragma_{name}",
                if name == "busy_timeout" { "timeout" } else { name }
            );
            let reader = sql.clone();
            let of_reader = kit.db.read(move |conn| conn.value::<String>(&reader, &[])).await.unwrap();
            let of_writer = kit.db.write(move |tx| tx.value::<String>(&sql, &[])).await.unwrap();
            assert_eq!((of_reader.as_deref(), of_writer.as_deref()), (Some(wanted), Some(wanted)), "{name}");
        }
        let checkpoint = kit.db.write(|tx| tx.count("PRAGMA wal_autocheckpoint", &[])).await.unwrap();
        assert_eq!(checkpoint, 0, "checkpoints stay off the request path");
        let reads_only =
            kit.db.read(|conn| conn.count("SELECT * FROM pragma_query_only", &[])).await.unwrap();
        assert_eq!(reads_only, 1);
    });
}

#[test]
fn a_database_that_cannot_be_opened_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("not-a-database");
    std::fs::write(&file, vec![b'x'; 8192]).unwrap();
    let refused = store::Db::open(&store::Location::Sqlite(file), &options()).map(drop);
    assert!(matches!(refused, Err(Error::StorageFailed)), "{refused:?}");
    let nobody = store::Location::Postgres("postgres://nobody@127.0.0.1:1/nothing".into());
    let refused = store::Db::open(&nobody, &options()).map(drop);
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    for wrong in ["", "mysql://x", "sqlite:", "kehu.db"] {
        assert!(matches!(store::Location::parse(wrong), Err(Error::Config(_))), "{wrong}");
    }
}

#[test]
fn what_is_opened_to_be_read_only_can_be_read_and_takes_no_change() {
    on_sqlite(&options(), async |kit| {
        kit.schema(&[crate::kit::TABLE]).await;
        kit.add(1, 7).await.unwrap();
        let location = kit.location.clone();
        let reading = store::Options { is_read_only: true, ..options() };
        let open = tokio::task::spawn_blocking(move || store::Db::open(&location, &reading)).await.unwrap();
        let db = open.unwrap();
        let count = db.read(|conn| conn.count("SELECT COUNT(*) FROM t", &[])).await;
        assert_eq!(count.unwrap(), 1, "what another connection has written just now too");
        let refused = db.write(|tx| tx.exec("DELETE FROM t", &[])).await;
        assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
        let by_a_reader = db.read(|conn| conn.rows::<(i64,)>("DELETE FROM t RETURNING id", &[])).await;
        assert!(by_a_reader.is_err(), "{by_a_reader:?}");
    });
    let folder = tempfile::TempDir::new().unwrap();
    let missing = store::Location::Sqlite(folder.path().join("none").join("kehu.db"));
    let reading = store::Options { is_read_only: true, ..options() };
    assert!(store::Db::open(&missing, &reading).is_err());
    assert!(!folder.path().join("none").exists());
}
