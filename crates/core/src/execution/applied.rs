//! How much of the planned load was applied, and how evenly it began.

use crate::definition::model::{Definition, Engine, Step};
use crate::execution::manifest::Manifest;
use crate::execution::record::AppliedLoad;
use crate::metric::{Builtin, MetricKind, OTHER_REQUESTS, Tags};
use crate::threshold::{MetricSource, is_unanswered};

/// What was sent. Counts come from the merged data, since they know of lost tasks too; how many starts a task was given
/// only its manifest says. `planned` is what all tasks together were to start if nothing stopped the run.
pub fn applied_load(
    manifests: &[Manifest],
    source: &dyn MetricSource,
    planned: Option<u64>,
    stopped: bool,
) -> AppliedLoad {
    let sum = |metric: Builtin| {
        source
            .select(metric.name(), &Tags::new())
            .map_or(0.0, |s| s.sum)
            .round() as u64
    };
    let interrupted: u64 = manifests
        .iter()
        .map(|m| m.totals.interrupted_iterations)
        .sum();
    // An iteration that ended early for want of a value did not run to its end either.
    let interrupted = interrupted + sum(Builtin::FailedIterations);
    let iterations = sum(Builtin::Iterations) + interrupted;
    let dropped_iterations = sum(Builtin::DroppedIterations);
    let scheduled: Option<u64> = manifests
        .iter()
        .filter_map(|m| m.totals.scheduled_iterations)
        .reduce(u64::saturating_add);
    let share = |part: u64, of: u64| (of > 0).then(|| (part as f64 / of as f64).min(1.0));
    let ratio = match (planned, scheduled) {
        // A run that was stopped early cannot have applied all of its plan: what counts is what was due by then.
        (Some(_), Some(due)) if stopped => share(iterations, due),
        (Some(planned), _) if !stopped => share(iterations, planned),
        // Beside a closed loop the iterations do not tell which scenario they are of; drops do.
        (None, Some(due)) => share(due.saturating_sub(dropped_iterations), due),
        _ => None,
    };
    AppliedLoad {
        iterations,
        interrupted_iterations: interrupted,
        dropped_iterations,
        http_reqs: sum(Builtin::HttpReqs),
        samples: other_requests(source),
        unanswered_reqs: source
            .select_where(Builtin::HttpReqs.name(), &is_unanswered)
            .map_or(0, |s| s.sum.round() as u64),
        ratio,
    }
}

/// Requests of other protocols, as far as an external engine counts them.
fn other_requests(source: &dyn MetricSource) -> u64 {
    let counted = OTHER_REQUESTS.iter().filter_map(|metric| {
        let all = source.select(metric, &Tags::new())?;
        Some(match all.kind {
            MetricKind::Counter => all.sum.round() as u64,
            _ => all.count,
        })
    });
    counted.sum()
}

/// The scenarios of the native engine that were to send something and did not: a request if they have any, else an iteration that
/// was at least begun, which is all that is known if it was cut off.
pub fn silent_scenarios(
    definition: &Definition,
    source: &dyn MetricSource,
    interrupted: u64,
) -> Vec<String> {
    if definition.engine != Engine::Http {
        return Vec::new();
    }
    let counted = |metric: Builtin, scenario: &str| {
        let filter = Tags::new().with("scenario", scenario);
        source
            .select(metric.name(), &filter)
            .is_some_and(|s| s.sum > 0.0)
    };
    let silent = definition.scenarios.iter().filter(|scenario| {
        let heard = if has_requests(&scenario.flow) {
            counted(Builtin::HttpReqs, &scenario.name)
        } else {
            interrupted > 0 || counted(Builtin::Iterations, &scenario.name)
        };
        !heard
    });
    silent.map(|scenario| scenario.name.clone()).collect()
}

/// Whether a flow sends requests.
pub fn has_requests(flow: &[Step]) -> bool {
    flow.iter().any(|step| match step {
        Step::Request(_) => true,
        Step::Group { steps, .. } => has_requests(steps),
        Step::Think { .. } | Step::Set(_) => false,
    })
}

/// The largest difference between the actual starts of two tasks in µs; `None` without a task that started.
pub fn start_skew_us(manifests: &[Manifest]) -> Option<i64> {
    let started = || manifests.iter().filter(|m| !m.script.idle);
    let skews = || started().map(|m| m.start_skew_us);
    Some(skews().max()?.saturating_sub(skews().min()?))
}
