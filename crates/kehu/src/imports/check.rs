//! The check before an import: the whole file is read and understood, nothing is written.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::known::{Known, Sign};
use super::mapping::Target;
use super::model::{OnDuplicate, State};
use super::plan::{Plan, Work, Wrong};
use super::reader::{self, Message, Source};
use crate::app::App;
use crate::customers::{self, Customer, Field, Kind};
use crate::error::AppError;
use crate::i18n::{Lang, Text};
use crate::ids::ImportId;
use crate::jobs::{Outcome, Task};

/// Problem rows and example rows kept.
const PROBLEMS: usize = 50;
const EXAMPLES: usize = 20;

/// What the check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Rows read.
    pub rows: i64,
    /// Customers that would be made.
    pub created: i64,
    /// Customers that would be changed.
    pub updated: i64,
    /// Rows that would be skipped.
    pub skipped: i64,
    /// Rows that would be refused.
    pub failed: i64,
    /// Rows whose kind was guessed: as persons, as organisations; while the import runs, of the customers it made.
    pub guessed: (i64, i64),
    /// The first rows that would be refused.
    pub problems: Vec<BadRow>,
    /// The first rows as they would be stored.
    pub examples: Vec<Example>,
    /// What was in doubt; while the import runs, of the rows it wrote.
    pub doubts: Doubts,
    /// What is kept of rows that were refused; only while and after the import runs.
    pub kept: Kept,
}

/// What is kept of refused rows for the error file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Bytes of cells and reasons.
    pub bytes: i64,
    /// Rows of which only the number is kept, because those before took the room.
    pub without: i64,
}

/// Bytes kept of the refused rows of one import: some hundred thousand ordinary rows.
const MOST_KEPT: i64 = 32 << 20;
/// Reasons kept of one row.
const MOST_REASONS: usize = 20;

impl Kept {
    /// The cells and the reasons of a refused row as the table keeps them; empty once the room is used up. From the
    /// first row on that finds none, no row is kept whole, so that a person can say where the rest begins.
    pub(super) fn take(&mut self, work: &Work, wrongs: &[Wrong], columns: &[String]) -> (String, String) {
        let row = (json!(work.cells).to_string(), problems(wrongs, columns));
        let bytes = self.bytes + (row.0.len() + row.1.len()) as i64;
        if self.without > 0 || bytes > MOST_KEPT {
            self.without += 1;
            return Default::default();
        }
        self.bytes = bytes;
        row
    }
}

/// What is wrong with a row as the table keeps it: column, Chinese, English.
fn problems(wrongs: &[Wrong], columns: &[String]) -> String {
    let wrongs = &wrongs[..wrongs.len().min(MOST_REASONS)];
    let words = reasons(wrongs, columns);
    let all: Vec<Json> = wrongs.iter().zip(words).map(|(w, (_, zh, en))| json!([w.column, zh, en])).collect();
    Json::Array(all).to_string()
}

/// What a person should look at though it can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Doubts {
    /// Rows.
    pub rows: i64,
    /// The first of them.
    pub first: Vec<BadRow>,
    /// About the file as a whole: (Chinese words, English words).
    pub file: Vec<(String, String)>,
}

impl Doubts {
    /// Notes a row that is written, if anything in it is in doubt.
    pub fn add(&mut self, work: &Work, columns: &[String]) {
        if work.doubts.is_empty() {
            return;
        }
        self.rows += 1;
        if self.first.len() < PROBLEMS {
            let reasons = reasons(&work.doubts, columns);
            self.first.push(BadRow { row: work.number, name: work.name(), reasons });
        }
    }

    /// Notes what a person should know of the file as a whole, once.
    pub fn add_notes(&mut self, notes: &[Text]) {
        for note in notes {
            let words = (note.to(Lang::Zh), note.to(Lang::En));
            if self.file.len() < PROBLEMS && !self.file.contains(&words) {
                self.file.push(words);
            }
        }
    }

    /// Notes a warning about the file, once.
    pub fn add_file(&mut self, problem: &sheets::Problem) {
        let words = (problem.zh.clone(), problem.en.clone());
        if self.file.len() < PROBLEMS && !self.file.contains(&words) {
            self.file.push(words);
        }
    }
}

/// A row that would be refused or is in doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// Its number in the file.
    pub row: i64,
    /// How it can be recognised: its first cell that holds something.
    pub name: String,
    /// (heading, Chinese words, English words)
    pub reasons: Vec<(String, String, String)>,
}

/// A row as it would be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Its number in the file.
    pub row: i64,
    /// `create`, `update` or `skip`.
    pub act: String,
    /// The customer's values: (code of the target, value).
    pub values: Vec<(String, String)>,
}

/// What is wrong, with the headings, in both languages.
pub fn reasons(wrongs: &[Wrong], columns: &[String]) -> Vec<(String, String, String)> {
    wrongs
        .iter()
        .map(|w| {
            let heading = w.column.and_then(|c| columns.get(c)).cloned().unwrap_or_default();
            (heading, w.text.to(Lang::Zh), w.text.to(Lang::En))
        })
        .collect()
}

impl Report {
    /// Counts a batch as the run would treat it. `seen` holds what earlier rows of the file would have made; `refused`
    /// hears of every row that would be refused.
    fn take(
        &mut self,
        works: &[Work],
        known: &Known,
        plan: &Plan,
        seen: &mut Seen,
        refused: &mut impl FnMut(&Work, &[Wrong]) -> Result<(), AppError>,
    ) -> Result<(), AppError> {
        let columns = plan.columns();
        for work in works {
            self.rows += 1;
            let there = |sign: &Sign| known.get(sign).is_some() || seen.has(sign);
            let is_there = plan.on_duplicate() != OnDuplicate::Create && work.looked_for.iter().any(there);
            if is_there
                && plan.on_duplicate() == OnDuplicate::Update
                && !work.is_broken
                && let Some(text) = known.doubt(&work.looked_for)
            {
                let wrongs = [Wrong { column: None, text }];
                self.refuse(work, &wrongs, columns);
                refused(work, &wrongs)?;
                continue;
            }
            let act = match (&work.prepared, plan.on_duplicate()) {
                // A change needs less than a new customer does: what a row lacks the customer may have.
                (Err(_), OnDuplicate::Update) if is_there && !work.is_broken => "update",
                (Err(wrongs), _) => {
                    self.refuse(work, wrongs, columns);
                    refused(work, wrongs)?;
                    continue;
                }
                (Ok(_), OnDuplicate::Skip) if is_there => "skip",
                (Ok(_), OnDuplicate::Update) if is_there => "update",
                (Ok(_), _) => "create",
            };
            if act == "create"
                && let Some(number) = work.number_wanted()
                && (known.is_taken(number) || !seen.add_number(number))
            {
                let wrongs = [plan.wrong_of(&customers::number_taken(number))];
                self.refuse(work, &wrongs, columns);
                refused(work, &wrongs)?;
                continue;
            }
            match act {
                "skip" => self.skipped += 1,
                "update" => self.updated += 1,
                _ => self.created += 1,
            }
            if act != "skip" {
                seen.add(&work.signs);
                self.doubts.add(work, columns);
            }
            let Ok(prepared) = &work.prepared else { continue };
            if work.is_kind_guessed {
                match prepared.customer().kind {
                    Kind::Person => self.guessed.0 += 1,
                    Kind::Organisation => self.guessed.1 += 1,
                }
            }
            if self.examples.len() < EXAMPLES {
                self.examples.push(Example {
                    row: work.number,
                    act: act.to_owned(),
                    values: values(prepared.customer(), work),
                });
            }
        }
        Ok(())
    }
}

impl Report {
    fn refuse(&mut self, work: &Work, wrongs: &[Wrong], columns: &[String]) {
        self.failed += 1;
        if self.problems.len() < PROBLEMS {
            self.problems.push(BadRow {
                row: work.number,
                name: work.name(),
                reasons: reasons(wrongs, columns),
            });
        }
    }
}

/// The values of a customer worth showing.
fn values(customer: &Customer, work: &Work) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if !customer.number.is_empty() {
        all.push((Target::Number.code(), customer.number.clone()));
    }
    all.push((Target::Kind.code(), customer.kind.code().to_owned()));
    for spec in &crate::customers::SPECS {
        let value = customer.get(spec.field);
        if !value.is_empty() && (spec.field != Field::Class || work.draft.fields.contains_key(&Field::Class))
        {
            all.push((spec.key.to_owned(), value.chars().take(80).collect()));
        }
    }
    if let Some(contact) = &work.contact {
        all.push(("contact.name".into(), contact.name.clone()));
        all.push(("contact.phone".into(), contact.phone.clone()));
    }
    if !customer.tags.is_empty() {
        all.push(("tags".into(), customer.tags.join("、")));
    }
    for (key, value) in &customer.custom {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        all.push((format!("custom.{key}"), text));
    }
    all
}

/// Signs of rows seen, as hashes: half a million rows take a few dozen megabytes.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Seen {
    fn add(&mut self, signs: &[Sign]) {
        for sign in signs {
            self.hashes.insert(self.hasher.hash_one(sign));
        }
    }
    /// Notes the number of a new customer; false when an earlier row has it.
    fn add_number(&mut self, number: &str) -> bool {
        self.hashes.insert(self.hasher.hash_one(("number", number)))
    }
    fn has(&self, sign: &Sign) -> bool {
        self.hashes.contains(&self.hasher.hash_one(sign))
    }
}

/// Reads and judges the whole file; `refused` hears of every row that would be refused, `progress` after each batch,
/// and ends the check by answering false.
pub async fn check(
    app: &App,
    plan: &Plan,
    source: Source,
    mut refused: impl FnMut(&Work, &[Wrong]) -> Result<(), AppError>,
    mut progress: impl AsyncFnMut(&Report) -> Result<bool, AppError>,
) -> Result<Checked, AppError> {
    let (reading, now) = (plan.clone(), app.now());
    let mut batches = reader::batches(source, 0, move |row| reading.read(row, now));
    let (mut report, mut seen) = (Report::default(), Seen::default());
    report.doubts.add_notes(plan.notes());
    while let Some(message) = batches.recv().await {
        match message? {
            Message::Batch(works) => {
                let actor = plan.actor().clone();
                let (works, known) = app
                    .db
                    .read(move |conn| {
                        let known = Known::load(conn, &actor, works.iter())?.with_numbers(conn, &works)?;
                        Ok::<_, AppError>((works, known))
                    })
                    .await?;
                report.take(&works, &known, plan, &mut seen, &mut refused)?;
                if !progress(&report).await? {
                    return Ok(Checked::Stopped);
                }
            }
            Message::Warning(problem) => report.doubts.add_file(&problem),
            Message::End => return Ok(Checked::Whole(report)),
            Message::Failed(problem) => return Ok(Checked::Unreadable(problem)),
        }
    }
    Err(AppError::Internal("the reading thread ended without a word".into()))
}

/// How a check ended.
pub enum Checked {
    /// At the end of the file.
    Whole(Report),
    /// The file cannot be read to its end.
    Unreadable(sheets::Problem),
    /// It was told to stop.
    Stopped,
}

/// The job.
pub async fn job(app: App, task: Task) -> Result<Outcome, AppError> {
    let id = ImportId(task.subject_id);
    let Some(start) = super::run::begin(&app, id, State::Checking).await? else { return Ok(Outcome::Done) };
    let (own, stop) = (app.clone(), task.clone());
    let outcome = check(&app, &start.plan, start.source, |_, _| Ok(()), async move |report: &Report| {
        if stop.is_stopping() {
            return Ok(false);
        }
        let rows = report.rows;
        own.db
            .write(move |tx| {
                let going = tx.exec(
                    "UPDATE imports SET read_rows = $2 WHERE id = $1 AND state = 'checking' AND is_cancel_wanted = FALSE",
                    &[id.into(), rows.into()],
                )?;
                Ok(going == 1)
            })
            .await
    })
    .await?;
    let now = app.now();
    match outcome {
        Checked::Whole(report) => {
            let body = serde_json::to_value(&report).map_err(|e| AppError::Internal(e.to_string()))?;
            app.db
                .write(move |tx| {
                    tx.exec(
                        "UPDATE imports SET state = 'checked', report = $2, total = $3, read_rows = 0, version = version + 1
                         WHERE id = $1 AND state = 'checking'",
                        &[id.into(), (&body).into(), report.rows.into()],
                    )?;
                    Ok::<_, AppError>(())
                })
                .await?;
        }
        Checked::Unreadable(problem) => {
            super::run::fail(&app, id, State::Checking, reader::words(&problem), now).await?;
        }
        Checked::Stopped if task.is_stopping() => return Ok(Outcome::Interrupted),
        // Cancelled while it was being checked: back to the columns.
        Checked::Stopped => {
            app.db
                .write(move |tx| {
                    tx.exec(
                        "UPDATE imports SET state = 'uploaded', is_cancel_wanted = FALSE, read_rows = 0,
                           version = version + 1 WHERE id = $1 AND state = 'checking'",
                        &[id.into()],
                    )?;
                    Ok::<_, AppError>(())
                })
                .await?;
        }
    }
    Ok(Outcome::Done)
}
