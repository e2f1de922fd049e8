//! `kehu analyze duplicates`.

use std::collections::HashMap;
use std::path::PathBuf;

use askama::Template;
use clap::Args;
use insight::duplicates::{Agreement, Found, MOST_COLUMNS, MOST_RECORDS, Options, Table, find};
use regex::Regex;
use serde::Serialize;

use super::input::{Input, read};
use super::{write_json, write_page};
use crate::cli::{Failure, say};

/// Pairs less probable than this are not asked for: they are not few.
const LEAST: f64 = 0.01;
/// Pairs that the page shows.
const SHOWN: usize = 500;

#[derive(Args)]
pub(crate) struct Arguments {
    /// CSV 文件（可以是 .gz）
    file: PathBuf,
    /// 记录编号所在的列；它不参加比较
    #[arg(long)]
    id: String,
    /// 另一个文件：只找两个文件之间的重复
    #[arg(long)]
    other: Option<PathBuf>,
    /// 不参加比较的列，可写多个，用逗号分开
    #[arg(long, value_delimiter = ',')]
    drop: Vec<String>,
    /// 从编号里取出真实身份的正则表达式（取第一个括号），用来计算查准率和查全率；不参与查找
    #[arg(long)]
    truth_from_id: Option<String>,
    /// 概率不低于它的才列出，0.01 到 1
    #[arg(long, default_value_t = 0.5)]
    threshold: f64,
    /// 结果写到这个 JSON 文件；不写则打印
    #[arg(long)]
    output: Option<PathBuf>,
    /// 给人看的网页报告写到这个文件
    #[arg(long)]
    report: Option<PathBuf>,
}

/// What the JSON says.
#[derive(Serialize)]
struct Answer {
    records: usize,
    columns: Vec<String>,
    compared: usize,
    /// Whether some pairs were not compared, because there were too many.
    is_cut: bool,
    /// Whether there are too few records to say anything.
    is_too_little: bool,
    threshold: f64,
    pairs: Vec<PairSaid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
}

#[derive(Serialize)]
struct PairSaid {
    a: String,
    b: String,
    score: f64,
    why: Vec<ReasonSaid>,
}

#[derive(Serialize)]
struct ReasonSaid {
    column: String,
    agreement: Agreement,
    /// Bits for the same record, negative against it.
    bits: f64,
}

/// How good the pairs are, each pair of records of one identity being right.
#[derive(Clone, Copy, Debug, Serialize)]
struct Quality {
    precision: f64,
    recall: f64,
    f1: f64,
    true_pairs: u64,
    right: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !(LEAST..=1.0).contains(&arguments.threshold) {
        return Err(Failure::Usage(format!("--threshold 要写 {LEAST} 到 1 之间的数")));
    }
    let truth = arguments.truth_from_id.as_deref().map(Regex::new).transpose();
    let truth = truth.map_err(|error| Failure::Usage(format!("--truth-from-id 不是正则表达式：{error}")))?;
    let records = Records::read(arguments)?;
    let options = Options { threshold: arguments.threshold, other_from: records.other_from };
    let found = find(&records.table, &options);
    let quality = truth.map(|truth| records.quality(&found, &truth)).transpose()?;
    let answer = records.said(&found, arguments.threshold, quality);
    write_json(&answer, arguments.output.as_deref())?;
    if let Some(path) = &arguments.report {
        write_page(&records.page(&answer, &found), path)?;
    }
    if arguments.output.is_some() {
        say(&told(&answer))?;
    }
    Ok(())
}

/// What is told beside a written file.
fn told(answer: &Answer) -> String {
    if answer.is_too_little {
        return format!("只有 {} 条记录，太少，不能判断", answer.records);
    }
    let mut text = format!(
        "{} 条记录，比较了 {} 对，找到 {} 对可能重复的",
        answer.records,
        answer.compared,
        answer.pairs.len()
    );
    if answer.is_cut {
        text.push_str("；有相同内容的记录太多，没有全部比较，可能有遗漏");
    }
    if let Some(Quality { precision, recall, f1, .. }) = answer.quality {
        text.push_str(&format!("；查准率 {precision:.4}，查全率 {recall:.4}，F1 {f1:.4}"));
    }
    text
}

/// What is compared.
struct Records {
    ids: Vec<String>,
    /// The columns compared.
    columns: Vec<String>,
    /// The values of each record in these.
    rows: Vec<Vec<String>>,
    table: Table,
    other_from: Option<usize>,
}

impl Records {
    fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let first = read(&arguments.file, MOST_RECORDS)?;
        let id = first.column(&arguments.id, "--id")?;
        let mut kept: Vec<usize> = (0..first.columns.len()).filter(|n| *n != id).collect();
        for name in &arguments.drop {
            let dropped = first.column(name, "--drop")?;
            kept.retain(|n| *n != dropped);
        }
        let other = match &arguments.other {
            None => None,
            Some(path) => {
                let left = MOST_RECORDS.saturating_sub(first.rows.len());
                let other = read(path, left)?;
                // What only one of them has cannot be compared.
                kept.retain(|n| other.columns.contains(&first.columns[*n]));
                Some(other)
            }
        };
        if kept.is_empty() {
            return Err(Failure::Usage("没有可以比较的列".into()));
        }
        if kept.len() > MOST_COLUMNS {
            return Err(Failure::Usage(format!(
                "最多比较 {MOST_COLUMNS} 列，这里有 {} 列；请用 --drop 去掉一些",
                kept.len()
            )));
        }
        let columns: Vec<String> = kept.iter().map(|n| first.columns[*n].clone()).collect();
        let other_from = other.as_ref().map(|_| first.rows.len());
        let mut records =
            Self { ids: Vec::new(), table: Table::new(columns.len()), columns, rows: Vec::new(), other_from };
        records.add(first, &arguments.id)?;
        if let Some(other) = other {
            records.add(other, &arguments.id)?;
        }
        records.table.describe();
        Ok(records)
    }

    fn add(&mut self, input: Input, id: &str) -> Result<(), Failure> {
        let id = input.column(id, "--id")?;
        let places: Vec<usize> =
            self.columns.iter().map(|name| input.column(name, "--other")).collect::<Result<_, _>>()?;
        for (n, mut row) in input.rows.into_iter().enumerate() {
            let name = std::mem::take(&mut row[id]);
            if name.is_empty() {
                return Err(Failure::Refused(format!("第 {} 条记录没有编号（--id）", n + 1)));
            }
            let row: Vec<String> = places.iter().map(|place| std::mem::take(&mut row[*place])).collect();
            self.table.push(row.iter().map(String::as_str));
            self.ids.push(name);
            self.rows.push(row);
        }
        Ok(())
    }

    /// How good what was found is, by what the ids tell.
    fn quality(&self, found: &Found, truth: &Regex) -> Result<Quality, Failure> {
        let identity = |id: &str| -> Option<String> {
            let found = truth.captures(id)?;
            Some(found.get(1).or_else(|| found.get(0))?.as_str().to_owned())
        };
        let identities: Vec<Option<String>> = self.ids.iter().map(|id| identity(id)).collect();
        if identities.iter().all(Option::is_none) {
            return Err(Failure::Usage(format!("--truth-from-id：没有一个编号符合 {truth}")));
        }
        // How many records each identity has in the one file and in the other.
        let mut counts: HashMap<&str, [u64; 2]> = HashMap::new();
        for (n, identity) in identities.iter().enumerate() {
            if let Some(identity) = identity {
                counts.entry(identity).or_default()
                    [usize::from(self.other_from.is_some_and(|from| n >= from))] += 1;
            }
        }
        let pairs_of = |[here, there]: &[u64; 2]| match self.other_from {
            Some(_) => here * there,
            None => here * here.saturating_sub(1) / 2,
        };
        let true_pairs: u64 = counts.values().map(pairs_of).sum();
        let is_right = |a: usize, b: usize| identities[a].is_some() && identities[a] == identities[b];
        let right = found.pairs.iter().filter(|pair| is_right(pair.a, pair.b)).count() as u64;
        let share = |of: u64| if of == 0 { 0.0 } else { right as f64 / of as f64 };
        let (precision, recall) = (share(found.pairs.len() as u64), share(true_pairs));
        let f1 = if right == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
        Ok(Quality { precision, recall, f1, true_pairs, right })
    }

    fn said(&self, found: &Found, threshold: f64, quality: Option<Quality>) -> Answer {
        let reason = |column: usize, agreement: Agreement, bits: f64| ReasonSaid {
            column: self.columns[column].clone(),
            agreement,
            bits: (bits * 100.0).round() / 100.0,
        };
        let pairs = found.pairs.iter().map(|pair| PairSaid {
            a: self.ids[pair.a].clone(),
            b: self.ids[pair.b].clone(),
            score: pair.score,
            why: pair.why.iter().map(|r| reason(r.column, r.agreement, r.bits)).collect(),
        });
        Answer {
            records: self.ids.len(),
            columns: self.columns.clone(),
            compared: found.compared,
            is_cut: found.is_cut,
            is_too_little: found.is_too_little,
            threshold,
            pairs: pairs.collect(),
            quality,
        }
    }

    fn page(&self, answer: &Answer, found: &Found) -> Page {
        let shown = found.pairs.iter().take(SHOWN).map(|pair| {
            let said: HashMap<usize, Agreement> = pair.why.iter().map(|r| (r.column, r.agreement)).collect();
            let cells = (0..self.columns.len()).map(|n| Cell {
                a: self.rows[pair.a][n].clone(),
                b: self.rows[pair.b][n].clone(),
                agreement: said.get(&n).copied().unwrap_or(Agreement::Missing),
            });
            Shown {
                a: self.ids[pair.a].clone(),
                b: self.ids[pair.b].clone(),
                percent: format!("{:.1}%", pair.score * 100.0),
                cells: cells.collect(),
            }
        });
        let mut bands = [0_usize; 10];
        for pair in &found.pairs {
            bands[((pair.score * 10.0) as usize).min(9)] += 1;
        }
        let most = bands.iter().copied().max().unwrap_or(0).max(1);
        let band = |(n, count): (usize, &usize)| Band {
            title: format!("{}–{}%", n * 10, n * 10 + 10),
            count: *count,
            width: *count * 100 / most,
        };
        Page {
            told: told(answer),
            columns: self.columns.clone(),
            bands: bands.iter().enumerate().map(band).filter(|band| band.count > 0).collect(),
            left_out: found.pairs.len().saturating_sub(SHOWN),
            pairs: shown.collect(),
        }
    }
}

/// The page to read.
#[derive(Template)]
#[template(path = "analyze/duplicates.html")]
struct Page {
    told: String,
    columns: Vec<String>,
    bands: Vec<Band>,
    pairs: Vec<Shown>,
    left_out: usize,
}

/// How many pairs are about so probable.
struct Band {
    title: String,
    count: usize,
    /// Per cent of the largest.
    width: usize,
}

struct Shown {
    a: String,
    b: String,
    percent: String,
    cells: Vec<Cell>,
}

struct Cell {
    a: String,
    b: String,
    agreement: Agreement,
}

impl Cell {
    fn class(&self) -> &'static str {
        match self.agreement {
            Agreement::Same => "same",
            Agreement::Close | Agreement::Sound | Agreement::Elsewhere | Agreement::Similar => "near",
            Agreement::Different => "different",
            Agreement::Missing => "missing",
        }
    }

    fn words(&self) -> &'static str {
        match self.agreement {
            Agreement::Same => "相同",
            Agreement::Close => "只差一点",
            Agreement::Sound => "读音相同",
            Agreement::Elsewhere => "写在别的列",
            Agreement::Similar => "相似",
            Agreement::Different => "不同",
            Agreement::Missing => "有一方没填",
        }
    }
}
