//! Tables: how wide their columns are, and what stands in their cells.

use super::{DrawnTable, Grand, Sheet};
use crate::parts::{Align, Column, Table};
use crate::text;

/// No column asks for more than so many em: longer text wraps.
const WIDEST_EM: f32 = 40.0;
const NARROWEST_EM: f32 = 2.2;
/// Rows that are looked at to find out how wide a column is.
const SAMPLE: usize = 500;
const NUMBER_EM: f32 = 3.2;

/// The width every column asks for, in em, and None where it is given in millimetres.
fn asked_em(table: &Table, column: usize) -> f32 {
    let head = text::width_em(&table.columns[column].title);
    // Of many rows some of all parts, so that those at the end are heard.
    let step = table.rows.len().div_ceil(SAMPLE).max(1);
    let sample = table.rows.iter().step_by(step).chain(&table.totals);
    let widest = sample.map(|row| text::width_em(&row[column])).fold(head, f32::max);
    // Bold headings and estimates want a little more.
    (widest + 0.4).clamp(NARROWEST_EM, WIDEST_EM)
}

/// Whether the table is better on paper lying on its side: its columns do not fit even with their text wrapped.
pub fn is_wide(table: &Table, upright: &Sheet) -> bool {
    let asked = |(at, column): (usize, &Column)| {
        column.width_mm.unwrap_or_else(|| upright.width_of(asked_em(table, at).min(14.0)))
    };
    table.columns.iter().enumerate().map(asked).sum::<f32>() > upright.width_mm
}

/// Widths in millimetres that add up to the width of the sheet.
fn widths(asked: &[(f32, bool)], total_mm: f32) -> Vec<f32> {
    let sum = |is_fixed: bool| {
        asked.iter().filter(|(_, fixed)| *fixed == is_fixed).map(|(width, _)| width).sum::<f32>()
    };
    let (fixed, free) = (sum(true), sum(false));
    let room = total_mm - fixed;
    // Given widths that leave nothing to the others, or do not fill the sheet, are proportions.
    if free == 0.0 || room < total_mm * 0.15 {
        return asked.iter().map(|(width, _)| width / (fixed + free) * total_mm).collect();
    }
    if free <= room {
        return asked
            .iter()
            .map(|(width, fixed)| if *fixed { *width } else { width / free * room })
            .collect();
    }
    // Narrow columns keep what they ask for; the wide ones share the rest.
    let mut is_settled: Vec<bool> = asked.iter().map(|(_, fixed)| *fixed).collect();
    loop {
        let rest = total_mm - settled_mm(asked, &is_settled);
        let open = is_settled.iter().filter(|settled| !**settled).count();
        let fair = rest / open.max(1) as f32;
        let narrow =
            asked.iter().zip(&is_settled).position(|((width, _), settled)| !settled && *width <= fair);
        match narrow {
            Some(at) => is_settled[at] = true,
            None => {
                // By the root: a column of ten times the text gets three times the room.
                let roots: f32 = asked
                    .iter()
                    .zip(&is_settled)
                    .filter(|(_, settled)| !**settled)
                    .map(|((width, _), _)| width.sqrt())
                    .sum();
                return asked
                    .iter()
                    .zip(&is_settled)
                    .map(|((width, _), settled)| if *settled { *width } else { width.sqrt() / roots * rest })
                    .collect();
            }
        }
    }
}

fn settled_mm(asked: &[(f32, bool)], is_settled: &[bool]) -> f32 {
    asked.iter().zip(is_settled).filter(|(_, settled)| **settled).map(|((width, _), _)| width).sum()
}

/// The table without the columns that `is_left_out` names.
pub fn draw(table: &Table, sheet: &Sheet, is_left_out: &dyn Fn(&str) -> bool) -> DrawnTable {
    let kept: Vec<usize> =
        (0..table.columns.len()).filter(|at| !is_left_out(&table.columns[*at].id)).collect();
    let mut asked: Vec<(f32, bool)> = Vec::new();
    if table.is_numbered {
        asked.push((sheet.width_of(NUMBER_EM), true));
    }
    asked.extend(kept.iter().map(|at| match table.columns[*at].width_mm {
        Some(width) => (width, true),
        None => (sheet.width_of(asked_em(table, *at)), false),
    }));
    let columns = widths(&asked, sheet.width_mm);
    let shift = usize::from(table.is_numbered);
    let cells = |row: &[String], number: Option<String>| -> Vec<String> {
        let number = table.is_numbered.then(|| number.unwrap_or_default());
        let others = kept.iter().enumerate().map(|(place, at)| sheet.cell(&row[*at], columns[place + shift]));
        number.into_iter().chain(others).collect()
    };
    let titles: Vec<String> = table.columns.iter().map(|column| column.title.clone()).collect();
    let number_align = table.is_numbered.then_some(Align::Center);
    DrawnTable {
        title: sheet.line(&table.title),
        aligns: number_align.into_iter().chain(kept.iter().map(|at| table.columns[*at].align)).collect(),
        head: cells(&titles, Some("序号".to_owned())),
        rows: table.rows.iter().enumerate().map(|(at, row)| cells(row, Some((at + 1).to_string()))).collect(),
        totals: table.totals.iter().map(|row| cells(row, None)).collect(),
        grand: table.grand_total.as_ref().filter(|total| !is_left_out(&total.id)).map(|total| Grand {
            label: sheet.cell(&total.label, sheet.width_mm / 4.0),
            words: hanzi::amount::in_words(total.cents),
            figure: text::money(total.cents),
        }),
        columns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_the_sheet() {
        let check = |asked: &[(f32, bool)]| {
            let widths = widths(asked, 180.0);
            assert!((widths.iter().sum::<f32>() - 180.0).abs() < 0.01, "{widths:?}");
            widths
        };
        assert_eq!(check(&[(20.0, true), (10.0, false), (30.0, false)]), [20.0, 40.0, 120.0]);
        assert_eq!(check(&[(20.0, true), (40.0, true)]), [60.0, 120.0]);
        let widths = check(&[(10.0, false), (20.0, false), (400.0, false), (100.0, false)]);
        assert_eq!(widths[..2], [10.0, 20.0]);
        assert!((widths[2] - 100.0).abs() < 0.01);
        check(&[(500.0, true), (10.0, false)]);
    }
}
