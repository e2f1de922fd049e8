//! Correcting a report the superior has not read yet.

use store::Tx;

use super::load::load;
use super::model::{Briefing, Draft};
use super::send::{Ground, no_superior, tell_superior};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::BriefingId;
use crate::input::difference;
use crate::text;

/// Changes the words of a report whose version is still `version`, for its writer. Its figures are counted anew; when he
/// reports to somebody else meanwhile, it goes to that one.
pub fn correct(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: BriefingId,
    version: i64,
    draft: &Draft,
    ground: &Ground,
    now: Millis,
) -> Result<Briefing, AppError> {
    let old = load(tx, actor, id)?;
    if old.person_id != actor.person_id {
        return Err(AppError::Forbidden(text!("只有写报告的人可以修改它")));
    }
    if old.read_at.is_some() {
        return Err(AppError::Conflict(text!("上级已经查阅，不能再修改；有新的意见请写在下一期")));
    }
    if old.version != version {
        return Err(AppError::Stale);
    }
    let mut new = old.clone();
    new.take(draft.clean(false).map_err(AppError::Invalid)?);
    new.superior_id = ground.superior.ok_or_else(no_superior)?;
    new.figures = ground.figures.clone();
    let (before, after) = difference(&old.facts(), &new.facts());
    if before == after {
        return Ok(old);
    }
    let done = tx.exec(
        "UPDATE briefings SET superior_id = $3, figures = $4, analysis = $5, suggestions = $6, version = version + 1,
           updated_at = $7 WHERE id = $1 AND version = $2 AND read_at IS NULL",
        &[
            id.into(),
            version.into(),
            new.superior_id.into(),
            serde_json::json!(new.figures).into(),
            (&new.analysis).into(),
            (&new.suggestions).into(),
            now.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let new = load(tx, actor, id)?;
    if new.superior_id != old.superior_id {
        tell_superior(tx, &new, now)?;
    }
    let entry = Entry::of("briefing.corrected", "briefing", id.0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(new)
}
