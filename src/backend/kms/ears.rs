//! What a card hears besides its flips: uevents, and whose turn it is at the screen.
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use drm::control::connector;
use nix::sys::stat::{fstat, minor};

use crate::backend::kms::device::Device;
use crate::backend::kms::uevent::{CardChange, News, UeventSocket};
use crate::base::time::MonoTime;
use crate::seam::seat::{Seat, SeatRequest};
use crate::sys::kms::Card;

/// Both ears. A seat is given up when this is dropped.
#[derive(Debug)]
pub struct Ears {
    uevents: Option<UeventSocket>,
    seat: Option<Box<dyn Seat>>,
    /// The card's node below `/dev/dri`, as uevents name it.
    minor: Option<u32>,
    hints: Hints,
}

/// Counts what was said of connectors.
#[derive(Debug, Default)]
struct Hints {
    /// Of any of them, without a name.
    of_any: u64,
    /// Of one of them. A card has a handful.
    of_one: Vec<(u32, u64)>,
}

/// What is to be done about what was heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// The card was taken out, or its driver was.
    pub is_removed: bool,
    /// Our turn ends or begins.
    pub request: Option<SeatRequest>,
}

impl Ears {
    /// Hears of `card`; `uevents` are to be open since before its connectors were first looked at.
    pub fn new(uevents: Option<UeventSocket>, card: &Card) -> Self {
        let number = fstat(card.as_fd()).ok().and_then(|it| u32::try_from(minor(it.st_rdev)).ok());
        Self { uevents, seat: None, minor: number, hints: Hints::default() }
    }

    /// Says that there are no uevents, where there are none.
    pub fn hears_of(uevents: io::Result<UeventSocket>) -> Option<UeventSocket> {
        let tell = |reason: &io::Error| {
            log::info!("the kernel does not tell when displays come and go ({reason}); looking twice a second instead");
        };
        uevents.inspect_err(tell).ok()
    }

    /// Whether the kernel tells.
    pub fn has_uevents(&self) -> bool {
        self.uevents.is_some()
    }

    /// Takes a turn at the screen, from now until the card is closed.
    pub fn sit(&mut self, seat: Box<dyn Seat>) {
        self.seat = Some(seat);
    }

    /// Answers [`SeatRequest::LetGo`].
    pub fn let_go(&mut self) {
        if let Some(seat) = &mut self.seat {
            seat.let_go();
        }
    }

    /// What fires when `listen` has news.
    pub fn wakes_by(&self) -> [Option<BorrowedFd<'_>>; 2] {
        [self.uevents.as_ref().map(AsFd::as_fd), self.seat.as_ref().and_then(|it| it.wakes_by())]
    }

    /// Takes in what there is to hear. Never waits.
    pub fn listen(&mut self) -> Heard {
        let mut heard = Heard::default();
        while let Some(news) = self.uevents.as_mut().and_then(UeventSocket::poll) {
            match news {
                News::Lost => self.hints.of_any += 1,
                News::Card(news) if news.minor.is_some() && news.minor != self.minor => {}
                News::Card(news) => match news.change {
                    CardChange::Hotplug { connector } => self.hints.count(connector),
                    CardChange::Removed => heard.is_removed |= news.minor.is_some(),
                    CardChange::Added => {}
                },
            }
        }
        // A turn that ended and began again in between has not ended.
        while let Some(request) = self.seat.as_mut().and_then(|it| it.poll()) {
            heard.request = Some(request);
            if request == SeatRequest::LetGo {
                break;
            }
        }
        heard
    }

    /// As if a uevent had said that something has changed.
    pub fn hint(&mut self) {
        self.hints.of_any += 1;
    }

    /// How often something was said that concerns this connector; `None`: any of them.
    pub fn hints(&self, of: Option<connector::Handle>) -> u64 {
        let of_one = self.hints.of_one.iter().filter(|(id, _)| of.is_none_or(|it| u32::from(it) == *id));
        self.hints.of_any + of_one.map(|(_, count)| count).sum::<u64>()
    }
}

impl Device {
    /// Takes in what was said of displays and of the screen's other users. Never waits.
    pub fn hear(&self, now: MonoTime) {
        let heard = self.ears.borrow_mut().listen();
        if heard.is_removed {
            self.lose(None);
        }
        match heard.request {
            Some(SeatRequest::LetGo) => {
                self.give_up();
                self.ears.borrow_mut().let_go();
            }
            Some(SeatRequest::TakeBack) => self.take_back(now),
            None => {}
        }
    }

    /// Takes a turn at the screen, until the card is closed.
    pub fn sit(&self, seat: Box<dyn Seat>) -> io::Result<()> {
        if let Some(fd) = seat.wakes_by() {
            self.waits.watch(fd)?;
        }
        self.ears.borrow_mut().sit(seat);
        Ok(())
    }

    /// Whether the kernel tells when displays come and go.
    pub fn has_uevents(&self) -> bool {
        self.ears.borrow().has_uevents()
    }

    /// How often something was said that concerns this connector; `None`: any of them.
    pub fn hints(&self, of: Option<connector::Handle>) -> u64 {
        self.ears.borrow().hints(of)
    }
}

impl Hints {
    fn count(&mut self, connector: Option<u32>) {
        let Some(id) = connector else {
            self.of_any += 1;
            return;
        };
        match self.of_one.iter_mut().find(|(it, _)| *it == id) {
            Some((_, count)) => *count += 1,
            None => self.of_one.push((id, 1)),
        }
    }
}
