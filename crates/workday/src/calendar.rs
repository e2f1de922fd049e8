//! A calendar: the week's hours, the mainland's holidays and three layers of overrides, resolved day by day.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::days::{Day, Days, Layer};
use crate::holidays::Holidays;
use crate::hours::Hours;
use crate::local::{DAY, Local, Zone, number};
use crate::overrides::Override;
use crate::{Error, FileError, Millis};

/// Which days and hours are working time, from 1990 to 2100, and what follows from it.
///
/// It holds every day ready (under a megabyte, built in a few milliseconds), so that a due time is a lookup. Build one per
/// distinct set of overrides and share it; most people have their unit's.
pub struct Calendar {
    pub(crate) days: Days,
    pub(crate) zone: Zone,
    pub(crate) holidays: Holidays,
    pub(crate) told: BTreeSet<i16>,
    pub(crate) is_monday_to_friday: bool,
}

/// The parts of a [`Calendar`]; what is not said is the mainland's usual.
#[derive(Clone, Debug)]
pub struct Builder {
    hours: Hours,
    zone: TimeZone,
    holidays: Holidays,
    told: BTreeSet<i16>,
    overrides: Vec<(Layer, Override)>,
}

impl Calendar {
    /// The mainland's holidays, usual hours and Beijing time.
    pub fn mainland() -> Self {
        Self::builder().build()
    }

    pub fn builder() -> Builder {
        Builder {
            hours: Hours::default(),
            // Not from the system's files: this crate reads none. Beijing time has been eight hours ahead since the
            // summer time of 1991, which a due time of today cannot reach.
            zone: TimeZone::fixed(jiff::tz::offset(8)),
            holidays: Holidays::mainland(),
            told: BTreeSet::new(),
            overrides: Vec::new(),
        }
    }

    /// The announced years it was made with.
    pub fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    /// Why the working days of a year are no more than a guess, in Chinese: 「尚未公布」, 「未收录」. `None` when they are known.
    pub fn guess(&self, year: i16) -> Option<&'static str> {
        if self.told.contains(&year) { None } else { self.holidays.guess(year) }
    }

    /// Reads a file of overrides: see [`Override::parse`].
    pub fn parse_overrides(text: &str) -> Result<Vec<Override>, FileError> {
        Override::parse(text)
    }

    /// What a day is and why; `None` outside 1990 to 2100.
    pub fn day(&self, date: Date) -> Option<Day> {
        Some(self.days.describe(number(date)?))
    }

    pub fn is_workday(&self, date: Date) -> bool {
        number(date).is_some_and(|day| self.days.is_work(day))
    }

    /// Whether people work at this moment; the minute of closing is not worked any more.
    pub fn is_working_at(&self, at: Millis) -> bool {
        let Some(local) = self.zone.local(at) else { return false };
        let (day, ms) = (local.day(), local.ms_of_day());
        self.days.spans(day).covers(ms)
            || day.checked_sub(1).is_some_and(|day| self.days.spans(day).covers(ms + DAY))
    }

    /// How many working days there are from `first` to `last`, both included.
    pub fn workdays(&self, first: Date, last: Date) -> Result<usize, Error> {
        let (first, last) = (number(first).ok_or(Error::Start)?, number(last).ok_or(Error::End)?);
        Ok(self.days.workdays_before(last + 1).saturating_sub(self.days.workdays_before(first)))
    }

    /// The point in time of a local clock; a time daylight saving skips is taken after the gap.
    pub fn at(&self, local: DateTime) -> Result<Millis, Error> {
        self.zone.instant(Local::of(local).ok_or(Error::Start)?)
    }

    /// The local clock at a point in time.
    pub fn local(&self, at: Millis) -> Result<DateTime, Error> {
        Ok(self.start(at)?.datetime())
    }

    pub(crate) fn start(&self, at: Millis) -> Result<Local, Error> {
        self.zone.local(at).ok_or(Error::Start)
    }

    pub(crate) fn end(&self, at: Millis) -> Result<Local, Error> {
        self.zone.local(at).ok_or(Error::End)
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self::mainland()
    }
}

/// The days are too many to print.
impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar").field("zone", &self.zone).finish_non_exhaustive()
    }
}

impl Builder {
    pub fn hours(self, hours: Hours) -> Self {
        Self { hours, ..self }
    }

    pub fn zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// In place of [`Holidays::mainland`]; to add years to it use [`Holidays::with`].
    pub fn holidays(self, holidays: Holidays) -> Self {
        Self { holidays, ..self }
    }

    /// Years whose arrangement the company's overrides hold in full: they are no guess any more.
    pub fn told(mut self, years: impl IntoIterator<Item = i16>) -> Self {
        self.told.extend(years);
        self
    }

    /// Wins over the holidays. Where two overrides of a layer meet, the later one wins; so it is between two calls.
    pub fn company(self, overrides: Vec<Override>) -> Self {
        self.layer(Layer::Company, overrides)
    }

    /// Wins over the company. For units within units call it once for each, the largest first.
    pub fn unit(self, overrides: Vec<Override>) -> Self {
        self.layer(Layer::Unit, overrides)
    }

    /// Wins over everything.
    pub fn person(self, overrides: Vec<Override>) -> Self {
        self.layer(Layer::Person, overrides)
    }

    fn layer(mut self, layer: Layer, overrides: Vec<Override>) -> Self {
        self.overrides.extend(overrides.into_iter().map(|entry| (layer, entry)));
        self
    }

    pub fn build(mut self) -> Calendar {
        self.overrides.sort_by_key(|&(layer, _)| layer);
        Calendar {
            days: Days::build(&self.hours, &self.holidays, &self.overrides),
            zone: Zone::new(self.zone),
            is_monday_to_friday: self.hours.is_monday_to_friday(),
            holidays: self.holidays,
            told: self.told,
        }
    }
}
