//! Absences and delegations: one's own, and for whoever keeps the organisation everybody's.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;

use super::{keeper_tabs, keeps, name, person_in, tabs, time_in, weekday};
use crate::access::Actor;
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{AbsenceId, DelegationId};
use crate::rosters::{self, NewAbsence, NewDelegation, Span};
use crate::text;
use crate::web::{
    Choice, FormData, FormErrors, Organiser, Page, QueryData, Shell, Tab, flash, html, redirect,
};

#[derive(Template)]
#[template(path = "rosters/absences.html")]
struct AbsencesPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    month: String,
    before: String,
    after: String,
    days: Vec<AwayDay>,
    kinds: Vec<Choice>,
    form: FormData,
    shown: String,
    errors: FormErrors,
    may_change: bool,
    me: String,
}

struct AwayDay {
    title: String,
    weekday: String,
    rows: Vec<AwayRow>,
}

struct AwayRow {
    id: AbsenceId,
    person: String,
    kind: String,
    when: String,
    note: String,
}

pub(super) async fn absences(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let month = month_of(&app, asked.get("month"))?;
    html(&absences_page(&app, &actor, &page, month, FormData::default()).await?)
}

/// The first day of the month asked for (`2026-09`), of this month without one.
fn month_of(app: &App, text: &str) -> Result<Date, AppError> {
    if text.is_empty() {
        return Ok(app.today().first_of_month());
    }
    format!("{}-01", text.chars().take(20).collect::<String>())
        .parse::<Date>()
        .ok()
        .filter(|d| (2000..2100).contains(&d.year()))
        .ok_or_else(|| AppError::field("month", text!("请填写月份，例如 2026-09")))
}

async fn absences_page(
    app: &App,
    actor: &Actor,
    page: &Page,
    month: Date,
    form: FormData,
) -> Result<AbsencesPage, AppError> {
    let l = page.l;
    let next = month.saturating_add(1.month());
    let span = Span::new(app.zone.day(month).0, app.zone.day(next).0);
    let of = (!keeps(actor)).then_some(actor.person_id);
    let all = app.db.read(move |conn| rosters::absences(conn, of, span)).await?;
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let kinds = catalogue.dictionary("absence_kind");
    let mut days: Vec<AwayDay> = Vec::new();
    for absence in all {
        // What began before the month stands on its first day.
        let day = app.zone.date(absence.span.starts_at).max(month);
        let title = day.strftime("%m-%d").to_string();
        if days.last().is_none_or(|d| d.title != title) {
            days.push(AwayDay { weekday: weekday(l, day), title, rows: Vec::new() });
        }
        if let Some(last) = days.last_mut() {
            last.rows.push(AwayRow {
                id: absence.id,
                person: name(&directory, absence.person_id),
                kind: kinds.title(&absence.kind, l).to_owned(),
                when: absence.span.shown(&app.zone),
                note: absence.note,
            });
        }
    }
    let link = |d: Date| format!("/absences?month={}", d.strftime("%Y-%m"));
    Ok(AbsencesPage {
        l,
        shell: page.shell(&[("值班", "/rosters"), ("请假外出", "")]),
        tabs: tabs(l, "/absences"),
        month: month.strftime("%Y-%m").to_string(),
        before: link(month.saturating_sub(1.month())),
        after: link(next),
        days,
        kinds: kinds
            .active()
            .map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() })
            .collect(),
        shown: form.get("person_id").parse().map_or_else(|_| String::new(), |p| name(&directory, p)),
        form,
        errors: FormErrors::default(),
        may_change: keeps(actor),
        me: actor.name.clone(),
    })
}

pub(super) async fn add_absence(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let missing = |field: &'static str| AppError::field(field, text!("请填写这一项"));
    let read = || -> Result<NewAbsence, AppError> {
        let starts_at = time_in(&form, "starts_at", &app.zone)?.ok_or_else(|| missing("starts_at"))?;
        let ends_at = time_in(&form, "ends_at", &app.zone)?.ok_or_else(|| missing("ends_at"))?;
        Ok(NewAbsence {
            person_id: person_in(&form, "person_id")?.unwrap_or(actor.person_id),
            kind: form.get("kind").to_owned(),
            span: Span::new(starts_at, ends_at),
            note: form.get("note").to_owned(),
        })
    };
    let (by, catalogue, zone, now) = (actor.clone(), app.catalogue().await?, app.zone.clone(), app.now());
    let done = match read() {
        Ok(new) => app.db.write(move |tx| rosters::add_absence(tx, &by, &catalogue, &new, &zone, now)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(absence) => {
            let month = app.zone.date(absence.span.starts_at).strftime("%Y-%m").to_string();
            let to = format!("/absences?month={month}");
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("已登记")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let month = month_of(&app, "")?;
            let again = absences_page(&app, &actor, &page, month, form).await?;
            let body = html(&AbsencesPage { errors, ..again })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
    }
}

pub(super) async fn remove_absence(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: AbsenceId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| rosters::remove_absence(tx, &actor, id, now)).await?;
    Ok(flash(redirect(page.is_htmx, "/absences"), page.l.t("已删除")))
}

#[derive(Template)]
#[template(path = "rosters/delegations.html")]
struct DelegationsPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    /// Whether everybody's are shown.
    is_all: bool,
    rows: Vec<ActingRow>,
    form: FormData,
    from: String,
    to: String,
    errors: FormErrors,
}

struct ActingRow {
    id: DelegationId,
    from: String,
    to: String,
    when: String,
    reason: String,
    state: &'static str,
    colour: &'static str,
    may_revoke: bool,
}

/// How long ago a delegation may have ended to be shown still.
const SHOWN: i64 = 31 * rosters::model::DAY;

async fn page_of(
    app: &App,
    actor: &Actor,
    page: &Page,
    is_all: bool,
    form: FormData,
) -> Result<DelegationsPage, AppError> {
    let (l, now) = (page.l, app.now());
    let of = (!is_all).then_some(actor.person_id);
    let all = app.db.read(move |conn| rosters::delegations(conn, of, now - SHOWN)).await?;
    let directory = app.directory().await?;
    let row = |a: rosters::Acting| {
        let d = &a.delegation;
        let (state, colour) = match a.revoked_at {
            Some(_) => ("已撤销", ""),
            None if now < d.starts_at => ("未开始", "blue"),
            None if now < d.ends_at => ("代理中", "green"),
            None => ("已结束", ""),
        };
        ActingRow {
            id: d.id,
            from: name(&directory, d.from_id),
            to: name(&directory, d.to_id),
            when: Span::new(d.starts_at, d.ends_at).shown(&app.zone),
            may_revoke: a.revoked_at.is_none()
                && now < d.ends_at
                && (d.from_id == actor.person_id || keeps(actor)),
            reason: a.reason,
            state,
            colour,
        }
    };
    let named = |field: &str| form.get(field).parse().map_or_else(|_| String::new(), |p| name(&directory, p));
    let shell = if is_all {
        page.shell(&[("系统管理", "/admin/people"), ("代理与专长", "")])
    } else {
        page.shell(&[("值班", "/rosters"), ("代理人", "")])
    };
    Ok(DelegationsPage {
        l,
        shell,
        tabs: if is_all { keeper_tabs(l, "/admin/delegations") } else { tabs(l, "/delegations") },
        is_all,
        rows: all.into_iter().map(row).collect(),
        from: named("from_id"),
        to: named("to_id"),
        form,
        errors: FormErrors::default(),
    })
}

pub(super) async fn delegations(
    State(app): State<App>,
    actor: Actor,
    page: Page,
) -> Result<Response, AppError> {
    html(&page_of(&app, &actor, &page, false, FormData::default()).await?)
}

pub(super) async fn all_delegations(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
) -> Result<Response, AppError> {
    html(&page_of(&app, &actor, &page, true, FormData::default()).await?)
}

pub(super) async fn delegate(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let missing = |field: &'static str| AppError::field(field, text!("请填写这一项"));
    let is_all = form.find("from_id").is_some();
    let read = || -> Result<NewDelegation, AppError> {
        Ok(NewDelegation {
            from_id: match form.find("from_id") {
                None => actor.person_id,
                Some(_) => person_in(&form, "from_id")?.ok_or_else(|| missing("from_id"))?,
            },
            to_id: person_in(&form, "to_id")?.ok_or_else(|| missing("to_id"))?,
            starts_at: time_in(&form, "starts_at", &app.zone)?,
            ends_at: time_in(&form, "ends_at", &app.zone)?.ok_or_else(|| missing("ends_at"))?,
            reason: form.get("reason").to_owned(),
        })
    };
    let (by, now) = (actor.clone(), app.now());
    let done = match read() {
        Ok(new) => app.db.write(move |tx| rosters::delegate(tx, &by, &new, now)).await,
        Err(error) => Err(error),
    };
    app.forget_sessions();
    match done {
        Ok(_) => {
            let to = if is_all { "/admin/delegations" } else { "/delegations" };
            Ok(flash(redirect(page.is_htmx, to), page.l.t("代理人已设置")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = page_of(&app, &actor, &page, is_all && keeps(&actor), form).await?;
            let body = html(&DelegationsPage { errors, ..again })?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
    }
}

pub(super) async fn revoke(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: DelegationId = path_id(&id)?;
    let now = app.now();
    let done = app.db.write(move |tx| rosters::revoke(tx, &actor, id, now)).await;
    app.forget_sessions();
    done?;
    let to = if form.get("all") == "1" { "/admin/delegations" } else { "/delegations" };
    Ok(flash(redirect(page.is_htmx, to), page.l.t("代理已结束，立即生效")))
}
