//! Files on the page of a customer, and their download.

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::api::{form, keep, may_add, place_of_activity, read_form};
use super::{File, Place, hand_out, load, of_customer, remove};
use crate::access::{Actor, Verb};
use crate::app::App;
use crate::clock::{Millis, Zone};
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::{part, to_tab, told};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{ActivityId, CustomerId, FileId};
use crate::web::{Need, Page, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/customers/{id}/files", Need::SignedIn, show_tab)
        .post_files("/customers/{id}/files", Need::SignedIn, upload)
        .post_files("/activities/{id}/files", Need::SignedIn, upload_to_activity)
        .get("/files/{id}", Need::SignedIn, download)
        .post("/files/{id}/delete", Need::SignedIn, remove_file)
}

#[derive(Template)]
#[template(path = "files/tab.html")]
struct TabPart {
    l: Lang,
    zone: Zone,
    customer: CustomerId,
    files: Vec<File>,
    rule: String,
    limit: u64,
}

impl TabPart {
    fn time(&self, at: &Millis) -> String {
        self.zone.minute(*at)
    }
}

#[derive(Template)]
#[template(path = "files/item.html")]
struct ItemPart {
    file: File,
}

/// The tab as it now is, with a message.
async fn tab(
    app: &App,
    actor: &Actor,
    page: &Page,
    customer: CustomerId,
    said: &str,
) -> Result<Response, AppError> {
    if !page.is_htmx {
        return Ok(to_tab(customer, "files"));
    }
    let reader = actor.clone();
    let files = app.db.read(move |conn| of_customer(conn, &reader, customer)).await?;
    let limit = app.config.max_upload_bytes;
    let tab = TabPart {
        l: page.l,
        zone: app.zone.clone(),
        customer,
        files,
        rule: page.l.f("每个文件最大 {} MB，可一次选多个", &[&(limit >> 20)]),
        limit,
    };
    let response = part(&tab, StatusCode::OK)?;
    Ok(told(page, response, said, None))
}

async fn show_tab(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    tab(&app, &actor, &page, path_id(&id)?, "").await
}

async fn upload(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    may_add(&app, &actor, customer).await?;
    let sent = read_form(&app, form(request, &app).await?).await?;
    let file = keep(&app, &actor, sent.file, Place::Customer(customer)).await?;
    if page.is_htmx { part(&ItemPart { file }, StatusCode::OK) } else { Ok(to_tab(customer, "files")) }
}

async fn upload_to_activity(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, AppError> {
    let id: ActivityId = path_id(&id)?;
    let place = place_of_activity(&app, &actor, id).await?;
    let sent = read_form(&app, form(request, &app).await?).await?;
    let file = keep(&app, &actor, sent.file, place).await?;
    match file.customer_id {
        Some(customer) if !page.is_htmx => Ok(to_tab(customer, "timeline")),
        _ => part(&ItemPart { file }, StatusCode::OK),
    }
}

async fn download(
    State(app): State<App>,
    actor: Actor,
    method: Method,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let (id, reader): (FileId, _) = (path_id(&id)?, actor.clone());
    let file = app.db.read(move |conn| load(conn, &reader, Verb::Read, id)).await?;
    hand_out(&app, &actor, &method, &file, query.is_ticked("inline")).await
}

async fn remove_file(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: FileId = path_id(&id)?;
    let (writer, now) = (actor.clone(), app.now());
    let file = app.db.write(move |tx| remove(tx, &writer, id, now)).await?;
    match file.customer_id {
        Some(customer) => tab(&app, &actor, &page, customer, "附件已删除").await,
        None => Ok(crate::web::redirect(page.is_htmx, "/imports")),
    }
}
