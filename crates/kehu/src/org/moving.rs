//! The customers of a unit go to another one: before it is closed, say. Through the customers' own action; a few hundred
//! at once, more in the background, each batch whole.

use serde::{Deserialize, Serialize};
use store::{Conn, Tx};

use super::flows::MOST_AT_ONCE;
use super::units::load_unit;
use crate::access::{Actor, Object, Verb, Via, require_may};
use crate::app::App;
use crate::audit;
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::customers::{self, Draft};
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId, UnitId};
use crate::jobs::{self, Kind, Outcome, Task, Work};
use crate::text;

const MOVE: &str = "org.move_customers";
/// Where denials of single customers are noted.
const HANDED_OVER: &str = "/admin/units/customers";

/// The kind of job.
pub(super) const KIND: Kind = Kind { name: MOVE, run: run_job, on_dead: give_up };

/// What is still to be done for a unit, kept until it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moving {
    /// Where its customers go.
    pub to: UnitId,
    by: PersonId,
    /// Why it was given up; empty while it goes on.
    pub problem: String,
}

/// How many living customers belong to a unit itself, not to those below it.
pub fn customers_of_unit(conn: &mut Conn<'_>, unit: UnitId) -> store::Result<i64> {
    conn.count("SELECT COUNT(*) FROM customers WHERE unit_id = $1 AND deleted_at IS NULL", &[unit.into()])
}

/// What goes on, or was given up, for a unit.
pub fn moving_customers(conn: &mut Conn<'_>, unit: UnitId) -> store::Result<Option<Moving>> {
    let text: Option<String> =
        conn.value("SELECT value FROM settings WHERE name = $1", &[plan_name(unit).into()])?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Moves the living customers of a unit to another one; their owners stay. Needs to keep the organisation, and to be
/// allowed to change and hand over every one of them. Answers how many went at once; `None` when a job does it (then
/// call `app.jobs_waiting.notify_one()`).
pub fn move_customers(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    from: UnitId,
    to: UnitId,
    now: Millis,
) -> Result<Option<usize>, AppError> {
    require_may(actor, Object::Organisation, Verb::Update)?;
    require_may(actor, Object::Customer, Verb::Assign)?;
    load_unit(tx, from)?.ok_or(AppError::NotFound)?;
    if from == to {
        return Err(AppError::field("to", text!("请选择另一个部门")));
    }
    if !load_unit(tx, to)?.is_some_and(|unit| unit.is_open()) {
        return Err(AppError::field("to", text!("没有这个部门，或者它已撤销")));
    }
    if moving_customers(tx, from)?.is_some_and(|plan| plan.problem.is_empty()) {
        return Err(AppError::Conflict(text!("这个部门的客户正在后台移动，请等它完成")));
    }
    if customers_of_unit(tx, from)? > MOST_AT_ONCE {
        let plan = Moving { to, by: actor.person_id, problem: String::new() };
        keep(tx, from, &plan, now)?;
        jobs::enqueue(tx, MOVE, from.0, now)?;
        return Ok(None);
    }
    forget(tx, from)?;
    move_some(tx, actor, catalogue, from, to, now).map(Some)
}

fn plan_name(unit: UnitId) -> String {
    format!("{MOVE}.{unit}")
}

fn keep(tx: &mut Tx<'_>, unit: UnitId, plan: &Moving, now: Millis) -> Result<(), AppError> {
    let text = serde_json::to_string(plan).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "INSERT INTO settings (name, value, updated_at, updated_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET value = $2, updated_at = $3, updated_by = $4",
        &[plan_name(unit).into(), text.into(), now.into(), plan.by.into()],
    )?;
    Ok(())
}

fn forget(tx: &mut Tx<'_>, unit: UnitId) -> store::Result<()> {
    tx.exec("DELETE FROM settings WHERE name = $1", &[plan_name(unit).into()]).map(drop)
}

/// Moves at most `MOST_AT_ONCE` customers and answers how many; those that went are not found again.
fn move_some(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    from: UnitId,
    to: UnitId,
    now: Millis,
) -> Result<usize, AppError> {
    let draft = Draft { unit_id: Some(Some(to)), ..Draft::default() };
    let ids: Vec<(CustomerId,)> = tx.rows(
        "SELECT id FROM customers WHERE unit_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT $2",
        &[from.into(), MOST_AT_ONCE.into()],
    )?;
    for (id,) in &ids {
        customers::update(tx, actor, catalogue, *id, None, &draft, now).map_err(|error| {
            audit::note_denial(tx, actor, now, &error, HANDED_OVER);
            match error {
                // Which one it is stays untold: he may not know it.
                AppError::Hidden { .. } | AppError::NotFound | AppError::Forbidden(_) => {
                    AppError::Forbidden(text!("这个部门有您无权转移的客户，请由能转移全部客户的管理员办理"))
                }
                other => other,
            }
        })?;
    }
    Ok(ids.len())
}

fn run_job(app: App, task: Task) -> Work {
    Box::pin(work(app, task))
}

async fn work(app: App, task: Task) -> Result<Outcome, AppError> {
    let unit = UnitId(task.subject_id);
    let Some(plan) = app.db.read(move |conn| moving_customers(conn, unit)).await? else {
        return Ok(Outcome::Done);
    };
    let catalogue = app.catalogue().await?;
    let gone = || AppError::Forbidden(text!("办理人已停用，请由能转移全部客户的管理员重新办理"));
    let actor = app.actor_for(plan.by, Via::Job).await?.ok_or_else(gone)?;
    loop {
        if task.is_stopping() {
            return Ok(Outcome::Interrupted);
        }
        let (catalogue, actor, to, now) = (catalogue.clone(), actor.clone(), plan.to, app.now());
        let moved = app.db.write(move |tx| move_some(tx, &actor, &catalogue, unit, to, now)).await?;
        if (moved as i64) < MOST_AT_ONCE {
            break;
        }
    }
    app.db.write(move |tx| forget(tx, unit)).await?;
    Ok(Outcome::Done)
}

/// Notes why it was given up, for the page of the unit.
fn give_up(tx: &mut Tx<'_>, id: i64, error: &AppError, now: Millis) -> store::Result<()> {
    let unit = UnitId(id);
    if let Some(plan) = moving_customers(tx, unit)? {
        let problem = error.to_string().trim().chars().take(300).collect();
        let text = serde_json::to_string(&Moving { problem, ..plan }).unwrap_or_default();
        tx.exec(
            "UPDATE settings SET value = $2, updated_at = $3 WHERE name = $1",
            &[plan_name(unit).into(), text.into(), now.into()],
        )?;
    }
    Ok(())
}
