//! The recycle bin for programs: customers that were taken away, and bringing them back. Administrators only.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value as Json, json};
use store::Tx;
use utoipa_axum::routes;

use super::api::CustomerBody;
use super::{Restored, deleted, load, restore};
use crate::app::App;
use crate::contacts::api_parts::{CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId};
use crate::web::api::{Reply, json_reply, limit, page_of, write_once};
use crate::web::{Administrator, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::Administrator, routes!(list_deleted_customers))
        .api(Need::Administrator, routes!(restore_customer))
}

/// A customer that was taken away.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DeletedCustomer {
    /// Its id.
    id: CustomerId,
    /// The number it had.
    number: String,
    /// Its name.
    name: String,
    /// When it was taken away.
    deleted_at: String,
    /// By whom; null when nobody was signed in (command line).
    deleted_by: Option<PersonId>,
}

/// A page of customers that were taken away.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DeletedCustomerList {
    /// The customers, the latest first.
    items: Vec<DeletedCustomer>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// List customers that were deleted
///
/// The latest first; for administrators.
#[utoipa::path(
    get, path = "/api/v1/deleted-customers", tag = "customers",
    params(
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "A page of them", body = DeletedCustomerList), ReadProblems)
)]
async fn list_deleted_customers(
    State(app): State<App>,
    Administrator(actor): Administrator,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let most = limit(asked.find("limit"))?;
    let after = asked.find("after").filter(|a| !a.is_empty()).map(str::to_owned);
    let mut rows = app.db.read(move |conn| deleted(conn, &actor, after.as_deref(), most + 1)).await?;
    let has_more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| has_more).map(super::Deleted::cursor);
    let item = |thrown: &super::Deleted| {
        json!({
            "id": thrown.id, "number": thrown.number, "name": thrown.name,
            "deleted_at": crate::clock::rfc3339(thrown.at), "deleted_by": thrown.by,
        })
    };
    let items: Vec<Json> = rows.iter().map(item).collect();
    Ok(json_reply(&page_of(items, next, None)))
}

/// Bring a deleted customer back
///
/// With everything that hangs on it; its number is a new one when another customer has taken the old one meanwhile. For
/// administrators. 404 when it is not deleted.
#[utoipa::path(
    post, path = "/api/v1/customers/{id}/restoration", tag = "customers",
    params(
        ("id" = inline(CustomerId), Path),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    responses(
        (status = 200, description = "The customer as it now is", body = CustomerBody, headers(("ETag" = String))),
        CreateProblems,
    )
)]
async fn restore_customer(
    State(app): State<App>,
    Administrator(actor): Administrator,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let id: CustomerId = path_id(&id)?;
    let (by, reader) = (actor.clone(), actor.clone());
    let path = format!("/api/v1/customers/{id}/restoration");
    let may_see = move |tx: &mut Tx<'_>, _: &Json| load(tx, &reader, id).map(drop);
    write_once(&app, &by, &headers, &["POST", &path], may_see, move |tx, now| {
        let Restored { customer, .. } = restore(tx, &actor, id, now)?;
        Ok(Reply::ok(customer.json(), customer.version))
    })
    .await
}
