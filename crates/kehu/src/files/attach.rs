//! Giving received bytes their place and their row.

use store::{Conn, Tx};

use super::QUOTA;
use super::load::{File, Place};
use super::receive::{Received, Stored, blocking, folder};
use crate::access::{Actor, Object, Verb};
use crate::app::{App, to_the_end};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::customers;
use crate::error::AppError;
use crate::ids::{CaseId, FileId};
use crate::{events, text};

/// Moves received bytes to their place and runs `body` as one transaction that must `save` their row. When it is
/// refused the bytes go away again. Goes on to the end even if the caller goes away, so a file is there with its row
/// or not at all.
pub async fn attach<T, F>(app: &App, received: Received, body: F) -> Result<T, AppError>
where
    T: Send + 'static,
    F: Fn(&mut Tx<'_>, &Stored) -> Result<T, AppError> + Send + 'static,
{
    let app = app.clone();
    to_the_end(async move {
        let files = folder(&app);
        let stored = blocking(move || received.keep(&files)).await?;
        let own = stored.clone();
        let outcome = app.db.write(move |tx| body(tx, &own)).await;
        if let Err(error) = &outcome
            && is_certain(error)
        {
            discard(&app, &stored).await;
        }
        outcome
    })
    .await
}

/// Whether an error means that nothing was committed; a lost connection may have lost the answer only.
fn is_certain(error: &AppError) -> bool {
    !matches!(error, AppError::Unavailable | AppError::Internal(_) | AppError::Full)
}

/// Removes stored bytes that got no row.
pub async fn discard(app: &App, stored: &Stored) {
    let path = folder(app).join(&stored.stored_as);
    if let Err(error) = tokio::fs::remove_file(&path).await {
        tracing::warn!(%error, file = %stored.stored_as, "a file without a row stays until the next purge");
    }
}

/// Writes the row of stored bytes, with event and audit row. Asks whether the actor may change the customer and
/// whether its files stay within `QUOTA`.
pub fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    stored: &Stored,
    place: Place,
    now: Millis,
) -> Result<File, AppError> {
    let (customer, object, object_id) = place.columns();
    if let Some(customer) = customer {
        customers::require(tx, actor, Object::File, Verb::Update, customer)?;
        let quota = QUOTA.whole(tx)? << 20;
        let used = tx.count(
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM files WHERE customer_id = $1 AND deleted_at IS NULL",
            &[customer.into()],
        )?;
        if used.saturating_add(stored.size) > quota {
            return Err(AppError::Conflict(text!(
                "这个客户的附件已用 {} MB，上限 {} MB，请先删除不需要的附件",
                used >> 20,
                quota >> 20
            )));
        }
    }
    let file = File {
        id: FileId::new(),
        customer_id: customer,
        object: object.to_owned(),
        object_id,
        name: stored.name.clone(),
        media_type: stored.media_type.to_owned(),
        size: stored.size,
        sha256: stored.sha256.clone(),
        stored_as: stored.stored_as.clone(),
        created_at: now,
        created_by: actor.person_id,
        author: actor.name.clone(),
    };
    tx.exec(
        "INSERT INTO files (id, customer_id, object, object_id, name, media_type, size, sha256, stored_as, created_at,
           created_by) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
        &[
            file.id.into(),
            file.customer_id.into(),
            object.into(),
            object_id.into(),
            (&file.name).into(),
            (&file.media_type).into(),
            file.size.into(),
            (&file.sha256).into(),
            (&file.stored_as).into(),
            now.into(),
            actor.person_id.into(),
        ],
    )?;
    let customer = customer.map_or(0, |c| c.0);
    events::emit(tx, actor, now, "file.created", "file", file.id.0, customer)?;
    let after = facts(&file);
    let entry = Entry::of("file.created", "file", file.id.0).customer(customer).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(file)
}

/// Gives a file that the actor has just sent to a case; `false` when it is not his to give. One that belongs to the case
/// already stays there.
pub(crate) fn keep_with_case(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: FileId,
    case: CaseId,
) -> store::Result<bool> {
    let sql = "UPDATE files SET object_id = $2 WHERE id = $1 AND object = 'case' AND deleted_at IS NULL
                 AND (object_id = $2 OR (object_id = 0 AND created_by = $3))";
    Ok(tx.exec(sql, &[id.into(), case.into(), actor.person_id.into()])? == 1)
}

/// Whether a file is a picture that can be printed, by its content.
pub(crate) fn is_picture(conn: &mut Conn<'_>, id: FileId) -> store::Result<bool> {
    let media_type: Option<String> =
        conn.value("SELECT media_type FROM files WHERE id = $1 AND deleted_at IS NULL", &[id.into()])?;
    Ok(media_type.is_some_and(|told| told == "image/png" || told == "image/jpeg"))
}

/// What the audit log keeps of a file.
pub(super) fn facts(file: &File) -> serde_json::Value {
    serde_json::json!({ "name": file.name, "size": file.size, "sha256": file.sha256, "object": file.object })
}
