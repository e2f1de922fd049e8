//! Signing the text in force: one's own act, in a browser.

use serde_json::json;
use store::Tx;

use super::load::{standing, text_in_force};
use crate::access::{Actor, Via};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::{events, input, org, text};

/// What the signer sends.
#[derive(Clone, Debug, Default)]
pub struct Signing {
    /// The version he read.
    pub version: i64,
    /// His own name, as he typed it.
    pub name: String,
    /// Whether he ticked that he read it and will keep to it.
    pub agrees: bool,
}

/// Signs for the actor himself. Needs to be in the register; refused through a token, for another version than the one
/// in force, without the tick, and under another name than his own. Signing twice changes nothing.
pub fn sign(tx: &mut Tx<'_>, actor: &Actor, signing: &Signing, now: Millis) -> Result<(), AppError> {
    if actor.via != Via::Session {
        return Err(AppError::Forbidden(text!("请登录后在页面上进行这项操作，不能使用 API 令牌")));
    }
    let person = org::load_person(tx, actor.person_id)?.ok_or(AppError::NotFound)?;
    let text = text_in_force(tx)?
        .ok_or_else(|| AppError::Conflict(text!("公司还没有发布保密承诺的文本，现在不需要签署")))?;
    if standing(tx, person.id)?.registered_at.is_none() {
        let whom = org::administrators(tx)?;
        return Err(AppError::Conflict(text!("您还没有登记为客户信息人员，请先联系管理员（{}）登记", whom)));
    }
    let mut errors = Vec::new();
    if signing.version != text.version {
        errors.push(FieldError::new(
            "version",
            text!("文本刚刚更新为第 {} 版，请重新阅读后签署", text.version),
        ));
    }
    if !signing.agrees {
        errors.push(FieldError::new("agrees", text!("请勾选“已阅读并承诺遵守”")));
    }
    if hanzi::normal::visible(&signing.name) != person.name {
        errors.push(FieldError::new("name", text!("请输入您自己的姓名“{}”作为签名", person.name)));
    }
    input::refuse(errors)?;
    let done = tx.exec(
        "INSERT INTO confidentiality_signatures (person_id, version, name, signed_at, ip) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (person_id, version) DO NOTHING",
        &[
            person.id.into(),
            text.version.into(),
            (&person.name).into(),
            now.into(),
            actor.ip.as_str().into(),
        ],
    )?;
    if done == 0 {
        return Ok(());
    }
    org::rights_changed(tx)?;
    events::emit(tx, actor, now, "confidentiality.signed", "person", person.id.0, 0)?;
    let after = json!({ "name": person.name, "version": text.version, "title": text.title });
    let entry = Entry::of("confidentiality.signed", "person", person.id.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}
