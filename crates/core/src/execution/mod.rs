//! What is written at the end of a run: what was applied, the samples of failures without secrets, the summary.

pub mod applied;
pub mod redact;
pub mod summarise;
