//! Tasks the group's people gave to each other, and who answers for what. People are named by their place in
//! [`super::PEOPLE`], units by their place in [`super::organisation::UNITS`].

/// Whose part in a process.
pub(crate) enum Whose {
    Unit(usize),
    Post(&'static str),
}

/// A process: code, title, note, and parts (R, A, C, I).
pub(crate) struct DemoProcess {
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) note: &'static str,
    pub(crate) duties: &'static [(Whose, char)],
}

pub(crate) const PROCESSES: [DemoProcess; 4] = [
    DemoProcess {
        code: "fahuo",
        title: "矿产品发货协调",
        note: "销售合同签订后的装车、过磅和单据",
        duties: &[
            (Whose::Unit(27), 'R'),
            (Whose::Unit(25), 'A'),
            (Whose::Unit(26), 'C'),
            (Whose::Unit(5), 'I'),
        ],
    },
    DemoProcess {
        code: "tousu",
        title: "客户投诉处理",
        note: "受理、核实、答复、回访",
        duties: &[
            (Whose::Unit(4), 'R'),
            (Whose::Post("customer_service_department_manager"), 'A'),
            (Whose::Unit(14), 'C'),
            (Whose::Unit(1), 'I'),
        ],
    },
    DemoProcess {
        code: "baoxiu",
        title: "业主报修",
        note: "管理处受理，工程部派工",
        duties: &[
            (Whose::Post("repair_staff"), 'R'),
            (Whose::Post("engineering_director"), 'A'),
            (Whose::Unit(11), 'I'),
            (Whose::Unit(12), 'I'),
        ],
    },
    DemoProcess {
        code: "laifang",
        title: "重要客户来访接待",
        note: "行程、车辆、参观和陪同",
        duties: &[(Whose::Unit(6), 'R'), (Whose::Unit(1), 'A'), (Whose::Unit(3), 'C'), (Whose::Unit(0), 'I')],
    },
];

/// To whom a task of the demonstration is given.
pub(crate) enum To {
    Unit(usize),
    Person(usize),
}

/// What became of it: after how many days, by whom.
pub(crate) enum Then {
    /// Nobody has taken it.
    Waits,
    /// Taken.
    Taken(i64, usize),
    /// Taken and done with a reply.
    Done(i64, usize, &'static str),
    /// Sent back with a reason.
    Returned(i64, usize, &'static str),
}

/// A task.
pub(crate) struct DemoAssignment {
    pub(crate) giver: usize,
    pub(crate) to: To,
    pub(crate) title: &'static str,
    pub(crate) body: &'static str,
    /// About a customer of the giver's unit.
    pub(crate) has_customer: bool,
    /// Code of a process.
    pub(crate) process: &'static str,
    /// 1 normal, 2 high, 3 urgent.
    pub(crate) priority: u8,
    /// Given so many days ago.
    pub(crate) given: i64,
    /// Due so many days from today; negative when it is over.
    pub(crate) due: i64,
    pub(crate) then: Then,
}

pub(crate) const ASSIGNMENTS: [DemoAssignment; 9] = [
    DemoAssignment {
        giver: 56,
        to: To::Unit(27),
        title: "协助安排客户来矿看样",
        body: "客户采购部两人，想看块煤的装车现场和化验室，请安排一名技术员陪同。",
        has_customer: true,
        process: "",
        priority: 2,
        given: 3,
        due: 2,
        then: Then::Waits,
    },
    DemoAssignment {
        giver: 56,
        to: To::Unit(27),
        title: "核对上月发货过磅单",
        body: "客户反映有三车的净重与合同不符，请核对后把过磅单扫描件发回。",
        has_customer: true,
        process: "fahuo",
        priority: 3,
        given: 9,
        due: -2,
        then: Then::Taken(1, 58),
    },
    DemoAssignment {
        giver: 57,
        to: To::Unit(8),
        title: "为客户的三辆工程车安排到店保养",
        body: "客户希望同一天完成，最好在周五之前；费用走集团内部结算。",
        has_customer: true,
        process: "",
        priority: 1,
        given: 6,
        due: 4,
        then: Then::Taken(1, 24),
    },
    DemoAssignment {
        giver: 57,
        to: To::Person(22),
        title: "请报客户班车的维修价格",
        body: "两辆 35 座客车，更换空调压缩机。",
        has_customer: false,
        process: "",
        priority: 1,
        given: 12,
        due: -6,
        then: Then::Done(4, 22, "已报价：每辆 4,800 元，含工时；报价单已发到邮箱。"),
    },
    DemoAssignment {
        giver: 56,
        to: To::Unit(28),
        title: "提供联营单位的最新名册",
        body: "用于核对代理商的资质。",
        has_customer: false,
        process: "",
        priority: 1,
        given: 7,
        due: 1,
        then: Then::Returned(2, 59, "名册由行政人事部保管，请向他们调取。"),
    },
    DemoAssignment {
        giver: 11,
        to: To::Unit(9),
        title: "核实车主反映的交车延误",
        body: "车主来电两次，请查明原因并电话答复，结果抄告我们。",
        has_customer: false,
        process: "",
        priority: 3,
        given: 4,
        due: -1,
        then: Then::Waits,
    },
    DemoAssignment {
        giver: 1,
        to: To::Unit(11),
        title: "为秋季业主活动预留场地",
        body: "约 200 人，需要音响和两名保安。",
        has_customer: false,
        process: "",
        priority: 1,
        given: 2,
        due: 9,
        then: Then::Taken(1, 6),
    },
    DemoAssignment {
        giver: 8,
        to: To::Person(56),
        title: "安排本季度大客户拜访",
        body: "列出前十名客户的拜访日期和陪同人员。",
        has_customer: false,
        process: "",
        priority: 2,
        given: 5,
        due: 5,
        then: Then::Taken(1, 56),
    },
    DemoAssignment {
        giver: 13,
        to: To::Unit(4),
        title: "汇总上月投诉的处理结果",
        body: "按门店列出件数、满意度和未办结的原因。",
        has_customer: false,
        process: "tousu",
        priority: 1,
        given: 20,
        due: -10,
        then: Then::Done(14, 12, "已汇总，共 17 件，未办结 2 件，明细见共享文件夹。"),
    },
];
