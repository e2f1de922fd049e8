//! How much of a deadline's time has passed, the inverse of when it is due, and how much is left in words.

use crate::calendar::Calendar;
use crate::due::Pause;
use crate::local::{DAY, HOUR, MINUTE};
use crate::within::{Amount, Unit, Within};
use crate::{Error, Millis};

impl Calendar {
    /// The largest number of units of which something begun at `from` would have been due by `to`; negative where `to`
    /// comes first. For statistics finer than whole units there is [`worked`](Self::worked).
    pub fn elapsed(&self, from: Millis, to: Millis, unit: Unit, pauses: &[Pause]) -> Result<i64, Error> {
        if to < from {
            return Ok(-self.elapsed(to, from, unit, pauses)?);
        }
        match unit {
            Unit::Minute => Ok(self.passed(from, to, pauses)? / MINUTE),
            Unit::Hour => Ok(self.passed(from, to, pauses)? / HOUR),
            Unit::WorkMinute => Ok(self.worked(from, to, pauses)? / MINUTE),
            Unit::WorkHour => Ok(self.worked(from, to, pauses)? / HOUR),
            _ => self.units_due(from, to, unit, pauses),
        }
    }

    /// Working time from `from` to `to` in milliseconds, pauses not counted; nothing where `to` comes first.
    pub fn worked(&self, from: Millis, to: Millis, pauses: &[Pause]) -> Result<Millis, Error> {
        let between = |from, to| {
            Ok::<_, Error>(self.days.worked_by(self.end(to)?) - self.days.worked_by(self.start(from)?))
        };
        if to < from {
            return Ok(0);
        }
        let mut worked = between(from, to)?;
        for pause in Pause::within(pauses, from, to)? {
            worked -= between(pause.start, pause.end)?;
        }
        Ok(worked)
    }

    /// What is left at `now`, or how long it is overdue, in the unit of the deadline: 「还剩2个工作日」, 「已超时3小时」.
    /// Less than a working day is told in working time, and what falls into a time of rest on the clock.
    pub fn remaining(&self, now: Millis, due_at: Millis, unit: Unit) -> Result<String, Error> {
        let is_late = now > due_at;
        let (from, to) = if is_late { (due_at, now) } else { (now, due_at) };
        let left = self.in_words(from, to, unit)?;
        Ok(format!("{}{left}", if is_late { "已超时" } else { "还剩" }))
    }

    fn in_words(&self, from: Millis, to: Millis, unit: Unit) -> Result<String, Error> {
        if unit.is_working() {
            let days = self.elapsed(from, to, Unit::Workday, &[])?;
            if days > 0 && unit == Unit::Workday {
                return Ok(format!("{days}{}", unit.in_chinese()));
            }
            let worked = self.worked(from, to, &[])?;
            if worked >= HOUR {
                let minutes = worked % HOUR / MINUTE;
                let rest = if minutes > 0 { format!("{minutes}分钟") } else { String::new() };
                return Ok(format!("{}{}{rest}", worked / HOUR, Unit::WorkHour.in_chinese()));
            }
            if worked >= MINUTE {
                return Ok(format!("{}{}", worked / MINUTE, Unit::WorkMinute.in_chinese()));
            }
        }
        Ok(duration(self.passed(from, to, &[])?))
    }

    fn passed(&self, from: Millis, to: Millis, pauses: &[Pause]) -> Result<Millis, Error> {
        self.start(from)?;
        self.end(to)?;
        let paused: i64 = Pause::within(pauses, from, to)?.iter().map(|pause| pause.end - pause.start).sum();
        Ok(to - from - paused)
    }

    /// Searches the number, as due times only grow with it.
    fn units_due(&self, from: Millis, to: Millis, unit: Unit, pauses: &[Pause]) -> Result<i64, Error> {
        self.start(from)?;
        self.end(to)?;
        Pause::within(pauses, from, to)?;
        let is_due = |number: i64| {
            let amount = u32::try_from(number).ok().and_then(|number| Amount::new(number, unit).ok());
            let due = amount.map(|amount| self.due_at(from, Within::For(amount), pauses));
            due.is_some_and(|due| due.is_ok_and(|due| due <= to))
        };
        // No unit is shorter than a day on the clock, but a working day may be due early on its last one.
        let (mut due, mut not_due) = (0, (to - from) / DAY + 3);
        while due + 1 < not_due {
            let middle = (due + not_due) / 2;
            if is_due(middle) { due = middle } else { not_due = middle }
        }
        Ok(due)
    }
}

/// 「2天3小时」, 「3小时20分钟」, 「不足1分钟」.
pub fn duration(ms: Millis) -> String {
    let parts = |large: i64, name: &str, small: i64, other: &str| match small {
        0 => format!("{large}{name}"),
        _ => format!("{large}{name}{small}{other}"),
    };
    match ms {
        ms if ms >= DAY => parts(ms / DAY, "天", ms % DAY / HOUR, "小时"),
        ms if ms >= HOUR => parts(ms / HOUR, "小时", ms % HOUR / MINUTE, "分钟"),
        ms if ms >= MINUTE => format!("{}分钟", ms / MINUTE),
        _ => "不足1分钟".into(),
    }
}

#[cfg(test)]
mod tests;
