//! The roles a post gives its holder that he does not have already: giving such a post is granting roles.

use store::Conn;

use super::Moment;
use super::own::{administrators, require_another};
use super::positions::PositionRecord;
use crate::access::{Actor, Object, Verb, require_may};
use crate::error::AppError;
use crate::ids::{RoleId, UnitId};
use crate::text;

/// Refuses a post that gives its holder roles he does not have, unless the actor may grant roles; and his own, unless
/// he is an administrator. `had` are the posts of the holder before the change. Answers whether the actor raises his
/// own rights, an administrator then: the caller marks it in the log.
pub(super) fn require_granter(
    conn: &mut Conn<'_>,
    actor: &Actor,
    new: &PositionRecord,
    had: &[PositionRecord],
    at: &Moment,
) -> Result<bool, AppError> {
    let gained = gained(conn, new, had, at)?;
    if gained.is_empty() {
        return Ok(false);
    }
    let is_own = require_another(conn, actor, new.person_id)?;
    if require_may(actor, Object::Role, Verb::Update).is_err() {
        return Err(AppError::Forbidden(text!(
            "这个岗位带有角色“{}”，需要由有“角色与授权”修改权限的人办理，例如系统管理员（{}）",
            gained.join("、"),
            administrators(conn)?
        )));
    }
    Ok(is_own)
}

/// The names of the roles a post brings that its holder does not have on all of its days from today on. A role that
/// reaches the customers of "his unit" is another one in another unit.
fn gained(
    conn: &mut Conn<'_>,
    new: &PositionRecord,
    had: &[PositionRecord],
    at: &Moment,
) -> store::Result<Vec<String>> {
    if new.is_over(&at.today) {
        return Ok(Vec::new());
    }
    let brought: Vec<(RoleId, String, i64)> = conn.rows(
        "SELECT r.id, r.name, (SELECT COUNT(*) FROM role_grants g
           WHERE g.role_id = r.id AND g.scope IN ('unit', 'unit_tree'))
         FROM post_roles p JOIN roles r ON r.id = p.role_id
         WHERE p.post = $1 AND r.deleted_at IS NULL ORDER BY r.name, r.id",
        &[(&new.post).into()],
    )?;
    if brought.is_empty() {
        return Ok(Vec::new());
    }
    let by_posts: Vec<(String, RoleId)> = conn.rows(
        "SELECT o.post, o.role_id FROM post_roles o JOIN post_roles n ON n.role_id = o.role_id WHERE n.post = $1",
        &[(&new.post).into()],
    )?;
    // Unit 0 are the units he works in, with this post also the one of this post.
    let direct: Vec<(RoleId, UnitId, String)> = conn.rows(
        "SELECT role_id, unit_id, ends_on FROM person_roles WHERE person_id = $1",
        &[new.person_id.into()],
    )?;
    let first = new.starts_on.as_str().max(at.today.as_str());
    let lasts =
        |ends_on: &str| ends_on.is_empty() || !new.ends_on.is_empty() && new.ends_on.as_str() <= ends_on;
    let has = |role: RoleId, is_of_unit: bool| {
        let is_there = |unit: UnitId| !is_of_unit || unit == new.unit_id;
        let by_post = |p: &PositionRecord| {
            p.starts_on.as_str() <= first
                && lasts(&p.ends_on)
                && is_there(p.unit_id)
                && by_posts.iter().any(|(post, of)| *post == p.post && *of == role)
        };
        had.iter().any(by_post)
            || direct.iter().any(|(of, unit, ends_on)| {
                *of == role && lasts(ends_on) && (*unit == UnitId(0) || is_there(*unit))
            })
    };
    let gained = brought.into_iter().filter(|(role, _, of_unit)| !has(*role, *of_unit > 0));
    Ok(gained.map(|(_, name, _)| name).collect())
}
