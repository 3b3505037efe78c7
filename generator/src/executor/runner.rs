//! One scenario on one worker: what its executor, whichever it is, needs to run iterations.

use super::counters::Counters;
use super::vu::{Iterate, IterationOutcome, VuFactory};
use crate::clock::{Nanos, nanos};
use crate::recorder::{ScenarioSeries, WorkerRecorder};
use crate::timer::{Deadline, StopSignal, Timer, give_way, until};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// One scenario on one worker.
#[derive(Debug)]
pub struct ScenarioRunner<R> {
    /// The worker's timer.
    pub timer: Rc<Timer>,
    /// The order to stop at once.
    pub stop: Rc<StopSignal>,
    /// The worker's recorder.
    pub recorder: Rc<RefCell<WorkerRecorder>>,
    /// The scenario's iteration metrics.
    pub series: ScenarioSeries,
    /// When the scenario starts.
    pub begin: Nanos,
    /// The number of its first iteration.
    pub first_iteration: u64,
    /// How long iterations may go on after the scenario's end.
    pub graceful_stop: Duration,
    /// The least time between the starts of a VU's iterations, in a closed loop.
    pub pace: Option<Duration>,
    /// The worker's counts.
    pub counters: Rc<Counters>,
    /// Makes its VUs.
    pub vus: R,
}

impl<R: VuFactory> ScenarioRunner<R> {
    pub(super) fn at(&self, after: Duration) -> Nanos {
        self.begin + nanos(after)
    }

    pub(super) fn now(&self) -> Nanos {
        self.timer.clock().now()
    }

    pub(super) fn deadline(&self, at: Nanos) -> Deadline {
        Deadline::new(&self.timer, at, &self.stop)
    }

    pub(super) fn allocate(&self, vu: u64) -> R::Vu {
        Counters::add(&self.counters.allocated, 1);
        self.vus.make(vu)
    }

    /// Sleeps until `at`; false if the order to stop came first.
    pub(super) async fn sleep_until(&self, at: Nanos) -> bool {
        self.deadline(at).passed().await;
        !self.stop.is_given()
    }

    /// Runs iterations one after the other: numbers come from `next` until it has none, `until` has passed, one is cut off
    /// or the order to stop is given. False: a data file with unique rows ran out, and there can be no more.
    pub(super) async fn closed_loop(
        &self,
        vu: &mut R::Vu,
        until: Nanos,
        deadline: &mut Deadline,
        mut next: impl FnMut() -> Option<u64>,
    ) -> bool {
        self.counters.begin();
        let mut now = self.now();
        let mut intended = now;
        let mut more = true;
        while more && now < until && !self.stop.is_given() {
            let Some(number) = next() else { break };
            let ended = self
                .iterate(vu, number, Begin::of(now, intended), deadline)
                .await;
            let Some(ended) = ended else { break };
            more = ended.more;
            if more {
                // Also what keeps iterations that take no time (a flow without a request) from never letting anyone else run.
                give_way().await;
                now = ended.at;
                let due = self
                    .pace
                    .map_or(0, |pace| intended.saturating_add(nanos(pace)));
                intended = now.max(due);
                if due > now {
                    if !self.sleep_until(due.min(until)).await {
                        break;
                    }
                    now = self.now().max(ended.at);
                }
            } else {
                self.counters.data_exhausted.set(true);
            }
        }
        self.counters.end();
        more
    }

    /// Runs one iteration that begins now, to its end or to the deadline; `None`: it was cut off.
    #[inline]
    pub(super) async fn iterate(
        &self,
        vu: &mut R::Vu,
        number: u64,
        start: Begin,
        deadline: &mut Deadline,
    ) -> Option<IterationOutcome> {
        self.recorder.borrow_mut().iteration_started(
            self.series,
            start.at,
            start.scheduled.then_some(start.intended),
        );
        let ended = until(
            deadline,
            vu.iterate(self.first_iteration + number, (start.intended, start.at)),
        )
        .await;
        match ended {
            Some(ended) if !ended.complete => {
                self.recorder
                    .borrow_mut()
                    .iteration_failed(self.series, ended.at);
            }
            Some(ended) => {
                self.recorder
                    .borrow_mut()
                    .iteration_completed(self.series, start.at, ended.at);
            }
            None => {
                let now = self.now();
                vu.interrupted(now);
                self.recorder
                    .borrow_mut()
                    .iteration_interrupted(self.series, now);
            }
        }
        ended
    }
}

/// When an iteration begins, and when it was to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begin {
    pub(super) at: Nanos,
    pub(super) intended: Nanos,
    /// Whether a schedule gave it its time, so that being late means something.
    pub(super) scheduled: bool,
}

impl Begin {
    /// In a closed loop an iteration is intended when the one before it has ended, or when its pace wants it.
    const fn of(at: Nanos, intended: Nanos) -> Self {
        Self {
            at,
            intended,
            scheduled: false,
        }
    }
}

/// Waits for tasks, and passes on a panic of one.
pub(super) async fn join(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        if let Err(error) = task.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
