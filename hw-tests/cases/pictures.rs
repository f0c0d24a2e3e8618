//! What is on the wire: the pictures that the display controller composed, read back from it, against an f64 reference
//! computed from the codes that are in the films.
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lucarne::base::color::{Color, ColorTags, Matrix, Range};
use lucarne::base::format::{PixelFormat, Size};
use lucarne::base::geometry::{Fit, Rotation};

use crate::case::{Bench, Case};
use crate::difference::{Difference, SCALED, Within, compare};
use crate::media;
use crate::pictures::{Channel, Picture as Codes, SDR, Texel, hard, soft};
use crate::reference;
use crate::rig::{Ability, Ended, Picture};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case { name: "pictures::every_format_is_exact", needs: NEEDS, run: every_format_is_exact },
    Case { name: "pictures::turned_and_fitted_they_are_where_they_belong", needs: NEEDS, run: turned_and_fitted },
    Case { name: "pictures::the_check_finds_what_is_wrong", needs: NEEDS, run: the_check_finds_what_is_wrong },
    Case { name: "pictures::the_real_film_with_sound", needs: RECORDED, run: the_real_film_with_sound },
];

const NEEDS: &[Ability] = &[Ability::VirtualTime, Ability::Writeback];
const RECORDED: &[Ability] = &[Ability::VirtualTime, Ability::Writeback, Ability::Recording];

/// The mode: the smallest there is.
const SCREEN: Size = Size::new(640, 480);
/// A controller that reads back rests for a refresh or two after each picture; at 60 Hz a frame of these films is shown
/// for six.
const FRAMES_PER_SECOND: usize = 10;

/// Why a picture from the wire is not what it should be, if it is not.
fn complaint(within: Within, got: &Picture, want: &[[f64; 3]]) -> Option<String> {
    let difference = compare(&got.rgba, want);
    (!within.allows(&difference)).then(|| {
        let Difference { max, worst, psnr } = difference;
        let (x, y) = (worst % got.width, worst / got.width);
        let (got, want) = (got.at(x, y), want[worst].map(|it| (it * 255.0).round()));
        format!("{max:.2} of 255 at ({x}, {y}), where {got:?} is and {want:?} should be; {psnr:.1} dB; not {within:?}")
    })
}

/// What is in a film's file, and how it is packed.
#[derive(Debug, Clone, Copy)]
enum Packing {
    /// FFV1 in Matroska, with the colour's tags.
    Ffv1,
    /// H.264 without loss in Matroska, with the colour's tags.
    H264,
    /// As it is, in NUT, which has no tags.
    Raw,
}

/// A film, and how it is shown.
#[derive(Debug, Clone)]
struct Film {
    pixel: PixelFormat,
    size: Size,
    color: Color,
    packing: Packing,
    is_soft: bool,
    fit: Fit,
    rotation: Rotation,
    within: Within,
}

impl Film {
    /// A hard pattern as large as the screen, upright.
    fn new(pixel: PixelFormat, color: Color, packing: Packing) -> Self {
        let within = Within::pixel_by_pixel(pixel);
        let (fit, rotation) = (Fit::Contain, Rotation::None);
        Self { pixel, size: SCREEN, color, packing, is_soft: false, fit, rotation, within }
    }

    /// Without tags, as players agree on.
    fn raw(pixel: PixelFormat) -> Self {
        Self::new(pixel, ColorTags::default().resolve(SCREEN, pixel.is_rgb()), Packing::Raw)
    }

    /// The codes of one frame; no two are the same.
    fn codes(&self, frame: usize) -> Codes {
        let bits = self.pixel.bit_depth();
        let step = 13 * u32::try_from(frame).unwrap_or(0);
        let (sharp, soft) = (hard(bits), soft(bits));
        Codes::new(self.pixel, self.size, self.color, |it| {
            let it = Texel { x: it.x + step, ..it };
            match it.channel {
                // What is transparent is shown on black, which is no matter of this file's.
                Channel::Alpha => 255,
                _ if self.is_soft => soft(it),
                _ => sharp(it),
            }
        })
    }

    /// The file, made once.
    fn file(&self, n_frames: usize) -> PathBuf {
        let bytes = || (0..n_frames).flat_map(|it| self.codes(it).planes(0).planes).flat_map(|it| it.0).collect();
        let (size, rate) = (self.size.to_string(), FRAMES_PER_SECOND.to_string());
        let pixel = self.pixel.name();
        let range = if self.color.range == Range::Full { "pc" } else { "tv" };
        let matrix = match self.color.matrix {
            Matrix::Bt601 => "smpte170m",
            Matrix::Bt709 => "bt709",
            Matrix::Bt2020 => "bt2020nc",
        };
        let tags = ["-color_range", range, "-colorspace", matrix, "-color_primaries", "bt709", "-color_trc", "bt709"];
        let (ending, tags, codec): (_, &[&str], &[&str]) = match self.packing {
            Packing::Ffv1 => ("mkv", &tags, &["-c:v", "ffv1", "-level", "3"]),
            Packing::H264 => ("mkv", &tags, &["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast"]),
            Packing::Raw => ("nut", &[], &["-c:v", "rawvideo"]),
        };
        let input = [&["-f", "rawvideo", "-pix_fmt", pixel, "-s", &size, "-r", &rate], tags].concat();
        let output = [codec, &["-pix_fmt", pixel], tags].concat();
        media::made_of(&format!("wire-{pixel}-{size}"), ending, bytes, &input, &output)
    }

    /// What the screen must show of a frame.
    fn want(&self, frame: usize) -> Vec<[f64; 3]> {
        reference::render(&self.codes(frame), self.fit, self.rotation, SCREEN)
    }

    /// The playlist's lines about it.
    fn item(&self, file: &str) -> String {
        let fit = match self.fit {
            Fit::Contain => "contain",
            Fit::Cover => "cover",
            Fit::Stretch => "stretch",
        };
        format!("[[item]]\npath = \"{file}\"\nfit = \"{fit}\"\nrotate = {}\n", self.rotation.degrees())
    }
}

/// Plays the films one after the other on the display, and keeps a picture of each frame. All are drawn: planes of the board
/// do not filter chroma, which these films are hard on. What planes show is `tests/kms`' to check.
fn shown(bench: &Bench<'_>, films: &[Film], n_frames: usize) -> Ended {
    let mut job = bench.job().limit(bench.amount(Duration::from_secs(300), Duration::from_secs(3600)));
    let mut list = String::new();
    for (at, film) in films.iter().enumerate() {
        let file = film.file(n_frames);
        let name = format!("{at}.{}", file.extension().unwrap_or_default().display());
        list += &film.item(&name);
        job = job.push(&file, &name);
    }
    let playlist = bench.path("list.toml");
    fs::write(&playlist, list).expect("the case's folder can be written");
    let words = format!(
        "play list.toml --display kms --size {SCREEN} --interop force_software --audio none --loop 1 --snapshot-every 1 \
         --snapshot-dir pictures -v"
    );
    bench.run(job.push(&playlist, "list.toml").player(words.split(' ')).finish()).done()
}

/// Every frame of every film, as it was on the wire: the film, the frame's place in it, the picture.
#[track_caller]
fn pictures<'a>(end: &'a Ended, n_films: usize, n_frames: usize) -> impl Iterator<Item = (usize, usize, Picture)> + 'a {
    let frames = end.frames();
    assert_eq!(frames.len(), n_films * n_frames, "frames shown\n{}", end.said());
    let paths = end.pictures("pictures");
    assert_eq!(paths.len(), frames.len(), "pictures read back\n{}", end.said());
    frames.into_iter().zip(paths).map(|(frame, path)| {
        let film = frame.item.split('.').next().and_then(|it| it.parse().ok()).expect("one of ours");
        let place = (frame.pts_us * FRAMES_PER_SECOND as i64 + 500_000) / 1_000_000;
        (film, usize::try_from(place).expect("a time"), Picture::read(&path))
    })
}

fn check_all(bench: &Bench<'_>, films: &[Film]) {
    let n_frames = bench.amount(10, 60);
    let end = shown(bench, films, n_frames);
    for (film, frame, got) in pictures(&end, films.len(), n_frames) {
        let film = &films[film];
        if let Some(why) = complaint(film.within, &got, &film.want(frame)) {
            panic!("frame {frame} of {film:?}: {why}");
        }
    }
    assert_eq!((end.figure("/missed_vblanks"), end.figure("/frames_dropped_stale")), (0.0, 0.0));
}

fn every_format_is_exact(bench: &Bench<'_>) {
    // No file holds P010, which hardware decoders give.
    use PixelFormat::{Gray8, Nv12, Nv21, Rgb24, Rgba, Yuv420p, Yuv420p10, Yuv422p, Yuv444p};
    let tagged = |pixel, matrix, range| Film::new(pixel, Color { matrix, range, ..SDR }, Packing::Ffv1);
    let mut films: Vec<Film> = [Nv12, Nv21, Rgb24, Rgba].map(Film::raw).to_vec();
    for (matrix, range) in [
        (Matrix::Bt601, Range::Limited),
        (Matrix::Bt709, Range::Limited),
        (Matrix::Bt709, Range::Full),
        (Matrix::Bt2020, Range::Limited),
    ] {
        films.extend([Yuv420p, Yuv444p].map(|it| tagged(it, matrix, range)));
    }
    films.push(tagged(Yuv422p, Matrix::Bt709, Range::Limited));
    films.push(tagged(Yuv420p10, Matrix::Bt709, Range::Limited));
    films.push(tagged(Yuv420p10, Matrix::Bt601, Range::Full));
    films.extend([Range::Limited, Range::Full].map(|it| tagged(Gray8, Matrix::Bt709, it)));
    films.push(Film { packing: Packing::H264, ..tagged(Yuv420p, Matrix::Bt709, Range::Limited) });
    check_all(bench, &films);
}

const TURNS: [Rotation; 4] = [Rotation::None, Rotation::Clockwise90, Rotation::Half, Rotation::Clockwise270];

fn turned_and_fitted(bench: &Bench<'_>) {
    let mut films = Vec::new();
    for rotation in &TURNS[1..] {
        let size = if rotation.swaps_axes() { Size::new(SCREEN.height, SCREEN.width) } else { SCREEN };
        for film in [Film::raw(PixelFormat::Nv12), Film::new(PixelFormat::Yuv444p, SDR, Packing::Ffv1)] {
            // By their sizes alone, none of these would be tagged otherwise.
            let color = if film.pixel == PixelFormat::Nv12 { ColorTags::default().resolve(size, false) } else { SDR };
            films.push(Film { size, color, rotation: *rotation, ..film });
        }
    }
    for rotation in TURNS {
        for fit in [Fit::Contain, Fit::Cover, Fit::Stretch] {
            let film = Film::new(PixelFormat::Yuv420p, SDR, Packing::Ffv1);
            films.push(Film { size: Size::new(400, 200), is_soft: true, within: SCALED, fit, rotation, ..film });
        }
    }
    check_all(bench, &films);
}

/// The same check, with expectations that are wrong.
fn the_check_finds_what_is_wrong(bench: &Bench<'_>) {
    let films = [
        Film::new(PixelFormat::Yuv444p, SDR, Packing::Ffv1),
        Film::new(PixelFormat::Yuv420p, SDR, Packing::Ffv1),
        Film {
            size: Size::new(400, 200),
            is_soft: true,
            within: SCALED,
            ..Film::new(PixelFormat::Yuv420p, SDR, Packing::Ffv1)
        },
    ];
    let end = shown(bench, &films, 2);
    for (film, frame, got) in pictures(&end, films.len(), 2) {
        let film = &films[film];
        let want = film.want(frame);
        assert_eq!(complaint(film.within, &got, &want), None, "{film:?}");
        let of = |wrong: &Film| complaint(film.within, &got, &wrong.want(frame));
        let color = |color: Color| of(&Film { color, ..film.clone() });
        let mut one_right = want.clone();
        one_right.rotate_right(1);
        let mut one_down = want.clone();
        one_down.rotate_right(SCREEN.width as usize);
        for (what, complaint) in [
            ("another matrix", color(Color { matrix: Matrix::Bt601, ..film.color })),
            ("another range", color(Color { range: Range::Full, ..film.color })),
            ("turned", of(&Film { rotation: Rotation::Half, ..film.clone() })),
            ("another frame", complaint(film.within, &got, &film.want(frame + 1))),
            ("a pixel to the right", complaint(film.within, &got, &one_right)),
            ("a pixel down", complaint(film.within, &got, &one_down)),
        ] {
            assert!(complaint.is_some(), "not found: {what}, of {film:?}");
        }
    }
}

/// The repository's film: 1280x720, 25 pictures a second.
const REAL_FRAMES: usize = 132;
const REAL_SIZE: Size = Size::new(1280, 720);

fn the_real_film_with_sound(bench: &Bench<'_>) {
    // Nine pictures, the last of them from the end.
    let every = 14;
    let words = format!(
        "play film.mp4 --display kms --size {REAL_SIZE} --audio hw:Loopback,0,0 --loop 1 --snapshot-every {every} \
         --snapshot-dir pictures -v"
    );
    let job = bench.job().limit(Duration::from_secs(300)).push(&media::bigbuckbunny(), "film.mp4").record();
    let end = bench.run(job.player(words.split(' ')).finish()).done();
    let figures = ["/frames_presented", "/missed_vblanks", "/frames_dropped_stale", "/audio/xruns"];
    assert_eq!(figures.map(|it| end.figure(it)), [REAL_FRAMES as f64, 0.0, 0.0, 0.0], "{:#}", end.stats());
    assert!(end.recording().heard(0).is_some(), "nothing was heard");
    let paths = end.pictures("pictures");
    assert_eq!(paths.len(), REAL_FRAMES / every, "{}", end.said());
    let film = media::bigbuckbunny();
    let decoded = media::made(
        "bigbuckbunny-every-14.rgb",
        &[
            "-i",
            film.to_str().expect("a plain path"),
            "-vf",
            "select=eq(mod(n\\,14)\\,13),scale=in_color_matrix=bt709:in_range=tv:flags=bilinear+accurate_rnd+full_chroma_int",
            "-vsync",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
        ],
    );
    let decoded = fs::read(decoded).expect("ffmpeg made it");
    let frames: Vec<&[u8]> = decoded.chunks_exact((REAL_SIZE.width * REAL_SIZE.height * 3) as usize).collect();
    assert_eq!(frames.len(), paths.len());
    let seen: Vec<Picture> = paths.iter().map(|it| Picture::read(it)).collect();
    for (at, seen) in seen.iter().enumerate() {
        let psnr = decibels(seen, frames[at]);
        assert!(psnr >= 40.0, "picture {at}: {psnr:.1} dB from what ffmpeg decoded: {}", paths[at].display());
        // Its neighbour, half a second away, is not it.
        let other = decibels(seen, frames[(at + 1) % frames.len()]);
        assert!(other < 40.0, "the check would not notice another picture: {other:.1} dB");
    }
}

/// How near a picture is to one of three bytes a pixel.
fn decibels(seen: &Picture, want: &[u8]) -> f64 {
    assert_eq!(seen.rgba.len() / 4, want.len() / 3);
    let pairs = seen.rgba.chunks_exact(4).flat_map(|it| &it[..3]).zip(want);
    let squares: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    10.0 * (255.0 * 255.0 * want.len() as f64 / squares as f64).log10()
}
