//! `kehu analyze`: analyses of plain files, without a company: CSV in (also packed with gzip), JSON and a page to read out.

mod duplicates;
mod input;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use super::{Failure, say};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// 找出可能重复的记录，每一对给出概率和理由
    Duplicates(duplicates::Arguments),
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Duplicates(arguments) => duplicates::run(arguments),
    }
}

/// Writes the answer as JSON to a file, or to the standard output without one.
fn write_json(answer: &impl Serialize, output: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = output else {
        let text = serde_json::to_string_pretty(answer).map_err(|e| Failure::Refused(e.to_string()))?;
        return say(&text);
    };
    let mut file = BufWriter::new(create(path)?);
    serde_json::to_writer_pretty(&mut file, answer).map_err(|e| unwritten(path, &e.into()))?;
    file.flush().map_err(|e| unwritten(path, &e))
}

/// Writes the page to read.
fn write_page(page: &impl askama::Template, path: &Path) -> Result<(), Failure> {
    let text = page.render().map_err(|e| Failure::Refused(e.to_string()))?;
    let mut file = create(path)?;
    file.write_all(text.as_bytes()).map_err(|e| unwritten(path, &e))
}

fn create(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|e| unwritten(path, &e))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Refused(format!("不能写入 {}：{error}", path.display()))
}
