//! What a machine can do, in words, for `probe`.
use serde::Serialize;

/// One thing a machine may be able to do, and what belongs to it: a decoder and its nodes, a node and its formats, a screen
/// and its planes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Its name: "software", "/dev/video10", "h264", "plane 31", "NV12"...
    pub name: String,
    /// It works here.
    pub works: bool,
    /// What it can do; where it does not work, why not and what to do.
    pub detail: String,
    /// What belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Capability>,
}

impl Capability {
    /// It works, and can do this.
    pub fn yes(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), works: true, detail: detail.into(), parts: Vec::new() }
    }

    /// It does not work, for this reason.
    pub fn no(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { works: false, ..Self::yes(name, why) }
    }

    /// The same, with what belongs to it.
    pub fn with(self, parts: Vec<Capability>) -> Self {
        Self { parts, ..self }
    }
}
