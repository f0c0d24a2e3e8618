//! Which of a display's modes to play on.
use crate::base::format::Size;

/// A mode's refresh may be this far from a multiple of the film's rate, in parts per million, and still show every frame
/// equally long for half an hour. The NTSC rates are 999 ppm from the round ones, and so are not the same.
const RATE_PPM: u64 = 500;
/// Beyond this no film gains from a faster refresh, and cables and displays get unreliable. The margin is for modes that are
/// called 60 Hz and have 60.004.
const FASTEST_MHZ: u32 = 60_300;
/// What suits most films where none of a display's refreshes suits this one.
const USUAL_MHZ: u32 = 60_000;

/// One mode of a display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeFacts {
    /// Pixels.
    pub size: Size,
    /// Refreshes (fields, where interlaced) in a thousand seconds.
    pub refresh_mhz: u32,
    /// The display likes it best.
    pub preferred: bool,
    /// Half the lines at a time.
    pub interlaced: bool,
}

/// What is asked of a mode.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ModeWish {
    /// Pixels; `None`: what the display prefers.
    pub size: Option<Size>,
    /// Refreshes in a second; `None`: what suits the film.
    pub refresh_hz: Option<f64>,
    /// The film's frames in a second, where it is known.
    pub film_rate: Option<f64>,
}

/// The display has no such mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it has no mode {wanted}; it has {available}")]
pub struct NoSuchMode {
    /// What was asked for.
    pub wanted: String,
    /// What there is.
    pub available: String,
}

/// The modes that fulfil the wish, as indices, best first. Never empty.
///
/// Without a size the display's preferred one comes first, and the others follow for hardware that cannot do it. Without a
/// refresh the highest multiple of the film's rate up to 60 Hz comes first, else what is nearest to 60 Hz.
pub fn choose(modes: &[ModeFacts], wish: &ModeWish) -> Result<Vec<usize>, NoSuchMode> {
    let mut fitting: Vec<usize> =
        (0..modes.len()).filter(|it| wish.size.is_none_or(|size| modes[*it].size == size)).collect();
    if let Some(hz) = wish.refresh_hz {
        let wanted = to_mhz(hz);
        let exact = |it: &usize| is_near(modes[*it].refresh_mhz, wanted);
        // "60" of a display that only has 59.94 means that.
        let by_name = |it: &usize| wanted.is_multiple_of(1000) && rounded_hz(modes[*it].refresh_mhz) == wanted / 1000;
        let has_exact = fitting.iter().any(exact);
        fitting.retain(|it| if has_exact { exact(it) } else { by_name(it) });
    }
    if fitting.is_empty() {
        return Err(no_such_mode(modes, wish));
    }
    let preferred = preferred_size(modes);
    fitting.sort_by_key(|it| {
        let mode = &modes[*it];
        let is_other_size = wish.size.is_none() && Some(mode.size) != preferred;
        let pixels = u64::from(mode.size.width) * u64::from(mode.size.height);
        // Of other sizes the largest, which shows most of the film.
        let smallness = if is_other_size { u64::MAX - pixels } else { 0 };
        (is_other_size, smallness, mode.interlaced, rank_of_rate(mode, wish))
    });
    Ok(fitting)
}

/// Smaller is better.
fn rank_of_rate(mode: &ModeFacts, wish: &ModeWish) -> (u8, u32) {
    let from_usual = mode.refresh_mhz.abs_diff(USUAL_MHZ);
    if wish.refresh_hz.is_some() {
        return (0, from_usual);
    }
    match wish.film_rate {
        // Nobody knows the film yet: what the display likes best.
        None if mode.preferred => (0, 0),
        None => (1, from_usual),
        Some(rate) if mode.refresh_mhz <= FASTEST_MHZ && shows_evenly(mode.refresh_mhz, rate) => {
            (0, FASTEST_MHZ - mode.refresh_mhz)
        }
        Some(_) => (1, from_usual),
    }
}

/// Whether every frame of a film with this rate stays for the same number of refreshes.
fn shows_evenly(refresh_mhz: u32, frames_per_second: f64) -> bool {
    if !frames_per_second.is_finite() || frames_per_second <= 0.0 {
        return false;
    }
    let ratio = f64::from(refresh_mhz) / (frames_per_second * 1000.0);
    let times = ratio.round();
    times >= 1.0 && (ratio / times - 1.0).abs() * 1e6 <= RATE_PPM as f64
}

fn is_near(refresh_mhz: u32, wanted_mhz: u32) -> bool {
    u64::from(refresh_mhz.abs_diff(wanted_mhz)) * 1_000_000 <= u64::from(wanted_mhz) * RATE_PPM
}

fn to_mhz(hz: f64) -> u32 {
    (hz * 1000.0).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

fn rounded_hz(mhz: u32) -> u32 {
    (mhz + 500) / 1000
}

/// The size of the mode the display likes best; of the first one, where it does not say.
fn preferred_size(modes: &[ModeFacts]) -> Option<Size> {
    modes.iter().find(|it| it.preferred).or_else(|| modes.first()).map(|it| it.size)
}

fn no_such_mode(modes: &[ModeFacts], wish: &ModeWish) -> NoSuchMode {
    let size = wish.size.map_or_else(String::new, |it| it.to_string());
    let hz = wish.refresh_hz.map_or_else(String::new, |it| format!("@{}", hz_text(to_mhz(it))));
    let mut names: Vec<String> = Vec::new();
    for mode in modes {
        let name = mode_name(mode);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let available = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
    NoSuchMode { wanted: format!("{size}{hz}"), available }
}

/// A mode as `--size` takes it, with an `i` where it is interlaced.
pub fn mode_name(mode: &ModeFacts) -> String {
    format!("{}@{}{}", mode.size, hz_text(mode.refresh_mhz), if mode.interlaced { "i" } else { "" })
}

/// "60" or "59.94": two digits tell all refreshes apart that displays have.
fn hz_text(mhz: u32) -> String {
    let text = format!("{:.2}", f64::from(mhz) / 1000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Size = Size::new(1920, 1080);
    const SMALL: Size = Size::new(1280, 720);

    fn mode(size: Size, refresh_mhz: u32) -> ModeFacts {
        ModeFacts { size, refresh_mhz, preferred: false, interlaced: false }
    }

    /// What a television offers.
    fn television() -> Vec<ModeFacts> {
        let mut modes = vec![ModeFacts { preferred: true, ..mode(FULL, 60_000) }];
        modes.extend([59_940, 50_000, 24_000, 23_976].map(|it| mode(FULL, it)));
        modes.push(ModeFacts { interlaced: true, ..mode(FULL, 50_000) });
        modes.extend([60_000, 50_000].map(|it| mode(SMALL, it)));
        modes
    }

    #[track_caller]
    fn check(modes: &[ModeFacts], wish: ModeWish, size: Size, refresh_mhz: u32) {
        let best = choose(modes, &wish).map(|it| modes[it[0]]);
        assert_eq!(best.map(|it| (it.size, it.refresh_mhz, it.interlaced)), Ok((size, refresh_mhz, false)), "{wish:?}");
    }

    #[test]
    fn the_films_rate_decides_the_refresh() {
        let tv = television();
        for (rate, refresh) in [
            (25.0, 50_000),
            (50.0, 50_000),
            (24.0, 24_000),
            (24_000.0 / 1001.0, 23_976),
            (30.0, 60_000),
            (60.0, 60_000),
            (30_000.0 / 1001.0, 59_940),
            (60_000.0 / 1001.0, 59_940),
            (15.0, 60_000),
            (12.5, 50_000),
            // Nothing divides it.
            (29.0, 60_000),
            (120.0, 60_000),
            (f64::NAN, 60_000),
            (0.0, 60_000),
        ] {
            check(&tv, ModeWish { film_rate: Some(rate), ..ModeWish::default() }, FULL, refresh);
        }
    }

    #[test]
    fn the_highest_multiple_up_to_60_hz_wins() {
        let fast = [mode(FULL, 144_000), mode(FULL, 120_000), mode(FULL, 48_000), mode(FULL, 24_000)];
        check(&fast, ModeWish { film_rate: Some(24.0), ..ModeWish::default() }, FULL, 48_000);
        check(&fast, ModeWish { film_rate: Some(25.0), ..ModeWish::default() }, FULL, 48_000);
    }

    #[test]
    fn without_a_film_the_display_decides() {
        check(&television(), ModeWish::default(), FULL, 60_000);
        let panel = [mode(FULL, 60_000), ModeFacts { preferred: true, ..mode(SMALL, 59_790) }];
        check(&panel, ModeWish::default(), SMALL, 59_790);
        check(&panel, ModeWish { film_rate: Some(25.0), ..ModeWish::default() }, SMALL, 59_790);
        // Nothing is preferred: the first, by the order the kernel sorts them in.
        check(&television()[3..], ModeWish { film_rate: Some(60.0), ..ModeWish::default() }, FULL, 24_000);
    }

    #[test]
    fn what_is_asked_for_is_what_is_taken() {
        let tv = television();
        let wish = |size, hz| ModeWish { size: Some(size), refresh_hz: hz, film_rate: Some(25.0) };
        check(&tv, wish(SMALL, None), SMALL, 50_000);
        check(&tv, wish(SMALL, Some(60.0)), SMALL, 60_000);
        check(&tv, wish(FULL, Some(60.0)), FULL, 60_000);
        check(&tv, wish(FULL, Some(59.94)), FULL, 59_940);
        check(&tv, wish(FULL, Some(23.98)), FULL, 23_976);
        check(&tv, wish(FULL, Some(24.0)), FULL, 24_000);
        // A mode is called by the round number where there is no other to be called so.
        check(&[mode(FULL, 59_940)], wish(FULL, Some(60.0)), FULL, 59_940);
        check(&[mode(FULL, 59_790)], ModeWish { refresh_hz: Some(60.0), ..ModeWish::default() }, FULL, 59_790);
    }

    #[test]
    fn others_follow_for_hardware_that_cannot_do_the_best() {
        let order = choose(&television(), &ModeWish { film_rate: Some(25.0), ..ModeWish::default() });
        assert_eq!(order, Ok(vec![2, 0, 1, 3, 4, 5, 7, 6]));
        let order = choose(&television(), &ModeWish { size: Some(SMALL), ..ModeWish::default() });
        assert_eq!(order, Ok(vec![6, 7]));
    }

    #[test]
    fn a_mode_that_does_not_exist_lists_those_that_do() {
        let wish = ModeWish { size: Some(SMALL), refresh_hz: Some(59.94), ..ModeWish::default() };
        let error = choose(&television(), &wish).map_err(|it| it.to_string());
        let want = "it has no mode 1280x720@59.94; it has 1920x1080@60, 1920x1080@59.94, 1920x1080@50, 1920x1080@24, \
            1920x1080@23.98, 1920x1080@50i, 1280x720@60, 1280x720@50";
        assert_eq!(error, Err(want.to_owned()));
        let wish = ModeWish { size: Some(Size::new(1, 1)), ..ModeWish::default() };
        assert_eq!(
            choose(&[], &wish).map_err(|it| it.to_string()),
            Err("it has no mode 1x1; it has none at all".into())
        );
    }
}
