//! The folder of backups: one backup at a time, what a killed one left, what is there, room on the disk.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::archive::{self, Trouble};
use super::manifest::Manifest;
use crate::error::AppError;
use crate::text;

/// How the names of backups end.
pub const ENDING: &str = ".kehu-backup";
/// How the names of backups end that are being written.
const PARTIAL: &str = ".partial";
/// How the names of folders begin in which a backup is prepared or checked.
const WORK: &str = ".work-";

/// Holds the folder while a backup is made; the operating system lets go of it if this program is killed.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the folder, making it if it is not there. Refused while another backup is being made, by whichever program.
pub(super) fn lock(folder: &Path) -> Result<Lock, AppError> {
    std::fs::create_dir_all(folder).map_err(|e| storage(folder, &e))?;
    let path = folder.join(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|e| storage(&path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(AppError::Busy(text!("正在进行另一个备份，请等它完成后再试")))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(storage(&path, &e)),
    }
}

/// Removes what backups that were killed left. Only for whoever holds the lock.
pub(super) fn clear_leftovers(folder: &Path, _: &Lock) -> Result<(), AppError> {
    clear_workrooms(folder)?;
    let unfinished = format!("{ENDING}{PARTIAL}");
    for entry in std::fs::read_dir(folder).map_err(|e| storage(folder, &e))?.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().ends_with(&unfinished) {
            std::fs::remove_file(&path).map_err(|e| storage(&path, &e))?;
            tracing::info!(path = %path.display(), "removed what an interrupted backup left");
        }
    }
    Ok(())
}

/// Removes the workrooms in a folder in which nobody works any more.
pub(super) fn clear_workrooms(folder: &Path) -> Result<(), AppError> {
    for entry in std::fs::read_dir(folder).map_err(|e| storage(folder, &e))?.flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(WORK) && path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(|e| storage(&path, &e))?;
            tracing::info!(path = %path.display(), "removed what an interrupted backup left");
        }
    }
    Ok(())
}

/// A folder to prepare something in; it goes with everything in it when dropped.
#[derive(Debug)]
pub(super) struct Workroom(PathBuf);

impl Workroom {
    pub(super) fn new(folder: &Path) -> Result<Self, AppError> {
        let path = folder.join(format!("{WORK}{}", store::format_id(store::new_id())));
        std::fs::create_dir_all(&path).map_err(|e| storage(&path, &e))?;
        Ok(Self(path))
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Workroom {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "left behind until the next backup");
        }
    }
}

/// A file that goes away unless it is kept.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    kept: bool,
}

impl Partial {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self { path: folder.join(format!("{name}{PARTIAL}")), kept: false }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name, durably. It was synced before.
    pub(super) fn keep(mut self, folder: &Path, name: &str) -> Result<PathBuf, AppError> {
        let target = folder.join(name);
        std::fs::rename(&self.path, &target).map_err(|e| storage(&target, &e))?;
        self.kept = true;
        sync_folder(folder)?;
        Ok(target)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, path = %self.path.display(), "left behind until the next backup");
        }
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), AppError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| storage(folder, &e))
}

/// Whether a name may be that of a backup: one of ours, and nothing that leads elsewhere.
pub(super) fn is_name(name: &str) -> bool {
    name.ends_with(ENDING)
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A backup found in a folder.
#[derive(Debug)]
pub struct Found {
    /// Name of the file.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// What it says of itself, or why it cannot be read.
    pub manifest: Result<Manifest, String>,
}

/// The backups in a folder, the newest name first; unfinished ones are not among them.
pub fn found_in(folder: &Path) -> Result<Vec<Found>, AppError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(storage(folder, &error)),
    };
    let mut found: Vec<Found> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_str().filter(|name| is_name(name))?.to_owned();
            let size = entry.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
            let manifest = archive::manifest(&entry.path()).map_err(|trouble| match trouble {
                Trouble::Damaged(reason) => reason,
                Trouble::Io(error) => error.to_string(),
                Trouble::Stopped => String::new(),
            });
            Some(Found { name, size, manifest })
        })
        .collect();
    found.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(found)
}

/// Bytes an ordinary user may still write on the disk of a folder, or of the nearest one above it that is there.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let there =
        folder.ancestors().find(|f| f.is_dir() && !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let about = rustix::fs::statvfs(there).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Refuses work that would not find room; a tenth more than what is needed must be free, and the largest file it writes
/// must be allowed to grow that far.
pub(super) fn require_room(folder: &Path, needed: u64, largest: u64) -> Result<(), AppError> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    if let Some(limit) = limit.filter(|limit| *limit < largest) {
        return Err(AppError::Conflict(text!(
            "超过文件大小上限：这个程序只能写 {} 以内的文件（ulimit -f），需要约 {}。请放宽上限后重试",
            size_text(limit),
            size_text(largest)
        )));
    }
    let wanted = needed + needed / 10;
    match free_bytes(folder) {
        Some(free) if free < wanted => Err(AppError::Conflict(text!(
            "磁盘空间不足：{} 所在磁盘还剩 {}，需要约 {}。请清理磁盘、删除旧备份，或把备份目录改到别的磁盘",
            folder.display(),
            size_text(free),
            size_text(wanted)
        ))),
        _ => Ok(()),
    }
}

/// `12 KB`, `3.4 MB`, `1.2 GB`.
pub fn size_text(bytes: u64) -> String {
    match bytes {
        n if n < 1 << 20 => format!("{} KB", n.div_ceil(1 << 10)),
        n if n < 1 << 30 => format!("{:.1} MB", n as f64 / f64::from(1 << 20)),
        n => format!("{:.1} GB", n as f64 / f64::from(1 << 30)),
    }
}

/// What an error of the file system means for whoever wants the backup.
pub(super) fn storage(path: &Path, error: &std::io::Error) -> AppError {
    match error.kind() {
        std::io::ErrorKind::StorageFull
        | std::io::ErrorKind::QuotaExceeded
        | std::io::ErrorKind::FileTooLarge => full(),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            AppError::Conflict(text!("没有权限写 {}，请检查目录的所有者和权限", path.display()))
        }
        _ => AppError::Conflict(text!("读写 {} 失败：{}", path.display(), error)),
    }
}

/// The disk is full, or a file may not grow further; nothing half is left.
pub(super) fn full() -> AppError {
    AppError::Conflict(text!(
        "备份目录所在的磁盘已满或达到文件大小上限，没有留下半个备份。请清理磁盘、删除旧备份或放宽上限（ulimit -f）后重试"
    ))
}

/// The same for errors of the store while a copy is written.
pub(super) fn stored(error: store::Error) -> AppError {
    match error {
        store::Error::Full => full(),
        store::Error::StorageFailed => {
            AppError::Conflict(text!("读写备份目录时磁盘出错，没有留下半个备份。请检查磁盘后重试"))
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_none_of_ours() {
        assert!(is_name("kehu-20260928-162000-01M2Z8Q4T7V0K.kehu-backup"));
        for name in
            ["../x.kehu-backup", ".x.kehu-backup", "x/y.kehu-backup", "x.kehu-backup.partial", "x.tar", ""]
        {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn one_backup_at_a_time_and_leftovers_go() {
        let folder = tempfile::tempdir().unwrap();
        let lock = super::lock(folder.path()).unwrap();
        assert!(matches!(super::lock(folder.path()), Err(AppError::Busy(_))));
        std::fs::create_dir(folder.path().join(".work-x")).unwrap();
        std::fs::write(folder.path().join(".work-x/database.sqlite"), "x").unwrap();
        std::fs::write(folder.path().join("a.kehu-backup.partial"), "x").unwrap();
        std::fs::write(folder.path().join("a.kehu-backup"), "x").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
        let found = found_in(folder.path()).unwrap();
        assert_eq!(found.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["a.kehu-backup"]);
        assert!(found[0].manifest.is_err());
        clear_leftovers(folder.path(), &lock).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        left.sort();
        assert_eq!(left, [".lock", "a.kehu-backup", "notes.txt"]);
        drop(lock);
        super::lock(folder.path()).unwrap();
    }

    #[test]
    fn sizes_read_like_sizes() {
        assert_eq!(size_text(0), "0 KB");
        assert_eq!(size_text(1025), "2 KB");
        assert_eq!(size_text(3 << 20), "3.0 MB");
        assert_eq!(size_text(5 << 29), "2.5 GB");
    }
}
