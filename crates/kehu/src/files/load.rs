//! Reading what files there are, for an actor.

use serde_json::{Value as Json, json};
use store::{Conn, FromRow, Row};

use crate::access::{Actor, Object, Verb};
use crate::clock::{Millis, rfc3339};
use crate::customers;
use crate::error::AppError;
use crate::ids::{ActivityId, CaseId, CustomerId, FileId, ImportId, PersonId};

/// A file as its row tells.
#[derive(Clone, Debug)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// The customer it belongs to; `None` for imports.
    pub customer_id: Option<CustomerId>,
    /// `customer`, `activity`, `import` or `case`.
    pub object: String,
    /// Which one.
    pub object_id: i64,
    /// Cleaned name.
    pub name: String,
    /// Told by the content.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
    /// Path below the files folder.
    pub stored_as: String,
    /// Made when.
    pub created_at: Millis,
    /// Made by.
    pub created_by: PersonId,
    /// Name of him who made it.
    pub author: String,
}

impl File {
    /// As the API sends it.
    pub fn json(&self) -> Json {
        json!({
            "id": self.id,
            "customer_id": self.customer_id,
            "object": self.object,
            "object_id": store::format_id(self.object_id),
            "name": self.name,
            "media_type": self.media_type,
            "size": self.size,
            "sha256": self.sha256,
            "created_by": self.created_by,
            "created_at": rfc3339(self.created_at),
        })
    }

    /// Whether a browser may show it.
    pub fn is_picture(&self) -> bool {
        super::sniff::is_picture(&self.media_type)
    }

    /// Its size for people: `12 KB`, `3.4 MB`.
    pub fn size_text(&self) -> String {
        match self.size {
            n if n < 1 << 20 => format!("{} KB", (n + 1023) >> 10),
            n => format!("{:.1} MB", n as f64 / f64::from(1 << 20)),
        }
    }

    /// An icon of its kind.
    pub fn icon(&self) -> &'static str {
        match self.media_type.as_str() {
            t if t.starts_with("image/") => "photo",
            t if t.contains("spreadsheet") => "file-spreadsheet",
            t if t.starts_with("text/") || t.contains("pdf") || t.contains("word") => "file-text",
            _ => "file",
        }
    }
}

/// What a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A customer.
    Customer(CustomerId),
    /// An activity of a customer.
    Activity(CustomerId, ActivityId),
    /// An import: seen by him who made it and by administrators.
    Import(ImportId),
    /// A case, or none yet: the form it stands in has not been sent. Cases decide themselves who sees it.
    Case(Option<CaseId>),
}

impl Place {
    pub(super) fn columns(self) -> (Option<CustomerId>, &'static str, i64) {
        match self {
            Self::Customer(customer) => (Some(customer), "customer", customer.0),
            Self::Activity(customer, activity) => (Some(customer), "activity", activity.0),
            Self::Import(import) => (None, "import", import.0),
            Self::Case(case) => (None, "case", case.map_or(0, |case| case.0)),
        }
    }
}

const COLUMNS: &str = "f.id, f.customer_id, f.object, f.object_id, f.name, f.media_type, f.size, f.sha256, \
                       f.stored_as, f.created_at, f.created_by, COALESCE(p.name, '')";
const FROM: &str = "files f LEFT JOIN people p ON p.id = f.created_by";

impl FromRow for File {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            customer_id: row.get(1)?,
            object: row.get(2)?,
            object_id: row.get(3)?,
            name: row.get(4)?,
            media_type: row.get(5)?,
            size: row.get(6)?,
            sha256: row.get(7)?,
            stored_as: row.get(8)?,
            created_at: row.get(9)?,
            created_by: row.get(10)?,
            author: row.get(11)?,
        })
    }
}

/// A file the actor may do `verb` on: decided by its customer, or for an import by who made it.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, verb: Verb, id: FileId) -> Result<File, AppError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE f.id = $1 AND f.deleted_at IS NULL");
    let file: File = conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)?;
    match file.customer_id {
        Some(customer) => drop(customers::require(conn, actor, Object::File, verb, customer)?),
        None if file.object == "case" => return Err(AppError::Hidden { object: "file", id: id.0 }),
        // What is not a customer's yet (an import's table) tells of customers all the same.
        None if actor.rights.bar.is_some() => return Err(AppError::Hidden { object: "file", id: id.0 }),
        None if actor.is_administrator() || file.created_by == actor.person_id => {}
        None => return Err(AppError::Hidden { object: "file", id: id.0 }),
    }
    Ok(file)
}

/// A file of a case, or of a form that has not been sent yet (`object_id` 0). The caller decides who may see it.
pub(crate) fn of_case(conn: &mut Conn<'_>, id: FileId) -> store::Result<Option<File>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE f.id = $1 AND f.object = 'case' AND f.deleted_at IS NULL"
    );
    conn.row(&sql, &[id.into()])
}

/// The newest 500 files of a customer the actor may read, those of its activities too.
pub fn of_customer(conn: &mut Conn<'_>, actor: &Actor, customer: CustomerId) -> Result<Vec<File>, AppError> {
    customers::require(conn, actor, Object::File, Verb::Read, customer)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE f.customer_id = $1 AND f.deleted_at IS NULL ORDER BY f.id DESC LIMIT 500"
    );
    Ok(conn.rows(&sql, &[customer.into()])?)
}

/// Files of some activities, oldest first; whoever may read the activities may read them.
pub(crate) fn of_activities(conn: &mut Conn<'_>, activities: &[ActivityId]) -> store::Result<Vec<File>> {
    if activities.is_empty() {
        return Ok(Vec::new());
    }
    // Numbers of ours, so they may stand in the statement.
    let ids: Vec<String> = activities.iter().map(|a| a.0.to_string()).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE f.object = 'activity' AND f.object_id IN ({}) AND f.deleted_at IS NULL
         ORDER BY f.id LIMIT 2000",
        ids.join(",")
    );
    conn.rows(&sql, &[])
}

/// Files attached to a customer itself before a place of its timeline, newest first.
pub(crate) fn attached_to(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    at: Millis,
    id: i64,
    most: i64,
) -> store::Result<Vec<File>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {FROM} WHERE f.customer_id = $1 AND f.object = 'customer' AND f.deleted_at IS NULL
           AND (f.created_at, f.id) < ($2, $3) ORDER BY f.created_at DESC, f.id DESC LIMIT $4"
    );
    conn.rows(&sql, &[customer.into(), at.into(), id.into(), most.into()])
}
