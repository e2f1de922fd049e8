//! The right to read what must be judged, or what was asked for: whoever has to decide in an approval sees the customer it
//! is about, and so does whoever acts at a step that opens it, for as long as he has to or may and no longer.

use policy::engine::{Effect, Outcome};
use policy::model::Form;
use store::Tx;

use super::world::Ground;
use crate::access::{Actor, Object, Verb};
use crate::clock::Millis;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::ids::{CaseId, CustomerId, PersonId};
use crate::roles::effect::{as_person, rights_of};
use crate::settings::{Kind, Parameter};
use crate::shares;

/// The source of a grant that an approval gave.
const SOURCE: &str = "case";
/// The bundle that only reads: every company has it (migrations/0002).
const BUNDLE: &str = "share_read";
const DAY: i64 = 24 * 3_600_000;

/// How long an approver may read a customer at the most while he has not decided.
pub const DAYS: Parameter = Parameter {
    name: "cases.approver_days",
    group: "单据",
    title: "审批人查看客户的最长期限",
    help: "审批人平时看不到这位客户的，待他审批期间可以查看；审批结束立即收回，最长到这么多天后",
    kind: Kind::Whole { min: 1, max: 365, unit: "天", default: 60 },
};

/// Gives and takes away what approvers may read, after something happened to a case. Those who may read the customer
/// anyway get nothing; neither do those who must keep out of its record.
pub(super) fn follow(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    (id, form): (CaseId, &Form),
    outcome: &Outcome,
) -> Result<(), AppError> {
    let is_moved =
        outcome.effects.iter().any(|effect| matches!(effect, Effect::Tasks { .. } | Effect::Closed { .. }));
    let case = &outcome.case;
    let Some(customer) = case.customer.as_ref().and_then(|id| id.parse::<CustomerId>().ok()) else {
        return Ok(());
    };
    if !is_moved {
        return Ok(());
    }
    let opens = form.step(&case.step).is_some_and(|step| step.opens_customer);
    let mut wanted: Vec<PersonId> = if case.approval.is_some() || opens {
        case.assigned.iter().filter_map(|person| person.parse().ok()).collect()
    } else {
        Vec::new()
    };
    let held: Vec<(PersonId,)> = tx.rows(
        "SELECT person_id FROM customer_grants WHERE source = $1 AND source_id = $2 AND revoked_at IS NULL
           AND ends_at > $3",
        &[SOURCE.into(), id.into(), ground.now.into()],
    )?;
    if held.iter().any(|(person,)| !wanted.contains(person)) {
        shares::revoke_for(tx, actor, SOURCE, id.0, ground.now)?;
    } else {
        wanted.retain(|person| held.iter().all(|(known,)| known != person));
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let sql =
        format!("SELECT {} FROM customers c WHERE c.id = $1 AND c.deleted_at IS NULL", *customers::COLUMNS);
    let Some(whole) = tx.row::<Customer>(&sql, &[customer.into()])? else { return Ok(()) };
    let bundle = ground.directory.roles().into_iter().find(|role| role.is_bundle && role.code == BUNDLE);
    let Some(bundle) = bundle.map(|role| role.id) else { return Ok(()) };
    let mut until = ground.now + DAYS.whole(tx)? * DAY;
    if opens && let Some(due) = running(case).min() {
        // The last moment still counts.
        until = until.min(due + 1);
    }
    let reason =
        if opens { format!("查阅《{}》", case.number) } else { format!("审批《{}》", case.number) };
    for person in wanted {
        let rights = rights_of(tx, &ground.directory, person, None, (&ground.day, ground.now))?;
        if as_person(person, rights).rights.covers(Object::Customer, Verb::Read, &whole.facts()) {
            continue;
        }
        let given =
            shares::grant_for(tx, actor, customer, person, bundle, SOURCE, id.0, until, &reason, ground.now);
        match given {
            // He must keep out of the record, may not sign in, or there are too many grants: he judges without it.
            Ok(_) | Err(AppError::Invalid(_) | AppError::Conflict(_) | AppError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// When the running deadlines of a case end.
fn running(case: &policy::case::Case) -> impl Iterator<Item = Millis> {
    let runs = |clock: &&policy::case::Clock| {
        clock.standing == policy::case::Standing::Running && clock.paused_at.is_none()
    };
    case.clocks.values().filter(runs).map(|clock| clock.due)
}
