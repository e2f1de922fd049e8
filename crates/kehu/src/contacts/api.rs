//! Contacts in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value as Json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa_axum::routes;

use super::api_parts::{
    ChangeProblems, CreateProblems, ReadProblems, customer_id, described, id_schema, path_id, sees_customer,
    take_customer,
};
use super::load::ListQuery;
use super::model::FIELDS;
use super::{Contact, Draft, create, list, load, remove, update};
use crate::access::{Actor, Verb};
use crate::app::App;
use crate::error::AppError;
use crate::ids::ContactId;
use crate::web::api::{Based, Reply, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_contacts, create_contact))
        .api(Need::SignedIn, routes!(show_contact, update_contact, remove_contact))
}

/// A contact as it is sent.
pub struct ContactBody;
/// A new contact: `customer_id` and `name` must be there.
pub struct ContactInput;
/// A change of a contact: every name may be absent; null or empty text takes a value away.
pub struct ContactChange;

/// A page of contacts.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ContactList {
    /// The contacts.
    #[schema(value_type = Vec<ContactBody>)]
    items: Vec<Json>,
    /// Cursor of the next page.
    next: Option<String>,
}

fn object() -> ObjectBuilder {
    described(ObjectBuilder::new(), &FIELDS)
        .property("is_primary", ObjectBuilder::new().schema_type(Type::Boolean))
}

impl utoipa::PartialSchema for ContactBody {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        object()
            .property("id", id_schema())
            .property("customer_id", id_schema())
            .property("version", ObjectBuilder::new().schema_type(Type::Integer))
            .property("created_at", text())
            .property("updated_at", text())
            .required("id")
            .required("customer_id")
            .required("name")
            .required("version")
            .into()
    }
}
impl utoipa::ToSchema for ContactBody {}

impl utoipa::PartialSchema for ContactInput {
    fn schema() -> RefOr<Schema> {
        object()
            .property("customer_id", id_schema())
            .required("customer_id")
            .required("name")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .into()
    }
}
impl utoipa::ToSchema for ContactInput {}

impl utoipa::PartialSchema for ContactChange {
    fn schema() -> RefOr<Schema> {
        object().additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
    }
}
impl utoipa::ToSchema for ContactChange {}

fn reply(contact: &Contact) -> Reply {
    Reply::ok(contact.json(), contact.version)
}

/// Lists contacts, newest change first.
#[utoipa::path(
    get, path = "/api/v1/contacts", tag = "contacts",
    params(
        ("customer_id" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Only those of this customer"),
        ("q" = Option<String>, Query, description = "Part of a name or number", max_length = 100),
        ("limit" = Option<i64>, Query, description = "How many", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "Cursor from next"),
    ),
    responses((status = 200, description = "A page of contacts", body = ContactList), ReadProblems)
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
    post, path = "/api/v1/contacts", tag = "contacts",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ContactInput,
    responses((status = 201, description = "The new contact", body = ContactBody, headers(("ETag" = String))), CreateProblems)
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
    let may_see = sees_customer(&actor);
    write_once(&app, &person, &headers, &["POST", "/api/v1/contacts", &request], may_see, move |tx, now| {
        let contact = create(tx, &actor, customer, &draft, now)?;
        Ok(Reply::created(contact.json(), contact.version))
    })
    .await
}

/// Shows a contact.
#[utoipa::path(
    get, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = inline(ContactId), Path)),
    responses((status = 200, description = "The contact", body = ContactBody, headers(("ETag" = String))), ReadProblems)
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
    patch, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = inline(ContactId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = ContactChange,
    responses((status = 200, description = "The contact as it now is", body = ContactBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_contact(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<ContactId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let now = app.now();
    let contact = app.db.write(move |tx| update(tx, &actor, id, Some(version), &draft, now)).await?;
    Ok(reply(&contact))
}

/// Takes a contact away.
#[utoipa::path(
    delete, path = "/api/v1/contacts/{id}", tag = "contacts",
    params(("id" = inline(ContactId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_contact(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<ContactId>,
) -> Result<Reply, AppError> {
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}
