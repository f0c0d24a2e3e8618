//! From `f32` to what the device takes.

/// Sample formats we can write, all little endian, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleFormat {
    /// 32-bit float.
    F32,
    /// 32-bit signed.
    S32,
    /// 16-bit signed.
    S16,
}

impl SampleFormat {
    /// In the order in which a device is asked.
    pub const PREFERRED: [SampleFormat; 3] = [SampleFormat::F32, SampleFormat::S32, SampleFormat::S16];

    /// Bytes of one sample.
    pub const fn bytes(self) -> usize {
        match self {
            SampleFormat::F32 | SampleFormat::S32 => 4,
            SampleFormat::S16 => 2,
        }
    }

    /// Converts samples to device bytes, as many as both slices hold. What is outside -1..=1 is clipped; what is not a
    /// number is silence.
    pub fn encode(self, samples: &[f32], bytes: &mut [u8]) {
        match self {
            SampleFormat::F32 => encode_each(samples, bytes, |it| {
                let it = if it.is_nan() { 0.0 } else { it };
                it.clamp(-1.0, 1.0).to_le_bytes()
            }),
            // The cast clips: 1.0 is one code more than there is. f64, since f32 has not the digits.
            SampleFormat::S32 => encode_each(samples, bytes, |it| {
                ((f64::from(it) * 2_147_483_648.0).round_ties_even() as i32).to_le_bytes()
            }),
            SampleFormat::S16 => {
                encode_each(samples, bytes, |it| ((it * 32_768.0).round_ties_even() as i16).to_le_bytes())
            }
        }
    }
}

fn encode_each<const N: usize>(samples: &[f32], bytes: &mut [u8], encode: impl Fn(f32) -> [u8; N]) {
    for (sample, out) in samples.iter().zip(bytes.as_chunks_mut::<N>().0) {
        *out = encode(*sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s16(sample: f32) -> i16 {
        let mut bytes = [0; 2];
        SampleFormat::S16.encode(&[sample], &mut bytes);
        i16::from_le_bytes(bytes)
    }
    fn s32(sample: f32) -> i32 {
        let mut bytes = [0; 4];
        SampleFormat::S32.encode(&[sample], &mut bytes);
        i32::from_le_bytes(bytes)
    }
    fn f32le(sample: f32) -> f32 {
        let mut bytes = [0; 4];
        SampleFormat::F32.encode(&[sample], &mut bytes);
        f32::from_le_bytes(bytes)
    }

    #[test]
    fn full_scale_is_full_scale_and_more_is_clipped() {
        for (sample, want16, want32, want_float) in [
            (0.0, 0, 0, 0.0),
            (0.5, 1 << 14, 1 << 30, 0.5),
            (-0.5, -(1 << 14), -(1 << 30), -0.5),
            (1.0, i16::MAX, i32::MAX, 1.0),
            (-1.0, i16::MIN, i32::MIN, -1.0),
            (7.0, i16::MAX, i32::MAX, 1.0),
            (f32::NEG_INFINITY, i16::MIN, i32::MIN, -1.0),
            (f32::NAN, 0, 0, 0.0),
        ] {
            assert_eq!((s16(sample), s32(sample), f32le(sample)), (want16, want32, want_float), "{sample}");
        }
    }

    #[test]
    fn every_16_bit_code_survives_the_way_through_float() {
        for code in i16::MIN..=i16::MAX {
            assert_eq!(s16(f32::from(code) / 32_768.0), code);
        }
    }
}
