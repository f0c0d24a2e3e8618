//! The frame log: one CSV line for each frame that reached the display.
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::app::exit::Failure;
use crate::pipeline::player::observer::PresentedFrame;

/// The first line.
pub const HEADER: &str = "index,item,loop,pts_us,presented_us,backend,zero_copy,crc32";
/// Bytes kept before the file is written to: some eight hundred lines, so a slow disk is asked twice a minute at most
/// at 25 frames a second.
const BUFFER: usize = 64 * 1024;

/// Lines that wait for their checksums: the display controller tells one within a refresh. What waits longer gets none.
const HELD: usize = 4;

/// Writes the log. A line costs no allocation.
#[derive(Debug)]
pub struct FrameLog<W: Write> {
    out: BufWriter<W>,
    /// Lines without their ends, oldest first, from the first that waits for its checksum.
    held: VecDeque<Held>,
    /// Texts of earlier ones, for their memory.
    spare: Vec<Vec<u8>>,
}

/// A line that waits, or has to let another go first.
#[derive(Debug)]
struct Held {
    index: u64,
    text: Vec<u8>,
    crc32: Option<u32>,
    waits: bool,
}

impl FrameLog<File> {
    /// Creates the file and writes its first line.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        File::create(path).and_then(Self::new).map_err(|it| {
            Failure::failed(format_args!("{}: the frame log could not be created: {it}", path.display()))
                .advise("check the folder and its permissions")
        })
    }
}

impl<W: Write> FrameLog<W> {
    /// Begins a log on `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(BUFFER, out);
        writeln!(out, "{HEADER}")?;
        Ok(Self { out, held: VecDeque::with_capacity(HELD), spare: Vec::with_capacity(HELD) })
    }

    /// Adds a line; `crc32` is that of what the display showed, where it was asked for and is known. After an error (a full
    /// disk) the log is not worth going on with.
    pub fn write(&mut self, it: &PresentedFrame<'_>, crc32: Option<u32>) -> io::Result<()> {
        if self.held.len() == HELD {
            self.release()?;
        }
        let mut text = self.spare.pop().unwrap_or_default();
        text.clear();
        line(&mut text, it)?;
        self.held.push_back(Held { index: it.index, text, crc32, waits: it.checked });
        self.release_known()
    }

    /// The checksum of a line that was written when it was not known yet. Older lines that wait for theirs get none.
    pub fn complete(&mut self, index: u64, crc32: u32) -> io::Result<()> {
        for it in self.held.iter_mut().take_while(|it| it.index <= index) {
            it.waits = false;
            if it.index == index {
                it.crc32 = Some(crc32);
            }
        }
        self.release_known()
    }

    /// Writes out what is still in memory, and says if that failed.
    pub fn finish(mut self) -> io::Result<()> {
        while !self.held.is_empty() {
            self.release()?;
        }
        self.out.flush()
    }

    fn release_known(&mut self) -> io::Result<()> {
        while self.held.front().is_some_and(|it| !it.waits) {
            self.release()?;
        }
        Ok(())
    }

    /// Writes the oldest line.
    fn release(&mut self) -> io::Result<()> {
        let Some(Held { text, crc32, .. }) = self.held.pop_front() else { return Ok(()) };
        self.out.write_all(&text)?;
        self.spare.push(text);
        match crc32 {
            Some(crc) => writeln!(self.out, "{crc:08x}"),
            None => writeln!(self.out),
        }
    }
}

/// A line up to its checksum.
fn line(out: &mut Vec<u8>, it: &PresentedFrame<'_>) -> io::Result<()> {
    write!(out, "{},", it.index)?;
    field(out, it.item)?;
    write!(out, ",{},{},{},", it.lap, it.pts.nanos().div_euclid(1000), it.presented.nanos() / 1000)?;
    field(out, it.backend)?;
    write!(out, ",{},", u8::from(it.zero_copy))
}

/// Quoted where RFC 4180 asks for it.
fn field(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    if !text.contains(['"', ',', '\n', '\r']) {
        return out.write_all(text.as_bytes());
    }
    out.write_all(b"\"")?;
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part.as_bytes())?;
    }
    out.write_all(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{MediaTime, MonoTime};

    #[test]
    fn lines_are_csv_whatever_the_file_is_called() {
        let mut bytes = Vec::new();
        let mut log = FrameLog::new(&mut bytes).unwrap();
        let line = PresentedFrame {
            index: 0,
            item: "film.mp4",
            lap: 0,
            pts: MediaTime::from_nanos(-1),
            presented: MonoTime::from_nanos(1_234_567),
            backend: "software_upload",
            zero_copy: false,
            pixels: None,
            captured: false,
            checked: false,
        };
        log.write(&line, None).unwrap();
        let odd = PresentedFrame { index: 1, item: "a \"b\",\nc", lap: 3, zero_copy: true, ..line };
        log.write(&odd, Some(0xbeef)).unwrap();
        log.finish().unwrap();
        let want = "index,item,loop,pts_us,presented_us,backend,zero_copy,crc32\n\
                    0,film.mp4,0,-1,1234,software_upload,0,\n\
                    1,\"a \"\"b\"\",\nc\",3,-1,1234,software_upload,1,0000beef\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), want);
    }

    #[test]
    fn checksums_that_come_later_are_on_their_lines() {
        let mut bytes = Vec::new();
        let mut log = FrameLog::new(&mut bytes).unwrap();
        let plain = PresentedFrame {
            index: 0,
            item: "f",
            lap: 0,
            pts: MediaTime::ZERO,
            presented: MonoTime::ZERO,
            backend: "b",
            zero_copy: false,
            pixels: None,
            captured: false,
            checked: false,
        };
        let late = |index| PresentedFrame { index, checked: true, ..plain };
        log.write(&late(0), None).unwrap();
        log.complete(0, 0xa).unwrap();
        // The first of these never comes, and what follows it waits no longer than that is known.
        log.write(&late(1), None).unwrap();
        log.write(&PresentedFrame { index: 2, ..plain }, Some(0xb)).unwrap();
        log.write(&late(3), None).unwrap();
        log.complete(3, 0xc).unwrap();
        // Nothing ever comes.
        for index in 4..11 {
            log.write(&late(index), None).unwrap();
        }
        log.finish().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let got: Vec<_> = text.lines().skip(1).map(|it| (&it[..1], it.rsplit(',').next().unwrap())).collect();
        let want =
            [("0", "0000000a"), ("1", ""), ("2", "0000000b"), ("3", "0000000c"), ("4", ""), ("5", ""), ("6", "")];
        assert_eq!(got[..7], want);
        assert_eq!(got.len(), 11);
    }

    #[test]
    fn a_full_disk_is_reported_at_the_end() {
        let full = File::create("/dev/full").expect("Linux has /dev/full");
        assert_eq!(FrameLog::new(full).unwrap().finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
