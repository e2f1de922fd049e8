//! Who plans a roster: whoever keeps the organisation, and whoever leads the roster's unit or a unit above it.

use store::Conn;

use super::load::load;
use super::model::Roster;
use crate::access::{Actor, Object, Verb};
use crate::error::AppError;
use crate::ids::{RosterId, UnitId};
use crate::text;

/// Whether somebody plans the rosters of a unit.
pub fn may_plan(conn: &mut Conn<'_>, actor: &Actor, unit: UnitId) -> store::Result<bool> {
    if actor.may(Object::Organisation, Verb::Update) {
        return Ok(true);
    }
    let heads = conn.count(
        "WITH RECURSIVE line (id, parent_id, head_id, depth) AS (
           SELECT id, parent_id, head_id, 0 FROM units WHERE id = $1
           UNION SELECT u.id, u.parent_id, u.head_id, l.depth + 1 FROM units u
             JOIN line l ON u.id = l.parent_id WHERE l.depth < 32
         )
         SELECT COUNT(*) FROM line WHERE head_id = $2",
        &[unit.into(), actor.person_id.into()],
    )?;
    Ok(heads > 0)
}

/// The roster, for whoever plans it; `Forbidden` for others.
pub fn require_plan(conn: &mut Conn<'_>, actor: &Actor, id: RosterId) -> Result<Roster, AppError> {
    let roster = load(conn, id)?;
    if may_plan(conn, actor, roster.unit_id)? {
        return Ok(roster);
    }
    Err(AppError::Forbidden(text!(
        "只有排班人可以排这张值班表：所属部门和上级部门的负责人，以及管理组织与人员的人"
    )))
}

/// Which rosters somebody plans, as a condition on `rosters r` without parameters.
pub(super) fn planned_sql(actor: &Actor) -> String {
    if actor.may(Object::Organisation, Verb::Update) {
        return "TRUE".into();
    }
    format!(
        "r.unit_id IN (WITH RECURSIVE led (id, depth) AS (
           SELECT id, 0 FROM units WHERE head_id = {}
           UNION SELECT u.id, l.depth + 1 FROM units u JOIN led l ON u.parent_id = l.id WHERE l.depth < 32
         ) SELECT id FROM led)",
        actor.person_id.0
    )
}
