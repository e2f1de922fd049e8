//! What a company, a unit or a person does otherwise than the calendar below: days off, days of work, other hours.

use jiff::civil::Date;

use crate::FileError;
use crate::hours::Spans;
use crate::read::{Fields, Place, open, range};

/// One exception from the calendar below it, for a day or a range of days up to a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) kind: OverrideKind,
    pub(crate) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OverrideKind {
    /// A day off.
    Rest,
    /// A working day, with hours of its own or else its weekday's, and those of make-up days where that one rests.
    Work(Option<Spans>),
    /// Other hours on days that are working days anyway: half days, summer hours. Days of rest stay days of rest.
    Hours(Spans),
}

impl Override {
    /// `name` is what explanations call the days, such as 厂庆放假. `Err` says in Chinese what is wrong.
    pub fn new(from: Date, to: Date, kind: OverrideKind, name: impl Into<String>) -> Result<Self, String> {
        let (from, to) = range(from, to)?;
        if let OverrideKind::Work(Some(spans)) | OverrideKind::Hours(spans) = &kind
            && spans.is_empty()
        {
            return Err("没有工作时间的日子请写 kind = \"rest\"".into());
        }
        Ok(Self { from, to, kind, name: name.into() })
    }

    /// Reads a file of `[[day]]` entries:
    ///
    /// ```toml
    /// [[day]]
    /// on = "2026-12-31"             # one day or `first..last`
    /// kind = "hours"                # rest, work or hours
    /// hours = ["09:00-12:00"]       # with hours, and with work if they differ from the usual
    /// name = "年终半天"
    /// ```
    pub fn parse(text: &str) -> Result<Vec<Self>, FileError> {
        let file = open(text)?;
        let mut fields = Fields::of(&file);
        let entries = fields.take("day").map(|place| place.array()).transpose()?.unwrap_or_default();
        fields.done()?;
        entries.iter().map(Self::read).collect()
    }

    fn read(place: &Place<'_>) -> Result<Self, FileError> {
        let mut fields = Fields::within(place)?;
        let (from, to) = fields.need("on")?.dates()?;
        let name = fields.need("name")?.name()?;
        let kind = fields.need("kind")?;
        let hours = fields.take("hours").map(|place| Spans::read(&place)).transpose()?;
        let kind = match (kind.text()?, hours) {
            ("rest", None) => OverrideKind::Rest,
            ("rest", Some(_)) => return Err(kind.error("休息日（rest）不能再写 hours")),
            ("work", hours) => OverrideKind::Work(hours),
            ("hours", Some(hours)) => OverrideKind::Hours(hours),
            ("hours", None) => return Err(kind.error("缺少 hours")),
            (other, _) => return Err(kind.error(format!("kind 应为 rest、work 或 hours，不能是“{other}”"))),
        };
        let entry = Self::new(from, to, kind, name).map_err(|reason| place.error(reason))?;
        fields.done()?;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_exceptions_is_read() {
        let text = r#"
            [[day]]
            on = "2026-12-28..2026-12-30"
            kind = "rest"
            name = "厂庆放假"
            [[day]]
            on = 2026-12-31
            kind = "hours"
            hours = ["09:00-12:00"]
            name = "年终半天"
        "#;
        let read = Override::parse(text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].from, read[0].to), (Date::constant(2026, 12, 28), Date::constant(2026, 12, 30)));
        assert_eq!(read[1].name, "年终半天");
        assert_eq!(Override::parse("").unwrap(), []);
    }

    #[test]
    fn mistakes_are_refused_with_line_and_reason() {
        for (text, line, reason) in [
            ("[[day]]\nkind = \"rest\"\nname = \"厂庆\"", 1, "缺少 on"),
            ("[[day]]\non = \"10-01\"\nkind = \"rest\"\nname = \"厂庆\"", 2, "不是日期"),
            ("[[day]]\non = \"2026-02-30\"\nkind = \"rest\"\nname = \"厂庆\"", 2, "不是日期"),
            ("[[day]]\non = \"1989-12-31\"\nkind = \"rest\"\nname = \"厂庆\"", 2, "1990年"),
            ("[[day]]\non = \"2026-10-02..2026-10-01\"\nkind = \"rest\"\nname = \"厂庆\"", 2, "早于"),
            ("[[day]]\non = \"2026-10-02..2028-10-01\"\nkind = \"rest\"\nname = \"厂庆\"", 2, "366"),
            ("[[day]]\non = \"2026-10-02\"\nkind = \"off\"\nname = \"厂庆\"", 3, "rest、work 或 hours"),
            ("[[day]]\non = \"2026-10-02\"\nkind = \"hours\"\nname = \"厂庆\"", 3, "缺少 hours"),
            ("[[day]]\non = \"2026-10-02\"\nkind = \"rest\"\nname = \" \"", 4, "1至100"),
            ("[[day]]\non = \"2026-10-02\"\nkind = \"rest\"\nname = \"厂庆\"\nwho = 1", 5, "who"),
            ("[[days]]\non = \"2026-10-02\"", 1, "days"),
            ("day = 3", 1, "列表"),
        ] {
            let error = Override::parse(text).unwrap_err();
            assert!(error.line == line && error.reason.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn files_are_bounded() {
        let entry = "[[day]]\non = \"2026-10-02\"\nkind = \"rest\"\nname = \"厂庆\"\n";
        assert_eq!(Override::parse(&entry.repeat(10_000)).unwrap().len(), 10_000);
        assert!(Override::parse(&entry.repeat(10_001)).unwrap_err().reason.contains("10000条"));
        assert!(Override::parse(&"#\n".repeat(1 << 20)).unwrap_err().reason.contains("1 MiB"));
    }
}
