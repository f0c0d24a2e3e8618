//! What everything costs.
use std::time::Duration;

use crate::base::format::Size;
use crate::base::time::nanos_of;

/// What one thing costs: evenly spread around the mean, by up to the jitter either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// On the average.
    pub mean: Duration,
    /// More or less by up to this.
    pub jitter: Duration,
}

/// A single picture that costs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlowFrame {
    /// Which picture a screen is given, counted from 1. A picture that is drawn again is not counted again.
    pub frame: u64,
    /// Drawing it costs exactly so much more.
    pub draw: Duration,
}

/// The table. All is nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Costs {
    /// The jitter's: the same one gives the same costs in the same order.
    pub seed: u64,
    /// Decoding, importing and drawing cost this for pictures of so many pixels, and proportionally for others; `None`:
    /// for any.
    pub per: Option<Size>,
    /// Opening an input.
    pub open: Cost,
    /// Going back to an input's start.
    pub seek: Cost,
    /// Until a new decoder's first frame, besides decoding it.
    pub first_frame: Cost,
    /// From one frame of a decoder to the next.
    pub decode: Cost,
    /// Making textures of a frame.
    pub import: Cost,
    /// Drawing a picture.
    pub draw: Cost,
    /// Handing a drawn picture to the display.
    pub commit: Cost,
    /// Pictures that cost more.
    pub slow: Vec<SlowFrame>,
}

impl Costs {
    /// What a cost that grows with the picture is for one of this size.
    pub fn for_picture(&self, cost: Cost, size: Size) -> Cost {
        let pixels = |it: Size| u64::from(it.width) * u64::from(it.height);
        let Some(per) = self.per.map(pixels).filter(|it| *it > 0) else { return cost };
        let scaled = |it: Duration| {
            let nanos = it.as_nanos().saturating_mul(u128::from(pixels(size))) / u128::from(per);
            Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        };
        Cost { mean: scaled(cost.mean), jitter: scaled(cost.jitter) }
    }

    /// What picture number `frame` costs besides.
    pub fn slow(&self, frame: u64) -> Duration {
        self.slow.iter().filter(|it| it.frame == frame).map(|it| it.draw).sum()
    }
}

/// A row of costs out of a seed: SplitMix64 (Steele, Lea, Flood 2014), whose every seed is as good as any other.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// The row number `row` of a seed; each user of one table takes a row of its own.
    pub fn new(seed: u64, row: u64) -> Self {
        let mut it = Self(seed);
        // Neighbouring rows must not be neighbouring states, which would be the same row, shifted.
        it.0 = it.next() ^ Self(row).next();
        it
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let it = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// What it costs this time; never less than nothing.
    pub fn of(&mut self, cost: Cost) -> Duration {
        let range = nanos_of(cost.jitter);
        if range == 0 {
            return cost.mean;
        }
        // The top 53 bits, as a number from 0 to 1, and so from -1 to 1.
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0;
        let nanos = nanos_of(cost.mean).saturating_add((share * range as f64) as i64);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Cost = Cost { mean: Duration::from_millis(12), jitter: Duration::from_millis(3) };

    #[test]
    fn jitter_is_repeatable_within_bounds_and_centred() {
        let row = |seed, row| {
            let mut jitter = Jitter::new(seed, row);
            (0..1000).map(|_| jitter.of(COST)).collect::<Vec<_>>()
        };
        let costs = row(4, 0);
        assert_eq!(costs, row(4, 0));
        assert_ne!(costs, row(4, 1));
        assert_ne!(costs, row(5, 0));
        assert!(costs.iter().all(|it| (9_000_000..=15_000_000).contains(&it.as_nanos())));
        let mean = costs.iter().sum::<Duration>() / 1000;
        assert!((11_800_000..12_200_000).contains(&mean.as_nanos()), "{mean:?}");
        let spread = costs.iter().max().unwrap().saturating_sub(*costs.iter().min().unwrap());
        assert!(spread > Duration::from_micros(5_900), "{spread:?}");
    }

    #[test]
    fn costs_grow_with_the_picture_where_the_table_says_so() {
        let per = Costs { per: Some(Size::new(1920, 1080)), ..Costs::default() };
        assert_eq!(per.for_picture(COST, Size::new(1920, 1080)), COST);
        assert_eq!(per.for_picture(COST, Size::new(960, 540)).mean, Duration::from_millis(3));
        assert_eq!(per.for_picture(COST, Size::new(960, 540)).jitter, Duration::from_micros(750));
        assert_eq!(Costs::default().for_picture(COST, Size::new(8, 8)), COST);
        let nothing = Costs { per: Some(Size::new(0, 8)), ..Costs::default() };
        assert_eq!(nothing.for_picture(COST, Size::new(8, 8)), COST);
    }

    #[test]
    fn only_the_slow_frame_is_slow() {
        let draw = Duration::from_millis(50);
        let costs = Costs { slow: vec![SlowFrame { frame: 120, draw }], ..Costs::default() };
        assert_eq!([119, 120, 121].map(|it| costs.slow(it)), [Duration::ZERO, draw, Duration::ZERO]);
    }
}
