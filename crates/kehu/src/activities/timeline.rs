//! The one timeline of a customer: activities, files and changes of the record, merged by time, newest first.

use serde_json::Value as Json;
use store::{Conn, FromRow, Row};

use super::list::{Listed, is_restricted, select, withhold_names};
use super::model::ActivityKind;
use crate::access::{Actor, Object, Verb};
use crate::clock::Millis;
use crate::customers::{self, Teller};
use crate::error::AppError;
use crate::files::{self, File};
use crate::ids::{ActivityId, CustomerId};
use crate::text;

/// What a timeline shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// Everything.
    #[default]
    All,
    /// Activities of one kind.
    Kind(ActivityKind),
    /// The register of correspondence: letters, faxes, long-distance calls (VF-12).
    Correspondence,
    /// Major changes of both kinds (VF-05, VF-06).
    MajorChanges,
    /// Files.
    Files,
    /// Changes of the record, its contacts and assets.
    Records,
}

impl Show {
    /// The choice of this name; anything unknown shows everything.
    pub fn named(name: &str) -> Self {
        match name {
            "correspondence" => Self::Correspondence,
            "major_changes" => Self::MajorChanges,
            "files" => Self::Files,
            "records" => Self::Records,
            code => ActivityKind::named(code).map_or(Self::All, Self::Kind),
        }
    }

    /// The kinds of activities it shows; `None` for all.
    fn kinds(self) -> Option<Vec<ActivityKind>> {
        use ActivityKind as K;
        match self {
            Self::All => None,
            Self::Kind(kind) => Some(vec![kind]),
            Self::Correspondence => Some(vec![K::Letter, K::Fax, K::LongDistance]),
            Self::MajorChanges => Some(vec![K::ChangeCustomer, K::ChangeRelation]),
            Self::Files | Self::Records => Some(Vec::new()),
        }
    }
}

/// One line of a timeline.
#[derive(Clone, Debug)]
pub enum Line {
    /// Somebody dealt with the customer; with its files.
    Activity(Box<Listed>, Vec<File>),
    /// A file was attached to the customer itself.
    File(File),
    /// The record, a contact or an asset changed.
    Record(Record),
}

/// A change of the record, as the audit log tells.
#[derive(Clone, Debug)]
pub struct Record {
    /// Id of the audit row.
    pub id: i64,
    /// When.
    pub at: Millis,
    /// By whom.
    pub by: String,
    /// `customer.updated` …
    pub action: String,
    /// Changed values before.
    pub before: Json,
    /// Changed values after.
    pub after: Json,
}

impl FromRow for Record {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let read = |text: String| serde_json::from_str(&text).unwrap_or(Json::Null);
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            by: row.get(2)?,
            action: row.get(3)?,
            before: read(row.get(4)?),
            after: read(row.get(5)?),
        })
    }
}

impl Line {
    fn listed(&mut self) -> Option<&mut Listed> {
        match self {
            Self::Activity(listed, _) => Some(listed),
            _ => None,
        }
    }

    fn place(&self) -> (Millis, i64) {
        match self {
            Self::Activity(listed, _) => (listed.activity.happened_at, listed.activity.id.0),
            Self::File(file) => (file.created_at, file.id.0),
            Self::Record(record) => (record.at, record.id),
        }
    }
}

/// A page of a timeline.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Newest first.
    pub lines: Vec<Line>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// A page of the timeline of a customer the actor may read, behind `after` (a `next` of before).
pub fn timeline(
    conn: &mut Conn<'_>,
    actor: &Actor,
    customer: CustomerId,
    show: Show,
    after: Option<&str>,
    limit: usize,
) -> Result<Timeline, AppError> {
    let whole = customers::load_for(conn, actor, Object::Activity, Verb::Read, customer)?;
    let teller = Teller::new(actor, &whole.facts());
    let place = match after.filter(|a| !a.is_empty()) {
        None => (i64::MAX, i64::MAX),
        Some(text) => read_place(text)
            .ok_or_else(|| AppError::field("after", text!("翻页位置已失效，请从第一页重新开始")))?,
    };
    let most = limit as i64 + 1;
    let mut lines = activities(conn, customer, show, place, most)?;
    if matches!(show, Show::All | Show::Files) && teller.tells("file") {
        lines.extend(attached(conn, customer, place, most)?);
    }
    if matches!(show, Show::All | Show::Records) {
        lines.extend(records(conn, &teller, customer, place, most)?);
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.place()));
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(|line| {
        let (at, id) = line.place();
        format!("{at}.{}", store::format_id(id))
    });
    if teller.tells("file") {
        with_files(conn, &mut lines)?;
    }
    if is_restricted(actor) {
        let mut listed: Vec<&mut Listed> = lines.iter_mut().filter_map(Line::listed).collect();
        withhold_names(conn, actor, &mut listed)?;
    }
    Ok(Timeline { lines, next })
}

fn read_place(text: &str) -> Option<(Millis, i64)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, store::parse_id(id).ok()?))
}

fn activities(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    show: Show,
    (at, id): (Millis, i64),
    most: i64,
) -> Result<Vec<Line>, AppError> {
    let kinds = match show.kinds() {
        None => String::new(),
        Some(kinds) if kinds.is_empty() => return Ok(Vec::new()),
        // Codes of ours, so they may stand in the statement.
        Some(kinds) => {
            let codes: Vec<String> = kinds.iter().map(|k| format!("'{}'", k.code())).collect();
            format!("AND a.kind IN ({})", codes.join(","))
        }
    };
    let sql = format!(
        "{} WHERE a.customer_id = $1 AND a.deleted_at IS NULL AND (a.happened_at, a.id) < ($2, $3) {kinds}
         ORDER BY a.happened_at DESC, a.id DESC LIMIT $4",
        select()
    );
    let found: Vec<Listed> = conn.rows(&sql, &[customer.into(), at.into(), id.into(), most.into()])?;
    Ok(found.into_iter().map(|listed| Line::Activity(Box::new(listed), Vec::new())).collect())
}

fn attached(
    conn: &mut Conn<'_>,
    customer: CustomerId,
    (at, id): (Millis, i64),
    most: i64,
) -> Result<Vec<Line>, AppError> {
    Ok(files::attached_to(conn, customer, at, id, most)?.into_iter().map(Line::File).collect())
}

fn records(
    conn: &mut Conn<'_>,
    teller: &Teller<'_>,
    customer: CustomerId,
    (at, id): (Millis, i64),
    most: i64,
) -> Result<Vec<Line>, AppError> {
    // What he may not be told is left out here: a page filled with it would end the timeline early.
    let parts = [
        ("contact", "OR object = 'contact'"),
        ("asset", "OR object = 'asset'"),
        ("file", "OR action = 'file.deleted'"),
    ];
    let told = parts
        .into_iter()
        .filter(|(part, _)| teller.tells(part))
        .map(|(_, sql)| sql)
        .collect::<Vec<_>>()
        .join(" ");
    let sql = format!(
        "SELECT id, at, actor_name, action, before, after FROM audit_log
         WHERE customer_id = $1 AND (at, id) < ($2, $3) AND result = 'ok'
           AND ((object = 'customer' AND action IN ('customer.created', 'customer.updated', 'customer.deleted',
               'customer.restored', 'customer.assigned', 'customer.marked')) {told})
         ORDER BY at DESC, id DESC LIMIT $4"
    );
    let mut found: Vec<Record> = conn.rows(&sql, &[customer.into(), at.into(), id.into(), most.into()])?;
    for record in &mut found {
        let object = record.action.split('.').next().unwrap_or_default().to_owned();
        teller.withhold(&object, &mut record.before);
        teller.withhold(&object, &mut record.after);
    }
    Ok(found.into_iter().map(Line::Record).collect())
}

/// Puts the files of the activities beside them.
fn with_files(conn: &mut Conn<'_>, lines: &mut [Line]) -> Result<(), AppError> {
    let ids: Vec<ActivityId> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Activity(listed, _) => Some(listed.activity.id),
            _ => None,
        })
        .collect();
    let found = files::of_activities(conn, &ids)?;
    for line in lines {
        if let Line::Activity(listed, files) = line {
            *files = found.iter().filter(|f| f.object_id == listed.activity.id.0).cloned().collect();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_or_refused() {
        let id = store::new_id();
        assert_eq!(
            read_place(&format!("1790583600000.{}", store::format_id(id))),
            Some((1_790_583_600_000, id))
        );
        for bad in ["", ".", "1", "x.01M2Z8Q4T7V0K", "1.x", "9999999999999999999.01M2Z8Q4T7V0K"] {
            assert_eq!(read_place(bad), None, "{bad}");
        }
    }
}
