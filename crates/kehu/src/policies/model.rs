//! Versions of policies as they are stored.

use policy::{Settings, SourceFile};
use serde_json::{Value as Json, json};
use store::{FromRow, Row};

use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, PolicyVersionId};

/// Most characters of a note.
pub const LONGEST_NOTE: usize = 500;

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being written.
    Draft,
    /// It was published: in force from `effective_at` until `retired_at`.
    Published,
    /// A draft somebody threw away.
    Discarded,
}

impl State {
    /// The name in the database and the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Discarded => "discarded",
        }
    }

    fn named(code: &str) -> Self {
        match code {
            "published" => Self::Published,
            "discarded" => Self::Discarded,
            _ => Self::Draft,
        }
    }
}

/// A version of a policy.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its id.
    pub id: PolicyVersionId,
    /// The policy's short name.
    pub policy: String,
    /// Counts the versions of the policy.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// The version as its head says.
    pub version: String,
    /// Where it stands.
    pub state: State,
    /// Its files.
    pub files: Vec<SourceFile>,
    /// The company's values of settings.
    pub settings: Settings,
    /// What changed, in a sentence.
    pub note: String,
    /// From when it judges.
    pub effective_at: Option<Millis>,
    /// Until when.
    pub retired_at: Option<Millis>,
    /// When it was published.
    pub published_at: Option<Millis>,
    /// By whom.
    pub published_by: Option<PersonId>,
    /// When it was made.
    pub created_at: Millis,
    /// By whom.
    pub created_by: PersonId,
    /// When it was changed.
    pub updated_at: Millis,
    /// By whom.
    pub updated_by: PersonId,
    /// Counts changes of the draft.
    pub row_version: i64,
}

impl Version {
    /// Whether it judges what happens at this time.
    pub fn is_in_force(&self, at: Millis) -> bool {
        self.state == State::Published
            && self.effective_at.is_some_and(|from| from <= at)
            && self.retired_at.is_none_or(|until| at < until)
    }
}

/// The columns of a `Version`.
pub(super) const SELECT: &str =
    "SELECT id, policy, number, title, version, state, files, settings, note, effective_at,
     retired_at, published_at, published_by, created_at, created_by, updated_at, updated_by, row_version
     FROM policy_versions";

impl FromRow for Version {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let files: String = row.get(6)?;
        let settings: String = row.get(7)?;
        Ok(Self {
            id: row.get(0)?,
            policy: row.get(1)?,
            number: row.get(2)?,
            title: row.get(3)?,
            version: row.get(4)?,
            state: State::named(&row.get::<String>(5)?),
            files: files_in(&files),
            settings: serde_json::from_str(&settings).unwrap_or_default(),
            note: row.get(8)?,
            effective_at: row.get(9)?,
            retired_at: row.get(10)?,
            published_at: row.get(11)?,
            published_by: row.get(12)?,
            created_at: row.get(13)?,
            created_by: row.get(14)?,
            updated_at: row.get(15)?,
            updated_by: row.get(16)?,
            row_version: row.get(17)?,
        })
    }
}

/// Files as they are stored.
pub(super) fn files_json(files: &[SourceFile]) -> String {
    let all: Vec<Json> = files.iter().map(|file| json!({"name": file.name, "text": file.text})).collect();
    Json::Array(all).to_string()
}

fn files_in(text: &str) -> Vec<SourceFile> {
    let all: Vec<Json> = serde_json::from_str(text).unwrap_or_default();
    let text = |file: &Json, name: &str| file[name].as_str().unwrap_or_default().to_owned();
    all.iter().map(|file| SourceFile { name: text(file, "name"), text: text(file, "text") }).collect()
}

/// What the engine's checker found, as an error a person can read.
pub(super) fn refused(problems: &[policy::Problem]) -> AppError {
    let errors = problems.iter().take(20).map(|problem| {
        let text = problem.to_string();
        crate::error::FieldError::new("files", crate::i18n::Text::Both(text.clone(), text))
    });
    AppError::Invalid(errors.collect())
}
