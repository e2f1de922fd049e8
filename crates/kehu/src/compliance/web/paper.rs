//! The inspection report of a regulation (执行情况检查报告) on paper: how each clause was kept in a period.

use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Response};
use print::{Align, Column, Imprint, Orientation, Report, Signature, SummaryLine, Table};
use serde_json::json;

use super::{Line, figures_of, version_for};
use crate::access::Actor;
use crate::app::App;
use crate::audit::web::exported;
use crate::compliance::Period;
use crate::error::AppError;
use crate::prints;
use crate::web::QueryData;

pub(in crate::compliance) async fn paper(
    Shared(app): Shared<App>,
    actor: Actor,
    Path(id): Path<String>,
    asked: QueryData,
) -> Result<Response, AppError> {
    let (version, ground) = version_for(&app, &actor, &id).await?;
    let period = Period::named(asked.get("period"));
    let lines = figures_of(&app, &actor, &version, &ground, period).await?;
    let what = json!({ "asked": format!("{} {}", version.policy, period.code()), "rows": lines.len() });
    exported(&app, &actor, ("policy.compliance_printed", "policy", version.id.0), what).await?;
    let (first, end) = period.days(app.today());
    let at = ground.zone.zoned(ground.now);
    let mut report = Report::new(
        format!("《{}》执行情况检查报告", version.title),
        Imprint { by: actor.name.clone(), at, count: 0 },
    );
    report.company = app.company().await?.map_or_else(String::new, |company| company.name);
    // The period ends before its last day begins.
    report.period = format!("{first} 至 {}", end.yesterday().unwrap_or(end));
    report.orientation = Orientation::Landscape;
    report.lines = vec![format!("版本 {}，按打印人看得到的单据统计", version.number)];
    report.tables = vec![table(&lines)];
    report.summary = summary(&lines);
    report.signatures = vec![Signature::new("检查人"), Signature::new("部门负责人")];
    let name = format!("compliance-{}-{first}.pdf", version.policy);
    let printed = prints::make(&app, move |printer| printer.report(&report)).await?;
    Ok(prints::answer(printed, &name).into_response())
}

fn table(lines: &[Line]) -> Table {
    let figure = |n: usize, title: &str| Column::new(format!("c{n}"), title).aligned(Align::Right);
    let mut columns = vec![Column::new("clause", "条款"), Column::new("title", "名称")];
    let titles = [
        "时限",
        "按期",
        "超期",
        "进行中",
        "按期率",
        "被拒绝",
        "豁免",
        "罚则",
        "职责按期",
        "职责逾期",
        "职责待完成",
    ];
    columns.extend(titles.iter().enumerate().map(|(n, title)| figure(n, title)));
    let row = |line: &Line| {
        let f = &line.figures;
        let mut cells = vec![line.clause.clone(), line.title.clone()];
        cells.extend([f.deadlines(), f.met, f.breached, f.running].map(|n| n.to_string()));
        cells.push(line.punctuality());
        let rest = [f.refusals, f.exemptions, f.penalties, f.duties_done, f.duties_missed, f.duties_open];
        cells.extend(rest.map(|n| n.to_string()));
        cells
    };
    Table {
        title: "逐条执行情况".into(), columns, rows: lines.iter().map(row).collect(), ..Table::default()
    }
}

/// What a reader looks for first: how many were late, and under which clauses.
fn summary(lines: &[Line]) -> Vec<SummaryLine> {
    let sum = |of: fn(&Line) -> i64| lines.iter().map(of).sum::<i64>();
    let (all, late) = (sum(|line| line.figures.deadlines()), sum(|line| line.figures.breached));
    let worst: Vec<&str> = lines
        .iter()
        .filter(|line| line.figures.breached + line.figures.duties_missed > 0)
        .map(|line| line.clause.as_str())
        .take(20)
        .collect();
    let line = |label: &str, text: String| SummaryLine { label: label.into(), text };
    vec![
        line("到期的时限", format!("{all} 项，超期 {late} 项")),
        line("没有按期完成的职责", format!("{} 项", sum(|line| line.figures.duties_missed))),
        line("有超期或逾期的条款", if worst.is_empty() { "无".into() } else { worst.join("、") }),
    ]
}
