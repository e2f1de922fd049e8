//! How the made-up group serves its customers.

/// A service strategy as the names and values of its form.
pub(crate) type DemoStrategy = [(&'static str, &'static str); 9];

/// The group's service strategies, the wide ones first.
pub(crate) const STRATEGIES: [DemoStrategy; 6] = [
    [
        ("name", "个人客户基本服务"),
        ("kind", "person"),
        ("class", ""),
        ("level", ""),
        ("needs", "看重办事方便、回复快、说得明白；多在下班后和周末联系。"),
        ("content", "来电当天回复；节日发送问候；保修期满前提醒保养；资料有变当天更新。"),
        ("rhythm_days", "90"),
        ("channel", "电话、微信"),
        ("post", "客户关爱专员"),
    ],
    [
        ("name", "企业客户基本服务"),
        ("kind", "organisation"),
        ("class", ""),
        ("level", ""),
        ("needs", "看重交期、发票和合同手续；采购、使用、财务由不同的人负责。"),
        (
            "content",
            "每位客户指定一名负责人；报价两个工作日内回复；每季度对账一次；主要联系人变动时登记并上报。",
        ),
        ("rhythm_days", "60"),
        ("channel", "电话、上门"),
        ("post", "客户经理"),
    ],
    [
        ("name", "潜在客户培育"),
        ("kind", ""),
        ("class", "potential"),
        ("level", ""),
        ("needs", "还在比较几家，需要案例、样品和明确的报价。"),
        ("content", "首次接触后三天内送达资料；每月联系一次，记录意向变化；三个月无进展交主管复核。"),
        ("rhythm_days", "30"),
        ("channel", "电话、邮件"),
        ("post", "客户经理"),
    ],
    [
        ("name", "A级客户贵宾服务"),
        ("kind", ""),
        ("class", ""),
        ("level", "A"),
        ("needs", "业务量大，要求优先处理和固定的联系人。"),
        ("content", "需求两小时内响应、优先排期；每季度由部门经理拜访；投诉由部门经理亲自处理。"),
        ("rhythm_days", "15"),
        ("channel", "上门、电话"),
        ("post", "部门经理"),
    ],
    [
        ("name", "重点企业客户专属服务"),
        ("kind", "organisation"),
        ("class", "key"),
        ("level", ""),
        ("needs", "长期合作，关心供货稳定、技术支持和年度价格。"),
        (
            "content",
            "专人负责、备有替补；每月拜访一次；每半年由公司领导回访；年初共同制定服务计划，年末评价。",
        ),
        ("rhythm_days", "30"),
        ("channel", "上门、会议"),
        ("post", "大客户经理"),
    ],
    [
        ("name", "重点个人客户关怀"),
        ("kind", "person"),
        ("class", "key"),
        ("level", ""),
        ("needs", "多次购买并介绍亲友，希望被记得和被优先照顾。"),
        ("content", "生日和重要节日电话问候；新产品和活动优先邀请；上门服务优先安排。"),
        ("rhythm_days", "30"),
        ("channel", "电话、微信"),
        ("post", "客户关爱专员"),
    ],
];
