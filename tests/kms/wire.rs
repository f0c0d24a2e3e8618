//! What is on the wire at every vblank: the CRTC's checksums, read from debugfs beside the presenter.
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A line: a number of ten characters for the frame, and one for the checksum.
const LINE: usize = 128;

/// Checksums as they come. The file closes with a mode and is opened again with the next.
#[derive(Debug)]
pub struct Wire {
    data: PathBuf,
    file: Option<File>,
    seen: Vec<u32>,
}

impl Wire {
    /// Of the first CRTC of a card, by its node: which is all the card has on which these cases run.
    pub fn of(card: &Path) -> Self {
        let node = card.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let minor = node.trim_start_matches("card");
        Self { data: format!("/sys/kernel/debug/dri/{minor}/crtc-0/crc/data").into(), file: None, seen: Vec::new() }
    }

    /// Reads what has come since.
    pub fn poll(&mut self) {
        if self.file.is_none() {
            // EIO while the CRTC is off.
            self.file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&self.data).ok();
        }
        let mut line = [0; LINE];
        while let Some(file) = &mut self.file {
            match file.read(&mut line) {
                Ok(0) => return,
                Ok(length) => self.seen.extend(checksum(&line[..length])),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
    }

    /// The vblanks since the last time it was asked for.
    pub fn take(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.seen)
    }
}

/// `0x<frame> 0x<checksum>`.
fn checksum(line: &[u8]) -> Option<u32> {
    let second = std::str::from_utf8(line).ok()?.split_whitespace().nth(1)?;
    u32::from_str_radix(second.trim_start_matches("0x"), 16).ok()
}
