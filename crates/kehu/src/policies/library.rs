//! Reading the library: versions, which is in force when, and the compiled policy of one. Everybody reads what is
//! published; drafts are for those who manage regulations.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use policy::{Policy, Settings, SourceFile, scenario};
use store::Conn;

use super::model::{SELECT, State, Version};
use super::vocabulary::vocabulary;
use crate::access::Actor;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PolicyVersionId;
use crate::text;

/// Compiled versions kept in memory. Ids are unique and published versions never change, so nothing goes stale.
const MOST_KEPT: usize = 64;
static COMPILED: LazyLock<Mutex<HashMap<PolicyVersionId, Arc<Policy>>>> = LazyLock::new(Mutex::default);

/// Only administrators manage regulations.
pub fn require_manager(actor: &Actor) -> Result<(), AppError> {
    if actor.is_administrator() {
        return Ok(());
    }
    Err(AppError::Forbidden(text!("只有管理员可以维护制度，请联系系统管理员")))
}

/// Checks files with settings; any post is allowed, since posts may have been retired since.
pub fn compile(files: &[SourceFile], settings: &Settings) -> Result<Policy, Vec<policy::Problem>> {
    policy::check(files, settings, &vocabulary(None))
}

/// Runs the scenarios in the files.
pub fn test(files: &[SourceFile]) -> Vec<scenario::Report> {
    scenario::run(files, &vocabulary(None))
}

/// A version; drafts only for managers.
pub fn load_version(conn: &mut Conn<'_>, actor: &Actor, id: PolicyVersionId) -> Result<Version, AppError> {
    let version: Version =
        conn.row(&format!("{SELECT} WHERE id = $1"), &[id.into()])?.ok_or(AppError::NotFound)?;
    if version.state != State::Published && require_manager(actor).is_err() {
        return Err(AppError::Hidden { object: "policy", id: id.0 });
    }
    Ok(version)
}

/// The compiled policy of a published version.
pub fn load(conn: &mut Conn<'_>, id: PolicyVersionId) -> Result<Arc<Policy>, AppError> {
    if let Some(kept) = COMPILED.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Ok(Arc::clone(kept));
    }
    let version: Version =
        conn.row(&format!("{SELECT} WHERE id = $1"), &[id.into()])?.ok_or(AppError::NotFound)?;
    let policy = policy_of(&version)?;
    let mut kept = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    if version.state == State::Published {
        kept.insert(id, Arc::clone(&policy));
    }
    Ok(policy)
}

/// Compiles a version that was checked when it was published.
pub fn policy_of(version: &Version) -> Result<Arc<Policy>, AppError> {
    compile(&version.files, &version.settings).map(Arc::new).map_err(|problems| {
        let first = problems.first().map_or_else(String::new, ToString::to_string);
        AppError::Internal(format!("policy {} {} does not compile: {first}", version.policy, version.number))
    })
}

/// The versions in force at a time, by policy.
pub fn in_force_at(conn: &mut Conn<'_>, at: Millis) -> store::Result<Vec<(String, PolicyVersionId)>> {
    conn.rows(
        "SELECT policy, id FROM policy_versions WHERE state = 'published' AND effective_at <= $1
           AND (retired_at IS NULL OR retired_at > $1) ORDER BY policy",
        &[at.into()],
    )
}

/// The policies in force at a time, compiled.
pub fn in_force(conn: &mut Conn<'_>, at: Millis) -> Result<Vec<(PolicyVersionId, Arc<Policy>)>, AppError> {
    let ids = in_force_at(conn, at)?;
    ids.into_iter().map(|(_, id)| Ok((id, load(conn, id)?))).collect()
}

/// The policies in force that have an entry of their own in the menu: short name and what it is called there.
pub fn modules(conn: &mut Conn<'_>, at: Millis) -> store::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for (policy, id) in in_force_at(conn, at)? {
        // One that cannot be read is told where it is used, not on every page.
        if let Ok(found) = load(conn, id)
            && !found.head.menu.trim().is_empty()
        {
            all.push((policy, found.head.menu.trim().chars().take(12).collect()));
        }
    }
    Ok(all)
}

/// The newest of each policy: what is in force or will be, and for managers drafts too.
pub fn list(conn: &mut Conn<'_>, actor: &Actor) -> store::Result<Vec<Version>> {
    let drafts =
        if actor.is_administrator() { "state IN ('published', 'draft')" } else { "state = 'published'" };
    conn.rows(&format!("{SELECT} WHERE {drafts} ORDER BY policy, number DESC LIMIT 1000"), &[])
}

/// What is in force or will be, and for managers drafts: what the library's page shows.
pub fn current(conn: &mut Conn<'_>, actor: &Actor, now: Millis) -> store::Result<Vec<Version>> {
    let drafts = if actor.is_administrator() { "state = 'draft' OR" } else { "" };
    conn.rows(
        &format!(
            "{SELECT} WHERE {drafts} (state = 'published' AND (retired_at IS NULL OR retired_at > $1))
             ORDER BY policy, number LIMIT 500"
        ),
        &[now.into()],
    )
}

/// The version somebody means by a policy's short name: in force now, or else the newest published one.
pub fn meant(conn: &mut Conn<'_>, policy: &str, now: Millis) -> store::Result<Option<PolicyVersionId>> {
    conn.value(
        "SELECT id FROM policy_versions WHERE policy = $1 AND state = 'published'
         ORDER BY CASE WHEN effective_at <= $2 THEN 0 ELSE 1 END, number DESC LIMIT 1",
        &[policy.into(), now.into()],
    )
}

/// All versions of a policy, the newest first.
pub fn versions(conn: &mut Conn<'_>, actor: &Actor, policy: &str) -> store::Result<Vec<Version>> {
    let drafts = if actor.is_administrator() { "state <> 'discarded'" } else { "state = 'published'" };
    conn.rows(
        &format!("{SELECT} WHERE policy = $1 AND {drafts} ORDER BY number DESC LIMIT 200"),
        &[policy.into()],
    )
}
