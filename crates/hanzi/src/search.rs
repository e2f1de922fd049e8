//! Search in Chinese text by substring, pinyin, initials and last digits, for any engine with tokens, phrases and
//! prefixes. One side makes tokens from text ([`Document`]), the other plans a query over the same tokens ([`plan`]);
//! [`Matcher`] ranks and highlights what was found. Nothing here knows of a database.
//!
//! A piece of text becomes sections, each opened by its first token marked `^`: the anchor of "begins with", and the
//! gap no phrase crosses.
//!
//! | section | 张三丰 | 粤A12345 | finds |
//! | --- | --- | --- | --- |
//! | text | `^张三 张三 三丰 丰` | `^粤 粤 a12345 _^54321a` | substrings, words by prefix, numbers by their end |
//! | pinyin | `^zhang zhang san feng` | `^yue yue a12345` | `zhangsanf` |
//! | initials | `^_zs _zs _sf _f` | `^_ya _ya _a1 …` | `zsf` |
//!
//! A piece is also kept as one token (`^^_粤a12345`), by which what equals it is found whatever else begins like it.
//!
//! A record can be tagged besides (`^^o17`: whose it is), so that a search within a few tags walks only theirs.
//!
//! SQLite: an FTS5 table with `content='', contentless_delete=1, prefix='1 2'` and
//! `tokenize="unicode61 remove_diacritics 0 tokenchars '_^'"`. PostgreSQL: a `tsvector` column filled by a cast.

mod document;
mod matcher;
mod query;

pub use document::Document;
pub use matcher::{Matcher, highlight, score};
pub use query::{Plan, plan};

use crate::fold;

/// One character of a text that takes part in search.
#[derive(Clone, Copy, Debug)]
struct Glyph {
    original: char,
    folded: char,
    /// Byte range in the text it came from.
    start: usize,
    end: usize,
    /// Something that does not take part (a space, a bracket) stands between this and the one before.
    gap: bool,
}

impl Glyph {
    fn is_han(&self) -> bool {
        fold::is_han(self.folded)
    }
}

/// The first `limit` characters of `text` that take part. Dots inside names vanish without a gap.
fn glyphs(text: &str, limit: usize) -> Vec<Glyph> {
    let mut glyphs = Vec::new();
    let mut gap = false;
    for (start, original) in text.char_indices().take(limit) {
        let folded = fold::character(original);
        if folded.is_alphanumeric() || fold::is_han(folded) {
            glyphs.push(Glyph { original, folded, start, end: start + original.len_utf8(), gap });
            gap = false;
        } else if !fold::is_name_dot(folded) {
            gap = true;
        }
    }
    glyphs
}

/// Cuts where Chinese turns into other writing and at gaps.
fn runs(glyphs: &[Glyph]) -> impl Iterator<Item = &[Glyph]> {
    glyphs.chunk_by(|a, b| !b.gap && a.is_han() == b.is_han())
}

/// Cuts into stretches of digits that are parts of one number: `138-1234 5678`. Yields the digits joined when there
/// are 7 to 20 of them, the prefix of a Chinese mobile number removed.
fn joined_numbers(glyphs: &[Glyph], text: &str) -> Vec<String> {
    let is_part = |run: &&[Glyph]| run.iter().all(|glyph| glyph.folded.is_ascii_digit());
    let mut numbers = Vec::new();
    let mut digits = String::new();
    let mut parts = 0;
    let mut last_end = 0;
    let mut flush = |digits: &mut String, parts: usize| {
        let national = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86"));
        let mobile = national.filter(|rest| rest.len() == 11 && rest.starts_with('1'));
        if (7..=20).contains(&digits.len()) && (parts > 1 || mobile.is_some()) {
            numbers.push(mobile.unwrap_or(digits).to_owned());
        }
        digits.clear();
    };
    for run in runs(glyphs) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        let between = text.get(last_end..first.start).unwrap_or_default();
        let continues = parts > 0
            && between.chars().count() <= 2
            && between
                .chars()
                .all(|c| matches!(fold::character(c), ' ' | '-' | '(' | ')' | '.' | '–' | '—' | '+'));
        if !continues || !is_part(&run) {
            flush(&mut digits, parts);
            parts = 0;
        }
        if is_part(&run) {
            digits.extend(run.iter().map(|glyph| glyph.folded));
            parts += 1;
        }
        last_end = last.end;
    }
    flush(&mut digits, parts);
    numbers
}

/// Longest word kept as one token; FTS5 and PostgreSQL both take much more.
const WORD_LIMIT: usize = 64;

/// The tokens of a run as they stand in a text: pairs of Chinese characters and the last one alone, other words whole.
fn literal_tokens(run: &[Glyph], tokens: &mut Vec<String>) {
    if !run.first().is_some_and(Glyph::is_han) {
        tokens.extend(run.chunks(WORD_LIMIT).map(spelled));
        return;
    }
    tokens.extend(run.windows(2).map(spelled));
    tokens.extend(run.last().map(|last| spelled(std::slice::from_ref(last))));
}

fn spelled(glyphs: &[Glyph]) -> String {
    let mut token = String::with_capacity(glyphs.len() * 3);
    for glyph in glyphs {
        push_safe(&mut token, glyph.folded);
    }
    token
}

/// FTS5's `unicode61` knows Unicode 6.1 and drops later characters, which names are full of (𬭎, 鿍), and counts some
/// letters as signs (Ⓐ). Scripts known to pass stay; the rest is written as `__` and six hexadecimal digits.
fn push_safe(token: &mut String, c: char) {
    use std::fmt::Write as _;
    let is_safe = c.is_ascii_alphanumeric()
        || matches!(c, '\u{4e00}'..='\u{9fa5}' | '\u{3400}'..='\u{4db5}')
        || matches!(c, '\u{c0}'..='\u{24f}' | '\u{391}'..='\u{3c9}' | '\u{410}'..='\u{44f}')
        || matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{ac00}'..='\u{d7a3}');
    if is_safe {
        token.push(c);
    } else {
        // Writing to a String cannot fail.
        let _ = write!(token, "__{:06x}", u32::from(c));
    }
}

/// The token that finds a number by its end: all of it, backwards, so that a prefix of the token is a suffix of it.
fn tail_token(word: &str) -> String {
    "_^".chars().chain(word.chars().rev()).collect()
}

/// The token of a tag. No other token begins with `^^`, nor does any prefix that is looked for.
fn tag_token(name: &str) -> String {
    "^^".chars().chain(name.chars().filter(char::is_ascii_alphanumeric)).collect()
}

/// The token of a whole piece; `None` for what nobody can type whole. No other token begins with `^^_`.
fn whole_token(glyphs: &[Glyph]) -> Option<String> {
    (1..=WORD_LIMIT).contains(&glyphs.len()).then(|| format!("^^_{}", spelled(glyphs)))
}

/// The token of a number that is a whole piece, written in whatever parts.
fn whole_number_token(number: &str) -> String {
    format!("^^_{number}")
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Pairs of initials marked `_`, and the last alone.
fn initial_tokens(initials: &[char], tokens: &mut Vec<String>) {
    tokens.extend(initials.windows(2).map(|pair| format!("_{}{}", pair[0], pair[1])));
    tokens.extend(initials.last().map(|last| format!("_{last}")));
}

#[cfg(test)]
mod tests;
