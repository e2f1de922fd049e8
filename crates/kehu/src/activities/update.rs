//! Changing an activity, and noting that a need was met.

use store::Tx;

use super::create::{check_contact, count, require_may_meet};
use super::load::load;
use super::model::{Activity, Draft};
use crate::access::{Actor, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::ActivityId;
use crate::input::difference;
use crate::{customers, events, text};

/// Changes an activity whose version is still `version` (`None` takes whatever it is). Its words only its author and
/// administrators may change; whether a need is met, everybody who works with the customer. Changing nothing writes
/// nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: ActivityId,
    version: Option<i64>,
    draft: &Draft,
    now: Millis,
) -> Result<Activity, AppError> {
    let old = load(tx, actor, Verb::Update, id)?;
    if draft.changes_words() {
        require_author(actor, &old)?;
    }
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    if draft.kind.is_some_and(|k| k != old.kind) {
        return Err(AppError::field("kind", text!("动态的种类不能更改，请删除后重新记录")));
    }
    let values = draft.clean(old.kind, catalogue, now).map_err(AppError::Invalid)?;
    let next = draft.clean_next().map_err(AppError::Invalid)?;
    let mut new = old.clone();
    new.take(values);
    if let Some(contact) = draft.contact_id.filter(|c| *c != old.contact_id) {
        new.contact_id = check_contact(tx, old.customer_id, contact)?;
    }
    new.happened_at = draft.happened_at.unwrap_or(old.happened_at);
    match draft.is_done {
        Some(true) if old.done_at.is_none() => {
            require_may_meet(tx, actor, old.customer_id)?;
            (new.done_at, new.done_by) = (Some(now), Some(actor.person_id));
        }
        Some(false) => (new.done_at, new.done_by) = (None, None),
        _ => {}
    }
    let lacking = new.lacking();
    if !lacking.is_empty() {
        return Err(AppError::Invalid(lacking));
    }
    let (before, mut after) = difference(&old.facts(), &new.facts());
    if let Some(next) = &next {
        after["next_contact_on"] = next.as_str().into();
    }
    if before == after {
        return Ok(old);
    }
    new.version += 1;
    new.updated_at = now;
    write(tx, actor, &new, old.version)?;
    customers::touch_after_activity(tx, new.customer_id, new.happened_at, next.as_deref())?;
    if old.is_open() != new.is_open() {
        count(tx, &old, -1)?;
        count(tx, &new, 1)?;
    }
    events::emit(tx, actor, now, "activity.updated", "activity", id.0, new.customer_id.0)?;
    let entry = Entry::of("activity.updated", "activity", id.0).customer(new.customer_id.0);
    audit::record(tx, actor, now, &entry.change(&before, &after))?;
    Ok(new)
}

/// Only the author and administrators.
pub(super) fn require_author(actor: &Actor, activity: &Activity) -> Result<(), AppError> {
    if may_change(actor, activity) {
        Ok(())
    } else {
        Err(AppError::Forbidden(text!("只有记录人和管理员可以修改或删除这条动态")))
    }
}

/// Whether the actor may change the words of an activity he may read.
pub(super) fn may_change(actor: &Actor, activity: &Activity) -> bool {
    actor.is_administrator() || activity.created_by == actor.person_id
}

fn write(tx: &mut Tx<'_>, actor: &Actor, new: &Activity, version: i64) -> Result<(), AppError> {
    let done = tx.exec(
        "UPDATE activities SET contact_id = $3, direction = $4, subject = $5, body = $6, result = $7, source = $8,
           effect = $9, happened_at = $10, done_at = $11, done_by = $12, updated_at = $13, updated_by = $14,
           version = version + 1 WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[
            new.id.into(),
            version.into(),
            new.contact_id.into(),
            (&new.direction).into(),
            (&new.subject).into(),
            (&new.body).into(),
            (&new.result).into(),
            (&new.source).into(),
            (&new.effect).into(),
            new.happened_at.into(),
            new.done_at.into(),
            new.done_by.into(),
            new.updated_at.into(),
            actor.person_id.into(),
        ],
    )?;
    if done == 0 { Err(AppError::Stale) } else { Ok(()) }
}
