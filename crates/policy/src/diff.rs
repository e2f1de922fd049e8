//! What changed between two versions of a policy, for the people it binds: clause by clause, setting by setting, each
//! change a Chinese sentence. Meaning is compared, not formatting: blanks, quotes and the order of files do not matter.

use std::collections::BTreeMap;

use crate::expr::{Expr, of_value};
use crate::model::{Action, Deadline, Field, Form, Piece, Policy, Step, StepKind, Template};
use crate::show::{approve_lines, every, field_titles, on, penalty_line, ways, who};

/// Whether something came, went, or is otherwise than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is otherwise.
    Changed,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The clause it belongs to; several with commas between.
    pub clause: Option<String>,
    /// Whether it came, went or changed.
    pub kind: Kind,
    /// What it is about: 「步骤“确认投诉理由”」.
    pub what: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// All of it as a sentence.
    pub text: String,
}

/// What changed from `old` to `new`, in the order of the parts of a policy.
pub fn diff(old: &Policy, new: &Policy) -> Vec<Change> {
    let (before, after) = (items(old), items(new));
    let known: BTreeMap<&str, &Item> = before.iter().map(|item| (item.key.as_str(), item)).collect();
    let mut changes = Vec::new();
    for item in &after {
        match known.get(item.key.as_str()) {
            None => changes.push(item.came_or_went(Kind::Added)),
            Some(was) => changes.extend(item.since(was)),
        }
    }
    let kept: BTreeMap<&str, &Item> = after.iter().map(|item| (item.key.as_str(), item)).collect();
    changes.extend(
        before
            .iter()
            .filter(|item| !kept.contains_key(item.key.as_str()))
            .map(|item| item.came_or_went(Kind::Removed)),
    );
    changes
}

/// A part of a policy with everything that may change about it.
struct Item {
    key: String,
    what: String,
    clause: Option<String>,
    aspects: Vec<Aspect>,
}

/// One thing about a part: what is compared, and what people read.
struct Aspect {
    name: &'static str,
    means: String,
    says: String,
}

impl Item {
    fn came_or_went(&self, kind: Kind) -> Change {
        let verb = if kind == Kind::Added { "新增" } else { "删去" };
        let says: Vec<String> = self
            .aspects
            .iter()
            .filter(|a| !a.says.is_empty())
            .map(|a| format!("{}：{}", a.name, a.says))
            .collect();
        let says = says.join("；");
        let text = if says.is_empty() {
            format!("{verb}{}", self.what)
        } else {
            format!("{verb}{}（{}）", self.what, cut(&says))
        };
        let (before, after) = if kind == Kind::Added { (None, Some(says)) } else { (Some(says), None) };
        Change { clause: self.clause.clone(), kind, what: self.what.clone(), before, after, text }
    }

    fn since(&self, was: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for aspect in &self.aspects {
            let Some(before) = was.aspects.iter().find(|known| known.name == aspect.name) else { continue };
            if before.means == aspect.means {
                continue;
            }
            // Where the words do not tell the difference, the writing does.
            let (from, to) = if before.says == aspect.says {
                (&before.means, &aspect.means)
            } else {
                (&before.says, &aspect.says)
            };
            let shown = |text: &str| {
                if text.is_empty() { "（无）".to_owned() } else { format!("“{}”", cut(text)) }
            };
            changes.push(Change {
                clause: self.clause.clone().or_else(|| was.clause.clone()),
                kind: Kind::Changed,
                what: self.what.clone(),
                before: Some(from.clone()),
                after: Some(to.clone()),
                text: format!("{}的{}由{}改为{}", self.what, aspect.name, shown(from), shown(to)),
            });
        }
        changes
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= 200 {
        text.to_owned()
    } else {
        text.chars().take(199).chain(['…']).collect()
    }
}

/// An expression without what does not matter: blanks outside texts, and which quotes a text has.
fn meaning(source: &str) -> String {
    let mut out = String::new();
    let mut characters = source.trim().chars().peekable();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(c) = characters.next() {
        match c {
            '"' | '\'' => {
                let mut text = String::new();
                while let Some(inner) = characters.next().filter(|inner| *inner != c) {
                    text.push(inner);
                    if inner == '\\' {
                        text.extend(characters.next());
                    }
                }
                out.push_str(&format!("{text:?}"));
            }
            c if c.is_whitespace() => {
                while characters.next_if(|next| next.is_whitespace()).is_some() {}
                let between = out.chars().last().is_some_and(is_word)
                    && characters.peek().copied().is_some_and(is_word);
                if between {
                    out.push(' ');
                }
            }
            '，' => out.push(','),
            c => out.push(c),
        }
    }
    out
}

fn plain(name: &'static str, text: impl AsRef<str>) -> Aspect {
    let says = text.as_ref().split_whitespace().collect::<Vec<_>>().join(" ");
    Aspect { name, means: says.clone(), says }
}

fn list(name: &'static str, all: &[String]) -> Aspect {
    plain(name, all.join("、"))
}

fn number(name: &'static str, number: Option<f64>) -> Aspect {
    plain(name, number.map_or_else(String::new, |number| number.to_string()))
}

fn words(name: &'static str, expr: Option<&Expr>, form: Option<&Form>) -> Aspect {
    Aspect {
        name,
        means: expr.map_or_else(String::new, |expr| meaning(expr.source())),
        says: expr.map_or_else(String::new, |expr| expr.in_chinese(form)),
    }
}

fn people(name: &'static str, policy: &Policy, expr: Option<&Expr>, form: Option<&Form>) -> Aspect {
    Aspect {
        name,
        means: expr.map_or_else(String::new, |expr| meaning(expr.source())),
        says: expr.map_or_else(String::new, |expr| who(policy, expr, form)),
    }
}

fn set(name: &'static str, form: Option<&Form>, set: &[(usize, Expr)], reads: Option<&Form>) -> Aspect {
    let title = |place: &usize| {
        form.and_then(|form| form.fields.get(*place)).map_or("", |field| field.title.as_str())
    };
    let id =
        |place: &usize| form.and_then(|form| form.fields.get(*place)).map_or("", |field| field.id.as_str());
    let means = set
        .iter()
        .map(|(place, expr)| format!("{}={}", id(place), meaning(expr.source())))
        .collect::<Vec<_>>();
    let says = set
        .iter()
        .map(|(place, expr)| format!("{}={}", title(place), expr.in_chinese(reads)))
        .collect::<Vec<_>>();
    Aspect { name, means: means.join(";"), says: says.join("；") }
}

fn fields(name: &'static str, form: &Form, all: &[usize]) -> Aspect {
    let ids: Vec<&str> = all.iter().filter_map(|place| Some(form.fields.get(*place)?.id.as_str())).collect();
    Aspect { name, means: ids.join(","), says: field_titles(form, all) }
}

fn template(name: &'static str, template: &Template, form: Option<&Form>) -> Aspect {
    let part = |piece: &Piece, means: bool| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(expr) if means => format!("{{{}}}", meaning(expr.source())),
        Piece::Value(expr) => format!("{{{}}}", expr.in_chinese(form)),
    };
    Aspect {
        name,
        means: template.parts.iter().map(|piece| part(piece, true)).collect(),
        says: template.parts.iter().map(|piece| part(piece, false)).collect(),
    }
}

fn next(name: &'static str, form: &Form, all: &[crate::model::Way]) -> Aspect {
    let means: Vec<String> = all
        .iter()
        .map(|way| {
            let to = form.steps.get(way.to).map_or("", |step| step.id.as_str());
            format!("{to}?{}", way.when.as_ref().map_or_else(String::new, |when| meaning(when.source())))
        })
        .collect();
    Aspect { name, means: means.join(";"), says: ways(form, all).join("；") }
}

fn item(key: String, what: String, clause: Option<&str>, mut aspects: Vec<Aspect>) -> Item {
    aspects.push(plain("依据条款", clause.unwrap_or("").replace(',', "、")));
    Item { key, what, clause: clause.map(str::to_owned), aspects }
}

fn items(policy: &Policy) -> Vec<Item> {
    let mut all = Vec::new();
    let head = &policy.head;
    all.push(Item {
        key: "head".into(),
        what: "制度".into(),
        clause: None,
        aspects: vec![
            plain("名称", &head.title),
            plain("版本", &head.version),
            plain("目的", &head.purpose),
            plain("范围", &head.scope),
            plain("主管部门", &head.owner),
            plain("解释部门", &head.interpreter),
            plain("批准人", &head.approver),
            plain("施行日期", &head.in_force),
        ],
    });
    for clause in &policy.clauses {
        all.push(Item {
            key: format!("clause {}", clause.id),
            what: format!("条款“{}”", clause.id),
            clause: Some(clause.id.clone()),
            aspects: vec![
                plain("标题", &clause.title),
                plain("内容", &clause.text),
                plain("约束对象", &clause.binds),
            ],
        });
    }
    for setting in &policy.settings {
        let aspects = vec![
            plain("名称", &setting.title),
            plain("值", crate::show::setting_value(setting)),
            plain(
                "默认值",
                setting.default.as_ref().map_or_else(String::new, |value| of_value(value, &setting.ty)),
            ),
            plain("类型", if setting.is_within { "时限".into() } else { setting.ty.title() }),
            number("最小值", setting.min),
            number("最大值", setting.max),
            plain("说明", &setting.hint),
        ];
        all.push(item(
            format!("setting {}", setting.id),
            format!("参数“{}”", setting.title),
            setting.clause.as_deref(),
            aspects,
        ));
    }
    for role in &policy.roles {
        let at = role.at.as_deref().map_or_else(String::new, meaning);
        all.push(Item {
            key: format!("role {}", role.id),
            what: format!("角色“{}”", role.title),
            clause: None,
            aspects: vec![plain("名称", &role.title), list("岗位", &role.posts), plain("部门范围", at)],
        });
    }
    for form in &policy.forms {
        of_form(policy, form, &mut all);
    }
    of_rules(policy, &mut all);
    of_periods(policy, &mut all);
    all
}

fn of_form(policy: &Policy, form: &Form, all: &mut Vec<Item>) {
    let this = Some(form);
    let title_of = |place: Option<usize>| {
        place.and_then(|place| form.fields.get(place)).map_or("", |field| field.title.as_str())
    };
    let aspects = vec![
        plain("名称", &form.title),
        plain("编号规则", &form.number),
        people("开单人", policy, Some(&form.by), this),
        plain("客户字段", title_of(form.customer)),
        plain("部门字段", title_of(form.unit)),
        people("负责人", policy, form.owner.as_ref(), this),
        people("另可查看的人", policy, form.readers.as_ref(), this),
        people("须回避的人", policy, form.excluded.as_ref(), this),
        fields("开单必填", form, &form.fill),
        fields("开单可填", form, &form.offer),
        set("开单时设定", this, &form.set, this),
        fields("列表列", form, &form.list),
        template("标题", &form.subject, this),
        plain("起始步骤", form.steps.first().map_or("", |step| &step.title)),
    ];
    all.push(item(
        format!("form {}", form.id),
        format!("表单《{}》", form.title),
        form.clause.as_deref(),
        aspects,
    ));
    for field in &form.fields {
        let what = format!("《{}》的字段“{}”", form.title, field.title);
        all.push(item(
            format!("field {} {}", form.id, field.id),
            what,
            field.clause.as_deref(),
            of_field(policy, form, field),
        ));
    }
    for copy in &form.copies {
        let what = format!("《{}》的联次“{}”", form.title, copy.title);
        let aspects = vec![plain("名称", &copy.title), list("去向", &copy.to)];
        all.push(item(format!("copy {} {}", form.id, copy.id), what, copy.clause.as_deref(), aspects));
    }
    for step in &form.steps {
        let what = format!("《{}》的步骤“{}”", form.title, step.title);
        all.push(item(
            format!("step {} {}", form.id, step.id),
            what,
            Some(&step.clause),
            of_step(policy, form, step),
        ));
        for action in &step.actions {
            let what = format!("《{}》步骤“{}”的动作“{}”", form.title, step.title, action.title);
            let clause = action.clause.as_deref().unwrap_or(&step.clause);
            all.push(Item {
                key: format!("action {} {} {}", form.id, step.id, action.id),
                what,
                clause: Some(clause.to_owned()),
                aspects: of_action(policy, form, action),
            });
        }
    }
    for deadline in &form.deadlines {
        let what = format!("《{}》的时限“{}”", form.title, deadline.title);
        all.push(item(
            format!("deadline {}", deadline.id),
            what,
            Some(&deadline.clause),
            of_deadline(policy, form, deadline),
        ));
    }
}

fn of_field(policy: &Policy, form: &Form, field: &Field) -> Vec<Aspect> {
    let columns: Vec<String> = field
        .columns
        .iter()
        .map(|column| {
            let value = column
                .value
                .as_ref()
                .map_or_else(String::new, |value| format!("={}", value.in_chinese(Some(form))));
            format!("{}（{}）{value}", column.title, column.ty.title())
        })
        .collect();
    vec![
        plain("名称", &field.title),
        plain("类型", field.kind.word()),
        list("选项", &field.options),
        list("列", &columns),
        words("计算方法", field.value.as_ref(), Some(form)),
        number("下限", field.min),
        number("上限", field.max),
        plain("填写说明", &field.help),
        plain("按全名指明", if field.by_name { "可以" } else { "" }),
        people("可选的人", policy, field.among.as_ref(), Some(form)),
        Aspect {
            name: "排先后",
            means: field
                .ranks
                .iter()
                .map(|r| format!("{} {}", meaning(r.by.source()), r.most_first))
                .collect::<Vec<_>>()
                .join(";"),
            says: field.ranks.iter().map(|rank| rank.title.as_str()).collect::<Vec<_>>().join("、"),
        },
        people("可见的人", policy, field.seen_by.as_ref(), Some(form)),
        list("不打印的联次", &field.not_on),
    ]
}

fn of_step(policy: &Policy, form: &Form, step: &Step) -> Vec<Aspect> {
    let this = Some(form);
    let kind = match step.kind {
        StepKind::Task => "办理",
        StepKind::Approval => "审批",
        StepKind::Wait => "等待",
        StepKind::End => "结束",
    };
    let approve = step.approve.as_ref().map_or_else(
        || Aspect { name: "审批办法", means: String::new(), says: String::new() },
        |approve| {
            let stages: Vec<String> = approve
                .stages
                .iter()
                .map(|stage| {
                    let when = stage.when.as_ref().map_or_else(String::new, |when| meaning(when.source()));
                    format!("{}|{}|{when}|{}", meaning(stage.by.source()), stage.is_joint, stage.title)
                })
                .collect();
            let id = |place: usize| form.steps.get(place).map_or("", |step| step.id.as_str());
            let back: Vec<&str> = approve.back.iter().map(|place| id(*place)).collect();
            let rest = (approve.empty, approve.skips_same, approve.requester, approve.timeout);
            let may = (approve.may_add, approve.may_reassign, approve.may_withdraw);
            let means = format!(
                "{stages:?} {:?} {:?} {back:?} {rest:?} {may:?}",
                approve.authority,
                approve.reject.map(id)
            );
            Aspect { name: "审批办法", means, says: approve_lines(policy, form, approve).join("；") }
        },
    );
    let heard: Vec<String> = step
        .on
        .iter()
        .map(|one| {
            let when =
                one.when.as_ref().map_or_else(String::new, |when| format!("且{}", when.in_chinese(this)));
            format!("{}{when}：{}", on(policy, &one.event), ways(form, &one.next).join("；"))
        })
        .collect();
    vec![
        plain("名称", &step.title),
        plain("性质", kind),
        people("办理人", policy, step.by.as_ref(), this),
        plain("办理要求", &step.help),
        approve,
        plain("等待的事件", heard.join("；")),
        plain("结果", &step.outcome),
        plain("办理期间可以查看客户", if step.opens_customer { "是" } else { "" }),
        people("抄送", policy, step.copy_to.as_ref(), this),
    ]
}

fn of_action(policy: &Policy, form: &Form, action: &Action) -> Vec<Aspect> {
    let this = Some(form);
    let require: Vec<(String, String)> = action
        .require
        .iter()
        .map(|require| {
            let titles = field_titles(form, &require.fill);
            (
                format!("{}：{titles}", meaning(require.when.source())),
                format!("{}时{titles}", require.when.in_chinese(this)),
            )
        })
        .collect();
    let open: Vec<(String, String)> = action
        .open
        .iter()
        .map(|open| {
            let title = policy.form(&open.form).map_or(open.form.as_str(), |form| &form.title);
            let set: Vec<String> =
                open.set.iter().map(|(field, expr)| format!("{field}={}", meaning(expr.source()))).collect();
            let when = open.when.as_ref().map_or_else(String::new, |when| meaning(when.source()));
            let only = open
                .when
                .as_ref()
                .map_or_else(String::new, |when| format!("（{}时）", when.in_chinese(this)));
            let each = open.each.as_ref().map_or_else(String::new, |each| meaning(each.source()));
            (format!("{} {each} {set:?} {when}", open.form), format!("《{title}》{only}"))
        })
        .collect();
    let joined = |name, pairs: &[(String, String)]| Aspect {
        name,
        means: pairs.iter().map(|(means, _)| means.as_str()).collect::<Vec<_>>().join(";"),
        says: pairs.iter().map(|(_, says)| says.as_str()).collect::<Vec<_>>().join("；"),
    };
    vec![
        plain("名称", &action.title),
        people("办理人", policy, action.by.as_ref(), this),
        words("出现的条件", action.when.as_ref(), this),
        fields("必填", form, &action.fill),
        fields("可填", form, &action.offer),
        joined("条件必填", &require),
        set("设定", this, &action.set, this),
        next("去向", form, &action.next),
        joined("同时开的单", &open),
        list("发出的事件", &action.emit),
        plain("确认提示", &action.confirm),
    ]
}

fn of_deadline(policy: &Policy, form: &Form, deadline: &Deadline) -> Vec<Aspect> {
    let this = Some(form);
    let warn: Vec<String> = deadline.warn.iter().map(|before| before.in_chinese()).collect();
    let ladder = |says: bool| {
        let rungs = deadline.escalate.iter().map(|(after, expr)| {
            let people = if says { who(policy, expr, this) } else { meaning(expr.source()) };
            format!("再过{}通知{people}", after.in_chinese())
        });
        rungs.collect::<Vec<_>>().join("；")
    };
    vec![
        plain("名称", &deadline.title),
        words("起算", Some(&deadline.from), this),
        plain("期限", deadline.within.in_chinese()),
        words("完成标志", Some(&deadline.until), this),
        words("适用范围", deadline.when.as_ref(), this),
        words("停计条件", deadline.pause.as_ref(), this),
        list("提醒", &warn),
        people("提醒对象", policy, deadline.tell.as_ref(), this),
        plain("逾期标记", deadline.mark.as_ref().map_or("", |(_, title)| title)),
        people("逾期通知", policy, deadline.notify.as_ref(), this),
        Aspect { name: "逐级通知", means: ladder(false), says: ladder(true) },
    ]
}

fn of_rules(policy: &Policy, all: &mut Vec<Item>) {
    let form_of = |id: &str| policy.form(id).map(|form| &**form);
    for table in &policy.authorities {
        let form = form_of(&table.form);
        let row = |when: &Option<Expr>, by: &[Expr], says: bool| {
            let text = |expr: &Expr| if says { expr.in_chinese(form) } else { meaning(expr.source()) };
            let when = when.as_ref().map_or_else(|| "其余情况".to_owned(), text);
            let by: Vec<String> =
                by.iter().map(|by| if says { who(policy, by, form) } else { meaning(by.source()) }).collect();
            format!("{when}：{}", by.join(" → "))
        };
        let rows =
            |says| table.rows.iter().map(|(when, by)| row(when, by, says)).collect::<Vec<_>>().join("；");
        let aspects =
            vec![plain("名称", &table.title), Aspect { name: "各行", means: rows(false), says: rows(true) }];
        all.push(item(
            format!("authority {}", table.id),
            format!("核决表《{}》", table.title),
            Some(&table.clause),
            aspects,
        ));
    }
    for (place, trigger) in policy.triggers.iter().enumerate() {
        let form = form_of(&trigger.form);
        // Triggers have no names: the event, the form and which of several.
        let same =
            policy.triggers[..place].iter().filter(|t| t.on == trigger.on && t.form == trigger.form).count();
        let title = form.map_or("", |form| form.title.as_str());
        let aspects = vec![words("条件", trigger.when.as_ref(), None), set("设定", form, &trigger.set, None)];
        let what = format!("{}时自动开《{title}》", on(policy, &trigger.on));
        all.push(item(
            format!("trigger {} {} {same}", trigger.on, trigger.form),
            what,
            Some(&trigger.clause),
            aspects,
        ));
    }
    for refusal in &policy.refusals {
        let form = refusal.on.split_once('.').and_then(|(form, _)| form_of(form));
        let aspects = vec![
            plain("对象", on(policy, &refusal.on)),
            words("条件", Some(&refusal.when), form),
            plain("提示", &refusal.message),
            people("特批人", policy, refusal.exempt_by.as_ref(), form),
        ];
        all.push(item(
            format!("refusal {}", refusal.id),
            format!("禁止事项“{}”", refusal.message),
            Some(&refusal.clause),
            aspects,
        ));
    }
    for penalty in &policy.penalties {
        let sources = [
            Some(&penalty.whom),
            Some(&penalty.amount),
            penalty.when.as_ref(),
            penalty.count.as_ref(),
            penalty.until.as_ref(),
            penalty.confirm_by.as_ref(),
        ];
        let sources: Vec<Option<String>> =
            sources.into_iter().map(|expr| expr.map(|expr| meaning(expr.source()))).collect();
        let rest = (
            &penalty.on,
            penalty.measure,
            &penalty.multiply,
            penalty.repeat,
            &penalty.replaces,
            penalty.appeal,
        );
        let rule = Aspect {
            name: "规定",
            means: format!("{sources:?} {rest:?}"),
            says: penalty_line(policy, penalty),
        };
        let aspects = vec![plain("名称", &penalty.title), rule];
        all.push(item(
            format!("penalty {}", penalty.id),
            format!("罚则“{}”", penalty.title),
            Some(&penalty.clause),
            aspects,
        ));
    }
    for notice in &policy.notices {
        let form = form_of(&notice.form);
        let aspects = vec![
            plain("时机", on(policy, &notice.on)),
            words("条件", notice.when.as_ref(), form),
            people("收件人", policy, Some(&notice.to), form),
            template("内容", &notice.text, form),
        ];
        all.push(item(
            format!("notice {}", notice.id),
            format!("通知“{}”", notice.id),
            notice.clause.as_deref(),
            aspects,
        ));
    }
    for retention in &policy.retentions {
        let form = form_of(&retention.form);
        let aspects = vec![
            plain("期限", retention.keep.in_chinese()),
            plain("到期处理", if retention.destroys { "销毁" } else { "鉴定" }),
            people("批准人", policy, Some(&retention.by), form),
        ];
        let what = format!("《{}》的保管", form.map_or("", |form| form.title.as_str()));
        all.push(item(format!("retention {}", retention.form), what, Some(&retention.clause), aspects));
    }
    for access in &policy.access {
        let form = form_of(&access.form);
        let verbs = access
            .verbs
            .join("、")
            .replace("view", "查看")
            .replace("print", "打印")
            .replace("export", "导出");
        let what = format!("《{}》的{verbs}权限", form.map_or("", |form| form.title.as_str()));
        let aspects = vec![people("人员", policy, Some(&access.by), form)];
        all.push(item(
            format!("access {} {verbs} {}", access.form, access.clause),
            what,
            Some(&access.clause),
            aspects,
        ));
    }
}

fn of_periods(policy: &Policy, all: &mut Vec<Item>) {
    for duty in &policy.duties {
        let warn: Vec<String> = duty.warn.iter().map(|before| before.in_chinese()).collect();
        let aspects = vec![
            plain("名称", &duty.title),
            plain("对象", format!("{:?}", duty.per)),
            words("范围", duty.of.as_ref(), None),
            plain("周期", every(duty.every)),
            plain("期限", duty.due.in_chinese()),
            people("责任人", policy, Some(&duty.by), None),
            plain("凭证", format!("{:?}", duty.evidence)),
            plain("凭证归期", duty.evidence_on.as_deref().unwrap_or_default()),
            plain("次数", duty.times.to_string()),
            number("目标", duty.target),
            list("提醒", &warn),
            people("未完成时通知", policy, duty.notify.as_ref(), None),
        ];
        all.push(item(
            format!("duty {}", duty.id),
            format!("周期职责“{}”", duty.title),
            Some(&duty.clause),
            aspects,
        ));
    }
    for metric in &policy.metrics {
        let form = policy.form(&metric.form).map(|form| &**form);
        let by: Vec<&str> =
            metric.by.iter().filter_map(|place| Some(form?.fields.get(*place)?.title.as_str())).collect();
        let aspects = vec![
            plain("名称", &metric.title),
            plain("算法", format!("{:?}", metric.kind)),
            words("统计范围", metric.over.as_ref(), form),
            words("达标条件", metric.of.as_ref(), form),
            words("取值", metric.value.as_ref(), form),
            words("归属时间", Some(&metric.at), form),
            plain("分组", by.join("、")),
            number("目标", metric.goal),
        ];
        all.push(item(
            format!("metric {}", metric.id),
            format!("指标“{}”", metric.title),
            Some(&metric.clause),
            aspects,
        ));
    }
    for report in &policy.reports {
        let metrics: Vec<&str> = policy
            .metrics
            .iter()
            .filter(|metric| report.metrics.contains(&metric.id))
            .map(|metric| metric.title.as_str())
            .collect();
        let reviewed = |says: bool| {
            let one = |expr: &Expr| if says { who(policy, expr, None) } else { meaning(expr.source()) };
            report.reviewed_by.iter().map(one).collect::<Vec<_>>().join(" → ")
        };
        let register = report.register.as_ref().map_or_else(String::new, |register| {
            let form = policy.form(&register.form).map(|form| &**form);
            let columns = register.columns.iter().map(|column| match column {
                None => "单号",
                Some(place) => {
                    form.and_then(|form| form.fields.get(*place)).map_or("", |field| field.title.as_str())
                }
            });
            let columns = columns.collect::<Vec<_>>().join("、");
            let when = register
                .when
                .as_ref()
                .map_or_else(String::new, |when| format!("，{}", when.in_chinese(form)));
            format!("《{}》{when}：{columns}", form.map_or("", |form| form.title.as_str()))
        });
        let aspects = vec![
            plain("名称", &report.title),
            plain("周期", every(report.every)),
            plain("指标", metrics.join("、")),
            plain("清单", register),
            list("分组", &report.by),
            people("编制人", policy, Some(&report.made_by), None),
            Aspect { name: "审阅人", means: reviewed(false), says: reviewed(true) },
            plain("报送期限", report.due.in_chinese()),
        ];
        all.push(item(
            format!("report {}", report.id),
            format!("报表“{}”", report.title),
            Some(&report.clause),
            aspects,
        ));
    }
    for standard in &policy.standards {
        let aspects = vec![
            plain("名称", &standard.title),
            plain("内容", &standard.text),
            list("约束角色", &standard.roles),
            list("检查项", &standard.checks),
        ];
        all.push(item(
            format!("standard {}", standard.id),
            format!("规范“{}”", standard.title),
            Some(&standard.clause),
            aspects,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::complaints;
    use crate::engine::tests::vocabulary;
    use crate::{Settings, SourceFile};

    fn policy(files: &[SourceFile], settings: &Settings) -> Policy {
        crate::check(files, settings, &vocabulary()).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    fn changed(changes: &[(&str, &str)]) -> Vec<SourceFile> {
        let mut files = complaints();
        for (from, to) in changes {
            let file =
                files.iter_mut().find(|file| file.text.contains(from)).unwrap_or_else(|| panic!("{from}"));
            file.text = file.text.replacen(from, to, 1);
        }
        files
    }

    fn texts(changes: &[(&str, &str)]) -> Vec<String> {
        let none = Settings::new();
        let all = diff(&policy(&complaints(), &none), &policy(&changed(changes), &none));
        all.into_iter()
            .map(|change| format!("[{}] {}", change.clause.unwrap_or_default(), change.text))
            .collect()
    }

    #[test]
    fn formatting_is_no_change() {
        assert_eq!(texts(&[]), Vec::<String>::new());
        assert_eq!(
            texts(&[
                ("when = \"!case.compensates\"", "when = ' ! case.compensates '"),
                (
                    "over = \"case.outcome == '已结案' || case.outcome == '不受理'\"",
                    "over = 'case.outcome==\"已结案\"||case.outcome  ==  \"不受理\"'"
                ),
                ("by = \"role:store-staff, role:ops-service\"", "by = \"role:store-staff,role:ops-service\""),
                ("[[deadline]]", "# 说明\n[[deadline]]"),
            ]),
            Vec::<String>::new()
        );
        let mut files = complaints();
        files.reverse();
        let none = Settings::new();
        assert_eq!(diff(&policy(&complaints(), &none), &policy(&files, &none)), []);
        assert_eq!(meaning("a in  b"), "a in b");
        assert_ne!(meaning("x == 'a b'"), meaning("x == 'ab'"), "blanks within texts matter");
    }

    #[test]
    fn each_change_is_a_sentence_with_before_after_and_its_clause() {
        assert_eq!(
            texts(&[("warn = [\"-2d\", \"-1d\"]", "warn = [\"-1d\"]"), ("after = \"1d\"", "after = \"2d\"")]),
            [
                "[第二十六条] 《客户投诉记录卡》的时限“七天结案”的提醒由“提前2天、提前1天”改为“提前1天”",
                "[第二十六条] 《客户投诉记录卡》的时限“七天结案”的逐级通知由“再过1天通知总经理”改为“再过2天通知总经理”",
            ]
        );
        assert_eq!(
            texts(&[("default = 500", "default = 800")]),
            [
                "[第十八条] 参数“部门负责人可定的折价、赔偿金额上限”的值由“500元”改为“800元”",
                "[第十八条] 参数“部门负责人可定的折价、赔偿金额上限”的默认值由“500元”改为“800元”",
            ]
        );
        assert_eq!(
            texts(&[("by = \"superior(head(case.store))\"", "by = \"role:general-manager\"")]),
            ["[第七条] 《客户投诉记录卡》的步骤“裁定是否受理”的办理人由“门店负责人的上级”改为“总经理”"]
        );
        let reject = texts(&[("reject = \"investigate\"\nmay", "may")]);
        assert_eq!(reject.len(), 1);
        assert!(
            reject[0].contains("审批办法由")
                && reject[0].contains("驳回时转“调查并填写报告”")
                && reject[0].contains("驳回即结束"),
            "{reject:?}"
        );
        assert_eq!(
            texts(&[("title = \"七天结案\"", "title = \"按期结案\"")]),
            ["[第二十六条] 《客户投诉记录卡》的时限“按期结案”的名称由“七天结案”改为“按期结案”"]
        );
    }

    #[test]
    fn what_came_and_went_is_told() {
        let field = "[[form.field]]\nid = \"mood\"\ntitle = \"客户情绪\"\ntype = \"choice\"\noptions = [\"平静\", \"激动\"]\nclause = \"第四条\"\n\n[[form]]\nid = \"prevention\"";
        let more = [("[[form]]\nid = \"prevention\"", field)];
        let none = Settings::new();
        let (old, new) = (policy(&complaints(), &none), policy(&changed(&more), &none));
        let came = diff(&old, &new);
        assert_eq!(came.len(), 1);
        assert_eq!(
            (came[0].kind, came[0].clause.as_deref(), came[0].what.as_str()),
            (Kind::Added, Some("第四条"), "《客户投诉记录卡》的字段“客户情绪”")
        );
        assert!(came[0].text.contains("选项：平静、激动"), "{}", came[0].text);
        let went = diff(&new, &old);
        assert_eq!((went.len(), went[0].kind), (1, Kind::Removed));
        assert!(went[0].text.starts_with("删去《客户投诉记录卡》的字段“客户情绪”"), "{}", went[0].text);
    }

    #[test]
    fn a_value_of_the_company_is_a_change_too_and_alone() {
        let own = Settings::from([("close_within".to_owned(), serde_json::json!("5wd"))]);
        let all = diff(&policy(&complaints(), &Settings::new()), &policy(&complaints(), &own));
        let texts: Vec<&str> = all.iter().map(|change| change.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "参数“结案期限”的值由“7天”改为“5个工作日”",
                "《客户投诉记录卡》的时限“七天结案”的期限由“7天”改为“5个工作日”",
            ]
        );
    }
}
