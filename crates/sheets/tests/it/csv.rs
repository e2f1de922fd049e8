use encoding_rs::{Encoding, GB18030};
use sheets::{Format, Limits};

use crate::support::{file_of, read_bytes, read_file, refusal, shared};

// covers: CI-02
#[test]
fn every_dialect_of_csv_spectrum_means_what_its_json_says() {
    let Some(folder) = shared("csv-spectrum") else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(folder.join("csvs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let json = std::fs::read_to_string(folder.join("json").join(format!("{name}.json"))).unwrap();
        let mut expected: serde_json::Value = serde_json::from_str(&json).unwrap();
        if name == "location_coordinates" {
            // The collection's own slip: one object instead of a list, and a number the CSV does not hold.
            expected["Contact Phone Number"] = "2095257564".into();
            expected = serde_json::Value::Array(vec![expected]);
        }
        let read = read_bytes(&std::fs::read(&path).unwrap()).unwrap();
        let found: Vec<serde_json::Map<String, serde_json::Value>> = read
            .rows
            .iter()
            .map(|row| {
                assert!(!row.problems.iter().any(sheets::Problem::is_error), "{name}: {:?}", row.problems);
                read.header
                    .columns
                    .iter()
                    .cloned()
                    .zip(row.cells.iter().cloned().map(serde_json::Value::from))
                    .collect()
            })
            .collect();
        assert_eq!(serde_json::json!(found), expected, "{name}");
        files += 1;
    }
    assert_eq!(files, 12);
}

const TEXT: &str = "姓名,手机,备注\r\n张三,013812345678,\"甲,乙\"\r\n李四,02012345678,\"第一行\n第二行\"\r\n";

fn assert_is_text(bytes: &[u8], encoding: &str) {
    let read = read_bytes(bytes).unwrap();
    assert_eq!(read.header.encoding.as_deref(), Some(encoding));
    assert_eq!(read.columns(), ["姓名", "手机", "备注"]);
    assert_eq!(read.cells(0), ["张三", "013812345678", "甲,乙"]);
    assert_eq!(read.cells(1), ["李四", "02012345678", "第一行\n第二行"]);
    assert!(read.warnings.is_empty());
}

// covers: CI-02
#[test]
fn encodings() {
    assert_is_text(TEXT.as_bytes(), "UTF-8");
    assert_is_text(format!("\u{feff}{TEXT}").as_bytes(), "UTF-8");
    assert_is_text(&GB18030.encode(TEXT).0, "gb18030");
    let utf16: Vec<u16> = format!("\u{feff}{TEXT}").encode_utf16().collect();
    assert_is_text(&utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>(), "UTF-16LE");
    assert_is_text(&utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<_>>(), "UTF-16BE");
    assert_is_text(&utf16[1..].iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>(), "UTF-16LE");
}

#[test]
fn the_first_chinese_letter_may_come_late() {
    let mut text = String::from("name,phone\n");
    for row in 0..20_000 {
        text += &format!("customer {row},{row}\n");
    }
    text += "𠮷野家,1\n";
    let read = read_bytes(&GB18030.encode(&text).0).unwrap();
    assert_eq!(read.header.encoding.as_deref(), Some("gb18030"));
    assert_eq!(read.cells(20_000), ["𠮷野家", "1"]);
    assert_eq!(Encoding::for_label(b"gb2312").unwrap().name(), "GBK");
}

#[test]
fn mixed_encodings_are_said_and_cost_only_the_broken_cells() {
    let mut bytes = "姓名,手机\n张三丰道人,1\n".as_bytes().to_vec();
    bytes.extend_from_slice(b"\xd5\xc5\xff,2\n");
    let read = read_bytes(&bytes).unwrap();
    assert_eq!(read.cells(0), ["张三丰道人", "1"]);
    assert_eq!(read.codes(1), ["cell.garbled"]);
    assert_eq!(read.warnings[0].code, "file.mixed_encoding");
}

#[test]
fn delimiters_and_line_ends() {
    for delimiter in [",", ";", "\t", "|", "，"] {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                "姓名D手机D城市E张三D1D广州E\"李D四\"D2D深圳E".replace('D', delimiter).replace('E', end);
            let read = read_bytes(text.as_bytes()).unwrap();
            assert_eq!(read.columns(), ["姓名", "手机", "城市"], "{delimiter:?} {end:?}");
            assert_eq!(read.cells(1)[0], format!("李{delimiter}四"));
            assert_eq!((read.rows[0].number, read.rows[1].number), (2, 3));
        }
    }
    let read = read_bytes(b"sep=|\na|b,c\n1|2,3\n").unwrap();
    assert_eq!(read.columns(), ["a", "b,c"]);
    let read = read_bytes("备注\n甲;乙\n丙;丁\n".as_bytes()).unwrap();
    assert_eq!(read.columns(), ["备注"]);
    assert_eq!(read.cells(0), ["甲;乙"]);
}

// covers: CI-02
#[test]
fn ragged_rows_empty_lines_and_trailing_columns() {
    let read = read_bytes(b"\n\na,b,,\n1,2,,\n\n\"x\ny\",2\n,,,\n1,2,3\n7\n").unwrap();
    assert_eq!(read.columns(), ["a", "b"]);
    assert_eq!((read.header.row, read.summary.empty_rows, read.summary.bad_rows), (3, 2, 1));
    let numbers: Vec<u64> = read.rows.iter().map(|row| row.number).collect();
    // As a spreadsheet program counts them: the one that breaks a line is one row.
    assert_eq!(numbers, [4, 6, 8, 9]);
    assert_eq!(read.codes(2), ["row.too_many_cells"]);
    assert_eq!(read.cells(2), ["1", "2", "3"]);
    assert_eq!(read.codes(3), ["row.too_few_cells"]);
    assert_eq!(read.cells(3), ["7", ""]);
}

#[test]
fn a_title_line_is_no_heading() {
    let read = read_bytes("2026年客户名单\n姓名,手机,城市\n张三,1,广州\n".as_bytes()).unwrap();
    assert_eq!(read.columns(), ["姓名", "手机", "城市"]);
    assert_eq!(read.header.row, 2);
}

#[test]
fn headings_stand_where_the_reader_is_told() {
    let text = "客户,电话\n内部,1\n姓名,手机\n张三,2\n";
    let read = |row| {
        let limits = Limits { header_row: Some(row), ..Limits::default() };
        read_file(&mut file_of(text.as_bytes()), "a.csv", &limits)
    };
    assert_eq!(read_bytes(text.as_bytes()).unwrap().columns(), ["客户", "电话"]);
    let third = read(3).unwrap();
    assert_eq!(third.columns(), ["姓名", "手机"]);
    assert_eq!((third.header.row, third.header.asked_row, third.summary.rows), (3, Some(3), 1));
    assert_eq!((third.rows[0].number, third.cells(0)), (4, vec!["张三", "2"]));
    assert_eq!(
        read(5).err().map(|problem| problem.code.into_owned()),
        Some("table.no_header_row".to_owned())
    );
}

#[test]
fn control_characters_are_dropped_and_told() {
    let read = read_bytes("姓名,手机\n张\0三,\u{202d}13812345678\u{202c}\n".as_bytes()).unwrap();
    assert_eq!(read.cells(0), ["张三", "13812345678"]);
    assert_eq!(read.codes(0), ["cell.characters_removed", "cell.characters_removed"]);
    assert_eq!(read.rows[0].problems[1].column, Some(1));
}

#[test]
fn a_quote_never_closed_names_its_line() {
    let problem = refusal("姓名,手机\n张三,1\n李四,\"2\n王五,3\n".as_bytes());
    assert_eq!((problem.code.as_ref(), problem.row), ("csv.unclosed_quote", Some(3)));
    assert!(problem.zh.contains("第 3 行"));
}

#[test]
fn huge_cells_rows_and_widths_stay_bounded() {
    let mut text = format!("a,b\n{},2\n3,4\n", "长".repeat(40_000));
    let read = read_bytes(text.as_bytes()).unwrap();
    assert_eq!(read.codes(0), ["cell.too_long"]);
    assert_eq!(read.rows[0].cells[0].chars().count(), 32_767);
    assert_eq!(read.cells(1), ["3", "4"]);

    text = (0..10_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",") + "\n1,2\n";
    assert_eq!(refusal(text.as_bytes()).code, "table.too_many_columns");
    text = (0..501).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",") + "\n1,2\n";
    assert_eq!(refusal(text.as_bytes()).code, "table.too_many_columns");

    let limits = Limits { max_rows: 2, ..Limits::default() };
    let problem = read_file(&mut file_of(b"a\n1\n2\n3\n"), "a.csv", &limits).err().unwrap();
    assert_eq!((problem.code.as_ref(), problem.row), ("table.too_many_rows", Some(4)));
}

#[test]
fn what_is_no_table_is_named() {
    assert_eq!(refusal(b"").code, "file.empty");
    assert_eq!(refusal(b"\n\n").code, "table.no_rows");
    for bytes in
        [&b"%PDF-1.7"[..], b"\x89PNG\r\n", b"<!DOCTYPE html><table>", b"\n<html>", b"Rar!\x1a", b"\x7fELF"]
    {
        assert_eq!(refusal(bytes).code, "file.not_a_table");
    }
    assert_eq!(refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old").code, "file.old_excel");
    let mut encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(refusal(&encrypted).code, "file.encrypted");
    let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(refusal(&noise).code, "file.not_a_table");
}

#[test]
fn stopping_early_is_no_error() {
    let mut count = 0;
    let summary = sheets::read(&mut file_of(b"a\n1\n2\n3\n"), "a.csv", &Limits::default(), &mut |_| {
        count += 1;
        if count == 2 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
    })
    .unwrap();
    assert!(summary.is_stopped && summary.format == Format::Csv);
    assert_eq!(count, 2);
}
