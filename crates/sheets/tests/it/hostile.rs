//! Files made to hurt: refused with a sentence, in bounded memory.

use std::io::Write;

use zip::write::SimpleFileOptions;

use crate::support::{Book, file_of, read_bytes, refusal, shared_rows, text_rows, zip_of};

const ROWS: &str = "<sheetData><row><c t=\"inlineStr\"><is><t>a</t></is></c></row>";

#[test]
fn zip_bombs() {
    // Kilobytes that unpack to 80 MiB: within the sheet, and among the shared texts.
    let zeros = vec![b' '; 1 << 20];
    for part in ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "_rels/.rels"] {
        let plain = Book { sheet: ROWS, ..Book::default() }.bytes();
        let mut parts = zip::ZipArchive::new(std::io::Cursor::new(plain)).unwrap();
        let names: Vec<String> = parts.file_names().map(|name| name.unwrap().into_owned()).collect();
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            out.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            if name == part {
                out.write_all(b"<a>").unwrap();
                for _ in 0..80 {
                    out.write_all(&zeros).unwrap();
                }
            } else {
                std::io::copy(&mut parts.by_name(&name).unwrap(), &mut out).unwrap();
            }
        }
        let problem = refusal(&out.finish().unwrap().into_inner());
        assert_eq!(problem.code, "zip.too_large", "{part}");
    }
}

#[test]
fn too_many_shared_texts() {
    let shared = "<si><t>甲乙丙丁</t></si>".repeat(2_000);
    let book = Book { sheet: ROWS, shared: &shared, ..Book::default() }.bytes();
    let limits = sheets::Limits { max_shared_texts: 1_000, ..sheets::Limits::default() };
    let result = crate::support::read_file(&mut crate::support::file_of(&book), "a.xlsx", &limits);
    assert_eq!(result.err().unwrap().code, "xlsx.too_much_text");
    let limits = sheets::Limits { max_shared_text_bytes: 1_000, ..sheets::Limits::default() };
    let result = crate::support::read_file(&mut crate::support::file_of(&book), "a.xlsx", &limits);
    assert_eq!(result.err().unwrap().code, "xlsx.too_much_text");
}

/// Kilobytes that would be a gigabyte of rows: one long shared text named by every cell.
#[test]
fn one_long_text_in_every_cell() {
    let shared = format!("<si><t>列</t></si><si><t>{}</t></si>", "x".repeat(32_000));
    let heads = text_rows(&[&["列"; 26]]);
    let rows = shared_rows(3_000, &[1; 26]);
    let sheet = heads.replace("</sheetData>", "") + &rows.replace("<sheetData>", "");
    let book = Book { sheet: &sheet, shared: &shared, ..Book::default() };
    let (mut given, mut rows) = (0, 0);
    let limits = sheets::Limits::default();
    let problem = sheets::read(&mut file_of(&packed(&book)), "a.xlsx", &limits, &mut |event| {
        if let sheets::Event::Row(row) = event {
            given += row.cells.iter().map(String::len).sum::<usize>();
            rows += 1;
        }
        std::ops::ControlFlow::Continue(())
    })
    .unwrap_err();
    assert_eq!(problem.code, "table.too_much_text", "{problem}");
    assert!(rows > 0 && given <= 64 << 20, "{given} bytes in {rows} rows");
}

/// A row is never held larger than the table may hand it out, nor is a heading merged over many columns.
#[test]
fn one_row_and_one_heading_of_long_texts() {
    let shared = format!("<si><t>{}</t></si>", "x".repeat(32_000));
    let sheet = text_rows(&[&["列"; 26]]).replace("</sheetData>", "")
        + &shared_rows(1, &[0; 400]).replace("<sheetData>", "");
    let read = read_bytes(&Book { sheet: &sheet, shared: &shared, ..Book::default() }.bytes()).unwrap();
    assert!(read.codes(0).contains(&"row.too_long"), "{:?}", read.codes(0));
    assert!(read.rows[0].bytes() <= (1 << 20) + 64_000, "{}", read.rows[0].bytes());

    let sheet = shared_rows(1, &[0]).replace("<row>", "<row r=\"1\">").replace("</sheetData>", "")
        + "<row r=\"2\"><c t=\"inlineStr\"><is><t>x</t></is></c></row></sheetData>\
           <mergeCells><mergeCell ref=\"A1:RZ1\"/></mergeCells>";
    let read = read_bytes(&Book { sheet: &sheet, shared: &shared, ..Book::default() }.bytes()).unwrap();
    assert!(read.columns().iter().map(|heading| heading.len()).sum::<usize>() < 500 * 300);
}

/// The workbook with its parts deflated, as a spreadsheet program packs it.
fn packed(book: &Book<'_>) -> Vec<u8> {
    let mut parts = zip::ZipArchive::new(std::io::Cursor::new(book.bytes())).unwrap();
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for at in 0..parts.len() {
        let mut part = parts.by_index(at).unwrap();
        out.start_file(part.name().unwrap().into_owned(), deflated).unwrap();
        std::io::copy(&mut part, &mut out).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn entities_are_refused() {
    let laughs = format!(
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]>{ROWS}<row><c t=\"inlineStr\"><is><t>&lol2;</t></is></c></row></sheetData>"
    );
    assert_eq!(refusal(&Book { sheet: &laughs, ..Book::default() }.bytes()).code, "xlsx.doctype");
    // Unknown references alone are not followed either.
    let rows = text_rows(&[&["a"], &["x&lol;y"]]);
    assert_eq!(
        read_bytes(&Book { sheet: &rows, ..Book::default() }.bytes()).unwrap().cells(0),
        ["x\u{fffd}y"]
    );
}

#[test]
fn deep_nesting_and_endless_tags() {
    assert_eq!(
        refusal(&Book { sheet: &"<a>".repeat(100_000), ..Book::default() }.bytes()).code,
        "zip.damaged"
    );
    let tag = format!("<a {}>", "x".repeat(20 << 20));
    assert_eq!(refusal(&Book { sheet: &tag, ..Book::default() }.bytes()).code, "zip.too_large");
}

#[test]
fn a_huge_cell_is_cut_and_told() {
    let long = "长".repeat(1 << 20);
    let rows = text_rows(&[&["备注"], &[&long], &["短"]]);
    let read = read_bytes(&Book { sheet: &rows, ..Book::default() }.bytes()).unwrap();
    assert_eq!(read.codes(0), ["cell.too_long"]);
    assert_eq!(read.rows[0].cells[0].chars().count(), 32_767);
    assert_eq!(read.cells(1), ["短"]);
}

#[test]
fn cut_files_at_every_length() {
    let rows = text_rows(&[&["姓名", "手机"], &["张三", "138"]]);
    let whole = Book { sheet: &rows, ..Book::default() }.bytes();
    assert!(read_bytes(&whole).is_ok());
    for length in (4..whole.len()).step_by(37) {
        assert_eq!(refusal(&whole[..length]).code, "zip.damaged", "{length}");
    }
    // A byte changed anywhere gives a table or a sentence, never a panic.
    for at in (0..whole.len()).step_by(11) {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        if let Err(problem) = read_bytes(&broken) {
            assert!(!problem.zh.is_empty());
        }
    }
}

#[test]
fn other_containers_are_named() {
    for (part, word) in [
        ("word/document.xml", "Word"),
        ("ppt/presentation.xml", "演示文稿"),
        ("xl/workbook.bin", "xlsb"),
        ("content.xml", "ods"),
        ("照片.jpg", "压缩包"),
        ("../../etc/passwd", "压缩包"),
    ] {
        let problem = refusal(&zip_of(&[(part, b"<a/>")]));
        assert_eq!(problem.code, "file.not_a_table");
        assert!(problem.zh.contains(word), "{}", problem.zh);
    }
}

#[test]
fn a_directory_of_too_many_parts() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for n in 0..10_001 {
        zip.start_file(format!("{n}"), SimpleFileOptions::default()).unwrap();
    }
    assert_eq!(refusal(&zip.finish().unwrap().into_inner()).code, "zip.too_many_parts");
}
