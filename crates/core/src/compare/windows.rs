//! The windows of a metric, out of the merged rows of a run.

use super::series::{Statistic, WINDOW_S, Window};
use crate::histogram::{Histogram, HistogramError};
use crate::shard::Row;
use floodgate_records::key::Key;

/// What a run measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Its merged rows.
    pub rows: &'a [Row],
    /// The common start, Unix ms: windows are counted from it.
    pub start_ms: i64,
    /// For how long it was measured, in seconds.
    pub duration_s: f64,
}

impl Measured<'_> {
    /// The windows of all series of a metric together that have the key's tags. A window that the end of the run cuts short is left out.
    ///
    /// # Errors
    /// A row whose histogram is damaged.
    pub fn windows(&self, key: &Key) -> Result<Vec<Window>, HistogramError> {
        let window_s = f64::from(WINDOW_S);
        let mut windows = vec![Window::default(); (self.duration_s / window_s) as usize];
        let wanted = |row: &&Row| row.key.metric == key.metric && row.key.tags.matches(&key.tags);
        for row in self.rows.iter().filter(wanted) {
            let after_ms = (row.time_ms - self.start_ms).max(0);
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
    use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
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
        let measured = Measured {
            rows: &rows,
            start_ms: 5_000,
            duration_s: 39.0,
        };
        let key = |tags: Tags| Key {
            metric: "http_req_duration".into(),
            tags,
        };
        let all = measured.windows(&key(Tags::new())).unwrap();
        let counts: Vec<_> = all.iter().map(|w| w.count).collect();
        // The fourth window was cut short.
        assert_eq!(counts, [3, 0, 1]);
        assert_eq!(all[0].sum, 600.0);
        let of_b = key(Tags::new().with("name", "b"));
        assert_eq!(measured.windows(&of_b).unwrap()[0].count, 1);
        assert_eq!(value(Statistic::Mean, &all), Some(250.0));
        assert_eq!(value(Statistic::Quantile(0.5), &all), Some(200.0));
        assert_eq!(value(Statistic::Gain, &all[1..2]), None);
    }
}
