//! The regulation engine (制度即配置): a regulation is a folder of TOML files; this crate reads and checks them and
//! carries them out. Pure: no database, no HTTP, no clock; it knows nothing of customers.
//!
//! - [`source`]: the format of the files, word for word.
//! - [`check`](check()): from files to a [`model::Policy`], or everything that is wrong with them by file and line.
//! - [`expr`]: conditions in CEL, typed against the forms.
//! - [`engine`]: `(policy, case, event, now) → effects`. Opening, acting, approving, time passing, events heard.
//! - [`world`]: what the engine asks the application for: people, posts, calendar, facts of records.
//! - [`scenario`]: a regulation's own tests, given / when / then with a movable clock.
//! - [`metrics`], [`tables`]: figures over cases, and what a report holds for a period.
//! - [`replay`]: what was done to a case, done again under a draft.
//! - [`show`], [`diff`], [`diagram`]: a policy, what changed between two, and a process, for people.
//!
//! A deadline's due time is the last instant that is in time. Money is whole cents. Times are milliseconds UTC.

pub mod case;
mod cast;
mod check;
pub mod diagram;
pub mod diff;
pub mod engine;
pub mod expr;
pub mod metrics;
pub mod model;
pub mod periods;
pub mod replay;
pub mod scenario;
pub mod show;
pub mod source;
pub mod tables;
pub mod value;
pub mod world;

pub use model::Policy;

pub use check::{LARGEST_FILE, MOST_FILES, MOST_PARTS, MOST_PROBLEMS, Problem, Settings, SourceFile, check};

/// The head of a policy, from its `policy.toml` alone: what a draft is called before anything else of it is right.
pub fn head(file: &SourceFile) -> Result<source::Head, Problem> {
    let problem = |line, text: String| Problem { file: file.name.clone(), line, text };
    if file.text.len() > LARGEST_FILE {
        return Err(problem(0, format!("文件太大，最多 {} KiB", LARGEST_FILE / 1024)));
    }
    let read: source::File = toml::from_str(&file.text).map_err(|error| {
        let (line, text) = check::told(&file.text, &error);
        problem(line, text)
    })?;
    match read.policy {
        Some(head) => Ok(head.into_inner()),
        None => Err(problem(0, "缺少 [policy]：制度的代号、名称和版本".to_owned())),
    }
}

/// The JSON Schema of a policy's files, generated from their types.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(source::File).to_value()
}
