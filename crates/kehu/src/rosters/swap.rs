//! Swaps (换班): somebody asks a named colleague to take a published shift of his, or to take it for one of the
//! colleague's. The colleague says yes or no; where the roster asks for it, whoever plans it agrees too. A swap is over
//! when the earlier of its shifts begins, and off when a shift of it was changed meanwhile.

use serde_json::json;
use store::{Conn, FromRow, Row, Tx};

use super::load::{Judge, Place, Which, load, load_shift, shifts};
use super::model::{Conflict, DAY, Planned, Roster, Shift, Span, SwapRule};
use super::plan::{as_planner, may_plan};
use super::publish::ChangeKind;
use super::shift::{hand_shift, put, refusal};
use super::{hold_people, word};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone, rfc3339};
use crate::error::AppError;
use crate::ids::{PersonId, RosterId, ShiftId, SwapId};
use crate::{events, text};

/// How far a swap has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapState {
    /// The colleague was asked.
    Asked,
    /// He said yes; whoever plans has not decided.
    Accepted,
    /// The shift is his.
    Done,
    /// He said no.
    Declined,
    /// The one who asked took it back.
    Withdrawn,
    /// Whoever plans said no.
    Refused,
    /// A shift began before it was settled.
    Expired,
    /// A shift was changed, or another colleague took it.
    Void,
}

impl SwapState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Asked,
        Self::Accepted,
        Self::Done,
        Self::Declined,
        Self::Withdrawn,
        Self::Refused,
        Self::Expired,
        Self::Void,
    ];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Asked => "等对方答复",
            Self::Accepted => "等排班人批准",
            Self::Done => "已换班",
            Self::Declined => "对方不同意",
            Self::Withdrawn => "已撤回",
            Self::Refused => "排班人未批准",
            Self::Expired => "已过期",
            Self::Void => "已失效，班次有变动",
        }
    }

    /// Whether somebody can still say something to it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Asked | Self::Accepted)
    }
}

/// A swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// Its id.
    pub id: SwapId,
    /// On which roster.
    pub roster_id: RosterId,
    /// The shift somebody wants to give.
    pub shift_id: ShiftId,
    /// Whose it is.
    pub from_id: PersonId,
    /// The colleague who is asked.
    pub to_id: PersonId,
    /// When the shift was at asking.
    pub span: Span,
    /// The colleague's shift the other would take for it; none when he only stands in.
    pub other_shift_id: Option<ShiftId>,
    /// When that one was at asking; empty without one.
    pub other_span: Span,
    /// When the earlier of the shifts begins.
    pub expires_at: Millis,
    /// How far it has come, as stored; see [`Swap::state_at`].
    pub state: SwapState,
    /// Why he asks.
    pub note: String,
    /// What was answered.
    pub answer: String,
    /// When he asked.
    pub asked_at: Millis,
    /// When the colleague answered.
    pub answered_at: Option<Millis>,
    /// When whoever plans decided.
    pub decided_at: Option<Millis>,
    /// Counts changes.
    pub version: i64,
}

impl Swap {
    /// How far it has come at a moment: an open one is expired once a shift of it has begun.
    pub fn state_at(&self, now: Millis) -> SwapState {
        if self.state.is_open() && self.expires_at <= now { SwapState::Expired } else { self.state }
    }
}

pub(super) const SWAP: &str = "w.id, w.roster_id, w.shift_id, w.from_id, w.to_id, w.starts_at, w.ends_at, \
                               w.other_shift_id, w.other_starts_at, w.other_ends_at, w.expires_at, w.state, w.note, \
                               w.answer, w.asked_at, w.answered_at, w.decided_at, w.version";

impl FromRow for Swap {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let state: String = row.get(11)?;
        Ok(Self {
            id: row.get(0)?,
            roster_id: row.get(1)?,
            shift_id: row.get(2)?,
            from_id: row.get(3)?,
            to_id: row.get(4)?,
            span: Span::new(row.get(5)?, row.get(6)?),
            other_shift_id: row.get(7)?,
            other_span: Span::new(row.get(8)?, row.get(9)?),
            expires_at: row.get(10)?,
            state: SwapState::ALL.into_iter().find(|s| s.code() == state).unwrap_or(SwapState::Void),
            note: row.get(12)?,
            answer: row.get(13)?,
            asked_at: row.get(14)?,
            answered_at: row.get(15)?,
            decided_at: row.get(16)?,
            version: row.get(17)?,
        })
    }
}

/// A swap to be asked for.
#[derive(Clone, Debug)]
pub struct NewSwap {
    /// The shift to give; one's own.
    pub shift_id: ShiftId,
    /// The colleague.
    pub to_id: PersonId,
    /// The colleague's shift to take for it.
    pub other_shift_id: Option<ShiftId>,
    /// Why, at most 200 characters.
    pub note: String,
}

/// What can be said to a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapAct {
    /// The colleague says yes.
    Accept,
    /// The colleague says no.
    Decline,
    /// The one who asked takes it back.
    Withdraw,
    /// Whoever plans agrees.
    Approve,
    /// Whoever plans does not.
    Refuse,
}

impl SwapAct {
    /// Every act.
    pub const ALL: [Self; 5] = [Self::Accept, Self::Decline, Self::Withdraw, Self::Approve, Self::Refuse];

    /// The name sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Withdraw => "withdraw",
            Self::Approve => "approve",
            Self::Refuse => "refuse",
        }
    }

    /// The act of this name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.code() == code)
    }
}

/// A swap: for the two colleagues and whoever plans the roster; to others it does not exist.
pub fn load_swap(conn: &mut Conn<'_>, actor: &Actor, id: SwapId) -> Result<Swap, AppError> {
    read(conn, actor, id, "")
}

fn read(conn: &mut Conn<'_>, actor: &Actor, id: SwapId, lock: &str) -> Result<Swap, AppError> {
    let sql = format!("SELECT {SWAP} FROM swaps w WHERE w.id = $1{lock}");
    let swap: Swap = conn.row(&sql, &[id.into()])?.ok_or(AppError::NotFound)?;
    let is_his = actor.person_id == swap.from_id || actor.person_id == swap.to_id;
    if is_his {
        return Ok(swap);
    }
    let unit = load(conn, swap.roster_id)?.unit_id;
    if may_plan(conn, actor, unit)? { Ok(swap) } else { Err(AppError::NotFound) }
}

/// The swaps somebody asked for or was asked for, the latest first; at most `limit`.
pub fn swaps_of(conn: &mut Conn<'_>, person: PersonId, limit: i64) -> store::Result<Vec<Swap>> {
    conn.rows(
        &format!(
            "SELECT {SWAP} FROM swaps w WHERE w.from_id = $1 OR w.to_id = $1 ORDER BY w.id DESC LIMIT {limit}"
        ),
        &[person.into()],
    )
}

/// The swaps of a roster, the latest first; for whoever plans it, as the caller must have made sure.
pub fn swaps_on(conn: &mut Conn<'_>, roster: RosterId, limit: i64) -> store::Result<Vec<Swap>> {
    conn.rows(
        &format!("SELECT {SWAP} FROM swaps w WHERE w.roster_id = $1 ORDER BY w.id DESC LIMIT {limit}"),
        &[roster.into()],
    )
}

/// The colleagues who can be asked for a swap on a roster, and their coming published shifts on it: those with a post
/// in its unit or below it are for the caller to add.
pub fn others_on(
    conn: &mut Conn<'_>,
    roster: RosterId,
    but: PersonId,
    now: Millis,
) -> store::Result<Vec<Shift>> {
    let mut all = shifts(conn, &Place::Roster(roster), Span::new(now, now + 62 * DAY), Which::InForce)?;
    all.retain(|s| s.person_id != but && s.span.starts_at > now);
    Ok(all)
}

/// Asks a colleague: for the one whose published shift it is, before it begins, where the roster allows swaps. Refused
/// in words when the colleague could not take it, or is asked for it already. Several colleagues may be asked; the
/// first yes counts.
pub fn ask_swap(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    new: &NewSwap,
    zone: &Zone,
    now: Millis,
) -> Result<Swap, AppError> {
    let note = word("note", &new.note, 200)?;
    hold_shifts(tx, new.shift_id, new.other_shift_id)?;
    let shift = load_shift(tx, new.shift_id)?;
    let roster = load(tx, shift.roster_id)?;
    if shift.person_id != actor.person_id || !shift.is_published() {
        // What is not published does not exist for staff.
        let is_known = shift.is_published() || may_plan(tx, actor, roster.unit_id)?;
        return Err(if is_known {
            AppError::Forbidden(text!("只能为自己的班次找人换班"))
        } else {
            AppError::NotFound
        });
    }
    require_open(&roster)?;
    if new.to_id == actor.person_id {
        return Err(AppError::field("to_id", text!("请选择另一位同事")));
    }
    let other = match new.other_shift_id {
        None => None,
        Some(id) => {
            let wrong =
                || AppError::field("other_shift_id", text!("请选择对方在同一张值班表上还没开始的班次"));
            let other = load_shift(tx, id).map_err(|_| wrong())?;
            if other.person_id != new.to_id || other.roster_id != roster.id || !other.is_published() {
                return Err(wrong());
            }
            Some(other)
        }
    };
    let expires_at =
        other.as_ref().map_or(shift.span.starts_at, |o: &Shift| o.span.starts_at.min(shift.span.starts_at));
    if expires_at <= now {
        return Err(AppError::Conflict(text!("班次已经开始，不能再换班；请直接联系排班人")));
    }
    let swap = Swap {
        id: SwapId::new(),
        roster_id: roster.id,
        shift_id: shift.id,
        from_id: actor.person_id,
        to_id: new.to_id,
        span: shift.span,
        other_shift_id: other.as_ref().map(|o| o.id),
        other_span: other.as_ref().map_or(Span::new(0, 0), |o| o.span),
        expires_at,
        state: SwapState::Asked,
        note,
        answer: String::new(),
        asked_at: now,
        answered_at: None,
        decided_at: None,
        version: 1,
    };
    hold_people(tx, &[swap.from_id, swap.to_id])?;
    check(tx, catalogue, &swap, &roster, zone)?;
    // One that is over by time but still stored as open does not stand in the way.
    tx.exec(
        "UPDATE swaps SET state = 'expired', version = version + 1
         WHERE shift_id = $1 AND state IN ('asked', 'accepted') AND expires_at <= $2",
        &[shift.id.into(), now.into()],
    )?;
    insert(tx, &swap).map_err(|error| {
        if error.is_unique("swaps_shift_id_to_id_key") {
            AppError::Conflict(text!("已请这位同事换这个班次，请等他答复，或先撤回"))
        } else {
            error.into()
        }
    })?;
    note_swap(tx, actor, "swap.asked", None, &swap, now)?;
    Ok(swap)
}

fn require_open(roster: &Roster) -> Result<(), AppError> {
    if roster.swaps == SwapRule::Off || !roster.is_active {
        return Err(AppError::Conflict(text!("这张值班表不允许自行换班，请联系排班人")));
    }
    Ok(())
}

/// Holds the shifts of a swap, so that what is checked does not change meanwhile; in the order of ids.
pub(super) fn hold_shifts(tx: &mut Tx<'_>, shift: ShiftId, other: Option<ShiftId>) -> store::Result<()> {
    let mut ids = vec![shift];
    ids.extend(other);
    ids.sort_unstable();
    let sql = format!("SELECT id FROM shifts WHERE id = $1{}", tx.for_change());
    for id in ids {
        tx.rows::<(ShiftId,)>(&sql, &[id.into()])?;
    }
    Ok(())
}

/// Refuses a swap that cannot be: a shift changed since it was asked for, a colleague who is away, on duty, gone,
/// without the skill or the rest the roster asks for, or of another unit and never on this roster. Drafts do not count:
/// they are not known to colleagues; whoever plans is shown what they collide with.
fn check(
    tx: &mut Tx<'_>,
    catalogue: &Catalogue,
    swap: &Swap,
    roster: &Roster,
    zone: &Zone,
) -> Result<(Shift, Option<Shift>), AppError> {
    let changed = || AppError::Conflict(text!("班次已有变动，这次换班已失效，请重新申请"));
    let load_same = |tx: &mut Tx<'_>, id, person, span| match load_shift(tx, id) {
        Ok(s) if s.person_id == person && s.span == span && s.is_published() => Ok(s),
        Ok(_) | Err(AppError::NotFound) => Err(changed()),
        Err(other) => Err(other),
    };
    let shift = load_same(tx, swap.shift_id, swap.from_id, swap.span)?;
    let other = match swap.other_shift_id {
        Some(id) => Some(load_same(tx, id, swap.to_id, swap.other_span)?),
        None => None,
    };
    let mut takes = vec![(swap.to_id, shift.span, other.as_ref().map(|o| o.id))];
    takes.extend(other.as_ref().map(|o| (swap.from_id, o.span, Some(shift.id))));
    let mut said = Vec::new();
    for (person_id, span, except) in takes {
        let judge = Judge::load(tx, roster, &[person_id], span, Which::Published, zone)?;
        let planned = Planned { person_id, span };
        let Some(found) = judge.conflicts(&planned, except, zone) else {
            return Err(AppError::field("to_id", text!("没有这位员工")));
        };
        for conflict in found {
            let hinders = match conflict {
                Conflict::Elsewhere => !was_on(tx, roster.id, person_id, span)?,
                _ => true,
            };
            if hinders {
                said.push(put(tx, catalogue, &planned, &conflict, true, zone)?);
            }
        }
    }
    if said.is_empty() { Ok((shift, other)) } else { Err(refusal(&said)) }
}

/// Whether somebody has a published shift on a roster within two months of a span.
fn was_on(conn: &mut Conn<'_>, roster: RosterId, person: PersonId, span: Span) -> store::Result<bool> {
    let there = conn.count(
        "SELECT COUNT(*) FROM shifts WHERE person_id = $1 AND roster_id = $2 AND published_at IS NOT NULL
           AND starts_at > $3 AND starts_at < $4",
        &[person.into(), roster.into(), (span.starts_at - 62 * DAY).into(), (span.ends_at + 62 * DAY).into()],
    )?;
    Ok(there > 0)
}

/// Says something to a swap whose version is still `version` (`None` takes whatever it is): the colleague accepts or
/// declines, the one who asked withdraws, whoever plans approves or refuses; `Forbidden` for another's act, `Conflict`
/// when it is settled or expired, or the shift cannot change hands any more. The last yes swaps the shifts at once.
#[expect(clippy::too_many_arguments, reason = "who, which, what is said, by which rules, and when")]
pub fn answer_swap(
    tx: &mut Tx<'_>,
    actor: &Actor,
    catalogue: &Catalogue,
    id: SwapId,
    version: Option<i64>,
    act: SwapAct,
    answer: &str,
    zone: &Zone,
    now: Millis,
) -> Result<Swap, AppError> {
    let answer = word("answer", answer, 200)?;
    let seen = read(tx, actor, id, "")?;
    // Shifts first, as asking and planning do; then the swap itself, as it is now.
    hold_shifts(tx, seen.shift_id, seen.other_shift_id)?;
    let lock = tx.for_change();
    let old = read(tx, actor, id, lock)?;
    let roster = load(tx, old.roster_id)?;
    let own = |person: PersonId| (actor.person_id == person).then(|| actor.clone());
    let allowed = match act {
        SwapAct::Accept | SwapAct::Decline => own(old.to_id),
        SwapAct::Withdraw => own(old.from_id),
        SwapAct::Approve | SwapAct::Refuse => as_planner(tx, actor, roster.unit_id)?,
    };
    let Some(actor) = &allowed else {
        return Err(AppError::Forbidden(text!("这一步要由对方、申请人或排班人自己办理")));
    };
    if version.is_some_and(|v| v != old.version) {
        return Err(AppError::Stale);
    }
    let state = old.state_at(now);
    let fits = match act {
        SwapAct::Accept | SwapAct::Decline => state == SwapState::Asked,
        SwapAct::Withdraw => state.is_open(),
        SwapAct::Approve | SwapAct::Refuse => state == SwapState::Accepted,
    };
    if !fits {
        return Err(AppError::Conflict(text!(
            "这次换班已不能这样办理：{}",
            crate::i18n::word(state.title())
        )));
    }
    let mut new = Swap { version: old.version + 1, ..old.clone() };
    if !answer.is_empty() {
        new.answer = answer;
    }
    let is_colleagues = matches!(act, SwapAct::Accept | SwapAct::Decline);
    if is_colleagues {
        new.answered_at = Some(now);
    } else if act != SwapAct::Withdraw {
        new.decided_at = Some(now);
    }
    let (state, action) = match act {
        SwapAct::Accept if roster.swaps == SwapRule::Approve => (SwapState::Accepted, "swap.accepted"),
        SwapAct::Accept => (SwapState::Done, "swap.accepted"),
        SwapAct::Decline => (SwapState::Declined, "swap.declined"),
        SwapAct::Withdraw => (SwapState::Withdrawn, "swap.withdrawn"),
        SwapAct::Approve => (SwapState::Done, "swap.approved"),
        SwapAct::Refuse => (SwapState::Refused, "swap.refused"),
    };
    new.state = state;
    if matches!(act, SwapAct::Accept | SwapAct::Approve) {
        require_open(&roster)?;
        hold_people(tx, &[old.from_id, old.to_id])?;
        let (shift, other) = check(tx, catalogue, &old, &roster, zone)?;
        if state == SwapState::Done {
            hand_shift(tx, actor, &shift, old.to_id, ChangeKind::Swapped, Some(id), now)?;
            if let Some(other) = other {
                hand_shift(tx, actor, &other, old.from_id, ChangeKind::Swapped, Some(id), now)?;
            }
        } else {
            // The first yes counts; the others who were asked need not answer any more.
            void_swaps(tx, actor, old.shift_id, Some(id), now)?;
        }
    }
    let by = if matches!(act, SwapAct::Approve | SwapAct::Refuse) { actor.person_id } else { PersonId(0) };
    let done = tx.exec(
        "UPDATE swaps SET state = $3, answer = $4, answered_at = $5, decided_at = $6, decided_by = $7,
           version = version + 1 WHERE id = $1 AND version = $2",
        &[
            id.into(),
            old.version.into(),
            new.state.code().into(),
            (&new.answer).into(),
            new.answered_at.into(),
            new.decided_at.into(),
            by.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    note_swap(tx, actor, action, Some(&old), &new, now)?;
    Ok(new)
}

/// Ends the open swaps a shift is part of, besides `except`: it was changed, taken away, or promised to somebody.
pub(super) fn void_swaps(
    tx: &mut Tx<'_>,
    actor: &Actor,
    shift: ShiftId,
    except: Option<SwapId>,
    now: Millis,
) -> Result<(), AppError> {
    let open: Vec<Swap> = tx.rows(
        &format!(
            "SELECT {SWAP} FROM swaps w WHERE (w.shift_id = $1 OR w.other_shift_id = $1)
               AND w.state IN ('asked', 'accepted') AND w.id <> $2 ORDER BY w.id"
        ),
        &[shift.into(), except.map_or(0, |s| s.0).into()],
    )?;
    for old in open {
        let new = Swap { state: SwapState::Void, version: old.version + 1, ..old.clone() };
        let done = tx.exec(
            "UPDATE swaps SET state = 'void', version = version + 1 WHERE id = $1 AND version = $2",
            &[old.id.into(), old.version.into()],
        )?;
        if done > 0 {
            note_swap(tx, actor, "swap.voided", Some(&old), &new, now)?;
        }
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, swap: &Swap) -> store::Result<()> {
    tx.exec(
        "INSERT INTO swaps (id, roster_id, shift_id, from_id, to_id, starts_at, ends_at, other_shift_id,
           other_starts_at, other_ends_at, expires_at, state, note, answer, asked_at, decided_by, version)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,'',$14,0,1)",
        &[
            swap.id.into(),
            swap.roster_id.into(),
            swap.shift_id.into(),
            swap.from_id.into(),
            swap.to_id.into(),
            swap.span.starts_at.into(),
            swap.span.ends_at.into(),
            swap.other_shift_id.into(),
            swap.other_span.starts_at.into(),
            swap.other_span.ends_at.into(),
            swap.expires_at.into(),
            swap.state.code().into(),
            (&swap.note).into(),
            swap.asked_at.into(),
        ],
    )
    .map(drop)
}

/// The event and the audit row of a swap.
fn note_swap(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &'static str,
    old: Option<&Swap>,
    new: &Swap,
    now: Millis,
) -> Result<(), AppError> {
    events::emit(tx, actor, now, action, "swap", new.id.0, 0)?;
    let (before, after) = (old.map(facts), facts(new));
    let mut entry = Entry::of(action, "swap", new.id.0).after(&after);
    entry.before = before.as_ref();
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn facts(swap: &Swap) -> serde_json::Value {
    json!({
        "roster_id": swap.roster_id, "shift_id": swap.shift_id, "person_id": swap.from_id, "colleague_id": swap.to_id,
        "starts_at": rfc3339(swap.span.starts_at), "ends_at": rfc3339(swap.span.ends_at),
        "other_shift_id": swap.other_shift_id, "state": swap.state.code(), "note": swap.note, "answer": swap.answer,
    })
}
