//! How two records agree, column by column.

use std::collections::HashMap;

use rapidfuzz::distance::{jaro_winkler, osa};
use serde::Serialize;

use super::table::{Column, MISSING, MOST_COLUMNS, Table};

/// How two values of a column agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Agreement {
    /// One of them is missing: nothing is said.
    Missing,
    /// They are different.
    Different,
    /// They have something in common.
    Similar,
    /// One is found in another column of the other.
    Elsewhere,
    /// A slip of the pen apart.
    Close,
    /// They are written otherwise but sound the same in Chinese.
    Sound,
    /// They are the same.
    Same,
}

/// Pairs compared: the different ways in which they agree, and which of these each has.
pub(super) struct Compared {
    pub patterns: Vec<Pattern>,
    pub of: Vec<u32>,
    /// How many pairs agree in each way.
    pub counts: Vec<u32>,
}

pub(super) fn all(table: &Table, pairs: &[(u32, u32)]) -> Compared {
    let mut places: HashMap<Pattern, u32> = HashMap::new();
    let (mut patterns, mut counts) = (Vec::new(), Vec::new());
    let of = pairs
        .iter()
        .map(|(a, b)| {
            let found = pattern(table, *a as usize, *b as usize);
            let place = *places.entry(found).or_insert_with(|| {
                patterns.push(found);
                counts.push(0);
                patterns.len() as u32 - 1
            });
            counts[place as usize] += 1;
            place
        })
        .collect();
    Compared { patterns, of, counts }
}

/// How two texts agree as names do, whatever column they come from, and how much, 0 to 1: 1 for the same and for the same
/// sound in Chinese, else the similarity of Jaro and Winkler, and 0 below that of [`Agreement::Similar`].
pub fn alike(a: &str, b: &str) -> (Agreement, f64) {
    let mut table = Table::new(1);
    table.push([a]);
    table.push([b]);
    let [a, b] = [0, 1].map(|row| table.columns[0].cells[row]);
    let agreement = agreement(&table, &table.columns[0], a, b);
    let likeness = match agreement {
        Agreement::Missing | Agreement::Different => 0.0,
        Agreement::Same | Agreement::Sound => 1.0,
        _ => {
            let [a, b] = [a, b].map(|value| &table.values[value as usize].letters);
            jaro_winkler::similarity(a.iter(), b.iter())
        }
    };
    (agreement, likeness)
}

/// How many kinds of agreement there are.
pub(super) const KINDS: usize = 7;

/// The agreement of every column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern(pub [Agreement; MOST_COLUMNS]);

/// From this similarity on names are a slip apart, and have something in common (Jaro and Winkler, 0 to 1).
const CLOSE: f64 = 0.92;
const SIMILAR: f64 = 0.80;

pub(super) fn pattern(table: &Table, a: usize, b: usize) -> Pattern {
    let mut pattern = Pattern([Agreement::Missing; MOST_COLUMNS]);
    for (n, column) in table.columns.iter().enumerate() {
        pattern.0[n] = agreement(table, column, column.cells[a], column.cells[b]);
    }
    // A given name where the surname belongs, a street in the second line: of columns that disagree.
    for n in 0..table.columns.len() {
        if matches!(pattern.0[n], Agreement::Different | Agreement::Similar) && !table.columns[n].is_digits {
            let is_there = |value: u32, row: usize| {
                table
                    .columns
                    .iter()
                    .enumerate()
                    .any(|(m, column)| m != n && !column.is_digits && column.cells[row] == value)
            };
            if is_there(table.columns[n].cells[a], b) || is_there(table.columns[n].cells[b], a) {
                pattern.0[n] = Agreement::Elsewhere;
            }
        }
    }
    pattern
}

pub(super) fn agreement(table: &Table, column: &Column, a: u32, b: u32) -> Agreement {
    if a == MISSING || b == MISSING {
        return Agreement::Missing;
    }
    if a == b {
        return Agreement::Same;
    }
    let (a, b) = (&table.values[a as usize], &table.values[b as usize]);
    if a.sound != MISSING && a.sound == b.sound {
        return Agreement::Sound;
    }
    let common = a.common(b);
    let (a, b) = (&a.letters, &b.letters);
    if column.is_digits {
        if a.len().max(b.len()) > common + 2 {
            return Agreement::Different;
        }
        return match osa::distance_with_args(a.iter(), b.iter(), &osa::Args::default().score_cutoff(2)) {
            Some(1) => Agreement::Close,
            Some(2) if a.len().min(b.len()) > 5 => Agreement::Similar,
            _ => Agreement::Different,
        };
    }
    // Jaro's similarity is at most this; each of up to four first letters in common takes a tenth of what is missing.
    let most = (common as f64 / a.len() as f64 + common as f64 / b.len() as f64 + 1.0) / 3.0;
    let first = a.iter().zip(b).take(4).take_while(|(a, b)| a == b).count();
    if most + 0.1 * first as f64 * (1.0 - most) < SIMILAR {
        return Agreement::Different;
    }
    let args = jaro_winkler::Args::default().score_cutoff(SIMILAR);
    match jaro_winkler::similarity_with_args(a.iter(), b.iter(), &args) {
        Some(similarity) if similarity >= CLOSE => Agreement::Close,
        Some(_) => Agreement::Similar,
        None => Agreement::Different,
    }
}
