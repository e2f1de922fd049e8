//! The text that is signed, in all its versions, and publishing a new one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::HOME;
use crate::access::Actor;
use crate::app::App;
use crate::confidentiality::{self, Published, SAMPLE, TextDraft, texts};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::web::{Administrator, FormData, FormErrors, Granter, Page, Shell, flash, html, redirect};

#[derive(Template)]
#[template(path = "confidentiality/texts.html")]
struct TextsPage {
    l: Lang,
    shell: Shell,
    may_publish: bool,
    versions: Vec<(Published, String)>,
    version: i64,
    title: String,
    body: String,
    errors: FormErrors,
}

async fn page_of(
    app: &App,
    actor: &Actor,
    page: &Page,
    form: Option<FormData>,
    errors: FormErrors,
) -> Result<TextsPage, AppError> {
    let l = page.l;
    let versions = app.db.read(texts).await?;
    let newest = versions.first();
    let (title, body) = match (&form, newest) {
        (Some(form), _) => (form.get("title").to_owned(), form.get("body").to_owned()),
        (None, Some(text)) => (text.title.clone(), text.body.clone()),
        (None, None) => ("客户信息保密承诺书".to_owned(), SAMPLE.to_owned()),
    };
    let begun_from = form.and_then(|form| form.get("based_on").parse().ok());
    Ok(TextsPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("客户信息人员", HOME), ("保密承诺的文本", "")]),
        may_publish: actor.is_administrator(),
        version: begun_from.unwrap_or_else(|| newest.map_or(0, |text| text.version)),
        versions: versions
            .into_iter()
            .map(|text| {
                let at = app.zone.minute(text.published_at);
                (text, at)
            })
            .collect(),
        title,
        body,
        errors,
    })
}

pub(super) async fn index(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
) -> Result<Response, AppError> {
    html(&page_of(&app, &actor, &page, None, FormErrors::default()).await?)
}

pub(super) async fn publish(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let draft = TextDraft {
        title: form.get("title").to_owned(),
        body: form.get("body").to_owned(),
        based_on: form.get("based_on").parse().unwrap_or(0),
    };
    let (by, now) = (actor.clone(), app.now());
    let done = app.db.write(move |tx| confidentiality::publish(tx, &by, &draft, now)).await;
    app.forget_sessions();
    match done {
        Ok(version) => {
            let said = page.l.f("已发布第 {} 版，登记的人员须重新签署", &[&version]);
            Ok(flash(redirect(page.is_htmx, "/admin/handlers/texts"), &said))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &actor, &page, Some(form), errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}
