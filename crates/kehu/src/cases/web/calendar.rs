//! The calendar of what is due: a month of the cases the reader may see, by the day of their next deadline.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;

use super::{Around, Line};
use crate::access::Actor;
use crate::app::App;
use crate::cases::{Ground, due_between};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::web::{Page, QueryData, Shell, html};

/// Cases of a month at the most.
const MOST: usize = 500;

struct Day {
    number: i8,
    date: String,
    is_outside: bool,
    is_today: bool,
    /// Whether people work on it.
    is_off: bool,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "cases/calendar.html")]
struct CalendarPage {
    l: Lang,
    shell: Shell,
    month: String,
    before: String,
    after: String,
    weeks: Vec<Vec<Day>>,
    is_cut: bool,
}

/// The first day of the month that was asked for, or of this one.
fn month_of(text: &str, today: Date) -> Date {
    let asked = format!("{text}-01").parse::<Date>().ok().filter(|day| (2000..=2100).contains(&day.year()));
    asked.unwrap_or(today).first_of_month()
}

pub(super) async fn show(
    Shared(app): Shared<App>,
    actor: Actor,
    page: Page,
    asked: QueryData,
) -> Result<Response, AppError> {
    let (l, today) = (page.l, app.today());
    let first = month_of(asked.get("month"), today);
    let start = first.saturating_sub(i64::from(first.weekday().to_monday_zero_offset()).days());
    let end = start.saturating_add(42.days());
    let ground = Ground::of(&app).await?;
    let (from, to) = (ground.zone.day(start).0, ground.zone.day(end).0);
    let of = ground.clone();
    let (cases, around) = app
        .db
        .read(move |conn| {
            let cases = due_between(conn, &actor, &of, from, to, MOST + 1)?;
            let around = Around::load(conn, &actor, &of, cases.iter())?;
            Ok::<_, AppError>((cases, around))
        })
        .await?;
    let is_cut = cases.len() > MOST;
    let mut weeks = Vec::new();
    for week in 0..6_i64 {
        let mut days = Vec::new();
        for weekday in 0..7_i64 {
            let date = start.saturating_add((week * 7 + weekday).days());
            let on_day = |case: &&super::Case| case.due_at.is_some_and(|due| ground.zone.date(due) == date);
            days.push(Day {
                number: date.day(),
                date: date.to_string(),
                is_outside: date.month() != first.month(),
                is_today: date == today,
                is_off: !ground.calendar.is_workday(date),
                lines: cases
                    .iter()
                    .take(MOST)
                    .filter(on_day)
                    .map(|case| around.line(case, &ground, l))
                    .collect(),
            });
        }
        weeks.push(days);
    }
    let month = |date: Date| date.strftime("%Y-%m").to_string();
    html(&CalendarPage {
        l,
        shell: page.shell(&[("单据", super::HOME), ("日历", "")]),
        month: month(first),
        before: month(first.saturating_sub(1.day())),
        after: month(first.saturating_add(1.month())),
        weeks,
        is_cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_month_that_is_none_is_this_month() {
        let today = date(2026, 9, 28);
        assert_eq!(month_of("2026-12", today), date(2026, 12, 1));
        for wrong in ["", "2026-13", "x", "9999-12", "2026-1"] {
            assert_eq!(month_of(wrong, today), date(2026, 9, 1), "{wrong}");
        }
    }
}
