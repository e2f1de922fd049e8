//! What the API calls about things that hang on a customer share: ids, described problems, described fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use store::Tx;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::access::{Actor, Object, Verb};
use crate::customers;
use crate::error::AppError;
use crate::ids::CustomerId;
use crate::input::{Kind, Spec};
use crate::text;
use crate::web::QueryData;
use crate::web::api::id_in;

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
pub(crate) fn take_customer(body: &mut Map<String, Json>) -> Result<CustomerId, AppError> {
    match body.remove("customer_id") {
        Some(Json::String(text)) => {
            text.parse().map_err(|_| AppError::field("customer_id", text!("不是有效的编号，应为 13 个字符")))
        }
        _ => Err(AppError::field("customer_id", text!("请填写客户的编号 customer_id"))),
    }
}

fn problems(statuses: &[(&str, &str)]) -> BTreeMap<String, RefOr<Response>> {
    let response = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        ResponseBuilder::new().description(description).content("application/problem+json", content).build()
    };
    statuses.iter().map(|(status, text)| ((*status).to_owned(), response(text).into())).collect()
}

/// How a read may fail.
pub(crate) struct ReadProblems;
/// How making something may fail.
pub(crate) struct CreateProblems;
/// How a change or removal may fail.
pub(crate) struct ChangeProblems;

const READ: [(&str, &str); 6] = [
    ("401", "Not signed in"),
    ("403", "A new password must be chosen first"),
    ("404", "There is none, or the caller may not know it"),
    ("413", "Too many parameters"),
    ("422", "A parameter cannot be accepted"),
    ("503", "Busy; try again"),
];

impl utoipa::IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&READ)
    }
}

impl utoipa::IntoResponses for CreateProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = problems(&READ);
        all.extend(problems(&[
            ("400", "The body cannot be read"),
            ("409", "Too many, or the same Idempotency-Key is being worked on"),
            ("413", "Too large"),
            ("415", "Another content type is needed"),
            ("422", "Fields that cannot be accepted"),
        ]));
        all
    }
}

impl utoipa::IntoResponses for ChangeProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut all = <CreateProblems as utoipa::IntoResponses>::responses();
        all.extend(problems(&[
            ("403", "Not allowed"),
            ("409", "It contradicts the present state"),
            ("412", "Somebody changed it meanwhile"),
            ("428", "If-Match is missing"),
        ]));
        all
    }
}

/// Text fields of an object's schema.
pub(crate) fn described(mut object: ObjectBuilder, specs: &[Spec]) -> ObjectBuilder {
    for spec in specs {
        let mut kinds = vec![Type::String, Type::Null];
        if spec.kind == Kind::Number {
            kinds.push(Type::Number);
        }
        let schema =
            ObjectBuilder::new().schema_type(SchemaType::from_iter(kinds)).description(Some(spec.zh));
        object = object.property(spec.key, schema);
    }
    object
}

/// Text that is an id of ours.
pub(crate) fn id_schema() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-7][0-9A-HJKMNP-TV-Z]{12}$"))
}

/// For `write_once`: whether the customer that a stored answer names may still be known.
pub(crate) fn sees_customer(
    actor: &Actor,
) -> impl Fn(&mut Tx<'_>, &Json) -> Result<(), AppError> + Send + 'static {
    let actor = actor.clone();
    move |tx, body| {
        customers::require(tx, &actor, Object::Contact, Verb::Read, id_in(body, "customer_id")?).map(drop)
    }
}
