//! A fresh database for each test, on each engine, removed afterwards.

use std::path::{Path, PathBuf};

use store::{Db, Location, Options, Value};
use tempfile::TempDir;

/// A fresh database.
pub struct Kit {
    pub db: Db,
    pub location: Location,
    _folder: Option<TempDir>,
    _drop: Option<DropDatabase>,
}

/// Removes a PostgreSQL database when the test ends, however it ends.
struct DropDatabase {
    server: String,
    name: String,
}

impl Drop for DropDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let gone = std::thread::spawn(move || {
            let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
            client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).unwrap();
        });
        if gone.join().is_err() {
            eprintln!("could not drop {}", self.name);
        }
    }
}

pub fn options() -> Options {
    Options { readers: 2, writers: 4, allow_unsafe: true, ..Options::default() }
}

impl Kit {
    pub fn sqlite(options: &Options) -> Self {
        let folder = TempDir::new().unwrap();
        let location = Location::Sqlite(folder.path().join("kehu.db"));
        let db = Db::open(&location, options).unwrap();
        Self { db, location, _folder: Some(folder), _drop: None }
    }

    /// None, said aloud, without a server.
    pub fn postgres(options: &Options) -> Option<Self> {
        let Ok(server) = std::env::var("KEHU_TEST_POSTGRES") else {
            println!("skipped on PostgreSQL: KEHU_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("kehu_test_{}", store::format_id(store::new_id()).to_lowercase());
        let (base, _) = server.rsplit_once('/').unwrap();
        let location = Location::Postgres(format!("{base}/{name}"));
        let create = {
            let (server, name) = (server.clone(), name.clone());
            std::thread::spawn(move || {
                let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
                client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
            })
        };
        create.join().unwrap();
        let guard = DropDatabase { server, name };
        let opened = {
            let (location, options) = (location.clone(), options.clone());
            std::thread::spawn(move || Db::open(&location, &options).unwrap()).join().unwrap()
        };
        Some(Self { db: opened, location, _folder: None, _drop: Some(guard) })
    }

    /// The path of the SQLite file.
    pub fn path(&self) -> &Path {
        match &self.location {
            Location::Sqlite(path) => path,
            Location::Postgres(_) => panic!("not a file"),
        }
    }

    /// The path of its write-ahead log.
    pub fn log(&self) -> PathBuf {
        PathBuf::from(format!("{}-wal", self.path().display()))
    }

    /// The connection string of the PostgreSQL database.
    pub fn url(&self) -> &str {
        match &self.location {
            Location::Postgres(url) => url,
            Location::Sqlite(_) => panic!("not a server"),
        }
    }

    /// Runs statements of the schema, one at a time.
    pub async fn schema(&self, statements: &[&str]) {
        for sql in statements {
            let sql = (*sql).to_owned();
            self.db.write(move |tx| tx.exec(&sql, &[])).await.unwrap();
        }
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        self.db.read(move |conn| conn.count(sql, &[])).await.unwrap()
    }

    /// Adds a row to `t (id, n)`.
    pub async fn add(&self, id: i64, n: i64) -> store::Result<u64> {
        self.db.write(move |tx| tx.exec(INSERT, &[Value::Int(id), Value::Int(n)])).await
    }
}

pub const TABLE: &str = "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)";
pub const INSERT: &str = "INSERT INTO t (id, n) VALUES ($1, $2)";

/// Runs a test on each engine there is.
pub fn both(test: impl AsyncFn(&Kit)) {
    both_with(&options(), test);
}

pub fn both_with(options: &Options, test: impl AsyncFn(&Kit)) {
    on_sqlite(options, &test);
    on_postgres(options, &test);
}

pub fn on_sqlite(options: &Options, test: impl AsyncFn(&Kit)) {
    run(&Kit::sqlite(options), test);
}

pub fn on_postgres(options: &Options, test: impl AsyncFn(&Kit)) {
    if let Some(kit) = Kit::postgres(options) {
        run(&kit, test);
    }
}

fn run(kit: &Kit, test: impl AsyncFn(&Kit)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(kit));
}
