//! One second of one worker's measurements.

use crate::clock::Nanos;
use crate::exchange::{Exchange, Protocol, Trends};
use floodgate_core::histogram::Histogram;
use floodgate_engines::Cell;

/// All metrics of the requests of one tag set.
#[derive(Clone, Debug)]
pub struct RequestCell {
    /// Requests.
    pub requests: u64,
    /// Those without an expected response.
    pub failed: u64,
    /// Those that are counted only: cut off by an order to stop, which says nothing about the target.
    pub cut_off: u64,
    /// Their times.
    pub trends: Trends,
}

impl RequestCell {
    /// Of a protocol's requests; none yet.
    pub fn new(protocol: &'static Protocol) -> Self {
        Self {
            requests: 0,
            failed: 0,
            cut_off: 0,
            trends: Trends::new(protocol),
        }
    }

    /// Counts one exchange.
    #[inline]
    pub(super) fn record<E: Exchange>(&mut self, exchange: &E, intended: Nanos, expected: bool) {
        self.requests += 1;
        self.failed += u64::from(!expected);
        exchange.record(intended, &mut self.trends);
    }

    /// Adds another settled cell.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.cut_off += other.cut_off;
        self.trends.add(&other.trends);
    }

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        (self.requests, self.failed, self.cut_off) = (0, 0, 0);
        self.trends.clear();
    }
}

/// Outcomes of one check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckCell {
    /// How often it was looked at.
    pub count: u64,
    /// How often it held.
    pub held: u64,
}

/// Bytes of one scenario and group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataCell {
    /// Exchanges.
    pub count: u64,
    /// Bytes written.
    pub sent: u64,
    /// Bytes read.
    pub received: u64,
}

/// Iterations of one scenario.
#[derive(Clone, Debug, Default)]
pub struct ScenarioCell {
    /// Iterations begun.
    pub started: u64,
    /// Iterations complete.
    pub iterations: u64,
    /// Iterations cut off.
    pub interrupted: u64,
    /// Iterations that ended early for want of a value.
    pub failed: u64,
    /// Starts dropped.
    pub dropped: u64,
    /// Durations of complete iterations.
    pub duration: Histogram,
    /// Actual minus intended starts.
    pub lag: Histogram,
}

impl ScenarioCell {
    fn is_empty(&self) -> bool {
        self.started + self.iterations + self.interrupted + self.failed + self.dropped == 0
    }

    /// Adds another cell.
    pub fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.iterations += other.iterations;
        self.interrupted += other.interrupted;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.duration.add(&other.duration);
        self.lag.add(&other.lag);
    }

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        (
            self.started,
            self.iterations,
            self.interrupted,
            self.failed,
            self.dropped,
        ) = (0, 0, 0, 0, 0);
        self.duration.clear();
        self.lag.clear();
    }
}

/// One second of one worker.
#[derive(Debug, Default)]
pub struct Window {
    /// By [`super::RequestSeries`].
    pub(super) requests: Vec<RequestCell>,
    /// Which of them have samples.
    pub(super) touched: Vec<u32>,
    /// By [`super::CheckSeries`].
    pub(super) checks: Vec<CheckCell>,
    /// By number of the data series.
    pub(super) data: Vec<DataCell>,
    /// By [`super::ScenarioSeries`].
    pub(super) scenarios: Vec<ScenarioCell>,
    /// By [`super::OwnSeries`].
    pub(super) own: Vec<Cell>,
    /// VUs in an iteration loop at the end of the second.
    pub vus: u64,
    /// The most VUs in an iteration at any time in the second.
    pub vus_most: u64,
    /// VUs allocated at the end of the second.
    pub vus_max: u64,
    /// Samples of series that were folded into `name=__other__`.
    pub folded: u64,
}

impl Window {
    /// The cells of requests with samples, settled, and their series' numbers.
    pub fn requests(&mut self) -> impl Iterator<Item = (u32, &RequestCell)> {
        for &series in &self.touched {
            self.requests[series as usize].trends.settle();
        }
        self.touched
            .iter()
            .map(|&series| (series, &self.requests[series as usize]))
    }

    /// The checks that were looked at.
    pub fn checks(&self) -> impl Iterator<Item = (u32, &CheckCell)> {
        numbered(&self.checks).filter(|(_, cell)| cell.count > 0)
    }

    /// The data series with samples.
    pub fn data(&self) -> impl Iterator<Item = (u32, &DataCell)> {
        numbered(&self.data).filter(|(_, cell)| cell.count > 0)
    }

    /// The scenarios with anything to say.
    pub fn scenarios(&self) -> impl Iterator<Item = (u32, &ScenarioCell)> {
        numbered(&self.scenarios).filter(|(_, cell)| !cell.is_empty())
    }

    /// The metrics of the test's own with samples.
    pub fn own(&self) -> impl Iterator<Item = (u32, &Cell)> {
        numbered(&self.own).filter(|(_, cell)| !cell.is_empty())
    }

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        for series in self.touched.drain(..) {
            self.requests[series as usize].clear();
        }
        self.checks.fill(CheckCell::default());
        self.data.fill(DataCell::default());
        self.scenarios.iter_mut().for_each(ScenarioCell::clear);
        self.own.iter_mut().for_each(Cell::clear);
        self.folded = 0;
    }
}

fn numbered<T>(cells: &[T]) -> impl Iterator<Item = (u32, &T)> {
    cells
        .iter()
        .enumerate()
        .map(|(number, cell)| (number as u32, cell))
}
