//! The answer of a checked expression. It cannot fail: what is not known, overflows or takes too long is `Value::Null`.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

use super::{Arith, BUDGET, Builtin, Cases, Each, Func, Node, Order, Part};
use crate::case::Case;
use crate::value::{Kind, Millis, Ty, Value, rounded};
use crate::world::{CaseQuery, MOST_CASES, World};

/// What an expression is asked about.
pub struct Env<'a> {
    case: Option<&'a Case>,
    event: Option<&'a BTreeMap<String, Value>>,
    now: Millis,
    actor: Option<&'a str>,
    world: &'a dyn World,
    locals: RefCell<Vec<Value>>,
    budget: Cell<u32>,
}

impl<'a> Env<'a> {
    /// Nothing but the time and the organisation.
    pub fn new(now: Millis, world: &'a dyn World) -> Self {
        Self {
            case: None,
            event: None,
            now,
            actor: None,
            world,
            locals: RefCell::new(Vec::new()),
            budget: Cell::new(BUDGET),
        }
    }

    /// About this case.
    pub fn case(mut self, case: &'a Case) -> Self {
        self.case = Some(case);
        self
    }

    /// With the facts of an event.
    pub fn event(mut self, facts: &'a BTreeMap<String, Value>) -> Self {
        self.event = Some(facts);
        self
    }

    /// Going through a list, at this item.
    pub fn one(self, item: Value) -> Self {
        *self.locals.borrow_mut() = vec![item];
        self
    }

    /// Asked by somebody.
    pub fn actor(mut self, actor: Option<&'a str>) -> Self {
        self.actor = actor;
        self
    }

    fn spend(&self) -> bool {
        match self.budget.get().checked_sub(1) {
            Some(left) => {
                self.budget.set(left);
                true
            }
            None => false,
        }
    }

    /// What takes longer, the longer its texts and lists are.
    fn spend_on(&self, size: usize) {
        let steps = u32::try_from(size).unwrap_or(u32::MAX);
        self.budget.set(self.budget.get().saturating_sub(steps));
    }

    /// Whether the answer took too many steps: then it is not known.
    pub(super) fn is_spent(&self) -> bool {
        self.budget.get() == 0
    }
}

/// Bytes of text that count as one step.
const CHARACTERS_A_STEP: usize = 256;

/// A number of yuan in cents, halves away from zero (四舍五入到分).
pub(super) fn cents_of(yuan: f64) -> Value {
    let cents = rounded(yuan * 100.0);
    if cents.abs() <= 9.0e15 { Value::Money(cents as i64) } else { Value::Null }
}

pub(super) fn value(node: &Node, env: &Env<'_>) -> Value {
    if !env.spend() {
        return Value::Null;
    }
    match node {
        Node::Const(value) => value.clone(),
        Node::Field(place) => env.case.and_then(|case| case.values.get(*place)).cloned().unwrap_or_default(),
        Node::Builtin(which) => env.case.map_or(Value::Null, |case| builtin(*which, case)),
        Node::Event(name) => env.event.and_then(|facts| facts.get(&**name)).cloned().unwrap_or_default(),
        Node::Now => Value::Time(env.now),
        Node::Actor => env.actor.map_or(Value::Null, Value::text),
        Node::Local(place) => env.locals.borrow().get(*place).cloned().unwrap_or_default(),
        Node::Column(row, name) => match value(row, env) {
            Value::Row(row) => row.get(&**name).cloned().unwrap_or_default(),
            _ => Value::Null,
        },
        Node::Fact(of, kind, name) => match value(of, env) {
            Value::Text(id) if !id.is_empty() => env.world.fact(*kind, &id, name),
            _ => Value::Null,
        },
        Node::Not(inner) => Value::Bool(!value(inner, env).is_true()),
        Node::And(left, right) => Value::Bool(value(left, env).is_true() && value(right, env).is_true()),
        Node::Or(left, right) => Value::Bool(value(left, env).is_true() || value(right, env).is_true()),
        Node::If(test, yes, no) => value(if value(test, env).is_true() { yes } else { no }, env),
        Node::Equal(left, right) => Value::Bool(equal(&value(left, env), &value(right, env))),
        Node::Order(order, left, right) => {
            Value::Bool(ordered(*order, &value(left, env), &value(right, env)))
        }
        Node::In(item, list) => {
            let item = value(item, env);
            Value::Bool(match value(list, env) {
                Value::List(items) => {
                    env.spend_on(items.len());
                    items.iter().any(|other| equal(&item, other))
                }
                _ => false,
            })
        }
        Node::HasPart(part, whole, text) => match (value(whole, env), value(text, env)) {
            (Value::Text(whole), Value::Text(text)) => {
                env.spend_on(whole.len() / CHARACTERS_A_STEP);
                Value::Bool(match part {
                    Part::Start => whole.starts_with(&*text),
                    Part::End => whole.ends_with(&*text),
                    Part::Anywhere => whole.contains(&*text),
                })
            }
            _ => Value::Bool(false),
        },
        Node::Arith(how, left, right) => {
            let (left, right) = (value(left, env), value(right, env));
            match (&left, &right) {
                (Value::Text(a), Value::Text(b)) => env.spend_on((a.len() + b.len()) / CHARACTERS_A_STEP),
                (Value::List(a), Value::List(b)) => env.spend_on(a.len() + b.len()),
                _ => {}
            }
            if env.is_spent() { Value::Null } else { arith(*how, left, right) }
        }
        Node::Negate(inner) => match value(inner, env) {
            Value::Int(value) => value.checked_neg().map_or(Value::Null, Value::Int),
            Value::Money(value) => value.checked_neg().map_or(Value::Null, Value::Money),
            Value::Number(value) => Value::Number(-value),
            _ => Value::Null,
        },
        Node::ToMoney(inner) => match value(inner, env) {
            Value::Int(yuan) => yuan.checked_mul(100).map_or(Value::Null, Value::Money),
            Value::Number(yuan) => cents_of(yuan),
            money @ Value::Money(_) => money,
            _ => Value::Null,
        },
        Node::List(items) => {
            Value::list(items.iter().map(|item| value(item, env)).filter(|v| *v != Value::Null))
        }
        Node::Call(func, args) => call(*func, args, env),
        Node::Holders(posts, None) => env.world.holders(posts, None).into(),
        // Where it is not known which unit, nobody is found rather than people anywhere.
        Node::Holders(posts, Some(unit)) => match value(unit, env) {
            Value::Text(unit) if !unit.is_empty() => env.world.holders(posts, Some(&unit)).into(),
            _ => Value::list([]),
        },
        Node::Each(each, list, place, body) => match value(list, env) {
            Value::List(items) => each_of(*each, &items, *place, body, env),
            // Nothing is an empty list.
            _ => each_of(*each, &[], *place, body, env),
        },
        Node::Rows(list, place, columns) => match value(list, env) {
            Value::List(items) => Value::list(items.iter().map(|item| {
                let row = columns
                    .iter()
                    .map(|(name, _, node)| (name.to_string(), at_item(item, *place, node, env)));
                Value::Row(row.collect::<BTreeMap<_, _>>().into())
            })),
            _ => Value::list([]),
        },
        Node::Cases(cases) => cases_of(cases, env),
    }
}

fn builtin(which: Builtin, case: &Case) -> Value {
    let text = |value: &Option<String>| value.as_deref().map_or(Value::Null, Value::text);
    match which {
        Builtin::Itself => Value::text(&case.id),
        Builtin::Number => Value::text(&case.number),
        Builtin::OpenedAt => Value::Time(case.opened_at),
        Builtin::ClosedAt => case.closed_at.map_or(Value::Null, Value::Time),
        Builtin::Creator => text(&case.creator),
        Builtin::Owner => text(&case.owner),
        Builtin::Unit => text(&case.unit),
        Builtin::Customer => text(&case.customer),
        Builtin::Step => Value::text(&case.step),
        Builtin::Outcome => text(&case.outcome),
        Builtin::Marks => Value::texts(&case.marks),
        Builtin::IsOpen => Value::Bool(case.closed_at.is_none()),
    }
}

/// The answer for one item of a list.
fn at_item(item: &Value, place: usize, body: &Node, env: &Env<'_>) -> Value {
    {
        let mut locals = env.locals.borrow_mut();
        locals.truncate(place);
        locals.push(item.clone());
    }
    let answer = value(body, env);
    env.locals.borrow_mut().truncate(place);
    answer
}

/// What one case of an answer counts for.
const STEPS_A_CASE: usize = 5;

/// Cases as lines, the first opened first.
fn cases_of(cases: &Cases, env: &Env<'_>) -> Value {
    let same: Vec<(&str, Value)> =
        cases.same.iter().map(|(field, node)| (field.as_str(), value(node, env))).collect();
    // Nothing is not the same as nothing.
    if same.iter().any(|(_, value)| value.compared().is_none()) {
        return Value::list([]);
    }
    let between = match &cases.between {
        None => None,
        Some((field, ty, from, to)) => {
            // A day is all of it.
            let edge = |node: &Node, time: Time| match (value(node, env), ty) {
                (Value::Date(day), Ty::Time) => {
                    env.world.calendar(unit(env)).at(day.to_datetime(time)).map_or(Value::Null, Value::Time)
                }
                (known, _) => known,
            };
            let (from, to) =
                (edge(from, Time::midnight()), edge(to, Time::constant(23, 59, 59, 999_000_000)));
            if !from.is_known() || !to.is_known() {
                return Value::list([]);
            }
            Some((field.as_str(), from, to))
        }
    };
    let bodies = env.world.cases(&CaseQuery {
        form: &cases.form,
        except: env.case.map_or("", |case| case.id.as_str()),
        is_open: cases.is_open,
        between: between.as_ref().map(|(field, from, to)| (*field, from, to)),
        same: &same,
    });
    env.spend_on(if bodies.len() > MOST_CASES { usize::MAX } else { bodies.len() * STEPS_A_CASE });
    Value::list(bodies.iter().map(|body| {
        let row = cases.columns.iter().map(|(name, ty)| (name.clone(), crate::case::told(body, name, ty)));
        Value::Row(row.filter(|(_, value)| value.is_known()).collect::<BTreeMap<_, _>>().into())
    }))
}

/// So many of the items, chosen by the seed and by what they are: the same again whenever it is asked, and not to be
/// told beforehand by whoever does not know the seed. In their order.
fn sample(items: &[Value], count: i64, seed: &str) -> Value {
    let mut places: Vec<(u64, usize)> = items
        .iter()
        .enumerate()
        .map(|(place, item)| {
            let key = match item {
                Value::Row(row) => row.get("self").unwrap_or(item),
                item => item,
            };
            (mixed(&[seed, "\0", &key.to_json().to_string()]), place)
        })
        .collect();
    places.sort_unstable();
    places.truncate(usize::try_from(count).unwrap_or(0));
    places.sort_unstable_by_key(|(_, place)| *place);
    Value::list(places.iter().filter_map(|(_, place)| items.get(*place).cloned()))
}

/// FNV-1a with a last mixing, so that close texts lie far apart.
fn mixed(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The first instant from now on at which nothing that takes so many minutes is in the way of something as long.
fn free_at(busy: &[Value], minutes: i64, now: Millis) -> Value {
    let Some(length) = minutes.checked_mul(60_000).filter(|length| *length > 0) else { return Value::Null };
    let mut begins: Vec<Millis> = busy.iter().filter_map(Value::as_time).collect();
    begins.sort_unstable();
    let mut free = now;
    for begin in begins {
        if begin < free.saturating_add(length) && free < begin.saturating_add(length) {
            free = begin.saturating_add(length);
        }
    }
    Value::Time(free)
}

fn each_of(each: Each, items: &[Value], place: usize, body: &Node, env: &Env<'_>) -> Value {
    let ask = |item: &Value| at_item(item, place, body, env);
    match each {
        Each::All => Value::Bool(items.iter().all(|item| ask(item).is_true())),
        Each::Exists => Value::Bool(items.iter().any(|item| ask(item).is_true())),
        Each::ExistsOne => Value::Bool(items.iter().filter(|item| ask(item).is_true()).count() == 1),
        Each::Map => Value::list(items.iter().map(ask)),
        Each::Filter => Value::list(items.iter().filter(|item| ask(item).is_true()).cloned()),
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        _ => None,
    }
}

/// Equal also when a whole number meets a fraction; nothing equals empty text.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_), Value::Number(_)) | (Value::Number(_), Value::Int(_)) => {
            as_number(left) == as_number(right)
        }
        (Value::Null, other) | (other, Value::Null) => !other.is_known(),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| equal(left, right))
        }
        (left, right) => left == right,
    }
}

fn ordered(order: Order, left: &Value, right: &Value) -> bool {
    let ordering = match (left, right) {
        (Value::Int(a), Value::Int(b))
        | (Value::Money(a), Value::Money(b))
        | (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (left, right) => match (as_number(left), as_number(right)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => None,
        },
    };
    ordering.is_some_and(|ordering| match order {
        Order::Less => ordering == Ordering::Less,
        Order::LessOrEqual => ordering != Ordering::Greater,
        Order::Greater => ordering == Ordering::Greater,
        Order::GreaterOrEqual => ordering != Ordering::Less,
    })
}

fn arith(how: Arith, left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => {
            let result = match how {
                Arith::Add => a.checked_add(b),
                Arith::Subtract => a.checked_sub(b),
                Arith::Multiply => a.checked_mul(b),
                Arith::Divide => a.checked_div(b),
                Arith::Remainder => a.checked_rem(b),
            };
            result.map_or(Value::Null, Value::Int)
        }
        (Value::Money(a), Value::Money(b)) => match how {
            Arith::Add => a.checked_add(b).map_or(Value::Null, Value::Money),
            Arith::Subtract => a.checked_sub(b).map_or(Value::Null, Value::Money),
            Arith::Divide if b != 0 => Value::Number(a as f64 / b as f64),
            _ => Value::Null,
        },
        (Value::Money(a), Value::Int(b)) | (Value::Int(b), Value::Money(a)) if how == Arith::Multiply => {
            a.checked_mul(b).map_or(Value::Null, Value::Money)
        }
        (Value::Money(a), other) => match (how, as_number(&other)) {
            (Arith::Multiply, Some(b)) => cents_of(a as f64 * b / 100.0),
            (Arith::Divide, Some(b)) if b != 0.0 => cents_of(a as f64 / b / 100.0),
            _ => Value::Null,
        },
        (other, Value::Money(b)) => match (how, as_number(&other)) {
            (Arith::Multiply, Some(a)) => cents_of(a * b as f64 / 100.0),
            _ => Value::Null,
        },
        (Value::Text(a), Value::Text(b)) if how == Arith::Add => {
            // Expressions have no loop that could double a text, but fields may be long.
            if a.len() + b.len() > 65_536 { Value::Null } else { Value::text(format!("{a}{b}")) }
        }
        (Value::List(a), Value::List(b)) if how == Arith::Add => {
            Value::list(a.iter().chain(b.iter()).cloned())
        }
        (Value::List(a), Value::Null) | (Value::Null, Value::List(a)) if how == Arith::Add => Value::List(a),
        (a, b) => match (as_number(&a), as_number(&b)) {
            (Some(a), Some(b)) => {
                let result = match how {
                    Arith::Add => a + b,
                    Arith::Subtract => a - b,
                    Arith::Multiply => a * b,
                    Arith::Divide => a / b,
                    Arith::Remainder => f64::NAN,
                };
                if result.is_finite() { Value::Number(result) } else { Value::Null }
            }
            _ => Value::Null,
        },
    }
}

fn call(func: Func, args: &[Node], env: &Env<'_>) -> Value {
    let arg = |place: usize| args.get(place).map_or(Value::Null, |node| value(node, env));
    match func {
        Func::Size => match arg(0) {
            Value::Text(text) => Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)),
            Value::List(items) => Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX)),
            _ => Value::Int(0),
        },
        Func::Has => Value::Bool(arg(0).is_known()),
        Func::Min | Func::Max => {
            let (left, right) = (arg(0), arg(1));
            if !left.is_known() || !right.is_known() {
                return Value::Null;
            }
            if ordered(Order::LessOrEqual, &left, &right) == (func == Func::Min) { left } else { right }
        }
        Func::Abs => match arg(0) {
            Value::Int(value) => value.checked_abs().map_or(Value::Null, Value::Int),
            Value::Money(value) => value.checked_abs().map_or(Value::Null, Value::Money),
            Value::Number(value) => Value::Number(value.abs()),
            _ => Value::Null,
        },
        Func::Round => match arg(0) {
            Value::Number(value) if value.abs() <= 9.0e15 => Value::Int(value.round() as i64),
            whole @ Value::Int(_) => whole,
            _ => Value::Null,
        },
        Func::Sum => match arg(0) {
            Value::List(items) => {
                items.iter().cloned().reduce(|a, b| arith(Arith::Add, a, b)).unwrap_or(Value::Int(0))
            }
            _ => Value::Int(0),
        },
        Func::DateOf => match arg(0) {
            Value::Time(at) => date_of(env, at).map_or(Value::Null, Value::Date),
            _ => Value::Null,
        },
        Func::Year | Func::Month | Func::Day => {
            let date = match arg(0) {
                Value::Date(date) => date,
                Value::Time(at) => match date_of(env, at) {
                    Some(date) => date,
                    None => return Value::Null,
                },
                _ => return Value::Null,
            };
            Value::Int(match func {
                Func::Year => date.year().into(),
                Func::Month => date.month().into(),
                _ => date.day().into(),
            })
        }
        Func::MinutesBetween | Func::HoursBetween => match (arg(0), arg(1)) {
            (Value::Time(from), Value::Time(to)) => {
                let unit = if func == Func::MinutesBetween { 60_000 } else { 3_600_000 };
                // Whole units begun count: ten minutes and a second are more than ten minutes.
                let between = to.saturating_sub(from);
                Value::Int(between.div_euclid(unit) + i64::from(between.rem_euclid(unit) != 0))
            }
            _ => Value::Null,
        },
        Func::DaysBetween | Func::WorkdaysBetween => {
            let day = |value: Value| match value {
                Value::Date(date) => Some(date),
                Value::Time(at) => date_of(env, at),
                _ => None,
            };
            match (day(arg(0)), day(arg(1))) {
                (Some(from), Some(to)) if func == Func::WorkdaysBetween => workdays_between(env, from, to),
                (Some(from), Some(to)) => {
                    Value::Int(from.until(to).map_or(0, |span| i64::from(span.get_days())))
                }
                _ => Value::Null,
            }
        }
        Func::Entered | Func::Done | Func::Times => {
            let (Some(case), Value::Text(what)) = (env.case, arg(0)) else { return Value::Null };
            match func {
                Func::Entered => case.entered.get(&*what).map_or(Value::Null, |at| Value::Time(*at)),
                Func::Done => case.done.get(&*what).map_or(Value::Null, |done| Value::Time(done.at)),
                _ => Value::Int(case.done.get(&*what).map_or(0, |done| done.times)),
            }
        }
        Func::OnDuty => {
            let at = arg(1).as_time().unwrap_or(env.now);
            match arg(0).as_text() {
                Some(roster) => env.world.on_duty(roster, at).into(),
                None => Value::Null,
            }
        }
        Func::OnDutyOn => match (arg(0), arg(1)) {
            (Value::Text(roster), Value::Date(day)) => env.world.on_duty_on(&roster, day).into(),
            _ => Value::list([]),
        },
        Func::Earlier => {
            let Some(case) = env.case else { return Value::Int(0) };
            let values: Vec<Value> = args.iter().map(|node| value(node, env)).collect();
            let pairs = values.chunks_exact(2).filter_map(|pair| Some((pair[0].as_text()?, &pair[1])));
            let same: Vec<(&str, &Value)> = pairs.collect();
            // Nothing is not the same as nothing.
            if same.iter().any(|(_, value)| value.compared().is_none()) {
                return Value::Int(0);
            }
            Value::Int(env.world.earlier_cases(&case.form, &case.id, &same, env.now))
        }
        Func::HasCase => match (arg(0), arg(1), arg(2)) {
            (Value::Text(form), Value::Text(outcome), Value::Text(customer)) if !customer.is_empty() => {
                Value::Bool(env.world.has_case(&form, &outcome, &customer, env.now))
            }
            _ => Value::Bool(false),
        },
        Func::CustomersOf => match arg(0) {
            Value::Text(person) if !person.is_empty() => env.world.customers_of(&person).into(),
            _ => Value::list([]),
        },
        Func::FirstOfMonth | Func::LastOfMonth => {
            let day = match arg(0) {
                Value::Date(day) => Some(day),
                Value::Time(at) => date_of(env, at),
                _ => None,
            };
            let edge = |day: Date| {
                if func == Func::FirstOfMonth { day.first_of_month() } else { day.last_of_month() }
            };
            day.map_or(Value::Null, |day| Value::Date(edge(day)))
        }
        Func::FreeAt => match (arg(0), arg(1)) {
            (Value::List(busy), Value::Int(minutes)) => {
                env.spend_on(busy.len());
                free_at(&busy, minutes, env.now)
            }
            _ => Value::Null,
        },
        Func::First => match arg(0) {
            Value::List(items) => items.first().cloned().unwrap_or_default(),
            _ => Value::Null,
        },
        Func::Sample => match (arg(0), arg(1), arg(2)) {
            (Value::List(items), Value::Int(count), Value::Text(seed)) => {
                env.spend_on(items.len());
                sample(&items, count, &seed)
            }
            _ => Value::list([]),
        },
        Func::Under => match (arg(0), arg(1)) {
            (Value::Text(unit), Value::Text(of)) => Value::Bool(env.world.is_under(&unit, &of)),
            _ => Value::Bool(false),
        },
    }
}

fn date_of(env: &Env<'_>, at: Millis) -> Option<Date> {
    env.world.calendar(unit(env)).local(at).ok().map(DateTime::date)
}

/// Working days after the first day, up to and with the second; negative the other way round.
fn workdays_between(env: &Env<'_>, from: Date, to: Date) -> Value {
    let calendar = env.world.calendar(unit(env));
    let (first, last, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
    let Ok(next) = first.checked_add(1.day()) else { return Value::Null };
    if next > last {
        return Value::Int(0);
    }
    match calendar.workdays(next, last).map(i64::try_from) {
        Ok(Ok(count)) => Value::Int(sign * count),
        _ => Value::Null,
    }
}

fn unit<'a>(env: &Env<'a>) -> Option<&'a str> {
    env.case.and_then(|case| case.unit.as_deref())
}

impl Env<'_> {
    /// The organisation and calendar it asks.
    pub fn world(&self) -> &dyn World {
        self.world
    }

    /// A fact of a record, as `case.customer.class` asks for it.
    pub fn fact(&self, kind: Kind, id: &str, name: &str) -> Value {
        self.world.fact(kind, id, name)
    }
}
