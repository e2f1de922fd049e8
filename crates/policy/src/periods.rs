//! Periods of duties and reports, and when what belongs to them is due.

use jiff::civil::{Date, Time};
use jiff::{Span, ToSpan};
use workday::{Calendar, Within};

use crate::model::Every;
use crate::value::Millis;

/// A period, first and last day included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    /// Its first day.
    pub first: Date,
    /// Its last day.
    pub last: Date,
}

impl Period {
    /// The period a day lies in. Weeks begin on Monday; a working day is the day itself.
    pub fn of(every: Every, day: Date) -> Self {
        let month = |number: i8| Date::new(day.year(), number, 1).unwrap_or(day);
        let months = |first: i8, count: i8| {
            let last = Date::new(day.year(), first + count - 1, 1).map_or(day, Date::last_of_month);
            Self { first: month(first), last }
        };
        match every {
            Every::Day | Every::Workday => Self { first: day, last: day },
            Every::Week => {
                let back = i64::from(day.weekday().to_monday_zero_offset());
                let first = day.checked_sub(Span::new().days(back)).unwrap_or(day);
                Self { first, last: first.checked_add(6.days()).unwrap_or(first) }
            }
            Every::Month => months(day.month(), 1),
            Every::Quarter => months((day.month() - 1) / 3 * 3 + 1, 3),
            Every::HalfYear => months(if day.month() <= 6 { 1 } else { 7 }, 6),
            Every::Year => months(1, 12),
        }
    }

    /// The one before.
    pub fn before(self, every: Every) -> Self {
        Self::of(every, self.first.yesterday().unwrap_or(self.first))
    }

    /// The one after.
    pub fn after(self, every: Every) -> Self {
        Self::of(every, self.last.tomorrow().unwrap_or(self.last))
    }

    /// Its first and last instant.
    pub fn instants(self, calendar: &Calendar) -> Option<(Millis, Millis)> {
        let end = Time::constant(23, 59, 59, 999_000_000);
        let first = calendar.at(self.first.to_datetime(Time::midnight())).ok()?;
        Some((first, calendar.at(self.last.to_datetime(end)).ok()?))
    }

    /// When something is due so long after its end. Days and longer count whole: "10d" after the end of September is the
    /// end of 10 October.
    pub fn due(self, within: Within, calendar: &Calendar) -> Option<Millis> {
        let (_, end) = self.instants(calendar)?;
        let whole = match within {
            Within::For(amount) if amount.number() == 0 => return Some(end),
            Within::For(amount) => amount.until(workday::Until::Midnight).map_or(within, Within::For),
            other => other,
        };
        calendar.due_at(end, whole, &[]).ok()
    }

    /// As people write it: 2026年9月, 2026年第3季度.
    pub fn in_chinese(self, every: Every) -> String {
        let (year, month) = (self.first.year(), self.first.month());
        match every {
            Every::Day | Every::Workday => self.first.to_string(),
            Every::Week => format!("{} 至 {}", self.first, self.last),
            Every::Month => format!("{year}年{month}月"),
            Every::Quarter => format!("{year}年第{}季度", (month - 1) / 3 + 1),
            Every::HalfYear => format!("{year}年{}半年", if month == 1 { "上" } else { "下" }),
            Every::Year => format!("{year}年"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn periods_begin_and_end_where_people_say() {
        let of = |every, text| {
            let period = Period::of(every, day(text));
            (period.first.to_string(), period.last.to_string())
        };
        let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of(Every::Month, "2024-02-29"), both("2024-02-01", "2024-02-29"));
        assert_eq!(of(Every::Quarter, "2026-12-31"), both("2026-10-01", "2026-12-31"));
        assert_eq!(of(Every::HalfYear, "2026-07-01"), both("2026-07-01", "2026-12-31"));
        assert_eq!(of(Every::Week, "2026-11-29"), both("2026-11-23", "2026-11-29"));
        let december = Period::of(Every::Month, day("2026-12-05"));
        assert_eq!(december.after(Every::Month).in_chinese(Every::Month), "2027年1月");
        assert_eq!(december.before(Every::Month).in_chinese(Every::Month), "2026年11月");
    }

    #[test]
    fn by_the_tenth_means_until_the_end_of_the_tenth() {
        let calendar = Calendar::mainland();
        let september = Period::of(Every::Month, day("2026-09-15"));
        let due = september.due("10d".parse().unwrap(), &calendar).unwrap();
        assert_eq!(calendar.local(due).unwrap().to_string(), "2026-10-10T23:59:59.999");
    }
}
