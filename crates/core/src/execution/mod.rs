//! What is written about a run: the plan, the control objects, manifests, the record and the summary.

pub mod applied;
pub mod connections;
pub mod control;
pub mod failure;
pub mod manifest;
pub mod plan;
pub mod record;
pub mod redact;
pub mod schema;
pub mod summarise;
pub mod summary;
pub mod unwritten;
