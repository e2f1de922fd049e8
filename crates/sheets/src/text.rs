//! Rules for the text of a cell that hold for every format: which characters are dropped, and how a text that looks
//! like a formula is kept from becoming one.

use std::borrow::Cow;

/// The longest text a cell may hold, in characters (Excel's own limit).
pub const MAX_CELL_CHARS: usize = 32_767;

/// Drops characters that have no place in a cell and can deceive: NUL and other controls except tab, line feed and
/// carriage return, byte order marks and zero-width spaces, directional marks and overrides, and non-characters.
/// The second value is `true` when something was dropped.
pub fn clean(text: &str) -> (Cow<'_, str>, bool) {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) || !text.chars().any(is_unwanted) {
        return (Cow::Borrowed(text), false);
    }
    (Cow::Owned(text.chars().filter(|&c| !is_unwanted(c)).collect()), true)
}

fn is_unwanted(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => true,
        // Marks, embeddings, overrides and isolates; the zero-width joiners stay, emoji and some scripts need them.
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fdd0}'..='\u{fdef}' => true,
        _ => (c as u32) & 0xfffe == 0xfffe,
    }
}

/// Whether a spreadsheet program may take a text that starts like this for a formula or a command.
pub fn looks_like_formula(text: &str) -> bool {
    matches!(
        text.chars().next(),
        Some(
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '\r'
                | '\n'
                | '＝'
                | '＋'
                | '－'
                | '＠'
                | '﹦'
                | '﹢'
                | '﹣'
                | '﹫'
                | '−'
        )
    )
}

/// What a CSV cell holds for `text`: one apostrophe in front when it looks like a formula, also behind apostrophes it
/// begins with already. [`unguard`] takes exactly that apostrophe away, so `unguard(guard(x)) == x` for every text.
pub fn guard(text: &str) -> Cow<'_, str> {
    if looks_like_formula(text.trim_start_matches('\'')) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Takes away the apostrophe that [`guard`], or a person, put before what looks like a formula.
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if looks_like_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

/// Cuts to `max` characters; the second value is `true` when something was cut.
pub(crate) fn cut(text: &str, max: usize) -> (&str, bool) {
    if text.len() <= max {
        return (text, false);
    }
    match text.char_indices().nth(max) {
        Some((at, _)) => (&text[..at], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_what_deceives_and_keeps_the_rest() {
        assert_eq!(clean("a\0b\u{202e}c"), (Cow::Borrowed("abc"), true));
        assert_eq!(clean("\u{2067}张三\u{2069}\u{7f}"), (Cow::Borrowed("张三"), true));
        assert_eq!(clean("行1\r\n行2\t𠮷👨\u{200d}👩"), (Cow::Borrowed("行1\r\n行2\t𠮷👨\u{200d}👩"), false));
        assert_eq!(clean("\u{fffe}\u{1ffff}\u{fffd}"), (Cow::Borrowed("\u{fffd}"), true));
    }

    #[test]
    fn guarding_is_undone_exactly() {
        for text in
            ["", "'", "''", "a", "=1", "'=1", "''=1", "'a", "＝1", "\t=1", "-5", "+86", "@x", "'@", "a=1"]
        {
            assert_eq!(unguard(&guard(text)), text, "{text:?}");
            assert!(!looks_like_formula(&guard(text)), "{text:?}");
        }
        assert_eq!(guard("=1"), "'=1");
        assert_eq!(guard("张三"), "张三");
    }
}
