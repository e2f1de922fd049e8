//! A SQLite database as one file: copied while it is written to, and read where nobody else has it open.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::{Conn, Db, Engine, Error, Result};

/// Pages copied between two looks at the progress: 8 MiB.
const PAGES: i32 = 2048;
/// How often a page that is locked is asked for again, 10 ms apart.
const PATIENCE: u32 = 3_000;

impl Db {
    /// Copies a SQLite database as it is at this moment into the new file `to`, while others go on reading and writing,
    /// and makes the copy durable (the file; its folder is the caller's). The copy needs no file beside it. Until it is
    /// done the write-ahead log cannot be emptied, so it grows by what is written meanwhile. `progress` hears the pages
    /// copied and all of them; on `Break` it ends with `Error::Cancelled`, leaving a useless file. `Error::Full` also
    /// when the file may not grow as large as it must. Blocks. For PostgreSQL see `copy_tables`.
    pub fn copy_to_file(
        &self,
        to: &Path,
        mut progress: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static,
    ) -> Result<()> {
        if self.engine() != Engine::Sqlite {
            return Err(Error::Config("only a SQLite database is a file".into()));
        }
        let to = to.to_owned();
        self.snapshot_blocking(move |conn| {
            let source = conn.as_sqlite().ok_or(Error::Closed)?;
            // The transaction sees one instant from its first read on. Without one every step would take a newer
            // instant and, having found other changes, begin from the first page again.
            let _: i64 = source.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
            let copied = copy_pages(source, &to, &mut progress);
            // SQLite answers the same to a broken disk and to a file that has grown as far as it may.
            if matches!(copied, Err(Error::StorageFailed)) && !may_grow(&to, size_of(source)?) {
                return Err(Error::Full);
            }
            copied
        })
    }
}

/// Bytes of a database.
fn size_of(source: &Connection) -> Result<u64> {
    let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    Ok(source.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

/// Whether a file could be written up to a size: tried with its last byte.
fn may_grow(file: &Path, size: u64) -> bool {
    let file = std::fs::File::options().write(true).open(file);
    let tried =
        file.and_then(|file| std::os::unix::fs::FileExt::write_at(&file, &[0], size.saturating_sub(1)));
    !tried.is_err_and(|error| {
        use std::io::ErrorKind as E;
        matches!(error.kind(), E::FileTooLarge | E::StorageFull | E::QuotaExceeded)
    })
}

fn copy_pages(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<()> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)
        .map_err(|e| Error::Config(format!("cannot create {}: {e}", to.display())))?;
    // Nothing of it counts before it is whole and synced.
    target
        .execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;")?;
    let backup = Backup::new(source, &mut target)?;
    let mut waited = 0;
    loop {
        let step = backup.step(PAGES)?;
        let at = backup.progress();
        let (all, left) = (at.pagecount.max(0) as u64, at.remaining.max(0) as u64);
        if progress(all - left, all).is_break() {
            return Err(Error::Cancelled);
        }
        match step {
            StepResult::Done => break,
            StepResult::More => waited = 0,
            _ if waited < PATIENCE => {
                waited += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            _ => return Err(Error::Busy),
        }
    }
    drop(backup);
    // The first page says what the source's said: a write-ahead log, which a copy has not.
    target.execute_batch("PRAGMA journal_mode=DELETE;")?;
    target.close().map_err(|(_, error)| error)?;
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(|_| Error::StorageFailed)
}

/// Reads a SQLite file that nobody has open and nobody changes, such as a copy. Leaves no file beside it and works where
/// nothing may be written. Runs on this thread.
pub fn read_file<T, E: From<Error>>(
    path: &Path,
    body: impl FnOnce(&mut Conn<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let connection = open_unchanging(path)?;
    body(&mut Conn::sqlite(&connection))
}

fn open_unchanging(path: &Path) -> Result<Connection> {
    let missing = |reason: String| Error::Config(format!("cannot open {}: {reason}", path.display()));
    let name = path.to_str().ok_or_else(|| missing("its name is not UTF-8".into()))?;
    let name = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
        .map_err(|e| missing(e.to_string()))?;
    connection
        .execute_batch("PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA query_only=ON;")?;
    Ok(connection)
}
