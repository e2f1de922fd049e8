//! One way to speak to SQLite and PostgreSQL: the same `$n` SQL text, the same synchronous body, on both engines.
//!
//! A read runs on one of a few reader threads, a write on the writer (SQLite: one thread with group commit;
//! PostgreSQL: one thread a connection). The caller awaits the answer; if it goes away the body still runs to its
//! end, so an abandoned request leaves everything or nothing. An answer is sent after the commit is durable.
//!
//! It knows nothing of customers: no table of the application is named here.
#![warn(missing_docs)]

mod conn;
mod copy;
mod error;
mod file;
mod ids;
mod migrate;
mod postgres_engine;
mod sqlite_engine;
mod value;

pub use conn::{Conn, Tx};
pub use copy::{CopyReport, TableCopy, copy_tables, digest_table};
pub use error::{Constraint, Error};
pub use file::read_file;
pub use ids::{IdError, format_id, new_id, parse_id};
pub use migrate::{Migration, is_migrated, migrate, pending};
pub use postgres::Row as PostgresRow;
pub use rusqlite::types::ValueRef as SqliteValue;
pub use value::{FromColumn, FromRow, Row, Value};

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError, bounded};
use tokio::sync::oneshot;

/// Result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which engine a database runs on. Feature code never asks; migrations, search and `db copy` must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded database.
    Sqlite,
    /// A PostgreSQL server (or an engine speaking its protocol).
    Postgres,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that read. Each holds one connection.
    pub readers: usize,
    /// Connections that write; SQLite always has exactly one.
    pub writers: usize,
    /// How many requests may wait in each queue before `Error::Busy`.
    pub queue: usize,
    /// A read that takes longer is ended with `Error::Busy`; those of the blocking calls are not.
    pub read_limit: Duration,
    /// SQLite: bytes of the write-ahead log beyond which changes are refused with `Error::Busy` until the readers that
    /// hold it back have ended.
    pub log_limit: u64,
    /// Whether nothing is to be changed: there is no writer, SQLite's file is opened for reading only and must be there,
    /// and every write answers `Error::Closed`.
    pub is_read_only: bool,
    /// PostgreSQL: whether a server is taken that may lose what it has acknowledged (`fsync`, `full_page_writes` or
    /// `synchronous_commit` are off): for data that is thrown away.
    pub allow_unsafe: bool,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
        Self {
            readers: cores.clamp(2, 8) * 2,
            writers: 8,
            queue: 4096,
            read_limit: Duration::from_secs(120),
            log_limit: 240 << 20,
            is_read_only: false,
            allow_unsafe: false,
        }
    }
}

/// Where a database is, parsed from `sqlite:PATH` or `postgres://…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Path of the SQLite file.
    Sqlite(PathBuf),
    /// Connection string of the PostgreSQL database.
    Postgres(String),
}

impl Location {
    /// Parses a database URL; the error says which forms are understood.
    pub fn parse(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))
            && !path.is_empty()
        {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(Error::Config("a database is named as sqlite:PATH or postgres://user@host/name".into()))
    }
}

/// A database, cheap to clone. Closes when the last clone is dropped and its queues are empty.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    readers: usize,
    reads: Sender<Box<dyn ReadJob>>,
    writes: Sender<Box<dyn WriteJob>>,
    health: Arc<Health>,
}

/// Flags the engine threads raise and everybody may read.
#[derive(Default)]
pub(crate) struct Health {
    failed: AtomicBool,
    full: AtomicBool,
    /// When the log last said that there is no room.
    told_full: Mutex<Option<Instant>>,
}

/// A full disk is in the log at most this often, however many changes it refuses.
const TOLD_FULL_EVERY: Duration = Duration::from_secs(60);

impl Health {
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::SeqCst);
    }
    pub(crate) fn is_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }
    /// Remembers whether the last change was refused for want of room.
    pub(crate) fn note_room(&self, refused: Option<&Error>) {
        let is_full = matches!(refused, Some(Error::Full));
        self.full.store(is_full, Ordering::SeqCst);
        let mut told = self.told_full.lock().unwrap_or_else(PoisonError::into_inner);
        if is_full && told.is_none_or(|at| at.elapsed() > TOLD_FULL_EVERY) {
            tracing::error!("the disk is full: changes are refused until there is room");
            *told = Some(Instant::now());
        }
    }
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }
}

/// A read waiting for a reader thread.
pub(crate) trait ReadJob: Send {
    fn run(self: Box<Self>, conn: &mut Conn<'_>);
    fn refuse(self: Box<Self>, error: Error);
    /// Whether it may take as long as it needs.
    fn is_unlimited(&self) -> bool;
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
}

/// Runs what lasts; a panic in it is a failure like another.
pub(crate) fn run_lasting(tx: &mut Tx<'_>, lasting: &[conn::Lasting]) -> Result<()> {
    let run = || lasting.iter().try_for_each(|write| write(tx));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    match (outcome, tx.take_error()) {
        (Err(_), _) => Err(Error::Panicked),
        (Ok(Ok(())), Some(error)) => Err(error),
        (Ok(outcome), _) => outcome,
    }
}

/// A write waiting for a writer: run (perhaps more than once), then answered after the commit.
pub(crate) trait WriteJob: Send {
    /// Runs the body; `true` when its changes shall be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// What the last run, which was taken back, wants to be written all the same.
    fn take_lasting(&mut self) -> Vec<conn::Lasting>;
    /// The error of the last run, when the engine must react to it (retry, reconnect).
    fn store_error(&self) -> Option<&Error>;
    /// Sends the outcome to the waiting caller.
    fn answer(self: Box<Self>, committed: Result<()>);
    /// Whether nobody waits for the answer any more, so that a job not yet begun may be dropped.
    fn is_abandoned(&self) -> bool;
}

/// How a read runs.
#[derive(Clone, Copy, Default)]
struct How {
    snapshot: bool,
    unlimited: bool,
}

struct TypedRead<F, T, E> {
    body: F,
    how: How,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> ReadJob for TypedRead<F, T, E>
where
    F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(self: Box<Self>, conn: &mut Conn<'_>) {
        let Self { body, how, reply } = *self;
        if how.snapshot
            && let Err(error) = conn.begin_snapshot()
        {
            let _ = reply.send(Err(error.into()));
            return;
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(conn)));
        if how.snapshot
            && let Err(error) = conn.end_snapshot()
        {
            tracing::warn!(%error, "could not end a read transaction");
        }
        let _ = reply.send(outcome.unwrap_or_else(|_| Err(Error::Panicked.into())));
    }
    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.reply.send(Err(error.into()));
    }
    fn is_unlimited(&self) -> bool {
        self.how.unlimited
    }
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

struct TypedWrite<F, T, E> {
    body: F,
    outcome: Option<Result<T, E>>,
    error: Option<Error>,
    lasting: Vec<conn::Lasting>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> WriteJob for TypedWrite<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let body = &self.body;
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let value = body(tx)?;
            tx.take_lasting().iter().try_for_each(|write| write(tx))?;
            Ok(value)
        }));
        self.lasting = tx.take_lasting();
        self.error = tx.take_error();
        let outcome = match (outcome, &self.error) {
            (Err(_), _) => {
                self.error.get_or_insert(Error::Panicked);
                Err(Error::Panicked.into())
            }
            // A failed statement cannot be ignored: PostgreSQL has given up the transaction already.
            (Ok(Ok(_)), Some(error)) => Err(error.clone().into()),
            (Ok(outcome), _) => outcome,
        };
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }
    fn take_lasting(&mut self) -> Vec<conn::Lasting> {
        std::mem::take(&mut self.lasting)
    }
    fn store_error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
    fn answer(self: Box<Self>, committed: Result<()>) {
        let Self { outcome, reply, .. } = *self;
        let answer = match (outcome, committed) {
            // A body that failed has nothing to commit: its own error is the more useful one.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(Error::Closed.into()),
        };
        let _ = reply.send(answer);
    }
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

impl Db {
    /// Opens a database and starts its threads. SQLite files are created when missing; every connection's settings
    /// are read back and a wrong one is an error; so is a PostgreSQL server that may lose what it has acknowledged, unless
    /// the options allow it. Does not migrate.
    pub fn open(location: &Location, options: &Options) -> Result<Self> {
        let health = Arc::new(Health::default());
        let (reads, read_queue) = bounded(options.queue);
        let (writes, write_queue) = bounded(options.queue);
        let engine = match location {
            Location::Sqlite(path) => {
                sqlite_engine::start(path, options, &health, read_queue, write_queue)?;
                Engine::Sqlite
            }
            Location::Postgres(url) => {
                postgres_engine::start(url, options, &health, read_queue, write_queue)?;
                Engine::Postgres
            }
        };
        Ok(Self { inner: Arc::new(Inner { engine, readers: options.readers.max(1), reads, writes, health }) })
    }

    /// The engine this database runs on.
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// How many reads can run at once.
    pub fn readers(&self) -> usize {
        self.inner.readers
    }

    /// Whether storage failed (an fsync error, a damaged file): nothing is acknowledged until a restart.
    pub fn is_failed(&self) -> bool {
        self.inner.health.is_failed()
    }

    /// Whether the last change was refused because the disk is full; it ends by itself with the next change that is
    /// written.
    pub fn is_full(&self) -> bool {
        self.inner.health.is_full()
    }

    /// Runs `body` on a reader. Each statement sees the newest committed state.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_read(body, How::default())?.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Runs `body` on a reader inside one transaction: all its statements see the same instant.
    pub async fn snapshot<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let how = How { snapshot: true, ..How::default() };
        self.submit_read(body, how)?.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Runs `body` as one transaction and answers after it is durable. An `Err` rolls everything back. The body may
    /// run more than once (PostgreSQL serialization failures), so it must have no effect outside `tx`.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_write(body)?.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// `read` for code that runs on a thread of its own, without a limit of time. Never call it from async code: it
    /// blocks.
    pub fn read_blocking<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let how = How { unlimited: true, ..How::default() };
        self.submit_read(body, how)?.blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// `snapshot` for code that runs on a thread of its own, without a limit of time: all its statements see the same
    /// instant. SQLite's write-ahead log grows until it ends. Never call it from async code: it blocks.
    pub fn snapshot_blocking<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let how = How { snapshot: true, unlimited: true };
        self.submit_read(body, how)?.blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// `write` for code that runs on a thread of its own. Never call it from async code: it blocks.
    pub fn write_blocking<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.submit_write(body)?.blocking_recv().unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    fn submit_read<T, E, F>(&self, body: F, how: How) -> Result<oneshot::Receiver<Result<T, E>>, E>
    where
        F: FnOnce(&mut Conn<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        submit(&self.inner.reads, Box::new(TypedRead { body, how, reply }) as Box<dyn ReadJob>)?;
        Ok(answer)
    }

    fn submit_write<T, E, F>(&self, body: F) -> Result<oneshot::Receiver<Result<T, E>>, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        if self.is_failed() {
            return Err(Error::StorageFailed.into());
        }
        let (reply, answer) = oneshot::channel();
        let job = TypedWrite { body, outcome: None, error: None, lasting: Vec::new(), reply };
        submit(&self.inner.writes, Box::new(job) as Box<dyn WriteJob>)?;
        Ok(answer)
    }
}

fn submit<J>(queue: &Sender<J>, job: J) -> Result<()> {
    queue.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => Error::Busy,
        TrySendError::Disconnected(_) => Error::Closed,
    })
}
