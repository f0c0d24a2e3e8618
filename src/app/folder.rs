//! What a folder holds that can be played, in the order people expect.
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

/// Files of one folder that are looked at: more would make every scan slow and its list large.
const MAX_FILES: usize = 100_000;
/// Names that are never pictures: text, subtitles, checksums, and files a download or an editor has not finished.
const NOT_MEDIA: &[&str] = &[
    "ass",
    "bak",
    "crdownload",
    "csv",
    "doc",
    "docx",
    "html",
    "json",
    "log",
    "m3u",
    "md",
    "md5",
    "nfo",
    "part",
    "pdf",
    "partial",
    "sha256",
    "srt",
    "ssa",
    "sub",
    "swp",
    "tmp",
    "torrent",
    "txt",
    "vtt",
    "xml",
    "yaml",
    "yml",
    "zip",
];

/// A file that is not played, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its path or URL.
    pub input: String,
    /// Why, and what to do where there is something to do.
    pub reason: String,
}

/// A folder's files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// What to play, by name: numbers in names count as numbers.
    pub files: Vec<String>,
    /// What not.
    pub skipped: Vec<Skipped>,
}

/// Lists `folder` (not its subfolders). Files in `incomplete` are still being written and stay out.
pub fn list(folder: &Path, incomplete: &[PathBuf]) -> std::io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(folder)? {
        // An entry that vanishes while it is listed is no reason to lose the others.
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        let skip = match path.to_str() {
            None => Some("its name is not UTF-8; rename it"),
            Some(_) if listing.files.len() == MAX_FILES => Some("over the limit of 100000 files in a folder"),
            Some(_) if incomplete.contains(&path) => Some("still being written"),
            Some(_) => why_not(&path),
        };
        let input = path.to_string_lossy().into_owned();
        match skip {
            None => listing.files.push(input),
            Some(reason) => listing.skipped.push(Skipped { input, reason: reason.to_owned() }),
        }
    }
    listing.files.sort_by(|one, other| natural(one, other));
    listing.skipped.sort_by(|one, other| natural(&one.input, &other.input));
    Ok(listing)
}

/// Why a file of a folder is not to be played.
fn why_not(path: &Path) -> Option<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') {
        return Some("hidden");
    }
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    // Follows links: what counts is what would be opened. Opening a pipe would wait for its other end for ever.
    match std::fs::metadata(path) {
        Err(_) => Some("cannot be read; check its permissions, or where it links to"),
        Ok(it) if it.is_dir() => Some("a folder inside a folder; name it as an input of its own"),
        Ok(it) if !it.is_file() => Some("not a regular file"),
        Ok(_) if name.ends_with('~') || NOT_MEDIA.contains(&extension.as_str()) => Some("not media, by its name"),
        Ok(_) if extension == "toml" => Some("a playlist inside a folder; name it as an input of its own"),
        Ok(_) => None,
    }
}

/// Orders names as people do: `2.mp4` before `10.mp4`, upper case beside lower case. Total: equal only when identical.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    while let (Some(a), Some(b)) = (left.chars().next(), right.chars().next()) {
        let order = if a.is_ascii_digit() && b.is_ascii_digit() {
            let (number, rest) = split_number(left);
            let (other_number, other_rest) = split_number(right);
            (left, right) = (rest, other_rest);
            // Without leading zeros, the longer number is the larger one, however long it is.
            number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number))
        } else {
            (left, right) = (left.get(a.len_utf8()..).unwrap_or(""), right.get(b.len_utf8()..).unwrap_or(""));
            a.to_lowercase().cmp(b.to_lowercase())
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| one.cmp(other))
}

/// The digits a text begins with, without leading zeros, and what follows them.
fn split_number(text: &str) -> (&str, &str) {
    let end = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (number.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_sort_as_people_expect() {
        let mut names = ["b1", "a10.mp4", "a2.mp4", "A1.mp4", "a02b", "a", "é", "a99999999999999999999999", "a3"];
        names.sort_by(|one, other| natural(one, other));
        assert_eq!(names, ["a", "A1.mp4", "a2.mp4", "a02b", "a3", "a10.mp4", "a99999999999999999999999", "b1", "é"]);
    }

    #[test]
    fn a_folder_gives_its_media_and_says_why_not_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["10.mp4", "2.MKV", "notes.TXT", ".hidden.mp4", "new.mp4.part", "list.toml", "busy.mp4", "old.mp4~"]
        {
            fs::write(at(name), b"x").unwrap();
        }
        fs::create_dir(at("sub")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling.mp4")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket.mp4")).unwrap();
        let got = list(dir.path(), &[at("busy.mp4")]).unwrap();
        assert_eq!(got.files, [at("2.MKV").display().to_string(), at("10.mp4").display().to_string()]);
        let skipped: Vec<(String, &str)> = got
            .skipped
            .iter()
            .map(|it| (it.input.replace(&format!("{}/", dir.path().display()), ""), it.reason.as_str()))
            .collect();
        let want = [
            (".hidden.mp4", "hidden"),
            ("busy.mp4", "still being written"),
            ("dangling.mp4", "cannot be read; check its permissions, or where it links to"),
            ("list.toml", "a playlist inside a folder; name it as an input of its own"),
            ("new.mp4.part", "not media, by its name"),
            ("notes.TXT", "not media, by its name"),
            ("old.mp4~", "not media, by its name"),
            ("socket.mp4", "not a regular file"),
            ("sub", "a folder inside a folder; name it as an input of its own"),
        ];
        assert_eq!(skipped, want.map(|(name, why)| (name.to_owned(), why)));
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_total(a in "[aA0-2é]{0,6}", b in "[aA0-2é]{0,6}", c in "[aA0-2é]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b).is_eq(), a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
