//! Pictures and codes before they are drawn: nothing that takes long to decode, nothing that refers to anything.

use fast_qr::{ECL, QRBuilder};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use typst::foundations::Bytes;
use typst::visualize::{ExchangeFormat, RasterImage, SvgImage};

use crate::error::PrintError;
use crate::limits::{CODE_BYTES, PICTURE_BYTES, PICTURE_PIXELS, PICTURE_SHAPES, within};
use crate::parts::{Picture, PictureFormat};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// How deep groups may lie in groups.
const DEPTH: usize = 32;
/// What a signature is drawn with. `use`, `image`, `text`, `style`, filters and patterns are not among them: they refer
/// to something, or multiply.
const SHAPES: [&str; 11] =
    ["svg", "g", "path", "line", "polyline", "polygon", "rect", "circle", "ellipse", "title", "desc"];

/// The bytes of a picture. Refuses what is not what it says, too large, or more than shapes. `whose` is for the message.
pub fn load(picture: &Picture, whose: &str) -> Result<Bytes, PrintError> {
    check(picture, whose)?;
    let bytes = Bytes::new(picture.bytes.clone());
    let is_readable = match picture.format {
        PictureFormat::Png => RasterImage::plain(bytes.clone(), ExchangeFormat::Png).is_ok(),
        PictureFormat::Svg => SvgImage::new(bytes.clone()).is_ok(),
    };
    if is_readable { Ok(bytes) } else { Err(unreadable(whose, "已损坏", "is damaged")) }
}

/// What can be told before anything is decoded.
fn check(picture: &Picture, whose: &str) -> Result<(), PrintError> {
    within(&format!("{whose}的图片字节 (bytes of a picture)"), picture.bytes.len(), PICTURE_BYTES)?;
    match picture.format {
        PictureFormat::Png => check_png(&picture.bytes, whose),
        PictureFormat::Svg => check_svg(&picture.bytes, whose),
    }
}

fn check_png(bytes: &[u8], whose: &str) -> Result<(), PrintError> {
    let number = |at: usize| {
        let word = bytes.get(at..at + 4)?;
        usize::try_from(u32::from_be_bytes([word[0], word[1], word[2], word[3]])).ok()
    };
    let has_header = bytes.starts_with(PNG) && bytes.get(12..16) == Some(b"IHDR");
    match (number(16), number(20)) {
        (Some(width), Some(height)) if has_header && width > 0 && height > 0 => within(
            &format!("{whose}的图片像素 (pixels of a picture)"),
            width.saturating_mul(height),
            PICTURE_PIXELS,
        ),
        _ => Err(unreadable(whose, "不是 PNG 图片", "is no PNG picture")),
    }
}

fn check_svg(bytes: &[u8], whose: &str) -> Result<(), PrintError> {
    let no_svg = || unreadable(whose, "不是 SVG 图片", "is no SVG picture");
    let text = std::str::from_utf8(bytes).map_err(|_| no_svg())?;
    let mut reader = Reader::from_str(text);
    let (mut depth, mut shapes) = (0_usize, 0_usize);
    let mut is_first = true;
    loop {
        let (element, is_open) = match reader.read_event().map_err(|_| no_svg())? {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Eof if depth == 0 && !is_first => return Ok(()),
            Event::Eof => return Err(no_svg()),
            Event::DocType(_) => return Err(unreadable(whose, "含有 DOCTYPE", "has a DOCTYPE")),
            _ => continue,
        };
        shapes += 1 + check_element(&element, whose)?;
        within(&format!("{whose}的图形 (shapes of a picture)"), shapes, PICTURE_SHAPES)?;
        if (is_first || depth == 0) && element.name().as_ref() != "svg" {
            return Err(no_svg());
        }
        is_first = false;
        depth += usize::from(is_open);
        within(&format!("{whose}的图形层数 (depth of a picture)"), depth, DEPTH)?;
    }
}

/// Refuses elements that are no shapes; answers how many path commands, or points, this one has about.
fn check_element(element: &BytesStart<'_>, whose: &str) -> Result<usize, PrintError> {
    let name = element.name();
    if !SHAPES.contains(&name.as_ref()) {
        let name: String = name.as_ref().chars().take(20).collect();
        return Err(unreadable(whose, &format!("含有不支持的“{name}”"), &format!("has <{name}> in it")));
    }
    let mut commands = 0;
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|_| unreadable(whose, "不是 SVG 图片", "is no SVG picture"))?;
        if attribute.key.local_name().as_ref() == "href" {
            return Err(unreadable(whose, "引用了别的内容", "refers to something"));
        }
        // A dash makes many strokes out of one.
        if attribute.key.as_ref().starts_with("stroke-dash") || attribute.key.as_ref() == "style" {
            return Err(unreadable(whose, "含有样式", "has styles in it"));
        }
        let marks = |byte: &u8| matches!(byte, b' ' | b',' | b'-' | b'a'..=b'z' | b'A'..=b'Z');
        commands += attribute.value.as_bytes().iter().filter(|byte| marks(byte)).count() / 4;
    }
    Ok(commands)
}

fn unreadable(whose: &str, zh: &str, en: &str) -> PrintError {
    PrintError::invalid(format!("{whose}的图片{zh}，无法打印。"), format!("The picture of {whose} {en}."))
}

/// A QR code as SVG: one path of horizontal strokes, with its quiet zone of four modules.
pub fn code(text: &str) -> Result<String, PrintError> {
    within("二维码字节 (bytes of a QR code)", text.len(), CODE_BYTES)?;
    if text.is_empty() {
        return Err(PrintError::invalid("二维码没有内容。", "A QR code says nothing."));
    }
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|_| {
        PrintError::invalid("二维码内容无法编码。", "The text of the QR code cannot be encoded.")
    })?;
    let mut path = String::new();
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            let dark = code[row][column..].iter().take_while(|module| module.value()).count();
            if dark > 0 {
                path.push_str(&format!("M{} {}h{dark}v1h-{dark}z", column + 4, row + 4));
            }
            column += dark.max(1);
        }
    }
    let size = code.size + 8;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" width=\"{size}\" height=\"{size}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(text: &str) -> Result<(), PrintError> {
        check(&Picture { format: PictureFormat::Svg, bytes: text.as_bytes().to_vec() }, "客户")
    }

    #[test]
    fn svg_pictures_are_shapes_only() {
        assert_eq!(svg(r#"<svg viewBox="0 0 9 9"><g><path d="M0 0L9 9" stroke="black"/></g></svg>"#), Ok(()));
        for bad in [
            "",
            "no picture",
            "<svg>",
            r##"<svg><use href="#a"/></svg>"##,
            r#"<svg><image href="file:///etc/passwd"/></svg>"#,
            r#"<svg><text>a</text></svg>"#,
            r#"<x:svg xmlns:x="http://www.w3.org/2000/svg"><x:use/></x:svg>"#,
            r#"<!DOCTYPE svg [<!ENTITY a "b">]><svg/>"#,
            r##"<svg><path style="fill:url(#a)" d="M0 0"/></svg>"##,
        ] {
            assert!(svg(bad).is_err(), "{bad}");
        }
        assert!(svg(&format!("<svg>{}</svg>", "<g/>".repeat(PICTURE_SHAPES))).is_err());
        assert!(svg(&format!("<svg>{}{}</svg>", "<g>".repeat(40), "</g>".repeat(40))).is_err());
    }

    #[test]
    fn png_pictures_have_few_pixels() {
        let png = |width: u32, height: u32| {
            let mut bytes = PNG.to_vec();
            bytes.extend_from_slice(b"\0\0\0\x0dIHDR");
            bytes.extend_from_slice(&width.to_be_bytes());
            bytes.extend_from_slice(&height.to_be_bytes());
            check(&Picture { format: PictureFormat::Png, bytes }, "客户")
        };
        assert_eq!(png(600, 200), Ok(()));
        assert!(png(100_000, 100_000).is_err());
        assert!(png(0, 1).is_err());
        let cut_off = Picture {
            format: PictureFormat::Png,
            bytes: [PNG, b"\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01"].concat(),
        };
        assert_eq!(check(&cut_off, "客户"), Ok(()));
        assert!(load(&cut_off, "客户").is_err());
        assert!(check(&Picture { format: PictureFormat::Png, bytes: b"GIF89a".to_vec() }, "客户").is_err());
    }

    #[test]
    fn codes_hold_an_address_and_no_book() {
        assert!(code("https://crm.example.cn/v/WX-2026-000123").is_ok_and(|svg| svg.starts_with("<svg")));
        assert!(code(&"码".repeat(200)).is_err());
        assert!(code("").is_err());
    }
}
