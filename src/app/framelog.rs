//! The frame log: one CSV line for each frame that reached the display.
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

/// Writes the log. A line costs no allocation.
#[derive(Debug)]
pub struct FrameLog<W: Write> {
    out: BufWriter<W>,
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
        Ok(Self { out })
    }

    /// Adds a line; `crc32` is that of what the display showed, where it was asked for. After an error (a full disk) the
    /// log is not worth going on with.
    pub fn write(&mut self, it: &PresentedFrame<'_>, crc32: Option<u32>) -> io::Result<()> {
        write!(self.out, "{},", it.index)?;
        self.field(it.item)?;
        write!(self.out, ",{},{},{},", it.lap, it.pts.nanos().div_euclid(1000), it.presented.nanos() / 1000)?;
        self.field(it.backend)?;
        write!(self.out, ",{},", u8::from(it.zero_copy))?;
        match crc32 {
            Some(crc) => writeln!(self.out, "{crc:08x}"),
            None => writeln!(self.out),
        }
    }

    /// Writes out what is still in memory, and says if that failed.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Quoted where RFC 4180 asks for it.
    fn field(&mut self, text: &str) -> io::Result<()> {
        if !text.contains(['"', ',', '\n', '\r']) {
            return self.out.write_all(text.as_bytes());
        }
        self.out.write_all(b"\"")?;
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                self.out.write_all(b"\"\"")?;
            }
            self.out.write_all(part.as_bytes())?;
        }
        self.out.write_all(b"\"")
    }
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
    fn a_full_disk_is_reported_at_the_end() {
        let full = File::create("/dev/full").expect("Linux has /dev/full");
        assert_eq!(FrameLog::new(full).unwrap().finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
