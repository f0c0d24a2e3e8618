//! An X server without a screen (Xvfb).
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// On a display number of its own choosing.
pub struct XServer {
    process: Child,
    /// What `DISPLAY` is to be.
    pub display: String,
}

impl XServer {
    /// `screen` is as "800x600"; `more` are arguments for it.
    pub fn start(screen: &str, more: &[&str]) -> Self {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset", "-screen", "0", &format!("{screen}x24")])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (package xvfb)");
        let mut number = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut number).expect("it says its number");
        Self { process, display: format!(":{}", number.trim()) }
    }
}

impl Drop for XServer {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}
