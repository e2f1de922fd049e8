//! Forward-only migrations, one text for both engines.
//!
//! A migration is written in PostgreSQL's words. For SQLite the type words are translated (`BIGINT` → `INTEGER`, so
//! that a `BIGINT PRIMARY KEY` becomes the row id; `BOOLEAN` → `INTEGER`; `JSONB` → `TEXT`; `DOUBLE PRECISION` →
//! `REAL`; `BYTEA` → `BLOB`; `COLLATE "C"`, which is how SQLite compares anyway, is left out), tables become STRICT,
//! and a column's CHECK gets the name PostgreSQL would give it. What only one engine has stands between a line
//! `-- only sqlite` or `-- only postgres` and a line `-- end`.

use sha2::{Digest, Sha256};

use crate::{Db, Engine, Error, Result, Tx};

/// One step of the schema. Never edited once released.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Sorts and identifies it: `0001_ground`.
    pub name: &'static str,
    /// Its text, see the module.
    pub sql: &'static str,
}

const REGISTER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    name TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
)";

/// Held to the end of the transaction; the number is only ours by agreement, it spells `kehu`.
const REGISTER_LOCK: &str = "SELECT pg_advisory_xact_lock(1801807989)";

/// Brings the schema up to date, each migration in a transaction of its own; answers the names that were run. A
/// database with a migration this program does not know, or one whose text differs, is refused with `Error::Schema`.
pub fn migrate(db: &Db, migrations: &'static [Migration]) -> Result<Vec<&'static str>> {
    make_register(db)?;
    let mut done = Vec::new();
    for migration in pending(db, migrations)? {
        let ran = db.write_blocking(move |tx| run(tx, migration));
        match ran {
            Ok(()) => done.push(migration.name),
            // Another server ran it at the same moment.
            Err(error) if error.is_unique("schema_migrations_pkey") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Whether migrations were ever run on this database. Changes nothing.
pub fn is_migrated(db: &Db) -> Result<bool> {
    if !has_register(db)? {
        return Ok(false);
    }
    Ok(db.read_blocking(|conn| conn.count("SELECT COUNT(*) FROM schema_migrations", &[]))? > 0)
}

fn make_register(db: &Db) -> Result<()> {
    db.write_blocking(|tx| {
        // PostgreSQL's IF NOT EXISTS fails when two sessions create one table at the same moment: one after the other.
        if tx.engine() == Engine::Postgres {
            tx.exec(REGISTER_LOCK, &[])?;
        }
        tx.exec(REGISTER, &[]).map(drop)
    })
}

fn has_register(db: &Db) -> Result<bool> {
    let sql = match db.engine() {
        Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'schema_migrations'",
        Engine::Postgres => {
            "SELECT COUNT(*) FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_name = 'schema_migrations'"
        }
    };
    Ok(db.read_blocking(move |conn| conn.count(sql, &[]))? > 0)
}

/// The migrations still to run, after checking that the others are the ones this program knows. Changes nothing.
pub fn pending(db: &Db, migrations: &'static [Migration]) -> Result<Vec<&'static Migration>> {
    let known: Vec<(String, String)> = if has_register(db)? {
        db.read_blocking(|conn| conn.rows("SELECT name, digest FROM schema_migrations ORDER BY name", &[]))?
    } else {
        Vec::new()
    };
    for (name, digest) in &known {
        match migrations.iter().find(|m| m.name == name) {
            None => {
                return Err(Error::Schema(format!(
                    "migration {name} is unknown: this program is older than the data"
                )));
            }
            Some(m) if digest_of(m) != *digest => {
                return Err(Error::Schema(format!("migration {name} was changed after it had been run")));
            }
            Some(_) => {}
        }
    }
    Ok(migrations.iter().filter(|m| known.iter().all(|(name, _)| name != m.name)).collect())
}

fn run(tx: &mut Tx<'_>, migration: &Migration) -> Result<()> {
    let digest = digest_of(migration);
    tx.exec(
        "INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)",
        &[migration.name.into(), digest.into()],
    )?;
    let sql = translate(migration.sql, tx.engine());
    tx.batch(&sql)
}

fn digest_of(migration: &Migration) -> String {
    hex(&Sha256::digest(migration.sql.as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The text of a migration for one engine.
fn translate(sql: &str, engine: Engine) -> String {
    let mut kept = String::with_capacity(sql.len());
    let (mut only, mut table) = (None, "");
    for line in sql.lines() {
        match line.trim() {
            "-- only sqlite" => only = Some(Engine::Sqlite),
            "-- only postgres" => only = Some(Engine::Postgres),
            "-- end" => only = None,
            _ if only.is_none_or(|e| e == engine) => {
                match (engine, only) {
                    (Engine::Sqlite, None) => {
                        if let Some(name) = line.strip_prefix("CREATE TABLE ") {
                            table = name.trim_end_matches([' ', '(']);
                        }
                        kept.push_str(&to_sqlite(line, table));
                    }
                    _ => kept.push_str(line),
                }
                kept.push('\n');
            }
            _ => {}
        }
    }
    kept
}

fn to_sqlite(line: &str, table: &str) -> String {
    if line.trim_end() == ");" {
        return ") STRICT;".into();
    }
    let column = line.split_whitespace().next().unwrap_or_default();
    let named = format!(" CONSTRAINT {table}_{column}_check CHECK (");
    let line = if line.starts_with(' ') && !line.contains("CONSTRAINT") {
        line.replacen(" CHECK (", &named, 1)
    } else {
        line.to_owned()
    };
    [
        (" COLLATE \"C\"", ""),
        ("BIGINT", "INTEGER"),
        ("BOOLEAN", "INTEGER"),
        ("JSONB", "TEXT"),
        ("DOUBLE PRECISION", "REAL"),
        ("BYTEA", "BLOB"),
    ]
    .iter()
    .fold(line, |line, (from, to)| line.replace(from, to))
}
