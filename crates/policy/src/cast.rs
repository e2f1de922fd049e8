//! The people, units and records of scenarios: a small organisation in which names are ids.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use workday::Calendar;

use crate::value::{Kind, Millis, Value, cents};
use crate::world::{CaseQuery, MOST_CASES, World, nearest};

/// What a scenario file may say of the organisation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cast {
    /// Units.
    pub unit: Vec<CastUnit>,
    /// People.
    pub person: Vec<CastPerson>,
    /// Who is on duty.
    pub roster: Vec<CastRoster>,
    /// Customers and other records with their facts.
    pub record: Vec<CastRecord>,
}

/// A unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastUnit {
    /// Its name.
    pub name: String,
    /// What it lies in.
    #[serde(default, rename = "in")]
    pub within: String,
    /// `department` where its people serve the unit around it too.
    #[serde(default)]
    pub kind: String,
    /// Who leads it.
    #[serde(default)]
    pub head: String,
    /// More facts.
    #[serde(default)]
    pub facts: BTreeMap<String, toml::Value>,
}

/// A person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastPerson {
    /// The name.
    pub name: String,
    /// The posts.
    #[serde(default)]
    pub posts: Vec<String>,
    /// The unit.
    #[serde(default)]
    pub unit: String,
    /// The superior; without one, the head of the unit, or of the unit above.
    #[serde(default)]
    pub superior: String,
    /// Who acts for him.
    #[serde(default)]
    pub delegate: String,
    /// Whether he administers policies.
    #[serde(default)]
    pub administers: bool,
    /// More facts.
    #[serde(default)]
    pub facts: BTreeMap<String, toml::Value>,
}

/// A roster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastRoster {
    /// Its name.
    pub name: String,
    /// Who is on duty, on every day that is not among `days`.
    #[serde(default)]
    pub people: Vec<String>,
    /// Who is on duty on single days: `{ "2026-09-28" = ["小李"] }`.
    #[serde(default)]
    pub days: BTreeMap<Date, Vec<String>>,
}

/// A record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastRecord {
    /// `customer`, `contact`, `asset` or `case`.
    pub kind: String,
    /// Its name, which is its id.
    pub name: String,
    /// Its facts.
    #[serde(default)]
    pub facts: BTreeMap<String, toml::Value>,
    /// For a case: its form, so that others can ask for it.
    #[serde(default)]
    pub form: String,
    /// For a case: what is filled in; amounts as `{ yuan = 12.5 }`.
    #[serde(default)]
    pub values: BTreeMap<String, toml::Value>,
}

impl Cast {
    /// This cast with another's people, units and records; of the same name, the other's.
    pub fn with(mut self, other: Self) -> Self {
        fn merge<T>(all: &mut Vec<T>, more: Vec<T>, same: impl Fn(&T, &T) -> bool) {
            for item in more {
                all.retain(|known| !same(known, &item));
                all.push(item);
            }
        }
        merge(&mut self.unit, other.unit, |a, b| a.name == b.name);
        merge(&mut self.person, other.person, |a, b| a.name == b.name);
        merge(&mut self.roster, other.roster, |a, b| a.name == b.name);
        merge(&mut self.record, other.record, |a, b| a.kind == b.kind && a.name == b.name);
        self
    }
}

/// The world of a scenario.
#[derive(Debug)]
pub struct CastWorld {
    cast: Cast,
    calendar: Calendar,
    facts: BTreeMap<(Kind, String, String), Value>,
    exemptions: Vec<(String, String, Millis)>,
    penalties: Vec<(String, String, Millis)>,
    cases: BTreeMap<String, Remembered>,
}

/// What other cases may ask about a case.
#[derive(Debug)]
struct Remembered {
    form: String,
    opened_at: Millis,
    outcome: Option<String>,
    customer: Option<String>,
    values: BTreeMap<String, Value>,
    facts: BTreeMap<String, Value>,
    body: Json,
}

impl Remembered {
    /// A case that was there before the scenario begins; open as long as its facts tell no outcome.
    fn of(record: &CastRecord) -> Self {
        let known = |all: &BTreeMap<String, toml::Value>| -> BTreeMap<String, Value> {
            all.iter().map(|(name, value)| (name.clone(), fact(value))).collect()
        };
        let (facts, values) = (known(&record.facts), known(&record.values));
        let text = |name: &str| facts.get(name).and_then(Value::as_text).map(str::to_owned);
        let outcome = text("outcome");
        let body = json!({
            "id": record.name, "form": record.form, "number": text("number"), "step": text("step"),
            "outcome": outcome, "opened_at": 0, "closed_at": outcome.as_ref().map(|_| 0),
            "values": values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect::<Map<_, _>>(),
        });
        let (form, customer) = (record.form.clone(), text("customer"));
        Self { form, opened_at: 0, outcome, customer, values, facts, body }
    }

    fn fact(&self, name: &str) -> Value {
        self.facts.get(name).cloned().unwrap_or_default()
    }
}

impl CastWorld {
    /// The cast on this calendar.
    pub fn new(cast: Cast, calendar: Calendar) -> Self {
        let records = cast.record.iter().filter(|record| record.kind == "case" && !record.form.is_empty());
        let cases = records.map(|record| (record.name.clone(), Remembered::of(record))).collect();
        Self { cast, calendar, facts: BTreeMap::new(), exemptions: Vec::new(), penalties: Vec::new(), cases }
    }

    /// A fact changes.
    pub fn set_fact(&mut self, kind: Kind, id: &str, name: &str, value: Value) {
        self.facts.insert((kind, id.to_owned(), name.to_owned()), value);
    }

    /// An exemption is given until a time.
    pub fn exempt(&mut self, refusal: &str, of: &str, until: Millis) {
        self.exemptions.push((refusal.to_owned(), of.to_owned(), until));
    }

    /// A penalty is noted.
    pub fn penalise(&mut self, person: &str, penalty: &str, at: Millis) {
        self.penalties.push((person.to_owned(), penalty.to_owned(), at));
    }

    /// A case is as it is now.
    pub fn remember(&mut self, form: &crate::model::Form, case: &crate::case::Case) {
        let values = form
            .fields
            .iter()
            .zip(&case.values)
            .map(|(field, value)| (field.id.clone(), value.clone()))
            .collect();
        let text = |value: Option<&String>| value.map_or(Value::Null, Value::text);
        let remembered = Remembered {
            form: case.form.clone(),
            opened_at: case.opened_at,
            outcome: case.outcome.clone(),
            customer: case.customer.clone(),
            values,
            body: case.to_json(form),
            facts: [
                ("number", Value::text(&case.number)),
                ("step", Value::text(&case.step)),
                ("outcome", text(case.outcome.as_ref())),
                ("owner", text(case.owner.as_ref())),
                ("creator", text(case.creator.as_ref())),
                ("unit", text(case.unit.as_ref())),
                ("customer", text(case.customer.as_ref())),
                ("opened_at", Value::Time(case.opened_at)),
                ("closed_at", case.closed_at.map_or(Value::Null, Value::Time)),
                ("is_open", Value::Bool(case.is_open())),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        };
        self.cases.insert(case.id.clone(), remembered);
    }

    /// Whether there is such a person.
    pub fn knows(&self, person: &str) -> bool {
        self.cast.person.iter().any(|known| known.name == person)
    }

    fn person(&self, name: &str) -> Option<&CastPerson> {
        self.cast.person.iter().find(|person| person.name == name)
    }

    fn unit(&self, name: &str) -> Option<&CastUnit> {
        self.cast.unit.iter().find(|unit| unit.name == name)
    }

    /// A unit and those above it, at most 50.
    fn upwards(&self, unit: &str) -> Vec<&CastUnit> {
        let mut all: Vec<&CastUnit> = Vec::new();
        let mut next = self.unit(unit);
        while let Some(unit) = next.filter(|_| all.len() < 50) {
            all.push(unit);
            next = self.unit(&unit.within);
        }
        all
    }

    fn superior(&self, person: &CastPerson) -> Option<String> {
        if !person.superior.is_empty() {
            return Some(person.superior.clone());
        }
        let heads = self.upwards(&person.unit).into_iter().map(|unit| unit.head.clone());
        heads.into_iter().find(|head| !head.is_empty() && *head != person.name)
    }
}

/// A TOML value as a fact: times and dates in TOML's own notation or as text, money as `{ yuan = 12.5 }`.
pub fn fact(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => match text.parse::<jiff::civil::Date>() {
            Ok(date) => Value::Date(date),
            Err(_) => Value::text(text),
        },
        toml::Value::Integer(value) => Value::Int(*value),
        toml::Value::Float(value) => Value::Number(*value),
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Array(items) => Value::list(items.iter().map(fact)),
        toml::Value::Table(table) => match table.get("yuan") {
            Some(toml::Value::Integer(yuan)) => Value::Money(yuan.saturating_mul(100)),
            Some(toml::Value::Float(yuan)) => cents(&format!("{yuan:.2}")).map_or(Value::Null, Value::Money),
            _ => {
                let columns = table.iter().map(|(name, value)| (name.clone(), fact(value)));
                Value::Row(std::sync::Arc::new(columns.collect()))
            }
        },
        toml::Value::Datetime(at) => at.to_string().parse().map_or(Value::Null, Value::Date),
    }
}

impl World for CastWorld {
    fn fact(&self, kind: Kind, id: &str, name: &str) -> Value {
        if let Some(value) = self.facts.get(&(kind, id.to_owned(), name.to_owned())) {
            return value.clone();
        }
        let text = |text: &str| if text.is_empty() { Value::Null } else { Value::text(text) };
        match kind {
            Kind::Person => {
                let Some(person) = self.person(id) else { return Value::Null };
                match name {
                    "name" => text(&person.name),
                    "unit" => text(&person.unit),
                    "superior" => self.superior(person).map_or(Value::Null, Value::text),
                    "posts" => Value::texts(&person.posts),
                    other => person.facts.get(other).map_or(Value::Null, fact),
                }
            }
            Kind::Unit => {
                let Some(unit) = self.unit(id) else { return Value::Null };
                match name {
                    "name" => text(&unit.name),
                    "parent" => text(&unit.within),
                    "kind" => text(&unit.kind),
                    "head" => self
                        .upwards(id)
                        .into_iter()
                        .find(|unit| !unit.head.is_empty())
                        .map_or(Value::Null, |unit| text(&unit.head)),
                    other => unit.facts.get(other).map_or(Value::Null, fact),
                }
            }
            // A case of the scenario tells how it stands now.
            Kind::Case if self.cases.contains_key(id) => {
                self.cases.get(id).map_or(Value::Null, |known| known.fact(name))
            }
            kind => {
                let word = match kind {
                    Kind::Customer => "customer",
                    Kind::Contact => "contact",
                    Kind::Asset => "asset",
                    Kind::Case => "case",
                    _ => "file",
                };
                let record = self.cast.record.iter().find(|record| record.kind == word && record.name == id);
                match (record, name) {
                    (Some(record), "name") => text(&record.name),
                    (Some(record), other) => record.facts.get(other).map_or(Value::Null, fact),
                    (None, _) => Value::Null,
                }
            }
        }
    }

    fn holders(&self, posts: &[String], unit: Option<&str>) -> Vec<String> {
        let holds = |person: &&CastPerson| person.posts.iter().any(|post| posts.contains(post));
        let in_unit = |unit: &str| -> Vec<String> {
            self.cast.person.iter().filter(|p| p.unit == unit).filter(holds).map(|p| p.name.clone()).collect()
        };
        let departments = |unit: &&CastUnit| {
            let within = self.cast.unit.iter().filter(|u| u.within == unit.name && u.kind == "department");
            within.collect()
        };
        match unit {
            None => self.cast.person.iter().filter(holds).map(|person| person.name.clone()).collect(),
            Some(unit) => nearest(self.upwards(unit), |unit| in_unit(&unit.name), departments),
        }
    }

    fn on_duty(&self, roster: &str, at: Millis) -> Vec<String> {
        self.calendar.local(at).map_or_else(|_| Vec::new(), |at| self.on_duty_on(roster, at.date()))
    }

    fn on_duty_on(&self, roster: &str, day: Date) -> Vec<String> {
        let found = self.cast.roster.iter().find(|known| known.name == roster);
        found.map_or_else(Vec::new, |roster| roster.days.get(&day).unwrap_or(&roster.people).clone())
    }

    fn earlier_cases(&self, form: &str, case: &str, same: &[(&str, &Value)], at: Millis) -> i64 {
        let all = self.cases.iter().filter(|(id, known)| {
            id.as_str() != case
                && known.form == form
                && known.opened_at < at
                && same.iter().all(|(name, value)| {
                    known.values.get(*name).and_then(Value::compared) == value.compared()
                })
        });
        i64::try_from(all.count()).unwrap_or(i64::MAX)
    }

    fn has_case(&self, form: &str, outcome: &str, customer: &str, _: Millis) -> bool {
        self.cases.values().any(|known| {
            known.form == form
                && known.outcome.as_deref() == Some(outcome)
                && known.customer.as_deref() == Some(customer)
        })
    }

    fn cases(&self, query: &CaseQuery<'_>) -> Vec<Json> {
        let mut found: Vec<(&String, &Remembered)> = self
            .cases
            .iter()
            .filter(|(id, known)| {
                let compared = |field: &str| known.values.get(field).and_then(Value::compared);
                id.as_str() != query.except
                    && known.form == query.form
                    && (!query.is_open || known.outcome.is_none())
                    && query.same.iter().all(|(field, value)| compared(field) == value.compared())
                    && query.between.is_none_or(|(field, from, to)| {
                        let value = compared(field);
                        value.is_some() && from.compared() <= value && value <= to.compared()
                    })
            })
            .collect();
        found.sort_by_key(|(id, known)| (known.opened_at, *id));
        found.into_iter().take(MOST_CASES + 1).map(|(_, known)| known.body.clone()).collect()
    }

    fn customers_of(&self, person: &str) -> Vec<String> {
        let customers = self.cast.record.iter().filter(|record| record.kind == "customer");
        let owned =
            customers.filter(|c| self.fact(Kind::Customer, &c.name, "owner").as_text() == Some(person));
        owned.map(|customer| customer.name.clone()).collect()
    }

    fn is_under(&self, unit: &str, of: &str) -> bool {
        self.upwards(unit).iter().any(|unit| unit.name == of)
    }

    fn delegate_of(&self, person: &str, _: Millis) -> Option<String> {
        self.person(person).map(|person| person.delegate.clone()).filter(|delegate| !delegate.is_empty())
    }

    fn calendar(&self, _: Option<&str>) -> &Calendar {
        &self.calendar
    }

    fn is_exempt(&self, _: &str, refusal: &str, of: &str, at: Millis) -> bool {
        self.exemptions.iter().any(|(known, whom, until)| known == refusal && whom == of && at <= *until)
    }

    fn name(&self, _: Kind, id: &str) -> String {
        id.to_owned()
    }

    fn administrators(&self) -> Vec<String> {
        self.cast
            .person
            .iter()
            .filter(|person| person.administers)
            .map(|person| person.name.clone())
            .collect()
    }

    fn penalties_in_month(&self, person: &str, penalties: &[String], at: Millis) -> i64 {
        let month = |at: Millis| self.calendar.local(at).ok().map(|at| (at.year(), at.month()));
        let now = month(at);
        let all = self.penalties.iter().filter(|(whom, penalty, when)| {
            whom == person && penalties.contains(penalty) && *when <= at && month(*when) == now
        });
        i64::try_from(all.count()).unwrap_or(i64::MAX)
    }
}
