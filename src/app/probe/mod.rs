//! `lucarne probe`: what this machine can play, what a file is, and how it would play here.
//!
//! Reports are plain values; the same one is told in words or as JSON.
mod file;
mod ladder;
pub mod machine;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use file::{FileReport, judge, refused};
pub use ladder::Stage;
pub use machine::MachineReport;
use serde::Serialize;

use crate::app::cli::ProbeOptions;
use crate::app::exit::{Exit, Failure};
use crate::app::output::print;
use crate::base::cancel::Cancel;
use crate::seam::decoder::DecoderFactory;
use crate::seam::demuxer::{DemuxerFactory, OpenOptions};

/// How long an input may take to answer. A user is waiting; a live source that takes longer will stutter too.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command: without inputs about the machine, else about each input. `Exit::Failed` when one would not play.
pub fn run(
    options: &ProbeOptions,
    machine: impl FnOnce() -> MachineReport,
    demuxers: &dyn DemuxerFactory,
    decoders: &[&dyn DecoderFactory],
    stage: impl FnOnce() -> Option<Stage>,
    cancel: &Cancel,
) -> Result<Exit, Failure> {
    if options.inputs.is_empty() {
        let report = machine();
        print(&if options.json { json(&report)? } else { report.to_string() })?;
        return Ok(Exit::Done);
    }
    let stage = stage();
    let examined = options.inputs.iter().map(|it| examine(it, demuxers, decoders, stage.as_ref(), cancel));
    let examined: Vec<FileReport> = examined.collect();
    if options.json {
        print(&json(&examined)?)?;
    } else {
        let texts: Vec<String> = examined.iter().map(FileReport::to_string).collect();
        print(&texts.join("\n"))?;
    }
    Ok(if examined.iter().all(FileReport::plays) { Exit::Done } else { Exit::Failed })
}

/// Opens an input and asks each decoder about it, best first. Nothing is decoded.
pub fn examine(
    input: &str,
    demuxers: &dyn DemuxerFactory,
    decoders: &[&dyn DecoderFactory],
    stage: Option<&Stage>,
    cancel: &Cancel,
) -> FileReport {
    let options = OpenOptions { timeout: TIMEOUT, without_audio: false, cancel: cancel.clone() };
    match demuxers.open(input, &options) {
        Err(it) => refused(input, &it),
        Ok(opened) => {
            let info = opened.info();
            let answers = info.video.iter().flat_map(|video| decoders.iter().map(|it| (it.name(), it.probe(video))));
            let report = judge(input, info, &answers.collect::<Vec<_>>());
            let ladder = info.video.as_ref().filter(|_| stage.is_some());
            let ladder = ladder.map_or(Vec::new(), |it| ladder::ladder(it, decoders, stage));
            FileReport { ladder, ..report }
        }
    }
}

fn json(report: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|it| Failure::failed(format_args!("as JSON: {it}")))?;
    Ok(text + "\n")
}
