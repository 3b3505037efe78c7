//! The search for the capacity.

use std::time::Duration;

/// A search for the highest load at which the thresholds hold. Loads are iterations a second or VUs, over all scenarios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CapacitySpec {
    /// The first load (default: a tenth of what the scenarios say).
    pub start: Option<f64>,
    /// The largest load to try.
    pub max: Option<f64>,
    /// How far the ends of the 95 % interval may be from the estimate, in (0, 1).
    pub precision: f64,
    /// The beginning of each step that is not judged.
    pub settle: Duration,
    /// How long a step is judged at least.
    pub step: Duration,
    /// When the search ends at the latest.
    pub max_duration: Duration,
}
