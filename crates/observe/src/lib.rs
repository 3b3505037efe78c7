//! What other systems measure while a run goes on: the CPU time of the target, the length of its queues.
//!
//! An [`Observer`] asks them at intervals and writes what they tell as shards beside those of the tasks, so that merging, thresholds,
//! reports and exports take it for any other trend. A system that is down, slow or wrong changes nothing of the load: its values are
//! missing, which is counted, and no threshold on them holds.

mod cloudwatch;
mod observer;
mod prometheus;
mod series;
mod source;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod told;

pub use observer::Observer;
