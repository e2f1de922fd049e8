//! Taking a whole import back: customers it made that nobody worked with since go away, values it replaced come back
//! where nobody changed them since, contacts it added to others go away unless used since; the rest stays and is
//! reported.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};
use store::Tx;

use super::model::{Import, State, load_any};
use crate::access::{Actor, Object, Verb, Via};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::customers::{self, Draft};
use crate::error::AppError;
use crate::ids::{ContactId, CustomerId, ImportId};
use crate::jobs::{self, Outcome, Task};
use crate::{contacts, events, text};

/// Rows taken back in one transaction.
const BATCH: i64 = 100;

/// Asks for it; the job does it with the rights of the one who asked.
pub fn ask(tx: &mut Tx<'_>, actor: &Actor, id: ImportId, now: Millis) -> Result<Import, AppError> {
    let import = super::model::load(tx, actor, id)?;
    if !import.state.is_over() || import.created + import.updated == 0 {
        return Err(AppError::Conflict(text!("这次导入没有可以撤销的内容")));
    }
    tx.exec(
        "UPDATE imports SET state = 'undoing', undone_by = $2, problem = '', version = version + 1 WHERE id = $1",
        &[id.into(), actor.person_id.into()],
    )?;
    jobs::enqueue(tx, super::UNDO, id.0, now)?;
    audit::record(tx, actor, now, &Entry::of("import.undo_requested", "import", id.0))?;
    load_any(tx, id)?.ok_or(AppError::NotFound)
}

/// Versions of customers whose later change by this import was taken back: before that change, and now.
type Unwound = HashMap<CustomerId, (i64, i64)>;

struct Row {
    number: i64,
    is_created: bool,
    customer: CustomerId,
    before: String,
    version_after: i64,
    /// Whom the row added to a customer that was there.
    contact: Option<ContactId>,
}

impl store::FromRow for Row {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            is_created: row.get::<String>(1)? == "created",
            customer: row.get(2)?,
            before: row.get(3)?,
            version_after: row.get(4)?,
            contact: row.get(5)?,
        })
    }
}

/// The job.
pub async fn job(app: App, task: Task) -> Result<Outcome, AppError> {
    let id = ImportId(task.subject_id);
    let import = app.db.read(move |conn| load_any(conn, id)).await?;
    let Some(import) = import.filter(|i| i.state == State::Undoing) else { return Ok(Outcome::Done) };
    let actor = app.actor_for(import.undone_by.unwrap_or(import.created_by), Via::Job).await?;
    let actor = actor.ok_or_else(|| {
        AppError::Forbidden(text!("要求撤销的人已停用，撤销没有做完；请由管理员再撤销一次"))
    })?;
    let catalogue = app.catalogue().await?;
    let mut unwound = Unwound::new();
    loop {
        let (own, catalogue, known, now) = (actor.clone(), catalogue.clone(), unwound, app.now());
        let (done, known) = app
            .db
            .write(move |tx| {
                let mut known = known.clone();
                let done = batch(tx, &own, &catalogue, id, &mut known, now)?;
                Ok::<_, AppError>((done, known))
            })
            .await?;
        unwound = known;
        if done == 0 {
            break;
        }
        if task.is_stopping() {
            return Ok(Outcome::Interrupted);
        }
    }
    let now = app.now();
    app.db
        .write(move |tx| {
            let ended = tx.exec(
                "UPDATE imports SET state = 'undone', undone_at = $2, version = version + 1
                 WHERE id = $1 AND state = 'undoing'",
                &[id.into(), now.into()],
            )?;
            if ended == 1 {
                let after = counts(tx, id)?.json();
                audit::record(tx, &actor, now, &Entry::of("import.undone", "import", id.0).after(&after))?;
                events::emit(tx, &actor, now, "import.undone", "import", id.0, 0)?;
            }
            Ok::<_, AppError>(())
        })
        .await?;
    Ok(Outcome::Done)
}

/// What was taken back and what stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows taken back.
    pub undone: i64,
    /// Rows whose customers stay as they are.
    pub kept: i64,
    /// Contacts that had been added to customers and went away.
    pub contacts: i64,
    /// Such contacts that stay.
    pub contacts_kept: i64,
}

impl Counts {
    /// For the log and the API.
    pub fn json(self) -> Json {
        json!({
            "undone": self.undone, "kept": self.kept, "contacts": self.contacts, "contacts_kept": self.contacts_kept,
        })
    }
}

/// Counts what became of an import that was taken back.
pub fn counts(conn: &mut store::Conn<'_>, id: ImportId) -> store::Result<Counts> {
    let mut count = |column: &str, outcome: &str| {
        let sql = format!("SELECT COUNT(*) FROM import_rows WHERE import_id = $1 AND {column} = $2");
        conn.count(&sql, &[id.into(), outcome.into()])
    };
    Ok(Counts {
        undone: count("outcome", "undone")?,
        kept: count("outcome", "kept")?,
        contacts: count("contact_outcome", "undone")?,
        contacts_kept: count("contact_outcome", "kept")?,
    })
}

fn batch(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: ImportId,
    unwound: &mut Unwound,
    now: Millis,
) -> Result<usize, AppError> {
    // Last rows first, so that a customer made and then changed by the same file goes back the same way.
    let rows: Vec<Row> = tx.rows(
        "SELECT row_number, outcome, customer_id, before, version_after, contact_id FROM import_rows
         WHERE import_id = $1 AND outcome IN ('created', 'updated') ORDER BY row_number DESC LIMIT $2",
        &[id.into(), BATCH.into()],
    )?;
    for row in &rows {
        // Before the customer, who may go away only when nobody else is left to keep him.
        if let Some(contact) = row.contact {
            let outcome = settle(tx.savepoint(|tx| contact_back(tx, actor, contact, now)))?;
            tx.exec(
                "UPDATE import_rows SET contact_outcome = $3 WHERE import_id = $1 AND row_number = $2",
                &[id.into(), row.number.into(), if outcome { "undone" } else { "kept" }.into()],
            )?;
        }
        let known = unwound.get(&row.customer).copied();
        let outcome = tx.savepoint(|tx| {
            let mut own = known;
            one(tx, actor, catalogue, row, &mut own, now).map(|done| (done, own))
        });
        let is_undone = settle(outcome.map(|(done, known)| {
            if let Some(known) = known.filter(|_| done) {
                unwound.insert(row.customer, known);
            }
            done
        }))?;
        let outcome = if is_undone { "undone" } else { "kept" };
        tx.exec(
            "UPDATE import_rows SET outcome = $3 WHERE import_id = $1 AND row_number = $2",
            &[id.into(), row.number.into(), outcome.into()],
        )?;
    }
    Ok(rows.len())
}

/// What cannot be taken back stays; only errors of the system end the work.
fn settle(outcome: Result<bool, AppError>) -> Result<bool, AppError> {
    match outcome {
        Err(
            AppError::Stale
            | AppError::NotFound
            | AppError::Hidden { .. }
            | AppError::Invalid(_)
            | AppError::Forbidden(_)
            | AppError::Conflict(_),
        ) => Ok(false),
        other => other,
    }
}

/// Takes an added contact away; `false` when he was changed or spoken with since.
fn contact_back(tx: &mut Tx<'_>, actor: &Actor, id: ContactId, now: Millis) -> Result<bool, AppError> {
    let contact = contacts::load(tx, actor, Verb::Update, id)?;
    let spoken_with = tx.count(
        "SELECT COUNT(*) FROM activities WHERE customer_id = $1 AND contact_id = $2 AND deleted_at IS NULL",
        &[contact.customer_id.into(), id.into()],
    )?;
    if contact.version != 1 || spoken_with > 0 {
        return Ok(false);
    }
    contacts::remove(tx, actor, id, Some(1), now)?;
    Ok(true)
}

/// Takes one row back; `false` when the customer was changed since.
fn one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    row: &Row,
    unwound: &mut Option<(i64, i64)>,
    now: Millis,
) -> Result<bool, AppError> {
    let expected = match *unwound {
        Some((before, is)) if before == row.version_after => is,
        _ => row.version_after,
    };
    let customer = customers::load_for(tx, actor, Object::Customer, Verb::Update, row.customer)?;
    if customer.version != expected {
        return Ok(false);
    }
    if row.is_created {
        if is_worked_with(tx, row.customer, customer.created_at)? {
            return Ok(false);
        }
        customers::take_back(tx, actor, row.customer, expected, now)?;
        return Ok(true);
    }
    if row.before.is_empty() {
        return Ok(true);
    }
    let before: Map<String, Json> = serde_json::from_str(&row.before)
        .map_err(|e| AppError::Internal(format!("import row {}: {e}", row.number)))?;
    let draft = Draft::from_json(&before).map_err(AppError::Invalid)?;
    let restored = customers::update(tx, actor, catalogue, row.customer, Some(expected), &draft, now)?;
    *unwound = Some((row.version_after - 1, restored.version));
    Ok(true)
}

/// Whether somebody added something to a customer after it was imported, or did something about it. An import itself
/// makes nothing but its customer's first contact, so of the others any row is somebody's work, also one that is over.
fn is_worked_with(tx: &mut Tx<'_>, id: CustomerId, created_at: Millis) -> store::Result<bool> {
    for sql in [
        "SELECT id FROM activities WHERE customer_id = $1 AND created_at <> $2 LIMIT 1",
        "SELECT id FROM assets WHERE customer_id = $1 AND created_at <> $2 LIMIT 1",
        "SELECT id FROM contacts WHERE customer_id = $1 AND (created_at <> $2 OR version > 1) AND deleted_at IS NULL LIMIT 1",
        "SELECT id FROM files WHERE customer_id = $1 AND created_at <> $2 LIMIT 1",
    ] {
        if tx.value::<i64>(sql, &[id.into(), created_at.into()])?.is_some() {
            return Ok(true);
        }
    }
    for sql in [
        // A case that a regulation opened by itself and nobody touched is no work on the customer.
        "SELECT k.id FROM cases k WHERE k.customer_id = $1 AND (k.creator_id IS NOT NULL OR EXISTS
           (SELECT 1 FROM case_trail t WHERE t.case_id = k.id AND t.actor_id IS NOT NULL)) LIMIT 1",
        "SELECT id FROM assignments WHERE customer_id = $1 LIMIT 1",
        "SELECT id FROM customer_grants WHERE customer_id = $1 LIMIT 1",
        "SELECT person_id FROM customer_exclusions WHERE customer_id = $1 LIMIT 1",
        "SELECT set_at FROM customer_marks WHERE customer_id = $1 LIMIT 1",
    ] {
        if tx.value::<i64>(sql, &[id.into()])?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
