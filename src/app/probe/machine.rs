//! What a machine can do, and why not the rest.
use std::fmt;

use serde::Serialize;

use crate::app::exit::one_line;

/// One thing a machine may be able to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Its name, as options and statistics call it: "software", "window", "default".
    pub name: String,
    /// It works here.
    pub works: bool,
    /// What it can do; where it does not work, why not and what to do.
    pub detail: String,
}

/// What this machine can decode, encode, show and hear. In each list the best comes first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MachineReport {
    /// This program's version.
    pub version: String,
    /// Decoders.
    pub decode: Vec<Capability>,
    /// Encoders.
    pub encode: Vec<Capability>,
    /// Displays.
    pub show: Vec<Capability>,
    /// Sound devices.
    pub hear: Vec<Capability>,
}

impl fmt::Display for MachineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lucarne {}", self.version)?;
        for (title, list) in
            [("decode", &self.decode), ("encode", &self.encode), ("show", &self.show), ("hear", &self.hear)]
        {
            writeln!(f, "\n{title}")?;
            if list.is_empty() {
                writeln!(f, "  nothing")?;
            }
            let width = list.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
            for it in list {
                let answer = if it.works { "yes" } else { "no" };
                writeln!(f, "  {answer:<3}  {:<width$}  {}", one_line(&it.name), one_line(&it.detail))?;
            }
        }
        Ok(())
    }
}
