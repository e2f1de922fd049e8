//! 工作日历: a year month by month, which days are off and where that comes from; marking days, pasting an arrangement.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::Date;
use workday::{Calendar, Layer};

use super::{
    FIRST, Kind, LAST, Line, Marks, mark, marks, missing_year, parse_arrangement, set_year, source, unmark,
    version,
};
use crate::app::App;
use crate::contacts::page_parts::version as based_on;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::org::web::part_or_page;
use crate::text;
use crate::web::{Administrator, Choice, FormData, FormErrors, Need, Page, QueryData, Routes, Shell, saved};

const HOME: &str = "/admin/calendar";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/calendar", Need::Administrator, show)
        .post("/admin/calendar", Need::Administrator, mark_days)
        .post("/admin/calendar/removal", Need::Administrator, unmark_days)
        .post("/admin/calendar/arrangement", Need::Administrator, enter)
        .post("/admin/calendar/year", Need::Administrator, enter_year)
}

/// What administrators are told when the arrangement of this year, or from November on of the next, is missing; empty when
/// it is there.
pub(crate) fn warning(calendar: &Calendar, today: Date, l: Lang) -> String {
    missing_year(calendar, today).map_or_else(String::new, |year| {
        l.f("{} 年的放假安排还没有录入，工作日期限可能算错：请在国务院公布后录入。", &[&year])
    })
}

/// A day of a month; one of no number fills the week.
struct Cell {
    number: i8,
    date: String,
    /// How it is coloured: `is-off`, `is-makeup`, nothing.
    class: &'static str,
    is_company: bool,
    is_today: bool,
    /// What it is and where that comes from; empty for an ordinary day.
    title: String,
    /// 休 or 班, for days that are not what the week would make them.
    sign: &'static str,
}

struct Month {
    title: String,
    weeks: Vec<Vec<Cell>>,
}

/// Days in a row that are the same for the same reason.
struct Row {
    first: Date,
    last: Date,
    kind: Kind,
    colour: &'static str,
    name: String,
    layer: Layer,
}

impl Row {
    fn source(&self) -> &'static str {
        source(self.layer).1
    }

    fn is_company(&self) -> bool {
        self.layer == Layer::Company
    }

    fn days(&self) -> String {
        if self.first == self.last {
            self.first.to_string()
        } else {
            format!("{} – {}", self.first, self.last)
        }
    }
}

#[derive(Template)]
#[template(path = "calendar/index.html", blocks = ["card"])]
struct CalendarPage {
    l: Lang,
    shell: Shell,
    year: i16,
    before: Option<i16>,
    after: Option<i16>,
    warning: String,
    /// What is known of the year.
    state: String,
    is_known: bool,
    is_entered: bool,
    months: Vec<Month>,
    rows: Vec<Row>,
    kinds: Vec<Choice>,
    version: i64,
    form: FormData,
    /// Which form was refused: `mark`, `arrangement` or none of them.
    refused: &'static str,
    errors: FormErrors,
}

impl CalendarPage {
    /// A value of a form that was refused.
    fn value(&self, form: &str, name: &str) -> &str {
        if form == self.refused { self.form.get(name) } else { "" }
    }

    fn error(&self, form: &str, name: &str) -> &str {
        if form == self.refused { self.errors.of(name) } else { "" }
    }

    fn colour(&self) -> &'static str {
        if self.is_known { "green" } else { "amber" }
    }

    fn is_whole(&self) -> bool {
        self.refused == "arrangement" && self.form.is_ticked("is_whole")
    }

    /// What no field of a form shows.
    fn others(&self) -> Vec<&str> {
        match self.refused {
            "mark" => self.errors.besides(&["from", "to", "kind", "name"]),
            _ => self.errors.besides(&[]),
        }
    }

    fn answer(&self, is_part: bool, status: StatusCode) -> Result<Response, AppError> {
        Ok((status, part_or_page(is_part, self.as_card(), self)?).into_response())
    }
}

fn year_of(text: &str, today: Date) -> i16 {
    let asked = text.parse().ok().filter(|year| (FIRST.year()..=LAST.year()).contains(year));
    asked.unwrap_or(today.year())
}

fn days_of(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.series(1.day()).take_while(move |day| *day <= last)
}

fn cell(calendar: &Calendar, date: Date, today: Date, l: Lang) -> Cell {
    let day = calendar.day(date);
    let is_off = !calendar.is_workday(date);
    let layer = day.as_ref().map_or(Layer::Week, |day| day.layer);
    let is_special = layer != Layer::Week;
    Cell {
        number: date.day(),
        date: date.to_string(),
        class: match (is_off, is_special) {
            (true, _) => "is-off",
            (false, true) => "is-makeup",
            (false, false) => "",
        },
        is_company: layer == Layer::Company,
        is_today: date == today,
        title: match day {
            Some(day) if is_special => format!("{} {} · {}", date, day.why, l.t(source(layer).1)),
            _ => String::new(),
        },
        sign: match (is_special, is_off) {
            (false, _) => "",
            (true, true) => "休",
            (true, false) => "班",
        },
    }
}

fn month(calendar: &Calendar, first: Date, today: Date, l: Lang) -> Month {
    let blank = || Cell {
        number: 0,
        date: String::new(),
        class: "",
        is_company: false,
        is_today: false,
        title: String::new(),
        sign: "",
    };
    let lead = usize::try_from(first.weekday().to_monday_zero_offset()).unwrap_or(0);
    let mut cells: Vec<Cell> = (0..lead).map(|_| blank()).collect();
    cells.extend(days_of(first, first.last_of_month()).map(|date| cell(calendar, date, today, l)));
    while !cells.len().is_multiple_of(7) {
        cells.push(blank());
    }
    let mut weeks = Vec::new();
    while !cells.is_empty() {
        weeks.push(cells.drain(..7).collect());
    }
    Month { title: first.strftime("%Y-%m").to_string(), weeks }
}

/// The days of a year that are not what the week would make them.
fn rows(calendar: &Calendar, year: (Date, Date)) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for date in days_of(year.0, year.1) {
        let Some(day) = calendar.day(date).filter(|day| day.layer != Layer::Week) else { continue };
        let kind = Kind::from(day.kind);
        match rows.last_mut() {
            Some(row)
                if row.last.tomorrow().ok() == Some(date)
                    && (row.kind, row.layer) == (kind, day.layer)
                    && row.name == day.why =>
            {
                row.last = date;
            }
            _ => {
                let colour = if kind == Kind::Rest { "green" } else { "amber" };
                rows.push(Row { first: date, last: date, kind, colour, name: day.why, layer: day.layer });
            }
        }
    }
    rows
}

/// What is known of a year, in words.
fn state(calendar: &Calendar, marks: &Marks, year: i16, l: Lang) -> String {
    if marks.years.contains(&year) {
        return l.t("公司已录入全年的放假安排").to_owned();
    }
    match calendar.guess(year) {
        None => {
            let notices = calendar.holidays().year(year).map_or(&[][..], |known| &known.notices);
            let numbers: Vec<&str> = notices.iter().map(|notice| notice.number.as_str()).collect();
            l.f("按国务院办公厅的通知（{}）", &[&numbers.join("、")])
        }
        Some(_) if calendar.day(FIRST.with().year(year).build().unwrap_or(FIRST)).is_some_and(is_by_law) => {
            l.t("放假安排尚未公布或没有收录：按周一至周五推算，法定节假日放假，没有补班").to_owned()
        }
        Some(_) => l.t("放假安排没有收录：按周一至周五推算").to_owned(),
    }
}

/// Whether New Year's Day is off by nothing but the law: the rest of its year is, too.
fn is_by_law(day: workday::Day) -> bool {
    day.layer == Layer::Statute
}

async fn load_page(app: &App, page: &Page, year: i16) -> Result<CalendarPage, AppError> {
    let l = page.l;
    let (marks, version) = app.db.read(|conn| Ok::<_, AppError>((marks(conn)?, version(conn)?))).await?;
    // Not the one in memory: it may be older than the version the forms below are made from.
    let calendar = marks.calendar();
    let today = app.today();
    let start = Date::new(year, 1, 1).unwrap_or(FIRST);
    let firsts = (1..=12).filter_map(|month| Date::new(year, month, 1).ok());
    Ok(CalendarPage {
        l,
        shell: page.shell(&[("工作日历", "")]),
        year,
        before: Some(year - 1).filter(|year| *year >= FIRST.year()),
        after: Some(year + 1).filter(|year| *year <= LAST.year()),
        warning: warning(&calendar, today, l),
        state: state(&calendar, &marks, year, l),
        is_known: calendar.guess(year).is_none(),
        is_entered: marks.years.contains(&year),
        months: firsts.map(|first| month(&calendar, first, today, l)).collect(),
        rows: rows(&calendar, (start, start.last_of_year())),
        kinds: Kind::ALL
            .map(|kind| Choice { value: kind.code().to_owned(), label: l.t(kind.title()).to_owned() })
            .into(),
        version,
        form: FormData::default(),
        refused: "",
        errors: FormErrors::default(),
    })
}

async fn show(
    State(app): State<App>,
    Administrator(_): Administrator,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let year = year_of(asked.get("year"), app.today());
    load_page(&app, &page, year).await?.answer(page.is_partial, StatusCode::OK)
}

/// Leads back to the year after a change, or shows the form again with what was wrong.
async fn answer(
    app: &App,
    page: &Page,
    headers: &HeaderMap,
    (refused, form): (&'static str, FormData),
    done: Result<String, AppError>,
) -> Result<Response, AppError> {
    let year = year_of(form.get("year"), app.today());
    match done {
        Ok(said) => {
            app.forget_calendar();
            Ok(saved(headers, &format!("{HOME}?year={year}"), &said))
        }
        Err(error) => {
            let errors = FormErrors::from_error(error, page.l)?;
            let again = load_page(app, page, year).await?;
            CalendarPage { refused, form, errors, ..again }
                .answer(page.is_partial, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

async fn mark_days(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (l, now, seen) = (page.l, app.now(), based_on(&form));
    let line = Line::read(form.get("from"), form.get("to"), form.get("kind"), form.get("name"));
    let done = match line {
        Ok(line) => app.db.write(move |tx| mark(tx, &actor, std::slice::from_ref(&line), seen, now)).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    let done = done.map(|days| l.f("已标注 {} 天", &[&days]));
    answer(&app, &page, &headers, ("mark", form), done).await
}

async fn unmark_days(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (l, now, seen) = (page.l, app.now(), based_on(&form));
    let day = |name: &str| form.get(name).parse::<Date>().ok();
    let done = match day("from").zip(day("to")) {
        Some(days) => app.db.write(move |tx| unmark(tx, &actor, days, seen, now)).await,
        None => Err(AppError::field("from", text!("请填写日期，例如 2027-02-05"))),
    };
    let done = done.map(|days| l.f("已取消 {} 天的标注", &[&days]));
    answer(&app, &page, &headers, ("removal", form), done).await
}

async fn enter(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (l, now, seen) = (page.l, app.now(), based_on(&form));
    let whole_year = form.is_ticked("is_whole").then(|| year_of(form.get("year"), app.today()));
    let done = match parse_arrangement(form.get("text")) {
        Ok(lines) => {
            app.db
                .write(move |tx| {
                    let changed = mark(tx, &actor, &lines, seen, now)?;
                    if let Some(year) = whole_year {
                        set_year(tx, &actor, year, true, None, now)?;
                    }
                    Ok::<_, AppError>(changed)
                })
                .await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    let done = done.map(|days| l.f("已标注 {} 天", &[&days]));
    answer(&app, &page, &headers, ("arrangement", form), done).await
}

async fn enter_year(
    State(app): State<App>,
    Administrator(actor): Administrator,
    page: Page,
    headers: HeaderMap,
    form: FormData,
) -> Result<Response, AppError> {
    let (l, now, seen) = (page.l, app.now(), based_on(&form));
    let is_entered = form.is_ticked("is_entered");
    let done = match form.get("year").parse::<i16>() {
        Ok(year) => app.db.write(move |tx| set_year(tx, &actor, year, is_entered, seen, now)).await,
        Err(_) => Err(AppError::field("year", text!("请填写 2000 到 2100 之间的年份"))),
    };
    let said = if is_entered { "已确认全年的放假安排" } else { "已取消确认" };
    let done = done.map(|()| l.t(said).to_owned());
    answer(&app, &page, &headers, ("year", form), done).await
}
