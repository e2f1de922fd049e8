//! Reading the workbench's numbers and lists.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use store::Conn;

use super::staff::{Staff, staff};
use crate::access::{self, ADMINISTRATOR_ID, Actor, Object, Verb};
use crate::backups::{self, Overdue};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::counters::{self, Whose};
use crate::customers::{self, Customer, ListQuery};
use crate::error::AppError;
use crate::ids::CustomerId;
use crate::penalties;
use crate::rosters;
use crate::settings::{self, Parameter};
use crate::tasks;

/// Whose numbers an actor sees: those of the customers in his sight. Where owner and unit do not tell which these are,
/// the numbers are those of his own.
fn whose(actor: &Actor) -> Whose {
    Whose::within(actor).unwrap_or_else(|| Whose::owner(actor.person_id))
}

/// An activity as the workbench lists it.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Its customer.
    pub customer_id: CustomerId,
    /// The customer's name.
    pub customer: String,
    /// Its kind (a code).
    pub kind: String,
    /// What it was about.
    pub subject: String,
    /// When it happened.
    pub happened_at: Millis,
    /// Who noted it.
    pub by: String,
}

/// What a new company has done of its first steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstSteps {
    /// It has customers.
    pub has_customers: bool,
    /// Customers were imported.
    pub has_imports: bool,
    /// There is more than one person.
    pub has_people: bool,
    /// It has a field of its own.
    pub has_fields: bool,
    /// An administrator does not want to see the list any more.
    pub is_hidden: bool,
}

impl FirstSteps {
    /// Whether the list is still of use.
    pub fn is_wanted(self) -> bool {
        let is_done = self.has_customers && self.has_imports && self.has_people && self.has_fields;
        !self.is_hidden && !is_done
    }
}

/// Whether the first steps are hidden.
pub const FIRST_STEPS_HIDDEN: Parameter = Parameter {
    name: "workbench.first_steps_hidden",
    group: "工作台",
    title: "不显示“开始使用”",
    help: "管理员工作台上的入门步骤；全部做完后自动不再显示",
    kind: settings::Kind::Flag { default: false },
};

/// What an administrator may set.
pub const PARAMETERS: &[Parameter] = &[FIRST_STEPS_HIDDEN];

/// Everything the workbench shows.
#[derive(Clone, Debug)]
pub struct Board {
    /// What waits for the actor.
    pub todo: tasks::Counts,
    /// His shifts, what became of them, and swaps that wait for him.
    pub duty: rosters::Duty,
    /// Penalties that wait for his decision.
    pub penalties: i64,
    /// Customers in his sight.
    pub customers: i64,
    /// Of them, made this month.
    pub new_this_month: i64,
    /// Of them, made last month.
    pub new_last_month: i64,
    /// Of them, with an incomplete dossier.
    pub incomplete: i64,
    /// Their needs that nobody has dealt with.
    pub open_needs: i64,
    /// Number by class (a code).
    pub by_class: Vec<(String, i64)>,
    /// Number by province, largest first, at most ten.
    pub by_province: Vec<(String, i64)>,
    /// The last twelve months, oldest first, with the customers made in each.
    pub by_month: Vec<(String, i64)>,
    /// The customers changed last: his own, or for who owns none those in sight.
    pub recent: Vec<Customer>,
    /// The latest activities in his sight.
    pub activities: Vec<Recent>,
    /// First steps; for administrators.
    pub first_steps: Option<FirstSteps>,
    /// The organisation instead of customers, for whom it is that.
    pub staff: Option<Staff>,
    /// Whether some role lets the actor see customers.
    pub has_customers: bool,
    /// Whom to ask for rights, when he has none for customers or the organisation.
    pub administrators: Vec<String>,
    /// Whether the backups need looking after; for administrators.
    pub backups: Option<Overdue>,
}

/// Reads the workbench of an actor at a moment of a day.
pub fn board(conn: &mut Conn<'_>, actor: &Actor, today: Date, now: Millis) -> Result<Board, AppError> {
    let whose = whose(actor);
    let months: Vec<String> = (0..12)
        .rev()
        .map(|back: i64| today.first_of_month().saturating_sub(back.months()).strftime("%Y-%m").to_string())
        .collect();
    let made: BTreeMap<String, i64> =
        counters::by_key(conn, "customers.created_month", &whose)?.into_iter().collect();
    let by_month: Vec<(String, i64)> =
        months.into_iter().map(|month| (month.clone(), made.get(&month).copied().unwrap_or(0))).collect();
    let month = |back: usize| by_month.iter().rev().nth(back).map_or(0, |(_, n)| *n);
    let table = by_class_and_province(conn, actor)?;
    let customers = counters::one(conn, "customers", "", &whose)?;
    let staff = if super::staff::is_for(actor) { Some(staff(conn, today)?) } else { None };
    let has_customers = actor.rights.has_any(Object::Customer, Verb::Read);
    let administrators = if has_customers || staff.is_some() { Vec::new() } else { administrators(conn)? };
    Ok(Board {
        todo: tasks::counts(conn, actor, &today.to_string())?,
        duty: rosters::duty(conn, actor, now)?,
        penalties: penalties::waiting_count(conn, actor)?,
        customers,
        new_this_month: month(0),
        new_last_month: month(1),
        incomplete: counters::one(conn, "customers.complete", "no", &whose)?,
        open_needs: counters::one(conn, "customers.open_needs", "", &whose)?,
        by_class: table.classes,
        by_province: table.provinces.into_iter().filter(|(name, _)| !name.is_empty()).take(10).collect(),
        by_month,
        recent: recent_customers(conn, actor)?,
        activities: recent_activities(conn, actor)?,
        backups: if actor.is_administrator() { backups::overdue(conn, now)? } else { None },
        first_steps: if actor.is_administrator() { Some(first_steps(conn, customers)?) } else { None },
        staff,
        has_customers,
        administrators,
    })
}

/// Names of those who can give rights, at most five.
fn administrators(conn: &mut Conn<'_>) -> store::Result<Vec<String>> {
    let rows: Vec<(String,)> = conn.rows(
        "SELECT p.name FROM person_roles r JOIN people p ON p.id = r.person_id
         WHERE r.role_id = $1 AND p.is_active ORDER BY p.id LIMIT 5",
        &[ADMINISTRATOR_ID.into()],
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

fn recent_customers(conn: &mut Conn<'_>, actor: &Actor) -> Result<Vec<Customer>, AppError> {
    let mut query = ListQuery { owner: Some(Some(actor.person_id)), limit: 6, ..ListQuery::default() };
    let own = customers::list(conn, actor, &query)?.items;
    if !own.is_empty() {
        return Ok(own);
    }
    query.owner = None;
    Ok(customers::list(conn, actor, &query)?.items)
}

/// Of everybody for those who see all customers, else what the actor himself noted: both walk an index backwards.
fn recent_activities(conn: &mut Conn<'_>, actor: &Actor) -> Result<Vec<Recent>, AppError> {
    let mine = if actor.sees_all_customers() {
        String::new()
    } else {
        format!("AND a.created_by = {}", actor.person_id.0)
    };
    let readable = access::readable_sql(actor, Object::Activity);
    let sql = format!(
        "SELECT c.id, c.name, a.kind, a.subject, a.happened_at, COALESCE(p.name, '') FROM activities a
         JOIN customers c ON c.id = a.customer_id LEFT JOIN people p ON p.id = a.created_by
         WHERE a.deleted_at IS NULL {mine} AND c.deleted_at IS NULL AND {readable}
         ORDER BY a.happened_at DESC, a.id DESC LIMIT 8"
    );
    let mut rows: Vec<(CustomerId, String, String, String, Millis, String)> = conn.rows(&sql, &[])?;
    if actor.rights.has_field_rules(Object::Customer) {
        let shown = customers::shown(conn, actor, rows.iter().map(|row| row.0))?;
        for (id, name, ..) in &mut rows {
            *name = shown.get(id).map_or_else(String::new, |c| c.name().to_owned());
        }
    }
    Ok(rows
        .into_iter()
        .map(|(customer_id, customer, kind, subject, happened_at, by)| Recent {
            customer_id,
            customer,
            kind,
            subject,
            happened_at,
            by,
        })
        .collect())
}

fn first_steps(conn: &mut Conn<'_>, customers: i64) -> Result<FirstSteps, AppError> {
    let people = conn.count("SELECT COUNT(*) FROM (SELECT 1 FROM people LIMIT 2) few", &[])?;
    let has = |conn: &mut Conn<'_>, table: &str| {
        Ok::<_, AppError>(conn.value::<i64>(&format!("SELECT id FROM {table} LIMIT 1"), &[])?.is_some())
    };
    Ok(FirstSteps {
        has_customers: customers > 0,
        has_imports: has(conn, "imports")?,
        has_people: people > 1,
        has_fields: has(conn, "custom_fields")?,
        is_hidden: FIRST_STEPS_HIDDEN.flag(conn)?,
    })
}

/// Customers by class and province, from the kept counts.
#[derive(Clone, Debug, Default)]
pub struct ByClass {
    /// Number by class (a code), in no particular order.
    pub classes: Vec<(String, i64)>,
    /// Number by province, largest first; "" for those whose region is not known.
    pub provinces: Vec<(String, i64)>,
    /// Number by class and province.
    pub cells: BTreeMap<(String, String), i64>,
    /// All of them.
    pub total: i64,
}

impl ByClass {
    /// The number of a class in a province.
    pub fn cell(&self, class: &str, province: &str) -> i64 {
        self.cells.get(&(class.to_owned(), province.to_owned())).copied().unwrap_or(0)
    }

    /// Puts the classes into the dictionary's order; those it does not know come last.
    pub fn sort_classes(&mut self, catalogue: &Catalogue) {
        let order: Vec<&str> =
            catalogue.dictionary("customer_class").entries.iter().map(|e| e.code.as_str()).collect();
        self.classes.sort_by_key(|(code, _)| order.iter().position(|c| c == code).unwrap_or(usize::MAX));
    }
}

/// The statistics of the customers in an actor's sight.
pub fn by_class_and_province(conn: &mut Conn<'_>, actor: &Actor) -> Result<ByClass, AppError> {
    let mut table = ByClass::default();
    let (mut classes, mut provinces) = (BTreeMap::new(), BTreeMap::new());
    for (key, n) in counters::by_key(conn, "customers.class_province", &whose(actor))? {
        let (class, province) = key.split_once('/').unwrap_or((&key, ""));
        *classes.entry(class.to_owned()).or_insert(0) += n;
        *provinces.entry(province.to_owned()).or_insert(0) += n;
        table.cells.insert((class.to_owned(), province.to_owned()), n);
        table.total += n;
    }
    table.classes = classes.into_iter().collect();
    table.provinces = provinces.into_iter().collect();
    table.provinces.sort_by(|(a, x), (b, y)| y.cmp(x).then(a.cmp(b)));
    Ok(table)
}
