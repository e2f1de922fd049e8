//! The application side: how well a found text fits a query, and which part of it does.

use std::ops::Range;

use super::query::{QUERY_LIMIT, words};
use super::{Glyph, glyphs};
use crate::readings;

/// Characters of a text that are compared.
const TEXT_LIMIT: usize = 4_000;
/// Characters of a text that are compared by sound; the index has no more.
const SOUND_LIMIT: usize = 64;
/// Places highlighted per word.
const PLACES_LIMIT: usize = 100;

/// How well `text` fits: `None` if a word of `query` is not in it, else higher is better. Exact 1000, begins with 900,
/// contains 800, by pinyin 700 to 600, by initials 500 to 400; less up to 49 for what is longer than the query.
pub fn score(query: &str, text: &str) -> Option<u32> {
    Matcher::new(query).score(text)
}

/// The byte ranges of `text` that a word of `query` found, in order and apart.
pub fn highlight(query: &str, text: &str) -> Vec<Range<usize>> {
    Matcher::new(query).highlight(text)
}

/// A query made ready for many texts.
#[derive(Clone, Debug)]
pub struct Matcher {
    words: Vec<Vec<Glyph>>,
}

impl Matcher {
    pub fn new(query: &str) -> Self {
        Self { words: words(query) }
    }

    /// See [`score`].
    pub fn score(&self, text: &str) -> Option<u32> {
        let text = Text::new(text);
        let typed: usize = self.words.iter().map(Vec::len).sum();
        let longer = text.glyphs.len().saturating_sub(typed).min(49);
        let tiers = self.words.iter().map(|word| text.find(word).map(|(_, tier)| tier));
        // The worst word decides; no words fit nothing.
        let worst = tiers.reduce(|a, b| Some(a?.min(b?)))??;
        Some(worst - u32::try_from(longer).unwrap_or(49))
    }

    /// See [`highlight`].
    pub fn highlight(&self, text: &str) -> Vec<Range<usize>> {
        let text = Text::new(text);
        let mut places: Vec<Range<usize>> = Vec::new();
        for word in &self.words {
            let mut literal = text.literal(word).take(PLACES_LIMIT).peekable();
            if literal.peek().is_some() {
                places.extend(literal.map(|place| text.bytes(place)));
            } else if let Some((place, _)) = text.find(word) {
                places.push(text.bytes(place));
            }
        }
        places.sort_by_key(|place| (place.start, place.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(places.len());
        for place in places {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart
    }
}

struct Text {
    glyphs: Vec<Glyph>,
}

impl Text {
    fn new(text: &str) -> Self {
        Self { glyphs: glyphs(text, TEXT_LIMIT) }
    }

    fn bytes(&self, place: Range<usize>) -> Range<usize> {
        self.glyphs[place.start].start..self.glyphs[place.end - 1].end
    }

    /// The best place of a word, in glyphs, and its tier.
    fn find(&self, word: &[Glyph]) -> Option<(Range<usize>, u32)> {
        if let Some(place) = self.literal(word).next() {
            let tier = if place.start > 0 {
                800
            } else if place.end < self.glyphs.len() {
                900
            } else {
                1000
            };
            return Some((place, tier));
        }
        if !word.iter().any(|glyph| glyph.folded.is_ascii_alphabetic()) {
            return None;
        }
        self.by_sound(word)
    }

    /// The places where a word stands as written, left to right, without overlap. Digits may be grouped otherwise.
    fn literal<'t>(&'t self, word: &'t [Glyph]) -> impl Iterator<Item = Range<usize>> + 't {
        let is_number = word.iter().all(|glyph| glyph.folded.is_ascii_digit());
        let mut from = 0;
        std::iter::from_fn(move || {
            let rest = self.glyphs.get(from..)?;
            let at = rest.windows(word.len()).position(|window| {
                window.iter().zip(word).enumerate().all(|(i, (text, typed))| {
                    text.folded == typed.folded && (i == 0 || is_number || text.gap == typed.gap)
                })
            })?;
            let start = from + at;
            from = start + word.len();
            Some(start..from)
        })
    }

    fn by_sound(&self, word: &[Glyph]) -> Option<(Range<usize>, u32)> {
        let glyphs = &self.glyphs[..self.glyphs.len().min(SOUND_LIMIT)];
        if !glyphs.iter().any(Glyph::is_han) {
            return None;
        }
        let original: Vec<char> = glyphs.iter().map(|glyph| glyph.original).collect();
        let readings = readings::read(&original);
        let typed: Vec<char> = word.iter().map(|glyph| glyph.folded).collect();
        for (by_initials, base) in [(false, 600), (true, 400)] {
            for start in 0..glyphs.len() {
                let Some(end) = heard(&typed, &glyphs[start..], &readings[start..], by_initials) else {
                    continue;
                };
                let place = start..start + end;
                let tier = match (start, place.end == self.glyphs.len()) {
                    (0, true) => base + 100,
                    (0, false) => base + 50,
                    _ => base,
                };
                return Some((place, tier));
            }
        }
        None
    }
}

/// How many glyphs from the first on it takes to say `typed`, if they do. Every glyph is said in full or, with
/// `by_initials`, by its first letter; the last may be unfinished.
fn heard(typed: &[char], glyphs: &[Glyph], readings: &[Vec<&str>], by_initials: bool) -> Option<usize> {
    debug_assert!(typed.len() <= QUERY_LIMIT);
    // Bit n of `reached`: the glyphs so far can say the first n letters.
    let mut reached: u128 = 1;
    for (i, (glyph, readings)) in glyphs.iter().zip(readings).enumerate() {
        let mut next: u128 = 0;
        for at in (0..typed.len()).filter(|at| reached & (1 << at) != 0) {
            let rest = &typed[at..];
            if rest[0] == glyph.folded {
                next |= 1 << (at + 1);
            }
            for spelling in readings.iter().flat_map(|reading| spellings(reading)) {
                let same = spelling.chars().zip(rest).take_while(|(a, b)| a == *b).count();
                let is_last = same == rest.len();
                if same == spelling.len() || (is_last && same > 0) {
                    next |= 1 << (at + same);
                }
                if by_initials && same > 0 {
                    next |= 1 << (at + 1);
                }
            }
        }
        if next & (1 << typed.len()) != 0 {
            return Some(i + 1);
        }
        if next == 0 {
            return None;
        }
        reached = next;
    }
    None
}

/// A reading as it may be typed.
fn spellings(reading: &str) -> impl Iterator<Item = &str> {
    let other = match reading {
        "lv" => Some("lyu"),
        "nv" => Some("nyu"),
        "lve" => Some("lue"),
        "nve" => Some("nue"),
        _ => None,
    };
    std::iter::once(reading).chain(other)
}
