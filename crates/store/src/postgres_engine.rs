//! PostgreSQL: reader and writer threads with a connection each, reconnecting by themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use postgres::{Client, NoTls};

use crate::conn::PgSession;
use crate::{Conn, Error, Health, Options, ReadJob, Result, Tx, WriteJob};

/// How often a transaction is tried again after colliding with another one.
const RETRIES: u32 = 8;

pub(crate) fn start(
    url: &str,
    options: &Options,
    health: &Arc<Health>,
    reads: Receiver<Box<dyn ReadJob>>,
    writes: Receiver<Box<dyn WriteJob>>,
) -> Result<()> {
    let mut first = connect(url)?;
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value: String = first.client.query_one(&format!("SHOW {setting}"), &[])?.get(0);
        if value == "off" {
            tracing::warn!(setting, "PostgreSQL may lose acknowledged changes: switch this setting on");
        }
    }
    drop(first);
    for n in 0..options.readers.max(1) {
        let (url, reads) = (url.to_owned(), reads.clone());
        spawn(format!("pg-read-{n}"), move || read_loop(&url, &reads))?;
    }
    for n in 0..options.writers.max(1) {
        let (url, writes, health) = (url.to_owned(), writes.clone(), Arc::clone(health));
        spawn(format!("pg-write-{n}"), move || write_loop(&url, n as i64, &writes, &health))?;
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

fn connect(url: &str) -> Result<PgSession> {
    let mut config: postgres::Config =
        url.parse().map_err(|e| Error::Config(format!("database address: {e}")))?;
    config.application_name("kehu").connect_timeout(Duration::from_secs(5));
    let mut client: Client = config.connect(NoTls)?;
    client.batch_execute(
        "SET TIME ZONE 'UTC'; SET statement_timeout = '120s'; SET lock_timeout = '10s';
         SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = 'warning'",
    )?;
    Ok(PgSession { client, statements: HashMap::new() })
}

/// The thread's connection, opened anew when the server has gone away.
fn session<'s>(held: &'s mut Option<PgSession>, url: &str) -> Result<&'s mut PgSession> {
    if held.as_ref().is_none_or(|s| s.client.is_closed()) {
        *held = Some(connect(url).map_err(|e| Error::Unavailable(e.to_string()))?);
    }
    held.as_mut().ok_or(Error::Closed)
}

fn read_loop(url: &str, queue: &Receiver<Box<dyn ReadJob>>) {
    let mut held = None;
    while let Ok(job) = queue.recv() {
        match session(&mut held, url) {
            Ok(session) => job.run(&mut Conn::postgres(session), &mut |conn, begin| {
                conn.batch(if begin { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "COMMIT" })
            }),
            Err(error) => job.refuse(error),
        }
    }
}

fn write_loop(url: &str, slot: i64, queue: &Receiver<Box<dyn WriteJob>>, health: &Health) {
    let mut held = None;
    while let Ok(mut job) = queue.recv() {
        if job.is_abandoned() {
            continue;
        }
        let mut outcome = Err(Error::Serialization);
        for attempt in 0..RETRIES {
            outcome = session(&mut held, url).and_then(|session| run_once(session, slot, job.as_mut()));
            match &outcome {
                Err(Error::Serialization) => std::thread::sleep(Duration::from_millis(2 << attempt)),
                _ => break,
            }
        }
        if matches!(outcome, Err(Error::StorageFailed)) {
            health.fail();
        }
        job.answer(outcome);
    }
}

fn run_once(session: &mut PgSession, slot: i64, job: &mut dyn WriteJob) -> Result<()> {
    session.client.batch_execute("BEGIN")?;
    let keep = job.run(&mut Tx::new(Conn::postgres(session), slot));
    if keep {
        return session.client.batch_execute("COMMIT").map_err(Error::from);
    }
    let _ = session.client.batch_execute("ROLLBACK");
    // Only a collision is worth another try; every other failure is the body's own answer.
    match job.store_error() {
        Some(Error::Serialization) => Err(Error::Serialization),
        _ => Ok(()),
    }
}
