//! A report as it is printed: tables over many pages.

use serde::{Deserialize, Serialize};

use crate::parts::{Imprint, Signature, Table};

/// A report on A4 paper, its pages counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Above the title; may be empty.
    #[serde(default)]
    pub company: String,
    /// What it is: 客户投诉月报.
    pub title: String,
    /// The time it is about: 2026年9月; may be empty.
    #[serde(default)]
    pub period: String,
    /// Lines below the title.
    #[serde(default)]
    pub lines: Vec<String>,
    /// The tables, in order.
    #[serde(default)]
    pub tables: Vec<Table>,
    /// Figures and sentences after the tables.
    #[serde(default)]
    pub summary: Vec<SummaryLine>,
    /// Lines to sign on, at the end.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// How the paper lies.
    #[serde(default)]
    pub orientation: Orientation,
    /// Who printed it.
    pub imprint: Imprint,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(title: impl Into<String>, imprint: Imprint) -> Self {
        Self {
            company: String::new(),
            title: title.into(),
            period: String::new(),
            lines: Vec::new(),
            tables: Vec::new(),
            summary: Vec::new(),
            signatures: Vec::new(),
            orientation: Orientation::default(),
            imprint,
        }
    }
}

/// How the paper lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orientation {
    /// Upright unless a table is too wide for that.
    #[default]
    Auto,
    /// Upright.
    Portrait,
    /// On its side.
    Landscape,
}

/// A line after the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SummaryLine {
    /// What it is; may be empty.
    pub label: String,
    /// A figure or a sentence.
    pub text: String,
}
