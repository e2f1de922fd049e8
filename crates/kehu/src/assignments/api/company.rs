//! What concerns all tasks: how they go, and what the company set about them.

use axum::extract::State as Shared;
use axum::response::Response;
use serde_json::{Value as Json, json};
use utoipa_axum::routes;

use crate::access::Actor;
use crate::app::App;
use crate::assignments::model::Ground;
use crate::assignments::web::statistics_for;
use crate::assignments::{Figures, Rules, rules, set_rules};
use crate::contacts::api_parts::{ChangeProblems, ReadProblems};
use crate::error::{AppError, FieldError};
use crate::ids::{ProcessId, UnitId};
use crate::input::{refuse, refuse_rest};
use crate::text;
use crate::web::api::json_reply;
use crate::web::{Administrator, JsonBody, Need, QueryData, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .api(Need::SignedIn, routes!(show_statistics))
        .api(Need::Administrator, routes!(show_rules, set_assignment_rules))
}

/// How many tasks.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct FiguresBody {
    /// Given, and given again.
    given: i64,
    /// Done in time.
    in_time: i64,
    /// Done late.
    late: i64,
    /// Sent back.
    bounced: i64,
}

/// The figures of a unit.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct UnitFigures {
    /// The unit.
    unit_id: UnitId,
    /// Its figures.
    figures: FiguresBody,
}

/// The figures of a process.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct ProcessFigures {
    /// The process; null for tasks that name none.
    process_id: Option<ProcessId>,
    /// Its figures.
    figures: FiguresBody,
}

/// How tasks go.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the answer in the OpenAPI document")]
pub struct StatisticsBody {
    /// All of them.
    total: FiguresBody,
    /// By unit.
    by_unit: Vec<UnitFigures>,
    /// By process.
    by_process: Vec<ProcessFigures>,
}

/// What the company set about tasks.
#[derive(serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the API in the OpenAPI document")]
pub struct RulesBody {
    /// Hours after its due date when the right of an open task ends.
    #[schema(minimum = 0, maximum = 720)]
    grace_hours: i64,
    /// Code of the bundle that is offered first; empty for none.
    bundle: String,
}

fn figures_json(f: &Figures) -> Json {
    json!({ "given": f.given, "in_time": f.in_time, "late": f.late, "bounced": f.bounced })
}

fn rules_json(rules: &Rules) -> Json {
    json!({ "grace_hours": rules.grace_hours, "bundle": rules.bundle })
}

/// Shows how tasks go
///
/// By unit and by process: of every unit for those who keep the organisation, else of the units the caller or somebody
/// below him leads.
#[utoipa::path(
    get, path = "/api/v1/assignments/statistics", tag = "assignments",
    params(
        ("from" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2})?$", description = "First month, 2026-01"),
        ("to" = Option<String>, Query, pattern = "^([0-9]{4}-[0-9]{2})?$", description = "Last month"),
    ),
    responses((status = 200, description = "The figures", body = StatisticsBody), ReadProblems)
)]
async fn show_statistics(
    Shared(app): Shared<App>,
    actor: Actor,
    asked: QueryData,
) -> Result<Response, AppError> {
    for name in ["from", "to"] {
        let month = asked.get(name);
        if !month.is_empty()
            && (month.len() != 7 || format!("{month}-01").parse::<jiff::civil::Date>().is_err())
        {
            return Err(AppError::field(name, text!("请填写月份，例如 2026-09")));
        }
    }
    let period = (asked.get("from").to_owned(), asked.get("to").to_owned());
    let found = statistics_for(&app, &actor, period).await?;
    let by_unit: Vec<Json> =
        found.by_unit.iter().map(|(id, f)| json!({ "unit_id": id, "figures": figures_json(f) })).collect();
    let by_process: Vec<Json> = found
        .by_process
        .iter()
        .map(|(id, f)| json!({ "process_id": id, "figures": figures_json(f) }))
        .collect();
    Ok(json_reply(&json!({
        "total": figures_json(&found.total), "by_unit": by_unit, "by_process": by_process,
    })))
}

/// Shows what the company set about tasks
#[utoipa::path(
    get, path = "/api/v1/assignments/rules", tag = "assignments",
    responses((status = 200, description = "The settings", body = RulesBody), ReadProblems)
)]
async fn show_rules(Shared(app): Shared<App>, _: Administrator) -> Result<Response, AppError> {
    let rules = app.db.read(rules).await?;
    Ok(json_reply(&rules_json(&rules)))
}

/// Sets how long a right outlives the due date, and the usual bundle
///
/// Rights that were given already end when they were to end.
#[utoipa::path(
    put, path = "/api/v1/assignments/rules", tag = "assignments",
    request_body = RulesBody,
    responses((status = 200, description = "The settings as they now are", body = RulesBody), ChangeProblems)
)]
async fn set_assignment_rules(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    JsonBody(mut body): JsonBody,
) -> Result<Response, AppError> {
    let mut errors = Vec::new();
    let grace_hours = body.remove("grace_hours").and_then(|v| v.as_i64()).unwrap_or(-1);
    let bundle = match body.remove("bundle") {
        Some(Json::String(code)) => code,
        _ => {
            errors.push(FieldError::new("bundle", text!("这里要用文字")));
            String::new()
        }
    };
    refuse_rest(&body, &[], &mut errors);
    refuse(errors)?;
    let (ground, wished) = (Ground::of(&app).await?, Rules { grace_hours, bundle });
    let answer = rules_json(&wished);
    app.db.write(move |tx| set_rules(tx, &actor, &ground.directory, &wished, ground.now)).await?;
    Ok(json_reply(&answer))
}
