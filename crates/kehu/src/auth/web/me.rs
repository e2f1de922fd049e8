//! One's own settings: profile, language, sessions, tokens.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{device_title, set_cookie};
use crate::access::{Actor, Via};
use crate::app::App;
use crate::auth::{self, sessions};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{SessionId, TokenId};
use crate::org;
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Page, Shell, flash, html, redirect, session_secret};

#[derive(Template)]
#[template(path = "auth/me.html")]
struct MePage {
    l: Lang,
    shell: Shell,
    person: PersonView,
    sessions: Vec<SessionView>,
    tokens: Vec<TokenView>,
    lasting: Vec<Choice>,
    form: FormData,
    errors: FormErrors,
    /// The secret of a token just made; shown this once.
    secret: String,
}

struct PersonView {
    name: String,
    username: String,
    title: String,
    phone: String,
    email: String,
    role: String,
    lang: &'static str,
}

struct SessionView {
    id: SessionId,
    device: String,
    ip: String,
    created: String,
    seen: String,
    is_this: bool,
}

struct TokenView {
    id: TokenId,
    name: String,
    created: String,
    expires: String,
    used: String,
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    html(&load(&app, &actor, page, &headers).await?)
}

async fn load(app: &App, actor: &Actor, page: Page, headers: &HeaderMap) -> Result<MePage, AppError> {
    let (id, now) = (actor.person_id, app.now());
    let secret = session_secret(headers).map(str::to_owned);
    let (person, current, open, tokens) = app
        .db
        .read(move |conn| {
            let current = match &secret {
                Some(secret) => sessions::session_of(conn, secret)?,
                None => None,
            };
            let person = org::load_person(conn, id)?.ok_or(AppError::NotFound)?;
            let open = auth::list_sessions(conn, id, now)?;
            Ok::<_, AppError>((person, current, open, auth::list_tokens(conn, Some(id))?))
        })
        .await?;
    let l = page.l;
    let zone = &app.zone;
    Ok(MePage {
        l,
        shell: page.shell(&[("个人设置", "/me")]),
        person: PersonView {
            name: person.name,
            username: person.username,
            title: person.title,
            phone: person.phone,
            email: person.email,
            role: page.shell.role_title.clone(),
            lang: l.code(),
        },
        sessions: open
            .into_iter()
            .map(|s| SessionView {
                id: s.id,
                device: device_title(&s.device, l),
                ip: s.ip,
                created: zone.minute(s.created_at),
                seen: zone.minute(s.seen_at),
                is_this: Some(s.id) == current,
            })
            .collect(),
        tokens: tokens
            .into_iter()
            .map(|t| TokenView {
                id: t.id,
                name: t.name,
                created: zone.minute(t.created_at),
                expires: t.expires_at.map_or_else(|| l.t("长期有效").to_owned(), |at| zone.minute(at)),
                used: t.last_used_at.map_or_else(|| l.t("从未使用").to_owned(), |at| zone.minute(at)),
            })
            .collect(),
        lasting: lasting(l),
        form: FormData::default(),
        errors: FormErrors::default(),
        secret: String::new(),
    })
}

/// Days a token may last; empty for until it is revoked.
fn lasting(l: Lang) -> Vec<Choice> {
    [("30", l.f("{} 天", &[&30])), ("90", l.f("{} 天", &[&90])), ("365", l.t("一年").to_owned())]
        .into_iter()
        .map(|(value, label)| Choice { value: value.to_owned(), label })
        .chain([Choice { value: "0".to_owned(), label: l.t("长期有效").to_owned() }])
        .collect()
}

/// What only a person in a browser may do: a program with a token must not give itself further means.
pub(super) fn require_browser(actor: &Actor) -> Result<(), AppError> {
    if actor.via == Via::Session {
        Ok(())
    } else {
        Err(AppError::Forbidden(text!("请登录后在页面上进行这项操作，不能使用 API 令牌")))
    }
}

pub(super) async fn set_language(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let lang = Lang::named(form.get("lang"));
    let (by, now) = (actor.clone(), app.now());
    app.db.write(move |tx| org::set_language(tx, &by, lang, now)).await?;
    app.forget_sessions();
    let mut response = redirect(page.is_htmx, "/me");
    let cookie = format!("lang={}; Path=/; Max-Age=31536000; SameSite=Lax", lang.code());
    if let Ok(value) = axum::http::HeaderValue::from_str(&cookie) {
        response.headers_mut().append(axum::http::header::SET_COOKIE, value);
    }
    Ok(flash(response, lang.t("已保存")))
}

pub(super) async fn end_session(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    require_browser(&actor)?;
    let id: SessionId = id.parse().map_err(|_| AppError::NotFound)?;
    let (now, secret) = (app.now(), session_secret(&headers).map(str::to_owned));
    let is_this = app
        .db
        .write(move |tx| {
            let current = match &secret {
                Some(secret) => sessions::session_of(tx, secret)?,
                None => None,
            };
            auth::end_own_session(tx, &actor, id, now)?;
            Ok::<_, AppError>(current == Some(id))
        })
        .await?;
    app.forget_sessions();
    if is_this {
        let mut response = redirect(page.is_htmx, "/login");
        set_cookie(&mut response, auth::SESSION_COOKIE, "", Some(0));
        return Ok(response);
    }
    Ok(flash(redirect(page.is_htmx, "/me"), page.l.t("已退出这台设备上的登录")))
}

pub(super) async fn end_other_sessions(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    require_browser(&actor)?;
    let (now, secret) = (app.now(), session_secret(&headers).map(str::to_owned));
    let ended = app
        .db
        .write(move |tx| {
            let current = match &secret {
                Some(secret) => sessions::session_of(tx, secret)?,
                None => None,
            };
            auth::end_sessions_by(tx, &actor, actor.person_id, current, now)
        })
        .await?;
    app.forget_sessions();
    Ok(flash(redirect(page.is_htmx, "/me"), &page.l.f("已退出其他设备上的 {} 个登录", &[&ended])))
}

pub(super) async fn create_token(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    require_browser(&actor)?;
    const DAY: i64 = 24 * 3600 * 1000;
    let now = app.now();
    let expires_at = match form.get("days").parse::<i64>() {
        Ok(days @ 1..=3650) => Some(now + days * DAY),
        _ => None,
    };
    let (by, name) = (actor.clone(), form.get("name").to_owned());
    let made =
        app.db.write(move |tx| auth::create_token(tx, &by, by.person_id, &name, expires_at, now)).await;
    let l = page.l;
    let mut me = load(&app, &actor, page, &headers).await?;
    match made {
        Ok(token) => {
            me.secret = token.secret;
            html(&me)
        }
        Err(AppError::Invalid(errors)) => {
            me.errors = FormErrors::new(&errors, l);
            me.form = form;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&me)?).into_response())
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn revoke_token(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    require_browser(&actor)?;
    let id: TokenId = id.parse().map_err(|_| AppError::NotFound)?;
    let (now, by) = (app.now(), actor.clone());
    let was_alive = app.db.write(move |tx| auth::revoke_token(tx, &by, id, now)).await?;
    app.forget_sessions();
    if !was_alive {
        return Err(AppError::NotFound);
    }
    Ok(flash(redirect(page.is_htmx, "/me"), page.l.t("令牌已吊销，立即失效")))
}
