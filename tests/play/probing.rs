//! `lucarne probe` and `--help`, as a user sees them.
use serde_json::Value;

use crate::media;
use crate::program::{Lucarne, bigbuckbunny};

#[test]
fn help_offers_what_works_and_nothing_else() {
    let it = Lucarne::new(["--help"]).run().done_printing();
    let commands: Vec<&str> = it
        .lines()
        .skip_while(|it| !it.starts_with("Commands:"))
        .skip(1)
        .take_while(|it| !it.is_empty())
        .filter_map(|it| it.split_whitespace().next())
        .collect();
    assert_eq!(commands, ["play", "probe"]);
    let play = Lucarne::new(["play", "--help"]).run().done_printing();
    for option in ["--display", "--loop", "--stats", "--framelog", "--snapshot-every"] {
        assert!(play.contains(option), "{play}");
    }
    for hidden in ["--no-preroll", "--threads"] {
        assert!(!play.contains(hidden), "{play}");
    }
    let version = Lucarne::new(["--version"]).run().done_printing();
    assert_eq!(version.trim(), format!("lucarne {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_film_is_described_in_words_and_as_json() {
    let words = Lucarne::new(["probe".as_ref(), bigbuckbunny().as_os_str()]).run().done_printing();
    for word in ["bigbuckbunny.mp4", "1280x720", "25", "h264", "48000 Hz"] {
        assert!(words.contains(word), "no {word} in\n{words}");
    }
    let json = Lucarne::new(["probe".as_ref(), "--json".as_ref(), bigbuckbunny().as_os_str()]).run().done_printing();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json.is_object() || json.is_array(), "{json}");
    assert!(json.to_string().contains("bigbuckbunny.mp4"));
}

#[test]
fn an_interlaced_film_is_said_to_be_deinterlaced() {
    let words = Lucarne::new(["probe".as_ref(), media::interlaced().as_os_str()]).run().done_printing();
    assert!(words.to_lowercase().contains("interlac"), "{words}");
}

#[test]
fn what_is_no_film_is_1_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.mp4");
    std::fs::write(&path, b"no film at all").unwrap();
    let it = Lucarne::new(["probe".as_ref(), path.as_os_str()]).run();
    assert_eq!(it.code, 1, "{}{}", it.stdout, it.stderr);
    assert!(format!("{}{}", it.stdout, it.stderr).contains("text.mp4"));
}

#[test]
fn the_machine_is_described_in_words_and_as_json() {
    let words = Lucarne::new(["probe"]).run().done_printing();
    assert!(words.contains("headless"), "{words}");
    let json = Lucarne::new(["probe", "--json"]).run().done_printing();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(json.is_object(), "{json}");
}
