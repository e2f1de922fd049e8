//! The search index: one document a customer, holding every name, number and phone by which people look for it
//! (its own, its contacts', its assets'). Tokens are made by `hanzi`; SQLite keeps them in FTS5, PostgreSQL in a
//! tsvector. This is the one place where the two engines differ in queries.

mod find;
pub mod web;
mod within;

pub use find::{Hit, find_customers, is_restricted, is_seen, seen, with_words};
pub(crate) use within::{Asked, Within, asked, tagged};

use hanzi::search::Document;
use store::{Conn, Engine, Tx, Value};

/// Writes or replaces a customer's document, in the transaction of the change.
pub fn put(tx: &mut Tx<'_>, customer_id: i64, document: &Document) -> store::Result<()> {
    match tx.engine() {
        Engine::Sqlite => tx.exec(
            "INSERT OR REPLACE INTO search_docs (rowid, body) VALUES ($1, $2)",
            &[customer_id.into(), document.fts5().into()],
        ),
        Engine::Postgres => tx.exec(
            "INSERT INTO search_docs (id, body) VALUES ($1, CAST(CAST($2 AS TEXT) AS tsvector))
             ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body",
            &[customer_id.into(), document.tsvector().into()],
        ),
    }
    .map(drop)
}

/// Writes the documents of customers that have none yet.
pub fn put_new(tx: &mut Tx<'_>, all: &[(i64, Document)]) -> store::Result<()> {
    match tx.engine() {
        Engine::Sqlite => {
            let rows: Vec<Vec<Value<'_>>> =
                all.iter().map(|(id, document)| vec![(*id).into(), document.fts5().into()]).collect();
            tx.insert_rows("INSERT INTO search_docs (rowid, body)", &rows, "")
        }
        Engine::Postgres => {
            let rows: Vec<Vec<Value<'_>>> =
                all.iter().map(|(id, document)| vec![(*id).into(), document.tsvector().into()]).collect();
            // The places of a VALUES list hold text until they are cast.
            tx.insert_rows(
                "INSERT INTO search_docs (id, body)
                 SELECT CAST(v.id AS BIGINT), CAST(v.body AS tsvector) FROM (",
                &rows,
                ") v (id, body) ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body",
            )
        }
    }
    .map(drop)
}

/// Takes a customer out of the index.
pub fn remove(tx: &mut Tx<'_>, customer_id: i64) -> store::Result<()> {
    match tx.engine() {
        Engine::Sqlite => tx.exec("DELETE FROM search_docs WHERE rowid = $1", &[customer_id.into()]),
        Engine::Postgres => tx.exec("DELETE FROM search_docs WHERE id = $1", &[customer_id.into()]),
    }
    .map(drop)
}

/// Which documents this program writes; raised when they are made otherwise, so that those that are there are made anew.
const VERSION: i64 = 4;

/// Whether the documents in a database are those this program makes.
pub fn is_current(conn: &mut Conn<'_>) -> store::Result<bool> {
    let written: Option<i64> = conn.value("SELECT version FROM search_state WHERE id = 1", &[])?;
    Ok(written == Some(VERSION))
}

/// Notes that all documents are.
pub fn note_current(tx: &mut Tx<'_>) -> store::Result<()> {
    tx.exec(
        "INSERT INTO search_state (id, version) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET version = excluded.version",
        &[VERSION.into()],
    )
    .map(drop)
}

/// How many documents there are: for `kehu db check`.
pub fn count(conn: &mut Conn<'_>) -> store::Result<i64> {
    match conn.engine() {
        Engine::Sqlite => conn.count("SELECT COUNT(*) FROM search_docs", &[]),
        Engine::Postgres => conn.count("SELECT COUNT(*) FROM search_docs", &[]),
    }
}

/// Column of the customer's id in `search_docs`.
pub(crate) fn id_column(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "rowid",
        Engine::Postgres => "id",
    }
}

/// Where the customers that match come from, the newest first at no cost.
pub(crate) struct Matches {
    /// What stands after FROM: the customers as `c`.
    pub from: String,
    /// What must hold as well; `TRUE` when `from` says it all.
    pub condition: String,
    /// The id to order by and to go on behind.
    pub id_column: &'static str,
}

/// The customers that match `text`, bound at `place`.
pub(crate) fn matching(
    conn: &mut Conn<'_>,
    text: &str,
    place: &str,
    within: &Within,
) -> store::Result<Matches> {
    let is_rare = conn.engine() == Engine::Postgres && is_rare(conn, text)?;
    Ok(matching_few(conn.engine(), place, within, is_rare))
}

/// [`matching`], when it is known whether there are few hits.
pub(crate) fn matching_few(engine: Engine, place: &str, within: &Within, is_rare: bool) -> Matches {
    let condition = matches_sql(engine, place);
    let mut matches = match (engine, within) {
        // CROSS: the words lead, also where an index has all of somebody's customers.
        (Engine::Sqlite, Within::Whose(is_of)) => Matches {
            from: "search_docs CROSS JOIN customers w INDEXED BY customers_whose CROSS JOIN customers c"
                .into(),
            condition: format!("{condition} AND w.id = search_docs.rowid AND ({is_of}) AND c.id = w.id"),
            id_column: "search_docs.rowid",
        },
        (Engine::Sqlite, _) => Matches {
            from: "search_docs CROSS JOIN customers c ON c.id = search_docs.rowid".into(),
            condition,
            id_column: "search_docs.rowid",
        },
        // PostgreSQL would walk all customers for a few hits. OFFSET 0 and the sum keep it from that: the hits are
        // gathered and put in order, then their customers are looked up until the page is full.
        (Engine::Postgres, _) if is_rare => Matches {
            from: format!(
                "(SELECT id + 0 AS id FROM search_docs WHERE {condition} ORDER BY 1 DESC OFFSET 0) m
                 CROSS JOIN LATERAL (SELECT * FROM customers WHERE id = m.id OFFSET 0) c"
            ),
            condition: "TRUE".into(),
            id_column: "m.id",
        },
        (Engine::Postgres, _) => Matches {
            from: "search_docs JOIN customers c ON c.id = search_docs.id".into(),
            condition,
            id_column: "search_docs.id",
        },
    };
    if let Within::Gathered(ids) = within {
        // The plus keeps the index of words in the lead: it would be asked once for each id.
        matches.condition.push_str(&format!(" AND +{} IN ({ids})", matches.id_column));
    }
    matches
}

/// Whether a search has so few hits that they are better sorted than walked to. PostgreSQL only.
fn is_rare(conn: &mut Conn<'_>, text: &str) -> store::Result<bool> {
    const FEW: i64 = 2_000;
    let matches = matches_sql(Engine::Postgres, "$1");
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM search_docs WHERE {matches} LIMIT $2) few");
    Ok(conn.count(&sql, &[text.into(), (FEW + 1).into()])? <= FEW)
}

/// Condition on `search_docs` for the query bound at `place`.
pub(crate) fn matches_sql(engine: Engine, place: &str) -> String {
    match engine {
        Engine::Sqlite => format!("search_docs MATCH {place}"),
        Engine::Postgres => format!("search_docs.body @@ CAST(CAST({place} AS TEXT) AS tsquery)"),
    }
}

/// The engine's own text of a query whoever asks; `None` when nothing in it can be searched for.
pub(crate) fn match_text(engine: Engine, query: &str) -> Option<String> {
    within::text_of(&hanzi::search::plan(query), engine, within::Fit::Anywhere)
}
