//! Sound, as it arrives at the device.
use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Job};

/// The cases of this file.
pub const CASES: &[Case] =
    &[Case { name: "audio::a_tone_arrives_whole", needs: &[Ability::Recording], run: a_tone_arrives_whole }];

/// Plays a film with a tone to the device that is recorded.
fn play(bench: &Bench<'_>, seconds: u32) -> Job {
    let film = media::tone_film("320x180", "25", seconds);
    let words = "play tone.mkv --display headless --audio hw:Loopback,0,0 --size 320x180 --loop 1";
    bench.job().push(&film, "tone.mkv").record().player(words.split(' '))
}

fn a_tone_arrives_whole(bench: &Bench<'_>) {
    let seconds = bench.amount(5, 60);
    let end = bench.run(play(bench, seconds).finish()).done();
    let recording = end.recording();
    assert_eq!(recording.channels.len(), 2);
    for channel in 0..2 {
        let (from, to) = recording.heard(channel).expect("the tone is heard");
        let length = to - from;
        let tail = bench.expected("audio.tail_s");
        assert!((f64::from(seconds) - 0.01..f64::from(seconds) + tail).contains(&length), "the tone lasts {length} s");
        assert!(recording.longest_gap(channel) < 0.001, "a gap of {} s", recording.longest_gap(channel));
    }
    assert_eq!(end.figure("/xruns"), 0.0);
}
