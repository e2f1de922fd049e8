//! What proves duties: closed cases and events, read out of the outbox once, each counting for one period of a duty. A case
//! whose regulation says by which of its days (`evidence_on`) counts for that period or for none, whenever it ended.

use std::collections::BTreeMap;

use jiff::civil::Date;
use policy::periods::Period;
use serde_json::Value as Json;
use store::{FromRow, Row, Tx};

use super::model::{Per, Standing, every_named};
use super::open::looked_until;
use crate::cases::Ground;
use crate::clock::Millis;
use crate::error::AppError;
use crate::ids::{CustomerId, DutyId, PersonId, PolicyVersionId, RoundId, UnitId};
use crate::policies;

/// The name under which duties remember how far they have read.
const READER: &str = "duties";
/// Events read at once.
const BATCH: i64 = 200;
/// Ids are made before their transactions commit: what is younger may still be overtaken.
pub(super) const SETTLED: Millis = 2_000;

/// An event of the outbox.
struct Heard {
    id: i64,
    at: Millis,
    kind: String,
    object_id: i64,
    customer_id: i64,
    actor_id: i64,
}

impl FromRow for Heard {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            object_id: row.get(3)?,
            customer_id: row.get(4)?,
            actor_id: row.get(5)?,
        })
    }
}

/// Something that may prove duties.
struct Proof {
    /// `form:visit`, or the name of an event.
    evidence: String,
    /// Of this policy only; of any when it is an event.
    policy: Option<String>,
    source: i64,
    at: Millis,
    customer: i64,
    person: i64,
    unit: Option<UnitId>,
}

/// Occurrences that a proof may be for.
struct Candidate {
    id: DutyId,
    round: RoundId,
    policy: String,
    duty: String,
    per: Per,
    subject: i64,
    due_at: Millis,
    standing: Standing,
    done: i64,
    times: i64,
    every: String,
    /// First day of its period.
    first: String,
}

impl Candidate {
    /// Whether its period has this day in it.
    fn has(&self, day: Date) -> bool {
        every_named(&self.every).is_some_and(|every| Period::of(every, day).first.to_string() == self.first)
    }
}

impl FromRow for Candidate {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            round: row.get(1)?,
            policy: row.get(2)?,
            duty: row.get(3)?,
            per: Per::named(&row.get::<String>(4)?),
            subject: row.get(5)?,
            due_at: row.get(6)?,
            standing: Standing::named(&row.get::<String>(7)?),
            done: row.get(8)?,
            times: row.get(9)?,
            every: row.get(10)?,
            first: row.get(11)?,
        })
    }
}

fn kinds() -> String {
    let events = policies::EVENTS.iter().chain(&["case.closed"]);
    events.map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(",")
}

/// Whether there are events nobody has looked at for duties.
pub(super) fn is_behind(tx: &mut Tx<'_>, now: Millis) -> store::Result<bool> {
    if tx.count("SELECT COUNT(*) FROM (SELECT 1 FROM duty_rounds LIMIT 1) any_round", &[])? == 0 {
        return Ok(false);
    }
    let at = position(tx)?;
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE id > $1 AND at <= $2 AND kind IN ({}) LIMIT 1) new",
        kinds()
    );
    Ok(tx.count(&sql, &[at.into(), (now - SETTLED).into()])? > 0)
}

/// How far duties have read. They do not look back behind the first round.
fn position(tx: &mut Tx<'_>) -> store::Result<i64> {
    let known: Option<i64> =
        tx.value("SELECT event_id FROM outbox_readers WHERE reader = $1", &[READER.into()])?;
    if let Some(known) = known {
        return Ok(known);
    }
    let last: Option<i64> = tx.value(
        "SELECT COALESCE(MAX(id), 0) FROM events WHERE at < (SELECT COALESCE(MIN(starts_at), 0) FROM duty_rounds)",
        &[],
    )?;
    let last = last.unwrap_or(0);
    tx.exec(
        "INSERT INTO outbox_readers (reader, event_id) VALUES ($1, $2) ON CONFLICT (reader) DO NOTHING",
        &[READER.into(), last.into()],
    )?;
    Ok(last)
}

/// Looks at the next events; says whether there may be more. What they prove is committed with the place. Events of a
/// period that is not open yet wait for it.
pub(super) fn read_outbox(tx: &mut Tx<'_>, ground: &Ground) -> Result<bool, AppError> {
    let open = "SELECT COUNT(*) FROM (SELECT 1 FROM duty_rounds WHERE state = 'opening' LIMIT 1) opening";
    let any = "SELECT COUNT(*) FROM (SELECT 1 FROM duty_rounds LIMIT 1) any_round";
    if tx.count(any, &[])? == 0 || tx.count(open, &[])? > 0 {
        return Ok(false);
    }
    let from = position(tx)?;
    let lock = tx.for_change();
    let sql = format!("SELECT event_id FROM outbox_readers WHERE reader = $1 {lock}");
    let from: i64 = tx.value(&sql, &[READER.into()])?.unwrap_or(from);
    let until = (ground.now - SETTLED).min(looked_until(tx)? - 1);
    let events: Vec<Heard> = tx.rows(
        &format!(
            "SELECT id, at, kind, object_id, customer_id, actor_id FROM events
             WHERE id > $1 AND at <= $2 AND kind IN ({}) ORDER BY id LIMIT $3",
            kinds()
        ),
        &[from.into(), until.into(), BATCH.into()],
    )?;
    let Some(last) = events.last().map(|event| event.id) else { return Ok(false) };
    let count = events.len() as i64;
    for proof in proofs(tx, ground, &events)? {
        count_proof(tx, ground, &proof)?;
    }
    tx.exec("UPDATE outbox_readers SET event_id = $2 WHERE reader = $1", &[READER.into(), last.into()])?;
    Ok(count == BATCH)
}

/// A closed case: policy, form, customer, unit, who answers for it or else opened it, and when it ended.
type Closed = (
    i64,
    String,
    String,
    Option<CustomerId>,
    Option<UnitId>,
    Option<PersonId>,
    Option<PersonId>,
    Option<Millis>,
);

fn proofs(tx: &mut Tx<'_>, ground: &Ground, events: &[Heard]) -> store::Result<Vec<Proof>> {
    let closed: Vec<String> = events
        .iter()
        .filter(|event| event.kind == "case.closed")
        .map(|event| event.object_id.to_string())
        .collect();
    let mut cases: BTreeMap<i64, Closed> = BTreeMap::new();
    if !closed.is_empty() {
        let sql = format!(
            "SELECT id, policy, form, customer_id, unit_id, owner_id, creator_id, closed_at FROM cases WHERE id IN ({})",
            closed.join(",")
        );
        let rows: Vec<Closed> = tx.rows(&sql, &[])?;
        cases = rows.into_iter().map(|row| (row.0, row)).collect();
    }
    Ok(events
        .iter()
        .filter_map(|event| {
            if event.kind != "case.closed" {
                let person = if event.kind.starts_with("person.") { event.object_id } else { event.actor_id };
                return Some(Proof {
                    evidence: event.kind.clone(),
                    policy: None,
                    source: event.id,
                    at: event.at,
                    customer: event.customer_id,
                    person,
                    unit: ground.directory.main_unit(PersonId(person), &ground.day),
                });
            }
            let (_, policy, form, customer, unit, owner, creator, closed_at) = cases.get(&event.object_id)?;
            Some(Proof {
                evidence: format!("form:{form}"),
                policy: Some(policy.clone()),
                source: event.object_id,
                at: closed_at.unwrap_or(event.at),
                customer: customer.map_or(0, |customer| customer.0),
                person: owner.or(*creator).map_or(0, |person| person.0),
                unit: *unit,
            })
        })
        .collect())
}

/// The day in a closed case that tells which period of a duty it counts for, where its regulation names one.
fn day_of(tx: &mut Tx<'_>, ground: &Ground, proof: &Proof, duty: &str) -> Result<Option<Date>, AppError> {
    if proof.policy.is_none() {
        return Ok(None);
    }
    let case: Option<(PolicyVersionId, String)> =
        tx.row("SELECT version_id, body FROM cases WHERE id = $1", &[proof.source.into()])?;
    let Some((version, body)) = case else { return Ok(None) };
    let policy = policies::load(tx, version)?;
    let found = policy.duties.iter().find(|known| known.id == duty);
    let Some(field) = found.and_then(|duty| duty.evidence_on.as_ref()) else { return Ok(None) };
    let body: Json = serde_json::from_str(&body).unwrap_or_default();
    Ok(match &body["values"][field] {
        Json::String(day) => day.parse().ok(),
        at => at.as_i64().map(|at| ground.zone.date(at)),
    })
}

/// Counts a proof for the one period of each duty it is for: the one it names, or else the first whose time it falls into
/// and that still wants it, else, late, the last that was missed. Of units the nearest one that owes the duty.
fn count_proof(tx: &mut Tx<'_>, ground: &Ground, proof: &Proof) -> Result<(), AppError> {
    let units: Vec<i64> = proof
        .unit
        .map_or_else(Vec::new, |unit| ground.directory.line(unit).iter().map(|unit| unit.id.0).collect());
    let subjects: Vec<String> =
        [0, proof.customer, proof.person].iter().chain(&units).map(ToString::to_string).collect();
    let sql = format!(
        "SELECT d.id, d.round_id, r.policy, r.duty, r.per, d.subject_id, d.due_at, d.standing, d.done, r.times, r.every,
           r.period
         FROM duties d JOIN duty_rounds r ON r.id = d.round_id
         WHERE d.subject_id IN ({}) AND d.standing IN ('open', 'missed') AND r.evidence = $1 AND r.starts_at <= $2
         ORDER BY d.due_at, d.id",
        subjects.join(",")
    );
    let all: Vec<Candidate> = tx.rows(&sql, &[(&proof.evidence).into(), proof.at.into()])?;
    let is_meant = |found: &Candidate| match found.per {
        Per::Company => found.subject == 0,
        Per::Unit => units.contains(&found.subject),
        Per::Person => found.subject != 0 && found.subject == proof.person,
        Per::Customer => found.subject != 0 && found.subject == proof.customer,
    };
    let mut duties: BTreeMap<(String, String), Vec<Candidate>> = BTreeMap::new();
    for found in all {
        if is_meant(&found) && proof.policy.as_ref().is_none_or(|policy| *policy == found.policy) {
            duties.entry((found.policy.clone(), found.duty.clone())).or_default().push(found);
        }
    }
    for ((_, duty), found) in &duties {
        let day = day_of(tx, ground, proof, duty)?;
        let nearest = units.iter().find(|unit| found.iter().any(|one| one.subject == **unit));
        let mut near = found
            .iter()
            .filter(|one| one.per != Per::Unit || nearest.is_some_and(|unit| one.subject == *unit))
            .filter(|one| day.is_none_or(|day| one.has(day)));
        let in_time = near.clone().find(|one| proof.at <= one.due_at);
        if let Some(one) = in_time.or_else(|| near.next_back()) {
            count_for(tx, one, proof)?;
        }
    }
    Ok(())
}

fn count_for(tx: &mut Tx<'_>, one: &Candidate, proof: &Proof) -> store::Result<()> {
    let new = tx.exec(
        "INSERT INTO duty_evidence (policy, duty, source_id, duty_id, at) VALUES ($1,$2,$3,$4,$5)
         ON CONFLICT (policy, duty, source_id) DO NOTHING",
        &[(&one.policy).into(), (&one.duty).into(), proof.source.into(), one.id.into(), proof.at.into()],
    )?;
    if new == 0 {
        return Ok(());
    }
    if one.done + 1 < one.times {
        return tx.exec("UPDATE duties SET done = done + 1 WHERE id = $1", &[one.id.into()]).map(drop);
    }
    let standing = if proof.at <= one.due_at { Standing::Done } else { Standing::Late };
    tx.exec(
        "UPDATE duties SET done = done + 1, done_at = $2, standing = $3 WHERE id = $1",
        &[one.id.into(), proof.at.into(), standing.code().into()],
    )?;
    let column = standing.code();
    let missed = i64::from(one.standing == Standing::Missed);
    tx.exec(
        &format!("UPDATE duty_rounds SET {column} = {column} + 1, missed = missed - $2 WHERE id = $1"),
        &[one.round.into(), missed.into()],
    )
    .map(drop)
}
