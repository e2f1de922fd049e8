//! What a parameter is: declared as a constant by the feature that reads it, and named in that feature's `PARAMETERS`,
//! which `menu::HOOKS` collects.

use jiff::civil::Time;
use serde_json::Value as Json;
use store::Conn;

use crate::error::AppError;
use crate::i18n::{Lang, Text, word};
use crate::text;

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its stable name in the database, the API and the log: `files.quota_mib`.
    pub name: &'static str,
    /// Under which heading the page lists it (source text).
    pub group: &'static str,
    /// What people call it (source text).
    pub title: &'static str,
    /// What it does, and what a change means (source text).
    pub help: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a parameter holds, between which bounds, and what holds until somebody changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Whole {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// What is counted (source text).
        unit: &'static str,
        /// Until it is changed.
        default: i64,
    },
    /// On or off.
    Flag {
        /// Until it is changed.
        default: bool,
    },
    /// A time of day in the company's zone, `HH:MM`.
    Time {
        /// Until it is changed.
        default: &'static str,
    },
}

/// The parameter of a name among those the features declare.
pub fn find(all: &'static [&'static [Parameter]], name: &str) -> Option<&'static Parameter> {
    all.iter().copied().flatten().find(|p| p.name == name)
}

impl Parameter {
    /// The number it holds now.
    pub fn whole(&self, conn: &mut Conn<'_>) -> store::Result<i64> {
        Ok(self.value(conn)?.as_i64().unwrap_or_default())
    }

    /// Whether it is on now.
    pub fn flag(&self, conn: &mut Conn<'_>) -> store::Result<bool> {
        Ok(self.value(conn)?.as_bool().unwrap_or_default())
    }

    /// The time of day it holds now.
    pub fn time(&self, conn: &mut Conn<'_>) -> store::Result<Time> {
        Ok(self.value(conn)?.as_str().and_then(time).unwrap_or_default())
    }

    /// What it holds now: what was set, if it can be accepted, else the default.
    pub fn value(&self, conn: &mut Conn<'_>) -> store::Result<Json> {
        let sql = "SELECT value FROM settings WHERE name = $1";
        let stored: Option<String> = conn.value(sql, &[self.name.into()])?;
        Ok(self.read(stored.as_deref()))
    }

    /// A stored value. The range may have become narrower since it was set.
    pub(super) fn read(&self, stored: Option<&str>) -> Json {
        let stored = stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null);
        self.check(&stored).unwrap_or_else(|_| self.default_value())
    }

    /// What holds until somebody changes it.
    pub fn default_value(&self) -> Json {
        match self.kind {
            Kind::Whole { default, .. } => default.into(),
            Kind::Flag { default } => default.into(),
            Kind::Time { default } => default.into(),
        }
    }

    /// A value somebody sent, or why it cannot be accepted.
    pub(super) fn check(&self, value: &Json) -> Result<Json, Text> {
        let checked = match self.kind {
            Kind::Whole { min, max, .. } => {
                value.as_i64().filter(|n| (min..=max).contains(n)).map(Json::from)
            }
            Kind::Flag { .. } => value.as_bool().map(Json::from),
            Kind::Time { .. } => {
                value.as_str().and_then(time).map(|t| t.strftime("%H:%M").to_string().into())
            }
        };
        checked.ok_or_else(|| match self.kind {
            Kind::Whole { min, max, unit, .. } => {
                text!("“{}”请填写 {} 到 {} 的整数（{}）", word(self.title), min, max, word(unit))
            }
            Kind::Flag { .. } => text!("“{}”只能是开启或关闭", word(self.title)),
            Kind::Time { .. } => text!("“{}”请填写 24 小时制的时间，例如 02:30", word(self.title)),
        })
    }

    /// What a form's text means; what is no value of this kind stays text and is refused by `check`.
    pub(super) fn read_form(&self, text: &str) -> Json {
        let text = text.trim();
        match self.kind {
            Kind::Whole { .. } => text.parse::<i64>().map_or_else(|_| text.into(), Json::from),
            Kind::Flag { .. } => matches!(text, "1" | "on" | "true" | "yes").into(),
            Kind::Time { .. } => text.into(),
        }
    }

    /// A value in words.
    pub fn shown(&self, value: &Json, l: Lang) -> String {
        match (self.kind, value) {
            (_, Json::Null) => l.t("默认").to_owned(),
            (Kind::Whole { unit, .. }, Json::Number(n)) => format!("{n} {}", l.t(unit)),
            (_, Json::Bool(true)) => l.t("已开启").to_owned(),
            (_, Json::Bool(false)) => l.t("已关闭").to_owned(),
            (_, Json::String(text)) => text.clone(),
            (_, other) => other.to_string(),
        }
    }

    /// Its range in words.
    pub(super) fn range(&self, l: Lang) -> String {
        match self.kind {
            Kind::Whole { min, max, unit, .. } => format!("{min}–{max} {}", l.t(unit)),
            Kind::Flag { .. } => l.t("开启或关闭").to_owned(),
            Kind::Time { .. } => "00:00–23:59".to_owned(),
        }
    }

    /// The code of its kind.
    pub(super) fn kind_code(&self) -> &'static str {
        match self.kind {
            Kind::Whole { .. } => "whole",
            Kind::Flag { .. } => "flag",
            Kind::Time { .. } => "time",
        }
    }

    /// A refusal that names the field `value`.
    pub(super) fn refused(text: Text) -> AppError {
        AppError::field("value", text)
    }
}

/// `2:30` and `02:30`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |part: &str, most| {
        ((1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i8>().ok())
            .flatten()
            .filter(|n| (0..=most).contains(n))
    };
    Time::new(digits(hour, 23)?, digits(minute, 59)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const DAYS: Parameter = Parameter {
        name: "a.days",
        group: "甲",
        title: "天数",
        help: "",
        kind: Kind::Whole { min: 1, max: 30, unit: "天", default: 7 },
    };
    const AT: Parameter = Parameter { kind: Kind::Time { default: "02:30" }, ..DAYS };
    const ON: Parameter = Parameter { kind: Kind::Flag { default: true }, ..DAYS };

    #[test]
    fn what_was_never_set_or_cannot_be_accepted_is_the_default() {
        for stored in [None, Some("null"), Some("0"), Some("31"), Some("\"7\""), Some("{"), Some("7.5")] {
            assert_eq!(DAYS.read(stored), json!(7), "{stored:?}");
        }
        assert_eq!(DAYS.read(Some("30")), json!(30));
        assert_eq!(AT.read(Some("\"25:00\"")), json!("02:30"));
        assert_eq!(AT.read(Some("\"3:05\"")), json!("03:05"));
        assert_eq!(ON.read(Some("false")), json!(false));
        assert_eq!(ON.read(Some("1")), json!(true));
    }

    #[test]
    fn a_refusal_names_the_parameter_and_what_to_do() {
        let said = DAYS.check(&json!(31)).unwrap_err().to(Lang::Zh);
        assert_eq!(said, "“天数”请填写 1 到 30 的整数（天）");
        for wrong in [json!("24:00"), json!("12:60"), json!("12"), json!("+1:00"), json!(""), json!(230)] {
            assert!(AT.check(&wrong).is_err(), "{wrong}");
        }
        assert!(ON.check(&json!("true")).is_err());
    }

    proptest! {
        /// What a form sends and is accepted reads back as what was meant.
        #[test]
        fn forms_and_the_database_agree(n in -100_i64..100, hour in 0_i8..24, minute in 0_i8..60) {
            let sent = DAYS.read_form(&n.to_string());
            match DAYS.check(&sent) {
                Ok(value) => {
                    prop_assert!((1..=30).contains(&n));
                    prop_assert_eq!(DAYS.read(Some(&value.to_string())), json!(n));
                }
                Err(_) => prop_assert!(!(1..=30).contains(&n)),
            }
            let text = format!("{hour:02}:{minute:02}");
            prop_assert_eq!(AT.check(&AT.read_form(&text)).unwrap(), json!(text));
        }
    }
}
