//! What forms and reports have in common: tables, signatures, pictures, the code to scan and the print's own record.

use jiff::Zoned;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Who printed, when, and for which time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imprint {
    /// Who printed, as people read it.
    pub by: String,
    /// When. It is printed as local time of its zone, and dates the file.
    pub at: Zoned,
    /// Which time this is, from 1. From 2 on the paper is marked as a reprint (补打). 0 prints no count, for what is
    /// not counted.
    #[serde(default)]
    pub count: u32,
}

impl Imprint {
    /// `第1次打印`, `第2次打印（补打）`; empty when prints are not counted.
    #[must_use]
    pub fn mark(&self) -> String {
        match self.count {
            0 => String::new(),
            1 => "第1次打印".to_owned(),
            count => format!("第{count}次打印（补打）"),
        }
    }
}

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right: amounts.
    Right,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Column {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// What stands above it.
    pub title: String,
    /// Where its text stands.
    pub align: Align,
    /// Its width in millimetres. Without one it is reckoned from what stands in the column. Widths are scaled so that
    /// the table fills the page.
    pub width_mm: Option<f32>,
}

impl Column {
    /// A column aligned left.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), ..Self::default() }
    }

    /// The same column with its text elsewhere.
    #[must_use]
    pub fn aligned(mut self, align: Align) -> Self {
        self.align = align;
        self
    }

    /// The same column so many millimetres wide.
    #[must_use]
    pub fn wide(mut self, width_mm: f32) -> Self {
        self.width_mm = Some(width_mm);
        self
    }
}

/// Lines under headings, which are repeated on every page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// What stands above it; may be empty.
    pub title: String,
    /// The columns; a table without any is refused.
    pub columns: Vec<Column>,
    /// As many cells as columns in every row. Numbers come formatted.
    pub rows: Vec<Vec<String>>,
    /// Bold rows at the end, with as many cells as columns.
    pub totals: Vec<Vec<String>>,
    /// The amount of the whole, in figures and in words, below the totals.
    pub grand_total: Option<GrandTotal>,
    /// Whether the rows are numbered from 1 in a first column 序号.
    pub is_numbered: bool,
}

/// The amount of a whole table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrandTotal {
    /// Its name, by which a copy leaves it out.
    #[serde(default)]
    pub id: String,
    /// What it is: 合计.
    pub label: String,
    /// In fen (分).
    pub cents: i64,
}

/// A line to sign on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Signature {
    /// Its name, by which a copy leaves it out. May be empty.
    pub id: String,
    /// Who signs: 客户签名.
    pub label: String,
    /// Printed on the line when there is no picture.
    pub name: String,
    /// The signature itself.
    pub picture: Option<Picture>,
    /// Without a date there is room to write one.
    pub signed_on: Option<Date>,
}

impl Signature {
    /// An empty line.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }
}

/// What the bytes of a picture are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PictureFormat {
    /// At most [`crate::limits::PICTURE_PIXELS`] pixels.
    Png,
    /// Shapes only: no text, no pictures in it, no styles, nothing that refers to anything.
    Svg,
}

/// A picture of at most [`crate::limits::PICTURE_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// What the bytes are. Bytes of something else are refused.
    pub format: PictureFormat,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A QR code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// What a scanner reads, usually an address.
    pub text: String,
    /// What stands below it.
    pub caption: String,
}

impl Code {
    /// A code with the caption 扫码核验.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), caption: "扫码核验".to_owned() }
    }
}
