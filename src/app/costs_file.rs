//! Tables of costs for `play --inject` (`*.toml`).
//!
//! ```toml
//! seed = 1                  # of the jitter; the same one repeats a run
//! per = "1920x1080"         # decode, import and draw are for pictures of so many pixels; without it for any
//! open_ms = 300             # open, seek, first_frame, decode, import, draw, commit; what is not named costs nothing
//! decode_ms = 12
//! decode_jitter_ms = 3      # 9 to 15 ms, evenly spread; each cost may have one
//!
//! [[slow]]
//! frame = 120               # the 120th picture the screen is given...
//! draw_ms = 50              # ...costs exactly so much more
//! ```
use crate::app::exit::Failure;
use crate::app::toml_file::{Source, Table, read};
use crate::base::format::Size;
use crate::platform::costs::{Cost, Costs, SlowFrame};

/// Every key of the table.
const KEYS: &[&str] = &[
    "seed",
    "per",
    "slow",
    "open_ms",
    "open_jitter_ms",
    "seek_ms",
    "seek_jitter_ms",
    "first_frame_ms",
    "first_frame_jitter_ms",
    "decode_ms",
    "decode_jitter_ms",
    "import_ms",
    "import_jitter_ms",
    "draw_ms",
    "draw_jitter_ms",
    "commit_ms",
    "commit_jitter_ms",
];

/// Reads the table at `path`.
pub fn load(path: &str) -> Result<Costs, Failure> {
    parse(path, &read(path)?)
}

/// Reads a table's text; `path` is its name in errors.
pub fn parse(path: &str, text: &str) -> Result<Costs, Failure> {
    let source = Source { name: path, text };
    let document = source.parse()?;
    let table = Table::open(source, document.get_ref(), KEYS)?;
    let cost = |name: &str| -> Result<Cost, Failure> {
        Ok(Cost {
            mean: table.milliseconds(&format!("{name}_ms"))?.unwrap_or_default(),
            jitter: table.milliseconds(&format!("{name}_jitter_ms"))?.unwrap_or_default(),
        })
    };
    let mut slow = Vec::new();
    for (it, at) in table.tables("slow")? {
        let it = Table::open(source, it, &["frame", "draw_ms"])?;
        let Some((frame, draw)) = it.plain("frame", parse_frame)?.zip(it.milliseconds("draw_ms")?) else {
            return Err(source.fail(at, "a slow picture needs its frame and its draw_ms"));
        };
        slow.push(SlowFrame { frame, draw });
    }
    Ok(Costs {
        seed: table.plain("seed", |it| it.parse().map_err(|_| "a whole number from 0".to_owned()))?.unwrap_or(0),
        per: table.plain("per", parse_pixels)?,
        open: cost("open")?,
        seek: cost("seek")?,
        first_frame: cost("first_frame")?,
        decode: cost("decode")?,
        import: cost("import")?,
        draw: cost("draw")?,
        commit: cost("commit")?,
        slow,
    })
}

fn parse_frame(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|it| *it > 0).ok_or_else(|| "a whole number from 1".to_owned())
}

fn parse_pixels(text: &str) -> Result<Size, String> {
    let side = |it: &str| it.parse::<u32>().ok().filter(|it| *it > 0);
    let sides = text.split_once('x').and_then(|(width, height)| Some(Size::new(side(width)?, side(height)?)));
    sides.ok_or_else(|| "give it as \"1920x1080\"".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_table_is_read() {
        let text = "seed = 7\nper = \"1920x1080\"\nopen_ms = 300\ncommit_ms = 0.25\ndecode_ms = 12\n\
                    decode_jitter_ms = 3\n[[slow]]\nframe = 120\ndraw_ms = 50\n";
        let it = parse("costs.toml", text).unwrap();
        assert_eq!((it.seed, it.per), (7, Some(Size::new(1920, 1080))));
        assert_eq!(it.open, Cost { mean: Duration::from_millis(300), jitter: Duration::ZERO });
        assert_eq!(it.decode, Cost { mean: Duration::from_millis(12), jitter: Duration::from_millis(3) });
        assert_eq!(it.commit.mean, Duration::from_micros(250));
        assert_eq!(it.draw, Cost::default());
        assert_eq!(it.slow, [SlowFrame { frame: 120, draw: Duration::from_millis(50) }]);
        assert_eq!(parse("costs.toml", ""), Ok(Costs::default()));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, want) in [
            ("open_ms = 300\ndecod_ms = 12", "costs.toml:2:1: unknown key \"decod_ms\"; did you mean \"decode_ms\"?"),
            ("open_ms = -1", "costs.toml:1:11: open_ms = \"-1\": a number of milliseconds from 0 to 60000"),
            ("draw_ms = 1e9", "costs.toml:1:11: draw_ms = \"1e9\": a number of milliseconds from 0 to 60000"),
            ("draw_ms = \"6\"", "costs.toml:1:11: draw_ms is a string here, not a number"),
            ("per = \"big\"", "costs.toml:1:7: per = \"big\": give it as \"1920x1080\""),
            ("[[slow]]\nframe = 0\ndraw_ms = 5", "costs.toml:2:9: frame = \"0\": a whole number from 1"),
            ("[[slow]]\nframe = 3", "costs.toml:1:1: a slow picture needs its frame and its draw_ms"),
        ] {
            let failure = parse("costs.toml", text).unwrap_err();
            assert_eq!(failure.to_string(), want, "{text}");
        }
    }

    #[test]
    fn the_tables_of_the_repository_are_sound() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("hw-tests/costs");
        let it = load(folder.join("rpi4.toml").to_str().unwrap()).unwrap();
        let figures = [it.open.mean, it.first_frame.mean, it.decode.mean, it.decode.jitter, it.draw.mean];
        assert_eq!(figures.map(|it| it.as_millis()), [300, 120, 12, 3, 6]);
        assert_eq!(it.per, Some(Size::new(1920, 1080)));
    }
}
