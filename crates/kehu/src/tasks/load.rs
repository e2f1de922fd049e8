//! Reading tasks. Every query walks an index of the actor's own customers.

use store::Conn;

use crate::access::{self, Actor, Facts, Object, Verb};
use crate::assignments;
use crate::clock::Millis;
use crate::counters::{self, Whose};
use crate::customers::{COLUMNS, Customer, Field, withhold};
use crate::error::AppError;
use crate::ids::{ActivityId, CustomerId};

/// Why something waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A task a colleague gave, to him or to his unit, or one of his that was returned.
    Assigned,
    /// A contact planned for today.
    Today,
    /// A contact planned for an earlier day.
    Overdue,
    /// A need of a customer that is not dealt with.
    Need,
    /// A dossier with something missing.
    Dossier,
}

impl Reason {
    /// Every reason, in the order people work through them.
    pub const ALL: [Self; 5] = [Self::Assigned, Self::Today, Self::Overdue, Self::Need, Self::Dossier];

    /// The name in addresses and in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::Assigned => "assignments",
            Self::Today => "today",
            Self::Overdue => "overdue",
            Self::Need => "needs",
            Self::Dossier => "dossiers",
        }
    }

    /// The reason of this name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Assigned => "交办任务",
            Self::Today => "今日需联系",
            Self::Overdue => "已逾期",
            Self::Need => "未办结需求",
            Self::Dossier => "档案待完善",
        }
    }
}

/// The need a task is about.
#[derive(Clone, Debug)]
pub struct Need {
    /// The activity that noted it.
    pub id: ActivityId,
    /// What the customer wants, in a line.
    pub subject: String,
    /// More about it.
    pub body: String,
    /// When he said so.
    pub happened_at: Millis,
}

/// One thing that waits.
#[derive(Clone, Debug)]
pub struct Task {
    /// Why.
    pub reason: Reason,
    /// The customer.
    pub customer_id: CustomerId,
    /// Its number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// Its class (a code).
    pub class: String,
    /// Its phone, or its landline when it has none.
    pub phone: String,
    /// The planned day, `YYYY-MM-DD`; empty when nothing is planned.
    pub due_on: String,
    /// When somebody last dealt with the customer.
    pub last_activity_at: Option<Millis>,
    /// How much of the dossier is filled, 0–100.
    pub completeness: i64,
    /// What the dossier lacks (source texts), for `Dossier` only.
    pub missing: Vec<&'static str>,
    /// The need, for `Need` only.
    pub need: Option<Need>,
}

/// How many things wait, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `Reason::Assigned`, counted up to 2,000.
    pub assigned: i64,
    /// `Reason::Today`, counted up to 1,000.
    pub today: i64,
    /// `Reason::Overdue`, counted up to 1,000.
    pub overdue: i64,
    /// `Reason::Need`.
    pub needs: i64,
    /// `Reason::Dossier`.
    pub dossiers: i64,
}

impl Counts {
    /// The count of a reason.
    pub fn of(self, reason: Reason) -> i64 {
        match reason {
            Reason::Assigned => self.assigned,
            Reason::Today => self.today,
            Reason::Overdue => self.overdue,
            Reason::Need => self.needs,
            Reason::Dossier => self.dossiers,
        }
    }
}

/// Counts by reason for an actor on a day (`YYYY-MM-DD`).
pub fn counts(conn: &mut Conn<'_>, actor: &Actor, today: &str) -> store::Result<Counts> {
    let given = assignments::counts(conn, actor, today)?;
    let assigned = given.waiting + given.returned;
    if !sees_own(actor) {
        return Ok(Counts { assigned, ..Counts::default() });
    }
    let me = Whose::owner(actor.person_id);
    Ok(Counts {
        assigned,
        today: planned(conn, actor, "next_contact_on = $2", today)?,
        overdue: planned(conn, actor, "next_contact_on < $2", today)?,
        needs: counters::one(conn, "customers.open_needs", "", &me)?,
        dossiers: counters::one(conn, "customers.complete", "no", &me)?,
    })
}

pub(super) fn due_and_open(conn: &mut Conn<'_>, actor: &Actor, today: &str) -> store::Result<i64> {
    let given = assignments::counts(conn, actor, today)?;
    let assigned = given.waiting + given.returned;
    if !sees_own(actor) {
        return Ok(assigned);
    }
    let due = planned(conn, actor, "next_contact_on <= $2", today)?;
    Ok(assigned + due + counters::one(conn, "customers.open_needs", "", &Whose::owner(actor.person_id))?)
}

/// Whether a person may read the customers he owns; without any role he may not.
fn sees_own(actor: &Actor) -> bool {
    let own = Facts { owner_id: Some(actor.person_id), ..Facts::default() };
    actor.rights.covers(Object::Customer, Verb::Read, &own)
}

/// Counts planned contacts, at most 1,000: more is "too many" whatever the number.
fn planned(conn: &mut Conn<'_>, actor: &Actor, condition: &str, today: &str) -> store::Result<i64> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM customers WHERE owner_id = $1 AND next_contact_on <> '' AND {condition}
         AND deleted_at IS NULL LIMIT 1000) due"
    );
    conn.count(&sql, &[actor.person_id.into(), today.into()])
}

/// Which customers wait for one reason, the oldest first, at most `limit`. Of `Reason::Assigned` none: what was given
/// is listed by `assignments::waiting`.
pub fn list(
    conn: &mut Conn<'_>,
    actor: &Actor,
    reason: Reason,
    today: &str,
    limit: usize,
) -> Result<Vec<Task>, AppError> {
    let limit = limit as i64;
    let customers = |conn: &mut Conn<'_>, condition: &str, order: &str| {
        let sql = format!(
            "SELECT {} FROM customers c WHERE c.owner_id = $1 AND c.deleted_at IS NULL AND {condition} AND {}
             ORDER BY {order} LIMIT $2",
            *COLUMNS,
            access::readable_sql(actor, Object::Customer)
        );
        let mut params = vec![actor.person_id.into(), limit.into()];
        if condition.contains("$3") {
            params.push(today.into());
        }
        conn.rows::<Customer>(&sql, &params)
    };
    let found = match reason {
        Reason::Assigned => return Ok(Vec::new()),
        Reason::Need => return needs(conn, actor, limit),
        Reason::Today => customers(conn, "c.next_contact_on <> '' AND c.next_contact_on = $3", "c.id")?,
        Reason::Overdue => {
            customers(conn, "c.next_contact_on <> '' AND c.next_contact_on < $3", "c.next_contact_on, c.id")?
        }
        Reason::Dossier => customers(conn, "c.completeness < 100", "c.updated_at DESC, c.id DESC")?,
    };
    found.into_iter().map(|customer| of_customer(conn, reason, &withhold(actor, customer))).collect()
}

fn of_customer(conn: &mut Conn<'_>, reason: Reason, customer: &Customer) -> Result<Task, AppError> {
    let missing = if reason == Reason::Dossier {
        let contact: Option<i64> = conn.value(
            "SELECT id FROM contacts WHERE customer_id = $1 AND deleted_at IS NULL LIMIT 1",
            &[customer.id.into()],
        )?;
        customer.missing(contact.is_some())
    } else {
        Vec::new()
    };
    let phone = customer.get(Field::Phone);
    Ok(Task {
        reason,
        customer_id: customer.id,
        number: customer.number.clone(),
        name: customer.name().to_owned(),
        class: customer.get(Field::Class).to_owned(),
        phone: if phone.is_empty() { customer.get(Field::Landline) } else { phone }.to_owned(),
        due_on: customer.get(Field::NextContactOn).to_owned(),
        last_activity_at: customer.last_activity_at,
        completeness: customer.completeness,
        missing,
        need: None,
    })
}

fn needs(conn: &mut Conn<'_>, actor: &Actor, limit: i64) -> Result<Vec<Task>, AppError> {
    let sql = format!(
        "SELECT {}, a.id, a.subject, a.body, a.happened_at FROM customers c
         JOIN activities a ON a.customer_id = c.id
         WHERE c.owner_id = $1 AND c.deleted_at IS NULL AND c.open_needs > 0
           AND a.kind = 'need' AND a.done_at IS NULL AND a.deleted_at IS NULL AND {}
         ORDER BY a.happened_at, a.id LIMIT $2",
        *COLUMNS,
        access::readable_sql(actor, Object::Activity)
    );
    let first = COLUMNS.split(',').count();
    let mut found: Vec<(Customer, Need)> = Vec::new();
    conn.each(&sql, &[actor.person_id.into(), limit.into()], |row| {
        let need = Need {
            id: row.get(first)?,
            subject: row.get(first + 1)?,
            body: row.get(first + 2)?,
            happened_at: row.get(first + 3)?,
        };
        found.push((withhold(actor, crate::customers::read_row(row)?), need));
        Ok::<_, store::Error>(std::ops::ControlFlow::Continue(()))
    })?;
    found
        .into_iter()
        .map(|(customer, need)| Ok(Task { need: Some(need), ..of_customer(conn, Reason::Need, &customer)? }))
        .collect()
}
