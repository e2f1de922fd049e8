//! The empty table people fill in: made from the fields and dictionaries the company has at this moment.

use std::io::Cursor;

use sheets::write::{Kind as CellKind, Template, TemplateColumn, template};

use crate::catalogue::{Catalogue, CustomKind};
use crate::customers::{Applies, FieldKind, SPECS};
use crate::error::AppError;

/// Version of the columns; goes up when titles or their meaning change.
const VERSION: u32 = 1;

/// Writes it.
pub fn file(catalogue: &Catalogue) -> Result<Vec<u8>, AppError> {
    let columns = columns(catalogue);
    let described = Template {
        sheet: "客户".to_owned(),
        stamp: format!("kehu-customers/{VERSION}"),
        notes: vec![
            "一行填一个客户，不要改动第一行的列名；列的顺序可以调整，不需要的列可以删除。".to_owned(),
            "标色的列必填。企业客户不填个人专用的列，个人客户不填企业专用的列。".to_owned(),
            "客户编号留空由系统编号；客户性质留空时系统按名称判断。".to_owned(),
        ],
        columns,
    };
    let mut bytes = Cursor::new(Vec::new());
    template(&described, &mut bytes).map_err(|e| AppError::Internal(format!("template: {e}")))?;
    Ok(bytes.into_inner())
}

fn plain(title: &str, help: &str, example: &str) -> TemplateColumn {
    TemplateColumn {
        title: title.to_owned(),
        help: help.to_owned(),
        example: example.to_owned(),
        ..TemplateColumn::default()
    }
}

fn columns(catalogue: &Catalogue) -> Vec<TemplateColumn> {
    let mut all = vec![plain("客户编号", "留空由系统编号；填写已有编号可用于更新客户", "")];
    let mut kind = plain("客户性质", "个人或企业，留空时按名称判断", "企业");
    kind.choices = vec!["企业".to_owned(), "个人".to_owned()];
    all.push(kind);
    for spec in &SPECS {
        let scope = match spec.applies {
            Applies::Both => "",
            Applies::Person => "仅个人客户填写。",
            Applies::Organisation => "仅企业客户填写。",
        };
        let (help, example) = describe(spec.kind);
        let mut column = plain(
            spec.zh,
            &format!("{scope}{help}"),
            if spec.key == "name" { "广州天江科技有限公司" } else { example },
        );
        column.is_required = spec.key == "name"
            || (spec.applies == Applies::Both
                && catalogue.requirements.to_save.iter().any(|k| k == spec.key));
        match spec.kind {
            FieldKind::Dictionary(name) => {
                column.choices = catalogue.dictionary(name).active().map(|e| e.zh.clone()).collect();
                column.example = column.choices.first().cloned().unwrap_or_default();
            }
            FieldKind::Gender => column.choices = vec!["男".to_owned(), "女".to_owned()],
            FieldKind::Date => column.kind = CellKind::Date,
            _ => {}
        }
        all.push(column);
    }
    all.push(plain("联系人", "企业的主要联系人姓名", "李经理"));
    all.push(plain("联系人电话", "手机或固定电话", "13800138000"));
    all.push(plain("联系人职务", "", "采购经理"));
    all.push(plain("负责人", "员工姓名或登录用户名，留空为导入人；只有管理员可以填别人", ""));
    all.push(plain("标签", "多个标签用逗号分开", "展会,重点"));
    for field in catalogue.custom_fields.iter().filter(|f| f.is_active) {
        let mut column = plain(&field.title, &field.help, "");
        column.is_required = field.is_required && field.applies_to.is_empty();
        match field.kind {
            CustomKind::Choice => column.choices.clone_from(&field.choices),
            CustomKind::YesNo => column.choices = vec!["是".to_owned(), "否".to_owned()],
            CustomKind::Number => column.kind = CellKind::Number,
            CustomKind::Date => column.kind = CellKind::Date,
            CustomKind::Choices => {
                column.help = format!("可填多个，用顿号分开：{}", field.choices.join("、"))
            }
            CustomKind::Text | CustomKind::LongText => {}
        }
        all.push(column);
    }
    all
}

fn describe(kind: FieldKind) -> (&'static str, &'static str) {
    match kind {
        FieldKind::Phone => ("手机号 11 位，或带区号的固定电话", "020-38880000"),
        FieldKind::Email => ("", "name@example.com"),
        FieldKind::Url => ("", "https://www.example.com"),
        FieldKind::Date => ("年-月-日", "2026-09-28"),
        FieldKind::Dictionary(_) => ("从下拉列表中选择", ""),
        FieldKind::Region => ("省市区，例如 广东省广州市天河区", "广东省广州市天河区"),
        FieldKind::CreditCode => ("18 位，系统会核对校验码", ""),
        FieldKind::IdNumber => ("18 位，系统会核对校验码", ""),
        FieldKind::Postcode => ("6 位数字", "510000"),
        FieldKind::Gender => ("男或女", "女"),
        FieldKind::Text | FieldKind::LongText => ("", ""),
    }
}
