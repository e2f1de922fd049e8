//! Making a backup: a copy of the database as of one instant, then the files that copy names, then reading everything
//! back. Under its name it stands only when all of that went well.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::{Conn, Db, Engine, Location, Options};

use super::archive::{self, DATABASE, FILES, Trouble, Watch, Writer, file_entry};
use super::folder::{Partial, Workroom, clear_leftovers, lock, require_room, storage, stored};
use super::listed::{Found, Listed};
use super::manifest::{AuditHead, FORMAT, Files, Manifest, Part};
use super::verify;
use crate::audit;
use crate::clock::{Millis, Zone, rfc3339};
use crate::error::AppError;
use crate::schema::{self, MIGRATIONS, TABLES};
use crate::text;

/// Where a backup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Copying the database.
    Database,
    /// Writing the database and the files into the archive.
    Files,
    /// Reading everything back.
    Check,
}

impl Step {
    /// Its code in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Files => "files",
            Self::Check => "check",
        }
    }
}

/// Hears the step, the part of it that is done and the whole, in bytes or pages; `false` ends the work. Called often and
/// from several threads.
pub type Progress = Arc<dyn Fn(Step, u64, u64) -> bool + Send + Sync>;

/// What to back up, and where to.
#[derive(Clone)]
pub struct Order {
    /// The database.
    pub db: Db,
    /// The folder of attached files.
    pub files: PathBuf,
    /// The folder of backups.
    pub folder: PathBuf,
    /// Number of the backup.
    pub id: i64,
    /// Who wants it, for the manifest.
    pub by: String,
    /// When.
    pub now: Millis,
    /// The company's zone, for the name.
    pub zone: Zone,
}

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Name of its file.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Makes a backup; `None` when it was stopped. Nothing is left of one that was stopped or failed. Blocks; runs beside a
/// server that goes on working.
pub fn create(order: &Order, progress: &Progress) -> Result<Option<Made>, AppError> {
    let lock = lock(&order.folder)?;
    clear_leftovers(&order.folder, &lock)?;
    let (database, files): (i64, i64) = order.db.read_blocking(|conn| {
        let files = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM files WHERE deleted_at IS NULL";
        Ok::<_, store::Error>((conn.size_bytes()?, conn.count(files, &[])?))
    })?;
    // The copy and the archive; from PostgreSQL rows come to lie in a SQLite database first.
    let copies = if order.db.engine() == Engine::Postgres { 3 } else { 2 };
    let (database, files) = (database.unsigned_abs(), files.unsigned_abs());
    // A database of PostgreSQL is mostly smaller as one of SQLite: only what is known refuses.
    let largest = if order.db.engine() == Engine::Sqlite { database + files } else { files };
    require_room(&order.folder, copies * database + files, largest)?;
    let room = Workroom::new(&order.folder)?;
    let copy = room.file(DATABASE);
    if !copy_database(order, &room, &copy, progress)? {
        return Ok(None);
    }
    let name = name_of(order);
    let partial = Partial::new(&order.folder, &name);
    let manifest = match write_archive(order, &room, &copy, partial.path(), files, progress) {
        Ok(manifest) => manifest,
        Err(Stop::Wanted) => return Ok(None),
        Err(Stop::Failed(error)) => return Err(error),
    };
    // The copy is not needed any more, and reading back makes another.
    std::fs::remove_file(&copy).map_err(|e| storage(&copy, &e))?;
    let check = Arc::clone(progress);
    match verify::verify(partial.path(), &order.folder, &mut |done, all| check(Step::Check, done, all))? {
        None => return Ok(None),
        Some(report) if !report.problems.is_empty() => {
            let reasons = report.problems.join("；");
            return Err(AppError::Conflict(text!("备份写好后读回检查没有通过，已放弃：{}", reasons)));
        }
        Some(_) => {}
    }
    let path = partial.keep(&order.folder, &name)?;
    let size = std::fs::metadata(&path).map_err(|e| storage(&path, &e))?.len();
    Ok(Some(Made { name, size, manifest }))
}

/// `kehu-20260928-162000-01M2Z8Q4T7V0K.kehu-backup`: names sort by time.
fn name_of(order: &Order) -> String {
    let at = order.zone.civil(order.now).strftime("%Y%m%d-%H%M%S");
    format!("kehu-{at}-{}{}", store::format_id(order.id), super::folder::ENDING)
}

/// Copies the database into one SQLite file, all of one instant; `false` when it was stopped.
fn copy_database(order: &Order, room: &Workroom, to: &Path, progress: &Progress) -> Result<bool, AppError> {
    let copied = match order.db.engine() {
        Engine::Sqlite => copy_file(&order.db, to, progress),
        Engine::Postgres => copy_rows(&order.db, &room.file("rows.sqlite"), progress)
            .and_then(|rows| copy_file(&rows, to, progress)),
    };
    match copied {
        Ok(()) => Ok(true),
        Err(store::Error::Cancelled) => Ok(false),
        Err(error) => Err(stored(error)),
    }
}

fn copy_file(db: &Db, to: &Path, progress: &Progress) -> Result<(), store::Error> {
    let progress = Arc::clone(progress);
    db.copy_to_file(to, move |done, all| go_on(progress(Step::Database, done, all)))
}

fn go_on(wanted: bool) -> ControlFlow<()> {
    if wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Copies the tables of one PostgreSQL snapshot into a new SQLite database and proves that they are the same.
fn copy_rows(from: &Db, to: &Path, progress: &Progress) -> Result<Db, store::Error> {
    let options = Options { readers: 1, writers: 1, ..Options::default() };
    let to = Db::open(&Location::Sqlite(to.to_owned()), &options)?;
    store::migrate(&to, MIGRATIONS)?;
    schema::clear_seeds(&to)?;
    let (progress, mut table_no, mut last) = (Arc::clone(progress), 0, String::new());
    let report = store::copy_tables(from, &to, TABLES, move |table, _| {
        if last != table {
            last = table.to_owned();
            table_no = TABLES.iter().position(|t| *t == table).unwrap_or(table_no);
        }
        go_on(progress(Step::Database, table_no as u64, TABLES.len() as u64))
    })?;
    if report.is_equal() {
        Ok(to)
    } else {
        let different: Vec<&str> =
            report.tables.iter().filter(|t| t.from != t.to).map(|t| t.table.as_str()).collect();
        Err(store::Error::Sql(format!("copied tables differ: {}", different.join(", "))))
    }
}

/// Why writing ended early.
enum Stop {
    Wanted,
    Failed(AppError),
}

impl From<AppError> for Stop {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}
impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Failed(stored(error))
    }
}

fn stop(path: &Path) -> impl Fn(Trouble) -> Stop + '_ {
    move |trouble| match trouble {
        Trouble::Stopped => Stop::Wanted,
        Trouble::Io(error) => Stop::Failed(storage(path, &error)),
        Trouble::Damaged(reason) => {
            Stop::Failed(AppError::Conflict(text!("读取 {} 失败：{}", path.display(), reason)))
        }
    }
}

/// Writes everything into the archive and makes it durable under its unfinished name.
fn write_archive(
    order: &Order,
    room: &Workroom,
    copy: &Path,
    partial: &Path,
    files: u64,
    progress: &Progress,
) -> Result<Manifest, Stop> {
    let mut manifest = store::read_file(copy, |conn| facts(conn, order))?;
    let failed = stop(partial);
    let target = File::create_new(partial).map_err(|e| failed(Trouble::Io(e)))?;
    let mut archive = Writer::new(BufWriter::with_capacity(1 << 20, target));
    let size = std::fs::metadata(copy).map_err(|e| storage(copy, &e))?.len();
    let (mut done, total) = (0, size + files);
    let mut watch = |bytes: u64| {
        done += bytes;
        progress(Step::Files, done, total.max(done))
    };
    let database = File::open(copy).map_err(|e| storage(copy, &e))?;
    let sha256 = archive.add(DATABASE, size, database, &mut watch).map_err(&failed)?;
    manifest.parts.push(Part { name: DATABASE.into(), size, sha256 });

    let list = room.file(FILES);
    let mut lines = BufWriter::new(File::create_new(&list).map_err(|e| storage(&list, &e))?);
    let counts = store::read_file(copy, |conn| {
        add_files(conn, &order.files, &mut archive, &mut lines, &failed, &mut watch)
    })?;
    manifest.files = counts;
    lines.flush().map_err(|e| storage(&list, &e))?;
    let size = std::fs::metadata(&list).map_err(|e| storage(&list, &e))?.len();
    let lines = File::open(&list).map_err(|e| storage(&list, &e))?;
    let sha256 = archive.add(FILES, size, lines, &mut watch).map_err(&failed)?;
    manifest.parts.push(Part { name: FILES.into(), size, sha256 });

    let written = archive.finish(&manifest).map_err(&failed)?;
    let written = written.into_inner().map_err(|e| failed(Trouble::Io(e.into_error())))?;
    written.sync_all().map_err(|e| failed(Trouble::Io(e)))?;
    archive::manifest(partial).map_err(&failed)
}

/// What the manifest says of the database in the copy.
fn facts(conn: &mut Conn<'_>, order: &Order) -> store::Result<Manifest> {
    let company: Option<(String, String)> =
        conn.row("SELECT installation_id, name FROM company WHERE id = 1", &[])?;
    let (installation, company) = company.unwrap_or_default();
    let migrations: Vec<(String,)> = conn.rows("SELECT name FROM schema_migrations ORDER BY name", &[])?;
    let mut tables = std::collections::BTreeMap::new();
    for table in TABLES {
        let rows = conn.count(&format!("SELECT COUNT(*) FROM {table}"), &[])?;
        tables.insert((*table).to_owned(), rows.unsigned_abs());
    }
    let engine = match order.db.engine() {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    Ok(Manifest {
        format: FORMAT,
        kehu: env!("CARGO_PKG_VERSION").to_owned(),
        engine: engine.to_owned(),
        installation,
        company,
        id: store::format_id(order.id),
        created_at: rfc3339(order.now),
        created_by: order.by.clone(),
        migrations: migrations.into_iter().map(|(name,)| name).collect(),
        tables,
        audit: heads(conn)?,
        parts: Vec::new(),
        files: Files::default(),
        sha256: String::new(),
    })
}

/// Where the chains of the log end.
pub(super) fn heads(conn: &mut Conn<'_>) -> store::Result<Vec<AuditHead>> {
    let heads = audit::heads(conn)?;
    Ok(heads.into_iter().map(|(chain, seq, hash)| AuditHead { chain, seq, hash }).collect())
}

/// Adds every file the copy names and whose bytes are kept: those of the living must be there, those of deleted ones go
/// along while they are. Files never change once they have a row, and a living one is not removed, so they are those of
/// the copy's instant however long this takes.
fn add_files(
    conn: &mut Conn<'_>,
    files: &Path,
    archive: &mut Writer<impl Write>,
    lines: &mut impl Write,
    failed: &impl Fn(Trouble) -> Stop,
    watch: &mut Watch<'_>,
) -> Result<Files, Stop> {
    let mut counts = Files::default();
    let sql =
        "SELECT stored_as, size, sha256, CAST(CASE WHEN deleted_at IS NULL THEN 1 ELSE 0 END AS INTEGER)
               FROM files WHERE purged_at IS NULL ORDER BY id";
    conn.each::<Stop>(sql, &[], |row| {
        let (stored_as, size, sha256): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_living: bool = row.get(3)?;
        let path = files.join(&stored_as);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let listed = match opened {
            Ok((found, file)) => {
                let content = BufReader::with_capacity(64 << 10, file);
                let digest = archive.add(&file_entry(&stored_as), found, content, watch).map_err(failed)?;
                counts.count += 1;
                counts.bytes += found;
                let is_whole = digest == sha256 && found == size.unsigned_abs();
                let state = if is_whole { Found::Whole } else { Found::Altered };
                Listed { stored_as, size: found, sha256: digest, state }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if !is_living {
                    return Ok(ControlFlow::Continue(()));
                }
                Listed { stored_as, size: size.unsigned_abs(), sha256, state: Found::Missing }
            }
            Err(error) => return Err(Stop::Failed(storage(&path, &error))),
        };
        if listed.state != Found::Whole {
            counts.missing += 1;
            tracing::warn!(file = %listed.stored_as, state = ?listed.state, "an attached file is not as it should be");
        }
        lines.write_all(listed.line().as_bytes()).map_err(|e| failed(Trouble::Io(e)))?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(counts)
}
