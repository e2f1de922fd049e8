//! 邮件: the server, what waits and what failed, for administrators; whether he wants any, for everybody.

use askama::Template;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Security, Server, choose, save, server, wants};
use crate::access::Actor;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::text;
use crate::web::{
    Administrator, Choice, FormData, FormErrors, Need, Page, Routes, Shell, flash, html, redirect,
};

const HOME: &str = "/admin/mail";
const MINE: &str = "/me/mail";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(HOME, Need::Administrator, show)
        .post(HOME, Need::Administrator, save_server)
        .post("/admin/mail/retry", Need::Administrator, retry)
        .get(MINE, Need::SignedIn, show_mine)
        .post(MINE, Need::SignedIn, choose_mine)
}

/// A mail that was not taken.
struct Failed {
    at: String,
    recipient: String,
    error: String,
    attempts: i64,
    is_final: bool,
}

#[derive(Template)]
#[template(path = "mail/server.html")]
struct ServerPage {
    l: Lang,
    shell: Shell,
    securities: Vec<Choice>,
    has_password: bool,
    waiting: i64,
    sent: i64,
    failed: Vec<Failed>,
    form: FormData,
    errors: FormErrors,
}

fn form_of(server: &Server) -> FormData {
    let pairs = [
        ("is_on", if server.is_on { "1" } else { "" }.to_owned()),
        ("host", server.host.clone()),
        ("port", server.port.to_string()),
        ("security", server.security.code().to_owned()),
        ("username", server.username.clone()),
        ("sender", server.sender.clone()),
        ("version", server.version.to_string()),
    ];
    FormData(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

async fn page_of(
    app: &App,
    page: &Page,
    form: Option<FormData>,
    errors: FormErrors,
) -> Result<ServerPage, AppError> {
    let (known, waiting, sent, failed) = app
        .db
        .read(|conn| {
            let count = "SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state = $1 LIMIT 10000) counted";
            let failed: Vec<(i64, String, String, i64, String)> = conn.rows(
                "SELECT created_at, recipient, last_error, attempts, state FROM mails
                 WHERE state = 'failed' OR (state = 'waiting' AND attempts > 0) ORDER BY id DESC LIMIT 50",
                &[],
            )?;
            let (waiting, sent) =
                (conn.count(count, &["waiting".into()])?, conn.count(count, &["sent".into()])?);
            Ok::<_, AppError>((server(conn)?, waiting, sent, failed))
        })
        .await?;
    let l = page.l;
    Ok(ServerPage {
        l,
        shell: page.shell(&[("系统维护", "/admin/maintenance"), ("邮件", "")]),
        securities: Security::ALL
            .into_iter()
            .map(|one| Choice { value: one.code().to_owned(), label: l.t(one.title()).to_owned() })
            .collect(),
        has_password: !app.config.smtp_password.reveal().is_empty(),
        waiting,
        sent,
        failed: failed
            .into_iter()
            .map(|(at, recipient, error, attempts, state)| Failed {
                at: app.zone.minute(at),
                recipient,
                error,
                attempts,
                is_final: state == "failed",
            })
            .collect(),
        form: form.unwrap_or_else(|| form_of(&known)),
        errors,
    })
}

async fn show(
    Shared(app): Shared<App>,
    Administrator(_): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    html(&page_of(&app, &page, None, FormErrors::default()).await?)
}

async fn save_server(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let now = app.now();
    let text = |name: &str| form.get(name).trim().to_owned();
    let done = match Security::named(form.get("security")) {
        None => Err(AppError::field("security", text!("请选择加密方式"))),
        Some(security) => {
            let new = Server {
                is_on: form.is_ticked("is_on"),
                host: text("host"),
                port: text("port").parse().unwrap_or(0),
                security,
                username: text("username"),
                sender: text("sender"),
                version: text("version").parse().unwrap_or(-1),
            };
            app.db.write(move |tx| save(tx, &actor, &new, now)).await
        }
    };
    match done {
        Ok(()) => Ok(flash(redirect(page.is_htmx, HOME), page.l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &page, Some(form), errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

/// What was given up waits again, at once: the server was mended.
async fn retry(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let now = app.now();
    app.db
        .write(move |tx| {
            let again = tx.exec(
                "UPDATE mails SET state = 'waiting', attempts = 0, next_at = $1
                 WHERE state = 'failed' OR (state = 'waiting' AND attempts > 0)",
                &[now.into()],
            )?;
            let after = serde_json::json!({ "mails": again });
            let entry = crate::audit::Entry::of("setting.mail_retried", "setting", 0).after(&after);
            crate::audit::record(tx, &actor, now, &entry)?;
            Ok::<_, AppError>(())
        })
        .await?;
    Ok(flash(redirect(page.is_htmx, HOME), page.l.t("将重新发送")))
}

#[derive(Template)]
#[template(path = "mail/mine.html")]
struct MinePage {
    l: Lang,
    shell: Shell,
    is_on: bool,
    wants: bool,
    email: String,
    errors: FormErrors,
}

async fn mine(app: &App, actor: Actor, page: &Page, errors: FormErrors) -> Result<MinePage, AppError> {
    let (is_on, (wants, email)) =
        app.db.read(move |conn| Ok::<_, AppError>((server(conn)?.is_on, wants(conn, &actor)?))).await?;
    let shell = page.shell(&[("个人设置", "/me"), ("邮件提醒", "")]);
    Ok(MinePage { l: page.l, shell, is_on, wants, email, errors })
}

async fn show_mine(Shared(app): Shared<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    html(&mine(&app, actor, &page, FormErrors::default()).await?)
}

async fn choose_mine(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let (now, me, wanted) = (app.now(), actor.clone(), form.is_ticked("wants"));
    match app.db.write(move |tx| choose(tx, &me, wanted, now)).await {
        Ok(()) => Ok(flash(redirect(page.is_htmx, MINE), page.l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = mine(&app, actor, &page, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}
