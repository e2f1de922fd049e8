//! The days of a calendar, resolved once: what each is and why, with running counts of working days and minutes, so that
//! a due time is looked up instead of walked to.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::civil::{Date, Weekday};

use crate::holidays::Holidays;
use crate::hours::{Hours, Spans};
use crate::local::{DAY, DAYS, Local, MINUTE, date, number};
use crate::overrides::{Override, OverrideKind};

/// What a day is and what made it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: Date,
    pub kind: Kind,
    /// 「工作日」, 「周末」, 「国庆节假期」, 「国庆节补班」, or the name of an override.
    pub why: String,
    /// Whose word it is.
    pub layer: Layer,
    /// Empty on a day of rest.
    pub hours: Spans,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Work,
    Rest,
}

/// Who decides what a day is; each wins over those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// The working hours of the week.
    Week,
    /// The law on holidays, in years without a notice.
    Statute,
    /// The State Council's notices.
    Mainland,
    Company,
    Unit,
    Person,
}

/// What is behind the days that share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    pub layer: Layer,
    pub kind: Kind,
    /// Of the festival or the override; nothing for the week's own days.
    pub name: String,
}

impl Reason {
    pub fn in_chinese(&self) -> String {
        match (self.layer, self.kind) {
            (Layer::Week, Kind::Work) => "工作日".into(),
            (Layer::Week, Kind::Rest) => "周末".into(),
            (Layer::Statute, _) | (Layer::Mainland, Kind::Rest) => format!("{}假期", self.name),
            (Layer::Mainland, Kind::Work) => format!("{}补班", self.name),
            _ => self.name.clone(),
        }
    }
}

/// Places in the lists of reasons and hours, which many days share.
#[derive(Clone, Copy)]
struct Cell {
    reason: u32,
    spans: u32,
}

/// Days [`FIRST`](crate::local::FIRST) to [`LAST`](crate::local::LAST) by number.
pub struct Days {
    cells: Vec<Cell>,
    reasons: Vec<Reason>,
    spans: Vec<Spans>,
    /// The numbers of the working days, in order.
    workdays: Vec<u32>,
    /// How many working days come before each day, and in all.
    workdays_before: Vec<u32>,
    /// How many working minutes belong to the days before each day, and to all of them.
    minutes_before: Vec<u32>,
}

impl Days {
    pub fn build(hours: &Hours, holidays: &Holidays, overrides: &[(Layer, Override)]) -> Self {
        let mut draft = Draft::default();
        let week: Vec<Cell> = (0..7).map(|day| draft.weekday(hours.on(date(day).weekday()))).collect();
        draft.cells = week.into_iter().cycle().take(DAYS).collect();
        for (date, name) in holidays.by_law() {
            draft.set(date, date, (Layer::Statute, Kind::Rest, &name), |_, _| Some(Spans::default()));
        }
        for festival in holidays.years().flat_map(|year| &year.festivals) {
            for &(first, last) in &festival.rest {
                draft.set(first, last, (Layer::Mainland, Kind::Rest, &festival.name), |_, _| {
                    Some(Spans::default())
                });
            }
            for &(first, last) in &festival.work {
                draft.set(first, last, (Layer::Mainland, Kind::Work, &festival.name), |weekday, _| {
                    Some(hours.working(weekday).clone())
                });
            }
        }
        for (layer, Override { from, to, kind, name }) in overrides {
            match kind {
                OverrideKind::Rest => {
                    draft.set(*from, *to, (*layer, Kind::Rest, name), |_, _| Some(Spans::default()));
                }
                OverrideKind::Work(own) => draft.set(*from, *to, (*layer, Kind::Work, name), |weekday, _| {
                    Some(own.clone().unwrap_or_else(|| hours.working(weekday).clone()))
                }),
                OverrideKind::Hours(other) => {
                    draft.set(*from, *to, (*layer, Kind::Work, name), |_, spans| {
                        (!spans.is_empty()).then(|| other.clone())
                    })
                }
            }
        }
        draft.hand_over();
        draft.count()
    }

    pub fn reason(&self, day: usize) -> &Reason {
        &self.reasons[self.cells[day].reason as usize]
    }

    /// The same for days with the same reason.
    pub fn reason_place(&self, day: usize) -> u32 {
        self.cells[day].reason
    }

    pub fn spans(&self, day: usize) -> &Spans {
        &self.spans[self.cells[day].spans as usize]
    }

    pub fn is_work(&self, day: usize) -> bool {
        !self.spans(day).is_empty()
    }

    pub fn describe(&self, day: usize) -> Day {
        let reason = self.reason(day);
        let (why, layer, kind) = (reason.in_chinese(), reason.layer, reason.kind);
        Day { date: date(day), kind, why, layer, hours: self.spans(day).clone() }
    }

    /// How many working days come before a day, itself not counted. `day` may be the day after the last.
    pub fn workdays_before(&self, day: usize) -> usize {
        self.workdays_before[day] as usize
    }

    /// The working day with so many before it.
    pub fn workday(&self, count: usize) -> Option<usize> {
        self.workdays.get(count).map(|&day| day as usize)
    }

    /// Working time from the beginning of the calendar to `at`.
    pub fn worked_by(&self, at: Local) -> i64 {
        let (day, ms) = (at.day(), at.0 - Local::on(at.day(), 0).0);
        let worked = i64::from(self.minutes_before[day]) * MINUTE + self.spans(day).worked_by(ms);
        // The night shift of the day before counts there whole, though some of it may still be to come.
        let Some(before) = day.checked_sub(1) else { return worked };
        let night = self.spans(before);
        worked - (i64::from(night.minutes()) * MINUTE - night.worked_by(ms + DAY))
    }

    /// The earliest moment by which so much working time is done.
    pub fn when_worked(&self, worked: i64) -> Option<Local> {
        let after = self.minutes_before.partition_point(|&minutes| i64::from(minutes) * MINUTE < worked);
        self.within_day(after, |spans, rest| spans.when_worked(rest), worked)
    }

    /// The latest moment with no more working time done than that: where work goes on after it.
    pub fn when_resumed(&self, worked: i64) -> Option<Local> {
        let after = self.minutes_before.partition_point(|&minutes| i64::from(minutes) * MINUTE <= worked);
        self.within_day(after, |spans, rest| spans.when_resumed(rest), worked)
    }

    fn within_day(
        &self,
        after: usize,
        find: impl Fn(&Spans, i64) -> Option<i64>,
        worked: i64,
    ) -> Option<Local> {
        let day = after.checked_sub(1).filter(|&day| day < DAYS)?;
        let rest = worked - i64::from(self.minutes_before[day]) * MINUTE;
        find(self.spans(day), rest).map(|ms| Local::on(day, ms))
    }
}

/// Days while layers are laid over each other. Reasons and hours are few and shared by many days.
#[derive(Default)]
struct Draft {
    cells: Vec<Cell>,
    reasons: Interned<Reason>,
    spans: Interned<Spans>,
}

impl Draft {
    fn weekday(&mut self, spans: &Spans) -> Cell {
        let kind = if spans.is_empty() { Kind::Rest } else { Kind::Work };
        let reason = self.reasons.place(Reason { layer: Layer::Week, kind, name: String::new() });
        Cell { reason, spans: self.spans.place(spans.clone()) }
    }

    /// Makes days what `hours` says for their weekday and present hours; `None` leaves a day as it is.
    fn set(
        &mut self,
        first: Date,
        last: Date,
        (layer, kind, name): (Layer, Kind, &str),
        hours: impl Fn(Weekday, &Spans) -> Option<Spans>,
    ) {
        let (Some(first), Some(last)) = (number(first), number(last)) else { return };
        let reason = self.reasons.place(Reason { layer, kind, name: name.to_owned() });
        for day in first..=last {
            let present = self.spans.at(self.cells[day].spans);
            if let Some(spans) = hours(date(day).weekday(), present) {
                self.cells[day] = Cell { reason, spans: self.spans.place(spans) };
            }
        }
    }

    /// A night shift that an override lets run into the next day's hours ends when those begin.
    fn hand_over(&mut self) {
        for day in 1..self.cells.len() {
            let (night, next) = (self.cells[day - 1].spans, self.cells[day].spans);
            if let Some(spans) = self.spans.at(night).until_opening_of(self.spans.at(next)) {
                self.cells[day - 1].spans = self.spans.place(spans);
            }
        }
    }

    fn count(self) -> Days {
        let (mut workdays, mut workdays_before, mut minutes_before) = (Vec::new(), Vec::new(), Vec::new());
        let mut minutes = 0;
        for (day, cell) in self.cells.iter().enumerate() {
            let spans = self.spans.at(cell.spans);
            workdays_before.push(workdays.len() as u32);
            minutes_before.push(minutes);
            minutes += spans.minutes();
            if !spans.is_empty() {
                workdays.push(day as u32);
            }
        }
        workdays_before.push(workdays.len() as u32);
        minutes_before.push(minutes);
        Days {
            cells: self.cells,
            reasons: self.reasons.values,
            spans: self.spans.values,
            workdays,
            workdays_before,
            minutes_before,
        }
    }
}

struct Interned<T> {
    values: Vec<T>,
    places: HashMap<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Interned<T> {
    fn place(&mut self, value: T) -> u32 {
        *self.places.entry(value).or_insert_with_key(|value| {
            self.values.push(value.clone());
            (self.values.len() - 1) as u32
        })
    }

    fn at(&self, place: u32) -> &T {
        &self.values[place as usize]
    }
}
