//! The figures that differ between rigs: `expect/RIG.toml`.
use std::fs;
use std::path::Path;

/// What is to be expected of one rig.
pub struct Expected(toml::Table);

impl Expected {
    /// Reads a rig's figures.
    ///
    /// # Errors
    ///
    /// In one line: there are none, or they are not TOML.
    pub fn read(rig: &str) -> Result<Self, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("hw-tests/expect").join(format!("{rig}.toml"));
        let text = fs::read_to_string(&path).map_err(|it| format!("{}: {it}", path.display()))?;
        text.parse().map(Self).map_err(|it| format!("{}: {it}", path.display()))
    }

    /// A figure by its table and name: `boot.true_s`.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let (table, name) = name.split_once('.')?;
        let value = self.0.get(table)?.get(name)?;
        value.as_float().or_else(|| value.as_integer().map(|it| it as f64))
    }
}
