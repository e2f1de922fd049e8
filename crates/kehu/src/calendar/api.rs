//! The working calendar in the JSON API. Everybody who is signed in may read it; administrators change it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::routes;
use workday::{Calendar, Layer};

use super::{
    FIRST, Kind, LAST, Mark, Marked, between, clean_name, day, mark, marks, parse_arrangement, put, remove,
    set_year, source,
};
use crate::access::{Actor, require_administrator};
use crate::app::App;
use crate::clock::{parse_date, rfc3339};
use crate::contacts::api_parts::{ChangeProblems, CreateProblems, ReadProblems};
use crate::error::{AppError, FieldError};
use crate::input::{refuse, refuse_rest, take_text};
use crate::text;
use crate::web::api::{Reply, if_match, json_reply, write_once};
use crate::web::{Administrator, JsonBody, Need, QueryData, Routes};

/// Days that can be asked for at once.
const MOST_ASKED: i64 = 1_100;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(show_calendar))
        .api(Need::SignedIn, routes!(show_calendar_day))
        .api(Need::Administrator, routes!(mark_calendar_day, unmark_calendar_day))
        .api(Need::Administrator, routes!(enter_arrangement))
}

/// A day of the working calendar.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CalendarDayBody {
    /// `YYYY-MM-DD`.
    date: String,
    /// `rest` (a day off) or `work`.
    kind: String,
    /// What makes it so (Chinese): 国庆节假期, 春节调休, 周末.
    name: String,
    /// `week` (an ordinary day of the week), `law` (named by the law, in years that are not announced), `notice` (the State
    /// Council's notice) or `company` (marked here).
    source: String,
    /// Counts the company's changes of this day.
    version: i64,
    /// When the company changed it last (UTC); null for never.
    updated_at: Option<String>,
    /// By whom; null for nobody and for the command line.
    updated_by: Option<String>,
}

/// What is known of a year.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CalendarYearBody {
    /// The year.
    year: i64,
    /// Whether its arrangement is known: announced and built in, or entered by the company. Otherwise Monday to Friday but
    /// for the days the law names are taken for working days.
    is_known: bool,
    /// Whether the company says that it has entered all of it.
    is_entered: bool,
}

/// The days that are not what the week would make them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct CalendarBody {
    /// Days off, make-up days and marked days, in order; ordinary working days and weekends are left out.
    items: Vec<CalendarDayBody>,
    /// Always null.
    next: Option<String>,
    /// The years they belong to.
    years: Vec<CalendarYearBody>,
}

/// A mark on a day.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct CalendarMarkInput {
    /// `rest` (a day off) or `work`.
    kind: String,
    /// Why: 1–30 characters.
    name: String,
}

/// A whole arrangement.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct ArrangementInput {
    /// A line for a day or for days in a row: `2027-02-05..2027-02-11 放假 春节`, `2027-02-14 上班 春节调休`.
    text: String,
    /// The year of which this is all, if it is.
    year: Option<i16>,
}

/// What an arrangement changed.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ArrangementBody {
    /// Days whose mark is another one now.
    changed: i64,
}

fn body(calendar: &Calendar, date: Date, marked: Option<&Marked>) -> Option<Json> {
    let day = calendar.day(date)?;
    Some(json!({
        "date": date.to_string(),
        "kind": Kind::from(day.kind).code(),
        "name": day.why,
        "source": source(day.layer).0,
        "version": marked.map_or(0, |marked| marked.version),
        "updated_at": marked.and_then(|marked| marked.updated).map(|(at, _)| rfc3339(at)),
        "updated_by": marked.and_then(|marked| marked.updated).and_then(|(_, by)| (by.0 != 0).then_some(by)),
    }))
}

/// A day in a path; what is none, or lies beyond the calendar, is not found.
fn path_day(text: &str) -> Result<Date, AppError> {
    let day = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
    day.filter(|day| (FIRST..=LAST).contains(day)).ok_or(AppError::NotFound)
}

/// A day in a query string, `otherwise` when it is not named.
fn asked_day(asked: &QueryData, name: &str, otherwise: Date) -> Result<Date, AppError> {
    let Some(text) = asked.find(name).filter(|text| !text.is_empty()) else { return Ok(otherwise) };
    let day = parse_date(text).and_then(|text| text.parse::<Date>().ok());
    day.filter(|day| (FIRST..=LAST).contains(day))
        .ok_or_else(|| AppError::field(name, text!("请填写日期，例如 2027-02-05")))
}

/// Show the working calendar
///
/// The days off, make-up days and marked days between two dates, with where each comes from. Without dates, those of this
/// year. Every other day is a working day from Monday to Friday and a day off on the weekend.
#[utoipa::path(
    get, path = "/api/v1/calendar", tag = "calendar",
    params(
        ("from" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description = "The first day"),
        ("to" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description = "The last day; at most three years later")
    ),
    responses((status = 200, description = "The days", body = CalendarBody), ReadProblems)
)]
async fn show_calendar(State(app): State<App>, _: Actor, asked: QueryData) -> Result<Response, AppError> {
    let today = app.today();
    let from = asked_day(&asked, "from", today.first_of_year())?;
    let to = asked_day(&asked, "to", from.last_of_year())?;
    let days = to.duration_since(from).as_hours() / 24 + 1;
    if !(1..=MOST_ASKED).contains(&days) {
        return Err(AppError::field("to", text!("结束日期应在开始日期之后，最多 {} 天", MOST_ASKED)));
    }
    let calendar = app.calendar().await?;
    let (marked, entered) =
        app.db.read(move |conn| Ok::<_, AppError>((between(conn, from, to)?, marks(conn)?.years))).await?;
    let items: Vec<Json> = from
        .series(1.day())
        .take_while(|date| *date <= to)
        .filter(|date| calendar.day(*date).is_some_and(|day| day.layer != Layer::Week))
        .filter_map(|date| body(&calendar, date, marked.get(&date)))
        .collect();
    let years: Vec<Json> = (from.year()..=to.year())
        .map(|year| {
            let is_known = calendar.guess(year).is_none();
            json!({ "year": year, "is_known": is_known, "is_entered": entered.contains(&year) })
        })
        .collect();
    Ok(json_reply(&json!({ "items": items, "next": null, "years": years })))
}

/// Show a day
///
/// What it is and where that comes from; its version is what a mark is based on.
#[utoipa::path(
    get, path = "/api/v1/calendar/{date}", tag = "calendar",
    params(("date" = String, Path, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "The day, from 2000 to 2100")),
    responses((status = 200, description = "The day", body = CalendarDayBody, headers(("ETag" = String))), ReadProblems)
)]
async fn show_calendar_day(
    State(app): State<App>,
    _: Actor,
    Path(date): Path<String>,
) -> Result<Reply, AppError> {
    let date = path_day(&date)?;
    let marked = app.db.read(move |conn| day(conn, date)).await?;
    reply(&app, &marked).await
}

async fn reply(app: &App, marked: &Marked) -> Result<Reply, AppError> {
    let calendar = app.calendar().await?;
    let body = body(&calendar, marked.day, Some(marked)).ok_or(AppError::NotFound)?;
    Ok(Reply::ok(body, marked.version))
}

fn read_mark(mut sent: Map<String, Json>) -> Result<Mark, AppError> {
    let mut errors = Vec::new();
    let [kind, name] = ["kind", "name"].map(|key| take_text(&mut sent, key, &mut errors));
    refuse_rest(&sent, &["date", "source", "version", "updated_at", "updated_by"], &mut errors);
    refuse(errors)?;
    let kind = kind.as_deref().and_then(Kind::named);
    let name = name.as_deref().and_then(clean_name);
    match (kind, name) {
        (Some(kind), Some(name)) => Ok(Mark { kind, name }),
        (kind, name) => {
            let mut errors = Vec::new();
            if kind.is_none() {
                errors.push(FieldError::new("kind", text!("kind 只能是 rest 或 work")));
            }
            if name.is_none() {
                errors.push(FieldError::new("name", text!("请填写名称，1 到 {} 个字", 30)));
            }
            Err(AppError::Invalid(errors))
        }
    }
}

/// Mark a day
///
/// As a day off or as a working day. It holds for what is reckoned from now on; due times that are stored stay.
#[utoipa::path(
    put, path = "/api/v1/calendar/{date}", tag = "calendar",
    params(
        ("date" = String, Path, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "The day, from 2000 to 2100"),
        ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")
    ),
    request_body = CalendarMarkInput,
    responses((status = 200, description = "The day as it now is", body = CalendarDayBody, headers(("ETag" = String))), ChangeProblems)
)]
async fn mark_calendar_day(
    State(app): State<App>,
    Administrator(actor): Administrator,
    Path(date): Path<String>,
    headers: HeaderMap,
    JsonBody(sent): JsonBody,
) -> Result<Reply, AppError> {
    let (date, version, now) = (path_day(&date)?, if_match(&headers)?, app.now());
    let mark = read_mark(sent)?;
    let marked = app.db.write(move |tx| put(tx, &actor, date, &mark, version, now)).await?;
    app.forget_calendar();
    reply(&app, &marked).await
}

/// Take a mark away
///
/// The day is what the week and the holidays make it again.
#[utoipa::path(
    delete, path = "/api/v1/calendar/{date}", tag = "calendar",
    params(
        ("date" = String, Path, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description = "The day, from 2000 to 2100"),
        ("If-Match" = Option<String>, Header, description = "The ETag this change is based on; without it 428")
    ),
    responses((status = 204, description = "Taken away"), ChangeProblems)
)]
async fn unmark_calendar_day(
    State(app): State<App>,
    Administrator(actor): Administrator,
    Path(date): Path<String>,
    headers: HeaderMap,
) -> Result<Reply, AppError> {
    let (date, version, now) = (path_day(&date)?, if_match(&headers)?, app.now());
    app.db.write(move |tx| remove(tx, &actor, date, version, now)).await?;
    app.forget_calendar();
    Ok(Reply::done())
}

/// Enter a whole arrangement
///
/// All of its days are marked, or none when a line cannot be read.
#[utoipa::path(
    post, path = "/api/v1/calendar/arrangements", tag = "calendar",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = ArrangementInput,
    responses((status = 201, description = "It is entered", body = ArrangementBody), (status = 403, description = "Only administrators may", content_type = "application/problem+json", body = crate::web::api::Problem), CreateProblems)
)]
async fn enter_arrangement(
    State(app): State<App>,
    Administrator(actor): Administrator,
    headers: HeaderMap,
    JsonBody(mut sent): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(sent.clone()).to_string();
    let mut errors = Vec::new();
    let text = take_text(&mut sent, "text", &mut errors).unwrap_or_default();
    let year = match sent.remove("year") {
        None | Some(Json::Null) => None,
        Some(year) => {
            let year = year.as_i64().and_then(|year| i16::try_from(year).ok());
            if year.is_none() {
                errors.push(FieldError::new("year", text!("请填写 2000 到 2100 之间的年份")));
            }
            year
        }
    };
    refuse_rest(&sent, &[], &mut errors);
    refuse(errors)?;
    let lines = parse_arrangement(&text).map_err(AppError::Invalid)?;
    let by = actor.clone();
    let request = ["POST", "/api/v1/calendar/arrangements", &request];
    let seen_by = actor.clone();
    let reply = write_once(
        &app,
        &actor,
        &headers,
        &request,
        move |_, _| require_administrator(&seen_by),
        move |tx, now| {
            let changed = mark(tx, &by, &lines, None, now)?;
            if let Some(year) = year {
                set_year(tx, &by, year, true, None, now)?;
            }
            Ok(Reply {
                status: axum::http::StatusCode::CREATED,
                body: json!({ "changed": changed }),
                version: None,
            })
        },
    )
    .await?;
    app.forget_calendar();
    Ok(reply)
}
