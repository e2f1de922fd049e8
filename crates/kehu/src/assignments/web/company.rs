//! How tasks go, by unit and by process, and what the company set about them.

use askama::Template;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;

use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::assignments::model::Ground;
use crate::assignments::{Figures, Rules, Statistics, rules, set_rules, statistics};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::processes;
use crate::web::{Administrator, Choice, FormData, FormErrors, Page, QueryData, Shell, html, saved};

/// The figures an actor may know: of every unit for those who keep the organisation, else of the units he or somebody
/// below him leads. `period` is the first and the last month; empty for no bound.
pub(crate) async fn statistics_for(
    app: &App,
    actor: &Actor,
    period: (String, String),
) -> Result<Statistics, AppError> {
    let ground = Ground::of(app).await?;
    let sight = ground.sight(actor);
    let sees_all = actor.may(Object::Organisation, Verb::Update);
    Ok(app
        .db
        .read(move |conn| {
            let units = (!sees_all).then(|| sight.led());
            statistics(conn, units, (&period.0, &period.1))
        })
        .await?)
}

struct Row {
    name: String,
    figures: Figures,
}

impl Row {
    fn punctuality(&self) -> String {
        self.figures.punctuality().map_or_else(|| "—".to_owned(), |n| format!("{n}%"))
    }
}

#[derive(Template)]
#[template(path = "assignments/statistics.html")]
struct StatisticsPage {
    l: Lang,
    shell: Shell,
    sub: &'static str,
    periods: Vec<Choice>,
    period: String,
    total: Row,
    by_unit: Vec<Row>,
    by_process: Vec<Row>,
}

pub(super) async fn show_statistics(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let l = page.l;
    let today = app.today();
    let month =
        |back: i64| today.first_of_month().saturating_sub(back.months()).strftime("%Y-%m").to_string();
    let period = match asked.get("period") {
        "month" => "month",
        "last" => "last",
        "all" => "all",
        _ => "year",
    };
    let bounds = match period {
        "month" => (month(0), month(0)),
        "last" => (month(1), month(1)),
        "all" => (String::new(), String::new()),
        _ => (month(11), month(0)),
    };
    let found = statistics_for(&app, &actor, bounds).await?;
    let directory = app.directory().await?;
    let all = app.db.read(processes::list).await?;
    let mut by_unit: Vec<Row> = found
        .by_unit
        .iter()
        .map(|(id, figures)| {
            let name =
                directory.unit(*id).map_or_else(|| l.t("已撤销的部门").to_owned(), |_| directory.path(*id));
            Row { name, figures: *figures }
        })
        .collect();
    by_unit.sort_by(|a, b| b.figures.given.cmp(&a.figures.given).then_with(|| a.name.cmp(&b.name)));
    let mut by_process: Vec<Row> = found
        .by_process
        .iter()
        .map(|(id, figures)| {
            let process = id.and_then(|id| all.iter().find(|p| p.id == id));
            let name = match (id, process) {
                (None, _) => l.t("没有选流程").to_owned(),
                (_, Some(process)) => process.title.clone(),
                (Some(_), None) => l.t("已删除的流程").to_owned(),
            };
            Row { name, figures: *figures }
        })
        .collect();
    by_process.sort_by(|a, b| b.figures.given.cmp(&a.figures.given).then_with(|| a.name.cmp(&b.name)));
    let periods = [("month", "本月"), ("last", "上月"), ("year", "近十二个月"), ("all", "全部时间")];
    html(&StatisticsPage {
        l,
        shell: page.shell(&[("交办", super::HOME), ("交办统计", "")]),
        sub: if actor.may(Object::Organisation, Verb::Update) {
            "按部门和流程，全公司"
        } else {
            "按部门和流程，只统计您和下属负责的部门"
        },
        periods: periods
            .map(|(value, label)| Choice { value: value.to_owned(), label: l.t(label).to_owned() })
            .into(),
        period: period.to_owned(),
        total: Row { name: l.t("合计").to_owned(), figures: found.total },
        by_unit,
        by_process,
    })
}

#[derive(Template)]
#[template(path = "assignments/settings.html")]
struct SettingsPage {
    l: Lang,
    shell: Shell,
    form: FormData,
    bundles: Vec<Choice>,
    errors: FormErrors,
}

async fn settings(
    app: &App,
    page: &Page,
    form: FormData,
    errors: FormErrors,
    status: StatusCode,
) -> Result<Response, AppError> {
    let (l, directory) = (page.l, app.directory().await?);
    let bundles = directory.roles().into_iter().filter(|r| r.is_bundle);
    let shown = SettingsPage {
        l,
        shell: page.shell(&[("职责分工", "/admin/processes"), ("交办设置", "")]),
        bundles: bundles.map(|r| Choice { value: r.code.clone(), label: l.t(&r.name).to_owned() }).collect(),
        form,
        errors,
    };
    Ok((status, html(&shown)?).into_response())
}

pub(super) async fn show_settings(
    Shared(app): Shared<App>,
    Administrator(_): Administrator,
    page: Page,
) -> Result<Response, AppError> {
    let rules = app.db.read(rules).await?;
    let form = FormData(vec![
        ("grace_hours".into(), rules.grace_hours.to_string()),
        ("bundle".into(), rules.bundle),
    ]);
    settings(&app, &page, form, FormErrors::default(), StatusCode::OK).await
}

pub(super) async fn save_settings(
    Shared(app): Shared<App>,
    Administrator(actor): Administrator,
    page: Page,
    headers: axum::http::HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    // What is no number is refused like one that is too large.
    let wished = Rules {
        grace_hours: form.get("grace_hours").trim().parse().unwrap_or(-1),
        bundle: form.get("bundle").to_owned(),
    };
    let ground = Ground::of(&app).await?;
    let done = app.db.write(move |tx| set_rules(tx, &actor, &ground.directory, &wished, ground.now)).await;
    match done {
        Ok(()) => Ok(saved(&headers, "/admin/assignments", page.l.t("已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            settings(&app, &page, form, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}
