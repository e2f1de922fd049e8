//! Working hours: the spans of a day, and of the days of a week.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::Weekday;

use crate::FileError;
use crate::local::{END_OF_DAY, MINUTE};
use crate::read::{Fields, Place, Problem, open};

const DAY: u16 = 24 * 60;
const SPANS: usize = 12;

/// Working time without a break, in minutes after the midnight its day begins with: `13:30-18:00` is 810 to 1080. A
/// night shift ends after 1440 and belongs to the day it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// `None` unless it begins before 24:00, has a length, and lasts 24 hours at most.
    pub fn new(start: u16, end: u16) -> Option<Self> {
        (start < DAY && start < end && end - start <= DAY).then_some(Self { start, end })
    }

    pub fn start(self) -> u16 {
        self.start
    }

    pub fn end(self) -> u16 {
        self.end
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let wrong = || format!("“{text}”不是一段时间，应写作 09:00-12:00、20:00-32:00 或 20:00-次日08:00");
        let (start, end) = text.split_once('-').ok_or_else(wrong)?;
        let (end, later) = match end.strip_prefix("次日") {
            Some(end) => (end, DAY),
            None => (end, 0),
        };
        let (start, end) = (minutes(start).ok_or_else(wrong)?, minutes(end).ok_or_else(wrong)?);
        let end = end.checked_add(later).ok_or_else(wrong)?;
        Self::new(start, end).ok_or_else(|| format!("“{text}”不是一段时间：结束要晚于开始，且不超过24小时"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let end = if self.end > DAY { format!("次日{}", clock(self.end - DAY)) } else { clock(self.end) };
        write!(f, "{}-{end}", clock(self.start))
    }
}

/// `09:05` as minutes after midnight, up to 48:00.
pub fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |digits: &str| {
        let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, rest) = (number(hours)?, number(minutes).filter(|&m| m < 60 && minutes.len() == 2)?);
    Some(hours * 60 + rest).filter(|&minutes| minutes <= 2 * DAY)
}

/// The working hours of one day: spans in order, each ended before the next begins. Empty is a day of rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// `None` if spans overlap, touch, are out of order, or are more than twelve.
    pub fn new(spans: Vec<Span>) -> Option<Self> {
        (spans.len() <= SPANS && spans.is_sorted_by(|one, next| one.end < next.start)).then_some(Self(spans))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied()
    }

    /// Working minutes of the day.
    pub fn minutes(&self) -> u32 {
        self.iter().map(|span| u32::from(span.end - span.start)).sum()
    }

    /// Opening and closing in milliseconds after midnight. A day that closes at 24:00 does so in its last moment: the
    /// next one is the next day's.
    pub(crate) fn business(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        let closing = if last.end == DAY { END_OF_DAY } else { i64::from(last.end) * MINUTE };
        Some((i64::from(first.start) * MINUTE, closing))
    }

    /// Working time done by `ms` after midnight.
    pub(crate) fn worked_by(&self, ms: i64) -> i64 {
        self.in_ms().map(|(start, end)| ms.clamp(start, end) - start).sum()
    }

    /// When `worked` of the day's time is done: the earliest such moment.
    pub(crate) fn when_worked(&self, mut worked: i64) -> Option<i64> {
        for (start, end) in self.in_ms() {
            if worked <= end - start {
                return Some(start + worked);
            }
            worked -= end - start;
        }
        None
    }

    /// The latest moment with no more than `worked` of the day's time done, work going on from there.
    pub(crate) fn when_resumed(&self, mut worked: i64) -> Option<i64> {
        for (start, end) in self.in_ms() {
            if worked < end - start {
                return Some(start + worked);
            }
            worked -= end - start;
        }
        None
    }

    pub(crate) fn covers(&self, ms: i64) -> bool {
        self.in_ms().any(|(start, end)| (start..end).contains(&ms))
    }

    /// The same hours, handed over to a day that opens at `opening` of its own: nobody works two shifts at once.
    pub(crate) fn until_opening_of(&self, next: &Self) -> Option<Self> {
        let (last, opening) = (*self.0.last()?, DAY + next.0.first()?.start);
        (last.end > opening).then(|| {
            let mut spans = self.0.clone();
            spans.pop();
            spans.push(Span { end: opening, ..last });
            Self(spans)
        })
    }

    fn in_ms(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.iter().map(|span| (i64::from(span.start) * MINUTE, i64::from(span.end) * MINUTE))
    }

    pub(crate) fn read(place: &Place<'_>) -> Result<Self, FileError> {
        let mut spans = Vec::new();
        for item in place.array()? {
            spans.push(Span::read(item.text()?).map_err(|reason| item.error(reason))?);
        }
        Self::new(spans).ok_or_else(|| {
            place.error(format!("各段工作时间要从早到晚排列，中间有间隔，一天不超过{SPANS}段"))
        })
    }
}

impl fmt::Display for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, span) in self.iter().enumerate() {
            write!(f, "{}{span}", if i > 0 { "、" } else { "" })?;
        }
        Ok(())
    }
}

/// The working hours of a week, and of a make-up day that falls on a day of rest. A weekday without hours is a day of
/// rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    week: [Spans; 7],
    makeup: Spans,
}

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

impl Hours {
    /// Monday first. `Err` says in Chinese what is wrong: a shift that runs into the next day's, or no hours for make-up
    /// days.
    pub fn new(week: [Spans; 7], makeup: Spans) -> Result<Self, String> {
        if makeup.is_empty() {
            return Err("补班日没有工作时间，请填写 workdays 或 makeup".into());
        }
        for (day, next) in (0..7).map(|day| (day, (day + 1) % 7)) {
            if week[day].until_opening_of(&week[next]).is_some() {
                return Err(format!(
                    "{}的夜班与次日的工作时间重叠",
                    crate::explain::weekday(WEEKDAYS[day].0)
                ));
            }
        }
        Ok(Self { week, makeup })
    }

    /// Reads TOML such as `workdays = ["09:00-12:00", "13:30-18:00"]`: `workdays` for Monday to Friday and make-up
    /// days, then `monday` … `sunday` and `makeup` where they differ; `[]` is a day of rest.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let file = open(text)?;
        let mut fields = Fields::of(&file);
        let workdays =
            fields.take("workdays").map(|place| Spans::read(&place)).transpose()?.unwrap_or_default();
        let mut week: [Spans; 7] = Default::default();
        for (day, (weekday, name)) in WEEKDAYS.into_iter().enumerate() {
            week[day] = match fields.take(name) {
                Some(place) => Spans::read(&place)?,
                None if matches!(weekday, Weekday::Saturday | Weekday::Sunday) => Spans::default(),
                None => workdays.clone(),
            };
        }
        let makeup = match fields.take("makeup") {
            Some(place) => Spans::read(&place)?,
            None => workdays,
        };
        fields.done()?;
        Self::new(week, makeup).map_err(|reason| FileError { line: 1, reason })
    }

    pub fn on(&self, weekday: Weekday) -> &Spans {
        &self.week[weekday.to_monday_zero_offset().unsigned_abs() as usize % 7]
    }

    /// The hours of a day that is a working day although its weekday may rest.
    pub fn working(&self, weekday: Weekday) -> &Spans {
        let usual = self.on(weekday);
        if usual.is_empty() { &self.makeup } else { usual }
    }

    pub(crate) fn is_monday_to_friday(&self) -> bool {
        WEEKDAYS
            .iter()
            .all(|&(day, _)| self.on(day).is_empty() == matches!(day, Weekday::Saturday | Weekday::Sunday))
    }
}

impl Default for Hours {
    /// Nine to twelve and half past one to six, Monday to Friday: `data/hours.toml`.
    fn default() -> Self {
        static USUAL: LazyLock<Hours> = LazyLock::new(|| {
            Hours::parse(include_str!("../data/hours.toml")).expect("data/hours.toml is read by a test")
        });
        USUAL.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_week_has_seven_and_a_half_hours_a_day_and_two_days_of_rest() {
        let hours = Hours::default();
        assert_eq!(hours.on(Weekday::Monday).to_string(), "09:00-12:00、13:30-18:00");
        assert_eq!(hours.on(Weekday::Friday).minutes(), 450);
        assert!(hours.on(Weekday::Saturday).is_empty());
        assert_eq!(hours.working(Weekday::Sunday).minutes(), 450);
        assert!(hours.is_monday_to_friday());
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_it_begins() {
        let hours = Hours::parse(r#"workdays = ["20:00-次日08:00"]"#).unwrap();
        assert_eq!(hours, Hours::parse(r#"workdays = ["20:00-32:00"]"#).unwrap());
        assert_eq!(hours.on(Weekday::Monday).to_string(), "20:00-次日08:00");
    }

    #[test]
    fn shifts_that_make_no_sense_are_refused_with_line_and_reason() {
        for (text, line, reason) in [
            ("workdays = [\"9-12\"]", 1, "不是一段时间"),
            ("workdays = [\n\"09:00-12:00\",\n\"12:00-18:00\"]", 1, "中间有间隔"),
            ("\nworkdays = [\"18:00-09:00\"]", 2, "结束要晚于开始"),
            ("\n\nworkdays = 8", 3, "应为"),
            ("workdays = [\"00:00-24:00\"]\nmontag = []", 2, "montag"),
            ("workdays = [\"09:00-40:00\"]", 1, "不超过24小时"),
            ("workdays = [\"10:00-33:00\"]\ntuesday = [\"08:00-09:00\"]", 1, "周一的夜班与次日"),
            ("saturday = [\"09:00-12:00\"]", 1, "补班日没有工作时间"),
            ("workdays = [\"09:00-12:00\"", 1, "TOML"),
        ] {
            let error = Hours::parse(text).unwrap_err();
            assert!(error.line == line && error.reason.contains(reason), "{text}: {error}");
        }
    }
}
