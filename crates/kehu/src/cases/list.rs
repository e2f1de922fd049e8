//! Lists of cases, by cursor.

use store::Conn;

use super::load::readable_sql;
use super::model::{COLUMNS, Case};
use super::world::Ground;
use crate::access::{self, Actor};
use crate::error::AppError;
use crate::ids::{CaseId, CustomerId, PersonId, UnitId};

/// Which cases.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Of this form.
    pub form: Option<String>,
    /// Of this policy.
    pub policy: Option<String>,
    /// Open or ended ones.
    pub is_open: Option<bool>,
    /// At this step.
    pub step: Option<String>,
    /// With a deadline that has passed, or with this mark.
    pub mark: Option<String>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// That he opened (我发起的).
    pub creator: Option<PersonId>,
    /// Whose number begins so, or whose subject has it.
    pub text: String,
}

/// Where a page goes on.
#[derive(Clone, Copy, Debug)]
pub struct Place(pub CaseId);

/// Cases the actor may read, the newest first, and whether there are more.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    query: &ListQuery,
    after: Option<Place>,
    limit: usize,
) -> Result<(Vec<Case>, Option<Place>), AppError> {
    access::require_unbarred(actor)?;
    let mut conditions = vec![readable_sql(actor, ground)];
    let mut params: Vec<store::Value<'_>> = Vec::new();
    let mut add = |sql: &str, value: store::Value<'static>| {
        params.push(value);
        conditions.push(sql.replace('?', &format!("${}", params.len())));
    };
    if let Some(form) = &query.form {
        add("k.form = ?", form.clone().into());
    }
    if let Some(policy) = &query.policy {
        add("k.policy = ?", policy.clone().into());
    }
    if let Some(is_open) = query.is_open {
        add("k.is_open = ?", is_open.into());
    }
    if let Some(step) = &query.step {
        add("k.step = ?", step.clone().into());
    }
    if let Some(mark) = &query.mark {
        add("' ' || k.marks || ' ' LIKE '% ' || ? || ' %'", mark.replace(['%', '_'], "").into());
    }
    if let Some(customer) = query.customer {
        add("k.customer_id = ?", customer.into());
    }
    if let Some(unit) = query.unit {
        add("k.unit_id = ?", unit.into());
    }
    if let Some(creator) = query.creator {
        add("k.creator_id = ?", creator.into());
    }
    let text = query.text.trim();
    if !text.is_empty() {
        let text: String = text.chars().filter(|c| !matches!(c, '%' | '_' | '\\')).take(60).collect();
        params.push(text.into());
        let n = params.len();
        conditions.push(format!("(k.number LIKE ${n} || '%' OR k.subject LIKE '%' || ${n} || '%')"));
    }
    if let Some(Place(after)) = after {
        params.push(after.into());
        conditions.push(format!("k.id < ${}", params.len()));
    }
    params.push((limit as i64 + 1).into());
    let sql = format!(
        "SELECT {COLUMNS} FROM cases k WHERE {} ORDER BY k.id DESC LIMIT ${}",
        conditions.join(" AND "),
        params.len()
    );
    let mut found: Vec<Case> = conn.rows(&sql, &params)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(|case| Place(case.id)) } else { None };
    Ok((found, next))
}
