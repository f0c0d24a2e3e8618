//! What displays do and no virtual one can: hot-plug detect in pulses, no modes yet, other modes. The connector is looked at
//! through a lens; what is behind it is a real card, with real flips.
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use lucarne::backend::kms::KmsPresenter;
use lucarne::backend::kms::connectors::{Connector, Lens};
use lucarne::base::format::Size;
use lucarne::base::time::MonoTime;
use lucarne::logic::redraw::Phase;
use lucarne::seam::presenter::{Layer, PresentError, PresentEvent, Presenter};
use lucarne::sys::clock::monotonic_now;

use crate::cards::Surroundings;
use crate::cases::{Outcome, one};
use crate::screen::{Tools, request};
use crate::wire::Wire;

/// What a display pretends to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// What it is.
    Itself,
    Gone,
    WithoutModes,
    /// With modes of this height only.
    Only(u16),
}

#[derive(Debug)]
struct Pretence(Cell<Look>);

impl Lens for Pretence {
    fn bend(&self, connector: &mut Connector) {
        match self.0.get() {
            Look::Itself => {}
            Look::Gone => (connector.has_display, connector.is_connected) = (false, false),
            Look::WithoutModes => connector.modes.clear(),
            Look::Only(height) => connector.modes.retain(|it| it.size().1 == height),
        }
        connector.is_connected = connector.has_display && !connector.modes.is_empty();
    }
}

/// A screen whose display can pretend, and what it said.
struct Stage {
    screen: KmsPresenter,
    tools: Tools,
    pretence: Rc<Pretence>,
    events: Vec<(MonoTime, PresentEvent)>,
    seed: u32,
    wire: Option<Wire>,
    /// So many pictures to come are black.
    n_black: u32,
}

impl Stage {
    fn new() -> Self {
        let (screen, tools) = one(&request(&[]));
        let pretence = Rc::new(Pretence(Cell::new(Look::Itself)));
        Self { screen, tools, pretence, events: Vec::new(), seed: 0, wire: None, n_black: 0 }
    }

    /// The display is like this from now on; a uevent says so, or not.
    fn look(&mut self, look: Look, told: bool) -> MonoTime {
        self.pretence.0.set(look);
        if told {
            let lens: Rc<dyn Lens> = self.pretence.clone();
            self.screen.device().look_through(lens);
        }
        monotonic_now()
    }

    /// Plays: draws whenever there is something to draw into.
    fn play(&mut self, time: Duration) {
        let end = monotonic_now() + time;
        loop {
            let now = monotonic_now();
            if now >= end {
                return;
            }
            while let Some(event) = self.screen.poll(now).unwrap() {
                self.events.push((now, event));
            }
            match self.screen.acquire(now) {
                Ok(Some(target)) => {
                    self.seed += 1;
                    match self.n_black.checked_sub(1) {
                        Some(left) => {
                            self.n_black = left;
                            self.tools.black(&target);
                        }
                        None => self.tools.draw(&target, self.seed),
                    }
                    self.screen.present(now, Layer::Composed(target)).unwrap();
                }
                Ok(None) | Err(PresentError::NoDisplay { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            let deadline = self.screen.deadline().unwrap_or(end).min(end);
            self.tools.wait(&self.screen, Some(deadline));
            if let Some(wire) = &mut self.wire {
                wire.poll();
            }
        }
    }

    /// Everything but the frames since the last time it was asked for.
    fn said(&mut self) -> Vec<(MonoTime, PresentEvent)> {
        let events = std::mem::take(&mut self.events);
        events.into_iter().filter(|(_, it)| !matches!(it, PresentEvent::Presented { .. })).collect()
    }

    fn n_frames(&self) -> usize {
        self.events.iter().filter(|(_, it)| matches!(it, PresentEvent::Presented { .. })).count()
    }
}

const fn ms(it: u64) -> Duration {
    Duration::from_millis(it)
}

pub fn pulses(_: &Surroundings) -> Outcome {
    let mut stage = Stage::new();
    stage.play(ms(200));
    let before = stage.n_frames();
    for _ in 0..20 {
        stage.look(Look::Gone, true);
        stage.play(ms(70));
        stage.look(Look::Itself, true);
        stage.play(ms(80));
    }
    let shown = stage.n_frames() - before;
    // Three seconds at 60 Hz.
    assert!((178..=182).contains(&shown), "{shown} frames");
    assert_eq!(stage.said(), []);
    // Gone for longer, it is gone.
    let gone = stage.look(Look::Gone, true);
    stage.play(ms(500));
    let [(when, PresentEvent::Disconnected)] = stage.said()[..] else { panic!("not taken down") };
    assert!(when.saturating_since(gone) < ms(250), "{:?}", when.saturating_since(gone));
    Ok(())
}

pub fn not_ready(_: &Surroundings) -> Outcome {
    let mut stage = Stage::new();
    stage.play(ms(200));
    stage.look(Look::WithoutModes, true);
    stage.play(ms(5_000));
    let [(_, PresentEvent::Disconnected)] = stage.said()[..] else { panic!("{:?}", stage.events) };
    assert_eq!(stage.screen.phase(), Phase::NoDisplay);
    // Its modes come, and no uevent says so.
    let ready = stage.look(Look::Itself, false);
    stage.play(ms(1_500));
    let frames = stage.n_frames();
    let [(when, PresentEvent::ModeChanged(mode))] = stage.said()[..] else { panic!("not shown on") };
    assert_eq!(mode.size, Size::new(640, 480));
    assert!(when.saturating_since(ready) < ms(1_000), "{:?}", when.saturating_since(ready));
    assert!(frames > 20, "{frames} frames");
    Ok(())
}

pub fn other_modes(_: &Surroundings) -> Outcome {
    let mut stage = Stage::new();
    stage.play(ms(200));
    for (height, size) in [(600, Size::new(800, 600)), (720, Size::new(1280, 720))] {
        let changed = stage.look(Look::Only(height), true);
        stage.play(ms(1_000));
        let frames = stage.n_frames();
        let [(when, PresentEvent::ModeChanged(mode))] = stage.said()[..] else { panic!("no other mode") };
        assert_eq!(mode.size, size);
        assert!(when.saturating_since(changed) < ms(250), "{:?}", when.saturating_since(changed));
        assert!(frames > 50, "{frames} frames");
    }
    // Another display in the same socket.
    stage.look(Look::Gone, true);
    stage.play(ms(500));
    stage.look(Look::Itself, true);
    stage.play(ms(500));
    let [(_, PresentEvent::Disconnected), (_, PresentEvent::ModeChanged(mode))] = stage.said()[..] else {
        panic!("not gone and back")
    };
    assert_eq!(mode.size, Size::new(640, 480));
    Ok(())
}

/// Vblanks with nothing but black in them, while the display's modes change to those of `height`. The first `n_black`
/// pictures after the change are drawn black. `blacks`: their checksums in all modes.
fn black_vblanks(stage: &mut Stage, height: u16, n_black: u32, blacks: &[u32]) -> usize {
    stage.play(ms(300));
    stage.wire = Some(Wire::of(stage.screen.device().card().path()));
    stage.play(ms(200));
    stage.look(Look::Only(height), true);
    stage.n_black = n_black;
    stage.play(ms(700));
    let seen = stage.wire.take().map(|mut it| it.take()).unwrap_or_default();
    // All that time but for the modeset, at 60 Hz.
    assert!(seen.len() > 45, "{} vblanks", seen.len());
    let gap = longest_gap(&stage.events);
    // The refresh a modeset begins in, and the one it ends in.
    assert!(gap <= ms(50), "{gap:?} from a picture to the next");
    let [(_, PresentEvent::ModeChanged(mode))] = stage.said()[..] else { panic!("no other mode") };
    assert_eq!(mode.size.height, u32::from(height));
    seen.iter().filter(|it| blacks.contains(it)).count()
}

fn longest_gap(events: &[(MonoTime, PresentEvent)]) -> Duration {
    let shown: Vec<MonoTime> = events
        .iter()
        .filter_map(|(_, it)| match it {
            PresentEvent::Presented { at, .. } => Some(*at),
            _ => None,
        })
        .collect();
    shown.windows(2).map(|it| it[1].saturating_since(it[0])).max().unwrap_or_default()
}

pub fn no_black_between_modes(_: &Surroundings) -> Outcome {
    let mut stage = Stage::new();
    let mut blacks = Vec::new();
    for height in [480, 600] {
        stage.look(Look::Only(height), true);
        stage.play(ms(300));
        stage.n_black = 12;
        stage.wire = Some(Wire::of(stage.screen.device().card().path()));
        stage.play(ms(150));
        let seen = stage.wire.take().map(|mut it| it.take()).unwrap_or_default();
        // The last vblanks of a dozen black pictures are black.
        blacks.extend(seen.last());
    }
    assert_eq!(blacks.len(), 2, "one for each mode");
    stage.said();
    assert_eq!(black_vblanks(&mut stage, 480, 0, &blacks), 0);
    assert_eq!(black_vblanks(&mut stage, 600, 0, &blacks), 0);
    // And the check would have found some.
    assert!(black_vblanks(&mut stage, 480, 2, &blacks) > 0);
    Ok(())
}
