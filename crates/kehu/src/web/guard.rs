//! What surrounds every request: an id, the true address, protection against forged requests, headers, errors as
//! pages, and the audit row of a denial.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::assets::CONTENT_SECURITY_POLICY;
use super::extract::{Page, RequestContext, cookie};
use super::layout::{Crumb, Shell, redirect};
use super::pace::TooSlow;
use crate::access::Actor;
use crate::app::App;
use crate::audit::Denial;
use crate::auth;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::text;

/// The outermost layer.
pub async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let context = RequestContext {
        request_id: store::format_id(store::new_id()),
        ip: client_ip(&app, &request),
        actor: Arc::new(OnceLock::new()),
    };
    request.extensions_mut().insert(context.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_api = path.starts_with("/api/");
    let headers = request.headers().clone();
    let uri = request.uri().clone();
    let too_slow = request.extensions().get::<TooSlow>().cloned();
    let mut response = match refuse_forged(&request, is_api) {
        Some(error) => {
            note_forged(&app, &headers, &context, &error, &path).await;
            error.into_response()
        }
        None => next.run(request).await,
    };
    if let Some(actor) = context.actor.get() {
        app.note_role_uses(actor);
    }
    // Whoever reads a body only sees that it broke off.
    if too_slow.is_some_and(|slow| slow.is_so()) {
        response = AppError::TooSlow.into_response();
    }
    if let Some(error) = response.extensions_mut().remove::<AppError>() {
        if let Some(actor) = context.actor.get() {
            note_denial(&app, actor, &error, &path).await;
        }
        if !is_api {
            response = error_page(&app, &error, &headers, &method, &uri, response).await;
        }
    } else if response.status().is_client_error() && is_routers_own(&response) {
        let error = bare(&response);
        let mut plain = error.clone().into_response();
        plain.extensions_mut().remove::<AppError>();
        if let Some(methods) = response.headers().get(header::ALLOW) {
            plain.headers_mut().insert(header::ALLOW, methods.clone());
        }
        response =
            if is_api { plain } else { error_page(&app, &error, &headers, &method, &uri, plain).await };
    }
    protect(&mut response, &context.request_id);
    response
}

/// Whether an error is the router's or an extractor's own answer: empty, or a line of English.
fn is_routers_own(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn bare(response: &Response) -> AppError {
    match response.status() {
        axum::http::StatusCode::METHOD_NOT_ALLOWED => AppError::MethodNotAllowed,
        axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
            AppError::TooLarge(text!("提交的内容太大，请减少后重试"))
        }
        // A path whose ids cannot be read leads nowhere.
        axum::http::StatusCode::NOT_FOUND | axum::http::StatusCode::BAD_REQUEST => AppError::NotFound,
        _ => AppError::BadRequest(text!("请求的格式不对")),
    }
}

/// The address of the browser: the peer's, or what a trusted proxy says of it.
fn client_ip(app: &App, request: &Request) -> String {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return String::new();
    };
    let is_trusted = |ip: &IpAddr| app.config.trusted_proxies.contains(ip);
    if !is_trusted(&peer.ip()) {
        return peer.ip().to_string();
    }
    // Each proxy appends the address it saw: the last one that is not itself a proxy is the browser's.
    let told: Vec<IpAddr> = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|v| v.trim().parse().ok())
        .collect();
    told.iter().rev().find(|ip| !is_trusted(ip)).unwrap_or(&peer.ip()).to_string()
}

/// Refuses a change that another site may have sent in the person's name: the browser must say that it comes from
/// this site. Programs with a token are not browsers; a call without any credentials fails on its own.
fn refuse_forged(request: &Request, is_api: bool) -> Option<AppError> {
    let headers = request.headers();
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let has_token = headers.contains_key(header::AUTHORIZATION);
    let has_cookie = super::session_secret(headers).is_some();
    if is_safe || has_token || (is_api && !has_cookie) {
        return None;
    }
    let value = |name: &HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    let host = value(&header::HOST).unwrap_or_default();
    let is_same_origin = value(&header::ORIGIN)
        .map(|origin| origin.split_once("://").is_some_and(|(_, rest)| rest == host && !host.is_empty()));
    let fetch_site = value(&HeaderName::from_static("sec-fetch-site"));
    let is_ours = match (fetch_site, is_same_origin) {
        (Some("same-origin"), Some(true) | None) => true,
        (None, Some(same)) => same,
        _ => false,
    };
    (!is_ours)
        .then(|| AppError::Forbidden(text!("这个请求不是从本系统的页面发出的，已拒绝；请回到系统页面重试")))
}

/// How often, in milliseconds, forged requests of one address that belong to nobody leave a row: whoever is not signed in
/// must not be able to fill the log.
const STRANGERS_EVERY: i64 = 60_000;
/// Addresses of strangers that are remembered; beyond them all are forgotten.
const STRANGERS: usize = 10_000;

/// When the last row of each stranger was written.
#[derive(Default)]
pub struct Strangers(Mutex<HashMap<String, Millis>>);

impl Strangers {
    /// Whether a stranger's request is noted now.
    fn is_due(&self, ip: &str, now: Millis) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ip = auth::household_of(ip);
        if noted.get(&ip).is_some_and(|at| (0..STRANGERS_EVERY).contains(&(now - at))) {
            return false;
        }
        if noted.len() >= STRANGERS {
            noted.clear();
        }
        noted.insert(ip, now);
        true
    }
}

/// Notes a forged request: in the name of whoever's cookie came along, that being what the other site was after.
async fn note_forged(app: &App, headers: &HeaderMap, context: &RequestContext, error: &AppError, path: &str) {
    let actor = match super::extract::owner_of(headers, app, context).await {
        Some(actor) => actor,
        None if app.strangers.is_due(&context.ip, app.now()) => {
            Actor::stranger("", &context.ip, &context.request_id)
        }
        None => return,
    };
    note_denial(app, &actor, error, path).await;
}

/// A refused or hidden thing leaves an audit row; the answer does not wait for anything else. What a handler answers
/// with its error is noted here by itself; one that answers a denial with something else, such as the form again, calls
/// this before. `path` is where it was.
pub async fn note_denial(app: &App, actor: &Actor, error: &AppError, path: &str) {
    let Some(denial) = Denial::of(error) else { return };
    let (actor, now, path) = (actor.clone(), app.now(), path.to_owned());
    let written = app.db.write(move |tx| denial.record(tx, &actor, now, &path)).await;
    if let Err(error) = written {
        tracing::error!(%error, "a denial could not be recorded");
    }
}

#[derive(Template)]
#[template(path = "layout/error.html")]
struct ErrorPage {
    l: Lang,
    shell: Shell,
    status: u16,
    title: String,
    details: Vec<String>,
}

/// The same for somebody who is signed in: menu and search stay.
#[derive(Template)]
#[template(path = "layout/error_inside.html")]
struct ErrorInside {
    l: Lang,
    shell: Shell,
    status: u16,
    title: String,
    details: Vec<String>,
}

#[derive(Template)]
#[template(path = "layout/error_fragment.html")]
struct ErrorFragment {
    title: String,
    details: Vec<String>,
}

/// The error as a person sees it: a page, a fragment for htmx, or the way to the log-in.
async fn error_page(
    app: &App,
    error: &AppError,
    headers: &HeaderMap,
    method: &Method,
    uri: &axum::http::Uri,
    original: Response,
) -> Response {
    let is_htmx = headers.contains_key("hx-request");
    match error {
        AppError::NotSignedIn => {
            let back = if method == Method::GET && !is_htmx {
                uri.path_and_query().map_or("/", |p| p.as_str())
            } else {
                "/"
            };
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", back).finish();
            return redirect(is_htmx, &format!("/login?{query}"));
        }
        AppError::MustChangePassword => return redirect(is_htmx, "/me/password"),
        AppError::MustSign => return redirect(is_htmx, "/confidentiality"),
        _ => {}
    }
    let l = Lang::named(cookie(headers, "lang").unwrap_or("zh"));
    let title = error.title().to(l);
    let details = match error {
        AppError::Invalid(errors) => errors.iter().map(|e| e.text.to(l)).collect(),
        _ => Vec::new(),
    };
    let rendered = if is_htmx {
        ErrorFragment { title, details }.render()
    } else {
        let (mut shell, status) = (bare_shell(app, headers, uri).await, error.status().as_u16());
        if shell.menu.is_empty() {
            ErrorPage { l, shell, status, title, details }.render()
        } else {
            shell.crumbs = vec![
                Crumb { title: l.t("工作台").to_owned(), href: Some("/".into()) },
                Crumb { title: title.clone(), href: None },
            ];
            ErrorInside { l, shell, status, title, details }.render()
        }
    };
    let Ok(body) = rendered else { return original };
    let mut response =
        (error.status(), [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response();
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = original.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// How long the frame of an error page may wait for the database.
const FRAME: Duration = Duration::from_secs(1);

/// The frame for errors before or instead of a page: with menu for whoever is signed in, if it can be had.
async fn bare_shell(app: &App, headers: &HeaderMap, uri: &axum::http::Uri) -> Shell {
    use axum::extract::FromRequestParts;
    let Ok(request) = Request::builder().uri(uri.path()).body(()) else { return empty_shell() };
    let (mut parts, ()) = request.into_parts();
    parts.headers = headers.clone();
    parts.extensions.insert(RequestContext {
        request_id: String::new(),
        ip: String::new(),
        actor: Arc::new(OnceLock::new()),
    });
    // The reason of the error may be that the database does not answer.
    let page = tokio::time::timeout(FRAME, Page::from_request_parts(&mut parts, app)).await;
    page.ok().and_then(Result::ok).map_or_else(empty_shell, |page| page.shell)
}

fn empty_shell() -> Shell {
    Shell {
        company: "kehu".into(),
        demo: false,
        user_name: String::new(),
        role_title: String::new(),
        acting: Vec::new(),
        is_administrator: false,
        path: String::new(),
        theme: "auto".into(),
        density: "normal".into(),
        narrow: false,
        menu: Vec::new(),
        crumbs: Vec::new(),
        todo_count: 0,
        notice_count: 0,
    }
}

/// Headers every answer carries, errors and downloads too.
fn protect(response: &mut Response, request_id: &str) {
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let set_if_absent = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set_if_absent(headers, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set_if_absent(headers, header::CACHE_CONTROL, "no-store");
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}
