//! From what is to be printed to what the templates draw: texts cleaned, amounts in words, widths in millimetres, cells
//! in rows. The templates only draw; what stands where is decided here.

mod report;
mod slip;
mod table;

use jiff::civil::Date;
use serde::Serialize;
use typst::foundations::Bytes;

use crate::error::PrintError;
use crate::parts::{Imprint, PictureFormat, Signature};
use crate::{picture, text};

pub use report::report;
pub use slip::slip;

/// A page of data for a template, and the pictures it names.
pub struct Drawing {
    pub data: Vec<u8>,
    pub pictures: Vec<(String, Bytes)>,
}

/// The paper a block is drawn on.
#[derive(Clone, Copy)]
pub struct Sheet {
    /// Between the margins.
    pub width_mm: f32,
    /// Size of the text.
    pub em_mm: f32,
    /// Room left and right of the text in a cell, both together.
    pub padding_mm: f32,
    /// Labels and values in one row.
    pub pairs: usize,
}

const MM_PER_PT: f32 = 25.4 / 72.0;

impl Sheet {
    /// How much text goes into one line of a cell.
    pub fn room_em(&self, width_mm: f32) -> f32 {
        (width_mm - self.padding_mm).max(0.0) / self.em_mm
    }

    /// The width of a cell for a line of text.
    pub fn width_of(&self, em: f32) -> f32 {
        em * self.em_mm + self.padding_mm
    }

    /// Text for a cell.
    pub fn cell(&self, value: &str, width_mm: f32) -> String {
        text::breakable(text::clean(value), self.room_em(width_mm))
    }

    /// Text over the whole width.
    pub fn line(&self, value: &str) -> String {
        self.cell(value, self.width_mm)
    }
}

/// A part of a page, ruled.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Drawn {
    Fields { title: String, columns: Vec<f32>, cells: Vec<Cell> },
    Table(DrawnTable),
    Checks { title: String, columns: Vec<f32>, items: Vec<Check> },
}

#[derive(Serialize)]
pub struct Cell {
    text: String,
    /// The amount in words, below the text.
    words: String,
    blank_mm: f32,
    is_label: bool,
    span: usize,
}

#[derive(Serialize)]
pub struct DrawnTable {
    title: String,
    columns: Vec<f32>,
    aligns: Vec<crate::parts::Align>,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    totals: Vec<Vec<String>>,
    grand: Option<Grand>,
}

#[derive(Serialize)]
struct Grand {
    label: String,
    words: String,
    figure: String,
}

#[derive(Serialize)]
pub struct Check {
    mark: &'static str,
    label: String,
    note: String,
}

#[derive(Clone, Serialize)]
pub struct DrawnSignature {
    label: String,
    name: String,
    /// Name of its file; empty if there is none.
    picture: String,
    /// The day, or room to write it.
    signed: String,
}

/// Checks the pictures of signatures and names them.
fn signatures(
    signatures: &[Signature],
    sheet: &Sheet,
    pictures: &mut Vec<(String, Bytes)>,
) -> Result<Vec<DrawnSignature>, PrintError> {
    let room_mm = sheet.width_mm / 5.0;
    let draw = |signature: &Signature| {
        let picture = match &signature.picture {
            None => String::new(),
            Some(picture) => {
                let ending = match picture.format {
                    PictureFormat::Png => "png",
                    PictureFormat::Svg => "svg",
                };
                let bytes = picture::load(picture, &signature.label)?;
                let name = format!("{}.{ending}", pictures.len());
                pictures.push((name.clone(), bytes));
                name
            }
        };
        Ok(DrawnSignature {
            label: sheet.cell(&signature.label, room_mm),
            name: sheet.cell(&signature.name, room_mm),
            picture,
            signed: signature.signed_on.map_or_else(|| "　　　年　　月　　日".to_owned(), text::date),
        })
    };
    signatures.iter().map(draw).collect()
}

/// The line at the foot of every page.
fn imprint(imprint: &Imprint, sheet: &Sheet) -> String {
    let at = imprint.at.strftime("%Y-%m-%d %H:%M");
    let by = sheet.cell(&imprint.by, sheet.width_mm / 2.0);
    format!("打印：{by}　{at}　{}", imprint.mark()).trim_end().to_owned()
}

/// The day of the print, and all that a template may know of time.
pub fn today(imprint: &Imprint) -> Date {
    imprint.at.date()
}

fn json<T: Serialize>(data: &T) -> Result<Vec<u8>, PrintError> {
    serde_json::to_vec(data).map_err(|error| PrintError::Typesetting(error.to_string()))
}
