//! What the log's codes are called.

use serde_json::{Map, Value as Json};

use crate::access::Scope;
use crate::audit::Written;
use crate::auth::device_title;
use crate::catalogue::{Catalogue, CustomKind};
use crate::customers::{Field, SPECS, hanging_code, hanging_dictionary, hanging_title, is_hanging_internal};
use crate::i18n::Lang;
use crate::settings::{self, Parameter};
use crate::web::Choice;

/// Groups of actions for the filter: the code's beginning and the name people read (source text).
pub(super) const GROUPS: [(&str, &str); 41] = [
    ("customer.", "客户"),
    ("contact.", "联系人"),
    ("asset.", "资产"),
    ("activity.", "动态"),
    ("file.", "附件"),
    ("import.", "导入"),
    ("login.", "登录"),
    ("session.", "结束登录"),
    ("person.", "人员"),
    ("unit.", "部门"),
    ("position.", "任职"),
    ("organisation.", "组织"),
    ("role.", "角色与授权"),
    ("confidentiality.", "保密承诺"),
    ("token.", "API 令牌"),
    ("dictionary.", "字典"),
    ("custom_field.", "客户字段"),
    ("strategy.", "服务策略"),
    ("assignment.", "交办"),
    ("process.", "职责分工"),
    ("delegation.", "代理"),
    ("skill.", "专长"),
    ("absence.", "请假外出"),
    ("roster.", "值班表"),
    ("shift.", "班次"),
    ("swap.", "换班"),
    ("policy.", "制度"),
    ("case.", "单据"),
    ("penalty.", "罚则"),
    ("duty.", "定期职责"),
    ("report.", "报表"),
    ("briefing.", "向上级报告"),
    ("print.", "打印"),
    ("view.", "列表方案"),
    ("setting.", "设置"),
    ("calendar.", "工作日历"),
    ("company.", "公司"),
    ("demo.", "演示数据"),
    ("backup.", "备份"),
    ("access.", "拒绝访问"),
    ("audit.", "查阅日志"),
];

/// The name of an action; the code itself when it has none.
pub(super) fn action(code: &str, l: Lang) -> String {
    let (object, verb) = code.split_once('.').unwrap_or((code, ""));
    let whole = match code {
        "login.succeeded" => "登录成功",
        "login.failed" => "登录失败",
        "logout" => "退出登录",
        "session.ended" => "结束登录",
        "access.hidden" => "访问无权查看的对象",
        "access.refused" => "操作被拒绝",
        "access.explained" => "查询他人权限",
        "customer.shared" => "共享客户",
        "customer.unshared" => "结束共享客户",
        "customer.excluded" => "设置回避",
        "customer.included" => "解除回避",
        "customer.marked" => "客户分类标注",
        "import.undo_requested" => "要求撤销导入",
        "import.configured" => "设置导入的列和重复处理",
        "import.failed" => "导入失败",
        "import.errors_exported" => "下载导入错误文件",
        "organisation.errors_exported" => "下载组织导入错误文件",
        "organisation.passwords_exported" => "下载初始密码",
        "company.copied" => "复制整个数据库",
        "backup.verification_requested" => "要求校验备份",
        "briefing.sent" => "报送向上级报告",
        "briefing.corrected" => "修改向上级报告",
        "briefing.read" => "查阅向上级报告",
        "role.granted" => "授予角色",
        "role.taken" => "收回角色",
        "role.confirmed" => "复核授权",
        "role.post_changed" => "修改岗位的角色",
        "role.exported" => "导出授权复核",
        "confidentiality.published" => "发布保密承诺",
        "confidentiality.registered" => "登记客户信息人员",
        "confidentiality.ended" => "取消登记客户信息人员",
        "confidentiality.signed" => "签署保密承诺",
        "confidentiality.exported" => "导出客户信息人员",
        "person.unlocked" => "解除登录锁定",
        "person.password_changed" => "修改密码",
        "person.password_refused" => "修改密码被拒绝",
        "company.setup_refused" => "首次设置被拒绝",
        "person.left" => "办理离职",
        "person.leaving_cancelled" => "取消离职",
        "person.transferred" => "办理调动",
        "person.mail_chosen" => "选择邮件提醒",
        "roster.published" => "发布值班表",
        "shift.swapped" => "班次换给同事",
        "shift.given" => "班次交给接手人",
        "swap.asked" => "提出换班",
        "swap.accepted" => "同意换班",
        "swap.declined" => "不同意换班",
        "swap.withdrawn" => "撤回换班",
        "swap.approved" => "批准换班",
        "swap.refused" => "不批准换班",
        "swap.voided" => "换班失效",
        "unit.moved" => "移动部门",
        "unit.closed" => "撤销部门",
        "unit.reopened" => "恢复部门",
        "organisation.imported" => "导入组织",
        "dictionary.entry_created" => "新增字典值",
        "dictionary.entry_updated" => "修改字典值",
        "dictionary.reordered" => "调整字典顺序",
        "custom_field.reordered" => "调整字段顺序",
        "backup.started" => "开始备份",
        "backup.created" => "完成备份",
        "backup.cancelled" => "停止备份",
        "backup.verified" => "校验备份",
        "backup.downloaded" => "下载备份",
        "backup.deleted" => "删除备份",
        "backup.restored" => "从备份恢复",
        "assignment.given" => "交办任务",
        "assignment.given_again" => "改交任务",
        "assignment.handed_over" => "移交任务",
        "assignment.giver_changed" => "移交交办人",
        "assignment.taken" => "领取任务",
        "assignment.done" => "办结任务",
        "assignment.returned" => "退回任务",
        "assignment.withdrawn" => "撤回任务",
        "policy.published" => "发布制度",
        "policy.discarded" => "放弃制度草稿",
        "policy.acknowledged" => "签收制度",
        "policy.compliance_exported" => "导出执行情况",
        "policy.compliance_printed" => "打印执行情况",
        "case.opened" => "发起单据",
        "case.changed" => "办理单据",
        "case.closed" => "办结单据",
        "case.exempted" => "批准单据例外",
        "case.failed" => "事件没有办成",
        "penalty.confirmed" => "确认处罚",
        "penalty.cancelled" => "撤销处罚",
        "penalty.appealed" => "提出申诉",
        "penalty.upheld" => "维持处罚",
        "penalty.withdrawn" => "采纳申诉，撤销处罚",
        "duty.closed" => "一轮定期职责截止",
        "report.made" => "生成报表",
        "report.reviewed" => "审核报表",
        "report.returned" => "退回报表",
        "print.made" => "打印单据",
        "report.printed" => "打印报表",
        "setting.changed" => "修改设置",
        "calendar.marked" => "标注工作日历",
        "calendar.unmarked" => "取消工作日历的标注",
        "calendar.year_entered" => "确认全年放假安排",
        "calendar.year_reopened" => "取消确认全年放假安排",
        "setting.mail_retried" => "重发邮件",
        "demo.cleared" => "清除演示数据",
        "audit.read" => "查阅日志",
        "audit.exported" => "导出日志",
        "audit.verified" => "校验日志",
        _ => "",
    };
    if !whole.is_empty() {
        return l.t(whole).to_owned();
    }
    let verb = match verb {
        "created" => "新增",
        "updated" => "修改",
        "deleted" => "删除",
        "restored" => "恢复",
        "exported" => "导出",
        "revoked" => "吊销",
        "reordered" => "调整顺序",
        "read" => "查看",
        "saved" => "保存",
        "removed" => "移除",
        "downloaded" => "下载",
        "started" => "开始",
        "uploaded" => "上传",
        "checked" => "检查",
        "finished" => "完成",
        "undone" => "撤销",
        "cancelled" => "取消",
        _ => return code.to_owned(),
    };
    let object = self::object(object, l);
    match l {
        Lang::Zh => format!("{verb}{object}"),
        Lang::En => format!("{object}: {}", l.t(verb)),
    }
}

/// The name of a kind of object.
pub(super) fn object(code: &str, l: Lang) -> String {
    let title = match code {
        "customer" => "客户",
        "contact" => "联系人",
        "asset" => "资产",
        "activity" => "动态",
        "file" => "附件",
        "import" => "导入",
        "person" => "人员",
        "unit" => "部门",
        "position" => "任职",
        "organisation" => "组织",
        "role" => "角色",
        "confidentiality" => "保密承诺",
        "share" => "协作",
        "exclusion" => "回避",
        "token" => "API 令牌",
        "dictionary" => "字典",
        "dictionary_entry" => "字典值",
        "custom_field" => "客户字段",
        "strategy" => "服务策略",
        "assignment" => "交办任务",
        "process" => "流程",
        "delegation" => "代理",
        "skill" => "专长",
        "absence" => "请假外出",
        "roster" => "值班表",
        "shift" => "班次",
        "swap" => "换班",
        "policy" => "制度",
        "case" => "单据",
        "penalty" => "罚则",
        "duty" => "定期职责",
        "report" => "报表",
        "setting" => "设置",
        "calendar" => "工作日历",
        "backup" => "备份",
        "company" => "公司",
        "view" => "列表方案",
        "audit" => "日志",
        "print" => "打印件",
        "briefing" => "向上级报告",
        "route" => "页面或接口",
        _ => return code.to_owned(),
    };
    l.t(title).to_owned()
}

/// The name of a door.
pub(super) fn via(code: &str, l: Lang) -> String {
    let title = match code {
        "session" => "网页",
        "token" => "API",
        "command_line" => "命令行",
        "job" => "后台任务",
        _ => return code.to_owned(),
    };
    l.t(title).to_owned()
}

/// The name of a result and its colour.
pub(super) fn result(code: &str, l: Lang) -> (String, &'static str) {
    match code {
        "ok" => (l.t("成功").to_owned(), "green"),
        "denied" => (l.t("已拒绝").to_owned(), "red"),
        "failed" => (l.t("失败").to_owned(), "amber"),
        other => (other.to_owned(), ""),
    }
}

/// One changed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) title: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// Characters of a value shown.
const LONGEST: usize = 200;

/// Values that hold a person's id.
const PEOPLE: [&str; 13] = [
    "owner_id",
    "person",
    "person_id",
    "done_by",
    "head_id",
    "superior_id",
    "from_id",
    "to_id",
    "colleague_id",
    "assessed_by",
    "giver_id",
    "receiver_id",
    "acting_for",
];

/// What changed, value by value, in words; `people` are everybody's ids and names. Values that stayed the same are left out.
pub(super) fn changes(
    row: &Written,
    catalogue: &Catalogue,
    people: &[Choice],
    parameters: &'static [&'static [Parameter]],
    l: Lang,
) -> Vec<Change> {
    let (before, after) = (object_of(&row.before), object_of(&row.after));
    let mut keys: Vec<&String> = before.keys().collect();
    keys.extend(after.keys().filter(|k| !before.contains_key(*k)));
    keys.into_iter()
        .filter_map(|key| {
            let (was, is) = (before.get(key), after.get(key));
            if was == is || is_hanging_internal(&row.object, key) {
                return None;
            }
            let parameter = settings::find(parameters, key).filter(|_| row.object == "setting");
            let shown = |v: Option<&Json>| match v {
                None => String::new(),
                Some(v) if parameter.is_some() => parameter.map_or_else(String::new, |p| p.shown(v, l)),
                Some(Json::String(id)) if PEOPLE.contains(&key.as_str()) => {
                    people.iter().find(|p| p.value == *id).map_or_else(|| id.clone(), |p| p.label.clone())
                }
                Some(v) => value(&row.object, key, v, catalogue, l),
            };
            let title = match parameter {
                Some(parameter) => l.t(parameter.title).to_owned(),
                None => title(&row.object, key, catalogue, l),
            };
            let change = Change { title, before: shown(was), after: shown(is) };
            (!change.before.is_empty() || !change.after.is_empty()).then_some(change)
        })
        .collect()
}

fn object_of(text: &str) -> Map<String, Json> {
    match serde_json::from_str(text) {
        Ok(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

fn title(object: &str, key: &str, catalogue: &Catalogue, l: Lang) -> String {
    if object == "customer"
        && let Some(spec) = SPECS.iter().find(|s| s.key == key)
    {
        return l.t(spec.zh).to_owned();
    }
    if object == "strategy"
        && let Some(spec) = crate::strategies::FIELDS.iter().find(|s| s.key == key)
    {
        return l.t(spec.zh).to_owned();
    }
    if matches!(object, "contact" | "asset" | "activity" | "file")
        && let Some(zh) = hanging_title(object, key)
    {
        return l.t(zh).to_owned();
    }
    if let Some(scheme) = key.strip_prefix("mark.") {
        let dictionary = catalogue.dictionary(scheme);
        return l.pick(&dictionary.zh, &dictionary.en).to_owned();
    }
    let custom = key.strip_prefix("custom.").unwrap_or(key);
    if let Some(field) = catalogue.custom_fields.iter().find(|f| f.key == custom) {
        return field.title.clone();
    }
    let title = match key {
        "created" if object == "import" => "新建",
        "updated" if object == "import" => "更新",
        "failed" if object == "import" => "失败",
        "undone" if object == "import" => "撤销的行",
        "kept" if object == "import" => "保留的客户",
        "contacts" if object == "import" => "收回的联系人",
        "contacts_kept" if object == "import" => "保留的联系人",
        "read" if object == "import" => "读取",
        "skipped" if object == "import" => "跳过",
        "state" if object == "import" => "状态",
        "file" if object == "import" => "文件",
        "file" if object == "backup" => "文件",
        "en" => "英文名称",
        "definition" => "含义",
        "colour" => "颜色",
        "help" => "填写提示",
        "applies_to" => "适用的客户性质",
        "is_required" => "必填",
        "order" => "顺序",
        "days" if object == "calendar" => "日期和安排",
        "year" if object == "calendar" => "年份",
        "is_entered" => "已录入全年安排",
        "analysis" => "问题与需求分析",
        "suggestions" => "改进意见",
        "read_at" => "查阅时间",
        "asked" => "查询条件",
        "state" if object == "penalty" => "状态",
        "amount" if object == "penalty" => "数额",
        "clause" if object == "penalty" => "条款",
        "month" if object == "penalty" => "月份",
        "origin" => "来源",
        "customers" if object == "backup" => "客户",
        "attachments" => "附件",
        "missing" => "缺失的附件",
        "made_at" => "备份的时间",
        "sessions" => "结束的登录",
        "jobs" => "没有继续的任务",
        "size" => "大小",
        "name" if object == "person" || object == "contact" => "姓名",
        "title" if object == "person" || object == "contact" => "职务",
        "name" | "title" => "名称",
        "phone" => "电话",
        "unit_kind" => "部门类型",
        "code" if object == "unit" => "部门编码",
        "parent_id" => "上级部门",
        "unit_id" => "部门",
        "head_id" => "负责人",
        "position" if object == "unit" => "顺序",
        "closed_on" => "撤销日期",
        "post" if object == "position" || object == "person" => "岗位",
        "is_main" => "主岗",
        "superior_id" => "直接上级",
        "starts_on" => "开始日期",
        "ends_on" => "结束日期",
        "left_on" => "最后工作日",
        "email" => "邮箱",
        "username" => "用户名",
        "key" => "键名",
        "number" => "客户编号",
        "is_demo" => "演示",
        "expires_at" => "有效期至",
        "person_id" | "person" => "人员",
        "from_id" => "委托人",
        "to_id" => "代理人",
        "starts_at" => "开始时间",
        "ends_at" => "结束时间",
        "reason" => "原因",
        "skill" => "专长",
        "level" if object == "person" => "熟练程度",
        "valid_until" => "有效期至",
        "roster_id" => "值班表",
        "shift_id" => "班次",
        "other_shift_id" => "互换的班次",
        "colleague_id" => "换班的同事",
        "state" if object == "swap" => "状态",
        "answer" => "答复",
        "rest_hours" => "两个班次至少间隔（小时）",
        "swaps" => "换班",
        "score" => "测评成绩",
        "assessed_on" => "评定日期",
        "assessed_by" => "评定人",
        "first" => "第一天",
        "last" => "最后一天",
        "count" if object == "roster" => "班次数",
        "opens" => "值班时段，从",
        "closes" => "到",
        "weekdays" => "每周的日子",
        "note" => "备注",
        "action" => "动作",
        "customer" => "客户",
        "result" => "结果",
        "only_logins" => "登录日志",
        "problems" => "发现的问题",
        "roles" | "role" => "角色",
        "until" => "有效至",
        "bundle" => "共享权限",
        "unit" => "部门",
        "post" => "岗位",
        "body" if object == "assignment" => "具体要求",
        "process" => "流程",
        "giver_id" => "交办人",
        "receiver_id" => "办理人",
        "acting_for" => "代谁办理",
        "state" if object == "assignment" => "状态",
        "priority" => "优先级",
        "due" => "完成期限",
        "reply" => "办理结果",
        "responsible" => "R 负责",
        "accountable" => "A 批准",
        "consulted" => "C 咨询",
        "informed" => "I 知会",
        "code" => "编码",
        "rows" => "行数",
        "scope" => "数据范围",
        "is_active" => "启用",
        "owner_id" => "负责人",
        "tags" => "标签",
        "device" => "设备",
        "path" => "地址",
        "kind" => "类型",
        "choices" => "选项",
        "zh" => "名称",
        "dictionary" => "字典",
        "company" => "公司",
        "ended" => "结束的登录",
        "lang" => "语言",
        "for_oneself" => "为本人增加权限",
        "version" => "版本",
        "body" => "内容",
        "confidentiality.handlers" => "客户信息人员登记",
        "roles.review" => "授权复核期",
        "customer.requirements" => "必填要求",
        "assignments" => "交办设置",
        _ => return key.to_owned(),
    };
    l.t(title).to_owned()
}

fn value(object: &str, key: &str, value: &Json, catalogue: &Catalogue, l: Lang) -> String {
    let text = match value {
        Json::Null => String::new(),
        Json::Bool(true) => l.t("是").to_owned(),
        Json::Bool(false) => l.t("否").to_owned(),
        Json::String(code) if let Some(zh) = hanging_code(object, key, code) => l.t(zh).to_owned(),
        Json::String(code) if let Some(name) = hanging_dictionary(object, key) => {
            catalogue.dictionary(name).title(code, l).to_owned()
        }
        Json::String(code) if object == "import" && key == "state" => match code.as_str() {
            "done" => l.t("已完成").to_owned(),
            "cancelled" => l.t("已取消").to_owned(),
            "undone" => l.t("已撤销").to_owned(),
            _ => code.clone(),
        },
        Json::String(code) if object == "backup" && key == "origin" => match code.as_str() {
            "manual" => l.t("手动").to_owned(),
            "schedule" => l.t("定时").to_owned(),
            "command" => l.t("命令行").to_owned(),
            _ => code.clone(),
        },
        Json::String(code) if object == "swap" && key == "state" => {
            let state = crate::rosters::SwapState::ALL.into_iter().find(|s| s.code() == code);
            state.map_or_else(|| code.clone(), |s| l.t(s.title()).to_owned())
        }
        Json::String(code) if object == "penalty" && key == "state" => {
            let state = crate::penalties::State::named(code);
            state.map_or_else(|| code.clone(), |state| l.t(state.title()).to_owned())
        }
        Json::String(code) if object == "roster" && key == "swaps" => {
            crate::rosters::SwapRule::named(code).map_or_else(|| code.clone(), |r| l.t(r.title()).to_owned())
        }
        Json::String(code) if key == "skill" => catalogue.dictionary("skill").title(code, l).to_owned(),
        Json::String(code) if key == "gender" => match code.as_str() {
            "male" => l.t("男").to_owned(),
            "female" => l.t("女").to_owned(),
            _ => code.clone(),
        },
        Json::String(code) if key == "unit_kind" => catalogue.dictionary(key).title(code, l).to_owned(),
        Json::String(code) if key == "post" && matches!(object, "position" | "person" | "assignment") => {
            catalogue.dictionary(key).title(code, l).to_owned()
        }
        Json::String(code) if key == "device" => device_title(code, l),
        Json::String(code) if key == "dictionary" => {
            let dictionary = catalogue.dictionary(code);
            l.pick(&dictionary.zh, &dictionary.en).to_owned()
        }
        Json::String(code) if matches!(key, "scope" | "kind") => {
            let scope = Scope::CODES.contains(&code.as_str()).then(|| Scope::title_of(code));
            let nature = match code.as_str() {
                "person" => Some("个人"),
                "organisation" => Some("单位"),
                _ => CustomKind::ALL.into_iter().find(|k| k.code() == code).map(CustomKind::title),
            };
            scope.or(nature).map_or_else(|| code.clone(), |title| l.t(title).to_owned())
        }
        Json::String(code) => match Field::named(key).and_then(|f| f.spec().dictionary()) {
            Some(name) => catalogue.dictionary(name).title(code, l).to_owned(),
            None => code.clone(),
        },
        Json::Array(parts) if parts.iter().all(Json::is_string) => {
            let parts: Vec<&str> = parts.iter().filter_map(Json::as_str).collect();
            parts.join("、")
        }
        other => other.to_string(),
    };
    if text.chars().count() > LONGEST { text.chars().take(LONGEST).chain(['…']).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(object: &str, before: &str, after: &str) -> Written {
        Written {
            id: 1,
            chain: 0,
            seq: 1,
            at: 0,
            actor_id: 0,
            actor_name: String::new(),
            via: String::new(),
            ip: String::new(),
            request_id: String::new(),
            action: String::new(),
            object: object.into(),
            object_id: 0,
            customer_id: 0,
            before: before.into(),
            after: after.into(),
            result: String::new(),
        }
    }

    #[test]
    fn only_what_changed_is_told_and_in_words() {
        let before = r#"{"phone":"13812345678","is_active":true,"name":"张三","roles":["员工"]}"#;
        let after = r#"{"phone":"","is_active":false,"name":"张三","roles":["员工","系统管理员"]}"#;
        let told = changes(&written("person", before, after), &Catalogue::default(), &[], &[], Lang::Zh);
        let expected = [
            Change { title: "启用".into(), before: "是".into(), after: "否".into() },
            Change { title: "电话".into(), before: "13812345678".into(), after: String::new() },
            Change {
                title: "角色".into(), before: "员工".into(), after: "员工、系统管理员".into()
            },
        ];
        assert_eq!(told.len(), 3);
        assert!(expected.iter().all(|c| told.contains(c)), "{told:?}");
        assert_eq!(
            changes(&written("person", "", "不是 JSON"), &Catalogue::default(), &[], &[], Lang::Zh),
            []
        );
        assert_eq!(action("customer.updated", Lang::Zh), "修改客户");
        assert_eq!(action("what.ever", Lang::Zh), "what.ever");
    }

    /// Every action written anywhere in the sources has a name, in both languages, and can be filtered by its group.
    #[test]
    fn every_action_has_a_name_and_a_group() {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut codes = std::collections::BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    // The code stands in the call that makes the entry, on its line or on the next.
                    for call in ["Entry::of(", "Entry::of_customer(", "exported("] {
                        for (at, _) in text.match_indices(call) {
                            let rest: String = text[at + call.len()..].chars().take(60).collect();
                            let code = rest.split('"').nth(1).unwrap_or_default();
                            let is_code = code.contains('.')
                                && code.chars().all(|c| c.is_ascii_lowercase() || c == '.' || c == '_');
                            if is_code {
                                codes.insert(code.to_owned());
                            }
                        }
                    }
                }
            }
        }
        assert!(codes.len() > 80, "{codes:?}");
        for code in codes {
            assert_ne!(action(&code, Lang::Zh), code);
            assert!(!action(&code, Lang::En).contains(|c: char| c >= '一'), "{code} in English");
            assert!(GROUPS.iter().any(|(group, _)| code.starts_with(group)), "{code} is in no group");
        }
    }
}
