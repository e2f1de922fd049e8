//! The import itself: batches of rows, each one transaction with customers, notes about the rows, counts and the place
//! reached, so that an import killed anywhere goes on without losing or doubling a row.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use store::{Tx, Value};

use super::check::{Doubts, reasons};
use super::model::{Import, OnDuplicate, State, load_any};
use super::plan::{Known, Plan, Sign, Work, Wrong};
use super::reader::{self, Message};
use crate::access::{Actor, Object, Verb, Via};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::customers::{self, Customer, Draft, FirstContact, Prepared, SPECS};
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId, ImportId, PersonId};
use crate::jobs::{Outcome, Task};
use crate::{contacts, events, files, numbering, text};

/// What a job begins with.
pub struct Start {
    /// The import.
    pub import: Import,
    /// Its settings.
    pub plan: Plan,
    /// Path and name of its file.
    pub source: (PathBuf, String),
}

/// Loads an import that is in the state its job expects; `None` when there is nothing to do any more.
pub async fn begin(app: &App, id: ImportId, state: State) -> Result<Option<Start>, AppError> {
    let catalogue = app.catalogue().await?;
    let import = app.db.read(move |conn| load_any(conn, id)).await?;
    let Some(import) = import.filter(|i| i.state == state) else { return Ok(None) };
    let own = app.clone();
    let actor = actor_of(app, import.created_by).await;
    let outcome = app
        .db
        .read(move |conn| {
            let actor = actor?;
            let file = files::load(conn, &actor, Verb::Read, import.file_id)?;
            let source = (files::store_path(&own, &file), import.file_name.clone());
            let plan = Plan::new(conn, &import, actor, catalogue)?;
            Ok(Some(Start { import, plan, source }))
        })
        .await;
    match outcome {
        // A field was retired, the person has left: trying again does not help.
        Err(error @ (AppError::Invalid(_) | AppError::NotFound | AppError::Forbidden(_))) => {
            fail(app, id, state, error.to_string().trim(), app.now()).await?;
            Ok(None)
        }
        other => other,
    }
}

/// The person an import is done for, with the rights he has now.
pub async fn actor_of(app: &App, person: PersonId) -> Result<Actor, AppError> {
    let actor = app.actor_for(person, Via::Job).await?;
    actor.ok_or_else(|| AppError::Forbidden(text!("导入人已停用，不能继续导入")))
}

/// Ends an import that cannot go on.
pub async fn fail(app: &App, id: ImportId, from: State, reason: &str, now: Millis) -> Result<(), AppError> {
    let reason: String = reason.chars().take(500).collect();
    app.db
        .write(move |tx| {
            tx.exec(
                "UPDATE imports SET state = 'failed', problem = $3, finished_at = $4, version = version + 1
                 WHERE id = $1 AND state = $2",
                &[id.into(), from.code().into(), (&reason).into(), now.into()],
            )?;
            Ok(())
        })
        .await
}

/// The job.
pub async fn job(app: App, task: Task) -> Result<Outcome, AppError> {
    let id = ImportId(task.subject_id);
    let Some(start) = begin(&app, id, State::Running).await? else { return Ok(Outcome::Done) };
    run(&app, start, &task, |_| ()).await
}

/// What a batch did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows read.
    pub read: i64,
    /// Customers made.
    pub created: i64,
    /// Customers changed.
    pub updated: i64,
    /// Rows skipped.
    pub skipped: i64,
    /// Rows refused.
    pub failed: i64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.created += other.created;
        self.updated += other.updated;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }

    /// Those of an import.
    pub fn of(import: &Import) -> Self {
        Self {
            read: import.read,
            created: import.created,
            updated: import.updated,
            skipped: import.skipped,
            failed: import.failed,
        }
    }
}

/// Why a batch was not written.
enum Halt {
    /// Somebody wants it to stop, or another worker has gone on with it.
    NotMine,
    /// A row spoils its neighbours: again, each row alone.
    Again,
    /// Try later.
    Error(AppError),
}

impl From<store::Error> for Halt {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Constraint { .. } => Self::Again,
            other => Self::Error(other.into()),
        }
    }
}

impl From<AppError> for Halt {
    fn from(error: AppError) -> Self {
        Self::Error(error)
    }
}

/// Runs an import from the place it reached; `progress` hears the counts after every batch.
pub async fn run(
    app: &App,
    start: Start,
    task: &Task,
    mut progress: impl FnMut(&Counts),
) -> Result<Outcome, AppError> {
    let Start { import, plan, source } = start;
    let (id, now) = (import.id, app.now());
    if import.last_row == 0 && plan.has_numbers() {
        keep_clear(app, &plan, source.clone()).await?;
    }
    let reading = plan.clone();
    let mut batches = reader::batches(source.0, source.1, import.last_row, move |row| reading.read(row, now));
    let (mut place, mut total) = (import.last_row, Counts::of(&import));
    let columns: Arc<[String]> = import.columns().into();
    while let Some(message) = batches.recv().await {
        match message? {
            Message::Batch(works) => {
                let works = Arc::new(works);
                let next = works.last().map_or(place, |w| w.number);
                let batch = Batch {
                    id,
                    plan: plan.clone(),
                    works,
                    columns: Arc::clone(&columns),
                    from: place,
                    to: next,
                    now: app.now(),
                };
                match batch.write(app).await {
                    Ok(counts) => total.add(counts),
                    Err(Halt::Error(error)) => return Err(error),
                    Err(Halt::NotMine | Halt::Again) => return stop_if_wanted(app, id, &plan).await,
                }
                place = next;
                progress(&total);
                if task.is_stopping() {
                    return Ok(Outcome::Interrupted);
                }
            }
            Message::Warning(problem) => {
                app.db.write(move |tx| keep_doubts(tx, id, |doubts| doubts.add_file(&problem))).await?;
            }
            Message::End => {
                finish(app, id, &plan, State::Done, "").await?;
                return Ok(Outcome::Done);
            }
            Message::Failed(problem) => {
                finish(app, id, &plan, State::Failed, &problem.zh).await?;
                return Ok(Outcome::Done);
            }
        }
    }
    Err(AppError::Internal("the reading thread ended without a word".into()))
}

/// Notes the numbers of the system's own series in the file, so that no row without a number gets one that stands
/// further down.
async fn keep_clear(app: &App, plan: &Plan, source: (PathBuf, String)) -> Result<(), AppError> {
    let reading = plan.clone();
    let mut serials = reader::batches(source.0, source.1, 0, move |row| reading.serial(&row.cells));
    let mut given = Vec::new();
    while let Some(message) = serials.recv().await {
        match message? {
            Message::Batch(batch) => given.extend(batch.into_iter().flatten()),
            // What is wrong with the file is said when its rows are written.
            Message::Warning(_) => {}
            Message::End | Message::Failed(_) => break,
        }
    }
    if given.is_empty() {
        return Ok(());
    }
    Ok(app.db.write(move |tx| numbering::note_given(tx, "customer", &mut given.clone())).await?)
}

/// Adds to what is in doubt about a running import; kept with it, so that one that is killed goes on counting.
fn keep_doubts(tx: &mut Tx<'_>, id: ImportId, add: impl FnOnce(&mut Doubts)) -> Result<(), AppError> {
    let Some(mut import) = load_any(tx, id)? else { return Ok(()) };
    let before = import.report.doubts.clone();
    add(&mut import.report.doubts);
    if import.report.doubts != before {
        super::model::save_report(tx, id, &import.report)?;
    }
    Ok(())
}

async fn stop_if_wanted(app: &App, id: ImportId, plan: &Plan) -> Result<Outcome, AppError> {
    let is = app.db.read(move |conn| Ok::<_, AppError>(load_any(conn, id)?)).await?;
    match is {
        Some(import) if import.state == State::Running && import.is_cancel_wanted => {
            finish(app, id, plan, State::Cancelled, "").await?;
            Ok(Outcome::Done)
        }
        // A worker thought dead still writes: come again when it has ended.
        Some(import) if import.state == State::Running => Err(AppError::Unavailable),
        _ => Ok(Outcome::Done),
    }
}

/// Ends a running import, with its audit row.
async fn finish(app: &App, id: ImportId, plan: &Plan, state: State, problem: &str) -> Result<(), AppError> {
    let (actor, now, problem) = (plan.actor().clone(), app.now(), problem.to_owned());
    app.db
        .write(move |tx| {
            let ended = tx.exec(
                "UPDATE imports SET state = $2, problem = $3, finished_at = $4, version = version + 1,
                   total = CASE WHEN $2 = 'done' THEN read_rows ELSE total END
                 WHERE id = $1 AND state = 'running'",
                &[id.into(), state.code().into(), (&problem).into(), now.into()],
            )?;
            if ended == 1
                && let Some(import) = load_any(tx, id)?
            {
                let after = json!({
                    "state": state.code(), "file": import.file_name, "read": import.read, "created": import.created,
                    "updated": import.updated, "skipped": import.skipped, "failed": import.failed,
                });
                audit::record(tx, &actor, now, &Entry::of("import.finished", "import", id.0).after(&after))?;
                events::emit(tx, &actor, now, "import.finished", "import", id.0, 0)?;
            }
            Ok(())
        })
        .await
}

/// Notes that the job of an import was given up: with the reason when a person can do something about it.
pub fn give_up(tx: &mut Tx<'_>, id: i64, error: &AppError, now: Millis) -> store::Result<()> {
    tracing::error!(import = %ImportId(id), %error, "an import was given up");
    let reason: String = error.to_string().trim().chars().take(500).collect();
    for (state, otherwise) in [
        (
            State::Undoing,
            "系统多次尝试都没有成功，撤销没有做完。请联系管理员查看服务器日志，之后可以再撤销一次",
        ),
        (
            State::Checking,
            "系统多次尝试都没有成功，已停止。请联系管理员查看服务器日志，之后可以重新导入同一文件",
        ),
        (
            State::Running,
            "系统多次尝试都没有成功，已停止。请联系管理员查看服务器日志，之后可以重新导入同一文件",
        ),
    ] {
        let problem = if error.is_final() { reason.as_str() } else { otherwise };
        tx.exec(
            "UPDATE imports SET state = 'failed', problem = $2, finished_at = COALESCE(finished_at, $3),
               version = version + 1 WHERE id = $1 AND state = $4",
            &[id.into(), problem.into(), now.into(), state.code().into()],
        )?;
    }
    Ok(())
}

#[derive(Clone)]
struct Batch {
    id: ImportId,
    plan: Plan,
    works: Arc<Vec<Work>>,
    columns: Arc<[String]>,
    /// The place the import must have reached: whoever comes second finds another one and stops.
    from: i64,
    to: i64,
    now: Millis,
}

/// What became of a row.
struct Note<'w> {
    work: &'w Work,
    outcome: &'static str,
    customer: Option<CustomerId>,
    before: Option<Json>,
    version_after: i64,
    /// Whom it added to a customer that was there.
    contact: Option<ContactId>,
    wrongs: Vec<Wrong>,
}

impl Batch {
    /// Writes the batch; when one row spoils it, again with every row on its own.
    async fn write(&self, app: &App) -> Result<Counts, Halt> {
        let own = self.clone();
        let first = app.db.write(move |tx| own.apply(tx, false)).await;
        let Err(Halt::Again) = first else { return first };
        let own = self.clone();
        app.db.write(move |tx| own.apply(tx, true)).await
    }

    fn apply(&self, tx: &mut Tx<'_>, one_by_one: bool) -> Result<Counts, Halt> {
        let mine = tx.exec(
            "UPDATE imports SET last_row = $3 WHERE id = $1 AND last_row = $2 AND state = 'running'
               AND is_cancel_wanted = FALSE",
            &[self.id.into(), self.from.into(), self.to.into()],
        )?;
        if mine == 0 {
            return Err(Halt::NotMine);
        }
        let mut written =
            Written { batch: self, one_by_one, here: HashMap::new(), pending: Vec::new(), notes: Vec::new() };
        if self.plan.on_duplicate() == OnDuplicate::Create {
            for work in self.works.iter() {
                written.make(tx, work)?;
            }
        } else {
            let known = Known::load(tx, self.plan.actor(), self.works.iter())?;
            for work in self.works.iter() {
                written.take(tx, work, &known)?;
            }
        }
        written.flush(tx)?;
        let counts = written.counts();
        self.insert_notes(tx, &written.notes)?;
        let doubtful: Vec<&Work> = written
            .notes
            .iter()
            .filter(|n| matches!(n.outcome, "created" | "updated") && !n.work.doubts.is_empty())
            .map(|n| n.work)
            .collect();
        if !doubtful.is_empty() {
            keep_doubts(tx, self.id, |doubts| doubtful.iter().for_each(|w| doubts.add(w, &self.columns)))?;
        }
        tx.exec(
            "UPDATE imports SET read_rows = read_rows + $2, created = created + $3, updated = updated + $4,
               skipped = skipped + $5, failed = failed + $6 WHERE id = $1",
            &[
                self.id.into(),
                counts.read.into(),
                counts.created.into(),
                counts.updated.into(),
                counts.skipped.into(),
                counts.failed.into(),
            ],
        )?;
        Ok(counts)
    }

    fn insert_notes(&self, tx: &mut Tx<'_>, notes: &[Note<'_>]) -> Result<(), Halt> {
        let rows: Vec<Vec<Value<'_>>> = notes
            .iter()
            .map(|note| {
                let (cells, problems) = if note.outcome == "failed" {
                    (json!(note.work.cells).to_string(), problems(&note.wrongs, &self.columns))
                } else {
                    (String::new(), String::new())
                };
                vec![
                    self.id.into(),
                    note.work.number.into(),
                    note.outcome.into(),
                    note.customer.into(),
                    note.before.as_ref().map(Json::to_string).unwrap_or_default().into(),
                    note.version_after.into(),
                    note.contact.into(),
                    if note.contact.is_some() { "added" } else { "" }.into(),
                    cells.into(),
                    problems.into(),
                ]
            })
            .collect();
        tx.insert_rows(
            "INSERT INTO import_rows (import_id, row_number, outcome, customer_id, before, version_after, contact_id,
               contact_outcome, cells, problems)",
            &rows,
            "",
        )?;
        Ok(())
    }
}

/// What is wrong with a row as the table keeps it: column, Chinese, English.
fn problems(wrongs: &[Wrong], columns: &[String]) -> String {
    let words = reasons(wrongs, columns);
    let all: Vec<Json> = wrongs.iter().zip(words).map(|(w, (_, zh, en))| json!([w.column, zh, en])).collect();
    Json::Array(all).to_string()
}

/// A batch being written.
struct Written<'b> {
    batch: &'b Batch,
    one_by_one: bool,
    /// Customers made or changed by earlier rows of this batch, by their signs.
    here: HashMap<&'b Sign, CustomerId>,
    /// Rows whose customers are still to be made, together.
    pending: Vec<(&'b Work, &'b Prepared)>,
    notes: Vec<Note<'b>>,
}

impl<'b> Written<'b> {
    fn take(&mut self, tx: &mut Tx<'_>, work: &'b Work, known: &Known) -> Result<(), Halt> {
        let found =
            work.looked_for.iter().find_map(|sign| self.here.get(sign).copied().or_else(|| known.get(sign)));
        match (found, self.batch.plan.on_duplicate(), &work.prepared) {
            (Some(customer), OnDuplicate::Update, _) if !work.is_broken => self.change(tx, work, customer),
            (Some(customer), OnDuplicate::Skip, Ok(_)) => {
                self.note(work, "skipped", Some(customer));
                Ok(())
            }
            _ => self.make(tx, work),
        }
    }

    fn note(&mut self, work: &'b Work, outcome: &'static str, customer: Option<CustomerId>) {
        self.notes.push(Note {
            work,
            outcome,
            customer,
            before: None,
            version_after: 1,
            contact: None,
            wrongs: Vec::new(),
        });
    }

    fn refuse(&mut self, work: &'b Work, wrongs: Vec<Wrong>) {
        self.notes.push(Note {
            work,
            outcome: "failed",
            customer: None,
            before: None,
            version_after: 0,
            contact: None,
            wrongs,
        });
    }

    fn make(&mut self, tx: &mut Tx<'_>, work: &'b Work) -> Result<(), Halt> {
        let prepared = match &work.prepared {
            Ok(prepared) => prepared,
            Err(wrongs) => {
                self.refuse(work, wrongs.clone());
                return Ok(());
            }
        };
        let id = prepared.customer().id;
        if self.one_by_one {
            let (plan, import, now) = (&self.batch.plan, self.batch.id, self.batch.now);
            let made =
                tx.savepoint(|tx| customers::create_many(tx, plan.actor(), &[prepared], Some(import), now));
            if let Err(error) = made {
                let wrongs = plan.wrongs_of(&error).ok_or(Halt::Error(error))?;
                self.refuse(work, wrongs);
                return Ok(());
            }
            self.note(work, "created", Some(id));
        } else {
            self.pending.push((work, prepared));
        }
        for sign in &work.signs {
            self.here.entry(sign).or_insert(id);
        }
        Ok(())
    }

    /// Makes the customers that wait, all at once.
    fn flush(&mut self, tx: &mut Tx<'_>) -> Result<(), Halt> {
        let pending = std::mem::take(&mut self.pending);
        let prepared: Vec<&Prepared> = pending.iter().map(|(_, p)| *p).collect();
        let (plan, import, now) = (&self.batch.plan, self.batch.id, self.batch.now);
        customers::create_many(tx, plan.actor(), &prepared, Some(import), now).map_err(|error| {
            if plan.wrongs_of(&error).is_some() { Halt::Again } else { Halt::Error(error) }
        })?;
        for (work, prepared) in pending {
            self.note(work, "created", Some(prepared.customer().id));
        }
        Ok(())
    }

    fn change(&mut self, tx: &mut Tx<'_>, work: &'b Work, id: CustomerId) -> Result<(), Halt> {
        // The customer may be one that still waits to be made.
        self.flush(tx)?;
        let (plan, now) = (&self.batch.plan, self.batch.now);
        let changed = tx.savepoint(|tx| {
            let old = customers::load_for(tx, plan.actor(), Object::Customer, Verb::Update, id)?;
            let draft = Draft { number: None, ..work.draft.clone() };
            let new = customers::update(tx, plan.actor(), plan.catalogue(), id, None, &draft, now)?;
            let added = match &work.contact {
                Some(contact) => keep_contact(tx, plan.actor(), id, contact, now)?,
                None => None,
            };
            Ok::<_, AppError>((before(&old, &new), new.version, added))
        });
        match changed {
            Ok((before, version_after, contact)) => {
                self.notes.push(Note {
                    work,
                    outcome: "updated",
                    customer: Some(id),
                    before,
                    version_after,
                    contact,
                    wrongs: Vec::new(),
                });
                for sign in &work.signs {
                    self.here.entry(sign).or_insert(id);
                }
            }
            Err(error) => {
                let wrongs = plan.wrongs_of(&error).ok_or(Halt::Error(error))?;
                self.refuse(work, wrongs);
            }
        }
        Ok(())
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts { read: self.notes.len() as i64, ..Counts::default() };
        for note in &self.notes {
            match note.outcome {
                "created" => counts.created += 1,
                "updated" => counts.updated += 1,
                "skipped" => counts.skipped += 1,
                _ => counts.failed += 1,
            }
        }
        counts
    }
}

/// The values an update replaced, in the form `undo` puts them back: those of the API.
fn before(old: &Customer, new: &Customer) -> Option<Json> {
    let mut before = serde_json::Map::new();
    for spec in SPECS.iter().filter(|s| old.values[s.field] != new.values[s.field]) {
        before.insert(spec.key.into(), old.values[spec.field].into());
    }
    if old.tags != new.tags {
        before.insert("tags".into(), json!(old.tags));
    }
    if old.owner_id != new.owner_id {
        before.insert("owner_id".into(), json!(old.owner_id));
    }
    let changed: serde_json::Map<String, Json> = old
        .custom
        .keys()
        .chain(new.custom.keys())
        .filter(|k| old.custom.get(*k) != new.custom.get(*k))
        .map(|k| (k.clone(), old.custom.get(k).cloned().unwrap_or(Json::Null)))
        .collect();
    if !changed.is_empty() {
        before.insert("custom".into(), Json::Object(changed));
    }
    (!before.is_empty()).then_some(Json::Object(before))
}

/// Adds the contact person of an updated customer and answers his id, or fills in what the row says of the one with
/// this name.
fn keep_contact(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    contact: &FirstContact,
    now: Millis,
) -> Result<Option<ContactId>, AppError> {
    let mut body = serde_json::Map::new();
    for (key, value) in [
        ("name", &contact.name),
        ("phone", &contact.phone),
        ("title", &contact.title),
        ("department", &contact.department),
        ("email", &contact.email),
    ] {
        if !value.is_empty() {
            body.insert(key.into(), value.as_str().into());
        }
    }
    let draft = contacts::Draft::from_json(body).map_err(AppError::Invalid)?;
    let there = contacts::of_customer(tx, actor, customer)?;
    match there.iter().find(|c| c.name == contact.name) {
        Some(known) => contacts::update(tx, actor, known.id, None, &draft, now).map(|_| None),
        None => contacts::create(tx, actor, customer, &draft, now).map(|added| Some(added.id)),
    }
}
