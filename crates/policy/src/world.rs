//! What the engine asks the application for. The answers are part of its input: the same answers give the same effects.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde_json::Value as Json;
use workday::Calendar;

use crate::value::{Kind, Millis, Value};

/// Most cases one question may bring; an answer that rests on more is not known rather than wrong.
pub const MOST_CASES: usize = 5_000;

/// Which cases are asked for.
#[derive(Clone, Copy, Debug)]
pub struct CaseQuery<'q> {
    /// Of this form of the policy.
    pub form: &'q str,
    /// All but this one, by its id.
    pub except: &'q str,
    /// Only those that have not ended.
    pub is_open: bool,
    /// With a day or time in this field from the first to the second, both included.
    pub between: Option<(&'q str, &'q Value, &'q Value)>,
    /// With these values in these fields, as `Value::compared` tells.
    pub same: &'q [(&'q str, Value)],
}

/// The organisation, records and calendar around a case, as of the moment in question.
pub trait World {
    /// A fact of a record: `fact(Kind::Customer, id, "class")`. Unknown records and facts are `Value::Null`.
    fn fact(&self, kind: Kind, id: &str, name: &str) -> Value;

    /// Whoever holds one of these posts in this unit or the nearest above it, as `nearest` looks for them; anywhere when
    /// no unit is named. In a stable order, without people who have left.
    fn holders(&self, posts: &[String], unit: Option<&str>) -> Vec<String>;

    /// Whoever is on duty by the rosters of this name.
    fn on_duty(&self, roster: &str, at: Millis) -> Vec<String>;

    /// Whoever is on duty by them at some moment of a day.
    fn on_duty_on(&self, roster: &str, day: Date) -> Vec<String>;

    /// How many other cases of the form, opened before `at`, have the same values in these fields.
    fn earlier_cases(&self, form: &str, case: &str, same: &[(&str, &Value)], at: Millis) -> i64;

    /// Whether the customer has a case of the form in this policy that ended so.
    fn has_case(&self, form: &str, outcome: &str, customer: &str, at: Millis) -> bool;

    /// These cases of the policy as `Case::to_json` wrote them, the first opened first; at most `MOST_CASES` and one more.
    fn cases(&self, query: &CaseQuery<'_>) -> Vec<Json>;

    /// Who must keep out of a customer's record, whatever else he may do.
    fn kept_out_of(&self, _customer: &str) -> Vec<String> {
        Vec::new()
    }

    /// The customers this person answers for, by number.
    fn customers_of(&self, person: &str) -> Vec<String>;

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

/// People of a unit, or of the nearest one above it that has any: in the unit itself, else in the departments directly
/// within it. Above the unit one department may serve everybody (财务部); where several have somebody, each has them for
/// itself, like its manager, and they are passed over. `line` is the unit and those above it.
pub fn nearest<U>(
    line: impl IntoIterator<Item = U>,
    people: impl Fn(&U) -> Vec<String>,
    departments: impl Fn(&U) -> Vec<U>,
) -> Vec<String> {
    for (height, unit) in line.into_iter().enumerate() {
        let own = people(&unit);
        if !own.is_empty() {
            return own;
        }
        let mut theirs: Vec<Vec<String>> = departments(&unit).iter().map(&people).collect();
        theirs.retain(|people| !people.is_empty());
        if height == 0 || theirs.len() == 1 {
            let mut all: Vec<String> = Vec::new();
            for person in theirs.into_iter().flatten() {
                if !all.contains(&person) {
                    all.push(person);
                }
            }
            if !all.is_empty() {
                return all;
            }
        }
    }
    Vec::new()
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
    fn on_duty_on(&self, _: &str, _: Date) -> Vec<String> {
        Vec::new()
    }
    fn earlier_cases(&self, _: &str, _: &str, _: &[(&str, &Value)], _: Millis) -> i64 {
        0
    }
    fn has_case(&self, _: &str, _: &str, _: &str, _: Millis) -> bool {
        false
    }
    fn cases(&self, _: &CaseQuery<'_>) -> Vec<Json> {
        Vec::new()
    }
    fn customers_of(&self, _: &str) -> Vec<String> {
        Vec::new()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::{Cast, CastWorld};

    #[test]
    fn holders_are_looked_for_up_the_line_and_not_among_sister_departments() {
        let cast: Cast = toml::from_str(
            "unit = [
                { name = '公司' }, { name = '财务部', in = '公司', kind = 'department' },
                { name = '一部', in = '公司', kind = 'department' }, { name = '二部', in = '公司', kind = 'department' },
                { name = '三部', in = '公司', kind = 'department' }, { name = '三部一组', in = '三部' },
                { name = '东园', in = '公司' }, { name = '工程一队', in = '东园', kind = 'department' },
                { name = '工程二队', in = '东园', kind = 'department' },
             ]
             person = [
                { name = '一部经理', posts = ['部门经理'], unit = '一部' },
                { name = '二部经理', posts = ['部门经理'], unit = '二部' },
                { name = '出纳', posts = ['财务人员'], unit = '财务部' },
                { name = '王师傅', posts = ['维修'], unit = '工程一队' },
                { name = '赵师傅', posts = ['维修', '电工'], unit = '工程二队' },
                { name = '总经理', posts = ['总经理'], unit = '公司' },
             ]",
        )
        .unwrap();
        let world = CastWorld::new(cast, Calendar::mainland());
        let of = |post: &str, unit: &str| world.holders(&[post.to_owned()], Some(unit));
        assert_eq!(of("部门经理", "一部"), ["一部经理"]);
        assert_eq!(
            of("部门经理", "三部一组"),
            Vec::<String>::new(),
            "other departments' managers are not his"
        );
        assert_eq!(of("财务人员", "三部一组"), ["出纳"], "one department serves all");
        assert_eq!(of("总经理", "三部一组"), ["总经理"]);
        assert_eq!(of("维修", "东园"), ["王师傅", "赵师傅"], "all departments of a unit serve it");
        assert_eq!(of("电工", "工程一队"), ["赵师傅"]);
        assert_eq!(of("部门经理", "没有"), Vec::<String>::new());
        assert_eq!(world.holders(&["部门经理".to_owned()], None).len(), 2);
    }
}
