use super::samples::{imprint, report};
use super::{PRINTER, pages, shows};
use crate::{Column, Orientation, PrintError, Report, Table, limits};

#[test]
fn a_report_repeats_its_headings_and_counts_its_pages() {
    let printed = PRINTER.report(&report(120)).unwrap();
    let pages = pages(&printed);
    assert!(pages.len() > 2);
    for (at, page) in pages.iter().enumerate() {
        shows(
            page,
            &["客户投诉月报", "序号", "受理日期", &format!("第 {} 页 共 {} 页", at + 1, pages.len())],
        );
        shows(page, &["第2次打印（补打）"]);
    }
    shows(&pages[0], &["2026年9月1日 至 9月30日", "范围：全部门店", "KH-000001"]);
    shows(
        pages.last().unwrap(),
        &["KH-000120", "120 件", "1,234.56", "及时办结率：96.4%（目标 95%）", "批准："],
    );
}

#[test]
fn wide_tables_lie_on_their_side() {
    let mut wide = Report::new("宽表", imprint(1));
    let columns = (0..14).map(|number| Column::new("", format!("第{number}项金额合计"))).collect();
    wide.tables =
        vec![Table { columns, rows: vec![vec!["1,234,567.00".to_owned(); 14]; 3], ..Table::default() }];
    let is_lying = |report: &Report| {
        let printed = PRINTER.report(report).unwrap();
        let document = lopdf::Document::load_mem(&printed.bytes).unwrap();
        let page = document.get_dictionary(document.get_pages()[&1]).unwrap();
        let side =
            |at: usize| page.get(b"MediaBox").and_then(|it| it.as_array()).unwrap()[at].as_float().unwrap();
        side(2) > side(3)
    };
    assert!(is_lying(&wide));
    assert!(!is_lying(&report(1)));
    wide.orientation = Orientation::Portrait;
    assert!(!is_lying(&wide));
}

#[test]
fn an_empty_report_has_a_page() {
    let printed = PRINTER.report(&Report::new("空表", imprint(1))).unwrap();
    shows(&pages(&printed)[0], &["空表", "第 1 页 共 1 页"]);
}

#[test]
fn characters_without_a_font_are_named() {
    let mut report = Report::new("生僻字", imprint(1));
    report.lines = vec!["客户\u{10fffd}\u{e123}".into()];
    let printed = PRINTER.report(&report).unwrap();
    assert!(printed.unknown_characters.contains('\u{10fffd}'), "{}", printed.unknown_characters);
}

#[test]
fn too_long_a_report_is_refused() {
    let limit_of = |report: &Report| match PRINTER.report(report) {
        Err(PrintError::TooLarge { limit, .. }) => limit,
        other => panic!("{other:?}"),
    };
    assert_eq!(limit_of(&report(limits::REPORT_ROWS)), limits::REPORT_ROWS);
    let mut large = report(0);
    large.tables[0].rows = vec![vec!["长".repeat(limits::TEXT_CHARS); 7]; 200];
    assert_eq!(limit_of(&large), limits::REPORT_CHARS);
    large.tables[0].columns = vec![Column::default(); limits::COLUMNS + 1];
    assert_eq!(limit_of(&large), limits::COLUMNS);
}
