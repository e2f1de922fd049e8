//! The recycle bin: customers that were taken away, to be brought back.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::reply;
use crate::access::require_unbarred;
use crate::app::App;
use crate::clock::Millis;
use crate::customers;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CustomerId, PersonId};
use crate::org;
use crate::web::{Administrator, Page, QueryData, Shell};

/// Rows a page.
const SHOWN: i64 = 50;

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
    type Row = (CustomerId, String, String, Millis, Option<PersonId>);
    require_unbarred(&actor)?;
    let before = query
        .get("before")
        .split_once('-')
        .and_then(|(at, id)| Some((at.parse::<i64>().ok()?, store::parse_id(id).ok()?)));
    let (at, id) = before.unwrap_or((i64::MAX, i64::MAX));
    let restored = query.get("restored").parse::<CustomerId>().ok();
    let taken_by = query.get("taken_by").parse::<CustomerId>().ok();
    let (mut rows, names, restored, taken_by) = app
        .db
        .read(move |conn| {
            let rows: Vec<Row> = conn.rows(
                "SELECT id, name, number, deleted_at, deleted_by FROM customers
                 WHERE deleted_at IS NOT NULL AND (deleted_at < $1 OR (deleted_at = $1 AND id < $2))
                 ORDER BY deleted_at DESC, id DESC LIMIT $3",
                &[at.into(), id.into(), (SHOWN + 1).into()],
            )?;
            let mut told = |id: Option<CustomerId>| {
                let customer = customers::load(conn, &actor, id?).ok()?;
                Some((customer.name().to_owned(), customer.number))
            };
            let (restored, taken_by) = (told(restored), told(taken_by));
            Ok::<_, AppError>((rows, org::person_names(conn)?, restored, taken_by))
        })
        .await?;
    let has_more = rows.len() as i64 > SHOWN;
    rows.truncate(SHOWN as usize);
    let older =
        rows.last().filter(|_| has_more).map(|(id, _, _, at, _)| format!("/admin/recycle?before={at}-{id}"));
    let rows = rows
        .into_iter()
        .map(|(id, name, number, at, by)| Thrown {
            id,
            name,
            number,
            at: app.zone.minute(at),
            by: by.and_then(|by| names.get(&by).cloned()).unwrap_or_default(),
        })
        .collect();
    let shell = page.shell(&[("系统管理", "/admin/people"), ("回收站", "/admin/recycle")]);
    reply(&Bin { l: page.l, shell, rows, older, restored, taken_by }, StatusCode::OK)
}
