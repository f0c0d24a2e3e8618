//! Whose the card is: only its DRM master may commit (`Documentation/gpu/drm-uapi.rst`).
use std::time::Duration;

use drm::Device as _;

use crate::backend::kms::device::Device;
use crate::base::time::MonoTime;

/// How often we ask to be DRM master again. A console switch is felt at once; more often is only noise.
const MASTER_RETRY: Duration = Duration::from_millis(250);

/// Who is DRM master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Master {
    /// We are.
    Held,
    /// Somebody else is; we ask again then.
    Lost { retry_at: MonoTime },
    /// It is another's turn at the screen; we are told when it is ours again.
    GivenUp,
}

impl Device {
    /// A commit said that somebody else is DRM master.
    pub fn lose_master(&self, now: MonoTime) {
        if self.master.get() == Master::Held {
            log::warn!(
                "{}: another program has taken the display; waiting for it to let go",
                self.card.path().display()
            );
            self.master.set(Master::Lost { retry_at: now + MASTER_RETRY });
        }
    }

    /// Tries to become master again, now and then.
    pub fn regain_master(&self, now: MonoTime) {
        let Master::Lost { retry_at } = self.master.get() else { return };
        if now < retry_at {
            return;
        }
        match self.card.acquire_master_lock() {
            Ok(()) => {
                log::info!("{}: the display is ours again", self.card.path().display());
                self.master.set(Master::Held);
                self.regained.set(self.regained.get() + 1);
            }
            Err(_) => self.master.set(Master::Lost { retry_at: now + MASTER_RETRY }),
        }
    }

    /// Gives the display up to another program (a console switch), until `take_back`.
    pub fn give_up(&self) {
        self.master.set(Master::GivenUp);
        if let Err(error) = self.card.release_master_lock() {
            log::debug!("{}: releasing the DRM master lock: {error}", self.card.path().display());
        }
    }

    /// It is another's turn at the screen.
    pub fn is_given_up(&self) -> bool {
        self.master.get() == Master::GivenUp
    }

    /// Ends `give_up`: asks to be master at the next `poll`.
    pub fn take_back(&self, now: MonoTime) {
        if self.master.get() != Master::Held {
            self.master.set(Master::Lost { retry_at: now });
        }
    }

    /// Whether the card is ours to commit to.
    pub fn is_master(&self) -> bool {
        self.master.get() == Master::Held
    }

    /// How often we became master again.
    pub fn regained(&self) -> u64 {
        self.regained.get()
    }

    /// When `regain_master` will try.
    pub fn master_retry_at(&self) -> Option<MonoTime> {
        match self.master.get() {
            Master::Held | Master::GivenUp => None,
            Master::Lost { retry_at } => Some(retry_at),
        }
    }
}
