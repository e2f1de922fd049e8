//! Paper: forms (单据) with their copies, and reports with long tables, as PDF. Plain data in, bytes out; what the data
//! mean, who may print them and how often they were printed is left to the caller.
//!
//! ```no_run
//! use print::{Fonts, Imprint, Printer, Slip};
//!
//! let printer = Printer::new(Fonts::default());
//! let at = "2026-09-28T16:20:00+08:00[Asia/Shanghai]".parse().unwrap();
//! let slip = Slip::new("维修单", Imprint { by: "张三".into(), at, count: 1 });
//! let printed = printer.slip(&slip)?;
//! assert!(printed.bytes.starts_with(b"%PDF"));
//! # Ok::<(), print::PrintError>(())
//! ```
//!
//! - **Text is data.** It reaches the templates as JSON and is never read as markup: `#panic("x")` prints as it stands.
//!   Control characters and marks of direction are taken out.
//! - **Nothing comes from outside.** Templates are part of the program; they read no file, no package, no network and
//!   no clock. Only fonts are read from the machine, when the first page is printed.
//! - **The same input makes the same bytes**, with the same fonts.
//! - **Everything is bounded** by [`limits`]; what is beyond them is refused, never cut off.

mod draw;
mod error;
mod fonts;
pub mod limits;
mod parts;
mod picture;
mod printer;
mod report;
mod slip;
mod text;
mod world;

#[cfg(test)]
mod tests;

pub use error::PrintError;
pub use fonts::Fonts;
pub use parts::{Align, Code, Column, GrandTotal, Imprint, Picture, PictureFormat, Signature, Table};
pub use printer::{Printed, Printer};
pub use report::{Orientation, Report, SummaryLine};
pub use slip::{
    Approval, Block, CheckItem, CheckState, Checklist, Field, Fields, Layout, Slip, SlipCopy, Trail, Value,
};
