//! From CEL's syntax tree to a checked `Node`: names, types, limits, and the meaning of unknown values.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};

use super::node::{Column, Comparison, Literal, Node, Operand, Part};
use super::schema::{Schema, Type};
use super::{DEEPEST, MOST_ITEMS, MOST_NODES, Problem};
use crate::clock::parse_date;
use crate::i18n::{Lang, Text};
use crate::text;

/// Without macros: `has`, `exists` and the like stay calls, which are answered here.
pub static ENV: LazyLock<Arc<cel::Env>> =
    LazyLock::new(|| Arc::new(cel::Env::default().with_optional_support(false).with_stdlib()));

/// Reads a condition; also answers the columns it uses, each once.
pub fn lower(source: &str, schema: &Schema) -> Result<(Node, Vec<Arc<Column>>), Problem> {
    let (tree, places) = parse(source)?;
    let mut lowering = Lowering { schema, places, nodes: 0, depth: 0, columns: Vec::new() };
    let node = lowering.condition(&tree)?;
    Ok((node, lowering.columns))
}

/// The generated parser goes through some twenty functions for each bracket, which in a debug build overflows the stack
/// of a usual thread long before `DEEPEST`: it gets a thread of its own. Only pages it touches cost memory.
const PARSER_STACK: usize = 64 << 20;

fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), Problem> {
    let run = || {
        let parser = ENV.parser().max_recursion_depth(2 * DEEPEST as u16).error_recovery_limit(1);
        parser.parse_with_source_info(source)
    };
    let unreadable = |column| Problem::new(text!("这里读不懂,请检查是否少了运算符、引号或括号"), column);
    std::thread::scope(|scope| {
        let parsing =
            std::thread::Builder::new().name("expr".into()).stack_size(PARSER_STACK).spawn_scoped(scope, run);
        match parsing.map(|thread| thread.join()) {
            Ok(Ok(Ok(parsed))) => Ok(parsed),
            Ok(Ok(Err(errors))) => {
                Err(unreadable(errors.errors.first().map_or(1, |e| column_of(source, e.pos))))
            }
            // The parser panicked.
            Ok(Err(_)) => Err(unreadable(1)),
            Err(_) => Err(Problem::new(text!("系统正忙,请稍后再试"), 1)),
        }
    })
}

/// The parser counts lines, and places in a line.
fn column_of(source: &str, (line, column): (isize, isize)) -> usize {
    let before: usize =
        source.split('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(|l| l.chars().count() + 1).sum();
    (before + usize::try_from(column).unwrap_or(0)).clamp(1, source.chars().count() + 1)
}

/// What a part of a condition stands for.
enum Term {
    Condition(Node),
    Column(Arc<Column>),
    Size(Arc<Column>),
    Literal(Literal),
    List(Vec<(u64, Literal)>),
}

struct Lowering<'s> {
    schema: &'s Schema,
    places: SourceInfo,
    nodes: usize,
    depth: usize,
    columns: Vec<Arc<Column>>,
}

type Lowered<T> = Result<T, Problem>;

impl Lowering<'_> {
    fn problem<T>(&self, at: u64, text: Text) -> Lowered<T> {
        let offset = self.places.offset_for(at).map_or(0, |(start, _)| start as usize);
        let before = self.places.source.get(..offset).unwrap_or(&self.places.source);
        Err(Problem::new(text, before.chars().count() + 1))
    }

    fn condition(&mut self, tree: &IdedExpr) -> Lowered<Node> {
        match self.term(tree)? {
            Term::Condition(node) => Ok(node),
            Term::Literal(Literal::Bool(value)) => Ok(Node::Always(value)),
            Term::Column(column) if column.kind == Type::Bool => Ok(Node::Compare(
                Operand::Column(column),
                Comparison::Equal,
                Operand::Literal(Literal::Bool(true)),
            )),
            Term::Column(column) => self.problem(
                tree.id,
                described("{} 是{},还不是判断;例如写 has({})", &[&column.name], column.kind, &[&column.name]),
            ),
            _ => self.problem(tree.id, text!("这里要写一个判断,例如 level == 'A'")),
        }
    }

    fn term(&mut self, tree: &IdedExpr) -> Lowered<Term> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return self.problem(tree.id, text!("条件太复杂,最多 {} 项", MOST_NODES));
        }
        if self.depth >= DEEPEST {
            return self.problem(tree.id, text!("条件嵌套太深,最多 {} 层", DEEPEST));
        }
        self.depth += 1;
        let term = self.term_inside(tree)?;
        self.depth -= 1;
        Ok(term)
    }

    fn term_inside(&mut self, tree: &IdedExpr) -> Lowered<Term> {
        match &tree.expr {
            Cel::Literal(literal) => self.literal(tree.id, literal).map(Term::Literal),
            Cel::Ident(name) if name == "me" => Ok(Term::Literal(Literal::Me)),
            Cel::Ident(name) => self.named(tree.id, name).map(Term::Column),
            Cel::Select(select) => match &select.operand.expr {
                Cel::Ident(name) if name == "custom" && !select.test => {
                    self.custom(tree.id, &select.field).map(Term::Column)
                }
                _ => self.problem(
                    tree.id,
                    text!("不支持“.{}”;自定义字段写 custom['名称']", shorten(&select.field)),
                ),
            },
            Cel::List(list) => self.list(tree.id, &list.elements),
            Cel::Call(call) => self.call(tree.id, call),
            Cel::Map(_) | Cel::Struct(_) | Cel::Comprehension(_) | Cel::Unspecified => {
                self.problem(tree.id, text!("不支持这种写法"))
            }
        }
    }

    fn literal(&self, at: u64, literal: &LiteralValue) -> Lowered<Literal> {
        match literal {
            LiteralValue::Boolean(value) => Ok(Literal::Bool(*value.inner())),
            LiteralValue::Int(value) => Ok(Literal::Int(*value.inner())),
            LiteralValue::Double(value) if value.inner().is_finite() => Ok(Literal::Number(*value.inner())),
            LiteralValue::Null => Ok(Literal::Unknown),
            LiteralValue::String(value) if value.inner().is_empty() => Ok(Literal::Unknown),
            LiteralValue::String(value) if value.inner().chars().any(is_stray) => {
                self.problem(at, text!("文字里有不能识别的控制字符"))
            }
            LiteralValue::String(value) => Ok(Literal::Text(value.inner().to_owned())),
            LiteralValue::Double(_) | LiteralValue::Bytes(_) | LiteralValue::UInt(_) => {
                self.problem(at, text!("不支持这种写法"))
            }
        }
    }

    fn list(&mut self, at: u64, elements: &[IdedExpr]) -> Lowered<Term> {
        if elements.len() > MOST_ITEMS {
            return self.problem(at, text!("列表最多 {} 项,现在 {} 项", MOST_ITEMS, elements.len()));
        }
        let mut literals = Vec::with_capacity(elements.len());
        for element in elements {
            match self.term(element)? {
                Term::Literal(literal) => literals.push((element.id, literal)),
                _ => return self.problem(element.id, text!("列表里只能写具体的值")),
            }
        }
        Ok(Term::List(literals))
    }

    fn named(&mut self, at: u64, name: &str) -> Lowered<Arc<Column>> {
        if name == "custom" {
            return self.problem(at, text!("请写明自定义字段:custom['名称']"));
        }
        match self.schema.column(name) {
            Some(column) => Ok(self.used(column)),
            None => self.unknown(at, name, name),
        }
    }

    fn custom(&mut self, at: u64, key: &str) -> Lowered<Arc<Column>> {
        match self.schema.custom(key) {
            Some(column) => Ok(self.used(column)),
            None => self.unknown(at, &format!("custom.{key}"), key),
        }
    }

    fn unknown<T>(&self, at: u64, full: &str, name: &str) -> Lowered<T> {
        match self.schema.nearest(full) {
            Some(near) => self.problem(at, text!("没有字段“{}”,是不是 {}?", shorten(name), near)),
            None => self.problem(at, text!("没有字段“{}”", shorten(name))),
        }
    }

    fn used(&mut self, column: &Arc<Column>) -> Arc<Column> {
        if self.columns.iter().all(|c| c.name != column.name) {
            self.columns.push(Arc::clone(column));
        }
        Arc::clone(column)
    }

    fn call(&mut self, at: u64, call: &CallExpr) -> Lowered<Term> {
        if let Some(target) = &call.target {
            return self.method(at, target, &call.func_name, &call.args).map(Term::Condition);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [left, right]) => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Ok(Term::Condition(Node::And(Box::new(left), Box::new(right))))
            }
            (operators::LOGICAL_OR, [left, right]) => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Ok(Term::Condition(Node::Or(Box::new(left), Box::new(right))))
            }
            (operators::LOGICAL_NOT, [inner]) => Ok(Term::Condition(self.condition(inner)?.not())),
            (operators::IN, [item, list]) => self.membership(at, item, list).map(Term::Condition),
            (operators::INDEX, [object, key]) => match (&object.expr, &key.expr) {
                (Cel::Ident(name), Cel::Literal(LiteralValue::String(key))) if name == "custom" => {
                    self.custom(at, key.inner()).map(Term::Column)
                }
                _ => self.problem(at, text!("方括号只能用于 custom['名称']")),
            },
            ("has", [field]) => match self.term(field)? {
                Term::Column(column) => Ok(Term::Condition(known(column))),
                _ => self.problem(field.id, text!("has(...) 里只能写字段")),
            },
            ("size", [field]) => match self.term(field)? {
                Term::Column(column) if matches!(column.kind, Type::Text | Type::Date | Type::TextList) => {
                    Ok(Term::Size(column))
                }
                _ => self.problem(field.id, text!("size(...) 里只能写文字字段或标签")),
            },
            ("timestamp", [written]) => match self.term(written)? {
                Term::Literal(Literal::Text(written_text)) => match written_text.parse::<jiff::Timestamp>() {
                    Ok(instant) => Ok(Term::Literal(Literal::Time(instant.as_millisecond()))),
                    Err(_) => self.problem(written.id, text!("时间请写成 timestamp('2026-09-28T08:00:00Z')")),
                },
                _ => self.problem(at, text!("时间请写成 timestamp('2026-09-28T08:00:00Z')")),
            },
            (operators::NOT_EQUALS, [left, right]) => {
                Ok(Term::Condition(self.comparison(at, Comparison::Equal, left, right)?.not()))
            }
            (name, [left, right]) if comparison(name).is_some() => {
                let how = comparison(name).unwrap_or(Comparison::Equal);
                self.comparison(at, how, left, right).map(Term::Condition)
            }
            (name, _) if name.starts_with(['_', '-', '@']) => {
                self.problem(at, text!("条件里不能做加减乘除,请直接写比较的结果"))
            }
            (name, _) => self.no_function(at, name),
        }
    }

    fn no_function<T>(&self, at: u64, name: &str) -> Lowered<T> {
        match name {
            "matches" => self.problem(
                at,
                text!(
                    "不支持 matches:正则表达式在大量客户上会拖慢系统,请用 contains、startsWith 或 endsWith"
                ),
            ),
            "all" | "exists" | "exists_one" | "map" | "filter" => {
                self.problem(at, text!("不支持 {}(...);查标签请写 '标签' in tags", name))
            }
            _ => self.problem(
                at,
                text!(
                    "没有函数“{}”,可用:has、size、startsWith、endsWith、contains、timestamp",
                    shorten(name)
                ),
            ),
        }
    }

    fn method(&mut self, at: u64, target: &IdedExpr, name: &str, arguments: &[IdedExpr]) -> Lowered<Node> {
        let part = match name {
            "startsWith" => Part::Start,
            "endsWith" => Part::End,
            "contains" => Part::Anywhere,
            _ => return self.no_function(at, name),
        };
        let column = match self.term(target)? {
            Term::Column(column) if matches!(column.kind, Type::Text | Type::Date) => column,
            Term::Column(column) if column.kind == Type::TextList => {
                return self
                    .problem(target.id, text!("{} 有多个值,请写 '...' in {}", column.name, column.name));
            }
            _ => return self.problem(target.id, text!("{} 只能用在文字字段上", name)),
        };
        let [argument] = arguments else {
            return self.problem(at, text!("{} 的括号里要写一段文字", name));
        };
        match self.term(argument)? {
            Term::Literal(Literal::Text(part_text)) => Ok(Node::HasPart(column, part, part_text)),
            // Every text, also the empty one, begins and ends with the empty text.
            Term::Literal(Literal::Unknown) => Ok(Node::Always(true)),
            _ => self.problem(argument.id, text!("{} 的括号里要写一段文字", name)),
        }
    }

    fn membership(&mut self, at: u64, item: &IdedExpr, list: &IdedExpr) -> Lowered<Node> {
        let item_term = self.term(item)?;
        match (item_term, self.term(list)?) {
            (Term::Literal(Literal::Text(wanted)), Term::Column(column)) if column.kind == Type::TextList => {
                // In the JSON text such an item could not be told from the comma between two others.
                if wanted.starts_with(',') {
                    return self.problem(item.id, text!("不能查找以逗号开头的标签或选项"));
                }
                Ok(Node::HasItem(column, wanted))
            }
            (Term::Literal(Literal::Unknown), Term::Column(column)) if column.kind == Type::TextList => {
                Ok(Node::Always(false))
            }
            (_, Term::Column(column)) if column.kind == Type::TextList => {
                self.problem(item.id, text!("{} 里是文字,请写 '...' in {}", column.name, column.name))
            }
            (Term::Column(column), Term::List(literals)) => {
                let kind = column.kind;
                self.one_of(column.name.clone(), kind, Operand::Column(column), literals)
            }
            (Term::Size(column), Term::List(literals)) => {
                self.one_of(format!("size({})", column.name), Type::Int, Operand::Size(column), literals)
            }
            _ => self.problem(at, text!("in 的写法:level in ['A', 'B'] 或 '标签' in tags")),
        }
    }

    fn one_of(
        &mut self,
        name: String,
        kind: Type,
        operand: Operand,
        literals: Vec<(u64, Literal)>,
    ) -> Lowered<Node> {
        let (mut wanted, mut or_unknown) = (Vec::with_capacity(literals.len()), false);
        for (at, literal) in literals {
            match self.fit(at, &name, kind, true, literal)? {
                Literal::Unknown => or_unknown = true,
                literal if wanted.contains(&literal) => {}
                literal => wanted.push(literal),
            }
        }
        let unknown = match &operand {
            Operand::Column(column) if or_unknown => Some(known(Arc::clone(column)).not()),
            _ => None,
        };
        let listed = if wanted.is_empty() { Node::Always(false) } else { Node::OneOf(operand, wanted) };
        Ok(match unknown {
            Some(unknown) => Node::Or(Box::new(listed), Box::new(unknown)),
            None => listed,
        })
    }

    fn comparison(&mut self, at: u64, how: Comparison, left: &IdedExpr, right: &IdedExpr) -> Lowered<Node> {
        let (left_term, right_term) = (self.term(left)?, self.term(right)?);
        match (left_term, right_term) {
            (Term::Literal(literal), Term::Column(column)) => {
                self.with_literal(left.id, column, how.flipped(), literal)
            }
            (Term::Column(column), Term::Literal(literal)) => {
                self.with_literal(right.id, column, how, literal)
            }
            (Term::Literal(literal), Term::Size(column)) => {
                self.size_with(left.id, column, how.flipped(), literal)
            }
            (Term::Size(column), Term::Literal(literal)) => self.size_with(right.id, column, how, literal),
            (Term::Column(a), Term::Column(b)) => {
                let is_comparable = a.kind == b.kind && a.kind != Type::TextList;
                if !is_comparable {
                    return self.problem(at, text!("{} 和 {} 的类型不同,不能比较", a.name, b.name));
                }
                if how != Comparison::Equal {
                    self.must_have_order(left.id, &a)?;
                    self.must_have_order(right.id, &b)?;
                }
                Ok(Node::Compare(Operand::Column(a), how, Operand::Column(b)))
            }
            (Term::Size(a), Term::Size(b)) => Ok(Node::Compare(Operand::Size(a), how, Operand::Size(b))),
            (Term::Size(a), Term::Column(b)) if b.kind == Type::Int => {
                Ok(Node::Compare(Operand::Size(a), how, Operand::Column(b)))
            }
            (Term::Column(a), Term::Size(b)) if a.kind == Type::Int => {
                Ok(Node::Compare(Operand::Column(a), how, Operand::Size(b)))
            }
            (Term::Condition(node), Term::Literal(Literal::Bool(value)))
            | (Term::Literal(Literal::Bool(value)), Term::Condition(node))
                if how == Comparison::Equal =>
            {
                Ok(if value { node } else { node.not() })
            }
            (Term::List(_), _) | (_, Term::List(_)) => {
                self.problem(at, text!("列表要用 in,例如 level in ['A', 'B'];查几个标签用 size(tags)"))
            }
            _ => self.problem(at, text!("比较的两边至少有一边要是字段")),
        }
    }

    fn size_with(
        &mut self,
        at: u64,
        column: Arc<Column>,
        how: Comparison,
        literal: Literal,
    ) -> Lowered<Node> {
        match literal {
            Literal::Int(_) => Ok(Node::Compare(Operand::Size(column), how, Operand::Literal(literal))),
            _ => self.problem(at, text!("size({}) 要和整数比较", column.name)),
        }
    }

    fn with_literal(
        &mut self,
        at: u64,
        column: Arc<Column>,
        how: Comparison,
        literal: Literal,
    ) -> Lowered<Node> {
        if column.kind == Type::TextList {
            return self.problem(at, text!("{} 有多个值,请写 '...' in {}", column.name, column.name));
        }
        let is_equality = how == Comparison::Equal;
        match self.fit(at, &column.name, column.kind, is_equality, literal)? {
            Literal::Unknown if is_equality => Ok(known(column).not()),
            Literal::Unknown => self.problem(at, text!("空值不能比大小;“未填”请写 {} == ''", column.name)),
            literal => {
                if !is_equality {
                    self.must_have_order(at, &column)?;
                }
                Ok(Node::Compare(Operand::Column(column), how, Operand::Literal(literal)))
            }
        }
    }

    fn must_have_order(&self, at: u64, column: &Column) -> Lowered<()> {
        match column.kind {
            Type::Bool | Type::Person | Type::TextList => {
                self.problem(at, described("{} 是{},不能比大小", &[&column.name], column.kind, &[]))
            }
            Type::Text if !column.is_sortable => self
                .problem(at, text!("{} 是普通文字,不能比大小;可以用 ==、startsWith、contains", column.name)),
            _ => Ok(()),
        }
    }

    /// A literal in the form it has to have beside a field of this type.
    fn fit(&self, at: u64, name: &str, kind: Type, is_equality: bool, literal: Literal) -> Lowered<Literal> {
        Ok(match (kind, literal) {
            (_, Literal::Unknown) => Literal::Unknown,
            (Type::Text, Literal::Text(written)) => Literal::Text(written),
            (Type::Int, Literal::Int(value)) => Literal::Int(value),
            (Type::Number, Literal::Int(value)) => Literal::Number(value as f64),
            (Type::Number, Literal::Number(value)) => Literal::Number(value),
            (Type::Bool, Literal::Bool(value)) => Literal::Bool(value),
            (Type::Person, Literal::Me) => Literal::Me,
            (Type::Person, Literal::Text(written)) => match written.parse() {
                Ok(id) => Literal::Person(id),
                Err(_) => return self.problem(at, text!("{} 要写员工编号(13 位)或 me", name)),
            },
            (Type::Date, Literal::Text(written)) => match parse_date(&written) {
                Some(date) => Literal::Text(date),
                None => return self.problem(at, text!("日期请写成 '2026-09-28'")),
            },
            (Type::Timestamp, Literal::Time(instant)) => Literal::Time(instant),
            (Type::Timestamp, Literal::Text(_)) if is_equality => {
                return self.problem(at, text!("{} 精确到毫秒,请用 >= 和 < 划定范围", name));
            }
            (Type::Timestamp, Literal::Text(written)) => {
                let instant = written.parse::<jiff::Timestamp>().ok().map(|t| t.as_millisecond());
                match instant.or_else(|| self.schema.zone().parse(&written)) {
                    Some(instant) => Literal::Time(instant),
                    None => {
                        return self.problem(at, text!("时间请写成 '2026-09-28' 或 '2026-09-28 16:20'"));
                    }
                }
            }
            (kind, _) => return self.problem(at, described("{} 是{},这里的值类型不对", &[&name], kind, &[])),
        })
    }
}

/// A sentence with the name of a type in it, which each language has its own word for.
fn described(
    pattern: &str,
    before: &[&dyn std::fmt::Display],
    kind: Type,
    after: &[&dyn std::fmt::Display],
) -> Text {
    let words = |lang: Lang| {
        let title = lang.t(kind.title());
        let mut all: Vec<&dyn std::fmt::Display> = before.to_vec();
        all.push(&title);
        all.extend(after);
        lang.f(pattern, &all)
    };
    Text::Both(words(Lang::Zh), words(Lang::En))
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// "Has a value"; always so for numbers and times every customer has.
fn known(column: Arc<Column>) -> Node {
    match column.kind {
        Type::Int => Node::Always(true),
        Type::Timestamp if !column.is_nullable => Node::Always(true),
        _ => Node::Known(column),
    }
}

/// Characters no stored text has; one of them separates packed values in SQL.
fn is_stray(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}
