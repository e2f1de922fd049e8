//! Marks on days, the text in which a whole arrangement is pasted, and the calendar they make.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use workday::{Calendar, Layer, Override, OverrideKind};

use crate::clock::{Millis, parse_date};
use crate::error::FieldError;
use crate::i18n::Text;
use crate::ids::PersonId;
use crate::text;

/// The first day that can be marked.
pub const FIRST: Date = Date::constant(2000, 1, 1);
/// The last one.
pub const LAST: Date = Date::constant(2100, 12, 31);
/// Lines of a pasted arrangement at the most.
pub const MOST_LINES: usize = 500;
/// Days of one line at the most.
const MOST_DAYS: i64 = 366;
/// Characters of a name.
const NAME: usize = 30;
/// Mistakes of a pasted arrangement told at once.
const MOST_TOLD: usize = 10;

/// Whether people work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A day off.
    Rest,
    /// A working day.
    Work,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rest, Self::Work];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Work => "work",
        }
    }

    /// The kind of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Rest => "放假",
            Self::Work => "上班",
        }
    }

    /// The ways people write it.
    fn written(word: &str) -> Option<Self> {
        match word {
            "放假" | "休息" | "休" | "rest" => Some(Self::Rest),
            "上班" | "补班" | "班" | "work" => Some(Self::Work),
            _ => None,
        }
    }
}

impl From<workday::Kind> for Kind {
    fn from(kind: workday::Kind) -> Self {
        match kind {
            workday::Kind::Rest => Self::Rest,
            workday::Kind::Work => Self::Work,
        }
    }
}

/// What the company says of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whether people work.
    pub kind: Kind,
    /// Why: 春节放假, 厂休, 调休.
    pub name: String,
}

/// A day as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Which.
    pub day: Date,
    /// What the company says of it; `None` when it says nothing, or nothing any more.
    pub mark: Option<Mark>,
    /// Counts changes; 0 before the first.
    pub version: i64,
    /// When it was changed last, and by whom.
    pub updated: Option<(Millis, PersonId)>,
}

/// Everything the company says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The marked days, in order.
    pub days: Vec<(Date, Mark)>,
    /// The years whose whole arrangement is among them.
    pub years: BTreeSet<i16>,
}

impl Marks {
    /// The mainland's calendar with these marks on it.
    pub fn calendar(&self) -> Calendar {
        let overrides = lines(&self.days).into_iter().filter_map(|line| {
            let kind = match line.mark.kind {
                Kind::Rest => OverrideKind::Rest,
                Kind::Work => OverrideKind::Work(None),
            };
            Override::new(line.first, line.last, kind, line.mark.name).ok()
        });
        Calendar::builder().company(overrides.collect()).told(self.years.iter().copied()).build()
    }
}

/// Days in a row with the same mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
    /// Their mark.
    pub mark: Mark,
}

impl Line {
    /// Its days.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        let last = self.last;
        self.first.series(1.day()).take_while(move |day| *day <= last)
    }
}

/// As people write and paste it: `2027-02-05..2027-02-11 放假 春节`.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.first)?;
        if self.last != self.first {
            write!(f, "..{}", self.last)?;
        }
        write!(f, " {} {}", self.mark.kind.title(), self.mark.name)
    }
}

/// Marked days in order as lines, each no longer than a line may be.
pub fn lines(days: &[(Date, Mark)]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (day, mark) in days {
        match lines.last_mut() {
            Some(line)
                if line.mark == *mark
                    && line.last.tomorrow().ok() == Some(*day)
                    && length(line.first, *day) <= MOST_DAYS =>
            {
                line.last = *day;
            }
            _ => lines.push(Line { first: *day, last: *day, mark: mark.clone() }),
        }
    }
    lines
}

fn length(first: Date, last: Date) -> i64 {
    last.duration_since(first).as_hours() / 24 + 1
}

/// A name of 1 to 30 characters on one line; `None` for any other.
pub fn clean_name(name: &str) -> Option<String> {
    let name = name.trim();
    let is_fine = (1..=NAME).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    is_fine.then(|| name.to_owned())
}

/// What is wrong with the days of a line.
fn check_days(first: Date, last: Date) -> Result<(), Text> {
    if last < first {
        return Err(text!("结束日期早于开始日期"));
    }
    if first < FIRST || last > LAST {
        return Err(text!("日期要在 2000 年到 2100 年之间"));
    }
    if length(first, last) > MOST_DAYS {
        return Err(text!("一次最多 {} 天", MOST_DAYS));
    }
    Ok(())
}

impl Line {
    /// A line from what a form or a program sent; an empty `last` means the first day alone.
    pub fn read(first: &str, last: &str, kind: &str, name: &str) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut date = |field: &str, text: &str| {
            let date = read_date(text);
            if date.is_none() {
                errors.push(FieldError::new(field, text!("请填写日期，例如 2027-02-05")));
            }
            date
        };
        let first = date("from", first);
        let last = if last.trim().is_empty() { first } else { date("to", last) };
        if let (Some(first), Some(last)) = (first, last)
            && let Err(text) = check_days(first, last)
        {
            errors.push(FieldError::new("to", text));
        }
        let kind = Kind::named(kind);
        if kind.is_none() {
            errors.push(FieldError::new("kind", text!("请选择放假或上班")));
        }
        let name = clean_name(name);
        if name.is_none() {
            errors.push(FieldError::new("name", text!("请填写名称，1 到 {} 个字", NAME)));
        }
        match (first, last, kind, name) {
            (Some(first), Some(last), Some(kind), Some(name)) if errors.is_empty() => {
                Ok(Self { first, last, mark: Mark { kind, name } })
            }
            _ => Err(errors),
        }
    }
}

fn read_date(text: &str) -> Option<Date> {
    parse_date(text)?.parse().ok()
}

/// Reads a pasted arrangement, a line for a day or for days in a row: `2027-02-05..2027-02-11 放假 春节`. Empty lines and
/// those that begin with `#` say nothing. Every mistake is told with its line.
pub fn parse_arrangement(text: &str) -> Result<Vec<Line>, Vec<FieldError>> {
    let (mut lines, mut errors, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    let written = text.lines().map(str::trim).enumerate();
    for (n, line) in written.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        if lines.len() == MOST_LINES {
            errors.push(text!("最多 {} 行，请分几次粘贴", MOST_LINES));
            break;
        }
        let read = parse_line(line).and_then(|line| {
            let again = line.days().find(|day| !seen.insert(*day));
            again.map_or(Ok(line), |day| Err(text!("{} 前面已经写过", day)))
        });
        match read {
            Ok(line) => lines.push(line),
            Err(problem) => errors.push(text!("第 {} 行：{}", n + 1, crate::i18n::word(problem))),
        }
        if errors.len() == MOST_TOLD {
            break;
        }
    }
    if lines.is_empty() && errors.is_empty() {
        errors.push(text!("请粘贴放假安排，每行一条，例如：2027-02-05..2027-02-11 放假 春节"));
    }
    if errors.is_empty() {
        return Ok(lines);
    }
    Err(errors.into_iter().map(|text| FieldError::new("text", text)).collect())
}

fn parse_line<'l>(line: &'l str) -> Result<Line, Text> {
    let word = |text: &'l str| text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (days, rest) = word(line);
    let (kind, name) = word(rest.trim_start());
    let ends = ["..", "至", "~", "～"].iter().find_map(|between| days.split_once(between));
    let (first, last) = ends.unwrap_or((days, days));
    let date =
        |text: &str| read_date(text).ok_or_else(|| text!("“{}”不是日期，应写作 2027-02-05", shorten(text)));
    let (first, last) = (date(first)?, date(last)?);
    check_days(first, last)?;
    let kind =
        Kind::written(kind).ok_or_else(|| text!("日期后面要空一格写“放假”或“上班”，再空一格写名称"))?;
    let name = clean_name(name).ok_or_else(|| text!("请填写名称，1 到 {} 个字", NAME))?;
    Ok(Line { first, last, mark: Mark { kind, name } })
}

/// Enough of what somebody wrote to find it again.
fn shorten(text: &str) -> String {
    text.chars().take(20).collect()
}

/// Where a day's kind comes from: its code and the words for it (source text).
pub fn source(layer: Layer) -> (&'static str, &'static str) {
    match layer {
        Layer::Week => ("week", "每周作息"),
        Layer::Statute => ("law", "法定节假日"),
        Layer::Mainland => ("notice", "国务院通知"),
        Layer::Company | Layer::Unit | Layer::Person => ("company", "公司标注"),
    }
}

/// The month from which next year's arrangement should be here: it is announced in the autumn.
const ANNOUNCED_BY: i8 = 11;

/// The year whose arrangement somebody should enter now: this one, or from November on the next.
pub fn missing_year(calendar: &Calendar, today: Date) -> Option<i16> {
    let next = (today.month() >= ANNOUNCED_BY).then(|| today.year() + 1);
    [Some(today.year()), next].into_iter().flatten().find(|year| calendar.guess(*year).is_some())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::i18n::Lang;

    fn said(text: &str) -> Vec<String> {
        parse_arrangement(text).unwrap_err().iter().map(|error| error.text.to(Lang::Zh)).collect()
    }

    #[test]
    fn an_arrangement_is_read_as_people_write_it() {
        let text = "# 2027 年\n2027-02-05..2027-02-11 放假 春节\n\n 2027-02-14 上班 春节 调休 \n2027/4/3至2027/4/5 休 清明节";
        let read = parse_arrangement(text).unwrap();
        let written: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(
            written,
            [
                "2027-02-05..2027-02-11 放假 春节",
                "2027-02-14 上班 春节 调休",
                "2027-04-03..2027-04-05 放假 清明节"
            ]
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = "2027-02-05 放假 春节\n2027-02-30 放假 春节\n2027-02-05 上班 调休\n2027-02-06\n2027-02-06 放假\n\
                    2027-02-08..2027-02-07 放假 春节\n1999-01-01 放假 元旦\n2027-01-01..2028-12-31 放假 长假";
        let expected = [
            "第 2 行：“2027-02-30”不是日期，应写作 2027-02-05",
            "第 3 行：2027-02-05 前面已经写过",
            "第 4 行：日期后面要空一格写“放假”或“上班”，再空一格写名称",
            "第 5 行：请填写名称，1 到 30 个字",
            "第 6 行：结束日期早于开始日期",
            "第 7 行：日期要在 2000 年到 2100 年之间",
            "第 8 行：一次最多 366 天",
        ];
        assert_eq!(said(text), expected);
        assert_eq!(said(" \n# 没有\n").len(), 1);
        assert_eq!(said(&"坏\n".repeat(1000)).len(), MOST_TOLD);
    }

    #[test]
    fn marks_stand_above_the_mainlands_holidays() {
        let read =
            parse_arrangement("2026-10-08..2026-10-09 放假 厂休\n2026-10-10..2026-10-11 上班 赶工").unwrap();
        let days = read.iter().flat_map(|line| line.days().map(|day| (day, line.mark.clone()))).collect();
        let marks = Marks { days, years: BTreeSet::from([2027]) };
        assert_eq!(lines(&marks.days), read);
        let calendar = marks.calendar();
        let day = |d| calendar.day(date(2026, 10, d)).unwrap();
        assert_eq!((day(7).layer, day(7).kind), (Layer::Mainland, workday::Kind::Rest));
        assert_eq!((day(8).why.as_str(), day(8).kind), ("厂休", workday::Kind::Rest));
        assert_eq!((day(11).why.as_str(), day(11).kind), ("赶工", workday::Kind::Work));
        assert!(!day(11).hours.is_empty());
        assert_eq!(calendar.guess(2027), None);
    }

    #[test]
    fn next_year_is_asked_for_in_november() {
        let calendar = Marks::default().calendar();
        assert_eq!(missing_year(&calendar, date(2026, 10, 31)), None);
        assert_eq!(missing_year(&calendar, date(2026, 11, 1)), Some(2027));
        assert_eq!(missing_year(&calendar, date(2027, 1, 1)), Some(2027));
        let entered = Marks { years: BTreeSet::from([2027]), ..Marks::default() }.calendar();
        assert_eq!(missing_year(&entered, date(2026, 12, 31)), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(start in 0_i64..36_000, length in 0_i64..366, is_off: bool, name in "[一-龥]{1,30}") {
            let first = FIRST.saturating_add(start.days());
            let mark = Mark { kind: if is_off { Kind::Rest } else { Kind::Work }, name };
            let line = Line { first, last: first.saturating_add(length.days()), mark };
            prop_assert_eq!(parse_arrangement(&line.to_string()).unwrap(), [line]);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}(\n\\PC{0,60}){0,3}", days in "[0-9.~至年-]{1,30}") {
            let _ = parse_arrangement(&text);
            let _ = parse_arrangement(&format!("{days} 放假 {text}"));
            let _ = Line::read(&text, &days, &text, &text);
        }
    }
}
