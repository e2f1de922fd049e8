//! Publishing, swaps and one's own shifts in the JSON API.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{ShiftList, asked_id, asked_span, read, shift_json};
use crate::access::Actor;
use crate::app::App;
use crate::clock::{Millis, rfc3339};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, ShiftId, SwapId};
use crate::rosters::model::DAY;
use crate::rosters::{self, NewSwap, Span, Swap, SwapAct, ics};
use crate::text;
use crate::web::api::{Based, Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(publish_roster))
        .api(Need::SignedIn, routes!(list_swaps, create_swap))
        .api(Need::SignedIn, routes!(show_swap, answer_swap))
        .api(Need::SignedIn, routes!(list_own_shifts))
        .api(Need::SignedIn, routes!(own_calendar))
}

/// What is published to staff.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationInput {
    /// First day, YYYY-MM-DD.
    first: String,
    /// Last day; at most 92 days in all.
    last: String,
}

/// What was published.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct PublicationBody {
    /// Shifts that staff see from now on.
    shifts: u64,
    /// Of them, with something against them, for instance an absence.
    conflicts: u64,
}

/// A swap.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct SwapBody {
    /// Id.
    id: SwapId,
    /// On which roster.
    roster_id: RosterId,
    /// The shift somebody wants to give.
    shift_id: ShiftId,
    /// Whose it is.
    from_id: PersonId,
    /// The colleague who is asked.
    to_id: PersonId,
    /// When the shift begins.
    starts_at: String,
    /// When it ends.
    ends_at: String,
    /// The colleague's shift that is taken for it; null when he only stands in.
    other_shift_id: Option<ShiftId>,
    /// `asked`, `accepted` (whoever plans has not decided), `done`, `declined`, `withdrawn`, `refused`, `expired` or `void`
    /// (a shift was changed meanwhile, or another colleague took it).
    state: String,
    /// When it expires: the earlier of the shifts begins.
    expires_at: String,
    /// Why he asks.
    note: String,
    /// What was answered.
    answer: String,
    /// When he asked.
    asked_at: String,
    /// When the colleague answered.
    answered_at: Option<String>,
    /// When whoever plans decided.
    decided_at: Option<String>,
    /// Counts changes.
    version: i64,
}

/// Swaps; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct SwapList {
    /// The swaps, the latest first; at most 200.
    items: Vec<SwapBody>,
    /// Always null.
    next: Option<String>,
}

/// A swap to be asked for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapInput {
    /// One's own published shift.
    shift_id: ShiftId,
    /// The colleague.
    to_id: PersonId,
    /// His shift on the same roster that one takes for it.
    other_shift_id: Option<ShiftId>,
    /// Why; at most 200 characters.
    note: Option<String>,
}

/// What is said to a swap.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapAnswer {
    /// `accept` or `decline` (the colleague), `withdraw` (the one who asked), `approve` or `refuse` (whoever plans).
    act: String,
    /// At most 200 characters.
    answer: Option<String>,
}

fn swap_json(s: &Swap, now: Millis) -> Json {
    json!({
        "id": s.id, "roster_id": s.roster_id, "shift_id": s.shift_id, "from_id": s.from_id, "to_id": s.to_id,
        "starts_at": rfc3339(s.span.starts_at), "ends_at": rfc3339(s.span.ends_at),
        "other_shift_id": s.other_shift_id, "state": s.state_at(now).code(), "expires_at": rfc3339(s.expires_at),
        "note": s.note, "answer": s.answer, "asked_at": rfc3339(s.asked_at),
        "answered_at": s.answered_at.map(rfc3339), "decided_at": s.decided_at.map(rfc3339), "version": s.version,
    })
}

fn day(field: &str, text: &str) -> Result<Date, AppError> {
    text.parse::<Date>()
        .ok()
        .filter(|d| text.len() == 10 && (2000..2100).contains(&d.year()))
        .ok_or_else(|| AppError::field(field, text!("请填写日期，例如 2026-09-28")))
}

/// Publish a duty roster to staff
///
/// The drafts that begin on these days. For those who plan the roster. Conflicts do not hinder it; they are counted. 409
/// when there is no draft.
#[utoipa::path(
    post, path = "/api/v1/rosters/{id}/publications", tag = "rosters",
    params(("id" = inline(RosterId), Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = PublicationInput,
    responses((status = 201, description = "What was published", body = PublicationBody), CreateProblems)
)]
async fn publish_roster(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let id: RosterId = path_id(&id)?;
    let request = Json::Object(body.clone()).to_string();
    let input: PublicationInput = read(body)?;
    let (first, last) = (day("first", &input.first)?, day("last", &input.last)?);
    let (by, zone) = (actor.clone(), app.zone.clone());
    let path = format!("/api/v1/rosters/{id}/publications");
    write_once(
        &app,
        &actor,
        &headers,
        &["POST", &path, &request],
        |_, _| Ok(()),
        move |tx, now| {
            let done = rosters::publish(tx, &by, id, first, last, &zone, now)?;
            let body = json!({ "shifts": done.shifts, "conflicts": done.conflicts });
            Ok(Reply { version: None, ..Reply::created(body, 1) })
        },
    )
    .await
}

/// List swaps
///
/// Those one asked for or was asked for; those of a roster for those who plan it.
#[utoipa::path(
    get, path = "/api/v1/swaps", tag = "rosters",
    params(("roster" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a roster one plans")),
    responses((status = 200, description = "The swaps", body = SwapList), ReadProblems)
)]
async fn list_swaps(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let roster = asked_id::<RosterId>(&query, "roster")?;
    let now = app.now();
    let all = app
        .db
        .read(move |conn| match roster {
            None => Ok::<_, AppError>(rosters::swaps_of(conn, actor.person_id, 200)?),
            Some(id) => {
                rosters::require_plan(conn, &actor, id)?;
                Ok(rosters::swaps_on(conn, id, 200)?)
            }
        })
        .await?;
    Ok(json_reply(&page_of(all.iter().map(|s| swap_json(s, now)).collect(), None, None)))
}

/// Ask a colleague for a swap
///
/// To take one's own published shift, or to take it for one of his on the same roster. 409 when he could not: away, on
/// duty, without the skill or the rest the roster asks for; when the roster does not allow swaps; when the shift has
/// begun; when he is asked already.
#[utoipa::path(
    post, path = "/api/v1/swaps", tag = "rosters",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = SwapInput,
    responses((status = 201, description = "The swap", body = SwapBody, headers(("ETag" = String))), CreateProblems)
)]
async fn create_swap(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let input: SwapInput = read(body)?;
    let new = NewSwap {
        shift_id: input.shift_id,
        to_id: input.to_id,
        other_shift_id: input.other_shift_id,
        note: input.note.unwrap_or_default(),
    };
    let (by, catalogue, zone) = (actor.clone(), app.catalogue().await?, app.zone.clone());
    write_once(
        &app,
        &actor,
        &headers,
        &["POST", "/api/v1/swaps", &request],
        |_, _| Ok(()),
        move |tx, now| {
            let swap = rosters::ask_swap(tx, &by, &catalogue, &new, &zone, now)?;
            Ok(Reply::created(swap_json(&swap, now), swap.version))
        },
    )
    .await
}

/// Show a swap
///
/// For the two colleagues and those who plan the roster.
#[utoipa::path(
    get, path = "/api/v1/swaps/{id}", tag = "rosters",
    params(("id" = inline(SwapId), Path)),
    responses((status = 200, description = "The swap", body = SwapBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_swap(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<Reply, AppError> {
    let id: SwapId = path_id(&id)?;
    let now = app.now();
    let swap = app.db.read(move |conn| rosters::load_swap(conn, &actor, id)).await?;
    Ok(Reply::ok(swap_json(&swap, now), swap.version))
}

/// Answer a swap
///
/// The last yes swaps the shifts at once: the colleague's, or on a roster that asks for it that of whoever plans. 409 when
/// it is settled or expired, or the shift cannot change hands any more.
#[utoipa::path(
    patch, path = "/api/v1/swaps/{id}", tag = "rosters",
    params(("id" = inline(SwapId), Path), ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")),
    request_body = SwapAnswer,
    responses((status = 200, description = "The swap as it now is", body = SwapBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn answer_swap(
    State(app): State<App>,
    actor: Actor,
    Based { id, version }: Based<SwapId>,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let input: SwapAnswer = read(body)?;
    let act = SwapAct::named(&input.act).ok_or_else(|| {
        AppError::field("act", text!("act 只能是 accept、decline、withdraw、approve 或 refuse"))
    })?;
    let (catalogue, zone, now) = (app.catalogue().await?, app.zone.clone(), app.now());
    let said = input.answer.unwrap_or_default();
    let swap = app
        .db
        .write(move |tx| {
            rosters::answer_swap(tx, &actor, &catalogue, id, Some(version), act, &said, &zone, now)
        })
        .await?;
    Ok(Reply::ok(swap_json(&swap, now), swap.version))
}

/// List one's own shifts
///
/// As published, on rosters in use. From today, 31 days, unless said otherwise.
#[utoipa::path(
    get, path = "/api/v1/me/shifts", tag = "rosters",
    params(("from" = Option<String>, Query, description = "RFC 3339, or local to the company"),
        ("until" = Option<String>, Query, description = "At most 92 days after `from`")),
    responses((status = 200, description = "The shifts", body = ShiftList), ReadProblems)
)]
async fn list_own_shifts(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    let today = app.zone.day(app.today()).0;
    let span = asked_span(&query, &app.zone, Span::new(today, today + 31 * DAY))?;
    let all = app.db.read(move |conn| rosters::own_shifts(conn, actor.person_id, span)).await?;
    Ok(json_reply(&page_of(all.iter().map(shift_json).collect(), None, None)))
}

/// One's own shifts as a calendar
///
/// iCalendar (RFC 5545): as published, on rosters in use, from 31 days ago to 92 days ahead. A shift keeps its UID.
#[utoipa::path(
    get, path = "/api/v1/me/shifts.ics", tag = "rosters",
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"), ReadProblems)
)]
async fn own_calendar(State(app): State<App>, actor: Actor) -> Result<Response, AppError> {
    let (now, me, l) = (app.now(), actor.person_id, actor.lang);
    let (shifts, rosters) = app
        .db
        .read(move |conn| {
            let shifts = rosters::own_shifts(conn, me, Span::new(now - 31 * DAY, now + 92 * DAY))?;
            Ok::<_, AppError>((shifts, rosters::list(conn)?))
        })
        .await?;
    let directory = app.directory().await?;
    let entries: Vec<ics::Entry> = shifts
        .into_iter()
        .map(|s| {
            let roster = rosters.iter().find(|r| r.id == s.roster_id);
            let name = roster.map_or_else(String::new, |r| r.name.clone());
            ics::Entry {
                id: s.id,
                span: s.span,
                summary: l.f("值班：{}", &[&name]),
                description: s.note,
                location: roster
                    .and_then(|r| directory.unit(r.unit_id))
                    .map_or_else(String::new, |u| u.name.clone()),
                sequence: s.version - 1,
                stamp: s.changed_at.or(s.published_at).unwrap_or(now),
            }
        })
        .collect();
    let body = ics::calendar(l.t("我的值班"), &entries);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"duty.ics\"")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((headers, body).into_response())
}
