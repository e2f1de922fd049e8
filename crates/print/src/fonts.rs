//! Finding a font with Chinese characters, and loading of it what is used.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo, FontStyle, FontWeight};
use typst::utils::LazyHash;

use crate::error::PrintError;

/// Where fonts are looked for: files that end in `.ttf`, `.otf`, `.ttc` or `.otc`, in folders and what lies in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fonts {
    /// Folders looked through first, such as `data/fonts`. Their fonts also help out with characters that the font of
    /// the page does not have. A folder that is not there is passed over.
    pub folders: Vec<PathBuf>,
    /// Whether the folders of the system are looked through when those have no Chinese font.
    pub is_system_searched: bool,
}

impl Default for Fonts {
    fn default() -> Self {
        Self { folders: Vec::new(), is_system_searched: true }
    }
}

/// Characters that the font of the page must have: those of every form, amounts in words, and rarer ones.
const PROBE: &str = "客户编号打印扫码核验壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整第页共，。：（）《》喆昇龑¥√×—";
/// Families for a page, best first. Any other with all of [`PROBE`] comes after them.
const FAMILIES: [&str; 9] = [
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "HarmonyOS Sans SC",
    "Alibaba PuHuiTi",
    "WenQuanYi Micro Hei",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
];
/// Parts of file names, in lower case, of which one is Chinese. Other files of the system are opened only if none of
/// these has what is needed.
const FILES: [&str; 8] =
    ["cjk", "sourcehan", "notosanssc", "notoserifsc", "harmonyos", "puhuiti", "wqy", "lxgw"];
const FILE_BYTES: u64 = 64 * 1024 * 1024;
const FILES_LIMIT: usize = 2_000;
const DEPTH: usize = 6;

/// The fonts of pages: what they can show is known, their bytes are read when first used and kept. One file of Noto Sans
/// CJK is 20 MB; a page with bold text uses two.
pub struct Faces {
    book: LazyHash<FontBook>,
    slots: Vec<Slot>,
    family: String,
    files: Mutex<HashMap<PathBuf, Bytes>>,
}

struct Slot {
    path: PathBuf,
    index: u32,
    font: OnceLock<Option<Font>>,
}

struct Candidate {
    path: PathBuf,
    index: u32,
    info: FontInfo,
    /// Whether it lies in a folder that was given.
    is_given: bool,
}

impl Faces {
    pub fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    /// The family of the page.
    pub fn family(&self) -> &str {
        &self.family
    }

    pub fn font(&self, index: usize) -> Option<Font> {
        let slot = self.slots.get(index)?;
        slot.font.get_or_init(|| Font::new(self.bytes(&slot.path)?, slot.index)).clone()
    }

    /// Faces of one collection share its bytes.
    fn bytes(&self, path: &Path) -> Option<Bytes> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = files.get(path) {
            return Some(bytes.clone());
        }
        let bytes = Bytes::new(fs::read(path).ok()?);
        files.insert(path.to_owned(), bytes.clone());
        Some(bytes)
    }

    /// Whether some font shows the character.
    pub fn shows(&self, c: char) -> bool {
        (0..self.slots.len())
            .any(|index| self.book.info(index).is_some_and(|info| info.coverage.contains(u32::from(c))))
    }
}

/// Looks for fonts. Takes some tenths of a second, mostly for reading collections.
pub fn find(fonts: &Fonts) -> Result<Arc<Faces>, PrintError> {
    let mut given = Vec::new();
    for folder in &fonts.folders {
        read_faces(&files_below(folder), true, &mut given);
    }
    if let Some(faces) = choose(given.iter()) {
        return Ok(faces);
    }
    let system = if fonts.is_system_searched { system_folders() } else { Vec::new() };
    let files: Vec<PathBuf> = system.iter().flat_map(|folder| files_below(folder)).collect();
    let (likely, others): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|path| is_likely(path));
    let mut found = Vec::new();
    for files in [likely, others] {
        read_faces(&files, false, &mut found);
        if let Some(faces) = choose(given.iter().chain(&found)) {
            return Ok(faces);
        }
    }
    let looked_in: Vec<String> =
        fonts.folders.iter().chain(&system).map(|folder| folder.display().to_string()).collect();
    Err(PrintError::NoFont { looked_in: looked_in.join(", ") })
}

/// The best family with Chinese, and fonts given for rare characters.
fn choose<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> Option<Arc<Faces>> {
    let candidates: Vec<&Candidate> = candidates.collect();
    let rank = |candidate: &Candidate| {
        let place =
            FAMILIES.iter().position(|family| *family == candidate.info.family).unwrap_or(FAMILIES.len());
        (
            place,
            candidate.info.family.contains("Mono"),
            candidate.info.variant.weight.distance(FontWeight::REGULAR),
        )
    };
    let best = candidates.iter().filter(|candidate| is_chinese(&candidate.info)).min_by_key(|c| rank(c))?;
    let family = best.info.family.clone();
    let mut kept: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        let is_same = candidate.info.family == family && candidate.info.variant.style == FontStyle::Normal;
        let is_double = kept.iter().any(|other| {
            other.info.family == candidate.info.family && other.info.variant == candidate.info.variant
        });
        if !is_double && (is_same || candidate.is_given) {
            kept.push(candidate);
        }
    }
    let book = LazyHash::new(FontBook::from_infos(kept.iter().map(|candidate| candidate.info.clone())));
    let slots = kept
        .iter()
        .map(|candidate| Slot { path: candidate.path.clone(), index: candidate.index, font: OnceLock::new() })
        .collect();
    Some(Arc::new(Faces { book, slots, family, files: Mutex::default() }))
}

fn is_chinese(info: &FontInfo) -> bool {
    PROBE.chars().all(|c| info.coverage.contains(u32::from(c)))
}

fn read_faces(files: &[PathBuf], is_given: bool, candidates: &mut Vec<Candidate>) {
    for path in files {
        let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= FILE_BYTES);
        let Some(bytes) = is_small.then(|| fs::read(path).ok()).flatten() else { continue };
        let Some(count) = faces_in(&bytes) else { continue };
        for index in 0..count {
            if let Some(info) = FontInfo::new(&bytes, index) {
                candidates.push(Candidate { path: path.clone(), index, info, is_given });
            }
        }
    }
}

/// How many faces a file has; None if it is no font. A collection says so in its first bytes.
fn faces_in(bytes: &[u8]) -> Option<u32> {
    let word = |at: usize| bytes.get(at..at + 4).map(|word| [word[0], word[1], word[2], word[3]]);
    if &word(0)? == b"ttcf" { Some(u32::from_be_bytes(word(8)?).min(64)) } else { Some(1) }
}

fn is_likely(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    FILES.iter().any(|part| name.contains(part))
}

fn system_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = [
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/System/Library/Fonts",
        "/Library/Fonts",
        "C:\\Windows\\Fonts",
    ]
    .iter()
    .map(PathBuf::from)
    .filter(|folder| folder.is_dir())
    .collect();
    if folders.is_empty() {
        folders.push(PathBuf::from("/usr/share/fonts"));
    }
    folders
}

/// Font files below a folder, in the order of their names, so that the same machine always chooses the same font.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![(folder.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                if depth < DEPTH {
                    folders.push((path, depth + 1));
                }
            } else if is_font(&path) {
                files.push(path);
            }
        }
        if files.len() > FILES_LIMIT {
            break;
        }
    }
    files.sort();
    files.truncate(FILES_LIMIT);
    files
}

fn is_font(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("ttf" | "otf" | "ttc" | "otc"))
}
