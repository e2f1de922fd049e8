//! A list of ours as a file for a spreadsheet. Texts that look like formulas are made harmless by the writers.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use sheets::write::{Cell, Column, Kind, TableCsv, TableXlsx, WriteError};

use crate::error::AppError;
use crate::text;

/// Answers a table as CSV or, with `format` `xlsx`, as a workbook, to be saved as `name` and the ending. All rows are
/// in memory: for lists of at most some ten thousand rows.
pub fn table_file(
    format: &str,
    name: &str,
    titles: Vec<String>,
    rows: &[Vec<Cell<'_>>],
) -> Result<Response, AppError> {
    let (kind, ending) = match format {
        "" | "csv" => ("text/csv; charset=utf-8", "csv"),
        "xlsx" => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        _ => return Err(AppError::field("format", text!("format 只能是 xlsx 或 csv"))),
    };
    let body = if ending == "csv" { csv(&titles, rows) } else { workbook(titles, rows) };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{ending}\"")),
    ];
    Ok((headers, body.map_err(|e| AppError::Internal(e.to_string()))?).into_response())
}

fn csv(titles: &[String], rows: &[Vec<Cell<'_>>]) -> Result<Vec<u8>, WriteError> {
    let mut body = Vec::new();
    let mut file = TableCsv::new(&mut body, titles)?;
    for row in rows {
        file.push(row)?;
    }
    file.finish()?;
    Ok(body)
}

fn workbook(titles: Vec<String>, rows: &[Vec<Cell<'_>>]) -> Result<Vec<u8>, WriteError> {
    let columns: Vec<Column> = titles.into_iter().map(|title| Column { title, kind: Kind::Text }).collect();
    let mut file = TableXlsx::new("kehu", &columns)?;
    for row in rows {
        file.push(row)?;
    }
    let mut body = std::io::Cursor::new(Vec::new());
    file.finish(&mut body)?;
    Ok(body.into_inner())
}
