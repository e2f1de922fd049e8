//! Delimited text. An own splitter, not the `csv` crate, because a record here may not grow without bound, the
//! delimiter may be `，`, and every row must know its number whatever ends the lines.

use std::fs::File;
use std::ops::ControlFlow;

use super::encoding::{self, Detected, Utf8Reader};
use super::table::Table;
use super::{Format, Header, Limits, Row, Sink, Summary};
use crate::problem::Problem;
use crate::text;

/// Tried in this order; the earlier wins a draw.
const DELIMITERS: [char; 6] = [',', '\t', ';', '|', '，', '；'];
/// Cells kept of one record; the rest are only counted.
const MAX_FIELDS: usize = 2_000;
const SNIFFED_RECORDS: usize = 30;

pub fn read(file: &mut File, limits: &Limits, sink: &mut Sink<'_>) -> Result<Summary, Problem> {
    let Detected { encoding, skip, is_broken } = encoding::detect(file)?;
    let mut reader = Utf8Reader::new(file, encoding, skip)?;
    let mut chunk = String::new();
    reader.next_text(&mut chunk)?;
    refuse_binary(&chunk)?;
    let told = told_delimiter(&chunk);
    let delimiter = told.unwrap_or_else(|| sniff_delimiter(&chunk));

    let header = Header {
        format: Format::Csv,
        columns: Vec::new(),
        keys: Vec::new(),
        row: 0,
        asked_row: limits.header_row,
        encoding: Some(encoding.name().to_owned()),
        delimiter: Some(delimiter),
        sheet: None,
        sheets: Vec::new(),
        stamp: None,
        is_error_file: false,
    };
    let mut table = Table::new(header, Vec::new(), limits, sink);
    let mut splitter = Splitter::new(delimiter, limits);
    let mut skip_first = told.is_some();
    while !chunk.is_empty() {
        for c in chunk.chars() {
            let Some(record) = splitter.take(c) else { continue };
            if std::mem::take(&mut skip_first) {
                // Spreadsheet programs do not show it.
                splitter.number = 1;
                continue;
            }
            if push(&mut table, record)?.is_break() {
                return table.finish();
            }
        }
        reader.next_text(&mut chunk)?;
    }
    let record = splitter.end()?;
    if let Some(record) = record.filter(|_| !skip_first) {
        // A break is remembered in the summary.
        let _ = push(&mut table, record)?;
    }
    if is_broken {
        table.note_broken_encoding();
    }
    table.finish()
}

fn push(table: &mut Table<'_, '_>, record: Record) -> Result<ControlFlow<()>, Problem> {
    let mut row = Row { number: record.number, cells: record.fields, ..Row::default() };
    for cell in &mut row.cells {
        let kept = text::unguard(cell).len();
        if kept < cell.len() {
            cell.remove(0);
        }
    }
    if record.uncounted > 0 {
        let all = row.cells.len() + record.uncounted;
        if !table.has_rows() {
            return Err(Problem::error(
                "table.too_many_columns",
                format!("表格有 {all} 列，最多 {} 列，请删去不需要的列后再上传", table.max_columns()),
                format!("the table has {all} columns, at most {} are read", table.max_columns()),
            )
            .at_row(record.number));
        }
        row.problems.push(
            Problem::error(
                "row.too_many_cells",
                format!("本行有 {all} 格，远多于表头"),
                format!("{all} cells"),
            )
            .at_row(record.number),
        );
    }
    table.push(row)
}

fn refuse_binary(head: &str) -> Result<(), Problem> {
    let (mut controls, mut garbled, mut all) = (0_usize, 0_usize, 0_usize);
    for c in head.chars().take(8192) {
        all += 1;
        controls += usize::from(c.is_control() && !matches!(c, '\t' | '\r' | '\n'));
        garbled += usize::from(c == '\u{fffd}');
    }
    // A few stray controls are a matter of single cells.
    if (controls >= 16 && controls * 50 > all) || garbled * 5 > all {
        return Err(Problem::error(
            "file.not_a_table",
            "这不是表格文件，或文件已损坏。请上传 .xlsx、.csv 或 .vcf 文件",
            "this is not a table, or it is damaged; upload an .xlsx, .csv or .vcf file",
        ));
    }
    Ok(())
}

/// Excel's own way to name the delimiter: a first line `sep=;`.
fn told_delimiter(head: &str) -> Option<char> {
    let line = head.lines().next()?.trim_matches('"');
    let mut rest = line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP="))?.chars();
    match (rest.next(), rest.next()) {
        (Some(c), None) if c != '"' => Some(c),
        _ => None,
    }
}

/// The delimiter that cuts the first records into the most even rows of more than one cell.
fn sniff_delimiter(head: &str) -> char {
    let limits = Limits::default();
    let mut best = (',', 0_u64);
    for delimiter in DELIMITERS {
        let mut splitter = Splitter::new(delimiter, &limits);
        let mut widths: Vec<usize> = head
            .chars()
            .filter_map(|c| splitter.take(c))
            .filter(|record| record.fields.iter().any(|field| !field.is_empty()))
            .map(|record| record.fields.len() + record.uncounted)
            .take(SNIFFED_RECORDS)
            .collect();
        if widths.is_empty() {
            // A file of one line without a line end.
            if let Ok(Some(record)) = splitter.end() {
                widths.push(record.fields.len() + record.uncounted);
            }
        }
        let first = widths.first().copied().unwrap_or(0);
        widths.sort_unstable();
        let Some(&median) = widths.get(widths.len() / 2) else { continue };
        // A first line that is not cut may be a title above a table, or the heading of a single column whose values
        // hold the character; only a table of three columns and more is worth the guess.
        if median < 2 || (first < 2 && median < 3) {
            continue;
        }
        let even = widths.iter().filter(|&&width| width == median).count() as u64;
        let score = even * 1000 / widths.len() as u64 + median.min(100) as u64;
        if score > best.1 {
            best = (delimiter, score);
        }
    }
    best.0
}

struct Record {
    number: u64,
    fields: Vec<String>,
    /// Fields beyond [`MAX_FIELDS`].
    uncounted: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Nothing of the field read yet.
    Start,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or half of a doubled one.
    Quote,
}

/// Cuts text into records, one character at a time.
struct Splitter {
    delimiter: char,
    state: State,
    /// Of the record that is being read.
    number: u64,
    last_was_cr: bool,
    field: String,
    fields: Vec<String>,
    uncounted: usize,
    record_bytes: usize,
    max_field_bytes: usize,
    max_record_bytes: usize,
}

impl Splitter {
    fn new(delimiter: char, limits: &Limits) -> Self {
        Self {
            delimiter,
            state: State::Start,
            number: 1,
            last_was_cr: false,
            field: String::new(),
            fields: Vec::new(),
            uncounted: 0,
            record_bytes: 0,
            // One character more than allowed, so that the table sees the cell is too long.
            max_field_bytes: (limits.max_cell_chars + 1) * 4,
            max_record_bytes: limits.max_row_bytes + 4,
        }
    }

    fn take(&mut self, c: char) -> Option<Record> {
        let is_second_half = c == '\n' && self.last_was_cr;
        self.last_was_cr = c == '\r';
        if self.state == State::Quoted {
            if c == '"' {
                self.state = State::Quote;
            } else {
                self.append(c);
            }
            return None;
        }
        if is_second_half {
            // The carriage return ended the record already.
            return None;
        }
        if c == '\r' || c == '\n' {
            return Some(self.end_record());
        }
        if c == self.delimiter {
            self.end_field();
            return None;
        }
        match (self.state, c) {
            (State::Start, '"') => self.state = State::Quoted,
            (State::Quote, '"') => {
                self.append('"');
                self.state = State::Quoted;
            }
            _ => {
                self.append(c);
                self.state = State::Plain;
            }
        }
        None
    }

    /// The last record, if the file does not end with a line end.
    fn end(mut self) -> Result<Option<Record>, Problem> {
        if self.state == State::Quoted {
            return Err(Problem::error(
                "csv.unclosed_quote",
                format!("第 {} 行有一个引号没有配对，其后的内容无法识别，请补上引号后重新上传", self.number),
                format!("a quote opened in row {} is never closed", self.number),
            )
            .at_row(self.number));
        }
        let is_empty = self.state == State::Start && self.fields.is_empty();
        Ok(if is_empty { None } else { Some(self.end_record()) })
    }

    fn append(&mut self, c: char) {
        if self.field.len() < self.max_field_bytes && self.record_bytes < self.max_record_bytes {
            self.field.push(c);
            self.record_bytes += c.len_utf8();
        }
    }

    fn end_field(&mut self) {
        self.state = State::Start;
        let field = std::mem::take(&mut self.field);
        if self.fields.len() < MAX_FIELDS {
            self.fields.push(field);
        } else {
            self.uncounted += 1;
        }
    }

    fn end_record(&mut self) -> Record {
        self.end_field();
        let record = Record {
            number: self.number,
            fields: std::mem::take(&mut self.fields),
            uncounted: std::mem::take(&mut self.uncounted),
        };
        self.number += 1;
        self.record_bytes = 0;
        record
    }
}
