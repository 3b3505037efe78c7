use super::*;
use crate::histogram::Histogram;
use crate::merge::{Aggregate, Totals};
use crate::shard::{ShardMeta, Sources};
use floodgate_records::execution::Execution;
use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
use floodgate_records::status::Status;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";

fn run() -> Execution {
    Execution {
        status: Status::Passed,
        started_ms: Some(1_700_000_001_000),
        ..Execution::created(ID, "shop", "checkout", 1_700_000_000_000)
    }
}

fn key(metric: &str, kind: MetricKind, tags: &[(&str, &str)]) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.into(),
        kind,
        tags: tags.iter().copied().collect(),
    })
}

fn trend(values: impl IntoIterator<Item = u64>) -> Aggregate {
    let mut histogram = Histogram::new();
    values.into_iter().for_each(|value| histogram.record(value));
    Aggregate {
        count: histogram.count(),
        sum: histogram.sum() as f64,
        min: histogram.min() as f64,
        max: histogram.max() as f64,
        histogram: Some(histogram),
        ..Aggregate::new(MetricKind::Trend)
    }
}

fn flat(kind: MetricKind, count: u64, sum: f64) -> Aggregate {
    let last_ms = match kind {
        MetricKind::Gauge => 1_700_000_009_000,
        _ => i64::MIN,
    };
    Aggregate {
        count,
        sum,
        min: 0.0,
        max: sum,
        last_ms,
        ..Aggregate::new(kind)
    }
}

fn totals() -> Totals {
    let pay = [
        ("name", "POST /api/checkout"),
        ("status", "200"),
        ("expected_response", "true"),
        ("region", "ü"),
    ];
    let home = [("name", "home"), ("group", "::shop")];
    Totals(
        [
            (
                key("http_req_duration", MetricKind::Trend, &pay),
                trend([5, 900, 900, 70_001]),
            ),
            (
                key("http_req_duration", MetricKind::Trend, &home),
                trend(2_000..9_000),
            ),
            (
                key("http_reqs", MetricKind::Counter, &home),
                flat(MetricKind::Counter, 4, 4.0),
            ),
            (
                key("http_req_failed", MetricKind::Rate, &pay),
                flat(MetricKind::Rate, 4, 1.0),
            ),
            (
                key("vus", MetricKind::Gauge, &[]),
                flat(MetricKind::Gauge, 9, 12.5),
            ),
        ]
        .into(),
    )
}

fn encoded(totals: &Totals) -> Vec<u8> {
    encode(&run(), Duration::from_secs(10), totals).unwrap()
}

#[test]
fn series_come_back_as_they_were() {
    let all = totals();
    let bytes = encoded(&all);
    assert_eq!(decode(&bytes, ID, &[]).unwrap(), all);
    let some = decode(&bytes, ID, &["http_reqs", "nothing"]).unwrap();
    assert_eq!(some.0.len(), 1, "{some:?}");
}

#[test]
fn a_series_without_samples_has_no_row() {
    let none = (
        key("http_req_duration", MetricKind::Trend, &[]),
        Aggregate::new(MetricKind::Trend),
    );
    let bytes = encoded(&Totals([none].into()));
    assert_eq!(decode(&bytes, ID, &[]).unwrap(), Totals::new());
}

#[test]
fn a_metric_of_many_rows_is_read_alone() {
    let mut all = totals();
    for metric in ["http_req_waiting", "http_req_blocked"] {
        for name in 0..3 {
            let key = key(
                metric,
                MetricKind::Trend,
                &[("name", &format!("page {name}"))],
            );
            all.0.insert(key, trend((0..900_000).step_by(37)));
        }
    }
    let mut bytes = encoded(&all);
    assert_eq!(decode(&bytes, ID, &[]).unwrap(), all);
    // What is not asked for may be anything, if only the checksum is right: it is not read.
    let waiting = decode(&bytes, ID, &["http_req_waiting"]).unwrap();
    assert_eq!(waiting.0.len(), 3);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let error = decode(&bytes, ID, &["http_req_waiting"]).unwrap_err();
    assert!(error.to_string().contains("the file is damaged"), "{error}");
}

#[test]
fn another_run_or_another_file_is_refused() {
    let bytes = encoded(&totals());
    let error = decode(&bytes, "01JD7Q3W5Z8X9Y0A1B2C3D4E5G", &[]).unwrap_err();
    assert!(error.to_string().contains("floodgate.execution"), "{error}");
    let shard = ShardMeta {
        content: crate::shard::Content::Merged,
        execution: ID.into(),
        segment: String::new(),
        sources: Sources::one(0, 0),
        start_ms: 0,
        end_ms: 1,
    };
    let shard = crate::shard::encode(&shard, &[]).unwrap();
    let error = decode(&shard, ID, &[]).unwrap_err();
    assert!(error.to_string().contains("\"merged\""), "{error}");
    assert!(crate::shard::decode(&bytes).is_err());
    for end in [0, 7, bytes.len() / 2, bytes.len() - 1] {
        assert!(decode(&bytes[..end], ID, &[]).is_err());
    }
}

#[test]
fn columns_of_the_key_stand_where_shards_have_them() {
    use crate::shard::{KIND, METRIC, TAG_KEY, TAG_VALUE, TAGS};
    let named = |column: usize| schema::LEAVES[column].path;
    assert_eq!((named(METRIC), named(KIND)), ("metric", "kind"));
    assert_eq!(named(TAG_KEY), "tags.key_value.key");
    assert_eq!(named(TAG_VALUE), "tags.key_value.value");
    let tags: Vec<_> = (TAGS..TAG_KEY).map(named).collect();
    let columns = Tags::COLUMNS.map(|tag| if tag == "group" { "grp" } else { tag });
    assert_eq!(tags, columns);
    assert_eq!(named(schema::DURATION), "duration_s");
    assert_eq!(named(schema::LAST), "last_ms");
}

#[test]
fn days_are_those_of_utc() {
    assert_eq!(day(1_700_000_000_000), "2023-11-14");
    assert_eq!(day(0), "1970-01-01");
}

proptest! {
    /// Whatever is taken together, the rows add up to what the histograms say: the quantile of SQL is that of the summary.
    #[test]
    fn quantiles_from_rows_are_those_of_the_histograms(
        series in proptest::collection::vec(proptest::collection::vec(0u64..=3_600_000_000, 1..40), 1..6),
        percentile in 0.0f64..=100.0,
    ) {
        let named = |(n, values): (usize, Vec<u64>)| {
            let name = n.to_string();
            (key("http_req_duration", MetricKind::Trend, &[("name", name.as_str())]), trend(values))
        };
        let all = Totals(series.into_iter().enumerate().map(named).collect());
        let read = decode(&encoded(&all), ID, &[]).unwrap();
        let sum = |totals: &Totals| totals.sum_of("http_req_duration", &Tags::new()).unwrap();
        let (whole, q) = (sum(&all), percentile / 100.0);
        let expected = whole.histogram.as_ref().unwrap().quantile(q);
        prop_assert_eq!(&sum(&read), &whole);
        // As docs/sql.md has it: the upper bound of the bucket at the rank, at most the largest value.
        let mut rows: Vec<_> = all.0.values()
            .flat_map(|one| one.histogram.as_ref().unwrap().buckets().collect::<Vec<_>>())
            .collect();
        rows.sort_by_key(|bucket| bucket.highest);
        let rank = (q * whole.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let at = rows.iter().find(|bucket| {
            seen += bucket.count;
            seen >= rank
        });
        let by_rows = match percentile {
            0.0 => whole.min as u64,
            _ => at.unwrap().highest.min(whole.max as u64),
        };
        prop_assert_eq!(by_rows, expected);
    }
}
