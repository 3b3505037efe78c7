use super::*;
use floodgate_core::histogram::Histogram;
use floodgate_records::manifest::Totals as ManifestTotals;
use proptest::prelude::*;

const ORIGIN: i64 = 1_700_000_000_250;

fn collector(max_series: u32) -> Collector {
    Collector::new(Settings {
        origin_ms: ORIGIN,
        max_series,
        folding: Default::default(),
        tags: Tags::from_iter([("team", "shop")]),
    })
}

fn us(ms_after: i64) -> i64 {
    (ORIGIN + ms_after) * 1_000
}

#[test]
fn samples_fall_into_the_seconds_of_the_run_and_phases_into_tens() {
    let mut all = collector(100);
    let tags = Tags::from_iter([("name", "home")]);
    let requests = all.builtin(Builtin::HttpReqs, &tags);
    let duration = all.builtin(Builtin::HttpReqDuration, &tags);
    for (at, took) in [(0, 10.0), (999, 20.0), (1_000, 30.0), (11_000, 40.0)] {
        all.add(requests, us(at), 1.0);
        all.add(duration, us(at), took);
    }
    let mut rows = Vec::new();
    all.close(ORIGIN + 10_999, &mut rows);
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.key.metric.as_str(),
                row.time_ms - ORIGIN,
                row.window_s,
                row.count,
                row.max,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("http_reqs", 0, 1, 2, 1.0),
            ("http_reqs", 1_000, 1, 1, 1.0),
            ("http_req_duration", 0, 10, 3, 30_000.0),
        ]
    );
    assert_eq!(
        rows[0].key.to_string(),
        "http_reqs{name:home,team:shop}",
        "the test's own tags stand beside the engine's"
    );
    rows.clear();
    all.finish(&mut rows);
    assert_eq!(rows.len(), 2);
    assert_eq!(all.totals().http_reqs, 4);
}

#[test]
fn a_late_sample_of_a_closed_window_still_counts() {
    let mut all = collector(100);
    let series = all.builtin(Builtin::HttpReqs, &Tags::new());
    let mut rows = Vec::new();
    all.add(series, us(100), 1.0);
    all.close(ORIGIN + 5_000, &mut rows);
    all.add(series, us(200), 1.0);
    all.finish(&mut rows);
    let seen: Vec<_> = rows.iter().map(|row| (row.time_ms, row.count)).collect();
    assert_eq!(seen, [(ORIGIN, 1), (ORIGIN, 1)]);
}

#[test]
fn series_past_the_bound_fold_and_are_counted() {
    let mut all = collector(2);
    for name in ["a", "b", "c", "d", "c"] {
        let tags = Tags::from_iter([("name", name), ("scenario", "one")]);
        let series = all.builtin(Builtin::HttpReqs, &tags);
        all.add(series, us(0), 1.0);
    }
    let mut rows = Vec::new();
    all.finish(&mut rows);
    let mut names: Vec<_> = rows
        .iter()
        .map(|row| (row.key.tags.get("name").unwrap(), row.count))
        .collect();
    names.sort_unstable();
    assert_eq!(names, [("__other__", 3), ("a", 1), ("b", 1)]);
    assert_eq!(
        all.totals(),
        ManifestTotals {
            http_reqs: 5,
            folded_samples: 3,
            ..ManifestTotals::default()
        }
    );
}

/// The bound is on tag sets: each may have all metrics of a request. Metrics without end are bounded all the same.
#[test]
fn a_tag_set_counts_once_whatever_is_measured() {
    let mut all = collector(2);
    for name in ["a", "b", "c"] {
        let tags = Tags::from_iter([
            ("expected_response", "true"),
            ("name", name),
            ("scenario", "one"),
        ]);
        for metric in [Builtin::HttpReqs, Builtin::HttpReqFailed, Builtin::Checks] {
            let series = all.builtin(metric, &tags);
            all.add(series, us(0), 1.0);
        }
    }
    assert_eq!(all.series_count(), 9);
    let mut rows = Vec::new();
    all.finish(&mut rows);
    let other = |row: &&Row| row.key.tags.get("name") == Some("__other__");
    let folded: Vec<_> = rows.iter().filter(other).collect();
    assert_eq!(folded.len(), 3);
    for row in folded {
        assert_eq!(row.key.tags.get("scenario"), Some("one"));
        assert_eq!(row.key.tags.get("expected_response"), Some("true"));
    }
    for n in 0..1_000 {
        let tags = Tags::from_iter([("name", "a")]);
        let series = all.series(&format!("custom_{n}"), MetricKind::Counter, &tags);
        all.add(series, us(0), 1.0);
    }
    rows.clear();
    all.finish(&mut rows);
    let kept = |row: &&Row| row.key.tags.get("name") == Some("a");
    assert_eq!(rows.len(), 1_000, "a metric is never lost");
    assert!(rows.iter().filter(kept).count() <= 2 * 16);
}

#[test]
fn kinds_keep_what_their_columns_mean() {
    let mut all = collector(100);
    let none = Tags::new();
    let (rate, gauge) = (
        all.builtin(Builtin::HttpReqFailed, &none),
        all.builtin(Builtin::Vus, &none),
    );
    let custom = all.series("basket_size", MetricKind::Trend, &none);
    for (at, value) in [(0, 0.0), (10, 1.0), (20, 1.0)] {
        all.add(rate, us(at), value);
        all.add(gauge, us(at), 5.0 - value);
        all.add(custom, us(at), f64::NAN);
    }
    all.time(custom, us(30), 1_500);
    let mut rows = Vec::new();
    all.finish(&mut rows);
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.count, row.sum, row.min, row.max))
        .collect();
    assert_eq!(
        seen,
        [
            (3, 2.0, 0.0, 1.0),
            (3, 4.0, 4.0, 5.0),
            (4, 1_500.0, 0.0, 1_500.0)
        ]
    );
}

#[test]
fn any_time_has_a_window() {
    for origin_ms in [0, ORIGIN, i64::MIN / 2_000, i64::MAX / 2_000] {
        let mut all = Collector::new(Settings {
            origin_ms,
            max_series: 10,
            folding: Default::default(),
            tags: Tags::new(),
        });
        let requests = all.builtin(Builtin::HttpReqs, &Tags::new());
        let duration = all.builtin(Builtin::HttpReqDuration, &Tags::new());
        let times = [i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1, 0, i64::MAX];
        for at_us in times {
            all.add(requests, at_us, 1.0);
            all.time(duration, at_us, 5);
        }
        assert_eq!(all.totals().http_reqs, times.len() as u64);
        let mut rows = Vec::new();
        all.finish(&mut rows);
        let samples: u64 = rows.iter().map(|row| row.count).sum();
        assert_eq!(samples, 2 * times.len() as u64, "{origin_ms}: {rows:?}");
    }
}

proptest! {
    /// However samples are ordered and windows closed in between, the rows add up to what was put in, and the live rows say the
    /// same at each moment.
    #[test]
    fn nothing_is_lost_between_windows(samples in prop::collection::vec((-3_000i64..30_000, 0u64..5_000_000, 0usize..3), 1..200), step in 1usize..50) {
        let mut all = collector(100).judged_by(5, &[5, 20]);
        let series: Vec<_> = ["a", "b", "c"].iter().map(|name| {
            let tags = Tags::from_iter([("name", *name)]);
            (all.builtin(Builtin::HttpReqResponseTime, &tags), all.builtin(Builtin::HttpReqDuration, &tags))
        }).collect();
        let (mut rows, mut expected) = (Vec::new(), Histogram::new());
        for (number, &(at, value, which)) in samples.iter().enumerate() {
            all.time(series[which].0, us(at), value);
            all.time(series[which].1, us(at), value);
            expected.record(value);
            if number % step == 0 {
                all.close(ORIGIN + at, &mut rows);
                let live = all.live(ORIGIN + 40_000);
                prop_assert_eq!(live.iter().map(|row| row.count).sum::<u64>(), 2 * expected.count());
                // From each mark to the next there is what ended then.
                for (from, to) in [(0, 5), (5, 20), (20, 40)] {
                    let begun = live.iter().filter(|row| row.time_ms == ORIGIN + from * 1_000);
                    prop_assert!(begun.clone().all(|row| i64::from(row.window_s) == to - from));
                    let range = if from == 0 { i64::MIN..5_000 } else { from * 1_000..to * 1_000 };
                    let there = samples[..=number].iter().filter(|(at, ..)| range.contains(at)).count();
                    prop_assert_eq!(begun.map(|row| row.count).sum::<u64>(), 2 * there as u64);
                }
            }
        }
        all.finish(&mut rows);
        for metric in ["http_req_response_time", "http_req_duration"] {
            let mut sum = floodgate_core::merge::Aggregate::new(MetricKind::Trend);
            for row in rows.iter().filter(|row| row.key.metric == metric) {
                prop_assert_eq!((row.time_ms - ORIGIN).rem_euclid(i64::from(row.window_s) * 1_000), 0);
                sum.add_row(row, floodgate_core::merge::Along::Time).unwrap();
            }
            prop_assert_eq!(sum.histogram.unwrap().exact(), expected.exact());
        }
    }
}
