//! Figures of a run: counted while it plays without allocating, reported once at its end.
//!
//! `PlayStats` is what one present thread counts; `Report` is what the statistics file says. What nobody measured is
//! `None` there, never 0.
mod histogram;
mod items;
mod play;
mod report;
#[cfg(test)]
mod tests;

pub use histogram::{Histogram, Percentiles};
pub use items::{ItemId, ItemReport, ItemTally, Outcome};
pub use play::{Fallback, PlayStats, SeamTally};
pub use report::{AudioReport, OutputReport, Report, RunFacts};
