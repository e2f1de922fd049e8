//! Filters saved under a name (方案), for programs: `/api/v1/views`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{SavedView, known, remove_view, save_view, saved_query, views};
use crate::access::Actor;
use crate::app::App;
use crate::contacts::api_parts::{CreateProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, ViewId};
use crate::input::{refuse, refuse_rest, take_flag, take_text};
use crate::text;
use crate::web::api::{Problem, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Need::SignedIn, routes!(list_views, create_view)).api(Need::SignedIn, routes!(remove_view_of))
}

/// Filters under a name.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ViewBody {
    /// Its id.
    id: ViewId,
    /// Whose it is.
    person_id: PersonId,
    /// Name of the list: `customers`.
    list: String,
    /// Its name.
    name: String,
    /// Query string of the list: filters, order, columns.
    query: String,
    /// Whether everybody sees it.
    is_shared: bool,
}

/// Saved views; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ViewList {
    /// The caller's own and the shared ones, oldest first.
    items: Vec<ViewBody>,
    /// Always null.
    next: Option<String>,
}

/// A view to save.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ViewInput {
    /// Name of the list: `customers`.
    list: String,
    /// 1–20 characters; the caller's view of the same name is replaced.
    name: String,
    /// Query string of the list, as in the address of its page: at most 4,000 bytes.
    query: String,
    /// Whether everybody shall see it; false when absent.
    is_shared: Option<bool>,
}

fn view_json(list: &str, view: &SavedView) -> Json {
    json!({
        "id": view.id, "person_id": view.person_id, "list": list, "name": view.name, "query": view.query,
        "is_shared": view.is_shared,
    })
}

fn list_named(name: &str) -> Result<&'static str, AppError> {
    known(name)
        .map(|(list, _)| list)
        .map_err(|_| AppError::field("list", text!("没有这个列表；可以保存方案的列表是 customers")))
}

/// List saved views
///
/// The caller's own and those shared with everybody.
#[utoipa::path(
    get, path = "/api/v1/views", tag = "lists",
    params(("list" = Option<String>, Query, description = "Name of the list; `customers` when absent")),
    responses((status = 200, description = "The views", body = ViewList), ReadProblems)
)]
async fn list_views(
    State(app): State<App>,
    actor: Actor,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let list = list_named(asked.find("list").unwrap_or("customers"))?;
    let views = app.db.read(move |conn| views(conn, &actor, list)).await?;
    Ok(json_reply(&page_of(views.iter().map(|view| view_json(list, view)).collect(), None, None)))
}

/// Save a view
///
/// For the caller himself or for everybody.
#[utoipa::path(
    post, path = "/api/v1/views", tag = "lists",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ViewInput,
    responses((status = 201, description = "The view", body = ViewBody), CreateProblems)
)]
async fn create_view(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let [list, name, query] = ["list", "name", "query"].map(|key| take_text(&mut body, key, &mut errors));
    let is_shared = take_flag(&mut body, "is_shared", &mut errors).unwrap_or_default();
    refuse_rest(&body, &["id", "person_id"], &mut errors);
    let query = query.unwrap_or_else(|| {
        errors.push(FieldError::new("query", text!("请填写筛选条件，可以为空文字")));
        String::new()
    });
    refuse(errors)?;
    let list = list_named(&list.unwrap_or_default())?;
    let (name, query) = (name.unwrap_or_default(), saved_query(&query)?);
    let by = actor.clone();
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let request = ["POST", "/api/v1/views", &request];
    write_once(&app, &by, &headers, &request, may_see, move |tx, now| {
        let view = save_view(tx, &actor, list, &name, &query, is_shared, now)?;
        Ok(Reply { status: StatusCode::CREATED, body: view_json(list, &view), version: None })
    })
    .await
}

/// Remove a saved view
///
/// One's own; shared ones are removed by administrators too.
#[utoipa::path(
    delete, path = "/api/v1/views/{id}", tag = "lists",
    params(("id" = inline(ViewId), Path)),
    responses(
        (status = 204, description = "Removed"),
        (status = 403, description = "It is somebody else's", content_type = "application/problem+json", body = Problem),
        ReadProblems,
    )
)]
async fn remove_view_of(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: ViewId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| remove_view(tx, &actor, id, now)).await?;
    Ok(Reply::done())
}
