//! A person's own new password. The present one is asked for again, with the same delays as at log-in, so that an open
//! screen is not enough to take an account over.

use serde_json::{Value as Json, json};
use store::Db;

use super::{Passwords, check_new_password, sessions, throttle};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::org;
use crate::text;

/// What the page sends.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The present password.
    pub current: String,
    /// The new one.
    pub new: String,
    /// The new one again.
    pub again: String,
    /// Name of the company, which must not be the password.
    pub company: String,
    /// The browser's own words about itself, for the new session.
    pub device: String,
}

/// Changes the actor's password, ends every session of his and opens a new one: answers its secret.
pub async fn change_own_password(
    db: &Db,
    passwords: &Passwords,
    actor: &Actor,
    change: PasswordChange,
    now: Millis,
) -> Result<String, AppError> {
    check(actor, &change)?;
    let subjects = vec![format!("person:{}", actor.person_id)];
    let id = actor.person_id;
    let (stored, begun) = {
        let (subjects, actor) = (subjects.clone(), actor.clone());
        db.write(move |tx| {
            let late = json!({ "reason": "throttled" });
            let begun = throttle::begin(tx, &actor, &subjects, &refused(&actor, &late), now)?;
            let stored: Option<String> =
                tx.value("SELECT password_hash FROM people WHERE id = $1", &[id.into()])?;
            Ok::<_, AppError>((stored, begun))
        })
        .await?
    };
    begun.or_refuse()?;
    if !passwords.verify(change.current.clone(), stored).await? {
        let actor = actor.clone();
        db.write(move |tx| {
            let wrong = json!({ "reason": "current" });
            audit::record(tx, &actor, now, &refused(&actor, &wrong))
        })
        .await?;
        return Err(AppError::field("current", text!("当前密码不对，请重新输入")));
    }
    let hash = passwords.hash(change.new.clone()).await?;
    let secret = super::new_secret()?;
    let (actor, new_secret) = (actor.clone(), secret.clone());
    db.write(move |tx| {
        throttle::forgive(tx, &subjects)?;
        org::reset_password(tx, &actor, id, &hash, now)?;
        let session = sessions::NewSession {
            person_id: id,
            secret: &new_secret,
            ip: &actor.ip,
            device: &change.device,
        };
        sessions::open_session(tx, &session, now)?;
        Ok::<_, AppError>(())
    })
    .await?;
    Ok(secret)
}

/// A change that was refused, as the log keeps it.
fn refused<'s>(actor: &Actor, why: &'s Json) -> Entry<'s> {
    Entry::of("person.password_refused", "person", actor.person_id.0).after(why).result("failed")
}

fn check(actor: &Actor, change: &PasswordChange) -> Result<(), AppError> {
    let mut errors = Vec::new();
    if change.current.is_empty() || change.current.chars().count() > 256 {
        errors.push(FieldError::new("current", text!("请输入当前密码")));
    }
    if let Some(text) = check_new_password(&change.new, &[&actor.username, &actor.name, &change.company]) {
        errors.push(FieldError::new("password", text));
    } else if change.new == change.current {
        errors.push(FieldError::new("password", text!("新密码不能与当前密码相同")));
    }
    if change.new != change.again {
        errors.push(FieldError::new("password_again", text!("两次输入的密码不一致，请重新输入")));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}
