//! What changes over time: from run to run of a test, and in the course of a run.

mod change_points;
mod slope;
mod steps;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod trend;

pub use change_points::{ChangePoint, Sensitivity, change_points};
pub use slope::{Estimate, Scale, Seen, longer, slope};
pub(crate) use slope::{LEAST_S, windows_of};
pub use steps::steps;
pub use trend::{PastRun, trend};
