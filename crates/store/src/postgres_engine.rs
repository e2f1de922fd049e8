//! PostgreSQL: reader and writer threads with a connection each, reconnecting by themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use postgres::{Client, NoTls};

use crate::conn::{Lasting, PgSession};
use crate::{Conn, Error, Health, Options, ReadJob, Result, Tx, WriteJob, run_lasting};

/// How often a transaction is tried again after colliding with another one.
const RETRIES: u32 = 8;

pub(crate) fn start(
    url: &str,
    options: &Options,
    health: &Arc<Health>,
    reads: Receiver<Box<dyn ReadJob>>,
    writes: Receiver<Box<dyn WriteJob>>,
) -> Result<()> {
    if !options.is_read_only {
        require_durable(connect(url)?, options.allow_unsafe)?;
    }
    for n in 0..options.readers.max(1) {
        let (url, reads, limit) = (url.to_owned(), reads.clone(), options.read_limit);
        spawn(format!("pg-read-{n}"), move || read_loop(&url, &reads, limit))?;
    }
    let writers = if options.is_read_only { 0 } else { options.writers.max(1) };
    for n in 0..writers {
        let (url, writes, health) = (url.to_owned(), writes.clone(), Arc::clone(health));
        spawn(format!("pg-write-{n}"), move || write_loop(&url, n as i64, &writes, &health))?;
    }
    Ok(())
}

/// Refuses a server that may lose what it has acknowledged, or only says so when that is allowed.
fn require_durable(mut session: PgSession, is_allowed: bool) -> Result<()> {
    let mut off = Vec::new();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value: String = session.client.query_one(&format!("SHOW {setting}"), &[])?.get(0);
        if value == "off" {
            off.push(setting);
        }
    }
    let off = off.join(", ");
    match (off.is_empty(), is_allowed) {
        (true, _) => Ok(()),
        (false, true) => {
            tracing::warn!(off, "PostgreSQL may lose acknowledged changes: switch these settings on");
            Ok(())
        }
        (false, false) => Err(Error::Unsafe(off)),
    }
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new()
        .name(name)
        .spawn(body)
        .map(drop)
        .map_err(|e| Error::Config(format!("cannot start a thread: {e}")))
}

fn connect(url: &str) -> Result<PgSession> {
    let mut config: postgres::Config =
        url.parse().map_err(|e| Error::Config(format!("database address: {e}")))?;
    config.application_name("kehu").connect_timeout(Duration::from_secs(5));
    let mut client: Client = config.connect(NoTls)?;
    client.batch_execute(
        "SET TIME ZONE 'UTC'; SET statement_timeout = '120s'; SET lock_timeout = '10s';
         SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning'",
    )?;
    Ok(PgSession { client, statements: HashMap::new(), is_lost: false, is_unlimited: None })
}

/// How long a connection may lie idle before it is asked whether the server still knows it.
const TRUSTED: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(5);

/// A thread's connection, opened anew when the server has gone away.
struct Held {
    url: String,
    setup: &'static str,
    session: Option<PgSession>,
    used: Instant,
}

impl Held {
    fn new(url: &str, setup: &'static str) -> Self {
        Self { url: url.to_owned(), setup, session: None, used: Instant::now() }
    }

    fn session(&mut self) -> Result<&mut PgSession> {
        let idle = self.used.elapsed() > TRUSTED;
        let lives = |s: &mut PgSession| {
            !s.is_lost && !s.client.is_closed() && (!idle || s.client.is_valid(ANSWER).is_ok())
        };
        if !self.session.as_mut().is_some_and(lives) {
            self.session = None;
            let mut fresh = connect(&self.url).map_err(|e| Error::Unavailable(e.to_string()))?;
            fresh.client.batch_execute(self.setup)?;
            self.session = Some(fresh);
        }
        self.used = Instant::now();
        self.session.as_mut().ok_or(Error::Closed)
    }

    /// A session inside a new transaction. BEGIN is where a connection that was cut a moment ago shows: nothing has
    /// run yet, so another one is taken.
    fn begin(&mut self) -> Result<&mut PgSession> {
        let begun = self.session()?.client.batch_execute("BEGIN");
        if let Err(error) = begun {
            tracing::warn!(%error, "lost a connection to PostgreSQL, opening another");
            self.session = None;
            self.session()?.client.batch_execute("BEGIN")?;
        }
        self.session.as_mut().ok_or(Error::Closed)
    }
}

fn read_loop(url: &str, queue: &Receiver<Box<dyn ReadJob>>, limit: Duration) {
    let limited = format!("SET statement_timeout = {}", limit.as_millis().clamp(1, i32::MAX as u128));
    let mut held = Held::new(url, "SET default_transaction_read_only = on");
    while let Ok(job) = queue.recv() {
        if job.is_abandoned() {
            continue;
        }
        let unlimited = job.is_unlimited();
        let ready = held.session().and_then(|session| {
            if session.is_unlimited != Some(unlimited) {
                session.client.batch_execute(if unlimited {
                    "SET statement_timeout = 0"
                } else {
                    &limited
                })?;
                session.is_unlimited = Some(unlimited);
            }
            Ok(session)
        });
        match ready {
            Ok(session) => job.run(&mut Conn::postgres(session)),
            Err(error) => job.refuse(error),
        }
    }
}

fn write_loop(url: &str, slot: i64, queue: &Receiver<Box<dyn WriteJob>>, health: &Health) {
    let mut held = Held::new(url, "");
    while let Ok(mut job) = queue.recv() {
        if job.is_abandoned() {
            continue;
        }
        let mut outcome = Err(Error::Serialization);
        for attempt in 0..RETRIES {
            outcome = run_once(&mut held, slot, job.as_mut());
            match &outcome {
                Err(Error::Serialization) => std::thread::sleep(Duration::from_millis(2 << attempt)),
                _ => break,
            }
        }
        if matches!(outcome, Err(Error::StorageFailed)) {
            health.fail();
        }
        health.note_room(outcome.as_ref().err().or(job.store_error()));
        let lasting = job.take_lasting();
        if !lasting.is_empty()
            && let Err(error) = keep_lasting(&mut held, slot, &lasting)
        {
            tracing::error!(%error, "what should last though its change was taken back could not be written");
        }
        job.answer(outcome);
    }
}

fn run_once(held: &mut Held, slot: i64, job: &mut dyn WriteJob) -> Result<()> {
    let session = held.begin()?;
    if job.run(&mut Tx::new(Conn::postgres(session), slot)) {
        return session.client.batch_execute("COMMIT").map_err(Error::from);
    }
    if session.client.batch_execute("ROLLBACK").is_err() {
        held.session = None;
    }
    // Only a collision is worth another try; every other failure is the body's own answer.
    match job.store_error() {
        Some(Error::Serialization) => Err(Error::Serialization),
        _ => Ok(()),
    }
}

/// Writes what lasts though its change was taken back, in a transaction of its own.
fn keep_lasting(held: &mut Held, slot: i64, lasting: &[Lasting]) -> Result<()> {
    for attempt in 0..RETRIES {
        let session = held.begin()?;
        let error = match run_lasting(&mut Tx::new(Conn::postgres(session), slot), lasting) {
            Ok(()) => match session.client.batch_execute("COMMIT").map_err(Error::from) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if session.client.batch_execute("ROLLBACK").is_err() {
            held.session = None;
        }
        if !matches!(error, Error::Serialization) {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(2 << attempt));
    }
    Err(Error::Serialization)
}
