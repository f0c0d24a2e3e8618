//! The checksums that a CRTC computes of what it sends, one for each vblank: `crtc-N/crc/data` in debugfs ("CRC ABI" in
//! `Documentation/gpu/drm-uapi.rst`). For debugging: only root may read them, and few drivers have them.
//!
//! ```text
//!   Closed --there--> Open --the mode is set--> Closed
//!      +--not there, or not for us--> Without
//! ```
//!
//! The file opens while the CRTC is on, and not before; a modeset may end the checksums, so it is opened anew after each.
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use drm::control::crtc;
use nix::sys::stat::{fstat, minor};

use crate::backend::kms::device::Device;
use crate::seam::presenter::SubmissionId;

/// Pictures that are on the screen, or were, and have no checksum yet. One comes with the vblank that shows the picture;
/// more than a few are behind only where the driver has stopped computing.
const MOST: usize = 4;
/// The kernel hands over a line with each read: a number of ten characters for the frame, and up to ten for checksums.
const LINE: usize = 128;

/// Where the file stands.
#[derive(Debug)]
enum State {
    /// To be opened.
    Closed,
    /// It gives a line for each vblank.
    Open(File),
    /// There is none for us.
    Without,
}

/// One CRTC's checksums.
#[derive(Debug)]
pub struct Checksums {
    path: PathBuf,
    state: State,
    /// The next submission is wanted.
    is_wanted: bool,
    /// On its way to the screen, and wanted.
    flying: Option<SubmissionId>,
    /// On the screen since the vblank with that number.
    shown: VecDeque<(SubmissionId, u32)>,
    /// What was read and is nobody's so far: the kernel may tell of a vblank before it tells of its flip.
    early: Option<(u32, u32)>,
}

impl Checksums {
    /// Those of a CRTC, whether there are any or not.
    pub fn of(device: &Device, crtc: crtc::Handle) -> Self {
        let node = fstat(device.card().as_fd()).map_or(0, |it| minor(it.st_rdev));
        let index = device.topology().crtcs.iter().position(|it| *it == crtc).unwrap_or(0);
        Self {
            path: format!("/sys/kernel/debug/dri/{node}/crtc-{index}/crc/data").into(),
            state: State::Closed,
            is_wanted: false,
            flying: None,
            shown: VecDeque::with_capacity(MOST),
            early: None,
        }
    }

    /// The next submission is wanted. `false` where there are no checksums.
    pub fn want(&mut self, device: &Device) -> bool {
        self.open(device);
        self.is_wanted = !matches!(self.state, State::Without);
        self.is_wanted
    }

    /// Opens the file, if that can be done and was not.
    fn open(&mut self, device: &Device) {
        let State::Closed = self.state else { return };
        match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&self.path) {
            Ok(file) => {
                if let Err(error) = device.also_wait_for(&file) {
                    // Polls for other reasons find them, later.
                    log::debug!("{}: waiting for checksums: {error}", self.path.display());
                }
                self.state = State::Open(file);
            }
            // The CRTC is still off.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => {}
            Err(error) => {
                let path = self.path.display();
                log::info!("{path}: no checksums of the CRTC ({error}); pictures are read back for them instead");
                self.state = State::Without;
            }
        }
    }

    /// A modeset was committed.
    pub fn restart(&mut self) {
        if let State::Open(_) = self.state {
            self.state = State::Closed;
            self.shown.clear();
            self.early = None;
        }
    }

    /// The submission was committed.
    pub fn committed(&mut self, id: SubmissionId) {
        self.flying = std::mem::take(&mut self.is_wanted).then_some(id);
    }

    /// The CRTC is on. Its first vblank is not before this.
    pub fn is_on(&mut self, device: &Device) {
        if self.flying.is_some() {
            self.open(device);
        }
    }

    /// The submission is on the screen since that vblank.
    pub fn flipped(&mut self, device: &Device, id: SubmissionId, vblank: Option<u64>) {
        self.is_on(device);
        if self.flying.take_if(|it| *it == id).is_none() {
            return;
        }
        let Some(vblank) = vblank else { return };
        if self.shown.len() == MOST {
            self.shown.pop_front();
        }
        // The kernel's own count, which wraps.
        self.shown.push_back((id, vblank as u32));
    }

    /// The next checksum that is known, and the submission it is of.
    pub fn poll(&mut self) -> Option<(SubmissionId, u32)> {
        loop {
            let (vblank, sum) = match self.early.take() {
                Some(it) if !self.shown.is_empty() => it,
                early => match self.read() {
                    Some(it) => it,
                    None => {
                        self.early = early;
                        return None;
                    }
                },
            };
            // What a later picture took the place of by then has no checksum any more.
            while self.shown.get(1).is_some_and(|next| is_since(vblank, next.1)) {
                self.shown.pop_front();
            }
            match self.shown.front() {
                Some((id, since)) if is_since(vblank, *since) => {
                    let id = *id;
                    self.shown.pop_front();
                    return Some((id, sum));
                }
                // Of a vblank before.
                Some(_) => {}
                None => self.early = Some((vblank, sum)),
            }
        }
    }

    /// The next line: a vblank's number and its checksum.
    fn read(&mut self) -> Option<(u32, u32)> {
        let State::Open(file) = &mut self.state else { return None };
        let mut line = [0; LINE];
        match file.read(&mut line) {
            Ok(length) => parse(line.get(..length)?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => {
                log::warn!("{}: no more checksums: {error}", self.path.display());
                self.state = State::Without;
                None
            }
        }
    }
}

/// Whether a vblank is not before another, by counts that wrap.
fn is_since(vblank: u32, other: u32) -> bool {
    vblank.wrapping_sub(other) <= u32::MAX / 2
}

/// `0x0000002a 0x8badf00d`, with a checksum for each of the driver's sources. Several become one.
fn parse(line: &[u8]) -> Option<(u32, u32)> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches(['\0', '\n']);
    let number = |it: &str| u32::from_str_radix(it.strip_prefix("0x")?, 16).ok();
    let (vblank, sums) = line.split_once(' ')?;
    let sum = number(sums).unwrap_or_else(|| crc32fast::hash(sums.as_bytes()));
    Some((number(vblank)?, sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_kernel_writes_them() {
        assert_eq!(parse(b"0x0000002a 0x8badf00d\n\0"), Some((42, 0x8bad_f00d)));
        let several = parse(b"0xffffffff 0x00000001 0x00000002\n\0");
        assert_eq!(several.map(|it| it.0), Some(u32::MAX));
        assert_ne!(several, parse(b"0xffffffff 0x00000001 0x00000003\n\0"));
        // A driver that does not count.
        assert_eq!(parse(b"XXXXXXXXXX 0x8badf00d\n\0"), None);
        assert_eq!(parse(b""), None);
    }

    /// Checksums that come from a file.
    fn reading(lines: &str) -> (tempfile::NamedTempFile, Checksums) {
        // Each line in one read: as long as the buffer.
        let text: String = lines.split('|').map(|it| format!("{it:\0<LINE$}")).collect();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let state = State::Open(File::open(file.path()).unwrap());
        let shown = VecDeque::with_capacity(MOST);
        let path = file.path().to_owned();
        (file, Checksums { path, state, is_wanted: false, flying: None, shown, early: None })
    }

    #[test]
    fn a_checksum_is_of_the_picture_that_is_shown_since_its_vblank() {
        let (_file, mut it) = reading("0x00000005 0x000000aa|0x00000006 0x000000bb|0x00000009 0x000000cc");
        it.shown.extend([(SubmissionId(1), 6), (SubmissionId(2), 7), (SubmissionId(3), 8)]);
        // 5 was before the first; nobody knows of 7; the third stood at 9.
        assert_eq!(it.poll(), Some((SubmissionId(1), 0xbb)));
        assert_eq!(it.poll(), Some((SubmissionId(3), 0xcc)));
        assert_eq!(it.poll(), None);
    }

    #[test]
    fn a_checksum_that_comes_before_its_flip_is_kept() {
        let (_file, mut it) = reading("0xffffffff 0x000000aa|0x00000000 0x000000bb");
        assert_eq!(it.poll(), None);
        it.shown.push_back((SubmissionId(1), 0));
        assert_eq!(it.poll(), Some((SubmissionId(1), 0xbb)));
        assert_eq!(it.poll(), None);
    }
}
