//! `make bench`: what kehu costs, beside the raw engine and a minimal server doing the same work in the same run.
//!
//! The figures go to the standard output as Markdown tables, and with `--write` into docs/performance.md.
#![allow(
    clippy::unwrap_used,
    reason = "a measurement that meets a surprise must stop, not go on with wrong figures"
)]

mod bare;
mod client;
mod company;
mod data;
mod loads;
mod machine;
mod minimal;
mod pages;
mod process;
mod raw;
mod report;
mod run;
mod scopes;
mod year;

use std::path::PathBuf;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures kehu beside the raw engine and a minimal server.
#[derive(Parser)]
pub struct Arguments {
    /// Also a company of a million customers (takes a quarter of an hour).
    #[arg(long)]
    large: bool,
    /// Company sizes instead of 10000 and 100000.
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<usize>,
    /// Seconds spent on each figure.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Rows of the imported file; 0 leaves the import out.
    #[arg(long, default_value_t = 100_000)]
    import: usize,
    /// Customers of the company on which data scopes are measured; 0 leaves it out.
    #[arg(long, default_value_t = 100_000)]
    scopes: usize,
    /// Cases of the simulated year; 0 leaves it out.
    #[arg(long, default_value_t = 50_000)]
    year: usize,
    /// Only the simulated year.
    #[arg(long)]
    only_year: bool,
    /// Write the tables into docs/performance.md.
    #[arg(long)]
    write: bool,
    /// The server to measure; target/release/kehu unless named.
    #[arg(long)]
    kehu: Option<PathBuf>,
    /// Where the databases are built; needs about 3 GB with --large.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Serves a raw SQLite file as the minimal server; started by the benchmark itself.
    #[arg(long, hide = true)]
    minimal: Option<PathBuf>,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.minimal {
        return minimal::serve(path);
    }
    let report = run::run(&arguments);
    if arguments.write {
        report::write(&report);
    }
}
