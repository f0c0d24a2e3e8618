//! Streams that are not for a decoder in hardware, and why.
use crate::base::format::Size;
use crate::base::stream::VideoStream;
use crate::logic::m2m_decoder::Quirks;
use crate::seam::decoder::DecodeError;
use crate::sys::v4l2::{FourCc, MenuItem, Node};

/// Whether it can be for any: what the stream says of itself.
pub(super) fn of_stream(stream: &VideoStream) -> Result<(), DecodeError> {
    let reason = match stream.pixel_format.as_deref() {
        _ if stream.interlaced => "it is interlaced, which the software deinterlaces".to_owned(),
        None | Some("yuv420p" | "yuvj420p" | "nv12" | "nv21") => return Ok(()),
        Some(it) => format!("its pixels are {it}, of which no screen takes dma-bufs here: 8 bits, 4:2:0 only"),
    };
    Err(unsupported(stream, reason))
}

/// Whether it is for this one: its sizes, profiles and levels.
pub(super) fn of_node(stream: &VideoStream, node: &Node, coded: FourCc) -> Result<(), DecodeError> {
    let quirks = Quirks::of_driver(node.driver());
    let card = node.card();
    if let Ok(Some(sizes)) = node.sizes(coded)
        && let Err(reason) = check_size(stream.size, sizes.min, sizes.max, quirks.most_macroblocks)
    {
        return Err(unsupported(stream, format!("{reason} for {card}")));
    }
    let profiles = node.profiles(coded);
    if let Some(profile) = &stream.parameters.profile
        && !profiles.is_empty()
        && !profiles.iter().any(|it| is_same(&it.name, profile))
    {
        return Err(unsupported(stream, format!("{card} does not list profile {profile}")));
    }
    if let Some(level) = level_of(&stream.parameters.codec, &stream.parameters.extra)
        && let Some(highest) = highest(&node.levels(coded))
        && highest < level
    {
        let words = |it: u32| format!("{}.{}", it / 10, it % 10);
        return Err(unsupported(stream, format!("level {}, {card} goes to {}", words(level), words(highest))));
    }
    Ok(())
}

fn unsupported(stream: &VideoStream, reason: String) -> DecodeError {
    DecodeError::Unsupported { codec: stream.parameters.codec.clone(), reason }
}

fn check_size(size: Size, min: (u32, u32), max: (u32, u32), most: Option<u32>) -> Result<(), String> {
    if size.is_empty() {
        // The stream will say.
        return Ok(());
    }
    if max.0 < size.width || max.1 < size.height {
        return Err(format!("{size} is too large (at most {}x{})", max.0, max.1));
    }
    if size.width < min.0 || size.height < min.1 {
        return Err(format!("{size} is too small (at least {}x{})", min.0, min.1));
    }
    let macroblocks = u64::from(size.width.div_ceil(16)) * u64::from(size.height.div_ceil(16));
    match most {
        Some(most) if u64::from(most) < macroblocks => Err(format!("{size} is too large (at most {most} macroblocks)")),
        _ => Ok(()),
    }
}

/// "High 4:2:2" and "High 422" are one profile.
fn is_same(a: &str, b: &str) -> bool {
    let letters =
        |it: &str| it.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect::<String>();
    letters(a) == letters(b)
}

/// H.264's level times ten, where MP4's wrapping says it (ISO 14496-15, avcC).
fn level_of(codec: &str, extra: &[u8]) -> Option<u32> {
    match (codec, extra) {
        ("h264", [1, _, _, level, ..]) => Some(u32::from(*level)),
        _ => None,
    }
}

/// The highest entry of a menu of levels such as "4.1", times ten.
fn highest(menu: &[MenuItem]) -> Option<u32> {
    let level = |it: &MenuItem| {
        let (whole, part) = it.name.split_once('.').unwrap_or((&it.name, "0"));
        whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(part.parse::<u32>().ok()?)
    };
    menu.iter().filter_map(level).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_ends_and_an_area() {
        let check = |width, height, most| check_size(Size::new(width, height), (32, 32), (1920, 1920), most);
        assert!(check(1920, 1080, Some(8192)).is_ok() && check(1080, 1920, Some(8192)).is_ok());
        assert!(check(1920, 1200, None).is_ok());
        assert!(check(1920, 1200, Some(8192)).unwrap_err().contains("8192"));
        assert!(check(3840, 2160, None).unwrap_err().contains("at most 1920x1920"));
        assert!(check(16, 16, None).is_err() && check(0, 0, None).is_ok());
    }

    #[test]
    fn profiles_and_levels_are_compared_by_what_they_mean() {
        assert!(is_same("High 4:2:2", "High 422") && !is_same("High", "High 10"));
        let menu = ["1", "1B", "4.2", "5.1", "4"].map(|it| MenuItem { index: 0, name: it.into() });
        assert_eq!(highest(&menu), Some(51));
        assert_eq!((level_of("h264", &[1, 100, 0, 40]), level_of("h264", &[0, 0, 0, 1])), (Some(40), None));
    }
}
