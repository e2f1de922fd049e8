//! Reading processes: everybody who is signed in may read them all.

use std::collections::HashMap;

use store::Conn;

use super::model::{Duty, Party, Process};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{ProcessId, UnitId};

type Row = (ProcessId, String, String, String, i64, Millis);

fn read(conn: &mut Conn<'_>, rows: Vec<Row>, one: Option<ProcessId>) -> store::Result<Vec<Process>> {
    let of = one.map_or_else(String::new, |id| format!("WHERE process_id = {}", id.0));
    let sql = format!("SELECT process_id, unit_id, post, duty FROM process_duties {of}");
    let duties: Vec<(ProcessId, UnitId, String, String)> = conn.rows(&sql, &[])?;
    let mut by_process: HashMap<ProcessId, Vec<(Party, Duty)>> = HashMap::new();
    for (process, unit, post, duty) in duties {
        let Some(duty) = Duty::named(&duty) else { continue };
        let party = if post.is_empty() { Party::Unit(unit) } else { Party::Post(post) };
        by_process.entry(process).or_default().push((party, duty));
    }
    Ok(rows
        .into_iter()
        .map(|(id, code, title, note, version, updated_at)| {
            let mut duties = by_process.remove(&id).unwrap_or_default();
            duties.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
            Process { id, code, title, note, duties, version, updated_at }
        })
        .collect())
}

/// A process.
pub fn load(conn: &mut Conn<'_>, id: ProcessId) -> Result<Process, AppError> {
    let row: Option<Row> = conn.row(
        "SELECT id, code, title, note, version, updated_at FROM processes WHERE id = $1 AND deleted_at IS NULL",
        &[id.into()],
    )?;
    let row = row.ok_or(AppError::NotFound)?;
    read(conn, vec![row], Some(id))?.pop().ok_or(AppError::NotFound)
}

/// All processes, by their codes.
pub fn list(conn: &mut Conn<'_>) -> store::Result<Vec<Process>> {
    let rows: Vec<Row> = conn.rows(
        "SELECT id, code, title, note, version, updated_at FROM processes WHERE deleted_at IS NULL
         ORDER BY code, id LIMIT 300",
        &[],
    )?;
    read(conn, rows, None)
}

/// Every unit and post that has a part in one of these processes, units first; the columns of the matrix.
pub fn parties(processes: &[Process]) -> Vec<Party> {
    let mut all: Vec<Party> =
        processes.iter().flat_map(|p| p.duties.iter().map(|(party, _)| party.clone())).collect();
    all.sort();
    all.dedup();
    all
}

/// The processes of which these units and posts are informed (I), as a subquery without parameters; `None` when
/// there are no units and posts. Posts are codes of the dictionary and are quoted.
pub fn informing(units: &[UnitId], posts: &[String]) -> Option<String> {
    let mut any = Vec::new();
    if !units.is_empty() {
        let ids: Vec<String> = units.iter().map(|u| u.0.to_string()).collect();
        any.push(format!("(unit_id IN ({}) AND post = '')", ids.join(", ")));
    }
    if !posts.is_empty() {
        let codes: Vec<String> = posts.iter().map(|p| format!("'{}'", p.replace('\'', "''"))).collect();
        any.push(format!("post IN ({})", codes.join(", ")));
    }
    (!any.is_empty()).then(|| {
        format!("SELECT process_id FROM process_duties WHERE duty = 'informed' AND ({})", any.join(" OR "))
    })
}
