//! The types of a customer and the pure rules about them: no database, no HTTP, no clock.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json, json};

use super::fields::{COUNT, Field, FieldKind, SPECS, Spec};
use super::withhold::Withheld;
use crate::catalogue::{Catalogue, check_custom};
use crate::clock::{Millis, parse_date, rfc3339};
use crate::error::FieldError;
use crate::i18n::{Text, word};
use crate::ids::{CustomerId, PersonId, UnitId};
use crate::text;

/// Whether a customer is a person or an organisation (GM-03). Does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 个人.
    Person,
    /// 企业.
    Organisation,
}

impl Kind {
    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Person => "个人",
            Self::Organisation => "企业",
        }
    }

    /// The kind a person or program means.
    pub fn named(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "person" | "个人" | "自然人" | "个人客户" | "individual" => Some(Self::Person),
            "organisation" | "organization" | "企业" | "单位" | "公司" | "企业客户" | "机构" | "company" => {
                Some(Self::Organisation)
            }
            _ => None,
        }
    }
}

/// A customer as stored. What of it an actor may see was decided when it was loaded.
#[derive(Clone, Debug)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// The number people use (户头号).
    pub number: String,
    /// Person or organisation.
    pub kind: Kind,
    /// Who looks after it.
    pub owner_id: Option<PersonId>,
    /// The unit it belongs to: that of the owner's main post when it was given to him, unless another was named.
    pub unit_id: Option<UnitId>,
    /// Values of the built-in fields.
    pub values: Values,
    /// Tags.
    pub tags: Vec<String>,
    /// Values of the company's own fields.
    pub custom: Map<String, Json>,
    /// How much of the dossier is filled, 0–100.
    pub completeness: i64,
    /// When somebody last dealt with it.
    pub last_activity_at: Option<Millis>,
    /// How many of its needs nobody has dealt with yet; kept by `refresh_open_needs`.
    pub open_needs: i64,
    /// Counts changes.
    pub version: i64,
    /// Made when.
    pub created_at: Millis,
    /// Made by.
    pub created_by: PersonId,
    /// Changed when.
    pub updated_at: Millis,
    /// Changed by.
    pub updated_by: PersonId,
    /// Taken away when; such a customer is only seen by administrators in the recycle bin.
    pub deleted_at: Option<Millis>,
    /// What its reader may not see or change; nothing in a customer loaded to be changed.
    pub withheld: Withheld,
}

/// The value of each built-in field; empty text means "not known".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values(pub Box<[String; COUNT]>);

impl Default for Values {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| String::new())))
    }
}

impl std::ops::Index<Field> for Values {
    type Output = str;
    fn index(&self, field: Field) -> &str {
        &self.0[field as usize]
    }
}

impl Values {
    /// Sets a value.
    pub fn set(&mut self, field: Field, value: String) {
        self.0[field as usize] = value;
    }
}

impl Customer {
    /// The value of a field.
    pub fn get(&self, field: Field) -> &str {
        &self.values[field]
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.values[Field::Name]
    }

    /// As the API sends it.
    pub fn json(&self) -> Json {
        json!(self)
    }

    /// The fields a complete dossier still lacks; `has_contact` tells whether it has a contact person.
    pub fn missing(&self, has_contact: bool) -> Vec<&'static str> {
        missing(self.kind, &self.values, has_contact)
    }
}

/// As the API sends it (design.md §6). Unknown values are null.
impl Serialize for Customer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("id", &self.id)?;
        body.serialize_entry("number", &self.number)?;
        body.serialize_entry("kind", self.kind.code())?;
        for spec in SPECS.iter().filter(|s| s.applies_to(self.kind) && !self.withheld.hides(s.key)) {
            let value = &self.values[spec.field];
            body.serialize_entry(spec.key, &(!value.is_empty()).then_some(value))?;
        }
        body.serialize_entry("owner_id", &self.owner_id)?;
        body.serialize_entry("unit_id", &self.unit_id)?;
        body.serialize_entry("tags", &self.tags)?;
        body.serialize_entry("custom", &self.custom)?;
        let masked: Vec<&str> = self.withheld.masked().collect();
        if !masked.is_empty() {
            body.serialize_entry("masked", &masked)?;
        }
        body.serialize_entry("completeness", &self.completeness)?;
        body.serialize_entry("last_activity_at", &self.last_activity_at.map(rfc3339))?;
        body.serialize_entry("version", &self.version)?;
        body.serialize_entry("created_at", &rfc3339(self.created_at))?;
        body.serialize_entry("updated_at", &rfc3339(self.updated_at))?;
        body.end()
    }
}

fn missing(kind: Kind, values: &Values, has_contact: bool) -> Vec<&'static str> {
    let mut lacking: Vec<&'static str> =
        dossier(kind).filter(|s| values[s.field].is_empty()).map(|s| s.zh).collect();
    if kind == Kind::Organisation && !has_contact {
        lacking.push("联系人");
    }
    lacking
}

fn dossier(kind: Kind) -> impl Iterator<Item = &'static Spec> {
    SPECS.iter().filter(move |s| s.is_dossier && s.applies_to(kind))
}

/// How much of the dossier is filled, 0–100: each dossier field counts alike, for organisations a contact too.
pub(super) fn completeness(kind: Kind, values: &Values, has_contact: bool) -> i64 {
    let wanted = dossier(kind).count() + usize::from(kind == Kind::Organisation);
    let lacking = missing(kind, values, has_contact).len();
    ((wanted - lacking) * 100 / wanted.max(1)) as i64
}

/// What somebody wants to write. Absent means "leave as it is", empty text "take away".
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Kind; only for new customers.
    pub kind: Option<Kind>,
    /// Number; only for new customers, made by the system when absent.
    pub number: Option<String>,
    /// Built-in fields as typed.
    pub fields: BTreeMap<Field, String>,
    /// Owner; `Some(None)` takes the owner away.
    pub owner_id: Option<Option<PersonId>>,
    /// Unit; absent, a new owner brings his own.
    pub unit_id: Option<Option<UnitId>>,
    /// Tags, replacing all.
    pub tags: Option<Vec<String>>,
    /// Company-defined fields, merged by key.
    pub custom: Option<Map<String, Json>>,
    /// Whether a contact person is written together with a new customer.
    pub has_contact: bool,
}

/// Names a program may not write; told apart from unknown ones in the message.
const READ_ONLY: [&str; 9] = [
    "id",
    "completeness",
    "last_activity_at",
    "version",
    "created_at",
    "updated_at",
    "created_by",
    "updated_by",
    "masked",
];

impl Draft {
    /// Reads the body of an API call. Unknown and read-only names are errors, so that a typing mistake never loses a
    /// value silently.
    pub fn from_json(body: &Map<String, Json>) -> Result<Self, Vec<FieldError>> {
        let mut draft = Self::default();
        let mut errors = Vec::new();
        for (key, value) in body {
            if let Some(field) = Field::named(key) {
                match value {
                    Json::String(text) => drop(draft.fields.insert(field, text.clone())),
                    Json::Null => drop(draft.fields.insert(field, String::new())),
                    _ => errors.push(FieldError::new(key, text!("这里要用文字"))),
                }
                continue;
            }
            match (key.as_str(), value) {
                ("kind", Json::String(text)) => match Kind::named(text) {
                    Some(kind) => draft.kind = Some(kind),
                    None => errors.push(FieldError::new(
                        key,
                        text!("客户性质只能是 person（个人）或 organisation（企业）"),
                    )),
                },
                ("number", Json::String(text)) => draft.number = Some(text.clone()),
                ("number", Json::Null) => {}
                ("owner_id", Json::Null) => draft.owner_id = Some(None),
                ("owner_id", Json::String(text)) => match text.parse() {
                    Ok(id) => draft.owner_id = Some(Some(id)),
                    Err(_) => errors.push(FieldError::new(key, text!("没有这位员工"))),
                },
                ("unit_id", Json::Null) => draft.unit_id = Some(None),
                ("unit_id", Json::String(text)) => match text.parse() {
                    Ok(id) => draft.unit_id = Some(Some(id)),
                    Err(_) => errors.push(FieldError::new(key, text!("没有这个部门"))),
                },
                ("tags", Json::Array(all)) => {
                    match all.iter().map(|t| t.as_str().map(str::to_owned)).collect() {
                        Some(tags) => draft.tags = Some(tags),
                        None => errors.push(FieldError::new(key, text!("标签要用文字"))),
                    }
                }
                ("custom", Json::Object(custom)) => draft.custom = Some(custom.clone()),
                (name, _) if READ_ONLY.contains(&name) => {
                    errors.push(FieldError::new(key, text!("这一项由系统维护，不能写入")));
                }
                ("kind" | "number" | "owner_id" | "unit_id" | "tags" | "custom", _) => {
                    errors.push(FieldError::new(key, text!("内容的类型不对")));
                }
                _ => errors.push(FieldError::new(shorten(key), text!("没有这个字段"))),
            }
        }
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }
}

/// Names from outside are echoed only up to a length.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Name of the requirement that a new organisation comes with a contact person (联系人, VF-04). Contacts are records of
/// their own, so this is not one of the fields.
pub const CONTACT: &str = "contact";

/// A draft whose values were checked and brought into the form they are stored in.
#[derive(Clone, Debug, Default)]
pub struct Cleaned {
    /// Built-in fields.
    pub fields: BTreeMap<Field, String>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// Company-defined fields; null takes a value away.
    pub custom: Option<Map<String, Json>>,
}

/// Checks every value of a draft against its field: formats, check digits, dictionaries, regions, lengths. A value that
/// the stored customer holds already passes, also when it could not be chosen anew. Without one the customer is new, and
/// what must not be missing is asked for. An ID number fills in the date of birth and gender it holds where nothing is
/// said of them. All errors at once, each with its field.
pub fn clean(
    catalogue: &Catalogue,
    kind: Kind,
    draft: &Draft,
    stored: Option<&Customer>,
    now: Millis,
) -> Result<Cleaned, Vec<FieldError>> {
    let is_new = stored.is_none();
    let mut cleaned = Cleaned::default();
    let mut errors = Vec::new();
    for (field, raw) in &draft.fields {
        let spec = field.spec();
        if !spec.applies_to(kind) {
            if !raw.trim().is_empty() {
                errors.push(FieldError::new(
                    spec.key,
                    text!("{}客户没有“{}”这一项", word(kind.title()), word(spec.zh)),
                ));
            }
            continue;
        }
        match clean_or_keep(catalogue, spec, raw, stored.map_or("", |c| c.get(*field))) {
            Ok(value) if *field == Field::Birthday && value > last_day_anywhere(now) => {
                errors.push(FieldError::new(spec.key, text!("出生日期还没有到，请核对")));
            }
            Ok(value)
                if *field == Field::FirstContactOn
                    && value > last_day_anywhere(now)
                    && stored.is_none_or(|c| c.get(*field) != value) =>
            {
                errors.push(FieldError::new(spec.key, text!("首次接触日期还没有到，请核对")));
            }
            Ok(value) => drop(cleaned.fields.insert(*field, value)),
            Err(text) => errors.push(FieldError::new(spec.key, text)),
        }
    }
    if cleaned.fields.get(&Field::IdNumber).is_some_and(|number| is_not_born(number, now)) {
        errors.push(FieldError::new("id_number", text!("身份证号里的出生日期还没有到，请核对")));
    } else {
        fill_in_from_id_number(&mut cleaned, stored);
    }
    let is_given =
        |key: &str| Field::named(key).is_some_and(|f| cleaned.fields.get(&f).is_some_and(|v| !v.is_empty()));
    let is_wrong = |key: &str, errors: &[FieldError]| errors.iter().any(|e| e.field == key);
    let required = std::iter::once("name").chain(catalogue.requirements.to_save.iter().map(String::as_str));
    for key in required {
        let Some(spec) = Field::named(key).map(Field::spec).filter(|s| s.applies_to(kind)) else { continue };
        // A change must not empty a required field; a new customer must have it.
        let is_touched = cleaned.fields.contains_key(&spec.field);
        if (is_new || is_touched) && !is_given(key) && !is_wrong(key, &errors) {
            errors.push(FieldError::new(spec.key, text!("请填写{}", word(spec.zh))));
        }
    }
    let wants_contact = catalogue.requirements.to_save.iter().any(|key| key == CONTACT);
    if is_new && kind == Kind::Organisation && wants_contact && !draft.has_contact {
        errors.push(FieldError::new("contact.name", text!("请填写联系人")));
    }
    if let Some(tags) = &draft.tags {
        match clean_tags(tags) {
            Ok(tags) => cleaned.tags = Some(tags),
            Err(text) => errors.push(FieldError::new("tags", text)),
        }
    }
    if let Some(custom) = &draft.custom {
        match check_custom(&catalogue.custom_fields, custom, stored.map(|c| &c.custom)) {
            Ok(custom) => cleaned.custom = Some(custom),
            Err(more) => errors.extend(more),
        }
    }
    for field in catalogue.custom_fields.iter().filter(|f| f.is_active && f.is_required) {
        if !field.applies_to.is_empty() && field.applies_to != kind.code() {
            continue;
        }
        let given = cleaned.custom.as_ref().and_then(|c| c.get(&field.key));
        let is_empty = given.is_none_or(Json::is_null);
        let name = format!("custom.{}", field.key);
        if (is_new || given.is_some()) && is_empty && !is_wrong(&name, &errors) {
            errors.push(FieldError::new(name, text!("请填写{}", field.title)));
        }
    }
    if errors.is_empty() { Ok(cleaned) } else { Err(errors) }
}

/// Today's date where the day begins first.
fn last_day_anywhere(now: Millis) -> String {
    const EARLIEST_ZONE_AHEAD: Millis = 14 * 3_600_000;
    let day = crate::clock::rfc3339(now.saturating_add(EARLIEST_ZONE_AHEAD));
    day.chars().take("2026-01-01".len()).collect()
}

/// What of the date of birth and gender an ID number holds, as they are stored.
fn in_id_number(id_number: &str) -> Option<[(Field, String); 2]> {
    let born = id_number.get(6..14)?;
    let birthday = format!("{}-{}-{}", born.get(..4)?, born.get(4..6)?, born.get(6..)?);
    let sex = id_number.get(16..17)?.parse::<u8>().ok()?;
    let gender = if sex % 2 == 1 { "male" } else { "female" };
    Some([(Field::Birthday, birthday), (Field::Gender, gender.to_owned())])
}

fn is_not_born(id_number: &str, now: Millis) -> bool {
    in_id_number(id_number).is_some_and(|[(_, birthday), _]| birthday > last_day_anywhere(now))
}

fn fill_in_from_id_number(cleaned: &mut Cleaned, stored: Option<&Customer>) {
    let Some(held) = cleaned.fields.get(&Field::IdNumber).and_then(|number| in_id_number(number)) else {
        return;
    };
    for (field, value) in held {
        // Empty in a form that shows the field is not a wish: the form of a new customer sends all of them. Nor is what
        // stood there before.
        let stands = stored.map_or("", |customer| customer.get(field));
        let is_said = cleaned.fields.get(&field).is_some_and(|said| !said.is_empty() && said != stands);
        // What the number before held goes with it.
        let is_known = stored.is_some_and(|customer| {
            let known = customer.get(field);
            let before = in_id_number(customer.get(Field::IdNumber)).into_iter().flatten();
            !known.is_empty() && !before.into_iter().any(|(of, value)| of == field && value == known)
        });
        if !is_said && !is_known {
            cleaned.fields.insert(field, value);
        }
    }
}

/// The fields whose values contradict the ID number, each with what that holds. People may have a birthday they keep and
/// another on their card, so it is a doubt and no error.
pub fn against_id_number(values: &Values) -> Vec<(Field, Text)> {
    let held = in_id_number(&values[Field::IdNumber]).into_iter().flatten();
    let against = held.filter(|(field, value)| !values[*field].is_empty() && values[*field] != *value);
    against
        .map(|(field, value)| {
            let text = match field {
                Field::Birthday => text!("与身份证号里的出生日期 {} 不一致，请核对", value),
                _ => text!("与身份证号里的性别不一致，请核对"),
            };
            (field, text)
        })
        .collect()
}

/// One value in the form it is stored in: the stored one when that is what was sent, by its code or by its name.
fn clean_or_keep(catalogue: &Catalogue, spec: &Spec, raw: &str, stored: &str) -> Result<String, Text> {
    if !stored.is_empty() && raw.trim().replace("\r\n", "\n") == stored {
        return Ok(stored.to_owned());
    }
    clean_value(catalogue, spec, raw).or_else(|text| {
        let kept = spec.dictionary().and_then(|name| catalogue.dictionary(name).entry(stored));
        kept.filter(|entry| entry.is_called(raw.trim())).map(|entry| entry.code.clone()).ok_or(text)
    })
}

/// One value in the form it is stored in.
pub(super) fn clean_value(catalogue: &Catalogue, spec: &Spec, raw: &str) -> Result<String, Text> {
    let is_long = spec.kind == FieldKind::LongText;
    if raw.chars().any(|c| is_forbidden(c) || (!is_long && matches!(c, '\n' | '\r'))) {
        return Err(text!("含有不能识别的控制字符，请删除后重新填写"));
    }
    let value = &*hanzi::normal::visible(raw);
    let length = value.chars().count();
    if length > spec.longest.max(40) {
        return Err(text!("最多 {} 个字，现在 {} 个", spec.longest, length));
    }
    if value.is_empty() {
        return Ok(String::new());
    }
    let both = |p: hanzi::check::Problem| Text::Both(p.zh, p.en);
    let clean = match spec.kind {
        FieldKind::Text => value.to_owned(),
        FieldKind::LongText => value.replace("\r\n", "\n").replace('\r', "\n"),
        FieldKind::Phone => hanzi::check::phone(value).map_err(both)?,
        FieldKind::Email => hanzi::check::email(value).map_err(both)?,
        FieldKind::Url => hanzi::check::url(value).map_err(both)?,
        FieldKind::CreditCode => hanzi::check::credit_code(value).map_err(both)?,
        FieldKind::IdNumber => hanzi::check::id_card(value).map_err(both)?,
        FieldKind::Postcode => hanzi::check::postcode(value).map_err(both)?,
        FieldKind::Date => parse_date(value).ok_or_else(|| text!("请填写日期，例如 2026-09-28"))?,
        FieldKind::Gender => match value.to_lowercase().as_str() {
            "男" | "male" | "m" | "先生" => "male".into(),
            "女" | "female" | "f" | "女士" => "female".into(),
            _ => return Err(text!("性别请填写“男”或“女”")),
        },
        FieldKind::Dictionary(name) => {
            let dictionary = catalogue.dictionary(name);
            match dictionary.find(value) {
                Some(entry) => entry.code.clone(),
                None => {
                    return Err(text!(
                        "“{}”不在可选值中，请从以下选择：{}",
                        value.chars().take(30).collect::<String>(),
                        dictionary.choice_words()
                    ));
                }
            }
        }
        FieldKind::Region => match crate::regions::resolve(value) {
            Ok(region) => region.path.to_owned(),
            Err(unknown) => return Err(unknown.text()),
        },
    };
    if clean.chars().count() > spec.longest {
        return Err(text!("最多 {} 个字，现在 {} 个", spec.longest, clean.chars().count()));
    }
    Ok(clean)
}

/// Control characters and the marks that turn the direction of text: never part of a value.
pub fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most 30 tags of at most 20 characters, without repeats.
fn clean_tags(tags: &[String]) -> Result<Vec<String>, Text> {
    let mut kept: Vec<String> = Vec::new();
    for tag in tags.iter().map(|t| hanzi::normal::visible(t)).filter(|t| !t.is_empty()) {
        if tag.chars().count() > 20
            || tag.chars().any(|c| c.is_control() || is_forbidden(c) || matches!(c, '"' | '\\'))
        {
            return Err(text!("每个标签最多 20 个字，不含引号和反斜线"));
        }
        if !kept.iter().any(|k| *k == tag) {
            kept.push(tag.into_owned());
        }
    }
    if kept.len() > 30 { Err(text!("最多 30 个标签")) } else { Ok(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: VF-04
    #[test]
    fn the_seven_fields_of_the_standard_dossier_count_and_are_named_when_missing() {
        let mut values = Values::default();
        values.set(Field::Name, "广州天江科技有限公司".into());
        let lacking = missing(Kind::Organisation, &values, false);
        for title in ["客户类别", "企业性质", "主管单位", "地址", "联系人", "联系电话"] {
            assert!(lacking.contains(&title), "{title}");
        }
        assert!(!lacking.contains(&"客户名称"));
    }

    // covers: GM-06
    #[test]
    fn completeness_is_a_hundred_only_when_nothing_is_missing() {
        for kind in [Kind::Person, Kind::Organisation] {
            let mut values = Values::default();
            assert_eq!(completeness(kind, &values, kind == Kind::Person), 0);
            for spec in dossier(kind) {
                assert!(completeness(kind, &values, true) < 100);
                values.set(spec.field, "x".into());
            }
            assert_eq!(completeness(kind, &values, true), 100);
        }
        let groups: Vec<_> = dossier(Kind::Organisation).map(|s| s.group).collect();
        for group in [super::super::Group::Basic, super::super::Group::Business, super::super::Group::Needs] {
            assert!(groups.contains(&group));
        }
    }

    #[test]
    fn a_misspelt_or_read_only_name_is_an_error_not_a_lost_value() {
        let body = json!({ "name": "x", "nmae": "y", "version": 3, "tags": [1] });
        let errors = Draft::from_json(body.as_object().unwrap()).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["nmae", "tags", "version"]);
    }
}
