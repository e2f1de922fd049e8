//! Cases as lists and pages know them.

use store::{FromRow, Row};

use crate::clock::Millis;
use crate::ids::{CaseId, CaseTaskId, CustomerId, PersonId, PolicyVersionId, UnitId};

/// A case without what only the engine knows.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Its policy's short name.
    pub policy: String,
    /// The version it is carried out under.
    pub version_id: PolicyVersionId,
    /// Its form.
    pub form: String,
    /// Its number.
    pub number: String,
    /// What it is called.
    pub subject: String,
    /// The step it is at.
    pub step: String,
    /// What the step is called.
    pub step_title: String,
    /// Whether it has not ended.
    pub is_open: bool,
    /// How it ended.
    pub outcome: String,
    /// Marks, such as `overdue`.
    pub marks: Vec<String>,
    /// Its customer.
    pub customer_id: Option<CustomerId>,
    /// Its unit.
    pub unit_id: Option<UnitId>,
    /// Who answers for it.
    pub owner_id: Option<PersonId>,
    /// Who opened it; nobody when an event did.
    pub creator_id: Option<PersonId>,
    /// The case that opened it.
    pub parent_id: Option<CaseId>,
    /// When it was opened.
    pub opened_at: Millis,
    /// When it ended.
    pub closed_at: Option<Millis>,
    /// The next of its deadlines that run.
    pub due_at: Option<Millis>,
    /// Counts what happened to it.
    pub version: i64,
    /// When something last happened.
    pub updated_at: Millis,
}

/// The columns of a `Case`, under the alias `k`.
pub(super) const COLUMNS: &str = "k.id, k.policy, k.version_id, k.form, k.number, k.subject, k.step, k.step_title,
     k.is_open, k.outcome, k.marks, k.customer_id, k.unit_id, k.owner_id, k.creator_id, k.parent_id, k.opened_at,
     k.closed_at, k.due_at, k.version, k.updated_at";
/// How many columns those are.
pub(super) const WIDTH: usize = 21;

impl FromRow for Case {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let marks: String = row.get(10)?;
        Ok(Self {
            id: row.get(0)?,
            policy: row.get(1)?,
            version_id: row.get(2)?,
            form: row.get(3)?,
            number: row.get(4)?,
            subject: row.get(5)?,
            step: row.get(6)?,
            step_title: row.get(7)?,
            is_open: row.get(8)?,
            outcome: row.get(9)?,
            marks: marks.split(' ').filter(|mark| !mark.is_empty()).map(str::to_owned).collect(),
            customer_id: row.get(11)?,
            unit_id: row.get(12)?,
            owner_id: row.get(13)?,
            creator_id: row.get(14)?,
            parent_id: row.get(15)?,
            opened_at: row.get(16)?,
            closed_at: row.get(17)?,
            due_at: row.get(18)?,
            version: row.get(19)?,
            updated_at: row.get(20)?,
        })
    }
}

/// Why a case waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// He has to act.
    Act,
    /// He has to decide.
    Decide,
    /// He got a copy.
    Copy,
}

impl TaskKind {
    /// The name in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Decide => "decide",
            Self::Copy => "copy",
        }
    }

    pub(super) fn named(code: &str) -> Self {
        match code {
            "decide" => Self::Decide,
            "copy" => Self::Copy,
            _ => Self::Act,
        }
    }
}

/// Something of a case that waits, or waited, for a person.
#[derive(Clone, Debug)]
pub struct CaseTask {
    /// Its id.
    pub id: CaseTaskId,
    /// Whom it waits for.
    pub person_id: PersonId,
    /// Why.
    pub kind: TaskKind,
    /// The step.
    pub step_title: String,
    /// Since when.
    pub opened_at: Millis,
    /// When it was done, by him or another.
    pub done_at: Option<Millis>,
    /// The case.
    pub case: Case,
}

/// Something that happened to a case.
#[derive(Clone, Debug)]
pub struct Trail {
    /// When.
    pub at: Millis,
    /// Who; nobody when time passed or an event came.
    pub actor_id: Option<PersonId>,
    /// What kind: `entered`, `did`, `decided` …
    pub kind: String,
    /// In Chinese.
    pub text: String,
    /// The clauses it rests on, with commas between.
    pub clause: String,
}

impl FromRow for Trail {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            at: row.get(0)?,
            actor_id: row.get(1)?,
            kind: row.get(2)?,
            text: row.get(3)?,
            clause: row.get(4)?,
        })
    }
}
