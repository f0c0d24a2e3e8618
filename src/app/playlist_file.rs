//! Playlists (`*.toml`).
//!
//! ```toml
//! loop = "forever"          # or a number; --loop on the command line wins
//! image_duration = "8s"     # how long a picture stays when its item does not say; 10s without this
//!
//! [[item]]
//! path = "film.mp4"         # relative to the playlist
//! fit = "cover"             # contain, cover, stretch; else what the command line says
//! rotate = 90               # clockwise: 0, 90, 180, 270; added to what the file asks for
//!
//! [[item]]
//! folder = "promo"          # its files in the order of their names
//! duration = "15s"          # each picture stays this long; a film ends after it
//!
//! [[item]]
//! url = "https://example.com/live.m3u8"
//! duration = "1min"
//! repeat = 2                # twice in a row
//! ```
//!
//! Each item has one of `path`, `folder` and `url`. A key that is not known is refused: a slip of the pen must not
//! change a show silently.
use std::path::Path;
use std::time::Duration;

use crate::app::cli_values::{LoopCount, fit_by_name, parse_duration, parse_loop, parse_rotation};
use crate::app::exit::Failure;
use crate::app::toml_file::{Source, Table, read};
use crate::base::geometry::{Fit, Rotation};

/// Repeats of one item in a row; more is a `loop`.
const MAX_REPEAT: u32 = 1000;

/// What a playlist says.
#[derive(Debug, Clone, PartialEq)]
pub struct Playlist {
    /// How often to play it all, where it says.
    pub loops: Option<LoopCount>,
    /// How long a picture stays when its item does not say.
    pub image_duration: Option<Duration>,
    /// Its items, in order; at least one.
    pub items: Vec<Entry>,
}

/// One item of a playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What to play.
    pub target: Target,
    /// How long: of a picture its time on the screen, of a film the longest it may run.
    pub duration: Option<Duration>,
    /// What to do when its shape is not the screen's.
    pub fit: Option<Fit>,
    /// A turn besides the one the file asks for.
    pub rotate: Option<Rotation>,
    /// How many times in a row, 1 to 1000.
    pub repeat: u32,
}

/// What an item names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file's path.
    File(String),
    /// A folder's path.
    Folder(String),
    /// A URL.
    Url(String),
}

/// Whether an input is a playlist, by its name.
pub fn is_playlist(input: &str) -> bool {
    Path::new(input).extension().is_some_and(|it| it.eq_ignore_ascii_case("toml"))
}

/// Reads the playlist at `path`.
pub fn load(path: &str) -> Result<Playlist, Failure> {
    parse(path, &read(path)?)
}

/// Reads a playlist's text; `path` is its name in errors and where its relative paths start.
pub fn parse(path: &str, text: &str) -> Result<Playlist, Failure> {
    let source = Source { name: path, text };
    let document = source.parse()?;
    let top = Table::open(source, document.get_ref(), &["loop", "image_duration", "item"])?;
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let items = top.tables("item")?;
    let items: Result<Vec<Entry>, Failure> =
        items.into_iter().map(|(table, at)| entry(source, table, at, folder)).collect();
    let playlist = Playlist {
        loops: top.plain("loop", parse_loop)?,
        image_duration: top.plain("image_duration", parse_duration)?,
        items: items?,
    };
    if playlist.items.is_empty() {
        return Err(Failure::usage(format_args!("{path}: no item in this playlist"))
            .advise("add an [[item]] with a path, a folder or a url"));
    }
    Ok(playlist)
}

fn entry(
    source: Source<'_>,
    table: &toml::de::DeTable<'_>,
    at: std::ops::Range<usize>,
    folder: &Path,
) -> Result<Entry, Failure> {
    let table = Table::open(source, table, &["path", "folder", "url", "duration", "fit", "rotate", "repeat"])?;
    let named = |it: &str| match it.trim() {
        "" => Err("it is empty".to_owned()),
        _ => Ok(it.to_owned()),
    };
    // The playlist's own path came from the command line as text, so joining keeps it text.
    let beside = |it: &str| folder.join(it).to_string_lossy().into_owned();
    let (path, dir, url) = (table.value("path", named)?, table.plain("folder", named)?, table.plain("url", named)?);
    let target = match (path, dir, url) {
        (Some((it, at)), None, None) => {
            if is_playlist(&it) {
                let what = format_args!("a playlist cannot hold another one ({it})");
                return Err(source.fail(at, what).advise("list its items here instead"));
            }
            Target::File(beside(&it))
        }
        (None, Some(it), None) => Target::Folder(beside(&it)),
        (None, None, Some(it)) => Target::Url(it),
        (None, None, None) => return Err(source.fail(at, "this item says neither path nor folder nor url")),
        _ => return Err(source.fail(at, "this item says more than one of path, folder and url").advise("split it")),
    };
    Ok(Entry {
        target,
        duration: table.plain("duration", parse_duration)?,
        fit: table.plain("fit", |it| fit_by_name(it).ok_or_else(|| "one of contain, cover, stretch".to_owned()))?,
        rotate: table.plain("rotate", parse_rotation)?,
        repeat: table.plain("repeat", parse_repeat)?.unwrap_or(1),
    })
}

fn parse_repeat(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|it| (1..=MAX_REPEAT).contains(it))
        .ok_or_else(|| format!("a whole number from 1 to {MAX_REPEAT}"))
}

#[cfg(test)]
mod tests;
