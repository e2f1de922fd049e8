//! Dictionaries for programs: what values a customer may have, and keeping them.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::catalogue::{self, Dictionary, Entry, EntryDraft};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems};
use crate::error::{AppError, FieldError};
use crate::input::{refuse, refuse_rest, take_flag, take_text, take_texts};
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, page_of, write_once};
use crate::web::{Cataloguer, JsonBody, Need, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    let keep = Need::May(Object::Catalogue, Verb::Update);
    routes
        .api(Need::SignedIn, routes!(list_dictionaries))
        .api(keep, routes!(create_value))
        .api(Need::SignedIn, routes!(show_value))
        .api(keep, routes!(update_value))
        .api(keep, routes!(order_values))
}

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
    /// Counts its changes.
    version: i64,
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

/// A new value of a dictionary.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct NewDictionaryValue {
    /// Chinese name, 1–40 characters, once in the dictionary.
    zh: String,
    /// English name, at most 80 characters; the Chinese one when absent or empty.
    en: Option<String>,
    /// What it means, at most 500 characters.
    definition: Option<String>,
    /// Name of a colour: `red`, `green` …
    colour: Option<String>,
}

/// A change of a value; absent names stay as they are, null takes a text away.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct DictionaryValueChange {
    /// Chinese name.
    zh: Option<String>,
    /// English name.
    en: Option<String>,
    /// What it means.
    definition: Option<String>,
    /// Name of a colour.
    colour: Option<String>,
    /// Whether it may be chosen anew; a value is retired, never deleted.
    is_active: Option<bool>,
}

/// An order of values.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ValueOrder {
    /// The codes of all values of the dictionary, each once, in the order wanted.
    codes: Vec<String>,
}

/// Values of a dictionary at the most in one order.
const MOST: usize = 1_000;

fn value_json(entry: &Entry) -> Json {
    json!({
        "code": entry.code, "zh": entry.zh, "en": entry.en, "definition": entry.definition,
        "colour": entry.colour, "is_active": entry.is_active, "version": entry.version,
    })
}

fn dictionary_json(d: &Dictionary) -> Json {
    json!({
        "name": d.name, "zh": d.zh, "en": d.en, "is_scheme": d.is_scheme, "is_multiple": d.is_multiple,
        "applies_to": d.applies_to,
        "values": d.entries.iter().map(value_json).collect::<Vec<_>>(),
    })
}

/// What a body says of a value.
struct Said {
    zh: Option<String>,
    en: Option<String>,
    definition: Option<String>,
    colour: Option<String>,
    is_active: Option<bool>,
}

impl Said {
    fn read(mut body: Map<String, Json>, is_new: bool) -> Result<Self, AppError> {
        let mut errors = Vec::new();
        let [zh, en, definition, colour] =
            ["zh", "en", "definition", "colour"].map(|key| take_text(&mut body, key, &mut errors));
        let is_active = if is_new { None } else { take_flag(&mut body, "is_active", &mut errors) };
        refuse_rest(&body, &["code", "version"], &mut errors);
        refuse(errors)?;
        Ok(Self { zh, en, definition, colour, is_active })
    }

    /// What the value shall be: what is said, the rest from what it was.
    fn over(&self, was: Option<&Entry>) -> EntryDraft {
        let pick =
            |said: &Option<String>, was: Option<&String>| said.as_ref().or(was).cloned().unwrap_or_default();
        EntryDraft {
            zh: pick(&self.zh, was.map(|e| &e.zh)),
            en: pick(&self.en, was.map(|e| &e.en)),
            definition: pick(&self.definition, was.map(|e| &e.definition)),
            colour: pick(&self.colour, was.map(|e| &e.colour)),
            is_active: self.is_active.unwrap_or_else(|| was.is_none_or(|e| e.is_active)),
        }
    }
}

/// List dictionaries
///
/// Dictionaries and classification schemes with all their values.
#[utoipa::path(
    get, path = "/api/v1/dictionaries", tag = "catalogue",
    responses((status = 200, description = "All dictionaries", body = DictionaryList), ReadProblems)
)]
async fn list_dictionaries(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let schemes = catalogue.schemes.iter().map(|name| catalogue.dictionary(name));
    let items = catalogue.plain_dictionaries().into_iter().chain(schemes).map(dictionary_json).collect();
    Ok(json_reply(&page_of(items, None, None)))
}

/// Add a value to a dictionary
///
/// It comes last, and the system makes its code. For whoever keeps dictionaries and fields.
#[utoipa::path(
    post, path = "/api/v1/dictionaries/{name}/values", tag = "catalogue",
    params(
        ("name" = String, Path, description = "Name of the dictionary"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours"),
    ),
    request_body = NewDictionaryValue,
    responses(
        (status = 201, description = "The new value", body = DictionaryValue, headers(("ETag" = String))),
        CreateProblems,
    )
)]
async fn create_value(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let draft = Said::read(body, true)?.over(None);
    let (by, path) = (actor.clone(), format!("/api/v1/dictionaries/{name}/values"));
    let request = ["POST", &path, &request];
    // Everybody may read dictionaries.
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let reply = write_once(&app, &by, &headers, &request, may_see, move |tx, now| {
        let entry = catalogue::create_entry(tx, &actor, &name, &draft, now)?;
        Ok(Reply::created(value_json(&entry), entry.version))
    })
    .await;
    app.forget_catalogue();
    reply
}

/// Read a value of a dictionary
#[utoipa::path(
    get, path = "/api/v1/dictionaries/{name}/values/{code}", tag = "catalogue",
    params(
        ("name" = String, Path, description = "Name of the dictionary"),
        ("code" = String, Path, description = "Code of the value"),
    ),
    responses(
        (status = 200, description = "The value", body = DictionaryValue, headers(("ETag" = String))),
        ReadProblems,
    )
)]
async fn show_value(
    State(app): State<App>,
    _: Actor,
    Path((name, code)): Path<(String, String)>,
) -> Result<Reply, AppError> {
    let entry = app.db.read(move |conn| catalogue::load_entry(conn, &name, &code)).await?;
    Ok(Reply::ok(value_json(&entry), entry.version))
}

/// Change a value of a dictionary
///
/// Renames, recolours, retires or brings it back; its code stays. For whoever keeps dictionaries and fields.
#[utoipa::path(
    patch, path = "/api/v1/dictionaries/{name}/values/{code}", tag = "catalogue",
    params(
        ("name" = String, Path, description = "Name of the dictionary"),
        ("code" = String, Path, description = "Code of the value"),
        ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428"),
    ),
    request_body = DictionaryValueChange,
    responses(
        (status = 200, description = "The value as it now is", body = DictionaryValue, headers(("ETag" = String))),
        ChangeProblems,
    )
)]
async fn update_value(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    Path((name, code)): Path<(String, String)>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let (version, said, now) = (if_match(&headers)?, Said::read(body, false)?, app.now());
    let changed = app
        .db
        .write(move |tx| {
            let draft = said.over(Some(&catalogue::load_entry(tx, &name, &code)?));
            catalogue::change_entry(tx, &actor, (&name, &code), Some(version), &draft, now)
        })
        .await;
    app.forget_catalogue();
    let entry = changed?;
    Ok(Reply::ok(value_json(&entry), entry.version))
}

/// Order the values of a dictionary
///
/// For whoever keeps dictionaries and fields.
#[utoipa::path(
    put, path = "/api/v1/dictionaries/{name}/order", tag = "catalogue",
    params(("name" = String, Path, description = "Name of the dictionary")),
    request_body = ValueOrder,
    responses((status = 204, description = "They are in this order now"), CreateProblems)
)]
async fn order_values(
    State(app): State<App>,
    Cataloguer(actor): Cataloguer,
    Path(name): Path<String>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let (codes, now) = (codes_in(body, MOST)?, app.now());
    let done = app
        .db
        .write(move |tx| {
            let all = catalogue::entries(tx, &name)?;
            let order = in_order(&all, &codes, |entry| (&entry.code, entry.id))?;
            catalogue::move_entries(tx, &actor, &name, &order, now)
        })
        .await;
    app.forget_catalogue();
    done?;
    Ok(Reply::done())
}

/// The `codes` of a body that holds nothing else, at most `most`.
pub(super) fn codes_in(mut body: Map<String, Json>, most: usize) -> Result<Vec<String>, AppError> {
    let mut errors = Vec::new();
    let codes = take_texts(&mut body, "codes", most, &mut errors);
    if codes.is_none() && errors.is_empty() {
        errors.push(FieldError::new("codes", text!("这里要用文字的列表，最多 {} 项", most)));
    }
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    Ok(codes.unwrap_or_default())
}

/// The ids of all things in the order of the `codes` given, which must name each of them once.
pub(super) fn in_order<T, I: Ord + Copy>(
    all: &[T],
    codes: &[String],
    name_of: impl Fn(&T) -> (&String, I),
) -> Result<Vec<I>, AppError> {
    let ids: std::collections::BTreeMap<&String, I> = all.iter().map(name_of).collect();
    let order: Vec<I> = codes.iter().filter_map(|code| ids.get(code).copied()).collect();
    let distinct: std::collections::BTreeSet<I> = order.iter().copied().collect();
    if order.len() != codes.len() || distinct.len() != all.len() || order.len() != all.len() {
        return Err(AppError::field("codes", text!("请按新的顺序列出全部 {} 项，每项一次", all.len())));
    }
    Ok(order)
}
