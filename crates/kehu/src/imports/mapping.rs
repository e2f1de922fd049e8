//! What a column of a file means: guessed from its heading in Chinese or English, remembered for the next file.

use std::collections::HashMap;

use store::{Conn, Tx};

use crate::catalogue::Catalogue;
use crate::clock::Millis;
use crate::customers::{Field, Kind, SPECS};
use crate::error::AppError;
use crate::i18n::{Lang, Text, Word, word};
use crate::ids::PersonId;
use crate::text;

/// What becomes of the cells of a column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// They are left out.
    Ignore,
    /// They are added to the remark, with the heading.
    Note,
    /// Person or organisation.
    Kind,
    /// The customer's number.
    Number,
    /// Name or sign-in name of the owner.
    Owner,
    /// Tags, separated by commas.
    Tags,
    /// A built-in field.
    Field(Field),
    /// A field of the company, by its key.
    Custom(String),
    /// A value of the contact person.
    Contact(ContactPart),
}

/// A value of the contact person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContactPart {
    /// His name.
    Name,
    /// His phone.
    Phone,
    /// His job title.
    Title,
    /// His department.
    Department,
    /// His mail address.
    Email,
}

impl ContactPart {
    const ALL: [Self; 5] = [Self::Name, Self::Phone, Self::Title, Self::Department, Self::Email];

    fn code(self) -> &'static str {
        match self {
            Self::Name => "contact.name",
            Self::Phone => "contact.phone",
            Self::Title => "contact.title",
            Self::Department => "contact.department",
            Self::Email => "contact.email",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Name => "联系人",
            Self::Phone => "联系人电话",
            Self::Title => "联系人职务",
            Self::Department => "联系人部门",
            Self::Email => "联系人邮箱",
        }
    }
}

/// (target, title, other headings people give it)
const OWN: [(Target, &str, &[&str]); 9] = [
    (
        Target::Number,
        "客户编号",
        &["编号", "客户号", "户头号", "客户代码", "customer number", "number", "code"],
    ),
    (Target::Kind, "客户性质", &["个人/企业", "个人或企业", "客户种类", "主体类型", "kind", "customer type"]),
    (
        Target::Contact(ContactPart::Name),
        "联系人",
        &["联系人姓名", "主要联系人", "联络人", "contact", "contact name", "contact person"],
    ),
    (
        Target::Contact(ContactPart::Phone),
        "联系人电话",
        &["联系人手机", "联络人电话", "联系人手机号", "contact phone", "contact mobile"],
    ),
    (
        Target::Contact(ContactPart::Title),
        "联系人职务",
        &["职务", "职位", "联系人职位", "contact title", "job title", "position"],
    ),
    (Target::Contact(ContactPart::Department), "联系人部门", &["联系部门", "contact department"]),
    (Target::Contact(ContactPart::Email), "联系人邮箱", &["contact email"]),
    (
        Target::Owner,
        "负责人",
        &[
            "客户负责人",
            "业务员",
            "销售员",
            "客户经理",
            "所属销售",
            "跟进人",
            "owner",
            "sales",
            "salesperson",
            "account manager",
        ],
    ),
    (Target::Tags, "标签", &["客户标签", "tags", "labels"]),
];

impl Target {
    /// The name stored and sent.
    pub fn code(&self) -> String {
        match self {
            Self::Ignore => String::new(),
            Self::Note => "note".into(),
            Self::Kind => "kind".into(),
            Self::Number => "number".into(),
            Self::Owner => "owner".into(),
            Self::Tags => "tags".into(),
            Self::Field(field) => field.key().into(),
            Self::Custom(key) => format!("custom.{key}"),
            Self::Contact(part) => part.code().into(),
        }
    }

    /// The target of this name, if the company still has it.
    pub fn named(code: &str, catalogue: &Catalogue) -> Option<Self> {
        Some(match code {
            "" => Self::Ignore,
            "note" => Self::Note,
            "kind" => Self::Kind,
            "number" => Self::Number,
            "owner" => Self::Owner,
            "tags" => Self::Tags,
            _ => {
                if let Some(key) = code.strip_prefix("custom.") {
                    let field = catalogue.custom_fields.iter().find(|f| f.key == key && f.is_active)?;
                    Self::Custom(field.key.clone())
                } else if let Some(part) = ContactPart::ALL.into_iter().find(|p| p.code() == code) {
                    Self::Contact(part)
                } else {
                    Self::Field(Field::named(code)?)
                }
            }
        })
    }

    /// The name people read.
    pub fn title(&self, catalogue: &Catalogue, l: Lang) -> String {
        match self {
            Self::Ignore => l.t("不导入").to_owned(),
            Self::Note => l.t("并入备注").to_owned(),
            Self::Kind => l.t("客户性质").to_owned(),
            Self::Number => l.t("客户编号").to_owned(),
            Self::Owner => l.t("负责人").to_owned(),
            Self::Tags => l.t("标签").to_owned(),
            Self::Field(field) => l.t(field.spec().zh).to_owned(),
            Self::Custom(key) => catalogue
                .custom_fields
                .iter()
                .find(|f| f.key == *key)
                .map_or_else(|| key.clone(), |f| f.title.clone()),
            Self::Contact(part) => l.t(part.title()).to_owned(),
        }
    }

    /// The name inside a message.
    fn word(&self, catalogue: &Catalogue) -> Word {
        word(Text::Both(self.title(catalogue, Lang::Zh), self.title(catalogue, Lang::En)))
    }

    /// Whether several columns may have it.
    fn may_repeat(&self) -> bool {
        matches!(self, Self::Ignore | Self::Note)
    }
}

/// Everything a column can be, in the order of the choice.
pub fn offered(catalogue: &Catalogue) -> Vec<Target> {
    let mut all = vec![Target::Ignore, Target::Note, Target::Number, Target::Kind];
    all.extend(SPECS.iter().map(|s| Target::Field(s.field)));
    all.extend(ContactPart::ALL.into_iter().map(Target::Contact));
    all.extend([Target::Owner, Target::Tags]);
    all.extend(catalogue.custom_fields.iter().filter(|f| f.is_active).map(|f| Target::Custom(f.key.clone())));
    all
}

/// A heading as headings are compared: without spaces, marks for "required", remarks in brackets; lower case, half
/// width, simplified (客戶名稱 is 客户名称).
pub fn heading_key(heading: &str) -> String {
    let mut key = String::new();
    let mut depth = 0_u32;
    for c in heading.chars().map(hanzi::fold::character) {
        match c {
            '(' | '[' | '【' => depth += 1,
            ')' | ']' | '】' => depth = depth.saturating_sub(1),
            _ if depth > 0 || c.is_whitespace() || matches!(c, '*' | ':' | '_' | '-' | '·' | '.') => {}
            _ => key.push(c),
        }
    }
    key.chars().take(60).collect()
}

/// What each column of a file probably is. No two columns get the same target.
pub fn guess(
    header: &sheets::Header,
    remembered: &HashMap<String, String>,
    catalogue: &Catalogue,
) -> Vec<Target> {
    let known = known_headings(catalogue);
    let mut taken: Vec<Target> = Vec::new();
    header
        .columns
        .iter()
        .enumerate()
        .map(|(at, heading)| {
            let card = header.keys.get(at).and_then(|key| of_card(key));
            let target = card.unwrap_or_else(|| of_heading(heading, remembered, &known, catalogue));
            let target = if taken.contains(&target) { second_choice(&target, &taken) } else { target };
            if !target.may_repeat() {
                taken.push(target.clone());
            }
            target
        })
        .collect()
}

/// What the first rows tell better than a heading: a column whose cells all say person or organisation is the nature of
/// the customer, whatever it is called. Columns somebody chose to leave out before stay out.
pub fn settle(
    targets: &mut [Target],
    header: &sheets::Header,
    remembered: &HashMap<String, String>,
    sample: &[Vec<String>],
) {
    if targets.contains(&Target::Kind) {
        return;
    }
    let says_kind = |at: usize| {
        let mut cells =
            sample.iter().filter_map(|row| row.get(at)).map(|c| c.trim()).filter(|c| !c.is_empty());
        let mut any = false;
        cells.all(|cell| {
            any = true;
            Kind::named(cell).is_some()
        }) && any
    };
    let is_chosen = |at: usize| {
        header.columns.get(at).is_some_and(|heading| remembered.contains_key(&heading_key(heading)))
    };
    let may_be = |at: usize, target: &Target| match target {
        Target::Field(Field::Class | Field::Nature) => true,
        Target::Ignore => !is_chosen(at),
        _ => false,
    };
    let found = targets
        .iter()
        .enumerate()
        .find(|(at, target)| may_be(*at, target) && says_kind(*at))
        .map(|(at, _)| at);
    if let Some(at) = found {
        targets[at] = Target::Kind;
    }
}

/// A second phone column is the landline; anything else found twice waits for a person to decide.
fn second_choice(target: &Target, taken: &[Target]) -> Target {
    match target {
        Target::Ignore | Target::Note => target.clone(),
        Target::Field(Field::Phone) if !taken.contains(&Target::Field(Field::Landline)) => {
            Target::Field(Field::Landline)
        }
        Target::Field(Field::Phone | Field::Landline | Field::Email | Field::Address) => Target::Note,
        _ => Target::Ignore,
    }
}

fn known_headings(catalogue: &Catalogue) -> HashMap<String, Target> {
    let mut known = HashMap::new();
    // Own titles first: a synonym of another field never takes them away.
    for field in catalogue.custom_fields.iter().filter(|f| f.is_active) {
        known.entry(heading_key(&field.title)).or_insert_with(|| Target::Custom(field.key.clone()));
    }
    let titles = SPECS
        .iter()
        .map(|s| (Target::Field(s.field), s.zh))
        .chain(OWN.iter().map(|(t, zh, _)| (t.clone(), *zh)));
    for (target, zh) in titles {
        known.entry(heading_key(zh)).or_insert_with(|| target.clone());
        known.entry(heading_key(Lang::En.t(zh))).or_insert_with(|| target.clone());
        known.entry(heading_key(&target.code())).or_insert(target);
    }
    let others = SPECS
        .iter()
        .map(|s| (Target::Field(s.field), s.synonyms))
        .chain(OWN.iter().map(|(t, _, synonyms)| (t.clone(), *synonyms)));
    for (target, synonyms) in others {
        for synonym in synonyms {
            known.entry(heading_key(synonym)).or_insert_with(|| target.clone());
        }
    }
    known
}

fn of_heading(
    heading: &str,
    remembered: &HashMap<String, String>,
    known: &HashMap<String, Target>,
    catalogue: &Catalogue,
) -> Target {
    let key = heading_key(heading);
    if let Some(target) = remembered.get(&key).and_then(|code| Target::named(code, catalogue)) {
        return target;
    }
    if let Some(target) = known.get(&key) {
        return target.clone();
    }
    // Headings in two rows come as 组/列: the group says who (联系人/电话), the column what.
    if let Some((group, column)) = heading.rsplit_once('/') {
        let joined = heading_key(&format!("{group}{column}"));
        if let Some(target) = known.get(&joined).or_else(|| known.get(&heading_key(column))) {
            return target.clone();
        }
    }
    Target::Ignore
}

/// A column of an address card, by its stable id.
fn of_card(key: &str) -> Option<Target> {
    Some(match key {
        "name" => Target::Field(Field::Name),
        "mobile" => Target::Field(Field::Phone),
        "phone" => Target::Field(Field::Landline),
        "fax" => Target::Field(Field::Fax),
        "email" => Target::Field(Field::Email),
        "address" => Target::Field(Field::Address),
        "note" => Target::Field(Field::Remark),
        "birthday" | "organisation" | "department" | "title" | "url" => Target::Note,
        _ => return None,
    })
}

/// Reads a mapping as sent: one code a column. Unknown names and targets given twice are errors at their column.
pub fn parse(codes: &[String], columns: usize, catalogue: &Catalogue) -> Result<Vec<Target>, AppError> {
    if codes.len() != columns {
        return Err(AppError::field(
            "mapping",
            text!("列的对应关系应有 {} 项，现在 {} 项", columns, codes.len()),
        ));
    }
    let mut targets: Vec<Target> = Vec::with_capacity(columns);
    for (at, code) in codes.iter().enumerate() {
        let place = || format!("mapping.{at}");
        let Some(target) = Target::named(code, catalogue) else {
            let shown: String = code.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(AppError::field(&place(), text!("没有“{}”这个字段", shown)));
        };
        if !target.may_repeat() && targets.contains(&target) {
            return Err(AppError::field(
                &place(),
                text!("“{}”已对应另一列，请只保留一列", target.word(catalogue)),
            ));
        }
        targets.push(target);
    }
    if !targets.iter().any(|t| matches!(t, Target::Field(Field::Name) | Target::Number))
        && !targets
            .iter()
            .any(|t| matches!(t, Target::Field(Field::Phone | Field::CreditCode | Field::IdNumber)))
    {
        return Err(AppError::field("mapping", text!("请指定哪一列是客户名称")));
    }
    Ok(targets)
}

/// Headings this person matched before: key to code. What the system's own templates call a column means what it says.
pub fn remembered(
    conn: &mut Conn<'_>,
    person: PersonId,
    header: &sheets::Header,
) -> store::Result<HashMap<String, String>> {
    let mut found = HashMap::new();
    if header.stamp.is_some() {
        return Ok(found);
    }
    for column in header.columns.iter().take(500) {
        let key = heading_key(column);
        let field: Option<String> = conn.value(
            "SELECT field FROM import_mappings WHERE person_id = $1 AND object = 'customers' AND header_key = $2",
            &[person.into(), (&key).into()],
        )?;
        if let Some(field) = field {
            found.insert(key, field);
        }
    }
    Ok(found)
}

/// Remembers for a person what he chose where it differs from what would be guessed from the headings and first rows.
pub fn remember(
    tx: &mut Tx<'_>,
    person: PersonId,
    (header, sample): (&sheets::Header, &[Vec<String>]),
    targets: &[Target],
    catalogue: &Catalogue,
    now: Millis,
) -> store::Result<()> {
    let mut guessed = guess(header, &HashMap::new(), catalogue);
    settle(&mut guessed, header, &HashMap::new(), sample);
    for ((column, chosen), guessed) in header.columns.iter().zip(targets).zip(&guessed) {
        let key = heading_key(column);
        if key.is_empty() {
            continue;
        }
        if chosen == guessed {
            tx.exec(
                "DELETE FROM import_mappings WHERE person_id = $1 AND object = 'customers' AND header_key = $2",
                &[person.into(), (&key).into()],
            )?;
        } else {
            tx.exec(
                "INSERT INTO import_mappings (person_id, object, header_key, field, updated_at)
                 VALUES ($1, 'customers', $2, $3, $4)
                 ON CONFLICT (person_id, object, header_key) DO UPDATE SET field = $3, updated_at = $4",
                &[person.into(), (&key).into(), chosen.code().into(), now.into()],
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(headings: &[&str]) -> Vec<String> {
        let header = sheets::Header {
            format: sheets::Format::Csv,
            columns: headings.iter().map(|h| (*h).to_owned()).collect(),
            keys: Vec::new(),
            row: 1,
            asked_row: None,
            encoding: None,
            delimiter: None,
            sheet: None,
            sheets: Vec::new(),
            stamp: None,
            is_error_file: false,
        };
        guess(&header, &HashMap::new(), &Catalogue::default()).iter().map(Target::code).collect()
    }

    #[test]
    fn headings_are_understood_in_chinese_and_english_with_marks_and_remarks() {
        let given = [
            "* 客户名称（必填）",
            "手机号码",
            "座机",
            "E-Mail",
            "统一社会信用代码",
            "联系人",
            "业务员",
            "奇怪的列",
        ];
        let expected = ["name", "phone", "landline", "email", "credit_code", "contact.name", "owner", ""];
        assert_eq!(guessed(&given), expected);
        assert_eq!(
            guessed(&["Company Name", "Mobile", "ZIP Code", "Owner"]),
            ["name", "phone", "postcode", "owner"]
        );
        assert_eq!(
            guessed(&["客戶名稱", "聯繫電話", "負責人", "備註"]),
            ["name", "phone", "owner", "remark"]
        );
    }

    #[test]
    fn the_group_of_a_merged_heading_says_whose_phone_it_is() {
        assert_eq!(guessed(&["联系人/电话", "基本信息/名称"]), ["contact.phone", "name"]);
    }

    #[test]
    fn two_columns_never_get_the_same_field() {
        assert_eq!(
            guessed(&["电话", "手机", "手机号", "名称", "公司"]),
            ["phone", "landline", "note", "name", ""]
        );
    }

    #[test]
    fn a_mapping_without_a_name_or_with_a_field_twice_is_refused() {
        let catalogue = Catalogue::default();
        let codes = |all: &[&str]| all.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        assert!(parse(&codes(&["name", ""]), 2, &catalogue).is_ok());
        assert!(parse(&codes(&["name"]), 2, &catalogue).is_err());
        assert!(parse(&codes(&["name", "name"]), 2, &catalogue).is_err());
        assert!(parse(&codes(&["", "remark"]), 2, &catalogue).is_err());
        assert!(parse(&codes(&["name", "password_hash"]), 2, &catalogue).is_err());
    }
}
