//! The virtual board: `hw-tests/board` boots one for each job.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Ability, Ended, Job, Rig, RigError, script};

/// How the board pulls plugs and records.
const OWN: &str = include_str!("board.sh");
/// `hw-tests/board` says by these codes that the time was up, and that the board's kernel failed.
const TIME_WAS_UP: i32 = 124;
const KERNEL_FAILED: i32 = 125;

/// The board, as the script of that name boots it.
pub struct Board {
    script: PathBuf,
    player: PathBuf,
}

impl Board {
    /// Builds the board, if that was not done before; `player` is the program that is tried on it.
    ///
    /// # Errors
    ///
    /// In the words of `hw-tests/board`, which were also written to standard error as it went.
    pub fn up(player: &Path) -> Result<Self, RigError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hw-tests/board");
        let status = Command::new(&script)
            .arg("up")
            .env("LUCARNE_BIN", player)
            .stdin(Stdio::null())
            .status()
            .map_err(|it| RigError(format!("{}: {it}", script.display())))?;
        if !status.success() {
            return Err(RigError("the virtual board could not be built; see above".to_owned()));
        }
        Ok(Self { script, player: player.to_owned() })
    }
}

impl Rig for Board {
    fn name(&self) -> &'static str {
        "board"
    }

    fn lacks(&self, _ability: Ability) -> Option<String> {
        None
    }

    fn output(&self, index: usize) -> &str {
        // A job that asks for outputs has a card of its own with these, and the kernel's is not made.
        ["Virtual-1", "Virtual-2"][index]
    }

    fn run(&self, job: &Job, folder: &Path) -> Result<Ended, RigError> {
        let failed = |what: &str, it: std::io::Error| RigError(format!("{what}: {it}"));
        for (file, name) in &job.files {
            // A link would lead nowhere from inside.
            fs::copy(file, folder.join(name)).map_err(|it| failed(&file.display().to_string(), it))?;
        }
        fs::write(folder.join("job.sh"), script::of(job, OWN)).map_err(|it| failed("job.sh", it))?;
        let logs = folder.join("board");
        let mut command = Command::new(&self.script);
        // The host does a disk's work in its own time, which virtual time runs away from.
        let is_virtual = !job.real_time && job.disk.is_none();
        command.arg("run").args(is_virtual.then_some("-V"));
        command.arg("-t").arg(job.limit.as_secs().to_string());
        command.arg("-w").arg(folder).arg("-l").arg(&logs);
        if job.outputs.is_some() {
            command.args(["-k", "vkms.create_default_dev=0"]);
        }
        if let Some(codec) = job.codec {
            let character = [&[codec.to_string()], job.codec_parameters.as_slice()].concat();
            command.args(["-c", &character.join(",")]);
        }
        if job.single_planar {
            command.args(["-k", "vicodec.multiplanar=0"]);
        }
        if let Some(disk) = &job.disk {
            command.arg("-d").arg(disk);
        }
        command.args(["--", "bash", "job.sh"]).env("LUCARNE_BIN", &self.player).env_remove("RUST_LOG");
        let started = Instant::now();
        let output = command.stdin(Stdio::null()).output().map_err(|it| failed("hw-tests/board", it))?;
        let took = started.elapsed();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            None => Err(RigError(format!("hw-tests/board was killed: {stderr}"))),
            Some(KERNEL_FAILED) => Err(RigError(stderr)),
            Some(code) => Ok(Ended {
                code,
                timed_out: code == TIME_WAS_UP,
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr,
                took,
                uptime: fs::read_to_string(logs.join("uptime")).ok().and_then(|it| it.trim().parse().ok()),
                folder: folder.to_owned(),
            }),
        }
    }
}
