//! Delegations, absences and skills in the JSON API: one's own, and for whoever keeps the organisation everybody's.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{KEEP, asked_id, asked_span, read};
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::clock::rfc3339;
use crate::contacts::api_parts::{CreateProblems, ReadProblems, path_id};
use crate::error::AppError;
use crate::ids::{AbsenceId, DelegationId, PersonId};
use crate::rosters::model::DAY;
use crate::rosters::{self, Absence, Acting, NewAbsence, NewDelegation, Skill, Span, read_time};
use crate::web::api::{Reply, json_reply, page_of, write_once};
use crate::web::{JsonBody, Need, Organiser, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(list_delegations, create_delegation))
        .api(Need::SignedIn, routes!(revoke_delegation))
        .api(Need::SignedIn, routes!(list_absences, create_absence))
        .api(Need::SignedIn, routes!(remove_absence))
        .api(Need::SignedIn, routes!(list_skills))
        .api(KEEP, routes!(set_skill, remove_skill))
}

/// Somebody acts for somebody else.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DelegationBody {
    /// Id.
    id: DelegationId,
    /// Who is away.
    from_id: PersonId,
    /// Who acts for him.
    to_id: PersonId,
    /// From when.
    starts_at: String,
    /// Until before when.
    ends_at: String,
    /// Why.
    reason: String,
    /// When it was ended before its time.
    revoked_at: Option<String>,
}

/// Delegations; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DelegationList {
    /// The delegations, latest first.
    items: Vec<DelegationBody>,
    /// Always null.
    next: Option<String>,
}

/// A new delegation.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationInput {
    /// Who is away; oneself when absent.
    from_id: Option<PersonId>,
    /// Who acts for him.
    to_id: PersonId,
    /// From when; now when absent.
    starts_at: Option<String>,
    /// Until before when; at most 366 days later.
    ends_at: String,
    /// Why, 1–200 characters.
    reason: String,
}

/// Somebody is away for a time.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AbsenceBody {
    /// Id.
    id: AbsenceId,
    /// Who.
    person_id: PersonId,
    /// Code of the dictionary `absence_kind`.
    kind: String,
    /// From when.
    starts_at: String,
    /// Until before when.
    ends_at: String,
    /// Anything else.
    note: String,
}

/// Absences; there is one page of them.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct AbsenceList {
    /// The absences, in order of their starts.
    items: Vec<AbsenceBody>,
    /// Always null.
    next: Option<String>,
}

/// A new absence.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceInput {
    /// Who; oneself when absent.
    person_id: Option<PersonId>,
    /// Code or name of the kind.
    kind: String,
    /// From when.
    starts_at: String,
    /// Until before when; at most 366 days later.
    ends_at: String,
    /// At most 200 characters.
    note: Option<String>,
}

/// What somebody knows.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct SkillBody {
    /// Code of the dictionary `skill`.
    skill: String,
    /// 1 (learning) to 5 (teaches others).
    level: i64,
    /// Last day it counts; empty for always.
    valid_until: String,
    /// Certificate and the like.
    note: String,
    /// What was measured, with its unit; empty when nothing was.
    score: String,
    /// The day it was assessed; empty when that is not said.
    assessed_on: String,
    /// Who assessed it; null when that is not said.
    assessed_by: Option<PersonId>,
}

/// The skills of a person.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct SkillList {
    /// The skills.
    items: Vec<SkillBody>,
    /// Always null.
    next: Option<String>,
}

/// How well somebody knows something.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillInput {
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    level: i64,
    /// Last day it counts.
    #[serde(default)]
    valid_until: String,
    /// At most 200 characters.
    #[serde(default)]
    note: String,
    /// What was measured, with its unit (`80 字/分`); at most 30 characters.
    #[serde(default)]
    score: String,
    /// The day it was assessed.
    #[serde(default)]
    assessed_on: String,
    /// Who assessed it.
    #[serde(default)]
    assessed_by: Option<PersonId>,
}

fn delegation_json(acting: &Acting) -> Json {
    let d = &acting.delegation;
    json!({
        "id": d.id, "from_id": d.from_id, "to_id": d.to_id, "starts_at": rfc3339(d.starts_at),
        "ends_at": rfc3339(d.ends_at), "reason": acting.reason, "revoked_at": acting.revoked_at.map(rfc3339),
    })
}

fn absence_json(a: &Absence) -> Json {
    json!({
        "id": a.id, "person_id": a.person_id, "kind": a.kind, "starts_at": rfc3339(a.span.starts_at),
        "ends_at": rfc3339(a.span.ends_at), "note": a.note,
    })
}

fn skill_json(s: &Skill) -> Json {
    json!({
        "skill": s.skill, "level": s.level, "valid_until": s.valid_until, "note": s.note, "score": s.score,
        "assessed_on": s.assessed_on, "assessed_by": s.assessed_by,
    })
}

/// Whose things may be listed: the person asked for, if the actor may know them; everybody's (`None`) only for whoever
/// keeps the organisation.
fn whose(actor: &Actor, query: &QueryData) -> Result<Option<PersonId>, AppError> {
    let asked = asked_id::<PersonId>(query, "person")?;
    if actor.may(Object::Organisation, Verb::Update) {
        return Ok(asked);
    }
    match asked {
        Some(person) if person != actor.person_id => Err(AppError::NotFound),
        _ => Ok(Some(actor.person_id)),
    }
}

/// List delegations
///
/// Those from and to oneself; for whoever keeps the organisation everybody's. Over ones are left out.
#[utoipa::path(
    get, path = "/api/v1/delegations", tag = "delegations",
    params(("person" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a person")),
    responses((status = 200, description = "The delegations", body = DelegationList), ReadProblems)
)]
async fn list_delegations(
    State(app): State<App>,
    actor: Actor,
    query: QueryData,
) -> Result<Response, AppError> {
    let of = whose(&actor, &query)?;
    let now = app.now();
    let all = app.db.read(move |conn| rosters::delegations(conn, of, now)).await?;
    Ok(json_reply(&page_of(all.iter().map(delegation_json).collect(), None, None)))
}

/// Let somebody act for oneself
///
/// Or, for whoever keeps the organisation and may grant roles, for somebody else. He gets the rights at the next request from `starts_at` on.
#[utoipa::path(
    post, path = "/api/v1/delegations", tag = "delegations",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = DelegationInput,
    responses((status = 201, description = "The new delegation", body = DelegationBody), CreateProblems)
)]
async fn create_delegation(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let input: DelegationInput = read(body)?;
    let new = NewDelegation {
        from_id: input.from_id.unwrap_or(actor.person_id),
        to_id: input.to_id,
        starts_at: input.starts_at.map(|t| read_time("starts_at", &t, &app.zone)).transpose()?,
        ends_at: read_time("ends_at", &input.ends_at, &app.zone)?,
        reason: input.reason,
    };
    let by = actor.clone();
    let request = ["POST", "/api/v1/delegations", &request];
    let done = write_once(
        &app,
        &actor,
        &headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            let acting = rosters::delegate(tx, &by, &new, now)?;
            Ok(Reply { version: None, ..Reply::created(delegation_json(&acting), 1) })
        },
    )
    .await;
    app.forget_sessions();
    done
}

/// End a delegation before its time
///
/// For the one who is away, or whoever keeps the organisation. It ends with the next request of the delegate.
#[utoipa::path(
    delete, path = "/api/v1/delegations/{id}", tag = "delegations",
    params(("id" = inline(DelegationId), Path)),
    responses((status = 204, description = "Ended"), CreateProblems)
)]
async fn revoke_delegation(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: DelegationId = path_id(&id)?;
    let now = app.now();
    let done = app.db.write(move |tx| rosters::revoke(tx, &actor, id, now)).await;
    app.forget_sessions();
    done.map(|()| Reply::done())
}

/// List absences
///
/// One's own; for whoever keeps the organisation everybody's. From today, 31 days, unless said otherwise.
#[utoipa::path(
    get, path = "/api/v1/absences", tag = "absences",
    params(("person" = Option<String>, Query, pattern = "^([0-7][0-9A-HJKMNP-TV-Z]{12})?$", description = "Id of a person"),
        ("from" = Option<String>, Query, description = "RFC 3339, or local to the company"),
        ("until" = Option<String>, Query, description = "At most 92 days after `from`")),
    responses((status = 200, description = "The absences", body = AbsenceList), ReadProblems)
)]
async fn list_absences(State(app): State<App>, actor: Actor, query: QueryData) -> Result<Response, AppError> {
    let of = whose(&actor, &query)?;
    let today = app.zone.day(app.today()).0;
    let span = asked_span(&query, &app.zone, Span::new(today, today + 31 * DAY))?;
    let all = app.db.read(move |conn| rosters::absences(conn, of, span)).await?;
    Ok(json_reply(&page_of(all.iter().map(absence_json).collect(), None, None)))
}

/// Enter an absence
///
/// One's own, or for whoever keeps the organisation anybody's. 409 when it overlaps another.
#[utoipa::path(
    post, path = "/api/v1/absences", tag = "absences",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, pattern = "^[!-~]+$", description = "1–200 characters; the same key gives the same answer for 72 hours")),
    request_body = AbsenceInput,
    responses((status = 201, description = "The new absence", body = AbsenceBody), CreateProblems)
)]
async fn create_absence(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Reply, AppError> {
    let request = Json::Object(body.clone()).to_string();
    let input: AbsenceInput = read(body)?;
    let starts_at = read_time("starts_at", &input.starts_at, &app.zone)?;
    let new = NewAbsence {
        person_id: input.person_id.unwrap_or(actor.person_id),
        kind: input.kind,
        span: Span::new(starts_at, read_time("ends_at", &input.ends_at, &app.zone)?),
        note: input.note.unwrap_or_default(),
    };
    let (by, catalogue, zone) = (actor.clone(), app.catalogue().await?, app.zone.clone());
    let request = ["POST", "/api/v1/absences", &request];
    write_once(
        &app,
        &actor,
        &headers,
        &request,
        |_, _| Ok(()),
        move |tx, now| {
            let absence = rosters::add_absence(tx, &by, &catalogue, &new, &zone, now)?;
            Ok(Reply { version: None, ..Reply::created(absence_json(&absence), 1) })
        },
    )
    .await
}

/// Take an absence away
///
/// One's own, or for whoever keeps the organisation anybody's.
#[utoipa::path(
    delete, path = "/api/v1/absences/{id}", tag = "absences",
    params(("id" = inline(AbsenceId), Path)),
    responses((status = 204, description = "Removed"), CreateProblems)
)]
async fn remove_absence(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Reply, AppError> {
    let id: AbsenceId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| rosters::remove_absence(tx, &actor, id, now)).await?;
    Ok(Reply::done())
}

/// Tell what somebody knows
///
/// One's own skills; for whoever keeps the organisation everybody's.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/skills", tag = "people",
    params(("id" = inline(PersonId), Path)),
    responses((status = 200, description = "The skills", body = SkillList), ReadProblems)
)]
async fn list_skills(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    if id != actor.person_id && !actor.may(Object::Organisation, Verb::Update) {
        return Err(AppError::NotFound);
    }
    let all = app
        .db
        .read(move |conn| {
            crate::org::load_person(conn, id)?.ok_or(AppError::NotFound)?;
            Ok::<_, AppError>(rosters::skills_of(conn, id)?)
        })
        .await?;
    Ok(json_reply(&page_of(all.iter().map(skill_json).collect(), None, None)))
}

/// Say how well somebody knows something
#[utoipa::path(
    put, path = "/api/v1/people/{id}/skills/{skill}", tag = "people",
    params(("id" = inline(PersonId), Path), ("skill" = String, Path, description = "Code of the dictionary `skill`")),
    request_body = SkillInput,
    responses((status = 200, description = "The skill as it now is", body = SkillBody), CreateProblems)
)]
async fn set_skill(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Path((id, skill)): Path<(String, String)>,
    JsonBody(body): JsonBody,
) -> Result<Response, AppError> {
    let person_id: PersonId = path_id(&id)?;
    let input: SkillInput = read(body)?;
    let catalogue = app.catalogue().await?;
    // A path may hold anything; only what the dictionary knows, or the person has, goes on.
    let skill = skill.replace('\0', "");
    let wanted = Skill {
        person_id,
        skill,
        level: input.level,
        valid_until: input.valid_until,
        note: input.note,
        score: input.score,
        assessed_on: input.assessed_on,
        assessed_by: input.assessed_by,
    };
    let now = app.now();
    let done = app.db.write(move |tx| rosters::set_skill(tx, &actor, &catalogue, &wanted, now)).await?;
    Ok(json_reply(&skill_json(&done)))
}

/// Take a skill away
#[utoipa::path(
    delete, path = "/api/v1/people/{id}/skills/{skill}", tag = "people",
    params(("id" = inline(PersonId), Path), ("skill" = String, Path, description = "Code of the dictionary `skill`")),
    responses((status = 204, description = "Removed"), CreateProblems)
)]
async fn remove_skill(
    State(app): State<App>,
    Organiser(actor): Organiser,
    Path((id, skill)): Path<(String, String)>,
) -> Result<Reply, AppError> {
    let id: PersonId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| rosters::remove_skill(tx, &actor, id, &skill, now)).await?;
    Ok(Reply::done())
}
