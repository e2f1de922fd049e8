//! What holds for every time and every deadline: later events are not due earlier, parts add up to the whole, what has
//! elapsed is the inverse of what is due, and nothing panics.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside the test functions")]

use std::sync::LazyLock;

use jiff::civil::DateTime;
use proptest::prelude::*;
use workday::{Amount, Before, Calendar, Holidays, Hours, Millis, Override, Pause, Unit, Within};

const MINUTE: Millis = 60_000;

/// Calendars that differ in everything a due time depends on.
static CALENDARS: LazyLock<Vec<Calendar>> = LazyLock::new(|| {
    let hours = |text| Calendar::builder().hours(Hours::parse(text).unwrap());
    let overrides = r#"
        [[day]]
        on = "2026-07-01..2026-08-31"
        kind = "hours"
        hours = ["08:00-12:00", "15:00-18:30"]
        name = "夏季作息"
        [[day]]
        on = "2026-12-31"
        kind = "hours"
        hours = ["09:00-12:00"]
        name = "年终半天"
        [[day]]
        on = "2026-11-07"
        kind = "work"
        hours = ["22:00-次日10:00"]
        name = "通宵盘点"
        [[day]]
        on = "2026-03-02..2026-03-06"
        kind = "rest"
        name = "停产检修""#;
    vec![
        Calendar::mainland(),
        hours("workdays = [\"20:00-次日08:00\"]").build(),
        hours("workdays = [\"00:00-24:00\"]\nsaturday = [\"00:00-12:00\"]").build(),
        hours("workdays = [\"08:30-11:30\", \"13:00-17:30\"]\nfriday = []\nsaturday = [\"10:00-16:00\"]")
            .build(),
        Calendar::builder().company(Override::parse(overrides).unwrap()).build(),
    ]
});

fn instant() -> impl Strategy<Value = Millis> {
    // 2018 to 2029: announced years and both kinds of years that are not.
    (1_514_736_000_000_i64..1_861_891_200_000).prop_map(|at| at / 1000 * 1000)
}

fn calendar() -> impl Strategy<Value = &'static Calendar> {
    (0..CALENDARS.len()).prop_map(|i| &CALENDARS[i])
}

fn unit() -> impl Strategy<Value = Unit> {
    use Unit::*;
    prop::sample::select(vec![Minute, Hour, Day, Week, Month, Year, Workday, WorkMinute, WorkHour])
}

fn within() -> impl Strategy<Value = Within> {
    let amount = (1..200_u32, prop::sample::select(vec!["min", "h", "wmin", "wh"]))
        .prop_map(|(n, u)| format!("{n}{u}"));
    let days = (
        1..40_u32,
        prop::sample::select(vec!["d", "w", "mo", "wd", "y"]),
        prop::sample::select(vec!["", "@end", "@24:00"]),
    );
    let days = days.prop_map(|(n, unit, until)| format!("{n}{unit}{until}"));
    let dates = prop::sample::select(vec![
        "eom",
        "eoq",
        "eoy",
        "month-day 10",
        "next-month-day 31",
        "same-day 18:00",
        "next-day 10:00",
        "next-workday 10:00",
        "end-of-workday",
    ]);
    prop_oneof![amount, days, dates.prop_map(str::to_owned)].prop_map(|text| text.parse().unwrap())
}

fn pauses(around: Millis) -> impl Strategy<Value = Vec<Pause>> {
    let pause = (-10_000..40_000_i64, 0..10_000_i64).prop_map(move |(start, length)| {
        let start = around + start * MINUTE;
        Pause { start, end: start + length * MINUTE }
    });
    prop::collection::vec(pause, 0..4)
}

fn days(number: u32, unit: Unit) -> Within {
    Within::For(Amount::new(number, unit).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn later_events_are_not_due_earlier(
        calendar in calendar(), from in instant(), later in 0..20_000_i64, within in within(),
    ) {
        let due = calendar.due_at(from, within, &[]).unwrap();
        let later = calendar.due_at(from + later * MINUTE, within, &[]).unwrap();
        prop_assert!(due <= later);
    }

    #[test]
    fn an_event_of_a_later_day_is_not_due_earlier_where_the_month_is_shorter(n in 1..30_u32, minute in 0..1_440_i64) {
        // 2020-12-28 00:00 and the days after it, to the end of a February.
        let (first, calendar) = (1_609_084_800_000, Calendar::default());
        let due = |day: i64, minute: i64| {
            calendar.due_at(first + (day * 1_440 + minute) * MINUTE, days(n, Unit::Month), &[]).unwrap()
        };
        for day in 0..4 {
            prop_assert!(due(day, minute) <= due(day + 1, 0));
        }
    }

    #[test]
    fn more_units_are_not_due_earlier(calendar in calendar(), from in instant(), n in 1..200_u32, unit in unit()) {
        let n = if unit == Unit::Year { n / 4 + 1 } else { n };
        let due = calendar.due_at(from, days(n, unit), &[]).unwrap();
        let more = calendar.due_at(from, days(n + 1, unit), &[]).unwrap();
        prop_assert!(from <= due && due < more);
    }

    #[test]
    fn parts_of_working_time_add_up(calendar in calendar(), from in instant(), n in 1..500_u32, m in 1..500_u32) {
        for unit in [Unit::WorkMinute, Unit::WorkHour] {
            let whole = calendar.due_at(from, days(n + m, unit), &[]);
            let first = calendar.due_at(from, days(n, unit), &[]).unwrap();
            prop_assert_eq!(calendar.due_at(first, days(m, unit), &[]), whole);
        }
    }

    /// On any calendar whose days keep the same hours; shorter days in between cut the clock.
    #[test]
    fn parts_of_working_days_add_up(even in 0..2_usize, from in instant(), n in 1..100_u32, m in 1..100_u32) {
        let calendar = &CALENDARS[even];
        let whole = calendar.due_at(from, days(n + m, Unit::Workday), &[]);
        let first = calendar.due_at(from, days(n, Unit::Workday), &[]).unwrap();
        prop_assert_eq!(calendar.due_at(first, days(m, Unit::Workday), &[]), whole);
    }

    #[test]
    fn elapsed_is_the_inverse_of_due(
        calendar in calendar(),
        (from, pauses) in instant().prop_flat_map(|from| (Just(from), pauses(from))),
        n in 1..100_u32,
        unit in unit(),
    ) {
        let n = if unit == Unit::Year { n / 4 + 1 } else { n };
        let due = calendar.due_at(from, days(n, unit), &pauses).unwrap();
        prop_assert_eq!(calendar.elapsed(from, due, unit, &pauses), Ok(i64::from(n)));
        prop_assert!(calendar.elapsed(from, due - 1, unit, &pauses).unwrap() < i64::from(n));
    }

    #[test]
    fn working_days_agree_with_a_walk_over_the_days(from in instant(), n in 1..60_u32) {
        let calendar = &CALENDARS[0];
        let start = calendar.local(from).unwrap();
        let mut date = start.date();
        for _ in 0..n {
            date = date.tomorrow().unwrap();
            while !calendar.is_workday(date) {
                date = date.tomorrow().unwrap();
            }
        }
        let due = calendar.due_at(from, format!("{n}wd@end").parse().unwrap(), &[]).unwrap();
        prop_assert_eq!(calendar.local(due).unwrap(), date.at(18, 0, 0, 0));
    }

    #[test]
    fn working_minutes_agree_with_a_walk_over_the_minutes(calendar in calendar(), from in instant(), n in 1..1500_u32) {
        let from = from / MINUTE * MINUTE;
        let (mut at, mut left) = (from, n);
        while left > 0 {
            left -= u32::from(calendar.is_working_at(at));
            at += MINUTE;
        }
        prop_assert_eq!(calendar.due_at(from, days(n, Unit::WorkMinute), &[]), Ok(at));
    }

    #[test]
    fn pauses_never_bring_a_due_time_forward(
        calendar in calendar(),
        (from, pauses) in instant().prop_flat_map(|from| (Just(from), pauses(from))),
        within in within(),
    ) {
        let unpaused = calendar.due_at(from, within, &[]).unwrap();
        let due = calendar.due_at(from, within, &pauses).unwrap();
        prop_assert!(unpaused <= due);
    }

    #[test]
    fn explained_and_fast_are_the_same(
        calendar in calendar(),
        (from, pauses) in instant().prop_flat_map(|from| (Just(from), pauses(from))),
        within in within(),
    ) {
        let due = calendar.due(from, within, &pauses).unwrap();
        prop_assert_eq!(Ok(due.at), calendar.due_at(from, within, &pauses));
        let text = due.explain();
        let last = text.lines().last().unwrap();
        prop_assert!(last.contains(&due.to_string()));
        prop_assert!(text.lines().count() < 40);
    }

    #[test]
    fn a_warning_comes_before(calendar in calendar(), due in instant(), n in 1..100_u32, unit in unit()) {
        let n = if unit == Unit::Year { n / 5 + 1 } else { n };
        let before = Before::new(Amount::new(n, unit).unwrap()).unwrap();
        let warning = calendar.warn_at(due, before).unwrap();
        prop_assert!(warning < due);
        // Months differ in length and days in their hours; what is left is the exact inverse.
        if !matches!(unit, Unit::Month | Unit::Year | Unit::Workday) {
            prop_assert!(calendar.due_at(warning, days(n, unit), &[]).unwrap() <= due);
        }
    }

    #[test]
    fn no_times_panic(
        from in any::<i64>(), to in any::<i64>(), n in any::<u32>(), unit in unit(), within in within(),
        start in any::<i64>(), end in any::<i64>(), calendar in calendar(),
    ) {
        let pauses = [Pause { start, end }, Pause { start: from, end: to }, Pause { start: i64::MIN, end: i64::MAX }];
        let _ = calendar.due(from, within, &pauses);
        let _ = calendar.due(from.rem_euclid(4_000_000_000_000), within, &pauses);
        let _ = calendar.elapsed(from, to, unit, &pauses);
        let from = from.rem_euclid(4_000_000_000_000);
        let to = to.rem_euclid(4_200_000_000_000);
        let _ = calendar.elapsed(from, to, unit, &pauses);
        let _ = calendar.worked(from, to, &pauses);
        let _ = calendar.remaining(from, to, unit);
        if let Ok(amount) = Amount::new(n % 100_000 + 1, unit) {
            let _ = calendar.due(from, Within::For(amount), &pauses[..1]);
            let _ = calendar.due(from, Within::For(amount), &[]);
            let _ = calendar.warn_at(from, Before::new(amount).unwrap());
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", shaped in "-?[0-9]{1,12}(min|h|d|w|mo|y|wd|wh|wmin|x)(@(end|24:00|x))?") {
        for text in [&text, &shaped] {
            let _ = text.parse::<Before>();
            if let Ok(within) = text.parse::<Within>() {
                prop_assert_eq!(within.to_string().parse::<Within>(), Ok(within));
                prop_assert!(!within.in_chinese().is_empty());
            }
            let _ = Hours::parse(text);
            let _ = Holidays::parse(text);
            let _ = Override::parse(text);
            let _ = Hours::parse(&format!("workdays = [\"{text}\"]"));
            let _ = Override::parse(&format!("[[day]]\non = \"{text}\"\nname = '{text}'\nkind = \"rest\""));
        }
    }

    #[test]
    fn every_deadline_is_written_as_it_is_read(within in within()) {
        prop_assert_eq!(within.to_string().parse::<Within>(), Ok(within));
    }

    #[test]
    fn local_times_come_back(minutes in 0..58_000_000_i64, calendar in calendar()) {
        let first: DateTime = "1990-01-01T00:00".parse().unwrap();
        let local = first + jiff::Span::new().minutes(minutes);
        prop_assert_eq!(calendar.local(calendar.at(local).unwrap()).unwrap(), local);
    }
}
