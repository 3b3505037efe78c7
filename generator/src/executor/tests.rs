//! The executors against VUs that take a scripted time. Counts decide, never the machine's speed: the schedules are
//! short, and what is compared follows from them alone.
#![allow(clippy::unwrap_used)]

mod closed;

use super::*;
use crate::clock::Clock;
use crate::clock::Nanos;
use crate::recorder::WorkerRecorder;
use crate::recorder::{Closed, SeriesBudget};
use crate::timer::{StopSignal, Timer};
use floodgate_core::definition::model::{Executor, Stage};
use floodgate_core::fold::Folding;
use floodgate_core::schedule::{Segment, schedule};
use floodgate_records::metric::Tags;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};

const MS: Nanos = 1_000_000;

/// What VUs were asked to do, in order.
#[derive(Default)]
struct Log {
    /// VU number, iteration number, intended start, actual start.
    iterations: RefCell<Vec<(u64, u64, Nanos, Nanos)>>,
    interrupted: Cell<u64>,
    running: Cell<u64>,
    most: Cell<u64>,
}

struct Fake {
    number: u64,
    timer: Rc<Timer>,
    log: Rc<Log>,
    takes: Rc<dyn Fn(u64) -> Nanos>,
    rows: u64,
}

impl Iterate for Fake {
    async fn iterate(&mut self, number: u64, (intended, now): (Nanos, Nanos)) -> IterationOutcome {
        self.log
            .iterations
            .borrow_mut()
            .push((self.number, number, intended, now));
        self.log.running.set(self.log.running.get() + 1);
        self.log
            .most
            .set(self.log.most.get().max(self.log.running.get()));
        let takes = (self.takes)(number);
        if takes > 0 {
            self.timer.sleep_until(now + takes).await;
        }
        self.log.running.set(self.log.running.get() - 1);
        IterationOutcome {
            complete: true,
            at: self.timer.clock().now(),
            more: number + 1 < self.rows,
        }
    }

    fn interrupted(&mut self, _at: Nanos) {
        self.log.interrupted.set(self.log.interrupted.get() + 1);
        self.log.running.set(self.log.running.get() - 1);
    }
}

struct Recruiter {
    timer: Rc<Timer>,
    log: Rc<Log>,
    takes: Rc<dyn Fn(u64) -> Nanos>,
    rows: u64,
}

impl VuFactory for Recruiter {
    type Vu = Fake;
    fn make(&self, number: u64) -> Fake {
        Fake {
            number,
            timer: Rc::clone(&self.timer),
            log: Rc::clone(&self.log),
            takes: Rc::clone(&self.takes),
            rows: self.rows,
        }
    }
}

struct Outcome {
    log: Rc<Log>,
    begin: Nanos,
    counters: Rc<Counters>,
    started: u64,
    completed: u64,
    interrupted: u64,
    dropped: u64,
}

impl Outcome {
    fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<_> = self.log.iterations.borrow().iter().map(|i| i.1).collect();
        numbers.sort_unstable();
        numbers
    }
}

struct Case {
    executor: Executor,
    graceful_stop: Duration,
    pace: Option<Duration>,
    takes: Rc<dyn Fn(u64) -> Nanos>,
    rows: u64,
    stop_after: Option<Nanos>,
}

impl Case {
    fn new(executor: Executor, takes: impl Fn(u64) -> Nanos + 'static) -> Self {
        Self {
            executor,
            graceful_stop: Duration::from_secs(5),
            pace: None,
            takes: Rc::new(takes),
            rows: u64::MAX,
            stop_after: None,
        }
    }

    fn run(self) -> Outcome {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .build_local(LocalOptions::default())
            .unwrap();
        runtime.block_on(async move {
            let timer = Timer::new(Clock::start()).unwrap();
            tokio::task::spawn_local(Rc::clone(&timer).drive());
            let begin = timer.clock().now() + 2 * MS;
            let (to_flusher, closed) = channel::<Closed>();
            let (_recycle, recycled) = channel();
            let mut recorder = WorkerRecorder::new(
                0,
                begin,
                Arc::new(SeriesBudget::new(100, Folding::default())),
                to_flusher,
                recycled,
            );
            let series = recorder.scenario_series(&Tags::new().with("scenario", "s"));
            let recorder = Rc::new(RefCell::new(recorder));
            let (stop, counters, log) = (
                Rc::<StopSignal>::default(),
                Rc::<Counters>::default(),
                Rc::<Log>::default(),
            );
            let vus = Recruiter {
                timer: Rc::clone(&timer),
                log: Rc::clone(&log),
                takes: self.takes,
                rows: self.rows,
            };
            let runner = ScenarioRunner {
                timer: Rc::clone(&timer),
                stop: Rc::clone(&stop),
                recorder: Rc::clone(&recorder),
                series,
                begin,
                first_iteration: 0,
                graceful_stop: self.graceful_stop,
                pace: self.pace,
                counters: Rc::clone(&counters),
                vus,
            };
            if let Some(after) = self.stop_after {
                let (timer, stop) = (Rc::clone(&timer), stop);
                tokio::task::spawn_local(async move {
                    timer.sleep_until(begin + after).await;
                    stop.give();
                });
            }
            super::run(Rc::new(runner), schedule(&self.executor, &Segment::whole())).await;
            let now = timer.clock().now();
            Rc::into_inner(recorder).unwrap().into_inner().finish(now);
            let mut outcome = Outcome {
                log,
                begin,
                counters,
                started: 0,
                completed: 0,
                interrupted: 0,
                dropped: 0,
            };
            for mut closed in closed.try_iter() {
                assert_eq!(closed.window.requests().count(), 0);
                for (_, cell) in closed.window.scenarios() {
                    outcome.started += cell.started;
                    outcome.completed += cell.iterations;
                    outcome.interrupted += cell.interrupted;
                    outcome.dropped += cell.dropped;
                }
            }
            assert_eq!(
                outcome.started,
                outcome.completed + outcome.interrupted,
                "every iteration ends in one way"
            );
            assert_eq!(
                outcome.started,
                outcome.log.iterations.borrow().len() as u64
            );
            outcome
        })
    }
}

fn arrivals(rate: u64, duration: Duration, vus: (u64, u64), max_lateness: Duration) -> Executor {
    Executor::ConstantArrivalRate {
        rate,
        time_unit: Duration::from_secs(1),
        duration,
        pre_allocated_vus: vus.0,
        max_vus: vus.1,
        max_lateness,
    }
}

const LATE: Duration = Duration::from_secs(10);

#[test]
fn every_arrival_is_started_once_at_or_after_its_time() {
    let outcome = Case::new(
        arrivals(1_000, Duration::from_millis(200), (5, 5), LATE),
        |_| MS / 2,
    )
    .run();
    assert_eq!(outcome.numbers(), (0..200).collect::<Vec<_>>());
    for &(_, number, intended, actual) in &*outcome.log.iterations.borrow() {
        assert_eq!(intended, outcome.begin + number * MS);
        assert!(actual >= intended);
    }
    assert_eq!(
        (outcome.dropped, outcome.counters.scheduled.get()),
        (0, 200)
    );
}

#[test]
fn vus_are_added_up_to_the_most_and_no_further() {
    let outcome = Case::new(
        arrivals(100, Duration::from_millis(100), (1, 3), LATE),
        |_| 40 * MS,
    )
    .run();
    assert_eq!(outcome.numbers(), (0..10).collect::<Vec<_>>());
    assert_eq!(
        (outcome.counters.allocated.get(), outcome.log.most.get()),
        (3, 3)
    );
}

#[test]
fn a_stall_makes_starts_late_and_none_is_lost_or_moved() {
    // All VUs hang on their first iteration for far longer than the gaps; the backlog is worked off afterwards.
    let outcome = Case::new(
        arrivals(500, Duration::from_millis(200), (4, 4), LATE),
        |n| if n < 4 { 120 * MS } else { 0 },
    )
    .run();
    assert_eq!(outcome.numbers(), (0..100).collect::<Vec<_>>());
    let log = outcome.log.iterations.borrow();
    assert!(
        log.iter()
            .all(|&(_, n, intended, _)| intended == outcome.begin + n * 2 * MS),
        "the schedule does not slip"
    );
    let fifth = log.iter().find(|i| i.1 == 4).unwrap();
    assert!(
        fifth.3 - fifth.2 >= 100 * MS,
        "the lateness is there to be measured: {}",
        fifth.3 - fifth.2
    );
    assert_eq!(outcome.dropped, 0);
}

#[test]
fn starts_past_the_bound_are_dropped_and_counted() {
    let bound = Duration::from_millis(50);
    let outcome = Case::new(
        arrivals(100, Duration::from_millis(300), (1, 1), bound),
        |n| if n == 0 { 200 * MS } else { 0 },
    )
    .run();
    assert_eq!(outcome.started + outcome.dropped, 30);
    assert!(
        outcome.dropped >= 10,
        "starts 1 to 14 are more than 50 ms late at 200 ms: {}",
        outcome.dropped
    );
    for &(_, _, intended, actual) in outcome.log.iterations.borrow().iter() {
        // A start is judged just before it is made.
        assert!(actual - intended <= 250 * MS, "{}", actual - intended);
    }
}

#[test]
fn the_end_of_the_graceful_stop_interrupts_what_still_runs() {
    let mut case = Case::new(
        arrivals(100, Duration::from_millis(50), (5, 5), LATE),
        |_| 10_000 * MS,
    );
    case.graceful_stop = Duration::from_millis(20);
    let outcome = case.run();
    assert_eq!(
        (outcome.started, outcome.interrupted, outcome.completed),
        (5, 5, 0)
    );
    assert_eq!(outcome.log.interrupted.get(), 5);
}

#[test]
fn an_order_to_stop_ends_an_open_loop_at_once_and_counts_what_was_due() {
    let mut case = Case::new(
        arrivals(100, Duration::from_secs(600), (2, 2), LATE),
        |_| 1_000_000 * MS,
    );
    case.stop_after = Some(55 * MS);
    let outcome = case.run();
    assert_eq!(outcome.interrupted, 2);
    assert!(outcome.counters.scheduled.get() >= 6);
    assert_eq!(
        outcome.started + outcome.dropped,
        outcome.counters.scheduled.get()
    );
}

#[test]
fn ramping_arrivals_start_what_the_integral_of_the_rate_says() {
    let stage = |ms, target| Stage {
        duration: Duration::from_millis(ms),
        target,
    };
    let executor = Executor::RampingArrivalRate {
        start_rate: 0,
        time_unit: Duration::from_secs(1),
        stages: vec![stage(100, 1_000), stage(100, 1_000), stage(100, 0)],
        pre_allocated_vus: 4,
        max_vus: 50,
        max_lateness: LATE,
    };
    let outcome = Case::new(executor, |_| 0).run();
    let total = outcome.started;
    assert!((199..=201).contains(&total), "50 + 100 + 50: {total}");
    assert_eq!(outcome.numbers(), (0..total).collect::<Vec<_>>());
}

impl Case {
    fn run_with_grace(mut self, grace: Duration) -> Outcome {
        self.graceful_stop = grace;
        self.run()
    }
}

#[test]
fn rows_that_run_out_end_the_scenario() {
    let mut case = Case::new(
        arrivals(1_000, Duration::from_secs(600), (1, 1), LATE),
        |_| 0,
    );
    case.rows = 10;
    let outcome = case.run();
    assert!(outcome.counters.data_exhausted.get());
    assert_eq!(outcome.started, 10);
}
