//! Changing one value where it stands: in a cell of the list or a fact of the card.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use store::Conn;

use super::display::{Reader, Shown};
use super::form::{Input, draft_of, input_of, input_of_custom};
use super::show::{Head, head};
use super::{reply, trigger};
use crate::access::{self, Actor, FieldRule, Object, Verb};
use crate::app::App;
use crate::catalogue::{Catalogue, CustomField, CustomKind};
use crate::customers::{self, Customer, Field, marks};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::CustomerId;
use crate::web::{Choice, FormData, QueryData, note_denial};
use crate::{org, text};

#[derive(Template)]
#[template(path = "customers/inline.html")]
struct InlineForm {
    l: Lang,
    url: String,
    input: Input,
    version: i64,
    /// The stored value when the form was opened, to tell a real conflict from a change elsewhere.
    was: String,
    error: String,
}

#[derive(Template)]
#[template(path = "customers/fact.html")]
struct Saved {
    l: Lang,
    is_cell: bool,
    shown: Shown,
    head: Option<Head>,
}

/// A value that can be changed in place.
enum Target<'a> {
    Built(Field),
    Own(&'a CustomField),
    Owner,
    Tags,
    /// Name of a scheme.
    Mark(&'a str),
}

fn target<'a>(catalogue: &'a Catalogue, customer: &Customer, key: &str) -> Result<Target<'a>, AppError> {
    if let Some(field) = Field::named(key) {
        return if field.spec().applies_to(customer.kind) {
            Ok(Target::Built(field))
        } else {
            Err(AppError::NotFound)
        };
    }
    if let Some(own) = key.strip_prefix("custom.") {
        let applies = |f: &&CustomField| f.applies_to.is_empty() || f.applies_to == customer.kind.code();
        let field = catalogue.custom_fields.iter().find(|f| f.key == own && f.is_active).filter(applies);
        return field.map(Target::Own).ok_or(AppError::NotFound);
    }
    if let Some(scheme) = key.strip_prefix("mark.") {
        let scheme = catalogue.customer_schemes().find(|s| *s == scheme);
        return scheme.map(|s| Target::Mark(s)).ok_or(AppError::NotFound);
    }
    match key {
        "owner_id" => Ok(Target::Owner),
        "tags" => Ok(Target::Tags),
        _ => Err(AppError::NotFound),
    }
}

/// The stored value as one text, to compare.
fn stored(conn: &mut Conn<'_>, customer: &Customer, target: &Target<'_>) -> store::Result<String> {
    Ok(match target {
        Target::Built(field) => customer.get(*field).to_owned(),
        Target::Own(field) => match customer.custom.get(&field.key) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        },
        Target::Owner => customer.owner_id.map_or_else(String::new, |id| id.to_string()),
        Target::Tags => customer.tags.join("\n"),
        Target::Mark(scheme) => {
            marks::of_customer(conn, customer.id)?.remove(*scheme).unwrap_or_default().join("\n")
        }
    })
}

/// How the value is asked for. `value` is the stored or the sent text.
fn input(reader: &Reader<'_>, customer: &Customer, target: &Target<'_>, value: &str) -> Input {
    let (l, catalogue) = (reader.l, reader.catalogue);
    let list = |text: &str| text.split('\n').filter(|v| !v.is_empty()).map(str::to_owned).collect();
    match target {
        Target::Built(field) => {
            let mut input = input_of(catalogue, l, field.spec(), value.to_owned());
            // The class cannot be taken away, so there is no empty choice.
            input.required |= *field == Field::Class;
            input
        }
        Target::Own(field) => {
            let chosen = match customer.custom.get(&field.key) {
                Some(serde_json::Value::Array(all)) => {
                    all.iter().filter_map(|v| v.as_str()).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            let value = match (field.kind, value) {
                (CustomKind::YesNo, "true") => "是",
                (CustomKind::YesNo, "false") => "否",
                _ => value,
            };
            input_of_custom(l, field, value.to_owned(), chosen)
        }
        Target::Owner => Input {
            look: "lookup",
            name: "owner_id".into(),
            label: l.t("负责人").to_owned(),
            url: "/customers/owners",
            shown: value.parse().ok().map(|id| reader.person(Some(id))).unwrap_or_default(),
            value: value.to_owned(),
            ..Input::default()
        },
        Target::Tags => Input {
            look: "tags",
            name: "tags".into(),
            label: l.t("标签").to_owned(),
            chosen: list(value),
            ..Input::default()
        },
        Target::Mark(scheme) => {
            let dictionary = catalogue.dictionary(scheme);
            let chosen: Vec<String> = list(value);
            let offered = dictionary.entries.iter().filter(|e| e.is_active || chosen.contains(&e.code));
            Input {
                look: if dictionary.is_multiple { "checks" } else { "select" },
                name: "value".into(),
                label: l.pick(&dictionary.zh, &dictionary.en).to_owned(),
                choices: offered
                    .map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() })
                    .collect(),
                value: chosen.first().cloned().unwrap_or_default(),
                chosen,
                ..Input::default()
            }
        }
    }
}

/// The value as it is read.
fn shown(reader: &Reader<'_>, customer: &Customer, key: &str, target: &Target<'_>, stored: &str) -> Shown {
    match target {
        Target::Mark(scheme) => {
            let dictionary = reader.catalogue.dictionary(scheme);
            let codes = stored.split('\n').filter(|c| !c.is_empty());
            let words: Vec<String> = codes.map(|c| dictionary.title(c, reader.l).to_owned()).collect();
            Shown { look: "words", text: words.join("、"), words, ..Shown::default() }
        }
        _ => reader.column(customer, key),
    }
}

fn url(id: CustomerId, key: &str, is_cell: bool) -> String {
    format!("/customers/{id}/fields/{key}{}", if is_cell { "?cell=1" } else { "" })
}

pub(super) async fn open(
    State(app): State<App>,
    actor: Actor,
    Path((id, key)): Path<(CustomerId, String)>,
    query: QueryData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let is_cell = query.is_ticked("cell");
    let (me, zone, today, l) = (actor.clone(), app.zone.clone(), app.today().to_string(), actor.lang);
    let form = app
        .db
        .read(move |conn| {
            let customer = customers::load_to_edit(conn, &me, id)?;
            let target = target(&catalogue, &customer, &key)?;
            if matches!(target, Target::Owner) {
                access::require(&me, Object::Customer, Verb::Assign, &customer.facts())?;
            }
            if customer.withheld.rule(&key) < FieldRule::Edit {
                return Err(AppError::Forbidden(text!("您的角色不能修改这一项")));
            }
            let was = stored(conn, &customer, &target)?;
            let names = org::person_names(conn)?;
            let reader = Reader { catalogue: &catalogue, l, zone: &zone, names: &names, today };
            Ok::<_, AppError>(InlineForm {
                l,
                url: url(id, &key, is_cell),
                input: input(&reader, &customer, &target, &was),
                version: customer.version,
                was,
                error: String::new(),
            })
        })
        .await?;
    reply(&form, StatusCode::OK)
}

/// How a save went.
enum Outcome {
    Saved,
    Refused(AppError),
    /// Somebody else gave the value meanwhile.
    Conflict,
}

pub(super) async fn save(
    State(app): State<App>,
    actor: Actor,
    Path((id, key)): Path<(CustomerId, String)>,
    query: QueryData,
    sent: FormData,
) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let is_cell = query.is_ticked("cell");
    let outcome = write(&app, &actor, &catalogue, id, &key, &sent).await?;
    let (me, zone, today, l) = (actor.clone(), app.zone.clone(), app.today().to_string(), actor.lang);
    let answer = app
        .db
        .read(move |conn| {
            let customer = customers::load(conn, &me, id)?;
            let target = target(&catalogue, &customer, &key)?;
            let was = stored(conn, &customer, &target)?;
            let names = org::person_names(conn)?;
            let reader = Reader { catalogue: &catalogue, l, zone: &zone, names: &names, today };
            let shown = shown(&reader, &customer, &key, &target, &was);
            let error = match &outcome {
                Outcome::Saved => {
                    let has_contact = conn.count(
                        "SELECT COUNT(*) FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL",
                        &[id.into()],
                    )? > 0;
                    let head = (!is_cell).then(|| head(&reader, &customer, has_contact, true));
                    return Ok::<_, AppError>(Ok(Saved { l, is_cell, shown, head }));
                }
                Outcome::Refused(AppError::Invalid(errors)) => {
                    errors.first().map(|e| e.text.to(l)).unwrap_or_default()
                }
                Outcome::Refused(error) => error.title().to(l),
                Outcome::Conflict => {
                    let now = if shown.text.is_empty() { l.t("（空）").to_owned() } else { shown.text };
                    l.f(
                        "刚被{}改为“{}”；再次保存将以您填写的为准",
                        &[&reader.person(Some(customer.updated_by)), &now],
                    )
                }
            };
            let typed = match &target {
                Target::Tags | Target::Mark(_) => {
                    sent.all(if key == "tags" { "tags" } else { "value" }).join("\n")
                }
                Target::Owner => sent.get("owner_id").to_owned(),
                _ => sent.get(&key).to_owned(),
            };
            let mut input = input(&reader, &customer, &target, &typed);
            input.error.clone_from(&error);
            let form =
                InlineForm { l, url: url(id, &key, is_cell), input, version: customer.version, was, error };
            let status = match outcome {
                Outcome::Conflict => StatusCode::PRECONDITION_FAILED,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Ok(Err((form, status)))
        })
        .await?;
    match answer {
        Ok(saved) if is_cell => reply(&saved, StatusCode::OK),
        Ok(saved) => Ok(trigger(reply(&saved, StatusCode::OK)?, &json!({ "refreshList": {} }))),
        Err((form, status)) => reply(&form, status),
    }
}

async fn write(
    app: &App,
    actor: &Actor,
    catalogue: &std::sync::Arc<Catalogue>,
    id: CustomerId,
    key: &str,
    sent: &FormData,
) -> Result<Outcome, AppError> {
    let (me, known, key, sent, now) =
        (actor.clone(), catalogue.clone(), key.to_owned(), sent.clone(), app.now());
    let written = app
        .db
        .write(move |tx| {
            let customer = customers::load_for(tx, &me, Object::Customer, Verb::Update, id)?;
            let target = target(&known, &customer, &key)?;
            // A change of another field meanwhile is no conflict: only this value is written.
            let version = sent.get("version").parse::<i64>().unwrap_or(0);
            if version != customer.version
                && stored(tx, &customer, &target)? != sent.get("was").replace("\r\n", "\n")
            {
                return Ok(false);
            }
            if let Target::Mark(scheme) = target {
                let values: Vec<String> = sent.all("value").into_iter().map(str::to_owned).collect();
                return marks::set(tx, &me, &known, id, scheme, &values, now).map(|()| true);
            }
            let mut one = FormData(
                sent.0.iter().filter(|(name, _)| *name == key || name == "has_tags").cloned().collect(),
            );
            if one.0.is_empty() {
                one.0.push((key.clone(), String::new()));
            }
            let draft = draft_of(&one, &known, customer.kind)?;
            customers::update(tx, &me, &known, id, Some(customer.version), &draft, now).map(|_| true)
        })
        .await;
    match written {
        Ok(true) => Ok(Outcome::Saved),
        Ok(false) | Err(AppError::Stale) => Ok(Outcome::Conflict),
        Err(error @ (AppError::Invalid(_) | AppError::Forbidden(_))) => {
            note_denial(app, actor, &error, &format!("/customers/{id}/fields")).await;
            Ok(Outcome::Refused(error))
        }
        Err(other) => Err(other),
    }
}
