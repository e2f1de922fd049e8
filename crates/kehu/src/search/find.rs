//! Finding customers while somebody types: ranked, with the reason of each hit.

use std::ops::Range;

use hanzi::search::Matcher;
use store::Conn;

use super::{match_text, matching};
use crate::access::{self, Actor};
use crate::customers::{COLUMNS, Customer, Field};
use crate::error::AppError;

/// A customer that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The customer.
    pub customer: Customer,
    /// Byte ranges of its name that match.
    pub name_marks: Vec<Range<usize>>,
    /// What else matched when the name did not: title (source text) and value.
    pub because: Option<(&'static str, String, Vec<Range<usize>>)>,
}

/// How many of the newest candidates are ranked; those whose some name begins with the query come first.
const ANCHORED: i64 = 60;
const NEWEST: i64 = 120;

/// The best `limit` customers for a query, names that begin with it first.
pub fn find_customers(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &str,
    limit: usize,
) -> Result<Vec<Hit>, AppError> {
    let mut found = candidates(conn, actor, query, true, ANCHORED)?;
    if found.len() < ANCHORED as usize {
        for customer in candidates(conn, actor, query, false, NEWEST)? {
            if !found.iter().any(|c| c.id == customer.id) {
                found.push(customer);
            }
        }
    }
    let matcher = Matcher::new(query);
    let mut ranked: Vec<(u32, Customer)> = found.into_iter().map(|c| (rank(&matcher, &c), c)).collect();
    ranked.sort_by(|(a, x), (b, y)| b.cmp(a).then(y.updated_at.cmp(&x.updated_at)));
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, customer)| explain(conn, &matcher, customer)).collect()
}

fn candidates(
    conn: &mut Conn<'_>,
    actor: &Actor,
    query: &str,
    anchored: bool,
    limit: i64,
) -> Result<Vec<Customer>, AppError> {
    let engine = conn.engine();
    let Some(text) = match_text(engine, query, anchored) else { return Ok(Vec::new()) };
    let super::Matches { from, condition, id_column } = matching(conn, &text, "$1")?;
    let readable = access::readable_sql(actor, "c");
    let sql = format!(
        "SELECT {} FROM {from} WHERE {condition} AND c.deleted_at IS NULL AND {readable}
         ORDER BY {id_column} DESC LIMIT $2",
        *COLUMNS
    );
    Ok(conn.rows(&sql, &[text.into(), limit.into()])?)
}

fn rank(matcher: &Matcher, customer: &Customer) -> u32 {
    let own =
        [Field::Name, Field::ShortName].into_iter().filter_map(|f| matcher.score(customer.get(f))).max();
    let number = matcher.score(&customer.number);
    // What matches elsewhere (a contact, a plate) comes after every name.
    own.max(number).unwrap_or(1)
}

fn explain(conn: &mut Conn<'_>, matcher: &Matcher, customer: Customer) -> Result<Hit, AppError> {
    let name_marks = matcher.highlight(customer.name());
    let because = if name_marks.is_empty() { reason(conn, matcher, &customer)? } else { None };
    Ok(Hit { customer, name_marks, because })
}

type Reason = Option<(&'static str, String, Vec<Range<usize>>)>;

fn reason(conn: &mut Conn<'_>, matcher: &Matcher, customer: &Customer) -> Result<Reason, AppError> {
    let matched = |title: &'static str, value: &str| {
        let marks = matcher.highlight(value);
        (!marks.is_empty()).then(|| (title, value.to_owned(), marks))
    };
    if let Some(found) = matched("客户编号", &customer.number) {
        return Ok(Some(found));
    }
    for field in [
        Field::ShortName,
        Field::Phone,
        Field::Landline,
        Field::CreditCode,
        Field::IdNumber,
        Field::Email,
        Field::Wechat,
    ] {
        if let Some(found) = matched(field.spec().zh, customer.get(field)) {
            return Ok(Some(found));
        }
    }
    let contacts: Vec<(String, String, String)> = conn.rows(
        "SELECT name, phone, landline FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 50",
        &[customer.id.into()],
    )?;
    for (name, phone, landline) in &contacts {
        for value in [name, phone, landline] {
            if let Some(found) = matched("联系人", value) {
                let shown = if value == name { found.1 } else { format!("{name} {value}") };
                let marks = matcher.highlight(&shown);
                return Ok(Some(("联系人", shown, marks)));
            }
        }
    }
    let assets: Vec<(String, String, serde_json::Value)> = conn.rows(
        "SELECT name, code, details FROM assets WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 50",
        &[customer.id.into()],
    )?;
    for (name, code, details) in &assets {
        let text = |key: &str| details.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        for value in [code.as_str(), name.as_str(), text("vin"), text("serial")] {
            if let Some(found) = matched("资产", value) {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
