//! Batches as requests of remote write.

use super::names::{family, labels, per_unit};
use super::native;
use super::proto::{Label, Sample, TimeSeries, WriteRequest};
use super::samples::{Style, Value, values};
use crate::exponential::Exponential;
use crate::row::Row;
use crate::running::{Batch, Running, Total};
use floodgate_records::metric::{MetricKind, SeriesKey};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a series may be silent before its totals are told again, in ms: a graph that looks back for less than that has gaps.
const SILENCE_MS: i64 = 10_000;

/// What is known of the run, and how histograms are written.
pub(super) struct Writer {
    /// Labels of all series.
    pub(super) run: Vec<(String, String)>,
    pub(super) style: Style,
}

/// What a request is made of: the parts of each series, by series.
type Parts = BTreeMap<Arc<SeriesKey>, Vec<TimeSeries>>;

impl Writer {
    /// Adds rows to a batch, and writes what they come to.
    pub(super) fn rows(&self, batch: &mut Batch<'_>, rows: &[Row]) -> WriteRequest {
        let mut parts = Parts::new();
        for row in rows {
            let (total, is_new) = batch.add(row);
            if is_new {
                // A counter that begins above zero is one whose beginning was missed.
                self.add(&mut parts, &row.key, &zero(total), total.since_ms);
            }
            self.add(&mut parts, &row.key, total, total.told_ms);
        }
        let last = rows.iter().map(|row| row.time_ms).max();
        if let Some(now_ms) = last.map(|start_ms| start_ms.saturating_add(1_000)) {
            for key in batch.repeat(now_ms, SILENCE_MS) {
                if let Some(total) = batch.total(&key) {
                    self.add(&mut parts, &key, total, now_ms);
                }
            }
        }
        request(parts)
    }

    /// Tells of all series that they end.
    pub(super) fn ends(&self, running: &Running) -> WriteRequest {
        let mut parts = Parts::new();
        let all = || running.totals();
        let Some(at) = all().map(|(_, total)| total.told_ms).max() else {
            return WriteRequest::default();
        };
        for (key, total) in all() {
            self.add(&mut parts, key, total, at.saturating_add(1));
        }
        let mut request = request(parts);
        for series in &mut request.timeseries {
            for sample in &mut series.samples {
                sample.value = native::STALE;
            }
            for histogram in &mut series.histograms {
                *histogram = native::stale(histogram.timestamp);
            }
        }
        request
    }

    /// Adds the samples of a series at a time.
    fn add(&self, parts: &mut Parts, key: &Arc<SeriesKey>, total: &Total, timestamp: i64) {
        // A gauge has no beginning at zero.
        if key.kind == MetricKind::Gauge && total.count == 0 {
            return;
        }
        let values = values(key, total, self.style);
        let native = (key.kind == MetricKind::Trend && self.style == Style::Native)
            .then_some(total.histogram.as_ref())
            .flatten();
        let series = parts
            .entry(key.clone())
            .or_insert_with(|| self.series(key, total, &values));
        for (series, value) in series.iter_mut().zip(&values) {
            series.samples.push(Sample {
                value: value.value,
                timestamp,
            });
        }
        if let (Some(histogram), Some(series)) = (native, series.last_mut()) {
            let per_unit = per_unit(total.contains);
            let buckets = Exponential::of(histogram, per_unit);
            let sum = total.sum / per_unit;
            let one = native::of(&buckets, total.count, sum, timestamp);
            series.histograms.push(one);
        }
    }

    /// The series that a series of ours is made of, without samples.
    fn series(&self, key: &SeriesKey, total: &Total, values: &[Value]) -> Vec<TimeSeries> {
        let labels = labels(key, &self.run);
        let named = |name: &str, le: Option<&str>| {
            let mut labels = labels.clone();
            labels.insert("__name__".into(), name.into());
            labels.extend(le.map(|le| ("le".into(), le.into())));
            let labels = labels.into_iter();
            TimeSeries {
                labels: labels.map(|(name, value)| Label { name, value }).collect(),
                ..TimeSeries::default()
            }
        };
        if values.is_empty() {
            return vec![named(&family(&key.metric, key.kind, total.contains), None)];
        }
        let all = values.iter();
        all.map(|value| named(&value.name, value.le.as_deref()))
            .collect()
    }
}

/// The same series before its first sample.
fn zero(total: &Total) -> Total {
    Total {
        count: 0,
        sum: 0.0,
        histogram: total.histogram.as_ref().map(|_| Default::default()),
        ..total.clone()
    }
}

fn request(parts: Parts) -> WriteRequest {
    WriteRequest {
        timeseries: parts.into_values().flatten().collect(),
    }
}

/// As it is sent: protobuf, compressed.
pub(super) fn body(request: &WriteRequest) -> Result<Vec<u8>, snap::Error> {
    snap::raw::Encoder::new().compress_vec(&request.encode_to_vec())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{key, row, trend};

    fn writer(style: Style) -> Writer {
        Writer {
            run: vec![("test".into(), "checkout".into())],
            style,
        }
    }

    fn label<'a>(series: &'a TimeSeries, name: &str) -> Option<&'a str> {
        let found = series.labels.iter().find(|label| label.name == name);
        found.map(|label| label.value.as_str())
    }

    #[test]
    fn counters_rise_from_zero_and_end() {
        let home = key("http_reqs", MetricKind::Counter, &[("name", "home")]);
        let rows = [row(&home, 5_000, 3, 3.0), row(&home, 6_000, 4, 4.0)];
        let (writer, mut running) = (writer(Style::Classic), Running::default());
        let mut batch = running.batch();
        let request = writer.rows(&mut batch, &rows);
        let changed = batch.changed();
        running.take(changed);
        let [series] = &request.timeseries[..] else {
            panic!("{request:#?}")
        };
        assert_eq!(label(series, "__name__"), Some("floodgate_http_reqs_total"));
        let samples: Vec<_> = series
            .samples
            .iter()
            .map(|s| (s.timestamp, s.value))
            .collect();
        assert_eq!(samples, [(5_000, 0.0), (6_000, 3.0), (7_000, 7.0)]);
        assert!(series.labels.is_sorted());

        let ends = writer.ends(&running);
        assert_eq!(ends.timeseries.len(), 1);
        assert_eq!(ends.timeseries[0].labels, series.labels);
        let [end] = &ends.timeseries[0].samples[..] else {
            panic!("{ends:#?}")
        };
        assert_eq!(
            (end.timestamp, end.value.to_bits()),
            (7_001, native::STALE.to_bits())
        );
    }

    #[test]
    fn totals_go_on_after_rows_that_the_store_had_before() {
        let home = key("http_reqs", MetricKind::Counter, &[]);
        let time = key("http_req_duration", MetricKind::Trend, &[]);
        let rows = [
            row(&home, 5_000, 3, 3.0),
            trend(&time, 5_000, 10, [7]),
            row(&home, 6_000, 4, 4.0),
            trend(&time, 15_000, 10, [9]),
        ];
        let writer = writer(Style::Native);
        let second = |before: &Running| writer.rows(&mut before.batch(), &rows[2..]);
        let mut told = Running::default();
        let mut batch = told.batch();
        writer.rows(&mut batch, &rows[..2]);
        let changed = batch.changed();
        told.take(changed);
        let mut skipped = Running::default();
        skipped.skip(&rows[..2]);
        assert_eq!(second(&skipped), second(&told));
        assert_ne!(second(&skipped), second(&Running::default()));
    }

    #[test]
    fn a_silent_series_is_told_again_at_times_that_rise() {
        let slow = key("http_req_duration", MetricKind::Trend, &[]);
        let quick = key("http_reqs", MetricKind::Counter, &[]);
        let (writer, mut running) = (writer(Style::Classic), Running::default());
        let mut times = Vec::new();
        for second in 0..45 {
            let mut rows = vec![row(&quick, second * 1_000, 1, 1.0)];
            if second == 0 {
                rows.push(trend(&slow, 0, 10, [5_000]));
            }
            let mut batch = running.batch();
            let request = writer.rows(&mut batch, &rows);
            let changed = batch.changed();
            running.take(changed);
            let is_count =
                |s: &&TimeSeries| label(s, "__name__").unwrap().ends_with("_seconds_count");
            let counts = request.timeseries.iter().filter(is_count);
            times.extend(counts.flat_map(|s| s.samples.iter().map(|s| (s.timestamp, s.value))));
        }
        assert_eq!(
            times,
            [
                (0, 0.0),
                (10_000, 1.0),
                (20_000, 1.0),
                (30_000, 1.0),
                (40_000, 1.0)
            ]
        );
    }

    #[test]
    fn a_native_histogram_is_one_series() {
        let slow = key("http_req_duration", MetricKind::Trend, &[("name", "home")]);
        let (writer, running) = (writer(Style::Native), Running::default());
        let mut batch = running.batch();
        let request = writer.rows(&mut batch, &[trend(&slow, 0, 10, [1_000, 2_000, 2_000])]);
        let [series] = &request.timeseries[..] else {
            panic!("{request:#?}")
        };
        assert_eq!(
            label(series, "__name__"),
            Some("floodgate_http_req_duration_seconds")
        );
        assert!(series.samples.is_empty());
        let [zero, whole] = &series.histograms[..] else {
            panic!("{series:#?}")
        };
        assert_eq!((zero.count, zero.timestamp), (0, 0));
        assert_eq!(
            (whole.count, whole.sum, whole.timestamp),
            (3, 0.005, 10_000)
        );
        let body = body(&request).unwrap();
        let plain = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        assert_eq!(WriteRequest::decode(&plain[..]).unwrap(), request);
    }
}
