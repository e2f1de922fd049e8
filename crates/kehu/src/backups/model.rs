//! A backup as its row tells.

use serde_json::{Value as Json, json};
use store::{FromRow, Row};

use crate::clock::{Millis, rfc3339};
use crate::ids::{BackupId, PersonId};

/// How far a backup got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It will begin soon.
    Waiting,
    /// It is being made.
    Running,
    /// It was made and read back.
    Done,
    /// It could not be made; nothing is left of it.
    Failed,
    /// Somebody stopped it; nothing is left of it.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Its code in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn named(code: &str) -> Self {
        Self::ALL.into_iter().find(|s| s.code() == code).unwrap_or(Self::Failed)
    }

    /// What people call it (source text), and its colour.
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("等待开始", "blue"),
            Self::Running => ("正在备份", "blue"),
            Self::Done => ("已完成", "green"),
            Self::Failed => ("失败", "red"),
            Self::Cancelled => ("已停止", ""),
        }
    }

    /// Whether it is still under way.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// What its last verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// There was none.
    None,
    /// One is under way.
    Waiting,
    /// Everything is as it was.
    Ok,
    /// It is damaged.
    Damaged,
    /// It could not be looked at.
    Failed,
}

impl Verification {
    /// Its code in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Waiting => "waiting",
            Self::Ok => "ok",
            Self::Damaged => "damaged",
            Self::Failed => "failed",
        }
    }

    fn named(code: &str) -> Self {
        [Self::Waiting, Self::Ok, Self::Damaged, Self::Failed]
            .into_iter()
            .find(|v| v.code() == code)
            .unwrap_or(Self::None)
    }

    /// What people call it (source text), and its colour.
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("未校验", ""),
            Self::Waiting => ("正在校验", "blue"),
            Self::Ok => ("完好", "green"),
            Self::Damaged => ("已损坏", "red"),
            Self::Failed => ("校验没有完成", "amber"),
        }
    }
}

/// A backup.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Its id.
    pub id: BackupId,
    /// How far it got.
    pub state: State,
    /// `manual`, `schedule` or `command`.
    pub origin: String,
    /// Name of its file, empty until it is done.
    pub file_name: String,
    /// Bytes.
    pub size: i64,
    /// Customers in it.
    pub customers: i64,
    /// Attached files in it.
    pub attachments: i64,
    /// Attached files that had been lost or altered on the server before.
    pub missing: i64,
    /// What is being done: `database`, `files` or `check`.
    pub step: String,
    /// How much of the step is done.
    pub progress: i64,
    /// The whole step.
    pub total: i64,
    /// Somebody wants it to stop.
    pub is_cancel_wanted: bool,
    /// Why it failed, or what is wrong with it.
    pub problem: String,
    /// What its last verification found.
    pub verification: Verification,
    /// When that was.
    pub verified_at: Option<Millis>,
    /// When it was asked for.
    pub created_at: Millis,
    /// By whom; 0 for the schedule and the command line.
    pub created_by: PersonId,
    /// When it ended.
    pub finished_at: Option<Millis>,
    /// Counts what people did to it.
    pub version: i64,
}

pub(super) const COLUMNS: &str = "id, state, origin, file_name, size, customers, attachments, missing, step, progress, \
    total, is_cancel_wanted, problem, verification, verified_at, created_at, created_by, finished_at, version";

impl FromRow for Backup {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            state: State::named(&row.get::<String>(1)?),
            origin: row.get(2)?,
            file_name: row.get(3)?,
            size: row.get(4)?,
            customers: row.get(5)?,
            attachments: row.get(6)?,
            missing: row.get(7)?,
            step: row.get(8)?,
            progress: row.get(9)?,
            total: row.get(10)?,
            is_cancel_wanted: row.get(11)?,
            problem: row.get(12)?,
            verification: Verification::named(&row.get::<String>(13)?),
            verified_at: row.get(14)?,
            created_at: row.get(15)?,
            created_by: row.get(16)?,
            finished_at: row.get(17)?,
            version: row.get(18)?,
        })
    }
}

impl Backup {
    /// Whether it is there and nothing is known to be wrong with it.
    pub fn is_good(&self) -> bool {
        self.state == State::Done && self.verification != Verification::Damaged
    }

    /// Where its name came from, for people (source text).
    pub fn origin_title(&self) -> &'static str {
        match self.origin.as_str() {
            "schedule" => "定时",
            "command" => "命令行",
            _ => "手动",
        }
    }

    /// As the API sends it.
    pub fn json(&self) -> Json {
        let text = |text: &str| if text.is_empty() { Json::Null } else { json!(text) };
        json!({
            "id": self.id,
            "state": self.state.code(),
            "origin": self.origin,
            "file_name": text(&self.file_name),
            "size": self.size,
            "customers": self.customers,
            "attachments": self.attachments,
            "missing_attachments": self.missing,
            "step": text(&self.step),
            "progress": self.progress,
            "total": self.total,
            "problem": text(&self.problem),
            "verification": text(self.verification.code()),
            "verified_at": self.verified_at.map(rfc3339),
            "created_at": rfc3339(self.created_at),
            "created_by": (self.created_by.0 != 0).then_some(self.created_by),
            "finished_at": self.finished_at.map(rfc3339),
            "version": self.version,
        })
    }

    /// What the log keeps of it.
    pub(super) fn facts(&self) -> Json {
        json!({ "file": self.file_name, "size": self.size, "origin": self.origin })
    }
}
