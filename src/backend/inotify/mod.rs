//! Folders watched through inotify, so that a playlist notices new films, and none that is still being copied.
//!
//! A file is complete when its writer closes it or renames it into the folder. In between it is known to be written by its
//! `IN_CREATE` or, where the writing began before the watch did, by its next `IN_MODIFY`.
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};

use crate::seam::wait::Waitable;
use crate::seam::watch::FolderWatch;

/// Reads of up to 4 KiB of events in one `changed`: a flood goes on with the next call rather than holding up this one.
const MAX_READS: usize = 16;

/// Watches folders through one inotify instance.
#[derive(Debug)]
pub struct InotifyWatch {
    inotify: Inotify,
    /// A folder known by two paths has two entries and one descriptor.
    folders: Vec<(WatchDescriptor, PathBuf)>,
    incomplete: Vec<PathBuf>,
    /// Cookies of incomplete files that have just been renamed away; the new name is as incomplete as the old one.
    renamed: Vec<u32>,
    /// `watch` found a new folder under a path it knew.
    replaced: bool,
}

impl InotifyWatch {
    /// A watch on nothing yet; fails where the process or the user has too many.
    pub fn new() -> std::io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        Ok(Self { inotify, folders: Vec::new(), incomplete: Vec::new(), renamed: Vec::new(), replaced: false })
    }

    fn interest() -> AddWatchFlags {
        AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_ONLYDIR
    }

    fn begin(&mut self, path: PathBuf) {
        if !self.incomplete.contains(&path) {
            self.incomplete.push(path);
        }
    }

    /// Forgets that a file is incomplete; whether it was.
    fn finish(&mut self, path: &Path) -> bool {
        let before = self.incomplete.len();
        self.incomplete.retain(|it| it != path);
        self.incomplete.len() < before
    }

    fn forget_folder(&mut self, wd: WatchDescriptor) {
        let (gone, kept) = std::mem::take(&mut self.folders).into_iter().partition(|(it, _)| *it == wd);
        self.folders = kept;
        let gone: Vec<(WatchDescriptor, PathBuf)> = gone;
        self.incomplete.retain(|file| !gone.iter().any(|(_, folder)| file.parent() == Some(folder)));
    }

    /// Takes one event in; whether the folder's complete files may be others now.
    fn handle(&mut self, event: &InotifyEvent) -> bool {
        let mask = event.mask;
        if mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
            log::warn!("more happened in the watched folders than the kernel keeps; looking at all of them again");
            // Whoever still writes is noticed again by the next byte; whoever finished unseen must not stay out for ever.
            self.incomplete.clear();
            return true;
        }
        if mask.intersects(AddWatchFlags::IN_IGNORED | AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_UNMOUNT) {
            let known = self.folders.iter().any(|(it, _)| *it == event.wd);
            self.forget_folder(event.wd);
            return known;
        }
        if mask.contains(AddWatchFlags::IN_MOVE_SELF) {
            // The watch would follow the folder to its new name; what was asked for is the old one.
            let _ = self.inotify.rm_watch(event.wd);
            self.forget_folder(event.wd);
            return true;
        }
        let Some(name) = &event.name else { return false };
        if mask.contains(AddWatchFlags::IN_ISDIR) {
            return false;
        }
        let paths: Vec<PathBuf> =
            self.folders.iter().filter(|(wd, _)| *wd == event.wd).map(|(_, folder)| folder.join(name)).collect();
        let mut changed = false;
        for path in paths {
            changed |= self.handle_file(mask, event.cookie, path);
        }
        changed
    }

    fn handle_file(&mut self, mask: AddWatchFlags, cookie: u32, path: PathBuf) -> bool {
        if mask.contains(AddWatchFlags::IN_CREATE) {
            if is_link(&path) {
                return true;
            }
            self.begin(path);
            return false;
        }
        if mask.contains(AddWatchFlags::IN_MODIFY) {
            self.begin(path);
            return false;
        }
        let was_incomplete = self.finish(&path);
        if mask.contains(AddWatchFlags::IN_MOVED_FROM) && was_incomplete {
            self.renamed.push(cookie);
        }
        if mask.contains(AddWatchFlags::IN_MOVED_TO) && self.renamed.contains(&cookie) {
            self.begin(path);
        }
        true
    }
}

/// A link to a file is whole when it appears: nobody will close it. A file that is gone again is not.
fn is_link(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    path.symlink_metadata().is_ok_and(|it| it.is_symlink() || it.nlink() > 1)
}

impl FolderWatch for InotifyWatch {
    fn watch(&mut self, folder: &Path) -> std::io::Result<()> {
        // The kernel answers with the same descriptor for the same folder, and with a new one where another folder has
        // taken the old one's name.
        let wd = self.inotify.add_watch(folder, Self::interest())?;
        match self.folders.iter_mut().find(|(_, path)| path == folder) {
            Some((known, _)) if *known == wd => {}
            Some((known, _)) => {
                *known = wd;
                self.replaced = true;
            }
            None => self.folders.push((wd, folder.to_owned())),
        }
        Ok(())
    }

    fn changed(&mut self) -> bool {
        let mut changed = std::mem::take(&mut self.replaced);
        for _ in 0..MAX_READS {
            match self.inotify.read_events() {
                Ok(events) => {
                    for event in &events {
                        changed |= self.handle(event);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        // Both halves of a rename are queued together; a cookie whose other half has not come left the folder for good.
        self.renamed.clear();
        changed
    }

    fn incomplete(&self) -> &[PathBuf] {
        &self.incomplete
    }

    fn waitable(&self) -> Waitable<'_> {
        Waitable::Fd(self.inotify.as_fd())
    }
}

#[cfg(test)]
mod tests;
