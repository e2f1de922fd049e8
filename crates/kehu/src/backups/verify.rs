//! Reading a whole backup back: every byte against its digest, the database with SQLite's own check and ours, and every
//! file the database names.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use store::Conn;

use super::archive::{self, DATABASE, FILES, Reader, Trouble, Watch, file_entry};
use super::create::heads;
use super::folder::{Workroom, require_room, storage};
use super::listed::{Found, Lines};
use super::manifest::Manifest;
use crate::audit;
use crate::error::AppError;

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the backup says of itself; `None` when not even that can be read.
    pub manifest: Option<Manifest>,
    /// What is wrong with it, in words, at most twenty; empty for a good backup.
    pub problems: Vec<String>,
}

/// Problems told at the most: a damaged disk has many, and the first ones say it.
const MOST: usize = 20;

impl Report {
    /// Whether everything is as it was when the backup was made.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty()
    }

    fn note(&mut self, problem: impl Into<String>) {
        if self.problems.len() < MOST {
            self.problems.push(problem.into());
        }
    }
}

/// Verifies an archive; `None` when `watch` (bytes done, all bytes) wanted it to end. `folder` is where the database is
/// unpacked for a while. Damage is told in the report; an error means that it could not be looked at. Blocks.
pub fn verify(
    path: &Path,
    folder: &Path,
    watch: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Option<Report>, AppError> {
    let mut report = Report::default();
    let size = std::fs::metadata(path).map_err(|e| storage(path, &e))?.len();
    let mut done = 0;
    let mut watch = |bytes: u64| {
        done += bytes;
        watch(done, size)
    };
    let outcome = look(path, folder, &mut report, &mut watch);
    match outcome {
        Ok(()) => Ok(Some(report)),
        Err(Ended::Stopped) => Ok(None),
        Err(Ended::Damaged(reason)) => {
            report.note(reason);
            Ok(Some(report))
        }
        Err(Ended::Failed(error)) => Err(error),
    }
}

/// Why looking ended before the end.
enum Ended {
    Stopped,
    Damaged(String),
    Failed(AppError),
}

impl From<AppError> for Ended {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}

fn ended(path: &Path) -> impl Fn(Trouble) -> Ended + '_ {
    move |trouble| match trouble {
        Trouble::Stopped => Ended::Stopped,
        Trouble::Damaged(reason) => Ended::Damaged(reason),
        // A sector that cannot be read is damage of the backup as much as a wrong byte.
        Trouble::Io(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
            Ended::Damaged(format!("磁盘读不出这个文件：{error}"))
        }
        Trouble::Io(error) => Ended::Failed(storage(path, &error)),
    }
}

fn look(path: &Path, folder: &Path, report: &mut Report, watch: &mut Watch<'_>) -> Result<(), Ended> {
    let trouble = ended(path);
    let manifest = archive::manifest(path).map_err(&trouble)?;
    report.manifest = Some(manifest.clone());
    let part =
        |name: &str| manifest.part(name).cloned().ok_or_else(|| Ended::Damaged(format!("清单里没有 {name}")));
    let (database, list) = (part(DATABASE)?, part(FILES)?);
    require_room(folder, database.size, database.size)?;
    let room = Workroom::new(folder)?;
    let file = File::open(path).map_err(|e| storage(path, &e))?;
    let mut reader = Reader::new(BufReader::with_capacity(1 << 20, file));

    let copy = room.file(DATABASE);
    let mut target =
        BufWriter::with_capacity(1 << 20, File::create_new(&copy).map_err(|e| storage(&copy, &e))?);
    let digest = reader.expect(DATABASE, database.size, &mut target, watch).map_err(&trouble)?;
    target.flush().map_err(|e| storage(&copy, &e))?;
    drop(target);
    if digest == database.sha256 {
        check_database(&copy, &manifest, report);
        check_named(path, &copy, &manifest, report).map_err(&trouble)?;
    } else {
        report.note("数据库的内容与清单不符");
    }

    let mut lines = Lines::new(BufReader::new(archive::file_list(path, &manifest).map_err(&trouble)?));
    let (mut count, mut bytes) = (0, 0);
    while let Some(listed) = lines.next().map_err(|()| Ended::Damaged("附件目录被改动".into()))? {
        if !listed.is_there() {
            continue;
        }
        let name = file_entry(&listed.stored_as);
        let digest = reader.expect(&name, listed.size, std::io::sink(), watch).map_err(&trouble)?;
        if digest != listed.sha256 {
            report.note(format!("附件 {} 的内容被改动", listed.stored_as));
        }
        count += 1;
        bytes += listed.size;
    }
    if (count, bytes) != (manifest.files.count, manifest.files.bytes) {
        report.note(format!("附件应有 {} 个，实际 {count} 个", manifest.files.count));
    }
    let digest = reader.expect(FILES, list.size, std::io::sink(), watch).map_err(&trouble)?;
    if digest != list.sha256 {
        report.note("附件目录被改动");
    }
    reader.end().map_err(&trouble)
}

/// The database itself: SQLite's check, foreign keys, rows, the chains of the log.
fn check_database(copy: &Path, manifest: &Manifest, report: &mut Report) {
    let checked = store::read_file(copy, |conn| {
        let integrity: Vec<(String,)> = conn.rows("PRAGMA integrity_check(5)", &[])?;
        if integrity.len() != 1 || integrity[0].0 != "ok" {
            for (line,) in integrity {
                report.note(format!("数据库损坏：{line}"));
            }
        }
        let foreign = conn.count("SELECT COUNT(*) FROM pragma_foreign_key_check", &[])?;
        if foreign != 0 {
            report.note(format!("数据库里有 {foreign} 条记录指向不存在的记录"));
        }
        check_counts(conn, manifest, report)?;
        for chain in audit::verify(conn)? {
            if chain.problem.is_some() {
                report.note(format!("操作日志的链 {} 不完整", chain.chain));
            }
        }
        if heads(conn)? != manifest.audit {
            report.note("操作日志的结尾与清单不符");
        }
        Ok::<_, store::Error>(())
    });
    if let Err(error) = checked {
        report.note(format!("数据库不能读取：{error}"));
    }
}

/// Rows of every table against the manifest.
pub(super) fn check_counts(
    conn: &mut Conn<'_>,
    manifest: &Manifest,
    report: &mut Report,
) -> store::Result<()> {
    for (table, rows) in &manifest.tables {
        if !table.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            report.note(format!("清单里有不认识的表 {table}"));
            continue;
        }
        let found = conn.count(&format!("SELECT COUNT(*) FROM {table}"), &[])?.unsigned_abs();
        if found != *rows {
            report.note(format!("表 {table} 应有 {rows} 行，实际 {found} 行"));
        }
    }
    Ok(())
}

/// Every file the database names against the list: a living one stands there, with the digest the database knows or
/// marked as lost or altered before; and nothing else does.
fn check_named(path: &Path, copy: &Path, manifest: &Manifest, report: &mut Report) -> Result<(), Trouble> {
    let mut lines = Lines::new(BufReader::new(archive::file_list(path, manifest)?));
    let damaged = || Trouble::Damaged("附件目录被改动".into());
    let mut next = lines.next().map_err(|()| damaged())?;
    let mut lost = 0;
    let sql =
        "SELECT stored_as, size, sha256, CAST(CASE WHEN deleted_at IS NULL THEN 1 ELSE 0 END AS INTEGER)
               FROM files WHERE purged_at IS NULL ORDER BY id";
    let walked = store::read_file(copy, |conn| {
        conn.each(sql, &[], |row| {
            let (stored_as, size, sha256): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let is_living: bool = row.get(3)?;
            let Some(listed) = next.as_ref().filter(|listed| listed.stored_as == stored_as) else {
                if is_living {
                    report.note(format!("缺少附件 {stored_as}"));
                }
                return Ok(ControlFlow::Continue(()));
            };
            match listed.state {
                Found::Whole if listed.sha256 != sha256 || listed.size != size.unsigned_abs() => {
                    report.note(format!("附件 {stored_as} 与数据库的记录不符"));
                }
                Found::Whole => {}
                Found::Altered | Found::Missing => lost += 1,
            }
            next = match lines.next() {
                Ok(next) => next,
                Err(()) => return Err(store::Error::Cancelled),
            };
            Ok(ControlFlow::Continue(()))
        })
    });
    match walked {
        Ok(()) => {}
        Err(store::Error::Cancelled) => return Err(damaged()),
        Err(error) => report.note(format!("数据库不能读取：{error}")),
    }
    if let Some(listed) = next {
        report.note(format!("附件目录里的 {} 不属于这个数据库", listed.stored_as));
    }
    if lost != manifest.files.missing {
        report.note(format!("备份时缺失的附件应为 {} 个，实际 {lost} 个", manifest.files.missing));
    }
    Ok(())
}
