//! People for programs: `/api/v1/people`. Everybody who is signed in learns colleagues' names, nothing more.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use crate::access::{Actor, Object, Verb, require_may};
use crate::app::App;
use crate::auth::check_new_password;
use crate::error::AppError;
use crate::ids::{PersonId, RoleId};
use crate::input::check_query;
use crate::org::{self, NewPerson, Person, PersonChange};
use crate::text;
use crate::web::api::{Problem, Reply, if_match, json_reply, limit, page_of, write_once};
use crate::web::{JsonBody, QueryData};

/// A colleague. What stands after `is_active` only those who keep the organisation see.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PersonBody {
    /// Id.
    id: PersonId,
    /// Name.
    name: String,
    /// Job title.
    title: String,
    /// Whether he may sign in.
    is_active: bool,
    /// Sign-in name.
    username: Option<String>,
    /// Phone.
    phone: Option<String>,
    /// Mail address.
    email: Option<String>,
    /// Ids of the roles he has himself; those of his posts come on top.
    roles: Option<Vec<RoleId>>,
    /// Counts changes.
    version: Option<i64>,
}

/// A page of people.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PersonList {
    /// The people.
    items: Vec<PersonBody>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// A person to be added. He must change the password at the first log-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    /// Sign-in name: 2–40 letters, digits, Chinese characters or `. _ - @`.
    username: String,
    /// Name, 1–40 characters.
    name: String,
    /// Job title.
    #[serde(default)]
    title: String,
    /// Phone.
    #[serde(default)]
    phone: String,
    /// Mail address.
    #[serde(default)]
    email: String,
    /// Codes or ids of the roles he shall have himself; `["staff"]` when absent.
    #[serde(default = "plain_roles")]
    roles: Vec<String>,
    /// Temporary password, 12–128 characters.
    password: String,
}

/// A change of a person; absent names stay as they are.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonPatch {
    /// Name.
    name: Option<String>,
    /// Job title.
    title: Option<String>,
    /// Phone.
    phone: Option<String>,
    /// Mail address.
    email: Option<String>,
    /// Codes or ids of the roles he shall have himself, replacing all.
    roles: Option<Vec<String>>,
    /// Whether he may sign in.
    is_active: Option<bool>,
}

fn json_of(person: &Person, actor: &Actor) -> Json {
    let mut body = json!({
        "id": person.id, "name": person.name, "title": person.title, "is_active": person.is_active,
    });
    if actor.may(Object::Organisation, Verb::Update) {
        body["username"] = json!(person.username);
        body["phone"] = json!(person.phone);
        body["email"] = json!(person.email);
        body["roles"] = json!(person.roles);
        body["version"] = json!(person.version);
    }
    body
}

fn read<T: DeserializeOwned>(body: Map<String, Json>) -> Result<T, AppError> {
    serde_json::from_value(Json::Object(body))
        .map_err(|error| AppError::field("body", text!("内容不符合要求：{}", error)))
}

fn plain_roles() -> Vec<String> {
    vec!["staff".into()]
}

/// The roles meant by codes or ids.
fn roles_named(conn: &mut store::Conn<'_>, wanted: &[String]) -> Result<Vec<RoleId>, AppError> {
    let known = org::load_roles(conn)?;
    let find = |text: &String| {
        let id = text.parse::<RoleId>().ok();
        let found = known.iter().find(|r| (r.code == *text || Some(r.id) == id) && !r.is_bundle);
        found.map(|r| r.id).ok_or_else(|| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
            AppError::field("roles", text!("没有角色“{}”", shown))
        })
    };
    let mut roles: Vec<RoleId> = wanted.iter().take(50).map(find).collect::<Result<_, _>>()?;
    roles.sort_unstable();
    roles.dedup();
    Ok(roles)
}

/// List people
///
/// Names of colleagues are never hidden; those who keep the organisation see more of them.
#[utoipa::path(get, path = "/api/v1/people", tag = "people",
    params(
        ("q" = Option<String>, Query, max_length = 100, description = "Part of a name, its pinyin or initials"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Cursor from next"),
    ),
    responses(
        (status = 200, body = PersonList),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "A parameter cannot be accepted", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn list_people(
    State(app): State<App>,
    actor: Actor,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))?;
    let after = match asked.get("after") {
        "" => PersonId(0),
        text => {
            text.parse().map_err(|_| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))?
        }
    };
    check_query(asked.get("q"))?;
    let q = asked.get("q").trim();
    let mut people = app.db.read(org::list_people).await?;
    people.retain(|p| p.id > after && (q.is_empty() || p.is_meant_by(q)));
    people.sort_by_key(|p| p.id);
    let next = (people.len() > limit).then(|| people[limit - 1].id.to_string());
    let items = people.iter().take(limit).map(|p| json_of(p, &actor)).collect();
    Ok(json_reply(&page_of(items, next, None)))
}

/// Show a person
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people",
    params(("id" = inline(PersonId), Path)),
    responses(
        (status = 200, body = PersonBody, headers(("ETag" = String))),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such person", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn show_person(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: PersonId = id.parse().map_err(|_| AppError::NotFound)?;
    let person = app.db.read(move |conn| org::load_person(conn, id)).await?.ok_or(AppError::NotFound)?;
    Ok(Reply::ok(json_of(&person, &actor), person.version))
}

/// Add a person
///
/// For whoever keeps the organisation.
#[utoipa::path(post, path = "/api/v1/people", tag = "people",
    request_body = PersonInput,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    responses(
        (status = 201, body = PersonBody, headers(("ETag" = String))),
        (status = 400, description = "Not JSON", content_type = "application/problem+json", body = Problem),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not permitted", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The same key is being worked on", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "Too large", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "Not JSON", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Fields that cannot be accepted", content_type = "application/problem+json", body = Problem),
        (status = 503, description = "Too busy; try again", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn create_person(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    require_may(&actor, Object::Organisation, Verb::Update)?;
    let request = Json::Object(body.clone()).to_string();
    let input: PersonInput = read(body)?;
    let company = app.company().await?.map_or_else(String::new, |c| c.name);
    if let Some(text) = check_new_password(&input.password, &[&input.username, &input.name, &company]) {
        return Err(AppError::field("password", text));
    }
    let roles = input.roles;
    let person = NewPerson {
        roles: Vec::new(),
        username: input.username,
        name: input.name,
        title: input.title,
        phone: input.phone,
        email: input.email,
        password_hash: app.passwords.hash(input.password).await?,
        must_change_password: true,
    };
    let by = actor.clone();
    // Only those who keep the organisation come here, and they see everybody.
    let may_see = |_: &mut store::Tx<'_>, _: &Json| Ok(());
    write_once(&app, &actor, &headers, &["POST /api/v1/people", &request], may_see, move |tx, now| {
        let person = NewPerson { roles: roles_named(tx, &roles)?, ..person.clone() };
        let id = org::add_person(tx, &by, &person, now)?;
        let made = org::load_person(tx, id)?.ok_or(AppError::NotFound)?;
        Ok(Reply::created(json_of(&made, &by), made.version))
    })
    .await
}

/// Change a person
///
/// For whoever keeps the organisation. A change of roles or activity ends his sessions at once.
#[utoipa::path(patch, path = "/api/v1/people/{id}", tag = "people",
    request_body = PersonPatch,
    params(("id" = inline(PersonId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses(
        (status = 200, body = PersonBody, headers(("ETag" = String))),
        (status = 400, description = "Not JSON", content_type = "application/problem+json", body = Problem),
        (status = 401, description = "Not signed in", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not permitted", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such person", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The last administrator", content_type = "application/problem+json", body = Problem),
        (status = 412, description = "Changed meanwhile", content_type = "application/problem+json", body = Problem),
        (status = 413, description = "Too large", content_type = "application/problem+json", body = Problem),
        (status = 415, description = "Not JSON", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Fields that cannot be accepted", content_type = "application/problem+json", body = Problem),
        (status = 428, description = "If-Match is missing", content_type = "application/problem+json", body = Problem),
    ))]
pub async fn update_person(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    require_may(&actor, Object::Organisation, Verb::Update)?;
    let id: PersonId = id.parse().map_err(|_| AppError::NotFound)?;
    let version = if_match(&headers)?;
    let patch: PersonPatch = read(body)?;
    let change = PersonChange {
        name: patch.name,
        title: patch.title,
        phone: patch.phone,
        email: patch.email,
        roles: None,
        is_active: patch.is_active,
    };
    let roles = patch.roles;
    let now = app.now();
    let done = app
        .db
        .write(move |tx| {
            let roles = roles.as_ref().map(|wanted| roles_named(tx, wanted)).transpose()?;
            let change = PersonChange { roles, ..change.clone() };
            org::change_person(tx, &actor, id, version, &change, now)?;
            let changed = org::load_person(tx, id)?.ok_or(AppError::NotFound)?;
            Ok::<_, AppError>(Reply::ok(json_of(&changed, &actor), changed.version))
        })
        .await;
    app.forget_sessions();
    done
}
