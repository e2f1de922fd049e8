//! Publishing a draft: what would change, from when on, and why.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use policy::diff::Change;

use super::HOME;
use super::show::load_draft;
use crate::access::Actor;
use crate::app::App;
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PolicyVersionId;
use crate::policies::{self, State, Version, differences, examine, publish, versions};
use crate::text;
use crate::web::{Administrator, FormData, FormErrors, Page, Shell, flash, html, redirect};

#[derive(Template)]
#[template(path = "policies/publication.html")]
struct PublicationPage {
    l: Lang,
    shell: Shell,
    id: PolicyVersionId,
    row_version: i64,
    title: String,
    version: String,
    /// The version it takes the place of; empty for the first.
    before: String,
    changes: Vec<Change>,
    problems: Vec<String>,
    /// Settings nobody has given a value.
    open: Vec<String>,
    has_settings: bool,
    cases: i64,
    form: FormData,
    errors: FormErrors,
}

impl PublicationPage {
    fn home(&self) -> String {
        format!("{HOME}/{}", self.id)
    }
}

async fn page_of(
    app: &App,
    actor: &Actor,
    page: &Page,
    version: &Version,
    form: FormData,
    errors: FormErrors,
) -> Result<PublicationPage, AppError> {
    let (me, policy) = (actor.clone(), version.policy.clone());
    let (all, cases) = app
        .db
        .read(move |conn| {
            let cases = conn.count(
                "SELECT COUNT(*) FROM (SELECT 1 FROM cases WHERE policy = $1 AND is_open = TRUE LIMIT 10000) open",
                &[(&policy).into()],
            )?;
            Ok::<_, store::Error>((versions(conn, &me, &policy)?, cases))
        })
        .await?;
    let before =
        all.into_iter().find(|other| other.number < version.number && other.state == State::Published);
    let (mut problems, mut open, mut has_settings) = (Vec::new(), Vec::new(), false);
    match policies::compile(&version.files, &version.settings) {
        Ok(policy) => {
            has_settings = !policy.settings.is_empty() || !policy.roles.is_empty();
            let unset = policy.settings.iter().filter(|setting| !setting.value.is_known());
            open = unset.map(|setting| setting.title.clone()).collect();
        }
        Err(found) => problems = found.iter().map(ToString::to_string).collect(),
    }
    Ok(PublicationPage {
        l: page.l,
        shell: page.shell(&[
            ("制度", HOME),
            (&version.title, &format!("{HOME}/{}", version.id)),
            ("发布", ""),
        ]),
        id: version.id,
        row_version: if form.0.is_empty() {
            version.row_version
        } else {
            form.get("seen").parse().unwrap_or(0)
        },
        title: version.title.clone(),
        version: version.version.clone(),
        changes: before.as_ref().and_then(|before| differences(before, version)).unwrap_or_default(),
        before: before.map_or_else(String::new, |before| before.version),
        problems,
        open,
        has_settings,
        cases,
        form,
        errors,
    })
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    html(&page_of(&app, &actor, &page, &version, FormData::default(), FormErrors::default()).await?)
}

pub(super) async fn publish_it(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let version = load_draft(&app, &actor, &id).await?;
    let now = app.now();
    let done = match effective_at(&app, &form, now) {
        Ok(at) => put_in_force(&app, &actor, &version, &form, at, now).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(flash(redirect(page.is_htmx, &format!("{HOME}/{}", version.id)), page.l.t("已发布"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &actor, &page, &version, form, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

/// At once, or at a day and time.
fn effective_at(app: &App, form: &FormData, now: Millis) -> Result<Millis, AppError> {
    if form.get("when") != "later" {
        return Ok(now);
    }
    let (day, time) = (form.get("day").trim(), form.get("time").trim());
    let time = if time.is_empty() { "00:00" } else { time };
    let wrong = || AppError::field("day", text!("请选择生效的日期和时间"));
    if day.is_empty() {
        return Err(wrong());
    }
    app.zone.parse(&format!("{day} {time}")).ok_or_else(wrong)
}

/// Examined first, outside of any transaction; what was examined is what is published.
async fn put_in_force(
    app: &App,
    actor: &Actor,
    version: &Version,
    form: &FormData,
    at: Millis,
    now: Millis,
) -> Result<Version, AppError> {
    let (me, id, seen) = (actor.clone(), version.id, form.get("seen").parse().unwrap_or(0));
    if version.row_version != seen {
        return Err(AppError::Stale);
    }
    let catalogue = app.catalogue().await?;
    let examined = examine(&catalogue, version.files.clone(), version.settings.clone()).await;
    let note = form.get("note").to_owned();
    app.db.write(move |tx| publish(tx, &me, (id, seen), &examined, Some(&note), at, now)).await
}
