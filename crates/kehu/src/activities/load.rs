//! Reading one activity for an actor.

use store::{Conn, FromRow, Row};

use super::model::{Activity, ActivityKind};
use crate::access::{Actor, Object, Verb};
use crate::customers;
use crate::error::AppError;
use crate::ids::ActivityId;

/// The columns of an `Activity`, under the alias `a`.
pub(super) const COLUMNS: &str = "a.id, a.customer_id, a.contact_id, a.kind, a.direction, a.subject, a.body, a.result, a.source, a.effect, \
     a.happened_at, a.done_at, a.done_by, a.version, a.created_at, a.created_by, a.updated_at";

impl FromRow for Activity {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            customer_id: row.get(1)?,
            contact_id: row.get(2)?,
            kind: ActivityKind::named(&row.get::<String>(3)?).unwrap_or(ActivityKind::Note),
            direction: row.get(4)?,
            subject: row.get(5)?,
            body: row.get(6)?,
            result: row.get(7)?,
            source: row.get(8)?,
            effect: row.get(9)?,
            happened_at: row.get(10)?,
            done_at: row.get(11)?,
            done_by: row.get(12)?,
            version: row.get(13)?,
            created_at: row.get(14)?,
            created_by: row.get(15)?,
            updated_at: row.get(16)?,
        })
    }
}

/// An activity on whose customer the actor may do `verb`.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, verb: Verb, id: ActivityId) -> Result<Activity, AppError> {
    load_from(conn, actor, verb, id, "a.deleted_at IS NULL")
}

/// An activity that was taken away, as [`load`].
pub(super) fn load_removed(conn: &mut Conn<'_>, actor: &Actor, id: ActivityId) -> Result<Activity, AppError> {
    load_from(conn, actor, Verb::Update, id, "a.deleted_at IS NOT NULL")
}

fn load_from(
    conn: &mut Conn<'_>,
    actor: &Actor,
    verb: Verb,
    id: ActivityId,
    state: &str,
) -> Result<Activity, AppError> {
    let sql = format!("SELECT {COLUMNS} FROM activities a WHERE a.id = $1 AND {state}");
    let activity: Activity = conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)?;
    customers::require(conn, actor, Object::Activity, verb, activity.customer_id)?;
    Ok(activity)
}
