//! Whether a row is about a person or an organisation, when its file does not say.

use crate::customers::{Draft, Field, Kind, SPECS};

/// Words by which a name is that of an organisation.
const ORGANISATION_ENDS: [&str; 42] = [
    "公司",
    "厂",
    "局",
    "中心",
    "店",
    "院",
    "所",
    "集团",
    "银行",
    "大学",
    "学校",
    "中学",
    "小学",
    "幼儿园",
    "协会",
    "商会",
    "合作社",
    "委员会",
    "政府",
    "工作室",
    "事务所",
    "医院",
    "酒店",
    "宾馆",
    "饭店",
    "餐厅",
    "超市",
    "商行",
    "商场",
    "经营部",
    "服务部",
    "门市部",
    "分部",
    "总部",
    "支行",
    "分行",
    "基金会",
    "研究院",
    "股份",
    "有限",
    "企业",
    "物流",
];

/// Guesses from what a row says whether it is about a person or an organisation: fields only one of them has, then
/// words in the name, then a known surname before one to three characters.
pub fn guess_kind(draft: &Draft, has_contact: bool) -> Kind {
    let given = |f: Field| draft.fields.get(&f).is_some_and(|v| !v.is_empty());
    if given(Field::CreditCode) {
        return Kind::Organisation;
    }
    if given(Field::IdNumber) {
        return Kind::Person;
    }
    let name = draft.fields.get(&Field::Name).map(|n| n.trim()).unwrap_or_default();
    let has_only = |kind: Kind| {
        SPECS.iter().any(|s| {
            s.applies_to(kind)
                && !s.applies_to(if kind == Kind::Person { Kind::Organisation } else { Kind::Person })
                && given(s.field)
        })
    };
    match (has_only(Kind::Person), has_only(Kind::Organisation)) {
        (true, false) => return Kind::Person,
        (false, true) => return Kind::Organisation,
        _ => {}
    }
    let bare = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    if ORGANISATION_ENDS.iter().any(|end| bare.ends_with(end))
        || name.contains("公司")
        || name.contains("集团")
    {
        return Kind::Organisation;
    }
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    const ENGLISH: [&str; 16] = [
        "inc",
        "ltd",
        "llc",
        "limited",
        "corp",
        "corporation",
        "co",
        "company",
        "gmbh",
        "group",
        "bank",
        "university",
        "hotel",
        "plc",
        "factory",
        "centre",
    ];
    if words.iter().any(|w| ENGLISH.contains(w)) {
        return Kind::Organisation;
    }
    let is_han = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c) || c > '\u{1ffff}';
    let han = name.chars().filter(|c| is_han(*c)).count();
    let length = name.chars().count();
    if han == length && (2..=4).contains(&length) && hanzi::readings::surname_len(name) > 0 {
        return Kind::Person;
    }
    if name.contains('·') && !name.chars().any(|c| c.is_ascii_digit()) {
        return Kind::Person;
    }
    if has_contact || han > 4 || name.chars().any(|c| c.is_ascii_digit()) {
        return Kind::Organisation;
    }
    Kind::Person
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Draft {
        let mut draft = Draft::default();
        draft.fields.insert(Field::Name, name.to_owned());
        draft
    }

    #[test]
    fn the_kind_is_guessed_from_name_and_fields() {
        for name in [
            "广州天江科技有限公司",
            "红星机械厂",
            "市教育局",
            "中国银行天河支行",
            "清华大学",
            "老王饭店",
            "Acme Ltd.",
            "ABC Co., Ltd",
        ] {
            assert_eq!(guess_kind(&named(name), false), Kind::Organisation, "{name}");
        }
        for name in ["张三", "欧阳修", "司马相如", "王小明", "买买提·艾力", "John Smith"] {
            assert_eq!(guess_kind(&named(name), false), Kind::Person, "{name}");
        }
        let mut draft = named("张三");
        draft.fields.insert(Field::CreditCode, "91110000600037341L".into());
        assert_eq!(guess_kind(&draft, false), Kind::Organisation);
        let mut draft = named("天江公司");
        draft.fields.insert(Field::IdNumber, "11010519491231002X".into());
        assert_eq!(guess_kind(&draft, false), Kind::Person);
    }
}
