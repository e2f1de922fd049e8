//! A look at the characters before the parser sees them: keeps the parser's recursion bounded and answers the
//! mistakes people really make, such as Chinese punctuation, in words of their own.

use super::{DEEPEST, LONGEST, Problem, Schema};
use crate::text;

/// Names after names (`a.b.c`, `a[0][1]`) at most: the parser recurses into each.
const LONGEST_CHAIN: usize = 8;

/// Checks length, brackets, quotes and characters.
pub fn check(source: &str, schema: &Schema) -> Result<(), Problem> {
    let length = source.chars().count();
    if length > LONGEST {
        return Err(Problem::new(text!("条件太长,最多 {} 个字,现在 {} 个", LONGEST, length), LONGEST + 1));
    }
    if source.trim().is_empty() {
        return Err(Problem::new(text!("请填写条件,例如 level == 'A'"), 1));
    }
    let characters: Vec<char> = source.chars().collect();
    Scan {
        characters: &characters,
        schema,
        at: 0,
        open: Vec::new(),
        relations: vec![0],
        chain: 0,
        negations: 0,
    }
    .run()
}

struct Scan<'s> {
    characters: &'s [char],
    schema: &'s Schema,
    at: usize,
    /// Brackets not closed yet, with their places.
    open: Vec<(char, usize)>,
    /// Comparisons since the last `&&`, `||` or comma, for each open bracket and outside of all.
    relations: Vec<usize>,
    chain: usize,
    negations: usize,
}

impl Scan<'_> {
    fn run(mut self) -> Result<(), Problem> {
        while let Some(c) = self.peek(0) {
            match c {
                '"' | '\'' => self.string(c)?,
                '(' | '[' => self.open_bracket(c)?,
                ')' | ']' => self.close_bracket(c)?,
                '-' if self.is_sign() => self.at += 1,
                '+' | '-' | '*' | '/' | '%' => {
                    return Err(self.problem(text!("条件里不能做加减乘除,请直接写比较的结果")));
                }
                '?' | ':' => return Err(self.problem(text!("不支持 ? : 写法,请用 && 和 || 组合条件"))),
                '{' | '}' | '`' | '@' | '#' | '$' | '^' | '~' | ';' | '\\' => {
                    return Err(self.problem(text!("不支持“{}”", c)));
                }
                '=' if !self.is_comparison() => {
                    return Err(self.problem(text!("判断相等要写两个等号:==")));
                }
                '&' | '|' if self.peek(1) != Some(c) => {
                    return Err(self.problem(text!("“并且”要写 &&,“或者”要写 ||")));
                }
                '&' | '|' => self.separator(2),
                '=' => self.relation(2)?,
                '!' | '<' | '>' if self.peek(1) == Some('=') => self.relation(2)?,
                '<' | '>' => self.relation(1)?,
                '!' => {
                    self.negations += 1;
                    if self.negations > DEEPEST {
                        return Err(self.problem(text!("条件嵌套太深,最多 {} 层", DEEPEST)));
                    }
                    self.at += 1;
                }
                '.' => self.link()?,
                ',' => self.separator(1),
                c if c.is_whitespace() => self.at += 1,
                c if c.is_ascii_alphabetic() || c == '_' => self.word()?,
                c if c.is_ascii_digit() => self.digits(),
                _ => return Err(self.stranger(c)),
            }
        }
        match self.open.pop() {
            Some((bracket, at)) => Err(Problem::new(text!("括号“{}”没有闭合", bracket), at + 1)),
            None => Ok(()),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn skip(&mut self, characters: usize) {
        self.at += characters;
        self.chain = 0;
        self.negations = 0;
    }

    fn separator(&mut self, characters: usize) {
        self.skip(characters);
        if let Some(count) = self.relations.last_mut() {
            *count = 0;
        }
    }

    fn relation(&mut self, characters: usize) -> Result<(), Problem> {
        if let Some(count) = self.relations.last_mut() {
            *count += 1;
            if *count > 1 {
                return Err(self.problem(text!("连续比较要拆开,例如 a < b && b < c")));
            }
        }
        self.skip(characters);
        Ok(())
    }

    fn problem(&self, text: crate::i18n::Text) -> Problem {
        Problem::new(text, self.at + 1)
    }

    /// A minus before a number, where a value may begin.
    fn is_sign(&self) -> bool {
        let before = self.characters[..self.at].iter().rev().find(|c| !c.is_whitespace());
        self.peek(1).is_some_and(|c| c.is_ascii_digit())
            && before.is_none_or(|c| matches!(c, '(' | '[' | ',' | '=' | '<' | '>' | '&' | '|' | '!'))
    }

    fn is_comparison(&self) -> bool {
        self.peek(1) == Some('=')
    }

    fn string(&mut self, quote: char) -> Result<(), Problem> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                Some('\\') => self.at += 2,
                Some('\n' | '\r') | None => return Err(Problem::new(text!("引号没有闭合"), start + 1)),
                Some(c) => {
                    self.at += 1;
                    if c == quote {
                        break;
                    }
                }
            }
        }
        if matches!(self.peek(0), Some('"' | '\'')) {
            return Err(self.problem(text!("两段文字之间缺少运算符或逗号")));
        }
        Ok(())
    }

    fn open_bracket(&mut self, bracket: char) -> Result<(), Problem> {
        self.open.push((bracket, self.at));
        self.relations.push(0);
        if self.open.len() > DEEPEST {
            return Err(self.problem(text!("条件嵌套太深,最多 {} 层", DEEPEST)));
        }
        self.link()
    }

    fn close_bracket(&mut self, bracket: char) -> Result<(), Problem> {
        let wanted = if bracket == ')' { '(' } else { '[' };
        match self.open.pop() {
            Some((open, _)) if open == wanted => {
                self.relations.pop();
                self.at += 1;
                Ok(())
            }
            _ => Err(self.problem(text!("多了一个“{}”", bracket))),
        }
    }

    fn link(&mut self) -> Result<(), Problem> {
        // Opening brackets after an operator start afresh, because every operator ends the chain.
        self.chain += 1;
        if self.chain > LONGEST_CHAIN + DEEPEST {
            return Err(self.problem(text!("条件嵌套太深,最多 {} 层", DEEPEST)));
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        if matches!(self.peek(0), Some('"' | '\'')) {
            let word: String = self.characters[start..self.at].iter().collect();
            return Err(Problem::new(text!("引号前面不能有“{}”", word), start + 1));
        }
        self.negations = 0;
        if self.characters[start..self.at] == ['i', 'n'] { self.relation(0) } else { Ok(()) }
    }

    fn digits(&mut self) {
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '.') {
            self.at += 1;
        }
    }

    fn stranger(&self, c: char) -> Problem {
        if let Some(plain) = plain(c) {
            return self.problem(text!("“{}”是中文标点,请改用英文的 {}", c, plain));
        }
        let run: String =
            self.characters[self.at..].iter().take_while(|c| c.is_alphanumeric()).take(40).collect();
        match self.schema.named_by_title(&run) {
            Some(name) => {
                self.problem(text!("条件里请写字段代号:{} 是“{}”;如果是内容,请加英文引号", name, run))
            }
            None if run.is_empty() => self.problem(text!("不支持“{}”", c.escape_default())),
            None => self.problem(text!("文字内容要加英文引号:'{}'", run)),
        }
    }
}

/// The ASCII form of Chinese punctuation.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        '“' | '”' | '„' | '＂' | '「' | '」' => "\"",
        '‘' | '’' | '＇' => "'",
        '（' => "(",
        '）' => ")",
        '【' | '［' => "[",
        '】' | '］' => "]",
        '，' | '、' => ",",
        '＝' => "==",
        '！' => "!",
        '＜' | '《' | '〈' => "<",
        '＞' | '》' | '〉' => ">",
        '≥' => ">=",
        '≤' => "<=",
        '≠' => "!=",
        '。' | '．' => ".",
        '＆' => "&&",
        '｜' => "||",
        _ => return None,
    })
}
