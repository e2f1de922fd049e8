//! Giving and ending rights on single customers.

use store::Tx;

use crate::access::{Actor, Facts, FieldRule, Object, Role, Verb};
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::customers::{self, Customer};
use crate::error::{AppError, FieldError};
use crate::i18n::word;
use crate::ids::{CustomerId, GrantId, PersonId, RoleId};
use crate::input::{self, Kind};
use crate::{events, org, text};

/// The source of a grant that a person gave.
pub const SHARE: &str = "share";
/// Ends "never": the last millisecond of 9999 in Shanghai.
pub const FOREVER: Millis = 253_402_271_999_999;
/// Living grants on one customer at the most.
pub const MOST_OF_CUSTOMER: i64 = 50;

/// A colleague to be let in.
#[derive(Clone, Debug)]
pub struct NewShare {
    /// Who.
    pub person: PersonId,
    /// With which bundle.
    pub role: RoleId,
    /// Until before when; `None` until ended.
    pub until: Option<Millis>,
    /// Why.
    pub reason: String,
}

/// Lets a colleague work on a customer. Needs `Verb::Share` on it, which a collaborator's bundle never has, and gives
/// nothing the giver may not do there himself.
pub fn share(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    new: &NewShare,
    now: Millis,
) -> Result<GrantId, AppError> {
    let whole = customers::load_for(tx, actor, Object::Customer, Verb::Share, customer)?;
    let bundle = bundle(tx, new.role)?;
    require_within_own(actor, &bundle, &whole.facts())?;
    let reason = input::clean_value(Kind::Line, 200, &new.reason)
        .map_err(|text| AppError::Invalid(vec![FieldError::new("reason", text)]))?;
    write(tx, actor, &whole, new.person, &bundle, (SHARE, 0), new.until, &reason, now)
}

/// Gives a right on a customer for as long as something is open (an approval, a task): `source` and `source_id` name
/// it, and [`revoke_for`] ends it. The caller has decided that it may be given. A person who must keep out of the
/// record, or may not sign in, gets none.
#[expect(clippy::too_many_arguments, reason = "one parameter a column; callers name them all")]
pub fn grant_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    person: PersonId,
    role: RoleId,
    source: &'static str,
    source_id: i64,
    until: Millis,
    reason: &str,
    now: Millis,
) -> Result<GrantId, AppError> {
    let sql = format!(
        "SELECT {} FROM customers c WHERE c.id = $1 AND c.deleted_at IS NULL{}",
        *customers::COLUMNS,
        tx.for_change()
    );
    let whole: Customer = tx.row(&sql, &[customer.into()])?.ok_or(AppError::NotFound)?;
    let bundle = bundle(tx, role)?;
    write(tx, actor, &whole, person, &bundle, (source, source_id), Some(until), reason, now)
}

/// Ends every living grant of a source; answers how many.
pub fn revoke_for(
    tx: &mut Tx<'_>,
    actor: &Actor,
    source: &'static str,
    source_id: i64,
    now: Millis,
) -> Result<u64, AppError> {
    let rows: Vec<(GrantId, CustomerId, PersonId)> = tx.rows(
        "SELECT id, customer_id, person_id FROM customer_grants
         WHERE source = $1 AND source_id = $2 AND revoked_at IS NULL ORDER BY id",
        &[source.into(), source_id.into()],
    )?;
    for (id, customer, person) in &rows {
        end(tx, actor, *id, *customer, *person, now)?;
    }
    Ok(rows.len() as u64)
}

/// Ends one grant: whoever may share the customer, or the collaborator himself.
pub fn revoke(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: CustomerId,
    id: GrantId,
    now: Millis,
) -> Result<(), AppError> {
    customers::require(tx, actor, Object::Customer, Verb::Read, customer)?;
    let person: Option<PersonId> = tx.value(
        "SELECT person_id FROM customer_grants WHERE id = $1 AND customer_id = $2 AND revoked_at IS NULL",
        &[id.into(), customer.into()],
    )?;
    let person = person.ok_or(AppError::NotFound)?;
    if person != actor.person_id {
        customers::require(tx, actor, Object::Customer, Verb::Share, customer)?;
    }
    end(tx, actor, id, customer, person, now)
}

/// Ends everything shared with somebody who leaves; the caller has decided that he does.
pub fn end_grants_of(tx: &mut Tx<'_>, actor: &Actor, person: PersonId, now: Millis) -> Result<(), AppError> {
    let ended: Vec<(GrantId, CustomerId)> = tx.rows(
        "UPDATE customer_grants SET revoked_at = $2, revoked_by = $3
         WHERE person_id = $1 AND revoked_at IS NULL AND ends_at > $2 RETURNING id, customer_id",
        &[person.into(), now.into(), actor.person_id.into()],
    )?;
    let before = serde_json::json!({ "person": person });
    let mut entries = Vec::with_capacity(ended.len());
    for (id, customer) in ended {
        events::emit(tx, actor, now, "customer.unshared", "grant", id.0, customer.0)?;
        let mut entry = Entry::of("customer.unshared", "share", id.0).customer(customer.0);
        entry.before = Some(&before);
        entries.push(entry);
    }
    Ok(audit::record_all(tx, actor, now, &entries)?)
}

pub(super) fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: GrantId,
    customer: CustomerId,
    person: PersonId,
    now: Millis,
) -> Result<(), AppError> {
    let done = tx.exec(
        "UPDATE customer_grants SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL",
        &[id.into(), now.into(), actor.person_id.into()],
    )?;
    if done == 0 {
        return Err(AppError::NotFound);
    }
    events::emit(tx, actor, now, "customer.unshared", "grant", id.0, customer.0)?;
    let before = serde_json::json!({ "person": person });
    let mut entry = Entry::of("customer.unshared", "share", id.0).customer(customer.0);
    entry.before = Some(&before);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn bundle(tx: &mut Tx<'_>, id: RoleId) -> Result<Role, AppError> {
    let found = org::load_roles(tx)?.into_iter().find(|r| r.id == id && r.is_bundle);
    found.ok_or_else(|| AppError::field("role", text!("没有这种共享权限，请从列出的中选择")))
}

/// Refuses a bundle that permits more than its giver may do, or shows more than he sees.
pub fn require_within_own(actor: &Actor, bundle: &Role, facts: &Facts<'_>) -> Result<(), AppError> {
    let beyond = bundle.grants.keys().find(|(o, v)| !actor.rights.covers(*o, *v, facts));
    if let Some((object, verb)) = beyond {
        let text = text!(
            "您自己没有“{}{}”的权限，不能把它共享出去，请换一种共享权限",
            word(verb.title()),
            word(object.title())
        );
        return Err(AppError::field("role", text));
    }
    for object in [Object::Customer, Object::Contact] {
        let own = actor.rights.fields(object, facts);
        let shows_more = |key: &str| {
            let rule = own.rule(key);
            rule < FieldRule::Edit && bundle.field(object, key) > rule
        };
        if own.ruled().any(shows_more) {
            return Err(AppError::field(
                "role",
                text!("有些字段您自己看不到或不能修改，这种共享权限却包含它们，请换一种或请管理员共享"),
            ));
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one parameter a column; used by share and grant_for only")]
fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: &Customer,
    person: PersonId,
    bundle: &Role,
    (source, source_id): (&'static str, i64),
    until: Option<Millis>,
    reason: &str,
    now: Millis,
) -> Result<GrantId, AppError> {
    let ends_at = until.unwrap_or(FOREVER);
    if ends_at <= now || ends_at > FOREVER {
        return Err(AppError::field("until", text!("结束日期已经过去，请填今天或以后的日期")));
    }
    let known: Option<(String, bool)> =
        tx.row("SELECT name, is_active FROM people WHERE id = $1", &[person.into()])?;
    let name = match known {
        Some((name, true)) => name,
        Some((name, false)) => {
            return Err(AppError::field("person_id", text!("“{}”已停用，不能成为协作人", name)));
        }
        None => return Err(AppError::field("person_id", text!("没有这个人，请重新选择"))),
    };
    if customer.owner_id == Some(person) {
        return Err(AppError::field("person_id", text!("“{}”就是负责人，不需要共享", name)));
    }
    if org::is_excluded(tx, customer.id, person)? {
        return Err(AppError::field("person_id", text!("“{}”须对这个客户回避，不能成为协作人", name)));
    }
    let living = "revoked_at IS NULL AND ends_at > $2";
    let same: Option<GrantId> = tx.value(
        &format!(
            "SELECT id FROM customer_grants WHERE customer_id = $1 AND {living} AND person_id = $3
               AND role_id = $4 AND source = $5 AND source_id = $6 LIMIT 1"
        ),
        &[customer.id.into(), now.into(), person.into(), bundle.id.into(), source.into(), source_id.into()],
    )?;
    if same.is_some() {
        return Err(AppError::Conflict(text!("“{}”已有这种共享权限；要改期限请先结束再共享", name)));
    }
    let of_customer = tx.count(
        &format!("SELECT COUNT(*) FROM customer_grants WHERE customer_id = $1 AND {living}"),
        &[customer.id.into(), now.into()],
    )?;
    if of_customer >= MOST_OF_CUSTOMER {
        return Err(AppError::Conflict(text!(
            "一个客户最多 {} 个协作人，请先结束不需要的",
            MOST_OF_CUSTOMER
        )));
    }
    let of_person = tx.count(
        &format!("SELECT COUNT(*) FROM customer_grants WHERE person_id = $1 AND {living}"),
        &[person.into(), now.into()],
    )?;
    if of_person >= org::MOST_GRANTS {
        let text = text!("“{}”协作的客户已达 {} 个的上限；请改用角色的数据范围", name, org::MOST_GRANTS);
        return Err(AppError::Conflict(text));
    }
    let id = GrantId::new();
    tx.exec(
        "INSERT INTO customer_grants (id, customer_id, person_id, role_id, source, source_id, reason, starts_at,
           ends_at, granted_at, granted_by) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$8,$10)",
        &[
            id.into(),
            customer.id.into(),
            person.into(),
            bundle.id.into(),
            source.into(),
            source_id.into(),
            reason.into(),
            now.into(),
            ends_at.into(),
            actor.person_id.into(),
        ],
    )?;
    events::emit(tx, actor, now, "customer.shared", "grant", id.0, customer.id.0)?;
    let until = (ends_at < FOREVER).then(|| crate::clock::rfc3339(ends_at));
    let after = serde_json::json!({
        "person": person, "bundle": bundle.name, "until": until, "reason": reason,
    });
    audit::record(
        tx,
        actor,
        now,
        &Entry::of("customer.shared", "share", id.0).customer(customer.id.0).after(&after),
    )?;
    Ok(id)
}
