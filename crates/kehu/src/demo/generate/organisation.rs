//! The group's units, who works where, and what the roles of its posts permit. Codes are those of
//! `data/dictionaries.toml`; people are named by their place in [`super::PEOPLE`], units by their place in [`UNITS`].

/// A unit: kind, name, the unit above it, who leads it.
pub(crate) struct DemoUnit(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) Option<usize>,
    pub(crate) usize,
);

pub(crate) const UNITS: [DemoUnit; 29] = [
    DemoUnit("group", "岭岳集团", None, 8),
    DemoUnit("department", "总经办", Some(0), 9),
    DemoUnit("department", "信息部", Some(0), 0),
    DemoUnit("department", "市场推广部", Some(0), 1),
    DemoUnit("department", "客户服务部", Some(0), 11),
    DemoUnit("department", "财务部", Some(0), 16),
    DemoUnit("department", "行政人事部", Some(0), 18),
    DemoUnit("brand_division", "汽车事业部", Some(0), 21),
    DemoUnit("dealer_shop", "天河4S店", Some(7), 22),
    DemoUnit("dealer_shop", "番禺4S店", Some(7), 26),
    DemoUnit("company", "物业公司", Some(0), 30),
    DemoUnit("property_office", "珠江新城管理处", Some(10), 6),
    DemoUnit("property_office", "海珠管理处", Some(10), 33),
    DemoUnit("property_office", "佛山管理处", Some(10), 35),
    DemoUnit("department", "工程部", Some(10), 37),
    DemoUnit("branch", "供电分公司", Some(0), 40),
    DemoUnit("power_station", "城东供电所", Some(15), 41),
    DemoUnit("power_station", "城西供电所", Some(15), 44),
    DemoUnit("company", "零售连锁公司", Some(0), 45),
    DemoUnit("shop", "北京路店", Some(18), 47),
    DemoUnit("shop", "上下九店", Some(18), 48),
    DemoUnit("shop", "天河城店", Some(18), 49),
    DemoUnit("shop", "番禺广场店", Some(18), 50),
    DemoUnit("shop", "佛山祖庙店", Some(18), 51),
    DemoUnit("shop", "东莞南城店", Some(18), 52),
    DemoUnit("company", "岭岳制造", Some(0), 55),
    DemoUnit("department", "销售部", Some(25), 56),
    DemoUnit("mine", "岭北矿", Some(25), 58),
    DemoUnit("department", "人事部联营办", Some(25), 59),
];

/// The unit and the post of each of the people, in their order.
pub(crate) const POSTS: [(usize, &str); 60] = [
    (2, "information_management_specialist"),
    (3, "department_manager"),
    (3, "key_account_head"),
    (8, "sales_consultant"),
    (8, "customer_service_staff"),
    (16, "power_application_staff"),
    (11, "customer_service_supervisor"),
    (18, "sales_staff"),
    (0, "general_manager"),
    (1, "secretary"),
    (0, "operations_vice_president"),
    (4, "customer_service_department_manager"),
    (4, "group_service_staff"),
    (4, "complaint_receiver"),
    (4, "customer_information_supervisor"),
    (4, "customer_information_specialist"),
    (5, "department_manager"),
    (5, "finance_staff"),
    (6, "department_manager"),
    (6, "human_resources_staff"),
    (2, "engineering_staff"),
    (7, "sales_director"),
    (8, "sales_manager"),
    (8, "sales_consultant"),
    (8, "service_consultant"),
    (8, "front_desk_staff"),
    (9, "sales_manager"),
    (9, "sales_consultant"),
    (9, "sales_consultant"),
    (9, "service_consultant"),
    (10, "general_manager"),
    (11, "service_staff"),
    (11, "leasing_manager"),
    (12, "department_head"),
    (12, "service_staff"),
    (13, "department_head"),
    (13, "service_staff"),
    (14, "engineering_director"),
    (14, "repair_staff"),
    (14, "repair_staff"),
    (15, "department_manager"),
    (16, "power_project_manager"),
    (16, "power_inspector"),
    (17, "power_application_receiver"),
    (17, "department_head"),
    (18, "general_manager"),
    (18, "regional_manager"),
    (19, "department_head"),
    (20, "department_head"),
    (21, "department_head"),
    (22, "department_head"),
    (23, "department_head"),
    (24, "department_head"),
    (19, "sales_staff"),
    (21, "sales_staff"),
    (25, "general_manager"),
    (26, "sales_manager"),
    (26, "business_manager"),
    (27, "department_head"),
    (28, "archive_keeper"),
];

/// Posts some of them hold besides: person, unit, post. The regulations look for them.
pub(crate) const MORE_POSTS: [(usize, usize, &str); 4] = [
    (12, 18, "operations_service_staff"),
    (31, 11, "front_desk_staff"),
    (34, 12, "front_desk_staff"),
    (36, 13, "front_desk_staff"),
];

/// Which customers a permission of the demonstration reaches.
pub(crate) enum Reach {
    All,
    Tree,
    Unit,
    Team,
    Own,
    /// These units.
    Units(&'static [usize]),
}

/// A role of the group.
pub(crate) struct DemoRole {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
    /// `object.verb` words, and what they reach.
    pub(crate) grants: &'static [(&'static str, Reach)],
    /// `object.field` and rule.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// Posts that bring it.
    pub(crate) posts: &'static [&'static str],
    /// People who have it themselves.
    pub(crate) people: &'static [usize],
}

const SEE: &str = "customer.read contact.read asset.read activity.read file.read";
const WORK: &str = "customer.read customer.create customer.update customer.share contact.read contact.update \
                    asset.read asset.update activity.read activity.update file.read file.update";

pub(crate) const ROLES: [DemoRole; 12] = [
    DemoRole {
        code: "unit_manager",
        name: "单位负责人",
        note: "看到并管理本单位及下属单位的客户，可以转移和导出",
        grants: &[
            (WORK, Reach::Tree),
            ("customer.assign customer.export", Reach::Tree),
            ("customer.import", Reach::All),
        ],
        fields: &[],
        posts: &["general_manager", "operations_vice_president", "sales_director", "sales_manager"],
        people: &[40],
    },
    DemoRole {
        code: "team_leader",
        name: "门店和部门主管",
        note: "看到本部门的客户和下属负责的客户，可以在其中转移",
        grants: &[(WORK, Reach::Unit), (SEE, Reach::Team), ("customer.assign", Reach::Unit)],
        fields: &[],
        posts: &["department_head", "customer_service_supervisor"],
        people: &[],
    },
    DemoRole {
        code: "sales",
        name: "销售",
        note: "维护本人负责的客户",
        grants: &[(WORK, Reach::Own), ("customer.export", Reach::Own), ("customer.import", Reach::All)],
        fields: &[],
        posts: &[
            "sales_consultant",
            "sales_staff",
            "business_manager",
            "key_account_head",
            "leasing_manager",
        ],
        people: &[],
    },
    DemoRole {
        code: "marketing",
        name: "市场推广",
        note: "看到全部客户，可以转移和导出",
        grants: &[
            (WORK, Reach::All),
            ("customer.assign customer.export", Reach::All),
            ("customer.import", Reach::All),
            ("strategy.update", Reach::All),
        ],
        fields: &[],
        posts: &[],
        people: &[1],
    },
    DemoRole {
        code: "service",
        name: "客服",
        note: "本部门的客户：查看、记跟进；证件号码隐藏",
        grants: &[
            (SEE, Reach::Unit),
            ("customer.create activity.update contact.update", Reach::Unit),
            (WORK, Reach::Own),
        ],
        fields: &[("customer.id_number", "hidden")],
        posts: &["service_staff", "customer_service_staff", "front_desk_staff", "service_consultant"],
        people: &[],
    },
    DemoRole {
        code: "group_service",
        name: "集团客服",
        note: "查看全部客户并记跟进；电话脱敏，证件号码隐藏",
        grants: &[(SEE, Reach::All), ("activity.update", Reach::All)],
        fields: &[
            ("customer.phone", "masked"),
            ("customer.landline", "masked"),
            ("customer.wechat", "masked"),
            ("customer.id_number", "hidden"),
            ("contact.phone", "masked"),
            ("contact.landline", "masked"),
        ],
        posts: &["group_service_staff", "complaint_receiver", "customer_service_department_manager"],
        people: &[],
    },
    DemoRole {
        code: "engineering",
        name: "工程维修",
        note: "三个管理处的业主和房产；看不到证件号码和信用状况",
        grants: &[(
            "customer.read contact.read asset.read asset.update activity.read activity.update",
            Reach::Units(&[11, 12, 13]),
        )],
        fields: &[
            ("customer.id_number", "hidden"),
            ("customer.credit_status", "hidden"),
            ("customer.remark", "hidden"),
        ],
        posts: &["repair_staff", "engineering_director"],
        people: &[],
    },
    DemoRole {
        code: "power",
        name: "用电业务",
        note: "本供电所的客户",
        grants: &[(WORK, Reach::Unit), ("customer.export", Reach::Own)],
        fields: &[],
        posts: &[
            "power_application_staff",
            "power_application_receiver",
            "power_project_manager",
            "power_inspector",
        ],
        people: &[],
    },
    DemoRole {
        code: "regional",
        name: "区域经理",
        note: "所辖门店的客户",
        grants: &[
            (WORK, Reach::Units(&[19, 20, 21, 22])),
            ("customer.assign customer.export", Reach::Units(&[19, 20, 21, 22])),
        ],
        fields: &[],
        posts: &["regional_manager"],
        people: &[],
    },
    DemoRole {
        code: "customer_information",
        name: "客户信息管理",
        note: "维护全部客户的档案、导入、字典和字段",
        grants: &[(WORK, Reach::All), ("customer.import", Reach::All), ("catalogue.update", Reach::All)],
        fields: &[],
        posts: &["customer_information_supervisor", "customer_information_specialist"],
        people: &[],
    },
    DemoRole {
        code: "finance",
        name: "财务",
        note: "查看全部客户的基本信息和信用状况；联系方式脱敏",
        grants: &[("customer.read file.read", Reach::All)],
        fields: &[
            ("customer.phone", "masked"),
            ("customer.landline", "masked"),
            ("customer.wechat", "masked"),
            ("customer.email", "masked"),
            ("customer.id_number", "masked"),
        ],
        posts: &["finance_staff"],
        people: &[16],
    },
    DemoRole {
        code: "personnel",
        name: "人事和审计",
        note: "维护组织与人员，查看日志；看不到客户",
        grants: &[("organisation.update audit.read", Reach::All)],
        fields: &[],
        posts: &["human_resources_staff"],
        people: &[18],
    },
];

/// Those whose log-ins are printed, with what they see.
pub(crate) const LOG_INS: [(usize, &str); 10] = [
    (0, "系统管理员，全部"),
    (8, "集团总经理，本单位及以下"),
    (1, "市场推广部，全部客户"),
    (22, "天河4S店负责人，本店"),
    (3, "汽车销售顾问，本人客户"),
    (6, "珠江新城管理处主管，本部门和下属"),
    (38, "工程维修，三个管理处的业主和房产"),
    (12, "集团客服，全部客户，电话脱敏"),
    (46, "零售区域经理，四家门店"),
    (19, "人事，只管组织和日志"),
];
