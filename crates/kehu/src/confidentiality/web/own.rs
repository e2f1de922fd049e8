//! The text in force, for everybody to read and sign; whoever is barred from customers is led here.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::access::{Actor, Bar};
use crate::app::App;
use crate::confidentiality::{Published, Signing, sign, standing, text_in_force};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::org;
use crate::web::{FormData, FormErrors, Page, Shell, flash, html, redirect};

#[derive(Template)]
#[template(path = "confidentiality/own.html")]
struct OwnPage {
    l: Lang,
    shell: Shell,
    text: Option<Published>,
    published: String,
    /// What bars him now; empty when nothing does.
    bar: String,
    is_registered: bool,
    /// Whom to ask to be registered.
    whom: String,
    /// When he signed the version in force.
    signed: String,
    /// The version he signed before, when that is another one.
    signed_before: i64,
    user_name: String,
    has_administration: bool,
    form: FormData,
    errors: FormErrors,
}

async fn load(
    app: &App,
    actor: &Actor,
    page: &Page,
    form: FormData,
    errors: FormErrors,
) -> Result<OwnPage, AppError> {
    let (l, me) = (page.l, actor.person_id);
    let (text, own, whom) = app
        .db
        .read(move |conn| {
            Ok::<_, AppError>((text_in_force(conn)?, standing(conn, me)?, org::administrators(conn)?))
        })
        .await?;
    let version = text.as_ref().map_or(0, |text| text.version);
    let signed = own.signed.filter(|(signed, _)| *signed == version);
    let bar = match actor.rights.bar {
        Some(bar @ Bar::NotRegistered) => bar.text().to(l),
        Some(bar @ Bar::NotSigned) if own.registered_at.is_some() => bar.text().to(l),
        _ => String::new(),
    };
    Ok(OwnPage {
        l,
        shell: page.shell(&[("保密承诺", "")]),
        published: text.as_ref().map_or_else(String::new, |text| app.zone.minute(text.published_at)),
        bar,
        is_registered: own.registered_at.is_some(),
        whom,
        signed: signed.map_or_else(String::new, |(_, at)| app.zone.minute(at)),
        signed_before: own.signed.filter(|_| signed.is_none()).map_or(0, |(version, _)| version),
        user_name: actor.name.clone(),
        has_administration: page.shell.menu.iter().any(|item| !item.children.is_empty()),
        text,
        form,
        errors,
    })
}

pub(super) async fn show(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    html(&load(&app, &actor, &page, FormData::default(), FormErrors::default()).await?)
}

pub(super) async fn submit(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let signing = Signing {
        version: form.get("version").parse().unwrap_or(0),
        name: form.get("name").to_owned(),
        agrees: form.is_ticked("agrees"),
    };
    let (me, now) = (actor.clone(), app.now());
    let done = app.db.write(move |tx| sign(tx, &me, &signing, now)).await;
    app.forget_sessions();
    match done {
        Ok(()) => {
            let to = if actor.rights.bar.is_some() { "/" } else { "/confidentiality" };
            Ok(flash(redirect(page.is_htmx, to), page.l.t("已签署，谢谢")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = load(&app, &actor, &page, form, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}
