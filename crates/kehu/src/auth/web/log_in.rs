//! Log-in and log-out.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{device, device_secret, give_session, set_cookie};
use crate::access::Actor;
use crate::app::App;
use crate::auth::{self, Credentials, SESSION_COOKIE};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::text;
use crate::web::{
    FormData, FormErrors, Page, QueryData, RequestContext, Shell, flash, html, redirect, session_secret,
};

#[derive(Template)]
#[template(path = "auth/login.html")]
struct LoginPage {
    l: Lang,
    shell: Shell,
    username: String,
    next: String,
    error: String,
}

pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    if app.company().await?.is_none() {
        return Ok(redirect(page.is_htmx, "/setup"));
    }
    let next = asked.get("next").to_owned();
    if page.actor.is_some() {
        return Ok(redirect(page.is_htmx, if next.is_empty() { "/" } else { &next }));
    }
    html(&LoginPage { l: page.l, shell: page.shell, username: String::new(), next, error: String::new() })
}

pub(super) async fn submit(
    State(app): State<App>,
    page: Page,
    context: RequestContext,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let now = app.now();
    let credentials = Credentials {
        username: form.get("username").to_owned(),
        password: form.get("password").to_owned(),
        ip: context.ip.clone(),
        device: device(&headers),
        device_secret: device_secret(&headers),
        request_id: context.request_id.clone(),
    };
    let logged_in = match auth::log_in(&app.db, &app.passwords, credentials, now).await {
        Ok(logged_in) => logged_in,
        Err(error) => return refused(page, &form, error),
    };
    // The session this browser had before, if any, ends with the new one.
    if let (Some(actor), Some(old)) = (page.actor.clone(), session_secret(&headers)) {
        let old = auth::secret_hash(old);
        app.db.write(move |tx| auth::log_out(tx, &actor, &old, now)).await?;
    }
    app.forget_sessions();
    let mut response = redirect(page.is_htmx, form.get("next"));
    give_session(&mut response, &logged_in.session_secret, &logged_in.device_secret);
    let greeting = match &logged_in.last {
        Some((at, ip)) => page.l.f("欢迎回来。上次登录：{}，IP {}", &[&app.zone.minute(*at), ip]),
        None => page.l.t("欢迎。这是您第一次登录").to_owned(),
    };
    Ok(flash(response, &greeting))
}

/// The form again. Its answer must not tell whether the name, the password or the account's state was the reason.
fn refused(page: Page, form: &FormData, error: AppError) -> Result<Response, AppError> {
    let (status, wait) = (
        error.status(),
        match &error {
            AppError::TooMany(seconds) => Some(*seconds),
            _ => None,
        },
    );
    let said = match error {
        AppError::TooMany(seconds) if seconds < 90 => page.l.f("尝试次数太多，请在 {} 秒后再试", &[&seconds]),
        AppError::TooMany(seconds) => page.l.f("尝试次数太多，请在 {} 分钟后再试", &[&seconds.div_ceil(60)]),
        error => FormErrors::from_error(error, page.l)?.besides(&[]).join("；"),
    };
    let username = form.get("username").chars().take(64).collect();
    let next = form.get("next").to_owned();
    let page = html(&LoginPage { l: page.l, shell: page.shell, username, next, error: said })?;
    let mut response = (status, page).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

pub(super) async fn leave(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let Some(secret) = session_secret(&headers) else {
        return Err(AppError::BadRequest(text!("只有浏览器里的登录可以退出")));
    };
    let (hash, now) = (auth::secret_hash(secret), app.now());
    app.db.write(move |tx| auth::log_out(tx, &actor, &hash, now)).await?;
    app.forget_sessions();
    let mut response = redirect(headers.contains_key("hx-request"), "/login");
    set_cookie(&mut response, SESSION_COOKIE, "", Some(0));
    Ok(response)
}
