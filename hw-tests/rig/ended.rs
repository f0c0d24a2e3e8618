//! What a rig hands back: how the job ended, and the files it left, read.
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// How a job ended. What it left lies in `folder` until the case has passed.
#[derive(Debug)]
pub struct Ended {
    /// The exit code of the player, or of the step that failed.
    pub code: i32,
    /// Its time by the wall clock was up.
    pub timed_out: bool,
    /// What the steps wrote to standard output.
    pub stdout: String,
    /// What they and the rig wrote to standard error.
    pub stderr: String,
    /// By the wall clock, from boot to power-off.
    pub took: Duration,
    /// Seconds by the rig's own clock, where the rig was booted for the job.
    pub uptime: Option<f64>,
    /// The job's folder, on this machine.
    pub folder: PathBuf,
}

impl Ended {
    /// Fails the case unless the player, or the last step, ended with this code.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        let said = self.said();
        assert!(!self.timed_out, "still running after {:?} by the wall clock\n{said}", self.took);
        assert_eq!(self.code, code, "exit code\n{said}");
        self
    }

    /// Fails the case unless all went well.
    #[track_caller]
    pub fn done(self) -> Self {
        self.with(0)
    }

    /// What was said on standard error, the player's words last.
    pub fn said(&self) -> String {
        format!("{}{}", self.stderr, self.text("player.log"))
    }

    /// A file that the job left; empty where there is none.
    pub fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join(name)).unwrap_or_default()).into_owned()
    }

    /// The player's statistics.
    #[track_caller]
    pub fn stats(&self) -> Value {
        let text = self.text("stats.json");
        serde_json::from_str(&text).unwrap_or_else(|it| panic!("stats.json: {it}\n{}", self.said()))
    }

    /// A figure of the statistics, by its JSON pointer: `/missed_vblanks`, `/outputs/1/frames_presented`.
    #[track_caller]
    pub fn figure(&self, pointer: &str) -> f64 {
        let stats = self.stats();
        let figure = stats.pointer(pointer).and_then(Value::as_f64);
        figure.unwrap_or_else(|| panic!("no figure {pointer} in {stats:#}"))
    }

    /// The frames that the player presented, in order: its frame log.
    #[track_caller]
    pub fn frames(&self) -> Vec<Frame> {
        let text = self.text("frames.csv");
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        let column = |name: &str| {
            let at = head.iter().position(|it| *it == name);
            at.unwrap_or_else(|| panic!("the frame log has no column {name}: {head:?}\n{}", self.said()))
        };
        let names = ["item", "loop", "pts_us", "presented_us", "backend", "crc32"];
        let [item, lap, pts, presented, backend, crc] = names.map(column);
        let number = |it: &str| it.parse::<i64>().unwrap_or_else(|_| panic!("not a number in the frame log: {it}"));
        lines
            .map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                assert_eq!(fields.len(), head.len(), "the frame log is cut off: {line}");
                Frame {
                    item: fields[item].rsplit('/').next().unwrap_or_default().to_owned(),
                    lap: number(fields[lap]),
                    pts_us: number(fields[pts]),
                    presented_us: number(fields[presented]),
                    backend: fields[backend].to_owned(),
                    crc: u64::from_str_radix(fields[crc], 16).ok(),
                }
            })
            .collect()
    }

    /// The checksum of each vblank of a display for which there was a `crc` step: (vblank's number, checksum).
    #[track_caller]
    pub fn crcs(&self, output: usize) -> Vec<(u64, u64)> {
        // The kernel ends each line with a NUL.
        let text = self.text(&format!("crc-{output}.txt")).replace('\0', "");
        let number = |it: Option<&str>| u64::from_str_radix(it?.trim_start_matches("0x"), 16).ok();
        let line = |it: &str| {
            let mut words = it.split_whitespace();
            Some((number(words.next())?, number(words.next())?))
        };
        text.lines().map(|it| line(it).unwrap_or_else(|| panic!("not a checksum: {it}"))).collect()
    }

    /// The PNG files below a folder that the job left, in the order of their names. For pictures of the screen give the
    /// player `--snapshot-every N --snapshot-dir NAME`: where the display has a writeback connector they are what it showed.
    pub fn pictures(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.join(folder)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
        paths.retain(|it| it.extension().is_some_and(|it| it == "png"));
        paths.sort();
        paths
    }

    /// What was heard from the `record` step on.
    #[track_caller]
    pub fn recording(&self) -> Recording {
        let path = self.folder.join("recording.wav");
        let bytes = fs::read(&path).unwrap_or_else(|it| panic!("{}: {it}\n{}", path.display(), self.said()));
        Recording::read(&bytes).unwrap_or_else(|| panic!("{}: not a WAV file of arecord's", path.display()))
    }
}

/// A line of the frame log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The item's file name, without its folder.
    pub item: String,
    /// Which time round it was, from 0.
    pub lap: i64,
    /// When the frame was due, in the item's time.
    pub pts_us: i64,
    /// When it became visible, since the player's start.
    pub presented_us: i64,
    /// The way it took to the screen.
    pub backend: String,
    /// The checksum of what was shown, where the log has one.
    pub crc: Option<u64>,
}

/// A picture read back from a PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Four bytes a pixel, top row first.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// Reads a PNG of RGBA or RGB pixels.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let file = File::open(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()));
        let mut reader = png::Decoder::new(BufReader::new(file)).read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a small picture")];
        let info = reader.next_frame(&mut bytes).expect("a whole PNG");
        let rgba = match info.color_type {
            png::ColorType::Rgba => bytes,
            png::ColorType::Rgb => bytes.chunks_exact(3).flat_map(|it| [it[0], it[1], it[2], 255]).collect(),
            other => panic!("{}: {other:?}", path.display()),
        };
        Self { width: info.width as usize, height: info.height as usize, rgba }
    }

    /// The pixel at a place.
    #[track_caller]
    pub fn at(&self, x: usize, y: usize) -> [u8; 4] {
        let at = 4 * (y * self.width + x);
        [self.rgba[at], self.rgba[at + 1], self.rgba[at + 2], self.rgba[at + 3]]
    }
}

/// Sound read back from a WAV file of 16 bits a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Sample frames a second.
    pub rate: u32,
    /// Samples, -1 to 1, of each channel.
    pub channels: Vec<Vec<f32>>,
}

impl Recording {
    /// The format and the samples, wherever in the file their chunks lie.
    fn read(bytes: &[u8]) -> Option<Self> {
        let field = |at: usize, len: usize| {
            let bytes = bytes.get(at..at + len)?;
            Some(bytes.iter().rev().fold(0usize, |sum, it| sum << 8 | usize::from(*it)))
        };
        if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
            return None;
        }
        let (mut at, mut format) = (12, None);
        loop {
            let (name, len) = (bytes.get(at..at + 4)?, field(at + 4, 4)?);
            match name {
                b"fmt " => format = Some((field(at + 10, 2)?, field(at + 12, 4)?, field(at + 22, 2)?)),
                b"data" => {
                    let (n_channels, rate, bits) = format?;
                    // A recorder that was killed has written no length.
                    let data = &bytes[at + 8..bytes.len().min((at + 8).saturating_add(len))];
                    let sample = |it: &[u8]| f32::from(i16::from_le_bytes([it[0], it[1]])) / 32768.0;
                    let all: Vec<f32> = data.chunks_exact(2).map(sample).collect();
                    let channel = |it: usize| all.iter().skip(it).step_by(n_channels).copied().collect();
                    let channels = (0..n_channels).map(channel).collect();
                    return (bits == 16).then_some(Self { rate: rate as u32, channels });
                }
                _ => {}
            }
            at += 8 + len + len % 2;
        }
    }

    /// From where to where a channel is heard at all, in seconds; `None` for silence.
    pub fn heard(&self, channel: usize) -> Option<(f64, f64)> {
        let loud = |it: &f32| it.abs() > SILENCE;
        let samples = &self.channels[channel];
        let (first, last) = (samples.iter().position(loud)?, samples.iter().rposition(loud)?);
        Some((first as f64 / f64::from(self.rate), last as f64 / f64::from(self.rate)))
    }

    /// The longest silence within what is heard of a channel, in seconds.
    pub fn longest_gap(&self, channel: usize) -> f64 {
        let mut last_loud = None;
        let mut longest = 0;
        for (at, _) in self.channels[channel].iter().enumerate().filter(|(_, it)| it.abs() > SILENCE) {
            longest = longest.max(last_loud.map_or(0, |last| at - last - 1));
            last_loud = Some(at);
        }
        longest as f64 / f64::from(self.rate)
    }
}

/// What is quieter counts as silence: two steps of 16 bits, as rounding and dither leave behind.
const SILENCE: f32 = 2.5 / 32768.0;
