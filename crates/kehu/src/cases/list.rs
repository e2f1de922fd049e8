//! Lists of cases, by cursor.

use store::Conn;

use super::load::{readable_in, readable_sql};
use super::model::{COLUMNS, Case};
use super::unseen::{hide_in_cases, subject_sql};
use super::world::{Ground, with_world};
use crate::access::{self, Actor, Directory};
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CaseId, CustomerId, PersonId, UnitId};
use crate::{customers, policies};

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
    /// With this mark.
    pub mark: Option<String>,
    /// With a deadline that has passed, whatever its regulation calls the mark.
    pub is_late: bool,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this unit.
    pub unit: Option<UnitId>,
    /// That he opened (我发起的).
    pub creator: Option<PersonId>,
    /// Whose number begins so, or whose subject has it.
    pub text: String,
}

/// What is looked for in numbers and subjects; nothing when nothing is.
pub(super) fn text_of(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !matches!(c, '%' | '_' | '\\')).take(60).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// The condition on `cases k` of a text that is parameter `n`; nobody finds a case by a name he may not know.
pub(super) fn text_condition(actor: &Actor, n: usize) -> String {
    format!("(k.number LIKE ${n} || '%' OR {} LIKE '%' || ${n} || '%')", subject_sql(actor))
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
    if query.is_late {
        add("k.marks <> ?", String::new().into());
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
    if let Some(text) = text_of(&query.text) {
        params.push(text.into());
        conditions.push(text_condition(actor, params.len()));
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
    hide_in_cases(conn, actor, found.iter_mut())?;
    Ok((found, next))
}

/// The values of the columns that a form's list shows, a row a case, as the actor may see them. All cases are of the form
/// of the first; those of older versions show what those had.
pub fn column_values(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    cases: &[Case],
) -> Result<(Vec<String>, Vec<Vec<String>>), AppError> {
    let Some(first) = cases.first() else { return Ok((Vec::new(), Vec::new())) };
    let policy = policies::load(conn, first.version_id)?;
    let Some(form) = policy.form(&first.form) else { return Ok((Vec::new(), Vec::new())) };
    let columns: Vec<(String, String)> = form
        .list
        .iter()
        .filter_map(|place| form.fields.get(*place))
        .map(|field| (field.id.clone(), field.title.clone()))
        .collect();
    let ids: Vec<String> = cases.iter().map(|case| case.id.0.to_string()).collect();
    let bodies: Vec<(CaseId, String)> =
        conn.rows(&format!("SELECT id, body FROM cases WHERE id IN ({})", ids.join(",")), &[])?;
    let bodies: std::collections::HashMap<CaseId, String> = bodies.into_iter().collect();
    let me = actor.person_id.to_string();
    let seen = customers::shown(conn, actor, cases.iter().filter_map(|case| case.customer_id))?;
    let mut rows = Vec::with_capacity(cases.len());
    for case in cases {
        let policy = policies::load(conn, case.version_id)?;
        let body = bodies.get(&case.id).and_then(|body| serde_json::from_str::<serde_json::Value>(body).ok());
        let state = policy
            .form(&case.form)
            .zip(body)
            .and_then(|(form, body)| Some((form.clone(), policy::case::Case::from_json(form, &body)?)));
        let Some((form, state)) = state else {
            rows.push(vec![String::new(); columns.len()]);
            continue;
        };
        let knows_customer = case.customer_id.is_none_or(|id| seen.contains_key(&id));
        let cells = with_world(conn, ground, &policy.id, |world| {
            let hidden = if actor.is_administrator() {
                Vec::new()
            } else {
                policy.hidden_fields(&form, &state, Some(&me), ground.now, world)
            };
            let cell = |(id, _): &(String, String)| {
                let place = form.field(id).filter(|place| !hidden.contains(place))?;
                let field = form.fields.get(place)?;
                let is_known =
                    knows_customer || field.kind.reference() != Some(policy::value::Kind::Customer);
                let value = state.values.get(place).filter(|_| is_known)?;
                Some(policy::engine::shown(value, &field.ty, world))
            };
            columns.iter().map(|column| cell(column).unwrap_or_default()).collect::<Vec<String>>()
        })?;
        rows.push(cells);
    }
    Ok((columns.into_iter().map(|(_, title)| title).collect(), rows))
}

/// Open cases the actor may read whose next deadline falls into `[from, to)`, the earliest first.
pub fn due_between(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    from: Millis,
    to: Millis,
    limit: usize,
) -> Result<Vec<Case>, AppError> {
    access::require_unbarred(actor)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM cases k WHERE k.is_open = TRUE AND k.due_at >= $1 AND k.due_at < $2 AND {}
         ORDER BY k.due_at, k.id LIMIT $3",
        readable_sql(actor, ground)
    );
    let mut found: Vec<Case> = conn.rows(&sql, &[from.into(), to.into(), (limit as i64).into()])?;
    hide_in_cases(conn, actor, found.iter_mut())?;
    Ok(found)
}

/// How many open cases of a customer the actor may read, counted up to 1,000.
pub fn count_about(
    conn: &mut Conn<'_>,
    actor: &Actor,
    directory: &Directory,
    day: &str,
    customer: CustomerId,
) -> store::Result<i64> {
    if actor.rights.bar.is_some() {
        return Ok(0);
    }
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM cases k WHERE k.customer_id = $1 AND k.is_open = TRUE AND {} LIMIT 1000) open",
        readable_in(actor, directory, day)
    );
    conn.count(&sql, &[customer.into()])
}

/// Counted at the most where a page says how many there are.
pub const MOST_COUNTED: i64 = 1_000;

/// Of each form of a regulation, how many open cases the actor may read, and how many of them are late; each counted up
/// to one more than `MOST_COUNTED`.
pub fn open_counts(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    policy: &policy::Policy,
) -> Result<Vec<(i64, i64)>, AppError> {
    access::require_unbarred(actor)?;
    let sql = format!(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN marks <> '' THEN 1 ELSE 0 END), 0) FROM
           (SELECT k.marks FROM cases k WHERE k.form = $1 AND k.is_open = TRUE AND k.policy = $2 AND {}
            LIMIT $3) open",
        readable_sql(actor, ground)
    );
    let mut all = Vec::with_capacity(policy.forms.len());
    for form in &policy.forms {
        let params = [(&form.id).into(), (&policy.id).into(), (MOST_COUNTED + 1).into()];
        all.push(conn.row(&sql, &params)?.unwrap_or_default());
    }
    Ok(all)
}

/// The cases that a case opened and the actor may read, the oldest first, at most 50.
pub fn children_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    id: CaseId,
) -> Result<Vec<Case>, AppError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM cases k WHERE k.parent_id = $1 AND {} ORDER BY k.id LIMIT 50",
        readable_sql(actor, ground)
    );
    let mut found: Vec<Case> = conn.rows(&sql, &[id.into()])?;
    hide_in_cases(conn, actor, found.iter_mut())?;
    Ok(found)
}

/// The case that opened one: its id and number, if the actor may read it.
pub fn parent_of(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    case: &Case,
) -> Result<Option<(CaseId, String)>, AppError> {
    let Some(parent) = case.parent_id else { return Ok(None) };
    let sql =
        format!("SELECT k.id, k.number FROM cases k WHERE k.id = $1 AND {}", readable_sql(actor, ground));
    Ok(conn.row(&sql, &[parent.into()])?)
}
