//! Who plans a roster: whoever keeps the organisation, whoever leads the roster's unit or a unit above it, and whoever
//! acts for one of these.

use store::Conn;

use super::load::load;
use super::model::Roster;
use crate::access::{Actor, Object, Verb};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, UnitId};
use crate::text;

/// Whether somebody plans the rosters of a unit.
pub fn may_plan(conn: &mut Conn<'_>, actor: &Actor, unit: UnitId) -> store::Result<bool> {
    Ok(as_planner(conn, actor, unit)?.is_some())
}

/// Somebody as the one who plans the rosters of a unit: himself, or on behalf of one he acts for. `None` when neither
/// does.
pub(super) fn as_planner(conn: &mut Conn<'_>, actor: &Actor, unit: UnitId) -> store::Result<Option<Actor>> {
    if actor.may(Object::Organisation, Verb::Update) {
        return Ok(Some(actor.clone()));
    }
    let heads: Vec<(PersonId,)> = conn.rows(
        "WITH RECURSIVE line (id, parent_id, head_id, depth) AS (
           SELECT id, parent_id, head_id, 0 FROM units WHERE id = $1
           UNION SELECT u.id, u.parent_id, u.head_id, l.depth + 1 FROM units u
             JOIN line l ON u.id = l.parent_id WHERE l.depth < 32
         )
         SELECT head_id FROM line WHERE head_id IS NOT NULL ORDER BY depth",
        &[unit.into()],
    )?;
    let leads = |person: PersonId| heads.iter().any(|(head,)| *head == person);
    if leads(actor.person_id) {
        return Ok(Some(actor.clone()));
    }
    let from = actor.rights.acts_for.iter().map(|(from, _)| *from).find(|from| leads(*from));
    Ok(from.map(|from| actor.on_behalf_of(from)))
}

/// The roster, for whoever plans it; `Forbidden` for others.
pub fn require_plan(conn: &mut Conn<'_>, actor: &Actor, id: RosterId) -> Result<Roster, AppError> {
    Ok(planner(conn, actor, id)?.0)
}

/// `require_plan`, and the actor as whom it is planned: to write with.
pub(super) fn planner(conn: &mut Conn<'_>, actor: &Actor, id: RosterId) -> Result<(Roster, Actor), AppError> {
    let roster = load(conn, id)?;
    match as_planner(conn, actor, roster.unit_id)? {
        Some(planner) => Ok((roster, planner)),
        None => Err(AppError::Forbidden(text!(
            "只有排班人可以排这张值班表：所属部门和上级部门的负责人、他们的代理人，以及管理组织与人员的人"
        ))),
    }
}

/// Which rosters somebody plans, himself or for one he acts for, as a condition on `rosters r` without parameters.
pub(super) fn planned_sql(actor: &Actor) -> String {
    if actor.may(Object::Organisation, Verb::Update) {
        return "TRUE".into();
    }
    let stands_for =
        std::iter::once(actor.person_id).chain(actor.rights.acts_for.iter().map(|(from, _)| *from));
    let heads: Vec<String> = stands_for.map(|person| person.0.to_string()).collect();
    format!(
        "r.unit_id IN (WITH RECURSIVE led (id, depth) AS (
           SELECT id, 0 FROM units WHERE head_id IN ({})
           UNION SELECT u.id, l.depth + 1 FROM units u JOIN led l ON u.parent_id = l.id WHERE l.depth < 32
         ) SELECT id FROM led)",
        heads.join(", ")
    )
}
