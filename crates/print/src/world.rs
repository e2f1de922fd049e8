//! What templates can reach: themselves, the data of the print, its pictures and the fonts. Nothing else is there.

use std::sync::LazyLock;

use jiff::civil::Date;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::fonts::Faces;

/// Which template is the page.
#[derive(Clone, Copy)]
pub enum Template {
    Slip,
    Report,
}

static COMMON: LazyLock<Source> =
    LazyLock::new(|| source("common.typ", include_str!("../templates/common.typ")));
static SLIP: LazyLock<Source> = LazyLock::new(|| source("slip.typ", include_str!("../templates/slip.typ")));
static REPORT: LazyLock<Source> =
    LazyLock::new(|| source("report.typ", include_str!("../templates/report.typ")));
static DATA: LazyLock<Option<FileId>> = LazyLock::new(|| id("data.json"));
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// One print.
pub struct Print<'a> {
    pub faces: &'a Faces,
    pub template: Template,
    /// JSON for the template.
    pub data: Bytes,
    /// Files that the data name: `0.svg`, `1.png` …
    pub pictures: Vec<(String, Bytes)>,
    pub today: Date,
}

impl Print<'_> {
    fn page(&self) -> &'static Source {
        match self.template {
            Template::Slip => &SLIP,
            Template::Report => &REPORT,
        }
    }
}

impl World for Print<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.faces.book()
    }

    fn main(&self) -> FileId {
        self.page().id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        [self.page(), &*COMMON]
            .into_iter()
            .find(|source| source.id() == id)
            .cloned()
            .ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if *DATA == Some(id) {
            return Ok(self.data.clone());
        }
        let path = id.get();
        let is_ours = matches!(path.root(), VirtualRoot::Project);
        let name = path.vpath().get_without_slash();
        self.pictures
            .iter()
            .find(|(picture, _)| is_ours && picture == name)
            .map(|(_, bytes)| bytes.clone())
            .ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.faces.font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        let number = |value: i8| u8::try_from(value).ok();
        Datetime::from_ymd(
            i32::from(self.today.year()),
            number(self.today.month())?,
            number(self.today.day())?,
        )
    }
}

fn id(name: &str) -> Option<FileId> {
    Some(RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).ok()?).intern())
}

fn source(name: &str, text: &str) -> Source {
    match id(name) {
        Some(id) => Source::new(id, text.to_owned()),
        None => Source::detached(text),
    }
}
