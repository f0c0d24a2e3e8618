//! A folder that may change while it is played.
use std::path::{Path, PathBuf};

use crate::seam::wait::Waitable;

/// Watches folders, and knows which files somebody is still writing.
pub trait FolderWatch: Send {
    /// Starts watching a folder (not its subfolders). Watching one that is watched changes nothing.
    fn watch(&mut self, folder: &Path) -> std::io::Result<()>;
    /// Whether anything may have changed since the last call. Never waits.
    fn changed(&mut self) -> bool;
    /// Files that were opened for writing and not yet closed: not to be played yet.
    fn incomplete(&self) -> &[PathBuf];
    /// What fires when `changed` has news.
    fn waitable(&self) -> Waitable<'_>;
}
