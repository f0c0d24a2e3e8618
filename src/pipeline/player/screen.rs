//! Everything that lives on the present thread with the GL context.
use crate::pipeline::player::interop::InteropSwitch;
use crate::render::Compositor;
use crate::seam::presenter::Presenter;

/// The screen, and the ways a frame gets onto it. Fields are dropped in order: the presenter owns the context.
pub struct Screen {
    /// Ways from frames to textures.
    pub interops: InteropSwitch,
    /// Draws into targets, and reads them back.
    pub compositor: Compositor,
    /// Shows targets.
    pub presenter: Box<dyn Presenter>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let presenter = self.presenter.name();
        f.debug_struct("Screen")
            .field("presenter", &presenter)
            .field("mode", &self.presenter.mode())
            .finish_non_exhaustive()
    }
}
