//! The language of deadlines: `5wd`, `7d@24:00`, `eom`, `next-day 10:00`, and `-1wd` for a warning before one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::hours::minutes;
use crate::local::{END_OF_DAY, MINUTE};

const FORMS: &str = "应为数字加单位 min、h、d、w、mo、y、wd、wh、wmin（如 5wd），或 eom、eoq、eoy、end-of-workday、month-day 10、\
    next-month-day 10、same-day 18:00、next-day 10:00、next-workday 10:00";

/// The largest number before a unit.
pub const MOST: u32 = 100_000;

/// How long something may take. Read from text and written as the same text; what each means is told in the
/// [crate documentation](crate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Within {
    /// `5wd`, `7d@end`, `10min`.
    For(Amount),
    /// `eom`.
    EndOfMonth,
    /// `eoq`.
    EndOfQuarter,
    /// `eoy`.
    EndOfYear,
    /// `month-day 10`: passed already if it is later in the month. Days a month does not have are its last.
    MonthDay(u8),
    /// `next-month-day 10`.
    NextMonthDay(u8),
    /// `same-day 18:00`: passed already if it is later in the day.
    SameDay(Clock),
    /// `next-day 10:00`.
    NextDay(Clock),
    /// `next-workday 10:00`.
    NextWorkday(Clock),
    /// `end-of-workday`.
    EndOfWorkday,
}

/// A number of units, between 1 and 100,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    number: u32,
    unit: Unit,
    until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Workday,
    WorkMinute,
    WorkHour,
}

/// Which moment of the last day is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Until {
    /// The time of day of the event.
    #[default]
    SameTime,
    /// `@end`: the close of business.
    Close,
    /// `@24:00`: the end of the day.
    Midnight,
}

/// A time of day, to the minute, from 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Clock(u16);

impl Unit {
    const ALL: [(Self, &str, &str); 9] = [
        (Self::Minute, "min", "分钟"),
        (Self::Hour, "h", "小时"),
        (Self::Day, "d", "天"),
        (Self::Week, "w", "周"),
        (Self::Month, "mo", "个月"),
        (Self::Year, "y", "年"),
        (Self::Workday, "wd", "个工作日"),
        (Self::WorkMinute, "wmin", "个工作分钟"),
        (Self::WorkHour, "wh", "个工作小时"),
    ];

    /// Whether the unit runs only while people work.
    pub fn is_working(self) -> bool {
        matches!(self, Self::Workday | Self::WorkMinute | Self::WorkHour)
    }

    /// Whether the unit counts days rather than time, so that a moment of the last day can be chosen.
    pub fn counts_days(self) -> bool {
        !matches!(self, Self::Minute | Self::Hour | Self::WorkMinute | Self::WorkHour)
    }

    fn names(self) -> (&'static str, &'static str) {
        let named = Self::ALL.iter().find(|(unit, ..)| *unit == self);
        named.map_or(("", ""), |&(_, text, chinese)| (text, chinese))
    }

    /// 「个工作日」, as it follows a number.
    pub fn in_chinese(self) -> &'static str {
        self.names().1
    }
}

impl Amount {
    pub fn new(number: u32, unit: Unit) -> Result<Self, Error> {
        if !(1..=MOST).contains(&number) {
            return Err(Error::Amount);
        }
        Ok(Self { number, unit, until: Until::SameTime })
    }

    /// The same number of days until another moment of the last one; `None` for units that do not count days.
    pub fn until(self, until: Until) -> Option<Self> {
        (self.unit.counts_days() || until == Until::SameTime).then_some(Self { until, ..self })
    }

    pub fn number(self) -> u32 {
        self.number
    }

    pub fn unit(self) -> Unit {
        self.unit
    }

    pub fn moment(self) -> Until {
        self.until
    }

    /// 「5个工作日」, 「7天（至24时）」.
    pub fn in_chinese(self) -> String {
        let until = match self.until {
            Until::SameTime => "",
            Until::Close => "（至下班）",
            Until::Midnight => "（至24时）",
        };
        format!("{}{}{until}", self.number, self.unit.in_chinese())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = match self.until {
            Until::SameTime => "",
            Until::Close => "@end",
            Until::Midnight => "@24:00",
        };
        write!(f, "{}{}{until}", self.number, self.unit.names().0)
    }
}

impl FromStr for Amount {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::written(text, reason);
        let (span, until) = match text.trim().split_once('@') {
            None => (text.trim(), Until::SameTime),
            Some((span, "end")) => (span, Until::Close),
            Some((span, "24:00")) => (span, Until::Midnight),
            Some(_) => return Err(wrong("@ 之后只能是 end 或 24:00")),
        };
        let unit = span.find(|c: char| !c.is_ascii_digit()).unwrap_or(span.len());
        let (digits, unit) = span.split_at(unit);
        let unit = Unit::ALL.iter().find(|(_, name, _)| *name == unit).map(|&(unit, ..)| unit);
        let unit = unit.ok_or_else(|| wrong(FORMS))?;
        if digits.is_empty() {
            return Err(wrong("单位前缺少数字"));
        }
        // What does not fit a number is too large, which is the same mistake.
        let amount = Self::new(digits.parse().unwrap_or(u32::MAX), unit)?;
        amount.until(until).ok_or_else(|| wrong("@ 只能用于 d、w、mo、y、wd"))
    }
}

impl Clock {
    /// `None` after 24:00.
    pub fn new(hour: u16, minute: u16) -> Option<Self> {
        (minute < 60 && hour.checked_mul(60)?.checked_add(minute)? <= 24 * 60)
            .then_some(Self(hour * 60 + minute))
    }

    /// 24:00 is the last moment of the day, not the first of the next.
    pub(crate) fn ms(self) -> i64 {
        (i64::from(self.0) * MINUTE).min(END_OF_DAY)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Within {
    /// 「5个工作日」, 「月底前」, 「次日10:00前」.
    pub fn in_chinese(self) -> String {
        match self {
            Self::For(amount) => amount.in_chinese(),
            Self::EndOfMonth => "月底前".into(),
            Self::EndOfQuarter => "季末前".into(),
            Self::EndOfYear => "年底前".into(),
            Self::MonthDay(day) => format!("当月{day}日前"),
            Self::NextMonthDay(day) => format!("次月{day}日前"),
            Self::SameDay(clock) => format!("当日{clock}前"),
            Self::NextDay(clock) => format!("次日{clock}前"),
            Self::NextWorkday(clock) => format!("下一工作日{clock}前"),
            Self::EndOfWorkday => "当日下班前".into(),
        }
    }

    /// Whether the due time depends on which days are working days.
    pub fn needs_workdays(self) -> bool {
        match self {
            Self::For(amount) => amount.unit.is_working() || amount.until == Until::Close,
            Self::NextWorkday(_) | Self::EndOfWorkday => true,
            _ => false,
        }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(amount) => amount.fmt(f),
            Self::EndOfMonth => f.write_str("eom"),
            Self::EndOfQuarter => f.write_str("eoq"),
            Self::EndOfYear => f.write_str("eoy"),
            Self::MonthDay(day) => write!(f, "month-day {day}"),
            Self::NextMonthDay(day) => write!(f, "next-month-day {day}"),
            Self::SameDay(clock) => write!(f, "same-day {clock}"),
            Self::NextDay(clock) => write!(f, "next-day {clock}"),
            Self::NextWorkday(clock) => write!(f, "next-workday {clock}"),
            Self::EndOfWorkday => f.write_str("end-of-workday"),
        }
    }
}

impl FromStr for Within {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |reason| Error::written(text, reason);
        let Some((word, value)) = text.trim().split_once(' ') else {
            return match text.trim() {
                "eom" => Ok(Self::EndOfMonth),
                "eoq" => Ok(Self::EndOfQuarter),
                "eoy" => Ok(Self::EndOfYear),
                "end-of-workday" => Ok(Self::EndOfWorkday),
                amount => amount.parse().map(Self::For),
            };
        };
        let day = || {
            let day = value.trim().parse().ok().filter(|day| (1..=31).contains(day));
            day.ok_or_else(|| wrong("日应在1至31之间"))
        };
        let clock = || {
            let minutes = minutes(value).filter(|&minutes| minutes <= 24 * 60);
            minutes.map(Clock).ok_or_else(|| wrong("时刻应写作 10:00，在00:00至24:00之间"))
        };
        match word {
            "month-day" => day().map(Self::MonthDay),
            "next-month-day" => day().map(Self::NextMonthDay),
            "same-day" => clock().map(Self::SameDay),
            "next-day" => clock().map(Self::NextDay),
            "next-workday" => clock().map(Self::NextWorkday),
            _ => Err(wrong(FORMS)),
        }
    }
}

/// How long before a due time to warn: `-2d`, `-1wd`, `-30min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Before(Amount);

impl Before {
    /// `None` for an amount until another moment of the day: a warning comes at the due time's own.
    pub fn new(amount: Amount) -> Option<Self> {
        (amount.until == Until::SameTime).then_some(Self(amount))
    }

    pub fn amount(self) -> Amount {
        self.0
    }

    /// 「提前2天」.
    pub fn in_chinese(self) -> String {
        format!("提前{}", self.0.in_chinese())
    }
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-{}", self.0)
    }
}

impl FromStr for Before {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::written(text, "提前量应写作 -2d、-1wd、-30min");
        let amount = text.trim().strip_prefix('-').ok_or_else(wrong)?;
        Self::new(amount.parse()?).ok_or_else(wrong)
    }
}

/// As text in JSON, TOML and columns.
macro_rules! as_text {
    ($($kind:ty),*) => {$(
        impl TryFrom<String> for $kind {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(Within, Before);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_as_it_is_read() {
        for (text, chinese) in [
            ("10min", "10分钟"),
            ("24h", "24小时"),
            ("7d", "7天"),
            ("7d@end", "7天（至下班）"),
            ("3d@24:00", "3天（至24时）"),
            ("2w", "2周"),
            ("3mo", "3个月"),
            ("10y", "10年"),
            ("5wd", "5个工作日"),
            ("5wd@end", "5个工作日（至下班）"),
            ("5wd@24:00", "5个工作日（至24时）"),
            ("8wh", "8个工作小时"),
            ("90wmin", "90个工作分钟"),
            ("eom", "月底前"),
            ("eoq", "季末前"),
            ("eoy", "年底前"),
            ("month-day 10", "当月10日前"),
            ("next-month-day 10", "次月10日前"),
            ("same-day 18:00", "当日18:00前"),
            ("next-day 10:00", "次日10:00前"),
            ("next-workday 09:30", "下一工作日09:30前"),
            ("same-day 24:00", "当日24:00前"),
            ("end-of-workday", "当日下班前"),
        ] {
            let within: Within = text.parse().unwrap();
            assert_eq!(within.to_string(), text);
            assert_eq!(within.in_chinese(), chinese);
            assert_eq!(serde_json::to_string(&within).unwrap(), format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Within>(&format!("\"{text}\"")).unwrap(), within);
        }
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (text, reason) in [
            ("", "应为数字加单位"),
            ("5", "应为数字加单位"),
            ("5工作日", "应为数字加单位"),
            ("wd", "缺少数字"),
            ("0wd", "1至100000"),
            ("100001min", "1至100000"),
            ("99999999999999999999d", "1至100000"),
            ("-5wd", "应为数字加单位"),
            ("5wd@18:00", "end 或 24:00"),
            ("8wh@end", "只能用于"),
            ("month-day 32", "1至31"),
            ("next-day 24:01", "00:00至24:00"),
            ("next-day ten", "00:00至24:00"),
            ("some-day 10:00", "next-workday"),
            ("5 wd", "应为数字加单位"),
        ] {
            let error = text.parse::<Within>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn warnings_are_written_with_a_minus() {
        for (text, chinese) in [("-2d", "提前2天"), ("-1wd", "提前1个工作日"), ("-30min", "提前30分钟")]
        {
            let before: Before = text.parse().unwrap();
            assert_eq!(before.to_string(), text);
            assert_eq!(before.in_chinese(), chinese);
        }
        for text in ["2d", "-2d@end", "--2d", "-", "-0d"] {
            assert!(text.parse::<Before>().is_err(), "{text}");
        }
    }
}
