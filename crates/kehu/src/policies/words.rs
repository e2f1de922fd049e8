//! What a regulation's expressions and values read like for people. Words of regulations are Chinese.

use policy::Policy;
use policy::diff::{Change, diff};
use policy::expr::Expr;
use policy::model::{Form, Setting, Step, StepKind};
use policy::value::{Ty, Value, yuan};

use super::library::compile;
use super::model::Version;

/// Who is meant by an expression of people: the titles of roles where it names roles only, else the expression in words.
pub fn people_words(policy: &Policy, form: Option<&Form>, people: &Expr) -> String {
    let roles: Option<Vec<String>> = people
        .source()
        .split([',', '，'])
        .map(|part| {
            let id = part.trim().strip_prefix("role:")?.trim();
            let role = policy.roles.iter().find(|role| role.id == id);
            Some(role.map_or_else(|| id.to_owned(), |role| role.title.clone()))
        })
        .collect();
    roles.map_or_else(|| people.in_chinese(form), |roles| roles.join("、"))
}

/// What is different between two versions; `None` when one of them cannot be read.
pub fn differences(old: &Version, new: &Version) -> Option<Vec<Change>> {
    let old = compile(&old.files, &old.settings).ok()?;
    let new = compile(&new.files, &new.settings).ok()?;
    Some(diff(&old, &new))
}

/// A setting's value: `5个工作日`, `500.00 元`, `是`. Empty when nobody has set it.
pub fn setting_words(setting: &Setting) -> String {
    value_words(&setting.ty, setting.is_within, &setting.value)
}

/// A value of a setting's type.
pub fn value_words(ty: &Ty, is_within: bool, value: &Value) -> String {
    match value {
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Money(cents) => format!("{} 元", yuan(*cents)),
        other => match other.as_text() {
            Some(text) if is_within => {
                text.parse::<workday::Within>().map_or_else(|_| text.to_owned(), workday::Within::in_chinese)
            }
            Some(text) => text.to_owned(),
            None if other.is_known() => format!("{} {}", ty.title(), other.to_json()),
            None => String::new(),
        },
    }
}

/// Who acts at a step.
pub fn step_people(policy: &Policy, form: &Form, step: &Step) -> String {
    if let Some(approve) = &step.approve {
        if let Some(table) =
            approve.authority.as_ref().and_then(|id| policy.authorities.iter().find(|a| a.id == *id))
        {
            return format!("按《{}》", table.title);
        }
        let stages: Vec<String> = approve
            .stages
            .iter()
            .map(|stage| match stage.title.as_str() {
                "" => people_words(policy, Some(form), &stage.by),
                title => title.to_owned(),
            })
            .collect();
        return stages.join(" → ");
    }
    step.by.as_ref().map_or_else(String::new, |by| people_words(policy, Some(form), by))
}

/// Where a step's buttons lead: (button, titles of the steps). A button that stays leads nowhere.
pub fn step_ways<'a>(form: &'a Form, step: &'a Step) -> Vec<(String, Vec<&'a str>)> {
    let titles = |next: &'a [policy::model::Way]| -> Vec<&'a str> {
        let mut all: Vec<&str> =
            next.iter().filter_map(|way| form.steps.get(way.to)).map(|step| step.title.as_str()).collect();
        all.dedup();
        all
    };
    let mut ways: Vec<(String, Vec<&str>)> =
        step.actions.iter().map(|action| (action.title.clone(), titles(&action.next))).collect();
    ways.extend(step.on.iter().map(|on| (on.event.clone(), titles(&on.next))));
    if let Some(to) =
        step.approve.as_ref().and_then(|approve| approve.reject).and_then(|to| form.steps.get(to))
    {
        ways.push(("不同意".to_owned(), vec![to.title.as_str()]));
    }
    ways
}

/// What kind of step it is, in a word.
pub fn step_kind(step: &Step) -> &'static str {
    match step.kind {
        StepKind::Task => "办理",
        StepKind::Approval => "审批",
        StepKind::Wait => "等待",
        StepKind::End => "结束",
    }
}
