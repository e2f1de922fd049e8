//! Time passing over a round: reminders, and the end.

use std::collections::BTreeMap;

use serde_json::json;
use store::Tx;

use super::evidence::SETTLED;
use super::open::warnings;
use super::teams;
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::cases::Ground;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{PersonId, PolicyVersionId, RoundId, TeamId};
use crate::notices::{self, Tell};
use crate::policies;

/// Occurrences marked as missed in one statement.
const BATCH: i64 = 2_000;

/// What of a round its timers need.
struct Waking {
    id: RoundId,
    version: PolicyVersionId,
    policy: String,
    duty: String,
    title: String,
    clause: String,
    period: String,
    due_at: Millis,
    warned: i64,
}

/// Rounds that wake now. Those whose time has passed wait until everything that was done in time has been read.
pub(super) fn due(tx: &mut store::Conn<'_>, now: Millis) -> store::Result<Vec<RoundId>> {
    let rows: Vec<(RoundId,)> = tx.rows(
        "SELECT id FROM duty_rounds WHERE wakes_at <= $1 AND state = 'open' AND (due_at >= $1 OR due_at < $2)
         ORDER BY wakes_at, id LIMIT 500",
        &[now.into(), (now - SETTLED).into()],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Warns of a round, or closes a part of it; says whether it has to be called again.
pub(super) fn wake(tx: &mut Tx<'_>, ground: &Ground, id: RoundId) -> Result<bool, AppError> {
    let lock = tx.for_change();
    let sql = format!(
        "SELECT version_id, policy, duty, title, clause, period_title, due_at, warned FROM duty_rounds
         WHERE id = $1 AND state = 'open' AND wakes_at <= $2 {lock}"
    );
    type Found = (PolicyVersionId, String, String, String, String, String, Millis, i64);
    let Some((version, policy, duty, title, clause, period, due_at, warned)) =
        tx.row::<Found>(&sql, &[id.into(), ground.now.into()])?
    else {
        return Ok(false);
    };
    let round = Waking { id, version, policy, duty, title, clause, period, due_at, warned };
    if ground.now > round.due_at {
        close(tx, ground, &round)
    } else {
        warn(tx, ground, &round).map(|()| false)
    }
}

fn warn(tx: &mut Tx<'_>, ground: &Ground, round: &Waking) -> Result<(), AppError> {
    let policy = policies::load(tx, round.version)?;
    let duty = policy.duties.iter().find(|duty| duty.id == round.duty);
    let all = duty.map_or_else(Vec::new, |duty| warnings(ground, duty, round.due_at));
    // A later reminder makes the earlier ones pointless.
    let came = all.iter().filter(|at| **at <= ground.now).count();
    let next = all.get(came).copied().unwrap_or(round.due_at + 1).min(round.due_at + 1);
    tx.exec(
        "UPDATE duty_rounds SET warned = $2, wakes_at = $3 WHERE id = $1",
        &[round.id.into(), (came as i64).into(), next.into()],
    )?;
    if came as i64 <= round.warned {
        return Ok(());
    }
    let open: Vec<(TeamId, i64)> = tx.rows(
        "SELECT team_id, COUNT(*) FROM duties WHERE round_id = $1 AND standing = 'open' GROUP BY team_id",
        &[round.id.into()],
    )?;
    let due = ground.zone.minute(round.due_at);
    tell(tx, ground, (round, &policy.title), "warned", open, |head, n| {
        format!("{head}：还有 {n} 项没有完成，{due} 到期")
    })
}

/// Marks what was not done as missed, in parts, and tells of it when all of it is marked.
fn close(tx: &mut Tx<'_>, ground: &Ground, round: &Waking) -> Result<bool, AppError> {
    let marked = tx.exec(
        "UPDATE duties SET standing = 'missed' WHERE id IN
           (SELECT id FROM duties WHERE round_id = $1 AND standing = 'open' ORDER BY id LIMIT $2)",
        &[round.id.into(), BATCH.into()],
    )?;
    if marked > 0 {
        tx.exec(
            "UPDATE duty_rounds SET missed = missed + $2 WHERE id = $1",
            &[round.id.into(), (marked as i64).into()],
        )?;
    }
    if marked as i64 == BATCH {
        return Ok(true);
    }
    tx.exec("UPDATE duty_rounds SET state = 'closed', wakes_at = NULL WHERE id = $1", &[round.id.into()])?;
    let policy = policies::load(tx, round.version)?;
    let mut missing: Vec<(TeamId, i64)> = Vec::new();
    for column in ["team_id", "told_id"] {
        let sql = format!(
            "SELECT {column}, COUNT(*) FROM duties WHERE round_id = $1 AND standing = 'missed' AND {column} IS NOT NULL
             GROUP BY {column}"
        );
        missing.extend(tx.rows::<(TeamId, i64)>(&sql, &[round.id.into()])?);
    }
    tell(tx, ground, (round, &policy.title), "breached", missing, |head, n| {
        format!("{head}：{n} 项逾期没有完成")
    })?;
    let counts: Option<(i64, i64, i64, i64)> =
        tx.row("SELECT total, done, late, missed FROM duty_rounds WHERE id = $1", &[round.id.into()])?;
    let (total, done, late, missed) = counts.unwrap_or_default();
    let after = json!({
        "policy": round.policy, "duty": round.title, "period": round.period, "clause": round.clause, "total": total,
        "done": done, "late": late, "missed": missed,
    });
    let entry = Entry::of("duty.closed", "duty", round.id.0).after(&after);
    audit::record(tx, &Actor::system(), ground.noted_at, &entry)?;
    Ok(false)
}

/// One notice for each person, with the number of what concerns him: whoever is in several teams gets the sum, whoever
/// does and supervises the same gets it once.
fn tell(
    tx: &mut Tx<'_>,
    ground: &Ground,
    (round, policy_title): (&Waking, &str),
    kind: &'static str,
    teams: Vec<(TeamId, i64)>,
    text: impl Fn(&str, i64) -> String,
) -> Result<(), AppError> {
    let ids: Vec<TeamId> = teams.iter().map(|(team, _)| *team).collect();
    let people = teams::people(tx, &ids)?;
    let mut numbers: BTreeMap<PersonId, BTreeMap<TeamId, i64>> = BTreeMap::new();
    for (team, n) in teams {
        for person in people.get(&team).into_iter().flatten() {
            let of = numbers.entry(*person).or_default().entry(team).or_default();
            *of = n.max(*of);
        }
    }
    let head = format!("《{policy_title}》{}（{}）", round.title, round.period);
    let rows: Vec<(PersonId, String)> =
        numbers.into_iter().map(|(person, teams)| (person, text(&head, teams.values().sum()))).collect();
    let told = rows.iter().map(|(person, text)| {
        let words = Tell { kind, text, clause: &round.clause, policy: &round.policy, ..Tell::default() };
        (*person, words)
    });
    notices::tell(tx, ground.noted_at, told)?;
    Ok(())
}
