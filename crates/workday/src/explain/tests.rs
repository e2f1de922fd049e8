use super::*;

fn explain(calendar: &Calendar, from: &str, within: &str, pauses: &[(&str, &str)]) -> String {
    let at = |text: &str| calendar.at(text.replace(' ', "T").parse().unwrap()).unwrap();
    let pauses: Vec<_> = pauses.iter().map(|(start, end)| Pause { start: at(start), end: at(end) }).collect();
    calendar.due(at(from), within.parse().unwrap(), &pauses).unwrap().explain_as("受理")
}

#[track_caller]
fn assert_explained(from: &str, within: &str, expected: &str) {
    let lines: Vec<_> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(explain(&Calendar::mainland(), from, within, &[]), lines.join("\n"));
}

#[test]
fn working_days_over_national_day() {
    assert_explained(
        "2026-09-28 16:20",
        "5wd",
        "周一16:20受理，5个工作日，遇国庆节假期与10月10日补班
         9月28日（周一）当日不计，自次日起算
         9月29日（周二）至9月30日（周三）：计第1至2个工作日
         10月1日（周四）至10月7日（周三）：国庆节假期，7天不计
         10月8日（周四）至10月9日（周五）：计第3至4个工作日
         10月10日（周六）：为国庆节补班，计第5个工作日
         到期：2026-10-10 16:20（周六）",
    );
}

#[test]
fn a_report_on_a_holiday_counts_from_the_next_opening() {
    assert_explained(
        "2026-09-25 10:00",
        "1wd",
        "周五10:00受理，1个工作日，遇中秋节假期
         9月25日（周五）10:00为中秋节假期，自9月28日（周一）09:00起算
         9月28日（周一）当日不计，自次日起算
         9月29日（周二）：计第1个工作日
         到期：2026-09-29 09:00（周二）",
    );
    assert_explained(
        "2026-11-06 19:00",
        "1wd@end",
        "周五19:00受理，1个工作日（至下班）
         11月6日（周五）当日不计，自次日起算
         11月7日（周六）至11月8日（周日）：周末，2天不计
         11月9日（周一）：计第1个工作日
         到期：2026-11-09 18:00（周一）",
    );
}

#[test]
fn working_hours_tell_what_each_day_gave() {
    assert_explained(
        "2026-09-30 16:00",
        "10wh",
        "周三16:00受理，10个工作小时，遇国庆节假期
         9月30日（周三）：计2小时工作时间
         10月1日（周四）至10月7日（周三）：国庆节假期，7天不计
         10月8日（周四）：计7小时30分钟工作时间
         10月9日（周五）：计30分钟工作时间
         到期：2026-10-09 09:30（周五）",
    );
}

#[test]
fn time_on_the_clock_and_dates_need_one_line() {
    assert_explained(
        "2026-09-28 16:20",
        "7d",
        "周一16:20受理，7天
         9月28日（周一）16:20起，7天，至10月5日（周一）16:20
         到期：2026-10-05 16:20（周一）",
    );
    assert_explained(
        "2026-12-28 16:20",
        "next-month-day 10",
        "周一16:20受理，次月10日前
         12月28日（周一）16:20起，次月10日前，至2027年1月10日（周日）23:59
         到期：2027-01-10 23:59（周日）",
    );
    assert_explained(
        "2026-09-28 16:20",
        "3d@end",
        "周一16:20受理，3天（至下班），遇国庆节假期
         9月28日（周一）16:20起，3天（至下班），至10月8日（周四）18:00
         10月1日（周四）为国庆节假期，顺延至10月8日（周四）
         到期：2026-10-08 18:00（周四）",
    );
}

#[test]
fn a_day_of_rest_it_began_on_is_told() {
    assert_explained(
        "2026-10-07 19:30",
        "end-of-workday",
        "周三19:30受理，当日下班前，遇国庆节假期
         10月7日（周三）19:30为国庆节假期，自10月8日（周四）09:00起算
         10月8日（周四）09:00起，当日下班前，至10月8日（周四）18:00
         到期：2026-10-08 18:00（周四）",
    );
}

#[test]
fn years_without_a_notice_are_said_to_be_guesses() {
    let text = explain(&Calendar::mainland(), "2026-12-30 10:00", "3wd", &[]);
    assert!(text.contains("2027年放假安排尚未公布，按周一至周五和法定节假日推算"), "{text}");
    let text = explain(&Calendar::mainland(), "2018-06-01 10:00", "3wd", &[]);
    assert!(text.contains("2018年放假安排未收录，按周一至周五推算"), "{text}");
    let text = explain(&Calendar::mainland(), "2028-12-01 10:00", "300wd", &[]);
    assert!(text.contains("2028年至2030年放假安排未收录"), "{text}");
    let text = explain(&Calendar::mainland(), "2026-12-01 10:00", "3wd", &[]);
    assert!(!text.contains("推算"), "{text}");
    let told = Calendar::builder().told([2027]).build();
    let text = explain(&told, "2026-12-30 10:00", "3wd", &[]);
    assert!(!text.contains("推算"), "{text}");
}

#[test]
fn the_first_of_january_is_off_before_anybody_has_announced_it() {
    assert_explained(
        "2026-12-31 10:00",
        "1wd",
        "周四10:00受理，1个工作日，遇元旦假期
         12月31日（周四）当日不计，自次日起算
         2027年1月1日（周五）：元旦假期，不计
         2027年1月2日（周六）至2027年1月3日（周日）：周末，2天不计
         2027年1月4日（周一）：计第1个工作日
         2027年放假安排尚未公布，按周一至周五和法定节假日推算
         到期：2027-01-04 10:00（周一）",
    );
}

#[test]
fn pauses_tell_what_they_moved() {
    let pauses = [("2026-11-02 14:00", "2026-11-03 14:00"), ("2026-11-07 00:00", "2026-11-08 00:00")];
    let text = explain(&Calendar::mainland(), "2026-11-02 10:00", "5wd", &pauses);
    assert!(
        text.contains(
            "11月2日（周一）14:00至11月3日（周二）14:00暂停，顺延7小时30分钟工作时间，至11月10日（周二）10:00"
        ),
        "{text}"
    );
    assert!(text.contains("11月7日（周六）00:00至11月8日（周日）00:00暂停，不影响时限"), "{text}");
    assert!(text.ends_with("到期：2026-11-10 10:00（周二）"), "{text}");
}

#[test]
fn a_long_way_is_told_in_sum() {
    let text = explain(&Calendar::mainland(), "2025-01-02 10:00", "300wd", &[]);
    assert!(text.lines().count() <= LINES + 6, "{text}");
    assert!(text.contains("共300个工作日"), "{text}");
    assert!(text.contains("1月28日（周二）至2月4日（周二）：春节假期，8天不计"), "{text}");
    assert!(text.lines().next().unwrap().contains("等"), "{text}");
}
