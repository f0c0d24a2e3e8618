//! The whole way without a copy: from the codec in hardware, or from software into dma-bufs, to a plane or a texture; its
//! rhythm, its seams, its pictures.
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lucarne::base::color::ColorTags;
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::geometry::{Fit, Rotation};

use crate::case::{Bench, Case};
use crate::cases::pacing::costs;
use crate::cases::programs::{all_passed, program};
use crate::cases::seams::exact_film;
use crate::media::{self, h264};
use crate::pictures::{Channel, Picture as Codes};
use crate::reference;
use crate::rig::{Ability, Codec, Ended, Job, Picture};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "zero_copy::full_hd_with_sound_meets_every_refresh", needs: PACED, run: full_hd },
    Case { name: "zero_copy::too_slow_a_codec_is_noticed", needs: PACED, run: too_slow_a_codec },
    Case { name: "zero_copy::the_codecs_pictures_are_never_mapped", needs: PACED, run: never_mapped },
    Case { name: "zero_copy::items_of_many_sizes_leave_nothing_behind", needs: WIRE, run: items_of_many_sizes },
    Case { name: "zero_copy::laps_leave_nothing_behind", needs: WIRE, run: laps },
    Case { name: "zero_copy::the_codecs_pictures_are_exact_on_a_plane", needs: SEEN, run: exact_on_a_plane },
    Case { name: "zero_copy::the_codecs_pictures_are_exact_as_textures", needs: SEEN, run: exact_as_textures },
    Case { name: "zero_copy::the_kernels_own_codec_is_exact_on_the_wire", needs: &[Ability::Vicodec], run: vicodec },
    Case { name: "zero_copy::three_runs_are_the_same", needs: WIRE, run: three_runs },
    Case { name: "zero_copy::software_without_a_copy_looks_the_same", needs: SEEN, run: software },
];

const PACED: &[Ability] = &[Ability::VirtualTime, Ability::CodecCharacter, Ability::Recording];
const WIRE: &[Ability] = &[Ability::VirtualTime, Ability::CodecCharacter, Ability::Crc];
const SEEN: &[Ability] = &[Ability::VirtualTime, Ability::CodecCharacter, Ability::Writeback];

/// All of the figures; the first that is not as wanted fails the case.
#[track_caller]
fn figures(end: &Ended, want: &[(&str, f64)]) {
    for (name, want) in want {
        let got = end.figure(&format!("/{name}"));
        assert_eq!(got, *want, "{name}: {:#}\n{}", end.stats(), end.said());
    }
}

#[track_caller]
fn words(end: &Ended, want: &[(&str, &str)]) {
    for (name, want) in want {
        let stats = end.stats();
        assert_eq!(stats[*name].as_str(), Some(*want), "{name}: {stats:#}\n{}", end.said());
    }
}

/// How long that film is.
const FULL_HD_S: u32 = 4;

/// Plays a film of Full HD, 60 frames a second, with sound, by the codec, onto a plane.
fn play_full_hd(bench: &Bench<'_>, instead: &[(&str, &str)], turns: usize, words: &str) -> Ended {
    let film = h264::with_sound(FULL_HD_S);
    let line = format!(
        "play film.mp4 --display kms --size 1920x1080@60 --audio hw:Loopback,0,0 --inject costs.toml --loop {turns} {words}"
    );
    let job = bench.job().codec(Codec::PI).limit(bench.amount(Duration::from_secs(580), Duration::from_secs(14_400)));
    let job = job.push(&film, "film.mp4").push(&costs(bench, instead, ""), "costs.toml");
    bench.run(job.player(line.split_whitespace()).finish()).done()
}

fn full_hd(bench: &Bench<'_>) {
    let turns = bench.amount(5, 150);
    let end = play_full_hd(bench, &[], turns, "");
    let n_frames = turns * FULL_HD_S as usize * 60;
    words(&end, &[("decoder", "v4l2"), ("interop", "plane")]);
    let all = n_frames as f64;
    figures(&end, &[("frames_presented", all), ("zero_copy_frames", all), ("software_frames", 0.0)]);
    figures(&end, &[("missed_vblanks", 0.0), ("frames_dropped_stale", 0.0), ("freeze_frames", 0.0)]);
    figures(&end, &[("audio/xruns", 0.0), ("audio/clock_switches", 0.0), ("decoders_opened", 1.0)]);
    // The end of the film is no steady state: the few allocations there are the decoder's last words.
    let allocated = end.figure("/allocations_per_frame") * all;
    assert!(allocated < 10.0, "{allocated} allocations in {n_frames} frames");
    // The first stays until the sound is there.
    let frames = end.frames();
    let intervals: Vec<i64> = frames[1..].windows(2).map(|it| it[1].presented_us - it[0].presented_us).collect();
    let odd = intervals.iter().enumerate().find(|(_, it)| !(16_666..=16_667).contains(*it));
    assert_eq!(odd, None, "every flip comes one refresh after the one before");
    // What is logged costs allocations.
    let log = play_full_hd(bench, &[], 1, "-vvv").said();
    let offset = |line: &str| line.split_once(" was ")?.1.strip_suffix(" us ahead of the sound")?.parse::<i64>().ok();
    let offsets: Vec<i64> = log.lines().filter_map(offset).collect();
    assert!(offsets.len() > 200, "{} pictures were heard of", offsets.len());
    let wandered = offsets.iter().max().unwrap() - offsets.iter().min().unwrap();
    assert!(wandered <= 2_000, "the picture's distance from the sound wandered by {wandered} us");
}

/// The twin that fails: a picture takes the codec longer than a refresh.
fn too_slow_a_codec(bench: &Bench<'_>) {
    let end = play_full_hd(bench, &[("decode_ms", "20")], 1, "");
    words(&end, &[("decoder", "v4l2"), ("interop", "plane")]);
    let intervals = end.frames();
    let odd = intervals.windows(2).filter(|it| it[1].presented_us - it[0].presented_us > 20_000).count();
    assert!(odd > 30, "only {odd} pictures stayed for more than a refresh: {:#}", end.stats());
}

/// What the CPU never maps it never touches. The kernel hands out CAPTURE buffers of a codec from this offset on
/// (`DST_QUEUE_OFF_BASE`), OUTPUT buffers below it.
const CAPTURE_OFFSET: u64 = 1 << 30;

fn never_mapped(bench: &Bench<'_>) {
    let film = exact_film("zero-copy-1280x720.mp4", &source(Size::new(1280, 720)));
    let calls = calls_to_map(bench, &film, "film.mp4", "plane");
    let offset = |line: &str| {
        let last = line.split_once(") = ")?.0.rsplit(", ").next()?;
        u64::from_str_radix(last.strip_prefix("0x").unwrap_or(last), 16).ok()
    };
    let of_codec = |it: &&str| it.contains("mmap(") && it.contains("</dev/video10");
    let of_codec: Vec<u64> = calls.lines().filter(of_codec).filter_map(offset).collect();
    // What is coded is written by the CPU: these are there, or nothing was looked at.
    assert!(!of_codec.is_empty(), "{calls}");
    assert!(of_codec.iter().all(|it| *it < CAPTURE_OFFSET), "{of_codec:x?}");
    // When the decoder wants its buffers back in mid-stream, what is on the screen and what waits for it is copied by the
    // GPU. The board's GPU is a program, which maps them, but without announcing it, as we do before the CPU reads.
    let film = exact_film("zero-copy-854x480.mp4", &source(Size::new(854, 480)));
    let announced = |film: &Path, name: &str| {
        let calls = calls_to_map(bench, film, name, "dmabuf");
        calls.lines().filter(|it| it.contains("DMA_BUF_IOCTL_SYNC")).count()
    };
    let [_, changes] = h264::size_changes();
    let trials = announced(&film, "film.mp4");
    assert!(trials > 0, "what can be imported was tried with memory that we write");
    assert_eq!(announced(&changes, "film.ts"), trials, "accesses by the CPU");
}

/// The system calls by which memory is mapped, and accesses to it are announced, while a film is played.
fn calls_to_map(bench: &Bench<'_>, film: &Path, name: &str, way: &str) -> String {
    let line = format!(
        "strace -f -y -e trace=mmap,ioctl -o calls lucarne play {name} --display kms --size 1280x720 --audio none \
         --loop 2 --stats stats.json"
    );
    let job = bench.job().codec(Codec::PI).limit(Duration::from_secs(300)).push(film, name);
    let end = bench.run(job.shell(&line)).done();
    words(&end, &[("decoder", "v4l2"), ("interop", way)]);
    figures(&end, &[("software_frames", 0.0)]);
    assert_eq!(end.stats()["fallbacks"].as_array().map(Vec::len), Some(0), "{:#}", end.stats());
    end.text("calls")
}

/// Frames of each item, at 30 a second.
const ITEM_FRAMES: usize = 8;

fn source(size: Size) -> String {
    format!("testsrc2=size={size}:rate=30,trim=end_frame={ITEM_FRAMES}")
}

/// Plays a list with a codec that dies at the first STREAMOFF or REQBUFS(0) of a queue whose buffers others hold, while the
/// wire's checksums and the player's descriptors are looked at.
fn play_list(bench: &Bench<'_>, sizes: &[Size], screen: Size, turns: usize) -> Ended {
    let limit = bench.amount(Duration::from_secs(580), Duration::from_secs(14_400));
    let mut job = bench.job().codec(Codec::PI).codec_parameter("wedge_after", 1).limit(limit);
    let mut names = Vec::new();
    for size in sizes {
        let name = format!("{size}.mp4");
        job = job.push(&exact_film(&format!("zero-copy-{name}"), &source(*size)), &name);
        names.push(name);
    }
    let names = names.join(" ");
    let line = format!("play {names} --display kms --size {screen} --audio none --loop {turns}");
    let look = "(while sleep 0.2 && kill -0 \"$player\" 2>/dev/null; do ls -l /proc/$player/fd >fds 2>/dev/null || break; \
                echo $(grep -c video10 fds) $(wc -l <fds) >>descriptors; done) &";
    let job = job.player(line.split_whitespace()).wait(Duration::from_millis(400)).crc(0).shell(look);
    bench.run(job.finish().shell("cat /sys/module/bcm2835_codec_twin/parameters/dead >dead")).done()
}

/// The checksum of a screen that is black.
fn black(bench: &Bench<'_>, screen: Size) -> u64 {
    let film =
        exact_film(&format!("zero-copy-black-{screen}.mp4"), &format!("color=black:size={screen}:rate=30:duration=1"));
    let line = format!("play film.mp4 --display kms --size {screen} --audio none --loop 1 --framelog-crc");
    let end = bench.run(bench.job().push(&film, "film.mp4").player(line.split_whitespace()).finish()).done();
    let sums: HashSet<u64> = end.frames().into_iter().filter_map(|it| it.crc).collect();
    assert_eq!(sums.len(), 1, "black is black");
    sums.into_iter().next().unwrap()
}

#[track_caller]
fn nothing_is_left_behind(bench: &Bench<'_>, end: &Ended, screen: Size, n_items: usize) {
    words(end, &[("decoder", "v4l2")]);
    let n_frames = (n_items * ITEM_FRAMES) as f64;
    figures(end, &[("frames_presented", n_frames), ("zero_copy_frames", n_frames), ("software_frames", 0.0)]);
    figures(end, &[("missed_vblanks", 0.0), ("frames_dropped_stale", 0.0), ("submit_failed", 0.0)]);
    let seams = (n_items - 1) as f64;
    figures(end, &[("seams/count", seams), ("seams/worst_gap_frames", 0.0), ("seams/late_starts", 0.0)]);
    assert_eq!(end.stats()["fallbacks"].as_array().map(Vec::len), Some(0), "{:#}", end.stats());
    assert_eq!(end.text("dead").trim(), "N", "a queue stopped while its pictures were held\n{}", end.said());
    let text = end.text("descriptors");
    let mut counts: Vec<[u32; 2]> = text
        .lines()
        .filter_map(|it| it.split_once(' '))
        .map(|it| [it.0, it.1].map(|it| it.parse().expect("a number")))
        .collect();
    // The last look may have been when it was ending.
    counts.pop();
    let (first, second) = counts.split_at(counts.len() / 2);
    assert!(first.len() > 5, "{text}");
    // Those of frames and fences come and go with the moment; one kept at each seam would be dozens.
    let most = |of: &[[u32; 2]]| of.iter().map(|it| it[1]).max();
    assert!(most(second) <= most(first).map(|it| it + 8), "descriptors became more:\n{text}");
    // At first they are opened, one for each size or two.
    let open = counts.iter().map(|it| it[0]).max().unwrap_or_default();
    let since = counts.iter().position(|it| it[0] == open).unwrap_or_default();
    assert!(since < counts.len() / 2 && open > 0, "codecs were opened late, or never:\n{text}");
    assert!(counts[since..].iter().all(|it| it[0] == open), "codecs were opened or closed:\n{text}");
    let black = black(bench, screen);
    let sums: Vec<u64> = end.crcs(0).into_iter().map(|it| it.1).collect();
    assert!(sums.len() as f64 > n_frames, "{} refreshes were looked at", sums.len());
    assert_eq!(sums.iter().filter(|it| **it == black).count(), 0, "refreshes that were black");
}

fn items_of_many_sizes(bench: &Bench<'_>) {
    let screen = Size::new(640, 480);
    let sizes = [screen, Size::new(1280, 720), Size::new(322, 242), Size::new(1920, 1080), Size::new(854, 480)];
    let turns = bench.amount(4, 100);
    let end = play_list(bench, &sizes, screen, turns);
    nothing_is_left_behind(bench, &end, screen, turns * sizes.len());
    let on_planes = end.frames().iter().filter(|it| it.backend == "plane").count();
    assert_eq!(on_planes, turns * ITEM_FRAMES, "the item of the screen's size goes to a plane\n{}", end.said());
}

fn laps(bench: &Bench<'_>) {
    let screen = Size::new(640, 480);
    let turns = bench.amount(14, 500);
    let end = play_list(bench, &[screen], screen, turns);
    nothing_is_left_behind(bench, &end, screen, turns);
    figures(&end, &[("decoders_opened", 1.0), ("freeze_frames", 0.0)]);
}

/// A film for comparing pictures, ten frames a second: a controller that reads back rests after each picture. Fine enough a
/// quantiser for sharp edges, and no tags: players agree on what that means.
fn shown_film(size: Size, n_frames: usize) -> PathBuf {
    let picture = format!("testsrc2=size={size}:rate=10,trim=end_frame={n_frames}");
    let words =
        ["-f", "lavfi", "-i", &picture, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-pix_fmt", "yuv420p"];
    media::made(&format!("zero-copy-shown-{size}-{n_frames}.mp4"), &words)
}

/// Its frames as FFmpeg decodes them.
fn codes(film: &Path, size: Size, n_frames: usize) -> Vec<Codes> {
    let name = format!("{}.yuv", film.file_stem().and_then(|it| it.to_str()).expect("a plain name"));
    let words = ["-i", film.to_str().expect("a plain path"), "-f", "rawvideo", "-pix_fmt", "yuv420p"];
    let bytes = fs::read(media::made(&name, &words)).expect("it was just made");
    let (luma, chroma) = ((size.width * size.height) as usize, (size.width * size.height / 4) as usize);
    let frames: Vec<&[u8]> = bytes.chunks_exact(luma + 2 * chroma).collect();
    assert_eq!(frames.len(), n_frames);
    let color = ColorTags::default().resolve(size, false);
    let picture = |frame: &&[u8]| {
        Codes::new(PixelFormat::Yuv420p, size, color, |it| {
            let start = match it.channel {
                Channel::Cb => luma,
                Channel::Cr => luma + chroma,
                _ => 0,
            };
            u16::from(frame[start + (it.y * it.size.width + it.x) as usize])
        })
    };
    frames.iter().map(picture).collect()
}

/// Whether the chroma around a pixel of the picture is all the same: a display controller need not filter it, and how a
/// GPU does is its own business.
fn is_flat(codes: &Codes, x: u32, y: u32) -> bool {
    let size = codes.format.coded;
    let (width, height) = (size.width / 2, size.height / 2);
    let at = |plane: usize, x: u32, y: u32| codes.codes[plane][(y * width + x) as usize];
    let range = |at: u32, end: u32| (at / 2).saturating_sub(1)..=(at / 2 + 1).min(end - 1);
    (1..3).all(|plane| {
        let middle = at(plane, x / 2, y / 2);
        range(y, height).all(|y| range(x, width).all(|x| at(plane, x, y) == middle))
    })
}

/// Shows a film by the codec, and compares what the wire had with the reference: within 2/255 wherever chroma is flat.
fn exact(bench: &Bench<'_>, size: Size, screen: Size, rotation: Rotation, way: &str) {
    let n_frames = bench.amount(10, 1000);
    let film = shown_film(size, n_frames);
    let line = format!(
        "play film.mp4 --display kms --size {screen} --rotate {} --audio none --loop 1 --snapshot-every 1 \
         --snapshot-dir pictures -vv",
        rotation.degrees()
    );
    let limit = bench.amount(Duration::from_secs(300), Duration::from_secs(7200));
    let job = bench.job().codec(Codec::PI).limit(limit).push(&film, "film.mp4");
    let end = bench.run(job.player(line.split_whitespace()).finish()).done();
    words(&end, &[("decoder", "v4l2"), ("interop", way)]);
    figures(&end, &[("software_frames", 0.0), ("missed_vblanks", 0.0), ("frames_presented", n_frames as f64)]);
    let paths = end.pictures("pictures");
    assert_eq!(paths.len(), n_frames, "pictures read back\n{}", end.said());
    for ((path, codes), number) in paths.iter().zip(codes(&film, size, n_frames)).zip(0..) {
        let got = Picture::read(path);
        let want = reference::render(&codes, Fit::Contain, rotation, screen);
        assert_eq!((got.width * got.height, got.rgba.len()), (want.len(), want.len() * 4), "the picture's size");
        let mut judged = 0;
        for (place, (got, want)) in (0..).zip(got.rgba.chunks_exact(4).zip(&want)) {
            let (x, y) = (place % screen.width, place / screen.width);
            // Turned clockwise, its left column is the screen's top row.
            let (x, y) = if rotation == Rotation::None { (x, y) } else { (y, size.height - 1 - x) };
            if !is_flat(&codes, x, y) {
                continue;
            }
            judged += 1;
            let apart = (0..3).map(|it| (f64::from(got[it]) - want[it] * 255.0).abs()).fold(0.0, f64::max);
            assert!(apart <= 2.0, "picture {number} of {size} at {x},{y}: {got:?}, not {want:?} of 1");
        }
        assert!(judged > want.len() / 4, "only {judged} pixels were looked at");
    }
}

fn exact_on_a_plane(bench: &Bench<'_>) {
    for size in [Size::new(640, 480), Size::new(1920, 1080)] {
        exact(bench, size, size, Rotation::None, "plane");
    }
}

/// A quarter turn is never left to a plane.
fn exact_as_textures(bench: &Bench<'_>) {
    exact(bench, Size::new(480, 640), Size::new(640, 480), Rotation::Clockwise90, "dmabuf");
}

/// `tests/kms` with frames of vicodec: on planes, imported plane by plane and as a whole, whose buffers are of one or of
/// several planes.
fn vicodec(bench: &Bench<'_>) {
    let kms = program("kms");
    let limit = bench.amount(Duration::from_secs(300), Duration::from_secs(14_400));
    for single in [true, false] {
        let job = bench.job().limit(limit).push(&kms, "kms");
        let job = if single { job.single_planar() } else { job };
        let count = bench.amount("", "LUCARNE_PICTURES=100 ");
        let line = format!("{count}LD_LIBRARY_PATH=/opt/lucarne/lib ./kms a_codecs_frames");
        all_passed(&bench.run(job.shell(&line)).done(), 1);
    }
}

fn three_runs(bench: &Bench<'_>) {
    let turns = bench.amount(1, 34);
    let film = exact_film("zero-copy-30-frames.mp4", "testsrc2=size=640x480:rate=30:duration=1");
    let line = format!("play film.mp4 --display kms --size 640x480 --audio none --loop {turns} --framelog-crc");
    let limit = bench.amount(Duration::from_secs(300), Duration::from_secs(3600));
    let run = || {
        let job: Job = bench.job().codec(Codec::PI).limit(limit).push(&film, "film.mp4");
        let end = bench.run(job.player(line.split_whitespace()).finish()).done();
        words(&end, &[("decoder", "v4l2"), ("interop", "plane")]);
        let frames = end.frames();
        assert_eq!(frames.len(), turns * 30, "{}", end.said());
        assert!(frames.iter().all(|it| it.crc.is_some()));
        // Each lap has the same pictures, and no two in one are the same.
        let sums: Vec<Option<u64>> = frames.iter().map(|it| it.crc).collect();
        assert!(sums.chunks(30).all(|it| it == &sums[..30]));
        assert_eq!(sums.iter().collect::<HashSet<_>>().len(), 30);
        end.text("frames.csv")
    };
    let log = run();
    for _ in 0..2 {
        assert!(run() == log, "the logs of two runs differ");
    }
}

/// The repository's film, decoded in software: where no plane takes it (it is scaled), its buffers are textures as they
/// are, and look like what is uploaded.
fn software(bench: &Bench<'_>) {
    let play = |words_: &str| {
        let line = format!(
            "play film.mp4 --display kms --audio none --loop 1 --decoder software --snapshot-every 14 \
             --snapshot-dir pictures {words_}"
        );
        let job = bench.job().limit(Duration::from_secs(300)).push(&media::bigbuckbunny(), "film.mp4");
        bench.run(job.player(line.split_whitespace()).finish()).done()
    };
    let without = play("--size 800x600");
    words(&without, &[("decoder", "software"), ("interop", "dmabuf")]);
    figures(&without, &[("software_frames", 0.0), ("zero_copy_frames", 132.0), ("missed_vblanks", 0.0)]);
    assert!(without.stats()["upload_us"].is_null(), "{:#}", without.stats());
    let copied = play("--size 800x600 --interop force_software");
    words(&copied, &[("interop", "software_upload")]);
    figures(&copied, &[("software_frames", 132.0), ("zero_copy_frames", 0.0)]);
    let (ours, theirs) = (without.pictures("pictures"), copied.pictures("pictures"));
    assert_eq!((ours.len(), theirs.len()), (9, 9), "{}", without.said());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let (ours, theirs) = (Picture::read(ours), Picture::read(theirs));
        let apart = ours.rgba.iter().zip(&theirs.rgba).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart <= Some(1), "{apart:?} of 255 apart");
    }
    // As large as the screen, it is not even drawn.
    let on_a_plane = play("--size 1280x720");
    words(&on_a_plane, &[("decoder", "software"), ("interop", "plane")]);
    figures(&on_a_plane, &[("software_frames", 0.0), ("zero_copy_frames", 132.0), ("missed_vblanks", 0.0)]);
}
