//! Penalties and their sums as files, for whoever deducts them.

use axum::extract::State as Shared;
use axum::response::Response;
use policy::model::Measure;
use serde_json::json;
use sheets::write::Cell;

use super::query_of;
use crate::access::Actor;
use crate::app::App;
use crate::audit::web::exported;
use crate::cases::Ground;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::PersonId;
use crate::penalties::{Decision, ListQuery, MOST_EXPORTED, Penalty, Place, Sum, all_of, sums};
use crate::web::{Page, QueryData, table_file};

/// What is counted, for a column of its own: a file adds up numbers, not words.
fn unit(measure: Measure, l: Lang) -> &'static str {
    match (measure, l) {
        (Measure::Money, Lang::Zh) => "元",
        (Measure::Money, Lang::En) => "CNY",
        (Measure::Points, Lang::Zh) => "分",
        (Measure::Points, Lang::En) => "points",
    }
}

fn number(amount: i64) -> Cell<'static> {
    Cell::Number(amount as f64 / 100.0)
}

fn sum_cells(sum: &Sum, l: Lang) -> Vec<Cell<'_>> {
    vec![
        Cell::Text(sum.person.as_str().into()),
        Cell::Text(sum.month.as_str().into()),
        Cell::Text(unit(sum.measure, l).into()),
        Cell::Integer(sum.final_count),
        number(sum.final_amount),
        Cell::Integer(sum.open_count),
        number(sum.open_amount),
    ]
}

fn penalty_cells<'p>(penalty: &'p Penalty, ground: &Ground, l: Lang) -> Vec<Cell<'p>> {
    let name = |id: Option<PersonId>| {
        let member = id.and_then(|id| ground.directory.member(id));
        member.map_or_else(String::new, |member| member.name.clone())
    };
    let minute = |at: Option<i64>| super::minute_or_nothing(&ground.zone, at);
    let appeal = penalty.appeal.as_ref();
    let outcome = match appeal.and_then(|appeal| appeal.decision) {
        Some(Decision::Upheld) => l.t("维持处罚"),
        Some(Decision::Withdrawn) => l.t("撤销处罚"),
        None => "",
    };
    let is_final = if penalty.is_final(ground.now) { l.t("是") } else { l.t("否") };
    vec![
        Cell::Text(penalty.person.as_str().into()),
        Cell::Text(penalty.month.as_str().into()),
        Cell::Text(ground.zone.minute(penalty.at).into()),
        Cell::Text(penalty.title.as_str().into()),
        Cell::Text(penalty.clause.as_str().into()),
        number(penalty.amount),
        Cell::Text(unit(penalty.measure, l).into()),
        Cell::Text(l.t(penalty.state().title()).to_owned().into()),
        Cell::Text(is_final.to_owned().into()),
        Cell::Text(name(penalty.decided_by).into()),
        Cell::Text(minute(penalty.decided_at).into()),
        Cell::Text(penalty.note.as_str().into()),
        Cell::Text(minute(penalty.appeal_until).into()),
        Cell::Text(minute(appeal.map(|appeal| appeal.at)).into()),
        Cell::Text(appeal.map_or("", |appeal| appeal.reason.as_str()).into()),
        Cell::Text(outcome.to_owned().into()),
        Cell::Text(appeal.map_or("", |appeal| appeal.note.as_str()).into()),
        Cell::Text(penalty.case.as_ref().map_or("", |(number, _)| number.as_str()).into()),
    ]
}

/// The file of a list, or of the sums: what the page shows under the same conditions, all of it.
pub(super) async fn export(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let is_sums = asked.get("place") == "sums";
    let query: ListQuery = query_of(Place::named(asked.get("place")).unwrap_or_default(), &asked)?;
    let ground = Ground::of(&app).await?;
    let (me, of) = (actor.clone(), ground.clone());
    let (found, found_sums) = app
        .db
        .read(move |conn| {
            Ok::<_, AppError>(if is_sums {
                (Vec::new(), sums(conn, &me, &of, &query, MOST_EXPORTED)?)
            } else {
                (all_of(conn, &me, &of, &query)?, Vec::new())
            })
        })
        .await?;
    let format = if asked.get("format").is_empty() { "xlsx" } else { asked.get("format") };
    let (name, titles, rows): (&str, Vec<&str>, Vec<Vec<Cell<'_>>>) = if is_sums {
        let titles = vec!["人员", "月份", "计量单位", "已生效项数", "已生效数额", "未定项数", "未定数额"];
        ("penalty-sums", titles, found_sums.iter().map(|sum| sum_cells(sum, l)).collect())
    } else {
        let titles = vec![
            "人员",
            "月份",
            "时间",
            "罚则",
            "条款",
            "数额",
            "计量单位",
            "状态",
            "已生效",
            "确认人",
            "确认时间",
            "说明",
            "申诉截止",
            "申诉时间",
            "申诉理由",
            "裁决",
            "裁决理由",
            "单据",
        ];
        ("penalties", titles, found.iter().map(|one| penalty_cells(one, &ground, l)).collect())
    };
    let what = json!({ "asked": asked.with(&[]), "rows": rows.len() });
    exported(&app, &actor, ("penalty.exported", "penalty", 0), what).await?;
    let name = format!("{name}-{}", app.today());
    table_file(format, &name, titles.into_iter().map(|title| l.t(title).to_owned()).collect(), &rows)
}
