//! The customers of a unit: how many there are, and moving them to another one before it is closed.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::pages::part_or_page;
use super::units::{HOME, Pick, load, unit_choices, unit_shown};
use crate::app::App;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::UnitId;
use crate::org::{self, UnitRecord};
use crate::text;
use crate::web::{FormData, FormErrors, Organiser, Page, Shell, saved};

#[derive(Template)]
#[template(path = "org/unit_customers.html", blocks = ["card"])]
struct CustomersPage {
    l: Lang,
    shell: Shell,
    unit: UnitRecord,
    count: i64,
    /// Where they go in the background now.
    going: String,
    /// Why that was given up.
    problem: String,
    units: Vec<Pick>,
    to: String,
    to_shown: String,
    errors: FormErrors,
}

async fn customers_page(
    app: &App,
    page: &Page,
    unit: UnitRecord,
    to: &str,
    errors: FormErrors,
) -> Result<CustomersPage, AppError> {
    let (directory, id) = (app.directory().await?, unit.id);
    let read = move |conn: &mut store::Conn<'_>| {
        Ok::<_, AppError>((org::customers_of_unit(conn, id)?, org::moving_customers(conn, id)?))
    };
    let (count, moving) = app.db.read(read).await?;
    let mut units = unit_choices(&directory);
    units.retain(|choice| choice.value != id.to_string());
    let (going, problem) = match moving {
        Some(moving) if moving.problem.is_empty() => (directory.path(moving.to), String::new()),
        Some(moving) => (String::new(), moving.problem),
        None => Default::default(),
    };
    Ok(CustomersPage {
        l: page.l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("组织", HOME), (&unit.name, "")]),
        to: to.to_owned(),
        to_shown: unit_shown(&directory, to),
        unit,
        count,
        going,
        problem,
        units,
        errors,
    })
}

/// How many customers the unit has, and where they shall go before it is closed.
pub(super) async fn ask(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let shown = customers_page(&app, &page, unit, "", FormErrors::default()).await?;
    part_or_page(page.is_partial, shown.as_card(), &shown)
}

pub(super) async fn give(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let unit = load(&app, &id).await?;
    let (catalogue, from, now, l) = (app.catalogue().await?, unit.id, app.now(), page.l);
    let done = match form.get("to").parse::<UnitId>() {
        Ok(to) => app.db.write(move |tx| org::move_customers(tx, &actor, &catalogue, from, to, now)).await,
        Err(_) => Err(AppError::field("to", text!("请选择另一个部门"))),
    };
    match done {
        Ok(moved) => {
            app.jobs_waiting.notify_one();
            let said = match moved {
                Some(n) => l.f("已移走 {} 个客户", &[&n]),
                None => l.t("客户较多，正在后台移动，稍后刷新查看").to_owned(),
            };
            Ok(saved(&headers, &format!("{HOME}?unit={from}"), &said))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, l)?;
            let again = customers_page(&app, &page, unit, form.get("to"), errors).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok((status, part_or_page(page.is_partial, again.as_card(), &again)?).into_response())
        }
    }
}
