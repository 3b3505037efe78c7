#![allow(clippy::unwrap_used)]

use super::*;
use crate::histogram::Histogram;
use floodgate_records::metric::{MetricKind, Tags};
use proptest::prelude::*;

fn meta() -> ShardMeta {
    ShardMeta {
        content: Content::Shard,
        execution: "01JD0000000000000000000000".into(),
        segment: "3/10".into(),
        sources: Sources::one(3, 17),
        start_ms: 1_700_000_000_000,
        end_ms: 1_700_000_010_000,
    }
}

fn key(metric: &str, kind: MetricKind, tags: &[(&str, &str)]) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        metric: metric.into(),
        kind,
        tags: tags.iter().copied().collect(),
    })
}

fn trend(key: &Arc<SeriesKey>, time_ms: i64, values: &[u64]) -> Row {
    let mut h = Histogram::new();
    values.iter().for_each(|&v| h.record(v));
    let mut bytes = Vec::new();
    h.encode_v2(&mut bytes);
    Row {
        time_ms,
        window_s: 1,
        key: key.clone(),
        count: h.count(),
        sum: h.sum() as f64,
        min: h.min() as f64,
        max: h.max() as f64,
        histogram: Some(bytes.into()),
    }
}

fn rows() -> Vec<Row> {
    let duration = key(
        "http_req_duration",
        MetricKind::Trend,
        &[
            ("name", "home"),
            ("method", "GET"),
            ("status", "200"),
            ("scenario", "browse"),
            ("expected_response", "true"),
        ],
    );
    let reqs = key(
        "http_reqs",
        MetricKind::Counter,
        &[
            ("name", "home"),
            ("group", "::shop"),
            ("a", "1"),
            ("b", "ü"),
        ],
    );
    let plain = key("vus", MetricKind::Gauge, &[]);
    let flat = |key: &Arc<SeriesKey>, time_ms, count, sum| Row {
        time_ms,
        window_s: 1,
        key: key.clone(),
        count,
        sum,
        min: 1.0,
        max: 3.5,
        histogram: None,
    };
    vec![
        trend(&duration, 1_000, &[5, 900, 900, 70_000]),
        trend(&duration, 2_000, &[]),
        flat(&reqs, 1_000, 4, 4.0),
        flat(&reqs, 2_000, 0, 0.0),
        flat(&plain, 1_000, 1, 3.5),
    ]
}

#[test]
fn rows_and_metadata_come_back() {
    let rows = rows();
    let shard = decode(&encode(&meta(), &rows).unwrap()).unwrap();
    assert_eq!(shard.meta, meta());
    assert_eq!(shard.rows, rows, "rows that were sorted keep their order");
    assert!(
        Arc::ptr_eq(&shard.rows[0].key, &shard.rows[1].key),
        "rows of a series share its key"
    );
}

#[test]
fn a_file_without_rows_is_sound() {
    let shard = decode(&encode(&meta(), &[]).unwrap()).unwrap();
    assert_eq!(
        shard,
        Shard {
            meta: meta(),
            rows: Vec::new()
        }
    );
}

#[test]
fn several_row_groups_are_read_in_their_order() {
    let rows = rows();
    let mut writer = ShardWriter::new(Vec::new(), Effort::Small).unwrap();
    writer.write(&rows[..2]).unwrap();
    writer.write(&[]).unwrap();
    writer.write(&rows[2..]).unwrap();
    assert_eq!(writer.rows(), 5);
    let merged = ShardMeta {
        content: Content::Merged,
        ..meta()
    };
    let shard = decode(&writer.finish(&merged).unwrap()).unwrap();
    assert_eq!((shard.meta, shard.rows), (merged, rows));
}

#[test]
fn rows_are_sorted_by_series_and_time() {
    let mut shuffled = rows();
    shuffled.reverse();
    assert_eq!(
        decode(&encode(&meta(), &shuffled).unwrap()).unwrap().rows,
        rows()
    );
}

fn refused(row: Row) -> String {
    decode(&encode(&meta(), &[row]).unwrap())
        .unwrap_err()
        .to_string()
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let [duration, _, reqs, ..] = <[Row; 5]>::try_from(rows()).unwrap();
    assert_eq!(
        refused(Row {
            histogram: None,
            ..duration.clone()
        }),
        format!("row 0: trend {} without a histogram", duration.key)
    );
    assert!(
        refused(Row {
            histogram: duration.histogram.clone(),
            ..reqs.clone()
        })
        .contains("with a histogram")
    );
    assert!(
        refused(Row {
            count: 3,
            ..duration.clone()
        })
        .contains("count 3, its buckets say 4")
    );
    assert!(
        refused(Row {
            histogram: Some(Bytes::from_static(b"no")),
            ..duration
        })
        .contains("2 bytes")
    );
    assert!(
        refused(Row {
            sum: f64::NAN,
            ..reqs.clone()
        })
        .contains("finite")
    );
    assert!(
        refused(Row {
            min: 9.0,
            ..reqs.clone()
        })
        .contains("min 9 exceeds max 3.5")
    );
    assert!(
        refused(Row {
            window_s: 0,
            ..reqs.clone()
        })
        .contains("window of 0 s")
    );
    assert!(
        refused(Row {
            time_ms: -1,
            ..reqs.clone()
        })
        .contains("-1 ms")
    );
    assert!(
        refused(Row {
            count: u64::MAX,
            ..reqs.clone()
        })
        .contains("negative")
    );
    let rate = key("checks", MetricKind::Rate, &[]);
    assert!(
        refused(Row {
            key: rate,
            sum: 5.0,
            ..reqs.clone()
        })
        .contains("5 non-zero of 4")
    );
    assert!(
        refused(Row {
            key: key("", MetricKind::Counter, &[]),
            ..reqs
        })
        .contains("without a name")
    );
}

#[test]
fn a_file_of_something_else_is_refused() {
    let error = |meta: ShardMeta| {
        decode(&encode(&meta, &[]).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert!(
        error(ShardMeta {
            sources: Sources::default(),
            ..meta()
        })
        .contains("names 0 shards")
    );
    assert!(
        error(ShardMeta {
            start_ms: 5,
            end_ms: 4,
            ..meta()
        })
        .contains("not a valid window")
    );
    for junk in [
        &b""[..],
        b"PAR1",
        b"PAR1PAR1",
        &[0; 100],
        b"PAR1\xff\xff\xff\x7fPAR1",
    ] {
        assert!(
            matches!(decode(junk), Err(ShardError::Truncated { .. })),
            "{junk:?}"
        );
    }
}

#[test]
fn a_row_fault_keeps_what_it_was_found_by() {
    let mut row = trend(&key("latency", MetricKind::Trend, &[]), 5, &[7]);
    row.histogram = Some(Bytes::from_static(b"\x1c"));
    let bytes = encode(&meta(), &[row]).unwrap();
    let error = decode(&bytes).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.is::<crate::histogram::HistogramError>(), "{error}");
    assert_eq!(error.to_string(), format!("row 0: {source}"));
}

#[test]
fn sources_are_joined_and_read_back() {
    let mut all = Sources::default();
    for seq in [0, 1, 3, 2, 7] {
        assert!(!all.overlaps(&Sources::one(4, seq)));
        all.add(&Sources::one(4, seq));
        assert!(
            all.overlaps(&Sources::one(4, seq)) && all.contains(4, seq) && !all.contains(3, seq)
        );
    }
    all.add(&Sources::one(0, u32::MAX));
    assert_eq!(
        (all.to_string().as_str(), all.len()),
        ("0:4294967295;4:0-3,7", 6)
    );
    let merged = ShardMeta {
        content: Content::Merged,
        sources: all,
        ..meta()
    };
    assert_eq!(decode(&encode(&merged, &[]).unwrap()).unwrap().meta, merged);
    assert_eq!(merged.task_and_seq(), None);
    assert_eq!(meta().task_and_seq(), Some((3, 17)));
}

#[test]
fn the_digest_is_sha_256() {
    // FIPS 180-4, the example "abc".
    assert_eq!(
        sha256_hex(b"abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn histograms_of_several_pages_round_trip() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut rows = Vec::new();
    for metric in ["a", "b", "c"] {
        let key = key(metric, MetricKind::Trend, &[]);
        for second in 0..20 {
            let values: Vec<u64> = (0..100).map(|_| random.u64(1..1_000_000)).collect();
            rows.push(trend(&key, second * 1_000, &values));
        }
    }
    let bytes = encode(&meta(), &rows).unwrap();
    assert_eq!(decode(&bytes).unwrap().rows, rows);
}

#[test]
fn the_flush_interval_splits_no_window() {
    assert_eq!(FLUSH_INTERVAL_MS % (u64::from(PHASE_WINDOW_S) * 1_000), 0);
    assert_eq!(
        (
            window_s("http_req_waiting"),
            window_s("iteration_duration"),
            window_s("http_req_response_time"),
            window_s("iterations"),
            window_s("own")
        ),
        (PHASE_WINDOW_S, PHASE_WINDOW_S, 1, 1, 1)
    );
}

#[test]
fn every_damaged_byte_and_every_cut_is_noticed() {
    let good = encode(&meta(), &rows()).unwrap();
    for at in 0..good.len() {
        assert!(decode(&good[..at]).is_err(), "cut at {at}");
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            assert!(decode(&bad).is_err(), "byte {at} ^ {flip:#x}");
        }
    }
}

fn any_row() -> impl Strategy<Value = Row> {
    let tag = prop::sample::select(vec![
        "scenario",
        "group",
        "name",
        "method",
        "status",
        "error_code",
        "check",
        "own",
    ]);
    let tags = prop::collection::btree_map(tag, "[a-zü]{0,3}", 0..5);
    let kind = prop::sample::select(vec![
        MetricKind::Counter,
        MetricKind::Gauge,
        MetricKind::Trend,
    ]);
    (
        tags,
        kind,
        0..100i64,
        prop::collection::vec(0..10_000_000u64, 0..30),
    )
        .prop_map(|(tags, kind, second, values)| {
            let tags = tags
                .into_iter()
                .fold(Tags::new(), |tags, (name, value)| tags.with(name, value));
            let row = trend(
                &Arc::new(SeriesKey {
                    metric: "m".into(),
                    kind,
                    tags,
                }),
                second * 1_000,
                &values,
            );
            if kind == MetricKind::Trend {
                row
            } else {
                Row {
                    histogram: None,
                    ..row
                }
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_rows_round_trip(mut rows in prop::collection::vec(any_row(), 0..40)) {
        let read = decode(&encode(&meta(), &rows).unwrap()).unwrap().rows;
        rows.sort_by(|a, b| a.key.cmp(&b.key).then(a.time_ms.cmp(&b.time_ms)));
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn random_damage_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = encode(&meta(), &rows()).unwrap();
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        if let Ok(shard) = decode(&bytes) {
            prop_assert_eq!(shard.rows, rows());
        }
    }
}
