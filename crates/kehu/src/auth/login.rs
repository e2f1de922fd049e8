//! Log-in and log-out. Right and wrong tries, known and unknown accounts do the same work and answer alike.

use store::{Db, Tx};

use super::{Passwords, secret_hash, sessions, throttle};
use std::sync::Arc;

use crate::access::{Actor, ActorFacts, Rights, Via};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
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
        return Err(wrong());
    }
    let device_hash = credentials.device_secret.as_deref().map(secret_hash);
    let (account, subjects) = {
        let (key, ip, device_hash) = (key.clone(), credentials.ip.clone(), device_hash.clone());
        db.write(move |tx| begin_try(tx, &key, &ip, device_hash.as_deref(), now)).await?
    };
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
    ip: &str,
    device_hash: Option<&str>,
    now: Millis,
) -> Result<(Option<Account>, Vec<String>), AppError> {
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
    let subjects = throttle::subjects(key, ip, known_device);
    let wait = throttle::wait(tx, &subjects, now)?;
    if wait > 0 {
        return Err(AppError::TooMany((wait as u64).div_ceil(1000)));
    }
    throttle::count(tx, &subjects, now)?;
    Ok((account, subjects))
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
        let actor = self.actor();
        let seen = serde_json::json!({ "username": self.key, "device": self.credentials.device });
        let Some(account) = self.account.as_ref().filter(|_| self.is_right) else {
            let id = self.account.as_ref().map_or(0, |a| a.id.0);
            audit::record(
                tx,
                &actor,
                now,
                &Entry::of("login.failed", "person", id).after(&seen).result("failed"),
            )?;
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

    /// The one who tries, as far as known.
    fn actor(&self) -> Actor {
        Actor::new(ActorFacts {
            person_id: self.account.as_ref().map_or(PersonId(0), |a| a.id),
            username: self.key.clone(),
            name: self.account.as_ref().map_or_else(String::new, |a| a.name.clone()),
            rights: Arc::new(Rights::default()),
            via: Via::Session,
            ip: self.credentials.ip.clone(),
            request_id: self.credentials.request_id.clone(),
            lang: Lang::Zh,
            must_change_password: false,
            acting_for: None,
        })
    }
}

/// Ends the session of a secret.
pub fn log_out(tx: &mut Tx<'_>, actor: &Actor, token_hash: &str, now: Millis) -> store::Result<()> {
    tx.exec("DELETE FROM sessions WHERE token_hash = $1", &[token_hash.into()])?;
    audit::record(tx, actor, now, &Entry::of("logout", "person", actor.person_id.0))
}
