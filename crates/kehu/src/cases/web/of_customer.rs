//! 单据 on the page of a customer: those the reader may see, the newest first.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Around, Line};
use crate::access::Actor;
use crate::app::App;
use crate::cases::{Ground, ListQuery, count_about, list};
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::{part, to_tab};
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::web::Page;

/// Cases the tab shows; the list shows the rest.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "cases/tab.html")]
struct TabPart {
    l: Lang,
    customer: CustomerId,
    rows: Vec<Line>,
    total: i64,
    has_more: bool,
}

pub(super) async fn show_tab(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    if !page.is_htmx {
        return Ok(to_tab(customer, "cases"));
    }
    let (l, ground) = (page.l, Ground::of(&app).await?);
    let query = ListQuery { customer: Some(customer), ..ListQuery::default() };
    let (rows, total, has_more) = app
        .db
        .read(move |conn| {
            customers::load(conn, &actor, customer)?;
            let (found, next) = list(conn, &actor, &ground, &query, None, SHOWN)?;
            let around = Around::load(conn, &actor, &ground, found.iter())?;
            let rows: Vec<Line> = found.iter().map(|case| around.line(case, &ground, l)).collect();
            let total = count_about(conn, &actor, &ground.directory, &ground.day, customer)?;
            Ok::<_, AppError>((rows, total, next.is_some()))
        })
        .await?;
    part(&TabPart { l, customer, rows, total, has_more }, StatusCode::OK)
}
