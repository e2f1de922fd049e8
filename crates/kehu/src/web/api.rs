//! What the JSON API's handlers share: `Idempotency-Key`, `ETag`/`If-Match`, paging parameters, replies.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use store::Tx;

use crate::access::Actor;
use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::PersonId;
use crate::text;

/// A problem document (RFC 9457), as the OpenAPI document describes it.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct Problem {
    /// `urn:kehu:problem:CODE`.
    #[schema(rename = "type")]
    kind: String,
    /// What happened and what to do, in Chinese.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The stable code.
    code: String,
    /// What is wrong with which field.
    errors: Option<Vec<ProblemField>>,
}

/// One field of a problem document.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ProblemField {
    /// Its name.
    field: String,
    /// What is wrong and what to do, in Chinese.
    message: String,
}

/// The answer of a write.
#[derive(Clone, Debug)]
pub struct Reply {
    /// 200, 201 or 204.
    pub status: StatusCode,
    /// The whole object; null for 204.
    pub body: Json,
    /// Its version, for the ETag.
    pub version: Option<i64>,
}

impl Reply {
    /// 201 with the new object.
    pub fn created(body: Json, version: i64) -> Self {
        Self { status: StatusCode::CREATED, body, version: Some(version) }
    }
    /// 200 with the object as it now is.
    pub fn ok(body: Json, version: i64) -> Self {
        Self { status: StatusCode::OK, body, version: Some(version) }
    }
    /// 204.
    pub fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Json::Null, version: None }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        if self.status == StatusCode::NO_CONTENT {
            return self.status.into_response();
        }
        let mut response = (self.status, self.body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(version) = self.version
            && let Ok(etag) = HeaderValue::from_str(&etag(version))
        {
            headers.insert(header::ETAG, etag);
        }
        response
    }
}

/// A JSON answer to a read.
pub fn json_reply(body: &Json) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// A page of a list: what `page_of` makes, without a copy of every item.
#[derive(serde::Serialize)]
pub struct PageBody<'p, T> {
    /// The items.
    pub items: &'p [T],
    /// Cursor of the next page.
    pub next: Option<String>,
    /// How many there are, when that is known exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

impl<T: serde::Serialize> PageBody<'_, T> {
    /// The answer.
    pub fn reply(&self) -> Result<Response, AppError> {
        let body =
            serde_json::to_vec(self).map_err(|e| AppError::Internal(format!("a page as JSON: {e}")))?;
        Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
    }
}

/// The ETag of a version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The version a change is based on: 428 without `If-Match`, 412 for anything that is no version of ours.
pub fn if_match(headers: &HeaderMap) -> Result<i64, AppError> {
    let value = headers.get(header::IF_MATCH).ok_or(AppError::PreconditionRequired)?;
    value.to_str().ok().and_then(|v| v.trim().trim_matches('"').parse().ok()).ok_or(AppError::Stale)
}

/// [`if_match`] where it may be left out: `None` without `If-Match`.
pub fn if_match_given(headers: &HeaderMap) -> Result<Option<i64>, AppError> {
    if headers.contains_key(header::IF_MATCH) { if_match(headers).map(Some) } else { Ok(None) }
}

/// What a change is about, by the id in its path, and the version it is based on (see [`if_match`]). What is no id of
/// ours is simply not found.
#[derive(Clone, Copy, Debug)]
pub struct Based<T> {
    /// Its id.
    pub id: T,
    /// Its version as the caller knows it.
    pub version: i64,
}

impl<T: std::str::FromStr> FromRequestParts<App> for Based<T> {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let id = Path::<String>::from_request_parts(parts, app).await.ok();
        let id = id.and_then(|Path(id)| id.parse().ok()).ok_or(AppError::NotFound)?;
        Ok(Self { id, version: if_match(&parts.headers)? })
    }
}

/// How long an answer is remembered under its key, in milliseconds.
pub const REMEMBERED: i64 = 72 * 3600 * 1000;

/// A write that came with an `Idempotency-Key`.
#[derive(Clone, Debug)]
pub struct Once {
    person: PersonId,
    key: String,
    hash: String,
}

impl Once {
    /// Reads the key; `None` without one. `request` is what identifies the write: method, path, body.
    pub fn read(headers: &HeaderMap, actor: &Actor, request: &[&str]) -> Result<Option<Self>, AppError> {
        let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
        let key = key.to_str().unwrap_or_default().to_owned();
        if !(1..=200).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(AppError::field(
                "Idempotency-Key",
                text!("Idempotency-Key 为 1–200 个 ASCII 字符，不含空格"),
            ));
        }
        let mut hash = Sha256::new();
        for part in request {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Ok(Some(Self { person: actor.person_id, key, hash: crate::audit::hex(&hash.finalize()) }))
    }

    /// Runs `body` the first time and stores its answer in the same transaction; gives that answer again afterwards,
    /// if `may_see` still lets the person know it. Another request under the same key is refused.
    pub fn run(
        &self,
        tx: &mut Tx<'_>,
        now: Millis,
        may_see: impl FnOnce(&mut Tx<'_>, &Json) -> Result<(), AppError>,
        body: impl FnOnce(&mut Tx<'_>) -> Result<Reply, AppError>,
    ) -> Result<Reply, AppError> {
        if let Some(reply) = self.known(tx, now)? {
            may_see(tx, &reply.body)?;
            return Ok(reply);
        }
        tx.exec(
            "DELETE FROM idempotency WHERE person_id = $1 AND key = $2",
            &[self.person.into(), (&self.key).into()],
        )?;
        // Claimed first: on PostgreSQL a second request under the same key waits here and then finds the clash.
        tx.exec(
            "INSERT INTO idempotency (person_id, key, request_hash, status, reply, etag, created_at)
             VALUES ($1, $2, $3, 0, '', '0', $4)",
            &[self.person.into(), (&self.key).into(), (&self.hash).into(), now.into()],
        )
        .map_err(|error| match error {
            store::Error::Constraint { .. } => {
                AppError::Conflict(text!("同一个 Idempotency-Key 的请求正在处理，请稍后再试"))
            }
            other => other.into(),
        })?;
        let reply = body(tx)?;
        tx.exec(
            "UPDATE idempotency SET status = $3, reply = $4, etag = $5 WHERE person_id = $1 AND key = $2",
            &[
                self.person.into(),
                (&self.key).into(),
                i64::from(reply.status.as_u16()).into(),
                reply.body.to_string().into(),
                reply.version.unwrap_or(0).to_string().into(),
            ],
        )?;
        Ok(reply)
    }

    /// The answer given before.
    fn known(&self, tx: &mut Tx<'_>, now: Millis) -> Result<Option<Reply>, AppError> {
        let known: Option<(String, i64, String, i64)> = tx.row(
            "SELECT request_hash, status, reply, CAST(etag AS BIGINT) FROM idempotency
             WHERE person_id = $1 AND key = $2 AND created_at > $3",
            &[self.person.into(), (&self.key).into(), (now - REMEMBERED).into()],
        )?;
        let Some((hash, status, reply, version)) = known else { return Ok(None) };
        if hash != self.hash {
            return Err(AppError::field(
                "Idempotency-Key",
                text!("这个 Idempotency-Key 已用于另一个请求，请换一个"),
            ));
        }
        Ok(Some(Reply {
            status: StatusCode::from_u16(status as u16).unwrap_or(StatusCode::OK),
            body: serde_json::from_str(&reply).unwrap_or(Json::Null),
            version: (version > 0).then_some(version),
        }))
    }
}

/// The id a stored answer names under `name`.
pub fn id_in<T: std::str::FromStr>(body: &Json, name: &str) -> Result<T, AppError> {
    body[name].as_str().and_then(|id| id.parse().ok()).ok_or(AppError::NotFound)
}

/// Runs a write in a transaction of its own, once however often its `Idempotency-Key` comes (see [`Once`]). `may_see`
/// refuses to give an answer again whose object the person has lost: it gets the stored body.
pub async fn write_once<S, F>(
    app: &App,
    actor: &Actor,
    headers: &HeaderMap,
    request: &[&str],
    may_see: S,
    body: F,
) -> Result<Reply, AppError>
where
    S: Fn(&mut Tx<'_>, &Json) -> Result<(), AppError> + Send + 'static,
    F: Fn(&mut Tx<'_>, Millis) -> Result<Reply, AppError> + Send + 'static,
{
    let now = app.now();
    match Once::read(headers, actor, request)? {
        None => app.db.write(move |tx| body(tx, now)).await,
        Some(once) => app.db.write(move |tx| once.run(tx, now, &may_see, |tx| body(tx, now))).await,
    }
}

/// `{"items": […], "next": cursor or null}`, with `total` when it is known exactly.
pub fn page_of(items: Vec<Json>, next: Option<String>, total: Option<i64>) -> Json {
    let mut page = json!({ "items": items, "next": next });
    if let Some(total) = total {
        page["total"] = total.into();
    }
    page
}

/// Reads `limit`: 1–200, 50 when absent.
pub fn limit(text: Option<&str>) -> Result<usize, AppError> {
    match text {
        None => Ok(50),
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=200).contains(n))
            .ok_or_else(|| AppError::field("limit", text!("limit 为 1–200 的整数"))),
    }
}
