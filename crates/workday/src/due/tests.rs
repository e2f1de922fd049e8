use super::*;
use crate::{Calendar, FileError, Hours, Override};

fn at(calendar: &Calendar, text: &str) -> Millis {
    calendar.at(text.replace(' ', "T").parse().unwrap()).unwrap()
}

/// Due times as `2026-10-10 16:20`, or the error.
fn due_paused(calendar: &Calendar, from: &str, within: &str, pauses: &[(&str, &str)]) -> String {
    let pauses: Vec<_> = pauses
        .iter()
        .map(|(start, end)| Pause { start: at(calendar, start), end: at(calendar, end) })
        .collect();
    let due = calendar.due(at(calendar, from), within.parse().unwrap(), &pauses);
    let fast = calendar.due_at(at(calendar, from), within.parse().unwrap(), &pauses);
    assert_eq!(due.as_ref().map(|due| due.at).ok(), fast.as_ref().copied().ok());
    due.map_or_else(|error| error.to_string(), |due| due.to_string())
}

fn due(from: &str, within: &str) -> String {
    due_paused(&Calendar::mainland(), from, within, &[])
}

fn warn(due: &str, before: &str) -> String {
    let calendar = Calendar::mainland();
    let at = calendar.warn_at(at(&calendar, due), before.parse().unwrap()).unwrap();
    calendar.local(at).unwrap().strftime("%Y-%m-%d %H:%M").to_string()
}

fn company(overrides: &str) -> Result<Calendar, FileError> {
    Ok(Calendar::builder().company(Override::parse(overrides)?).build())
}

fn with_hours(hours: &str) -> Calendar {
    Calendar::builder().hours(Hours::parse(hours).unwrap()).build()
}

/// Monday 28 September 2026: Tuesday 29 (1), Wednesday 30 (2), National Day off from Thursday 1 to Wednesday 7 October,
/// Thursday 8 (3), Friday 9 (4), and Saturday 10, a make-up day (5).
#[test]
fn five_working_days_before_national_day_end_on_its_make_up_day() {
    assert_eq!(due("2026-09-28 16:20", "5wd"), "2026-10-10 16:20");
    assert_eq!(due("2026-09-28 16:20", "5wd@end"), "2026-10-10 18:00");
    assert_eq!(due("2026-09-28 16:20", "5wd@24:00"), "2026-10-10 23:59");
    assert_eq!(due("2026-09-28 16:20", "6wd"), "2026-10-12 16:20");
    assert_eq!(due("2026-09-28 16:20", "2wd"), "2026-09-30 16:20");
    assert_eq!(due("2026-09-28 16:20", "3wd"), "2026-10-08 16:20");
}

#[test]
fn calendar_days_run_to_the_minute() {
    assert_eq!(due("2026-09-28 16:20", "7d"), "2026-10-05 16:20");
    assert_eq!(due("2026-09-28 16:20", "1w"), "2026-10-05 16:20");
    assert_eq!(due("2026-09-28 16:20", "24h"), "2026-09-29 16:20");
    assert_eq!(due("2026-09-28 23:55", "10min"), "2026-09-29 00:05");
    let calendar = Calendar::mainland();
    let due = calendar.due_at(at(&calendar, "2026-09-28 16:20"), "7d".parse().unwrap(), &[]).unwrap();
    assert_eq!(due, at(&calendar, "2026-10-05 16:20"));
    assert!(due < at(&calendar, "2026-10-05 16:21"));
}

#[test]
fn calendar_days_can_end_with_the_day_or_with_business() {
    assert_eq!(due("2026-09-28 16:20", "3d@24:00"), "2026-10-01 23:59");
    assert_eq!(due("2026-09-28 16:20", "3d@end"), "2026-10-08 18:00");
    assert_eq!(due("2026-09-28 16:20", "1d@end"), "2026-09-29 18:00");
    assert_eq!(due("2026-09-28 16:20", "1mo@24:00"), "2026-10-28 23:59");
}

#[test]
fn an_event_outside_business_hours_counts_from_the_next_opening() {
    // The evening, the early morning, the weekend.
    assert_eq!(due("2026-11-02 19:30", "1wd"), "2026-11-04 09:00");
    assert_eq!(due("2026-11-02 07:30", "1wd"), "2026-11-03 09:00");
    assert_eq!(due("2026-10-31 10:00", "1wd"), "2026-11-03 09:00");
    // Mid-Autumn: Friday to Sunday off.
    assert_eq!(due("2026-09-25 10:00", "1wd"), "2026-09-29 09:00");
    // Opening and closing are business hours themselves, and so is lunch.
    assert_eq!(due("2026-11-02 09:00", "1wd"), "2026-11-03 09:00");
    assert_eq!(due("2026-11-02 18:00", "1wd"), "2026-11-03 18:00");
    assert_eq!(due("2026-11-02 18:01", "1wd"), "2026-11-04 09:00");
    assert_eq!(due("2026-11-02 12:30", "1wd"), "2026-11-03 12:30");
}

#[test]
fn days_counted_to_their_end_are_counted_by_date() {
    assert_eq!(due("2026-11-02 07:30", "1wd@end"), "2026-11-03 18:00");
    assert_eq!(due("2026-11-02 23:30", "1wd@end"), "2026-11-03 18:00");
    assert_eq!(due("2026-10-31 10:00", "1wd@end"), "2026-11-02 18:00");
    assert_eq!(due("2026-10-31 10:00", "1wd@24:00"), "2026-11-02 23:59");
}

#[test]
fn make_up_days_count_and_extended_holidays_do_not() {
    // Saturday 14 and 28 February 2026 are worked for the Spring Festival of 15 to 23.
    assert_eq!(due("2026-02-13 10:00", "1wd"), "2026-02-14 10:00");
    assert_eq!(due("2026-02-13 10:00", "2wd"), "2026-02-24 10:00");
    assert_eq!(due("2026-02-27 10:00", "1wd"), "2026-02-28 10:00");
    // The Spring Festival of 2020 was extended to 2 February, its make-up day of 1 February with it.
    assert_eq!(due("2020-01-23 10:00", "1wd"), "2020-02-03 10:00");
    // New Year's Day 2023 began in the year before.
    assert_eq!(due("2022-12-30 10:00", "1wd"), "2023-01-03 10:00");
}

#[test]
fn working_hours_skip_lunch_nights_and_holidays() {
    assert_eq!(due("2026-11-02 11:00", "2wh"), "2026-11-02 14:30");
    assert_eq!(due("2026-11-02 11:00", "1wh"), "2026-11-02 12:00");
    assert_eq!(due("2026-11-02 12:15", "1wh"), "2026-11-02 14:30");
    assert_eq!(due("2026-11-02 17:30", "30wmin"), "2026-11-02 18:00");
    assert_eq!(due("2026-11-02 17:30", "31wmin"), "2026-11-03 09:01");
    assert_eq!(due("2026-09-30 17:00", "8wh"), "2026-10-08 17:30");
    assert_eq!(due("2026-10-31 03:00", "1wh"), "2026-11-02 10:00");
}

#[test]
fn months_end_where_a_month_does() {
    assert_eq!(due("2026-01-31 10:00", "1mo"), "2026-02-28 23:59");
    assert_eq!(due("2028-01-31 10:00", "1mo"), "2028-02-29 23:59");
    assert_eq!(due("2028-02-29 10:00", "1y"), "2029-02-28 23:59");
    assert_eq!(due("2026-08-31 10:00", "3mo"), "2026-11-30 23:59");
    assert_eq!(due("2026-09-28 16:20", "10y"), "2036-09-28 16:20");
}

#[test]
fn dates_of_the_calendar_end_with_their_day() {
    assert_eq!(due("2028-02-29 23:59", "eom"), "2028-02-29 23:59");
    assert_eq!(due("2026-02-01 00:00", "eom"), "2026-02-28 23:59");
    assert_eq!(due("2026-09-28 16:20", "eoq"), "2026-09-30 23:59");
    assert_eq!(due("2026-10-01 00:00", "eoq"), "2026-12-31 23:59");
    assert_eq!(due("2026-02-01 00:00", "eoy"), "2026-12-31 23:59");
    assert_eq!(due("2026-02-03 09:00", "month-day 10"), "2026-02-10 23:59");
    assert_eq!(due("2026-02-13 09:00", "month-day 10"), "2026-02-10 23:59");
    assert_eq!(due("2026-02-03 09:00", "month-day 31"), "2026-02-28 23:59");
    assert_eq!(due("2026-12-03 09:00", "next-month-day 10"), "2027-01-10 23:59");
    assert_eq!(due("2026-01-31 09:00", "next-month-day 31"), "2026-02-28 23:59");
}

#[test]
fn times_of_this_and_the_next_day() {
    assert_eq!(due("2026-09-30 17:00", "same-day 18:00"), "2026-09-30 18:00");
    assert_eq!(due("2026-09-30 19:00", "same-day 18:00"), "2026-09-30 18:00");
    assert_eq!(due("2026-09-30 17:00", "same-day 24:00"), "2026-09-30 23:59");
    assert_eq!(due("2026-09-30 17:00", "next-day 10:00"), "2026-10-01 10:00");
    assert_eq!(due("2026-09-30 17:00", "next-workday 10:00"), "2026-10-08 10:00");
    assert_eq!(due("2026-10-03 17:00", "next-workday 10:00"), "2026-10-08 10:00");
    assert_eq!(due("2026-09-30 17:00", "end-of-workday"), "2026-09-30 18:00");
    assert_eq!(due("2026-09-30 18:01", "end-of-workday"), "2026-10-08 18:00");
}

#[test]
fn a_half_day_ends_at_noon_and_so_does_what_is_due_on_it() {
    let text = "[[day]]\non = \"2026-11-05\"\nkind = \"hours\"\nhours = [\"09:00-12:00\"]\nname = \"半天班\"";
    let calendar = company(text).unwrap();
    assert_eq!(due_paused(&calendar, "2026-11-04 16:20", "1wd", &[]), "2026-11-05 12:00");
    assert_eq!(due_paused(&calendar, "2026-11-04 10:20", "1wd", &[]), "2026-11-05 10:20");
    assert_eq!(due_paused(&calendar, "2026-11-04 16:20", "2wd", &[]), "2026-11-06 16:20");
    assert_eq!(due_paused(&calendar, "2026-11-04 17:00", "5wh", &[]), "2026-11-06 10:00");
    assert_eq!(due_paused(&calendar, "2026-11-05 13:00", "1wd", &[]), "2026-11-09 09:00");
}

#[test]
fn a_night_shift_belongs_to_the_day_it_begins() {
    let calendar = with_hours("workdays = [\"20:00-次日08:00\"]");
    // Tuesday two in the morning is Monday's shift.
    assert_eq!(due_paused(&calendar, "2026-11-03 02:00", "1wd", &[]), "2026-11-04 02:00");
    // Saturday morning is Friday's, and the next shift begins on Monday.
    assert_eq!(due_paused(&calendar, "2026-11-07 02:00", "1wd", &[]), "2026-11-10 02:00");
    assert_eq!(due_paused(&calendar, "2026-11-07 02:00", "7wh", &[]), "2026-11-09 21:00");
    assert_eq!(due_paused(&calendar, "2026-11-07 02:00", "1wd@end", &[]), "2026-11-10 08:00");
    assert_eq!(due_paused(&calendar, "2026-11-07 12:00", "end-of-workday", &[]), "2026-11-10 08:00");
    // The shift of 30 September goes on into National Day; the next is that of 8 October.
    assert_eq!(due_paused(&calendar, "2026-09-30 20:00", "13wh", &[]), "2026-10-08 21:00");
    assert!(calendar.is_working_at(at(&calendar, "2026-10-01 07:59")));
    assert!(!calendar.is_working_at(at(&calendar, "2026-10-01 08:00")));
}

#[test]
fn a_pause_of_no_length_does_not_move_a_night_shift() {
    let calendar = with_hours("workdays = [\"20:00-次日08:00\"]");
    let none = [("2026-11-02 12:00", "2026-11-02 12:00")];
    assert_eq!(due_paused(&calendar, "2026-11-02 10:00", "1d@end", &[]), "2026-11-04 08:00");
    assert_eq!(due_paused(&calendar, "2026-11-02 10:00", "1d@end", &none), "2026-11-04 08:00");
}

#[test]
fn round_the_clock_no_minute_is_lost() {
    let calendar =
        with_hours("workdays = [\"00:00-24:00\"]\nsaturday = [\"00:00-24:00\"]\nsunday = [\"00:00-24:00\"]");
    assert_eq!(due_paused(&calendar, "2026-11-06 22:00", "30wh", &[]), "2026-11-08 04:00");
    assert_eq!(due_paused(&calendar, "2026-11-06 22:00", "1wd", &[]), "2026-11-07 22:00");
    assert_eq!(due_paused(&calendar, "2026-11-06 00:00", "1wd", &[]), "2026-11-07 00:00");
    assert_eq!(due_paused(&calendar, "2026-11-06 22:00", "end-of-workday", &[]), "2026-11-06 23:59");
}

#[test]
fn a_later_layer_wins() {
    let entry = |kind: &str, name: &str| {
        let text = format!("[[day]]\non = \"2026-11-03\"\nkind = \"{kind}\"\nname = \"{name}\"");
        Override::parse(&text).unwrap()
    };
    let date = jiff::civil::date(2026, 11, 3);
    let company = || Calendar::builder().company(entry("rest", "厂庆放假"));
    assert_eq!(company().build().day(date).unwrap().why, "厂庆放假");
    // In whatever order they are given.
    let unit = Calendar::builder().unit(entry("work", "门店营业")).company(entry("rest", "厂庆放假")).build();
    assert_eq!(unit.day(date).unwrap().why, "门店营业");
    assert_eq!(due_paused(&unit, "2026-11-02 10:00", "1wd", &[]), "2026-11-03 10:00");
    let person = company().unit(entry("work", "门店营业")).person(entry("rest", "年假")).build();
    assert_eq!(person.day(date).unwrap().why, "年假");
    assert_eq!(due_paused(&person, "2026-11-02 10:00", "1wd", &[]), "2026-11-04 10:00");
}

#[test]
fn other_hours_do_not_make_a_day_of_rest_a_working_day() {
    let text = "[[day]]\non = \"2026-05-01..2026-09-30\"\nkind = \"hours\"\nhours = [\"08:00-12:00\", \"15:00-19:00\"]\nname = \"夏季作息\"";
    let calendar = company(text).unwrap();
    assert_eq!(due_paused(&calendar, "2026-07-03 18:00", "2wh", &[]), "2026-07-06 09:00");
    assert_eq!(calendar.day(jiff::civil::date(2026, 7, 4)).unwrap().why, "周末");
    assert_eq!(calendar.day(jiff::civil::date(2026, 7, 6)).unwrap().why, "夏季作息");
}

#[test]
fn pauses_give_back_what_they_took() {
    let calendar = Calendar::mainland();
    let due = |within, pauses: &[_]| due_paused(&calendar, "2026-11-02 10:00", within, pauses);
    let a_day = ("2026-11-02 14:00", "2026-11-03 14:00");
    assert_eq!(due("7d", &[a_day]), "2026-11-10 10:00");
    assert_eq!(due("8h", &[a_day]), "2026-11-03 18:00");
    assert_eq!(due("8wh", &[a_day]), "2026-11-04 10:30");
    assert_eq!(due("2wd", &[a_day]), "2026-11-05 10:00");
    assert_eq!(due("2wd@end", &[a_day]), "2026-11-05 18:00");
    assert_eq!(due("2wd@24:00", &[a_day]), "2026-11-05 23:59");
    assert_eq!(due("7d@24:00", &[a_day]), "2026-11-10 23:59");
    // What begins after the due time comes too late, at it as well; what ended before the event never mattered.
    assert_eq!(due("1h", &[("2026-11-02 11:00", "2026-11-02 12:00")]), "2026-11-02 11:00");
    assert_eq!(due("1h", &[("2026-11-02 08:00", "2026-11-02 10:00")]), "2026-11-02 11:00");
    assert_eq!(due("1h", &[("2026-11-02 08:00", "2026-11-02 10:30")]), "2026-11-02 11:30");
    // Overlapping and out of order, each minute counts once; a second pause counts if the first has moved the due time.
    let two = [("2026-11-02 11:15", "2026-11-02 11:45"), ("2026-11-02 10:30", "2026-11-02 11:00")];
    assert_eq!(due("1h", &two), "2026-11-02 12:00");
    let overlapping = [("2026-11-02 10:45", "2026-11-02 11:15"), ("2026-11-02 10:30", "2026-11-02 11:00")];
    assert_eq!(due("1h", &overlapping), "2026-11-02 11:45");
    assert_eq!(due("1d@end", &[("2026-11-02 12:00", "2026-11-02 12:00")]), "2026-11-03 18:00");
    // A weekend takes nothing from working time, and nothing moves the end of the month.
    assert_eq!(due("9wd", &[("2026-11-07 00:00", "2026-11-09 00:00")]), "2026-11-13 10:00");
    assert_eq!(due("eom", &[a_day]), "2026-11-30 23:59");
    assert!(due("1h", &[("2026-11-02 12:00", "2026-11-02 11:00")]).contains("早于开始"));
}

#[test]
fn what_is_due_at_an_opening_stays_due_at_one() {
    let calendar = Calendar::mainland();
    let pause = [("2026-11-03 09:00", "2026-11-03 18:00")];
    assert_eq!(due_paused(&calendar, "2026-11-02 19:00", "1wd", &[]), "2026-11-04 09:00");
    assert_eq!(due_paused(&calendar, "2026-11-02 19:00", "1wd", &pause), "2026-11-05 09:00");
    assert_eq!(due_paused(&calendar, "2026-11-02 18:00", "1wd", &pause), "2026-11-04 18:00");
}

#[test]
fn warnings_come_before() {
    assert_eq!(warn("2026-10-10 16:20", "-1wd"), "2026-10-09 16:20");
    assert_eq!(warn("2026-10-10 16:20", "-3wd"), "2026-09-30 16:20");
    assert_eq!(warn("2026-10-10 23:59", "-1wd"), "2026-10-09 18:00");
    assert_eq!(warn("2026-10-05 16:20", "-1wd"), "2026-09-29 18:00");
    assert_eq!(warn("2026-10-05 16:20", "-2d"), "2026-10-03 16:20");
    assert_eq!(warn("2026-10-05 16:20", "-30min"), "2026-10-05 15:50");
    assert_eq!(warn("2026-11-03 10:00", "-1wh"), "2026-11-03 09:00");
    assert_eq!(warn("2026-11-03 10:00", "-2wh"), "2026-11-02 17:00");
    assert_eq!(warn("2026-03-31 10:00", "-1mo"), "2026-02-28 10:00");
}

#[test]
fn the_ends_of_the_calendar_are_errors() {
    assert!(due("2100-12-31 10:00", "1d").contains("到期时间超出"));
    assert!(due("2100-12-31 10:00", "1wd").contains("到期时间超出"));
    assert!(due("2026-01-01 10:00", "100000wd").contains("到期时间超出"));
    assert!(due("2026-01-01 10:00", "100000y").contains("到期时间超出"));
    assert!(due("2026-01-01 10:00", "100000mo").contains("到期时间超出"));
    assert_eq!(due("2100-12-31 10:00", "eom"), "2100-12-31 23:59");
    assert_eq!(due("1990-01-01 00:00", "1wd"), "1990-01-02 09:00");
    let calendar = Calendar::mainland();
    for from in [i64::MIN, 0, i64::MAX] {
        assert_eq!(calendar.due_at(from, "1d".parse().unwrap(), &[]), Err(Error::Start));
    }
    let first = at(&calendar, "1990-01-01 08:00");
    assert_eq!(calendar.warn_at(first, "-1wd".parse().unwrap()), Err(Error::Start));
    assert_eq!(calendar.warn_at(first, "-1wh".parse().unwrap()), Err(Error::Start));
    assert_eq!(calendar.warn_at(first, "-100000w".parse().unwrap()), Err(Error::Start));
}

#[test]
fn other_zones_keep_their_clock_through_daylight_saving() {
    let zone = jiff::tz::TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    let calendar = Calendar::builder().zone(zone).build();
    // Clocks go forward on 29 March 2026: a day is a day, 24 hours are one hour later on the clock.
    assert_eq!(due_paused(&calendar, "2026-03-28 16:20", "1d", &[]), "2026-03-29 16:20");
    assert_eq!(due_paused(&calendar, "2026-03-28 16:20", "24h", &[]), "2026-03-29 17:20");
}

#[test]
fn years_without_a_notice_keep_the_days_the_law_names() {
    // Friday 1 January is 元旦, then a weekend; nothing is made up for.
    assert_eq!(due("2026-12-31 10:00", "1wd"), "2027-01-04 10:00");
    assert_eq!(due("2027-01-01 10:00", "1wd"), "2027-01-05 09:00");
    // 除夕 is Friday 5 February 2027, 初一 to 初三 Saturday to Monday.
    assert_eq!(due("2027-02-04 10:00", "1wd"), "2027-02-09 10:00");
    assert_eq!(due("2027-04-30 10:00", "1wd"), "2027-05-03 10:00");
    assert_eq!(due("2027-09-14 10:00", "1wd"), "2027-09-16 10:00");
    assert_eq!(due("2027-09-30 10:00", "1wd"), "2027-10-04 10:00");
    // Beyond the table only what never moves.
    assert_eq!(due("2058-12-31 10:00", "1wd"), "2059-01-02 10:00");
    assert_eq!(due("2018-04-30 10:00", "1wd"), "2018-05-01 10:00");
}
