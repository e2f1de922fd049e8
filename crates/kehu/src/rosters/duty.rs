//! What a person has to do with rosters himself (我的值班): his coming shifts, what became of them since he looked, and
//! the swaps that wait for him.

use store::{Conn, Tx};

use super::load::SHIFT;
use super::model::{LONGEST_SHIFT, Shift, Span};
use super::plan::planned_sql;
use super::publish::{MOST_OWN, ShiftChange, changes_for};
use super::swap::{SWAP, Swap};
use crate::access::Actor;
use crate::clock::Millis;
use crate::ids::PersonId;

/// What waits for a person, and what is new to him.
#[derive(Clone, Debug, Default)]
pub struct Duty {
    /// His published shifts that are not over, in order; at most 200.
    pub shifts: Vec<Shift>,
    /// Of them, published since he looked, by others than himself.
    pub fresh: usize,
    /// What others changed since he looked.
    pub changes: Vec<ShiftChange>,
    /// Swaps he is asked for.
    pub asked: Vec<Swap>,
    /// Swaps he agrees to or not, as the one who plans the roster.
    pub to_decide: Vec<Swap>,
    /// Swaps he asked for that are open.
    pub mine: Vec<Swap>,
}

impl Duty {
    /// How much waits for him, for the badge: swaps to answer, and one for news he has not seen.
    pub fn waiting(&self) -> i64 {
        let news = self.fresh > 0 || !self.changes.is_empty();
        i64::try_from(self.asked.len() + self.to_decide.len()).unwrap_or(0) + i64::from(news)
    }
}

/// Reads what somebody has to do with rosters at a moment.
pub fn duty(conn: &mut Conn<'_>, actor: &Actor, now: Millis) -> store::Result<Duty> {
    let me = actor.person_id;
    let seen: Millis =
        conn.value("SELECT seen_at FROM duty_seen WHERE person_id = $1", &[me.into()])?.unwrap_or(0);
    let shifts = own_shifts(conn, me, Span::new(now, i64::MAX))?;
    let open = |conn: &mut Conn<'_>, condition: &str| {
        conn.rows::<Swap>(
            &format!(
                "SELECT {SWAP} FROM swaps w JOIN rosters r ON r.id = w.roster_id
                 WHERE w.state IN ('asked', 'accepted') AND w.expires_at > $1 AND {condition} ORDER BY w.id LIMIT 100"
            ),
            &[now.into()],
        )
    };
    Ok(Duty {
        fresh: shifts.iter().filter(|s| s.published_at.is_some_and(|at| at > seen)).count(),
        changes: changes_for(conn, me, seen, now)?,
        asked: open(conn, &format!("w.to_id = {} AND w.state = 'asked'", me.0))?,
        to_decide: open(conn, &format!("w.state = 'accepted' AND {}", planned_sql(actor)))?,
        mine: open(conn, &format!("w.from_id = {}", me.0))?,
        shifts,
    })
}

/// How much of rosters waits for an actor, for the badge.
pub fn waiting(conn: &mut Conn<'_>, actor: &Actor, now: Millis) -> store::Result<i64> {
    Ok(duty(conn, actor, now)?.waiting())
}

/// The published shifts of a person on rosters in use that have a moment within `span`, in order; at most 200.
pub fn own_shifts(conn: &mut Conn<'_>, person: PersonId, span: Span) -> store::Result<Vec<Shift>> {
    conn.rows(
        &format!(
            "SELECT {SHIFT} FROM shifts s JOIN rosters r ON r.id = s.roster_id
             WHERE s.person_id = $1 AND s.starts_at > $2 AND s.ends_at > $3 AND s.starts_at < $4
               AND s.published_at IS NOT NULL AND r.is_active = TRUE
             ORDER BY s.starts_at, s.id LIMIT {MOST_OWN}"
        ),
        &[
            person.into(),
            (span.starts_at - LONGEST_SHIFT - 1).into(),
            span.starts_at.into(),
            span.ends_at.into(),
        ],
    )
}

/// Notes that somebody has seen what there was until `seen_at`; never goes back.
pub fn mark_seen(tx: &mut Tx<'_>, actor: &Actor, seen_at: Millis) -> store::Result<()> {
    tx.exec(
        "INSERT INTO duty_seen (person_id, seen_at) VALUES ($1, $2)
         ON CONFLICT (person_id) DO UPDATE SET seen_at = EXCLUDED.seen_at
           WHERE duty_seen.seen_at < EXCLUDED.seen_at",
        &[actor.person_id.into(), seen_at.into()],
    )
    .map(drop)
}
