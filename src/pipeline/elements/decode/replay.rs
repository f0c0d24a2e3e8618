//! Packets that another decoder would need to go on where one failed: since the last resume point whose pictures are not all
//! out yet. Packets are shared, so keeping them copies nothing.
use std::collections::VecDeque;

use crate::base::packet::Packet;
use crate::base::time::MediaTime;

/// Ten seconds of a 60 fps stream; resume points are rarely further apart.
const MOST_PACKETS: usize = 600;
/// Eight seconds at 16 Mbit/s.
const MOST_BYTES: usize = 16 << 20;

/// See the module's text. Keeping allocates nothing once there is room.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// What the decoder was given, oldest first: begins with a resume point.
    kept: VecDeque<Packet>,
    bytes: usize,
    /// Packets that were dropped from the front of `kept` so far.
    dropped: u64,
    /// The resume points in `kept`, counted from the first packet of all, and when their pictures are due.
    points: VecDeque<(u64, MediaTime)>,
    /// What is to be submitted once more.
    again: VecDeque<Packet>,
    /// Nothing can be decoded before the next resume point.
    is_lost: bool,
}

impl Replay {
    /// Makes all the room there will ever be.
    pub(super) fn reserve(&mut self) {
        self.kept.reserve(MOST_PACKETS + 1);
        self.points.reserve(MOST_PACKETS + 1);
    }

    /// The decoder took this packet.
    pub(super) fn keep(&mut self, packet: Packet) {
        if self.kept.is_empty() && !packet.keyframe {
            return;
        }
        if let (true, Some(pts)) = (packet.keyframe, packet.pts.or(packet.dts)) {
            self.points.push_back((self.dropped + self.kept.len() as u64, pts));
        }
        self.bytes += packet.data.bytes().len();
        self.kept.push_back(packet);
        while MOST_PACKETS < self.kept.len() || MOST_BYTES < self.bytes {
            self.drop_first_point();
        }
    }

    /// A picture that is due at `pts` has come out: resume points before the last such are needed no more.
    pub(super) fn came_out(&mut self, pts: MediaTime) {
        while self.points.get(1).is_some_and(|it| it.1 <= pts) {
            self.drop_first_point();
        }
    }

    /// All pictures of what was submitted have come out, or are not wanted any more.
    pub(super) fn clear(&mut self) {
        self.dropped += self.kept.len() as u64;
        self.kept.clear();
        self.points.clear();
        self.bytes = 0;
    }

    /// Another decoder begins: what was kept is to be submitted again, and behind it `pending`.
    pub(super) fn begin(&mut self, pending: Option<Packet>) {
        let (kept, rest) = (std::mem::take(&mut self.kept), std::mem::take(&mut self.again));
        self.clear();
        self.again = kept.into_iter().chain(pending).chain(rest).collect();
        self.reserve();
        self.is_lost = self.again.front().is_none_or(|it| !it.keyframe);
    }

    /// The next packet to be submitted once more.
    pub(super) fn next(&mut self) -> Option<Packet> {
        self.again.pop_front()
    }

    /// Whether this packet is of no use, because its resume point is not to be had.
    pub(super) fn is_useless(&mut self, packet: &Packet) -> bool {
        self.is_lost &= !packet.keyframe;
        self.is_lost
    }

    /// Everything before the second resume point goes; all of it where there is none.
    fn drop_first_point(&mut self) {
        self.points.pop_front();
        let end = match self.points.front() {
            Some((place, _)) => *place,
            None => self.dropped + self.kept.len() as u64,
        };
        while self.dropped < end
            && let Some(it) = self.kept.pop_front()
        {
            self.bytes -= it.data.bytes().len();
            self.dropped += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::base::packet::{Track, VecData};

    fn packet(pts: i64, keyframe: bool, size: usize) -> Packet {
        Packet {
            track: Track::Video,
            pts: Some(MediaTime::from_nanos(pts)),
            dts: None,
            duration: Duration::ZERO,
            keyframe,
            discard: false,
            lap: 0,
            discontinuity: false,
            data: Arc::new(VecData(vec![0; size])),
        }
    }

    /// Whole groups of `length` pictures, all given, of which those before `out` have come out; what is given again.
    fn again(length: i64, given: i64, out: i64) -> Vec<i64> {
        let mut it = Replay::default();
        (0..given).for_each(|pts| it.keep(packet(pts, pts % length == 0, 10)));
        (0..out).for_each(|pts| it.came_out(MediaTime::from_nanos(pts)));
        it.begin(Some(packet(given, given % length == 0, 10)));
        std::iter::from_fn(|| it.next()).filter_map(|it| it.pts).map(MediaTime::nanos).collect()
    }

    #[test]
    fn a_group_is_kept_until_a_picture_of_the_next_is_out() {
        assert_eq!(again(10, 15, 0), (0..16).collect::<Vec<_>>());
        assert_eq!(again(10, 15, 10), (0..16).collect::<Vec<_>>(), "the last before the resume point is out");
        assert_eq!(again(10, 15, 11), (10..16).collect::<Vec<_>>());
        assert_eq!(again(1, 5, 4), [3, 4, 5]);
    }

    #[test]
    fn too_much_is_given_up_up_to_the_next_resume_point() {
        let mut it = Replay::default();
        it.keep(packet(0, true, 10));
        (1..2000).for_each(|pts| it.keep(packet(pts, false, 10)));
        it.begin(Some(packet(2000, false, 10)));
        let pending = it.next().unwrap();
        assert!(it.next().is_none() && it.is_useless(&pending));
        assert!(it.is_useless(&packet(2001, false, 10)) && !it.is_useless(&packet(2002, true, 10)));
        assert!(!it.is_useless(&packet(2003, false, 10)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_kept_is_bounded_and_begins_with_a_resume_point(
            given in prop::collection::vec((prop::bool::weighted(0.01), 0usize..(1 << 17), any::<bool>()), 0..1500),
        ) {
            let mut it = Replay::default();
            for (pts, (keyframe, size, out)) in (0i64..).zip(given) {
                it.keep(packet(pts, keyframe, size));
                if out {
                    it.came_out(MediaTime::from_nanos(pts - 3));
                }
                let bytes: usize = it.kept.iter().map(|it| it.data.bytes().len()).sum();
                prop_assert_eq!(bytes, it.bytes);
                prop_assert!(bytes <= MOST_BYTES && it.kept.len() <= MOST_PACKETS);
                prop_assert!(it.kept.front().is_none_or(|it| it.keyframe));
            }
        }
    }
}
