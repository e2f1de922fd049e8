//! The store alone, without the application: how fast it commits the same rows with many waiting writers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hanzi::search::Document;
use kehu::access::Actor;
use kehu::catalogue::Catalogue;
use kehu::customers::{self, Draft};
use kehu::error::AppError;
use store::{Db, Engine, Error, Location, Options, Tx, Value};

use crate::data;

/// Rows a second that `writers` tasks commit, each waiting for its answer before the next.
fn commits<F>(writers: usize, seconds: f64, one: F) -> f64
where
    F: AsyncFn(usize) + Clone + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let (done, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let (began, length) = (Instant::now(), Duration::from_secs_f64(seconds));
        let tasks: Vec<_> = (0..writers)
            .map(|_| {
                let (done, next, one) = (Arc::clone(&done), Arc::clone(&next), one.clone());
                tokio::task::spawn_local(async move {
                    while began.elapsed() < length {
                        one(next.fetch_add(1, Ordering::Relaxed)).await;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
    })
}

/// The application's own `create`, called beside HTTP.
pub fn creates(db: &Db, writers: usize, seconds: f64) -> f64 {
    let catalogue = Arc::new(db.read_blocking(Catalogue::load).unwrap());
    let db = db.clone();
    commits(writers, seconds, async move |n| {
        let draft = Draft::from_json(&data::customer(20_000_000 + n)).map_err(AppError::Invalid).unwrap();
        let catalogue = Arc::clone(&catalogue);
        db.write(move |tx| {
            customers::create(tx, &Actor::command_line(), &catalogue, &draft, None, data::BEGIN).map(drop)
        })
        .await
        .unwrap();
    })
}

/// The row and its search document, nothing else.
pub fn rows(db: &Db, writers: usize, seconds: f64) -> f64 {
    let db = db.clone();
    commits(writers, seconds, async move |n| {
        db.write(move |tx| row(tx, &data::customer(30_000_000 + n))).await.unwrap();
    })
}

/// A copy of the raw SQLite file opened by the store.
pub fn open(path: &Path) -> Db {
    Db::open(&Location::Sqlite(path.to_owned()), &Options::default()).unwrap()
}

fn row(tx: &mut Tx<'_>, customer: &serde_json::Map<String, serde_json::Value>) -> Result<(), Error> {
    let id = store::new_id();
    let field = |name: &str| customer.get(name).and_then(|v| v.as_str()).unwrap_or_default();
    let number = format!("B{id}");
    let pieces = [field("name"), &number, field("phone"), field("email")];
    let document = pieces.iter().fold(Document::new(), |document, piece| document.piece(piece));
    let (customers, docs) = match tx.engine() {
        Engine::Sqlite => ("customers", "INSERT INTO search_docs (rowid, body) VALUES ($1, $2)"),
        Engine::Postgres => (
            "raw.customers",
            "INSERT INTO raw.search_docs (id, body) VALUES ($1, CAST(CAST($2 AS TEXT) AS tsvector))",
        ),
    };
    let sql = format!(
        "INSERT INTO {customers} (id, number, kind, name, name_sort, phone, email, region, province, address, class,
         level, remark, completeness, version, created_at, created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $7, $8, $9, $10, $11, 50, 1, $12, 1, $12, 1)"
    );
    let parameters: Vec<Value<'_>> = vec![
        id.into(),
        (&number).into(),
        field("kind").into(),
        field("name").into(),
        field("phone").into(),
        field("email").into(),
        field("region").into(),
        field("address").into(),
        field("class").into(),
        field("level").into(),
        field("remark").into(),
        (id >> 22).into(),
    ];
    tx.exec(&sql, &parameters)?;
    let body = if tx.engine() == Engine::Sqlite { document.fts5() } else { document.tsvector() };
    tx.exec(docs, &[id.into(), body.into()])?;
    Ok(())
}

/// The tables of the raw row on PostgreSQL, with the same indexes, filled with the same customers.
pub fn raw_tables(db: &Db) {
    for sql in [
        "CREATE SCHEMA raw",
        "CREATE TABLE raw.customers (LIKE public.customers INCLUDING ALL)",
        "CREATE TABLE raw.search_docs (LIKE public.search_docs INCLUDING ALL)",
        "INSERT INTO raw.customers SELECT * FROM public.customers",
        "INSERT INTO raw.search_docs SELECT * FROM public.search_docs",
        "ANALYZE",
    ] {
        db.write_blocking(move |tx| tx.exec(sql, &[])).unwrap();
    }
}
