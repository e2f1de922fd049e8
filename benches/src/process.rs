//! A server as a process of its own, and what the kernel says of it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first good answer.
    pub started_in: Duration,
}

impl Server {
    /// Starts `command` after adding the address with `listen`, and waits until `path` answers 200.
    pub fn start(mut command: Command, listen: impl FnOnce(&mut Command, SocketAddr), path: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        listen(&mut command, address);
        command.stdout(Stdio::null()).stdin(Stdio::null());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        loop {
            let answer = Client::new(address, "").and_then(|mut c| c.send("GET", path, "", ""));
            if answer.is_ok_and(|a| a.status == 200) {
                return Self { child, address, started_in: began.elapsed() };
            }
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{command:?} ended with {status}");
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no answer from {command:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// User and system time of all its threads so far.
    pub fn cpu(&self) -> Duration {
        Duration::from_secs_f64(cpu_of(self.child.id()))
    }

    /// Resident memory now, in MiB.
    pub fn memory(&self) -> f64 {
        memory(self.child.id(), "VmRSS:")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor seconds a process has used so far.
pub fn cpu_of(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // Linux counts these in hundredths of a second, whatever its own tick is.
    ticks as f64 / 100.0
}

/// A line of /proc/PID/status in MiB, 0 when the process is gone.
pub fn memory(pid: u32, line: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let found = text.lines().find_map(|l| l.strip_prefix(line)).unwrap_or("0 kB");
    found.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
}

/// Runs a command to its end; answers how long it took and its largest resident memory in MiB.
pub fn watch(command: &mut Command) -> (Duration, f64) {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0.0_f64;
    loop {
        most = most.max(memory(child.id(), "VmHWM:"));
        if let Some(_status) = child.try_wait().unwrap() {
            return (began.elapsed(), most);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a command that must succeed, with a line on its standard input; answers what it printed.
pub fn must(command: &mut Command, input: &str) -> String {
    use std::io::Write;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the program knows a command.
pub fn knows(program: &Path, command: &str) -> bool {
    Command::new(program).args([command, "--help"]).output().is_ok_and(|o| o.status.success())
}
