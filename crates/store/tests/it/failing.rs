//! Storage that fails: nothing more is acknowledged.

use store::Error;

use crate::kit::{TABLE, on_sqlite, options};

#[test]
fn a_damaged_file_stops_all_changes_and_reads_go_on() {
    on_sqlite(&options(), async |kit| {
        kit.schema(&[TABLE, "CREATE TABLE other (id INTEGER PRIMARY KEY)"]).await;
        kit.add(1, 1).await.unwrap();
        // The log is moved into the file, then the root page of one table is overwritten behind SQLite's back.
        let path = kit.path().to_owned();
        let page = kit.count("SELECT rootpage FROM sqlite_schema WHERE name = 'other'").await;
        let beside = rusqlite::Connection::open(&path).unwrap();
        beside.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(beside);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = (page as usize - 1) * 4096;
        bytes[at..at + 4096].fill(0xee);
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &bytes[at..at + 4096], at as u64).unwrap();

        // A change by another connection makes the writer drop what it remembers of the file.
        let beside = rusqlite::Connection::open(&path).unwrap();
        beside.execute("INSERT INTO t VALUES (2, 2)", []).unwrap();
        let outcome = kit.db.write(|tx| tx.exec("INSERT INTO other VALUES (1)", &[])).await;
        assert!(matches!(outcome, Err(Error::StorageFailed)), "{outcome:?}");
        assert!(kit.db.is_failed());
        assert!(matches!(kit.add(3, 3).await, Err(Error::StorageFailed)));
        assert_eq!(kit.count("SELECT COUNT(*) FROM t").await, 2);
    });
}
