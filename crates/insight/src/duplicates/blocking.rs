//! Which pairs are worth comparing: those that share a value, its sound, or two values, that few records have.

use super::table::{MISSING, Table};

/// A value, or two together, that more records than this have in common says nothing.
const MOST_ALIKE: usize = 60;
/// Pairs that are looked at for each record, and of all.
pub(super) const PAIRS_PER_RECORD: usize = 100;
pub(super) const MOST_PAIRS: usize = 5_000_000;

/// How many pairs there are at all.
pub(super) fn all_pairs(rows: usize, other_from: Option<usize>) -> f64 {
    match other_from {
        None => rows as f64 * (rows as f64 - 1.0) / 2.0,
        Some(from) => from as f64 * rows.saturating_sub(from) as f64,
    }
}

/// Pairs to compare.
pub(super) struct Candidates {
    /// Each once, the smaller place first, in order.
    pub pairs: Vec<(u32, u32)>,
    /// Whether there were more than are looked at.
    pub is_cut: bool,
}

/// The pairs to compare; those that share the most telling values are found first.
pub(super) fn candidates(table: &Table, other_from: Option<usize>) -> Candidates {
    let most = table.len().saturating_mul(PAIRS_PER_RECORD).min(MOST_PAIRS);
    let mut found: Vec<u64> = Vec::new();
    let mut distinct = 0;
    let mut shared: Vec<(u64, u32)> = Vec::with_capacity(table.len());
    let mut is_cut = false;
    for key in keys(table) {
        shared.clear();
        shared.extend((0..table.len()).filter_map(|row| Some((key.of(table, row)?, row as u32))));
        shared.sort_unstable();
        for group in
            shared.chunk_by(|a, b| a.0 == b.0).filter(|group| (2..=MOST_ALIKE).contains(&group.len()))
        {
            for (n, (_, a)) in group.iter().enumerate() {
                for (_, b) in &group[n + 1..] {
                    if other_from.is_none_or(|from| (*a as usize) < from && *b as usize >= from) {
                        found.push(u64::from(*a) << 32 | u64::from(*b));
                    }
                }
            }
            if found.len() > distinct + most {
                distinct = settle(&mut found);
                if distinct >= most {
                    break;
                }
            }
        }
        if distinct >= most {
            is_cut = true;
            break;
        }
    }
    is_cut |= settle(&mut found) > most;
    found.truncate(most);
    let pairs = found.into_iter().map(|pair| ((pair >> 32) as u32, pair as u32)).collect();
    Candidates { pairs, is_cut }
}

/// Each pair once; answers how many there are.
fn settle(found: &mut Vec<u64>) -> usize {
    found.sort_unstable();
    found.dedup();
    found.len()
}

/// What two records must share.
enum Key {
    /// The value of a column.
    One(usize),
    /// How it sounds.
    Sound(usize),
    /// The values of two.
    Two(usize, usize),
}

impl Key {
    fn of(&self, table: &Table, row: usize) -> Option<u64> {
        let value = |column: usize| Some(table.columns[column].cells[row]).filter(|value| *value != MISSING);
        match self {
            Key::One(column) => value(*column).map(u64::from),
            Key::Sound(column) => {
                let sound = table.values[value(*column)? as usize].sound;
                (sound != MISSING).then_some(u64::from(sound))
            }
            Key::Two(a, b) => Some(u64::from(value(*a)?) << 32 | u64::from(value(*b)?)),
        }
    }
}

/// The telling ones first.
fn keys(table: &Table) -> Vec<Key> {
    let values = |column: usize| table.columns[column].counts.len();
    let mut columns: Vec<usize> = (0..table.columns.len()).filter(|column| values(*column) > 1).collect();
    columns.sort_by_key(|column| std::cmp::Reverse(values(*column)));
    let mut keys: Vec<Key> = columns.iter().map(|column| Key::One(*column)).collect();
    keys.extend(
        columns.iter().filter(|column| table.columns[**column].has_sounds).map(|column| Key::Sound(*column)),
    );
    for (n, a) in columns.iter().enumerate() {
        keys.extend(columns[n + 1..].iter().map(|b| Key::Two(*a, *b)));
    }
    keys
}
