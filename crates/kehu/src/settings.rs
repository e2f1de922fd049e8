//! Settings of the company that an administrator edits in the pages: a name and a JSON value each.

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Conn, Tx};

use crate::access::{Actor, require_administrator};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;

/// The value of a setting; its default when it was never set or cannot be read.
pub fn get<T: DeserializeOwned + Default>(conn: &mut Conn<'_>, name: &str) -> store::Result<T> {
    let text: Option<String> = conn.value("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
    Ok(text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default())
}

/// Sets a value; administrators only.
pub fn set<T: Serialize>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    name: &'static str,
    value: &T,
    now: Millis,
) -> Result<(), AppError> {
    require_administrator(actor)?;
    let before: Option<String> = tx.value("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
    let after = serde_json::to_value(value).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "INSERT INTO settings (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_at = $3, updated_by = $4",
        &[name.into(), after.to_string().into(), now.into(), actor.person_id.into()],
    )?;
    let before = before.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or(serde_json::Value::Null);
    let (before, after) = (serde_json::json!({ name: before }), serde_json::json!({ name: after }));
    audit::record(tx, actor, now, &Entry::of("setting.updated", "setting", 0).change(&before, &after))?;
    Ok(())
}
