//! Fields the company adds to its customers, kept in the customer's `custom` object under a stable key.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use store::{Conn, FromRow, Row, Tx};

use super::{changed, require_name};
use crate::access::{Actor, Object, Verb, require_may};
use crate::audit::{self, Entry};
use crate::clock::{Millis, parse_date};
use crate::error::{AppError, FieldError};
use crate::ids::CustomFieldId;
use crate::text;

/// What such a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomKind {
    /// One line, at most 500 characters.
    Text,
    /// Several lines, at most 5,000 characters.
    LongText,
    /// A number.
    Number,
    /// A date.
    Date,
    /// One of the choices.
    Choice,
    /// Some of the choices.
    Choices,
    /// Yes or no.
    YesNo,
}

impl CustomKind {
    /// Every kind, in the order of the form.
    pub const ALL: [Self; 7] =
        [Self::Text, Self::LongText, Self::Number, Self::Date, Self::Choice, Self::Choices, Self::YesNo];

    /// Whether a field of this kind has choices.
    pub fn has_choices(self) -> bool {
        matches!(self, Self::Choice | Self::Choices)
    }

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::LongText => "long_text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Choice => "choice",
            Self::Choices => "choices",
            Self::YesNo => "yes_no",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "单行文字",
            Self::LongText => "多行文字",
            Self::Number => "数字",
            Self::Date => "日期",
            Self::Choice => "单选",
            Self::Choices => "多选",
            Self::YesNo => "是/否",
        }
    }
}

/// A field the company defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its id.
    pub id: CustomFieldId,
    /// Its key in `custom`: stable, made once.
    pub key: String,
    /// What people read.
    pub title: String,
    /// What it holds.
    pub kind: CustomKind,
    /// The choices, for the choosing kinds.
    pub choices: Vec<String>,
    /// `person`, `organisation` or empty for both.
    pub applies_to: String,
    /// A hint under the field.
    pub help: String,
    /// Whether a form without it is not saved.
    pub is_required: bool,
    /// Whether it is still asked for.
    pub is_active: bool,
    /// Counts its changes.
    pub version: i64,
}

impl CustomField {
    /// What may be changed of it, for the log.
    fn facts(&self) -> Json {
        json!({
            "title": self.title, "choices": self.choices, "applies_to": self.applies_to, "help": self.help,
            "is_required": self.is_required, "is_active": self.is_active,
        })
    }
}

const COLUMNS: &str = "id, key, title, kind, choices, applies_to, help, is_required, is_active, version";

impl FromRow for CustomField {
    fn from_row(row: &Row<'_>) -> store::Result<Self> {
        let kind: String = row.get(3)?;
        Ok(Self {
            id: row.get(0)?,
            key: row.get(1)?,
            title: row.get(2)?,
            kind: CustomKind::ALL.into_iter().find(|k| k.code() == kind).unwrap_or(CustomKind::Text),
            choices: serde_json::from_value(row.get(4)?).unwrap_or_default(),
            applies_to: row.get(5)?,
            help: row.get(6)?,
            is_required: row.get(7)?,
            is_active: row.get(8)?,
            version: row.get(9)?,
        })
    }
}

/// Fields of an object at the most: each costs a column in every form and file.
pub const MOST: i64 = 200;

pub(super) fn load(conn: &mut Conn<'_>) -> store::Result<Vec<CustomField>> {
    conn.rows(
        &format!(
            "SELECT {COLUMNS} FROM custom_fields WHERE object = 'customer' ORDER BY position, id LIMIT 400"
        ),
        &[],
    )
}

/// All fields of customers in order, retired ones too.
pub fn custom_fields(conn: &mut Conn<'_>) -> Result<Vec<CustomField>, AppError> {
    Ok(load(conn)?)
}

/// One field, a retired one too; `NotFound` when there is none with this key.
pub fn load_custom_field(conn: &mut Conn<'_>, key: &str) -> Result<CustomField, AppError> {
    require_name(key)?;
    let sql = format!("SELECT {COLUMNS} FROM custom_fields WHERE object = 'customer' AND key = $1");
    conn.row(&sql, &[key.into()])?.ok_or(AppError::NotFound)
}

/// What an administrator says of a field.
#[derive(Clone, Debug)]
pub struct FieldDraft {
    /// What people read, 1–30 characters, unique.
    pub title: String,
    /// What it holds; cannot be changed later.
    pub kind: CustomKind,
    /// The choices.
    pub choices: Vec<String>,
    /// `person`, `organisation` or empty.
    pub applies_to: String,
    /// A hint.
    pub help: String,
    /// Whether it must be filled.
    pub is_required: bool,
    /// Whether it is asked for.
    pub is_active: bool,
}

fn check(draft: &FieldDraft) -> Result<(), AppError> {
    let mut errors = Vec::new();
    let title = hanzi::normal::visible(&draft.title);
    if title.is_empty() || title.chars().count() > 30 || title.chars().any(char::is_control) {
        errors.push(FieldError::new("title", text!("请填写字段名称，最多 30 个字")));
    }
    if !matches!(draft.applies_to.as_str(), "" | "person" | "organisation") {
        errors.push(FieldError::new("applies_to", text!("请选择适用的客户性质")));
    }
    if draft.help.chars().count() > 200 || draft.help.chars().any(char::is_control) {
        errors.push(FieldError::new("help", text!("最多 {} 个字", 200)));
    }
    if matches!(draft.kind, CustomKind::Choice | CustomKind::Choices) {
        let bad = |c: &String| {
            hanzi::normal::visible(c).is_empty() || c.chars().count() > 60 || c.chars().any(char::is_control)
        };
        if draft.choices.is_empty() || draft.choices.len() > 200 || draft.choices.iter().any(bad) {
            errors.push(FieldError::new("choices", text!("请填写 1–200 个选项，每行一个，每个最多 60 个字")));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

/// Defines a field.
pub fn create_custom_field(
    tx: &mut Tx<'_>,
    actor: &Actor,
    draft: &FieldDraft,
    now: Millis,
) -> Result<CustomField, AppError> {
    require_may(actor, Object::Catalogue, Verb::Update)?;
    check(draft)?;
    let all = load(tx)?;
    if all.len() as i64 >= MOST {
        return Err(AppError::Conflict(text!("自定义字段最多 {} 个", MOST)));
    }
    require_new_title(&all, &draft.title)?;
    let id = CustomFieldId::new();
    let key = format!("f_{}", store::format_id(id.0).to_lowercase());
    tx.exec(
        "INSERT INTO custom_fields (id, object, key, title, kind, choices, applies_to, help, is_required, position)
         VALUES ($1, 'customer', $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            id.into(),
            (&key).into(),
            hanzi::normal::visible(&draft.title).into_owned().into(),
            draft.kind.code().into(),
            serde_json::json!(draft.choices).into(),
            (&draft.applies_to).into(),
            draft.help.trim().into(),
            draft.is_required.into(),
            (all.len() as i64).into(),
        ],
    )?;
    let after = serde_json::json!({ "title": hanzi::normal::visible(&draft.title), "kind": draft.kind.code(), "key": key });
    audit::record(tx, actor, now, &Entry::of("custom_field.created", "custom_field", id.0).after(&after))?;
    load_custom_field(tx, &key)
}

/// Refuses a title that one of these fields has, a retired one too.
fn require_new_title(others: &[CustomField], title: &str) -> Result<(), AppError> {
    if others.iter().any(|f| f.title == hanzi::normal::visible(title)) {
        return Err(AppError::field("title", text!("已有同名字段")));
    }
    Ok(())
}

/// Changes a field; its kind and key stay. Retiring it keeps what was entered. `Stale` when it is not at this `version`
/// any more. A change that changes nothing writes nothing.
pub fn change_custom_field(
    tx: &mut Tx<'_>,
    actor: &Actor,
    key: &str,
    version: Option<i64>,
    draft: &FieldDraft,
    now: Millis,
) -> Result<CustomField, AppError> {
    require_may(actor, Object::Catalogue, Verb::Update)?;
    let (mut same, others): (Vec<_>, Vec<_>) = load(tx)?.into_iter().partition(|f| f.key == key);
    let was = same.pop().ok_or(AppError::NotFound)?;
    if version.is_some_and(|version| version != was.version) {
        return Err(AppError::Stale);
    }
    let draft = FieldDraft { kind: was.kind, ..draft.clone() };
    check(&draft)?;
    let is = CustomField {
        title: hanzi::normal::visible(&draft.title).into_owned(),
        choices: draft.choices,
        applies_to: draft.applies_to,
        help: draft.help.trim().to_owned(),
        is_required: draft.is_required,
        is_active: draft.is_active,
        ..was.clone()
    };
    if is == was {
        return Ok(was);
    }
    if is.title != was.title {
        require_new_title(&others, &is.title)?;
    }
    let done = tx.exec(
        "UPDATE custom_fields SET title = $3, choices = $4, applies_to = $5, help = $6, is_required = $7,
           is_active = $8, version = version + 1 WHERE id = $1 AND version = $2",
        &[
            was.id.into(),
            was.version.into(),
            (&is.title).into(),
            json!(is.choices).into(),
            (&is.applies_to).into(),
            (&is.help).into(),
            is.is_required.into(),
            is.is_active.into(),
        ],
    )?;
    if done == 0 {
        return Err(AppError::Stale);
    }
    let (before, after) = changed(&was.facts(), &is.facts(), &json!({ "title": is.title }));
    audit::record(
        tx,
        actor,
        now,
        &Entry::of("custom_field.updated", "custom_field", was.id.0).change(&before, &after),
    )?;
    load_custom_field(tx, key)
}

/// Puts the fields into this order.
pub fn move_custom_fields(
    tx: &mut Tx<'_>,
    actor: &Actor,
    order: &[CustomFieldId],
    now: Millis,
) -> Result<(), AppError> {
    require_may(actor, Object::Catalogue, Verb::Update)?;
    let before = titles_in_order(tx)?;
    for (position, id) in order.iter().take(400).enumerate() {
        tx.exec(
            "UPDATE custom_fields SET position = $2 WHERE id = $1",
            &[(*id).into(), (position as i64).into()],
        )?;
    }
    let after = titles_in_order(tx)?;
    if after == before {
        return Ok(());
    }
    let (before, after) = (json!({ "order": before }), json!({ "order": after }));
    let entry = Entry::of("custom_field.reordered", "custom_field", 0).change(&before, &after);
    audit::record(tx, actor, now, &entry)?;
    Ok(())
}

fn titles_in_order(tx: &mut Tx<'_>) -> store::Result<Vec<String>> {
    Ok(load(tx)?.into_iter().map(|field| field.title).collect())
}

/// Checks the values for company-defined fields and gives them as they are stored. Values come as JSON (API) or as
/// text (forms, imports); empty means "take it away". What a record `holds` already may stay chosen when the field
/// offers it no more.
pub fn check_custom(
    fields: &[CustomField],
    given: &Map<String, Json>,
    holds: Option<&Map<String, Json>>,
) -> Result<Map<String, Json>, Vec<FieldError>> {
    let (mut kept, mut errors) = (Map::new(), Vec::new());
    for (key, value) in given {
        let name = format!("custom.{key}");
        let Some(field) = fields.iter().find(|f| f.key == *key) else {
            errors.push(FieldError::new(name, text!("没有这个自定义字段")));
            continue;
        };
        match stored(field, value, holds.and_then(|h| h.get(key)).unwrap_or(&Json::Null)) {
            Ok(value) => {
                kept.insert(key.clone(), value);
            }
            Err(text) => errors.push(FieldError::new(name, text)),
        }
    }
    if errors.is_empty() { Ok(kept) } else { Err(errors) }
}

fn stored(field: &CustomField, value: &Json, held: &Json) -> Result<Json, crate::i18n::Text> {
    let text = match value {
        Json::Null => return Ok(Json::Null),
        Json::String(text) => hanzi::normal::visible(text).into_owned(),
        Json::Number(number) => number.to_string(),
        Json::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        Json::Array(parts) => parts.iter().filter_map(Json::as_str).collect::<Vec<_>>().join("\n"),
        Json::Object(_) => return Err(text!("这里不能填写嵌套的内容")),
    };
    if text.is_empty() {
        return Ok(Json::Null);
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\r' && c != '\t') {
        return Err(text!("含有不能识别的控制字符，请删除后重新填写"));
    }
    let longest = if field.kind == CustomKind::LongText { 5000 } else { 500 };
    let length = text.chars().count();
    if length > longest {
        return Err(text!("最多 {} 个字，现在 {} 个", longest, length));
    }
    let choice = |text: &str| {
        let text = text.trim();
        let is_held = match held {
            Json::Array(all) => all.iter().any(|one| one == text),
            one => one == text,
        };
        let is_known = is_held || field.choices.iter().any(|c| c == text);
        is_known.then(|| text.to_owned()).ok_or_else(|| text!("“{}”不在可选值中", text))
    };
    Ok(match field.kind {
        CustomKind::Text | CustomKind::LongText => text.into(),
        CustomKind::Number => {
            let number: f64 = hanzi::fold::width(&text)
                .replace([',', '，'], "")
                .parse()
                .map_err(|_| text!("请填写数字"))?;
            if !number.is_finite() || number.abs() > 1e15 {
                return Err(text!("数字太大，请检查"));
            }
            if number.fract() == 0.0 { (number as i64).into() } else { number.into() }
        }
        CustomKind::Date => match parse_date(&text) {
            Some(date) => date.into(),
            None => return Err(text!("请填写日期，例如 2026-09-28")),
        },
        CustomKind::Choice => choice(&text)?.into(),
        CustomKind::Choices => {
            let parts = text.split(['\n', ',', '，', '、', ';', '；']).filter(|p| !p.trim().is_empty());
            parts.map(|p| choice(p).map(Json::from)).collect::<Result<Vec<_>, _>>()?.into()
        }
        CustomKind::YesNo => match text.to_lowercase().as_str() {
            "是" | "yes" | "true" | "1" | "y" | "on" => true.into(),
            "否" | "no" | "false" | "0" | "n" | "off" => false.into(),
            _ => return Err(text!("请填写“是”或“否”")),
        },
    })
}
