//! The list of rosters, one roster week by week, and its form.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;

use super::{day_in, keeps, monday_of, name, tabs, unit_choices, weekday, weekday_choices};
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::contacts::api_parts::path_id;
use crate::contacts::page_parts::version;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{RosterId, ShiftId};
use crate::org::web::part_or_page;
use crate::rosters::model::{Planned, days_from, on_duty};
use crate::rosters::{
    self, Judge, Place, Roster, RosterDraft, Shift, Span, SwapRule, SwapState, Which, without,
};
use crate::text;
use crate::web::{
    Choice, FormData, FormErrors, Organiser, Page, QueryData, Shell, Tab, flash, html, redirect,
};

#[derive(Template)]
#[template(path = "rosters/index.html")]
struct IndexPage {
    l: Lang,
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<RosterRow>,
    may_change: bool,
}

struct RosterRow {
    id: RosterId,
    name: String,
    unit: String,
    now: String,
    hours: String,
    is_active: bool,
}

pub(super) async fn index(State(app): State<App>, actor: Actor, page: Page) -> Result<Response, AppError> {
    let (l, now) = (page.l, app.now());
    let directory = app.directory().await?;
    let (all, there) = app
        .db
        .read(move |conn| {
            let there = rosters::shifts(conn, &Place::Everywhere, Span::new(now, now + 1), Which::InForce)?;
            Ok::<_, store::Error>((rosters::list(conn)?, there))
        })
        .await?;
    let row = |r: Roster| {
        let his: Vec<Shift> = there.iter().filter(|s| s.roster_id == r.id).cloned().collect();
        let names: Vec<String> = on_duty(&his, now).into_iter().map(|p| name(&directory, p)).collect();
        RosterRow {
            id: r.id,
            unit: directory.unit(r.unit_id).map_or_else(String::new, |u| u.name.clone()),
            now: names.join(if l == Lang::Zh { "、" } else { ", " }),
            hours: hours(&r, l),
            name: r.name,
            is_active: r.is_active,
        }
    };
    html(&IndexPage {
        l,
        shell: page.shell(&[("值班", "")]),
        tabs: tabs(l, "/rosters"),
        rows: all.into_iter().map(row).collect(),
        may_change: keeps(&actor),
    })
}

/// When somebody should be there, in words; empty when that is not said.
fn hours(roster: &Roster, l: Lang) -> String {
    if roster.opens.is_empty() {
        return String::new();
    }
    let days = match roster.weekdays.as_str() {
        "1234567" => l.t("每天").to_owned(),
        days => {
            let titles = weekday_choices(l);
            let names: Vec<&str> =
                titles.iter().filter(|c| days.contains(&c.value)).map(|c| c.label.as_str()).collect();
            names.join(if l == Lang::Zh { "、" } else { ", " })
        }
    };
    format!("{days} {}–{}", roster.opens, roster.closes)
}

#[derive(Template)]
#[template(path = "rosters/week.html")]
struct WeekPage {
    l: Lang,
    shell: Shell,
    id: RosterId,
    name: String,
    unit: String,
    note: String,
    hours: String,
    is_active: bool,
    monday: String,
    title: String,
    before: String,
    after: String,
    is_this_week: bool,
    now: String,
    days: Vec<DayRow>,
    /// Those on duty who have no post in the unit, in words; empty when all have.
    outsiders: String,
    has_shifts: bool,
    /// Whether the reader plans this roster.
    may_plan: bool,
    /// Whether he may change the roster itself.
    may_keep: bool,
    /// Drafts of this week, and of the month its Monday is in.
    drafts: usize,
    month_drafts: i64,
    sunday: String,
    month: String,
    month_first: String,
    month_last: String,
    /// What became of published shifts of this week.
    changes: Vec<ChangeLine>,
    /// Swaps that wait for whoever plans.
    to_decide: usize,
}

/// A change of a published shift, in words.
pub(super) struct ChangeLine {
    pub(super) at: String,
    pub(super) kind: &'static str,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) by: String,
}

struct DayRow {
    day: String,
    title: String,
    weekday: String,
    is_today: bool,
    shifts: Vec<ShiftCell>,
    gaps: Vec<String>,
}

struct ShiftCell {
    id: ShiftId,
    hours: String,
    name: String,
    note: String,
    is_now: bool,
    is_draft: bool,
    /// Whether it was changed after it was published.
    is_changed: bool,
    is_mine: bool,
    /// Where a colleague is asked to take it; empty where that cannot be.
    swap: String,
    /// What stands against it, for those who plan.
    warnings: String,
}

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    QueryData(asked): QueryData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let l = page.l;
    let monday = monday_of(day_in(asked.get("week"), "week", app.today())?);
    let sunday = monday.saturating_add(6.days());
    let (month_first, month_last) = (monday.first_of_month(), monday.last_of_month());
    let week = Span::new(app.zone.day(monday).0, app.zone.day(sunday).1);
    let month = Span::new(app.zone.day(month_first).0, app.zone.day(month_last).1);
    let (zone, directory, catalogue) = (app.zone.clone(), app.directory().await?, app.catalogue().await?);
    let (me, now) = (actor.clone(), app.now());
    let Week { roster, shifts, judge, names, may_plan, month_drafts, changes, to_decide } = app
        .db
        .read(move |conn| {
            let roster = rosters::load(conn, id)?;
            let may_plan = rosters::may_plan(conn, &me, roster.unit_id)?;
            let shifts = rosters::shifts(conn, &Place::Roster(id), week, Which::seen_by(may_plan))?;
            let mut people: Vec<_> = shifts.iter().map(|s| s.person_id).collect();
            people.sort_unstable();
            people.dedup();
            let around = shifts.iter().fold(week, |w, s| {
                Span::new(w.starts_at.min(s.span.starts_at), w.ends_at.max(s.span.ends_at))
            });
            let judge = Judge::load(conn, &roster, &people, around, Which::seen_by(may_plan), &zone)?;
            let is_waiting = |s: &rosters::Swap| s.state_at(now) == SwapState::Accepted;
            Ok::<_, AppError>(Week {
                names: rosters::list(conn)?,
                month_drafts: if may_plan { drafts_within(conn, id, month)? } else { 0 },
                to_decide: if may_plan {
                    rosters::swaps_on(conn, id, 200)?.iter().filter(|s| is_waiting(s)).count()
                } else {
                    0
                },
                changes: rosters::changes_of(conn, id, week)?,
                roster,
                shifts,
                judge,
                may_plan,
            })
        })
        .await?;
    let told = Told { app: &app, l, directory: &directory, catalogue: &catalogue, rosters: &names };
    let covered: Vec<Span> = shifts.iter().map(|s| s.span).collect();
    // Staff are not told of gaps in a week that was not published to them.
    let usual = if may_plan || !shifts.is_empty() { roster.usual(monday, 7, &app.zone) } else { Vec::new() };
    let gaps = without(usual, covered);
    let may_swap = roster.swaps != SwapRule::Off && roster.is_active;
    let days = days_from(monday, 7)
        .map(|day| {
            let (from, until) = app.zone.day(day);
            let of_day = |span: &Span| (from..until).contains(&span.starts_at);
            // What crosses into the week stands on its first day.
            let is_here = |s: &&Shift| of_day(&s.span) || (day == monday && s.span.starts_at < from);
            let cell = |s: &Shift| ShiftCell {
                id: s.id,
                hours: told.hours(s.span, day),
                name: name(&directory, s.person_id),
                note: s.note.clone(),
                is_now: s.span.contains(now) && s.is_published(),
                is_draft: !s.is_published(),
                is_changed: s.changed_at.is_some(),
                is_mine: s.person_id == actor.person_id,
                swap: if may_swap
                    && s.person_id == actor.person_id
                    && s.is_published()
                    && s.span.starts_at > now
                {
                    format!("/shifts/{}/swap", s.id)
                } else {
                    String::new()
                },
                warnings: if may_plan { told.warnings(&judge, s) } else { String::new() },
            };
            DayRow {
                day: day.to_string(),
                title: day.strftime("%m-%d").to_string(),
                weekday: weekday(l, day),
                is_today: day == app.today(),
                shifts: shifts.iter().filter(is_here).map(cell).collect(),
                gaps: gaps.iter().filter(|g| of_day(g)).map(|g| told.hours(*g, day)).collect(),
            }
        })
        .collect();
    let public: Vec<Shift> = shifts.iter().filter(|s| s.is_published()).cloned().collect();
    let there: Vec<String> = on_duty(&public, now).into_iter().map(|p| name(&directory, p)).collect();
    let path = format!("/rosters/{id}");
    html(&WeekPage {
        l,
        shell: page.shell(&[("值班", "/rosters"), (&roster.name, "")]),
        id,
        unit: directory.path(roster.unit_id),
        hours: hours(&roster, l),
        note: roster.note.clone(),
        is_active: roster.is_active,
        monday: monday.to_string(),
        title: format!("{} – {}", monday.strftime("%Y-%m-%d"), sunday.strftime("%m-%d")),
        sunday: sunday.to_string(),
        month: monday.strftime("%Y-%m").to_string(),
        month_first: month_first.to_string(),
        month_last: month_last.to_string(),
        drafts: shifts.iter().filter(|s| !s.is_published() && s.span.starts_at >= week.starts_at).count(),
        month_drafts,
        changes: changes.iter().map(|c| told.change(c)).collect(),
        to_decide,
        before: format!("{path}?week={}", monday.saturating_sub(7.days())),
        after: format!("{path}?week={}", monday.saturating_add(7.days())),
        is_this_week: monday == monday_of(app.today()),
        now: there.join(if l == Lang::Zh { "、" } else { ", " }),
        outsiders: if may_plan { told.outsiders(&judge, &shifts) } else { String::new() },
        has_shifts: !shifts.is_empty(),
        days,
        may_plan,
        may_keep: keeps(&actor),
        name: roster.name,
    })
}

/// What the page of a week is made of.
struct Week {
    roster: Roster,
    shifts: Vec<Shift>,
    judge: Judge,
    names: Vec<Roster>,
    may_plan: bool,
    month_drafts: i64,
    changes: Vec<rosters::ShiftChange>,
    to_decide: usize,
}

fn drafts_within(conn: &mut store::Conn<'_>, id: RosterId, span: Span) -> store::Result<i64> {
    conn.count(
        "SELECT COUNT(*) FROM shifts
         WHERE roster_id = $1 AND starts_at >= $2 AND starts_at < $3 AND published_at IS NULL",
        &[id.into(), span.starts_at.into(), span.ends_at.into()],
    )
}

/// Publishes the drafts of these days.
pub(super) async fn publish(
    State(app): State<App>,
    actor: Actor,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let l = page.l;
    app.db.read(move |conn| rosters::load(conn, id)).await?;
    let missing = |field| AppError::field(field, text!("请填写日期，例如 2026-09-28"));
    let day = |field| match form.get(field) {
        "" => Err(missing(field)),
        text => day_in(text, field, app.today()),
    };
    let (first, last) = (day("first")?, day("last")?);
    let (zone, now) = (app.zone.clone(), app.now());
    let done = app.db.write(move |tx| rosters::publish(tx, &actor, id, first, last, &zone, now)).await?;
    let said = match done.conflicts {
        0 => l.f("已发布 {} 个班次", &[&done.shifts]),
        n => l.f("已发布 {} 个班次，其中 {} 个有冲突，请调整", &[&done.shifts, &n]),
    };
    let week = day_in(form.get("week"), "week", first)?;
    Ok(flash(redirect(page.is_htmx, &format!("/rosters/{id}?week={}", monday_of(week))), &said))
}

/// What puts spans and conflicts into words.
pub(super) struct Told<'a> {
    pub(super) app: &'a App,
    pub(super) l: Lang,
    pub(super) directory: &'a Directory,
    pub(super) catalogue: &'a Catalogue,
    pub(super) rosters: &'a [Roster],
}

impl Told<'_> {
    /// `08:00–20:00`; with the day where it is another one: `22:00–次日 06:00`.
    pub(super) fn hours(&self, span: Span, day: Date) -> String {
        let (start, end) = (self.app.zone.civil(span.starts_at), self.app.zone.civil(span.ends_at));
        let tomorrow = day.tomorrow().unwrap_or(day);
        let is_midnight = end.date() == tomorrow && end.time() == jiff::civil::Time::midnight();
        let from = if start.date() == day { start.strftime("%H:%M") } else { start.strftime("%m-%d %H:%M") };
        let until = match end.date() {
            _ if is_midnight => "24:00".to_owned(),
            date if date == day => end.strftime("%H:%M").to_string(),
            date if date == tomorrow => self.l.f("次日 {}", &[&end.strftime("%H:%M")]),
            _ => end.strftime("%m-%d %H:%M").to_string(),
        };
        format!("{from}–{until}")
    }

    /// What stands against a shift, in one line.
    fn warnings(&self, judge: &Judge, shift: &Shift) -> String {
        let planned = Planned { person_id: shift.person_id, span: shift.span };
        let found = judge.conflicts(&planned, Some(shift.id), &self.app.zone).unwrap_or_default();
        let hard = found.iter().filter(|c| **c != rosters::Conflict::Elsewhere);
        hard.map(|c| self.conflict(&planned, c)).collect::<Vec<_>>().join("；")
    }

    /// Those of the shifts' people who have no post in the unit, in one line; empty when all have.
    fn outsiders(&self, judge: &Judge, shifts: &[Shift]) -> String {
        let mut names: Vec<String> = Vec::new();
        for shift in shifts {
            let planned = Planned { person_id: shift.person_id, span: shift.span };
            let found = judge.conflicts(&planned, Some(shift.id), &self.app.zone).unwrap_or_default();
            let name = name(self.directory, shift.person_id);
            if found.contains(&rosters::Conflict::Elsewhere) && !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() {
            return String::new();
        }
        self.l.f("{} 不在值班表所属的部门任职", &[&names.join(if self.l == Lang::Zh { "、" } else { ", " })])
    }

    /// What became of a shift, in words.
    pub(super) fn change(&self, change: &rosters::ShiftChange) -> ChangeLine {
        let shown =
            |person, span: Span| format!("{} {}", name(self.directory, person), span.shown(&self.app.zone));
        ChangeLine {
            at: self.app.zone.civil(change.changed_at).strftime("%m-%d %H:%M").to_string(),
            kind: change.kind.title(),
            before: shown(change.person_id, change.span),
            after: change
                .new_person_id
                .map_or_else(|| self.l.t("无人值班").to_owned(), |p| shown(p, change.new_span)),
            by: name(self.directory, change.changed_by),
        }
    }

    /// A conflict in words.
    pub(super) fn conflict(&self, planned: &Planned, conflict: &rosters::Conflict) -> String {
        let who = name(self.directory, planned.person_id);
        let (mut kind, mut roster) = (String::new(), String::new());
        match conflict {
            rosters::Conflict::Absent(_, code) => {
                kind = self.catalogue.dictionary("absence_kind").title(code, self.l).to_owned();
            }
            rosters::Conflict::Unskilled(code) => {
                kind = self.catalogue.dictionary("skill").title(code, self.l).to_owned();
            }
            rosters::Conflict::Double(_, id) | rosters::Conflict::Rest(_, id, _) => {
                roster =
                    self.rosters.iter().find(|r| r.id == *id).map_or_else(String::new, |r| r.name.clone());
            }
            _ => {}
        }
        conflict.text(&who, &kind, &roster, &self.app.zone).to(self.l)
    }
}

#[derive(Template)]
#[template(path = "rosters/roster.html", blocks = ["card"])]
struct RosterPage {
    l: Lang,
    shell: Shell,
    heading: String,
    action: String,
    back: String,
    /// Where it is taken away; empty for a new one.
    removal: String,
    form: FormData,
    units: Vec<Choice>,
    skills: Vec<Choice>,
    swaps: Vec<Choice>,
    weekdays: Vec<Choice>,
    chosen: Vec<String>,
    errors: FormErrors,
}

impl RosterPage {
    async fn load(app: &App, page: &Page, roster: Option<&Roster>, form: FormData) -> Result<Self, AppError> {
        let (directory, catalogue) = (app.directory().await?, app.catalogue().await?);
        Ok(Self::new(page, &directory, &catalogue, roster, form))
    }

    fn new(
        page: &Page,
        directory: &Directory,
        catalogue: &Catalogue,
        roster: Option<&Roster>,
        form: FormData,
    ) -> Self {
        let l = page.l;
        let heading = roster.map_or_else(|| l.t("新增值班表").to_owned(), |r| r.name.clone());
        let path = roster.map_or_else(|| "/rosters".to_owned(), |r| format!("/rosters/{}", r.id));
        Self {
            l,
            shell: page.shell(&[("值班", "/rosters"), (&heading, "")]),
            removal: roster.map_or_else(String::new, |_| format!("{path}/delete")),
            back: path.clone(),
            action: path,
            units: unit_choices(directory),
            skills: catalogue
                .dictionary("skill")
                .active()
                .map(|e| Choice { value: e.code.clone(), label: e.title(l).to_owned() })
                .collect(),
            swaps: SwapRule::ALL
                .iter()
                .map(|r| Choice { value: r.code().to_owned(), label: l.t(r.title()).to_owned() })
                .collect(),
            weekdays: weekday_choices(l),
            chosen: form.all("weekdays").into_iter().map(str::to_owned).collect(),
            heading,
            form,
            errors: FormErrors::default(),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

pub(super) async fn new(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
) -> Result<Response, AppError> {
    let mut form: Vec<(String, String)> = (1..=7).map(|n| ("weekdays".into(), n.to_string())).collect();
    form.push(("is_active".into(), "1".into()));
    form.push(("rest_hours".into(), "0".into()));
    form.push(("swaps".into(), SwapRule::default().code().into()));
    RosterPage::load(&app, &page, None, FormData(form)).await?.answer(page.is_partial, StatusCode::OK)
}

pub(super) async fn edit(
    State(app): State<App>,
    Organiser(_): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = app.db.read(move |conn| rosters::load(conn, id)).await?;
    let mut form: Vec<(String, String)> = [
        ("unit_id", roster.unit_id.to_string()),
        ("name", roster.name.clone()),
        ("note", roster.note.clone()),
        ("opens", roster.opens.clone()),
        ("closes", roster.closes.clone()),
        ("is_active", if roster.is_active { "1" } else { "" }.to_owned()),
        ("skill", roster.skill.clone()),
        ("rest_hours", roster.rest_hours.to_string()),
        ("swaps", roster.swaps.code().to_owned()),
        ("version", roster.version.to_string()),
    ]
    .map(|(k, v)| (k.to_owned(), v))
    .into();
    form.extend(roster.weekdays.chars().map(|c| ("weekdays".to_owned(), c.to_string())));
    RosterPage::load(&app, &page, Some(&roster), FormData(form))
        .await?
        .answer(page.is_partial, StatusCode::OK)
}

fn draft_of(form: &FormData) -> Result<RosterDraft, AppError> {
    let text = |name: &str| Some(form.get(name).to_owned());
    Ok(RosterDraft {
        unit_id: Some(
            form.get("unit_id").parse().map_err(|_| AppError::field("unit_id", text!("请选择部门")))?,
        ),
        name: text("name"),
        note: text("note"),
        opens: text("opens"),
        closes: text("closes"),
        weekdays: Some(form.all("weekdays").concat()),
        is_active: Some(form.is_ticked("is_active")),
        skill: form.find("skill").map(str::to_owned),
        rest_hours: match form.get("rest_hours").trim() {
            "" => form.find("rest_hours").map(|_| 0),
            // What is no number is answered like one out of range.
            text => Some(text.parse().unwrap_or(-1)),
        },
        swaps: form.find("swaps").map(str::to_owned),
    })
}

pub(super) async fn add(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    form: FormData,
) -> Result<Response, AppError> {
    let (catalogue, now) = (app.catalogue().await?, app.now());
    let done = match draft_of(&form) {
        Ok(draft) => app.db.write(move |tx| rosters::create(tx, &actor, &catalogue, &draft, now)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(roster) => {
            let to = format!("/rosters/{}", roster.id);
            Ok(flash(redirect(page.is_htmx, &to), page.l.t("值班表已保存")))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            RosterPage { errors, ..RosterPage::load(&app, &page, None, form).await? }
                .answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn change(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
    form: FormData,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let roster = app.db.read(move |conn| rosters::load(conn, id)).await?;
    let (catalogue, now, based_on) = (app.catalogue().await?, app.now(), version(&form));
    let done = match draft_of(&form) {
        Ok(draft) => {
            app.db.write(move |tx| rosters::update(tx, &actor, &catalogue, id, based_on, &draft, now)).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(flash(redirect(page.is_htmx, &format!("/rosters/{id}")), page.l.t("值班表已保存"))),
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            RosterPage { errors, ..RosterPage::load(&app, &page, Some(&roster), form).await? }
                .answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

pub(super) async fn delete(
    State(app): State<App>,
    Organiser(actor): Organiser,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response, AppError> {
    let id: RosterId = path_id(&id)?;
    let now = app.now();
    app.db.write(move |tx| rosters::remove(tx, &actor, id, None, now)).await?;
    Ok(flash(redirect(page.is_htmx, "/rosters"), page.l.t("值班表已删除")))
}
