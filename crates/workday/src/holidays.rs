//! The holidays and make-up days of the State Council's yearly notices, and what is said of years without one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::civil::Date;

use crate::FileError;
use crate::local::LAST;
use crate::read::{Fields, Place, open};
use crate::statute;

/// The announced years, and for the others what the law itself names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Holidays {
    years: BTreeMap<i16, Year>,
    /// Whether the mainland's law holds in years without a notice.
    is_by_law: bool,
}

/// What was announced for a year; its days may begin in the December before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Year {
    pub year: i16,
    pub is_announced: bool,
    pub notices: Vec<Notice>,
    pub(crate) festivals: Vec<Festival>,
}

/// Where the days of a year come from: `国办发明电〔2025〕7号`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub number: String,
    pub title: String,
    pub issued_on: Date,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Festival {
    pub name: String,
    pub rest: Vec<(Date, Date)>,
    pub work: Vec<(Date, Date)>,
}

impl Holidays {
    /// What this crate carries: `data/mainland.toml`, and for later years `data/festivals.toml`.
    pub fn mainland() -> Self {
        static MAINLAND: LazyLock<Holidays> = LazyLock::new(|| {
            let text = include_str!("../data/mainland.toml");
            let announced = Holidays::parse(text).expect("data/mainland.toml is read by a test");
            Holidays { is_by_law: true, ..announced }
        });
        MAINLAND.clone()
    }

    /// Reads a file of `[[year]]` entries in the form of `data/mainland.toml`; of other years it knows nothing.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let file = open(text)?;
        let mut fields = Fields::of(&file);
        let entries = fields.take("year").map(|place| place.array()).transpose()?.unwrap_or_default();
        fields.done()?;
        let mut years = BTreeMap::new();
        for place in &entries {
            let year = Year::read(place)?;
            if years.contains_key(&year.year) {
                return Err(place.error(format!("{}年写了两次", year.year)));
            }
            years.insert(year.year, year);
        }
        Ok(Self { years, is_by_law: false })
    }

    /// These years, and where `newer` has a year, that one instead: how an administrator adds what was announced later.
    pub fn with(mut self, newer: Self) -> Self {
        self.years.extend(newer.years);
        self
    }

    pub fn years(&self) -> impl Iterator<Item = &Year> {
        self.years.values()
    }

    pub fn year(&self, year: i16) -> Option<&Year> {
        self.years.get(&year)
    }

    /// Whether the arrangement of a year is here.
    pub fn is_announced(&self, year: i16) -> bool {
        self.year(year).is_some_and(|known| known.is_announced)
    }

    /// Whether the days off of a year are those the law names.
    pub(crate) fn is_by_law(&self, year: i16) -> bool {
        self.is_by_law && year >= statute::SINCE && !self.is_announced(year)
    }

    /// The days off of all those years with their festivals.
    pub(crate) fn by_law(&self) -> impl Iterator<Item = (Date, String)> {
        (statute::SINCE..=LAST.year()).filter(|&year| self.is_by_law(year)).flat_map(statute::days)
    }

    /// Why the working days of `year` are no more than a guess, if they are.
    pub(crate) fn guess(&self, year: i16) -> Option<&'static str> {
        match self.year(year) {
            Some(_) if self.is_announced(year) => None,
            Some(_) => Some("尚未公布"),
            None => Some("未收录"),
        }
    }
}

impl Year {
    fn read(place: &Place<'_>) -> Result<Self, FileError> {
        let mut fields = Fields::within(place)?;
        let year = fields.need("year")?.year()?;
        let is_announced = fields.take("announced").map_or(Ok(true), |place| place.flag())?;
        let notices = fields.take("notices").map_or(Ok(Vec::new()), |place| place.array())?;
        let notices = notices.iter().map(Notice::read).collect::<Result<_, _>>()?;
        let festivals = fields.take("festivals").map_or(Ok(Vec::new()), |place| place.array())?;
        let mut seen = BTreeSet::new();
        let festivals: Vec<_> =
            festivals.iter().map(|place| Festival::read(place, year, &mut seen)).collect::<Result<_, _>>()?;
        if is_announced == festivals.is_empty() {
            return Err(fields.error("已公布的年份要写 festivals，未公布的只写 announced = false"));
        }
        fields.done()?;
        Ok(Self { year, is_announced, notices, festivals })
    }
}

impl Notice {
    fn read(place: &Place<'_>) -> Result<Self, FileError> {
        let mut fields = Fields::within(place)?;
        let notice = Self {
            number: fields.need("number")?.name()?,
            title: fields.need("title")?.name()?,
            issued_on: fields.need("on")?.date()?,
        };
        fields.done()?;
        Ok(notice)
    }
}

impl Festival {
    fn read(place: &Place<'_>, year: i16, seen: &mut BTreeSet<Date>) -> Result<Self, FileError> {
        let mut fields = Fields::within(place)?;
        let mut ranges = |place: Option<Place<'_>>| {
            let items = place.map_or(Ok(Vec::new()), |place| place.array())?;
            items.iter().map(|item| dates_of(item, year, seen)).collect::<Result<Vec<_>, _>>()
        };
        let (rest, work) = (ranges(fields.take("rest"))?, ranges(fields.take("work"))?);
        let festival = Self { name: fields.need("name")?.name()?, rest, work };
        fields.done()?;
        Ok(festival)
    }
}

/// Days of the year or of the December before it, each named once.
fn dates_of(place: &Place<'_>, year: i16, seen: &mut BTreeSet<Date>) -> Result<(Date, Date), FileError> {
    let (first, last) = place.dates()?;
    let is_december_before = first.year() == year - 1 && first.month() == 12;
    if last.year() > year || (first.year() < year && !is_december_before) {
        return Err(place.error(format!("{first}不属于{year}年的放假安排")));
    }
    for date in first.series(jiff::Span::new().days(1)).take_while(|&date| date <= last) {
        if !seen.insert(date) {
            return Err(place.error(format!("{date}写了两次")));
        }
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_announced_year_names_its_notices() {
        let mainland = Holidays::mainland();
        assert_eq!(
            mainland.years().map(|year| year.year).collect::<Vec<_>>(),
            (2019..=2027).collect::<Vec<_>>()
        );
        for year in mainland.years() {
            assert_eq!(year.is_announced, year.year <= 2026);
            assert_eq!(year.notices.is_empty(), !year.is_announced);
            for notice in &year.notices {
                assert!(notice.number.starts_with("国办发明电〔"), "{}", notice.number);
                assert!(notice.number.contains(&notice.issued_on.year().to_string()), "{}", notice.number);
                assert!(notice.title.contains(&format!("{}年", year.year)), "{}", notice.title);
            }
        }
        assert_eq!(mainland.guess(2026), None);
        assert_eq!(mainland.guess(2027), Some("尚未公布"));
        assert_eq!(mainland.guess(2018), Some("未收录"));
        let by_law: Vec<_> = (2018..=2030).filter(|&year| mainland.is_by_law(year)).collect();
        assert_eq!(by_law, [2027, 2028, 2029, 2030], "the law of today says nothing of years before it");
    }

    #[test]
    fn a_later_file_adds_and_replaces_years() {
        let file = r#"[[year]]
            year = 2027
            festivals = [{ name = "元旦", rest = ["2027-01-01"] }]"#;
        let holidays = Holidays::mainland().with(Holidays::parse(file).unwrap());
        assert_eq!(holidays.guess(2027), None);
        assert_eq!(holidays.guess(2026), None);
        assert!(!holidays.is_by_law(2027) && holidays.is_by_law(2028));
        assert!(!Holidays::parse(file).unwrap().is_by_law(2028), "a file alone knows no law");
    }

    #[test]
    fn mistakes_are_refused_with_line_and_reason() {
        for (text, line, reason) in [
            ("[[year]]\nyear = 2027", 1, "festivals"),
            ("[[year]]\nyear = 1980\nannounced = false", 2, "年份"),
            (
                "[[year]]\nyear = 2027\nfestivals = [\n{ name = \"元旦\", rest = [\"2028-01-01\"] }]",
                4,
                "不属于",
            ),
            ("[[year]]\nyear = 2027\nfestivals = [{ rest = [\"2027-01-01\"] }]", 3, "缺少 name"),
            (
                "[[year]]\nyear = 2027\nfestivals = [\n{ name = \"元旦\", rest = [\"2027-01-01\"],\nwork = [\"2027-01-01\"] }]",
                5,
                "写了两次",
            ),
            (
                "[[year]]\nyear = 2027\nannounced = false\n[[year]]\nyear = 2027\nannounced = false",
                4,
                "写了两次",
            ),
            ("[[year]]\nyear = 2027\nannounced = \"no\"", 3, "true"),
        ] {
            let error = Holidays::parse(text).unwrap_err();
            assert!(error.line == line && error.reason.contains(reason), "{text}: {error}");
        }
    }
}
