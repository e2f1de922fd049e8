//! A report for its template.

use serde::Serialize;

use super::{Drawing, Drawn, DrawnSignature, MM_PER_PT, Sheet, imprint, json, signatures, table};
use crate::error::PrintError;
use crate::report::{Orientation, Report, SummaryLine};

const UPRIGHT: Sheet = Sheet { width_mm: 186.0, em_mm: 8.5 * MM_PER_PT, padding_mm: 2.8, pairs: 2 };
const LYING: Sheet = Sheet { width_mm: 273.0, ..UPRIGHT };

#[derive(Serialize)]
struct Data<'a> {
    font: &'a str,
    company: String,
    title: String,
    period: String,
    lines: Vec<String>,
    tables: Vec<Drawn>,
    summary: Vec<SummaryLine>,
    signatures: Vec<DrawnSignature>,
    imprint: String,
    is_landscape: bool,
}

/// What the template draws; the report is within the limits.
pub fn report(report: &Report, font: &str) -> Result<Drawing, PrintError> {
    let is_landscape = match report.orientation {
        Orientation::Portrait => false,
        Orientation::Landscape => true,
        Orientation::Auto => report.tables.iter().any(|table| table::is_wide(table, &UPRIGHT)),
    };
    let sheet = if is_landscape { &LYING } else { &UPRIGHT };
    // The title is twice as large as the text.
    let title_mm = sheet.width_mm / 2.0;
    let mut pictures = Vec::new();
    let data = Data {
        font,
        company: sheet.cell(&report.company, title_mm),
        title: sheet.cell(&report.title, title_mm),
        period: sheet.cell(&report.period, title_mm),
        lines: report.lines.iter().map(|line| sheet.line(line)).collect(),
        tables: report
            .tables
            .iter()
            .map(|table| Drawn::Table(table::draw(table, sheet, &|_| false)))
            .collect(),
        summary: report
            .summary
            .iter()
            .map(|line| SummaryLine {
                label: sheet.cell(&line.label, title_mm),
                text: sheet.line(&line.text),
            })
            .collect(),
        signatures: signatures(&report.signatures, sheet, &mut pictures)?,
        imprint: imprint(&report.imprint, sheet),
        is_landscape,
    };
    Ok(Drawing { data: json(&data)?, pictures })
}
