//! Giving and taking roles: to people themselves and to posts. Only who may grant roles may; nobody but an
//! administrator makes or unmakes an administrator, changes the roles of one, or raises his own rights; and the last
//! administrator stays.

use store::Tx;

use crate::access::{ADMINISTRATOR_ID, Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::{Millis, Zone};
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, RoleId, UnitId};
use crate::input::{self, Kind};
use crate::{org, text};

/// Roles one person may have himself at the most.
pub const MOST_OF_PERSON: i64 = 50;
/// Roles one post may bring at the most.
pub const MOST_OF_POST: usize = 50;

/// A role to be given to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giving {
    /// To whom.
    pub person: PersonId,
    /// Which.
    pub role: RoleId,
    /// What "his unit" means in it; `None` for the units he works in.
    pub unit: Option<UnitId>,
    /// Last day `YYYY-MM-DD`; empty until further notice.
    pub ends_on: String,
    /// Why.
    pub reason: String,
}

/// One role a person has himself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who.
    pub person: PersonId,
    /// Which.
    pub role: RoleId,
    /// For which unit; `None` for the units he works in.
    pub unit: Option<UnitId>,
}

impl Given {
    fn unit_id(self) -> i64 {
        self.unit.map_or(0, |u| u.0)
    }
}

/// Gives a role, or changes last day and reason of one already given. Nobody but an administrator gives himself one.
pub fn give(tx: &mut Tx<'_>, actor: &Actor, giving: &Giving, now: Millis) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let mut errors = Vec::new();
    let mut clean = |field: &str, kind, longest, text: &str| {
        input::clean_value(kind, longest, text).unwrap_or_else(|problem| {
            errors.push(FieldError::new(field, problem));
            String::new()
        })
    };
    let ends_on = clean("ends_on", Kind::Date, 10, &giving.ends_on);
    let reason = clean("reason", Kind::Line, 200, &giving.reason);
    let today = Zone::default().date(now).to_string();
    if !ends_on.is_empty() && ends_on < today {
        errors.push(FieldError::new("ends_on", text!("结束日期已经过去，请填今天或以后的日期")));
    }
    input::refuse(errors)?;
    org::hold_administrators(tx)?;
    let person = org::load_person(tx, giving.person)?.ok_or(AppError::NotFound)?;
    if !person.is_active {
        return Err(AppError::field("person", text!("“{}”已停用，不能授予角色", person.name)));
    }
    require_may_change(actor, person.is_administrator())?;
    let role: Option<(String, bool)> = tx.row(
        "SELECT name, is_bundle FROM roles WHERE id = $1 AND deleted_at IS NULL",
        &[giving.role.into()],
    )?;
    let Some((role_name, is_bundle)) = role else {
        return Err(AppError::field("role", text!("没有这个角色，它可能刚被删除，请刷新后重试")));
    };
    if is_bundle {
        let text = text!("“{}”是共享权限，只能在客户的“协作”里使用", role_name);
        return Err(AppError::field("role", text));
    }
    let mut unit_name = String::new();
    if giving.role == ADMINISTRATOR_ID {
        require_may_change(actor, true)?;
        if giving.unit.is_some() {
            return Err(AppError::field("unit", text!("系统管理员不分部门")));
        }
    }
    if let Some(unit) = giving.unit {
        let found: Option<(String, String)> =
            tx.row("SELECT name, closed_on FROM units WHERE id = $1", &[unit.into()])?;
        match found {
            Some((name, closed_on)) if closed_on.is_empty() || closed_on > today => unit_name = name,
            _ => return Err(AppError::field("unit", text!("没有这个部门，或者它已撤销"))),
        }
    }
    let known: Option<String> = tx.value(
        "SELECT ends_on FROM person_roles WHERE person_id = $1 AND role_id = $2 AND unit_id = $3",
        &[giving.person.into(), giving.role.into(), giving.unit.map_or(0, |u| u.0).into()],
    )?;
    // Giving oneself an earlier last day is no more than one has.
    let is_shorter =
        known.is_some_and(|was| was == ends_on || !ends_on.is_empty() && (was.is_empty() || ends_on < was));
    let is_own = !is_shorter && org::require_another(tx, actor, giving.person)?;
    let has = tx.count("SELECT COUNT(*) FROM person_roles WHERE person_id = $1", &[giving.person.into()])?;
    if has >= MOST_OF_PERSON {
        return Err(AppError::Conflict(text!(
            "一个人最多直接拥有 {} 个角色，请先收回不用的",
            MOST_OF_PERSON
        )));
    }
    tx.exec(
        "INSERT INTO person_roles (person_id, role_id, unit_id, ends_on, reason, granted_at, granted_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (person_id, role_id, unit_id) DO UPDATE SET ends_on = excluded.ends_on,
           reason = excluded.reason, granted_at = excluded.granted_at, granted_by = excluded.granted_by,
           confirmed_at = NULL, confirmed_by = NULL",
        &[
            giving.person.into(),
            giving.role.into(),
            giving.unit.map_or(0, |u| u.0).into(),
            (&ends_on).into(),
            (&reason).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    org::keep_an_administrator(tx)?;
    changed(tx, giving.person, now)?;
    let after = serde_json::json!({
        "role": role_name, "unit": unit_name, "ends_on": ends_on, "reason": reason, "name": person.name,
    });
    let after = org::mark(after, is_own);
    audit::record(tx, actor, now, &Entry::of("role.granted", "person", person.id.0).after(&after))?;
    Ok(())
}

/// Takes a role from a person; one he does not have is not found.
pub fn take(tx: &mut Tx<'_>, actor: &Actor, given: Given, now: Millis) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    org::hold_administrators(tx)?;
    let person = org::load_person(tx, given.person)?.ok_or(AppError::NotFound)?;
    require_may_change(actor, person.is_administrator() || given.role == ADMINISTRATOR_ID)?;
    let done = tx.exec(
        "DELETE FROM person_roles WHERE person_id = $1 AND role_id = $2 AND unit_id = $3",
        &[given.person.into(), given.role.into(), given.unit_id().into()],
    )?;
    if done == 0 {
        return Err(AppError::NotFound);
    }
    org::keep_an_administrator(tx)?;
    changed(tx, given.person, now)?;
    let before = serde_json::json!({ "role": role_name(tx, given.role)?, "name": person.name });
    let mut entry = Entry::of("role.taken", "person", person.id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

/// Notes that somebody looked at a given role again and that it is still needed. Nobody confirms his own but an
/// administrator.
pub fn confirm(tx: &mut Tx<'_>, actor: &Actor, given: Given, now: Millis) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let is_own = org::require_another(tx, actor, given.person)?;
    let done = tx.exec(
        "UPDATE person_roles SET confirmed_at = $4, confirmed_by = $5
         WHERE person_id = $1 AND role_id = $2 AND unit_id = $3",
        &[given.person.into(), given.role.into(), given.unit_id().into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::NotFound);
    }
    let after = org::mark(serde_json::json!({ "role": role_name(tx, given.role)? }), is_own);
    audit::record(tx, actor, now, &Entry::of("role.confirmed", "person", given.person.0).after(&after))?;
    Ok(())
}

/// Says which roles come with a post, replacing all. The administrator's comes with none: administrators are named
/// one by one. Whoever holds the post does not let it bring more, but for administrators.
pub fn set_post_roles(
    tx: &mut Tx<'_>,
    actor: &Actor,
    post: &str,
    roles: &[RoleId],
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let is_post = tx.count(
        "SELECT (SELECT COUNT(*) FROM dictionary_entries WHERE dictionary = 'post' AND code = $1)
              + (SELECT COUNT(*) FROM positions WHERE post = $1)",
        &[post.into()],
    )? > 0;
    if !is_post {
        return Err(AppError::NotFound);
    }
    if roles.len() > MOST_OF_POST {
        return Err(AppError::field("roles", text!("一个岗位最多带 {} 个角色", MOST_OF_POST)));
    }
    if roles.contains(&ADMINISTRATOR_ID) {
        return Err(AppError::field("roles", text!("系统管理员只能授予具体的人，不能随岗位获得")));
    }
    let before: Vec<(RoleId,)> =
        tx.rows("SELECT role_id FROM post_roles WHERE post = $1 ORDER BY role_id", &[post.into()])?;
    let before: Vec<RoleId> = before.into_iter().map(|(id,)| id).collect();
    let today = Zone::default().date(now).to_string();
    let brings_more = roles.iter().any(|role| !before.contains(role));
    let holds_it = tx.count(
        "SELECT COUNT(*) FROM positions WHERE person_id = $1 AND post = $2 AND (ends_on = '' OR ends_on >= $3)",
        &[actor.person_id.into(), post.into(), today.into()],
    )? > 0;
    let is_own = brings_more && holds_it && org::require_another(tx, actor, actor.person_id)?;
    for role in before.iter().filter(|role| !roles.contains(role)) {
        tx.exec("DELETE FROM post_roles WHERE post = $1 AND role_id = $2", &[post.into(), (*role).into()])?;
    }
    for role in roles.iter().filter(|role| !before.contains(role)) {
        let done = tx.exec(
            "INSERT INTO post_roles (post, role_id, granted_at, granted_by)
             SELECT $1, id, $3, $4 FROM roles WHERE id = $2 AND deleted_at IS NULL AND is_bundle = FALSE
             ON CONFLICT (post, role_id) DO NOTHING",
            &[post.into(), (*role).into(), now.into(), actor.person_id.into()],
        )?;
        if done == 0 {
            return Err(AppError::field("roles", text!("没有这个角色，它可能刚被删除，请刷新后重试")));
        }
    }
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if roles == before {
        return Ok(());
    }
    org::rights_changed(tx)?;
    let title: Option<String> = tx
        .value("SELECT zh FROM dictionary_entries WHERE dictionary = 'post' AND code = $1", &[post.into()])?;
    let title = title.unwrap_or_else(|| post.to_owned());
    let names = |tx: &mut Tx<'_>, roles: &[RoleId]| {
        roles.iter().map(|role| role_name(tx, *role)).collect::<store::Result<Vec<_>>>()
    };
    let before = serde_json::json!({ "post": title, "roles": names(tx, &before)? });
    let after = org::mark(serde_json::json!({ "post": title, "roles": names(tx, &roles)? }), is_own);
    audit::record(tx, actor, now, &Entry::of("role.post_changed", "role", 0).change(&before, &after))?;
    Ok(())
}

/// Whoever is no administrator leaves administrators and their role alone.
fn require_may_change(actor: &Actor, is_about_administrator: bool) -> Result<(), AppError> {
    if is_about_administrator && !actor.is_administrator() {
        return Err(AppError::Forbidden(text!("只有系统管理员可以授予、收回管理员角色，或改动管理员的角色")));
    }
    Ok(())
}

/// The person's form was made from other roles: it must be told. Rights are read anew.
fn changed(tx: &mut Tx<'_>, person: PersonId, now: Millis) -> store::Result<()> {
    tx.exec(
        "UPDATE people SET version = version + 1, updated_at = $2 WHERE id = $1",
        &[person.into(), now.into()],
    )?;
    org::rights_changed(tx)
}

fn role_name(tx: &mut Tx<'_>, role: RoleId) -> store::Result<String> {
    Ok(tx.value("SELECT name FROM roles WHERE id = $1", &[role.into()])?.unwrap_or_default())
}
