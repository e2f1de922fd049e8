//! API tokens: 256 random bits, shown once, stored as SHA-256, never stronger than their owner: what he may do is read
//! anew within a second, whatever changed it. A token dies when it is revoked, on its last day, when its owner may not
//! sign in any more, and with what changes his `security_stamp`: a new password, and roles set with his account. Roles
//! given or taken otherwise (through posts, for a time, on behalf of others) leave the token alive with the new rights.

use store::{Conn, FromRow, Row, Tx};

use super::SessionRow;
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, TokenId};
use crate::text;

/// Every token begins with this, so that a leaked one can be recognised.
const PREFIX: &str = "kehu_";

/// A token just made; the secret is never shown again.
#[derive(Debug)]
pub struct NewToken {
    /// Its id.
    pub id: TokenId,
    /// The secret to send as `Authorization: Bearer`.
    pub secret: String,
}

/// Makes a token for a person. `expires_at` of `None` means until revoked.
pub fn create_token(
    tx: &mut Tx<'_>,
    actor: &Actor,
    person_id: PersonId,
    name: &str,
    expires_at: Option<Millis>,
    now: Millis,
) -> Result<NewToken, AppError> {
    let name = &*hanzi::normal::visible(name);
    if name.is_empty() || name.chars().count() > 60 || name.chars().any(char::is_control) {
        return Err(AppError::field("name", text!("请给令牌起一个 1–60 个字的名称，说明给谁用")));
    }
    let secret = format!("{PREFIX}{}", super::new_secret()?);
    let id = TokenId::new();
    let made = tx.exec(
        "INSERT INTO api_tokens (id, token_hash, person_id, security_stamp, name, created_at, expires_at)
         SELECT $1, $2, id, security_stamp, $4, $5, $6 FROM people WHERE id = $3",
        &[
            id.into(),
            super::secret_hash(&secret).into(),
            person_id.into(),
            name.into(),
            now.into(),
            expires_at.into(),
        ],
    )?;
    if made == 0 {
        return Err(AppError::NotFound);
    }
    let after = serde_json::json!({ "name": name, "person_id": person_id, "expires_at": expires_at });
    audit::record(tx, actor, now, &Entry::of("token.created", "token", id.0).after(&after))?;
    Ok(NewToken { id, secret })
}

/// The owner of a token's secret, if both are alive.
pub fn find_token(conn: &mut Conn<'_>, token_hash: &str, now: Millis) -> store::Result<Option<SessionRow>> {
    conn.row(
        "SELECT t.id, p.id, p.username, p.name, p.lang, FALSE, COALESCE(t.last_used_at, 0)
         FROM api_tokens t JOIN people p ON p.id = t.person_id
         WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND p.is_active = TRUE
           AND t.security_stamp = p.security_stamp
           AND (t.expires_at IS NULL OR t.expires_at > $2)",
        &[token_hash.into(), now.into()],
    )
}

/// Notes that a token was used; called at most once a minute.
pub(crate) fn touch(tx: &mut Tx<'_>, id: i64, now: Millis) -> store::Result<()> {
    tx.exec("UPDATE api_tokens SET last_used_at = $2 WHERE id = $1", &[id.into(), now.into()]).map(drop)
}

/// Ends a token at once; answers whether it was alive.
pub fn revoke_token(tx: &mut Tx<'_>, actor: &Actor, id: TokenId, now: Millis) -> Result<bool, AppError> {
    let done = tx.exec(
        "UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND (person_id = $3 OR $4)",
        &[id.into(), now.into(), actor.person_id.into(), actor.is_administrator().into()],
    )? == 1;
    if done {
        audit::record(tx, actor, now, &Entry::of("token.revoked", "token", id.0))?;
    }
    Ok(done)
}

/// A token as listed; the secret is not kept anywhere.
#[derive(Clone, Debug)]
pub struct TokenRow {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// Made when.
    pub created_at: Millis,
    /// Ends when.
    pub expires_at: Option<Millis>,
    /// Last used when, to the minute.
    pub last_used_at: Option<Millis>,
}

impl FromRow for TokenRow {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            owner: row.get(2)?,
            created_at: row.get(3)?,
            expires_at: row.get(4)?,
            last_used_at: row.get(5)?,
        })
    }
}

/// Living tokens: of one person, or of everybody for an administrator. At most 500.
pub fn list_tokens(conn: &mut Conn<'_>, of: Option<PersonId>) -> store::Result<Vec<TokenRow>> {
    conn.rows(
        "SELECT t.id, t.name, p.name, t.created_at, t.expires_at, t.last_used_at
         FROM api_tokens t JOIN people p ON p.id = t.person_id
         WHERE t.revoked_at IS NULL AND p.is_active = TRUE AND t.security_stamp = p.security_stamp
           AND (CAST($1 AS BIGINT) = 0 OR t.person_id = $1) ORDER BY t.id DESC LIMIT 500",
        &[of.map_or(0, |p| p.0).into()],
    )
}
