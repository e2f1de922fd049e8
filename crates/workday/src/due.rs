//! When something is due, and when to warn of it. What each deadline means is told in the crate documentation.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::calendar::Calendar;
use crate::explain::Due;
use crate::local::{DAY, END_OF_DAY, HOUR, Local, MINUTE, number};
use crate::within::{Amount, Before, Unit, Until, Within};
use crate::{Error, Millis};

/// A time that does not count, from `start` up to but not including `end`. For one that still lasts, `end` is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub start: Millis,
    pub end: Millis,
}

/// A moment as offices see it: a working day, and the time on the clock since its midnight. After a night shift's
/// midnight that is more than 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub day: usize,
    pub ms: i64,
}

impl Spot {
    pub fn local(self) -> Local {
        Local::on(self.day, self.ms)
    }
}

impl Calendar {
    /// When something that began at `from` is due, with its derivation. Where only the time is wanted, [`due_at`] is
    /// faster.
    ///
    /// [`due_at`]: Self::due_at
    pub fn due(&self, from: Millis, within: Within, pauses: &[Pause]) -> Result<Due, Error> {
        let (start, unpaused) = (self.start(from)?, self.unpaused(from, within)?);
        let mut moves = Vec::new();
        let at = self.extend(from, within, unpaused, pauses, |pause, due| moves.push((pause, due)))?;
        self.derive(start, within, self.end(unpaused)?, &moves, at)
    }

    /// The last instant that is on time. Pauses may overlap and come in any order.
    pub fn due_at(&self, from: Millis, within: Within, pauses: &[Pause]) -> Result<Millis, Error> {
        let unpaused = self.unpaused(from, within)?;
        if pauses.is_empty() {
            return Ok(unpaused);
        }
        self.extend(from, within, unpaused, pauses, |_, _| {})
    }

    /// When to warn of something due at `due_at`. A working time before it that falls on an opening is the opening, not
    /// the closing before: somebody is there to read the warning.
    pub fn warn_at(&self, due_at: Millis, before: Before) -> Result<Millis, Error> {
        let (due, amount) = (self.start(due_at)?, before.amount());
        let number = i64::from(amount.number());
        let at = match amount.unit() {
            Unit::Minute => return self.shift(due_at, -number * MINUTE, Error::Start),
            Unit::Hour => return self.shift(due_at, -number * HOUR, Error::Start),
            Unit::WorkMinute => self.days.when_resumed(self.days.worked_by(due) - number * MINUTE),
            Unit::WorkHour => self.days.when_resumed(self.days.worked_by(due) - number * HOUR),
            Unit::Workday => {
                let spot = self.spot_before(due)?;
                let count = self.days.workdays_before(spot.day).checked_sub(number as usize);
                count.and_then(|count| self.land(spot.ms, count)).map(Spot::local)
            }
            unit => moved_by(due, unit, -number).filter(|&at| at >= Local::START),
        };
        self.zone.instant(at.ok_or(Error::Start)?).map_err(|_| Error::Start)
    }

    fn unpaused(&self, from: Millis, within: Within) -> Result<Millis, Error> {
        let start = self.start(from)?;
        let date = start.date();
        let due = match within {
            Within::For(amount) => return self.after(from, start, amount),
            Within::EndOfMonth => end_of(date.last_of_month())?,
            Within::EndOfQuarter => {
                let last_month = (date.month() - 1) / 3 * 3 + 3;
                end_of(Date::new(date.year(), last_month, 1).map_err(|_| Error::End)?.last_of_month())?
            }
            Within::EndOfYear => end_of(date.last_of_year())?,
            Within::MonthDay(day) => end_of(day_of_month(date, day))?,
            Within::NextMonthDay(day) => {
                let next = date.first_of_month().checked_add(1.month()).map_err(|_| Error::End)?;
                end_of(day_of_month(next, day))?
            }
            Within::SameDay(clock) => Local::on(start.day(), clock.ms()),
            Within::NextDay(clock) => Local::on(start.day() + 1, clock.ms()),
            Within::NextWorkday(clock) => Local::on(self.nth_workday_after(start, 1)?, clock.ms()),
            Within::EndOfWorkday => self.close(self.spot(start)?.day)?,
        };
        self.zone.instant(due)
    }

    fn after(&self, from: Millis, start: Local, amount: Amount) -> Result<Millis, Error> {
        let number = i64::from(amount.number());
        let due = match (amount.unit(), amount.moment()) {
            (Unit::Minute, _) => return self.shift(from, number * MINUTE, Error::End),
            (Unit::Hour, _) => return self.shift(from, number * HOUR, Error::End),
            (Unit::WorkMinute, _) => self.days.when_worked(self.days.worked_by(start) + number * MINUTE),
            (Unit::WorkHour, _) => self.days.when_worked(self.days.worked_by(start) + number * HOUR),
            (Unit::Workday, Until::SameTime) => {
                let spot = self.spot(start)?;
                let count = self.days.workdays_before(spot.day) + number as usize;
                self.land(spot.ms, count).map(Spot::local)
            }
            (Unit::Workday, until) => {
                let day = self.nth_workday_after(start, number as usize)?;
                Some(self.moment_of(day, until)?)
            }
            (unit, Until::SameTime) => moved_by(start, unit, number),
            (unit, until) => {
                let same_time =
                    moved_by(start, unit, number).filter(|&at| at < Local::END).ok_or(Error::End)?;
                Some(self.moment_of(same_time.day(), until)?)
            }
        };
        self.zone.instant(due.ok_or(Error::End)?)
    }

    /// Moves a due time by each pause that begins before it, telling `each` about it.
    fn extend(
        &self,
        from: Millis,
        within: Within,
        mut due: Millis,
        pauses: &[Pause],
        mut each: impl FnMut(Pause, Millis),
    ) -> Result<Millis, Error> {
        // A date fixed by the calendar does not wait.
        let Within::For(amount) = within else { return Ok(due) };
        for Pause { start, end } in merged(pauses)? {
            if start >= due {
                break;
            }
            let pause = Pause { start: start.max(from), end };
            if pause.start < end {
                due = self.postpone(due, amount, pause)?;
                each(pause, due);
            }
        }
        Ok(due)
    }

    fn postpone(&self, due: Millis, amount: Amount, pause: Pause) -> Result<Millis, Error> {
        if !amount.unit().is_working() {
            let moved = due.checked_add(pause.end - pause.start).ok_or(Error::End)?;
            let day = self.end(moved)?.day();
            return match amount.moment() {
                Until::SameTime => Ok(moved),
                until => self.zone.instant(self.moment_of(day, until)?),
            };
        }
        let lost = self.days.worked_by(self.end(pause.end)?) - self.days.worked_by(self.end(pause.start)?);
        if lost == 0 {
            return Ok(due);
        }
        let at = self.end(due)?;
        let worked = self.days.worked_by(at);
        // What is due at an opening stays due at one, what is due at a closing at that.
        let is_at_rest = self.days.when_worked(worked).is_some_and(|earliest| earliest < at);
        let moved = match amount.moment() {
            Until::SameTime if is_at_rest => self.days.when_resumed(worked + lost),
            _ => self.days.when_worked(worked + lost),
        };
        let moved = moved.ok_or(Error::End)?;
        match amount.moment() {
            Until::SameTime => self.zone.instant(moved),
            until => self.zone.instant(self.moment_of(self.counted_day(moved), until)?),
        }
    }

    fn shift(&self, at: Millis, by: i64, outside: Error) -> Result<Millis, Error> {
        at.checked_add(by).filter(|&at| self.zone.local(at).is_some()).ok_or(outside)
    }

    /// The working day whose business hours, from opening to closing, include a moment.
    fn business_day(&self, at: Local) -> Option<usize> {
        let runs = |day: &usize| {
            let business = self.days.spans(*day).business();
            business.is_some_and(|(opening, closing)| {
                (opening..=closing).contains(&(at.0 - Local::on(*day, 0).0))
            })
        };
        let today = at.day();
        Some(today).filter(runs).or_else(|| today.checked_sub(1).filter(runs))
    }

    /// The day an event belongs to where days are counted by date.
    pub(crate) fn counted_day(&self, at: Local) -> usize {
        self.business_day(at).unwrap_or(at.day())
    }

    fn nth_workday_after(&self, at: Local, n: usize) -> Result<usize, Error> {
        let before = self.days.workdays_before(self.counted_day(at) + 1);
        self.days.workday(before + n - 1).ok_or(Error::End)
    }

    /// Where working days are counted from: the moment itself within business hours, or else the next opening.
    pub(crate) fn spot(&self, at: Local) -> Result<Spot, Error> {
        if let Some(day) = self.business_day(at) {
            return Ok(Spot { day, ms: at.0 - Local::on(day, 0).0 });
        }
        let today = at.day();
        let is_early = self.days.spans(today).business().is_some_and(|(opening, _)| at.ms_of_day() < opening);
        let next = self.days.workday(self.days.workdays_before(if is_early { today } else { today + 1 }));
        let next = next.ok_or(Error::End)?;
        let (opening, _) = self.days.spans(next).business().ok_or(Error::End)?;
        Ok(Spot { day: next, ms: opening })
    }

    /// The same backwards: the moment itself, or else the closing before.
    fn spot_before(&self, at: Local) -> Result<Spot, Error> {
        if let Some(day) = self.business_day(at) {
            return Ok(Spot { day, ms: at.0 - Local::on(day, 0).0 });
        }
        let today = at.day();
        let is_late = self.days.spans(today).business().is_some_and(|(_, closing)| at.ms_of_day() > closing);
        let last = self.days.workdays_before(if is_late { today + 1 } else { today }).checked_sub(1);
        let last = last.and_then(|count| self.days.workday(count)).ok_or(Error::Start)?;
        let (_, closing) = self.days.spans(last).business().ok_or(Error::Start)?;
        Ok(Spot { day: last, ms: closing })
    }

    /// The same clock on the working day with `count` before it, within that day's business hours.
    fn land(&self, ms: i64, count: usize) -> Option<Spot> {
        let day = self.days.workday(count)?;
        let (opening, closing) = self.days.spans(day).business()?;
        Some(Spot { day, ms: ms.clamp(opening, closing) })
    }

    fn moment_of(&self, day: usize, until: Until) -> Result<Local, Error> {
        match until {
            Until::Close => self.close(day),
            _ => Ok(Local::on(day, END_OF_DAY)),
        }
    }

    /// The close of business of a day, or of the next working day if it rests.
    fn close(&self, day: usize) -> Result<Local, Error> {
        let day = self.days.workday(self.days.workdays_before(day)).ok_or(Error::End)?;
        let (_, closing) = self.days.spans(day).business().ok_or(Error::End)?;
        Ok(Local::on(day, closing))
    }
}

/// The same time of day so many calendar days, weeks, months or years later. A month without that day ends it with its
/// last day, at midnight: an event of the 29th is not due before one of the 28th (民法典 202).
fn moved_by(at: Local, unit: Unit, count: i64) -> Option<Local> {
    let months = match unit {
        Unit::Day => return Some(Local(at.0 + count * DAY)),
        Unit::Week => return Some(Local(at.0 + count * 7 * DAY)),
        Unit::Month => count,
        _ => count * 12,
    };
    // More would be refused anyway, by a panic.
    let months = Some(months).filter(|months| months.abs() <= 12 * 200)?;
    let date = at.date().checked_add(months.months()).ok()?;
    let is_cut_short = count > 0 && date.day() < at.date().day();
    Some(Local::on(number(date)?, if is_cut_short { END_OF_DAY } else { at.ms_of_day() }))
}

fn end_of(date: Date) -> Result<Local, Error> {
    Ok(Local::on(number(date).ok_or(Error::End)?, END_OF_DAY))
}

fn day_of_month(date: Date, day: u8) -> Date {
    let day = i8::try_from(day).unwrap_or(i8::MAX).clamp(1, date.days_in_month());
    date.with().day(day).build().unwrap_or(date)
}

/// The pauses in order, none touching another.
fn merged(pauses: &[Pause]) -> Result<Vec<Pause>, Error> {
    if pauses.iter().any(|pause| pause.end < pause.start) {
        return Err(Error::Pause);
    }
    let mut sorted = pauses.to_vec();
    sorted.sort_unstable_by_key(|pause| pause.start);
    sorted.dedup_by(|next, kept| {
        let joins = next.start <= kept.end;
        if joins {
            kept.end = kept.end.max(next.end);
        }
        joins
    });
    Ok(sorted)
}

impl Pause {
    /// What pauses take from `from` to `to`, each moment once.
    pub(crate) fn within(pauses: &[Pause], from: Millis, to: Millis) -> Result<Vec<Pause>, Error> {
        let cut = |pause: Pause| Pause { start: pause.start.max(from), end: pause.end.min(to) };
        Ok(merged(pauses)?.into_iter().map(cut).filter(|pause| pause.start < pause.end).collect())
    }
}

#[cfg(test)]
mod tests;
