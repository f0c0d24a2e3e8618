//! What the decoder is given: packets from the link, or those that the decoder before had been given.
use crate::base::offer::Offer;
use crate::pipeline::deck::Coded;
use crate::pipeline::elements::decode::{After, Decode};

impl Decode {
    fn drain(&mut self, after: After) {
        let Some(decoder) = &mut self.decoder else {
            return self.drained(after);
        };
        self.draining = Some(after);
        if let Err(error) = decoder.drain() {
            self.complain(error);
        }
    }

    /// Takes the next item of the link; `true` when something moved.
    pub(super) fn feed_decoder(&mut self) -> bool {
        let packet = match self.packet.take().or_else(|| self.replay.next()) {
            Some(packet) => packet,
            None if self.to_drain.is_some() => {
                if let Some(after) = self.to_drain.take() {
                    self.drain(after);
                }
                return true;
            }
            None => match self.input.take() {
                Some(Coded::Packet(packet)) => packet,
                Some(Coded::LapEnd) => {
                    self.drain(After::Lap);
                    return true;
                }
                Some(Coded::End) => {
                    self.finish();
                    return true;
                }
                Some(Coded::Open(stream)) if self.decoder.is_some() => {
                    self.next_stream = Some(stream);
                    self.drain(After::Reopen);
                    return true;
                }
                Some(Coded::Open(stream)) => {
                    self.open_new(stream);
                    return true;
                }
                None => return false,
            },
        };
        let keeps = self.can_be_followed(self.kind);
        let Some(decoder) = &mut self.decoder else { return true };
        if self.replay.is_useless(&packet) {
            return true;
        }
        let spare = keeps.then(|| packet.clone());
        let offered = decoder.submit(packet);
        match (offered, spare) {
            (Ok(Offer::Refused(packet)), _) => {
                self.packet = Some(packet);
                return false;
            }
            (Ok(Offer::Taken), Some(spare)) => self.replay.keep(spare),
            (Ok(Offer::Taken), None) => {}
            (Err(error), spare) => {
                spare.into_iter().for_each(|it| self.replay.keep(it));
                self.complain(error);
            }
        }
        true
    }
}
