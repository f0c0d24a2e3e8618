//! Feed and decode, stepped by hand.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lucarne::base::offer::FlowPolicy;
use lucarne::base::packet::{Packet, Track};
use lucarne::base::stream::VideoStream;
use lucarne::base::time::{MediaTime, MonoTime};
use lucarne::logic::flow::{ItemMeta, Limits};
use lucarne::pipeline::deck::{AudioLink, Coded, DeckItem, DeckShared, FrameLink, Phase, Picture, VideoLink};
use lucarne::pipeline::elements::decode::{Candidates, Decode};
use lucarne::pipeline::elements::feed::{Feed, FeedOptions};
use lucarne::pipeline::link::Link;
use lucarne::pipeline::runner::{Progress, Step, step_until_wait};
use lucarne::seam::decoder::DecoderFactory;
use lucarne::seam::wait::Wake;

use crate::codec::{BREAKS, Blocks, CORRUPT};
use crate::film::{Beat, Film, Opening, Shelf, at_ms, audio, packet, video, video_stream};

const START: MonoTime = MonoTime::from_nanos(1_000_000_000);

/// Counts how often it was woken.
#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct FeedBench {
    feed: Feed,
    shared: Arc<DeckShared>,
    video: VideoLink,
    audio: AudioLink,
    shelf: Arc<Shelf>,
    now: MonoTime,
}

fn feed(openings: Vec<Opening>, laps: Option<u32>, limits: Limits) -> FeedBench {
    let shelf = Arc::new(Shelf::default());
    shelf.put("film", openings);
    let shared = Arc::new(DeckShared::default());
    let (video, audio) = (Link::new(FlowPolicy::Block, limits), Link::new(FlowPolicy::Block, limits));
    let item = DeckItem { input: "film".into(), duration: None, still: Duration::from_secs(1), laps };
    let options = FeedOptions { item, timeout: Duration::from_secs(1), without_audio: false };
    let player: Arc<dyn Wake> = Arc::new(Count::default());
    let feed = Feed::new(options, shared.clone(), video.clone(), audio.clone(), shelf.clone(), player);
    FeedBench { feed, shared, video, audio, shelf, now: START }
}

/// What came through a link: pts in ms, and the names of events.
fn coded<S>(link: &Link<Coded<S>>) -> Vec<String> {
    std::iter::from_fn(|| link.take())
        .map(|it| match it {
            Coded::Open(_) => "open".to_owned(),
            Coded::Packet(it) => it.pts.map_or("untimed".to_owned(), |it| (it.nanos() / 1_000_000).to_string()),
            Coded::LapEnd => "lap".to_owned(),
            Coded::End => "end".to_owned(),
        })
        .collect()
}

impl FeedBench {
    fn step(&mut self) -> Progress {
        step_until_wait(&mut self.feed, self.now, 1000)
    }
    /// The first picture is out, and the lap's last at `decoded`.
    fn decoder_says(&self, lap: u32, decoded_ms: i64) {
        let mut state = self.shared.state();
        state.start.get_or_insert(MediaTime::ZERO);
        state.decoded = Some((lap, at_ms(decoded_ms)));
    }
}

const ROOMY: Limits = Limits::items(1000);

#[test]
fn a_feed_deals_out_and_ends() {
    let mut it = feed(vec![Film::sounding(3).into()], Some(1), ROOMY);
    assert_eq!(it.step(), Progress::Wait { until: None });
    it.decoder_says(0, 120);
    assert_eq!(it.step(), Progress::Done);
    assert_eq!(coded(&it.video).join(" "), "open 0 40 80 lap end");
    assert_eq!(coded(&it.audio).join(" "), "open 0 40 80 lap end");
    let state = it.shared.state();
    assert_eq!((state.phase.clone(), state.end()), (Phase::Playing, Some(at_ms(120))));
}

#[test]
fn a_feed_waits_where_there_is_no_room_and_loses_nothing() {
    let mut it = feed(vec![Film::silent(10).into()], Some(1), Limits::items(3));
    let mut got = Vec::new();
    for _ in 0..4 {
        assert_eq!(it.step(), Progress::Wait { until: None });
        got.extend(coded(&it.video));
    }
    assert_eq!(got.join(" "), "open 0 40 80 120 160 200 240 280 320 360 lap");
}

#[test]
fn a_feed_goes_over_the_limit_of_one_track_while_the_other_starves() {
    // All pictures before all sound: four times the limit is as far as it goes for that.
    let mut film = Film::sounding(0);
    film.beats = (0..20).map(|it| video(it * 40)).chain((0..20).map(|it| audio(it * 40))).collect();
    let mut it = feed(vec![film.into()], Some(1), Limits::items(3));
    it.step();
    assert_eq!((it.video.level().items, it.audio.level().items), (12, 0));
}

#[test]
fn sound_long_before_its_picture_does_not_hang_the_feed() {
    let mut film = Film::sounding(0);
    film.beats = (0..50).map(|it| audio(it * 40)).chain((0..4).map(|it| video(it * 40))).collect();
    let mut it = feed(vec![film.into()], Some(1), Limits::items(5));
    it.step();
    assert_eq!(coded(&it.video).join(" "), "open 0 40 80 120 lap");
    assert_eq!(coded(&it.audio).len(), 1 + 20 + 1);
}

#[test]
fn laps_join_and_a_last_lap_asked_for_is_the_last() {
    let mut it = feed(vec![Film::silent(2).into()], None, ROOMY);
    it.step();
    it.decoder_says(0, 80);
    it.shared.last_lap_asked.store(true, Ordering::SeqCst);
    assert_eq!(it.step(), Progress::Done);
    assert_eq!(coded(&it.video).join(" "), "open 0 40 lap end");
    let mut it = feed(vec![Film::silent(2).into()], Some(3), ROOMY);
    it.step();
    it.decoder_says(0, 80);
    assert_eq!(it.step(), Progress::Done);
    assert_eq!(coded(&it.video).join(" "), "open 0 40 lap 80 120 lap 160 200 lap end");
    assert_eq!((it.shelf.opens(), it.shared.state().end()), (1, Some(at_ms(240))));
}

#[test]
fn a_live_source_that_drops_is_sought_with_patience() {
    let camera = || Film::silent(3).live();
    let away = || Opening::Missing;
    let mut openings = vec![camera().into(), away(), away(), away(), camera().into(), camera().into()];
    // It comes back with another clock, and once with another size.
    openings[4] = camera().map(|it| it.dts = it.dts.map(|it| it.offset_by(3_600_000_000_000))).into();
    let mut other = camera();
    other.info.video = Some(VideoStream { size: lucarne::base::format::Size::new(4, 4), ..video_stream("blocks") });
    openings[5] = other.into();
    let mut it = feed(openings, Some(1), ROOMY);
    let mut waits = Vec::new();
    for _ in 0..5 {
        let Progress::Wait { until: Some(until) } = it.step() else { panic!("it waits for the source") };
        assert_eq!(it.shared.state().phase, Phase::Reconnecting);
        waits.push(until.saturating_since(it.now).as_millis());
        it.now = until;
    }
    // The first packet of the one that is back makes the next wait the shortest again.
    assert_eq!(waits, [500, 1000, 2000, 4000, 500]);
    it.step();
    let got = coded(&it.video).join(" ");
    assert!(got.starts_with("open 0 40 80 ") && got.matches("open").count() == 2, "{got}");
    assert_eq!(it.shared.state().reconnects, 2);
}

#[test]
fn an_error_in_the_middle_ends_the_lap_with_a_complaint() {
    let mut it = feed(vec![Film::silent(4).with(2, Beat::Error("bad sector")).into()], Some(1), ROOMY);
    it.step();
    it.decoder_says(0, 80);
    assert_eq!(it.step(), Progress::Done);
    assert_eq!(coded(&it.video).join(" "), "open 0 40 lap end");
    let state = it.shared.state();
    assert!(state.complaint.as_ref().is_some_and(|it| it.contains("bad sector")));
    assert_eq!(state.phase, Phase::Playing);
}

#[test]
fn an_input_without_a_picture_fails_and_says_so() {
    let only_sound = Film { beats: vec![audio(0), audio(40)], ..Film::sounding(0) };
    let openings = [Opening::Missing, Film::silent(0).into(), only_sound.into(), Film::silent(0).live().into()];
    for opening in openings {
        let mut it = feed(vec![opening.clone()], Some(1), ROOMY);
        assert_eq!(it.step(), Progress::Done, "{opening:?}");
        let phase = it.shared.state().phase.clone();
        assert!(matches!(&phase, Phase::Failed(it) if it.starts_with("film: ")), "{phase:?}");
        assert_eq!(coded(&it.video).last().map(String::as_str), Some("end"), "{opening:?}");
    }
}

#[test]
fn a_cancelled_feed_ends_and_ends_its_sound() {
    let mut it = feed(vec![Film::sounding(100).into()], Some(1), Limits::items(3));
    it.step();
    it.shared.cancel.cancel();
    assert_eq!(it.step(), Progress::Done);
    assert_eq!(coded(&it.audio).last().map(String::as_str), Some("end"));
    assert_eq!(it.step(), Progress::Done);
    assert_eq!(coded(&it.audio), Vec::<String>::new(), "said once");
}

struct DecodeBench {
    decode: Decode,
    shared: Arc<DeckShared>,
    video: VideoLink,
    frames: FrameLink,
    blocks: Arc<Blocks>,
}

fn decode(blocks: Blocks, room: usize) -> DecodeBench {
    let blocks = Arc::new(blocks);
    let shared = Arc::new(DeckShared::default());
    let video: VideoLink = Link::new(FlowPolicy::Block, Limits::items(10_000));
    let frames: FrameLink = Link::new(FlowPolicy::Block, Limits::items(room));
    let wake = || Arc::new(Count::default()) as Arc<dyn Wake>;
    let factories: Vec<Arc<dyn DecoderFactory>> = vec![blocks.clone()];
    let candidates = Candidates::new(factories, Arc::default());
    let decode = Decode::new("film".into(), shared.clone(), video.clone(), frames.clone(), candidates, wake(), wake());
    DecodeBench { decode, shared, video, frames, blocks }
}

impl DecodeBench {
    fn open(&self, codec: &str) {
        let _taken = self.video.offer(Coded::Open(Box::new(video_stream(codec))), ItemMeta::event());
    }
    fn event(&self, it: Coded<VideoStream>) {
        let _taken = self.video.offer(it, ItemMeta::event());
    }
    fn packets(&self, lap: u32, pts: impl IntoIterator<Item = i64>, byte: u8) {
        for pts in pts {
            let it = Packet { lap, ..packet(Track::Video, pts, byte) };
            let meta = ItemMeta::packet(&it);
            let _taken = self.video.offer(Coded::Packet(it), meta);
        }
    }
    /// Steps until nothing moves, taking frames all the while: their pts in ms, and "end".
    fn run(&mut self) -> String {
        let mut got = Vec::new();
        for _ in 0..10_000 {
            let progress = self.decode.step(START);
            let before = got.len();
            got.extend(std::iter::from_fn(|| self.frames.take()).map(|it| match it {
                Picture::Frame(it) => format!("{}", it.pts.nanos() as f64 / 1e6),
                Picture::End => "end".to_owned(),
            }));
            match progress {
                Progress::Done => break,
                Progress::Wait { .. } if got.len() == before => break,
                _ => {}
            }
        }
        got.join(" ")
    }
}

#[test]
fn frames_come_out_in_order_through_every_bottleneck() {
    for (delay, room, frames) in [(0, 1, 1), (2, 1, 1), (3, 4, 3), (1, 16, 1)] {
        let mut it = decode(Blocks { delay, room, ..Blocks::default() }, frames);
        it.open("blocks");
        it.packets(0, [0, 120, 40, 80, 160], 99);
        it.event(Coded::LapEnd);
        it.event(Coded::End);
        // A delay too short for the stream makes it come out of order; time still goes on.
        let want = if delay < 2 { None } else { Some("0 40 80 120 160 end") };
        let got = it.run();
        assert!(want.is_none_or(|want| want == got), "{delay} {room} {frames}: {got}");
        assert!(got.ends_with(" end") && got.split(' ').count() == 6, "{delay} {room} {frames}: {got}");
        let times: Vec<f64> = got.split(' ').filter_map(|it| it.parse().ok()).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{got}");
    }
}

#[test]
fn a_full_link_holds_the_decoder_back() {
    let mut it = decode(Blocks::default(), 3);
    it.open("blocks");
    it.packets(0, (0..50).map(|it| it * 40), 99);
    assert_eq!(step_until_wait(&mut it.decode, START, 1000), Progress::Wait { until: None });
    assert_eq!(it.frames.level().items, 3);
    assert!(40 < it.video.level().items, "{:?}", it.video.level());
}

#[test]
fn each_lap_comes_out_before_the_next_on_the_same_decoder() {
    let mut it = decode(Blocks { delay: 2, ..Blocks::default() }, 3);
    it.open("blocks");
    for lap in 0..3 {
        it.packets(lap, (0..3).map(|it| i64::from(lap) * 120 + it * 40), 99);
        it.event(Coded::LapEnd);
    }
    assert_eq!(it.run(), "0 40 80 120 160 200 240 280 320");
    let state = it.shared.state();
    assert_eq!((state.decoded_end_of(2), state.start), (Some(at_ms(360)), Some(at_ms(0))));
    assert_eq!(it.blocks.opened.load(Ordering::SeqCst), 1);
}

#[test]
fn another_stream_gets_another_decoder_once_the_first_has_given_everything() {
    let mut it = decode(Blocks { delay: 2, ..Blocks::default() }, 3);
    it.open("blocks");
    it.packets(0, [0, 40], 99);
    it.open("blocks, but larger");
    it.packets(0, [80], 99);
    it.event(Coded::LapEnd);
    it.event(Coded::End);
    assert_eq!(it.run(), "0 40 80 end");
    assert_eq!(it.blocks.opened.load(Ordering::SeqCst), 2);
    let (decoded, opened) = {
        let state = it.shared.state();
        (state.decoder.frames, state.decoders_opened)
    };
    assert_eq!((decoded, opened), (3, 2));
    // One nobody decodes ends the deck with what there was.
    let mut it = decode(Blocks::default(), 3);
    it.open("blocks");
    it.packets(0, [0, 40], 99);
    it.open("unheard of");
    it.packets(0, [80], 99);
    assert_eq!(it.run(), "0 40 end");
    let state = it.shared.state();
    assert_eq!((state.phase.clone(), state.end()), (Phase::Opening, Some(at_ms(80))));
    assert!(state.complaint.as_ref().is_some_and(|it| it.contains("unheard of")), "{:?}", state.complaint);
    assert!(it.shared.cancel.is_cancelled());
}

#[test]
fn frames_past_the_end_of_their_lap_are_not_shown() {
    let mut it = decode(Blocks::default(), 3);
    it.shared.state().set_lap_end(0, at_ms(100));
    it.open("blocks");
    it.packets(0, [0, 40, 80, 100, 120], 99);
    it.packets(1, [140], 99);
    assert_eq!(it.run(), "0 40 80 140");
}

#[test]
fn times_that_jump_back_are_mended() {
    let mut it = decode(Blocks::default(), 3);
    it.open("blocks");
    it.packets(0, [1000, 0, 40, 1040], 99);
    assert_eq!(it.run(), "1000 1000.000001 1000.000002 1040");
}

#[test]
fn a_stream_of_nothing_but_errors_is_given_up() {
    let mut it = decode(Blocks::default(), 3);
    it.open("blocks");
    it.packets(0, [0], 99);
    it.packets(0, (1..599).map(|it| it * 40), CORRUPT);
    it.packets(0, [30_000], 99);
    assert_eq!(it.run(), "0 30000");
    it.packets(0, (1..2_000).map(|it| 40_000 + it * 40), CORRUPT);
    assert_eq!(it.run(), "end");
    let state = it.shared.state();
    assert_eq!((state.undecodable, state.end()), (598 + 600, Some(at_ms(30_040))));
}

#[test]
fn a_decoder_that_breaks_ends_the_deck_at_once() {
    let mut it = decode(Blocks::default(), 3);
    it.open("blocks");
    it.packets(0, [0], BREAKS);
    assert_eq!(it.run(), "end");
    assert!(matches!(&it.shared.state().phase, Phase::Failed(it) if it.contains("it broke")));
}

#[test]
fn nothing_keeps_a_decoder_of_a_closed_deck_busy() {
    let mut it = decode(Blocks::default(), 3);
    it.open("blocks");
    it.packets(0, (0..50).map(|it| it * 40), 99);
    it.frames.close();
    assert_eq!(step_until_wait(&mut it.decode, START, 1000), Progress::Wait { until: None });
}
