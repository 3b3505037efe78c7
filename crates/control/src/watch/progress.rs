//! A snapshot of a run for views.

use super::figures::Figures;
use super::state::{Phase, TaskState, WatchState};
use floodgate_core::definition::model::Definition;
use floodgate_core::histogram::Histogram;
use floodgate_core::schedule::{Schedule, Segment, schedule_of};
use floodgate_records::plan::Plan;
use std::time::Duration;

/// Response times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// The median.
    pub p50_ms: f64,
    /// The 95th percentile.
    pub p95_ms: f64,
    /// The 99th percentile.
    pub p99_ms: f64,
}

impl Quantiles {
    fn of(histogram: &Histogram) -> Option<Self> {
        let ms = |q| histogram.quantile(q) as f64 / 1_000.0;
        (histogram.count() > 0).then(|| Self {
            p50_ms: ms(0.5),
            p95_ms: ms(0.95),
            p99_ms: ms(0.99),
        })
    }
}

/// How a run stands. "Recent" is over the last two or three live intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Where the run stands.
    pub phase: Phase,
    /// Since the common start; zero before it.
    pub elapsed: Duration,
    /// From the start to the end of the schedule, without graceful stops; zero if no schedule says.
    pub total: Duration,
    /// Iterations a second that the arrival rates want now; `None` if there is none.
    pub offered_per_s: Option<f64>,
    /// Iterations of these scenarios completed a second, recent.
    pub achieved_per_s: f64,
    /// Iterations of all scenarios completed a second, recent.
    pub iterations_per_s: f64,
    /// Requests a second, recent.
    pub requests_per_s: f64,
    /// Iterations completed.
    pub iterations: u64,
    /// Requests sent.
    pub requests: u64,
    /// Iterations dropped.
    pub dropped: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Response times since the start; `None` before the first.
    pub response: Option<Quantiles>,
    /// Response times, recent.
    pub recent_response: Option<Quantiles>,
    /// The share of requests that failed, in [0, 1].
    pub error_ratio: f64,
    /// The same, recent.
    pub recent_error_ratio: f64,
    /// The share of checks that held, in [0, 1]; `None` without checks.
    pub checks_ratio: Option<f64>,
    /// VUs running.
    pub vus: u64,
    /// Most VUs that the schedule may use.
    pub max_vus: u64,
    /// Where each task stands.
    pub tasks: Vec<TaskState>,
    /// The order that stops the run: why and by whom.
    pub stopping: Option<String>,
    /// How a search for the capacity stands, a short sentence.
    pub seeking: Option<String>,
}

impl Progress {
    pub(super) fn before_start(plan: &Plan, state: &WatchState) -> Self {
        Self {
            phase: state.phase,
            elapsed: Duration::ZERO,
            total: Duration::from_millis(plan.load.duration_ms),
            offered_per_s: None,
            achieved_per_s: 0.0,
            iterations_per_s: 0.0,
            requests_per_s: 0.0,
            iterations: 0,
            requests: 0,
            dropped: 0,
            bytes_received: 0,
            response: None,
            recent_response: None,
            error_ratio: 0.0,
            recent_error_ratio: 0.0,
            checks_ratio: None,
            vus: 0,
            max_vus: plan.load.max_vus,
            tasks: state.tasks.clone(),
            stopping: state.stop.as_ref().map(|(stop, _)| stop.by.clone()),
            seeking: None,
        }
    }

    pub(super) fn set_time(
        &mut self,
        definition: &Definition,
        plan: &Plan,
        state: &WatchState,
        now_ms: i64,
    ) {
        let Some(start_ms) = state.start_ms else {
            return;
        };
        self.elapsed =
            Duration::from_millis(u64::try_from(now_ms.saturating_sub(start_ms)).unwrap_or(0));
        let planned = definition.capacity.is_none() && plan.load.duration_ms > 0;
        if planned && state.phase == Phase::Running {
            self.offered_per_s = offered(definition, self.elapsed);
        }
    }

    pub(super) fn add_rates(&mut self, window: &Figures, window_ms: i64) {
        let seconds = window_ms as f64 / 1_000.0;
        if seconds > 0.0 {
            self.achieved_per_s += window.arrivals as f64 / seconds;
            self.iterations_per_s += window.iterations as f64 / seconds;
            self.requests_per_s += window.requests as f64 / seconds;
        }
    }

    pub(super) fn set_figures(&mut self, overall: &Figures, recent: &Figures) {
        let ratio = |part: u64, of: u64| {
            if of == 0 {
                0.0
            } else {
                part as f64 / of as f64
            }
        };
        self.iterations = overall.iterations;
        self.requests = overall.requests;
        self.dropped = overall.dropped;
        self.bytes_received = overall.bytes_received;
        self.error_ratio = ratio(overall.failed, overall.requests);
        self.recent_error_ratio = ratio(recent.failed, recent.requests);
        self.checks_ratio =
            (overall.checks > 0).then(|| ratio(overall.checks_held, overall.checks));
        self.response = Quantiles::of(&overall.response);
        self.recent_response = Quantiles::of(&recent.response);
    }
}

/// Iterations a second that all arrival-rate scenarios together want at a time; `None` if there is no such scenario.
fn offered(definition: &Definition, elapsed: Duration) -> Option<f64> {
    let whole = Segment::whole();
    let mut wanted = None;
    for scenario in &definition.scenarios {
        if let Schedule::Arrivals(arrivals) = schedule_of(scenario, &whole) {
            let at = elapsed
                .checked_sub(scenario.start_time)
                .filter(|at| *at < arrivals.duration());
            *wanted.get_or_insert(0.0) += at.map_or(0.0, |at| arrivals.rate_at(at));
        }
    }
    wanted
}
