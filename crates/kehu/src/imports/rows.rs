//! What became of the rows of an import, in the order of the file.

use serde_json::{Value as Json, json};
use store::Conn;

use crate::access::Actor;
use crate::customers;
use crate::error::AppError;
use crate::ids::{CustomerId, ImportId};
use crate::text;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A customer was made.
    Created,
    /// A customer was changed.
    Updated,
    /// Its customer was there already.
    Skipped,
    /// It was refused.
    Failed,
    /// The import was taken back, this customer stayed.
    Kept,
    /// It was taken back.
    Undone,
}

impl Outcome {
    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Kept => "kept",
            Self::Undone => "undone",
        }
    }

    /// The outcome of this name.
    pub fn named(code: &str) -> Option<Self> {
        [Self::Created, Self::Updated, Self::Skipped, Self::Failed, Self::Kept, Self::Undone]
            .into_iter()
            .find(|outcome| outcome.code() == code)
    }
}

/// A row and the customer it is about.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number in the file.
    pub number: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// The customer with his name, if the reader may see him.
    pub customer: Option<(CustomerId, String)>,
}

impl Row {
    /// As the API sends it.
    pub fn json(&self) -> Json {
        json!({
            "row": self.number,
            "outcome": self.outcome.code(),
            "customer_id": self.customer.as_ref().map(|(id, _)| id),
        })
    }
}

/// Some rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// In the order of the file.
    pub rows: Vec<Row>,
    /// The last of them when more follow.
    pub next: Option<i64>,
}

/// Reads where a page begins; empty is the beginning.
pub fn place(text: &str) -> Result<i64, AppError> {
    match text {
        "" => Ok(0),
        text => {
            text.parse().map_err(|_| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))
        }
    }
}

/// The rows of an import with this outcome behind `after`, at most `limit`. The caller has loaded the import for the
/// actor.
pub fn page(
    conn: &mut Conn<'_>,
    actor: &Actor,
    id: ImportId,
    outcome: Outcome,
    after: i64,
    limit: usize,
) -> Result<Rows, AppError> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut found: Vec<(i64, Option<CustomerId>)> = conn.rows(
        // The outcome stands in the text, by which SQLite knows the index of such rows.
        &format!(
            "SELECT r.row_number, c.id FROM import_rows r
             LEFT JOIN customers c ON c.id = r.customer_id AND c.deleted_at IS NULL
             WHERE r.import_id = $1 AND r.outcome = '{}' AND r.row_number > $2 ORDER BY r.row_number LIMIT $3",
            outcome.code()
        ),
        &[id.into(), after.into(), most.into()],
    )?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|(number, _)| *number);
    let known = customers::shown(conn, actor, found.iter().filter_map(|(_, id)| *id))?;
    let named = |id: CustomerId| known.get(&id).map(|customer| (id, customer.name().to_owned()));
    let rows =
        found.into_iter().map(|(number, id)| Row { number, outcome, customer: id.and_then(named) }).collect();
    Ok(Rows { rows, next })
}
