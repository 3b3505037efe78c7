//! Executors: who runs an iteration when. They drive the virtual users of one scenario on one worker, by a
//! [`Schedule`] that knows every start in advance.

mod arrivals;
mod counted;
mod counters;
mod looping;
mod runner;
#[cfg(test)]
mod tests;
mod vu;

pub use counters::Counters;
pub use runner::ScenarioRunner;
pub use vu::{Iterate, IterationOutcome, VuFactory};

use floodgate_core::schedule::Schedule;
use std::rc::Rc;

/// Runs a scenario on this worker until its schedule and its graceful stop are over, or the order to stop is given.
pub async fn run<R: VuFactory>(runner: Rc<ScenarioRunner<R>>, schedule: Schedule) {
    match schedule {
        Schedule::Arrivals(arrivals) => arrivals::run(runner, arrivals).await,
        Schedule::Loop(vus) => looping::run(runner, vus).await,
        Schedule::Counted(counted) => counted::run(runner, counted).await,
    }
}
