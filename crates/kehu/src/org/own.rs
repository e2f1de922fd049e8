//! Two pairs of eyes: whoever defines or gives roles, or gives posts, does not raise his own rights alone.

use store::Conn;

use crate::access::{ADMINISTRATOR_ID, Actor};
use crate::error::AppError;
use crate::ids::PersonId;
use crate::text;

/// What the log says of a change by which an administrator raised his own rights.
pub(crate) const FOR_ONESELF: &str = "for_oneself";

/// For a change that may give `person` more rights than before: refused when that is the actor himself and he is no
/// administrator. Answers whether it is the actor himself, an administrator then: the caller marks it in the log.
pub(crate) fn require_another(
    conn: &mut Conn<'_>,
    actor: &Actor,
    person: PersonId,
) -> Result<bool, AppError> {
    if actor.person_id != person {
        return Ok(false);
    }
    if actor.is_administrator() {
        return Ok(true);
    }
    Err(AppError::Forbidden(text!(
        "不能自己给自己增加权限，请由系统管理员（{}）或另一位能授权的同事办理",
        administrators(conn)?
    )))
}

/// The names of at most three active administrators: whom to ask.
pub(crate) fn administrators(conn: &mut Conn<'_>) -> store::Result<String> {
    let names: Vec<(String,)> = conn.rows(
        "SELECT DISTINCT p.name FROM person_roles r JOIN people p ON p.id = r.person_id
         WHERE r.role_id = $1 AND r.ends_on = '' AND p.is_active = TRUE ORDER BY p.name LIMIT 3",
        &[ADMINISTRATOR_ID.into()],
    )?;
    let names: Vec<String> = names.into_iter().map(|(name,)| name).collect();
    Ok(names.join("、"))
}

/// Marks a row of the log when `is_own`.
pub(crate) fn mark(mut facts: serde_json::Value, is_own: bool) -> serde_json::Value {
    if is_own && let Some(facts) = facts.as_object_mut() {
        facts.insert(FOR_ONESELF.to_owned(), true.into());
    }
    facts
}
