//! The first start: company and administrator.

use std::net::SocketAddr;

use askama::Template;
use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value as Json, json};

use super::{device, give_session};
use crate::access::Actor;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::auth::{self, Credentials, Setup, check_new_password, throttle};
use crate::error::{AppError, FieldError};
use crate::i18n::Lang;
use crate::org;
use crate::text;
use crate::web::{FormData, FormErrors, Page, RequestContext, Shell, html, redirect};

#[derive(Template)]
#[template(path = "auth/setup.html")]
struct SetupPage {
    l: Lang,
    shell: Shell,
    form: FormData,
    needs_code: bool,
    errors: FormErrors,
}

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    peer: Peer,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    if app.company().await?.is_some() {
        return Ok(redirect(page.is_htmx, "/login"));
    }
    let needs_code = !is_at_this_machine(&peer, &headers);
    answer(page, FormData::default(), needs_code, FormErrors::default())
}

pub(super) async fn submit(
    State(app): State<App>,
    page: Page,
    context: RequestContext,
    peer: Peer,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    if app.company().await?.is_some() {
        return Err(AppError::Conflict(text!("系统已经设置过了，请直接登录")));
    }
    let needs_code = !is_at_this_machine(&peer, &headers);
    match set_up(&app, &context, &headers, needs_code, &form).await {
        Ok(response) => Ok(response),
        Err(AppError::Invalid(errors)) => {
            let errors = FormErrors::new(&errors, page.l);
            answer(page, form, needs_code, errors)
        }
        Err(error) => Err(error),
    }
}

fn answer(page: Page, form: FormData, needs_code: bool, errors: FormErrors) -> Result<Response, AppError> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = html(&SetupPage { l: page.l, shell: page.shell, form, needs_code, errors })?;
    Ok((status, page).into_response())
}

async fn set_up(
    app: &App,
    context: &RequestContext,
    headers: &HeaderMap,
    needs_code: bool,
    form: &FormData,
) -> Result<Response, AppError> {
    check(form)?;
    let now = app.now();
    if needs_code {
        check_code(app, context, form.get("setup_code"), now).await?;
    }
    let input = Setup {
        company: form.get("company").to_owned(),
        name: form.get("name").to_owned(),
        username: form.get("username").to_owned(),
        password_hash: app.passwords.hash(form.get("password").to_owned()).await?,
        is_demo: false,
    };
    app.db.write(move |tx| auth::set_up(tx, &input, now)).await?;
    app.forget_company();
    app.forget_catalogue();
    let credentials = Credentials {
        username: form.get("username").to_owned(),
        password: form.get("password").to_owned(),
        ip: context.ip.clone(),
        device: device(headers),
        device_secret: super::device_secret(headers),
        request_id: context.request_id.clone(),
    };
    let logged_in = auth::log_in(&app.db, &app.passwords, credentials, now).await?;
    let mut response = redirect(false, "/");
    give_session(&mut response, &logged_in.session_secret, &logged_in.device_secret);
    Ok(response)
}

fn check(form: &FormData) -> Result<(), AppError> {
    let mut errors = Vec::new();
    let [company, name, username, password] =
        ["company", "name", "username", "password"].map(|f| form.get(f));
    if hanzi::normal::visible(company).is_empty() || company.chars().count() > 100 {
        errors.push(FieldError::new("company", text!("请填写公司名称，最多 100 个字")));
    }
    errors.extend(org::check_name(name));
    errors.extend(org::check_username(username));
    if let Some(text) = check_new_password(password, &[company, name, username]) {
        errors.push(FieldError::new("password", text));
    }
    if password != form.get("password_again") {
        errors.push(FieldError::new("password_again", text!("两次输入的密码不一致，请重新输入")));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

/// Compares the code printed at start; wrong ones slow the address down like wrong passwords.
async fn check_code(app: &App, context: &RequestContext, given: &str, now: i64) -> Result<(), AppError> {
    let actor = Actor::stranger("", &context.ip, &context.request_id);
    let subjects = vec![format!("setup:{}", auth::household_of(&context.ip))];
    let (counted, by) = (subjects.clone(), actor.clone());
    let begun = app
        .db
        .write(move |tx| {
            let late = json!({ "reason": "throttled" });
            throttle::begin(tx, &by, &counted, &refused(&late), now)
        })
        .await?;
    begun.or_refuse()?;
    // Hashes compare in a time that tells nothing of the code.
    if auth::secret_hash(given.trim()) != auth::secret_hash(&app.setup_code) {
        app.db
            .write(move |tx| {
                let wrong = json!({ "reason": "code" });
                audit::record(tx, &actor, now, &refused(&wrong))
            })
            .await?;
        return Err(AppError::field("setup_code", text!("设置口令不对；它打印在启动 kehu 的终端里")));
    }
    app.db.write(move |tx| throttle::forgive(tx, &subjects)).await?;
    Ok(())
}

/// A set-up that was refused, as the log keeps it.
fn refused(why: &Json) -> Entry<'_> {
    Entry::of("company.setup_refused", "company", 0).after(why).result("failed")
}

/// Whether the browser runs on the server's own machine: a loopback peer, no proxy between, and a local name in the
/// address bar (another site's name that was made to point here is not enough).
fn is_at_this_machine(peer: &Peer, headers: &HeaderMap) -> bool {
    let is_loopback = peer.as_ref().is_some_and(|Extension(ConnectInfo(peer))| peer.ip().is_loopback());
    let has_proxy = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = if host.starts_with('[') {
        host.split_once(']').map_or(host, |(name, _)| name).trim_start_matches('[')
    } else {
        host.split(':').next().unwrap_or_default()
    };
    is_loopback && !has_proxy && matches!(name, "localhost" | "127.0.0.1" | "::1")
}
