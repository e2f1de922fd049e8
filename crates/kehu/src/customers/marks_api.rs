//! Classification schemes of a customer for programs: `/api/v1/customers/{id}/marks`.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{load, marks};
use crate::access::Actor;
use crate::app::App;
use crate::contacts::api_parts::{CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::i18n::Text;
use crate::ids::CustomerId;
use crate::text;
use crate::web::api::{Problem, json_reply, page_of};
use crate::web::{JsonBody, Need, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Need::SignedIn, routes!(list_marks)).api(Need::SignedIn, routes!(set_marks))
}

/// What a customer carries of one classification scheme.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct MarksBody {
    /// Name of the scheme, as in `/api/v1/dictionaries`.
    scheme: String,
    /// Codes of its values; none when the customer is not classified by it.
    values: Vec<String>,
}

/// The schemes of a customer.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct MarksList {
    /// Every scheme customers are classified by, in order.
    #[schema(value_type = Vec<MarksBody>)]
    items: Vec<Json>,
    /// Always null: all are sent at once.
    next: Option<String>,
}

/// What a customer shall carry of a scheme.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarksInput {
    /// Codes of its values, replacing all of this scheme; none takes them away. A scheme with a single choice takes one.
    values: Vec<String>,
}

fn json_of(scheme: &str, values: &[String]) -> Json {
    json!({ "scheme": scheme, "values": values })
}

/// List the classification of a customer
///
/// For whoever may read it.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/marks", tag = "customers",
    params(("id" = inline(CustomerId), Path)),
    responses((status = 200, description = "The schemes with what the customer carries of each", body = MarksList), ReadProblems)
)]
async fn list_marks(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: CustomerId = path_id(&id)?;
    let catalogue = app.catalogue().await?;
    let mut carried = app
        .db
        .read(move |conn| {
            load(conn, &actor, id)?;
            Ok::<_, AppError>(marks::of_customer(conn, id)?)
        })
        .await?;
    let items = catalogue
        .customer_schemes()
        .map(|scheme| json_of(scheme, &carried.remove(scheme).unwrap_or_default()))
        .collect();
    Ok(json_reply(&page_of(items, None, None)))
}

/// Classify a customer
///
/// Sets the values of one scheme, for whoever may change the customer. Setting what is already set writes nothing.
#[utoipa::path(
    put, path = "/api/v1/customers/{id}/marks/{scheme}", tag = "customers",
    params(("id" = inline(CustomerId), Path), ("scheme" = String, Path, description = "Name of the scheme, as in `/api/v1/dictionaries`")),
    request_body = MarksInput,
    responses(
        (status = 200, description = "What the customer now carries of the scheme", body = MarksBody),
        (status = 403, description = "Not allowed", content_type = "application/problem+json", body = Problem),
        CreateProblems,
    )
)]
async fn set_marks(
    State(app): State<App>,
    actor: Actor,
    Path((id, scheme)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Response, AppError> {
    let id: CustomerId = path_id(&id)?;
    let (catalogue, now) = (app.catalogue().await?, app.now());
    // What is wrong with the body is told only to whoever may change the customer.
    let wanted: Result<MarksInput, Text> =
        serde_json::from_value(Json::Object(body)).map_err(|error| text!("内容不符合要求：{}", error));
    let name = scheme.clone();
    let carried = app
        .db
        .write(move |tx| {
            marks::require(tx, &actor, &catalogue, id, &scheme)?;
            let wanted = wanted.as_ref().map_err(|text| AppError::field("body", text.clone()))?;
            marks::set(tx, &actor, &catalogue, id, &scheme, &wanted.values, now)?;
            Ok::<_, AppError>(marks::of_customer(tx, id)?.remove(&scheme).unwrap_or_default())
        })
        .await?;
    Ok(json_reply(&json_of(&name, &carried)))
}
