//! What there is to tell of a run.

use floodgate_records::comparison::Change;
use floodgate_records::execution::Execution;
use floodgate_records::notify::Event;
use floodgate_records::outcome::Outcome;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_records::words;

words! {
    /// When something is told of a run.
    pub Moment {
        /// Its tasks are being started.
        Started = "started",
        /// It has its verdict.
        Ended = "ended",
    }
}

/// What is true of a run at a moment, the most telling first: a notice is of the first of these that somebody asked for.
///
/// `before` is how the run of the same test ended that ended before it.
pub fn events(
    moment: Moment,
    execution: &Execution,
    summary: Option<&Summary>,
    before: Option<Status>,
) -> Vec<Event> {
    if moment == Moment::Started {
        return vec![Event::Started];
    }
    let mut all = Vec::new();
    if regressed(execution, summary) {
        all.push(Event::Regressed);
    }
    match execution.status {
        Status::Passed => {
            if before.is_some_and(|status| status.is_final() && status != Status::Passed) {
                all.push(Event::Recovered);
            }
            all.push(Event::Passed);
        }
        Status::Failed => all.push(Event::Failed),
        Status::Inconclusive => all.push(Event::Inconclusive),
        Status::Errored => all.push(Event::Errored),
        Status::Aborted => all.push(Event::Aborted),
        Status::Preparing | Status::Running | Status::Merging => {}
    }
    all
}

/// Whether it is worse than what it is compared with. Of a run whose data carry no verdict that cannot be said.
fn regressed(execution: &Execution, summary: Option<&Summary>) -> bool {
    if !matches!(execution.status, Status::Passed | Status::Failed) {
        return false;
    }
    let by_intervals = execution.comparison.as_ref();
    let baseline = summary.and_then(|summary| summary.baseline.as_ref());
    let mut by_tolerance = baseline.iter().flat_map(|baseline| &baseline.outcomes);
    by_intervals.is_some_and(|found| found.outcome == Change::Regressed)
        || by_tolerance.any(|found| found.outcome == Outcome::Failed)
}
