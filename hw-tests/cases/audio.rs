//! Sound, as it arrives at the device.
use std::time::Duration;

use crate::case::{Bench, Case};
use crate::media;
use crate::rig::{Ability, Ended, Job};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "audio::a_tone_arrives_whole", needs: &[Ability::Recording], run: a_tone_arrives_whole },
    Case {
        name: "audio::a_device_that_vanishes_comes_back",
        needs: &[Ability::Recording, Ability::VirtualTime, Ability::Faults],
        run: a_device_that_vanishes_comes_back,
    },
    Case {
        name: "audio::a_stall_is_one_xrun_and_the_sound_keeps_its_place",
        needs: &[Ability::Recording, Ability::VirtualTime],
        run: a_stall_is_one_xrun_and_the_sound_keeps_its_place,
    },
];

/// How much shorter a tone may be than the film: it begins at zero, and is faded in.
const EDGE: f64 = 0.005;
/// A tone of 1 kHz is near zero for less than this.
const NO_GAP: f64 = 0.000_5;

fn seconds(it: f64) -> Duration {
    Duration::from_secs_f64(it)
}

/// Plays a film of so many seconds with a tone to the device that is recorded.
fn play(job: Job, seconds: u32) -> Job {
    let film = media::tone_film("320x180", "25", seconds);
    let words = "play tone.mkv --display headless --audio hw:Loopback,0,0 --size 320x180 --loop 1";
    job.push(&film, "tone.mkv").player(words.split(' '))
}

/// Every picture of a film of so many seconds was shown when it was due, whatever became of the sound.
#[track_caller]
fn pictures_went_on(end: &Ended, seconds: u32) {
    assert_eq!(end.figure("/frames_presented"), f64::from(25 * seconds), "{}", end.said());
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/frames_dropped_stale")), (0.0, 0.0));
    // 25 a second on 60 Hz: two or three refreshes each.
    let stood = longest_stand(end);
    assert!(stood <= 0.050_001, "a picture stood for {stood} s");
}

/// How long any picture stood, in seconds; but the first one, which waits for the sound to begin.
#[track_caller]
fn longest_stand(end: &Ended) -> f64 {
    let frames = end.frames();
    let longest = frames[1..].windows(2).map(|it| it[1].presented_us - it[0].presented_us).max();
    longest.expect("several frames") as f64 / 1e6
}

fn a_tone_arrives_whole(bench: &Bench<'_>) {
    let length = bench.amount(5, 60);
    let end = bench.run(play(bench.job().record(), length).finish()).done();
    let recording = end.recording();
    assert_eq!(recording.channels.len(), 2);
    let wanted = f64::from(length) - EDGE..f64::from(length) + bench.expected("audio.tail_s");
    for channel in 0..2 {
        let (from, to) = recording.heard(channel).expect("the tone is heard");
        assert!(wanted.contains(&(to - from)), "the tone lasts {} s", to - from);
        let gap = recording.longest_gap(channel);
        assert!(gap < NO_GAP, "a gap of {gap} s");
    }
    assert_eq!(end.figure("/audio/xruns"), 0.0);
    assert_eq!(end.figure("/audio/clock_switches"), 0.0);
    pictures_went_on(&end, length);
}

/// The driver of the sound card is taken away and given back, as when a USB sound card is pulled out.
fn a_device_that_vanishes_comes_back(bench: &Bench<'_>) {
    const DRIVER: &str = "/sys/bus/platform/drivers/snd_aloop";
    let times = bench.amount(1, 20);
    let length = 4 + 6 * times;
    let mut job = play(bench.job(), length).wait(seconds(2.0));
    for time in 1..=times {
        job = job.shell(&format!("echo snd_aloop.0 >{DRIVER}/unbind")).wait(seconds(2.0));
        job = job.shell(&format!("echo snd_aloop.0 >{DRIVER}/bind"));
        // The recorder went with the first device. It must be there before the player is, whose format it has to take
        // else.
        job = if time == times { job.record() } else { job }.wait(seconds(4.0));
    }
    let end = bench.run(job.finish()).done();
    pictures_went_on(&end, length);
    // From the device to the system's clock and back, each time.
    assert_eq!(end.figure("/audio/clock_switches"), f64::from(2 * times), "{}", end.said());
    assert_eq!(end.said().matches("No such device").count(), times as usize, "{}", end.said());
    let recording = end.recording();
    let (from, to) = recording.heard(0).expect("the tone is heard again");
    // It is 6 s to the film's end, and the player looks for the device again within two.
    assert!(4.0 < to - from, "only {} s of the tone came after the device's return", to - from);
    assert!(recording.longest_gap(0) < NO_GAP, "a gap of {} s", recording.longest_gap(0));
}

/// The player stands still for longer than the device's ring holds, as when a machine is overloaded.
fn a_stall_is_one_xrun_and_the_sound_keeps_its_place(bench: &Bench<'_>) {
    let length = 6;
    let job = play(bench.job().record(), length).wait(seconds(2.0));
    let end = bench.run(job.signal("STOP").wait(seconds(0.3)).signal("CONT").finish()).done();
    assert_eq!(end.figure("/audio/xruns"), 1.0);
    let recording = end.recording();
    // The gap is what the ring (200 ms, of which 150 were filled) could not bridge; and what was due in it is not played
    // late, or the tone would last longer than the film.
    let gap = recording.longest_gap(0);
    assert!((0.1..0.3).contains(&gap), "a gap of {gap} s");
    let (from, to) = recording.heard(0).expect("the tone is heard");
    let wanted = f64::from(length) - EDGE..f64::from(length) + bench.expected("audio.tail_s");
    assert!(wanted.contains(&(to - from)), "the tone lasts {} s", to - from);
    // The picture stood still as long as the player, and no longer than it takes to show the next one.
    let stood = longest_stand(&end);
    assert!((0.3..0.351).contains(&stood), "a picture stood for {stood} s");
}
