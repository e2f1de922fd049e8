//! Why something is due when it is due: which days counted, which did not and why, and what pauses moved.

use std::fmt;

use jiff::civil::{Date, DateTime, Weekday};

use crate::calendar::Calendar;
use crate::days::{Kind, Layer};
use crate::due::{Pause, Spot};
use crate::elapsed::duration;
use crate::local::{HOUR, Local, MINUTE, date};
use crate::within::{Unit, Until, Within};
use crate::{Error, Millis};

/// Longer derivations tell the special days only.
const LINES: usize = 24;

/// A due time and its derivation. Shown, it is the due time alone: `2026-10-10 16:20`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last instant that is on time.
    pub at: Millis,
    /// The same on the local clock.
    pub at_local: DateTime,
    pub from_local: DateTime,
    pub within: Within,
    pub steps: Vec<Why>,
    /// Holidays and make-up days on the way: 「国庆节假期与10月10日补班」. Empty if there were none.
    special: String,
}

/// One step of a derivation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Begun outside business hours: counted from the next opening.
    Opening { from: DateTime, at: DateTime, why: String },
    /// The day of the event does not count.
    NextDay { from: Date },
    /// Working days number `first` to `last`; `name` says what made them so if not the week.
    Counted { from: Date, to: Date, first: usize, last: usize, name: Option<String> },
    /// Working time done on each of the days together.
    Worked { from: Date, to: Date, ms: Millis, name: Option<String> },
    /// Days that did not count.
    Rested { from: Date, to: Date, days: usize, name: String },
    /// A long way, in sum: the lines after it tell the special days only.
    Sum { from: Date, to: Date, workdays: usize, rested: usize },
    /// Time on the clock or a date of the calendar: nothing was left out.
    Clock { from: DateTime, to: DateTime, within: Within },
    /// The last day was a day of rest.
    PutOff { from: Date, to: Date, name: String },
    /// `ms` of the pause moved the due time to `due`: working time for a working unit.
    Paused { from: DateTime, to: DateTime, ms: Millis, is_working: bool, due: DateTime },
    /// Years whose holidays nobody has told us.
    Guessed { first: i16, last: i16, state: &'static str, is_monday_to_friday: bool, is_by_law: bool },
}

impl Due {
    /// One line: 「周一16:20受理，5个工作日，遇国庆节假期与10月10日补班」. `event` is what began the time: 受理, 交车, 起算.
    pub fn headline(&self, event: &str) -> String {
        let from = self.from_local;
        let met = if self.special.is_empty() { String::new() } else { format!("，遇{}", self.special) };
        format!("{}{}{event}，{}{met}", weekday(from.weekday()), clock(from), self.within.in_chinese())
    }

    /// The headline and below it the derivation, a step a line, ending in the due time.
    pub fn explain(&self) -> String {
        self.explain_as("起算")
    }

    /// The same, naming the event: see [`headline`](Self::headline).
    pub fn explain_as(&self, event: &str) -> String {
        let year = self.from_local.year();
        let steps = self.steps.iter().map(|step| step.in_chinese(year));
        let due = format!("到期：{self}（{}）", weekday(self.at_local.weekday()));
        std::iter::once(self.headline(event)).chain(steps).chain([due]).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at_local.date(), clock(self.at_local))
    }
}

impl Why {
    /// The step as a line. Dates of another year than `year` tell theirs.
    pub fn in_chinese(&self, year: i16) -> String {
        let day = |date: &Date| format!("{}（{}）", short(*date, year), weekday(date.weekday()));
        let days = |from: &Date, to: &Date| match from == to {
            true => day(from),
            false => format!("{}至{}", day(from), day(to)),
        };
        let moment = |at: &DateTime| format!("{}{}", day(&at.date()), clock(*at));
        let named =
            |name: &Option<String>| name.as_deref().map_or(String::new(), |name| format!("为{name}，"));
        match self {
            Self::Opening { from, at, why } => format!("{}{why}，自{}起算", moment(from), moment(at)),
            Self::NextDay { from } => format!("{}当日不计，自次日起算", day(from)),
            Self::Counted { from, to, first, last, name } => {
                let count = if first == last { first.to_string() } else { format!("{first}至{last}") };
                format!("{}：{}计第{count}个工作日", days(from, to), named(name))
            }
            Self::Worked { from, to, ms, name } => {
                format!("{}：{}计{}", days(from, to), named(name), work(*ms))
            }
            Self::Rested { from, to, days: 1, name } => format!("{}：{name}，不计", days(from, to)),
            Self::Rested { from, to, days: n, name } => format!("{}：{name}，{n}天不计", days(from, to)),
            Self::Sum { from, to, workdays, rested } => {
                format!("{}：共{workdays}个工作日，{rested}天不计，其中", days(from, to))
            }
            Self::Clock { from, to, within } => {
                format!("{}起，{}，至{}", moment(from), within.in_chinese(), moment(to))
            }
            Self::PutOff { from, to, name } => format!("{}为{name}，顺延至{}", day(from), day(to)),
            Self::Paused { from, to, ms, is_working, due } => {
                let lost = if *is_working { work(*ms) } else { duration(*ms) };
                let moved = if *ms > 0 {
                    format!("顺延{lost}，至{}", moment(due))
                } else {
                    "不影响时限".into()
                };
                format!("{}至{}暂停，{moved}", moment(from), moment(to))
            }
            Self::Guessed { first, last, state, is_monday_to_friday, is_by_law } => {
                let years =
                    if first == last { format!("{first}年") } else { format!("{first}年至{last}年") };
                let by = if *is_monday_to_friday { "周一至周五" } else { "每周作息" };
                let law = if *is_by_law { "和法定节假日" } else { "" };
                format!("{years}放假安排{state}，按{by}{law}推算")
            }
        }
    }
}

/// Days in a row that count the same.
struct Run {
    first: usize,
    last: usize,
    /// Working time on each of them.
    ms: Millis,
    reason: u32,
}

impl Run {
    fn days(&self) -> usize {
        self.last - self.first + 1
    }
}

impl Calendar {
    pub(crate) fn derive(
        &self,
        start: Local,
        within: Within,
        unpaused: Local,
        moves: &[(Pause, Millis)],
        at: Millis,
    ) -> Result<Due, Error> {
        let mut steps = Vec::new();
        self.push_counting(&mut steps, start, within, unpaused)?;
        for &(pause, due) in moves {
            steps.push(self.paused(within, pause, due)?);
        }
        let end = self.end(at)?;
        let mut special = String::new();
        if within.needs_workdays() {
            self.push_guesses(&mut steps, start, end);
            special = self.special(start, end);
        }
        let (at_local, from_local) = (end.datetime(), start.datetime());
        Ok(Due { at, at_local, from_local, within, steps, special })
    }

    /// How the due time came about before any pause.
    fn push_counting(
        &self,
        steps: &mut Vec<Why>,
        start: Local,
        within: Within,
        due: Local,
    ) -> Result<(), Error> {
        match within {
            Within::For(amount) if matches!(amount.unit(), Unit::WorkMinute | Unit::WorkHour) => {
                // Nobody has worked since where working time ends, so a night shift is told by its own day.
                let (first, last) = (self.counted_day(start), self.counted_day(due));
                self.push_runs(steps, self.runs(first, last, |day| self.worked_on(day, start, due)), true);
            }
            Within::For(amount) if amount.unit() == Unit::Workday => {
                let first = match amount.moment() {
                    Until::SameTime => self.push_opening(steps, start)?.day,
                    _ => self.counted_day(start),
                };
                steps.push(Why::NextDay { from: date(first) });
                self.push_runs(steps, self.runs(first + 1, self.counted_day(due), |_| 0), false);
            }
            Within::For(amount) if amount.moment() == Until::Close => {
                let same_time = Within::For(amount.until(Until::SameTime).unwrap_or(amount));
                let wanted = self.end(self.due_at(self.zone.instant(start)?, same_time, &[])?)?;
                self.push_clock(steps, start, within, due);
                if wanted.day() != self.counted_day(due) {
                    let name = self.days.reason(wanted.day()).in_chinese();
                    steps.push(Why::PutOff { from: wanted.date(), to: date(self.counted_day(due)), name });
                }
            }
            Within::NextWorkday(_) => {
                let first = self.counted_day(start);
                self.push_runs(steps, self.runs(first + 1, due.day(), |_| 0), false);
            }
            Within::EndOfWorkday => {
                let spot = self.push_opening(steps, start)?;
                self.push_clock(steps, spot.local(), within, due);
            }
            _ => self.push_clock(steps, start, within, due),
        }
        Ok(())
    }

    /// Where the time begins to count, told if that is not the event itself.
    fn push_opening(&self, steps: &mut Vec<Why>, start: Local) -> Result<Spot, Error> {
        let spot = self.spot(start)?;
        if spot.local() != start {
            let (from, at) = (start.datetime(), spot.local().datetime());
            steps.push(Why::Opening { from, at, why: self.not_business(start) });
        }
        Ok(spot)
    }

    fn push_clock(&self, steps: &mut Vec<Why>, start: Local, within: Within, due: Local) {
        steps.push(Why::Clock { from: start.datetime(), to: due.datetime(), within });
    }

    fn push_runs(&self, steps: &mut Vec<Why>, runs: Vec<Run>, in_time: bool) {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return };
        let is_long = runs.len() > LINES;
        if is_long {
            let workdays = self.days.workdays_before(last.last + 1) - self.days.workdays_before(first.first);
            let rested = last.last + 1 - first.first - workdays;
            steps.push(Why::Sum { from: date(first.first), to: date(last.last), workdays, rested });
        }
        let (mut counted, mut lines) = (0, 0);
        for run in runs {
            let (from, to, reason) = (date(run.first), date(run.last), self.days.reason(run.first));
            let name = (reason.layer != Layer::Week).then(|| reason.in_chinese());
            let is_work = reason.kind == Kind::Work;
            let first = counted + 1;
            counted += if is_work { run.days() } else { 0 };
            if is_long && (name.is_none() || lines == LINES) {
                continue;
            }
            lines += 1;
            steps.push(match is_work {
                false => Why::Rested { from, to, days: run.days(), name: reason.in_chinese() },
                true if in_time => Why::Worked { from, to, ms: run.ms * run.days() as i64, name },
                true => Why::Counted { from, to, first, last: counted, name },
            });
        }
    }

    fn runs(&self, first: usize, last: usize, ms_on: impl Fn(usize) -> Millis) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for day in first..=last {
            let (ms, reason) = (ms_on(day), self.days.reason_place(day));
            match runs.last_mut() {
                Some(run) if run.ms == ms && run.reason == reason => run.last = day,
                _ => runs.push(Run { first: day, last: day, ms, reason }),
            }
        }
        runs
    }

    /// Working time of a day's own hours from one moment to another.
    fn worked_on(&self, day: usize, from: Local, to: Local) -> Millis {
        let spans = self.days.spans(day);
        let midnight = Local::on(day, 0).0;
        spans.worked_by(to.0 - midnight) - spans.worked_by(from.0 - midnight)
    }

    fn not_business(&self, at: Local) -> String {
        let reason = self.days.reason(at.day());
        match self.days.spans(at.day()).business() {
            None => format!("为{}", reason.in_chinese()),
            Some((opening, _)) if at.ms_of_day() < opening => "尚未上班".into(),
            Some(_) => "已过下班时间".into(),
        }
    }

    fn paused(&self, within: Within, pause: Pause, due: Millis) -> Result<Why, Error> {
        let (from, to) = (self.end(pause.start)?, self.end(pause.end)?);
        let is_working = matches!(within, Within::For(amount) if amount.unit().is_working());
        let ms = match is_working {
            true => self.days.worked_by(to) - self.days.worked_by(from),
            false => pause.end - pause.start,
        };
        let due = self.end(due)?.datetime();
        Ok(Why::Paused { from: from.datetime(), to: to.datetime(), ms, is_working, due })
    }

    fn push_guesses(&self, steps: &mut Vec<Why>, start: Local, end: Local) {
        let is_monday_to_friday = self.is_monday_to_friday;
        for year in start.date().year()..=end.date().year() {
            let Some(state) = self.guess(year) else { continue };
            let is_by_law = self.holidays.is_by_law(year);
            match steps.last_mut() {
                Some(Why::Guessed { last, state: same, is_by_law: law, .. })
                    if *same == state && *law == is_by_law && *last + 1 == year =>
                {
                    *last = year
                }
                _ => steps.push(Why::Guessed {
                    first: year,
                    last: year,
                    state,
                    is_monday_to_friday,
                    is_by_law,
                }),
            }
        }
    }

    /// The holidays and make-up days up to the last day, from the first if that is a day of rest itself.
    fn special(&self, start: Local, end: Local) -> String {
        let (mut names, mut makeups) = (Vec::new(), Vec::new());
        let first = start.day() + usize::from(self.days.is_work(start.day()));
        for run in self.runs(first, end.day(), |_| 0) {
            let reason = self.days.reason(run.first);
            let name = reason.in_chinese();
            match (reason.layer, reason.kind) {
                (Layer::Week, _) => {}
                (Layer::Mainland, Kind::Work) => {
                    makeups.extend((run.first..=run.last).map(|day| short(date(day), start.date().year())));
                }
                _ if names.contains(&name) => {}
                _ => names.push(name),
            }
        }
        if names.len() > 4 {
            names = vec![format!("{}等{}个假期", names[0], names.len())];
        }
        let makeups = match makeups.len() {
            0 => None,
            1..=3 => Some(format!("{}补班", makeups.join("、"))),
            many => Some(format!("{many}个补班日")),
        };
        let names = Some(names.join("、")).filter(|names| !names.is_empty());
        names.into_iter().chain(makeups).collect::<Vec<_>>().join("与")
    }
}

/// `10月10日`, with its year if that is not `year`.
fn short(date: Date, year: i16) -> String {
    let day = format!("{}月{}日", date.month(), date.day());
    if date.year() == year { day } else { format!("{}年{day}", date.year()) }
}

fn clock(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// Working time in hours, as days on the clock are no measure of it: 「37小时30分钟工作时间」.
fn work(ms: Millis) -> String {
    let (hours, minutes) = (ms / HOUR, ms % HOUR / MINUTE);
    match (hours, minutes) {
        (0, 0) => "不足1分钟工作时间".into(),
        (0, minutes) => format!("{minutes}分钟工作时间"),
        (hours, 0) => format!("{hours}小时工作时间"),
        (hours, minutes) => format!("{hours}小时{minutes}分钟工作时间"),
    }
}

pub fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "周一",
        Weekday::Tuesday => "周二",
        Weekday::Wednesday => "周三",
        Weekday::Thursday => "周四",
        Weekday::Friday => "周五",
        Weekday::Saturday => "周六",
        Weekday::Sunday => "周日",
    }
}

#[cfg(test)]
mod tests;
