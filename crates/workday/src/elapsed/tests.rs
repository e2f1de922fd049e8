use super::*;

fn at(calendar: &Calendar, text: &str) -> Millis {
    calendar.at(text.replace(' ', "T").parse().unwrap()).unwrap()
}

#[test]
fn units_count_when_they_are_complete() {
    let calendar = Calendar::mainland();
    let elapsed = |from: &str, to: &str, unit| {
        calendar.elapsed(at(&calendar, from), at(&calendar, to), unit, &[]).unwrap()
    };
    assert_eq!(elapsed("2026-09-28 16:20", "2026-10-10 16:20", Unit::Workday), 5);
    assert_eq!(elapsed("2026-09-28 16:20", "2026-10-10 16:19", Unit::Workday), 4);
    assert_eq!(elapsed("2026-10-10 16:20", "2026-09-28 16:20", Unit::Workday), -5);
    assert_eq!(elapsed("2026-09-28 16:20", "2026-10-05 16:20", Unit::Day), 7);
    assert_eq!(elapsed("2026-09-28 16:20", "2026-10-05 16:20", Unit::Week), 1);
    assert_eq!(
        elapsed("2026-01-31 10:00", "2026-02-28 10:00", Unit::Month),
        0,
        "its last day is still to end"
    );
    assert_eq!(elapsed("2026-01-31 10:00", "2026-03-01 00:00", Unit::Month), 1);
    assert_eq!(elapsed("2026-01-31 10:00", "2036-01-31 10:00", Unit::Year), 10);
    assert_eq!(elapsed("2026-09-28 16:20", "2026-09-28 17:19", Unit::Minute), 59);
    assert_eq!(elapsed("2026-09-30 17:00", "2026-10-08 10:00", Unit::WorkHour), 2);
    assert_eq!(elapsed("2026-09-30 17:00", "2026-10-08 10:00", Unit::Hour), 185);
}

#[test]
fn pauses_do_not_count() {
    let calendar = Calendar::mainland();
    let [from, to] = ["2026-11-02 10:00", "2026-11-05 10:00"].map(|text| at(&calendar, text));
    let pause = Pause { start: at(&calendar, "2026-11-02 14:00"), end: at(&calendar, "2026-11-03 14:00") };
    let elapsed = |unit| calendar.elapsed(from, to, unit, &[pause, pause]).unwrap();
    assert_eq!(elapsed(Unit::Workday), 2);
    assert_eq!(elapsed(Unit::WorkHour), 15);
    assert_eq!(elapsed(Unit::Hour), 48);
    assert_eq!(elapsed(Unit::Day), 2);
    assert_eq!(calendar.worked(from, to, &[pause]), Ok(15 * HOUR));
    assert_eq!(calendar.worked(to, from, &[pause]), Ok(0));
}

#[test]
fn what_remains_is_told_in_the_unit_of_the_deadline() {
    let calendar = Calendar::mainland();
    let remaining = |now: &str, due: &str, unit| {
        calendar.remaining(at(&calendar, now), at(&calendar, due), unit).unwrap()
    };
    let due = "2026-10-10 16:20";
    assert_eq!(remaining("2026-10-08 16:20", due, Unit::Workday), "还剩2个工作日");
    assert_eq!(remaining("2026-10-10 15:00", due, Unit::Workday), "还剩1个工作小时20分钟");
    assert_eq!(remaining("2026-10-10 16:00", due, Unit::Workday), "还剩20个工作分钟");
    assert_eq!(remaining("2026-10-10 19:20", due, Unit::Day), "已超时3小时");
    assert_eq!(remaining("2026-10-13 16:20", due, Unit::Workday), "已超时2个工作日");
    assert_eq!(remaining("2026-10-08 12:20", due, Unit::Day), "还剩2天4小时");
    assert_eq!(remaining("2026-10-10 16:20", due, Unit::Workday), "还剩不足1分钟");
    // From closing to midnight nobody works.
    assert_eq!(remaining("2026-10-09 18:00", "2026-10-09 23:59", Unit::Workday), "还剩5小时59分钟");
}
