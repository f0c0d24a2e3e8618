//! The decoders of this machine: codec nodes, found by what they can do.
use std::path::{Path, PathBuf};

use crate::backend::v4l2::coded;
use crate::backend::v4l2::pool::best_of;
use crate::sys::v4l2::{FourCc, Node, Queue, V4l2Error};

/// The nodes of all video devices, by their numbers. Which number a codec has is chance.
fn paths() -> Vec<PathBuf> {
    let mut all: Vec<(u32, PathBuf)> = Vec::new();
    for entry in Path::new("/dev").read_dir().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|it| it.strip_prefix("video")).and_then(|it| it.parse().ok());
        if let Some(number) = number {
            all.push((number, entry.path()));
        }
    }
    all.sort();
    all.into_iter().map(|it| it.1).collect()
}

/// The coded formats that a node decodes; none where it is no decoder: its pictures come in no format of ours.
pub(super) fn coded_formats(node: &Node) -> Result<Vec<FourCc>, V4l2Error> {
    let raw = node.formats(Queue::Capture)?;
    if best_of(raw.iter().map(|it| it.fourcc)).is_none() {
        return Ok(Vec::new());
    }
    let coded = node.formats(Queue::Output)?;
    Ok(coded.into_iter().map(|it| it.fourcc).filter(|it| coded::codec_of(*it).is_some()).collect())
}

/// Every node that decodes something, with what.
pub(super) fn decoders() -> Vec<(Node, Vec<FourCc>)> {
    let mut all = Vec::new();
    for path in paths() {
        let node = match Node::open(&path) {
            Ok(it) => it,
            // Cameras and the like, or somebody else's.
            Err(error) => {
                log::trace!("{}: {error}", path.display());
                continue;
            }
        };
        match coded_formats(&node) {
            Ok(coded) if coded.is_empty() => {}
            Ok(coded) => all.push((node, coded)),
            Err(error) => log::debug!("{}: {error}", path.display()),
        }
    }
    all
}

/// A decoder for a coded format. The error says what there is instead.
pub(super) fn find(wanted: FourCc) -> Result<Node, String> {
    let all = decoders();
    let mut others = Vec::new();
    for (node, coded) in all {
        if coded.contains(&wanted) {
            return Ok(node);
        }
        let names: Vec<String> = coded.iter().map(FourCc::to_string).collect();
        others.push(format!("{} ({}) decodes {}", node.path().display(), node.card(), names.join(", ")));
    }
    if others.is_empty() {
        return Err("there is no decoder among /dev/video* that may be opened".to_owned());
    }
    Err(others.join("; "))
}
