//! Shards become rows: tasks are added up, series past the limit are folded, and windows are put together to longer ones if that is
//! wanted.

mod limit;

use crate::row::Row;
use crate::target::{Target, TargetError};
use floodgate_core::histogram::HistogramError;
use floodgate_core::merge::{Aggregate, Along, GaugeRule};
use floodgate_core::shard::{self, PHASE_WINDOW_S};
use floodgate_core::units::parse_duration;
use floodgate_records::metric::{Builtin, Contains, SeriesKey};
pub use limit::DEFAULT_MAX_SERIES;
use limit::Limit;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Start in Unix ms, and length in seconds.
type Window = (i64, u32);
type Series = BTreeMap<Arc<SeriesKey>, Aggregate>;

/// What is wanted of the rows.
#[derive(Clone, Debug)]
pub struct Options {
    /// Length of the windows in seconds: those that are shorter are put together. 1, or a multiple of 10, so that no window lies
    /// in two.
    pub interval_s: u32,
    /// Where windows longer than a second begin: the start of the run, Unix ms.
    pub origin_ms: i64,
    /// The most tag sets of a metric; past it, series are folded as a run's own are.
    pub max_series: usize,
    /// Metrics of the run's own whose values are times.
    pub durations: BTreeSet<String>,
}

impl Options {
    /// What a target wants: its options `interval` and `max_series`.
    ///
    /// # Errors
    /// [`TargetError`] for an option that is not valid.
    pub fn of(target: &Target) -> Result<Self, TargetError> {
        let mut options = Self::default();
        if let Some(text) = target.option("interval") {
            let seconds = parse_duration(text).ok().and_then(whole_seconds);
            options.interval_s = seconds.ok_or_else(|| {
                target.bad_option("interval", "1s, or a multiple of 10s up to 24h")
            })?;
        }
        if let Some(text) = target.option("max_series") {
            let number = text
                .parse()
                .ok()
                .filter(|most| (1..=MOST_SERIES).contains(most));
            options.max_series = number
                .ok_or_else(|| target.bad_option("max_series", "a number from 1 to 1000000"))?;
        }
        Ok(options)
    }
}

/// More than any store takes gladly.
const MOST_SERIES: usize = 1_000_000;

/// An interval that windows fit into.
fn whole_seconds(interval: Duration) -> Option<u32> {
    let seconds = u32::try_from(interval.as_secs()).ok()?;
    let fits = seconds == 1 || (seconds > 0 && seconds.is_multiple_of(PHASE_WINDOW_S));
    (fits && interval.subsec_nanos() == 0 && seconds <= 86_400).then_some(seconds)
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval_s: 1,
            origin_ms: 0,
            max_series: DEFAULT_MAX_SERIES,
            durations: BTreeSet::new(),
        }
    }
}

/// Windows that are being added up.
///
/// ```
/// use floodgate_core::shard;
/// use floodgate_export::Windows;
/// use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
/// use std::sync::Arc;
///
/// let key = SeriesKey { metric: "http_reqs".into(), kind: MetricKind::Counter, tags: Tags::new() };
/// let row = shard::Row {
///     time_ms: 5_000, window_s: 1, key: Arc::new(key), count: 3, sum: 3.0, min: 1.0, max: 1.0, histogram: None,
/// };
/// let mut windows = Windows::new(Default::default());
/// windows.add(&row); // of one task
/// windows.add(&row); // of another one
/// let rows = windows.close(6_000)?;
/// assert_eq!((rows.len(), rows[0].sum), (1, 6.0));
/// # Ok::<(), floodgate_core::histogram::HistogramError>(())
/// ```
#[derive(Debug)]
pub struct Windows {
    options: Options,
    limit: Limit,
    /// As tasks have written them, not decoded yet: a histogram is larger than its bytes.
    open: BTreeMap<Window, Vec<shard::Row>>,
    /// Longer windows that are not complete yet.
    longer: BTreeMap<Window, Series>,
}

impl Windows {
    /// None yet.
    pub fn new(options: Options) -> Self {
        Self {
            limit: Limit::new(options.max_series),
            options,
            open: BTreeMap::new(),
            longer: BTreeMap::new(),
        }
    }

    /// Adds a row of a task's shard, or of the merged file.
    pub fn add(&mut self, row: &shard::Row) {
        if row.count > 0 {
            let window = (row.time_ms, row.window_s);
            self.open.entry(window).or_default().push(row.clone());
        }
    }

    /// The windows that begin before a time, by start, length and series: no more of them is expected.
    ///
    /// # Errors
    /// [`HistogramError`] for rows that did not come from [`shard::decode`].
    pub fn close(&mut self, until_ms: i64) -> Result<Vec<Row>, HistogramError> {
        let later = self.open.split_off(&(until_ms, 0));
        let closed = std::mem::replace(&mut self.open, later);
        let mut rows = Vec::new();
        for (window, parts) in closed {
            let series = self.added_up(&parts)?;
            match self.options.interval_s {
                0 | 1 => self.rows_of(window, series, &mut rows),
                interval => self.put_into(interval, window, series),
            }
        }
        if !self.longer.is_empty() {
            let before = self.start_of_longer(until_ms);
            let later = self.longer.split_off(&(before, 0));
            for (window, series) in std::mem::replace(&mut self.longer, later) {
                self.rows_of(window, series, &mut rows);
            }
        }
        Ok(rows)
    }

    /// Everything that is left.
    ///
    /// # Errors
    /// As for [`Self::close`].
    pub fn finish(&mut self) -> Result<Vec<Row>, HistogramError> {
        self.close(i64::MAX)
    }

    /// When the first window begins that has not been closed, Unix ms.
    pub fn first_open(&self) -> Option<i64> {
        self.open.first_key_value().map(|(window, _)| window.0)
    }

    /// Forgets what has been added to windows that have not been closed.
    pub fn forget_open(&mut self) {
        self.open.clear();
    }

    /// Samples that were folded into `name=__other__` here.
    pub fn folded(&self) -> u64 {
        self.limit.folded()
    }

    /// One window of all tasks and series.
    fn added_up(&mut self, parts: &[shard::Row]) -> Result<Series, HistogramError> {
        let mut series = Series::new();
        for row in parts {
            let key = self.limit.key(&row.key, row.count);
            let along = Along::Side(GaugeRule::of(&row.key.metric));
            series
                .entry(key)
                .or_insert_with_key(|key| Aggregate::new(key.kind))
                .add_row(row, along)?;
        }
        Ok(series)
    }

    fn put_into(&mut self, interval_s: u32, (time_ms, window_s): Window, series: Series) {
        let start = self.start_of_longer(time_ms);
        let longer = self.longer.entry((start, interval_s.max(window_s)));
        let longer = longer.or_default();
        for (key, aggregate) in series {
            longer
                .entry(key)
                .or_insert_with_key(|key| Aggregate::new(key.kind))
                .merge(&aggregate, Along::Time);
        }
    }

    fn start_of_longer(&self, time_ms: i64) -> i64 {
        let (origin, length) = (
            self.options.origin_ms,
            i64::from(self.options.interval_s) * 1_000,
        );
        let since = time_ms.saturating_sub(origin);
        time_ms.saturating_sub(since.rem_euclid(length))
    }

    fn rows_of(&self, (time_ms, window_s): Window, series: Series, rows: &mut Vec<Row>) {
        rows.extend(series.into_iter().map(|(key, all)| Row {
            time_ms,
            window_s,
            contains: self.contains(&key.metric),
            key,
            count: all.count,
            sum: all.sum,
            min: all.min,
            max: all.max,
            histogram: all.histogram,
        }));
    }

    fn contains(&self, metric: &str) -> Contains {
        match Builtin::parse(metric) {
            Some(metric) => metric.contains(),
            None if self.options.durations.contains(metric) => Contains::Time,
            None => Contains::Default,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_core::histogram::Histogram;
    use floodgate_records::metric::{MetricKind, Tags};
    use proptest::prelude::*;

    fn key(metric: &str, kind: MetricKind, name: &str) -> Arc<SeriesKey> {
        Arc::new(SeriesKey {
            metric: metric.into(),
            kind,
            tags: Tags::new().with("name", name).with("scenario", "s"),
        })
    }

    fn trend(time_ms: i64, window_s: u32, name: &str, values: &[u64]) -> shard::Row {
        let mut histogram = Histogram::new();
        values.iter().for_each(|&value| histogram.record(value));
        let mut bytes = Vec::new();
        histogram.encode_v2(&mut bytes);
        let exact = histogram.exact();
        shard::Row {
            time_ms,
            window_s,
            key: key("http_req_duration", MetricKind::Trend, name),
            count: exact.count,
            sum: exact.sum as f64,
            min: exact.min as f64,
            max: exact.max as f64,
            histogram: Some(bytes.into()),
        }
    }

    fn gauge(time_ms: i64, value: f64) -> shard::Row {
        shard::Row {
            time_ms,
            window_s: 1,
            key: key("vus", MetricKind::Gauge, ""),
            count: 1,
            sum: value,
            min: value,
            max: value,
            histogram: None,
        }
    }

    fn all(windows: &mut Windows, rows: &[shard::Row]) -> Vec<Row> {
        rows.iter().for_each(|row| windows.add(row));
        windows.finish().unwrap()
    }

    #[test]
    fn tasks_are_added_up_and_windows_come_by_start() {
        let mut windows = Windows::new(Options::default());
        for row in [
            trend(10_000, 10, "b", &[5]),
            trend(0, 10, "a", &[1_000, 3_000]),
            trend(0, 10, "a", &[2_000]),
            gauge(1_000, 3.0),
            gauge(1_000, 4.0),
        ] {
            windows.add(&row);
        }
        assert_eq!(windows.first_open(), Some(0));
        let rows = windows.close(10_000).unwrap();
        let seen: Vec<_> = rows.iter().map(|r| (r.time_ms, r.count, r.sum)).collect();
        assert_eq!(seen, [(0, 3, 6_000.0), (1_000, 2, 7.0)]);
        assert_eq!((rows[0].mean(), rows[0].quantile(1.0)), (2.0, 3.0));
        assert_eq!(rows[0].contains, Contains::Time);
        assert_eq!(windows.first_open(), Some(10_000));
        assert_eq!(windows.finish().unwrap().len(), 1);
    }

    #[test]
    fn longer_windows_begin_at_the_start_of_the_run() {
        let options = Options {
            interval_s: 10,
            origin_ms: 500,
            ..Options::default()
        };
        let mut windows = Windows::new(options);
        windows.add(&gauge(500, 1.0));
        windows.add(&gauge(9_500, 5.0));
        windows.add(&gauge(10_500, 2.0));
        let rows = windows.close(10_500).unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((row.time_ms, row.window_s, row.sum), (500, 10, 5.0));
        assert_eq!((row.min, row.max, row.count), (1.0, 5.0, 2));
        assert_eq!(windows.finish().unwrap()[0].time_ms, 10_500);
    }

    #[test]
    fn series_past_the_limit_are_folded_and_counted() {
        let options = Options {
            max_series: 2,
            ..Options::default()
        };
        let mut windows = Windows::new(options);
        let rows: Vec<_> = ["a", "b", "c", "d", "a"]
            .into_iter()
            .map(|name| trend(0, 10, name, &[7]))
            .collect();
        let rows = all(&mut windows, &rows);
        let seen: Vec<_> = rows
            .iter()
            .map(|r| (r.key.tags.get("name").unwrap(), r.count))
            .collect();
        assert_eq!(seen, [("__other__", 2), ("a", 2), ("b", 1)]);
        assert_eq!(windows.folded(), 2);
    }

    proptest! {
        /// Whatever the interval and wherever it is cut, nothing is lost and nothing counts twice.
        #[test]
        fn nothing_is_lost(
            rows in proptest::collection::vec((0i64..60, "[a-d]", proptest::collection::vec(1u64..5_000_000, 1..5)), 1..60),
            cuts in proptest::collection::vec(0i64..60, 0..4),
            interval in prop_oneof![Just(1u32), Just(10), Just(30)],
        ) {
            let options = Options { interval_s: interval, max_series: 3, ..Options::default() };
            let mut windows = Windows::new(options);
            let shards: Vec<_> = rows.iter().map(|(s, name, values)| trend(s * 1_000, 1, name, values)).collect();
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut found = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([60]) {
                for row in shards.iter().filter(|row| (from..cut * 1_000).contains(&row.time_ms)) {
                    windows.add(row);
                }
                from = cut * 1_000;
                found.extend(windows.close(from).unwrap());
            }
            found.extend(windows.finish().unwrap());
            prop_assert_eq!(found.iter().map(|r| r.count).sum::<u64>(), shards.iter().map(|r| r.count).sum::<u64>());
            prop_assert_eq!(found.iter().map(|r| r.sum).sum::<f64>(), shards.iter().map(|r| r.sum).sum::<f64>());
            prop_assert!(found.is_sorted_by_key(|r| r.time_ms));
            let mut seen: Vec<_> = found.iter().map(|r| (r.time_ms, r.window_s, r.key.clone())).collect();
            seen.sort();
            let before = seen.len();
            seen.dedup();
            prop_assert_eq!(seen.len(), before, "a series has a window twice");
        }
    }
}
