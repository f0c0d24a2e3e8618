//! What a machine can do, and why not the rest.
use std::fmt;

use serde::Serialize;

use crate::app::exit::one_line;
use crate::base::capability::Capability;

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
            write_list(f, list, 1)?;
        }
        Ok(())
    }
}

/// One line for each, and below it what belongs to it, further in.
fn write_list(f: &mut fmt::Formatter<'_>, list: &[Capability], depth: usize) -> fmt::Result {
    let width = list.iter().map(|it| it.name.chars().count()).max().unwrap_or(0);
    for it in list {
        let (answer, indent) = (if it.works { "yes" } else { "no" }, 2 * depth);
        writeln!(f, "{:indent$}{answer:<3}  {:<width$}  {}", "", one_line(&it.name), one_line(&it.detail))?;
        // Under the name.
        write_list(f, &it.parts, depth + 2)?;
    }
    Ok(())
}
