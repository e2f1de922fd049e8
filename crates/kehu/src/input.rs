//! Values somebody sent for one record, as JSON or as a form: checked against a table of fields, every mistake named
//! with its field at once.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::clock::parse_date;
use crate::error::{AppError, FieldError};
use crate::i18n::{Text, word};
use crate::text;
use crate::web::FormData;

/// What a field holds and how it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// A mobile or landline number.
    Phone,
    /// A mail address.
    Email,
    /// A date `YYYY-MM-DD`.
    Date,
    /// A number plate.
    Plate,
    /// A vehicle identification number.
    Vin,
    /// A decimal number that is not negative, with at most three places.
    Number,
}

/// One field of a record.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name in API and forms.
    pub key: &'static str,
    /// Its Chinese title (source text).
    pub zh: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Most characters.
    pub longest: usize,
    /// Whether a record must have it.
    pub is_required: bool,
}

/// A field that may stay empty.
pub const fn optional(key: &'static str, zh: &'static str, kind: Kind, longest: usize) -> Spec {
    Spec { key, zh, kind, longest, is_required: false }
}

/// A field every record has.
pub const fn required(key: &'static str, zh: &'static str, kind: Kind, longest: usize) -> Spec {
    Spec { key, zh, kind, longest, is_required: true }
}

/// Values as sent, by field. Absent means "leave as it is", empty text "take away".
pub type Values = BTreeMap<&'static str, String>;

/// Takes the fields of `specs` out of a JSON object. Null takes a value away; anything but text, or a number where
/// one is meant, is an error.
pub fn take_json(specs: &[Spec], body: &mut Map<String, Json>, errors: &mut Vec<FieldError>) -> Values {
    let mut values = Values::new();
    for spec in specs {
        match body.remove(spec.key) {
            None => {}
            Some(Json::String(text)) => drop(values.insert(spec.key, text)),
            Some(Json::Null) => drop(values.insert(spec.key, String::new())),
            Some(Json::Number(number)) if spec.kind == Kind::Number => {
                values.insert(spec.key, number.to_string());
            }
            Some(_) => errors.push(FieldError::new(spec.key, text!("这里要用文字"))),
        }
    }
    values
}

/// Takes text out of a JSON object: `None` when it is not named, empty text for null. Anything else is an error.
pub fn take_text(body: &mut Map<String, Json>, key: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    match body.remove(key)? {
        Json::Null => Some(String::new()),
        Json::String(text) => Some(text),
        _ => {
            errors.push(FieldError::new(key, text!("这里要用文字")));
            None
        }
    }
}

/// Takes true or false out of a JSON object; `None` when it is not named.
pub fn take_flag(body: &mut Map<String, Json>, key: &str, errors: &mut Vec<FieldError>) -> Option<bool> {
    let flag = body.remove(key)?;
    if !flag.is_boolean() {
        errors.push(FieldError::new(key, text!("这里要用 true 或 false")));
    }
    flag.as_bool()
}

/// Takes a list of at most `most` texts out of a JSON object; `None` when it is not named.
pub fn take_texts(
    body: &mut Map<String, Json>,
    key: &str,
    most: usize,
    errors: &mut Vec<FieldError>,
) -> Option<Vec<String>> {
    let list = body.remove(key)?;
    let texts = list.as_array().filter(|list| list.len() <= most).and_then(|list| {
        list.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    if texts.is_none() {
        errors.push(FieldError::new(key, text!("这里要用文字的列表，最多 {} 项", most)));
    }
    texts
}

/// Every name left in an API body is a mistake: a read-only or an unknown one. Nothing is dropped silently.
pub fn refuse_rest(body: &Map<String, Json>, read_only: &[&str], errors: &mut Vec<FieldError>) {
    for key in body.keys() {
        let text = if read_only.contains(&key.as_str()) {
            text!("这一项由系统维护，不能写入")
        } else {
            text!("没有这个字段")
        };
        errors.push(FieldError::new(shorten(key), text));
    }
}

/// The fields of `specs` a form has.
pub fn take_form(specs: &[Spec], form: &FormData) -> Values {
    specs.iter().filter_map(|s| form.find(s.key).map(|value| (s.key, value.to_owned()))).collect()
}

/// Checks every value; `is_new` also asks for what must not be missing. What cannot be accepted is left out and
/// named in `errors`.
pub fn clean(specs: &[Spec], values: &Values, is_new: bool, errors: &mut Vec<FieldError>) -> Values {
    let mut cleaned = Values::new();
    for spec in specs {
        let raw = values.get(spec.key);
        match raw.map(|raw| clean_value(spec.kind, spec.longest, raw)).transpose() {
            Ok(Some(value)) if value.is_empty() && spec.is_required => {
                errors.push(FieldError::new(spec.key, text!("请填写{}", word(spec.zh))));
            }
            Ok(Some(value)) => drop(cleaned.insert(spec.key, value)),
            Ok(None) if is_new && spec.is_required => {
                errors.push(FieldError::new(spec.key, text!("请填写{}", word(spec.zh))));
            }
            Ok(None) => {}
            Err(text) => errors.push(FieldError::new(spec.key, text)),
        }
    }
    cleaned
}

/// One value in the form it is stored in.
pub fn clean_value(kind: Kind, longest: usize, raw: &str) -> Result<String, Text> {
    let is_long = kind == Kind::Lines;
    if raw.chars().any(|c| is_unwanted(c) || (!is_long && matches!(c, '\n' | '\r'))) {
        return Err(text!("含有不能识别的控制字符，请删除后重新填写"));
    }
    let value = &*hanzi::normal::visible(raw);
    let length = value.chars().count();
    if length > longest.max(40) {
        return Err(text!("最多 {} 个字，现在 {} 个", longest, length));
    }
    if value.is_empty() {
        return Ok(String::new());
    }
    let both = |p: hanzi::check::Problem| Text::Both(p.zh, p.en);
    let clean = match kind {
        Kind::Line => value.to_owned(),
        Kind::Lines => value.replace("\r\n", "\n").replace('\r', "\n"),
        Kind::Phone => hanzi::check::phone(value).map_err(both)?,
        Kind::Email => hanzi::check::email(value).map_err(both)?,
        Kind::Plate => hanzi::check::plate(value).map_err(both)?,
        Kind::Vin => hanzi::check::vin(value).map_err(both)?,
        Kind::Date => parse_date(value).ok_or_else(|| text!("请填写日期，例如 2026-09-28"))?,
        Kind::Number => number(value).ok_or_else(|| text!("请填写数字，最多三位小数，例如 315 或 0.5"))?,
    };
    match clean.chars().count() {
        n if n > longest => Err(text!("最多 {} 个字，现在 {} 个", longest, n)),
        _ => Ok(clean),
    }
}

/// Control characters and the marks that turn the direction of text.
pub fn is_unwanted(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn number(value: &str) -> Option<String> {
    let value = hanzi::fold::width(value).replace([',', '，'], "");
    let (whole, places) = value.split_once('.').unwrap_or((&value, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fits = (1..=12).contains(&whole.len()) && places.len() <= 3 && digits(whole) && digits(places);
    if !fits || value.ends_with('.') {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let places = places.trim_end_matches('0');
    Some(if places.is_empty() { whole.to_owned() } else { format!("{whole}.{places}") })
}

/// The values that differ between two states of a record, before and after.
pub fn difference(old: &Json, new: &Json) -> (Json, Json) {
    let (mut before, mut after) = (Map::new(), Map::new());
    if let (Json::Object(old), Json::Object(new)) = (old, new) {
        for (key, value) in new {
            let was = old.get(key).unwrap_or(&Json::Null);
            if was != value {
                before.insert(key.clone(), was.clone());
                after.insert(key.clone(), value.clone());
            }
        }
    }
    (Json::Object(before), Json::Object(after))
}

/// Names from outside are echoed only up to a length.
pub fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_unwanted(*c)).take(60).collect()
}

/// The errors as one refusal, or nothing.
pub fn refuse(errors: Vec<FieldError>) -> Result<(), AppError> {
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

/// Errors of a refused form, to show each at its field.
#[derive(Clone, Debug, Default)]
pub struct FormErrors(pub Vec<FieldError>);

impl FormErrors {
    /// What is wrong with a field, empty when nothing.
    pub fn of(&self, field: &str, l: crate::i18n::Lang) -> String {
        self.0.iter().find(|e| e.field == field).map(|e| e.text.to(l)).unwrap_or_default()
    }

    /// What belongs to none of these fields.
    pub fn others(&self, fields: &[&str], l: crate::i18n::Lang) -> Vec<String> {
        self.0.iter().filter(|e| !fields.contains(&e.field.as_str())).map(|e| e.text.to(l)).collect()
    }
}

/// The pattern of a LIKE that finds `text` anywhere, with `\` as escape character; in lower case.
pub fn like_anywhere(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().to_lowercase().chars().take(100) {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Characters of a search text at the most.
pub const LONGEST_QUERY: usize = 100;

/// Refuses a search text no name could hold.
pub fn check_query(text: &str) -> Result<(), AppError> {
    if text.chars().count() > LONGEST_QUERY || text.chars().any(is_unwanted) {
        return Err(AppError::field("q", text!("搜索内容最多 100 个字，不含控制字符")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stored_in_one_form_or_refused_with_a_sentence() {
        for (kind, raw, stored) in [
            (Kind::Line, "  张三 ", "张三"),
            (Kind::Lines, "一\r\n二\r三", "一\n二\n三"),
            (Kind::Date, "2026年9月8日", "2026-09-08"),
            (Kind::Number, "007.50", "7.5"),
            (Kind::Number, "1,250", "1250"),
            (Kind::Number, "0", "0"),
        ] {
            assert_eq!(clean_value(kind, 40, raw).unwrap(), stored, "{raw}");
        }
        for (kind, raw) in [
            (Kind::Line, "a\0b"),
            (Kind::Line, "文件\u{202e}gpj.exe"),
            (Kind::Line, "两\n行"),
            (Kind::Date, "2026-02-30"),
            (Kind::Number, "-1"),
            (Kind::Number, "1."),
            (Kind::Number, "1.2345"),
            (Kind::Number, "1e5"),
        ] {
            assert!(clean_value(kind, 40, raw).is_err(), "{raw:?}");
        }
        assert!(clean_value(Kind::Line, 50, &"长".repeat(51)).is_err());
        assert!(clean_value(Kind::Line, 50, &"长".repeat(50)).is_ok());
    }

    #[test]
    fn wildcards_of_like_are_only_characters() {
        assert_eq!(like_anywhere(" 5%_A\\ "), "%5\\%\\_a\\\\%");
    }
}
