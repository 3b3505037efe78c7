//! What changes over time: from run to run of a test.

mod change_points;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use change_points::{ChangePoint, Sensitivity, change_points};
