//! Sessions of people in browsers: 256 random bits in a `__Host-` cookie, SHA-256 in the database, idle and absolute
//! ends, and a security stamp that ends all of a person's sessions at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use store::{Conn, FromRow, Row, Tx};

use crate::access::{ADMINISTRATOR_ID, Actor, Object, Rights, Verb, require_administrator, require_may};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, SessionId};
use crate::settings::{Kind, Parameter};

/// Name of the cookie.
pub const SESSION_COOKIE: &str = "__Host-kehu";
/// A session ends when unused this long.
pub(super) const IDLE: Parameter = Parameter {
    name: "auth.idle_minutes",
    group: "登录",
    title: "多久不操作自动退出",
    help: "人离开后屏幕上的系统多久自动退出；改短后对已登录的人同样有效",
    kind: Kind::Whole { min: 5, max: 480, unit: "分钟", default: 30 },
};
/// A session ends this long after log-in in any case.
pub(super) const ABSOLUTE: Parameter = Parameter {
    name: "auth.session_hours",
    group: "登录",
    title: "一次登录最长有效",
    help: "一直在用也要在这么久以后重新登录；对此后的登录有效",
    kind: Kind::Whole { min: 1, max: 24, unit: "小时", default: 12 },
};

/// Before which instant a session must have been used to be over.
fn idle_since(conn: &mut Conn<'_>, now: Millis) -> store::Result<Millis> {
    Ok(now - IDLE.whole(conn)? * 60_000)
}

/// How stale `seen_at` may be before it is written again.
pub(super) const SEEN_STEP: i64 = 60 * 1000;

/// A person as a session or token tells of him.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The session's or token's id.
    pub id: i64,
    /// Who.
    pub person_id: PersonId,
    /// Sign-in name.
    pub username: String,
    /// His name.
    pub name: String,
    /// Language he chose.
    pub lang: String,
    /// Whether he must choose a new password first.
    pub must_change_password: bool,
    /// When the session was last seen in the database.
    pub seen_at: Millis,
}

impl FromRow for SessionRow {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            person_id: row.get(1)?,
            username: row.get(2)?,
            name: row.get(3)?,
            lang: row.get(4)?,
            must_change_password: row.get(5)?,
            seen_at: row.get(6)?,
        })
    }
}

/// The living session of a cookie's secret, if the person is active and the stamp is still his.
pub fn find_session(conn: &mut Conn<'_>, token_hash: &str, now: Millis) -> store::Result<Option<SessionRow>> {
    let idle_since = idle_since(conn, now)?;
    conn.row(
        "SELECT s.id, p.id, p.username, p.name, p.lang, p.must_change_password, s.seen_at
         FROM sessions s JOIN people p ON p.id = s.person_id
         WHERE s.token_hash = $1 AND p.is_active = TRUE AND s.security_stamp = p.security_stamp
           AND s.ends_at > $2 AND s.seen_at > $3",
        &[token_hash.into(), now.into(), idle_since.into()],
    )
}

/// What a new session is made of.
pub(super) struct NewSession<'a> {
    /// Whose.
    pub person_id: PersonId,
    /// The secret for the cookie.
    pub secret: &'a str,
    /// Address of the browser.
    pub ip: &'a str,
    /// The browser's own words about itself.
    pub device: &'a str,
}

/// Opens a session under the person's present security stamp, and clears what is long over.
pub(super) fn open_session(tx: &mut Tx<'_>, new: &NewSession<'_>, now: Millis) -> store::Result<()> {
    let (idle_since, longest) = (idle_since(tx, now)?, ABSOLUTE.whole(tx)? * 3_600_000);
    tx.exec("DELETE FROM sessions WHERE ends_at < $1 OR seen_at < $2", &[now.into(), idle_since.into()])?;
    tx.exec(
        "INSERT INTO sessions (id, token_hash, person_id, security_stamp, created_at, seen_at, ends_at, ip, device)
         SELECT $1, $2, id, security_stamp, $4, $4, $5, $6, $7 FROM people WHERE id = $3",
        &[
            SessionId::new().into(),
            super::secret_hash(new.secret).into(),
            new.person_id.into(),
            now.into(),
            (now + longest).into(),
            new.ip.into(),
            new.device.into(),
        ],
    )
    .map(drop)
}

/// The session a secret belongs to, whether it still lives or not.
pub(super) fn session_of(conn: &mut Conn<'_>, secret: &str) -> store::Result<Option<SessionId>> {
    conn.value("SELECT id FROM sessions WHERE token_hash = $1", &[super::secret_hash(secret).into()])
}

/// Notes that the session was used; called at most once a minute.
pub(crate) fn touch(tx: &mut Tx<'_>, id: i64, now: Millis) -> store::Result<()> {
    tx.exec("UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2", &[id.into(), now.into()])
        .map(drop)
}

/// Ends every session of a person except `keep` and answers how many; the person's own act, or that of whoever keeps
/// people; an administrator's only by himself or another.
pub fn end_sessions_by(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person_id: PersonId,
    keep: Option<SessionId>,
    now: Millis,
) -> Result<u64, AppError> {
    if actor.person_id != person_id {
        require_may(actor, Object::Organisation, Verb::Update)?;
        require_for_sessions_of(tx, actor, person_id)?;
    }
    let ended = tx.exec(
        "DELETE FROM sessions WHERE person_id = $1 AND id <> $2",
        &[person_id.into(), keep.map_or(0, |s| s.0).into()],
    )?;
    let after = serde_json::json!({ "ended": ended });
    audit::record(tx, actor, now, &Entry::of("session.ended", "person", person_id.0).after(&after))?;
    Ok(ended)
}

/// Whoever keeps people or roles must not throw out those who administer the system.
fn require_for_sessions_of(conn: &mut Conn<'_>, actor: &Actor, person: PersonId) -> Result<(), AppError> {
    let sql = "SELECT COUNT(*) FROM person_roles WHERE person_id = $1 AND role_id = $2";
    if conn.count(sql, &[person.into(), ADMINISTRATOR_ID.into()])? > 0 {
        require_administrator(actor)?;
    }
    Ok(())
}

/// Ends one of the actor's own sessions.
pub fn end_own_session(tx: &mut Tx<'_>, actor: &Actor, id: SessionId, now: Millis) -> Result<(), AppError> {
    let ended = tx.exec(
        "DELETE FROM sessions WHERE id = $1 AND person_id = $2",
        &[id.into(), actor.person_id.into()],
    )?;
    if ended == 0 {
        return Err(AppError::NotFound);
    }
    audit::record(tx, actor, now, &Entry::of("session.ended", "person", actor.person_id.0))?;
    Ok(())
}

/// A session as its person or an administrator sees it.
#[derive(Clone, Debug)]
pub struct ListedSession {
    /// Its id.
    pub id: SessionId,
    /// When he signed in.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub seen_at: Millis,
    /// From which address.
    pub ip: String,
    /// Which browser.
    pub device: String,
}

impl FromRow for ListedSession {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            created_at: row.get(1)?,
            seen_at: row.get(2)?,
            ip: row.get(3)?,
            device: row.get(4)?,
        })
    }
}

/// The living sessions of a person, newest first; at most 100.
pub fn list_sessions(
    conn: &mut Conn<'_>,
    person_id: PersonId,
    now: Millis,
) -> store::Result<Vec<ListedSession>> {
    let idle_since = idle_since(conn, now)?;
    conn.rows(
        "SELECT id, created_at, seen_at, ip, device FROM sessions
         WHERE person_id = $1 AND ends_at > $2 AND seen_at > $3 ORDER BY id DESC LIMIT 100",
        &[person_id.into(), now.into(), idle_since.into()],
    )
}

/// The living sessions of everybody with the person's name, the last used first; at most 500.
pub fn list_all_sessions(conn: &mut Conn<'_>, now: Millis) -> store::Result<Vec<(String, ListedSession)>> {
    let idle_since = idle_since(conn, now)?;
    let rows: Vec<(String, SessionId, Millis, Millis, String, String)> = conn.rows(
        "SELECT p.name, s.id, s.created_at, s.seen_at, s.ip, s.device
         FROM sessions s JOIN people p ON p.id = s.person_id
         WHERE s.ends_at > $1 AND s.seen_at > $2 AND p.is_active = TRUE AND s.security_stamp = p.security_stamp
         ORDER BY s.seen_at DESC, s.id DESC LIMIT 500",
        &[now.into(), idle_since.into()],
    )?;
    let listed = rows.into_iter().map(|(name, id, created_at, seen_at, ip, device)| {
        (name, ListedSession { id, created_at, seen_at, ip, device })
    });
    Ok(listed.collect())
}

/// Ends one session of whomever; for those who grant roles, an administrator's for administrators.
pub fn end_session_of(tx: &mut Tx<'_>, actor: &Actor, id: SessionId, now: Millis) -> Result<(), AppError> {
    require_may(actor, Object::Role, Verb::Update)?;
    let person: Option<PersonId> = tx.value("SELECT person_id FROM sessions WHERE id = $1", &[id.into()])?;
    let person = person.ok_or(AppError::NotFound)?;
    require_for_sessions_of(tx, actor, person)?;
    tx.exec("DELETE FROM sessions WHERE id = $1", &[id.into()])?;
    let after = serde_json::json!({ "ended": 1 });
    audit::record(tx, actor, now, &Entry::of("session.ended", "person", person.0).after(&after))?;
    Ok(())
}

/// Remembers for less than a second who a secret belongs to and what he may do, so that a page's requests ask the
/// database once.
/// Emptied whenever rights or sessions change in this process; other processes follow within the second.
#[derive(Default)]
pub struct SessionCache {
    known: Mutex<HashMap<String, Known>>,
}

/// Who a secret belongs to, what he may do, and when that was asked.
type Known = (SessionRow, Arc<Rights>, Millis);

/// How long an answer is believed, in milliseconds.
const BELIEVED: i64 = 800;
/// Secrets remembered at the most.
const PLACES: usize = 4096;

impl SessionCache {
    /// The person of a secret, if asked less than a second ago.
    pub fn get(&self, token_hash: &str, now: Millis) -> Option<(SessionRow, Arc<Rights>)> {
        let known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known
            .get(token_hash)
            .filter(|(_, rights, at)| {
                (0..BELIEVED).contains(&(now - at)) && rights.holds_until.is_none_or(|until| now < until)
            })
            .map(|(row, rights, _)| (row.clone(), Arc::clone(rights)))
    }

    /// Remembers an answer.
    pub fn put(&self, token_hash: &str, row: &SessionRow, rights: &Arc<Rights>, now: Millis) {
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.len() >= PLACES {
            known.clear();
        }
        known.insert(token_hash.to_owned(), (row.clone(), Arc::clone(rights), now));
    }

    /// Forgets everything; call after any change of people, sessions or tokens.
    pub fn clear(&self) {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}
