//! An open codec with its buffers: what the machine decides is done here.
use std::os::fd::{AsFd, BorrowedFd};

use crate::backend::v4l2::alarm::Alarm;
use crate::backend::v4l2::factory::Buffers;
use crate::backend::v4l2::pool::Pool;
use crate::backend::v4l2::tokens::{Facts, Tokens};
use crate::base::color::ColorTags;
use crate::base::dmabuf::Lease;
use crate::base::format::{Ratio, Rect, Size};
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::base::time::MonoTime;
use crate::logic::m2m_decoder::{Limits, M2mDecoder, MAX_BUFFERS, Place, Quirks, State};
use crate::seam::decoder::DecodeError;
use crate::sys::v4l2::{Dequeued, Event, Filled, Format, FourCc, Mapped, Memory, Node, Queue, V4l2Error, Wanted};

mod commands;
mod set_up;

/// One being filled, one being decoded, and two in between: packets come in bursts.
const OUTPUT_BUFFERS: u32 = 4;
/// Moves in one step, at most: a driver that answers without end is not followed.
const MAX_MOVES: usize = 1024;

/// What a decoder's owner is to hear.
#[derive(Debug)]
pub(super) enum Said {
    /// A picture.
    Picture(Made),
    /// The memory of those handed out is wanted back.
    Retiring,
    /// The drain is over.
    Drained,
}

/// A picture that was made.
#[derive(Debug)]
pub(super) struct Made {
    pub lease: Lease,
    pub facts: Facts,
    pub is_corrupt: bool,
    pub is_interlaced: bool,
}

/// What makes a decoder's buffers suit a stream, besides how it is coded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    size: Size,
    sar: Ratio,
    color: ColorTags,
}

impl Look {
    pub(super) fn of(stream: &VideoStream) -> Self {
        Self { size: stream.size, sar: stream.sar, color: stream.color }
    }
}

/// An open node. Fields are dropped in order: our dma-bufs before the node that made them.
#[derive(Debug)]
pub(super) struct Instance {
    machine: M2mDecoder,
    pool: Option<Pool>,
    /// What CAPTURE was set up for.
    captured: Option<(Format, Rect)>,
    output: Vec<Mapped>,
    tokens: Tokens,
    made: Option<(Filled, Facts)>,
    /// The owner has not heard yet that memory is wanted back.
    owes_retiring: bool,
    alarm: Alarm,
    buffers: Buffers,
    quirks: Quirks,
    coded: FourCc,
    look: Look,
    node: Node,
}

/// Bytes of an OUTPUT buffer for pictures of this size: an access unit must fit into one, and is rarely larger than the
/// picture it makes. Drivers' own idea (512 KiB, or 768 KiB above 720p) is too small for key frames of good quality, and
/// streams that begin small may go on larger. 4 MiB is what contiguous memory comes in at most on some kernels.
pub(super) fn output_size(size: Size) -> u32 {
    const LEAST: u64 = 2 << 20;
    const MOST: u64 = 4 << 20;
    (u64::from(size.width) * u64::from(size.height) * 3 / 2).clamp(LEAST, MOST) as u32
}

impl Instance {
    /// Sets OUTPUT up and starts it.
    pub(super) fn open(
        node: Node,
        coded: FourCc,
        look: Look,
        buffers: Buffers,
        now: MonoTime,
    ) -> Result<Self, DecodeError> {
        let quirks = Quirks::of_driver(node.driver());
        let failed = |it: V4l2Error| device(&node, it);
        for event in [Event::SourceChanged, Event::EndOfStream] {
            // A driver without the one or the other is waited for in another way.
            if let Err(error) = node.subscribe(event) {
                log::debug!("{}: {event:?}: {error}", node.card());
            }
        }
        let size = look.size;
        let said = if quirks.size_on_output_hides_change { Size::new(0, 0) } else { size };
        let wanted = Wanted { fourcc: coded, width: said.width, height: said.height, size: output_size(size) };
        let format = node.set_format(Queue::Output, wanted).map_err(failed)?;
        if format.fourcc != coded {
            let reason = format!("{}: {} was asked, {} answered", node.card(), coded, format.fourcc);
            return Err(DecodeError::Device { call: "VIDIOC_S_FMT", reason });
        }
        let count = node.request_buffers(Queue::Output, Memory::Mmap, OUTPUT_BUFFERS).map_err(failed)?;
        let count = count.min(MAX_BUFFERS);
        if count == 0 {
            let reason = format!("{}: no buffers for packets", node.card());
            return Err(DecodeError::Device { call: "VIDIOC_REQBUFS", reason });
        }
        let map = |index| node.map(Queue::Output, index);
        let output = (0..count).map(map).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        node.stream_on(Queue::Output).map_err(failed)?;
        let no_alarm = |it: std::io::Error| DecodeError::Device { call: "epoll", reason: it.to_string() };
        let alarm = Alarm::new().map_err(no_alarm)?;
        Ok(Self {
            machine: M2mDecoder::new(quirks, Limits::default(), count, now),
            pool: None,
            captured: None,
            output,
            tokens: Tokens::new(),
            made: None,
            owes_retiring: false,
            alarm,
            buffers,
            quirks,
            coded,
            look,
            node,
        })
    }

    /// What it decodes.
    pub(super) fn coded(&self) -> FourCc {
        self.coded
    }

    /// What the stream it was last given looks like.
    pub(super) fn look(&self) -> Look {
        self.look
    }

    /// It is given another.
    pub(super) fn looks_like(&mut self, look: Look) {
        self.look = look;
    }

    /// The device's name.
    pub(super) fn card(&self) -> &str {
        self.node.card()
    }

    /// The largest access unit it takes.
    pub(super) fn largest(&self) -> usize {
        self.output.iter().map(|it| it.bytes().len()).min().unwrap_or(0)
    }

    /// How its pictures lie in memory, once it is known.
    pub(super) fn pool(&self) -> Option<&Pool> {
        self.pool.as_ref()
    }

    /// The pixels' width to their height, in the driver's words.
    pub(super) fn pixel_aspect(&self) -> Option<(u32, u32)> {
        let (width, height) = self.node.pixel_aspect().ok()?;
        Some(if self.quirks.aspect_is_width_to_height { (height, width) } else { (width, height) })
    }

    /// What fires when `step` has something new to say.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.alarm.as_fd()
    }

    fn failed(&mut self, error: V4l2Error) -> DecodeError {
        self.machine.give_up();
        device(&self.node, error)
    }

    fn impossible(&mut self, it: crate::logic::m2m_decoder::Impossible) -> DecodeError {
        self.machine.give_up();
        DecodeError::Device { call: "VIDIOC_DQBUF", reason: format!("{}: impossible: {it}", self.node.card()) }
    }

    /// Whether there is room for a packet.
    pub(super) fn has_room(&mut self, now: MonoTime) -> Result<bool, DecodeError> {
        if self.machine.free_output().is_none() {
            self.take_packets(now)?;
        }
        Ok(self.machine.free_output().is_some())
    }

    /// Queues a packet, `headers` before it in the same buffer. There is room, and it is not larger than `largest`.
    pub(super) fn queue(&mut self, headers: &[u8], packet: &Packet, now: MonoTime) -> Result<(), DecodeError> {
        let Some(index) = self.machine.free_output() else { return Ok(()) };
        let Some(buffer) = self.output.get_mut(index as usize) else { return Ok(()) };
        let bytes = packet.data.bytes();
        let used = headers.len() + bytes.len();
        if let Some((head, rest)) = buffer.bytes_mut().split_at_mut_checked(headers.len())
            && let Some(body) = rest.get_mut(..bytes.len())
        {
            head.copy_from_slice(headers);
            body.copy_from_slice(bytes);
        }
        let token = self.tokens.name(packet);
        // At most the buffer's size, which the kernel gave as 32 bits.
        let queued = self.node.queue(Queue::Output, index, None, used as u32, token);
        queued.map_err(|it| self.failed(it))?;
        self.machine.packet_queued(index, now).map_err(|it| self.impossible(it))?;
        self.settle(now)
    }

    /// The next thing to say, or `None` until `fd` fires.
    pub(super) fn step(&mut self, now: MonoTime) -> Result<Option<Said>, DecodeError> {
        self.alarm.hear(now);
        if std::mem::take(&mut self.owes_retiring) {
            return Ok(Some(Said::Retiring));
        }
        for _ in 0..MAX_MOVES {
            let (has_moved, said) = self.obey(now)?;
            if said.is_some() {
                return Ok(said);
            }
            if self.listen(now)? || has_moved {
                continue;
            }
            self.machine.tick(now);
            let (has_moved, said) = self.obey(now)?;
            if said.is_some() {
                return Ok(said);
            }
            if !has_moved {
                self.settle(now)?;
                return Ok(None);
            }
        }
        self.machine.give_up();
        Err(DecodeError::Device { call: "VIDIOC_DQBUF", reason: format!("{}: it answers without end", self.card()) })
    }

    /// Finish what was queued.
    pub(super) fn drain(&mut self, now: MonoTime) {
        self.machine.drain(now);
    }

    /// Forget what was queued.
    pub(super) fn flush(&mut self, now: MonoTime) -> Result<(), DecodeError> {
        self.tokens.flush();
        self.made = None;
        self.machine.flush(now);
        for _ in 0..MAX_MOVES {
            match self.obey(now)?.1 {
                Some(Said::Retiring) => self.owes_retiring = true,
                // Of before.
                Some(Said::Picture(_) | Said::Drained) => {}
                // Whether it goes on is known before the next packet.
                None if self.listen(now)? => {}
                None => break,
            }
        }
        Ok(())
    }

    /// After a flush: whether the next stream may have it.
    pub(super) fn is_fit(&self) -> bool {
        self.machine.state() == State::Decoding && self.pool.as_ref().is_some_and(|it| !it.state.is_retiring())
    }

    /// It did not do what it should: closing it may take its time.
    pub(super) fn has_failed(&self) -> bool {
        self.machine.state() == State::Failed
    }

    /// Nobody has anything of it, so that it can be closed.
    pub(super) fn is_home(&self) -> bool {
        self.pool.as_ref().is_none_or(Pool::is_home)
    }

    /// Wants its memory back, to be closed when it is there.
    pub(super) fn retire(&self) {
        if let Some(it) = &self.pool {
            it.state.retire();
        }
    }

    /// Listens to what matters now, for as long as it may take.
    fn settle(&mut self, now: MonoTime) -> Result<(), DecodeError> {
        let is_listening = self.machine.is_listening();
        let settled = self
            .alarm
            .watch(self.node.as_fd(), is_listening)
            .and_then(|()| self.alarm.set(self.machine.deadline(), now));
        settled.map_err(|it| DecodeError::Device { call: "epoll", reason: it.to_string() })
    }

    /// Looks at everything once; `true` when something happened. One picture at a time, so that none waits here.
    fn listen(&mut self, now: MonoTime) -> Result<bool, DecodeError> {
        if self.machine.state() == State::Failed {
            return Ok(false);
        }
        let mut has_moved = self.welcome(now)?;
        // Events before buffers: what the end of a queue means is theirs to say.
        while let Some(event) = self.node.event().map_err(|it| self.failed(it))? {
            has_moved = true;
            match event {
                Event::SourceChanged => {
                    let as_set_up = self.captured.is_some() && self.captured == self.answer().ok();
                    log::debug!("{}: the source changed", self.node.card());
                    self.machine.source_changed(as_set_up, now);
                }
                Event::EndOfStream => self.machine.end_of_stream(),
                Event::Other(it) => log::debug!("{}: event {it}", self.node.card()),
            }
        }
        has_moved |= self.take_packets(now)?;
        if self.machine.wants_pictures() {
            let memory =
                if self.pool.as_ref().is_some_and(|it| it.is_imported) { Memory::Dmabuf } else { Memory::Mmap };
            match self.node.dequeue(Queue::Capture, memory).map_err(|it| self.failed(it))? {
                Dequeued::Buffer(it) => {
                    self.picture(it, now)?;
                    has_moved = true;
                }
                Dequeued::Nothing => {
                    let before = self.machine.state();
                    self.machine.nothing_ready(now);
                    has_moved |= self.machine.state() != before;
                }
                Dequeued::End => {
                    self.machine.no_more(now).map_err(|it| self.impossible(it))?;
                    has_moved = true;
                }
            }
        }
        Ok(has_moved)
    }

    fn picture(&mut self, it: Filled, now: MonoTime) -> Result<(), DecodeError> {
        log::trace!("{}: {it:?}", self.node.card());
        let facts = if it.used > 0 { self.tokens.facts(it.token) } else { None };
        let facts = facts.filter(|it| !it.discard);
        let made = self.machine.picture_made(it.index, facts.is_some(), it.is_last, now);
        made.map_err(|it| self.impossible(it))?;
        self.made = facts.map(|facts| (it, facts));
        Ok(())
    }

    fn take_packets(&mut self, now: MonoTime) -> Result<bool, DecodeError> {
        let mut has_moved = false;
        while self.machine.is_feeding() {
            match self.node.dequeue(Queue::Output, Memory::Mmap).map_err(|it| self.failed(it))? {
                Dequeued::Buffer(it) => {
                    self.machine.packet_taken(it.index, now).map_err(|it| self.impossible(it))?;
                    has_moved = true;
                }
                Dequeued::Nothing | Dequeued::End => break,
            }
        }
        Ok(has_moved)
    }

    /// Buffers that nobody holds any more.
    fn welcome(&mut self, now: MonoTime) -> Result<bool, DecodeError> {
        let Some(pool) = &self.pool else { return Ok(false) };
        let mut has_moved = false;
        for index in 0..pool.pictures.len() as u32 {
            let is_home = pool.pictures.get(index as usize).is_some_and(|it| it.is_home());
            if is_home && self.machine.place(index) == Place::Out {
                if let Err(it) = self.machine.came_home(index, now) {
                    return Err(self.impossible(it));
                }
                has_moved = true;
            }
        }
        if self.machine.state() == State::Retiring && pool.is_home() {
            self.machine.all_home().map_err(|it| self.impossible(it))?;
            has_moved = true;
        }
        Ok(has_moved)
    }
}

/// A failed call in the seam's words.
fn device(node: &Node, error: V4l2Error) -> DecodeError {
    let card = node.card();
    let reason = if error.is_gone() {
        format!("{card} ({}) is gone", node.path().display())
    } else {
        format!("{card}: {}", error.errno.desc())
    };
    DecodeError::Device { call: error.call, reason }
}
