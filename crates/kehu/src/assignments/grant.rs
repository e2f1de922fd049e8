//! The right a task gives its receiver on the customer it is about: never more than its giver may grant there himself,
//! and only for as long as the task is open.

use store::{Conn, Tx};

use super::model::{Assignment, Ground};
use super::rules::rules;
use crate::access::{self, Actor, Decision, Object, Role, Verb};
use crate::clock::Millis;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::ids::{CustomerId, PersonId, RoleId};
use crate::roles::effect::{as_person, rights_of};
use crate::{shares, text};

/// The source of a grant a task gave.
pub const SOURCE: &str = "assignment";

/// Whether somebody may let a colleague work on a customer with a bundle: he must be able to share it, and may do and
/// see there himself whatever the bundle permits.
pub fn may_grant(actor: &Actor, bundle: &Role, customer: &Customer) -> Result<(), AppError> {
    let facts = customer.facts();
    if access::decide(actor, Object::Customer, Verb::Share, &facts) != Decision::Permit {
        return Err(AppError::field(
            "role",
            text!(
                "您没有共享这个客户的权限，不能让对方因这项交办看到它；请选“不授权”，或请能共享它的同事交办"
            ),
        ));
    }
    shares::require_within_own(actor, bundle, &facts)
}

/// The customer as it is, whoever asks; `None` when it was taken away.
fn customer(conn: &mut Conn<'_>, id: CustomerId) -> store::Result<Option<Customer>> {
    let sql =
        format!("SELECT {} FROM customers c WHERE c.id = $1 AND c.deleted_at IS NULL", *customers::COLUMNS);
    conn.row(&sql, &[id.into()])
}

/// Who grants: the giver, with the rights he has now.
fn giver(conn: &mut Conn<'_>, actor: &Actor, ground: &Ground, id: PersonId) -> store::Result<Actor> {
    if actor.person_id == id {
        return Ok(actor.clone());
    }
    let rights = rights_of(conn, &ground.directory, id, None, (&ground.day, ground.now))?;
    Ok(as_person(id, rights))
}

/// Gives the receiver of a task its right. Nothing to do for a task without customer, bundle or receiver, for the
/// owner of the customer, or when the right would be over already; answers whether it was given. Refused when the giver
/// may not grant it (any more), or the receiver must keep out of the record.
pub(super) fn give_right(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    task: &Assignment,
) -> Result<bool, AppError> {
    let (Some(customer_id), Some(role), Some(receiver)) = (task.customer_id, task.role_id, task.receiver_id)
    else {
        return Ok(false);
    };
    let until = rules(tx)?.ends_at(task.due.at);
    let Some(whole) = customer(tx, customer_id)? else { return Ok(false) };
    if whole.owner_id == Some(receiver) || until <= ground.now {
        return Ok(false);
    }
    let bundle = ground.directory.role(role).filter(|r| r.is_bundle);
    let bundle =
        bundle.ok_or_else(|| AppError::field("role", text!("没有这种共享权限，请从列出的中选择")))?;
    let giver = giver(tx, actor, ground, task.giver_id)?;
    may_grant(&giver, bundle, &whole)?;
    let reason = reason(task);
    shares::grant_for(tx, actor, customer_id, receiver, role, SOURCE, task.id.0, until, &reason, ground.now)?;
    Ok(true)
}

/// `give_right` where a task goes on without it: what cannot be granted is left out.
pub(super) fn give_right_if_possible(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    task: &Assignment,
) -> Result<bool, AppError> {
    match give_right(tx, actor, ground, task) {
        Err(AppError::Invalid(_) | AppError::Conflict(_) | AppError::NotFound) => Ok(false),
        other => other,
    }
}

/// Ends the right a task gave.
pub(super) fn end_right(
    tx: &mut Tx<'_>,
    actor: &Actor,
    task: &Assignment,
    now: Millis,
) -> Result<(), AppError> {
    if task.customer_id.is_some() {
        shares::revoke_for(tx, actor, SOURCE, task.id.0, now)?;
    }
    Ok(())
}

/// What the explanation says of the grant: it names the task and who gave it.
fn reason(task: &Assignment) -> String {
    format!("交办任务“{}”，交办人 {}", task.title, task.giver)
}

/// The bundle of a new task: the wished one, or the company's usual one when the giver may grant it.
pub(super) fn bundle_for(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ground: &Ground,
    customer: &Customer,
    wished: super::model::Right,
) -> Result<Option<RoleId>, AppError> {
    use super::model::Right;
    let known = |id: RoleId| ground.directory.role(id).filter(|r| r.is_bundle);
    match wished {
        Right::Nothing => Ok(None),
        Right::Bundle(id) => {
            let bundle = known(id)
                .ok_or_else(|| AppError::field("role", text!("没有这种共享权限，请从列出的中选择")))?;
            may_grant(actor, bundle, customer)?;
            Ok(Some(id))
        }
        Right::Usual => {
            let usual = rules(conn)?.usual_bundle(&ground.directory);
            Ok(usual.filter(|id| known(*id).is_some_and(|b| may_grant(actor, b, customer).is_ok())))
        }
    }
}
