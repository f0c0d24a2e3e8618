//! Sound of every layout and rate, in the sink's format, as long as it was.
use std::path::Path;

use lucarne::backend::software::audio_decoder::SoftwareAudioDecoderFactory;
use lucarne::base::audio::AudioFormat;
use lucarne::base::offer::Offer;
use lucarne::base::packet::{Packet, Track};
use lucarne::base::stream::AudioStream;
use lucarne::seam::audio_decoder::{AudioDecoder, AudioDecoderFactory, AudioEvent};
use lucarne::seam::demuxer::{Demuxed, Demuxer};

use crate::{media, player};

const STEREO: AudioFormat = AudioFormat { rate: 48_000, channels: 2 };

#[derive(Debug, Default)]
struct Heard {
    samples: Vec<f32>,
    blocks: Vec<(Option<i64>, u32, usize)>,
}

fn take(decoder: &mut dyn AudioDecoder, heard: &mut Heard) -> bool {
    loop {
        let before = heard.samples.len();
        match decoder.poll(&mut heard.samples).expect("sound data") {
            AudioEvent::Block { pts, lap, .. } => {
                let length = heard.samples.len() - before;
                assert!(length > 0, "a block is never empty");
                heard.blocks.push((pts.map(|it| it.nanos()), lap, length));
            }
            AudioEvent::Pending => return false,
            AudioEvent::Drained => return true,
        }
    }
}

fn feed(demuxer: &mut dyn Demuxer, decoder: &mut dyn AudioDecoder, lap: u32, heard: &mut Heard) {
    while let Demuxed::Packet(it) = demuxer.read().expect("it can be read") {
        if it.track != Track::Audio {
            continue;
        }
        let mut packet = Packet { lap, ..it };
        while let Offer::Refused(it) = decoder.submit(packet).expect("sound data") {
            packet = it;
            assert!(!take(decoder, heard));
        }
        take(decoder, heard);
    }
}

fn audio(demuxer: &dyn Demuxer) -> AudioStream {
    demuxer.info().audio.clone().expect("sound")
}

fn listen(path: &Path, output: AudioFormat, laps: u32) -> Heard {
    let mut demuxer = player::open(path);
    let mut decoder = SoftwareAudioDecoderFactory.open(&audio(demuxer.as_ref()), output).expect("it opens");
    let mut heard = Heard::default();
    for lap in 0..laps {
        if lap > 0 {
            demuxer.rewind().expect("it can be rewound");
            decoder.flush().expect("it flushes");
        }
        feed(demuxer.as_mut(), decoder.as_mut(), lap, &mut heard);
        decoder.drain().expect("it drains");
        assert!(take(decoder.as_mut(), &mut heard), "a drain ends");
        assert_eq!(decoder.poll(&mut heard.samples).expect("sound data"), AudioEvent::Pending, "Drained is said once");
    }
    heard
}

/// Root mean square of one channel, without the first and last fifth.
fn level(samples: &[f32], channel: usize, channels: usize) -> f64 {
    let it: Vec<f64> = samples.iter().skip(channel).step_by(channels).map(|it| f64::from(*it)).collect();
    let middle = &it[it.len() / 5..it.len() * 4 / 5];
    (middle.iter().map(|it| it * it).sum::<f64>() / middle.len() as f64).sqrt()
}

/// One second of a tone of amplitude 0.5 in the named channel of a layout, and silence in the others.
fn tone_in(channel: usize, channels: usize, layout: &str, rate: u32) -> String {
    let expressions: Vec<_> = (0..channels).map(|it| if it == channel { "0.5*sin(2*PI*440*t)" } else { "0" }).collect();
    format!("aevalsrc=exprs={}:channel_layout={layout}:sample_rate={rate}:duration=1", expressions.join("|"))
}

const PCM: &[&str] = &["-t", "1", "-c:v", "mpeg2video", "-c:a", "pcm_f32le"];

#[test]
fn any_layout_and_rate_lasts_as_long_in_the_sink_s() {
    for (layout, channels) in [("mono", 1), ("stereo", 2), ("5.1", 6), ("7.1", 8)] {
        for rate in [44_100, 48_000, 96_000] {
            let path = media::with_sound(&format!("{layout}-{rate}.mkv"), &tone_in(0, channels, layout, rate), PCM);
            assert_eq!(audio(player::open(&path).as_ref()).format, AudioFormat { rate, channels: channels as u16 });
            for output in [STEREO, AudioFormat { rate: 44_100, channels: 2 }, AudioFormat { rate: 48_000, channels: 1 }]
            {
                let heard = listen(&path, output, 1);
                let frames = heard.samples.len() / usize::from(output.channels);
                let error = frames as i64 - i64::from(output.rate);
                assert!(error.abs() <= 2, "{layout} {rate} to {output:?}: {frames}");
                assert_eq!(heard.blocks[0].0, Some(0), "{layout} {rate}");
                assert!(heard.samples.iter().all(|it| (-1.0..=1.0).contains(it)));
            }
        }
    }
}

#[test]
fn surround_is_mixed_down_by_the_usual_coefficients() {
    let amplitude = 0.5 / 2f64.sqrt();
    let half = std::f64::consts::FRAC_1_SQRT_2;
    // FL FR FC LFE BL BR
    for (channel, left, right) in
        [(0, 1.0, 0.0), (1, 0.0, 1.0), (2, half, half), (3, 0.0, 0.0), (4, half, 0.0), (5, 0.0, half)]
    {
        let path = media::with_sound(&format!("in-{channel}.mkv"), &tone_in(channel, 6, "5.1", 48_000), PCM);
        let heard = listen(&path, STEREO, 1);
        for (side, want) in [(0, left), (1, right)] {
            let got = level(&heard.samples, side, 2) / amplitude;
            assert!((got - want).abs() < 0.01, "channel {channel}, side {side}: {got}, want {want}");
        }
    }
}

#[test]
fn too_loud_a_mix_stays_within_full_scale() {
    let loud = "aevalsrc=exprs=0.9|0.9|0.9|0|0.9|0.9:channel_layout=5.1:sample_rate=48000:duration=1";
    let heard = listen(&media::with_sound("loud.mkv", loud, PCM), STEREO, 1);
    assert!(heard.samples.iter().all(|it| *it == 1.0));
}

#[test]
fn blocks_follow_each_other_without_a_gap() {
    for (name, codecs) in [
        ("aac.mp4", ["-c:v", "mpeg2video", "-c:a", "aac"]),
        ("mp2.ts", ["-c:v", "mpeg2video", "-c:a", "mp2"]),
        ("opus.mkv", ["-c:v", "mpeg2video", "-c:a", "libopus"]),
        ("mp3.avi", ["-c:v", "mpeg2video", "-c:a", "libmp3lame"]),
    ] {
        let path = media::with_sound(name, media::TONE, &codecs);
        for output in [STEREO, AudioFormat { rate: 44_100, channels: 2 }] {
            let heard = listen(&path, output, 1);
            let mut due: Option<f64> = None;
            for (pts, _, length) in &heard.blocks {
                let pts = pts.map(|it| it as f64);
                if let (Some(due), Some(pts)) = (due, pts) {
                    // Millisecond containers round; a tenth of a millisecond more is the resampler's own rounding.
                    assert!((pts - due).abs() < 1.1e6, "{name} to {output:?}: {due} and {pts}");
                }
                let start = pts.or(due).expect("the first block has a time");
                due = Some(start + *length as f64 / 2.0 / f64::from(output.rate) * 1e9);
            }
        }
    }
}

#[test]
fn looped_sound_is_the_same_each_time() {
    // Without noise substitution, which is random by design.
    let codecs = ["-c:v", "mpeg2video", "-c:a", "aac", "-aac_pns", "0"];
    let path = media::with_sound("loop.mp4", media::TONE, &codecs);
    for output in [STEREO, AudioFormat { rate: 44_100, channels: 2 }] {
        let heard = listen(&path, output, 3);
        let lap = |lap| heard.blocks.iter().filter(|it| it.1 == lap).map(|it| (it.0, it.2)).collect::<Vec<_>>();
        assert!(!lap(0).is_empty());
        assert_eq!(lap(1), lap(0));
        assert_eq!(lap(2), lap(0));
        let third = heard.samples.len() / 3;
        let pairs = heard.samples[..third].iter().zip(&heard.samples[third..2 * third]);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-6, "the same samples: {worst}");
    }
}

#[test]
fn a_stream_that_changes_its_rate_and_layout_goes_on() {
    let codecs = ["-c:v", "mpeg2video", "-c:a", "aac", "-ar", "44100", "-ac", "1"];
    let before = media::with_sound("mono.ts", media::TONE, &codecs);
    let codecs = ["-c:v", "mpeg2video", "-c:a", "aac", "-ar", "48000", "-ac", "6"];
    let after = media::with_sound("six.ts", media::TONE, &codecs);
    let (mut first, mut second) = (player::open(&before), player::open(&after));
    let mut decoder = SoftwareAudioDecoderFactory.open(&audio(first.as_ref()), STEREO).expect("it opens");
    let mut heard = Heard::default();
    feed(first.as_mut(), decoder.as_mut(), 0, &mut heard);
    feed(second.as_mut(), decoder.as_mut(), 1, &mut heard);
    decoder.drain().expect("it drains");
    assert!(take(decoder.as_mut(), &mut heard));
    let seconds = heard.samples.len() as f64 / 2.0 / 48_000.0;
    assert!((2.35..2.6).contains(&seconds), "{seconds} s");
    assert!(level(&heard.samples, 0, 2) > 0.05);
}

#[test]
fn sound_that_will_not_be_heard_is_not_read() {
    let path = media::with_sound("loop.mp4", media::TONE, &["-c:v", "mpeg2video", "-c:a", "aac"]);
    let options = lucarne::seam::demuxer::OpenOptions { without_audio: true, ..player::options() };
    let factory = lucarne::backend::software::demuxer::FfmpegDemuxerFactory;
    let name = path.to_str().expect("UTF-8");
    let mut demuxer = lucarne::seam::demuxer::DemuxerFactory::open(&factory, name, &options).expect("it opens");
    assert!(demuxer.info().audio.is_none());
    assert!(player::packets(demuxer.as_mut()).iter().all(|it| it.0 == Track::Video));
}
