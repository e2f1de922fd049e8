//! What the engine asks the application for. The answers are part of its input: the same answers give the same effects.

use std::sync::LazyLock;

use workday::Calendar;

use crate::value::{Kind, Millis, Value};

/// The organisation, records and calendar around a case, as of the moment in question.
pub trait World {
    /// A fact of a record: `fact(Kind::Customer, id, "class")`. Unknown records and facts are `Value::Null`.
    fn fact(&self, kind: Kind, id: &str, name: &str) -> Value;

    /// Whoever holds one of these posts in this unit, else in a department directly within it, else the same in the
    /// nearest unit above it that has one; anywhere when no unit is named. In a stable order, without people who have left.
    fn holders(&self, posts: &[String], unit: Option<&str>) -> Vec<String>;

    /// Whoever is on duty by the roster of this name.
    fn on_duty(&self, roster: &str, at: Millis) -> Vec<String>;

    /// How many other cases of the form, opened before `at`, have the same values in these fields.
    fn earlier_cases(&self, form: &str, case: &str, same: &[(&str, &Value)], at: Millis) -> i64;

    /// Whether the customer has a case of the form in this policy that ended so.
    fn has_case(&self, form: &str, outcome: &str, customer: &str, at: Millis) -> bool;

    /// Whether `unit` is `of` or below it.
    fn is_under(&self, unit: &str, of: &str) -> bool;

    /// Who acts for this person now, if he is away.
    fn delegate_of(&self, person: &str, at: Millis) -> Option<String>;

    /// The working calendar of a unit, or the company's.
    fn calendar(&self, unit: Option<&str>) -> &Calendar;

    /// Whether somebody was exempted from this refusal: policy, refusal, and the case's or customer's id.
    fn is_exempt(&self, policy: &str, refusal: &str, of: &str, at: Millis) -> bool;

    /// The name of a record for texts people read.
    fn name(&self, kind: Kind, id: &str) -> String;

    /// Whoever administers policies, for what nobody else can decide.
    fn administrators(&self) -> Vec<String>;

    /// How many of these penalties the person has got in the calendar month of `at`, up to now.
    fn penalties_in_month(&self, person: &str, penalties: &[String], at: Millis) -> i64;
}

/// No organisation at all: for checking policies, where nobody is asked.
pub struct Nowhere;

impl World for Nowhere {
    fn fact(&self, _: Kind, _: &str, _: &str) -> Value {
        Value::Null
    }
    fn holders(&self, _: &[String], _: Option<&str>) -> Vec<String> {
        Vec::new()
    }
    fn on_duty(&self, _: &str, _: Millis) -> Vec<String> {
        Vec::new()
    }
    fn earlier_cases(&self, _: &str, _: &str, _: &[(&str, &Value)], _: Millis) -> i64 {
        0
    }
    fn has_case(&self, _: &str, _: &str, _: &str, _: Millis) -> bool {
        false
    }
    fn is_under(&self, _: &str, _: &str) -> bool {
        false
    }
    fn delegate_of(&self, _: &str, _: Millis) -> Option<String> {
        None
    }
    fn calendar(&self, _: Option<&str>) -> &Calendar {
        static MAINLAND: LazyLock<Calendar> = LazyLock::new(Calendar::mainland);
        &MAINLAND
    }
    fn is_exempt(&self, _: &str, _: &str, _: &str, _: Millis) -> bool {
        false
    }
    fn name(&self, _: Kind, id: &str) -> String {
        id.to_owned()
    }
    fn administrators(&self) -> Vec<String> {
        Vec::new()
    }
    fn penalties_in_month(&self, _: &str, _: &[String], _: Millis) -> i64 {
        0
    }
}
