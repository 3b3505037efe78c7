//! What changes over time: from run to run of a test.

mod change_points;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod trend;

pub use change_points::{ChangePoint, Sensitivity, change_points};
pub use trend::{PastRun, trend};
