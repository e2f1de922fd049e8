//! From files to a checked policy, or to everything that is wrong with them: file, line, reason. Bounded in time and
//! memory whatever the files hold.

mod build;
mod clauses;
mod flow;
mod mend;
mod read;
mod tables;
#[cfg(test)]
pub(crate) mod tests;
mod unreadable;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub(crate) use read::line_of;
pub(crate) use unreadable::told;

use crate::expr::Vocabulary;
use crate::model::Policy;

/// Largest file.
pub const LARGEST_FILE: usize = 512 * 1024;
/// Most files of a policy, scenarios included.
pub const MOST_FILES: usize = 400;
/// Most parts of one kind in a policy, and most fields of a form.
pub const MOST_PARTS: usize = 500;
/// Most problems told at once.
pub const MOST_PROBLEMS: usize = 100;

/// One file of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path within the folder: `forms.toml`, `scenarios/seven-days.toml`.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, counted from 1; 0 for the policy as a whole.
    pub line: usize,
    /// What is wrong and what to do, in Chinese.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.text)
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.text)
        }
    }
}

/// The company's values for the settings, by name.
pub type Settings = BTreeMap<String, Json>;

/// Checks a policy with the company's settings. Scenario files are left to `scenario`.
pub fn check(
    files: &[SourceFile],
    settings: &Settings,
    vocabulary: &Vocabulary,
) -> Result<Policy, Vec<Problem>> {
    let mut problems = read::Problems::new(files);
    let Some(parts) = read::read(files, &mut problems) else { return Err(problems.done()) };
    let policy = build::build(&parts, settings, vocabulary, &mut problems);
    match policy {
        Some(policy) if problems.is_empty() => {
            flow::check(&policy, &parts, &mut problems);
            tables::check(&policy, &parts, &mut problems);
            clauses::check(&policy, &parts, &mut problems);
            if problems.is_empty() { Ok(policy) } else { Err(problems.done()) }
        }
        _ => Err(problems.done()),
    }
}
