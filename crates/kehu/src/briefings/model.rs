//! The types of a report to one's superior and the pure rules about them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::activities::{ActivityKind, Report};
use crate::clock::{Millis, parse_date, rfc3339};
use crate::error::FieldError;
use crate::ids::{BriefingId, PersonId};
use crate::input::{self, Kind, Spec, Values, required};
use crate::text;
use crate::web::FormData;

/// Its text fields.
pub const FIELDS: [Spec; 2] = [
    required("analysis", "问题与需求分析", Kind::Lines, 5000),
    required("suggestions", "改进意见", Kind::Lines, 5000),
];

/// Days of a period at the most.
const LONGEST: i32 = 366;

/// The days a report is about, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl Period {
    /// Reads two days: in order, at most a year apart, and none that is still to come.
    pub fn read(starts_on: &str, ends_on: &str, today: Date) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut day = |name: &str, text: &str| {
            let day: Option<Date> = parse_date(text).and_then(|day| day.parse().ok());
            if day.is_none() {
                errors.push(FieldError::new(name, text!("请填写日期，例如 2026-09-28")));
            }
            day
        };
        let (from, to) = (day("starts_on", starts_on), day("ends_on", ends_on));
        let (Some(from), Some(to)) = (from, to) else { return Err(errors) };
        let days = (to - from).get_days() + 1;
        if days < 1 {
            return Err(vec![FieldError::new("ends_on", text!("最后一天不能早于第一天"))]);
        }
        if days > LONGEST {
            return Err(vec![FieldError::new("ends_on", text!("一份报告最多 {} 天", LONGEST))]);
        }
        if to > today {
            return Err(vec![FieldError::new("ends_on", text!("最后一天还没有到，请选今天或以前"))]);
        }
        Ok(Self { from, to })
    }
}

/// How much happened in a period, of what the writer may read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Activities of every kind.
    pub total: i64,
    /// Needs among them.
    pub needs: i64,
    /// Needs nobody had met yet.
    pub open: i64,
    /// How many of each kind; kinds without any are left out.
    pub by_kind: BTreeMap<String, i64>,
}

impl Figures {
    /// What a report of activities counts.
    pub fn of(report: &Report) -> Self {
        let of_kind = |wanted: ActivityKind| {
            report.counts.iter().find(|(kind, _)| *kind == wanted).map_or(0, |(_, n)| *n)
        };
        Self {
            total: report.total,
            needs: of_kind(ActivityKind::Need),
            open: report.open,
            by_kind: report.counts.iter().map(|(kind, n)| (kind.code().to_owned(), *n)).collect(),
        }
    }
}

/// A report as stored, with the names of writer and superior.
#[derive(Clone, Debug)]
pub struct Briefing {
    /// Its id.
    pub id: BriefingId,
    /// Who wrote it.
    pub person_id: PersonId,
    /// His name.
    pub person: String,
    /// To whom.
    pub superior_id: PersonId,
    /// His name.
    pub superior: String,
    /// First day.
    pub starts_on: String,
    /// Last day.
    pub ends_on: String,
    /// What was counted.
    pub figures: Figures,
    /// What the writer makes of problems and needs.
    pub analysis: String,
    /// What he suggests to improve.
    pub suggestions: String,
    /// When it was sent.
    pub sent_at: Millis,
    /// When the superior read it.
    pub read_at: Option<Millis>,
    /// Counts changes.
    pub version: i64,
    /// Changed when.
    pub updated_at: Millis,
}

impl Briefing {
    /// Takes checked values over.
    pub(super) fn take(&mut self, mut values: Values) {
        for (key, place) in [("analysis", &mut self.analysis), ("suggestions", &mut self.suggestions)] {
            if let Some(value) = values.remove(key) {
                *place = value;
            }
        }
    }

    /// What the log tells of it.
    pub(super) fn facts(&self) -> Json {
        json!({
            "starts_on": self.starts_on, "ends_on": self.ends_on, "superior_id": self.superior_id,
            "figures": self.figures, "analysis": self.analysis, "suggestions": self.suggestions,
        })
    }

    /// As the API sends it.
    pub fn json(&self) -> Json {
        let mut body = self.facts();
        body["id"] = json!(self.id);
        body["person_id"] = json!(self.person_id);
        body["person"] = json!(self.person);
        body["superior"] = json!(self.superior);
        body["sent_at"] = rfc3339(self.sent_at).into();
        body["read_at"] = json!(self.read_at.map(rfc3339));
        body["version"] = self.version.into();
        body["updated_at"] = rfc3339(self.updated_at).into();
        body
    }
}

/// What somebody wants to write; absent means "leave as it is".
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Text fields as typed.
    pub values: Values,
}

const READ_ONLY: [&str; 12] = [
    "id",
    "person_id",
    "person",
    "superior_id",
    "superior",
    "starts_on",
    "ends_on",
    "figures",
    "sent_at",
    "read_at",
    "version",
    "updated_at",
];

impl Draft {
    /// Reads the body of an API call, apart from the period of a new report.
    pub fn from_json(mut body: Map<String, Json>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let values = input::take_json(&FIELDS, &mut body, &mut errors);
        input::refuse_rest(&body, &READ_ONLY, &mut errors);
        if errors.is_empty() { Ok(Self { values }) } else { Err(errors) }
    }

    /// Reads a form.
    pub fn from_form(form: &FormData) -> Self {
        Self { values: input::take_form(&FIELDS, form) }
    }

    /// The checked values.
    pub(super) fn clean(&self, is_new: bool) -> Result<Values, Vec<FieldError>> {
        let mut errors = Vec::new();
        let values = input::clean(&FIELDS, &self.values, is_new, &mut errors);
        if errors.is_empty() { Ok(values) } else { Err(errors) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_days_in_order_that_have_come() {
        let today: Date = "2026-09-28".parse().unwrap();
        let period = Period::read("2026-09-01", "2026/9/28", today).unwrap();
        assert_eq!(period.to, today);
        assert!(Period::read("2026-09-28", "2026-09-28", today).is_ok());
        for (from, to) in [
            ("2026-09-28", "2026-09-27"),
            ("2026-09-01", "2026-09-29"),
            ("2025-09-01", "2026-09-28"),
            ("", "2026-09-28"),
            ("2026-09-01", "明天"),
        ] {
            assert!(Period::read(from, to, today).is_err(), "{from} {to}");
        }
    }
}
