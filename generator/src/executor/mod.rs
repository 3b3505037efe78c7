//! Executors: who runs an iteration when. They drive the virtual users of one scenario on one worker, by a
//! [`Schedule`] that knows every start in advance.

mod arrivals;
mod counted;
mod looping;
#[cfg(test)]
mod tests;

use crate::clock::Nanos;
use crate::recorder::{ScenarioSeries, WorkerRecorder};
use crate::timer::{Deadline, StopSignal, Timer, give_way, until};
use floodgate_core::histogram::Histogram;
use floodgate_core::schedule::Schedule;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
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
    fn iterate(&mut self, number: u64, times: (Nanos, Nanos)) -> impl Future<Output = Ended>;
    /// The iteration under way was cut off; what was under way is still to be counted.
    fn interrupted(&mut self, at: Nanos);
}

/// Makes virtual users, by their number in the scenario over all tasks, from 1.
pub trait Recruit: 'static {
    /// What it makes.
    type Vu: Iterate;
    /// Makes one.
    fn recruit(&self, number: u64) -> Self::Vu;
}

/// What the gauges and the manifest need to know of a worker.
#[derive(Debug, Default)]
pub struct Tally {
    /// VUs in an iteration now.
    pub busy: Cell<u64>,
    /// The most of them at any time since [`Tally::take_most_busy`].
    most_busy: Cell<u64>,
    /// VUs allocated.
    pub allocated: Cell<u64>,
    /// Starts that schedules with a fixed number of them wanted until they ended or were stopped.
    pub scheduled: Cell<u64>,
    /// Iterations begun by such schedules.
    pub started_by_schedule: Cell<u64>,
    /// Whether any scenario has such a schedule.
    pub counts_starts: Cell<bool>,
    /// Whether a scenario ran out of unique data rows.
    pub data_exhausted: Cell<bool>,
    /// Actual minus intended start in µs, of the starts that found a VU ready: the generator's own doing.
    pub dispatch_lag: RefCell<Histogram>,
}

impl Tally {
    fn add(cell: &Cell<u64>, n: i64) {
        cell.set(cell.get().wrapping_add_signed(n));
    }

    fn begin(&self) {
        let busy = self.busy.get() + 1;
        self.busy.set(busy);
        self.most_busy.set(self.most_busy.get().max(busy));
    }

    fn end(&self) {
        Self::add(&self.busy, -1);
    }

    /// The most VUs that were in an iteration at once since the last call: a run that is over before a second has passed
    /// had some, too.
    pub fn take_most_busy(&self) -> u64 {
        self.most_busy.replace(self.busy.get())
    }
}

/// One scenario on one worker.
#[derive(Debug)]
pub struct Scene<R> {
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
    /// How long iterations may go on after the scenario's end.
    pub graceful_stop: Duration,
    /// The worker's counts.
    pub tally: Rc<Tally>,
    /// Makes its VUs.
    pub recruiter: R,
}

impl<R: Recruit> Scene<R> {
    fn at(&self, after: Duration) -> Nanos {
        self.begin + nanos(after)
    }

    fn now(&self) -> Nanos {
        self.timer.clock().now()
    }

    fn deadline(&self, at: Nanos) -> Deadline {
        Deadline::new(&self.timer, at, &self.stop)
    }

    fn allocate(&self, vu: u64) -> R::Vu {
        Tally::add(&self.tally.allocated, 1);
        self.recruiter.recruit(vu)
    }

    /// Sleeps until `at`; false if the order to stop came first.
    async fn sleep_until(&self, at: Nanos) -> bool {
        self.deadline(at).passed().await;
        !self.stop.is_given()
    }

    /// Runs iterations one after the other: numbers come from `next` until it has none, `until` has passed, one is cut off
    /// or the order to stop is given. False: a data file with unique rows ran out, and there can be no more.
    async fn closed_loop(
        &self,
        vu: &mut R::Vu,
        until: Nanos,
        deadline: &mut Deadline,
        mut next: impl FnMut() -> Option<u64>,
    ) -> bool {
        self.tally.begin();
        let mut now = self.now();
        let mut more = true;
        while more && now < until && !self.stop.is_given() {
            let Some(number) = next() else { break };
            let ended = self.iterate(vu, number, Begin::now(now), deadline).await;
            let Some(ended) = ended else { break };
            more = ended.more;
            if more {
                // Also what keeps iterations that take no time (a flow without a request) from never letting anyone else run.
                give_way().await;
                now = ended.at;
            } else {
                self.tally.data_exhausted.set(true);
            }
        }
        self.tally.end();
        more
    }

    /// Runs one iteration that begins now, to its end or to the deadline; `None`: it was cut off.
    #[inline]
    async fn iterate(
        &self,
        vu: &mut R::Vu,
        number: u64,
        start: Begin,
        deadline: &mut Deadline,
    ) -> Option<Ended> {
        self.recorder.borrow_mut().iteration_started(
            self.series,
            start.at,
            start.scheduled.then_some(start.intended),
        );
        let ended = until(deadline, vu.iterate(number, (start.intended, start.at))).await;
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
struct Begin {
    at: Nanos,
    intended: Nanos,
    /// Whether a schedule gave it its time, so that being late means something.
    scheduled: bool,
}

impl Begin {
    /// In a closed loop an iteration is intended when the one before it has ended.
    const fn now(at: Nanos) -> Self {
        Self {
            at,
            intended: at,
            scheduled: false,
        }
    }
}

fn nanos(duration: Duration) -> Nanos {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}

/// Runs a scenario on this worker until its schedule and its graceful stop are over, or the order to stop is given.
pub async fn run<R: Recruit>(scene: Rc<Scene<R>>, schedule: Schedule) {
    match schedule {
        Schedule::Arrivals(arrivals) => arrivals::run(scene, arrivals).await,
        Schedule::Loop(vus) => looping::run(scene, vus).await,
        Schedule::Counted(counted) => counted::run(scene, counted).await,
    }
}

async fn join(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        if let Err(error) = task.await
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
