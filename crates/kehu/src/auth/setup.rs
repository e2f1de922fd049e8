//! The first start: the company and its first administrator, made exactly once however many try.

use store::{Conn, Tx};

use crate::access::{ADMINISTRATOR_ID, Actor};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;
use crate::org;
use crate::text;

/// What the set-up page or `kehu setup` asks for. The password is checked and hashed before.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Name of the company.
    pub company: String,
    /// Name of the administrator.
    pub name: String,
    /// His sign-in name.
    pub username: String,
    /// Hash of his password.
    pub password_hash: String,
    /// Whether this is the demonstration company.
    pub is_demo: bool,
}

/// Whether the company exists.
pub fn is_set_up(conn: &mut Conn<'_>) -> store::Result<bool> {
    Ok(conn.value::<i64>("SELECT id FROM company WHERE id = 1", &[])?.is_some())
}

/// Makes company and administrator. The company is one row with a fixed key: of many set-ups at once one succeeds and
/// the others are told `Conflict`.
pub fn set_up(tx: &mut Tx<'_>, input: &Setup, now: Millis) -> Result<PersonId, AppError> {
    let company = input.company.trim();
    if company.is_empty() || company.chars().count() > 100 || company.chars().any(char::is_control) {
        return Err(AppError::field("company", text!("请填写公司名称，最多 100 个字")));
    }
    tx.exec(
        "INSERT INTO company (id, name, installation_id, is_demo, created_at) VALUES (1, $1, $2, $3, $4)",
        &[company.into(), store::format_id(store::new_id()).into(), input.is_demo.into(), now.into()],
    )
    .map_err(|error| match error {
        store::Error::Constraint { .. } => AppError::Conflict(text!("系统已经设置过了，请直接登录")),
        other => other.into(),
    })?;
    crate::catalogue::seed(tx)?;
    let actor = Actor::command_line();
    let person = org::NewPerson {
        username: input.username.clone(),
        name: input.name.clone(),
        title: String::new(),
        phone: String::new(),
        email: String::new(),
        roles: vec![ADMINISTRATOR_ID],
        password_hash: input.password_hash.clone(),
        must_change_password: false,
    };
    let id = org::add_person(tx, &actor, &person, now)?;
    let after = serde_json::json!({ "company": company, "is_demo": input.is_demo });
    audit::record(tx, &actor, now, &Entry::of("company.created", "company", 1).after(&after))?;
    Ok(id)
}
