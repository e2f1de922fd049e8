//! Text on its way to paper: cleaned, and with places to break where a cell would overflow.
//!
//! Widths are estimates in em, a little too large rather than too small: measuring every cell would double the time a
//! long report takes.

use hanzi::normal::is_invisible;

/// A mark that shows nothing and allows a line to end.
const BREAK: char = '\u{200b}';

/// The text without control characters and marks of direction; line ends are `\n`.
pub fn clean(text: &str) -> String {
    let text =
        text.replace("\r\n", "\n").replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    if text.contains('\n') {
        let lines: Vec<String> = text.trim_end().split('\n').map(clean_line).collect();
        lines.join("\n")
    } else {
        clean_line(&text)
    }
}

fn clean_line(line: &str) -> String {
    if line.chars().any(|c| c.is_control() || is_odd_space(c) || is_invisible(c)) {
        let spaced: String = line
            .chars()
            .map(|c| if c == '\t' || is_odd_space(c) { ' ' } else { c })
            .filter(|c| !c.is_control())
            .collect();
        hanzi::normal::visible(&spaced).into_owned()
    } else {
        line.trim_end().to_owned()
    }
}

/// A space that must not end a line would make it too long.
fn is_odd_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}')
}

/// Width of one character in em.
fn advance(c: char) -> f32 {
    match c {
        BREAK => 0.0,
        'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.33,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
        'A'..='Z' | '&' | '+' | '=' | '<' | '>' | '~' | '#' => 0.7,
        '\u{20}'..='\u{7e}' => 0.58,
        _ => 1.0,
    }
}

/// Width of the longest line in em.
pub fn width_em(text: &str) -> f32 {
    text.split('\n').map(line_em).fold(0.0, f32::max)
}

fn line_em(line: &str) -> f32 {
    // Chinese beside Latin gets a quarter of an em of room.
    let mut before_is_wide = None;
    line.chars()
        .map(|c| {
            let is_wide = breaks_anywhere(c);
            let gap = if before_is_wide.is_some_and(|before| before != is_wide) { 0.25 } else { 0.0 };
            before_is_wide = Some(is_wide);
            advance(c) + gap
        })
        .sum()
}

/// The longest stretch of text, in em, inside which no line may end.
pub fn longest_run_em(text: &str) -> f32 {
    let (mut longest, mut run) = (0.0_f32, 0.0_f32);
    for c in text.chars() {
        run = if ends_run(c) { advance(c).min(1.0) } else { run + advance(c) };
        longest = longest.max(run);
    }
    longest
}

/// The text, with places to break in every stretch that is longer than `room_em` and has none of its own.
pub fn breakable(text: String, room_em: f32) -> String {
    // The stretch may hang on a character at each side.
    let room_em = (room_em - 2.0).max(1.0);
    if longest_run_em(&text) <= room_em {
        return text;
    }
    let mut result = String::with_capacity(text.len() * 2);
    let mut run = String::new();
    for c in text.chars() {
        if ends_run(c) {
            push_run(&mut result, &run, room_em);
            run.clear();
            result.push(c);
        } else {
            run.push(c);
        }
    }
    push_run(&mut result, &run, room_em);
    result
}

fn push_run(result: &mut String, run: &str, room_em: f32) {
    if longest_run_em(run) <= room_em {
        result.push_str(run);
        return;
    }
    for c in run.chars() {
        result.push(BREAK);
        result.push(c);
    }
}

fn ends_run(c: char) -> bool {
    c.is_whitespace() || c == BREAK || breaks_anywhere(c)
}

/// Characters of scripts whose lines may end between any two of them.
fn breaks_anywhere(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3105}'..='\u{312f}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Cents as ¥1,234.50.
pub fn money(cents: i64) -> String {
    let yuan = (cents.unsigned_abs() / 100).to_string();
    let mut grouped = String::with_capacity(yuan.len() * 4 / 3);
    for (at, digit) in yuan.char_indices() {
        if at > 0 && (yuan.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}¥{grouped}.{:02}", cents.unsigned_abs() % 100)
}

/// A day as Chinese forms write it.
pub fn date(date: jiff::civil::Date) -> String {
    format!("{}年{}月{}日", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_takes_out_what_nobody_sees() {
        assert_eq!(clean("a\u{202e}b\u{0}c\td"), "abc d");
        assert_eq!(clean("一\r\n二\u{2028}三\n\n"), "一\n二\n三");
        assert_eq!(clean("#panic(\"x\") *a* $"), "#panic(\"x\") *a* $");
    }

    #[test]
    fn only_long_stretches_get_places_to_break() {
        assert_eq!(breakable("广州好客物业".into(), 3.0), "广州好客物业");
        assert_eq!(breakable("编号AB".into(), 10.0), "编号AB");
        assert_eq!(breakable("编号ABCDEF".into(), 4.0).matches(BREAK).count(), 6);
        assert_eq!(breakable("，，，，，，".into(), 4.0).matches(BREAK).count(), 6);
    }

    #[test]
    fn amounts_are_grouped() {
        assert_eq!(money(0), "¥0.00");
        assert_eq!(money(123_456_789), "¥1,234,567.89");
        assert_eq!(money(-10_000), "-¥100.00");
        assert_eq!(money(i64::MIN), "-¥92,233,720,368,547,758.08");
    }
}
