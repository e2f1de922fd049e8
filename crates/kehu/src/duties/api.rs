//! Duties in the JSON API.

use axum::extract::State as Shared;
use axum::response::Response;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use super::{ListQuery, Owed, Per, Round, Standing, list, rounds};
use crate::access::Actor;
use crate::app::App;
use crate::cases::Ground;
use crate::clock::rfc3339;
use crate::contacts::api_parts::ReadProblems;
use crate::error::AppError;
use crate::ids::{CustomerId, DutyId, PersonId, PolicyVersionId, RoundId, UnitId};
use crate::text;
use crate::web::api::{json_reply, limit, page_of};
use crate::web::{Need, QueryData, Routes};

/// Characters the names of policies, duties and clauses have at the most.
const LONGEST_NAME: usize = 60;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Need::SignedIn, routes!(list_duties)).api(Need::SignedIn, routes!(list_duty_rounds))
}

/// What is owed in a period.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct OwedDutyBody {
    /// Id.
    id: DutyId,
    /// Short name of its policy.
    policy: String,
    /// The version of the policy it was opened under.
    policy_version_id: PolicyVersionId,
    /// The duty's name in the policy.
    duty: String,
    /// What it is called.
    title: String,
    /// The clause it rests on.
    clause: String,
    /// Who owes it: `company`, `unit`, `person` or `customer`.
    per: String,
    /// The unit, person or customer; null for the company, and for a customer the caller may not read.
    subject_id: Option<CustomerId>,
    /// The unit it belongs to.
    unit_id: Option<UnitId>,
    /// The period, in Chinese.
    period: String,
    /// The last instant in time.
    due_at: String,
    /// How often it must be done in the period.
    times: i64,
    /// How often it was.
    done: i64,
    /// When the last that was needed came.
    done_at: Option<String>,
    /// `open`, `done`, `late` or `missed`.
    state: String,
    /// Who has to do it.
    people: Vec<PersonId>,
}

/// A page of what is owed.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct OwedDutyList {
    /// What is owed.
    items: Vec<OwedDutyBody>,
    /// Cursor of the next page; null at the end.
    next: Option<String>,
}

/// A period of a duty.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DutyRoundBody {
    /// Id.
    id: RoundId,
    /// Short name of its policy.
    policy: String,
    /// The duty's name in the policy.
    duty: String,
    /// What it is called.
    title: String,
    /// The clause it rests on.
    clause: String,
    /// The period, in Chinese.
    period: String,
    /// The last instant in time.
    due_at: String,
    /// Whether that has passed.
    is_closed: bool,
    /// How many owe it, of those the caller may read.
    total: i64,
    /// How many did it in time.
    done: i64,
    /// How many did it late.
    late: i64,
    /// How many have not done it though it was due.
    missed: i64,
    /// The share done in time, in whole per cent.
    share: Option<i64>,
    /// The share to reach, 0 to 1.
    target: Option<f64>,
    /// Whether it is reached.
    reaches: Option<bool>,
}

/// The latest periods.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct DutyRoundList {
    /// The latest first.
    items: Vec<DutyRoundBody>,
    /// Always null: the list ends at its limit.
    next: Option<String>,
}

fn told(owed: &Owed) -> Json {
    let subject = match owed.per {
        Per::Company => None,
        Per::Customer => owed.customer.as_ref().map(|customer| customer.id),
        Per::Unit | Per::Person => Some(CustomerId(owed.subject_id)),
    };
    json!({
        "id": owed.id, "policy": owed.policy, "policy_version_id": owed.version_id, "duty": owed.duty,
        "title": owed.title, "clause": owed.clause, "per": owed.per.code(), "subject_id": subject,
        "unit_id": owed.unit_id, "period": owed.period, "due_at": rfc3339(owed.due_at), "times": owed.times,
        "done": owed.done, "done_at": owed.done_at.map(rfc3339), "state": owed.standing.code(), "people": owed.people,
    })
}

fn round_json(round: &Round) -> Json {
    json!({
        "id": round.id, "policy": round.policy, "duty": round.duty, "title": round.title, "clause": round.clause,
        "period": round.period, "due_at": rfc3339(round.due_at), "is_closed": round.is_closed, "total": round.total,
        "done": round.done, "late": round.late, "missed": round.missed, "share": round.share(), "target": round.target,
        "reaches": round.reaches(),
    })
}

/// Lists duties
///
/// What the caller may read of what regulations ask for in every period: open and missed ones by due time, done ones the
/// latest first.
#[utoipa::path(
    get, path = "/api/v1/duties", tag = "duties",
    params(
        ("state" = Option<String>, Query, pattern = "^(open|missed|done)?$", description = "open when absent; done with those done late"),
        ("policy" = Option<String>, Query, max_length = 60, description = "Short name of the policy"),
        ("duty" = Option<String>, Query, max_length = 60, description = "The duty's name in the policy"),
        ("clause" = Option<String>, Query, max_length = 60, description = "Only what rests on this clause"),
        ("unit_id" = Option<String>, Query, description = "Only of this unit and those below it"),
        ("person_id" = Option<String>, Query, description = "Only what this person has to do"),
        ("after" = Option<String>, Query, description = "The cursor `next` of the page before"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "A page of duties", body = OwedDutyList), ReadProblems)
)]
async fn list_duties(Shared(app): Shared<App>, actor: Actor, asked: QueryData) -> Result<Response, AppError> {
    let query = ListQuery { limit: limit(asked.find("limit"))?, ..query_of(&asked, "state")? };
    let ground = Ground::of(&app).await?;
    let (found, next) = app.db.read(move |conn| list(conn, &actor, &ground, &query)).await?;
    Ok(json_reply(&page_of(found.iter().map(told).collect(), next, None)))
}

/// Reads the conditions of a list; shared with the pages, where the state is a tab.
pub(super) fn query_of(asked: &QueryData, state: &str) -> Result<ListQuery, AppError> {
    let standing = match asked.get(state) {
        "" | "open" => Standing::Open,
        "missed" => Standing::Missed,
        "done" => Standing::Done,
        _ => return Err(AppError::field(state, text!("状态只能是 open、missed 或 done"))),
    };
    let id = |name: &'static str| match asked.get(name) {
        "" => Ok(None),
        text => store::parse_id(text)
            .map(Some)
            .map_err(|_| AppError::field(name, text!("不是有效的编号，应为 13 个字符"))),
    };
    Ok(ListQuery {
        standing,
        policy: asked.word("policy", LONGEST_NAME)?.to_owned(),
        duty: asked.word("duty", LONGEST_NAME)?.to_owned(),
        clause: asked.word("clause", LONGEST_NAME)?.to_owned(),
        unit: id("unit_id")?.map(UnitId),
        person: id("person_id")?.map(PersonId),
        after: Some(asked.get("after").to_owned()).filter(|after| !after.is_empty()),
        limit: 50,
    })
}

/// Lists periods of duties with the share that was done
#[utoipa::path(
    get, path = "/api/v1/duty-rounds", tag = "duties",
    params(
        ("policy" = Option<String>, Query, max_length = 60, description = "Short name of the policy"),
        ("duty" = Option<String>, Query, max_length = 60, description = "The duty's name in the policy"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 200, description = "50 when absent"),
    ),
    responses((status = 200, description = "The latest periods", body = DutyRoundList), ReadProblems)
)]
async fn list_duty_rounds(
    Shared(app): Shared<App>,
    actor: Actor,
    asked: QueryData,
) -> Result<Response, AppError> {
    let limit = limit(asked.find("limit"))?;
    let (policy, duty) =
        (asked.word("policy", LONGEST_NAME)?.to_owned(), asked.word("duty", LONGEST_NAME)?.to_owned());
    let ground = Ground::of(&app).await?;
    let found = app.db.read(move |conn| rounds(conn, &actor, &ground, (&policy, &duty), limit)).await?;
    Ok(json_reply(&page_of(found.iter().map(round_json).collect(), None, None)))
}
