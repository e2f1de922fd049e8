//! Fields of customers for programs: which there are, those the company defines, and which must be filled.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use super::api::{codes_in, in_order};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::{self, CustomField, CustomKind, FieldDraft, REQUIREMENTS, Requirements};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems};
use crate::customers::fields::Applies;
use crate::customers::{CONTACT, FieldKind, SPECS, Spec};
use crate::error::{AppError, FieldError};
use crate::input::{refuse, refuse_rest, take_flag, take_text, take_texts};
use crate::web::api::{Reply, if_match, json_reply, page_of, write_once};
use crate::web::{Cataloguer, JsonBody, Need, Routes};
use crate::{settings, text};

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Need::May(Object::Catalogue, Verb::Update);
    routes
        .api(Need::SignedIn, routes!(list_fields))
        .api(keep, routes!(create_field))
        .api(Need::SignedIn, routes!(show_field))
        .api(keep, routes!(update_field))
        .api(keep, routes!(order_fields))
        .api(keep, routes!(require_fields))
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
    /// The hint under a company-defined field.
    help: String,
    /// Whether a customer without it is not saved.
    is_required: bool,
    /// Whether it is still asked for.
    is_active: bool,
    /// Counts the changes of a company-defined field; null for a built-in one.
    version: Option<i64>,
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

/// A new field of customers.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct NewField {
    /// Title, 1–30 characters, once in the company.
    title: String,
    /// `text`, `long_text`, `number`, `date`, `choice`, `choices` or `yes_no`; stays for good.
    kind: String,
    /// 1–200 choices of at most 60 characters, for `choice` and `choices`.
    choices: Option<Vec<String>>,
    /// `person`, `organisation`, or empty for both.
    applies_to: Option<String>,
    /// A hint, at most 200 characters.
    help: Option<String>,
    /// Whether a customer without it is not saved.
    is_required: Option<bool>,
}

/// A change of a field the company defined; absent names stay as they are.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct FieldChange {
    /// Title.
    title: Option<String>,
    /// All choices.
    choices: Option<Vec<String>>,
    /// Whom it is asked of.
    applies_to: Option<String>,
    /// A hint.
    help: Option<String>,
    /// Whether a customer without it is not saved.
    is_required: Option<bool>,
    /// Whether it is asked for; a field is retired, never deleted.
    is_active: Option<bool>,
}

/// An order of fields.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct FieldOrder {
    /// The keys of all fields the company defined, each once, in the order wanted.
    codes: Vec<String>,
}

/// Which built-in fields must be filled.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RequiredFields {
    /// Their keys, and `contact` for a contact person; nature and name are always asked for.
    to_save: Vec<String>,
}

/// Choices of a field at the most, as many as the field itself accepts.
const MOST_CHOICES: usize = 200;

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
        "dictionary": spec.dictionary().unwrap_or_default(), "choices": [], "help": "",
        "is_required": is_required, "is_active": true, "version": null,
    })
}

fn custom_json(field: &CustomField) -> Json {
    json!({
        "key": field.key, "title": field.title, "kind": field.kind.code(), "is_custom": true,
        "applies_to": field.applies_to, "dictionary": "", "choices": field.choices, "help": field.help,
        "is_required": field.is_required, "is_active": field.is_active, "version": field.version,
    })
}

/// What a body says of a field.
struct Said {
    title: Option<String>,
    choices: Option<Vec<String>>,
    applies_to: Option<String>,
    help: Option<String>,
    is_required: Option<bool>,
    is_active: Option<bool>,
}

impl Said {
    fn take(body: &mut Map<String, Json>, errors: &mut Vec<FieldError>) -> Self {
        let [title, applies_to, help] =
            ["title", "applies_to", "help"].map(|key| take_text(body, key, errors));
        let choices = take_texts(body, "choices", MOST_CHOICES, errors);
        let [is_required, is_active] = ["is_required", "is_active"].map(|key| take_flag(body, key, errors));
        Self { title, choices, applies_to, help, is_required, is_active }
    }

    /// What the field shall be: what is said, the rest from what it was.
    fn over(&self, kind: CustomKind, was: Option<&CustomField>) -> FieldDraft {
        let pick =
            |said: &Option<String>, was: Option<&String>| said.as_ref().or(was).cloned().unwrap_or_default();
        let choices = self.choices.as_ref().or(was.map(|f| &f.choices)).cloned().unwrap_or_default();
        FieldDraft {
            title: pick(&self.title, was.map(|f| &f.title)),
            kind,
            choices: choices.iter().map(|choice| hanzi::normal::visible(choice).into_owned()).collect(),
            applies_to: pick(&self.applies_to, was.map(|f| &f.applies_to)),
            help: pick(&self.help, was.map(|f| &f.help)),
            is_required: self.is_required.unwrap_or_else(|| was.is_some_and(|f| f.is_required)),
            is_active: self.is_active.unwrap_or_else(|| was.is_none_or(|f| f.is_active)),
        }
    }
}

/// List fields of customers
///
/// The built-in ones, then those the company defined.
#[utoipa::path(
    get, path = "/api/v1/fields", tag = "catalogue",
    responses((status = 200, description = "All fields", body = FieldList), ReadProblems)
)]
async fn list_fields(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let required = &catalogue.requirements.to_save;
    let built_in =
        SPECS.iter().map(|s| built_in_json(s, s.key == "name" || required.iter().any(|k| k == s.key)));
    let items = built_in.chain(catalogue.custom_fields.iter().map(custom_json)).collect();
    Ok(json_reply(&page_of(items, None, None)))
}

/// Define a field of customers
///
/// It comes last, and the system makes its key. For whoever keeps dictionaries and fields.
#[utoipa::path(
    post, path = "/api/v1/fields", tag = "catalogue",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = NewField,
    responses(
        (status = 201, description = "The new field", body = FieldBody, headers(("ETag" = String))),
        CreateProblems,
    )
)]
async fn create_field(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    let kind = take_text(&mut body, "kind", &mut errors).unwrap_or_default();
    let kind = CustomKind::ALL.into_iter().find(|k| k.code() == kind);
    if kind.is_none() {
        let all: Vec<&str> = CustomKind::ALL.iter().map(|k| k.code()).collect();
        errors.push(FieldError::new("kind", text!("kind 只能是：{}", all.join(", "))));
    }
    let said = Said { is_active: None, ..Said::take(&mut body, &mut errors) };
    refuse_rest(&body, &["key", "version"], &mut errors);
    refuse(errors)?;
    let draft = said.over(kind.unwrap_or(CustomKind::Text), None);
    let by = actor.clone();
    // Everybody may read fields.
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let request = ["POST", "/api/v1/fields", &request];
    let reply = write_once(&app, &by, &headers, &request, may_see, move |tx, now| {
        let field = catalogue::create_custom_field(tx, &actor, &draft, now)?;
        Ok(Reply::created(custom_json(&field), field.version))
    })
    .await;
    app.forget_catalogue();
    reply
}

/// Read a field the company defined
#[utoipa::path(
    get, path = "/api/v1/fields/{key}", tag = "catalogue",
    params(("key" = String, Path, description = "Its key in `custom`")),
    responses(
        (status = 200, description = "The field", body = FieldBody, headers(("ETag" = String))),
        ReadProblems,
    )
)]
async fn show_field(State(app): State<App>, _: Actor, Path(key): Path<String>) -> Result<Reply, AppError> {
    let field = app.db.read(move |conn| catalogue::load_custom_field(conn, &key)).await?;
    Ok(Reply::ok(custom_json(&field), field.version))
}

/// Change a field the company defined
///
/// Its kind and key stay; retiring it keeps what was entered. For whoever keeps dictionaries and fields.
#[utoipa::path(
    patch, path = "/api/v1/fields/{key}", tag = "catalogue",
    params(
        ("key" = String, Path, description = "Its key in `custom`"),
        ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428"),
    ),
    request_body = FieldChange,
    responses(
        (status = 200, description = "The field as it now is", body = FieldBody, headers(("ETag" = String))),
        ChangeProblems,
    )
)]
async fn update_field(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    Path(key): Path<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let (version, now) = (if_match(&headers)?, app.now());
    let mut errors = Vec::new();
    let said = Said::take(&mut body, &mut errors);
    refuse_rest(&body, &["key", "kind", "version"], &mut errors);
    refuse(errors)?;
    let changed = app
        .db
        .write(move |tx| {
            let was = catalogue::load_custom_field(tx, &key)?;
            let draft = said.over(was.kind, Some(&was));
            catalogue::change_custom_field(tx, &actor, &key, Some(version), &draft, now)
        })
        .await;
    app.forget_catalogue();
    let field = changed?;
    Ok(Reply::ok(custom_json(&field), field.version))
}

/// Order the fields the company defined
///
/// For whoever keeps dictionaries and fields.
#[utoipa::path(
    put, path = "/api/v1/field-order", tag = "catalogue",
    request_body = FieldOrder,
    responses((status = 204, description = "They are in this order now"), CreateProblems)
)]
async fn order_fields(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let (codes, now) = (codes_in(body, MOST_CHOICES * 2)?, app.now());
    let done = app
        .db
        .write(move |tx| {
            let all = catalogue::custom_fields(tx)?;
            let order = in_order(&all, &codes, |field| (&field.key, field.id))?;
            catalogue::move_custom_fields(tx, &actor, &order, now)
        })
        .await;
    app.forget_catalogue();
    done?;
    Ok(Reply::done())
}

/// Set which built-in fields must be filled
///
/// Replaces what was asked for; whether a field the company defined must be filled stands in the field. For whoever
/// keeps dictionaries and fields.
#[utoipa::path(
    put, path = "/api/v1/field-requirements", tag = "catalogue",
    request_body = RequiredFields,
    responses((status = 200, description = "What must be filled now", body = RequiredFields), CreateProblems)
)]
async fn require_fields(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    JsonBody(mut body): JsonBody,
) -> Result<Response, AppError> {
    let mut errors = Vec::new();
    let wanted = take_texts(&mut body, "to_save", SPECS.len() + 1, &mut errors);
    let offered = || SPECS.iter().map(|s| s.key).filter(|key| *key != "name").chain([CONTACT]);
    match &wanted {
        None if errors.is_empty() => {
            errors.push(FieldError::new("to_save", text!("请列出必填的字段；都不要求时写空列表")));
        }
        None => {}
        Some(wanted) => {
            let unknown = wanted.iter().find(|key| offered().all(|known| known != *key));
            let refusal = |key: &String| {
                FieldError::new("to_save", text!("没有这个字段：{}", crate::input::shorten(key)))
            };
            errors.extend(unknown.map(refusal));
        }
    }
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let wanted = wanted.unwrap_or_default();
    let to_save = offered().filter(|key| wanted.iter().any(|w| w == key)).map(str::to_owned).collect();
    let (value, now) = (Requirements { to_save }, app.now());
    let told = json!({ "to_save": value.to_save });
    app.db
        .write(move |tx| {
            settings::set_for(tx, &actor, (Object::Catalogue, Verb::Update), REQUIREMENTS, &value, now)
        })
        .await?;
    app.forget_catalogue();
    Ok(json_reply(&told))
}
