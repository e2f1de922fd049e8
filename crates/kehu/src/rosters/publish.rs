//! Publishing (发布): what is planned is a draft until it is published to staff. What becomes of a published shift is
//! noted here for the people concerned, who see it on their duty page and on the workbench until they say they know.

use jiff::civil::Date;
use serde_json::json;
use store::{Conn, FromRow, Row, Tx};

use super::hold_roster;
use super::load::{Judge, MOST, Place, Which, shifts};
use super::model::{Conflict, DAY, Planned, Shift, Span};
use super::plan::planner;
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::{Millis, Zone};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, ShiftId};
use crate::{events, text};

/// Days published in one go at the most.
pub const MOST_PUBLISHED_DAYS: i64 = 92;

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Shifts that staff see from now on.
    pub shifts: u64,
    /// Of them, with something against them, for instance an absence entered after planning.
    pub conflicts: usize,
}

/// Publishes the drafts of a roster that begin on these days (the last one counts), for whoever plans it. Conflicts do
/// not hinder it; they are counted. Refused when there is no draft, or the days are more than 92.
pub fn publish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: RosterId,
    first: Date,
    last: Date,
    zone: &Zone,
    now: Millis,
) -> Result<Published, AppError> {
    let (roster, actor) = &planner(tx, actor, id)?;
    hold_roster(tx, id)?;
    let span = Span::new(zone.day(first).0, zone.day(last).1);
    // An hour more, for the day that summer time ends.
    if last < first || span.ends_at - span.starts_at > MOST_PUBLISHED_DAYS * DAY + DAY / 24 {
        return Err(AppError::field(
            "last",
            text!("最后一天不能早于第一天，一次最多发布 {} 天", MOST_PUBLISHED_DAYS),
        ));
    }
    let mut drafts = shifts(tx, &Place::Roster(id), span, Which::Planned)?;
    drafts.retain(|s| !s.is_published() && s.span.starts_at >= span.starts_at);
    if drafts.is_empty() {
        return Err(AppError::Conflict(text!("这段时间没有还未发布的班次")));
    }
    let done = tx.exec(
        "UPDATE shifts SET published_at = $4, updated_at = $4, version = version + 1
         WHERE roster_id = $1 AND starts_at >= $2 AND starts_at < $3 AND published_at IS NULL",
        &[id.into(), span.starts_at.into(), span.ends_at.into(), now.into()],
    )?;
    let mut people: Vec<PersonId> = drafts.iter().map(|s| s.person_id).collect();
    people.sort_unstable();
    people.dedup();
    let around = drafts.iter().fold(span, |all, s| Span::new(all.starts_at, all.ends_at.max(s.span.ends_at)));
    let judge = Judge::load(tx, roster, &people, around, Which::Planned, zone)?;
    let has_conflict = |s: &&Shift| {
        let planned = Planned { person_id: s.person_id, span: s.span };
        judge.conflicts(&planned, Some(s.id), zone).is_some_and(|c| c.iter().any(Conflict::is_blocking))
    };
    let conflicts = drafts.iter().filter(has_conflict).count();
    events::emit(tx, actor, now, "roster.published", "roster", id.0, 0)?;
    let after = json!({ "first": first.to_string(), "last": last.to_string(), "count": done });
    audit::record(tx, actor, now, &Entry::of("roster.published", "roster", id.0).after(&after))?;
    Ok(Published { shifts: done, conflicts })
}

/// What became of a published shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Whoever plans changed it.
    Changed,
    /// It was taken away.
    Removed,
    /// Colleagues swapped it.
    Swapped,
    /// It was handed to a successor, or fell open, because its person leaves.
    Given,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Changed, Self::Removed, Self::Swapped, Self::Given];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Swapped => "swapped",
            Self::Given => "given",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Changed => "调整",
            Self::Removed => "取消",
            Self::Swapped => "换班",
            Self::Given => "离职交接",
        }
    }
}

/// A change of a published shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftChange {
    /// On which roster.
    pub roster_id: RosterId,
    /// The shift; it may be gone.
    pub shift_id: ShiftId,
    /// What happened.
    pub kind: ChangeKind,
    /// Who had it.
    pub person_id: PersonId,
    /// When it was.
    pub span: Span,
    /// Who has it now; nobody when it is gone.
    pub new_person_id: Option<PersonId>,
    /// When it is now.
    pub new_span: Span,
    /// When that happened.
    pub changed_at: Millis,
    /// Who did it; 0 for the command line.
    pub changed_by: PersonId,
}

const CHANGE: &str = "c.roster_id, c.shift_id, c.kind, c.person_id, c.starts_at, c.ends_at, c.new_person_id, \
                      c.new_starts_at, c.new_ends_at, c.changed_at, c.changed_by";

impl FromRow for ShiftChange {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let kind: String = row.get(2)?;
        Ok(Self {
            roster_id: row.get(0)?,
            shift_id: row.get(1)?,
            kind: ChangeKind::ALL.into_iter().find(|k| k.code() == kind).unwrap_or(ChangeKind::Changed),
            person_id: row.get(3)?,
            span: Span::new(row.get(4)?, row.get(5)?),
            new_person_id: row.get(6)?,
            new_span: Span::new(row.get(7)?, row.get(8)?),
            changed_at: row.get(9)?,
            changed_by: row.get(10)?,
        })
    }
}

/// Notes what became of a shift, when it was published; of a draft nobody needs to know.
pub(super) fn note_change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    kind: ChangeKind,
    old: &Shift,
    new: Option<&Shift>,
    now: Millis,
) -> store::Result<()> {
    if !old.is_published() {
        return Ok(());
    }
    let span = new.map_or(old.span, |s| s.span);
    tx.exec(
        "INSERT INTO shift_changes (id, roster_id, shift_id, kind, person_id, starts_at, ends_at, new_person_id,
           new_starts_at, new_ends_at, changed_at, changed_by)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
        &[
            store::new_id().into(),
            old.roster_id.into(),
            old.id.into(),
            kind.code().into(),
            old.person_id.into(),
            old.span.starts_at.into(),
            old.span.ends_at.into(),
            new.map(|s| s.person_id).into(),
            span.starts_at.into(),
            span.ends_at.into(),
            now.into(),
            actor.person_id.into(),
        ],
    )
    .map(drop)
}

/// What became of the published shifts of a roster that were, or now are, within `span`; the latest first, at most 100.
pub fn changes_of(conn: &mut Conn<'_>, roster: RosterId, span: Span) -> store::Result<Vec<ShiftChange>> {
    conn.rows(
        &format!(
            "SELECT {CHANGE} FROM shift_changes c WHERE c.roster_id = $1
               AND ((c.starts_at >= $2 AND c.starts_at < $3) OR (c.new_starts_at >= $2 AND c.new_starts_at < $3))
             ORDER BY c.changed_at DESC, c.id DESC LIMIT 100"
        ),
        &[roster.into(), span.starts_at.into(), span.ends_at.into()],
    )
}

/// What others did to somebody's published shifts after `since`, also what came to him; what is over is left out.
/// Oldest first, at most 100.
pub(super) fn changes_for(
    conn: &mut Conn<'_>,
    person: PersonId,
    since: Millis,
    now: Millis,
) -> store::Result<Vec<ShiftChange>> {
    conn.rows(
        &format!(
            "SELECT {CHANGE} FROM shift_changes c WHERE (c.person_id = $1 OR c.new_person_id = $1)
               AND c.changed_at > $2 AND c.changed_by <> $1 AND (c.ends_at > $3 OR c.new_ends_at > $3)
             ORDER BY c.changed_at, c.id LIMIT 100"
        ),
        &[person.into(), since.into(), now.into()],
    )
}

/// Rows a person's list of coming shifts holds at the most.
pub const MOST_OWN: i64 = MOST / 10;
