//! Restoring a backup into an empty place: verified before, proved by counts and digests after, and settled so that the
//! new system does not go on with what the old one had under way.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use store::{Db, Location, Options, Tx};

use super::archive::{self, DATABASE, Reader, Trouble, file_entry};
use super::folder::{self, Found, Workroom, require_room, storage, sync_folder};
use super::listed::Lines;
use super::manifest::Manifest;
use super::verify::{self, Report};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::config::Config;
use crate::error::AppError;
use crate::jobs::Kind;
use crate::schema::{self, MIGRATIONS, TABLES};
use crate::{customers, files, text};

/// Name of the file that stands in a data folder while a restore into it is not finished.
const UNFINISHED: &str = "restore.unfinished";

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Sessions that were ended.
    pub sessions: u64,
    /// Background jobs that were given up, because the old system may have done them.
    pub jobs: u64,
    /// Customers in the search index that was built anew; 0 when it came along.
    pub indexed: i64,
}

/// How a restore ended otherwise.
#[derive(Debug)]
pub enum Refused {
    /// The backup is damaged: what is wrong with it.
    Damaged(Vec<String>),
    /// The place is not empty, or the like.
    Place(AppError),
    /// The backup was made by a newer program.
    Schema(String),
    /// It failed underway; the place is marked unfinished.
    Failed(AppError),
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Schema(text) => Self::Schema(text),
            other => Self::Failed(folder::stored(other)),
        }
    }
}
impl From<AppError> for Refused {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}

/// Whether a restore into this data folder was begun and did not end.
pub fn is_unfinished(data_dir: &Path) -> bool {
    data_dir.join(UNFINISHED).exists()
}

/// Restores the archive into the place `config` names. `kinds` are the jobs that can be given up, `tell` hears what is
/// being done. Blocks.
pub fn restore(
    path: &Path,
    config: &Config,
    kinds: &[Kind],
    now: Millis,
    tell: &mut dyn FnMut(&str),
) -> Result<Restored, Refused> {
    require_empty(config).map_err(Refused::Place)?;
    std::fs::create_dir_all(&config.data_dir).map_err(|e| storage(&config.data_dir, &e))?;
    tell("检查备份");
    let report = verify::verify(path, &config.data_dir, &mut |_, _| true)?.unwrap_or_default();
    let manifest = match report {
        Report { manifest: Some(manifest), problems } if problems.is_empty() => manifest,
        Report { problems, .. } => return Err(Refused::Damaged(problems)),
    };
    let is_known = |name: &String| MIGRATIONS.iter().any(|m| m.name == name);
    if let Some(unknown) = manifest.migrations.iter().find(|name| !is_known(name)) {
        return Err(Refused::Schema(format!("备份来自更新的程序（结构 {unknown}），请用同样新的 kehu 恢复")));
    }
    let database = manifest.part(DATABASE).map_or(0, |p| p.size);
    require_room(&config.data_dir, 2 * database + manifest.files.bytes, database)?;
    begin(config)?;

    tell("恢复附件");
    let room = Workroom::new(&config.data_dir)?;
    let copy = unpack(path, &manifest, config, &room)?;
    let mut counted = Report::default();
    store::read_file(&copy, |conn| verify::check_counts(conn, &manifest, &mut counted))?;
    if !counted.problems.is_empty() {
        return Err(Refused::Damaged(counted.problems));
    }
    tell("恢复数据库");
    let (db, indexed) = match &config.database {
        Location::Sqlite(target) => place_file(&copy, target, &manifest)?,
        Location::Postgres(_) => copy_rows(&copy, config)?,
    };
    let there = folder::found_in(&config.backups_dir)?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let (kinds, told) = (kinds.to_vec(), manifest.clone());
    let (sessions, jobs) = db.write_blocking(move |tx| settle(tx, &kinds, &there, &told, &name, now))?;
    drop(db);
    std::fs::remove_file(config.data_dir.join(UNFINISHED)).map_err(|e| storage(&config.data_dir, &e))?;
    sync_folder(&config.data_dir)?;
    Ok(Restored { manifest, sessions, jobs, indexed })
}

/// Refuses a place where a company is, or anything of one.
fn require_empty(config: &Config) -> Result<(), AppError> {
    let files = config.data_dir.join(files::FOLDER);
    if !is_unfinished(&config.data_dir) {
        if let Location::Sqlite(path) = &config.database
            && path.exists()
        {
            return Err(AppError::Conflict(text!(
                "目录里已有数据库 {}，恢复只能写到空的地方，没有改动任何数据。请换一个空目录，用 --data 指向它",
                path.display()
            )));
        }
        if std::fs::read_dir(&files).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(AppError::Conflict(text!(
                "目录 {} 里已有附件，恢复只能写到空的地方，没有改动任何数据。请换一个空目录，用 --data 指向它",
                files.display()
            )));
        }
    }
    if let Location::Postgres(_) = &config.database {
        let allow_unsafe = config.allow_unsafe_postgres;
        let options = Options { readers: 1, writers: 1, allow_unsafe, ..Options::default() };
        let db = Db::open(&config.database, &options)?;
        if store::is_migrated(&db)? {
            return Err(AppError::Conflict(text!(
                "PostgreSQL 数据库不是空的，恢复只能写到空的数据库，没有改动任何数据。请新建一个空数据库，再用 --database 指向它"
            )));
        }
    }
    Ok(())
}

/// Marks the place, and clears away what a restore that was killed left in it: it had been empty before that one.
fn begin(config: &Config) -> Result<(), AppError> {
    let mark = config.data_dir.join(UNFINISHED);
    if mark.exists() {
        let gone = |path: PathBuf, outcome: std::io::Result<()>| match outcome {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(storage(&path, &error)),
            _ => Ok(()),
        };
        folder::clear_workrooms(&config.data_dir)?;
        let files = config.data_dir.join(files::FOLDER);
        let removed = std::fs::remove_dir_all(&files);
        gone(files, removed)?;
        if let Location::Sqlite(path) = &config.database {
            for end in ["", "-wal", "-shm"] {
                let path = PathBuf::from(format!("{}{end}", path.display()));
                let removed = std::fs::remove_file(&path);
                gone(path, removed)?;
            }
        }
    }
    let file = File::create(&mark).map_err(|e| storage(&mark, &e))?;
    file.sync_all().map_err(|e| storage(&mark, &e))?;
    sync_folder(&config.data_dir)
}

fn broken(path: &Path) -> impl Fn(Trouble) -> Refused + '_ {
    move |trouble| match trouble {
        Trouble::Damaged(reason) => Refused::Damaged(vec![reason]),
        Trouble::Io(error) => Refused::Failed(storage(path, &error)),
        Trouble::Stopped => Refused::Failed(AppError::Conflict(text!("已停止"))),
    }
}

/// Unpacks the database into the workroom and the files to their places; every digest is checked on the way.
fn unpack(path: &Path, manifest: &Manifest, config: &Config, room: &Workroom) -> Result<PathBuf, Refused> {
    let trouble = broken(path);
    let source = File::open(path).map_err(|e| storage(path, &e))?;
    let mut reader = Reader::new(BufReader::with_capacity(1 << 20, source));
    let changed = |name: &str| Refused::Damaged(vec![format!("{name} 的内容与清单不符")]);
    let part = manifest.part(DATABASE).ok_or_else(|| changed(DATABASE))?;
    let copy = room.file(DATABASE);
    let target = File::create_new(&copy).map_err(|e| storage(&copy, &e))?;
    let mut target = BufWriter::with_capacity(1 << 20, target);
    let digest = reader.expect(DATABASE, part.size, &mut target, &mut |_| true).map_err(&trouble)?;
    let target = target.into_inner().map_err(|e| storage(&copy, &e.into_error()))?;
    target.sync_all().map_err(|e| storage(&copy, &e))?;
    if digest != part.sha256 {
        return Err(changed(DATABASE));
    }
    let files = config.data_dir.join(files::FOLDER);
    std::fs::create_dir_all(&files).map_err(|e| storage(&files, &e))?;
    let mut lines = Lines::new(BufReader::new(archive::file_list(path, manifest).map_err(&trouble)?));
    while let Some(listed) = lines.next().map_err(|()| changed("附件目录"))? {
        if !listed.is_there() {
            continue;
        }
        let place = files.join(&listed.stored_as);
        let parent = place.parent().unwrap_or(&files);
        std::fs::create_dir_all(parent).map_err(|e| storage(parent, &e))?;
        let mut target = BufWriter::new(File::create_new(&place).map_err(|e| storage(&place, &e))?);
        let name = file_entry(&listed.stored_as);
        let digest = reader.expect(&name, listed.size, &mut target, &mut |_| true).map_err(&trouble)?;
        target.flush().map_err(|e| storage(&place, &e))?;
        if digest != listed.sha256 {
            return Err(changed(&name));
        }
    }
    // One sync for all of them: a sync a file would take longer than everything else.
    let folder = File::open(&files).map_err(|e| storage(&files, &e))?;
    rustix::fs::syncfs(&folder).map_err(|e| storage(&files, &e.into()))?;
    Ok(copy)
}

/// Puts the database where the server looks for it, and brings its schema up to date. One that came from PostgreSQL has
/// no search index, which is built.
fn place_file(copy: &Path, target: &Path, manifest: &Manifest) -> Result<(Db, i64), Refused> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|e| storage(folder, &e))?;
        let same_disk = std::fs::rename(copy, target);
        if same_disk.is_err() {
            std::fs::copy(copy, target).map_err(|e| storage(target, &e))?;
            File::open(target).and_then(|f| f.sync_all()).map_err(|e| storage(target, &e))?;
        }
        sync_folder(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
    }
    let options = Options { readers: 1, writers: 1, ..Options::default() };
    let db = Db::open(&Location::Sqlite(target.to_owned()), &options)?;
    store::migrate(&db, MIGRATIONS)?;
    let indexed = if manifest.engine == "sqlite" { 0 } else { customers::rebuild_index(&db)? };
    Ok((db, indexed))
}

/// Copies the rows into an empty PostgreSQL database, proves every table by count and digest, and builds the index.
fn copy_rows(copy: &Path, config: &Config) -> Result<(Db, i64), Refused> {
    let allow_unsafe = config.allow_unsafe_postgres;
    let options = Options { readers: 2, writers: 2, allow_unsafe, ..Options::default() };
    let from = Db::open(&Location::Sqlite(copy.to_owned()), &options)?;
    store::migrate(&from, MIGRATIONS)?;
    let to = Db::open(&config.database, &options)?;
    store::migrate(&to, MIGRATIONS)?;
    schema::clear_seeds(&to)?;
    let report = store::copy_tables(&from, &to, TABLES, |_, _| std::ops::ControlFlow::Continue(()))?;
    if !report.is_equal() {
        let different: Vec<&str> =
            report.tables.iter().filter(|t| t.from != t.to).map(|t| t.table.as_str()).collect();
        return Err(Refused::Failed(AppError::Conflict(text!(
            "恢复后逐表核对不一致：{}。请不要使用这个数据库",
            different.join("、")
        ))));
    }
    let indexed = customers::rebuild_index(&to)?;
    Ok((to, indexed))
}

/// Ends what the old system had under way: its sessions, and the jobs that were due, which it may have done since. The
/// list of backups becomes that of the folder. Writes it into the log.
fn settle(
    tx: &mut Tx<'_>,
    kinds: &[Kind],
    there: &[Found],
    manifest: &Manifest,
    name: &str,
    now: Millis,
) -> Result<(u64, u64), AppError> {
    let sessions = tx.exec("DELETE FROM sessions", &[])?;
    let due: Vec<(i64, String, i64)> = tx.rows(
        "SELECT id, kind, subject_id FROM jobs WHERE state = 'running' OR (state = 'waiting' AND run_at <= $1)",
        &[made_at(manifest, now).into()],
    )?;
    let reason = AppError::Forbidden(text!("系统已从备份恢复，这项工作没有自动继续，请检查后重新开始"));
    let said = reason.to_string();
    for (id, kind, subject) in &due {
        tx.exec(
            "UPDATE jobs SET state = 'dead', finished_at = $2, last_error = $3, worker = '' WHERE id = $1",
            &[(*id).into(), now.into(), (&said).into()],
        )?;
        if let Some(kind) = kinds.iter().find(|k| k.name == kind) {
            (kind.on_dead)(tx, *subject, &reason, now)?;
        }
    }
    super::load::adopt(tx, there, now)?;
    let after = json!({
        "file": name,
        "made_at": manifest.created_at,
        "company": manifest.company,
        "sessions": sessions,
        "jobs": due.len(),
    });
    let entry = Entry::of("backup.restored", "backup", 0).after(&after);
    audit::record(tx, &Actor::command_line(), now, &entry)?;
    Ok((sessions, due.len() as u64))
}

/// The instant of a backup's contents.
pub(super) fn made_at(manifest: &Manifest, otherwise: Millis) -> Millis {
    manifest.created_at.parse::<jiff::Timestamp>().map_or(otherwise, |at| at.as_millisecond())
}
