//! Reading assets for an actor.

use store::{Conn, FromRow, Row};

use super::model::{Asset, AssetKind};
use crate::access::{self, Actor, Object, Verb};
use crate::customers;
use crate::error::AppError;
use crate::ids::{AssetId, CustomerId};
use crate::input::{check_query, like_anywhere};
use crate::query::{Conditions, Cursor, SortKey, behind, order_by};
use crate::search;

const COLUMNS: &str = "t.id, t.customer_id, t.kind, t.name, t.code, t.details, t.remark, t.version, t.created_at, \
                       t.created_by, t.updated_at";

impl FromRow for Asset {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let details = match row.get::<serde_json::Value>(5)? {
            serde_json::Value::Object(details) => details,
            _ => serde_json::Map::new(),
        };
        Ok(Self {
            id: row.get(0)?,
            customer_id: row.get(1)?,
            // The table allows no other names.
            kind: AssetKind::named(&row.get::<String>(2)?).unwrap_or(AssetKind::Product),
            name: row.get(3)?,
            code: row.get(4)?,
            details,
            remark: row.get(6)?,
            version: row.get(7)?,
            created_at: row.get(8)?,
            created_by: row.get(9)?,
            updated_at: row.get(10)?,
        })
    }
}

/// An asset on whose customer the actor may do `verb`.
pub fn load(conn: &mut Conn<'_>, actor: &Actor, verb: Verb, id: AssetId) -> Result<Asset, AppError> {
    load_from(conn, actor, verb, id, "t.deleted_at IS NULL")
}

/// An asset that was taken away, as [`load`].
pub(super) fn load_removed(conn: &mut Conn<'_>, actor: &Actor, id: AssetId) -> Result<Asset, AppError> {
    load_from(conn, actor, Verb::Update, id, "t.deleted_at IS NOT NULL")
}

fn load_from(
    conn: &mut Conn<'_>,
    actor: &Actor,
    verb: Verb,
    id: AssetId,
    state: &str,
) -> Result<Asset, AppError> {
    let sql = format!("SELECT {COLUMNS} FROM assets t WHERE t.id = $1 AND {state}");
    let asset: Asset = conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)?;
    customers::require(conn, actor, Object::Asset, verb, asset.customer_id)?;
    Ok(asset)
}

/// The assets of a customer the actor may read, by kind.
pub fn of_customer(conn: &mut Conn<'_>, actor: &Actor, customer: CustomerId) -> Result<Vec<Asset>, AppError> {
    customers::require(conn, actor, Object::Asset, Verb::Read, customer)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM assets t WHERE t.customer_id = $1 AND t.deleted_at IS NULL
         ORDER BY t.kind, t.id LIMIT 500"
    );
    Ok(conn.rows(&sql, &[customer.into()])?)
}

/// Another customer's asset with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// The asset.
    pub id: AssetId,
    /// Whose.
    pub customer_id: CustomerId,
    /// His name.
    pub customer: String,
    /// The number both have.
    pub code: String,
}

/// Other assets of the same kind with the same plate, VIN, meter or serial number, of customers the actor may read: at
/// most five. Rooms have none: the same room may have several owners.
pub fn twins(conn: &mut Conn<'_>, actor: &Actor, asset: &Asset) -> Result<Vec<Twin>, AppError> {
    let mut found: Vec<Twin> = Vec::new();
    if asset.kind == AssetKind::Room {
        return Ok(found);
    }
    for number in [asset.code.as_str(), asset.get("vin")] {
        let Some(text) = search::match_text(conn.engine(), number) else { continue };
        // The search index knows the numbers of assets: few customers are left to compare.
        let sql = format!(
            "SELECT t.id, t.customer_id, c.name FROM assets t JOIN customers c ON c.id = t.customer_id
             WHERE t.kind = $1 AND t.id <> $2 AND (t.code = $3 OR t.details ->> 'vin' = $3) AND t.deleted_at IS NULL
               AND c.deleted_at IS NULL AND {}
               AND c.id IN (SELECT {} FROM search_docs WHERE {}) ORDER BY t.id LIMIT 5",
            access::readable_sql(actor, Object::Asset),
            search::id_column(conn.engine()),
            search::matches_sql(conn.engine(), "$4"),
        );
        let params = [asset.kind.code().into(), asset.id.into(), number.into(), text.into()];
        let rows: Vec<(AssetId, CustomerId, String)> = conn.rows(&sql, &params)?;
        let shown = customers::shown(conn, actor, rows.iter().map(|row| row.1))?;
        for (id, customer_id, _) in rows {
            let customer = shown.get(&customer_id).map_or_else(String::new, |c| c.name().to_owned());
            if found.iter().all(|t| t.id != id) {
                found.push(Twin { id, customer_id, customer, code: number.to_owned() });
            }
        }
    }
    Ok(found)
}

/// The order of lists.
const ORDER: [SortKey; 1] =
    [SortKey { name: "updated_at", column: "t.updated_at", is_integer: true, descending: true }];

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only this kind.
    pub kind: Option<AssetKind>,
    /// Part of a number or name.
    pub q: String,
    /// Behind this place.
    pub after: Option<String>,
    /// How many, 1–200.
    pub limit: usize,
}

/// The assets the actor may read, newest change first, and the place of the next page.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &ListQuery,
) -> Result<(Vec<Asset>, Option<String>), AppError> {
    check_query(&query.q)?;
    let mut conditions = Conditions::default();
    conditions.and("t.deleted_at IS NULL AND c.deleted_at IS NULL");
    conditions.and(access::readable_sql(actor, Object::Asset));
    if let Some(customer) = query.customer {
        customers::require(conn, actor, Object::Asset, Verb::Read, customer)?;
        conditions.equal("t.customer_id", customer.0);
    }
    if let Some(kind) = query.kind {
        conditions.equal("t.kind", kind.code().to_owned());
    }
    if !query.q.trim().is_empty() {
        let Some(text) = search::match_text(conn.engine(), &query.q) else {
            return Ok((Vec::new(), None));
        };
        let place = conditions.bind(text);
        conditions.and(format!(
            "c.id IN (SELECT {} FROM search_docs WHERE {})",
            search::id_column(conn.engine()),
            search::matches_sql(conn.engine(), &place)
        ));
        let like = conditions.bind(like_anywhere(&query.q));
        let columns = ["t.name", "t.code", "COALESCE(t.details ->> 'vin', '')"];
        let any: Vec<String> =
            columns.iter().map(|c| format!("LOWER({c}) LIKE {like} ESCAPE '\\'")).collect();
        conditions.and(format!("({})", any.join(" OR ")));
    }
    if let Some(after) = &query.after {
        behind(&mut conditions, &ORDER, "t.id", &Cursor::decode(after, &ORDER)?);
    }
    let limit = conditions.bind(query.limit as i64 + 1);
    let sql = format!(
        "SELECT {COLUMNS} FROM assets t JOIN customers c ON c.id = t.customer_id WHERE {} ORDER BY {} LIMIT {limit}",
        conditions.sql(),
        order_by(&ORDER, "t.id", false)
    );
    let mut assets: Vec<Asset> = conn.rows(&sql, &conditions.params)?;
    let has_more = assets.len() > query.limit;
    assets.truncate(query.limit);
    let next = assets
        .last()
        .filter(|_| has_more)
        .map(|last| Cursor::new(vec![last.updated_at.into()], last.id.0, false).encode());
    Ok((assets, next))
}
