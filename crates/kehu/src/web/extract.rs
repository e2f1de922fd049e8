//! Who is asking, and what a page needs, taken from a request.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::layout::{Crumb, Shell};
use crate::access::{Actor, ActorFacts, Object, Rights, Verb, Via, require_administrator, require_may};
use crate::app::App;
use crate::auth::{self, SESSION_COOKIE, SessionRow};
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::{org, text};

/// What `around` knows of a request before anybody is identified.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Identifies the request in reply, log and audit.
    pub request_id: String,
    /// Address of the other side; that of the browser behind a trusted proxy.
    pub ip: String,
    /// Filled when somebody was identified, for the denial's audit row.
    pub actor: Arc<OnceLock<Actor>>,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| AppError::Internal("no request context".into()))
    }
}

/// The value of a cookie.
pub fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v)
}

/// The secret of the session cookie, if it looks like one.
pub fn session_secret(headers: &HeaderMap) -> Option<&str> {
    cookie(headers, SESSION_COOKIE).filter(|s| s.len() == 64 && s.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl FromRequestParts<App> for Actor {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let context = RequestContext::from_request_parts(parts, app).await?;
        if let Some(actor) = context.actor.get() {
            return Ok(actor.clone());
        }
        let (row, rights, via) = identify(&parts.headers, app).await?.ok_or(AppError::NotSignedIn)?;
        let path = parts.uri.path();
        if row.must_change_password && via == Via::Session && !matches!(path, "/me/password" | "/logout") {
            return Err(AppError::MustChangePassword);
        }
        // Whoever is barred from customers is led to the text he has to sign, not from one missing page to the next; one
        // who would reach none anyhow goes on as he is.
        if rights.loses_customers && via == Via::Session && (app.hooks.holds_customers)(path) {
            return Err(AppError::MustSign);
        }
        let actor = actor_of(row, rights, via, &context, &parts.headers);
        let _ = context.actor.set(actor.clone());
        Ok(actor)
    }
}

fn actor_of(
    row: SessionRow,
    rights: Arc<Rights>,
    via: Via,
    context: &RequestContext,
    headers: &HeaderMap,
) -> Actor {
    Actor::new(ActorFacts {
        person_id: row.person_id,
        lang: lang_of(headers, &row.lang),
        username: row.username,
        name: row.name,
        rights,
        via,
        ip: context.ip.clone(),
        request_id: context.request_id.clone(),
        must_change_password: row.must_change_password,
        acting_for: None,
    })
}

/// Whose cookie came with a request that is refused, for the log. It is no use of his session: whoever forges requests
/// must not keep it open.
pub(super) async fn owner_of(headers: &HeaderMap, app: &App, context: &RequestContext) -> Option<Actor> {
    let (secret, via) = credential(headers)?;
    let (row, rights) = match app.sessions.get(&auth::secret_hash(secret), app.now()) {
        Some(known) => known,
        None => look_up(app, auth::secret_hash(secret), via).await.ok()??,
    };
    Some(actor_of(row, rights, via, context, headers))
}

/// The secret of a token (`Authorization: Bearer`) or a session cookie. A request with a token is judged by the token
/// alone.
fn credential(headers: &HeaderMap) -> Option<(&str, Via)> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let Some(text) = bearer else { return session_secret(headers).map(|secret| (secret, Via::Session)) };
    // The name of the scheme is written as anybody likes (RFC 9110, 11.1).
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") && token.len() < 200 => {
            Some((token.trim(), Via::Token))
        }
        _ => None,
    }
}

/// The person behind the credentials of a request, whose use is noted.
async fn identify(
    headers: &HeaderMap,
    app: &App,
) -> Result<Option<(SessionRow, Arc<Rights>, Via)>, AppError> {
    let Some((secret, via)) = credential(headers) else { return Ok(None) };
    let (hash, now) = (auth::secret_hash(secret), app.now());
    if let Some((row, rights)) = app.sessions.get(&hash, now) {
        return Ok(Some((row, rights, via)));
    }
    let Some((row, rights)) = look_up(app, hash.clone(), via).await? else { return Ok(None) };
    app.sessions.put(&hash, &row, &rights, now);
    auth::note_use(app, via, &row, now).await;
    Ok(Some((row, rights, via)))
}

async fn look_up(app: &App, hash: String, via: Via) -> Result<Option<(SessionRow, Arc<Rights>)>, AppError> {
    let now = app.now();
    let found = app
        .db
        .read(move |conn| {
            let row = match via {
                Via::Token => auth::find_token(conn, &hash, now),
                _ => auth::find_session(conn, &hash, now),
            };
            let Some(row) = row? else { return Ok(None) };
            let records = org::load_records(conn, row.person_id, now)?;
            Ok::<_, store::Error>(Some((row, org::epoch(conn)?, records)))
        })
        .await?;
    let Some((row, epoch, records)) = found else { return Ok(None) };
    let rights = app.rights_from(row.person_id, epoch, records).await?;
    Ok(Some((row, rights)))
}

/// The language of a page: the cookie's, else the person's.
fn lang_of(headers: &HeaderMap, preferred: &str) -> Lang {
    Lang::named(cookie(headers, "lang").unwrap_or(preferred))
}

/// An actor who administers the system; others get `Forbidden` before anything is read.
#[derive(Clone, Debug)]
pub struct Administrator(pub Actor);

impl FromRequestParts<App> for Administrator {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let actor = Actor::from_request_parts(parts, app).await?;
        require_administrator(&actor)?;
        Ok(Self(actor))
    }
}

macro_rules! permitted {
    ($($(#[$doc:meta])* $name:ident: $object:ident $verb:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(pub Actor);

        impl FromRequestParts<App> for $name {
            type Rejection = AppError;
            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
                let actor = Actor::from_request_parts(parts, app).await?;
                require_may(&actor, Object::$object, Verb::$verb)?;
                Ok(Self(actor))
            }
        }
    )*};
}

permitted! {
    /// An actor who keeps units, posts, people and rosters; others get `Forbidden` before anything is read.
    Organiser: Organisation Update,
    /// An actor who defines and grants roles.
    Granter: Role Update,
    /// An actor who keeps dictionaries and fields.
    Cataloguer: Catalogue Update,
    /// An actor who reads the logs.
    Auditor: Audit Read,
    /// An actor who keeps service strategies.
    Strategist: Strategy Update,
}

/// What a page needs besides its data: language, shell, and whether htmx asks for a part of it.
#[derive(Clone, Debug)]
pub struct Page {
    /// Who is signed in; `None` on public pages.
    pub actor: Option<Actor>,
    /// Language.
    pub l: Lang,
    /// The frame.
    pub shell: Shell,
    /// Whether htmx asks.
    pub is_htmx: bool,
    /// Whether only a part of the page is wanted (`HX-Request-Type: partial`).
    pub is_partial: bool,
    /// The element htmx will fill, if it asks.
    pub target: String,
}

impl Page {
    /// The frame with a breadcrumb: pairs of source text and address; the last one is the page itself.
    pub fn shell(&self, crumbs: &[(&str, &str)]) -> Shell {
        let mut shell = self.shell.clone();
        let last = crumbs.len().saturating_sub(1);
        shell.crumbs = crumbs
            .iter()
            .enumerate()
            .map(|(n, (title, href))| Crumb {
                title: self.l.t(title).to_owned(),
                href: (n != last).then(|| (*href).to_owned()),
            })
            .collect();
        shell
    }

    /// The signed-in person; routes that take an `Actor` have one.
    pub fn is_administrator(&self) -> bool {
        self.actor.as_ref().is_some_and(Actor::is_administrator)
    }
}

impl FromRequestParts<App> for Page {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let actor = match Actor::from_request_parts(parts, app).await {
            Ok(actor) => Some(actor),
            Err(AppError::NotSignedIn | AppError::MustChangePassword) => None,
            Err(error) => return Err(error),
        };
        let l = actor.as_ref().map_or_else(|| lang_of(&parts.headers, "zh"), |a| a.lang);
        let company = app.company().await?;
        let is_demo = company.as_ref().is_some_and(|c| c.is_demo);
        let path = parts.uri.path().to_owned();
        let has_header = |name: &str| parts.headers.contains_key(name);
        let is_htmx = has_header("hx-request");
        let is_partial = parts
            .headers
            .get("hx-request-type")
            .is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"partial"));
        let target =
            parts.headers.get("hx-target").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let theme = cookie(&parts.headers, "theme").unwrap_or("auto");
        let (menu, todo_count, notice_count) = match &actor {
            // Parts of a page have no frame.
            Some(actor) if !is_partial => {
                let (todo_count, notice_count, modules) = app.waiting(actor).await?;
                ((app.hooks.menu)(actor, &path, &modules, is_demo), todo_count, notice_count)
            }
            _ => (Vec::new(), 0, 0),
        };
        let acting = match &actor {
            Some(actor) if !is_partial => acting_lines(app, actor, l).await?,
            _ => Vec::new(),
        };
        let shell = Shell {
            company: company.as_ref().map_or_else(|| "kehu".to_owned(), |c| c.name.clone()),
            demo: is_demo,
            user_name: actor.as_ref().map_or_else(String::new, |a| a.name.clone()),
            is_administrator: actor.as_ref().is_some_and(Actor::is_administrator),
            role_title: actor.as_ref().map_or_else(String::new, |a| role_title(a, l)),
            acting,
            path,
            theme: theme.to_owned(),
            density: if cookie(&parts.headers, "density") == Some("compact") { "compact" } else { "normal" }
                .to_owned(),
            narrow: cookie(&parts.headers, "side") == Some("narrow"),
            menu,
            crumbs: Vec::new(),
            todo_count,
            notice_count,
        };
        Ok(Self { actor, l, shell, is_htmx, is_partial, target })
    }
}

/// For whom a person acts now, and until when. The organisation is asked only when he does.
async fn acting_lines(app: &App, actor: &Actor, l: Lang) -> Result<Vec<String>, AppError> {
    let acting = &actor.rights.acts_for;
    if acting.is_empty() {
        return Ok(Vec::new());
    }
    let directory = app.directory().await?;
    let line = |(from, until): &(PersonId, Millis)| {
        let name = directory.member(*from).map_or("", |m| m.name.as_str());
        let until = app.zone.civil(*until).strftime("%m-%d %H:%M").to_string();
        l.f("您正在代理 {}（至 {}）", &[&name, &until])
    };
    Ok(acting.iter().map(line).collect())
}

/// What the account menu says of a person: his roles, at most three.
fn role_title(actor: &Actor, l: Lang) -> String {
    let mut names: Vec<&str> = Vec::new();
    for held in &actor.rights.held {
        let name = l.t(&held.role.name);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = if names.len() > 3 { "…" } else { "" };
    names.truncate(3);
    format!("{}{more}", names.join(if l == Lang::Zh { "、" } else { ", " }))
}

/// A JSON object as body, at most 1 MiB, with problem documents for everything that is not one.
#[derive(Clone, Debug)]
pub struct JsonBody(pub serde_json::Map<String, serde_json::Value>);

impl FromRequest<App> for JsonBody {
    type Rejection = AppError;
    async fn from_request(request: Request, app: &App) -> Result<Self, AppError> {
        let is_json =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
                v.starts_with("application/json") || v.starts_with("application/merge-patch+json")
            });
        if !is_json {
            return Err(AppError::Unsupported(text!("请用 Content-Type: application/json 提交")));
        }
        let bytes = axum::body::Bytes::from_request(request, app)
            .await
            .map_err(|_| AppError::TooLarge(text!("提交的内容太大，请减少后重试")))?;
        let mut twice = None;
        let read = super::json::read(&bytes, &mut twice);
        if let Some(name) = twice {
            return Err(AppError::BadRequest(text!("JSON 里“{}”写了两次，请只写一次", name)));
        }
        match read {
            Ok(serde_json::Value::Object(body)) => {
                match body.iter().find(|(k, v)| k.contains('\0') || has_nul(v)) {
                    // No text of ours has NUL, and PostgreSQL cannot store it.
                    Some((name, _)) => Err(AppError::field(
                        &name.replace('\0', ""),
                        text!("含有不可见字符，请删除后重新输入"),
                    )),
                    None => Ok(Self(body)),
                }
            }
            Ok(_) => Err(AppError::BadRequest(text!("请提交一个 JSON 对象"))),
            Err(error) => Err(AppError::BadRequest(text!(
                "不是有效的 JSON：第 {} 行第 {} 列",
                error.line(),
                error.column()
            ))),
        }
    }
}

/// Whether a text somewhere in a value contains NUL; the parser bounds how deep a value is.
fn has_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(all) => all.iter().any(has_nul),
        serde_json::Value::Object(all) => {
            all.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}
