//! Reading service strategies: everybody who is signed in may read them all.

use store::{Conn, FromRow, Row};

use super::model::Strategy;
use crate::error::AppError;
use crate::ids::StrategyId;

const COLUMNS: &str = "id, kind, class, level, name, needs, content, rhythm_days, channel, post, valid_from, note, \
                       version, created_at, updated_at";

impl FromRow for Strategy {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            class: row.get(2)?,
            level: row.get(3)?,
            name: row.get(4)?,
            needs: row.get(5)?,
            content: row.get(6)?,
            rhythm_days: row.get(7)?,
            channel: row.get(8)?,
            post: row.get(9)?,
            valid_from: row.get(10)?,
            note: row.get(11)?,
            version: row.get(12)?,
            created_at: row.get(13)?,
            updated_at: row.get(14)?,
        })
    }
}

/// A strategy.
pub fn load(conn: &mut Conn<'_>, id: StrategyId) -> Result<Strategy, AppError> {
    let sql = format!("SELECT {COLUMNS} FROM service_strategies WHERE id = $1 AND deleted_at IS NULL");
    conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)
}

/// All strategies, in the order of their groups: the wide ones first.
pub fn list(conn: &mut Conn<'_>) -> store::Result<Vec<Strategy>> {
    let sql =
        format!("SELECT {COLUMNS} FROM service_strategies WHERE deleted_at IS NULL ORDER BY id LIMIT 200");
    let mut all: Vec<Strategy> = conn.rows(&sql, &[])?;
    all.sort_by(|a, b| {
        a.specificity().cmp(&b.specificity()).then_with(|| (&a.kind, a.id).cmp(&(&b.kind, b.id)))
    });
    Ok(all)
}

/// The strategy by which a customer is served.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The most specific one.
    pub strategy: Strategy,
    /// Names of the wider ones that fit too.
    pub wider: Vec<String>,
}

/// The strategy for customers of a nature, class and level on a day (`YYYY-MM-DD`).
pub fn fitting(
    conn: &mut Conn<'_>,
    kind: &str,
    class: &str,
    level: &str,
    today: &str,
) -> store::Result<Option<Fit>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM service_strategies
         WHERE deleted_at IS NULL AND kind IN ('', $1) AND class IN ('', $2) AND level IN ('', $3)
           AND valid_from <= $4 ORDER BY id LIMIT 200"
    );
    let mut all: Vec<Strategy> = conn.rows(&sql, &[kind.into(), class.into(), level.into(), today.into()])?;
    all.sort_by_key(Strategy::specificity);
    let Some(strategy) = all.pop() else { return Ok(None) };
    Ok(Some(Fit { strategy, wider: all.into_iter().rev().map(|s| s.name).collect() }))
}
