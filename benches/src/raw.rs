//! The raw engine: the same customers in a file of the same columns and indexes, prepared statements, and nothing else.

use std::path::{Path, PathBuf};
use std::time::Instant;

use hanzi::search::Document;
use rusqlite::types::Value;
use rusqlite::{Connection, Statement, params};

use crate::company::Company;
use crate::data;
use crate::loads::{Figures, repeat};

/// Columns a customer is shown with.
pub const SHOWN: &str = "c.id, c.number, c.kind, c.name, c.short_name, c.class, c.level, c.phone, c.landline, c.email, \
    c.website, c.wechat, c.region, c.address, c.postcode, c.source, c.needs, c.remark, c.first_contact_on, \
    c.next_contact_on, c.tags, c.custom, c.completeness, c.owner_id, c.version, c.created_at, c.updated_at";

pub const GET: &str = "c WHERE c.id = ?1 AND c.deleted_at IS NULL";
pub const LIST: &str = "c WHERE c.deleted_at IS NULL AND c.owner_id = ?1 AND c.class = ?2 \
    ORDER BY c.updated_at DESC, c.id DESC LIMIT 50";
pub const DEEP: &str = "c WHERE c.deleted_at IS NULL AND (c.updated_at, c.id) < (?1, ?2) \
    ORDER BY c.updated_at DESC, c.id DESC LIMIT 50";
pub const SEARCH: &str = "c JOIN search_docs ON search_docs.rowid = c.id \
    WHERE search_docs MATCH ?1 AND c.deleted_at IS NULL ORDER BY search_docs.rowid DESC LIMIT 50";
pub const INSERT: &str = "INSERT INTO customers (id, number, kind, owner_id, name, name_sort, phone, email, region, \
    province, address, class, level, remark, completeness, version, created_at, created_by, updated_at, updated_by) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, 50, 1, ?13, 1, ?13, 1)";
pub const INSERT_DOC: &str = "INSERT INTO search_docs (rowid, body) VALUES (?1, ?2)";
const GROUPS: &str =
    "SELECT class, province, COUNT(*) FROM customers WHERE deleted_at IS NULL GROUP BY class, province";

/// A SELECT of the shown columns.
pub fn select(rest: &str) -> String {
    format!("SELECT {SHOWN} FROM customers {rest}")
}

/// The raw file, and the same rows' ids.
pub struct Raw {
    pub path: PathBuf,
    pub connection: Connection,
    pub ids: Vec<i64>,
    /// Rows a second while it was loaded.
    pub rate: f64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// Opens a raw file with the durability kehu has.
pub fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY;
             PRAGMA cache_size=-16000; PRAGMA busy_timeout=5000",
        )
        .unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

/// The tables and indexes of another file's customers, without their ties to other tables.
pub fn make_tables(connection: &Connection, from: &Connection) {
    let tables = "SELECT sql FROM sqlite_schema WHERE tbl_name IN ('customers', 'search_docs') AND sql IS NOT NULL \
                  ORDER BY rootpage";
    for sql in texts(from, tables) {
        connection.execute_batch(&sql.replace(" REFERENCES people (id)", "")).unwrap();
    }
}

impl Raw {
    /// Copies a company's customers, in transactions of 1,000 rows.
    pub fn copy_of(company: &Company, path: PathBuf) -> Self {
        let connection = open(&path);
        let from = Connection::open(company.data.join("kehu.db")).unwrap();
        make_tables(&connection, &from);
        let columns = texts(&from, "SELECT name FROM pragma_table_info('customers')");
        let places: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let insert = format!("INSERT INTO customers ({}) VALUES ({})", columns.join(","), places.join(","));
        let at = |name: &str| columns.iter().position(|c| c == name).unwrap();
        let (name, number, phone, email) = (at("name"), at("number"), at("phone"), at("email"));
        let (mut ids, mut seconds) = (Vec::new(), 0.0);
        let mut read =
            from.prepare(&format!("SELECT {} FROM customers ORDER BY id", columns.join(","))).unwrap();
        let mut rows = read.query([]).unwrap();
        loop {
            let mut chunk: Vec<(Vec<Value>, String)> = Vec::new();
            while chunk.len() < 1000
                && let Some(row) = rows.next().unwrap()
            {
                let values: Vec<Value> = (0..columns.len()).map(|i| row.get(i).unwrap()).collect();
                let document = document(&[
                    text(&values[name]),
                    text(&values[number]),
                    text(&values[phone]),
                    text(&values[email]),
                ]);
                chunk.push((values, document));
            }
            if chunk.is_empty() {
                break;
            }
            let began = Instant::now();
            connection.execute_batch("BEGIN").unwrap();
            let mut into = connection.prepare_cached(&insert).unwrap();
            let mut into_docs = connection.prepare_cached(INSERT_DOC).unwrap();
            for (values, document) in &chunk {
                let Value::Integer(id) = values[0] else { panic!("the first column is the id") };
                ids.push(id);
                into.execute(rusqlite::params_from_iter(values)).unwrap();
                into_docs.execute(params![id, document]).unwrap();
            }
            connection.execute_batch("COMMIT").unwrap();
            seconds += began.elapsed().as_secs_f64();
        }
        drop(rows);
        drop(read);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        let bytes = std::fs::metadata(&path).unwrap().len();
        Self { path, connection, rate: ids.len() as f64 / seconds, ids, bytes }
    }

    /// Reads rows and throws them away, every value once.
    fn read(&self, seconds: f64, rest: &str, parameters: impl Fn(usize) -> Vec<Value>) -> Figures {
        let sql = select(rest);
        let mut statement = self.connection.prepare(&sql).unwrap();
        repeat(seconds, |n| drain(&mut statement, &parameters(n)))
    }

    pub fn get(&self, seconds: f64) -> Figures {
        self.read(seconds, GET, |n| vec![self.ids[n * 7_919 % self.ids.len()].into()])
    }

    pub fn list(&self, seconds: f64, owner: i64) -> Figures {
        self.read(seconds, LIST, |_| vec![owner.into(), "key".to_owned().into()])
    }

    pub fn deep(&self, seconds: f64, place: (i64, i64)) -> Figures {
        self.read(seconds, DEEP, |_| vec![place.0.into(), place.1.into()])
    }

    pub fn search(&self, seconds: f64, words: &[String]) -> Figures {
        let plans: Vec<String> = words.iter().filter_map(|w| hanzi::search::plan(w).fts5()).collect();
        self.read(seconds, SEARCH, |n| vec![plans[n % plans.len()].clone().into()])
    }

    /// One durable transaction a customer, one after the other.
    pub fn create(&self, seconds: f64) -> Figures {
        repeat(seconds, |n| insert(&self.connection, 3_000_000 + n))
    }

    /// One durable transaction a change.
    pub fn update(&self, seconds: f64) -> Figures {
        repeat(seconds, |n| {
            update(&self.connection, self.ids[n % self.ids.len()], &format!("改 {n}")).unwrap()
        })
    }

    pub fn groups(&self, seconds: f64) -> Figures {
        let mut statement = self.connection.prepare(GROUPS).unwrap();
        repeat(seconds, |_| drain(&mut statement, &[]))
    }

    /// Where half of the customers, newest change first, have been passed.
    pub fn middle(&self) -> (i64, i64) {
        let sql = "SELECT updated_at, id FROM customers ORDER BY updated_at DESC, id DESC LIMIT 1 OFFSET ?1";
        let half = self.ids.len() as i64 / 2;
        self.connection.query_row(sql, [half], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }
}

fn drain(statement: &mut Statement<'_>, parameters: &[Value]) {
    let width = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(parameters)).unwrap();
    let mut seen = 0;
    while let Some(row) = rows.next().unwrap() {
        for i in 0..width {
            seen += usize::from(!matches!(row.get_ref(i).unwrap(), rusqlite::types::ValueRef::Null));
        }
    }
    std::hint::black_box(seen);
}

/// A customer and its search document in one transaction. Answers the id.
pub fn insert(connection: &Connection, n: usize) {
    let customer = data::customer(n);
    insert_body(connection, &customer).unwrap();
}

/// The same from the body of a request.
pub fn insert_body(
    connection: &Connection,
    customer: &serde_json::Map<String, serde_json::Value>,
) -> rusqlite::Result<i64> {
    let id = store::new_id();
    let field = |name: &str| customer.get(name).and_then(|v| v.as_str()).unwrap_or_default();
    let number = format!("M{id}");
    let document = document(&[field("name"), &number, field("phone"), field("email")]);
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    write(connection, customer, id, &number, &document)?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(id)
}

fn write(
    connection: &Connection,
    customer: &serde_json::Map<String, serde_json::Value>,
    id: i64,
    number: &str,
    document: &str,
) -> rusqlite::Result<()> {
    let field = |name: &str| customer.get(name).and_then(|v| v.as_str()).unwrap_or_default();
    connection.prepare_cached(INSERT)?.execute(params![
        id,
        number,
        field("kind"),
        1,
        field("name"),
        field("phone"),
        field("email"),
        field("region"),
        field("address"),
        field("class"),
        field("level"),
        field("remark"),
        id >> 22
    ])?;
    connection.prepare_cached(INSERT_DOC)?.execute(params![id, document])?;
    Ok(())
}

/// Loads customers in transactions of 1,000; answers rows a second, the making up of the rows left out.
pub fn load(connection: &Connection, from: usize, rows: usize) -> f64 {
    let mut seconds = 0.0;
    for first in (from..from + rows).step_by(1000) {
        let chunk: Vec<_> = (first..(first + 1000).min(from + rows))
            .map(|n| {
                let (customer, number) = (data::customer(n), format!("L{n}"));
                let field = |name: &str| customer[name].as_str().unwrap_or_default();
                let document = document(&[field("name"), &number, field("phone"), field("email")]);
                (customer, number, document)
            })
            .collect();
        let began = Instant::now();
        connection.execute_batch("BEGIN").unwrap();
        for (customer, number, document) in &chunk {
            write(connection, customer, store::new_id(), number, document).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        seconds += began.elapsed().as_secs_f64();
    }
    rows as f64 / seconds
}

/// A change of one field.
pub fn update(connection: &Connection, id: i64, remark: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE customers SET remark = ?2, version = version + 1, updated_at = ?3 WHERE id = ?1",
        )?
        .execute(params![id, remark, store::new_id() >> 22])?;
    Ok(())
}

fn document(pieces: &[&str]) -> String {
    pieces.iter().fold(Document::new(), |document, piece| document.piece(piece)).fts5()
}

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}
