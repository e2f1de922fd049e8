//! Roles in the JSON API: their definitions, and who has them.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use super::{Draft, Given, Giving, create, give, json_of, known, load, remove, standing, take, update};
use crate::access::{Actor, Object, Verb, Why, require_may};
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, RoleId, UnitId};
use crate::input::{refuse, refuse_rest};
use crate::text;
use crate::web::api::{Based, Problem, Reply, json_reply, page_of, write_once};
use crate::web::{Granter, JsonBody, Need, QueryData, Routes};

mod review;

pub(super) fn routes(routes: Routes) -> Routes {
    let grants = Need::May(Object::Role, Verb::Update);
    review::routes(routes)
        .api(Need::SignedIn, routes!(list_roles))
        .api(grants, routes!(create_role))
        .api(Need::SignedIn, routes!(show_role))
        .api(grants, routes!(update_role, remove_role))
        .api(Need::SignedIn, routes!(list_person_roles))
        .api(grants, routes!(give_role))
        .api(grants, routes!(take_role))
}

/// One permission of a role.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RoleGrantBody {
    /// `customer`, `contact`, `asset`, `activity`, `file`, `strategy`, `organisation`, `role`, `catalogue`, `audit`.
    object: String,
    /// `read`, `create`, `update`, `delete`, `assign`, `share`, `export`, `import`.
    verb: String,
    /// `all`, `units`, `unit_tree`, `unit`, `team`, `own` or `condition`; `all` where there is no scope.
    scope: String,
    /// Units, with `units`.
    units: Option<Vec<UnitId>>,
    /// A condition in CEL, with `condition`.
    condition: Option<String>,
}

/// A rule for one field.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RoleFieldBody {
    /// `customer` or `contact`.
    object: String,
    /// Key of the field: `phone`, `custom.f_1`.
    field: String,
    /// `hidden`, `masked` or `read`.
    rule: String,
}

/// A role.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RoleBody {
    /// Id.
    id: RoleId,
    /// Short name for programs.
    code: String,
    /// Name.
    name: String,
    /// What it is for.
    note: String,
    /// Whether it is a bundle: what a collaborator gets on one customer.
    is_bundle: bool,
    /// Whether it comes with the program.
    is_builtin: bool,
    /// Permissions.
    grants: Vec<RoleGrantBody>,
    /// Field rules; without one a field may be edited.
    fields: Vec<RoleFieldBody>,
    /// Counts changes.
    version: i64,
    /// What is allowed but makes no difference; only in answers to writes.
    warnings: Option<Vec<String>>,
}

/// All roles.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RoleList {
    /// The roles, built-in ones first.
    items: Vec<RoleBody>,
    /// Always null.
    next: Option<String>,
}

/// A role to be made, or what shall change of one: absent names stay, `grants` and `fields` replace all.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RoleInput {
    /// 2–40 lower-case letters, digits or `_`.
    code: Option<String>,
    /// 1–40 characters.
    name: Option<String>,
    /// At most 200 characters.
    note: Option<String>,
    /// Only of a new one.
    is_bundle: Option<bool>,
    /// Permissions.
    grants: Option<Vec<RoleGrantBody>>,
    /// Field rules.
    fields: Option<Vec<RoleFieldBody>>,
}

/// A role somebody has.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct HeldRoleBody {
    /// Which.
    role_id: RoleId,
    /// Its code.
    code: String,
    /// Its name.
    name: String,
    /// `post`, `direct` or `delegated`.
    from: String,
    /// The unit "his unit" means; null for the units he works in.
    unit_id: Option<UnitId>,
    /// Code of the post it comes with.
    post: Option<String>,
    /// For whom he acts.
    person_id: Option<PersonId>,
    /// Last day; empty until further notice.
    ends_on: Option<String>,
    /// Why it was given.
    reason: Option<String>,
    /// When it was given.
    granted_at: Option<String>,
}

/// The roles of a person.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct HeldRoleList {
    /// The roles.
    items: Vec<HeldRoleBody>,
    /// Always null.
    next: Option<String>,
}

/// A role to be given to a person.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct GivingInput {
    /// Id or code of the role.
    role: String,
    /// The unit "his unit" shall mean; absent for the units he works in.
    unit_id: Option<UnitId>,
    /// Last day `YYYY-MM-DD`; absent until further notice.
    ends_on: Option<String>,
    /// Why; at most 200 characters.
    reason: Option<String>,
}

fn checked(checked: &super::Checked) -> Json {
    let mut body = json_of(&checked.role);
    let warnings: Vec<String> = checked.warnings.iter().map(|w| w.to(crate::i18n::Lang::Zh)).collect();
    body["warnings"] = json!(warnings);
    body
}

/// Lists roles
///
/// All of them, built-in ones first. Everybody who is signed in may read what roles permit.
#[utoipa::path(
    get, path = "/api/v1/roles", tag = "roles",
    responses((status = 200, description = "All roles", body = RoleList), ReadProblems)
)]
async fn list_roles(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let directory = app.directory().await?;
    let items = directory.roles().into_iter().map(|role| json_of(role)).collect();
    Ok(json_reply(&page_of(items, None, None)))
}

/// Shows a role.
#[utoipa::path(
    get, path = "/api/v1/roles/{id}", tag = "roles",
    params(("id" = inline(RoleId), Path)),
    responses((status = 200, description = "The role", body = RoleBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_role(State(app): State<App>, _: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: RoleId = path_id(&id)?;
    let role = app.db.read(move |conn| load(conn, id)).await?;
    Ok(Reply::ok(json_of(&role), role.version))
}

/// Makes a role
///
/// Contradictions are refused with the cell they stand in: `scope.customer.update`, `rule.customer.phone`.
#[utoipa::path(
    post, path = "/api/v1/roles", tag = "roles",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = RoleInput,
    responses((status = 201, description = "The new role", body = RoleBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_role(
    State(app): State<App>,
    Granter(actor): Granter,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let (person, known) = (actor.clone(), known(&app).await?);
    let request = ["POST", "/api/v1/roles", &request];
    // Everybody may read roles.
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let done = write_once(&app, &person, &headers, &request, may_see, move |tx, now| {
        let made = create(tx, &actor, &known, &draft, now)?;
        Ok(Reply::created(checked(&made), made.role.version))
    })
    .await;
    app.forget_sessions();
    done
}

/// Changes a role
///
/// Felt by everybody who has it with his next request. The administrator's role cannot be changed.
#[utoipa::path(
    patch, path = "/api/v1/roles/{id}", tag = "roles",
    params(("id" = inline(RoleId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = RoleInput,
    responses((status = 200, description = "The role as it now is", body = RoleBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_role(
    State(app): State<App>,
    Granter(actor): Granter,
    Based { id, version }: Based<RoleId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let draft = Draft::from_json(body).map_err(AppError::Invalid)?;
    let (known, now) = (known(&app).await?, app.now());
    let done = app.db.write(move |tx| update(tx, &actor, &known, id, version, &draft, now)).await;
    app.forget_sessions();
    let done = done?;
    Ok(Reply::ok(checked(&done), done.role.version))
}

/// Takes a role away
///
/// 409 while anybody, any post or any share has it.
#[utoipa::path(
    delete, path = "/api/v1/roles/{id}", tag = "roles",
    params(("id" = inline(RoleId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_role(
    State(app): State<App>,
    Granter(actor): Granter,
    Based { id, version }: Based<RoleId>,
) -> Result<Reply, AppError> {
    let (known, now) = (known(&app).await?, app.now());
    let done = app.db.write(move |tx| remove(tx, &actor, &known, id, version, now)).await;
    app.forget_sessions();
    done.map(|()| Reply::done())
}

/// Lists the roles of a person
///
/// With where each comes from. Of oneself, or of anybody for those who grant roles.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/roles", tag = "roles",
    params(("id" = inline(PersonId), Path)),
    responses((status = 200, description = "The roles", body = HeldRoleList), ReadProblems)
)]
async fn list_person_roles(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let directory = app.directory().await?;
    directory.member(id).ok_or(AppError::NotFound)?;
    if id != actor.person_id {
        require_may(&actor, Object::Role, Verb::Update)?;
    }
    let (day, now) = (app.today().to_string(), app.now());
    let asked = day.clone();
    let rows = app.db.read(move |conn| standing(conn, Some(id), &asked)).await?;
    let mut items: Vec<Json> = rows
        .iter()
        .filter_map(|row| Some((row, directory.role(row.role_id)?)))
        .map(|(row, role)| {
            json!({
                "role_id": role.id, "code": role.code, "name": role.name, "from": "direct",
                "unit_id": row.unit_id, "ends_on": row.ends_on, "reason": row.reason,
                "granted_at": rfc3339(row.granted_at),
            })
        })
        .collect();
    for held in directory.held_roles(id, &day, now) {
        let role = &held.role;
        let body = json!({ "role_id": role.id, "code": role.code, "name": role.name, "unit_id": null });
        items.extend(match held.why {
            Why::Direct => None,
            Why::Post { unit_id, post } => {
                let mut body = body;
                (body["from"], body["unit_id"], body["post"]) = (json!("post"), json!(unit_id), json!(post));
                Some(body)
            }
            Why::Delegated { from, .. } => {
                let mut body = body;
                (body["from"], body["person_id"]) = (json!("delegated"), json!(from));
                Some(body)
            }
        });
    }
    Ok(json_reply(&page_of(items, None, None)))
}

/// Reads what shall be given.
fn giving(mut body: Map<String, Json>, person: PersonId, known: &super::Known) -> Result<Giving, AppError> {
    let mut errors = Vec::new();
    let mut text = |key: &str| match body.remove(key) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text,
        Some(_) => {
            errors.push(FieldError::new(key, text!("这里要用文字")));
            String::new()
        }
    };
    let (role, unit, ends_on, reason) = (text("role"), text("unit_id"), text("ends_on"), text("reason"));
    let id = role.parse::<RoleId>().ok();
    let all = known.directory.roles();
    let found = all.iter().find(|r| r.code == role || Some(r.id) == id).map(|r| r.id);
    if found.is_none() {
        errors.push(FieldError::new("role", text!("没有角色“{}”", crate::input::shorten(&role))));
    }
    let unit = match unit.as_str() {
        "" => None,
        text => match text.parse::<UnitId>() {
            Ok(unit) => Some(unit),
            Err(_) => {
                errors.push(FieldError::new("unit_id", text!("没有这个部门")));
                None
            }
        },
    };
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    Ok(Giving { person, role: found.unwrap_or(RoleId(0)), unit, ends_on, reason })
}

/// Gives a person a role
///
/// One he has already gets the new last day and reason. Nobody but an administrator makes an administrator.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/roles", tag = "roles",
    params(("id" = inline(PersonId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = GivingInput,
    responses(
        (status = 201, description = "Given", body = HeldRoleBody),
        (status = 403, description = "Not permitted", content_type = "application/problem+json", body = Problem),
        CreateProblems,
    )
)]
async fn give_role(
    State(app): State<App>,
    Granter(actor): Granter,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: PersonId = path_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let path = format!("/api/v1/people/{id}/roles");
    let known = known(&app).await?;
    known.directory.member(id).ok_or(AppError::NotFound)?;
    let giving = giving(body, id, &known)?;
    let person = actor.clone();
    let request = ["POST", &path, &request];
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    let done = write_once(&app, &person, &headers, &request, may_see, move |tx, now| {
        give(tx, &actor, &giving, now)?;
        let role = load(tx, giving.role)?;
        let body = json!({
            "role_id": role.id, "code": role.code, "name": role.name, "from": "direct", "unit_id": giving.unit,
            "ends_on": giving.ends_on.trim(), "reason": giving.reason.trim(), "granted_at": rfc3339(now),
        });
        Ok(Reply { version: None, ..Reply::created(body, 0) })
    })
    .await;
    app.forget_sessions();
    done
}

/// Takes a role from a person
///
/// One he has himself; those of his posts go with the posts.
#[utoipa::path(
    delete, path = "/api/v1/people/{id}/roles/{role_id}", tag = "roles",
    params(
        ("id" = inline(PersonId), Path), ("role_id" = inline(RoleId), Path),
        ("unit_id" = Option<String>, Query, description = "The unit it was given for; absent for the units he works in"),
    ),
    responses((status = 204, description = "Taken"), ChangeProblems)
)]
async fn take_role(
    State(app): State<App>,
    Granter(actor): Granter,
    Path((id, role)): Path<(String, String)>,
    QueryData(asked): QueryData,
) -> Result<Reply, AppError> {
    let unit = match asked.get("unit_id") {
        "" => None,
        text => Some(text.parse().map_err(|_| AppError::field("unit_id", text!("没有这个部门")))?),
    };
    let given = Given { person: path_id(&id)?, role: path_id(&role)?, unit };
    let now = app.now();
    let done = app.db.write(move |tx| take(tx, &actor, given, now)).await;
    app.forget_sessions();
    done.map(|()| Reply::done())
}
