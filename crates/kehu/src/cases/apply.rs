//! Storing what the engine answers: the case, its tasks, trail, deadlines, notices and penalties, and whatever else it
//! sets going, all in the caller's transaction.

use policy::case::Standing;
use policy::engine::{Effect, Outcome};
use policy::model::{Form, Policy};
use policy::value::Value;
use serde_json::json;
use store::{Tx, Value as Sql};

use super::model::TaskKind;
use super::penalise::propose;
use super::trail::{Line, lines};
use super::world::{Ground, with_world};
use crate::access::Actor;
use crate::error::AppError;
use crate::events;
use crate::ids::{CaseId, CaseTaskId, CustomerId, PersonId, UnitId};
use crate::notices::{self, Tell};

/// What a case set going beside itself.
#[derive(Debug, Default)]
pub(super) struct Follow {
    /// Cases to open: form and values.
    pub open: Vec<(String, Vec<(String, Value)>)>,
    /// Events to spread.
    pub emitted: Vec<String>,
}

/// Stores a case after something happened to it. `is_new` inserts it.
#[expect(clippy::too_many_arguments, reason = "one place that stores a case")]
pub(super) fn store(
    tx: &mut Tx<'_>,
    actor: Option<&Actor>,
    ground: &Ground,
    (policy, version_id): (&Policy, crate::ids::PolicyVersionId),
    form: &std::sync::Arc<Form>,
    parent: Option<CaseId>,
    outcome: &Outcome,
    is_new: bool,
) -> Result<Follow, AppError> {
    let case = &outcome.case;
    let id: CaseId = case.id.parse().map_err(|_| AppError::Internal("a case without id".into()))?;
    let (subject, wakes_at, readers, excluded) = with_world(tx, ground, &policy.id, |world| {
        (
            policy.subject(form, case, ground.now, world),
            policy.wakes_at(case, world),
            policy.readers(form, case, ground.now, world),
            policy.excluded(form, case, ground.now, world),
        )
    })?;
    let step = form.step(&case.step);
    let due_at = case
        .clocks
        .values()
        // What is late and still not done stands before what is yet to come.
        .filter(|clock| {
            clock.met_at.is_none() && clock.standing != Standing::Met && clock.paused_at.is_none()
        })
        .filter(|_| case.is_open())
        .map(|clock| clock.due)
        .min();
    let subject: String = subject.chars().take(200).collect();
    let body = case.to_json(form).to_string();
    let marks = case.marks.join(" ");
    let outcome_text = case.outcome.clone().unwrap_or_default();
    let (customer, unit) = (parsed::<CustomerId>(&case.customer), parsed::<UnitId>(&case.unit));
    let (owner, creator) = (parsed::<PersonId>(&case.owner), parsed::<PersonId>(&case.creator));
    let step_title = step.map_or_else(String::new, |step| step.title.clone());
    let shared: [Sql<'_>; 12] = [
        id.into(),
        (&subject).into(),
        (&case.step).into(),
        (&step_title).into(),
        case.is_open().into(),
        (&outcome_text).into(),
        (&marks).into(),
        customer.into(),
        unit.into(),
        owner.into(),
        case.closed_at.into(),
        due_at.into(),
    ];
    let mut params = shared.to_vec();
    params.extend([wakes_at.into(), (&body).into(), ground.noted_at.into()]);
    if is_new {
        params.extend([
            (&policy.id).into(),
            version_id.into(),
            (&form.id).into(),
            (&case.number).into(),
            creator.into(),
            parent.into(),
            case.opened_at.into(),
        ]);
        tx.exec(
            "INSERT INTO cases (id, subject, step, step_title, is_open, outcome, marks, customer_id, unit_id, owner_id,
               closed_at, due_at, wakes_at, body, updated_at, policy, version_id, form, number, creator_id, parent_id,
               opened_at)
             VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22)",
            &params,
        )?;
    } else {
        tx.exec(
            "UPDATE cases SET subject = $2, step = $3, step_title = $4, is_open = $5, outcome = $6, marks = $7,
               customer_id = $8, unit_id = $9, owner_id = $10, closed_at = $11, due_at = $12, wakes_at = $13,
               body = $14, updated_at = $15, version = version + 1 WHERE id = $1",
            &params,
        )?;
    }
    values(tx, id, form, case)?;
    people(tx, id, case, &readers, &excluded, &outcome.effects)?;
    tasks(tx, actor, ground, id, form, outcome)?;
    deadlines(tx, id, &policy.id, form, case)?;
    trail(tx, actor, ground, id, policy, form, outcome)?;
    let by = actor.map_or(PersonId(0), |actor| actor.person_id);
    let about = format!("《{}》{}", form.title, case.number);
    propose(tx, by, ground, policy, (id, customer, &about), &outcome.effects)?;
    note(tx, by, ground, if is_new { "case.opened" } else { "case.changed" }, id, customer)?;
    if outcome.effects.iter().any(|effect| matches!(effect, Effect::Closed { .. })) {
        note(tx, by, ground, "case.closed", id, customer)?;
    }
    let mut follow = Follow::default();
    for effect in &outcome.effects {
        match effect {
            Effect::Open { form, values } => follow.open.push((form.clone(), values.clone())),
            Effect::Emitted { event } => follow.emitted.push(event.clone()),
            _ => {}
        }
    }
    Ok(follow)
}

fn parsed<T: std::str::FromStr>(id: &Option<String>) -> Option<T> {
    id.as_ref().and_then(|id| id.parse().ok())
}

/// The outbox row of a case; time has no actor.
fn note(
    tx: &mut Tx<'_>,
    by: PersonId,
    ground: &Ground,
    kind: &'static str,
    id: CaseId,
    customer: Option<CustomerId>,
) -> store::Result<()> {
    events::emit_by(tx, by, ground.noted_at, kind, "case", id.0, customer.map_or(0, |customer| customer.0))
}

/// What other cases may ask about: choices, people, units, records, and whatever else the policy asks for.
fn values(tx: &mut Tx<'_>, id: CaseId, form: &Form, case: &policy::case::Case) -> store::Result<()> {
    tx.exec("DELETE FROM case_values WHERE case_id = $1", &[id.into()])?;
    let mut rows: Vec<(String, String)> = Vec::new();
    for (place, (field, value)) in form.fields.iter().zip(&case.values).enumerate() {
        if let Some(text) = value.compared().filter(|_| form.is_kept(place)) {
            rows.push((field.id.clone(), text));
        }
    }
    let rows: Vec<Vec<Sql<'_>>> = rows
        .iter()
        .map(|(field, value)| {
            vec![
                id.into(),
                (&form.id).into(),
                field.into(),
                value.into(),
                case.opened_at.into(),
                case.is_open().into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_rows("INSERT INTO case_values (case_id, form, field, value, opened_at, is_open)", &rows, "")
        .map(drop)
}

/// Who takes part, who reads, who is kept out. Whoever took part once goes on reading.
fn people(
    tx: &mut Tx<'_>,
    id: CaseId,
    case: &policy::case::Case,
    readers: &[String],
    excluded: &[String],
    effects: &[Effect],
) -> store::Result<()> {
    let mut all: Vec<(PersonId, &str)> = Vec::new();
    let mut add = |person: &str, part: &'static str| {
        if let Ok(person) = person.parse::<PersonId>()
            && !all.contains(&(person, part))
        {
            all.push((person, part));
        }
    };
    for person in case.creator.iter().chain(&case.owner).chain(&case.assigned) {
        add(person, "takes_part");
    }
    for effect in effects {
        if let Effect::Copied { people, .. } | Effect::Notice { people, .. } = effect {
            people.iter().for_each(|person| add(person, "reads"));
        }
    }
    readers.iter().for_each(|person| add(person, "reads"));
    excluded.iter().for_each(|person| add(person, "excluded"));
    tx.exec("DELETE FROM case_people WHERE case_id = $1 AND part = 'excluded'", &[id.into()])?;
    let rows: Vec<Vec<Sql<'_>>> =
        all.iter().map(|(person, part)| vec![id.into(), (*person).into(), (*part).into()]).collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_rows(
        "INSERT INTO case_people (case_id, person_id, part)",
        &rows,
        "ON CONFLICT (case_id, person_id, part) DO NOTHING",
    )
    .map(drop)
}

/// The to-dos that follow: those that end, those that begin.
fn tasks(
    tx: &mut Tx<'_>,
    actor: Option<&Actor>,
    ground: &Ground,
    id: CaseId,
    form: &Form,
    outcome: &Outcome,
) -> store::Result<()> {
    let changed =
        outcome.effects.iter().any(|effect| matches!(effect, Effect::Tasks { .. } | Effect::Closed { .. }));
    let mut rows: Vec<(PersonId, TaskKind)> = Vec::new();
    if changed {
        let is_approval = outcome.case.approval.is_some();
        let kind = if is_approval { TaskKind::Decide } else { TaskKind::Act };
        let by = actor.map(|actor| actor.person_id);
        let wanted: Vec<PersonId> =
            outcome.case.assigned.iter().filter_map(|person| person.parse().ok()).collect();
        let open: Vec<(PersonId, String, String)> = tx.rows(
            "SELECT person_id, step, kind FROM case_tasks WHERE case_id = $1 AND done_at IS NULL AND kind <> 'copy'",
            &[id.into()],
        )?;
        // Whoever goes on deciding in the same step keeps the to-do he has.
        let stays = |person: &PersonId| {
            open.iter()
                .any(|(known, step, of)| known == person && *step == outcome.case.step && of == kind.code())
        };
        let entered = outcome.effects.iter().any(|effect| matches!(effect, Effect::Entered { .. }));
        for (person, step, of) in &open {
            let goes_on =
                !entered && wanted.contains(person) && *step == outcome.case.step && of == kind.code();
            if !goes_on {
                tx.exec(
                    "UPDATE case_tasks SET done_at = $3, done_by = $4 WHERE case_id = $1 AND person_id = $2
                       AND done_at IS NULL AND kind <> 'copy'",
                    &[id.into(), (*person).into(), ground.now.into(), by.into()],
                )?;
            }
        }
        rows.extend(wanted.iter().filter(|person| entered || !stays(person)).map(|person| (*person, kind)));
    }
    for effect in &outcome.effects {
        if let Effect::Copied { people, .. } = effect {
            rows.extend(people.iter().filter_map(|p| p.parse().ok()).map(|person| (person, TaskKind::Copy)));
        }
    }
    let step = &outcome.case.step;
    let title = form.step(step).map_or("", |step| step.title.as_str());
    let rows: Vec<Vec<Sql<'_>>> = rows
        .iter()
        .map(|(person, kind)| {
            vec![
                CaseTaskId::new().into(),
                id.into(),
                (*person).into(),
                kind.code().into(),
                step.into(),
                title.into(),
                ground.now.into(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_rows(
        "INSERT INTO case_tasks (id, case_id, person_id, kind, step, step_title, opened_at)",
        &rows,
        "",
    )
    .map(drop)
}

fn deadlines(
    tx: &mut Tx<'_>,
    id: CaseId,
    policy: &str,
    form: &Form,
    case: &policy::case::Case,
) -> store::Result<()> {
    tx.exec("DELETE FROM case_deadlines WHERE case_id = $1", &[id.into()])?;
    let unit = parsed::<UnitId>(&case.unit);
    let rows: Vec<Vec<Sql<'_>>> = case
        .clocks
        .iter()
        .filter_map(|(name, clock)| {
            let deadline = form.deadline(name)?;
            let standing = match clock.standing {
                Standing::Running => "running",
                Standing::Met => "met",
                Standing::Breached => "breached",
            };
            Some(vec![
                id.into(),
                name.into(),
                (&deadline.title).into(),
                (&deadline.clause).into(),
                policy.into(),
                unit.into(),
                clock.from.into(),
                clock.due.into(),
                standing.into(),
                clock.met_at.into(),
                clock.paused_at.into(),
            ])
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    tx.insert_rows(
        "INSERT INTO case_deadlines (case_id, deadline, title, clause, policy, unit_id, starts_at, due_at, standing,
           met_at, paused_at)",
        &rows,
        "",
    )
    .map(drop)
}

/// The trail, and what people are told of it.
fn trail(
    tx: &mut Tx<'_>,
    actor: Option<&Actor>,
    ground: &Ground,
    id: CaseId,
    policy: &Policy,
    form: &std::sync::Arc<Form>,
    outcome: &Outcome,
) -> Result<(), AppError> {
    let all: Vec<Line> =
        with_world(tx, ground, &policy.id, |world| lines(policy, form, outcome, ground.now, world))?;
    let by = actor.map(|actor| actor.person_id);
    let rows: Vec<Vec<Sql<'_>>> = all
        .iter()
        .filter(|line| line.in_trail)
        .map(|line| {
            vec![
                store::new_id().into(),
                id.into(),
                ground.now.into(),
                by.into(),
                line.kind.into(),
                (&line.text).into(),
                (&line.clause).into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        tx.insert_rows("INSERT INTO case_trail (id, case_id, at, actor_id, kind, text, clause)", &rows, "")?;
    }
    let told = all.iter().flat_map(|line| {
        let words = Tell {
            kind: line.kind,
            text: &line.text,
            clause: &line.clause,
            policy: &policy.id,
            case_id: Some(id),
            penalty_id: None,
        };
        line.people.iter().filter_map(move |person| Some((person.parse().ok()?, words)))
    });
    notices::tell(tx, ground.noted_at, told)?;
    Ok(())
}

/// What the log keeps of a case.
pub(super) fn facts(form: &Form, case: &policy::case::Case) -> serde_json::Value {
    let values: serde_json::Map<String, serde_json::Value> = form
        .fields
        .iter()
        .zip(&case.values)
        .filter(|(_, value)| value.is_known())
        .map(|(field, value)| (field.title.clone(), value.to_json()))
        .collect();
    json!({
        "form": form.title, "number": case.number, "step": case.step, "outcome": case.outcome,
        "marks": case.marks, "assigned": case.assigned, "values": values,
    })
}
