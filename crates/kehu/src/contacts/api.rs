//! Contacts in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value as Json;
use utoipa_axum::routes;

use super::load::ListQuery;
use super::{Contact, Draft, create, list, load, remove, update};
use crate::access::{Actor, Verb};
use crate::app::App;
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId};
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_contacts, create_contact))
        .api(Need::SignedIn, routes!(show_contact, update_contact, remove_contact))
}

/// An id in a path; one that is none is simply not found.
pub(crate) fn path_id<T: std::str::FromStr>(text: &str) -> Result<T, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// An optional customer in a query string.
pub(crate) fn customer_id(query: &QueryData) -> Result<Option<CustomerId>, AppError> {
    match query.find("customer_id").filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|_| AppError::field("customer_id", text!("不是有效的编号，应为 13 个字符"))),
    }
}

/// The customer named in the body of a POST.
pub(crate) fn take_customer(body: &mut serde_json::Map<String, Json>) -> Result<CustomerId, AppError> {
    match body.remove("customer_id") {
        Some(Json::String(text)) => {
            text.parse().map_err(|_| AppError::field("customer_id", text!("不是有效的编号，应为 13 个字符")))
        }
        _ => Err(AppError::field("customer_id", text!("请填写客户的编号 customer_id"))),
    }
}

fn reply(contact: &Contact) -> Reply {
    Reply::ok(contact.json(), contact.version)
}

/// Lists contacts, newest change first.
#[utoipa::path(
    get, path = "/api/v1/contacts", tag = "contacts", operation_id = "listContacts",
    params(
        ("customer_id" = Option<String>, Query, description = "只要这个客户的"),
        ("q" = Option<String>, Query, description = "姓名或号码的一部分", max_length = 100),
        ("limit" = Option<i64>, Query, description = "每页条数", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "上一页答复中的 next"),
    ),
    responses(
        (status = 200, description = "一页联系人", body = Object),
        (status = 401, description = "没有登录", content_type = "application/problem+json"),
        (status = 403, description = "要先修改密码", content_type = "application/problem+json"),
        (status = 404, description = "没有这个客户", content_type = "application/problem+json"),
        (status = 413, description = "参数太多", content_type = "application/problem+json"),
        (status = 422, description = "参数不对", content_type = "application/problem+json"),
        (status = 503, description = "系统正忙", content_type = "application/problem+json"),
    )
)]
async fn list_contacts(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let asked = ListQuery {
        customer: customer_id(&query)?,
        q: query.get("q").to_owned(),
        after: query.find("after").filter(|t| !t.is_empty()).map(str::to_owned),
        limit: limit(query.find("limit"))?,
    };
    let (contacts, next) = app.db.read(move |conn| list(conn, &actor, &asked)).await?;
    Ok(json_reply(&page_of(contacts.iter().map(Contact::json).collect(), next, None)))
}

/// Adds a contact to a customer.
#[utoipa::path(
    post, path = "/api/v1/contacts", tag = "contacts", operation_id = "createContact",
    params(("Idempotency-Key" = Option<String>, Header, description = "重复提交时只做一次")),
    request_body(content = Object, content_type = "application/json",
        description = "customer_id 和 name 必填；title, department, phone, landline, email, wechat, birthday, remark, is_primary"),
    responses(
        (status = 201, description = "新的联系人", body = Object),
        (status = 400, description = "不是 JSON", content_type = "application/problem+json"),
        (status = 401, description = "没有登录", content_type = "application/problem+json"),
        (status = 403, description = "不允许", content_type = "application/problem+json"),
        (status = 404, description = "没有这个客户", content_type = "application/problem+json"),
        (status = 409, description = "联系人太多，或同一个 Idempotency-Key 正在处理", content_type = "application/problem+json"),
        (status = 413, description = "内容太大", content_type = "application/problem+json"),
        (status = 415, description = "不是 application/json", content_type = "application/problem+json"),
        (status = 422, description = "有内容要改正", content_type = "application/problem+json"),
        (status = 503, description = "系统正忙", content_type = "application/problem+json"),
    )
)]
async fn create_contact(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let customer = take_customer(&mut body)?;
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let person = actor.clone();
    write_once(&app, &person, &headers, &["POST", "/api/v1/contacts", &request], move |tx, now| {
        let contact = create(tx, &actor, customer, &draft, now)?;
        Ok(Reply::created(contact.json(), contact.version))
    })
    .await
}

/// Shows a contact.
#[utoipa::path(
    get, path = "/api/v1/contacts/{id}", tag = "contacts", operation_id = "showContact",
    params(("id" = String, Path, description = "联系人")),
    responses(
        (status = 200, description = "联系人", body = Object),
        (status = 401, description = "没有登录", content_type = "application/problem+json"),
        (status = 403, description = "要先修改密码", content_type = "application/problem+json"),
        (status = 404, description = "没有，或无权查看", content_type = "application/problem+json"),
        (status = 503, description = "系统正忙", content_type = "application/problem+json"),
    )
)]
async fn show_contact(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: ContactId = path_id(&id)?;
    let contact = app.db.read(move |conn| load(conn, &actor, Verb::Read, id)).await?;
    Ok(reply(&contact))
}

/// Changes a contact.
#[utoipa::path(
    patch, path = "/api/v1/contacts/{id}", tag = "contacts", operation_id = "updateContact",
    params(("id" = String, Path, description = "联系人"), ("If-Match" = String, Header, description = "读取时的 ETag")),
    request_body(content = Object, content_type = "application/json", description = "要改的字段；null 清空"),
    responses(
        (status = 200, description = "改后的联系人", body = Object),
        (status = 400, description = "不是 JSON", content_type = "application/problem+json"),
        (status = 401, description = "没有登录", content_type = "application/problem+json"),
        (status = 403, description = "不允许", content_type = "application/problem+json"),
        (status = 404, description = "没有，或无权查看", content_type = "application/problem+json"),
        (status = 412, description = "别人已经改过", content_type = "application/problem+json"),
        (status = 413, description = "内容太大", content_type = "application/problem+json"),
        (status = 415, description = "不是 application/json", content_type = "application/problem+json"),
        (status = 422, description = "有内容要改正", content_type = "application/problem+json"),
        (status = 428, description = "缺少 If-Match", content_type = "application/problem+json"),
        (status = 503, description = "系统正忙", content_type = "application/problem+json"),
    )
)]
async fn update_contact(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: ContactId = path_id(&id)?;
    let version = if_match(&headers)?;
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let now = app.now();
    let contact = app.db.write(move |tx| update(tx, &actor, id, Some(version), &draft, now)).await?;
    Ok(reply(&contact))
}

/// Takes a contact away.
#[utoipa::path(
    delete, path = "/api/v1/contacts/{id}", tag = "contacts", operation_id = "removeContact",
    params(("id" = String, Path, description = "联系人"), ("If-Match" = String, Header, description = "读取时的 ETag")),
    responses(
        (status = 204, description = "已删除"),
        (status = 401, description = "没有登录", content_type = "application/problem+json"),
        (status = 403, description = "不允许", content_type = "application/problem+json"),
        (status = 404, description = "没有，或无权查看", content_type = "application/problem+json"),
        (status = 412, description = "别人已经改过", content_type = "application/problem+json"),
        (status = 428, description = "缺少 If-Match", content_type = "application/problem+json"),
        (status = 503, description = "系统正忙", content_type = "application/problem+json"),
    )
)]
async fn remove_contact(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let id: ContactId = path_id(&id)?;
    let version = if_match(&headers)?;
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}
