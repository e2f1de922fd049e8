//! Rosters and shifts in the JSON API. Everybody who is signed in may read.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;

use super::model::{DAY, Roster, Shift, Span};
use super::{Place, RosterDraft, ShiftDraft, Which, load, read_time};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::clock::{Millis, Zone, rfc3339};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, ShiftId, UnitId};
use crate::text;
use crate::web::api::{Based, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Organiser, QueryData, Routes};

const KEEP: Need = Need::May(Object::Organisation, Verb::Update);

pub(super) fn routes(routes: Routes) -> Routes {
    // Who may plan a roster is decided by the roster.
    let routes = routes
        .api(Need::SignedIn, routes!(list_rosters))
        .api(KEEP, routes!(create_roster))
        .api(Need::SignedIn, routes!(show_roster))
        .api(KEEP, routes!(update_roster, remove_roster))
        .api(Need::SignedIn, routes!(list_shifts, create_shift))
        .api(Need::SignedIn, routes!(show_shift, update_shift, remove_shift));
    swaps::routes(people::routes(questions::routes(routes)))
}

mod people;
mod questions;
mod swaps;

/// A duty roster.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct RosterBody {
    /// Id.
    id: RosterId,
    /// The unit it belongs to.
    unit_id: UnitId,
    /// Name.
    name: String,
    /// Anything else.
    note: String,
    /// From when somebody should be there, `HH:MM`; empty when that is not said.
    opens: String,
    /// Until when; not after `opens` means the next day.
    closes: String,
    /// On which days of the week, 1 is Monday.
    weekdays: String,
    /// Whether it is in use.
    is_active: bool,
    /// Code of the skill its people should have; empty for none.
    skill: String,
    /// Hours of rest between two shifts of a person; 0 for no rule.
    rest_hours: i64,
    /// How shifts are swapped: `off`, `free` (the colleague's yes is enough) or `approve` (whoever plans agrees too).
    swaps: String,
    /// Counts changes.
    version: i64,
}

/// All rosters; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct RosterList {
    /// The rosters.
    items: Vec<RosterBody>,
    /// Always null.
    next: Option<String>,
}

/// A new roster.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterInput {
    /// The unit it belongs to.
    unit_id: UnitId,
    /// Name, 1–60 characters, once in a unit.
    name: String,
    /// At most 500 characters.
    note: Option<String>,
    /// From when somebody should be there, `HH:MM`.
    opens: Option<String>,
    /// Until when; not after `opens` means the next day.
    closes: Option<String>,
    /// On which days of the week, 1 is Monday; every day when absent.
    weekdays: Option<String>,
    /// Code of the skill its people should have.
    skill: Option<String>,
    /// Hours of rest between two shifts of a person.
    #[schema(minimum = 0, maximum = 48)]
    rest_hours: Option<i64>,
    /// `off`, `free` or `approve`; `approve` when absent.
    swaps: Option<String>,
}

/// A change of a roster; absent names stay as they are.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterPatch {
    /// The unit it belongs to.
    unit_id: Option<UnitId>,
    /// Name.
    name: Option<String>,
    /// Anything else.
    note: Option<String>,
    /// From when somebody should be there; empty takes it away.
    opens: Option<String>,
    /// Until when.
    closes: Option<String>,
    /// On which days of the week.
    weekdays: Option<String>,
    /// Whether it is in use.
    is_active: Option<bool>,
    /// Code of the skill its people should have; empty takes it away.
    skill: Option<String>,
    /// Hours of rest between two shifts of a person.
    #[schema(minimum = 0, maximum = 48)]
    rest_hours: Option<i64>,
    /// `off`, `free` or `approve`.
    swaps: Option<String>,
}

/// Somebody on duty for a time.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ShiftBody {
    /// Id.
    id: ShiftId,
    /// On which roster.
    roster_id: RosterId,
    /// Who.
    person_id: PersonId,
    /// From when.
    starts_at: String,
    /// Until before when.
    ends_at: String,
    /// Anything else.
    note: String,
    /// When it was published to staff; null for a draft, which only those who plan the roster see.
    published_at: Option<String>,
    /// When it was last changed after that; null when it was not.
    changed_at: Option<String>,
    /// Counts changes.
    version: i64,
}

/// The shifts within a time; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ShiftList {
    /// The shifts, in order of their starts.
    items: Vec<ShiftBody>,
    /// Always null.
    next: Option<String>,
}

/// A new shift.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftInput {
    /// Who.
    person_id: PersonId,
    /// From when: RFC 3339, or local to the company.
    starts_at: String,
    /// Until before when; at most 7 days later.
    ends_at: String,
    /// At most 200 characters.
    note: Option<String>,
}

/// A change of a shift; absent names stay as they are.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftPatch {
    /// Who.
    person_id: Option<PersonId>,
    /// From when.
    starts_at: Option<String>,
    /// Until before when.
    ends_at: Option<String>,
    /// Anything else.
    note: Option<String>,
}

pub(super) fn read<T: DeserializeOwned>(body: Map<String, Json>) -> Result<T, AppError> {
    serde_json::from_value(Json::Object(body))
        .map_err(|error| AppError::field("body", text!("内容不符合要求：{}", error)))
}

fn roster_json(r: &Roster) -> Json {
    json!({
        "id": r.id, "unit_id": r.unit_id, "name": r.name, "note": r.note, "opens": r.opens, "closes": r.closes,
        "weekdays": r.weekdays, "is_active": r.is_active, "skill": r.skill, "rest_hours": r.rest_hours,
        "swaps": r.swaps.code(), "version": r.version,
    })
}

fn shift_json(s: &Shift) -> Json {
    json!({
        "id": s.id, "roster_id": s.roster_id, "person_id": s.person_id, "starts_at": rfc3339(s.span.starts_at),
        "ends_at": rfc3339(s.span.ends_at), "note": s.note, "published_at": s.published_at.map(rfc3339),
        "changed_at": s.changed_at.map(rfc3339), "version": s.version,
    })
}

/// An optional id in a query string.
pub(super) fn asked_id<T: std::str::FromStr>(query: &QueryData, name: &str) -> Result<Option<T>, AppError> {
    match query.find(name).filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => {
            text.parse().map(Some).map_err(|_| AppError::field(name, text!("不是有效的编号，应为 13 个字符")))
        }
    }
}

/// A point in time in a query string; `or` without one.
pub(super) fn asked_time(query: &QueryData, name: &str, zone: &Zone, or: Millis) -> Result<Millis, AppError> {
    match query.find(name).filter(|t| !t.is_empty()) {
        None => Ok(or),
        Some(text) => read_time(name, text, zone),
    }
}

/// The span of `from` and `until`, at most 92 days.
pub(super) fn asked_span(query: &QueryData, zone: &Zone, or: Span) -> Result<Span, AppError> {
    let starts_at = asked_time(query, "from", zone, or.starts_at)?;
    let lasts = or.ends_at - or.starts_at;
    let ends_at = asked_time(query, "until", zone, starts_at + lasts)?;
    if ends_at <= starts_at || ends_at - starts_at > 92 * DAY {
        return Err(AppError::field("until", text!("until 须晚于 from，最多相隔 {} 天", 92)));
    }
    Ok(Span::new(starts_at, ends_at))
}

/// List duty rosters
///
/// All of them, those in use first.
#[utoipa::path(
    get, path = "/api/v1/rosters", tag = "rosters",
    responses((status = 200, description = "All rosters", body = RosterList), ReadProblems)
)]
async fn list_rosters(State(app): State<App>, _: Actor) -> Result<Response, AppError> {
    let all = app.db.read(super::list).await?;
    Ok(json_reply(&page_of(all.iter().map(roster_json).collect(), None, None)))
}

/// Add a duty roster
#[utoipa::path(
    post, path = "/api/v1/rosters", tag = "rosters",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = RosterInput,
    responses((status = 201, description = "The new roster", body = RosterBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_roster(
    State(app): State<App>,
    Organiser(actor): Organiser,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let input: RosterInput = read(body)?;
    let draft = RosterDraft {
        unit_id: Some(input.unit_id),
        name: Some(input.name),
        note: input.note,
        opens: input.opens,
        closes: input.closes,
        weekdays: input.weekdays,
        is_active: None,
        skill: input.skill,
        rest_hours: input.rest_hours,
        swaps: input.swaps,
    };
    let (by, catalogue) = (actor.clone(), app.catalogue().await?);
    let request = ["POST", "/api/v1/rosters", &request];
    write_once(
        &app,
        &actor,
        &headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            let roster = super::create(tx, &by, &catalogue, &draft, now)?;
            Ok(Reply::created(roster_json(&roster), roster.version))
        },
    )
    .await
}

/// Show a duty roster
#[utoipa::path(
    get, path = "/api/v1/rosters/{id}", tag = "rosters",
    params(("id" = inline(RosterId), Path)),
    responses((status = 200, description = "The roster", body = RosterBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_roster(State(app): State<App>, _: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = app.db.read(move |conn| load(conn, id)).await?;
    Ok(Reply::ok(roster_json(&roster), roster.version))
}

/// Change a duty roster
#[utoipa::path(
    patch, path = "/api/v1/rosters/{id}", tag = "rosters",
    params(("id" = inline(RosterId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = RosterPatch,
    responses((status = 200, description = "The roster as it now is", body = RosterBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_roster(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Based { id, version }: Based<RosterId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let patch: RosterPatch = read(body)?;
    let draft = RosterDraft {
        unit_id: patch.unit_id,
        name: patch.name,
        note: patch.note,
        opens: patch.opens,
        closes: patch.closes,
        weekdays: patch.weekdays,
        is_active: patch.is_active,
        skill: patch.skill,
        rest_hours: patch.rest_hours,
        swaps: patch.swaps,
    };
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let roster =
        app.db.write(move |tx| super::update(tx, &actor, &catalogue, id, Some(version), &draft, now)).await?;
    Ok(Reply::ok(roster_json(&roster), roster.version))
}

/// Take a duty roster away
///
/// 409 when duty on it has begun: it stays as evidence and can be put out of use.
#[utoipa::path(
    delete, path = "/api/v1/rosters/{id}", tag = "rosters",
    params(("id" = inline(RosterId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_roster(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Based { id, version }: Based<RosterId>,
) -> Result<Reply, AppError> {
    let now = app.now();
    app.db.write(move |tx| super::remove(tx, &actor, id, Some(version), now)).await?;
    Ok(Reply::done())
}

/// List the shifts of a roster
///
/// Those with a moment between `from` (this Monday when absent) and `until` (7 days later when absent), as published;
/// for those who plan the roster drafts too.
#[utoipa::path(
    get, path = "/api/v1/rosters/{id}/shifts", tag = "rosters",
    params(("id" = inline(RosterId), Path),
        ("from" = Option<String>, Query, description = "RFC 3339, or local to the company"),
        ("until" = Option<String>, Query, description = "At most 92 days after `from`")),
    responses((status = 200, description = "The shifts", body = ShiftList), ReadProblems)
)]
async fn list_shifts(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let monday = super::web::monday_of(app.today());
    let from = app.zone.day(monday).0;
    let span = asked_span(&query, &app.zone, Span::new(from, from + 7 * DAY))?;
    let all = app
        .db
        .read(move |conn| {
            let roster = load(conn, id)?;
            let which = Which::seen_by(super::may_plan(conn, &actor, roster.unit_id)?);
            Ok::<_, AppError>(super::shifts(conn, &Place::Roster(id), span, which)?)
        })
        .await?;
    Ok(json_reply(&page_of(all.iter().map(shift_json).collect(), None, None)))
}

fn draft_of(
    person_id: Option<PersonId>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    note: Option<String>,
    zone: &Zone,
) -> Result<ShiftDraft, AppError> {
    Ok(ShiftDraft {
        person_id,
        starts_at: starts_at.map(|t| read_time("starts_at", &t, zone)).transpose()?,
        ends_at: ends_at.map(|t| read_time("ends_at", &t, zone)).transpose()?,
        note,
    })
}

/// Put somebody on duty
///
/// A draft, until it is published. For those who plan the roster: whoever keeps the organisation, and the heads of its
/// unit and of those above. 409 when he is away, gone, on another shift then, or without the rest the roster asks for.
#[utoipa::path(
    post, path = "/api/v1/rosters/{id}/shifts", tag = "rosters",
    params(("id" = inline(RosterId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ShiftInput,
    responses((status = 201, description = "The new shift", body = ShiftBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_shift(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: RosterId = path_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let input: ShiftInput = read(body)?;
    let draft =
        draft_of(Some(input.person_id), Some(input.starts_at), Some(input.ends_at), input.note, &app.zone)?;
    let (by, catalogue, zone) = (actor.clone(), app.catalogue().await?, app.zone.clone());
    let path = format!("/api/v1/rosters/{id}/shifts");
    write_once(
        &app,
        &actor,
        &headers,
        &["POST", &path, &request],
        |_, _| Ok(()),
        move |tx, now| {
            let shift = super::add_shift(tx, &by, &catalogue, id, &draft, &zone, now)?;
            Ok(Reply::created(shift_json(&shift), shift.version))
        },
    )
    .await
}

/// Show a shift
#[utoipa::path(
    get, path = "/api/v1/shifts/{id}", tag = "rosters",
    params(("id" = inline(ShiftId), Path)),
    responses((status = 200, description = "The shift", body = ShiftBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_shift(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: ShiftId = path_id(&id)?;
    let shift = app
        .db
        .read(move |conn| {
            let shift = super::load_shift(conn, id)?;
            if !shift.is_published() {
                let unit = load(conn, shift.roster_id)?.unit_id;
                if !super::may_plan(conn, &actor, unit)? {
                    return Err(AppError::NotFound);
                }
            }
            Ok(shift)
        })
        .await?;
    Ok(Reply::ok(shift_json(&shift), shift.version))
}

/// Change a shift
///
/// For those who plan the roster. What becomes of a published one is told to the people concerned.
#[utoipa::path(
    patch, path = "/api/v1/shifts/{id}", tag = "rosters",
    params(("id" = inline(ShiftId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = ShiftPatch,
    responses((status = 200, description = "The shift as it now is", body = ShiftBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn update_shift(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<ShiftId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let patch: ShiftPatch = read(body)?;
    let draft = draft_of(patch.person_id, patch.starts_at, patch.ends_at, patch.note, &app.zone)?;
    let (catalogue, zone, now) = (app.catalogue().await?, app.zone.clone(), app.now());
    let shift = app
        .db
        .write(move |tx| super::update_shift(tx, &actor, &catalogue, id, Some(version), &draft, &zone, now))
        .await?;
    Ok(Reply::ok(shift_json(&shift), shift.version))
}

/// Take a shift away
#[utoipa::path(
    delete, path = "/api/v1/shifts/{id}", tag = "rosters",
    params(("id" = inline(ShiftId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
async fn remove_shift(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<ShiftId>,
) -> Result<Reply, AppError> {
    let now = app.now();
    app.db.write(move |tx| super::remove_shift(tx, &actor, id, Some(version), now).map(drop)).await?;
    Ok(Reply::done())
}
