//! The form of one shift, a rotation with its preview, and last week again: for whoever plans the roster.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;

use super::weeks::Told;
use super::{day_in, local, monday_of, name, people_of, person_in, time_in, weekday, weekday_choices};
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::error::{AppError, FieldError};
use crate::i18n::Lang;
use crate::ids::{PersonId, RosterId, ShiftId};
use crate::org::web::part_or_page;
use crate::rosters::{self, Hours, Judged, MOST_DAYS, Planned, Roster, Rotation, Shift, ShiftDraft};
use crate::text;
use crate::web::{Choice, FormData, FormErrors, Page, QueryData, Shell, flash, html, redirect};

#[derive(Template)]
#[template(path = "rosters/shift.html", blocks = ["card"])]
struct ShiftPage {
    l: Lang,
    shell: Shell,
    heading: String,
    roster: String,
    action: String,
    back: String,
    /// Where it is taken away; empty for a new one.
    removal: String,
    form: FormData,
    shown: String,
    errors: FormErrors,
}

impl ShiftPage {
    fn new(
        page: &Page,
        directory: &Directory,
        roster: &Roster,
        shift: Option<&Shift>,
        form: FormData,
    ) -> Self {
        let l = page.l;
        let heading = l.t(if shift.is_some() { "修改班次" } else { "新增班次" }).to_owned();
        let path = format!("/rosters/{}", roster.id);
        let shown = form.get("person_id").parse().map_or_else(|_| String::new(), |p| name(directory, p));
        Self {
            l,
            shell: page.shell(&[("值班", "/rosters"), (&roster.name, &path), (&heading, "")]),
            roster: roster.name.clone(),
            action: shift.map_or_else(|| format!("{path}/shifts"), |s| format!("/shifts/{}", s.id)),
            removal: shift.map_or_else(String::new, |s| format!("/shifts/{}/delete", s.id)),
            back: path,
            heading,
            shown,
            form,
            errors: FormErrors::default(),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

/// Where a roster shows a day's week.
fn week_of(roster: RosterId, day: Date) -> String {
    format!("/rosters/{roster}?week={}", monday_of(day))
}

pub(super) async fn new(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = plans(&app, &actor, id).await?;
    let day: Date = asked.get("day").parse().unwrap_or_else(|_| app.today());
    let usual = Hours::read(&roster.opens, &roster.closes).or_else(|| Hours::read("08:00", "20:00"));
    let mut form = Vec::new();
    if let Some(hours) = usual {
        let span = hours.on(day, &app.zone);
        form.push(("starts_at".to_owned(), local(&app.zone, span.starts_at)));
        form.push(("ends_at".to_owned(), local(&app.zone, span.ends_at)));
    }
    let directory = app.directory().await?;
    ShiftPage::new(&page, &directory, &roster, None, FormData(form)).answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn edit(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let (shift, roster) = load(&app, &actor, &id).await?;
    let form = [
        ("person_id", shift.person_id.to_string()),
        ("starts_at", local(&app.zone, shift.span.starts_at)),
        ("ends_at", local(&app.zone, shift.span.ends_at)),
        ("note", shift.note.clone()),
        ("version", shift.version.to_string()),
    ]
    .map(|(k, v)| (k.to_owned(), v));
    let directory = app.directory().await?;
    ShiftPage::new(&page, &directory, &roster, Some(&shift), FormData(form.into()))
        .answer(page.is_partial, StatusCode::OK)
}

async fn load(app: &App, actor: &Actor, id: &str) -> Result<(Shift, Roster), AppError> {
    let id: ShiftId = path_id(id)?;
    let actor = actor.clone();
    app.db
        .read(move |conn| {
            let shift = rosters::load_shift(conn, id)?;
            let roster = rosters::require_plan(conn, &actor, shift.roster_id)?;
            Ok((shift, roster))
        })
        .await
}

/// The roster, for whoever plans it.
async fn plans(app: &App, actor: &Actor, id: RosterId) -> Result<Roster, AppError> {
    let actor = actor.clone();
    app.db.read(move |conn| rosters::require_plan(conn, &actor, id)).await
}

fn draft_of(app: &App, form: &FormData) -> Result<ShiftDraft, AppError> {
    let missing = |field: &'static str| AppError::field(field, text!("请填写这一项"));
    Ok(ShiftDraft {
        person_id: Some(person_in(form, "person_id")?.ok_or_else(|| missing("person_id"))?),
        starts_at: Some(time_in(form, "starts_at", &app.zone)?.ok_or_else(|| missing("starts_at"))?),
        ends_at: Some(time_in(form, "ends_at", &app.zone)?.ok_or_else(|| missing("ends_at"))?),
        note: Some(form.get("note").to_owned()),
    })
}

pub(super) async fn add(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = plans(&app, &actor, id).await?;
    let (catalogue, zone, now) = (app.catalogue().await?, app.zone.clone(), app.now());
    let done = match draft_of(&app, &form) {
        Ok(draft) => {
            app.db.write(move |tx| rosters::add_shift(tx, &actor, &catalogue, id, &draft, &zone, now)).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(shift) => {
            let to = week_of(id, app.zone.date(shift.span.starts_at));
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("班次已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let directory = app.directory().await?;
            ShiftPage { errors, ..ShiftPage::new(&page, &directory, &roster, None, form) }
                .answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn change(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let (shift, roster) = load(&app, &actor, &id).await?;
    let (catalogue, zone, now) = (app.catalogue().await?, app.zone.clone(), app.now());
    let (id, based_on) = (shift.id, version(&form));
    let done = match draft_of(&app, &form) {
        Ok(draft) => {
            app.db
                .write(move |tx| {
                    rosters::update_shift(tx, &actor, &catalogue, id, based_on, &draft, &zone, now)
                })
                .await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(shift) => {
            let to = week_of(shift.roster_id, app.zone.date(shift.span.starts_at));
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("班次已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let directory = app.directory().await?;
            ShiftPage { errors, ..ShiftPage::new(&page, &directory, &roster, Some(&shift), form) }
                .answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: ShiftId = path_id(&id)?;
    let now = app.now();
    let gone = app.db.write(move |tx| rosters::remove_shift(tx, &actor, id, None, now)).await?;
    let to = week_of(gone.roster_id, app.zone.date(gone.span.starts_at));
    Ok(flash(redirect(page.is_htmx, &to), page.l.t("班次已删除")))
}

#[derive(Template)]
#[template(path = "rosters/fill.html")]
struct FillPage {
    l: Lang,
    shell: Shell,
    id: RosterId,
    name: String,
    form: FormData,
    people: Vec<Choice>,
    chosen: Vec<String>,
    weekdays: Vec<Choice>,
    days: Vec<String>,
    turns: Vec<Choice>,
    errors: FormErrors,
    preview: Option<Preview>,
}

struct Preview {
    rows: Vec<PreviewRow>,
    possible: usize,
    refused: usize,
}

struct PreviewRow {
    day: String,
    hours: String,
    name: String,
    is_possible: bool,
    conflicts: String,
}

async fn fill_page(app: &App, page: &Page, roster: &Roster, form: FormData) -> Result<FillPage, AppError> {
    let l = page.l;
    let directory = app.directory().await?;
    let today = app.today().to_string();
    let mut offered = people_of(&directory, roster.unit_id, &today);
    for person in people_in(&form).unwrap_or_default() {
        if !offered.contains(&person) {
            offered.push(person);
        }
    }
    if offered.is_empty() {
        let mut all: Vec<PersonId> =
            directory.people().filter(|(_, m)| m.is_active).map(|(id, _)| id).collect();
        all.sort_unstable();
        all.truncate(200);
        offered = all;
    }
    let turn = |n: i64| Choice { value: n.to_string(), label: l.f("每 {} 天", &[&n]) };
    Ok(FillPage {
        l,
        shell: page.shell(&[
            ("值班", "/rosters"),
            (&roster.name, &format!("/rosters/{}", roster.id)),
            ("轮班排班", ""),
        ]),
        id: roster.id,
        name: roster.name.clone(),
        people: offered
            .into_iter()
            .map(|p| Choice { value: p.to_string(), label: name(&directory, p) })
            .collect(),
        chosen: form.all("people").into_iter().map(str::to_owned).collect(),
        weekdays: weekday_choices(l),
        days: form.all("weekdays").into_iter().map(str::to_owned).collect(),
        turns: [1, 2, 3, 7].map(turn).into(),
        form,
        errors: FormErrors::default(),
        preview: None,
    })
}

pub(super) async fn ask_fill(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = plans(&app, &actor, id).await?;
    let monday = asked.get("week").parse().unwrap_or_else(|_| monday_of(app.today()));
    let hours = if roster.opens.is_empty() {
        "08:00-20:00\n20:00-08:00".to_owned()
    } else {
        format!("{}-{}", roster.opens, roster.closes)
    };
    let mut form: Vec<(String, String)> = [
        ("first", monday.to_string()),
        ("last", monday.saturating_add(6.days()).to_string()),
        ("patterns", hours),
        ("turn_days", "1".to_owned()),
    ]
    .map(|(k, v)| (k.to_owned(), v))
    .into();
    form.extend(roster.weekdays.chars().map(|c| ("weekdays".to_owned(), c.to_string())));
    html(&fill_page(&app, &page, &roster, FormData(form)).await?)
}

fn people_in(form: &FormData) -> Result<Vec<PersonId>, AppError> {
    let ids = form.all("people").into_iter().filter(|t| !t.is_empty()).take(100);
    ids.map(|t| t.parse().map_err(|_| AppError::field("people", text!("没有这位员工")))).collect()
}

/// The rotation a form asks for.
fn rotation_of(form: &FormData) -> Result<Rotation, AppError> {
    let mut errors = Vec::new();
    let mut day = |field: &'static str| -> Date {
        form.get(field).parse().ok().filter(|d: &Date| (2000..2100).contains(&d.year())).unwrap_or_else(
            || {
                errors.push(FieldError::new(field, text!("请填写日期，例如 2026-09-28")));
                Date::ZERO
            },
        )
    };
    let (first, last) = (day("first"), day("last"));
    let days = i64::from(first.until(last).map_or(0, |s| s.get_days()));
    if errors.is_empty() && !(0..MOST_DAYS).contains(&days) {
        errors.push(FieldError::new("last", text!("最后一天不能早于第一天，一次最多排 {} 天", MOST_DAYS)));
    }
    let lines: Vec<&str> = form
        .get("patterns")
        .split(['\n', ',', '，', ';', '；', '、'])
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .collect();
    let patterns: Vec<Hours> = lines.iter().filter_map(|t| Hours::parse(t)).collect();
    if patterns.is_empty() || patterns.len() != lines.len() || patterns.len() > 6 {
        errors.push(FieldError::new("patterns", text!("每行一个班次，例如 08:00-20:00，最多 {} 个", 6)));
    }
    let people = people_in(form)?;
    if people.is_empty() {
        errors.push(FieldError::new("people", text!("请至少选择一位值班人员")));
    }
    let weekdays = form.all("weekdays").concat();
    if weekdays.is_empty() {
        errors.push(FieldError::new("weekdays", text!("请选择每周值班的日子，1 为星期一，7 为星期日")));
    }
    let turn_days = form.get("turn_days").parse().ok().filter(|n| (1..=31).contains(n)).unwrap_or(1);
    if !errors.is_empty() {
        return Err(AppError::Invalid(errors));
    }
    Ok(Rotation { people, patterns, first, last, weekdays, turn_days })
}

/// Shows what a rotation would make, or with `go=1` makes it.
pub(super) async fn fill(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = plans(&app, &actor, id).await?;
    let (zone, now) = (app.zone.clone(), app.now());
    let is_preview = form.get("go") != "1";
    let done = match rotation_of(&form) {
        Err(error) => Err(error),
        Ok(rotation) => {
            let planned = rotation.plan(&app.zone);
            let judged = if is_preview {
                app.db.read(move |conn| rosters::judge(conn, id, &planned, &zone)).await
            } else {
                app.db.write(move |tx| rosters::fill(tx, &actor, id, &planned, &zone, now)).await
            };
            judged.map(|judged| (judged, rotation.first))
        }
    };
    match done {
        Ok((judged, first)) if !is_preview => {
            Ok(flash(redirect(page.is_htmx, &week_of(id, first)), &made(page.l, &judged)))
        }
        Ok((judged, _)) => {
            let preview = preview(&app, page.l, &judged).await?;
            let again = fill_page(&app, &page, &roster, form).await?;
            html(&FillPage { preview: Some(preview), ..again })
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = fill_page(&app, &page, &roster, form).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, html(&FillPage { errors, ..again })?).into_response())
        }
    }
}

/// How many were made, and how many could not be.
fn made(l: Lang, judged: &[Judged]) -> String {
    let possible = judged.iter().filter(|j| j.is_possible()).count();
    match judged.len() - possible {
        0 => l.f("已排 {} 个班次", &[&possible]),
        refused => l.f("已排 {} 个班次，{} 个因冲突没有排", &[&possible, &refused]),
    }
}

async fn preview(app: &App, l: Lang, judged: &[Judged]) -> Result<Preview, AppError> {
    let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
    let rosters = app.db.read(rosters::list).await?;
    let told = Told { app, l, directory: &directory, catalogue: &catalogue, rosters: &rosters };
    let row = |j: &Judged| {
        let day = app.zone.date(j.planned.span.starts_at);
        PreviewRow {
            day: format!("{} {}", day.strftime("%m-%d"), weekday(l, day)),
            hours: told.hours(j.planned.span, day),
            name: name(&directory, j.planned.person_id),
            is_possible: j.is_possible(),
            conflicts: j
                .conflicts
                .iter()
                .map(|c| told.conflict(&j.planned, c))
                .collect::<Vec<_>>()
                .join("；"),
        }
    };
    let possible = judged.iter().filter(|j| j.is_possible()).count();
    Ok(Preview { rows: judged.iter().map(row).collect(), possible, refused: judged.len() - possible })
}

/// Last week's shifts again in the week of `week`.
pub(super) async fn copy(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let monday = monday_of(day_in(form.get("week"), "week", app.today())?);
    let (zone, now) = (app.zone.clone(), app.now());
    let judged = app
        .db
        .write(move |tx| {
            rosters::require_plan(tx, &actor, id)?;
            let planned: Vec<Planned> = rosters::week_before(tx, id, monday, &zone)?;
            if planned.is_empty() {
                return Err(AppError::Conflict(text!("上一周没有班次，没有可以复制的")));
            }
            rosters::fill(tx, &actor, id, &planned, &zone, now)
        })
        .await?;
    Ok(flash(redirect(page.is_htmx, &week_of(id, monday)), &made(page.l, &judged)))
}
