//! The empty table people fill in: made from the fields and dictionaries the company has at this moment, in the
//! language of whoever asks for it.

use std::collections::HashMap;
use std::io::Cursor;

use sha2::{Digest, Sha256};
use sheets::Header;
use sheets::write::{Kind as CellKind, Template, TemplateColumn, TemplateWords, template};

use super::mapping::{self, ContactPart, Target};
use crate::catalogue::{Catalogue, CustomField, CustomKind};
use crate::customers::{Applies, CONTACT, FieldKind, SPECS, Spec};
use crate::error::AppError;
use crate::i18n::{Lang, Text};

/// Begins the stamp of every template of customers.
const STAMP: &str = "kehu-customers/";
/// Version of the columns; goes up when their meaning changes.
const VERSION: u32 = 2;
/// Columns named when a file was made from another template.
const NAMED: usize = 20;

/// Writes it.
pub fn file(catalogue: &Catalogue, l: Lang) -> Result<Vec<u8>, AppError> {
    let described = Template {
        sheet: l.t("客户").to_owned(),
        stamp: stamp(catalogue),
        notes: vec![
            l.t("一行填一个客户，不要改动第一行的列名；列的顺序可以调整，不需要的列可以删除。").to_owned(),
            l.t("标色的列必填；只适用于企业客户或个人客户的列，只有这类客户才必填，另一类客户不填。")
                .to_owned(),
            l.t("客户编号留空由系统编号；客户性质留空时系统按名称判断。").to_owned(),
        ],
        columns: columns(catalogue, l).into_iter().map(|(_, column)| column).collect(),
        words: words(l),
    };
    let mut bytes = Cursor::new(Vec::new());
    template(&described, &mut bytes).map_err(|e| AppError::Internal(format!("template: {e}")))?;
    Ok(bytes.into_inner())
}

/// The words around the columns of a template.
pub fn words(l: Lang) -> TemplateWords {
    let word = |zh: &str| l.t(zh).to_owned();
    TemplateWords {
        help_sheet: word("填写说明"),
        choices_sheet: word("选项"),
        required: word("必填"),
        optional: word("选填"),
        example: word("示例："),
        headings: ["列名", "必填", "类型", "说明", "可选值", "示例"].map(word),
        yes: word("是"),
        no: word("否"),
        kinds: ["文字", "数字", "日期"].map(word),
        comma: word("、"),
        not_a_choice: word("请从列表中选择"),
        choose: word("请选择下拉列表中的值"),
    }
}

/// What changed since the template was made that a file was written in; `None` for today's template, and for a file
/// that was made otherwise. People may take columns out, so those that are new and those taken out look alike.
pub fn change(header: &Header, catalogue: &Catalogue) -> Option<Text> {
    let made = header.stamp.as_deref().filter(|stamp| stamp.starts_with(STAMP))?;
    if made == stamp(catalogue) {
        return None;
    }
    let there = mapping::guess(header, &HashMap::new(), catalogue);
    let is_left_out = |at: usize| there.get(at) == Some(&Target::Ignore);
    let gone: Vec<&str> = header
        .columns
        .iter()
        .enumerate()
        .filter(|(at, heading)| !heading.is_empty() && is_left_out(*at))
        .map(|(_, heading)| heading.as_str())
        .collect();
    let words = |l: Lang| {
        let new = columns(catalogue, l).into_iter().filter(|(target, _)| !there.contains(target));
        let new: Vec<String> = new.map(|(_, column)| column.title).collect();
        let mut said = vec![l.t("这个文件用的是旧版模板，仍然可以导入。").to_owned()];
        if !new.is_empty() {
            said.push(l.f("现在的模板还有这些列：{}。", &[&listed(&new, l)]));
        }
        if !gone.is_empty() {
            said.push(l.f("现在的模板已没有这些列：{}。", &[&listed(&gone, l)]));
        }
        said.join(if l == Lang::En { " " } else { "" })
    };
    Some(Text::Both(words(Lang::Zh), words(Lang::En)))
}

fn listed(titles: &[impl AsRef<str>], l: Lang) -> String {
    let named: Vec<&str> = titles.iter().take(NAMED).map(AsRef::as_ref).collect();
    let more = if titles.len() > NAMED { "…" } else { "" };
    named.join(l.t("、")) + more
}

/// Tells today's template from earlier ones, whatever language it is in.
fn stamp(catalogue: &Catalogue) -> String {
    let mut hash = Sha256::new();
    for (target, _) in columns(catalogue, Lang::Zh) {
        hash.update(target.code());
        hash.update("\n");
    }
    let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{STAMP}{VERSION}/{digest}")
}

fn plain(title: &str, help: &str, example: &str) -> TemplateColumn {
    TemplateColumn {
        title: title.to_owned(),
        help: help.to_owned(),
        example: example.to_owned(),
        ..TemplateColumn::default()
    }
}

/// The columns with what they are read as.
fn columns(catalogue: &Catalogue, l: Lang) -> Vec<(Target, TemplateColumn)> {
    let own = |target: Target, help: &str, example: &str| {
        let column = plain(&target.title(catalogue, l), l.t(help), l.t(example));
        (target, column)
    };
    let mut all = vec![own(Target::Number, "留空由系统编号；填写已有编号可用于更新客户", "")];
    let mut kind = own(Target::Kind, "个人或企业，留空时按名称判断", "企业");
    kind.1.choices = vec![l.t("企业").to_owned(), l.t("个人").to_owned()];
    all.push(kind);
    all.extend(SPECS.iter().map(|spec| (Target::Field(spec.field), built_in(spec, catalogue, l))));
    let mut contact = own(Target::Contact(ContactPart::Name), "企业的主要联系人姓名", "李经理");
    contact.1.is_required = is_required(CONTACT, catalogue);
    all.push(contact);
    all.push(own(Target::Contact(ContactPart::Phone), "手机或固定电话", "13800138000"));
    all.push(own(Target::Contact(ContactPart::Title), "", "采购经理"));
    all.push(own(Target::Owner, "员工姓名或登录用户名，留空为导入人；只有管理员可以填别人", ""));
    all.push(own(Target::Tags, "多个标签用逗号分开", "展会,重点"));
    let active = catalogue.custom_fields.iter().filter(|f| f.is_active);
    all.extend(active.map(|field| (Target::Custom(field.key.clone()), custom(field, l))));
    all
}

/// Whether the company's settings ask for it, if only of persons or of organisations.
fn is_required(key: &str, catalogue: &Catalogue) -> bool {
    catalogue.requirements.to_save.iter().any(|wanted| wanted == key)
}

fn built_in(spec: &Spec, catalogue: &Catalogue, l: Lang) -> TemplateColumn {
    let scope = match spec.applies {
        Applies::Both => "",
        Applies::Person => "仅个人客户填写。",
        Applies::Organisation => "仅企业客户填写。",
    };
    let (help, example) = describe(spec.kind);
    let example = if spec.key == "name" { "广州天江科技有限公司" } else { example };
    let mut column = plain(l.t(spec.zh), &format!("{}{}", l.t(scope), l.t(help)), example);
    column.is_required = spec.key == "name" || is_required(spec.key, catalogue);
    match spec.kind {
        FieldKind::Dictionary(name) => {
            column.choices = catalogue.dictionary(name).active().map(|e| e.title(l).to_owned()).collect();
            column.example = column.choices.first().cloned().unwrap_or_default();
        }
        FieldKind::Gender => {
            column.choices = vec![l.t("男").to_owned(), l.t("女").to_owned()];
            column.example = l.t("女").to_owned();
        }
        FieldKind::Date => column.kind = CellKind::Date,
        _ => {}
    }
    column
}

fn custom(field: &CustomField, l: Lang) -> TemplateColumn {
    let mut column = plain(&field.title, &field.help, "");
    column.is_required = field.is_required;
    match field.applies_to.as_str() {
        "person" => column.help = format!("{}{}", l.t("仅个人客户填写。"), field.help),
        "organisation" => column.help = format!("{}{}", l.t("仅企业客户填写。"), field.help),
        _ => {}
    }
    match field.kind {
        CustomKind::Choice => column.choices.clone_from(&field.choices),
        CustomKind::YesNo => column.choices = vec![l.t("是").to_owned(), l.t("否").to_owned()],
        CustomKind::Number => column.kind = CellKind::Number,
        CustomKind::Date => column.kind = CellKind::Date,
        CustomKind::Choices => {
            column.help = l.f("可填多个，用顿号分开：{}", &[&field.choices.join("、")]);
        }
        CustomKind::Text | CustomKind::LongText => {}
    }
    column
}

/// Help and example for a kind of field (source texts).
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
        FieldKind::Gender => ("男或女", ""),
        FieldKind::Text | FieldKind::LongText => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::Field;

    fn header(columns: &[(Target, TemplateColumn)], stamp: String) -> Header {
        Header {
            format: sheets::Format::Xlsx,
            columns: columns.iter().map(|(_, column)| column.title.clone()).collect(),
            keys: Vec::new(),
            row: 1,
            asked_row: None,
            encoding: None,
            delimiter: None,
            sheet: None,
            sheets: Vec::new(),
            stamp: Some(stamp),
            is_error_file: false,
        }
    }

    fn required(catalogue: &Catalogue) -> Vec<Target> {
        let all = columns(catalogue, Lang::Zh).into_iter();
        all.filter(|(_, column)| column.is_required).map(|(target, _)| target).collect()
    }

    #[test]
    fn every_column_is_read_as_what_it_was_written_for_in_both_languages() {
        let catalogue = Catalogue::default();
        for l in [Lang::Zh, Lang::En] {
            let columns = columns(&catalogue, l);
            let guessed = mapping::guess(&header(&columns, stamp(&catalogue)), &HashMap::new(), &catalogue);
            let meant: Vec<Target> = columns.iter().map(|(target, _)| target.clone()).collect();
            assert_eq!(guessed, meant, "{l:?}");
        }
    }

    #[test]
    fn what_an_english_template_says_and_offers_is_english() {
        let is_chinese = |text: &str| text.chars().any(|c| c > '\u{2e7f}');
        for (_, column) in columns(&Catalogue::default(), Lang::En) {
            // Examples are values; an example of a region is one.
            let help = column.help.replace("广东省广州市天河区", "");
            for words in [&column.title, &help].into_iter().chain(&column.choices) {
                assert!(!is_chinese(words), "{words}");
            }
        }
        let words = words(Lang::En);
        for word in words.headings.iter().chain(&words.kinds).chain([
            &words.help_sheet,
            &words.choices_sheet,
            &words.required,
            &words.optional,
            &words.example,
            &words.yes,
            &words.no,
            &words.comma,
            &words.not_a_choice,
            &words.choose,
        ]) {
            assert!(!is_chinese(word), "{word}");
        }
        assert!(words.not_a_choice.chars().count() <= 32, "Excel's limit");
    }

    #[test]
    fn what_the_company_requires_is_tinted_also_where_only_one_kind_has_it() {
        let mut catalogue = Catalogue::default();
        assert_eq!(required(&catalogue), [Target::Field(Field::Name)]);
        catalogue.requirements.to_save = ["credit_code", "id_number", CONTACT].map(str::to_owned).to_vec();
        let expected = [
            Target::Field(Field::Name),
            Target::Field(Field::CreditCode),
            Target::Field(Field::IdNumber),
            Target::Contact(ContactPart::Name),
        ];
        assert_eq!(required(&catalogue), expected);
    }

    #[test]
    fn a_file_of_an_older_template_is_told_with_what_is_new_and_what_is_gone() {
        let catalogue = Catalogue::default();
        let mut all = columns(&catalogue, Lang::Zh);
        let now = header(&all, stamp(&catalogue));
        assert_eq!(change(&now, &catalogue), None);
        all.retain(|(target, _)| *target != Target::Tags);
        all.push((Target::Ignore, plain("旧的自定义列", "", "")));
        let old = header(&all, "kehu-customers/1".to_owned());
        let told = change(&old, &catalogue).unwrap();
        assert_eq!(
            told.to(Lang::Zh),
            "这个文件用的是旧版模板，仍然可以导入。现在的模板还有这些列：标签。现在的模板已没有这些列：旧的自定义列。"
        );
        assert!(told.to(Lang::En).contains("Tags") && told.to(Lang::En).contains("旧的自定义列"));
        assert_eq!(change(&Header { stamp: Some("kehu-units/1".into()), ..old.clone() }, &catalogue), None);
        assert_eq!(change(&Header { stamp: None, ..old }, &catalogue), None);
    }
}
