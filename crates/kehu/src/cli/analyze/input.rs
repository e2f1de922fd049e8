//! The files that are analysed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sheets::read::{self, Event, Limits};

use crate::cli::Failure;

/// A file of more bytes than this, unpacked, is not read.
const MOST_BYTES: u64 = 2 << 30;

/// A table as it stands in a file.
#[derive(Debug)]
pub(super) struct Input {
    /// The headings.
    pub columns: Vec<String>,
    /// The rows, each with as many values as there are headings.
    pub rows: Vec<Vec<String>>,
}

impl Input {
    /// The place of a column.
    pub fn column(&self, name: &str, option: &str) -> Result<usize, Failure> {
        let place = self.columns.iter().position(|column| column == name.trim());
        place.ok_or_else(|| {
            let known = self.columns.join("、");
            Failure::Usage(format!("{option}：没有“{}”这一列；文件里有 {known}", name.trim()))
        })
    }
}

/// Reads a CSV, or one packed with gzip; at most `most` rows.
///
/// # Errors
/// 2 when there is no such file; 1 with what is wrong in it, and the row.
pub(super) fn read(path: &Path, most: usize) -> Result<Input, Failure> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::Usage(format!("没有这个文件：{}", path.display())),
        _ => Failure::Usage(format!("不能读取 {}：{error}", path.display())),
    })?;
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut head = [0; 2];
    let is_packed = file.read(&mut head)? == 2 && head == [0x1f, 0x8b];
    file.seek(SeekFrom::Start(0))?;
    if is_packed {
        file = unpacked(file, path)?;
        name = name.trim_end_matches(".gz").to_owned();
    }
    let limits = Limits {
        max_file_bytes: MOST_BYTES,
        max_rows: most as u64,
        max_cells: u64::MAX,
        header_row: Some(1),
        ..Limits::default()
    };
    let mut input = Input { columns: Vec::new(), rows: Vec::new() };
    let mut broken = None;
    let read = read::read(&mut file, &name, &limits, &mut |event| {
        match event {
            Event::Header(header) => input.columns = header.columns,
            Event::Row(mut row) => {
                if let Some(problem) = row.problems.iter().find(|problem| problem.is_error()) {
                    broken = Some(format!("{} 第 {} 行：{}", path.display(), row.number, problem.zh));
                    return ControlFlow::Break(());
                }
                row.cells.resize(input.columns.len(), String::new());
                input.rows.push(row.cells);
            }
            Event::Warning(_) => {}
        }
        ControlFlow::Continue(())
    });
    if let Some(broken) = broken {
        return Err(Failure::Refused(broken));
    }
    read.map_err(|problem| Failure::Refused(format!("{}：{}", path.display(), problem.zh)))?;
    let twice = input.columns.iter().enumerate().find(|(n, name)| input.columns[..*n].contains(name));
    if let Some((_, name)) = twice.filter(|(_, name)| !name.is_empty()) {
        return Err(Failure::Refused(format!("{} 有两列都叫“{name}”，请改名后再分析", path.display())));
    }
    Ok(input)
}

fn unpacked(file: File, path: &Path) -> Result<File, Failure> {
    let mut plain = tempfile::tempfile()?;
    let mut packed = MultiGzDecoder::new(file).take(MOST_BYTES + 1);
    let bytes = std::io::copy(&mut packed, &mut plain)
        .map_err(|error| Failure::Refused(format!("{} 的压缩内容已损坏：{error}", path.display())))?;
    if bytes > MOST_BYTES {
        let most = MOST_BYTES >> 20;
        return Err(Failure::Refused(format!("{} 解压后超过 {most} MB，请拆分后再分析", path.display())));
    }
    plain.seek(SeekFrom::Start(0))?;
    Ok(plain)
}
