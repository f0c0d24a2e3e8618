//! What a packet says of its picture, kept while the picture is made. Drivers carry one number from packet to picture:
//! the time stamp, in microseconds, which is no time here but a name.
use std::time::Duration;

use crate::base::packet::Packet;
use crate::base::time::MediaTime;

/// Packets remembered. A decoder holds sixteen pictures of two packets each at most, and its queues have as many again.
const REMEMBERED: usize = 128;

/// What is brought back with a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub pts: Option<MediaTime>,
    pub duration: Duration,
    pub lap: u32,
    pub discontinuity: bool,
    pub discard: bool,
}

/// Names of packets.
#[derive(Debug)]
pub(super) struct Tokens {
    ring: Vec<(u64, Facts)>,
    next: u64,
    /// Names below this are of packets from before a flush.
    first: u64,
    /// Of the packets since, the newest whose picture came, for pictures without a name of ours.
    newest: Facts,
}

impl Tokens {
    pub(super) fn new() -> Self {
        // No time stamp at all is 0, so that is nobody's name.
        Self { ring: vec![(0, Facts::default()); REMEMBERED], next: 1, first: 1, newest: Facts::default() }
    }

    /// Names a packet.
    pub(super) fn name(&mut self, packet: &Packet) -> u64 {
        let token = self.next;
        self.next += 1;
        let facts = Facts {
            pts: packet.pts,
            duration: packet.duration,
            lap: packet.lap,
            discontinuity: packet.discontinuity,
            discard: packet.discard,
        };
        if token == self.first {
            self.newest = Facts { pts: None, ..facts };
        }
        let index = token % REMEMBERED as u64;
        if let Some(it) = self.ring.get_mut(index as usize) {
            *it = (token, facts);
        }
        token
    }

    /// What the picture of this name is to bring back; `None` where its packet was flushed.
    pub(super) fn facts(&mut self, token: u64) -> Option<Facts> {
        if (1..self.first).contains(&token) {
            return None;
        }
        let known = self.ring.get((token % REMEMBERED as u64) as usize).filter(|it| it.0 == token && token != 0);
        match known {
            Some((_, facts)) => {
                self.newest = *facts;
                Some(*facts)
            }
            // The driver lost the name: of the same lap as the one before, at a time that is to be guessed.
            None => Some(Facts { pts: None, discontinuity: false, discard: false, ..self.newest }),
        }
    }

    /// Names given so far are forgotten.
    pub(super) fn flush(&mut self) {
        self.first = self.next;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::packet::{Track, VecData};

    fn packet(lap: u32) -> Packet {
        Packet {
            track: Track::Video,
            pts: Some(MediaTime::from_nanos(i64::from(lap))),
            dts: None,
            duration: Duration::from_millis(40),
            keyframe: true,
            discard: false,
            lap,
            discontinuity: lap == 2,
            data: Arc::new(VecData::default()),
        }
    }

    #[test]
    fn a_picture_brings_back_what_its_packet_said() {
        let mut it = Tokens::new();
        let names: Vec<u64> = (0..200).map(|lap| it.name(&packet(lap))).collect();
        let facts = it.facts(names[199]).unwrap();
        assert_eq!((facts.lap, facts.pts), (199, Some(MediaTime::from_nanos(199))));
        assert_eq!(it.facts(names[100]).map(|it| it.lap), Some(100), "in any order");
    }

    #[test]
    fn what_was_flushed_is_not_shown() {
        let mut it = Tokens::new();
        let before = it.name(&packet(1));
        it.flush();
        let after = it.name(&packet(2));
        assert_eq!(it.facts(before), None);
        assert_eq!(it.facts(after).map(|it| (it.lap, it.discontinuity)), Some((2, true)));
    }

    #[test]
    fn a_lost_name_is_of_the_lap_before() {
        let mut it = Tokens::new();
        let name = it.name(&packet(5));
        it.facts(name);
        assert_eq!(it.facts(0).map(|it| (it.lap, it.pts)), Some((5, None)));
    }
}
