//! Reading the log by person, action, object, customer and time, newest first.

use store::{Conn, FromRow, Row, Tx};

use crate::access::{self, Actor, Object, Verb, require_may};
use crate::audit::{self, COLUMNS, Entry, WIDTH, Written};
use crate::clock::{Millis, Zone, rfc3339};
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId};
use crate::query::Conditions;
use crate::text;
use crate::web::FormData;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct AuditQuery {
    pub(super) person: Option<PersonId>,
    /// A whole action (`customer.updated`) or its first part (`customer.`).
    pub(super) action: String,
    pub(super) object: String,
    pub(super) customer: Option<CustomerId>,
    pub(super) result: String,
    pub(super) from: Option<Millis>,
    /// Exclusive.
    pub(super) to: Option<Millis>,
    /// Only log-in and log-out.
    pub(super) only_logins: bool,
    /// Nothing that belongs to a customer: the reader is barred from all of them.
    pub(super) without_customers: bool,
    /// The condition on a row under which its reader may know what it says before and after; ids only.
    pub(super) seen: String,
    /// Rows older than this one.
    pub(super) after: Option<i64>,
    /// Rows newer than this one, the nearest of them.
    pub(super) before: Option<i64>,
}

/// Actions of the log-in log.
pub(super) const LOGIN_ACTIONS: [&str; 4] = ["login.succeeded", "login.failed", "logout", "session.ended"];

impl AuditQuery {
    /// Reads an address.
    pub(super) fn read(asked: &FormData, zone: &Zone) -> Result<Self, AppError> {
        let person = match asked.get("person") {
            "" => None,
            text => Some(text.parse().map_err(|_| AppError::field("person", text!("没有这个人员")))?),
        };
        let customer = match asked.get("customer") {
            "" => None,
            text => Some(text.parse().map_err(|_| AppError::field("customer", text!("没有这个客户")))?),
        };
        let day = |name: &str| match asked.get(name) {
            "" => Ok(None),
            text => text
                .parse::<jiff::civil::Date>()
                .map(|date| Some(zone.day(date)))
                .map_err(|_| AppError::field(name, text!("请填写日期，例如 2026-09-28"))),
        };
        let place = |name: &str| match asked.get(name) {
            "" => Ok(None),
            text => store::parse_id(text)
                .map(Some)
                .map_err(|_| AppError::field(name, text!("翻页位置已失效，请从第一页重新开始"))),
        };
        let name = |name: &str| {
            let text = asked.get(name);
            let is_name =
                text.len() <= 60 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.');
            if is_name {
                Ok(text.to_owned())
            } else {
                Err(AppError::field(name, text!("没有这个选项")))
            }
        };
        Ok(Self {
            person,
            customer,
            action: name("action")?,
            object: name("object")?,
            result: name("result")?,
            from: day("from")?.map(|(start, _)| start),
            to: day("to")?.map(|(_, end)| end),
            only_logins: false,
            without_customers: false,
            seen: "FALSE".to_owned(),
            after: place("after")?,
            before: place("before")?,
        })
    }

    /// For a reader: whoever is barred from customers reads nothing that belongs to one. That something was done to a
    /// customer he may not read he learns, but not what; nor where fields of customers are withheld from him.
    pub(super) fn of(self, reader: &Actor) -> Self {
        let has_rules = [Object::Customer, Object::Contact].iter().any(|o| reader.rights.has_field_rules(*o));
        let seen = if has_rules {
            "customer_id = 0".to_owned()
        } else if reader.sees_all_customers() {
            "TRUE".to_owned()
        } else {
            let readable = access::readable_sql(reader, Object::Customer);
            format!(
                "(customer_id = 0 OR EXISTS (SELECT 1 FROM customers c WHERE c.id = audit_log.customer_id
                   AND COALESCE({readable}, FALSE)))"
            )
        };
        Self { without_customers: reader.rights.bar.is_some(), seen, ..self }
    }

    /// The columns of a row, and whether its reader may know what it says.
    fn columns(&self) -> String {
        format!("{COLUMNS}, {} AS is_seen", self.seen)
    }

    fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        if let Some(person) = self.person {
            conditions.equal("actor_id", person.0);
        }
        if let Some(customer) = self.customer {
            conditions.equal("customer_id", customer.0);
            // Lets the partial index be used.
            conditions.and("customer_id <> 0");
        }
        if self.action.ends_with('.') {
            // A range instead of LIKE: an index can seek to it. `/` follows `.`.
            let from = conditions.bind(self.action.clone());
            let to = conditions.bind(format!("{}/", self.action.trim_end_matches('.')));
            conditions.and(format!("action >= {from} AND action < {to}"));
        } else if !self.action.is_empty() {
            conditions.equal("action", self.action.clone());
        }
        if self.without_customers {
            conditions.and("customer_id = 0");
        }
        if self.only_logins {
            let names: Vec<String> = LOGIN_ACTIONS.iter().map(|a| format!("'{a}'")).collect();
            conditions.and(format!("action IN ({})", names.join(", ")));
        }
        if !self.object.is_empty() {
            conditions.equal("object", self.object.clone());
        }
        if !self.result.is_empty() {
            conditions.equal("result", self.result.clone());
        }
        if let Some(from) = self.from {
            let place = conditions.bind(from);
            conditions.and(format!("at >= {place}"));
        }
        if let Some(to) = self.to {
            let place = conditions.bind(to);
            conditions.and(format!("at < {place}"));
        }
        if let Some(after) = self.after {
            let place = conditions.bind(after);
            conditions.and(format!("id < {place}"));
        } else if let Some(before) = self.before {
            let place = conditions.bind(before);
            conditions.and(format!("id > {place}"));
        }
        conditions
    }

    /// What the row about the reading says.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut asked = serde_json::json!({
            "person": self.person, "action": self.action, "object": self.object, "customer": self.customer,
            "result": self.result, "from": self.from.map(rfc3339), "to": self.to.map(rfc3339),
            "only_logins": self.only_logins,
        });
        if let Some(asked) = asked.as_object_mut() {
            asked.retain(|_, v| !(v.is_null() || v == "" || v == false));
        }
        asked
    }
}

/// A row as its reader may know it.
struct Seen(Written);

impl FromRow for Seen {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let mut written = Written::from_row(row)?;
        if !row.get::<bool>(WIDTH)? {
            written.before.clear();
            written.after.clear();
        }
        Ok(Self(written))
    }
}

/// A page of rows, newest first.
pub(super) struct AuditPage {
    pub(super) rows: Vec<Written>,
    /// Whether there are older ones.
    pub(super) has_older: bool,
    /// Whether there are newer ones.
    pub(super) has_newer: bool,
}

/// Reads a page.
pub(super) fn read(conn: &mut Conn<'_>, query: &AuditQuery, limit: usize) -> store::Result<AuditPage> {
    let conditions = query.conditions();
    let is_backwards = query.after.is_none() && query.before.is_some();
    let direction = if is_backwards { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT {} FROM audit_log WHERE {} ORDER BY id {direction} LIMIT {}",
        query.columns(),
        conditions.sql(),
        limit + 1
    );
    let rows: Vec<Seen> = conn.rows(&sql, &conditions.params)?;
    let mut rows: Vec<Written> = rows.into_iter().map(|seen| seen.0).collect();
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    if is_backwards {
        rows.reverse();
    }
    Ok(AuditPage {
        rows,
        has_older: if is_backwards { true } else { has_more },
        has_newer: if is_backwards { has_more } else { query.after.is_some() },
    })
}

/// Calls `visit` with every row, newest first, at most `most`.
pub(super) fn each(
    conn: &mut Conn<'_>,
    query: &AuditQuery,
    most: usize,
    mut visit: impl FnMut(Written) -> Result<(), AppError>,
) -> Result<(), AppError> {
    let conditions = query.conditions();
    let (columns, conditions_sql) = (query.columns(), conditions.sql());
    let sql = format!("SELECT {columns} FROM audit_log WHERE {conditions_sql} ORDER BY id DESC LIMIT {most}");
    conn.each(&sql, &conditions.params, |row| {
        visit(Seen::from_row(row)?.0)?;
        Ok::<_, AppError>(std::ops::ControlFlow::Continue(()))
    })
}

/// Notes that the log was read or exported.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &'static str,
    query: &AuditQuery,
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Audit, Verb::Read)?;
    let after = query.json();
    audit::record(tx, actor, now, &Entry::of(action, "audit", 0).after(&after))?;
    Ok(())
}
