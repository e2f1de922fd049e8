//! Exports, row by row, in constant memory.

use std::borrow::Cow;
use std::io::{Seek, Write};

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::{Cell, Kind, MAX_XLSX_ROWS, WriteError, column_index, fit, heading_width, write_text};
use crate::text;

/// A column of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    pub title: String,
    /// The number format of the column's empty cells.
    pub kind: Kind,
}

/// An XLSX export.
pub struct TableXlsx {
    book: Workbook,
    formats: Formats,
    next_row: u32,
}

struct Formats {
    text: Format,
    number: Format,
    date: Format,
    date_time: Format,
}

impl TableXlsx {
    /// Starts a sheet of this name (31 characters, none of `[]:*?/\`) with a frozen row of headings.
    pub fn new(sheet: &str, columns: &[Column]) -> Result<Self, WriteError> {
        let formats = Formats {
            text: Format::new().set_num_format("@"),
            number: Format::new(),
            date: Format::new().set_num_format("yyyy-mm-dd"),
            date_time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        };
        let mut book = Workbook::new();
        let page = book.add_worksheet_with_constant_memory();
        let page = page?;
        page.set_name(sheet)?;
        page.set_freeze_panes(1, 0)?;
        let bold = Format::new().set_bold();
        for (at, column) in columns.iter().enumerate() {
            let index = column_index(at);
            page.set_column_width(index, heading_width(&column.title))?;
            match column.kind {
                Kind::Text => page.set_column_format(index, &formats.text)?,
                Kind::Date => page.set_column_format(index, &formats.date)?,
                Kind::Number => page,
            };
        }
        for (at, column) in columns.iter().enumerate() {
            write_text(page, 0, column_index(at), &column.title, &bold)?;
        }
        Ok(Self { book, formats, next_row: 1 })
    }

    /// # Errors
    /// [`WriteError::TooManyRows`] beyond [`MAX_XLSX_ROWS`].
    pub fn push(&mut self, cells: &[Cell<'_>]) -> Result<(), WriteError> {
        if self.next_row > MAX_XLSX_ROWS {
            return Err(WriteError::TooManyRows);
        }
        let (row, formats) = (self.next_row, &self.formats);
        let page = self.book.worksheet_from_index(0)?;
        for (at, cell) in cells.iter().enumerate() {
            let column = column_index(at);
            match cell {
                Cell::Empty => {}
                Cell::Text(text) if text.is_empty() => {}
                Cell::Text(text) => write_text(page, row, column, text, &formats.text)?,
                // Excel keeps fifteen digits of a number.
                Cell::Integer(value) if value.unsigned_abs() < 1_000_000_000_000_000 => {
                    page.write_number_with_format(row, column, *value as f64, &formats.number)?;
                }
                Cell::Integer(value) => write_text(page, row, column, &value.to_string(), &formats.text)?,
                Cell::Number(value) if value.is_finite() => {
                    page.write_number_with_format(row, column, *value, &formats.number)?;
                }
                Cell::Number(_) => {}
                Cell::Bool(value) => {
                    write_text(page, row, column, yes_or_no(*value), &formats.text)?;
                }
                Cell::Date(date) | Cell::DateTime(date) => {
                    let is_plain = date.len() == if matches!(cell, Cell::Date(_)) { 10 } else { 19 };
                    let format =
                        if matches!(cell, Cell::Date(_)) { &formats.date } else { &formats.date_time };
                    match ExcelDateTime::parse_from_str(date).ok().filter(|_| is_plain) {
                        Some(value) => {
                            page.write_datetime_with_format(row, column, &value, format)?;
                        }
                        None => write_text(page, row, column, date, &formats.text)?,
                    }
                }
            }
        }
        self.next_row += 1;
        Ok(())
    }

    /// Writes the file and gives the number of rows.
    pub fn finish(mut self, writer: impl Write + Seek + Send) -> Result<u64, WriteError> {
        self.book.save_to_writer(writer)?;
        Ok(u64::from(self.next_row - 1))
    }
}

/// A CSV export: UTF-8 with byte order mark, which Excel needs to show Chinese, lines ended by CR LF. A text that
/// looks like a formula gets an apostrophe in front ([`text::guard`]), which the reader takes away again.
pub struct TableCsv<W: Write> {
    writer: csv::Writer<W>,
    rows: u64,
}

impl<W: Write> TableCsv<W> {
    pub fn new(mut writer: W, titles: &[String]) -> Result<Self, WriteError> {
        writer.write_all("\u{feff}".as_bytes())?;
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(writer);
        writer.write_record(titles.iter().map(|title| text::guard(&fit(title)).into_owned()))?;
        Ok(Self { writer, rows: 0 })
    }

    pub fn push(&mut self, cells: &[Cell<'_>]) -> Result<(), WriteError> {
        for cell in cells {
            let text: Cow<'_, str> = match cell {
                Cell::Empty => Cow::Borrowed(""),
                Cell::Text(text) | Cell::Date(text) | Cell::DateTime(text) => {
                    let (cleaned, _) = text::clean(text);
                    Cow::Owned(text::guard(&cleaned).into_owned())
                }
                // A negative number is a number, not a formula.
                Cell::Integer(value) => Cow::Owned(value.to_string()),
                Cell::Number(value) if value.is_finite() => Cow::Owned(value.to_string()),
                Cell::Number(_) => Cow::Borrowed(""),
                Cell::Bool(value) => Cow::Borrowed(yes_or_no(*value)),
            };
            self.writer.write_field(text.as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        self.rows += 1;
        Ok(())
    }

    /// Flushes and gives the number of rows.
    pub fn finish(mut self) -> Result<u64, WriteError> {
        self.writer.flush()?;
        Ok(self.rows)
    }
}

fn yes_or_no(value: bool) -> &'static str {
    if value { "是" } else { "否" }
}
