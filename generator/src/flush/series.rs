//! What the workers' windows add up to: per second, per window of the phases, and since the start.

mod live;

use super::rows::{counter, gauge, rate, trend};
use crate::exchange::{ErrorCode, Protocol, Trend};
use crate::recorder::{
    CheckCell, DataCell, NewSeries, RequestCell, ScenarioCell, SeriesId, Window,
};
use floodgate_core::histogram::Histogram;
use floodgate_core::shard::Row;
use floodgate_engines::Cell;
use floodgate_records::manifest::Totals;
use floodgate_records::metric::{Builtin, MetricKind, SeriesKey, Tags};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

/// How many of a protocol's trends are kept by the second: the first. Service time and its phases follow it.
const BY_SECOND: usize = 1;

fn key(metric: Builtin, tags: &Tags) -> Arc<SeriesKey> {
    named(metric.name(), metric.kind(), tags)
}

fn named(metric: &str, kind: MetricKind, tags: &Tags) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.to_owned(),
        kind,
        tags: tags.clone(),
    })
}

/// All series of a task, by tags; workers' numbers are looked up in `numbers`.
pub(super) struct SeriesTable {
    numbers: Vec<HashMap<SeriesId, usize>>,
    requests: Group<(&'static str, Tags), Requests>,
    checks: Group<Tags, Check>,
    data: Group<Tags, Data>,
    scenarios: Group<Tags, Scenario>,
    own: Group<(String, Tags), Own>,
    vus: Gauge,
    vus_max: Gauge,
    cpu: Gauge,
}

/// Series of one kind, by what tells them apart.
struct Group<K, S> {
    numbers: HashMap<K, usize>,
    series: Vec<S>,
}

impl<K: Eq + Hash, S> Group<K, S> {
    fn number(&mut self, key: K, make: impl FnOnce(&K) -> S) -> usize {
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        self.series.push(make(&key));
        self.numbers.insert(key, self.series.len() - 1);
        self.series.len() - 1
    }
}

impl<K, S> Default for Group<K, S> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            series: Vec::new(),
        }
    }
}

/// Requests of one protocol and tag set.
struct Requests {
    requests: Arc<SeriesKey>,
    failed: Arc<SeriesKey>,
    trends: Box<[Arc<SeriesKey>]>,
    exhausted: bool,
    second: RequestCell,
    phases: Box<[Histogram]>,
    all: RequestCell,
}

impl Requests {
    fn new(protocol: &'static Protocol, tags: &Tags) -> Self {
        let trend = |trend: &Trend| named(trend.metric, MetricKind::Trend, tags);
        let phases = protocol.trends.iter().skip(BY_SECOND);
        Self {
            requests: named(protocol.requests, MetricKind::Counter, tags),
            failed: named(protocol.failed, MetricKind::Rate, tags),
            trends: protocol.trends.iter().map(trend).collect(),
            exhausted: tags.get("error_code") == Some(ErrorCode::GeneratorExhausted.as_str()),
            second: RequestCell::new(protocol),
            phases: phases.map(|_| Histogram::default()).collect(),
            all: RequestCell::new(protocol),
        }
    }
}

struct Check {
    key: Arc<SeriesKey>,
    second: CheckCell,
    all: CheckCell,
}

struct Data {
    sent: Arc<SeriesKey>,
    received: Arc<SeriesKey>,
    second: DataCell,
    all: DataCell,
}

struct Scenario {
    iterations: Arc<SeriesKey>,
    duration: Arc<SeriesKey>,
    failed: Arc<SeriesKey>,
    dropped: Arc<SeriesKey>,
    lag: Arc<SeriesKey>,
    second: ScenarioCell,
    /// Of the phases' window.
    durations: Histogram,
    lags: Histogram,
    all: ScenarioCell,
}

/// A metric of the test's own.
struct Own {
    key: Arc<SeriesKey>,
    second: Cell,
    all: Cell,
}

struct Gauge {
    key: Arc<SeriesKey>,
    /// Of the second that is being added up: at its end.
    now: f64,
    /// The largest within it, where that is known; [`Self::now`] is never above it.
    most: f64,
    /// Of the last full second.
    last: f64,
    min: f64,
    max: f64,
    samples: u64,
}

impl Gauge {
    fn new(metric: Builtin, tags: &Tags) -> Self {
        Self {
            key: key(metric, tags),
            now: 0.0,
            most: 0.0,
            last: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            samples: 0,
        }
    }

    fn end_second(&mut self, time_ms: i64, rows: &mut Vec<Row>) {
        self.samples += 1;
        self.last = self.now;
        let most = self.most.max(self.now);
        (self.min, self.max) = (self.min.min(self.now), self.max.max(most));
        rows.push(gauge(&self.key, time_ms, 1, (1, self.now, self.now, most)));
        self.most = 0.0;
    }

    fn live(&self, time_ms: i64, seconds: u32, rows: &mut Vec<Row>) {
        if self.samples > 0 {
            rows.push(gauge(
                &self.key,
                time_ms,
                seconds,
                (self.samples, self.last, self.min, self.max),
            ));
        }
    }
}

impl SeriesTable {
    pub(super) fn new(workers: usize, task: u32) -> Self {
        let none = Tags::new();
        Self {
            numbers: vec![HashMap::new(); workers],
            requests: Group::default(),
            checks: Group::default(),
            data: Group::default(),
            scenarios: Group::default(),
            own: Group::default(),
            vus: Gauge::new(Builtin::Vus, &none),
            vus_max: Gauge::new(Builtin::VusMax, &none),
            cpu: Gauge::new(Builtin::GeneratorCpu, &none.with("task", task.to_string())),
        }
    }

    /// Takes note of what a worker's number stands for.
    pub(super) fn learn(&mut self, worker: usize, new: NewSeries) {
        let number = match (new.id, new.protocol) {
            (SeriesId::Requests(_), Some(protocol)) => self
                .requests
                .number((protocol.name, new.tags), |(_, tags)| {
                    Requests::new(protocol, tags)
                }),
            // Nothing records requests of no protocol.
            (SeriesId::Requests(_), None) => return,
            (SeriesId::Own(_), _) => {
                let Some((metric, kind)) = new.own else {
                    return;
                };
                self.own.number((metric, new.tags), |(metric, tags)| Own {
                    key: named(metric, kind, tags),
                    second: Cell::default(),
                    all: Cell::default(),
                })
            }
            (SeriesId::Check(_), _) => self.checks.number(new.tags, |tags| Check {
                key: key(Builtin::Checks, tags),
                second: CheckCell::default(),
                all: CheckCell::default(),
            }),
            (SeriesId::Data(_), _) => self.data.number(new.tags, |tags| Data {
                sent: key(Builtin::DataSent, tags),
                received: key(Builtin::DataReceived, tags),
                second: DataCell::default(),
                all: DataCell::default(),
            }),
            (SeriesId::Scenario(_), _) => self.scenarios.number(new.tags, |tags| Scenario {
                iterations: key(Builtin::Iterations, tags),
                duration: key(Builtin::IterationDuration, tags),
                failed: key(Builtin::FailedIterations, tags),
                dropped: key(Builtin::DroppedIterations, tags),
                lag: key(Builtin::GeneratorLag, tags),
                second: ScenarioCell::default(),
                durations: Histogram::default(),
                lags: Histogram::default(),
                all: ScenarioCell::default(),
            }),
        };
        self.numbers[worker].insert(new.id, number);
    }

    /// Adds a worker's window to the second.
    pub(super) fn add(&mut self, worker: usize, window: &mut Window) {
        let numbers = &self.numbers[worker];
        for (id, cell) in window.requests() {
            self.requests.series[numbers[&SeriesId::Requests(id)]]
                .second
                .add(cell);
        }
        for (id, cell) in window.checks() {
            let second = &mut self.checks.series[numbers[&SeriesId::Check(id)]].second;
            second.count += cell.count;
            second.held += cell.held;
        }
        for (id, cell) in window.data() {
            let second = &mut self.data.series[numbers[&SeriesId::Data(id)]].second;
            second.count += cell.count;
            second.sent += cell.sent;
            second.received += cell.received;
        }
        for (id, cell) in window.scenarios() {
            self.scenarios.series[numbers[&SeriesId::Scenario(id)]]
                .second
                .add(cell);
        }
        for (id, cell) in window.own() {
            let own = &mut self.own.series[numbers[&SeriesId::Own(id)]];
            own.second.add(own.key.kind, cell);
        }
        self.vus.now += window.vus as f64;
        self.vus.most += window.vus_most as f64;
        self.vus_max.now += window.vus_max as f64;
    }

    pub(super) fn set_cpu(&mut self, share: f64) {
        self.cpu.now = share;
    }

    /// Writes the rows of a second and begins the next.
    pub(super) fn end_second(&mut self, time_ms: i64, rows: &mut Vec<Row>) {
        for series in &mut self.requests.series {
            let cell = &mut series.second;
            if cell.requests + cell.cut_off == 0 {
                continue;
            }
            request_rows(&series.requests, &series.failed, cell, time_ms, 1, rows);
            for (key, histogram) in series
                .trends
                .iter()
                .zip(cell.trends.histograms())
                .take(BY_SECOND)
            {
                trend(key, time_ms, 1, histogram, rows);
            }
            for (phase, histogram) in series
                .phases
                .iter_mut()
                .zip(&cell.trends.histograms()[BY_SECOND..])
            {
                phase.add(histogram);
            }
            series.all.add(cell);
            cell.clear();
        }
        for series in &mut self.checks.series {
            let cell = std::mem::take(&mut series.second);
            if cell.count > 0 {
                rows.push(rate(&series.key, time_ms, 1, cell.count, cell.held));
                series.all.count += cell.count;
                series.all.held += cell.held;
            }
        }
        for series in &mut self.data.series {
            let cell = std::mem::take(&mut series.second);
            if cell.count > 0 {
                rows.push(counter(&series.sent, time_ms, 1, cell.count, cell.sent));
                rows.push(counter(
                    &series.received,
                    time_ms,
                    1,
                    cell.count,
                    cell.received,
                ));
                series.all.count += cell.count;
                series.all.sent += cell.sent;
                series.all.received += cell.received;
            }
        }
        for series in &mut self.scenarios.series {
            series.counters(&series.second, time_ms, 1, rows);
            series.durations.add(&series.second.duration);
            series.lags.add(&series.second.lag);
            series.all.add(&series.second);
            series.second.clear();
        }
        for own in self.own.series.iter_mut().filter(|o| !o.second.is_empty()) {
            rows.push(own.second.to_row(&own.key, time_ms, 1));
            own.all.add(own.key.kind, &own.second);
            own.second.clear();
        }
        for gauge in [&mut self.vus, &mut self.vus_max, &mut self.cpu] {
            gauge.end_second(time_ms, rows);
        }
        (self.vus.now, self.vus_max.now) = (0.0, 0.0);
    }

    /// Writes the trends that are not kept by the second, of the window with this begin and length, and begins the next.
    pub(super) fn end_phase_window(
        &mut self,
        (time_ms, window_s): (i64, u32),
        rows: &mut Vec<Row>,
    ) {
        let phases = self
            .requests
            .series
            .iter_mut()
            .flat_map(|series| series.trends[BY_SECOND..].iter().zip(&mut series.phases));
        let scenarios = self.scenarios.series.iter_mut().flat_map(|series| {
            [
                (&series.duration, &mut series.durations),
                (&series.lag, &mut series.lags),
            ]
        });
        for (key, histogram) in phases.chain(scenarios) {
            trend(key, time_ms, window_s, histogram, rows);
            histogram.clear();
        }
    }

    pub(super) fn add_totals(&self, totals: &mut Totals) {
        for series in &self.requests.series {
            if series.requests.metric == Builtin::HttpReqs.name() {
                totals.http_reqs += series.all.requests + series.all.cut_off;
            }
            totals.clamped_values += series
                .all
                .trends
                .histograms()
                .iter()
                .map(Histogram::clamped)
                .sum::<u64>();
        }
        for series in &self.scenarios.series {
            totals.iterations += series.all.iterations;
            totals.interrupted_iterations += series.all.interrupted;
            totals.failed_iterations += series.all.failed;
            totals.dropped_iterations += series.all.dropped;
            totals.clamped_values += series.all.duration.clamped() + series.all.lag.clamped();
        }
        totals.clamped_values += self
            .own
            .series
            .iter()
            .map(|own| own.all.clamped())
            .sum::<u64>();
    }

    /// The metrics of requests' times beside those that every run knows.
    pub(super) fn durations(&self) -> Vec<String> {
        let trends = self.requests.series.iter().flat_map(|s| &s.trends);
        let others = trends.filter(|key| Builtin::parse(&key.metric).is_none());
        let names: BTreeSet<_> = others.map(|key| key.metric.clone()).collect();
        names.into_iter().collect()
    }

    /// Requests that failed for want of files or ports here.
    pub(super) fn exhausted(&self) -> u64 {
        self.requests
            .series
            .iter()
            .filter(|s| s.exhausted)
            .map(|s| s.all.requests)
            .sum()
    }
}

fn request_rows(
    requests: &Arc<SeriesKey>,
    failed: &Arc<SeriesKey>,
    cell: &RequestCell,
    time_ms: i64,
    window_s: u32,
    rows: &mut Vec<Row>,
) {
    let all = cell.requests + cell.cut_off;
    if all > 0 {
        rows.push(counter(requests, time_ms, window_s, all, all));
    }
    if cell.requests > 0 {
        rows.push(rate(failed, time_ms, window_s, cell.requests, cell.failed));
    }
}

impl Scenario {
    fn counters(&self, cell: &ScenarioCell, time_ms: i64, window_s: u32, rows: &mut Vec<Row>) {
        for (key, count) in [
            (&self.iterations, cell.iterations),
            (&self.failed, cell.failed),
            (&self.dropped, cell.dropped),
        ] {
            if count > 0 {
                rows.push(counter(key, time_ms, window_s, count, count));
            }
        }
    }
}
