//! Keeping a person out of a customer's record: he does not know it on any face, even as its owner.

use store::Tx;

use super::grant::end;
use super::load::require_may_exclude;
use crate::access::{Actor, Object, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::customers;
use crate::error::{AppError, FieldError};
use crate::ids::{CustomerId, GrantId, PersonId};
use crate::input::{self, Kind};
use crate::{events, org, text};

/// People kept out of one customer at the most.
const MOST: i64 = 50;

/// Keeps a person out. Needs `Verb::Assign` on the customer. His shares end. Refused for administrators, whom nothing
/// keeps out, and for oneself.
pub fn exclude(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    person: PersonId,
    reason: &str,
    now: Millis,
) -> Result<(), AppError> {
    require_may_exclude(tx, actor, customer)?;
    customers::require(tx, actor, Object::Customer, Verb::Assign, customer)?;
    let reason = input::clean_value(Kind::Line, 200, reason)
        .map_err(|text| AppError::Invalid(vec![FieldError::new("reason", text)]))?;
    if reason.is_empty() {
        return Err(AppError::field("reason", text!("请写明回避的原因，例如“被客户投诉，不参与处理”")));
    }
    let known = org::load_person(tx, person)?;
    let known = known.ok_or_else(|| AppError::field("person_id", text!("没有这个人，请重新选择")))?;
    if known.is_administrator() {
        let text = text!("“{}”是系统管理员，可以看到全部数据，不能设为回避；请先收回管理员角色", known.name);
        return Err(AppError::field("person_id", text));
    }
    if person == actor.person_id {
        return Err(AppError::field("person_id", text!("不能给自己设置回避，请由上级或管理员设置")));
    }
    let kept_out =
        tx.count("SELECT COUNT(*) FROM customer_exclusions WHERE customer_id = $1", &[customer.into()])?;
    if kept_out >= MOST {
        return Err(AppError::Conflict(text!("一个客户最多 {} 个回避的人", MOST)));
    }
    let done = tx.exec(
        "INSERT INTO customer_exclusions (customer_id, person_id, reason, created_at, created_by)
         VALUES ($1,$2,$3,$4,$5) ON CONFLICT (customer_id, person_id) DO NOTHING",
        &[customer.into(), person.into(), (&reason).into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::Conflict(text!("“{}”已在回避名单里", known.name)));
    }
    let grants: Vec<(GrantId,)> = tx.rows(
        "SELECT id FROM customer_grants WHERE customer_id = $1 AND person_id = $2 AND revoked_at IS NULL
           AND ends_at > $3 ORDER BY id",
        &[customer.into(), person.into(), now.into()],
    )?;
    for (grant,) in grants {
        end(tx, actor, grant, customer, person, now)?;
    }
    events::emit(tx, actor, now, "customer.excluded", "person", person.0, customer.0)?;
    let after = serde_json::json!({ "person": person, "reason": reason });
    audit::record(
        tx,
        actor,
        now,
        &Entry::of("customer.excluded", "exclusion", person.0).customer(customer.0).after(&after),
    )?;
    Ok(())
}

/// Lets a person know the record again, as far as his roles go.
pub fn include(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    person: PersonId,
    now: Millis,
) -> Result<(), AppError> {
    require_may_exclude(tx, actor, customer)?;
    let done = tx.exec(
        "DELETE FROM customer_exclusions WHERE customer_id = $1 AND person_id = $2",
        &[customer.into(), person.into()],
    )?;
    if done == 0 {
        return Err(AppError::NotFound);
    }
    events::emit(tx, actor, now, "customer.included", "person", person.0, customer.0)?;
    let before = serde_json::json!({ "person": person });
    let mut entry = Entry::of("customer.included", "exclusion", person.0).customer(customer.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}
