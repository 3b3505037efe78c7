//! What is measured, one question a file.

pub(super) mod accuracy;
pub(super) mod api;
pub(super) mod closed;
pub(super) mod cloud_merge;
pub(super) mod cloud_shards;
pub(super) mod cold_start;
pub(super) mod engine_overhead;
pub(super) mod engine_readers;
pub(super) mod figures;
pub(super) mod memory;
pub(super) mod open;
pub(super) mod pacing;
