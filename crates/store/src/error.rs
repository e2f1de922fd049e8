//! What can go wrong between the application and its database, in the terms a caller can react to.

/// Which rule of the schema a write broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// A unique index or primary key.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A NOT NULL or CHECK rule.
    Check,
}

/// An error of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Too many requests wait already, or a read was ended because it took too long; try again in a moment.
    #[error("the database is busy")]
    Busy,
    /// The server cannot be reached or has ended the connection. Nothing was committed, unless the connection was lost
    /// in the very moment of the commit: then nobody can tell, and only an idempotency key helps.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The disk is full; nothing was committed.
    #[error("the disk is full")]
    Full,
    /// Storage failed (I/O error, damaged file). No write is accepted until a restart.
    #[error("storage has failed")]
    StorageFailed,
    /// A rule of the schema was broken. `name` is the same on both engines: `table_column_key` for unique rules,
    /// `table_pkey`, `table_column_check` or the name given to the rule, `table_column_not_null`, and `foreign_key`
    /// (SQLite does not tell which).
    #[error("constraint {name} is violated")]
    Constraint {
        /// Kind of the rule.
        kind: Constraint,
        /// Its name.
        name: String,
    },
    /// Concurrent transactions collided more often than we retry.
    #[error("concurrent changes collided")]
    Serialization,
    /// A statement the engine refused: a mistake of ours.
    #[error("sql: {0}")]
    Sql(String),
    /// A column did not hold the expected type.
    #[error("column {0}: {1}")]
    Column(usize, String),
    /// A query that must find a row found none.
    #[error("no row")]
    NoRow,
    /// The body of a transaction panicked; it was rolled back.
    #[error("the operation panicked")]
    Panicked,
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// Whoever watched the progress wanted it to end.
    #[error("cancelled")]
    Cancelled,
    /// Wrong settings.
    #[error("{0}")]
    Config(String),
    /// The PostgreSQL server may lose what it has acknowledged: these settings are off.
    #[error("PostgreSQL may lose acknowledged changes, for these settings are off: {0}")]
    Unsafe(String),
    /// The schema is newer than this program or was changed by hand.
    #[error("schema: {0}")]
    Schema(String),
}

impl Error {
    /// Whether this is a violation of the unique rule `name` (`customers_number_key`).
    pub fn is_unique(&self, name: &str) -> bool {
        matches!(self, Self::Constraint { kind: Constraint::Unique, name: n } if n == name)
    }

    /// Whether the whole transaction is lost, not only the statement.
    pub(crate) fn ends_transaction(&self) -> bool {
        self.is_temporary() || matches!(self, Self::StorageFailed | Self::Panicked | Self::Closed)
    }

    /// Whether the same request may succeed when tried again a little later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_) | Self::Serialization | Self::Full)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as C;
        let rusqlite::Error::SqliteFailure(code, ref message) = error else {
            return match error {
                rusqlite::Error::QueryReturnedNoRows => Self::NoRow,
                rusqlite::Error::InvalidColumnType(i, _, kind) => Self::Column(i, kind.to_string()),
                other => Self::Sql(other.to_string()),
            };
        };
        let text = message.clone().unwrap_or_default();
        match code.code {
            C::ConstraintViolation => sqlite_constraint(code.extended_code, &text),
            C::DiskFull => Self::Full,
            C::DatabaseBusy | C::DatabaseLocked | C::OperationInterrupted => Self::Busy,
            // The shared-memory file cannot grow: there is no room, the storage is sound.
            C::SystemIoFailure if code.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            C::SystemIoFailure | C::DatabaseCorrupt | C::NotADatabase => Self::StorageFailed,
            _ => Self::Sql(format!("{text} ({code})")),
        }
    }
}

const FOREIGN_KEY: &str = "foreign_key";

/// SQLite says `UNIQUE constraint failed: customers.number`; we name the rule as PostgreSQL would.
fn sqlite_constraint(extended: i32, text: &str) -> Error {
    let columns = text.rsplit(": ").next().unwrap_or_default();
    match extended {
        rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Error::Constraint { kind: Constraint::ForeignKey, name: FOREIGN_KEY.into() }
        }
        rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY | rusqlite::ffi::SQLITE_CONSTRAINT_ROWID => {
            let table = columns.split('.').next().unwrap_or_default();
            Error::Constraint { kind: Constraint::Unique, name: format!("{table}_pkey") }
        }
        rusqlite::ffi::SQLITE_CONSTRAINT_NOTNULL => {
            Error::Constraint { kind: Constraint::Check, name: columns.replace('.', "_") + "_not_null" }
        }
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => {
            let name = match columns.strip_prefix("index '") {
                Some(index) => index.trim_end_matches('\'').to_owned(),
                None => {
                    let mut parts = columns.split(", ");
                    let mut name = parts.next().unwrap_or_default().replace('.', "_");
                    for part in parts {
                        name.push('_');
                        name.push_str(part.rsplit('.').next().unwrap_or(part));
                    }
                    name + "_key"
                }
            };
            Error::Constraint { kind: Constraint::Unique, name }
        }
        _ => Error::Constraint { kind: Constraint::Check, name: columns.to_owned() },
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let text = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), |s| format!("{error}: {s}"));
            return if error.is_closed() || text.contains("connect") || text.contains("communicating") {
                Self::Unavailable(text)
            } else {
                Self::Sql(text)
            };
        };
        let name = || db.constraint().unwrap_or_default().to_owned();
        match db.code().code() {
            "23505" => Self::Constraint { kind: Constraint::Unique, name: name() },
            "23503" => {
                tracing::debug!(constraint = name(), "foreign key");
                Self::Constraint { kind: Constraint::ForeignKey, name: FOREIGN_KEY.into() }
            }
            "23502" => {
                let (table, column) = (db.table().unwrap_or_default(), db.column().unwrap_or_default());
                Self::Constraint { kind: Constraint::Check, name: format!("{table}_{column}_not_null") }
            }
            "23514" => Self::Constraint { kind: Constraint::Check, name: name() },
            "57014" => Self::Busy,
            "40001" | "40P01" | "55P03" => Self::Serialization,
            "53100" => Self::Full,
            "58030" | "XX001" | "XX002" => Self::StorageFailed,
            code if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => {
                Self::Unavailable(db.message().to_owned())
            }
            code => Self::Sql(format!("{} ({code})", db.message())),
        }
    }
}
