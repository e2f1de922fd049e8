//! The types of rosters, shifts and absences, and the pure rules about them: no database, no clock, the zone is an
//! argument. A span is from its start until before its end.

use jiff::ToSpan;
use jiff::civil::{Date, Time};

use crate::access::Delegation;
use crate::clock::{Millis, Zone};
use crate::i18n::Text;
use crate::ids::{AbsenceId, PersonId, RosterId, ShiftId, UnitId};
use crate::text;

/// A minute in milliseconds.
pub const MINUTE: Millis = 60 * 1000;
/// A day of 24 hours in milliseconds.
pub const DAY: Millis = 24 * 60 * MINUTE;
/// Longest shift.
pub const LONGEST_SHIFT: Millis = 7 * DAY;
/// Longest absence and longest delegation.
pub const LONGEST_ABSENCE: Millis = 366 * DAY;

/// From a point in time until before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// From.
    pub starts_at: Millis,
    /// Until before.
    pub ends_at: Millis,
}

impl Span {
    /// From `starts_at` until before `ends_at`.
    pub fn new(starts_at: Millis, ends_at: Millis) -> Self {
        Self { starts_at, ends_at }
    }

    /// Whether the two have a moment in common; touching is not overlapping.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    /// Whether a moment is within it.
    pub fn contains(&self, at: Millis) -> bool {
        self.starts_at <= at && at < self.ends_at
    }

    /// `10-08 22:00 – 10-09 06:00`; of one day `10-08 09:00–12:00`. Midnight at the end is told as 24:00.
    pub fn shown(&self, zone: &Zone) -> String {
        let (start, end) = (zone.civil(self.starts_at), zone.civil(self.ends_at));
        let begins = start.strftime("%m-%d %H:%M");
        let is_midnight = end.time() == Time::midnight();
        let last = if is_midnight { end.date().yesterday().unwrap_or(end.date()) } else { end.date() };
        let clock = if is_midnight { "24:00".to_owned() } else { end.strftime("%H:%M").to_string() };
        if last == start.date() {
            return format!("{begins}–{clock}");
        }
        format!("{begins} – {} {clock}", last.strftime("%m-%d"))
    }
}

/// A duty roster (值班表) of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// Its id.
    pub id: RosterId,
    /// Whose.
    pub unit_id: UnitId,
    /// What it is called, once in a unit.
    pub name: String,
    /// Anything else.
    pub note: String,
    /// From when somebody should be there, `HH:MM`; empty when that is not said.
    pub opens: String,
    /// Until when; not after `opens` means the next day. Empty together with `opens`.
    pub closes: String,
    /// On which days of the week, 1 is Monday: `12345`.
    pub weekdays: String,
    /// Whether it is asked who is on duty.
    pub is_active: bool,
    /// Code of the skill its people should have; empty for none.
    pub skill: String,
    /// Hours of rest between two shifts of a person, 0–48; 0 for no rule.
    pub rest_hours: i64,
    /// How shifts are swapped.
    pub swaps: SwapRule,
    /// Counts changes.
    pub version: i64,
}

/// How shifts of a roster are swapped between colleagues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwapRule {
    /// Not at all.
    Off,
    /// The colleague's yes is enough.
    Free,
    /// Whoever plans the roster must agree too.
    #[default]
    Approve,
}

impl SwapRule {
    /// Every rule, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Free, Self::Off];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Free => "free",
            Self::Approve => "approve",
        }
    }

    /// The rule of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Off => "不允许换班",
            Self::Free => "同事同意即可",
            Self::Approve => "同事同意后，再由排班人批准",
        }
    }
}

impl Roster {
    /// When somebody should be there, for `days` days from `first`.
    pub fn usual(&self, first: Date, days: i64, zone: &Zone) -> Vec<Span> {
        let Some(hours) = Hours::read(&self.opens, &self.closes) else { return Vec::new() };
        days_from(first, days)
            .filter(|day| self.weekdays.contains(&day.weekday().to_monday_one_offset().to_string()))
            .map(|day| hours.on(day, zone))
            .collect()
    }
}

/// Days one after the other.
pub fn days_from(first: Date, days: i64) -> impl Iterator<Item = Date> {
    (0..days).map_while(move |n| first.checked_add(n.days()).ok())
}

/// From a time of the day to another; not after the first means the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Begins.
    pub from: Time,
    /// Ends.
    pub until: Time,
}

impl Hours {
    /// Reads two times `HH:MM`; `24:00` is midnight.
    pub fn read(from: &str, until: &str) -> Option<Self> {
        Some(Self { from: clock(from)?, until: clock(until)? })
    }

    /// Reads `08:00-20:00`; also with `–`, `—`, `~`, `至` and full-width colons.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace('：', ":");
        let (from, until) = text.split_once(['-', '–', '—', '~', '～', '至'])?;
        Self::read(from, until)
    }

    /// On a day.
    pub fn on(&self, day: Date, zone: &Zone) -> Span {
        let last = if self.until <= self.from { day.tomorrow().unwrap_or(day) } else { day };
        Span::new(zone.at(day.to_datetime(self.from)), zone.at(last.to_datetime(self.until)))
    }
}

/// Reads `8:00`, `08:00` or `24:00`.
pub fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |t: &str| (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return None;
    }
    match (hour.parse().ok()?, minute.parse().ok()?) {
        (24, 0) => Some(Time::midnight()),
        (hour, minute) => Time::new(hour, minute, 0, 0).ok(),
    }
}

/// Somebody is on duty for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Its id.
    pub id: ShiftId,
    /// On which roster.
    pub roster_id: RosterId,
    /// Who.
    pub person_id: PersonId,
    /// When.
    pub span: Span,
    /// Anything else.
    pub note: String,
    /// Counts changes.
    pub version: i64,
    /// When it was published to staff; a draft that only planners see without.
    pub published_at: Option<Millis>,
    /// When it was last changed after that.
    pub changed_at: Option<Millis>,
}

impl Shift {
    /// Whether staff see it.
    pub fn is_published(&self) -> bool {
        self.published_at.is_some()
    }
}

/// Somebody is away for a time (请假, 外出, 出差, 培训).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Its id.
    pub id: AbsenceId,
    /// Who.
    pub person_id: PersonId,
    /// Code of the dictionary `absence_kind`.
    pub kind: String,
    /// When.
    pub span: Span,
    /// Anything else.
    pub note: String,
}

/// A delegation with why it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acting {
    /// Who for whom and when.
    pub delegation: Delegation,
    /// Why.
    pub reason: String,
    /// When it was ended before its time.
    pub revoked_at: Option<Millis>,
}

/// How well somebody knows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Who.
    pub person_id: PersonId,
    /// Code of the dictionary `skill`.
    pub skill: String,
    /// 1 (learning) to 5 (teaches others).
    pub level: i64,
    /// Last day it counts; empty for always.
    pub valid_until: String,
    /// Certificate and the like.
    pub note: String,
    /// What was measured, with its unit (`80 字/分`, `92 分`); empty when nothing was.
    pub score: String,
    /// The day it was assessed; empty when that is not said.
    pub assessed_on: String,
    /// Who assessed it.
    pub assessed_by: Option<PersonId>,
}

impl Skill {
    /// Whether it counts on a day.
    pub fn is_valid(&self, day: &str) -> bool {
        self.valid_until.is_empty() || day <= self.valid_until.as_str()
    }
}

/// What stands against a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The person may not sign in.
    Inactive,
    /// He is not in the company any more at its end; his last day.
    Left(String),
    /// He is away; the kind's code.
    Absent(Span, String),
    /// He is on another shift at that time.
    Double(Span, RosterId),
    /// Between this and another shift of his are fewer hours than the roster asks for.
    Rest(Span, RosterId, i64),
    /// He is not known to have the skill the roster asks for: only a warning. The skill's code.
    Unskilled(String),
    /// He has no post in the roster's unit: only a warning.
    Elsewhere,
}

impl Conflict {
    /// Whether the shift must not be.
    pub fn is_blocking(&self) -> bool {
        !matches!(self, Self::Elsewhere | Self::Unskilled(_))
    }

    /// In words; `kind` is the name of the absence's kind or of the skill, `roster` that of the other roster.
    pub fn text(&self, name: &str, kind: &str, roster: &str, zone: &Zone) -> Text {
        match self {
            Self::Inactive => text!("{} 已停用，不能排班", name),
            Self::Left(day) => text!("{} 于 {} 离职，不能排在这之后", name, day),
            Self::Absent(span, _) => text!("{} 这段时间{}：{}", name, kind, span.shown(zone)),
            Self::Double(span, _) => text!("{} 同时已有班次：{}（{}）", name, span.shown(zone), roster),
            Self::Rest(span, _, hours) => {
                text!("{} 与另一班次的间隔不足 {} 小时：{}（{}）", name, hours, span.shown(zone), roster)
            }
            Self::Unskilled(_) => text!("{} 没有登记值班要求的专长“{}”，或者已过有效期", name, kind),
            Self::Elsewhere => text!("{} 不在值班表所属的部门任职", name),
        }
    }

    /// In words for a colleague who may not know why somebody is away.
    pub fn text_for_colleagues(&self, name: &str, skill: &str, roster: &str, zone: &Zone) -> Text {
        match self {
            Self::Absent(span, _) => text!("{} 这段时间请假或外出：{}", name, span.shown(zone)),
            other => other.text(name, skill, roster, zone),
        }
    }
}

/// How a person stands to a roster's unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether he may sign in.
    pub is_active: bool,
    /// His last day in the company, or empty.
    pub left_on: String,
    /// Whether he has a post in the unit or below it.
    pub is_of_unit: bool,
    /// Code of the skill the roster asks for and he lacks, or empty.
    pub lacks: String,
    /// Hours of rest the roster asks for; 0 for no rule.
    pub rest_hours: i64,
}

/// A shift that is about to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Who.
    pub person_id: PersonId,
    /// When.
    pub span: Span,
}

/// Everything that stands against a shift, the hard ones first. `shifts` and `absences` may be anybody's; the shift
/// that is being changed is `except`.
pub fn conflicts(
    planned: &Planned,
    except: Option<ShiftId>,
    standing: &Standing,
    shifts: &[Shift],
    absences: &[Absence],
    zone: &Zone,
) -> Vec<Conflict> {
    let mut found = Vec::new();
    let last_day = zone.date(planned.span.ends_at - 1).to_string();
    if !standing.left_on.is_empty() && last_day > standing.left_on {
        found.push(Conflict::Left(standing.left_on.clone()));
    } else if standing.left_on.is_empty() && !standing.is_active {
        found.push(Conflict::Inactive);
    }
    let is_his = |person: PersonId, span: &Span| person == planned.person_id && span.overlaps(&planned.span);
    for absence in absences.iter().filter(|a| is_his(a.person_id, &a.span)) {
        found.push(Conflict::Absent(absence.span, absence.kind.clone()));
    }
    for shift in shifts.iter().filter(|s| Some(s.id) != except && is_his(s.person_id, &s.span)) {
        found.push(Conflict::Double(shift.span, shift.roster_id));
    }
    let rest = standing.rest_hours * 60 * MINUTE;
    let around = Span::new(planned.span.starts_at - rest, planned.span.ends_at + rest);
    let is_near = |s: &&Shift| {
        Some(s.id) != except
            && s.person_id == planned.person_id
            && s.span.overlaps(&around)
            && !s.span.overlaps(&planned.span)
    };
    for shift in shifts.iter().filter(is_near) {
        found.push(Conflict::Rest(shift.span, shift.roster_id, standing.rest_hours));
    }
    if !standing.lacks.is_empty() {
        found.push(Conflict::Unskilled(standing.lacks.clone()));
    }
    if !standing.is_of_unit {
        found.push(Conflict::Elsewhere);
    }
    found
}

/// The spans put together where they overlap or touch, in order.
pub fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut all: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match all.last_mut() {
            Some(last) if span.starts_at <= last.ends_at => last.ends_at = last.ends_at.max(span.ends_at),
            _ => all.push(span),
        }
    }
    all
}

/// What is left of `spans` without `taken`, in order.
pub fn without(spans: Vec<Span>, taken: Vec<Span>) -> Vec<Span> {
    let taken = joined(taken);
    let mut left = Vec::new();
    for span in joined(spans) {
        let mut from = span.starts_at;
        for hole in taken.iter().filter(|t| t.overlaps(&span)) {
            if from < hole.starts_at {
                left.push(Span::new(from, hole.starts_at));
            }
            from = from.max(hole.ends_at);
        }
        if from < span.ends_at {
            left.push(Span::new(from, span.ends_at));
        }
    }
    left
}

/// Who is on duty at a moment, in the order of their starts; nobody twice.
pub fn on_duty(shifts: &[Shift], at: Millis) -> Vec<PersonId> {
    people_of(shifts.iter().filter(|s| s.span.contains(at)).collect())
}

/// Who was on duty at some moment of a day, in the order of their starts; nobody twice. A shift that crosses into it
/// counts.
pub fn on_duty_on(shifts: &[Shift], day: Date, zone: &Zone) -> Vec<PersonId> {
    let (from, until) = zone.day(day);
    let day = Span::new(from, until);
    people_of(shifts.iter().filter(|s| s.span.overlaps(&day)).collect())
}

fn people_of(mut shifts: Vec<&Shift>) -> Vec<PersonId> {
    shifts.sort_by_key(|s| (s.span, s.id));
    let mut people = Vec::new();
    for shift in shifts {
        if !people.contains(&shift.person_id) {
            people.push(shift.person_id);
        }
    }
    people
}

/// Who is free: on duty at a moment and not away, in the order of their starts.
pub fn free_people(shifts: &[Shift], absences: &[Absence], at: Millis) -> Vec<PersonId> {
    let is_away = |p: &PersonId| absences.iter().any(|a| a.person_id == *p && a.span.contains(at));
    on_duty(shifts, at).into_iter().filter(|p| !is_away(p)).collect()
}

/// Who can take `lasts` milliseconds of work first, and when: on shift from then on, not away. The best level goes
/// first, of the same level the earliest. `candidates` are people with their levels.
pub fn next_free(
    candidates: &[(PersonId, i64)],
    shifts: &[Shift],
    absences: &[Absence],
    from: Millis,
    lasts: Millis,
) -> Option<(PersonId, Span)> {
    let slot = |person: PersonId| {
        let on = shifts.iter().filter(|s| s.person_id == person).map(|s| s.span).collect();
        let away = absences.iter().filter(|a| a.person_id == person).map(|a| a.span).collect();
        without(on, away).into_iter().find_map(|free| {
            let starts_at = free.starts_at.max(from);
            (starts_at + lasts <= free.ends_at).then(|| Span::new(starts_at, starts_at + lasts))
        })
    };
    let all = candidates.iter().filter_map(|(person, level)| slot(*person).map(|s| (*person, *level, s)));
    all.min_by_key(|(person, level, slot)| (-*level, slot.starts_at, *person)).map(|(p, _, slot)| (p, slot))
}

/// A rotation: these people take turns in these shifts on these days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Who, in the order of their turns.
    pub people: Vec<PersonId>,
    /// The shifts of a day.
    pub patterns: Vec<Hours>,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// Days of the week, 1 is Monday.
    pub weekdays: String,
    /// Days until everybody moves on by one shift.
    pub turn_days: i64,
}

/// Days a rotation fills at the most.
pub const MOST_DAYS: i64 = 62;
/// Shifts a rotation makes at the most.
pub const MOST_SHIFTS: usize = 400;

impl Rotation {
    /// Its shifts, day by day. Whoever has the first shift of a day gets the second at the next turn.
    pub fn plan(&self, zone: &Zone) -> Vec<Planned> {
        let people = self.people.len();
        if people == 0 || self.turn_days < 1 {
            return Vec::new();
        }
        let days = days_from(self.first, MOST_DAYS).take_while(|d| *d <= self.last);
        let days = days.filter(|d| self.weekdays.contains(&d.weekday().to_monday_one_offset().to_string()));
        let mut all = Vec::new();
        for (n, day) in days.enumerate() {
            let turn = n / usize::try_from(self.turn_days).unwrap_or(1);
            for (place, hours) in self.patterns.iter().enumerate() {
                let who = (turn % people + people - place % people) % people;
                all.push(Planned { person_id: self.people[who], span: hours.on(day, zone) });
            }
        }
        all
    }
}

/// To whom a caller or visitor is led (LC-08).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reception {
    /// The manager he named.
    Manager(PersonId),
    /// That one is not there any more: his superior.
    Superior(PersonId),
    /// Whoever is on duty now.
    OnDuty(PersonId),
    /// Nobody is on duty now: the next one, and from when.
    Next(PersonId, Millis),
    /// Nobody is on the roster.
    Nobody,
}

/// Who receives somebody at a time: the manager he names, while that one works here; his superior when he has left;
/// else, and when he can name none, whoever is on duty, or is next. People who are away are passed over. `named` is
/// the named manager, whether he works here, and his superior.
pub fn reception(
    named: Option<(PersonId, bool, Option<PersonId>)>,
    shifts: &[Shift],
    absences: &[Absence],
    at: Millis,
) -> Reception {
    match named {
        Some((person, true, _)) => return Reception::Manager(person),
        Some((_, false, Some(superior))) => return Reception::Superior(superior),
        _ => {}
    }
    if let Some(person) = free_people(shifts, absences, at).first() {
        return Reception::OnDuty(*person);
    }
    let is_away =
        |s: &Shift| absences.iter().any(|a| a.person_id == s.person_id && a.span.contains(s.span.starts_at));
    let later = shifts.iter().filter(|s| s.span.starts_at > at && !is_away(s));
    match later.min_by_key(|s| (s.span, s.id)) {
        Some(shift) => Reception::Next(shift.person_id, shift.span.starts_at),
        None => Reception::Nobody,
    }
}

#[cfg(test)]
mod tests;
