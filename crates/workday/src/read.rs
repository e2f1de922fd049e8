//! Reading TOML that people write by hand: every refusal names the line and says in Chinese what to put there. The
//! files are small and the rules many, so values are taken field by field instead of through serde, whose messages are
//! English.

use std::borrow::Cow;
use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::FileError;
use crate::local::{FIRST, LAST};

/// What is wrong with a value, before anybody knows the line.
pub type Problem = String;

const BYTES: usize = 1 << 20;
/// Entries of one kind in one file.
pub const ENTRIES: usize = 10_000;
const NAME: usize = 100;

pub struct File<'a> {
    text: &'a str,
    table: Spanned<DeTable<'a>>,
}

pub fn open(text: &str) -> Result<File<'_>, FileError> {
    if text.len() > BYTES {
        return Err(FileError { line: 1, reason: "文件超过1 MiB，请拆分".into() });
    }
    let table = DeTable::parse(text).map_err(|error| {
        let line = line(text, error.span().map_or(0, |span| span.start));
        FileError {
            line,
            reason: format!("TOML写法有误，请检查引号、括号和等号（{}）", error.message().replace('\n', " ")),
        }
    })?;
    Ok(File { text, table })
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&b| b == b'\n').count() + 1
}

/// A value and where it stands.
pub struct Place<'a> {
    text: &'a str,
    span: Range<usize>,
    value: &'a DeValue<'a>,
}

impl<'a> Place<'a> {
    fn new(text: &'a str, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { text, span: value.span(), value: value.get_ref() }
    }

    pub fn error(&self, reason: impl Into<String>) -> FileError {
        FileError { line: line(self.text, self.span.start), reason: reason.into() }
    }

    fn expected<T>(&self, what: &str) -> Result<T, FileError> {
        Err(self.error(format!("应为{what}")))
    }

    pub fn text(&self) -> Result<&'a str, FileError> {
        let DeValue::String(text) = self.value else { return self.expected("带引号的文字") };
        Ok(text)
    }

    /// A name people will read: one line, neither empty nor long.
    pub fn name(&self) -> Result<String, FileError> {
        let name = self.text()?.trim();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return self.expected(&format!("一行文字，1至{NAME}个字"));
        }
        Ok(name.to_owned())
    }

    pub fn flag(&self) -> Result<bool, FileError> {
        let DeValue::Boolean(flag) = self.value else { return self.expected("true 或 false") };
        Ok(*flag)
    }

    pub fn year(&self) -> Result<i16, FileError> {
        if let DeValue::Integer(year) = self.value
            && let Ok(year) = i16::from_str_radix(year.as_str(), year.radix())
            && (FIRST.year()..=LAST.year()).contains(&year)
        {
            return Ok(year);
        }
        self.expected("1990至2100之间的年份")
    }

    pub fn array(&self) -> Result<Vec<Place<'a>>, FileError> {
        let DeValue::Array(items) = self.value else { return self.expected("方括号中的列表") };
        if items.len() > ENTRIES {
            return Err(self.error(format!("超过{ENTRIES}条，请拆分文件")));
        }
        Ok(items.iter().map(|item| Place::new(self.text, item)).collect())
    }

    pub fn date(&self) -> Result<Date, FileError> {
        self.dated()?.parse_date().map_err(|reason| self.error(reason))
    }

    /// `2026-10-01` or `2026-10-01..2026-10-07`, both ends included.
    pub fn dates(&self) -> Result<(Date, Date), FileError> {
        let text = self.dated()?;
        let (first, last) = text.split_once("..").unwrap_or((&text, &text));
        let range = first.parse_date().and_then(|first| range(first, last.parse_date()?));
        range.map_err(|reason| self.error(reason))
    }

    /// A date may be written with quotes or as TOML's own.
    fn dated(&self) -> Result<Cow<'a, str>, FileError> {
        match self.value {
            DeValue::String(text) => Ok(Cow::Borrowed(text)),
            DeValue::Datetime(date) => Ok(Cow::Owned(date.to_string())),
            _ => self.expected("日期，如 2026-10-01"),
        }
    }
}

/// Days from `first` to `last` within one year's length: what a longer range means belongs into the working hours.
pub fn range(first: Date, last: Date) -> Result<(Date, Date), Problem> {
    if last < first {
        return Err(format!("结束日期{last}早于开始日期{first}"));
    }
    if last.duration_since(first).as_hours() / 24 >= 366 {
        return Err("一条最多366天，请分成几条".into());
    }
    Ok((first, last))
}

trait ParseDate {
    fn parse_date(&self) -> Result<Date, Problem>;
}

impl ParseDate for str {
    fn parse_date(&self) -> Result<Date, Problem> {
        let text = self.trim();
        let date = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
        let date = date.ok_or_else(|| format!("“{text}”不是日期，应写作 2026-10-01"))?;
        if !(FIRST..=LAST).contains(&date) {
            return Err(format!("日期{date}不在1990年至2100年之间"));
        }
        Ok(date)
    }
}

/// The fields of a table, each taken once; what is left over at the end was misspelt.
pub struct Fields<'a> {
    text: &'a str,
    start: usize,
    left: Vec<(&'a Spanned<Cow<'a, str>>, &'a Spanned<DeValue<'a>>)>,
}

impl<'a> Fields<'a> {
    pub fn of(file: &'a File<'a>) -> Self {
        Self { text: file.text, start: 0, left: file.table.get_ref().iter().collect() }
    }

    pub fn within(place: &Place<'a>) -> Result<Self, FileError> {
        let DeValue::Table(table) = place.value else { return place.expected("一组“名称 = 值”") };
        Ok(Self { text: place.text, start: place.span.start, left: table.iter().collect() })
    }

    pub fn take(&mut self, name: &str) -> Option<Place<'a>> {
        let i = self.left.iter().position(|(key, _)| key.get_ref() == name)?;
        Some(Place::new(self.text, self.left.swap_remove(i).1))
    }

    pub fn need(&mut self, name: &str) -> Result<Place<'a>, FileError> {
        self.take(name).ok_or_else(|| self.error(format!("缺少 {name}")))
    }

    pub fn error(&self, reason: impl Into<String>) -> FileError {
        FileError { line: line(self.text, self.start), reason: reason.into() }
    }

    pub fn done(self) -> Result<(), FileError> {
        let Some((key, _)) = self.left.iter().min_by_key(|(key, _)| key.span().start) else { return Ok(()) };
        let reason = format!("不认识的名称 {}，请核对拼写", key.get_ref());
        Err(FileError { line: line(self.text, key.span().start), reason })
    }
}
