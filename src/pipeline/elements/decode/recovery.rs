//! Opening decoders, and going on with another where one failed.
use crate::base::stats::Fallback as Noted;
use crate::base::stream::VideoStream;
use crate::logic::fallback::{Failure, Fallback, Instead};
use crate::pipeline::elements::decode::Decode;
use crate::seam::decoder::DecodeError;

impl Decode {
    /// Opens a decoder for a stream, of the first kind at or behind `from` that takes it.
    fn open(&mut self, stream: Box<VideoStream>, from: usize) -> Result<(), String> {
        let opened = self.candidates.open(&stream, from, self.now);
        let (kind, decoder, failed) = opened.map_err(|refusals| format!("no decoder takes it ({refusals})"))?;
        if self.can_be_followed(kind) {
            self.replay.reserve();
        }
        self.claims_dmabufs = self.candidates.gives_dmabufs(kind, &stream);
        (self.decoder, self.kind, self.stream, self.repeated) = (Some(decoder), kind, Some(stream), 0);
        self.shared.state().decoders_opened += 1;
        if let Some((from, error)) = failed {
            let to = self.candidates.name(kind);
            log::warn!("{}: {from} failed: {error}; using {to}", self.name);
            let noted = Noted { from: from.to_owned(), to: to.to_owned(), reason: error.to_string() };
            self.shared.state().fallbacks.push(noted);
            self.candidates.health.rests().gave_up(from, self.now);
        }
        Ok(())
    }

    pub(super) fn open_new(&mut self, stream: Box<VideoStream>) {
        self.fallback = Fallback::new();
        if let Err(reason) = self.open(stream, 0) {
            self.fail(&format!("{reason}; convert it to H.264 first"));
        }
    }

    pub(super) fn can_be_followed(&self, kind: usize) -> bool {
        self.candidates.has_next(kind)
    }

    /// The decoder copies though it says that it does not: frames will take another way than they should. One that counts
    /// what it had to convert, to deinterlace or to put elsewhere has told of it.
    pub(super) fn look_into_broken_claim(&mut self) {
        let counted = self.decoder.as_ref().map(|it| it.stats()).unwrap_or_default();
        if 0 < counted.converted + counted.deinterlaced + counted.ordinary {
            return;
        }
        let name = self.candidates.name(self.kind);
        let reason = "its frames are in ordinary memory, though it said that they are in dma-bufs";
        log::warn!("{}: {name}: {reason}", self.name);
        let noted = Noted { from: name.to_owned(), to: name.to_owned(), reason: reason.to_owned() };
        self.shared.state().fallbacks.push(noted);
    }

    /// The decoder is taken away; what it counted stays.
    pub(super) fn close_decoder(&mut self) {
        self.publish();
        self.before = self.shared.state().decoder;
        (self.decoder, self.repeated) = (None, 0);
    }

    /// The decoder failed: another takes over where it was, if there is one.
    pub(super) fn broke(&mut self, error: &DecodeError) {
        let failure = match error {
            DecodeError::Stalled { .. } | DecodeError::Device { .. } => Failure::Broke,
            DecodeError::Unsupported { .. } | DecodeError::CorruptStream { .. } => Failure::Unable,
            DecodeError::OverLimit { .. } => return self.fail(&error.to_string()),
        };
        let (from, stream) = (self.candidates.name(self.kind), self.stream.take());
        let (true, Some(stream)) = (self.can_be_followed(self.kind), stream) else {
            return self.fail(&error.to_string());
        };
        let instead = self.fallback.failed(failure, self.now);
        // Before the next is opened: two of one kind may be one too many.
        self.close_decoder();
        let first = self.kind + usize::from(instead == Instead::Next);
        let failed = self.kind;
        if let Err(reason) = self.open(stream, first) {
            return self.fail(&format!("{error}; {reason}"));
        }
        let mut rests = self.candidates.health.rests();
        // Unless it failed again while it was opened, and rests for that.
        if self.kind != failed && !rests.is_resting(from, self.now) {
            rests.gave_up(from, self.now);
        }
        drop(rests);
        let to = self.candidates.name(self.kind);
        log::warn!("{}: {from} failed: {error}; going on with {to} from the last resume point", self.name);
        let fallback = Noted { from: from.to_owned(), to: to.to_owned(), reason: error.to_string() };
        self.shared.state().fallbacks.push(fallback);
        self.replay.begin(self.packet.take());
        self.to_drain = self.draining.take().or(self.to_drain);
        self.resume_after = self.handed_on;
        self.undecodable = 0;
    }
}
