//! Adding and changing people: for whoever keeps the organisation; giving roles needs the right to grant them. Every
//! change of his own roles ends a person's sessions, and nobody can take away the last administrator.

use std::collections::HashMap;

use store::{Conn, FromRow, Row, Tx};

use super::directory::rights_changed;
use super::own::{mark, require_another};
use crate::access::{ADMINISTRATOR_ID, Actor, Object, STAFF_ID, Verb, require_administrator, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::{AppError, FieldError};
use crate::i18n::Lang;
use crate::ids::{PersonId, RoleId};
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
    /// Roles he has himself, for the units he works in; those of his posts come on top.
    pub roles: Vec<RoleId>,
    /// Whether he may sign in.
    pub is_active: bool,
    /// Last day in the company; empty while he is in it.
    pub left_on: String,
    /// Last log-in.
    pub last_login_at: Option<Millis>,
    /// Counts changes.
    pub version: i64,
}

impl Person {
    /// Whether he may do everything.
    pub fn is_administrator(&self) -> bool {
        self.roles.contains(&ADMINISTRATOR_ID)
    }

    /// Whether the words a colleague types mean this person: a part of the name, its pinyin or initials, the
    /// sign-in name, job title or phone.
    pub fn is_meant_by(&self, words: &str) -> bool {
        let known = format!("{} {} {}", search_text(&self.name, &self.username), self.title, self.phone);
        let known = known.to_lowercase();
        words.to_lowercase().split_whitespace().all(|word| known.contains(word))
    }
}

const COLUMNS: &str = "id, username, name, title, phone, email, is_active, left_on, last_login_at, version";

impl FromRow for Person {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            username: row.get(1)?,
            name: row.get(2)?,
            title: row.get(3)?,
            phone: row.get(4)?,
            email: row.get(5)?,
            roles: Vec::new(),
            is_active: row.get(6)?,
            left_on: row.get(7)?,
            last_login_at: row.get(8)?,
            version: row.get(9)?,
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
    /// Roles he has himself.
    pub roles: Vec<RoleId>,
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
    require_may(actor, Object::Organisation, Verb::Update)?;
    let username = username_key(&input.username);
    check(&username, &input.name, &input.title, &input.phone, &input.email)?;
    let id = PersonId::new();
    tx.exec(
        "INSERT INTO people (id, username, name, name_search, title, phone, email, password_hash,
         must_change_password, security_stamp, created_at, updated_at)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$11)",
        &[
            id.into(),
            (&username).into(),
            hanzi::normal::visible(&input.name).into_owned().into(),
            search_text(&input.name, &username).into(),
            input.title.trim().into(),
            input.phone.trim().into(),
            input.email.trim().into(),
            (&input.password_hash).into(),
            input.must_change_password.into(),
            store::new_id().into(),
            now.into(),
        ],
    )
    .map_err(taken)?;
    set_roles(tx, actor, id, &[], &input.roles, now)?;
    rights_changed(tx)?;
    let roles = role_names(tx, &input.roles)?;
    let after = serde_json::json!({ "username": username, "name": hanzi::normal::visible(&input.name), "roles": roles });
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
    /// Roles he has himself, replacing all.
    pub roles: Option<Vec<RoleId>>,
    /// Whether he may sign in.
    pub is_active: Option<bool>,
}

/// Changes a person whose version is still `version`. Roles and activity end his sessions at once; whoever is made
/// active again has not left any more. Only administrators give themselves a role, and the log says so.
pub fn change_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PersonId,
    version: i64,
    change: &PersonChange,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    if change.roles.is_some() || change.is_active.is_some() {
        hold_administrators(tx)?;
    }
    let before = load_person(tx, id)?.ok_or(AppError::NotFound)?;
    // Whoever keeps the organisation must not lock out or rename those who administer the system.
    if before.is_administrator() && !actor.is_administrator() {
        require_administrator(actor)?;
    }
    let after = Person {
        name: change.name.clone().unwrap_or_else(|| before.name.clone()),
        title: change.title.clone().unwrap_or_else(|| before.title.clone()),
        phone: change.phone.clone().unwrap_or_else(|| before.phone.clone()),
        email: change.email.clone().unwrap_or_else(|| before.email.clone()),
        roles: change.roles.clone().unwrap_or_else(|| before.roles.clone()),
        is_active: change.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    check(&after.username, &after.name, &after.title, &after.phone, &after.email)?;
    let raises = after.roles.iter().any(|role| !before.roles.contains(role));
    let is_own = raises && require_another(tx, actor, id)?;
    let changes_rights = after.roles != before.roles || after.is_active != before.is_active;
    let stamp = if changes_rights { store::new_id() } else { 0 };
    let changed = tx.exec(
        "UPDATE people SET name = $3, name_search = $4, title = $5, phone = $6, email = $7,
           left_on = CASE WHEN is_active = FALSE AND $8 = TRUE THEN '' ELSE left_on END,
           is_active = $8, security_stamp = CASE WHEN CAST($9 AS BIGINT) = 0 THEN security_stamp ELSE $9 END,
           version = version + 1, updated_at = $10
         WHERE id = $1 AND version = $2",
        &[
            id.into(),
            version.into(),
            hanzi::normal::visible(&after.name).into_owned().into(),
            search_text(&after.name, &after.username).into(),
            after.title.trim().into(),
            after.phone.trim().into(),
            after.email.trim().into(),
            after.is_active.into(),
            stamp.into(),
            now.into(),
        ],
    )?;
    if changed == 0 {
        return Err(AppError::Stale);
    }
    if changes_rights {
        set_roles(tx, actor, id, &before.roles, &after.roles, now)?;
        keep_an_administrator(tx)?;
        tx.exec("DELETE FROM sessions WHERE person_id = $1", &[id.into()])?;
    }
    rights_changed(tx)?;
    let (before, after) = (facts(tx, &before)?, mark(facts(tx, &after)?, is_own));
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
        require_may(actor, Object::Organisation, Verb::Update)?;
        // A new password signs its giver in with all the rights of the other.
        require_may(actor, Object::Role, Verb::Update)?;
        let is_administrators = load_person(tx, id)?.is_some_and(|p| p.is_administrator());
        if is_administrators {
            require_administrator(actor)?;
        }
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
    let found: Option<Person> =
        conn.row(&format!("SELECT {COLUMNS} FROM people WHERE id = $1"), &[id.into()])?;
    let Some(mut person) = found else { return Ok(None) };
    let roles: Vec<(RoleId,)> = conn.rows(
        "SELECT role_id FROM person_roles WHERE person_id = $1 AND unit_id = 0 ORDER BY role_id",
        &[id.into()],
    )?;
    person.roles = roles.into_iter().map(|(id,)| id).collect();
    Ok(Some(person))
}

/// Most people a list holds.
const MOST_PEOPLE: usize = 5_000;

/// Everybody, active ones first; at most 5,000. Names of colleagues are never hidden.
pub fn list_people(conn: &mut Conn<'_>) -> store::Result<Vec<Person>> {
    let mut people: Vec<Person> = conn.rows(
        &format!("SELECT {COLUMNS} FROM people ORDER BY is_active DESC, id LIMIT {MOST_PEOPLE}"),
        &[],
    )?;
    let mut roles: HashMap<PersonId, Vec<RoleId>> = HashMap::new();
    let rows: Vec<(PersonId, RoleId)> =
        conn.rows("SELECT person_id, role_id FROM person_roles WHERE unit_id = 0 ORDER BY role_id", &[])?;
    for (person, role) in rows {
        roles.entry(person).or_default().push(role);
    }
    for person in &mut people {
        person.roles = roles.remove(&person.id).unwrap_or_default();
    }
    Ok(people)
}

/// Id and name of everybody, to put names to owners.
pub fn person_names(conn: &mut Conn<'_>) -> store::Result<HashMap<PersonId, String>> {
    Ok(conn.rows::<(PersonId, String)>("SELECT id, name FROM people", &[])?.into_iter().collect())
}

/// What is wrong with a sign-in name, as typed.
pub fn check_username(typed: &str) -> Option<FieldError> {
    let username = username_key(typed);
    let length = username.chars().count();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let is_bad = !(2..=40).contains(&length) || !username.chars().all(allowed);
    is_bad.then(|| FieldError::new("username", text!("用户名为 2–40 个字母、数字、汉字或 . _ - @，不含空格")))
}

/// What is wrong with a person's name.
pub fn check_name(typed: &str) -> Option<FieldError> {
    let name = hanzi::normal::visible(typed);
    let is_bad = name.is_empty() || name.chars().count() > 40 || name.chars().any(char::is_control);
    is_bad.then(|| FieldError::new("name", text!("请填写姓名，最多 40 个字")))
}

fn check(username: &str, name: &str, title: &str, phone: &str, email: &str) -> Result<(), AppError> {
    let mut errors: Vec<FieldError> = check_username(username).into_iter().chain(check_name(name)).collect();
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
pub(crate) fn hold_administrators(tx: &mut Tx<'_>) -> store::Result<()> {
    let sql = format!("SELECT epoch FROM rights_state WHERE id = 1{}", tx.for_change());
    tx.rows::<(i64,)>(&sql, &[]).map(drop)
}

/// Call `hold_administrators` before the change.
pub(crate) fn keep_an_administrator(tx: &mut Tx<'_>) -> Result<(), AppError> {
    let left = tx.count(
        "SELECT COUNT(*) FROM person_roles r JOIN people p ON p.id = r.person_id
         WHERE r.role_id = $1 AND r.ends_on = '' AND p.is_active = TRUE AND p.left_on = ''",
        &[ADMINISTRATOR_ID.into()],
    )?;
    if left == 0 {
        return Err(AppError::Conflict(text!("系统至少要有一名在用的管理员，请先指定另一名管理员")));
    }
    Ok(())
}

/// Gives and takes away roles a person has himself. Only who may grant roles may, and nobody but an administrator
/// makes or unmakes one; a role that is not there any more is refused.
fn set_roles(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: PersonId,
    before: &[RoleId],
    after: &[RoleId],
    now: Millis,
) -> Result<(), AppError> {
    let gone: Vec<RoleId> = before.iter().filter(|r| !after.contains(r)).copied().collect();
    let come: Vec<RoleId> = after.iter().filter(|r| !before.contains(r)).copied().collect();
    if gone.is_empty() && come.is_empty() {
        return Ok(());
    }
    // The plain staff role comes with being added, so that whoever keeps people may add them.
    let is_plain = gone.is_empty() && before.is_empty() && come == [STAFF_ID];
    if !is_plain {
        require_may(actor, Object::Role, Verb::Update)?;
    }
    if gone.contains(&ADMINISTRATOR_ID) || come.contains(&ADMINISTRATOR_ID) {
        require_administrator(actor)?;
    }
    for role in &gone {
        tx.exec(
            "DELETE FROM person_roles WHERE person_id = $1 AND role_id = $2 AND unit_id = 0",
            &[id.into(), (*role).into()],
        )?;
    }
    for role in &come {
        let done = tx.exec(
            "INSERT INTO person_roles (person_id, role_id, granted_at, granted_by)
             SELECT $1, id, $3, $4 FROM roles WHERE id = $2 AND deleted_at IS NULL AND is_bundle = FALSE
             ON CONFLICT (person_id, role_id, unit_id) DO NOTHING",
            &[id.into(), (*role).into(), now.into(), actor.person_id.into()],
        )?;
        if done == 0 {
            return Err(AppError::field("roles", text!("没有这个角色，它可能刚被删除，请刷新后重试")));
        }
    }
    Ok(())
}

fn search_text(name: &str, username: &str) -> String {
    format!("{name} {} {} {username}", hanzi::readings::full(name), hanzi::readings::initials(name))
}

/// What the log keeps of a person; roles by their names of that time.
fn facts(conn: &mut Conn<'_>, person: &Person) -> store::Result<serde_json::Value> {
    Ok(serde_json::json!({
        "name": person.name, "title": person.title, "phone": person.phone, "email": person.email,
        "roles": role_names(conn, &person.roles)?, "is_active": person.is_active,
    }))
}

fn role_names(conn: &mut Conn<'_>, roles: &[RoleId]) -> store::Result<Vec<String>> {
    let mut names = Vec::with_capacity(roles.len());
    for role in roles {
        names.extend(conn.value::<String>("SELECT name FROM roles WHERE id = $1", &[(*role).into()])?);
    }
    Ok(names)
}
