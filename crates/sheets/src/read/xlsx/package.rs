//! The zip container of an XLSX file and the XML parts in it. Sizes are measured while unpacking, headers are never
//! believed; document type definitions are refused, so there are no entities to expand.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::problem::Problem;
use crate::read::Limits;

const MAX_PARTS: u64 = 10_000;
const MAX_DIRECTORY_BYTES: u64 = 8 << 20;
/// Above this size a part must not be packed more tightly than real sheets are.
const RATIO_FREE_BYTES: u64 = 64 << 20;
const MAX_RATIO: u64 = 200;
/// Bytes a single tag or text may take.
const MAX_EVENT_BYTES: u64 = 8 << 20;
const MAX_DEPTH: usize = 64;
const BUFFER: usize = 64 << 10;

pub struct Package<'a> {
    zip: ZipArchive<&'a mut File>,
    max_inflated: u64,
    inflated: Rc<Cell<u64>>,
}

impl<'a> Package<'a> {
    pub fn open(file: &'a mut File, limits: &Limits) -> Result<Self, Problem> {
        check_directory(file)?;
        file.seek(SeekFrom::Start(0))?;
        let zip = ZipArchive::new(file).map_err(|error| zip_problem(&error))?;
        Ok(Self { zip, max_inflated: limits.max_inflated_bytes, inflated: Rc::default() })
    }

    pub fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// The unpacked bytes of a part, or `None` when there is no such part.
    pub fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, Problem> {
        let entry = match self.zip.by_name(name) {
            Ok(entry) => entry,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(zip_problem(&error)),
        };
        Ok(Some(Part {
            packed: entry.compressed_size().max(1),
            inner: Box::new(entry),
            unpacked: 0,
            all: Rc::clone(&self.inflated),
            max_all: self.max_inflated,
            since_event: Rc::default(),
        }))
    }

    pub fn xml(&mut self, name: &str) -> Result<Option<Xml<'_>>, Problem> {
        Ok(self.part(name)?.map(Xml::new))
    }
}

/// Reads the end of the central directory by hand, before anything is allocated for its entries.
fn check_directory(file: &mut File) -> Result<(), Problem> {
    let size = file.metadata()?.len();
    let tail = size.min(66_000);
    file.seek(SeekFrom::Start(size - tail))?;
    let mut bytes = Vec::new();
    Read::take(&mut *file, tail).read_to_end(&mut bytes)?;
    let Some(at) = memchr::memmem::rfind(&bytes, b"PK\x05\x06") else { return Err(damaged()) };
    let field = |offset: usize, length: usize| -> u64 {
        let raw = bytes.get(at + offset..at + offset + length).unwrap_or_default();
        raw.iter().rev().fold(0, |value, &byte| (value << 8) | u64::from(byte))
    };
    if field(10, 2) > MAX_PARTS || field(12, 4) > MAX_DIRECTORY_BYTES {
        return Err(Problem::error(
            "zip.too_many_parts",
            "文件内部结构异常（部件过多），请在 Excel 中重新另存为 .xlsx 后再上传",
            "the file has too many parts; save it again from Excel",
        ));
    }
    Ok(())
}

fn zip_problem(error: &ZipError) -> Problem {
    match error {
        ZipError::UnsupportedArchive(text) if text.contains("assword") => Problem::error(
            "file.encrypted",
            "文件设有密码，请取消密码后重新保存再上传",
            "the file is protected by a password",
        ),
        ZipError::Io(error) => from_io(error),
        _ => damaged(),
    }
}

pub fn damaged() -> Problem {
    Problem::error(
        "zip.damaged",
        "文件已损坏或没有传完整，请在 Excel 中打开并重新另存为 .xlsx 后再上传",
        "the file is damaged or incomplete; open it in Excel and save it again",
    )
}

fn from_io(error: &io::Error) -> Problem {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Problem>()) {
        Some(problem) => problem.clone(),
        // What the unpacker reports, a wrong checksum or a broken stream, is damage to the file.
        None => damaged(),
    }
}

fn too_large() -> Problem {
    Problem::error(
        "zip.too_large",
        "文件解压后过大，疑似损坏或恶意文件；如确需导入，请删去多余内容或拆分成几个文件",
        "the file unpacks to too much; remove what is not needed or split it",
    )
}

/// One part of the package, metered.
pub struct Part<'p> {
    inner: Box<dyn Read + 'p>,
    packed: u64,
    unpacked: u64,
    all: Rc<Cell<u64>>,
    max_all: u64,
    since_event: Rc<Cell<u64>>,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let read = n as u64;
        self.unpacked += read;
        self.all.set(self.all.get() + read);
        self.since_event.set(self.since_event.get() + read);
        let is_bomb = self.unpacked > RATIO_FREE_BYTES && self.unpacked / self.packed > MAX_RATIO;
        if is_bomb || self.all.get() > self.max_all || self.since_event.get() > MAX_EVENT_BYTES {
            return Err(io::Error::other(too_large()));
        }
        Ok(n)
    }
}

impl Part<'_> {
    /// For callers that read bytes instead of XML and bound their own buffer.
    pub fn read_bytes(&mut self, buffer: &mut [u8]) -> Result<usize, Problem> {
        self.since_event.set(0);
        self.read(buffer).map_err(|error| from_io(&error))
    }
}

/// A pull parser over a part.
pub struct Xml<'p> {
    reader: Reader<BufReader<Part<'p>>>,
    since_event: Rc<Cell<u64>>,
    depth: usize,
    buffer: Vec<u8>,
}

impl<'p> Xml<'p> {
    fn new(part: Part<'p>) -> Self {
        let since_event = Rc::clone(&part.since_event);
        let mut reader = Reader::from_reader(BufReader::with_capacity(BUFFER, part));
        reader.config_mut().check_end_names = false;
        Self { reader, since_event, depth: 0, buffer: Vec::new() }
    }

    pub fn pull(&mut self) -> Result<Event<'_>, Problem> {
        self.buffer.clear();
        self.since_event.set(0);
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) => from_io(&error),
            _ => damaged(),
        })?;
        match &event {
            Event::Start(_) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(damaged());
                }
            }
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => {
                return Err(Problem::error(
                    "xlsx.doctype",
                    "文件含有不允许的 XML 定义，疑似恶意文件，已拒绝",
                    "the file holds an XML document type definition and was refused",
                ));
            }
            Event::Eof if self.depth > 0 => return Err(damaged()),
            _ => {}
        }
        Ok(event)
    }
}

/// The value of the attribute with this local name.
pub fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    tag.attributes()
        .with_checks(false)
        .filter_map(Result::ok)
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| {
            quick_xml::escape::unescape(&attribute.value).ok().map(|value| value.into_owned())
        })
}

/// The character a reference in text stands for; only the five of XML itself and numbers are known.
pub fn referenced(reference: &BytesRef<'_>) -> Option<char> {
    match &**reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}
