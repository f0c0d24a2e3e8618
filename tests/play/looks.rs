//! Fit and rotation, by the colours of four quarters; playlists and files may ask for them too.
use std::path::PathBuf;

use crate::media::made;
use crate::program::{Lucarne, Shot};

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];

/// 160x80: red, green above blue, white.
fn quarters() -> PathBuf {
    let quarter = |color: &str| format!("color={color}:size=80x40:rate=1,format=gbrp");
    let [red, lime, blue, white] = ["red", "lime", "blue", "white"].map(quarter);
    let inputs = ["-f", "lavfi", "-i", &red, "-f", "lavfi", "-i", &lime, "-f", "lavfi", "-i", &blue];
    let layout = ["-f", "lavfi", "-i", &white, "-filter_complex", "xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0"];
    made("quarters.png", &[&inputs[..], &layout[..], &["-frames:v", "1", "-pix_fmt", "rgb24"]].concat())
}

/// Shows the quarters on a square screen; the colours at its points.
#[track_caller]
fn check(options: &[&str], points: &[((usize, usize), [u8; 3])]) {
    let it = Lucarne::fast([quarters()]).size("160x160").args(["--frames", "1"]).args(options).snapshots(1).run();
    let it = it.done();
    let shots = it.snapshots();
    assert_eq!(shots.len(), 1, "{}", it.stderr);
    let shot = Shot::read(&shots[0]);
    for ((x, y), want) in points {
        assert_eq!(shot.at(*x, *y), *want, "{options:?} at {x},{y}");
    }
}

#[test]
fn contain_leaves_black_bars() {
    let picture = [((20, 50), RED), ((140, 50), GREEN), ((20, 110), BLUE), ((140, 110), WHITE)];
    let bars = [((80, 20), BLACK), ((80, 140), BLACK), ((0, 39), BLACK), ((0, 120), BLACK), ((159, 0), BLACK)];
    check(&[], &[&picture[..], &bars[..]].concat());
}

#[test]
fn cover_fills_the_screen_and_cuts_the_sides() {
    check(&["--fit", "cover"], &[((2, 2), RED), ((157, 2), GREEN), ((2, 157), BLUE), ((157, 157), WHITE)]);
    check(&["--fit", "cover"], &[((78, 78), RED), ((81, 78), GREEN), ((78, 81), BLUE), ((81, 81), WHITE)]);
}

#[test]
fn stretch_fills_the_screen_with_all_of_it() {
    check(&["--fit", "stretch"], &[((0, 0), RED), ((159, 0), GREEN), ((0, 159), BLUE), ((159, 159), WHITE)]);
}

#[test]
fn rotation_is_clockwise() {
    let upright = [(50, 20), (110, 20), (50, 140), (110, 140)];
    let turned = |colors: [[u8; 3]; 4]| -> Vec<_> { upright.into_iter().zip(colors).collect() };
    let bars = [((20, 80), BLACK), ((140, 80), BLACK)];
    check(&["--rotate", "90"], &[turned([BLUE, RED, WHITE, GREEN]), bars.to_vec()].concat());
    check(&["--rotate", "270"], &[turned([GREEN, WHITE, RED, BLUE]), bars.to_vec()].concat());
    let corners = [((20, 50), WHITE), ((140, 50), BLUE), ((20, 110), GREEN), ((140, 110), RED)];
    check(&["--rotate", "180"], &corners);
}

/// Writes a turn of a quarter clockwise into the track header of an MP4 file: x' = -y, y' = x.
fn turn_clockwise(film: &mut [u8]) {
    let tkhd = film.windows(4).position(|it| it == b"tkhd").expect("an MP4 file has a track");
    // Version 0: flags, times, id, duration, reserved, layer, group, volume: 40 bytes, then nine numbers of 32 bits.
    let one = 1i32 << 16;
    let matrix = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30];
    for (at, number) in film[tkhd + 4 + 40..].chunks_mut(4).zip(matrix) {
        at.copy_from_slice(&number.to_be_bytes());
    }
}

#[test]
fn a_file_that_says_it_lies_on_its_side_is_put_upright() {
    let quarters = quarters();
    let film = ["-loop", "1", "-i", quarters.to_str().unwrap(), "-frames:v", "2", "-c:v", "libx264", "-qp", "0"];
    let film = made("quarters.mp4", &[&film[..], &["-pix_fmt", "yuv444p"]].concat());
    let mut bytes = std::fs::read(film).unwrap();
    turn_clockwise(&mut bytes);
    let folder = tempfile::tempdir().unwrap();
    let turned = folder.path().join("turned.mp4");
    std::fs::write(&turned, bytes).unwrap();
    let upright = [(50, 20), (110, 20), (50, 140), (110, 140)];
    // `--rotate` comes on top of what the file says.
    for (turn, want) in [("0", [BLUE, RED, WHITE, GREEN]), ("180", [GREEN, WHITE, RED, BLUE])] {
        let it = Lucarne::fast([&turned]).size("160x160").args(["--rotate", turn]).snapshots(1).run().done();
        let shot = Shot::read(&it.snapshots()[0]);
        for ((x, y), want) in upright.into_iter().zip(want) {
            let got = shot.at(x, y);
            assert!(got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 3), "{turn}: {got:?}, not {want:?}");
        }
    }
}

#[test]
fn a_playlist_may_turn_and_fit_one_item() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("p.toml");
    let picture = quarters();
    let item = format!("[[item]]\npath = '{}'\nduration = '0.1s'\n", picture.display());
    std::fs::write(&list, format!("{item}rotate = 90\n{item}fit = 'stretch'\n{item}")).unwrap();
    let it = Lucarne::fast([list]).size("160x160").snapshots(1).run().done();
    let shots: Vec<Shot> = it.snapshots().iter().map(|it| Shot::read(it)).collect();
    assert_eq!(shots.len(), 3);
    assert_eq!([shots[0].at(50, 20), shots[0].at(20, 80)], [BLUE, BLACK]);
    assert_eq!([shots[1].at(0, 0), shots[1].at(159, 159)], [RED, WHITE]);
    assert_eq!([shots[2].at(20, 50), shots[2].at(80, 20)], [RED, BLACK]);
}
