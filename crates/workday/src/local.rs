//! The local clock as one number, and days as places in a table: what makes a due time a matter of a few lookups.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::{Error, Millis};

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// The last moment of a day, as the local clock of that day shows it.
pub const END_OF_DAY: i64 = DAY - 1;

pub const FIRST: Date = Date::constant(1990, 1, 1);
pub const LAST: Date = Date::constant(2100, 12, 31);
/// Days a calendar covers, both ends included.
pub const DAYS: usize = 40_542;

/// Local milliseconds since the midnight [`FIRST`] began with. Days are numbered from there too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local(pub i64);

impl Local {
    pub const START: Self = Self(0);
    pub const END: Self = Self(DAYS as i64 * DAY);

    /// `ms` on the clock of day number `day`; beyond 24 hours it is a time of the days after.
    pub fn on(day: usize, ms: i64) -> Self {
        Self(day as i64 * DAY + ms)
    }

    /// The number of the day; what lies outside the calendar counts as its nearest day.
    pub fn day(self) -> usize {
        usize::try_from(self.0 / DAY).unwrap_or(0).min(DAYS - 1)
    }

    pub fn ms_of_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    pub fn date(self) -> Date {
        date(self.day())
    }

    pub fn datetime(self) -> DateTime {
        let time = jiff::civil::Time::midnight() + self.ms_of_day().milliseconds();
        self.date().to_datetime(time)
    }

    pub fn of(at: DateTime) -> Option<Self> {
        let ms = at.time().duration_since(jiff::civil::Time::midnight()).as_millis();
        Some(Self::on(number(at.date())?, i64::try_from(ms).ok()?))
    }
}

/// The date of day number `day`.
pub fn date(day: usize) -> Date {
    let days = i64::try_from(day.min(DAYS)).unwrap_or(0);
    FIRST.checked_add(days.days()).unwrap_or(LAST)
}

/// The number of a date the calendar covers.
pub fn number(date: Date) -> Option<usize> {
    let days = date.duration_since(FIRST).as_hours() / 24;
    usize::try_from(days).ok().filter(|&day| date >= FIRST && day < DAYS)
}

/// A time zone, and its offset where that never changes: the arithmetic of Beijing time is then one addition.
#[derive(Clone, Debug)]
pub struct Zone {
    zone: TimeZone,
    fixed: Option<i64>,
}

impl Zone {
    pub fn new(zone: TimeZone) -> Self {
        let fixed = zone.to_fixed_offset().ok().map(ms);
        Self { zone, fixed }
    }

    /// The local clock at a point in time within the calendar.
    pub fn local(&self, at: Millis) -> Option<Local> {
        let offset = match self.fixed {
            Some(offset) => offset,
            None => ms(self.zone.to_offset(Timestamp::from_millisecond(at).ok()?)),
        };
        let local = Local(at.checked_add(offset)?.checked_sub(epoch())?);
        (Local::START..Local::END).contains(&local).then_some(local)
    }

    /// The point in time of a local clock; a time daylight saving skips is taken after the gap, one it repeats is the
    /// first.
    pub fn instant(&self, local: Local) -> Result<Millis, Error> {
        if !(Local::START..Local::END).contains(&local) {
            return Err(Error::End);
        }
        match self.fixed {
            Some(offset) => Ok(local.0 + epoch() - offset),
            None => {
                let at = self.zone.to_ambiguous_timestamp(local.datetime()).compatible();
                at.map(Timestamp::as_millisecond).map_err(|_| Error::End)
            }
        }
    }
}

/// [`FIRST`] in milliseconds since 1970: twenty years, five of them leap years.
const fn epoch() -> i64 {
    (20 * 365 + 5) * DAY
}

fn ms(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_numbered_from_the_first_to_the_last() {
        assert_eq!(number(FIRST), Some(0));
        assert_eq!(number(LAST), Some(DAYS - 1));
        assert_eq!(number(LAST.tomorrow().unwrap()), None);
        assert_eq!(number(FIRST.yesterday().unwrap()), None);
        assert_eq!(number(Date::MIN), None);
        assert_eq!(number(Date::MAX), None);
        for day in 0..DAYS {
            assert_eq!(number(date(day)), Some(day));
        }
    }

    #[test]
    fn beijing_time_is_eight_hours_ahead_and_ends_with_the_calendar() {
        let zone = Zone::new(TimeZone::fixed(jiff::tz::offset(8)));
        let at = "2026-09-28T08:20Z".parse::<Timestamp>().unwrap().as_millisecond();
        let local = zone.local(at).unwrap();
        assert_eq!(local.datetime(), "2026-09-28T16:20".parse().unwrap());
        assert_eq!(Local::of(local.datetime()), Some(local));
        assert_eq!(zone.instant(local), Ok(at));
        assert_eq!(zone.local(i64::MIN), None);
        assert_eq!(zone.local(i64::MAX), None);
        assert_eq!(zone.instant(Local::END), Err(Error::End));
    }

    #[test]
    fn a_skipped_hour_is_taken_after_the_gap() {
        let zone = Zone::new(TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap());
        let local = Local::of("2026-03-08T02:30".parse().unwrap()).unwrap();
        let at = zone.instant(local).unwrap();
        assert_eq!(zone.local(at).unwrap().datetime(), "2026-03-08T03:30".parse().unwrap());
    }
}
