use sheets::Limits;

use crate::support::{Book, file_of, read_bytes, read_file, text_rows};

// covers: CI-02
#[test]
fn values_as_a_person_typed_them() {
    let sheet = r#"<sheetData>
      <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>其他</t></is></c></row>
      <row r="2"><c r="A2" t="s"><v>2</v></c><c r="B2" s="1"><v>45351</v></c><c r="C2"><v>1.3812345678E10</v></c></row>
      <row r="3"><c r="A3" t="inlineStr"><is><t xml:space="preserve">00</t></is></c><c r="B3" s="2"><v>45351.75</v></c><c r="C3" t="b"><v>1</v></c></row>
      <row r="5"><c r="A5" t="str"><f>A2&amp;"x"</f><v>甲&amp;乙</v></c><c r="B5" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="C5"><v>110101199003071000</v></c></row>
      <row r="6"><c r="A6"><f>NOW()</f></c><c r="B6" s="3"><v>510</v></c><c r="C6" t="d"><v>2024-02-29T00:00:00</v></c></row>
    </sheetData>"#;
    let shared = "<si><t>编号</t></si><si><r><t>生</t></r><r><rPr/><t>日</t></r><rPh sb=\"0\" eb=\"1\"><t>セイ</t></rPh></si>\
                  <si><t>007_x000D_&#10;&lt;b&gt;_x005F_x000D_</t></si>";
    let formats = ["yyyy\"年\"m\"月\"d\"日\"", "yyyy-mm-dd hh:mm", "000000"];
    let read = read_bytes(&Book { sheet, shared, formats: &formats, ..Book::default() }.bytes()).unwrap();
    assert_eq!(read.columns(), ["编号", "生日", "其他"]);
    assert_eq!(read.header.sheet.as_deref(), Some("客户"));
    assert_eq!(read.header.sheets, ["客户"], "the second one is empty");
    assert_eq!(read.cells(0), ["007\r\n<b>_x000D_", "2024-02-29", "13812345678"]);
    assert_eq!(read.cells(1), ["00", "2024-02-29 18:00:00", "是"]);
    assert_eq!(read.cells(2), ["甲&乙", "", "110101199003071000"]);
    assert_eq!(read.codes(2), ["cell.error_value", "cell.precision"]);
    assert_eq!(read.rows[2].number, 5);
    assert_eq!(read.cells(3), ["", "000510", "2024-02-29"]);
    assert_eq!(read.codes(3), ["cell.formula_without_value"]);
}

#[test]
fn the_1904_system_and_prefixed_names() {
    let sheet = r#"<x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>日期</x:t></x:is></x:c></x:row><x:row><x:c s="1"><x:v>43889</x:v></x:c></x:row></x:sheetData>"#;
    let book =
        Book { sheet, formats: &["yyyy/m/d"], book: r#"<workbookPr date1904="1"/>"#, ..Book::default() };
    let read = read_bytes(&book.bytes()).unwrap();
    assert_eq!(read.columns(), ["日期"]);
    assert_eq!(read.cells(0), ["2024-02-29"]);
    assert_eq!(read.rows[0].number, 2);
}

// covers: CI-02
#[test]
fn cells_merged_over_rows_of_data_hold_for_all_of_them() {
    let rows = text_rows(&[
        &["客户", "联系人", "城市"],
        &["天江", "张三", "广州"],
        &["", "李四", "佛山"],
        &["", "", ""],
        &["", "王五", ""],
        &["地海", "赵六", "深圳"],
    ]);
    let sheet = format!(
        "{rows}<mergeCells count=\"3\"><mergeCell ref=\"A2:A4\"/><mergeCell ref=\"C3:C5\"/><mergeCell ref=\"A6:B6\"/></mergeCells>"
    );
    let read = read_bytes(&Book { sheet: &sheet, ..Book::default() }.bytes()).unwrap();
    let cells: Vec<Vec<&str>> = (0..read.rows.len()).map(|row| read.cells(row)).collect();
    let expected = [
        ["天江", "张三", "广州"],
        ["天江", "李四", "佛山"],
        // The range of 天江 ends above; an empty row stays out whatever it is merged with.
        ["", "王五", "佛山"],
        ["地海", "赵六", "深圳"],
    ];
    assert_eq!(cells, expected);
    assert_eq!(
        (read.codes(0).len(), read.codes(1), read.rows[1].problems[0].column),
        (0, vec!["cell.merged"], Some(0))
    );
    assert!(!read.rows[1].problems[0].is_error());
}

// covers: CI-02
#[test]
fn the_row_of_the_headings_may_be_told() {
    let rows = text_rows(&[
        &["表", "甲", "乙"],
        &["说明", "a", "b"],
        &["组", "联系", ""],
        &["名称", "姓名", "手机"],
        &["天江", "张三", "138"],
    ]);
    let sheet = format!("{rows}<mergeCells count=\"1\"><mergeCell ref=\"B3:C3\"/></mergeCells>");
    let bytes = Book { sheet: &sheet, ..Book::default() }.bytes();
    let limits = Limits { header_row: Some(3), sheet: Some("客户".to_owned()), ..Limits::default() };
    let read = read_file(&mut file_of(&bytes), "a.xlsx", &limits).unwrap();
    assert_eq!((read.header.row, read.summary.rows), (3, 2));
    let limits = Limits { header_row: Some(4), ..limits };
    let read = read_file(&mut file_of(&bytes), "a.xlsx", &limits).unwrap();
    assert_eq!(read.columns(), ["名称", "姓名", "手机"]);
    // The row that is shown for merged headings, and any other of theirs, means all of them.
    let rows = text_rows(&[&["名称", "联系", ""], &["", "姓名", "手机"], &["天江", "张三", "138"]]);
    let sheet = format!(
        "{rows}<mergeCells count=\"2\"><mergeCell ref=\"A1:A2\"/><mergeCell ref=\"B1:C1\"/></mergeCells>"
    );
    let merged = Book { sheet: &sheet, ..Book::default() }.bytes();
    for row in [1, 2] {
        let limits = Limits { header_row: Some(row), ..Limits::default() };
        let read = read_file(&mut file_of(&merged), "a.xlsx", &limits).unwrap();
        assert_eq!(read.columns(), ["名称", "联系/姓名", "联系/手机"], "{row}");
    }
    let limits = Limits { header_row: Some(9), ..limits };
    let problem = read_file(&mut file_of(&bytes), "a.xlsx", &limits).err().unwrap();
    assert_eq!(problem.code, "table.no_header_row");
}

// covers: CI-02
#[test]
fn a_title_above_and_headings_in_two_rows() {
    let rows = text_rows(&[
        &["2026 年客户档案"],
        &["客户名称", "联系人", "", "城市"],
        &["", "姓名", "手机", ""],
        &["天江", "张三", "138", "广州"],
        &["地海", "李四", "139", "深圳"],
    ]);
    let sheet = format!(
        "{rows}<mergeCells count=\"4\"><mergeCell ref=\"A1:D1\"/><mergeCell ref=\"A2:A3\"/><mergeCell ref=\"B2:C2\"/>\
         <mergeCell ref=\"D2:D3\"/></mergeCells>"
    );
    let read = read_bytes(&Book { sheet: &sheet, ..Book::default() }.bytes()).unwrap();
    assert_eq!(read.columns(), ["客户名称", "联系人/姓名", "联系人/手机", "城市"]);
    assert_eq!(read.header.row, 3);
    assert_eq!(read.cells(0), ["天江", "张三", "138", "广州"]);

    // A heading merged with cells below it: the rows with numbers are data.
    let rows = text_rows(&[
        &["客户名称", "手机", "城市"],
        &["天江", "13800138000", ""],
        &["地海", "13900139000", "深圳"],
    ]);
    let sheet = format!("{rows}<mergeCells><mergeCell ref=\"C1:C2\"/></mergeCells>");
    let read = read_bytes(&Book { sheet: &sheet, ..Book::default() }.bytes()).unwrap();
    assert_eq!((read.columns(), read.header.row), (vec!["客户名称", "手机", "城市"], 1));
    assert_eq!(read.cells(0), ["天江", "13800138000", ""]);
    assert_eq!(read.cells(1), ["地海", "13900139000", "深圳"]);

    // Without a title, and with a heading that only spans two columns.
    let rows = text_rows(&[&["名称", "电话", ""], &["天江", "138", "139"]]);
    let sheet = format!("{rows}<mergeCells><mergeCell ref=\"B1:C1\"/></mergeCells>");
    let read = read_bytes(&Book { sheet: &sheet, ..Book::default() }.bytes()).unwrap();
    assert_eq!(read.columns(), ["名称", "电话", "电话（2）"]);
    assert_eq!(read.cells(0), ["天江", "138", "139"]);
}

#[test]
fn the_sheet_with_rows_or_the_one_named() {
    let rows = text_rows(&[&["姓名"], &["张三"]]);
    let book = Book { sheet: "<sheetData/>", second: &rows, ..Book::default() }.bytes();
    let found = read_bytes(&book).unwrap().header;
    // A sheet with nothing in it is not offered, unless it was asked for.
    assert_eq!((found.sheet.as_deref(), found.sheets), (Some("第二"), vec!["第二".to_owned()]));
    let limits = |name: &str| Limits { sheet: Some(name.to_owned()), ..Limits::default() };
    let read = |name| read_file(&mut file_of(&book), "a.xlsx", &limits(name));
    assert!(read("第二").is_ok());
    assert_eq!(read("客户").err().unwrap().code, "table.empty_sheet");
    assert_eq!(read("没有").err().unwrap().code, "xlsx.no_such_sheet");
}

#[test]
fn cells_far_to_the_right() {
    let wide = |column: &str| {
        format!(
            r#"<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c></row><row r="2"><c r="A2"><v>1</v></c><c r="{column}2" s="0"/><c r="{column}2"><v>1</v></c></row></sheetData>"#
        )
    };
    let read = read_bytes(&Book { sheet: &wide("D"), ..Book::default() }.bytes()).unwrap();
    assert_eq!(read.codes(0), ["cell.without_heading"]);
    let problem = read_bytes(&Book { sheet: &wide("XFD"), ..Book::default() }.bytes()).err().unwrap();
    assert_eq!((problem.code.as_ref(), problem.row), ("table.too_many_columns", Some(2)));
    assert!(problem.zh.contains("XFD"));
}
