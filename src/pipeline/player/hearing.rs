//! The clock and the sound: what is heard leads the pictures, and the pictures' clock says where sound belongs.
use std::time::Duration;

use crate::base::stats::Histogram;
use crate::base::time::MonoTime;
use crate::logic::master_clock::ClockSource;
use crate::pipeline::elements::sound::board::SoundState;
use crate::pipeline::player::Player;

/// How long the first picture waits for the sound to begin before the clock starts without it.
const SOUND_PATIENCE: Duration = Duration::from_millis(400);

impl Player {
    /// Lets the clock follow what is heard.
    pub(super) fn listen(&mut self, now: MonoTime) {
        if self.sound.is_none() || self.paused {
            return;
        }
        {
            let report = self.board.report();
            self.heard.state = report.state;
            self.heard.heard = report.heard;
            if self.heard.trusted && !report.trusted {
                // What was measured against a device that does not keep time says nothing.
                self.stats.av_offset = Histogram::default();
            }
            self.heard.trusted = report.trusted;
            self.heard.xruns = report.xruns;
            self.heard.realigned = report.realigned;
            self.heard.format = report.format;
            if self.heard.device != report.device {
                self.heard.device.clone_from(&report.device);
            }
        }
        if !self.clock.is_running() {
            return;
        }
        match (self.heard.state, self.heard.heard) {
            (SoundState::Playing, Some((media, at))) if self.heard.trusted => self.clock.observe(now, media, at),
            _ if self.clock.source() == ClockSource::Audio => self.clock.audio_lost(now),
            _ => {}
        }
    }

    /// Starts the clock once the first picture is on the screen: with the sound where there is one.
    pub(super) fn start_clock(&mut self, now: MonoTime) {
        let (Some(shown), Some(pts)) = (self.first_shown, self.on_screen_pts) else { return };
        if self.clock.is_running() || self.paused {
            return;
        }
        let sound_may_come = self.sound.is_some() && self.heard.state != SoundState::Lost && self.heard.trusted;
        match self.heard.heard {
            Some((media, at)) if sound_may_come => self.clock.start(at, media),
            _ if sound_may_come && now.saturating_since(shown) < SOUND_PATIENCE => {}
            _ => self.clock.start(shown, pts),
        }
    }

    pub(super) fn tell_sound(&mut self) {
        if self.sound.is_none() {
            return;
        }
        let mut programme = self.board.programme();
        self.programme.write_segments(&mut programme.segments);
        programme.clock = self.clock.clone();
        programme.begin = programme.begin.or(self.first_shown.and(self.on_screen_pts));
        programme.paused = self.paused;
    }
}
