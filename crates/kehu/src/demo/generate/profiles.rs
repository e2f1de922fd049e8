//! What distinguishes the customers of one line of business: tags, traits, needs, posts of contacts, goods they own.

use super::BusinessLine::{self, Manufacturing, Power, Property, Retail, Vehicles};

pub struct Profile {
    /// How much of the group's customers, in percent.
    pub weight: usize,
    /// How many of them are persons, in percent.
    pub persons: usize,
    /// Index into [`super::PEOPLE`] of those who look after these customers.
    pub owners: &'static [usize],
    /// Whether people also work on weekends.
    pub open_on_weekends: bool,
    pub of_persons: Wishes,
    pub of_organisations: Wishes,
    /// 经营特点 of organisations.
    pub traits: &'static [&'static str],
    pub posts: &'static [Post],
}

pub struct Wishes {
    pub tags: &'static [&'static str],
    pub needs: &'static [&'static str],
}

/// Title, department, code of the dictionary `contact_role`, how one speaks of such a person after the surname.
pub struct Post(pub &'static str, pub &'static str, pub &'static str, pub &'static str);

pub fn profile(line: BusinessLine) -> &'static Profile {
    match line {
        Property => &PROPERTY,
        Vehicles => &VEHICLES,
        Power => &POWER,
        Retail => &RETAIL,
        Manufacturing => &MANUFACTURING,
    }
}

const PROPERTY: Profile = Profile {
    weight: 30,
    persons: 70,
    owners: &[6, 31, 32, 33, 34, 35, 36],
    open_on_weekends: true,
    of_persons: Wishes {
        tags: &["业主", "有车位", "长期空置", "亲子家庭", "养宠物", "按时缴费", "装修中", "老人家庭"],
        needs: &[
            "增加固定车位",
            "希望缴费可以开电子发票",
            "关注小区安防和门禁",
            "希望线上报修、进度可查",
            "申请安装充电桩",
            "希望增加儿童活动场地",
        ],
    },
    of_organisations: Wishes {
        tags: &["租户", "企业总部", "有车位", "按时缴费", "装修中", "整层租用", "即将到期"],
        needs: &[
            "增加固定车位",
            "延长空调供应时间",
            "计划扩租",
            "希望租金维持不变",
            "希望线上报修、进度可查",
            "增加会议室使用时段",
        ],
    },
    traits: &[
        "办公人数约五十人，加班较多",
        "门店型租户，周末客流大",
        "对环境和安全要求高",
        "以研发为主，机房用电需保障",
        "上下班时间集中，电梯压力大",
    ],
    posts: &[
        Post("行政经理", "行政部", "handler", "经理"),
        Post("行政主管", "行政部", "handler", "主管"),
        Post("总经理", "总经办", "decision_maker", "总"),
        Post("财务主管", "财务部", "finance", "主管"),
        Post("前台文员", "行政部", "user", "小姐"),
    ],
};

const VEHICLES: Profile = Profile {
    weight: 26,
    persons: 76,
    owners: &[3, 4, 23, 27, 28],
    open_on_weekends: true,
    of_persons: Wishes {
        tags: &["首购", "置换", "增购", "新能源", "本店售车", "他店售车", "保客", "续保客户", "分期"],
        needs: &[
            "家用为主，关注空间和油耗",
            "上下班代步，预算十五万元以内",
            "希望取送车服务",
            "需要延保和续保报价",
            "三年内置换",
            "关注新能源车的续航",
        ],
    },
    of_organisations: Wishes {
        tags: &["车队", "置换", "新能源", "本店售车", "他店售车", "续保客户", "月结"],
        needs: &[
            "商务接待用车",
            "批量采购，需要对公报价",
            "希望取送车服务",
            "需要延保和续保报价",
            "旧车集中置换",
            "签订年度维修协议",
        ],
    },
    traits: &[
        "车队管理规范，集中保养",
        "用车强度高，年行驶六万公里以上",
        "采购需招标，决策周期长",
        "租赁运营，关注残值",
    ],
    posts: &[
        Post("车队队长", "车队", "user", "队长"),
        Post("采购经理", "采购部", "purchasing", "经理"),
        Post("行政主管", "行政部", "handler", "主管"),
        Post("总经理", "总经办", "decision_maker", "总"),
        Post("财务经理", "财务部", "finance", "经理"),
    ],
};

const POWER: Profile = Profile {
    weight: 18,
    persons: 34,
    owners: &[5, 43, 44],
    open_on_weekends: false,
    of_persons: Wishes {
        tags: &["低压", "峰谷电价", "充电桩", "光伏并网", "网上缴费"],
        needs: &["申请个人充电桩", "希望缩短办电时间", "申请屋顶光伏并网", "了解峰谷电价", "更名过户"],
    },
    of_organisations: Wishes {
        tags: &["高压", "低压", "专变", "专线", "双电源", "增容", "峰谷电价", "光伏并网", "重要负荷"],
        needs: &[
            "增容扩产",
            "希望缩短办电时间",
            "需要备用电源方案",
            "降低基本电费",
            "申请分布式光伏并网",
            "需要用电安全培训",
        ],
    },
    traits: &[
        "三班连续生产，负荷稳定",
        "白天单班，夏季负荷高",
        "有冲击负荷，需关注谐波",
        "数据机房，不允许中断供电",
        "季节性生产，冬季减容",
    ],
    posts: &[
        Post("设备经理", "设备部", "technical", "经理"),
        Post("电工班长", "动力车间", "technical", "班长"),
        Post("厂长", "厂部", "decision_maker", "厂长"),
        Post("财务主管", "财务部", "finance", "主管"),
        Post("总经理", "总经办", "decision_maker", "总"),
    ],
};

const RETAIL: Profile = Profile {
    weight: 14,
    persons: 26,
    owners: &[7, 47, 48, 49, 50, 51, 52, 53, 54],
    open_on_weekends: true,
    of_persons: Wishes {
        tags: &["会员", "促销敏感", "线上下单", "老顾客"],
        needs: &["希望送货上门", "需要节日团购", "希望会员积分可以兑换", "关注新品信息"],
    },
    of_organisations: Wishes {
        tags: &["加盟商", "代理商", "直营", "社区店", "学校周边", "现款现货", "月结", "促销敏感"],
        needs: &[
            "缩短送货周期",
            "临期商品可退换",
            "需要陈列和促销支持",
            "希望放宽账期",
            "希望上线小程序订货",
            "需要收银系统培训",
        ],
    },
    traits: &[
        "社区店，以家庭日用为主",
        "学校周边，寒暑假为淡季",
        "连锁十二家门店，统一采购",
        "批零兼营，走量为主",
        "位置好，客流大，适合新品首发",
    ],
    posts: &[
        Post("店长", "门店", "decision_maker", "店长"),
        Post("采购主管", "采购部", "purchasing", "主管"),
        Post("总经理", "总经办", "decision_maker", "总"),
        Post("仓库主管", "仓储部", "handler", "主管"),
        Post("会计", "财务部", "finance", "会计"),
    ],
};

const MANUFACTURING: Profile = Profile {
    weight: 12,
    persons: 3,
    owners: &[2, 56, 57],
    open_on_weekends: false,
    of_persons: Wishes {
        tags: &["个人买家", "设备在保"], needs: &["需要上门安装", "希望延长质保"]
    },
    of_organisations: Wishes {
        tags: &["经销商", "终端大客户", "设备在保", "延保", "工程项目", "备件大户", "授信客户", "出口型"],
        needs: &[
            "缩短交货期",
            "需要节能改造方案",
            "增加一台备用机",
            "希望签年度备件协议",
            "需要操作人员培训",
            "希望延长质保",
        ],
    },
    traits: &[
        "专业经销商，覆盖周边三个地市",
        "连续生产，停机损失大",
        "采购以项目为主，集中在下半年",
        "重视能耗指标，有节能改造计划",
        "设备管理规范，备件按年采购",
    ],
    posts: &[
        Post("采购经理", "采购部", "purchasing", "经理"),
        Post("设备主管", "设备部", "technical", "主管"),
        Post("技术总监", "技术部", "influencer", "总监"),
        Post("总经理", "总经办", "decision_maker", "总"),
        Post("财务经理", "财务部", "finance", "经理"),
        Post("副总经理", "总经办", "influencer", "总"),
    ],
};

pub const CREDIT_STATUS: &[(&str, usize)] = &[
    ("付款及时，无逾期记录", 50),
    ("信用良好，合作三年以上", 20),
    ("偶有延迟，催收后能付清", 14),
    ("新客户，暂无信用记录", 10),
    ("有逾期超过三十天的货款，须现款结算", 4),
    ("涉及诉讼，暂停授信", 2),
];

pub const REMARKS: &[&str] = &[
    "周一上午有例会，不便接听电话。",
    "开票信息以最新一次邮件为准。",
    "负责人喜欢喝茶，见面可多聊几句。",
    "送货走后门，限高三米。",
    "联系前请先看上次的会议纪要。",
    "希望固定一位同事对接。",
    "曾因响应慢投诉过一次，请多留意。",
    "可以介绍同行业客户。",
    "付款流程较长，请提前提交资料。",
    "节假日需提前三天预约。",
];

pub const PERSONAL_REMARKS: &[&str] = &[
    "下午三点以后联系较方便。",
    "希望用微信联系，不接陌生电话。",
    "家里有老人，上门前请先打电话。",
    "对价格比较敏感。",
    "曾因响应慢投诉过一次，请多留意。",
    "愿意介绍朋友。",
    "周末一般不在本市。",
    "听力不好，请说慢一点。",
];

/// Maker's code in the VIN, brand and model, whether it carries a green plate, popularity.
pub const CARS: &[(&str, &str, bool, usize)] = &[
    ("LVG", "广汽丰田 凯美瑞", false, 12),
    ("LVG", "广汽丰田 汉兰达", false, 8),
    ("LHG", "广汽本田 雅阁", false, 12),
    ("LSV", "上汽大众 朗逸", false, 10),
    ("LFV", "一汽-大众 迈腾", false, 8),
    ("LB3", "吉利 星瑞", false, 7),
    ("LGW", "长城 哈弗H6", false, 8),
    ("LSG", "上汽通用别克 GL8", false, 6),
    ("LVS", "长安福特 蒙迪欧", false, 4),
    ("LZW", "五菱 宏光", false, 6),
    ("LGX", "比亚迪 秦PLUS DM-i", true, 12),
    ("LGX", "比亚迪 宋PLUS DM-i", true, 10),
    ("LGX", "比亚迪 海豚", true, 6),
    ("LB3", "吉利 银河E5", true, 4),
];

/// What the group makes and its letters in the serial number.
pub const PRODUCTS: &[(&str, &str)] = &[
    ("LY-37A螺杆空压机", "KA"),
    ("LY-75B永磁变频空压机", "KB"),
    ("LYB-80离心泵", "PB"),
    ("LYB-150消防泵", "PX"),
    ("GGD-L低压配电柜", "DG"),
    ("LYL-300冷水机组", "LS"),
    ("LYT-100冷却塔", "LT"),
    ("LYK-22变频控制柜", "BK"),
];

/// What a retail shop has from us.
pub const SHOP_PRODUCTS: &[(&str, &str)] =
    &[("LYG-400展示冷柜", "GZ"), ("LYG-260卧式冰柜", "GW"), ("LYS-2收银一体机", "SY")];
