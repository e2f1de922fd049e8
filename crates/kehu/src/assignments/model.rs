//! The types of a task somebody gave, and the pure rules about them.

use std::sync::Arc;

use jiff::ToSpan;
use store::{FromRow, Row};

use super::sight::Sight;
use crate::access::{Actor, Directory};
use crate::app::App;
use crate::clock::{Millis, Zone, parse_date};
use crate::error::{AppError, FieldError};
use crate::ids::{AssignmentId, CustomerId, PersonId, ProcessId, RoleId, UnitId};
use crate::input::{Kind, clean_value};
use crate::text;

/// Characters of a title at the most.
pub const LONGEST_TITLE: usize = 80;
/// Characters of a task's text and of its reply at the most.
pub const LONGEST_TEXT: usize = 2_000;
/// Characters of a reason at the most.
pub const LONGEST_REASON: usize = 500;
/// Days until a task is due at the most.
pub const LONGEST_DAYS: i64 = 366;

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Given; nobody has said that he does it.
    Open,
    /// Somebody does it.
    Taken,
    /// Done, with a reply.
    Done,
    /// Sent back to its giver with a reason.
    Returned,
    /// Taken back by its giver.
    Withdrawn,
}

impl State {
    /// Every state, in the order a task goes through them.
    pub const ALL: [Self; 5] = [Self::Open, Self::Taken, Self::Done, Self::Returned, Self::Withdrawn];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Done => "done",
            Self::Returned => "returned",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Open => "待领取",
            Self::Taken => "办理中",
            Self::Done => "已办结",
            Self::Returned => "已退回",
            Self::Withdrawn => "已撤回",
        }
    }

    /// Colour of its mark.
    pub fn colour(self) -> &'static str {
        match self {
            Self::Open => "blue",
            Self::Taken => "cyan",
            Self::Done => "green",
            Self::Returned => "amber",
            Self::Withdrawn => "",
        }
    }

    /// Whether somebody is expected to do it.
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Open | Self::Taken)
    }

    /// Whether nothing can happen to it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Withdrawn)
    }
}

/// How much it presses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// As usual.
    #[default]
    Normal,
    /// Before the usual.
    High,
    /// At once.
    Urgent,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 3] = [Self::Normal, Self::High, Self::Urgent];

    /// The name sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// The priority of a name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Normal => "一般",
            Self::High => "重要",
            Self::Urgent => "紧急",
        }
    }

    /// What is stored: 1–3.
    pub(super) fn number(self) -> i64 {
        self as i64 + 1
    }

    fn of(number: i64) -> Self {
        match number {
            3 => Self::Urgent,
            2 => Self::High,
            _ => Self::Normal,
        }
    }
}

/// To whom a task is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A person.
    Person(PersonId),
    /// A unit: its head and people see it, one of them takes it.
    Unit(UnitId),
    /// Whoever holds a post; one of them takes it. Only by way of a process.
    Post(String),
}

impl Target {
    /// Reads `person:ID` or `unit:ID`, as the form sends it.
    pub fn read(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("person", id) => id.parse().ok().map(Self::Person),
            ("unit", id) => id.parse().ok().map(Self::Unit),
            ("post", code) if !code.is_empty() && code.len() <= 60 => Some(Self::Post(code.to_owned())),
            _ => None,
        }
    }

    /// What [`Target::read`] reads.
    pub fn key(&self) -> String {
        match self {
            Self::Person(id) => format!("person:{id}"),
            Self::Unit(id) => format!("unit:{id}"),
            Self::Post(code) => format!("post:{code}"),
        }
    }
}

/// Until when, and whether a day or a time was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Before when it must be done.
    pub at: Millis,
    /// Whether only a day was named: then `at` is the end of it.
    pub is_by_day: bool,
}

/// Reads a day (`2026-09-30`: until its end) or a time (`2026-09-30 17:00`, or RFC 3339). It must lie ahead, at most
/// 366 days.
pub fn read_due(text: &str, zone: &Zone, now: Millis) -> Result<Due, AppError> {
    let text = text.trim();
    let wrong =
        || AppError::field("due", text!("请填写完成期限：日期如 2026-09-30，或时间如 2026-09-30 17:00"));
    if text.is_empty() || text.len() > 40 {
        return Err(wrong());
    }
    let due = if text.contains([' ', 'T', 't', ':']) {
        let absolute = text.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond());
        Due { at: absolute.or_else(|| zone.parse(text)).ok_or_else(wrong)?, is_by_day: false }
    } else {
        let day = parse_date(text).and_then(|day| day.parse().ok()).ok_or_else(wrong)?;
        Due { at: zone.day(day).1, is_by_day: true }
    };
    if due.at <= now {
        return Err(AppError::field("due", text!("完成期限要晚于现在，请改一个以后的日期或时间")));
    }
    let last = zone.day(zone.date(now).saturating_add(LONGEST_DAYS.days())).1;
    if due.at > last {
        return Err(AppError::field("due", text!("完成期限最远 {} 天，请改近一些", LONGEST_DAYS)));
    }
    Ok(due)
}

/// Which right on the customer its receiver gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Right {
    /// The company's usual bundle, as far as the giver may grant it.
    #[default]
    Usual,
    /// None: the receiver sees the customer only if his roles let him.
    Nothing,
    /// This bundle.
    Bundle(RoleId),
}

/// A task to be given.
#[derive(Clone, Debug)]
pub struct Draft {
    /// 1–80 characters.
    pub title: String,
    /// At most 2,000 characters.
    pub body: String,
    /// The customer it is about.
    pub customer: Option<CustomerId>,
    /// The process it belongs to.
    pub process: Option<ProcessId>,
    /// To whom; without one the process decides.
    pub to: Option<Target>,
    /// Until when, as written (see [`read_due`]).
    pub due: String,
    /// How much it presses.
    pub priority: Priority,
    /// The right on the customer.
    pub right: Right,
}

/// A change by its giver; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// 1–80 characters.
    pub title: Option<String>,
    /// At most 2,000 characters.
    pub body: Option<String>,
    /// Until when, as written.
    pub due: Option<String>,
    /// How much it presses.
    pub priority: Option<Priority>,
}

/// Giving a task to somebody else.
#[derive(Clone, Debug)]
pub struct Again {
    /// To whom; without one the process decides.
    pub to: Option<Target>,
    /// Until when, as written; `None` leaves it when it still lies ahead.
    pub due: Option<String>,
    /// What the giver says to it, at most 500 characters.
    pub note: String,
}

/// A task with the names that lists and pages show.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// What it is.
    pub title: String,
    /// More about it.
    pub body: String,
    /// The customer it is about.
    pub customer_id: Option<CustomerId>,
    /// The process it belongs to.
    pub process_id: Option<ProcessId>,
    /// Its name.
    pub process: String,
    /// Who gave it.
    pub giver_id: PersonId,
    /// His name.
    pub giver: String,
    /// The unit it was given to.
    pub unit_id: Option<UnitId>,
    /// Its name.
    pub unit: String,
    /// The post whose holders it was given to; empty for none.
    pub post: String,
    /// Who has it.
    pub receiver_id: Option<PersonId>,
    /// His name.
    pub receiver: String,
    /// The unit whose figures it counts in; 0 for none.
    pub answers_unit_id: UnitId,
    /// How far it is.
    pub state: State,
    /// How much it presses.
    pub priority: Priority,
    /// Until when.
    pub due: Due,
    /// The bundle its receiver gets on the customer.
    pub role_id: Option<RoleId>,
    /// What was answered.
    pub reply: String,
    /// When it was given, the last time.
    pub given_at: Millis,
    /// When it was taken.
    pub taken_at: Option<Millis>,
    /// When it was done, returned or withdrawn.
    pub ended_at: Option<Millis>,
    /// Counts changes.
    pub version: i64,
}

impl Assignment {
    /// Whether its time is over and it is not done; or was done too late.
    pub fn is_late(&self, now: Millis) -> bool {
        match self.state {
            State::Open | State::Taken => now >= self.due.at,
            State::Done => self.ended_at.is_some_and(|at| at >= self.due.at),
            State::Returned | State::Withdrawn => false,
        }
    }

    /// Its due date as people read it.
    pub fn due_text(&self, zone: &Zone) -> String {
        due_text(self.due, zone)
    }
}

/// `2026-09-30`, or `2026-09-30 17:00`.
pub(super) fn due_text(due: Due, zone: &Zone) -> String {
    // The end of a day belongs to the next one.
    if due.is_by_day { zone.date(due.at - 1).to_string() } else { zone.minute(due.at) }
}

/// SELECT and FROM of an `Assignment`, under the alias `a`.
pub(super) const SELECT: &str = "SELECT a.id, a.title, a.body, a.customer_id, a.process_id, COALESCE(q.title, ''), a.giver_id, g.name, a.unit_id,
       COALESCE(u.name, ''), a.post, a.receiver_id, COALESCE(r.name, ''), a.answers_unit_id, a.state, a.priority,
       a.due_at, a.is_due_by_day, a.role_id, a.reply, a.given_at, a.taken_at, a.ended_at, a.version
     FROM assignments a JOIN people g ON g.id = a.giver_id LEFT JOIN people r ON r.id = a.receiver_id
       LEFT JOIN units u ON u.id = a.unit_id LEFT JOIN processes q ON q.id = a.process_id";

impl FromRow for Assignment {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            body: row.get(2)?,
            customer_id: row.get(3)?,
            process_id: row.get(4)?,
            process: row.get(5)?,
            giver_id: row.get(6)?,
            giver: row.get(7)?,
            unit_id: row.get(8)?,
            unit: row.get(9)?,
            post: row.get(10)?,
            receiver_id: row.get(11)?,
            receiver: row.get(12)?,
            answers_unit_id: row.get(13)?,
            // The column holds nothing else.
            state: State::named(&row.get::<String>(14)?).unwrap_or(State::Withdrawn),
            priority: Priority::of(row.get(15)?),
            due: Due { at: row.get(16)?, is_by_day: row.get(17)? },
            role_id: row.get(18)?,
            reply: row.get(19)?,
            given_at: row.get(20)?,
            taken_at: row.get(21)?,
            ended_at: row.get(22)?,
            version: row.get(23)?,
        })
    }
}

/// How much waits for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What he has or could take, counted up to 1,000.
    pub waiting: i64,
    /// What came back to him, counted up to 1,000.
    pub returned: i64,
}

/// What giving and taking are decided by besides who does it: the organisation, the day and the time.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The organisation and its roles.
    pub directory: Arc<Directory>,
    /// Where days are read.
    pub zone: Zone,
    /// Today, `YYYY-MM-DD`.
    pub day: String,
    /// Now.
    pub now: Millis,
}

impl Ground {
    /// As it is now.
    pub async fn of(app: &App) -> Result<Self, AppError> {
        let directory = app.directory().await?;
        Ok(Self { directory, zone: app.zone.clone(), day: app.today().to_string(), now: app.now() })
    }

    /// Which tasks somebody sees.
    pub fn sight(&self, actor: &Actor) -> Sight {
        Sight::of(actor, &self.directory, &self.day)
    }

    /// For whom whoever has this sight acts with a task, by id and name; nobody with his own.
    pub(super) fn acted_for(&self, sight: &Sight, task: &Assignment) -> Option<(PersonId, &str)> {
        let person = sight.whose(task).filter(|person| *person != sight.me)?;
        Some((person, self.directory.member(person).map_or("", |m| m.name.as_str())))
    }

    /// The name of a unit, for messages.
    pub(super) fn unit_name(&self, id: UnitId) -> String {
        self.directory.unit(id).map_or_else(String::new, |u| u.name.clone())
    }
}

/// A checked text of several lines, or of one.
pub(super) fn clean(
    field: &'static str,
    kind: Kind,
    longest: usize,
    raw: &str,
    errors: &mut Vec<FieldError>,
) -> String {
    clean_value(kind, longest, raw).unwrap_or_else(|text| {
        errors.push(FieldError::new(field, text));
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-09-28 16:20 in Shanghai.
    const NOW: Millis = 1_790_583_600_000;

    #[test]
    fn a_day_lasts_until_its_end_and_a_time_is_a_time() {
        let zone = Zone::default();
        let due = |text: &str| read_due(text, &zone, NOW);
        let day = due("2026-09-28").unwrap();
        assert!(day.is_by_day);
        assert_eq!(zone.minute(day.at), "2026-09-29 00:00");
        assert_eq!(due_text(day, &zone), "2026-09-28");
        let time = due("2026-09-28 17:00").unwrap();
        assert!(!time.is_by_day);
        assert_eq!(due_text(time, &zone), "2026-09-28 17:00");
        assert_eq!(due("2026-09-28T09:00:00Z").unwrap().at, time.at);
        assert_eq!(due("2027-09-29").unwrap_or(day).at, zone.day("2027-09-29".parse().unwrap()).1);
        for wrong in ["", "明天", "2026-02-30", "2026-09-27", "2026-09-28 16:20", "2027-09-30", "9999-12-31"]
        {
            assert!(due(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn targets_are_read_as_they_were_written() {
        for target in [Target::Person(PersonId(7)), Target::Unit(UnitId(8)), Target::Post("manager".into())] {
            assert_eq!(Target::read(&target.key()), Some(target));
        }
        for bad in ["", "person:", "unit:x", "post:", "x:y"] {
            assert_eq!(Target::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn priorities_are_stored_in_order() {
        for priority in Priority::ALL {
            assert_eq!(Priority::of(priority.number()), priority);
            assert_eq!(Priority::named(priority.code()), Some(priority));
        }
        assert!(Priority::Urgent.number() > Priority::High.number());
    }
}
