//! The file of rows that could not be taken: the reason first, the offending cells coloured. Corrected and uploaded
//! again it is recognised by its first columns, which the reader takes away.

use std::io::{Seek, Write};

use rust_xlsxwriter::{Color, DocProperties, Format, FormatAlign, Note, Workbook};

use super::{MAX_XLSX_ROWS, WriteError, column_index, fit, heading_width, write_text};
use crate::read::STAMP_PROPERTY;

/// Notes are kept in memory until the end and make a file slow to open; past this many, cells are only coloured.
const MAX_NOTES: usize = 2_000;
/// Columns before those of the original file.
const OWN_COLUMNS: usize = 2;

/// What is wrong with a row, or with one cell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError {
    /// Index into the row's cells; without it the whole row is meant.
    pub column: Option<usize>,
    /// In the reader's language, without the column's heading.
    pub reason: String,
}

/// The words of an error file, in the language of whoever corrects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorWords {
    /// Name of the sheet (31 characters, none of `[]:*?/\`).
    pub sheet: String,
    /// Headings of the first two columns: a pair of [`crate::read::ERROR_HEADINGS`], or the reader will not recognise
    /// the file.
    pub headings: [&'static str; 2],
    /// Stands between a column's heading and what is wrong with it.
    pub colon: String,
    /// Stands between two reasons.
    pub semicolon: String,
}

/// Writes an error file row by row, in constant memory but for the notes.
pub struct ErrorFile {
    book: Workbook,
    words: ErrorWords,
    titles: Vec<String>,
    plain: Format,
    reason: Format,
    wrong: Format,
    next_row: u32,
    notes: usize,
}

impl ErrorFile {
    /// `titles` are the headings of the original file; `stamp` is given back by the reader as `Header::stamp`.
    pub fn new(titles: &[String], stamp: Option<&str>, words: ErrorWords) -> Result<Self, WriteError> {
        let plain = Format::new().set_num_format("@");
        let reason =
            plain.clone().set_font_color(Color::RGB(0xC0_00_00)).set_text_wrap().set_align(FormatAlign::Top);
        let wrong = plain.clone().set_background_color(Color::RGB(0xFF_C7_CE));
        let mut book = Workbook::new();
        if let Some(stamp) = stamp {
            book.set_properties(&DocProperties::new().set_custom_property(STAMP_PROPERTY, stamp));
        }
        let page = book.add_worksheet_with_constant_memory()?;
        page.set_name(&words.sheet)?;
        page.set_freeze_panes(1, column_index(OWN_COLUMNS))?;
        page.set_column_width(0, 40)?;
        page.set_column_width(1, 8)?;
        for (at, title) in titles.iter().enumerate() {
            let column = column_index(at + OWN_COLUMNS);
            page.set_column_width(column, heading_width(title))?;
            page.set_column_format(column, &plain)?;
        }
        let bold = Format::new().set_bold();
        let [heading_of_reason, heading_of_row] = words.headings;
        write_text(page, 0, 0, heading_of_reason, &bold.clone().set_font_color(Color::RGB(0xC0_00_00)))?;
        write_text(page, 0, 1, heading_of_row, &bold)?;
        for (at, title) in titles.iter().enumerate() {
            write_text(page, 0, column_index(at + OWN_COLUMNS), title, &bold)?;
        }
        Ok(Self { book, words, titles: titles.to_vec(), plain, reason, wrong, next_row: 1, notes: 0 })
    }

    /// Adds a row; `original` is its number in the file it came from.
    ///
    /// # Errors
    /// [`WriteError::TooManyRows`] beyond [`MAX_XLSX_ROWS`].
    pub fn push(&mut self, original: u64, cells: &[String], errors: &[CellError]) -> Result<(), WriteError> {
        if self.next_row > MAX_XLSX_ROWS {
            return Err(WriteError::TooManyRows);
        }
        let row = self.next_row;
        let reasons: Vec<String> = errors
            .iter()
            .map(|error| match error.column.and_then(|column| self.titles.get(column)) {
                Some(title) => format!("{title}{}{}", self.words.colon, error.reason),
                None => error.reason.clone(),
            })
            .collect();
        let page = self.book.worksheet_from_index(0)?;
        write_text(page, row, 0, &reasons.join(&self.words.semicolon), &self.reason)?;
        write_text(page, row, 1, &original.to_string(), &self.plain)?;
        let width = cells.len().max(self.titles.len());
        for at in 0..width {
            let column = column_index(at + OWN_COLUMNS);
            let cell = cells.get(at).map(String::as_str).unwrap_or_default();
            let wrong: Vec<&str> = errors
                .iter()
                .filter(|error| error.column == Some(at))
                .map(|error| error.reason.as_str())
                .collect();
            if wrong.is_empty() {
                if !cell.is_empty() {
                    write_text(page, row, column, cell, &self.plain)?;
                }
                continue;
            }
            write_text(page, row, column, cell, &self.wrong)?;
            if self.notes < MAX_NOTES {
                self.notes += 1;
                let note =
                    Note::new(fit(&wrong.join(&self.words.semicolon)).into_owned()).add_author_prefix(false);
                page.insert_note(row, column, &note)?;
            }
        }
        self.next_row += 1;
        Ok(())
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        u64::from(self.next_row - 1)
    }

    /// Writes the file and gives the number of rows.
    pub fn finish(mut self, writer: impl Write + Seek + Send) -> Result<u64, WriteError> {
        self.book.save_to_writer(writer)?;
        Ok(self.rows())
    }
}
