//! From text to CEL's syntax tree, in bounded time and memory. The grammar is the library's; here are the limits it
//! does not have and words for the mistakes people really make.

use std::sync::{Arc, LazyLock};

use cel::common::ast::{IdedExpr, SourceInfo};

use super::Problem;

/// Most characters of a condition.
pub const LONGEST: usize = 2_000;
/// Deepest nesting of brackets and of operations.
pub const DEEPEST: usize = 32;

/// Without macros: `exists` and the like stay calls, which the checker answers.
static ENV: LazyLock<Arc<cel::Env>> =
    LazyLock::new(|| Arc::new(cel::Env::default().with_optional_support(false).with_stdlib()));

/// The generated parser goes through some twenty functions for each bracket, which in a debug build overflows the stack
/// of a usual thread long before `DEEPEST`: it gets a thread of its own. Only pages it touches cost memory.
const PARSER_STACK: usize = 64 << 20;

/// Reads an expression.
pub fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), Problem> {
    look(source)?;
    let run = || {
        let parser = ENV.parser().max_recursion_depth(2 * DEEPEST as u16).error_recovery_limit(1);
        parser.parse_with_source_info(source)
    };
    let unreadable = |at| Problem::new("这里读不懂，请检查是否少了运算符、引号或括号", at);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("policy".into()).stack_size(PARSER_STACK);
        match thread.spawn_scoped(scope, run).map(|thread| thread.join()) {
            Ok(Ok(Ok(parsed))) => Ok(parsed),
            Ok(Ok(Err(errors))) => {
                Err(unreadable(errors.errors.first().map_or(1, |e| column_of(source, e.pos))))
            }
            // The parser panicked.
            Ok(Err(_)) => Err(unreadable(1)),
            Err(_) => Err(Problem::new("系统正忙，请稍后再试", 1)),
        }
    })
}

/// The parser counts lines, and places in a line.
fn column_of(source: &str, (line, column): (isize, isize)) -> usize {
    let before: usize =
        source.split('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(|l| l.chars().count() + 1).sum();
    (before + usize::try_from(column).unwrap_or(0)).clamp(1, source.chars().count() + 1)
}

/// Length, brackets, quotes and Chinese punctuation.
fn look(source: &str) -> Result<(), Problem> {
    let length = source.chars().count();
    if length > LONGEST {
        return Err(Problem::new(format!("表达式太长，最多 {LONGEST} 个字，现在 {length} 个"), LONGEST + 1));
    }
    if source.trim().is_empty() {
        return Err(Problem::new("请填写表达式", 1));
    }
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut quote = None;
    let mut run_of_signs = 0;
    let mut links = 0;
    let mut characters = source.chars().enumerate().peekable();
    while let Some((at, c)) = characters.next() {
        let problem = |text: String| Err(Problem::new(text, at + 1));
        if let Some(begun) = quote {
            match c {
                '\\' => drop(characters.next()),
                '\n' => return problem("引号没有闭合".into()),
                c if c == begun => quote = None,
                _ => {}
            }
            continue;
        }
        // The parser recurses into signs before and names after a value.
        run_of_signs = if matches!(c, '!' | '-') { run_of_signs + 1 } else { 0 };
        links = match c {
            '.' => links + 1,
            c if c.is_ascii_alphanumeric() || matches!(c, '_' | '(' | ')' | '[' | ']') => links,
            _ => 0,
        };
        if open.len() > DEEPEST || run_of_signs > DEEPEST || links > DEEPEST {
            return problem(format!("嵌套太深，最多 {DEEPEST} 层"));
        }
        match c {
            '"' | '\'' => quote = Some(c),
            '(' | '[' => open.push((c, at)),
            ')' | ']' => match open.pop() {
                Some((begun, _)) if (begun == '(') == (c == ')') => {}
                _ => return problem(format!("多了一个“{c}”")),
            },
            '=' if characters.peek().is_some_and(|(_, next)| *next == '=') => drop(characters.next()),
            '=' if !matches!(source.chars().nth(at.wrapping_sub(1)), Some('!' | '<' | '>')) => {
                return problem("判断相等要写两个等号：==".into());
            }
            '{' | '}' | '`' | '@' | '#' | '$' | '^' | '~' | ';' | '\\' => {
                return problem(format!("不支持“{c}”"));
            }
            c if c.is_ascii() || c.is_whitespace() => {}
            c => {
                return match plain(c) {
                    Some(plain) => problem(format!("“{c}”是中文标点，请改用英文的 {plain}")),
                    None => problem("文字内容要加英文引号".into()),
                };
            }
        }
    }
    if quote.is_some() {
        return Err(Problem::new("引号没有闭合", length));
    }
    match open.pop() {
        Some((bracket, at)) => Err(Problem::new(format!("括号“{bracket}”没有闭合"), at + 1)),
        None => Ok(()),
    }
}

/// The ASCII form of Chinese punctuation.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        '“' | '”' | '＂' | '「' | '」' => "\"",
        '‘' | '’' | '＇' => "'",
        '（' => "(",
        '）' => ")",
        '，' | '、' => ",",
        '＝' => "==",
        '！' => "!",
        '＜' | '《' => "<",
        '＞' | '》' => ">",
        '≥' => ">=",
        '≤' => "<=",
        '≠' => "!=",
        '。' | '．' => ".",
        '：' => ":",
        '？' => "?",
        _ => return None,
    })
}
