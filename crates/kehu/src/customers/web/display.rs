//! Values as people read them: names of dictionary entries, dates, links that call or write.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::catalogue::{Catalogue, CustomField};
use crate::clock::Zone;
use crate::customers::{Customer, Field, FieldKind, Spec};
use crate::i18n::Lang;
use crate::ids::PersonId;

/// A value ready for `customers/value.html`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// `text`, `long`, `pill`, `words`, `link` or `bar`.
    pub look: &'static str,
    /// What is read; empty when not known.
    pub text: String,
    /// Colour of a pill.
    pub colour: &'static str,
    /// Where a link leads: `tel:`, `mailto:` or a web address.
    pub href: String,
    /// The words of a list.
    pub words: Vec<String>,
    /// A date that has passed.
    pub is_late: bool,
}

impl Shown {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { look: "text", text: text.into(), ..Self::default() }
    }

    /// A link.
    fn link(text: &str, href: String) -> Self {
        Self { look: "link", text: text.into(), href, ..Self::default() }
    }
}

/// What values need to be read.
pub struct Reader<'a> {
    /// Dictionaries and company fields.
    pub catalogue: &'a Catalogue,
    /// Language.
    pub l: Lang,
    /// The company's zone.
    pub zone: &'a Zone,
    /// Names of people.
    pub names: &'a HashMap<PersonId, String>,
    /// Today, `YYYY-MM-DD`.
    pub today: String,
}

impl Reader<'_> {
    /// The value of a built-in field.
    pub fn field(&self, spec: &Spec, value: &str) -> Shown {
        if value.is_empty() {
            return Shown::text("");
        }
        match spec.kind {
            FieldKind::Dictionary(name) => {
                let dictionary = self.catalogue.dictionary(name);
                let colour = dictionary.entry(value).map_or("", |e| pill_colour(&e.colour));
                let look = if matches!(spec.field, Field::Class | Field::Level) { "pill" } else { "text" };
                Shown { look, text: dictionary.title(value, self.l).to_owned(), colour, ..Shown::default() }
            }
            // What is masked leads nowhere.
            FieldKind::Phone | FieldKind::Email if value.contains('*') => Shown::text(value),
            FieldKind::Phone => Shown::link(value, format!("tel:{}", value.replace([' ', '-'], ""))),
            FieldKind::Email => Shown::link(value, format!("mailto:{value}")),
            FieldKind::Url if value.starts_with("https://") || value.starts_with("http://") => {
                Shown::link(value, value.to_owned())
            }
            FieldKind::LongText => Shown { look: "long", text: value.to_owned(), ..Shown::default() },
            FieldKind::Gender => Shown::text(self.l.t(gender(value))),
            FieldKind::Region => Shown::text(value.replace('/', " ")),
            FieldKind::Date => Shown {
                look: "text",
                text: value.to_owned(),
                is_late: spec.field == Field::NextContactOn && value < self.today.as_str(),
                ..Shown::default()
            },
            _ => Shown::text(value),
        }
    }

    /// The value of a company field.
    pub fn custom(&self, field: Option<&CustomField>, value: &Json) -> Shown {
        use crate::catalogue::CustomKind;
        match value {
            Json::Null => Shown::text(""),
            Json::Bool(yes) => Shown::text(self.l.t(if *yes { "是" } else { "否" })),
            Json::Number(number) => Shown::text(number.to_string()),
            Json::String(text) if field.is_some_and(|f| f.kind == CustomKind::LongText) => {
                Shown { look: "long", text: text.clone(), ..Shown::default() }
            }
            Json::String(text) => Shown::text(text.clone()),
            Json::Array(all) => words(all.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
            Json::Object(_) => Shown::text(value.to_string()),
        }
    }

    /// What stands in a column, or at a name in the audit log, of this customer.
    pub fn column(&self, customer: &Customer, name: &str) -> Shown {
        if let Some(field) = Field::named(name) {
            return self.field(field.spec(), customer.get(field));
        }
        match name {
            "number" => Shown::text(customer.number.clone()),
            "kind" => Shown::text(self.l.t(customer.kind.title())),
            "owner_id" => Shown::text(self.person(customer.owner_id)),
            "tags" => words(customer.tags.clone()),
            "completeness" => {
                Shown { look: "bar", text: customer.completeness.to_string(), ..Shown::default() }
            }
            "last_activity_at" => {
                Shown::text(customer.last_activity_at.map_or_else(String::new, |at| self.zone.minute(at)))
            }
            "created_at" => Shown::text(self.zone.minute(customer.created_at)),
            "updated_at" => Shown::text(self.zone.minute(customer.updated_at)),
            _ => match name.strip_prefix("custom.") {
                Some(key) => {
                    let field = self.catalogue.custom_fields.iter().find(|f| f.key == key);
                    self.custom(field, customer.custom.get(key).unwrap_or(&Json::Null))
                }
                None => Shown::text(""),
            },
        }
    }

    /// The name of a person, empty for nobody.
    pub fn person(&self, id: Option<PersonId>) -> String {
        id.map_or_else(String::new, |id| self.names.get(&id).cloned().unwrap_or_default())
    }
}

fn words(words: Vec<String>) -> Shown {
    Shown { look: "words", text: words.join("、"), words, ..Shown::default() }
}

/// The name people read (source text).
pub fn gender(code: &str) -> &'static str {
    match code {
        "male" => "男",
        "female" => "女",
        // Masked.
        _ => "***",
    }
}

/// The pill for a colour of the Tabler palette.
pub fn pill_colour(colour: &str) -> &'static str {
    match colour {
        "blue" | "azure" | "indigo" => "blue",
        "green" | "lime" | "teal" => "green",
        "yellow" | "orange" => "amber",
        "red" | "pink" => "red",
        "cyan" => "cyan",
        "purple" => "plum",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links_to_follow() {
        let (catalogue, zone, names) = (Catalogue::default(), Zone::default(), HashMap::new());
        let reader = Reader {
            catalogue: &catalogue,
            l: Lang::Zh,
            zone: &zone,
            names: &names,
            today: "2026-09-28".into(),
        };
        let site = Field::Website.spec();
        assert_eq!(reader.field(site, "https://www.tianjiang.cn").href, "https://www.tianjiang.cn");
        assert_eq!(reader.field(site, "javascript:alert(1)").href, "");
        assert_eq!(reader.field(Field::Phone.spec(), "020-8755 1234").href, "tel:02087551234");
        assert!(reader.field(Field::NextContactOn.spec(), "2026-09-27").is_late);
        assert!(!reader.field(Field::NextContactOn.spec(), "2026-09-28").is_late);
    }
}
