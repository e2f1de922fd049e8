//! A connection to read with, and a transaction to write with.

use std::collections::HashMap;
use std::ops::{ControlFlow, Deref, DerefMut};

use postgres::fallible_iterator::FallibleIterator;

use crate::{Engine, Error, FromColumn, FromRow, Result, Row, Value};

/// A connection for the length of one read or write. Statements use `$1, $2 …` on both engines and are prepared once
/// a connection.
pub struct Conn<'c> {
    inner: Inner<'c>,
    error: Option<Error>,
}

enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut PgSession),
}

/// A PostgreSQL client with its prepared statements.
pub(crate) struct PgSession {
    pub(crate) client: postgres::Client,
    pub(crate) statements: HashMap<Box<str>, postgres::Statement>,
}

/// Statements kept prepared on one PostgreSQL connection; dynamic filters could otherwise grow it without end.
const PREPARED: usize = 512;

impl PgSession {
    fn statement(&mut self, sql: &str) -> Result<postgres::Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        if self.statements.len() >= PREPARED {
            self.statements.clear();
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }
}

/// `$1`, `$2` …: SQLite numbers `$n` by first appearance, so parameters are bound by name.
const NAMES: [&str; 64] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16",
    "$17", "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31",
    "$32", "$33", "$34", "$35", "$36", "$37", "$38", "$39", "$40", "$41", "$42", "$43", "$44", "$45", "$46",
    "$47", "$48", "$49", "$50", "$51", "$52", "$53", "$54", "$55", "$56", "$57", "$58", "$59", "$60", "$61",
    "$62", "$63", "$64",
];

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value<'_>]) -> Result<()> {
    if params.len() > NAMES.len() {
        return Err(Error::Sql(format!("{} parameters; at most {}", params.len(), NAMES.len())));
    }
    for (name, value) in NAMES.iter().zip(params) {
        match statement.parameter_index(name)? {
            Some(index) => statement.raw_bind_parameter(index, value)?,
            None => return Err(Error::Sql(format!("parameter {name} is not in the statement"))),
        }
    }
    Ok(())
}

impl<'c> Conn<'c> {
    pub(crate) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self { inner: Inner::Sqlite(connection), error: None }
    }
    pub(crate) fn postgres(session: &'c mut PgSession) -> Self {
        Self { inner: Inner::Postgres(session), error: None }
    }

    /// The engine; for the few places that must differ (search, migrations).
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// Calls `each` for every row as it arrives; `Break` ends early. Memory stays bounded however many rows there are.
    pub fn each<E: From<Error>>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let kept = &mut self.error;
        let mut keep = |error: Error| {
            *kept = Some(error.clone());
            E::from(error)
        };
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(|e| keep(e.into()))?;
                bind(&mut statement, params).map_err(&mut keep)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next().map_err(|e| keep(e.into()))? {
                    if each(&Row::Sqlite(row))?.is_break() {
                        break;
                    }
                }
            }
            Inner::Postgres(session) => {
                let statement = session.statement(sql).map_err(&mut keep)?;
                let mut rows =
                    session.client.query_raw(&statement, params.iter()).map_err(|e| keep(e.into()))?;
                while let Some(row) = rows.next().map_err(|e| keep(e.into()))? {
                    if each(&Row::Postgres(&row))?.is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// All rows of a query whose size the statement bounds (LIMIT, a key).
    pub fn rows<T: FromRow>(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(T::from_row(row)?);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The first row, if any.
    pub fn row<T: FromRow>(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Option<T>> {
        let mut found = None;
        self.each(sql, params, |row| {
            found = Some(T::from_row(row)?);
            Ok::<_, Error>(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// The first column of the first row, if any.
    pub fn value<T: FromColumn>(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Option<T>> {
        self.row::<(T,)>(sql, params).map(|row| row.map(|(value,)| value))
    }

    /// The first column of the only row of an aggregate.
    pub fn count(&mut self, sql: &str, params: &[Value<'_>]) -> Result<i64> {
        self.value(sql, params)?.ok_or(Error::NoRow)
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let outcome = match &mut self.inner {
            Inner::Sqlite(connection) => (|| {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, params)?;
                Ok(statement.raw_execute()? as u64)
            })(),
            Inner::Postgres(session) => (|| {
                let statement = session.statement(sql)?;
                let params: Vec<&(dyn postgres::types::ToSql + Sync)> =
                    params.iter().map(|p| p as &(dyn postgres::types::ToSql + Sync)).collect();
                Ok(session.client.execute(&statement, &params)?)
            })(),
        };
        outcome.inspect_err(|error: &Error| self.error = Some(error.clone()))
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        match &mut self.inner {
            Inner::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Inner::Postgres(session) => Ok(session.client.batch_execute(sql)?),
        }
    }
}

/// A transaction: everything a `Conn` can, and changes. The store commits or rolls back; a body never does.
pub struct Tx<'c> {
    conn: Conn<'c>,
    slot: i64,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(conn: Conn<'c>, slot: i64) -> Self {
        Self { conn, slot }
    }

    /// Number of the writer that runs this transaction, from 0. Rows that every write touches (counters, heads of the
    /// audit chain) are kept one a slot, so that writers do not wait for each other.
    pub fn slot(&self) -> i64 {
        self.slot
    }

    /// Runs one statement; answers how many rows it changed.
    pub fn exec(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.conn.execute(sql, params)
    }

    /// Runs one INSERT for many rows. `sql` ends before its VALUES (`INSERT INTO t (a, b)`); each row has the same
    /// number of values. `tail` follows the values (`ON CONFLICT …` or empty).
    pub fn insert_rows(&mut self, sql: &str, rows: &[Vec<Value<'_>>], tail: &str) -> Result<u64> {
        let Some(width) = rows.first().map(Vec::len) else { return Ok(0) };
        let mut changed = 0;
        match self.engine() {
            // SQLite binds fastest row by row with one prepared statement.
            Engine::Sqlite => {
                let sql = format!("{sql} VALUES {} {tail}", tuple(0, width));
                for row in rows {
                    changed += self.conn.execute(&sql, row)?;
                }
            }
            // PostgreSQL pays for round trips: as many rows a statement as 8,000 parameters allow.
            Engine::Postgres => {
                for chunk in rows.chunks((8000 / width.max(1)).clamp(1, 500)) {
                    let values: Vec<String> = (0..chunk.len()).map(|n| tuple(n * width, width)).collect();
                    let sql = format!("{sql} VALUES {} {tail}", values.join(","));
                    let flat: Vec<Value<'_>> = chunk.iter().flatten().cloned().collect();
                    changed += self.conn.execute(&sql, &flat)?;
                }
            }
        }
        Ok(changed)
    }

    /// Runs `body` so that its changes can be taken back alone: on `Err` only they are undone, the transaction goes
    /// on. For imports, where one bad row must not cost its neighbours.
    pub fn savepoint<T, E: From<Error>>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.conn.batch("SAVEPOINT inner_step")?;
        match body(self) {
            Ok(value) => {
                self.conn.batch("RELEASE SAVEPOINT inner_step")?;
                Ok(value)
            }
            Err(error) => {
                self.conn.batch("ROLLBACK TO SAVEPOINT inner_step; RELEASE SAVEPOINT inner_step")?;
                self.conn.error = None;
                Err(error)
            }
        }
    }

    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.conn.error.take()
    }
}

fn tuple(first: usize, width: usize) -> String {
    let places: Vec<String> = (first + 1..=first + width).map(|n| format!("${n}")).collect();
    format!("({})", places.join(","))
}

impl<'c> Deref for Tx<'c> {
    type Target = Conn<'c>;
    fn deref(&self) -> &Conn<'c> {
        &self.conn
    }
}
impl<'c> DerefMut for Tx<'c> {
    fn deref_mut(&mut self) -> &mut Conn<'c> {
        &mut self.conn
    }
}
