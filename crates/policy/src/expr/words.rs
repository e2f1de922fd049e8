//! Expressions in words, for managers who read a regulation and do not write one.

use super::{Arith, Builtin, Each, Expr, Func, Node, Order, Part, eval};
use crate::model::Form;
use crate::value::{Kind, Ty, Value, yuan};

/// Longest wording; what is longer is shown as it is written.
const LONGEST: usize = 400;

impl Expr {
    /// In Chinese: 「金额大于500元,且已填客户」. `form` gives the fields their titles.
    pub fn in_chinese(&self, form: Option<&Form>) -> String {
        let words = Words { form, locals: Vec::new() };
        let text = words.of(&self.node);
        if text.chars().count() > LONGEST { self.source.to_string() } else { text }
    }

    /// Why it names nobody, where that can be told.
    pub(crate) fn why_nobody(&self, env: &super::Env<'_>, form: &Form) -> Option<String> {
        let (posts, lack) = self.lack(env, form)?;
        Some(match lack {
            Lack::Unit(unit) => format!("“{posts}”要在{unit}里找，而它没有填"),
            Lack::Holder(unit) => format!("“{posts}”在{unit}没有任职的人"),
        })
    }

    /// Who was to do something that nobody can do, what is missing, and who puts that right: 「应由工程主任办理，但东园管理处
    /// 没有任职的人，请管理员在组织里补上」.
    pub(crate) fn nobody_does(&self, does: &str, env: &super::Env<'_>, form: &Form) -> String {
        match self.lack(env, form) {
            Some((posts, Lack::Unit(unit))) => format!("应由{posts}{does}，但{unit}没有填，请先填上"),
            Some((posts, Lack::Holder(unit))) => {
                format!("应由{posts}{does}，但{unit}没有任职的人，请管理员在组织里补上")
            }
            None => {
                let who = self.in_chinese(Some(form));
                format!("应由{who}{does}，但现在找不到这样的人，请管理员在组织里补上")
            }
        }
    }

    /// The posts it names nobody by, and what is missing.
    fn lack(&self, env: &super::Env<'_>, form: &Form) -> Option<(String, Lack)> {
        let words = Words { form: Some(form), locals: Vec::new() };
        let (posts, unit) = self.node.holders_of_nobody(env)?;
        let lack = match unit.map(|unit| (unit, eval::value(unit, env))) {
            None => Lack::Holder("公司里".into()),
            Some((_, Value::Text(id))) if !id.is_empty() => Lack::Holder(env.world().name(Kind::Unit, &id)),
            Some((unit, _)) => Lack::Unit(words.of(unit)),
        };
        Some((posts.join("、"), lack))
    }
}

/// What is missing where nobody is found.
enum Lack {
    /// The unit to look in: it is not filled.
    Unit(String),
    /// Anybody with such a post in this unit.
    Holder(String),
}

struct Words<'f> {
    form: Option<&'f Form>,
    locals: Vec<String>,
}

impl Words<'_> {
    fn of(&self, node: &Node) -> String {
        match node {
            Node::Const(value) => shown(value),
            Node::Field(place) => {
                self.field(*place).map_or_else(|| "字段".into(), |field| field.title.clone())
            }
            Node::Builtin(which) => builtin(*which).into(),
            Node::Event(name) => format!("事件的{}", fact(name)),
            Node::Now => "现在".into(),
            Node::Actor => "操作人".into(),
            Node::Local(place) => self.locals.get(*place).cloned().unwrap_or_else(|| "该项".into()),
            Node::Column(_, name) => self.column(name),
            Node::Fact(of, kind, name) => self.fact(of, *kind, name),
            Node::Not(inner) => self.not(inner),
            Node::And(left, right) => format!("{}，且{}", self.part(left, node), self.part(right, node)),
            Node::Or(left, right) => format!("{}，或{}", self.part(left, node), self.part(right, node)),
            Node::If(test, yes, no) => format!("{}时{}，否则{}", self.of(test), self.of(yes), self.of(no)),
            Node::Equal(left, right) => self.equal(left, right, true),
            Node::Order(order, left, right) => {
                let order = match order {
                    Order::Less => "小于",
                    Order::LessOrEqual => "不超过",
                    Order::Greater => "大于",
                    Order::GreaterOrEqual => "不少于",
                };
                format!("{}{order}{}", self.of(left), self.of(right))
            }
            Node::In(item, list) => match &**list {
                Node::Const(Value::List(items)) => {
                    format!(
                        "{}是{}之一",
                        self.of(item),
                        items.iter().map(shown).collect::<Vec<_>>().join("、")
                    )
                }
                list => format!("{}含{}", self.of(list), self.of(item)),
            },
            Node::HasPart(part, whole, text) => {
                let part = match part {
                    Part::Start => "以",
                    Part::End => "末尾是",
                    Part::Anywhere => "含有",
                };
                let rest = if part == "以" { "开头" } else { "" };
                format!("{}{part}{}{rest}", self.of(whole), self.of(text))
            }
            Node::Arith(Arith::Add, left, right) if is_people(left) || is_people(right) => {
                [self.of(left), self.of(right)]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect::<Vec<_>>()
                    .join("、")
            }
            Node::Arith(how, left, right) => {
                let how = match how {
                    Arith::Add => "+",
                    Arith::Subtract => "-",
                    Arith::Multiply => "×",
                    Arith::Divide => "÷",
                    Arith::Remainder => "除余",
                };
                format!("{} {how} {}", self.of(left), self.of(right))
            }
            Node::Negate(inner) => format!("-{}", self.of(inner)),
            Node::ToMoney(inner) => format!("{}元", self.of(inner)),
            Node::List(items) => items.iter().map(|item| self.of(item)).collect::<Vec<_>>().join("、"),
            Node::Call(func, args) => self.call(*func, args),
            Node::Holders(posts, None) => posts.join("、"),
            Node::Holders(posts, Some(unit)) => format!("{}的{}", self.of(unit), posts.join("、")),
            Node::Each(each, list, place, body) => self.each(*each, list, *place, body),
            Node::Rows(list, ..) => format!("{}逐项列出", self.of(list)),
            Node::Cases(cases) => self.cases(cases),
        }
    }

    /// One of several conditions, in brackets where it could be misread.
    fn part(&self, node: &Node, within: &Node) -> String {
        let mixes = matches!(
            (within, node),
            (Node::And(..), Node::Or(..) | Node::If(..)) | (Node::Or(..), Node::And(..) | Node::If(..))
        );
        if mixes { format!("（{}）", self.of(node)) } else { self.of(node) }
    }

    fn field(&self, place: usize) -> Option<&crate::model::Field> {
        self.form.and_then(|form| form.fields.get(place))
    }

    fn column(&self, name: &str) -> String {
        let columns = self.form.iter().flat_map(|form| &form.fields).flat_map(|field| &field.columns);
        columns
            .into_iter()
            .find(|column| column.id == name)
            .map_or_else(|| name.to_owned(), |column| column.title.clone())
    }

    fn fact(&self, of: &Node, kind: Kind, name: &str) -> String {
        match (kind, name) {
            (Kind::Unit, "head") => format!("{}负责人", self.of(of)),
            (Kind::Unit, "parent") => format!("{}的上级部门", self.of(of)),
            _ => format!("{}的{}", self.of(of), fact(name)),
        }
    }

    fn not(&self, inner: &Node) -> String {
        match inner {
            Node::Call(Func::Has, args) => {
                format!("未填{}", args.first().map_or_else(String::new, |arg| self.of(arg)))
            }
            Node::Equal(left, right) => self.equal(left, right, false),
            Node::Field(_) => format!("{}为否", self.of(inner)),
            Node::Builtin(Builtin::IsOpen) => "已经结束".into(),
            Node::In(item, list) if !matches!(**list, Node::Const(_)) => {
                format!("{}不含{}", self.of(list), self.of(item))
            }
            Node::Not(twice) => self.of(twice),
            _ => format!("不是（{}）", self.of(inner)),
        }
    }

    fn equal(&self, left: &Node, right: &Node, is: bool) -> String {
        match (right, is) {
            (Node::Const(empty), _) if !empty.is_known() => {
                format!("{}{}", if is { "未填" } else { "已填" }, self.of(left))
            }
            (_, true) => format!("{}为{}", self.of(left), self.of(right)),
            (_, false) => format!("{}不为{}", self.of(left), self.of(right)),
        }
    }

    fn call(&self, func: Func, args: &[Node]) -> String {
        let arg = |place: usize| args.get(place).map_or_else(String::new, |arg| self.of(arg));
        let name = |place: usize| match args.get(place) {
            Some(Node::Const(Value::Text(text))) => text.to_string(),
            _ => arg(place),
        };
        match func {
            Func::Size => format!("{}的数量", arg(0)),
            Func::Has => format!("已填{}", arg(0)),
            Func::Min => format!("{}与{}中较小的", arg(0), arg(1)),
            Func::Max => format!("{}与{}中较大的", arg(0), arg(1)),
            Func::Abs => format!("{}的绝对值", arg(0)),
            Func::Round => format!("{}取整", arg(0)),
            Func::Sum => format!("{}合计", arg(0)),
            Func::DateOf => format!("{}的日期", arg(0)),
            Func::Year => format!("{}的年份", arg(0)),
            Func::Month => format!("{}的月份", arg(0)),
            Func::Day => format!("{}的日", arg(0)),
            Func::MinutesBetween => format!("{}到{}的分钟数", arg(0), arg(1)),
            Func::HoursBetween => format!("{}到{}的小时数", arg(0), arg(1)),
            Func::DaysBetween => format!("{}到{}的天数", arg(0), arg(1)),
            Func::WorkdaysBetween => format!("{}到{}的工作日数", arg(0), arg(1)),
            Func::Entered => format!("进入“{}”的时间", self.step(&name(0))),
            Func::Done => format!("“{}”的时间", self.action(&name(0))),
            Func::Times => format!("“{}”的次数", self.action(&name(0))),
            Func::OnDuty => format!("“{}”当班人员", name(0)),
            Func::OnDutyOn => format!("“{}”{}的当班人员", name(0), arg(1)),
            Func::Under => format!("{}属于{}", arg(0), arg(1)),
            Func::Earlier => {
                let fields: Vec<String> =
                    args.iter().skip(1).step_by(2).map(|field| self.of(field)).collect();
                format!("{}相同的其他单据数", fields.join("、"))
            }
            Func::HasCase => format!("{}已有结果为{}的“{}”", arg(2), arg(1), name(0)),
            Func::CustomersOf => format!("{}负责的客户", arg(0)),
            Func::FirstOfMonth => format!("{}所在月的第一天", arg(0)),
            Func::LastOfMonth => format!("{}所在月的最后一天", arg(0)),
            Func::First => arg(0),
            Func::FreeAt => "最早有空的时间".into(),
            Func::Sample => format!("从{}中抽取{}个", arg(0), arg(1)),
        }
    }

    fn cases(&self, cases: &super::Cases) -> String {
        let mut which: Vec<String> = cases.same.iter().map(|(_, value)| self.of(value)).collect();
        if let Some((_, _, from, to)) = &cases.between {
            which.push(format!("{}至{}", self.of(from), self.of(to)));
        }
        let open = if cases.is_open { "未结束的" } else { "" };
        format!("{}的{open}《{}》", which.join("、"), cases.title)
    }

    fn step(&self, id: &str) -> String {
        self.form.and_then(|form| form.step(id)).map_or_else(|| id.to_owned(), |step| step.title.clone())
    }

    fn action(&self, id: &str) -> String {
        let steps = self.form.iter().flat_map(|form| &form.steps);
        let found = steps
            .into_iter()
            .find_map(|step| Some((step, step.actions.iter().find(|action| action.id == id)?)));
        match found {
            // The one action of a step is the step.
            Some((step, action)) if action.id.contains('.') => step.title.clone(),
            Some((_, action)) => action.title.clone(),
            None => id.to_owned(),
        }
    }

    fn each(&self, each: Each, list: &Node, place: usize, body: &Node) -> String {
        let mut locals = self.locals.clone();
        locals.truncate(place);
        locals.push("该项".into());
        let inner = Words { form: self.form, locals };
        let (list, body) = (self.of(list), inner.of(body));
        match each {
            Each::All => format!("{list}的每一项都：{body}"),
            Each::Exists => format!("{list}中有一项：{body}"),
            Each::ExistsOne => format!("{list}中恰有一项：{body}"),
            Each::Map => format!("{list}各项的{body}"),
            Each::Filter => format!("{list}中{body}的各项"),
        }
    }
}

/// Lists that name people: joined as people are, not added as numbers are.
fn is_people(node: &Node) -> bool {
    match node {
        Node::List(_) | Node::Holders(..) | Node::Call(Func::OnDuty | Func::OnDutyOn, _) => true,
        Node::Const(value) => matches!(value, Value::List(_)),
        Node::Arith(Arith::Add, left, right) => is_people(left) || is_people(right),
        _ => false,
    }
}

fn builtin(which: Builtin) -> &'static str {
    match which {
        Builtin::Itself => "本单",
        Builtin::Number => "单号",
        Builtin::OpenedAt => "开单时间",
        Builtin::ClosedAt => "办结时间",
        Builtin::Creator => "开单人",
        Builtin::Owner => "负责人",
        Builtin::Unit => "所属部门",
        Builtin::Customer => "客户",
        Builtin::Step => "当前步骤",
        Builtin::Outcome => "办结结果",
        Builtin::Marks => "标记",
        Builtin::IsOpen => "尚未结束",
    }
}

/// What facts of records are called; one the application alone knows keeps its name.
fn fact(name: &str) -> &str {
    match name {
        "name" => "名称",
        "superior" => "上级",
        "unit" => "部门",
        "posts" => "岗位",
        "owner" => "负责人",
        "class" => "类别",
        "level" => "等级",
        "kind" => "种类",
        "status" => "状态",
        "region" => "地区",
        "number" => "编号",
        "customer" => "客户",
        "actor" => "操作人",
        "from" => "原负责人",
        "to" => "新负责人",
        "from_unit" => "原部门",
        "to_unit" => "新部门",
        "person" => "人员",
        "amount" => "金额",
        "at" => "时间",
        "outcome" => "结果",
        "opened_at" => "开单时间",
        "closed_at" => "办结时间",
        "created_at" => "建立时间",
        "filed_at" => "备案时间",
        other => other,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "空".into(),
        Value::Bool(true) => "是".into(),
        Value::Bool(false) => "否".into(),
        Value::Int(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Money(cents) => money(*cents),
        Value::Text(text) => format!("“{text}”"),
        Value::Date(day) => day.to_string(),
        Value::List(items) => items.iter().map(shown).collect::<Vec<_>>().join("、"),
        Value::Time(_) | Value::Row(_) => "…".into(),
    }
}

/// Whole yuan without decimals.
fn money(cents: i64) -> String {
    let text = yuan(cents);
    format!("{}元", text.strip_suffix(".00").unwrap_or(&text))
}

/// A setting's value in words.
pub(crate) fn of_value(value: &Value, ty: &Ty) -> String {
    match (value, ty) {
        (Value::Null, _) => "（未定）".into(),
        (Value::Text(text), _) => text.to_string(),
        (value, _) => shown(value),
    }
}
