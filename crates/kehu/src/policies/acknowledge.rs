//! Taking note of a regulation (知晓): who, when, which version.

use store::{Conn, Tx};

use super::model::{SELECT, State, Version};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, PolicyVersionId};
use crate::text;
use serde_json::json;

/// The actor has read a published version: once; again is no error.
pub fn acknowledge(tx: &mut Tx<'_>, actor: &Actor, id: PolicyVersionId, now: Millis) -> Result<(), AppError> {
    let version: Version =
        tx.row(&format!("{SELECT} WHERE id = $1"), &[id.into()])?.ok_or(AppError::NotFound)?;
    if version.state != State::Published {
        return Err(AppError::Conflict(text!("草稿还没有发布，不用确认")));
    }
    let written = tx.exec(
        "INSERT INTO policy_acknowledgements (version_id, person_id, at) VALUES ($1, $2, $3)
         ON CONFLICT (version_id, person_id) DO NOTHING",
        &[id.into(), actor.person_id.into(), now.into()],
    )?;
    if written > 0 {
        let after = json!({"policy": version.policy, "version": version.version});
        audit::record(tx, actor, now, &Entry::of("policy.acknowledged", "policy", id.0).after(&after))?;
        crate::events::emit(tx, actor, now, "policy.acknowledged", "policy", id.0, 0)?;
    }
    Ok(())
}

/// When the person took note of it.
pub fn has_acknowledged(
    conn: &mut Conn<'_>,
    person: PersonId,
    id: PolicyVersionId,
) -> store::Result<Option<Millis>> {
    conn.value(
        "SELECT at FROM policy_acknowledgements WHERE version_id = $1 AND person_id = $2",
        &[id.into(), person.into()],
    )
}

/// The versions the person took note of.
pub fn acknowledged_by(conn: &mut Conn<'_>, person: PersonId) -> store::Result<Vec<PolicyVersionId>> {
    let all: Vec<(PolicyVersionId,)> =
        conn.rows("SELECT version_id FROM policy_acknowledgements WHERE person_id = $1", &[person.into()])?;
    Ok(all.into_iter().map(|(id,)| id).collect())
}

/// Everybody active, with the time he took note; those who have not come first.
pub fn acknowledgements(
    conn: &mut Conn<'_>,
    id: PolicyVersionId,
) -> store::Result<Vec<(PersonId, String, Option<Millis>)>> {
    conn.rows(
        "SELECT p.id, p.name, a.at FROM people p
         LEFT JOIN policy_acknowledgements a ON a.person_id = p.id AND a.version_id = $1
         WHERE p.is_active ORDER BY CASE WHEN a.at IS NULL THEN 0 ELSE 1 END, p.name, p.id LIMIT 5000",
        &[id.into()],
    )
}

/// How many regulations in force the person has not taken note of.
pub fn unread(conn: &mut Conn<'_>, person: PersonId, now: Millis) -> store::Result<i64> {
    conn.count(
        "SELECT COUNT(*) FROM policy_versions v WHERE v.state = 'published' AND v.effective_at <= $2
           AND (v.retired_at IS NULL OR v.retired_at > $2)
           AND NOT EXISTS (SELECT 1 FROM policy_acknowledgements a WHERE a.version_id = v.id AND a.person_id = $1)",
        &[person.into(), now.into()],
    )
}
