//! The kinds of assets and the pure rules about them.

use serde_json::{Map, Value as Json, json};

use crate::clock::{Millis, rfc3339};
use crate::error::FieldError;
use crate::ids::{AssetId, CustomerId, PersonId};
use crate::input::{self, Kind, Spec, Values, optional, required};
use crate::text;
use crate::web::FormData;

/// What an asset is. Does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssetKind {
    /// 车辆.
    Vehicle,
    /// 房产.
    Room,
    /// 电表.
    Meter,
    /// 产品.
    Product,
}

const VEHICLE: [Spec; 4] = [
    optional("plate", "车牌号", Kind::Plate, 10),
    optional("vin", "车架号", Kind::Vin, 17),
    optional("brand_model", "品牌型号", Kind::Line, 80),
    optional("bought_on", "购车日期", Kind::Date, 10),
];
const ROOM: [Spec; 5] = [
    required("community", "小区", Kind::Line, 60),
    optional("building", "楼栋", Kind::Line, 20),
    optional("unit", "单元", Kind::Line, 20),
    required("room", "房号", Kind::Line, 20),
    optional("area", "面积（平方米）", Kind::Number, 20),
];
const METER: [Spec; 2] = [
    required("number", "电表编号", Kind::Line, 40),
    optional("capacity_kva", "容量（kVA）", Kind::Number, 20),
];
const PRODUCT: [Spec; 4] = [
    required("model", "产品型号", Kind::Line, 80),
    optional("serial", "序列号", Kind::Line, 60),
    optional("installed_on", "安装日期", Kind::Date, 10),
    optional("warranty_until", "保修截止", Kind::Date, 10),
];

/// Kept for every kind.
pub(super) const REMARK: [Spec; 1] = [optional("remark", "备注", Kind::Lines, 1000)];

impl AssetKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Vehicle, Self::Room, Self::Meter, Self::Product];

    /// The name stored and sent.
    pub fn code(self) -> &'static str {
        match self {
            Self::Vehicle => "vehicle",
            Self::Room => "room",
            Self::Meter => "meter",
            Self::Product => "product",
        }
    }

    /// The name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Vehicle => "车辆",
            Self::Room => "房产",
            Self::Meter => "电表",
            Self::Product => "产品",
        }
    }

    /// Its icon.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Vehicle => "car",
            Self::Room => "home-2",
            Self::Meter => "bolt",
            Self::Product => "package",
        }
    }

    /// The kind of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Its own fields, in the order of forms.
    pub fn fields(self) -> &'static [Spec] {
        match self {
            Self::Vehicle => &VEHICLE,
            Self::Room => &ROOM,
            Self::Meter => &METER,
            Self::Product => &PRODUCT,
        }
    }
}

/// An asset as stored.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Whose.
    pub customer_id: CustomerId,
    /// What it is.
    pub kind: AssetKind,
    /// What people call it, made from its fields.
    pub name: String,
    /// The number people look it up by: plate, `3-2-501`, meter number, serial number.
    pub code: String,
    /// Values of its kind's fields; only known ones.
    pub details: Map<String, Json>,
    /// Anything else.
    pub remark: String,
    /// Counts changes.
    pub version: i64,
    /// Made when.
    pub created_at: Millis,
    /// Made by.
    pub created_by: PersonId,
    /// Changed when.
    pub updated_at: Millis,
}

impl Asset {
    /// A value of its kind's fields; empty when not known.
    pub fn get(&self, key: &str) -> &str {
        self.details.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    /// Since when it is in use, or empty.
    pub(super) fn started_on(&self) -> &str {
        match self.kind {
            AssetKind::Vehicle => self.get("bought_on"),
            AssetKind::Product => self.get("installed_on"),
            _ => "",
        }
    }

    /// Until when it is under warranty, or empty.
    pub(super) fn ends_on(&self) -> &str {
        self.get("warranty_until")
    }

    /// Puts checked values in, and makes name and code from them.
    pub(super) fn take(&mut self, cleaned: Cleaned) {
        for (key, value) in cleaned.details {
            if value.is_empty() {
                self.details.remove(key);
            } else {
                self.details.insert(key.to_owned(), value.into());
            }
        }
        if let Some(remark) = cleaned.remark {
            self.remark = remark;
        }
        let first = |keys: &[&str]| {
            keys.iter().map(|k| self.get(k)).find(|v| !v.is_empty()).unwrap_or_default().to_owned()
        };
        (self.name, self.code) = match self.kind {
            AssetKind::Vehicle => (first(&["brand_model", "plate", "vin"]), first(&["plate", "vin"])),
            AssetKind::Room => {
                let parts: Vec<&str> = ["building", "unit", "room"]
                    .iter()
                    .map(|k| self.get(k))
                    .filter(|v| !v.is_empty())
                    .collect();
                (first(&["community"]), parts.join("-"))
            }
            AssetKind::Meter => (first(&["number"]), first(&["number"])),
            AssetKind::Product => (first(&["model"]), first(&["serial"])),
        };
    }

    /// What kinds of assets must have beyond single fields.
    pub(super) fn lacking(&self) -> Option<FieldError> {
        (self.kind == AssetKind::Vehicle && self.code.is_empty())
            .then(|| FieldError::new("plate", text!("车牌号和车架号至少填写一项")))
    }

    /// The values a person writes: for the audit log.
    pub(super) fn facts(&self) -> Json {
        let mut facts = Map::new();
        facts.insert("kind".into(), self.kind.code().into());
        facts.insert("name".into(), self.name.clone().into());
        facts.insert("code".into(), self.code.clone().into());
        for spec in self.kind.fields() {
            facts.insert(spec.key.into(), self.details.get(spec.key).cloned().unwrap_or(Json::Null));
        }
        facts.insert("remark".into(), self.remark.clone().into());
        Json::Object(facts)
    }

    /// As the API sends it.
    pub fn json(&self) -> Json {
        let details: Map<String, Json> = self
            .kind
            .fields()
            .iter()
            .map(|s| (s.key.to_owned(), self.details.get(s.key).cloned().unwrap_or(Json::Null)))
            .collect();
        json!({
            "id": self.id,
            "customer_id": self.customer_id,
            "kind": self.kind.code(),
            "name": self.name,
            "code": self.code,
            "details": details,
            "remark": self.remark,
            "version": self.version,
            "created_at": rfc3339(self.created_at),
            "updated_at": rfc3339(self.updated_at),
        })
    }
}

/// What somebody wants to write. Absent means "leave as it is", empty text "take away".
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it is; must be the asset's own kind in a change.
    pub kind: AssetKind,
    /// Fields of its kind as typed.
    pub details: Values,
    /// Remark as typed.
    pub remark: Values,
}

/// Checked values.
pub(super) struct Cleaned {
    details: Values,
    remark: Option<String>,
}

const READ_ONLY: [&str; 7] = ["id", "customer_id", "name", "code", "version", "created_at", "updated_at"];

impl Draft {
    /// Reads the body of an API call, apart from `customer_id`. `known` is the kind of the asset that is changed; a
    /// new one names its kind. Unknown and read-only names are errors.
    pub fn from_json(mut body: Map<String, Json>, known: Option<AssetKind>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let kind = match (body.remove("kind"), known) {
            (None, Some(kind)) => kind,
            (Some(Json::String(code)), known) => match (AssetKind::named(&code), known) {
                (Some(kind), None) => kind,
                (Some(kind), Some(known)) if kind == known => kind,
                (Some(_), Some(_)) => {
                    return Err(vec![FieldError::new("kind", text!("资产的种类不能更改，请另外新增"))]);
                }
                (None, _) => return Err(vec![unknown_kind()]),
            },
            _ => return Err(vec![unknown_kind()]),
        };
        let details = match body.remove("details") {
            None => Values::new(),
            Some(Json::Object(mut details)) => {
                let values = input::take_json(kind.fields(), &mut details, &mut errors);
                input::refuse_rest(&details, &[], &mut errors);
                values
            }
            Some(_) => {
                errors.push(FieldError::new("details", text!("内容的类型不对")));
                Values::new()
            }
        };
        let remark = input::take_json(&REMARK, &mut body, &mut errors);
        input::refuse_rest(&body, &READ_ONLY, &mut errors);
        if errors.is_empty() { Ok(Self { kind, details, remark }) } else { Err(errors) }
    }

    /// Reads a form of a kind.
    pub fn from_form(kind: AssetKind, form: &FormData) -> Self {
        Self { kind, details: input::take_form(kind.fields(), form), remark: input::take_form(&REMARK, form) }
    }

    pub(super) fn clean(&self, is_new: bool) -> Result<Cleaned, Vec<FieldError>> {
        let mut errors = Vec::new();
        let details = input::clean(self.kind.fields(), &self.details, is_new, &mut errors);
        let remark = input::clean(&REMARK, &self.remark, false, &mut errors).remove("remark");
        if errors.is_empty() { Ok(Cleaned { details, remark }) } else { Err(errors) }
    }
}

fn unknown_kind() -> FieldError {
    FieldError::new("kind", text!("种类只能是 vehicle、room、meter 或 product"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: AssetKind, details: &[(&'static str, &str)]) -> Result<Asset, Vec<FieldError>> {
        let details = details.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let draft = Draft { kind, details, remark: Values::new() };
        let mut asset = Asset {
            id: AssetId(1),
            customer_id: CustomerId(1),
            kind,
            name: String::new(),
            code: String::new(),
            details: Map::new(),
            remark: String::new(),
            version: 1,
            created_at: 0,
            created_by: PersonId(1),
            updated_at: 0,
        };
        asset.take(draft.clean(true)?);
        asset.lacking().map_or(Ok(asset), |error| Err(vec![error]))
    }

    #[test]
    fn name_and_code_are_made_from_the_fields() {
        let room = made(
            AssetKind::Room,
            &[
                ("community", "翠湖花园"),
                ("building", "3"),
                ("unit", "2"),
                ("room", "501"),
                ("area", "98.50"),
            ],
        )
        .unwrap();
        assert_eq!(
            (room.name.as_str(), room.code.as_str(), room.get("area")),
            ("翠湖花园", "3-2-501", "98.5")
        );
        let car = made(AssetKind::Vehicle, &[("plate", "粤a·12345"), ("brand_model", "比亚迪 汉")]).unwrap();
        assert_eq!((car.name.as_str(), car.code.as_str()), ("比亚迪 汉", "粤A12345"));
        let product = made(
            AssetKind::Product,
            &[("model", "AC-35"), ("serial", "SN001"), ("warranty_until", "2027/3/1")],
        );
        let product = product.unwrap();
        assert_eq!((product.code.as_str(), product.ends_on()), ("SN001", "2027-03-01"));
    }

    #[test]
    fn wrong_numbers_are_refused_with_a_sentence_at_their_field() {
        for (kind, details, field) in [
            (AssetKind::Vehicle, &[("vin", "LSVAA4187C2184840")][..], "vin"),
            (AssetKind::Vehicle, &[("plate", "粤A1234")][..], "plate"),
            (AssetKind::Vehicle, &[("brand_model", "只有型号")][..], "plate"),
            (AssetKind::Room, &[("community", "翠湖花园")][..], "room"),
            (AssetKind::Meter, &[("number", "1"), ("capacity_kva", "三百")][..], "capacity_kva"),
        ] {
            let errors = made(kind, details).unwrap_err();
            assert_eq!(errors[0].field, field, "{details:?}");
        }
    }
}
