//! What people do with backups: ask for one, stop it, have it verified, take it away, carry it off.

use std::path::PathBuf;

use serde_json::json;
use store::Tx;

use super::load::load;
use super::model::{Backup, State, Verification};
use super::{CREATE, VERIFY};
use crate::access::{Actor, require_administrator};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::BackupId;
use crate::{jobs, text};

/// Where a backup comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An administrator wants one now.
    Manual,
    /// It was due at this instant.
    Schedule(Millis),
    /// The command line, which does the work itself.
    Command,
}

impl Origin {
    fn code(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule(_) => "schedule",
            Self::Command => "command",
        }
    }
}

/// Whether a job of ours is under way.
fn is_busy(tx: &mut Tx<'_>) -> store::Result<bool> {
    let sql = "SELECT id FROM jobs WHERE state IN ('waiting', 'running') AND kind = $1 LIMIT 1";
    Ok(tx.value::<i64>(sql, &[CREATE.into()])?.is_some())
}

/// Asks for a backup; administrators only. `None` when another server asked for the same scheduled one already. Refused
/// while another is under way.
pub fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    origin: Origin,
    now: Millis,
) -> Result<Option<Backup>, AppError> {
    require_administrator(actor)?;
    if origin != Origin::Command && is_busy(tx)? {
        return Err(AppError::Conflict(text!("正在进行另一个备份，请等它完成后再试")));
    }
    let id = BackupId::new();
    let due = match origin {
        Origin::Schedule(due) => Some(due),
        _ => None,
    };
    let state = if origin == Origin::Command { State::Running } else { State::Waiting };
    let made = tx.exec(
        "INSERT INTO backups (id, state, origin, scheduled_for, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (scheduled_for) DO NOTHING",
        &[
            id.into(),
            state.code().into(),
            origin.code().into(),
            due.into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    if made == 0 {
        return Ok(None);
    }
    if origin != Origin::Command {
        jobs::enqueue(tx, CREATE, id.0, now)?;
    }
    let after = json!({ "origin": origin.code() });
    audit::record(tx, actor, now, &Entry::of("backup.started", "backup", id.0).after(&after))?;
    load(tx, actor, id).map(Some)
}

/// Loads a backup whose version is still `version` (`None` takes whatever it is).
fn load_at(tx: &mut Tx<'_>, actor: &Actor, id: BackupId, version: Option<i64>) -> Result<Backup, AppError> {
    let backup = load(tx, actor, id)?;
    if version.is_some_and(|v| v != backup.version) {
        return Err(AppError::Stale);
    }
    Ok(backup)
}

/// Wants a backup under way to stop; it does at its next safe place.
pub fn cancel(tx: &mut Tx<'_>, actor: &Actor, id: BackupId, now: Millis) -> Result<Backup, AppError> {
    let backup = load(tx, actor, id)?;
    if !backup.state.is_open() {
        return Err(AppError::Conflict(text!("这个备份已经结束，不能再停止")));
    }
    if !backup.is_cancel_wanted {
        tx.exec(
            "UPDATE backups SET is_cancel_wanted = TRUE, version = version + 1 WHERE id = $1",
            &[id.into()],
        )?;
        audit::record(tx, actor, now, &Entry::of("backup.cancelled", "backup", id.0))?;
    }
    load(tx, actor, id)
}

/// Has a finished backup read back in the background.
pub fn request_verification(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: BackupId,
    now: Millis,
) -> Result<Backup, AppError> {
    let backup = load(tx, actor, id)?;
    if backup.state != State::Done {
        return Err(AppError::Conflict(text!("只有已完成的备份可以校验")));
    }
    if backup.verification != Verification::Waiting {
        tx.exec(
            "UPDATE backups SET verification = 'waiting', progress = 0, total = 0, version = version + 1 WHERE id = $1",
            &[id.into()],
        )?;
        jobs::enqueue(tx, VERIFY, id.0, now)?;
        let after = backup.facts();
        let entry = Entry::of("backup.verification_requested", "backup", id.0).after(&after);
        audit::record(tx, actor, now, &entry)?;
    }
    load(tx, actor, id)
}

/// Takes a backup off the list. Its file is removed by the caller after the commit (`remove_file`): a file without a row
/// is harmless, a row without a file is not.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: BackupId,
    version: Option<i64>,
    now: Millis,
) -> Result<Backup, AppError> {
    let backup = load_at(tx, actor, id, version)?;
    if backup.state.is_open() {
        return Err(AppError::Conflict(text!("备份正在进行，请先停止")));
    }
    tx.exec(
        "UPDATE backups SET deleted_at = $2, version = version + 1 WHERE id = $1",
        &[id.into(), now.into()],
    )?;
    let before = backup.facts();
    let mut entry = Entry::of("backup.deleted", "backup", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(backup)
}

/// Where the file of a backup is; `None` while it has none.
pub fn path(app: &App, backup: &Backup) -> Option<PathBuf> {
    let name = &backup.file_name;
    super::folder::is_name(name).then(|| app.config.backups_dir.join(name))
}

/// Removes the file of a backup that was taken off the list; one that is gone already is as good as removed.
pub async fn remove_file(app: &App, backup: &Backup) -> Result<(), AppError> {
    let Some(path) = path(app, backup) else { return Ok(()) };
    match tokio::fs::remove_file(&path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(super::folder::storage(&path, &error))
        }
        _ => Ok(()),
    }
}

/// The file of a backup, opened, after noting who carries it off.
pub async fn open(
    app: &App,
    actor: &Actor,
    id: BackupId,
) -> Result<(Backup, tokio::fs::File, u64), AppError> {
    let who = actor.clone();
    let backup = app.db.read(move |conn| load(conn, &who, id)).await?;
    let gone = || AppError::Conflict(text!("备份文件已不在备份目录里，不能下载"));
    if backup.state != State::Done {
        return Err(AppError::Conflict(text!("只有已完成的备份可以下载")));
    }
    let path = path(app, &backup).ok_or_else(gone)?;
    let file = tokio::fs::File::open(&path).await.map_err(|_| gone())?;
    let size = file.metadata().await.map_err(|_| gone())?.len();
    let (actor, after, now) = (actor.clone(), backup.facts(), app.now());
    app.db
        .write(move |tx| {
            let entry = Entry::of("backup.downloaded", "backup", id.0).after(&after);
            audit::record(tx, &actor, now, &entry)
        })
        .await?;
    Ok((backup, file, size))
}
