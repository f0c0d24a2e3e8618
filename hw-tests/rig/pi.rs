//! A real Raspberry Pi: jobs go there by SSH. Power and the card in it are labgrid's, where a place is configured; nothing
//! here knows how a plug is switched.
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::script::quoted;
use super::{Ability, Ended, Job, Rig, RigError, Step, script};

/// How a Pi pulls plugs and records.
const OWN: &str = include_str!("pi.sh");
/// ssh's own failure, as opposed to the command's there.
const CONNECTION_LOST: i32 = 255;
/// `timeout` on the Pi says by this code that the job's time was up.
const TIME_WAS_UP: i32 = 124;
/// How long a Pi may take from power to an SSH server that answers.
const BOOT: Duration = Duration::from_secs(120);

/// A Pi with `lucarne` installed on it.
pub struct Pi {
    /// What ssh is given: `user@name`.
    host: String,
    /// labgrid's name of the place, where there is one.
    place: Option<String>,
    /// One job at a time: there is one screen.
    busy: Mutex<()>,
}

impl Pi {
    /// The Pi that answers at `host`; `place` is labgrid's name for it.
    ///
    /// # Errors
    ///
    /// It does not answer, or has no `lucarne`.
    pub fn connect(host: &str, place: Option<&str>) -> Result<Self, RigError> {
        let pi = Self { host: host.to_owned(), place: place.map(str::to_owned), busy: Mutex::new(()) };
        let output = pi.ssh("lucarne --version")?;
        if !output.status.success() {
            return Err(RigError(format!("{host} has no lucarne on its PATH: {}", text(&output.stderr))));
        }
        Ok(pi)
    }

    /// Runs lines of shell there.
    fn ssh(&self, lines: &str) -> Result<Output, RigError> {
        let mut command = Command::new("ssh");
        command.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", &self.host, lines]).stdin(Stdio::null());
        let output = command.output().map_err(|it| RigError(format!("ssh: {it}")))?;
        if output.status.code() == Some(CONNECTION_LOST) {
            return Err(RigError(format!("ssh {}: {}", self.host, text(&output.stderr))));
        }
        Ok(output)
    }

    /// Copies by scp, there or back.
    fn copy(&self, from: &str, to: &str) -> Result<(), RigError> {
        let command =
            Command::new("scp").args(["-q", "-r", "-o", "BatchMode=yes", from, to]).stdin(Stdio::null()).output();
        let output = command.map_err(|it| RigError(format!("scp: {it}")))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(RigError(format!("scp {from} {to}: {}", text(&output.stderr)))),
        }
    }

    /// Switches the power off and on, and waits until the Pi answers again.
    fn power_cycle(&self) -> Result<(), RigError> {
        let place =
            self.place.as_deref().ok_or_else(|| RigError("no labgrid place to switch the power of".to_owned()))?;
        let output = Command::new("labgrid-client").args(["-p", place, "power", "cycle"]).stdin(Stdio::null()).output();
        let output = output.map_err(|it| RigError(format!("labgrid-client: {it}")))?;
        if !output.status.success() {
            return Err(RigError(format!("labgrid-client -p {place} power cycle: {}", text(&output.stderr))));
        }
        let started = Instant::now();
        // Each attempt waits for up to ten seconds by itself, in ssh.
        while started.elapsed() < BOOT {
            if self.ssh("true").is_ok() {
                return Ok(());
            }
        }
        Err(RigError(format!("{} does not answer {BOOT:?} after its power came back", self.host)))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

impl Rig for Pi {
    fn name(&self) -> &'static str {
        "rpi4"
    }

    fn lacks(&self, ability: Ability) -> Option<String> {
        let why = match ability {
            Ability::VirtualTime => "a Pi's time is real",
            Ability::Crc => "vc4 has no checksums of vblanks",
            Ability::Recording => "nothing records a Pi's sound",
            Ability::Television => "nothing tells what the television heard",
            Ability::Faults => "the kernel's test drivers are not there to be unbound",
            Ability::CodecCharacter => "a Pi's codec is as it is",
            Ability::Vicodec => "the kernel's test codec is not there",
            Ability::PowerCut if self.place.is_none() => "no labgrid place; set LUCARNE_PI_PLACE",
            Ability::PowerCut | Ability::HotPlug | Ability::SecondOutput | Ability::Console => return None,
            Ability::Writeback | Ability::Codec => return None,
        };
        Some(why.to_owned())
    }

    fn output(&self, index: usize) -> &str {
        ["HDMI-A-1", "HDMI-A-2"][index]
    }

    fn run(&self, job: &Job, folder: &Path) -> Result<Ended, RigError> {
        let _alone = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |what: &str, it: std::io::Error| RigError(format!("{what}: {it}"));
        let there = text(&self.ssh("mktemp -d /var/tmp/lucarne-job.XXXXXX")?.stdout);
        for (file, name) in &job.files {
            self.copy(&file.display().to_string(), &format!("{}:{there}/{name}", self.host))?;
        }
        let job_file = folder.join("job.sh");
        fs::write(&job_file, script::of(job, OWN)).map_err(|it| failed("job.sh", it))?;
        self.copy(&job_file.display().to_string(), &format!("{}:{there}/", self.host))?;
        let started = Instant::now();
        let limit = job.limit.as_secs();
        let ran = self.ssh(&format!("cd {} && timeout -k 5 {limit} bash job.sh", quoted(&there)));
        let took = started.elapsed();
        let (code, stdout, stderr) = if job.steps.iter().any(|it| matches!(it, Step::PowerCut)) {
            // The step blocks until the power is gone, so the job ends by its limit or by the lost connection.
            self.power_cycle()?;
            (137, String::new(), String::new())
        } else {
            let output = ran?;
            (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
        };
        self.copy(&format!("{}:{there}/.", self.host), &folder.display().to_string())?;
        self.ssh(&format!("rm -rf {}", quoted(&there)))?;
        let (timed_out, folder) = (code == TIME_WAS_UP, folder.to_owned());
        Ok(Ended { code, timed_out, stdout, stderr, took, uptime: None, folder })
    }
}
