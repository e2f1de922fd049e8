//! Who works on a customer, who must keep out, and why somebody may see it, in the JSON API.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use super::{NewShare, exclude, exclusions, include, of_customer, revoke, share};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::clock::{Zone, parse_date};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::customers;
use crate::error::{AppError, FieldError};
use crate::ids::{CustomerId, GrantId, PersonId, RoleId};
use crate::input::{refuse, refuse_rest};
use crate::roles::{self, explain};
use crate::text;
use crate::web::api::{Problem, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_shares, create_share))
        .api(Need::SignedIn, routes!(end_share))
        .api(Need::SignedIn, routes!(list_exclusions, create_exclusion))
        .api(Need::SignedIn, routes!(end_exclusion))
        .api(Need::SignedIn, routes!(explain_access))
}

/// A colleague who works on a customer.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ShareBody {
    /// Id.
    id: GrantId,
    /// Who.
    person_id: PersonId,
    /// His name.
    person: String,
    /// The bundle.
    role_id: RoleId,
    /// Its name.
    role: String,
    /// `share`, or what it was granted for.
    source: String,
    /// Why.
    reason: String,
    /// Until before when; null until ended.
    until: Option<String>,
    /// When it was given.
    granted_at: String,
    /// By whom.
    granted_by: String,
}

/// Everybody who works on a customer beyond his roles.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ShareList {
    /// The shares, the oldest first.
    items: Vec<ShareBody>,
    /// Always null.
    next: Option<String>,
}

/// A colleague to be let in.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ShareInput {
    /// Who.
    person_id: PersonId,
    /// Id or code of the bundle: `share_read`, `share_work`, or one of the company's.
    role: String,
    /// Last day `YYYY-MM-DD`; absent until ended.
    until: Option<String>,
    /// Why; at most 200 characters.
    reason: Option<String>,
}

/// Somebody who must keep out of a customer's record.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ExclusionBody {
    /// Who.
    person_id: PersonId,
    /// His name.
    person: String,
    /// Why.
    reason: String,
    /// Since when.
    created_at: String,
    /// Who said so.
    created_by: String,
}

/// Everybody who must keep out.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ExclusionList {
    /// The people.
    items: Vec<ExclusionBody>,
    /// Always null.
    next: Option<String>,
}

/// Somebody to be kept out.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ExclusionInput {
    /// Who.
    person_id: PersonId,
    /// Why; 1–200 characters.
    reason: String,
}

/// Why one permission is there or not.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct PermissionBody {
    /// `customer`, `contact`, `asset`, `activity` or `file`.
    object: String,
    /// `read`, `update` …
    verb: String,
    /// `permit`, `refuse` (he sees it but may not) or `hide` (he does not know it).
    decision: String,
    /// What speaks for and against, what decides first; in Chinese.
    reasons: Vec<ReasonBody>,
    /// Where he may not: roles he does not have that mention the permission, at most eight, those that would do first.
    would: Vec<WouldBody>,
}

/// A role that would give a permission, or would with another scope.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct WouldBody {
    /// Which.
    role_id: RoleId,
    /// Its name.
    role: String,
    /// Whether it would be enough.
    is_enough: bool,
    /// Its scope, and whether that reaches this customer; in Chinese.
    text: String,
}

/// One thing that speaks for or against.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ReasonBody {
    /// Whether it permits.
    permits: bool,
    /// In words.
    text: String,
}

/// One field that is withheld.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct FieldRuleBody {
    /// `customer` or `contact`.
    object: String,
    /// Its key.
    field: String,
    /// `hidden`, `masked` or `read`.
    rule: String,
    /// Which of his roles say what.
    by: String,
    /// Where it is hidden or masked: roles he does not have that would show it; in Chinese.
    shown_by: String,
}

/// Why somebody may see or do what with a customer.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct AccessBody {
    /// Who.
    person_id: PersonId,
    /// Which customer.
    customer_id: CustomerId,
    /// Each permission.
    permissions: Vec<PermissionBody>,
    /// Fields that are hidden, masked or read-only.
    fields: Vec<FieldRuleBody>,
}

/// Takes a text out of a body; absent and null are empty.
fn take(body: &mut Map<String, Json>, key: &str, errors: &mut Vec<FieldError>) -> String {
    match body.remove(key) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text,
        Some(_) => {
            errors.push(FieldError::new(key, text!("这里要用文字")));
            String::new()
        }
    }
}

/// The end of a last day `YYYY-MM-DD`; `None` without one.
pub(super) fn until(text: &str, zone: &Zone) -> Result<Option<i64>, FieldError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let day = parse_date(text.trim()).and_then(|day| day.parse().ok());
    let day = day.ok_or_else(|| FieldError::new("until", text!("请填写日期，例如 2026-09-28")))?;
    Ok(Some(zone.day(day).1))
}

fn person(text: &str, errors: &mut Vec<FieldError>) -> PersonId {
    text.parse().unwrap_or_else(|_| {
        errors.push(FieldError::new("person_id", text!("没有这个人，请重新选择")));
        PersonId(0)
    })
}

/// Lists who works on a customer
///
/// For whoever may read it.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/shares", tag = "shares",
    params(("id" = inline(CustomerId), Path)),
    responses((status = 200, description = "The shares", body = ShareList), ReadProblems)
)]
async fn list_shares(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (id, now) = (path_id::<CustomerId>(&id)?, app.now());
    let shares = app.db.read(move |conn| of_customer(conn, &actor, id, now)).await?;
    Ok(json_reply(&page_of(shares.iter().map(super::Share::json).collect(), None, None)))
}

/// Lets a colleague work on a customer
///
/// Needs the permission to share it. Nobody passes on more than he may do himself.
#[utoipa::path(
    post, path = "/api/v1/customers/{id}/shares", tag = "shares",
    params(("id" = inline(CustomerId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ShareInput,
    responses(
        (status = 201, description = "The share", body = ShareBody),
        (status = 403, description = "Not permitted", content_type = "application/problem+json", body = Problem),
        CreateProblems,
    )
)]
async fn create_share(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let id: CustomerId = path_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let path = format!("/api/v1/customers/{id}/shares");
    // Whoever may not know the customer learns nothing of what a share would need.
    let me = actor.clone();
    app.db
        .read(move |conn| customers::require(conn, &me, Object::Customer, Verb::Read, id).map(drop))
        .await?;
    let directory = app.directory().await?;
    let mut errors = Vec::new();
    let [who, role, last, reason] =
        ["person_id", "role", "until", "reason"].map(|key| take(&mut body, key, &mut errors));
    let who = person(&who, &mut errors);
    let role_id = role.parse::<RoleId>().ok();
    let bundles = directory.roles();
    let bundle =
        bundles.iter().find(|r| r.is_bundle && (r.code == role || Some(r.id) == role_id)).map(|r| r.id);
    if bundle.is_none() {
        errors.push(FieldError::new("role", text!("没有这种共享权限，请从列出的中选择")));
    }
    let until = until(&last, &app.zone).unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let new = NewShare { person: who, role: bundle.unwrap_or(RoleId(0)), until, reason };
    let by = actor.clone();
    let seen = actor.clone();
    let may_see = move |tx: &mut store::Tx<'_>, _: &Json| {
        customers::require(tx, &seen, Object::Customer, Verb::Read, id).map(drop)
    };
    let request = ["POST", &path, &request];
    let done = write_once(&app, &actor, &headers, &request, may_see, move |tx, now| {
        let made = share(tx, &by, id, &new, now)?;
        let shares = of_customer(tx, &by, id, now)?;
        let made = shares.iter().find(|s| s.id == made).map_or(Json::Null, super::Share::json);
        Ok(Reply { version: None, ..Reply::created(made, 0) })
    })
    .await;
    app.forget_sessions();
    done
}

/// Ends a share
///
/// Whoever may share the customer, or the collaborator himself.
#[utoipa::path(
    delete, path = "/api/v1/customers/{id}/shares/{share_id}", tag = "shares",
    params(("id" = inline(CustomerId), Path), ("share_id" = inline(GrantId), Path)),
    responses((status = 204, description = "Ended"), ChangeProblems)
)]
async fn end_share(
    State(app): State<App>,
    actor: Actor,
    Path((id, share)): Path<(String, String)>,
) -> Result<Reply, AppError> {
    let (id, share): (CustomerId, GrantId) = (path_id(&id)?, path_id(&share)?);
    let now = app.now();
    let done = app.db.write(move |tx| revoke(tx, &actor, id, share, now)).await;
    app.forget_sessions();
    done.map(|()| Reply::done())
}

/// Lists who must keep out of a customer's record
///
/// Only for those who may transfer the customer.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/exclusions", tag = "shares",
    params(("id" = inline(CustomerId), Path)),
    responses((status = 200, description = "The people", body = ExclusionList), ReadProblems)
)]
async fn list_exclusions(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: CustomerId = path_id(&id)?;
    let all = app.db.read(move |conn| exclusions(conn, &actor, id)).await?;
    Ok(json_reply(&page_of(all.iter().map(super::Exclusion::json).collect(), None, None)))
}

/// Keeps a person out of a customer's record
///
/// He does not know it on any face from then on, even as its owner. Needs the permission to transfer the customer.
#[utoipa::path(
    post, path = "/api/v1/customers/{id}/exclusions", tag = "shares",
    params(("id" = inline(CustomerId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ExclusionInput,
    responses(
        (status = 201, description = "The exclusion", body = ExclusionBody),
        (status = 403, description = "Not permitted", content_type = "application/problem+json", body = Problem),
        CreateProblems,
    )
)]
async fn create_exclusion(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Reply, AppError> {
    let id: CustomerId = path_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let path = format!("/api/v1/customers/{id}/exclusions");
    let me = actor.clone();
    app.db
        .read(move |conn| customers::require(conn, &me, Object::Customer, Verb::Assign, id).map(drop))
        .await?;
    let mut errors = Vec::new();
    let [who, reason] = ["person_id", "reason"].map(|key| take(&mut body, key, &mut errors));
    let who = person(&who, &mut errors);
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let (by, seen) = (actor.clone(), actor.clone());
    let may_see = move |tx: &mut store::Tx<'_>, _: &Json| {
        customers::require(tx, &seen, Object::Customer, Verb::Assign, id).map(drop)
    };
    let request = ["POST", &path, &request];
    let done = write_once(&app, &actor, &headers, &request, may_see, move |tx, now| {
        exclude(tx, &by, id, who, &reason, now)?;
        let all = exclusions(tx, &by, id)?;
        let made = all.iter().find(|e| e.person_id == who).map_or(json!(null), super::Exclusion::json);
        Ok(Reply { version: None, ..Reply::created(made, 0) })
    })
    .await;
    app.forget_sessions();
    done
}

/// Ends an exclusion.
#[utoipa::path(
    delete, path = "/api/v1/customers/{id}/exclusions/{person_id}", tag = "shares",
    params(("id" = inline(CustomerId), Path), ("person_id" = inline(PersonId), Path)),
    responses((status = 204, description = "Ended"), ChangeProblems)
)]
async fn end_exclusion(
    State(app): State<App>,
    actor: Actor,
    Path((id, who)): Path<(String, String)>,
) -> Result<Reply, AppError> {
    let (id, who): (CustomerId, PersonId) = (path_id(&id)?, path_id(&who)?);
    let now = app.now();
    let done = app.db.write(move |tx| include(tx, &actor, id, who, now)).await;
    app.forget_sessions();
    done.map(|()| Reply::done())
}

/// Explains who may do what with a customer, and why
///
/// About oneself, or about anybody for those who grant roles; the customer must be one the caller may read.
#[utoipa::path(
    get, path = "/api/v1/customers/{id}/access", tag = "shares",
    params(("id" = inline(CustomerId), Path), ("person" = Option<String>, Query, description = "Id of a person; oneself when absent")),
    responses((status = 200, description = "The explanation", body = AccessBody), ReadProblems)
)]
async fn explain_access(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let id: CustomerId = path_id(&id)?;
    let person = match asked.get("person") {
        "" => actor.person_id,
        text => text.parse().map_err(|_| AppError::field("person", text!("没有这个人，请重新选择")))?,
    };
    let words = roles::words(&app, actor.lang).await?;
    let (me, now) = (actor.clone(), app.now());
    let explanation = app.db.read(move |conn| explain::explain(conn, &me, &words, person, id)).await?;
    if person != actor.person_id {
        let noted = explanation.clone();
        app.db.write(move |tx| explain::note(tx, &actor, &noted, now)).await?;
    }
    Ok(json_reply(&explanation.json()))
}
