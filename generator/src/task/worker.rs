//! One worker thread: a runtime, a client side, a recorder, and its share of every scenario.

use super::vu::{NativeScenario, NativeVus};
use crate::clock::{Clock, Nanos, nanos};
use crate::executor::{Counters, ScenarioRunner};
use crate::flow::{CompileError, CompiledScenario, Files, Given, Native, Place};
use crate::http::{SetupError, TransportId, TransportOptions, Wire, Worker};
use crate::recorder::{Closed, ScenarioSeries, SeriesBudget, Window, WorkerRecorder};
use crate::timer::{StopSignal, Timer};
use floodgate_core::capacity::Load;
use floodgate_core::definition::model::{Definition, Scenario};
use floodgate_core::histogram::Histogram;
use floodgate_core::schedule::{Schedule, Segment, schedule_of};
use floodgate_records::capacity::CapacityControl;
use floodgate_records::connections::Connections;
use floodgate_records::metric::Tags;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// Windows are closed this long after their second, so that what ended in its last moment is in them.
const SETTLE: Nanos = 5_000_000;

/// What a worker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing yet.
    Wait,
    /// Begin at this time of the task's clock.
    Start(Nanos),
    /// End now; if it has not begun, without having begun.
    Stop,
}

/// What all workers of a task share.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) definition: Definition,
    /// The steps of a search for the capacity, as they come.
    pub(super) steps: watch::Receiver<CapacityControl>,
    pub(super) files: Arc<Files>,
    /// What setup has given.
    pub(super) given: Given,
    pub(super) transports: Vec<TransportOptions>,
    pub(super) execution: String,
    pub(super) task: u32,
    pub(super) clock: Clock,
    pub(super) budget: Arc<SeriesBudget>,
    /// How many of the first exchanges are to be sampled, whatever comes of them.
    pub(super) first: Option<Arc<AtomicU32>>,
}

/// Why a worker cannot send its part.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// It has no runtime.
    #[error("no runtime for a worker thread: {0}")]
    Runtime(#[source] io::Error),
    /// It has no timer.
    #[error("no timer: {0}")]
    Timer(#[source] io::Error),
    /// Certificates or keys are not usable.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A flow cannot be sent.
    #[error(transparent)]
    Flow(#[from] CompileError),
    /// More scenarios than can be told apart.
    #[error("more than 65,535 scenarios")]
    TooManyScenarios,
    /// Its thread is gone.
    #[error("a worker thread ended before it was ready")]
    Ended,
}

/// One worker's own.
pub(super) struct Assignment {
    pub(super) number: usize,
    pub(super) segment: Segment,
    pub(super) orders: watch::Receiver<Order>,
    /// Told once: it could start, or why not.
    pub(super) ready: oneshot::Sender<Result<(), PrepareError>>,
    pub(super) to_flusher: Sender<Closed>,
    pub(super) recycled: Receiver<Window>,
}

/// What a worker has to say at its end.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// When it began, on the task's clock.
    pub(super) began: Option<Nanos>,
    /// See [`Counters`].
    pub(super) scheduled: Option<u64>,
    pub(super) data_exhausted: bool,
    pub(super) dispatch_lag: Histogram,
    /// By how much the latest tick of a second was late.
    pub(super) late: Duration,
    pub(super) connections: Connections,
}

/// The body of a worker thread.
pub(super) fn run(common: &Arc<Common>, assignment: Assignment) -> Report {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .event_interval(256)
        .build_local(LocalOptions::default());
    match runtime {
        Ok(runtime) => runtime.block_on(work(Arc::clone(common), assignment)),
        Err(error) => {
            drop(assignment.ready.send(Err(PrepareError::Runtime(error))));
            Report::default()
        }
    }
}

/// A scenario that can start.
struct Prepared {
    flow: CompiledScenario<Wire>,
    transport: TransportId,
}

/// A worker before it begins: its client side, its timer, and a scenario each.
type Ready = (Rc<Worker>, Rc<Timer>, Vec<Prepared>);

fn prepare(common: &Common) -> Result<Ready, PrepareError> {
    let timer = Timer::new(common.clock).map_err(PrepareError::Timer)?;
    let worker = Worker::new(common.clock, &common.transports)?;
    let place = Place {
        execution: &common.execution,
        task: common.task,
        given: &common.given,
    };
    let scenarios = (0..common.definition.scenarios.len())
        .map(|index| {
            let prepare = |request: &_| Native::wire(&worker, request, None);
            let flow =
                CompiledScenario::compile(&common.definition, index, &common.files, place, prepare);
            // Each scenario's options have the index of the scenario.
            let transport =
                TransportId(u16::try_from(index).map_err(|_| PrepareError::TooManyScenarios)?);
            Ok(Prepared {
                flow: flow?,
                transport,
            })
        })
        .collect::<Result<Vec<_>, PrepareError>>()?;
    Ok((worker, timer, scenarios))
}

async fn work(common: Arc<Common>, mut assignment: Assignment) -> Report {
    let (worker, timer, prepared) = match prepare(&common) {
        Ok(prepared) => prepared,
        Err(problem) => {
            drop(assignment.ready.send(Err(problem)));
            return Report::default();
        }
    };
    // Nobody waits for this any more if another worker has failed; the order to stop follows.
    drop(assignment.ready.send(Ok(())));
    let start = loop {
        match *assignment.orders.borrow_and_update() {
            Order::Wait => {}
            Order::Start(start) => break start,
            Order::Stop => return Report::default(),
        }
        if assignment.orders.changed().await.is_err() {
            return Report::default();
        }
    };
    let Assignment {
        number,
        segment,
        orders,
        to_flusher,
        recycled,
        ..
    } = assignment;
    let mut recorder = WorkerRecorder::new(
        number,
        start,
        Arc::clone(&common.budget),
        to_flusher,
        recycled,
    );
    if let Some(first) = &common.first {
        recorder.sample_first(Arc::clone(first));
    }
    let running = RunningWorker {
        common: &common,
        segment,
        start,
        worker,
        timer,
        recorder: Rc::new(RefCell::new(recorder)),
        stop: Rc::default(),
        counters: Rc::default(),
        late: Rc::default(),
    };
    running.run(prepared, orders).await
}

struct RunningWorker<'a> {
    common: &'a Common,
    segment: Segment,
    start: Nanos,
    worker: Rc<Worker>,
    timer: Rc<Timer>,
    recorder: Rc<RefCell<WorkerRecorder>>,
    stop: Rc<StopSignal>,
    counters: Rc<Counters>,
    /// By how much the latest tick was late, in ns.
    late: Rc<Cell<Nanos>>,
}

impl RunningWorker<'_> {
    async fn run(self, prepared: Vec<Prepared>, orders: watch::Receiver<Order>) -> Report {
        let helpers = [
            tokio::task::spawn_local(Rc::clone(&self.timer).drive()),
            tokio::task::spawn_local(Rc::clone(&self.worker).run_deadlines()),
            tokio::task::spawn_local(tick(
                Rc::clone(&self.timer),
                self.start,
                Rc::clone(&self.recorder),
                Rc::clone(&self.counters),
                Rc::clone(&self.late),
            )),
            tokio::task::spawn_local(obey(
                orders,
                Rc::clone(&self.stop),
                Rc::clone(&self.recorder),
            )),
        ];
        let scenarios: Vec<_> = prepared
            .into_iter()
            .enumerate()
            .map(|(index, prepared)| self.scenario(index, prepared))
            .collect();
        let sought = self.common.definition.capacity.as_ref();
        let load = sought.and_then(|_| Load::of(&self.common.definition.scenarios));
        let planned = match &load {
            Some(_) => Vec::new(),
            None => self.planned(&scenarios),
        };
        self.timer.sleep_until(self.start).await;
        let began = self.timer.clock().now();
        let running = match &load {
            Some(load) => self.steps(load, &scenarios).await,
            None => planned,
        };
        drop(scenarios);
        for scenario in running {
            if let Err(error) = scenario.await
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
        for helper in &helpers {
            helper.abort();
        }
        for helper in helpers {
            // All that an aborted task can report is that it was aborted.
            drop(helper.await);
        }
        let now = self.timer.clock().now().max(self.start);
        let counters = &self.counters;
        self.recorder
            .borrow_mut()
            .set_vus(0, counters.take_most_busy(), counters.allocated.get());
        let report = Report {
            began: Some(began),
            scheduled: counters
                .counts_starts
                .get()
                .then(|| counters.scheduled.get()),
            data_exhausted: counters.data_exhausted.get(),
            dispatch_lag: counters.dispatch_lag.take(),
            late: Duration::from_nanos(self.late.get()),
            connections: self.worker.connections(),
        };
        if let Some(recorder) = Rc::into_inner(self.recorder) {
            recorder.into_inner().finish(now);
        } else {
            debug_assert!(false, "a VU has outlived its scenario");
        }
        report
    }

    fn scenario(&self, index: usize, Prepared { flow, transport }: Prepared) -> Running {
        let scenario = &self.common.definition.scenarios[index];
        let tags: Tags = self
            .common
            .definition
            .tags
            .iter()
            .chain(&scenario.tags)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let series = self
            .recorder
            .borrow_mut()
            .scenario_series(&tags.with("scenario", scenario.name.clone()));
        let vus = NativeVus(Rc::new(NativeScenario {
            worker: Rc::clone(&self.worker),
            transport,
            flow,
            timer: Rc::clone(&self.timer),
            recorder: Rc::clone(&self.recorder),
        }));
        Running { series, vus }
    }

    /// Begins all scenarios as the definition says.
    fn planned(&self, scenarios: &[Running]) -> Vec<JoinHandle<()>> {
        let planned = self.common.definition.scenarios.iter().zip(scenarios);
        planned
            .map(|(scenario, running)| {
                let begin = self.start + nanos(scenario.start_time);
                let schedule = schedule_of(scenario, &self.segment);
                self.begin(scenario, running, schedule, (begin, 0))
            })
            .collect()
    }

    /// Begins each step of a search for the capacity when it is ordered, until no further one comes. Iterations go on counting: their
    /// numbers are used once in a run.
    async fn steps(&self, load: &Load, scenarios: &[Running]) -> Vec<JoinHandle<()>> {
        let mut orders = self.common.steps.clone();
        let all = &self.common.definition.scenarios;
        let mut first = vec![0; all.len()];
        let mut running: Vec<JoinHandle<()>> = Vec::new();
        let mut begun = 0;
        loop {
            let control = orders.borrow_and_update().clone();
            for step in control.steps.iter().skip(begun) {
                let duration = Duration::from_millis(step.until_ms.saturating_sub(step.from_ms));
                let begin = self.start + step.from_ms * 1_000_000;
                let of = |segment| load.schedules(all, step.load, duration, segment);
                let undivided = Segment::whole();
                let whole = of(&undivided);
                for (index, own) in of(&self.segment).into_iter().enumerate() {
                    let at = (begin, first[index]);
                    running.push(self.begin(&all[index], &scenarios[index], own, at));
                    first[index] += whole[index].iterations().unwrap_or_default();
                }
            }
            begun = control.steps.len();
            running.retain(|step| !step.is_finished());
            if control.ended.is_some() || orders.changed().await.is_err() {
                return running;
            }
        }
    }

    fn begin(
        &self,
        scenario: &Scenario,
        running: &Running,
        schedule: Schedule,
        (begin, first_iteration): (Nanos, u64),
    ) -> JoinHandle<()> {
        let runner = ScenarioRunner {
            timer: Rc::clone(&self.timer),
            stop: Rc::clone(&self.stop),
            recorder: Rc::clone(&self.recorder),
            series: running.series,
            begin,
            first_iteration,
            graceful_stop: scenario.graceful_stop,
            pace: scenario.pace,
            counters: Rc::clone(&self.counters),
            vus: running.vus.clone(),
        };
        tokio::task::spawn_local(crate::executor::run(Rc::new(runner), schedule))
    }
}

/// A scenario whose VUs can be made.
struct Running {
    series: ScenarioSeries,
    vus: NativeVus,
}

/// Closes windows in time also when nothing is measured, keeps the gauges, and notes how late it comes to it.
async fn tick(
    timer: Rc<Timer>,
    start: Nanos,
    recorder: Rc<RefCell<WorkerRecorder>>,
    counters: Rc<Counters>,
    late: Rc<Cell<Nanos>>,
) {
    for second in 1.. {
        let end = start + second * 1_000_000_000;
        // The gauges of a window are those at its end, whoever closes it.
        timer.sleep_until(end - SETTLE).await;
        recorder.borrow_mut().set_vus(
            counters.busy.get(),
            counters.take_most_busy(),
            counters.allocated.get(),
        );
        timer.sleep_until(end + SETTLE).await;
        let now = timer.clock().now();
        late.set(late.get().max(now.saturating_sub(end + SETTLE)));
        recorder.borrow_mut().advance(now);
    }
}

/// Passes the order to stop on.
async fn obey(
    mut orders: watch::Receiver<Order>,
    stop: Rc<StopSignal>,
    recorder: Rc<RefCell<WorkerRecorder>>,
) {
    // A task that is gone without an order can only mean that everything is ending.
    drop(orders.wait_for(|order| *order == Order::Stop).await);
    recorder.borrow_mut().stop_judging_interruptions();
    stop.give();
}
