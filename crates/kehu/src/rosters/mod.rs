//! Who is there and who is not: acting and delegates (代理), skills (专长), absences (请假, 外出), duty rosters (值班表)
//! that are planned, published and swapped, and the questions other features ask of them: who is on duty, who was, who
//! is free next, who receives a caller. What is not published is known to those who plan it only, and is nobody's duty.

mod absence;
mod delegate;
mod duty;
mod fill;
mod ics;
mod leave;
mod load;
mod model;
mod plan;
mod publish;
mod roster;
mod shift;
mod skills;
mod swap;

pub mod api;
pub mod web;

pub use absence::{NewAbsence, add_absence, remove_absence};
pub(crate) use delegate::end_delegations_of;
pub use delegate::{NewDelegation, delegate, revoke};
pub use duty::{Duty, duty, mark_seen, own_shifts, waiting};
pub use fill::{Judged, fill, judge, week_before};
pub use leave::{Handed, hand_over_shifts};
pub use load::{
    Judge, MOST, Place, Wanted, Which, absences, absences_of, all_skills, delegations, free_people, list,
    load, load_delegation, load_shift, next_free, on_duty, on_duty_on, receive, shifts, shifts_of, skilled,
    skills_of, was_on_duty,
};
pub use model::{
    Absence, Acting, Conflict, Hours, MOST_DAYS, Planned, Reception, Roster, Rotation, Shift, Skill, Span,
    Standing, SwapRule, conflicts, without,
};
pub use plan::{may_plan, require_plan};
pub use publish::{ChangeKind, MOST_PUBLISHED_DAYS, Published, ShiftChange, changes_of, publish};
pub use roster::{RosterDraft, create, remove, update};
pub use shift::{ShiftDraft, add_shift, remove_shift, update_shift};
pub use skills::{remove_skill, set_skill};
pub use swap::{
    NewSwap, Swap, SwapAct, SwapState, answer_swap, ask_swap, load_swap, others_on, swaps_of, swaps_on,
};

use store::Tx;

use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId};
use crate::input::{Kind, clean_value};
use crate::text;
use crate::web::Routes;

/// Its routes.
pub fn routes(routes: Routes) -> Routes {
    api::routes(web::routes(routes))
}

/// A text as it is stored, at most `longest` characters.
fn word(field: &str, raw: &str, longest: usize) -> Result<String, AppError> {
    clean_value(Kind::Line, longest, raw).map_err(|text| AppError::field(field, text))
}

/// Refuses points in time nobody can mean: before 2000 and after 2100.
fn check_time(field: &str, at: Millis) -> Result<(), AppError> {
    const FIRST: Millis = 946_656_000_000;
    const LAST: Millis = 4_102_416_000_000;
    if (FIRST..LAST).contains(&at) {
        Ok(())
    } else {
        Err(AppError::field(field, text!("请填写 2000 年到 2099 年之间的时间")))
    }
}

/// A point in time as sent: RFC 3339 with its offset, or local to the company.
fn read_time(field: &str, text: &str, zone: &Zone) -> Result<Millis, AppError> {
    let text = text.trim();
    let read = if text.len() > 40 {
        None
    } else {
        text.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond()).or_else(|| zone.parse(text))
    };
    let at = read.ok_or_else(|| AppError::field(field, text!("请填写时间，例如 2026-09-28 16:20")))?;
    check_time(field, at)?;
    Ok(at)
}

/// Holds a roster, so that it is not taken away while shifts are put on it.
fn hold_roster(tx: &mut Tx<'_>, id: RosterId) -> Result<(), AppError> {
    let sql = format!("SELECT id FROM rosters WHERE id = $1{}", tx.for_change());
    tx.row::<(RosterId,)>(&sql, &[id.into()])?.map(drop).ok_or(AppError::NotFound)
}

/// Lets shifts and absences of a person be written one after the other: what they are checked against must not change
/// meanwhile. In the order of ids, so that nobody waits for each other.
fn hold_people(tx: &mut Tx<'_>, people: &[PersonId]) -> store::Result<()> {
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    let sql = format!("SELECT id FROM people WHERE id = $1{}", tx.for_change());
    for person in people {
        tx.rows::<(PersonId,)>(&sql, &[person.into()])?;
    }
    Ok(())
}
