//! vCard 2.1, 3.0 and 4.0, one row a card. An own reader because values may be in GBK by their own declaration, which
//! a parser over `str` never sees, and because photographs must pass by without being kept.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::encoding::{self, Detected, Utf8Reader};
use super::table::Table;
use super::{Format, Header, Limits, Row, Sink, Summary};
use crate::problem::Problem;

/// Stands between several values of one kind, such as two mobile numbers.
pub const MULTI_SEPARATOR: &str = "; ";

/// Stable id and heading of every column, in order.
const COLUMNS: [(&str, &str); 12] = [
    ("name", "姓名"),
    ("organisation", "单位"),
    ("department", "部门"),
    ("title", "职务"),
    ("mobile", "手机"),
    ("phone", "电话"),
    ("fax", "传真"),
    ("email", "邮箱"),
    ("address", "地址"),
    ("url", "网址"),
    ("birthday", "生日"),
    ("note", "备注"),
];

/// Bytes kept of one property; the rest, photographs mostly, is dropped.
const MAX_PROPERTY_BYTES: usize = 256 << 10;
const MAX_VALUES: usize = 50;

pub fn read(file: &mut File, limits: &Limits, sink: &mut Sink<'_>) -> Result<Summary, Problem> {
    let Detected { encoding, skip, is_broken } = encoding::detect(file)?;
    let header = Header {
        format: Format::Vcard,
        columns: COLUMNS.iter().map(|(_, heading)| (*heading).to_owned()).collect(),
        keys: COLUMNS.iter().map(|(key, _)| (*key).to_owned()).collect(),
        row: 0,
        asked_row: None,
        encoding: Some(encoding.name().to_owned()),
        delimiter: None,
        sheet: None,
        sheets: Vec::new(),
        stamp: None,
        is_error_file: false,
    };
    let mut table = Table::new(header, Vec::new(), limits, sink);
    let mut cards = Cards::new(encoding, &mut table);
    if encoding == UTF_16LE || encoding == UTF_16BE {
        cards.encoding = UTF_8;
        let mut reader = Utf8Reader::new(file, encoding, skip)?;
        let mut text = String::new();
        loop {
            reader.next_text(&mut text)?;
            if text.is_empty() || cards.feed(text.as_bytes())?.is_break() {
                break;
            }
        }
    } else {
        file.seek(SeekFrom::Start(skip))?;
        let mut bytes = vec![0; 64 << 10];
        loop {
            let n = file.read(&mut bytes)?;
            if n == 0 || cards.feed(&bytes[..n])?.is_break() {
                break;
            }
        }
    }
    cards.end()?;
    if is_broken {
        table.note_broken_encoding();
    }
    table.finish()
}

/// Joins physical lines into properties and properties into cards.
struct Cards<'t, 'a, 's> {
    encoding: &'static Encoding,
    table: &'t mut Table<'a, 's>,
    line_number: u64,
    line: Vec<u8>,
    last_was_cr: bool,
    property: Vec<u8>,
    /// The property's last line asks for the next one by a final `=`.
    is_soft: bool,
    depth: usize,
    card: Card,
    is_stopped: bool,
}

impl<'t, 'a, 's> Cards<'t, 'a, 's> {
    fn new(encoding: &'static Encoding, table: &'t mut Table<'a, 's>) -> Self {
        Self {
            encoding,
            table,
            line_number: 0,
            line: Vec::new(),
            last_was_cr: false,
            property: Vec::new(),
            is_soft: false,
            depth: 0,
            card: Card::default(),
            is_stopped: false,
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<ControlFlow<()>, Problem> {
        for &byte in bytes {
            let is_second_half = byte == b'\n' && self.last_was_cr;
            self.last_was_cr = byte == b'\r';
            if is_second_half {
                continue;
            }
            if byte == b'\r' || byte == b'\n' {
                self.end_line()?;
                if self.is_stopped {
                    return Ok(ControlFlow::Break(()));
                }
            } else if self.line.len() < MAX_PROPERTY_BYTES {
                self.line.push(byte);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self) -> Result<(), Problem> {
        if self.is_stopped {
            return Ok(());
        }
        self.end_line()?;
        self.end_property()?;
        if self.depth > 0 && !self.is_stopped {
            self.card.problems.push(Problem::warning(
                "vcard.not_ended",
                "名片没有结束标记，文件可能没有传完整，请核对",
                "the card has no END; the file may be incomplete",
            ));
            self.give()?;
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Problem> {
        self.line_number += 1;
        let line = std::mem::take(&mut self.line);
        let is_folded = matches!(line.first(), Some(b' ' | b'\t'));
        if self.is_soft || is_folded {
            let part = if self.is_soft { &line[..] } else { &line[1..] };
            if self.is_soft {
                self.property.pop();
            }
            let room = MAX_PROPERTY_BYTES.saturating_sub(self.property.len());
            self.property.extend_from_slice(&part[..part.len().min(room)]);
        } else {
            self.end_property()?;
            self.property = line;
        }
        self.is_soft = self.property.ends_with(b"=") && is_quoted_printable(&self.property);
        Ok(())
    }

    fn end_property(&mut self) -> Result<(), Problem> {
        let raw = std::mem::take(&mut self.property);
        let Some(property) = Property::parse(&raw) else { return Ok(()) };
        match property.name.as_str() {
            "BEGIN" if property.raw_value().eq_ignore_ascii_case("VCARD") => {
                self.depth += 1;
                if self.depth == 1 {
                    self.card = Card { line: self.line_number.saturating_sub(1).max(1), ..Card::default() };
                }
            }
            "END" if property.raw_value().eq_ignore_ascii_case("VCARD") && self.depth > 0 => {
                self.depth -= 1;
                if self.depth == 0 {
                    self.give()?;
                }
            }
            // A card within a card is somebody else's: an assistant's, say.
            _ if self.depth == 1 => self.card.take(&property, self.encoding),
            _ => {}
        }
        Ok(())
    }

    fn give(&mut self) -> Result<(), Problem> {
        let card = std::mem::take(&mut self.card);
        self.is_stopped = self.table.push(card.into_row())?.is_break();
        Ok(())
    }
}

fn is_quoted_printable(property: &[u8]) -> bool {
    let head = property.split(|&b| b == b':').next().unwrap_or_default();
    head.to_ascii_uppercase().windows(16).any(|window| window == b"QUOTED-PRINTABLE")
}

/// One property: `group.NAME;PARAMETER=value:value`.
struct Property<'a> {
    name: String,
    /// Parameter names and values in upper case; the bare words of 2.1 count as types.
    parameters: Vec<(String, String)>,
    value: &'a [u8],
}

impl<'a> Property<'a> {
    fn parse(raw: &'a [u8]) -> Option<Self> {
        let mut is_quoted = false;
        let colon = raw.iter().position(|&byte| {
            is_quoted ^= byte == b'"';
            byte == b':' && !is_quoted
        })?;
        let head = std::str::from_utf8(&raw[..colon]).ok()?.trim();
        let mut parts = head.split(';');
        let name = parts.next()?.rsplit('.').next()?.trim().to_ascii_uppercase();
        let parameters = parts
            .take(MAX_VALUES)
            .flat_map(|part| {
                let (key, values) = part.split_once('=').unwrap_or(("TYPE", part));
                let key = key.trim().to_ascii_uppercase();
                let values = values.trim_matches('"').to_ascii_uppercase();
                values.split(',').map(|value| (key.clone(), value.trim().to_owned())).collect::<Vec<_>>()
            })
            .collect();
        Some(Self { name, parameters, value: &raw[colon + 1..] })
    }

    fn raw_value(&self) -> String {
        String::from_utf8_lossy(self.value).trim().to_owned()
    }

    fn has_type(&self, wanted: &str) -> bool {
        self.parameters.iter().any(|(key, value)| key == "TYPE" && value == wanted)
    }

    fn parameter(&self, wanted: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str())
    }

    /// The value as text, transfer encoding and character set undone, escapes still in it.
    fn text(&self, default: &'static Encoding) -> String {
        let is_qp =
            self.parameter("ENCODING") == Some("QUOTED-PRINTABLE") || self.has_type("QUOTED-PRINTABLE");
        let is_base64 = matches!(self.parameter("ENCODING"), Some("B" | "BASE64")) || self.has_type("BASE64");
        let bytes = if is_qp {
            from_quoted_printable(self.value)
        } else if is_base64 {
            // No property of interest is sent so except by mistake; text in base64 is not worth guessing at.
            return String::new();
        } else {
            self.value.to_vec()
        };
        // GB2312 and GBK are subsets of GB18030.
        let declared = self.parameter("CHARSET").and_then(|label| Encoding::for_label(label.as_bytes()));
        let encoding = match declared {
            // What is quoted cannot have been seen when the file's encoding was guessed.
            Some(declared) if is_qp => declared,
            Some(declared) if default == UTF_8 || declared != UTF_8 => declared,
            None if is_qp && std::str::from_utf8(&bytes).is_err() => GB18030,
            None if is_qp => UTF_8,
            _ => default,
        };
        if encoding != UTF_8 && default == UTF_8 && !is_qp {
            // Declared as something else, yet valid UTF-8: converted on its way here.
            if let Ok(text) = std::str::from_utf8(&bytes) {
                return text.to_owned();
            }
        }
        encoding.decode_without_bom_handling(&bytes).0.into_owned()
    }
}

fn from_quoted_printable(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let hex = value
            .get(at + 1..at + 3)
            .filter(|_| byte == b'=')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex {
            Some(decoded) => {
                bytes.push(decoded);
                at += 3;
            }
            None => {
                // A lone `=` at the end is a line break that was never continued.
                if byte != b'=' || at + 1 < value.len() {
                    bytes.push(byte);
                }
                at += 1;
            }
        }
    }
    bytes
}

/// Splits at separators that are not escaped, and undoes the escapes.
fn split(text: &str, separator: Option<char>) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let taken = match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => '\n',
                Some(escaped @ ('\\' | ',' | ';' | ':' | '"')) => escaped,
                Some(other) => {
                    if let Some(part) = parts.last_mut() {
                        part.push('\\');
                    }
                    other
                }
                None => '\\',
            },
            c if Some(c) == separator => {
                parts.push(String::new());
                continue;
            }
            c => c,
        };
        if let Some(part) = parts.last_mut() {
            part.push(taken);
        }
    }
    for part in &mut parts {
        let trimmed = part.trim();
        if trimmed.len() < part.len() {
            *part = trimmed.to_owned();
        }
    }
    parts
}

#[derive(Default)]
struct Card {
    line: u64,
    formatted_name: String,
    composed_name: String,
    nickname: String,
    role: String,
    values: [Vec<String>; COLUMNS.len()],
    problems: Vec<Problem>,
}

const ORGANISATION: usize = 1;
const DEPARTMENT: usize = 2;
const TITLE: usize = 3;
const MOBILE: usize = 4;
const PHONE: usize = 5;
const FAX: usize = 6;
const EMAIL: usize = 7;
const ADDRESS: usize = 8;
const URL: usize = 9;
const BIRTHDAY: usize = 10;
const NOTE: usize = 11;

impl Card {
    fn take(&mut self, property: &Property<'_>, encoding: &'static Encoding) {
        let whole = || split(&property.text(encoding), None).swap_remove(0);
        let parts = || split(&property.text(encoding), Some(';'));
        match property.name.as_str() {
            "FN" if self.formatted_name.is_empty() => self.formatted_name = whole(),
            "N" if self.composed_name.is_empty() => self.composed_name = compose_name(&parts()),
            "NICKNAME" if self.nickname.is_empty() => self.nickname = whole(),
            "ORG" => {
                let mut parts = parts().into_iter();
                self.add(ORGANISATION, parts.next().unwrap_or_default());
                self.add(DEPARTMENT, parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"));
            }
            "TITLE" => self.add(TITLE, whole()),
            "ROLE" if self.role.is_empty() => self.role = whole(),
            "TEL" if property.has_type("PAGER") => {}
            "TEL" => {
                let number = whole();
                let number = number.strip_prefix("tel:").unwrap_or(&number).to_owned();
                let column = if property.has_type("FAX") {
                    FAX
                } else if property.has_type("CELL") || is_chinese_mobile(&number) {
                    MOBILE
                } else {
                    PHONE
                };
                self.add(column, number);
            }
            "EMAIL" => {
                let address = whole();
                self.add(EMAIL, address.strip_prefix("mailto:").unwrap_or(&address).to_owned());
            }
            "ADR" => self.add(ADDRESS, compose_address(&parts())),
            "URL" => self.add(URL, whole()),
            "BDAY" if self.values[BIRTHDAY].is_empty() => self.add(BIRTHDAY, birthday(&whole())),
            "NOTE" => self.add(NOTE, whole()),
            _ => {}
        }
    }

    fn add(&mut self, column: usize, value: String) {
        let values = &mut self.values[column];
        if !value.is_empty() && !values.contains(&value) && values.len() < MAX_VALUES {
            values.push(value);
        }
    }

    fn into_row(mut self) -> Row {
        if self.values[TITLE].is_empty() {
            let role = std::mem::take(&mut self.role);
            self.add(TITLE, role);
        }
        let name =
            [self.formatted_name, self.composed_name, self.nickname].into_iter().find(|n| !n.is_empty());
        let mut cells: Vec<String> = self.values.iter().map(|values| values.join(MULTI_SEPARATOR)).collect();
        cells[0] = name.unwrap_or_default();
        let line = self.line;
        let problems = self.problems.into_iter().map(|problem| problem.at_row(line)).collect();
        Row { number: line, original: None, cells, problems }
    }
}

/// Family name first and without a space for Chinese names, given name first for others.
fn compose_name(parts: &[String]) -> String {
    let part = |at: usize| parts.get(at).map(String::as_str).unwrap_or_default();
    if parts.iter().any(|part| part.chars().any(is_han)) {
        return format!("{}{}{}{}", part(0), part(2), part(1), part(4));
    }
    let order = [part(3), part(1), part(2), part(0), part(4)];
    order.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// From the largest unit to the smallest for Chinese addresses, the other way round for others.
fn compose_address(parts: &[String]) -> String {
    let part = |at: usize| parts.get(at).map(|part| part.replace('\n', " ")).unwrap_or_default();
    let (box_, extended, street, city, region) = (part(0), part(1), part(2), part(3), part(4));
    let (code, country) = (part(5), part(6));
    if parts.iter().any(|part| part.chars().any(is_han)) {
        let region = if region == city { String::new() } else { region };
        let text = format!("{country}{region}{city}{street}{extended}{box_}");
        return if code.is_empty() { text } else { format!("{text} {code}") };
    }
    let order = [box_, extended, street, city, region, code, country];
    order.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `19800322` and `1980-03-22T00:00:00Z` as `1980-03-22`; anything else as it is.
fn birthday(text: &str) -> String {
    let date = text.split('T').next().unwrap_or_default();
    if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) {
        return format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
    }
    let is_date = date.len() == 10
        && date
            .bytes()
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    if is_date { date.to_owned() } else { text.to_owned() }
}

fn is_chinese_mobile(number: &str) -> bool {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let local = digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")).unwrap_or(&digits);
    local.len() == 11
        && local.starts_with('1')
        && local.as_bytes().get(1).is_some_and(|b| (b'3'..=b'9').contains(b))
        && (local.len() == digits.len() || digits.len() > 11)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '〇')
}
