//! Tables into files: templates to fill in, files of rows that failed, and exports. No text written here can be taken
//! for a formula, and [`crate::read()`] gives back exactly what was written.

mod errors;
mod table;
mod template;

use std::borrow::Cow;
use std::io;

use rust_xlsxwriter::{Format, Worksheet, XlsxError};
use serde::{Deserialize, Serialize};

pub use errors::{CellError, ErrorFile, ErrorWords};
pub use table::{Column, TableCsv, TableXlsx};
pub use template::{Template, TemplateColumn, TemplateWords, template};

use crate::text;

/// Rows a sheet can hold below its headings.
pub const MAX_XLSX_ROWS: u32 = 1_048_575;

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("a sheet holds at most {MAX_XLSX_ROWS} rows")]
    TooManyRows,
    #[error("writing the file failed")]
    Io(#[from] io::Error),
    #[error("writing the workbook failed")]
    Xlsx(#[from] XlsxError),
    #[error("writing the table failed")]
    Csv(#[from] csv::Error),
}

impl WriteError {
    /// Whether there is no space left where the file is written; the workbook's writer hides that inside its own errors.
    pub fn is_storage_full(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = match self {
            Self::TooManyRows => None,
            Self::Io(error) | Self::Xlsx(XlsxError::IoError(error)) => Some(error),
            Self::Xlsx(error) => Some(error),
            Self::Csv(error) => match error.kind() {
                csv::ErrorKind::Io(error) => Some(error),
                _ => None,
            },
        };
        while let Some(error) = cause {
            if let Some(io) = error.downcast_ref::<io::Error>()
                && io.kind() == io::ErrorKind::StorageFull
            {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_whoever_met_it() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert!(WriteError::from(full()).is_storage_full());
        assert!(WriteError::from(XlsxError::IoError(full())).is_storage_full());
        assert!(WriteError::from(csv::Error::from(full())).is_storage_full());
        struct Full;
        impl io::Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::StorageFull.into())
            }
        }
        impl io::Seek for Full {
            fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
                Ok(0)
            }
        }
        let mut book = rust_xlsxwriter::Workbook::new();
        book.add_worksheet();
        let error = book.save_to_writer(Full).unwrap_err();
        assert!(WriteError::from(error).is_storage_full());
    }
}

/// What a column is meant to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Kept as typed: leading zeros and long digits live.
    #[default]
    Text,
    Number,
    Date,
}

/// One cell of an export.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Integer(i64),
    Number(f64),
    Bool(bool),
    /// `YYYY-MM-DD`; anything else is written as text.
    Date(Cow<'a, str>),
    /// `YYYY-MM-DD HH:MM:SS` in the reader's time zone; anything else is written as text.
    DateTime(Cow<'a, str>),
}

/// The text as it may stand in a sheet: without control characters, at most as long as Excel takes.
fn fit(text: &str) -> Cow<'_, str> {
    let (cleaned, _) = text::clean(text);
    // Excel counts UTF-16 units.
    let mut units = 0;
    let end = cleaned
        .char_indices()
        .find(|(_, c)| {
            units += c.len_utf16();
            units > text::MAX_CELL_CHARS
        })
        .map(|(at, _)| at);
    match end {
        None => cleaned,
        Some(end) => Cow::Owned(cleaned[..end].to_owned()),
    }
}

/// Writes a text as a string; one that looks like a formula also gets Excel's quote prefix, so that editing the cell
/// does not turn it into one.
fn write_text(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    format: &Format,
) -> Result<(), WriteError> {
    let text = fit(text);
    if text.is_empty() {
        sheet.write_blank(row, column, format)?;
    } else if text::looks_like_formula(&text) {
        sheet.write_string_with_format(row, column, text, &format.clone().set_quote_prefix())?;
    } else {
        sheet.write_string_with_format(row, column, text, format)?;
    }
    Ok(())
}

fn column_index(at: usize) -> u16 {
    // Beyond what a sheet can hold; the library refuses it.
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// Width of a column for a heading, in characters of the default font; Chinese ones take two.
fn heading_width(title: &str) -> f64 {
    let wide: u32 = title.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    f64::from(wide.clamp(8, 36) + 4)
}
