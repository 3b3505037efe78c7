//! The recorder of one worker thread.

use super::record::{CheckSeries, OwnSeries, Record, RequestSeries, Sample};
use super::series::{NewSeries, SeriesBudget, SeriesId};
use super::window::{CheckCell, DataCell, RequestCell, ScenarioCell, Window};
use crate::clock::Nanos;
use crate::exchange::{ErrorCode, Exchange, Protocol, micros};
use floodgate_engines::Cell;
use floodgate_records::metric::{MetricKind, Tags};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender};

/// Length of a window.
const WINDOW: Nanos = 1_000_000_000;

/// The iteration metrics of one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScenarioSeries(u32);

/// A window that is over, on its way to the flusher.
#[derive(Debug)]
pub struct Closed {
    /// The worker.
    pub worker: usize,
    /// Which second since the start of the run.
    pub second: u64,
    /// What was measured in it.
    pub window: Window,
    /// Series that this window is the first to be able to use.
    pub new_series: Vec<NewSeries>,
    /// When the worker ended, in ns after the start of the run, if this is its last window.
    pub ended: Option<Nanos>,
    /// Samples of the window; their times are ms after the start of the run.
    pub samples: Vec<Sample>,
}

/// Counts into the current second and passes full seconds on.
#[derive(Debug)]
pub struct WorkerRecorder {
    worker: usize,
    /// The start of the run on the worker's clock.
    start: Nanos,
    second: u64,
    window_end: Nanos,
    window: Window,
    requests: Vec<RequestMeta>,
    /// By protocol.
    request_ids: HashMap<&'static str, HashMap<Tags, u32>>,
    check_ids: HashMap<Tags, u32>,
    data_ids: HashMap<Tags, u32>,
    check_folded: Vec<bool>,
    own_ids: HashMap<(String, Tags), u32>,
    own: Vec<OwnMeta>,
    scenarios: u32,
    new_series: Vec<NewSeries>,
    budget: Arc<SeriesBudget>,
    /// Whether requests that are cut off say something about the target (the end of a graceful stop) or not (an order to stop).
    stopping: bool,
    samples: Vec<Sample>,
    /// How many of the first exchanges the workers of this task are still to sample.
    first: Option<Arc<AtomicU32>>,
    to_flusher: Sender<Closed>,
    recycled: Receiver<Window>,
}

#[derive(Clone, Copy, Debug)]
struct RequestMeta {
    protocol: &'static Protocol,
    data: u32,
    folded: bool,
}

#[derive(Clone, Copy, Debug)]
struct OwnMeta {
    kind: MetricKind,
    folded: bool,
}

impl WorkerRecorder {
    /// A recorder for a run that starts at `start` on the worker's clock.
    pub fn new(
        worker: usize,
        start: Nanos,
        budget: Arc<SeriesBudget>,
        to_flusher: Sender<Closed>,
        recycled: Receiver<Window>,
    ) -> Self {
        Self {
            worker,
            start,
            second: 0,
            window_end: start + WINDOW,
            window: Window::default(),
            requests: Vec::new(),
            request_ids: HashMap::new(),
            check_ids: HashMap::new(),
            data_ids: HashMap::new(),
            check_folded: Vec::new(),
            own_ids: HashMap::new(),
            own: Vec::new(),
            scenarios: 0,
            new_series: Vec::new(),
            budget,
            stopping: false,
            samples: Vec::new(),
            first: None,
            to_flusher,
            recycled,
        }
    }

    /// Samples exchanges, whatever comes of them, until `left` is used up; workers share it.
    pub fn sample_first(&mut self, left: Arc<AtomicU32>) {
        self.first = Some(left);
    }

    /// The series of a scenario; called once for each.
    pub fn scenario_series(&mut self, tags: &Tags) -> ScenarioSeries {
        let number = self.scenarios;
        self.scenarios += 1;
        self.window
            .scenarios
            .resize_with(self.scenarios as usize, ScenarioCell::default);
        self.new_series.push(NewSeries {
            id: SeriesId::Scenario(number),
            tags: tags.clone(),
            protocol: None,
            own: None,
        });
        ScenarioSeries(number)
    }

    /// An iteration began at `at`; `intended` where a schedule gave it a time.
    #[inline]
    pub fn iteration_started(
        &mut self,
        series: ScenarioSeries,
        at: Nanos,
        intended: Option<Nanos>,
    ) {
        self.advance(at);
        let cell = &mut self.window.scenarios[series.0 as usize];
        cell.started += 1;
        if let Some(intended) = intended {
            cell.lag.record(micros(at.saturating_sub(intended)));
        }
    }

    /// An iteration that began at `began` ended at `at`, complete.
    #[inline]
    pub fn iteration_completed(&mut self, series: ScenarioSeries, began: Nanos, at: Nanos) {
        self.advance(at);
        let cell = &mut self.window.scenarios[series.0 as usize];
        cell.iterations += 1;
        cell.duration.record(micros(at.saturating_sub(began)));
    }

    /// An iteration ended early, since an extraction found nothing for its later steps.
    pub fn iteration_failed(&mut self, series: ScenarioSeries, at: Nanos) {
        self.advance(at);
        self.window.scenarios[series.0 as usize].failed += 1;
    }

    /// An iteration was cut off.
    pub fn iteration_interrupted(&mut self, series: ScenarioSeries, at: Nanos) {
        self.advance(at);
        self.window.scenarios[series.0 as usize].interrupted += 1;
    }

    /// Starts that the schedule wanted and nobody could make.
    pub fn dropped(&mut self, series: ScenarioSeries, starts: u64, at: Nanos) {
        self.advance(at);
        self.window.scenarios[series.0 as usize].dropped += starts;
    }

    /// From now on requests that are cut off are counted, not judged.
    pub fn stop_judging_interruptions(&mut self) {
        self.stopping = true;
    }

    /// The number of VUs as of now and the most that ran at once since the last call, for the gauges.
    pub fn set_vus(&mut self, running: u64, most: u64, allocated: u64) {
        let window = &mut self.window;
        (window.vus, window.vus_max) = (running, allocated);
        window.vus_most = window.vus_most.max(most);
    }

    /// Closes the windows that are over at `now`.
    #[inline]
    pub fn advance(&mut self, now: Nanos) {
        if now >= self.window_end {
            self.rotate(now);
        }
    }

    /// Passes on what is there, for good.
    pub fn finish(mut self, now: Nanos) {
        self.advance(now);
        self.close(Some(now.saturating_sub(self.start)));
    }

    #[cold]
    fn rotate(&mut self, now: Nanos) {
        self.close(None);
        self.second = (now - self.start) / WINDOW;
        self.window_end = self.start + (self.second + 1) * WINDOW;
    }

    fn close(&mut self, ended: Option<Nanos>) {
        let (vus, vus_max) = (self.window.vus, self.window.vus_max);
        let mut next = self.recycled.try_recv().unwrap_or_default();
        let made = next.requests.len();
        let more = self.requests[made..].iter();
        next.requests
            .extend(more.map(|meta| RequestCell::new(meta.protocol)));
        next.checks
            .resize(self.check_folded.len(), CheckCell::default());
        next.data.resize(self.data_ids.len(), DataCell::default());
        next.own.resize_with(self.own.len(), Cell::default);
        next.scenarios
            .resize_with(self.scenarios as usize, ScenarioCell::default);
        (next.vus, next.vus_most, next.vus_max) = (vus, vus, vus_max);
        let closed = Closed {
            worker: self.worker,
            second: self.second,
            window: std::mem::replace(&mut self.window, next),
            new_series: std::mem::take(&mut self.new_series),
            ended,
            samples: std::mem::take(&mut self.samples),
        };
        // The flusher outlives its workers; if it is gone, the task has failed already and says so.
        drop(self.to_flusher.send(closed));
    }

    fn data_series(&mut self, tags: &Tags) -> u32 {
        let tags: Tags = ["scenario", "group"]
            .into_iter()
            .filter_map(|name| Some((name, tags.get(name)?)))
            .collect();
        if let Some(&number) = self.data_ids.get(&tags) {
            return number;
        }
        let number = self.data_ids.len() as u32;
        self.window.data.push(DataCell::default());
        self.new_series.push(NewSeries {
            id: SeriesId::Data(number),
            tags: tags.clone(),
            protocol: None,
            own: None,
        });
        self.data_ids.insert(tags, number);
        number
    }
}

impl Record for WorkerRecorder {
    #[cold]
    fn request_series(&mut self, protocol: &'static Protocol, tags: &Tags) -> RequestSeries {
        let ids = self.request_ids.entry(protocol.name).or_default();
        if let Some(&number) = ids.get(tags) {
            return RequestSeries(number);
        }
        let (admitted, folded) = self.budget.admit(tags);
        if folded && let Some(&number) = ids.get(&admitted) {
            // The unadmitted set is not remembered: their number has no bound.
            return RequestSeries(number);
        }
        let number = self.requests.len() as u32;
        ids.insert(admitted.clone(), number);
        let data = self.data_series(tags);
        self.requests.push(RequestMeta {
            protocol,
            data,
            folded,
        });
        self.window.requests.push(RequestCell::new(protocol));
        self.new_series.push(NewSeries {
            id: SeriesId::Requests(number),
            tags: admitted,
            protocol: Some(protocol),
            own: None,
        });
        RequestSeries(number)
    }

    #[cold]
    fn check_series(&mut self, tags: &Tags) -> CheckSeries {
        if let Some(&number) = self.check_ids.get(tags) {
            return CheckSeries(number);
        }
        let (admitted, folded) = self.budget.admit(tags);
        if folded && let Some(&number) = self.check_ids.get(&admitted) {
            return CheckSeries(number);
        }
        let number = self.check_folded.len() as u32;
        self.check_folded.push(folded);
        self.window.checks.push(CheckCell::default());
        self.new_series.push(NewSeries {
            id: SeriesId::Check(number),
            tags: admitted.clone(),
            protocol: None,
            own: None,
        });
        self.check_ids.insert(admitted, number);
        CheckSeries(number)
    }

    #[cold]
    fn own_series(&mut self, metric: &str, kind: MetricKind, tags: &Tags) -> OwnSeries {
        let (admitted, folded) = self.budget.admit(tags);
        let key = (metric.to_owned(), admitted);
        if let Some(&number) = self.own_ids.get(&key) {
            return OwnSeries(number);
        }
        let number = self.own.len() as u32;
        self.own.push(OwnMeta { kind, folded });
        self.window.own.push(Cell::default());
        self.new_series.push(NewSeries {
            id: SeriesId::Own(number),
            tags: key.1.clone(),
            protocol: None,
            own: Some((metric.to_owned(), kind)),
        });
        self.own_ids.insert(key, number);
        OwnSeries(number)
    }

    fn own(&mut self, series: OwnSeries, value: f64, at: Nanos) -> bool {
        self.advance(at);
        let meta = self.own[series.0 as usize];
        let sampled = self.window.own[series.0 as usize].sample(meta.kind, value);
        self.window.folded += u64::from(sampled && meta.folded);
        sampled
    }

    #[inline]
    fn request<E: Exchange>(
        &mut self,
        series: RequestSeries,
        exchange: &E,
        intended: Nanos,
        expected: bool,
    ) {
        self.advance(exchange.end());
        let meta = self.requests[series.0 as usize];
        let window = &mut self.window;
        let data = &mut window.data[meta.data as usize];
        data.count += 1;
        data.sent += exchange.sent();
        data.received += exchange.received();
        window.folded += u64::from(meta.folded);
        let cell = &mut window.requests[series.0 as usize];
        if cell.requests == 0 && cell.cut_off == 0 {
            window.touched.push(series.0);
        }
        if self.stopping && exchange.error() == Some(ErrorCode::Interrupted) {
            cell.cut_off += 1;
        } else {
            cell.record(exchange, intended, expected);
        }
    }

    #[inline]
    fn wants_all(&self) -> bool {
        self.first.is_some()
    }

    #[cold]
    fn sample(&mut self, mut sample: Sample, at: Nanos) {
        if let Sample::First(_) = sample {
            let one_less = |left: u32| left.checked_sub(1);
            let left = self
                .first
                .as_ref()
                .map(|first| first.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less));
            match left {
                Some(Ok(left)) if left > 0 => {}
                _ => {
                    self.first = None;
                    return;
                }
            }
        }
        let after_ms = at.saturating_sub(self.start) / 1_000_000;
        sample.inner().at_ms = i64::try_from(after_ms).unwrap_or(i64::MAX / 2);
        self.samples.push(sample);
    }

    #[inline]
    fn check(&mut self, series: CheckSeries, held: bool, at: Nanos) {
        self.advance(at);
        let window = &mut self.window;
        window.folded += u64::from(self.check_folded[series.0 as usize]);
        let cell = &mut window.checks[series.0 as usize];
        cell.count += 1;
        cell.held += u64::from(held);
    }
}
