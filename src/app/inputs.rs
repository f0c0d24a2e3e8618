//! From the inputs of a command line to the items of a show. Folders stay folders: they are read again at every turn.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::app::cli_values::LoopCount;
use crate::app::exit::Failure;
use crate::app::folder::{self, Skipped};
use crate::app::playlist_file::{self, Entry, Playlist, Target};
use crate::base::geometry::{Fit, Rotation};

/// How long a picture stays when nobody says.
pub const IMAGE_DURATION: Duration = Duration::from_secs(10);
/// Items of one turn, repeats included: past this the list itself would weigh on a small machine.
const MAX_ITEMS: usize = 100_000;

/// How one item is played.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemSettings {
    /// The longest it may run, where somebody says.
    pub duration: Option<Duration>,
    /// How long it stays if it turns out to be a single picture.
    pub image_duration: Duration,
    /// What to do when its shape is not the screen's; `None`: as the command line says.
    pub fit: Option<Fit>,
    /// A turn besides the file's own; `None`: as the command line says.
    pub rotate: Option<Rotation>,
}

impl Default for ItemSettings {
    fn default() -> Self {
        Self { duration: None, image_duration: IMAGE_DURATION, fit: None, rotate: None }
    }
}

/// One thing to play.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its path or URL.
    pub input: Arc<str>,
    /// How it is played.
    pub settings: ItemSettings,
}

/// What one turn of a show plays, and what it leaves out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expansion {
    /// To play, in order.
    pub items: Vec<Item>,
    /// Left out, with the reason.
    pub skipped: Vec<Skipped>,
}

#[derive(Debug, Clone, PartialEq)]
struct Source {
    target: Target,
    settings: ItemSettings,
    repeat: u32,
}

/// The inputs of a command line, understood but not yet opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Show {
    sources: Vec<Source>,
    loops: Option<LoopCount>,
}

impl Show {
    /// Reads the playlists among `inputs` and tells folders from files. A playlist with a mistake is a mistake of the
    /// command; everything else is only found out when it is played.
    pub fn open(inputs: &[String]) -> Result<Self, Failure> {
        let mut show = Show { sources: Vec::new(), loops: None };
        for input in inputs {
            if is_url(input) {
                show.add(Target::Url(input.clone()));
            } else if playlist_file::is_playlist(input) && !Path::new(input).is_dir() {
                let playlist = playlist_file::load(input)?;
                // With several inputs the turns are the command line's: a playlist speaks for itself only.
                show.loops = playlist.loops.filter(|_| inputs.len() == 1);
                show.add_playlist(playlist);
            } else if Path::new(input).is_dir() {
                show.add(Target::Folder(input.clone()));
            } else {
                show.add(Target::File(input.clone()));
            }
        }
        Ok(show)
    }

    /// How often to play it all, where a playlist says.
    pub fn loops(&self) -> Option<LoopCount> {
        self.loops
    }

    /// The folders in it, to be watched.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().filter_map(|it| match &it.target {
            Target::Folder(path) => Some(Path::new(path)),
            Target::File(_) | Target::Url(_) => None,
        })
    }

    /// What the next turn plays: folders are read anew, without the files in `incomplete`.
    pub fn expand(&self, incomplete: &[PathBuf]) -> Expansion {
        let mut expansion = Expansion::default();
        for source in &self.sources {
            match &source.target {
                Target::Url(url) => expansion.add(source, url),
                Target::File(path) => expansion.add(source, path),
                Target::Folder(path) => match folder::list(Path::new(path), incomplete) {
                    Err(it) => expansion.skip(path, &format!("{it}; check the folder and its permissions")),
                    Ok(listing) => {
                        expansion.skipped.extend(listing.skipped);
                        for _ in 0..source.repeat {
                            listing.files.iter().for_each(|it| expansion.add_once(source, it));
                        }
                    }
                },
            }
        }
        expansion
    }

    fn add(&mut self, target: Target) {
        self.sources.push(Source { target, settings: ItemSettings::default(), repeat: 1 });
    }

    fn add_playlist(&mut self, playlist: Playlist) {
        let image_duration = playlist.image_duration.unwrap_or(IMAGE_DURATION);
        self.sources.extend(playlist.items.into_iter().map(|it| {
            let Entry { target, duration, fit, rotate, repeat } = it;
            let image_duration = duration.unwrap_or(image_duration);
            Source { target, settings: ItemSettings { duration, image_duration, fit, rotate }, repeat }
        }));
    }
}

impl Expansion {
    fn add(&mut self, source: &Source, input: &str) {
        for _ in 0..source.repeat {
            self.add_once(source, input);
        }
    }

    fn add_once(&mut self, source: &Source, input: &str) {
        if self.items.len() < MAX_ITEMS {
            self.items.push(Item { input: input.into(), settings: source.settings.clone() });
        } else if self.items.len() == MAX_ITEMS && self.skipped.last().is_none_or(|it| it.input != input) {
            self.skip(input, "over the limit of 100000 items in a turn");
        }
    }

    fn skip(&mut self, input: &str, reason: &str) {
        self.skipped.push(Skipped { input: input.to_owned(), reason: reason.to_owned() });
    }
}

/// Whether an input names a protocol (`rtsp://…`); a bare `C:` or a file called `a:b` does not.
pub fn is_url(input: &str) -> bool {
    input.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|it: char| it.is_ascii_alphabetic())
            && scheme.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(it: &Expansion) -> Vec<&str> {
        it.items.iter().map(|it| it.input.rsplit('/').next().unwrap_or("")).collect()
    }

    #[test]
    fn urls_are_told_from_paths() {
        for url in ["rtsp://cam/1", "https://example.com/a.m3u8", "udp+x.1://h"] {
            assert!(is_url(url), "{url}");
        }
        for path in ["film.mp4", "a:b.mp4", "/srv/odd ://name", "://x", "1a://x", "/a/b://c"] {
            assert!(!is_url(path), "{path}");
        }
    }

    #[test]
    fn folders_are_read_anew_at_every_turn() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("b.mp4"), b"x").unwrap();
        let show = Show::open(&[dir.path().display().to_string(), "rtsp://cam/1".into()]).unwrap();
        assert_eq!(names(&show.expand(&[])), ["b.mp4", "1"]);
        fs::write(at("a.mp4"), b"x").unwrap();
        assert_eq!(names(&show.expand(&[])), ["a.mp4", "b.mp4", "1"]);
        assert_eq!(names(&show.expand(&[at("a.mp4")])), ["b.mp4", "1"]);
        assert_eq!(show.folders().collect::<Vec<_>>(), [dir.path()]);
        drop(dir);
        let gone = show.expand(&[]);
        assert_eq!(names(&gone), ["1"]);
        assert!(gone.skipped[0].reason.ends_with("check the folder and its permissions"), "{gone:?}");
    }

    #[test]
    fn a_playlist_brings_its_settings_along() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("p.toml");
        let text = "loop = 2\nimage_duration = '3s'\n[[item]]\npath = 'a.png'\nrepeat = 2\n\
                    [[item]]\nfolder = 'f'\nduration = '5s'\nfit = 'stretch'\nrepeat = 2";
        fs::write(&list, text).unwrap();
        fs::create_dir(dir.path().join("f")).unwrap();
        fs::write(dir.path().join("f/x.png"), b"x").unwrap();
        fs::write(dir.path().join("f/y.png"), b"x").unwrap();
        let show = Show::open(&[list.display().to_string()]).unwrap();
        assert_eq!(show.loops(), Some(LoopCount::Times(2)));
        let turn = show.expand(&[]);
        assert_eq!(names(&turn), ["a.png", "a.png", "x.png", "y.png", "x.png", "y.png"]);
        assert_eq!(turn.items[0].settings.image_duration, Duration::from_secs(3));
        assert_eq!(turn.items[0].settings.duration, None);
        assert_eq!(turn.items[3].settings.image_duration, Duration::from_secs(5));
        assert_eq!(turn.items[3].settings.fit, Some(Fit::Stretch));
        let with_more = Show::open(&[list.display().to_string(), "b.mp4".into()]).unwrap();
        assert_eq!(with_more.loops(), None);
    }

    #[test]
    fn a_file_that_cannot_be_played_is_left_to_the_demuxer() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s.mp4").display().to_string();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let turn = Show::open(&[socket, "missing.mp4".into()]).unwrap().expand(&[]);
        assert_eq!(names(&turn), ["s.mp4", "missing.mp4"]);
        assert_eq!(turn.skipped, []);
    }

    #[test]
    fn a_turn_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("p.toml");
        fs::write(&list, "[[item]]\npath = 'a.png'\nrepeat = 1000\n".repeat(101)).unwrap();
        let turn = Show::open(&[list.display().to_string()]).unwrap().expand(&[]);
        assert_eq!((turn.items.len(), turn.skipped.len()), (100_000, 1));
    }
}
