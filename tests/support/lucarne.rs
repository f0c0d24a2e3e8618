//! Runs the `lucarne` program as its users do, under a time limit, and reads what it leaves: exit code, output,
//! statistics, frame log, snapshots.
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Ten times what the slowest run takes on a quiet machine: a run that reaches it hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a condition is looked at while waiting for it.
const LOOK: Duration = Duration::from_millis(5);

/// The repository's film: 1280x720, 25 pictures a second, 132 of them, 5.1 sound.
pub fn bigbuckbunny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media/bigbuckbunny.mp4")
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    // Nobody ever sends: receiving is the wait between two looks.
    let (_sender, never) = channel::<()>();
    while !is_so() {
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        let _timeout = never.recv_timeout(LOOK);
    }
}

/// A run to be started.
pub struct Lucarne {
    folder: TempDir,
    command: Command,
    limit: Duration,
}

impl Lucarne {
    /// `lucarne ARGUMENTS`.
    pub fn new<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lucarne"));
        command.args(arguments).stdin(Stdio::null());
        // A desktop or a log level of the developer's must not change what is tested.
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "RUST_LOG"] {
            command.env_remove(name);
        }
        Self { folder, command, limit: PATIENCE }
    }

    /// `lucarne play INPUTS` in real time on a small headless display, with statistics, without sound.
    pub fn play<S: AsRef<OsStr>>(inputs: impl IntoIterator<Item = S>) -> Self {
        let it = Self::new(["play", "--display", "headless", "--audio", "none"]);
        let stats = it.folder.path().join("stats.json");
        it.size("320x180").arg("--stats").arg(stats).args(inputs)
    }

    /// The same, as fast as it can.
    pub fn fast<S: AsRef<OsStr>>(inputs: impl IntoIterator<Item = S>) -> Self {
        Self::play(inputs).args(["--pace", "fast"])
    }

    /// One more argument.
    pub fn arg(mut self, it: impl AsRef<OsStr>) -> Self {
        self.command.arg(it);
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, them: impl IntoIterator<Item = S>) -> Self {
        self.command.args(them);
        self
    }

    /// The display's size.
    pub fn size(self, size: &str) -> Self {
        self.replace("--size", size)
    }

    /// Another sound device than none.
    pub fn audio(self, device: &str) -> Self {
        self.replace("--audio", device)
    }

    /// Another display than the headless one.
    pub fn display(self, display: &str) -> Self {
        self.replace("--display", display)
    }

    /// Sets an option that the command line takes once only.
    fn replace(mut self, option: &str, value: &str) -> Self {
        let mut arguments: Vec<_> = self.command.get_args().map(OsStr::to_owned).collect();
        match arguments.iter().position(|it| it == option) {
            Some(at) => arguments[at + 1] = value.into(),
            None => arguments.extend([option.into(), value.into()]),
        }
        let mut command = Command::new(self.command.get_program());
        command.args(arguments).stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
        self
    }

    /// An environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a frame log.
    pub fn framelog(self) -> Self {
        let path = self.folder.path().join("frames.csv");
        self.arg("--framelog").arg(path)
    }

    /// Writes a frame log with checksums.
    pub fn crc(self) -> Self {
        self.framelog().arg("--framelog-crc")
    }

    /// Keeps every `n`th picture.
    pub fn snapshots(self, n: u64) -> Self {
        let path = self.folder.path().join("shots");
        self.arg("--snapshot-every").arg(n.to_string()).arg("--snapshot-dir").arg(path)
    }

    /// It is given up after this long.
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Starts it.
    #[track_caller]
    pub fn start(mut self) -> Running {
        let output = |name: &str| File::create(self.folder.path().join(name)).expect("a file in our own folder");
        self.command.stdout(output("stdout")).stderr(output("stderr"));
        let child = self.command.spawn().expect("the program can be started");
        Running { child, folder: self.folder, limit: self.limit }
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(self) -> Outcome {
        self.start().wait()
    }
}

/// A run under way; killed when dropped.
pub struct Running {
    child: Child,
    folder: TempDir,
    limit: Duration,
}

impl Running {
    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// It has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("it is our child");
    }

    /// What it has said so far.
    pub fn stderr(&self) -> String {
        read(self.folder.path().join("stderr"))
    }

    /// Waits until something is so of it; fails at once when it has ended, and says where it stands when it takes too long.
    #[track_caller]
    pub fn until(&mut self, what: &str, limit: Duration, mut is_so: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        let (_sender, never) = channel::<()>();
        while !is_so(self) {
            let (ended, late) = (!self.is_running(), limit < started.elapsed());
            assert!(!ended, "it ended before {what}:\n{}", self.last_words());
            assert!(!late, "not within {limit:?}: {what}\n{}\n{}", self.last_words(), self.threads());
            let _timeout = never.recv_timeout(LOOK);
        }
    }

    /// The end of what it has said.
    fn last_words(&self) -> String {
        let said = self.stderr();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// What each of its threads is at: name, state and what it waits for in the kernel, time it has run.
    fn threads(&self) -> String {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.id())).into_iter().flatten().flatten();
        let tasks = tasks.map(|it| {
            let of = |name: &str| read(it.path().join(name)).trim().to_owned();
            let stat = of("stat");
            // Behind the name, which may have blanks in it: state is the first field, user and system time the twelfth and next.
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let field = |at: usize| *fields.get(at).unwrap_or(&"?");
            let (name, wait, call) = (of("comm"), of("wchan"), of("syscall"));
            format!("{name}: {} in {wait} ({call}), ran {}+{} ticks", field(0), field(11), field(12))
        });
        tasks.collect::<Vec<_>>().join("\n")
    }

    /// Where its snapshots go.
    pub fn snapshots(&self) -> Vec<PathBuf> {
        snapshots_in(self.folder.path())
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        let mut status = None;
        until("its end", self.limit, || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        let status = status.expect("it has ended");
        let (stdout, stderr) = (read(self.folder.path().join("stdout")), read(self.folder.path().join("stderr")));
        let Some(code) = status.code() else { panic!("{status}: {stderr}") };
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        let stats = read(folder.path().join("stats.json"));
        let stats = serde_json::from_str(&stats).unwrap_or(Value::Null);
        Outcome { code, stdout, stderr, stats, folder }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A run that has ended.
pub struct Outcome {
    /// The exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// The statistics; null where it wrote none.
    pub stats: Value,
    folder: TempDir,
}

impl Outcome {
    /// Fails unless it ended as it should.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{:#}", self.stderr, self.stats);
        assert_eq!(self.stdout, "");
        self
    }

    /// What it printed; fails unless it ended as it should and had nothing to complain about.
    #[track_caller]
    pub fn done_printing(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// A figure of the statistics, by its JSON pointer.
    #[track_caller]
    pub fn figure(&self, pointer: &str) -> f64 {
        let value = self.stats.pointer(pointer);
        value.and_then(Value::as_f64).unwrap_or_else(|| panic!("no {pointer} in {:#}\n{}", self.stats, self.stderr))
    }

    /// Several figures.
    #[track_caller]
    pub fn figures<const N: usize>(&self, pointers: [&str; N]) -> [f64; N] {
        pointers.map(|it| self.figure(it))
    }

    /// The frame log.
    #[track_caller]
    pub fn log(&self) -> Vec<Line> {
        let text = read(self.folder.path().join("frames.csv"));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("index,item,loop,pts_us,presented_us,backend,zero_copy,crc32"));
        lines.map(Line::parse).collect()
    }

    /// The snapshots, in order.
    pub fn snapshots(&self) -> Vec<PathBuf> {
        snapshots_in(self.folder.path())
    }
}

/// A line of the frame log.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub index: u64,
    /// The item's file name, without its folder.
    pub item: String,
    pub lap: u64,
    pub pts_us: i64,
    pub presented_us: i64,
    pub backend: String,
    pub crc32: Option<u32>,
}

impl Line {
    #[track_caller]
    fn parse(text: &str) -> Self {
        let fields: Vec<&str> = text.split(',').collect();
        let [index, item, lap, pts_us, presented_us, backend, zero_copy, crc32] = fields[..] else {
            panic!("not a line of the frame log: {text}");
        };
        let number = |it: &str| it.parse::<i64>().unwrap_or_else(|_| panic!("{it} in {text}"));
        assert!(matches!(zero_copy, "0" | "1"), "{text}");
        Self {
            index: number(index) as u64,
            item: item.rsplit('/').next().unwrap_or_default().to_owned(),
            lap: number(lap) as u64,
            pts_us: number(pts_us),
            presented_us: number(presented_us),
            backend: backend.to_owned(),
            crc32: (!crc32.is_empty()).then(|| u32::from_str_radix(crc32, 16).expect("hexadecimal")),
        }
    }
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn snapshots_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("shots")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    paths.sort();
    paths
}

/// A picture read back from a PNG.
#[derive(Debug, Clone, PartialEq)]
pub struct Shot {
    pub width: usize,
    pub height: usize,
    /// Four bytes a pixel, top row first.
    pub rgba: Vec<u8>,
}

impl Shot {
    /// Reads a PNG of RGBA pixels.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let file = std::io::BufReader::new(File::open(path).expect("it was written"));
        let mut reader = png::Decoder::new(file).read_info().expect("it is a PNG");
        let mut rgba = vec![0; reader.output_buffer_size().expect("it is small")];
        let info = reader.next_frame(&mut rgba).expect("it is whole");
        assert_eq!(info.color_type, png::ColorType::Rgba, "{}", path.display());
        Self { width: info.width as usize, height: info.height as usize, rgba }
    }

    /// Red, green and blue.
    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 4;
        [self.rgba[at], self.rgba[at + 1], self.rgba[at + 2]]
    }
}
