//! Real folders; the kernel queues an event before the call that caused it returns, so nothing here waits.
use std::fs::{self, File};
use std::io::Write;

use super::*;

struct Watched {
    folder: tempfile::TempDir,
    watch: InotifyWatch,
}

impl Watched {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut watch = InotifyWatch::new().expect("inotify is there");
        watch.watch(folder.path()).expect("it can be watched");
        assert!(!watch.changed(), "nothing has happened yet");
        Self { folder, watch }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// What `changed` says, and the names of what is incomplete.
    fn look(&mut self) -> (bool, Vec<String>) {
        let changed = self.watch.changed();
        let names = self.watch.incomplete().iter();
        (changed, names.map(|it| it.file_name().expect("a file").to_string_lossy().into_owned()).collect())
    }
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_file_is_incomplete_until_it_is_closed() {
    let mut it = Watched::new();
    let mut file = File::create(it.path("film.mp4")).expect("a file");
    assert_eq!(it.look(), (false, vec!["film.mp4".to_owned()]));
    file.write_all(b"half").expect("there is room");
    assert_eq!(it.look(), (false, vec!["film.mp4".to_owned()]));
    drop(file);
    assert_eq!(it.look(), (true, nothing()));
    assert_eq!(it.look(), (false, nothing()), "said once");
}

#[test]
fn a_file_whose_writing_began_before_the_watch_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("film.mp4")).expect("a file");
    let mut watch = InotifyWatch::new().expect("inotify is there");
    watch.watch(folder.path()).expect("it can be watched");
    file.write_all(b"more").expect("there is room");
    assert!(!watch.changed());
    assert_eq!(watch.incomplete(), [folder.path().join("film.mp4")]);
    drop(file);
    assert!(watch.changed());
    assert!(watch.incomplete().is_empty());
}

#[test]
fn a_rename_into_the_folder_is_complete_at_once_and_one_out_of_it_is_a_change() {
    let mut it = Watched::new();
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("film.mp4"), b"whole").expect("a file");
    fs::rename(outside.path().join("film.mp4"), it.path("film.mp4")).expect("same file system");
    assert_eq!(it.look(), (true, nothing()));
    fs::rename(it.path("film.mp4"), outside.path().join("film.mp4")).expect("same file system");
    assert_eq!(it.look(), (true, nothing()));
}

#[test]
fn a_file_renamed_while_it_is_written_stays_incomplete_under_its_new_name() {
    let mut it = Watched::new();
    let mut file = File::create(it.path("film.part")).expect("a file");
    it.look();
    fs::rename(it.path("film.part"), it.path("film.mp4")).expect("same folder");
    assert_eq!(it.look(), (true, vec!["film.mp4".to_owned()]));
    file.write_all(b"more").expect("there is room");
    drop(file);
    assert_eq!(it.look(), (true, nothing()));
}

#[test]
fn a_download_that_is_closed_and_then_renamed_is_complete() {
    let mut it = Watched::new();
    fs::write(it.path(".film.mp4.Xy12"), b"whole").expect("a file");
    fs::rename(it.path(".film.mp4.Xy12"), it.path("film.mp4")).expect("same folder");
    assert_eq!(it.look(), (true, nothing()));
}

#[test]
fn deleting_a_half_written_file_forgets_it() {
    let mut it = Watched::new();
    let file = File::create(it.path("film.mp4")).expect("a file");
    it.look();
    fs::remove_file(it.path("film.mp4")).expect("it is there");
    assert_eq!(it.look(), (true, nothing()));
    drop(file);
    assert_eq!(it.look().1, nothing());
}

#[test]
fn links_are_whole_when_they_appear() {
    let mut it = Watched::new();
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("film.mp4"), b"whole").expect("a file");
    std::os::unix::fs::symlink(outside.path().join("film.mp4"), it.path("soft.mp4")).expect("a link");
    assert_eq!(it.look(), (true, nothing()));
    fs::hard_link(outside.path().join("film.mp4"), it.path("hard.mp4")).expect("a link");
    assert_eq!(it.look(), (true, nothing()));
}

#[test]
fn reading_a_file_and_making_a_subfolder_change_nothing() {
    let mut it = Watched::new();
    fs::write(it.path("film.mp4"), b"whole").expect("a file");
    it.look();
    fs::read(it.path("film.mp4")).expect("it is there");
    fs::create_dir(it.path("more")).expect("a folder");
    assert_eq!(it.look(), (false, nothing()));
}

#[test]
fn watching_twice_is_watching_once() {
    let mut it = Watched::new();
    it.watch.watch(it.folder.path()).expect("it is watched already");
    assert!(!it.watch.changed());
    fs::write(it.path("film.mp4"), b"whole").expect("a file");
    assert_eq!(it.look(), (true, nothing()));
}

#[test]
fn a_folder_known_by_two_paths_is_watched_under_both() {
    let mut it = Watched::new();
    let other = it.folder.path().join("..").join(it.folder.path().file_name().expect("it has one"));
    it.watch.watch(&other).expect("it can be watched");
    let _file = File::create(it.path("film.mp4")).expect("a file");
    it.watch.changed();
    assert_eq!(it.watch.incomplete(), [it.path("film.mp4"), other.join("film.mp4")]);
}

#[test]
fn a_folder_that_is_deleted_and_made_again_can_be_watched_again() {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("films");
    fs::create_dir(&folder).expect("a folder");
    let mut watch = InotifyWatch::new().expect("inotify is there");
    watch.watch(&folder).expect("it can be watched");
    let _file = File::create(folder.join("half.mp4")).expect("a file");
    watch.changed();
    fs::remove_dir_all(&folder).expect("it is ours");
    assert!(watch.changed());
    assert!(watch.incomplete().is_empty());
    assert_eq!(watch.watch(&folder).expect_err("it is gone").kind(), std::io::ErrorKind::NotFound);
    fs::create_dir(&folder).expect("a folder");
    watch.watch(&folder).expect("it is back");
    fs::write(folder.join("film.mp4"), b"whole").expect("a file");
    assert!(watch.changed());
}

#[test]
fn a_folder_replaced_behind_our_back_is_watched_when_asked_again() {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = outside.path().join("films");
    fs::create_dir(&folder).expect("a folder");
    let mut watch = InotifyWatch::new().expect("inotify is there");
    watch.watch(&folder).expect("it can be watched");
    fs::rename(&folder, outside.path().join("old")).expect("it is ours");
    fs::create_dir(&folder).expect("a folder");
    watch.watch(&folder).expect("it is another one now");
    assert!(watch.changed());
    fs::write(outside.path().join("old/film.mp4"), b"whole").expect("a file");
    assert!(!watch.changed(), "the old one is not ours any more");
    fs::write(folder.join("film.mp4"), b"whole").expect("a file");
    assert!(watch.changed());
}

#[test]
fn looking_when_nothing_happened_allocates_nothing() {
    let mut it = Watched::new();
    let before = crate::sys::alloc::thread_allocations();
    for _ in 0..10 {
        assert!(!it.watch.changed());
    }
    assert_eq!(crate::sys::alloc::thread_allocations() - before, 0);
}

#[test]
fn its_descriptor_is_readable_when_there_is_news() {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let it = Watched::new();
    let Waitable::Fd(fd) = it.watch.waitable() else { panic!("inotify has a descriptor") };
    let readable = || poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], PollTimeout::ZERO).expect("poll");
    assert_eq!(readable(), 0);
    fs::write(it.path("film.mp4"), b"whole").expect("a file");
    assert_eq!(readable(), 1);
}
