use proptest::prelude::*;

use super::*;

fn zone() -> Zone {
    Zone::default()
}

fn at(text: &str) -> Millis {
    zone().parse(text).unwrap()
}

fn span(from: &str, until: &str) -> Span {
    Span::new(at(from), at(until))
}

fn shift(n: i64, person: i64, span: Span) -> Shift {
    Shift {
        id: ShiftId(n),
        roster_id: RosterId(1),
        person_id: PersonId(person),
        span,
        note: String::new(),
        version: 1,
        published_at: Some(0),
        changed_at: None,
    }
}

fn away(person: i64, span: Span) -> Absence {
    Absence { id: AbsenceId(1), person_id: PersonId(person), kind: "leave".into(), span, note: String::new() }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn a_night_shift_is_on_duty_until_the_last_millisecond_and_on_both_days() {
    let night = [shift(1, 7, span("2026-09-28 22:00", "2026-09-29 06:00"))];
    for (moment, there) in [
        (at("2026-09-28 22:00") - 1, false),
        (at("2026-09-28 22:00"), true),
        (at("2026-09-29 06:00") - 1, true),
        (at("2026-09-29 06:00"), false),
    ] {
        assert_eq!(!on_duty(&night, moment).is_empty(), there, "{moment}");
    }
    for (on, was) in
        [("2026-09-27", false), ("2026-09-28", true), ("2026-09-29", true), ("2026-09-30", false)]
    {
        assert_eq!(on_duty_on(&night, day(on), &zone()).contains(&PersonId(7)), was, "{on}");
    }
    assert!(!on_duty_on(&night, day("2026-09-28"), &zone()).contains(&PersonId(8)));
    // One that ends at midnight does not reach into the next day.
    let late = [shift(1, 7, span("2026-09-28 16:00", "2026-09-29 00:00"))];
    assert!(!on_duty_on(&late, day("2026-09-29"), &zone()).contains(&PersonId(7)));
}

#[test]
fn the_zone_decides_which_day_it_is() {
    // 23:30 in Shanghai is the evening before in London, and London has a day of 25 hours.
    let london = Zone::named("Europe/London").unwrap();
    let shifts = [shift(1, 7, span("2026-09-28 06:30", "2026-09-28 06:45"))];
    assert!(on_duty_on(&shifts, day("2026-09-27"), &london).contains(&PersonId(7)));
    assert!(!on_duty_on(&shifts, day("2026-09-28"), &london).contains(&PersonId(7)));
    let long = Hours::read("00:00", "24:00").unwrap().on(day("2026-10-25"), &london);
    assert_eq!(long.ends_at - long.starts_at, 25 * 60 * MINUTE);
    let long = Hours::read("00:00", "24:00").unwrap().on(day("2026-10-25"), &zone());
    assert_eq!(long.ends_at - long.starts_at, DAY);
}

#[test]
fn who_is_on_duty_stands_in_the_order_of_starts_and_once() {
    let shifts = [
        shift(3, 9, span("2026-09-28 09:00", "2026-09-28 18:00")),
        shift(2, 8, span("2026-09-28 08:00", "2026-09-28 12:00")),
        shift(1, 8, span("2026-09-28 10:00", "2026-09-28 11:00")),
    ];
    assert_eq!(on_duty(&shifts, at("2026-09-28 10:30")), [PersonId(8), PersonId(9)]);
    let absences = [away(8, span("2026-09-28 10:00", "2026-09-28 11:00"))];
    assert_eq!(free_people(&shifts, &absences, at("2026-09-28 10:30")), [PersonId(9)]);
    assert_eq!(free_people(&shifts, &absences, at("2026-09-28 11:00")), [PersonId(8), PersonId(9)]);
}

#[test]
fn the_next_free_one_is_the_best_who_is_on_shift_long_enough_and_not_away() {
    let hour = 60 * MINUTE;
    let shifts = [
        shift(1, 7, span("2026-09-28 08:00", "2026-09-28 12:00")),
        shift(2, 7, span("2026-09-28 12:00", "2026-09-28 18:00")),
        shift(3, 8, span("2026-09-28 08:00", "2026-09-28 18:00")),
    ];
    let both = [(PersonId(8), 3), (PersonId(7), 5)];
    let from = at("2026-09-28 09:00");
    // The better one, over two shifts that touch.
    let slot = next_free(&both, &shifts, &[], from, 9 * hour).unwrap();
    assert_eq!(slot, (PersonId(7), span("2026-09-28 09:00", "2026-09-28 18:00")));
    assert_eq!(next_free(&both, &shifts, &[], from, 9 * hour + 1), None);
    // Away until 10:30: the work begins then; a longer one finds no room and goes to the other.
    let absences = [away(7, span("2026-09-28 08:30", "2026-09-28 10:30"))];
    let slot = next_free(&both, &shifts, &absences, from, hour).unwrap();
    assert_eq!(slot, (PersonId(7), span("2026-09-28 10:30", "2026-09-28 11:30")));
    let slot = next_free(&both, &shifts, &absences, from, 8 * hour).unwrap();
    assert_eq!(slot, (PersonId(8), span("2026-09-28 09:00", "2026-09-28 17:00")));
    // Of the same level the earlier one.
    let same = [(PersonId(7), 3), (PersonId(8), 3)];
    assert_eq!(next_free(&same, &shifts, &absences, from, hour).unwrap().0, PersonId(8));
    assert_eq!(next_free(&[], &shifts, &[], from, hour), None);
}

// covers: LC-08
#[test]
fn a_caller_goes_to_the_manager_he_names_else_to_whoever_is_on_duty() {
    let shifts = [
        shift(1, 7, span("2026-09-28 08:00", "2026-09-28 12:00")),
        shift(2, 8, span("2026-09-28 14:00", "2026-09-28 18:00")),
    ];
    let ten = at("2026-09-28 10:00");
    let (li, boss) = (PersonId(1), PersonId(2));
    assert_eq!(reception(Some((li, true, Some(boss))), &shifts, &[], ten), Reception::Manager(li));
    assert_eq!(reception(Some((li, false, Some(boss))), &shifts, &[], ten), Reception::Superior(boss));
    assert_eq!(reception(Some((li, false, None)), &shifts, &[], ten), Reception::OnDuty(PersonId(7)));
    assert_eq!(reception(None, &shifts, &[], ten), Reception::OnDuty(PersonId(7)));
    let absences = [away(7, span("2026-09-28 09:00", "2026-09-28 11:00"))];
    let next = Reception::Next(PersonId(8), at("2026-09-28 14:00"));
    assert_eq!(reception(None, &shifts, &absences, ten), next);
    assert_eq!(reception(None, &shifts, &[], at("2026-09-28 12:00")), next);
    assert_eq!(reception(None, &shifts, &[], at("2026-09-28 18:00")), Reception::Nobody);
}

#[test]
fn conflicts_are_named_and_only_another_unit_is_a_warning() {
    let standing = Standing { is_active: true, is_of_unit: true, ..Standing::default() };
    let planned = Planned { person_id: PersonId(7), span: span("2026-09-28 08:00", "2026-09-28 20:00") };
    let others = [shift(1, 7, span("2026-09-28 19:00", "2026-09-28 22:00"))];
    let absences = [away(7, span("2026-09-28 06:00", "2026-09-28 08:00"))];
    let found =
        |standing: &Standing, except| conflicts(&planned, except, standing, &others, &absences, &zone());
    // Touching is not overlapping, and the shift itself does not count.
    assert_eq!(found(&standing, Some(ShiftId(1))), []);
    assert_eq!(found(&standing, None), [Conflict::Double(others[0].span, RosterId(1))]);
    let elsewhere = Standing { is_of_unit: false, ..standing.clone() };
    assert_eq!(found(&elsewhere, Some(ShiftId(1))), [Conflict::Elsewhere]);
    assert!(!Conflict::Elsewhere.is_blocking());
    // The last day in the company may be worked, the next not.
    for (left_on, is_free) in [("2026-09-28", true), ("2026-09-27", false)] {
        let left = Standing { is_active: false, left_on: left_on.into(), ..standing.clone() };
        assert_eq!(found(&left, Some(ShiftId(1))).is_empty(), is_free, "{left_on}");
    }
    let disabled = Standing { is_active: false, ..standing };
    let said = found(&disabled, Some(ShiftId(1)))[0].text("张三", "", "", &zone()).to_string();
    assert_eq!(said, "张三 已停用，不能排班");
    let said = Conflict::Double(others[0].span, RosterId(1)).text("张三", "", "前台", &zone()).to_string();
    assert_eq!(said, "张三 同时已有班次：09-28 19:00–22:00（前台）");
    assert_eq!(span("2026-09-28 16:00", "2026-09-29 00:00").shown(&zone()), "09-28 16:00–24:00");
    assert_eq!(span("2026-09-28 22:00", "2026-09-29 06:00").shown(&zone()), "09-28 22:00 – 09-29 06:00");
}

#[test]
fn rest_between_two_shifts_is_asked_for_where_the_roster_says_so() {
    let planned = Planned { person_id: PersonId(7), span: span("2026-09-29 08:00", "2026-09-29 20:00") };
    let resting = |rest_hours, others: &[Shift], except| {
        let standing = Standing {
            is_active: true,
            is_of_unit: true,
            rest_hours,
            lacks: String::new(),
            ..Standing::default()
        };
        conflicts(&planned, except, &standing, others, &[], &zone())
    };
    let before = [shift(1, 7, span("2026-09-28 08:00", "2026-09-28 20:00"))];
    assert_eq!(resting(12, &before, None), [], "exactly as long as asked for");
    assert_eq!(resting(13, &before, None), [Conflict::Rest(before[0].span, RosterId(1), 13)]);
    assert_eq!(resting(13, &before, Some(ShiftId(1))), [], "the one he gives away does not count");
    assert_eq!(resting(0, &before, None), []);
    let after = [shift(2, 7, span("2026-09-29 20:00", "2026-09-30 08:00"))];
    assert!(resting(1, &after, None)[0].is_blocking());
    assert_eq!(resting(1, &[shift(3, 8, after[0].span)], None), [], "that of another person");
    let unskilled =
        Standing { is_active: true, is_of_unit: true, lacks: "lift_repair".into(), ..Standing::default() };
    let found = conflicts(&planned, None, &unskilled, &[], &[], &zone());
    assert_eq!(found, [Conflict::Unskilled("lift_repair".into())]);
    assert!(!found[0].is_blocking(), "a warning for whoever plans");
    let away = Conflict::Absent(planned.span, "annual_leave".into());
    let said = away.text_for_colleagues("张三", "年假", "", &zone()).to_string();
    assert!(said.contains("请假或外出") && !said.contains("年假"), "colleagues do not learn why: {said}");
}

#[test]
fn gaps_are_what_nobody_covers_of_the_usual_hours() {
    let roster = Roster {
        id: RosterId(1),
        unit_id: UnitId(1),
        name: "前台".into(),
        note: String::new(),
        opens: "08:00".into(),
        closes: "18:00".into(),
        weekdays: "12345".into(),
        is_active: true,
        skill: String::new(),
        rest_hours: 0,
        swaps: SwapRule::Free,
        version: 1,
    };
    let usual = roster.usual(day("2026-09-28"), 7, &zone());
    assert_eq!(usual.len(), 5, "not at the weekend");
    let covered = vec![
        span("2026-09-28 07:00", "2026-09-28 12:00"),
        span("2026-09-28 13:00", "2026-09-28 17:30"),
        span("2026-09-29 08:00", "2026-10-02 18:00"),
    ];
    let gaps = without(usual, covered);
    let expected =
        [span("2026-09-28 12:00", "2026-09-28 13:00"), span("2026-09-28 17:30", "2026-09-28 18:00")];
    assert_eq!(gaps, expected);
    let silent = Roster { opens: String::new(), closes: String::new(), ..roster };
    assert_eq!(silent.usual(day("2026-09-28"), 7, &zone()), []);
}

#[test]
fn times_are_read_as_people_write_them() {
    for text in ["08:00-20:00", " 8:00–20:00", "08：00 至 20：00", "8:00~20:00"] {
        let hours = Hours::parse(text).unwrap();
        assert_eq!((hours.from, hours.until), (clock("08:00").unwrap(), clock("20:00").unwrap()), "{text}");
    }
    for text in ["", "8-20", "25:00-26:00", "08:00", "08:60-09:00", "a:00-b:00", "24:01-08:00"] {
        assert_eq!(Hours::parse(text), None, "{text}");
    }
    let round = Hours::parse("08:00-08:00").unwrap().on(day("2026-09-28"), &zone());
    assert_eq!(round, span("2026-09-28 08:00", "2026-09-29 08:00"));
}

#[test]
fn a_rotation_moves_everybody_from_the_first_shift_to_the_next() {
    let people = vec![PersonId(1), PersonId(2), PersonId(3)];
    let patterns = vec![Hours::parse("08:00-20:00").unwrap(), Hours::parse("20:00-08:00").unwrap()];
    let (first, last) = (day("2026-09-28"), day("2026-09-30"));
    let rotation = Rotation { people, patterns, first, last, weekdays: "1234567".into(), turn_days: 1 };
    let who: Vec<i64> = rotation.plan(&zone()).iter().map(|p| p.person_id.0).collect();
    assert_eq!(who, [1, 3, 2, 1, 3, 2], "day, then night, then off");
    let one = Rotation { patterns: vec![rotation.patterns[0]], ..rotation.clone() };
    let who: Vec<i64> = one.plan(&zone()).iter().map(|p| p.person_id.0).collect();
    assert_eq!(who, [1, 2, 3], "in the order given");
    let slow = Rotation { turn_days: 2, weekdays: "13".into(), ..one };
    let days: Vec<(i64, Date)> =
        slow.plan(&zone()).iter().map(|p| (p.person_id.0, zone().date(p.span.starts_at))).collect();
    assert_eq!(days, [(1, day("2026-09-28")), (1, day("2026-09-30"))]);
    assert_eq!(Rotation { people: Vec::new(), ..slow }.plan(&zone()), []);
}

/// A few spans within 24 minutes.
fn some_spans() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    proptest::collection::vec((0..3_i64, 0..24_i64, 1..8_i64), 0..8)
}

proptest! {
    /// Minute by minute, a person cannot be at two places; the function says the same.
    #[test]
    fn conflicts_are_the_minutes_two_things_share(
        shifts in some_spans(), absences in some_spans(), person in 0..3_i64, from in 0..24_i64, lasts in 1..8_i64,
    ) {
        let minutes = |from: i64, lasts: i64| Span::new(from * MINUTE, (from + lasts) * MINUTE);
        let on: Vec<Shift> =
            shifts.iter().enumerate().map(|(n, (p, f, l))| shift(n as i64, *p, minutes(*f, *l))).collect();
        let off: Vec<Absence> = absences.iter().map(|(p, f, l)| away(*p, minutes(*f, *l))).collect();
        let planned = Planned { person_id: PersonId(person), span: minutes(from, lasts) };
        let standing = Standing { is_active: true, is_of_unit: true, ..Standing::default() };
        let found = conflicts(&planned, None, &standing, &on, &off, &zone());
        let shares = |(p, f, l): &&(i64, i64, i64)| {
            *p == person && (from..from + lasts).any(|minute| (*f..f + l).contains(&minute))
        };
        let doubles = found.iter().filter(|c| matches!(c, Conflict::Double(..))).count();
        let away = found.iter().filter(|c| matches!(c, Conflict::Absent(..))).count();
        prop_assert_eq!(doubles, shifts.iter().filter(shares).count());
        prop_assert_eq!(away, absences.iter().filter(shares).count());
    }

    /// What is left and what is taken never share a minute, and together they are the whole.
    #[test]
    fn what_is_left_is_every_minute_not_taken(whole in some_spans(), taken in some_spans()) {
        let spans = |all: &[(i64, i64, i64)]| -> Vec<Span> {
            all.iter().map(|(_, f, l)| Span::new(f * MINUTE, (f + l) * MINUTE)).collect()
        };
        let left = without(spans(&whole), spans(&taken));
        for minute in 0..40 {
            let at = minute * MINUTE;
            let is_in = |all: &[Span]| all.iter().any(|s| s.contains(at));
            prop_assert_eq!(is_in(&left), is_in(&spans(&whole)) && !is_in(&spans(&taken)));
        }
        prop_assert!(left.windows(2).all(|w| w[0].ends_at < w[1].starts_at));
    }
}
