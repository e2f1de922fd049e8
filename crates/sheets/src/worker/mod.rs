//! Reading a file in a child process that may use little memory and time, open no file and reach no network; whatever
//! a hostile file does to the reader, the server sees a frame that says so.
//!
//! The child gets the file as its standard input and writes frames to its standard output: four bytes of length,
//! little endian, then JSON. The pipe between them is what holds a fast child back.

mod queue;
mod sandbox;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::read::{Event, Header, Limits, Row, Summary, text_bytes};

use queue::{Nothing, Receiver, Sender, queue};
pub use sandbox::Sandbox;

/// Version of the frames; parent and child must agree.
pub const PROTOCOL: u32 = 1;

/// Carries the [`Task`] to the child.
const TASK_VARIABLE: &str = "SHEETS_WORKER_TASK";
/// A row as large as the reader's limits allow, all of it escaped, and what is wrong with its cells.
const MAX_FRAME_BYTES: u32 = 16 << 20;
/// Bytes of frames waiting between the pipe and the caller.
const QUEUE_BYTES: usize = 4 << 20;

/// How much the child may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLimits {
    /// Address space beyond what the program takes at its start.
    pub memory_bytes: u64,
    pub cpu_seconds: u64,
    /// Time the caller may spend waiting for the child, summed up; time the caller takes itself does not count.
    pub wait_seconds: u64,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self { memory_bytes: 512 << 20, cpu_seconds: 60, wait_seconds: 180 }
    }
}

#[derive(Serialize, Deserialize)]
struct Task {
    protocol: u32,
    name_hint: String,
    read: Limits,
    worker: WorkerLimits,
}

/// What comes from the child, in this order: `Started`, then as the reader hands over, last `Done` or `Failed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    Started {
        protocol: u32,
        sandbox: Sandbox,
    },
    Header(Header),
    Row(Row),
    Warning(Problem),
    Done(Summary),
    /// The file could not be read, or not to its end. Rows handed over before are good.
    Failed(Problem),
}

impl Frame {
    /// About what it takes in memory.
    fn bytes(&self) -> usize {
        match self {
            Self::Row(row) => row.bytes(),
            Self::Header(header) => text_bytes(&header.columns) + text_bytes(&header.sheets),
            _ => SMALL_FRAME_BYTES,
        }
    }
}

/// What a frame without a table in it takes.
const SMALL_FRAME_BYTES: usize = 1_000;

/// The child's whole life; what the hidden command `worker parse` calls before anything else.
pub fn main() -> ExitCode {
    let task = std::env::var(TASK_VARIABLE).ok().and_then(|text| serde_json::from_str::<Task>(&text).ok());
    let Some(task) = task.filter(|task| task.protocol == PROTOCOL) else { return ExitCode::from(2) };
    let mut input = match clone_stdin() {
        Ok(file) => file,
        Err(_) => return ExitCode::from(2),
    };
    let sandbox = sandbox::enter(&task.worker);
    let mut output = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let started = Frame::Started { protocol: PROTOCOL, sandbox };
    if write_frame(&mut output, &started).and_then(|()| output.flush()).is_err() {
        return ExitCode::from(1);
    }
    let last =
        run(&mut input, &task.name_hint, &task.read, &mut |frame| write_frame(&mut output, &frame).is_ok());
    let written = last.map_or(Ok(()), |frame| write_frame(&mut output, &frame)).and_then(|()| output.flush());
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

#[cfg(unix)]
fn clone_stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn clone_stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Reads the file and sends what it finds; gives the last frame, or `None` when nobody listens any more.
fn run(
    file: &mut File,
    name_hint: &str,
    limits: &Limits,
    send: &mut dyn FnMut(Frame) -> bool,
) -> Option<Frame> {
    let mut is_heard = true;
    let result = crate::read::read(file, name_hint, limits, &mut |event| {
        is_heard = send(match event {
            Event::Header(header) => Frame::Header(header),
            Event::Row(row) => Frame::Row(row),
            Event::Warning(problem) => Frame::Warning(problem),
        });
        if is_heard { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let last = match result {
        Ok(summary) => Frame::Done(summary),
        Err(problem) => Frame::Failed(problem),
    };
    is_heard.then_some(last)
}

fn write_frame(output: &mut impl Write, frame: &Frame) -> io::Result<()> {
    let bytes = serde_json::to_vec(frame)?;
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    output.write_all(&length.to_le_bytes())?;
    output.write_all(&bytes)
}

/// `None` at the end of the stream.
fn read_frame(input: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    if let Err(error) = input.read_exact(&mut length) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::other("frame too long"));
    }
    let mut bytes = Vec::new();
    let read = input.take(u64::from(length)).read_to_end(&mut bytes)?;
    if read < length as usize {
        // The child was killed in the middle of a word.
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// A file being read elsewhere: an iterator of frames that ends after `Done` or `Failed`. Dropping it ends the child.
pub struct Parsed {
    frames: Option<Receiver<io::Result<Frame>>>,
    child: Option<Child>,
    wait_left: Duration,
    is_over: bool,
}

impl Parsed {
    /// Starts `exe` with `args`, which must come to [`main`], to read `file`. The child sees no other file, and of the
    /// environment only what it needs.
    ///
    /// # Errors
    /// When the program cannot be started. Everything later is a [`Frame::Failed`].
    pub fn spawn(
        exe: &Path,
        args: &[&str],
        file: File,
        name_hint: &str,
        limits: &Limits,
        worker: &WorkerLimits,
    ) -> io::Result<Self> {
        let task = Task {
            protocol: PROTOCOL,
            name_hint: name_hint.chars().take(255).collect(),
            read: limits.clone(),
            worker: worker.clone(),
        };
        let mut child = Command::new(exe)
            .args(args)
            .env_clear()
            .env(TASK_VARIABLE, serde_json::to_string(&task)?)
            // mimalloc takes a gigabyte of address space at its start unless told otherwise.
            .env("MIMALLOC_ARENA_RESERVE", "32768")
            .stdin(Stdio::from(file))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output =
            child.stdout.take().ok_or_else(|| io::Error::other("the child has no standard output"))?;
        let (sender, frames) = queue(QUEUE_BYTES);
        thread::Builder::new().name("sheets-worker".to_owned()).spawn(move || {
            let mut output = io::BufReader::with_capacity(64 << 10, output);
            forward(&mut output, &sender);
        })?;
        let wait_left = Duration::from_secs(worker.wait_seconds);
        Ok(Self { frames: Some(frames), child: Some(child), wait_left, is_over: false })
    }

    /// The same on a thread of this process, without a sandbox: for tests, and for files the program wrote itself.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn in_process(mut file: File, name_hint: &str, limits: &Limits) -> io::Result<Self> {
        let (sender, frames) = queue(QUEUE_BYTES);
        let (name_hint, limits) = (name_hint.to_owned(), limits.clone());
        thread::Builder::new().name("sheets-read".to_owned()).spawn(move || {
            let started = Frame::Started { protocol: PROTOCOL, sandbox: Sandbox::default() };
            if !send(&sender, Ok(started)) {
                return;
            }
            let last = run(&mut file, &name_hint, &limits, &mut |frame| send(&sender, Ok(frame)));
            if let Some(last) = last {
                // Nobody listening any more is no fault of the reader.
                send(&sender, Ok(last));
            }
        })?;
        let wait_left = Duration::from_secs(WorkerLimits::default().wait_seconds);
        Ok(Self { frames: Some(frames), child: None, wait_left, is_over: false })
    }

    /// The child's process id, for watching it.
    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    fn fail(&mut self, problem: Problem) -> Option<Frame> {
        self.end();
        Some(Frame::Failed(problem))
    }

    /// Says why the child ended without a last word.
    fn explain_end(&mut self) -> Problem {
        let status = self.child.as_mut().and_then(|child| child.wait().ok());
        let how = status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        if status.and_then(|status| status.code()) == Some(2) {
            return Problem::error(
                "worker.unusable",
                "导入程序无法启动，请联系管理员",
                format!("the worker did not understand its task ({how})"),
            );
        }
        Problem::error(
            "worker.killed",
            "文件过大或已损坏，读取时超出了允许的内存或时间。请在 Excel 中重新另存，或拆分成几个文件后分别导入",
            format!(
                "the file is too large or damaged: reading it went over the allowed memory or time ({how})"
            ),
        )
    }

    fn end(&mut self) {
        self.is_over = true;
        // The forwarding thread ends when nobody takes its frames, or when the pipe closes.
        self.frames = None;
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; either way it must be waited for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `false` when nobody listens any more.
fn send(sender: &Sender<io::Result<Frame>>, frame: io::Result<Frame>) -> bool {
    let bytes = frame.as_ref().map_or(SMALL_FRAME_BYTES, Frame::bytes);
    sender.send(frame, bytes)
}

fn forward(output: &mut impl Read, sender: &Sender<io::Result<Frame>>) {
    loop {
        let frame = match read_frame(output) {
            Ok(Some(frame)) => Ok(frame),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let is_last = matches!(frame, Ok(Frame::Done(_) | Frame::Failed(_)) | Err(_));
        if !send(sender, frame) || is_last {
            return;
        }
    }
}

impl Iterator for Parsed {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if self.is_over {
            return None;
        }
        let since = Instant::now();
        let received = self.frames.as_ref()?.recv_timeout(self.wait_left);
        self.wait_left = self.wait_left.saturating_sub(since.elapsed());
        match received {
            Ok(Ok(frame)) => {
                if matches!(frame, Frame::Done(_) | Frame::Failed(_)) {
                    self.end();
                }
                Some(frame)
            }
            Ok(Err(error)) => {
                let en = format!("the worker's answer could not be read: {error}");
                self.fail(Problem::error("worker.garbled", "读取文件时出错，请重新上传", en))
            }
            Err(Nothing::Yet) => self.fail(Problem::error(
                "worker.timeout",
                "读取文件用时过长，已停止。请拆分成几个文件后分别导入",
                "reading the file took too long and was stopped; split it",
            )),
            Err(Nothing::AnyMore) => {
                let problem = self.explain_end();
                self.fail(problem)
            }
        }
    }
}

impl Drop for Parsed {
    fn drop(&mut self) {
        self.end();
    }
}
