//! What is on the paper: pages are printed and their text is read back out of the file.

mod reports;
mod samples;
mod slips;

use std::sync::LazyLock;

use lopdf::Document;
use typst::layout::{Frame, FrameItem, Point};

use crate::printer::typeset;
use crate::world::Template;
use crate::{Fonts, PrintError, Printed, Printer, Report, Slip, draw};
use samples::imprint;

/// One for all tests: a font is read once.
static PRINTER: LazyLock<Printer> = LazyLock::new(|| Printer::new(Fonts::default()));

fn print(slip: &Slip) -> Printed {
    PRINTER.slip(slip).unwrap()
}

/// The text of every page without spaces: where glyphs stand apart, extraction adds some. Places to break are gone too.
fn pages(printed: &Printed) -> Vec<String> {
    let document = Document::load_mem(&printed.bytes).unwrap();
    let numbers: Vec<u32> = document.get_pages().into_keys().collect();
    assert_eq!(numbers.len(), printed.pages);
    numbers
        .iter()
        .map(|number| {
            let text = document.extract_text(&[*number]).unwrap();
            text.chars().filter(|c| !c.is_whitespace() && *c != '\u{200b}').collect()
        })
        .collect()
}

/// How far text reaches from the left edge of the paper, in millimetres.
fn reach_mm(slip: &Slip) -> f64 {
    let faces = PRINTER.faces().unwrap();
    let drawing = draw::slip(slip, faces.family()).unwrap();
    let document = typeset(&faces, Template::Slip, drawing, &slip.imprint).unwrap();
    document.pages().iter().map(|page| reach(&page.frame, 0.0)).fold(0.0, f64::max)
}

fn reach(frame: &Frame, left_mm: f64) -> f64 {
    let of_item = |(position, item): &(Point, FrameItem)| {
        let left_mm = left_mm + position.x.to_mm();
        match item {
            FrameItem::Group(group) => reach(&group.frame, left_mm + group.transform.tx.to_mm()),
            FrameItem::Text(text) => left_mm + text.width().to_mm(),
            _ => 0.0,
        }
    };
    frame.items().map(of_item).fold(0.0, f64::max)
}

#[track_caller]
fn shows(page: &str, expected: &[&str]) {
    for text in expected {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        assert!(page.contains(&text), "{text} is not in {page}");
    }
}

#[test]
fn without_a_chinese_font_the_error_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let printer = Printer::new(Fonts { folders: vec![folder.path().to_owned()], is_system_searched: false });
    let error = printer.report(&Report::new("月报", imprint(1))).unwrap_err();
    assert!(matches!(error, PrintError::NoFont { .. }));
    let text = error.to_string();
    assert!(text.contains("请安装") && text.contains("Install the Debian package fonts-noto-cjk"), "{text}");
    assert!(text.contains(&folder.path().display().to_string()));

    // A file that is no font changes nothing.
    std::fs::write(folder.path().join("a.ttf"), b"no font").unwrap();
    std::fs::write(folder.path().join("b.ttc"), b"ttcf").unwrap();
    assert!(matches!(printer.font_family(), Err(PrintError::NoFont { .. })));
}

#[test]
fn a_printer_is_shared_between_threads() {
    fn assert_shared<T: Send + Sync + Clone>(_: &T) {}
    assert_shared(&*PRINTER);
    assert!(!PRINTER.font_family().unwrap().is_empty());
}
