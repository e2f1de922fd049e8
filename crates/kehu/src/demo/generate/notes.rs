//! What staff write down after a call or a visit: templates by line of business, with gaps in braces.

use super::BusinessLine::{self, Manufacturing, Power, Property, Retail, Vehicles};
use super::random::Random;

/// One template. `{who}` is the person spoken to; the other gaps are in [`GAPS`].
pub struct Note {
    /// A kind of activity, see `DemoActivity::kind`.
    pub kind: &'static str,
    /// `"in"`, `"out"`, or empty where there is none.
    pub direction: &'static str,
    pub effective: bool,
    pub subject: &'static str,
    pub body: &'static str,
}

const fn note(
    kind: &'static str,
    direction: &'static str,
    effective: bool,
    subject: &'static str,
    body: &'static str,
) -> Note {
    Note { kind, direction, effective, subject, body }
}

/// Gaps that are worked out and not drawn from [`GAPS`].
#[cfg(test)]
const COMPUTED: [&str; 9] = ["who", "n", "nn", "few", "score", "lastm", "laterm", "d", "wan"];

/// Fills the gaps of a template written in `month`. A gap nobody knows is left out.
pub fn fill(template: &str, random: &mut Random, who: &str, month: i8) -> String {
    let month_after = |months: i64| ((i64::from(month) - 1 + months) % 12 + 1).to_string();
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (gap, behind) = after.split_once('}').unwrap_or((after, ""));
        match gap {
            "who" => text.push_str(who),
            "n" => text.push_str(&random.between(2, 9).to_string()),
            "nn" => text.push_str(&random.between(11, 48).to_string()),
            "few" => text.push_str(&random.between(2, 5).to_string()),
            "score" => text.push_str(&random.between(8, 10).to_string()),
            "lastm" => text.push_str(&month_after(11)),
            "laterm" => text.push_str(&month_after(random.between(1, 5))),
            "d" => text.push_str(&random.between(1, 28).to_string()),
            "wan" => text.push_str(&format!("{}.{}", random.between(1, 60), random.below(10))),
            gap => {
                let words = GAPS.iter().find(|(name, _)| *name == gap);
                text.push_str(words.map_or("", |(_, words)| *random.pick::<&str>(words)));
            }
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

const GAPS: &[(&str, &[&str])] = &[
    ("weekday", &["下周一", "下周二", "下周三", "本周四", "本周五", "下周五"]),
    ("part", &["上午", "下午"]),
    ("car", &["凯美瑞", "雅阁", "朗逸", "迈腾", "宋PLUS", "秦PLUS", "星瑞", "哈弗H6", "GL8", "汉兰达"]),
    (
        "carwork",
        &["首保", "小保养", "大保养", "更换刹车片", "更换蓄电池", "空调清洗", "四轮定位", "钣金喷漆"],
    ),
    ("machine", &["螺杆空压机", "离心泵", "低压配电柜", "冷水机组", "变频控制柜", "冷却塔"]),
    ("fault", &["运行噪声偏大", "出口压力不稳", "温度报警", "启动后跳闸", "密封处渗油", "显示屏不亮"]),
    ("spare", &["轴承", "机械密封", "油滤芯", "空滤芯", "接触器", "温度传感器"]),
    (
        "home",
        &["厨房下水管堵塞", "卫生间天花渗水", "入户门锁故障", "空调外机滴水", "阳台推拉门变形", "电表箱跳闸"],
    ),
    (
        "office",
        &[
            "中央空调不制冷",
            "电梯等候时间过长",
            "停车位不足",
            "夜间门禁刷卡失灵",
            "公共洗手间异味",
            "网络机房断电",
        ],
    ),
    ("goods", &["饮料", "休闲食品", "粮油", "洗护用品", "小家电", "纸品", "调味品"]),
    ("gift", &["堆头陈列", "买二送一", "第二件半价", "满额抽奖", "开学季促销", "中秋礼盒预售"]),
    ("kva", &["100", "200", "250", "315", "400", "630", "800", "1000", "1250"]),
    (
        "stuff",
        &["营业执照副本", "法人身份证复印件", "经办人委托书", "用电设备清单", "产权证明", "负荷计算书"],
    ),
    ("rival", &["同行报价低约5个百分点", "竞品给的账期更长", "另一家承诺送货上门", "同类项目正在比价"]),
    ("mood", &["比较满意", "基本认可", "表示满意", "很满意"]),
    ("taste", &["价格", "油耗", "空间", "保值率", "续航", "保养费用"]),
    ("reason", &["价格", "账期", "交货期", "总部审批", "资金安排", "使用部门意见"]),
];

/// Notes that fit every customer.
pub const GENERAL: &[Note] = &[
    note(
        "call",
        "out",
        true,
        "例行电话回访",
        "致电{who}做例行回访，对近期服务{mood}，暂无新的要求。约定{laterm}月份再联系。",
    ),
    note("call", "out", false, "电话无人接听", "拨打两次均无人接听，已发短信说明来意，改日再拨。"),
    note("call", "out", false, "号码已停机", "原登记号码提示已停机，需通过其他联系人核实新号码。"),
    note("call", "out", false, "正在开会", "{who}在开会，不便通话，请我们{weekday}再打。"),
    note(
        "call",
        "in",
        true,
        "来电核对账单",
        "{who}来电核对{lastm}月账单，差异为一笔手续费，已解释清楚并把明细发到邮箱。",
    ),
    note("call", "in", true, "来电询问开票", "{who}询问专用发票开具进度，已与财务确认，{weekday}寄出。"),
    note("sms", "out", true, "节日问候", "发送节日问候短信，{who}已回复感谢。"),
    note("sms", "out", false, "缴费提醒", "发送{lastm}月款项到期提醒，暂未回复。"),
    note("email", "out", true, "发送对账函", "把{lastm}月对账函发给{who}，请其核对盖章后回传。"),
    note("email", "in", true, "收到更名资料", "{who}邮件发来变更后的开票资料，已转财务更新。"),
    note("letter", "out", true, "寄送感谢函", "随函寄去年度感谢函和服务手册，快递显示已签收。"),
    note(
        "letter",
        "in",
        true,
        "收到来函",
        "收到对方来函一份，说明联系人调整及今后函件寄送地址，原件已归档。",
    ),
    note("fax", "out", true, "传真合同条款", "应对方要求传真补充条款，共{n}页，{who}电话确认收到。"),
    note("fax", "in", true, "收到传真订单", "收到盖章传真件一份，共{n}页，内容清晰，已转业务处理。"),
    note(
        "visit",
        "out",
        true,
        "年度拜访",
        "与{who}面谈约一小时，回顾全年合作情况，对方{mood}，希望明年继续由原班人员服务。",
    ),
    note("visit", "out", false, "上门未遇", "按约上门，{who}临时外出，由前台代收资料。改约{weekday}{part}。"),
    note("visit", "in", true, "来访参观", "{who}一行{n}人来访参观，安排讲解和座谈，主要关心{reason}问题。"),
    note("note", "", true, "内部备忘", "该客户付款需走总部流程，周期约{nn}天，安排回款时应提前提醒。"),
    note("note", "", true, "联系偏好", "{who}上午一般开会，下午三点以后联系较方便，重要事项请发邮件留底。"),
    note("need", "", true, "提出新需求", "{who}希望我们每季度提供一次书面服务报告，格式可沿用去年的版本。"),
    note(
        "meeting",
        "",
        true,
        "合作协调会",
        "与{who}召开协调会，逐项确认遗留问题{n}项，明确责任人和完成日期，会议纪要已发双方。",
    ),
];

/// Changes at an organisation or in our relation to it; entered by the people who hear of them.
pub const CHANGES: &[Note] = &[
    note(
        "change_customer",
        "",
        true,
        "法定代表人变更",
        "工商公示显示法定代表人已变更，{who}确认日常业务仍由原部门负责。",
    ),
    note(
        "change_customer",
        "",
        true,
        "办公地址搬迁",
        "对方{laterm}月起将搬入新址，旧址保留仓库。已请其提供新的收件地址和开票信息。",
    ),
    note("change_customer", "", true, "注册资本增加", "对方完成增资，计划扩大经营规模，近期可能有新的采购。"),
    note(
        "change_customer",
        "",
        true,
        "主要负责人离职",
        "原对接负责人离职，由{who}接手，已互留联系方式并介绍既往约定。",
    ),
    note(
        "change_customer",
        "",
        true,
        "经营困难",
        "据{who}介绍，主要订单减少，正在压缩开支，需关注付款能力。",
    ),
    note("change_relation", "", true, "续签框架协议", "与对方续签两年框架协议，价格条款不变，新增季度返利。"),
    note(
        "change_relation",
        "",
        true,
        "调整账期",
        "经双方协商，账期由30天调整为45天，{laterm}月起执行，已报财务备案。",
    ),
    note(
        "change_relation",
        "",
        true,
        "升级为重点客户",
        "年度业务量达到标准，经部门评审升级为重点客户，指定专人服务。",
    ),
    note("change_relation", "", true, "暂停合作", "因{reason}未谈妥，对方暂停本年度合作，保持电话联系。"),
    note(
        "change_relation",
        "",
        true,
        "更换客户经理",
        "因岗位调整更换客户经理，已由新经理电话自我介绍并上门拜访一次。",
    ),
];

/// Notes of one line of business, for organisations.
pub fn of_organisation(line: BusinessLine) -> &'static [Note] {
    match line {
        Property => TENANTS,
        Vehicles => FLEETS,
        Power => POWER,
        Retail => RETAIL,
        Manufacturing => MANUFACTURING,
    }
}

/// Notes of one line of business, for persons.
pub fn of_person(line: BusinessLine) -> &'static [Note] {
    match line {
        Property => RESIDENTS,
        Vehicles => DRIVERS,
        Power => HOUSEHOLDS,
        Retail | Manufacturing => SHOPPERS,
    }
}

const TENANTS: &[Note] = &[
    note("call", "in", true, "报修：公共设施", "{who}来电反映{office}，已派工程部到场，{n}0分钟内恢复。"),
    note(
        "visit",
        "out",
        true,
        "租户走访",
        "走访租户，{who}反映{office}，其余服务{mood}。已记录并约定{weekday}答复。",
    ),
    note(
        "visit",
        "out",
        true,
        "续租洽谈",
        "租约{laterm}月到期，与{who}洽谈续租，对方希望租金维持不变，免租期一个月，需报批。",
    ),
    note("meeting", "", true, "租户见面会", "参加楼宇租户见面会，{who}建议增加电动车充电位和午间食堂窗口。"),
    note("need", "", true, "扩租需求", "公司人员增加，希望在同层扩租约{nn}0平方米，年内入驻。"),
    note("need", "", true, "加班空调", "{who}申请工作日晚间延时空调，每周{few}天，费用按公示标准。"),
    note("call", "out", true, "催缴物业费", "提醒{lastm}月物业费，{who}答应{weekday}安排付款。"),
    note("call", "out", false, "催缴未果", "对方称财务出差，付款时间未定，需继续跟进。"),
    note("email", "out", true, "停水通知", "发送水箱清洗停水通知，{who}回复已知悉并转告员工。"),
    note("letter", "out", true, "装修整改函", "巡查发现装修堆料占用通道，发整改函一份，限三日内清理。"),
];

const RESIDENTS: &[Note] = &[
    note("call", "in", true, "报修：户内", "业主来电报{home}，已派单，师傅约{weekday}{part}上门。"),
    note("call", "out", true, "维修回访", "维修完成后回访，{who}{mood}，打{score}分，无遗留问题。"),
    note("visit", "out", true, "入户走访", "与管家一同入户走访，{who}建议加强地下车库照明，其他{mood}。"),
    note("visit", "in", true, "前台来访", "{who}到前台办理门禁卡{n}张，登记家庭成员信息。"),
    note("call", "in", true, "噪声投诉", "反映楼上夜间装修噪声，已联系施工方限时作业，{who}表示接受。"),
    note("sms", "out", true, "缴费通知", "发送{lastm}月物业费账单短信，当日已线上缴清。"),
    note("need", "", true, "车位需求", "{who}希望租用固定车位一个，登记排队，现排第{nn}位。"),
    note("need", "", true, "加装充电桩", "新购电动车，申请在自有车位安装充电桩，已告知所需资料。"),
    note("call", "out", false, "上门时间未约定", "{who}近期出差，维修上门时间待定，下月再约。"),
    note("note", "", true, "家庭情况", "家中有老人独居，出入时请留意，紧急联系人已登记。"),
];

const FLEETS: &[Note] = &[
    note(
        "visit",
        "out",
        true,
        "车队拜访",
        "拜访{who}，车队现有{nn}台车，{n}台今年到报废期，计划{laterm}月招标采购。",
    ),
    note("call", "in", true, "集中保养预约", "{who}预约{n}台车{carwork}，安排在{weekday}分批进店。"),
    note("call", "out", true, "报价跟进", "跟进{car}批量报价，{who}表示{rival}，请我们再核一次。"),
    note(
        "email",
        "out",
        true,
        "发送团购方案",
        "发送{car}{n}台团购方案，含三年保养套餐，{who}将提交采购会讨论。",
    ),
    note("need", "", true, "置换需求", "有{n}台旧车希望置换，需上门评估残值。"),
    note("visit", "in", true, "到店试驾", "{who}到店试驾{car}，对后排空间{mood}，关注油耗。"),
    note("meeting", "", true, "服务协议洽谈", "就年度维修服务协议洽谈，对方要求工时费九折、月结，需报总监。"),
    note("call", "out", false, "招标延期", "{who}告知采购预算未批，招标延期，{laterm}月再联系。"),
];

const DRIVERS: &[Note] = &[
    note("visit", "in", true, "到店看车", "{who}到店看{car}，家人一同试驾，{mood}，主要在比较{taste}。"),
    note("call", "out", true, "试驾后回访", "试驾后回访，{who}对动力和静音{mood}，想等月底活动再定。"),
    note("call", "out", true, "交车三日回访", "交车后回访，车辆使用正常，已指导手机互联设置。"),
    note(
        "call",
        "out",
        true,
        "保养提醒",
        "里程接近保养周期，提醒做{carwork}，{who}预约{weekday}{part}进店。",
    ),
    note("call", "in", true, "售后咨询", "来电咨询仪表提示灯，初步判断为胎压报警，建议到店免费检查。"),
    note("visit", "in", true, "进店维修", "进店{carwork}，完工后路试正常，向{who}说明下次保养时间。"),
    note("sms", "out", true, "续保提醒", "发送保险到期提醒，{who}回复请报价。"),
    note("call", "out", false, "暂不考虑", "{who}表示已在别处订车，暂不考虑，保留资料。"),
    note("need", "", true, "置换意向", "现有车辆开了{n}年，想置换{car}，请评估旧车价格。"),
    note(
        "call",
        "in",
        true,
        "道路救援",
        "{who}来电求助，车辆无法启动，救援车{nn}分钟到达，更换蓄电池后恢复。",
    ),
    note("note", "", true, "用户资料核对", "核对联系人和唯一联系电话，信息一致；行驶证复印件已补齐。"),
];

const POWER: &[Note] = &[
    note(
        "visit",
        "in",
        true,
        "受理增容申请",
        "{who}到营业窗口申请增容至{kva}kVA，缺{stuff}，已一次性告知补齐。",
    ),
    note(
        "visit",
        "out",
        true,
        "现场勘查",
        "与客户现场勘查，核对配电房位置和进线路径，负荷性质为一般工业，建议{kva}kVA专变。",
    ),
    note("call", "out", true, "答复供电方案", "电话告知供电方案已批复，请{who}{weekday}领取通知书。"),
    note(
        "letter",
        "out",
        true,
        "送达供电方案通知书",
        "供电方案通知书送达，{who}签收，说明有效期和后续设计送审要求。",
    ),
    note(
        "meeting",
        "",
        true,
        "设计审查会",
        "召开设计审查会，提出意见{n}条，主要为保护定值和接地电阻，设计单位{weekday}前修改。",
    ),
    note(
        "visit",
        "out",
        true,
        "中间检查",
        "隐蔽工程中间检查，电缆沟防水需整改，其余符合批准设计，意见书已交{who}。",
    ),
    note(
        "visit",
        "out",
        true,
        "安全用电检查",
        "季度用电检查，发现补偿电容退出运行，功率因数偏低，已书面建议更换。",
    ),
    note("call", "in", true, "停电咨询", "{who}来电询问计划停电时间，告知停电范围和恢复时间，建议错峰生产。"),
    note("call", "out", true, "电费提醒", "提醒{lastm}月电费约{wan}万元，{who}答应月底前支付。"),
    note("call", "out", false, "竣工资料未齐", "竣工报告仍缺{stuff}，{who}称施工单位还在整理，验收暂缓。"),
    note("need", "", true, "双回路需求", "生产线不能中断，希望增加备用电源，需按负荷性质论证。"),
    note("email", "in", true, "收到设计图纸", "收到设计单位送审图纸一套，{who}抄送，已登记并转营销部。"),
];

const HOUSEHOLDS: &[Note] = &[
    note(
        "call",
        "in",
        true,
        "咨询电费",
        "{who}询问{lastm}月电费偏高原因，核对抄表数据无误，建议检查热水器。",
    ),
    note("visit", "in", true, "新装用电", "到营业窗口办理居民新装，资料齐全，约{weekday}装表。"),
    note("visit", "out", true, "装表接电", "上门装表接电，讲解用电安全，{who}签字确认。"),
    note("call", "in", true, "故障报修", "反映家中停电，判断为户内开关跳闸，指导复位后恢复。"),
    note("need", "", true, "充电桩报装", "申请个人充电桩报装，已告知需提供车位证明和物业同意书。"),
    note("call", "out", false, "联系不上户主", "登记电话为租户所有，户主联系方式待核实。"),
];

const RETAIL: &[Note] = &[
    note("visit", "out", true, "门店巡访", "巡店查看陈列，{goods}缺货{n}个单品，已帮{who}下单补货。"),
    note("call", "in", true, "订货", "{who}来电订{goods}{nn}件，{weekday}送货，货款月结。"),
    note("visit", "out", true, "促销洽谈", "与{who}洽谈{gift}方案，费用各担一半，{laterm}月{d}日开始。"),
    note("call", "out", true, "回款跟进", "跟进上月货款{wan}万元，{who}确认已提交付款。"),
    note("call", "out", false, "回款未落实", "货款仍未到账，{who}以{reason}为由推迟，需上报是否停止发货。"),
    note("call", "in", true, "临期退换", "反映{goods}有{n}件临期，按退换办法同意调换，{weekday}随车取回。"),
    note("need", "", true, "陈列支持", "希望配冷柜一台和店招一块，承诺全年进货量提高一成。"),
    note("meeting", "", true, "季度订货会", "{who}参加季度订货会，签订意向{wan}万元，比去年同期有所增长。"),
    note("visit", "out", true, "加盟商辅导", "到店辅导收银和库存盘点，{who}{mood}，建议每月安排一次。"),
    note(
        "call",
        "in",
        true,
        "消费者投诉转达",
        "门店转达消费者投诉{goods}包装破损，核实属运输原因，同意换货并致歉。",
    ),
];

const MANUFACTURING: &[Note] = &[
    note(
        "visit",
        "out",
        true,
        "技术交流",
        "与{who}就{machine}选型做技术交流，工况参数已记录，{weekday}前提交方案。",
    ),
    note("email", "out", true, "发送报价", "发送{machine}{n}台报价，合计{wan}万元，含安装调试，有效期30天。"),
    note("call", "out", true, "报价跟进", "{who}表示{rival}，但认可我们的售后，希望再优惠一些。"),
    note("call", "out", false, "项目暂缓", "{who}告知项目因{reason}暂缓，预计{laterm}月重新启动。"),
    note("call", "in", true, "设备报障", "{machine}{fault}，已电话指导检查，并安排工程师{weekday}到厂。"),
    note(
        "visit",
        "out",
        true,
        "现场维修",
        "到厂检修{machine}，更换{spare}{n}件，试机两小时正常，{who}签字验收。",
    ),
    note("visit", "out", true, "设备巡检", "年度巡检，{machine}运行正常，建议备一套{spare}。"),
    note(
        "meeting",
        "",
        true,
        "验收会",
        "{machine}项目验收，遗留问题{n}项限期整改，{who}同意先付到九成货款。",
    ),
    note("need", "", true, "备件需求", "{who}需要{spare}{nn}件，要求两周内到货，正在核库存。"),
    note("need", "", true, "扩产计划", "对方计划{laterm}月扩建车间，需增加{machine}{n}台，预算约{wan}万元。"),
    note("letter", "out", true, "质保到期函", "发函告知质保即将到期，附延保方案，{who}已签收。"),
    note("fax", "in", true, "收到采购合同", "收到{machine}采购合同盖章传真件，交期{nn}天，已转生产排期。"),
];

const SHOPPERS: &[Note] = &[
    note("call", "in", true, "产品咨询", "{who}咨询{goods}使用方法和保质期，已答复并发送说明。"),
    note("call", "in", true, "退换货", "反映购买的{goods}有破损，凭小票办理换货，{who}表示满意。"),
    note("visit", "in", true, "会员办理", "到店办理会员卡，偏好{goods}，同意接收活动短信。"),
    note("sms", "out", true, "活动通知", "发送{gift}活动短信，{who}到店消费一次。"),
    note("call", "out", false, "回访未接", "满意度回访电话未接通。"),
    note("need", "", true, "团购需求", "单位福利团购{goods}约{nn}份，请报价。"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gap_is_known_and_every_kind_valid() {
        let kinds = [
            "call",
            "visit",
            "letter",
            "fax",
            "email",
            "sms",
            "meeting",
            "note",
            "need",
            "change_customer",
            "change_relation",
        ];
        let mut random = Random::split(7, 0);
        let lines = [Property, Vehicles, Power, Retail, Manufacturing];
        let special = lines.into_iter().flat_map(|line| of_organisation(line).iter().chain(of_person(line)));
        for note in GENERAL.iter().chain(CHANGES).chain(special) {
            assert!(kinds.contains(&note.kind), "{}", note.kind);
            let mut rest = note.body;
            while let Some((_, after)) = rest.split_once('{') {
                let (gap, behind) = after.split_once('}').expect("closed");
                let computed = COMPUTED.contains(&gap);
                assert!(computed || GAPS.iter().any(|(name, _)| *name == gap), "{gap}");
                rest = behind;
            }
            let text = fill(note.body, &mut random, "王经理", 12);
            assert!(!text.contains(['{', '}', ',']) && text.ends_with('。'), "{text}");
        }
        assert_eq!(fill("{who}{", &mut random, "甲", 1), "甲");
    }
}
