//! The page on which an administrator ends the demonstration.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::clear::clear;
use crate::access::Actor;
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::text;
use crate::web::{Administrator, FormData, Need, Page, Routes, Shell, html, redirect};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/admin/demo", Need::Administrator, show_demo).post(
        "/admin/demo",
        Need::Administrator,
        clear_demo,
    )
}

/// What has to be typed, so that nobody clears by a slip.
const WORD: &str = "清除";

#[derive(Template)]
#[template(path = "workbench/demo.html", blocks = ["form"])]
struct DemoPage {
    l: Lang,
    shell: Shell,
    is_demo: bool,
    company: String,
    company_error: String,
    word_error: String,
    customers: i64,
}

async fn page_of(app: &App, page: &Page, company: &str) -> Result<DemoPage, AppError> {
    let is_demo = app.company().await?.is_some_and(|c| c.is_demo);
    let customers = app
        .db
        .read(|conn| crate::counters::one(conn, "customers", "", &crate::counters::Whose::Everybody))
        .await?;
    Ok(DemoPage {
        l: page.l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("演示数据", "/admin/demo")]),
        is_demo,
        company: company.to_owned(),
        company_error: String::new(),
        word_error: String::new(),
        customers,
    })
}

async fn show_demo(
    State(app): State<App>,
    Administrator(_): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    html(&page_of(&app, &page, "").await?)
}

async fn clear_demo(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let company = form.get("company").trim().to_owned();
    let mut errors = Vec::new();
    if form.get("word").trim() != WORD {
        errors.push(("word", text!("请输入“{}”以确认", WORD)));
    }
    if errors.is_empty() {
        match run(&app, actor, company.clone()).await {
            Err(AppError::Invalid(found)) => {
                errors.extend(found.into_iter().map(|error| ("company", error.text)));
            }
            done => {
                done?;
                return Ok(redirect(page.is_htmx, "/"));
            }
        }
    }
    let mut again = page_of(&app, &page, &company).await?;
    for (field, text) in errors {
        let text = text.to(page.l);
        if field == "word" { again.word_error = text } else { again.company_error = text }
    }
    let body = if page.is_htmx { html(&again.as_form())? } else { html(&again)? };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
}

async fn run(app: &App, actor: Actor, company: String) -> Result<(), AppError> {
    let now = app.now();
    app.db.write(move |tx| clear(tx, &actor, &company, now)).await?;
    app.forget_company();
    app.forget_sessions();
    app.forget_catalogue();
    Ok(())
}
