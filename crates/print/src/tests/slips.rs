use super::samples::{imprint, odd, release_note, repair_order};
use super::{PRINTER, pages, print, reach_mm, shows};
use crate::{
    Block, Column, Field, Fields, Layout, PictureFormat, PrintError, Signature, Slip, SlipCopy, Table, Value,
    limits,
};

fn fields(fields: Vec<Field>) -> Block {
    Block::Fields(Fields { fields, ..Fields::default() })
}

#[test]
fn three_copies_each_without_what_it_leaves_out() {
    let printed = print(&repair_order(Layout::Pages));
    let pages = pages(&printed);
    assert_eq!(pages.len(), 3);
    for page in &pages {
        shows(
            page,
            &["广州好客物业管理有限公司", "维修单", "编号：WX-2026-000123", "深圳市南山区云海科技有限公司"],
        );
        shows(page, &["¥1,280.50", "大写：壹仟贰佰捌拾元伍角整", "2026年9月28日", "压缩机启动电容"]);
        shows(page, &["扫码核验", "依据：《维修服务管理办法》3.7；4.2", "第 1 页 共 1 页", "第1次打印"]);
        shows(page, &["打印：前台 李敏", "2026-09-28 16:20"]);
        assert!(!page.contains("补打"));
    }
    shows(&pages[0], &["第一联 客户", "交：客户留存", "故障描述", "完工检查"]);
    shows(
        &pages[1],
        &["第二联 存档", "交：工程部主任", "内部成本", "大写：柒佰陆拾元整", "审批记录", "2026-09-28 11:05"],
    );
    shows(&pages[2], &["第三联 财务", "交：前台转财务部", "内部成本", "审批记录"]);
    assert!(
        !pages[0].contains("内部成本") && !pages[0].contains("柒佰陆拾") && !pages[0].contains("审批记录")
    );
    assert!(!pages[2].contains("故障描述") && !pages[2].contains("完工检查"));
    assert!(printed.unknown_characters.is_empty(), "{}", printed.unknown_characters);
}

#[test]
fn three_short_copies_share_a_page() {
    let pages = pages(&print(&release_note(Layout::Strips)));
    assert_eq!(pages.len(), 1);
    shows(&pages[0], &["第一联 客户", "第二联 存档", "第三联 财务"]);
    // The customer's copy is without prices and amounts.
    assert_eq!(pages[0].matches("内部成本").count(), 2);
    assert_eq!(pages[0].matches("合计（大写）").count(), 2);
    assert_eq!(pages[0].matches("第1页共1页").count(), 3);
    assert_eq!(pages[0].matches("上门地址").count(), 2);
}

#[test]
fn a_copy_too_long_for_a_strip_puts_all_on_pages() {
    let mut slip = release_note(Layout::Strips);
    slip.blocks.push(fields(vec![Field::new("more", "补充说明", Value::Blank(12))]));
    slip.copies[0].leaves_out.push("more".into());
    let pages = pages(&print(&slip));
    assert_eq!(pages.len(), 3);
    assert!(!pages[0].contains("补充说明"));
    shows(&pages[1], &["补充说明"]);
}

#[test]
fn a_long_copy_counts_its_own_pages() {
    let mut slip = repair_order(Layout::Pages);
    if let Block::Table(table) = &mut slip.blocks[1] {
        table.rows = vec![table.rows[0].clone(); 60];
    }
    let pages = pages(&print(&slip));
    // The copies are not equally long: the second has everything.
    let at = |copy: &str| pages.iter().position(|page| page.contains(copy)).unwrap();
    let (second, third) = (at("第二联"), at("第三联"));
    assert!(second >= 2 && third - second > 2, "{second} {third}");
    shows(&pages[0], &[&format!("第 1 页 共 {second} 页")]);
    shows(&pages[second], &[&format!("第 1 页 共 {} 页", third - second)]);
    shows(
        &pages[second + 1],
        &[&format!("第 2 页 共 {} 页", third - second), "第二联", "型号规格", "WX-2026-000123"],
    );
}

#[test]
fn a_second_print_says_so() {
    let mut slip = release_note(Layout::Strips);
    slip.imprint = imprint(2);
    let pages = pages(&print(&slip));
    assert_eq!(pages[0].matches("第2次打印（补打）").count(), 3);
    assert_eq!(pages[0].matches("补打").count(), 6);
}

#[test]
fn text_is_never_markup() {
    let odd = [
        "#panic(\"x\")",
        "*a* _b_ `c`",
        "$x^2$",
        "= 标题",
        "[a] <b> @c ~ \\",
        "#eval(sys.inputs)",
        "//x /* y */",
    ];
    let mut slip = Slip::new("#let x = 1", imprint(1));
    slip.company = "*公司* $".into();
    slip.number = "#1/2".into();
    slip.clauses = vec!["#3.7_".into()];
    slip.remarks = vec!["- #a".into()];
    slip.copies = vec![SlipCopy { name: "*一* #联".into(), receiver: "#b".into(), ..SlipCopy::default() }];
    slip.signatures = vec![Signature { name: "#name".into(), ..Signature::new("_签_") }];
    slip.blocks = vec![
        fields(odd.iter().map(|text| Field::new("", *text, Value::Text((*text).into()))).collect()),
        Block::Table(Table {
            title: "= #t".into(),
            columns: vec![Column::new("", "#h")],
            rows: odd.iter().map(|text| vec![(*text).to_owned()]).collect(),
            ..Table::default()
        }),
    ];
    let page = pages(&print(&slip)).concat();
    for text in odd {
        let text: String = text.chars().filter(|c| *c != ' ').collect();
        assert_eq!(page.matches(&text).count(), 3, "{text} in {page}");
    }
    shows(
        &page,
        &["#letx=1", "*公司*$", "#1/2", "#3.7_", "-#a", "*一*#联", "#b", "#name", "_签_", "=#t", "#h"],
    );
}

#[test]
fn a_text_that_cannot_break_stays_in_its_cell() {
    let long = "A1".repeat(100);
    let mut slip = Slip::new("单", imprint(0));
    slip.blocks = vec![Block::Table(Table {
        columns: vec![Column::new("", "甲").wide(20.0), Column::new("", "乙").wide(160.0)],
        rows: vec![vec![long.clone(), "，".repeat(300)]],
        ..Table::default()
    })];
    let printed = print(&slip);
    assert!(pages(&printed)[0].contains(&long));
    assert_eq!(pages(&printed)[0].matches('，').count(), 300);
    assert!(!pages(&printed)[0].contains("次打印"));
    // The form ends 15 mm before the right edge; only the name of the copy stands beyond, 7 mm before it.
    assert!(reach_mm(&slip) <= 195.0, "{}", reach_mm(&slip));
    for slip in [odd(), repair_order(Layout::Pages), release_note(Layout::Strips)] {
        assert!(reach_mm(&slip) <= 205.8, "{}", reach_mm(&slip));
    }
}

#[test]
fn the_same_slip_is_the_same_file() {
    let slip = repair_order(Layout::Pages);
    let first = print(&slip);
    assert_eq!(first, print(&slip));
    let again: Slip = serde_json::from_str(&serde_json::to_string(&slip).unwrap()).unwrap();
    assert_eq!(first, print(&again));
    let mut other = slip;
    other.imprint = imprint(2);
    assert_ne!(first.bytes, print(&other).bytes);
}

#[test]
fn what_is_too_much_is_refused() {
    let refused = |change: &dyn Fn(&mut Slip)| {
        let mut slip = repair_order(Layout::Pages);
        change(&mut slip);
        match PRINTER.slip(&slip) {
            Err(PrintError::TooLarge { found, limit, .. }) => assert!(found > limit),
            other => panic!("{other:?}"),
        }
    };
    refused(&|slip| slip.title = "长".repeat(limits::LABEL_CHARS + 1));
    refused(&|slip| slip.copies = vec![SlipCopy::default(); limits::COPIES + 1]);
    refused(&|slip| slip.remarks = vec![String::new(); limits::LINES + 1]);
    refused(&|slip| slip.blocks = vec![fields(Vec::new()); limits::BLOCKS + 1]);
    refused(&|slip| {
        slip.blocks = vec![fields(vec![Field::new("", "", Value::Blank(1)); limits::FIELDS + 1])]
    });
    refused(&|slip| {
        slip.blocks.push(fields(vec![Field::new("", "", Value::Text("长".repeat(limits::TEXT_CHARS + 1)))]))
    });
    refused(&|slip| {
        slip.blocks.push(fields(vec![Field::new("", "", Value::Long("长".repeat(20_000))); 10]))
    });
    refused(&|slip| {
        if let Block::Table(table) = &mut slip.blocks[1] {
            table.rows = vec![table.rows[0].clone(); limits::SLIP_ROWS + 1];
        }
    });
    refused(&|slip| {
        if let Block::Table(table) = &mut slip.blocks[1] {
            table.columns = vec![Column::default(); limits::COLUMNS];
            table.rows = vec![vec![String::new(); limits::COLUMNS]; 400];
            table.totals.clear();
        }
        slip.copies = vec![SlipCopy::default(); 10];
    });
    refused(&|slip| {
        if let Some(code) = &mut slip.code {
            code.text = "x".repeat(limits::CODE_BYTES + 1);
        }
    });
    refused(&|slip| {
        if let Some(picture) = &mut slip.signatures[1].picture {
            picture.bytes = vec![0; limits::PICTURE_BYTES + 1];
        }
    });
}

#[test]
fn what_contradicts_itself_is_refused() {
    let refused = |change: &dyn Fn(&mut Slip)| {
        let mut slip = repair_order(Layout::Pages);
        change(&mut slip);
        assert!(matches!(PRINTER.slip(&slip), Err(PrintError::Invalid { .. })));
    };
    refused(&|slip| slip.copies[0].leaves_out.push("prcie".into()));
    refused(&|slip| slip.copies[0].leaves_out.push(String::new()));
    refused(&|slip| slip.blocks.push(Block::Table(Table::default())));
    refused(&|slip| {
        if let Block::Table(table) = &mut slip.blocks[1] {
            table.rows[0].pop();
        }
    });
    refused(&|slip| {
        if let Block::Table(table) = &mut slip.blocks[1] {
            table.columns[0].width_mm = Some(f32::NAN);
        }
    });
    refused(&|slip| {
        if let Some(picture) = &mut slip.signatures[1].picture {
            picture.format = PictureFormat::Png;
        }
    });
}
