//! From CEL's syntax tree to a typed one: every name, type and function is settled here, so that answering cannot fail.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};
use jiff::civil::Date;

use super::names::{Names, builtin};
use super::parse::{DEEPEST, parse};
use super::{Arith, Each, Expr, Func, MOST_NODES, Node, Order, Part, Problem};
use crate::value::{Kind, Ty, Value};

/// What an expression must answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A condition.
    Condition,
    /// A value that fits this type.
    Value(Ty),
    /// One person or many.
    People,
    /// Whatever it is.
    Anything,
}

/// Reads and checks an expression.
pub fn compile(source: &str, names: &Names<'_>, wanted: &Wanted) -> Result<Expr, Problem> {
    let (tree, places) = parse(source)?;
    let mut checker = Checker {
        names,
        places,
        nodes: 0,
        depth: 0,
        loops: 0,
        locals: Vec::new(),
        fields: BTreeSet::new(),
        compared: BTreeSet::new(),
        roles: Vec::new(),
    };
    checker.locals.extend(names.one.map(|ty| ("one".to_owned(), ty.clone())));
    let (node, ty) = checker.term(&tree)?;
    let (node, ty) = match wanted {
        Wanted::Anything => (node, ty),
        Wanted::Condition if ty == Ty::Bool => (node, ty),
        Wanted::Condition => {
            return Err(Problem::new(
                format!("这里要写一个判断，现在是{}；例如 case.amount > 500", ty.title()),
                1,
            ));
        }
        Wanted::Value(to) => match checker.fit(tree.id, (node, ty), to) {
            Ok(node) => (node, to.clone()),
            Err(problem) => return Err(problem),
        },
        Wanted::People => match &ty {
            Ty::Ref(Kind::Person) | Ty::Null => (Node::List(vec![node]), Ty::people()),
            Ty::List(of) if **of == Ty::Ref(Kind::Person) => (node, Ty::people()),
            other => {
                return Err(Problem::new(
                    format!("这里要写人员，例如 role:店长、superior(case.owner)；现在是{}", other.title()),
                    1,
                ));
            }
        },
    };
    Ok(Expr {
        source: Arc::from(source),
        node: Arc::new(node),
        ty,
        fields: checker.fields.into_iter().collect(),
        compared: checker.compared.into_iter().collect(),
    })
}

/// Who: an expression of people, or `role:ID`, `role:A, role:B`.
pub fn people(source: &str, names: &Names<'_>) -> Result<Expr, Problem> {
    let Some(roles) = roles_of(source) else { return compile(source, names, &Wanted::People) };
    let list: Vec<String> =
        roles.iter().map(|role| format!("role('{}')", role.replace(['\'', '\\'], ""))).collect();
    let mut expr =
        compile(&list.join(" + "), names, &Wanted::People).map_err(|p| Problem { column: 1, ..p })?;
    expr.source = Arc::from(source);
    Ok(expr)
}

fn roles_of(source: &str) -> Option<Vec<String>> {
    source
        .split([',', '，'])
        .map(|part| part.trim().strip_prefix("role:").map(|id| id.trim().to_owned()))
        .collect()
}

type Checked<T> = Result<T, Problem>;
type Typed = (Node, Ty);

struct Checker<'n> {
    names: &'n Names<'n>,
    places: SourceInfo,
    nodes: usize,
    depth: usize,
    loops: usize,
    locals: Vec<(String, Ty)>,
    fields: BTreeSet<usize>,
    compared: BTreeSet<(String, String)>,
    /// The roles whose units are being read.
    roles: Vec<String>,
}

impl Checker<'_> {
    fn problem<T>(&self, at: u64, text: impl Into<String>) -> Checked<T> {
        let offset = self.places.offset_for(at).map_or(0, |(start, _)| start as usize);
        let before = self.places.source.get(..offset).unwrap_or("");
        Err(Problem::new(text, before.chars().count() + 1))
    }

    fn term(&mut self, tree: &IdedExpr) -> Checked<Typed> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return self.problem(tree.id, format!("表达式太复杂，最多 {MOST_NODES} 项"));
        }
        if self.depth >= DEEPEST {
            return self.problem(tree.id, format!("嵌套太深，最多 {DEEPEST} 层"));
        }
        self.depth += 1;
        let typed = self.inside(tree)?;
        self.depth -= 1;
        Ok(typed)
    }

    fn inside(&mut self, tree: &IdedExpr) -> Checked<Typed> {
        match &tree.expr {
            Cel::Literal(literal) => self.literal(tree.id, literal),
            Cel::Ident(name) => self.ident(tree.id, name),
            Cel::Select(select) if !select.test => self.select(tree.id, &select.operand, &select.field),
            Cel::List(list) => {
                let items: Checked<Vec<Typed>> = list.elements.iter().map(|item| self.term(item)).collect();
                self.list(tree.id, items?)
            }
            Cel::Call(call) => self.call(tree.id, call),
            _ => self.problem(tree.id, "不支持这种写法"),
        }
    }

    fn literal(&self, at: u64, literal: &LiteralValue) -> Checked<Typed> {
        Ok(match literal {
            LiteralValue::Boolean(value) => (Node::Const(Value::Bool(*value.inner())), Ty::Bool),
            LiteralValue::Int(value) => (Node::Const(Value::Int(*value.inner())), Ty::Int),
            LiteralValue::Double(value) => (Node::Const(Value::Number(*value.inner())), Ty::Number),
            LiteralValue::String(value) => (Node::Const(Value::text(value.inner())), Ty::Text),
            LiteralValue::Null => (Node::Const(Value::Null), Ty::Null),
            LiteralValue::UInt(_) | LiteralValue::Bytes(_) => return self.problem(at, "不支持这种写法"),
        })
    }

    /// One type for all items; constants become one constant.
    fn list(&self, at: u64, items: Vec<Typed>) -> Checked<Typed> {
        let Some(first) = items.iter().map(|(_, ty)| ty).find(|ty| **ty != Ty::Null).cloned() else {
            return Ok((Node::List(items.into_iter().map(|(node, _)| node).collect()), Ty::list(Ty::Null)));
        };
        if let Some((_, ty)) = items.iter().find(|(_, ty)| !alike(&first, ty)) {
            return self.problem(at, format!("列表里混有{}和{}", first.title(), ty.title()));
        }
        // A number beside an amount is yuan, and a text beside a day a day, here as in comparisons.
        let has = |wanted: Ty| items.iter().any(|(_, ty)| *ty == wanted).then_some(wanted);
        let of = has(Ty::Money).or_else(|| has(Ty::Number)).or_else(|| has(Ty::Date));
        let of = of.unwrap_or(if first.is_text() { Ty::Text } else { first });
        let nodes: Checked<Vec<Node>> = items.into_iter().map(|item| self.fit(at, item, &of)).collect();
        let nodes = nodes?;
        if nodes.iter().all(|node| matches!(node, Node::Const(_))) {
            let values = nodes.into_iter().map(|node| match node {
                Node::Const(value) => value,
                _ => Value::Null,
            });
            return Ok((Node::Const(Value::list(values)), Ty::list(of)));
        }
        Ok((Node::List(nodes), Ty::list(of)))
    }

    fn ident(&mut self, at: u64, name: &str) -> Checked<Typed> {
        if let Some(place) = self.locals.iter().rposition(|(local, _)| local == name) {
            return Ok((Node::Local(place), self.locals[place].1.clone()));
        }
        match name {
            "now" => Ok((Node::Now, Ty::Time)),
            "actor" => Ok((Node::Actor, Ty::Ref(Kind::Person))),
            "case" | "event" | "settings" => {
                self.problem(at, format!("“{name}”后面要写点号和名称，例如 {name}.amount"))
            }
            _ if self.names.fields.is_some_and(|fields| fields.iter().any(|(field, _)| field == name)) => {
                self.problem(at, format!("字段要写成 case.{name}"))
            }
            _ => self.problem(at, format!("没有叫“{}”的名称", shorten(name))),
        }
    }

    fn select(&mut self, at: u64, operand: &IdedExpr, field: &str) -> Checked<Typed> {
        if let Cel::Ident(root) = &operand.expr
            && !self.locals.iter().any(|(local, _)| local == root)
        {
            match root.as_str() {
                "case" => return self.case_name(at, field),
                "settings" => {
                    return match self.names.settings.get(field) {
                        Some((ty, value)) => Ok((Node::Const(value.clone()), ty.clone())),
                        None => {
                            self.unknown(at, "设置", field, self.names.settings.keys().map(String::as_str))
                        }
                    };
                }
                "event" => {
                    let Some(facts) = self.names.event else {
                        return self.problem(at, "这里没有事件，不能写 event");
                    };
                    return match facts.iter().find(|(name, _)| name == field) {
                        Some((_, ty)) => Ok((Node::Event(Arc::from(field)), ty.clone())),
                        None => {
                            self.unknown(at, "事件的内容", field, facts.iter().map(|(name, _)| name.as_str()))
                        }
                    };
                }
                _ => {}
            }
        }
        let (node, ty) = self.term(operand)?;
        match &ty {
            Ty::Row(columns) => match columns.iter().find(|(name, _)| name == field) {
                Some((_, ty)) => Ok((Node::Column(Box::new(node), Arc::from(field)), ty.clone())),
                None => self.unknown(at, "列", field, columns.iter().map(|(name, _)| name.as_str())),
            },
            Ty::Ref(kind) => {
                let facts = self.names.vocabulary.facts.get(kind).map_or(&[][..], Vec::as_slice);
                match facts.iter().find(|(name, _)| name == field) {
                    Some((_, ty)) => Ok((Node::Fact(Box::new(node), *kind, Arc::from(field)), ty.clone())),
                    None => {
                        let what = format!("{}的内容", kind.title());
                        self.unknown(at, &what, field, facts.iter().map(|(name, _)| name.as_str()))
                    }
                }
            }
            other => self.problem(at, format!("{}后面不能写“.{}”", other.title(), shorten(field))),
        }
    }

    fn case_name(&mut self, at: u64, field: &str) -> Checked<Typed> {
        let Some(fields) = self.names.fields else {
            return self.problem(at, "这里没有单据，不能写 case");
        };
        if let Some(place) = fields.iter().position(|(name, _)| name == field) {
            self.fields.insert(place);
            return Ok((Node::Field(place), fields[place].1.clone()));
        }
        if let Some((builtin, ty)) = builtin(field) {
            return Ok((Node::Builtin(builtin), ty));
        }
        let known = fields.iter().map(|(name, _)| name.as_str()).chain(super::CASE_FACTS.iter().copied());
        self.unknown(at, "字段", field, known)
    }

    fn unknown<'a, T>(
        &self,
        at: u64,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Checked<T> {
        let hint = hint(name, known);
        self.problem(at, format!("没有叫“{}”的{what}{hint}", shorten(name))).map_err(|p| p.of(what, name))
    }

    /// A value as the type it is put into or compared with.
    fn fit(&self, at: u64, (node, ty): Typed, to: &Ty) -> Checked<Node> {
        Ok(match (&ty, to) {
            (Ty::Null, _) => node,
            (Ty::Text, Ty::Choice(options)) => match &node {
                Node::Const(Value::Text(text))
                    if !text.is_empty() && !options.iter().any(|o| **o == **text) =>
                {
                    return self
                        .problem(at, format!("“{}”不在选项里：{}", shorten(text), options.join("、")));
                }
                _ => node,
            },
            (Ty::Text, Ty::Date) => match &node {
                Node::Const(Value::Text(text)) => match text.parse::<Date>() {
                    Ok(date) => Node::Const(Value::Date(date)),
                    Err(_) => return self.problem(at, "日期要写成 '2026-09-28'"),
                },
                _ => return self.problem(at, "日期不能和文字比较"),
            },
            (Ty::Int | Ty::Number, Ty::Money) => to_money(node),
            (Ty::Int, Ty::Number) => node,
            // A rounded average or a share put into a whole number would lose its fraction silently.
            (Ty::Choice(_), Ty::Text) => node,
            (Ty::Choice(_), Ty::Choice(_)) => node,
            (Ty::List(a), Ty::List(b)) if alike(a, b) || **a == Ty::Null => node,
            (Ty::List(a), Ty::List(b)) if matches!((&**a, &**b), (Ty::Row(_), Ty::Row(_))) => {
                return self.fit_rows(at, node, a, b);
            }
            (a, b) if a == b => node,
            (a, b) => return self.problem(at, format!("这里要{}，现在是{}", b.title(), a.title())),
        })
    }

    /// Lines put into lines: each column must be there, and what was made for it fits into it.
    fn fit_rows(&self, at: u64, node: Node, from: &Ty, to: &Ty) -> Checked<Node> {
        let (Node::Rows(list, place, columns), Ty::Row(to)) = (node, to) else {
            return self.problem(at, format!("这里要{}，请用 .rows(x, '列', 值) 写出各列", from.title()));
        };
        let mut fitted = Vec::new();
        for (name, ty, node) in columns {
            let Some((_, wanted)) = to.iter().find(|(known, _)| **known == *name) else {
                return self.unknown(at, "列", &name, to.iter().map(|(known, _)| known.as_str()));
            };
            let is_whole = ty == Ty::Int;
            let node = self.fit(at, (node, ty), wanted)?;
            // A whole number in a column of numbers is a number, as it is when it is read again.
            let node = if is_whole && *wanted == Ty::Number {
                Node::Arith(Arith::Multiply, Box::new(node), Box::new(Node::Const(Value::Number(1.0))))
            } else {
                node
            };
            fitted.push((name, wanted.clone(), node));
        }
        Ok(Node::Rows(list, place, fitted))
    }

    /// Both sides of a comparison as one type.
    fn pair(&self, at: u64, left: Typed, right: Typed) -> Checked<(Node, Node, Ty)> {
        if !alike(&left.1, &right.1) {
            return self.problem(at, format!("{}不能和{}比较", left.1.title(), right.1.title()));
        }
        let to = match (&left.1, &right.1) {
            (Ty::Null, other) | (other, Ty::Null) => other.clone(),
            (Ty::Money, _) | (_, Ty::Money) => Ty::Money,
            (Ty::Int | Ty::Number, Ty::Number) | (Ty::Number, Ty::Int) => Ty::Number,
            (Ty::Date, _) | (_, Ty::Date) => Ty::Date,
            (Ty::Choice(options), _) | (_, Ty::Choice(options)) => Ty::Choice(Arc::clone(options)),
            (other, _) => other.clone(),
        };
        Ok((self.fit(at, left, &to)?, self.fit(at, right, &to)?, to))
    }

    fn call(&mut self, at: u64, call: &CallExpr) -> Checked<Typed> {
        match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
            (operators::LOGICAL_AND, None, [left, right]) => {
                Ok((Node::And(self.condition(left)?, self.condition(right)?), Ty::Bool))
            }
            (operators::LOGICAL_OR, None, [left, right]) => {
                Ok((Node::Or(self.condition(left)?, self.condition(right)?), Ty::Bool))
            }
            (operators::LOGICAL_NOT, None, [inner]) => Ok((Node::Not(self.condition(inner)?), Ty::Bool)),
            (operators::CONDITIONAL, None, [test, yes, no]) => {
                let test = self.condition(test)?;
                let (yes, no) = (self.term(yes)?, self.term(no)?);
                let (yes, no, ty) = self.pair(at, yes, no)?;
                Ok((Node::If(test, Box::new(yes), Box::new(no)), ty))
            }
            (name @ (operators::EQUALS | operators::NOT_EQUALS), None, [left, right]) => {
                let (left, right) = (self.term(left)?, self.term(right)?);
                let (left, right, _) = self.pair(at, left, right)?;
                let equal = Node::Equal(Box::new(left), Box::new(right));
                Ok((if name == operators::EQUALS { equal } else { Node::Not(Box::new(equal)) }, Ty::Bool))
            }
            (operators::LESS, None, [l, r]) => self.order(at, Order::Less, l, r),
            (operators::LESS_EQUALS, None, [l, r]) => self.order(at, Order::LessOrEqual, l, r),
            (operators::GREATER, None, [l, r]) => self.order(at, Order::Greater, l, r),
            (operators::GREATER_EQUALS, None, [l, r]) => self.order(at, Order::GreaterOrEqual, l, r),
            (operators::IN, None, [item, list]) => self.within(at, item, list),
            (operators::ADD, None, [l, r]) => self.arith(at, Arith::Add, l, r),
            (operators::SUBSTRACT, None, [l, r]) => self.arith(at, Arith::Subtract, l, r),
            (operators::MULTIPLY, None, [l, r]) => self.arith(at, Arith::Multiply, l, r),
            (operators::DIVIDE, None, [l, r]) => self.arith(at, Arith::Divide, l, r),
            (operators::MODULO, None, [l, r]) => self.arith(at, Arith::Remainder, l, r),
            (operators::NEGATE, None, [inner]) => match self.term(inner)? {
                (Node::Const(Value::Int(value)), ty) => {
                    Ok((Node::Const(Value::Int(value.saturating_neg())), ty))
                }
                (Node::Const(Value::Number(value)), ty) => Ok((Node::Const(Value::Number(-value)), ty)),
                (node, ty) if ty.is_numeric() => Ok((Node::Negate(Box::new(node)), ty)),
                (_, ty) => self.problem(at, format!("{}前面不能写负号", ty.title())),
            },
            (name, Some(target), args) => self.method(at, name, target, args),
            (name, None, args) => self.function(at, name, args),
        }
    }

    fn condition(&mut self, tree: &IdedExpr) -> Checked<Box<Node>> {
        match self.term(tree)? {
            (node, Ty::Bool) => Ok(Box::new(node)),
            (_, ty) => self.problem(tree.id, format!("这里要写一个判断，现在是{}", ty.title())),
        }
    }

    fn order(&mut self, at: u64, order: Order, left: &IdedExpr, right: &IdedExpr) -> Checked<Typed> {
        let (left, right) = (self.term(left)?, self.term(right)?);
        let (left, right, ty) = self.pair(at, left, right)?;
        if !(ty.is_numeric() || matches!(ty, Ty::Date | Ty::Time | Ty::Text)) {
            return self.problem(at, format!("{}不能比较大小", ty.title()));
        }
        Ok((Node::Order(order, Box::new(left), Box::new(right)), Ty::Bool))
    }

    fn within(&mut self, at: u64, item: &IdedExpr, list: &IdedExpr) -> Checked<Typed> {
        let item = self.term(item)?;
        let (list, ty) = self.term(list)?;
        let Ty::List(of) = &ty else {
            return self.problem(at, "in 右边要写列表，例如 case.kind in ['退货', '换货']");
        };
        if **of == Ty::Null {
            return Ok((Node::Const(Value::Bool(false)), Ty::Bool));
        }
        if !alike(&item.1, of) {
            return self.problem(at, format!("{}不会在{}里", item.1.title(), ty.title()));
        }
        let is_const = matches!(list, Node::Const(_));
        let list = match (list, &item.1) {
            (Node::Const(Value::List(values)), to) => {
                let fitted: Checked<Vec<Value>> = values
                    .iter()
                    .map(|value| match self.fit(at, (Node::Const(value.clone()), (**of).clone()), to)? {
                        Node::Const(value) => Ok(value),
                        _ => Ok(value.clone()),
                    })
                    .collect();
                Node::Const(Value::list(fitted?))
            }
            (_, _) if item.1 == Ty::Money && **of != Ty::Money => {
                return self.problem(at, format!("金额不会在{}里", ty.title()));
            }
            (list, _) => list,
        };
        let item = if is_const { item.0 } else { self.fit(at, item, of)? };
        Ok((Node::In(Box::new(item), Box::new(list)), Ty::Bool))
    }

    fn arith(&mut self, at: u64, how: Arith, left: &IdedExpr, right: &IdedExpr) -> Checked<Typed> {
        let (mut left, mut right) = (self.term(left)?, self.term(right)?);
        let ty = match (&left.1, how, &right.1) {
            (Ty::List(a), Arith::Add, Ty::List(b)) if **a == Ty::Null => Ty::List(Arc::clone(b)),
            (Ty::List(a), Arith::Add, Ty::List(b)) if alike(a, b) || **b == Ty::Null => {
                Ty::List(Arc::clone(a))
            }
            (a, Arith::Add, b) if a.is_text() && b.is_text() => Ty::Text,
            (Ty::Money, Arith::Add | Arith::Subtract, b) if b.is_numeric() => Ty::Money,
            (a, Arith::Add | Arith::Subtract, Ty::Money) if a.is_numeric() => Ty::Money,
            (Ty::Money, Arith::Multiply | Arith::Divide, Ty::Int | Ty::Number) => Ty::Money,
            (Ty::Int | Ty::Number, Arith::Multiply, Ty::Money) => Ty::Money,
            (Ty::Money, Arith::Divide, Ty::Money) => Ty::Number,
            (Ty::Int, _, Ty::Int) => Ty::Int,
            (Ty::Int | Ty::Number, how, Ty::Int | Ty::Number) if how != Arith::Remainder => Ty::Number,
            (a, _, b) => {
                return self.problem(at, format!("{}和{}不能这样计算", a.title(), b.title()));
            }
        };
        if ty == Ty::Money && matches!(how, Arith::Add | Arith::Subtract) {
            left = (self.fit(at, left, &Ty::Money)?, Ty::Money);
            right = (self.fit(at, right, &Ty::Money)?, Ty::Money);
        }
        Ok((Node::Arith(how, Box::new(left.0), Box::new(right.0)), ty))
    }

    fn method(&mut self, at: u64, name: &str, target: &IdedExpr, args: &[IdedExpr]) -> Checked<Typed> {
        let part = match name {
            "startsWith" => Some(Part::Start),
            "endsWith" => Some(Part::End),
            "contains" => Some(Part::Anywhere),
            _ => None,
        };
        if let (Some(part), [text]) = (part, args) {
            let (whole, text) = (self.term(target)?, self.term(text)?);
            if !whole.1.is_text() || !text.1.is_text() {
                return self.problem(at, format!("{name} 只能用于文字；列表请写 '…' in 列表"));
            }
            return Ok((Node::HasPart(part, Box::new(whole.0), Box::new(text.0)), Ty::Bool));
        }
        let each = match name {
            "all" => Some(Each::All),
            "exists" => Some(Each::Exists),
            "exists_one" => Some(Each::ExistsOne),
            "map" => Some(Each::Map),
            "filter" => Some(Each::Filter),
            _ => None,
        };
        if let (Some(each), [IdedExpr { expr: Cel::Ident(local), .. }, body]) = (each, args) {
            return self.each(at, each, target, local, body);
        }
        if let ("rows", [IdedExpr { expr: Cel::Ident(local), .. }, columns @ ..]) = (name, args) {
            return self.rows(at, target, local, columns);
        }
        if name == "size" && args.is_empty() {
            return self.function(at, name, std::slice::from_ref(target));
        }
        self.problem(at, format!("没有叫“{}”的写法", shorten(name)))
    }

    fn each(&mut self, at: u64, each: Each, list: &IdedExpr, local: &str, body: &IdedExpr) -> Checked<Typed> {
        if self.loops >= 2 {
            return self.problem(at, "逐项判断最多套两层");
        }
        let (list, ty) = self.term(list)?;
        let Ty::List(of) = &ty else {
            return self.problem(at, format!("逐项判断只能用于列表，现在是{}", ty.title()));
        };
        self.loops += 1;
        self.locals.push((local.to_owned(), (**of).clone()));
        let place = self.locals.len() - 1;
        let body = self.term(body);
        self.locals.pop();
        self.loops -= 1;
        let (body, body_ty) = body?;
        let ty = match each {
            Each::Map => Ty::list(body_ty.clone()),
            Each::Filter => ty,
            _ => Ty::Bool,
        };
        if each != Each::Map && body_ty != Ty::Bool {
            return self.problem(at, "逐项判断里要写一个判断");
        }
        Ok((Node::Each(each, Box::new(list), place, Box::new(body)), ty))
    }

    /// `list.rows(x, 'column', value, …)`: a line for each item.
    fn rows(&mut self, at: u64, list: &IdedExpr, local: &str, columns: &[IdedExpr]) -> Checked<Typed> {
        let usage = "rows 的写法是 列表.rows(x, '列', 值, …)";
        if self.loops >= 2 || columns.is_empty() || !columns.len().is_multiple_of(2) {
            return self.problem(at, usage);
        }
        let (list, ty) = self.term(list)?;
        let Ty::List(of) = &ty else {
            return self.problem(at, format!("逐项判断只能用于列表，现在是{}", ty.title()));
        };
        let place = self.locals.len();
        self.loops += 1;
        self.locals.push((local.to_owned(), (**of).clone()));
        let mut built: Checked<Vec<(Arc<str>, Ty, Node)>> = Ok(Vec::new());
        for pair in columns.chunks_exact(2) {
            let column = match &pair[0].expr {
                Cel::Literal(LiteralValue::String(name)) => {
                    self.term(&pair[1]).map(|(node, ty)| (Arc::from(name.inner()), ty, node))
                }
                _ => self.problem(at, usage),
            };
            built = built.and_then(|mut all| {
                all.push(column?);
                Ok(all)
            });
        }
        self.locals.pop();
        self.loops -= 1;
        let built = built?;
        let types: Vec<(String, Ty)> =
            built.iter().map(|(name, ty, _)| (name.to_string(), ty.clone())).collect();
        Ok((Node::Rows(Box::new(list), place, built), Ty::list(Ty::Row(types.into()))))
    }

    /// Cases of a form of the policy: `open_cases('form'[, 'field', value, …])`, and
    /// `cases_between('form', 'day or time', from, to, 'field', value, …)`.
    fn cases(&mut self, at: u64, name: &str, form: &IdedExpr, rest: &[IdedExpr]) -> Checked<Typed> {
        let usage = FUNCTIONS.iter().find(|(known, _)| *known == name).map_or("", |(_, usage)| usage);
        let Cel::Literal(LiteralValue::String(id)) = &form.expr else { return self.problem(at, usage) };
        let Some(found) = self.names.forms.iter().find(|known| known.id == id.inner()) else {
            return self.unknown(
                at,
                "表单",
                id.inner(),
                self.names.forms.iter().map(|known| known.id.as_str()),
            );
        };
        let columns = Arc::clone(&found.columns);
        let is_open = name == "open_cases";
        let (between, pairs) = match rest {
            rest if is_open => (None, rest),
            [field, from, to, pairs @ ..] => {
                let (field, ty) = self.asked_field(at, id.inner(), field, &columns)?;
                if !matches!(ty, Ty::Date | Ty::Time) {
                    return self.problem(at, format!("“{field}”不是日期或时间"));
                }
                let mut edge = |tree: &IdedExpr| match self.term(tree)? {
                    (node, Ty::Date | Ty::Null) => Ok(node),
                    (node, Ty::Time) if ty == Ty::Time => Ok(node),
                    typed => self.fit(at, typed, &Ty::Date),
                };
                (Some((field, ty.clone(), edge(from)?, edge(to)?)), pairs)
            }
            _ => return self.problem(at, usage),
        };
        if !pairs.len().is_multiple_of(2) {
            return self.problem(at, usage);
        }
        let mut same = Vec::new();
        for pair in pairs.chunks_exact(2) {
            let (field, ty) = self.asked_field(at, id.inner(), &pair[0], &columns)?;
            let typed = self.term(&pair[1])?;
            same.push((field, self.fit(at, typed, &ty)?));
        }
        let ty = Ty::list(Ty::Row(Arc::clone(&columns)));
        let (form, title) = (id.inner().to_owned(), found.title.clone());
        Ok((Node::Cases(Box::new(super::Cases { form, title, columns, is_open, between, same })), ty))
    }

    /// A field by which other cases are asked for.
    fn asked_field(
        &mut self,
        at: u64,
        form: &str,
        field: &IdedExpr,
        columns: &[(String, Ty)],
    ) -> Checked<(String, Ty)> {
        let Cel::Literal(LiteralValue::String(name)) = &field.expr else {
            return self.problem(at, "这里要写字段代号，例如 'technician'");
        };
        let name = name.inner();
        // What every case knows is not kept where it is found quickly.
        let is_field = |known: &str| known == name && !super::CASE_FACTS.contains(&known);
        let Some((_, ty)) = columns.iter().find(|(known, _)| is_field(known)) else {
            return self.unknown(at, "字段", name, columns.iter().map(|(known, _)| known.as_str()));
        };
        if !ty.is_compared() {
            return self.problem(at, format!("不能按{}查找单据，“{name}”不行", ty.title()));
        }
        self.compared.insert((form.to_owned(), name.to_owned()));
        Ok((name.to_owned(), ty.clone()))
    }

    fn function(&mut self, at: u64, name: &str, args: &[IdedExpr]) -> Checked<Typed> {
        match (name, args) {
            ("entered" | "done" | "times", [arg]) => return self.history(at, name, arg),
            ("has_case", [form, outcome, customer]) => return self.has_case(at, form, outcome, customer),
            ("earlier", [_, ..]) => return self.earlier(at, args),
            ("open_cases" | "cases_between", [form, rest @ ..]) => return self.cases(at, name, form, rest),
            ("role", [arg, rest @ ..]) if rest.len() <= 1 => return self.role(at, arg, rest.first()),
            _ => {}
        }
        let typed: Checked<Vec<Typed>> = args.iter().map(|arg| self.term(arg)).collect();
        let typed = typed?;
        let types: Vec<&Ty> = typed.iter().map(|(_, ty)| ty).collect();
        let (func, ty) = match (name, types.as_slice()) {
            ("size", [ty]) if ty.is_text() || matches!(ty, Ty::List(_)) => (Func::Size, Ty::Int),
            ("has", [_]) => (Func::Has, Ty::Bool),
            ("min" | "max", [a, b])
                if a.is_numeric() && b.is_numeric() || a == b && matches!(a, Ty::Date | Ty::Time) =>
            {
                let func = if name == "min" { Func::Min } else { Func::Max };
                let mut both = typed.into_iter();
                let (Some(left), Some(right)) = (both.next(), both.next()) else {
                    return self.problem(at, "缺少参数");
                };
                let (left, right, ty) = self.pair(at, left, right)?;
                return Ok((Node::Call(func, vec![left, right]), ty));
            }
            ("abs", [ty]) if ty.is_numeric() => (Func::Abs, (*ty).clone()),
            ("round", [Ty::Number | Ty::Int]) => (Func::Round, Ty::Int),
            ("sum", [Ty::List(of)]) if of.is_numeric() => (Func::Sum, (**of).clone()),
            ("date", [Ty::Time]) => (Func::DateOf, Ty::Date),
            ("year", [Ty::Date | Ty::Time]) => (Func::Year, Ty::Int),
            ("month", [Ty::Date | Ty::Time]) => (Func::Month, Ty::Int),
            ("day", [Ty::Date | Ty::Time]) => (Func::Day, Ty::Int),
            ("minutes_between", [Ty::Time, Ty::Time]) => (Func::MinutesBetween, Ty::Int),
            ("hours_between", [Ty::Time, Ty::Time]) => (Func::HoursBetween, Ty::Int),
            ("days_between", [Ty::Date | Ty::Time, Ty::Date | Ty::Time]) => (Func::DaysBetween, Ty::Int),
            ("workdays_between", [Ty::Date | Ty::Time, Ty::Date | Ty::Time]) => {
                (Func::WorkdaysBetween, Ty::Int)
            }
            ("superior", [Ty::Ref(Kind::Person)]) => {
                return self.fact_of(at, typed, Kind::Person, "superior");
            }
            ("head", [Ty::Ref(Kind::Unit)]) => return self.fact_of(at, typed, Kind::Unit, "head"),
            ("unit_of", [Ty::Ref(Kind::Person)]) => return self.fact_of(at, typed, Kind::Person, "unit"),
            ("under", [Ty::Ref(Kind::Unit), Ty::Ref(Kind::Unit)]) => (Func::Under, Ty::Bool),
            ("customers_of", [Ty::Ref(Kind::Person)]) => {
                (Func::CustomersOf, Ty::list(Ty::Ref(Kind::Customer)))
            }
            ("first_of_month", [Ty::Date | Ty::Time]) => (Func::FirstOfMonth, Ty::Date),
            ("last_of_month", [Ty::Date | Ty::Time]) => (Func::LastOfMonth, Ty::Date),
            ("free_at", [Ty::List(of), Ty::Int]) if matches!(**of, Ty::Time | Ty::Null) => {
                (Func::FreeAt, Ty::Time)
            }
            ("first", [Ty::List(of)]) if **of != Ty::Null => (Func::First, (**of).clone()),
            ("sample", [list @ Ty::List(_), Ty::Int, Ty::Text]) => (Func::Sample, (*list).clone()),
            ("holders", [Ty::Text]) | ("holders", [Ty::Text, Ty::Ref(Kind::Unit)]) => {
                let mut typed = typed.into_iter().map(|(node, _)| node);
                let Some(Node::Const(Value::Text(post))) = typed.next() else {
                    return self.problem(at, "holders 里要写岗位名称，例如 holders('工程部主任', case.unit)");
                };
                self.post(at, &post)?;
                return Ok((
                    Node::Holders(Arc::from([post.to_string()]), typed.next().map(Box::new)),
                    Ty::people(),
                ));
            }
            ("on_duty", [Ty::Text]) | ("on_duty", [Ty::Text, Ty::Time]) => (Func::OnDuty, Ty::people()),
            ("on_duty", [Ty::Text, Ty::Date]) => (Func::OnDutyOn, Ty::people()),
            _ if FUNCTIONS.iter().any(|(known, _)| *known == name) => {
                let usage = FUNCTIONS.iter().find(|(known, _)| *known == name).map_or("", |(_, usage)| usage);
                let given: Vec<String> = types.iter().map(|ty| ty.title()).collect();
                return self
                    .problem(at, format!("{name} 的写法是 {usage}，现在给的是（{}）", given.join("、")));
            }
            _ => return self.unknown(at, "函数", name, FUNCTIONS.iter().map(|(name, _)| *name)),
        };
        Ok((Node::Call(func, typed.into_iter().map(|(node, _)| node).collect()), ty))
    }

    fn fact_of(&self, at: u64, typed: Vec<Typed>, kind: Kind, fact: &str) -> Checked<Typed> {
        let facts = self.names.vocabulary.facts.get(&kind);
        let ty =
            facts.and_then(|facts| facts.iter().find(|(name, _)| name == fact)).map(|(_, ty)| ty.clone());
        match (ty, typed.into_iter().next()) {
            (Some(ty), Some((node, _))) => Ok((Node::Fact(Box::new(node), kind, Arc::from(fact)), ty)),
            _ => self.problem(at, "这里没有组织架构可查"),
        }
    }

    fn post(&self, at: u64, post: &str) -> Checked<()> {
        let posts = &self.names.vocabulary.posts;
        if posts.is_empty() || posts.iter().any(|known| known == post) {
            return Ok(());
        }
        self.unknown(at, "岗位", post, posts.iter().map(String::as_str))
    }

    /// The holders of a role's posts, in the unit the role or the caller names.
    fn role(&mut self, at: u64, role: &IdedExpr, unit: Option<&IdedExpr>) -> Checked<Typed> {
        let Cel::Literal(LiteralValue::String(name)) = &role.expr else {
            return self.problem(at, "role 里要写角色代号，例如 role('store-service')");
        };
        let name = name.inner();
        let Some(found) = self.names.roles.get(name) else {
            return self.unknown(at, "角色", name, self.names.roles.keys().map(String::as_str));
        };
        let within = if let Some(unit) = unit {
            let typed = self.term(unit)?;
            Some(Box::new(self.fit(at, typed, &Ty::Ref(Kind::Unit))?))
        } else if let (Some(source), true) = (&found.at, self.names.fields.is_some()) {
            if self.roles.iter().any(|open| open == name) {
                return self.problem(at, format!("角色“{name}”的范围里又用到它自己"));
            }
            match self.unit_of_role(name, source) {
                Ok(node) => Some(Box::new(node)),
                Err(problem) => {
                    let text = format!("角色“{name}”的范围不能用在这里：{}", problem.text);
                    // A name it does not know is one fault wherever the role is used.
                    return self.problem(at, text).map_err(|p| Problem { unknown: problem.unknown, ..p });
                }
            }
        } else {
            None
        };
        Ok((Node::Holders(Arc::clone(&found.posts), within), Ty::people()))
    }

    /// A role's unit, as part of the expression that names the role: within the same limits, so that roles that name
    /// each other end.
    fn unit_of_role(&mut self, name: &str, source: &str) -> Checked<Node> {
        let (tree, places) = parse(source)?;
        let mut inner = Checker {
            names: self.names,
            places,
            nodes: self.nodes,
            depth: self.depth,
            loops: self.loops,
            // Their places are taken, but their names are not in reach.
            locals: self.locals.iter().map(|(_, ty)| (String::new(), ty.clone())).collect(),
            compared: std::mem::take(&mut self.compared),
            fields: std::mem::take(&mut self.fields),
            roles: std::mem::take(&mut self.roles),
        };
        inner.roles.push(name.to_owned());
        let node = inner.term(&tree).and_then(|typed| inner.fit(tree.id, typed, &Ty::Ref(Kind::Unit)));
        inner.roles.pop();
        (self.nodes, self.fields, self.roles) = (inner.nodes, inner.fields, inner.roles);
        self.compared = inner.compared;
        node
    }

    /// Whether a customer has a case that ended so.
    fn has_case(
        &mut self,
        at: u64,
        form: &IdedExpr,
        outcome: &IdedExpr,
        customer: &IdedExpr,
    ) -> Checked<Typed> {
        let usage = "has_case 的写法是 has_case('表单', '结果', 客户)";
        let (Cel::Literal(LiteralValue::String(form)), Cel::Literal(LiteralValue::String(outcome))) =
            (&form.expr, &outcome.expr)
        else {
            return self.problem(at, usage);
        };
        let Some((_, outcomes)) = self.names.outcomes.iter().find(|(known, _)| known == form.inner()) else {
            return self.unknown(
                at,
                "表单",
                form.inner(),
                self.names.outcomes.iter().map(|(known, _)| known.as_str()),
            );
        };
        if !outcomes.iter().any(|known| known == outcome.inner()) {
            return self.unknown(at, "结果", outcome.inner(), outcomes.iter().map(String::as_str));
        }
        let typed = self.term(customer)?;
        let customer = self.fit(at, typed, &Ty::Ref(Kind::Customer))?;
        let args =
            vec![Node::Const(Value::text(form.inner())), Node::Const(Value::text(outcome.inner())), customer];
        Ok((Node::Call(Func::HasCase, args), Ty::Bool))
    }

    /// Other cases with the same values in the fields named.
    fn earlier(&mut self, at: u64, args: &[IdedExpr]) -> Checked<Typed> {
        let Some(fields) = self.names.fields else {
            return self.problem(at, "这里没有单据，不能写 earlier");
        };
        let mut nodes = Vec::new();
        for arg in args {
            let Cel::Literal(LiteralValue::String(name)) = &arg.expr else {
                return self.problem(at, "earlier 里要写字段代号，例如 earlier('department', 'cause')");
            };
            let Some(place) = fields.iter().position(|(known, _)| known == name.inner()) else {
                return self.unknown(at, "字段", name.inner(), fields.iter().map(|(name, _)| name.as_str()));
            };
            if !fields[place].1.is_compared() {
                let title = fields[place].1.title();
                return self.problem(at, format!("earlier 不能比较{title}，“{}”不行", name.inner()));
            }
            self.fields.insert(place);
            self.compared.insert((String::new(), name.inner().to_owned()));
            nodes.push(Node::Const(Value::text(name.inner())));
            nodes.push(Node::Field(place));
        }
        Ok((Node::Call(Func::Earlier, nodes), Ty::Int))
    }

    fn history(&mut self, at: u64, name: &str, arg: &IdedExpr) -> Checked<Typed> {
        let Cel::Literal(LiteralValue::String(what)) = &arg.expr else {
            return self.problem(at, format!("{name} 里要写步骤或动作的代号，例如 {name}('verify')"));
        };
        let what = what.inner();
        let steps = self.names.steps.iter().map(|(step, _)| step.as_str());
        let actions = self.names.steps.iter().flat_map(|(_, actions)| actions.iter().map(String::as_str));
        let is_known = match name {
            "entered" => steps.clone().any(|step| step == what),
            _ => actions.clone().any(|action| action == what),
        };
        if !is_known {
            return match name {
                "entered" => self.unknown(at, "步骤", what, steps),
                _ => self.unknown(at, "动作", what, actions),
            };
        }
        let arg = Node::Const(Value::text(what));
        Ok(match name {
            "entered" => (Node::Call(Func::Entered, vec![arg]), Ty::Time),
            "done" => (Node::Call(Func::Done, vec![arg]), Ty::Time),
            _ => (Node::Call(Func::Times, vec![arg]), Ty::Int),
        })
    }
}

/// The functions and how they are written.
pub(crate) const FUNCTIONS: &[(&str, &str)] = &[
    ("size", "size(文字或列表)"),
    ("has", "has(字段)"),
    ("min", "min(a, b)"),
    ("max", "max(a, b)"),
    ("abs", "abs(数字)"),
    ("round", "round(数字)"),
    ("sum", "sum(数字列表)，例如 sum(case.lines.map(l, l.amount))"),
    ("date", "date(时间)"),
    ("year", "year(日期)"),
    ("month", "month(日期)"),
    ("day", "day(日期)"),
    ("minutes_between", "minutes_between(开始时间, 结束时间)"),
    ("hours_between", "hours_between(开始时间, 结束时间)"),
    ("days_between", "days_between(开始, 结束)"),
    ("workdays_between", "workdays_between(开始, 结束)"),
    ("entered", "entered('步骤')"),
    ("done", "done('动作')"),
    ("times", "times('动作')"),
    ("has_case", "has_case('表单', '结果', 客户)"),
    ("earlier", "earlier('字段', …)：这些字段相同的其他单据数"),
    ("open_cases", "open_cases('表单'[, '字段', 值, …])：没有结束的其他单据，这些字段是这些值"),
    ("cases_between", "cases_between('表单', '日期或时间字段', 从, 到[, '字段', 值, …])：这段时间里的单据"),
    ("first", "first(列表)：第一项"),
    ("sample", "sample(列表, 个数, 种子)：按种子抽取几个，同样的种子抽出同样的几个"),
    ("customers_of", "customers_of(人员)：他负责的客户"),
    ("free_at", "free_at(时间列表, 分钟数)：从现在起最早有这么多分钟空的时间"),
    ("first_of_month", "first_of_month(日期)"),
    ("last_of_month", "last_of_month(日期)"),
    ("superior", "superior(人员)"),
    ("head", "head(部门)"),
    ("unit_of", "unit_of(人员)"),
    ("under", "under(部门, 上级部门)"),
    ("holders", "holders('岗位'[, 部门])"),
    ("role", "role('角色'[, 部门])"),
    ("on_duty", "on_duty('值班表'[, 时间或日期]):现在、那时或那天当班的人"),
];

/// Whether two types can be compared.
fn alike(a: &Ty, b: &Ty) -> bool {
    match (a, b) {
        (Ty::Null, _) | (_, Ty::Null) => true,
        (a, b) if a.is_numeric() && b.is_numeric() => true,
        (a, b) if a.is_text() && b.is_text() => true,
        (Ty::Text, Ty::Date) | (Ty::Date, Ty::Text) => true,
        // Items are compared as they are: yuan and cents, or a day and a text, would never be equal.
        (Ty::List(a), Ty::List(b)) => {
            alike(a, b) && (**a == Ty::Money) == (**b == Ty::Money) && (**a == Ty::Date) == (**b == Ty::Date)
                || matches!((&**a, &**b), (Ty::Null, _) | (_, Ty::Null))
        }
        (a, b) => a == b,
    }
}

/// Yuan to cents, at once where it is a constant.
fn to_money(node: Node) -> Node {
    match node {
        Node::Const(Value::Int(yuan)) => Node::Const(yuan.checked_mul(100).map_or(Value::Null, Value::Money)),
        Node::Const(Value::Number(yuan)) => Node::Const(super::eval::cents_of(yuan)),
        other => Node::ToMoney(Box::new(other)),
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(39).chain(['…']).collect() }
}

/// The nearest of the names known: at most two edits away, and not half a word.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (edits, near) = known.into_iter().map(|known| (distance(name, known), known)).min()?;
    let longest = name.chars().count().max(near.chars().count());
    (edits <= 2 && edits * 2 < longest).then_some(near)
}

/// What to write instead of a name that is not known: the nearest one, or what there is.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("；是不是“{near}”？"),
        None if known.is_empty() => String::new(),
        None => format!("；可用的有：{}", known[..known.len().min(40)].join("、")),
    }
}

/// Edits between two short names, up to 3; two letters that changed places are one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(60).collect(), b.chars().take(60).collect());
    if a.len().abs_diff(b.len()) > 2 {
        return 3;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let above = &rows[i - 1];
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (above[j - 1] + same).min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()].min(3)
}
