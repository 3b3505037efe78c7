//! Rows as data points.
//!
//! A metric is `floodgate.` and its name; times are in seconds. A rate is two sums: the samples that are not zero, and, with `.samples` after
//! its name, all of them.

use super::proto::{
    AnyValue, Buckets, Data, ExponentialHistogram, ExponentialHistogramDataPoint,
    ExportMetricsServiceRequest, Gauge, InstrumentationScope, KeyValue, Metric, NumberDataPoint,
    Resource, ResourceMetrics, ScopeMetrics, Sum,
};
use crate::exponential::{Exponential, SCALE};
use crate::row::Row;
use crate::running::{Batch, Total};
use floodgate_records::metric::{Contains, MetricKind, SeriesKey};
use std::collections::BTreeMap;

/// What a point covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temporality {
    /// Its window.
    Delta = 1,
    /// Everything since the series began.
    Cumulative = 2,
}

/// Writes batches.
pub(super) struct Encoder {
    /// What all points of a run have.
    pub(super) resource: Vec<(&'static str, String)>,
    pub(super) temporality: Temporality,
}

/// What one point says.
struct Point<'a> {
    key: &'a SeriesKey,
    contains: Contains,
    start_ms: i64,
    end_ms: i64,
    total: &'a Total,
}

/// Metrics by name.
type Metrics = BTreeMap<String, Metric>;

impl Encoder {
    /// What rows come to; with running totals they are added to the batch.
    pub(super) fn request(
        &self,
        batch: &mut Batch<'_>,
        rows: &[Row],
    ) -> ExportMetricsServiceRequest {
        let mut metrics = Metrics::new();
        for row in rows {
            let of_window;
            let (total, start_ms) = match self.temporality {
                Temporality::Delta => {
                    of_window = Total::of(row);
                    (&of_window, row.time_ms)
                }
                Temporality::Cumulative => {
                    let (total, _) = batch.add(row);
                    (total, total.since_ms)
                }
            };
            let point = Point {
                key: &row.key,
                contains: row.contains,
                start_ms,
                end_ms: total.told_ms,
                total,
            };
            self.add(&mut metrics, &point);
        }
        self.wrap(metrics)
    }

    fn wrap(&self, metrics: Metrics) -> ExportMetricsServiceRequest {
        let attributes = self.resource.iter();
        let attributes = attributes
            .map(|(key, value)| attribute(key, value))
            .collect();
        let scope = InstrumentationScope {
            name: "floodgate".into(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(Resource { attributes }),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope),
                    metrics: metrics.into_values().collect(),
                }],
            }],
        }
    }

    fn add(&self, metrics: &mut Metrics, point: &Point<'_>) {
        let name = format!("floodgate.{}", point.key.metric);
        let unit = unit(point.key.kind, point.contains);
        let total = point.total;
        match point.key.kind {
            MetricKind::Counter => self.sum(metrics, name, unit, number(point, total.sum)),
            MetricKind::Rate => {
                let all = format!("{name}.samples");
                self.sum(metrics, all, unit, number(point, total.count as f64));
                self.sum(metrics, name, unit, number(point, total.sum));
            }
            MetricKind::Gauge => {
                let data = data(metrics, name, unit, || Data::Gauge(Gauge::default()));
                if let Data::Gauge(gauge) = data {
                    let mut point = number(point, total.sum);
                    // A gauge covers no time.
                    point.start_time_unix_nano = 0;
                    gauge.data_points.push(point);
                }
            }
            MetricKind::Trend => {
                let data = data(metrics, name, unit, || {
                    Data::ExponentialHistogram(ExponentialHistogram {
                        aggregation_temporality: self.temporality as i32,
                        ..ExponentialHistogram::default()
                    })
                });
                if let Data::ExponentialHistogram(all) = data {
                    all.data_points.push(histogram(point));
                }
            }
        }
    }

    fn sum(&self, metrics: &mut Metrics, name: String, unit: &str, point: NumberDataPoint) {
        let data = data(metrics, name, unit, || {
            Data::Sum(Sum {
                aggregation_temporality: self.temporality as i32,
                is_monotonic: true,
                ..Sum::default()
            })
        });
        if let Data::Sum(sum) = data {
            sum.data_points.push(point);
        }
    }
}

/// Units as UCUM has them.
fn unit(kind: MetricKind, contains: Contains) -> &'static str {
    match (kind, contains) {
        (MetricKind::Trend, Contains::Time) => "s",
        (MetricKind::Trend | MetricKind::Counter, Contains::Data) => "By",
        _ => "1",
    }
}

fn data<'m>(
    metrics: &'m mut Metrics,
    name: String,
    unit: &str,
    empty: impl FnOnce() -> Data,
) -> &'m mut Data {
    let metric = metrics.entry(name.clone()).or_insert_with(|| Metric {
        name,
        unit: unit.into(),
        data: None,
    });
    metric.data.get_or_insert_with(empty)
}

fn number(point: &Point<'_>, value: f64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(point.key),
        start_time_unix_nano: nanoseconds(point.start_ms),
        time_unix_nano: nanoseconds(point.end_ms),
        as_double: Some(value),
    }
}

fn histogram(point: &Point<'_>) -> ExponentialHistogramDataPoint {
    let per_unit = match point.contains {
        Contains::Time => 1e6,
        _ => 1e3,
    };
    let total = point.total;
    let all = total.histogram.as_ref();
    let all = all.map(|histogram| Exponential::of(histogram, per_unit));
    let all = all.unwrap_or_default();
    ExponentialHistogramDataPoint {
        attributes: attributes(point.key),
        start_time_unix_nano: nanoseconds(point.start_ms),
        time_unix_nano: nanoseconds(point.end_ms),
        count: total.count,
        sum: Some(total.sum / per_unit),
        scale: SCALE,
        zero_count: all.zeros,
        positive: (!all.counts.is_empty()).then_some(Buckets {
            offset: all.first,
            bucket_counts: all.counts,
        }),
        min: Some(total.min / per_unit),
        max: Some(total.max / per_unit),
    }
}

fn attributes(key: &SeriesKey) -> Vec<KeyValue> {
    let tags = key.tags.0.iter();
    tags.map(|(name, value)| attribute(name, value)).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue {
            string_value: Some(value.into()),
        }),
    }
}

fn nanoseconds(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::Running;
    use crate::testing::{key, row, trend};

    fn encode(temporality: Temporality) -> Vec<Metric> {
        let failed = key("http_req_failed", MetricKind::Rate, &[("name", "home")]);
        let time = key("http_req_duration", MetricKind::Trend, &[("name", "home")]);
        let encoder = Encoder {
            resource: vec![("service.name", "floodgate".into())],
            temporality,
        };
        let rows = [
            row(&failed, 1_000, 4, 1.0),
            trend(&time, 1_000, 1, [0, 500_000, 1_000_000]),
            row(&failed, 2_000, 4, 2.0),
            trend(&time, 2_000, 1, [2_000_000]),
        ];
        let running = Running::default();
        let mut request = encoder.request(&mut running.batch(), &rows);
        let mut resource = request.resource_metrics.remove(0);
        resource.scope_metrics.remove(0).metrics
    }

    #[test]
    fn a_delta_is_its_window_and_a_cumulative_point_all_of_them() {
        for (temporality, starts, failed, counts) in [
            (Temporality::Delta, [1_000, 2_000], [1.0, 2.0], [3, 1]),
            (Temporality::Cumulative, [1_000, 1_000], [1.0, 3.0], [3, 4]),
        ] {
            let metrics = encode(temporality);
            let names: Vec<_> = metrics
                .iter()
                .map(|m| (m.name.as_str(), m.unit.as_str()))
                .collect();
            assert_eq!(
                names,
                [
                    ("floodgate.http_req_duration", "s"),
                    ("floodgate.http_req_failed", "1"),
                    ("floodgate.http_req_failed.samples", "1")
                ]
            );
            let (Some(Data::ExponentialHistogram(times)), Some(Data::Sum(sum))) =
                (&metrics[0].data, &metrics[1].data)
            else {
                panic!("{metrics:#?}")
            };
            assert_eq!(times.aggregation_temporality, temporality as i32);
            assert_eq!([0, 1].map(|i| times.data_points[i].count), counts);
            assert_eq!(
                [0, 1].map(|i| sum.data_points[i].as_double),
                failed.map(Some)
            );
            assert_eq!(
                [0, 1].map(|i| sum.data_points[i].start_time_unix_nano),
                starts.map(|ms: u64| ms * 1_000_000)
            );
            assert_eq!(sum.data_points[1].time_unix_nano, 3_000_000_000);
            let first = &times.data_points[0];
            assert_eq!(
                (first.zero_count, first.min, first.max, first.sum),
                (1, Some(0.0), Some(1.0), Some(1.5))
            );
            let buckets = first
                .positive
                .as_ref()
                .map(|b| b.bucket_counts.iter().sum::<u64>());
            assert_eq!(buckets, Some(2));
        }
    }
}
