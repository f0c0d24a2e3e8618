//! Tests of playlists: what they say, and what each mistake in them gets.
use std::time::Duration;

use crate::app::cli_values::LoopCount;
use crate::app::exit::Exit;
use crate::app::playlist_file::{Entry, Target, load, parse};
use crate::base::geometry::{Fit, Rotation};

#[test]
fn a_playlist_says_what_plays_how_long_and_how() {
    let text = r#"
        loop = "forever"
        image_duration = "8s"
        [[item]]
        path = "film.mp4"
        fit = "cover"
        rotate = 90
        [[item]]
        folder = "/srv/promo"
        duration = "15s"
        [[item]]
        url = "https://example.com/live.m3u8"
        duration = "1min"
        repeat = 2
    "#;
    let it = parse("shows/monday.toml", text).unwrap();
    assert_eq!((it.loops, it.image_duration), (Some(LoopCount::Forever), Some(Duration::from_secs(8))));
    let plain = |target| Entry { target, duration: None, fit: None, rotate: None, repeat: 1 };
    let film = plain(Target::File("shows/film.mp4".into()));
    let promo = plain(Target::Folder("/srv/promo".into()));
    let live = plain(Target::Url("https://example.com/live.m3u8".into()));
    assert_eq!(
        it.items,
        [
            Entry { fit: Some(Fit::Cover), rotate: Some(Rotation::Clockwise90), ..film },
            Entry { duration: Some(Duration::from_secs(15)), ..promo },
            Entry { duration: Some(Duration::from_secs(60)), repeat: 2, ..live },
        ]
    );
    assert_eq!(parse("p.toml", "loop = 3\n[[item]]\npath = 'a'").unwrap().loops, Some(LoopCount::Times(3)));
}

#[track_caller]
fn refused(text: &str, want: &str) {
    let failure = parse("dir/p.toml", text).expect_err(text);
    assert_eq!(failure.to_string(), want);
    assert_eq!(failure.exit, Exit::Usage);
}

#[test]
fn every_mistake_names_its_place_and_what_to_do() {
    for (text, want) in [
        ("", "dir/p.toml: no item in this playlist; add an [[item]] with a path, a folder or a url"),
        ("[[item]]\npath = 'a'\ndurtion = '3s'", "dir/p.toml:3:1: unknown key \"durtion\"; did you mean \"duration\"?"),
        ("lop = 3", "dir/p.toml:1:1: unknown key \"lop\"; did you mean \"loop\"?"),
        (
            "# é\n  zebra = 1\n  aardvark = 2",
            "dir/p.toml:2:3: unknown key \"zebra\"; known here: loop, image_duration, item",
        ),
        ("[[items]]\npath = 'a'", "dir/p.toml:1:3: unknown key \"items\"; did you mean \"item\"?"),
        ("item = 3", "dir/p.toml:1:8: write each item under a line [[item]]"),
        ("item = ['a.mp4']", "dir/p.toml:1:9: write each item under a line [[item]]"),
        ("[[item]]\nfit = 'cover'", "dir/p.toml:1:1: this item says neither path nor folder nor url"),
        (
            "[[item]]\npath = 'a'\nurl = 'b'",
            "dir/p.toml:1:1: this item says more than one of path, folder and url; split it",
        ),
        (
            "[[item]]\npath = 'other.TOML'",
            "dir/p.toml:2:8: a playlist cannot hold another one (other.TOML); list its items here instead",
        ),
        ("[[item]]\npath = ''", "dir/p.toml:2:8: path = \"\": it is empty"),
        ("[[item]]\npath = true", "dir/p.toml:2:8: path is a boolean here, not a string or a whole number"),
        (
            "[[item]]\npath = 'a'\nduration = 10",
            "dir/p.toml:3:12: duration = \"10\": give a duration such as \"10s\", \"500ms\", \"3min\" or \"1h\"",
        ),
        ("[[item]]\npath = 'a'\nfit = 'full'", "dir/p.toml:3:7: fit = \"full\": one of contain, cover, stretch"),
        ("[[item]]\npath = 'a'\nrotate = 45", "dir/p.toml:3:10: rotate = \"45\": one of 0, 90, 180, 270"),
        ("[[item]]\npath = 'a'\nrepeat = 0", "dir/p.toml:3:10: repeat = \"0\": a whole number from 1 to 1000"),
        ("loop = 'never'", "dir/p.toml:1:8: loop = \"never\": a number of times, or `forever`"),
    ] {
        refused(text, want);
    }
}

#[test]
fn what_is_not_toml_names_its_place() {
    let failure = parse("p.toml", "[[item]]\npath = \n").unwrap_err().to_string();
    assert!(failure.starts_with("p.toml:2:8: "), "{failure}");
    assert!(parse("p.toml", "a = 1\na = 2").unwrap_err().to_string().starts_with("p.toml:2:1: duplicate key"));
}

#[test]
fn a_playlist_that_cannot_be_read_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(path("latin1.toml"), b"# caf\xe9").unwrap();
    std::fs::write(path("huge.toml"), vec![b'#'; (4 << 20) + 1]).unwrap();
    for (name, want) in [
        ("missing.toml", "No such file or directory (os error 2); check the path and its permissions"),
        ("latin1.toml", "byte 5 is not UTF-8 text; save it as UTF-8"),
        ("huge.toml", "over the limit of 4 MiB for a TOML file; check that it is the right file"),
    ] {
        assert_eq!(load(&path(name)).unwrap_err().to_string(), format!("{}: {want}", path(name)));
    }
}
