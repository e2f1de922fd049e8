//! The rows of one sheet, cell by cell.

use quick_xml::events::{BytesStart, Event as XmlEvent};

use super::number::{self, Style};
use super::package::Xml;
use super::{CellText, MAX_READ_COLUMNS, Texts};
use crate::problem::Problem;
use crate::read::table::Table;
use crate::read::{Limits, Row};

/// What is needed to turn cells into text.
pub struct Cells<'a> {
    pub styles: &'a [Style],
    pub texts: &'a Texts,
    pub is_1904: bool,
    pub limits: &'a Limits,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Shared,
    Text,
    Bool,
    Error,
    Date,
}

struct Open {
    column: usize,
    kind: Kind,
    style: Style,
    has_formula: bool,
}

impl Cells<'_> {
    pub fn read(&self, mut xml: Xml<'_>, table: &mut Table<'_, '_>) -> Result<(), Problem> {
        let mut row = Row::default();
        let mut next_column = 0;
        let mut row_bytes = 0;
        let mut cell: Option<Open> = None;
        let mut is_value = false;
        let mut inline = CellText::new(self.limits);
        let mut value = CellText::new(self.limits);
        let mut is_data = false;
        loop {
            let event = xml.pull()?;
            if cell.is_some() {
                inline.take(&event);
            }
            match &event {
                XmlEvent::Start(tag) => match tag.local_name().as_ref() {
                    "sheetData" => is_data = true,
                    "row" if is_data => {
                        start_row(&mut row, tag);
                        (next_column, row_bytes) = (0, 0);
                    }
                    "c" if is_data => {
                        let open = self.open(tag, next_column);
                        next_column = open.column + 1;
                        cell = Some(open);
                    }
                    "v" => is_value = cell.is_some(),
                    "f" => {
                        if let Some(cell) = &mut cell {
                            cell.has_formula = true;
                        }
                    }
                    _ => {}
                },
                XmlEvent::Empty(tag) => match tag.local_name().as_ref() {
                    "row" if is_data => start_row(&mut row, tag),
                    "c" if is_data => next_column = self.open(tag, next_column).column + 1,
                    "f" => {
                        if let Some(cell) = &mut cell {
                            cell.has_formula = true;
                        }
                    }
                    _ => {}
                },
                XmlEvent::End(tag) => match tag.local_name().as_ref() {
                    "v" => is_value = false,
                    "c" => {
                        if let Some(open) = cell.take() {
                            let (raw, text) = (value.finish(), inline.finish());
                            let raw = if raw.is_empty() { text } else { raw };
                            self.close(&open, raw, &mut row)?;
                            self.leave_out(&open, &mut row, &mut row_bytes);
                        }
                    }
                    "row" if is_data => {
                        let next = Row { number: row.number, ..Row::default() };
                        if table.push(std::mem::replace(&mut row, next))?.is_break() {
                            return Ok(());
                        }
                    }
                    // What follows the rows is of no interest, but an intact file closes all it opened.
                    "sheetData" => is_data = false,
                    _ => {}
                },
                XmlEvent::Eof => return Ok(()),
                event if is_value => value.take_text(event),
                _ => {}
            }
        }
    }

    fn open(&self, tag: &BytesStart<'_>, next_column: usize) -> Open {
        let mut open =
            Open { column: next_column, kind: Kind::Number, style: Style::Plain, has_formula: false };
        for attribute in tag.attributes().with_checks(false).filter_map(Result::ok) {
            match attribute.key.as_ref() {
                "r" => {
                    if let Some((column, _)) = parse_reference(&attribute.value) {
                        open.column = column;
                    }
                }
                "s" => {
                    let style =
                        attribute.value.parse::<usize>().ok().and_then(|index| self.styles.get(index));
                    open.style = style.copied().unwrap_or(Style::Plain);
                }
                "t" => {
                    open.kind = match &*attribute.value {
                        "s" => Kind::Shared,
                        "str" | "inlineStr" => Kind::Text,
                        "b" => Kind::Bool,
                        "e" => Kind::Error,
                        "d" => Kind::Date,
                        _ => Kind::Number,
                    };
                }
                _ => {}
            }
        }
        open
    }

    /// Empties a cell behind too much text in its row: the table, which says so, would leave it out too, and till then
    /// one long shared text would be held a thousand times.
    fn leave_out(&self, cell: &Open, row: &mut Row, row_bytes: &mut usize) {
        let Some(text) = row.cells.get_mut(cell.column) else { return };
        if *row_bytes > self.limits.max_row_bytes {
            *text = String::new();
        } else {
            *row_bytes += text.len();
        }
    }

    /// Puts the finished cell into the row.
    fn close(&self, cell: &Open, raw: String, row: &mut Row) -> Result<(), Problem> {
        if raw.is_empty() {
            if cell.has_formula && cell.kind != Kind::Text && cell.column < MAX_READ_COLUMNS {
                row.problems.push(
                    Problem::warning(
                        "cell.formula_without_value",
                        "公式没有保存计算结果，请在 Excel 中打开文件、保存后重新上传",
                        "the formula has no stored result; open the file in Excel and save it",
                    )
                    .at_row(row.number)
                    .at_column(cell.column),
                );
            }
            return Ok(());
        }
        if cell.column >= MAX_READ_COLUMNS {
            let name = column_name(cell.column);
            return Err(Problem::error(
                "table.too_many_columns",
                format!(
                    "第 {} 行 {name} 列有内容，表格最多 {MAX_READ_COLUMNS} 列，请删去多余的列后再上传",
                    row.number
                ),
                format!("row {} has a cell in column {name}, beyond {MAX_READ_COLUMNS} columns", row.number),
            )
            .at_row(row.number));
        }
        let problem = |problem: Problem| problem.at_row(row.number).at_column(cell.column);
        let mut found = None;
        let text = match cell.kind {
            Kind::Text => raw,
            Kind::Shared => match raw.trim().parse().ok().and_then(|index| self.texts.get(index)) {
                Some(text) => text.to_owned(),
                None => {
                    found = Some(problem(Problem::error(
                        "cell.unreadable",
                        "单元格内容已损坏，请重新填写",
                        "the cell refers to a text the file does not have",
                    )));
                    String::new()
                }
            },
            Kind::Bool => if raw.trim() == "1" || raw.trim() == "true" { "是" } else { "否" }.to_owned(),
            Kind::Error => {
                found = Some(problem(Problem::error(
                    "cell.error_value",
                    format!("单元格是错误值 {raw}，请改正公式或直接填写内容"),
                    format!("the cell holds the error value {raw}"),
                )));
                String::new()
            }
            Kind::Date => iso_date(&raw),
            Kind::Number => match number::to_text(&raw, cell.style, self.is_1904) {
                Some((text, is_lossy)) => {
                    if is_lossy {
                        found = Some(problem(Problem::warning(
                            "cell.precision",
                            "超过 15 位的数字在 Excel 中会丢失末尾几位，请把这一列设为“文本”格式后重新填写",
                            "numbers of more than 15 digits lose their last digits; store them as text",
                        )));
                    }
                    text
                }
                None => raw,
            },
        };
        row.problems.extend(found);
        if row.cells.len() <= cell.column {
            row.cells.resize(cell.column + 1, String::new());
        }
        row.cells[cell.column] = text;
        Ok(())
    }
}

fn start_row(row: &mut Row, tag: &BytesStart<'_>) {
    let number = super::attribute(tag, "r").and_then(|number| number.parse().ok());
    *row = Row { number: number.unwrap_or(row.number.saturating_add(1)), ..Row::default() };
}

/// `2024-02-29T00:00:00` as the other dates are given.
fn iso_date(raw: &str) -> String {
    let text = raw.trim().trim_end_matches('Z').replacen('T', " ", 1);
    text.strip_suffix(" 00:00:00").unwrap_or(&text).to_owned()
}

/// `AB12` as column from 0 and row from 1.
pub fn parse_reference(reference: &str) -> Option<(usize, u64)> {
    let reference = reference.trim_start_matches('$');
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters == 0 || letters > 3 {
        return None;
    }
    let column = reference[..letters]
        .bytes()
        .fold(0_usize, |column, letter| column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    let row = reference[letters..].trim_start_matches('$').parse().ok()?;
    Some((column - 1, row))
}

/// The letters of a column counted from 0.
fn column_name(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_column_names() {
        for (name, column) in [("A", 0), ("Z", 25), ("AA", 26), ("SG", 500), ("XFD", 16_383)] {
            assert_eq!(column_name(column), name);
            assert_eq!(parse_reference(&format!("{name}7")), Some((column, 7)));
        }
        assert_eq!(parse_reference("$B$3"), Some((1, 3)));
        assert_eq!(parse_reference("7"), None);
        assert_eq!(parse_reference("ABCD7"), None);
        assert_eq!(parse_reference(""), None);
    }
}
