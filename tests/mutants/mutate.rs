//! Damage to files, as disks, networks, broken encoders and attackers do it. Everything follows from a seed.

/// A small random generator (xorshift64*): the same numbers from the same seed on every machine.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds give unlike numbers, and none gives the one state it could not leave.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        (self.roll() >> 16) as usize % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        (self.roll() >> 32) as u8
    }
}

/// Numbers that parsers of lengths and counts get wrong.
const AWKWARD: [u32; 10] = [0, 1, 7, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/// One of the ways to damage `bytes`, which are never longer than twice as long afterwards.
pub fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    // Headers are short and steer everything: half of all damage goes there, to either end of the file.
    let len = bytes.len();
    let (begin, end) = match dice.below(4) {
        0 => (0, len.min(600)),
        1 => (len.saturating_sub(1500), len),
        _ => (0, len),
    };
    let at = |dice: &mut Dice| begin + dice.below(end - begin);
    match dice.below(9) {
        // Single bits.
        0 => {
            for _ in 0..1 + dice.below(8) {
                let place = at(dice);
                flip(bytes, place, 1 << dice.below(8));
            }
        }
        // Whole bytes.
        1 => {
            for _ in 0..1 + dice.below(30) {
                let (place, with) = (at(dice), dice.byte());
                flip(bytes, place, with);
            }
        }
        // A hole of zeros, or of ones.
        2 => {
            let (from, fill) = (at(dice), if dice.below(2) == 0 { 0 } else { 0xff });
            let to = (from + 1 + dice.below(512)).min(len);
            bytes[from.min(to)..to].fill(fill);
        }
        // The end is missing.
        3 => bytes.truncate(1 + at(dice)),
        // Something that does not belong there.
        4 => {
            let place = at(dice);
            let more: Vec<u8> = (0..1 + dice.below(64)).map(|_| dice.byte()).collect();
            bytes.splice(place..place, more);
        }
        // Something is missing.
        5 => {
            let from = at(dice);
            let to = (from + 1 + dice.below(256)).min(len);
            bytes.drain(from.min(to)..to);
        }
        // Two places have changed their contents.
        6 => {
            let size = 1 + dice.below(188);
            let (one, other) = (at(dice), at(dice));
            for offset in 0..size {
                if one + offset < len && other + offset < len {
                    bytes.swap(one + offset, other + offset);
                }
            }
        }
        // A place is there twice.
        7 => {
            let from = at(dice);
            let to = (from + 1 + dice.below(1024)).min(len);
            let again = bytes[from.min(to)..to].to_vec();
            let place = at(dice);
            bytes.splice(place..place, again);
        }
        // A length or a count that is wrong, in either byte order.
        _ => {
            for _ in 0..1 + dice.below(3) {
                let (place, value) = (at(dice), AWKWARD[dice.below(AWKWARD.len())]);
                let value = if dice.below(2) == 0 { value.to_be_bytes() } else { value.to_le_bytes() };
                let size = [1, 2, 4][dice.below(3)];
                for (offset, it) in value[..size].iter().enumerate() {
                    if let Some(byte) = bytes.get_mut(place + offset) {
                        *byte = *it;
                    }
                }
            }
        }
    }
}

fn flip(bytes: &mut [u8], at: usize, with: u8) {
    if let Some(it) = bytes.get_mut(at) {
        *it ^= with;
    }
}

/// The mutant of `whole` with this seed: damaged once, twice or three times.
pub fn mutant(whole: &[u8], seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    let mut bytes = whole.to_vec();
    for _ in 0..1 + dice.below(3) {
        damage(&mut bytes, &mut dice);
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}
