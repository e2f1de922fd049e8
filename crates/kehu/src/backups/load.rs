//! Reading the list of backups, and how old the last good one is.

use store::{Conn, Tx};

use super::folder::Found;
use super::model::{Backup, COLUMNS};
use super::restore::made_at;
use super::{DAILY, WARN_HOURS};
use crate::access::{Actor, require_administrator};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::BackupId;

/// The newest backups before `before` if given, at most `limit`; for administrators.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    before: Option<BackupId>,
    limit: usize,
) -> Result<Vec<Backup>, AppError> {
    require_administrator(actor)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM backups WHERE deleted_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2"
    );
    Ok(conn.rows(&sql, &[before.map_or(i64::MAX, |id| id.0).into(), (limit as i64).into()])?)
}

/// A backup; for administrators.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, id: BackupId) -> Result<Backup, AppError> {
    require_administrator(actor)?;
    load_any(conn, id)?.ok_or(AppError::NotFound)
}

/// A backup, whoever asks: for the work itself.
pub(super) fn load_any(conn: &mut Conn<'_>, id: BackupId) -> store::Result<Option<Backup>> {
    conn.row(&format!("SELECT {COLUMNS} FROM backups WHERE id = $1 AND deleted_at IS NULL"), &[id.into()])
}

/// The newest backup that is there and not known to be damaged.
pub fn last_good(conn: &mut Conn<'_>) -> store::Result<Option<Backup>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM backups WHERE state = 'done' AND deleted_at IS NULL AND verification <> 'damaged'
         ORDER BY id DESC LIMIT 1"
    );
    conn.row(&sql, &[])
}

/// Why administrators should look after the backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// When the last good backup was made; `None` when there is none.
    pub last: Option<Millis>,
    /// Whether one is made every day by itself.
    pub is_daily: bool,
}

/// Whether the last good backup is older than the parameter allows. Nothing for the demonstration, and nothing for a
/// company younger than that.
pub fn overdue(conn: &mut Conn<'_>, now: Millis) -> store::Result<Option<Overdue>> {
    let hours = WARN_HOURS.whole(conn)?;
    let company: Option<(Millis, bool)> =
        conn.row("SELECT created_at, is_demo FROM company WHERE id = 1", &[])?;
    let Some((begun, false)) = company.filter(|_| hours > 0) else { return Ok(None) };
    let last = last_good(conn)?.map(|b| b.created_at);
    let is_overdue = now - last.unwrap_or(begun) > hours * 3_600_000;
    Ok(if is_overdue { Some(Overdue { last, is_daily: DAILY.flag(conn)? }) } else { None })
}

/// Makes the list that of a folder: after a restore the rows speak of the old system's folder. A backup that is there
/// and was not finished in the restored rows (the restored one itself) is.
pub(super) fn adopt(tx: &mut Tx<'_>, there: &[Found], now: Millis) -> store::Result<()> {
    let rows: Vec<(i64, String)> = tx.rows("SELECT id, file_name FROM backups", &[])?;
    for (id, name) in rows {
        if !there.iter().any(|f| f.name == name) {
            tx.exec("DELETE FROM backups WHERE id = $1", &[id.into()])?;
        }
    }
    for found in there {
        let Ok(manifest) = &found.manifest else { continue };
        let id = store::parse_id(&manifest.id).unwrap_or_else(|_| store::new_id());
        let at = made_at(manifest, now);
        let rows =
            |table: &str| manifest.tables.get(table).map_or(0, |n| i64::try_from(*n).unwrap_or(i64::MAX));
        tx.exec(
            "INSERT INTO backups (id, state, origin, file_name, size, customers, attachments, missing, created_at,
               created_by, finished_at)
             VALUES ($1, 'done', 'manual', $2, $3, $4, $5, $6, $7, 0, $7) ON CONFLICT (id) DO NOTHING",
            &[
                id.into(),
                (&found.name).into(),
                i64::try_from(found.size).unwrap_or(i64::MAX).into(),
                rows("customers").into(),
                (manifest.files.count as i64).into(),
                (manifest.files.missing as i64).into(),
                at.into(),
            ],
        )?;
    }
    Ok(())
}
