//! Packets as a decoder in hardware wants them: whole access units with start codes, and the parameter sets first at each
//! resume point.
use crate::base::packet::Packet;
use crate::base::stream::VideoStream;
use crate::seam::decoder::DecodeError;
use crate::sys::ffmpeg::{self, AvError, BitstreamFilter, Parameters};
use crate::sys::v4l2::FourCc;

/// FFmpeg's name of a codec, and the kernel's of the same as a stream of access units (V4L2_PIX_FMT_...). `fwht` is the
/// kernel's test codec, which no file has.
const CODECS: [(&str, FourCc); 9] = [
    ("h264", FourCc::new(b"H264")),
    ("hevc", FourCc::new(b"HEVC")),
    ("mpeg2video", FourCc::new(b"MPG2")),
    ("mpeg1video", FourCc::new(b"MPG1")),
    ("mpeg4", FourCc::new(b"MPG4")),
    ("h263", FourCc::new(b"H263")),
    ("vp8", FourCc::new(b"VP80")),
    ("vp9", FourCc::new(b"VP90")),
    ("fwht", FourCc::new(b"FWHT")),
];

/// The kernel's name of a codec.
pub(super) fn fourcc_of(codec: &str) -> Option<FourCc> {
    CODECS.iter().find(|it| it.0 == codec).map(|it| it.1)
}

/// FFmpeg's name of it.
pub(super) fn codec_of(fourcc: FourCc) -> Option<&'static str> {
    CODECS.iter().find(|it| it.1 == fourcc).map(|it| it.0)
}

/// Prepares one stream's packets.
#[derive(Debug)]
pub(super) struct Coder {
    codec: String,
    filter: Option<BitstreamFilter>,
    /// What goes before the first packet, where that does not bring it.
    headers: Vec<u8>,
    needs_headers: bool,
}

impl Coder {
    pub(super) fn new(stream: &VideoStream) -> Result<Self, DecodeError> {
        let described = &stream.parameters;
        let codec = described.codec.clone();
        let failed = |it: AvError| DecodeError::Unsupported { codec: codec.clone(), reason: it.to_string() };
        let (mut filter, mut headers) = (None, Vec::new());
        match codec.as_str() {
            "h264" | "hevc" => {
                ffmpeg::initialise();
                let made;
                let native = described.native.as_ref().and_then(|it| it.as_any().downcast_ref());
                let parameters = match native {
                    Some(it) => it,
                    None => {
                        made = Parameters::of_codec(&codec, &described.extra, stream.size).map_err(failed)?;
                        &made
                    }
                };
                filter = BitstreamFilter::to_annex_b(parameters).map_err(failed)?;
                if let Some(it) = &filter {
                    headers = it.output().map_err(failed)?.extra().to_vec();
                }
                // In MP4's own wrapping still: the filter had nothing to make of it.
                if headers.first() == Some(&1) {
                    headers.clear();
                }
            }
            "mpeg4" | "mpeg2video" | "mpeg1video" => headers = described.extra.to_vec(),
            _ => {}
        }
        Ok(Self { codec, filter, headers, needs_headers: true })
    }

    /// The packet as the decoder wants it, and what is to go before it in the same buffer.
    pub(super) fn prepare(&mut self, packet: Packet) -> Result<Option<(&[u8], Packet)>, DecodeError> {
        let packet = match &mut self.filter {
            None => packet,
            Some(filter) => {
                let corrupt =
                    |it: AvError| DecodeError::CorruptStream { codec: self.codec.clone(), reason: it.to_string() };
                filter.submit(&packet).map_err(corrupt)?;
                let Some(filtered) = filter.poll().map_err(corrupt)? else { return Ok(None) };
                filtered
            }
        };
        let first = std::mem::take(&mut self.needs_headers);
        let headers: &[u8] = if first && !has_headers(&self.codec, packet.data.bytes()) { &self.headers } else { &[] };
        Ok(Some((headers, packet)))
    }

    /// The next packet is a resume point.
    pub(super) fn flush(&mut self) {
        if let Some(it) = &mut self.filter {
            it.flush();
        }
        self.needs_headers = true;
    }
}

/// Whether an access unit brings its own parameter sets before its first slice.
fn has_headers(codec: &str, bytes: &[u8]) -> bool {
    // The unit's kind by its first byte, and which kinds are a sequence's parameters and a slice.
    let kind_of = |byte: u8| match codec {
        "h264" => Some((byte & 0x1f, 7, 1..=5)),
        "hevc" => Some((byte >> 1 & 0x3f, 33, 0..=31)),
        _ => None,
    };
    for (at, code) in bytes.windows(3).enumerate() {
        if code != [0, 0, 1] {
            continue;
        }
        let Some((kind, parameters, slices)) = bytes.get(at + 3).copied().and_then(kind_of) else { return false };
        if kind == parameters {
            return true;
        }
        if slices.contains(&kind) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_sets_count_before_the_first_slice_only() {
        let (sps, slice, aud) = ([0, 0, 1, 0x67, 9], [0, 0, 1, 0x65, 9], [0, 0, 0, 1, 0x09, 0x10]);
        assert!(has_headers("h264", &[&aud[..], &sps, &slice].concat()));
        assert!(!has_headers("h264", &[&aud[..], &slice, &sps].concat()));
        assert!(has_headers("hevc", &[0, 0, 1, 33 << 1, 1]));
        assert!(!has_headers("hevc", &[0, 0, 1, 19 << 1, 1]));
        assert!(!has_headers("h264", &[0, 0, 1]));
        assert!(!has_headers("vp8", &sps));
    }

    #[test]
    fn names_go_both_ways() {
        for (codec, fourcc) in CODECS {
            assert_eq!((fourcc_of(codec), codec_of(fourcc)), (Some(fourcc), Some(codec)));
        }
        assert_eq!(fourcc_of("prores"), None);
    }
}
