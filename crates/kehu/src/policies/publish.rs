//! Drafts, and putting one in force. A draft is published only when the checker finds nothing and every scenario holds;
//! both are done before the write, which only makes sure that the draft is still the one that was examined.

use std::sync::Arc;

use policy::{Policy, Settings, SourceFile};
use serde_json::{Value as Json, json};
use store::Tx;

use super::library::{require_manager, test};
use super::model::{LONGEST_NOTE, SELECT, State, Version, files_json, refused};
use super::shipped::shipped;
use super::vocabulary::vocabulary;
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::i18n::Text;
use crate::ids::PolicyVersionId;
use crate::input::{Kind, clean_value, refuse};
use crate::text;

/// Most bytes of all files of a policy.
const LARGEST: usize = 4 << 20;

/// What a draft holds.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The files.
    pub files: Vec<SourceFile>,
    /// The company's values of settings.
    pub settings: Settings,
    /// What changes, in a sentence.
    pub note: String,
}

/// A new draft of a policy: managers. The head of its files names it; its number follows the last version's.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, draft: &Draft, now: Millis) -> Result<Version, AppError> {
    require_manager(actor)?;
    let (head, note) = check(draft)?;
    let last: Option<i64> = tx.value(
        "SELECT COALESCE(MAX(number), 0) FROM policy_versions WHERE policy = $1",
        &[head.id.get_ref().into()],
    )?;
    let id = PolicyVersionId::new();
    tx.exec(
        "INSERT INTO policy_versions (id, policy, number, title, version, state, files, settings, note, created_at,
           created_by, updated_at, updated_by)
         VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, $10, $9, $10)",
        &[
            id.into(),
            head.id.get_ref().into(),
            (last.unwrap_or(0) + 1).into(),
            (&head.title).into(),
            (&head.version).into(),
            (&files_json(&draft.files)).into(),
            (&json!(draft.settings).to_string()).into(),
            (&note).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    let new = reload(tx, id)?;
    record(tx, actor, now, "policy.created", &new, None)?;
    Ok(new)
}

/// Changes a draft: managers, from the version they saw.
pub fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PolicyVersionId,
    seen: i64,
    draft: &Draft,
    now: Millis,
) -> Result<Version, AppError> {
    let old = hold(tx, actor, id, seen)?;
    let (head, note) = check(draft)?;
    if *head.id.get_ref() != old.policy {
        return Err(AppError::field("files", text!("草稿的代号是“{}”，不能改成别的制度", old.policy)));
    }
    tx.exec(
        "UPDATE policy_versions SET title = $2, version = $3, files = $4, settings = $5, note = $6, updated_at = $7,
           updated_by = $8, row_version = row_version + 1 WHERE id = $1",
        &[
            id.into(),
            (&head.title).into(),
            (&head.version).into(),
            (&files_json(&draft.files)).into(),
            (&json!(draft.settings).to_string()).into(),
            (&note).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    let new = reload(tx, id)?;
    record(tx, actor, now, "policy.saved", &new, Some(&old))?;
    Ok(new)
}

/// Throws a draft away: managers. It stays in the log.
pub fn discard(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PolicyVersionId,
    seen: i64,
    now: Millis,
) -> Result<(), AppError> {
    let old = hold(tx, actor, id, seen)?;
    tx.exec(
        "UPDATE policy_versions SET state = 'discarded', updated_at = $2, updated_by = $3,
           row_version = row_version + 1 WHERE id = $1",
        &[id.into(), now.into(), actor.person_id.into()],
    )?;
    let new = reload(tx, id)?;
    record(tx, actor, now, "policy.discarded", &new, Some(&old))?;
    Ok(())
}

/// A draft whose files and settings the checker and every scenario have passed. What it says holds for exactly these.
#[derive(Clone, Debug)]
pub struct Examined {
    files: Vec<SourceFile>,
    settings: Settings,
    policy: Arc<Policy>,
}

/// Checks a draft and runs all of its scenarios, or says what is wrong. It takes its time and touches no database: call
/// it before the transaction that publishes, never inside one.
pub async fn examine(
    catalogue: &Arc<Catalogue>,
    files: Vec<SourceFile>,
    settings: Settings,
) -> Result<Examined, AppError> {
    let catalogue = Arc::clone(catalogue);
    let examined = tokio::task::spawn_blocking(move || examine_now(&catalogue, files, settings)).await;
    examined.map_err(|error| AppError::Internal(format!("a draft could not be examined: {error}")))?
}

fn examine_now(
    catalogue: &Catalogue,
    files: Vec<SourceFile>,
    settings: Settings,
) -> Result<Examined, AppError> {
    let policy = policy::check(&files, &settings, &vocabulary(Some(catalogue)))
        .map_err(|problems| refused(&problems))?;
    if let Some(setting) = policy.settings.iter().find(|setting| !setting.value.is_known()) {
        let text = text!("参数“{}”还没有填写，请先填写再发布", setting.title);
        return Err(AppError::field("settings", text));
    }
    let failed: Vec<FieldError> = test(&files)
        .iter()
        .flat_map(|report| {
            report.failures.iter().map(|(line, text)| format!("{}:{line}: {text}", report.file))
        })
        .take(20)
        .map(|text| FieldError::new("files", Text::Both(text.clone(), text)))
        .collect();
    refuse(failed)?;
    Ok(Examined { files, settings, policy: Arc::new(policy) })
}

/// Puts a draft in force from a time on, not before now: managers. Its predecessor judges until then; running cases keep
/// theirs. `seen` is the draft's version that was examined: one that was changed meanwhile is stale. With `note` what
/// changes is said anew.
pub fn publish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (id, seen): (PolicyVersionId, i64),
    examined: &Result<Examined, AppError>,
    note: Option<&str>,
    effective_at: Millis,
    now: Millis,
) -> Result<Version, AppError> {
    let draft = hold(tx, actor, id, seen)?;
    let note = match note {
        Some(note) => {
            clean_value(Kind::Line, LONGEST_NOTE, note).map_err(|text| AppError::field("note", text))?
        }
        None => draft.note.clone(),
    };
    if effective_at < now {
        return Err(AppError::field("effective_at", text!("生效时间不能早于现在")));
    }
    let Examined { files, settings, policy } = examined.as_ref().map_err(Clone::clone)?;
    if *files != draft.files || *settings != draft.settings {
        return Err(AppError::Stale);
    }
    for form in &policy.forms {
        let other: Option<String> = tx.value(
            "SELECT v.title FROM policy_versions v JOIN cases c ON c.version_id = v.id
             WHERE c.form = $1 AND c.policy <> $2 LIMIT 1",
            &[(&form.id).into(), (&policy.id).into()],
        )?;
        if let Some(other) = other {
            let text = text!("表单代号“{}”已被《{}》使用，请换一个", form.id, other);
            return Err(AppError::field("files", text));
        }
    }
    let later = tx.count(
        "SELECT COUNT(*) FROM policy_versions WHERE policy = $1 AND state = 'published' AND effective_at >= $2",
        &[(&policy.id).into(), effective_at.into()],
    )?;
    if later > 0 {
        return Err(AppError::Conflict(text!("已有一个版本在同一时间或之后生效，请选更晚的生效时间")));
    }
    tx.exec(
        "UPDATE policy_versions SET retired_at = $2 WHERE policy = $1 AND state = 'published' AND retired_at IS NULL",
        &[(&policy.id).into(), effective_at.into()],
    )?;
    tx.exec(
        "UPDATE policy_versions SET state = 'published', effective_at = $2, published_at = $3, published_by = $4,
           updated_at = $3, updated_by = $4, note = $5, row_version = row_version + 1 WHERE id = $1",
        &[id.into(), effective_at.into(), now.into(), actor.person_id.into(), (&note).into()],
    )?;
    let new = reload(tx, id)?;
    record(tx, actor, now, "policy.published", &new, Some(&draft))?;
    Ok(new)
}

/// The regulations we ship, examined: for `adopt_shipped`, before its transaction.
pub async fn examine_shipped(catalogue: &Arc<Catalogue>) -> Result<Vec<Examined>, AppError> {
    let mut all = Vec::new();
    for shipped in shipped() {
        all.push(examine(catalogue, shipped.files, Settings::default()).await?);
    }
    Ok(all)
}

/// Puts the regulations we ship in force at once, each in the first version of its own: managers. Those the company has
/// already, as a draft or published, are left as they are. For the demonstration.
pub fn adopt_shipped(
    tx: &mut Tx<'_>,
    actor: &Actor,
    shipped: &[Examined],
    now: Millis,
) -> Result<(), AppError> {
    require_manager(actor)?;
    for examined in shipped {
        let known = tx.count(
            "SELECT COUNT(*) FROM policy_versions WHERE policy = $1 AND state <> 'discarded'",
            &[(&examined.policy.id).into()],
        )?;
        if known == 0 {
            let files = examined.files.clone();
            let draft = create(tx, actor, &Draft { files, ..Draft::default() }, now)?;
            publish(tx, actor, (draft.id, draft.row_version), &Ok(examined.clone()), None, now, now)?;
        }
    }
    Ok(())
}

/// The head and the note of a draft. It may still be wrong otherwise: it is a draft.
fn check(draft: &Draft) -> Result<(policy::source::Head, String), AppError> {
    let mut errors = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for file in &draft.files {
        let fits = file.name.ends_with(".toml")
            && file.name.len() <= 120
            && !file.name.starts_with('/')
            && !file.name.split('/').any(|part| part.is_empty() || part.starts_with('.'));
        if !fits || seen.contains(&file.name.as_str()) {
            errors.push(FieldError::new("files", text!("文件名“{}”不对或重复，应以 .toml 结尾", file.name)));
        }
        seen.push(&file.name);
    }
    if draft.files.len() > policy::MOST_FILES
        || draft.files.iter().map(|f| f.text.len()).sum::<usize>() > LARGEST
    {
        errors.push(FieldError::new("files", text!("制度文件太多或太大，合计不超过 4 MB")));
    }
    let note = match clean_value(Kind::Line, LONGEST_NOTE, &draft.note) {
        Ok(note) => note,
        Err(text) => {
            errors.push(FieldError::new("note", text));
            String::new()
        }
    };
    refuse(errors)?;
    let head = draft.files.iter().find(|file| file.name == "policy.toml");
    let Some(file) = head else {
        return Err(AppError::field("files", text!("缺少 policy.toml：制度的代号、名称和版本")));
    };
    match policy::head(file) {
        Ok(head) => Ok((head, note)),
        Err(problem) => Err(refused(&[problem])),
    }
}

fn hold(tx: &mut Tx<'_>, actor: &Actor, id: PolicyVersionId, seen: i64) -> Result<Version, AppError> {
    require_manager(actor)?;
    let lock = tx.for_change();
    let version: Version =
        tx.row(&format!("{SELECT} WHERE id = $1 {lock}"), &[id.into()])?.ok_or(AppError::NotFound)?;
    if version.state != State::Draft {
        return Err(AppError::Conflict(text!("这个版本已经发布或作废，不能再改；请新建一个草稿")));
    }
    if version.row_version != seen {
        return Err(AppError::Stale);
    }
    Ok(version)
}

fn reload(tx: &mut Tx<'_>, id: PolicyVersionId) -> Result<Version, AppError> {
    tx.row(&format!("{SELECT} WHERE id = $1"), &[id.into()])?.ok_or(AppError::NotFound)
}

fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    now: Millis,
    action: &'static str,
    new: &Version,
    old: Option<&Version>,
) -> store::Result<()> {
    crate::events::emit(tx, actor, now, action, "policy", new.id.0, 0)?;
    let after = facts(new);
    let before = old.map(facts);
    let entry = Entry::of(action, "policy", new.id.0);
    match &before {
        Some(before) => audit::record(tx, actor, now, &entry.change(before, &after)),
        None => audit::record(tx, actor, now, &entry.after(&after)),
    }
}

/// What the log keeps: the digest of each file, not its text, which the table keeps.
fn facts(version: &Version) -> Json {
    use sha2::{Digest, Sha256};
    let files: serde_json::Map<String, Json> = version
        .files
        .iter()
        .map(|file| {
            let digest = Sha256::digest(file.text.as_bytes());
            let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            (file.name.clone(), Json::from(hex))
        })
        .collect();
    json!({
        "policy": version.policy, "number": version.number, "title": version.title, "version": version.version,
        "state": version.state.code(), "settings": version.settings, "note": version.note,
        "effective_at": version.effective_at.map(crate::clock::rfc3339), "files": files,
    })
}
