//! The windows of a metric, out of the merged rows of a run.

use super::series::{Statistic, WINDOW_S, Window};
use crate::baseline::BaselineMetric;
use crate::histogram::{Histogram, HistogramError};
use crate::shard::Row;
use floodgate_records::key::Key;
use floodgate_records::metric::{MetricKind, Tags};

/// What a run measured of the numbers that are compared, in windows of [`WINDOW_S`] seconds.
#[derive(Clone, Debug)]
pub struct Measured {
    of_keys: Vec<(Key, OfKey)>,
}

/// All series of a metric together that have a key's tags.
#[derive(Clone, Debug)]
struct OfKey {
    /// `None` without a row.
    kind: Option<MetricKind>,
    windows: Result<Vec<Window>, HistogramError>,
}

impl Measured {
    /// Takes from the merged rows of a run what some metrics ask for. Windows are counted from the common start (Unix ms); one that the
    /// end of the run, `duration_s` seconds later, cuts short is left out.
    pub fn of(rows: &[Row], start_ms: i64, duration_s: f64, metrics: &[BaselineMetric]) -> Self {
        Self::where_tagged(&Tags::new(), rows, start_ms, duration_s, metrics)
    }

    /// The same of the rows that have some tags.
    pub fn where_tagged(
        tags: &Tags,
        rows: &[Row],
        start_ms: i64,
        duration_s: f64,
        metrics: &[BaselineMetric],
    ) -> Self {
        let mut of_keys: Vec<(Key, OfKey)> = Vec::new();
        for BaselineMetric { key, .. } in metrics {
            if of_keys.iter().all(|(known, _)| known != key) {
                let wanted =
                    |row: &&Row| row.key.metric == key.metric && row.key.tags.matches(tags);
                let of_metric = rows.iter().find(wanted);
                let mut tagged = key.clone();
                let tags = tags
                    .0
                    .iter()
                    .map(|(tag, value)| (tag.clone(), value.clone()));
                tagged.tags.0.extend(tags);
                let of_key = OfKey {
                    kind: of_metric.map(|row| row.key.kind),
                    windows: windows_of(rows, start_ms, duration_s, &tagged),
                };
                of_keys.push((key.clone(), of_key));
            }
        }
        Self { of_keys }
    }

    fn of_key(&self, key: &Key) -> Option<&OfKey> {
        let (_, of_key) = self.of_keys.iter().find(|(known, _)| known == key)?;
        Some(of_key)
    }

    /// The metric's type; `None` without a sample of it.
    pub(super) fn kind(&self, key: &Key) -> Option<MetricKind> {
        self.of_key(key)?.kind
    }

    /// The windows of a key.
    ///
    /// # Errors
    /// A row whose histogram is damaged; a sentence.
    pub(super) fn windows(&self, key: &Key) -> Result<&[Window], String> {
        let of_key = self.of_key(key).ok_or("it was not asked for")?;
        of_key.windows.as_deref().map_err(ToString::to_string)
    }
}

fn windows_of(
    rows: &[Row],
    start_ms: i64,
    duration_s: f64,
    key: &Key,
) -> Result<Vec<Window>, HistogramError> {
    let mut windows = vec![Window::default(); (duration_s / f64::from(WINDOW_S)) as usize];
    let wanted = |row: &&Row| row.key.metric == key.metric && row.key.tags.matches(&key.tags);
    for row in rows.iter().filter(wanted) {
        if row.time_ms + i64::from(row.window_s) * 1_000 <= start_ms {
            continue;
        }
        let after_ms = (row.time_ms - start_ms).max(0);
        let place = (after_ms / (i64::from(WINDOW_S) * 1_000)) as usize;
        let Some(window) = windows.get_mut(place) else {
            continue;
        };
        window.count += row.count;
        window.sum += row.sum;
        if let Some(encoded) = &row.histogram {
            window
                .histogram
                .get_or_insert_with(Histogram::new)
                .add_v2(encoded)?;
        }
    }
    Ok(windows)
}

/// The number itself over some windows: µs of a trend, a share, or what a counter gained a second. `None` without samples.
pub(super) fn value(statistic: Statistic, windows: &[Window]) -> Option<f64> {
    let count: u64 = windows.iter().map(|window| window.count).sum();
    let sum: f64 = windows.iter().map(|window| window.sum).sum();
    if count == 0 || windows.is_empty() {
        return None;
    }
    Some(match statistic {
        Statistic::Quantile(share) => {
            let mut all = Histogram::new();
            for window in windows.iter().filter_map(|w| w.histogram.as_ref()) {
                all.add(window);
            }
            all.quantile(share) as f64
        }
        Statistic::Mean | Statistic::Share => sum / count as f64,
        Statistic::Gain => sum / (windows.len() as f64 * f64::from(WINDOW_S)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use floodgate_records::metric::SeriesKey;
    use std::sync::Arc;

    fn row(at_s: i64, name: &str, values: &[u64]) -> Row {
        let mut histogram = Histogram::new();
        values.iter().for_each(|v| histogram.record(*v));
        let mut encoded = Vec::new();
        histogram.encode_v2(&mut encoded);
        Row {
            time_ms: 5_000 + at_s * 1_000,
            window_s: 10,
            key: Arc::new(SeriesKey {
                metric: "http_req_duration".into(),
                kind: MetricKind::Trend,
                tags: Tags::new().with("name", name),
            }),
            count: values.len() as u64,
            sum: values.iter().sum::<u64>() as f64,
            min: 0.0,
            max: 0.0,
            histogram: Some(Bytes::from(encoded)),
        }
    }

    #[test]
    fn rows_of_all_series_are_added_up_window_by_window() {
        let rows = [
            row(0, "a", &[100, 200]),
            row(0, "b", &[300]),
            row(20, "a", &[400]),
            row(30, "a", &[500]),
        ];
        let metrics = ["http_req_duration avg", "http_req_duration{name:b} avg"];
        let [all, of_b] = metrics.map(|text| BaselineMetric::parse(text).unwrap());
        let measured = Measured::of(&rows, 5_000, 39.0, &[all.clone(), of_b.clone()]);
        assert_eq!(measured.kind(&all.key), Some(MetricKind::Trend));
        let all = measured.windows(&all.key).unwrap();
        let counts: Vec<_> = all.iter().map(|w| w.count).collect();
        // The fourth window was cut short.
        assert_eq!(counts, [3, 0, 1]);
        assert_eq!(all[0].sum, 600.0);
        assert_eq!(measured.windows(&of_b.key).unwrap()[0].count, 1);
        assert_eq!(value(Statistic::Mean, all), Some(250.0));
        assert_eq!(value(Statistic::Quantile(0.5), all), Some(200.0));
        assert_eq!(value(Statistic::Gain, &all[1..2]), None);
    }
}
