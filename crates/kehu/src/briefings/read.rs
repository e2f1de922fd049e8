//! Having read a report.

use serde_json::json;
use store::Tx;

use super::load::load;
use super::model::Briefing;
use super::send::tell;
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::{Millis, rfc3339};
use crate::error::AppError;
use crate::ids::BriefingId;
use crate::{events, text};

/// Notes that the superior has read a report: from then on it stands as it is, and its writer is told. Reading it again
/// writes nothing.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: BriefingId, now: Millis) -> Result<Briefing, AppError> {
    let briefing = load(tx, actor, id)?;
    if briefing.superior_id != actor.person_id {
        return Err(AppError::Forbidden(text!("只有收到报告的上级可以查阅签收")));
    }
    let done = tx.exec(
        "UPDATE briefings SET read_at = $2, version = version + 1, updated_at = $2 WHERE id = $1 AND read_at IS NULL",
        &[id.into(), now.into()],
    )?;
    if done == 0 {
        return Ok(briefing);
    }
    let Briefing { superior, starts_on, ends_on, .. } = &briefing;
    let said = format!("{superior}已查阅您 {starts_on} 至 {ends_on} 的客户问题与需求报告");
    tell(tx, briefing.person_id, "briefing_read", &said, now)?;
    events::emit(tx, actor, now, "briefing.read", "briefing", id.0, 0)?;
    let after = json!({ "read_at": rfc3339(now) });
    audit::record(tx, actor, now, &Entry::of("briefing.read", "briefing", id.0).after(&after))?;
    load(tx, actor, id)
}
