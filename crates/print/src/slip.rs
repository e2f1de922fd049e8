//! A form as it is printed (单据), with its copies (联).

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::parts::{Code, Imprint, Signature, Table};

/// A form. Its blocks are printed one below the other, ruled as one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// Above the title; may be empty.
    #[serde(default)]
    pub company: String,
    /// What it is: 维修单.
    pub title: String,
    /// Its number, at the top right; may be empty.
    #[serde(default)]
    pub number: String,
    /// The clauses it rests on: 《维修管理办法》3.7.
    #[serde(default)]
    pub clauses: Vec<String>,
    /// The form itself.
    #[serde(default)]
    pub blocks: Vec<Block>,
    /// Lines to sign on, below the form.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// Sentences below the form.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// A code to scan, in the upper right corner.
    #[serde(default)]
    pub code: Option<Code>,
    /// The copies. Without any the form is printed once, whole and unnamed.
    #[serde(default)]
    pub copies: Vec<SlipCopy>,
    /// How copies lie on paper.
    #[serde(default)]
    pub layout: Layout,
    /// Who printed it.
    pub imprint: Imprint,
}

impl Slip {
    /// An empty form.
    #[must_use]
    pub fn new(title: impl Into<String>, imprint: Imprint) -> Self {
        Self {
            company: String::new(),
            title: title.into(),
            number: String::new(),
            clauses: Vec::new(),
            blocks: Vec::new(),
            signatures: Vec::new(),
            remarks: Vec::new(),
            code: None,
            copies: Vec::new(),
            layout: Layout::default(),
            imprint,
        }
    }
}

/// How copies lie on A4 paper, upright.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Every copy on a page of its own, or on several; pages are counted for each copy.
    #[default]
    Pages,
    /// Three copies a page, one below the other, to be cut apart; 99 mm each, of which the form takes at most 91 mm as
    /// on continuous paper of 241 × 93 mm. When one copy does not fit, all are printed as [`Layout::Pages`].
    Strips,
}

/// A copy (联).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlipCopy {
    /// What is printed on it: 第一联 客户.
    pub name: String,
    /// Who receives it; may be empty.
    pub receiver: String,
    /// What is not printed on it: names of fields, blocks, columns, grand totals, items and signatures. A name that
    /// nothing has is refused, so that a slip of the pen does not print what should not be there.
    pub leaves_out: Vec<String>,
}

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// Labels and values.
    Fields(Fields),
    /// Lines.
    Table(Table),
    /// Items to tick.
    Checklist(Checklist),
    /// What was decided.
    Trail(Trail),
}

/// Labels and values, two a row (three on a strip).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// What stands above; may be empty.
    pub title: String,
    /// In the order of the paper.
    pub fields: Vec<Field>,
}

/// A label and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name, by which a copy leaves it out. May be empty.
    #[serde(default)]
    pub id: String,
    /// What it is called.
    pub label: String,
    /// What it is.
    pub value: Value,
    /// Whether it takes the whole width. [`Value::Long`] always does.
    #[serde(default)]
    pub is_full: bool,
}

impl Field {
    /// A field of half the width, or all of it if its value is long.
    #[must_use]
    pub fn new(id: impl Into<String>, label: impl Into<String>, value: Value) -> Self {
        Self { id: id.into(), label: label.into(), value, is_full: false }
    }

    /// The same field over the whole width.
    #[must_use]
    pub fn full(mut self) -> Self {
        self.is_full = true;
        self
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A short text.
    Text(String),
    /// A text of several lines, over the whole width.
    Long(String),
    /// An amount in fen (分), printed in figures and in words (大写).
    Cents(i64),
    /// A day: 2026年9月28日.
    Date(Date),
    /// Room for so many lines by hand, at most 20.
    Blank(u8),
}

/// Items to tick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Checklist {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// What stands above; may be empty.
    pub title: String,
    /// The items, two a row.
    pub items: Vec<CheckItem>,
}

/// An item to tick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckItem {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// What is to be looked at.
    pub label: String,
    /// What was found.
    pub state: CheckState,
    /// More about it; may be empty.
    pub note: String,
}

/// What was found of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// An empty box.
    #[default]
    Open,
    /// √
    Yes,
    /// ×
    No,
    /// —: does not apply.
    NotApplicable,
}

/// What was decided, by whom and when (审批记录).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trail {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// What stands above: 审批记录.
    pub title: String,
    /// The rows, in order.
    pub rows: Vec<Approval>,
}

/// A decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Approval {
    /// The step: 部门经理审批.
    pub step: String,
    /// Who decided.
    pub who: String,
    /// What: 同意.
    pub verdict: String,
    /// What was said; may be empty.
    pub comment: String,
    /// When, in local time. None as long as it is open.
    pub at: Option<DateTime>,
}
