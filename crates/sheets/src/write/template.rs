//! The empty file people fill in: headings with notes, drop-downs, and a sheet that explains the columns.

use std::io::{Seek, Write};

use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, Format, FormatAlign, FormatBorder, Formula, Note, Workbook,
    Worksheet,
};

use super::{Kind, MAX_XLSX_ROWS, WriteError, column_index, heading_width, write_text};
use crate::read::STAMP_PROPERTY;

/// A list in a drop-down's own rule may have this many UTF-16 units, commas included; longer ones go to a sheet.
const MAX_INLINE_LIST: usize = 255;

/// A column to fill in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateColumn {
    pub title: String,
    pub is_required: bool,
    /// One or two sentences for the explaining sheet and the heading's note.
    pub help: String,
    /// The values allowed, offered as a drop-down; empty means free.
    pub choices: Vec<String>,
    pub example: String,
    pub kind: Kind,
}

/// A template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Name of the sheet to fill in (31 characters, none of `[]:*?/\`).
    pub sheet: String,
    pub columns: Vec<TemplateColumn>,
    /// Paragraphs above the table of columns on the explaining sheet.
    pub notes: Vec<String>,
    /// Kind and version of the template, given back by the reader as `Header::stamp`.
    pub stamp: String,
    pub words: TemplateWords,
}

/// The words around the columns, in the language of whoever fills the template in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateWords {
    /// Name of the sheet that explains the columns.
    pub help_sheet: String,
    /// Name of the hidden sheet of long lists of choices; no apostrophe in it.
    pub choices_sheet: String,
    /// In the note at a heading.
    pub required: String,
    pub optional: String,
    /// Stands before the example in the note.
    pub example: String,
    /// Headings of the explaining sheet: column, required, kind, explanation, choices, example.
    pub headings: [String; 6],
    pub yes: String,
    pub no: String,
    /// What a column holds: text, number, date.
    pub kinds: [String; 3],
    /// Stands between two choices on the explaining sheet.
    pub comma: String,
    /// What Excel says when something else than a choice is typed (32 characters).
    pub not_a_choice: String,
    /// And what to do (255 characters).
    pub choose: String,
}

/// Writes the template as XLSX.
pub fn template(template: &Template, writer: impl Write + Seek + Send) -> Result<(), WriteError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_custom_property(STAMP_PROPERTY, template.stamp.as_str()));
    let mut listed: Vec<&[String]> = Vec::new();
    write_data_sheet(book.add_worksheet(), template, &mut listed)?;
    write_help_sheet(book.add_worksheet(), template)?;
    if !listed.is_empty() {
        let page = book.add_worksheet();
        page.set_name(&template.words.choices_sheet)?;
        page.set_hidden(true);
        let text = Format::new().set_num_format("@");
        for (column, choices) in listed.iter().enumerate() {
            for (row, choice) in (0..).zip(choices.iter()) {
                write_text(page, row, column_index(column), choice, &text)?;
            }
        }
    }
    book.save_to_writer(writer)?;
    Ok(())
}

fn write_data_sheet<'a>(
    page: &mut Worksheet,
    template: &'a Template,
    listed: &mut Vec<&'a [String]>,
) -> Result<(), WriteError> {
    page.set_name(&template.sheet)?;
    page.set_freeze_panes(1, 0)?;
    let heading = Format::new()
        .set_bold()
        .set_align(FormatAlign::Center)
        .set_border(FormatBorder::Thin)
        .set_background_color(Color::RGB(0xF2_F2_F2));
    let required =
        heading.clone().set_background_color(Color::RGB(0xFF_E6_99)).set_font_color(Color::RGB(0xC0_00_00));
    for (at, column) in template.columns.iter().enumerate() {
        let index = column_index(at);
        let format = match column.kind {
            Kind::Text => Format::new().set_num_format("@"),
            Kind::Number => Format::new(),
            Kind::Date => Format::new().set_num_format("yyyy-mm-dd"),
        };
        page.set_column_width(index, heading_width(&column.title))?;
        page.set_column_format(index, &format)?;
        write_text(page, 0, index, &column.title, if column.is_required { &required } else { &heading })?;
        page.insert_note(0, index, &Note::new(note_text(column, &template.words)).add_author_prefix(false))?;
        if !column.choices.is_empty() {
            page.add_data_validation(
                1,
                index,
                MAX_XLSX_ROWS,
                index,
                &choices_rule(&column.choices, listed, &template.words)?,
            )?;
        }
    }
    Ok(())
}

fn note_text(column: &TemplateColumn, words: &TemplateWords) -> String {
    let mut lines = vec![if column.is_required { &words.required } else { &words.optional }.clone()];
    if !column.help.is_empty() {
        lines.push(column.help.clone());
    }
    if !column.example.is_empty() {
        lines.push(format!("{}{}", words.example, column.example));
    }
    lines.join("\n")
}

fn choices_rule<'a>(
    choices: &'a [String],
    listed: &mut Vec<&'a [String]>,
    words: &TemplateWords,
) -> Result<DataValidation, WriteError> {
    let length: usize = choices.iter().map(|choice| choice.encode_utf16().count() + 1).sum();
    // A comma would end the choice, a quote the list.
    let is_plain = choices.iter().all(|choice| !choice.contains([',', '"']) && choice.trim() == choice);
    let rule = DataValidation::new();
    let rule = if length <= MAX_INLINE_LIST && is_plain {
        rule.allow_list_strings(choices)?
    } else {
        let letters = column_letters(listed.len());
        listed.push(choices);
        let (sheet, last) = (&words.choices_sheet, choices.len());
        rule.allow_list_formula(Formula::new(format!("='{sheet}'!${letters}$1:${letters}${last}")))
    };
    Ok(rule.set_error_title(&words.not_a_choice)?.set_error_message(&words.choose)?)
}

fn column_letters(mut column: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'A' + u8::try_from(column % 26).unwrap_or(0)));
        if column < 26 {
            return letters;
        }
        column = column / 26 - 1;
    }
}

fn write_help_sheet(page: &mut Worksheet, template: &Template) -> Result<(), WriteError> {
    let words = &template.words;
    page.set_name(&words.help_sheet)?;
    let plain = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_num_format("@");
    let bold = plain.clone().set_bold().set_background_color(Color::RGB(0xF2_F2_F2));
    for (column, width) in [(0, 18.0), (1, 8.0), (2, 10.0), (3, 50.0), (4, 40.0), (5, 24.0)] {
        page.set_column_width(column, width)?;
    }
    let mut row = 0;
    let line = Format::new();
    for note in &template.notes {
        write_text(page, row, 0, note, &line)?;
        row += 1;
    }
    for (column, title) in (0..).zip(&words.headings) {
        write_text(page, row, column, title, &bold)?;
    }
    for column in &template.columns {
        row += 1;
        let [text, number, date] = &words.kinds;
        let kind = match column.kind {
            Kind::Text => text,
            Kind::Number => number,
            Kind::Date => date,
        };
        let required = if column.is_required { &words.yes } else { &words.no };
        let choices = column.choices.join(&words.comma);
        let cells = [&column.title, required, kind, &column.help, &choices, &column.example];
        for (at, cell) in (0..).zip(cells) {
            write_text(page, row, at, cell, &plain)?;
        }
    }
    Ok(())
}
