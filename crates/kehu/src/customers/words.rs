//! What the values of the things that hang on a customer (contacts, assets, activities, files) are called: the
//! customer's history and the operation log read them from the audit log by their stored names.

/// The title of a value (source text).
pub(crate) fn hanging_title(object: &str, key: &str) -> Option<&'static str> {
    Some(match (object, key) {
        ("contact", "name") => "姓名",
        ("contact", "title") => "职务",
        ("contact", "department") => "部门",
        ("contact", "phone") => "手机或电话",
        ("contact", "birthday") => "生日",
        ("contact", "is_primary") => "主要联系人",
        ("asset" | "activity", "kind") => "种类",
        ("asset" | "file", "name") => "名称",
        ("asset", "code") => "编号",
        ("asset", "plate") => "车牌号",
        ("asset", "vin") => "车架号",
        ("asset", "brand_model") => "品牌型号",
        ("asset", "bought_on") => "购车日期",
        ("asset", "community") => "小区",
        ("asset", "building") => "楼栋",
        ("asset", "unit") => "单元",
        ("asset", "room") => "房号",
        ("asset", "area") => "面积（平方米）",
        ("asset", "number") => "电表编号",
        ("asset", "capacity_kva") => "容量（kVA）",
        ("asset", "model") => "产品型号",
        ("asset", "serial") => "序列号",
        ("asset", "installed_on") => "安装日期",
        ("asset", "warranty_until") => "保修截止",
        ("activity", "subject") => "主题",
        ("activity", "body") => "内容",
        ("activity", "direction") => "方向",
        ("activity", "result") => "结果",
        ("activity", "effect") => "影响",
        ("activity", "contact_id") => "联系人",
        ("activity", "happened_at") => "发生时间",
        ("activity", "done_at") => "办结时间",
        ("activity", "done_by") => "办结人",
        ("file", "size") => "大小",
        ("file", "object") => "种类",
        (_, "landline") => "固定电话",
        (_, "email") => "电子邮箱",
        (_, "wechat") => "微信",
        (_, "source") => "信息来源",
        (_, "remark") => "备注",
        _ => return None,
    })
}

/// What a stored code means (source text); `None` for free text.
pub(crate) fn hanging_code(object: &str, key: &str, code: &str) -> Option<&'static str> {
    Some(match (object, key, code) {
        ("activity", "direction", "out") => "我方去",
        ("activity", "direction", "in") => "对方来",
        ("asset", "kind", "vehicle") => "车辆",
        ("asset", "kind", "room") => "房产",
        ("asset", "kind", "meter") => "电表",
        ("asset", "kind", "product") => "产品",
        ("file", "object", "customer") => "客户",
        ("file", "object", "activity") => "动态",
        ("file", "object", "import") => "导入",
        ("activity", "kind", "call") => "电话",
        ("activity", "kind", "visit") => "拜访",
        ("activity", "kind", "need") => "需求",
        ("activity", "kind", "letter") => "信函",
        ("activity", "kind", "fax") => "传真",
        ("activity", "kind", "long_distance") => "长途电话",
        ("activity", "kind", "email") => "邮件",
        ("activity", "kind", "sms") => "短信",
        ("activity", "kind", "meeting") => "会议",
        ("activity", "kind", "note") => "备注",
        ("activity", "kind", "change_customer") => "客户方重大变动",
        ("activity", "kind", "change_relation") => "双方关系重大变动",
        _ => return None,
    })
}

/// The dictionary whose codes a value holds.
pub(crate) fn hanging_dictionary(object: &str, key: &str) -> Option<&'static str> {
    match (object, key) {
        ("activity", "result") => Some("activity_result"),
        ("activity", "source") => Some("change_source"),
        _ => None,
    }
}

/// Whether the value serves the program alone and is left out of what people read.
pub(crate) fn is_hanging_internal(object: &str, key: &str) -> bool {
    matches!(object, "file" | "import") && key == "sha256"
}
