//! A policy for people: what it says, clause by clause, and what carries each clause out, in plain Chinese text that a
//! manager can read and check.

use std::fmt::Write as _;

use crate::expr::{Expr, of_value};
use crate::model::{
    Action, Approve, Deadline, Empty, Every, Evidence, Field, Form, Measure, MetricKind, Penalty, Per,
    Policy, Requester, Setting, Step, StepKind, TimeoutThen, Way,
};

/// The whole policy as text.
pub fn show(policy: &Policy) -> String {
    let mut text = Text { policy, out: String::new() };
    text.head();
    text.clauses();
    text.settings();
    text.roles();
    for form in &policy.forms {
        text.form(form);
    }
    text.authorities();
    text.rules();
    text.periodic();
    text.standards();
    text.out
}

/// Who, in the words of the policy: the titles of roles where it names roles.
pub(crate) fn who(policy: &Policy, expr: &Expr, form: Option<&Form>) -> String {
    let roles: Option<Vec<String>> = expr
        .source()
        .split([',', '，'])
        .map(|part| {
            let id = part.trim().strip_prefix("role:")?.trim();
            let role = policy.roles.iter().find(|role| role.id == id);
            Some(role.map_or_else(|| id.to_owned(), |role| role.title.clone()))
        })
        .collect();
    let text = roles.map_or_else(|| expr.in_chinese(form), |roles| roles.join("、"));
    if text.is_empty() { "（没有人）".into() } else { text }
}

/// Where a step leads, in words.
pub(crate) fn ways(form: &Form, ways: &[Way]) -> Vec<String> {
    ways.iter()
        .filter_map(|way| {
            let to = &form.steps.get(way.to)?.title;
            Some(match &way.when {
                Some(when) => format!("{}时，转“{to}”", when.in_chinese(Some(form))),
                None if ways.len() > 1 => format!("其余情况，转“{to}”"),
                None => format!("转“{to}”"),
            })
        })
        .collect()
}

pub(crate) fn field_titles(form: &Form, fields: &[usize]) -> String {
    let titles: Vec<&str> =
        fields.iter().filter_map(|field| Some(form.fields.get(*field)?.title.as_str())).collect();
    titles.join("、")
}

/// A setting's value with its unit.
pub(crate) fn setting_value(setting: &Setting) -> String {
    match setting
        .value
        .as_text()
        .filter(|_| setting.is_within)
        .and_then(|text| text.parse::<workday::Within>().ok())
    {
        Some(within) => within.in_chinese(),
        None => of_value(&setting.value, &setting.ty),
    }
}

/// What something hangs on, in words: 「投诉记录卡 · 提交」, 「时限“七天结案”逾期」.
pub(crate) fn on(policy: &Policy, on: &str) -> String {
    if let Some(id) = on.strip_prefix("deadline:") {
        let deadlines = policy.forms.iter().flat_map(|form| &form.deadlines);
        let title =
            deadlines.into_iter().find(|deadline| deadline.id == id).map_or(id, |deadline| &deadline.title);
        return format!("时限“{title}”逾期");
    }
    let Some((form, rest)) = on.split_once('.').and_then(|(form, rest)| Some((policy.form(form)?, rest)))
    else {
        return format!("事件 {on}");
    };
    if rest == "open" {
        return format!("开《{}》", form.title);
    }
    if let Some(step) = rest.strip_prefix("enter:") {
        return format!("《{}》到达“{}”", form.title, form.step(step).map_or(step, |step| &step.title));
    }
    let step = form.steps.iter().find(|step| step.actions.iter().any(|action| action.id == rest));
    let action = step.and_then(|step| step.actions.iter().find(|action| action.id == rest));
    match (step, action) {
        (Some(step), Some(action)) => format!("《{}》“{}”的“{}”", form.title, step.title, action.title),
        _ => on.to_owned(),
    }
}

pub(crate) fn deadline_line(policy: &Policy, form: &Form, deadline: &Deadline) -> String {
    let words = |expr: &Expr| expr.in_chinese(Some(form));
    let mut text = format!(
        "从{}起，{}，以{}为准",
        words(&deadline.from),
        deadline.within.in_chinese(),
        words(&deadline.until)
    );
    if let Some(when) = &deadline.when {
        let _ = write!(text, "；只适用于{}", words(when));
    }
    if let Some(pause) = &deadline.pause {
        let _ = write!(text, "；{}期间不计时", words(pause));
    }
    if !deadline.warn.is_empty() {
        let warn: Vec<String> = deadline.warn.iter().map(|before| before.in_chinese()).collect();
        let _ = write!(text, "；{}提醒", warn.join("、"));
        if let Some(tell) = &deadline.tell {
            let _ = write!(text, "经办人和{}", who(policy, tell, Some(form)));
        }
    }
    if let Some((_, title)) = &deadline.mark {
        let _ = write!(text, "；逾期标记“{title}”");
    }
    if let Some(notify) = &deadline.notify {
        let _ = write!(text, "；逾期通知{}", who(policy, notify, Some(form)));
    }
    for (after, notify) in &deadline.escalate {
        let _ = write!(text, "；再过{}通知{}", after.in_chinese(), who(policy, notify, Some(form)));
    }
    text
}

pub(crate) fn approve_lines(policy: &Policy, form: &Form, approve: &Approve) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(id) = &approve.authority {
        let title = policy.authorities.iter().find(|table| table.id == *id).map_or(id, |table| &table.title);
        lines.push(format!("按《{title}》逐级审批"));
    }
    for (number, stage) in approve.stages.iter().enumerate() {
        let mut line = format!("第{}级：{}", number + 1, who(policy, &stage.by, Some(form)));
        if !stage.title.is_empty() {
            let _ = write!(line, "（{}）", stage.title);
        }
        line.push_str(if stage.is_joint { "，会签，须全部同意" } else { "" });
        if let Some(when) = &stage.when {
            let _ = write!(line, "，只在{}时", when.in_chinese(Some(form)));
        }
        lines.push(line);
    }
    let step = |place: usize| form.steps.get(place).map_or("", |step| step.title.as_str());
    lines
        .push(approve.reject.map_or_else(|| "驳回即结束".to_owned(), |to| format!("驳回时转“{}”", step(to))));
    if !approve.back.is_empty() {
        let back: Vec<String> = approve.back.iter().map(|to| format!("“{}”", step(*to))).collect();
        lines.push(format!("可退回{}", back.join("、")));
    }
    let may =
        [(approve.may_add, "加签"), (approve.may_reassign, "转办"), (approve.may_withdraw, "提交人撤回")];
    let may: Vec<&str> = may.iter().filter(|(may, _)| *may).map(|(_, what)| *what).collect();
    if !may.is_empty() {
        lines.push(format!("允许{}", may.join("、")));
    }
    lines.push(
        match approve.requester {
            Requester::Superior => "提交人不能审批自己的事项，由其上级代为审批",
            Requester::Skip => "提交人不能审批自己的事项",
            Requester::Allow => "提交人可以审批自己的事项",
        }
        .into(),
    );
    lines.push(
        match approve.empty {
            Empty::Refuse => "没有审批人时停下，由制度管理员指定",
            Empty::Skip => "没有审批人的一级跳过",
            Empty::Escalate => "没有审批人时由制度管理员审批",
        }
        .into(),
    );
    if approve.skips_same {
        lines.push("已同意的人后面不再审批".into());
    }
    if let Some((within, then)) = approve.timeout {
        let then = match then {
            TimeoutThen::Remind => "催办",
            TimeoutThen::Approve => "视为同意",
            TimeoutThen::Reject => "视为不同意",
            TimeoutThen::Escalate => "转其上级审批",
        };
        lines.push(format!("{}内未审批的，{then}", within.in_chinese()));
    }
    lines
}

pub(crate) fn penalty_line(policy: &Policy, penalty: &Penalty) -> String {
    let form = penalty.form.as_deref().and_then(|id| policy.form(id)).map(|form| &**form);
    let unit = if penalty.measure == Measure::Money { "" } else { "分" };
    let mut text = on(policy, &penalty.on);
    if let Some(when) = &penalty.when {
        let _ = write!(text, "且{}", when.in_chinese(form));
    }
    let _ = write!(text, "，罚{}{}{unit}", who(policy, &penalty.whom, form), penalty.amount.in_chinese(form));
    if let Some(count) = &penalty.count {
        let _ = write!(text, "，乘以{}", count.in_chinese(form));
    }
    if let Some((from, by, together)) = &penalty.multiply {
        let _ = write!(text, "；同一人当月第{from}次起乘以{by}");
        let titles =
            policy.penalties.iter().filter(|other| other.id != penalty.id && together.contains(&other.id));
        let titles: Vec<String> = titles.map(|other| format!("“{}”", other.title)).collect();
        if !titles.is_empty() {
            let _ = write!(text, "，与{}合并计次", titles.join("、"));
        }
    }
    if let Some(repeat) = penalty.repeat {
        let until = penalty.until.as_ref().map_or_else(String::new, |until| until.in_chinese(form));
        let _ = write!(text, "；每过{}未改正再罚同额，直到{until}", repeat.in_chinese());
    }
    if let Some(replaced) = &penalty.replaces {
        let title = policy
            .penalties
            .iter()
            .find(|other| other.id == *replaced)
            .map_or(replaced, |other| &other.title);
        let _ = write!(text, "；代替“{title}”，不并罚");
    }
    if let Some(confirm) = &penalty.confirm_by {
        let _ = write!(text, "；由{}确认", who(policy, confirm, form));
    }
    if let Some(appeal) = penalty.appeal {
        let _ = write!(text, "；{}内可以申诉", appeal.in_chinese());
    }
    text
}

pub(crate) fn every(every: Every) -> &'static str {
    match every {
        Every::Day => "每日",
        Every::Workday => "每工作日",
        Every::Week => "每周",
        Every::Month => "每月",
        Every::Quarter => "每季度",
        Every::HalfYear => "每半年",
        Every::Year => "每年",
    }
}

fn kind_title(field: &Field) -> String {
    use crate::model::FieldKind::*;
    match field.kind {
        Choice => format!("选项：{}", field.options.join("、")),
        Choices => format!("多选：{}", field.options.join("、")),
        Checklist => format!("逐项勾选：{}", field.options.join("、")),
        Lines => format!(
            "明细：{}",
            field.columns.iter().map(|column| column.title.as_str()).collect::<Vec<_>>().join("、")
        ),
        Long => "多行文字".into(),
        Signature => "签名".into(),
        Rating => "评分".into(),
        _ => field.ty.title(),
    }
}

struct Text<'p> {
    policy: &'p Policy,
    out: String,
}

impl Text<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            for _ in 0..indent {
                self.out.push_str("  ");
            }
            self.out.push_str(line.trim());
            self.out.push('\n');
        }
    }

    fn part(&mut self, title: &str) {
        let _ = write!(self.out, "\n【{title}】\n");
    }

    fn who(&self, expr: &Expr, form: Option<&Form>) -> String {
        who(self.policy, expr, form)
    }

    fn head(&mut self) {
        let head = &self.policy.head;
        let first = format!("《{}》 {} 版", self.policy.title, self.policy.version);
        self.line(0, &first);
        let facts = [
            ("目的", &head.purpose),
            ("范围", &head.scope),
            ("主管部门", &head.owner),
            ("解释", &head.interpreter),
            ("批准", &head.approver),
            ("施行", &head.in_force),
        ];
        for (title, text) in facts {
            if !text.is_empty() {
                self.line(0, &format!("{title}：{text}"));
            }
        }
    }

    fn clauses(&mut self) {
        self.part("条款及其落实");
        for clause in &self.policy.clauses {
            let title = if clause.title.is_empty() { String::new() } else { format!(" {}", clause.title) };
            let binds = if clause.binds.is_empty() {
                String::new()
            } else {
                format!("（约束：{}）", clause.binds)
            };
            self.line(0, &format!("{}{title}：{}{binds}", clause.id, clause.text.replace('\n', " ")));
            for (what, title) in self.policy.citing(&clause.id) {
                let title = match what {
                    "触发" => on(self.policy, &title),
                    "保管" | "查阅" => {
                        self.policy.form(&title).map_or(title, |form| format!("《{}》", form.title))
                    }
                    _ => title,
                };
                self.line(1, &format!("→ {what}：{title}"));
            }
        }
    }

    fn settings(&mut self) {
        if self.policy.settings.is_empty() {
            return;
        }
        self.part("由公司确定的数值");
        for setting in &self.policy.settings {
            let is_own = setting.default.as_ref().is_some_and(|default| *default != setting.value);
            let own = if is_own { "（公司已改）" } else { "" };
            let hint = if setting.hint.is_empty() { String::new() } else { format!("，{}", setting.hint) };
            let line = format!(
                "{}：{}{own}{hint}{}",
                setting.title,
                setting_value(setting),
                cited(setting.clause.as_deref())
            );
            self.line(0, &line);
        }
    }

    fn roles(&mut self) {
        if self.policy.roles.is_empty() {
            return;
        }
        self.part("角色");
        for role in &self.policy.roles {
            self.line(0, &format!("{}：由岗位 {} 担任", role.title, role.posts.join("、")));
        }
    }

    fn form(&mut self, form: &Form) {
        self.part(&format!("表单《{}》", form.title));
        self.line(0, &format!("由{}开单{}", self.who(&form.by, Some(form)), cited(form.clause.as_deref())));
        let people = [("负责人", &form.owner), ("另可查看", &form.readers), ("须回避", &form.excluded)];
        for (title, expr) in people {
            if let Some(expr) = expr {
                self.line(0, &format!("{title}：{}", self.who(expr, Some(form))));
            }
        }
        if !form.fill.is_empty() {
            self.line(0, &format!("开单时必填：{}", field_titles(form, &form.fill)));
        }
        if !form.offer.is_empty() {
            self.line(0, &format!("开单时可填：{}", field_titles(form, &form.offer)));
        }
        self.line(0, "字段：");
        for field in &form.fields {
            self.field(form, field);
        }
        for copy in &form.copies {
            self.line(0, &format!("联次“{}”：依次交{}", copy.title, copy.to.join("、")));
        }
        self.line(0, "步骤：");
        for (number, step) in form.steps.iter().enumerate() {
            self.step(form, number, step);
        }
        if !form.deadlines.is_empty() {
            self.line(0, "时限：");
        }
        for deadline in &form.deadlines {
            let line = deadline_line(self.policy, form, deadline);
            self.line(1, &format!("{}：{line}{}", deadline.title, cited(Some(&deadline.clause))));
        }
    }

    fn field(&mut self, form: &Form, field: &Field) {
        let mut line = format!("{}（{}）", field.title, kind_title(field));
        if let Some(value) = &field.value {
            let _ = write!(line, "，自动算出：{}", value.in_chinese(Some(form)));
        }
        if let Some(among) = &field.among {
            let ranks: Vec<&str> = field.ranks.iter().map(|rank| rank.title.as_str()).collect();
            let by = if ranks.is_empty() {
                String::new()
            } else {
                format!("，依次按{}排先后", ranks.join("、"))
            };
            let _ = write!(line, "，从{}中选{by}", self.who(among, Some(form)));
        }
        if field.by_name {
            line.push_str("，看不到的客户可以填全名");
        }
        if let Some(seen_by) = &field.seen_by {
            let _ = write!(line, "，只有{}可见", self.who(seen_by, Some(form)));
        }
        line.push_str(&cited(field.clause.as_deref()));
        self.line(1, &line);
    }

    fn step(&mut self, form: &Form, number: usize, step: &Step) {
        let kind = match step.kind {
            StepKind::Task => {
                step.by.as_ref().map_or_else(String::new, |by| format!("由{}办理", self.who(by, Some(form))))
            }
            StepKind::Approval => "审批".into(),
            StepKind::Wait => "等待".into(),
            StepKind::End => format!("结束，结果为“{}”", step.outcome),
        };
        self.line(1, &format!("{}. {}：{kind}{}", number + 1, step.title, cited(Some(&step.clause))));
        self.line(2, &step.help);
        if let Some(approve) = &step.approve {
            for line in approve_lines(self.policy, form, approve) {
                self.line(2, &line);
            }
        }
        if step.opens_customer {
            self.line(2, "办理期间可以查看这位客户");
        }
        if let Some(copied) = &step.copy_to {
            self.line(2, &format!("抄送{}", self.who(copied, Some(form))));
        }
        for action in &step.actions {
            self.action(form, action);
        }
        for on in &step.on {
            let when = on
                .when
                .as_ref()
                .map_or_else(String::new, |when| format!("且{}", when.in_chinese(Some(form))));
            let what = self::on(self.policy, &on.event);
            self.line(2, &format!("{what}{when}：{}", stay(ways(form, &on.next))));
        }
    }

    fn action(&mut self, form: &Form, action: &Action) {
        let mut line = format!("“{}”", action.title);
        if let Some(by) = &action.by {
            let _ = write!(line, "由{}", self.who(by, Some(form)));
        }
        if let Some(when) = &action.when {
            let _ = write!(line, "，在{}时", when.in_chinese(Some(form)));
        }
        if !action.fill.is_empty() {
            let _ = write!(line, "，必填{}", field_titles(form, &action.fill));
        }
        if !action.offer.is_empty() {
            let _ = write!(line, "，可填{}", field_titles(form, &action.offer));
        }
        for require in &action.require {
            let _ = write!(
                line,
                "，{}时必填{}",
                require.when.in_chinese(Some(form)),
                field_titles(form, &require.fill)
            );
        }
        let _ = write!(line, "：{}{}", stay(ways(form, &action.next)), cited(action.clause.as_deref()));
        for open in &action.open {
            let title = self.policy.form(&open.form).map_or(open.form.as_str(), |form| &form.title);
            let each = open.each.as_ref().map(|each| each.in_chinese(Some(form)));
            let each = each.map_or_else(String::new, |each| format!("为{each}各"));
            let _ = write!(line, "；同时{each}开《{title}》");
        }
        self.line(2, &line);
    }

    fn authorities(&mut self) {
        for table in &self.policy.authorities {
            let form = self.policy.form(&table.form).map(|form| &**form);
            self.part(&format!("核决表《{}》", table.title));
            for (when, by) in &table.rows {
                let when = when.as_ref().map_or_else(|| "其余情况".to_owned(), |when| when.in_chinese(form));
                let by: Vec<String> = by.iter().map(|by| self.who(by, form)).collect();
                self.line(0, &format!("{when}：{}", by.join(" → ")));
            }
            self.line(0, cited(Some(&table.clause)).trim());
        }
    }

    fn rules(&mut self) {
        let policy = self.policy;
        if !policy.refusals.is_empty() {
            self.part("禁止事项");
        }
        for refusal in &policy.refusals {
            let form = refusal.on.split_once('.').and_then(|(form, _)| policy.form(form)).map(|form| &**form);
            let when = refusal.when.in_chinese(form);
            let exempt = refusal.exempt_by.as_ref();
            let exempt = exempt.map_or_else(String::new, |by| format!("；可由{}特批", self.who(by, form)));
            let line = format!("{}时，{when}的，拒绝：{}{exempt}", on(policy, &refusal.on), refusal.message);
            self.line(0, &format!("{line}{}", cited(Some(&refusal.clause))));
        }
        if !policy.penalties.is_empty() {
            self.part("罚则");
        }
        for penalty in &policy.penalties {
            let line = format!(
                "{}：{}{}",
                penalty.title,
                penalty_line(policy, penalty),
                cited(Some(&penalty.clause))
            );
            self.line(0, &line);
        }
        if !policy.triggers.is_empty() {
            self.part("自动开单");
        }
        for trigger in &policy.triggers {
            let title = policy.form(&trigger.form).map_or("", |form| form.title.as_str());
            let when =
                trigger.when.as_ref().map_or_else(String::new, |when| format!("且{}", when.in_chinese(None)));
            self.line(
                0,
                &format!(
                    "{}{when}时，开《{title}》{}",
                    on(policy, &trigger.on),
                    cited(Some(&trigger.clause))
                ),
            );
        }
        if !policy.notices.is_empty() {
            self.part("通知");
        }
        for notice in &policy.notices {
            let form = policy.form(&notice.form).map(|form| &**form);
            let when =
                notice.when.as_ref().map_or_else(String::new, |when| format!("且{}", when.in_chinese(form)));
            let line = format!("{}{when}时，通知{}", on(policy, &notice.on), self.who(&notice.to, form));
            self.line(0, &format!("{line}{}", cited(notice.clause.as_deref())));
        }
        if !(policy.retentions.is_empty() && policy.access.is_empty()) {
            self.part("保管与查阅");
        }
        for retention in &policy.retentions {
            let form = policy.form(&retention.form).map(|form| &**form);
            let then = if retention.destroys { "销毁" } else { "鉴定" };
            let title = form.map_or("", |form| form.title.as_str());
            let line = format!(
                "《{title}》办结后保管{}，到期{then}，由{}批准",
                retention.keep.in_chinese(),
                self.who(&retention.by, form)
            );
            self.line(0, &format!("{line}{}", cited(Some(&retention.clause))));
        }
        for access in &policy.access {
            let form = policy.form(&access.form).map(|form| &**form);
            let verbs: Vec<&str> = access
                .verbs
                .iter()
                .map(|verb| match verb.as_str() {
                    "view" => "查看",
                    "print" => "打印",
                    _ => "导出",
                })
                .collect();
            let title = form.map_or("", |form| form.title.as_str());
            let line = format!("《{title}》由{}{}", self.who(&access.by, form), verbs.join("、"));
            self.line(0, &format!("{line}{}", cited(Some(&access.clause))));
        }
    }

    fn periodic(&mut self) {
        let policy = self.policy;
        if !policy.duties.is_empty() {
            self.part("周期职责");
        }
        for duty in &policy.duties {
            let per = match duty.per {
                Per::Company => "公司",
                Per::Unit => "每个部门",
                Per::Person => "每个人",
                Per::Customer => "每个客户",
            };
            let evidence = match &duty.evidence {
                Evidence::Form(id) => {
                    let form = policy.form(id);
                    let on = duty.evidence_on.as_ref().map_or_else(String::new, |on| {
                        let place = form.and_then(|form| form.fields.get(form.field(on)?));
                        format!("(按“{}”归期)", place.map_or(on.as_str(), |field| &field.title))
                    });
                    format!("办结的《{}》{on}", form.map_or(id.as_str(), |form| &form.title))
                }
                Evidence::Event(event) => format!("事件 {event}"),
            };
            let of = duty.of.as_ref().map_or_else(String::new, |of| format!("（{}）", of.in_chinese(None)));
            let mut line = format!(
                "{}：{per}{of}{}{}次，由{}完成，期后{}，凭{evidence}",
                duty.title,
                every(duty.every),
                duty.times,
                self.who(&duty.by, None),
                duty.due.in_chinese()
            );
            if let Some(target) = duty.target {
                let _ = write!(line, "，目标 {}%", target * 100.0);
            }
            line.push_str(&cited(Some(&duty.clause)));
            self.line(0, &line);
        }
        if !policy.metrics.is_empty() {
            self.part("指标");
        }
        for metric in &policy.metrics {
            let form = policy.form(&metric.form).map(|form| &**form);
            let title = form.map_or("", |form| form.title.as_str());
            let words = |expr: &Option<Expr>| {
                expr.as_ref().map_or_else(|| "全部".to_owned(), |expr| expr.in_chinese(form))
            };
            let what = match metric.kind {
                MetricKind::Rate => {
                    format!("《{title}》中（{}）的占（{}）的比率", words(&metric.of), words(&metric.over))
                }
                MetricKind::Count => format!("《{title}》（{}）的件数", words(&metric.over)),
                MetricKind::Sum => {
                    format!("《{title}》（{}）的{}合计", words(&metric.over), words(&metric.value))
                }
                MetricKind::Mean => {
                    format!("《{title}》（{}）的{}平均", words(&metric.over), words(&metric.value))
                }
            };
            let goal = metric.goal.map_or_else(String::new, |goal| format!("，目标 {goal}"));
            self.line(0, &format!("{}：{what}{goal}{}", metric.title, cited(Some(&metric.clause))));
        }
        if !policy.reports.is_empty() {
            self.part("报表");
        }
        for report in &policy.reports {
            let reviewed: Vec<String> = report.reviewed_by.iter().map(|by| self.who(by, None)).collect();
            let reviewed = if reviewed.is_empty() {
                String::new()
            } else {
                format!("，{}审阅", reviewed.join("、"))
            };
            let line = format!(
                "{}：{}，由{}编制{reviewed}，期后{}",
                report.title,
                every(report.every),
                self.who(&report.made_by, None),
                report.due.in_chinese()
            );
            self.line(0, &format!("{line}{}", cited(Some(&report.clause))));
        }
    }

    fn standards(&mut self) {
        if !self.policy.standards.is_empty() {
            self.part("行为规范");
        }
        for standard in &self.policy.standards {
            let text = standard.text.replace('\n', " ");
            self.line(0, &format!("{}：{text}{}", standard.title, cited(Some(&standard.clause))));
            for check in &standard.checks {
                self.line(1, &format!("检查：{check}"));
            }
        }
    }
}

fn stay(ways: Vec<String>) -> String {
    if ways.is_empty() { "留在本步骤".into() } else { ways.join("；") }
}

fn cited(clause: Option<&str>) -> String {
    clause.map_or_else(String::new, |clause| format!(" 〔{}〕", clause.replace(',', "、")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::complaints;
    use crate::engine::tests::vocabulary;

    #[test]
    fn a_manager_reads_who_does_what_by_when_and_which_clause_says_so() {
        let policy = crate::check(&complaints(), &Default::default(), &vocabulary()).expect("in order");
        let text = show(&policy);
        for says in [
            "《门店客户投诉处理办法》 1.0 版\n",
            "施行：2024-07-01\n",
            "第二十六条",
            "  → 时限：七天结案\n",
            "结案期限：7天，自接到投诉起计算;d 为日历天,wd 为工作日 〔第二十六条〕\n",
            "门店人员：由岗位 客户服务人员、客服人员、销售人员、部门负责人 担任\n",
            "由门店人员、营运部客服开单",
            "须回避：",
            "1. 确认投诉理由：由门店人员办理 〔第七条〕\n",
            "2. 裁定是否受理：由门店负责人的上级办理",
            "“受理”，必填裁定意见：转“确定受理部门”",
            "是否折价或赔偿时必填折价赔偿方式、折价赔偿金额",
            "是否折价或赔偿为否时，转“上级主管审核处理意见”",
            "按《折价赔偿核决表》逐级审批",
            "驳回时转“提出处理意见”",
            "从受理时间起，7天，以办结时间为准；提前2天、提前1天提醒经办人和负责人；逾期标记“逾期未结案”",
            "再过1天通知总经理",
            "折价赔偿金额不超过500元：受理部门负责人\n",
            "折价赔偿金额大于500元：受理部门负责人 → 总经理\n",
            "同时开《防范措施落实单》",
            "按期结案率：《客户投诉记录卡》中（标记不含“overdue”）的占（办结结果为“已结案”，或办结结果为“不受理”）的比率",
        ] {
            assert!(text.contains(says), "{says}\n{text}");
        }
        for raw in ["case.", "role:", "role(", "&&", "settings."] {
            assert!(!text.contains(raw), "{raw} is no word for people\n{text}");
        }
    }
}
