//! Reading parameters with their versions, changing them, and what they were before.

use serde_json::Value as Json;
use store::{Conn, Tx};

use super::{Parameter, number_of, record};
use crate::access::{Actor, require_administrator};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;

/// A parameter as it is now.
#[derive(Clone, Debug)]
pub struct State {
    /// Which one.
    pub parameter: &'static Parameter,
    /// What it holds.
    pub value: Json,
    /// Whether somebody set it, rather than its default holding.
    pub is_set: bool,
    /// Counts the changes; 0 before the first.
    pub version: i64,
    /// When it was changed last, and by whom (0: the command line).
    pub updated: Option<(Millis, PersonId)>,
}

/// One change of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Millis,
    /// Name of him who made it.
    pub by: String,
    /// What was set before; null for the default.
    pub before: Json,
    /// What was set; null for the default.
    pub after: Json,
}

type Stored = (String, String, i64, Millis, Option<PersonId>);

const SELECT: &str = "SELECT name, value, version, updated_at, updated_by FROM settings";

fn state(parameter: &'static Parameter, stored: Option<Stored>) -> State {
    let Some((_, value, version, at, by)) = stored else {
        let value = parameter.default_value();
        return State { parameter, value, is_set: false, version: 0, updated: None };
    };
    State {
        parameter,
        value: parameter.read(Some(&value)),
        is_set: value != "null",
        version,
        updated: Some((at, by.unwrap_or(PersonId(0)))),
    }
}

/// A parameter as it is; for administrators.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, parameter: &'static Parameter) -> Result<State, AppError> {
    require_administrator(actor)?;
    let stored = conn.row(&format!("{SELECT} WHERE name = $1"), &[parameter.name.into()])?;
    Ok(state(parameter, stored))
}

/// All parameters in the order their features declare them; for administrators.
pub fn load_all(
    conn: &mut Conn<'_>,
    actor: &Actor,
    all: &'static [&'static [Parameter]],
) -> Result<Vec<State>, AppError> {
    require_administrator(actor)?;
    let names: Vec<String> = self::all(all).map(|p| format!("'{}'", p.name)).collect();
    // Names of ours, so they may stand in the statement.
    let stored: Vec<Stored> = conn.rows(&format!("{SELECT} WHERE name IN ({})", names.join(", ")), &[])?;
    let of = |name: &str| stored.iter().find(|row| row.0 == name).cloned();
    Ok(self::all(all).map(|p| state(p, of(p.name))).collect())
}

/// Every declared parameter.
pub fn all(all: &'static [&'static [Parameter]]) -> impl Iterator<Item = &'static Parameter> {
    all.iter().copied().flatten()
}

/// Sets a parameter whose version is still `version` (`None` takes whatever it is), or with `None` as value lets its
/// default hold again. Changing nothing writes nothing. Administrators only.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    parameter: &'static Parameter,
    value: Option<&Json>,
    version: Option<i64>,
    now: Millis,
) -> Result<State, AppError> {
    require_administrator(actor)?;
    let old = load(tx, actor, parameter)?;
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let after = match value {
        Some(value) => parameter.check(value).map_err(Parameter::refused)?,
        None => Json::Null,
    };
    let before = if old.is_set { old.value.clone() } else { Json::Null };
    if before == after {
        return Ok(old);
    }
    let done = tx.exec(
        "INSERT INTO settings (name, value, updated_at, updated_by, version) VALUES ($1, $2, $3, $4, 1)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_at = $3, updated_by = $4, version = settings.version + 1
         WHERE settings.version = $5",
        &[
            parameter.name.into(),
            after.to_string().into(),
            now.into(),
            actor.person_id.into(),
            old.version.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    record(tx, actor, parameter.name, &before, &after, now)?;
    load(tx, actor, parameter)
}

/// The last 50 changes of a parameter, newest first; for administrators.
pub fn history(
    conn: &mut Conn<'_>,
    actor: &Actor,
    parameter: &'static Parameter,
) -> Result<Vec<Change>, AppError> {
    require_administrator(actor)?;
    let rows: Vec<(Millis, String, String, String)> = conn.rows(
        "SELECT at, actor_name, before, after FROM audit_log WHERE object = 'setting' AND object_id = $1
         ORDER BY id DESC LIMIT 50",
        &[number_of(parameter.name).into()],
    )?;
    let value = |text: &str| {
        let object: Json = serde_json::from_str(text).unwrap_or_default();
        object.get(parameter.name).cloned().unwrap_or_default()
    };
    Ok(rows
        .into_iter()
        .map(|(at, by, before, after)| Change { at, by, before: value(&before), after: value(&after) })
        .collect())
}
