//! Regulations in the JSON API: everybody reads what is published; administrators write drafts and publish them.

use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use policy::SourceFile;
use serde_json::{Map, Value as Json, json};
use store::Tx;
use utoipa_axum::routes;

use super::model::{State, Version};
use super::publish::{Draft, create, discard, examine, publish, save};
use super::{acknowledge, list, load_version, require_manager};
use crate::access::Actor;
use crate::app::App;
use crate::clock::{Millis, rfc3339};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems};
use crate::error::{AppError, FieldError};
use crate::ids::PolicyVersionId;
use crate::input::{refuse, refuse_rest};
use crate::text;
use crate::web::api::{Reply, id_in, if_match, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_policies))
        .api(Need::Administrator, routes!(create_policy))
        .api(Need::SignedIn, routes!(show_policy))
        .api(Need::Administrator, routes!(update_policy, delete_policy))
        .api(Need::Administrator, routes!(publish_policy))
        .api(Need::SignedIn, routes!(acknowledge_policy))
}

/// A version of a regulation.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PolicyBody {
    /// Id of the version.
    id: PolicyVersionId,
    /// Short name of the policy.
    policy: String,
    /// Counts its versions.
    number: i64,
    /// Title.
    title: String,
    /// Version as the regulation says.
    version: String,
    /// `draft` or `published`.
    state: String,
    /// Whether it judges what happens now.
    is_in_force: bool,
    /// What changed.
    note: String,
    /// From when it judges.
    effective_at: Option<String>,
    /// Until when.
    retired_at: Option<String>,
    /// Counts changes of the draft.
    row_version: i64,
    /// Its clauses. Only with a single one that has no mistake.
    clauses: Option<Vec<ClauseBody>>,
    /// Its forms. Only with a single one that has no mistake.
    forms: Option<Vec<FormBody>>,
    /// Its files. Only with a single one, for administrators.
    files: Option<Vec<PolicyFile>>,
    /// The company's settings. Only with a single one.
    settings: Option<Map<String, Json>>,
    /// What is wrong with it. Only with a single draft.
    problems: Option<Vec<String>>,
}

/// A clause.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ClauseBody {
    /// Number.
    id: String,
    /// Heading.
    title: String,
    /// What it says.
    text: String,
    /// Whom it binds.
    binds: String,
    /// What carries it out.
    carried_out_by: Vec<String>,
}

/// A form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct FormBody {
    /// Short name: cases of it are under `/api/v1/cases/{form}`.
    id: String,
    /// Title.
    title: String,
    /// Its fields.
    fields: Vec<FormField>,
    /// Fields filled when a case is opened.
    fill: Vec<String>,
}

/// A field of a form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct FormField {
    /// Name.
    id: String,
    /// Title.
    title: String,
    /// How it is filled: `text`, `money`, `choice` …
    #[schema(rename = "type")]
    kind: String,
    /// The choices.
    options: Vec<String>,
}

/// A file of a regulation.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PolicyFile {
    /// Its name: `policy.toml`, `scenarios/seven-days.toml`.
    name: String,
    /// What it holds (TOML).
    text: String,
}

/// A draft.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PolicyInput {
    /// All its files.
    files: Vec<PolicyFile>,
    /// The company's values of settings.
    settings: Option<Map<String, Json>>,
    /// What changes, in a sentence; at most 500 characters.
    note: Option<String>,
}

/// When it comes into force.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PublicationInput {
    /// RFC 3339 or local, not before now; at once when absent.
    effective_at: Option<String>,
}

/// A page of regulations.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PolicyList {
    /// Their versions, by policy and the newest first.
    items: Vec<PolicyBody>,
    /// Always null.
    next: Option<String>,
}

fn told(version: &Version, now: Millis) -> Json {
    json!({
        "id": version.id, "policy": version.policy, "number": version.number, "title": version.title,
        "version": version.version, "state": version.state.code(), "is_in_force": version.is_in_force(now),
        "note": version.note, "effective_at": version.effective_at.map(rfc3339),
        "retired_at": version.retired_at.map(rfc3339), "row_version": version.row_version,
    })
}

fn whole(actor: &Actor, version: &Version, now: Millis) -> Json {
    let mut body = told(version, now);
    body["settings"] = json!(version.settings);
    if actor.is_administrator() {
        let file = |file: &SourceFile| json!({"name": file.name, "text": file.text});
        body["files"] = version.files.iter().map(file).collect::<Vec<_>>().into();
    }
    match super::compile(&version.files, &version.settings) {
        Ok(policy) => {
            let clauses: Vec<Json> = policy
                .clauses
                .iter()
                .map(|clause| {
                    let by: Vec<String> = policy
                        .citing(&clause.id)
                        .into_iter()
                        .map(|(what, title)| format!("{what}:{title}"))
                        .collect();
                    json!({
                        "id": clause.id, "title": clause.title, "text": clause.text, "binds": clause.binds,
                        "carried_out_by": by,
                    })
                })
                .collect();
            let forms: Vec<Json> = policy
                .forms
                .iter()
                .map(|form| {
                    let fields: Vec<Json> = form
                        .fields
                        .iter()
                        .map(|field| {
                            json!({
                                "id": field.id, "title": field.title, "type": field.kind.word(),
                                "options": field.options,
                            })
                        })
                        .collect();
                    let fill: Vec<&str> =
                        form.fill.iter().map(|place| form.fields[*place].id.as_str()).collect();
                    json!({"id": form.id, "title": form.title, "fields": fields, "fill": fill})
                })
                .collect();
            body["clauses"] = clauses.into();
            body["forms"] = forms.into();
            if version.state == State::Draft {
                body["problems"] = json!([]);
            }
        }
        Err(problems) => {
            body["problems"] = problems.iter().map(ToString::to_string).collect::<Vec<_>>().into();
        }
    }
    body
}

fn draft_in(mut body: Map<String, Json>) -> Result<Draft, AppError> {
    let mut errors = Vec::new();
    let mut files = Vec::new();
    match body.remove("files") {
        Some(Json::Array(all)) => {
            for file in all {
                match (file["name"].as_str(), file["text"].as_str(), file.as_object().map_or(0, Map::len)) {
                    (Some(name), Some(text), 2) => {
                        files.push(SourceFile { name: name.to_owned(), text: text.to_owned() });
                    }
                    _ => errors.push(FieldError::new("files", text!("每个文件要有 name 和 text"))),
                }
            }
        }
        _ => errors.push(FieldError::new("files", text!("请给出制度的文件 files"))),
    }
    let settings = match body.remove("settings") {
        None | Some(Json::Null) => Map::new(),
        Some(Json::Object(settings)) => settings,
        Some(_) => {
            errors.push(FieldError::new("settings", text!("settings 要是 参数代号: 值")));
            Map::new()
        }
    };
    let note = match body.remove("note") {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(note)) => note,
        Some(_) => {
            errors.push(FieldError::new("note", text!("这里要用文字")));
            String::new()
        }
    };
    refuse_rest(&body, &[], &mut errors);
    errors.truncate(20);
    refuse(errors)?;
    Ok(Draft { files, settings: settings.into_iter().collect(), note })
}

fn version_id(id: &str) -> Result<PolicyVersionId, AppError> {
    id.parse().map_err(|_| AppError::NotFound)
}

/// Lists regulations
///
/// The published versions of all regulations; for administrators drafts too.
#[utoipa::path(
    get, path = "/api/v1/policies", tag = "policies",
    responses((status = 200, description = "The regulations", body = PolicyList), ReadProblems)
)]
async fn list_policies(Shared(app): Shared<App>, actor: Actor) -> Result<Response, AppError> {
    let now = app.now();
    let found: Vec<Version> = app.db.read(move |conn| list(conn, &actor)).await?;
    Ok(json_reply(&page_of(found.iter().map(|version| told(version, now)).collect(), None, None)))
}

/// Makes a draft of a regulation
#[utoipa::path(
    post, path = "/api/v1/policies", tag = "policies",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PolicyInput,
    responses((status = 201, description = "The draft", body = PolicyBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_policy(
    Shared(app): Shared<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    require_manager(&actor)?;
    let request = Json::Object(body.clone()).to_string();
    let draft = draft_in(body)?;
    let (by, seen) = (actor.clone(), actor.clone());
    let request = ["POST", "/api/v1/policies", &request];
    let may_see = move |tx: &mut Tx<'_>, body: &Json| load_version(tx, &seen, id_in(body, "id")?).map(drop);
    write_once(&app, &actor, &headers, &request, may_see, move |tx, now| {
        let version = create(tx, &by, &draft, now)?;
        Ok(Reply::created(whole(&by, &version, now), version.row_version))
    })
    .await
}

/// Shows a version of a regulation
#[utoipa::path(
    get, path = "/api/v1/policies/{id}", tag = "policies",
    params(("id" = inline(PolicyVersionId), Path)),
    responses((status = 200, description = "The regulation", body = PolicyBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_policy(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let (id, now) = (version_id(&id)?, app.now());
    let by = actor.clone();
    let version = app.db.read(move |conn| load_version(conn, &by, id)).await?;
    Ok(Reply::ok(whole(&actor, &version, now), version.row_version))
}

/// Changes a draft
#[utoipa::path(
    put, path = "/api/v1/policies/{id}", tag = "policies",
    params(("id" = inline(PolicyVersionId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = PolicyInput,
    responses((status = 200, description = "The draft", body = PolicyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_policy(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    require_manager(&actor)?;
    let (id, now) = (version_id(&id)?, app.now());
    let seen = if_match(&headers)?;
    let draft = draft_in(body)?;
    app.db
        .write(move |tx| {
            let version = save(tx, &actor, id, seen, &draft, now)?;
            Ok(Reply::ok(whole(&actor, &version, now), version.row_version))
        })
        .await
}

/// Throws a draft away
#[utoipa::path(
    delete, path = "/api/v1/policies/{id}", tag = "policies",
    params(("id" = inline(PolicyVersionId), Path), ("If-Match" = Option<String>, Header, description = "The ETag; without it 428")),
    responses((status = 204, description = "It is gone"), ChangeProblems)
)]
async fn delete_policy(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    require_manager(&actor)?;
    let (id, now) = (version_id(&id)?, app.now());
    let seen = if_match(&headers)?;
    app.db.write(move |tx| discard(tx, &actor, id, seen, now)).await?;
    Ok(Reply::done())
}

/// Publishes a draft
///
/// Only when the checker finds nothing, every setting has a value and every scenario holds. The version before judges
/// until then; running cases keep theirs.
#[utoipa::path(
    post, path = "/api/v1/policies/{id}/publication", tag = "policies",
    params(("id" = inline(PolicyVersionId), Path), ("If-Match" = Option<String>, Header, description = "The ETag of the draft; without it 428"), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PublicationInput,
    responses((status = 200, description = "The version", body = PolicyBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn publish_policy(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    require_manager(&actor)?;
    let id = version_id(&id)?;
    let seen = if_match(&headers)?;
    let request = Json::Object(body.clone()).to_string();
    let mut errors = Vec::new();
    // Without a time it is in force from the moment it is written, which is later than the one it was asked at.
    let effective_at = match body.remove("effective_at") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => {
            let at = text.parse::<jiff::Timestamp>().map(|at| at.as_millisecond()).ok();
            let at = at.or_else(|| app.zone.parse(&text));
            if at.is_none() {
                errors.push(FieldError::new("effective_at", text!("时间要写成 2026-09-28 16:20")));
            }
            at
        }
        Some(_) => {
            errors.push(FieldError::new("effective_at", text!("这里要用文字")));
            None
        }
    };
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let (by, reader, me) = (actor.clone(), actor.clone(), actor.clone());
    let draft = app.db.read(move |conn| load_version(conn, &me, id)).await?;
    // A request that is sent again finds the draft published, and its answer kept: then nothing is examined.
    let examined = if draft.state == State::Draft && draft.row_version == seen {
        examine(&app.catalogue().await?, draft.files, draft.settings).await
    } else {
        Err(AppError::Stale)
    };
    let path = format!("/api/v1/policies/{id}/publication");
    let may_see = move |tx: &mut Tx<'_>, body: &Json| load_version(tx, &reader, id_in(body, "id")?).map(drop);
    write_once(&app, &actor, &headers, &["POST", &path, &request], may_see, move |tx, now| {
        let version = publish(tx, &by, (id, seen), &examined, None, effective_at.unwrap_or(now), now)?;
        Ok(Reply::ok(whole(&by, &version, now), version.row_version))
    })
    .await
}

/// Takes note of a regulation
#[utoipa::path(
    post, path = "/api/v1/policies/{id}/acknowledgement", tag = "policies",
    params(("id" = inline(PolicyVersionId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    responses((status = 204, description = "It is noted"), ChangeProblems)
)]
async fn acknowledge_policy(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let id = version_id(&id)?;
    let by = actor.clone();
    let path = format!("/api/v1/policies/{id}/acknowledgement");
    write_once(
        &app,
        &actor,
        &headers,
        &["POST", &path],
        |_, _| Ok(()),
        move |tx, now| {
            acknowledge(tx, &by, id, now)?;
            Ok(Reply::done())
        },
    )
    .await
}
