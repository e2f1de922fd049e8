//! A case: one run of a form. All the engine knows of it; the application stores it as it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::model::Form;
use crate::value::{Millis, Ty, Value};

/// An action that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// When last.
    pub at: Millis,
    /// How often.
    pub times: i64,
    /// By whom last.
    pub by: Option<String>,
}

/// How a deadline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs.
    Running,
    /// It was met in time.
    Met,
    /// It passed.
    Breached,
}

/// A deadline of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// What it runs from.
    pub from: Millis,
    /// Until when, this instant included.
    pub due: Millis,
    /// How it stands.
    pub standing: Standing,
    /// When what was wanted was done, in time or not.
    pub met_at: Option<Millis>,
    /// Since when it stands still.
    pub paused_at: Option<Millis>,
    /// When it stood still.
    pub pauses: Vec<(Millis, Millis)>,
    /// Warnings given.
    pub warned: usize,
    /// Rungs of the ladder climbed.
    pub escalated: usize,
}

/// One approver in a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    /// Who has to decide.
    pub person: String,
    /// Who decided, if it was a delegate.
    pub decided_by: Option<String>,
    /// Yes or no; not yet.
    pub verdict: Option<bool>,
    /// When.
    pub at: Option<Millis>,
    /// What he said.
    pub comment: String,
}

/// One stage of an approval under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Round {
    /// What people read.
    pub title: String,
    /// Whether everybody must agree.
    pub is_joint: bool,
    /// Which stage of the policy it comes from; none when somebody was added.
    pub stage: Option<usize>,
    /// The approvers.
    pub seats: Vec<Seat>,
}

/// An approval under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Who asks.
    pub requester: Option<String>,
    /// The step to which a withdrawal leads back.
    pub came_from: String,
    /// The stages of the policy still to come, by their place.
    pub to_come: Vec<usize>,
    /// The row of the table of authority that names the approvers.
    pub row: Option<usize>,
    /// The stages so far; the last one is open.
    pub rounds: Vec<Round>,
    /// Stages that approvers added after theirs.
    pub queue: Vec<Round>,
    /// When it times out.
    pub due: Option<Millis>,
    /// Nobody could be found: it waits for an administrator.
    pub is_stuck: bool,
}

/// A penalty that may come again.
#[derive(Clone, Debug, PartialEq)]
pub struct Fine {
    /// Which.
    pub penalty: String,
    /// Whom.
    pub whom: String,
    /// Cents or points.
    pub amount: i64,
    /// How often so far.
    pub times: i64,
    /// When it comes again.
    pub next_at: Option<Millis>,
}

/// A case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Its form.
    pub form: String,
    /// Its id, as the application knows it.
    pub id: String,
    /// Its number.
    pub number: String,
    /// The values, in the order of the form's fields.
    pub values: Vec<Value>,
    /// When it was opened.
    pub opened_at: Millis,
    /// When it ended.
    pub closed_at: Option<Millis>,
    /// Who opened it; nobody when an event did.
    pub creator: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// Its customer.
    pub customer: Option<String>,
    /// The step it is at.
    pub step: String,
    /// How it ended.
    pub outcome: Option<String>,
    /// Marks such as `overdue`.
    pub marks: Vec<String>,
    /// When each step was entered last.
    pub entered: BTreeMap<String, Millis>,
    /// The actions done.
    pub done: BTreeMap<String, Done>,
    /// Its deadlines.
    pub clocks: BTreeMap<String, Clock>,
    /// The approval under way.
    pub approval: Option<Approval>,
    /// Who has to act now.
    pub assigned: Vec<String>,
    /// Penalties that may come again.
    pub fines: Vec<Fine>,
}

impl Case {
    /// Whether it has not ended.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// A value by its field.
    pub fn value<'a>(&'a self, form: &Form, field: &str) -> &'a Value {
        static NOTHING: Value = Value::Null;
        form.field(field).and_then(|place| self.values.get(place)).unwrap_or(&NOTHING)
    }

    /// What an event that an action of the case gives out tells others.
    pub fn facts(&self, actor: Option<&str>) -> BTreeMap<String, Value> {
        let text = |value: Option<&str>| value.map_or(Value::Null, Value::text);
        BTreeMap::from([
            ("case".to_owned(), Value::text(&self.id)),
            ("customer".to_owned(), text(self.customer.as_deref())),
            ("unit".to_owned(), text(self.unit.as_deref())),
            ("actor".to_owned(), text(actor)),
        ])
    }

    /// As JSON, for storing.
    pub fn to_json(&self, form: &Form) -> Json {
        let mut values = Map::new();
        for (field, value) in form.fields.iter().zip(&self.values) {
            if value.is_known() {
                values.insert(field.id.clone(), value.to_json());
            }
        }
        let done: Map<String, Json> = self
            .done
            .iter()
            .map(|(action, done)| {
                (action.clone(), json!({"at": done.at, "times": done.times, "by": done.by}))
            })
            .collect();
        let clocks: Map<String, Json> =
            self.clocks.iter().map(|(id, clock)| (id.clone(), clock.to_json())).collect();
        let fines: Vec<Json> = self
            .fines
            .iter()
            .map(|f| json!({"penalty": f.penalty, "whom": f.whom, "amount": f.amount, "times": f.times, "next_at": f.next_at}))
            .collect();
        json!({
            "form": self.form, "id": self.id, "number": self.number, "values": values,
            "opened_at": self.opened_at, "closed_at": self.closed_at, "creator": self.creator, "owner": self.owner,
            "unit": self.unit, "customer": self.customer, "step": self.step, "outcome": self.outcome,
            "marks": self.marks, "entered": self.entered, "done": done, "clocks": clocks,
            "approval": self.approval.as_ref().map(Approval::to_json), "assigned": self.assigned, "fines": fines,
        })
    }

    /// What `to_json` wrote, for this form; fields that the form does not have any more are left out.
    pub fn from_json(form: &Form, json: &Json) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let mut values = vec![Value::Null; form.fields.len()];
        for (place, field) in form.fields.iter().enumerate() {
            if let Some(value) = json["values"].get(&field.id) {
                values[place] = field.ty.stored(value);
            }
        }
        Some(Self {
            form: text("form")?,
            id: text("id")?,
            number: text("number")?,
            values,
            opened_at: json["opened_at"].as_i64()?,
            closed_at: json["closed_at"].as_i64(),
            creator: text("creator"),
            owner: text("owner"),
            unit: text("unit"),
            customer: text("customer"),
            step: text("step")?,
            outcome: text("outcome"),
            marks: texts(&json["marks"]),
            entered: object(&json["entered"], |at| at.as_i64())?,
            done: object(&json["done"], |done| {
                let by = done["by"].as_str().map(str::to_owned);
                Some(Done { at: done["at"].as_i64()?, times: done["times"].as_i64()?, by })
            })?,
            clocks: object(&json["clocks"], Clock::from_json)?,
            approval: if json["approval"].is_null() {
                None
            } else {
                Some(Approval::from_json(&json["approval"])?)
            },
            assigned: texts(&json["assigned"]),
            fines: json["fines"]
                .as_array()?
                .iter()
                .map(|fine| {
                    Some(Fine {
                        penalty: fine["penalty"].as_str()?.to_owned(),
                        whom: fine["whom"].as_str()?.to_owned(),
                        amount: fine["amount"].as_i64()?,
                        times: fine["times"].as_i64()?,
                        next_at: fine["next_at"].as_i64(),
                    })
                })
                .collect::<Option<_>>()?,
        })
    }
}

/// What a stored case tells under a name: a field of its form, or what every case knows.
pub(crate) fn told(body: &Json, name: &str, ty: &Ty) -> Value {
    if let Some(value) = body["values"].get(name) {
        return ty.stored(value);
    }
    match name {
        "self" => ty.stored(&body["id"]),
        "is_open" => Value::Bool(body["closed_at"].is_null()),
        "number" | "step" | "outcome" | "opened_at" | "closed_at" | "creator" | "owner" | "unit"
        | "customer" | "marks" => ty.stored(&body[name]),
        _ => Value::Null,
    }
}

fn texts(json: &Json) -> Vec<String> {
    let items = json.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn object<T>(json: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<BTreeMap<String, T>> {
    json.as_object()?.iter().map(|(name, value)| Some((name.clone(), read(value)?))).collect()
}

impl Clock {
    fn to_json(&self) -> Json {
        let standing = match self.standing {
            Standing::Running => "running",
            Standing::Met => "met",
            Standing::Breached => "breached",
        };
        json!({
            "from": self.from, "due": self.due, "standing": standing, "met_at": self.met_at,
            "paused_at": self.paused_at, "pauses": self.pauses, "warned": self.warned, "escalated": self.escalated,
        })
    }

    fn from_json(json: &Json) -> Option<Self> {
        let count = |name: &str| usize::try_from(json[name].as_u64()?).ok();
        Some(Self {
            from: json["from"].as_i64()?,
            due: json["due"].as_i64()?,
            standing: match json["standing"].as_str()? {
                "running" => Standing::Running,
                "met" => Standing::Met,
                _ => Standing::Breached,
            },
            met_at: json["met_at"].as_i64(),
            paused_at: json["paused_at"].as_i64(),
            pauses: json["pauses"]
                .as_array()?
                .iter()
                .map(|pause| Some((pause[0].as_i64()?, pause[1].as_i64()?)))
                .collect::<Option<_>>()?,
            warned: count("warned")?,
            escalated: count("escalated")?,
        })
    }
}

impl Approval {
    /// The open stage.
    pub fn open(&self) -> Option<&Round> {
        self.rounds.last()
    }

    /// Whether the open stage was added before one that has still to decide.
    pub fn is_asked_first(&self) -> bool {
        let Some((open, others)) = self.rounds.split_last() else { return false };
        open.stage.is_none() && others.iter().any(|round| !round.is_agreed())
    }

    /// The stages in the order they decide: those agreed, the open one, those put aside for it, those added after.
    pub fn in_order(&self) -> Vec<&Round> {
        let Some((open, others)) = self.rounds.split_last() else { return self.queue.iter().collect() };
        let (agreed, aside): (Vec<&Round>, Vec<&Round>) = others.iter().partition(|round| round.is_agreed());
        agreed.into_iter().chain([open]).chain(aside.into_iter().rev()).chain(&self.queue).collect()
    }

    fn to_json(&self) -> Json {
        let rounds = |rounds: &[Round]| rounds.iter().map(Round::to_json).collect::<Vec<_>>();
        json!({
            "requester": self.requester, "came_from": self.came_from, "to_come": self.to_come, "row": self.row,
            "rounds": rounds(&self.rounds), "queue": rounds(&self.queue), "due": self.due, "is_stuck": self.is_stuck,
        })
    }

    fn from_json(json: &Json) -> Option<Self> {
        let place = |json: &Json| json.as_u64().and_then(|n| usize::try_from(n).ok());
        let rounds = |json: &Json| json.as_array()?.iter().map(Round::from_json).collect::<Option<Vec<_>>>();
        Some(Self {
            requester: json["requester"].as_str().map(str::to_owned),
            came_from: json["came_from"].as_str()?.to_owned(),
            to_come: json["to_come"].as_array()?.iter().map(place).collect::<Option<_>>()?,
            row: place(&json["row"]),
            rounds: rounds(&json["rounds"])?,
            queue: rounds(&json["queue"])?,
            due: json["due"].as_i64(),
            is_stuck: json["is_stuck"].as_bool()?,
        })
    }
}

impl Round {
    /// Whether it is decided: everybody of a joint one, anybody of another.
    pub fn is_agreed(&self) -> bool {
        let agreed = |seat: &Seat| seat.verdict == Some(true);
        if self.is_joint { self.seats.iter().all(agreed) } else { self.seats.iter().any(agreed) }
    }

    /// Who still has to decide.
    pub fn waiting(&self) -> Vec<String> {
        self.seats.iter().filter(|seat| seat.verdict.is_none()).map(|seat| seat.person.clone()).collect()
    }

    fn to_json(&self) -> Json {
        let seats: Vec<Json> = self
            .seats
            .iter()
            .map(|seat| {
                json!({
                    "person": seat.person, "decided_by": seat.decided_by, "verdict": seat.verdict, "at": seat.at,
                    "comment": seat.comment,
                })
            })
            .collect();
        json!({"title": self.title, "is_joint": self.is_joint, "stage": self.stage, "seats": seats})
    }

    fn from_json(json: &Json) -> Option<Self> {
        let seat = |json: &Json| {
            Some(Seat {
                person: json["person"].as_str()?.to_owned(),
                decided_by: json["decided_by"].as_str().map(str::to_owned),
                verdict: json["verdict"].as_bool(),
                at: json["at"].as_i64(),
                comment: json["comment"].as_str()?.to_owned(),
            })
        };
        Some(Self {
            title: json["title"].as_str()?.to_owned(),
            is_joint: json["is_joint"].as_bool()?,
            stage: json["stage"].as_u64().and_then(|n| usize::try_from(n).ok()),
            seats: json["seats"].as_array()?.iter().map(seat).collect::<Option<_>>()?,
        })
    }
}

impl Seat {
    /// Somebody who has not decided.
    pub fn of(person: impl Into<String>) -> Self {
        Self { person: person.into(), decided_by: None, verdict: None, at: None, comment: String::new() }
    }
}
