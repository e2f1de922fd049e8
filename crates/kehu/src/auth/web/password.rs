//! One's own new password, also the one that must be chosen at the first log-in.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{device, set_cookie};
use crate::access::Actor;
use crate::app::App;
use crate::auth::{self, PasswordChange, SESSION_COOKIE};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::web::{FormData, FormErrors, Page, Shell, flash, html, redirect};

#[derive(Template)]
#[template(path = "auth/password.html")]
struct PasswordPage {
    l: Lang,
    shell: Shell,
    is_forced: bool,
    errors: FormErrors,
    wait: String,
}

pub(super) async fn show(actor: Actor, page: Page) -> Result<Response, AppError> {
    answer(&actor, page, FormErrors::default(), String::new())
}

fn answer(actor: &Actor, page: Page, errors: FormErrors, wait: String) -> Result<Response, AppError> {
    let shell = page.shell(&[("个人设置", "/me"), ("修改密码", "")]);
    html(&PasswordPage { l: page.l, shell, is_forced: actor.must_change_password, errors, wait })
}

pub(super) async fn submit(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    super::me::require_browser(&actor)?;
    let change = PasswordChange {
        current: form.get("current").to_owned(),
        new: form.get("password").to_owned(),
        again: form.get("password_again").to_owned(),
        company: page.shell.company.clone(),
        device: device(&headers),
    };
    let l = page.l;
    match auth::change_own_password(&app.db, &app.passwords, &actor, change, app.now()).await {
        Ok(secret) => {
            app.forget_sessions();
            let mut response = redirect(page.is_htmx, if actor.must_change_password { "/" } else { "/me" });
            set_cookie(&mut response, SESSION_COOKIE, &secret, None);
            Ok(flash(response, l.t("密码已修改，其他设备上的登录和 API 令牌已全部失效")))
        }
        Err(AppError::TooMany(seconds)) => {
            let wait = l.f("尝试次数太多，请在 {} 秒后再试", &[&seconds]);
            let error = AppError::TooMany(seconds);
            let again = answer(&actor, page, FormErrors::default(), wait)?;
            let mut response = (error.status(), again).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        Err(AppError::Invalid(errors)) => {
            let status = AppError::Invalid(Vec::new()).status();
            Ok((status, answer(&actor, page, FormErrors::new(&errors, l), String::new())?).into_response())
        }
        Err(error) => Err(error),
    }
}
