//! Writing roles: made, changed, taken away; each with its audit row, felt by everybody with the next request.

use store::{Conn, Tx, Value};

use super::model::{Checked, Draft, Known, facts};
use super::wider::permits_more;
use crate::access::{Actor, Object, Role, Scope, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::RoleId;
use crate::input::difference;
use crate::{org, text};

/// Roles of a company at the most.
pub const MOST: i64 = 500;

/// A role before anything was written: version 0.
pub fn blank() -> Role {
    Role {
        id: RoleId(0),
        code: String::new(),
        name: String::new(),
        note: String::new(),
        is_bundle: false,
        is_builtin: false,
        grants: Default::default(),
        fields: Default::default(),
        version: 0,
    }
}

/// A living role.
pub fn load(conn: &mut Conn<'_>, id: RoleId) -> Result<Role, AppError> {
    let found = org::load_roles(conn)?.into_iter().find(|role| role.id == id);
    found.ok_or(AppError::NotFound)
}

/// Makes a role. For whoever defines and grants roles; at most 500. A role without a code gets one.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    draft: &Draft,
    now: Millis,
) -> Result<Checked, AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    if tx.count("SELECT COUNT(*) FROM roles WHERE deleted_at IS NULL", &[])? >= MOST {
        return Err(AppError::Conflict(text!("最多 {} 个角色，请先删除不再使用的", MOST)));
    }
    let mut checked = draft.applied(&blank(), known).map_err(AppError::Invalid)?;
    let role = &mut checked.role;
    role.id = RoleId::new();
    role.version = 1;
    if role.code.is_empty() {
        role.code = format!("r_{}", role.id.to_string().to_lowercase());
    }
    tx.exec(
        "INSERT INTO roles (id, code, name, note, is_bundle, is_builtin, version, created_at, created_by, updated_at,
           updated_by) VALUES ($1,$2,$3,$4,$5,FALSE,1,$6,$7,$6,$7)",
        &[
            role.id.into(),
            (&role.code).into(),
            (&role.name).into(),
            (&role.note).into(),
            role.is_bundle.into(),
            now.into(),
            actor.person_id.into(),
        ],
    )
    .map_err(taken)?;
    write_cells(tx, role)?;
    org::rights_changed(tx)?;
    let after = facts(role, known);
    audit::record(tx, actor, now, &Entry::of("role.created", "role", role.id.0).after(&after))?;
    Ok(checked)
}

/// Changes a role whose version is still `version`; the administrator's is locked. Nobody but an administrator lets a
/// role permit more that he has himself, now or later. Changing nothing writes nothing.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    id: RoleId,
    version: i64,
    draft: &Draft,
    now: Millis,
) -> Result<Checked, AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let old = load(tx, id)?;
    require_open(&old)?;
    if version != old.version {
        return Err(AppError::Stale);
    }
    let mut checked = draft.applied(&old, known).map_err(AppError::Invalid)?;
    if checked.role == old {
        return Ok(checked);
    }
    let is_own = permits_more(&old, &checked.role)
        && has(tx, actor, known, &old, now)?
        && org::require_another(tx, actor, actor.person_id)?;
    let role = &mut checked.role;
    role.version = old.version + 1;
    let done = tx
        .exec(
            "UPDATE roles SET code = $3, name = $4, note = $5, version = version + 1, updated_at = $6, updated_by = $7
             WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
            &[
                id.into(),
                version.into(),
                (&role.code).into(),
                (&role.name).into(),
                (&role.note).into(),
                now.into(),
                actor.person_id.into(),
            ],
        )
        .map_err(taken)?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    tx.exec("DELETE FROM role_grants WHERE role_id = $1", &[id.into()])?;
    tx.exec("DELETE FROM role_fields WHERE role_id = $1", &[id.into()])?;
    write_cells(tx, role)?;
    org::rights_changed(tx)?;
    let (mut was, is) = (facts(&old, known), facts(role, known));
    // A cell that is gone stands in the log as gone.
    let (mut before, mut after) = difference(&was, &is);
    if let (Some(was), Some(before), Some(after)) =
        (was.as_object_mut(), before.as_object_mut(), after.as_object_mut())
    {
        for (key, value) in was.iter().filter(|(key, _)| is.get(key.as_str()).is_none()) {
            before.insert(key.clone(), value.clone());
            after.insert(key.clone(), serde_json::Value::Null);
        }
    }
    // The name stays in, so that the line tells which role it was.
    let name = serde_json::Value::from(role.name.as_str());
    before.as_object_mut().map(|b| b.entry("role").or_insert_with(|| old.name.as_str().into()));
    after.as_object_mut().map(|a| a.entry("role").or_insert(name));
    let after = org::mark(after, is_own);
    audit::record(tx, actor, now, &Entry::of("role.updated", "role", id.0).change(&before, &after))?;
    Ok(checked)
}

/// Takes a role away; refused while anybody or any post has it, and for the roles that come with the program.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    known: &Known,
    id: RoleId,
    version: i64,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let role = load(tx, id)?;
    if role.is_builtin {
        return Err(AppError::Conflict(text!("内置角色不能删除；不用时可以收回授权")));
    }
    if version != role.version {
        return Err(AppError::Stale);
    }
    let day = crate::clock::Zone::default().date(now).to_string();
    let people: Vec<(String,)> = tx.rows(
        "SELECT DISTINCT p.name FROM person_roles r JOIN people p ON p.id = r.person_id
         WHERE r.role_id = $1 AND (r.ends_on = '' OR r.ends_on >= $2) ORDER BY p.name LIMIT 6",
        &[id.into(), (&day).into()],
    )?;
    if !people.is_empty() {
        let names = named(people.into_iter().map(|(name,)| name).collect());
        return Err(AppError::Conflict(text!("还有人拥有这个角色：{}。请先收回，再删除", names)));
    }
    let posts: Vec<(String,)> = tx.rows(
        "SELECT COALESCE(d.zh, r.post) FROM post_roles r
         LEFT JOIN dictionary_entries d ON d.dictionary = 'post' AND d.code = r.post
         WHERE r.role_id = $1 ORDER BY r.post LIMIT 6",
        &[id.into()],
    )?;
    if !posts.is_empty() {
        let names = named(posts.into_iter().map(|(name,)| name).collect());
        return Err(AppError::Conflict(text!("还有岗位带着这个角色：{}。请先取消，再删除", names)));
    }
    let shares = tx.count(
        "SELECT COUNT(*) FROM customer_grants WHERE role_id = $1 AND revoked_at IS NULL AND ends_at > $2",
        &[id.into(), now.into()],
    )?;
    if shares > 0 {
        return Err(AppError::Conflict(text!("还有 {} 个客户用它共享给协作人，请先结束这些共享", shares)));
    }
    let done = tx.exec(
        "UPDATE roles SET deleted_at = $3, version = version + 1, updated_at = $3, updated_by = $4
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL",
        &[id.into(), version.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    org::rights_changed(tx)?;
    let before = facts(&role, known);
    let mut entry = Entry::of("role.deleted", "role", id.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

/// Whether the actor has a role: himself, through a post, for one he acts for, or as a share of a customer; now or
/// from a later day on.
fn has(tx: &mut Tx<'_>, actor: &Actor, known: &Known, role: &Role, now: Millis) -> store::Result<bool> {
    let (me, day) = (actor.person_id, crate::clock::Zone::default().date(now).to_string());
    if role.is_bundle {
        let shares = tx.count(
            "SELECT COUNT(*) FROM customer_grants
             WHERE person_id = $1 AND role_id = $2 AND revoked_at IS NULL AND ends_at > $3",
            &[me.into(), role.id.into(), now.into()],
        )?;
        return Ok(shares > 0);
    }
    let directory = &known.directory;
    let acts_with_it = directory.held_roles(me, &day, now).iter().any(|held| held.role.id == role.id);
    Ok(acts_with_it || directory.roles_from(me, &day).contains(&role.id))
}

/// Up to five names, and that there are more.
fn named(mut names: Vec<String>) -> String {
    let more = if names.len() > 5 { "…" } else { "" };
    names.truncate(5);
    format!("{}{more}", names.join("、"))
}

fn require_open(role: &Role) -> Result<(), AppError> {
    if role.is_administrator() {
        return Err(AppError::Conflict(text!("系统管理员角色拥有全部权限，不能修改")));
    }
    Ok(())
}

fn write_cells(tx: &mut Tx<'_>, role: &Role) -> store::Result<()> {
    let mut grants: Vec<Vec<Value<'_>>> = Vec::new();
    for ((object, verb), scope) in &role.grants {
        let units = match scope {
            Scope::Units(units) => serde_json::json!(units),
            _ => serde_json::json!([]),
        };
        let condition = match scope {
            Scope::Condition(source) => source.as_str(),
            _ => "",
        };
        grants.push(vec![
            role.id.into(),
            object.code().into(),
            verb.code().into(),
            scope.code().into(),
            Value::OwnedJson(units),
            condition.into(),
        ]);
    }
    tx.insert_rows("INSERT INTO role_grants (role_id, object, verb, scope, units, condition)", &grants, "")?;
    let fields: Vec<Vec<Value<'_>>> = role
        .fields
        .iter()
        .map(|((object, field), rule)| {
            vec![role.id.into(), object.code().into(), field.as_str().into(), rule.code().into()]
        })
        .collect();
    tx.insert_rows("INSERT INTO role_fields (role_id, object, field, rule)", &fields, "").map(drop)
}

fn taken(error: store::Error) -> AppError {
    if error.is_unique("roles_code_key") {
        AppError::field("code", text!("已有角色用了这个编码，请换一个"))
    } else {
        error.into()
    }
}
