//! The whole player beside Debian's mpv: how long each takes to play the repository's film on the virtual board, from the
//! start of the process to its end, in virtual time, where nothing but computing takes any. Same card, same mode, software
//! decoding, no sound. The first run makes a root with mpv for the board, which takes a network and 510 MB.
//!
//! Time inside the board is not the wall's: each run's beginning and end are written into files, and the host that
//! keeps them knows when.
mod support;

use std::error::Error;
use std::fs;
use std::path::Path;

use support::{median, on_the_board, say};

/// Runs of each of the first pair, in turns.
const TURNS: usize = 3;

/// What is run on the board: each line of `plan` is a name, a player and its words.
const JOB: &str = r#"
# mpv finds no terminal to take here, and the player is to find none either.
rm -f /dev/tty[0-9]*
# What a package's scripts would have set.
libraries=/usr/lib/x86_64-linux-gnu
while read -r name player words; do
    echo began >"$name.began"
    if [[ $player == mpv ]]; then
        LD_LIBRARY_PATH=$libraries/blas:$libraries/lapack mpv --no-config --no-audio --drm-device=/dev/dri/card1 $words \
            film.mp4 >"$name.log" 2>&1 </dev/null
    else
        lucarne play film.mp4 --display kms --audio none --loop 1 --decoder software $words --stats "$name.json" \
            >"$name.log" 2>&1
    fi || { cat "$name.log" >&2; exit 1; }
    echo ended >"$name.ended"
done <plan
"#;

/// The film's own size, which planes take as it is, and one that it is scaled to, which they do not.
const WHOLE: &str = "1280x720";
const SCALED: &str = "1024x768";

fn main() -> Result<(), Box<dyn Error>> {
    let mut plan = Vec::new();
    for turn in 0..TURNS {
        plan.push(format!("plane-{turn} lucarne --size {WHOLE}"));
        plan.push(format!("drm-{turn} mpv --vo=drm --drm-mode={WHOLE}"));
        plan.push(format!("plane_begins-{turn} lucarne --size {WHOLE} --frames 2"));
        plan.push(format!("drm_begins-{turn} mpv --vo=drm --drm-mode={WHOLE} --frames=2"));
    }
    let gpu = format!("mpv --vo=gpu --gpu-context=drm --drm-mode={SCALED}");
    plan.push(format!("dmabuf lucarne --size {SCALED}"));
    plan.push(format!("software_upload lucarne --size {SCALED} --interop force_software"));
    plan.push(format!("fast {gpu} --profile=fast"));
    plan.push(format!("default {gpu}"));

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir()?;
    fs::copy(root.join("tests/media/bigbuckbunny.mp4"), folder.path().join("film.mp4"))?;
    fs::write(folder.path().join("plan"), plan.join("\n") + "\n")?;
    fs::write(folder.path().join("job.sh"), JOB)?;
    on_the_board(folder.path(), &["-V", "-p", "mpv", "-t", "1200"], &["bash", "job.sh"])?;
    let took = |name: &str| -> Result<f64, Box<dyn Error>> {
        let at = |what: &str| fs::metadata(folder.path().join(format!("{name}.{what}")))?.modified();
        Ok(at("ended")?.duration_since(at("began")?)?.as_secs_f64())
    };
    // A run that took another way than it was to measure measures nothing.
    for (run, way) in [("plane-0", "plane"), ("dmabuf", "dmabuf"), ("software_upload", "software_upload")] {
        let stats = fs::read_to_string(folder.path().join(format!("{run}.json")))?;
        let stats: serde_json::Value = serde_json::from_str(&stats)?;
        if stats["interop"] != way || stats["frames_presented"] != 132 {
            return Err(format!("{run} did not show 132 frames by {way}: {stats:#}").into());
        }
    }
    let turns = |kind: &str| -> Result<f64, Box<dyn Error>> {
        let each: Result<Vec<f64>, _> = (0..TURNS).map(|it| took(&format!("{kind}-{it}"))).collect();
        Ok(median(each?))
    };
    say(&format!("players: the film once, on the virtual board; the middle of {TURNS} where there are turns"));
    let (plane, drm) = (turns("plane")?, turns("drm")?);
    let fast = took("fast")?;
    say(&format!("  {WHOLE}: plane {plane:.2} s, mpv --vo=drm {drm:.2} s"));
    judge("plane / mpv --vo=drm", plane / drm, 1.0);
    // A film this short is over soon after all libraries are loaded; what a longer one costs is in the rest.
    let begins = [turns("plane_begins")?, turns("drm_begins")?];
    say(&format!("  of that to start, show two frames and end: {:.2} s, mpv {:.2} s", begins[0], begins[1]));
    say(&format!("  the other 130 frames: {:.2} of mpv's time", (plane - begins[0]) / (drm - begins[1])));
    say(&format!("  {SCALED}: mpv --profile=fast --vo=gpu {fast:.2} s, as it is by default {:.2} s", took("default")?));
    for (way, at_most) in [("dmabuf", 0.65), ("software_upload", 0.8)] {
        let it = took(way)?;
        judge(&format!("{way} ({it:.2} s) / mpv --profile=fast --vo=gpu"), it / fast, at_most);
    }
    Ok(())
}

/// A figure, and whether it keeps its limit.
fn judge(what: &str, figure: f64, at_most: f64) {
    let verdict = if figure <= at_most { "ok" } else { "TOO HIGH" };
    say(&format!("  {what}: {figure:.3} (at most {at_most}) {verdict}"));
}
