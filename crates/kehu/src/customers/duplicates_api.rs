//! Customers that may be the same as one being written, for programs: `/api/v1/duplicates`.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{Alike, COMPARED, Kind, Same, find_same};
use crate::access::Actor;
use crate::app::App;
use crate::contacts::api_parts::ReadProblems;
use crate::error::AppError;
use crate::ids::CustomerId;
use crate::text;
use crate::web::api::{json_reply, page_of};
use crate::web::{Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Need::SignedIn, routes!(list_duplicates))
}

/// A customer that may be the same.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DuplicateBody {
    /// Its id.
    id: CustomerId,
    /// Its number.
    number: String,
    /// Its name.
    name: String,
    /// What both have in common: `credit_code`, `id_number`, `phone`, `email` or `name`.
    by: String,
}

/// A customer whose name is nearly the same.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AlikeBody {
    /// Its id.
    id: CustomerId,
    /// Its number.
    number: String,
    /// Its name.
    name: String,
    /// How alike both are, 0 to 1.
    score: f64,
    /// What they have in common: `name` (letters), `sound` (pinyin), `address`.
    why: Vec<String>,
}

/// Customers that may be the same; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DuplicateList {
    /// At most five the caller may read, the strongest likeness first.
    items: Vec<DuplicateBody>,
    /// Always null.
    next: Option<String>,
    /// At most five organisations the caller may read whose name is nearly the same, the most alike first.
    alike: Vec<AlikeBody>,
    /// Whether there may be one the caller may not know.
    has_hidden: bool,
}

/// Find customers that may be the same
///
/// By credit code, ID number, phone, mail address and name, and organisations whose name is nearly the same, before one
/// is written; for whoever may add or change customers.
#[utoipa::path(
    get, path = "/api/v1/duplicates", tag = "customers",
    params(
        ("kind" = Option<String>, Query, description = "`person` or `organisation`, which is meant when it is absent"),
        ("name" = Option<String>, Query, description = "Name"),
        ("address" = Option<String>, Query, description = "Address: a name nearly the same says more at the same one"),
        ("phone" = Option<String>, Query, description = "Phone"),
        ("landline" = Option<String>, Query, description = "Landline"),
        ("email" = Option<String>, Query, description = "Mail address"),
        ("credit_code" = Option<String>, Query, description = "Unified social credit code"),
        ("id_number" = Option<String>, Query, description = "ID number"),
        ("except" = Option<String>, Query, description = "Id of the customer being changed"),
    ),
    responses((status = 200, description = "What was found", body = DuplicateList), ReadProblems)
)]
async fn list_duplicates(
    State(app): State<App>,
    actor: Actor,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let kind = match asked.get("kind") {
        "" => Kind::Organisation,
        kind => Kind::named(kind)
            .ok_or_else(|| AppError::field("kind", text!("kind 只能是 person 或 organisation")))?,
    };
    let except = match asked.get("except") {
        "" => None,
        id => {
            Some(id.parse().map_err(|_| AppError::field("except", text!("不是有效的编号，应为 13 个字符")))?)
        }
    };
    if COMPARED.iter().all(|(field, _)| asked.get(field).is_empty()) {
        return Err(AppError::field("name", text!("请至少给出名称、电话、邮箱或证件号码中的一项")));
    }
    let now = app.now();
    let Same { found, alike, has_hidden } =
        app.db.read(move |conn| find_same(conn, &actor, kind, |field| asked.get(field), except, now)).await?;
    let item = |(customer, by): &(super::Customer, super::Keyed)| json!({ "id": customer.id, "number": customer.number, "name": customer.name(), "by": by.code() });
    let mut body: Json = page_of(found.iter().map(item).collect(), None, None);
    let nearly = |alike: &Alike| {
        let mut why = vec![if alike.is_sound { "sound" } else { "name" }];
        why.extend(alike.is_address.then_some("address"));
        let score = (alike.score * 1000.0).round() / 1000.0;
        json!({ "id": alike.customer.id, "number": alike.customer.number, "name": alike.customer.name(), "score": score, "why": why })
    };
    body["alike"] = alike.iter().map(nearly).collect();
    body["has_hidden"] = has_hidden.into();
    Ok(json_reply(&body))
}
