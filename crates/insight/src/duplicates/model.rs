//! How much each agreement says.

use super::Reason;
use super::compare::{Agreement, Compared, KINDS, Pattern, pattern};
use super::table::{MOST_COLUMNS, Table};

/// Pairs drawn to see how often values agree by chance.
const DRAWN: usize = 20_000;
/// Rounds of estimating, at most, and the change below which they end.
const ROUNDS: usize = 60;
const SETTLED: f64 = 1e-5;
/// What is expected of records that are the same before anything is known.
const EXPECTED: [f64; KINDS] = [0.0, 0.05, 0.03, 0.02, 0.04, 0.01, 0.85];
/// As many pairs are thought to have been seen of every agreement, so that nothing is impossible.
const PSEUDO: f64 = 0.5;

/// Between these lies how probable it is that two records are the same, before they are looked at.
const LEAST_PRIOR: f64 = 1e-12;
const MOST_PRIOR: f64 = 0.5;

type Shares = [[f64; KINDS]; MOST_COLUMNS];

/// How often records agree that are not the same: shares of the pairs of which something is said.
pub(super) fn by_chance(table: &Table, other_from: Option<usize>) -> Shares {
    let mut seen = [[0.0; KINDS]; MOST_COLUMNS];
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let rows = table.len();
    for _ in 0..DRAWN {
        let (a, b) = match other_from {
            None => (draw.below(rows), draw.below(rows)),
            Some(from) => (draw.below(from.max(1)), from + draw.below(rows.saturating_sub(from).max(1))),
        };
        if a == b || a >= rows || b >= rows {
            continue;
        }
        let agreed = pattern(table, a, b);
        for (n, shares) in seen.iter_mut().enumerate().take(table.columns.len()) {
            shares[agreed.0[n] as usize] += 1.0;
        }
    }
    let mut chance = [[0.0; KINDS]; MOST_COLUMNS];
    for (n, column) in table.columns.iter().enumerate() {
        chance[n] = shares(&seen[n]);
        // That they are the same is counted, not drawn.
        let filled = column.filled as f64;
        let same: f64 =
            column.counts.values().map(|count| f64::from(*count) * (f64::from(*count) - 1.0)).sum();
        if filled > 1.0 {
            chance[n][Agreement::Same as usize] = ((same + 1.0) / (filled * (filled - 1.0))).min(1.0);
        }
    }
    chance
}

/// What was seen as shares of the pairs of which something is said; nothing where nothing is.
fn shares(seen: &[f64; KINDS]) -> [f64; KINDS] {
    let said: f64 = seen[1..].iter().sum::<f64>() + PSEUDO * (KINDS - 1) as f64;
    let mut shares = seen.map(|seen| (seen + PSEUDO) / said);
    shares[Agreement::Missing as usize] = 0.0;
    shares
}

/// A fitted model.
pub(super) struct Model {
    /// How probable it is that two records are the same before they are looked at.
    prior: f64,
    same: Shares,
    chance: Shares,
    /// What each agreement of each column says, in bits.
    bits: Shares,
    columns: usize,
}

/// Estimates how often the same records agree, and how many pairs are.
pub(super) fn fit(table: &Table, compared: &Compared, chance: &Shares, total: f64) -> Model {
    let begin = (compared.of.len() as f64 / 10.0 / total).clamp(LEAST_PRIOR, MOST_PRIOR);
    let mut model = Model {
        prior: begin,
        same: [EXPECTED; MOST_COLUMNS],
        chance: *chance,
        bits: [[0.0; KINDS]; MOST_COLUMNS],
        columns: table.columns.len(),
    };
    model.weigh();
    for _ in 0..ROUNDS {
        let mut seen = [[0.0; KINDS]; MOST_COLUMNS];
        let mut matched = 0.0;
        for (pattern, count) in compared.patterns.iter().zip(&compared.counts) {
            let weight = model.posterior(pattern) * f64::from(*count);
            matched += weight;
            for (n, kind) in pattern.0.iter().enumerate().take(model.columns) {
                seen[n][*kind as usize] += weight;
            }
        }
        let prior = (matched / total).clamp(LEAST_PRIOR, MOST_PRIOR);
        let mut change = (prior / model.prior).ln().abs();
        for (seen, same) in seen.iter().zip(&mut model.same).take(model.columns) {
            let new = shares(seen);
            change = new.iter().zip(&*same).fold(change, |change, (new, old)| change.max((new - old).abs()));
            *same = new;
        }
        model.prior = prior;
        model.weigh();
        if change < SETTLED {
            break;
        }
    }
    model
}

impl Model {
    fn weigh(&mut self) {
        let columns = self.bits.iter_mut().zip(self.same.iter().zip(&self.chance)).take(self.columns);
        for (bits, (same, chance)) in columns {
            for (bits, (same, chance)) in bits.iter_mut().zip(same.iter().zip(chance)).skip(1) {
                *bits = (same / chance).log2();
            }
        }
    }

    fn odds(&self) -> f64 {
        (self.prior / (1.0 - self.prior)).log2()
    }

    fn posterior(&self, pattern: &Pattern) -> f64 {
        let kinds = pattern.0.iter().zip(&self.bits).take(self.columns);
        let bits: f64 = kinds.map(|(kind, bits)| bits[*kind as usize]).sum();
        probability(self.odds() + bits)
    }

    /// What a column says of two records; of a value that is the same, the rarer the more.
    fn said(&self, table: &Table, n: usize, a: usize, kind: Agreement) -> f64 {
        if kind != Agreement::Same {
            return self.bits[n][kind as usize];
        }
        let column = &table.columns[n];
        // Of the others, so many have this value too.
        let others = column.counts.get(&column.cells[a]).map_or(1, |count| count.saturating_sub(1).max(1));
        let filled = column.filled.saturating_sub(1).max(1);
        let chance = (f64::from(others) / filled as f64).max(self.chance[n][kind as usize] / 10.0);
        (self.same[n][kind as usize] / chance).log2()
    }

    /// How probable it is that two records are the same, 0 to 1; `a` is one of them.
    pub fn score(&self, table: &Table, a: usize, pattern: &Pattern) -> f64 {
        let kinds = pattern.0.iter().enumerate().take(self.columns);
        probability(self.odds() + kinds.map(|(n, kind)| self.said(table, n, a, *kind)).sum::<f64>())
    }

    /// What each column says, the strongest first.
    pub fn reasons(&self, table: &Table, a: usize, pattern: &Pattern) -> Vec<Reason> {
        let kinds = pattern.0.iter().enumerate().take(self.columns);
        let mut reasons: Vec<Reason> = kinds
            .filter(|(_, kind)| **kind != Agreement::Missing)
            .map(|(column, kind)| Reason {
                column,
                agreement: *kind,
                bits: self.said(table, column, a, *kind),
            })
            .collect();
        reasons.sort_by(|x, y| y.bits.abs().total_cmp(&x.bits.abs()));
        reasons
    }
}

fn probability(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp2())
}

/// A small generator, the same everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}
