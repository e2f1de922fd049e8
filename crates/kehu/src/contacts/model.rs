//! The types of a contact and the pure rules about them.

use serde_json::{Map, Value as Json, json};

use crate::clock::{Millis, rfc3339};
use crate::error::FieldError;
use crate::ids::{ContactId, CustomerId, PersonId};
use crate::input::{self, Kind, Spec, Values, optional, required};
use crate::text;
use crate::web::FormData;

/// Its text fields, in the order of forms.
pub const FIELDS: [Spec; 9] = [
    required("name", "姓名", Kind::Line, 60),
    optional("title", "职务", Kind::Line, 60),
    optional("department", "部门", Kind::Line, 60),
    optional("phone", "手机或电话", Kind::Phone, 40),
    optional("landline", "固定电话", Kind::Phone, 40),
    optional("email", "电子邮箱", Kind::Email, 254),
    optional("wechat", "微信", Kind::Line, 60),
    optional("birthday", "生日", Kind::Date, 10),
    optional("remark", "备注", Kind::Lines, 1000),
];

/// A contact as stored; empty text means "not known".
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Whose.
    pub customer_id: CustomerId,
    /// Name.
    pub name: String,
    /// What he does there.
    pub title: String,
    /// Where he does it.
    pub department: String,
    /// Mobile or other number.
    pub phone: String,
    /// Second number.
    pub landline: String,
    /// Mail address.
    pub email: String,
    /// WeChat name.
    pub wechat: String,
    /// `YYYY-MM-DD`.
    pub birthday: String,
    /// Anything else.
    pub remark: String,
    /// Whether he is the first to ask for.
    pub is_primary: bool,
    /// Counts changes.
    pub version: i64,
    /// Made when.
    pub created_at: Millis,
    /// Made by.
    pub created_by: PersonId,
    /// Changed when.
    pub updated_at: Millis,
}

impl Contact {
    /// Its text fields in the order of `FIELDS`.
    pub fn texts(&self) -> [&str; 9] {
        [
            &self.name,
            &self.title,
            &self.department,
            &self.phone,
            &self.landline,
            &self.email,
            &self.wechat,
            &self.birthday,
            &self.remark,
        ]
    }

    /// Puts checked values in.
    pub(super) fn take(&mut self, mut values: Values) {
        let places = [
            &mut self.name,
            &mut self.title,
            &mut self.department,
            &mut self.phone,
            &mut self.landline,
            &mut self.email,
            &mut self.wechat,
            &mut self.birthday,
            &mut self.remark,
        ];
        for (spec, place) in FIELDS.iter().zip(places) {
            if let Some(value) = values.remove(spec.key) {
                *place = value;
            }
        }
    }

    /// The values a person writes: for the audit log.
    pub(super) fn facts(&self) -> Json {
        let mut facts = Map::new();
        for (spec, value) in FIELDS.iter().zip(self.texts()) {
            facts.insert(spec.key.into(), if value.is_empty() { Json::Null } else { value.into() });
        }
        facts.insert("is_primary".into(), self.is_primary.into());
        Json::Object(facts)
    }

    /// As the API sends it. Unknown values are null.
    pub fn json(&self) -> Json {
        let mut body = self.facts();
        body["id"] = json!(self.id);
        body["customer_id"] = json!(self.customer_id);
        body["version"] = self.version.into();
        body["created_at"] = rfc3339(self.created_at).into();
        body["updated_at"] = rfc3339(self.updated_at).into();
        body
    }
}

/// What somebody wants to write. Absent means "leave as it is", empty text "take away".
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Text fields as typed.
    pub values: Values,
    /// `true` makes it the primary contact in place of the present one.
    pub is_primary: Option<bool>,
}

const READ_ONLY: [&str; 5] = ["id", "customer_id", "version", "created_at", "updated_at"];

impl Draft {
    /// Reads the body of an API call, apart from `customer_id`. Unknown and read-only names are errors.
    pub fn from_json(mut body: Map<String, Json>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let values = input::take_json(&FIELDS, &mut body, &mut errors);
        let is_primary = match body.remove("is_primary") {
            None | Some(Json::Null) => None,
            Some(Json::Bool(is_primary)) => Some(is_primary),
            Some(_) => {
                errors.push(FieldError::new("is_primary", text!("这里要用 true 或 false")));
                None
            }
        };
        input::refuse_rest(&body, &READ_ONLY, &mut errors);
        if errors.is_empty() { Ok(Self { values, is_primary }) } else { Err(errors) }
    }

    /// Reads a form; a checkbox can only make a contact primary, as another takes the place away.
    pub fn from_form(form: &FormData) -> Self {
        Self {
            values: input::take_form(&FIELDS, form),
            is_primary: form.is_ticked("is_primary").then_some(true),
        }
    }

    /// The checked values; a contact must have a name.
    pub(super) fn clean(&self, is_new: bool) -> Result<Values, Vec<FieldError>> {
        let mut errors = Vec::new();
        let values = input::clean(&FIELDS, &self.values, is_new, &mut errors);
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }
}
