//! The review of rights in the JSON API: who has had which role since when, confirmed or taken back.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use crate::access::{Actor, Directory, Object, Verb};
use crate::app::App;
use crate::clock::{Millis, rfc3339};
use crate::contacts::api_parts::{ChangeProblems, ReadProblems};
use crate::error::{AppError, FieldError};
use crate::ids::{PersonId, RoleId, UnitId};
use crate::input::{refuse, refuse_rest};
use crate::roles::{
    Line, MOST_SETTLED, REVIEW, ReviewQuery, ReviewRules, Source, Verdict, review, settle_lines,
};
use crate::settings;
use crate::text;
use crate::web::api::{Reply, json_reply, limit, page_of, write_once};
use crate::web::{Granter, JsonBody, Need, QueryData, Routes};

const DAY: Millis = 86_400_000;

pub(super) fn routes(routes: Routes) -> Routes {
    let grants = Need::May(Object::Role, Verb::Update);
    routes
        .api(grants, routes!(list_reviewed_roles))
        .api(grants, routes!(confirm_roles))
        .api(grants, routes!(revoke_roles))
}

/// A role somebody has himself or through a post, as it is reviewed.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ReviewedRole {
    /// Names it when it is confirmed or taken back.
    key: String,
    /// Who.
    person_id: PersonId,
    /// His name.
    person: String,
    /// Whether he may sign in.
    is_active: bool,
    /// His last day in the company.
    left_on: Option<String>,
    /// Which role.
    role_id: RoleId,
    /// Its name.
    role: String,
    /// `direct`, or `post`: such a one cannot be taken back by itself.
    source: String,
    /// Code of the post that brings it.
    post: Option<String>,
    /// The unit of the post, or the one it was given for; null for the units he works in.
    unit_id: Option<UnitId>,
    /// Since when: given, or post and role came together.
    since: String,
    /// First day of the post.
    starts_on: Option<String>,
    /// Last day; null until further notice.
    ends_on: Option<String>,
    /// Name of who gave it.
    granted_by: Option<String>,
    /// Why.
    reason: String,
    /// When it was last confirmed.
    confirmed_at: Option<String>,
    /// Name of who confirmed it.
    confirmed_by: Option<String>,
    /// When he last signed in.
    last_login_at: Option<String>,
    /// The day he last used it, as far as that is known.
    used_on: Option<String>,
    /// Whether it has neither been given nor confirmed within the company's days.
    is_overdue: bool,
}

/// A page of the review.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ReviewedRoleList {
    /// The roles, the longest unchecked first.
    items: Vec<ReviewedRole>,
    /// Cursor of the next page; null at the end.
    next: Option<String>,
    /// How many there are.
    total: i64,
    /// After how many days one is overdue.
    review_days: i64,
}

/// Which of them.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ReviewInput {
    /// Keys of 1–100 of them: all are settled or, when one is refused, none.
    #[schema(min_items = 1, max_items = 100)]
    keys: Vec<String>,
}

/// How many were settled.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ReviewDone {
    /// How many.
    count: usize,
}

fn told(line: &Line, overdue: Millis) -> Json {
    let text = |text: &str| if text.is_empty() { Json::Null } else { json!(text) };
    json!({
        "key": line.source().key(), "person_id": line.person_id, "person": line.person, "is_active": line.is_active,
        "left_on": text(&line.left_on), "role_id": line.role_id, "role": line.role,
        "source": if line.post.is_empty() { "direct" } else { "post" }, "post": text(&line.post),
        "unit_id": line.unit_id, "since": rfc3339(line.since), "starts_on": text(&line.starts_on),
        "ends_on": text(&line.ends_on), "granted_by": text(&line.by), "reason": line.reason,
        "confirmed_at": line.confirmed_at.map(rfc3339), "confirmed_by": text(&line.confirmed_by),
        "last_login_at": line.last_login_at.map(rfc3339), "used_on": text(&line.used_on),
        "is_overdue": line.checked_at < overdue,
    })
}

/// What an address asks for.
fn wanted(
    asked: &QueryData,
    directory: &Directory,
    rules: ReviewRules,
    now: Millis,
) -> Result<ReviewQuery, AppError> {
    let no_id = |name| AppError::field(name, text!("不是有效的编号，应为 13 个字符"));
    let role = match asked.get("role_id") {
        "" => None,
        text => Some(text.parse::<RoleId>().map_err(|_| no_id("role_id"))?),
    };
    let units = match asked.get("unit_id") {
        "" => Vec::new(),
        text => {
            let unit: UnitId = text.parse().map_err(|_| no_id("unit_id"))?;
            let unit =
                directory.unit(unit).ok_or_else(|| AppError::field("unit_id", text!("没有这个部门")))?;
            directory.tree(unit.id)
        }
    };
    let unchecked_since = match asked.get("unchecked_days") {
        "" => None,
        "overdue" => Some(rules.overdue_before(now)),
        text => {
            let days = text.parse::<i64>().ok().filter(|days| (1..=3_650).contains(days));
            let wrong =
                || AppError::field("unchecked_days", text!("unchecked_days 为 1–3650 的整数，或 overdue"));
            Some(now - days.ok_or_else(wrong)? * DAY)
        }
    };
    let is_direct = match asked.get("source") {
        "" => None,
        "direct" => Some(true),
        "post" => Some(false),
        _ => return Err(AppError::field("source", text!("source 只能是 direct 或 post"))),
    };
    let after = asked.get("after");
    let is_place = after.split('.').count() == 5 && after.split('.').all(|n| n.parse::<i64>().is_ok());
    if !after.is_empty() && !is_place {
        return Err(AppError::field("after", text!("after 须是上一页给出的 next")));
    }
    Ok(ReviewQuery { role, units, unchecked_since, is_direct, after: after.to_owned() })
}

/// Lists who has which role, to be reviewed
///
/// Given directly and through posts, the longest unchecked first.
#[utoipa::path(
    get, path = "/api/v1/role-review", tag = "roles",
    params(
        ("role_id" = Option<String>, Query, description = "Only this role"),
        ("unit_id" = Option<String>, Query, description = "Only of posts in this unit and below it, and of people who work there"),
        ("source" = Option<String>, Query, pattern = "^(direct|post)?$", description = "Only those given directly, or through posts"),
        ("unchecked_days" = Option<String>, Query, pattern = "^(overdue|[0-9]{1,4})?$", description = "Neither given nor confirmed for so many days (1–3650); overdue for the company's"),
        ("after" = Option<String>, Query, description = "The cursor `next` of the page before"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "A page of the review", body = ReviewedRoleList), ReadProblems)
)]
async fn list_reviewed_roles(
    State(app): State<App>,
    _: Granter,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))?;
    let directory = app.directory().await?;
    let (day, now) = (app.today().to_string(), app.now());
    let rules: ReviewRules = app.db.read(|conn| settings::get(conn, REVIEW)).await?;
    let query = wanted(&asked, &directory, rules, now)?;
    let (mut lines, total) = app.db.read(move |conn| review(conn, &query, &day, limit + 1)).await?;
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(Line::place);
    let overdue = rules.overdue_before(now);
    let mut page = page_of(lines.iter().map(|line| told(line, overdue)).collect(), next, Some(total));
    page["review_days"] = rules.days.into();
    Ok(json_reply(&page))
}

/// The keys of a body.
fn keys(mut body: Map<String, Json>) -> Result<Vec<Source>, AppError> {
    let mut errors = Vec::new();
    let named = match body.remove("keys") {
        Some(Json::Array(keys)) if (1..=MOST_SETTLED).contains(&keys.len()) => keys,
        _ => {
            errors.push(FieldError::new("keys", text!("请给出 1–{} 项授权的 key", MOST_SETTLED)));
            Vec::new()
        }
    };
    let read = |key: &Json| key.as_str().and_then(Source::read);
    let lines: Vec<Source> = named.iter().filter_map(read).collect();
    if lines.len() < named.len() {
        errors.push(FieldError::new("keys", text!("key 须是列表里给出的")));
    }
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    Ok(lines)
}

async fn settle(
    app: &App,
    actor: Actor,
    headers: &HeaderMap,
    path: &str,
    body: Map<String, Json>,
    verdict: Verdict,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let lines = keys(body)?;
    let request = ["POST", path, &request];
    let by = actor.clone();
    let done = write_once(
        app,
        &actor,
        headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            settle_lines(tx, &by, &lines, verdict, now)?;
            Ok(Reply { version: None, ..Reply::created(json!({ "count": lines.len() }), 0) })
        },
    )
    .await;
    app.forget_sessions();
    done
}

/// Confirms roles
///
/// Notes that they were looked at and are still needed. Nobody confirms his own but an administrator.
#[utoipa::path(
    post, path = "/api/v1/role-review/confirmations", tag = "roles",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ReviewInput,
    responses((status = 201, description = "Confirmed", body = ReviewDone), ChangeProblems)
)]
async fn confirm_roles(
    State(app): State<App>,
    Granter(actor): Granter,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    settle(&app, actor, &headers, "/api/v1/role-review/confirmations", body, Verdict::Keep).await
}

/// Takes roles back
///
/// Those given directly; one that comes with a post goes with the post.
#[utoipa::path(
    post, path = "/api/v1/role-review/revocations", tag = "roles",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ReviewInput,
    responses((status = 201, description = "Taken back", body = ReviewDone), ChangeProblems)
)]
async fn revoke_roles(
    State(app): State<App>,
    Granter(actor): Granter,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    settle(&app, actor, &headers, "/api/v1/role-review/revocations", body, Verdict::Revoke).await
}
