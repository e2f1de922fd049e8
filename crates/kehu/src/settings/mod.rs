//! Settings of the company that an administrator edits in the pages: a name and a JSON value each.
//!
//! Most are **parameters** (参数): a number, a switch or a time of day, declared once by the feature that reads it
//! (`Parameter`), and listed with range, default and history on one page. Others have a page of their own.

mod change;
mod parameter;

pub mod api;
pub mod web;

pub use change::{Change, State, all, change, history, load, load_all};
pub use parameter::{Kind, Parameter, find};

use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Conn, Tx};

use crate::access::{Actor, Object, Verb, require_administrator, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::events;
use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}

/// The value of a setting; its default when it was never set or cannot be read.
pub fn get<T: DeserializeOwned + Default>(conn: &mut Conn<'_>, name: &str) -> store::Result<T> {
    let text: Option<String> = conn.value("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
    Ok(text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or_default())
}

/// Sets a value that has a page of its own; administrators only. Parameters are changed by `change`.
pub fn set<T: Serialize>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    name: &'static str,
    value: &T,
    now: Millis,
) -> Result<(), AppError> {
    require_administrator(actor)?;
    write(tx, actor, name, value, now)
}

/// Sets a value that belongs to a kind of thing: for whoever may do this to it, administrators or not.
pub fn set_for<T: Serialize>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (object, verb): (Object, Verb),
    name: &'static str,
    value: &T,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, object, verb)?;
    write(tx, actor, name, value, now)
}

fn write<T: Serialize>(
    tx: &mut Tx<'_>,
    actor: &Actor,
    name: &'static str,
    value: &T,
    now: Millis,
) -> Result<(), AppError> {
    let before: Option<String> = tx.value("SELECT value FROM settings WHERE name = $1", &[name.into()])?;
    let after = serde_json::to_value(value).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "INSERT INTO settings (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_at = $3, updated_by = $4, version = settings.version + 1",
        &[name.into(), after.to_string().into(), now.into(), actor.person_id.into()],
    )?;
    let before = before.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or(serde_json::Value::Null);
    record(tx, actor, name, &before, &after, now)
}

/// Notes a change in the log and in the outbox.
fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    name: &str,
    before: &serde_json::Value,
    after: &serde_json::Value,
    now: Millis,
) -> Result<(), AppError> {
    let id = number_of(name);
    let (before, after) = (serde_json::json!({ name: before }), serde_json::json!({ name: after }));
    events::emit(tx, actor, now, "setting.updated", "setting", id, 0)?;
    audit::record(tx, actor, now, &Entry::of("setting.updated", "setting", id).change(&before, &after))?;
    Ok(())
}

/// The number a setting goes by in the log, where objects have numbers: the first bytes of its name's digest, positive.
fn number_of(name: &str) -> i64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(8).fold(0_i64, |number, byte| (number << 8) | i64::from(*byte)) & i64::MAX
}
