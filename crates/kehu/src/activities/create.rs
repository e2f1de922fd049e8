//! Noting an activity.

use serde_json::json;
use store::Tx;

use super::model::{Activity, ActivityKind, Draft, no_such_contact};
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::counters::Deltas;
use crate::error::AppError;
use crate::ids::{ActivityId, ContactId, CustomerId};
use crate::{customers, events, org, text};

/// Notes what happened with a customer. The customer's newest dealing and planned next contact, the author's counts,
/// event and audit row go with it.
pub fn create(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    customer: CustomerId,
    draft: &Draft,
    now: Millis,
) -> Result<Activity, AppError> {
    customers::require(tx, actor, Object::Activity, Verb::Update, customer)?;
    let Some(kind) = draft.kind else {
        return Err(AppError::field("kind", text!("请选择种类")));
    };
    let values = draft.clean(kind, catalogue, now).map_err(AppError::Invalid)?;
    let next = draft.clean_next().map_err(AppError::Invalid)?;
    let is_done = draft.is_done == Some(true);
    if is_done {
        require_may_meet(tx, actor, customer)?;
    }
    let mut activity = Activity {
        id: ActivityId::new(),
        customer_id: customer,
        contact_id: check_contact(tx, customer, draft.contact_id.flatten())?,
        kind,
        direction: String::new(),
        subject: String::new(),
        body: String::new(),
        result: String::new(),
        source: String::new(),
        effect: String::new(),
        happened_at: draft.happened_at.unwrap_or(now),
        done_at: is_done.then_some(now),
        done_by: is_done.then_some(actor.person_id),
        version: 1,
        created_at: now,
        created_by: actor.person_id,
        updated_at: now,
    };
    activity.take(values);
    let lacking = activity.lacking();
    if !lacking.is_empty() {
        return Err(AppError::Invalid(lacking));
    }
    insert(tx, &activity)?;
    customers::touch_after_activity(tx, customer, activity.happened_at, next.as_deref())?;
    count(tx, &activity, 1)?;
    events::emit(tx, actor, now, "activity.created", "activity", activity.id.0, customer.0)?;
    let mut after = activity.facts();
    if let Some(next) = &next {
        after["next_contact_on"] = json!(next);
    }
    let entry = Entry::of("activity.created", "activity", activity.id.0).customer(customer.0).after(&after);
    audit::record(tx, actor, now, &entry)?;
    Ok(activity)
}

/// Refuses whoever must keep out of the customer's record (回避) as the one who met a need: also an administrator whom
/// no exclusion keeps from seeing it.
pub(super) fn require_may_meet(tx: &mut Tx<'_>, actor: &Actor, customer: CustomerId) -> Result<(), AppError> {
    if org::is_excluded(tx, customer, actor.person_id)? {
        return Err(AppError::Conflict(text!("您须对这个客户回避，不能记为办理人，请由其他同事办理")));
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, activity: &Activity) -> Result<(), AppError> {
    tx.exec(
        "INSERT INTO activities (id, customer_id, contact_id, kind, direction, subject, body, result, source, effect,
           happened_at, done_at, done_by, version, created_at, created_by, updated_at, updated_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,1,$14,$15,$14,$15)",
        &[
            activity.id.into(),
            activity.customer_id.into(),
            activity.contact_id.into(),
            activity.kind.code().into(),
            (&activity.direction).into(),
            (&activity.subject).into(),
            (&activity.body).into(),
            (&activity.result).into(),
            (&activity.source).into(),
            (&activity.effect).into(),
            activity.happened_at.into(),
            activity.done_at.into(),
            activity.done_by.into(),
            activity.created_at.into(),
            activity.created_by.into(),
        ],
    )?;
    Ok(())
}

/// The contact if it is one of this customer's.
pub(super) fn check_contact(
    tx: &mut Tx<'_>,
    customer: CustomerId,
    contact: Option<ContactId>,
) -> Result<Option<ContactId>, AppError> {
    let Some(id) = contact else { return Ok(None) };
    let known = tx.value::<i64>(
        "SELECT id FROM contacts WHERE id = $1 AND customer_id = $2 AND deleted_at IS NULL",
        &[id.into(), customer.into()],
    )?;
    known.map(|_| Some(id)).ok_or_else(|| AppError::Invalid(vec![no_such_contact()]))
}

/// Adds an activity to its author's kept counts, or takes it away with `by` -1.
pub(super) fn count(tx: &mut Tx<'_>, activity: &Activity, by: i64) -> store::Result<()> {
    let mut deltas = Deltas::default();
    deltas.add("activities.kind", activity.kind.code(), (Some(activity.created_by), None), by);
    if activity.kind == ActivityKind::Need {
        let state = if activity.is_open() { "open" } else { "done" };
        deltas.add("activities.need", state, (Some(activity.created_by), None), by);
        customers::refresh_open_needs(tx, activity.customer_id)?;
    }
    deltas.apply(tx)
}
