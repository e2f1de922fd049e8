//! SQLite: reader threads, one writer thread with group commit, and a checkpointer that stays off the request path.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags};

use crate::{Conn, Error, Health, Options, ReadJob, Result, Tx, WriteJob, run_lasting};

/// Requests joined into one commit at the most.
const BATCH: usize = 256;
/// A batch takes no further request after this long, so that the first one is not kept waiting.
const BATCH_TIME: Duration = Duration::from_millis(10);
/// The write-ahead log is copied back by the checkpointer when it is larger than this.
const WAL_PASSIVE: u64 = 4 << 20;
/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(5);
/// The bundled version must have the WAL-reset fix of 3.51.3.
const OLDEST: i32 = 3_051_003;

pub(crate) fn start(
    path: &Path,
    options: &Options,
    health: &Arc<Health>,
    reads: Receiver<Box<dyn ReadJob>>,
    writes: Receiver<Box<dyn WriteJob>>,
) -> Result<()> {
    if rusqlite::version_number() < OLDEST {
        return Err(Error::Config(format!("SQLite {} is too old", rusqlite::version())));
    }
    if options.is_read_only {
        return start_readers(path, options, &reads, open_unchanged);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::Config(format!("cannot create {}: {e}", folder.display())))?;
    }
    let writer = open(path, 16_000)?;
    writer.pragma_update(None, "wal_autocheckpoint", 0)?;
    start_readers(path, options, &reads, |path| open(path, 8_000))?;
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let (done, closed) = crossbeam_channel::bounded::<()>(0);
    let checkpointer = open(path, 2_000)?;
    spawn("checkpoint".into(), {
        let log = log.clone();
        move || checkpoint_loop(&checkpointer, &log, &closed)
    })?;
    let health = Arc::clone(health);
    let log_limit = options.log_limit;
    spawn("write".into(), move || {
        write_loop(&writer, &writes, &health, &Log { path: log, limit: log_limit });
        drop(done);
    })
}

fn start_readers(
    path: &Path,
    options: &Options,
    reads: &Receiver<Box<dyn ReadJob>>,
    open: impl Fn(&Path) -> Result<Connection>,
) -> Result<()> {
    for n in 0..options.readers.max(1) {
        let reader = open(path)?;
        reader.pragma_update(None, "query_only", true)?;
        let (reads, limit) = (reads.clone(), options.read_limit);
        spawn(format!("read-{n}"), move || read_loop(reader, &reads, limit))?;
    }
    Ok(())
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name(name)
        .spawn(body)
        .map(drop)
        .map_err(|e| Error::Config(format!("cannot start a thread: {e}")))
}

/// Opens a connection with the settings durability rests on, and reads them back.
fn open(path: &Path, cache_kib: i64) -> Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|e| Error::Config(format!("cannot open {}: {e}", path.display())))?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;
         PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;
         PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-{cache_kib};"
    ))?;
    connection.set_prepared_statement_cache_capacity(256);
    add_one_of(&connection)?;
    let is = |name: &str, wanted: &str| -> Result<()> {
        let found: String =
            connection
                .query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |r| r.get(0))?;
        if found == wanted {
            Ok(())
        } else {
            Err(Error::Config(format!("SQLite {name} is {found}, must be {wanted}")))
        }
    };
    is("journal_mode", "wal")?;
    is("synchronous", "2")?;
    is("foreign_keys", "1")?;
    is("trusted_schema", "0")?;
    let mmap: Option<i64> = connection
        .query_row("PRAGMA mmap_size", [], |r| r.get(0))
        .map(Some)
        .or_else(|e| if matches!(e, rusqlite::Error::QueryReturnedNoRows) { Ok(None) } else { Err(e) })?;
    if mmap.unwrap_or(0) != 0 {
        return Err(Error::Config("SQLite mmap_size must be 0".into()));
    }
    Ok(connection)
}

/// Opens a connection that cannot change the file: not its contents, not its settings, and not by copying the
/// write-ahead log back when it is closed.
fn open_unchanged(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|e| Error::Config(format!("cannot open {}: {e}", path.display())))?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch(
        "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;",
    )?;
    add_one_of(&connection)?;
    Ok(connection)
}

/// `one_of(value, '1,2,3')`: whether a number is in a list written as text; NULL for NULL. The list is read once an
/// execution. PostgreSQL has the same function from a migration.
fn add_one_of(connection: &Connection) -> Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("one_of", 2, flags, |call| {
        let list = call.get_or_create_aux(1, |list| {
            let ids = list.as_str()?.split(',').map(str::parse);
            let mut ids = ids.collect::<std::result::Result<Vec<i64>, std::num::ParseIntError>>()?;
            ids.sort_unstable();
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(ids)
        })?;
        let value: Option<i64> = call.get(0)?;
        Ok(value.map(|value| list.binary_search(&value).is_ok()))
    })?;
    Ok(())
}

/// Steps of SQLite's machine between two looks at the clock: well under a millisecond.
const STEPS: i32 = 10_000;

fn read_loop(mut connection: Connection, queue: &Receiver<Box<dyn ReadJob>>, limit: Duration) {
    let deadline: Arc<Mutex<Option<Instant>>> = Arc::default();
    let watched = Arc::clone(&deadline);
    let late = move || {
        let deadline = watched.lock().map_or(None, |deadline| *deadline);
        deadline.is_some_and(|deadline| Instant::now() > deadline)
    };
    if let Err(error) = connection.progress_handler(STEPS, Some(late)) {
        tracing::warn!(%error, "reads run without a limit");
    }
    while let Ok(job) = queue.recv() {
        if job.is_abandoned() {
            continue;
        }
        let until = if job.is_unlimited() { None } else { Instant::now().checked_add(limit) };
        if let Ok(mut deadline) = deadline.lock() {
            *deadline = until;
        }
        job.run(&mut Conn::sqlite(&connection).until(until));
        if let Ok(mut deadline) = deadline.lock() {
            *deadline = None;
        }
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

fn checkpoint_loop(connection: &Connection, log: &Path, closed: &Receiver<()>) {
    loop {
        match closed.recv_timeout(Duration::from_millis(200)) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => {
                // The last connection to close would checkpoint anyway; doing it here keeps the log small on exit.
                let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
                return;
            }
        }
        if size(log) > WAL_PASSIVE
            && let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        {
            tracing::warn!(%error, "checkpoint failed");
        }
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len())
}

/// The write-ahead log and how large it may grow.
struct Log {
    path: PathBuf,
    limit: u64,
}

impl Log {
    /// Whether another change may be written. Past half of the limit the writer stops a moment to empty the log; a
    /// reader that holds an old state prevents that, and past the limit changes wait for it to end.
    fn has_room(&self, connection: &Connection, tried: &mut Instant) -> bool {
        let size = size(&self.path);
        if size <= self.limit / 2 {
            return true;
        }
        let full = size > self.limit;
        if !full && tried.elapsed() < Duration::from_secs(1) {
            return true;
        }
        let patience = Duration::from_millis(if full { 2_000 } else { 50 });
        let emptied = empty(connection, patience).unwrap_or_else(|error| {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
            false
        });
        *tried = Instant::now();
        if full && !emptied {
            tracing::error!(
                size,
                "a reader holds back the write-ahead log; changes are refused until it ends"
            );
        }
        emptied || !full
    }
}

/// Copies the log back and cuts it to nothing; `false` when somebody was in the way until `patience` ended. A
/// checkpoint by the other thread is refused at once, without SQLite's own waiting: hence the loop.
fn empty(connection: &Connection, patience: Duration) -> Result<bool> {
    let began = Instant::now();
    connection.busy_timeout(Duration::from_millis(50))?;
    let emptied = loop {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        match connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)? == 0)) {
            Ok(false) if began.elapsed() < patience => std::thread::sleep(Duration::from_millis(5)),
            other => break other,
        }
    };
    connection.busy_timeout(BUSY)?;
    Ok(emptied?)
}

fn write_loop(connection: &Connection, queue: &Receiver<Box<dyn WriteJob>>, health: &Health, log: &Log) {
    let mut tried = Instant::now();
    while let Ok(first) = queue.recv() {
        if health.is_failed() {
            first.answer(Err(Error::StorageFailed));
            continue;
        }
        if !log.has_room(connection, &mut tried) {
            first.answer(Err(Error::Busy));
            continue;
        }
        commit_batch(connection, first, queue, health);
    }
}

/// One transaction for all requests that wait now; each has a savepoint of its own. Everybody is answered after the
/// one fsync, so durability is the same as with a commit each.
fn commit_batch(
    connection: &Connection,
    first: Box<dyn WriteJob>,
    queue: &Receiver<Box<dyn WriteJob>>,
    health: &Health,
) {
    if let Err(error) = run(connection, "BEGIN IMMEDIATE") {
        return first.answer(Err(note(error, health)));
    }
    let began = Instant::now();
    let mut batch: Vec<Box<dyn WriteJob>> = Vec::new();
    let mut next = Some(first);
    let mut lost = None;
    while let Some(mut job) = next {
        if !job.is_abandoned() {
            lost = run_one(connection, job.as_mut()).err();
            if lost.is_none() && matches!(job.store_error(), Some(Error::StorageFailed)) {
                lost = Some(Error::StorageFailed);
            }
        }
        batch.push(job);
        if lost.is_some() || batch.len() >= BATCH || began.elapsed() > BATCH_TIME {
            break;
        }
        next = queue.try_recv().ok();
    }
    let outcome = match lost {
        None => run(connection, "COMMIT"),
        Some(error) => Err(error),
    };
    if outcome.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    let outcome = outcome.map_err(|error| note(error, health));
    let refused = batch.iter().filter_map(|job| job.store_error()).find(|error| matches!(error, Error::Full));
    health.note_room(outcome.as_ref().err().or(refused));
    for job in batch {
        job.answer(outcome.clone());
    }
}

/// Runs one request inside its savepoint. `Err` means the whole transaction is gone.
fn run_one(connection: &Connection, job: &mut dyn WriteJob) -> Result<()> {
    run(connection, "SAVEPOINT job")?;
    let keep = job.run(&mut Tx::new(Conn::sqlite(connection), 0));
    // Some errors (disk full, I/O) make SQLite roll the whole transaction back by itself.
    if connection.is_autocommit() {
        return Err(job.store_error().cloned().unwrap_or(Error::StorageFailed));
    }
    if !keep {
        run(connection, "ROLLBACK TO job")?;
    }
    run(connection, "RELEASE job")?;
    let lasting = job.take_lasting();
    if lasting.is_empty() {
        return Ok(());
    }
    // The job was taken back; what lasts is kept in a savepoint of its own.
    run(connection, "SAVEPOINT job")?;
    let written = run_lasting(&mut Tx::new(Conn::sqlite(connection), 0), &lasting);
    if connection.is_autocommit() {
        return Err(written.err().unwrap_or(Error::StorageFailed));
    }
    if let Err(error) = written {
        tracing::error!(%error, "what should last though its change was taken back could not be written");
        run(connection, "ROLLBACK TO job")?;
    }
    run(connection, "RELEASE job")
}

/// Runs a statement without parameters, prepared once.
fn run(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

/// After a failed write or fsync the page cache may lie about what is on the disk: nothing more is acknowledged.
fn note(error: Error, health: &Health) -> Error {
    if matches!(error, Error::StorageFailed) {
        tracing::error!("storage failed: no further change is accepted, restart after checking the disk");
        health.fail();
    }
    error
}
