//! Many shifts in one go: a rotation, or last week again. What something stands against is left out and named.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use store::{Conn, Tx};

use super::load::{Judge, Place, Which, load, shifts};
use super::model::{Conflict, MOST_SHIFTS, Planned, Shift, Span};
use super::plan::planner;
use super::{hold_people, hold_roster, shift};
use crate::access::Actor;
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, ShiftId};
use crate::text;

/// A planned shift with what stands against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Who and when.
    pub planned: Planned,
    /// What stands against it, the hard ones first.
    pub conflicts: Vec<Conflict>,
}

impl Judged {
    /// Whether it can be.
    pub fn is_possible(&self) -> bool {
        !self.conflicts.iter().any(Conflict::is_blocking)
    }
}

/// Judges planned shifts one after the other, each as if the possible ones before it were there.
pub fn judge(
    conn: &mut Conn<'_>,
    roster: RosterId,
    planned: &[Planned],
    zone: &Zone,
) -> Result<Vec<Judged>, AppError> {
    if planned.is_empty() {
        return Err(AppError::field("people", text!("没有可排的班次，请选择人员、班次时间和日期")));
    }
    if planned.len() > MOST_SHIFTS {
        return Err(AppError::field("last", text!("一次最多排 {} 个班次，请缩短日期", MOST_SHIFTS)));
    }
    let kept = load(conn, roster)?;
    let mut whole = planned[0].span;
    for one in planned {
        shift::check_span(one.span)?;
        whole = Span::new(whole.starts_at.min(one.span.starts_at), whole.ends_at.max(one.span.ends_at));
    }
    let mut judge = Judge::load(conn, &kept, &people_of(planned), whole, Which::Planned, zone)?;
    let mut all = Vec::with_capacity(planned.len());
    for one in planned {
        let Some(conflicts) = judge.conflicts(one, None, zone) else {
            return Err(AppError::field("people", text!("没有这位员工")));
        };
        let judged = Judged { planned: *one, conflicts };
        if judged.is_possible() {
            judge.add(made(roster, one, ""));
        }
        all.push(judged);
    }
    Ok(all)
}

fn people_of(planned: &[Planned]) -> Vec<PersonId> {
    planned.iter().map(|p| p.person_id).collect::<BTreeSet<_>>().into_iter().collect()
}

fn made(roster: RosterId, planned: &Planned, note: &str) -> Shift {
    Shift {
        id: ShiftId::new(),
        roster_id: roster,
        person_id: planned.person_id,
        span: planned.span,
        note: note.to_owned(),
        version: 1,
        published_at: None,
        changed_at: None,
    }
}

/// Adds the possible ones of the planned shifts as drafts and answers all with what stood against them. For whoever
/// plans the roster.
pub fn fill(
    tx: &mut Tx<'_>,
    actor: &Actor,
    roster: RosterId,
    planned: &[Planned],
    zone: &Zone,
    now: Millis,
) -> Result<Vec<Judged>, AppError> {
    let (_, actor) = &planner(tx, actor, roster)?;
    hold_roster(tx, roster)?;
    hold_people(tx, &people_of(planned))?;
    let judged = judge(tx, roster, planned, zone)?;
    let possible: Vec<Shift> =
        judged.iter().filter(|j| j.is_possible()).map(|j| made(roster, &j.planned, "")).collect();
    shift::insert(tx, actor, &possible, now)?;
    Ok(judged)
}

/// The shifts that begin in the week before `monday`, seven days later.
pub fn week_before(
    conn: &mut Conn<'_>,
    roster: RosterId,
    monday: Date,
    zone: &Zone,
) -> store::Result<Vec<Planned>> {
    let before = monday.checked_sub(7.days()).unwrap_or(monday);
    let week = Span::new(zone.day(before).0, zone.day(monday).0);
    // Wall-clock time: a shift at eight stays at eight.
    let later = |at: Millis| {
        let local = zone.civil(at);
        zone.at(local.checked_add(7.days()).unwrap_or(local))
    };
    let all = shifts(conn, &Place::Roster(roster), week, Which::Planned)?;
    let begun = all.into_iter().filter(|s| s.span.starts_at >= week.starts_at);
    Ok(begun
        .map(|s| Planned {
            person_id: s.person_id,
            span: Span::new(later(s.span.starts_at), later(s.span.ends_at)),
        })
        .collect())
}
