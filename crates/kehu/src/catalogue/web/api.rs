//! Dictionaries and fields for programs: what values a customer may have.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value as Json, json};

use crate::access::Actor;
use crate::app::App;
use crate::catalogue::{CustomField, Dictionary};
use crate::customers::fields::Applies;
use crate::customers::{FieldKind, SPECS, Spec};
use crate::error::AppError;
use crate::web::api::{Problem, json_reply, page_of};

/// A dictionary or classification scheme.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DictionaryBody {
    /// Stable name.
    name: String,
    /// Chinese title.
    zh: String,
    /// English title.
    en: String,
    /// Whether it is a classification scheme.
    is_scheme: bool,
    /// Whether a customer may carry several of its values.
    is_multiple: bool,
    /// What carries its values when it is not a customer: `bank_account`, `brand`; else empty.
    applies_to: String,
    /// Its values in order, retired ones too.
    values: Vec<DictionaryValue>,
}

/// A value of a dictionary.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DictionaryValue {
    /// What is stored and sent.
    code: String,
    /// Chinese name.
    zh: String,
    /// English name.
    en: String,
    /// What it means.
    definition: String,
    /// Name of a colour, or empty.
    colour: String,
    /// Whether it may be chosen anew.
    is_active: bool,
}

/// All dictionaries; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DictionaryList {
    /// The dictionaries.
    items: Vec<DictionaryBody>,
    /// Always null.
    next: Option<String>,
}

/// A field of customers.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct FieldBody {
    /// Its name in a customer; those the company defined stand in `custom`.
    key: String,
    /// Chinese title.
    title: String,
    /// What it holds.
    kind: String,
    /// Whether the company defined it.
    is_custom: bool,
    /// `person`, `organisation` or empty for both.
    applies_to: String,
    /// The dictionary of its values, or empty.
    dictionary: String,
    /// The choices of a company-defined field.
    choices: Vec<String>,
    /// Whether a customer without it is not saved.
    is_required: bool,
    /// Whether it is still asked for.
    is_active: bool,
}

/// All fields of customers; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct FieldList {
    /// The fields.
    items: Vec<FieldBody>,
    /// Always null.
    next: Option<String>,
}

/// List dictionaries
///
/// Dictionaries and classification schemes with all their values.
#[utoipa::path(get, path = "/api/v1/dictionaries", tag = "catalogue",
    responses(
        (status = 200, body = DictionaryList),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn list_dictionaries(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let schemes = catalogue.schemes.iter().map(|name| catalogue.dictionary(name));
    let items = catalogue.plain_dictionaries().into_iter().chain(schemes).map(dictionary_json).collect();
    Ok(json_reply(&page_of(items, None, None)))
}

fn dictionary_json(d: &Dictionary) -> Json {
    let value = |e: &crate::catalogue::Entry| {
        json!({
            "code": e.code, "zh": e.zh, "en": e.en, "definition": e.definition, "colour": e.colour,
            "is_active": e.is_active,
        })
    };
    json!({
        "name": d.name, "zh": d.zh, "en": d.en, "is_scheme": d.is_scheme, "is_multiple": d.is_multiple,
        "applies_to": d.applies_to,
        "values": d.entries.iter().map(value).collect::<Vec<_>>(),
    })
}

/// List fields of customers
///
/// The built-in ones, then those the company defined.
#[utoipa::path(get, path = "/api/v1/fields", tag = "catalogue",
    responses(
        (status = 200, body = FieldList),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn list_fields(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let required = &catalogue.requirements.to_save;
    let built_in =
        SPECS.iter().map(|s| built_in_json(s, s.key == "name" || required.iter().any(|k| k == s.key)));
    let items = built_in.chain(catalogue.custom_fields.iter().map(custom_json)).collect();
    Ok(json_reply(&page_of(items, None, None)))
}

fn built_in_json(spec: &Spec, is_required: bool) -> Json {
    let kind = match spec.kind {
        FieldKind::Text => "text",
        FieldKind::LongText => "long_text",
        FieldKind::Phone => "phone",
        FieldKind::Email => "email",
        FieldKind::Url => "url",
        FieldKind::Date => "date",
        FieldKind::Dictionary(_) => "dictionary",
        FieldKind::Region => "region",
        FieldKind::CreditCode => "credit_code",
        FieldKind::IdNumber => "id_number",
        FieldKind::Gender => "gender",
        FieldKind::Postcode => "postcode",
    };
    let applies_to = match spec.applies {
        Applies::Both => "",
        Applies::Person => "person",
        Applies::Organisation => "organisation",
    };
    json!({
        "key": spec.key, "title": spec.zh, "kind": kind, "is_custom": false, "applies_to": applies_to,
        "dictionary": spec.dictionary().unwrap_or_default(), "choices": [], "is_required": is_required,
        "is_active": true,
    })
}

fn custom_json(field: &CustomField) -> Json {
    json!({
        "key": field.key, "title": field.title, "kind": field.kind.code(), "is_custom": true,
        "applies_to": field.applies_to, "dictionary": "", "choices": field.choices,
        "is_required": field.is_required, "is_active": field.is_active,
    })
}
