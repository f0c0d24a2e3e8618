//! Playlists, folders and several inputs: what plays, in which order, for how long.
use std::path::Path;

use crate::media::{self, H264, MJPEG, still};
use crate::program::{Line, Lucarne};

/// The runs of equal items of a frame log: (item, lap, pictures).
fn runs(log: &[Line]) -> Vec<(String, u64, usize)> {
    let same = |a: &Line, b: &Line| (&a.item, a.lap) == (&b.item, b.lap) && a.pts_us < b.pts_us;
    let run = |it: &[Line]| (it[0].item.clone(), it[0].lap, it.len());
    log.chunk_by(same).map(run).collect()
}

/// A file of the media folder, under a name of ours.
fn link(folder: &Path, name: &str, to: &Path) {
    std::os::unix::fs::symlink(to, folder.join(name)).unwrap();
}

/// 10 pictures of 25 a second, 160x90.
fn small() -> std::path::PathBuf {
    media::silent("ten.mkv", "testsrc2=size=160x90:rate=25:duration=0.4", H264)
}

/// 15 pictures of 50 a second, 90x160.
fn other() -> std::path::PathBuf {
    media::silent("fifteen.avi", "testsrc2=size=90x160:rate=50:duration=0.3", MJPEG)
}

const NO_GAP: [&str; 3] = ["/seams/worst_gap_frames", "/seams/late_starts", "/frames_dropped_stale"];

#[test]
fn a_folder_plays_in_the_order_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    for (name, to) in [("10.mkv", small()), ("9.avi", other()), ("b.mkv", small()), ("A.avi", other())] {
        link(folder.path(), name, &to);
    }
    std::fs::write(folder.path().join("notes.txt"), "not media").unwrap();
    let it = Lucarne::fast([folder.path()]).args(["--loop", "2"]).framelog().run().done();
    let want =
        |lap| [("9.avi", 15), ("10.mkv", 10), ("A.avi", 15), ("b.mkv", 10)].map(|it| (it.0.to_owned(), lap, it.1));
    assert_eq!(runs(&it.log()), [want(0), want(1)].concat());
    assert_eq!(it.figures(["/seams/count", "/loops"]), [7.0, 1.0]);
    assert_eq!(it.figures(NO_GAP), [0.0; 3]);
}

#[test]
fn sizes_and_rates_may_change_from_item_to_item() {
    let it = Lucarne::fast([small(), other(), small()]).framelog().run().done();
    let log = it.log();
    let counts: Vec<usize> = runs(&log).iter().map(|it| it.2).collect();
    assert_eq!(counts, [10, 15, 10]);
    assert_eq!(it.figures(NO_GAP), [0.0; 3]);
    // Each item begins when the one before it ends, whatever their rates: 0.4 s, then 0.3 s.
    let begins = [&log[0], &log[10], &log[25]].map(|it| it.presented_us);
    assert!((begins[1] - begins[0] - 400_000).abs() < 17_000, "{begins:?}");
    assert!((begins[2] - begins[1] - 300_000).abs() < 17_000, "{begins:?}");
}

#[test]
fn a_bare_stream_has_the_same_times_lap_after_lap() {
    let bare = media::silent("bare.h264", "testsrc2=size=160x90:rate=25:duration=0.8", H264);
    let it = Lucarne::fast([bare]).args(["--loop", "3"]).framelog().run().done();
    let log = it.log();
    let times = |lap| log.iter().filter(|it| it.lap == lap).map(|it| it.pts_us).collect::<Vec<_>>();
    assert_eq!(times(0), (0..20).map(|it| it * 40_000).collect::<Vec<_>>());
    assert_eq!((times(1), times(2)), (times(0), times(0)));
    assert_eq!(it.figures(NO_GAP), [0.0; 3]);
}

#[test]
fn pictures_stay_for_as_long_as_the_playlist_says() {
    let folder = tempfile::tempdir().unwrap();
    link(folder.path(), "a.png", &still("still.png", "rgb24"));
    link(folder.path(), "b.jpg", &still("still.jpg", "yuvj420p"));
    link(folder.path(), "film.mkv", &small());
    let list = folder.path().join("list.toml");
    let text = "loop = 2\nimage_duration = '3s'\n[[item]]\npath = 'a.png'\nduration = '1.5s'\n\
                [[item]]\npath = 'b.jpg'\n[[item]]\npath = 'film.mkv'\nduration = '0.2s'\nrepeat = 2\n";
    std::fs::write(&list, text).unwrap();
    let it = Lucarne::fast([&list]).framelog().run().done();
    let log = it.log();
    let one = |lap| [("a.png", lap, 1), ("b.jpg", lap, 1), ("film.mkv", lap, 5), ("film.mkv", lap, 5)];
    let want: Vec<_> = (0..2).flat_map(one).map(|it| (it.0.to_owned(), it.1, it.2)).collect();
    assert_eq!(runs(&log), want);
    assert_eq!(it.figures(NO_GAP), [0.0; 3]);
    let begins: Vec<i64> =
        log.iter().filter(|it| it.pts_us == 0).map(|it| it.presented_us - log[0].presented_us).collect();
    let want = [0, 1_500_000, 4_500_000, 4_700_000, 4_900_000, 6_400_000, 9_400_000, 9_600_000];
    for (got, want) in begins.iter().zip(want) {
        assert!((got - want).abs() < 17_000, "{begins:?}");
    }
    assert!((it.figure("/elapsed_s") - 9.8).abs() < 0.05);
}

#[test]
fn a_single_picture_ends_when_its_time_is_over() {
    let picture = still("still.png", "rgb24");
    let it = Lucarne::fast([&picture]).run().done();
    assert_eq!(it.figure("/frames_presented"), 1.0);
    // Ten seconds where nobody says, and one more refresh to see that they are over.
    assert!((it.figure("/elapsed_s") - 10.0).abs() < 0.05, "{}", it.figure("/elapsed_s"));
    let many = [&picture, &picture, &picture];
    let it = Lucarne::fast(many).run().done();
    assert_eq!(it.figures(["/frames_presented", "/seams/count", "/seams/late_starts"]), [3.0, 2.0, 0.0]);
}

#[test]
fn a_slip_in_a_playlist_is_2_and_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("[[item]]\npath = 'a.mp4'\nduraton = '3s'\n", [":3", "duraton", "duration"]),
        ("[[item]]\npath = 'a.mp4'\nfit = 'tight'\n", [":3", "fit", "cover"]),
        ("[[item]\npath = 'a.mp4'\n", [":1", "list.toml", "]"]),
        ("[[item]]\npath = 'a.mp4'\nduration = 3\n", [":3", "duration", "s"]),
        ("loop = 2\n", ["list.toml", "item", "path"]),
    ];
    for (text, words) in cases {
        let list = folder.path().join("list.toml");
        std::fs::write(&list, text).unwrap();
        let it = Lucarne::fast([&list]).run();
        assert_eq!((it.code, it.stdout.as_str(), it.stderr.lines().count()), (2, "", 1), "{text}: {}", it.stderr);
        for word in words {
            assert!(it.stderr.contains(word), "{text}: no {word:?} in {}", it.stderr);
        }
    }
}
