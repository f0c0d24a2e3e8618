//! Where the packets of one lap of an item lie on the deck's timeline, and when the lap ends.
//!
//! A file's timestamps begin anywhere and end wherever its last picture ends. Lap `n + 1` is moved so that its first
//! picture is due exactly when lap `n` ends. A live source that comes back with other timestamps is moved to go on
//! where it left off.
use std::time::Duration;

use crate::base::packet::{Packet, Track};
use crate::base::stream::MediaInfo;
use crate::base::time::{MediaTime, nanos_of};

/// A picture that nobody gives a duration is taken to last this long: 25 a second.
const FALLBACK_FRAME: Duration = Duration::from_millis(40);
/// No lap is shorter, so that going round moves on.
const SHORTEST: Duration = Duration::from_millis(1);
/// A live source whose decoding time jumps back at all by this much, or ahead by `JUMP_AHEAD`, has restarted.
const JUMP_BACK: i64 = 1_000_000_000;
/// See `JUMP_BACK`; streams with few pictures a minute stay below it.
const JUMP_AHEAD: i64 = 10_000_000_000;

/// What containers count in that count in milliseconds (Matroska, FLV). At 60 frames a second a lap would end up to one of
/// them too early, which is a frame lost in seventeen laps.
const COARSE: i64 = 1_000_000;
/// So far from what was meant a lap's length may be that is counted so: half of one at its first picture, half at its
/// last, and one for how long that lasts, which is cut off rather than rounded.
const COARSE_ERROR: i64 = 2 * COARSE;

/// Whether a live source's clock broke between two packets of a track.
fn live_jump(last: Option<MediaTime>, next: Option<MediaTime>) -> bool {
    let (Some(last), Some(next)) = (last, next) else { return false };
    let step = next.delta_nanos(last);
    !(-JUMP_BACK..=JUMP_AHEAD).contains(&step)
}

/// The laps of one item.
#[derive(Debug)]
pub struct Laps {
    wanted: Option<u32>,
    limit: Option<Duration>,
    frame: Duration,
    /// Frames a second, where the input says.
    rate: Option<f64>,
    lap: u32,
    /// Added to the input's timestamps.
    offset: i64,
    /// When this lap begins, from the second on.
    begin: Option<MediaTime>,
    /// Latest end of a picture of this lap, on the deck's timeline.
    end: Option<MediaTime>,
    /// Earliest picture of this lap: where `limit` counts from.
    first: Option<MediaTime>,
    pictures: u64,
    /// Every timestamp of this lap's pictures is a whole number of milliseconds in the input.
    coarse: bool,
    /// A picture of this lap came with its decoding time only: the container (AVI) does not say when it is shown.
    untimed: bool,
    last_dts: [Option<MediaTime>; 2],
    rebase: bool,
    broken: [bool; 2],
    still: bool,
}

const fn index(track: Track) -> usize {
    match track {
        Track::Video => 0,
        Track::Audio => 1,
    }
}

impl Laps {
    /// `wanted` laps, or for ever.
    pub fn new(wanted: Option<u32>) -> Self {
        Self {
            wanted,
            limit: None,
            frame: FALLBACK_FRAME,
            rate: None,
            lap: 0,
            offset: 0,
            begin: None,
            end: None,
            first: None,
            pictures: 0,
            coarse: true,
            untimed: false,
            last_dts: [None; 2],
            rebase: false,
            broken: [false; 2],
            still: false,
        }
    }

    /// The input is open; `limit` is how long a lap may be.
    pub fn opened(&mut self, info: &MediaInfo, limit: Option<Duration>) {
        self.limit = limit;
        self.still = info.still;
        let rate = info.video.as_ref().and_then(|it| it.frame_rate).map(|it| it.to_f64());
        self.rate = rate.filter(|it| (0.1..=1000.0).contains(it));
        self.frame = self.rate.map_or(FALLBACK_FRAME, |it| Duration::from_secs_f64(1.0 / it));
    }

    /// The present lap, from 0.
    pub fn lap(&self) -> u32 {
        self.lap
    }
    /// No picture in this lap yet.
    pub fn is_empty(&self) -> bool {
        self.pictures == 0
    }
    /// No further lap is wanted.
    pub fn is_last(&self) -> bool {
        self.wanted.is_some_and(|it| it <= self.lap.saturating_add(1))
    }
    /// Whether a live source's clock broke before this packet. After a break the tracks cross over one by one: a packet
    /// from before it, that comes when the other track is already behind it, is another break.
    pub fn is_broken_by(&self, packet: &Packet) -> bool {
        let [own, other] = match packet.track {
            Track::Video => self.last_dts,
            Track::Audio => [self.last_dts[1], self.last_dts[0]],
        };
        match (own, other, packet.dts) {
            (Some(_), _, next) => live_jump(own, next),
            // Tracks may be some seconds apart, either way round.
            (None, Some(other), Some(next)) => JUMP_AHEAD < next.delta_nanos(other).saturating_abs(),
            _ => false,
        }
    }
    /// The source came back: its next packet goes where the last picture ended, whatever it says.
    pub fn rebase(&mut self) {
        self.rebase = true;
        self.broken = [true; 2];
        self.last_dts = [None; 2];
    }

    /// Moves a packet to its place. `false`: it lies past the lap's limit, and the lap is over.
    pub fn place(&mut self, packet: &mut Packet) -> bool {
        let own = packet.dts.or(packet.pts);
        let is_coarse = packet.pts.is_some_and(|it| it.nanos() % COARSE == 0);
        self.last_dts[index(packet.track)] = packet.dts;
        if self.rebase
            && let Some(own) = own
        {
            let target = self.end.unwrap_or_default();
            self.offset = target.delta_nanos(own);
            self.rebase = false;
        }
        packet.lap = self.lap;
        packet.pts = packet.pts.map(|it| it.offset_by(self.offset));
        packet.dts = packet.dts.map(|it| it.offset_by(self.offset));
        packet.discontinuity |= std::mem::take(&mut self.broken[index(packet.track)]);
        if packet.track == Track::Audio {
            return true;
        }
        if self.pictures == 0 && packet.dts.is_none() {
            // A bare stream has no times once it was rewound; decoders count on from the first.
            packet.pts = packet.pts.or(self.begin);
        }
        let at = packet.pts.or(packet.dts);
        if let (Some(limit), Some(first), Some(at), false) = (self.limit, self.first, at, self.still)
            && nanos_of(limit) <= at.delta_nanos(first)
            && packet.dts.is_none_or(|dts| nanos_of(limit) <= dts.delta_nanos(first))
        {
            return false;
        }
        self.pictures += 1;
        self.coarse &= is_coarse;
        self.untimed |= packet.pts.is_none();
        if !packet.discard
            && let Some(at) = at
        {
            let lasts = if packet.duration.is_zero() { self.frame } else { packet.duration };
            self.end = Some(self.end.map_or(at + lasts, |it| it.max(at + lasts)));
            self.first = Some(self.first.map_or(at, |it| it.min(at)));
        }
        true
    }

    /// When the present lap ends. `start` is the first picture the decoder gave in lap 0, `decoded` the end of the
    /// last picture of this lap, once all are out; `None` as long as one of them is needed and not known.
    pub fn end(&self, start: Option<MediaTime>, decoded: Option<MediaTime>) -> Option<MediaTime> {
        let start = start?;
        let begin = if self.lap == 0 { start } else { start.offset_by(self.offset) };
        if let (true, Some(limit)) = (self.still, self.limit) {
            return Some(begin + limit.max(SHORTEST));
        }
        // Reordered pictures are shown later than they are decoded: decoding times alone end the lap too early.
        let end = self.end.filter(|_| !self.untimed).map(|it| self.unrounded(it)).or(decoded)?;
        let limited = self.limit.map_or(end, |it| end.min(begin + it));
        Some(limited.max(begin + SHORTEST))
    }

    /// The end that was meant where the input counts in milliseconds: a whole number of frames from the lap's first
    /// picture, if that is as near as rounding can have moved it. A film of changing rate is moved by less than that.
    fn unrounded(&self, end: MediaTime) -> MediaTime {
        let (true, Some(rate), Some(first)) = (self.coarse, self.rate, self.first) else { return end };
        let lasts = end.delta_nanos(first);
        let frames = (lasts as f64 * rate / 1e9).round();
        let meant = (frames * 1e9 / rate).round() as i64;
        if meant.saturating_sub(lasts).saturating_abs() <= COARSE_ERROR { first.offset_by(meant) } else { end }
    }

    /// Begins the next lap so that the first picture (at `start` in lap 0) is due at `end`.
    pub fn next_lap(&mut self, start: MediaTime, end: MediaTime) -> bool {
        let Some(lap) = self.lap.checked_add(1) else { return false };
        self.lap = lap;
        self.offset = end.delta_nanos(start);
        self.begin = Some(end);
        self.end = None;
        self.first = None;
        self.pictures = 0;
        self.coarse = true;
        self.untimed = false;
        self.last_dts = [None; 2];
        true
    }
}

#[cfg(test)]
mod tests;
