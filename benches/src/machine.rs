//! The machine and the versions the figures belong to.

use std::process::Command;

fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
}

fn field(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_default();
    line.split_once(':').map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
}

/// One paragraph: processor, memory, kernel, versions, date.
pub fn paragraph() -> String {
    let cores = std::thread::available_parallelism().map_or(0, |n| n.get());
    let memory = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0);
    format!(
        "Machine: {} with {cores} cores, {:.0} GiB of memory, Linux {}, {}. Versions: kehu {} ({}), {}, SQLite {}. \
         Measured on {}.",
        field("/proc/cpuinfo", "model name"),
        memory / 1024.0 / 1024.0,
        printed("uname", &["-r"]),
        if is_virtual() { "a virtual machine" } else { "bare metal" },
        env!("CARGO_PKG_VERSION"),
        printed("git", &["rev-parse", "--short", "HEAD"]),
        printed("rustc", &["--version"]),
        rusqlite::version(),
        jiff::Zoned::now().date(),
    )
}

fn is_virtual() -> bool {
    field("/proc/cpuinfo", "flags").split(' ').any(|flag| flag == "hypervisor")
}
