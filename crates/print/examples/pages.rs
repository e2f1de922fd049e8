//! Prints the samples of the tests into a folder, to look at while templates are changed, and says how long each took:
//! `cargo run -p print --example pages -- FOLDER [ROWS…]`.

use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use print::*;

#[path = "../src/tests/samples.rs"]
mod samples;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("usage: pages FOLDER [ROWS…]")?;
    let printer = Printer::new(Fonts::default());
    let started = Instant::now();
    println!("{} found in {:.2?}", printer.font_family()?, started.elapsed());
    let save = |name: &str, printed: Printed, started: Instant| {
        println!(
            "{name}: {} pages, {} KB, {:.2?}",
            printed.pages,
            printed.bytes.len() / 1024,
            started.elapsed()
        );
        fs::write(Path::new(&folder).join(format!("{name}.pdf")), printed.bytes)
    };
    let rows: Vec<usize> = arguments.map(|rows| rows.parse()).collect::<Result<_, _>>()?;
    if rows.is_empty() {
        let mut strips = samples::release_note(Layout::Strips);
        strips.imprint.count = 2;
        let slips = [
            ("repair-order", samples::repair_order(Layout::Pages)),
            ("repair-order-too-long-for-strips", samples::repair_order(Layout::Strips)),
            ("release-note", strips),
            ("odd", samples::odd()),
        ];
        for (name, slip) in slips {
            let started = Instant::now();
            save(name, printer.slip(&slip)?, started)?;
        }
    }
    for rows in if rows.is_empty() { vec![60] } else { rows } {
        let report = samples::report(rows);
        let started = Instant::now();
        save(&format!("report-{rows}"), printer.report(&report)?, started)?;
    }
    Ok(())
}
