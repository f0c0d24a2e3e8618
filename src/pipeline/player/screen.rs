//! Everything that lives on the present thread with the GL context.
use crate::logic::sight::{Loss, Sight};
use crate::pipeline::player::interop::InteropSwitch;
use crate::render::Compositor;
use crate::seam::presenter::{PresentError, Presenter};

/// The screen, and the ways a frame gets onto it. Fields are dropped in order: the presenter owns the context.
pub struct Screen {
    /// Ways from frames to textures.
    pub interops: InteropSwitch,
    /// Draws into targets, and reads them back.
    pub compositor: Compositor,
    /// Shows targets.
    pub presenter: Box<dyn Presenter>,
}

impl Screen {
    /// Whether it says when a picture was shown: no toolkit tells a window.
    pub(super) fn counts_vblanks(&self) -> bool {
        self.presenter.name() != "window"
    }

    /// Says, the first time, that it takes no picture. That there is no display it says itself.
    pub(super) fn tell_refusal(&self, sight: &Sight, why: &PresentError) {
        if sight.is_failing() || matches!(why, PresentError::NoDisplay { .. }) {
            log::debug!("{why}");
        } else {
            log::warn!("{why}; playing on unseen");
        }
    }

    /// Says that nobody can see it.
    pub(super) fn tell_loss(&self, loss: Loss) {
        match loss {
            Loss::Lost | Loss::Explained => {
                log::warn!("{}: the display is gone; playing on unseen", self.presenter.output())
            }
            Loss::Absent => log::warn!("waiting for a display on {}; playing unseen", self.presenter.output()),
            Loss::Known => {}
        }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let presenter = self.presenter.output();
        f.debug_struct("Screen")
            .field("presenter", &presenter)
            .field("mode", &self.presenter.mode())
            .finish_non_exhaustive()
    }
}
