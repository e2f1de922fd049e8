//! Opening: which periods have begun, and what is owed in them by whom.

use std::collections::BTreeMap;

use policy::expr::Env;
use policy::model::{Duty, Every, Policy};
use policy::periods::Period;
use policy::value::Value;
use store::{Tx, Value as Sql};

use super::model::{Per, every_code, evidence_code};
use super::teams::{self, Members};
use crate::cases::{Ground, with_world_of};
use crate::clock::Millis;
use crate::customers::{self, Customer};
use crate::error::AppError;
use crate::ids::{CustomerId, DutyId, PersonId, PolicyVersionId, RoundId, UnitId};
use crate::policies;

/// Those who owe a duty that are looked at in one transaction.
const BATCH: usize = 500;
/// Most periods of a duty that are made up for after the program stood still.
const MOST_PERIODS: usize = 400;
const CLOCK: &str = "periods";

/// Makes the rounds of all periods that have begun since it was looked last. The first time only those that run now.
pub(super) fn look(tx: &mut Tx<'_>, ground: &Ground) -> Result<(), AppError> {
    let now = ground.now;
    tx.exec(
        "INSERT INTO duty_clock (name, looked_at, looks_at) VALUES ($1, $2, 0) ON CONFLICT (name) DO NOTHING",
        &[CLOCK.into(), now.into()],
    )?;
    let lock = tx.for_change();
    let sql = format!("SELECT looked_at FROM duty_clock WHERE name = $1 {lock}");
    let looked_at: Millis = tx.value(&sql, &[CLOCK.into()])?.unwrap_or(now);
    let versions: Vec<(PolicyVersionId, Millis, Option<Millis>)> = tx.rows(
        "SELECT id, effective_at, retired_at FROM policy_versions WHERE state = 'published' AND effective_at <= $1
           AND (retired_at IS NULL OR retired_at > $2) ORDER BY policy, number",
        &[now.into(), looked_at.into()],
    )?;
    for (version, effective_at, retired_at) in versions {
        let policy = policies::load(tx, version)?;
        for duty in &policy.duties {
            let since = looked_at.max(effective_at);
            let mut period = Period::of(duty.every, ground.zone.date(since));
            for _ in 0..MOST_PERIODS {
                let Some((first, _)) = period.instants(&ground.calendar) else { break };
                // What a regulation asks for it asks for from the day on on which it is in force.
                let starts_at = first.max(effective_at);
                if starts_at > now || retired_at.is_some_and(|retired| starts_at >= retired) {
                    break;
                }
                let is_off = duty.every == Every::Workday && !ground.calendar.is_workday(period.first);
                if !is_off {
                    begin(tx, ground, (&policy, version), duty, period, starts_at)?;
                }
                period = period.after(duty.every);
            }
        }
    }
    let tomorrow = ground.zone.day(ground.zone.date(now)).1;
    tx.exec(
        "UPDATE duty_clock SET looked_at = $2, looks_at = $3 WHERE name = $1",
        &[CLOCK.into(), now.into(), tomorrow.into()],
    )?;
    Ok(())
}

/// Whether a period may have begun, or a regulation come into force, since it was looked last.
pub(super) fn must_look(tx: &mut Tx<'_>, now: Millis) -> store::Result<bool> {
    let clock: Option<(Millis, Millis)> =
        tx.row("SELECT looked_at, looks_at FROM duty_clock WHERE name = $1", &[CLOCK.into()])?;
    let (looked_at, looks_at) = clock.unwrap_or((0, 0));
    let new = tx.count(
        "SELECT COUNT(*) FROM (SELECT 1 FROM policy_versions WHERE state = 'published' AND effective_at <= $1
           AND (effective_at > $2 OR published_at > $2 OR $3 <= $1) LIMIT 1) new",
        &[now.into(), looked_at.into(), looks_at.into()],
    )?;
    Ok(new > 0)
}

/// Until when it is known which periods have begun.
pub(super) fn looked_until(tx: &mut Tx<'_>) -> store::Result<Millis> {
    let until = tx.value("SELECT looks_at FROM duty_clock WHERE name = $1", &[CLOCK.into()])?;
    Ok(until.unwrap_or(0))
}

fn begin(
    tx: &mut Tx<'_>,
    ground: &Ground,
    (policy, version): (&Policy, PolicyVersionId),
    duty: &Duty,
    period: Period,
    starts_at: Millis,
) -> Result<(), AppError> {
    let Some(due_at) = period.due(duty.due, &ground.calendar) else {
        tracing::warn!(policy = policy.id, duty = duty.id, "a duty falls due beyond the calendar");
        return Ok(());
    };
    let warnings = warnings(ground, duty, due_at);
    // Reminders that would have come before anything was owed are past.
    let warned = warnings.iter().filter(|at| **at <= starts_at).count();
    let wakes_at = warnings.get(warned).copied().unwrap_or(due_at + 1).min(due_at + 1);
    tx.exec(
        "INSERT INTO duty_rounds (id, policy, version_id, duty, title, clause, per, every, period, period_title, evidence,
           starts_at, due_at, times, target, state, wakes_at, warned)
         VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,'opening',$16,$17)
         ON CONFLICT (policy, duty, every, period) DO NOTHING",
        &[
            RoundId::new().into(),
            (&policy.id).into(),
            version.into(),
            (&duty.id).into(),
            (&duty.title).into(),
            (&duty.clause).into(),
            Per::of(duty).code().into(),
            every_code(duty.every).into(),
            (&period.first.to_string()).into(),
            (&period.in_chinese(duty.every)).into(),
            (&evidence_code(&duty.evidence)).into(),
            starts_at.into(),
            due_at.into(),
            i64::from(duty.times).into(),
            duty.target.into(),
            wakes_at.into(),
            (warned as i64).into(),
        ],
    )?;
    Ok(())
}

/// When a duty warns, the earliest first.
pub(super) fn warnings(ground: &Ground, duty: &Duty, due_at: Millis) -> Vec<Millis> {
    let mut all: Vec<Millis> =
        duty.warn.iter().filter_map(|before| ground.calendar.warn_at(due_at, *before).ok()).collect();
    all.sort_unstable();
    all
}

/// Rounds whose occurrences are not all there.
pub(super) fn opening(tx: &mut store::Conn<'_>) -> store::Result<Vec<RoundId>> {
    let rows: Vec<(RoundId,)> =
        tx.rows("SELECT id FROM duty_rounds WHERE state = 'opening' ORDER BY id LIMIT 500", &[])?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What of a round the batches need.
struct Beginning {
    version: PolicyVersionId,
    duty: String,
    starts_at: Millis,
    due_at: Millis,
    after: i64,
}

/// Somebody who owes a duty.
struct Found {
    subject: i64,
    unit: Option<UnitId>,
    by: Members,
    told: Option<Members>,
}

/// Opens what the next ones owe; says whether there are more. The place is kept with what was opened, so that each
/// comes once however often the job is killed.
pub(super) fn open_batch(tx: &mut Tx<'_>, ground: &Ground, id: RoundId) -> Result<bool, AppError> {
    let lock = tx.for_change();
    let sql = format!(
        "SELECT version_id, duty, starts_at, due_at, after_id FROM duty_rounds WHERE id = $1 AND state = 'opening' {lock}"
    );
    let Some((version, duty, starts_at, due_at, after)) =
        tx.row::<(PolicyVersionId, String, Millis, Millis, i64)>(&sql, &[id.into()])?
    else {
        return Ok(false);
    };
    let round = Beginning { version, duty, starts_at, due_at, after };
    let policy = policies::load(tx, round.version)?;
    let Some(duty) = policy.duties.iter().find(|duty| duty.id == round.duty) else {
        return Err(AppError::Internal(format!("policy {} has no duty {}", policy.id, round.duty)));
    };
    let then = ground.at(round.starts_at);
    let (subjects, customers) = subjects(tx, &then, Per::of(duty), round.after)?;
    let (seen, last) = (subjects.len(), subjects.last().map_or(round.after, |(id, _)| *id));
    let found = with_world_of(tx, &then, &policy.id, customers, |world| {
        let owes = |(subject, unit): (i64, Option<UnitId>)| owes(duty, &then, world, subject, unit);
        subjects.into_iter().filter_map(owes).collect::<Vec<Found>>()
    })?;
    let wanted: Vec<&Members> = found.iter().flat_map(|one| one.told.iter().chain([&one.by])).collect();
    let teams = teams::ids(tx, &wanted)?;
    let rows: Vec<Vec<Sql<'_>>> = found
        .iter()
        .map(|one| {
            vec![
                DutyId::new().into(),
                id.into(),
                one.subject.into(),
                one.unit.into(),
                teams.get(&one.by).copied().into(),
                one.told.as_ref().and_then(|told| teams.get(told).copied()).into(),
                round.due_at.into(),
            ]
        })
        .map(|mut row| {
            row.push("open".into());
            row
        })
        .collect();
    let made = if rows.is_empty() {
        0
    } else {
        tx.insert_rows(
            "INSERT INTO duties (id, round_id, subject_id, unit_id, team_id, told_id, due_at, standing)",
            &rows,
            "ON CONFLICT (round_id, subject_id) DO NOTHING",
        )?
    };
    let more = seen == BATCH;
    tx.exec(
        "UPDATE duty_rounds SET after_id = $2, total = total + $3, state = $4 WHERE id = $1",
        &[id.into(), last.into(), (made as i64).into(), if more { "opening" } else { "open" }.into()],
    )?;
    Ok(more)
}

/// Whom a duty may concern: an id, and its unit.
type Subject = (i64, Option<UnitId>);

/// The next ones a duty may concern, in order of id, with their units.
fn subjects(
    tx: &mut Tx<'_>,
    ground: &Ground,
    per: Per,
    after: i64,
) -> Result<(Vec<Subject>, Vec<Customer>), AppError> {
    let directory = &ground.directory;
    let mut all: Vec<(i64, Option<UnitId>)> = match per {
        // The company has no id; having been looked at, it is not looked at again.
        Per::Company => vec![(0, None)],
        Per::Unit => {
            let open = directory.units().filter(|unit| !unit.is_closed && unit.id.0 > after);
            open.map(|unit| (unit.id.0, Some(unit.id))).collect()
        }
        Per::Person => {
            let active = directory.people().filter(|(id, member)| member.is_active && id.0 > after);
            active.map(|(id, _)| (id.0, directory.main_unit(id, &ground.day))).collect()
        }
        Per::Customer => {
            let sql = format!(
                "SELECT {} FROM customers c WHERE c.id > $1 AND c.deleted_at IS NULL ORDER BY c.id LIMIT $2",
                *customers::COLUMNS
            );
            let mut found: Vec<Customer> = Vec::new();
            tx.each(&sql, &[CustomerId(after).into(), (BATCH as i64).into()], |row| {
                found.push(customers::read_row(row)?);
                Ok::<_, store::Error>(std::ops::ControlFlow::Continue(()))
            })?;
            return Ok((found.iter().map(|c| (c.id.0, c.unit_id)).collect(), found));
        }
    };
    all.sort_unstable_by_key(|(id, _)| *id);
    all.truncate(BATCH);
    Ok((all, Vec::new()))
}

/// What one of them owes, if the duty concerns it.
fn owes(
    duty: &Duty,
    ground: &Ground,
    world: &dyn policy::world::World,
    subject: i64,
    unit: Option<UnitId>,
) -> Option<Found> {
    let mut facts: BTreeMap<String, Value> = BTreeMap::new();
    if subject != 0 {
        facts.insert(Per::of(duty).code().to_owned(), Value::text(store::format_id(subject)));
    }
    let env = || Env::new(ground.now, world).event(&facts);
    if duty.of.as_ref().is_some_and(|of| !of.holds(&env())) {
        return None;
    }
    let people = |texts: Vec<String>| -> Vec<PersonId> {
        texts.iter().filter_map(|person| person.parse().ok()).collect()
    };
    let mut by = people(duty.by.value(&env()).as_texts());
    if by.is_empty() {
        // Nobody can be found; the administrators of policies have to see to it.
        by = people(world.administrators());
    }
    let told = duty.notify.as_ref().map(|who| Members::new(people(who.value(&env()).as_texts())));
    Some(Found { subject, unit, by: Members::new(by), told: told.filter(|told| !told.is_empty()) })
}
