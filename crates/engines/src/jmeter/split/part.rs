//! Whose share of a plan is wanted, and what it comes to.

use std::path::{Path, PathBuf};

/// Whose share.
pub(in crate::jmeter) struct Share<'a> {
    pub(in crate::jmeter) weights: &'a [u32],
    pub(in crate::jmeter) place: usize,
}

/// Where files are.
pub(in crate::jmeter) struct Folders<'a> {
    /// The folder of the plan: files are named relative to it.
    pub(in crate::jmeter) plan: &'a Path,
    /// Where rows are written.
    pub(in crate::jmeter) data: &'a Path,
}

/// A plan for one task.
#[derive(Debug, Default)]
pub(in crate::jmeter) struct Part {
    /// The plan's bytes.
    pub(in crate::jmeter) bytes: Vec<u8>,
    /// Files to write beside it.
    pub(in crate::jmeter) files: Vec<(PathBuf, Vec<u8>)>,
    pub(in crate::jmeter) warnings: Vec<String>,
    /// No group of the plan runs in this task.
    pub(in crate::jmeter) is_idle: bool,
}

/// A number as JMeter reads it: all digits that it takes, no exponent.
pub(super) fn decimal(value: f64) -> String {
    format!("{value}")
}
