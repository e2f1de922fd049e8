use std::fs::File;
use std::path::Path;

use sheets::worker::{Frame, PROTOCOL, Parsed, WorkerLimits};
use sheets::{Limits, Row};

use crate::support::{file_of, shared_text_file};

fn spawn(file: File, worker: &WorkerLimits) -> Parsed {
    let exe = Path::new(env!("CARGO_BIN_EXE_sheets-worker"));
    Parsed::spawn(exe, &[], file, "客户\0.xlsx", &Limits::default(), worker).unwrap()
}

/// The largest memory the process ever held, in MiB.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

// covers: CI-02
#[test]
fn a_hundred_thousand_rows_of_thirty_columns_in_150_mib() {
    const ROWS: u64 = 100_000;
    let file = shared_text_file(ROWS + 1, 30);
    let mut parsed =
        spawn(file, &WorkerLimits { cpu_seconds: 600, wait_seconds: 600, ..WorkerLimits::default() });
    let process = parsed.process_id().unwrap();
    let (mut rows, mut peak, mut done) = (0, 0, None);
    for frame in &mut parsed {
        match frame {
            Frame::Row(Row { cells, number, .. }) => {
                rows += 1;
                assert_eq!(number, rows + 1);
                assert_eq!(cells[29], format!("客户{rows}-29"));
                if rows % 5_000 == 0 {
                    peak = peak_memory(process).unwrap_or(peak);
                }
            }
            Frame::Done(summary) => done = Some(summary),
            Frame::Failed(problem) => panic!("{problem}"),
            _ => {}
        }
    }
    assert_eq!((rows, done.unwrap().rows), (ROWS, ROWS));
    println!("peak memory of the worker: {peak} MiB");
    assert!(peak <= 150, "{peak} MiB");
}

#[test]
fn the_first_frame_tells_of_the_sandbox() {
    let mut frames = spawn(file_of(b"a,b\n1,2\n"), &WorkerLimits::default());
    let Some(Frame::Started { protocol, sandbox }) = frames.next() else { panic!("no first frame") };
    assert_eq!(protocol, PROTOCOL);
    if cfg!(target_os = "linux") {
        assert!(sandbox.has_limits && sandbox.has_no_network, "{sandbox:?}");
    }
    println!("{sandbox:?}");
    assert!(matches!(frames.next(), Some(Frame::Header(_))));
    assert!(matches!(frames.next(), Some(Frame::Row(_))));
    assert!(matches!(frames.next(), Some(Frame::Done(_))));
    assert!(frames.next().is_none());
}

#[test]
fn a_child_killed_by_its_limits_gives_a_sentence() {
    // Half a gigabyte of commas: no row ever ends, and a second does not suffice to count them.
    let limits = Limits { max_file_bytes: 1 << 30, ..Limits::default() };
    let worker = WorkerLimits { cpu_seconds: 1, ..WorkerLimits::default() };
    let file = file_of(&vec![b','; 512 << 20]);
    let exe = Path::new(env!("CARGO_BIN_EXE_sheets-worker"));
    let last = Parsed::spawn(exe, &[], file, "a.csv", &limits, &worker).unwrap().last().unwrap();
    let Frame::Failed(problem) = last else { panic!("{last:?}") };
    assert_eq!(problem.code, "worker.killed");
    assert!(problem.zh.contains("文件过大或已损坏"));
}

#[test]
fn memory_beyond_the_limit_gives_a_sentence() {
    let mut frames =
        spawn(file_of(b"a,b\n1,2\n"), &WorkerLimits { memory_bytes: 4096, ..WorkerLimits::default() });
    let last = frames.by_ref().last().unwrap();
    assert!(matches!(&last, Frame::Failed(problem) if problem.code == "worker.killed"), "{last:?}");
}

#[test]
fn waiting_has_an_end_and_dropping_ends_the_child() {
    let line = format!("{}\n", ["客户"; 50].join(","));
    let file = file_of(line.repeat(100_000).as_bytes());
    let mut frames = spawn(file, &WorkerLimits::default());
    let process = frames.process_id().unwrap();
    assert!(matches!(frames.next(), Some(Frame::Started { .. })));
    drop(frames);
    assert!(!Path::new(&format!("/proc/{process}/stat")).exists());

    let exe = Path::new("/bin/sleep");
    let limits = WorkerLimits { wait_seconds: 0, ..WorkerLimits::default() };
    let mut frames = Parsed::spawn(exe, &["60"], file_of(b"a"), "a", &Limits::default(), &limits).unwrap();
    assert!(matches!(frames.next(), Some(Frame::Failed(problem)) if problem.code == "worker.timeout"));
    assert!(frames.next().is_none());
    let mut frames = Parsed::spawn(
        Path::new("/bin/echo"),
        &["no frames at all"],
        file_of(b"a"),
        "a",
        &Limits::default(),
        &WorkerLimits::default(),
    )
    .unwrap();
    assert!(matches!(frames.next(), Some(Frame::Failed(problem)) if problem.code == "worker.garbled"));
}

#[test]
fn in_process_gives_the_same_frames() {
    let text = "姓名,手机\n张三,138\n李四\n";
    let mut inside = Parsed::in_process(file_of(text.as_bytes()), "a.csv", &Limits::default()).unwrap();
    let mut outside = spawn(file_of(text.as_bytes()), &WorkerLimits::default());
    assert!(matches!(
        (inside.next(), outside.next()),
        (Some(Frame::Started { .. }), Some(Frame::Started { .. }))
    ));
    assert_eq!(inside.collect::<Vec<_>>(), outside.collect::<Vec<_>>());
    let frames: Vec<Frame> = Parsed::in_process(file_of(b""), "a.csv", &Limits::default()).unwrap().collect();
    assert!(matches!(&frames[1..], [Frame::Failed(problem)] if problem.code == "file.empty"));
}
