//! Virtual users, as executors see them.

use crate::clock::Nanos;
use std::future::Future;

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IterationOutcome {
    /// When.
    pub at: Nanos,
    /// Whether all its steps were done.
    pub complete: bool,
    /// Whether there may be another: not when a data file with unique rows has run out.
    pub more: bool,
}

/// A virtual user, as executors see it.
pub trait Iterate: 'static {
    /// Runs one iteration: `number` is its number in the scenario over all tasks, the times are when it was to begin and
    /// when it begins.
    fn iterate(
        &mut self,
        number: u64,
        times: (Nanos, Nanos),
    ) -> impl Future<Output = IterationOutcome>;
    /// The iteration under way was cut off; what was under way is still to be counted.
    fn interrupted(&mut self, at: Nanos);
}

/// Makes virtual users, by their number in the scenario over all tasks, from 1.
pub trait VuFactory: 'static {
    /// What it makes.
    type Vu: Iterate;
    /// Makes one.
    fn make(&self, number: u64) -> Self::Vu;
}
