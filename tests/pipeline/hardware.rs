//! A decoder like a device's: its pictures are in a pool of dma-bufs that it wants back, and it fails.
use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lucarne::base::dmabuf::{DmabufPicture, DmabufPlane, Lease, PoolState, Slot};
use lucarne::base::format::PixelFormat;
use lucarne::base::frame::{CpuPlanes, Memory, VecPlanes, VideoFrame};
use lucarne::base::offer::Offer;
use lucarne::base::packet::Packet;
use lucarne::base::stream::VideoStream;
use lucarne::seam::decoder::{DecodeError, DecodeEvent, Decoder, DecoderFactory, DecoderStats};
use lucarne::seam::wait::Waitable;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::codec::{Blocks, frame};

/// The pool goes before this picture is decoded.
pub const RETIRES: u8 = 20;
/// The decoder fails over it, every time.
pub const BREAKS_IT: u8 = 21;
/// The decoder fails over it, once.
pub const BREAKS_ONCE: u8 = 22;
/// The decoder stalls from here on.
pub const STALLS_IT: u8 = 23;
/// The device is gone from here on.
pub const GOES: u8 = 24;
/// Against the device's word, the picture is in ordinary memory.
pub const COPIES: u8 = 25;
/// The same, and it is counted as converted.
pub const CONVERTS: u8 = 26;
/// Somebody holds the picture until `Hardware::kept` is emptied.
pub const KEPT: u8 = 27;

const SLOTS: u32 = 12;

/// Decoders for "blocks", in front of `Blocks`.
#[derive(Debug, Default)]
pub struct Hardware {
    pub opened: AtomicUsize,
    pub gone: Arc<AtomicBool>,
    broke_once: Arc<AtomicBool>,
    /// Every pool there was.
    pub pools: Arc<Mutex<Vec<Arc<PoolState>>>>,
    /// Pools that were taken away.
    pub freed: Arc<AtomicUsize>,
    /// Pictures that somebody holds.
    pub kept: Arc<Mutex<Vec<Lease>>>,
}

#[derive(Debug)]
struct Buffer {
    slot: Slot,
    file: File,
    planes: VecPlanes,
}

impl DmabufPicture for Buffer {
    fn slot(&self) -> &Slot {
        &self.slot
    }
    fn plane(&self, index: usize) -> Option<DmabufPlane<'_>> {
        (index == 0).then(|| DmabufPlane { fd: self.file.as_fd(), offset: 0, stride: 8 })
    }
    fn read(&self, with: &mut dyn FnMut(&dyn CpuPlanes)) -> Result<(), String> {
        with(&self.planes);
        Ok(())
    }
}

struct HardwareDecoder {
    pool: Arc<PoolState>,
    home: Arc<EventFd>,
    next_slot: u32,
    is_retiring: bool,
    packets: VecDeque<Packet>,
    draining: bool,
    drained: bool,
    stats: DecoderStats,
    broke_once: Arc<AtomicBool>,
    gone: Arc<AtomicBool>,
    pools: Arc<Mutex<Vec<Arc<PoolState>>>>,
    freed: Arc<AtomicUsize>,
    kept: Arc<Mutex<Vec<Lease>>>,
}

fn new_pool(home: &Arc<EventFd>, pools: &Mutex<Vec<Arc<PoolState>>>) -> Arc<PoolState> {
    let home = Arc::clone(home);
    let pool = PoolState::new(Box::new(move || {
        let _full = home.write(1);
    }));
    pools.lock().unwrap().push(pool.clone());
    pool
}

fn broken(reason: &str) -> DecodeError {
    DecodeError::Device { call: "VIDIOC_DQBUF", reason: reason.into() }
}

impl DecoderFactory for Hardware {
    fn name(&self) -> &'static str {
        "hardware"
    }
    fn codecs(&self) -> Vec<&'static str> {
        vec!["blocks"]
    }
    fn probe(&self, stream: &VideoStream) -> Result<(), DecodeError> {
        Blocks::default().probe(stream)
    }
    fn gives_dmabufs(&self, _stream: &VideoStream) -> Result<PixelFormat, String> {
        Ok(PixelFormat::Gray8)
    }
    fn open(&self, _stream: &VideoStream) -> Result<Box<dyn Decoder>, DecodeError> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(broken("no such device"));
        }
        self.opened.fetch_add(1, Ordering::SeqCst);
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let home = Arc::new(EventFd::from_flags(flags).unwrap());
        Ok(Box::new(HardwareDecoder {
            pool: new_pool(&home, &self.pools),
            home,
            next_slot: 0,
            is_retiring: false,
            packets: VecDeque::new(),
            draining: false,
            drained: false,
            stats: DecoderStats::default(),
            broke_once: self.broke_once.clone(),
            gone: self.gone.clone(),
            pools: self.pools.clone(),
            freed: self.freed.clone(),
            kept: self.kept.clone(),
        }))
    }
}

impl HardwareDecoder {
    fn picture(&mut self, packet: &Packet, byte: u8) -> VideoFrame {
        let (lap, discontinuity) = (packet.lap, packet.discontinuity);
        let pts = packet.pts.unwrap_or_default();
        self.stats.frames += 1;
        if [COPIES, CONVERTS].contains(&byte) {
            self.stats.converted += u64::from(byte == CONVERTS);
            return VideoFrame { lap, discontinuity, ..frame(pts, byte) };
        }
        let slot = Slot::new(&self.pool, self.next_slot);
        self.next_slot = (self.next_slot + 1) % SLOTS;
        let file = File::open("/dev/null").unwrap();
        assert!(0 <= file.as_raw_fd());
        let planes = VecPlanes { planes: vec![(vec![byte; 64], 8)] };
        let lease = Lease::new(Arc::new(Buffer { slot, file, planes }));
        if byte == KEPT {
            self.kept.lock().unwrap().push(lease.clone());
        }
        VideoFrame { lap, discontinuity, memory: Memory::Dmabuf(lease), ..frame(pts, byte) }
    }
}

impl Decoder for HardwareDecoder {
    fn submit(&mut self, packet: Packet) -> Result<Offer<Packet>, DecodeError> {
        assert!(!self.draining, "nothing is taken between drain and flush");
        if 2 <= self.packets.len() {
            return Ok(Offer::Refused(packet));
        }
        self.packets.push_back(packet);
        Ok(Offer::Taken)
    }

    fn poll(&mut self) -> Result<Option<DecodeEvent>, DecodeError> {
        let _nothing = self.home.read();
        if self.is_retiring {
            if 0 < self.pool.leases() + self.pool.imports() {
                return Ok(None);
            }
            self.freed.fetch_add(1, Ordering::SeqCst);
            self.pool = new_pool(&self.home, &self.pools);
            self.is_retiring = false;
        } else if self.packets.front().is_some_and(|it| it.data.bytes()[0] == RETIRES) && 0 < self.stats.frames {
            if !std::mem::replace(&mut self.is_retiring, true) {
                self.pool.retire();
                return Ok(Some(DecodeEvent::Retiring));
            }
        } else if SLOTS <= self.pool.leases() {
            return Ok(None);
        }
        let Some(packet) = self.packets.pop_front() else {
            let is_drained = self.draining && !std::mem::replace(&mut self.drained, true);
            return Ok(is_drained.then_some(DecodeEvent::Drained));
        };
        match packet.data.bytes()[0] {
            BREAKS_IT => Err(broken("Input/output error")),
            BREAKS_ONCE if !self.broke_once.swap(true, Ordering::SeqCst) => Err(broken("Input/output error")),
            STALLS_IT => {
                Err(DecodeError::Stalled { decoder: "hardware".into(), after: Duration::from_secs(1), packets: 9 })
            }
            GOES => {
                self.gone.store(true, Ordering::SeqCst);
                Err(broken("No such device"))
            }
            byte => Ok(Some(DecodeEvent::Frame(self.picture(&packet, byte)))),
        }
    }

    fn drain(&mut self) -> Result<(), DecodeError> {
        self.draining = true;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DecodeError> {
        self.packets.clear();
        (self.draining, self.drained) = (false, false);
        Ok(())
    }

    fn stats(&self) -> DecoderStats {
        self.stats
    }

    fn waitable(&self) -> Waitable<'_> {
        Waitable::Fd(self.home.as_fd())
    }
}

impl Drop for HardwareDecoder {
    fn drop(&mut self) {
        self.pool.retire();
    }
}
