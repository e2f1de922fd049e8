//! The recycle bin: customers that were taken away, to be brought back.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::reply;
use crate::app::App;
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::org;
use crate::web::{Administrator, Page, QueryData, Shell};

/// Rows a page.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "customers/recycle.html")]
struct Bin {
    l: Lang,
    shell: Shell,
    rows: Vec<Thrown>,
    older: Option<String>,
    /// Name and number of the one that just came back.
    restored: Option<(String, String)>,
    /// Name and number of the one who has its old number.
    taken_by: Option<(String, String)>,
}

struct Thrown {
    id: CustomerId,
    name: String,
    number: String,
    at: String,
    by: String,
}

pub(super) async fn list(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    query: QueryData,
) -> Result<Response, AppError> {
    let before = query.find("before").filter(|b| !b.is_empty()).map(str::to_owned);
    let restored = query.get("restored").parse::<CustomerId>().ok();
    let taken_by = query.get("taken_by").parse::<CustomerId>().ok();
    let (mut rows, names, restored, taken_by) = app
        .db
        .read(move |conn| {
            let rows = customers::deleted(conn, &actor, before.as_deref(), SHOWN + 1)?;
            let mut told = |id: Option<CustomerId>| {
                let customer = customers::load(conn, &actor, id?).ok()?;
                Some((customer.name().to_owned(), customer.number))
            };
            let (restored, taken_by) = (told(restored), told(taken_by));
            Ok::<_, AppError>((rows, org::person_names(conn)?, restored, taken_by))
        })
        .await?;
    let has_more = rows.len() > SHOWN;
    rows.truncate(SHOWN);
    let older =
        rows.last().filter(|_| has_more).map(|last| format!("/admin/recycle?before={}", last.cursor()));
    let rows = rows
        .into_iter()
        .map(|thrown| Thrown {
            id: thrown.id,
            name: thrown.name,
            number: thrown.number,
            at: app.zone.minute(thrown.at),
            by: thrown.by.and_then(|by| names.get(&by).cloned()).unwrap_or_default(),
        })
        .collect();
    let shell = page.shell(&[("系统管理", "/admin/people"), ("回收站", "/admin/recycle")]);
    reply(&Bin { l: page.l, shell, rows, older, restored, taken_by }, StatusCode::OK)
}
