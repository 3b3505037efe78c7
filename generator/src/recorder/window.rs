//! One second of one worker's measurements.

use crate::clock::Nanos;
use crate::http::exchange::Timings;
use floodgate_core::histogram::Histogram;
use floodgate_records::metric::Builtin;

/// The trends of a bundle of HTTP series, in the order of [`HttpCell::trends`].
pub const HTTP_TRENDS: [Builtin; 9] = [
    Builtin::HttpReqResponseTime,
    Builtin::HttpReqDuration,
    Builtin::HttpReqSending,
    Builtin::HttpReqWaiting,
    Builtin::HttpReqReceiving,
    Builtin::HttpReqBlocked,
    Builtin::HttpReqLookingUp,
    Builtin::HttpReqConnecting,
    Builtin::HttpReqTlsHandshaking,
];
/// The first of the trends that are zero whenever a connection is used again.
const SET_UP: usize = 5;
const RECEIVING: usize = 4;

/// All HTTP metrics of one tag set.
#[derive(Clone, Debug, Default)]
pub struct HttpCell {
    /// Requests.
    pub requests: u64,
    /// Those without an expected response.
    pub failed: u64,
    /// Those that are counted only: cut off by an order to stop, which says nothing about the target.
    pub cut_off: u64,
    /// See [`HTTP_TRENDS`].
    pub trends: [Histogram; HTTP_TRENDS.len()],
    /// Requests on a connection that was there already: a zero in each of the set-up trends, added by [`Self::settle`].
    reused: u64,
    /// Responses that came in one read: a zero in `http_req_receiving`.
    at_once: u64,
}

/// Nanoseconds as µs, to the nearest.
#[inline]
pub(super) const fn micros(nanos: Nanos) -> u64 {
    (nanos + 500) / 1_000
}

impl HttpCell {
    /// Counts one exchange.
    #[inline]
    pub(super) fn record(&mut self, timings: &Timings, intended: Nanos, expected: bool) {
        self.requests += 1;
        self.failed += u64::from(!expected);
        self.trends[0].record(micros(timings.end.saturating_sub(intended)));
        self.trends[1].record(micros(timings.duration()));
        self.trends[2].record(micros(timings.sending));
        self.trends[3].record(micros(timings.waiting));
        if timings.receiving == 0 {
            self.at_once += 1;
        } else {
            self.trends[RECEIVING].record(micros(timings.receiving));
        }
        if timings.blocked == 0 {
            self.reused += 1;
        } else {
            let set_up = [
                timings.blocked,
                timings.looking_up,
                timings.connecting,
                timings.tls,
            ];
            for (trend, nanos) in self.trends[SET_UP..].iter_mut().zip(set_up) {
                trend.record(micros(nanos));
            }
        }
    }

    /// Puts the zeros that were only counted where they belong.
    pub fn settle(&mut self) {
        let at_once = std::mem::take(&mut self.at_once);
        self.trends[RECEIVING].record_n(0, at_once);
        let reused = std::mem::take(&mut self.reused);
        for trend in &mut self.trends[SET_UP..] {
            trend.record_n(0, reused);
        }
    }

    /// Adds another settled cell.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        self.cut_off += other.cut_off;
        for (mine, theirs) in self.trends.iter_mut().zip(&other.trends) {
            mine.add(theirs);
        }
    }

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        (
            self.requests,
            self.failed,
            self.cut_off,
            self.reused,
            self.at_once,
        ) = (0, 0, 0, 0, 0);
        for trend in &mut self.trends {
            trend.clear();
        }
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
    /// By [`super::HttpSeries`].
    pub(super) http: Vec<HttpCell>,
    /// Which of them have samples.
    pub(super) touched: Vec<u32>,
    /// By [`super::CheckSeries`].
    pub(super) checks: Vec<CheckCell>,
    /// By number of the data series.
    pub(super) data: Vec<DataCell>,
    /// By [`super::ScenarioSeries`].
    pub(super) scenarios: Vec<ScenarioCell>,
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
    /// The HTTP cells with samples, settled, and their series' numbers.
    pub fn http(&mut self) -> impl Iterator<Item = (u32, &HttpCell)> {
        for &series in &self.touched {
            self.http[series as usize].settle();
        }
        self.touched
            .iter()
            .map(|&series| (series, &self.http[series as usize]))
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

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        for series in self.touched.drain(..) {
            self.http[series as usize].clear();
        }
        self.checks.fill(CheckCell::default());
        self.data.fill(DataCell::default());
        self.scenarios.iter_mut().for_each(ScenarioCell::clear);
        self.folded = 0;
    }
}

fn numbered<T>(cells: &[T]) -> impl Iterator<Item = (u32, &T)> {
    cells
        .iter()
        .enumerate()
        .map(|(number, cell)| (number as u32, cell))
}
