//! The types of a service strategy and the pure rules about them.

use serde_json::{Map, Value as Json, json};

use crate::catalogue::{Catalogue, Dictionary};
use crate::clock::{Millis, rfc3339};
use crate::customers::Kind as CustomerKind;
use crate::error::FieldError;
use crate::i18n::Lang;
use crate::ids::StrategyId;
use crate::input::{self, Kind, Spec, Values, optional, required};
use crate::text;
use crate::web::FormData;

/// Its fields, in the order of forms. `kind`, `class` and `level` say for whom it is.
pub const FIELDS: [Spec; 11] = [
    required("name", "策略名称", Kind::Line, 60),
    optional("kind", "客户性质", Kind::Line, 40),
    optional("class", "客户类别", Kind::Line, 40),
    optional("level", "客户等级", Kind::Line, 40),
    optional("needs", "需求特点", Kind::Lines, 1000),
    required("content", "服务内容", Kind::Lines, 2000),
    optional("rhythm_days", "联系周期（天）", Kind::Number, 16),
    optional("channel", "联系渠道", Kind::Line, 60),
    optional("post", "责任岗位", Kind::Line, 60),
    optional("valid_from", "生效日期", Kind::Date, 10),
    optional("note", "备注", Kind::Lines, 1000),
];

/// The dictionary of customers' classes.
pub(super) const CLASSES: &str = "customer_class";
/// The dictionary of customers' levels.
pub(super) const LEVELS: &str = "customer_level";

/// Days between two contacts at the most: ten years.
const LONGEST_RHYTHM: i64 = 3_650;

/// A strategy as stored; empty text means "not known", for `kind`, `class` and `level` "any".
#[derive(Clone, Debug)]
pub struct Strategy {
    /// Its id.
    pub id: StrategyId,
    /// `person`, `organisation` or any.
    pub kind: String,
    /// Code of a class or any.
    pub class: String,
    /// Code of a level or any.
    pub level: String,
    /// What it is called.
    pub name: String,
    /// What such customers need.
    pub needs: String,
    /// What is done for them.
    pub content: String,
    /// Days between two contacts; 0 when none are set.
    pub rhythm_days: i64,
    /// By which way they are contacted.
    pub channel: String,
    /// The post that answers for it.
    pub post: String,
    /// `YYYY-MM-DD`; before that day it fits nobody.
    pub valid_from: String,
    /// Anything else.
    pub note: String,
    /// Counts changes.
    pub version: i64,
    /// Made when.
    pub created_at: Millis,
    /// Changed when.
    pub updated_at: Millis,
}

impl Strategy {
    /// How much its group says: the more conditions the more specific; of as many, level before class before nature.
    pub(super) fn specificity(&self) -> (usize, bool, bool) {
        let is_said = [&self.kind, &self.class, &self.level].map(|t| !t.is_empty());
        (is_said.iter().filter(|said| **said).count(), is_said[2], is_said[1])
    }

    /// The conditions of its group: title and value in words.
    pub fn group(&self, catalogue: &Catalogue, l: Lang) -> Vec<(&'static str, String)> {
        let kind = CustomerKind::named(&self.kind).map_or("", CustomerKind::title);
        [
            ("客户性质", l.t(kind).to_owned()),
            ("客户类别", catalogue.dictionary(CLASSES).title(&self.class, l).to_owned()),
            ("客户等级", catalogue.dictionary(LEVELS).title(&self.level, l).to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// The group in one line: `企业 · 重点客户`.
    pub fn group_title(&self, catalogue: &Catalogue, l: Lang) -> String {
        let values: Vec<String> = self.group(catalogue, l).into_iter().map(|(_, value)| value).collect();
        values.join(" · ")
    }

    /// A value as text; empty when it has none.
    pub fn text(&self, key: &str) -> String {
        match key {
            "name" => self.name.clone(),
            "kind" => self.kind.clone(),
            "class" => self.class.clone(),
            "level" => self.level.clone(),
            "needs" => self.needs.clone(),
            "content" => self.content.clone(),
            "rhythm_days" if self.rhythm_days > 0 => self.rhythm_days.to_string(),
            "channel" => self.channel.clone(),
            "post" => self.post.clone(),
            "valid_from" => self.valid_from.clone(),
            "note" => self.note.clone(),
            _ => String::new(),
        }
    }

    /// The values a person writes: for the audit log.
    pub(super) fn facts(&self) -> Json {
        let mut facts = Map::new();
        for spec in &FIELDS {
            let text = self.text(spec.key);
            let value = match spec.kind {
                Kind::Number if !text.is_empty() => self.rhythm_days.into(),
                _ if text.is_empty() => Json::Null,
                _ => text.into(),
            };
            facts.insert(spec.key.into(), value);
        }
        Json::Object(facts)
    }

    /// As the API sends it. Unknown values are null.
    pub fn json(&self) -> Json {
        let mut body = self.facts();
        body["id"] = json!(self.id);
        body["version"] = self.version.into();
        body["created_at"] = rfc3339(self.created_at).into();
        body["updated_at"] = rfc3339(self.updated_at).into();
        body
    }
}

/// What somebody wants to write. Absent means "leave as it is", empty text "take away".
#[derive(Clone, Debug, Default)]
pub struct Draft(pub Values);

const READ_ONLY: [&str; 4] = ["id", "version", "created_at", "updated_at"];

impl Draft {
    /// Reads the body of an API call. Unknown and read-only names are errors.
    pub fn from_json(mut body: Map<String, Json>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let values = input::take_json(&FIELDS, &mut body, &mut errors);
        input::refuse_rest(&body, &READ_ONLY, &mut errors);
        if errors.is_empty() { Ok(Self(values)) } else { Err(errors) }
    }

    /// Reads a form.
    pub fn from_form(form: &FormData) -> Self {
        Self(input::take_form(&FIELDS, form))
    }

    /// `old` with the checked values. Nature, class and level must be known, and one of them be said.
    pub(super) fn applied(
        &self,
        old: &Strategy,
        catalogue: &Catalogue,
        is_new: bool,
    ) -> Result<Strategy, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut values = input::clean(&FIELDS, &self.0, is_new, &mut errors);
        let mut new = old.clone();
        if let Some(text) = values.remove("kind") {
            match CustomerKind::named(&text) {
                _ if text.is_empty() => new.kind = text,
                Some(kind) => new.kind = kind.code().to_owned(),
                None => errors.push(FieldError::new("kind", text!("请选择个人或企业，或者不限"))),
            }
        }
        for (key, dictionary, place) in
            [("class", CLASSES, &mut new.class), ("level", LEVELS, &mut new.level)]
        {
            let Some(text) = values.remove(key) else { continue };
            match coded(catalogue.dictionary(dictionary), &text, place) {
                Some(code) => *place = code,
                None => errors.push(FieldError::new(key, text!("没有这个值，请从列出的值中选择"))),
            }
        }
        if let Some(text) = values.remove("rhythm_days") {
            match text.parse() {
                _ if text.is_empty() => new.rhythm_days = 0,
                Ok(days) if (1..=LONGEST_RHYTHM).contains(&days) => new.rhythm_days = days,
                _ => errors.push(FieldError::new("rhythm_days", text!("请填写 1–{} 的整数", LONGEST_RHYTHM))),
            }
        }
        let places = [
            ("name", &mut new.name),
            ("needs", &mut new.needs),
            ("content", &mut new.content),
            ("channel", &mut new.channel),
            ("post", &mut new.post),
            ("valid_from", &mut new.valid_from),
            ("note", &mut new.note),
        ];
        for (key, place) in places {
            if let Some(value) = values.remove(key) {
                *place = value;
            }
        }
        if errors.is_empty() && new.specificity().0 == 0 {
            errors.push(FieldError::new("kind", text!("请说明适用于哪些客户：性质、类别、等级至少选一项")));
        }
        if errors.is_empty() { Ok(new) } else { Err(errors) }
    }
}

/// The code of an active value; a retired one may stay where it was.
fn coded(dictionary: &Dictionary, text: &str, present: &str) -> Option<String> {
    if text.is_empty() || text == present {
        return Some(text.to_owned());
    }
    dictionary.find(text).map(|entry| entry.code.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, class: &str, level: &str) -> Strategy {
        Strategy {
            id: StrategyId(1),
            kind: kind.into(),
            class: class.into(),
            level: level.into(),
            name: String::new(),
            needs: String::new(),
            content: String::new(),
            rhythm_days: 0,
            channel: String::new(),
            post: String::new(),
            valid_from: String::new(),
            note: String::new(),
            version: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn more_conditions_are_more_specific_and_level_goes_before_class_before_nature() {
        let rising = [
            of("person", "", ""),
            of("", "key", ""),
            of("", "", "A"),
            of("person", "key", ""),
            of("person", "", "A"),
            of("", "key", "A"),
            of("person", "key", "A"),
        ];
        for pair in rising.windows(2) {
            assert!(pair[0].specificity() < pair[1].specificity(), "{pair:?}");
        }
    }
}
