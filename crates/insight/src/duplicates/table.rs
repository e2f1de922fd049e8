//! Records as columns of folded values, each value known by a number.

use std::collections::HashMap;

use hanzi::{fold, readings};

/// More records than this are not taken.
pub const MOST_RECORDS: usize = 2_000_000;
/// More columns than this are not looked at.
pub const MOST_COLUMNS: usize = 64;
/// Characters of a value that are looked at.
const MOST_CHARACTERS: usize = 100;

/// Stands for a value that is missing.
pub(super) const MISSING: u32 = 0;

/// Records to compare. Values are folded (width, case, traditional characters), and signs and repeated spaces dropped.
#[derive(Debug)]
pub struct Table {
    pub(super) columns: Vec<Column>,
    /// Every value that occurs, by its number; the first is the missing one. Columns share the numbers.
    pub(super) values: Vec<Folded>,
    known: HashMap<String, u32>,
    rows: usize,
}

#[derive(Debug, Default)]
pub(super) struct Column {
    /// The value of each record.
    pub cells: Vec<u32>,
    /// How many records have each value, by its number.
    pub counts: HashMap<u32, u32>,
    /// How many have any.
    pub filled: usize,
    /// Whether it holds numbers: telephones, dates, codes.
    pub is_digits: bool,
    /// Whether values of it are written in Chinese.
    pub has_sounds: bool,
}

#[derive(Debug, Default)]
pub(super) struct Folded {
    pub letters: Vec<char>,
    /// The number of its pinyin; the missing one without Chinese characters.
    pub sound: u32,
    /// Which letters there are, each as one of 64.
    among: u64,
    is_digits: bool,
}

impl Folded {
    /// At most so many letters are common to both.
    pub fn common(&self, other: &Folded) -> usize {
        let count =
            |of: &[char], among: u64| of.iter().filter(|c| among >> (**c as u32 % 64) & 1 == 1).count();
        count(&self.letters, other.among).min(count(&other.letters, self.among))
    }
}

impl Table {
    /// An empty table of so many columns; those beyond [`MOST_COLUMNS`] are left out.
    pub fn new(columns: usize) -> Self {
        Self {
            columns: (0..columns.min(MOST_COLUMNS)).map(|_| Column::default()).collect(),
            values: vec![Folded::default()],
            known: HashMap::new(),
            rows: 0,
        }
    }

    /// Adds a record; values that are missing at its end are empty. Beyond [`MOST_RECORDS`] it answers `false`.
    pub fn push<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) -> bool {
        if self.rows >= MOST_RECORDS {
            return false;
        }
        let mut values = values.into_iter();
        for n in 0..self.columns.len() {
            let value = values.next().map_or(MISSING, |value| self.number(value));
            let column = &mut self.columns[n];
            column.cells.push(value);
            if value != MISSING {
                *column.counts.entry(value).or_default() += 1;
                column.filled += 1;
            }
        }
        self.rows += 1;
        true
    }

    /// Says what each column holds: to be called when all records are in.
    pub fn describe(&mut self) {
        for column in &mut self.columns {
            let digits: usize = column
                .counts
                .iter()
                .filter(|(value, _)| self.values[**value as usize].is_digits)
                .map(|(_, count)| *count as usize)
                .sum();
            column.is_digits = column.filled > 0 && digits * 10 >= column.filled * 9;
            column.has_sounds =
                column.counts.keys().any(|value| self.values[*value as usize].sound != MISSING);
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    fn number(&mut self, value: &str) -> u32 {
        let folded = folded(value);
        if folded.is_empty() {
            return MISSING;
        }
        if let Some(known) = self.known.get(&folded) {
            return *known;
        }
        let sound = if folded.chars().any(fold::is_han) { readings::full(&folded) } else { String::new() };
        // A character nobody reads has no sound.
        let sound = if sound.chars().any(fold::is_han) { MISSING } else { self.number(&sound) };
        let number = self.values.len() as u32;
        let letters: Vec<char> = folded.chars().collect();
        let is_digits = letters.iter().all(char::is_ascii_digit);
        let among = letters.iter().fold(0, |among, c| among | 1 << (*c as u32 % 64));
        self.values.push(Folded { letters, sound, among, is_digits });
        self.known.insert(folded, number);
        number
    }
}

/// Letters and digits, with single spaces between words.
fn folded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut is_apart = false;
    for c in value.chars().take(MOST_CHARACTERS).map(fold::character) {
        if c.is_alphanumeric() {
            if is_apart && !text.is_empty() {
                text.push(' ');
            }
            is_apart = false;
            text.push(c);
        } else if c.is_whitespace() {
            is_apart = true;
        }
    }
    text
}
