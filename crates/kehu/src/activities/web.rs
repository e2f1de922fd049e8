//! The timeline on the page of a customer, the page of all activities, and its report (DU-06).

mod form;
mod index;
mod lines;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use form::FormPart;
use lines::{LineView, Words};

use super::timeline::Show;
use super::{ActivityKind, Draft, create, load, remove, restore, timeline, update};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::{part, refused, restored, to_tab, told, version};
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{ActivityId, CustomerId};
use crate::input::FormErrors;
use crate::web::{Choice, FormData, Need, Page, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers/{id}/timeline", Need::SignedIn, show_timeline)
        .post("/customers/{id}/activities", Need::SignedIn, create_activity)
        .get("/activities", Need::SignedIn, index::index)
        .get("/activities/export", Need::SignedIn, index::export)
        .get("/activities/{id}/edit", Need::SignedIn, edit_activity)
        .post("/activities/{id}", Need::SignedIn, update_activity)
        .post("/activities/{id}/done", Need::SignedIn, finish_need)
        .post("/activities/{id}/delete", Need::SignedIn, remove_activity)
        .post("/activities/{id}/restore", Need::SignedIn, restore_activity)
}

/// Lines of a timeline on one page.
const PAGE: usize = 30;

#[derive(Template)]
#[template(path = "activities/timeline.html", blocks = ["more"])]
struct TimelinePart {
    l: Lang,
    customer: CustomerId,
    quick: String,
    shows: Vec<Choice>,
    show: String,
    lines: Vec<LineView>,
    next: String,
    total: i64,
    files: i64,
}

#[derive(Template)]
#[template(path = "activities/edit.html")]
struct EditPart {
    form: String,
}

/// What the timeline may be narrowed to.
fn shows(l: Lang) -> Vec<Choice> {
    let special = [
        ("", "全部动态"),
        ("correspondence", "往来函件（信函、传真、长途）"),
        ("major_changes", "重大变动"),
        ("files", "附件"),
        ("records", "资料变更"),
    ];
    let kinds = ActivityKind::ALL.iter().map(|k| (k.code(), k.title()));
    special
        .into_iter()
        .chain(kinds)
        .map(|(value, zh)| Choice { value: value.to_owned(), label: l.t(zh).to_owned() })
        .collect()
}

/// What the timeline shall show.
struct Asked<'a> {
    customer: CustomerId,
    show: &'a str,
    after: &'a str,
    /// The quick form with its errors, instead of an empty one.
    refused: Option<(&'a FormData, FormErrors)>,
}

async fn render(
    app: &App,
    actor: &Actor,
    page: &Page,
    asked: Asked<'_>,
    (said, undo): (&str, Option<&str>),
) -> Result<Response, AppError> {
    let Asked { customer, show, after, refused } = asked;
    if !page.is_htmx {
        return Ok(to_tab(customer, "timeline"));
    }
    let (reader, shown, behind) = (actor.clone(), Show::named(show), after.to_owned());
    let (found, total, files) = app
        .db
        .read(move |conn| {
            let found = timeline(conn, &reader, customer, shown, Some(&behind), PAGE)?;
            let count = |conn: &mut store::Conn<'_>, table: &str| {
                let sql =
                    format!("SELECT COUNT(*) FROM {table} WHERE customer_id = $1 AND deleted_at IS NULL");
                conn.count(&sql, &[customer.into()])
            };
            Ok::<_, AppError>((found, count(conn, "activities")?, count(conn, "files")?))
        })
        .await?;
    let catalogue = app.catalogue().await?;
    let words = Words { l: page.l, zone: &app.zone, catalogue: &catalogue, actor };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let is_more = !after.is_empty();
    let quick = match refused {
        _ if is_more => String::new(),
        Some((form, errors)) => {
            form::quick(app, actor, page.l, customer, Some(form), errors).await?.text()?
        }
        None => form::quick(app, actor, page.l, customer, None, FormErrors::default()).await?.text()?,
    };
    let next = found.next.map_or_else(String::new, |place| {
        let query = FormData::default().with(&[("show", show), ("after", &place)]);
        format!("/customers/{customer}/timeline?{query}")
    });
    let whole = TimelinePart {
        l: page.l,
        customer,
        quick,
        shows: shows(page.l),
        show: show.to_owned(),
        lines: found.lines.into_iter().map(|line| words.line(line)).collect(),
        next,
        total,
        files,
    };
    let response = if is_more { part(&whole.as_more(), status)? } else { part(&whole, status)? };
    Ok(told(page, response, said, undo))
}

/// The whole timeline of a customer after something was saved.
async fn whole(
    app: &App,
    actor: &Actor,
    page: &Page,
    customer: CustomerId,
    said: (&str, Option<&str>),
) -> Result<Response, AppError> {
    render(app, actor, page, Asked { customer, show: "", after: "", refused: None }, said).await
}

async fn show_timeline(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let asked =
        Asked { customer: path_id(&id)?, show: query.get("show"), after: query.get("after"), refused: None };
    render(&app, &actor, &page, asked, ("", None)).await
}

async fn create_activity(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    let catalogue = app.catalogue().await?;
    let (writer, now) = (actor.clone(), app.now());
    let saved = match Draft::from_form(&form, None, &app.zone) {
        Ok(draft) => {
            app.db.write(move |tx| create(tx, &writer, &catalogue, customer, &draft, now).map(drop)).await
        }
        Err(errors) => {
            // Before its mistakes are told, whoever asks must be allowed to know the customer.
            let asked = app.db.read(move |conn| {
                customers::require(conn, &writer, Object::Activity, Verb::Update, customer).map(drop)
            });
            asked.await?;
            Err(AppError::Invalid(errors))
        }
    };
    match saved {
        Ok(()) => whole(&app, &actor, &page, customer, ("动态已保存", None)).await,
        Err(error) => {
            let refused = Some((&form, refused(error)?));
            render(&app, &actor, &page, Asked { customer, show: "", after: "", refused }, ("", None)).await
        }
    }
}

async fn edit_activity(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ActivityId = path_id(&id)?;
    let reader = actor.clone();
    let activity = app.db.read(move |conn| load(conn, &reader, Verb::Update, id)).await?;
    super::update::require_author(&actor, &activity)?;
    let form = FormPart::of(&app, &actor, page.l, &activity, None, FormErrors::default()).await?;
    part(&EditPart { form: form.text()? }, StatusCode::OK)
}

async fn update_activity(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: ActivityId = path_id(&id)?;
    let (reader, catalogue) = (actor.clone(), app.catalogue().await?);
    let known = app.db.read(move |conn| load(conn, &reader, Verb::Update, id)).await?;
    let (writer, now, based_on) = (actor.clone(), app.now(), version(&form));
    let saved = match Draft::from_form(&form, Some(known.kind), &app.zone) {
        Ok(draft) => {
            app.db.write(move |tx| update(tx, &writer, &catalogue, id, based_on, &draft, now).map(drop)).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match saved {
        Ok(()) => whole(&app, &actor, &page, known.customer_id, ("动态已保存", None)).await,
        Err(error) => {
            let errors = refused(error)?;
            let form = FormPart::of(&app, &actor, page.l, &known, Some(&form), errors).await?;
            part(&EditPart { form: form.text()? }, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn finish_need(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let id: ActivityId = path_id(&id)?;
    let is_done = query.is_ticked("done");
    let (writer, now, catalogue) = (actor.clone(), app.now(), app.catalogue().await?);
    let draft = Draft { is_done: Some(is_done), ..Draft::default() };
    let activity = app.db.write(move |tx| update(tx, &writer, &catalogue, id, None, &draft, now)).await?;
    let said = if is_done { "需求已标记为满足" } else { "需求已重新打开" };
    whole(&app, &actor, &page, activity.customer_id, (said, None)).await
}

async fn remove_activity(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ActivityId = path_id(&id)?;
    let (writer, now) = (actor.clone(), app.now());
    let customer = app.db.write(move |tx| remove(tx, &writer, id, None, now)).await?;
    let undo = format!("/activities/{id}/restore");
    whole(&app, &actor, &page, customer, ("动态已删除", Some(&undo))).await
}

async fn restore_activity(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ActivityId = path_id(&id)?;
    let now = app.now();
    let customer = app.db.write(move |tx| restore(tx, &actor, id, now)).await?;
    Ok(restored(&page, customer, "timeline", "动态已恢复"))
}
