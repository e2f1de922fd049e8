//! What was wrong with a file, a row or a cell: a code for programs, a Chinese and an English sentence for people.

use std::borrow::Cow;
use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// Whether a row can be used in spite of the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The value was repaired or may differ from what was meant; the row can be used.
    Warning,
    /// The row (or, from [`crate::read()`], the file) cannot be used as it is.
    Error,
}

/// One thing wrong with a file, a row or a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable, such as `cell.too_long`: the part before the dot says what it is about (`file`, `zip`, `xlsx`, `csv`,
    /// `vcard`, `table`, `row`, `cell`, `worker`).
    pub code: Cow<'static, str>,
    pub severity: Severity,
    /// Physical line (CSV, vCard) or sheet row (XLSX), from 1.
    pub row: Option<u64>,
    /// Index into the row's cells, from 0.
    pub column: Option<u32>,
    /// What happened and what to do, in Chinese.
    pub zh: String,
    pub en: String,
}

impl Problem {
    pub fn error(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            severity: Severity::Error,
            row: None,
            column: None,
            zh: zh.into(),
            en: en.into(),
        }
    }

    pub fn warning(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, zh, en) }
    }

    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    #[must_use]
    pub fn at_column(mut self, column: usize) -> Self {
        self.column = u32::try_from(column).ok();
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// A file that could not be read from the disk; the system's words stay out of the Chinese sentence.
    pub(crate) fn io(error: &io::Error) -> Self {
        Self::error("file.io", "读取文件失败，请重新上传", format!("reading the file failed: {error}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.en)?;
        match self.row {
            Some(row) => write!(f, " (row {row})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::io(&error)
    }
}
