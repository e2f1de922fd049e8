//! 交办 on the page of a customer: the tasks about it that are not over, whoever's they are, as far as the reader sees
//! them.

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Line, Lines};
use crate::access::Actor;
use crate::app::App;
use crate::assignments::model::Ground;
use crate::assignments::{ListQuery, Place, count_about, list};
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::{part, to_tab};
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::web::Page;

/// Tasks the tab shows; the list shows the rest.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "assignments/tab.html")]
struct TabPart {
    l: Lang,
    customer: CustomerId,
    rows: Vec<Line>,
    total: i64,
}

pub(super) async fn show_tab(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let customer: CustomerId = path_id(&id)?;
    if !page.is_htmx {
        return Ok(to_tab(customer, "assignments"));
    }
    let (l, ground, catalogue) = (page.l, Ground::of(&app).await?, app.catalogue().await?);
    let query =
        ListQuery { place: Place::Seen, customer: Some(customer), limit: SHOWN, ..ListQuery::default() };
    let (me, of) = (actor.clone(), ground.clone());
    let (found, shown, total) = app
        .db
        .read(move |conn| {
            let (found, _) = list(conn, &me, &of, &query)?;
            let shown = customers::shown(conn, &me, [customer])?;
            let total = count_about(conn, &me, &of.directory, &of.day, customer)?;
            Ok::<_, AppError>((found, shown, total))
        })
        .await?;
    let lines = Lines { app: &app, catalogue: &catalogue, ground: &ground, actor: &actor, shown: &shown, l };
    let rows = lines.of(found);
    part(&TabPart { l, customer, rows, total }, StatusCode::OK)
}
