//! Texts for people: notices, names, values.

use std::sync::Arc;

use super::{Effect, Run};
use crate::case::Case;
use crate::expr::{Env, Expr};
use crate::model::{Form, Piece, Policy, Template};
use crate::value::{Kind, Millis, Ty, Value, yuan};
use crate::world::World;

/// Most names told at once.
const MOST_NAMES: usize = 5;
/// Most characters of a notice.
const LONGEST: usize = 2_000;

impl Run<'_> {
    /// The notices something brings.
    pub(super) fn notices(&mut self, on: &str) {
        let policy = self.policy;
        for notice in policy.notices.iter().filter(|notice| notice.on == on && notice.form == self.form.id) {
            if notice.when.as_ref().is_some_and(|when| !when.holds(&self.env())) {
                continue;
            }
            let people = self.people(&notice.to);
            let text = filled(&notice.text, &self.env());
            let (notice, clause) = (notice.id.clone(), notice.clause.clone());
            self.effects.push(Effect::Notice { notice, people, text, clause });
        }
    }

    /// Who does something, for whoever may not: `由张三办理`. Where `who` is nobody, what is missing.
    pub(super) fn by_whom(&self, people: &[String], who: Option<&Expr>, does: &str) -> String {
        match who.filter(|_| people.is_empty()) {
            None => format!("由{}{does}", self.names(people)),
            // Those it names are all kept out.
            Some(who) if !who.value(&self.env()).as_texts().is_empty() => {
                let who = who.in_chinese(Some(self.form));
                format!("应由{who}{does}，但他们都应当回避，请制度管理员处理")
            }
            Some(who) => who.nobody_does(does, &self.env(), self.form),
        }
    }

    /// A few names.
    pub(super) fn names(&self, people: &[String]) -> String {
        let mut people: Vec<&String> = people.iter().collect();
        let mut seen = std::collections::BTreeSet::new();
        people.retain(|person| seen.insert(*person));
        let names: Vec<String> = people
            .iter()
            .take(MOST_NAMES)
            .map(|person| self.moment.world.name(Kind::Person, person))
            .collect();
        match (people.len(), names.is_empty()) {
            (_, true) => "（没有人）".to_owned(),
            (count, _) if count > MOST_NAMES => format!("{}等 {count} 人", names.join("、")),
            _ => names.join("、"),
        }
    }
}

/// A template with its values.
fn filled(template: &Template, env: &Env<'_>) -> String {
    let mut text = String::new();
    for piece in &template.parts {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Value(expr) => text.push_str(&shown(&expr.value(env), expr.ty(), env.world())),
        }
    }
    if text.chars().count() > LONGEST { text.chars().take(LONGEST).collect() } else { text }
}

/// A value as people read it.
pub fn shown(value: &Value, ty: &Ty, world: &dyn World) -> String {
    match (value, ty) {
        (Value::Null, _) => String::new(),
        (Value::Bool(value), _) => if *value { "是" } else { "否" }.to_owned(),
        (Value::Int(value), _) => value.to_string(),
        (Value::Number(value), _) => value.to_string(),
        (Value::Money(cents), _) => yuan(*cents),
        (Value::Text(id), Ty::Ref(kind)) => world.name(*kind, id),
        (Value::Text(text), _) => text.to_string(),
        (Value::Date(date), _) => date.to_string(),
        (Value::Time(at), _) => minute(*at, world),
        (Value::List(items), Ty::List(of)) => match &**of {
            Ty::Row(_) => format!("{} 行", items.len()),
            of => items.iter().map(|item| shown(item, of, world)).collect::<Vec<_>>().join("、"),
        },
        (Value::List(items), _) => format!("{} 项", items.len()),
        (Value::Row(_), _) => String::new(),
    }
}

fn minute(at: Millis, world: &dyn World) -> String {
    world
        .calendar(None)
        .local(at)
        .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

impl Policy {
    /// What a case is called in lists; the number when the policy gives no subject.
    pub fn subject(&self, form: &Arc<Form>, case: &Case, now: Millis, world: &dyn World) -> String {
        let text = filled(&form.subject, &Env::new(now, world).case(case));
        if text.trim().is_empty() { format!("{} {}", form.title, case.number) } else { text }
    }

    /// The places of the fields the person may not see.
    pub fn hidden_fields(
        &self,
        form: &Form,
        case: &Case,
        person: Option<&str>,
        now: Millis,
        world: &dyn World,
    ) -> Vec<usize> {
        let env = Env::new(now, world).case(case).actor(person);
        let hidden = form.fields.iter().enumerate().filter(|(_, field)| {
            field.seen_by.as_ref().is_some_and(|who| {
                !person.is_some_and(|person| who.value(&env).as_texts().iter().any(|one| one == person))
            })
        });
        hidden.map(|(place, _)| place).collect()
    }

    /// Who must never take part in a case nor see it (回避): whom the regulation names, and whoever must keep out of the
    /// customer's record.
    pub fn excluded(&self, form: &Form, case: &Case, now: Millis, world: &dyn World) -> Vec<String> {
        let env = Env::new(now, world).case(case);
        let mut people = form.excluded.as_ref().map_or_else(Vec::new, |who| who.value(&env).as_texts());
        people.extend(case.customer.iter().flat_map(|customer| world.kept_out_of(customer)));
        people
    }

    /// Who reads the cases beside those who take part.
    pub fn readers(&self, form: &Form, case: &Case, now: Millis, world: &dyn World) -> Vec<String> {
        let env = Env::new(now, world).case(case);
        let mut people = form.readers.as_ref().map_or_else(Vec::new, |who| who.value(&env).as_texts());
        for access in
            self.access.iter().filter(|a| a.form == form.id && a.verbs.iter().any(|verb| verb == "view"))
        {
            people.extend(access.by.value(&env).as_texts());
        }
        people
    }
}
