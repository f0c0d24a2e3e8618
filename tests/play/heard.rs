//! What is heard: the film's own sound, with its pictures, and nothing that is not in it.
use std::process::Command;
use std::time::Duration;

use lucarne::backend::headless::audio_sink::HeadlessSinkParams;

use crate::listener::{self, RATE};
use crate::media::made;
use crate::program::bigbuckbunny;

/// The sound of a film in stereo, mixed and resampled by ffmpeg; one channel.
fn by_ffmpeg(film: &str, channel: usize) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i", film, "-vn", "-ac", "2", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .expect("the ffmpeg program is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples = output.stdout.chunks_exact(4).map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]]));
    samples.skip(channel).step_by(2).collect()
}

/// Pearson's correlation of the overlap when `got` is taken from `lag` on.
fn correlation(got: &[f32], want: &[f32], lag: usize) -> f64 {
    let n = want.len().min(got.len().saturating_sub(lag));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in got[lag..lag + n].iter().zip(&want[..n]) {
        let (x, y) = (f64::from(*x), f64::from(*y));
        (xy, xx, yy) = (xy + x * y, xx + x * x, yy + y * y);
    }
    if xx * yy == 0.0 { 0.0 } else { xy / (xx * yy).sqrt() }
}

/// The lag at which they are most alike, and how much. First on every eighth of the smoothed samples, then on all.
fn best_lag(got: &[f32], want: &[f32], most: usize) -> (usize, f64) {
    const STEP: usize = 8;
    let coarse = |it: &[f32]| it.chunks(STEP).map(|it| it.iter().sum::<f32>()).collect::<Vec<_>>();
    let (rough_got, rough_want) = (coarse(got), coarse(want));
    let best =
        |lags: &mut dyn Iterator<Item = (usize, f64)>| lags.max_by(|a, b| a.1.total_cmp(&b.1)).expect("there is a lag");
    let rough = best(&mut (0..most / STEP).map(|lag| (lag, correlation(&rough_got, &rough_want, lag)))).0 * STEP;
    best(&mut (rough.saturating_sub(2 * STEP)..rough + 2 * STEP).map(|lag| (lag, correlation(got, want, lag))))
}

#[test]
fn surround_sound_is_heard_in_stereo_with_its_pictures() {
    let film = bigbuckbunny();
    let film = film.to_str().unwrap();
    // Periods of a millisecond: the device knows where it is.
    let fine = HeadlessSinkParams { period: Duration::from_millis(1), ..HeadlessSinkParams::default() };
    let heard = listener::play(&[film], 1, |_| fine);
    assert_eq!((heard.frames.len(), heard.xruns, heard.trusted), (132, 0, true));
    let second = RATE as usize;
    for channel in 0..2 {
        let want = by_ffmpeg(film, channel);
        let got = heard.channel(channel);
        let (lag, alike) = best_lag(&got, &want[..4 * second], second);
        assert!(0.99 < alike, "channel {channel}: correlation {alike:.4} at {lag}");
        let other = correlation(&got, &by_ffmpeg(film, 1 - channel)[..4 * second], lag);
        assert!(other < alike, "the channels are not swapped: {other} {alike}");
        // Each picture against the moment its sound was heard.
        let mut off: Vec<f64> = heard.frames[1..]
            .iter()
            .map(|(pts, shown)| {
                let frame = lag + (pts.as_secs_f64() * f64::from(RATE)) as usize;
                shown.delta_nanos(heard.heard_at(frame)) as f64 / 1e6
            })
            .collect();
        off.sort_by(f64::total_cmp);
        let (median, worst) = (off[off.len() / 2], off[0].abs().max(off[off.len() - 1].abs()));
        assert!(median.abs() <= 20.0, "channel {channel}: pictures {median:.1} ms behind the sound");
        assert!(worst <= 40.0, "channel {channel}: a picture {worst:.1} ms off the sound");
    }
}

/// Twenty-five pictures and 440 periods of a tone: it goes on across the seam as if there were none.
fn tone(name: &str, codec: &[&str]) -> String {
    let picture = "testsrc2=size=64x36:rate=25:duration=1";
    let sound = "sine=frequency=440:sample_rate=48000:duration=1,aformat=channel_layouts=stereo";
    let inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:v", "mjpeg", "-c:a"];
    made(name, &[&inputs[..], codec].concat()).to_str().unwrap().to_owned()
}

/// A tone that is looped: no step larger than its own, no hole.
#[track_caller]
fn check_tone(inputs: &[&str], turns: u32) {
    let heard = listener::play(inputs, turns, |_| HeadlessSinkParams::default());
    assert_eq!(heard.xruns, 0);
    let samples = heard.channel(0);
    let loudest = samples.iter().fold(0.0f32, |a, b| a.max(b.abs()));
    let begin = samples.iter().position(|it| loudest / 2.0 < it.abs()).expect("there is a tone");
    let end = samples.iter().rposition(|it| loudest / 2.0 < it.abs()).expect("there is a tone");
    let seconds = (end - begin) as f64 / f64::from(RATE);
    assert!((seconds - f64::from(turns * inputs.len() as u32)).abs() < 0.1, "{seconds} s of a tone");
    let own = 2.0 * std::f32::consts::PI * 440.0 / RATE as f32 * loudest;
    for (index, pair) in samples[begin..end].windows(2).enumerate() {
        let step = (pair[1] - pair[0]).abs();
        let at = index as f64 / f64::from(RATE);
        assert!(step <= own * 1.3, "a click at {at:.4} s: a step of {step}, the tone's own are {own}");
    }
    // Ten periods always have the tone's power, or nearly so where two of them are joined.
    for (index, part) in samples[begin..end].chunks_exact(RATE as usize / 44).enumerate() {
        let power = part.iter().map(|it| it * it).sum::<f32>() / part.len() as f32;
        assert!(0.35 * loudest * loudest < 2.0 * power, "a hole at {:.3} s", index as f64 / 44.0);
    }
}

#[test]
fn a_loop_is_heard_without_a_click() {
    check_tone(&[&tone("tone.avi", &["pcm_s16le"])], 4);
    check_tone(&[&tone("tone.mp4", &["aac", "-b:a", "192k"])], 4);
}

#[test]
fn the_seam_between_two_items_is_heard_without_a_click() {
    check_tone(&[&tone("tone.avi", &["pcm_s16le"]), &tone("tone.mkv", &["flac"])], 2);
}
