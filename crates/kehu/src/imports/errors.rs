//! The file of rows that were refused: the reason first, the wrong cells coloured; corrected and imported again it
//! brings in only those rows.

use std::io::Write;
use std::ops::ControlFlow;

use sheets::write::{CellError, ErrorFile};
use tempfile::NamedTempFile;

use super::model::Import;
use crate::app::App;
use crate::error::AppError;
use crate::files;
use crate::i18n::Lang;

/// Writes it into a temporary file, row by row. `Busy` when too many exports go on.
pub async fn error_file(app: &App, import: &Import, l: Lang) -> Result<NamedTempFile, AppError> {
    let _place = app.export_place().await?;
    let (own, id) = (app.clone(), import.id);
    let columns: Vec<String> = import.columns().to_vec();
    let stamp = import.header.as_ref().and_then(|h| h.stamp.clone());
    app.db
        .read(move |conn| {
            let mut book = ErrorFile::new(&columns, stamp.as_deref()).map_err(failed)?;
            conn.each(
                "SELECT row_number, cells, problems FROM import_rows WHERE import_id = $1 AND outcome = 'failed'
                 ORDER BY row_number",
                &[id.into()],
                |row| {
                    let number: i64 = row.get(0)?;
                    let cells: Vec<String> = serde_json::from_str(&row.get::<String>(1)?).unwrap_or_default();
                    let wrong = wrongs(&row.get::<String>(2)?, l);
                    book.push(number.unsigned_abs(), &cells, &wrong).map_err(failed)?;
                    Ok::<_, AppError>(ControlFlow::Continue(()))
                },
            )?;
            let mut temp = files::temporary(&own)?;
            book.finish(temp.as_file_mut()).map_err(failed)?;
            temp.flush().map_err(|e| failed(e.into()))?;
            Ok(temp)
        })
        .await
}

fn wrongs(problems: &str, l: Lang) -> Vec<CellError> {
    let all: Vec<(Option<usize>, String, String)> = serde_json::from_str(problems).unwrap_or_default();
    all.into_iter()
        .map(|(column, zh, en)| CellError { column, reason: l.pick(&zh, &en).to_owned() })
        .collect()
}

fn failed(error: sheets::write::WriteError) -> AppError {
    if error.is_storage_full() { AppError::Full } else { AppError::Internal(format!("error file: {error}")) }
}

/// The first refused rows: (row, first cell, reasons with headings).
pub fn first_rows(
    conn: &mut store::Conn<'_>,
    import: &Import,
    l: Lang,
    limit: i64,
) -> store::Result<Vec<(i64, String, Vec<String>)>> {
    let rows: Vec<(i64, String, String)> = conn.rows(
        "SELECT row_number, cells, problems FROM import_rows WHERE import_id = $1 AND outcome = 'failed'
         ORDER BY row_number LIMIT $2",
        &[import.id.into(), limit.into()],
    )?;
    Ok(rows
        .into_iter()
        .map(|(number, cells, problems)| {
            let cells: Vec<String> = serde_json::from_str(&cells).unwrap_or_default();
            let name = cells.into_iter().find(|c| !c.trim().is_empty()).unwrap_or_default();
            let reasons = wrongs(&problems, l)
                .into_iter()
                .map(|w| match w.column.and_then(|c| import.columns().get(c)) {
                    Some(heading) => format!("{heading}：{}", w.reason),
                    None => w.reason,
                })
                .collect();
            (number, name.chars().take(30).collect(), reasons)
        })
        .collect())
}
