//! A calendar of shifts as RFC 5545 wants it: lines folded at 75 octets, texts escaped, times in UTC, the same UID for a
//! shift however often it is read.

use jiff::Timestamp;

use super::model::Span;
use crate::clock::Millis;
use crate::ids::ShiftId;

/// One entry of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The shift; its UID follows from it.
    pub id: ShiftId,
    /// When.
    pub span: Span,
    /// Title.
    pub summary: String,
    /// Anything else; empty for nothing.
    pub description: String,
    /// Where; empty for nothing.
    pub location: String,
    /// How often it was changed.
    pub sequence: i64,
    /// When it was last published or changed.
    pub stamp: Millis,
}

/// Octets of a line at the most, without its end (RFC 5545, 3.1).
const LONGEST_LINE: usize = 75;

/// A calendar with these entries.
pub fn calendar(name: &str, entries: &[Entry]) -> String {
    let mut out = String::new();
    for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//kehu//rosters//ZH", "CALSCALE:GREGORIAN"] {
        push(&mut out, line);
    }
    push(&mut out, &format!("X-WR-CALNAME:{}", escaped(name)));
    for entry in entries {
        push(&mut out, "BEGIN:VEVENT");
        push(&mut out, &format!("UID:shift-{}@kehu", entry.id));
        push(&mut out, &format!("DTSTAMP:{}", utc(entry.stamp)));
        push(&mut out, &format!("DTSTART:{}", utc(entry.span.starts_at)));
        push(&mut out, &format!("DTEND:{}", utc(entry.span.ends_at)));
        push(&mut out, &format!("SEQUENCE:{}", entry.sequence.max(0)));
        push(&mut out, &format!("SUMMARY:{}", escaped(&entry.summary)));
        for (property, text) in [("DESCRIPTION", &entry.description), ("LOCATION", &entry.location)] {
            if !text.is_empty() {
                push(&mut out, &format!("{property}:{}", escaped(text)));
            }
        }
        push(&mut out, "END:VEVENT");
    }
    push(&mut out, "END:VCALENDAR");
    out
}

/// `20260928T140000Z`.
fn utc(at: Millis) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text value: backslash, semicolon, comma and line breaks escaped, other control characters left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Adds a line, folded between characters where it is longer than 75 octets.
fn push(out: &mut String, line: &str) {
    let mut left = LONGEST_LINE;
    for c in line.chars() {
        if c.len_utf8() > left {
            out.push_str("\r\n ");
            left = LONGEST_LINE - 1;
        }
        left -= c.len_utf8();
        out.push(c);
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Zone;

    fn entry(summary: &str, description: &str) -> Entry {
        let at = |text: &str| Zone::default().parse(text).unwrap();
        Entry {
            id: ShiftId(42),
            span: Span::new(at("2026-09-28 22:00"), at("2026-09-29 06:00")),
            summary: summary.into(),
            description: description.into(),
            location: String::new(),
            sequence: 3,
            stamp: at("2026-09-20 08:00"),
        }
    }

    /// Reads a calendar as a program does: lines unfolded, texts unescaped.
    fn read(text: &str, property: &str) -> String {
        let unfolded = text.replace("\r\n ", "");
        let line = unfolded.split("\r\n").find_map(|l| l.strip_prefix(&format!("{property}:"))).unwrap();
        let mut out = String::new();
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some(c) => out.push(c),
                    None => {}
                },
                c => out.push(c),
            }
        }
        out
    }

    #[test]
    fn a_night_shift_is_one_entry_in_utc_with_a_uid_that_stays() {
        let text = calendar("值班", &[entry("前台值班", "")]);
        let uid = format!("UID:shift-{}@kehu\r\n", ShiftId(42));
        for line in ["DTSTART:20260928T140000Z\r\n", "DTEND:20260928T220000Z\r\n", "SEQUENCE:3\r\n", &uid] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(
            text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && text.ends_with("END:VCALENDAR\r\n")
        );
        assert!(!text.contains("DESCRIPTION"), "what is empty is left out");
        assert_eq!(text.matches("BEGIN:VEVENT").count(), 1);
        assert_eq!(calendar("值班", &[]).matches("VEVENT").count(), 0);
    }

    proptest! {
        /// Whatever somebody wrote, no line is too long, none breaks a character, and it reads back as it was.
        #[test]
        fn any_text_comes_back(text in "[a-z值班；,;\\\\\n 🚗é]{0,120}") {
            let file = calendar("值班", &[entry(&format!("x{text}"), "")]);
            for line in file.split("\r\n") {
                prop_assert!(line.len() <= LONGEST_LINE, "{}", line);
            }
            prop_assert_eq!(read(&file, "SUMMARY"), format!("x{text}"));
        }
    }
}
