//! A connection to read with, and a transaction to write with.

use std::collections::HashMap;
use std::ops::{ControlFlow, Deref, DerefMut};
use std::time::Instant;

use postgres::fallible_iterator::FallibleIterator;

use crate::{Engine, Error, FromColumn, FromRow, Result, Row, Value};

/// A connection for the length of one read or write. Statements use `$1, $2 …` on both engines and are prepared once
/// a connection.
pub struct Conn<'c> {
    inner: Inner<'c>,
    /// The first statement that failed since the transaction, or its innermost savepoint, began.
    error: Option<Error>,
    /// Inside a transaction a failed statement refuses all that follow, as PostgreSQL does by itself.
    transaction: bool,
    /// Inside a transaction that changes.
    changes: bool,
    deadline: Option<Instant>,
}

enum Inner<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut PgSession),
}

/// A PostgreSQL client with its prepared statements.
pub(crate) struct PgSession {
    pub(crate) client: postgres::Client,
    pub(crate) statements: HashMap<Box<str>, postgres::Statement>,
    /// Set when a statement failed for want of a server: the client notices the end of its connection only later.
    pub(crate) is_lost: bool,
    /// The limit of time its statements run under, when a reader has set one.
    pub(crate) is_unlimited: Option<bool>,
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

    /// A statement prepared before the schema changed, or lost behind a connection pool, is prepared anew: the
    /// collision makes the caller try again.
    fn explain(&mut self, error: postgres::Error) -> Error {
        let stale = error.as_db_error().is_some_and(|db| match db.code().code() {
            "0A000" => db.message().contains("cached plan"),
            "26000" => true,
            _ => false,
        });
        if stale {
            self.statements.clear();
            return Error::Serialization;
        }
        error.into()
    }
}

/// Why going through rows ended early.
enum Stop<E> {
    Store(Error),
    Body(E),
}

fn store<E>(error: impl Into<Error>) -> Stop<E> {
    Stop::Store(error.into())
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
    if statement.parameter_count() != params.len() {
        let wanted = statement.parameter_count();
        return Err(Error::Sql(format!("{} parameters for a statement with {wanted}", params.len())));
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
        Self {
            inner: Inner::Sqlite(connection),
            error: None,
            transaction: false,
            changes: false,
            deadline: None,
        }
    }
    pub(crate) fn postgres(session: &'c mut PgSession) -> Self {
        Self {
            inner: Inner::Postgres(session),
            error: None,
            transaction: false,
            changes: false,
            deadline: None,
        }
    }

    /// Ends going through rows with `Error::Busy` after this instant.
    pub(crate) fn until(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Everything read until `end_snapshot` is of one instant.
    pub(crate) fn begin_snapshot(&mut self) -> Result<()> {
        self.batch(match self.inner {
            Inner::Sqlite(_) => "BEGIN DEFERRED",
            Inner::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })?;
        self.transaction = true;
        Ok(())
    }
    pub(crate) fn end_snapshot(&mut self) -> Result<()> {
        self.error = None;
        self.batch("ROLLBACK")
    }

    /// Remembers the first failure; inside a transaction it decides.
    fn keep(&mut self, error: Error) -> Error {
        if let (Inner::Postgres(session), Error::Unavailable(_)) = (&mut self.inner, &error) {
            session.is_lost = true;
        }
        self.error.get_or_insert_with(|| error.clone());
        error
    }

    fn refuse_after_failure(&self) -> Result<()> {
        match &self.error {
            Some(error) if self.transaction => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// The engine; for the few places that must differ (search, migrations).
    pub fn engine(&self) -> Engine {
        match self.inner {
            Inner::Sqlite(_) => Engine::Sqlite,
            Inner::Postgres(_) => Engine::Postgres,
        }
    }

    /// What a SELECT of a row that will be changed, or whose dependants will be, ends with, so that nobody else changes
    /// it before the transaction ends. Empty where nobody else can (SQLite has one writer) and where nothing is changed.
    pub fn for_change(&self) -> &'static str {
        match self.inner {
            Inner::Postgres(_) if self.changes => " FOR NO KEY UPDATE",
            _ => "",
        }
    }

    /// Calls `each` for every row as it arrives; `Break` ends early. Memory stays bounded however many rows there are.
    pub fn each<E: From<Error>>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        self.refuse_after_failure()?;
        let mut delivered = false;
        for again in [true, false] {
            let each = &mut |row: &Row<'_>| {
                delivered = true;
                each(row)
            };
            match self.each_once(sql, params, each) {
                Ok(()) => break,
                Err(Stop::Body(error)) => return Err(error),
                Err(Stop::Store(Error::Serialization)) if again && !delivered && !self.transaction => {}
                Err(Stop::Store(error)) => return Err(self.keep(error).into()),
            }
        }
        Ok(())
    }

    fn each_once<E>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), Stop<E>> {
        match &mut self.inner {
            Inner::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(store)?;
                bind(&mut statement, params).map_err(store)?;
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next().map_err(store)? {
                    if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                        return Err(store(Error::Busy));
                    }
                    if each(&Row::Sqlite(row)).map_err(Stop::Body)?.is_break() {
                        break;
                    }
                }
            }
            Inner::Postgres(session) => {
                let statement = session.statement(sql).map_err(store)?;
                let failed = match session.client.query_raw(&statement, params.iter()) {
                    Err(error) => error,
                    Ok(mut rows) => loop {
                        match rows.next() {
                            Err(error) => break error,
                            Ok(None) => return Ok(()),
                            Ok(Some(row)) => {
                                if each(&Row::Postgres(&row)).map_err(Stop::Body)?.is_break() {
                                    return Ok(());
                                }
                            }
                        }
                    },
                };
                return Err(Stop::Store(session.explain(failed)));
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

    /// The engine and its version, for people: `SQLite 3.54.1`, `PostgreSQL 17.2`.
    pub fn engine_version(&mut self) -> Result<String> {
        let (name, sql) = match self.engine() {
            Engine::Sqlite => ("SQLite", "SELECT sqlite_version()"),
            Engine::Postgres => {
                ("PostgreSQL", "SELECT split_part(current_setting('server_version'), ' ', 1)")
            }
        };
        let version: Option<String> = self.value(sql, &[])?;
        Ok(format!("{name} {}", version.unwrap_or_default()))
    }

    /// Bytes the database takes on its disk, the write-ahead log apart.
    pub fn size_bytes(&mut self) -> Result<i64> {
        self.count(
            match self.engine() {
                Engine::Sqlite => {
                    "SELECT c.page_count * s.page_size FROM pragma_page_count c, pragma_page_size s"
                }
                Engine::Postgres => "SELECT pg_database_size(current_database())",
            },
            &[],
        )
    }

    /// The connection below, for what only SQLite has.
    pub(crate) fn as_sqlite(&self) -> Option<&'c rusqlite::Connection> {
        match self.inner {
            Inner::Sqlite(connection) => Some(connection),
            Inner::Postgres(_) => None,
        }
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.refuse_after_failure()?;
        let outcome = match &mut self.inner {
            Inner::Sqlite(connection) => (|| {
                let mut statement = connection.prepare_cached(sql)?;
                bind(&mut statement, params)?;
                Ok(statement.raw_execute()? as u64)
            })(),
            Inner::Postgres(session) => session.statement(sql).and_then(|statement| {
                let params: Vec<&(dyn postgres::types::ToSql + Sync)> =
                    params.iter().map(|p| p as &(dyn postgres::types::ToSql + Sync)).collect();
                session.client.execute(&statement, &params).map_err(|error| session.explain(error))
            }),
        };
        outcome.map_err(|error| self.keep(error))
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.refuse_after_failure()?;
        let outcome = match &mut self.inner {
            Inner::Sqlite(connection) => connection.execute_batch(sql).map_err(Error::from),
            Inner::Postgres(session) => session.client.batch_execute(sql).map_err(Error::from),
        };
        outcome.map_err(|error| self.keep(error))
    }
}

/// A transaction: everything a `Conn` can, and changes. The store commits or rolls back; a body never does.
///
/// A statement that fails outside a `savepoint` ends the transaction: what follows it is refused with the same error
/// and nothing is committed, even if the body goes on and answers `Ok`.
pub struct Tx<'c> {
    conn: Conn<'c>,
    slot: i64,
    lasting: Vec<Lasting>,
}

/// Something that is written whether its transaction is kept or not.
pub(crate) type Lasting = Box<dyn Fn(&mut Tx<'_>) -> Result<()> + Send>;

impl<'c> Tx<'c> {
    pub(crate) fn new(mut conn: Conn<'c>, slot: i64) -> Self {
        conn.transaction = true;
        conn.changes = true;
        Self { conn, slot, lasting: Vec::new() }
    }

    /// Writes something that lasts though this transaction may be taken back, such as that an act was refused: at its
    /// end when it is kept, else in one of its own, before anybody is answered. What fails then is only logged. A body
    /// that runs again after a collision says it again.
    pub fn lasting(&mut self, write: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static) {
        self.lasting.push(Box::new(write));
    }

    pub(crate) fn take_lasting(&mut self) -> Vec<Lasting> {
        std::mem::take(&mut self.lasting)
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
                let mut rest = rows;
                while !rest.is_empty() {
                    let (chunk, later) = rest.split_at(rows_at_once(rest.len(), width));
                    rest = later;
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
    /// on. For imports, where one bad row must not cost its neighbours. Failures that concern the whole transaction
    /// (a collision, a full disk, a lost connection) are not undone here: they end it.
    pub fn savepoint<T, E: From<Error>>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.conn.batch("SAVEPOINT inner_step")?;
        let error = match (body(self), self.conn.error.take()) {
            (Ok(value), None) => {
                self.conn.batch("RELEASE SAVEPOINT inner_step")?;
                return Ok(value);
            }
            (_, Some(whole)) if whole.ends_transaction() => {
                self.conn.error = Some(whole.clone());
                return Err(whole.into());
            }
            (Ok(_), Some(swallowed)) => swallowed.into(),
            (Err(error), _) => error,
        };
        self.conn.batch("ROLLBACK TO SAVEPOINT inner_step; RELEASE SAVEPOINT inner_step")?;
        Err(error)
    }

    pub(crate) fn take_error(&mut self) -> Option<Error> {
        self.conn.error.take()
    }
}

/// Rows of the next statement when `left` shall still be written. Few are written at once; of many a power of two, so
/// that batches of any size share a few prepared statements.
fn rows_at_once(left: usize, width: usize) -> usize {
    const FEW: usize = 32;
    let most = (8000 / width.max(1)).clamp(1, 512);
    if left <= FEW.min(most) { left } else { 1 << left.min(most).ilog2() }
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

#[cfg(test)]
mod tests {
    use super::rows_at_once;

    #[test]
    fn many_rows_are_written_in_few_sizes_and_never_with_too_many_parameters() {
        let sizes = |mut left: usize, width| {
            let mut sizes: Vec<usize> = Vec::new();
            while left > 0 {
                sizes.push(rows_at_once(left, width));
                left -= sizes[sizes.len() - 1];
            }
            sizes
        };
        assert!(sizes(0, 5).is_empty());
        assert_eq!(sizes(1, 5), [1]);
        assert_eq!(sizes(32, 5), [32]);
        assert_eq!(sizes(33, 5), [32, 1]);
        assert_eq!(sizes(200, 5), [128, 64, 8]);
        assert_eq!(sizes(2000, 5), [512, 512, 512, 256, 128, 64, 16]);
        assert_eq!(sizes(200, 50), [128, 64, 8]);
        assert_eq!(sizes(5, 4000), [2, 2, 1]);
        assert_eq!(sizes(2, 9000), [1, 1]);
    }
}
