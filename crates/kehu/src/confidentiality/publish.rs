//! Publishing the text, and the company's switch: both for administrators.

use serde_json::json;
use store::Tx;

use super::load::text_in_force;
use super::register::{everybody, register};
use crate::access::{Actor, require_administrator};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::input::{self, Kind};
use crate::org::{self, HANDLERS, HandlerRules};
use crate::{events, settings, text};

/// A text somebody wants to publish.
#[derive(Clone, Debug, Default)]
pub struct TextDraft {
    /// Its title, 1–60 characters.
    pub title: String,
    /// Its words, 20–20,000 characters.
    pub body: String,
    /// The version the draft began from; 0 for the first.
    pub based_on: i64,
}

/// Publishes a new version; everybody must sign anew from the same moment on. Refused when another version came
/// meanwhile, or when nothing changed. Administrators only. Answers the version.
pub fn publish(tx: &mut Tx<'_>, actor: &Actor, draft: &TextDraft, now: Millis) -> Result<i64, AppError> {
    require_administrator(actor)?;
    org::hold_administrators(tx)?;
    let mut errors = Vec::new();
    let title = input::clean_value(Kind::Line, 60, &draft.title).unwrap_or_else(|problem| {
        errors.push(FieldError::new("title", problem));
        String::new()
    });
    let body = input::clean_value(Kind::Lines, 20_000, &draft.body).unwrap_or_else(|problem| {
        errors.push(FieldError::new("body", problem));
        String::new()
    });
    if title.is_empty() && errors.is_empty() {
        errors.push(FieldError::new("title", text!("请填写标题，例如“客户信息保密承诺书”")));
    }
    if body.chars().count() < 20 && errors.is_empty() {
        errors.push(FieldError::new("body", text!("请写明要承诺的内容，至少 {} 个字", 20)));
    }
    input::refuse(errors)?;
    let before = text_in_force(tx)?;
    let version = before.as_ref().map_or(0, |text| text.version);
    if draft.based_on != version {
        return Err(AppError::Stale);
    }
    if before.as_ref().is_some_and(|text| text.title == title && text.body == body) {
        return Err(AppError::Conflict(text!("文本没有改动，不需要发布新版本")));
    }
    let version = version + 1;
    tx.exec(
        "INSERT INTO confidentiality_texts (version, title, body, published_at, published_by)
         VALUES ($1, $2, $3, $4, $5)",
        &[version.into(), (&title).into(), (&body).into(), now.into(), actor.person_id.into()],
    )?;
    org::rights_changed(tx)?;
    events::emit(tx, actor, now, "confidentiality.published", "confidentiality", version, 0)?;
    let before = before.map(|t| json!({ "version": t.version, "title": t.title, "body": t.body }));
    let after = json!({ "version": version, "title": title, "body": body });
    let mut entry = Entry::of("confidentiality.published", "confidentiality", version).after(&after);
    entry.before = before.as_ref();
    audit::record(tx, actor, now, &entry)?;
    Ok(version)
}

/// Turns the switch; with `registers_all`, everybody who may sign in is registered in the same moment. It cannot be
/// turned on before there is a text to sign. Administrators only; they keep the administration whatever they choose.
pub fn set_rules(
    tx: &mut Tx<'_>,
    actor: &Actor,
    rules: HandlerRules,
    registers_all: bool,
    now: Millis,
) -> Result<(), AppError> {
    require_administrator(actor)?;
    org::hold_administrators(tx)?;
    if rules.is_on && text_in_force(tx)?.is_none() {
        return Err(AppError::Conflict(text!("请先发布保密承诺的文本，再启用登记：没有文本，谁也无法签署")));
    }
    if registers_all {
        let people = everybody(tx)?;
        register(tx, actor, &people, "", now)?;
    }
    settings::set(tx, actor, HANDLERS, &rules, now)?;
    org::rights_changed(tx)?;
    Ok(())
}
