//! The index side: tokens of a record's text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{
    Glyph, glyphs, has_digit, initial_tokens, joined_numbers, literal_tokens, runs, spelled, tag_token,
    tail_token, whole_number_token, whole_token,
};
use crate::readings;

/// Characters of text indexed per document; the rest is not searchable.
const TEXT_LIMIT: usize = 4_000;
/// Chinese characters of a piece that are also indexed by pinyin: names are shorter, and long texts are not typed.
const PINYIN_LIMIT: usize = 64;
/// Ways to read one piece that are indexed.
const VARIANT_LIMIT: usize = 6;
/// PostgreSQL keeps positions up to 16,383 and 255 per lexeme.
const POSITION_LIMIT: usize = 16_383;
const POSITIONS_PER_LEXEME: usize = 255;

/// The searchable text of one record. Phrases never match across pieces. Beyond 4,000 characters (over all pieces)
/// text is left out.
#[derive(Clone, Debug, Default)]
pub struct Document {
    tokens: Vec<String>,
    /// Characters taken so far.
    taken: usize,
}

impl Document {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name or number: found by substring, pinyin, initials, prefix and last digits.
    #[must_use]
    pub fn piece(self, text: &str) -> Self {
        self.add(text, true)
    }

    /// Adds longer text, an address or a note: found by substring, prefix and last digits, not by pinyin.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.add(text, false)
    }

    /// Marks the record with a name of the caller's own (`o17`), which nothing typed ever finds, only a plan that was
    /// narrowed to it ([`super::Plan::tagged`]). Of the name, ASCII letters and digits are kept.
    #[must_use]
    pub fn tag(mut self, name: &str) -> Self {
        // In front: what comes late in a long text is left out of a `tsvector`.
        self.tokens.insert(0, tag_token(name));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The tokens separated by spaces: the value for the FTS5 column.
    pub fn fts5(&self) -> String {
        self.tokens.join(" ")
    }

    /// The tokens as a `tsvector` literal with positions, at most 1 MB, to be bound as text and cast.
    pub fn tsvector(&self) -> String {
        let mut lexemes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (token, position) in self.tokens.iter().zip(1..=POSITION_LIMIT) {
            let positions = lexemes.entry(token).or_default();
            if positions.len() < POSITIONS_PER_LEXEME {
                positions.push(position);
            }
        }
        let mut literal = String::with_capacity(self.tokens.len() * 12);
        for (token, positions) in lexemes {
            // Tokens are letters, digits, `_` and `^`: nothing in them needs escaping. See `push_safe`.
            let _ = write!(literal, "{}'{token}'", if literal.is_empty() { "" } else { " " });
            for (i, position) in positions.iter().enumerate() {
                let _ = write!(literal, "{}{position}", if i == 0 { ':' } else { ',' });
            }
        }
        literal
    }

    fn add(mut self, text: &str, by_pinyin: bool) -> Self {
        let limit = TEXT_LIMIT.saturating_sub(self.taken);
        let glyphs = glyphs(text, limit);
        self.taken += text.chars().take(limit).count();
        if glyphs.is_empty() {
            return self;
        }

        if by_pinyin {
            self.whole(&glyphs, text);
        }
        let mut tokens = Vec::with_capacity(glyphs.len() + 2);
        runs(&glyphs).for_each(|run| literal_tokens(run, &mut tokens));
        self.section(&tokens);
        self.tails(&tokens);
        for number in joined_numbers(&glyphs, text) {
            if !tokens.contains(&number) {
                self.section(std::slice::from_ref(&number));
                self.tails(&[number]);
            }
        }
        if by_pinyin {
            self.pinyin(&glyphs);
        }
        self
    }

    /// The piece as one token, and as the one number that it is.
    fn whole(&mut self, glyphs: &[Glyph], text: &str) {
        let whole = whole_token(glyphs);
        let is_number = glyphs.iter().all(|glyph| glyph.folded.is_ascii_digit());
        let numbers = joined_numbers(glyphs, text);
        let number = numbers.first().filter(|_| is_number && numbers.len() == 1);
        let number = number.map(|number| whole_number_token(number)).filter(|n| whole.as_ref() != Some(n));
        self.tokens.extend(whole.into_iter().chain(number));
    }

    fn section(&mut self, tokens: &[String]) {
        if let Some(first) = tokens.first() {
            self.tokens.push(format!("^{first}"));
            self.tokens.extend_from_slice(tokens);
        }
    }

    fn tails(&mut self, tokens: &[String]) {
        let numbers = tokens.iter().filter(|token| token.len() >= 4 && token.is_ascii() && has_digit(token));
        self.tokens.extend(numbers.filter(|token| !token.starts_with('_')).map(|number| tail_token(number)));
    }

    fn pinyin(&mut self, glyphs: &[Glyph]) {
        let glyphs = &glyphs[..glyphs.len().min(PINYIN_LIMIT)];
        if !glyphs.iter().any(Glyph::is_han) {
            return;
        }
        let original: Vec<char> = glyphs.iter().map(|glyph| glyph.original).collect();
        let readings = readings::read(&original);
        let mut seen_initials = Vec::new();
        for variant in variants(&readings, VARIANT_LIMIT) {
            let mut syllables = Vec::with_capacity(glyphs.len());
            let mut initials = Vec::with_capacity(glyphs.len());
            let mut at = 0;
            for run in runs(glyphs) {
                let readings = &variant[at..at + run.len()];
                at += run.len();
                if run[0].is_han() {
                    syllables.extend(readings.iter().filter(|r| !r.is_empty()).map(|&r| r.to_owned()));
                    initials.extend(readings.iter().filter_map(|r| r.chars().next()));
                } else {
                    syllables.push(spelled(run));
                    initials.extend(run.iter().map(|glyph| glyph.folded).filter(char::is_ascii_alphanumeric));
                }
            }
            self.section(&syllables);
            if !seen_initials.contains(&initials) {
                let mut tokens = Vec::with_capacity(initials.len());
                initial_tokens(&initials, &mut tokens);
                self.section(&tokens);
                seen_initials.push(initials);
            }
        }
    }
}

/// Up to `limit` ways to read the whole: the likeliest, then every other reading of each character in turn, then pairs
/// of them.
fn variants(readings: &[Vec<&'static str>], limit: usize) -> Vec<Vec<&'static str>> {
    let likeliest: Vec<&'static str> =
        readings.iter().map(|r| r.first().copied().unwrap_or_default()).collect();
    let mut variants = vec![likeliest];
    for (at, others) in readings.iter().enumerate() {
        for &other in others.iter().skip(1) {
            // Extending every variant so far makes the combinations too, as long as there is room.
            for i in 0..variants.len() {
                if variants.len() == limit {
                    return variants;
                }
                let mut variant = variants[i].clone();
                if variant[at] == readings[at][0] {
                    variant[at] = other;
                    variants.push(variant);
                }
            }
        }
    }
    variants
}
