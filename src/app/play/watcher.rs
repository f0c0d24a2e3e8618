//! Watched folders: the list to play, and when it has become another one.
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::app::inputs::{Item, Show};
use crate::platform::Platform;
use crate::seam::wait::Waitable;
use crate::seam::watch::FolderWatch;

/// Where folders cannot be watched they are read again this often.
const WITHOUT_WATCH: Duration = Duration::from_secs(1);

/// What tells a file from another one of the same name: its length, and when it was last written.
type Stamp = Option<(u64, SystemTime)>;

/// The list has become another one, or a file in it has.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The list as it is now.
    pub items: Vec<Item>,
    /// Those that were there before, with other contents.
    pub renewed: Vec<String>,
}

/// The show, and the watch on its folders.
pub struct Watcher {
    show: Show,
    watch: Option<Box<dyn FolderWatch>>,
    last: Vec<(Item, Stamp)>,
    said: Vec<String>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher")
            .field("show", &self.show)
            .field("watches", &self.watch.is_some())
            .finish_non_exhaustive()
    }
}

impl Watcher {
    /// Watches the show's folders where it `loops` for ever; a show that ends plays what was there at its start.
    pub fn new(show: Show, loops: bool, platform: &Platform) -> Self {
        let has_folders = show.folders().next().is_some();
        let watch = if loops && has_folders {
            (platform.watch)().map_err(|it| log::warn!("cannot watch folders: {it}; changes are not noticed")).ok()
        } else {
            None
        };
        let mut it = Self { show, watch, last: Vec::new(), said: Vec::new() };
        it.watch_all();
        it
    }

    fn watch_all(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        for folder in self.show.folders() {
            if let Err(error) = watch.watch(folder) {
                log::debug!("{}: cannot be watched: {error}", folder.display());
            }
        }
    }

    /// Whether there are folders in the show.
    pub fn has_folders(&self) -> bool {
        self.show.folders().next().is_some()
    }

    /// What to show while there is nothing to play.
    pub fn waiting_text(&self) -> String {
        let folders: Vec<String> = self.show.folders().map(|it| Path::display(it).to_string()).collect();
        format!("Nothing to play yet.\n\nPut films or pictures into\n{}", folders.join("\n"))
    }

    /// What there is to play now. Says once what is left out.
    pub fn expand(&mut self) -> Vec<Item> {
        let incomplete = self.watch.as_ref().map_or(&[][..], |it| it.incomplete());
        let expansion = self.show.expand(incomplete);
        for it in expansion.skipped {
            let line = format!("{}: left out: {}", it.input, it.reason);
            if !self.said.contains(&line) {
                log::warn!("{line}");
                self.said.push(line);
            }
        }
        // Names come and go for years; what was said long ago may be said again.
        if 1000 < self.said.len() {
            self.said.clear();
        }
        self.last = expansion.items.iter().map(|it| (it.clone(), stamp(it))).collect();
        expansion.items
    }

    /// The change, if there is one.
    pub fn changed(&mut self) -> Option<Change> {
        if !self.watch.as_mut()?.changed() {
            return None;
        }
        self.watch_all();
        let before = std::mem::take(&mut self.last);
        let items = self.expand();
        if self.last == before {
            return None;
        }
        let was: HashMap<&str, Stamp> = before.iter().map(|(it, stamp)| (&*it.input, *stamp)).collect();
        let is_renewed = |(it, stamp): &&(Item, Stamp)| was.get(&*it.input).is_some_and(|was| was != stamp);
        let renewed = self.last.iter().filter(is_renewed).map(|(it, _)| it.input.to_string()).collect();
        Some(Change { items, renewed })
    }

    /// What fires when there may be a change.
    pub fn waitable(&self) -> Waitable<'_> {
        self.watch.as_ref().map_or(Waitable::Every(WITHOUT_WATCH), |it| it.waitable())
    }
}

/// `None` for what is no file here: a URL, or one that is gone again.
fn stamp(it: &Item) -> Stamp {
    let file = std::fs::metadata(&*it.input).ok()?;
    Some((file.len(), file.modified().ok()?))
}
