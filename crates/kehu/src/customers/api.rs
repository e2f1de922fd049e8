//! Customers for programs: `/api/v1/customers`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, Required, SchemaFormat};
use utoipa_axum::routes;

use super::fields::{FieldKind, SPECS};
use super::list::{OFFERED_SORTS, kept_count};
use super::model::{Draft, Kind};
use super::{CONTACT, create, list, load, remove, update};
use crate::access::Actor;
use crate::app::App;
use crate::error::{AppError, FieldError};
use crate::ids::CustomerId;
use crate::web::api::{PageBody, Reply, id_in, if_match, limit, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};
use crate::{contacts, query, text};

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    let routes = routes
        .api(Need::SignedIn, routes!(list_customers, create_customer))
        .api(Need::SignedIn, routes!(show_customer, update_customer, delete_customer));
    let routes = super::recycle_api::routes(super::duplicates_api::routes(routes));
    super::marks_api::routes(routes)
}

/// A customer as it is sent (design.md §6). Persons and organisations have different fields.
pub struct CustomerBody;

/// A customer as it is written: every name may be absent; null or empty text takes a value away.
pub struct CustomerInput;

/// A new customer as it is written; organisations may come with their first contact person.
pub struct NewCustomerInput;

/// A page of customers.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CustomerList {
    /// The customers.
    #[schema(value_type = Vec<CustomerBody>)]
    items: Vec<serde_json::Value>,
    /// Cursor of the next page.
    next: Option<String>,
    /// How many there are, when that is known without counting.
    total: Option<i64>,
}

/// The parameters of a list: every one the reader of addresses takes.
struct ListParameters;

impl utoipa::IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let parameter = |(name, description): &(&str, &str)| {
            let schema = match *name {
                "limit" => {
                    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(200))
                }
                _ => text(),
            };
            ParameterBuilder::new()
                .name(*name)
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(*description))
                .schema(Some(schema))
                .build()
        };
        super::web::PARAMETERS.iter().map(parameter).collect()
    }
}

/// List customers
///
/// Only those the caller may read. `q` finds by characters, pinyin, initials and digits; `filter` is a CEL condition.
#[utoipa::path(get, path = "/api/v1/customers", tag = "customers",
    params(ListParameters),
    responses(
        (status = 200, body = CustomerList),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 422, description = "A parameter cannot be accepted", content_type = "application/problem+json", body = crate::web::api::Problem),
    ))]
pub async fn list_customers(
    State(app): State<App>,
    actor: Actor,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let mut wanted = super::web::list_query(&asked, &catalogue, &app.zone)?;
    wanted.sort = query::parse_sort(asked.get("sort"), OFFERED_SORTS)?;
    wanted.limit = limit(asked.find("limit"))?;
    wanted.after = asked.find("after").filter(|a| !a.is_empty()).map(str::to_owned);
    let (page, total) = app
        .db
        .read(move |conn| {
            let page = list(conn, &actor, &wanted)?;
            // A list that ends on its first page is counted already; a longer one only when the count is kept.
            let total = match (&page.next, &wanted.after) {
                (None, None) => Some(page.items.len() as i64),
                _ => kept_count(conn, &actor, &wanted)?,
            };
            Ok::<_, AppError>((page, total))
        })
        .await?;
    PageBody { items: &page.items, next: page.next, total }.reply()
}

/// Create a customer
///
/// Needs only `kind` and `name`. A caller who may not assign owners becomes the owner.
#[utoipa::path(post, path = "/api/v1/customers", tag = "customers",
    request_body = NewCustomerInput,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    responses(
        (status = 201, body = CustomerBody, headers(("ETag" = String))),
        (status = 400, description = "Not JSON", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 404, description = "The answer was given before, about a customer the caller may no longer know", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 409, description = "The same key is being worked on", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 413, description = "Too large", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 415, description = "Not JSON", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 422, description = "Fields that cannot be accepted", content_type = "application/problem+json", body = crate::web::api::Problem),
    ))]
pub async fn create_customer(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = serde_json::Value::Object(body.clone()).to_string();
    let contact = contact_of(&mut body)?;
    let mut draft = Draft::from_json(&body).map_err(AppError::Invalid)?;
    draft.has_contact = contact.is_some();
    let catalogue = app.catalogue().await?;
    let by = actor.clone();
    let reader = actor.clone();
    let may_see = move |tx: &mut store::Tx<'_>, body: &serde_json::Value| {
        load(tx, &reader, id_in(body, "id")?).map(drop)
    };
    write_once(&app, &by, &headers, &["POST /api/v1/customers", &request], may_see, move |tx, now| {
        let mut customer = create(tx, &actor, &catalogue, &draft, None, now)?;
        if let Some(contact) = &contact {
            contacts::create(tx, &actor, customer.id, contact, now).map_err(in_contact)?;
            customer = load(tx, &actor, customer.id)?;
        }
        Ok(Reply::created(customer.json(), customer.version))
    })
    .await
}

/// Takes the contact person out of the body of a new customer.
fn contact_of(
    body: &mut serde_json::Map<String, serde_json::Value>,
) -> Result<Option<contacts::Draft>, AppError> {
    match body.remove(CONTACT) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::Object(contact)) => {
            let draft = contacts::Draft::from_json(contact).map_err(AppError::Invalid).map_err(in_contact)?;
            Ok(Some(draft))
        }
        Some(_) => Err(AppError::field(CONTACT, text!("内容的类型不对"))),
    }
}

/// Errors of the contact at its own names.
fn in_contact(error: AppError) -> AppError {
    match error {
        AppError::Invalid(errors) => AppError::Invalid(
            errors.into_iter().map(|e| FieldError { field: format!("{CONTACT}.{}", e.field), ..e }).collect(),
        ),
        other => other,
    }
}

/// Read a customer
#[utoipa::path(get, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = inline(CustomerId), Path)),
    responses(
        (status = 200, body = CustomerBody, headers(("ETag" = String))),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 404, description = "There is none, or the caller may not know it", content_type = "application/problem+json", body = crate::web::api::Problem),
    ))]
pub async fn show_customer(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: CustomerId = id.parse().map_err(|_| AppError::NotFound)?;
    let customer = app.db.read(move |conn| load(conn, &actor, id)).await?;
    Ok(Reply::ok(customer.json(), customer.version))
}

/// Change a customer
///
/// Only the names given are changed. `custom` is merged by key.
#[utoipa::path(patch, path = "/api/v1/customers/{id}", tag = "customers",
    request_body = CustomerInput,
    params(("id" = inline(CustomerId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses(
        (status = 200, body = CustomerBody, headers(("ETag" = String))),
        (status = 400, description = "Not JSON", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 403, description = "Not allowed", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 404, description = "There is none, or the caller may not know it", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 412, description = "Somebody changed it meanwhile", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 413, description = "Too large", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 415, description = "Not JSON", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 422, description = "Fields that cannot be accepted", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 428, description = "If-Match is missing", content_type = "application/problem+json", body = crate::web::api::Problem),
    ))]
pub async fn update_customer(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: CustomerId = id.parse().map_err(|_| AppError::NotFound)?;
    let version = if_match(&headers)?;
    let draft = Draft::from_json(&body).map_err(AppError::Invalid)?;
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let customer =
        app.db.write(move |tx| update(tx, &actor, &catalogue, id, Some(version), &draft, now)).await?;
    Ok(Reply::ok(customer.json(), customer.version))
}

/// Delete a customer
///
/// It leaves every list and search; an administrator can bring it back.
#[utoipa::path(delete, path = "/api/v1/customers/{id}", tag = "customers",
    params(("id" = inline(CustomerId), Path), ("If-Match" = Option<String>, Header, description = "The ETag; without it 428")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 403, description = "Only administrators may", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 404, description = "There is none, or the caller may not know it", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 412, description = "Somebody changed it meanwhile", content_type = "application/problem+json", body = crate::web::api::Problem),
        (status = 428, description = "If-Match is missing", content_type = "application/problem+json", body = crate::web::api::Problem),
    ))]
pub async fn delete_customer(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let id: CustomerId = id.parse().map_err(|_| AppError::NotFound)?;
    let version = if_match(&headers)?;
    let now = app.now();
    app.db.write(move |tx| remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}

fn text_schema(spec: &super::Spec) -> ObjectBuilder {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some(spec.zh))
        .max_length(Some(spec.longest));
    match spec.kind {
        FieldKind::Date => schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        _ => schema,
    }
}

fn common(mut object: ObjectBuilder, is_answer: bool) -> ObjectBuilder {
    for spec in &SPECS {
        let schema = if is_answer {
            text_schema(spec)
        } else {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .description(Some(spec.zh))
        };
        object = object.property(spec.key, schema);
    }
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let id = || ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    object
        .property("kind", text().enum_values(Some([Kind::Person.code(), Kind::Organisation.code()])))
        .property("number", if is_answer { text() } else { id() })
        .property("owner_id", id().description(Some("Who looks after it")))
        .property("unit_id", id().description(Some("The unit it belongs to")))
        .property("tags", ArrayBuilder::new().items(text()))
        .property(
            "custom",
            ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(true))),
        )
}

impl utoipa::PartialSchema for CustomerBody {
    fn schema() -> RefOr<Schema> {
        let integer = || ObjectBuilder::new().schema_type(Type::Integer);
        let time = |nullable| {
            let kinds = if nullable { vec![Type::String, Type::Null] } else { vec![Type::String] };
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter(kinds))
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        };
        let object = common(ObjectBuilder::new(), true)
            .property("id", CustomerId::schema())
            .property(
                "masked",
                ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String)).description(Some(
                    "Names of the fields whose values are shortened for the caller (phone, custom.f_1); absent when there are none",
                )),
            )
            .property("completeness", integer().minimum(Some(0)).maximum(Some(100)))
            .property("last_activity_at", time(true))
            .property("version", integer())
            .property("created_at", time(false))
            .property("updated_at", time(false));
        let required = [
            "id",
            "number",
            "kind",
            "name",
            "owner_id",
            "unit_id",
            "tags",
            "custom",
            "completeness",
            "last_activity_at",
            "version",
            "created_at",
            "updated_at",
        ];
        required.into_iter().fold(object, ObjectBuilder::required).into()
    }
}
impl utoipa::ToSchema for CustomerBody {}

impl utoipa::PartialSchema for CustomerInput {
    fn schema() -> RefOr<Schema> {
        common(ObjectBuilder::new(), false)
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .examples([
                json!({ "kind": "organisation", "name": "广州天江科技有限公司", "phone": "020-38123456" }),
            ])
            .into()
    }
}
impl utoipa::ToSchema for CustomerInput {}

impl utoipa::PartialSchema for NewCustomerInput {
    fn schema() -> RefOr<Schema> {
        let text = |longest| {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .max_length(Some(longest))
        };
        let contact = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
            .property("name", text(60))
            .property("title", text(60))
            .property("phone", text(40))
            .required("name");
        common(ObjectBuilder::new(), false)
            .property(CONTACT, contact)
            .required("kind")
            .required("name")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .examples([
                json!({ "kind": "organisation", "name": "广州天江科技有限公司", "phone": "020-38123456" }),
            ])
            .into()
    }
}
impl utoipa::ToSchema for NewCustomerInput {}
