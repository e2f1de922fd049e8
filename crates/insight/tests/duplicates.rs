//! Records that may be the same: what is found, what is not, and how well on public data.
#![allow(clippy::unwrap_used, reason = "a test that meets a surprise must stop")]

use std::collections::{HashMap, HashSet};
use std::path::Path;

use insight::duplicates::{Agreement, FEWEST_RECORDS, Found, Options, Table, alike, find};
use proptest::prelude::*;

fn table(rows: &[Vec<String>]) -> Table {
    let mut table = Table::new(rows.first().map_or(0, Vec::len));
    for row in rows {
        assert!(table.push(row.iter().map(String::as_str)));
    }
    table.describe();
    table
}

/// People of whom nobody is another, with name, telephone and street.
fn people(count: usize) -> Vec<Vec<String>> {
    const SURNAMES: [&str; 10] = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周"];
    const GIVEN: [&str; 12] = ["伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳"];
    (0..count)
        .map(|n| {
            let name = format!("{}{}{}", SURNAMES[n % 10], GIVEN[n / 10 % 12], GIVEN[n * 7 % 12]);
            let street = format!("{}路{}号", GIVEN[n * 5 % 12], n * 37 % 900);
            vec![name, format!("138{:08}", n * 7_919_317 % 100_000_000), street]
        })
        .collect()
}

fn pairs(found: &Found) -> Vec<(usize, usize)> {
    found.pairs.iter().map(|pair| (pair.a, pair.b)).collect()
}

#[test]
fn copies_with_slips_are_found_with_their_reasons() {
    let mut rows = people(120);
    for n in 0..20 {
        let mut copy = rows[n].clone();
        match n % 4 {
            // A digit is mistyped; another character sounds the same; the street is left out; nothing is different.
            0 => {
                let other = if copy[1].ends_with('0') { "1" } else { "0" };
                copy[1].replace_range(10..11, other);
            }
            1 => copy[0] = copy[0].replace('伟', "维").replace('芳', "方"),
            2 => copy[2].clear(),
            _ => {}
        }
        rows.push(copy);
    }
    let found = find(&table(&rows), &Options::default());
    let mut wanted: Vec<(usize, usize)> = (0..20).map(|n| (n, 120 + n)).collect();
    let mut got = pairs(&found);
    wanted.sort_unstable();
    got.sort_unstable();
    assert_eq!(got, wanted);
    for pair in &found.pairs {
        assert!(pair.score >= 0.5 && pair.score <= 1.0);
        assert!(pair.why.iter().any(|reason| reason.bits > 0.0 && reason.agreement != Agreement::Different));
    }
    let of = |n: usize| found.pairs.iter().find(|pair| pair.a == n).unwrap();
    let says = |n: usize, column: usize| of(n).why.iter().find(|r| r.column == column).map(|r| r.agreement);
    assert_eq!(says(0, 1), Some(Agreement::Close), "one digit");
    assert_eq!(says(1, 0), Some(Agreement::Sound), "the same sound");
    assert_eq!(says(2, 2), None, "nothing is said of what is missing");
    assert_eq!(says(3, 0), Some(Agreement::Same));
}

#[test]
fn names_in_each_others_columns_are_told() {
    let mut rows: Vec<Vec<String>> = people(80)
        .into_iter()
        .map(|row| vec![format!("given{}", row[1]), format!("family{}", row[2]), row[1].clone()])
        .collect();
    rows.push(vec![rows[5][1].clone(), rows[5][0].clone(), rows[5][2].clone()]);
    let found = find(&table(&rows), &Options::default());
    assert_eq!(pairs(&found), [(5, 80)]);
    assert!(found.pairs[0].why.iter().filter(|r| r.agreement == Agreement::Elsewhere).count() == 2);
}

#[test]
fn two_names_are_alike_by_letters_or_by_sound() {
    for (a, b, agreement) in [
        ("天江科技", "天江科技", Agreement::Same),
        ("天江科技", "天姜科技", Agreement::Sound),
        ("广州天江科技", "广州天江科持", Agreement::Close),
        ("天江科技", "天虹科技", Agreement::Similar),
        ("天江科技", "宏达物流", Agreement::Different),
        ("天江科技", "", Agreement::Missing),
        ("Tianjiang", "TIANJIANG ", Agreement::Same),
    ] {
        let (found, likeness) = alike(a, b);
        assert_eq!((found, alike(b, a)), (agreement, (found, likeness)), "{a} {b}");
        assert_eq!(likeness > 0.0, agreement > Agreement::Different, "{a} {b} {likeness}");
    }
}

#[test]
fn too_few_records_say_nothing_and_it_is_said() {
    let rows = vec![people(1)[0].clone(); FEWEST_RECORDS - 1];
    let found = find(&table(&rows), &Options::default());
    assert!(found.is_too_little && found.pairs.is_empty());
    assert!(find(&Table::new(0), &Options::default()).is_too_little);
    // Nothing in any column is nothing to go by.
    let empty = vec![vec![String::new(), " ".into()]; 50];
    let found = find(&table(&empty), &Options::default());
    assert!(!found.is_too_little && found.pairs.is_empty());
}

#[test]
fn two_files_are_only_compared_with_each_other() {
    let mut rows = people(60);
    rows.push(rows[3].clone());
    rows.extend(people(50));
    let found = find(&table(&rows), &Options { other_from: Some(61), ..Options::default() });
    assert!(found.pairs.iter().all(|pair| pair.a < 61 && pair.b >= 61), "{:?}", pairs(&found));
    let got: HashSet<(usize, usize)> = pairs(&found).into_iter().collect();
    assert!((0..50).all(|n| got.contains(&(n, 61 + n))));
    assert!(got.contains(&(60, 64)), "the copy in the first file is also the one in the second");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the values are: nothing breaks, scores are probabilities, pairs are of two and found once, and which are
    /// looked at does not depend on the order of the records. (Scores do a little: chance is drawn by place.)
    #[test]
    fn any_table_is_answered_and_its_order_does_not_choose_the_pairs(
        rows in proptest::collection::vec(proptest::collection::vec("[ab张李1-3 ·]{0,4}|\\PC{0,6}", 3), 0..60),
    ) {
        let found = find(&table(&rows), &Options { threshold: 0.0, other_from: None });
        let mut seen = HashSet::new();
        for pair in &found.pairs {
            prop_assert!(pair.a < pair.b && pair.b < rows.len());
            prop_assert!((0.0..=1.0).contains(&pair.score));
            prop_assert!(pair.why.iter().all(|reason| reason.bits.is_finite()));
            prop_assert!(seen.insert((pair.a, pair.b)));
        }
        let mirrored: Vec<Vec<String>> = rows.iter().rev().cloned().collect();
        let again = find(&table(&mirrored), &Options { threshold: 0.0, other_from: None });
        let last = rows.len().saturating_sub(1);
        let again: HashSet<(usize, usize)> = again.pairs.iter().map(|p| (last - p.b, last - p.a)).collect();
        prop_assert_eq!(seen, again);
    }
}

/// Precision, recall and F1 on a file of FEBRL, the truth being in the ids.
fn quality(name: &str, dropped: &[&str]) -> Option<[f64; 3]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/febrl").join(name);
    if !path.is_file() {
        println!("skipped: no data at {}", path.display());
        return None;
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).unwrap();
    let head = reader.headers().unwrap().clone();
    let kept: Vec<usize> = (1..head.len()).filter(|n| !dropped.contains(&&head[*n])).collect();
    let mut table = Table::new(kept.len());
    let mut copies: HashMap<String, Vec<usize>> = HashMap::new();
    for (n, record) in reader.records().enumerate() {
        let record = record.unwrap();
        assert!(table.push(kept.iter().map(|column| &record[*column])));
        copies.entry(record[0].split('-').nth(1).unwrap().to_owned()).or_default().push(n);
    }
    table.describe();
    let truth: HashSet<(usize, usize)> = copies
        .values()
        .flat_map(|all| all.iter().enumerate().flat_map(|(n, a)| all[n + 1..].iter().map(|b| (*a, *b))))
        .collect();
    let found = find(&table, &Options::default());
    let right = found.pairs.iter().filter(|pair| truth.contains(&(pair.a, pair.b))).count() as f64;
    let (precision, recall) = (right / found.pairs.len() as f64, right / truth.len() as f64);
    Some([precision, recall, 2.0 * precision * recall / (precision + recall)])
}

#[test]
fn the_public_records_are_matched_as_well_as_the_best_of_the_peers() {
    let without = ["date_of_birth", "soc_sec_id"];
    for (name, dropped, least) in [
        ("dataset1.csv", &[][..], 0.998),
        ("dataset2.csv", &[][..], 0.998),
        ("dataset1.csv", &without[..], 0.994),
        ("dataset2.csv", &without[..], 0.981),
    ] {
        let Some([precision, recall, f1]) = quality(name, dropped) else { return };
        println!("{name} {dropped:?}: precision {precision:.4}, recall {recall:.4}, F1 {f1:.4}");
        assert!(f1 >= least && precision >= 0.99, "{name} {dropped:?}: {precision} {recall} {f1}");
    }
}
