//! Records that may be the same, without examples of what is: the model of Fellegi and Sunter ("A Theory for Record
//! Linkage", JASA 64, 1969) with its parameters found by expectation and maximisation (Winkler, 1988).
//!
//! 1. Every value is folded and every column described (`table`).
//! 2. Pairs that share a value that is not everybody's are candidates (`blocking`); the others are not looked at.
//! 3. Each candidate is compared column by column: the same, close, similar, in another column, different; a value that is
//!    missing says nothing (`compare`).
//! 4. How often two records that are *not* the same agree is counted over all pairs; how often two that *are* do, and how
//!    many are, is found by iterating (`model`). A rare value that is the same says more than a common one.
//!
//! Limits: [`MOST_RECORDS`] records, [`MOST_COLUMNS`] columns; the time grows with records times columns squared (sharing
//! two values) plus pairs, of which at most 100 a record and 5 million in all are looked at: [`Found::is_cut`] tells
//! when there were more. Fewer than [`FEWEST_RECORDS`] records say too little: then nothing is found, and
//! [`Found::is_too_little`] tells so.

mod blocking;
mod compare;
mod model;
mod table;

use serde::Serialize;

pub use compare::{Agreement, alike};
pub use table::{MOST_COLUMNS, MOST_RECORDS, Table};

/// Fewer records than this say too little about how often values agree by chance.
pub const FEWEST_RECORDS: usize = 10;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Pairs at least as probable as this are answered, 0 to 1.
    pub threshold: f64,
    /// Records from this place on are of another file: only pairs across the two are looked for.
    pub other_from: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: 0.5, other_from: None }
    }
}

/// Two records that may be the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Place of one, the smaller.
    pub a: usize,
    /// Place of the other.
    pub b: usize,
    /// How probable it is that they are the same, 0 to 1.
    pub score: f64,
    /// What speaks for it and against it, the strongest first.
    pub why: Vec<Reason>,
}

/// What one column says of a pair.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// The column's place.
    pub column: usize,
    /// How its values agree.
    pub agreement: Agreement,
    /// How much that says: bits, positive for the same record.
    pub bits: f64,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// The pairs, the most probable first, then by place.
    pub pairs: Vec<Pair>,
    /// How many pairs were compared.
    pub compared: usize,
    /// Whether more pairs than are looked at share something: some of the same may be missing.
    pub is_cut: bool,
    /// Whether there are too few records to say anything.
    pub is_too_little: bool,
}

/// Finds the records that may be the same.
pub fn find(table: &Table, options: &Options) -> Found {
    if table.len() < FEWEST_RECORDS {
        return Found { is_too_little: true, ..Found::default() };
    }
    let candidates = blocking::candidates(table, options.other_from);
    let compared = compare::all(table, &candidates.pairs);
    let chance = model::by_chance(table, options.other_from);
    let total = blocking::all_pairs(table.len(), options.other_from);
    let model = model::fit(table, &compared, &chance, total);
    let pairs = candidates.pairs.iter().zip(&compared.of).filter_map(|((a, b), of)| {
        let (a, b, pattern) = (*a as usize, *b as usize, &compared.patterns[*of as usize]);
        let score = model.score(table, a, pattern);
        (score >= options.threshold).then(|| Pair { a, b, score, why: model.reasons(table, a, pattern) })
    });
    let mut pairs: Vec<Pair> = pairs.collect();
    pairs.sort_by(|x, y| y.score.total_cmp(&x.score).then((x.a, x.b).cmp(&(y.a, y.b))));
    Found { pairs, compared: candidates.pairs.len(), is_cut: candidates.is_cut, is_too_little: false }
}
