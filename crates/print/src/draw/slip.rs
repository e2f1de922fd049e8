//! A form and its copies for their template.

use std::collections::HashSet;

use serde::Serialize;
use typst::foundations::Bytes;

use super::{
    Cell, Check, Drawing, Drawn, DrawnSignature, MM_PER_PT, Sheet, imprint, json, signatures, table,
};
use crate::error::PrintError;
use crate::parts::{Align, Column, Table};
use crate::slip::{Block, CheckState, Checklist, Field, Fields, Layout, Slip, SlipCopy, Trail, Value};
use crate::{picture, text};

const PAGE: Sheet = Sheet { width_mm: 180.0, em_mm: 9.5 * MM_PER_PT, padding_mm: 3.6, pairs: 2 };
const STRIP: Sheet = Sheet { width_mm: 190.0, em_mm: 7.5 * MM_PER_PT, padding_mm: 2.4, pairs: 3 };
/// Labels are between so many em wide; longer ones wrap.
const LABEL_EM: (f32, f32) = (4.2, 8.2);
const BLANK_LINE_MM: f32 = 7.5;

#[derive(Serialize)]
struct Data<'a> {
    font: &'a str,
    company: String,
    title: String,
    /// The title as it stands above the form.
    heading: String,
    number: String,
    clauses: String,
    code: Option<CodeData>,
    remarks: Vec<String>,
    imprint: String,
    is_reprint: bool,
    pages: Vec<CopyData>,
    /// The same copies for thirds of a page; empty if they are not wanted.
    strips: Vec<CopyData>,
}

#[derive(Serialize)]
struct CodeData {
    file: &'static str,
    caption: String,
}

#[derive(Serialize)]
struct CopyData {
    name: String,
    receiver: String,
    /// The name in single characters, for the edge of the paper.
    edge: Vec<String>,
    blocks: Vec<Drawn>,
    signatures: Vec<DrawnSignature>,
}

/// What the template draws; the slip is within the limits.
pub fn slip(slip: &Slip, font: &str) -> Result<Drawing, PrintError> {
    let names = names(slip);
    for copy in &slip.copies {
        if let Some(name) = copy.leaves_out.iter().find(|name| !names.contains(name.as_str())) {
            return Err(PrintError::invalid(
                format!("“{}”要略去的“{name}”不在单据上。", copy.name),
                format!("The copy {} leaves out {name}, which the slip does not have.", copy.name),
            ));
        }
    }
    let mut pictures = Vec::new();
    let signatures = signatures(&slip.signatures, &PAGE, &mut pictures)?;
    let code = match &slip.code {
        None => None,
        Some(code) => {
            pictures.push(("code.svg".to_owned(), Bytes::from_string(picture::code(&code.text)?)));
            Some(CodeData { file: "code.svg", caption: PAGE.cell(&code.caption, 20.0) })
        }
    };
    let single = [SlipCopy::default()];
    let copies = if slip.copies.is_empty() { &single[..] } else { &slip.copies[..] };
    let draw = |sheet: &Sheet| copies.iter().map(|copy| draw_copy(slip, copy, &signatures, sheet)).collect();
    // The title is twice as large as the text, between two corners.
    let title_mm = 45.0;
    let title = PAGE.cell(&slip.title, title_mm);
    let data = Data {
        font,
        company: PAGE.cell(&slip.company, 2.0 * title_mm),
        heading: spaced(&title),
        title,
        number: PAGE.cell(&slip.number, 2.0 * title_mm),
        clauses: slip
            .clauses
            .iter()
            .map(|clause| PAGE.cell(clause, 2.0 * title_mm))
            .collect::<Vec<_>>()
            .join("；"),
        code,
        remarks: slip.remarks.iter().map(|remark| PAGE.line(remark)).collect(),
        imprint: imprint(&slip.imprint, &PAGE),
        is_reprint: slip.imprint.count > 1,
        pages: draw(&PAGE),
        strips: if slip.layout == Layout::Strips { draw(&STRIP) } else { Vec::new() },
    };
    Ok(Drawing { data: json(&data)?, pictures })
}

/// Everything a copy can leave out.
fn names(slip: &Slip) -> HashSet<&str> {
    let mut names: HashSet<&str> = slip.signatures.iter().map(|signature| signature.id.as_str()).collect();
    for block in &slip.blocks {
        match block {
            Block::Fields(block) => {
                names.insert(&block.id);
                names.extend(block.fields.iter().map(|field| field.id.as_str()));
            }
            Block::Table(block) => {
                names.insert(&block.id);
                names.extend(block.columns.iter().map(|column| column.id.as_str()));
                names.extend(block.grand_total.iter().map(|total| total.id.as_str()));
            }
            Block::Checklist(block) => {
                names.insert(&block.id);
                names.extend(block.items.iter().map(|item| item.id.as_str()));
            }
            Block::Trail(block) => {
                names.insert(&block.id);
            }
        }
    }
    // What has no name cannot be left out.
    names.remove("");
    names
}

/// Short Chinese titles are spread, as on printed forms.
fn spaced(title: &str) -> String {
    let is_short = (2..=6).contains(&title.chars().count()) && title.chars().all(hanzi::fold::is_han);
    if !is_short {
        return title.to_owned();
    }
    title.chars().map(String::from).collect::<Vec<_>>().join(" ")
}

fn draw_copy(slip: &Slip, copy: &SlipCopy, signatures: &[DrawnSignature], sheet: &Sheet) -> CopyData {
    let left_out: HashSet<&str> = copy.leaves_out.iter().map(String::as_str).collect();
    let is_left_out = |name: &str| !name.is_empty() && left_out.contains(name);
    let label_mm = label_mm(slip, sheet);
    let blocks = slip.blocks.iter().filter_map(|block| match block {
        Block::Fields(block) if !is_left_out(&block.id) => draw_fields(block, label_mm, sheet, &is_left_out),
        Block::Table(block) if !is_left_out(&block.id) => {
            let drawn = table::draw(block, sheet, &is_left_out);
            (drawn.columns.len() > usize::from(block.is_numbered)).then_some(Drawn::Table(drawn))
        }
        Block::Checklist(block) if !is_left_out(&block.id) => Some(draw_checks(block, sheet, &is_left_out)),
        Block::Trail(block) if !is_left_out(&block.id) => Some(draw_trail(block, sheet)),
        _ => None,
    });
    let name = sheet.cell(&copy.name, 38.0);
    let kept = slip.signatures.iter().zip(signatures).filter(|(signature, _)| !is_left_out(&signature.id));
    CopyData {
        edge: text::clean(&copy.name)
            .chars()
            .take(24)
            .map(|c| if c == '\n' { ' ' } else { c }.to_string())
            .collect(),
        receiver: sheet.cell(&copy.receiver, 38.0),
        name,
        blocks: blocks.collect(),
        signatures: kept.map(|(_, drawn)| drawn.clone()).collect(),
    }
}

/// One width for all labels of the form, so that its blocks stand in line.
fn label_mm(slip: &Slip, sheet: &Sheet) -> f32 {
    let labels = slip.blocks.iter().flat_map(|block| match block {
        Block::Fields(block) => block.fields.as_slice(),
        _ => &[],
    });
    let widest = labels.map(|field| text::width_em(&field.label)).fold(0.0, f32::max);
    sheet.width_of(widest.clamp(LABEL_EM.0, LABEL_EM.1) + 0.2)
}

fn draw_fields(
    block: &Fields,
    label_mm: f32,
    sheet: &Sheet,
    is_left_out: &dyn Fn(&str) -> bool,
) -> Option<Drawn> {
    let pairs = sheet.pairs;
    let value_mm = sheet.width_mm / pairs as f32 - label_mm;
    let whole_mm = sheet.width_mm - label_mm;
    let mut cells: Vec<Cell> = Vec::new();
    // Where the next pair goes.
    let mut place = 0;
    for field in block.fields.iter().filter(|field| !is_left_out(&field.id)) {
        let is_full = field.is_full || is_long(&field.value, sheet.room_em(value_mm));
        if is_full && place > 0 {
            fill_row(&mut cells, pairs, &mut place);
        }
        let (span, width_mm) = if is_full { (2 * pairs - 1, whole_mm) } else { (1, value_mm) };
        cells.push(Cell {
            text: sheet.cell(&field.label, label_mm),
            words: String::new(),
            blank_mm: 0.0,
            is_label: true,
            span: 1,
        });
        cells.push(value_cell(field, span, width_mm, sheet));
        place = if is_full { 0 } else { (place + 1) % pairs };
    }
    if place > 0 {
        fill_row(&mut cells, pairs, &mut place);
    }
    let columns = (0..pairs).flat_map(|_| [label_mm, value_mm]).collect();
    (!cells.is_empty()).then(|| Drawn::Fields { title: sheet.line(&block.title), columns, cells })
}

/// The last value of a row that is not full takes the rest of it.
fn fill_row(cells: &mut [Cell], pairs: usize, place: &mut usize) {
    if let Some(last) = cells.last_mut() {
        last.span += 2 * (pairs - *place);
    }
    *place = 0;
}

/// Whether a value needs the whole width: it says so, or would take more than three lines.
fn is_long(value: &Value, room_em: f32) -> bool {
    match value {
        Value::Long(_) => true,
        Value::Text(text) => text::width_em(text) > 3.0 * room_em,
        Value::Blank(lines) => *lines > 1,
        Value::Cents(_) | Value::Date(_) => false,
    }
}

fn value_cell(field: &Field, span: usize, width_mm: f32, sheet: &Sheet) -> Cell {
    let (mut words, mut blank_mm) = (String::new(), 0.0);
    let text = match &field.value {
        Value::Text(text) | Value::Long(text) => sheet.cell(text, width_mm),
        Value::Cents(cents) => {
            words = format!("大写：{}", hanzi::amount::in_words(*cents));
            text::money(*cents)
        }
        Value::Date(date) => text::date(*date),
        Value::Blank(lines) => {
            blank_mm = f32::from(*lines) * BLANK_LINE_MM * sheet.em_mm / PAGE.em_mm;
            String::new()
        }
    };
    Cell { text, words, blank_mm, is_label: false, span }
}

fn draw_checks(block: &Checklist, sheet: &Sheet, is_left_out: &dyn Fn(&str) -> bool) -> Drawn {
    let width_mm = sheet.width_mm / sheet.pairs as f32;
    let room_mm = sheet.width_mm / sheet.pairs as f32 - 1.5 * sheet.em_mm;
    let items = block.items.iter().filter(|item| !is_left_out(&item.id)).map(|item| Check {
        mark: match item.state {
            CheckState::Open => "",
            CheckState::Yes => "√",
            CheckState::No => "×",
            CheckState::NotApplicable => "—",
        },
        label: sheet.cell(&item.label, room_mm),
        note: sheet.cell(&item.note, room_mm),
    });
    Drawn::Checks {
        title: sheet.line(&block.title),
        columns: vec![width_mm; sheet.pairs],
        items: items.collect(),
    }
}

fn draw_trail(block: &Trail, sheet: &Sheet) -> Drawn {
    let column = |title: &str, align| Column { title: title.to_owned(), align, ..Column::default() };
    let rows = block.rows.iter().map(|row| {
        let at = row.at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
        vec![row.step.clone(), row.who.clone(), row.verdict.clone(), row.comment.clone(), at]
    });
    let table = Table {
        title: block.title.clone(),
        columns: vec![
            column("环节", Align::Left),
            column("办理人", Align::Center),
            column("结论", Align::Center),
            column("意见", Align::Left),
            column("时间", Align::Center),
        ],
        rows: rows.collect(),
        ..Table::default()
    };
    Drawn::Table(table::draw(&table, sheet, &|_| false))
}
