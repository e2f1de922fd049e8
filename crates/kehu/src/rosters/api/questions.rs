//! The questions other work asks of rosters, in the JSON API: who is on duty, who was, who is free next, who receives.

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{asked_id, asked_time};
use crate::access::Actor;
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{ReadProblems, path_id};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, UnitId};
use crate::rosters::{self, Place, Reception, Wanted, load, read_time};
use crate::text;
use crate::web::api::json_reply;
use crate::web::{Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(on_duty))
        .api(Need::SignedIn, routes!(was_on_duty))
        .api(Need::SignedIn, routes!(next_free))
        .api(Need::SignedIn, routes!(receive))
}

/// A colleague by name.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct Colleague {
    /// Id.
    id: PersonId,
    /// Name.
    name: String,
}

/// Who is on duty.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DutyBody {
    /// The moment it is told for.
    at: String,
    /// Who is on duty, in the order of their starts.
    people: Vec<Colleague>,
    /// Those of them who are not away.
    free: Vec<Colleague>,
}

/// Whether somebody was on duty on a day.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct WasBody {
    /// Whether he was.
    was_on_duty: bool,
}

/// Who can take work first.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct NextBody {
    /// Who; null when nobody can within 31 days.
    person: Option<Colleague>,
    /// From when.
    starts_at: Option<String>,
    /// Until before when.
    ends_at: Option<String>,
}

/// Who receives a caller.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ReceptionBody {
    /// `manager`, `superior`, `on_duty`, `next` or `nobody`.
    outcome: String,
    /// Who; null for `nobody`.
    person: Option<Colleague>,
    /// From when, for `next`.
    starts_at: Option<String>,
}

/// The place a query names: a roster, a unit with those below it, or everywhere.
async fn place(app: &App, query: &QueryData) -> Result<Place, AppError> {
    if let Some(roster) = asked_id::<RosterId>(query, "roster")? {
        app.db.read(move |conn| load(conn, roster)).await?;
        return Ok(Place::Roster(roster));
    }
    let unit = asked_id::<UnitId>(query, "unit")?;
    let directory = app.directory().await?;
    if unit.is_some_and(|u| directory.unit(u).is_none()) {
        return Err(AppError::NotFound);
    }
    Ok(Place::of(&directory, unit))
}

async fn colleagues(app: &App, people: &[PersonId]) -> Result<Vec<Json>, AppError> {
    let directory = app.directory().await?;
    let name = |p: &PersonId| directory.member(*p).map_or_else(String::new, |m| m.name.clone());
    Ok(people.iter().map(|p| json!({ "id": p, "name": name(p) })).collect())
}

/// Tell who is on duty
///
/// On a roster, on the rosters of a unit and those below it, or on any.
#[utoipa::path(
    get, path = "/api/v1/on-duty", tag = "rosters",
    params(("roster" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a roster"),
        ("unit" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a unit"),
        ("at" = Option<String>, Query, description = "When; now when absent")),
    responses((status = 200, description = "Who is on duty", body = DutyBody), ReadProblems)
)]
async fn on_duty(State(app): State<App>, _: Actor, query: QueryData) -> Result<Response, AppError> {
    let at = asked_time(&query, "at", &app.zone, app.now())?;
    let place = place(&app, &query).await?;
    let (people, free) = app
        .db
        .read(move |conn| {
            let people = rosters::on_duty(conn, &place, at)?;
            Ok::<_, store::Error>((people, rosters::free_people(conn, &place, at)?))
        })
        .await?;
    let (people, free) = (colleagues(&app, &people).await?, colleagues(&app, &free).await?);
    Ok(json_reply(&json!({ "at": rfc3339(at), "people": people, "free": free })))
}

/// Tell whether somebody was on duty on a day
///
/// On a roster of the unit or below it, or on any. A shift that crosses into the day counts.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/on-duty", tag = "rosters",
    params(("id" = inline(PersonId), Path), ("day" = Option<String>, Query, description = "YYYY-MM-DD; today when absent"),
        ("unit" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a unit")),
    responses((status = 200, description = "Whether he was", body = WasBody), ReadProblems)
)]
async fn was_on_duty(
    State(app): State<App>,
    _: Actor,
    Path(id): Path<String>,
    query: QueryData,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let day = match query.find("day").filter(|t| !t.is_empty()) {
        None => app.today(),
        Some(text) => app.zone.date(read_time("day", text, &app.zone)?),
    };
    let unit = asked_id::<UnitId>(&query, "unit")?;
    let directory = app.directory().await?;
    if directory.member(id).is_none() || unit.is_some_and(|u| directory.unit(u).is_none()) {
        return Err(AppError::NotFound);
    }
    let zone = app.zone.clone();
    let was = app.db.read(move |conn| rosters::was_on_duty(conn, &directory, id, unit, day, &zone)).await?;
    Ok(json_reply(&json!({ "was_on_duty": was })))
}

/// Tell who can take work first
///
/// On shift for the whole time, not away, the best level first. Looks 31 days ahead.
#[utoipa::path(
    get, path = "/api/v1/next-free", tag = "rosters",
    params(("skill" = String, Query, description = "Code of a skill"),
        ("minutes" = Option<u32>, Query, minimum = 1, maximum = 1440, description = "How long it takes; 60 when absent"),
        ("from" = Option<String>, Query, description = "Not before; now when absent"),
        ("unit" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a unit; those below it count too")),
    responses((status = 200, description = "Who and when", body = NextBody), ReadProblems)
)]
async fn next_free(State(app): State<App>, _: Actor, query: QueryData) -> Result<Response, AppError> {
    let catalogue = app.catalogue().await?;
    let skill = query.get("skill").to_owned();
    if catalogue.dictionary("skill").entry(&skill).is_none() {
        return Err(AppError::field("skill", text!("没有这个值，请从列出的值中选择")));
    }
    let minutes: i64 = match query.find("minutes") {
        None => 60,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| (1..=1440).contains(n))
            .ok_or_else(|| AppError::field("minutes", text!("minutes 为 1–1440 的整数")))?,
    };
    let from = asked_time(&query, "from", &app.zone, app.now())?;
    let unit = asked_id::<UnitId>(&query, "unit")?;
    let directory = app.directory().await?;
    let zone = app.zone.clone();
    let found = app
        .db
        .read(move |conn| {
            let wanted = Wanted { skill: &skill, unit, from, lasts: minutes * 60_000 };
            rosters::next_free(conn, &directory, &wanted, &zone)
        })
        .await?;
    let body = match found {
        None => json!({ "person": null, "starts_at": null, "ends_at": null }),
        Some((person, span)) => json!({
            "person": colleagues(&app, &[person]).await?[0], "starts_at": rfc3339(span.starts_at),
            "ends_at": rfc3339(span.ends_at),
        }),
    };
    Ok(json_reply(&body))
}

/// Tell who receives a caller
///
/// The manager he names; his superior when that one has left; else whoever is on duty, or is next.
#[utoipa::path(
    get, path = "/api/v1/reception", tag = "rosters",
    params(("roster" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a roster"),
        ("unit" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a unit"),
        ("manager" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of the manager the caller names"),
        ("at" = Option<String>, Query, description = "When; now when absent")),
    responses((status = 200, description = "Who receives him", body = ReceptionBody), ReadProblems)
)]
async fn receive(State(app): State<App>, _: Actor, query: QueryData) -> Result<Response, AppError> {
    let at = asked_time(&query, "at", &app.zone, app.now())?;
    let named = asked_id::<PersonId>(&query, "manager")?;
    let place = place(&app, &query).await?;
    let (directory, zone) = (app.directory().await?, app.zone.clone());
    let found = app.db.read(move |conn| rosters::receive(conn, &directory, &place, named, at, &zone)).await?;
    use Reception as R;
    let (outcome, person, starts_at) = match found {
        R::Manager(p) => ("manager", Some(p), None),
        R::Superior(p) => ("superior", Some(p), None),
        R::OnDuty(p) => ("on_duty", Some(p), None),
        R::Next(p, at) => ("next", Some(p), Some(rfc3339(at))),
        R::Nobody => ("nobody", None, None),
    };
    let person = match person {
        Some(person) => colleagues(&app, &[person]).await?.pop(),
        None => None,
    };
    Ok(json_reply(&json!({ "outcome": outcome, "person": person, "starts_at": starts_at })))
}
