//! The company as the engine asks about it: people, posts, units and the calendar from memory, records from the
//! database, all as of one moment and within one transaction.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use policy::value::{Kind, Value};
use policy::world::{CaseQuery, MOST_CASES, World, nearest};
use store::Conn;
use workday::Calendar;

use crate::access::Directory;
use crate::app::App;
use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone, month_of};
use crate::customers::{self, Customer, Field};
use crate::error::AppError;
use crate::i18n::Lang;
use crate::ids::{CaseId, ContactId, CustomerId, PersonId, RosterId, UnitId};
use crate::rosters;

/// Most people one rule may name.
const MOST_PEOPLE: usize = 200;

/// What stays the same for everything that happens in one moment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The organisation.
    pub directory: Arc<Directory>,
    /// The dictionaries.
    pub catalogue: Arc<Catalogue>,
    /// The company's working days.
    pub calendar: Arc<Calendar>,
    /// The company's zone.
    pub zone: Zone,
    /// The time.
    pub now: Millis,
    /// The local day of it.
    pub day: String,
    /// When it is written down: `now`, but for timers, whose own time has passed already.
    pub noted_at: Millis,
}

impl Ground {
    /// As of now.
    pub async fn of(app: &App) -> Result<Self, AppError> {
        let now = app.now();
        Ok(Self {
            directory: app.directory().await?,
            catalogue: app.catalogue().await?,
            calendar: app.calendar().await?,
            zone: app.zone.clone(),
            now,
            day: app.zone.date(now).to_string(),
            noted_at: now,
        })
    }

    /// The same company at another time.
    pub fn at(&self, now: Millis) -> Self {
        Self { noted_at: now, ..self.timer(now) }
    }

    /// The same company at the time of a timer that has passed already. What follows is still noted, and told, now.
    pub fn timer(&self, now: Millis) -> Self {
        Self { now, day: self.zone.date(now).to_string(), ..self.clone() }
    }
}

/// Answers the engine's questions while `body` runs, and gives back the first error a question met.
pub fn with_world<T>(
    conn: &mut Conn<'_>,
    ground: &Ground,
    policy: &str,
    body: impl FnOnce(&dyn World) -> T,
) -> Result<T, AppError> {
    with_world_of(conn, ground, policy, Vec::new(), body)
}

/// `with_world` for many customers in order of id that are in hand already: nothing is asked for each of them.
pub fn with_world_of<T>(
    conn: &mut Conn<'_>,
    ground: &Ground,
    policy: &str,
    customers: Vec<Customer>,
    body: impl FnOnce(&dyn World) -> T,
) -> Result<T, AppError> {
    let range = customers.first().zip(customers.last()).map(|(first, last)| (first.id, last.id));
    let customers = customers.into_iter().map(|customer| (customer.id, Some(Arc::new(customer)))).collect();
    let world = CompanyWorld {
        ground,
        policy,
        asked: RefCell::new(Asked {
            conn,
            failed: None,
            customers,
            range,
            kept_out: HashMap::new(),
            ended: HashMap::new(),
        }),
    };
    let answer = body(&world);
    match world.asked.into_inner().failed {
        Some(error) => Err(error.into()),
        None => Ok(answer),
    }
}

struct Asked<'w, 'c> {
    conn: &'w mut Conn<'c>,
    failed: Option<store::Error>,
    customers: HashMap<CustomerId, Option<Arc<Customer>>>,
    /// The first and last of the customers in hand, when there are many.
    range: Option<(CustomerId, CustomerId)>,
    /// Who must keep out of the records that were asked about.
    kept_out: HashMap<CustomerId, Vec<String>>,
    /// Of them, those with a case of a form that ended so.
    ended: HashMap<(String, String), HashSet<CustomerId>>,
}

struct CompanyWorld<'w, 'c> {
    ground: &'w Ground,
    policy: &'w str,
    asked: RefCell<Asked<'w, 'c>>,
}

impl<'c> CompanyWorld<'_, 'c> {
    /// Asks the database; after the first failure nothing more is asked.
    fn ask<T: Default>(&self, question: impl FnOnce(&mut Conn<'c>) -> store::Result<T>) -> T {
        let mut asked = self.asked.borrow_mut();
        if asked.failed.is_some() {
            return T::default();
        }
        match question(asked.conn) {
            Ok(answer) => answer,
            Err(error) => {
                asked.failed = Some(error);
                T::default()
            }
        }
    }

    /// People of the rosters of a name; units may each have one.
    fn people_on(
        &self,
        roster: &str,
        question: impl Fn(&mut Conn<'c>, &rosters::Place) -> store::Result<Vec<PersonId>>,
    ) -> Vec<String> {
        let people = self.ask(|conn| {
            let ids: Vec<(RosterId,)> =
                conn.rows("SELECT id FROM rosters WHERE name = $1 ORDER BY id", &[roster.into()])?;
            let mut people: Vec<PersonId> = Vec::new();
            for (id,) in ids {
                for person in question(conn, &rosters::Place::Roster(id))? {
                    if !people.contains(&person) && people.len() < MOST_PEOPLE {
                        people.push(person);
                    }
                }
            }
            Ok(people)
        });
        people.iter().map(ToString::to_string).collect()
    }

    fn customer(&self, id: &str) -> Option<Arc<Customer>> {
        let id: CustomerId = id.parse().ok()?;
        if let Some(known) = self.asked.borrow().customers.get(&id) {
            return known.clone();
        }
        let found: Option<Customer> = self.ask(|conn| {
            let sql = format!("SELECT {} FROM customers c WHERE c.id = $1", *customers::COLUMNS);
            let mut found = None;
            conn.each(&sql, &[id.into()], |row| {
                found = Some(customers::read_row(row)?);
                Ok::<_, store::Error>(std::ops::ControlFlow::Break(()))
            })?;
            Ok(found)
        });
        let found = found.map(Arc::new);
        self.asked.borrow_mut().customers.insert(id, found.clone());
        found
    }

    /// `has_case` for one of many customers: asked once for all of them.
    fn ended_in_range(&self, form: &str, outcome: &str, customer: CustomerId, at: Millis) -> Option<bool> {
        let (first, last) =
            self.asked.borrow().range.filter(|(first, last)| (*first..=*last).contains(&customer))?;
        let key = (form.to_owned(), outcome.to_owned());
        if let Some(known) = self.asked.borrow().ended.get(&key) {
            return Some(known.contains(&customer));
        }
        let sql =
            "WITH theirs AS MATERIALIZED (SELECT customer_id, policy, form, outcome, closed_at FROM cases
                     WHERE customer_id BETWEEN $1 AND $2)
                   SELECT DISTINCT customer_id FROM theirs WHERE policy = $3 AND form = $4 AND outcome = $5
                     AND closed_at <= $6";
        let params = [first.into(), last.into(), self.policy.into(), form.into(), outcome.into(), at.into()];
        let rows: Vec<(CustomerId,)> = self.ask(|conn| conn.rows(sql, &params));
        let known: HashSet<CustomerId> = rows.into_iter().map(|(id,)| id).collect();
        let found = known.contains(&customer);
        self.asked.borrow_mut().ended.insert(key, known);
        Some(found)
    }

    fn person_fact(&self, id: &str, name: &str) -> Value {
        let (Ok(person), directory) = (id.parse::<PersonId>(), &self.ground.directory) else {
            return Value::Null;
        };
        let Some(member) = directory.member(person) else { return Value::Null };
        let day = &self.ground.day;
        match name {
            "name" => Value::text(&member.name),
            "active" => Value::Bool(member.is_active),
            "unit" => id_of(directory.main_unit(person, day)),
            "superior" => id_of(directory.superior(person, day)),
            "posts" => {
                let posts = self.ground.catalogue.dictionary("post");
                let held = directory.positions(person, day);
                Value::texts(held.iter().map(|position| posts.title(&position.post, Lang::Zh)))
            }
            "skills" => {
                let skills = self.ground.catalogue.dictionary("skill");
                let held: Vec<(String,)> = self.ask(|conn| {
                    conn.rows("SELECT skill FROM person_skills WHERE person_id = $1", &[person.into()])
                });
                Value::texts(held.iter().map(|(code,)| skills.title(code, Lang::Zh)))
            }
            _ => Value::Null,
        }
    }

    fn unit_fact(&self, id: &str, name: &str) -> Value {
        let Ok(id) = id.parse::<UnitId>() else { return Value::Null };
        let Some(unit) = self.ground.directory.unit(id) else { return Value::Null };
        match name {
            "name" => Value::text(&unit.name),
            "kind" => Value::text(self.ground.catalogue.dictionary("unit_kind").title(&unit.kind, Lang::Zh)),
            "parent" => id_of(unit.parent_id),
            "head" => {
                let line = self.ground.directory.line(id);
                let is_active = |person: &PersonId| {
                    self.ground.directory.member(*person).is_some_and(|member| member.is_active)
                };
                id_of(line.into_iter().find_map(|unit| unit.head_id.filter(is_active)))
            }
            _ => Value::Null,
        }
    }

    fn customer_fact(&self, id: &str, name: &str) -> Value {
        let Some(customer) = self.customer(id) else { return Value::Null };
        let of = |field: Field, dictionary: &str| {
            let code = customer.get(field);
            if code.is_empty() {
                return Value::Null;
            }
            Value::text(self.ground.catalogue.dictionary(dictionary).title(code, Lang::Zh))
        };
        match name {
            "name" => Value::text(customer.name()),
            "number" => Value::text(&customer.number),
            "kind" => Value::text(customer.kind.code()),
            "class" => of(Field::Class, "customer_class"),
            "level" => of(Field::Level, "customer_level"),
            "region" => Value::text(customer.get(Field::Region)),
            "owner" => id_of(customer.owner_id),
            "unit" => id_of(customer.unit_id),
            "created_at" => Value::Time(customer.created_at),
            _ => Value::Null,
        }
    }

    fn case_fact(&self, id: &str, name: &str) -> Value {
        let Ok(id) = id.parse::<CaseId>() else { return Value::Null };
        let sql = format!("SELECT {} FROM cases k WHERE k.id = $1", super::model::COLUMNS);
        let Some(case) = self.ask(|conn| conn.row::<super::model::Case>(&sql, &[id.into()])) else {
            return Value::Null;
        };
        match name {
            "number" => Value::text(&case.number),
            "step" => Value::text(&case.step),
            "outcome" => Value::text(&case.outcome),
            "owner" => id_of(case.owner_id),
            "creator" => id_of(case.creator_id),
            "unit" => id_of(case.unit_id),
            "customer" => id_of(case.customer_id),
            "opened_at" => Value::Time(case.opened_at),
            "closed_at" => case.closed_at.map_or(Value::Null, Value::Time),
            "is_open" => Value::Bool(case.is_open),
            _ => Value::Null,
        }
    }
}

fn id_of(id: Option<impl ToString>) -> Value {
    id.map_or(Value::Null, |id| Value::text(id.to_string()))
}

impl World for CompanyWorld<'_, '_> {
    fn fact(&self, kind: Kind, id: &str, name: &str) -> Value {
        match kind {
            Kind::Person => self.person_fact(id, name),
            Kind::Unit => self.unit_fact(id, name),
            Kind::Customer => self.customer_fact(id, name),
            Kind::Case => self.case_fact(id, name),
            Kind::Contact | Kind::Asset => {
                let table = if kind == Kind::Contact { "contacts" } else { "assets" };
                let column = match name {
                    "name" => "name",
                    "customer" => "customer_id",
                    "kind" if kind == Kind::Asset => "kind",
                    _ => return Value::Null,
                };
                let Ok(id) = id.parse::<ContactId>() else { return Value::Null };
                let sql = format!("SELECT {column} FROM {table} WHERE id = $1");
                if column == "customer_id" {
                    return id_of(self.ask(|conn| conn.value::<CustomerId>(&sql, &[id.into()])));
                }
                self.ask(|conn| conn.value::<String>(&sql, &[id.into()])).into()
            }
            Kind::File => Value::Null,
        }
    }

    fn holders(&self, posts: &[String], unit: Option<&str>) -> Vec<String> {
        let (directory, day) = (&self.ground.directory, &self.ground.day);
        let dictionary = self.ground.catalogue.dictionary("post");
        let codes: Vec<&str> = posts
            .iter()
            .filter_map(|title| dictionary.find(title))
            .map(|entry| entry.code.as_str())
            .collect();
        let held_in = |units: &[UnitId]| {
            let mut people: Vec<String> = Vec::new();
            for code in &codes {
                for person in directory.holders(code, units, day) {
                    let person = person.to_string();
                    if !people.contains(&person) && people.len() < MOST_PEOPLE {
                        people.push(person);
                    }
                }
            }
            people
        };
        let Some(unit) = unit else {
            let all: Vec<UnitId> = directory.units().map(|unit| unit.id).collect();
            return held_in(&all);
        };
        let Ok(unit) = unit.parse::<UnitId>() else { return Vec::new() };
        let departments = |level: &UnitId| {
            let children = directory.children(Some(*level));
            children
                .filter(|child| child.kind == "department" && !child.is_closed)
                .map(|child| child.id)
                .collect()
        };
        let line = directory.line(unit).into_iter().map(|level| level.id);
        nearest(line, |level| held_in(&[*level]), departments)
    }

    fn on_duty(&self, roster: &str, at: Millis) -> Vec<String> {
        self.people_on(roster, |conn, place| rosters::on_duty(conn, place, at))
    }

    fn on_duty_on(&self, roster: &str, day: Date) -> Vec<String> {
        self.people_on(roster, |conn, place| rosters::on_duty_on(conn, place, day, &self.ground.zone))
    }

    fn earlier_cases(&self, form: &str, case: &str, same: &[(&str, &Value)], at: Millis) -> i64 {
        let mut conditions = String::new();
        let mut params: Vec<store::Value<'_>> =
            vec![form.into(), case.parse::<CaseId>().map_or(0, |id| id.0).into(), at.into()];
        for (n, (field, value)) in same.iter().enumerate() {
            let (a, b) = (params.len() + 1, params.len() + 2);
            if n == 0 {
                conditions = format!("v.field = ${a} AND v.value = ${b}");
            } else {
                conditions.push_str(&format!(
                    " AND EXISTS (SELECT 1 FROM case_values w WHERE w.case_id = v.case_id AND w.field = ${a}
                       AND w.value = ${b})"
                ));
            }
            params.push((*field).into());
            params.push(value.compared().unwrap_or_default().into());
        }
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM case_values v WHERE v.form = $1 AND v.case_id <> $2
               AND v.opened_at < $3 AND {conditions} LIMIT 10000) same"
        );
        self.ask(|conn| conn.count(&sql, &params))
    }

    fn cases(&self, query: &CaseQuery<'_>) -> Vec<serde_json::Value> {
        let except = query.except.parse::<CaseId>().map_or(0, |id| id.0);
        let mut params: Vec<store::Value<'_>> = vec![self.policy.into(), query.form.into(), except.into()];
        let is_open = if query.is_open { " AND is_open = TRUE" } else { "" };
        let mut conditions: Vec<String> = Vec::new();
        for (field, value) in query.same {
            let place = params.len() + 1;
            conditions.push(format!("form = $2 AND field = ${place} AND value = ${}{is_open}", place + 1));
            params.push((*field).into());
            params.push(value.compared().unwrap_or_default().into());
        }
        if let Some((field, from, to)) = query.between {
            let [field_at, from_at, to_at] = [1, 2, 3].map(|n| params.len() + n);
            conditions.push(format!(
                "form = $2 AND field = ${field_at} AND value BETWEEN ${from_at} AND ${to_at}{is_open}"
            ));
            params.push(field.into());
            params.push(from.compared().unwrap_or_default().into());
            params.push(to.compared().unwrap_or_default().into());
        }
        // The index on values leads (CROSS: also where the form's cases could be walked in their order); each further
        // condition is asked of what the first finds.
        let mut found = conditions.iter();
        let (from, led) = match found.next() {
            Some(first) => (
                format!("(SELECT case_id FROM case_values WHERE {first}) v CROSS JOIN cases k"),
                " AND k.id = v.case_id",
            ),
            None => ("cases k".to_owned(), ""),
        };
        let others: String = found
            .map(|other| format!(" AND EXISTS (SELECT 1 FROM case_values WHERE case_id = k.id AND {other})"))
            .collect();
        // The sum keeps SQLite from walking all that ever were, in their order, for the few that are open.
        let (open, order) = if query.is_open {
            (" AND k.is_open = TRUE", "k.opened_at + 0, k.id")
        } else {
            ("", "k.opened_at, k.id")
        };
        let sql = format!(
            "SELECT k.body FROM {from} WHERE k.policy = $1 AND k.form = $2 AND k.id <> $3{led}{open}{others}
             ORDER BY {order} LIMIT {}",
            MOST_CASES + 1
        );
        let bodies: Vec<(String,)> = self.ask(|conn| conn.rows(&sql, &params));
        bodies.iter().filter_map(|(body,)| serde_json::from_str(body).ok()).collect()
    }

    fn kept_out_of(&self, customer: &str) -> Vec<String> {
        let Ok(customer) = customer.parse::<CustomerId>() else { return Vec::new() };
        if let Some(known) = self.asked.borrow().kept_out.get(&customer) {
            return known.clone();
        }
        let sql = "SELECT person_id FROM customer_exclusions WHERE customer_id = $1 ORDER BY person_id";
        let people: Vec<(PersonId,)> = self.ask(|conn| conn.rows(sql, &[customer.into()]));
        let people: Vec<String> = people.iter().map(|(person,)| person.to_string()).collect();
        self.asked.borrow_mut().kept_out.insert(customer, people.clone());
        people
    }

    fn customers_of(&self, person: &str) -> Vec<String> {
        let Ok(person) = person.parse::<PersonId>() else { return Vec::new() };
        let sql = "SELECT id FROM customers WHERE owner_id = $1 AND deleted_at IS NULL ORDER BY number, id LIMIT 10000";
        let customers: Vec<(CustomerId,)> = self.ask(|conn| conn.rows(sql, &[person.into()]));
        customers.iter().map(|(id,)| id.to_string()).collect()
    }

    fn has_case(&self, form: &str, outcome: &str, customer: &str, at: Millis) -> bool {
        let Ok(customer) = customer.parse::<CustomerId>() else { return false };
        if let Some(known) = self.ended_in_range(form, outcome, customer, at) {
            return known;
        }
        // The few of a customer are looked up first: thousands of the form may have ended before.
        let sql = "WITH his AS MATERIALIZED (SELECT policy, form, outcome, closed_at FROM cases WHERE customer_id = $1)
                   SELECT COUNT(*) FROM (SELECT 1 FROM his WHERE policy = $2 AND form = $3 AND outcome = $4
                     AND closed_at <= $5 LIMIT 1) found";
        let params = [customer.into(), self.policy.into(), form.into(), outcome.into(), at.into()];
        self.ask(|conn| conn.count(sql, &params)) > 0
    }

    fn is_under(&self, unit: &str, of: &str) -> bool {
        let (Ok(unit), Ok(of)) = (unit.parse::<UnitId>(), of.parse::<UnitId>()) else { return false };
        self.ground.directory.line(unit).iter().any(|unit| unit.id == of)
    }

    fn delegate_of(&self, person: &str, at: Millis) -> Option<String> {
        let person: PersonId = person.parse().ok()?;
        self.ground.directory.delegates(person, at).first().map(ToString::to_string)
    }

    fn calendar(&self, _: Option<&str>) -> &Calendar {
        &self.ground.calendar
    }

    fn is_exempt(&self, policy: &str, refusal: &str, of: &str, at: Millis) -> bool {
        let Ok(of) = of.parse::<CaseId>() else { return false };
        let sql = "SELECT COUNT(*) FROM exemptions WHERE subject_id = $1 AND policy = $2 AND refusal = $3
                     AND until_at >= $4 AND revoked_at IS NULL";
        self.ask(|conn| conn.count(sql, &[of.into(), policy.into(), refusal.into(), at.into()])) > 0
    }

    fn name(&self, kind: Kind, id: &str) -> String {
        match kind {
            Kind::Case => match self.case_fact(id, "number") {
                Value::Text(number) => number.to_string(),
                _ => String::new(),
            },
            Kind::File => String::new(),
            kind => match self.fact(kind, id, "name") {
                Value::Text(name) => name.to_string(),
                _ => id.to_owned(),
            },
        }
    }

    fn administrators(&self) -> Vec<String> {
        let directory = &self.ground.directory;
        let is_one = |person: PersonId| {
            directory
                .held_roles(person, &self.ground.day, self.ground.now)
                .iter()
                .any(|held| held.role.is_administrator())
        };
        directory
            .people()
            .filter(|(id, member)| member.is_active && is_one(*id))
            .map(|(id, _)| id.to_string())
            .take(MOST_PEOPLE)
            .collect()
    }

    fn penalties_in_month(&self, person: &str, penalties: &[String], at: Millis) -> i64 {
        let Ok(person) = person.parse::<PersonId>() else { return 0 };
        let month = month_of(at);
        penalties.iter().fold(0, |sum, penalty| {
            let sql = "SELECT COUNT(*) FROM penalties WHERE person_id = $1 AND month = $2 AND penalty = $3
                         AND policy = $4 AND state <> 'cancelled' AND at <= $5";
            let params = [person.into(), (&month).into(), penalty.into(), self.policy.into(), at.into()];
            sum + self.ask(|conn| conn.count(sql, &params))
        })
    }
}
