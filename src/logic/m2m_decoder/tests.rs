//! The machine against scripted drivers, and against one that does anything at any time.
use proptest::prelude::*;

use std::time::Duration;

use super::patience::MOST_SWALLOWED;
use super::*;

const MS: u64 = 1_000_000;

fn at(ms: u64) -> MonoTime {
    MonoTime::from_nanos(ms * MS)
}

/// Carries commands out as a driver without faults, and notes them.
fn pump(it: &mut M2mDecoder, now: MonoTime) -> Vec<Command> {
    let mut all = Vec::new();
    while let Some(command) = it.command() {
        all.push(command);
        match command {
            Command::SetUpCapture => it.capture_ready(4, now).unwrap(),
            Command::StartCapture => it.capture_started(now),
            _ => {}
        }
    }
    all
}

fn with(quirks: Quirks) -> M2mDecoder {
    M2mDecoder::new(quirks, Limits::default(), 4, at(0))
}

fn feed(it: &mut M2mDecoder, now: MonoTime) -> u32 {
    let index = it.free_output().expect("room");
    it.packet_queued(index, now).unwrap();
    index
}

/// Up to the first pictures.
fn decoding(quirks: Quirks) -> M2mDecoder {
    let mut it = with(quirks);
    feed(&mut it, at(0));
    it.source_changed(false, at(1));
    pump(&mut it, at(1));
    it
}

#[test]
fn capture_is_set_up_by_the_header() {
    let mut it = with(Quirks::default());
    assert_eq!(pump(&mut it, at(0)), []);
    feed(&mut it, at(0));
    assert!(!it.wants_pictures());
    it.source_changed(false, at(1));
    let queued = (0..4).map(Command::Queue);
    let wanted: Vec<_> = [Command::SetUpCapture].into_iter().chain(queued).chain([Command::StartCapture]).collect();
    assert_eq!(pump(&mut it, at(1)), wanted);
    assert_eq!(it.state(), State::Decoding);
}

#[test]
fn without_a_word_the_driver_is_asked_once() {
    let mut it = with(Quirks::default());
    feed(&mut it, at(0));
    assert_eq!(it.deadline(), Some(at(250)));
    it.tick(at(250));
    assert_eq!(it.command(), Some(Command::SetUpCapture));
    it.not_ready().unwrap();
    it.tick(at(749));
    assert_eq!((it.command(), it.state()), (None, State::Initialising));
    it.tick(at(750));
    assert!(matches!(it.command(), Some(Command::Fail(Failure::Stalled { packets: 1, .. }))));
}

#[test]
fn a_word_that_comes_late_changes_nothing() {
    let mut it = with(Quirks::default());
    feed(&mut it, at(0));
    it.tick(at(250));
    pump(&mut it, at(250));
    it.source_changed(true, at(260));
    assert_eq!(it.state(), State::Decoding);
    it.source_changed(true, at(270));
    assert_eq!(it.state(), State::Changing, "the second is a change");
}

#[test]
fn a_buffer_is_queued_again_when_its_picture_is_home() {
    let mut it = decoding(Quirks::default());
    it.picture_made(2, true, false, at(2)).unwrap();
    assert_eq!(pump(&mut it, at(2)), [Command::Emit(2)]);
    it.came_home(2, at(3)).unwrap();
    assert_eq!(pump(&mut it, at(3)), [Command::Queue(2)]);
    it.picture_made(0, false, false, at(4)).unwrap();
    assert_eq!(pump(&mut it, at(4)), [Command::Queue(0)], "no picture in it");
}

#[test]
fn a_drain_ends_with_the_last_buffer() {
    let mut it = decoding(Quirks::default());
    it.drain(at(2));
    assert_eq!(pump(&mut it, at(2)), [Command::Stop]);
    assert_eq!(it.free_output(), None);
    it.end_of_stream();
    assert_eq!(pump(&mut it, at(3)), [], "pictures may come after the event");
    it.picture_made(0, true, true, at(4)).unwrap();
    assert_eq!(pump(&mut it, at(4)), [Command::Emit(0), Command::Drained]);
    assert!(!it.wants_pictures());
    it.flush(at(5));
    assert_eq!(pump(&mut it, at(5)), [Command::RestartOutput, Command::Start]);
    assert!(it.wants_pictures() && it.free_output().is_none(), "whether it goes on is not known");
    it.nothing_ready(at(5));
    assert!(it.free_output().is_some());
}

#[test]
fn who_does_not_go_on_after_a_drain_is_started_anew_before_it_is_fed() {
    // vicodec: DEC_CMD_START leaves the queue at its end.
    let mut it = decoding(Quirks::default());
    it.drain(at(2));
    it.picture_made(0, false, true, at(3)).unwrap();
    it.flush(at(4));
    pump(&mut it, at(4));
    it.no_more(at(4)).unwrap();
    assert_eq!(pump(&mut it, at(4)), [Command::Retire]);
    assert_eq!(it.free_output(), None);
    it.all_home().unwrap();
    pump(&mut it, at(5));
    assert!(it.free_output().is_some());
}

#[test]
fn a_drain_ends_without_the_flag_where_the_event_was() {
    let mut it = decoding(Quirks::default());
    it.drain(at(2));
    it.end_of_stream();
    it.no_more(at(3)).unwrap();
    assert_eq!(pump(&mut it, at(3)), [Command::Stop, Command::Drained]);
}

#[test]
fn a_drain_of_nothing_is_over_at_once() {
    let mut it = with(Quirks::default());
    it.drain(at(0));
    assert_eq!(pump(&mut it, at(0)), [Command::Drained]);
    it.flush(at(1));
    assert_eq!(pump(&mut it, at(1)), []);
    assert!(it.free_output().is_some());
}

#[test]
fn a_drain_before_the_header_waits_for_it_or_for_its_time() {
    let mut it = with(Quirks::default());
    let index = feed(&mut it, at(0));
    it.drain(at(1));
    assert_eq!(pump(&mut it, at(1)), []);
    it.packet_taken(index, at(2)).unwrap();
    assert_eq!(pump(&mut it, at(2)), [Command::Stop], "one picture may be held back until the end");
    it.source_changed(false, at(3));
    assert_eq!(pump(&mut it, at(3)).last(), Some(&Command::Stop), "and told again where a restart forgets it");
}

#[test]
fn a_drain_that_never_ends_is_a_stall() {
    let mut it = decoding(Quirks::default());
    it.drain(at(2));
    pump(&mut it, at(2));
    it.tick(at(501));
    assert_eq!(pump(&mut it, at(501)), []);
    it.tick(at(502));
    assert!(matches!(it.command(), Some(Command::Fail(Failure::Stalled { .. }))));
}

#[test]
fn a_change_by_the_book_waits_for_the_last_picture_and_for_those_out() {
    let mut it = decoding(Quirks::default());
    it.picture_made(0, true, false, at(2)).unwrap();
    it.source_changed(false, at(3));
    pump(&mut it, at(3));
    it.picture_made(1, true, true, at(4)).unwrap();
    assert_eq!(pump(&mut it, at(4)), [Command::Emit(1)], "they are shown first");
    it.came_home(0, at(5)).unwrap();
    assert_eq!(pump(&mut it, at(5)), [Command::Retire]);
    assert!(it.all_home().is_err(), "one is out");
    it.came_home(1, at(6)).unwrap();
    assert_eq!(pump(&mut it, at(6)), [], "nothing is queued any more");
    it.all_home().unwrap();
    let done = pump(&mut it, at(7));
    assert_eq!(done[..2], [Command::TakeDownCapture, Command::SetUpCapture]);
    assert_eq!(it.state(), State::Decoding);
}

#[test]
fn a_change_in_the_pis_way_is_rescued() {
    // The queue ends at once and without a flag, before the event; what was made is let out.
    let mut it = decoding(Quirks::of_driver("bcm2835-codec"));
    it.no_more(at(2)).unwrap();
    assert_eq!(pump(&mut it, at(2)), [Command::Start]);
    it.picture_made(0, true, false, at(2)).unwrap();
    assert_eq!(pump(&mut it, at(2)), [Command::Emit(0)]);
    it.source_changed(false, at(2));
    it.nothing_ready(at(2));
    assert_eq!(pump(&mut it, at(2)), [Command::Retire]);
}

#[test]
fn a_change_without_an_end_is_given_its_time() {
    let mut it = decoding(Quirks::default());
    it.source_changed(false, at(2));
    it.tick(at(252));
    assert_eq!(pump(&mut it, at(252)), [Command::Start]);
    it.start_refused(at(252));
    assert_eq!(pump(&mut it, at(252)), [Command::Retire]);
}

#[test]
fn a_refused_buffer_is_a_change_to_come() {
    let mut it = decoding(Quirks::default());
    it.picture_made(0, false, false, at(2)).unwrap();
    assert_eq!(it.command(), Some(Command::Queue(0)));
    it.queue_refused(0, at(2)).unwrap();
    assert_eq!((it.command(), it.state()), (None, State::Changing), "and it is not offered again");
}

#[test]
fn pictures_that_nobody_shows_are_wanted_back_all_the_same() {
    let mut it = decoding(Quirks::default());
    for index in 0..3 {
        it.picture_made(index, true, index == 2, at(2)).unwrap();
    }
    pump(&mut it, at(2));
    it.came_home(0, at(100)).unwrap();
    it.tick(at(349));
    assert_eq!(pump(&mut it, at(349)), []);
    it.tick(at(350));
    assert_eq!(pump(&mut it, at(350)), [Command::Retire]);
}

#[test]
fn buffers_that_stay_away_end_it() {
    let mut it = decoding(Quirks::default());
    it.picture_made(0, true, false, at(2)).unwrap();
    it.picture_made(1, true, true, at(3)).unwrap();
    pump(&mut it, at(3));
    it.tick(at(253));
    assert_eq!(pump(&mut it, at(253)), [Command::Retire]);
    it.came_home(0, at(900)).unwrap();
    it.tick(at(1899));
    assert_eq!(pump(&mut it, at(1899)), [], "one came, so others may");
    it.tick(at(1900));
    assert!(matches!(it.command(), Some(Command::Fail(Failure::Kept { .. }))));
}

#[test]
fn who_swallows_packets_has_stalled_and_who_lacks_buffers_has_not() {
    let mut it = decoding(Quirks::default());
    for n in 0..MOST_SWALLOWED {
        let index = feed(&mut it, at(2 + n));
        it.packet_taken(index, at(2 + n)).unwrap();
    }
    assert_eq!(it.deadline(), Some(at(501)), "since CAPTURE was set up");
    for index in 0..4 {
        it.picture_made(index, true, false, at(100)).unwrap();
    }
    for _ in 0..MOST_SWALLOWED {
        let index = feed(&mut it, at(100));
        it.packet_taken(index, at(100)).unwrap();
    }
    pump(&mut it, at(100));
    assert_eq!(it.deadline(), None, "it has nothing to write into");
    it.came_home(3, at(9000)).unwrap();
    pump(&mut it, at(9000));
    assert_eq!(it.deadline(), Some(at(9500)));
    it.tick(at(9500));
    assert!(matches!(it.command(), Some(Command::Fail(Failure::Stalled { packets, .. })) if MOST_SWALLOWED <= packets));
}

#[test]
fn a_flush_in_a_drain_lets_a_stale_stop_pass() {
    let mut it = decoding(Quirks::default());
    it.drain(at(2));
    pump(&mut it, at(2));
    it.flush(at(3));
    assert_eq!(pump(&mut it, at(3)), [Command::RestartOutput, Command::Start]);
    it.start_refused(at(3));
    feed(&mut it, at(3));
    it.picture_made(0, false, true, at(4)).unwrap();
    assert_eq!(pump(&mut it, at(4)), [Command::Start, Command::Queue(0)]);
    assert_eq!(it.state(), State::Decoding);
}

#[test]
fn what_cannot_be_is_said_with_both_names() {
    let mut it = with(Quirks::default());
    let words = it.picture_made(3, true, false, at(0)).unwrap_err().to_string();
    assert_eq!(words, "the return of buffer 3, which is Nowhere, while Initialising");
    assert_eq!(it.no_more(at(0)).unwrap_err().to_string(), "the end of the pictures while Initialising");
    assert!(
        it.packet_taken(1, at(0)).is_err() && it.came_home(1, at(0)).is_err() && it.capture_ready(3, at(0)).is_err()
    );
}

/// What a driver, the consumer or time may do.
#[derive(Debug, Clone, Copy)]
enum Op {
    Feed,
    TakePacket(u8),
    Picture { which: u8, shown: bool, last: bool },
    Nothing,
    NoMore,
    Changed(bool),
    Eos,
    Home(u8),
    AllHome,
    Drain,
    Flush,
    Pass(u16),
    RefuseStart,
    RefuseQueue,
    NotReady,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let one = prop_oneof![
        4 => Just(Op::Feed),
        4 => any::<u8>().prop_map(Op::TakePacket),
        6 => (any::<u8>(), prop::bool::weighted(0.8), prop::bool::weighted(0.1))
            .prop_map(|(which, shown, last)| Op::Picture { which, shown, last }),
        2 => Just(Op::Nothing),
        1 => Just(Op::NoMore),
        2 => any::<bool>().prop_map(Op::Changed),
        1 => Just(Op::Eos),
        4 => any::<u8>().prop_map(Op::Home),
        2 => Just(Op::AllHome),
        1 => Just(Op::Drain),
        1 => Just(Op::Flush),
        2 => (0u16..700).prop_map(Op::Pass),
        1 => Just(Op::RefuseStart),
        1 => Just(Op::RefuseQueue),
        1 => Just(Op::NotReady),
    ];
    prop::collection::vec(one, 0..200)
}

/// A driver and a consumer that keep account of every buffer.
struct World {
    it: M2mDecoder,
    now: MonoTime,
    capture: Vec<Place>,
    output: Vec<Place>,
    /// Times each buffer was handed on and queued again, over all pools.
    emitted: u64,
    requeued_after: u64,
    streams: bool,
    drained: u32,
    failed: bool,
    refuse_start: bool,
    refuse_queue: bool,
    not_ready: bool,
}

impl World {
    fn new(quirks: Quirks) -> Self {
        Self {
            it: M2mDecoder::new(quirks, Limits::default(), 4, at(0)),
            now: at(0),
            capture: Vec::new(),
            output: vec![Place::Ours; 4],
            emitted: 0,
            requeued_after: 0,
            streams: false,
            drained: 0,
            failed: false,
            refuse_start: false,
            refuse_queue: false,
            not_ready: false,
        }
    }

    fn with_device(places: &[Place], which: u8) -> Option<u32> {
        let all: Vec<usize> = (0..places.len()).filter(|it| places[*it] == Place::Device).collect();
        (!all.is_empty()).then(|| all[usize::from(which) % all.len()] as u32)
    }

    fn pump(&mut self) {
        for _ in 0..200 {
            let Some(command) = self.it.command() else { return };
            assert!(!self.failed, "{command:?} after a failure");
            match command {
                Command::SetUpCapture => {
                    assert!(self.capture.is_empty() && !self.streams);
                    if std::mem::take(&mut self.not_ready) {
                        self.it.not_ready().unwrap();
                    } else {
                        self.capture = vec![Place::Ours; 4];
                        self.it.capture_ready(4, self.now).unwrap();
                    }
                }
                Command::Queue(index) => {
                    assert_eq!(self.capture[index as usize], Place::Ours, "queued once for each time it is ours");
                    if std::mem::take(&mut self.refuse_queue) {
                        self.it.queue_refused(index, self.now).unwrap();
                        self.capture[index as usize] = Place::Useless;
                    } else {
                        self.capture[index as usize] = Place::Device;
                    }
                }
                Command::StartCapture => {
                    assert!(!self.streams);
                    self.streams = true;
                    self.it.capture_started(self.now);
                }
                Command::Emit(index) => {
                    assert_eq!(self.capture[index as usize], Place::Out);
                    self.emitted += 1;
                }
                Command::Retire => assert!(!self.capture.is_empty()),
                Command::TakeDownCapture => {
                    assert!(self.capture.iter().all(|it| *it != Place::Out), "never while a picture is out");
                    self.capture.clear();
                    self.streams = false;
                }
                Command::RestartOutput => self.output.fill(Place::Ours),
                Command::Stop => {}
                Command::Start => {
                    if std::mem::take(&mut self.refuse_start) {
                        self.it.start_refused(self.now);
                    }
                }
                Command::Drained => self.drained += 1,
                Command::Fail(_) => self.failed = true,
            }
        }
        panic!("commands without end");
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Feed => {
                if let Some(index) = self.it.free_output() {
                    assert_eq!(self.output[index as usize], Place::Ours);
                    self.it.packet_queued(index, self.now).unwrap();
                    self.output[index as usize] = Place::Device;
                }
            }
            Op::TakePacket(which) => {
                if let Some(index) = Self::with_device(&self.output, which) {
                    self.it.packet_taken(index, self.now).unwrap();
                    self.output[index as usize] = Place::Ours;
                }
            }
            Op::Picture { which, shown, last } => {
                let index = Self::with_device(&self.capture, which);
                if let Some(index) = index.filter(|_| self.it.wants_pictures()) {
                    self.it.picture_made(index, shown, last, self.now).unwrap();
                    self.capture[index as usize] = if shown { Place::Out } else { Place::Ours };
                }
            }
            Op::Nothing => self.it.nothing_ready(self.now),
            Op::NoMore => {
                let wanted = self.it.wants_pictures();
                assert_eq!(self.it.no_more(self.now).is_ok(), wanted);
            }
            Op::Changed(as_set_up) => self.it.source_changed(as_set_up, self.now),
            Op::Eos => self.it.end_of_stream(),
            Op::Home(which) => {
                let out: Vec<usize> = (0..self.capture.len()).filter(|it| self.capture[*it] == Place::Out).collect();
                if !out.is_empty() && !self.failed {
                    let index = out[usize::from(which) % out.len()];
                    self.it.came_home(index as u32, self.now).unwrap();
                    self.capture[index] = Place::Ours;
                    self.requeued_after += 1;
                }
            }
            Op::AllHome => {
                let can = self.it.state() == State::Retiring && !self.capture.contains(&Place::Out);
                assert_eq!(self.it.all_home().is_ok(), can);
            }
            Op::Drain => self.it.drain(self.now),
            Op::Flush => {
                self.drained = 0;
                self.it.flush(self.now);
            }
            Op::Pass(ms) => {
                self.now = self.now + Duration::from_millis(u64::from(ms));
                self.it.tick(self.now);
            }
            Op::RefuseStart => self.refuse_start = true,
            Op::RefuseQueue => self.refuse_queue = true,
            Op::NotReady => self.not_ready = true,
        }
        self.pump();
        self.check();
    }

    fn check(&self) {
        for (index, place) in self.capture.iter().enumerate() {
            assert_eq!(self.it.place(index as u32), *place, "buffer {index}");
        }
        let out = self.capture.iter().filter(|it| **it == Place::Out).count() as u64;
        assert_eq!(self.emitted, self.requeued_after + out, "what was handed on is out or came home");
        if matches!(self.it.state(), State::Decoding) && self.it.drain_state() != Drain::Done && !self.failed {
            assert!(!self.capture.contains(&Place::Ours), "what came home is queued again");
        }
        assert!(self.drained <= 1, "said once");
    }
}

proptest! {
    #[test]
    fn whatever_happens_buffers_are_kept_account_of_and_it_ends(ops in ops(), is_pi in any::<bool>()) {
        let mut world = World::new(Quirks::of_driver(if is_pi { "bcm2835-codec" } else { "vicodec" }));
        for op in ops {
            world.apply(op);
        }
        // A consumer that lets go, and time: a drain ends, by its end or by a failure, never by waiting for ever.
        world.apply(Op::Drain);
        for _ in 0..40 {
            if world.failed || world.it.drain_state() == Drain::Done {
                break;
            }
            for _ in 0..4 {
                world.apply(Op::Home(0));
            }
            world.apply(Op::Nothing);
            world.apply(Op::AllHome);
            world.apply(Op::Pass(600));
        }
        prop_assert!(world.failed || world.it.drain_state() == Drain::Done, "{:?}", world.it);
        if !world.failed {
            world.apply(Op::Flush);
            world.apply(Op::Nothing);
            world.apply(Op::Feed);
            prop_assert!(world.failed || world.output.contains(&Place::Device));
        }
    }
}
