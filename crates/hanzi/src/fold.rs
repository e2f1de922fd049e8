//! Folding that keeps one character for one: width, case, and traditional to simplified. Everything that compares
//! or indexes text goes through here first, so that both sides agree.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The folded form of one character: half width, lower case, simplified.
pub fn character(c: char) -> char {
    match c {
        '\0'..='\x7f' => c.to_ascii_lowercase(),
        '\u{3000}' | '\u{a0}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => half_width(c).to_ascii_lowercase(),
        _ if is_han(c) => simplified(c),
        // Lower case may be longer than one character; the first keeps offsets simple and is the same on both sides.
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// [`character`] for a whole text. The result has as many characters as the text.
pub fn text(text: &str) -> String {
    text.chars().map(character).collect()
}

/// Full-width letters, digits and signs as their half-width forms; case and everything else stay.
pub fn width(text: &str) -> String {
    text.chars().map(half_width).collect()
}

/// Whether a character is written Chinese, 〇 and the rare planes included.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        || matches!(c, '々' | '〇')
}

/// The dots written between the parts of a foreign or minority name (约翰·史密斯). They carry no meaning in a search.
pub(crate) fn is_name_dot(c: char) -> bool {
    matches!(c, '·' | '•' | '‧' | '∙' | '・' | '･' | '⋅')
}

fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

const FIRST: usize = 0x3400;
const LAST: usize = 0xa000;

/// A dense table for the common planes (110 KB) and a map for the rest: this runs for every character of an import.
struct Simplified {
    common: Box<[char]>,
    rare: HashMap<char, char>,
}

static SIMPLIFIED: LazyLock<Simplified> = LazyLock::new(|| {
    let mut common: Box<[char]> = (FIRST as u32..LAST as u32).filter_map(char::from_u32).collect();
    let mut rare = HashMap::new();
    let lines = include_str!("../data/simplified.txt").lines().filter(|line| !line.starts_with('#'));
    for pair in lines.flat_map(str::split_whitespace) {
        let mut pair = pair.chars();
        let (Some(from), Some(to)) = (pair.next(), pair.next()) else { continue };
        match common.get_mut((from as usize).wrapping_sub(FIRST)) {
            Some(slot) => *slot = to,
            None => drop(rare.insert(from, to)),
        }
    }
    Simplified { common, rare }
});

fn simplified(c: char) -> char {
    let table = &*SIMPLIFIED;
    match table.common.get((c as usize).wrapping_sub(FIRST)) {
        Some(to) => *to,
        None => table.rare.get(&c).copied().unwrap_or(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_width_case_and_script() {
        assert_eq!(text("廣東省東莞市ＡＢＣ　１２３"), "广东省东莞市abc 123");
        assert_eq!(
            text("張偉 陳靜 劉麗華 葉問 趙雲龍 國際貿易 電子"),
            "张伟 陈静 刘丽华 叶问 赵云龙 国际贸易 电子"
        );
        assert_eq!(width("ＡＢｃ（１）"), "ABc(1)");
    }

    #[test]
    fn keeps_the_number_of_characters() {
        let all: String = ('\0'..=char::MAX).collect();
        assert_eq!(text(&all).chars().count(), all.chars().count());
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for c in '\0'..=char::MAX {
            let once = character(c);
            assert_eq!(character(once), once, "{c:?}");
        }
    }
}
