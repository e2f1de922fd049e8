//! Regulations listening to the outbox: events open cases and move waiting ones on.

use std::collections::BTreeMap;

use policy::Policy;
use policy::engine::Moment;
use policy::replay::{Deed, What};
use policy::value::Value;
use serde_json::{Value as Json, json};
use store::Tx;

use super::act::{Place, finish, start};
use super::load::hold_for_timer;
use super::refuse::refuse_with;
use super::tick::catch_up;
use super::world::{Ground, with_world};
use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::clock::Millis;
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, CustomerId, PersonId, PolicyVersionId, UnitId};
use crate::notices::{self, Tell};
use crate::policies;

/// The name under which regulations remember how far they have read.
const READER: &str = "regulations";
/// Events read at once.
const BATCH: i64 = 50;

/// Tells an event to all regulations in force: cases that wait for it, then those it opens.
pub(super) fn spread(
    tx: &mut Tx<'_>,
    ground: &Ground,
    event: &str,
    facts: &BTreeMap<String, Value>,
    depth: usize,
) -> Result<(), AppError> {
    for (version_id, policy) in policies::in_force(tx, ground.now)? {
        let opened = with_world(tx, ground, &policy.id, |world| {
            policy.triggered(event, facts, Moment { now: ground.now, actor: None, world })
        })?;
        for (form, values) in opened {
            if let Some(form) = policy.form(&form).cloned() {
                let cause =
                    Cause { policy: &policy, version_id, form: &form.title, event, facts, case: None };
                apart(tx, ground, &cause, depth, |tx| {
                    let of = (&policy, version_id);
                    start(tx, None, ground, of, &form, None, CaseId::new(), values, depth + 1)
                })?;
            }
        }
    }
    waiting(tx, ground, event, facts, depth)
}

/// What an event sets going, for whoever is told that it could not be done.
struct Cause<'a> {
    policy: &'a Policy,
    version_id: PolicyVersionId,
    /// What the form is called.
    form: &'a str,
    event: &'a str,
    facts: &'a BTreeMap<String, Value>,
    /// The case that was waiting for it.
    case: Option<CaseId>,
}

impl Cause<'_> {
    fn customer(&self) -> Option<CustomerId> {
        customer_of(self.facts)
    }
}

/// The customer an event is about.
fn customer_of(facts: &BTreeMap<String, Value>) -> Option<CustomerId> {
    match facts.get("customer") {
        Some(Value::Text(id)) => id.parse().ok(),
        _ => None,
    }
}

/// Does what an event of the outbox sets going. What cannot be done, as a form that wants what the event does not tell,
/// is taken back, logged and told to the administrators, and holds up nothing else; what would be done another time is tried
/// again with the whole batch. What somebody's own action sets going is his to be told.
fn apart(
    tx: &mut Tx<'_>,
    ground: &Ground,
    cause: &Cause<'_>,
    depth: usize,
    body: impl FnOnce(&mut Tx<'_>) -> Result<(), AppError>,
) -> Result<(), AppError> {
    if depth > 0 {
        return body(tx);
    }
    let Err(error) = tx.savepoint(body) else { return Ok(()) };
    if matches!(error, AppError::Unavailable | AppError::Busy(_) | AppError::Full | AppError::Stale) {
        return Err(error);
    }
    let reason = error.words().to(Lang::Zh);
    let Cause { policy, form, event, .. } = cause;
    tracing::warn!(policy = policy.id, form, %error, "what an event sets going could not be done");
    let after = json!({ "policy": policy.title, "form": form, "event": event, "case_id": cause.case, "reason": &reason });
    let entry = Entry::of("case.failed", "policy", cause.version_id.0).after(&after).result("failed");
    let entry = entry.customer(cause.customer().map_or(0, |customer| customer.0));
    audit::record(tx, &Actor::system(), ground.noted_at, &entry)?;
    let text = format!("《{}》的“{form}”没有办成：{reason}。请制度管理员处理", policy.title);
    let administrators = with_world(tx, ground, &policy.id, |world| world.administrators())?;
    let people = administrators.iter().filter_map(|person| person.parse::<PersonId>().ok());
    let told =
        Tell { kind: "nobody", text: &text, policy: &policy.id, case_id: cause.case, ..Tell::default() };
    notices::tell(tx, ground.noted_at, people.map(|person| (person, told)))?;
    Ok(())
}

/// Cases at a step that listens to the event, of whatever version they are carried out under.
fn waiting(
    tx: &mut Tx<'_>,
    ground: &Ground,
    event: &str,
    facts: &BTreeMap<String, Value>,
    depth: usize,
) -> Result<(), AppError> {
    let customer = customer_of(facts);
    let versions: Vec<(PolicyVersionId,)> =
        tx.rows(
            "SELECT v.id FROM policy_versions v
             WHERE EXISTS (SELECT 1 FROM cases k WHERE k.version_id = v.id AND k.is_open = TRUE) ORDER BY v.id",
            &[],
        )?;
    for (version_id,) in versions {
        let policy = policies::load(tx, version_id)?;
        for form in &policy.forms {
            let steps = form.steps.iter().filter(|step| step.on.iter().any(|on| on.event == event));
            for step in steps {
                let mut ways = step.on.iter().filter(|on| on.event == event);
                let is_about =
                    ways.all(|on| on.when.as_ref().is_some_and(|when| when.asks_for_customer(form.customer)));
                let customer = customer.filter(|_| is_about);
                let mut after = CaseId(0);
                loop {
                    let ids = at_step(tx, (&form.id, &step.id, version_id), customer, after)?;
                    let Some(last) = ids.last() else { break };
                    after = *last;
                    for id in ids {
                        let (form, case) = (form.title.as_str(), Some(id));
                        let cause = Cause { policy: &policy, version_id, form, event, facts, case };
                        apart(tx, ground, &cause, depth, |tx| hear_one(tx, ground, id, event, facts, depth))?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The next open cases at a step, of a customer when the step listens only to that of its own; at most 1,000.
fn at_step(
    tx: &mut Tx<'_>,
    (form, step, version): (&str, &str, PolicyVersionId),
    customer: Option<CustomerId>,
    after: CaseId,
) -> store::Result<Vec<CaseId>> {
    let mut params = vec![form.into(), step.into(), version.into(), after.into()];
    // The few of a customer are looked up first: thousands may stand at the step.
    let (of, from) = match customer {
        Some(customer) => {
            params.push(customer.into());
            (
                "WITH his AS MATERIALIZED (SELECT id, is_open, form, step, version_id FROM cases WHERE customer_id = $5)",
                "his",
            )
        }
        None => ("", "cases"),
    };
    let sql = format!(
        "{of} SELECT id FROM {from} WHERE is_open = TRUE AND form = $1 AND step = $2 AND version_id = $3 AND id > $4
         ORDER BY id LIMIT 1000"
    );
    let found: Vec<(CaseId,)> = tx.rows(&sql, &params)?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

fn hear_one(
    tx: &mut Tx<'_>,
    ground: &Ground,
    id: CaseId,
    event: &str,
    facts: &BTreeMap<String, Value>,
    depth: usize,
) -> Result<(), AppError> {
    // What time does to the case comes before what happens now; it may have moved on by that.
    catch_up(tx, ground, id)?;
    let Some(loaded) = hold_for_timer(tx, id)? else { return Ok(()) };
    let outcome = with_world(tx, ground, &loaded.policy.id, |world| {
        let moment = Moment { now: ground.now, actor: None, world };
        loaded.policy.happened(&loaded.state, event, facts, moment)
    })?;
    let outcome = outcome.map_err(|refused| refuse_with(ground, &loaded.policy, refused))?;
    if outcome.effects.is_empty() {
        return Ok(());
    }
    let place = Place {
        policy: &loaded.policy,
        version_id: loaded.case.version_id,
        form: &loaded.form,
        parent: loaded.case.parent_id,
        id,
    };
    let what = What::Hear(event.to_owned(), facts.clone());
    let deed = Deed { at: ground.now, actor: None, what, values: serde_json::Map::new() };
    finish(tx, None, ground, &place, Some(&loaded.state), &outcome, Some(&deed), depth)
}

/// One event of the outbox.
struct Heard {
    id: i64,
    at: Millis,
    kind: String,
    object_id: i64,
    customer_id: i64,
    actor_id: i64,
    facts: String,
}

impl store::FromRow for Heard {
    fn from_row(row: &store::Row<'_>) -> store::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            object_id: row.get(3)?,
            customer_id: row.get(4)?,
            actor_id: row.get(5)?,
            facts: row.get(6)?,
        })
    }
}

/// Whether there are events nobody has told to regulations yet.
pub(super) fn is_behind(tx: &mut Tx<'_>) -> store::Result<bool> {
    let any =
        "SELECT COUNT(*) FROM (SELECT 1 FROM policy_versions WHERE state = 'published' LIMIT 1) published";
    if tx.count(any, &[])? == 0 {
        return Ok(false);
    }
    let at = position(tx)?;
    let found = tx.count(
        &format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM events WHERE id > $1 AND kind IN ({}) LIMIT 1) new",
            kinds()
        ),
        &[at.into()],
    )?;
    Ok(found > 0)
}

fn kinds() -> String {
    policies::EVENTS.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(",")
}

/// How far regulations have read. They do not look back behind the first one in force.
fn position(tx: &mut Tx<'_>) -> store::Result<i64> {
    let known: Option<i64> =
        tx.value("SELECT event_id FROM outbox_readers WHERE reader = $1", &[READER.into()])?;
    if let Some(known) = known {
        return Ok(known);
    }
    let last: i64 = tx
        .value(
            "SELECT COALESCE(MAX(id), 0) FROM events WHERE at <
               (SELECT COALESCE(MIN(effective_at), 0) FROM policy_versions WHERE state = 'published')",
            &[],
        )?
        .unwrap_or(0);
    tx.exec(
        "INSERT INTO outbox_readers (reader, event_id) VALUES ($1, $2) ON CONFLICT (reader) DO NOTHING",
        &[READER.into(), last.into()],
    )?;
    Ok(last)
}

/// From now on: what has happened so far is told to no regulation. For a company that begins with a past.
pub fn begin_now(tx: &mut Tx<'_>) -> store::Result<()> {
    let last: i64 = tx.value("SELECT COALESCE(MAX(id), 0) FROM events", &[])?.unwrap_or(0);
    tx.exec(
        "INSERT INTO outbox_readers (reader, event_id) VALUES ($1, $2)
         ON CONFLICT (reader) DO UPDATE SET event_id = excluded.event_id",
        &[READER.into(), last.into()],
    )?;
    Ok(())
}

/// Tells the next events of the outbox to regulations; says whether there may be more. Events and what they set going
/// are committed together with the place, so that each is told once.
pub(super) fn read_outbox(tx: &mut Tx<'_>, ground: &Ground) -> Result<bool, AppError> {
    if policies::in_force_at(tx, ground.now)?.is_empty() {
        return Ok(false);
    }
    let lock = tx.for_change();
    let held: Option<i64> =
        tx.value(&format!("SELECT event_id FROM outbox_readers WHERE reader = $1 {lock}"), &[READER.into()])?;
    let from = match held {
        Some(from) => from,
        None => position(tx)?,
    };
    // Ids are made before their transactions commit; what is younger than a moment may still be overtaken.
    let settled = ground.now - 2_000;
    let events: Vec<Heard> = tx.rows(
        &format!(
            "SELECT id, at, kind, object_id, customer_id, actor_id, facts FROM events
             WHERE id > $1 AND at <= $2 AND kind IN ({}) ORDER BY id LIMIT $3",
            kinds()
        ),
        &[from.into(), settled.into(), BATCH.into()],
    )?;
    let count = events.len() as i64;
    let mut last = from;
    for event in events {
        last = event.id;
        // The clock of what follows is now: a deadline cannot have begun before anybody knew of it.
        let facts = facts_of(tx, ground, &event)?;
        spread(tx, ground, &event.kind, &facts, 0)?;
    }
    if last != from {
        tx.exec("UPDATE outbox_readers SET event_id = $2 WHERE reader = $1", &[READER.into(), last.into()])?;
    }
    Ok(count == BATCH)
}

/// The unit of the post somebody without any held last.
fn last_unit(tx: &mut Tx<'_>, person: PersonId, day: &str) -> store::Result<Option<UnitId>> {
    tx.value(
        "SELECT unit_id FROM positions WHERE person_id = $1 AND starts_on <= $2
         ORDER BY ends_on DESC, is_main DESC, id LIMIT 1",
        &[person.into(), day.into()],
    )
}

fn facts_of(tx: &mut Tx<'_>, ground: &Ground, event: &Heard) -> Result<BTreeMap<String, Value>, AppError> {
    let person = |id: i64| if id == 0 { Value::Null } else { Value::text(PersonId(id).to_string()) };
    let mut facts = BTreeMap::from([
        ("actor".to_owned(), person(event.actor_id)),
        ("at".to_owned(), Value::Time(event.at)),
    ]);
    let mut put = |name: &str, value: Value| drop(facts.insert(name.to_owned(), value));
    if event.kind.starts_with("person.") {
        put("person", person(event.object_id));
        let unit = match ground.directory.main_unit(PersonId(event.object_id), &ground.day) {
            None => last_unit(tx, PersonId(event.object_id), &ground.day)?,
            unit => unit,
        };
        put("unit", unit.map_or(Value::Null, |unit| Value::text(unit.to_string())));
    } else if event.customer_id != 0 {
        let customer = CustomerId(event.customer_id);
        put("customer", Value::text(customer.to_string()));
        let row: Option<(Option<PersonId>, Option<crate::ids::UnitId>)> =
            tx.row("SELECT owner_id, unit_id FROM customers WHERE id = $1", &[customer.into()])?;
        let (owner, unit) = row.unwrap_or((None, None));
        put("owner", owner.map_or(Value::Null, |id| Value::text(id.to_string())));
        put("unit", unit.map_or(Value::Null, |id| Value::text(id.to_string())));
    }
    if event.kind == "activity.created" {
        let sql = "SELECT kind, subject, happened_at FROM activities WHERE id = $1";
        let row: Option<(String, String, Millis)> = tx.row(sql, &[event.object_id.into()])?;
        let (kind, subject, happened_at) = row.unwrap_or((String::new(), String::new(), event.at));
        put("happened_at", Value::Time(happened_at));
        put("kind", Value::text(kind));
        put("subject", Value::text(subject));
    }
    if let Ok(Json::Object(more)) = serde_json::from_str::<Json>(&event.facts) {
        for (name, value) in more {
            put(&name, value.as_str().map_or(Value::Null, Value::text));
        }
    }
    Ok(facts)
}
