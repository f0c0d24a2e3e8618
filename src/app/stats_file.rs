//! Writes the statistics of a run. A reader finds the whole of it or nothing of it.
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::app::exit::Failure;
use crate::base::stats::Report;

/// Writes `report` to `path` as one JSON object.
pub fn write(path: &Path, report: &Report) -> Result<(), Failure> {
    let fail = |it: &dyn std::fmt::Display| {
        Failure::failed(format_args!("{}: the statistics could not be written: {it}", path.display()))
            .advise("check the folder, its permissions and the free space")
    };
    let mut text = serde_json::to_vec_pretty(report).map_err(|it| fail(&it))?;
    text.push(b'\n');
    write_whole(path, &text).map_err(|it| fail(&it))
}

/// Writes to a file beside `path` and renames it, so that no one ever reads half of it. What is there and is not a
/// regular file (`/dev/stdout`, a pipe) is written to as it is: renaming would put a file in its place.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|it| !it.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
    }
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    // The process's number keeps two players that share a file apart.
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        // The first error is the one to report; a leftover that cannot be removed changes nothing about it.
        let _ = fs::remove_file(&beside);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stats::{PlayStats, RunFacts};

    #[test]
    fn the_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stats.json");
        fs::write(&path, "old").unwrap();
        let mut stats = PlayStats::new(true);
        stats.frames_presented = 132;
        write(&path, &stats.report(RunFacts::default(), Vec::new())).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["frames_presented"], 132);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("no/stats.json");
        let failure = write(&path, &PlayStats::new(true).report(RunFacts::default(), Vec::new())).unwrap_err();
        let want = format!(
            "{}: the statistics could not be written: No such file or directory (os error 2); \
             check the folder, its permissions and the free space",
            path.display()
        );
        assert_eq!(failure.to_string(), want);
    }

    #[test]
    fn a_device_is_written_to_and_stays_a_device() {
        let path = Path::new("/dev/null");
        write(path, &PlayStats::new(true).report(RunFacts::default(), Vec::new())).unwrap();
        assert!(!fs::metadata(path).unwrap().is_file());
    }
}
