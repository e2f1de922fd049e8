//! Moving a whole database from one engine to the other, proved by counts and digests.

use std::ops::ControlFlow;

use postgres::types::Type;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use crate::{Conn, Db, Engine, Error, FromColumn, Result, Row, Value};

/// What was copied of one table, on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCopy {
    /// Its name.
    pub table: String,
    /// Rows and digest of the source.
    pub from: (u64, String),
    /// Rows and digest read back from the target.
    pub to: (u64, String),
}

/// The outcome of a copy: every table, in the order it was copied.
#[derive(Clone, Debug, Default)]
pub struct CopyReport {
    /// One entry a table.
    pub tables: Vec<TableCopy>,
}

impl CopyReport {
    /// Whether every count and digest agrees.
    pub fn is_equal(&self) -> bool {
        self.tables.iter().all(|t| t.from == t.to)
    }
}

/// Rows sent to the target in one transaction.
const CHUNK: usize = 500;

/// Copies `tables` (parents before children) into a database whose tables are empty, and reads the copy back. All of
/// the source is of one instant, whoever writes to it meanwhile, and its digests are those of the rows that were sent.
/// `progress` hears the table and the rows copied so far; on `Break` the copy ends with `Error::Cancelled` and what is
/// in the target is of no use.
pub fn copy_tables(
    from: &Db,
    to: &Db,
    tables: &'static [&'static str],
    mut progress: impl FnMut(&str, u64) -> ControlFlow<()> + Send + 'static,
) -> Result<CopyReport> {
    for table in tables {
        let there =
            to.read_blocking(move |conn| conn.count(&format!("SELECT COUNT(*) FROM {table}"), &[]))?;
        if there != 0 {
            return Err(Error::Config(format!("the target's table {table} is not empty ({there} rows)")));
        }
    }
    let target = to.clone();
    let sent = from.snapshot_blocking(move |conn| {
        tables.iter().map(|table| copy_one(conn, &target, table, &mut progress)).collect::<Result<Vec<_>>>()
    })?;
    let mut report = CopyReport::default();
    for (table, from) in tables.iter().zip(sent) {
        let copied = to.read_blocking(move |conn| digest_table(conn, table))?;
        report.tables.push(TableCopy { table: (*table).to_owned(), from, to: copied });
    }
    Ok(report)
}

/// Copies one table; answers the rows that were sent and their digest.
fn copy_one(
    conn: &mut Conn<'_>,
    target: &Db,
    table: &'static str,
    progress: &mut dyn FnMut(&str, u64) -> ControlFlow<()>,
) -> Result<(u64, String)> {
    let columns = columns(conn, table)?;
    let select = format!("SELECT {} FROM {table}", columns.join(", "));
    let insert = format!("INSERT INTO {table} ({})", columns.join(", "));
    let (mut chunk, mut digest) = (Vec::with_capacity(CHUNK), TableDigest::default());
    let mut flush = |chunk: &mut Vec<Vec<Value<'static>>>, sent: u64| -> Result<()> {
        let rows = std::mem::take(chunk);
        let insert = insert.clone();
        target.write_blocking(move |tx| tx.insert_rows(&insert, &rows, "").map(drop))?;
        if progress(table, sent).is_break() { Err(Error::Cancelled) } else { Ok(()) }
    };
    conn.each(&select, &[], |row| {
        let values = values(row, columns.len())?;
        digest.add(&values);
        chunk.push(values);
        if chunk.len() >= CHUNK {
            flush(&mut chunk, digest.rows)?;
        }
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    if !chunk.is_empty() {
        flush(&mut chunk, digest.rows)?;
    }
    Ok(digest.finish())
}

/// Names of a table's columns, sorted, so that both engines speak of them in one order.
fn columns(conn: &mut Conn<'_>, table: &str) -> Result<Vec<String>> {
    let sql = match conn.engine() {
        Engine::Sqlite => "SELECT name FROM pragma_table_info($1) ORDER BY name",
        Engine::Postgres => {
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name COLLATE \"C\""
        }
    };
    let names: Vec<(String,)> = conn.rows(sql, &[table.into()])?;
    if names.is_empty() {
        return Err(Error::Schema(format!("there is no table {table}")));
    }
    Ok(names.into_iter().map(|(name,)| name).collect())
}

fn values(row: &Row<'_>, width: usize) -> Result<Vec<Value<'static>>> {
    (0..width).map(|i| value(row, i)).collect()
}

/// A column whatever its type, as the other engine takes it.
fn value(row: &Row<'_>, i: usize) -> Result<Value<'static>> {
    match row {
        Row::Sqlite(row) => Ok(match row.get_ref(i)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(v) => Value::Int(v),
            ValueRef::Real(v) => Value::Real(v),
            text @ ValueRef::Text(_) => Value::Owned(String::sqlite(text, i)?),
            ValueRef::Blob(_) => return Err(Error::Column(i, "binary columns are not copied".into())),
        }),
        Row::Postgres(pg) => Ok(match *pg.columns()[i].type_() {
            Type::BOOL => row.get::<Option<bool>>(i)?.map_or(Value::Null, |v| Value::Int(v.into())),
            Type::FLOAT8 => row.get::<Option<f64>>(i)?.into(),
            Type::JSONB | Type::JSON => {
                row.get::<Option<serde_json::Value>>(i)?.map_or(Value::Null, |v| Value::Owned(v.to_string()))
            }
            Type::INT8 | Type::INT4 | Type::INT2 => row.get::<Option<i64>>(i)?.into(),
            _ => row.get::<Option<String>>(i)?.into(),
        }),
    }
}

/// Count of a table's rows and a digest that depends neither on their order nor on the engine.
pub fn digest_table(conn: &mut Conn<'_>, table: &str) -> Result<(u64, String)> {
    let columns = columns(conn, table)?;
    let mut digest = TableDigest::default();
    conn.each(&format!("SELECT {} FROM {table}", columns.join(", ")), &[], |row| {
        digest.add(&values(row, columns.len())?);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    Ok(digest.finish())
}

/// The sum of its rows' digests: the order they come in does not matter.
#[derive(Default)]
struct TableDigest {
    rows: u64,
    sum: u128,
}

impl TableDigest {
    fn add(&mut self, values: &[Value<'_>]) {
        let mut hash = Sha256::new();
        for value in values {
            hash.update(canonical(value).as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        let mut head = [0; 16];
        head.copy_from_slice(&digest[..16]);
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(head));
        self.rows += 1;
    }

    fn finish(self) -> (u64, String) {
        (self.rows, format!("{:032x}", self.sum))
    }
}

/// The same text for the same value on both engines; JSON with sorted keys.
fn canonical(value: &Value<'_>) -> String {
    match value {
        Value::Null => "n".into(),
        Value::Int(v) => format!("i{v}"),
        // SQLite does not keep the sign of a zero.
        Value::Real(v) => format!("r{:?}", v + 0.0),
        Value::Owned(text) if text.starts_with(['{', '[']) => {
            match serde_json::from_str::<serde_json::Value>(text) {
                Ok(json) => format!("j{}", plain_numbers(json)),
                Err(_) => format!("t{text}"),
            }
        }
        Value::Owned(text) => format!("t{text}"),
        other => format!("{other:?}"),
    }
}

/// `1e2`, `100.0` and `100` are one number to `jsonb`.
fn plain_numbers(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as J;
    match json {
        J::Number(n) if n.is_f64() => match n.as_f64() {
            Some(v) if v.fract() == 0.0 && v.abs() < 9e15 => J::from(v as i64),
            _ => J::Number(n),
        },
        J::Array(items) => J::Array(items.into_iter().map(plain_numbers).collect()),
        J::Object(map) => J::Object(map.into_iter().map(|(k, v)| (k, plain_numbers(v))).collect()),
        other => other,
    }
}
