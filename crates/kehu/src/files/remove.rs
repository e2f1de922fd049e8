//! Taking a file away.

use store::Tx;

use super::attach::facts;
use super::load::{File, load};
use crate::access::{Actor, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::events;
use crate::ids::FileId;

/// Takes a file away: its row is marked, its bytes follow a day later (`purge`). Answers what it was.
pub fn remove(tx: &mut Tx<'_>, actor: &Actor, id: FileId, now: Millis) -> Result<File, AppError> {
    let file = load(tx, actor, Verb::Update, id)?;
    tx.exec(
        "UPDATE files SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL",
        &[id.into(), now.into()],
    )?;
    let customer = file.customer_id.map_or(0, |c| c.0);
    events::emit(tx, actor, now, "file.deleted", "file", id.0, customer)?;
    let before = facts(&file);
    let mut entry = Entry::of("file.deleted", "file", id.0).customer(customer);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(file)
}
