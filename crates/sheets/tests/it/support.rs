//! Files to read, and what came out of them.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use sheets::{Event, Header, Limits, Problem, Row, Summary, read};
use zip::write::SimpleFileOptions;

pub struct Read {
    pub header: Header,
    pub rows: Vec<Row>,
    pub warnings: Vec<Problem>,
    pub summary: Summary,
}

impl Read {
    pub fn columns(&self) -> Vec<&str> {
        self.header.columns.iter().map(String::as_str).collect()
    }

    pub fn cells(&self, row: usize) -> Vec<&str> {
        self.rows[row].cells.iter().map(String::as_str).collect()
    }

    pub fn codes(&self, row: usize) -> Vec<&str> {
        self.rows[row].problems.iter().map(|problem| problem.code.as_ref()).collect()
    }
}

pub fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

pub fn read_file(file: &mut File, name: &str, limits: &Limits) -> Result<Read, Problem> {
    let (mut header, mut rows, mut warnings) = (None, Vec::new(), Vec::new());
    let summary = read(file, name, limits, &mut |event| {
        match event {
            Event::Header(h) => assert!(header.replace(h).is_none(), "one header"),
            Event::Row(row) => {
                assert!(header.is_some(), "header before rows");
                rows.push(row);
            }
            Event::Warning(problem) => warnings.push(problem),
        }
        ControlFlow::Continue(())
    })?;
    assert_eq!(summary.rows, rows.len() as u64);
    Ok(Read { header: header.expect("a header"), rows, warnings, summary })
}

pub fn read_bytes(bytes: &[u8]) -> Result<Read, Problem> {
    read_file(&mut file_of(bytes), "客户.csv", &Limits::default())
}

pub fn refusal(bytes: &[u8]) -> Problem {
    match read_bytes(bytes) {
        Ok(read) => panic!("was read: {:?}", read.header),
        Err(problem) => {
            assert!(problem.is_error() && !problem.zh.is_empty());
            problem
        }
    }
}

/// A folder of other people's sample files, which are not ours to pass on: those who have them put them beside the checkout
/// (CONTRIBUTING.md).
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is missing", path.display());
    None
}

/// Rows of shared texts by their number, as `<sheetData>`.
pub fn shared_rows(rows: usize, cells: &[usize]) -> String {
    let row: String = cells.iter().map(|text| format!(r#"<c t="s"><v>{text}</v></c>"#)).collect();
    format!("<sheetData>{}</sheetData>", format!("<row>{row}</row>").repeat(rows))
}

pub fn zip_of(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK_RELATIONS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://x/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://x/relationships/worksheet" Target="/xl/worksheets/sheet2.xml"/></Relationships>"#;

/// A workbook by hand: `sheet` is what stands within `<worksheet>`, `shared` within `<sst>`, `formats` are the number
/// formats of cell styles 1, 2, ….
#[derive(Default)]
pub struct Book<'a> {
    pub sheet: &'a str,
    pub second: &'a str,
    pub shared: &'a str,
    pub formats: &'a [&'a str],
    pub book: &'a str,
}

impl Book<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let book = format!(
            r#"<workbook xmlns:r="r">{}<sheets><sheet name="客户" sheetId="1" r:id="rId1"/><sheet name="第二" sheetId="2" r:id="rId2"/></sheets></workbook>"#,
            self.book
        );
        let mut styles = String::from("<styleSheet><numFmts>");
        for (at, code) in self.formats.iter().enumerate() {
            let code = code.replace('"', "&quot;");
            styles += &format!(r#"<numFmt numFmtId="{}" formatCode="{code}"/>"#, 164 + at);
        }
        styles += r#"</numFmts><cellXfs><xf numFmtId="0"/>"#;
        for at in 0..self.formats.len() {
            styles += &format!(r#"<xf numFmtId="{}"/>"#, 164 + at);
        }
        styles += "</cellXfs></styleSheet>";
        let sheet = format!("<worksheet>{}</worksheet>", self.sheet);
        let second = format!("<worksheet>{}</worksheet>", self.second);
        let shared = format!("<sst>{}</sst>", self.shared);
        zip_of(&[
            ("[Content_Types].xml", b"<Types/>"),
            ("_rels/.rels", RELATIONS.as_bytes()),
            ("xl/workbook.xml", book.as_bytes()),
            ("xl/_rels/workbook.xml.rels", BOOK_RELATIONS.as_bytes()),
            ("xl/styles.xml", styles.as_bytes()),
            ("xl/sharedStrings.xml", shared.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
            ("xl/worksheets/sheet2.xml", second.as_bytes()),
        ])
    }
}

/// Rows of inline texts from row 1, as `<sheetData>`; an empty text leaves the cell out.
pub fn text_rows(rows: &[&[&str]]) -> String {
    let mut xml = String::from("<sheetData>");
    for (number, cells) in (1..).zip(rows) {
        xml += &format!(r#"<row r="{number}">"#);
        for (column, text) in cells.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let letter = char::from(b'A' + u8::try_from(column).unwrap());
            xml += &format!(r#"<c r="{letter}{number}" t="inlineStr"><is><t>{text}</t></is></c>"#);
        }
        xml += "</row>";
    }
    xml + "</sheetData>"
}

/// A file as Excel writes it: every text among the shared ones, all of them different.
pub fn shared_text_file(rows: u64, columns: u64) -> File {
    let mut zip = zip::ZipWriter::new(tempfile::tempfile().unwrap());
    let mut parts = zip::ZipArchive::new(std::io::Cursor::new(Book::default().bytes())).unwrap();
    for name in ["_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        std::io::copy(&mut parts.by_name(name).unwrap(), &mut zip).unwrap();
    }
    zip.start_file("xl/sharedStrings.xml", SimpleFileOptions::default()).unwrap();
    write!(zip, "<sst>").unwrap();
    for row in 0..rows {
        let row: String = (0..columns).map(|column| format!("<si><t>客户{row}-{column}</t></si>")).collect();
        zip.write_all(row.as_bytes()).unwrap();
    }
    write!(zip, "</sst>").unwrap();
    zip.start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default()).unwrap();
    write!(zip, "<worksheet><sheetData>").unwrap();
    for row in 0..rows {
        let cells: String =
            (0..columns).map(|column| format!(r#"<c t="s"><v>{}</v></c>"#, row * columns + column)).collect();
        write!(zip, r#"<row r="{}">{cells}</row>"#, row + 1).unwrap();
    }
    write!(zip, "</sheetData></worksheet>").unwrap();
    let mut file = zip.finish().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}
