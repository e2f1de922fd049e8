//! Removing bytes nobody needs: of files taken away a while ago, and of uploads that never got a row.

use std::path::{Path, PathBuf};

use super::KEPT_DAYS;
use super::receive::{blocking, folder, storage, waiting_room};
use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;

/// One day: how old a file without a row must be.
const DAY: i64 = 24 * 3600 * 1000;
/// Rows handled at a time.
const CHUNK: i64 = 500;

/// What a purge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Files whose rows had been taken away.
    pub removed: u64,
    /// Files without a row, left by a crash.
    pub orphans: u64,
}

/// Removes the bytes of files taken away more than `KEPT_DAYS` ago, and orphans older than a day. Safe to run twice.
pub async fn purge(app: &App) -> Result<Purged, AppError> {
    let now = app.now();
    let mut purged = Purged::default();
    forget_unsent(app, now).await?;
    let kept = app.db.read(|conn| KEPT_DAYS.whole(conn)).await? * DAY;
    loop {
        let due: Vec<(i64, String)> = app
            .db
            .read(move |conn| {
                conn.rows(
                    "SELECT id, stored_as FROM files WHERE deleted_at < $1 AND purged_at IS NULL LIMIT $2",
                    &[(now - kept).into(), CHUNK.into()],
                )
            })
            .await
            .map_err(AppError::from)?;
        if due.is_empty() {
            break;
        }
        let (files, names) = (folder(app), due.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>());
        blocking(move || names.iter().try_for_each(|name| remove_file(&files.join(name)))).await?;
        purged.removed += due.len() as u64;
        let ids: Vec<i64> = due.into_iter().map(|(id, _)| id).collect();
        app.db
            .write(move |tx| {
                for id in &ids {
                    tx.exec("UPDATE files SET purged_at = $2 WHERE id = $1", &[(*id).into(), now.into()])?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
    }
    purged.orphans = remove_orphans(app, now).await?;
    Ok(purged)
}

/// Files of forms that were not sent within a day are taken away.
async fn forget_unsent(app: &App, now: Millis) -> Result<(), AppError> {
    app.db
        .write(move |tx| {
            tx.exec(
                "UPDATE files SET deleted_at = $2 WHERE object = 'case' AND object_id = 0 AND created_at < $1
                   AND deleted_at IS NULL",
                &[(now - DAY).into(), now.into()],
            )?;
            Ok::<_, AppError>(())
        })
        .await
}

/// A file that is already gone is as good as removed.
fn remove_file(path: &Path) -> Result<(), AppError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(storage(error)),
        _ => Ok(()),
    }
}

async fn remove_orphans(app: &App, now: Millis) -> Result<u64, AppError> {
    let files = folder(app);
    let mut removed = 0;
    for outer in blocking({
        let files = files.clone();
        move || folders_of(&files)
    })
    .await?
    {
        let own = files.clone();
        let old = blocking(move || old_files(&own, &outer, now)).await?;
        for chunk in old.chunks(CHUNK as usize) {
            let names: Vec<String> = chunk.to_vec();
            let orphans: Vec<String> = app
                .db
                .read(move |conn| {
                    let mut orphans = Vec::new();
                    for name in names {
                        // Ids of rows and names of files are made apart: the row is found by its name.
                        let known = conn.value::<i64>(
                            "SELECT id FROM files WHERE stored_as = $1 AND purged_at IS NULL",
                            &[(&name).into()],
                        )?;
                        if known.is_none() {
                            orphans.push(name);
                        }
                    }
                    Ok::<_, AppError>(orphans)
                })
                .await?;
            removed += orphans.len() as u64;
            let own = files.clone();
            blocking(move || orphans.iter().try_for_each(|name| remove_file(&own.join(name)))).await?;
        }
    }
    Ok(removed)
}

fn folders_of(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(storage(error)),
    };
    Ok(entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect())
}

/// Files in and below `outer` that were last written more than a day ago, as paths below `files`.
fn old_files(files: &Path, outer: &Path, now: Millis) -> Result<Vec<String>, AppError> {
    let mut folders = folders_of(outer)?;
    if outer == waiting_room(files) {
        folders.push(outer.to_owned());
    }
    let mut old = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(&folder).map_err(storage)?.flatten() {
            let Ok(about) = entry.metadata() else { continue };
            let written = about.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
            let is_old = written.is_some_and(|t| (t.as_millis() as i64) < now - DAY);
            if about.is_file()
                && is_old
                && let Ok(below) = entry.path().strip_prefix(files)
            {
                old.push(below.to_string_lossy().into_owned());
            }
        }
    }
    Ok(old)
}
