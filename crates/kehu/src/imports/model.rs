//! What an import is: a file, what its columns mean, what to do with customers already there, and how far it got.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use store::{Conn, FromRow, Row, Tx};

use super::reader::{Place, Source};
use crate::access::Actor;
use crate::clock::{Millis, rfc3339};
use crate::customers::Keyed;
use crate::error::AppError;
use crate::i18n::{Lang, Text};
use crate::ids::{FileId, ImportId, PersonId};

/// How far an import got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The file is here; its columns wait to be matched.
    Uploaded,
    /// The whole file is being checked without writing anything.
    Checking,
    /// Checked; waits for the word to start.
    Checked,
    /// Rows are being written.
    Running,
    /// Every row was written, skipped or refused.
    Done,
    /// Stopped by a person; what was written stays.
    Cancelled,
    /// The file could not be read to its end; what was written stays.
    Failed,
    /// What was written is being taken back.
    Undoing,
    /// It was taken back.
    Undone,
}

impl State {
    const ALL: [Self; 9] = [
        Self::Uploaded,
        Self::Checking,
        Self::Checked,
        Self::Running,
        Self::Done,
        Self::Cancelled,
        Self::Failed,
        Self::Undoing,
        Self::Undone,
    ];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Uploaded => "uploaded",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Uploaded => "待匹配列",
            Self::Checking => "检查中",
            Self::Checked => "待确认",
            Self::Running => "导入中",
            Self::Done => "已完成",
            Self::Cancelled => "已取消",
            Self::Failed => "未完成",
            Self::Undoing => "撤销中",
            Self::Undone => "已撤销",
        }
    }

    /// The colour of its tag.
    pub fn colour(self) -> &'static str {
        match self {
            Self::Uploaded | Self::Checked => "amber",
            Self::Checking | Self::Running | Self::Undoing => "blue",
            Self::Done => "green",
            Self::Failed => "red",
            Self::Cancelled | Self::Undone => "",
        }
    }

    fn named(code: &str) -> Self {
        Self::ALL.into_iter().find(|s| s.code() == code).unwrap_or(Self::Failed)
    }

    /// Whether work goes on in the background.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Checking | Self::Running | Self::Undoing)
    }

    /// Whether rows may have been written that can be taken back.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }
}

/// What happens to a row whose customer is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDuplicate {
    /// The customer stays as it is.
    #[default]
    Skip,
    /// The row's values replace the customer's; empty cells change nothing.
    Update,
    /// Another customer is made.
    Create,
}

impl OnDuplicate {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Update, Self::Create];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Update => "update",
            Self::Create => "create",
        }
    }

    /// The choice of this name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Skip => "跳过，不改动已有客户",
            Self::Update => "更新已有客户（空单元格不覆盖）",
            Self::Create => "仍然新建",
        }
    }
}

/// What is in doubt, as the API sends it with a single import.
pub(super) fn doubts_json(report: &super::check::Report, l: Lang) -> Json {
    let doubts = &report.doubts;
    let row = |row: &super::BadRow| {
        let reason = |(heading, zh, en): &(String, String, String)| json!({ "column": (!heading.is_empty()).then_some(heading), "message": l.pick(zh, en) });
        let reasons: Vec<Json> = row.reasons.iter().map(reason).collect();
        json!({ "row": row.row, "name": row.name, "reasons": reasons })
    };
    json!({
        "refused": report.problems.iter().map(row).collect::<Vec<_>>(),
        "rows": doubts.first.iter().map(row).collect::<Vec<_>>(),
        "file": doubts.file.iter().map(|(zh, en)| l.pick(zh, en)).collect::<Vec<_>>(),
    })
}

/// Characters kept of why an import failed, in each language.
const LONGEST_PROBLEM: usize = 500;

/// Why an import failed as it is stored: in both languages, whoever reads it later.
pub(super) fn stored_problem(problem: &Text) -> String {
    let words = |l| problem.to(l).trim().chars().take(LONGEST_PROBLEM).collect::<String>();
    json!([words(Lang::Zh), words(Lang::En)]).to_string()
}

/// Reads it; older rows hold the Chinese alone.
fn read_problem(stored: String) -> Option<Text> {
    if stored.is_empty() {
        return None;
    }
    let (zh, en) = serde_json::from_str(&stored).unwrap_or((stored, String::new()));
    Some(Text::Both(zh, en))
}

/// An import as stored.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// How far it got.
    pub state: State,
    /// The uploaded file.
    pub file_id: FileId,
    /// The name it was uploaded under.
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_hash: String,
    /// What the reader said of the table; null headings for a file that could not be read.
    pub header: Option<sheets::Header>,
    /// The first rows.
    pub sample: Vec<Vec<String>>,
    /// For each column the code of its `Target`.
    pub mapping: Vec<String>,
    /// The choice about duplicates.
    pub on_duplicate: OnDuplicate,
    /// By what customers are recognised, in this order; empty leaves it to the system.
    pub match_on: Vec<Keyed>,
    /// Owner of new customers without one in the file; `None`: the person who imports.
    pub owner_id: Option<PersonId>,
    /// Only check.
    pub is_dry_run: bool,
    /// What the check found.
    pub report: super::check::Report,
    /// Rows in the file, 0 when not known.
    pub total: i64,
    /// Rows read so far.
    pub read: i64,
    /// Customers made.
    pub created: i64,
    /// Customers changed.
    pub updated: i64,
    /// Rows skipped.
    pub skipped: i64,
    /// Rows refused.
    pub failed: i64,
    /// The last row that is done with.
    pub last_row: i64,
    /// Why it failed, if it did.
    pub problem: Option<Text>,
    /// Somebody wants it to stop.
    pub is_cancel_wanted: bool,
    /// Counts changes made by people.
    pub version: i64,
    /// Uploaded when.
    pub created_at: Millis,
    /// Uploaded by; 0 for the command line.
    pub created_by: PersonId,
    /// Started when.
    pub started_at: Option<Millis>,
    /// Ended when.
    pub finished_at: Option<Millis>,
    /// Who asked for it to be taken back, if anybody did; 0 for the command line.
    pub undone_by: Option<PersonId>,
    /// Whether it came by the command line, which does the work itself.
    pub is_by_command: bool,
    /// When it began, or last wrote a batch.
    pub heard_at: Option<Millis>,
}

/// How long a command that imports may be silent before it is taken for killed, in milliseconds.
const SILENT: Millis = 120_000;

const COLUMNS: &str = "id, state, file_id, file_name, file_hash, header, sample, mapping, on_duplicate, match_on, \
    owner_id, is_dry_run, report, total, read_rows, created, updated, skipped, failed, last_row, problem, \
    is_cancel_wanted, version, created_at, created_by, started_at, finished_at, via, \
    undone_by, heard_at";

impl FromRow for Import {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let match_on: Vec<String> = serde_json::from_value(row.get(9)?).unwrap_or_default();
        Ok(Self {
            id: row.get(0)?,
            state: State::named(&row.get::<String>(1)?),
            file_id: row.get(2)?,
            file_name: row.get(3)?,
            file_hash: row.get(4)?,
            header: serde_json::from_value(row.get(5)?).ok(),
            sample: serde_json::from_value(row.get(6)?).unwrap_or_default(),
            mapping: serde_json::from_value(row.get(7)?).unwrap_or_default(),
            on_duplicate: OnDuplicate::named(&row.get::<String>(8)?).unwrap_or_default(),
            match_on: match_on.iter().filter_map(|code| Keyed::named(code)).collect(),
            owner_id: row.get(10)?,
            is_dry_run: row.get(11)?,
            report: serde_json::from_value(row.get(12)?).unwrap_or_default(),
            total: row.get(13)?,
            read: row.get(14)?,
            created: row.get(15)?,
            updated: row.get(16)?,
            skipped: row.get(17)?,
            failed: row.get(18)?,
            last_row: row.get(19)?,
            problem: read_problem(row.get(20)?),
            is_cancel_wanted: row.get(21)?,
            version: row.get(22)?,
            created_at: row.get(23)?,
            created_by: row.get(24)?,
            started_at: row.get(25)?,
            finished_at: row.get(26)?,
            is_by_command: row.get::<String>(27)? == "command_line",
            undone_by: row.get(28)?,
            heard_at: row.get(29)?,
        })
    }
}

impl Import {
    /// Its file, stored at `path`, and the table that was looked into.
    pub(super) fn source(&self, path: PathBuf) -> Source {
        let place = self.header.as_ref().map(Place::of).unwrap_or_default();
        Source { path, name: self.file_name.clone(), place }
    }

    /// The headings of the file.
    pub fn columns(&self) -> &[String] {
        self.header.as_ref().map_or(&[], |h| &h.columns)
    }

    /// Whether the command that does it has not been heard of for a while: it was probably killed. The same command goes
    /// on where it stopped; cancelling ends it.
    pub fn is_silent(&self, now: Millis) -> bool {
        self.state == State::Running
            && self.is_by_command
            && self.heard_at.is_none_or(|heard_at| now - heard_at > SILENT)
    }

    /// As the API sends it to somebody who reads this language.
    pub fn json(&self, l: Lang) -> Json {
        let errors = (self.failed > 0).then(|| format!("/api/v1/imports/{}/errors", self.id));
        json!({
            "id": self.id,
            "object": "customers",
            "state": self.state.code(),
            "file_name": self.file_name,
            "columns": self.columns(),
            "sheet": self.header.as_ref().and_then(|h| h.sheet.as_deref()),
            "sheets": self.header.as_ref().map_or(&[][..], |h| &h.sheets),
            "header_row": self.header.as_ref().map(|h| h.row).filter(|row| *row > 0),
            "mapping": self.mapping,
            "on_duplicate": self.on_duplicate.code(),
            "match_on": self.match_on.iter().map(|k| k.code()).collect::<Vec<_>>(),
            "dry_run": self.is_dry_run,
            "total": if self.total > 0 { json!(self.total) } else { Json::Null },
            "read": self.read,
            "created": self.created,
            "updated": self.updated,
            "skipped": self.skipped,
            "failed": self.failed,
            "doubtful": self.report.doubts.rows,
            "guessed_persons": self.report.guessed.0,
            "guessed_organisations": self.report.guessed.1,
            "failed_without_cells": self.report.kept.without,
            "errors_url": errors,
            "problem": self.problem.as_ref().map(|problem| problem.to(l)),
            "version": self.version,
            "created_by": if self.created_by.0 == 0 { Json::Null } else { json!(self.created_by) },
            "created_at": rfc3339(self.created_at),
            "started_at": self.started_at.map(rfc3339),
            "finished_at": self.finished_at.map(rfc3339),
        })
    }
}

/// An import, whoever asks: for the work itself.
pub(super) fn load_any(conn: &mut Conn<'_>, id: ImportId) -> store::Result<Option<Import>> {
    conn.row(&format!("SELECT {COLUMNS} FROM imports WHERE id = $1"), &[id.into()])
}

/// Writes what a check found, or a run adds to it.
pub(super) fn save_report(tx: &mut Tx<'_>, id: ImportId, report: &super::Report) -> Result<(), AppError> {
    let report = serde_json::to_value(report).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec("UPDATE imports SET report = $2 WHERE id = $1", &[id.into(), (&report).into()])?;
    Ok(())
}

/// What was decided about an import, for the log.
pub(super) fn choices_json(import: &Import) -> Json {
    json!({
        "sheet": import.header.as_ref().and_then(|h| h.sheet.as_deref()),
        "header_row": import.header.as_ref().and_then(|h| h.asked_row),
        "mapping": import.mapping,
        "on_duplicate": import.on_duplicate.code(),
        "match_on": import.match_on.iter().map(|k| k.code()).collect::<Vec<_>>(),
        "owner_id": import.owner_id,
        "dry_run": import.is_dry_run,
    })
}

/// An import for its creator or an administrator; to others, and to whoever is barred from customers, it does not
/// exist.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, id: ImportId) -> Result<Import, AppError> {
    let import = load_any(conn, id)?.ok_or(AppError::NotFound)?;
    let is_his = import.created_by == actor.person_id || actor.is_administrator();
    if is_his && actor.rights.bar.is_none() {
        Ok(import)
    } else {
        Err(AppError::Hidden { object: "import", id: id.0 })
    }
}

/// The newest imports the actor may see, before `before` if given; at most `limit`.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    before: Option<ImportId>,
    limit: usize,
) -> store::Result<Vec<Import>> {
    let own = if actor.rights.bar.is_some() {
        "FALSE".to_owned()
    } else if actor.is_administrator() {
        "TRUE".to_owned()
    } else {
        format!("created_by = {}", actor.person_id.0)
    };
    conn.rows(
        &format!("SELECT {COLUMNS} FROM imports WHERE {own} AND id < $1 ORDER BY id DESC LIMIT $2"),
        &[before.map_or(i64::MAX, |id| id.0).into(), (limit as i64).into()],
    )
}
