//! XLSX. An own reader over `zip` and `quick-xml`, because calamine keeps every shared text as a `String` of its own
//! and unpacks without bound; here the texts share one buffer and everything is metered.

mod number;
mod package;
mod sheet;

use std::collections::HashMap;
use std::fs::File;

use quick_xml::events::{BytesStart, Event as XmlEvent};

use self::number::Style;
use self::package::{Package, attribute, damaged, referenced};
use super::table::{Merge, TOP_ROWS, Table};
use super::{Format, Header, Limits, Sink, Summary};
use crate::problem::Problem;
use crate::text;

/// Custom document property that holds a stamp of ours.
pub const STAMP_PROPERTY: &str = "sheets.stamp";
/// A filled cell in this column (from 0) or further right is refused.
pub const MAX_READ_COLUMNS: usize = 1_000;

const MAX_SHEETS: usize = 1_000;
/// Sheets behind these are listed without a look into them.
const MAX_PROBED: usize = 50;
const MAX_SHEET_NAME_CHARS: usize = 100;
const MAX_STYLES: usize = 100_000;
const MAX_STAMP_CHARS: usize = 1_000;

pub fn read(file: &mut File, limits: &Limits, sink: &mut Sink<'_>) -> Result<Summary, Problem> {
    let mut package = Package::open(file, limits)?;
    let path = workbook_path(&mut package)?;
    let book = read_workbook(&mut package, &path)?;
    let styles = read_styles(&mut package, &book.styles)?;
    let texts = Texts::read(&mut package, &book.texts, limits)?;
    let stamp = read_stamp(&mut package)?;

    let mut visible: Vec<String> = Vec::new();
    for (at, entry) in book.sheets.iter().filter(|sheet| sheet.is_visible).enumerate() {
        // What is wrong with a sheet is told when it is read.
        let is_offered = at >= MAX_PROBED
            || limits.sheet.as_ref() == Some(&entry.name)
            || has_cells(&mut package, &entry.path).unwrap_or(true);
        if is_offered {
            visible.push(entry.name.clone());
        }
    }
    let wanted: Vec<&SheetEntry> = match &limits.sheet {
        Some(name) => book.sheets.iter().filter(|sheet| sheet.name == *name).collect(),
        None => book.sheets.iter().filter(|sheet| sheet.is_visible).collect(),
    };
    if let (Some(name), true) = (&limits.sheet, wanted.is_empty()) {
        return Err(Problem::error(
            "xlsx.no_such_sheet",
            format!("文件里没有名为“{name}”的工作表，请重新选择"),
            format!("there is no sheet named {name}"),
        ));
    }
    for entry in wanted {
        let merges = scan_merges(&mut package, &entry.path)?;
        let header = Header {
            format: Format::Xlsx,
            columns: Vec::new(),
            keys: Vec::new(),
            row: 0,
            asked_row: limits.header_row,
            encoding: None,
            delimiter: None,
            sheet: Some(entry.name.clone()),
            sheets: visible.clone(),
            stamp: stamp.clone(),
            is_error_file: false,
        };
        let mut table = Table::new(header, merges, limits, sink);
        let Some(xml) = package.xml(&entry.path)? else { continue };
        sheet::Cells { styles: &styles, texts: &texts, is_1904: book.is_1904, limits }
            .read(xml, &mut table)?;
        if table.has_rows() || limits.sheet.is_some() || limits.header_row.is_some() {
            return table.finish();
        }
    }
    Err(Problem::error("table.no_rows", "文件里没有数据，请检查后重新上传", "the file holds no rows"))
}

/// Whether a sheet's beginning has a value. One that only looks as if it might have some has.
fn has_cells(package: &mut Package<'_>, path: &str) -> Result<bool, Problem> {
    const EVENTS: usize = 2_000;
    let Some(mut xml) = package.xml(path)? else { return Ok(false) };
    for _ in 0..EVENTS {
        match xml.pull()? {
            XmlEvent::Start(tag) if matches!(tag.local_name().as_ref(), "v" | "is" | "t") => return Ok(true),
            XmlEvent::Empty(tag) if tag.local_name().as_ref() == "sheetData" => return Ok(false),
            XmlEvent::End(tag) if tag.local_name().as_ref() == "sheetData" => return Ok(false),
            XmlEvent::Eof => return Ok(false),
            _ => {}
        }
    }
    Ok(true)
}

/// Where the workbook is, or what the container holds instead of one.
fn workbook_path(package: &mut Package<'_>) -> Result<String, Problem> {
    let relations = read_relations(package, "_rels/.rels", "")?;
    let named = relations.into_values().find(|r| r.kind == "officeDocument").map(|r| r.path);
    let path = named.filter(|path| package.has(path)).unwrap_or_else(|| "xl/workbook.xml".to_owned());
    if package.has(&path) && path.ends_with(".xml") && !path.starts_with("word/") && !path.starts_with("ppt/")
    {
        return Ok(path);
    }
    let other = |zh: &str, en: &str| {
        Problem::error(
            "file.not_a_table",
            format!("这是{zh}，请另存为 .xlsx 或 .csv 后再上传"),
            format!("this is {en}; save it as .xlsx or .csv"),
        )
    };
    Err(if package.has("word/document.xml") {
        other("Word 文档", "a Word document")
    } else if package.has("ppt/presentation.xml") {
        other("演示文稿", "a presentation")
    } else if package.has("xl/workbook.bin") {
        other("二进制工作簿（.xlsb）", "a binary workbook (.xlsb)")
    } else if package.has("content.xml") {
        other("OpenDocument 文件（.ods）", "an OpenDocument file (.ods)")
    } else {
        Problem::error(
            "file.not_a_table",
            "这是压缩包，请解压后上传里面的 .xlsx、.csv 或 .vcf 文件",
            "this is an archive; unpack it and upload the table inside",
        )
    })
}

struct Relation {
    /// The last word of the relation's type, such as `worksheet`.
    kind: String,
    path: String,
}

fn read_relations(
    package: &mut Package<'_>,
    part: &str,
    folder: &str,
) -> Result<HashMap<String, Relation>, Problem> {
    let mut relations = HashMap::new();
    let Some(mut xml) = package.xml(part)? else { return Ok(relations) };
    loop {
        match xml.pull()? {
            XmlEvent::Start(tag) | XmlEvent::Empty(tag) if tag.local_name().as_ref() == "Relationship" => {
                if let (Some(id), Some(kind), Some(target)) =
                    (attribute(&tag, "Id"), attribute(&tag, "Type"), attribute(&tag, "Target"))
                {
                    let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                    relations.insert(id, Relation { kind, path: join(folder, &target) });
                }
            }
            XmlEvent::Eof => return Ok(relations),
            _ => {}
        }
        if relations.len() > MAX_SHEETS * 10 {
            return Err(damaged());
        }
    }
}

/// A relation's target as a path from the root of the package.
fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').filter(|p| !p.is_empty()).collect()
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

struct SheetEntry {
    name: String,
    path: String,
    is_visible: bool,
}

struct Workbook {
    sheets: Vec<SheetEntry>,
    styles: String,
    texts: String,
    is_1904: bool,
}

fn read_workbook(package: &mut Package<'_>, path: &str) -> Result<Workbook, Problem> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let relations = read_relations(package, &join(folder, &format!("_rels/{file}.rels")), folder)?;
    let part = |kind: &str| relations.values().find(|r| r.kind == kind).map(|r| r.path.clone());
    let mut book = Workbook {
        sheets: Vec::new(),
        styles: part("styles").unwrap_or_else(|| join(folder, "styles.xml")),
        texts: part("sharedStrings").unwrap_or_else(|| join(folder, "sharedStrings.xml")),
        is_1904: false,
    };
    let Some(mut xml) = package.xml(path)? else { return Err(damaged()) };
    loop {
        match xml.pull()? {
            XmlEvent::Start(tag) | XmlEvent::Empty(tag) => match tag.local_name().as_ref() {
                "workbookPr" => {
                    book.is_1904 = attribute(&tag, "date1904").is_some_and(|v| v == "1" || v == "true");
                }
                "sheet" if book.sheets.len() < MAX_SHEETS => {
                    // `id` is the relation's; `sheetId` has another local name.
                    let relation = attribute(&tag, "id").and_then(|id| relations.get(&id));
                    if let Some(relation) = relation.filter(|relation| relation.kind == "worksheet") {
                        book.sheets.push(SheetEntry {
                            name: sheet_name(&tag),
                            path: relation.path.clone(),
                            is_visible: attribute(&tag, "state").is_none_or(|state| state == "visible"),
                        });
                    }
                }
                _ => {}
            },
            XmlEvent::Eof => return Ok(book),
            _ => {}
        }
    }
}

/// A sheet's name; spreadsheet programs allow 31 characters.
fn sheet_name(tag: &BytesStart<'_>) -> String {
    let name = attribute(tag, "name").unwrap_or_default();
    text::cut(&name, MAX_SHEET_NAME_CHARS).0.to_owned()
}

/// The style of each cell format, by the index cells name it with.
fn read_styles(package: &mut Package<'_>, path: &str) -> Result<Vec<Style>, Problem> {
    let mut styles = Vec::new();
    let Some(mut xml) = package.xml(path)? else { return Ok(styles) };
    let mut own: HashMap<u32, Style> = HashMap::new();
    let mut is_inside = false;
    let id_of = |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    loop {
        match xml.pull()? {
            XmlEvent::Start(tag) | XmlEvent::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" if own.len() < MAX_STYLES => {
                    let code = attribute(&tag, "formatCode").unwrap_or_default();
                    own.insert(id_of(attribute(&tag, "numFmtId")), number::parse_format(&code));
                }
                "cellXfs" => is_inside = true,
                "xf" if is_inside && styles.len() < MAX_STYLES => {
                    let id = id_of(attribute(&tag, "numFmtId"));
                    styles.push(own.get(&id).copied().unwrap_or_else(|| number::builtin(id)));
                }
                _ => {}
            },
            XmlEvent::End(tag) if tag.local_name().as_ref() == "cellXfs" => is_inside = false,
            XmlEvent::Eof => return Ok(styles),
            _ => {}
        }
    }
}

/// The texts cells refer to by number, in one buffer.
#[derive(Default)]
pub struct Texts {
    buffer: String,
    ends: Vec<u32>,
}

impl Texts {
    fn read(package: &mut Package<'_>, path: &str, limits: &Limits) -> Result<Self, Problem> {
        let mut texts = Self::default();
        let Some(mut xml) = package.xml(path)? else { return Ok(texts) };
        let mut text = CellText::new(limits);
        let max_bytes = limits.max_shared_text_bytes.min(u32::MAX as usize / 2);
        loop {
            let event = xml.pull()?;
            text.take(&event);
            let is_end = match &event {
                XmlEvent::End(tag) => tag.local_name().as_ref() == "si",
                XmlEvent::Empty(tag) => tag.local_name().as_ref() == "si",
                XmlEvent::Eof => return Ok(texts),
                _ => false,
            };
            if is_end {
                texts.buffer.push_str(&text.finish());
                texts.ends.push(u32::try_from(texts.buffer.len()).unwrap_or(u32::MAX));
            }
            if texts.buffer.len() > max_bytes || texts.ends.len() > limits.max_shared_texts {
                return Err(Problem::error(
                    "xlsx.too_much_text",
                    "文件里的文字过多，请拆分成几个文件后分别导入",
                    "the file holds too much text; split it",
                ));
            }
        }
    }

    fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        self.buffer.get(start..end)
    }
}

/// Puts the text of one cell together from its runs; phonetic guides are left out.
struct CellText {
    text: String,
    max_bytes: usize,
    is_inside: bool,
    phonetic: usize,
}

impl CellText {
    fn new(limits: &Limits) -> Self {
        // One character more than allowed, so that the table sees the cell is too long.
        Self {
            text: String::new(),
            max_bytes: (limits.max_cell_chars + 1) * 4,
            is_inside: false,
            phonetic: 0,
        }
    }

    /// Takes `<t>` elements; everything else passes by.
    fn take(&mut self, event: &XmlEvent<'_>) {
        match event {
            XmlEvent::Start(tag) => match tag.local_name().as_ref() {
                "t" => self.is_inside = self.phonetic == 0,
                "rPh" => self.phonetic += 1,
                _ => {}
            },
            XmlEvent::End(tag) => match tag.local_name().as_ref() {
                "t" => self.is_inside = false,
                "rPh" => self.phonetic = self.phonetic.saturating_sub(1),
                _ => {}
            },
            event if self.is_inside => self.take_text(event),
            _ => {}
        }
    }

    fn take_text(&mut self, event: &XmlEvent<'_>) {
        match event {
            XmlEvent::Text(text) => self.append(text),
            XmlEvent::CData(text) => self.append(text),
            XmlEvent::GeneralRef(reference) => {
                let mut bytes = [0; 4];
                let c = referenced(reference).unwrap_or('\u{fffd}');
                self.append(c.encode_utf8(&mut bytes));
            }
            _ => {}
        }
    }

    fn append(&mut self, text: &str) {
        let room = self.max_bytes.saturating_sub(self.text.len());
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.push_str(&text[..end]);
    }

    fn finish(&mut self) -> String {
        self.is_inside = false;
        self.phonetic = 0;
        unescape(std::mem::take(&mut self.text))
    }
}

/// Excel writes characters XML cannot hold as `_x000D_`, and a literal `_x000D_` as `_x005F_x000D_`.
fn unescape(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("_x") {
        result.push_str(&rest[..at]);
        let code = rest.get(at + 2..at + 7).and_then(|hex| hex.strip_suffix('_'));
        let code = code.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
            Some(code) => {
                result.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                rest = &rest[at + 7..];
            }
            None => {
                result.push_str("_x");
                rest = &rest[at + 2..];
            }
        }
    }
    result.push_str(rest);
    result
}

fn read_stamp(package: &mut Package<'_>) -> Result<Option<String>, Problem> {
    let Some(mut xml) = package.xml("docProps/custom.xml")? else { return Ok(None) };
    let mut is_ours = false;
    let mut stamp = String::new();
    loop {
        match xml.pull()? {
            XmlEvent::Start(tag) if tag.local_name().as_ref() == "property" => {
                is_ours = attribute(&tag, "name").is_some_and(|name| name == STAMP_PROPERTY);
            }
            XmlEvent::End(tag) if is_ours && tag.local_name().as_ref() == "property" => {
                return Ok(Some(stamp.trim().to_owned()));
            }
            XmlEvent::Text(text) if is_ours && stamp.len() < MAX_STAMP_CHARS => stamp.push_str(&text),
            XmlEvent::GeneralRef(reference) if is_ours && stamp.len() < MAX_STAMP_CHARS => {
                stamp.extend(referenced(&reference));
            }
            XmlEvent::Eof => return Ok(None),
            _ => {}
        }
    }
}

/// Merged ranges of a sheet, as far as headings or several rows share them. They stand behind all the rows, where the streaming reader comes too late,
/// so the part is unpacked once more and only searched; that also meters it before any row is handed out.
fn scan_merges(package: &mut Package<'_>, path: &str) -> Result<Vec<Merge>, Problem> {
    const TAG: &[u8] = b"mergeCell ";
    const TAG_ROOM: usize = 160;
    const MAX_MERGES: usize = 100_000;
    let mut merges = Vec::new();
    let Some(mut part) = package.part(path)? else { return Ok(merges) };
    let finder = memchr::memmem::Finder::new(TAG);
    let mut window: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let n = part.read_bytes(&mut chunk)?;
        window.extend_from_slice(&chunk[..n]);
        let mut from = 0;
        let mut keep = window.len().saturating_sub(TAG.len() + 16);
        while let Some(found) = finder.find(&window[from..]) {
            let at = from + found;
            if at + TAG_ROOM > window.len() && n > 0 {
                keep = at.saturating_sub(16);
                break;
            }
            from = at + TAG.len();
            keep = keep.max(from);
            let tag = &window[at..window.len().min(at + TAG_ROOM)];
            let is_tag =
                window[..at].iter().rev().take(12).find(|&&b| !b.is_ascii_alphanumeric() && b != b':')
                    == Some(&b'<');
            let merge = std::str::from_utf8(tag.split(|&b| b == b'>').next().unwrap_or_default())
                .ok()
                .and_then(|tag| tag.split_once("ref="))
                .and_then(|(_, rest)| rest.get(1..))
                .and_then(|rest| rest.split(['"', '\'']).next())
                .and_then(parse_range);
            if let Some(merge) = merge
                .filter(|m| is_tag && (m.is_tall() || m.first_row <= TOP_ROWS) && merges.len() < MAX_MERGES)
            {
                merges.push(merge);
            }
        }
        if n == 0 {
            return Ok(merges);
        }
        window.drain(..keep.min(window.len()));
    }
}

fn parse_range(range: &str) -> Option<Merge> {
    let (first, last) = range.split_once(':')?;
    let (first_column, first_row) = sheet::parse_reference(first)?;
    let (last_column, last_row) = sheet::parse_reference(last)?;
    (first_row <= last_row && first_column <= last_column).then_some(Merge {
        first_row,
        last_row,
        first_column,
        last_column,
    })
}
