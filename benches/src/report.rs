//! Markdown tables, and their place in docs/performance.md.

use std::fmt;

/// Everything that is printed.
#[derive(Default)]
pub struct Report(pub String);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

impl Report {
    /// Adds a line, and prints it at once: a run takes a while.
    pub fn line(&mut self, text: &str) {
        println!("{text}");
        self.0.push_str(text);
        self.0.push('\n');
    }

    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        self.line("");
        self.line(&format!("| {} |", head.join(" | ")));
        let rule: Vec<&str> =
            head.iter().enumerate().map(|(n, _)| if n == 0 { "---" } else { "--:" }).collect();
        self.line(&format!("| {} |", rule.join(" | ")));
        for row in rows {
            self.line(&format!("| {} |", row.join(" | ")));
        }
        self.line("");
    }
}

const BEGIN: &str = "<!-- figures: written by make bench ARGS=--write -->";
const END: &str = "<!-- end of figures -->";

/// Puts the report between the markers of docs/performance.md, in the folder the command runs in.
pub fn write(report: &Report) {
    let path = "docs/performance.md";
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}; run in the repository's root"));
    let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("{path} has no line {BEGIN}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{path} has no line {END}"));
    std::fs::write(path, format!("{before}{BEGIN}\n\n{report}\n\n{END}{after}")).unwrap();
    eprintln!("written into {path}");
}

/// A duration in milliseconds with the digits that carry meaning.
pub fn ms(seconds: f64) -> String {
    let ms = seconds * 1000.0;
    match ms {
        _ if ms < 0.1 => format!("{ms:.3}"),
        _ if ms < 10.0 => format!("{ms:.2}"),
        _ => format!("{ms:.1}"),
    }
}

/// A rate, without digits nobody reads.
pub fn rate(per_second: f64) -> String {
    let n = per_second.round() as u64;
    if n >= 1000 { format!("{},{:03}", n / 1000, n % 1000) } else { n.to_string() }
}
