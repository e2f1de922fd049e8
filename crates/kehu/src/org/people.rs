//! Adding and changing people. Only administrators may; every change ends the person's sessions when it touches his
//! rights, and nobody can take away the last administrator.

use store::{Conn, FromRow, Row, Tx};

use crate::access::{Actor, DataScope, Role, require_administrator};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::text;

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// His id.
    pub id: PersonId,
    /// Sign-in name.
    pub username: String,
    /// Name.
    pub name: String,
    /// Job title.
    pub title: String,
    /// Phone.
    pub phone: String,
    /// Mail address.
    pub email: String,
    /// Role.
    pub role: Role,
    /// Data scope.
    pub scope: DataScope,
    /// Whether he may sign in.
    pub is_active: bool,
    /// Last log-in.
    pub last_login_at: Option<Millis>,
    /// Counts changes.
    pub version: i64,
}

impl Person {
    /// Whether the words a colleague types mean this person: a part of the name, its pinyin or initials, the
    /// sign-in name, job title or phone.
    pub fn is_meant_by(&self, words: &str) -> bool {
        let known = format!("{} {} {}", search_text(&self.name, &self.username), self.title, self.phone);
        let known = known.to_lowercase();
        words.to_lowercase().split_whitespace().all(|word| known.contains(word))
    }
}

const COLUMNS: &str =
    "id, username, name, title, phone, email, role, data_scope, is_active, last_login_at, version";

impl FromRow for Person {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            username: row.get(1)?,
            name: row.get(2)?,
            title: row.get(3)?,
            phone: row.get(4)?,
            email: row.get(5)?,
            role: Role::named(&row.get::<String>(6)?).unwrap_or(Role::Staff),
            scope: DataScope::named(&row.get::<String>(7)?).unwrap_or(DataScope::Own),
            is_active: row.get(8)?,
            last_login_at: row.get(9)?,
            version: row.get(10)?,
        })
    }
}

/// A person to be added; the password is already hashed.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Sign-in name: 2–40 letters, digits, `.`, `_`, `-` or Chinese characters.
    pub username: String,
    /// Name.
    pub name: String,
    /// Job title.
    pub title: String,
    /// Phone.
    pub phone: String,
    /// Mail address.
    pub email: String,
    /// Role.
    pub role: Role,
    /// Data scope.
    pub scope: DataScope,
    /// Hash of the first password.
    pub password_hash: String,
    /// Whether he must choose his own at the first log-in.
    pub must_change_password: bool,
}

/// How a sign-in name is stored and looked up: full width folded, lower case, without spaces around.
pub fn username_key(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            c => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Adds a person.
pub fn add_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    input: &NewPerson,
    now: Millis,
) -> Result<PersonId, AppError> {
    require_administrator(actor)?;
    let username = username_key(&input.username);
    check(&username, &input.name, &input.title, &input.phone, &input.email)?;
    let id = PersonId::new();
    tx.exec(
        "INSERT INTO people (id, username, name, name_search, title, phone, email, role, data_scope, password_hash,
         must_change_password, security_stamp, created_at, updated_at)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$13)",
        &[
            id.into(),
            (&username).into(),
            input.name.trim().into(),
            search_text(&input.name, &username).into(),
            input.title.trim().into(),
            input.phone.trim().into(),
            input.email.trim().into(),
            input.role.code().into(),
            input.scope.code().into(),
            (&input.password_hash).into(),
            input.must_change_password.into(),
            store::new_id().into(),
            now.into(),
        ],
    )
    .map_err(taken)?;
    let after = serde_json::json!({
        "username": username, "name": input.name.trim(), "role": input.role.code(), "scope": input.scope.code(),
    });
    audit::record(tx, actor, now, &Entry::of("person.created", "person", id.0).after(&after))?;
    Ok(id)
}

/// What may be changed of a person; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct PersonChange {
    /// Name.
    pub name: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Role.
    pub role: Option<Role>,
    /// Data scope.
    pub scope: Option<DataScope>,
    /// Whether he may sign in.
    pub is_active: Option<bool>,
}

/// Changes a person whose version is still `version`. Role, scope and activity end his sessions at once.
pub fn change_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PersonId,
    version: i64,
    change: &PersonChange,
    now: Millis,
) -> Result<(), AppError> {
    require_administrator(actor)?;
    if change.role.is_some() || change.is_active.is_some() {
        hold_administrators(tx)?;
    }
    let before = load_person(tx, id)?.ok_or(AppError::NotFound)?;
    let after = Person {
        name: change.name.clone().unwrap_or_else(|| before.name.clone()),
        title: change.title.clone().unwrap_or_else(|| before.title.clone()),
        phone: change.phone.clone().unwrap_or_else(|| before.phone.clone()),
        email: change.email.clone().unwrap_or_else(|| before.email.clone()),
        role: change.role.unwrap_or(before.role),
        scope: change.scope.unwrap_or(before.scope),
        is_active: change.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    check(&after.username, &after.name, &after.title, &after.phone, &after.email)?;
    let changes_rights =
        after.role != before.role || after.scope != before.scope || after.is_active != before.is_active;
    let stamp = if changes_rights { store::new_id() } else { 0 };
    let changed = tx.exec(
        "UPDATE people SET name = $3, name_search = $4, title = $5, phone = $6, email = $7, role = $8, data_scope = $9,
           is_active = $10, security_stamp = CASE WHEN CAST($11 AS BIGINT) = 0 THEN security_stamp ELSE $11 END,
           version = version + 1, updated_at = $12
         WHERE id = $1 AND version = $2",
        &[
            id.into(),
            version.into(),
            after.name.trim().into(),
            search_text(&after.name, &after.username).into(),
            after.title.trim().into(),
            after.phone.trim().into(),
            after.email.trim().into(),
            after.role.code().into(),
            after.scope.code().into(),
            after.is_active.into(),
            stamp.into(),
            now.into(),
        ],
    )?;
    if changed == 0 {
        return Err(AppError::Stale);
    }
    if changes_rights {
        keep_an_administrator(tx)?;
        tx.exec("DELETE FROM sessions WHERE person_id = $1", &[id.into()])?;
    }
    let (before, after) = (facts(&before), facts(&after));
    audit::record(tx, actor, now, &Entry::of("person.updated", "person", id.0).change(&before, &after))?;
    Ok(())
}

/// Sets a new password: the person's own act when `by_himself`, otherwise he must change it at the next log-in.
/// Ends every session of his.
pub fn reset_password(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PersonId,
    password_hash: &str,
    now: Millis,
) -> Result<(), AppError> {
    let by_himself = actor.person_id == id;
    if !by_himself {
        require_administrator(actor)?;
    }
    let changed = tx.exec(
        "UPDATE people SET password_hash = $2, must_change_password = $3, security_stamp = $4, version = version + 1,
           updated_at = $5 WHERE id = $1",
        &[id.into(), password_hash.into(), (!by_himself).into(), store::new_id().into(), now.into()],
    )?;
    if changed == 0 {
        return Err(AppError::NotFound);
    }
    tx.exec("DELETE FROM sessions WHERE person_id = $1", &[id.into()])?;
    audit::record(tx, actor, now, &Entry::of("person.password_changed", "person", id.0))?;
    Ok(())
}

/// Keeps the language a person chose, for what reaches him outside his browser and on new devices.
pub fn set_language(tx: &mut Tx<'_>, actor: &Actor, lang: Lang, now: Millis) -> Result<(), AppError> {
    let id = actor.person_id;
    tx.exec(
        "UPDATE people SET lang = $2, updated_at = $3 WHERE id = $1",
        &[id.into(), lang.code().into(), now.into()],
    )?;
    let after = serde_json::json!({ "lang": lang.code() });
    audit::record(tx, actor, now, &Entry::of("person.updated", "person", id.0).after(&after))?;
    Ok(())
}

/// A person by id.
pub fn load_person(conn: &mut Conn<'_>, id: PersonId) -> store::Result<Option<Person>> {
    conn.row(&format!("SELECT {COLUMNS} FROM people WHERE id = $1"), &[id.into()])
}

/// Everybody, active ones first; at most 2,000. Names of colleagues are never hidden.
pub fn list_people(conn: &mut Conn<'_>) -> store::Result<Vec<Person>> {
    conn.rows(&format!("SELECT {COLUMNS} FROM people ORDER BY is_active DESC, id LIMIT 2000"), &[])
}

/// Id and name of everybody, to put names to owners.
pub fn person_names(conn: &mut Conn<'_>) -> store::Result<std::collections::HashMap<PersonId, String>> {
    Ok(conn.rows::<(PersonId, String)>("SELECT id, name FROM people", &[])?.into_iter().collect())
}

fn check(username: &str, name: &str, title: &str, phone: &str, email: &str) -> Result<(), AppError> {
    let mut errors = Vec::new();
    let length = username.chars().count();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    if !(2..=40).contains(&length) || !username.chars().all(allowed) {
        errors
            .push(FieldError::new("username", text!("用户名为 2–40 个字母、数字、汉字或 . _ - @，不含空格")));
    }
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 40 || name.chars().any(char::is_control) {
        errors.push(FieldError::new("name", text!("请填写姓名，最多 40 个字")));
    }
    if title.chars().count() > 60 || title.chars().any(char::is_control) {
        errors.push(FieldError::new("title", text!("最多 {} 个字", 60)));
    }
    if !phone.trim().is_empty()
        && let Err(problem) = hanzi::check::phone(phone)
    {
        errors.push(FieldError::new("phone", crate::i18n::Text::Both(problem.zh, problem.en)));
    }
    if !email.trim().is_empty()
        && let Err(problem) = hanzi::check::email(email)
    {
        errors.push(FieldError::new("email", crate::i18n::Text::Both(problem.zh, problem.en)));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

fn taken(error: store::Error) -> AppError {
    if error.is_unique("people_username_key") {
        AppError::field("username", text!("这个用户名已被使用，请换一个"))
    } else {
        error.into()
    }
}

/// Lets one change after the other decide who administers. Without it two administrators who take each other's role
/// at once would each still count the other.
fn hold_administrators(tx: &mut Tx<'_>) -> store::Result<()> {
    let sql = format!("SELECT id FROM people WHERE role = 'administrator' ORDER BY id{}", tx.for_change());
    tx.rows::<(PersonId,)>(&sql, &[]).map(drop)
}

/// Call `hold_administrators` before the change.
fn keep_an_administrator(tx: &mut Tx<'_>) -> Result<(), AppError> {
    let left =
        tx.count("SELECT COUNT(*) FROM people WHERE role = 'administrator' AND is_active = TRUE", &[])?;
    if left == 0 {
        return Err(AppError::Conflict(text!("系统至少要有一名在用的管理员，请先指定另一名管理员")));
    }
    Ok(())
}

fn search_text(name: &str, username: &str) -> String {
    format!("{name} {} {} {username}", hanzi::readings::full(name), hanzi::readings::initials(name))
}

fn facts(person: &Person) -> serde_json::Value {
    serde_json::json!({
        "name": person.name, "title": person.title, "phone": person.phone, "email": person.email,
        "role": person.role.code(), "scope": person.scope.code(), "is_active": person.is_active,
    })
}
