use super::*;
use crate::collector::Settings;
use crate::jmeter::checks::Checks;
use floodgate_core::shard::Row;
use floodgate_records::metric::{Builtin, Tags};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn collector() -> Collector {
    Collector::new(Settings {
        origin_ms: 0,
        max_series: 2_000,
        folding: Default::default(),
        tags: Tags::new(),
    })
}

/// All rows of a file that is read in pieces of that size.
pub(super) fn read(
    mut reader: impl Reader,
    bytes: &[u8],
    piece: usize,
) -> (Collector, Vec<Row>, Vec<String>) {
    let mut all = collector();
    for piece in bytes.chunks(piece) {
        reader.push(piece, &mut all).unwrap();
    }
    let warnings = reader.finish(&mut all).unwrap();
    let mut rows = Vec::new();
    all.finish(&mut rows);
    (all, rows, warnings)
}

pub(super) fn sum(rows: &[Row], metric: &str, filter: &[(&str, &str)]) -> (u64, f64) {
    let tags = Tags::from_iter(filter.iter().copied());
    rows.iter()
        .filter(|row| row.key.metric == metric && row.key.tags.matches(&tags))
        .fold((0, 0.0), |(count, sum), row| {
            (count + row.count, sum + row.sum)
        })
}

pub(super) fn count(rows: &[Row], metric: &str, filter: &[(&str, &str)]) -> u64 {
    sum(rows, metric, filter).0
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/jmeter")
}

/// Each recording and how many requests the server counted meanwhile.
fn recordings() -> BTreeMap<String, (Vec<u8>, u64)> {
    let provenance = std::fs::read(fixtures().join("provenance.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_slice(&provenance).unwrap();
    let files = provenance["files"].as_object().unwrap().iter();
    files
        .map(|(name, about)| {
            let bytes = std::fs::read(fixtures().join(name)).unwrap();
            let requests = about["requests_at_the_server"].as_u64().unwrap();
            (name.clone(), (bytes, requests))
        })
        .collect()
}

/// Twelve requests that never reached the server: to a closed port and to a name that does not resolve.
const UNREACHED: u64 = 12;

/// Recordings that have a row or element for each request.
fn complete() -> impl Iterator<Item = (String, Vec<u8>, u64)> {
    recordings()
        .into_iter()
        .filter(|(name, _)| name != "2.13-default.csv")
        .map(|(name, (bytes, requests))| (name, bytes, requests))
}

#[test]
fn every_request_that_the_server_saw_counts_once() {
    let mut seen = 0;
    for (name, bytes, requests) in complete() {
        let (all, rows, warnings) = read(AnyReader::new(Options::default()), &bytes, 1 << 16);
        assert_eq!(
            all.total(Builtin::HttpReqs),
            (requests + UNREACHED) as f64,
            "{name}"
        );
        assert_eq!(
            count(&rows, "http_reqs", &[("error_code", "connection_refused")]),
            6,
            "{name}"
        );
        assert_eq!(
            count(&rows, "http_reqs", &[("error_code", "dns")]),
            6,
            "{name}"
        );
        assert_eq!(count(&rows, "http_reqs", &[("status", "404")]), 6, "{name}");
        let said = |what: &str| usize::from(warnings.iter().any(|w| w.contains(what)));
        assert_eq!(
            said("read as UTC"),
            usize::from(name.contains("dated")),
            "{name}"
        );
        let csv = usize::from(!name.contains("xml"));
        assert_eq!(said("30 of the rows are sums"), csv, "{name}: {warnings:?}");
        assert_eq!(
            warnings.len(),
            said("read as UTC") + csv,
            "{name}: {warnings:?}"
        );
        seen += 1;
    }
    assert!(seen >= 5, "{seen} recordings");
}

#[test]
fn parents_and_transactions_become_groups_and_other_samplers_no_requests() {
    for (name, bytes, _) in complete() {
        let (_, rows, _) = read(AnyReader::new(Options::default()), &bytes, 1 << 16);
        for (group, times) in [
            ("::flat", 6),
            ("::parent", 6),
            ("::redirect", 6),
            ("::parent 2", 6),
            ("::page", 6),
        ] {
            assert_eq!(
                count(&rows, "group_duration", &[("group", group)]),
                times,
                "{name} {group}"
            );
        }
        let redirect = [("name", "redirect"), ("scenario", "Shop, \"A\" 1")];
        assert_eq!(
            count(&rows, "http_reqs", &redirect),
            18,
            "{name}: three for each of six"
        );
        assert_eq!(count(&rows, "samples", &[("name", "script")]), 6, "{name}");
        assert_eq!(
            count(&rows, "http_reqs", &[("name", "script")]),
            0,
            "{name}"
        );
        assert_eq!(count(&rows, "http_reqs", &[("name", "off")]), 0, "{name}");
        assert_eq!(
            count(&rows, "http_reqs", &[("scenario", "Second-2")]),
            4,
            "{name}"
        );
    }
}

#[test]
fn the_sum_fails_with_one_part_if_its_assertion_did() {
    for (name, bytes, _) in complete() {
        let (_, rows, _) = read(AnyReader::new(Options::default()), &bytes, 1 << 16);
        let failed = |name: &str| sum(&rows, "http_req_failed", &[("name", name)]);
        assert_eq!(failed("redirect, asserted"), (12, 6.0), "{name}");
        assert_eq!(failed("gold"), (6, 6.0), "{name}");
        assert_eq!(failed("redirect"), (18, 0.0), "{name}");
        assert_eq!(
            count(&rows, "assertion_failures", &[("name", "gold")]),
            6,
            "{name}"
        );
    }
}

#[test]
fn checks_have_the_names_that_are_known() {
    let all = recordings();
    let (_, rows, _) = read(
        AnyReader::new(Options::default()),
        &all["5.6.3-xml.jtl"].0,
        100,
    );
    assert_eq!(sum(&rows, "checks", &[("check", "has gold")]), (6, 0.0));
    assert_eq!(sum(&rows, "checks", &[("check", "has hello")]), (6, 6.0));
    let checks = Checks::from_iter([("gold", "has gold, has hello")]);
    let (_, rows, _) = read(
        AnyReader::new(Options {
            checks,
            ..Options::default()
        }),
        &all["5.6.3-default.csv"].0,
        100,
    );
    assert_eq!(
        sum(
            &rows,
            "checks",
            &[("check", "has gold, has hello"), ("name", "gold")]
        ),
        (6, 0.0)
    );
    let (_, rows, _) = read(
        AnyReader::new(Options::default()),
        &all["5.6.3-default.csv"].0,
        100,
    );
    assert_eq!(
        count(&rows, "checks", &[]),
        0,
        "CSV does not name assertions"
    );
}

#[test]
fn results_without_rows_for_parts_count_what_they_have() {
    let (bytes, requests) = &recordings()["2.13-default.csv"];
    let (all, rows, warnings) = read(AnyReader::new(Options::default()), bytes, 1 << 16);
    assert!(all.total(Builtin::HttpReqs) < *requests as f64);
    assert_eq!(count(&rows, "group_duration", &[("group", "::flat")]), 6);
    assert!(
        warnings.iter().any(|w| w.contains("no column URL")),
        "{warnings:?}"
    );
}

#[test]
fn times_are_those_of_the_file() {
    let csv = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,URL,Latency,IdleTime,Connect,bytes,sentBytes,allThreads\n\
        1000,50,a,200,OK,G 1-1,true,http://x/,40,5,10,100,20,3\n\
        2000,70,a,Non HTTP response code: java.net.SocketTimeoutException,Non HTTP response message: Read timed out,G 1-1,false,http://x/,0,0,0,900,20,2\n";
    let (_, rows, _) = read(CsvReader::new(Options::default()), csv.as_bytes(), 7);
    let of = |metric: &str, status: &str| sum(&rows, metric, &[("status", status)]);
    assert_eq!(of("http_req_duration", "200"), (1, 40_000.0));
    assert_eq!(of("http_req_connecting", "200"), (1, 10_000.0));
    assert_eq!(of("http_req_waiting", "200"), (1, 30_000.0));
    assert_eq!(of("http_req_receiving", "200"), (1, 10_000.0));
    assert_eq!(
        sum(&rows, "http_req_duration", &[("error_code", "timeout")]),
        (1, 70_000.0)
    );
    assert_eq!(
        sum(&rows, "data_received", &[]).1,
        100.0,
        "not the stack trace in the second"
    );
    assert_eq!(sum(&rows, "data_sent", &[("scenario", "G")]).1, 40.0);
    let at: Vec<_> = rows
        .iter()
        .filter(|row| row.key.metric == "http_reqs")
        .map(|row| row.time_ms)
        .collect();
    assert_eq!(
        at,
        [1_000, 2_000],
        "a sample stands at its end: 1055 and 2070 ms"
    );
    assert_eq!(
        count(&rows, "http_req_response_time", &[]),
        0,
        "whether there were throughput timers is not known"
    );
}

#[test]
fn damage_is_named_with_its_line() {
    let header = "timeStamp,elapsed,label,responseCode,success\n";
    let cases = [
        (
            "1,2,\"a\nb\",200,true\n1,x,a,200,true\n",
            "line 4: elapsed is \"x\", not a number of at least 0",
        ),
        (
            "1,2,a,200,maybe\n",
            "line 2: success is \"maybe\", not true or false",
        ),
        ("1,2\n", "line 2: 2 fields where at least 5 are needed"),
        (
            "2200/01/01 00:00:01,2,a,200,true\n",
            "line 2: timeStamp is \"2200/01/01 00:00:01\"",
        ),
        ("now,2,a,200,true\n", "line 2: timeStamp is \"now\""),
        (
            "1,-5,a,200,true\n",
            "line 2: elapsed is \"-5\", not a number of at least 0",
        ),
        ("1,1e999,a,200,true\n", "line 2: elapsed is \"1e999\""),
        ("1,NaN,a,200,true\n", "line 2: elapsed is \"NaN\""),
        (
            "1,99999999999,a,200,true\n",
            "line 2: elapsed is \"99999999999\", not a time of at most a year",
        ),
        (
            "99999999999999,1,a,200,true\n",
            "line 2: timeStamp is \"99999999999999\", not Unix time",
        ),
    ];
    for (text, expected) in cases {
        let mut reader = CsvReader::new(Options::default());
        let error = reader
            .push((header.to_owned() + text).as_bytes(), &mut collector())
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let mut reader = CsvReader::new(Options::default());
    let endless = format!("{header}\"{}", "x\n".repeat(600_000));
    let error = reader
        .push(endless.as_bytes(), &mut collector())
        .unwrap_err();
    assert!(
        matches!(error, ReadError::TooLong { line: 2, .. }),
        "{error}"
    );
}

/// Found by fuzzing: a quote that nothing closes made the first line go on when it came in pieces.
#[test]
fn a_quote_in_the_header_ends_with_it_however_it_is_cut() {
    let text = "timeStamp,elapsed,label,success,\"URL\n1795330000000,5,home,true,http://x/\n";
    for piece in 1..=text.len() {
        let (_, rows, _) = read(CsvReader::new(Options::default()), text.as_bytes(), piece);
        assert_eq!(count(&rows, "http_reqs", &[("name", "home")]), 1, "{piece}");
    }
}

#[test]
fn an_end_within_a_record_is_a_warning_and_nothing_before_it_is_lost() {
    let all = recordings();
    for name in ["5.6.3-default.csv", "5.6.3-xml.jtl"] {
        let bytes = &all[name].0;
        let (all, _, warnings) = read(
            AnyReader::new(Options::default()),
            &bytes[..bytes.len() / 2 + 7],
            4_096,
        );
        assert!(all.total(Builtin::HttpReqs) > 30.0);
        let ends = warnings
            .iter()
            .filter(|w| w.contains("did not end by itself"))
            .count();
        assert_eq!(ends, 1, "{warnings:?}");
    }
    let (_, _, warnings) = read(AnyReader::new(Options::default()), b"", 1);
    assert_eq!(warnings, ["the results are empty: JMeter wrote no sample"]);
}

#[test]
fn labels_and_threads_without_end_take_bounded_memory() {
    let mut reader = CsvReader::new(Options::default());
    let mut all = collector();
    reader
        .push(
            b"timeStamp,elapsed,label,responseCode,threadName,success\n",
            &mut all,
        )
        .unwrap();
    for n in 0..50_000 {
        let line = format!("{},1,label {n},200,Arrivals 1-{n},true\n", n * 10);
        reader.push(line.as_bytes(), &mut all).unwrap();
    }
    reader.finish(&mut all).unwrap();
    assert_eq!(all.total(Builtin::HttpReqs), 50_000.0);
    // 2,000 tag sets of at most five metrics, and what folds.
    assert!(all.series_count() < 5 * 2_000 + 100);
}

fn figures(rows: Vec<Row>) -> BTreeMap<String, (u64, u64)> {
    let mut all = BTreeMap::new();
    for row in rows {
        let entry = all.entry(row.key.to_string()).or_insert((0, 0));
        *entry = (entry.0 + row.count, entry.1 + row.sum as u64);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn cuts_change_nothing(piece in 1_usize..3_000) {
        for (name, bytes, _) in complete() {
            let whole = read(AnyReader::new(Options::default()), &bytes, usize::MAX);
            let parts = read(AnyReader::new(Options::default()), &bytes, piece);
            prop_assert_eq!(figures(parts.1), figures(whole.1), "{}", name);
            prop_assert_eq!(parts.2, whole.2);
        }
    }

    #[test]
    fn anything_is_read_or_refused(text in "(timeStamp,elapsed,label,success\n)?[0-9a,\"\n\r truefals]{0,200}", piece in 1_usize..50) {
        let mut reader = AnyReader::new(Options::default());
        let mut all = collector();
        for piece in text.as_bytes().chunks(piece) {
            if reader.push(piece, &mut all).is_err() {
                break;
            }
        }
        let _ = reader.finish(&mut all);
    }
}

/// `scenario|name|headline` of all samples of failures.
fn failures(bytes: &[u8], checks: Checks) -> Vec<String> {
    let mut into = collector();
    let options = Options {
        checks,
        ..Options::default()
    };
    let mut reader = AnyReader::new(options);
    for piece in bytes.chunks(777) {
        reader.push(piece, &mut into).unwrap();
    }
    reader.finish(&mut into).unwrap();
    let (samples, _) = into.take_failures();
    let shown = samples
        .iter()
        .map(|sample| format!("{}|{}|{}", sample.scenario, sample.name, sample.headline()));
    shown.collect()
}

#[test]
fn failures_are_sampled_with_what_either_format_tells_of_them() {
    for name in ["5.6.3-default.csv", "5.6.3-xml.jtl"] {
        let bytes = std::fs::read(fixtures().join(name)).unwrap();
        let all = failures(&bytes, [("gold", "has gold")].into_iter().collect());
        let of = |name: &str| {
            let name = format!("|{name}|");
            let found: Vec<_> = all.iter().filter(|line| line.contains(&name)).collect();
            assert!((1..=10).contains(&found.len()), "{name}: {all:#?}");
            found[0].clone()
        };
        let missing = of("missing");
        assert!(
            missing.starts_with("Shop, \"A\" 1|missing|http://127.0.0.1:"),
            "{missing}"
        );
        assert!(missing.contains("/status/404: 404 after "), "{missing}");
        let gold = of("gold");
        assert!(gold.contains("has gold does not hold"), "{gold}");
        assert!(
            gold.contains("(Test failed: text expected to contain /gold"),
            "{gold}"
        );
        // The sum's assertion failed, and none of its parts: it is told once for each, with the sum's own words.
        let whole = of("redirect, asserted");
        assert!(
            whole.contains("text expected to contain /nowhere/"),
            "{whole}"
        );
        let refused = all
            .iter()
            .find(|line| line.contains("connection_refused"))
            .unwrap();
        assert!(refused.contains("HttpHostConnectException"), "{refused}");
    }
}

#[test]
fn the_first_failures_of_each_kind_are_sampled_and_no_more() {
    let mut text =
        "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,URL\n".to_owned();
    for n in 0..100 {
        for code in [404, 500] {
            text += &format!(
                "{},5,home,{code},No,G 1-1,false,http://x/{n}\n",
                1_795_330_000_000_u64 + n
            );
        }
    }
    let found = failures(text.as_bytes(), Checks::new());
    assert_eq!(found.len(), 20, "{found:#?}");
}
