//! Tables in and out of files: CSV, XLSX and vCard in, CSV and XLSX out, and a sandboxed child process to read in.
//! Knows rows, columns and cells; what they mean is left to the caller.

pub mod problem;
pub mod read;
pub mod text;
pub mod worker;
pub mod write;

pub use problem::{Problem, Severity};
pub use read::{Event, Format, Header, Limits, Row, Summary, read};
