//! What the TOML library finds wrong, in words for a manager: the line, the name and what to do. The library tells it in
//! English sentences only; a sentence not known here becomes a general one.

use std::ops::Range;

use toml::de::{DeTable, DeValue, Error};

use super::read::line_of;
use crate::expr::nearest;

/// The line, counted from 1 (0 for the file as a whole), and what is wrong there.
pub fn told(text: &str, error: &Error) -> (usize, String) {
    let Some(span) = error.span() else { return (0, general()) };
    let message = error.message().trim();
    if let Some(said) = of_values(text, &span, message) {
        return (line_of(text, span.start), said);
    }
    // The parser often stops only behind the line ends and blanks that follow a fault.
    let before = text.get(..span.start).unwrap_or(text).trim_ascii_end();
    let at = if !span.is_empty() {
        span.start
    } else if message.starts_with("invalid multi-line") {
        before.rfind("\"\"\"").max(before.rfind("'''")).unwrap_or(before.len())
    } else {
        before.len()
    };
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let here = Here {
        line: text[begin..].lines().next().unwrap_or_default().trim_ascii(),
        at: text.get(span).unwrap_or_default(),
        rest: text[at..].lines().next().unwrap_or_default().trim_ascii(),
    };
    let is_outside = !message.starts_with("invalid multi-line")
        && !message.starts_with("duplicate")
        && !is_of(message, IN_TEXTS);
    let said = is_outside.then(|| full_width(here.line)).flatten();
    (line_of(text, at), said.unwrap_or_else(|| of_syntax(message, &here)))
}

fn general() -> String {
    "这里读不懂：请检查引号、方括号、等号和逗号是否成对、齐全".to_owned()
}

/// The name that is not known, and the nearest of those that are.
pub fn unknown_key(error: &Error) -> Option<(&str, Option<&str>)> {
    let names = error.message().starts_with("unknown field ").then(|| quoted(error.message()))?;
    let (name, known) = names.split_first()?;
    Some((name, nearest(name, known.iter().copied())))
}

/// The name that is missing.
pub fn missing_key(error: &Error) -> Option<&str> {
    error.message().starts_with("missing field ").then(|| quoted(error.message()).first().copied())?
}

/// What a value was meant to be, when its type is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A text, and it is a number, a date or yes or no.
    Text,
    /// A list, and it is a single item.
    List,
    /// A table `[x]`, and it is a list of them `[[x]]`.
    Single,
    /// Not to be told.
    Other,
}

/// What the value the error points at was meant to be; `None` when it is not the value that is wrong.
pub fn meant(text: &str, error: &Error) -> Option<Meant> {
    let message = error.message();
    let at = error.span().and_then(|span| text.get(span)).unwrap_or_default();
    match mismatch(message) {
        Some(("map", _)) if at.starts_with("[[") => Some(Meant::Single),
        Some(("map", _)) if is_implied(at) => Some(Meant::Other),
        Some((_, "a sequence")) => Some(Meant::List),
        Some((found, "a string")) if found != "sequence" && found != "map" => Some(Meant::Text),
        Some(_) => Some(Meant::Other),
        None => is_of(message, &["data did not match any variant", "missing field"]).then_some(Meant::Other),
    }
}

/// What stands between backquotes.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// What was found and what was wanted, when a value is of a wrong type.
fn mismatch(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    // The sentence of `Next` has a comma of its own.
    match rest.split_once(", expected a step") {
        Some((found, _)) => Some((found, "a step")),
        None => rest.rsplit_once(", expected "),
    }
}

/// Names and types: what serde says.
fn of_values(text: &str, span: &Range<usize>, message: &str) -> Option<String> {
    let at = text.get(span.clone()).and_then(|at| at.lines().next()).unwrap_or_default().trim();
    let header = at.starts_with('[').then(|| at.trim_matches(['[', ']', ' ']));
    if message.starts_with("unknown field ") {
        let names = quoted(message);
        let (name, known) = names.split_first()?;
        return Some(match nearest(name, known.iter().copied()) {
            Some(near) => format!("不认识“{name}”，是不是“{near}”？"),
            None => format!("不认识“{name}”；这里可以写：{}", known.join("、")),
        });
    }
    if message.starts_with("missing field") {
        let name = quoted(message).first().copied().unwrap_or_default();
        let within = if header.is_some() { format!("{at} ") } else { "这里".to_owned() };
        return Some(format!("{within}缺少“{name}”，请补上 {name} = …"));
    }
    let (name, is_date) = value_at(text, span);
    let name = name.map_or_else(|| "这里".to_owned(), |name| format!("“{name}”"));
    if message.starts_with("data did not match any variant") {
        return Some(format!("{name}要写数字，或者写参数 \"{{代号}}\""));
    }
    let (found, expected) = mismatch(message)?;
    if found == "map" && is_implied(at) {
        return Some(format!("前面没有“{at}”的表头，不能写它下面的内容"));
    }
    match header {
        Some(header) if found == "map" && at.starts_with("[[") => {
            return Some(format!("[[{header}]] 只能写一个，要用单方括号 [{header}]"));
        }
        Some(header) if found == "map" && expected == "a sequence" => {
            return Some(format!("[{header}] 可以写几个，要用双方括号 [[{header}]]"));
        }
        _ => {}
    }
    let value = quoted(found).first().copied().unwrap_or_default();
    let now = match found.split([' ', '`']).next().unwrap_or_default() {
        "string" => "文字".to_owned(),
        "integer" => format!("数字 {value}"),
        "floating" => format!("小数 {value}"),
        "boolean" => format!("是非值 {value}"),
        "sequence" => "列表".to_owned(),
        "map" if is_date => "没有加引号的日期".to_owned(),
        "map" => "一组“名称 = 值”".to_owned(),
        _ => "别的".to_owned(),
    };
    let wanted = match expected {
        "a string" => "文字，加上英文引号 \"…\"",
        "a sequence" => "列表，用方括号括起来，例如 [\"…\", \"…\"]",
        "a boolean" => "是非值，true 是“是”，false 是“否”，不加引号",
        "f32" | "f64" => "数字，不加引号",
        "u8" | "u16" | "u32" | "u64" | "usize" => "不小于 0 的整数，不加引号",
        "i8" | "i16" | "i32" | "i64" | "isize" => "整数，不加引号",
        "a step" => "步骤的代号 \"…\"，或者几个去向的列表 [{ to = \"…\", when = \"…\" }, …]",
        _ if expected.starts_with("struct ") || expected == "a map" => {
            "一组“名称 = 值”，放在花括号 { … } 里，或者另起一段表头"
        }
        _ => return Some(format!("{name}的类型不对，现在是{now}")),
    };
    Some(format!("{name}的类型不对：要写{wanted}；现在是{now}"))
}

/// Whether a table is there only because one within it is: what stands at its place is its name in the header of that.
fn is_implied(at: &str) -> bool {
    at.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// The name of the value that stands here, and whether it is a date without quotes.
fn value_at(text: &str, span: &Range<usize>) -> (Option<String>, bool) {
    fn walk(name: &str, value: &toml::Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<(String, bool)> {
        let inner = match value.get_ref() {
            DeValue::Table(table) => table.iter().find_map(|(key, value)| walk(key.get_ref(), value, span)),
            DeValue::Array(items) => items.iter().find_map(|item| walk(name, item, span)),
            _ => None,
        };
        let is_here = value.span() == *span;
        inner.or_else(|| is_here.then(|| (name.to_owned(), value.get_ref().is_datetime())))
    }
    // From the header it stands under to the next one: a file may be long and have many faults.
    let before = text.get(..=span.start).unwrap_or(&text[..span.start]);
    let begin = before.rfind("\n[").map_or(0, |end| end + 1);
    let end = text[span.end..].find("\n[").map_or(text.len(), |end| span.end + end + 1);
    let (table, _) = DeTable::parse_recoverable(&text[begin..end]);
    let here = span.start - begin..span.end - begin;
    let found = table.get_ref().iter().find_map(|(key, value)| walk(key.get_ref(), value, &here));
    found.map_or((None, false), |(name, is_date)| (Some(name), is_date))
}

/// Where the syntax is at fault.
struct Here<'t> {
    line: &'t str,
    /// What the parser points at; often nothing.
    at: &'t str,
    /// The line from there on.
    rest: &'t str,
}

impl<'t> Here<'t> {
    /// What stands left of the equals sign.
    fn key(&self) -> &'t str {
        self.line.split('=').next().unwrap_or_default().trim()
    }

    /// What stands between the brackets of a header.
    fn header(&self) -> Option<&'t str> {
        let inner = self.line.strip_prefix('[')?.trim_start_matches('[');
        Some(inner.split([']', '#']).next().unwrap_or_default().trim())
    }

    /// A value without quotes.
    fn bare(&self) -> String {
        let after = || self.line.split_once('=').map_or("", |(_, value)| value.trim());
        short(if self.at.is_empty() { after() } else { self.at })
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn is_of(message: &str, known: &[&str]) -> bool {
    known.iter().any(|known| message.starts_with(known))
}

/// Faults within quotes, where Chinese punctuation is right.
const IN_TEXTS: &[&str] = &["missing escaped value", "too few unicode value digits", "invalid value"];

const OF_NUMBERS: &[&str] = &[
    "unexpected leading zero",
    "unexpected sign",
    "redundant",
    "`_` may only",
    "integers with a radix",
    "radix must be",
    "invalid integer",
    "invalid hexadecimal",
    "invalid octal",
    "invalid binary",
    "invalid mantissa",
    "invalid fraction",
    "invalid exponent",
    "invalid float",
    "integer number overflowed",
    "floating-point number overflowed",
];

/// What the parser says.
fn of_syntax(message: &str, here: &Here<'_>) -> String {
    let is = |known: &[&str]| is_of(message, known);
    let key = short(here.key());
    let header = || short(here.header().unwrap_or("…"));
    if is(&["duplicate key"]) {
        return match here.header() {
            Some(header) if here.line.starts_with("[[") => {
                format!("前面把“{header}”写成了单个的；要写几个时都用双方括号 [[{header}]]")
            }
            Some(header) => {
                format!("[{header}] 写了两次：只能写一个的请合并，可以写几个的都用双方括号 [[{header}]]")
            }
            None => format!("“{}”在同一处写了两次，请只留一个", here.at),
        };
    }
    if is(&["cannot extend value"]) {
        return format!("“{}”前面已经有了值，不能再写它下面的内容", here.at);
    }
    if is(&["invalid multi-line"]) {
        return "几行的文字没有结束：开头和结尾都要有三个英文引号".to_owned();
    }
    if is(&["unclosed table"]) {
        return format!("表头的方括号没有闭合，要写成 [{}]", header());
    }
    if is(&["unclosed array table"]) {
        return format!("表头的方括号没有闭合，要写成 [[{}]]", header());
    }
    if is(&["unclosed array", "missing comma between array elements"]) {
        return "列表的两项之间少了英文逗号，或者列表后面的方括号 ] 没有闭合".to_owned();
    }
    if is(&["unclosed inline table", "missing comma between key-value pairs"]) {
        return "花括号里的两项之间少了英文逗号，或者后面的花括号 } 没有闭合".to_owned();
    }
    if is(&["extra comma"]) {
        return "多了一个逗号".to_owned();
    }
    if is(&["extra `=`"]) {
        return "多了一个等号".to_owned();
    }
    if is(&["invalid basic string", "invalid literal string", "missing opening quote"]) {
        return format!("“{key}”的引号没有闭合：文字前后各要一个英文引号，写成 {key} = \"…\"");
    }
    if is(&["key with no value", "missing value for key"]) {
        let name = key.split_whitespace().next().unwrap_or_default();
        return format!("“{name}”后面少了等号和值，要写成 {name} = …");
    }
    if is(&["invalid date", "invalid time"]) {
        return no_date(&here.bare());
    }
    if is(&["string values must be quoted", "invalid boolean", "missing value", "unquoted string"])
        || (is(&["invalid float"]) && here.bare().starts_with(char::is_alphabetic))
    {
        return unquoted(&key, &here.bare());
    }
    if is(&["invalid unquoted key"]) {
        let name = here.header().map_or(key, short);
        return if name.is_ascii() {
            format!("名称“{name}”里只能有英文字母、数字、- 和 _")
        } else {
            format!("名称“{name}”含有中文，这里要写英文代号；确实要用中文时加英文引号 \"{name}\"")
        };
    }
    if is(&["unquoted keys cannot be empty", "invalid key", "invalid table", "missing key"]) {
        return "这里少了名称：等号左边和方括号里都要有名称".to_owned();
    }
    if is(&["unexpected key or value", "unexpected content"]) {
        let is_thousands = here.rest.starts_with(',') && here.line.contains(|c: char| c.is_ascii_digit());
        return if is_thousands {
            "数字里不能有逗号，一行末尾也不写逗号".to_owned()
        } else {
            format!("一行只写一项，后面多了“{}”", short(here.rest))
        };
    }
    if is(&["cannot recurse further"]) {
        return "括号套得太深".to_owned();
    }
    if is(IN_TEXTS) {
        return "反斜杠 \\ 的写法不对：要写反斜杠本身就写两个 \\\\，或者把文字放在英文单引号里".to_owned();
    }
    if is(&["carriage return", "invalid comment character"]) {
        return "这一行有看不见的控制字符，请删掉重写".to_owned();
    }
    if is(OF_NUMBERS) {
        return format!("“{key}”的数字写法不对：要写成 12 或 0.5 这样，也不能太大");
    }
    general()
}

fn no_date(value: &str) -> String {
    format!("“{value}”不是有效的日期或时间，要写成 \"2026-01-31\" 这样")
}

/// A value that is neither a number nor in quotes.
fn unquoted(key: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("“{key}”的等号后面没有值");
    }
    let is_day = value.len() >= 6
        && value.starts_with(|c: char| c.is_ascii_digit())
        && value.chars().all(|c| c.is_ascii_digit() || matches!(c, '/' | '.' | '-' | '年' | '月' | '日'));
    if is_day {
        return no_date(value);
    }
    match value.to_lowercase().as_str() {
        "true" | "yes" | "是" => format!("“{key}”的值“{value}”读不懂：“是”写成小写的 true"),
        "false" | "no" | "否" => format!("“{key}”的值“{value}”读不懂：“否”写成小写的 false"),
        _ => format!("“{key}”的值“{value}”没有加英文引号，文字要写成 \"…\""),
    }
}

/// Full-width characters outside of quotes, where the format wants those of a plain keyboard.
fn full_width(line: &str) -> Option<String> {
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            '#' => return None,
            '"' | '\'' => match closed(after, c) {
                Some(after) => rest = after,
                // Opened by a plain quote, closed by a Chinese one.
                None => return after.contains(['“', '”', '‘', '’', '＂', '＇']).then(quotes),
            },
            '“' | '”' | '‘' | '’' | '＂' | '＇' | '「' | '」' => return Some(quotes()),
            '\u{3000}' => return Some("这里有全角空格，要改成半角空格".to_owned()),
            _ => match half_width(c) {
                Some(half) if half.is_ascii_alphanumeric() => {
                    return Some(format!("这里用了全角字符“{c}”，要改成半角的“{half}”"));
                }
                Some(half) => return Some(format!("这里用了全角标点“{c}”，要改成英文半角的“{half}”")),
                None => {}
            },
        }
    }
    None
}

/// What follows a text in quotes on the same line.
fn closed(text: &str, quote: char) -> Option<&str> {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' if quote == '"' => drop(characters.next()),
            c if c == quote => return Some(&text[at + 1..]),
            _ => {}
        }
    }
    None
}

fn quotes() -> String {
    "这里用了全角标点（中文引号），文字前后要用英文半角引号 \"…\"".to_owned()
}

fn half_width(c: char) -> Option<char> {
    Some(match c {
        '、' => ',',
        '。' => '.',
        '【' => '[',
        '】' => ']',
        // The format has no colons: whoever writes one means the equals sign.
        '：' => '=',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::File;

    fn error(text: &str) -> Error {
        toml::from_str::<File>(text).expect_err(text)
    }

    /// Words of Latin letters that are no names or values of the file or the format.
    fn english(text: &str, said: &str) -> Vec<String> {
        let error = error(text);
        let is_name = |word: &str| {
            let names =
                ["unknown field", "missing field"].iter().any(|said| error.message().starts_with(said));
            names && quoted(error.message()).iter().any(|name| name.contains(word))
        };
        said.split(|c: char| !c.is_ascii_alphabetic())
            .filter(|word| word.len() >= 4 && !text.contains(word) && !is_name(word))
            .filter(|word| !["true", "false", "when"].contains(word))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn usual_mistakes_are_told_in_chinese_with_their_line_and_what_to_do() {
        const FORM: &str = "[[form]]\nid = \"a\"\ntitle = \"b\"\nby = \"c\"\n";
        const FIELD: &str = "[[form.field]]\nid = \"x\"\ntitle = \"y\"\ntype = \"int\"\n";
        let form = |more: &str| format!("{FORM}{more}");
        let field = |more: &str| format!("{FORM}{FIELD}{more}");
        let text = str::to_owned;
        #[rustfmt::skip]
        let cases = [
            // Names.
            (text("[policy]\nid = \"a\"\ntilte = \"x\"\n"), 3, "不认识“tilte”，是不是“title”？"),
            (text("[[step]]\ncalus = \"1\"\n"), 2, "不认识“calus”，是不是“clause”？"),
            (form("[[form.field]]\nsort = \"int\"\n"), 6, "不认识“sort”；这里可以写：id、title、type"),
            (text("[[stpe]]\nid = \"a\"\n"), 1, "不认识“stpe”，是不是“step”？"),
            (text("[[clause]]\nheading = \"x\"\n"), 2, "不认识“heading”；这里可以写：id、title、text、binds"),
            (text("\n[[clause]]\nid = \"1\"\n"), 2, "[[clause]] 缺少“text”，请补上 text = …"),
            (text("[policy]\nid = \"a\"\nid = \"b\"\n"), 3, "“id”在同一处写了两次，请只留一个"),
            (text("[policy]\nid = \"a\"\n[policy]\n"), 3, "[policy] 写了两次：只能写一个的请合并"),
            (text("[step]\nid = \"a\"\n[[step]]\n"), 3, "都用双方括号 [[step]]"),
            // Types.
            (text("[policy]\nid = 3\n"), 2, "“id”的类型不对：要写文字，加上英文引号 \"…\"；现在是数字 3"),
            (text("[policy]\nid = [\"a\"]\n"), 2, "“id”的类型不对：要写文字，加上英文引号 \"…\"；现在是列表"),
            (text("[policy]\nin_force = 2026-01-01\n"), 2, "“in_force”的类型不对：要写文字，加上英文引号 \"…\"；现在是没有加引号的日期"),
            (text("[[penalty]]\n[penalty.multiply]\nfrom = 1.5\n"), 3, "“from”的类型不对：要写不小于 0 的整数，不加引号；现在是小数 1.5"),
            (text("[[penalty]]\n[penalty.multiply]\nfrom = -1\n"), 3, "“from”的类型不对：要写不小于 0 的整数，不加引号；现在是数字 -1"),
            (form("fill = \"x\"\n"), 5, "“fill”的类型不对：要写列表，用方括号括起来"),
            (form("fill = [\"x\", 1]\n"), 5, "“fill”的类型不对：要写文字，加上英文引号 \"…\"；现在是数字 1"),
            (form("[form.customer]\nid = \"x\"\n"), 5, "“customer”的类型不对：要写文字，加上英文引号 \"…\"；现在是一组“名称 = 值”"),
            (field("by_name = \"yes\"\n"), 9, "“by_name”的类型不对：要写是非值，true 是“是”，false 是“否”，不加引号；现在是文字"),
            (field("min = \"3\"\n"), 9, "“min”的类型不对：要写数字，不加引号；现在是文字"),
            (text("[[step]]\nid = \"a\"\napprove = true\n"), 3, "“approve”的类型不对：要写一组“名称 = 值”"),
            (text("[[step]]\nid = \"a\"\nnext = 3\n"), 3, "“next”的类型不对：要写步骤的代号"),
            (text("[[step.action.open]]\nform = \"a\"\n"), 1, "前面没有“step”的表头，不能写它下面的内容"),
            (text("[[step]]\n[[step.action.open]]\nform = \"a\"\n"), 2, "前面没有“action”的表头，不能写它下面的内容"),
            (text("[[duty]]\ntimes = [3]\n"), 2, "“times”要写数字"),
            (text("[step]\nid = \"a\"\n"), 1, "[step] 可以写几个，要用双方括号 [[step]]"),
            (text("[[policy]]\nid = \"a\"\n"), 1, "[[policy]] 只能写一个，要用单方括号 [policy]"),
            // Quotes and brackets.
            (text("[policy]\nid = \"a\ntitle = \"b\"\n"), 2, "“id”的引号没有闭合：文字前后各要一个英文引号"),
            (text("[policy]\nid = \"\"\"a\ntitle = \"b\"\n"), 2, "几行的文字没有结束"),
            (text("[policy\nid = \"a\"\n"), 1, "表头的方括号没有闭合，要写成 [policy]"),
            (text("[[step]\nid = \"a\"\n"), 1, "表头的方括号没有闭合，要写成 [[step]]"),
            (form("fill = [\"x\", \"y\"\nlist = []\n"), 5, "或者列表后面的方括号 ] 没有闭合"),
            (text("[[step]]\nset = { a = \"1\"\nid = \"a\"\n"), 2, "后面的花括号 } 没有闭合"),
            (text("[policy]\nid \"a\"\n"), 2, "“id”后面少了等号和值"),
            (text("[policy]\nid =\n"), 2, "“id”的等号后面没有值"),
            (text("[policy]\nid = \"a\" title = \"b\"\n"), 2, "一行只写一项，后面多了“title = \"b\"”"),
            (text("[policy]\nid = gifts\n"), 2, "“id”的值“gifts”没有加英文引号"),
            (text("[policy]\nid = table\n"), 2, "“id”的值“table”没有加英文引号"),
            (text("[policy]\nid = \"a\\d，\"\n"), 2, "反斜杠"),
            // Dates, numbers, yes and no.
            (text("[policy]\nin_force = 2026-13-01\n"), 2, "“2026-13-01”不是有效的日期或时间，要写成 \"2026-01-31\" 这样"),
            (text("[policy]\nin_force = 2026/1/1\n"), 2, "“2026/1/1”不是有效的日期或时间"),
            (text("[[setting]]\nmin = 1,000\n"), 2, "数字里不能有逗号"),
            (text("[[setting]]\nmin = 010\n"), 2, "“min”的数字写法不对"),
            (text("[[setting]]\nmin = 99999999999999999999999999999999999999999\n"), 2, "“min”的数字写法不对"),
            (text("[[role]]\nby_name = True\n"), 2, "“是”写成小写的 true"),
            (text("[[role]]\nby_name = 否\n"), 2, "“否”写成小写的 false"),
            // Chinese where a plain keyboard is wanted.
            (text("[policy]\n标题 = \"a\"\n"), 2, "名称“标题”含有中文，这里要写英文代号"),
            (text("[[步骤]]\nid = \"a\"\n"), 1, "名称“步骤”含有中文"),
            (text("[policy]\nid = 礼品\n"), 2, "“id”的值“礼品”没有加英文引号"),
            (text("[policy]\nid = “a”\n"), 2, "这里用了全角标点（中文引号），文字前后要用英文半角引号"),
            (text("[policy]\nid = \"a”\n"), 2, "这里用了全角标点（中文引号）"),
            (text("[policy]\nid ＝ \"a\"\n"), 2, "这里用了全角标点“＝”，要改成英文半角的“=”"),
            (text("[policy]\nid：\"a\"\n"), 2, "这里用了全角标点“：”，要改成英文半角的“=”"),
            (form("fill = [\"甲，乙\"，\"b\"]\n"), 5, "这里用了全角标点“，”，要改成英文半角的“,”"),
            (text("【policy】\nid = \"a\"\n"), 1, "这里用了全角标点“【”，要改成英文半角的“[”"),
            (text("[policy]\nmin = ５\n"), 2, "这里用了全角字符“５”，要改成半角的“5”"),
            (text("[policy]\n\u{3000}id = \"a\"\n"), 2, "这里有全角空格"),
        ];
        for (text, line, says) in cases {
            let (at, said) = told(&text, &error(&text));
            assert!(at == line && said.contains(says), "{text}\n{line}: {says}\n{at}: {said}");
            assert_eq!(english(&text, &said), [""; 0], "{text}\n{said}");
        }
    }

    #[test]
    fn a_sentence_that_is_not_known_becomes_a_general_one() {
        let error = <Error as serde::de::Error>::custom("something entirely new");
        assert_eq!(told("id = 1", &error), (0, general()));
        let here = Here { line: "id = 1", at: "", rest: "" };
        assert_eq!(of_syntax("something entirely new, expected a miracle", &here), general());
    }
}
