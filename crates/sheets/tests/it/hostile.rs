//! Files made to hurt: refused with a sentence, in bounded memory.

use std::io::Write;

use zip::write::SimpleFileOptions;

use crate::support::{Book, read_bytes, refusal, text_rows, zip_of};

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
