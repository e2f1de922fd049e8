//! The roles of one person: where each comes from, giving and taking.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{role_choices, tabs, unit_choices};
use crate::access::Why;
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{PersonId, RoleId};
use crate::org;
use crate::roles::{Given, Giving, give as give_role, standing, take as take_role, why_words};
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Granter, Page, Shell, Tab, flash, html, redirect};

#[derive(Template)]
#[template(path = "roles/person.html")]
struct PersonPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    id: PersonId,
    name: String,
    is_active: bool,
    rows: Vec<Row>,
    others: Vec<(String, String)>,
    roles: Vec<Choice>,
    units: Vec<Choice>,
    form: FormData,
    errors: FormErrors,
}

struct Row {
    role_id: RoleId,
    role: String,
    unit_id: String,
    unit: String,
    ends_on: String,
    reason: String,
    granted: String,
    confirmed: String,
}

async fn page_of(
    app: &App,
    page: &Page,
    id: PersonId,
    form: FormData,
    errors: FormErrors,
) -> Result<PersonPage, AppError> {
    let l = page.l;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let (day, now) = (app.today().to_string(), app.now());
    let asked = day.clone();
    let (person, rows) = app
        .db
        .read(move |conn| {
            let person = org::load_person(conn, id)?.ok_or(AppError::NotFound)?;
            Ok::<_, AppError>((person, standing(conn, Some(id), &asked)?))
        })
        .await?;
    let own_units = || l.t("任职的部门").to_owned();
    let rows = rows.into_iter().map(|row| Row {
        role_id: row.role_id,
        role: l.t(&row.role).to_owned(),
        unit_id: row.unit_id.map_or_else(String::new, |u| u.to_string()),
        unit: row.unit_id.map_or_else(own_units, |u| directory.path(u)),
        ends_on: row.ends_on,
        reason: row.reason,
        granted: format!("{} {}", app.zone.minute(row.granted_at), row.granted_by),
        confirmed: row
            .confirmed_at
            .map_or_else(String::new, |at| format!("{} {}", app.zone.minute(at), row.confirmed_by)),
    });
    let held = directory.held_roles(id, &day, now);
    let others = held
        .iter()
        .filter(|h| h.why != Why::Direct)
        .map(|h| (l.t(&h.role.name).to_owned(), why_words(&h.why, &directory, &catalogue, &app.zone, l)));
    Ok(PersonPage {
        l,
        shell: page.shell(&[("系统管理", "/admin/people"), ("角色与授权", super::HOME), (&person.name, "")]),
        tabs: tabs(l, ""),
        id,
        is_active: person.is_active,
        rows: rows.collect(),
        others: others.collect(),
        roles: role_choices(&directory, l),
        units: unit_choices(&directory),
        name: person.name,
        form,
        errors,
    })
}

pub(super) async fn show(
    State(app): State<App>,
    Granter(_): Granter,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    html(&page_of(&app, &page, id, FormData::default(), FormErrors::default()).await?)
}

/// The role and unit a form names.
pub(super) fn given(form: &FormData, person: PersonId) -> Result<Given, AppError> {
    let role = form.get("role").parse().map_err(|_| AppError::field("role", text!("请选择角色")))?;
    let unit = match form.get("unit") {
        "" => None,
        text => Some(text.parse().map_err(|_| AppError::field("unit", text!("没有这个部门")))?),
    };
    Ok(Given { person, role, unit })
}

pub(super) fn giving(form: &FormData, person: PersonId) -> Result<Giving, AppError> {
    let Given { person, role, unit } = given(form, person)?;
    let [ends_on, reason] = ["ends_on", "reason"].map(|name| form.get(name).to_owned());
    Ok(Giving { person, role, unit, ends_on, reason })
}

pub(super) async fn give(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let now = app.now();
    let done = match giving(&form, id) {
        Ok(giving) => app.db.write(move |tx| give_role(tx, &actor, &giving, now)).await,
        Err(error) => Err(error),
    };
    app.forget_sessions();
    match done {
        Ok(()) => {
            let to = format!("/admin/people/{id}/roles");
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("角色已授予，立即生效")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &page, id, form, errors).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&again)?).into_response())
        }
    }
}

pub(super) async fn take(
    State(app): State<App>,
    Granter(actor): Granter,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: PersonId = path_id(&id)?;
    let (given, now) = (given(&form, id)?, app.now());
    let done = app.db.write(move |tx| take_role(tx, &actor, given, now)).await;
    app.forget_sessions();
    done?;
    let to = format!("/admin/people/{id}/roles");
    Ok(flash(redirect(page.is_htmx, &to), page.l.t("角色已收回，立即生效")))
}
