//! The log of prints: what, which copies, by whom, when, for which time.

use store::{Conn, FromRow, Row, Tx};

use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::auth;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, PrintId};

/// How long the file of a print may be fetched by whoever printed, in milliseconds: long enough for a slow browser, too
/// short to print again without it being counted.
pub const FRESH: Millis = 10 * 60_000;

/// A print.
#[derive(Clone, Debug)]
pub struct Print {
    /// Its id.
    pub id: PrintId,
    /// What kind of record: `case`.
    pub object: String,
    /// Which one.
    pub object_id: i64,
    /// What stands on the paper: 维修单 WX-202609-0001.
    pub title: String,
    /// Which copies, by name with commas between; empty for all.
    pub copies: String,
    /// `pages` or `strips`.
    pub layout: String,
    /// Which time this was, from 1.
    pub count: i64,
    /// When.
    pub at: Millis,
    /// By whom.
    pub person_id: PersonId,
    /// What its printed code holds; 128 random bits.
    pub code: String,
}

const COLUMNS: &str = "id, object, object_id, title, copies, layout, count, at, person_id, code";

impl FromRow for Print {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            object: row.get(1)?,
            object_id: row.get(2)?,
            title: row.get(3)?,
            copies: row.get(4)?,
            layout: row.get(5)?,
            count: row.get(6)?,
            at: row.get(7)?,
            person_id: row.get(8)?,
            code: row.get(9)?,
        })
    }
}

/// Writes down that a record the caller may print is printed, with its audit row. `what` is the kind of record, its id and
/// its customer (0 for none).
pub fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (object, object_id, customer): (&'static str, i64, i64),
    title: &str,
    (copies, layout): (&str, &str),
    now: Millis,
) -> Result<Print, AppError> {
    let before = tx.count(
        "SELECT COUNT(*) FROM prints WHERE object = $1 AND object_id = $2",
        &[object.into(), object_id.into()],
    )?;
    let print = Print {
        id: PrintId::new(),
        object: object.to_owned(),
        object_id,
        title: title.to_owned(),
        copies: copies.to_owned(),
        layout: layout.to_owned(),
        count: before + 1,
        at: now,
        person_id: actor.person_id,
        code: auth::new_secret()?.chars().take(32).collect(),
    };
    tx.exec(
        "INSERT INTO prints (id, object, object_id, title, copies, layout, count, at, person_id, code)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
        &[
            print.id.into(),
            object.into(),
            object_id.into(),
            title.into(),
            copies.into(),
            layout.into(),
            print.count.into(),
            now.into(),
            actor.person_id.into(),
            (&print.code).into(),
        ],
    )?;
    let after = serde_json::json!({ "title": title, "copies": copies, "count": print.count });
    let entry = Entry::of("print.made", object, object_id).customer(customer).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(print)
}

/// A print by its id.
pub fn find(conn: &mut Conn<'_>, id: PrintId) -> Result<Print, AppError> {
    let row = conn.row(&format!("SELECT {COLUMNS} FROM prints WHERE id = $1"), &[id.into()])?;
    row.ok_or(AppError::NotFound)
}

/// A print by the code on its paper.
pub(super) fn by_code(conn: &mut Conn<'_>, code: &str) -> Result<Print, AppError> {
    let row = conn.row(&format!("SELECT {COLUMNS} FROM prints WHERE code = $1"), &[code.into()])?;
    row.ok_or(AppError::NotFound)
}

/// The prints of a record the caller has loaded, the newest first, at most 100.
pub fn of_object(conn: &mut Conn<'_>, object: &str, object_id: i64) -> store::Result<Vec<Print>> {
    conn.rows(
        &format!(
            "SELECT {COLUMNS} FROM prints WHERE object = $1 AND object_id = $2 ORDER BY id DESC LIMIT 100"
        ),
        &[object.into(), object_id.into()],
    )
}
