//! How much a service can take: the highest load at which the thresholds hold, with an interval.
//!
//! A run is a series of steps, each at a load of its own. A step holds or breaks, and both are subject to chance near the capacity. So the
//! capacity is estimated as the threshold of a psychometric function is, which is the same question (Kontsevich & Tyler 1999,
//! "Bayesian adaptive estimation of psychometric slope and threshold"; Watson & Pelli 1983 for the idea): the load doubles until a step breaks,
//! then each step goes where it is expected to tell most, until the credible interval is as narrow as was asked for.
//!
//! Everything is a function of the steps so far: who goes on with a run in another process goes on with the same load.

mod conclude;
mod judge;
mod load;
mod posterior;
mod search;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod trial;

pub use conclude::{GRAIN, bounds_a_time, conclude, judged_between, search, trials};
pub use judge::{Offered, idle_from, judge_step};
pub use load::Load;
pub use posterior::Interval;
pub use search::{Next, Search};
pub use trial::Trial;
