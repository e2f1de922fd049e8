//! What all formats share: finding the headings among the first rows, bounding rows and cells, cleaning text, counting.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::{Event, Format, Header, Limits, Row, Sink, Summary};
use crate::problem::Problem;
use crate::text;

/// Headings of the first two columns of an error file, in Chinese and in English; by them it is recognised when it comes
/// back.
pub const ERROR_HEADINGS: [[&str; 2]; 2] = [["错误原因", "原行号"], ["Reason refused", "Original row"]];

/// Headings are looked for among this many rows that hold something.
const HEADER_SEARCH_ROWS: usize = 10;
/// Headings may span this many rows.
const MAX_HEADER_DEPTH: u64 = 3;
/// Merged ranges that may be of headings begin within this many rows, and are this many.
pub const TOP_ROWS: u64 = 60;
const MAX_TOP_MERGES: usize = 2_000;
/// What is longer is no heading, and would stand in every list of columns.
const MAX_HEADING_CHARS: usize = 250;

/// A range of merged cells; rows as sheet numbers from 1, columns from 0, both ends included.
#[derive(Clone, Copy, Debug)]
pub struct Merge {
    pub first_row: u64,
    pub last_row: u64,
    pub first_column: usize,
    pub last_column: usize,
}

impl Merge {
    fn covers(&self, row: u64, column: usize) -> bool {
        (self.first_row..=self.last_row).contains(&row)
            && (self.first_column..=self.last_column).contains(&column)
    }

    fn is_wide(&self) -> bool {
        self.last_column > self.first_column
    }

    pub fn is_tall(&self) -> bool {
        self.last_row > self.first_row
    }
}

/// Values of merged ranges over several rows of data: a spreadsheet keeps them in the first row only, and means them
/// for all.
#[derive(Default)]
struct Tall {
    /// Those to come, the topmost last.
    ahead: Vec<Merge>,
    /// Those of the rows at hand, with their values.
    open: Vec<(Merge, String)>,
}

impl Tall {
    fn of(merges: &[Merge]) -> Self {
        let mut ahead: Vec<Merge> = merges.iter().filter(|merge| merge.is_tall()).copied().collect();
        ahead.sort_by_key(|merge| std::cmp::Reverse((merge.first_row, merge.first_column)));
        Self { ahead, open: Vec::new() }
    }

    /// Fills the empty cells of a row of data while it has room, with a word about each.
    fn fill(&mut self, row: &mut Row, max_bytes: usize) {
        self.open.retain(|(merge, _)| merge.last_row >= row.number);
        let mut bytes: usize = row.cells.iter().map(String::len).sum();
        for (merge, value) in &self.open {
            let Some(cell) = row.cells.get_mut(merge.first_column).filter(|cell| cell.trim().is_empty())
            else {
                continue;
            };
            bytes += value.len();
            if bytes > max_bytes {
                break;
            }
            cell.clone_from(value);
            row.problems.push(
                Problem::warning(
                    "cell.merged",
                    format!("与第 {} 行合并的单元格，按那一行的内容填写", merge.first_row),
                    format!("merged with row {}: filled in from there", merge.first_row),
                )
                .at_row(row.number)
                .at_column(merge.first_column),
            );
        }
        while self.ahead.last().is_some_and(|merge| merge.first_row <= row.number) {
            let Some(merge) = self.ahead.pop().filter(|merge| merge.first_row == row.number) else {
                continue;
            };
            let value = row.cells.get(merge.first_column).filter(|value| !value.trim().is_empty());
            // Ranges of a damaged file may overlap without end.
            if let (Some(value), true) = (value, self.open.len() < MAX_OPEN) {
                self.open.push((merge, value.clone()));
            }
        }
    }
}

/// Merged ranges that one row may share with those above.
const MAX_OPEN: usize = 200;

/// Takes rows as the format's parser finds them and hands out the header and the finished rows.
pub struct Table<'a, 's> {
    limits: &'a Limits,
    sink: &'a mut Sink<'s>,
    header: Header,
    /// The first row that is looked at: the one asked for, or where the merged headings begin that it is part of.
    first_wanted: Option<u64>,
    /// Those that may be of headings.
    merges: Vec<Merge>,
    tall: Tall,
    waiting: Vec<Row>,
    has_header: bool,
    dropped_columns: usize,
    cells: u64,
    text_bytes: u64,
    is_broken: bool,
    summary: Summary,
}

impl<'a, 's> Table<'a, 's> {
    /// `header` says how the table is read; its columns are found here unless they are given already (vCard).
    pub fn new(header: Header, merges: Vec<Merge>, limits: &'a Limits, sink: &'a mut Sink<'s>) -> Self {
        let summary =
            Summary { format: header.format, rows: 0, bad_rows: 0, empty_rows: 0, is_stopped: false };
        let tall = Tall::of(&merges);
        let top = merges.into_iter().filter(|merge| merge.first_row <= TOP_ROWS).take(MAX_TOP_MERGES);
        let merges: Vec<Merge> = top.collect();
        let first_wanted = limits.header_row.map(|row| {
            let is_around = |merge: &&Merge| {
                merge.first_row < row && (row..row + MAX_HEADER_DEPTH).contains(&merge.last_row)
            };
            let around = merges.iter().filter(is_around).map(|merge| merge.first_row);
            around.filter(|first| row - first < MAX_HEADER_DEPTH).min().unwrap_or(row)
        });
        Self {
            limits,
            sink,
            header,
            first_wanted,
            merges,
            tall,
            waiting: Vec::new(),
            has_header: false,
            dropped_columns: 0,
            cells: 0,
            text_bytes: 0,
            is_broken: false,
            summary,
        }
    }

    /// The sender should stop when this breaks.
    pub fn push(&mut self, row: Row) -> Result<ControlFlow<()>, Problem> {
        if row.cells.iter().all(|cell| cell.trim().is_empty()) && row.problems.is_empty() {
            // Rows before anything else are layout, not data somebody left out.
            self.summary.empty_rows += u64::from(self.has_rows());
            return Ok(ControlFlow::Continue(()));
        }
        if self.first_wanted.is_some_and(|first| row.number < first) && self.header.columns.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        if self.has_header {
            return self.give(row);
        }
        let row = self.tidy(row);
        if !self.header.columns.is_empty() {
            if self.announce().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            return self.give(row);
        }
        self.waiting.push(row);
        if self.waiting.len() < HEADER_SEARCH_ROWS {
            return Ok(ControlFlow::Continue(()));
        }
        self.settle_header()
    }

    /// Columns with a heading a table may have.
    pub fn max_columns(&self) -> usize {
        self.limits.max_columns
    }

    /// Whether any row came at all.
    pub fn has_rows(&self) -> bool {
        self.has_header || !self.waiting.is_empty()
    }

    /// Remembers that parts of a text file could not be decoded, to say so after the last row.
    pub fn note_broken_encoding(&mut self) {
        self.is_broken = true;
    }

    pub fn finish(mut self) -> Result<Summary, Problem> {
        if let (false, None, Some(name)) = (self.has_rows(), self.limits.header_row, &self.limits.sheet) {
            return Err(Problem::error(
                "table.empty_sheet",
                format!("工作表“{name}”里没有数据，请另选一张"),
                format!("the sheet {name} holds no rows; choose another"),
            ));
        }
        if let (false, Some(row)) = (self.has_rows(), self.limits.header_row) {
            return Err(Problem::error(
                "table.no_header_row",
                format!("第 {row} 行及以下没有内容，请核对表头所在的行"),
                format!("there is nothing in row {row} or below it"),
            ));
        }
        if !self.has_rows() {
            return Err(Problem::error(
                "table.no_rows",
                "文件里没有数据，请检查后重新上传",
                "the file holds no rows",
            ));
        }
        if !self.has_header {
            // A break is remembered in the summary.
            let _ = self.settle_header()?;
        }
        if self.is_broken && !self.summary.is_stopped {
            let problem = Problem::warning(
                "file.mixed_encoding",
                "文件编码不一致，无法识别的字符显示为 �，建议另存为 UTF-8 或 .xlsx 后重新上传",
                "the file mixes encodings; what could not be decoded stands as U+FFFD",
            );
            self.summary.is_stopped = (self.sink)(Event::Warning(problem)).is_break();
        }
        Ok(self.summary)
    }

    fn settle_header(&mut self) -> Result<ControlFlow<()>, Problem> {
        let waiting = std::mem::take(&mut self.waiting);
        let at = match self.limits.header_row {
            Some(_) => 0,
            None => first_heading(&waiting, &self.merges, self.header.format),
        };
        let found = find_header(&waiting, &self.merges, at);
        let mut columns = found.columns;
        while columns.last().is_some_and(String::is_empty) {
            columns.pop();
        }
        if columns.len() > self.limits.max_columns {
            let max = self.limits.max_columns;
            return Err(Problem::error(
                "table.too_many_columns",
                format!("表格有 {} 列，最多 {max} 列，请删去不需要的列后再上传", columns.len()),
                format!("the table has {} columns, at most {max} are read", columns.len()),
            )
            .at_row(found.last_row));
        }
        self.dropped_columns = own_columns(&columns);
        self.header.is_error_file = self.dropped_columns > 0;
        columns.drain(..self.dropped_columns);
        self.header.columns = columns;
        self.header.row = found.last_row;
        if self.announce().is_break() {
            return Ok(ControlFlow::Break(()));
        }
        for row in waiting.into_iter().skip(found.next) {
            if self.give(row)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn announce(&mut self) -> ControlFlow<()> {
        self.has_header = true;
        let flow = (self.sink)(Event::Header(self.header.clone()));
        self.summary.is_stopped |= flow.is_break();
        flow
    }

    fn give(&mut self, row: Row) -> Result<ControlFlow<()>, Problem> {
        let mut row = self.tidy(row);
        if self.dropped_columns > 0 {
            let taken: Vec<String> = row.cells.drain(..self.dropped_columns.min(row.cells.len())).collect();
            row.original = taken.get(1).and_then(|number| number.trim().parse().ok());
            let dropped = u32::try_from(self.dropped_columns).unwrap_or(0);
            row.problems.retain_mut(|problem| match problem.column {
                Some(column) if column < dropped => false,
                Some(column) => {
                    problem.column = Some(column - dropped);
                    true
                }
                None => true,
            });
            if row.cells.iter().all(|cell| cell.trim().is_empty()) && row.problems.is_empty() {
                self.summary.empty_rows += 1;
                return Ok(ControlFlow::Continue(()));
            }
        }
        self.fit_width(&mut row);
        self.tall.fill(&mut row, self.limits.max_row_bytes);
        self.cells += row.cells.iter().filter(|cell| !cell.is_empty()).count() as u64;
        self.text_bytes += row.cells.iter().map(String::len).sum::<usize>() as u64;
        if self.summary.rows >= self.limits.max_rows {
            let max = self.limits.max_rows;
            return Err(Problem::error(
                "table.too_many_rows",
                format!("表格超过 {max} 行，请拆分成几个文件后分别导入"),
                format!("the table has more than {max} rows; split it"),
            )
            .at_row(row.number));
        }
        if self.cells > self.limits.max_cells {
            let max = self.limits.max_cells;
            return Err(Problem::error(
                "table.too_many_cells",
                format!("表格超过 {max} 个单元格，请拆分成几个文件后分别导入"),
                format!("the table has more than {max} cells; split it"),
            )
            .at_row(row.number));
        }
        if self.text_bytes > self.limits.max_text_bytes {
            return Err(too_much_text().at_row(row.number));
        }
        self.summary.rows += 1;
        self.summary.bad_rows += u64::from(row.problems.iter().any(Problem::is_error));
        let flow = (self.sink)(Event::Row(row));
        self.summary.is_stopped |= flow.is_break();
        Ok(flow)
    }

    /// Pads a short row; says what is wrong with a long one.
    fn fit_width(&self, row: &mut Row) {
        let width = self.header.columns.len();
        let (given, number) = (row.cells.len(), row.number);
        while row.cells.len() > width && row.cells.last().is_some_and(String::is_empty) {
            row.cells.pop();
        }
        let used = row.cells.len();
        if used > width && self.header.format == Format::Csv {
            row.problems.push(
                Problem::error(
                    "row.too_many_cells",
                    format!("本行有 {used} 格，表头只有 {width} 列：请检查是否有内容含逗号而没有加引号"),
                    format!("{used} cells under {width} headings; is a delimiter not quoted?"),
                )
                .at_row(number),
            );
        } else if used > width {
            row.problems.push(
                Problem::warning(
                    "cell.without_heading",
                    "这一格所在的列没有表头，内容不会导入",
                    "the cell's column has no heading and is left out",
                )
                .at_row(number)
                .at_column(width),
            );
        } else if given < width && self.header.format == Format::Csv {
            row.problems.push(
                Problem::warning(
                    "row.too_few_cells",
                    format!("本行只有 {given} 格，表头有 {width} 列，缺少的按空白处理"),
                    format!("{given} cells under {width} headings; the missing ones are taken as empty"),
                )
                .at_row(number),
            );
        }
        if row.cells.len() < width {
            row.cells.resize(width, String::new());
        }
    }

    /// Cleans and cuts every cell. Doing it twice changes nothing.
    fn tidy(&self, mut row: Row) -> Row {
        let number = row.number;
        let max = self.limits.max_cell_chars;
        let mut bytes = 0;
        for (column, cell) in row.cells.iter_mut().enumerate() {
            let (cleaned, is_changed) = text::clean(cell);
            if is_changed {
                let cleaned = cleaned.into_owned();
                *cell = cleaned;
                row.problems.push(
                    Problem::warning(
                        "cell.characters_removed",
                        "去掉了不可见的控制字符，请核对内容",
                        "invisible control characters were removed",
                    )
                    .at_row(number)
                    .at_column(column),
                );
            }
            let (kept, is_cut) = text::cut(cell, max);
            if is_cut {
                let kept = kept.len();
                cell.truncate(kept);
                row.problems.push(
                    Problem::error(
                        "cell.too_long",
                        format!("内容超过 {max} 个字符，请缩短"),
                        format!("longer than {max} characters"),
                    )
                    .at_row(number)
                    .at_column(column),
                );
            }
            let is_named = |p: &Problem| p.code == "cell.garbled" && p.column == u32::try_from(column).ok();
            if cell.contains('\u{fffd}') && !row.problems.iter().any(is_named) {
                row.problems.push(
                    Problem::warning(
                        "cell.garbled",
                        "内容含有无法识别的字符（�），请核对文件编码",
                        "holds characters that could not be decoded",
                    )
                    .at_row(number)
                    .at_column(column),
                );
            }
            bytes += cell.len();
            if bytes > self.limits.max_row_bytes {
                cell.clear();
            }
        }
        if bytes > self.limits.max_row_bytes {
            row.problems.push(
                Problem::error("row.too_long", "本行内容过多，请缩短", "the row holds too much text")
                    .at_row(number),
            );
        }
        row
    }
}

fn too_much_text() -> Problem {
    Problem::error(
        "table.too_much_text",
        "表格展开后的文字过多，疑似损坏或恶意文件；如确需导入，请删去不需要的列或拆分成几个文件",
        "the rows hold far more text than the file itself; remove what is not needed or split it",
    )
}

/// How many columns at the left are an error file's own: the reason, mostly with the row's first number behind it.
fn own_columns(columns: &[String]) -> usize {
    let is = |at: usize, heading: &str| columns.get(at).is_some_and(|column| column == heading);
    let found = ERROR_HEADINGS.iter().find(|[reason, _]| is(0, reason));
    found.map_or(0, |[_, original]| if is(1, original) { 2 } else { 1 })
}

/// Whether every cell of a row says what it is itself, as above a printed list: 制表：张三, 日期：2026-1-1.
fn is_labelled(cells: &[String]) -> bool {
    let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).peekable();
    let says = |cell: &str| {
        let parts = cell.split_once(['：', ':']);
        parts.is_some_and(|(label, value)| !label.trim().is_empty() && !value.trim().is_empty())
    };
    filled.peek().is_some() && filled.all(says)
}

struct FoundHeader {
    columns: Vec<String>,
    last_row: u64,
    /// Index of the first row of data among the rows looked at.
    next: usize,
}

/// Where the headings begin among the first rows: a title (one cell above wider rows, merged or not) is skipped, and a
/// line whose cells are labels with values, in a sheet also a line of remarks less than half as wide as the table.
fn first_heading(rows: &[Row], merges: &[Merge], format: Format) -> usize {
    let filled: Vec<Vec<String>> = rows.iter().map(|row| fill_merged(row, rows, merges)).collect();
    let used = |cells: &[String]| cells.iter().filter(|cell| !cell.trim().is_empty()).count();
    let width = filled.iter().map(|cells| used(cells)).max().unwrap_or(0);
    let wider = if format == Format::Csv { 3 } else { 2 };
    let mut at = 0;
    while at + 1 < rows.len() {
        let anchors = used(&rows[at].cells);
        let is_title = anchors == 1 && rows[at + 1..].iter().any(|row| used(&row.cells) >= wider);
        let is_remark = format == Format::Xlsx && used(&filled[at]) * 2 < width;
        let is_form =
            is_labelled(&rows[at].cells) && rows[at + 1..].iter().any(|row| used(&row.cells) >= anchors);
        if !is_title && !is_remark && !is_form {
            break;
        }
        at += 1;
    }
    if at + 1 == rows.len() { 0 } else { at }
}

/// The headings that begin at `rows[at]`; merged ones over two rows are joined.
fn find_header(rows: &[Row], merges: &[Merge], at: usize) -> FoundHeader {
    let filled: Vec<Vec<String>> = rows.iter().map(|row| fill_merged(row, rows, merges)).collect();
    let first = rows[at].number;
    let bottom = header_bottom(rows, at, merges);
    let next = rows[at..].iter().take_while(|row| row.number <= bottom).count() + at;
    let columns_wide = filled[at..next].iter().map(Vec::len).max().unwrap_or(0);
    let mut columns = Vec::with_capacity(columns_wide);
    let mut seen: HashMap<usize, usize> = HashMap::new();
    for column in 0..columns_wide {
        let mut parts: Vec<String> = Vec::new();
        for cells in &filled[at..next] {
            let part = cells.get(column).map(|cell| one_line(cell)).unwrap_or_default();
            if !part.is_empty() && parts.last() != Some(&part) {
                parts.push(part);
            }
        }
        let mut heading = text::cut(&parts.join("/"), MAX_HEADING_CHARS).0.to_owned();
        // A heading merged over several columns without headings below it: number the further ones.
        let over = merges.iter().position(|m| m.is_wide() && m.covers(first, column));
        if let (Some(merge), true) = (over, next == at + 1 && !heading.is_empty()) {
            let count = seen.entry(merge).or_insert(0);
            *count += 1;
            if *count > 1 {
                heading = format!("{heading}（{count}）");
            }
        }
        columns.push(heading);
    }
    FoundHeader { columns, last_row: rows[next - 1].number, next }
}

/// The last row that belongs to the headings starting at `rows[at]`.
fn header_bottom(rows: &[Row], at: usize, merges: &[Merge]) -> u64 {
    let first = rows[at].number;
    let starting: Vec<&Merge> = merges.iter().filter(|merge| merge.first_row == first).collect();
    let tall = starting.iter().map(|merge| merge.last_row).max().unwrap_or(first);
    if tall > first {
        let bottom = tall.min(first + MAX_HEADER_DEPTH - 1);
        // A heading may have been merged with cells of the rows below, which are data all the same.
        let data = rows[at + 1..].iter().find(|row| row.cells.iter().any(|cell| is_long_number(cell)));
        return data.map_or(bottom, |row| bottom.min(row.number - 1)).max(first);
    }
    let Some(below) = rows.get(at + 1).filter(|row| row.number == first + 1) else { return first };
    let wide: Vec<&&Merge> = starting.iter().filter(|merge| merge.is_wide()).collect();
    if wide.is_empty() {
        return first;
    }
    // Only wide headings: the row below continues them if all it holds are words under those headings.
    let are_words = below.cells.iter().enumerate().all(|(column, cell)| {
        cell.trim().is_empty()
            || (wide.iter().any(|merge| merge.covers(first, column))
                && !cell.chars().any(|c| c.is_ascii_digit()))
    });
    if are_words { first + 1 } else { first }
}

/// Whether a cell is a phone number, a code or a day, as no heading is.
fn is_long_number(cell: &str) -> bool {
    const DIGITS: usize = 7;
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '+' | 'X' | 'x');
    cell.bytes().filter(u8::is_ascii_digit).count() >= DIGITS && cell.chars().all(is_part)
}

/// The row with the value of each merged range put into all its cells.
fn fill_merged(row: &Row, rows: &[Row], merges: &[Merge]) -> Vec<String> {
    let mut cells = row.cells.clone();
    for merge in merges.iter().filter(|merge| (merge.first_row..=merge.last_row).contains(&row.number)) {
        let anchor = rows
            .iter()
            .find(|candidate| candidate.number == merge.first_row)
            .and_then(|candidate| candidate.cells.get(merge.first_column));
        let Some(value) = anchor.filter(|value| !value.trim().is_empty()) else { continue };
        let last = merge.last_column.min(crate::read::xlsx::MAX_READ_COLUMNS);
        if cells.len() <= last {
            cells.resize(last + 1, String::new());
        }
        for cell in &mut cells[merge.first_column.min(last)..=last] {
            if cell.trim().is_empty() {
                cell.clone_from(value);
            }
        }
    }
    cells
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
