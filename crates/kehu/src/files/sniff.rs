//! What a file is, told by its first bytes: names and claims of the sender are not believed.

/// Bytes looked at.
pub(super) const HEAD: usize = 8 << 10;

/// The media type of a file that begins with `head` (up to 8 KiB of it). Anything unknown is
/// `application/octet-stream`; markup is plain text, so that no browser ever runs it.
pub fn media_type(head: &[u8]) -> &'static str {
    const MAGIC: [(&[u8], &str); 15] = [
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"BM", "image/bmp"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (b"Rar!\x1a\x07", "application/vnd.rar"),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
        (b"\x1f\x8b", "application/gzip"),
        (b"ID3", "audio/mpeg"),
        (b"#!AMR", "audio/amr"),
        (b"OggS", "audio/ogg"),
    ];
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return name;
    }
    if head.starts_with(b"PK\x03\x04") {
        return office(head);
    }
    match (head.get(..4), head.get(8..12), head.get(4..8)) {
        (Some(b"RIFF"), Some(b"WEBP"), _) => return "image/webp",
        (Some(b"RIFF"), Some(b"WAVE"), _) => return "audio/wav",
        (_, _, Some(b"ftyp")) => return "video/mp4",
        _ => {}
    }
    if is_text(head) {
        return if starts_with_text(head, "begin:vcard") { "text/vcard" } else { "text/plain" };
    }
    "application/octet-stream"
}

/// A zip file: Office documents name their parts near the beginning.
fn office(head: &[u8]) -> &'static str {
    let has = |part: &[u8]| head.windows(part.len()).any(|w| w == part);
    if !has(b"[Content_Types].xml") && !has(b"_rels/") {
        return "application/zip";
    }
    match () {
        () if has(b"xl/") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        () if has(b"word/") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        () if has(b"ppt/") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        () => "application/zip",
    }
}

fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The last character may be cut by the end of what was read.
        Err(e) if e.error_len().is_none() && head.len() >= HEAD => {
            std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

fn starts_with_text(head: &[u8], text: &str) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.get(..text.len()).is_some_and(|h| h.eq_ignore_ascii_case(text.as_bytes()))
}

/// Whether a browser may show it in a page: plain pictures only.
pub(super) fn is_picture(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

/// A file name from outside as it is kept: no folders, control or direction characters, at most 120 characters with
/// its ending. Empty names become 文件.
pub(super) fn clean_name(raw: &str) -> String {
    const LONGEST: usize = 120;
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .filter(|c| !c.is_control() && !crate::input::is_unwanted(*c))
        .collect();
    let name = kept.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return "文件".into();
    }
    let length = name.chars().count();
    if length <= LONGEST {
        return name.to_owned();
    }
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.chars().count() <= 10 => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    stem.chars().take(LONGEST - ending.chars().count()).collect::<String>() + &ending
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_told_by_the_content() {
        for (head, expected) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (
                b"PK\x03\x04\x14\0\0\0[Content_Types].xml..xl/workbook.xml",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ),
            (b"PK\x03\x04readme.txt", "application/zip"),
            (b"<html><script>alert(1)</script>", "text/plain"),
            (b"<svg onload='alert(1)'>", "text/plain"),
            (b"BEGIN:VCARD\r\nVERSION:3.0", "text/vcard"),
            ("\u{feff}begin:vcard".as_bytes(), "text/vcard"),
            ("客户,电话\n".as_bytes(), "text/plain"),
            (b"\xbf\xcd\xbb\xa7", "application/octet-stream"),
            (b"MZ\x90\0", "application/octet-stream"),
            (b"", "application/octet-stream"),
        ] {
            assert_eq!(media_type(head), expected, "{head:?}");
        }
    }

    #[test]
    fn names_keep_their_ending_and_nothing_dangerous() {
        for (raw, kept) in [
            ("合同.pdf", "合同.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\报价.xlsx", "报价.xlsx"),
            ("a\0b\u{202e}gpj.exe", "abgpj.exe"),
            (" .hidden ", "hidden"),
            ("..", "文件"),
            ("", "文件"),
            ("what?.txt", "what_.txt"),
        ] {
            assert_eq!(clean_name(raw), kept, "{raw:?}");
        }
        let long = clean_name(&("长".repeat(300) + ".docx"));
        assert_eq!(long.chars().count(), 120);
        assert!(long.ends_with(".docx"));
    }
}
