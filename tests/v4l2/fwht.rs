//! Packets for the kernel's test codec, made by its own encoder. The format is the kernel's (media/codec-fwht.h): no file
//! and no FFmpeg has it.
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use lucarne::base::color::ColorTags;
use lucarne::base::format::{Ratio, Rect, Size};
use lucarne::base::geometry::Rotation;
use lucarne::base::packet::{Packet, Track, VecData};
use lucarne::base::stream::{CodecParameters, VideoStream};
use lucarne::base::time::MediaTime;
use lucarne::sys::v4l2::{Dequeued, FourCc, Mapped, Memory, Node, Queue, Wanted};

const FWHT: FourCc = FourCc::new(b"FWHT");
const NV12: FourCc = FourCc::new(b"NV12");
/// From one picture to the next.
pub const INTERVAL_NS: i64 = 16_666_667;

/// A stream of FWHT.
pub struct Film {
    pub stream: VideoStream,
    pub packets: Vec<Packet>,
}

fn encoder() -> Option<Node> {
    let open = |index| Node::open(&PathBuf::from(format!("/dev/video{index}"))).ok();
    (0..64).filter_map(open).find(|node| {
        let has = |queue, fourcc| {
            node.formats(queue).is_ok_and(|all| all.iter().any(|it: &lucarne::sys::v4l2::Offered| it.fourcc == fourcc))
        };
        has(Queue::Output, NV12) && has(Queue::Capture, FWHT)
    })
}

/// What picture `n` is: luma and chroma that move and have edges.
pub fn luma(n: usize, x: u32, y: u32) -> u8 {
    let edge = if (x / 32 + y / 32 + n as u32 / 4).is_multiple_of(2) { 48 } else { 0 };
    (40 + edge + (x + 2 * n as u32) / 8 % 64 + y / 8 % 64) as u8
}

pub fn chroma(n: usize, x: u32, y: u32) -> (u8, u8) {
    ((96 + (x + n as u32) / 4 % 64) as u8, (96 + (y + n as u32) / 4 % 64) as u8)
}

/// `count` pictures of `size`, coded, beginning with picture `first`. `None` where there is no such encoder.
pub fn film(size: Size, first: usize, count: usize) -> Option<Film> {
    let node = encoder()?;
    let wanted = Wanted { fourcc: FWHT, width: size.width, height: size.height, size: 0 };
    node.set_format(Queue::Capture, wanted).unwrap();
    let wanted = Wanted { fourcc: NV12, width: size.width, height: size.height, size: 0 };
    let raw = node.set_format(Queue::Output, wanted).unwrap();
    assert_eq!(raw.fourcc, NV12);
    node.set_source(Rect::of(size)).unwrap();
    let buffers = |queue| -> Vec<Mapped> {
        let count = node.request_buffers(queue, Memory::Mmap, 2).unwrap();
        (0..count).map(|index| node.map(queue, index).unwrap()).collect()
    };
    let (mut output, capture) = (buffers(Queue::Output), buffers(Queue::Capture));
    for index in 0..capture.len() {
        node.queue(Queue::Capture, index as u32, None, 0, 0).unwrap();
    }
    node.stream_on(Queue::Output).unwrap();
    node.stream_on(Queue::Capture).unwrap();
    let mut packets = Vec::new();
    let mut free: Vec<u32> = (0..output.len() as u32).collect();
    let mut sent = 0;
    while packets.len() < count {
        while sent < count
            && let Some(index) = free.pop()
        {
            let bytes = output[index as usize].bytes_mut();
            let (stride, rows) = (raw.stride as usize, raw.height as usize);
            for y in 0..rows.min(size.height as usize) {
                let row = &mut bytes[y * stride..][..size.width as usize];
                row.iter_mut().enumerate().for_each(|(x, it)| *it = luma(first + sent, x as u32, y as u32));
            }
            for y in 0..(size.height as usize).div_ceil(2) {
                let row = &mut bytes[(rows + y) * stride..][..(size.width as usize).div_ceil(2) * 2];
                for (x, pair) in row.chunks_exact_mut(2).enumerate() {
                    (pair[0], pair[1]) = chroma(first + sent, x as u32, y as u32);
                }
            }
            node.queue(Queue::Output, index, None, raw.size, sent as u64 + 1).unwrap();
            sent += 1;
        }
        let mut on = [PollFd::new(node.as_fd(), PollFlags::POLLIN | PollFlags::POLLOUT)];
        assert!(poll(&mut on, PollTimeout::from(5000u16)).unwrap() > 0, "the encoder encodes");
        while let Dequeued::Buffer(it) = node.dequeue(Queue::Output, Memory::Mmap).unwrap() {
            free.push(it.index);
        }
        while let Dequeued::Buffer(it) = node.dequeue(Queue::Capture, Memory::Mmap).unwrap() {
            let bytes = capture[it.index as usize].bytes()[..it.used as usize].to_vec();
            packets.push(packet(packets.len(), bytes));
            node.queue(Queue::Capture, it.index, None, 0, 0).unwrap();
        }
    }
    Some(Film { stream: stream(size), packets })
}

fn packet(n: usize, bytes: Vec<u8>) -> Packet {
    let pts = MediaTime::from_nanos(n as i64 * INTERVAL_NS);
    Packet {
        track: Track::Video,
        pts: Some(pts),
        dts: Some(pts),
        duration: Duration::from_nanos(INTERVAL_NS as u64),
        keyframe: n == 0,
        discard: false,
        lap: 0,
        discontinuity: false,
        data: Arc::new(VecData(bytes)),
    }
}

fn stream(size: Size) -> VideoStream {
    let parameters = CodecParameters { codec: "fwht".into(), profile: None, extra: Arc::from([]), native: None };
    VideoStream {
        parameters,
        size,
        pixel_format: None,
        sar: Ratio::ONE,
        rotation: Rotation::None,
        frame_rate: Ratio::new(60, 1),
        color: ColorTags::default(),
        interlaced: false,
        frames: None,
    }
}
