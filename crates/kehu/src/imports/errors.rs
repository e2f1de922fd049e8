//! The file of rows that were refused: the reason first, the wrong cells coloured; corrected and imported again it
//! brings in only those rows.

use std::io::Write;

use serde_json::json;
use sheets::read::ERROR_HEADINGS;
use sheets::write::{CellError, ErrorFile, ErrorWords, WriteError};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::model::Import;
use super::plan::{Work, Wrong};
use crate::access::Actor;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::error::AppError;
use crate::files;
use crate::i18n::Lang;
use crate::ids::ImportId;

/// Rows loaded in one read.
const BATCH: i64 = 200;
/// Batches that may wait for the writer.
const WAITING: usize = 2;

/// The words of an error file.
pub fn words(l: Lang) -> ErrorWords {
    ErrorWords {
        sheet: l.t("需要修改的数据").to_owned(),
        headings: ERROR_HEADINGS[usize::from(l == Lang::En)],
        colon: l.t("：").to_owned(),
        semicolon: l.t("；").to_owned(),
    }
}

/// An error file while it is written.
pub struct Refused {
    book: ErrorFile,
    l: Lang,
}

impl Refused {
    /// An empty one for this import, in this language.
    pub fn new(import: &Import, l: Lang) -> Result<Self, AppError> {
        let stamp = import.header.as_ref().and_then(|h| h.stamp.as_deref());
        Ok(Self { book: ErrorFile::new(import.columns(), stamp, words(l)).map_err(failed)?, l })
    }

    /// Adds a row as it was read and judged.
    pub fn push(&mut self, work: &Work, wrongs: &[Wrong]) -> Result<(), AppError> {
        let wrong: Vec<CellError> =
            wrongs.iter().map(|w| CellError { column: w.column, reason: w.text.to(self.l) }).collect();
        self.book.push(work.number.unsigned_abs(), &work.cells, &wrong).map_err(failed)
    }

    /// Adds a row as it is kept.
    fn push_kept(&mut self, (number, cells, problems): (i64, String, String)) -> Result<(), AppError> {
        let cells: Vec<String> = serde_json::from_str(&cells).unwrap_or_default();
        self.book.push(number.unsigned_abs(), &cells, &wrongs(&problems, self.l)).map_err(failed)
    }

    /// Writes it into a temporary file of its own; also answers how many rows it has.
    pub fn finish(self, app: &App) -> Result<(NamedTempFile, u64), AppError> {
        let mut temp = files::temporary(app)?;
        let rows = self.book.finish(temp.as_file_mut()).map_err(failed)?;
        temp.flush().map_err(|e| failed(e.into()))?;
        Ok((temp, rows))
    }
}

/// Writes it into a temporary file and notes in the log that the actor takes it out, before he has it. Rows are read
/// in many short reads; while the writer is waited for, no reader is held. `Busy` when too many exports go on.
pub async fn error_file(app: &App, actor: &Actor, import: &Import) -> Result<NamedTempFile, AppError> {
    let _place = app.export_place().await?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let (own, asked, l) = (app.clone(), import.clone(), actor.lang);
    let writer = tokio::task::spawn_blocking(move || write(&own, &asked, l, receiver));
    let read = read_all(app, import.id, &sender).await;
    drop(sender);
    let written = writer.await.map_err(|e| AppError::Internal(format!("error file: {e}")))?;
    read?;
    let (temp, rows) = written?;
    handed_out(app, actor, import, rows).await?;
    Ok(temp)
}

/// A refused row as it is kept: number, cells, problems.
type Kept = (i64, String, String);

/// Hands the refused rows to the writer, and at the end an empty batch: without it the file is not whole.
async fn read_all(app: &App, id: ImportId, sender: &mpsc::Sender<Vec<Kept>>) -> Result<(), AppError> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Kept> = app
            .db
            .read(move |conn| {
                let sql = "SELECT row_number, cells, problems FROM import_rows
                    WHERE import_id = $1 AND outcome = 'failed' AND row_number > $2 ORDER BY row_number LIMIT $3";
                Ok::<_, AppError>(conn.rows(sql, &[id.into(), after.into(), BATCH.into()])?)
            })
            .await?;
        let last = rows.last().map(|(number, ..)| *number);
        // A writer that failed says why itself.
        if sender.send(rows).await.is_err() {
            return Ok(());
        }
        let Some(last) = last else { return Ok(()) };
        after = last;
    }
}

fn write(
    app: &App,
    import: &Import,
    l: Lang,
    mut batches: mpsc::Receiver<Vec<Kept>>,
) -> Result<(NamedTempFile, u64), AppError> {
    let mut file = Refused::new(import, l)?;
    loop {
        let batch = batches.blocking_recv().ok_or(AppError::Unavailable)?;
        if batch.is_empty() {
            return file.finish(app);
        }
        for row in batch {
            file.push_kept(row)?;
        }
    }
}

/// Notes that the actor takes refused rows out: they hold customers in the clear.
pub async fn handed_out(app: &App, actor: &Actor, import: &Import, rows: u64) -> Result<(), AppError> {
    let (actor, id, now) = (actor.clone(), import.id, app.now());
    let after = json!({ "file": import.file_name, "rows": rows });
    app.db
        .write(move |tx| {
            let entry = Entry::of("import.errors_exported", "import", id.0).after(&after);
            Ok::<_, AppError>(audit::record(tx, &actor, now, &entry)?)
        })
        .await
}

/// What is wrong with a row as it is kept. A row without any was refused when there was no room for more.
fn wrongs(problems: &str, l: Lang) -> Vec<CellError> {
    if problems.is_empty() {
        let reason = l.t("没有导入的行太多，没有保留这一行的内容和原因，请按行号在原文件中查找").to_owned();
        return vec![CellError { column: None, reason }];
    }
    let all: Vec<(Option<usize>, String, String)> = serde_json::from_str(problems).unwrap_or_default();
    all.into_iter()
        .map(|(column, zh, en)| CellError { column, reason: l.pick(&zh, &en).to_owned() })
        .collect()
}

fn failed(error: WriteError) -> AppError {
    if error.is_storage_full() { AppError::Full } else { AppError::Internal(format!("error file: {error}")) }
}

/// The first refused rows: (row, first cell, reasons with headings).
pub fn first_rows(
    conn: &mut store::Conn<'_>,
    import: &Import,
    l: Lang,
    limit: i64,
) -> store::Result<Vec<(i64, String, Vec<String>)>> {
    let rows: Vec<Kept> = conn.rows(
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
                    Some(heading) => l.f("{}：{}", &[heading, &w.reason]),
                    None => w.reason,
                })
                .collect();
            (number, name.chars().take(30).collect(), reasons)
        })
        .collect())
}
