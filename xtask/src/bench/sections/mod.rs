//! What is measured, one question a file.

pub(super) mod accuracy;
pub(super) mod closed;
pub(super) mod figures;
pub(super) mod memory;
pub(super) mod pacing;
