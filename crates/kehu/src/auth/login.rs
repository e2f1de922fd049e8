//! Log-in and log-out. Right and wrong tries, known and unknown accounts do the same work and answer alike.

use serde_json::{Value as Json, json};
use store::{Db, Tx};

use super::throttle::Begun;
use super::{Passwords, secret_hash, sessions, throttle};
use crate::access::{Actor, ActorFacts};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;
use crate::org;
use crate::text;

/// What the log-in page sends.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Sign-in name as typed.
    pub username: String,
    /// Password as typed.
    pub password: String,
    /// Address of the browser.
    pub ip: String,
    /// The browser's own words about itself, shortened.
    pub device: String,
    /// Secret of the device cookie, when the browser has one.
    pub device_secret: Option<String>,
    /// Identifies the request.
    pub request_id: String,
}

/// A successful log-in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who.
    pub person_id: PersonId,
    /// Secret for the session cookie.
    pub session_secret: String,
    /// Secret for the device cookie, new or as it was.
    pub device_secret: String,
    /// When he was here before: time and address.
    pub last: Option<(Millis, String)>,
}

/// Checks the password and opens a session. Wrong name, wrong password and disabled account give the same
/// `Invalid`; too many tries give `TooMany`.
pub async fn log_in(
    db: &Db,
    passwords: &Passwords,
    credentials: Credentials,
    now: Millis,
) -> Result<LoggedIn, AppError> {
    let key = org::username_key(&credentials.username);
    let is_absurd = key.chars().count() > 64 || key.chars().any(char::is_control);
    if credentials.password.chars().count() > 256 || is_absurd {
        return Err(refuse_absurd(db, &key, credentials, now).await?);
    }
    let device_hash = credentials.device_secret.as_deref().map(secret_hash);
    let (account, subjects, begun) = {
        let (key, sent) = (key.clone(), credentials.clone());
        db.write(move |tx| begin_try(tx, &key, &sent, device_hash.as_deref(), now)).await?
    };
    begun.or_refuse()?;
    let hash = account.as_ref().map(|a| a.password_hash.clone());
    let is_right = passwords.verify(credentials.password.clone(), hash).await?;
    let device_secret = match &credentials.device_secret {
        Some(secret) => secret.clone(),
        None => super::new_secret()?,
    };
    let session_secret = super::new_secret()?;
    let finish = Finish { account, is_right, subjects, credentials, device_secret, session_secret, key };
    db.write(move |tx| finish.run(tx, now)).await?.ok_or_else(wrong)
}

/// Refuses what nobody's name or password can be without looking at it: a wrong try of the address, and noted like one.
async fn refuse_absurd(
    db: &Db,
    key: &str,
    credentials: Credentials,
    now: Millis,
) -> Result<AppError, AppError> {
    let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
    let begun = db
        .write(move |tx| {
            let actor = Actor::stranger(&key, &credentials.ip, &credentials.request_id);
            let subjects = [throttle::of_address(&credentials.ip)];
            let late = seen(&key, &credentials, Some("throttled"));
            let begun = throttle::begin(tx, &actor, &subjects, &failed(&actor, &late), now)?;
            if begun == Begun::Counted {
                let seen = seen(&key, &credentials, Some("unacceptable"));
                audit::record(tx, &actor, now, &failed(&actor, &seen))?;
            }
            Ok::<_, AppError>(begun)
        })
        .await?;
    Ok(begun.or_refuse().err().unwrap_or_else(wrong))
}

/// A failed try, as the log keeps it.
fn failed<'s>(actor: &Actor, seen: &'s Json) -> Entry<'s> {
    Entry::of("login.failed", "person", actor.person_id.0).after(seen).result("failed")
}

/// What the log keeps of a try; a reason when it is not that name and password do not fit.
fn seen(key: &str, credentials: &Credentials, reason: Option<&str>) -> Json {
    let mut seen = json!({ "username": key, "device": credentials.device });
    if let Some(reason) = reason {
        seen["reason"] = reason.into();
    }
    seen
}

/// The one who tries, as far as known.
fn trier(account: Option<&Account>, key: &str, credentials: &Credentials) -> Actor {
    let stranger = Actor::stranger(key, &credentials.ip, &credentials.request_id);
    let Some(account) = account else { return stranger };
    Actor::new(ActorFacts {
        person_id: account.id,
        name: account.name.clone(),
        ..ActorFacts::clone(&stranger)
    })
}

fn wrong() -> AppError {
    AppError::field("password", text!("用户名或密码不对，请重新输入；忘记密码请联系管理员"))
}

/// What the password check needs of an active account.
#[derive(Clone, Debug)]
struct Account {
    id: PersonId,
    name: String,
    password_hash: String,
    last_login_at: Option<Millis>,
    last_login_ip: String,
}

impl store::FromRow for Account {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            password_hash: row.get(2)?,
            last_login_at: row.get(3)?,
            last_login_ip: row.get(4)?,
        })
    }
}

/// Counts the try and finds the account; a device counts as known only for the person who used it.
fn begin_try(
    tx: &mut Tx<'_>,
    key: &str,
    credentials: &Credentials,
    device_hash: Option<&str>,
    now: Millis,
) -> Result<(Option<Account>, Vec<String>, Begun), AppError> {
    let account: Option<Account> = tx.row(
        "SELECT id, name, password_hash, last_login_at, last_login_ip FROM people
         WHERE username = $1 AND is_active = TRUE",
        &[key.into()],
    )?;
    let known_device = match (device_hash, &account) {
        (Some(device), Some(account)) => tx
            .value::<i64>(
                "SELECT 1 FROM known_devices WHERE device_hash = $1 AND person_id = $2",
                &[device.into(), account.id.into()],
            )?
            .map(|_| device),
        _ => None,
    };
    let subjects = throttle::subjects(key, &credentials.ip, known_device);
    let actor = trier(account.as_ref(), key, credentials);
    let late = seen(key, credentials, Some("throttled"));
    let begun = throttle::begin(tx, &actor, &subjects, &failed(&actor, &late), now)?;
    Ok((account, subjects, begun))
}

struct Finish {
    account: Option<Account>,
    is_right: bool,
    subjects: Vec<String>,
    credentials: Credentials,
    device_secret: String,
    session_secret: String,
    key: String,
}

impl Finish {
    /// Records the outcome either way; `None` is a wrong try.
    fn run(&self, tx: &mut Tx<'_>, now: Millis) -> Result<Option<LoggedIn>, AppError> {
        let actor = trier(self.account.as_ref(), &self.key, &self.credentials);
        let seen = seen(&self.key, &self.credentials, None);
        let Some(account) = self.account.as_ref().filter(|_| self.is_right) else {
            audit::record(tx, &actor, now, &failed(&actor, &seen))?;
            return Ok(None);
        };
        throttle::forgive(tx, &self.subjects)?;
        let session = sessions::NewSession {
            person_id: account.id,
            secret: &self.session_secret,
            ip: &self.credentials.ip,
            device: &self.credentials.device,
        };
        sessions::open_session(tx, &session, now)?;
        tx.exec(
            "INSERT INTO known_devices (device_hash, person_id, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (device_hash, person_id) DO NOTHING",
            &[secret_hash(&self.device_secret).into(), account.id.into(), now.into()],
        )?;
        tx.exec(
            "UPDATE people SET last_login_at = $2, last_login_ip = $3 WHERE id = $1",
            &[account.id.into(), now.into(), (&self.credentials.ip).into()],
        )?;
        audit::record(tx, &actor, now, &Entry::of("login.succeeded", "person", account.id.0).after(&seen))?;
        Ok(Some(LoggedIn {
            person_id: account.id,
            session_secret: self.session_secret.clone(),
            device_secret: self.device_secret.clone(),
            last: account.last_login_at.map(|at| (at, account.last_login_ip.clone())),
        }))
    }
}

/// Ends the session of a secret.
pub fn log_out(tx: &mut Tx<'_>, actor: &Actor, token_hash: &str, now: Millis) -> store::Result<()> {
    tx.exec("DELETE FROM sessions WHERE token_hash = $1", &[token_hash.into()])?;
    audit::record(tx, actor, now, &Entry::of("logout", "person", actor.person_id.0))
}
