//! Printing: from data to a file.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use typst::diag::{SourceDiagnostic, SourceResult};
use typst::foundations::{Bytes, Datetime, Smart};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp};

use crate::draw::{self, Drawing};
use crate::error::PrintError;
use crate::fonts::{self, Faces, Fonts};
use crate::limits;
use crate::parts::Imprint;
use crate::report::Report;
use crate::slip::Slip;
use crate::world::{Print, Template};

/// Prints. Clones share their fonts, which are looked for at the first print and kept. A call blocks until the file is
/// done; calls from several threads run side by side, each with memory of its own, so whoever has many of them bounds
/// how many run at once.
#[derive(Clone)]
pub struct Printer(Arc<Shared>);

struct Shared {
    fonts: Fonts,
    /// None until a Chinese font has been found.
    faces: Mutex<Option<Arc<Faces>>>,
}

/// A printed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// PDF 1.7, with the fonts it uses embedded in part.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub pages: usize,
    /// Characters that no font has, each once: they are printed as empty boxes.
    pub unknown_characters: String,
}

impl Printer {
    /// A printer that will look for fonts there. Reads nothing yet.
    #[must_use]
    pub fn new(fonts: Fonts) -> Self {
        Self(Arc::new(Shared { fonts, faces: Mutex::default() }))
    }

    /// Looks for fonts now and answers the family of the pages: for a check at the start, or a page about the system.
    ///
    /// # Errors
    /// [`PrintError::NoFont`] if there is none.
    pub fn font_family(&self) -> Result<String, PrintError> {
        Ok(self.faces()?.family().to_owned())
    }

    /// Prints a form with its copies.
    ///
    /// # Errors
    /// [`PrintError::NoFont`]; [`PrintError::TooLarge`] beyond [`limits`]; [`PrintError::Invalid`] if a row has more or
    /// fewer cells than its table columns, a picture is not one, or a copy leaves out what is not there.
    pub fn slip(&self, slip: &Slip) -> Result<Printed, PrintError> {
        limits::check_slip(slip)?;
        let faces = self.faces()?;
        let drawing = draw::slip(slip, faces.family())?;
        print(&faces, Template::Slip, drawing, &slip.imprint)
    }

    /// Prints a report.
    ///
    /// # Errors
    /// As [`Printer::slip`].
    pub fn report(&self, report: &Report) -> Result<Printed, PrintError> {
        limits::check_report(report)?;
        let faces = self.faces()?;
        let drawing = draw::report(report, faces.family())?;
        print(&faces, Template::Report, drawing, &report.imprint)
    }

    pub(crate) fn faces(&self) -> Result<Arc<Faces>, PrintError> {
        let mut kept = self.0.faces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(faces) = &*kept {
            return Ok(faces.clone());
        }
        let faces = fonts::find(&self.0.fonts)?;
        *kept = Some(faces.clone());
        Ok(faces)
    }
}

fn print(
    faces: &Faces,
    template: Template,
    drawing: Drawing,
    imprint: &Imprint,
) -> Result<Printed, PrintError> {
    let unknown_characters = unknown_characters(faces, &drawing.data);
    let ident = typst::utils::hash128(&drawing.data);
    let result = typeset(faces, template, drawing, imprint).and_then(|document| {
        let bytes = typst_pdf::pdf(&document, &options(imprint, template, ident))?;
        Ok(Printed { bytes, pages: document.pages().len(), unknown_characters })
    });
    // What the typesetter remembers of this print would be kept for ever.
    typst::comemo::evict(0);
    result.map_err(|faults| PrintError::Typesetting(tell(&faults)))
}

pub(crate) fn typeset(
    faces: &Faces,
    template: Template,
    drawing: Drawing,
    imprint: &Imprint,
) -> SourceResult<PagedDocument> {
    let world = Print {
        faces,
        template,
        data: Bytes::new(drawing.data),
        pictures: drawing.pictures,
        today: draw::today(imprint),
    };
    typst::compile::<PagedDocument>(&world).output
}

fn options(imprint: &Imprint, template: Template, ident: u128) -> PdfOptions {
    let at = imprint.at.datetime();
    let number = |value: i8| u8::try_from(value).unwrap_or_default();
    let datetime = Datetime::from_ymd_hms(
        i32::from(at.year()),
        number(at.month()),
        number(at.day()),
        number(at.hour()),
        number(at.minute()),
        number(at.second()),
    );
    let offset_minutes = imprint.at.offset().seconds() / 60;
    PdfOptions {
        ident: Smart::Custom(format!("{ident:032x}")),
        creator: Smart::Custom(None),
        timestamp: datetime.and_then(|datetime| Timestamp::new_local(datetime, offset_minutes)),
        // Tags for reading aloud take a third of the time and of the file of a long report.
        tagged: matches!(template, Template::Slip),
        ..PdfOptions::default()
    }
}

/// The data are JSON, whose own signs every font has.
fn unknown_characters(faces: &Faces, data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let characters: BTreeSet<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    characters.into_iter().filter(|c| !hanzi::normal::is_invisible(*c) && !faces.shows(*c)).collect()
}

/// The first fault in one line.
fn tell(faults: &[SourceDiagnostic]) -> String {
    faults.first().map(|fault| fault.message.to_string()).unwrap_or_default()
}
