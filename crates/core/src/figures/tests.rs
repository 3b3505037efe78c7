use super::*;
use crate::histogram::Histogram;
use crate::shard::Row;
use bytes::Bytes;
use floodgate_records::figures::{Figures, Point};
use floodgate_records::metric::{MetricKind, SeriesKey, Tags};
use floodgate_records::summary::{RequestSummary, Summary};
use std::collections::BTreeMap;
use std::sync::Arc;

const START_MS: i64 = 1_700_000_000_000;

fn key(metric: &str, kind: MetricKind, tags: &[(&str, &str)]) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.into(),
        kind,
        tags: tags.iter().copied().collect::<Tags>(),
    })
}

fn row(key: &Arc<SeriesKey>, at_s: i64, values: &[u64]) -> Row {
    let mut all = Histogram::new();
    values.iter().for_each(|us| all.record(*us));
    let mut encoded = Vec::new();
    all.encode_v2(&mut encoded);
    let is_trend = key.kind == MetricKind::Trend;
    Row {
        time_ms: START_MS + at_s * 1_000,
        window_s: 1,
        key: key.clone(),
        count: values.len() as u64,
        sum: values.iter().sum::<u64>() as f64,
        min: all.min() as f64,
        max: all.max() as f64,
        histogram: is_trend.then(|| Bytes::from(encoded)),
    }
}

fn summary(names: usize) -> Summary {
    let named = |n: usize| RequestSummary {
        name: format!("n{n}"),
        names: 1,
        responses: 1,
        times: [("http_req_response_time".to_owned(), BTreeMap::new())].into(),
        ..RequestSummary::default()
    };
    let mut requests: Vec<_> = (0..names.min(RequestSummary::MAX_ROWS))
        .map(named)
        .collect();
    if names > RequestSummary::MAX_ROWS {
        requests.push(RequestSummary {
            names: (names - RequestSummary::MAX_ROWS) as u64,
            ..RequestSummary::default()
        });
    }
    let nothing = serde_json::json!({
        "schema": 1, "execution": "01KAKQ8Z5T3M9W2C7XH4RJ6EVB", "project": "shop", "test": "t", "version": "v", "status": "passed",
        "reasons": [], "duration_s": 0.0, "metrics": {}, "checks": [], "errors": { "503": 2, "timeout": 1 }, "warnings": [],
        "completeness": floodgate_records::execution::Completeness::default(),
        "planned": floodgate_records::plan::PlannedLoad::default(),
        "applied": floodgate_records::execution::AppliedLoad::default(),
        "infrastructure": floodgate_records::execution::Infrastructure::default(),
    });
    Summary {
        requests,
        ..serde_json::from_value(nothing).unwrap()
    }
}

fn figures(summary: &Summary, seconds: i64, rows: &[Row]) -> Figures {
    let mut builder = FiguresBuilder::new(summary, START_MS, START_MS + seconds * 1_000);
    for (n, row) in rows.iter().enumerate() {
        builder.add(row).unwrap();
        if n % 7 == 6 {
            builder.seal();
        }
    }
    builder.finish().unwrap()
}

fn rows() -> Vec<Row> {
    let response = key(
        "http_req_response_time",
        MetricKind::Trend,
        &[("name", "n0")],
    );
    let other = key(
        "http_req_response_time",
        MetricKind::Trend,
        &[("name", "n1")],
    );
    let service = key("http_req_duration", MetricKind::Trend, &[("name", "n0")]);
    let requests = key(
        "http_reqs",
        MetricKind::Counter,
        &[("name", "n0"), ("status", "200")],
    );
    let unavailable = [
        ("name", "n1"),
        ("status", "503"),
        ("expected_response", "false"),
    ];
    let unavailable = key("http_reqs", MetricKind::Counter, &unavailable);
    let cut_off = [("name", "n1"), ("status", "0"), ("error_code", "timeout")];
    let cut_off = key("http_reqs", MetricKind::Counter, &cut_off);
    let failed = key("http_req_failed", MetricKind::Rate, &[("name", "n1")]);
    let vus = key("vus", MetricKind::Gauge, &[]);
    let lag = key("generator_lag", MetricKind::Trend, &[]);
    vec![
        row(&response, 0, &[1_000, 2_000, 3_000]),
        row(&requests, 0, &[1, 1, 1]),
        row(&vus, 0, &[3]),
        row(&service, 0, &[900, 1_900, 2_900]),
        row(&lag, 0, &[10, 20]),
        row(&response, 2, &[5_000]),
        row(&other, 2, &[50_000]),
        row(&requests, 2, &[1]),
        row(&unavailable, 2, &[1, 1]),
        row(&cut_off, 2, &[1]),
        row(&failed, 2, &[1, 1, 1]),
        row(&vus, 2, &[5]),
        // A shard that came late: a second row of the same series and window.
        row(&response, 0, &[7_000]),
        row(&requests, 0, &[1]),
        row(&vus, 0, &[1]),
    ]
}

#[test]
fn windows_become_slots_and_nothing_is_lost() {
    let all = figures(&summary(2), 3, &rows());
    assert_eq!((all.fine.slot_s, all.fine.slots), (1, 3));
    assert_eq!((all.coarse.slot_s, all.coarse.slots), (10, 1));
    assert_eq!(all.load.requests, [4, 0, 4]);
    assert_eq!(all.load.failed, [0, 0, 3]);
    assert_eq!(all.load.started, Some(vec![2]));
    let response = &all.times[0];
    assert_eq!(
        (&*response.metric, response.fine),
        ("http_req_response_time", true)
    );
    assert_eq!(response.slots.count, [4, 0, 2]);
    assert_eq!(response.slots.max, [Some(7_000), None, Some(50_000)]);
    assert_eq!(response.slots.p50, [Some(2_000), None, Some(5_003)]);
    assert_eq!(response.distribution.last(), Some(&Point(1.0, 50_000)));
    assert_eq!(
        (&*all.times[1].metric, all.times[1].fine),
        ("http_req_duration", false)
    );
    let codes: Vec<_> = all
        .errors
        .iter()
        .map(|e| (e.code.as_deref(), e.count.clone()))
        .collect();
    assert_eq!(
        codes,
        [
            (Some("503"), vec![0, 0, 2]),
            (Some("timeout"), vec![0, 0, 1])
        ]
    );
    assert_eq!(all.generators.vus, [Some(4.0), None, Some(5.0)]);
    assert_eq!(all.names[1].failed, [0, 0, 3]);
    assert_eq!(all.names[0].times.max, [Some(7_000), None, Some(5_000)]);
    let heat = all.heat.unwrap();
    let counted: u64 = heat.columns.iter().flatten().map(|(_, n)| n).sum();
    assert_eq!(counted, 6);
    assert!(heat.edges_us[0] <= 1_000 && *heat.edges_us.last().unwrap() > 50_000);
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let all = rows();
    // Gauges are told apart by their windows' order, and no row of one is moved past another here.
    let mut moved = all.clone();
    moved.swap(0, 3);
    moved.swap(5, 6);
    let seen = figures(&summary(2), 3, &all);
    assert_eq!(figures(&summary(2), 3, &moved), seen);
    let text = serde_json::to_string(&seen).unwrap();
    assert_eq!(serde_json::from_str::<Figures>(&text).unwrap(), seen);
}

#[test]
fn a_run_without_data_has_empty_figures() {
    let none = figures(&summary(0), 0, &[]);
    assert!(none.times.is_empty() && none.heat.is_none());
    assert_eq!(none.load.requests, [0]);
}

/// A day with 2,000 names: what is kept, and what is written, has a bound; every request is in it.
#[test]
fn a_long_run_with_many_series_is_bounded() {
    let (names, seconds) = (2_000, 86_400);
    let of_summary = summary(names);
    let mut builder = FiguresBuilder::new(&of_summary, START_MS, START_MS + seconds * 1_000);
    let series: Vec<_> = (0..names)
        .map(|n| {
            let name = format!("n{n}");
            let tags = [("name", &*name), ("status", "200")];
            let times = key("http_req_response_time", MetricKind::Trend, &tags);
            (times, key("http_reqs", MetricKind::Counter, &tags))
        })
        .collect();
    let (mut sent, mut at) = (0, 0);
    while at < seconds {
        for (n, (times, requests)) in series.iter().enumerate().skip(at as usize % 40).step_by(40) {
            let us = 1_000 + (n as u64 * 7_919 + at as u64 * 104_729) % 900_000;
            builder.add(&row(times, at, &[us])).unwrap();
            builder.add(&row(requests, at, &[1])).unwrap();
            sent += 1;
        }
        builder.seal();
        at += 30;
    }
    let all = builder.finish().unwrap();
    assert_eq!(all.load.requests.iter().sum::<u64>(), sent);
    assert_eq!(all.times[0].slots.count.iter().sum::<u64>(), sent);
    assert_eq!(
        (all.names.len(), all.more_names),
        (Figures::MAX_NAMES, 1_980)
    );
    assert!(all.fine.slots <= Figures::MAX_FINE && all.coarse.slots <= Figures::MAX_COARSE);
    let bytes = serde_json::to_vec(&all).unwrap().len();
    assert!(bytes < 1_000_000, "{bytes}");
}

#[test]
fn times_of_requests_without_any_response_are_not_drawn() {
    let mut summary = summary(2);
    summary.requests[1].responses = 0;
    let all = figures(&summary, 3, &rows());
    assert_eq!(all.names[1].times.count, [0, 0, 0]);
    assert_eq!(all.names[1].requests, [0, 0, 3]);
    assert_eq!(all.names[0].times.count, [4, 0, 1]);
    assert_eq!(all.times[0].slots.count, [4, 0, 2]);
    summary.requests[0].responses = 0;
    let iteration = key("iteration_duration", MetricKind::Trend, &[]);
    let mut rows = rows();
    rows.push(row(&iteration, 0, &[9_000]));
    let none = figures(&summary, 3, &rows);
    let metrics: Vec<_> = none.times.iter().map(|time| &*time.metric).collect();
    assert_eq!(metrics, ["iteration_duration"]);
    assert_eq!(none.heat.unwrap().metric, "iteration_duration");
    assert_eq!(none.load.failed, all.load.failed);
}
