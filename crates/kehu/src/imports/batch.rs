//! One batch of an import: its rows, their outcomes and the place in the file in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use store::{Tx, Value};

use super::known::{Known, Sign};
use super::model::{Import, OnDuplicate};
use super::plan::{Plan, Work, Wrong};
use super::run::keep_in_report;
use crate::access::{Actor, Object, Verb};
use crate::app::App;
use crate::clock::Millis;
use crate::contacts;
use crate::customers::{self, Customer, Draft, FirstContact, Kind, Prepared, SPECS};
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId, ImportId};

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
    pub(super) fn add(&mut self, other: Self) {
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
pub(super) enum Halt {
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

#[derive(Clone)]
pub(super) struct Batch {
    pub id: ImportId,
    pub plan: Plan,
    pub works: Arc<Vec<Work>>,
    pub columns: Arc<[String]>,
    /// The place the import must have reached: whoever comes second finds another one and stops.
    pub from: i64,
    pub to: i64,
    pub now: Millis,
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

impl Note<'_> {
    fn is_refused(&self) -> bool {
        self.outcome == "failed"
    }

    /// As what a new customer was made whose row does not say.
    fn guessed(&self) -> Option<Kind> {
        let prepared = self.work.prepared.as_ref().ok().filter(|_| self.work.is_kind_guessed)?;
        (self.outcome == "created").then(|| prepared.customer().kind)
    }

    fn is_doubtful(&self) -> bool {
        matches!(self.outcome, "created" | "updated") && !self.work.doubts.is_empty()
    }
}

impl Batch {
    /// Writes the batch; when one row spoils it, again with every row on its own.
    pub async fn write(&self, app: &App) -> Result<Counts, Halt> {
        let own = self.clone();
        let first = app.db.write(move |tx| own.apply(tx, false)).await;
        let Err(Halt::Again) = first else { return first };
        let own = self.clone();
        app.db.write(move |tx| own.apply(tx, true)).await
    }

    fn apply(&self, tx: &mut Tx<'_>, one_by_one: bool) -> Result<Counts, Halt> {
        let mine = tx.exec(
            "UPDATE imports SET last_row = $3, heard_at = $4 WHERE id = $1 AND last_row = $2 AND state = 'running'
               AND is_cancel_wanted = FALSE",
            &[self.id.into(), self.from.into(), self.to.into(), self.now.into()],
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
        let refused = self.report(tx, &written.notes)?;
        self.insert_notes(tx, &written.notes, refused)?;
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

    /// Notes in the import what is in doubt about its rows; answers what is kept of those refused, by their numbers.
    fn report(
        &self,
        tx: &mut Tx<'_>,
        notes: &[Note<'_>],
    ) -> Result<HashMap<i64, (String, String)>, AppError> {
        let mut refused = HashMap::new();
        let is_told = |note: &Note<'_>| note.is_refused() || note.is_doubtful() || note.guessed().is_some();
        if notes.iter().any(is_told) {
            keep_in_report(tx, self.id, |report| {
                for kind in notes.iter().filter_map(Note::guessed) {
                    match kind {
                        Kind::Person => report.guessed.0 += 1,
                        Kind::Organisation => report.guessed.1 += 1,
                    }
                }
                for note in notes.iter().filter(|note| note.is_doubtful()) {
                    report.doubts.add(note.work, &self.columns);
                }
                for note in notes.iter().filter(|note| note.is_refused()) {
                    let kept = report.kept.take(note.work, &note.wrongs, &self.columns);
                    refused.insert(note.work.number, kept);
                }
            })?;
        }
        Ok(refused)
    }

    fn insert_notes(
        &self,
        tx: &mut Tx<'_>,
        notes: &[Note<'_>],
        mut refused: HashMap<i64, (String, String)>,
    ) -> Result<(), Halt> {
        let rows: Vec<Vec<Value<'_>>> = notes
            .iter()
            .map(|note| {
                let (cells, problems) = refused.remove(&note.work.number).unwrap_or_default();
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
        let is_change = found.is_some() && self.batch.plan.on_duplicate() == OnDuplicate::Update;
        if let Some(text) = known.doubt(&work.looked_for).filter(|_| is_change && !work.is_broken) {
            self.refuse(work, vec![Wrong { column: None, text }]);
            return Ok(());
        }
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
