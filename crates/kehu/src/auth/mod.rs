//! Who is asking: set-up, log-in, sessions, tokens. Passwords are hashed with argon2id behind a semaphore; sessions
//! and tokens are random and stored only as SHA-256.

mod change_password;
mod login;
mod password;
mod sessions;
mod setup;
mod throttle;
mod tokens;
pub mod web;

pub use change_password::{PasswordChange, change_own_password};
pub use login::{Credentials, LoggedIn, log_in, log_out};
pub(crate) use password::hash_now;
pub use password::{Passwords, check_new_password, temporary_password};
pub use sessions::{
    ListedSession, SESSION_COOKIE, SessionCache, SessionRow, end_own_session, end_session_of,
    end_sessions_by, find_session, list_all_sessions, list_sessions,
};
pub use setup::{Setup, is_set_up, set_up};
pub(crate) use throttle::household_of;
pub use throttle::{LockedAccount, household, list_locked, unlock};
pub use tokens::{NewToken, TokenRow, create_token, find_token, list_tokens, revoke_token};
pub(crate) use web::device_title;

use sha2::{Digest, Sha256};

use crate::error::AppError;
use crate::settings::Parameter;

/// What an administrator may set.
pub const PARAMETERS: &[Parameter] = &[sessions::IDLE, sessions::ABSOLUTE, throttle::FREE, throttle::LONGEST];

/// Notes in the background, at most once a minute, that a session or token was used.
pub(crate) async fn note_use(
    app: &crate::app::App,
    via: crate::access::Via,
    row: &SessionRow,
    now: crate::clock::Millis,
) {
    if now - row.seen_at < sessions::SEEN_STEP {
        return;
    }
    let (id, db) = (row.id, app.db.clone());
    let touched = db
        .write(move |tx| match via {
            crate::access::Via::Token => tokens::touch(tx, id, now),
            _ => sessions::touch(tx, id, now),
        })
        .await;
    if let Err(error) = touched {
        tracing::warn!(%error, "could not note that a session was used");
    }
}

/// A secret of 32 random bytes as 64 hexadecimal letters.
pub(crate) fn new_secret() -> Result<String, AppError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| AppError::Internal(format!("no randomness: {e}")))?;
    Ok(crate::audit::hex(&bytes))
}

/// What is stored of a secret. The secret has 256 random bits, so a fast hash is enough.
pub(crate) fn secret_hash(secret: &str) -> String {
    crate::audit::hex(&Sha256::digest(secret.as_bytes()))
}
