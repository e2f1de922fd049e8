//! Scenarios: a regulation's own tests. Given a case or an event, when people act or time passes, then this must hold.
//! They run in the order they are written, on a clock that only moves forward; timers fire by themselves.

mod run;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use crate::SourceFile;
use crate::cast::Cast;

/// A scenario file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub title: String,
    /// The requirement rows it proves.
    #[serde(default)]
    pub covers: Vec<String>,
    /// The company's values of settings.
    #[serde(default)]
    pub settings: BTreeMap<String, toml::Value>,
    /// More of the cast.
    #[serde(default)]
    pub cast: Cast,
    /// The company's own days off and working days, in the format of `workday`.
    #[serde(default)]
    pub calendar: String,
    /// What there is.
    #[serde(default)]
    pub given: Vec<Spanned<Given>>,
    /// What happens.
    #[serde(default)]
    pub when: Vec<Spanned<When>>,
    /// What must hold.
    #[serde(default)]
    pub then: Vec<Spanned<Then>>,
}

/// A case that is opened, or an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// When: `2026-09-28 16:20`.
    pub at: String,
    /// Who opens it; without it, nobody: an event does.
    #[serde(default)]
    pub by: String,
    /// The form and its values.
    #[serde(default)]
    pub case: Option<toml::Table>,
    /// What the case is called in this scenario.
    #[serde(default, rename = "as")]
    pub name: String,
    /// An event instead, which triggers of the policy may answer.
    #[serde(default)]
    pub event: String,
    /// Its facts.
    #[serde(default)]
    pub facts: BTreeMap<String, toml::Value>,
    /// The clause that refuses it.
    #[serde(default)]
    pub refused: Option<toml::Value>,
}

/// Something that happens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// To which case; the last one when left out.
    pub case: String,
    /// The action.
    #[serde(rename = "do")]
    pub action: String,
    /// What is filled.
    pub fill: toml::Table,
    /// In an approval: `approve`, `reject`, `return`, `add-before`, `add-after`, `reassign`, `withdraw`, `urge`,
    /// `recuse`.
    pub decide: String,
    /// The step returned to.
    pub to: String,
    /// The people added, or the one it is reassigned to.
    pub people: Vec<String>,
    /// What is said.
    pub comment: String,
    /// An event of the application.
    pub event: String,
    /// Its facts.
    pub facts: BTreeMap<String, toml::Value>,
    /// What an exemption would stand for when the event is refused.
    pub of: String,
    /// A refusal somebody is exempted from, for `of`, or for the case.
    pub exempt: String,
    /// Until when.
    pub until: String,
    /// A fact of a record that changes: `customer:张三公司`.
    pub record: String,
    /// The clause that refuses it, or `true` for any refusal.
    pub refused: Option<toml::Value>,
}

/// What must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Then {
    /// When it is looked at; without it, at once.
    pub at: String,
    /// Which case.
    pub case: String,
    /// The step the case is at.
    pub step: String,
    /// How it ended.
    pub outcome: String,
    /// Whether it is open.
    pub open: Option<bool>,
    /// Marks it has.
    pub marks: Vec<String>,
    /// Marks it has not.
    pub no_marks: Vec<String>,
    /// Whether a deadline has passed.
    pub overdue: Option<bool>,
    /// Clauses cited since the last `then`.
    pub cites: Option<toml::Value>,
    /// Who has to act.
    pub tasks: Option<Vec<String>>,
    /// Due times by deadline, to the minute.
    pub due: BTreeMap<String, String>,
    /// Deadlines met in time (true) or late (false).
    pub met: BTreeMap<String, bool>,
    /// Values of fields.
    pub values: toml::Table,
    /// People who were told something since the last `then`.
    pub notified: Vec<String>,
    /// People who were not.
    pub not_notified: Vec<String>,
    /// Part of a text somebody got since the last `then`.
    pub says: String,
    /// Penalties since the last `then`: `张三 50` in yuan or points.
    pub fined: Option<Vec<String>>,
    /// Forms opened since the last `then`.
    pub opened: Option<Vec<String>>,
    /// What this person …
    pub by: String,
    /// … may do.
    pub can: Option<Vec<String>>,
    /// … and may not.
    pub cannot: Vec<String>,
    /// Figures over all cases of the scenario.
    pub figures: BTreeMap<String, f64>,
    /// When a duty or report is due: `"report 2026-09" = "2026-10-10 23:59"`.
    pub duty: BTreeMap<String, String>,
    /// Fields this person (`by`) may not see.
    pub hidden: Vec<String>,
    /// How many cases of the scenario are of each form.
    pub cases: BTreeMap<String, usize>,
    /// Who is proposed for a field of the case, the best first.
    pub offered: Option<Offered>,
    /// What a report holds for a period.
    pub table: Vec<TableOf>,
    /// People who read the case beside those who take part.
    pub readers: Vec<String>,
    /// People who do not.
    pub no_readers: Vec<String>,
}

/// Who is proposed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// For which field.
    pub field: String,
    /// What is filled beside it so far.
    #[serde(default)]
    pub fill: toml::Table,
    /// The people, the best first.
    pub people: Vec<String>,
}

/// What a report holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableOf {
    /// Which.
    pub report: String,
    /// A day of the period.
    pub on: String,
    /// The group, by the names of what it is broken down by; what is left out is summed up.
    pub by: BTreeMap<String, String>,
    /// The figure that is looked at.
    pub metric: String,
    /// Its value; `"-"` when nothing counts.
    pub figure: Option<toml::Value>,
    /// Cases that count.
    pub over: Option<i64>,
    /// Good ones of them.
    pub of: Option<i64>,
    /// Which cases count.
    pub cases: Option<Vec<String>>,
    /// The cases of the list.
    pub lines: Option<Vec<String>>,
    /// Totals of columns of the list.
    pub totals: BTreeMap<String, f64>,
}

/// How a scenario ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file.
    pub file: String,
    /// What it shows.
    pub title: String,
    /// The requirement rows it proves.
    pub covers: Vec<String>,
    /// What did not hold, by line.
    pub failures: Vec<(usize, String)>,
    /// The clauses it exercised.
    pub clauses: BTreeSet<String>,
}

impl Report {
    /// Whether everything held.
    pub fn is_green(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs the scenarios of a policy, each by itself. `cast.toml` among them is the cast of all.
pub fn run(files: &[SourceFile], vocabulary: &crate::expr::Vocabulary) -> Vec<Report> {
    let mut cast = Cast::default();
    let mut reports = Vec::new();
    if let Some(file) = files.iter().find(|file| file.name == "scenarios/cast.toml") {
        if let Some(report) = too_large(file) {
            return vec![report];
        }
        match toml::from_str::<Cast>(&file.text) {
            Ok(read) => cast = read,
            Err(error) => return vec![unreadable(file, &error)],
        }
    }
    // Most scenarios keep the settings as they are: for all of them the policy is checked once.
    let base = crate::check(files, &crate::Settings::new(), vocabulary);
    for file in files {
        if !file.name.starts_with("scenarios/")
            || file.name == "scenarios/cast.toml"
            || !file.name.ends_with(".toml")
        {
            continue;
        }
        if let Some(report) = too_large(file) {
            reports.push(report);
            continue;
        }
        reports.push(match toml::from_str::<Scenario>(&file.text) {
            Ok(scenario) => run::run(file, scenario, files, &cast, vocabulary, &base),
            Err(error) => unreadable(file, &error),
        });
    }
    reports
}

fn too_large(file: &SourceFile) -> Option<Report> {
    let failures = vec![(0, format!("文件太大，最多 {} KiB", crate::LARGEST_FILE / 1024))];
    (file.text.len() > crate::LARGEST_FILE).then(|| Report { failures, ..empty(file) })
}

fn unreadable(file: &SourceFile, error: &toml::de::Error) -> Report {
    Report { failures: vec![crate::check::told(&file.text, error)], ..empty(file) }
}

fn empty(file: &SourceFile) -> Report {
    Report {
        file: file.name.clone(),
        title: String::new(),
        covers: Vec::new(),
        failures: Vec::new(),
        clauses: BTreeSet::new(),
    }
}
