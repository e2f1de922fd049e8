//! Whether what is kept about customers still says what counting says: for `kehu db check`.

use store::Conn;

/// Kept counts, and what they count: name, key (of `customers c`) and how much each customer adds.
const KEPT: [(&str, &str, &str); 8] = [
    ("customers", "''", "1"),
    ("customers.kind", "c.kind", "1"),
    ("customers.class", "c.class", "1"),
    ("customers.level", "c.level", "1"),
    ("customers.source", "c.source", "1"),
    ("customers.class_province", "c.class || '/' || c.province", "1"),
    ("customers.complete", "CASE WHEN c.completeness >= 100 THEN 'yes' ELSE 'no' END", "1"),
    ("customers.open_needs", "''", "c.open_needs"),
];

/// A kept count that counting contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Name of the count.
    pub name: String,
    /// Whose customers; 0 for everybody's, -1 for nobody's.
    pub owner_id: i64,
    /// Which unit's; 0 for whichever.
    pub unit_id: i64,
    /// What is counted.
    pub key: String,
    /// What is kept.
    pub kept: i64,
    /// What counting finds.
    pub counted: i64,
}

/// Every kept count of customers that differs from what counting finds. Reads every customer.
pub fn drifted(conn: &mut Conn<'_>) -> store::Result<Vec<Drift>> {
    let mut found = Vec::new();
    for (name, key, weight) in KEPT {
        let sql = format!(
            "SELECT owner_id, unit_id, key, CAST(SUM(kept) AS BIGINT), CAST(SUM(counted) AS BIGINT) FROM (
               SELECT owner_id, unit_id, key, n AS kept, 0 AS counted FROM counters WHERE name = $1
               UNION ALL SELECT 0, 0, {key}, 0, {weight} FROM customers c WHERE c.deleted_at IS NULL
               UNION ALL SELECT COALESCE(c.owner_id, -1), 0, {key}, 0, {weight} FROM customers c
                 WHERE c.deleted_at IS NULL
               UNION ALL SELECT 0, c.unit_id, {key}, 0, {weight} FROM customers c
                 WHERE c.deleted_at IS NULL AND c.unit_id IS NOT NULL
               UNION ALL SELECT COALESCE(c.owner_id, -1), c.unit_id, {key}, 0, {weight} FROM customers c
                 WHERE c.deleted_at IS NULL AND c.unit_id IS NOT NULL
             ) both_ways GROUP BY owner_id, unit_id, key HAVING SUM(kept) <> SUM(counted)
             ORDER BY owner_id, unit_id, key LIMIT 20"
        );
        let rows: Vec<(i64, i64, String, i64, i64)> = conn.rows(&sql, &[name.into()])?;
        found.extend(rows.into_iter().map(|(owner_id, unit_id, key, kept, counted)| Drift {
            name: name.to_owned(),
            owner_id,
            unit_id,
            key,
            kept,
            counted,
        }));
    }
    let needs: Vec<(i64, i64, i64)> = conn.rows(
        "SELECT c.id, c.open_needs, COALESCE(n.open, 0) FROM customers c
         LEFT JOIN (SELECT customer_id, COUNT(*) AS open FROM activities
                    WHERE kind = 'need' AND done_at IS NULL AND deleted_at IS NULL GROUP BY customer_id) n
           ON n.customer_id = c.id
         WHERE c.deleted_at IS NULL AND c.open_needs <> COALESCE(n.open, 0) ORDER BY c.id LIMIT 20",
        &[],
    )?;
    found.extend(needs.into_iter().map(|(id, kept, counted)| Drift {
        name: "open_needs".to_owned(),
        owner_id: 0,
        unit_id: 0,
        key: store::format_id(id),
        kept,
        counted,
    }));
    Ok(found)
}
