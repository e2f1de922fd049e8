//! How much one print may hold. What is beyond is refused with [`crate::PrintError::TooLarge`] before anything is
//! typeset, so that a print takes bounded time and memory.

use crate::error::PrintError;
use crate::parts::{Signature, Table};
use crate::report::Report;
use crate::slip::{Block, Layout, Slip, Value};

/// Characters in a title, a label, a name or a heading.
pub const LABEL_CHARS: usize = 120;
/// Characters in a value, a cell, a comment or a line.
pub const TEXT_CHARS: usize = 2_000;
/// Characters in a long value.
pub const LONG_CHARS: usize = 20_000;
/// Characters in everything a slip prints, counted for each copy as [`CELLS`] are.
pub const SLIP_CHARS: usize = 200_000;
/// Characters in everything a report prints.
pub const REPORT_CHARS: usize = 1_000_000;
/// Blocks of a slip, tables of a report.
pub const BLOCKS: usize = 50;
/// Fields of a slip, over all its blocks; items to tick and decisions likewise.
pub const FIELDS: usize = 300;
/// Columns of a table.
pub const COLUMNS: usize = 20;
/// Rows of all tables of a slip.
pub const SLIP_ROWS: usize = 500;
/// Rows of all tables of a report, totals included.
pub const REPORT_ROWS: usize = 10_000;
/// Cells of all tables of a print, totals included, counted for each copy (on strips twice: copies are laid out for whole
/// pages too). A cell takes about 12 KB of memory while it is typeset.
pub const CELLS: usize = 60_000;
/// Clauses, remarks, subtitle lines, lines of the summary.
pub const LINES: usize = 50;
/// Lines to sign on.
pub const SIGNATURES: usize = 20;
/// Copies of a slip.
pub const COPIES: usize = 10;
/// Lines left to write on by hand in one field.
pub const BLANK_LINES: usize = 20;
/// Bytes of a picture.
pub const PICTURE_BYTES: usize = 512 * 1024;
/// Pixels of a picture, width times height.
pub const PICTURE_PIXELS: usize = 4_000_000;
/// Elements and path commands of an SVG picture.
pub const PICTURE_SHAPES: usize = 20_000;
/// Bytes in a QR code. More would be too fine for the space it has.
pub const CODE_BYTES: usize = 300;

/// Adds up what a print holds.
struct Count {
    chars: usize,
    chars_limit: usize,
    rows: usize,
    cells: usize,
    cells_limit: usize,
}

impl Count {
    fn text(&mut self, what: &str, text: &str, limit: usize) -> Result<(), PrintError> {
        let chars = text.chars().count();
        within(what, chars, limit)?;
        self.chars += chars;
        within("文字总数 (characters in all)", self.chars, self.chars_limit)
    }

    fn label(&mut self, what: &str, text: &str) -> Result<(), PrintError> {
        self.text(what, text, LABEL_CHARS)
    }

    fn lines<'a>(
        &mut self,
        what: &str,
        lines: impl ExactSizeIterator<Item = &'a String>,
    ) -> Result<(), PrintError> {
        within(what, lines.len(), LINES)?;
        lines.into_iter().try_for_each(|line| self.text(what, line, TEXT_CHARS))
    }

    fn table(&mut self, table: &Table, rows_limit: usize) -> Result<(), PrintError> {
        let name = name_of("表格 (table)", &table.title);
        self.label(&name, &table.title)?;
        let columns = table.columns.len();
        within(&format!("{name}的列 (columns)"), columns, COLUMNS)?;
        if columns == 0 {
            return Err(PrintError::invalid(format!("{name}没有列。"), "A table has no columns."));
        }
        for column in &table.columns {
            self.label(&format!("{name}的列名 (heading)"), &column.title)?;
            if column.width_mm.is_some_and(|width| !(1.0..=500.0).contains(&width)) {
                return Err(PrintError::invalid(
                    format!("{name}的列宽应为 1 至 500 毫米。"),
                    "The width of a column must be 1 to 500 mm.",
                ));
            }
        }
        self.rows += table.rows.len() + table.totals.len();
        within("表格行数 (rows)", self.rows, rows_limit)?;
        self.cells += (table.rows.len() + table.totals.len()) * columns;
        within("表格单元格数 (cells)", self.cells, self.cells_limit)?;
        for (at, row) in table.rows.iter().chain(&table.totals).enumerate() {
            if row.len() != columns {
                return Err(PrintError::invalid(
                    format!("{name}第{}行有{}格，应为{columns}格。", at + 1, row.len()),
                    format!("Row {} has {} cells instead of {columns}.", at + 1, row.len()),
                ));
            }
            row.iter().try_for_each(|cell| self.text(&name, cell, TEXT_CHARS))?;
        }
        match &table.grand_total {
            Some(total) => self.label("合计 (grand total)", &total.label),
            None => Ok(()),
        }
    }

    fn signatures(&mut self, signatures: &[Signature]) -> Result<(), PrintError> {
        within("签名栏 (signatures)", signatures.len(), SIGNATURES)?;
        signatures.iter().try_for_each(|signature| {
            self.label("签名栏 (signature)", &signature.label)?;
            self.label("签名 (signature)", &signature.name)
        })
    }

    fn block(&mut self, block: &Block) -> Result<(), PrintError> {
        match block {
            Block::Table(table) => self.table(table, SLIP_ROWS),
            Block::Fields(block) => {
                self.label("栏目名 (heading)", &block.title)?;
                block.fields.iter().try_for_each(|field| {
                    self.label("字段名 (label)", &field.label)?;
                    match &field.value {
                        Value::Text(text) => self.text(&field.label, text, TEXT_CHARS),
                        Value::Long(text) => self.text(&field.label, text, LONG_CHARS),
                        Value::Blank(lines) => within(&field.label, usize::from(*lines), BLANK_LINES),
                        Value::Cents(_) | Value::Date(_) => Ok(()),
                    }
                })
            }
            Block::Checklist(block) => {
                self.label("栏目名 (heading)", &block.title)?;
                block.items.iter().try_for_each(|item| {
                    self.text("检查项 (item)", &item.label, TEXT_CHARS)?;
                    self.text("检查项 (item)", &item.note, TEXT_CHARS)
                })
            }
            Block::Trail(block) => {
                self.label("栏目名 (heading)", &block.title)?;
                block.rows.iter().try_for_each(|row| {
                    for text in [&row.step, &row.who, &row.verdict] {
                        self.label("审批记录 (trail)", text)?;
                    }
                    self.text("审批意见 (comment)", &row.comment, TEXT_CHARS)
                })
            }
        }
    }
}

pub(crate) fn check_slip(slip: &Slip) -> Result<(), PrintError> {
    within("联数 (copies)", slip.copies.len(), COPIES)?;
    let times = slip.copies.len().max(1) * if slip.layout == Layout::Strips { 2 } else { 1 };
    let (chars_limit, cells_limit) = (SLIP_CHARS / times, CELLS / times);
    let mut count = Count { chars: 0, chars_limit, rows: 0, cells: 0, cells_limit };
    count.label("单位名称 (company)", &slip.company)?;
    count.label("标题 (title)", &slip.title)?;
    count.label("编号 (number)", &slip.number)?;
    count.label("打印人 (printed by)", &slip.imprint.by)?;
    count.lines("依据条款 (clauses)", slip.clauses.iter())?;
    count.lines("备注 (remarks)", slip.remarks.iter())?;
    within("栏目 (blocks)", slip.blocks.len(), BLOCKS)?;
    let entries = slip.blocks.iter().map(|block| match block {
        Block::Fields(block) => block.fields.len(),
        Block::Checklist(block) => block.items.len(),
        Block::Trail(block) => block.rows.len(),
        Block::Table(_) => 0,
    });
    within("字段 (fields)", entries.sum(), FIELDS)?;
    slip.blocks.iter().try_for_each(|block| count.block(block))?;
    count.signatures(&slip.signatures)?;
    for copy in &slip.copies {
        count.label("联名 (copy)", &copy.name)?;
        count.label("联次去向 (receiver)", &copy.receiver)?;
    }
    slip.code.as_ref().map_or(Ok(()), |code| count.label("二维码说明 (caption)", &code.caption))
}

pub(crate) fn check_report(report: &Report) -> Result<(), PrintError> {
    let mut count = Count { chars: 0, chars_limit: REPORT_CHARS, rows: 0, cells: 0, cells_limit: CELLS };
    count.label("单位名称 (company)", &report.company)?;
    count.label("标题 (title)", &report.title)?;
    count.label("期间 (period)", &report.period)?;
    count.label("打印人 (printed by)", &report.imprint.by)?;
    count.lines("说明 (lines)", report.lines.iter())?;
    within("表格数 (tables)", report.tables.len(), BLOCKS)?;
    report.tables.iter().try_for_each(|table| count.table(table, REPORT_ROWS))?;
    count.lines("小结 (summary)", report.summary.iter().map(|line| &line.text))?;
    report.summary.iter().try_for_each(|line| count.label("小结 (summary)", &line.label))?;
    count.signatures(&report.signatures)
}

fn name_of(kind: &str, title: &str) -> String {
    // The title itself may be what is too long.
    if title.is_empty() { kind.to_owned() } else { title.chars().take(LABEL_CHARS).collect() }
}

pub(crate) fn within(what: &str, found: usize, limit: usize) -> Result<(), PrintError> {
    if found <= limit {
        return Ok(());
    }
    let what = what.chars().take(LABEL_CHARS).collect();
    Err(PrintError::TooLarge { what, found, limit })
}
