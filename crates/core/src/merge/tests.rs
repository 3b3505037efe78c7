#![allow(clippy::unwrap_used)]

mod collecting;

use super::*;
use crate::histogram::Histogram;
use crate::shard::{decode, encode, sha256_hex};
use floodgate_records::execution::Completeness;
use floodgate_records::manifest::{
    Health, Manifest, ShardEntry, TaskOutcome, Totals as TaskTotals,
};
use floodgate_records::metric::{MetricKind, Tags};
use proptest::prelude::*;

const EXECUTION: &str = "01JD0000000000000000000000";

/// A sample: second, name of a request, µs.
type Sample = (i64, u8, u64);

fn key(metric: &str, kind: MetricKind, name: &str) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.into(),
        kind,
        tags: Tags::new().with("name", name),
    })
}

fn flat(key: &Arc<SeriesKey>, second: i64, count: u64, sum: f64, (min, max): (f64, f64)) -> Row {
    let key = key.clone();
    Row {
        time_ms: second * 1_000,
        window_s: 1,
        key,
        count,
        sum,
        min,
        max,
        histogram: None,
    }
}

/// The rows that a task would write of its samples.
fn rows(samples: &[Sample]) -> Vec<Row> {
    let mut trends: BTreeMap<(u8, i64), Histogram> = BTreeMap::new();
    for &(second, name, us) in samples {
        trends.entry((name, second)).or_default().record(us);
    }
    let mut rows = Vec::new();
    for ((name, second), h) in trends {
        let mut bytes = Vec::new();
        h.encode_v2(&mut bytes);
        let name = name.to_string();
        let row = flat(
            &key("http_req_duration", MetricKind::Trend, &name),
            second,
            h.count(),
            h.sum() as f64,
            (h.min() as f64, h.max() as f64),
        );
        rows.push(Row {
            histogram: Some(bytes.into()),
            ..row
        });
        let n = h.count();
        rows.push(flat(
            &key("http_reqs", MetricKind::Counter, &name),
            second,
            n,
            n as f64,
            (1.0, 1.0),
        ));
    }
    rows
}

fn meta(task: u32, seq: u32) -> ShardMeta {
    let start_ms = i64::from(seq) * 10_000;
    ShardMeta {
        content: Content::Shard,
        execution: EXECUTION.into(),
        segment: String::new(),
        sources: Sources::one(task, seq),
        start_ms,
        end_ms: start_ms + 10_000,
    }
}

fn shard(task: u32, seq: u32, samples: &[Sample]) -> Shard {
    decode(&encode(&meta(task, seq), &rows(samples)).unwrap()).unwrap()
}

fn merge<'a>(shards: impl IntoIterator<Item = &'a Shard>) -> Merged<Vec<u8>> {
    let mut merger = Merger::new(EXECUTION, Vec::new()).unwrap();
    for shard in shards {
        merger.push(shard).unwrap();
        merger.advance(shard.meta.start_ms).unwrap();
    }
    merger.finish().unwrap()
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    prop::collection::vec((0..10i64, 0..3u8, 0..5_000_000u64), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn tasks_together_are_one_task_with_all_samples(parts in prop::collection::vec(samples(), 1..5)) {
        let shards: Vec<_> = parts.iter().enumerate().map(|(task, s)| shard(task as u32, 0, s)).collect();
        let whole = shard(9, 0, &parts.concat());
        let (merged, expected) = (merge(&shards), merge([&whole]));
        prop_assert_eq!(&merged.totals, &expected.totals);
        prop_assert_eq!(decode(&merged.out).unwrap().rows, whole.rows, "the merged series are the rows of one task");
        let reversed = merge(shards.iter().rev());
        prop_assert_eq!(&reversed.totals, &merged.totals);
        prop_assert_eq!(reversed.out, merged.out);
    }

    #[test]
    fn a_tree_of_merges_is_one_merge(parts in prop::collection::vec(samples(), 2..6), split in 1..5usize) {
        let shards: Vec<_> = parts.iter().enumerate().map(|(task, s)| shard(task as u32, 0, s)).collect();
        let (left, right) = shards.split_at(split.min(shards.len()));
        let halves: Vec<_> = [left, right].into_iter().filter(|half| !half.is_empty())
            .map(|half| decode(&merge(half).out).unwrap()).collect();
        let (tree, flat) = (merge(&halves), merge(&shards));
        prop_assert_eq!(&tree.totals, &flat.totals);
        prop_assert_eq!((tree.out, tree.meta), (flat.out, flat.meta));
    }

    #[test]
    fn a_shard_counts_once(parts in prop::collection::vec(samples(), 1..4), again in any::<prop::sample::Index>()) {
        let shards: Vec<_> = parts.iter().enumerate().map(|(task, s)| shard(task as u32, 0, s)).collect();
        let twice = shards.iter().chain([&shards[again.index(shards.len())]]);
        prop_assert_eq!(merge(twice).totals, merge(&shards).totals);
    }
}

#[test]
fn totals_hold_exact_figures_over_windows_and_tasks() {
    let shards = [
        shard(0, 0, &[(0, 1, 100), (1, 1, 300), (1, 2, 7)]),
        shard(1, 0, &[(0, 1, 200)]),
        shard(0, 1, &[(10, 1, 1_000_000)]),
    ];
    let merged = merge(&shards);
    let one = merged
        .totals
        .sum_of("http_req_duration", &Tags::new().with("name", "1"))
        .unwrap();
    assert_eq!(
        (one.count, one.sum, one.min, one.max),
        (4, 1_000_600.0, 100.0, 1_000_000.0)
    );
    assert_eq!(one.histogram.unwrap().quantile(0.5), 200);
    assert_eq!(
        merged.totals.sum_of("http_reqs", &Tags::new()).unwrap().sum,
        5.0
    );
    assert_eq!(
        merged
            .totals
            .sum_of("http_reqs", &Tags::new().with("name", "3")),
        None
    );
    assert_eq!(merged.totals.sum_of("unknown", &Tags::new()), None);
    assert_eq!((merged.meta.start_ms, merged.meta.end_ms), (0, 20_000));
    assert_eq!(merged.meta.sources.to_string(), "0:0-1;1:0");
}

#[test]
fn gauges_follow_their_rule_over_tasks_and_the_clock_over_time() {
    let mut merger = Merger::new(EXECUTION, Vec::new()).unwrap();
    for (task, vus, cpu, own) in [
        (0, [4.0, 6.0], [0.5, 0.2], [1.0, 2.0]),
        (1, [3.0, 1.0], [0.9, 0.1], [5.0, 1.0]),
    ] {
        let mut rows = Vec::new();
        for second in [0, 1] {
            let gauge = |metric: &str, value: f64| {
                flat(
                    &key(metric, MetricKind::Gauge, "x"),
                    second,
                    1,
                    value,
                    (value, value),
                )
            };
            let i = second as usize;
            rows.extend([
                gauge("vus", vus[i]),
                gauge("generator_cpu", cpu[i]),
                gauge("own", own[i]),
            ]);
        }
        merger
            .push(&decode(&encode(&meta(task, 0), &rows).unwrap()).unwrap())
            .unwrap();
    }
    let merged = merger.finish().unwrap();
    let get = |metric: &str| {
        let all = merged.totals.sum_of(metric, &Tags::new()).unwrap();
        (all.last().unwrap(), all.min, all.max)
    };
    assert_eq!(get("vus"), (7.0, 7.0, 7.0), "4 + 3, then 6 + 1");
    assert_eq!(get("generator_cpu"), (0.2, 0.1, 0.9));
    assert_eq!(get("own"), (2.0, 1.0, 5.0));
}

#[test]
fn live_objects_add_up_over_tasks() {
    let mut totals = Totals::new();
    for (task, vus) in [(0, 4.0), (1, 3.0)] {
        let mut rows = rows(&[(0, 1, 100), (0, 1, 200)]);
        rows.push(flat(
            &key("vus", MetricKind::Gauge, "x"),
            0,
            5,
            vus,
            (0.0, vus),
        ));
        let meta = ShardMeta {
            content: Content::Live,
            ..meta(task, 3)
        };
        totals
            .add_live(&decode(&encode(&meta, &rows).unwrap()).unwrap())
            .unwrap();
    }
    assert_eq!(
        totals
            .sum_of("http_req_duration", &Tags::new())
            .unwrap()
            .count,
        4
    );
    assert_eq!(
        totals.sum_of("vus", &Tags::new()).unwrap().last(),
        Some(7.0)
    );
}

#[test]
fn a_late_row_of_a_closed_window_still_counts() {
    let mut merger = Merger::new(EXECUTION, Vec::new()).unwrap();
    merger
        .push(&shard(0, 0, &[(0, 1, 100), (9, 1, 100)]))
        .unwrap();
    merger.advance(9_000).unwrap();
    assert_eq!(
        merger
            .totals()
            .sum_of("http_reqs", &Tags::new())
            .unwrap()
            .count,
        1,
        "second 9 is still open"
    );
    merger.push(&shard(1, 0, &[(0, 1, 300)])).unwrap();
    let merged = merger.finish().unwrap();
    assert_eq!(
        merged
            .totals
            .sum_of("http_reqs", &Tags::new())
            .unwrap()
            .count,
        3
    );
    assert_eq!(merged.rows, 6);
}

#[test]
fn files_that_do_not_belong_are_refused() {
    let mut merger = Merger::new(EXECUTION, Vec::new()).unwrap();
    let good = shard(0, 0, &[(0, 1, 100)]);
    let with = |change: fn(&mut ShardMeta)| {
        let mut other = good.clone();
        change(&mut other.meta);
        other
    };
    assert!(merger.push(&good).unwrap());
    assert!(!merger.push(&good).unwrap());
    let foreign = merger
        .push(&with(|meta| meta.execution = "other".into()))
        .unwrap_err();
    assert_eq!(
        foreign.to_string(),
        format!("file of execution \"other\" in the merge of {EXECUTION:?}")
    );
    assert!(matches!(
        merger.push(&with(|meta| meta.content = Content::Live)),
        Err(MergeError::Live)
    ));
    let overlap = merger
        .push(&with(|meta| meta.sources.add(&Sources::one(0, 1))))
        .unwrap_err();
    assert_eq!(
        overlap.to_string(),
        "file with the shards 0:0-1 overlaps with those merged already (0:0)"
    );
    assert_eq!(merger.finish().unwrap().totals, merge([&good]).totals);
}

#[test]
fn memory_is_given_back_when_windows_close() {
    let mut merger = Merger::new(EXECUTION, Vec::new()).unwrap();
    for seq in 0..30 {
        let second = i64::from(seq) * 10;
        let samples: Vec<_> = (0..10).map(|i| (second + i, 1, 100 + i as u64)).collect();
        merger.push(&shard(0, seq, &samples)).unwrap();
        merger.advance((second + 10) * 1_000).unwrap();
        assert!(merger.open.is_empty() && merger.spare.len() <= 10);
    }
    assert_eq!(
        merger
            .finish()
            .unwrap()
            .totals
            .sum_of("http_reqs", &Tags::new())
            .unwrap()
            .count,
        300
    );
}
