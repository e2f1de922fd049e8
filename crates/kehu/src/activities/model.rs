//! The kinds of activities and the pure rules about them.

use serde_json::{Map, Value as Json, json};

use crate::catalogue::Catalogue;
use crate::clock::{Millis, Zone, rfc3339};
use crate::error::FieldError;
use crate::ids::{ActivityId, ContactId, CustomerId, PersonId};
use crate::input::{self, Kind, Spec, Values, optional};
use crate::text;
use crate::web::FormData;

macro_rules! kinds {
    ($($name:ident $code:literal $zh:literal $icon:literal $colour:literal),* $(,)?) => {
        /// What an activity is. Does not change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is described by its title")]
        pub enum ActivityKind { $($name),* }

        impl ActivityKind {
            /// Every kind, in the order of forms.
            pub const ALL: [Self; 12] = [$(Self::$name),*];

            /// The name stored and sent.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
            /// The name people read (source text).
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $zh),* }
            }
            /// Its icon.
            pub fn icon(self) -> &'static str {
                match self { $(Self::$name => $icon),* }
            }
            /// Colour of its mark on the timeline.
            pub fn colour(self) -> &'static str {
                match self { $(Self::$name => $colour),* }
            }
        }
    };
}

kinds! {
    Call "call" "电话" "phone" "blue",
    Visit "visit" "拜访" "map-pin" "green",
    Need "need" "需求" "bulb" "amber",
    Letter "letter" "信函" "mail-opened" "blue",
    Fax "fax" "传真" "printer" "blue",
    LongDistance "long_distance" "长途电话" "phone-call" "blue",
    Email "email" "邮件" "mail" "blue",
    Sms "sms" "短信" "message" "blue",
    Meeting "meeting" "会议" "users" "green",
    Note "note" "备注" "note" "",
    ChangeCustomer "change_customer" "客户方重大变动" "alert-triangle" "red",
    ChangeRelation "change_relation" "双方关系重大变动" "transfer" "red",
}

impl ActivityKind {
    /// The kind of a stored name.
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Whether it is a major change (VF-05, VF-06): an event with its source and effect.
    pub fn is_change(self) -> bool {
        matches!(self, Self::ChangeCustomer | Self::ChangeRelation)
    }

    /// Whether it is an exchange with the customer, which has a direction.
    pub fn has_direction(self) -> bool {
        !self.is_change() && !matches!(self, Self::Note | Self::Need | Self::Visit | Self::Meeting)
    }
}

/// Its text fields.
pub(super) const FIELDS: [Spec; 6] = [
    optional("subject", "主题", Kind::Line, 120),
    optional("body", "内容", Kind::Lines, 5000),
    optional("direction", "方向", Kind::Line, 10),
    optional("result", "结果", Kind::Line, 60),
    optional("source", "信息来源", Kind::Line, 60),
    optional("effect", "影响", Kind::Lines, 1000),
];

/// An activity as stored; empty text means "not known".
#[derive(Clone, Debug)]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// With whom.
    pub customer_id: CustomerId,
    /// With which contact.
    pub contact_id: Option<ContactId>,
    /// What it is.
    pub kind: ActivityKind,
    /// `in` (they to us), `out` (we to them) or empty.
    pub direction: String,
    /// In one line; for a major change the event.
    pub subject: String,
    /// In full.
    pub body: String,
    /// Code of the dictionary `activity_result`.
    pub result: String,
    /// Code of the dictionary `change_source`; major changes only.
    pub source: String,
    /// What it means for us; major changes only.
    pub effect: String,
    /// When it happened.
    pub happened_at: Millis,
    /// When the need was met; needs only.
    pub done_at: Option<Millis>,
    /// By whom.
    pub done_by: Option<PersonId>,
    /// Counts changes.
    pub version: i64,
    /// Written when.
    pub created_at: Millis,
    /// Written by.
    pub created_by: PersonId,
    /// Changed when.
    pub updated_at: Millis,
}

impl Activity {
    /// Whether it is a need nobody has met yet.
    pub fn is_open(&self) -> bool {
        self.kind == ActivityKind::Need && self.done_at.is_none()
    }

    fn texts(&self) -> [(&'static str, &str); 6] {
        [
            ("subject", &self.subject),
            ("body", &self.body),
            ("direction", &self.direction),
            ("result", &self.result),
            ("source", &self.source),
            ("effect", &self.effect),
        ]
    }

    /// Puts checked values in.
    pub(super) fn take(&mut self, mut values: Values) {
        let places = [
            ("subject", &mut self.subject),
            ("body", &mut self.body),
            ("direction", &mut self.direction),
            ("result", &mut self.result),
            ("source", &mut self.source),
            ("effect", &mut self.effect),
        ];
        for (key, place) in places {
            if let Some(value) = values.remove(key) {
                *place = value;
            }
        }
        if self.subject.is_empty() {
            self.subject = self.body.lines().next().unwrap_or_default().chars().take(60).collect();
        }
    }

    /// What kinds of activities must have beyond single fields.
    pub(super) fn lacking(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.subject.is_empty() {
            errors.push(match self.kind.is_change() {
                true => FieldError::new("subject", text!("请填写发生了什么变动")),
                false => FieldError::new("body", text!("请填写内容或主题")),
            });
        }
        if self.kind.is_change() && self.source.is_empty() {
            errors.push(FieldError::new("source", text!("请选择变动的信息来源")));
        }
        errors
    }

    /// The values a person writes: for the audit log.
    pub(super) fn facts(&self) -> Json {
        let mut facts = Map::new();
        facts.insert("kind".into(), self.kind.code().into());
        for (key, value) in self.texts() {
            facts.insert(key.into(), if value.is_empty() { Json::Null } else { value.into() });
        }
        facts.insert("contact_id".into(), json!(self.contact_id));
        facts.insert("happened_at".into(), rfc3339(self.happened_at).into());
        facts.insert("done_at".into(), json!(self.done_at.map(rfc3339)));
        facts.insert("done_by".into(), json!(self.done_by));
        Json::Object(facts)
    }

    /// As the API sends it. Unknown values are null.
    pub fn json(&self) -> Json {
        let mut body = self.facts();
        body["id"] = json!(self.id);
        body["customer_id"] = json!(self.customer_id);
        body["version"] = self.version.into();
        body["created_by"] = json!(self.created_by);
        body["created_at"] = rfc3339(self.created_at).into();
        body["updated_at"] = rfc3339(self.updated_at).into();
        body
    }
}

/// What somebody wants to write. Absent means "leave as it is", empty text "take away".
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it is; only for new ones.
    pub kind: Option<ActivityKind>,
    /// Text fields as typed.
    pub values: Values,
    /// With whom; `Some(None)` takes the contact away.
    pub contact_id: Option<Option<ContactId>>,
    /// When; now if absent.
    pub happened_at: Option<Millis>,
    /// When the next contact is planned (`YYYY-MM-DD`, empty for never): goes to the customer.
    pub next_contact_on: Option<String>,
    /// Whether the need is met.
    pub is_done: Option<bool>,
}

const READ_ONLY: [&str; 8] =
    ["id", "customer_id", "version", "created_by", "created_at", "updated_at", "done_at", "done_by"];

impl Draft {
    /// Reads the body of an API call, apart from `customer_id`. Times without an offset are the company's. Unknown
    /// and read-only names are errors.
    pub fn from_json(mut body: Map<String, Json>, zone: &Zone) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut draft = Self { values: input::take_json(&FIELDS, &mut body, &mut errors), ..Self::default() };
        match body.remove("kind") {
            None => {}
            Some(Json::String(code)) if ActivityKind::named(&code).is_some() => {
                draft.kind = ActivityKind::named(&code);
            }
            Some(_) => errors.push(unknown_kind()),
        }
        match body.remove("contact_id") {
            None => {}
            Some(Json::Null) => draft.contact_id = Some(None),
            Some(value) => match value.as_str().and_then(|t| t.parse().ok()) {
                Some(id) => draft.contact_id = Some(Some(id)),
                None => errors.push(no_contact()),
            },
        }
        match body.remove("happened_at") {
            None | Some(Json::Null) => {}
            Some(value) => match value.as_str().and_then(|t| read_time(t, zone)) {
                Some(at) => draft.happened_at = Some(at),
                None => errors.push(no_time()),
            },
        }
        match body.remove("next_contact_on") {
            None => {}
            Some(Json::Null) => draft.next_contact_on = Some(String::new()),
            Some(Json::String(text)) => draft.next_contact_on = Some(text),
            Some(_) => errors.push(FieldError::new("next_contact_on", text!("这里要用文字"))),
        }
        match body.remove("is_done") {
            None | Some(Json::Null) => {}
            Some(Json::Bool(is_done)) => draft.is_done = Some(is_done),
            Some(_) => errors.push(FieldError::new("is_done", text!("这里要用 true 或 false"))),
        }
        input::refuse_rest(&body, &READ_ONLY, &mut errors);
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }

    /// Reads a form. `kind` is that of the activity when it is changed.
    pub fn from_form(
        form: &FormData,
        known: Option<ActivityKind>,
        zone: &Zone,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut draft = Self { values: input::take_form(&FIELDS, form), ..Self::default() };
        if known.is_none() {
            draft.kind = ActivityKind::named(form.get("kind"));
            if draft.kind.is_none() {
                errors.push(unknown_kind());
            }
        }
        // The form hides what a kind does not have.
        if !known.or(draft.kind).is_some_and(ActivityKind::is_change) {
            draft.values.remove("source");
            draft.values.remove("effect");
        }
        match form.find("contact_id").map(str::trim) {
            None => {}
            Some("") => draft.contact_id = Some(None),
            Some(text) => match text.parse() {
                Ok(id) => draft.contact_id = Some(Some(id)),
                Err(_) => errors.push(no_contact()),
            },
        }
        match form.find("happened_at").map(str::trim) {
            None | Some("") => {}
            Some(text) => match read_time(text, zone) {
                Some(at) => draft.happened_at = Some(at),
                None => errors.push(no_time()),
            },
        }
        draft.next_contact_on =
            form.find("next_contact_on").map(str::to_owned).filter(|t| !t.trim().is_empty());
        if errors.is_empty() { Ok(draft) } else { Err(errors) }
    }

    /// Whether it changes more than "met" or "not met".
    pub(super) fn changes_words(&self) -> bool {
        !self.values.is_empty()
            || self.contact_id.is_some()
            || self.happened_at.is_some()
            || self.next_contact_on.is_some()
    }

    /// The checked values for an activity of a kind. What this kind does not have must be empty.
    pub(super) fn clean(
        &self,
        kind: ActivityKind,
        catalogue: &Catalogue,
        now: Millis,
    ) -> Result<Values, Vec<FieldError>> {
        const DAY: i64 = 24 * 3600 * 1000;
        /// 1950-01-01.
        const EARLIEST: i64 = -631_152_000_000;
        let mut errors = Vec::new();
        let mut values = input::clean(&FIELDS, &self.values, false, &mut errors);
        if let Some(direction) = values.get_mut("direction") {
            let known = match direction.as_str() {
                "in" | "来" | "来访" | "收到" => Some("in"),
                "out" | "去" | "发出" => Some("out"),
                "" => Some(""),
                _ => None,
            };
            match known {
                Some("") => direction.clear(),
                Some(code) if kind.has_direction() => code.clone_into(direction),
                Some(_) => direction.clear(),
                None => errors
                    .push(FieldError::new("direction", text!("方向请填写 in（对方来）或 out（我方去）"))),
            }
        }
        for (key, dictionary) in [("result", "activity_result"), ("source", "change_source")] {
            let Some(value) = values.get_mut(key).filter(|v| !v.is_empty()) else { continue };
            match catalogue.dictionary(dictionary).find(value) {
                Some(entry) => entry.code.clone_into(value),
                None => errors.push(FieldError::new(
                    key,
                    text!(
                        "“{}”不在可选值中，请从以下选择：{}",
                        input::shorten(value),
                        catalogue.dictionary(dictionary).choice_words()
                    ),
                )),
            }
        }
        if !kind.is_change() {
            for key in ["source", "effect"] {
                if values.remove(key).is_some_and(|v| !v.is_empty()) {
                    errors.push(FieldError::new(key, text!("只有重大变动才填写信息来源和影响")));
                }
            }
        }
        if self.happened_at.is_some_and(|at| at > now + DAY || at < EARLIEST) {
            errors.push(FieldError::new("happened_at", text!("发生时间不能晚于明天，也不能早于 1950 年")));
        }
        if self.is_done.is_some() && kind != ActivityKind::Need {
            errors.push(FieldError::new("is_done", text!("只有需求才能标记为已满足")));
        }
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }

    /// The checked date of the next contact.
    pub(super) fn clean_next(&self) -> Result<Option<String>, Vec<FieldError>> {
        let Some(raw) = &self.next_contact_on else { return Ok(None) };
        input::clean_value(Kind::Date, 10, raw)
            .map(Some)
            .map_err(|text| vec![FieldError::new("next_contact_on", text)])
    }
}

/// A point in time: RFC 3339 with its offset, or local to the company.
fn read_time(text: &str, zone: &Zone) -> Option<Millis> {
    if text.len() > 40 {
        return None;
    }
    match text.trim().parse::<jiff::Timestamp>() {
        Ok(at) => Some(at.as_millisecond()),
        Err(_) => zone.parse(text),
    }
}

fn unknown_kind() -> FieldError {
    let codes: Vec<&str> = ActivityKind::ALL.into_iter().map(ActivityKind::code).collect();
    FieldError::new("kind", text!("请选择种类，可用：{}", codes.join("、")))
}

fn no_contact() -> FieldError {
    FieldError::new("contact_id", text!("这个客户没有这位联系人"))
}

pub(super) fn no_such_contact() -> FieldError {
    no_contact()
}

fn no_time() -> FieldError {
    FieldError::new("happened_at", text!("请填写时间，例如 2026-09-28 16:20"))
}
