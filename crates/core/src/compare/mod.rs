//! Whether a run is worse than an earlier one, with an interval and a known rate of false alarms.
//!
//! Requests of one run are too many and too dependent to be tested one by one: such a test calls any two runs different. So the unit is a
//! window of ten seconds, or the run:
//!
//! * **Two runs** ([`two`]): a moving-block bootstrap over the windows (Künsch 1989; Politis & Romano 1994) gives the ratio of the two
//!   values an interval. It covers what varies *within* runs.
//! * **One run after five or more** ([`after`]): the runs before it say how far apart runs of this test lie, so the interval covers
//!   what varies *between* runs, too.
//! * **Two targets in one run** ([`paired()`]), loaded in turns of seconds: the bootstrap draws the same windows for both, so that what
//!   drifts cancels.
//! * **Several against several** ([`groups`]): the exact Mann–Whitney test on one value a run.
//!
//! What follows from an interval is said by [`Interval::outcome`]. All gates of a run share one error rate: see [`Settings::level`].
//! Nothing here reads a clock or draws a number of its own; the seed comes in.

mod bootstrap;
mod comparable;
mod dependence;
mod estimator;
mod gates;
mod interval;
mod paired;
mod quantile;
mod ranks;
mod ratio;
mod runs;
mod series;
mod share;
mod steady;
mod terms;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod two_runs;
mod warmup;
mod windows;

pub(crate) use bootstrap::{reach, spread_of};
pub use comparable::{Account, obstacles};
pub(crate) use dependence::{block_length, persistence};
pub use gates::{Against, Run, compare, compared};
pub use interval::{Compared, Effect, Interval, Needed, Settings};
pub use paired::paired;
pub use ranks::{groups, mann_whitney};
pub use runs::{MIN_RUNS, RunValue, after, run_value};
pub use series::{Statistic, WINDOW_S, Window};
pub use share::MIN_SHARE;
pub use steady::MIN_WINDOWS;
pub use terms::{CONFIDENCE_SAID, MIN_EFFECT_SAID, Terms, confidence, min_effect};
pub use two_runs::two;
pub(crate) use warmup::end_of_warmup;
pub use windows::Measured;
