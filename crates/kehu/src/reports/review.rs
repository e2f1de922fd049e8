//! Making a report, and agreeing to it.

use policy::expr::{Env, Expr};
use serde_json::json;
use store::{Conn, Tx};

use super::model::{Made, Place, Sheet, Step};
use crate::access::{self, Actor};
use crate::audit::{self, Entry};
use crate::cases::{Ground, with_world};
use crate::error::AppError;
use crate::events;
use crate::ids::{PersonId, ReportId};
use crate::input::{Kind, clean_value};
use crate::notices::{self, Tell};
use crate::text;

/// What an actor may do with a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// He makes it.
    pub makes: bool,
    /// He is the reviewer of this place, from 0.
    pub reviews: Option<usize>,
}

/// Who a rule of a report names.
pub(super) fn people(
    conn: &mut Conn<'_>,
    ground: &Ground,
    place: &Place,
    who: &Expr,
) -> Result<Vec<PersonId>, AppError> {
    let found = with_world(conn, ground, &place.policy.id, |world| {
        who.value(&Env::new(ground.now, world)).as_texts()
    })?;
    Ok(found.iter().filter_map(|id| id.parse().ok()).collect())
}

/// Whether an actor may see a report, and what he has to do with it; whoever has nothing to do with it is refused.
pub fn may_see(conn: &mut Conn<'_>, actor: &Actor, ground: &Ground, place: &Place) -> Result<Part, AppError> {
    access::require_unbarred(actor)?;
    let report = place.report();
    let is_one = |all: &[PersonId]| all.iter().any(|person| actor.stands_for(*person));
    let makes = is_one(&people(conn, ground, place, &report.made_by)?);
    let mut reviews = None;
    let done = Made::of(conn, place, "")?.map_or(0, |made| made.steps.len());
    let mut ever = false;
    for (n, who) in report.reviewed_by.iter().enumerate() {
        if is_one(&people(conn, ground, place, who)?) {
            ever = true;
            if n == done {
                reviews = Some(n);
            }
        }
    }
    if makes || ever || actor.is_administrator() {
        return Ok(Part { makes, reviews });
    }
    Err(AppError::Forbidden(text!("这张报表由制度指定的制表人和审核人查看")))
}

/// Keeps what was counted: whoever the regulation says, once it may be made (see [`Place::may_be_made`]). One that nobody has agreed to yet may
/// be made anew.
pub fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    place: &Place,
    sheet: &Sheet,
) -> Result<ReportId, AppError> {
    if !may_see(tx, actor, ground, place)?.makes {
        return Err(AppError::Forbidden(text!("这张报表由制度指定的人制表")));
    }
    if !place.may_be_made(ground) {
        return Err(AppError::Conflict(text!("期间还没有结束，到期末才能制表")));
    }
    let lock = tx.for_change();
    let before = Made::of(tx, place, lock)?;
    if before.as_ref().is_some_and(|made| made.is_locked) {
        return Err(AppError::Conflict(text!("报表已经锁定，不能重新制表")));
    }
    if before.as_ref().is_some_and(|made| !made.steps.is_empty()) {
        return Err(AppError::Conflict(text!("已经有人审核，不能重新制表；需要更正的请审核人退回")));
    }
    let report = place.report();
    let state = if report.reviewed_by.is_empty() { "locked" } else { "made" };
    let locked_at = report.reviewed_by.is_empty().then_some(ground.now);
    let body = serde_json::to_string(sheet).map_err(|e| AppError::Internal(e.to_string()))?;
    let title = format!("{} {}", report.title, place.title());
    let id = match &before {
        Some(made) => made.id,
        None => ReportId::new(),
    };
    if before.is_some() {
        tx.exec(
            "UPDATE reports SET version_id = $2, body = $3, steps = '[]', state = $4, made_by = $5, made_at = $6,
               locked_at = $7, returned = '', row_version = row_version + 1 WHERE id = $1",
            &[
                id.into(),
                place.version_id.into(),
                (&body).into(),
                state.into(),
                actor.person_id.into(),
                ground.now.into(),
                locked_at.into(),
            ],
        )?;
    } else {
        let (first, last) = (place.period.first.to_string(), place.period.last.to_string());
        tx.exec(
            "INSERT INTO reports (id, policy, version_id, report, first_day, last_day, title, state, body, steps, made_by,
               made_at, locked_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,'[]',$10,$11,$12)",
            &[
                id.into(),
                (&place.policy.id).into(),
                place.version_id.into(),
                (&report.id).into(),
                (&first).into(),
                (&last).into(),
                (&title).into(),
                state.into(),
                (&body).into(),
                actor.person_id.into(),
                ground.now.into(),
                locked_at.into(),
            ],
        )?;
    }
    note(tx, actor, ground, "report.made", id, &json!({ "title": title }))?;
    Ok(id)
}

/// A reviewer agrees, or sends it back with a reason. The last one's word locks it.
pub fn review(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    place: &Place,
    agrees: bool,
    comment: &str,
    seen: i64,
) -> Result<ReportId, AppError> {
    let comment = clean_value(Kind::Lines, 500, comment).map_err(|text| AppError::field("comment", text))?;
    if !agrees && comment.is_empty() {
        return Err(AppError::field("comment", text!("请写明退回的理由")));
    }
    let lock = tx.for_change();
    let part = may_see(tx, actor, ground, place)?;
    let made = Made::of(tx, place, lock)?.ok_or_else(|| AppError::Conflict(text!("还没有制表")))?;
    if made.row_version != seen {
        return Err(AppError::Stale);
    }
    if made.is_locked {
        return Err(AppError::Conflict(text!("报表已经锁定")));
    }
    if !made.returned.is_empty() {
        return Err(AppError::Conflict(text!("报表已经退回，等制表人重新制表")));
    }
    if part.reviews != Some(made.steps.len()) {
        return Err(AppError::Forbidden(text!("现在不由您审核")));
    }
    if made.made_by == actor.person_id {
        return Err(AppError::Forbidden(text!("制表人不能审核自己制的表")));
    }
    let mut steps = made.steps.clone();
    let (state, locked_at) = if agrees {
        steps.push(Step { by: actor.person_id, at: ground.now, comment: comment.clone() });
        let is_last = steps.len() == place.report().reviewed_by.len();
        (if is_last { "locked" } else { "made" }, is_last.then_some(ground.now))
    } else {
        steps.clear();
        ("made", None)
    };
    let written = serde_json::to_string(&steps).map_err(|e| AppError::Internal(e.to_string()))?;
    tx.exec(
        "UPDATE reports SET steps = $2, state = $3, locked_at = $4, returned = $5, row_version = row_version + 1
         WHERE id = $1",
        &[
            made.id.into(),
            (&written).into(),
            state.into(),
            locked_at.into(),
            if agrees { "" } else { comment.as_str() }.into(),
        ],
    )?;
    let kind = if agrees { "report.reviewed" } else { "report.returned" };
    note(tx, actor, ground, kind, made.id, &json!({ "comment": comment, "state": state }))?;
    if !agrees {
        let text = format!("《{}》{}被退回：{comment}", place.report().title, place.title());
        tell(tx, ground, place, &[made.made_by], "report_returned", &text)?;
    }
    Ok(made.id)
}

fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    ground: &Ground,
    kind: &'static str,
    id: ReportId,
    after: &serde_json::Value,
) -> Result<(), AppError> {
    events::emit(tx, actor, ground.now, kind, "report", id.0, 0)?;
    audit::record(tx, actor, ground.now, &Entry::of(kind, "report", id.0).after(after))?;
    Ok(())
}

/// Tells people something about a report.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    ground: &Ground,
    place: &Place,
    people: &[PersonId],
    kind: &'static str,
    text: &str,
) -> store::Result<()> {
    let (clause, policy) = (place.report().clause.as_str(), place.policy.id.as_str());
    let words = Tell { kind, text, clause, policy, ..Tell::default() };
    notices::tell(tx, ground.now, people.iter().map(|person| (*person, words)))
}
