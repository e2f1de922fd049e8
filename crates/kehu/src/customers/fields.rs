//! The built-in fields of a customer: one table that forms, imports, exports, lists, the API, validation and the
//! completeness of a dossier all read.

/// A built-in field. The order is that of forms and files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
#[expect(missing_docs, reason = "each is described by its row in SPECS")]
pub enum Field {
    Name,
    ShortName,
    Class,
    Level,
    Nature,
    ParentOrganisation,
    Industry,
    CreditCode,
    IdNumber,
    Gender,
    Birthday,
    Phone,
    Landline,
    Fax,
    Email,
    Website,
    Wechat,
    Region,
    Address,
    Postcode,
    Source,
    CreditStatus,
    BusinessTraits,
    Needs,
    FirstContactOn,
    NextContactOn,
    Remark,
}

/// What a field holds and how it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines.
    LongText,
    /// A mobile or landline number.
    Phone,
    /// A mail address.
    Email,
    /// A web address.
    Url,
    /// A date `YYYY-MM-DD`.
    Date,
    /// A code of this dictionary.
    Dictionary(&'static str),
    /// An administrative division, stored as its path.
    Region,
    /// A unified social credit code (GB 32100-2015).
    CreditCode,
    /// A resident's ID number (GB 11643-1999).
    IdNumber,
    /// `male` or `female`.
    Gender,
    /// Six digits.
    Postcode,
}

/// The groups of a dossier (GM-06: basic information, traits of the business, needs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// 基本信息.
    Basic,
    /// 联系方式.
    Reach,
    /// 业务特点.
    Business,
    /// 需求.
    Needs,
}

impl Group {
    /// Every group in order.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Reach, Self::Business, Self::Needs];

    /// Name people read (source text).
    pub fn title(self) -> &'static str {
        match self {
            Self::Basic => "基本信息",
            Self::Reach => "联系方式",
            Self::Business => "业务特点",
            Self::Needs => "需求",
        }
    }
}

/// Which customers have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// Persons and organisations.
    Both,
    /// Persons only.
    Person,
    /// Organisations only.
    Organisation,
}

/// What there is to know about a field.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Which.
    pub field: Field,
    /// Its name in database, API and forms.
    pub key: &'static str,
    /// Its Chinese title (source text).
    pub zh: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// Where it stands.
    pub group: Group,
    /// Who has it.
    pub applies: Applies,
    /// Most characters.
    pub longest: usize,
    /// Whether a dossier without it is incomplete (VF-04, DS-07, AM-06, GM-06).
    pub is_dossier: bool,
    /// Other headers people give this column in their spreadsheets, Chinese and English.
    pub synonyms: &'static [&'static str],
}

/// Number of fields.
pub const COUNT: usize = SPECS.len();

const fn spec(field: Field, key: &'static str, zh: &'static str, kind: FieldKind, group: Group) -> Spec {
    Spec {
        field,
        key,
        zh,
        kind,
        group,
        applies: Applies::Both,
        longest: 200,
        is_dossier: false,
        synonyms: &[],
    }
}

impl Spec {
    const fn dossier(mut self) -> Self {
        self.is_dossier = true;
        self
    }
    const fn of(mut self, applies: Applies) -> Self {
        self.applies = applies;
        self
    }
    const fn longest(mut self, longest: usize) -> Self {
        self.longest = longest;
        self
    }
    const fn also(mut self, synonyms: &'static [&'static str]) -> Self {
        self.synonyms = synonyms;
        self
    }

    /// Whether a customer of this kind has the field.
    pub fn applies_to(&self, kind: super::Kind) -> bool {
        match self.applies {
            Applies::Both => true,
            Applies::Person => kind == super::Kind::Person,
            Applies::Organisation => kind == super::Kind::Organisation,
        }
    }

    /// The dictionary of its values, if it has one.
    pub fn dictionary(&self) -> Option<&'static str> {
        match self.kind {
            FieldKind::Dictionary(name) => Some(name),
            _ => None,
        }
    }
}

/// The table, in the order of `Field`.
pub const SPECS: [Spec; 27] = {
    use Applies::{Organisation, Person};
    use Field as F;
    use FieldKind as K;
    use Group as G;
    [
        spec(F::Name, "name", "客户名称", K::Text, G::Basic).dossier().longest(120).also(&[
            "名称",
            "姓名",
            "公司名称",
            "单位名称",
            "企业名称",
            "客户",
            "客户姓名",
            "业主姓名",
            "车主",
            "车主姓名",
            "户名",
            "公司",
            "单位",
            "name",
            "customer",
            "customer name",
            "company",
            "company name",
            "full name",
            "organization",
        ]),
        spec(F::ShortName, "short_name", "简称", K::Text, G::Basic).longest(60).also(&[
            "客户简称",
            "公司简称",
            "昵称",
            "short name",
            "alias",
        ]),
        spec(F::Class, "class", "客户类别", K::Dictionary("customer_class"), G::Basic).dossier().also(&[
            "类别",
            "客户分类",
            "分类",
            "客户类型",
            "class",
            "category",
            "customer class",
        ]),
        spec(F::Level, "level", "客户等级", K::Dictionary("customer_level"), G::Basic).also(&[
            "等级",
            "级别",
            "客户级别",
            "评级",
            "level",
            "grade",
            "rating",
            "tier",
        ]),
        spec(F::Nature, "nature", "企业性质", K::Dictionary("enterprise_nature"), G::Basic)
            .dossier()
            .of(Organisation)
            .also(&["性质", "单位性质", "公司性质", "经济类型", "nature", "ownership", "enterprise type"]),
        spec(F::ParentOrganisation, "parent_organisation", "主管单位", K::Text, G::Basic)
            .dossier()
            .of(Organisation)
            .longest(120)
            .also(&["上级单位", "主管部门", "上级公司", "parent organisation", "parent company", "parent"]),
        spec(F::Industry, "industry", "所属行业", K::Dictionary("industry"), G::Business).also(&[
            "行业",
            "行业类别",
            "industry",
            "sector",
        ]),
        spec(F::CreditCode, "credit_code", "统一社会信用代码", K::CreditCode, G::Basic)
            .of(Organisation)
            .longest(18)
            .also(&[
                "信用代码",
                "社会信用代码",
                "统一信用代码",
                "税号",
                "纳税人识别号",
                "credit code",
                "uscc",
                "tax number",
            ]),
        spec(F::IdNumber, "id_number", "身份证号", K::IdNumber, G::Basic).of(Person).longest(18).also(&[
            "身份证",
            "身份证号码",
            "证件号码",
            "证件号",
            "id number",
            "id card",
            "identity number",
        ]),
        spec(F::Gender, "gender", "性别", K::Gender, G::Basic)
            .of(Person)
            .longest(10)
            .also(&["gender", "sex"]),
        spec(F::Birthday, "birthday", "出生日期", K::Date, G::Basic).of(Person).longest(10).also(&[
            "生日",
            "出生年月日",
            "birthday",
            "birth date",
            "date of birth",
            "dob",
        ]),
        spec(F::Phone, "phone", "联系电话", K::Phone, G::Reach).dossier().longest(40).also(&[
            "电话",
            "手机",
            "手机号",
            "手机号码",
            "移动电话",
            "联系方式",
            "电话号码",
            "联系手机",
            "phone",
            "mobile",
            "cell",
            "tel",
            "telephone",
            "phone number",
        ]),
        spec(F::Landline, "landline", "固定电话", K::Phone, G::Reach).longest(40).also(&[
            "座机",
            "固话",
            "办公电话",
            "公司电话",
            "住宅电话",
            "landline",
            "office phone",
            "work phone",
        ]),
        spec(F::Fax, "fax", "传真", K::Phone, G::Reach).longest(40).also(&["传真号码", "传真号", "fax"]),
        spec(F::Email, "email", "电子邮箱", K::Email, G::Reach).longest(254).also(&[
            "邮箱",
            "邮件",
            "电子邮件",
            "邮箱地址",
            "email",
            "e-mail",
            "mail",
        ]),
        spec(F::Website, "website", "网址", K::Url, G::Reach)
            .dossier()
            .of(Organisation)
            .longest(500)
            .also(&["网站", "公司网址", "官网", "主页", "website", "url", "web", "homepage"]),
        spec(F::Wechat, "wechat", "微信", K::Text, G::Reach).longest(60).also(&[
            "微信号",
            "wechat",
            "weixin",
        ]),
        spec(F::Region, "region", "所在地区", K::Region, G::Reach).dossier().longest(100).also(&[
            "地区",
            "省市",
            "省市区",
            "区域",
            "城市",
            "所在城市",
            "省份",
            "所属地区",
            "region",
            "city",
            "province",
            "area",
        ]),
        spec(F::Address, "address", "地址", K::Text, G::Reach).dossier().longest(300).also(&[
            "联系地址",
            "详细地址",
            "通讯地址",
            "公司地址",
            "单位地址",
            "住址",
            "家庭住址",
            "address",
            "street",
            "street address",
        ]),
        spec(F::Postcode, "postcode", "邮政编码", K::Postcode, G::Reach).longest(6).also(&[
            "邮编",
            "postcode",
            "zip",
            "zip code",
            "postal code",
        ]),
        spec(F::Source, "source", "信息来源", K::Dictionary("source"), G::Business).dossier().also(&[
            "来源",
            "客户来源",
            "渠道",
            "source",
            "lead source",
            "channel",
        ]),
        spec(F::CreditStatus, "credit_status", "信用状况", K::LongText, G::Business)
            .dossier()
            .longest(2000)
            .also(&["客户信用状况", "信用描述", "信用", "credit status", "credit"]),
        spec(F::BusinessTraits, "business_traits", "业务特点", K::LongText, G::Business)
            .dossier()
            .longest(2000)
            .also(&[
                "经营范围",
                "主营业务",
                "业务范围",
                "业务",
                "business",
                "main business",
                "scope of business",
            ]),
        spec(F::Needs, "needs", "需求", K::LongText, G::Needs).dossier().longest(2000).also(&[
            "客户需求",
            "需求描述",
            "意向",
            "需求说明",
            "needs",
            "requirements",
            "interest",
        ]),
        spec(F::FirstContactOn, "first_contact_on", "首次接触日期", K::Date, G::Needs).longest(10).also(&[
            "首次联系",
            "首次接触",
            "首次联系日期",
            "首次接触时间",
            "建档日期",
            "登记日期",
            "first contact",
            "registered on",
        ]),
        spec(F::NextContactOn, "next_contact_on", "下次联系日期", K::Date, G::Needs).longest(10).also(&[
            "下次联系",
            "下次跟进",
            "下次跟进时间",
            "下次联系时间",
            "下次跟进日期",
            "next contact",
            "follow up on",
        ]),
        spec(F::Remark, "remark", "备注", K::LongText, G::Needs).longest(5000).also(&[
            "说明",
            "备注信息",
            "附注",
            "notes",
            "note",
            "remark",
            "comment",
            "comments",
            "description",
        ]),
    ]
};

impl Field {
    /// Its row of the table.
    pub fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// Its name in database, API and forms.
    pub fn key(self) -> &'static str {
        self.spec().key
    }

    /// The field of this name.
    pub fn named(key: &str) -> Option<Self> {
        SPECS.iter().find(|s| s.key == key).map(|s| s.field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_every_title_has_english() {
        for (n, spec) in SPECS.iter().enumerate() {
            assert_eq!(spec.field as usize, n, "{}", spec.key);
            assert_eq!(Field::named(spec.key), Some(spec.field));
            assert_ne!(crate::i18n::Lang::En.t(spec.zh), spec.zh, "locales/en lacks {}", spec.zh);
        }
        for group in Group::ALL {
            assert_ne!(crate::i18n::Lang::En.t(group.title()), group.title());
        }
    }
}
