//! Reading a table out of an uploaded file, whatever it is: the format is told by the content, rows are handed over
//! one by one, and every size is bounded.

mod csv;
mod encoding;
mod table;
mod vcard;
mod xlsx;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

pub use crate::problem::Problem;
pub use table::ERROR_HEADINGS;
pub use vcard::MULTI_SEPARATOR;
pub use xlsx::STAMP_PROPERTY;

/// How large a table may be. Whatever is larger is refused with a sentence that says so, before memory is spent on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the file itself.
    pub max_file_bytes: u64,
    /// Rows below the header.
    pub max_rows: u64,
    /// Columns with a heading; a file may have a few more empty ones.
    pub max_columns: usize,
    /// Cells that hold something.
    pub max_cells: u64,
    /// Characters in one cell.
    pub max_cell_chars: usize,
    /// Bytes of text in one row.
    pub max_row_bytes: usize,
    /// Bytes of text in all rows together; a file whose few texts are repeated without end ([`MAX_EXPANSION`]) is
    /// refused before.
    pub max_text_bytes: u64,
    /// XLSX: bytes unpacked from all parts together.
    pub max_inflated_bytes: u64,
    /// XLSX: bytes of distinct texts kept in memory while the sheet is read.
    pub max_shared_text_bytes: usize,
    /// XLSX: distinct texts.
    pub max_shared_texts: usize,
    /// XLSX: the sheet to read; without it the first visible one that has rows.
    pub sheet: Option<String>,
    /// CSV and XLSX: the row with the headings, as [`Row::number`] counts; the rows above it are left out. Without it
    /// the headings are looked for among the first rows.
    pub header_row: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_file_bytes: 200 << 20,
            max_rows: 500_000,
            max_columns: 500,
            max_cells: 10_000_000,
            max_cell_chars: crate::text::MAX_CELL_CHARS,
            max_row_bytes: 1 << 20,
            max_text_bytes: 4 << 30,
            max_inflated_bytes: 2 << 30,
            max_shared_text_bytes: 128 << 20,
            max_shared_texts: 6_000_000,
            sheet: None,
            header_row: None,
        }
    }
}

/// Text in the rows that is never too much, however small the file is.
const FREE_TEXT_BYTES: u64 = 64 << 20;
/// Beyond it, a file may hold this many times its own size: packed sheets of long repeated texts reach some sixty.
pub const MAX_EXPANSION: u64 = 200;

impl Limits {
    /// The limits for a file of this size.
    fn of_file(&self, size: u64) -> Self {
        let expanded = FREE_TEXT_BYTES.max(size.saturating_mul(MAX_EXPANSION));
        Self { max_text_bytes: self.max_text_bytes.min(expanded), ..self.clone() }
    }
}

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Csv,
    Xlsx,
    Vcard,
}

/// The headings of the table and how it was read. Comes once, before the first row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: Format,
    /// Headings from left to right without trailing empty ones; headings in two rows are joined as `组/列`.
    pub columns: Vec<String>,
    /// vCard only: stable ids beside the Chinese headings (`name`, `organisation`, …).
    pub keys: Vec<String>,
    /// Number of the (last) heading row; 0 for vCard.
    pub row: u64,
    /// Where the caller said the headings are ([`Limits::header_row`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_row: Option<u64>,
    /// CSV and vCard: the encoding's name, such as `UTF-8` or `gb18030`.
    pub encoding: Option<String>,
    /// CSV: the delimiter.
    pub delimiter: Option<char>,
    /// XLSX: the sheet that is read.
    pub sheet: Option<String>,
    /// XLSX: the visible sheets of the file that hold something, and the one asked for.
    pub sheets: Vec<String>,
    /// The stamp [`crate::write::template`] or [`crate::write::ErrorFile`] left in the file.
    pub stamp: Option<String>,
    /// The file is a corrected error file: its two own columns ([`ERROR_HEADINGS`]) are already taken away, and rows
    /// carry [`Row::original`].
    pub is_error_file: bool,
}

/// One row that holds something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// As a spreadsheet program shows it, from 1: in a CSV a row whose cells break lines counts once. vCard: the line
    /// the card starts on.
    pub number: u64,
    /// In a corrected error file: the number the row had in the first file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<u64>,
    /// At least as many as there are headings; more only if a problem says so.
    pub cells: Vec<String>,
    /// What was wrong with cells of this row. With an error among them the row should not be used as it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

impl Row {
    /// About what it takes in memory.
    pub fn bytes(&self) -> usize {
        let words: usize = self.problems.iter().map(|p| size_of::<Problem>() + p.zh.len() + p.en.len()).sum();
        size_of::<Self>() + text_bytes(&self.cells) + words
    }
}

/// About what texts take in memory.
pub(crate) fn text_bytes(texts: &[String]) -> usize {
    texts.iter().map(|text| size_of::<String>() + text.len()).sum()
}

/// What the reader hands over, in order: one header, then rows and warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Header(Header),
    Row(Row),
    /// Something about the file as a whole that does not stop the reading.
    Warning(Problem),
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub format: Format,
    /// Rows handed over.
    pub rows: u64,
    /// Rows among them with at least one error.
    pub bad_rows: u64,
    /// Empty rows skipped between the others.
    pub empty_rows: u64,
    /// The receiver asked to stop before the end.
    pub is_stopped: bool,
}

/// Receives the events; `Break` ends the reading early, which is no error.
pub type Sink<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

/// Reads the table in `file` from its beginning; the file must allow seeking. `name_hint`, the name it was uploaded
/// under, only words the refusal of what cannot be read.
///
/// CSV is read in the encoding of its byte order mark; without one as UTF-8 if the **whole** file is valid UTF-8, or
/// mostly is (what is broken then stands as `�` with a warning), else as GB18030.
///
/// # Errors
/// A [`Problem`] about the file as a whole; rows handed over before it are good.
pub fn read(
    file: &mut File,
    name_hint: &str,
    limits: &Limits,
    sink: &mut Sink<'_>,
) -> Result<Summary, Problem> {
    let size = file.metadata()?.len();
    if size == 0 {
        return Err(Problem::error("file.empty", "文件是空的，请检查后重新上传", "the file is empty"));
    }
    if size > limits.max_file_bytes {
        let max = limits.max_file_bytes >> 20;
        return Err(Problem::error(
            "file.too_large",
            format!("文件超过 {max} MB，请拆分成几个文件后分别导入"),
            format!("the file is larger than {max} MB; split it"),
        ));
    }
    let limits = &limits.of_file(size);
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.seek(SeekFrom::Start(0))?;
    Read::take(&mut *file, HEAD_BYTES as u64).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    match detect(&head, name_hint)? {
        Format::Xlsx => xlsx::read(file, limits, sink),
        Format::Vcard => vcard::read(file, limits, sink),
        Format::Csv => csv::read(file, limits, sink),
    }
}

const HEAD_BYTES: usize = 8192;

/// Tells the format from the first bytes, or says why the file cannot be a table.
fn detect(head: &[u8], name_hint: &str) -> Result<Format, Problem> {
    let extension = name_hint.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(Format::Xlsx);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        // An encrypted XLSX is an OLE container whose streams are named in UTF-16, usually within the first sectors.
        if contains_utf16(head, "EncryptedPackage") || extension == "xlsx" {
            return Err(Problem::error(
                "file.encrypted",
                "文件设有打开密码，请在 Excel 中取消密码后重新保存再上传",
                "the file is protected by a password; remove it and save again",
            ));
        }
        return Err(Problem::error(
            "file.old_excel",
            "这是旧版 Excel 文件（.xls），请另存为 .xlsx 后再上传",
            "this is an old Excel file (.xls); save it as .xlsx",
        ));
    }
    for (magic, zh, en) in FOREIGN {
        if head.starts_with(magic) {
            return Err(not_a_table(zh, en));
        }
    }
    let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let text: String = if is_utf16 {
        head.iter().filter(|&&b| b != 0 && b.is_ascii()).map(|&b| b as char).collect()
    } else {
        head.iter().map(|&b| b as char).collect()
    };
    let start = text.trim_start_matches("\u{ef}\u{bb}\u{bf}").trim_start();
    let lower = start.get(..start.len().min(200)).unwrap_or(start).to_ascii_lowercase();
    if lower.starts_with("begin:vcard") {
        return Ok(Format::Vcard);
    }
    if ["<!doctype html", "<html", "<table", "<head", "<meta"].iter().any(|tag| lower.starts_with(tag)) {
        // Many older systems name a page .xls; Excel opens it, so people do not know.
        return Err(not_a_table("网页（HTML）", "a web page (HTML)"));
    }
    if lower.starts_with("<?xml") {
        return Err(not_a_table("XML 文件", "an XML file"));
    }
    if lower.starts_with("{\\rtf") {
        return Err(not_a_table("RTF 文档", "an RTF document"));
    }
    Ok(Format::Csv)
}

const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"%PDF", "PDF 文件", "a PDF file"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"GIF8", "图片", "a picture"),
    (b"RIFF", "图片或音视频", "a picture or recording"),
    (b"II*\0", "图片", "a picture"),
    (b"MM\0*", "图片", "a picture"),
    (b"Rar!", "压缩包", "an archive"),
    (b"7z\xbc\xaf", "压缩包", "an archive"),
    (b"\x1f\x8b", "压缩包", "an archive"),
    (b"BZh", "压缩包", "an archive"),
    (b"\xfd7zXZ", "压缩包", "an archive"),
    (b"\x28\xb5\x2f\xfd", "压缩包", "an archive"),
    (b"\x7fELF", "程序", "a program"),
    (b"MZ\x90", "程序", "a program"),
    (b"SQLite format 3", "数据库文件", "a database"),
];

fn not_a_table(zh: &str, en: &str) -> Problem {
    Problem::error(
        "file.not_a_table",
        format!("这是{zh}，不能导入。请上传 .xlsx、.csv 或 .vcf 文件"),
        format!("this is {en}; upload an .xlsx, .csv or .vcf file"),
    )
}

fn contains_utf16(bytes: &[u8], text: &str) -> bool {
    let needle: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memchr::memmem::find(bytes, &needle).is_some()
}
