//! A display that comes, goes, bounces and lies, in a time of its own.
use proptest::prelude::*;

use super::*;

const A: Scan = Scan::Ready { modes: 1 };
const B: Scan = Scan::Ready { modes: 2 };

const fn ms(it: u64) -> Duration {
    Duration::from_millis(it)
}

fn at(it: u64) -> MonoTime {
    MonoTime::from_nanos((10_000 + it) * 1_000_000)
}

/// Something that becomes true of the connector, and when its uevent arrives, if it does.
#[derive(Debug, Clone, Copy)]
struct Change {
    at: MonoTime,
    to: Scan,
    told: Option<MonoTime>,
}

/// A connector with a machine on it. Every invariant that holds at all times is asserted here.
struct World {
    machine: Hotplug,
    connector: Scan,
    now: MonoTime,
    is_up: bool,
    /// The mode list the presenter chose from last.
    shown: Option<Scan>,
    /// Outputs other than looks, with their times.
    said: Vec<(MonoTime, Output)>,
    n_looks: usize,
}

impl World {
    fn new(found: Scan, has_uevents: bool) -> Self {
        let machine = Hotplug::new(at(0), found, has_uevents);
        let is_up = matches!(found, Scan::Ready { .. });
        let shown = is_up.then_some(found);
        let mut it = Self { machine, connector: found, now: at(0), is_up, shown, said: Vec::new(), n_looks: 0 };
        it.drain();
        it
    }

    fn drain(&mut self) {
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Rescan(_) => {
                    self.n_looks += 1;
                    self.machine.handle(self.now, Input::Scanned(self.connector));
                    continue;
                }
                Output::BringUp => {
                    assert!(!self.is_up, "brought up twice: {:?}", self.said);
                    assert!(matches!(self.connector, Scan::Ready { .. }), "brought up on {:?}", self.connector);
                    (self.is_up, self.shown) = (true, Some(self.connector));
                }
                Output::TakeDown => {
                    assert!(self.is_up, "taken down twice: {:?}", self.said);
                    (self.is_up, self.shown) = (false, None);
                }
                Output::ModesChanged => {
                    assert!(self.is_up && self.shown != Some(self.connector), "the same modes: {:?}", self.said);
                    self.shown = Some(self.connector);
                }
                Output::Unready => assert_eq!(self.connector, Scan::Empty),
            }
            self.said.push((self.now, output));
        }
        assert_eq!(self.machine.is_up(), self.is_up);
        assert!(self.is_up || self.machine.deadline().is_some(), "nobody looks for an absent display");
    }

    /// Lives until `until`, with uevents that arrive at `told`.
    fn run(&mut self, changes: &[Change], until: MonoTime) {
        let mut moments: Vec<MonoTime> = changes.iter().flat_map(|it| [Some(it.at), it.told]).flatten().collect();
        moments.sort();
        let mut moments = moments.into_iter().filter(|it| *it <= until).peekable();
        for _ in 0..100_000 {
            let next = moments.peek().copied();
            let deadline = self.machine.deadline().filter(|it| *it <= until);
            let Some(moment) = next.into_iter().chain(deadline).min() else {
                self.now = until;
                return;
            };
            assert!(self.now <= moment, "time runs backwards");
            self.now = moment;
            if let Some(change) = changes.iter().rfind(|it| it.at == moment) {
                self.connector = change.to;
            }
            if changes.iter().any(|it| it.told == Some(moment)) {
                self.machine.handle(moment, Input::Hint);
            }
            while moments.next_if_eq(&moment).is_some() {}
            self.drain();
            if deadline == Some(moment) {
                self.machine.handle_timeout(moment);
                self.drain();
            }
        }
        panic!("the machine never rests: {:?}", self.said);
    }

    fn said(&self) -> Vec<(u64, Output)> {
        self.said.iter().map(|(when, it)| (when.saturating_since(at(0)).as_millis() as u64, *it)).collect()
    }
}

/// Changes told at once.
fn told(changes: &[(u64, Scan)]) -> Vec<Change> {
    changes.iter().map(|(when, to)| Change { at: at(*when), to: *to, told: Some(at(*when)) }).collect()
}

#[track_caller]
fn check(found: Scan, changes: &[(u64, Scan)], want: &[(u64, Output)]) {
    let mut world = World::new(found, true);
    world.run(&told(changes), at(20_000));
    assert_eq!(world.said(), want, "{found:?}, then {changes:?}");
}

#[test]
fn a_display_goes_and_comes_back() {
    let (a, no) = (A, Scan::Absent);
    use Output::{BringUp, ModesChanged, TakeDown};
    check(a, &[], &[]);
    check(a, &[(1_000, no), (3_000, a)], &[(1_100, TakeDown), (3_100, BringUp)]);
    // Absent at start.
    check(no, &[(5_000, a)], &[(5_100, BringUp)]);
    // Another mode list, the same one again, and the first.
    check(a, &[(1_000, B), (2_000, B), (3_000, a)], &[(1_000, ModesChanged), (3_000, ModesChanged)]);
    // Another display in the same socket.
    check(a, &[(1_000, no), (1_050, B)], &[(1_050, ModesChanged)]);
    check(a, &[(1_000, no), (2_000, B)], &[(1_100, TakeDown), (2_100, BringUp)]);
}

#[test]
fn hot_plug_detect_in_pulses_takes_nothing_down() {
    let pulses: Vec<(u64, Scan)> =
        (0..50).flat_map(|it| [(1_000 + 150 * it, Scan::Absent), (1_090 + 150 * it, A)]).collect();
    check(A, &pulses, &[]);
}

#[test]
fn a_plug_that_bounces_is_shown_on_when_it_rests() {
    let bounces: Vec<(u64, Scan)> =
        (0..10).flat_map(|it| [(1_000 + 60 * it, A), (1_030 + 60 * it, Scan::Absent)]).collect();
    let mut changes = bounces;
    changes.push((1_600, A));
    let mut world = World::new(Scan::Absent, true);
    world.run(&told(&changes), at(5_000));
    let [(when, Output::BringUp)] = world.said()[..] else { panic!("{:?}", world.said()) };
    // Not before it has bounced for SETTLE_LIMIT, and soon after it rests.
    assert!((1_500..=1_600 + 200).contains(&when), "{when}");
}

#[test]
fn a_mode_list_that_never_settles_is_shown_on_all_the_same() {
    let restless: Vec<(u64, Scan)> = (0..100).map(|it| (1_000 + 60 * it, Scan::Ready { modes: it })).collect();
    let mut world = World::new(Scan::Absent, true);
    world.run(&told(&restless), at(5_000));
    assert_eq!(world.said().first(), Some(&(1_500, Output::BringUp)));
}

#[test]
fn a_display_without_modes_is_asked_again_and_reported_once() {
    use Output::{BringUp, TakeDown, Unready};
    let mut world = World::new(Scan::Empty, true);
    world.run(&[], at(20_000));
    assert_eq!(world.said(), [(0, Unready)]);
    // 50, 100, 200, 400, 800, 800... ms.
    assert_eq!(world.n_looks, 4 + (20_000 - 750) / 800);
    // It answers in the end, and nobody says so: found within 800 ms, shown 100 ms later.
    let quiet = [Change { at: at(20_001), to: A, told: None }];
    world.run(&quiet, at(30_000));
    let [(0, Unready), (when, BringUp)] = world.said()[..] else { panic!("{:?}", world.said()) };
    assert!(when <= 21_000, "{when}");
    // A display that is up and loses its modes is like one that goes; it is reported each time.
    check(
        A,
        &[(1_000, Scan::Empty), (2_000, A), (4_000, Scan::Empty)],
        &[(1_100, TakeDown), (1_100, Unready), (2_100, BringUp), (4_100, TakeDown), (4_100, Unready)],
    );
    // Pulses of a display without modes are not.
    let pulses: Vec<(u64, Scan)> =
        (0..50).flat_map(|it| [(1_000 + 300 * it, Scan::Empty), (1_150 + 300 * it, Scan::Absent)]).collect();
    check(Scan::Absent, &pulses, &[(1_000, Unready)]);
}

#[test]
fn without_uevents_a_display_is_found_within_a_second_and_missed_within_three() {
    use Output::{BringUp, TakeDown};
    let quiet = |when: u64, to: Scan| Change { at: at(when), to, told: None };
    let mut world = World::new(Scan::Absent, false);
    world.run(&[quiet(1_234, A), quiet(7_777, Scan::Absent)], at(20_000));
    let [(up, BringUp), (down, TakeDown)] = world.said()[..] else { panic!("{:?}", world.said()) };
    assert!(up <= 2_234 && down <= 7_777 + 3_000, "{up} {down}");
}

#[test]
fn only_what_is_asked_for_probes_a_display_that_is_up() {
    let looks = |machine: &mut Hotplug| std::iter::from_fn(|| machine.poll()).collect::<Vec<_>>();
    let mut machine = Hotplug::new(at(0), A, false);
    machine.handle_timeout(at(2_000));
    assert_eq!(looks(&mut machine), [Output::Rescan(Depth::Known)]);
    machine.handle(at(2_000), Input::Scanned(A));
    // A uevent right after a look is put off, and then probes.
    machine.handle(at(2_010), Input::Hint);
    assert_eq!((looks(&mut machine), machine.deadline()), (vec![], Some(at(2_050))));
    machine.handle_timeout(at(2_050));
    assert_eq!(looks(&mut machine), [Output::Rescan(Depth::Probe)]);
}

#[test]
fn a_look_that_is_never_answered_is_repeated() {
    let mut machine = Hotplug::new(at(0), Scan::Absent, true);
    machine.handle(at(1_000), Input::Hint);
    assert_eq!(machine.poll(), Some(Output::Rescan(Depth::Probe)));
    let again = machine.deadline().expect("it looks again");
    machine.handle_timeout(again);
    assert_eq!((machine.poll(), machine.poll()), (Some(Output::Rescan(Depth::Probe)), None));
}

fn scans() -> impl Strategy<Value = Scan> {
    prop_oneof![
        3 => Just(Scan::Absent),
        1 => Just(Scan::Empty),
        3 => (1u64..3).prop_map(|modes| Scan::Ready { modes }),
    ]
}

/// Changes of a life, in steps that are mostly short; each is told a little later, or not at all.
fn lives(loss: f64) -> impl Strategy<Value = Vec<Change>> {
    let step = prop_oneof![3 => 1u64..150, 1 => 150u64..3_000];
    prop::collection::vec((step, scans(), prop::bool::weighted(1.0 - loss), 0u64..20), 1..60).prop_map(|steps| {
        let mut now = at(0);
        let change = |(step, to, is_told, delay): (u64, Scan, bool, u64)| {
            now = now + ms(step);
            Change { at: now, to, told: is_told.then_some(now + ms(delay)) }
        };
        steps.into_iter().map(change).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_was_told_is_on_the_screen_within_a_second(found in scans(), life in lives(0.0)) {
        let mut world = World::new(found, true);
        let last = life[life.len() - 1];
        // Every prefix is a life of its own; its invariants are asserted on the way.
        world.run(&life, last.at + ms(1_000));
        let want = Some(last.to).filter(|it| matches!(it, Scan::Ready { .. }));
        prop_assert_eq!(world.shown, want, "{:?}", world.said());
    }

    #[test]
    fn what_was_not_told_is_found_all_the_same(found in scans(), life in lives(0.5)) {
        let mut world = World::new(found, true);
        let last = life[life.len() - 1];
        let was_up = {
            world.run(&life, last.at);
            world.is_up
        };
        world.run(&life[life.len() - 1..], last.at + ABSENT_PERIOD + ms(1_000));
        // A display that is up and goes without a word is not missed: nothing looks.
        if !was_up && matches!(last.to, Scan::Ready { .. }) {
            prop_assert_eq!(world.shown, Some(last.to), "{:?}", world.said());
        }
    }

    #[test]
    fn without_uevents_whoever_comes_is_shown_on_within_a_second(found in scans(), life in lives(1.0)) {
        let mut world = World::new(found, false);
        let last = life[life.len() - 1];
        world.run(&life, last.at);
        let was_up = world.is_up;
        world.run(&[], last.at + ms(1_000));
        if !was_up && matches!(last.to, Scan::Ready { .. }) {
            prop_assert_eq!(world.shown, Some(last.to), "{:?}", world.said());
        }
        world.run(&[], last.at + ms(4_000));
        let want = Some(last.to).filter(|it| matches!(it, Scan::Ready { .. }));
        prop_assert_eq!(world.shown, want, "{:?}", world.said());
    }

    #[test]
    fn a_display_gone_for_less_than_the_hold_is_never_taken_down(
        pulses in prop::collection::vec((1u64..500, 1u64..80), 1..40),
    ) {
        let mut now = 0;
        let mut changes = Vec::new();
        for (up, down) in pulses {
            changes.push((now + up, Scan::Absent));
            changes.push((now + up + down, A));
            now += up + down + 1;
        }
        let mut world = World::new(A, true);
        world.run(&told(&changes), at(now + 2_000));
        prop_assert_eq!(world.said(), []);
    }

    #[test]
    fn looks_because_of_uevents_are_spaced(hints in prop::collection::vec(0u64..40, 1..200)) {
        let mut machine = Hotplug::new(at(0), A, true);
        let (mut now, mut looks) = (at(100), Vec::new());
        for step in hints {
            now = now + ms(step);
            machine.handle(now, Input::Hint);
            machine.handle_timeout(now);
            while let Some(output) = machine.poll() {
                prop_assert_eq!(output, Output::Rescan(Depth::Probe));
                looks.push(now);
                machine.handle(now, Input::Scanned(A));
            }
        }
        prop_assert!(looks.windows(2).all(|it| it[1].saturating_since(it[0]) >= SPACING));
        prop_assert!(machine.deadline().is_none_or(|it| it <= now + SPACING));
    }
}
