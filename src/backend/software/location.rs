//! Where an input is, and how FFmpeg must be asked for it so that a name is never anything but a name.
use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::sync::OnceLock;
use std::time::Duration;

use crate::backend::software::limits;
use crate::seam::demuxer::DemuxError;
use crate::sys::ffmpeg;

/// Demuxers that make a picture of any text, run scripts, or open what a text names.
const UNWANTED: [&str; 11] =
    ["tty", "bin", "xbin", "adf", "idf", "concat", "ffmetadata", "sbg", "vobsub", "avisynth", "vapoursynth"];
/// And those that make a local file reach for the network.
const UNWANTED_IN_FILES: [&str; 3] = ["sdp", "rtp", "rtsp"];

/// Protocols a local file may lead to: its neighbours (HLS on disk) and itself.
const FILE_PROTOCOLS: &CStr = c"file,crypto,data";
/// Protocols a network input may lead to: never a local file.
const NETWORK_PROTOCOLS: &CStr =
    c"http,https,httpproxy,tls,tcp,udp,udplite,rtp,srtp,rtsp,rtsps,rtmp,rtmps,rtmpt,rtmpts,srt,crypto,data";
/// Schemes a user may name.
const SCHEMES: [&str; 11] = ["http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "rtmpt", "udp", "rtp", "srt", "tcp"];

/// An input that may be opened.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// FFmpeg's URL of it.
    pub url: CString,
    /// It comes over the network.
    pub is_network: bool,
    options: Vec<(&'static CStr, CString)>,
}

impl Location {
    /// Options for opening it, by FFmpeg's names.
    pub(super) fn options(&self) -> Vec<(&CStr, &CStr)> {
        self.options.iter().map(|(name, value)| (*name, value.as_c_str())).collect()
    }
}

/// Finds out where `input` is. Local files are checked here, where the reason can still be said in plain words.
pub(super) fn locate(input: &str, timeout: Duration) -> Result<Location, DemuxError> {
    if input.contains('\0') {
        return Err(unreachable(input, "the name has a zero byte in it"));
    }
    match input.split_once("://") {
        Some(("file", path)) => local(input, path),
        Some((scheme, _)) if is_scheme(scheme) => network(input, scheme, timeout),
        _ => local(input, input),
    }
}

fn is_scheme(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_alphabetic())
        && word.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it))
}

fn unreachable(input: &str, reason: impl Into<String>) -> DemuxError {
    DemuxError::Unreachable { input: input.to_owned(), reason: reason.into() }
}

fn not_media(input: &str, reason: &str) -> DemuxError {
    DemuxError::NotMedia { input: input.to_owned(), reason: reason.to_owned() }
}

fn c_string(input: &str, text: String) -> Result<CString, DemuxError> {
    CString::new(text).map_err(|_| unreachable(input, "the name has a zero byte in it"))
}

fn local(input: &str, path: &str) -> Result<Location, DemuxError> {
    let about = fs::metadata(path).map_err(|it| unreachable(input, plain(&it)))?;
    if about.is_dir() {
        return Err(unreachable(input, "it is a folder, not a file"));
    }
    // A pipe or a device could block the open itself, which no timeout reaches.
    if !about.is_file() {
        return Err(unreachable(input, "it is a pipe, a socket or a device, not a file"));
    }
    if about.len() == 0 {
        return Err(not_media(input, "the file is empty"));
    }
    File::open(path).map_err(|it| unreachable(input, plain(&it)))?;
    static DEMUXERS: OnceLock<CString> = OnceLock::new();
    let demuxers = DEMUXERS.get_or_init(|| ffmpeg::demuxers_except(&[&UNWANTED[..], &UNWANTED_IN_FILES[..]].concat()));
    let mut options = common(demuxers, FILE_PROTOCOLS);
    // "%d" and "*" in a picture's name are letters.
    options.push((c"pattern_type", c"none".to_owned()));
    Ok(Location { url: c_string(input, format!("file:{path}"))?, is_network: false, options })
}

fn network(input: &str, scheme: &str, timeout: Duration) -> Result<Location, DemuxError> {
    let scheme = scheme.to_ascii_lowercase();
    if !SCHEMES.contains(&scheme.as_str()) {
        return Err(unreachable(input, format!("\"{scheme}\" is no kind of address this player knows")));
    }
    static DEMUXERS: OnceLock<CString> = OnceLock::new();
    let demuxers = DEMUXERS.get_or_init(|| ffmpeg::demuxers_except(&UNWANTED));
    let mut options = common(demuxers, NETWORK_PROTOCOLS);
    let micros = c_string(input, timeout.as_micros().to_string())?;
    if scheme.starts_with("rtsp") {
        // Over TCP nothing is lost on the way; its own name for the timeout means something else to other protocols.
        options.push((c"rtsp_transport", c"tcp".to_owned()));
        options.push((c"timeout", micros.clone()));
    }
    options.push((c"rw_timeout", micros));
    Ok(Location { url: c_string(input, input.to_owned())?, is_network: true, options })
}

fn common(demuxers: &CStr, protocols: &CStr) -> Vec<(&'static CStr, CString)> {
    let number = |it: u32| CString::new(it.to_string()).unwrap_or_default();
    vec![
        (c"format_whitelist", demuxers.to_owned()),
        (c"protocol_whitelist", protocols.to_owned()),
        (c"max_streams", number(limits::MAX_STREAMS)),
        (c"probesize", number(limits::MAX_PROBE_BYTES)),
    ]
}

/// The system's words without "(os error 2)".
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read (permission denied)".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_only_names() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a:b.mp4", "http:x.mp4", "pic%03d.png", "concat:one|two"] {
            let path = folder.path().join(name);
            fs::write(&path, b"x").expect("written");
            let path = path.to_str().expect("UTF-8");
            let it = locate(path, Duration::from_secs(1)).expect("located");
            assert_eq!(it.url.to_str(), Ok(format!("file:{path}").as_str()));
            assert!(!it.is_network);
        }
    }

    #[test]
    fn what_cannot_be_a_film_is_refused_in_plain_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty.mp4");
        fs::write(&empty, b"").expect("written");
        for (input, want) in [
            (folder.path().to_str().expect("UTF-8"), "it is a folder"),
            (empty.to_str().expect("UTF-8"), "the file is empty"),
            ("/nowhere/at/all.mp4", "there is no such file"),
            ("file:///nowhere.mp4", "there is no such file"),
            ("/dev/zero", "it is a pipe, a socket or a device"),
            ("gopher://host/x", "is no kind of address"),
            ("a\0b", "a zero byte"),
        ] {
            let it = locate(input, Duration::from_secs(1)).expect_err(input).to_string();
            assert!(it.contains(want), "{it}");
        }
    }

    #[test]
    fn network_inputs_never_lead_to_local_files() {
        let it = locate("rtsp://camera/1", Duration::from_secs(2)).expect("located");
        assert!(it.is_network);
        let protocols = it.options().into_iter().find(|(name, _)| *name == c"protocol_whitelist");
        let protocols = protocols.expect("a list").1.to_str().expect("UTF-8");
        assert!(protocols.split(',').all(|it| it != "file"));
        assert!(it.options().contains(&(c"timeout", c"2000000")));
        assert!(it.options().contains(&(c"rtsp_transport", c"tcp")));
    }
}
