//! Forms and a report such as companies print. The example `pages` prints them too.

use jiff::civil::date;

use crate::{
    Align, Approval, Block, CheckItem, CheckState, Checklist, Code, Column, Field, Fields, GrandTotal,
    Imprint, Layout, Picture, PictureFormat, Report, Signature, Slip, SlipCopy, SummaryLine, Table, Trail,
    Value,
};

pub fn imprint(count: u32) -> Imprint {
    Imprint {
        by: "前台 李敏".into(),
        at: "2026-09-28T16:20:31+08:00[+08:00]".parse().expect("a time"),
        count,
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn scribble() -> Picture {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 120 40\" width=\"120\" height=\"40\">\
               <path d=\"M6 28C18 4 26 6 22 24S34 34 44 14s8 18 18 6 10 12 22 0 12 14 30-8\" fill=\"none\" \
               stroke=\"#123\" stroke-width=\"2.2\" stroke-linecap=\"round\"/></svg>";
    Picture { format: PictureFormat::Svg, bytes: svg.into() }
}

/// A repair order in three copies; the customer's is without what it costs the company.
pub fn repair_order(layout: Layout) -> Slip {
    let item = |name: &str, state, note: &str| CheckItem {
        label: name.into(),
        state,
        note: note.into(),
        ..CheckItem::default()
    };
    let copy = |name: &str, receiver: &str, leaves_out: &[&str]| SlipCopy {
        name: name.into(),
        receiver: receiver.into(),
        leaves_out: leaves_out.iter().map(|name| (*name).to_owned()).collect(),
    };
    Slip {
        company: "广州好客物业管理有限公司".into(),
        number: "WX-2026-000123".into(),
        clauses: vec!["《维修服务管理办法》3.7".into(), "4.2".into()],
        blocks: vec![
            Block::Fields(Fields {
                fields: vec![
                    Field::new("customer", "客户名称", text("深圳市南山区云海科技有限公司")),
                    Field::new("contact", "联系人", text("王小明 138 0013 8000")),
                    Field::new("received_on", "报修日期", Value::Date(date(2026, 9, 28))),
                    Field::new("source", "报修来源", text("电话")),
                    Field::new(
                        "address",
                        "上门地址",
                        text("深圳市南山区科技园北区朗山路 16 号 2 栋 1203 室"),
                    )
                    .full(),
                    Field::new(
                        "fault",
                        "故障描述",
                        Value::Long("空调不制冷，外机有异响。\n客户要求下午三点前到场。".into()),
                    ),
                    Field::new("fee", "服务费", Value::Cents(128_050)),
                    Field::new("cost", "内部成本", Value::Cents(76_000)),
                ],
                ..Fields::default()
            }),
            Block::Table(Table {
                id: "parts".into(),
                title: "配件与工时".into(),
                columns: vec![
                    Column::new("name", "名称"),
                    Column::new("model", "型号规格"),
                    Column::new("quantity", "数量").aligned(Align::Right),
                    Column::new("price", "单价").aligned(Align::Right),
                    Column::new("amount", "金额").aligned(Align::Right),
                ],
                rows: vec![
                    ["压缩机启动电容", "CBB65 50μF", "1", "180.50", "180.50"].map(String::from).to_vec(),
                    ["R32 制冷剂", "R32", "2", "150.00", "300.00"].map(String::from).to_vec(),
                    ["人工（高级技师）", "", "4", "200.00", "800.00"].map(String::from).to_vec(),
                ],
                totals: vec![["小计", "", "7", "", "1,280.50"].map(String::from).to_vec()],
                grand_total: Some(GrandTotal { id: "total".into(), label: "合计".into(), cents: 128_050 }),
                is_numbered: true,
            }),
            Block::Checklist(Checklist {
                id: "checks".into(),
                title: "完工检查".into(),
                items: vec![
                    item("运行声音正常", CheckState::Yes, ""),
                    item("出风温度 ≤ 12 ℃", CheckState::Yes, "实测 9.8 ℃"),
                    item("排水通畅", CheckState::No, "客户自行处理"),
                    item("现场已清理", CheckState::Open, ""),
                ],
            }),
            Block::Trail(Trail {
                id: "trail".into(),
                title: "审批记录".into(),
                rows: vec![
                    Approval {
                        step: "部门经理审批".into(),
                        who: "陈国强".into(),
                        verdict: "同意".into(),
                        comment: "按标准收费，配件走质保外流程。".into(),
                        at: Some(date(2026, 9, 28).at(11, 5, 0, 0)),
                    },
                    Approval { step: "财务确认".into(), who: "赵丽".into(), ..Approval::default() },
                ],
            }),
        ],
        signatures: vec![
            Signature {
                name: "周师傅".into(),
                signed_on: Some(date(2026, 9, 28)),
                ..Signature::new("维修人")
            },
            Signature { picture: Some(scribble()), ..Signature::new("客户签名") },
            Signature::new("工程部主任"),
        ],
        remarks: vec!["本单一式三联，涂改无效。保修期自完工之日起 90 天。".into()],
        code: Some(Code::new("https://kehu.example.cn/verify/WX-2026-000123?c=8f3a61")),
        copies: vec![
            copy("第一联 客户", "客户留存", &["cost", "trail"]),
            copy("第二联 存档", "工程部主任", &[]),
            copy("第三联 财务", "前台转财务部", &["fault", "checks"]),
        ],
        layout,
        ..Slip::new("维修单", imprint(1))
    }
}

/// A short form for a third of a page.
pub fn release_note(layout: Layout) -> Slip {
    let full = repair_order(layout);
    let mut blocks = full.blocks;
    blocks.truncate(2);
    if let Block::Fields(block) = &mut blocks[0] {
        block.fields.retain(|field| field.id != "fault");
    }
    let mut copies = full.copies;
    copies[0].leaves_out = vec!["cost".into(), "price".into(), "amount".into(), "total".into(), "fee".into()];
    copies[2].leaves_out = vec!["address".into()];
    Slip { title: "放行条".into(), blocks, copies, ..full }
}

pub fn report(rows: usize) -> Report {
    let row = |number: usize| {
        vec![
            format!("KH-{number:06}"),
            ["深圳市云海科技有限公司", "广州好客物业管理有限公司东山分公司", "个体户王记"][number % 3]
                .to_owned(),
            ["电话", "微信", "上门"][number % 3].to_owned(),
            format!("2026-09-{:02}", number % 30 + 1),
            ["服务态度", "维修质量未达约定，客户要求重新上门并减免费用", "收费"][number % 3].to_owned(),
            format!("{}.{:02}", number % 97, number % 100),
            ["已办结", "处理中"][number % 2].to_owned(),
        ]
    };
    Report {
        company: "广州好客物业管理有限公司".into(),
        period: "2026年9月1日 至 9月30日".into(),
        lines: vec!["范围：全部门店；口径：以受理时间计入当月。".into(), "复核：客服部 林芳".into()],
        tables: vec![Table {
            title: "投诉明细".into(),
            columns: vec![
                Column::new("", "编号"),
                Column::new("", "客户"),
                Column::new("", "来源").aligned(Align::Center),
                Column::new("", "受理日期").aligned(Align::Center),
                Column::new("", "事由"),
                Column::new("", "时长（小时）").aligned(Align::Right),
                Column::new("", "状态").aligned(Align::Center),
            ],
            rows: (1..=rows).map(row).collect(),
            totals: vec![vec![
                "合计".into(),
                format!("{rows} 件"),
                String::new(),
                String::new(),
                String::new(),
                "1,234.56".into(),
                String::new(),
            ]],
            is_numbered: true,
            ..Table::default()
        }],
        summary: vec![
            SummaryLine { label: "及时办结率".into(), text: "96.4%（目标 95%）".into() },
            SummaryLine { label: "说明".into(), text: "未办结的件均已约定上门时间。".into() },
        ],
        signatures: vec![Signature::new("制表"), Signature::new("审核"), Signature::new("批准")],
        ..Report::new("客户投诉月报", imprint(2))
    }
}

/// What people should not write, and do.
pub fn odd() -> Slip {
    let long = "LSVAU2180N2183294".repeat(6);
    let table = Table {
        title: "长内容".into(),
        columns: vec![
            Column::new("", "窄").wide(18.0),
            Column::new("", "网址"),
            Column::new("", "说明"),
            Column::new("", "金额").aligned(Align::Right),
        ],
        rows: vec![
            vec![
                long.clone(),
                format!("https://example.cn/a?{long}"),
                "，".repeat(80),
                "9,999,999,999,999.99".into(),
            ],
            vec![
                "#panic(\"x\")".into(),
                "*粗* _斜_ $x^2$ `c`".into(),
                "长说明文字".repeat(30),
                "0.01".into(),
            ],
        ],
        grand_total: Some(GrandTotal { id: String::new(), label: "合计".into(), cents: i64::MAX }),
        ..Table::default()
    };
    let fields = Fields {
        title: "#标题 = 1".into(),
        fields: vec![
            Field::new("", "很长很长的字段名称要换行显示才对", text("短")),
            Field::new("", "B", text(&long)),
            Field::new("", "最大金额", Value::Cents(i64::MIN)),
            Field::new("", "单独一个", text("值")),
            Field::new("", "手写说明", Value::Blank(3)),
        ],
        ..Fields::default()
    };
    Slip {
        company: "一个名字特别特别长的有限责任公司广东省广州市天河区第一分公司".into(),
        number: long.chars().take(40).collect(),
        clauses: vec!["《客户服务管理制度》第三章第十二条第（四）款".into(); 4],
        blocks: vec![Block::Fields(fields), Block::Table(table)],
        signatures: vec![Signature::new("申请人"); 5],
        copies: vec![SlipCopy {
            name: "第一联 名字很长的存根联（白色）".into(),
            receiver: "前台".into(),
            ..SlipCopy::default()
        }],
        ..Slip::new("客户资料对外提供审批登记表（试行）", imprint(3))
    }
}
