//! What of a customer an actor sees: fields that his roles hide are taken away, masked ones are shortened. One place
//! for page, list, search, export, API: whatever leaves the loaders has gone through here.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value as Json};
use store::Conn;

use super::fields::{Field, FieldKind};
use super::load::COLUMNS;
use super::model::{Customer, Draft};
use crate::access::{Actor, Facts, FieldRule, Fields, Object, Verb};
use crate::error::{AppError, FieldError};
use crate::i18n::word;
use crate::ids::CustomerId;
use crate::text;

/// The fields of a customer that its reader may not see or change, by key (`phone`, `custom.f_1`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withheld(BTreeMap<String, FieldRule>);

impl Withheld {
    /// The rule for a field.
    pub fn rule(&self, key: &str) -> FieldRule {
        if self.0.is_empty() { FieldRule::Edit } else { self.0.get(key).copied().unwrap_or(FieldRule::Edit) }
    }

    /// Whether a field is not there for the reader.
    pub fn hides(&self, key: &str) -> bool {
        self.rule(key) == FieldRule::Hidden
    }

    /// Keys of the fields that are shortened.
    pub fn masked(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, rule)| **rule == FieldRule::Masked).map(|(key, _)| key.as_str())
    }
}

impl Customer {
    /// What the access decision needs to know of it.
    pub fn facts(&self) -> Facts<'_> {
        Facts { id: self.id.0, owner_id: self.owner_id, unit_id: self.unit_id, record: Some(self) }
    }
}

/// What is shown of a value of this kind where it is masked.
pub fn mask(kind: FieldKind, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    match kind {
        FieldKind::Phone => hanzi::mask::phone(value),
        FieldKind::IdNumber | FieldKind::CreditCode => hanzi::mask::id_card(value),
        FieldKind::Email => hanzi::mask::email(value),
        _ => "***".into(),
    }
}

fn mask_field(field: Field, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    match field {
        Field::Name | Field::ShortName => hanzi::mask::name(value),
        Field::Address => hanzi::mask::address(value),
        _ => mask(field.spec().kind, value),
    }
}

/// A value of a contact or asset as its rule lets it be seen; `key` tells how it is masked.
pub fn shown_value(rule: FieldRule, key: &str, value: &str) -> String {
    match rule {
        FieldRule::Hidden => String::new(),
        FieldRule::Masked => match key {
            "name" => hanzi::mask::name(value),
            "phone" | "landline" => mask(FieldKind::Phone, value),
            "email" => mask(FieldKind::Email, value),
            _ => mask(FieldKind::Text, value),
        },
        FieldRule::Read | FieldRule::Edit => value.to_owned(),
    }
}

/// Takes away and shortens what the actor may not see of a customer.
pub fn withhold(actor: &Actor, mut customer: Customer) -> Customer {
    if !actor.rights.has_field_rules(Object::Customer) {
        return customer;
    }
    let rules: BTreeMap<String, FieldRule> = {
        let fields = actor.rights.fields(Object::Customer, &customer.facts());
        let ruled = fields.ruled().map(|key| (key.to_owned(), fields.rule(key)));
        ruled.filter(|(_, rule)| *rule < FieldRule::Edit).collect()
    };
    for (key, rule) in rules.iter().filter(|(_, rule)| **rule < FieldRule::Read) {
        let is_masked = *rule == FieldRule::Masked;
        if let Some(field) = Field::named(key) {
            let shown = if is_masked { mask_field(field, customer.get(field)) } else { String::new() };
            customer.values.set(field, shown);
        } else if let Some(own) = key.strip_prefix("custom.")
            && customer.custom.remove(own).is_some_and(|v| !v.is_null())
            && is_masked
        {
            customer.custom.insert(own.to_owned(), Json::from("***"));
        }
    }
    customer.withheld = Withheld(rules);
    customer
}

/// The customers of these ids as the actor sees them, by id; for lists of what hangs on them that show a name or phone.
/// Those he may not read are left out.
pub fn shown(
    conn: &mut Conn<'_>,
    actor: &Actor,
    ids: impl IntoIterator<Item = CustomerId>,
) -> store::Result<HashMap<CustomerId, Customer>> {
    let mut ids: Vec<i64> = ids.into_iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(500) {
        let list: Vec<String> = chunk.iter().map(i64::to_string).collect();
        let sql = format!("SELECT {} FROM customers c WHERE c.id IN ({})", *COLUMNS, list.join(", "));
        let customers: Vec<Customer> = conn.rows(&sql, &[])?;
        found.extend(
            customers
                .into_iter()
                .filter(|c| actor.rights.covers(Object::Customer, Verb::Read, &c.facts()))
                .map(|c| (c.id, withhold(actor, c))),
        );
    }
    Ok(found)
}

/// The changes of a draft that the actor's roles do not let him make to a customer. What he sends back as it was shown
/// to him is no change and is dropped from the draft.
pub(super) fn refused(actor: &Actor, old: &Customer, draft: &mut Draft) -> Vec<FieldError> {
    if !actor.rights.has_field_rules(Object::Customer) {
        return Vec::new();
    }
    let seen = withhold(actor, old.clone());
    let mut errors = Vec::new();
    draft.fields.retain(|field, value| {
        let rule = seen.withheld.rule(field.key());
        if rule == FieldRule::Edit {
            return true;
        }
        if value.trim() != seen.get(*field) {
            errors.push(FieldError::new(field.key(), text!("您的角色不能修改“{}”", word(field.spec().zh))));
        }
        false
    });
    if let Some(custom) = &mut draft.custom {
        custom.retain(|key, value| {
            let name = format!("custom.{key}");
            if seen.withheld.rule(&name) == FieldRule::Edit {
                return true;
            }
            let shown = seen.custom.get(key).unwrap_or(&Json::Null);
            if value != shown && !(value.as_str() == Some("") && shown.is_null()) {
                errors.push(FieldError::new(name, text!("您的角色不能修改这个字段")));
            }
            false
        });
    }
    errors
}

/// The values of a new customer that the actor's roles do not let him write. Masked fields he may fill: he knows what
/// he types.
pub(super) fn refused_new(actor: &Actor, facts: &Facts<'_>, draft: &Draft) -> Vec<FieldError> {
    if !actor.rights.has_field_rules(Object::Customer) {
        return Vec::new();
    }
    let fields = actor.rights.fields(Object::Customer, facts);
    let is_refused = |key: &str| matches!(fields.rule(key), FieldRule::Hidden | FieldRule::Read);
    let built_in =
        draft.fields.iter().filter(|(field, value)| !value.trim().is_empty() && is_refused(field.key()));
    let mut errors: Vec<FieldError> = built_in
        .map(|(field, _)| FieldError::new(field.key(), text!("您的角色不能填写“{}”", word(field.spec().zh))))
        .collect();
    for (key, value) in draft.custom.iter().flatten().filter(|(_, value)| !value.is_null()) {
        let name = format!("custom.{key}");
        if is_refused(&name) && value.as_str() != Some("") {
            errors.push(FieldError::new(name, text!("您的角色不能填写这个字段")));
        }
    }
    errors
}

/// Refuses to filter or sort by a field that is hidden or masked anywhere in the actor's sight: the order of a list, or
/// that a customer is in it, would tell the value.
pub fn require_visible(actor: &Actor, key: &str, parameter: &str) -> Result<(), AppError> {
    if actor.rights.narrowest(Object::Customer, key) >= FieldRule::Read {
        return Ok(());
    }
    let text = match Field::named(key) {
        Some(field) => text!("您的角色看不到完整的“{}”，不能按它筛选或排序", word(field.spec().zh)),
        None => text!("您的角色看不到完整的“{}”，不能按它筛选或排序", key),
    };
    Err(AppError::field(parameter, text))
}

/// What the log may tell an actor about one customer and what hangs on it.
#[derive(Clone, Debug)]
pub struct Teller<'a> {
    own: Fields<'a>,
    contact: Fields<'a>,
    /// Names of the objects in the log that he may not read on this customer.
    untold: Vec<&'static str>,
}

impl<'a> Teller<'a> {
    /// For an actor and a customer.
    pub fn new(actor: &'a Actor, facts: &Facts<'_>) -> Self {
        let parts = [Object::Contact, Object::Asset, Object::Activity, Object::File];
        let untold = parts.into_iter().filter(|part| !actor.rights.covers(*part, Verb::Read, facts));
        Self {
            own: actor.rights.fields(Object::Customer, facts),
            contact: actor.rights.fields(Object::Contact, facts),
            untold: untold.map(Object::code).collect(),
        }
    }

    /// Whether he may know that something happened to an object of this kind (`contact`, `file` …).
    pub fn tells(&self, object: &str) -> bool {
        !self.untold.contains(&object)
    }

    /// Takes away and shortens, in the logged values of an object, what he may not see.
    pub fn withhold(&self, object: &str, values: &mut Json) {
        let Json::Object(values) = values else { return };
        match object {
            "customer" if !self.own.is_open() => {
                if let Some(Json::Object(custom)) = values.get_mut("custom") {
                    retain_told(custom, |key| self.own.rule(&format!("custom.{key}")), |_, _| "***".into());
                }
                retain_told(
                    values,
                    |key| self.own.rule(key),
                    |key, value| match Field::named(key) {
                        Some(field) => mask_field(field, value),
                        None => "***".into(),
                    },
                );
            }
            "contact" if !self.contact.is_open() => {
                let shown = |key: &str, value: &str| shown_value(FieldRule::Masked, key, value);
                retain_told(values, |key| self.contact.rule(key), shown);
            }
            _ => {}
        }
    }
}

fn retain_told(
    values: &mut Map<String, Json>,
    rule: impl Fn(&str) -> FieldRule,
    masked: impl Fn(&str, &str) -> String,
) {
    values.retain(|key, value| match rule(key) {
        FieldRule::Hidden => false,
        FieldRule::Masked => {
            match value.as_str() {
                Some(text) => *value = masked(key, text).into(),
                None if value.is_null() => {}
                None => *value = "***".into(),
            }
            true
        }
        FieldRule::Read | FieldRule::Edit => true,
    });
}
