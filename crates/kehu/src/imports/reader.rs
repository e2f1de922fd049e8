//! Reading an import's file in the sandboxed child, on a thread beside the one that writes.

use std::fs::File;
use std::path::{Path, PathBuf};

use sheets::worker::{Frame, Parsed, WorkerLimits};
use sheets::{Header, Limits, Problem, Row};
use tokio::sync::mpsc;

use crate::error::AppError;
use crate::i18n::Text;
use crate::text;

/// Rows that are understood, found and written together, at the most.
pub const BATCH: usize = 200;
/// A batch also ends when its rows take this many bytes as read. Two hundred ordinary rows stay below; with what waits
/// and what is in hand, an import of rows as large as they may be takes some megabytes.
const BATCH_BYTES: usize = 512 << 10;
/// Batches that may wait for the writer.
const WAITING: usize = 3;
/// Rows shown under the columns when they are matched.
pub const SAMPLE: usize = 5;

/// The greatest number a row of headings may be told by: as many rows as a spreadsheet has.
pub const LAST_ROW: u64 = 1_048_576;

/// Which table of a file is read; by default the one that is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// XLSX: the sheet.
    pub sheet: Option<String>,
    /// The row with the headings, from 1.
    pub header_row: Option<u64>,
}

impl Place {
    /// The table a header came from.
    pub fn of(header: &Header) -> Self {
        Self { sheet: header.sheet.clone(), header_row: header.asked_row }
    }

    /// Reads both as they are typed or sent; empty leaves it to be found.
    pub fn named(sheet: &str, header_row: &str) -> Result<Self, AppError> {
        let header_row = match header_row.trim() {
            "" => None,
            text => Some(text.parse().ok().filter(|row| (1..=LAST_ROW).contains(row)).ok_or_else(|| {
                AppError::field("header_row", text!("表头所在的行是 1 到 {} 的整数", LAST_ROW))
            })?),
        };
        Ok(Self { sheet: Some(sheet.to_owned()).filter(|sheet| !sheet.is_empty()), header_row })
    }
}

/// A stored file and which of its tables is read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the file is.
    pub path: PathBuf,
    /// The name it was uploaded under.
    pub name: String,
    /// Its table.
    pub place: Place,
}

/// Starts reading. Without a `kehu` program to start (some tests) the file is read in this process.
pub fn parse(file: File, name: &str, place: &Place) -> Result<Parsed, AppError> {
    let worker = WorkerLimits::default();
    let limits = Limits { sheet: place.sheet.clone(), header_row: place.header_row, ..Limits::default() };
    let failed = |e: std::io::Error| AppError::Internal(format!("the reading child: {e}"));
    match program() {
        Some(exe) => Parsed::spawn(&exe, &["worker", "parse"], file, name, &limits, &worker).map_err(failed),
        None => Parsed::in_process(file, name, &limits).map_err(failed),
    }
}

/// This program; beside a test binary the program under test.
fn program() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    let is_kehu = |path: &Path| path.file_stem().is_some_and(|stem| stem == "kehu");
    if is_kehu(&exe) {
        return Some(exe);
    }
    let beside = exe.parent()?.parent()?.join("kehu").with_extension(exe.extension().unwrap_or_default());
    beside.is_file().then_some(beside)
}

/// What an upload shows before anything is decided.
#[derive(Clone, Debug)]
pub struct Peek {
    /// The headings.
    pub header: Header,
    /// The first rows.
    pub sample: Vec<Vec<String>>,
}

/// Reads headings and first rows; blocks.
pub fn peek(path: &Path, name: &str, place: &Place) -> Result<Peek, AppError> {
    let file = File::open(path).map_err(|e| AppError::Internal(format!("uploaded file: {e}")))?;
    let (mut header, mut sample) = (None, Vec::new());
    for frame in parse(file, name, place)? {
        match frame {
            Frame::Header(found) => header = Some(found),
            Frame::Row(row) => {
                // A row's cells are cut for the page only.
                let cells = row.cells.iter().map(|c| c.chars().take(80).collect()).collect();
                sample.push(cells);
                if sample.len() >= SAMPLE {
                    break;
                }
            }
            Frame::Failed(problem) => return Err(refused(&problem)),
            Frame::Started { .. } | Frame::Warning(_) => {}
            Frame::Done(_) => break,
        }
    }
    match header {
        Some(header) => Ok(Peek { header, sample }),
        None => Err(AppError::field("file", text!("文件里没有表头，请检查后重新上传"))),
    }
}

/// A file that cannot be read, as an error at the file, or at what was said of its table.
pub fn refused(problem: &Problem) -> AppError {
    let field = match &*problem.code {
        "xlsx.no_such_sheet" | "table.empty_sheet" => "sheet",
        "table.no_header_row" => "header_row",
        _ => "file",
    };
    AppError::field(field, words(problem))
}

/// A problem's words.
pub fn words(problem: &Problem) -> Text {
    Text::Both(problem.zh.clone(), problem.en.clone())
}

/// What comes from the reading thread.
pub enum Message<T> {
    /// Some rows in order, worked on already.
    Batch(Vec<T>),
    /// Something about the file as a whole that a person should know.
    Warning(Problem),
    /// The end of the file.
    End,
    /// The file cannot be read further; the batches before are good.
    Failed(Problem),
}

/// Reads rows behind `after` on a thread of its own and hands them over in batches bounded by rows and bytes, each row
/// passed through `each` there. The thread ends when the receiver is dropped.
pub fn batches<T: Send + 'static>(
    source: Source,
    after: i64,
    mut each: impl FnMut(Row) -> T + Send + 'static,
) -> mpsc::Receiver<Result<Message<T>, AppError>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let outcome = (|| {
            let file =
                File::open(&source.path).map_err(|e| AppError::Internal(format!("import file: {e}")))?;
            let (mut batch, mut bytes) = (Vec::new(), 0);
            for frame in parse(file, &source.name, &source.place)? {
                let last = match frame {
                    Frame::Row(row) => {
                        if i64::try_from(row.number).is_ok_and(|n| n > after) {
                            bytes += row.bytes();
                            batch.push(each(row));
                        }
                        if batch.len() < BATCH && bytes < BATCH_BYTES {
                            continue;
                        }
                        None
                    }
                    Frame::Done(_) => Some(Message::End),
                    Frame::Failed(problem) => Some(Message::Failed(problem)),
                    Frame::Warning(problem) => {
                        if sender.blocking_send(Ok(Message::Warning(problem))).is_err() {
                            return Ok(());
                        }
                        continue;
                    }
                    Frame::Started { .. } | Frame::Header(_) => continue,
                };
                if !batch.is_empty() {
                    let full = std::mem::take(&mut batch);
                    bytes = 0;
                    if sender.blocking_send(Ok(Message::Batch(full))).is_err() {
                        return Ok(());
                    }
                }
                if let Some(last) = last {
                    let _ = sender.blocking_send(Ok(last));
                    return Ok(());
                }
            }
            Err(AppError::Internal("the reader ended without a last word".into()))
        })();
        if let Err(error) = outcome {
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}
