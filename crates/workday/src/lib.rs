//! Due times as Chinese offices reckon them: on calendars that know holidays, make-up days (补班) and working hours, with
//! every result able to explain itself in Chinese. Pure functions: no clock, no files, no network, no customers.
//!
//! ```
//! use workday::Calendar;
//!
//! let calendar = Calendar::mainland();
//! let from = calendar.at("2026-09-28T16:20".parse()?)?;
//! let due = calendar.due(from, "5wd".parse()?, &[])?;
//! assert_eq!(due.to_string(), "2026-10-10 16:20");
//! assert_eq!(due.headline("受理"), "周一16:20受理，5个工作日，遇国庆节假期与10月10日补班");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Time
//!
//! Points in time are milliseconds UTC ([`Millis`]) at the edges and the local clock of the calendar's time zone
//! inside. A due time is the last instant that is on time: an answer in that very millisecond is not late. Whole days
//! (`@24:00`, `eom`, `month-day 10` …) therefore end at 23:59:59.999, shown as 23:59, and never as 00:00 of a day that is
//! not meant.
//!
//! # What the units mean
//!
//! | written | meaning |
//! | --- | --- |
//! | `10min`, `24h` | time on the clock, day and night |
//! | `7d`, `2w` | the same local time so many days later: seven days after 16:20 is 16:20, and 16:21 is overdue |
//! | `3mo`, `1y` | the same day and time of a later month, or that month's last day if it has no such day |
//! | `8wh`, `90wmin` | working time; used up exactly at closing time it is due then, not the next morning |
//! | `5wd` | the same time of day on the fifth working day after; see below |
//! | `5wd@end`, `5wd@24:00` | the close of business, or the end, of the fifth working day after |
//! | `7d@24:00` | the end of the seventh day after; the day of the event does not count (民法典 §201, §203) |
//! | `7d@end` | the close of business of that day, or if it is a day of rest of the next working day (民法典 §203) |
//! | `eom`, `eoq`, `eoy` | the end of this month, quarter, year |
//! | `month-day 10`, `next-month-day 10` | the end of the 10th of this or of the next month |
//! | `same-day 18:00`, `next-day 10:00`, `next-workday 10:00` | until that time of this, the next, the next working day |
//! | `end-of-workday` | the close of the business day that runs, or else of the next one |
//!
//! **`wd` keeps the clock**, as `d` does. An event outside business hours — before opening, after closing, on a day of
//! rest — counts as one at the next opening; the lunch break is within business hours. Where the working day it lands on
//! has shorter hours, the due time stays within them (民法典 §203: 有业务时间的，停止业务活动的时间为截止时间). With `@end` and
//! `@24:00` days are counted by date: the date of the event does not count, however late it happened.
//!
//! # Years nobody has announced
//!
//! The State Council announces the days off and make-up days of a year in the autumn before. Until a year is known, the
//! days off the law itself names (元旦, 春节, 清明, 劳动节, 端午, 中秋, 国庆) hold from 2025 on, without make-up days, and every
//! explanation that counts days of such a year says that it is a guess. [`Builder::told`] names years a company has
//! entered itself.
//!
//! # Pauses
//!
//! A pause moves the due time by what it took from the deadline, in the deadline's own kind of time: working time for
//! working units, time on the clock for the others. Due times with `@end` and `@24:00` move on to the end of the day they
//! reach. A date fixed by the calendar (`eom`, `next-day 10:00` …) does not move.

mod calendar;
mod days;
mod due;
mod elapsed;
mod error;
mod explain;
mod holidays;
mod hours;
mod local;
mod overrides;
mod read;
mod statute;
mod within;

pub use calendar::{Builder, Calendar};
pub use days::{Day, Kind, Layer};
pub use due::Pause;
pub use error::{Error, FileError};
pub use explain::{Due, Why};
pub use holidays::{Holidays, Notice, Year};
pub use hours::{Hours, Span, Spans};
pub use overrides::{Override, OverrideKind};
pub use within::{Amount, Before, Clock, Unit, Until, Within};

/// Milliseconds since 1970 in UTC.
pub type Millis = i64;
