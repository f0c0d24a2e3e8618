//! The program in a window on a virtual X server: what is on the screen, and the keys.
use std::process::Command;
use std::time::Duration;

use crate::program::{Lucarne, Running, bigbuckbunny, until};
use crate::xserver::XServer;

/// Far more than it takes, far less than a hang.
const SOON: Duration = Duration::from_secs(30);
/// Pictures are compared at this size, in grey.
const THUMB: (usize, usize) = (64, 36);

/// What users of a screen do.
impl XServer {
    /// The whole screen, small and grey.
    fn look(&self) -> Vec<u8> {
        thumbs(&["-f", "x11grab", "-draw_mouse", "0", "-video_size", "1280x720", "-i", &self.display, "-frames:v", "1"])
    }

    fn press(&self, key: &str) {
        let xdotool = |arguments: &[&str]| {
            let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output();
            let output = output.expect("xdotool is installed");
            assert!(output.status.success(), "xdotool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        // There is no window manager to give it the keyboard.
        xdotool(&["search", "--sync", "--name", "^Lucarne$", "windowfocus", "--sync"]);
        xdotool(&["key", key]);
    }

    fn play(&self, inputs: &[&std::path::Path]) -> Running {
        let it = Lucarne::play(inputs).display("window").size("1280x720").env("DISPLAY", &self.display);
        it.args(["--loop", "forever"]).start()
    }
}

/// Grey pictures of `THUMB`'s size, one after the other.
fn thumbs(input: &[&str]) -> Vec<u8> {
    let (width, height) = THUMB;
    let filter = format!("scale={width}:{height}:flags=area,format=gray");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(input)
        .args(["-vf", &filter, "-f", "rawvideo", "-"])
        .output()
        .expect("the ffmpeg program is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / one.len() as f64
}

#[test]
fn a_window_shows_the_film_and_closes_on_a_key() {
    let film = bigbuckbunny();
    let frames = thumbs(&["-i", film.to_str().unwrap()]);
    let frames: Vec<&[u8]> = frames.chunks(THUMB.0 * THUMB.1).collect();
    assert_eq!(frames.len(), 132);
    // How different two pictures of the film usually are.
    let usual = difference(frames[20], frames[110]);
    for key in ["q", "Escape"] {
        let screen = XServer::start("1280x720", &[]);
        let run = screen.play(&[&film]);
        let mut nearest = f64::MAX;
        until("the film on the screen", SOON, || {
            let seen = screen.look();
            let lit = seen.iter().any(|it| 60 < *it);
            nearest = frames.iter().map(|it| difference(&seen, it)).fold(f64::MAX, f64::min);
            // A window tears: a grab may hold parts of two neighbours.
            lit && nearest < 4.0
        });
        assert!(3.0 * nearest < usual, "{nearest} from the nearest picture, {usual} between two of them");
        screen.press(key);
        let it = run.wait().done();
        assert_eq!(it.stderr, "");
        assert_eq!((it.stats["display"].as_str(), it.stats["missed_vblanks"].is_null()), (Some("window"), true));
        assert!(0.0 < it.figure("/frames_presented"));
    }
}

#[test]
fn an_empty_folder_shows_a_picture_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let screen = XServer::start("1280x720", &[]);
    let run = screen.play(&[folder.path()]);
    let mut seen = Vec::new();
    until("a picture that is not black", SOON, || {
        seen = screen.look();
        // A dark grey all over, and letters on it.
        seen.iter().all(|it| 20 < *it) && seen.iter().any(|it| 60 < *it)
    });
    screen.press("q");
    assert_eq!(run.wait().done().figure("/frames_presented"), 0.0, "a picture of ours is no frame of a film");
}
